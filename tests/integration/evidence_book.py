# SPDX-License-Identifier: Apache-2.0
"""What evidence is bound to, read and recomputed from docs/evidence.md alone: manifest, run statement, forms, token, and
where each kind of evidence has what it is over. Nothing here says whether evidence is genuine hardware's."""
import base64
import hashlib
import io
import json
import struct

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

STATEMENT_MAX, ENTRIES_MAX, WORDS_MAX, SALT = 65536, 64, 16, 16
VERSION, COMPUTATION, BOOT, CONFIG, MANIFEST, ENTRIES, FIXED, IDENTITY, EXTERNAL, JOURNAL, WORDS = range(11)
TYPES = {"snp": 0, "vtpm": 1, "snp-vtpm": 2, "tdx": 4}  # of form NONCE
KINDS = {"SNP": "snp", "vTPM": "vtpm", "SNP-vTPM": "snp-vtpm", "TDX": "tdx"}
CNF, NONCE = 8, 10
P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
HOSTS_OWN = ("AGENT_LOG_LEVEL", "AGENT_CVM_ID", "AGENT_GRPC_HOST", "AGENT_CVM_GRPC_URL", "AGENT_CVM_GRPC_TIMEOUT",
             "AGENT_CVM_GRPC_CLIENT_CERT", "AGENT_CVM_GRPC_CLIENT_KEY", "AGENT_CVM_GRPC_SERVER_CA_CERTS",
             "AGENT_CVM_CA_URL", "AGENT_CERTS_TOKEN", "AGENT_VMPL", "AGENT_OS_BUILD", "AGENT_OS_DISTRO", "AGENT_OS_TYPE",
             "AGENT_PIP_INDEX_URL")


class Wrong(Exception):
    """This is not what it has to be."""


def encoded(value):
    return cbor2.dumps(value, canonical=True)


def decoded(data):
    """One item, in the one encoding."""
    stream = io.BytesIO(data)
    try:
        value = cbor2.load(stream)
        if stream.read(1) or encoded(value) != data:
            raise Wrong("not deterministic, or more than one item")
    except Wrong:
        raise
    except Exception as error:
        raise Wrong(f"no CBOR: {error}") from error
    return value


def need(condition, what):
    if not condition:
        raise Wrong(what)


def verified(spki, signature, signed):
    """By ES256 of COSE, under a P-256 key."""
    need(isinstance(signature, bytes) and len(signature) == 64, "no signature of ES256")
    try:
        key = serialization.load_der_public_key(spki)
        need(isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1", "no P-256 key")
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        key.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError, TypeError) as error:
        raise Wrong("its signature, or its key") from error


# ---- the canonical manifest ----

SHAPES = {"manifest": ("id", "name", "description", "datasets", "algorithm", "result_consumers", "cocos"),
          "datasets": ("hash", "user_key", "filename", "source", "decompress", "kbs", "cache"),
          "algorithm": ("hash", "user_key", "source", "algo_type", "algo_args", "kbs"),
          "result_consumers": ("user_key",), "source": ("type", "url", "kbs_resource_path", "encrypted"),
          "kbs": ("url", "enabled"), "cocos": ("layout", "logs", "requirements_hash", "replace")}


def quoted(text):
    for piece in "<>&\u2028\u2029":
        text = text.replace(piece, f"\0{ord(piece):04x}")
    return json.dumps(text, ensure_ascii=False).replace("\\u0000", "\\u")


def canonical(value, name="manifest"):
    """Of a manifest as people write it; texts hold no zero."""
    if name in ("hash", "requirements_hash"):
        digest = list(bytes.fromhex(value)) if isinstance(value, str) else value
        return "[" + ",".join(map(str, digest)) + "]"
    if name == "user_key" and value.startswith("-"):
        value = "".join(value.strip().splitlines()[1:-1])
    if name == "user_key":
        return f'"{base64.b64encode(base64.b64decode(value)).decode()}"'
    if isinstance(value, list):
        return "[" + ",".join(canonical(item, name) for item in value) + "]"
    if isinstance(value, dict):
        pairs = [(key, value[key]) for key in SHAPES[name] if value.get(key) not in (None, "", False, [])]
        pairs = [(key, item) for key, item in pairs if key != "cocos" or canonical(item, key) != "{}"]
        return "{" + ",".join(f'"{key}":{canonical(item, key)}' for key, item in pairs) + "}"
    return "true" if value is True else quoted(value)


