# SPDX-License-Identifier: Apache-2.0
"""Who has compared the digest of a manifest: signed by participants, shown to all who may see the computation, verified
by each of them alone."""
import base64
import contextlib
import hashlib
import json
import sqlite3

import grpc

import tap
from agent_peer import Key
from harness import cli
from people import DENIED, HIDDEN, Caller
from user_keys import INVALID, Holder, at_a_terminal, of, refusal
from web_fitted import holds
from web_page import Web

ABORTED = grpc.StatusCode.ABORTED


def statement(service, name, computation, fingerprint, digest, revision, label=b"cocos-manifest-compared-v1"):
    """What is signed, from docs/owners.md and no code of the project."""
    parts = (service, name.encode(), computation.encode(), fingerprint, digest, revision.to_bytes(8, "big"))
    return label + b"\0" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


class Room:
    """Anna's computation, whose results Bert gets, and which Carl sees."""

    def __init__(self, running):
        self.running = running
        self.anna, self.bert, self.carl = Holder(running, "anna"), Holder(running, "bert", "rsa"), Holder(running, "carl")
        for holder in (self.anna, self.bert):
            holder.register()
        self.anna.caller("Create", of(self.anna.spki, self.bert.spki))
        for role, name in (("result_consumer", "bert"), ("viewer", "carl")):
            self.anna.caller("GiveRole", computation_id="c", role=role, user=name)
        self.service = self.anna.challenge(spki=Key().spki).service

    def list(self, holder=None):
        return (holder or self.anna).caller("ListConfirmations", computation_id="c")

    def told(self):
        return [(c.user, c.stale) for c in self.list().confirmations]

    def signed(self, holder, **other):
        now = self.list()
        fields = {"service": self.service, "name": holder.name, "computation": "c", "fingerprint": holder.fingerprint,
                  "digest": now.manifest_digest, "revision": now.revision}
        fields.update(other)
        return base64.b64decode(holder.key.sign(statement(**fields)))

    def confirm(self, holder, signature=None, **fields):
        now = self.list()
        fields = {"key": holder.fingerprint, "manifest_digest": now.manifest_digest, "revision": now.revision, **fields}
        return holder.caller("Confirm", computation_id="c", signature=signature or self.signed(holder), **fields)


@contextlib.contextmanager
def room():
    with at_a_terminal() as (running, environment):
        yield Room(running), environment


def participants_confirm_and_all_see_it():
    with room() as (made, environment):
        folder, anna, bert, carl = made.running.folder, made.anna, made.bert, made.carl
        mine, key = environment(bert), bert.private(made.running.folder)
        digest = anna.caller("Show", id="c").manifest_digest.hex()
        said = cli("computation", "confirm", "c", key, **mine).refused(2, digest)
        assert "nothing was signed" in said.err and "--digest" in said.err, said.err
        assert made.told() == []
        assert "confirmed" not in cli("computation", "show", "c", **environment(carl)).ok()
        assert cli("computation", "show", "c", "--json", **mine).json()["confirmations"] == []
        assert cli("computation", "confirm", "c", key, "--digest", digest, **mine).ok() == (
            "user bert has confirmed the manifest of c\n")
        assert made.told() == [("bert", False)]
        for holder in (anna, bert, carl):
            shown = cli("computation", "show", "c", **environment(holder)).ok()
            assert f"verified here, key {bert.fingerprint.hex()}" in shown and "by bert at " in shown, shown
        row, = cli("computation", "show", "c", "--json", **environment(carl)).json()["confirmations"]
        assert (row["user"], row["key"], row["manifest_digest"], row["revision"], row["verdict"]) == (
            "bert", bert.fingerprint.hex(), digest, 1, "verified here"), row
        # The other one, by the file that she has checked.
        path = folder.write("m.json", cli("computation", "manifest", "c", **environment(anna)).ok())
        cli("computation", "confirm", "c", anna.private(folder, "a.pem"), "--manifest", path, **environment(anna)).ok()
        assert made.told() == [("bert", False), ("anna", False)]
        # Again is the same.
        cli("computation", "confirm", "c", key, "--digest", digest, **mine).ok()
        assert made.told() == [("anna", False), ("bert", False)]


