# SPDX-License-Identifier: Apache-2.0
"""Computations that run in a CVM which is made for that run, and removed behind it: who may, what becomes of it however the
run ends, what it takes besides, many at once, and the service killed at any moment.

Usage: machine_runs.py [SEED [KILLS]]    of the kill -9 test
"""
import atexit
import contextlib
import json
import os
import random
import sqlite3
import sys
import threading
import time

import grpc

import tap
from harness import PATIENCE, computations, until
from machines import FULL, INVALID, agent, made, manager, ours, run, service, shown, until_state
from people import DENIED, HIDDEN, NOT_NOW, OK, Caller
from workspaces import create, manifest, member

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from postgres import Postgres  # pylint: disable=wrong-import-position

SEED = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 20261123
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else 50
ROOM = "limit * cvms=100\n"
MINUTE = 60 * 1000
FINE = grpc.StatusCode.OK


def asked(caller, name, **fields):
    return caller("Run", id=name, new_cvm=True, **fields)


def made_for(running, name):
    """The CVM of that computation's run, as soon as its manager has made it."""
    new = running.show(name).new_cvm
    assert new.startswith("run-"), new
    until(lambda: shown(running, new).cvm_id, "it is made")
    return shown(running, new)


def gone(running, name, state="Removed"):
    one = until_state(running, name, state)
    assert one.cvm_id not in [vm.id for vm in running.played.there.values()], one
    return one


def restarted(running):
    running.channel.close()
    running.start()
    running.root = Caller(running.channel)


def later(running, **moments):
    """So many ms pass while the service is away: those columns of all rows of `machines` and `computations` are older."""
    running.process.kill()
    running.channel.close()
    tables = {"created": "machines", "results": "machines", "ended": "computations"}
    with contextlib.closing(sqlite3.connect(running.folder("state/computations.db"))) as database:
        for column, ms in moments.items():
            with database:
                database.execute(f"UPDATE {tables[column]} SET {column} = {column} - ? WHERE {column} > 0", (ms,))
    running.start()
    running.root = Caller(running.channel)


@contextlib.contextmanager
def held(running, name="c1", **fields):
    """A computation that a new CVM's agent has."""
    create(running.root, name)
    asked(running.root, name, **fields)
    one = made_for(running, name)
    with agent(running, one.cvm_id) as there:
        assert there.manifest().id == name
        until_state(running, one.name, "Busy")
        yield there, shown(running, one.name)


def one_is_made_used_and_removed():
    with service(ROOM) as running:
        create(running.root, "c1")
        ran = ours(running, "computation", "run", "c1", "--new-cvm", "--cpus", "2", "--memory", "1G", "--tee", "none",
                   "--image", "base", "--ttl", "90m", "--keep", "5m")
        assert "new CVM      run-" in ran.ok() and "(it waits for it)" in ran.out, ran.out
        one = made_for(running, "c1")
        assert ("export AGENT_GRPC_URL=" in ran.out) != (f"cvm show {one.name} --workspace default" in ran.err), ran
        assert json.loads(ours(running, "computation", "show", "c1", "-o", "json").ok())["new_cvm"] == one.name
        assert f'"new_cvm": "{one.name}"\n' in ours(running, "computation", "show", "c1", "-o", "yaml").ok()
        assert f'name": "{one.name}"\n' in ours(running, "cvm", "show", one.name, "--workspace", "default", "-o", "yaml").ok()
        last = until(lambda: running.played.last, "its manager is asked")
        assert (last.cpus, last.memory, last.ttl, last.tee, last.image) == (2, 1 << 30, "90m", "none", "base"), last
        assert (one.state, one.made_for, one.computation_id) == ("Provisioning", "c1", ""), one
        assert "made for     c1, and is removed behind it" in ours(running, "cvm", "show", one.name, "--workspace",
                                                                   "default").ok()
        c1 = running.show("c1")
        assert (c1.state, c1.new_cvm, c1.cvm_id) == ("Created", one.name, ""), c1
        # Nobody takes it for anything else, nor has the computation run elsewhere meanwhile.
        assert running.root.code("Run", id="c1") == NOT_NOW
        assert "being made for" in running.root.text("Run", id="c1", new_cvm=True)
        # It is run as it was when that was asked for.
        assert "is going to be run" in running.root.text("Update", manifest=manifest("c1"))
        ours(running, "cvm", "remove", one.name).refused(1, "is made for computation 'c1'")
        with agent(running, one.cvm_id) as there:
            assert there.manifest().id == "c1"
            until_state(running, one.name, "Busy")
            create(running.root, "c2")
            assert running.root.code("Run", id="c2") == NOT_NOW
            assert "is not connected" in running.root.text("Run", id="c2", cvm_id=one.cvm_id)
            there.event("c1", "Running", "InProgress")
            there.event("c1", "ConsumingResults", "Completed")
            running.until_state("c1", "Completed")
            there.event("c1", "Complete", "Completed")
            until(lambda: running.show("c1").finished, "it is over")
            # What is on its way has a minute.
            assert shown(running, one.name).state == "Busy"
            later(running, ended=MINUTE)
            gone(running, one.name)
        c1 = running.show("c1")
        assert (c1.state, c1.finished, c1.failure, c1.new_cvm) == ("Completed", True, "", ""), c1
        assert not running.played.there and len(running.played.created) == 1
        rows = [json.loads(row) for row in running.root("Audit").rows]
        assert any(row["what"].endswith("/Run") and "asked of manager here: CVM " + one.name in row["after"] and
                   row["object"] == "computation c1" for row in rows), rows


