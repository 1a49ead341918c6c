# SPDX-License-Identifier: Apache-2.0
"""To less than an attested channel: by version, by ALPN, by leaving it out, by configuration, by the
environment that the owner's command happens to run in."""
import contextlib
import socket
import ssl
import struct
import threading

from OpenSSL import SSL
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from agent_peer import Authority
from attested_peer import HTTP2_SETTINGS, Identity
from listener import Listener
from rows import row
from world import MANIFEST, Gate, Machine, desk, outcome, owner, uploaded


def honest(**upload):
    machine = Machine()
    return uploaded(machine.script, machine.identity, **upload)


def bare(**upload):
    """TLS and HTTP/2 as any server has them, at which the owner's request is garbage: no byte of an
    application's may follow it."""
    result = uploaded(bare_script, Identity(), **upload)
    result.gained += len(desk().kept)
    return result


def bare_script(gate, connection):
    gate.asked(connection)
    connection.send(HTTP2_SETTINGS)


def plain(name, check, tls=None, **upload):
    """A row: a server without attestation, against an owner who wants it."""
    def put(about):
        def attempt(evil):
            return bare(tls=tls, **upload) if evil else honest(**upload)
        attempt.__doc__, attempt.__module__ = about.__doc__, __name__
        row(name, check)(attempt)
        return about
    return put


@plain("tls-without-attestation", "frame: type")
def tls_only():
    """A server with a certificate and no evidence."""


@plain("tls-1.2", "protocol version", tls={"versions": (SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION)})
def tls12():
    """A server that has TLS 1.2 alone, whose exporter is weaker and which can renegotiate."""


@plain("no-alpn", "no ALPN 'h2'", tls={"alpn": False})
def no_alpn():
    """A server that does not agree to h2."""


# The best key exchange that this machine has, and another: Debian 12's OpenSSL has no hybrid one.
HYBRID = tuple(map(int, ssl.OPENSSL_VERSION_INFO[:2])) >= (3, 5)
DEMANDED = "X25519MLKEM768" if HYBRID else "secp384r1"


@row("key-exchange-stripped-by-the-server", "is demanded: the server does not take it")
def old_key_exchange(evil):
    """The machine itself, with a key exchange of elliptic curves alone where the policy demands a hybrid one."""
    machine = Machine()
    return uploaded(machine.script, machine.identity, tls={"curve": "prime256v1"} if evil else None,
                    policy=owner().policy(tls={"groups": [DEMANDED]}))


@row("key-exchange-stripped-on-the-way", "record")
def key_exchange_taken_out(evil):
    """A middle takes the best key exchange out of the owner's hello, on the way to the machine itself. Nothing
    is demanded: the handshake covers the hello, so that no record opens."""
    machine = Machine()
    desk().reset()
    with Gate(machine.script, machine.identity) as gate, Relay(gate.port, without_the_best if evil else bytes) as relay:
        ran = owner().upload(relay.target)
    return outcome(ran, gate)


def vectors(data, head):
    """[(what is before, body)] of vectors of 2 bytes' length, each behind `head` bytes."""
    found, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at + head:at + head + 2], "big")
        found.append((data[at:at + head], data[at + head + 2:at + head + 2 + size]))
        at += head + 2 + size
    return found


def joined(pairs):
    return b"".join(before + struct.pack(">H", len(body)) + body for before, body in pairs)


def without_the_best(hello):
    """A ClientHello, without its record's head, that never knew the first of its key exchanges."""
    at = 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at:at + 2], "big")
    at += 1 + hello[at]
    extensions = dict(vectors(hello[at + 2:], 2))
    groups = extensions[b"\0\x0a"][2:]
    shares = [one for one in vectors(extensions[b"\0\x33"][2:], 2) if one[0] != groups[:2]]
    extensions[b"\0\x0a"] = struct.pack(">H", len(groups) - 2) + groups[2:]
    extensions[b"\0\x33"] = struct.pack(">H", len(joined(shares))) + joined(shares)
    body = hello[4:at] + struct.pack(">H", len(joined(extensions.items()))) + joined(extensions.items())
    return hello[:1] + len(body).to_bytes(3, "big") + body


