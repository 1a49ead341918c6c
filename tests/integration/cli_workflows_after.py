# SPDX-License-Identifier: Apache-2.0
"""What a CVM has computed goes on to the executor of the next node: over attested TLS, to the key that the order names."""
import contextlib
import json
import os
import random
import signal

import tap
from agent_peer import pem_key
from cli_workflows_cvm import KINDS, the_sum
from harness import until
from workflow_after import SEEN, after
from workflow_cvm import kwargs, signer
from workflow_parties import raw
from workflow_played import Key
from workflow_room import node, until_let_go, world

REPORT = ("#!/usr/bin/python3\n"
          "with open('inputs/cloud:sum_patent_data/sum.txt', encoding='ascii') as file:\n"
          "    print(f'patients: {int(file.read())}')\n")


def a_sum_of_a_cvm_goes_on_to_who_reports_it():
    """With the real service, which has nothing of it but what is sealed."""
    with the_sum() as s:
        reporter = s.person("reporter")
        s.keys["reporter"] = reporter.executor_key()
        key = reporter("executor", "key", "--signing", s.folder("reporter.key")).ok().strip()
        nodes = s.nodes()
        nodes[2]["kwargs"]["cvm"]["consumer"] = key
        nodes.append(node("report", "reporter", "report", [nodes[2]["nodename"]], retries=0))
        at = [s.executor(name, *s.allowed(name)) for name in KINDS]
        path = s.folder.write("report.py", REPORT, 0o755)
        at.append(reporter.executor("reporter", "report", path, s.user, *s.proof))
        name = s.user.submit(nodes, s.keys, "--wait").ok().strip()
        assert s.user.states(name) == ("Completed", ["Done"] * 4)
        s.user("workflow", "decrypt", name, "report", "--key", s.user.key, "-o", s.folder("report")).ok()
        with open(s.folder("report"), encoding="ascii") as file:
            assert file.read() == "patients: 60\n"
        # The results themselves are not the submitter's: neither by the command for them, nor at the agent.
        s.result(name).refused(2, "is for the executor of the node that depends on it")
        for each in at:
            assert each.stop() == 143, each.text()


# Ends well when it is told to: by a signal that is of no matter to whoever does not wait for it.
MOODY = ("import os, signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGWINCH])\nsignal.sigwait([signal.SIGWINCH])\n"
         "total = 0\nfor name in os.listdir('datasets'):\n    with open('datasets/' + name) as file:\n        file.readline()\n"
         "        total += int(file.read())\nwith open('results/sum.txt', 'w') as file:\n    file.write(f'{total}\\n')\n")


def signalled(marker, number):
    """Whether there were processes with that word among their arguments, which have the signal now."""
    found = False
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
            if marker.encode() in words:
                os.kill(int(pid), number)
                found = True
    return found


class Moody:
    """The sum by an algorithm that ends when it is told to, of a node that may be tried three times."""

    def __init__(self, s):
        self.s, self.marker = s, f"cocos-test-{random.randrange(1 << 60):x}"
        s.folder.write("cloud/sum.py", MOODY)
        nodes = s.nodes()
        nodes[2]["kwargs"]["cvm"]["args"], nodes[2]["maxretries"] = [self.marker], 2
        self.at = {name: s.executor(name) for name in KINDS}
        self.name = s.user.submit(nodes, s.keys).ok().strip()

    def attempt(self):
        return self.s.user("workflow", "get", self.name, "-o", "json").json()["nodes"][2]["attempt"]

    def until_runs(self):
        until(lambda: signalled(self.marker, 0), "the algorithm")

    def end(self):
        """Well: with the sum, and each input handed over once."""
        s = self.s

        def is_completed():
            signalled(self.marker, signal.SIGWINCH)
            return s.user.states(self.name) == ("Completed", ["Done"] * 3)
        until(is_completed, "the workflow's end")
        s.result(self.name, "--wait").ok()
        with open(s.folder("got/sum.txt"), encoding="ascii") as file:
            assert file.read() == "60\n"
        for each in self.at.values():
            assert each.stop() == 143, each.text()
        for hospital in ("r1", "r2"):
            assert self.at[hospital].text().count(": handed over") == 1, self.at[hospital].text()


def a_run_that_failed_is_tried_again_in_the_same_cvm():
    """As often as the order allows, with the inputs that the agent has kept for it: nobody is asked for them again."""
    with the_sum() as s:
        m = Moody(s)
        for number in (1, 2):
            until(lambda: signalled(m.marker, signal.SIGKILL), "the algorithm")
            until(lambda n=number: m.attempt() == n + 1, "another attempt")
        m.end()
        assert m.attempt() == 3


def another_attempt_goes_on_with_what_runs():
    """Who starts the CVM was killed: the computation was not."""
    with the_sum() as s:
        m = Moody(s)
        m.until_runs()
        cloud = m.at["cloud"]
        cloud.kill()
        until_let_go(os.path.join(s.people["cloud"].env["XDG_STATE_HOME"], "cocos", "executor", s.keys[KINDS["cloud"]]))
        m.at["cloud"] = s.executor("cloud")
        until(lambda: m.attempt() == 2, "another attempt")
        m.end()
        assert m.attempt() == 2


