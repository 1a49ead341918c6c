#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One's own keys on the page and by its API: what hangs on them, and that nobody else's are seen or retired."""
import tap
from harness import cli, computations, cvms
from people import Caller
from user_keys import Holder
from web_fitted import holds
from web_members import Lab, orders_of
from web_page import BROWSER, EVIL


def holder(room, who):
    made = Holder(room.service, who, caller=Caller(room.service.channel, room.tokens[who]))
    made.register()
    return made


def naming(room, who, known, spki, name=None):
    manifest = cvms.ComputationRunReq(
        id=known, name=name or known, algorithm=cvms.Algorithm(hash=b"a" * 32, userKey=spki),
        datasets=[cvms.Dataset(hash=b"b" * 32, userKey=spki, filename=EVIL.split("\u202e", maxsplit=1)[0].replace("/", ""))],
        result_consumers=[cvms.ResultConsumer(userKey=spki)])
    Caller(room.service.channel, room.tokens[who])("Create", computations.CreateRequest(manifest=manifest, workspace="lab"))


def told(room, who, path="/api/me/keys"):
    return room.call("GET", path, room.tokens[who]).json()


def retire(room, by, who, fingerprint):
    if by == "page":
        return room.form(who, f"/me/keys/{fingerprint}")
    return room.change("DELETE", f"/api/me/keys/{fingerprint}", who)


def keys_are_shown_to_whose_they_are():
    with Lab() as room:
        mine, hers = holder(room, "lab-member"), holder(room, "lab-administrator")
        naming(room, "lab-member", "both", mine.spki, EVIL.split("\u202e", maxsplit=1)[0])
        naming(room, "lab-administrator", "hidden", mine.spki, "secret of hers")
        naming(room, "lab-administrator", "others", hers.spki)
        document = room.call("GET", "/api/openapi.json", room.tokens["lab-member"]).json()
        got = holds(document, room.call("GET", "/api/me/keys", room.tokens["lab-member"]), "/api/me/keys", "Key", "KeyUse").json()
        assert [k["fingerprint"] for k in got["keys"]] == [mine.fingerprint.hex()] and got["next"] is None, got
        assert got["keys"][0]["kind"] == "Ed25519" and got["keys"][0]["retired"] is None and got["keys"][0]["computation"] == ""
        assert [(u["computation"], u["as"]) for u in got["uses"]] == [("both", "algorithm"), ("both", "dataset"), ("both", "results")], got
        assert {u["fingerprint"] for u in got["uses"]} == {mine.fingerprint.hex()}
        room.root("GiveRole", computation_id="hidden", role="viewer", user="lab-member")
        assert [u["computation"] for u in told(room, "lab-member")["uses"]] == ["hidden"] * 3 + ["both"] * 3
        page = room.sessions["lab-member"].get("/me/keys")
        assert page.status == 200 and mine.fingerprint.hex() in page.page().words() and "/c/both" in page.page().links
        assert hers.fingerprint.hex() not in page.page().words() and b"<script>alert" not in page.body and b"<img" not in page.body
        assert "/me/keys" in room.sessions["lab-member"].get("/me").page().links
        # Who has none, or is no user, or shows a token that is for little, is told nothing.
        assert told(room, "lab-viewer") == {"keys": [], "uses": [], "next": None}
        assert "cocos-cli key register private.pem" in room.sessions["lab-viewer"].get("/me/keys").body.decode()
        narrow = room.root("AddToken", user="lab-member", name="narrow", actions=["view"]).token
        assert room.call("GET", "/api/me/keys", narrow).json() == {"keys": [], "uses": [], "next": None}
        shown = room.call("GET", "/me/keys", room.tokens["lab-member"], headers=BROWSER)
        assert shown.status == 200 and shown.page() and b"<form" not in shown.body
        assert room.call("GET", "/api/me/keys").status == 401


def a_key_is_retired_by_its_user_alone():
    with Lab() as room:
        for by in ("page", "api"):
            mine = holder(room, "lab-member")
            known = mine.fingerprint.hex()
            for who in ("lab-administrator", "far-head", "chief"):
                none = retire(room, by, who, "0" * 64)
                done = retire(room, by, who, known)
                assert done.status == none.status == 404, (by, who, done.status)
                assert done.body.replace(known.encode(), b"") == none.body.replace(b"0" * 64, b""), who
            assert [k["retired"] for k in told(room, "lab-member")["keys"] if k["fingerprint"] == known] == [None]
            for bad in (known[:-1], known + "0", "g" + known[1:], "x"):
                assert retire(room, by, "lab-member", bad).status == 400, bad
            narrow = room.root("AddToken", user="lab-member", name="narrow-" + by, actions=["view"]).token
            assert room.call("DELETE", f"/api/me/keys/{known}", narrow).status == 403
            before = len(told(room, "lab-member")["keys"])
            assert retire(room, by, "lab-member", known).status in (303, 204)
            keys = told(room, "lab-member")["keys"]
            assert len(keys) == before and all(k["retired"] for k in keys), keys
            page = room.sessions["lab-member"].get("/me/keys")
            assert page.page() and f'action="/me/keys/{known}"'.encode() not in page.body