class Relay(Listener):
    """Carries bytes both ways; `change` is for the first message of each client."""

    def __init__(self, port, change):
        super().__init__()
        self.upstream, self.change = port, change

    def serve(self, sock):
        head = sock.recv(5, socket.MSG_WAITALL)
        hello = self.change(sock.recv(int.from_bytes(head[3:], "big"), socket.MSG_WAITALL))
        with socket.create_connection(("127.0.0.1", self.upstream)) as there:
            there.sendall(head[:3] + struct.pack(">H", len(hello)) + hello)
            back = threading.Thread(target=carry, args=(there, sock))
            back.start()
            carry(sock, there)
            back.join()


def carry(here, there):
    with contextlib.suppress(OSError):
        while data := here.recv(65536):
            there.sendall(data)
    with contextlib.suppress(OSError):
        there.shutdown(socket.SHUT_WR)


@row("no-tls-at-all", "wrong version number")
def no_tls(evil):
    """A server that speaks HTTP/2 in the clear, where TLS was expected."""
    if not evil:
        return honest()
    desk().reset()
    with ClearFront(desk().port) as gate:
        return outcome(owner().upload(gate.target), gate)


class ClearFront(Listener):
    """Counts what comes in clear; a ClientHello is no application byte."""

    def __init__(self, upstream):
        super().__init__()
        self.upstream = upstream

    def serve(self, sock):
        first = sock.recv(1, socket.MSG_PEEK)
        if first == b"\x16":  # a TLS handshake record: answer as an HTTP/2 server would
            sock.sendall(HTTP2_SETTINGS)
            sock.settimeout(5)
            with contextlib.suppress(OSError):
                while sock.recv(4096):
                    pass
            return
        with socket.create_connection(("127.0.0.1", self.upstream)) as there:
            while data := sock.recv(4096):
                self.received += len(data)
                there.sendall(data)


HOSTILE = {
    "AGENT_GRPC_INSECURE": "true", "AGENT_GRPC_ATTESTED_TLS_SKIP_VERIFY": "true",
    "AGENT_GRPC_SKIP_ATTESTATION": "1", "COCOS_INSECURE": "1", "COCOS_SKIP_VERIFY": "true",
    "ATTESTATION_DISABLED": "1", "GRPC_INSECURE_SKIP_VERIFY": "1", "INSECURE": "1", "DEBUG": "1",
    "SSL_CERT_FILE": "/dev/null", "SSL_VERIFY": "0", "NODE_TLS_REJECT_UNAUTHORIZED": "0",
    "SSLKEYLOGFILE": "/dev/stderr", "OPENSSL_CONF": "/proc/nowhere",
}


@plain("environment-that-turns-verification-off", "frame: type", environment=HOSTILE)
def hostile_environment():
    """Every variable that ever turned verification off in some program, and the keys of the session
    asked for on standard error."""


@row("environment-leaks-session-keys", "frame: type")
def keylog(evil):
    """SSLKEYLOGFILE names a file that the attacker reads: it must stay empty."""
    path = owner()("keys.log")
    result = (bare if evil else honest)(environment={"SSLKEYLOGFILE": path})
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
        result.gained += len(file.read()) if evil else 0
    return result


def certified(authority):
    """A key, with that authority's certificate for the address where gates listen."""
    made = Identity()
    certificate, key = authority.issue()
    made.certificate = x509.load_pem_x509_certificate(certificate.encode())
    made.key = serialization.load_pem_private_key(key.encode(), None)
    return made


AUTHORITY, OTHER_AUTHORITY = Authority(), Authority()
FROM_OUTSIDE = {"manifests": [MANIFEST.hex()], "allow_external_identity": True}


