# SPDX-License-Identifier: Apache-2.0
"""Signatures of the shared vectors by other hands: openssl verify over AMD's chains and revocation
lists, python3-cryptography over SNP reports and TDX quotes, python3-cbor2 with it over COSE. What is
to be accepted (and is: scripts/vectors sees to that) holds for them too, and what they find wrong is
to be refused. Skipped without vectors or packages."""
import glob
import json
import os
import struct
import subprocess
import sys
import tempfile
from collections import Counter

import tap

try:
    import cbor2
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, padding
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
except ImportError as missing:
    print(f"1..0 # SKIP not installed: {missing.name}")
    sys.exit(0)

VECTORS = os.environ.get("COCOS_VECTORS", "")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def cases(*patterns):
    for pattern in patterns:
        for path in sorted(glob.glob(os.path.join(VECTORS, pattern, "expected.json"))):
            with open(path, encoding="utf-8") as file:
                yield os.path.dirname(path), json.load(file)


def certificate(data):
    if data.lstrip().startswith(b"-----"):
        return x509.load_pem_x509_certificate(data)
    return x509.load_der_x509_certificate(data)


def holds(key, signature, data, algorithm):
    try:
        key.verify(signature, data, algorithm)
        return True
    except InvalidSignature:
        return False


class Tally:
    """What one of our verdicts is beside theirs; None of theirs: they can't say."""

    def __init__(self):
        self.counts = Counter()

    def add(self, name, ours, theirs):
        if theirs is None or ours not in ("verified", "refused"):
            self.counts["not compared"] += 1
            return
        assert theirs or ours == "refused", f"{name}: only we are to accept it"
        self.counts["accepted by both" if ours == "verified" else
                    "refused by us alone" if theirs else "refused by both"] += 1

    def show(self, what):
        print(f"# {what}:", ", ".join(f"{count} {name}" for name, count in self.counts.items()))


# ---- SNP ----

def role(folder, case, name):
    path = case.get("files", {}).get(name)
    return os.path.join(folder, path) if path else None


def snp_cases():
    return cases("snp/[gmt]*-v*", "snp/own-root/*", "snp/negative/*")


def report_holds(folder, case):
    vek = role(folder, case, "vek")
    report = read(role(folder, case, "report"))
    if not vek or len(report) != 1184:
        return None
    try:
        key = certificate(read(vek)).public_key()
    except ValueError:
        return None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return None
    r = int.from_bytes(report[0x2a0:0x2a0 + 72], "little")
    s = int.from_bytes(report[0x2e8:0x2e8 + 72], "little")
    return holds(key, encode_dss_signature(r, s), report[:0x2a0], ec.ECDSA(hashes.SHA384()))


def snp_report_signatures_agree_with_python_cryptography():
    tally = Tally()
    for folder, case in snp_cases():
        tally.add(case.get("case", folder), case["verdict"], report_holds(folder, case))
    tally.show("SNP report signatures")
    assert tally.counts["accepted by both"] >= 20 and tally.counts["refused by both"] >= 5


def pem(path, folder, name):
    """openssl verify wants PEM; None where it is no certificate."""
    try:
        data = certificate(read(path)).public_bytes(serialization.Encoding.PEM)
    except ValueError:
        return None
    target = os.path.join(folder, name)
    with open(target, "wb") as file:
        file.write(data)
    return target


def chain_holds(folder, case, scratch):
    paths = [pem(role(folder, case, name), scratch, name) if role(folder, case, name) else None
             for name in ("vek", "ask", "ark")]
    if not all(paths):
        return None
    at = subprocess.run(["date", "-u", "-d", case["at"], "+%s"], capture_output=True,
                        check=True).stdout.decode().strip()
    words = ["openssl", "verify", "-attime", at, "-CAfile", paths[2], "-untrusted", paths[1]]
    crl = role(folder, case, "crl")
    if crl:
        known = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", crl, "-noout",
                                "-CAfile", paths[2]], capture_output=True, check=False)
        if b"verify OK" not in known.stderr:
            return False
    return subprocess.run(words + [paths[0]], capture_output=True, check=False).returncode == 0


