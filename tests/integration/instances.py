# SPDX-License-Identifier: Apache-2.0
"""Two instances of cocos-computations on one PostgreSQL, of which one serves: who is killed, paused, cut off or ended, and what
agents, browsers and programs notice of it behind a proxy.

An instance that this machine keeps from renewing its lease loses it, as it should: nothing here takes it for a failure.

Usage: instances.py [SEED]"""
import base64
import json
import os
import random
import signal
import re
import socket
import subprocess
import sys
import threading
import types

import grpc

import sample
import tap
from computations_service import create, manifest
from harness import PATIENCE, FakeAgent, Folder, Process, Refused, authority, computations, cvms, program, spki, until
from host_check import check, failed
from instance_room import LONG_LEASE, TAKES, Instance, Room
from job_host import Agent
from journal_book import Writer
from journal_witness import statement_of
from people import Caller
from ports import free_port
from sign_in import PASSWORD
from smtp_server import FROM, Mailbox, invite, listed, until_mail

SEED = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else random.SystemRandom().randrange(1 << 32)
ROUNDS = sample.of(5, 20)
KEY = base64.b64encode(spki()[0]).decode()


class Worker:
    """Does something over and over; what is wrong ends it, and its test."""

    def __init__(self):
        self.stop, self.wrong, self.done = threading.Event(), [], 0
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.stop.is_set() and not self.wrong:
            try:
                self.step()
            except Exception as why:  # pylint: disable=broad-exception-caught
                self.wrong.append(repr(why))

    def end(self):
        self.stop.set()
        # What it began at this moment is closed, too.
        until(lambda: self.close() or not self.thread.is_alive(), f"the end of a {type(self).__name__}", TAKES)
        assert not self.wrong, (type(self).__name__, self.wrong)

    def close(self):
        pass


class Book(Writer):
    """Not put together anew with each entry: it goes on for as long as the test does."""

    def file(self):
        return b""


class Journalist(Worker):
    """An agent with a computation, which says more and more in a journal, until it is acknowledged."""

    def __init__(self, room, name):
        super().__init__()
        self.room, self.name, self.cvm = room, name, "cvm-" + name
        self.book, self.said, self.acknowledged, self.agent, self.is_final = None, 0, 0, None, False
        self.lines, self.connections = 0, 0

    def connect(self):
        self.agent = FakeAgent(f"127.0.0.1:{self.room.agents}", self.cvm, metadata=[("cocos-journal", "1")],
                               answers_state="Running" if self.book else "ReceivingManifest")
        self.agent.next("agentStateReq")
        self.connections += 1

    def begin(self):
        """On an instance that serves, before anything happens to it."""
        self.connect()
        one = self.room.until_serving()
        one.admin.Create(computations.CreateRequest(manifest=manifest(id=self.name)), timeout=PATIENCE)
        until(lambda: any(c.id == self.cvm and c.connected for c in
                          one.admin.ListCvms(computations.ListRequest(), timeout=PATIENCE).cvms), "the connection")
        one.admin.Run(computations.RunRequest(id=self.name, cvm_id=self.cvm), timeout=PATIENCE)
        assert self.agent.manifest().id == self.name
        self.agent.say(run_res=cvms.RunResponse(computation_id=self.name))
        self.agent.event(self.name, "Running", "InProgress")
        self.book = Book(statement_of(self.name))
        self.thread.start()

    def bring(self):
        self.book.head(self.is_final)
        head = self.book.items.pop()
        self.agent.say(journal_entries=cvms.JournalEntries(computation_id=self.name, first=self.acknowledged + 1,
                                                           entries=self.book.items[self.acknowledged:], signed_head=head))
        self.lines += 1
        self.agent.log(self.name, f"line {self.lines}")
        while True:
            ack = self.agent.next("journal_ack")
            assert ack.computation_id == self.name and self.acknowledged <= ack.count <= self.book.sequence, ack
            self.acknowledged = ack.count
            if ack.count == self.book.sequence:
                return

    def step(self):
        try:
            if not self.agent:
                self.connect()
            self.book.add("log", text=f"entry {self.book.sequence + 1}", level="INFO")
            self.bring()
            self.done += 1
            self.stop.wait(0.1)
        except Refused:  # the stream has ended: it comes again
            self.agent.close()
            self.agent = None
            self.stop.wait(0.1)

    def finish(self):
        """The worker has ended: the rest of it, and what the service has of it."""
        def is_taken():
            try:
                if not self.agent:
                    self.connect()
                self.bring()
                return True
            except Refused:
                self.agent.close()
                self.agent = None
                return False
        self.book.add("end", reason="stopped")
        self.is_final = True
        until(is_taken, "the last acknowledgement", TAKES)
        rows = self.room.entries(self.name)
        assert rows == [f"{n + 1} {entry.hex()}" for n, entry in enumerate(self.book.items)], \
            (self.name, len(rows), len(self.book.items), self.acknowledged)

    def leave(self):
        if self.agent:
            self.agent.close()


