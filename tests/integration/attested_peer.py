# SPDX-License-Identifier: Apache-2.0
"""Attested TLS by an independent hand: both halves, in Python, and all that can be wrong with them.

Nothing here is our C: TLS and its exporters are pyOpenSSL's, keys and signatures are cryptography's,
the messages are put together from RFC 8446, RFC 9261 and the description of the wire. What a peer
sends is made of parts that a caller can change one by one (Parts), so that an attacker is an honest
peer with one line more.

  client = AttestedClient.connect("127.0.0.1", port)     # handshake, request, authenticator, verified
  client.evidence, client.report_data, client.tpm_nonce
  with client.bridge() as address: grpc.insecure_channel(address) …

  server = AttestedServer(identity, evidence=lambda session, request: token)
  server.script = some_function(connection)              # instead of the honest answer
"""
import base64
import contextlib
import datetime
import hashlib
import hmac
import json
import os
import select
import socket
import struct
import threading

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL, crypto

PATIENCE = 180  # seconds until what must come counts as missing; never a measurement
REQUEST, AUTHENTICATOR = 1, 2
FRAME_MAX = 16 << 20
CERTIFICATE, CERTIFICATE_VERIFY, CLIENT_CERTIFICATE_REQUEST, FINISHED = 11, 15, 17, 20
SIGNATURE_ALGORITHMS, ATTESTATION = 0x000D, 0xFF00
ECDSA_P256_SHA256 = 0x0403
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HTTP2_SETTINGS = b"\0\0\0\4\0\0\0\0\0"


class Refused(Exception):
    """What came is not what the wire promises."""


class Over(Exception):
    """The other side has ended the connection."""


# ---- bytes ----

def vector(width, body):
    return len(body).to_bytes(width, "big") + body


def message(kind, body):
    return bytes([kind]) + vector(3, body)


def extension(kind, body=b""):
    return struct.pack(">H", kind) + vector(2, body)


def frame(kind, payload):
    return bytes([kind]) + vector(4, payload)


