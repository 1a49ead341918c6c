#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Workflows at cocos-computations: submitters and executors, played by tests, and those who lie."""
import contextlib
import os
import signal
import sqlite3
import sys
import threading
import time

import grpc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

import tap
from harness import Computations, Folder, until, workflows
from people import DENIED, HIDDEN, NOT_NOW, Caller as People, service, user
from user_keys import EXISTS, INVALID
from workflow_parties import DAY_MS, Caller, Executor, Submitter, hpke_open, id_of, node, raw, sign

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from postgres import Postgres  # pylint: disable=wrong-import-position

EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
GUIDE = [node("r1:get_patent_data", kind="r1-hospital_executor", function="get_patient_data", retries=3),
         node("r2:get_patent_data", kind="r2-hospital_executor", function="get_patient_data", retries=3),
         node("cloud:sum_patent_data", "r1:get_patent_data", "r2:get_patent_data", kind="cloud-hospital-executor",
              function="sum_patient_data", retries=3)]
KINDS = ["r1-hospital_executor", "r2-hospital_executor", "cloud-hospital-executor"]
CHAIN = [node("a"), node("b", "a")]


@contextlib.contextmanager
def world(database="sqlite", **settings):
    """A service, a submitter, and one executor of type 't' of another user."""
    server = Postgres() if database == "postgres" else None
    try:
        with Folder() as folder, Computations(folder, **({"DATABASE": server.place} if server else {}),
                                              **settings) as running:
            running.folder, running.root = folder, People(running.channel)
            running.server = server
            running.anna = Submitter(running, "anna")
            running.home = Executor(running, user(running, "home"))
            yield running
    finally:
        if server:
            server.close()


def states(caller, workflow):
    return [n.state for n in caller.state(workflow).nodes]


def finish_all(executor, text=b"x"):
    """Every node that is there for it."""
    count = 0
    while (taken := executor.take()):
        executor.finish(taken, text)
        count += 1
    return count


def the_guides_sum(database):
    """Two hospitals, a cloud, 60."""
    with world(database) as w:
        homes = {kind: Executor(w, user(w, f"user-{i}"), kind) for i, kind in enumerate(KINDS)}
        keys = {kind: [x.public] for kind, x in homes.items()}
        made = w.anna.submit(GUIDE, keys, name="secure sum")
        assert (made.state, made.submitter, made.name, made.workspace) == ("Running", "anna", "secure sum", "default")
        assert made.id == id_of(made.order) and made.key == w.anna.fingerprint
        assert states(w.anna, made.id) == ["Ready", "Ready", "Waiting"]
        assert homes[KINDS[2]].take() is None
        for kind, value in zip(KINDS, (b"5", b"55")):
            taken = homes[kind].take()
            assert (taken.id, taken.attempt) == (made.id, 1) and id_of(taken.order) == made.id
            assert not taken.inputs and taken.lease_seconds <= 60 and taken.seconds_left <= 600
            homes[kind].finish(taken, value)
        assert states(w.anna, made.id) == ["Done", "Done", "Ready"]
        cloud = homes[KINDS[2]]
        taken = cloud.take()
        cloud.finish(taken, str(sum(int(text) for text in cloud.inputs(taken).values())).encode())
        done = w.anna.state(made.id)
        assert done.state == "Completed" and done.nodes_done == 3 and done.HasField("ended")
        assert w.anna.result(made.id) == b"60"
        # What nobody waits for any more is gone; the digest says what it was.
        assert [n.output_bytes > 0 for n in done.nodes] == [False, False, True]
        assert all(len(n.output_digest) == 32 for n in done.nodes)
        assert [n.executor_user for n in done.nodes] == ["user-0", "user-1", "user-2"]
        assert [x.id for x in w.anna.call("List").workflows] == [made.id]
        listed = w.anna.call("ListExecutors").executors
        assert {x.type: (x.key, x.is_proven) for x in listed if x.type != "t"} == {
            kind: (x.public, True) for kind, x in homes.items()}


