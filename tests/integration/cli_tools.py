# SPDX-License-Identifier: Apache-2.0
"""cocos-cli where all that it needs are files: launch measurements, layers of the attested channel."""
import hashlib
import json
import os
import re
import struct
import subprocess
import time
import uuid

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

import attested_peer
import tap
from harness import Folder, cli, program, read

HELP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden", "cli_help.txt")
FIRMWARE_LEN = 8192
QUOTE = os.path.join(os.environ.get("COCOS_VECTORS", ""), "tdx", "v4-gcp-cos113", "quote.bin")
REPORTDATA_AT = 48 + 520  # header of a version 4 quote, place in its TD report body


# ---- measurements ----

def entry(guid, data):
    return data + struct.pack("<H", len(data) + 18) + uuid.UUID(guid).bytes_le


def firmware(*sections, svsm=False):
    """An image with the table and the metadata of OVMF (or of an SVSM), and nothing to run."""
    metadata = b"ASEV" + struct.pack("<III", 16 + 12 * len(sections), 1, len(sections))
    metadata += b"".join(struct.pack("<III", *section) for section in sections)
    table = entry("00f771de-1a7e-4fcb-890e-68c77e2fb44e", struct.pack("<I", 0x80b004))
    if svsm:
        table += entry("a789a612-0597-4c4b-a49f-cbb1fe9d1ddd", struct.pack("<I", 0x1000))
    table += entry("dc886566-984a-4798-a75e-5585a7bf67cc", struct.pack("<I", FIRMWARE_LEN - 64))
    table += struct.pack("<H", len(table) + 18) + uuid.UUID("96b582de-1fb2-45f7-baea-a366c55a082d").bytes_le
    image = bytearray(FIRMWARE_LEN)
    image[64:64 + len(metadata)] = metadata
    image[-32 - len(table):-32] = table
    return bytes(image)


GOOD = [(0x800000, 0x1000, 1), (0x80d000, 0x1000, 2), (0x80e000, 0x1000, 3)]


def an_option_that_would_not_count_is_refused():
    with Folder() as folder:
        ovmf = folder.write("ovmf", firmware(*GOOD))
        svsm = folder.write("svsm", firmware(*GOOD, svsm=True))
        snp = ["--mode", "snp", "--ovmf", ovmf, "--vcpus", "2"]
        with_svsm = ["--mode", "snp:svsm", "--ovmf", ovmf, "--svsm", svsm, "--vcpus", "1", "--vcpu-type", "EPYC"]
        for words, said in (
                ([*snp, "--vcpu-family", "25"], "belong together"),
                ([*snp, "--vcpu-family", "25", "--vcpu-model", "1"], "belong together"),
                ([*snp, "--vcpu-type", "EPYC", "--vcpu-model", "1"], "belong together"),
                ([*snp, "--vcpu-type", "EPYC", "--vcpu-stepping", "1"], "belong together"),
                ([*snp, "--vcpu-type", "EPYC", "--append", "quiet"], "need --kernel"),
                ([*snp, "--vcpu-type", "EPYC-Milano"], "hint: known are EPYC, EPYC-v1, "),
                (with_svsm, "--vars-size is missing"),
                ([*with_svsm, "--vars-size", "4096", "--vmm-type", "ec2"], "by QEMU only"),
                ([*with_svsm, "--vars-size", "4096", "--vmm-type", "gce"], "by QEMU only"),
                (["--mode", "sev", "--ovmf", ovmf, "--dump-vmsa"], "has no VMSA"),
                (["--mode", "snp:ovmf-hash", "--ovmf", ovmf, "--dump-vmsa"], "has no VMSA")):
            done = cli("sevsnpmeasure", *words)
            assert done.status != 0 and said in done.err and not done.out, (words, done.err, done.out)
        plain = cli("sevsnpmeasure", *snp, "--vcpu-type", "EPYC-Milan").ok()
        assert cli("sevsnpmeasure", *snp, "--vcpu-type", "EPYC-Milan", "--append", "").ok() == plain
        assert cli("sevsnpmeasure", *snp, "--vcpu-family", "25", "--vcpu-model", "1",
                   "--vcpu-stepping", "1").ok() == plain
        cli("sevsnpmeasure", *with_svsm, "--vars-size", "0").ok()


