# SPDX-License-Identifier: Apache-2.0
"""kill -9 of cocos-computations at random moments, on both databases, while programs, administrators and agents are at work:
what was acknowledged is there afterwards, and once. Then two instances on one PostgreSQL, of which the one that serves is
killed, while browsers, followers of events and agents go on.

Each worker keeps a ledger of what it was told. What it was not told of is looked up once the service is back, as its
documentation says, and is there once or not at all.

Usage: service_kills.py [SEED]; COCOS_KILLS says how many (of each of the three)."""
import collections
import contextlib
import http.client
import json
import os
import random
import sqlite3
import sys
import time

import grpc

import sample
import tap
from computations_service import manifest
from harness import PATIENCE, ROOT, Computations, FakeAgent, Folder, Process, Refused, computations, cvms, program, until
from hook_receiver import NETWORKS, Hooks, Receiver
from instance_room import TAKES, Room
from instances import KEY, Crowd, Follower, Journalist, Worker
from people import Caller
from ports import free_port

sys.path.insert(0, os.path.join(ROOT, "tests"))
from postgres import Postgres  # pylint: disable=wrong-import-position

LONG = os.environ.get("COCOS_TEST_LONG") == "1"
KILLS = int(os.environ.get("COCOS_KILLS", sample.of(10, 200)))
TAKEN_OVER = int(os.environ.get("COCOS_KILLS", sample.of(2, 50)))
SEED = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else \
    random.SystemRandom().randrange(1 << 32) if LONG else 20261123
CUT = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
EACH, KEYS = 8, 900  # users of a creator, one after the other: each has 1000 Idempotency-Keys a day
PAUSE = 0.03  # seconds between two deeds of a worker: more than one of them is under way at any moment


class Cut(Exception):
    """No answer: whether it was done is not known."""


class Place(Computations):
    """A service on one database, as a room of instances.py: what workers ask for, and what the database has."""

    def __init__(self, folder, server, **settings):
        self.server, self.web = server, free_port()
        super().__init__(folder, WEB=f"127.0.0.1:{self.web}", WEBHOOK_NETWORKS=NETWORKS, WEBHOOK_HTTP="true",
                         **({"DATABASE": server.place} if server else {}), **settings)
        self.agents = int(self.settings["COMPUTATIONS_GRPC_PORT"])

    def until_serving(self):
        return self

    def curl(self, path, *options):
        return ["curl", "-sS", "-i", "--max-time", str(TAKES), *options, f"http://localhost:{self.web}{path}"]

    def ask(self, method, path, token, body=None, key=None):
        """(status, what it says); Cut."""
        connection = http.client.HTTPConnection("127.0.0.1", self.web, timeout=PATIENCE)
        headers = {"Host": "localhost", "Authorization": "Bearer " + token, **({"Idempotency-Key": key} if key else {}),
                   **({"Content-Type": "application/json"} if body else {})}
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as why:
            raise Cut(str(why)) from None
        finally:
            connection.close()
        if answer.status == 503:
            raise Cut("503")
        return answer.status, json.loads(text) if text else None

    @contextlib.contextmanager
    def caller(self):
        """A channel of its own: one that has seen the service die tries again when it likes. Raises Cut."""
        channel = grpc.insecure_channel("unix:" + self.socket)
        try:
            yield Caller(channel)
        except grpc.RpcError as error:
            if error.code() in CUT:
                raise Cut(error.details()) from None
            raise
        finally:
            channel.close()

    # What the database has.

    def rows(self, query):
        if self.server:
            text = self.server.sql(query.replace("{hex}", "encode(bytes, 'hex')").replace("{in}", "cocos_computations."))
            return [row for row in text.split("\n") if row]
        with contextlib.closing(sqlite3.connect(self.folder("state/computations.db"), timeout=PATIENCE)) as database:
            return [row[0] for row in database.execute(query.replace("{hex}", "lower(hex(bytes))").replace("{in}", ""))]

    def entries(self, computation):
        return self.rows("SELECT sequence || ' ' || {hex} FROM {in}entries"
                         f" WHERE computation = '{computation}' ORDER BY run, sequence")

    def records(self, computation):
        return self.rows("SELECT r.number || ' ' || r.text FROM {in}records r JOIN {in}journals j ON j.number = r.journal"
                         f" WHERE j.owner = 'c:{computation}' ORDER BY r.number")

    # What happens to it.

    def die(self, rng):
        """At a random moment of its life, or of its start. A channel of the last life says nothing of this one."""
        self.process.kill()
        self.channel.close()
        early = rng.random() < 0.15
        if early:
            config = self.folder("computations.conf")
            self.process = Process([program("cocos-computations"), "--config", config])
            time.sleep(rng.random() * 0.2)
            self.process.kill()
        self.start()
        return 1 + early