def retries_and_failures(database):
    with world(database) as w:
        nodes = [node("a", retries=1), node("b", "a"), node("c"), node("d", "c")]
        made = w.anna.submit(nodes, {"t": [w.home.public]})
        taken = w.home.take()
        assert (taken.number, taken.attempt) == (0, 1)
        assert w.home.take().attempt == 1  # the same again
        w.home.fail(taken, "no disk")
        w.home.fail(taken, "no disk")  # its answer got lost
        assert w.anna.state(made.id).nodes[0].failure == "no disk"
        taken = w.home.take()
        assert (taken.number, taken.attempt) == (0, 2)
        w.home.fail(taken, "no disk again")
        # That branch has failed, the other one goes on.
        assert states(w.anna, made.id) == ["Failed", "Cancelled", "Ready", "Waiting"]
        assert finish_all(w.home) == 2
        done = w.anna.state(made.id)
        assert done.state == "Failed" and done.reason == "node a: no disk again", done.reason
        assert "it waited for node a" in done.nodes[1].failure
        assert w.anna.result(made.id, "d") == b"x"
        assert "has given nothing" in w.anna.call.refusal(NOT_NOW, "GetOutput", id=made.id, node="b")
        assert "no end node" in w.anna.call.refusal(NOT_NOW, "GetOutput", id=made.id, node="c")
        assert "2 end nodes" in w.anna.call.refusal(INVALID, "GetOutput", id=made.id)
        assert "no node 'e'" in w.anna.call.refusal(HIDDEN, "GetOutput", id=made.id, node="e")
        # What is no use is not tried again.
        final = w.anna.submit([node("a", retries=3)], {"t": [w.home.public]})
        w.home.fail(w.home.take(), "no such function", is_final=True)
        assert w.anna.state(final.id).state == "Failed"


def cancelled(database):
    with world(database) as w:
        made = w.anna.submit(CHAIN + [node("c")], {"t": [w.home.public]})
        w.home.finish(w.home.take(), b"x")
        taken = w.home.take()
        other = Submitter(w, "other")
        assert "may not" in other.call.refusal(DENIED, "Cancel", id=made.id)
        gone = w.anna.call("Cancel", id=made.id)
        assert gone.state == "Cancelled" and gone.reason == "cancelled by anna"
        assert [n.state for n in gone.nodes] == ["Done", "Cancelled", "Cancelled"]
        assert not any(n.output_bytes for n in gone.nodes)
        assert "not this executor's any more" in w.home.call.refusal(NOT_NOW, "RenewNode", **w.home.me(),
                                                                     **w.home.place(taken))
        w.home.call.refusal(NOT_NOW, "FinishNode", failure="late", **w.home.me(), **w.home.place(taken))
        assert w.home.take() is None
        assert "it is Cancelled" in w.anna.call.refusal(NOT_NOW, "Cancel", id=made.id)
        # Who administers the workspace may, too.
        another = w.anna.submit(CHAIN, {"t": [w.home.public]})
        w.root("SetMember", workspace="default", user="other", role="administrator")
        assert other.call("Cancel", id=another.id).reason == "cancelled by other"


def a_lost_executor(database):
    """Its lease ends, another one takes the node; what the first one says then does not count."""
    with world(database) as w:
        second = Executor(w, user(w, "second"))
        made = w.anna.submit([node("a", seconds=1, retries=2)], {"t": [w.home.public, second.public]})
        lost = w.home.take()
        taken = until(lambda: second.take(wait=30))
        assert taken.attempt == 2, taken
        w.home.call.refusal(NOT_NOW, "FinishNode", sealed=w.home.seal(lost, b"1"), **w.home.me(), **w.home.place(lost))
        # What is left has time enough, on a slow machine, too: only what is done to it ends it.
        w.anna.call("Cancel", id=made.id)
        made = w.anna.submit([node("a", retries=2)], {"t": [w.home.public, second.public]})
        w.home.fail(w.home.take())
        assert second.take().attempt == 2
        # Registered again: its node is lost at once, and its old secret is none.
        before = second.me()
        second.register()
        assert "registered again" in second.call.refusal(NOT_NOW, "TakeNode", **before)
        again = w.home.take()
        assert again.attempt == 3
        # Removed: that was the last attempt.
        w.home.call("RemoveExecutor", number=w.home.number)
        done = w.anna.state(made.id)
        assert done.state == "Failed" and "its executor was removed" in done.reason, done.reason
        w.home.call.refusal(HIDDEN, "TakeNode", **w.home.me())


