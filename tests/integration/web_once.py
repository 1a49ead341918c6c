#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Creations of the API with an Idempotency-Key: each is made once, by whom, for how long, and what is told of it again."""
import contextlib
import re
import sqlite3
import threading

import tap
from harness import PATIENCE, until
from web_act import TABLE
from web_new import Ward, written

DAY = 24 * 3600 * 1000
# Path, body, another body, how many there are, the secret that is told once.
CREATIONS = {
    "/api/computations": (written(), written(name="other"), lambda w: len(w.root("List").computations), None),
    "/api/me/tokens": ({"name": "t"}, {"name": "t2"}, lambda w: len(w.root("ListTokens", name="chief").tokens), "token"),
    "/api/workspaces": ({"name": "made"}, {"name": "made2"}, lambda w: len(w.root("ListWorkspaces").workspaces), None),
    "/api/workspaces/{workspace}/invitations":
        ({"note": "x"}, {"note": "y"}, lambda w: len(w.root("ListInvitations", workspace="default").invitations), "link"),
    "/api/workspaces/{workspace}/webhooks":
        ({"url": "https://hooks.example.org/", "events": ["computation.created"]},
         {"url": "https://hooks2.example.org/", "events": ["computation.created"]},
         lambda w: len(w.call("GET", "/api/workspaces/default/webhooks", w.tokens["chief"]).json()["webhooks"]), "secret"),
    "/api/workspaces/{workspace}/assets":
        ({"name": "a1", "type": "dataset", "digest": "cd" * 32}, {"name": "a2", "type": "dataset", "digest": "cd" * 32},
         lambda w: len(w.call("GET", "/api/workspaces/default/assets", w.tokens["chief"]).json()["assets"]), None),
}
IMPORTS = "/api/workspaces/{workspace}/imports"


class Once(Ward):
    def __enter__(self):
        super().__enter__()
        self.root("SetMember", workspace="default", user="anna", role="administrator")
        self.root("SetMember", workspace="default", user="chief", role="administrator")
        return self

    def send(self, path, body, *keys, who="anna", workspace="default"):
        return self.call("POST", path.replace("{workspace}", workspace), self.tokens[who], body,
                         [("Idempotency-Key", key) for key in keys])

    def database(self):
        """The service's own, written beside it."""
        return contextlib.closing(sqlite3.connect(self.service.folder("state") + "/computations.db", timeout=PATIENCE, isolation_level=None))

    def rows(self, words="*"):
        with self.database() as database:
            return database.execute(f"SELECT {words} FROM once_keys").fetchall()


def refused(answer, status, *words):
    problem = answer.problem()
    assert answer.status == status == problem["status"] and problem["field"] == "header idempotency-key", answer.body
    assert problem["remedy"] and all(word in problem["detail"] for word in words), problem


def every_creation_is_made_once():
    """These are all of them: rows of the table that are of POST and make something."""
    made = re.findall(r'\bMAKES?\("([^"]+)"', TABLE)
    made += [path for path, action in re.findall(r'\bSEND\(HTTP_POST, "([^"]+)",\s+(\w+)', TABLE)
             if action in ("web_api_token", "web_api_workspace", "web_api_invite", "web_api_webhook", "web_api_asset")]
    assert sorted(made) == sorted([*CREATIONS, IMPORTS]), made
    with Once() as ward:
        document = ward.call("GET", "/api/openapi.json", ward.tokens["anna"]).json()["paths"]
        keyed = [path for path, about in document.items()
                 if any(p["name"] == "Idempotency-Key" for p in about.get("post", {}).get("parameters", []))]
        assert sorted(keyed) == sorted(made), keyed
        for path, (body, other, count, secret) in CREATIONS.items():
            key, before = "key" + path.replace("{workspace}", "w"), count(ward)
            key = key[:64]
            first = ward.send(path, body, key, who="chief")
            assert first.status == 201 and count(ward) == before + 1, (path, first.body)
            assert "idempotent-replayed" not in first.fields
            again = ward.send(path, body, key, who="chief")
            assert again.status == 201 and again.fields["idempotent-replayed"] == "true", (path, again.body)
            assert again.fields.get("location") == first.fields.get("location")
            told, retold = first.json(), again.json()
            if secret:
                value = told.pop(secret)
                assert secret in retold.pop("withheld") and value not in again.body.decode(), again.body
                assert value not in str(ward.rows())
            assert told == retold, (path, told, retold)
            refused(ward.send(path, other, key, who="chief"), 422, "something else")
            assert count(ward) == before + 1, path
            assert ward.send(path, other, key + "x" if len(key) < 64 else "x" + key[1:], who="chief").status == 201
            assert count(ward) == before + 2, path


