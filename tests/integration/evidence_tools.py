# SPDX-License-Identifier: Apache-2.0
"""The same evidence through independent tools, where they can judge it: tpm2_checkquote,
tpm2_eventlog, openssl verify, openssl crl. Skipped without the vectors or the tools."""
import glob
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import tap

VECTORS = os.environ.get("COCOS_VECTORS", "")
CLI = os.path.join(os.environ.get("COCOS_BUILD", "build"), "cocos-cli")

# What tpm2_checkquote doesn't look at, so that it may accept what we refuse; each is a check of ours.
NOT_ITS_BUSINESS = ("ak.attributes", "ak.parse", "ak.key", "quote.selection", "quote.parse", "quote.scheme",
                    "quote.signature_parse", "policy.")
# Of tpm2_checkquote 5.4: it says itself that it can't.
CAN_NOT = ("rsapss", "azure")


def run(*words):
    return subprocess.run(words, capture_output=True, check=False)


def cases(group):
    for path in sorted(glob.glob(os.path.join(VECTORS, group, "*", "expected.json"))):
        with open(path, encoding="utf-8") as file:
            yield os.path.dirname(path), json.load(file)


def ours(folder, case):
    nonce = case["input"].get("nonce", "")
    words = [CLI, "attestation", "check", "quote", f"{folder}/quote.bin", "--sig",
             f"{folder}/sig.bin", "--pcrs", f"{folder}/pcrs.json", "--ak", f"{folder}/ak.pub"]
    if nonce:
        words += ["--nonce", nonce]
    return run(*words)


ALGORITHMS = {"sha1": 4, "sha256": 11, "sha384": 12}


def pcr_file(pcrs):
    """As tpm2_quote -o writes it: TPML_PCR_SELECTION, then TPML_DIGESTs of eight values each, as
    they lie in memory."""
    selection, values = b"", []
    for bank, indices in pcrs.items():
        mask = sum(1 << int(i) for i in indices)
        selection += struct.pack("<HB4sx", ALGORITHMS[bank], 3, struct.pack("<I", mask))
        values += [bytes.fromhex(indices[i]) for i in sorted(indices, key=int)]
    file = struct.pack("<I", len(pcrs)) + selection.ljust(16 * 8, b"\0")
    groups = [values[i:i + 8] for i in range(0, len(values), 8)]
    file += struct.pack("<I", len(groups))
    for group in groups:
        digests = b"".join(struct.pack("<H64s", len(value), value) for value in group)
        file += struct.pack("<I", len(group)) + digests.ljust(8 * 66, b"\0")
    return file


def theirs(folder, case):
    """Quote, nonce, signature and PCR digest."""
    with open(f"{folder}/pcrs.json", encoding="utf-8") as file:
        pcrs = json.load(file)
    with tempfile.NamedTemporaryFile() as values:
        values.write(pcr_file(pcrs))
        values.flush()
        return run("tpm2_checkquote", "-u", f"{folder}/ak.pem", "-m", f"{folder}/quote.bin",
                   "-s", f"{folder}/sig.bin", "-g", case.get("fields", {}).get(
                       "signature_hash", "sha256"), "-q", case["input"].get("nonce", ""),
                   "-f", values.name)


def quotes_agree_with_tpm2_checkquote():
    both, we_alone = 0, []
    for folder, case in cases("tpm"):
        name = os.path.basename(folder)
        if not all(os.path.exists(f"{folder}/{part}") for part in ("ak.pub", "ak.pem", "sig.bin")):
            continue
        if any(word in name for word in CAN_NOT) or not case["input"].get("nonce"):
            continue
        mine, other = ours(folder, case), theirs(folder, case)
        if mine.returncode == 0:
            assert other.returncode == 0, f"{name}: only we accept: {other.stderr}"
            both += 1
        elif other.returncode == 0:
            assert any(word in mine.stdout.decode() for word in NOT_ITS_BUSINESS), (
                f"{name}: only we refuse: {mine.stdout}")
            we_alone.append(name)
        else:
            both += 1
    print(f"# {both} quotes judged alike; refused by us alone: {', '.join(we_alone)}")
    assert both >= 20


def registers(text):
    """The `pcrs:` at the end of tpm2_eventlog's output: bank -> index -> value."""
    found, bank = {}, None
    for line in text.split("\npcrs:\n")[-1].splitlines():
        if re.fullmatch(r"  (\w+):", line):
            bank = line.strip(" :")
            found[bank] = {}
            if bank not in ALGORITHMS:  # SM3: we step over it
                del found[bank]
                bank = None
        elif bank and (match := re.fullmatch(r"\s+(\d+)\s*: 0x([0-9a-f]+)", line)):
            found[bank][match[1]] = match[2]
    return found