def killed(database):
    """kill -9 at any moment: what was acknowledged is there, and nothing happens twice."""
    with world(database) as w:
        made = w.anna.submit([node(f"n{i}", *([f"n{i - 1}"] if i else [])) for i in range(8)], {"t": [w.home.public]})
        for i in range(8):
            taken = w.home.take()
            assert taken.number == i and taken.attempt == 1
            if i % 2:
                again(w)
                assert w.home.take().attempt == 1  # still its own, with the same secret
            if i:
                assert w.home.inputs(taken) == {i - 1: str(i - 1).encode()}
            w.home.finish(taken, str(i).encode())
            if i % 3 == 0:
                again(w)
                # It does not know whether it was heard. Sealed again it is another output, and that one was kept.
                w.home.call.refusal(NOT_NOW, "FinishNode", sealed=w.home.seal(taken, b"y"), **w.home.me(),
                                    **w.home.place(taken))
        assert w.anna.state(made.id).state == "Completed" and w.anna.result(made.id) == b"7"


def again(w):
    w.process.process.send_signal(signal.SIGKILL)
    w.process.process.wait()
    w.channel.close()
    w.start()
    w.root = People(w.channel)
    for each in (w.anna.call, w.home.call):
        each.__init__(w, each)


def it_runs_on_sqlite():
    for part in (the_guides_sum, retries_and_failures, cancelled, a_lost_executor, killed):
        part("sqlite")


def it_runs_on_postgresql():
    for part in (the_guides_sum, retries_and_failures, cancelled, a_lost_executor, killed):
        part("postgres")


# ---- who waits ----

def who_waits_is_woken():
    with world() as w:
        got = []
        waiting = threading.Thread(target=lambda: got.append(w.home.take(wait=30)))
        waiting.start()
        made = w.anna.submit(CHAIN, {"t": [w.home.public]})
        waiting.join()
        assert got[0].id == made.id
        assert "at most 30" in w.home.call.refusal(INVALID, "TakeNode", wait_seconds=31, **w.home.me())


def who_leaves_waits_no_more():
    """The node goes to the next who asks."""
    with world() as w:
        kind = workflows.TakeNodeRequest(wait_seconds=30, **w.home.me())
        asked = w.home.call.stub.TakeNode.future(kind, metadata=w.home.call.metadata)
        time.sleep(0.2)
        asked.cancel()
        made = w.anna.submit(CHAIN, {"t": [w.home.public]})
        assert w.home.take(wait=30).id == made.id


def going_down_answers_who_waits():
    with world() as w:
        got = []
        waiting = threading.Thread(target=lambda: got.append(w.home.take(wait=30)))
        waiting.start()
        until(lambda: w.anna.call("ListExecutors").executors[0].is_proven)
        assert w.process.stop() == 0
        waiting.join()
        assert got == [None]
        w.start()


# ---- who may ----

def orders_are_their_signers():
    with world() as w:
        other = Submitter(w, "other")
        order = w.anna.order(CHAIN, {"t": [w.home.public]})
        assert "not the one in use of user other" in other.call.refusal(DENIED, "Submit", order=order)
        made = w.anna.call("Submit", order=order)
        assert "is there already" in w.anna.call.refusal(EXISTS, "Submit", order=order)
        assert made.id == id_of(order)
        # One that was handed out is no other's, and none with another word in it.
        for change in ({"expires_ms": order.expires_ms + 1}, {"nonce": bytes(32)},
                       {"spec": order.spec.replace(b'"maxretries": 0', b'"maxretries": 1', 1)}, {"reply": w.home.public}):
            changed = workflows.Order()
            changed.CopyFrom(order)
            for name, value in change.items():
                setattr(changed, name, value)
            assert "not the submitter's" in w.anna.call.refusal(DENIED, "Submit", order=changed), change
        # A key that is registered for one computation alone is not in use for all; a retired one neither.
        w.anna.caller("RetireKey", fingerprint=w.anna.fingerprint)
        assert "not the one in use" in w.anna.call.refusal(DENIED, "Submit",
                                                           order=w.anna.order(CHAIN, {"t": [w.home.public]}))
        stranger = People(w.channel)
        assert "without a token" in Caller(w, stranger).refusal(DENIED, "Submit", workspace="default", order=sign(
            w.anna.order(CHAIN, {"t": [w.home.public]}), w.anna))


def each_kind_of_key_signs():
    with world() as w:
        for kind in ("ecdsa", "rsa"):
            who = Submitter(w, "user-" + kind, kind=kind)
            made = who.submit(CHAIN, {"t": [w.home.public]})
            assert finish_all(w.home) == 2 and who.result(made.id) == b"x"


