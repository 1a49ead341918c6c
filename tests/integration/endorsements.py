# SPDX-License-Identifier: Apache-2.0
"""Endorsements as `attestation validate` and `ca-bundle` get them, from a server of our own that speaks
the paths of AMD's and Intel's services, well or badly. Its content is genuine, or under a test root.
Skipped without the vectors."""
import concurrent.futures
import http.server
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import urllib.parse

import tap
from harness import NO, Folder, authority, cli, read, spki, until

VECTORS = os.environ["COCOS_VECTORS"]
SNP, TDX = os.path.join(VECTORS, "snp"), os.path.join(VECTORS, "tdx")


# ---- the server ----

class Service:
    """Answers by exact path and query. `faults` maps a path's beginning to a list of answers that come
    first, one each: a status, (status, headers, body), or a word of Handler.answer_badly."""

    def __init__(self, tls=None):
        self.documents, self.faults, self.asked = {}, {}, []
        self.lock = threading.Lock()
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                with service.lock:
                    service.asked.append(self.path)
                    fault = service.fault_of(self.path)
                if isinstance(fault, str):
                    self.answer_badly(fault)
                    return
                status, headers, body = fault or service.documents.get(self.path) or (404, {}, b"none")
                self.answer(status, headers, body)

            def answer(self, status, headers, body, length=None):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                self.wfile.write(body)

            def answer_badly(self, how):
                self.close_connection = True
                if how == "half":
                    self.answer(200, {}, b"half a", 1000)
                elif how == "endless":
                    self.send_response(200)
                    self.end_headers()
                    try:
                        while True:
                            self.wfile.write(bytes(1 << 16))
                    except OSError:
                        pass
                elif how == "headers":
                    self.send_response(200)
                    try:
                        for i in range(1 << 20):
                            self.wfile.write(b"X-%d: %s\r\n" % (i, bytes([65]) * 1000))
                    except OSError:
                        pass
                else:
                    assert how == "cut"
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls("server.pem"), tls("server-key.pem"))
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def fault_of(self, path):
        for start, answers in self.faults.items():
            if path.startswith(start) and answers:
                fault = answers[0] if answers[0] == "always" else answers.pop(0)
                if fault == "always":
                    fault = answers[1]
                return (fault, {}, b"no") if isinstance(fault, int) else fault
        return None

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def serve(self, path, body, **headers):
        self.documents[path] = (200, {name.replace("_", "-"): urllib.parse.quote(value)
                                      for name, value in headers.items()}, body)


# ---- AMD's side ----

class Report:
    """A case of the vectors, and where its documents are asked for (57230, chapter 4)."""

    def __init__(self, name, product):
        self.folder, self.product = os.path.join(SNP, name), product
        with open(os.path.join(self.folder, "expected.json"), encoding="utf-8") as file:
            self.case = json.load(file)
        self.bytes = read(os.path.join(self.folder, "report.bin"))
        files = self.case["files"]
        self.vek = read(os.path.join(self.folder, files["vek"]))
        self.pem = b"".join(read(os.path.join(self.folder, files[f])).rstrip() + b"\n" for f in ("ask", "ark"))
        tcb = self.bytes[0x180:0x188]
        if product == "Turin":
            chip, order = self.bytes[0x1a0:0x1a8], {"fmcSPL": 0, "blSPL": 1, "teeSPL": 2, "snpSPL": 3, "ucodeSPL": 7}
        else:
            chip, order = self.bytes[0x1a0:0x1e0], {"blSPL": 0, "teeSPL": 1, "snpSPL": 6, "ucodeSPL": 7}
        self.vcek_path = (f"/vcek/v1/{product}/{chip.hex()}?"
                          + "&".join(f"{name}={tcb[at]}" for name, at in order.items()))
        self.kind = "vlek" if self.bytes[0x48] >> 2 & 7 else "vcek"
        self.chain_path = f"/{self.kind}/v1/{product}/cert_chain"
        self.crl_path = f"/{self.kind}/v1/{product}/crl"

    def put(self, service):
        service.serve(self.chain_path, self.pem)
        if self.kind == "vcek":
            service.serve(self.vcek_path, self.vek)
        if "crl" in self.case["files"]:
            service.serve(self.crl_path, read(os.path.join(self.folder, self.case["files"]["crl"])))

    def validate(self, kds, cache, *more, at=None, judged_by=("--genuine-only",)):
        words = ["attestation", "validate", os.path.join(self.folder, "report.bin"), "--mode", "snp",
                 *judged_by, "--report_data", self.bytes[0x50:0x90].hex(), "--at", at or self.case["at"],
                 "--cache", cache, "--json", "--kds", kds, *more]
        if self.case["trusted_root"] != "amd":
            words += ["--trusted_root", os.path.join(self.folder, self.case["trusted_root"])]
        return cli(*words)