def another_manifest_is_another():
    with room() as (made, environment):
        anna, bert = made.anna, made.bert
        for holder in (anna, bert):
            made.confirm(holder)
        older = made.list()
        replayed = made.signed(bert)
        newer = anna.again("ecdsa")
        newer.register("c")
        now = made.list()
        assert (older.revision, now.revision) == (1, 2) and now.manifest_digest != older.manifest_digest
        assert made.told() == [("anna", True), ("bert", True)]
        text = cli("computation", "show", "c", **environment(bert)).ok()
        assert text.count("stale: the manifest has changed since") == 2 and "verified here" not in text, text
        verdicts = [c["verdict"] for c in cli("computation", "show", "c", "--json", **environment(bert)).json()["confirmations"]]
        assert verdicts == ["stale", "stale"], verdicts
        # What was signed of the older one is of no use any more.
        for fields in ({"manifest_digest": older.manifest_digest, "revision": older.revision},
                       {"manifest_digest": older.manifest_digest}, {"revision": older.revision}):
            assert "another manifest" in refusal(lambda: made.confirm(bert, replayed, **fields), ABORTED), fields
        refusal(lambda: made.confirm(bert, replayed), DENIED)
        # Nor is the key that it does not name any more.
        assert "does not name this key" in refusal(lambda: made.confirm(anna), DENIED)
        made.confirm(bert)
        made.confirm(newer)
        assert sorted(made.told()) == [("anna", False), ("bert", False)]
        digest = older.manifest_digest.hex()
        cli("computation", "confirm", "c", bert.private(made.running.folder), "--digest", digest, **environment(bert)).refused(
            3, "another digest than yours")


def a_retired_key_counts_no_more():
    with room() as (made, environment):
        for holder in (made.anna, made.bert):
            made.confirm(holder)
        mine = environment(made.bert)
        made.anna.caller("RetireKey", fingerprint=made.anna.fingerprint)
        assert [(c.user, c.stale, c.retired) for c in made.list().confirmations] == [
            ("anna", False, True), ("bert", False, False)]
        shown = cli("computation", "show", "c", **mine).ok()
        assert shown.count("verified here") == 1 and "by a key that was retired since: it does not count" in shown, shown
        rows = cli("computation", "show", "c", "--json", **mine).json()["confirmations"]
        assert [row["verdict"] for row in rows] == ["retired", "verified here"], rows
        refusal(lambda: made.confirm(made.anna), DENIED)


def nobody_confirms_for_another():
    with room() as (made, environment):
        anna, bert, carl = made.anna, made.bert, made.carl
        now = made.list()
        good = {"manifest_digest": now.manifest_digest, "revision": now.revision}
        # Of another's key, with his signature or one's own.
        for signature in (made.signed(bert), made.signed(bert, name="anna"), made.signed(anna, fingerprint=bert.fingerprint)):
            assert "does not name this key, or it is none in use of user 'anna'" in refusal(
                lambda: anna.caller("Confirm", computation_id="c", key=bert.fingerprint, signature=signature, **good), DENIED)
        # Another word, another signature.
        for other in ({"service": bytes(32)}, {"name": "bert"}, {"computation": "d"}, {"fingerprint": bert.fingerprint},
                      {"digest": bytes(32)}, {"revision": 2}, {"label": b"cocos-user-key-v1"}):
            assert "not this key's" in refusal(lambda: made.confirm(anna, made.signed(anna, **other)), DENIED), other
        signature = made.signed(anna)
        for wrong in (signature[:-1], signature + b"\0", bytes(64), b"\xff" * 1024):
            refusal(lambda: made.confirm(anna, wrong), DENIED)
        refusal(lambda: made.confirm(anna, b"x" * 1025), INVALID)
        for fields in ({"key": b""}, {"key": bytes(31)}, {"manifest_digest": bytes(33)}, {"manifest_digest": b""}):
            refusal(lambda: made.confirm(anna, **fields), INVALID)
        # Who sees it and is none of those whom it names; who does not see it; and nobody.
        carl.register()
        assert "does not name this key" in refusal(lambda: made.confirm(carl), DENIED)
        stranger = Holder(made.running, "stranger")
        stranger.register()
        assert "no computation 'c'" in refusal(lambda: made.confirm(stranger), HIDDEN)
        assert stranger.caller.code("ListConfirmations", computation_id="c") == HIDDEN
        assert "without a token" in refusal(
            lambda: made.running.root("Confirm", computation_id="c", key=anna.fingerprint, signature=signature, **good), DENIED)
        # A key that was retired.
        bert.caller("RetireKey", fingerprint=bert.fingerprint)
        assert "none in use" in refusal(lambda: made.confirm(bert), DENIED)
        assert made.told() == []
        folder = made.running.folder
        mine = environment(carl)
        words = ["computation", "confirm", "c", carl.private(folder, "k.pem")]
        cli(*words, "--digest", now.manifest_digest.hex(), **mine).refused(1, "does not name this key")
        cli(*words, "--digest", "00" * 32, **mine).refused(3, "another digest than yours")
        cli(*words, "--digest", "zz", **mine).refused(2, "64 hexadecimal digits")
        cli(*words, "--digest", "00" * 32, "--manifest", "x", **mine).refused(2, "one of them")
        cli(*words, "--manifest", folder("none.json"), **mine).refused(2, "none.json")
        nobody = {k: v for k, v in environment(anna).items() if "TOKEN" not in k}
        cli("computation", "confirm", "c", anna.private(folder, "n.pem"), "--digest", now.manifest_digest.hex(),
            **nobody).refused(1, "without a token you are none")


