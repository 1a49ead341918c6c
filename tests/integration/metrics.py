#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What both daemons tell of themselves: metrics in both formats, read by a strict parser of ours and by what others wrote,
Prometheus's promtool and the parser of its Python client; who may read; and the dashboard, which names none that is
not there."""
import json
import os
import re
import ssl
import subprocess
import time

import grpc
from google.protobuf import descriptor_pb2
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics

import certs
import tap
from daemons import manager_of, service_of
from harness import PATIENCE, PROTOCOL, ROOT, Folder, Process, program, reflection, reflection_grpc
from ports import free_port

manager, _ = PROTOCOL["manager"]
computations, _ = PROTOCOL["computations"]
WAIT = PATIENCE
TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[0-9.e+]+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)')
ENDINGS = {"counter": ["_total"], "gauge": [""], "info": ["_info"], "histogram": ["_bucket", "_sum", "_count"]}


def code_of(call, request):
    try:
        call(request, timeout=WAIT)
        return "OK", ""
    except grpc.RpcError as error:
        return error.code().name, error.details()


def curl(*arguments):
    """Head and body."""
    done = subprocess.run(["curl", "-sik", "--max-time", str(WAIT), *arguments], stdout=subprocess.PIPE, check=False)
    assert done.returncode == 0, (arguments, done.returncode)
    head, body = done.stdout.decode().split("\r\n\r\n", 1)
    return head.lower(), body


def promtool(body):
    """What it finds wrong with Prometheus's text, in form or by its rules for names and help; nothing: ''."""
    done = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, text=True, timeout=WAIT,
                          check=False)
    assert done.returncode in (0, 1, 3), done  # 1: it is none; 3: a rule is broken
    said = done.stderr.strip()
    assert bool(said) == (done.returncode != 0), done
    return said


def client(body, is_open):
    """What Prometheus's client for Python finds wrong, and how many families it reads."""
    try:
        return "", len(list((openmetrics if is_open else parser).text_string_to_metric_families(body)))
    except ValueError as why:
        return str(why) or repr(why), 0


class Page:
    """Families and samples of one answer. Whatever either format forbids is an error, and what others say of it."""

    def __init__(self, head, body):
        assert " 200" in head.split("\r\n")[0], head
        self.body, self.is_open = body, f"content-type: {OPEN}".lower() in head
        assert self.is_open or f"content-type: {TEXT}".lower() in head, head
        assert body.endswith("\n") and "\r" not in body
        lines = body[:-1].split("\n")
        if self.is_open:
            assert lines.pop() == "# EOF"
        self.kinds, self.samples, family, helped = {}, {}, None, set()
        for line in lines:
            if line.startswith("# HELP "):
                name, text = line[7:].split(" ", 1)
                assert name not in helped and text, line
                helped.add(name)
            elif line.startswith("# TYPE "):
                name, kind = line[7:].split(" ")
                assert name in helped and name not in self.kinds and kind in ENDINGS, line
                assert self.is_open or kind != "info", line
                assert not self.is_open or not name.endswith(("_total", "_info")), line
                self.kinds[name], family = kind, name
            else:
                self.take(family, line)
        self.check_histograms()
        self.check_by_others()

    def take(self, family, line):
        matched = SAMPLE.fullmatch(line)
        assert matched, line
        name, labels, value = matched[1], matched[2], float(matched[3])
        kind = self.kinds[family]
        endings = ENDINGS[kind] if self.is_open or kind == "histogram" else [""]
        assert name in [family + ending for ending in endings], (family, line)
        assert labels is None or (labels and "".join(m[0] for m in LABEL.finditer(labels)) == labels), line
        pairs = LABEL.findall(labels or "")
        assert len({key for key, _ in pairs}) == len(pairs), line
        key = (name, *sorted(pairs))
        assert key not in self.samples and (kind != "counter" or value >= 0), line
        self.samples[key] = value

    def check_histograms(self):
        for name, kind in self.kinds.items():
            rows = {}
            for (sample, *labels), value in self.samples.items():
                if kind == "histogram" and sample == name + "_bucket":
                    rest = tuple(label for label in labels if label[0] != "le")
                    rows.setdefault(rest, []).append((float(dict(labels)["le"].replace("+Inf", "inf")), value))
            for rest, buckets in rows.items():
                assert buckets == sorted(buckets) and [v for _, v in buckets] == sorted(v for _, v in buckets)
                assert buckets[-1][0] == float("inf") and buckets[-1][1] == self.samples[(name + "_count", *rest)]
                assert self.samples[(name + "_sum", *rest)] >= 0

    def check_by_others(self):
        wrong = "" if self.is_open else promtool(self.body)
        assert not wrong, wrong
        assert client(self.body, self.is_open) == ("", len(self.kinds)), client(self.body, self.is_open)

    def value(self, name, **labels):
        return self.samples[(name, *sorted(labels.items()))]


