# SPDX-License-Identifier: Apache-2.0
"""CVMs of workspaces that die: at each state of what they hold, on both databases, beside the service and while it is
killed. Their computations fail with the reason, once; what was over before stays as it was.

Usage: machine_deaths.py
"""
import contextlib
import json
import os
import sys

import tap
from harness import until
from machines import LIMITS, agent, made, ours, run, service, shown, until_state
from people import Caller
from workspaces import create

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from postgres import Postgres  # pylint: disable=wrong-import-position

# What the agent says before its CVM dies; the computation's state then; whether that is its last word.
STATES = (("ReceivingAlgorithm", "Waiting for Algorithm", False), ("ReceivingData", "Waiting for Datasets", False),
          ("Running", "Running", False), ("ConsumingResults", "Completed", False), ("Complete", "Completed", True),
          ("Failed", "Failed", True))
WHY = (("ended", "Lost", "its machine ended by itself"), ("removed", "Lost", "somebody removed it at its manager"),
       ("expired", "Removed", "its time was up"))
ROOM = LIMITS.replace("cvms=4", "cvms=100")


@contextlib.contextmanager
def databases():
    """Settings of each: SQLite, and PostgreSQL."""
    server = Postgres()
    try:
        yield {}, {"DATABASE": server.place}
    finally:
        server.close()


def killed(running):
    running.process.kill()
    running.channel.close()
    running.start()
    running.root = Caller(running.channel)


class Held:
    """A CVM whose agent has brought computation `name` to a state."""

    def __init__(self, running, name, word, state):
        self.name, self.tag = name, None
        self.cvm = made(running.root, name).cvm_id
        self.tag = next(tag for tag, cvm in running.played.created if cvm == self.cvm)
        with agent(running, self.cvm) as there:
            until_state(running, name, "Ready")
            create(running.root, name)
            run(running, name, self.cvm)
            there.manifest()
            there.event(name, word, "Failed" if word == "Failed" else "InProgress", b'{"error": "by itself"}')
            running.until_state(name, state)
            one = until_state(running, name, "Busy")
            assert one.computation_id == name, one
            # The page's and the command line's words are these.
            said = json.loads(ours(running, "cvm", "show", name, "--workspace", "default", "--json").ok())
            assert (said["state"], said["computation"]) == ("Busy", name), said


def check(running, held, gone, words, finished, before):
    """What became of it; returns what may never change again."""
    one = until_state(running, held.name, gone)
    assert words in one.reason and not one.computation_id, one
    c = running.show(held.name)
    if finished:
        assert c == before, (c, before)
    else:
        assert (c.state, c.finished, c.failure) == ("Failed", True, f"CVM {held.name} is gone: {words}"), c
        assert c.HasField("ended") and not c.stopping, c
    assert not running.root("ShowCvm", id=held.cvm).computation_id
    return c.SerializeToString(deterministic=True), one.SerializeToString(deterministic=True)


def still(running, held, was):
    """Looked at later, neither has changed: not their moments either."""
    now = running.show(held.name), shown(running, held.name)
    assert tuple(m.SerializeToString(deterministic=True) for m in now) == was, now


def at_each_state_its_computation_fails_once():
    with databases() as kinds:
        for settings in kinds:
            with service(ROOM, **settings) as running:
                ended = []
                for number, (word, state, finished) in enumerate(STATES):
                    why, gone, words = WHY[number % len(WHY)]
                    held = Held(running, f"c{number}", word, state)
                    before = running.show(held.name)
                    before.cvm_connected = False
                    before.cvm_verdict = ""
                    until(lambda name=held.name: not running.show(name).cvm_connected, "its agent is gone")
                    running.played.end(held.tag, why)
                    ended.append((held, check(running, held, gone, words, finished, before)))
                killed(running)
                for held, was in ended:
                    still(running, held, was)


def one_that_dies_while_the_service_is_dead_is_known_at_once():
    """Killed before its manager says so, and once more right after: the end has one moment, and one reason."""
    with databases() as kinds:
        for settings in kinds:
            with service(ROOM, **settings) as running:
                held = [Held(running, f"c{number}", *STATES[number][:2]) for number in range(len(STATES))]
                before = [running.show(one.name) for one in held]
                for c in before:
                    c.cvm_connected = False
                    c.cvm_verdict = ""
                running.process.kill()
                running.channel.close()
                for number, one in enumerate(held):
                    running.played.end(one.tag, WHY[number % len(WHY)][0])
                running.start()
                running.root = Caller(running.channel)
                was = [check(running, one, *WHY[number % len(WHY)][1:], STATES[number][2], before[number])
                       for number, one in enumerate(held)]
                killed(running)
                for one, said in zip(held, was):
                    still(running, one, said)


def its_agents_last_words_change_nothing():
    """A stream that is still open when the manager says that its CVM is gone is ended, and who comes again under its
    name holds nothing and ends nothing."""
    with service(ROOM) as running:
        cvm = made(running.root, "one").cvm_id
        with agent(running, cvm) as there:
            until_state(running, "one", "Ready")
            create(running.root, "c1")
            run(running, "c1", cvm)
            there.manifest()
            there.event("c1", "Running", "InProgress")
            running.until_state("c1", "Running")
            running.played.end(running.played.created[0][0], "ended")
            until_state(running, "one", "Lost")
            there.ended()
        failed = running.show("c1")
        with agent(running, cvm) as ghost:
            ghost.next("agentStateReq")
            ghost.event("c1", "Complete", "Completed")
            ghost.log("c1", "the last word")
            # Records are taken in order: the event before this line has been judged.
            until(lambda: running.show("c1").records > failed.records + 1, "its last words are kept")
            now = running.show("c1")
            assert (now.state, now.failure, now.ended) == (failed.state, failed.failure, failed.ended), now
            assert not running.root("ShowCvm", id=cvm).computation_id


if __name__ == "__main__":
    tap.run([
        at_each_state_its_computation_fails_once,
        one_that_dies_while_the_service_is_dead_is_known_at_once,
        its_agents_last_words_change_nothing,
    ])
