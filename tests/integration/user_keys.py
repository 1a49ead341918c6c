# SPDX-License-Identifier: Apache-2.0
"""Keys of users at cocos-computations: shown to be theirs, listed, retired, and put into manifests."""
import base64
import contextlib
import hashlib
import json
import os
import sqlite3

import grpc
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

import tap
from agent_peer import Key, pem_key
from computation_transfer import NEWER, PERSON, sample
from computations_service import agent_of, connected
from harness import cli, computations, cvms, until
from people import DENIED, HIDDEN, NOT_NOW, OK, Caller, create, service, user

EXISTS, INVALID = grpc.StatusCode.ALREADY_EXISTS, grpc.StatusCode.INVALID_ARGUMENT


def fingerprint(spki):
    return hashlib.sha3_256(spki).digest()


def statement(service_key, name, spki, challenge, computation="", label=b"cocos-user-key-v1"):
    """What is signed, from docs/owners.md and no code of the project."""
    parts = (service_key, name.encode(), computation.encode(), fingerprint(spki), challenge)
    return label + b"\0" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


class Holder:
    """A user with a key of that kind."""

    def __init__(self, running, name, kind="ed25519", caller=None):
        self.running, self.name, self.key = running, name, Key(kind)
        self.caller = caller or user(running, name)
        self.spki, self.fingerprint = self.key.spki, fingerprint(self.key.spki)

    def challenge(self, computation="", spki=None):
        return self.caller("ChallengeKey", key=spki or self.spki, computation_id=computation)

    def signed(self, asked, computation="", **other):
        fields = {"service_key": asked.service, "name": self.name, "spki": self.spki,
                  "challenge": asked.challenge, "computation": computation}
        fields.update(other)
        return base64.b64decode(self.key.sign(statement(**fields)))

    def answer(self, asked, signature, computation="", spki=None):
        return self.caller("RegisterKey", key=spki or self.spki, computation_id=computation,
                           challenge=asked.challenge, signature=signature)

    def register(self, computation=""):
        asked = self.challenge(computation)
        return self.answer(asked, self.signed(asked, computation), computation)

    def again(self, kind="ed25519"):
        """The same user with another key."""
        return Holder(self.running, self.name, kind, self.caller)

    def private(self, folder, name="key.pem"):
        return folder.write(name, pem_key(self.key.key))

    def token(self, folder):
        path = folder.write(self.name + ".token", self.caller.metadata[0][1][7:] + "\n")
        os.chmod(path, 0o600)
        return path


def refusal(call, code):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, (error.code(), error.details())
        return error.details()
    raise AssertionError("it is not refused")


def keys_of(caller, name=""):
    return [(key.fingerprint, key.computation_id, key.HasField("retired")) for key in caller("ListKeys", name=name).keys]


def each_kind_of_key_is_registered_by_who_has_it():
    with service() as running:
        for kind, words in (("ed25519", "Ed25519"), ("ecdsa", "ECDSA P-256"), ("rsa", "RSA 2048")):
            anna = Holder(running, "user-" + kind, kind)
            made = anna.register()
            assert (made.user, made.kind, made.fingerprint, made.key) == (
                anna.name, words, anna.fingerprint, anna.spki), made
            assert not made.manifest_digest and not made.HasField("retired")
            assert keys_of(anna.caller) == [(anna.fingerprint, "", False)]
            assert "registered already" in refusal(anna.register, EXISTS)


def a_challenge_is_good_once_for_who_asked():
    with service() as running:
        anna, bert = Holder(running, "anna"), Holder(running, "bert")
        asked = anna.challenge()
        assert len(asked.challenge) == 32 and asked.user == "anna" and len(asked.service) == 32
        # Another user's, with his own key or with hers.
        assert "not given out" in refusal(lambda: bert.answer(asked, bert.signed(asked)), DENIED)
        assert "not given out" in refusal(lambda: bert.answer(asked, anna.signed(asked), spki=anna.spki), DENIED)
        # What is signed says who, where, what for, which: another word, another signature.
        create(anna.caller, "c")
        for other in ({"service_key": bytes(32)}, {"name": "bert"}, {"spki": bert.spki}, {"challenge": bytes(32)},
                      {"computation": "c"}, {"label": b"cocos-user-key-v2"}):
            asked = anna.challenge()
            assert "not this key's" in refusal(lambda: anna.answer(asked, anna.signed(asked, **other)), DENIED), other
            # It is used up.
            assert "was used" in refusal(lambda: anna.answer(asked, anna.signed(asked)), DENIED)
        asked = anna.challenge()
        signature = anna.signed(asked)
        for wrong in (b"", signature[:-1], signature + b"\0", bytes(64), b"\xff" * 2000):
            asked = anna.challenge()
            refusal(lambda: anna.answer(asked, wrong), DENIED)
        assert keys_of(anna.caller) == []
        asked = anna.challenge()
        anna.answer(asked, anna.signed(asked))
        assert "registered already" in refusal(lambda: anna.answer(asked, anna.signed(asked)), EXISTS)