def sections_matter_to_snp_alone():
    with Folder() as folder:
        image = firmware(*GOOD, (0x810000, 0x1000, 7))
        ovmf = folder.write("ovmf", image)
        assert cli("sevsnpmeasure", "--mode", "sev", "--ovmf", ovmf).ok().strip() == hashlib.sha256(image).hexdigest()
        cli("sevsnpmeasure", "--mode", "seves", "--ovmf", ovmf, "--vcpus", "1", "--vcpu-type", "EPYC").ok()
        done = cli("sevsnpmeasure", "--mode", "snp", "--ovmf", ovmf, "--vcpus", "1", "--vcpu-type", "EPYC")
        assert done.status == 1 and "section of type 7" in done.err, done.err


# ---- endorsements ----

def genuine(folder, mode, *words):
    report = folder.write("report", bytes(1184))
    return cli("attestation", "validate", report, "--mode", mode, "--genuine-only", "--offline",
               "--at", "2026-03-01T12:00:00Z", "--report_data", "00" * 64, *words)


def bundles_have_a_limit_whatever_they_hold():
    with Folder() as folder:
        junk = folder.write("junk", b"no certificate")
        for count, status in ((25, 4), (26, 2), (40, 2), (63, 2)):
            done = genuine(folder, "snp", "--CA_bundles_paths", ",".join([junk] * count))
            assert done.status == status, (count, done.status, done.err)
        assert "too many certificates" in done.err, done.err


def what_is_no_certificate_is_refused_wherever_it_stands():
    case = os.path.join(os.environ.get("COCOS_VECTORS", ""), "snp", "own-root", "vcek-milan")
    if not os.path.exists(case):
        print("# no vectors: no chain to add to")
        return
    chains = os.path.join(case, "..", "..", "chains")
    names = [os.path.join(chains, f"own-milan-{name}.pem") for name in ("ask", "ark")]
    with open(os.path.join(case, "report.bin"), "rb") as file:
        data = file.read()[0x50:0x90].hex()
    with Folder() as folder:
        junk = folder.write("junk", b"no certificate")
        for bundles, status in ((names, 0), ([*names, junk], 3), ([junk, *names], 3)):
            done = cli("attestation", "validate", os.path.join(case, "report.bin"), "--mode", "snp", "--genuine-only",
                       "--offline", "--at", "2026-03-01T12:00:00Z", "--report_data", data, "--vcek",
                       os.path.join(case, "vcek.der"), "--trusted_root", names[1], "--CA_bundles_paths",
                       ",".join(bundles))
            assert done.status == status, (bundles, done.out, done.err)
        assert "chain.intermediate" in done.out, done.out


def a_moment_that_is_named_is_meant_to_the_second():
    """Where the clock tells it, clocks may differ; --skew says it of any moment."""
    vectors = os.environ.get("COCOS_VECTORS", "")
    case, quote = os.path.join(vectors, "snp", "own-root", "vcek-milan"), os.path.join(vectors, "tdx", "v4-gcp-cos113")
    if not os.path.exists(case):
        print("# no vectors: no certificate with an end")
        return
    chain = [os.path.join(case, "..", "..", "chains", f"own-milan-{name}.pem") for name in ("ask", "ark")]
    with open(os.path.join(case, "report.bin"), "rb") as file:
        data = file.read()[0x50:0x90].hex()
    snp = [os.path.join(case, "report.bin"), "--mode", "snp", "--report_data", data, "--vcek",
           os.path.join(case, "vcek.der"), "--trusted_root", chain[1], "--CA_bundles_paths", ",".join(chain)]
    with open(QUOTE, "rb") as file:
        data = file.read()[REPORTDATA_AT:REPORTDATA_AT + 64].hex()
    tdx = [QUOTE, "--mode", "tdx", "--report_data", data, "--collateral", os.path.join(quote, "collateral")]
    for words, at, skew, status in (
            (snp, "2031-01-01T00:00:00Z", None, 0), (snp, "2031-01-01T00:00:01Z", None, 3),
            (snp, "2031-01-01T00:00:01Z", "1", 0), (snp, "2023-12-31T23:59:59Z", None, 3),
            (tdx, "2025-10-21T17:48:50Z", None, 0), (tdx, "2025-10-19T17:48:49Z", None, 3),
            (tdx, "2025-10-19T17:48:49Z", "1", 0)):
        done = cli("attestation", "validate", *words, "--genuine-only", "--offline", "--at", at,
                   *(["--skew", skew] if skew else []))
        assert done.status == status and (status == 0 or "time." in done.out), (at, skew, done.out, done.err)