def quick():
    return Report("milan-v3-oak-release", "Milan")


def own(name="crl-empty"):
    return Report("own-root/" + name, "Milan")


# ---- Intel's side ----

class Quote:
    """A TDX case and its collateral, by the paths of PCS API v4."""

    NAMES = ("tcb_info.json", "tcb_info_issuer_chain.pem", "qe_identity.json", "qe_identity_issuer_chain.pem",
             "pck_crl.der", "pck_crl_issuer_chain.pem", "root_ca_crl.der")
    TCB, QE = "/tdx/certification/v4/tcb?fmspc=", "/tdx/certification/v4/qe/identity"
    PCK, ROOT = "/sgx/certification/v4/pckcrl?ca=platform&encoding=der", "/sgx/certification/v4/rootcacrl"

    def __init__(self, name):
        self.folder = os.path.join(TDX, name)
        with open(os.path.join(self.folder, "expected.json"), encoding="utf-8") as file:
            self.case = json.load(file)
        self.bytes = read(os.path.join(self.folder, "quote.bin"))
        self.own = name.startswith("negative")
        where = os.path.join(self.folder, self.case.get("collateral", "collateral"))
        self.files = {n: read(os.path.join(where, n)) for n in self.NAMES}
        for n, path in self.case.get("collateral_override", {}).items():
            self.files[n] = read(os.path.join(self.folder, path))
        self.root = os.path.join(where, "root_ca.pem")
        self.fmspc = json.loads(self.files["tcb_info.json"])["tcbInfo"]["fmspc"].lower()

    def put(self, service, hexadecimal=False):
        files = {n: (b.rstrip(b"\0").decode() if n.endswith(".pem") else b) for n, b in self.files.items()}
        lists = [files[n].hex().encode() + b"\n" if hexadecimal else files[n]
                 for n in ("pck_crl.der", "root_ca_crl.der")]
        service.serve(self.TCB + self.fmspc, files["tcb_info.json"],
                      TCB_Info_Issuer_Chain=files["tcb_info_issuer_chain.pem"])
        service.serve(self.QE, files["qe_identity.json"],
                      SGX_Enclave_Identity_Issuer_Chain=files["qe_identity_issuer_chain.pem"])
        service.serve(self.PCK, lists[0], SGX_PCK_CRL_Issuer_Chain=files["pck_crl_issuer_chain.pem"])
        service.serve(self.ROOT, lists[1])

    def report_data(self):
        offset = 0 if self.bytes[0] == 4 else 6
        return self.bytes[48 + offset + 520:48 + offset + 584].hex()

    def validate(self, pcs, cache, *more, at=None):
        words = ["attestation", "validate", os.path.join(self.folder, "quote.bin"), "--mode", "tdx",
                 "--genuine-only", "--report_data", self.report_data(), "--at", at or self.case["at"], "--cache", cache,
                 "--json", "--pcs", pcs, *more]
        return cli(*words, *(["--trusted_root", self.root] if self.own else []))


def own_quote(name="twin-v4-uptodate"):
    return Quote("negative/" + name)


# ---- answers ----

def genuine(run):
    verdict = run.json()
    assert verdict["verdict"].lower().endswith("genuine"), verdict["verdict"]
    return verdict


def refused(run, *words):
    """A verdict, not an error; the note about endorsements holds the words."""
    assert run.status in NO, f"exit {run.status}\n{run.out}{run.err}"
    verdict = json.loads(run.out)
    notes = " ".join(n for n in verdict["notes"] if n.startswith("endorsements: "))
    for word in words:
        assert word in notes, f"{word!r} is not in: {notes}"
    return verdict


def files_below(folder):
    return sorted(os.path.relpath(os.path.join(top, name), folder)
                  for top, _, names in os.walk(folder) for name in names if name != ".lock")


# ---- tests ----

def bare_reports_of_each_product_are_completed_then_judged_offline():
    for report in (quick(), Report("milan-v2-virtee", "Milan"), Report("genoa-v3-routex", "Genoa"),
                   Report("genoa-v5-oak", "Genoa"), Report("turin-v5-azure", "Turin")):
        with Folder() as folder:
            with Service() as service:
                report.put(service)
                genuine(report.validate(service.url, folder("cache")))
                assert service.asked == [report.chain_path, report.vcek_path], service.asked
                genuine(report.validate(service.url, folder("cache")))
                assert len(service.asked) == 2, "asked again for what is in the cache"
                refused(report.validate(service.url, folder("other"), "--offline"), "nothing is fetched offline")
                assert len(service.asked) == 2, "asked though offline"
            genuine(report.validate(service.url, folder("cache"), "--offline"))
            assert os.stat(folder("cache", "snp", report.product)).st_mode & 0o777 == 0o700
            for name in files_below(folder("cache")):
                assert os.stat(folder("cache", name)).st_mode & 0o777 == 0o600, name