def a_challenge_survives_a_restart_and_not_its_end():
    with service() as running:
        anna = Holder(running, "anna")
        asked = anna.challenge()

        def restart(ends=None):
            running.channel.close()
            running.process.kill()
            if ends is not None:
                with contextlib.closing(sqlite3.connect(running.folder("state/computations.db"))) as db:
                    db.execute("UPDATE key_challenges SET ends = ?", (ends,))
                    db.commit()
            running.start()
            anna.caller = Caller(running.channel, anna.caller.metadata[0][1][7:])

        restart(ends=1)
        assert "older than 5 minutes" in refusal(lambda: anna.answer(asked, anna.signed(asked)), DENIED)
        asked = anna.challenge()
        restart()
        anna.answer(asked, anna.signed(asked))
        restart()
        assert keys_of(anna.caller) == [(anna.fingerprint, "", False)]


def nobody_registers_a_key_for_somebody_else():
    with service() as running:
        anna, bert = Holder(running, "anna"), Holder(running, "bert")
        chief = Holder(running, "chief", caller=user(running, "chief", administrator=True))
        assert "without a token" in refusal(lambda: running.root("ChallengeKey", key=anna.spki), DENIED)
        viewer = Caller(running.channel, anna.caller("AddToken", name="v", actions=["view", "edit"]).token)
        assert "not for all actions" in refusal(lambda: viewer("ChallengeKey", key=anna.spki), DENIED)
        for method in ("ListKeys", "RetireKey"):
            assert viewer.code(method) == DENIED
        anna.register()
        # Who only knows the public key hears nothing of whose it is.
        bert.spki = anna.spki
        asked = bert.challenge()
        assert "not this key's" in refusal(lambda: bert.answer(asked, bert.signed(asked)), DENIED)
        bert.key = anna.key
        assert "another user's" in refusal(bert.register, EXISTS)
        assert bert.caller.code("ListKeys", name="anna") == DENIED
        assert bert.caller.code("RetireKey", user="anna", fingerprint=anna.fingerprint) == DENIED
        assert bert.caller.code("RetireKey", fingerprint=anna.fingerprint) == HIDDEN
        assert keys_of(chief.caller, "anna") == [(anna.fingerprint, "", False)]
        chief.caller("RetireKey", user="anna", fingerprint=anna.fingerprint)
        assert keys_of(anna.caller) == [(anna.fingerprint, "", True)]
        assert "does not come back" in refusal(anna.register, NOT_NOW)
        for wrong in (b"", b"x", anna.spki[:-1], anna.spki + b"\0", bytes(3000), pem_key(anna.key.key).encode()):
            assert anna.caller.code("ChallengeKey", key=wrong) == INVALID, wrong
        unsound = rsa.RSAPublicNumbers(65537, 2**2047 + 1).public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        asked = anna.challenge(spki=unsound)
        assert "key" in refusal(lambda: anna.answer(asked, bytes(256), spki=unsound), INVALID)
        for wrong in (b"", bytes(31), bytes(33)):
            assert anna.caller.code("RetireKey", fingerprint=wrong) == INVALID, wrong


def of(algorithm, consumer, name="c"):
    return computations.CreateRequest(manifest=cvms.ComputationRunReq(
        id=name, name=name, algorithm=cvms.Algorithm(hash=b"a" * 32, userKey=algorithm),
        result_consumers=[cvms.ResultConsumer(userKey=consumer)]))


