# SPDX-License-Identifier: Apache-2.0
"""Both ends of a TLS connection in the hands of a test: a front that ends the victim's connection and
counts what comes through it, and a tunnel that opens one and lets gRPC's own Python speak inside.

OpenSSL by way of pyOpenSSL, since Python's own module exports no keying material.
"""
import contextlib
import datetime
import os
import select
import socket
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL, crypto

PATIENCE = 60
PIECE = 1 << 16


class Identity:
    """A P-256 key and a self-signed certificate of it."""

    def __init__(self, key=None, name="agent"):
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.utcnow()
        self.cert = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
                     .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
                     .not_valid_before(now - datetime.timedelta(hours=1))
                     .not_valid_after(now + datetime.timedelta(days=1))
                     .sign(self.key, hashes.SHA256()))

    @property
    def der(self):
        return self.cert.public_bytes(serialization.Encoding.DER)

    @property
    def spki(self):
        return self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def pem(self):
        """Certificate and key, as a manifest carries them."""
        return (self.cert.public_bytes(serialization.Encoding.PEM).decode(),
                self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                       serialization.NoEncryption()).decode())


class Wire:
    """A TLS connection over a non-blocking socket, read and written by one thread at a time."""

    def __init__(self, context, sock, server):
        sock.setblocking(False)
        self.sock, self.ended = sock, ""
        self.tls = SSL.Connection(context, sock)
        self.tls.set_accept_state() if server else self.tls.set_connect_state()
        self._retry(self.tls.do_handshake)

    def _retry(self, call, *arguments):
        while True:
            try:
                return call(*arguments)
            except SSL.WantReadError:
                ready = select.select([self.sock], [], [], PATIENCE)
            except SSL.WantWriteError:
                ready = select.select([], [self.sock], [], PATIENCE)
            if not any(ready):
                raise TimeoutError("the peer says nothing")

    def send(self, data):
        view = memoryview(data)
        while view:
            view = view[self._retry(self.tls.send, bytes(view[:PIECE])):]

    def take(self, count):
        """Exactly that many bytes, or EOFError."""
        out = b""
        while len(out) < count:
            try:
                piece = self._retry(self.tls.recv, min(count - len(out), PIECE))
            except SSL.Error as why:
                self.ended, piece = repr(why), b""
            if not piece:
                raise EOFError(f"{count} bytes wanted, {len(out)} came")
            out += piece
        return out

    def read_now(self):
        """What is there; b"" at the end, None if nothing has come yet."""
        try:
            return self.tls.recv(PIECE)
        except SSL.WantReadError:
            return None
        except SSL.Error as why:
            self.ended = repr(why)
            return b""

    def export(self, label, length, context=None):
        return self.tls.export_keying_material(label, length, context)

    def hash(self):
        return "sha384" if self.tls.get_cipher_name().endswith("SHA384") else "sha256"

    def peer_spki(self):
        cert = self.tls.get_peer_certificate()
        return cert.to_cryptography().public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def close(self):
        with contextlib.suppress(SSL.Error, OSError):
            self.tls.shutdown()
        self.sock.close()


def tls_context(server, version=SSL.TLS1_3_VERSION, alpn=(b"h2",)):
    context = SSL.Context(SSL.TLS_SERVER_METHOD if server else SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    if server:
        context.set_alpn_select_callback(
            lambda _, offered: next((a for a in alpn if a in offered), SSL.NO_OVERLAPPING_PROTOCOLS))
    elif alpn:
        context.set_alpn_protos(list(alpn))
    return context


def pump(wire, plain, from_wire=lambda data: data):
    """Carries bytes both ways until one side ends; from_wire sees what the TLS side sent."""
    plain.settimeout(PATIENCE)
    with contextlib.suppress(OSError, SSL.Error):
        while True:
            data = wire.read_now()
            if data:
                plain.sendall(from_wire(data))
                continue
            if data == b"":
                return
            ready = select.select([wire.sock, plain], [], [], PATIENCE)[0]
            if plain in ready:
                data = plain.recv(PIECE)
                if not data:
                    return
                wire.send(data)
            elif not ready:
                return


class Listener:
    """Accepts on a free port of 127.0.0.1; each connection in a thread of its own."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"127.0.0.1:{self.port}"
        self.failures = []
        self.open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.socket.accept()
                self.open.append(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            self.serve(sock)
        except (OSError, EOFError, ValueError, SSL.Error) as why:
            self.failures.append(repr(why))
        finally:
            sock.close()

    def serve(self, sock):
        raise NotImplementedError

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for sock in self.open:
            with contextlib.suppress(OSError):
                sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Front(Listener):
    """Ends the victim's TLS with a key of its own; what is said then goes to `upstream`, a port that
    speaks HTTP/2 in the clear. prologue(wire) comes first and may raise to hang up; `received` counts
    the application bytes that came after it."""

    def __init__(self, upstream, identity=None, prologue=None, **context):
        self.upstream, self.prologue = upstream, prologue
        self.identity = identity or Identity()
        self.context = tls_context(True, **context)
        self.context.use_certificate(crypto.X509.from_cryptography(self.identity.cert))
        self.context.use_privatekey(crypto.PKey.from_cryptography_key(self.identity.key))
        self.received, self.connections, self.wires = 0, 0, []
        super().__init__()

    def serve(self, sock):
        self.connections += 1
        wire = Wire(self.context, sock, True)
        self.wires.append(wire)
        if self.prologue:
            self.prologue(wire)
        with socket.create_connection(("127.0.0.1", self.upstream)) as plain:
            pump(wire, plain, self.count)
        wire.close()

    def count(self, data):
        self.received += len(data)
        return data


class Tunnel(Listener):
    """A port in the clear whose one connection is carried by TLS to `port`; prologue(wire) comes
    first. What TLS exports is to be had from `wire`."""

    def __init__(self, port, prologue=None, client=None, **context):
        self.target, self.prologue = port, prologue
        self.context = tls_context(False, **context)
        if client:
            self.context.use_certificate(crypto.X509.from_cryptography(client.cert))
            self.context.use_privatekey(crypto.PKey.from_cryptography_key(client.key))
        self.wire, self.ready = None, threading.Event()
        super().__init__()
        self.wire = Wire(self.context, socket.create_connection(("127.0.0.1", port)), False)
        if prologue:
            prologue(self.wire)
        self.ready.set()

    def serve(self, sock):
        self.ready.wait(PATIENCE)
        pump(self.wire, sock, lambda data: data)

    def close(self):
        super().close()
        if self.wire:
            self.wire.close()