def an_import_is_made_once():
    with Once() as ward:
        one = ward.post("anna", written()).json()["id"]
        document = ward.call("GET", f"/api/computations/{one}/export", ward.tokens["anna"]).body.decode()
        body = {"document": document, "new_ids": True}
        first, again = (ward.send(IMPORTS, body, "k") for _ in range(2))
        assert first.status == again.status == 200 and first.body == again.body, (first.body, again.body)
        assert ward.count() == 2
        refused(ward.send(IMPORTS, {**body, "preview": True}, "k"), 422)
        assert ward.send(IMPORTS, body, "k-2").status == 200 and ward.count() == 3


def a_key_is_of_one_user_and_one_request():
    with Once() as ward:
        ward.root("AddMember", workspace="lab", user="anna")
        first = ward.send("/api/computations", written(), "k")
        # Another's is another's, whatever it is for, and tells nothing of the first.
        theirs = ward.send("/api/computations", written(name="theirs"), "k", who="bert")
        assert theirs.status == 201 and theirs.json()["id"] != first.json()["id"]
        # Not only the body: the path, and the place in the query.
        refused(ward.send("/api/workspaces", written(), "k"), 422)
        refused(ward.send("/api/computations?workspace=default", written(), "k"), 422)
        invited = ward.send("/api/workspaces/{workspace}/invitations", {"note": "x"}, "k-2")
        assert invited.status == 201
        refused(ward.send("/api/workspaces/{workspace}/invitations", {"note": "x"}, "k-2", workspace="lab"), 422)
        # Also by a session of hers, and behind a restart.
        ward.again()
        assert ward.send("/api/computations", written(), "k").json() == first.json() and ward.count() == 2
        for bad in (("",), ("a b",), ("x" * 65,), ("k-3", "k-4"), ("ä".encode().decode("latin-1"),)):
            refused(ward.send("/api/computations", written(), *bad), 400)
        assert ward.send("/api/computations", written(name="more"), "x" * 64).status == 201
        assert ward.call("POST", "/api/computations", "cocos_" + "0" * 64, written(), [("Idempotency-Key", "k")]).status == 401


def what_was_refused_may_be_sent_again():
    with Once() as ward:
        assert ward.send("/api/computations", b"{", "k").status == 400
        assert ward.send("/api/workspaces", {"name": "lab"}, "k").status == 403
        assert ward.send("/api/workspaces", {"name": "lab"}, "k", who="chief").status == 409
        assert ward.send("/api/computations", written(), "k", who="outsider").status in (400, 403, 404)
        until(lambda: not ward.rows(), "the keys are free")  # behind the answers
        assert ward.send("/api/computations", written(), "k").status == 201 and ward.count() == 1


