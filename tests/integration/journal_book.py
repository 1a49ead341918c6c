#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The journal of docs/journal.md, written and verified from that page (and docs/evidence.md) alone: no code of ours is
behind it."""
import hashlib
import io

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

import evidence_book
from evidence_book import Wrong, decoded, encoded

NUMBER, FLAG, TEXT, BYTES, DIGEST = range(5)
TYPES = {
    "start": {"manifest": DIGEST, "statement": BYTES, "computation": TEXT},
    "evidence": {"token": BYTES},
    "no-evidence": {"reason": TEXT},
    "event": {"type": TEXT, "status": TEXT, "details?": TEXT},
    "log": {"text": TEXT, "level": TEXT},
    "output": {"text": TEXT, "stream": NUMBER},
    "algorithm": {"key": DIGEST, "size": NUMBER, "digest": DIGEST, "requirements?": DIGEST},
    "dataset": {"key": DIGEST, "name": TEXT, "size": NUMBER, "digest": DIGEST},
    "kept": {"key": DIGEST, "name": TEXT, "size": NUMBER, "digest": DIGEST, "consent": TEXT, "manifest": DIGEST},
    "forgotten": {"key": DIGEST, "name": TEXT, "digest": DIGEST},
    "limits": {"time": NUMBER, "memory": NUMBER, "results": NUMBER, "scratch": NUMBER, "processes": NUMBER,
               "processor": NUMBER},
    "exit": {"ok": FLAG, "cause": TEXT},
    "results": {"size": NUMBER, "digest": DIGEST},
    "delivery": {"key": DIGEST},
    "left-out": {"count": NUMBER},
    "end": {"reason": TEXT},
}
ENTRY_MAX, VALUE_MAX = 1052672, 1048576
ZEROS = bytes(32)
PROTECTED = {1: -7, 3: "application/cocos-journal-head+cbor"}


def digest_of(sequence, previous, entry):
    return hashlib.sha256(b"cocos-journal-entry-v1\0" + sequence.to_bytes(8, "big") + previous
                          + hashlib.sha256(entry).digest()).digest()


def to_be_signed(payload):
    return encoded(["Signature1", encoded(PROTECTED), b"cocos-journal-v1", payload])


def is_of(kind, value):
    if kind == NUMBER:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64
    if kind == FLAG:
        return isinstance(value, bool)
    if kind == TEXT:
        return isinstance(value, str) and len(value.encode()) <= VALUE_MAX
    return isinstance(value, bytes) and (len(value) == 32 if kind == DIGEST else len(value) <= VALUE_MAX)


def check_content(kind, content):
    fields = TYPES.get(kind) if isinstance(kind, str) else None
    if fields is None or not isinstance(content, dict):
        raise Wrong("no such type, or no map")
    names = {name.rstrip("?"): value for name, value in fields.items()}
    missing = [name for name in fields if not name.endswith("?") and name not in content]
    if missing or not set(content) <= set(names) or not all(is_of(names[key], content[key]) for key in content):
        raise Wrong(f"the fields of {kind}")


class Writer:
    """A journal under a key of its own."""

    def __init__(self, statement, key=None):
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.statement = statement(self.spki())
        self.sequence, self.previous, self.time, self.items = 0, ZEROS, 1700000000000, []
        run = cbor2.loads(self.statement)
        self.add("start", manifest=run[4], statement=self.statement, computation=run[1])

    def spki(self):
        return self.key.public_key().public_bytes(serialization.Encoding.DER,
                                                  serialization.PublicFormat.SubjectPublicKeyInfo)

    def add(self, type_, **content):
        self.raw([self.sequence + 1, self.previous, self.time + self.sequence, type_, content])

    def raw(self, entry):
        self.bytes(encoded(entry))

    def bytes(self, data):
        self.sequence += 1
        self.items.append(data)
        self.previous = digest_of(self.sequence, self.previous, data)

    def head(self, final=False, **changes):
        payload = encoded([changes.get("final", final), changes.get("count", self.sequence),
                           changes.get("digest", self.previous)])
        r, s = utils.decode_dss_signature(self.key.sign(to_be_signed(payload), ec.ECDSA(hashes.SHA256())))
        self.items.append(encoded(cbor2.CBORTag(18, [encoded(PROTECTED), changes.get("unprotected", {}), payload,
                                                     r.to_bytes(32, "big") + s.to_bytes(32, "big")])))
        return self.file()

    def file(self):
        return b"".join(encoded(item) for item in self.items)


def items(data):
    stream = io.BytesIO(data)
    while stream.tell() < len(data):
        start = stream.tell()
        try:
            item = cbor2.load(stream)
        except Exception as error:
            raise Wrong("cut off, or no sequence") from error
        if not isinstance(item, bytes) or data[start:stream.tell()] != encoded(item) or len(item) > ENTRY_MAX:
            raise Wrong("an item that is no byte string")
        yield item


def check_head(item, key, count, previous):
    """Whether it is final."""
    message = decoded(item)
    if not isinstance(message, cbor2.CBORTag) or message.tag != 18 or not isinstance(message.value, list) or \
            len(message.value) != 4:
        raise Wrong("no COSE_Sign1")
    protected, unprotected, payload, signature = message.value
    if protected != encoded(PROTECTED) or unprotected != {} or not isinstance(unprotected, dict) or \
            not isinstance(payload, bytes) or not isinstance(signature, bytes) or len(signature) != 64:
        raise Wrong("not the form of a signed head")
    try:
        key.verify(utils.encode_dss_signature(int.from_bytes(signature[:32], "big"),
                                              int.from_bytes(signature[32:], "big")),
                   to_be_signed(payload), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise Wrong("its signature") from error
    head = decoded(payload)
    if not isinstance(head, list) or head not in ([False, count, previous], [True, count, previous]) or \
            not isinstance(head[0], bool):
        raise Wrong("a head over other entries")
    return head[0]


def journal_key(entry):
    content = entry[4]
    try:
        run = evidence_book.statement(content["statement"])
        if run[1] != content["computation"] or run[4] != content["manifest"]:
            raise Wrong("a start of another computation")
        key = serialization.load_der_public_key(run[9])
    except Wrong:
        raise
    except Exception as error:
        raise Wrong("its run statement") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise Wrong("its key")
    return key


def verify(data):
    """Its entries, and whether it is closed; Wrong if it is no journal."""
    entries, previous, key, final = [], ZEROS, None, None
    for item in items(data):
        if final is not None:
            raise Wrong("more behind the head")
        if item[:1] == b"\xd2":
            if key is None:
                raise Wrong("a head without an entry")
            final = check_head(item, key, len(entries), previous)
            continue
        entry = decoded(item)
        if not isinstance(entry, list) or len(entry) != 5:
            raise Wrong("no entry")
        sequence, before, time, kind, content = entry
        if not is_of(NUMBER, sequence) or sequence != len(entries) + 1 or before != previous or \
                not is_of(NUMBER, time):
            raise Wrong("out of place")
        check_content(kind, content)
        if (kind == "start") != (sequence == 1) or (entries and entries[-1][3] == "end"):
            raise Wrong("a type out of place")
        if kind == "evidence" and any(e[3] == "evidence" for e in entries):
            raise Wrong("evidence twice")
        if sequence == 1:
            key = journal_key(entry)
        previous = digest_of(sequence, previous, item)
        entries.append(entry)
    if final is None or final != (entries[-1][3] == "end"):
        raise Wrong("no head, or not the one of its end")
    return entries, final


def evidence(entries):
    """What the evidence in a journal says, if it is over this run, and the statement; who made it is another matter."""
    run = entries[0][4]["statement"]
    tokens = [entry[4]["token"] for entry in entries if entry[3] == "evidence"]
    if not tokens:
        raise Wrong("no evidence in it")
    token = evidence_book.Token(tokens[0])
    return token.of_run(run, evidence_book.journal_nonce(run)), evidence_book.statement(run)