def a_version_2_report_of_genoa_is_looked_for_in_milan_first():
    report = Report("milan-v2-virtee", "Milan")
    with Folder() as folder, Service() as service:
        report.put(service)
        genuine(report.validate(service.url, folder("a"), "--product", "Milan"))
        asked = len(service.asked)
        refused(report.validate(service.url, folder("b"), "--product", "Genoa"), "status 404")
        assert service.asked[asked:] == ["/vcek/v1/Genoa/cert_chain"], service.asked


def a_vlek_is_never_asked_for_but_what_is_above_it_is():
    report = Report("milan-v3-vlek-vmpl1", "Milan")
    with Folder() as folder, Service() as service:
        report.put(service)
        refused(report.validate(service.url, folder("cache")), "--vlek")
        assert service.asked == []
        genuine(report.validate(service.url, folder("cache"), "--vlek", os.path.join(report.folder, "vlek.der")))
        assert service.asked == ["/vlek/v1/Milan/cert_chain"], service.asked


def a_list_is_fetched_when_it_is_asked_for():
    report = own()
    with Folder() as folder, Service() as service:
        report.put(service)
        genuine(report.validate(service.url, folder("cache")))
        assert report.crl_path not in service.asked
        verdict = genuine(report.validate(service.url, folder("cache"), "--check_crl"))
        assert report.crl_path in service.asked
        assert any(c["name"] == "crl.revoked" and c["outcome"] == "passed" for c in verdict["checks"])
        assert any("snp/Milan-" in name for name in files_below(folder("cache"))), "the root's own folder"
    with Folder() as folder, Service() as service:  # under AMD's root nothing of the test root counts
        report.put(service)
        run = cli("attestation", "validate", os.path.join(report.folder, "report.bin"), "--mode", "snp",
                  "--genuine-only", "--report_data", report.bytes[0x50:0x90].hex(), "--at", report.case["at"],
                  "--cache", folder("cache"), "--json", "--kds", service.url)
        refused(run, "the root's key is not the trusted one")
        assert files_below(folder("cache")) == []


def a_list_that_the_host_brings_does_not_stand_for_the_services():
    revoked, empty = Report("negative/own-crl-ask-revoked", "Milan"), own()
    older = read(os.path.join(empty.folder, empty.case["files"]["crl"]))
    guid = bytes.fromhex("92f81bc358114d3d97ffd19f88dc67ea")
    table = guid + struct.pack("<II", 48, len(older)) + bytes(24) + older
    with Folder() as folder, Service() as service:
        revoked.put(service)
        with open(folder("evidence"), "wb") as file:
            file.write(revoked.bytes + table)
        run = cli("attestation", "validate", folder("evidence"), "--mode", "snp", "--genuine-only",
                  "--report_data", revoked.bytes[0x50:0x90].hex(), "--at", revoked.case["at"],
                  "--cache", folder("cache"), "--json", "--kds", service.url, "--check_crl",
                  "--trusted_root", os.path.join(revoked.folder, revoked.case["trusted_root"]))
        assert "revoked" in refused(run)["reason"], run.out
        assert revoked.crl_path in service.asked


def lists_that_revoke_or_cannot_be_used_refuse():
    for name, words in {"own-crl-ask-revoked": (), "own-crl-stale": ("not accepted",),
                        "own-crl-future": ("not accepted",), "own-crl-wrong-key": ("not accepted",),
                        "own-crl-other-issuer": ("not accepted",), "own-crl-truncated": ("not accepted",),
                        "own-crl-trailing": ("not accepted",),
                        "own-crl-critical-extension": ("not accepted",)}.items():
        report = Report("negative/" + name, "Milan")
        with Folder() as folder, Service() as service:
            report.put(service)
            refused(report.validate(service.url, folder("cache"), "--check_crl"), *words)
            assert (report.kind + "_crl.der" in str(files_below(folder("cache")))) == (not words), name


def quotes_are_completed_then_judged_offline():
    for quote in (Quote("v4-phala-uptodate"), Quote("v4-gcp-cos113"), Quote("v5-gotdx-uptodate"), own_quote(),
                  own_quote("twin-v5td15-uptodate")):
        for hexadecimal in (False, True):
            with Folder() as folder:
                with Service() as service:
                    quote.put(service, hexadecimal)
                    genuine(quote.validate(service.url, folder("cache")))
                    assert sorted(service.asked) == sorted(service.documents), service.asked
                    genuine(quote.validate(service.url, folder("cache")))
                    assert len(service.asked) == 4
                genuine(quote.validate(service.url, folder("cache"), "--offline"))
                group = os.path.dirname(files_below(folder("cache"))[0])
                assert sorted(os.listdir(folder("cache", group))) == sorted(Quote.NAMES + (".lock",))
                # A folder of the cache is a folder of collateral.
                genuine(quote.validate(service.url, folder("none"), "--offline", "--collateral",
                                       folder("cache", group)))