def who_may_have_one_made():
    """He who may run it, and have CVMs made where it is: neither alone."""
    with service(ROOM) as running:
        running.root("AddWorkspace", name="lab")
        create(running.root, "c1", "lab")
        head = member(running, "head", "lab", "administrator")
        runner, outsider = member(running, "runner", "lab"), member(running, "outsider", "default", "administrator")
        running.root("GiveRole", computation_id="c1", role="runner", user="runner")
        narrow = Caller(running.channel, running.root("AddToken", user="head", name="n", actions=["view"]).token)
        assert runner.code("Run", id="c1", new_cvm=True) == DENIED
        assert narrow.code("Run", id="c1", new_cvm=True) == DENIED
        assert outsider.code("Run", id="c1", new_cvm=True) == HIDDEN
        create(running.root, "hidden", "default")
        there, none = (head.text("Run", id=name, new_cvm=True) for name in ("hidden", "nowhere"))
        assert there.replace("hidden", "x") == none.replace("nowhere", "x"), (there, none)
        assert not running.played.asked
        assert asked(head, "c1").new_cvm
        one = shown(running, running.show("c1").new_cvm, "lab")
        # Its name is no key in another workspace.
        assert outsider.code("RemoveCvm", name=one.name, workspace="default") == HIDDEN
        assert outsider.code("ShowMachine", name=one.name, workspace="lab") == HIDDEN
        # Who sees the CVM and not the computation is not told which it is for.
        viewer = member(running, "viewer", "lab", "viewer")
        seen = {who: caller("ShowMachine", name=one.name, workspace="lab").made_for
                for who, caller in (("head", head), ("viewer", viewer))}
        assert seen["head"] == "c1" and seen["viewer"] in ("", "c1"), seen
        assert bool(seen["viewer"]) == (viewer.code("Show", computations.ComputationRequest(id="c1")) == OK), seen


def what_is_no_wish_is_refused_in_one_line():
    with service(ROOM) as running:
        create(running.root, "c1")
        good = {"id": "c1", "new_cvm": True}
        for fields, words in (({"cvm_id": "x"}, "say one of them"), ({"keep_ms": MINUTE - 1}, "say 60000 to 604800000"),
                              ({"keep_ms": 7 * 24 * 60 * MINUTE + 1}, "say 60000 to 604800000"), ({"cpus": 4097}, "4096"),
                              ({"memory": (1 << 46) + 1}, "at most"), ({"image": "x" * 129}, "128"),
                              ({"ttl_ms": 87600 * 3600000 + 1}, "at most"), ({"manager": "there"}, "there")):
            text = running.root.text("Run", **{**good, **fields})
            assert words in text and "\n" not in text, (fields, text)
        for fields in ({"manager": "here"}, {"image": "x"}, {"tee": "none"}, {"cpus": 1}, {"memory": 1}, {"ttl_ms": 1},
                       {"keep_ms": MINUTE}):
            assert running.root.code("Run", id="c1", **fields) == INVALID, fields
            assert "new_cvm" in running.root.text("Run", id="c1", **fields)
        for words, said in ((("--cpus", "2"), "--cpus is of a new CVM"), (("--keep", "5m"), "--keep is of a new CVM"),
                            (("--new-cvm", "--cvm", "x"), "give one of them"), (("--new-cvm", "--keep", "0s"), "--keep"),
                            (("--new-cvm", "--wait"), "leave it out"),
                            (("--new-cvm", "--save-profile", "p"), "known once it is made")):
            ours(running, "computation", "run", "c1", *words).refused(2, said)
        assert not running.played.asked and running.show("c1").state == "Created"
        for number, keep in enumerate((MINUTE, 7 * 24 * 60 * MINUTE)):
            create(running.root, f"k{number}")
            assert asked(running.root, f"k{number}", keep_ms=keep).new_cvm


