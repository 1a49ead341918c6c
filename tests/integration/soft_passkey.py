# SPDX-License-Identifier: Apache-2.0
"""An authenticator in software and the browser in front of it (Web Authentication Level 3), to be told what to do wrong."""
import base64
import hashlib
import html
import json
import os
import re
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ES256, EDDSA, RS256 = -7, -8, -257
PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, NEW = 0x01, 0x04, 0x08, 0x10, 0x40


def head(major, value):
    """CBOR, RFC 8949, of less than 2**16."""
    return bytes([major << 5 | value]) if value < 24 else bytes([major << 5 | 24, value]) if value < 256 else \
        bytes([major << 5 | 25]) + struct.pack(">H", value)


def cbor(value):
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


def asked(answer):
    """What a page's form for passkeys asks for, and its fields; None without one."""
    found = re.search(r'<form class="stack" method="post" action="([^"]*)" (data-passkey="[^>]*)>(.*?)</form>',
                      answer.body.decode(), re.S)
    if not found:
        return None
    form = {name: html.unescape(value) for name, value in re.findall(r'data-([a-z]+)="([^"]*)"', found[2])}
    form["action"] = html.unescape(found[1])
    form["fields"] = dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)">', found[3]))
    return form


class Passkey:
    def __init__(self, algorithm=ES256, flags=PRESENT | VERIFIED, count=0):
        self.algorithm, self.flags, self.count = algorithm, flags, count
        self.id, self.handle = os.urandom(32), b""
        self.key = (ec.generate_private_key(ec.SECP256R1()) if algorithm == ES256 else
                    ed25519.Ed25519PrivateKey.generate() if algorithm == EDDSA else
                    rsa.generate_private_key(65537, 2048))

    def cose(self):
        public = self.key.public_key()
        if self.algorithm == ES256:
            n = public.public_numbers()
            return {1: 2, 3: -7, -1: 1, -2: n.x.to_bytes(32, "big"), -3: n.y.to_bytes(32, "big")}
        if self.algorithm == EDDSA:
            return {1: 1, 3: -8, -1: 6, -2: public.public_bytes(Encoding.Raw, PublicFormat.Raw)}
        return {1: 3, 3: -257, -1: public.public_numbers().n.to_bytes(256, "big"), -2: b"\1\0\1"}

    def sign(self, data):
        if self.algorithm == ES256:
            return self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        return self.key.sign(data) if self.algorithm == EDDSA else self.key.sign(data, padding.PKCS1v15(),
                                                                                 hashes.SHA256())

    def data(self, form, always=0, rest=b"", **wrong):
        return (hashlib.sha256(wrong.get("rp", form["rp"]).encode()).digest()
                + bytes([wrong.get("flags", self.flags) | always]) + struct.pack(">I", self.count) + rest)

    @staticmethod
    def client(form, kind, origin, /, **wrong):
        challenge = base64.urlsafe_b64encode(bytes.fromhex(wrong.get("challenge", form["challenge"])))
        return json.dumps({"type": wrong.get("kind", kind), "challenge": challenge.decode().rstrip("="),
                           "origin": wrong.get("origin", origin), "crossOrigin": wrong.get("cross", False)}).encode()

    def make(self, form, origin, /, **wrong):
        """The fields of the form that adds it."""
        self.handle = bytes.fromhex(form["user"])
        credential = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cbor(self.cose())
        data = self.data(form, NEW, credential + wrong.get("more", b""), **wrong)
        thing = {"fmt": wrong.get("format", "none"), "attStmt": wrong.get("statement", {}), "authData": data}
        return {**form["fields"], "client": self.client(form, "webauthn.create", origin, **wrong).hex(),
                "object": cbor(thing)[:wrong.get("cut")].hex(), **wrong.get("fields", {})}

    def use(self, form, origin, /, **wrong):
        """The fields of the form that it signs in with."""
        client = self.client(form, "webauthn.get", origin, **wrong)
        data = self.data(form, **wrong) + wrong.get("more", b"")
        signature = self.sign(data + hashlib.sha256(client).digest())
        data = data[:wrong.get("cut")]
        return {**form["fields"], "id": self.id.hex(), "client": client.hex(), "data": data.hex(),
                "signature": signature.hex(), "handle": self.handle.hex(), **wrong.get("fields", {})}


def body(fields):
    return "&".join(f"{name}={value}" for name, value in fields.items())
