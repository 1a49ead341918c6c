# SPDX-License-Identifier: Apache-2.0
"""What an agent says of itself, by an agent that is not ours: run statement, the bytes that evidence
is made over, and the token, from the description of the wire alone. The exported authenticator around
it is attested_peer's."""
import hashlib
import time

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils


def digest(name, data):
    return hashlib.new(name, data).digest()


# ---- binding ----

class Binding:
    """What evidence is made over; the parts of an authenticator have the same two names."""

    def __init__(self, hashed):
        self.report_data, self.tpm_nonce = digest("sha512", hashed), digest("sha256", hashed)


def nonce_form(kind, tee, vtpm, spki):
    return Binding(b"cocos-nonce-v1\0" + bytes([kind]) + tee.ljust(64, b"\0") + vtpm.ljust(32, b"\0") +
                   digest("sha256", spki))


def run_form(said):
    return Binding(b"cocos-run-v1\0" + said)


# ---- the token ----

def statement(identity, manifest, computation="c-1", **changes):
    """A run statement; changes by name: boot, config, entries, fixed, external, journal, weak."""
    spki = changes.get("spki", identity.spki)
    return cbor2.dumps({
        0: 1, 1: computation, 2: changes.get("boot", bytes(32)), 3: changes.get("config", bytes(32)),
        4: manifest, 5: changes.get("entries", {}), 6: changes.get("fixed", False), 7: spki,
        8: changes.get("external", False), 9: changes.get("journal"), 10: changes.get("weak", [])})


def cose_key(spki):
    numbers = serialization.load_der_public_key(spki).public_numbers()
    return {1: {1: 2, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}}


def sign(key, data):
    """ES256 as COSE has it."""
    r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def token(signer, nonce, raw, run=None, run_evidence=None, use="channel", cnf=None, platform="SNP",
          algorithm=-7, **changes):
    now = int(time.time())
    claims = {1: "cocos-agent", 4: changes.get("expires", now + 3600), 6: changes.get("issued", now),
              8: cose_key(cnf or signer.spki), 10: nonce, "platform_type": platform,
              "x-cocos-nonce-use": use, "raw_report": raw, "x-cocos-run": run,
              "x-cocos-run-evidence": run_evidence}
    return seal({key: value for key, value in claims.items() if value is not None}, signer, algorithm)


def opened(signed):
    """The claims of a token, nothing checked."""
    return cbor2.loads(cbor2.loads(signed).value[2])


def resigned(signed, signer, changes):
    """The same claims, some changed (None: gone), under another signature."""
    claims = dict(opened(signed))
    claims.update(changes)
    return seal({key: value for key, value in claims.items() if value is not None}, signer)


def seal(claims, signer, algorithm=-7):
    payload, protected = cbor2.dumps(claims), cbor2.dumps({1: algorithm})
    signature = sign(signer.key, cbor2.dumps(["Signature1", protected, b"", payload]))
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]))
