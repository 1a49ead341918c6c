# SPDX-License-Identifier: Apache-2.0
"""The audit logs of both daemons: who asked for what, and how it ended; and that nothing is changed without them."""
import glob
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import tempfile

import grpc

import tap
from daemons import manager_of, service_of
from harness import PATIENCE, PROTOCOL, ROOT, Folder, Process, program, read, spki, until

manager, manager_grpc = PROTOCOL["manager"]
computations, computations_grpc = PROTOCOL["computations"]
people, people_grpc = PROTOCOL["people"]
cvms, _ = PROTOCOL["cvms"]
WAIT = PATIENCE
KEY, _ = spki()


def manifest(name):
    return cvms.ComputationRunReq(id=name, name=name, algorithm=cvms.Algorithm(hash=b"a" * 32, userKey=KEY),
                                  result_consumers=[cvms.ResultConsumer(userKey=KEY)])


def entries(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def code_of(call, request):
    try:
        call(request, timeout=WAIT)
        return "OK", ""
    except grpc.RpcError as error:
        return error.code().name, error.details()


def what_a_manager_is_asked_to_change_is_written():
    with Folder() as folder:
        log = folder("audit.log")
        with manager_of(folder, AUDIT_LOG=log) as m:
            assert code_of(m.stub.RemoveVm, manager.RemoveReq(cvm_id='no "one"\n'))[0] == "NOT_FOUND"
            assert code_of(m.stub.AdoptStray, manager.AdoptStrayReq(id="nor you"))[0] != "OK"
            # libvirt's test driver starts no such domain: what was asked for is there, and how it ended
            code, words = code_of(m.stub.CreateVm, manager.CreateReq(
                name="one", tee="none", image="other", agent_cvm_server_url="10.0.2.2:7001"))
            assert code_of(m.stub.CVMInfo, manager.CVMInfoReq(id="x"))[0] == "NOT_FOUND"  # it changes nothing
        seen = entries(log)
        assert stat.S_IMODE(os.stat(log).st_mode) == 0o600
        assert [(s["event"], s["method"].split("/")[1]) for s in seen] == [
            ("asked", "RemoveVm"), ("done", "RemoveVm"), ("asked", "AdoptStray"), ("done", "AdoptStray"),
            ("asked", "CreateVm"), ("done", "CreateVm")], seen
        assert all(s["uid"] == os.geteuid() and s["peer"] == f"unix:uid={os.geteuid()}" for s in seen), seen
        assert all(s["gid"] == os.getegid() for s in seen), seen
        assert all(s["service"] == "10.0.2.2:7001" and s["name"] == "one" for s in seen[4:]), seen
        assert all(s["tee"] == "none" and s["image"] == "other" for s in seen[4:]), seen
        assert all(s["program"] == "cocos-manager" for s in seen), seen
        assert seen[0]["id"] == seen[1]["id"] == 'no "one"\n' and seen[1]["outcome"] == "NOT_FOUND", seen
        assert seen[2]["id"] == "nor you" and "outcome" not in seen[2], seen
        assert seen[0]["call"] == seen[1]["call"] != seen[2]["call"] == seen[3]["call"], seen
        assert seen[5]["outcome"] == code and seen[5].get("error", "") == words, (seen, code, words)


def a_caller_s_trace_is_written():
    good, trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "0af7651916cd43dd8448eb211c80319c"
    with Folder() as folder:
        log = folder("audit.log")
        said = [(good,), (good.upper(),), ("00-" + "0" * 32 + good[35:],), (good + "-x",), (good, good), ()]
        with service_of(folder, AUDIT_LOG=log) as s:
            for number, parents in enumerate(said):
                s.stub.Create(computations.CreateRequest(manifest=manifest(f"c{number}")), timeout=WAIT,
                              metadata=[("traceparent", parent) for parent in parents])
        seen = entries(log)
        assert [e["event"] for e in seen] == ["asked", "done"] * len(said), seen
        traces = [e["trace"] for e in seen]
        assert traces[::2] == traces[1::2] and len(set(traces)) == len(said), traces
        # Who gives none, or no good one, gets one: that of the call's lines in the normal log.
        assert traces[0] == trace and all(re.fullmatch("[0-9a-f]{32}", each) for each in traces), traces


def what_administrators_change_is_written():
    with Folder() as folder:
        log = folder("audit.log")
        with service_of(folder, AUDIT_LOG=log) as s:
            made = s.stub.Create(computations.CreateRequest(manifest=manifest("one")), timeout=WAIT)
            fresh = s.stub.Create(computations.CreateRequest(manifest=manifest("")), timeout=WAIT)
            assert code_of(s.stub.Create, computations.CreateRequest())[0] == "INVALID_ARGUMENT"
            s.stub.List(computations.ListRequest(), timeout=WAIT)
            s.stub.Show(computations.ComputationRequest(id=made.id), timeout=WAIT)
            weak = computations.RunRequest(id="one", cvm_id="some", unverified=True, again=True)
            assert code_of(s.stub.Run, weak)[0] != "OK"
            s.stub.Stop(computations.ComputationRequest(id="one"), timeout=WAIT)
            s.stub.Remove(computations.RemoveRequest(id="one", force=True), timeout=WAIT)
            assert code_of(s.stub.ReleaseCvm, computations.CvmRequest(id="who"))[0] == "NOT_FOUND"
        done = [(s["method"].split("/")[1], s.get("id"), s["outcome"]) for s in entries(log) if s["event"] == "done"]
        assert done[0] == ("Create", "one", "OK") and done[1] == ("Create", fresh.id, "OK"), done
        assert done[2] == ("Create", None, "INVALID_ARGUMENT"), done
        assert [d[0] for d in done[3:]] == ["Run", "Stop", "Remove", "ReleaseCvm"], done
        assert done[5] == ("Remove", "one", "OK") and done[6] == ("ReleaseCvm", "who", "NOT_FOUND"), done
        assert len(entries(log)) == 2 * len(done)
        # what weakens is said before and after
        runs = [s for s in entries(log) if s["method"].endswith("/Run")]
        assert [(s["cvm"], s["unverified"], s["again"], s["id"]) for s in runs] == 2 * [("some", True, True, "one")], runs
        removals = [s for s in entries(log) if s["method"].endswith("/Remove")]
        assert [s["force"] for s in removals] == [True, True], removals
        assert all(not {"unverified", "again", "force"} & s.keys() for s in entries(log)
                   if s["method"].split("/")[1] in ("Create", "Stop", "ReleaseCvm")), entries(log)


def a_certificate_s_subject_and_spiffe_id_are_written():
    with Folder() as folder:
        log, key = folder("audit.log"), folder("key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", folder("cert.pem"), "-days", "2", "-subj", "/O=Clinic/CN=anna",
                        "-addext", "subjectAltName=DNS:localhost,URI:spiffe://clinic.example/anna"],
                       check=True, capture_output=True)
        with service_of(folder, AUDIT_LOG=log, ADMIN_PORT="0", ADMIN_SERVER_CERT=folder("cert.pem"),
                        ADMIN_SERVER_KEY=key, ADMIN_CLIENT_CA_CERTS=folder("cert.pem")) as s:
            port = s.process.wait_line(r"administrators: listening on \S+ port (\d+)")[1]
            with open(folder("cert.pem"), "rb") as cert, open(key, "rb") as secret:
                pem = cert.read()
                proof = grpc.ssl_channel_credentials(pem, secret.read(), pem)
            stub = computations_grpc.ComputationServiceStub(grpc.secure_channel(f"localhost:{port}", proof))
            stub.Create(computations.CreateRequest(manifest=manifest("tls")), timeout=WAIT)
        spki_der = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"], check=True,
                                  capture_output=True).stdout
        for entry in entries(log):
            assert entry["key"] == hashlib.sha3_256(spki_der).hexdigest(), entry
            assert entry["issuer"] == "CN=anna,O=Clinic" and "gid" not in entry, entry
            assert entry["subject"] == "CN=anna,O=Clinic" and entry["spiffe"] == "spiffe://clinic.example/anna", entry
            assert "uid" not in entry and entry["peer"].startswith("127.0.0.1:"), entry