def event_logs_agree_with_tpm2_eventlog():
    alike = 0
    for folder, case in cases("eventlog"):
        if case["verdict"] != "verified" or case.get("tpm2_eventlog") != "same replay":
            continue
        other = run("tpm2_eventlog", f"{folder}/eventlog.bin")
        assert other.returncode == 0, f"{folder}: {other.stderr}"
        words = [CLI, "attestation", "check", "log", f"{folder}/eventlog.bin", "--json"]
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(registers(other.stdout.decode()), file)
            file.flush()
            words += ["--pcrs", file.name]
            if case.get("input", {}).get("separators_optional"):
                words.append("--separators_optional")
            mine = run(*words)
        assert mine.returncode == 0, f"{folder}: {mine.stdout}{mine.stderr}"
        alike += 1
    print(f"# {alike} logs replay alike")
    assert alike >= 8


def intel_s_chains_and_crls_agree_with_openssl():
    alike = 0
    for folder, case in cases("tdx"):
        collateral = f"{folder}/collateral"
        if case["verdict"] != "accept" or not os.path.isdir(collateral):
            continue
        at = run("date", "-u", "-d", case["at"], "+%s").stdout.decode().strip()
        for chain in ("tcb_info", "qe_identity", "pck_crl"):
            path = f"{collateral}/{chain}_issuer_chain.pem"
            done = run("openssl", "verify", "-attime", at, "-CAfile", f"{collateral}/root_ca.pem",
                       path)
            assert done.returncode == 0, f"{path}: {done.stderr}"
        for crl, issuer in (("root_ca_crl", "root_ca.pem"),
                            ("pck_crl", "pck_crl_issuer_chain.pem")):
            done = run("openssl", "crl", "-inform", "DER", "-in", f"{collateral}/{crl}.der",
                       "-noout", "-CAfile", f"{collateral}/{issuer}")
            assert b"verify OK" in done.stderr, f"{collateral}/{crl}: {done.stderr}"
        alike += 1
    print(f"# {alike} sets of collateral")
    assert alike >= 5


def a_policy_judges_a_quote_s_registers():
    """Beside a quote that holds: all registers right, one wrong, one that was not quoted."""
    judged = 0
    for folder, case in cases("tpm"):
        if case["verdict"] != "verified" or not os.path.exists(f"{folder}/sig.bin"):
            continue
        if ours(folder, case).returncode != 0:
            continue
        with open(f"{folder}/pcrs.json", encoding="utf-8") as file:
            pcrs = json.load(file)
        bank = next((b for b in ("sha256", "sha384") if pcrs.get(b)), None)
        if not bank:
            continue
        index = next(iter(pcrs[bank]))
        wrong = "00" * (len(pcrs[bank][index]) // 2 - 1) + "7f"
        absent = next((str(i) for i in range(24) if str(i) not in pcrs[bank]), None)
        words = [CLI, "attestation", "check", "quote", f"{folder}/quote.bin", "--sig", f"{folder}/sig.bin", "--pcrs",
                 f"{folder}/pcrs.json", "--ak", f"{folder}/ak.pub", "--nonce", case["input"]["nonce"], "--policy"]
        wanted = [({i: [v] for i, v in pcrs[bank].items()}, 0), ({index: [wrong, pcrs[bank][index]]}, 0),
                  ({index: [wrong]}, 1)] + ([({absent: [wrong]}, 1)] if absent else [])
        with tempfile.NamedTemporaryFile("w", suffix=".json") as policy:
            for registers, status in wanted:
                policy.seek(0)
                policy.truncate()
                json.dump({"cocos": 1, "tpm": {"pcrs": {bank: registers}}}, policy)
                policy.flush()
                done = run(*words, policy.name)
                assert done.returncode == status, f"{folder} {registers}: {done.stdout}{done.stderr}"
                assert status == 0 or b"refused: policy.pcr" in done.stdout, done.stdout
            policy.seek(0)
            policy.truncate()
            json.dump({"cocos": 1, "run": {"agent": "stock"}}, policy)
            policy.flush()
            assert run(*words, policy.name).returncode == 2
        judged += 1
    print(f"# {judged} quotes")
    assert judged >= 2


def main():
    if not os.path.isdir(os.path.join(VECTORS, "tpm")):
        print("1..0 # SKIP no vectors: COCOS_VECTORS has none")
        sys.exit(0)
    missing = [tool for tool in ("tpm2_checkquote", "tpm2_eventlog", "openssl")
               if not shutil.which(tool)]
    if missing:
        print(f"1..0 # SKIP not installed: {', '.join(missing)}")
        sys.exit(0)
    tap.run([a_policy_judges_a_quote_s_registers, quotes_agree_with_tpm2_checkquote, event_logs_agree_with_tpm2_eventlog,
             intel_s_chains_and_crls_agree_with_openssl])


main()
