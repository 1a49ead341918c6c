# SPDX-License-Identifier: Apache-2.0
"""Genuine reports in the JSON form of sevsnp.Attestation, as Go's tools print it, judged like the bytes.
Skipped without the vectors."""
import base64
import json
import os
import subprocess
import sys

import tap
from harness import NO, Folder, cli, read

SNP = os.path.join(os.environ["COCOS_VECTORS"], "snp")
NUMBERS = {"version": (0, 4), "guestSvn": (4, 4), "policy": (8, 8), "vmpl": (0x30, 4), "signatureAlgo": (0x34, 4),
           "currentTcb": (0x38, 8), "platformInfo": (0x40, 8), "signerInfo": (0x48, 4), "reportedTcb": (0x180, 8),
           "committedTcb": (0x1e0, 8), "currentBuild": (0x1e8, 1), "currentMinor": (0x1e9, 1),
           "currentMajor": (0x1ea, 1), "committedBuild": (0x1ec, 1), "committedMinor": (0x1ed, 1),
           "committedMajor": (0x1ee, 1), "launchTcb": (0x1f0, 8), "launchMitVector": (0x1f8, 8),
           "currentMitVector": (0x200, 8)}
BYTES = {"familyId": (0x10, 16), "imageId": (0x20, 16), "reportData": (0x50, 64), "measurement": (0x90, 48),
         "hostData": (0xc0, 32), "idKeyDigest": (0xe0, 48), "authorKeyDigest": (0x110, 48), "reportId": (0x140, 32),
         "reportIdMa": (0x160, 32), "chipId": (0x1a0, 64), "signature": (0x2a0, 512)}


def report_json(r):
    """As protojson writes it: 64-bit numbers as text, zeros left out, bytes in base64."""
    made = {}
    for name, (at, size) in NUMBERS.items():
        value = int.from_bytes(r[at:at + size], "little")
        if value:
            made[name] = str(value) if size == 8 else value
    for name, (at, size) in BYTES.items():
        made[name] = base64.b64encode(r[at:at + size]).decode()
    family, model, stepping = r[0x188:0x18b]
    if family:
        made["cpuid1eaxFms"] = (family - 15) << 20 | (model >> 4) << 16 | 15 << 8 | (model & 15) << 4 | stepping
    return made


def der(path):
    return subprocess.run(["openssl", "x509", "-in", path, "-outform", "DER"], capture_output=True, check=True).stdout


class Case:
    def __init__(self, name):
        self.folder = os.path.join(SNP, name)
        with open(os.path.join(self.folder, "expected.json"), encoding="utf-8") as file:
            self.at = json.load(file)["at"]
        self.report = read(os.path.join(self.folder, "report.bin"))
        encode = lambda data: base64.b64encode(data).decode()
        self.evidence = {"report": report_json(self.report), "certificateChain": {
            "vcekCert": encode(read(os.path.join(self.folder, "vcek.der"))),
            "askCert": encode(der(os.path.join(self.folder, "ask.pem"))),
            "arkCert": encode(der(os.path.join(self.folder, "ark.pem")))}}

    def judge(self, folder, text, mode="snp"):
        folder.write("evidence.json", text)
        return cli("attestation", "validate", folder("evidence.json"), "--mode", mode, "--genuine-only",
                   "--report_data", self.report[0x50:0x90].hex(), "--at", self.at, "--offline", "--cache",
                   folder("cache"))


CASES = ["milan-v2-virtee", "milan-v3-oak-release", "genoa-v5-oak", "turin-v5-azure"]


def reports_in_json_are_genuine():
    for name in CASES:
        case = Case(name)
        with Folder() as folder:
            for text in (json.dumps(case.evidence), json.dumps(case.evidence, indent=2),
                         json.dumps(case.evidence | {"product": {"name": "SEV_PRODUCT_MILAN"}})):
                assert case.judge(folder, text).ok().startswith("genuine:"), name


def each_member_counts():
    case = Case("milan-v3-oak-release")
    for name, value in case.evidence["report"].items():
        report = dict(case.evidence["report"])
        if name in BYTES:
            raw = bytearray(base64.b64decode(value))
            raw[0] ^= 1
            report[name] = base64.b64encode(raw).decode()
        else:
            report[name] = str(int(value) + 1) if isinstance(value, str) else value + 1
        with Folder() as folder:
            for changed in (report, {k: v for k, v in report.items() if k != name}):
                run = case.judge(folder, json.dumps(case.evidence | {"report": changed}))
                assert run.status in NO and run.out.startswith("refused:"), (name, run.out)


def what_is_no_json_of_it_is_malformed():
    """As bytes that are no evidence are: a verdict, its reason in a note, and status 4."""
    case = Case("milan-v3-oak-release")
    good = json.dumps(case.evidence)
    with Folder() as folder:
        for text in ("{", "{}", good[:-1], good + "x", '{"report":1}', good.replace('"policy": "', '"policy": "-')):
            run = case.judge(folder, text)
            assert run.status == 4 and run.out.startswith("refused: ") and "note: evidence:" in run.err, run
        folder.write("evidence.json", '{"report":{}}')
        cli("attestation", "validate", folder("evidence.json"), "--mode", "vtpm", "--genuine-only", "--nonce",
            "00" * 32, "--offline").refused(4, "note: evidence:")
        for mode in ("tdx", "eat"):
            for text in (good, "{}"):
                run = case.judge(folder, text, mode)
                assert run.status == 4 and "read as bytes" in run.err, run.err
        for text in ("[]", "hello", ""):
            assert case.judge(folder, text).status == 4, text


def a_row_of_malformed_json_has_its_verdict():
    with Folder() as folder:
        folder.write("evidence.json", "{}")
        folder.write("rows", json.dumps({"file": folder("evidence.json"), "mode": "snp", "genuine-only": True,
                                          "report_data": "00" * 64}) + "\n")
        run = cli("attestation", "validate", "--batch", folder("rows"))
        row = json.loads(run.out)
        assert run.status == 4 and row["verdict"] == "refused" and row["checks"], run.out


if __name__ == "__main__":
    if not os.path.isdir(SNP):
        print("1..0 # SKIP no vectors")
        sys.exit(0)
    tap.run([reports_in_json_are_genuine, each_member_counts, what_is_no_json_of_it_is_malformed,
             a_row_of_malformed_json_has_its_verdict])