def endorsements_of_another_kind_are_refused():
    with Folder() as folder:
        for mode, words, said in (("snp", ["--collateral", folder.path], "goes with --mode tdx"),
                                  ("vtpm", ["--collateral", folder.path], "goes with --mode tdx"),
                                  ("tdx", ["--vcek", folder.write("vcek", b"x")], "of SEV-SNP"),
                                  ("vtpm", ["--vlek", folder.write("vlek", b"x")], "of SEV-SNP")):
            done = genuine(folder, mode, *words)
            assert done.status == 2 and said in done.err, (mode, words, done.err)


# ---- the channel ----

class Recorded(attested_peer.Session):
    """A session whose exporter values are known beforehand."""

    def __init__(self):  # pylint: disable=super-init-not-called
        self.hash = "sha256"
        self.handshake_context, self.finished_key, self.value = b"h" * 32, b"f" * 32, b"e" * 32

    def exporter(self, context):
        return self.value


def token(identity, platform, raw, nonce, claims=None):
    now = int(time.time())
    protected = cbor2.dumps({1: -7})
    payload = cbor2.dumps({1: "agent", 4: now + 300, 6: now - 1, 10: nonce, "platform_type": platform,
                           "raw_report": raw, **(claims or {})})
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    r, s = decode_dss_signature(identity.key.sign(signed, ec.ECDSA(hashes.SHA256())))
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {4: b"agent"}, payload,
                                          r.to_bytes(32, "big") + s.to_bytes(32, "big")]))


def judge(folder, evidence, asked=b"", change=None):
    """What the command line makes of an authenticator over a recorded session. The request has the
    extensions `asked` too."""
    session, identity = Recorded(), attested_peer.Identity("leaf")
    request = attested_peer.message(attested_peer.CLIENT_CERTIFICATE_REQUEST, attested_peer.vector(1, b"c" * 32) + (
        attested_peer.vector(2, attested_peer.extension(attested_peer.SIGNATURE_ALGORITHMS,
                                                        attested_peer.vector(2, b"\x04\x03")) +
                             attested_peer.extension(attested_peer.ATTESTATION) + asked)))
    parts = attested_peer.Parts(session, request, identity, lambda parts: evidence(identity, parts))
    if change:
        change(parts)
    key = identity.key.public_key().public_bytes(serialization.Encoding.PEM,
                                                 serialization.PublicFormat.SubjectPublicKeyInfo)
    values = {"cipher_suite": "TLS_AES_128_GCM_SHA256", "handshake_context": session.handshake_context.hex(),
              "finished_key": session.finished_key.hex(), "attestation_exporter": session.value.hex()}
    return cli("attestation", "check", "authenticator", folder.write("authenticator", parts.bytes()),
               "--request", folder.write("request", request), "--key", folder.write("key.pem", key),
               "--session", folder.write("session.json", json.dumps(values).encode()))


def a_tdx_quote_on_the_channel_is_bound_by_its_reportdata():
    if not os.path.exists(QUOTE):
        print("# no vectors: no quote to bind")
        return
    with open(QUOTE, "rb") as file:
        quote = file.read()

    def bound(change=0):
        def make(identity, parts):
            data = bytes([parts.report_data[0] ^ change]) + parts.report_data[1:]
            raw = quote[:REPORTDATA_AT] + data + quote[REPORTDATA_AT + 64:]
            return token(identity, "TDX", raw, parts.tpm_nonce)
        return make

    with Folder() as folder:
        done = judge(folder, bound())
        assert done.status == 0 and "holds" in done.out, done.out + done.err
        done = judge(folder, bound(1))
        assert done.status == 1 and "binding.report_data" in done.out, done.out + done.err
        done = judge(folder, lambda identity, parts: token(identity, "TDX", quote[:600], parts.tpm_nonce))
        assert done.status == 1 and "binding.report_data" in done.out, done.out + done.err


