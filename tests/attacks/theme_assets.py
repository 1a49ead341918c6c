# SPDX-License-Identifier: Apache-2.0
"""Somebody wants to see, to change or to pass off an asset that is registered with the computation service."""
import contextlib
import hashlib
import sqlite3

import grpc
from cryptography.hazmat.primitives import serialization

from agent_peer import Key
from assets import DIGEST, naming, register
from harness import PATIENCE, cli
from people import service
from rows import Outcome, row
from user_keys import Holder, at_a_terminal
from workspaces import lab, member


def asked(caller, method, **fields):
    """What became of that call."""
    try:
        caller(method, **fields)
    except grpc.RpcError as error:
        return Outcome(False, error.details())
    return Outcome(True)


@contextlib.contextmanager
def members():
    """Two of a workspace, of whom one has an asset; and somebody of another one."""
    with service() as running:
        head = lab(running)
        anna, bert, stranger = member(running, "anna", "lab"), member(running, "bert", "lab"), member(running, "carl")
        register(anna, workspace="lab")
        yield running, head, anna, bert, stranger


@row("asset-of-another-workspace", "no workspace 'lab'")
def of_another_workspace(evil):
    """The name of an asset in a workspace that he is not in."""
    with members() as (_, _, anna, _, stranger):
        return asked(stranger if evil else anna, "ShowAsset", workspace="lab", name="iris.csv")


@row("asset-changed-by-another", "may not change or remove this asset")
def changed_by_another(evil):
    """A member takes the name of another's asset away from it, to give it to his own."""
    with members() as (_, _, anna, bert, _):
        return asked(bert if evil else anna, "UpdateAsset", workspace="lab", name="iris.csv", to="older.csv")


@row("asset-under-anothers-name", "exists already in this workspace")
def under_anothers_name(evil):
    """A member registers other data under the name that manifests of others use."""
    with members() as (_, _, _, bert, _):
        return asked(bert, "RegisterAsset", workspace="lab", name="iris.csv" if evil else "mine.csv", type="dataset",
                     digest=hashlib.sha3_256(b"poison").digest())


@row("asset-owned-before-he-left", "no workspace 'lab'")
def owned_before(evil):
    """Who was removed from a workspace removes what he registered there."""
    with members() as (_, head, anna, _, _):
        if evil:
            head("RemoveMember", workspace="lab", user="anna")
        return asked(anna, "RemoveAsset", workspace="lab", name="iris.csv")


@row("asset-linked-is-removed", "is linked")
def linked(evil):
    """An asset is removed, and its name given to other data, while a manifest names it."""
    with members() as (_, _, anna, _, _):
        if evil:
            anna("Create", naming(DIGEST, workspace="lab"))
        return asked(anna, "RemoveAsset", workspace="lab", name="iris.csv")


@row("asset-link-tells-of-a-computation", "no computation 'c'")
def link_tells(evil):
    """A member finds out by a link whether a computation that he may not see is there."""
    with members() as (_, _, anna, bert, _):
        anna("Create", naming(DIGEST, workspace="lab"))
        return asked(bert if evil else anna, "LinkAsset", workspace="lab", name="iris.csv", computation_id="c")


@row("asset-by-a-token-for-looking", "may not register assets with this token")
def by_a_token_for_looking(evil):
    """A token for viewing was stolen, and is to register data."""
    with at_a_terminal() as (running, environment):
        anna = Holder(running, "anna")
        token = anna.caller("AddToken", name="v", actions=["view"] if evil else ["view", "edit"]).token
        path = running.folder.write("v.token", token + "\n", 0o600)
        said = cli("asset", "register", "--type", "dataset", "--name", "x", "--digest", "ab" * 32,
                   **dict(environment(anna), COMPUTATIONS_GRPC_TOKEN_FILE=path))
        return Outcome(said.status == 0, said.err)


@row("asset-of-the-other-type", "of type 'dataset', and not an algorithm")
def of_the_other_type(evil):
    """Data are named where the algorithm is: what an owner sends as data would be run."""
    with at_a_terminal() as (running, environment):
        anna = Holder(running, "anna")
        register(anna.caller, type="dataset" if evil else "algorithm")
        key = running.folder.write("p.pem", Key().key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
        said = cli("computation", "create", "--name", "n", "--algorithm", "asset:iris.csv", "--algorithm-key", key,
                   "--consumer-key", key, **environment(anna))
        return Outcome(said.status == 0, said.err)


@row("asset-of-everybody-in-a-workspace", "6000 assets of this workspace are yours")
def filled_by_one(evil):
    """A member registers assets until the workspace has as many as it may, so that nobody else can. (Three are in it, and
    each is sure of 1500.)"""
    with members() as (running, _, anna, bert, _):
        with contextlib.closing(sqlite3.connect(running.folder("state/computations.db"), timeout=PATIENCE)) as database, database:
            database.execute(
                "INSERT INTO assets (workspace, person, name, type, mime, description, digest, created, changed)"
                " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5998)"
                " SELECT workspace, person, 'a' || i, type, mime, description, digest, created, changed FROM n, assets")
        register(anna, "last.csv", workspace="lab")
        return asked(anna if evil else bert, "RegisterAsset", workspace="lab", name="more.csv", type="dataset", digest=DIGEST)