def a_quote_that_does_not_hold_tells_no_service_anything():
    quote = Quote("v4-phala-uptodate")
    with Folder() as folder, Service() as service:
        quote.put(service)
        run = cli("attestation", "validate", os.path.join(TDX, "v4-preproduction-root", "quote.bin"), "--mode",
                  "tdx", "--genuine-only", "--report_data", "00" * 64, "--cache", folder("cache"), "--json",
                  "--pcs", service.url)
        assert run.status in NO and service.asked == [], run.out


def evidence_that_no_endorsement_helps_is_no_reason_to_ask():
    report, quote = quick(), own_quote()
    spoiled = bytearray(quote.bytes)
    spoiled[100] ^= 1  # what the attestation key signed
    with Folder() as folder, Service() as service:
        report.put(service)
        quote.put(service)
        folder.write("spoiled", bytes(spoiled))
        for mode, file, data, check, more in (
                ("snp", os.path.join(report.folder, "report.bin"), "00" * 64, "policy.report_data",
                 ["--kds", service.url, "--at", report.case["at"]]),
                ("tdx", os.path.join(quote.folder, "quote.bin"), "ff" * 64, "policy.reportdata",
                 ["--pcs", service.url, "--at", quote.case["at"], "--trusted_root", quote.root]),
                ("tdx", folder("spoiled"), quote.report_data(), "signature.quote",
                 ["--pcs", service.url, "--at", quote.case["at"], "--trusted_root", quote.root])):
            run = cli("attestation", "validate", file, "--mode", mode, "--genuine-only", "--report_data", data,
                      "--cache", folder("cache"), "--json", *more)
            refused(run, "nothing is fetched for such evidence", check)
            assert service.asked == [], (mode, service.asked)
            long = folder("/".join(["x" * 200] * 4))  # the reason is said whatever the cache's name
            run = cli("attestation", "validate", file, "--mode", mode, "--genuine-only", "--report_data", data,
                      "--cache", long, "--json", *more)
            refused(run, "nothing is fetched for such evidence", check)
        genuine(report.validate(service.url, folder("cache")))
        genuine(quote.validate(service.url, folder("cache")))
        assert len(service.asked) == 6, service.asked


def documents_of_others_are_not_believed():
    quote = own_quote()
    genuine_one = Quote("v4-phala-uptodate")
    changes = {
        Quote.TCB: lambda s: s.serve(Quote.TCB + quote.fmspc, genuine_one.files["tcb_info.json"],
                                     TCB_Info_Issuer_Chain=genuine_one.files["tcb_info_issuer_chain.pem"].decode()),
        Quote.QE: lambda s: s.serve(Quote.QE, genuine_one.files["qe_identity.json"],
                                    SGX_Enclave_Identity_Issuer_Chain=genuine_one
                                    .files["qe_identity_issuer_chain.pem"].decode()),
        Quote.PCK: lambda s: s.serve(Quote.PCK, genuine_one.files["pck_crl.der"],
                                     SGX_PCK_CRL_Issuer_Chain=quote.files["pck_crl_issuer_chain.pem"].decode()),
        Quote.ROOT: lambda s: s.serve(Quote.ROOT, genuine_one.files["root_ca_crl.der"]),
    }
    for path, change in changes.items():
        with Folder() as folder, Service() as service:
            quote.put(service)
            change(service)
            refused(quote.validate(service.url, folder("cache")), "not accepted")
            fetched = {Quote.TCB: "tcb_info", Quote.QE: "qe_identity", Quote.PCK: "pck_crl", Quote.ROOT: "root_ca"}
            assert not any(fetched[path] in name for name in files_below(folder("cache"))), path


def expired_documents_are_not_believed():
    for name in ("tcb-expired", "qeid-expired", "crl-pck-expired", "crl-root-not-yet", "tcb-signing-expired"):
        quote = own_quote(name)
        with Folder() as folder, Service() as service:
            quote.put(service)
            refused(quote.validate(service.url, folder("cache"), "--skew", "0"), "not accepted")


def a_header_that_lacks_or_lies_refuses():
    quote = own_quote()
    body = quote.files["tcb_info.json"]
    path = Quote.TCB + quote.fmspc
    chain = quote.files["tcb_info_issuer_chain.pem"].decode()
    for headers, word in (({}, "without the header"), ({"TCB-Info-Issuer-Chain": "%4"}, "escape"),
                          ({"TCB-Info-Issuer-Chain": "%00"}, "zero byte"),
                          ({"TCB-Info-Issuer-Chain": urllib.parse.quote(chain[:200])}, "not accepted"),
                          ({"TCB-Info-Issuer-Chain": "A" * 66000}, "GET")):
        with Folder() as folder, Service() as service:
            quote.put(service)
            service.documents[path] = (200, headers, body)
            refused(quote.validate(service.url, folder("cache")), word)