class Creator(Worker):
    """A program that creates computations by the API, each with a key by which it is made once; users take turns, who have
    so many keys a day."""

    def __init__(self, room, tokens, rng):
        super().__init__()
        self.room, self.tokens, self.rng = room, tokens, rng
        self.number, self.made, self.waits = 0, {}, None

    def step(self):
        if not self.waits:
            self.number += 1
            self.waits = f"key-{self.rng.randrange(1 << 60):x}-{self.number}"
        came = self.room.ask("/api/computations", "-H", "Authorization: Bearer " + self.tokens[self.number % len(self.tokens)],
                             "-H", "Idempotency-Key: " + self.waits, "--json", json.dumps({
                                 "name": self.waits, "algorithm": {"hash": "ab" * 32, "user_key": KEY},
                                 "result_consumers": [{"user_key": KEY}]}))
        if not came or came[0] in (500, 502, 503):
            assert not came or came[0] != 500 or b"not known" in came[2], came
            self.stop.wait(0.1)
            return
        if came[0] == 409:  # who claimed the key has ended before it knew: what there is says how it went
            made = self.room.named(self.waits)
            assert len(made) < 2, (self.waits, made)
            if not made:
                self.waits = None
                return
        else:
            assert came[0] == 201, came
        self.made[self.waits] = json.loads(came[2])["id"] if came[0] == 201 else made[0]
        self.waits = None
        self.done += 1
        self.stop.wait(0.1)


class Surfer(Worker):
    """A browser that has signed in, once."""

    def __init__(self, room):
        super().__init__()
        self.room = room
        status, head, body = until(lambda: room.ask(
            "/sign-in", "-H", f"Origin: https://localhost:{room.web}", "--data-urlencode", "name=anna",
            "--data-urlencode", "password=" + PASSWORD), "an answer", TAKES)
        assert status == 303, (status, body)
        self.cookie = re.search(r"set-cookie: __host-(cocos-session=[0-9a-f]{64});", head)[1]

    def step(self):
        came = self.room.ask("/me", "-H", "Cookie: __Host-" + self.cookie)
        assert not came or came[0] in (200, 503), came
        if came and came[0] == 200:
            assert b"anna" in came[2]
            self.done += 1
        self.stop.wait(0.1)


