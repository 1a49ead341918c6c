#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Consoles of CVMs that were made for workspaces, read through the service: who may, for how long, and that nobody who
reads slowly, or a manager that says what it likes, costs more than a piece."""
import contextlib
import json
import os
import signal
import threading
import time

import grpc

import tap
from harness import PATIENCE, cli, computations, until
from played_manager import manager
from web_machines import EVIL, hall
from web_page import Events

DENIED, HIDDEN, AWAY = grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE
SAID = "Linux version 6.1\r\n[    0.000000] größer \x1b[2J\x9b1m\n".encode() + b"\xff\xfe last"
PLAIN = "Linux version 6.1\n[    0.000000] größer ?[2J??1m\n?? last"


class Reader:
    """Somebody who reads a console by the service's call, as it comes."""

    def __init__(self, room, who, name="one", workspace="default", follow=True, **more):
        metadata = [("authorization", "Bearer " + room.tokens[who])] if who else None
        request = computations.ConsoleRequest(name=name, workspace=workspace, follow=follow, **more)
        self.call = room.service.admin.Console(request, metadata=metadata, timeout=4 * PATIENCE)
        self.heard, self.error, self.wake = b"", None, threading.Condition()
        self.longest = 0  # held against its limit at the end: a thread's failure fails no test
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        try:
            for part in self.call:
                with self.wake:
                    self.longest = max(self.longest, len(part.data))
                    self.heard += part.data
                    self.wake.notify_all()
        except grpc.RpcError as error:
            self.error = error

    def hears(self, bytes_):
        until(lambda: bytes_ in self.heard, f"{bytes_!r} behind {self.heard[-80:]!r}")

    def end(self):
        """How it ended: None if as it should."""
        self.thread.join(2 * PATIENCE)
        assert not self.thread.is_alive(), "it goes on"
        assert self.longest <= 32768, self.longest
        return self.error and self.error.code()


class Screen(Events):
    """The page's stream of one console."""

    def __init__(self, room, who, path="/w/default/cvms/one/console.sse"):
        browser = room.sessions[who]
        room.port, room.host, room.cookie = browser.page.port, browser.host, browser.cookie
        super().__init__(room, path)

    def next(self):
        while True:
            while b"\n\n" not in self.came:
                self.read()
            part, self.came = self.came.split(b"\n\n", 1)
            fields = dict(line.split(": ", 1) for line in part.decode().split("\n") if not line.startswith(":"))
            if "data" in fields:
                return fields["event"], json.loads(fields["data"])


@contextlib.contextmanager
def place():
    """The workspaces of web_machines.py, with a CVM `one` of `default` that has said something."""
    with hall() as room:
        made = room.put("administrator", "one")
        assert made.status == 200, made.body
        room.id = room.played.created[0][1]
        room.console = room.played.consoles[room.id]
        room.console.say(SAID)
        yield room


def ended_so(room, code, who, **fields):
    reader = Reader(room, who, **fields)
    assert reader.end() == code and not reader.heard, (who, reader.error, reader.heard)
    return reader.error.details() if reader.error else ""


def command(room, *arguments):
    return cli("cvm", "console", *arguments, COMPUTATIONS_GRPC_URL="unix:" + room.service.socket)


def what_a_machine_says_is_told_and_harms_no_terminal():
    with place() as room:
        done = command(room, "one", "--workspace", "default").ok()
        assert done == PLAIN, done
        assert command(room, "one", "--lines", "1").ok() == "?? last"
        room.console.say(b"\n")
        reader = Reader(room, "administrator")
        reader.hears(SAID + b"\n")
        room.console.say(b"later\n")
        reader.hears(b"later\n")
        room.console.over()
        assert reader.end() is None and reader.heard == SAID + b"\nlater\n"
        for wrong in (("--lines", "0"), ("--lines", "x"), ("--lines", "4294967296"), ()):
            assert command(room, *(["one"] if wrong else []), *wrong).status == 2, wrong
        assert command(room, "one", "--lines", "100001").status == 1
        none = command(room, "two")
        assert none.status == 1 and "two" in none.err and "cvm list" in none.err, none.err


def it_is_for_administrators_of_its_workspace():
    with place() as room:
        for who in ("viewer", "member"):
            assert "read the consoles" in ended_so(room, DENIED, who), who
        assert "workspace" in ended_so(room, HIDDEN, "outsider")
        assert ended_so(room, HIDDEN, "outsider", workspace="lab")
        room.tokens["none"] = "cocos_" + "0" * 64
        ended_so(room, grpc.StatusCode.UNAUTHENTICATED, "none")
        room.tokens["narrow"] = room.root("AddToken", user="administrator", name="narrow", actions=["view"]).token
        ended_so(room, DENIED, "narrow")
        for who in ("administrator", "chief", None):
            reader = Reader(room, who, follow=False)
            assert reader.end() is None and reader.heard == SAID, (who, reader.error)
        for path, kind in (("/w/default/cvms/one/console", 200), ("/w/default/cvms/one/console.sse", 200)):
            for who, status in (("viewer", 403), ("member", 403), ("outsider", 404)):
                assert room.sessions[who].get(path).status == status, (path, who, kind)
        for who, status in (("viewer", 403), ("member", 403), ("outsider", 404), ("narrow", 403), ("none", 401)):
            answer = room.call("GET", "/api/workspaces/default/cvms/one/console/events", room.tokens[who])
            assert answer.status == status, (who, answer.status)
        assert room.call("GET", "/api/workspaces/lab/cvms/one/console/events", room.tokens["outsider"]).status == 404
        assert room.played.asked.count("Console") == 3, "nobody else's question reached the manager"