def another_chips_and_other_tcbs_certificates_are_not_believed():
    report, other = Report("milan-v3-azure-a", "Milan"), quick()
    older = Report("milan-v3-azure-ms", "Milan")
    for body in (other.vek, older.vek, report.vek[:-1], report.vek + b"\0", b"\0" * 1000, b"", report.pem):
        with Folder() as folder, Service() as service:
            report.put(service)
            service.serve(report.vcek_path, body)
            refused(report.validate(service.url, folder("cache")), report.vcek_path.split("?")[0][:40])
            assert files_below(folder("cache")) == ["snp/Milan/ask_ark.pem"]


def chains_of_others_are_not_believed():
    report = quick()
    turin, mine = Report("turin-v5-azure", "Turin"), own()
    for pem in (turin.pem, mine.pem, report.pem[: len(report.pem) // 2], report.pem + report.pem, b"\n",
                b"".join(reversed(report.pem.partition(b"-----END CERTIFICATE-----\n")))):
        with Folder() as folder, Service() as service:
            report.put(service)
            service.serve(report.chain_path, pem)
            refused(report.validate(service.url, folder("cache")), "cert_chain")
            assert files_below(folder("cache")) == []


def a_busy_or_broken_service_is_asked_again():
    report = quick()
    for faults in ([500], [502, 503], [504], ["cut"], ["half"], [(429, {"Retry-After": "1"}, b"")], [429, "cut"]):
        with Folder() as folder, Service() as service:
            report.put(service)
            service.faults["/vcek"] = list(faults)
            genuine(report.validate(service.url, folder("cache")))
            assert len(service.asked) == 2 + len(faults), (faults, service.asked)


def what_does_not_get_better_is_refused():
    report = quick()
    for fault, attempts, word in ((500, 5, "status 500"), (404, 1, "status 404"), (403, 1, "status 403"),
                                  (204, 1, "status 204"), ("endless", 1, "larger"), ("headers", 1, "GET"),
                                  ((302, {"Location": "/elsewhere"}, b""), 1, "status 302"),
                                  ((429, {"Retry-After": "3600"}, b""), 1, "again in 3600 s")):
        with Folder() as folder, Service() as service:
            report.put(service)
            service.serve("/elsewhere", report.pem)
            service.faults["/vcek"] = ["always", fault]
            refused(report.validate(service.url, folder("cache")), word)
            assert len(service.asked) == attempts, (fault, service.asked)
            assert files_below(folder("cache")) == []


def nobody_there_is_refused():
    report = quick()
    with Folder() as folder, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # not listening
        refused(report.validate(f"http://127.0.0.1:{taken.getsockname()[1]}", folder("cache")), "connect")


def tls_is_verified():
    report = quick()
    with Folder() as folder:
        authority(folder)
        _, key = spki()
        folder.write("nobody.pem", key)
        with Service(folder) as service:
            report.put(service)
            refused(report.validate(service.url, folder("cache")), "certificate")
            refused(report.validate(service.url, folder("cache"), "--endorsements_ca", folder("nobody.pem")), "GET")
            assert service.asked == []
            genuine(report.validate(service.url, folder("cache"), "--endorsements_ca", folder("ca.pem")))
            name = service.url.replace("127.0.0.1", "127.0.0.2")
            refused(report.validate(name, folder("other"), "--endorsements_ca", folder("ca.pem")), "GET")


def addresses_that_make_no_sense_are_usage_errors():
    report = quick()
    with Folder() as folder:
        for url in ("http://example.org", "ftp://127.0.0.1", "127.0.0.1", "https://", "https://host/", "https:///x",
                    "https://u:p@host", "https://host?x", "http://127.0.0.1.example.org", "http://localhost.x"):
            assert report.validate(url, folder("cache")).status == 2, url
        run = report.validate("https://host", folder("cache"), "--pcs", "http://host")
        assert run.status == 2, run.out


def a_poisoned_cache_is_fetched_again_or_refused():
    report = quick()
    mine = Report("own-root/vcek-milan", "Milan")

    def link(path):
        os.symlink("/etc/passwd", path)

    def truth(path):
        return read(path)

    def write(body):
        def make(path):
            with open(path, "wb") as file:
                file.write(body)
        return make

    for name in ("ask_ark.pem", "vcek"):
        with Folder() as folder, Service() as service:
            report.put(service)
            genuine(report.validate(service.url, folder("cache")))
            path = folder("cache", next(f for f in files_below(folder("cache")) if name in f))
            good = truth(path)
            flipped = bytes([good[0]]) + bytes([good[1] ^ 1]) + good[2:]
            other = mine.pem if name.endswith("pem") else mine.vek
            for poison in (write(flipped), write(good[:-20]), write(b""), write(other), write(bytes(1 << 20)), link,
                           os.mkfifo, None):
                os.unlink(path)
                if poison:
                    poison(path)
                refused(report.validate(service.url, folder("cache"), "--offline"), "not in the cache")
                service.asked.clear()
                genuine(report.validate(service.url, folder("cache")))
                assert len(service.asked) == 1, service.asked
                assert truth(path) == good and not os.path.islink(path)


def half_a_pair_of_intels_is_fetched_again():
    quote, other = own_quote(), Quote("v4-phala-uptodate")
    with Folder() as folder, Service() as service:
        quote.put(service)
        genuine(quote.validate(service.url, folder("cache")))
        group = folder("cache", os.path.dirname(files_below(folder("cache"))[0]))
        for name in Quote.NAMES:
            path, good = os.path.join(group, name), read(os.path.join(group, name))
            for body in (other.files[name], good[:-30], None):
                os.unlink(path)
                if body is not None:
                    with open(path, "wb") as file:
                        file.write(body)
                refused(quote.validate(service.url, folder("cache"), "--offline"), "not in the cache")
                service.asked.clear()
                genuine(quote.validate(service.url, folder("cache")))
                assert len(service.asked) == 1, service.asked
                assert read(path) == good


def lists_are_asked_for_again_after_a_day():
    report = own()
    crl = "vcek_crl.der"
    with Folder() as folder:
        with Service() as service:
            report.put(service)
            genuine(report.validate(service.url, folder("cache"), "--check_crl"))
            path = folder("cache", next(f for f in files_below(folder("cache")) if crl in f))
            now = os.stat(path).st_mtime
            # A day is told by the moment that the evidence is judged at, not by a clock of ours.
            at = 1772366400  # 2026-03-01T12:00:00Z
            os.utime(path, (at - 80000, at - 80000))
            service.asked.clear()
            genuine(report.validate(service.url, folder("cache"), "--check_crl"))
            assert service.asked == [], service.asked
            os.utime(path, (at - 90000, at - 90000))
            genuine(report.validate(service.url, folder("cache"), "--check_crl"))
            assert service.asked == [report.crl_path], service.asked
            assert os.stat(path).st_mtime >= now
            # What is served now is no good: the one that is kept serves on.
            os.utime(path, (at - 90000, at - 90000))
            service.serve(report.crl_path, b"no list")
            run = report.validate(service.url, folder("cache"), "--check_crl")
            assert "is not accepted" in old_list(run), run.out
        os.utime(path, (at - 90000, at - 90000))
        run = report.validate(service.url, folder("cache"), "--check_crl")  # nobody there
        assert "fetched 25 hours ago" in old_list(run), run.out
        run = report.validate(service.url, folder("cache"), "--check_crl", "--offline")
        assert "nothing is fetched offline" in old_list(run), run.out
        os.utime(path, (at - 80000, at - 80000))
        run = report.validate(service.url, folder("cache"), "--check_crl", "--offline")
        assert "from the cache" not in " ".join(genuine(run)["notes"]), run.out


def old_list(run):
    """The note of a yes about the one document that is not fresh."""
    notes = [n for n in genuine(run)["notes"] if "is from the cache" in n]
    assert len(notes) == 1 and notes[0].startswith("the ARK's revocation list is"), notes
    return notes[0]


def a_file_of_the_future_is_asked_for_again():
    """Its clock was wrong when it was written: it would never grow old."""
    report = own()
    with Folder() as folder:
        with Service() as service:
            report.put(service)
            genuine(report.validate(service.url, folder("cache"), "--check_crl"))
            path = folder("cache", next(f for f in files_below(folder("cache")) if "vcek_crl.der" in f))
            service.asked.clear()
            genuine(report.validate(service.url, folder("cache"), "--check_crl"))
            assert service.asked == [], service.asked
            future = os.stat(path).st_mtime + 86400
            os.utime(path, (future, future))
            genuine(report.validate(service.url, folder("cache"), "--check_crl"))
            assert service.asked == [report.crl_path], service.asked
            assert os.stat(path).st_mtime < future - 80000
            os.utime(path, (future, future))
        run = report.validate(service.url, folder("cache"), "--check_crl")
        assert "nobody knows when" in old_list(run), run.out


def a_policy_says_how_old_a_list_may_be():
    """From thisUpdate, or from when the service handed it out; and such a policy wants one."""
    report = own()
    at = 1772366400  # 2026-03-01T12:00:00Z, the moment that is judged at
    crl = os.path.join(report.folder, report.case["files"]["crl"])
    made = ssl.cert_time_to_seconds(subprocess.run(
        ["openssl", "crl", "-in", crl, "-inform", "DER", "-noout", "-lastupdate"], check=True,
        capture_output=True, text=True).stdout.strip().split("=")[1])

    def judged(url, age, *more):
        policy = folder.write("policy.json", json.dumps({
            "cocos": 1, "crl": {"max_age": age}, "run": {"agent": "stock"},
            "snp": {"measurements": [report.bytes[0x90:0xc0].hex()], "host_data": [report.bytes[0xc0:0xe0].hex()],
                    "allow": ["smt"]}}))
        return report.validate(url, folder("cache"), *more, judged_by=("--policy", policy))

    def young_enough(run):
        assert run.json()["verdict"].endswith("verified"), run.out

    def too_old(run):
        assert run.status == 1 and "crl.age" in json.loads(run.out)["reason"], run.out

    with Folder() as folder:
        with Service() as service:
            report.put(service)
            young_enough(judged(service.url, 1))
            assert report.crl_path in service.asked
            path = folder("cache", next(f for f in files_below(folder("cache")) if "vcek_crl.der" in f))
            os.utime(path, (at - 80000, at - 80000))
            service.asked.clear()
            young_enough(judged(service.url, 80000))  # fresh, and young enough
            assert service.asked == [], service.asked
            young_enough(judged(service.url, 79999))
            assert service.asked == [report.crl_path], service.asked
        os.utime(path, (at - 80000, at - 80000))
        assert "fetched 22 hours ago" not in judged(service.url, 80000).out
        too_old(judged(service.url, 79999))
        os.unlink(path)
        chain = ["--CA_bundles_paths", folder.write("chain.pem", report.pem), "--vcek",
                 os.path.join(report.folder, report.case["files"]["vek"])]
        young_enough(judged(service.url, at - made, "--offline", "--crl", crl, *chain))
        too_old(judged(service.url, at - made - 1, "--offline", "--crl", crl, *chain))
        run = judged(service.url, at - made, "--offline", *chain)
        assert run.status in NO and "crl." in json.loads(run.out)["reason"], run.out


def an_older_document_never_replaces_a_newer():
    newer, older = own_quote(), own_quote("tcb-expired")
    at, seconds = "2026-06-10T00:00:00Z", 1781049600  # both hold then
    with Folder() as folder, Service() as service:
        older.put(service)
        genuine(older.validate(service.url, folder("cache"), at=at))
        path = folder("cache", next(f for f in files_below(folder("cache")) if "tcb_info.json" in f))
        for quote, kept in ((newer, newer), (older, newer)):
            quote.put(service)
            os.utime(path, (seconds - 90000, seconds - 90000))
            service.asked.clear()
            genuine(quote.validate(service.url, folder("cache"), at=at))
            assert any(p.startswith(Quote.TCB) for p in service.asked), service.asked
            assert read(path) == kept.files["tcb_info.json"]


def many_at_once_ask_once():
    quote, report = own_quote(), quick()
    with Folder() as folder, Service() as service:
        quote.put(service)
        report.put(service)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            runs = [pool.submit(what.validate, service.url, folder("cache")) for what in (quote, report) * 4]
            for run in runs:
                genuine(run.result())
        assert sorted(service.asked) == sorted(service.documents), service.asked


def a_batch_fetches_nothing():
    report = quick()
    with Folder() as folder, Service() as service:
        report.put(service)
        row = {"file": os.path.join(report.folder, "report.bin"), "mode": "snp", "genuine-only": True,
               "report_data": report.bytes[0x50:0x90].hex(), "at": report.case["at"], "kds": service.url,
               "cache": folder("cache")}
        folder.write("rows", json.dumps(row) + "\n")
        run = cli("attestation", "validate", "--batch", folder("rows"))
        assert run.status in NO and "chain.vek" in run.out and service.asked == [], run.out


def what_is_given_is_not_asked_for():
    report = quick()
    with Folder() as folder, Service() as service:
        report.put(service)
        ask, ark = (os.path.join(report.folder, report.case["files"][f]) for f in ("ask", "ark"))
        genuine(report.validate(service.url, folder("a"), "--CA_bundles_paths", f"{ask},{ark}"))
        assert service.asked == [report.vcek_path]
        service.asked.clear()
        genuine(report.validate(service.url, folder("b"), "--vcek", os.path.join(report.folder, "vcek.der")))
        assert service.asked == [report.chain_path]
        service.asked.clear()
        genuine(report.validate(service.url, folder("c"), "--vcek", os.path.join(report.folder, "vcek.der"),
                                "--CA_bundles_paths", f"{ask},{ark}"))
        assert service.asked == [] and not os.path.exists(folder("c"))
        folder.write("empty", b"")
        refused(report.validate(service.url, folder("d"), "--vcek", folder("empty")), "empty")


def a_policy_may_forbid_the_network():
    report = quick()
    with Folder() as folder, Service() as service:
        report.put(service)
        folder.write("policy.json", json.dumps({"policy": {}, "root_of_trust": {"disallow_network": True}}))
        run = report.validate(service.url, folder("cache"), judged_by=("--policy", folder("policy.json")))
        refused(run, "nothing is fetched offline")
        assert service.asked == []


def the_cache_is_where_the_environment_says():
    report = quick()
    with Folder() as folder, Service() as service:
        report.put(service)
        words = ["attestation", "validate", os.path.join(report.folder, "report.bin"), "--mode", "snp",
                 "--genuine-only", "--report_data", report.bytes[0x50:0x90].hex(), "--at", report.case["at"]]
        for environment, where in (({"HOME": folder("home")}, "home/.cache/cocos"),
                                   ({"HOME": folder("h"), "XDG_CACHE_HOME": folder("xdg")}, "xdg/cocos"),
                                   ({"HOME": folder("h"), "XDG_CACHE_HOME": "relative"}, "h/.cache/cocos"),
                                   ({"COCOS_CACHE": folder("named")}, "named")):
            cli(*words, COCOS_KDS_URL=service.url, **environment).ok()
            assert os.path.exists(folder(where, "snp", "Milan", "ask_ark.pem")), where
        # A proxy is for what is encrypted: plain addresses are this machine's.
        cli(*words, COCOS_KDS_URL=service.url, COCOS_CACHE=folder("direct"), http_proxy="http://127.0.0.1:1",
            all_proxy="http://127.0.0.1:1").ok()
        run = cli(*words, COCOS_KDS_URL=service.url)
        assert run.status in NO and "set HOME" in run.err, run.err
        folder.write("file", b"")
        run = cli(*words, "--cache", folder("file"), COCOS_KDS_URL=service.url)
        assert run.status == 0 and "not kept" in run.err and folder("file") in run.err, run.err


def a_bundle_is_fetched_for_work_without_a_network():
    report, clouds = own(), Report("own-root/vlek-milan", "Milan")
    root = os.path.join(report.folder, report.case["trusted_root"])
    with Folder() as folder:
        with Service() as service:
            report.put(service)
            clouds.put(service)
            service.serve(clouds.crl_path, read(os.path.join(report.folder, "crl.der")))
            words = ["ca-bundle", "milan", "--cache", folder("cache"), "--kds", service.url, "--trusted_root", root,
                     "--at", report.case["at"]]
            paths = cli(*words, "--json").json()
            assert [os.path.basename(p) for p in paths] == ["ask_ark.pem", "vcek_crl.der", "asvk_ark.pem",
                                                            "vlek_crl.der"], paths
            assert cli(*words).ok().split() == paths
        assert cli(*words, "--offline").ok().split() == paths
        cli(*words[:4], "--kds", service.url, "--offline").refused(1, "not in the cache")
        genuine(report.validate(service.url, folder("none"), "--offline", "--vcek",
                                os.path.join(report.folder, "vcek.der"), "--CA_bundles_paths", paths[0], "--crl",
                                paths[1], "--check_crl"))
        cli("ca-bundle", "Rome", "--cache", folder("cache")).refused(2, "Milan, Genoa or Turin")
        cli("ca-bundle").refused(2, "too few operands")


if __name__ == "__main__":
    if not os.path.isdir(SNP):
        print("1..0 # SKIP no vectors")
        sys.exit(0)
    tap.run([bare_reports_of_each_product_are_completed_then_judged_offline,
             a_version_2_report_of_genoa_is_looked_for_in_milan_first,
             a_vlek_is_never_asked_for_but_what_is_above_it_is,
             a_list_is_fetched_when_it_is_asked_for,
             a_list_that_the_host_brings_does_not_stand_for_the_services,
             lists_that_revoke_or_cannot_be_used_refuse,
             quotes_are_completed_then_judged_offline,
             a_quote_that_does_not_hold_tells_no_service_anything,
             evidence_that_no_endorsement_helps_is_no_reason_to_ask,
             documents_of_others_are_not_believed,
             expired_documents_are_not_believed,
             a_header_that_lacks_or_lies_refuses,
             another_chips_and_other_tcbs_certificates_are_not_believed,
             chains_of_others_are_not_believed,
             a_busy_or_broken_service_is_asked_again,
             what_does_not_get_better_is_refused,
             nobody_there_is_refused,
             tls_is_verified,
             addresses_that_make_no_sense_are_usage_errors,
             a_poisoned_cache_is_fetched_again_or_refused,
             half_a_pair_of_intels_is_fetched_again,
             lists_are_asked_for_again_after_a_day,
             a_file_of_the_future_is_asked_for_again,
             a_policy_says_how_old_a_list_may_be,
             an_older_document_never_replaces_a_newer,
             many_at_once_ask_once,
             a_batch_fetches_nothing,
             what_is_given_is_not_asked_for,
             a_policy_may_forbid_the_network,
             the_cache_is_where_the_environment_says,
             a_bundle_is_fetched_for_work_without_a_network])