def another_key_goes_into_a_manifest_until_its_first_run():
    with service() as running:
        anna, bert = Holder(running, "anna"), Holder(running, "bert")
        anna.register()
        bert.register()
        anna.caller("Create", of(anna.spki, bert.spki))
        before = anna.caller("Show", id="c").manifest_digest
        # Who has no role there changes nothing, and does not hear that it is there.
        assert "no computation 'c'" in refusal(lambda: bert.again().register("c"), HIDDEN)
        anna.caller("GiveRole", computation_id="c", role="result_consumer", user="bert")
        newer = bert.again("ecdsa")
        made = newer.register("c")
        shown = anna.caller("Show", id="c")
        assert made.manifest_digest == shown.manifest_digest != before
        manifest = anna.caller("Manifest", id="c").manifest
        assert (manifest.algorithm.userKey, manifest.result_consumers[0].userKey) == (anna.spki, newer.spki)
        owners = {o.fingerprint: (o.user, o.retired) for o in anna.caller("ListKeyOwners", computation_id="c").owners}
        assert owners == {anna.fingerprint: ("anna", False), newer.fingerprint: ("bert", False)}
        # A key of all computations leaves those that are there as they are.
        anna.again().register()
        assert anna.caller("Show", id="c").manifest_digest == shown.manifest_digest
        owners = {o.user: o.retired for o in anna.caller("ListKeyOwners", computation_id="c").owners}
        assert owners == {"anna": True, "bert": False}
        with agent_of(running, "cvm-1"):
            until(connected(running, "cvm-1"), "the connection")
            running.root("Run", id="c", cvm_id="cvm-1")
            said = refusal(lambda: bert.again().register("c"), NOT_NOW)
            assert "was run: nobody can put another key into it" in said and "frozen" in said, said
        anna.caller("Stop", id="c")
        assert "frozen" in refusal(lambda: bert.again().register("c"), NOT_NOW)
        running.root("Remove", id="c", force=True)
        assert keys_of(bert.caller) == [(bert.fingerprint, "", False)]


@contextlib.contextmanager
def at_a_terminal():
    """A service, and one's environment for it."""
    with service() as running:
        def environment(holder):
            return {"COMPUTATIONS_GRPC_URL": "unix:" + running.socket, "XDG_STATE_HOME": running.folder("home-" + holder.name),
                    "COMPUTATIONS_GRPC_TOKEN_FILE": holder.token(running.folder)}
        yield running, environment


def commands_do_all_of_it():
    with at_a_terminal() as (running, environment):
        folder = running.folder
        for kind in ("ed25519", "ecdsa", "rsa"):
            holder = Holder(running, "at-" + kind, kind)
            mine, path = environment(holder), holder.private(folder, kind + ".pem")
            hexed = holder.fingerprint.hex()
            assert cli("key", "register", path, **mine).ok() == f"key {hexed} registered for user {holder.name}\n"
            assert cli("key", "fingerprint", path).ok().strip() == hexed
            rows = cli("key", "list", "--json", **mine).json()
            assert [(r["fingerprint"], r["state"], r["user"]) for r in rows] == [(hexed, "in use", holder.name)], rows
            shown = cli("key", "show", hexed, "--json", **mine).json()
            assert base64.b64decode(shown["user_key"]) == holder.spki and shown["computation"] == "", shown
            assert hexed in cli("key", "show", hexed, **mine).ok()
            cli("key", "register", path, **mine).refused(1, "registered already")
            ended = cli("key", "retire", hexed, **mine)
            assert ended.ok() == f"key {hexed} is retired\n" and "note: manifests that name it still do, also of computations that have not run" in ended.err, ended
            assert "retired" in cli("key", "list", **mine).ok()
            cli("key", "register", path, **mine).refused(1, "does not come back")
        cli("key", "show", "00" * 32, **mine).refused(1, "no key")
        cli("key", "show", "zz", **mine).refused(2, "64 hexadecimal digits")
        cli("key", "retire", hexed[:-1], **mine).refused(2, "64 hexadecimal digits")
        cli("key", "register", folder("none.pem"), **mine).refused(2, "none.pem")
        public = folder.write("public.pem", "-----BEGIN PUBLIC KEY-----\n")
        cli("key", "register", public, **mine).refused(2, "public.pem")
        nobody = {k: v for k, v in mine.items() if "TOKEN" not in k}
        fresh = Holder(running, "fresh").private(folder, "fresh.pem")
        cli("key", "register", fresh, **nobody).refused(1, "without a token you are none")
        cli("key", "list", "at-rsa", **nobody).ok()
        cli("key", "list", **nobody).refused(1, "name a user")


def a_service_with_another_key_gets_no_signature():
    with at_a_terminal() as (running, environment):
        anna = Holder(running, "anna")
        mine, path = environment(anna), anna.private(running.folder)
        cli("journal", "witness", **mine).ok()
        other = running.folder.write("other.pem", Key().key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode())
        cli("key", "register", path, "--witness-key", other, **mine).refused(3, "the log's key is not that of")
        running.channel.close()
        running.process.finish()
        running.settings["COMPUTATIONS_STATE_DIR"] = running.folder("another")
        running.start()
        running.root = Caller(running.channel)
        again = Holder(running, "anna")
        cli("key", "register", path, **dict(mine, COMPUTATIONS_GRPC_TOKEN_FILE=again.token(running.folder))).refused(
            3, "the log's key is another than the one that it had")
        assert keys_of(again.caller) == []