class Follower(Worker):
    """Follows what comes of a computation, and goes on behind what it has seen."""

    def __init__(self, room, token, computation):
        super().__init__()
        self.room, self.token, self.computation = room, token, computation
        self.seen, self.process = [], None

    def step(self):
        last = ("-H", f"Last-Event-ID: {self.seen[-1][0]}") if self.seen else ()
        fields, status = {}, None
        with subprocess.Popen(self.room.curl(f"/api/computations/{self.computation}/events", "-N",
                                             "-H", "Authorization: Bearer " + self.token, *last),
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as self.process:
            for line in self.process.stdout:
                line = line.decode().rstrip("\r\n")
                if status is None:
                    status = int(line.split()[1])
                    assert status in (200, 503), line
                elif line and not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif fields.get("event") == "journal":  # what its agent's journal says meanwhile: no number of its own
                    fields = {}
                elif "data" in fields and status == 200:
                    self.seen.append((int(fields["id"]), json.loads(fields["data"])["text"]))
                    self.done += 1
                    fields = {}
        self.stop.wait(0.1)

    def close(self):
        if self.process:
            self.process.kill()


class Crowd:
    """All of them, on a room; in a `with`, which ends them and looks at what was kept."""

    def __init__(self, room, rng, journalists=2):
        self.room, self.rng = room, rng
        one = room.until_serving()
        root = Caller(one.channel)
        root("AddUser", name="anna", administrator=True)
        root("SetPassword", user="anna", password=PASSWORD)
        token = root("AddToken", user="anna", name="t").token
        tokens = []
        for user in ("bert", "carl", "dora", "emil"):
            root("AddUser", name=user, administrator=True)
            tokens.append(root("AddToken", user=user, name="t").token)
        self.journalists = [Journalist(room, f"told-{n}") for n in range(journalists)]
        for one in self.journalists:
            one.begin()
        self.creator = Creator(room, tokens, rng)
        self.follower = Follower(room, token, "told-0")
        self.others = [self.creator, Surfer(room), self.follower]
        self.token = token
        for one in self.others:
            one.thread.start()

    def workers(self):
        return [*self.journalists, *self.others]

    def goes_on(self):
        """Each of them has done something more."""
        before = [w.done for w in self.workers()]
        until(lambda: any(w.wrong for w in self.workers()) or
              all(w.done > b + 2 for w, b in zip(self.workers(), before)),
              f"that all go on ({[(type(w).__name__, w.done) for w in self.workers()]})", TAKES)
        assert not any(w.wrong for w in self.workers()), [w.wrong for w in self.workers()]

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        wrong = None
        for worker in [*self.journalists, self.creator, self.others[1]]:
            try:
                worker.end()
            except AssertionError as why:
                wrong = wrong or why
        try:
            if not kind and not wrong:
                self.look()
        finally:
            try:
                self.follower.end()
            finally:
                for one in self.journalists:
                    one.leave()
        if wrong and not kind:
            raise wrong

    def look(self):
        for one in self.journalists:
            one.finish()
        # What was acknowledged is there, and nothing twice.
        rows = self.room.computations("key-%")
        assert len({name for name, _ in rows}) == len(rows), "a computation was made twice"
        there = dict(rows)
        assert all(there.get(key) == made for key, made in self.creator.made.items()), "what was acknowledged is not there"
        assert set(there) <= set(self.creator.made) | {self.creator.waits}
        # The follower sees what the database has, each once, in its order.
        def has_all():
            return [f"{n} {text}" for n, text in self.follower.seen] == self.room.records("told-0")
        until(has_all, "all records at the follower", TAKES)


def the_second_stands_by_and_serves_nobody():
    with Room(LEASE=LONG_LEASE) as room:
        a, b = room.instances
        assert a.ready() == (200, "serving")
        until(lambda: b.ready() == (503, "standby: instance a serves"), "its words")
        assert a.metric("cocos_computations_serving") == 1 and b.metric("cocos_computations_serving") == 0
        for port in (room.agents, room.web):
            try:
                socket.create_connection(b.front(port), timeout=PATIENCE).close()
                raise AssertionError(f"one that stands by listens on {port}")
            except ConnectionRefusedError:
                pass
        assert not os.path.exists(b.socket), "one that stands by listens for administrators"
        # A service that knows nothing of instances is told so, and breaks nothing.
        with Folder() as folder:
            alone = Instance(folder, room, "x", "127.0.0.9")
            for name in ("INSTANCE", "LEASE"):
                del alone.settings["COMPUTATIONS_" + name]
            alone.begin()
            alone.process.wait_line("another service uses the PostgreSQL database")
            assert alone.process.end() == 1
        made = create(a)
        fence = room.fence()
        room.end()
        assert room.fence() == fence + 1 and room.until_serving() is b
        assert b.show(made).state == "Created"
        assert "in the place of" not in b.process.text() and b.metric("cocos_computations_takeovers_total") == 0
        room.kill()
        assert room.until_serving() is a and a.metric("cocos_computations_takeovers_total") == 1
        assert a.show(made).state == "Created"
        assert b.process.stop() == 0


def who_wakes_late_writes_nothing():
    with Room(LEASE=LONG_LEASE) as room:
        a, b = room.instances
        before = create(a)
        waits = []
        a.signal(signal.SIGSTOP)
        try:
            # They are in its sockets when it wakes.
            for n in range(20):
                waits.append(a.admin.Create.future(computations.CreateRequest(manifest=manifest(id=f"late-{n}")), timeout=TAKES))
                waits.append(a.admin.Remove.future(computations.RemoveRequest(id=before), timeout=TAKES))
                waits.append(a.admin.List.future(computations.ListRequest(), timeout=TAKES))
            until(b.serves, "the other one", TAKES)
            after = create(b)
            kept = room.server.sql("SELECT id FROM cocos_computations.computations ORDER BY id")
        finally:
            a.signal(signal.SIGCONT)
        for one in waits:
            why = one.exception()
            assert why is not None and why.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED), why
        until(a.stands_by, "it to stand by", TAKES)
        assert room.server.sql("SELECT id FROM cocos_computations.computations ORDER BY id") == kept
        assert b.show(before).state == b.show(after).state == "Created" and room.serving() is b


