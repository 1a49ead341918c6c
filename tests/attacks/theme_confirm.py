# SPDX-License-Identifier: Apache-2.0
"""Somebody wants others to believe that a participant has compared a manifest which that participant has not seen."""
import contextlib

import grpc

from agent_peer import Key
from confirmations import Room, changed
from harness import cli
from rows import Outcome, row
from user_keys import at_a_terminal, of


@contextlib.contextmanager
def room():
    with at_a_terminal() as (running, environment):
        made = Room(running)
        made.environment = environment
        yield made


def kept(made, call):
    """What came of it; gained is what the service shows as current."""
    try:
        call()
    except grpc.RpcError as error:
        return Outcome(False, error.details())
    return Outcome(bool([user for user, stale in made.told() if not stale]))


@row("confirmation-replayed-for-another-manifest", "another manifest than the one that was compared")
def replayed(evil):
    """What a participant signed is sent once more, after somebody has changed the manifest."""
    with room() as made:
        now, signature = made.list(), made.signed(made.bert)
        if evil:
            made.anna.again().register("c")
        return kept(made, lambda: made.confirm(made.bert, signature, manifest_digest=now.manifest_digest,
                                               revision=now.revision))


@row("confirmation-replayed-for-what-is-new", "not this key's over this manifest")
def replayed_for_new(evil):
    """The same, with the digest that the manifest has by now."""
    with room() as made:
        signature = made.signed(made.bert)
        if evil:
            made.anna.again().register("c")
        return kept(made, lambda: made.confirm(made.bert, signature))


@row("confirmation-by-anothers-key", "none in use of user 'anna'")
def anothers_key(evil):
    """The owner of a computation confirms with the key of its consumer, which came to her hands."""
    with room() as made:
        if not evil:
            return kept(made, lambda: made.confirm(made.anna))
        made.anna.key, made.anna.fingerprint = made.bert.key, made.bert.fingerprint
        return kept(made, lambda: made.confirm(made.anna))


@row("confirmation-signed-for-anothers-name", "not this key's over this manifest")
def anothers_name(evil):
    """A participant signs in the name of another one."""
    with room() as made:
        return kept(made, lambda: made.confirm(made.anna, made.signed(made.anna, name="bert" if evil else "anna")))


@row("confirmation-of-a-computation-of-others", "no computation 'c'")
def of_others(evil):
    """The id of a computation in which nobody gave him a role, with a key that its manifest names."""
    with room() as made:
        if evil:
            made.anna.caller("TakeRole", computation_id="c", role="result_consumer", user="bert")
        signature = made.signed(made.bert)
        return kept(made, lambda: made.confirm(made.bert, signature))


@row("confirmation-of-another-computation", "not this key's over this manifest")
def of_another_computation(evil):
    """What was signed for one computation is shown for another one."""
    with room() as made:
        made.anna.caller("Create", of(made.anna.spki, Key().spki, "d"))
        return kept(made, lambda: made.confirm(made.anna, made.signed(made.anna, computation="d" if evil else "c")))


@row("confirmation-made-up-by-the-service", "the confirmation of user 'anna' is none")
def made_up(evil):
    """Whoever runs the service writes into its database that a participant has confirmed."""
    with room() as made:
        made.confirm(made.anna)
        if evil:
            changed(made, "UPDATE confirmations SET signature = ?", made.signed(made.bert))
        said = cli("computation", "show", "c", **made.environment(made.carl))
        return Outcome(said.status == 0 and "verified here" in said.out, said.err)