def however_the_run_ends_it_is_removed():
    def fails(there, _):
        there.event("c1", "Failed", "Failed", b'{"error": "by itself"}')
        return "Failed"

    def stopped(_, running):
        running.root("Stop", computations.ComputationRequest(id="c1"))
        return "Cancelled"

    def dies(_, running):
        running.played.end(running.played.created[0][0], "ended")
        return "Failed"

    def forgotten(_, running):
        running.root("Remove", id="c1", force=True)

    for end in (fails, stopped, dies, forgotten):
        with service(ROOM) as running, held(running) as (there, one):
            state = end(there, running)
            gone(running, one.name, "Lost" if end is dies else "Removed")
            there.ended()
            if state:
                c1 = running.show("c1")
                assert (c1.state, c1.finished, c1.new_cvm) == (state, True, "") and not c1.stopping, c1
                assert bool(c1.failure) == (state == "Failed"), c1
            assert not running.played.there and not running.root("ShowCvm", id=one.cvm_id).computation_id


def one_that_nobody_needs_yet_is_removed():
    """Stopped, forgotten or forced while its CVM is made; and its manager refuses, or loses it."""
    def stop(running, _):
        running.root("Stop", computations.ComputationRequest(id="c1"))
        return "Cancelled", "Removed", ""

    def remove(running, _):
        running.root("Remove", id="c1")
        return None, "Removed", ""

    def force(running, one):
        running.root("RemoveCvm", name=one.name, force=True)
        return "Failed", "Removed", f"CVM {one.name} is gone: it was removed"

    def die(running, one):
        running.played.end(running.played.created[0][0], "ended")
        return "Failed", "Lost", f"CVM {one.name} is gone: its machine ended by itself"

    for end in (stop, remove, force, die):
        with service(ROOM) as running:
            create(running.root, "c1")
            asked(running.root, "c1")
            one = made_for(running, "c1")
            state, kind, failure = end(running, one)
            gone(running, one.name, kind)
            assert not running.played.there
            if state:
                c1 = running.show("c1")
                assert (c1.state, c1.failure, c1.finished, c1.new_cvm) == (state, failure, True, ""), c1
    with service(ROOM) as running:
        running.played.says["CreateVm"] = lambda _, context: context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no image")
        create(running.root, "c1")
        name = asked(running.root, "c1").new_cvm
        until_state(running, name, "Removed")
        c1 = running.show("c1")
        assert c1.state == "Failed" and "manager here refuses it: no image" in c1.failure, c1


def results_wait_as_long_as_was_said():
    with service(ROOM) as running:
        with held(running, keep_ms=60 * MINUTE) as (there, one):
            there.answers_state = "ConsumingResults"
            there.event("c1", "ConsumingResults", "Completed")
            running.until_state("c1", "Completed")
            with contextlib.closing(sqlite3.connect(running.folder("state/computations.db"))) as database:
                until(lambda: database.execute("SELECT results FROM machines").fetchone()[0], "it is known since when")
            later(running, results=30 * MINUTE)
            until_state(running, one.name, "Busy")
        until(lambda: running.played.asked.count("GetVm") > 2, "it is looked at")
        assert shown(running, one.name).state == "Busy" and running.show("c1").state == "Completed"
        later(running, results=30 * MINUTE)
        gone(running, one.name)
        c1 = running.show("c1")
        assert c1.state == "Failed" and "its results were not fetched" in c1.failure, c1