# What is created with a key: path, what is sent, and [(name, id)] of all that there are.

def computations_there(place):
    found, after = [], ""
    with place.caller() as root:
        while True:
            page = root("List", after=after)
            found += [(c.name, c.id) for c in page.computations]
            after = page.next
            if not after:
                return found


def invitations_there(place):
    with place.caller() as root:
        return [(i.note, str(i.number)) for i in root("ListInvitations", workspace="default").invitations]


def webhooks_there(place):
    channel = grpc.insecure_channel("unix:" + place.socket)
    try:
        return [(h.description, str(h.number)) for h in Hooks(channel)("List", workspace="default").webhooks]
    except grpc.RpcError as error:
        if error.code() in CUT:
            raise Cut(error.details()) from None
        raise
    finally:
        channel.close()


KINDS = {
    "computations": ("/api/computations", computations_there, False, lambda name: {
        "name": name, "algorithm": {"hash": "ab" * 32, "user_key": KEY}, "result_consumers": [{"user_key": KEY}]}),
    "invitations": ("/api/workspaces/default/invitations", invitations_there, True, lambda name: {"note": name}),
    "webhooks": ("/api/workspaces/default/webhooks", webhooks_there, True, lambda name: {
        "url": "http://localhost:9/none", "description": name, "events": ["statement.ready"]}),
}