def orders_that_are_none():
    with world() as w:
        keys = {"t": [w.home.public]}
        now = int(time.time() * 1000)
        for nodes, words in (([], "0 nodes"), (b"[", "workflow: json"), ([node("a", "b")], "which is no node"),
                             ([node("a", "b"), node("b", "a")], "in a circle"),
                             ([node("a", seconds=0)], "'maxexectime' is 0")):
            order = w.anna.order(CHAIN, keys)
            order.spec = w.anna.order(nodes, keys).spec if isinstance(nodes, list) else nodes
            assert words in w.anna.call.refusal(INVALID, "Submit", order=sign(order, w.anna)), nodes
        assert "the order has ended" in w.anna.call.refusal(
            NOT_NOW, "Submit", order=w.anna.order(CHAIN, keys, expires_ms=now - 1))
        assert "at most 30 days" in w.anna.call.refusal(
            INVALID, "Submit", order=w.anna.order(CHAIN, keys, expires_ms=now + 31 * DAY_MS))
        for kind in ("cvm", "cvm:snp"):
            said = w.anna.call.refusal(INVALID, "Submit", order=w.anna.order([node("a", kind=kind)], {kind: keys["t"]}))
            assert "node a: it depends on 0 nodes" in said, said
        assert "one line" in w.anna.call.refusal(INVALID, "Submit", order=w.anna.order(CHAIN, keys), name="a\nb")
        assert "there has to be one" in w.anna.call.refusal(INVALID, "Submit")
        for key in (b"", bytes(31), bytes(33), bytes(32)):
            w.home.call.refusal(INVALID, "RegisterExecutor", type="t", key=key)
        assert not w.anna.call("List").workflows


def workspaces_are_apart():
    with world() as w:
        w.root("AddWorkspace", name="away")
        w.root("AddMember", workspace="away", user="home")
        away = Executor(w, w_caller(w.home), workspace="away", key=w.home.key)
        made = w.anna.submit(CHAIN, {"t": [w.home.public]}, workspace="default")
        assert away.take() is None
        taken = w.home.take()
        for method in ("RenewNode", "GetNodeInput"):
            away.call.refusal(HIDDEN, method, **away.me(), **away.place(taken))
        away.call.refusal(HIDDEN, "FinishNode", sealed=b"x", **away.me(), **away.place(taken))
        w.root("AddUser", name="eve", workspace="away")
        eve = Caller(w, People(w.channel, w.root("AddToken", user="eve", name="t").token))
        for method in ("Get", "Cancel", "GetOutput"):
            assert "no workflow" in eve.refusal(HIDDEN, method, id=made.id)
        eve.refusal(HIDDEN, "List", workspace="default")
        eve.refusal(HIDDEN, "ListExecutors", workspace="default")
        eve.refusal(HIDDEN, "RemoveExecutor", number=w.home.number)
        # Whose membership ends runs nothing there any more.
        w.root("SuspendMember", workspace="default", user="home")
        w.home.call.refusal(HIDDEN, "FinishNode", sealed=w.home.seal(taken, b"x"), **w.home.me(), **w.home.place(taken))
        w.root("SuspendMember", workspace="default", user="home", resume=True)
        w.home.finish(taken, b"x")
        # Nor has anything run.
        w.root("SuspendMember", workspace="default", user="anna")
        assert w.home.take() is None
        w.root("SuspendMember", workspace="default", user="anna", resume=True)
        assert w.home.take().number == 1


def w_caller(executor):
    """The same user once more."""
    caller = People.__new__(People)
    caller.metadata = executor.call.metadata
    return caller


def tokens_are_for_what_they_say():
    with world() as w:
        viewer = Caller(w, People(w.channel, w.root("AddToken", user="anna", name="v", actions=["view"]).token))
        made = w.anna.submit(CHAIN, {"t": [w.home.public]})
        assert viewer("Get", id=made.id).id == made.id
        viewer.refusal(DENIED, "Submit", order=w.anna.order(CHAIN, {"t": [w.home.public]}))
        viewer.refusal(DENIED, "Cancel", id=made.id)
        viewer.refusal(DENIED, "RegisterExecutor", type="t", key=w.home.public)
        w.root("SetMember", workspace="default", user="anna", role="viewer")
        w.anna.call.refusal(DENIED, "Submit", order=w.anna.order(CHAIN, {"t": [w.home.public]}))
        assert w.anna.state(made.id).id == made.id
        # Nor does what she submitted as a member go on, until she is one again.
        assert w.home.take() is None
        w.root("SetMember", workspace="default", user="anna", role="member")
        taken = w.home.take()
        w.root("SetMember", workspace="default", user="anna", role="viewer")
        w.home.finish(taken, b"x")
        assert w.home.take() is None
        w.root("SetMember", workspace="default", user="anna", role="member")
        assert w.home.take().number == 1