class Cursor:
    """Reads bytes in order; the end must be where they end."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if count > len(self.data) - self.at:
            raise Refused("cut short")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, width):
        return int.from_bytes(self.take(width), "big")

    def vector(self, width):
        return self.take(self.number(width))

    def message(self, kind):
        found = self.number(1)
        if found != kind:
            raise Refused(f"message {found}, not {kind}")
        return self.vector(3)

    def left(self):
        return len(self.data) - self.at

    def end(self):
        if self.left():
            raise Refused("bytes behind the end")


def extensions(data):
    """{type: body} of a list of extensions."""
    cursor, found = Cursor(data), {}
    while cursor.left():
        kind = cursor.number(2)
        if kind in found:
            raise Refused(f"extension {kind:#06x} twice")
        found[kind] = cursor.vector(2)
    return found


# ---- identity ----

class Identity:
    """A P-256 key and its self-signed certificate."""

    def __init__(self, name="peer", curve=None):
        self.key = ec.generate_private_key(curve or ec.SECP256R1())
        self.certificate = self.issue(self, name)

    def issue(self, subject, name):
        """A certificate for the key of `subject`, signed by ours."""
        now = datetime.datetime.utcnow()
        return (x509.CertificateBuilder()
                .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
                .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "peer")]))
                .public_key(subject.key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(now - datetime.timedelta(hours=1))
                .not_valid_after(now + datetime.timedelta(days=1))
                .sign(self.key, hashes.SHA256()))

    @property
    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self):
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                      serialization.NoEncryption())

    @property
    def spki(self):
        return spki_of(self.key.public_key())


def spki_of(key):
    return key.public_bytes(serialization.Encoding.DER,
                            serialization.PublicFormat.SubjectPublicKeyInfo)


# ---- what TLS gives ----

class Session:
    """The values of one live TLS session, from its exporters."""

    def __init__(self, connection):
        self.connection = connection
        tls = connection.tls
        self.hash = "sha384" if tls.get_cipher_name().endswith("SHA384") else "sha256"
        size = hashlib.new(self.hash).digest_size
        self.handshake_context = tls.export_keying_material(
            b"EXPORTER-server authenticator handshake context", size)
        self.finished_key = tls.export_keying_material(
            b"EXPORTER-server authenticator finished key", size)

    def exporter(self, context):
        with self.connection.lock:
            return self.connection.tls.export_keying_material(b"Attestation", 32, context)

    def digest(self, *parts):
        return hashlib.new(self.hash, b"".join(parts)).digest()

    def mac(self, data):
        return hmac.new(self.finished_key, data, self.hash).digest()

    def binding(self, spki, context):
        """(aik_pub_hash, binding, report data, TPM nonce)"""
        value = self.exporter(context)
        bound = self.digest(spki, value)
        return (self.digest(spki), bound, hashlib.sha512(bound).digest(),
                hashlib.sha256(value).digest())


# ---- the request ----

def make_request(context=None, schemes=(ECDSA_P256_SHA256,), offer=b"", more=b""):
    """An authenticator request; `schemes` or `offer` None leaves that extension out."""
    context = os.urandom(32) if context is None else context
    body = b""
    if schemes is not None:
        body += extension(SIGNATURE_ALGORITHMS,
                          vector(2, b"".join(struct.pack(">H", s) for s in schemes)))
    if offer is not None:
        body += extension(ATTESTATION, offer)
    return message(CLIENT_CERTIFICATE_REQUEST, vector(1, context) + vector(2, body + more))


def parse_request(data):
    """The context of a good request."""
    outer = Cursor(data)
    body = Cursor(outer.message(CLIENT_CERTIFICATE_REQUEST))
    outer.end()
    context = body.vector(1)
    offered = extensions(body.vector(2))
    body.end()
    if len(context) != 32:
        raise Refused("the context has not 32 bytes")
    schemes = Cursor(Cursor(offered.get(SIGNATURE_ALGORITHMS, b"\0\0")).vector(2))
    found = []
    while schemes.left():
        found.append(schemes.number(2))
    if ECDSA_P256_SHA256 not in found:
        raise Refused("ecdsa_secp256r1_sha256 is not offered")
    if offered.get(ATTESTATION) != b"":
        raise Refused("attestation is not offered")
    return context


# ---- the authenticator ----

class Parts:
    """An authenticator in its parts, honest until somebody changes one."""

    def __init__(self, session, request, identity, evidence):
        self.session, self.request = session, request
        self.context = parse_request(request)
        self.leaf, self.chain, self.signer = identity.der, [], identity.key
        spki = identity.spki
        aik, bound, self.report_data, self.tpm_nonce = session.binding(spki, self.context)
        self.evidence = evidence(self) if callable(evidence) else evidence
        self.json = {
            "version": 1, "media_type": "application/eat+cwt",
            "evidence": base64.b64encode(self.evidence).decode(),
            "binder": {"exporter_label": "Attestation",
                       "aik_pub_hash": base64.b64encode(aik).decode(),
                       "binding": base64.b64encode(bound).decode()}}
        self.json_text = None  # instead of `json`
        self.leaf_extensions = None  # instead of the one of `json`
        self.chain_extensions = b""
        self.label, self.scheme, self.signature = b"Exported Authenticator", ECDSA_P256_SHA256, None
        self.answered_context = self.context
        self.finished = None

    def extension(self):
        text = self.json_text
        if text is None:
            text = json.dumps(self.json, separators=(",", ":")).encode()
        return extension(ATTESTATION, vector(2, text))

    def certificate(self):
        mine = self.extension() if self.leaf_extensions is None else self.leaf_extensions
        entries = vector(3, self.leaf) + vector(2, mine)
        for der in self.chain:
            entries += vector(3, der) + vector(2, self.chain_extensions)
        return message(CERTIFICATE, vector(1, self.answered_context) + vector(3, entries))

    def transcript(self, *messages):
        return self.session.digest(self.session.handshake_context, self.request, *messages)

    def verify(self, certificate):
        signature = self.signature
        if signature is None:
            content = b" " * 64 + self.label + b"\0" + self.transcript(certificate)
            signature = self.signer.sign(content, ec.ECDSA(hashes.SHA256()))
        return message(CERTIFICATE_VERIFY, struct.pack(">H", self.scheme) + vector(2, signature))

    def messages(self):
        certificate = self.certificate()
        verify = self.verify(certificate)
        mac = self.finished
        if mac is None:
            mac = self.session.mac(self.transcript(certificate, verify))
        return [certificate, verify, message(FINISHED, mac)]

    def bytes(self):
        return b"".join(self.messages())


class Verified:
    """What a good authenticator held."""

    def __init__(self, session, request, data):
        context = parse_request(request)
        cursor = Cursor(data)
        certificate = cursor.message(CERTIFICATE)
        end_of_certificate = cursor.at
        verify = Cursor(cursor.message(CERTIFICATE_VERIFY))
        end_of_verify = cursor.at
        finished = cursor.message(FINISHED)
        cursor.end()

        self.leaf = self._leaf(certificate, context)
        key = self.leaf.public_key()
        self.spki = spki_of(key)
        self._check_signature(session, request + data[:end_of_certificate], verify, key)
        mac = session.mac(session.digest(session.handshake_context, request, data[:end_of_verify]))
        if not hmac.compare_digest(mac, finished):
            raise Refused("Finished is of another session")
        aik, bound, self.report_data, self.tpm_nonce = session.binding(self.spki, context)
        self._read_json(aik, bound)

    def _leaf(self, body, context):
        cursor = Cursor(body)
        if cursor.vector(1) != context:
            raise Refused("another context")
        entries = Cursor(cursor.vector(3))
        cursor.end()
        leaf = None
        while entries.left():
            der, found = entries.vector(3), extensions(entries.vector(2))
            if leaf is None:
                leaf = x509.load_der_x509_certificate(der)
                if list(found) != [ATTESTATION]:
                    raise Refused(f"extensions of the leaf: {list(found)}")
                inner = Cursor(found[ATTESTATION])
                self.text = inner.vector(2)
                inner.end()
            elif found:
                raise Refused("an extension behind the leaf")
        if leaf is None:
            raise Refused("no certificate")
        return leaf

    @staticmethod
    def _check_signature(session, signed, verify, key):
        scheme, signature = verify.number(2), verify.vector(2)
        verify.end()
        if scheme != ECDSA_P256_SHA256 or not isinstance(key.curve, ec.SECP256R1):
            raise Refused(f"scheme {scheme:#06x}")
        content = (b" " * 64 + b"Exported Authenticator\0" +
                   session.digest(session.handshake_context, signed))
        try:
            key.verify(signature, content, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise Refused("CertificateVerify") from None

    def _read_json(self, aik, bound):
        def once(pairs):
            if len(dict(pairs)) != len(pairs):
                raise Refused("a key twice")
            return dict(pairs)

        found = json.loads(self.text, object_pairs_hook=once)
        self.evidence = base64.b64decode(found["evidence"], validate=True)
        wanted = {"exporter_label": "Attestation",
                  "aik_pub_hash": base64.b64encode(aik).decode(),
                  "binding": base64.b64encode(bound).decode()}
        if (set(found) != {"version", "media_type", "evidence", "binder"} or
                found["version"] != 1 or found["media_type"] != "application/eat+cwt" or
                found["binder"] != wanted):
            raise Refused(f"the extension's JSON: {found}")


# ---- connections ----

class Connection:
    """One TLS connection over a blocking socket; counts what it reads."""

    def __init__(self, tls, raw):
        self.tls, self.raw, self.kept, self.read = tls, raw, b"", 0
        self.lock, self.closed = threading.RLock(), False  # TLS and its exporters, one at a time

    def _open(self):
        """TLS, unless it is over here: it knows the descriptor by its number alone, and would write
        to and read from whoever has that number next."""
        if self.closed:
            raise Over("closed here")
        return self.tls

    def send(self, data):
        try:
            self._open().sendall(data)
        except (SSL.Error, OSError) as error:
            raise Over(f"sending: {error!r}") from None

    def more(self):
        """Some bytes; Over at the end."""
        try:
            data = self._open().recv(65536)
        except SSL.WantReadError:
            raise AssertionError("the peer says nothing any more") from None
        except (SSL.ZeroReturnError, SSL.SysCallError, SSL.Error, OSError) as error:
            raise Over(repr(error)) from None
        self.read += len(data)
        return data

    def exactly(self, count):
        while len(self.kept) < count:
            self.kept += self.more()
        data, self.kept = self.kept[:count], self.kept[count:]
        return data

    def rest(self):
        """All that still comes until the other side ends the connection."""
        data, self.kept = self.kept, b""
        with contextlib.suppress(Over):
            while True:
                data += self.more()
        return data

    def frame(self, wanted):
        kind, size = struct.unpack(">BI", self.exactly(5))
        if kind != wanted or not 0 < size <= FRAME_MAX:
            raise Refused(f"frame of type {kind} with {size} bytes")
        return self.exactly(size)

    def close(self):
        with self.lock:
            if self.closed:
                return
            self.closed = True
            with contextlib.suppress(SSL.Error, OSError):
                self.tls.shutdown()
            self.raw.close()

    def pipe(self, plain):
        """Carries bytes both ways between this connection and a plain socket until one ends."""
        self.raw.setblocking(False)
        plain.setblocking(False)
        try:
            while self._carry_out(plain) and self._carry_in(plain):
                pass
        except (Over, SSL.Error, OSError, ValueError):  # the last: somebody here has closed it
            pass
        finally:
            plain.close()
            self.close()

    def _carry_out(self, plain):
        """Waits for either side; what the plain one says goes to TLS."""
        if not self.kept and not self.tls.pending():
            ready, _, _ = select.select([self.raw, plain], [], [], PATIENCE)
            if not ready:
                return False
            if plain in ready:
                data = plain.recv(65536)
                if not data:
                    return False
                self._write_all(self._send_tls, data, self.raw)
        return True

    def _carry_in(self, plain):
        data, self.kept = self.kept, b""
        if not data:
            try:
                with self.lock:
                    data = self._open().recv(65536)
            except SSL.WantReadError:
                return True
            self.read += len(data)
        self._write_all(plain.send, data, plain)
        return True

    def _send_tls(self, data):
        with self.lock:
            return self._open().send(data)

    def _write_all(self, send, data, waits_on):
        while data:
            try:
                data = data[send(data):]
            except (SSL.WantWriteError, BlockingIOError):
                select.select([], [waits_on], [], PATIENCE)
            except SSL.WantReadError:
                select.select([self.raw], [], [], PATIENCE)


def tls_context(method, identity=None, alpn=True, suites=None, versions=None, curve=None):
    context = SSL.Context(method)
    low, high = versions or (SSL.TLS1_3_VERSION, SSL.TLS1_3_VERSION)
    context.set_min_proto_version(low)
    context.set_max_proto_version(high)
    if suites and hasattr(context, "set_tls13_ciphersuites"):
        context.set_tls13_ciphersuites(suites.encode())
    elif suites:  # Debian 12's has no method for it
        assert SSL._lib.SSL_CTX_set_ciphersuites(context._context, suites.encode()) == 1
    if curve:  # the only key exchange
        context.set_tmp_ecdh(crypto.get_elliptic_curve(curve))
    if identity:
        context.use_certificate(crypto.X509.from_cryptography(identity.certificate))
        context.use_privatekey(crypto.PKey.from_cryptography_key(identity.key))
    if alpn and method == SSL.TLS_CLIENT_METHOD:
        context.set_alpn_protos([b"h2"] if alpn is True else alpn)
    elif alpn:
        context.set_alpn_select_callback(lambda _, offered: b"h2" if b"h2" in offered else
                                         SSL.NO_OVERLAPPING_PROTOCOLS)
    return context


def patient(raw):
    """A blocking socket whose reads and writes end after a while."""
    raw.setblocking(True)
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        raw.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", PATIENCE, 0))
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return raw


def connect(host, port, **tls):
    """TLS as a client, nothing said yet. Over if the server refuses the handshake."""
    raw = patient(socket.create_connection((host, port)))
    connection = SSL.Connection(tls_context(SSL.TLS_CLIENT_METHOD, **tls), raw)
    connection.set_connect_state()
    try:
        connection.do_handshake()
    except (SSL.Error, OSError) as error:
        raw.close()
        raise Over(repr(error)) from None
    return Connection(connection, raw)


class AttestedClient:
    """An attested connection of ours to somebody's server."""

    @classmethod
    def connect(cls, host, port, context=None, **tls):
        return cls(connect(host, port, **tls), context)

    def __init__(self, connection, context=None):
        self.connection = connection
        self.session = Session(connection)
        self.request = make_request(context)
        connection.send(frame(REQUEST, self.request))
        self.authenticator = connection.frame(AUTHENTICATOR)
        found = self.judge(self.request, self.authenticator)
        self.evidence, self.spki = found.evidence, found.spki
        self.report_data, self.tpm_nonce = found.report_data, found.tpm_nonce

    def judge(self, request, authenticator):
        """Verifies one authenticator of this session; its key must be the TLS key."""
        found = Verified(self.session, request, authenticator)
        shown = self.connection.tls.get_peer_certificate().to_cryptography()
        if found.spki != spki_of(shown.public_key()):
            raise Refused("another key than that of the TLS certificate")
        return found

    @contextlib.contextmanager
    def bridge(self):
        """An address in plaintext that leads into this connection, for one HTTP/2 client."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(1)

            def serve():
                plain, _ = listener.accept()
                self.connection.pipe(plain)

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            yield f"127.0.0.1:{listener.getsockname()[1]}"

    def close(self):
        self.connection.close()


class AttestedServer:
    """A server that attests, or says that it does, on a thread for each connection.

    `script` gets each connection after its TLS handshake; the honest one is answer(), then
    `serve(connection)`, by default nothing but reading on; one that raises Over hangs up. What came after the request is counted in
    `behind`; errors of handshakes are kept in `handshakes`.
    """

    def __init__(self, identity, evidence, **tls):
        self.identity, self.evidence = identity, evidence
        self.context = tls_context(SSL.TLS_SERVER_METHOD, identity, **tls)
        self.script, self.serve = self.honest, lambda connection: None
        self.behind, self.requests, self.handshakes, self.failures = b"", [], [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.threads, self.changed = [], threading.Condition()
        self.ended = 0
        self.thread.start()

    @property
    def target(self):
        return f"127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._one, args=(raw,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _one(self, raw):
        tls = SSL.Connection(self.context, patient(raw))
        tls.set_accept_state()
        connection = Connection(tls, raw)
        try:
            tls.do_handshake()
            self.script(connection)
            self.behind += connection.rest()
        except Over:
            pass
        except (SSL.Error, OSError) as error:
            self.handshakes.append(repr(error))
        except Exception as error:  # pylint: disable=broad-except
            self.failures.append(repr(error))
        finally:
            connection.close()
            with self.changed:
                self.ended += 1
                self.changed.notify_all()

    def wait_ended(self, count=1):
        """Until so many connections are over: then `behind` is final."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.ended >= count, PATIENCE), "still connected"
        assert not self.failures, self.failures

    def parts(self, connection):
        """Reads the request: the honest answer's parts."""
        request = connection.frame(REQUEST)
        self.requests.append(request)
        self.behind += connection.kept
        connection.kept = b""
        return Parts(Session(connection), request, self.identity, self.evidence)

    def honest(self, connection):
        connection.send(frame(AUTHENTICATOR, self.parts(connection).bytes()))
        self.serve(connection)

    def forward(self, port):
        """For `serve`: what follows is HTTP/2 for a plaintext server at that port."""
        def carry(connection):
            connection.pipe(socket.create_connection(("127.0.0.1", port)))
        return carry

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # A thread in accept() is woken by shutdown(), not by close().
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(PATIENCE)
        for thread in self.threads:
            thread.join(PATIENCE)