class Creator(Worker):
    """Creates things of one kind by the API, and removes some of them again."""

    def __init__(self, place, kind, tokens):
        super().__init__()
        self.place, self.kind, self.tokens = place, kind, tokens
        self.path, self.there, self.removes, self.body = KINDS[kind]
        self.number, self.tries, self.name = 0, 0, None
        self.made, self.removed, self.removing, self.unknown, self.again = {}, set(), None, 0, 0

    def token(self):
        return self.tokens[self.tries // KEYS]

    def step(self):
        try:
            if self.removing:
                self.remove()
            else:
                self.create()
        except Cut:
            self.unknown += 1
            self.stop.wait(0.05)
            return
        self.stop.wait(PAUSE)

    def create(self):
        if not self.name:
            self.number += 1
            self.tries += 1
            self.name = f"{self.kind}-{self.number}"
        status, said = self.place.ask("POST", self.path, self.token(), self.body(self.name), f"{self.kind}-{self.tries}")
        if status == 429:  # it knows no token since it was killed: one that only reads tells it whose this is
            assert "show who you are with one that only reads" in said["detail"], said
            assert self.place.ask("GET", "/api/me", self.token())[0] == 200
            return
        if status == 409:  # it died before it knew, behind the claim: what there is says how it went
            self.again += 1
            known = [made for name, made in self.there(self.place) if name == self.name]
            assert len(known) < 2, (self.name, known)
            if not known:
                self.tries += 1
                return
            known = known[0]
        else:
            assert status == 201, (status, said)
            known = str(said["id"] if "id" in said else said["number"])
        self.made[self.name] = known
        self.done += 1
        self.removing = self.name if self.removes else None
        self.name = None

    def remove(self):
        status, said = self.place.ask("DELETE", f"{self.path}/{self.made[self.removing]}", self.token())
        if status == 429:
            assert self.place.ask("GET", "/api/me", self.token())[0] == 200
            return
        assert status in (204, 404), (status, said)  # 404: it was done, and nobody was told
        self.removed.add(self.removing)
        self.removing = None

    def look(self):
        """Nothing happens any more."""
        there = collections.defaultdict(list)
        for name, known in self.there(self.place):
            if name.startswith(self.kind + "-"):
                there[name].append(known)
        assert all(len(known) == 1 for known in there.values()), {n: k for n, k in there.items() if len(k) > 1}
        kept = {name: known for name, known in self.made.items() if name not in self.removed}
        lost = {name: known for name, known in kept.items() if there.get(name) != [known] and name != self.removing}
        assert not lost, f"what was acknowledged is not there: {lost}"
        more = set(there) - set(kept) - {self.name, self.removing}
        assert not more, f"what nobody was told of, or was removed: {more}"


class Changer(Worker):
    """Calls a computation otherwise, over and over: it is called as was acknowledged last, or as was asked since."""

    def __init__(self, place):
        super().__init__()
        self.place, self.number, self.known, self.asked, self.unknown = place, 0, "renamed", None, 0
        with place.caller() as root:
            root("Create", manifest=manifest(id="renamed", name="renamed"))

    def step(self):
        try:
            with self.place.caller() as root:
                self.look(root)
                self.number += 1
                self.asked = f"renamed-{self.number}"
                root("Rename", id="renamed", name=self.asked)
                self.known, self.asked = self.asked, None
        except Cut:
            self.unknown += 1
            self.stop.wait(0.05)
            return
        self.done += 1
        self.stop.wait(PAUSE)

    def look(self, root):
        now = root("Show", id="renamed").name
        assert now in (self.known, self.asked), (now, self.known, self.asked)
        self.known, self.asked = now, None


class Runner(Worker):
    """Creates and runs computations, each at an agent that has come for it: it gets its manifest once, and what it says at the
    end is what becomes of it."""

    def __init__(self, place, name):
        super().__init__()
        self.place, self.prefix, self.number, self.unknown = place, name, 0, 0
        self.name, self.agent, self.state = None, None, None
        self.is_run = self.is_told = False
        self.finished, self.manifests, self.refusals = {}, collections.Counter(), collections.Counter()

    def begin(self):
        self.number += 1
        self.name, self.state = f"{self.prefix}-{self.number}", "ReceivingManifest"
        self.is_run = self.is_told = False

    def step(self):
        try:
            if not self.name:
                self.begin()
            if not self.agent:
                self.agent = FakeAgent(f"127.0.0.1:{self.place.agents}", "cvm-" + self.name, answers_state=self.state)
                self.agent.next("agentStateReq")
            with self.place.caller() as root:
                self.run_it(root)
                if not self.is_told:
                    self.take()
                self.ends(root)
        except (Cut, Refused):
            self.unknown += 1
            self.leave()
            self.stop.wait(0.05)
            return
        self.leave()
        self.finished[self.name] = True
        self.name = None
        self.done += 1
        self.stop.wait(PAUSE)

    def run_it(self, root):
        if self.is_run:
            return
        code = root.code("Create", manifest=manifest(id=self.name))
        self.judge(code, grpc.StatusCode.ALREADY_EXISTS)
        until(lambda: root.code("ShowCvm", id="cvm-" + self.name) != grpc.StatusCode.NOT_FOUND or self.is_gone(), "the CVM")
        until(lambda: self.runs(root) or self.is_gone(), "that it is run")
        if not self.is_run:
            raise Cut("its stream has ended")

    def runs(self, root):
        """False: not yet, since the service waits for a word of the agent's."""
        try:
            root("Run", id=self.name, cvm_id="cvm-" + self.name)
        except grpc.RpcError as error:
            self.judge(error.code(), grpc.StatusCode.FAILED_PRECONDITION)
            self.refusals[error.details().replace(self.name, "NAME")] += 1
            if not root("Show", id=self.name).cvm_id:
                return False  # else it was done, and nobody was told
        self.is_run = True
        return True

    def is_gone(self):
        """Its stream has ended."""
        return not self.agent.thread.is_alive()

    @staticmethod
    def judge(code, done):
        if code in CUT:
            raise Cut(str(code))
        assert code in (None, done), code

    def take(self):
        assert self.agent.manifest().id == self.name
        self.manifests[self.name] += 1
        self.is_told, self.state = True, "Running"
        self.agent.say(run_res=cvms.RunResponse(computation_id=self.name))
        self.agent.event(self.name, "Running", "InProgress")

    def ends(self, root):
        """The event may be lost with the service: the agent's state is not."""
        self.state = "Complete"
        self.agent.event(self.name, "Complete", "Completed")
        until(lambda: root("Show", id=self.name).state == "Completed" or self.is_gone() or self.stop.is_set(), "its end")
        if root("Show", id=self.name).state != "Completed":
            raise Cut("its stream has ended")

    def leave(self):
        if not self.agent:
            return
        agent, self.agent = self.agent, None
        agent.close()
        heard = [m.WhichOneof("message") for m in list(agent.heard.queue) if isinstance(m, cvms.ServerStreamMessage)]
        assert not self.is_told or "runReqChunks" not in heard, f"{self.name} came twice"

    def look(self):
        with self.place.caller() as root:
            for name in self.finished:
                now = root("Show", id=name)
                assert now.state == "Completed" and now.finished, now
        assert all(count == 1 for count in self.manifests.values()), self.manifests


class Load:
    """All of them on one service, in a `with`; with its end each looks at what is there."""

    def __init__(self, place, receiver):
        self.place, self.receiver = place, receiver
        with place.caller() as root:
            tokens = []
            for number in range(EACH * len(KINDS)):
                root("AddUser", name=f"u{number}", administrator=True)
                tokens.append(root("AddToken", user=f"u{number}", name="t").token)
        Hooks(place.channel)("Create", url=receiver.url, events=["computation.created"], description="told")
        self.creators = [Creator(place, kind, tokens[EACH * n:EACH * (n + 1)]) for n, kind in enumerate(KINDS)]
        self.journalists = [Journalist(place, f"told-{n}") for n in range(2)]
        for one in self.journalists:
            one.begin()
        self.follower = Follower(place, tokens[0], "told-0")
        self.changer = Changer(place)
        self.runners = [Runner(place, f"run{n}") for n in range(2)]
        for one in (*self.creators, self.changer, *self.runners, self.follower):
            one.thread.start()

    def workers(self):
        return [*self.creators, self.changer, *self.runners, *self.journalists, self.follower]

    def check(self):
        wrong = [(type(w).__name__, w.wrong) for w in self.workers() if w.wrong]
        assert not wrong, wrong

    def goes_on(self):
        before = [w.done for w in self.workers()]
        until(lambda: any(w.wrong for w in self.workers()) or all(w.done > b for w, b in zip(self.workers(), before)),
              "that all go on", TAKES)
        self.check()

    def end(self):
        """They stop, and the service has what they know."""
        wrong = []
        for one in (*self.creators, self.changer, *self.runners, *self.journalists):
            try:
                one.end()
            except AssertionError as why:
                wrong.append(why)
        try:
            if wrong:
                raise wrong[0]
            for one in self.journalists:
                one.finish()
            for one in (*self.creators, *self.runners):
                one.look()
            with self.place.caller() as root:
                self.changer.look(root)
            until(lambda: [f"{n} {text}" for n, text in self.follower.seen] == self.place.records("told-0"),
                  "all records at the follower", TAKES)
            lines = [text for _, text in self.follower.seen if text.startswith("line ")]
            assert len(lines) == len(set(lines)), "a line is there twice"
            self.told()
        finally:
            self.follower.end()
            for one in (*self.runners, *self.journalists):
                one.leave()

    def told(self):
        """Of each computation that was made, by one message, which may have come more than once."""
        made = {known for known in self.creators[0].made.values()} | set().union(*(r.finished for r in self.runners))

        def ids():
            found = collections.defaultdict(set)
            for came in list(self.receiver.came):
                found[came.body["data"]["computation"]].add(came.id)
            return found
        until(lambda: made <= set(ids()), "that all are told", TAKES)
        assert all(len(one) == 1 for one in ids().values()), "a message was made twice"

    def figures(self):
        kinds = ", ".join(f"{c.done} {c.kind} ({c.again} of an unknown end)" for c in self.creators)
        came = [c.id for c in self.receiver.came]
        return (f"{kinds}, {self.changer.done} changes, {sum(r.done for r in self.runners)} runs,"
                f" {sum(j.acknowledged for j in self.journalists)} entries of journals by"
                f" {sum(j.connections for j in self.journalists)} connections, {len(self.follower.seen)} records followed,"
                f" {len(set(came))} messages told, {len(came) - len(set(came))} of them again;"
                f" {sum(w.unknown for w in (*self.creators, self.changer, *self.runners))} deeds without an answer")


def killed(server):
    rng = random.Random(SEED)
    print(f"# seed {SEED}, {KILLS} kills", flush=True)
    with Folder() as folder, Receiver() as receiver, Place(folder, server) as place:
        load, kills = Load(place, receiver), 0
        try:
            load.goes_on()
            while kills < KILLS:
                time.sleep(rng.random() ** 2 * 0.8)
                kills += place.die(rng)
                load.check()
                if kills % 5 == 0:
                    load.goes_on()
            load.goes_on()
        finally:
            load.end()
        print(f"# {kills} kills: {load.figures()}", flush=True)
        for words, times in sum((r.refusals for r in load.runners), collections.Counter()).items():
            print(f"# a run was refused {times} times: {words}", flush=True)
        assert place.process.stop() == 0


def nothing_is_lost_or_doubled_on_sqlite():
    killed(None)


def nothing_is_lost_or_doubled_on_postgresql():
    server = Postgres()
    try:
        killed(server)
    finally:
        server.close()


def of_two_instances_one_is_killed():
    """Whichever serves: agents, browsers and followers go on with the other one."""
    rng = random.Random(SEED)
    print(f"# seed {SEED}, {TAKEN_OVER} kills", flush=True)
    with Room() as room, Crowd(room, rng) as crowd:
        crowd.goes_on()
        fence = room.fence()
        for _ in range(TAKEN_OVER):
            time.sleep(rng.random())
            room.kill()
            crowd.goes_on()
        assert room.fence() >= fence + TAKEN_OVER
        assert all(j.connections > TAKEN_OVER // 2 for j in crowd.journalists)
        print(f"# {TAKEN_OVER} kills: {crowd.creator.done} computations, {crowd.others[1].done} pages,"
              f" {sum(j.acknowledged for j in crowd.journalists)} entries of journals by"
              f" {sum(j.connections for j in crowd.journalists)} connections, {len(crowd.follower.seen)} records followed", flush=True)


if __name__ == "__main__":
    tap.run([nothing_is_lost_or_doubled_on_sqlite, nothing_is_lost_or_doubled_on_postgresql, of_two_instances_one_is_killed])