# ---- what one takes from others ----

def nobody_fills_what_is_anothers():
    """256 of a member's that are cancelled, and as many that run as there may: another's are there, and go on."""
    with world() as w:
        eve, keys = Submitter(w, "eve"), {"t": [w.home.public]}
        mine = w.anna.submit(CHAIN, keys)
        old = w.anna.submit([node("a")], keys)
        w.anna.call("Cancel", id=old.id)
        first = None
        for _ in range(256):
            made = eve.submit([node("a")], keys)
            first = first or made.id
            eve.call("Cancel", id=made.id)
        eve.call.refusal(HIDDEN, "Get", id=first)  # hers gave way to hers
        assert w.anna.state(old.id).state == "Cancelled" and w.anna.state(mine.id).state == "Running"
        for _ in range(32):
            eve.submit([node("a")], keys)
        assert "32 workflows of yours run" in eve.call.refusal(EXHAUSTED, "Submit", order=eve.order([node("a")], keys))
        another = w.anna.submit(CHAIN, keys)
        # Members take turns.
        served = []
        for _ in range(6):
            taken = w.home.take()
            served.append(w.anna.state(taken.id).submitter)
            w.home.finish(taken, b"x")
        assert served in (["anna", "eve"] * 3, ["eve", "anna"] * 3), served
        assert w.anna.state(mine.id).state == "Completed" and w.anna.state(another.id).nodes_done == 1


def limits_of_a_member():
    with world() as w:
        keys = {"t": [w.home.public]}
        wide = [node(f"n{i}") for i in range(256)]
        for _ in range(4):
            w.anna.submit(wide, keys)
        assert "1025 nodes; the limit is 1024" in w.anna.call.refusal(EXHAUSTED, "Submit",
                                                                      order=w.anna.order([node("a")], keys))
        for i in range(31):
            last = Executor(w, w_caller(w.home), f"t{i}")
        last.take()
        other = {"type": "more", "key": raw(X25519PrivateKey.generate())}
        # Those that nobody runs give way: home's 31 others have never asked for a node.
        w.home.take()
        w.home.call("RegisterExecutor", **other)
        assert len(w.home.call("ListExecutors").executors) == 32
        w.home.call.refusal(HIDDEN, "RemoveExecutor", number=last.number - 30)
        assert w.home.take()


# ---- lies ----

def outputs_are_for_whom_they_are():
    with world() as w:
        second = Executor(w, user(w, "second"))
        made = w.anna.submit(CHAIN, [[w.home.public], [second.public]])
        assert second.take() is None
        taken = w.home.take()
        me, place = w.home.me(), w.home.place(taken)
        good = w.home.seal(taken, b"x")
        for sealed, words in ((b"", "neither"), (b"x", "no sealed one"), (good[:-1] + b"", None),
                              (w.home.seal(taken, b"x", recipients={w.home.public}), "not for those"),
                              (w.home.seal(taken, b"x", recipients={second.public, w.home.public}), "not for those"),
                              (good + bytes(2 << 20), "no sealed one")):
            if words:
                assert words in w.home.call.refusal(INVALID, "FinishNode", sealed=sealed, **me, **place), words
        w.home.call.refusal(INVALID, "FinishNode", sealed=good, failure="both", **me, **place)
        w.home.call.refusal(INVALID, "FinishNode", failure="two\nlines", **me, **place)
        w.home.call.refusal(INVALID, "FinishNode", failure="x" * 513, **me, **place)
        for wrong in ({"attempt": 2}, {"attempt": 0}, {"number": 1}):
            w.home.call.refusal(NOT_NOW, "FinishNode", sealed=good, **{**me, **place, **wrong})
        w.home.call.refusal(HIDDEN, "FinishNode", sealed=good, **{**me, **place, "number": 2})
        w.home.call.refusal(HIDDEN, "FinishNode", sealed=good, **{**me, **place, "id": "0" * 64})
        # With another's number or secret, or of another user.
        second.call.refusal(NOT_NOW, "FinishNode", sealed=good, **second.me(), **place)
        second.call.refusal(DENIED, "FinishNode", sealed=good, **me, **place)
        w.home.call.refusal(NOT_NOW, "FinishNode", sealed=good, **{**me, "secret": bytes(32)}, **place)
        w.home.call.refusal(NOT_NOW, "FinishNode", sealed=good, **{**me, "secret": b""}, **place)
        w.home.call.refusal(INVALID, "GetNodeInput", dependency=1, **me, **place)
        assert states(w.anna, made.id) == ["Taken", "Waiting"]
        w.home.call("FinishNode", sealed=good, **me, **place)
        w.home.call("FinishNode", sealed=good, **me, **place)  # the same again
        w.home.call.refusal(NOT_NOW, "FinishNode", sealed=w.home.seal(taken, b"y"), **me, **place)
        got = second.take()
        assert second.inputs(got) == {0: b"x"}
        w.home.call.refusal(NOT_NOW, "GetNodeInput", dependency=0, **me, **w.home.place(got))
        assert "no end node" in w.anna.call.refusal(NOT_NOW, "GetOutput", id=made.id, node="a")