def the_right_is_of_its_own_workspace_whatever_that_is_called():
    """Another workspace takes the name that a reader gave: its administrator reads nothing of the first one's."""
    with place() as room:
        reader, other = Reader(room, "administrator"), Reader(room, "chief")
        reader.hears(SAID)
        room.root("RenameWorkspace", name="default", to="first")
        room.root("RenameWorkspace", name="lab", to="default")
        ended_so(room, HIDDEN, "outsider")
        ended_so(room, HIDDEN, "administrator")  # where he is nobody
        room.console.say(b"renamed")
        reader.hears(b"renamed")
        # He is one of the workspace that has the name now, and no more of the CVM's.
        room.root("AddMember", workspace="default", user="administrator", role="administrator")
        room.root("RemoveMember", workspace="first", user="administrator")
        room.console.say(b"secret")
        other.hears(b"secret")
        assert reader.end() == HIDDEN and b"secret" not in reader.heard, reader.error
        again = Reader(room, "chief", workspace="first", follow=False)
        assert again.end() is None and b"secret" in again.heard
        other.call.cancel()


def who_is_no_member_any_more_hears_no_more():
    """Removed, suspended, of a lower role, without the token: with the next piece, and also where none comes."""
    deeds = [lambda room: room.root("SetMember", workspace="default", user="administrator", role="viewer"),
             lambda room: room.root("SuspendMember", workspace="default", user="administrator"),
             lambda room: room.root("RemoveMember", workspace="default", user="administrator"),
             lambda room: room.root("RevokeToken", user="administrator", name="api")]
    for deed in deeds:
        for piece in (b"secret", None):
            with place() as room:
                reader, silent = Reader(room, "administrator"), Screen(room, "administrator")
                reader.hears(SAID)
                assert silent.next()[0] == "begin" and silent.next()[1]["text"].startswith("Linux")
                deed(room)
                if piece:
                    room.console.say(piece)
                assert reader.end() in (DENIED, HIDDEN, grpc.StatusCode.UNAUTHENTICATED), reader.error
                assert reader.heard == SAID
                if deed is not deeds[-1]:  # his session goes on
                    kind, said = silent.next()
                    assert kind == "end" and not said["again"] and "secret" not in said["why"], (kind, said)
                silent.close()


def who_reads_slowly_holds_up_nobody():
    """Of many megabytes a reader who takes none is sent a bounded part, while another one gets all."""
    with place() as room:
        pieces = [bytes([65 + n % 26]) * 32768 for n in range(1024)]
        room.console.pieces = pieces
        request = computations.ConsoleRequest(name="one", workspace="default")
        metadata = [("authorization", "Bearer " + room.tokens["administrator"])]
        slow = room.service.admin.Console(request, metadata=metadata, timeout=8 * PATIENCE)
        first = next(slow)
        fast = Reader(room, "chief", follow=False)
        assert fast.end() is None and fast.heard == b"".join(pieces), len(fast.heard)
        # What waits at both ends of both connections is some megabytes at most.
        assert min(room.console.taken) < len(pieces) - 256, room.console.taken
        assert first.data + b"".join(part.data for part in slow) == b"".join(pieces)


def a_manager_that_is_away_or_refuses_ends_it_in_its_name():
    with place() as room:
        def refusing(request, context):
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "CVM x runs on host b, which shows its console itself")

        def too_much(request, context):
            yield manager.ConsolePart(data=bytes(32769))
        room.played.says["Console"] = refusing
        details = ended_so(room, grpc.StatusCode.FAILED_PRECONDITION, "administrator")
        assert details.startswith("manager here: ") and "on host b" in details, details
        screen = Screen(room, "administrator")
        assert screen.next()[0] == "begin"
        kind, said = screen.next()
        assert kind == "end" and not said["again"] and "on host b" in said["why"], said
        # What the service calls it there is nobody's business, and tells him nothing.
        room.played.says["Console"] = lambda request, context: context.abort(grpc.StatusCode.NOT_FOUND, f"no CVM '{request.id}'")
        details = ended_so(room, HIDDEN, "administrator")
        assert "it is not made yet, or is gone" in details and "no CVM '" not in details, details
        # Whatever is wrong with it, or with what it knows of this service, is no fault of who reads.
        for code in ("INTERNAL", "UNKNOWN", "UNAUTHENTICATED", "PERMISSION_DENIED"):
            room.played.says["Console"] = lambda request, context, code=code: context.abort(grpc.StatusCode[code], "so it is")
            assert ended_so(room, AWAY, "administrator") == "manager here: so it is", code
        room.played.says["Console"] = too_much
        assert "32769 bytes" in ended_so(room, grpc.StatusCode.DATA_LOSS, "administrator")
        del room.played.says["Console"]
        reader, screen = Reader(room, "administrator"), Screen(room, "administrator")
        reader.hears(SAID)
        assert screen.next()[0] == "begin" and screen.next()[0] == "text"
        room.played.server.stop(None).wait()
        assert reader.end() in (AWAY, grpc.StatusCode.CANCELLED), reader.error
        assert screen.next()[0] == "end"
        assert ended_so(room, AWAY, "administrator").startswith("manager here: ")