def who_is_cut_off_from_the_database_gives_way():
    """Its session is held up for longer than its lease, as by a network that loses everything."""
    with Room() as room:
        a, b = room.instances
        create(a)
        pid = room.server.sql("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'cocos-instance %'")
        os.kill(int(pid), signal.SIGSTOP)
        try:
            until(a.stands_by, "it to know", TAKES)
        finally:
            os.kill(int(pid), signal.SIGCONT)
        one = room.until_serving()
        assert create(one)
        assert sum(o.serves() for o in (a, b)) == 1


def a_database_without_room_is_waited_for():
    """Who stands by tries again and again to take the lease, which a full disk refuses (SQLSTATE 53100)."""
    with Room() as room:
        a, b = room.instances
        room.server.sql("CREATE SEQUENCE public.tries")
        room.server.sql("CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
                        " PERFORM nextval('public.tries'); RAISE EXCEPTION 'nothing fits' USING ERRCODE = '53100'; END $$")
        room.server.sql("CREATE TRIGGER refuse BEFORE UPDATE OF holder ON cocos_computations.lease FOR EACH ROW"
                        " EXECUTE FUNCTION public.refuse()")
        a.process.kill()
        until(lambda: "nothing fits" in b.process.text(), "its words", TAKES)
        until(lambda: int(room.server.sql("SELECT last_value FROM public.tries")) >= 4, "several tries", TAKES)
        assert b.stands_by() and b.process.text().count("nothing fits") == 1, b.process.text()
        room.server.sql("DROP TRIGGER refuse ON cocos_computations.lease")
        until(b.serves, "it to serve", TAKES)
        a.again()