def many_computations_are_paged():
    with Lab() as room:
        mine = holder(room, "lab-member")
        for number in range(51):
            naming(room, "lab-member", f"n-{number:02}", mine.spki)
        first = told(room, "lab-member")
        # A page ends behind the computation with which it has 100.
        assert len(first["uses"]) == 102 and first["uses"][-1]["computation"] == "n-17", first
        second = told(room, "lab-member", "/api/me/keys?before=" + first["next"])
        assert [u["computation"] for u in second["uses"]] == [f"n-{n:02}" for n in range(16, -1, -1) for _ in range(3)] and second["next"] is None
        shown = room.sessions["lab-member"].get("/me/keys?sort=-created").page()
        assert "/me/keys?sort=-created&before=" + first["next"] in shown.links
        naming(room, "lab-administrator", "hidden", mine.spki)
        hers, none = (room.call("GET", "/api/me/keys?before=" + name, room.tokens["lab-member"]) for name in ("hidden", "nix"))
        assert hers.status == none.status == 400 and hers.body == none.body


def nobody_fills_anothers_page():
    """Whoever makes computations names whose key he likes, as often as a manifest has room for, under the longest names."""
    with Lab() as room:
        mine = holder(room, "lab-member")
        for number in range(4):
            sets = [cvms.Dataset(hash=bytes([1 + number, row]) * 16, userKey=mine.spki, filename=f"{row:03}" + "&" * 252) for row in range(256)]
            manifest = cvms.ComputationRunReq(id=f"full-{number}", name="&" * 1023 + str(number), datasets=sets,
                                              algorithm=cvms.Algorithm(hash=b"a" * 32, userKey=mine.spki))
            Caller(room.service.channel, room.tokens["lab-administrator"])(
                "Create", computations.CreateRequest(manifest=manifest, workspace="lab"))
            room.root("GiveRole", computation_id=f"full-{number}", role="viewer", user="lab-member")
        found, path = [], "/api/me/keys"
        while path:
            page = room.sessions["lab-member"].get(path.removeprefix("/api"))
            assert page.status == 200 and f'action="/me/keys/{mine.fingerprint.hex()}"'.encode() in page.body, page.status
            got = told(room, "lab-member", path)
            found += [u["computation"] for u in got["uses"]]
            path = got["next"] and "/api/me/keys?before=" + got["next"]
        assert found == [f"full-{number}" for number in (3, 2, 1, 0) for _ in range(257)], len(found)


def keys_have_an_order():
    with Lab() as room:
        first = holder(room, "lab-member")
        for known in ("one", "two"):
            naming(room, "lab-member", known, first.spki)
        for kind, computation in (("ecdsa", "two"), ("rsa", "one"), ("ed25519", "")):
            Holder(room.service, "lab-member", kind, Caller(room.service.channel, room.tokens["lab-member"])).register(computation)

        def found(word):
            keys = [k["kind"][:2] + k["computation"] for k in told(room, "lab-member", "/api/me/keys?sort=" + word)["keys"]]
            assert [k.kind[:2] + k.computation_id for k in
                    Caller(room.service.channel, room.tokens["lab-member"])("ListKeys", sort=word).keys] == keys
            return keys
        made = ["Ed", "ECtwo", "RSone", "Ed"]
        assert found("") == found("created") == made == found("-created")[::-1]
        assert found("name") == ["Ed", "Ed", "RSone", "ECtwo"] == found("-name")[::-1]
        assert [told(room, "lab-member", "/api/me/keys?sort=" + word)["keys"][at]["retired"] is None
                for word, at in (("state", 0), ("-state", 0), ("state", 3))] == [True, False, False]
        assert told(room, "lab-member", "/api/me/keys?sort=name")["uses"] == told(room, "lab-member")["uses"]
        assert orders_of(room, "lab-member", "/me/keys", ["For", "Since", "Retired"], "sort=-name") == [
            ("descending", "name"), ("none", "-created"), ("none", "state")]
        for word in ("type", "digest"):
            assert room.call("GET", "/api/me/keys?sort=" + word, room.tokens["lab-member"]).status == 400, word
        where = {"COMPUTATIONS_GRPC_URL": "unix:" + room.service.socket}
        rows = cli("key", "list", "lab-member", "--sort=-name", "--json", **where).json()
        assert [k["computation"] for k in rows] == ["two", "one", "", ""]
        cli("key", "list", "lab-member", "--sort", "type", **where).refused(1, "give created, changed, name or state")


if __name__ == "__main__":
    tap.run([keys_are_shown_to_whose_they_are, a_key_is_retired_by_its_user_alone, many_computations_are_paged,
             nobody_fills_anothers_page, keys_have_an_order])