def a_computation_does_not_wait_for_ever():
    with service(ROOM) as running:
        create(running.root, "c1")
        asked(running.root, "c1")
        one = made_for(running, "c1")
        later(running, created=15 * MINUTE)
        until(lambda: running.played.asked.count("GetVm") > 1, "it is looked at")
        assert running.show("c1").state == "Created"
        later(running, created=15 * MINUTE)
        gone(running, one.name)
        c1 = running.show("c1")
        assert c1.state == "Failed" and "did not take it within 30 minutes: its agent has not connected" in c1.failure, c1
    # Also if its manager can't be asked: it is removed when it can.
    with service(ROOM, play=False) as running:
        create(running.root, "c1")
        name = asked(running.root, "c1").new_cvm
        until(lambda: shown(running, name).reason, "what keeps it")
        later(running, created=30 * MINUTE)
        running.until_state("c1", "Failed")
        assert "manager here: " in running.show("c1").failure
        with running.played:
            gone(running, name)
            assert not running.played.created


def one_that_failed_is_run_again_in_a_new_one():
    with service(ROOM) as running:
        with held(running) as (there, first):
            there.event("c1", "Failed", "Failed", b"{}")
            gone(running, first.name)
        # It does not come back: nobody is told to wait for it.
        ours(running, "computation", "retry", "c1").refused(1, "was made for that run, and is removed with it")
        out = ours(running, "computation", "retry", "c1", "--new-cvm").ok()
        assert "new CVM      run-" in out, out
        second = made_for(running, "c1")
        assert second.name != first.name
        with agent(running, second.cvm_id) as there:
            assert there.manifest().id == "c1" and there.attempt == 2
            until_state(running, second.name, "Busy")
        running.root("Remove", id="c1", force=True)
        gone(running, second.name)
        # One of that id that somebody makes anew is another one: also at once, while the CVM of the first is there.
        create(running.root, "c1")
        third = shown(running, asked(running.root, "c1").new_cvm)
        running.root("Remove", id="c1")
        create(running.root, "c1")
        gone(running, third.name)
        c1 = running.show("c1")
        assert (c1.state, c1.cvm_id, c1.new_cvm) == ("Created", "", ""), c1


def many_at_once_stay_within_the_limit():
    """Of 12 that ask at the same moment 5 get one, and each of those gets one."""
    with service("limit default cvms=5 cpus=10 memory=10G\n") as running:
        names = [f"c{number}" for number in range(12)]
        for name in names:
            create(running.root, name)
        calls = [(name, running.admin.Run.future(computations.RunRequest(id=name, new_cvm=True, cpus=2, memory=1 << 30),
                                                 timeout=PATIENCE)) for name in names for _ in range(2)]
        codes = [(name, call.code()) for name, call in calls]
        good = [name for name, code in codes if code == FINE]
        assert len(good) == len(set(good)) == 5 and {code for _, code in codes} <= {FINE, FULL, NOT_NOW}, codes
        for name in good:
            made_for(running, name)
        assert len(running.played.there) == len(running.played.created) == 5
        assert running.root.code("CreateCvm", name="x", workspace="default", cpus=1, memory=1) == FULL
        for name in good:
            running.root("Stop", computations.ComputationRequest(id=name))
        until(lambda: not running.played.there, "none is left")
        # The service is told behind that.
        until(lambda: not [m for m in machines_of(running) if not m.HasField("ended")], "its rows")
        made(running.root, "x", cpus=1, memory=1)


class Owner:
    """Somebody whose computations run in new CVMs, one after the other, and end in one way or another."""

    def __init__(self, name):
        self.prefix, self.number, self.asked_for = name, 0, set()

    def name(self):
        return f"{self.prefix}-{self.number}"

    def step(self, running, dice):
        try:
            if dice.random() < 0.5 or not self.number:
                self.number += 1
                self.asked_for.add(self.name())  # it may be there without an answer, and be run then
                create(running.root, self.name())
                asked(running.root, self.name())
            elif dice.random() < 0.5:
                running.root("Stop", computations.ComputationRequest(id=self.name()))
            else:
                code = running.root.code("Run", id=self.name(), new_cvm=True, again=True)
                if code == grpc.StatusCode.UNAVAILABLE:
                    return code
        except grpc.RpcError as error:
            return error.code() if error.code() == grpc.StatusCode.UNAVAILABLE else OK
        return OK


