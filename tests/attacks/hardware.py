# SPDX-License-Identifier: Apache-2.0
"""AMD processors of our own: reports and certificates as publications 56860 and 57230 describe them,
under a root that nobody trusts unless it is named.

Written apart from the project's C: what the verifier takes from here, it takes because both read the
same specification. An attacker owns as many of these as he likes.
"""
import hashlib
import os
import secrets
import struct
import subprocess
import tempfile
import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

KEYS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "snp")
ALIAS_CHECK_COMPLETE, POLICY_RESERVED_ONE = 1 << 5, 1 << 17
GUIDS = {"vcek": "63da758d-e664-4564-adc5-f4b93be8accd",
         "ask": "4ab7b379-bbac-4fe4-a02f-05aef327c782",
         "ark": "c0b406a4-a803-4952-9743-3fb6014cd0ae"}
TCB = {"bootloader": 4, "tee": 1, "snp": 24, "microcode": 219}
PSS = ["-sha384", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:48"]


def openssl(*words, data=None):
    return subprocess.run(("openssl",) + words, check=True, input=data, capture_output=True).stdout


class Vendor:
    """Root and intermediate for one product, valid now."""

    def __init__(self, product="Milan", organization="SIMULATED, made by a test", root_key=None):
        self.product, self.organization = product, organization
        # pylint: disable-next=consider-using-with
        self.folder = tempfile.TemporaryDirectory(prefix="cocos-vendor-")
        self.root_key = root_key or os.path.join(KEYS, "root-key.pem")
        self.ca_key = os.path.join(KEYS, "ca-key.pem")
        self.root = self.path("ark.pem")
        usage = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
        self._sign(f"ARK-{product}", self.root_key, self.root, None, usage, 65536)
        self.ca = self.path("ask.pem")
        usage = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n"
        self._sign(f"SEV-{product}", self.ca_key, self.ca, (self.root, self.root_key), usage, 65537)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def _sign(self, name, key, out, issuer, extensions, serial):
        with open(self.path("ext"), "w", encoding="ascii") as file:
            file.write(extensions)
        request = openssl("req", "-new", "-key", key, "-subj",
                          f"/O={self.organization}/CN={name}", "-sha384")
        signer = ["-CA", issuer[0], "-CAkey", issuer[1]] if issuer else ["-signkey", key]
        openssl("x509", "-req", *signer, "-days", "30", "-set_serial", str(serial), "-extfile",
                self.path("ext"), "-out", out, *PSS, data=request)

    def certify(self, key, tcb, chip_id):
        """The VCEK of a chip in that state."""
        arc = "1.3.6.1.4.1.3704.1."
        levels = {"3.1": tcb["bootloader"], "3.2": tcb["tee"], "3.3": tcb["snp"], "3.4": 0, "3.5": 0,
                  "3.6": 0, "3.7": 0, "3.8": tcb["microcode"]}
        product = self.product + "-B0"
        lines = [f"{arc}1=ASN1:INTEGER:0", f"{arc}2=ASN1:IA5STRING:{product}"]
        lines += [f"{arc}{number}=ASN1:INTEGER:{level}" for number, level in levels.items()]
        lines.append(f"{arc}4=DER:{':'.join(f'{b:02x}' for b in chip_id)}")
        path = self.path("vcek-key.pem")
        with open(path, "wb") as file:
            file.write(key.private_bytes(serialization.Encoding.PEM,
                                         serialization.PrivateFormat.PKCS8,
                                         serialization.NoEncryption()))
        self._sign("SEV-VCEK", path, self.path("vcek.pem"), (self.ca, self.ca_key),
                   "\n".join(lines) + "\n", 0)
        return der(self.path("vcek.pem"))


def der(path):
    with open(path, "rb") as file:
        return x509.load_pem_x509_certificate(file.read()).public_bytes(serialization.Encoding.DER)


def tcb_bytes(tcb):
    return bytes([tcb["bootloader"], tcb["tee"], 0, 0, 0, 0, tcb["snp"], tcb["microcode"]])


class Chip:
    """One processor: an identity, a state, and a key for that state that the vendor certifies."""

    def __init__(self, vendor, chip_id=None, tcb=None, certified=None):
        self.vendor = vendor
        self.chip_id = chip_id or secrets.token_bytes(64)
        self.tcb = dict(TCB, **(tcb or {}))
        self.key = ec.generate_private_key(ec.SECP384R1())
        self.vcek = vendor.certify(self.key, dict(self.tcb, **(certified or {})), self.chip_id)

    def table(self):
        """The certificate table of an extended guest request."""
        certs = {"vcek": self.vcek, "ask": der(self.vendor.ca), "ark": der(self.vendor.root)}
        head, body = b"", b""
        start = 24 * (len(certs) + 1)
        for name, cert in certs.items():
            head += uuid.UUID(GUIDS[name]).bytes + struct.pack("<II", start + len(body), len(cert))
            body += cert
        return head + bytes(24) + body


class Guest:
    """One launch of one image on one chip. report() is what its firmware answers to the guest; the
    guest alone says over which report data."""

    def __init__(self, chip, measurement=b"\xa2" * 48, host_data=bytes(32), **fields):
        self.chip, self.measurement, self.host_data = chip, measurement, host_data
        self.report_id = secrets.token_bytes(32)
        self.fields = dict({"policy": POLICY_RESERVED_ONE, "platform": ALIAS_CHECK_COMPLETE,
                            "vmpl": 0}, **fields)

    def report(self, report_data, **changes):
        assert len(report_data) == 64
        f = dict(self.fields, **changes)
        tcb = tcb_bytes(self.chip.tcb)
        out = bytearray(1184)

        def put(at, data):
            out[at:at + len(data)] = data
        put(0x000, struct.pack("<IIQ", 2, 0, f["policy"]))
        put(0x030, struct.pack("<II", f["vmpl"], 1) + tcb)
        put(0x040, struct.pack("<QI", f["platform"], f.get("flags", 0)))
        put(0x050, report_data)
        put(0x090, f.get("measurement", self.measurement))
        put(0x0c0, f.get("host_data", self.host_data))
        put(0x140, f.get("report_id", self.report_id) + f.get("agent", b"\xff" * 32) + tcb)
        put(0x1a0, f.get("chip_id", self.chip.chip_id) + tcb)
        put(0x1e8, bytes([40, 55, 1, 0, 40, 55, 1, 0]) + tcb)
        key = f.get("key", self.chip.key)
        r, s = utils.decode_dss_signature(key.sign(bytes(out[:0x2a0]), ec.ECDSA(hashes.SHA384())))
        put(0x2a0, r.to_bytes(72, "little") + s.to_bytes(72, "little"))
        return bytes(out)

    def evidence(self, report_data, **changes):
        return self.report(report_data, **changes) + self.chip.table()


def sha512(data):
    return hashlib.sha512(data).digest()