def another_key_or_authority_is_refused():
    with Room(LEASE=LONG_LEASE) as room, Folder() as folder:
        a, b = room.instances
        other = Instance(folder, room, "c", "127.0.0.9").begin()
        other.process.wait_line("witness.pem' is missing, which signs the log of heads: copy it from the instance that serves")
        assert other.process.end() == 1
        settings = {**other.settings, "COMPUTATIONS_STATE_DIR": folder("state")}
        os.makedirs(folder("state"), 0o700, exist_ok=True)
        status, answer = check("cocos-computations", settings)
        assert status == 1 and failed(answer) == ["instance"], answer
        folder.write("state/witness.pem", spki()[1], 0o600)
        other.begin()
        other.process.wait_line("witness.pem' is another key than the one that signs this log")
        assert other.process.end() == 1
        with open(a.folder("state/witness.pem"), "rb") as key:
            folder.write("state/witness.pem", key.read(), 0o600)
        status, answer = check("cocos-computations", settings)
        assert status == 0, answer
        made = Process([program("cocos-computations"), "--make-ca", "example.org"], environment={
            **settings, "COMPUTATIONS_CA_CERT": folder("ca.pem"), "COMPUTATIONS_CA_KEY": folder("ca-key.pem")})
        assert made.end() == 0, made.text()
        other.settings |= {"COMPUTATIONS_CA_CERT": folder("ca.pem"), "COMPUTATIONS_CA_KEY": folder("ca-key.pem")}
        other.begin()
        other.process.wait_line("COMPUTATIONS_CA_KEY is set here, and not what instance a has")
        assert other.process.end() == 1
        assert a.serves() and b.stands_by()


def one_alone_takes_it_from_nobody_whose_lease_runs():
    with Room() as room:
        a, b = room.instances
        b.process.stop()
        a.signal(signal.SIGKILL)
        a.process.process.wait()
        with Folder() as folder:
            alone = Instance(folder, room, "x", "127.0.0.9")
            for name in ("INSTANCE", "LEASE"):
                del alone.settings["COMPUTATIONS_" + name]
            os.makedirs(folder("state"), 0o700)
            with open(a.folder("state/witness.pem"), "rb") as key:
                folder.write("state/witness.pem", key.read(), 0o600)
            alone.begin()
            first = alone.process.wait_line("instance a has the database by a lease: end it first| ready$")[0]
            if "ready" not in first:  # which it is unless this machine was very slow
                assert alone.process.end() == 1
                until(lambda: alone.begin() and "ready" in alone.process.wait_line("by a lease| ready$")[0], "its end", TAKES)
            until(alone.serves, "the one that is alone")
            b.again()
            until(lambda: b.ready() == (503, "standby: a service without COMPUTATIONS_INSTANCE serves"), "b to wait")
            assert alone.process.stop() == 0
            until(b.serves, "b", TAKES)
        a.again()


def one_alone_that_was_replaced_begins_anew():
    """Its session breaks, an instance has the database for a while, and is gone: what it remembers is of before."""
    with Room() as room, Folder() as folder:
        a, b = room.instances
        for one in (b, a):
            assert one.process.stop() == 0
        alone = Instance(folder, room, "x", "127.0.0.9")
        for name in ("INSTANCE", "LEASE"):
            del alone.settings["COMPUTATIONS_" + name]
        os.makedirs(folder("state"), 0o700)
        with open(a.folder("state/witness.pem"), "rb") as key:
            folder.write("state/witness.pem", key.read(), 0o600)
        with alone:
            until(alone.serves, "the one that is alone", TAKES)
            made = create(alone)
            b.again()
            until(lambda: b.ready() == (503, "standby: a service without COMPUTATIONS_INSTANCE serves"), "b to wait", TAKES)
            alone.signal(signal.SIGSTOP)
            try:
                room.server.sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
                until(b.serves, "b", TAKES)
                b.dial()
                b.admin.Remove(computations.RemoveRequest(id=made), timeout=PATIENCE)
                assert b.process.stop() == 0
            finally:
                alone.signal(signal.SIGCONT)

            def is_refused():
                try:
                    create(alone)
                except grpc.RpcError as why:
                    assert why.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED), why
                    return True
                raise AssertionError("it goes on as if nobody else had been there")
            assert is_refused()
            alone.process.wait_line("an instance has had the database: this one opens it anew")
            until(alone.serves, "it to serve anew", TAKES)
            alone.dial()
            assert create(alone)
        a.again()
        b.again()