class Agents:
    """An agent in each machine that is there, which takes what it is given and fails it, or has no time to."""

    def __init__(self, running):
        self.running, self.there, self.given = running, {}, {}

    def look(self):
        alive = {vm.id for vm in self.running.played.there.values() if vm.state == "running"}
        for cvm in list(self.there):
            if cvm not in alive:
                self.there.pop(cvm).close()
        for cvm in alive - set(self.there):
            self.there[cvm] = agent(self.running, cvm)

    def wait_busy(self):
        """Until one of them has got something, or for 3 s: perhaps nothing waits."""
        for _ in range(30):
            if any(one.heard.qsize() > 1 for one in self.there.values()):
                return
            self.look()
            time.sleep(0.1)

    def close(self):
        for one in self.there.values():
            one.close()
        self.there = {}


def killed_at_any_moment_nothing_is_double_or_left():
    for place in (None, POSTGRES):
        dice = random.Random(SEED)
        kills = KILLS if not place else max(KILLS // 5, 1)
        print(f"# seed {SEED}, {kills} kills on {'PostgreSQL' if place else 'SQLite'}")
        with service(ROOM, **({"DATABASE": place.place} if place else {})) as running:
            kill_often(running, dice, kills)


def kill_often(running, dice, kills):
    running.played.pause = lambda: time.sleep(0.005)
    owners = [Owner(f"o{n}") for n in range(3)]
    for _ in range(kills):
        stop, agents = threading.Event(), Agents(running)
        left = [random.Random(dice.random()) for _ in owners]

        def work(owner, own, stop=stop):
            while not stop.is_set() and owner.step(running, own) == OK:
                pass
        threads = [threading.Thread(target=work, args=pair) for pair in zip(owners, left)]
        for thread in threads:
            thread.start()
        wanted = len(running.played.asked) + dice.randrange(6)
        # The first round makes one at least: looks at what is there would count as well, and nothing would be tried.
        until(lambda wanted=wanted: len(running.played.asked) >= wanted and running.played.created, "calls")
        agents.look()
        if dice.random() < 0.4:  # some are killed where an agent has got a computation
            agents.wait_busy()
        time.sleep(dice.random() * 0.02)  # where in a call is luck; that it is somewhere is enough
        running.process.kill()
        stop.set()
        for thread in threads:
            thread.join()
        agents.close()
        restarted(running)
    settle(running, owners)


def machines_of(running):
    pages = [running.root("ListMachines", workspace="default")]
    while pages[-1].next:
        pages.append(running.root("ListMachines", workspace="default", after=pages[-1].next))
    return [m for page in pages for m in page.machines]


def settle(running, owners):
    """No run has two; what is left waits for an agent; and when all is stopped, nothing is there."""
    names = sorted(name for owner in owners for name in owner.asked_for)
    assert names and running.played.created, names

    def alive():
        return [m for m in machines_of(running) if not m.HasField("ended")]

    def still():
        return all(m.cvm_id and not m.leaving for m in alive()) and sorted(m.cvm_id for m in alive()) == \
            sorted(vm.id for vm in running.played.there.values() if vm.state == "running")
    until(still, "a machine for each row, and a row for each machine")
    runs = [m.made_for for m in alive()]
    assert len(runs) == len(set(runs)) and set(runs) <= set(names), runs
    print(f"# {len(names)} computations, {len(running.played.created)} machines, {len(runs)} at the end")
    for name in names:
        if running.root.code("Show", computations.ComputationRequest(id=name)) == OK:
            c = running.show(name)
            assert not (c.new_cvm and c.finished and not c.stopping) or name in runs, c
            running.root("Stop", computations.ComputationRequest(id=name))
    until(lambda: not alive() and not running.played.there, "nothing is left")
    for name in names:
        if running.root.code("Show", computations.ComputationRequest(id=name)) == OK:
            c = running.show(name)
            assert c.finished and not c.stopping and not c.new_cvm, c


if __name__ == "__main__":
    POSTGRES = Postgres()
    atexit.register(POSTGRES.close)
    tap.run([
        one_is_made_used_and_removed,
        who_may_have_one_made,
        what_is_no_wish_is_refused_in_one_line,
        however_the_run_ends_it_is_removed,
        one_that_nobody_needs_yet_is_removed,
        results_wait_as_long_as_was_said,
        a_computation_does_not_wait_for_ever,
        one_that_failed_is_run_again_in_a_new_one,
        many_at_once_stay_within_the_limit,
        killed_at_any_moment_nothing_is_double_or_left,
    ])