def who_may_not_see_the_place_is_told_nothing_more():
    with Once() as ward:
        ward.root("AddMember", workspace="lab", user="anna")
        for name in ("anna", "outsider"):
            ward.root("SetMember", workspace="lab", user=name, role="administrator")
        for name, kind, digest in (("train", "algorithm", b"t" * 32), ("scans", "dataset", b"s" * 32)):
            ward.root("RegisterAsset", workspace="lab", name=name, type=kind, digest=digest)
        alone = {"result_consumers": [{"user_key": "user:anna"}], "datasets": []}
        at_home = ward.post("anna", written(**alone)).json()["id"]
        document = ward.call("GET", f"/api/computations/{at_home}/export", ward.tokens["anna"]).body.decode()
        made = {"k": ("/api/workspaces/{workspace}/invitations", {"note": "x"}),
                "k-named": ("/api/computations?workspace=lab", written(**alone)),
                "k-import": (IMPORTS, {"document": document, "new_ids": True})}
        for key, (path, body) in made.items():
            first, again = (ward.send(path, body, key, workspace="lab") for _ in range(2))
            assert first.status == again.status and first.status in (200, 201), (key, first.body, again.body)
            for one in first.json().get("computations", [first.json()]):
                if key != "k":
                    ward.root("GiveRole", computation_id=one["id"], role="owner", user="outsider")
        ward.root("RemoveMember", workspace="lab", user="anna")
        for key, (path, body) in made.items():
            gone = ward.send(path, body, key, workspace="lab")
            assert gone.status == 404 and b"number" not in gone.body and b'"id"' not in gone.body, (key, gone.body)
        # Of one that names no place, the one where it was made counts.
        homes = {"k-home": "/api/computations", "k-empty": "/api/computations?workspace="}
        for key, path in homes.items():
            body = written(**alone, name=key)
            assert ward.send(path, body, key).status == ward.send(path, body, key).status == 201, key
        ward.root("AddMember", workspace="lab", user="anna")
        for one in ward.root("List", workspace="default").computations:
            ward.root("GiveRole", computation_id=one.id, role="owner", user="bert")
        ward.root("RemoveMember", workspace="default", user="anna")
        for key, path in homes.items():
            gone = ward.send(path, written(**alone, name=key), key)
            assert gone.status == 404 and b'"id"' not in gone.body, (key, gone.body)
        ward.root("SuspendUser", name="anna")
        assert ward.send("/api/computations", written(), "k").status == 401


def whose_end_is_not_known_is_not_made_again():
    """As the service leaves it that ends in the middle; a day later the key is free."""
    with Once() as ward:
        first = ward.send("/api/computations", written(), "k")
        assert first.status == 201
        until(lambda: ward.rows("status") == [(201,)], "its end to be kept, which is behind the answer")
        with ward.database() as database:
            database.execute("UPDATE once_keys SET status = 0, made = '', location = ''")
        refused(ward.send("/api/computations", written(), "k"), 409, "not known")
        refused(ward.send("/api/computations", written(name="other"), "k"), 422)
        assert ward.count() == 1
        with ward.database() as database:
            database.execute(f"UPDATE once_keys SET taken = taken - {DAY}")
        assert ward.send("/api/computations", written(name="other"), "k").status == 201 and ward.count() == 2


def many_at_once_make_one():
    with Once() as ward:
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(ward.send("/api/computations", written(), "k")))
                   for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 8 and ward.count() == 1
        assert {a.status for a in answers} <= {201, 409} and len({a.body for a in answers if a.status == 201}) == 1
        for answer in answers:
            if answer.status == 409:
                refused(answer, 409, "under way")


def one_has_so_many_keys():
    with Once() as ward:
        assert ward.send("/api/computations", written(), "k").status == 201
        with ward.database() as database:
            database.execute("INSERT INTO once_keys (person, key, what, digest, taken) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
                             "SELECT i + 1 FROM n WHERE i < 999) SELECT k.person, 'k' || i, k.what, k.digest, k.taken "
                             "FROM n, once_keys k WHERE k.key = 'k'")
        full = ward.send("/api/computations", written(), "more")
        assert full.status == 429 and "1000 creations" in full.problem()["detail"], full.body
        assert ward.send("/api/computations", written(), "k").status == 201 and ward.count() == 1
        assert ward.send("/api/computations", written(name="his"), "more", who="bert").status == 201
        assert ward.send("/api/computations", written(name="hers")).status == 201 and ward.count() == 3


if __name__ == "__main__":
    tap.run([every_creation_is_made_once, an_import_is_made_once, a_key_is_of_one_user_and_one_request,
             what_was_refused_may_be_sent_again, who_may_not_see_the_place_is_told_nothing_more,
             whose_end_is_not_known_is_not_made_again, many_at_once_make_one, one_has_so_many_keys])
