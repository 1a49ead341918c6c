# SPDX-License-Identifier: Apache-2.0
"""Instances of the computation service share a database, and one of them serves: somebody goes to another one, which may
know rights of before or pass callers on, comes to where they are passed on to, or brings an instance of his own."""
import base64
import contextlib
import hmac
import json
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import time

from cryptography.hazmat.primitives import serialization

from computations_service import create
from harness import PATIENCE, FakeAgent, Folder, Refused, computations, read, spki, until
from instance_room import LONG_LEASE, TAKES, Instance, Room
from people import Caller
from rows import Outcome, row

DER, PEM = spki()
KEY = base64.b64encode(DER).decode()
SILENT_S = 10  # RELAY_SILENT_MS


class Hall(Room):
    """With a user who has a token, and a computation that he sees."""

    def __enter__(self):
        super().__enter__()
        self.root = Caller(self.until_serving().channel)
        self.root("AddUser", name="anna", administrator=True)
        self.token = self.root("AddToken", user="anna", name="t").token
        create(self.instances[0], id="hers", name="of anna")
        return self

    def names(self):
        return self.server.sql("SELECT name FROM cocos_computations.computations ORDER BY number").split("\n")

    def call(self, one, path, *options):
        """Of an instance's page, past the proxy, with the token: a process that has begun to ask."""
        return subprocess.Popen(self.curl(path, "-H", "Authorization: Bearer " + self.token, *options, port=one.web),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def answer_of(asking):
    """(status, body); (0, why) if there is none."""
    out, err = asking.communicate(timeout=2 * TAKES)
    head, _, body = out.partition(b"\r\n\r\n")
    return (int(head.split()[1]), body) if head else (0, err)


def asked_asleep(room, evil, path, *options):
    """What is asked of instance a, which is asleep, and answered when it wakes; the honest twin asks b, which serves by then.
    Between these, anna's token is taken away at b from who asks a."""
    a, b = room.instances
    a.signal(signal.SIGSTOP)
    try:
        asking = room.call(a, path, *options) if evil else None
        until(b.serves, "the other one", TAKES)
        b.dial()
        if not evil:
            return answer_of(room.call(b, path, *options))
        Caller(b.channel)("RevokeToken", user="anna", name="t")
    finally:
        a.signal(signal.SIGCONT)
    status, said = answer_of(asking)
    until(lambda: a.ready() == (503, "standby: instance b serves"), "it to stand by", TAKES)
    return status, said + b" " + a.ready()[1].encode()


@row("instance-woken-tells-by-rights-of-before", "standby: instance b serves")
def woken_tells(evil):
    """An instance is paused for longer than its lease; a token is taken away at the one that took its place; the one that
    wakes finds a question with that token in its socket."""
    with Hall() as room:
        status, said = asked_asleep(room, evil, "/api/computations")
        told = said if status == 200 and b"of anna" in said else b""
        return Outcome(status == 200, said.decode(), len(told))


@row("instance-woken-writes", "standby: instance b serves")
def woken_writes(evil):
    """The same with a computation that is to be created."""
    with Hall() as room:
        before = room.names()
        status, said = asked_asleep(room, evil, "/api/computations", "--json", json.dumps({
            "name": "late", "algorithm": {"hash": "ab" * 32, "user_key": KEY}, "result_consumers": [{"user_key": KEY}]}))
        after = room.names()
        assert (status == 201) == (after != before), (status, said)
        return Outcome(after != before, said.decode(), len(after) - len(before))


@row("instance-that-stands-by-is-called", "refused")
def standby_called(evil):
    """Somebody goes past the proxy to the instance that stands by, as an agent and as a browser: nobody there may decide by what
    it knows."""
    with Hall() as room:
        one, said, got = room.instances[1 if evil else 0], "", 0
        for port in (room.agents, room.web):
            try:
                socket.create_connection(one.front(port), timeout=PATIENCE).close()
                got += 1
            except ConnectionRefusedError as why:
                said += str(why).lower()
        assert got in (0, 2), got
        return Outcome(got == 2, said, got)


@row("instance-brings-a-key-of-its-own", "is another key than the one that signs this log")
def own_key(evil):
    """An instance is started beside the others with a key of its own for the log of journals' heads, which would be a fork of the
    log to all who have seen it, as soon as it serves."""
    with Hall() as room, Folder() as folder:
        one = Instance(folder, room, "c", "127.0.0.9")
        os.makedirs(folder("state"), 0o700)
        if evil:
            folder.write("state/witness.pem", PEM, 0o600)
        else:
            shutil.copy(room.instances[0].folder("state/witness.pem"), folder("state/witness.pem"))
        one.begin()
        found = one.process.wait_line(r"standing by: instance a serves|witness\.pem.*")[0]
        if evil:
            assert one.process.end() == 1
        else:
            assert one.process.stop() == 0
        return Outcome("standing by" in found, found)


class Passing(Hall):
    """b passes on to a."""

    def __init__(self):
        super().__init__(passes=True, LEASE=LONG_LEASE)

    def __enter__(self):
        super().__enter__()
        a, b = self.instances
        until(lambda: b.passes_to(a), "b to know")
        return self

    def peers(self):
        """Of the agents that a knows: id and address."""
        return {c.id: c.peer for c in
                self.instances[0].admin.ListCvms(computations.ListRequest(), timeout=PATIENCE).cvms}


def header(address="203.0.113.9", door=0):
    """relay_header.h: what an instance says of a connection."""
    where = socket.inet_aton(address).ljust(16, b"\0") + bytes(8)
    return b"cpas" + bytes([1, door]) + b"4\0" + struct.pack(">HH", 4711, 0) + where + b"b".ljust(64, b"\0")


def spoken(place, words):
    """What is said to somebody who says that, until the end."""
    with socket.create_connection(place, timeout=PATIENCE) as one:
        one.sendall(words)
        with contextlib.suppress(OSError):  # who has cut it already has no end to be told
            one.shutdown(socket.SHUT_WR)
        heard = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := one.recv(65536):
                heard += piece
        return heard


def agent_comes(place, cvm):
    agent = FakeAgent(place, cvm)
    try:
        agent.next("agentStateReq")
        return True
    except Refused:
        return False
    finally:
        agent.close()


def through_inner(room, evil, words):
    """The evil twin says them where instances pass callers on to; the honest one is an agent at b."""
    a, b = room.instances
    if not evil:
        came = agent_comes(f"{b.address}:{room.agents}", "passed")
        return Outcome(came, "", int("passed" in room.peers()))
    heard = spoken((a.address, room.inner), words)
    assert len(heard) <= 7, heard  # an alert of TLS
    until(lambda: "the secret of the lease that runs" in a.process.text(), "its line")
    return Outcome(bool(room.peers()), a.process.text(), len(room.peers()))


@row("instance-inner-header-forged", "it has not the secret of the lease that runs")
def inner_header_forged(evil):
    """A stranger comes to where instances pass callers on to, and says in plaintext what they say first: a header, with another's
    address in it, and an agent's first bytes."""
    with Passing() as room:
        return through_inner(room, evil, header() + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")


@row("instance-inner-spoken-to-with-tls", "it has not the secret of the lease that runs")
def inner_tls(evil):
    """The same in TLS 1.3 as any client speaks it, with a certificate of the authority that administrators have."""
    with Passing() as room:
        a = room.instances[0]
        if evil:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cafile=room.tls("ca.pem"))
            context.check_hostname = False
            context.load_cert_chain(room.tls("client.pem"), room.tls("client-key.pem"))
            with socket.create_connection((a.address, room.inner), timeout=PATIENCE) as plain:
                try:
                    with context.wrap_socket(plain) as one:
                        one.sendall(header())
                        assert not one.recv(1)
                except (ssl.SSLError, OSError):
                    pass
        return through_inner(room, evil, b"\r\n")


def row_of(room):
    """What the row of the lease has: its fence, and a secret in hexadecimal."""
    return room.server.sql("SELECT fence || ' ' || secret FROM cocos_computations.lease").split(" ")


def secret_of(instance, fence, row):
    """lease_secret.h."""
    key = serialization.load_pem_private_key(read(instance.folder("state/witness.pem")), None)
    words = bytes.fromhex(row) + b"cocos: instances pass callers on by lease " + fence.encode()
    return hmac.digest(key.private_numbers().private_value.to_bytes(32, "big"), words, "sha256").hex()


def is_believed(room, instance, fence, secret):
    """Whether who comes by that secret is taken for an instance: its header's door is for users of a socket, which is said in one
    byte, and it is taken nowhere. If not, the instance has said why when this returns."""
    with subprocess.Popen(["openssl", "s_client", "-connect", f"{instance.address}:{room.inner}", "-tls1_3", "-psk_identity",
                           "cocos-lease " + fence, "-psk", secret, "-ciphersuites", "TLS_AES_128_GCM_SHA256", "-quiet"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
        with contextlib.suppress(BrokenPipeError):
            client.stdin.write(header(door=3))
            client.stdin.flush()
        found = client.stdout.read(1) == b"\x04"
        client.kill()
    if not found:  # who is cut off may know it before the line is written
        instance.process.wait_line("the secret of the lease that runs")
    return found


@row("instance-lease-of-before-replayed", "it has not the secret of the lease that runs")
def lease_replayed(evil):
    """Somebody has the secret of the lease before, from an instance of then; the honest twin has the one that runs, which is what an
    instance is."""
    with Passing() as room:
        a, b = room.instances
        fence, row_then = row_of(room)
        assert a.process.stop() == 0
        until(b.serves, "the other one", TAKES)
        if not evil:
            fence, row_then = row_of(room)
        found = is_believed(room, b, fence, secret_of(a, fence, row_then))
        a.again()
        return Outcome(found, b.process.text(), int(found))


@row("instance-lease-read-from-the-database", "it has not the secret of the lease that runs")
def lease_read(evil):
    """Somebody may read the database, or has a dump of it, and writes nothing: what the row has is no secret by itself. The honest
    twin has the file of an instance, too."""
    with Passing() as room:
        a = room.instances[0]
        fence, now = row_of(room)
        found = is_believed(room, a, fence, now if evil else secret_of(a, fence, now))
        return Outcome(found, a.process.text(), int(found))


@row("instance-address-told-from-outside", "no agent came, and no address but ours")
def address_told(evil):
    """An agent's first bytes at b are behind a header in PROXY's form, or an instance's own, which names another address: none is
    taken at a door for all. The honest twin's address is its own, as b has accepted it."""
    with Passing() as room:
        b = room.instances[1]
        front = b.front(room.agents)
        if evil:
            for words in (b"PROXY TCP4 203.0.113.9 127.0.0.1 4711 1\r\n", header(),
                          b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + socket.inet_aton("203.0.113.9") + socket.inet_aton("127.0.0.1") + bytes(4)):
                spoken(front, words + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            told = "203.0.113.9" in "".join(room.peers().values()) + room.instances[0].process.text()
            assert room.ask("/sign-in", port=b.web)[0] == 200
            return Outcome(told, "no agent came, and no address but ours" if not room.peers() else str(room.peers()), int(told))
        came = agent_comes(f"{front[0]}:{front[1]}", "own")
        return Outcome(came and room.peers()["own"].startswith("127.0.0.1:"), "", 1)


def is_kept_beside(room, b, count):
    """Whether the first of so many connections that say nothing is still there once somebody else came through b."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_connection(b.front(room.web), timeout=PATIENCE, source_address=("127.0.0.66", 0)))
                for _ in range(count)]
        status, said = answer_of(room.call(b, "/api/computations", "--interface", "127.0.0.5"))
        assert status == 200, said
        held[0].setblocking(False)
        try:
            return held[0].recv(1) != b""
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return False


@row("instance-flooded-locks-nobody-out", "gave way to others")
def flooded(evil):
    """Somebody holds more connections at b than it has places for those who say nothing; others come through b all the while. The
    honest twin holds a few, and keeps them."""
    with Passing() as room:
        b = room.instances[1]
        while True:
            began = time.monotonic()
            is_kept = is_kept_beside(room, b, 400 if evil else 4)
            if evil or is_kept or time.monotonic() - began < SILENT_S:
                break
            # On a machine that takes so long it has to go for its silence, which is nothing about others.
        gone = int(b.metric("cocos_computations_passed_refused_total"))
        return Outcome(is_kept, f"{gone} gave way to others" if gone else "none gave way", int(is_kept))