def the_secret_is_the_keys():
    """Whoever registers the key of another gets nothing that he could use."""
    with world() as w:
        eve = Caller(w, user(w, "eve"))
        made = eve("RegisterExecutor", type="t", key=w.home.public)
        try:
            hpke_open(X25519PrivateKey.generate(), made.enc, made.sealed, b"cocos-executor-v1\0", b"")
        except InvalidTag:
            pass
        else:
            raise AssertionError("it opens with any key")
        w.anna.submit(CHAIN, {"t": [w.home.public]})
        eve.refusal(NOT_NOW, "TakeNode", executor=made.number, secret=bytes(32))
        eve.refusal(DENIED, "TakeNode", **w.home.me())
        assert w.home.take()
        eve.refusal(DENIED, "RemoveExecutor", number=w.home.number)


def the_service_stores_nothing_that_it_could_read():
    """Its database has neither output; who made it up would be noticed."""
    with world() as w:
        made = w.anna.submit(CHAIN, {"t": [w.home.public]})
        text = b"a secret of the hospital"
        w.home.finish(w.home.take(), text)
        w.process.stop()
        path = w.folder("state") + "/computations.db"
        database = sqlite3.connect(path)
        assert database.execute("SELECT count(*) FROM workflow_outputs").fetchone() == (1,)
        for name in os.listdir(w.folder("state")):
            if os.path.isfile(w.folder("state", name)):
                with open(w.folder("state", name), "rb") as file:
                    assert text not in file.read(), name
        # It makes one up for the next executor: it has no executor's key.
        forged = w.home.seal(next_of(made), b"6", node=0, attempt=1, recipients={w.home.public},
                             by=X25519PrivateKey.generate())
        database.execute("UPDATE workflow_outputs SET bytes = ?", (forged,))
        database.execute("UPDATE workflow_nodes SET size = ? WHERE number = 0", (len(forged),))
        database.commit()
        database.close()
        w.channel.close()
        w.start()
        for each in (w.anna.call, w.home.call):
            each.__init__(w, each)
        taken = w.home.take()
        try:
            w.home.inputs(taken)
        except InvalidTag:
            return
        raise AssertionError("what the service made up is taken for an executor's")


def next_of(made):
    return workflows.TakenNode(id=made.id, number=0, attempt=1, order=made.order)


def the_audit_log_says_who():
    with world() as w:
        made = w.anna.submit(CHAIN, {"t": [w.home.public]})
        w.home.finish(w.home.take(), b"x")
        w.anna.call("Cancel", id=made.id)
        Submitter(w, "other").call.refusal(DENIED, "Submit", order=w.anna.order(CHAIN, {"t": [w.home.public]}))
        rows = "\n".join(w.root("Audit").rows)
        for words in ("workflows.WorkflowService/Submit", "workflows.WorkflowService/FinishNode",
                      "workflows.WorkflowService/Cancel", "workflows.WorkflowService/RegisterExecutor",
                      "workflow " + made.id, "PERMISSION_DENIED"):
            assert words in rows, (words, rows)
        assert "TakeNode" not in rows


if __name__ == "__main__":
    tap.run([it_runs_on_sqlite, it_runs_on_postgresql, who_waits_is_woken, who_leaves_waits_no_more,
             going_down_answers_who_waits, orders_are_their_signers, each_kind_of_key_signs, orders_that_are_none,
             workspaces_are_apart, tokens_are_for_what_they_say, nobody_fills_what_is_anothers, limits_of_a_member,
             outputs_are_for_whom_they_are, the_secret_is_the_keys, the_service_stores_nothing_that_it_could_read,
             the_audit_log_says_who])