def a_certificate_answers_what_was_asked_and_nothing_else():
    status, sct = attested_peer.extension(5, b""), attested_peer.extension(18, b"\0\0")
    schemes = attested_peer.extension(attested_peer.SIGNATURE_ALGORITHMS, attested_peer.vector(2, b"\x04\x03"))
    rows = [(b"", b"", ""), (status, b"", ""), (status, status, ""), (status + sct, sct + status, ""),
            (b"", status, "extension 0x0005 was not offered"), (sct, status, "extension 0x0005 was not offered"),
            (status, status + status, "extension 0x0005 twice"), (b"", schemes, "extension 0x000d was not offered")]
    with Folder() as folder:
        for asked, answered, said in rows:
            for before in (True, False):
                def change(parts, answered=answered, before=before):
                    mine = parts.extension()
                    parts.leaf_extensions = answered + mine if before else mine + answered
                done = judge(folder, lambda identity, parts: b"no token", asked, change)
                # The layer above comes next, and finds no token.
                wanted = "binding.authenticator" if said else "token.form"
                assert done.status == (3 if said else 4) and f"refused: {wanted}" in done.out and said in done.out, (said, done.out)


def frames_are_of_no_bytes_to_the_largest():
    with Folder() as folder:
        for size, status in ((0, 0), (attested_peer.FRAME_MAX, 0), (attested_peer.FRAME_MAX + 1, 4)):
            frame = folder.write("frame", attested_peer.frame(attested_peer.AUTHENTICATOR, bytes(size)))
            done = cli("attestation", "check", "frame", frame)
            assert done.status == status, done.out + done.err
        assert "parse.frame" in done.out, done.out


def every_claim_of_a_token_is_shown():
    claims = {1: "line\nbreak\0", 2: "söme", 5: 7, 256: b"u" * 33, 258: 2 ** 64 - 1, 259: b"", 260: ["1.2", 3], 262: -5,
              263: True, 265: None, 266: {"a": [1, {"b": b"c"}]}, 270: 'q"\x1b[2J', 271: "\u009b", 999: "not ours",
              "x-cocos-run-evidence": b"evidence", "iss": "another key"}
    with Folder() as folder:
        path = folder.write("token", token(attested_peer.Identity("leaf"), "NoCC", b"raw", b"n" * 32, claims))
        shown = json.loads(cli("attestation", "show", path, "--mode", "eat", "--json").ok())
        for name, value in {
                "iss": "'line\\x0abreak\\x00'", "sub": "söme", "nbf": 7, "ueid": "75" * 33, "oemid": "1bffffffffffffffff",
                "hwmodel": "", "hwversion": cbor2.dumps(claims[260]).hex(), "intuse": -5, "dbgstat": True,
                "submods": cbor2.dumps(claims[266]).hex(), "swname": "'q\"\\x1b[2J'", "raw_report": b"raw".hex(),
                "platform_type": "NoCC", "eat_nonce": "6e" * 32, "x-cocos-run-evidence_bytes": 8}.items():
            assert shown[name] == value, (name, shown[name])
        assert "measurements" not in shown and not set(shown["swversion"]) & {"\u009b"}, shown
        row = folder.write("rows", json.dumps({"file": path, "mode": "eat"}))
        assert json.loads(cli("attestation", "show", "--batch", row).ok()) == {"verdict": "shown", **shown}, "no verdict"
        lines = cli("attestation", "show", path).ok()
        assert "sub: söme" in lines.splitlines() and "\x1b" not in lines and "\x9b" not in lines, lines


def claims_that_nothing_confirms_are_named():
    claims = {266: {"gpu": {}}, "x-cocos-gpu": {"model": "H100"}, 265: None}
    with Folder() as folder:
        for platform, more in (("SNP", ""), ("vTPM", "dbgstat, ")):
            path = folder.write("token", token(attested_peer.Identity("leaf"), platform, b"raw", b"n" * 32,
                                               {263: 2, **claims}))
            ran = cli("attestation", "validate", path, "--mode", "eat", "--genuine-only", "--nonce", "6e" * 32,
                      "--report_data", "00" * 64, "--json", "--offline")
            assert ran.status == 3, ran.out + ran.err
            wanted = f"the signer's word alone, compared with nothing: iss, {more}submods, 'x-cocos-gpu'"
            assert wanted in json.loads(ran.out)["notes"], ran.out



# ---- files that are there ----