def manifests_name_users_where_keys_are_wanted():
    with at_a_terminal() as (running, environment):
        folder = running.folder
        anna, bert = Holder(running, "anna"), Holder(running, "bert", "rsa")
        mine = environment(anna)
        hash_of = "ab" * 32
        options = ["--id", "c", "--name", "n", "--algorithm", hash_of, "--algorithm-key", "user:anna",
                   "--dataset", "cd" * 32, "--dataset-name", "d", "--dataset-key", "user:bert",
                   "--consumer-key", "user:anna"]
        lacks = cli("computation", "create", *options, **mine)
        lacks.refused(1, "user 'bert' has no key here")
        assert "cocos-cli workspace member list" in lacks.err, lacks.err  # 'user list' is for administrators
        anna.register()
        bert.register()
        made = cli("computation", "create", *options, **mine)
        assert made.ok() == "c\n"
        for holder in (anna, bert):
            assert f"user:{holder.name} is key {holder.fingerprint.hex()}" in made.err, made.err
        assert made.err.count("user:anna is key") == 1, made.err
        manifest = anna.caller("Manifest", id="c").manifest
        assert (manifest.algorithm.userKey, manifest.datasets[0].userKey, manifest.result_consumers[0].userKey) == (
            anna.spki, bert.spki, anna.spki)
        text = {"id": "d", "name": "another", "algorithm": {"hash": hash_of, "user_key": "user:bert"},
                "result_consumers": [{"user_key": "user:anna"}], "description": "user:anna"}
        path = folder.write("manifest.json", json.dumps(text))
        dry = cli("computation", "create", path, "--dry-run", **mine).json()
        assert dry["description"] == "user:anna"
        assert base64.b64decode(dry["algorithm"]["user_key"]) == bert.spki
        assert cli("computation", "create", path, **mine).ok() == "d\n"
        for name, status, words in (("nobody", 1, "user 'nobody' has no key here"), ("", 1, "has no key here"),
                                    ("x\u202e", 2, "without escapes"), ('a"b', 2, "without escapes")):
            text["algorithm"]["user_key"] = "user:" + name
            cli("computation", "create", folder.write("bad.json", json.dumps(text)), **mine).refused(status, words)
        # For one that is there, the key that somebody registered for it alone goes before the one of all, as at the page.
        alone = anna.again()
        alone.register("d")
        text["algorithm"]["user_key"] = "user:bert"
        updated = cli("computation", "update", "d", folder.write("other.json", json.dumps({**text, "name": "m"})), **mine)
        updated.ok()
        assert f"user:anna is key {alone.fingerprint.hex()} (of this computation)," in updated.err, updated.err
        assert f"user:bert is key {bert.fingerprint.hex()}, by" in updated.err, updated.err
        manifest = anna.caller("Manifest", id="d").manifest
        assert (manifest.name, manifest.algorithm.userKey, manifest.result_consumers[0].userKey) == ("m", bert.spki, alone.spki)
        stranger = user(running, "eve")
        assert stranger("FindKey", name="anna").key == anna.spki
        assert stranger.code("FindKey", name="anna", computation_id="d") == HIDDEN
        bert.caller("RetireKey", fingerprint=bert.fingerprint)
        cli("computation", "create", path, **mine).refused(1, "user 'bert' has no key here")
        # A token that creates nothing asks for no keys.
        viewer = Caller(running.channel, anna.caller("AddToken", name="v", actions=["view"]).token)
        assert viewer.code("FindKey", name="anna") == DENIED
        cli("manifest", "show", folder.write("bad.json", json.dumps(text)), **mine).refused(2, "user_key")


