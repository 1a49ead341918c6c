# SPDX-License-Identifier: Apache-2.0
"""Two instances of the computation service share a database, and one of them serves: somebody goes to the other one, which may
know rights of before, or brings one of his own."""
import base64
import json
import os
import shutil
import signal
import socket
import subprocess

from computations_service import create
from harness import PATIENCE, Folder, spki, until
from instance_room import TAKES, Instance, Room
from people import Caller
from rows import Outcome, row

DER, PEM = spki()
KEY = base64.b64encode(DER).decode()


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