def named_authority():
    """What an owner's environment says who once had an agent without attestation."""
    return {"AGENT_GRPC_SERVER_CA_CERTS": owner().write("ca.pem", AUTHORITY.pem)}


@row("authority-in-place-of-evidence", "frame: type")
def authority_alone(evil):
    """The owner's environment names an authority beside attested TLS. The machine's certificate is its
    own; the attacker has the authority's, and no evidence."""
    if evil:
        return uploaded(bare_script, certified(AUTHORITY), environment=named_authority())
    result = honest(environment=named_authority(), options=["-v"])
    assert "AGENT_GRPC_SERVER_CA_CERTS is not asked for" in result.said, result.said
    return result


@row("evidence-in-place-of-a-named-authority", "self-signed certificate")
def evidence_alone(evil):
    """The owner's policy takes a key from outside, and his environment names who certifies it: the
    attacker gave an agent a key that nobody certified."""
    machine = Machine(identity=None if evil else certified(AUTHORITY), external=True)
    return uploaded(machine.script, machine.identity, environment=named_authority(),
                    policy=owner().policy(run=FROM_OUTSIDE))


@row("evidence-in-place-of-an-authority-by-option", "self-signed certificate")
def option_asks_for_both(evil):
    """An authority that is named by --grpc-server-ca-certs is asked for beside evidence, whatever the
    policy says of keys: the attacker's machine has a certificate of its own."""
    machine = Machine(identity=None if evil else certified(AUTHORITY))
    path, = named_authority().values()
    return uploaded(machine.script, machine.identity, options=["--grpc-server-ca-certs", path])


@row("another-authority-without-attestation", "certificate signature failure")
def no_attestation(evil):
    """Without attested TLS the authority in the environment is all there is, and is asked for."""
    return uploaded(lambda gate, connection: gate.serve(connection),
                    certified(OTHER_AUTHORITY if evil else AUTHORITY), trust=False,
                    environment={**named_authority(), "AGENT_GRPC_ATTESTED_TLS": None,
                                 "AGENT_GRPC_ATTESTATION_POLICY": None})


def configured(name, check, **words):
    """A row: the owner asks for attested TLS half-heartedly; not even a connection is made."""
    def attempt(evil):
        if not evil:
            return honest()
        desk().reset()
        with Gate(None, Identity()) as gate:
            ran = owner().upload(gate.target, **words)
        result = outcome(ran, gate)
        result.gained += gate.connections
        return result
    attempt.__doc__ = f"The owner's settings are not clear: {name.replace('-', ' ')}."
    attempt.__module__ = __name__
    row(name, check)(attempt)


configured("attested-tls-without-a-policy", "attested TLS without a policy", environment={
    "AGENT_GRPC_ATTESTATION_POLICY": None})
configured("attested-tls-neither-true-nor-false", "AGENT_GRPC_ATTESTED_TLS", environment={
    "AGENT_GRPC_ATTESTED_TLS": "maybe"})
configured("root-named-and-attested-tls-off", "nobody asks the agent for a proof", environment={
    "AGENT_GRPC_ATTESTED_TLS": "false"})
configured("policy-named-and-attested-tls-off", "nobody asks the agent for a proof", trust=False,
           options=["--attestation-policy", "/proc/nowhere"], environment={
               "AGENT_GRPC_ATTESTED_TLS": "false", "AGENT_GRPC_ATTESTATION_POLICY": None})
configured("policy-in-the-environment-and-attested-tls-off", "AGENT_GRPC_ATTESTATION_POLICY is given", trust=False, environment={
    "AGENT_GRPC_ATTESTED_TLS": "false"})
configured("policy-in-the-environment-and-attested-tls-empty", "AGENT_GRPC_ATTESTATION_POLICY is given", trust=False, environment={
    "AGENT_GRPC_ATTESTED_TLS": ""})
configured("policy-in-the-environment-and-attested-tls-not-said", "AGENT_GRPC_ATTESTATION_POLICY is given", trust=False, environment={
    "AGENT_GRPC_ATTESTED_TLS": None})
