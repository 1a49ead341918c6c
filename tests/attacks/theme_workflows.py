# SPDX-License-Identifier: Apache-2.0
"""Somebody wants a node, an output or a place in a workflow that is not his: another member, another executor, or the service
itself. The honest twin's workflow gives its submitter what its executor gave."""
import contextlib
import sqlite3

import grpc
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from people import user
from rows import Outcome, row
from workflow_parties import Caller, Executor, Submitter, id_of, node, order_message, raw, seal_output
from workflows import CHAIN, world

ONE = [node("a", retries=1)]


def tried(act):
    """What became of it, of something that the service refuses in a line."""
    try:
        act()
    except grpc.RpcError as error:
        return Outcome(False, error.details(), 0)
    return Outcome(True)


def gives(w, made, text=b"5"):
    """The submitter has it."""
    return Outcome(w.anna.result(made.id) == text, gained=len(text))


def run(w, made, text=b"5", executor=None):
    executor = executor or w.home
    while (taken := executor.take()):
        executor.finish(taken, text)
    return gives(w, made, text)


@contextlib.contextmanager
def ordered(nodes=None):
    with world() as w:
        yield w, w.anna.submit(nodes or ONE, {"t": [w.home.public]})


@row("workflow-order-of-another", "the key that signed the order is not the one in use of user eve")
def order_of_another(evil):
    """A member submits, as his own, an order that another one signed and that the service shows to all."""
    with ordered() as (w, made):
        if evil:
            eve, order = Submitter(w, "eve"), w.anna.order(ONE, {"t": [w.home.public]})
            return tried(lambda: eve.call("Submit", order=order))
        return run(w, made)


@row("workflow-order-changed", "the signature is not the submitter's over this order")
def order_changed(evil):
    """An order is submitted with another executor's key in it, who then would read what the first node gives."""
    with ordered() as (w, made):
        if evil:
            order = w.anna.order(CHAIN, {"t": [w.home.public]})
            order.nodes[1].keys[0] = raw(X25519PrivateKey.generate())
            return tried(lambda: w.anna.call("Submit", order=order))
        return run(w, made)


@row("workflow-order-again", "is there already")
def order_again(evil):
    """The same order is submitted twice, for its nodes to run twice."""
    with world() as w:
        order = w.anna.order(ONE, {"t": [w.home.public]})
        made = w.anna.call("Submit", order=order)
        if evil:
            return tried(lambda: w.anna.call("Submit", order=order))
        return run(w, made)


@row("workflow-node-of-another-key", "executor 1 is another user's")
def node_of_another_key(evil):
    """A member takes nodes as an executor of another one, whose number everybody sees."""
    with ordered() as (w, made):
        if evil:
            eve = Caller(w, user(w, "eve"))
            return tried(lambda: eve("TakeNode", **w.home.me()))
        return run(w, made)


@row("workflow-key-squatted", "that is not its secret")
def key_squatted(evil):
    """A member registers the public key of another one's executor, to take its nodes and let them fail."""
    with ordered() as (w, made):
        if evil:
            eve = Caller(w, user(w, "eve"))
            mine = eve("RegisterExecutor", type="t", key=w.home.public)
            return tried(lambda: eve("TakeNode", executor=mine.number, secret=mine.sealed[:32]))
        return run(w, made)


@row("workflow-node-finished-by-another", "is not this executor's any more")
def finished_by_another(evil):
    """An executor that the order names for the same node says how it went while another one has it."""
    with world() as w:
        other = Executor(w, user(w, "other"))
        made = w.anna.submit(ONE, {"t": [w.home.public, other.public]})
        if evil:
            taken = w.home.take()
            return tried(lambda: other.finish(taken, b"666"))
        return run(w, made)


@row("workflow-attempt-of-before", "is not this executor's any more")
def attempt_of_before(evil):
    """An executor that was lost comes back with the output of the attempt that it was lost at."""
    with ordered() as (w, made):
        if evil:
            taken = w.home.take()
            w.home.register()
            w.home.take()
            return tried(lambda: w.home.finish(taken, b"old"))
        return run(w, made)


@row("workflow-output-changed-afterwards", "is not this executor's any more")
def changed_afterwards(evil):
    """An executor replaces an output that it has given, after others have seen that it was there."""
    with ordered() as (w, made):
        taken = w.home.take()
        w.home.finish(taken, b"5")
        if evil:
            return tried(lambda: w.home.finish(taken, b"6"))
        return gives(w, made)


@row("workflow-output-for-nobody", "it is not for those who are to have it")
def for_nobody(evil):
    """An executor seals an output for itself alone, so that the workflow goes on without what it waits for."""
    with ordered() as (w, made):
        if evil:
            taken = w.home.take()
            return tried(lambda: w.home.finish(taken, b"5", sealed=w.home.seal(taken, b"5", recipients={w.home.public})))
        return run(w, made)


@row("workflow-input-of-others", "node 0 does not depend on node 1")
def input_of_others(evil):
    """An executor asks for the output of a node on which its own does not depend."""
    with world() as w:
        made = w.anna.submit([node("a"), node("b")], {"t": [w.home.public]})
        if evil:
            taken = w.home.take()
            return tried(lambda: w.home.call("GetNodeInput", dependency=1, **w.home.me(), **w.home.place(taken)))
        while (taken := w.home.take()):
            w.home.finish(taken, b"5")
        return Outcome(w.anna.result(made.id, "a") == b"5", gained=1)


