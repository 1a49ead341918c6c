# SPDX-License-Identifier: Apache-2.0
"""The connection breaks in the middle of an upload to an honest machine, and the owner's command goes on
by itself: what answers the second time is somebody else, who hopes that one proof serves twice."""
import contextlib
import functools

from OpenSSL import SSL

from attested_peer import (AUTHENTICATOR, HTTP2_SETTINGS, Identity, Parts, Session, frame, patient,
                           tls_context)
from hardware import Guest
from rows import row
from world import IMAGE, OTHER_IMAGE, Gate, Machine, chip, desk, outcome, owner, sha3


class Broken(Gate):
    """The first connection is the honest machine's, and ends when the upload's first piece is there.
    The others are for second(gate, connection), with that identity and TLS; or for raw(gate, socket)."""

    def __init__(self, first, second, identity=None, raw=None, **tls):
        super().__init__(None, first.identity)
        self.first, self.second, self.raw = first, second, raw
        self.later = tls_context(SSL.TLS_SERVER_METHOD, identity or first.identity, **tls)
        self.before, self.is_broken = None, False
        self.script = self.each

    def each(self, connection):
        self.connections += 1
        if self.connections > 1:
            self.second(self, connection)
            return

        def cut():
            # The owner may be back before the first connection's thread has noticed.
            self.is_broken, self.context = True, self.later
            connection.close()
        desk().cut = cut
        connection.send(frame(AUTHENTICATOR, self.first.answer(connection, self.asked(connection))))
        try:
            self.serve(connection, self.first)
        finally:  # from here on counts what the owner says
            self.before = self.piped

    def _one(self, raw):
        if self.raw and self.is_broken:
            with raw, contextlib.suppress(OSError):
                self.connections += 1
                self.raw(patient(raw))
            return
        super()._one(raw)

    @property
    def received(self):
        return super().received - (self.before or 0)


def broken(first, script, **more):
    desk().reset()
    with Broken(first, script, **more) as gate:
        ran = owner().upload(gate.target)
    assert gate.before is not None and gate.connections + len(gate.handshakes) > 1, ran.err
    return outcome(ran, gate)


@functools.lru_cache(None)
def honest():
    first = Machine()
    return broken(first, first.script)


def again(name, check):
    """A row made of second(first), the script of whoever answers then; the honest twin is shared."""
    def put(made):
        def attempt(evil):
            if not evil:
                return honest()
            first = Machine()
            script, more = made(first)
            return broken(first, script, **more)
        attempt.__doc__, attempt.__module__ = made.__doc__, __name__
        row(name, check)(attempt)
        return made
    return put


def machine(other):
    return other.script, {"identity": other.identity}


@again("retry-without-attestation", "frame: type")
def unattested(_):
    """A server with a certificate and no evidence."""
    def script(gate, connection):
        gate.asked(connection)
        connection.send(HTTP2_SETTINGS)
    return script, {"identity": Identity()}


@again("retry-in-the-clear", "wrong version number")
def in_the_clear(_):
    """A server that speaks HTTP/2 without TLS."""
    def raw(sock):
        sock.sendall(HTTP2_SETTINGS)
        while sock.recv(4096):
            pass
    return None, {"raw": raw}


@again("retry-by-tls-1.2", "protocol version")
def old_tls(first):
    """The machine itself, by TLS 1.2."""
    return first.script, {"versions": (SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION)}


@again("retry-with-the-proof-of-before", "its context is not the request's")
def proof_of_before(first):
    """The authenticator of the connection that broke."""
    kept, answer = [], first.answer

    def keeping(connection, asked):
        kept.append(answer(connection, asked))
        return kept[-1]
    first.answer = keeping

    def script(gate, connection):
        gate.asked(connection)
        connection.send(frame(AUTHENTICATOR, kept[0]))
        gate.serve(connection, first)
    return script, {}


@again("retry-at-another-chip", "same.chip")
def another_chip(first):
    """The same image, genuine, on a chip that the attacker has opened, with the first one's key."""
    return machine(Machine(Guest(chip("opened"), IMAGE), first.identity))


@again("retry-at-another-launch", "same.report_id")
def another_launch(first):
    """The same image, genuine, launched again on the same chip, with the first one's key."""
    return machine(Machine(Guest(chip(), IMAGE), first.identity))


@again("retry-at-another-agent", "same.key")
def another_agent(first):
    """Another agent of the same launch."""
    return machine(Machine(first.guest))


@again("retry-at-an-older-platform", "same.tcb")
def older_platform(first):
    """The same agent, on a platform that went back to older firmware meanwhile."""
    guest = Guest(chip(snp=8), IMAGE)
    guest.report_id, guest.chip.chip_id = first.guest.report_id, first.guest.chip.chip_id
    return machine(Machine(guest, first.identity))


@again("retry-at-another-image", "policy.measurement")
def another_image(_):
    """Another image, with a back door."""
    return machine(Machine(Guest(chip(), OTHER_IMAGE)))


@again("retry-at-another-manifest", "run.manifest")
def another_manifest(first):
    """The same agent, with another computation."""
    return machine(Machine(first.guest, first.identity, sha3(b"another manifest")))


@again("retry-through-a-relay", "CertificateVerify")
def relay(first):
    """A proxy with a key of its own, and the machine's help for this very request."""
    mine = Identity()

    def script(gate, connection):
        asked = gate.asked(connection)
        with connection.lock:
            parts = Parts(Session(connection), asked, first.identity, first.token)
            parts.signer = mine.key
            answer = parts.bytes()
        connection.send(frame(AUTHENTICATOR, answer))
        gate.serve(connection, first)
    return script, {"identity": mine}