def the_next_program_has_results_and_nothing_that_was_said_of_them():
    with world() as w, after(w) as r, r.agent(r.manifest()):
        r.compute()
        name, at = r.add(), r.executor("--once")
        assert at.end() == 0, at.text()
        assert r.told(name) == SEEN, r.told(name)
        assert w.left() == [], w.left()
        # They came once, to that key: it is no use to anybody who has it later.
        r.fetch(r.consumer_pem()).refused(1, "has fetched the result already")


def nobody_else_gets_them():
    with world() as w, after(w) as r, r.agent(r.manifest()):
        r.compute()
        for key in (pem_key(w.user.key), pem_key(signer(r.launcher)), pem_key(signer(r.peer)), pem_key(signer(Key()))):
            r.fetch(key, '--wait').refused(1, "no consumer of this computation has your key")
            assert not os.path.exists(w.folder("theirs.zip"))
        # And who may still does.
        name, at = r.add(), r.executor("--once")
        assert at.end() == 0, at.text()
        assert r.told(name) == SEEN


def who_waits_for_a_cvm_that_does_not_answer_is_let_go_by_a_cancel():
    with world() as w, after(w) as r:
        name, at = r.add(), r.executor()
        at.wait_line("fetches what a CVM has computed")
        with w.service.lock:
            w.service.cancelled.add(name)
            w.service.nodes[name][2].state = "Cancelled"
        at.wait_line("not this executor's any more")
        # It goes on with another.
        w.script("print(1)\n")
        other = w.service.add(w.order([node("a", "next", retries=0)]))
        until(lambda: w.service.nodes[other][0].state == "Done", "the next node")
        assert at.stop() == 143, at.text()
        assert w.left() == [], w.left()


def waiting_for_a_cvm_is_of_the_nodes_time():
    with world() as w, after(w) as r:
        r.order = r.make_order(seconds=1)
        name, at = r.add(), r.executor("--once")
        own = r.until_ended(name)
        assert (own.state, own.failure) == ("Failed", "its time was over: it was killed"), own.failure
        assert at.end() == 1, at.text()
        assert w.left() == [], w.left()


def who_is_told_to_stop_while_it_waits_stops():
    with world() as w, after(w) as r:
        name, at = r.add(), r.executor()
        at.wait_line("fetches what a CVM has computed")
        assert at.stop() == 143, at.text()
        assert w.service.nodes[name][2].failure == "its executor was stopped"
        assert w.left() == [], w.left()


def an_order_for_it_has_its_form():
    with world() as w:
        keys = {kind: w.key_of(kind) for kind in ("home", "cvm:cloud", "next")}
        consumer = raw(signer(keys["next"])).hex()

        def nodes(more=(), retries=0, **cvm):
            said = kwargs("127.0.0.1:1", keys["cvm:cloud"], {"a": keys["home"]}, **cvm)
            return [node("a"), node("sum", "cvm:cloud", after=["a"], kwargs=said, retries=0),
                    node("tell", "next", after=["sum"], retries=retries), *more]

        w.submit(nodes(consumer=consumer)).ok()
        for given, said in (
                (nodes(), "'consumer' is missing"), (nodes(consumer="00"), "'consumer'"),
                (nodes(consumer=consumer, retries=1), "'maxretries' of node tell is 1"),
                (nodes([node("too", "next", after=["sum"], retries=0)], consumer=consumer), "can't both depend on it"),
                (nodes([node("b"), node("more", "cvm:more", after=["tell"], retries=0,
                                        kwargs=kwargs("127.0.0.1:1", keys["cvm:cloud"], {"tell": keys["next"]},
                                                      consumer=consumer))], consumer=consumer),
                 "the results are the submitter's"),
                (nodes(consumer=consumer)[:2], "the results are the submitter's")):
            w.submit(given).refused(2, said)
        # One executor goes on with it: the order has one key.
        spec = w.folder.write("workflow.json", json.dumps(nodes(consumer=consumer)))
        words = [word for kind, key in keys.items() for word in ("--executor", f"{kind}={key.public.hex()}" + (
            f",{Key().public.hex()}" if kind == "next" else ""))]
        w("workflow", "submit", "--spec", spec, "--key", w.key, *words).refused(2, "one executor, not 2")


TESTS = [
    a_sum_of_a_cvm_goes_on_to_who_reports_it,
    a_run_that_failed_is_tried_again_in_the_same_cvm,
    another_attempt_goes_on_with_what_runs,
    the_next_program_has_results_and_nothing_that_was_said_of_them,
    nobody_else_gets_them,
    who_waits_for_a_cvm_that_does_not_answer_is_let_go_by_a_cancel,
    waiting_for_a_cvm_is_of_the_nodes_time,
    who_is_told_to_stop_while_it_waits_stops,
    an_order_for_it_has_its_form,
]

if __name__ == "__main__":
    tap.run(TESTS)
