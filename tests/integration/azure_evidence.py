# SPDX-License-Identifier: Apache-2.0
"""Genuine evidence of an Azure machine, judged as a whole: the paravisor's report names the TPM's key, where the
policy says that what it measures is that paravisor."""
import json
import os
import subprocess
import sys
import tempfile

import tap

VECTORS = os.environ.get("COCOS_VECTORS", "")
CLI = os.path.join(os.environ.get("COCOS_BUILD", "build"), "cocos-cli")
CASE = os.path.join(VECTORS, "tpm", "azure-snp-genoa")
CHAIN = ",".join(os.path.join(VECTORS, "snp", "chains", f"amd-genoa-{name}.pem") for name in ("ask", "ark"))
REPORT_AT, SHA256 = 32, 11
# Where a report has what a policy names (AMD 56860, table 23).
NAMED = {"measurements": (0x90, 48), "host_data": (0xC0, 32), "id_key_digests": (0xE0, 48),
         "author_key_digests": (0x110, 48), "family_ids": (0x10, 16), "image_ids": (0x20, 16)}


def read(name):
    with open(os.path.join(CASE, name), "rb") as file:
        return file.read()


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def field(number, content):
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def message():
    """attest.Attestation: one quote with its registers. Azure gives no public area."""
    registers = json.loads(read("pcrs.json"))["sha256"]
    pcrs = field(1, SHA256) + b"".join(
        field(2, field(1, int(index)) + field(2, bytes.fromhex(value))) for index, value in registers.items())
    return field(2, field(1, read("quote.bin")) + field(2, read("sig.bin")) + field(3, pcrs))


def policy(**run):
    report = read("hcl_report.bin")[REPORT_AT:]
    values = {key: report[at:at + size].hex() for key, (at, size) in NAMED.items()}
    snp = {key: [value] for key, value in values.items() if key == "measurements" or value.strip("0")}
    registers = json.loads(read("pcrs.json"))["sha256"]
    return {"cocos": 1, "snp": {**snp, "allow": ["smt"], "allow_unchecked_alias": True},
            "tpm": {"pcrs": {"sha256": {index: [registers[index]] for index in ("4", "7")}}},
            "run": {"agent": "stock", **run}}


def judge(rules, *more):
    with tempfile.TemporaryDirectory() as folder:
        evidence, named = os.path.join(folder, "evidence.pb"), os.path.join(folder, "policy.json")
        with open(evidence, "wb") as file:
            file.write(message())
        with open(named, "w", encoding="utf-8") as file:
            json.dump(rules, file)
        nonce = json.loads(read("expected.json"))["input"]["nonce"]
        words = ["--policy", named] if rules else ["--genuine-only"]
        done = subprocess.run(
            [CLI, "attestation", "validate", evidence, "--mode", "snp-vtpm", "--hcl_report",
             os.path.join(CASE, "hcl_report.bin"), "--vcek", os.path.join(CASE, "vcek.pem"), "--CA_bundles_paths", CHAIN,
             "--nonce", nonce, "--at", "2025-06-01T00:00:00Z", "--offline", "--json", *words, *more],
            capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    verdict = json.loads(done.stdout)
    return done.returncode, verdict, {part: verdict["claims"][part]["verified"] for part in ("snp", "tpm")}


def a_policy_for_the_paravisor_takes_the_machine():
    status, verdict, parts = judge(policy(azure_paravisor=True))
    assert (status, verdict["verdict"], parts) == (0, "verified", {"snp": True, "tpm": True}), verdict["reason"]


def a_policy_for_whatever_stock_guest_does_not():
    for run in ({}, {"azure_paravisor": False}):
        status, verdict, parts = judge(policy(**run))
        assert status == 3 and verdict["reason"].startswith("ak.binding: "), verdict["reason"]
        assert "run.azure_paravisor" in verdict["reason"] and not parts["tpm"], verdict["reason"]
        assert not any("word of Azure's paravisor" in note for note in verdict["notes"]), verdict["notes"]
    status, verdict, parts = judge(policy(), "--ak", os.path.join(CASE, "ak.pem"))
    assert (status, verdict["verdict"], parts) == (0, "verified", {"snp": True, "tpm": True}), verdict["reason"]


def hardware_alone_vouches_for_no_tpm():
    status, verdict, parts = judge(None)
    assert (status, verdict["verdict"], parts) == (0, "genuine", {"snp": True, "tpm": False}), verdict["reason"]


def main():
    if not os.path.isdir(CASE):
        print("1..0 # SKIP the shared vectors are not here (COCOS_VECTORS)")
        sys.exit(0)
    tap.run([a_policy_for_the_paravisor_takes_the_machine, a_policy_for_whatever_stock_guest_does_not,
             hardware_alone_vouches_for_no_tpm])


if __name__ == "__main__":
    main()