def a_cvm_that_is_gone_has_none():
    with place() as room:
        reader, screen = Reader(room, "administrator"), Screen(room, "administrator")
        reader.hears(SAID)
        assert screen.next()[0] == "begin" and screen.next()[0] == "text"
        room.console.over()
        assert reader.end() is None
        kind, said = screen.next()
        assert kind == "end" and not said["again"] and "gone" in said["why"], said
        assert room.discard("administrator", "one").status == 303
        assert "gone, and its console with it" in ended_so(room, grpc.StatusCode.FAILED_PRECONDITION, "administrator")
        page = room.sessions["administrator"].get("/w/default/cvms/one/console").page()
        assert "its console went with it" in page.words()
        assert "/w/default/cvms/one/console" not in room.sessions["administrator"].get("/w/default/cvms/one").page().links


def one_user_reads_so_many():
    with place() as room:
        readers = [Reader(room, "administrator") for _ in range(8)]
        for reader in readers:
            reader.hears(SAID)
        assert "8 consoles" in ended_so(room, grpc.StatusCode.RESOURCE_EXHAUSTED, "administrator")
        other = Reader(room, "chief", follow=False)
        assert other.end() is None and other.heard == SAID
        readers[0].call.cancel()

        def again():
            reader = Reader(room, "administrator", follow=False)
            return reader.end() is None
        until(again, "a place that was left")
        for reader in readers:
            reader.call.cancel()


def strangers_who_ask_take_nobodys_place():
    with place() as room:
        room.tokens["none"] = "cocos_" + "0" * 64
        pid = room.service.process.process.pid
        os.kill(pid, signal.SIGSTOP)
        try:  # so that it hears of all of them before it has answered one
            reader = Reader(room, "chief", follow=False)
            strangers = [Reader(room, "none") for _ in range(90)]
            time.sleep(1)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert reader.end() is None and reader.heard == SAID, reader.error
        assert {stranger.end() for stranger in strangers} == {grpc.StatusCode.UNAUTHENTICATED}


def the_screen_shows_text_and_says_what_it_is_worth():
    with place() as room:
        chief = room.sessions["administrator"]
        assert "/w/default/cvms/one/console" in chief.get("/w/default/cvms/one").page().links
        assert "/w/default/cvms/one/console" not in room.sessions["viewer"].get("/w/default/cvms/one").page().links
        page = chief.get("/w/default/cvms/one/console")
        assert "it proves nothing" in page.page().words() and "from the host" in page.page().words()
        room.console.say(b"\n" + EVIL.encode() + b"\r\n\x1b]0;x\x07")
        screen = Screen(room, "administrator")
        assert screen.next() == ("begin", {"lines": ""})
        kind, said = screen.next()
        assert kind == "text" and EVIL in said["text"] and "\x1b" not in json.dumps(said, ensure_ascii=False), said
        assert said["text"].endswith("?]0;x?"), said
        room.console.say("日".encode()[:1])
        room.console.say("日".encode()[1:])
        heard = ""
        while "日" not in heard:
            heard += screen.next()[1]["text"]
        screen.close()
        api = Screen(room, "administrator", "/api/workspaces/default/cvms/one/console/events")
        assert api.next()[0] == "begin"
        api.close()


def a_service_that_goes_down_ends_them():
    with place() as room:
        reader, screen = Reader(room, "administrator"), Screen(room, "administrator")
        reader.hears(SAID)
        assert screen.next()[0] == "begin"
        room.service.process.finish()
        assert reader.end() is not None
        with contextlib.suppress(ConnectionError):
            while screen.socket.recv(65536):
                pass


if __name__ == "__main__":
    tap.run([what_a_machine_says_is_told_and_harms_no_terminal, it_is_for_administrators_of_its_workspace,
             the_right_is_of_its_own_workspace_whatever_that_is_called, who_is_no_member_any_more_hears_no_more,
             who_reads_slowly_holds_up_nobody, a_manager_that_is_away_or_refuses_ends_it_in_its_name,
             a_cvm_that_is_gone_has_none, one_user_reads_so_many, strangers_who_ask_take_nobodys_place,
             the_screen_shows_text_and_says_what_it_is_worth,
             a_service_that_goes_down_ends_them])
