# SPDX-License-Identifier: Apache-2.0
"""The verifier beside the public-key operations that it can't do without."""
import json
import os
import subprocess
import tempfile
import time

from harness import program

VECTORS = os.environ["COCOS_VECTORS"]
ROUNDS = 300


def verify_seconds(algorithm):
    """One verification by OpenSSL, as `openssl speed` measures it."""
    out = subprocess.run(["openssl", "speed", "-mr", "-seconds", "2", algorithm], capture_output=True, text=True,
                         check=True).stdout
    for line in out.splitlines():
        if line.startswith(("+F2", "+F3", "+F4")):
            return 1 / float(line.split(":")[-1])  # operations in a second
    raise AssertionError(f"no figure for {algorithm}")


def batch_seconds(options):
    """One verdict, from a batch of many in one process less one of none."""
    def run(count):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as lines:
            lines.write((json.dumps(options) + "\n") * count)
            lines.flush()
            begin = time.monotonic()
            subprocess.run([program("cocos-cli"), "attestation", "validate", "--batch", lines.name],
                           stdout=subprocess.DEVNULL, check=True)
            return time.monotonic() - begin
    few = run(1)
    return (run(ROUNDS + 1) - few) / ROUNDS


def snp():
    folder = os.path.join(VECTORS, "snp", "milan-v3-oak-release")
    with open(os.path.join(folder, "expected.json"), encoding="utf-8") as file:
        case = json.load(file)
    seconds = batch_seconds({
        "file": os.path.join(folder, "report.bin"), "mode": "snp", "genuine-only": True, "at": case["at"],
        "report_data": case["fields"]["report_data"], "vcek": os.path.join(folder, "vcek.der"),
        "CA_bundles_paths": os.path.join(folder, "ask.pem") + "," + os.path.join(folder, "ark.pem")})
    limit = verify_seconds("ecdsap384") + 3 * verify_seconds("rsa4096")
    return seconds, limit, "1 ECDSA P-384 + 3 RSA-4096"


def tdx():
    folder = os.path.join(VECTORS, "tdx", "v4-phala-uptodate")
    with open(os.path.join(folder, "expected.json"), encoding="utf-8") as file:
        case = json.load(file)
    seconds = batch_seconds({
        "file": os.path.join(folder, "quote.bin"), "mode": "tdx", "genuine-only": True, "at": case["at"],
        "report_data": case["fields"]["reportdata"], "collateral": os.path.join(folder, "collateral")})
    return seconds, 12 * verify_seconds("ecdsap256"), "12 ECDSA P-256"


def verdicts(size, only):
    if only and not any(word in "verification" for word in only):
        return
    for name, measure in (("SNP", snp), ("TDX", tdx)):
        seconds, limit, of = measure()
        yield {"row": f"{name} verification, endorsements at hand", "figure": seconds * 1e6, "unit": "us",
               "limit": limit * 1e6, "of": of, "ratio": seconds / limit, "aim": "<= 1.3"}
