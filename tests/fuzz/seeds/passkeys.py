# SPDX-License-Identifier: Apache-2.0
"""What browsers bring of passkeys (Web Authentication Level 3, 5.8.1, 6.1, 6.5): signatures are the target's."""
import base64
import hashlib
import json

from seeds.parts import cbor, u16, u32

USE, VERIFIED, COUNTS, ELIGIBLE = 1, 2, 4, 8
P256 = (bytes.fromhex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"),
        bytes.fromhex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"))  # the generator
KEYS = {
    "es256": {1: 2, 3: -7, -1: 1, -2: P256[0], -3: P256[1]},
    "eddsa": {1: 1, 3: -8, -1: 6, -2: bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")},
    "rs256": {1: 3, 3: -257, -1: b"\xc0" + bytes(254) + b"\x01", -2: b"\1\0\1"},
}


def client(kind="webauthn.get", challenge=bytes(32), origin="https://example.org", **more):
    text = base64.urlsafe_b64encode(challenge).decode().rstrip("=")
    return json.dumps({"type": kind, "challenge": text, "origin": origin, **more}).encode()


def data(flags=0x05, count=0, rp="example.org", rest=b""):
    return hashlib.sha256(rp.encode()).digest() + bytes([flags]) + u32(count) + rest


def credential(key=KEYS["es256"], id_=b"i" * 16, aaguid=bytes(16)):
    return aaguid + u16(len(id_)) + id_ + cbor(key)


def attestation(auth, form="none", statement=None, **more):
    return cbor({"fmt": form, "attStmt": {} if statement is None else statement, "authData": auth, **more})


def made(auth, how=VERIFIED, asked=None, **form):
    asked = asked or client("webauthn.create", crossOrigin=False)
    return bytes([how]) + u16(len(asked)) + asked + attestation(auth, **form)


def used(auth, how=0, asked=None):
    asked = asked or client()
    return bytes([USE | how]) + u16(len(asked)) + asked + auth


def webauthn():
    good = data(0x45, rest=credential())
    changed = {
        "y-short": {**KEYS["es256"], -3: P256[1][1:]}, "no-point": {**KEYS["es256"], -3: P256[0]},
        "curve": {**KEYS["eddsa"], -1: 7}, "exponent": {**KEYS["rs256"], -2: b"\3"},
        "even": {**KEYS["rs256"], -1: b"\xc0" + bytes(255)}, "small": {**KEYS["rs256"], -1: b"\xc0" * 255},
        "algorithm": {1: 2, 3: -36}, "no-algorithm": {1: 2}, "more": {**KEYS["es256"], 4: [2]},
        "type": {**KEYS["es256"], 1: 1},
    }
    return {
        **{f"new-{name}": made(data(0x45, rest=credential(key))) for name, key in KEYS.items()},
        **{f"key-{name}": made(data(0x45, rest=credential(key))) for name, key in changed.items()},
        "new-extensions": made(data(0xC5, rest=credential() + cbor({"credProtect": 2}))),
        "new-extensions-no-map": made(data(0xC5, rest=credential() + cbor([]))),
        "new-copied": made(data(0x5D, 9, rest=credential())),
        "new-no-key": made(data()),
        "new-more": made(good + b"\0"),
        "new-id-short": made(data(0x45, rest=credential(id_=b"i" * 15))),
        "new-id-long": made(data(0x45, rest=credential(id_=b"i" * 1023))),
        "new-id-longer": made(data(0x45, rest=credential(id_=b"i" * 1024))),
        "new-cut": made(data(0x45, rest=credential()[:17])),
        "new-packed": made(good, form="packed", statement={"alg": -7, "sig": bytes(70)}),
        "new-packed-long": made(good, form="packed", statement={"alg": -7, "sig": bytes(1025)}),
        "new-packed-other": made(good, form="packed", statement={"alg": -8, "sig": bytes(64)}),
        "new-fido": made(good, form="fido-u2f", statement={"sig": bytes(64), "x5c": []}),
        "new-none-more": made(good, statement={"alg": -7}),
        "new-no-statement": made(good, statement=[]),
        "new-member": made(good, ep=True),
        "new-no-cbor": bytes([VERIFIED]) + u16(len(client("webauthn.create"))) + client("webauthn.create") + b"\xff",
        "new-too-long": made(good + bytes(3072)),
        "new-used": made(good, asked=client()),
        "use": used(data()),
        "use-counts": used(data(count=8), COUNTS),
        "use-back": used(data(count=7), COUNTS),
        "use-copied": used(data(0x1D), ELIGIBLE),
        "use-eligible": used(data(0x0D)),
        "use-impossible": used(data(0x15)),
        "use-extensions": used(data(0x85, rest=cbor({}))),
        "use-new": used(good),
        "use-unseen": used(data(0x04)),
        "use-unverified": used(data(0x01), VERIFIED),
        "use-reserved": used(data(0x07)),
        "use-rp": used(data(rp="example.com")),
        "use-cut": used(data()[:36]),
        "use-more": used(data() + b"\0"),
        "use-too-long": used(data() + bytes(2048)),
        "use-challenge": used(data(), asked=client(challenge=b"\1" * 32)),
        "use-origin": used(data(), asked=client(origin="https://example.org:1")),
        "use-frame": used(data(), asked=client(crossOrigin=True)),
        "use-top": used(data(), asked=client(topOrigin="https://example.org")),
        "use-unknown-member": used(data(), asked=client(other_keys_can_be_added_here="x")),
        "use-no-json": used(data(), asked=b"{"),
        "use-client-long": used(data(), asked=client(x="x" * 2048)),
    }


NEW, USED, SECOND = 0, 1, 2
PARTS = [{"ticket": b"t" * 24, "client": b"{}", "object": b"\xa0"},
         {"ticket": b"t" * 24, "id": b"i" * 16, "client": b"{}", "data": b"d" * 37, "signature": b"s" * 64,
          "handle": b"h" * 32},
         {"ticket": b"t" * 24, "half": b"2" * 32, "id": b"i" * 16, "client": b"{}", "data": b"d" * 37,
          "signature": b"s" * 64, "handle": b""}]


def form(kind, end="", **parts):
    parts = {name: parts.get(name, value) for name, value in PARTS[kind].items()}
    text = "&".join(f"{name}={value if isinstance(value, str) else value.hex()}" for name, value in parts.items())
    return bytes([kind]) + (text + end).encode()


def web_passkey_form():
    good = form(USED)
    return {
        "new": form(NEW), "used": good, "second": form(SECOND),
        "longest": form(USED, id=b"i" * 1023, client=b"c" * 2048, data=b"d" * 2048, signature=b"s" * 1024),
        "object-longest": form(NEW, client=b"c" * 2048, object=b"o" * 3072),
        "object-longer": form(NEW, object=b"o" * 3073),
        "too-long": form(USED, "&" + "x" * 16384),
        "upper": form(USED, id="AB" * 16), "no-hex": form(USED, data="0g"), "odd": form(USED, data="000"),
        "empty": form(USED, id=b""), "handle-longer": form(USED, handle=b"h" * 33),
        "ticket-short": form(NEW, ticket=b"t" * 23), "more": form(USED, "&more=00"),
        "cut-name": good[:12], "another-name": bytes([USED]) + b"picket=" + good[8:],
        "no-equals": bytes([USED]) + b"ticket:" + good[8:], "nothing": bytes([NEW]), "another-kind": b"\x03",
    }


TARGETS = [web_passkey_form, webauthn]