# ---- the run statement ----

def is_bytes(value, length=None):
    return isinstance(value, bytes) and (len(value) == length if length else len(value) > 0)


def is_text(value):
    return isinstance(value, str) and "\0" not in value


def is_entry(value):
    return is_text(value) or isinstance(value, list) and len(value) == 2 and is_bytes(value[0], SALT) and \
        is_bytes(value[1], 32)


def statement(data):
    """By the numbers of its keys."""
    need(0 < len(data) <= STATEMENT_MAX, "a statement's length")
    said = decoded(data)
    need(isinstance(said, dict) and list(said) == list(range(11)), "the keys of a statement")
    need(said[VERSION] == 1 and not isinstance(said[VERSION], bool), "its version")
    need(is_text(said[COMPUTATION]) and all(is_bytes(said[key], 32) for key in (BOOT, CONFIG, MANIFEST)), "its digests")
    entries, words = said[ENTRIES], said[WORDS]
    need(isinstance(entries, dict) and len(entries) <= ENTRIES_MAX, "its entries")
    need(all(is_text(key) and is_entry(value) for key, value in entries.items()), "an entry")
    need(all(isinstance(said[key], bool) for key in (FIXED, EXTERNAL)), "a flag")
    need(is_bytes(said[IDENTITY]) and (said[JOURNAL] is None or is_bytes(said[JOURNAL])), "its keys")
    need(isinstance(words, list) and len(words) <= WORDS_MAX and all(map(is_text, words)), "its words")
    return said


def accept(said, manifest=None, words=(), keys=HOSTS_OWN, external=False):
    """What a reader asks of a statement; who names no manifest has to look at it himself."""
    need(manifest in (None, said[MANIFEST]), "another manifest")
    need(set(said[ENTRIES]) <= set(keys), "the host set what it may not")
    need(set(said[WORDS]) <= set(words), "a weakening word")
    need(external or not said[EXTERNAL], "a key from outside")


# ---- the forms ----

def run_form(data):
    return b"cocos-run-v1\0" + data


def nonce_form(kind, tee, vtpm, spki):
    need(len(tee) <= 64 and len(vtpm) <= 32, "nonces that are too long")
    return b"cocos-nonce-v1\0" + bytes([TYPES[kind]]) + tee.ljust(64, b"\0") + vtpm.ljust(32, b"\0") + \
        hashlib.sha256(spki).digest()


def journal_nonce(data):
    """The TEE nonce of the token in a journal."""
    return hashlib.sha512(b"cocos-journal-evidence-v1\0" + data).digest()


def report_data(form):
    return hashlib.sha512(form).digest()


def tpm_nonce(form):
    return hashlib.sha256(form).digest()


def with_ak(data, ak_pub):
    return hashlib.sha3_512(data + ak_pub).digest()


# ---- where evidence has it ----

def fields(message):
    """[(number, value)] of a protobuf message."""
    out, at = [], 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            need(at < len(message) and shift < 64, "no protobuf")
            value |= (message[at] & 0x7f) << shift
            at, shift = at + 1, shift + 7
            if message[at - 1] < 0x80:
                return value
    while at < len(message):
        tag = varint()
        need(tag & 7 in (0, 2), "no message of this kind")
        value = varint()
        if tag & 7 == 2:
            need(value <= len(message) - at, "no protobuf")
            value, at = message[at:at + value], at + value
        out.append((tag >> 3, value))
    return out


def one(message, number):
    found = [value for key, value in fields(message) if key == number]
    need(len(found) == 1, f"field {number}, once")
    return found[0]


def attest(message):
    """extraData and clock of each quote of an attest.Attestation."""
    out = []
    for number, quote in fields(message):
        if number != 2:
            continue
        said = one(quote, 1)
        need(said[:6] == bytes.fromhex("ff5443478018") and len(said) > 8, "no TPMS_ATTEST of a quote")
        at = 8 + struct.unpack_from(">H", said, 6)[0]
        need(at + 2 <= len(said), "no TPMS_ATTEST")
        length, = struct.unpack_from(">H", said, at)
        at += 2
        need(at + length + 17 <= len(said), "no TPMS_ATTEST")
        out.append((said[at:at + length], said[at + length + 8:at + length + 16]))
    need(out, "no quote")
    return out


