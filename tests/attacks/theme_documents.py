# SPDX-License-Identifier: Apache-2.0
"""Somebody hands the computation service a document of computations (`computation import`) that says one thing to who
reads it and another to an agent, that carries what nobody else may have, or that gives or shows him what no role of his
does."""
import contextlib
import json

import grpc

from computation_transfer import complete, imported, ids, room
from people import Caller, create, service, user
from rows import Outcome, row, shown


def handed_in(caller, item):
    """What became of a document's only computation."""
    try:
        answer = caller("Import", document=json.dumps([item]).encode()).computations[0]
    except grpc.RpcError as error:
        return Outcome(False, error.details())
    return Outcome(answer.created, answer.missing)


@contextlib.contextmanager
def exported():
    """A computation's export, which is not at the service any more."""
    with service() as running:
        create(running.root, "one")
        document = json.loads(running.root("Export", ids=["one"]).document)
        running.root("Remove", id="one")
        yield running, document[0]


@row("document-that-shows-another-algorithm", "is not in the manifest beside it")
def another_algorithm(evil):
    """The list of assets, which people read, names the algorithm that was agreed on; the manifest, which the agent gets,
    another."""
    with exported() as (running, item):
        if evil:
            item["assets"][0]["Checksum"] = "ab" * 32
        return handed_in(running.root, item)


@row("document-that-shows-another-name", "its name is another")
def another_name(evil):
    """The computation is called otherwise than its manifest."""
    with exported() as (running, item):
        if evil:
            item["computation"]["name"] = "audited"
        return handed_in(running.root, item)


@row("document-that-shows-anothers-key", "is not the manifest's")
def another_key(evil):
    """An asset is shown as its owner's; by the manifest somebody else sends it."""
    with exported() as (running, item):
        if evil:
            item["assets"][0]["UserKey"] = complete()["assets"][0]["UserKey"]
        return handed_in(running.root, item)


@row("document-with-another-spelling-of-a-manifest", "not in canonical form")
def another_spelling(evil):
    """The manifest's text has the same meaning and another digest than the one that owners would compare."""
    with exported() as (running, item):
        if evil:
            item["manifest"] = item["manifest"].replace(":", ": ", 1)
        return handed_in(running.root, item)


@row("document-with-a-listeners-private-key", "private keys are in no export")
def private_key(evil):
    """A client that takes nothing out hands in a private key, for the service to keep."""
    with service() as running:
        item = complete()
        item["computation"]["agent_config"]["server_key"] = "-----BEGIN PRIVATE KEY-----" if evil else ""
        return handed_in(running.root, item)


@row("document-with-contents-of-an-asset", "contents never go to the service")
def contents(evil):
    """A client that takes nothing out hands in a dataset itself, for the service to read."""
    with service() as running:
        item = complete()
        item["assets"][1]["asset"] = "c2VjcmV0" if evil else ""
        return handed_in(running.root, item)


@row("document-with-a-private-key-elsewhere", "a private key, where none belongs")
def key_elsewhere(evil):
    """A private key stands where a certificate belongs, and where the client does not take it out."""
    with room() as running:
        item = complete()
        item["computation"]["description"] = "-----BEGIN EC PRIVATE KEY-----" if evil else ""
        done = imported(running, [item])
        taken = bool(ids(running))
        return Outcome(taken, "" if taken else shown(done.err, "a private key, where none belongs"), len(ids(running)))


@row("document-with-roles-beyond-ones-token", "may not say who has which role")
def roles_beyond(evil):
    """A token that may create computations and not say who has a role does so by a document."""
    with service() as running:
        anna = user(running, "anna")
        running.root("AddUser", name="bert")
        editor = Caller(running.channel, anna("AddToken", name="e", actions=["view", "edit"]).token)
        item = complete()
        item["roles"] = [{"role_name": "owner", "actions": None, "members": ["bert"]}] if evil else []
        return handed_in(editor, item)


@row("document-with-a-viewer-who-may-run", "it has other actions in each computation")
def richer_viewer(evil):
    """A role that each computation has, and that people know, is given more than it says."""
    with service() as running:
        item = complete()
        item["roles"] = [{"role_name": "viewer", "actions": ["view", "run"] if evil else ["view"], "members": None}]
        return handed_in(running.root, item)


@row("document-in-a-computations-place", "exists already")
def in_its_place(evil):
    """A document names the id of somebody else's computation, to stand in its place."""
    with service() as running:
        create(running.root, "one")
        return handed_in(user(running, "anna"), complete(id="one" if evil else "two"))


@row("export-of-somebody-elses", "no computation")
def export_of_others(evil):
    """A user exports a computation that he has no role in, among his own."""
    with service() as running:
        anna = user(running, "anna")
        create(anna, "mine")
        create(running.root, "other")
        try:
            document = anna("Export", ids=["mine", "other"] if evil else ["mine"]).document
        except grpc.RpcError as error:
            return Outcome(False, error.details(), 0)
        return Outcome(True, "", len(document))