def without_a_file_it_is_in_the_normal_log_at_every_level():
    with Folder() as folder:
        with service_of(folder, ready=None, LOG_LEVEL="error") as s:
            s.stub.Create(computations.CreateRequest(manifest=manifest("plain")), timeout=WAIT, wait_for_ready=True)
            line = s.process.wait_line(r'^audit: (\{.*"event":"done".*\})$')[1]
        assert json.loads(line)["id"] == "plain", line


def held_up(folder, stub, log, late, left):
    """Two changes that wait for the database; the deadline of one passes meanwhile, the other's caller leaves."""
    ask = lambda name: people.AddUserRequest(name=name)
    (path,) = [p for p in os.listdir(folder("service")) if p.endswith(".db")]
    lock = sqlite3.connect(os.path.join(folder("service"), path), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    code, _ = code_of(lambda request, timeout: stub.AddUser(request, timeout=0.5), ask(late))
    leaving = stub.AddUser.future(ask(left), timeout=WAIT)
    until(lambda: any(e.get("user") == left for e in entries(log)), "it is asked for")
    leaving.cancel()
    lock.execute("ROLLBACK")
    lock.close()
    return code


def the_end_of_a_change_is_told_and_not_the_caller_s_deadline():
    with Folder() as folder:
        log = folder("audit.log")
        with service_of(folder, AUDIT_LOG=log) as s:
            stub = people_grpc.PeopleServiceStub(s.channel)
            stub.AddUser(people.AddUserRequest(name="first"), timeout=WAIT)
            for n in range(20):  # a machine under load may be too late for what is to be seen: once more then
                late, left = f"late{n}", f"left{n}"
                code = held_up(folder, stub, log, late, left)
                until(lambda: {e["event"] for e in entries(log) if e.get("user") == left} == {"asked", "done"}, "its end")
                stub.AddUser(people.AddUserRequest(name=f"last{n}"), timeout=WAIT)
                there = {u.name for u in stub.ListUsers(people.ListUsersRequest(), timeout=WAIT).users}
                ends = {e["user"]: (e["outcome"], e.get("caller")) for e in entries(log) if e["event"] == "done"}
                # what it says is what happened, always
                assert {i for i, end in ends.items() if end[0] == "OK"} == there, (ends, there)
                assert not {"DEADLINE_EXCEEDED", "CANCELLED"} & {end[0] for end in ends.values()}, ends
                if code == "DEADLINE_EXCEEDED" and ends.get(late) == ends[left] == ("OK", "left"):
                    return
    raise AssertionError("no change came after its deadline")


def without_standard_error_nothing_is_changed():
    with Folder() as folder:
        reader, writer = os.pipe()
        config = folder.write("c.conf", f"COMPUTATIONS_ADMIN_SOCKET={folder('run/admin.sock')}\n"
                              f"COMPUTATIONS_GRPC_PORT=0\nCOMPUTATIONS_STATE_DIR={folder('service')}\n")
        with subprocess.Popen([program("cocos-computations"), "--config", config], stderr=writer) as daemon:
            os.close(writer)
            try:
                channel = grpc.insecure_channel("unix:" + folder("run/admin.sock"))
                stub = computations_grpc.ComputationServiceStub(channel)
                stub.Create(computations.CreateRequest(manifest=manifest("seen")), timeout=WAIT, wait_for_ready=True)
                os.close(reader)
                code, words = code_of(stub.Create, computations.CreateRequest(manifest=manifest("unseen")))
                assert code == "UNAVAILABLE" and "audit log" in words and "standard error" in words, (code, words)
                listed = stub.List(computations.ListRequest(), timeout=WAIT).computations
                assert [c.id for c in listed] == ["seen"], listed
            finally:
                daemon.terminate()


def refusals_are_written_and_a_flood_of_them_is_counted():
    with Folder() as folder:
        log = folder("audit.log")
        with service_of(folder, AUDIT_LOG=log) as s:
            channel = grpc.insecure_channel("unix:" + folder("run/admin.sock"))
            bad = channel.unary_unary("/computations.ComputationService/Remove")
            for _ in range(100):
                try:
                    bad(b"\xff", timeout=WAIT)
                    raise AssertionError("a message that is none was taken")
                except grpc.RpcError as error:
                    assert error.code() != grpc.StatusCode.DEADLINE_EXCEEDED, error
            s.stub.Create(computations.CreateRequest(manifest=manifest("one")), timeout=WAIT)
            # what changes something has its entries all the same
            assert [e["event"] for e in entries(log)][-2:] == ["asked", "done"], entries(log)
        seen = entries(log)
        refused = [e for e in seen if e["event"] == "refused"]
        left_out = sum(e["count"] for e in seen if e["event"] == "left_out")
        assert 20 <= len(refused) < 100 and len(refused) + left_out == 100, (len(refused), left_out)
        assert all(e["uid"] == os.geteuid() and e["method"].endswith("/Remove") for e in refused), refused[0]


def a_log_that_is_moved_is_begun_anew():
    with Folder() as folder:
        log = folder("audit.log")
        with service_of(folder, AUDIT_LOG=log) as s:
            s.stub.Create(computations.CreateRequest(manifest=manifest("one")), timeout=WAIT)
            os.rename(log, folder("audit.1"))
            s.process.process.send_signal(signal.SIGHUP)
            until(lambda: os.path.exists(log), "another file")
            s.process.wait_line("SIGHUP: COMPUTATIONS_AUDIT_LOG: opened again")
            s.stub.Create(computations.CreateRequest(manifest=manifest("two")), timeout=WAIT)
        assert [e.get("id") for e in entries(folder("audit.1"))] == ["one", "one"]
        assert [e.get("id") for e in entries(log)] == ["two", "two"]


def nothing_is_changed_while_the_log_cannot_be_written():
    with Folder() as folder:
        log = folder("logs/audit.log")
        os.mkdir(folder("logs"))
        with service_of(folder, AUDIT_LOG=log) as s:
            os.rename(folder("logs"), folder("away"))
            s.process.process.send_signal(signal.SIGHUP)
            s.process.wait_line("no call changes anything until it can be written")
            code, words = code_of(s.stub.Create, computations.CreateRequest(manifest=manifest("unseen")))
            assert code == "UNAVAILABLE" and "audit log" in words, (code, words)
            assert not s.stub.List(computations.ListRequest(), timeout=WAIT).computations  # reading goes on
            os.rename(folder("away"), folder("logs"))
            s.stub.Create(computations.CreateRequest(manifest=manifest("seen")), timeout=WAIT)
        assert [e.get("id") for e in entries(log)] == ["seen", "seen"]


def a_log_that_cannot_be_opened_stops_the_start():
    with Folder() as folder:
        done = subprocess.run([program("cocos-computations"), "--config", "/dev/null"], capture_output=True, text=True,
                              check=False, timeout=WAIT,
                              env={**os.environ, "COMPUTATIONS_AUDIT_LOG": folder("none/audit.log"),
                                   "COMPUTATIONS_GRPC_PORT": "0", "COMPUTATIONS_STATE_DIR": folder("service"),
                                   "COMPUTATIONS_ADMIN_SOCKET": folder("run/admin.sock")})
        assert done.returncode == 1 and "none/audit.log" in done.stderr, done


def the_operators_page_names_what_is_written():
    """Each call that changes something, and each member of a line, as the sources have them."""
    sources = [read(path).decode() for folder in ("common", "computations", "manager")
               for path in glob.glob(os.path.join(ROOT, folder, "**", "*.c"), recursive=True)]
    tables = "".join(text for text in sources if "call_audit_method " in text)
    calls = [word.title().replace("_", "") for word in re.findall(r"(?:CHANGES|PROVEN)\(PROTO_[A-Z]+_(\w+)", tables)]
    deeds = re.findall(r'DEED\("(\w+)"\)', "".join(sources))
    members = (re.findall(r'(?:TEXT|FLAG|NUMBER|INNER)\("(\w+)"', tables) +
               re.findall(r'rpc_call_note\([^;]*?, "(\w+)"', "".join(sources)))
    assert len(calls) > 60 and len(deeds) > 20 and len(members) > 60, (calls, deeds, members)
    text = read(os.path.join(ROOT, "docs", "operators.md")).decode()
    chapter = text[text.index("\n## Who changed what\n"):text.index("\n## One call in all logs\n")]
    missing = [word for word in calls + deeds if not re.search(rf"\b{word}\b", chapter)]
    missing += [word for word in members if not re.search(rf"^\|[^|]*`{word}`", chapter, re.M)]
    assert not missing, sorted(set(missing))


if __name__ == "__main__":
    tap.run([
        what_a_manager_is_asked_to_change_is_written,
        what_administrators_change_is_written,
        a_caller_s_trace_is_written,
        a_certificate_s_subject_and_spiffe_id_are_written,
        without_a_file_it_is_in_the_normal_log_at_every_level,
        the_end_of_a_change_is_told_and_not_the_caller_s_deadline,
        without_standard_error_nothing_is_changed,
        refusals_are_written_and_a_flood_of_them_is_counted,
        a_log_that_is_moved_is_begun_anew,
        nothing_is_changed_while_the_log_cannot_be_written,
        a_log_that_cannot_be_opened_stops_the_start,
        the_operators_page_names_what_is_written,
    ])