def amd_s_chains_agree_with_openssl():
    """openssl trusts the ARK that it is given: which one is to be trusted is not its question, nor are
    extensions of AMD's, so that it accepts more."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as scratch:
        for folder, case in snp_cases():
            if case["verdict"] == "verified" or set(case.get("stages", [])) & {"chain", "time",
                                                                               "crl"}:
                tally.add(case.get("case", folder), case["verdict"],
                          chain_holds(folder, case, scratch))
    tally.show("AMD's chains")
    assert tally.counts["accepted by both"] >= 20


# ---- TDX ----

def raw_ecdsa(signature):
    return encode_dss_signature(int.from_bytes(signature[:32], "big"),
                                int.from_bytes(signature[32:], "big"))


def quote_holds(quote):
    """Signature of the quote by its own key, and of the QE report by the PCK; None where its sizes
    don't lead there."""
    try:
        at = 48 + 584
        if struct.unpack_from("<H", quote)[0] == 5:
            at = 54 + struct.unpack_from("<I", quote, 50)[0]
        signature, key = quote[at + 4:at + 68], quote[at + 68:at + 132]
        inner = at + 138
        report, qe_signature = quote[inner:inner + 384], quote[inner + 384:inner + 448]
        auth_len = struct.unpack_from("<H", quote, inner + 448)[0]
        chain_at = inner + 450 + auth_len
        chain_len = struct.unpack_from("<I", quote, chain_at + 2)[0]
        chain = quote[chain_at + 6:chain_at + 6 + chain_len]
        own = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key)
        pck = x509.load_pem_x509_certificate(chain).public_key()
    except (ValueError, struct.error):
        return None
    sha = ec.ECDSA(hashes.SHA256())
    try:
        return (holds(own, raw_ecdsa(signature), quote[:at], sha) and
                holds(pck, raw_ecdsa(qe_signature), report, sha))
    except (ValueError, TypeError):
        return None


def tdx_quote_signatures_agree_with_python_cryptography():
    words = {"accept": "verified", "refuse": "refused", "refused": "refused",
             "verified": "verified"}
    tally = Tally()
    for folder, case in cases("tdx/v*", "tdx/negative/*"):
        path = os.path.join(folder, "quote.bin")
        if os.path.exists(path):
            tally.add(os.path.basename(folder), words.get(case["verdict"], ""),
                      quote_holds(read(path)))
    tally.show("TDX quote and QE report signatures")
    assert tally.counts["accepted by both"] >= 5 and tally.counts["refused by both"] >= 5


# ---- COSE ----

CURVES = {-7: ("secp256r1", hashes.SHA256), -35: ("secp384r1", hashes.SHA384),
          -36: ("secp521r1", hashes.SHA512)}


def cose_holds(message, key, aad):
    try:
        tag = cbor2.loads(message)
        protected, _, payload, signature = tag.value
        headers = cbor2.loads(protected)
        algorithm = headers[1]
    except Exception:  # pylint: disable=broad-except
        return False  # no COSE_Sign1 with an algorithm that is protected
    data = cbor2.dumps(["Signature1", protected, aad, payload])
    if algorithm in CURVES and isinstance(key, ec.EllipticCurvePublicKey):
        curve, digest = CURVES[algorithm]
        if key.curve.name != curve or not signature:
            return False
        half = len(signature) // 2
        der = encode_dss_signature(int.from_bytes(signature[:half], "big"),
                                   int.from_bytes(signature[half:], "big"))
        return holds(key, der, data, ec.ECDSA(digest()))
    try:
        if algorithm == -8:
            key.verify(signature, data)
        else:
            key.verify(signature, data, padding.PSS(padding.MGF1(hashes.SHA256()), 32),
                       hashes.SHA256())
        return True
    except (InvalidSignature, TypeError, AttributeError, ValueError):
        return False


def cose_signatures_agree_with_cbor2_and_cryptography():
    tally = Tally()
    for folder, case in cases("cose-eat/*"):
        name = "msg.cbor" if os.path.exists(f"{folder}/msg.cbor") else "token.cbor"
        aad = read(f"{folder}/aad.bin") if os.path.exists(f"{folder}/aad.bin") else b""
        key = serialization.load_pem_public_key(read(f"{folder}/key.pem"))
        tally.add(os.path.basename(folder), case["verdict"],
                  cose_holds(read(f"{folder}/{name}"), key, aad))
    tally.show("COSE_Sign1")
    assert tally.counts["accepted by both"] >= 8


def main():
    if not os.path.isdir(os.path.join(VECTORS, "snp")):
        print("1..0 # SKIP no vectors: COCOS_VECTORS has none")
        sys.exit(0)
    tap.run([snp_report_signatures_agree_with_python_cryptography,
             amd_s_chains_agree_with_openssl,
             tdx_quote_signatures_agree_with_python_cryptography,
             cose_signatures_agree_with_cbor2_and_cryptography])


main()