def read(port, accept=None):
    return Page(*curl(f"http://127.0.0.1:{port}/metrics", *(["-H", "Accept: " + accept] if accept else [])))


def a_manager_tells_what_it_did():
    with Folder() as folder:
        port = free_port()
        with manager_of(folder, AUDIT_LOG=folder("audit.log"), MAX_VMS="7", METRICS=f"127.0.0.1:{port}") as m:
            first = read(port)
            for state in ("creating", "running", "lost", "removing"):
                for tee in ("none", "snp", "tdx"):
                    assert first.value("cocos_manager_vms", state=state, tee=tee) == 0
            assert first.value("cocos_rpc_calls_total", method="manager.ManagerService/CreateVm", code="OK") == 0
            assert code_of(m.stub.RemoveVm, manager.RemoveReq(cvm_id="none"))[0] == "NOT_FOUND"
            assert code_of(m.stub.RemoveVm, manager.RemoveReq(cvm_id="none"))[0] == "NOT_FOUND"
            # libvirt's test driver starts no such domain
            code, _ = code_of(m.stub.CreateVm, manager.CreateReq(name="one", agent_cvm_server_url="10.0.2.2:7001"))
            assert code != "OK"
            page = read(port)
            remove, create = "manager.ManagerService/RemoveVm", "manager.ManagerService/CreateVm"
            assert page.value("cocos_rpc_calls_total", method=remove, code="NOT_FOUND") == 2
            assert page.value("cocos_rpc_calls_total", method=create, code=code) == 1
            assert page.value("cocos_rpc_call_duration_seconds_count", method=remove) == 2
            assert page.value("cocos_manager_vms_max") == 7
            assert page.value("cocos_manager_serving") in (0, 1)
            with open(folder("image", "image.json"), "rb") as file:
                assert file.read()
            image = [dict(labels) for name, *labels in page.samples if name == "cocos_manager_image_info"]
            assert len(image) == 1 and re.fullmatch("[0-9a-f]+", image[0]["digest"]) and image[0]["flavour"], image
            # what it says of its process is what the kernel says
            pid = m.process.process.pid
            assert page.value("process_open_fds") <= len(os.listdir(f"/proc/{pid}/fd")) + 8
            assert 0 < page.value("process_resident_memory_bytes") < page.value("process_virtual_memory_bytes")
            assert abs(page.value("process_start_time_seconds") - time.time()) < 3600
            version = subprocess.run([program("cocos-manager"), "--version"], capture_output=True, text=True,
                                     check=True).stdout.split()[1]
            assert page.value("cocos_build_info", version=version) == 1


def methods_of(socket):
    """Of all that it serves to administrators, as it says itself."""
    stub = reflection_grpc.ServerReflectionStub(grpc.insecure_channel("unix:" + socket))

    def ask(**what):
        return next(stub.ServerReflectionInfo(iter([reflection.ServerReflectionRequest(**what)]), timeout=WAIT))

    found = []
    for one in ask(list_services="").list_services_response.service:
        if one.name.startswith("grpc."):
            continue
        for bytes_ in ask(file_containing_symbol=one.name).file_descriptor_response.file_descriptor_proto:
            file = descriptor_pb2.FileDescriptorProto.FromString(bytes_)
            found += [f"{one.name}/{method.name}" for served in file.service
                      if f"{file.package}.{served.name}" == one.name for method in served.method]
    assert len({name.split("/")[0] for name in found}) >= 6, found
    return found


def a_service_tells_what_it_did():
    with Folder() as folder:
        port = free_port()
        with service_of(folder, AUDIT_LOG=folder("audit.log"), METRICS=f"127.0.0.1:{port}") as s:
            assert code_of(s.stub.Create, computations.CreateRequest())[0] == "INVALID_ARGUMENT"
            page = read(port, OPEN)
            create = "computations.ComputationService/Create"
            assert page.is_open
            assert page.value("cocos_rpc_calls_total", method=create, code="INVALID_ARGUMENT") == 1
            assert page.value("cocos_rpc_calls_total", method="cvms.Service/Process", code="OK") == 0
            assert page.value("cocos_computations_cvms_connected", verified="true") == 0
            # Whatever it serves is counted: what its program says of itself is the list.
            counted = {dict(labels)["method"] for name, *labels in page.samples if name == "cocos_rpc_calls_total"}
            for method in methods_of(folder("run/admin.sock")):
                assert method in counted, (method, counted)
            assert page.value("cocos_computations_cvms_max") == 1000