def snp(report):
    """Report data, measurement, HOST_DATA, and what tells one launch from others."""
    need(len(report) >= 1184, "no report")
    return {"data": report[80:144], "measurement": report[144:192], "host_data": report[192:224],
            "launch": (report[320:352], report[416:480])}


def snp_apart(message):
    report = one(message, 1)
    return {"data": one(report, 11), "measurement": one(report, 12), "host_data": one(report, 13),
            "launch": (one(report, 16), one(report, 19))}


def tdx(quote):
    version, = struct.unpack_from("<H", quote)
    need(version in (4, 5) and len(quote) > 700, "no quote")
    body = quote[{4: 48, 5: 54}[version]:]
    return {"data": body[520:584], "measurement": body[136:184], "mrconfigid": body[184:232],
            "launch": (body[184:232], body[232:280], body[280:328], body[328:520])}


def of(kind, evidence):
    """What evidence of that kind says, whoever made it."""
    if kind == "snp":
        return snp(evidence)
    if kind == "tdx":
        return tdx(evidence)
    quotes = attest(evidence)
    said = snp_apart(one(evidence, 8)) if kind == "snp-vtpm" else {"measurement": b"", "launch": ()}
    said["ak"] = one(evidence, 1)
    said["nonces"] = {nonce for nonce, _ in quotes}
    said["launch"] += (said["ak"], quotes[0][1])
    return said


def bound(kind, evidence, form):
    """The evidence, if it is over that form."""
    said = of(kind, evidence)
    wanted = with_ak(report_data(form), said["ak"]) if kind == "snp-vtpm" else report_data(form)
    need(kind == "vtpm" or said["data"] == wanted, "other report data")
    need(kind not in ("vtpm", "snp-vtpm") or said["nonces"] == {tpm_nonce(form)}, "another nonce of the TPM's")
    return said


def of_run(kind, evidence, data, fixed=False):
    """The evidence over a statement, if it is; `fixed`: the launch has to have fixed the boot configuration."""
    said, run = bound(kind, evidence, run_form(data)), statement(data)
    held = said.get("host_data", said.get("mrconfigid", b""))
    if fixed or any(held):
        need(run[FIXED] and said.get("host_data", run[BOOT]) == run[BOOT], "another boot configuration")
    return said


# ---- the token ----

class Token:
    """A token that its own key has signed."""

    def __init__(self, data):
        try:
            message = cbor2.loads(data)
            need(isinstance(message, cbor2.CBORTag) and message.tag == 18 and len(message.value) == 4, "no COSE_Sign1")
            protected, _, payload, signature = message.value
            self.claims = cbor2.loads(payload)
            need(cbor2.loads(protected) == {1: -7}, "not ES256")
            key = self.claims[CNF][1]
            need(set(key) == {1, -1, -2, -3} and (key[1], key[-1], len(key[-2]), len(key[-3])) == (2, 1, 32, 32), "cnf")
            self.kind = KINDS[self.claims["platform_type"]]
        except Wrong:
            raise
        except Exception as error:
            raise Wrong(f"no token: {error}") from error
        self.spki = P256 + key[-2] + key[-3]
        verified(self.spki, signature, encoded(["Signature1", protected, b"", payload]))

    def over(self, tee, vtpm=b""):
        """What its evidence says, if it is over form NONCE with these."""
        form = nonce_form(self.kind, tee, vtpm, self.spki)
        need(self.claims.get("x-cocos-nonce-use", "nonce") == "nonce", "of another form")
        need(self.claims.get(NONCE) == tpm_nonce(form), "another eat_nonce")
        return bound(self.kind, self.claims["raw_report"], form)

    def of_run(self, data, tee, vtpm=b""):
        """The same, where the token is of the run with that statement, and so is the evidence in it."""
        need(self.claims.get("x-cocos-run") == data, "of another run")
        need(statement(data)[IDENTITY] == self.spki, "another identity's")
        now = self.over(tee, vtpm)
        then = of_run(self.kind, self.claims["x-cocos-run-evidence"], data)
        need(now["launch"] == then["launch"] and now["measurement"] == then["measurement"], "of another launch")
        return now
