# SPDX-License-Identifier: Apache-2.0
"""An authority that was written independently, from certificates.proto alone; and one that lies. What it signs is made by
the cryptography package."""
import datetime
import hashlib
import struct
import threading
from concurrent import futures

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness import certificates, certificates_grpc, read

Code = grpc.StatusCode
HOUR = datetime.timedelta(hours=1)


def pem_of(cert):
    return cert.public_bytes(serialization.Encoding.PEM).decode()


def spki(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


class Root:
    """A key that signs certificates."""

    def __init__(self, name="peer authority", ca=True, key=None):
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.utcnow()
        self.cert = (x509.CertificateBuilder().subject_name(self.name).issuer_name(self.name)
                     .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
                     .not_valid_before(now - 48 * HOUR).not_valid_after(now + 480 * HOUR)
                     .add_extension(x509.BasicConstraints(ca, None), True).sign(self.key, hashes.SHA256()))
        self.pem = pem_of(self.cert)


class Plan:
    """What is signed; a liar changes it."""

    def __init__(self, root, name, key, ago, left):
        now = datetime.datetime.utcnow()
        self.root, self.name, self.key, self.role = root, name, key, "agent"
        self.common, self.uri = [name], [f"spiffe://peer/agent/{name}"]
        self.serial = x509.random_serial_number() >> 32
        self.start, self.end = now - ago, now + left
        self.ca, self.usage = False, [ExtendedKeyUsageOID.CLIENT_AUTH]
        self.signs_certificates = self.unknown_critical = False
        self.may_sign = True
        self.said = {}  # fields of the answer that say something else

    def answer(self):
        b = (x509.CertificateBuilder().issuer_name(self.root.name).public_key(self.key).serial_number(self.serial)
             .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n) for n in self.common]))
             .not_valid_before(self.start).not_valid_after(self.end)
             .add_extension(x509.BasicConstraints(self.ca, None), True)
             .add_extension(x509.KeyUsage(self.may_sign, False, not self.may_sign, False, False, self.signs_certificates,
                                          False, False, False), True))
        if self.usage:
            b = b.add_extension(x509.ExtendedKeyUsage(self.usage), False)
        if self.uri:
            b = b.add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(u) for u in self.uri]), False)
        if self.unknown_critical:
            b = b.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"), True)
        self.cert = b.sign(self.root.key, hashes.SHA256())
        fields = {"certificate": pem_of(self.cert), "authority": self.root.pem, "name": self.name, "role": self.role,
                  "serial": f"{self.serial:x}".zfill(2 * ((self.serial.bit_length() + 7) // 8)), **self.said}
        return certificates.IssueResponse(**fields)


class PeerAuthority(certificates_grpc.CertificateServiceServicer):
    """`tls` is a folder of harness.authority(). `ago` and `left` are of its certificates' time: where two thirds are over,
    the agent renews at once. `spoil(plan)` is the liar; `before(kind)` may raise or wait."""

    def __init__(self, tls, token="a-token", name="cvm-1", ago=HOUR, left=23 * HOUR, root=None):
        self.token, self.name, self.ago, self.left, self.root = token, name, ago, left, root or Root()
        self.spoil, self.fail, self.spoils = None, None, ("Issue", "Renew")
        self.issued, self.asked, self.renewed, self.complaints = {}, [], [], []
        self.changed = threading.Condition()
        self.server = grpc.server(futures.ThreadPoolExecutor(4))
        certificates_grpc.add_CertificateServiceServicer_to_server(self, self.server)
        self.port = self.server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(
            [(read(tls("server-key.pem")), read(tls("server.pem")))]))
        self.url = f"https://127.0.0.1:{self.port}"

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop(0).wait()

    def refuse(self, context, code, words):
        self.complaints.append(words)
        context.abort(code, words)

    def asked_for(self, kind, context):
        with self.changed:
            self.asked.append(kind)
            self.changed.notify_all()
        if self.fail and (why := self.fail(kind)):
            context.abort(*why)

    def key_of(self, der, context):
        request = x509.load_der_x509_csr(der)
        if not request.is_signature_valid or list(request.extensions) or list(request.subject):
            self.refuse(context, Code.INVALID_ARGUMENT, "a request that names somebody, or is not signed")
        return request.public_key()

    def sign(self, kind, key):
        plan = Plan(self.root, self.name, key, self.ago, self.left)
        if self.spoil and kind in self.spoils:
            self.spoil(plan)
        answer = plan.answer()
        with self.changed:
            self.issued[answer.serial] = (key, plan)
            self.changed.notify_all()
        return answer

    def Issue(self, request, context):
        self.asked_for("Issue", context)
        if not self.token or request.token != self.token:
            self.refuse(context, Code.UNAUTHENTICATED, "this token was used or revoked, has ended, or is none of ours")
        key = self.key_of(request.request, context)
        self.token = None
        return self.sign("Issue", key)

    def Renew(self, request, context):
        self.asked_for("Renew", context)
        key = self.key_of(request.request, context)
        if request.serial not in self.issued:
            self.refuse(context, Code.UNAUTHENTICATED, "this certificate has ended or was revoked, or is none of ours")
        old, _ = self.issued[request.serial]
        parts = (request.serial.encode(), request.nonce, bytes([request.same_key]), hashlib.sha256(request.request).digest())
        message = b"cocos-certificate-renewal-v1\0" + b"".join(struct.pack(">I", len(p)) + p for p in parts)
        if spki(old) != request.key or request.same_key or spki(key) == spki(old) or len(request.nonce) != 32:
            self.refuse(context, Code.INVALID_ARGUMENT, "a renewal by another key, or for the same one")
        try:
            old.verify(request.signature, message, ec.ECDSA(hashes.SHA256()))
        except Exception:  # pylint: disable=broad-except
            self.refuse(context, Code.PERMISSION_DENIED, "the certificate's key has not signed it")
        with self.changed:
            self.renewed.append(request.serial)
        return self.sign("Renew", key)