def a_real_agent_and_its_computation_go_on():
    with Room() as room, Folder() as folder:
        a, b = room.instances
        with Agent(folder, room, cvm="real") as agent:
            def is_connected(one):
                return any(c.id == "real" and c.connected
                           for c in one.admin.ListCvms(computations.ListRequest(), timeout=PATIENCE).cvms)
            until(lambda: is_connected(a), "the agent")
            made = create(a, agent_config=cvms.AgentConfig(port=str(free_port())))
            a.admin.Run(computations.RunRequest(id=made, cvm_id="real"), timeout=PATIENCE)
            a.until_state(made, "Waiting for Algorithm")
            for happens in (room.kill, room.pause, room.end):
                happens()
                one = room.until_serving()
                until(lambda one=one: is_connected(one), "the agent at the other one", TAKES)
                assert one.show(made).state == "Waiting for Algorithm"
            one.admin.Stop(computations.ComputationRequest(id=made), timeout=PATIENCE)
            one.until_state(made, "Cancelled")
            until(lambda: not one.show(made).stopping, "the agent's word", TAKES)
            assert agent.process.process.poll() is None
        assert b is not None


def mails_are_sent_by_the_one_that_serves():
    def root(one):
        return types.SimpleNamespace(root=Caller(one.channel))

    with Folder() as tls:
        authority(tls)
        with Mailbox(tls, RCPT=["450 later"]) as box, Room(
                LEASE=LONG_LEASE, SMTP_URL=box.url, SMTP_FROM=FROM, SMTP_CA=tls("ca.pem")) as room:
            a, b = room.instances
            made = invite(root(a))
            until(lambda: listed(root(a))[made.number].mail_problem, "it was tried")
            a.signal(signal.SIGSTOP)
            try:
                # Due for whoever looks: for the one that sleeps, too.
                room.server.sql("UPDATE cocos_computations.mails SET due = 0")
                box.answers.clear()
                until(b.serves, "the other one", TAKES)
                b.dial()
                until_mail(root(b), made.number, "sent")
            finally:
                a.signal(signal.SIGCONT)
            until(a.stands_by, "it to stand by", TAKES)
            # The text is with the server, its answer is not back: the next one sends that message, and no other.
            box.answers["END"] = ["hang", None]
            made = invite(root(b), "bert@example.com")
            first = box.until(2)
            b.process.kill()
            until(a.serves, "the first one", TAKES)
            a.dial()
            second = box.until(3)
            assert first.raw == second.raw, (first.raw, second.raw)
            until_mail(root(a), made.number, "sent")
            assert [c.to for c in box.came] == [["anna@example.com"], ["bert@example.com"], ["bert@example.com"]]
            b.again()


def nothing_is_lost_or_doubled_in_a_storm():
    rng = random.Random(SEED)
    print(f"# seed {SEED}", flush=True)
    with Room() as room, Crowd(room, rng) as crowd:
        crowd.goes_on()
        deeds = [room.kill, room.pause, room.end, room.restart_database, room.kill_standby]
        rng.shuffle(deeds)
        fences = [room.fence()]
        for n in range(ROUNDS):
            deed = deeds[n] if n < len(deeds) else rng.choice(deeds)
            print(f"# round {n + 1}: {deed.__name__}", flush=True)
            deed()
            crowd.goes_on()
            fences.append(room.fence())
        assert fences == sorted(fences) and fences[-1] > fences[0], fences
        assert all(j.connections > 1 for j in crowd.journalists)


if __name__ == "__main__":
    tap.run([the_second_stands_by_and_serves_nobody, who_wakes_late_writes_nothing,
             who_is_cut_off_from_the_database_gives_way, a_database_without_room_is_waited_for, another_key_or_authority_is_refused,
             one_alone_takes_it_from_nobody_whose_lease_runs, one_alone_that_was_replaced_begins_anew, a_real_agent_and_its_computation_go_on,
             mails_are_sent_by_the_one_that_serves, nothing_is_lost_or_doubled_in_a_storm])