def whose_key_is_where_is_shown():
    with at_a_terminal() as (running, environment):
        folder = running.folder
        anna, bert = Holder(running, "anna"), Holder(running, "bert", "ecdsa")
        anna.register()
        bert.register()
        mine = environment(anna)
        stranger = Key()
        anna.caller("Create", of(anna.spki, bert.spki))
        anna.caller("GiveRole", computation_id="c", role="result_consumer", user="bert")
        anna.caller("Create", of(stranger.spki, anna.spki, "d"))
        text = cli("manifest", "show", "c", cwd=folder.path, **mine).ok()
        for holder in (anna, bert):
            assert f"{holder.fingerprint.hex()}\n            registered by user '{holder.name}', the service says\n" in text, text
        shown = cli("manifest", "show", "--json", "c", **mine).json()
        assert (shown["algorithm"]["user"], shown["algorithm"]["retired"]) == ("anna", False), shown
        assert shown["consumers"][0]["user"] == "bert", shown
        assert "user" not in cli("manifest", "show", "--json", "d", **mine).json()["algorithm"]
        roles = {row["role_name"]: row for row in cli("role", "list", "c", "--json", **mine).json()}
        assert roles["owner"]["keys"] == [{"user": "anna", "fingerprint": anna.fingerprint.hex()}], roles
        assert roles["result_consumer"]["keys"] == [{"user": "bert", "fingerprint": bert.fingerprint.hex()}], roles
        assert "keys" not in roles["viewer"]
        assert f"bert={bert.fingerprint.hex()}" in cli("role", "list", "c", "-o", "wide", **mine).ok()
        assert bert.fingerprint.hex() not in cli("role", "list", "c", **mine).ok()
        bert.caller("RetireKey", fingerprint=bert.fingerprint)
        assert "registered by user 'bert' and retired, the service says" in cli("manifest", "show", "c", **mine).ok()
        # A file is what it is, whoever the service says that its keys are.
        path = folder.write("manifest.json", cli("computation", "manifest", "c", **mine).ok())
        assert "registered by" not in cli("manifest", "show", path, **mine).ok()
        # Who gave away the own role has done so.
        anna.caller("GiveRole", computation_id="c", role="owner", user="bert")
        cli("role", "take", "c", "owner", "anna", **mine).ok()
        cli("role", "list", "c", **mine).refused(1, "no computation 'c'")


def imports_name_users_where_keys_are_wanted():
    with at_a_terminal() as (running, environment):
        anna = Holder(running, "anna")
        mine = environment(anna)
        document = running.folder.write("one.json", json.dumps(sample(NEWER)))
        words = ["computation", "import", document, "--map", PERSON + "=anna", "--key", PERSON + "=user:anna"]
        cli(*words, **mine).refused(1, "user 'anna' has no key here")
        anna.register()
        done = cli(*words, "--json", **mine).json()[0]
        manifest = anna.caller("Manifest", id=done["id"]).manifest
        assert {manifest.algorithm.userKey, manifest.datasets[0].userKey, manifest.result_consumers[0].userKey} == {
            anna.spki}


def the_audit_log_says_which_key():
    with service() as running:
        log = running.folder("audit.log")
        running.channel.close()
        running.process.finish()
        running.settings["COMPUTATIONS_AUDIT_LOG"] = log
        running.start()
        running.root = Caller(running.channel)
        anna = Holder(running, "anna")
        anna.register()
        newer = anna.again()
        asked = newer.challenge()
        refusal(lambda: newer.answer(asked, b"x"), DENIED)
        anna.caller("RetireKey", fingerprint=anna.fingerprint)
        with open(log, encoding="utf-8") as file:
            done = [x for x in map(json.loads, file) if x["event"] == "done"]
        said = [(x["method"].split("/")[1], x.get("by"), x.get("user_key"), x["outcome"]) for x in done if "Key" in x["method"]]
        assert said == [("RegisterKey", "anna", anna.fingerprint.hex(), "OK"),
                        ("RegisterKey", "anna", None, "PERMISSION_DENIED"),
                        ("RetireKey", "anna", anna.fingerprint.hex(), "OK")], said
        running.channel.close()
        running.process.finish()
        with contextlib.closing(sqlite3.connect(running.folder("state/computations.db"))) as database:
            lines = [json.loads(line) for line, in database.execute("SELECT line FROM audit_rows ORDER BY number")]
        key = "key " + anna.fingerprint.hex()
        assert [(x["before"], x["after"], x["outcome"]) for x in lines if "Key" in x["what"]] == [
            ("", key, "OK"), ("", "", "PERMISSION_DENIED"), (key, "retired", "OK")], lines
        running.start()


if __name__ == "__main__":
    tap.run([each_kind_of_key_is_registered_by_who_has_it,
             a_challenge_is_good_once_for_who_asked,
             a_challenge_survives_a_restart_and_not_its_end,
             nobody_registers_a_key_for_somebody_else,
             another_key_goes_into_a_manifest_until_its_first_run,
             commands_do_all_of_it,
             a_service_with_another_key_gets_no_signature,
             manifests_name_users_where_keys_are_wanted,
             whose_key_is_where_is_shown,
             imports_name_users_where_keys_are_wanted,
             the_audit_log_says_which_key])