def the_reader_chooses_the_format():
    with Folder() as folder:
        port = free_port()
        with service_of(folder, METRICS=f"127.0.0.1:{port}"):
            prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1"
            for accept, is_open in ((None, False), ("*/*", False), ("text/plain", False), (prometheus, True),
                                    ("application/openmetrics-text", True)):
                page = read(port, accept)
                assert page.is_open == is_open, accept
                # the same families in both
                names = {re.sub("_(total|info)$", "", name) for name in page.kinds}
                assert names == {re.sub("_(total|info)$", "", name) for name in read(port).kinds}
            url = f"http://127.0.0.1:{port}"
            for words, options in ((" 406", ["-H", "Accept: text/html"]), (" 400", ["-H", "Accept: nonsense"]),
                                   (" 405", ["-d", ""]), (" 400", ["-G", "-d", "name=x"])):
                head, body = curl(url + "/metrics", *options)
                assert words in head.split("\r\n")[0] and "application/problem+json" in head, (head, body)
            assert " 404" in curl(url + "/")[0].split("\r\n")[0]
            # A page that a browser was lured to does not read it by another name.
            assert " 421" in curl(url + "/metrics", "-H", "Host: evil.example")[0].split("\r\n")[0]


def what_callers_say_makes_no_label():
    with Folder() as folder:
        port = free_port()
        with service_of(folder, METRICS=f"127.0.0.1:{port}") as s:
            assert code_of(s.stub.Create, computations.CreateRequest())[0] == "INVALID_ARGUMENT"
            before = read(port)
            channel = grpc.insecure_channel("unix:" + folder("run/admin.sock"))
            for number in range(50):
                call = channel.unary_unary(f"/evil{number}.Service/Call")
                try:
                    call(b"", timeout=WAIT)
                    raise AssertionError("answered")
                except grpc.RpcError as error:
                    assert error.code().name == "UNIMPLEMENTED"
                assert code_of(s.stub.Show, computations.ComputationRequest(id=f"evil{number}"))[0] == "NOT_FOUND"
            after = read(port)
            new = set(after.samples) - set(before.samples)
            assert new == {("cocos_rpc_calls_total", ("code", "NOT_FOUND"),
                            ("method", "computations.ComputationService/Show"))}, new


def at_first(pattern, to):
    """Damages a page at the first place that looks so."""
    def damage(body):
        damaged, count = re.subn(pattern, to, body, count=1, flags=re.MULTILINE)
        assert count == 1 and damaged != body, pattern
        return damaged
    return damage


# What promtool takes for a fault, with some of its words for it.
FAULTS_OF_TEXT = [
    (at_first(r"^# HELP cocos_build_info .*\n", ""), "cocos_build_info no help text"),
    (at_first(r"^# TYPE process_open_fds gauge\n", "# TYPE process_open_fds gauges\n"), "unknown metric type"),
    (lambda body: body.replace("cocos_rpc_calls_total", "cocos_rpc_calls"), 'should have "_total" suffix'),
    (lambda body: body.replace("process_open_fds", "process_open_total"), 'should not have "_total" suffix'),
    (at_first(r"^process_open_fds .*", "process_open_fds many"), "expected float"),
    (at_first(r'method="', 'method='), "label value"),
    (at_first(r'method="', '1method="'), "label name"),
    (lambda body: body[:-1], "unexpected end of input"),
]
# What no reader of OpenMetrics may take.
FAULTS_OF_OPEN = [
    at_first(r"^# EOF\n", ""), lambda body: body + "process_open_fds 1\n",
    at_first(r"^# TYPE process_open_fds gauge\n", "# TYPE process_open_fds gauges\n"),
    at_first(r"^cocos_rpc_calls_total\{", "cocos_rpc_calls{"),
    at_first(r"^cocos_build_info\{", "cocos_build{"), at_first(r"^process_open_fds .*", "process_open_fds many"),
    at_first(r'method="', 'method='), at_first(r'(_bucket\{.*),le="\+Inf"', r'\1,le="9999.0"'),
    at_first(r"^(# HELP process_open_fds .*\n)", r"\1\1"), at_first(r"\n", "\n\n"),
]


def readers_that_others_wrote_take_both_daemons_pages_and_no_damaged_ones():
    with Folder() as folder:
        ports = [free_port(), free_port()]
        with manager_of(folder, METRICS=f"127.0.0.1:{ports[0]}") as m, \
                service_of(folder, METRICS=f"127.0.0.1:{ports[1]}") as s:
            assert code_of(m.stub.RemoveVm, manager.RemoveReq(cvm_id="none"))[0] == "NOT_FOUND"
            assert code_of(s.stub.Create, computations.CreateRequest())[0] == "INVALID_ARGUMENT"
            for port in ports:
                text, is_open = read(port), read(port, OPEN)
                assert not promtool(text.body) and client(text.body, False)[0] == client(is_open.body, True)[0] == ""
                for damage, words in FAULTS_OF_TEXT:
                    said = promtool(damage(text.body))
                    assert words in said, (words, said)
                for number, damage in enumerate(FAULTS_OF_OPEN):
                    said, families = client(damage(is_open.body), True)
                    assert said and not families, number
                # Neither takes the other's form.
                assert promtool(is_open.body) and client(text.body, True)[0]


