# SPDX-License-Identifier: Apache-2.0
"""TPMs of our own: attestation keys and quotes as TPM 2.0 part 2 describes them, in the message that
go-tpm-tools publishes (attest.proto), alone or bound by a report (sevsnp.proto). Written apart from the
project's C. An attacker owns as many of these as he likes, and theirs say what he likes."""
import hashlib
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from protobuf_bytes import message, number

SHA1, SHA256, ECDSA, NULL = 0x0004, 0x000b, 0x0018, 0x0010
QUOTE, CERTIFY = 0x8018, 0x8017
FIXED, MADE_INSIDE, RESTRICTED = 0x12, 0x20, 0x10000  # fixedTPM and fixedParent; sensitiveDataOrigin
AK = 0x40040 | FIXED | MADE_INSIDE | RESTRICTED       # with sign and userWithAuth


def sized(data):
    return struct.pack(">H", len(data)) + data


# Of sevsnp.Report: number, offset in the report, length; numbers unless they are bytes.
REPORT = [(1, 0, 4), (2, 4, 4), (3, 8, 8), (4, 0x10, 16), (5, 0x20, 16), (6, 0x30, 4), (7, 0x34, 4),
          (8, 0x38, 8), (9, 0x40, 8), (10, 0x48, 4), (11, 0x50, 64), (12, 0x90, 48), (13, 0xc0, 32),
          (14, 0xe0, 48), (15, 0x110, 48), (16, 0x140, 32), (17, 0x160, 32), (18, 0x180, 8),
          (19, 0x1a0, 64), (20, 0x1e0, 8), (21, 0x1e8, 1), (22, 0x1e9, 1), (23, 0x1ea, 1),
          (24, 0x1ec, 1), (25, 0x1ed, 1), (26, 0x1ee, 1), (27, 0x1f0, 8), (28, 0x2a0, 512)]
SNP_ATTESTATION = 8  # field of attest.Attestation


def report_message(report, vcek):
    """sevsnp.Attestation: the report field by field, and the chip's certificate."""
    fields = b""
    for field, at, length in REPORT:
        value = report[at:at + length]
        fields += (message(field, value) if length > 8 else
                   number(field, int.from_bytes(value, "little")))
    return message(1, fields) + message(2, message(1, vcek))


# ---- a TPM ----

class Tpm:
    """One attestation key, registers of the SHA-256 bank, and how often it was started. What of a quote
    is not as asked, the caller says by name."""

    def __init__(self, registers=None, attributes=AK, resets=7):
        self.registers = registers or {4: b"\x44" * 32, 16: b"\x16" * 32}
        self.key, self.resets = ec.generate_private_key(ec.SECP256R1()), resets
        numbers = self.key.public_key().public_numbers()
        self.area = (struct.pack(">HHIHHHHHH", 0x0023, SHA256, attributes, 0, NULL, ECDSA, SHA256, 3,
                                 NULL) +
                     sized(numbers.x.to_bytes(32, "big")) + sized(numbers.y.to_bytes(32, "big")))

    def attest(self, extra, selected, digest, kind=QUOTE, bank=SHA256, resets=None):
        mask = sum(1 << pcr for pcr in selected).to_bytes(3, "little")
        name = struct.pack(">H", SHA256) + hashlib.sha256(self.area).digest()
        return (struct.pack(">IH", 0xff544347, kind) + sized(name) + sized(extra) +
                struct.pack(">QIIB", 5000, self.resets if resets is None else resets, 0, 1) +
                bytes(8) + struct.pack(">IHB", 1, bank, 3) + mask + sized(digest))

    def quote(self, extra, selected=None, shown=None, quoted=None, bank=SHA256, **how):
        """One of attest.Attestation's quotes: over `selected`; `shown` are the values beside it, `quoted`
        those that the digest is of."""
        values = {pcr: value[:20] if bank == SHA1 else value
                  for pcr, value in (quoted or self.registers).items()}
        selected = sorted(values) if selected is None else sorted(selected)
        digest = hashlib.sha256(b"".join(values[pcr] for pcr in selected)).digest()
        signed = self.attest(extra, selected, digest, bank=bank, **how)
        r, s = utils.decode_dss_signature(self.key.sign(signed, ec.ECDSA(hashes.SHA256())))
        signature = (struct.pack(">HH", ECDSA, SHA256) + sized(r.to_bytes(32, "big")) +
                     sized(s.to_bytes(32, "big")))
        pcrs = number(1, 4 if bank == SHA1 else 11) + b"".join(
            message(2, (number(1, pcr) if pcr else b"") + message(2, value))
            for pcr, value in sorted((shown or values).items()))
        return message(1, signed) + message(2, signature) + message(3, pcrs)

    def evidence(self, extra, **how):
        return self.carrying(self.quote(extra, **how))

    def carrying(self, *quotes, log=b""):
        return (message(1, self.area) + b"".join(message(2, quote) for quote in quotes) +
                (message(3, log) if log else b""))


# ---- event logs (TCG PFP 1.06, chapter 10) ----

SEPARATOR, IPL = 4, 13


def event(pcr, kind, data, digest=None):
    return (struct.pack("<IIIH", pcr, kind, 1, SHA256) + (digest or hashlib.sha256(data).digest()) +
            struct.pack("<I", len(data)) + data)


def event_log(*events):
    spec = (b"Spec ID Event03\0" + struct.pack("<I", 0) + b"\x00\x02\x00\x02" +
            struct.pack("<IHHB", 1, SHA256, 32, 0))
    return struct.pack("<II", 0, 3) + bytes(20) + struct.pack("<I", len(spec)) + spec + b"".join(events)


def extended(*digests):
    value = bytes(32)
    for digest in digests:
        value = hashlib.sha256(value + digest).digest()
    return value