# Neither is replaced by any means, or it is read: each has its own test.
OWN_RULE = {("algo", "--lock"), ("result", "--filename"), ("workflow result", "--filename"), ("certificate issue", "--ca"),
            ("certificate renew", "--ca")}


def writers():
    """(command, option) for each option that names a file to be written, by its help (cli_offline.py compares it)."""
    for section in read(HELP).decode().split("\n=== ")[1:]:
        for row in re.findall(r"^  (?:-\w, )?(--[\w-]+) FILE(\s.*(?:\n   .*)*)", section, re.M):
            if re.search(r"\b(writes?|written|save)\b", row[1]):
                yield section.split("\n")[0], row[0]


def what_writes_replaces_nothing_unless_told_to():
    """Each of them before anything is asked or made: there is nobody to ask here."""
    found = set(writers())
    assert found >= OWN_RULE and len(found - OWN_RULE) >= 20, found
    with Folder() as folder:
        there, pipe = folder.write("there", "kept"), folder("pipe")
        os.mkfifo(pipe)
        os.symlink("nowhere", folder("link"))
        for name, option in sorted(found - OWN_RULE) + [("audit export", ""), ("ima-measurements", "")]:
            def run(path, *more, name=name, option=option):
                for operands in range(3):
                    words = [f"{option}={path}"] if option else [path]
                    ran = cli(*name.split(), *words, *more, *["x"] * operands, cwd=folder.path)
                    if "operand" not in ran.err:
                        return ran
                raise AssertionError(name)
            run(there).refused(1, f"'{there}' is there already\n", "hint: --force replaces it\n")
            run(folder("link")).refused(1, "is there already")
            for more in ((), ("--force",)):
                said = run(pipe, *more)
                assert "is there, and no file" in said.err, (name, option, said.err)
            assert "is there already" not in run(there, "--force").err, name
        assert read(there) == b"kept" and sorted(os.listdir(folder.path)) == ["link", "pipe", "there"]


def what_is_replaced_is_so_whole():
    library = program(os.path.join("tests", "integration", "libkilled_at_link.so"))
    with Folder() as folder:
        cli("keys", "-k", "ecdsa", cwd=folder.path).ok()
        subprocess.run(["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", folder("id.pem")], check=True)
        make = ("idblock", "create", "--measurement", "5a" * 48, "--id-key", folder("id.pem"))
        one, two = folder.write("one", "old"), folder("two")
        # Both or none: the second is judged before the first is written.
        cli(*make, "--id-block", two, "--id-auth", one).refused(1, f"'{one}' is there already")
        cli(*make, "--id-block", two, "--id-auth", two).refused(2, "--id-block and --id-auth are both")
        assert read(one) == b"old" and not os.path.exists(two)
        cli(*make, "--id-block", one, "--id-auth", two, "--force").ok()
        assert (len(read(one)), len(read(two))) == (96, 4096)
        policy = ("policy", "create", "tdx", "--mrtd", "5a" * 48)
        cli(*policy, "-o", folder("policy")).ok()
        cli(*policy, "-o", "-").ok()
        # Where a file system has no links, a name is given in another way.
        linkless = {"LD_PRELOAD": library, "COCOS_NO_LINKS": "1"}
        assert os.path.exists(library), library
        cli(*policy, "-o", folder("other"), **linkless).ok()
        cli(*policy, "-o", folder("other"), **linkless).refused(1, "is there already")
        assert read(folder("other")) == read(folder("policy"))
        assert sorted(os.listdir(folder.path)) == sorted(["private.pem", "public.pem", "id.pem", "one", "two", "policy", "other"])


tap.run([an_option_that_would_not_count_is_refused, sections_matter_to_snp_alone,
         bundles_have_a_limit_whatever_they_hold, what_is_no_certificate_is_refused_wherever_it_stands,
         a_moment_that_is_named_is_meant_to_the_second, endorsements_of_another_kind_are_refused,
         a_tdx_quote_on_the_channel_is_bound_by_its_reportdata,
         a_certificate_answers_what_was_asked_and_nothing_else, frames_are_of_no_bytes_to_the_largest,
         every_claim_of_a_token_is_shown, claims_that_nothing_confirms_are_named,
         what_writes_replaces_nothing_unless_told_to, what_is_replaced_is_so_whole])