def end_of(path):
    text = subprocess.run(["openssl", "x509", "-in", path, "-noout", "-enddate"], capture_output=True, text=True,
                          check=True).stdout.strip().split("=", 1)[1]
    return ssl.cert_time_to_seconds(text)


def others_need_a_certificate():
    with Folder() as folder:
        made = certs.Certs(folder.path)
        for name, tls in (("cocos-manager", "MANAGER_GRPC"), ("cocos-computations", "COMPUTATIONS_ADMIN")):
            prefix = tls.split("_", maxsplit=1)[0]
            for address in ("0.0.0.0:9464", ":9464", "192.0.2.1:9464"):
                config = folder.write("open.conf", f"{prefix}_METRICS={address}\n")
                done = subprocess.run([program(name), "--config", config], capture_output=True, text=True,
                                      timeout=WAIT, check=False)
                assert done.returncode == 1 and f"{prefix}_METRICS" in done.stderr, done
                assert f"{tls}_CLIENT_CA_CERTS" in done.stderr, done
        port = free_port()
        tls = {"SERVER_CERT": made.cert, "SERVER_KEY": made.key, "CLIENT_CA_CERTS": made.ca}
        with service_of(folder, METRICS=f"0.0.0.0:{port}", **{"ADMIN_" + k: v for k, v in tls.items()}):
            known = ["--cert", made.client_cert, "--key", made.client_key]
            page = Page(*curl(f"https://127.0.0.1:{port}/metrics", *known))
            expiry = "cocos_certificate_expiry_timestamp_seconds"
            assert page.value(expiry, setting="COMPUTATIONS_ADMIN_SERVER_CERT") == end_of(made.cert)
            assert page.value(expiry, setting="COMPUTATIONS_ADMIN_CLIENT_CA_CERTS") == end_of(made.ca)
            for options in ([], ["--http1.1"]):
                done = subprocess.run(["curl", "-sk", *options, f"https://127.0.0.1:{port}/metrics"],
                                      stdout=subprocess.PIPE, check=False)
                assert done.returncode != 0 and done.stdout == b""


def a_unix_socket_is_for_its_user():
    with Folder() as folder:
        with service_of(folder, METRICS="unix:" + folder("run/metrics.sock")) as s:
            assert os.stat(folder("run/metrics.sock")).st_mode & 0o777 == 0o600
            Page(*curl("http://localhost/metrics", "--unix-socket", folder("run/metrics.sock")))
            assert s.process.stop() == 0, s.process.text()
        assert not os.path.exists(folder("run/metrics.sock"))
        # Where it can't be listened, the service does not begin.
        config = folder.write("taken.conf", f"COMPUTATIONS_METRICS=unix:{folder('nowhere/m.sock')}\n"
                              f"COMPUTATIONS_STATE_DIR={folder('other')}\nCOMPUTATIONS_GRPC_PORT=0\n"
                              f"COMPUTATIONS_ADMIN_SOCKET={folder('run/other.sock')}\n")
        process = Process([program("cocos-computations"), "--config", config])
        process.wait_line("COMPUTATIONS_METRICS")
        assert process.process.wait(WAIT) == 1


def the_dashboard_names_what_is_there():
    with open(os.path.join(ROOT, "packaging", "grafana", "cocos.json"), encoding="utf-8") as file:
        dashboard = json.load(file)
    words = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    words += " " + " ".join(str(row.get("query", "")) for row in dashboard["templating"]["list"])
    named = set(re.findall(r"\b(?:cocos|process)_[a-z_]+", words))
    assert len(named) >= 12, named
    with Folder() as folder:
        ports = [free_port(), free_port()]
        with manager_of(folder, METRICS=f"127.0.0.1:{ports[0]}"), \
                service_of(folder, METRICS=f"127.0.0.1:{ports[1]}"):
            pages = [read(port) for port in ports]
    there = {key[0] for page in pages for key in page.samples} | {name for page in pages for name in page.kinds}
    assert named <= there, named - there


if __name__ == "__main__":
    tap.run([a_manager_tells_what_it_did, a_service_tells_what_it_did, the_reader_chooses_the_format,
             readers_that_others_wrote_take_both_daemons_pages_and_no_damaged_ones, what_callers_say_makes_no_label, others_need_a_certificate, a_unix_socket_is_for_its_user,
             the_dashboard_names_what_is_there])