@row("workflow-result-of-another", "is for its submitter, user 'anna', alone")
def result_of_another(evil):
    """Who administers the workspace fetches what a workflow of a member gave."""
    with ordered() as (w, made):
        outcome = run(w, made)
        if evil:
            eve = user(w, "eve")
            w.root("SetMember", workspace="default", user="eve", role="administrator")
            return tried(lambda: Caller(w, eve)("GetOutput", id=made.id))
        return outcome


@row("workflow-elsewhere", "no workflow")
def elsewhere(evil):
    """A member of another workspace looks at a workflow whose id he has heard."""
    with ordered() as (w, made):
        if evil:
            w.root("AddWorkspace", name="away")
            w.root("AddUser", name="eve", workspace="away")
            eve = Submitter(w, "eve", caller=type(w.root)(w.channel, w.root("AddToken", user="eve", name="t").token))
            return tried(lambda: eve.call("Get", id=made.id))
        return run(w, made)


@row("workflow-cancelled-by-another", "may not cancel this workflow")
def cancelled_by_another(evil):
    """A member cancels what another one has submitted."""
    with ordered() as (w, made):
        if evil:
            eve = Submitter(w, "eve")
            return tried(lambda: eve.call("Cancel", id=made.id))
        return run(w, made)


@row("workflow-of-who-may-look-alone", "nothing was handed out")
def of_who_may_look_alone(evil):
    """A member submits workflows without end before he is made a viewer, and has them run as one."""
    with ordered() as (w, made):
        if evil:
            w.root("SetMember", workspace="default", user="anna", role="viewer")
        if not (taken := w.home.take()):
            return Outcome(False, "nothing was handed out: " + w.anna.state(made.id).state, 0)
        w.home.finish(taken, b"5")
        return gives(w, made)


@row("workflow-room-of-others", "32 workflows of yours run in this workspace")
def room_of_others(evil):
    """A member submits as much as he can, for others to find no room. What he cancels makes room for him alone."""
    with ordered() as (w, made):
        if evil:
            eve = Submitter(w, "eve")
            for _ in range(100):
                eve.call("Cancel", id=eve.submit(ONE, {"t": [w.home.public]}).id)
            for _ in range(32):
                eve.submit(ONE, {"t": [w.home.public]})
            outcome = tried(lambda: eve.submit(ONE, {"t": [w.home.public]}))
            w.anna.submit(ONE, {"t": [w.home.public]})
            assert w.anna.state(made.id).state == "Running"
            return outcome
        return run(w, made)


def with_database(w, change):
    """What whoever holds the database does to it."""
    w.process.stop()
    database = sqlite3.connect(w.folder("state") + "/computations.db")
    change(database)
    database.commit()
    database.close()
    w.channel.close()
    w.start()
    for each in (w.anna.call, w.home.call):
        each.__init__(w, each)


@row("workflow-output-by-the-service", "it was not sealed by that executor")
def by_the_service(evil):
    """The service makes up what a node gave: it knows everybody's public keys, and no executor's private one."""
    with ordered(CHAIN) as (w, made):
        w.home.finish(w.home.take(), b"5")
        if evil:
            forged = seal_output(b"6", {w.home.public}, made.id, 0, 1, X25519PrivateKey.generate())
            with_database(w, lambda db: (db.execute("UPDATE workflow_outputs SET bytes = ?", (forged,)), db.execute(
                "UPDATE workflow_nodes SET size = ? WHERE number = 0", (len(forged),))))
        taken = w.home.take()
        try:
            got = w.home.inputs(taken)
        except InvalidTag:
            return Outcome(False, "it was not sealed by that executor", 0)
        w.home.finish(taken, got[0])
        return gives(w, made)


@row("workflow-output-of-another-workflow", "it was not sealed by that executor")
def of_another_workflow(evil):
    """The service hands on what the same node gave in another workflow of the same submitter, last week's say."""
    with ordered(CHAIN) as (w, made):
        w.home.finish(w.home.take(), b"5")
        if evil:
            other = w.anna.submit(CHAIN, {"t": [w.home.public]})
            with_database(w, lambda db: db.execute("UPDATE workflows SET state = 3 WHERE id = ?", (made.id,)))
            w.home.register()
            taken = w.home.take()
            assert taken.id == other.id
            w.home.finish(taken, b"6")
            with_database(w, lambda db: db.execute(
                "UPDATE workflow_outputs SET bytes = (SELECT bytes FROM workflow_outputs WHERE workflow = 1)"
                " WHERE workflow = 2"))
        taken = w.home.take()
        try:
            got = w.home.inputs(taken)
        except InvalidTag:
            return Outcome(False, "it was not sealed by that executor", 0)
        w.home.finish(taken, got[0])
        return gives(w, made)


@row("workflow-order-by-the-service", "the signature is not the submitter's")
def by_the_service_ordered(evil):
    """The service hands an executor another function than the submitter has signed."""
    with ordered() as (w, made):
        if evil:
            def change(database):
                (before,), = database.execute("SELECT ordered FROM workflows")
                database.execute("UPDATE workflows SET ordered = ?", (before.replace(b'"funcname": "f"', b'"funcname": "g"'),))

            with_database(w, change)
        taken = w.home.take()
        try:
            w.anna.key.key.public_key().verify(taken.order.signature, order_message(taken.order))
        except InvalidSignature:
            return Outcome(False, "the signature is not the submitter's", 0)
        assert id_of(taken.order) == taken.id == made.id
        w.home.finish(taken, b"5")
        return gives(w, made)