def changed(made, sql, *values):
    """Somebody who has the service's database changes it."""
    running = made.running
    running.channel.close()
    running.process.finish()
    with contextlib.closing(sqlite3.connect(running.folder("state/computations.db"))) as database:
        assert database.execute(sql, values).rowcount > 0, sql
        database.commit()
    running.start()
    for holder in (made.anna, made.bert, made.carl):
        holder.caller = Caller(running.channel, holder.caller.metadata[0][1][7:])


def a_service_that_lies_is_seen():
    with room() as (made, environment):
        made.confirm(made.anna)
        mine = environment(made.carl)
        assert "verified here" in cli("computation", "show", "c", **mine).ok()
        good = made.list().confirmations[0].signature

        def seen(what, sql, *values):
            changed(made, sql, *values)
            said = cli("computation", "show", "c", **mine)
            said.refused(3, "the confirmation of user 'anna' is none")
            assert "NOT SO" in said.out and what in said.out and "verified here" not in said.out, said.out
            row, = json.loads(cli("computation", "show", "c", "--json", **mine).out)["confirmations"]
            assert row["verdict"] == "wrong" and what in row["reason"], row

        seen("not this key's", "UPDATE confirmations SET signature = ?", made.signed(made.bert))
        seen("not this key's", "UPDATE confirmations SET signature = ?, fingerprint = ?", good, made.bert.fingerprint)
        seen("does not name the key", "UPDATE confirmations SET fingerprint = ?", hashlib.sha3_256(b"x").digest())
        changed(made, "UPDATE confirmations SET fingerprint = ?", made.anna.fingerprint)
        assert "verified here" in cli("computation", "show", "c", **mine).ok()
        # One that is told to be of another revision is stale, whatever its digest.
        changed(made, "UPDATE confirmations SET revision = 2")
        assert "stale" in cli("computation", "show", "c", **mine).ok()
        # A digest that is not the manifest's.
        changed(made, "UPDATE computations SET digest = ?", bytes(32))
        cli("computation", "show", "c", **mine).refused(3, "not the one whose digest it tells")


def the_page_and_the_api_say_who():
    with Web() as web:
        web.come_in()
        web.service.folder, web.service.root = web.folder, Caller(web.service.channel)
        made = Room(web.service)
        nobody = web.ask("/c/c").page().words()
        assert "Nobody has signed that this digest" in nobody and "cocos-cli computation confirm" in nobody, nobody
        made.confirm(made.bert)
        for path in ("/c/c", "/c/c/manifest"):
            words = web.ask(path).page().words()
            assert "Compared by" in words and "bert this digest " + made.bert.fingerprint.hex() in words, words
            assert "cocos-cli computation show 'c'" in words, words
        path, document = "/api/computations/c/confirmations", web.ask("/api/openapi.json").json()
        told = holds(document, web.ask(path), path, "Confirmation").json()
        row, = told["confirmations"]
        signature = made.list().confirmations[0].signature.hex()
        assert (told["revision"], row["user"], row["stale"], row["signature"]) == (1, "bert", False, signature), told
        web.service.root("RetireKey", user="bert", fingerprint=made.bert.fingerprint)
        assert "bert by a key that was retired since" in web.ask("/c/c").page().words()
        row, = holds(document, web.ask(path), path).json()["confirmations"]
        assert (row["stale"], row["retired"]) == (False, True), row
        made.anna.again().register("c")
        assert "bert stale: the manifest has changed since" in web.ask("/c/c").page().words()
        told = holds(document, web.ask(path), path).json()
        assert (told["revision"], told["confirmations"][0]["stale"]) == (2, True), told
        assert web.ask("/api/computations/d/confirmations").status == 404


def it_goes_with_its_user_and_its_computation():
    with room() as (made, _):
        for holder in (made.anna, made.bert):
            made.confirm(holder)
        made.running.root("RemoveUser", name="bert")
        assert made.told() == [("anna", False)]
        replayed = made.signed(made.anna)
        made.running.root("Remove", id="c", force=True)
        made.anna.caller("Create", of(made.anna.spki, Key().spki))
        assert made.told() == []
        refusal(lambda: made.confirm(made.anna, replayed), DENIED)


def the_audit_log_says_who_and_which():
    with room() as (made, _):
        made.confirm(made.anna)
        refusal(lambda: made.confirm(made.anna, b"x"), DENIED)
        digest = made.list().manifest_digest.hex()
        rows = [json.loads(row) for row in made.running.root("Audit").rows]
        said = [(x["who"], x["after"], x["outcome"]) for x in rows if "Confirm" in x["what"]]
        assert said == [("user anna", f"key {made.anna.fingerprint.hex()}, manifest {digest}", "OK"),
                        ("user anna", "", "PERMISSION_DENIED")], said


if __name__ == "__main__":
    tap.run([participants_confirm_and_all_see_it,
             another_manifest_is_another,
             a_retired_key_counts_no_more,
             nobody_confirms_for_another,
             a_service_that_lies_is_seen,
             the_page_and_the_api_say_who,
             it_goes_with_its_user_and_its_computation,
             the_audit_log_says_who_and_which])
