# SPDX-License-Identifier: Apache-2.0
"""CVMs whose host goes to another manager, of those that share a database: the computation service finds them there; and
managers that say in turn that the other one has them.

Usage: machine_moves.py
"""
import contextlib

import grpc

import tap
from harness import Computations, Folder, until
from machines import LIMITS, agent, made, ours, shown, until_state
from people import Caller
from played_manager import PlayedManager

NOT_HERE = "CVM: manager b has it by now: ask that one"


def refuse(code, words):
    def say(_, context):
        context.abort(code, words)
    return say


@contextlib.contextmanager
def service(names=("a", "b", "c"), **settings):
    """The service with managers a and b of one fleet, and c of none; all of them are played."""
    with Folder() as folder, contextlib.ExitStack() as stack:
        table = folder.write("managers", "".join(
            f"manager {n} unix:{folder(n + '.sock')} agents=10.0.2.2:7001{' fleet=ward' if n != 'c' else ''}\n"
            for n in names) + LIMITS)
        played = {n: stack.enter_context(PlayedManager(folder(n + ".sock"))) for n in names}
        running = stack.enter_context(Computations(folder, MANAGERS=table, **settings))
        running.root = Caller(running.channel)
        running.a, running.b, running.c = (played.get(n) for n in ("a", "b", "c"))
        yield running


def takes(b, a):
    """The one has all that the other one had."""
    with a.lock, b.lock:
        b.there.update(a.there)
        a.there.clear()


def stands_by(played, code=grpc.StatusCode.FAILED_PRECONDITION):
    for method in ("GetVm", "RemoveVm"):
        played.says[method] = refuse(code, NOT_HERE)
    played.says["CreateVm"] = refuse(grpc.StatusCode.UNAVAILABLE, "this manager holds no host now")


def until_at(running, name, manager):
    until(lambda: shown(running, name).manager == manager, f"CVM {name} at manager {manager}")


def a_cvm_is_found_where_its_host_went():
    with service() as running:
        cvm = made(running.root, "one", manager="a").cvm_id
        with agent(running, cvm):
            until_state(running, "one", "Ready")
            stands_by(running.a)
            takes(running.b, running.a)
            until_at(running, "one", "b")
            assert until_state(running, "one", "Ready").cvm_id == cvm
            running.process.kill()  # it is still known
            running.channel.close()
            running.start()
            running.root = Caller(running.channel)
            assert shown(running, "one").manager == "b"
        ours(running, "cvm", "remove", "one", "--force").ok()
        assert not running.b.there and "RemoveVm" in running.b.asked
        assert not running.c.asked and not running.b.created, "nobody else is asked, and nothing is made again"


def a_cvm_of_a_manager_that_is_gone_is_found_and_removed():
    with service() as running:
        made(running.root, "one", manager="a")
        takes(running.b, running.a)
        running.a.__exit__()
        ours(running, "cvm", "remove", "one", "--force")
        until(lambda: shown(running, "one").state == "Removed", "its end")
        assert not running.b.there and not running.c.asked


def what_a_manager_that_stands_by_does_not_make_the_other_one_makes():
    with service() as running:
        stands_by(running.a, grpc.StatusCode.NOT_FOUND)
        ours(running, "cvm", "create", "one", "--manager", "a")
        until(lambda: shown(running, "one").cvm_id, "it made")
        assert shown(running, "one").manager == "b"
        assert len(running.b.created) == 1 and not running.a.created and not running.c.asked


def who_names_no_manager_of_the_only_fleet_has_a_cvm_of_any():
    with service(("a", "b")) as running:
        stands_by(running.a, grpc.StatusCode.NOT_FOUND)
        ours(running, "cvm", "create", "one").ok()
        until(lambda: shown(running, "one").cvm_id, "it made")
        assert shown(running, "one").manager == "b"
        assert len(running.b.created) == 1 and not running.a.created
    with service() as running:
        ours(running, "cvm", "create", "one").refused(1, "this service has 3 managers: say which one")
        assert not any(played.asked for played in (running.a, running.b, running.c)), "nobody was asked"


def two_that_say_the_other_has_it_are_not_believed_for_ever():
    with service() as running:
        made(running.root, "one", manager="a")
        with running.a.lock, running.b.lock:
            running.b.there.update(running.a.there)
        for played in (running.a, running.b):
            played.says["RemoveVm"] = refuse(grpc.StatusCode.FAILED_PRECONDITION, "the other one has it")
        ours(running, "cvm", "remove", "one", "--force")
        until(lambda: "say in turn" in shown(running, "one").reason, "the reason", 600)
        reason = shown(running, "one").reason
        assert "managers a and b" in reason or "managers b and a" in reason, reason
        moves = 4
        until(lambda: running.process.text().count("has it by now") >= moves, "a line of each move")
        running.a.says.clear()  # one of them does it after all
        running.b.says.clear()
        until(lambda: shown(running, "one").state == "Removed", "its end", 600)
        assert running.process.text().count("has it by now") == moves


def another_ones_word_is_looked_at():
    """What another manager says has to be of this CVM: its name and its id."""
    with service() as running:
        made(running.root, "one", manager="a")
        cvm = next(iter(running.a.there.values()))
        stands_by(running.a)

        def lie(_, __):
            other = type(cvm)()
            other.CopyFrom(cvm)
            other.id = "00000000-0000-4000-8000-000000000001"
            return other
        running.b.says["GetVm"] = lie
        until(lambda: running.b.asked.count("GetVm") > 2, "that it is asked")
        assert shown(running, "one").manager == "a" and shown(running, "one").state != "Lost"
        running.b.says.clear()
        takes(running.b, running.a)
        until_at(running, "one", "b")


if __name__ == "__main__":
    tap.run(tap.side_by_side(
        a_cvm_is_found_where_its_host_went, a_cvm_of_a_manager_that_is_gone_is_found_and_removed,
        what_a_manager_that_stands_by_does_not_make_the_other_one_makes,
        who_names_no_manager_of_the_only_fleet_has_a_cvm_of_any,
        two_that_say_the_other_has_it_are_not_believed_for_ever, another_ones_word_is_looked_at))
