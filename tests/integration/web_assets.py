#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Assets on the page and by its API: who sees, registers and removes them, their links, and what is written of it."""
import json

import audit_book
import grpc
import tap
from assets import DIGEST, naming
from people import Caller
from web_members import Lab, orders_of, walked
from web_page import EVIL

NEW = {"name": "iris.csv", "type": "dataset", "mime_type": "text/csv", "description": "Fisher's"}


def register(room, by, who, workspace="lab", digest=DIGEST.hex(), **fields):
    given = {**NEW, "digest": digest, **fields}
    if by == "page":
        return room.form(who, f"/w/{workspace}/assets", **given)
    return room.change("POST", f"/api/workspaces/{workspace}/assets", who, given)


def remove(room, by, who, name, workspace="lab", seen=None):
    path = f"/api/workspaces/{workspace}/assets/{name}"
    if by == "api":
        return room.change("DELETE", path, who, headers=[("If-Match", seen)] if seen else [])
    shown = room.call("GET", path, room.tokens["chief"])
    seen = seen or (shown.fields["etag"] if shown.status == 200 else '"' + "0" * 16)
    return room.form(who, f"/w/{workspace}/assets/{name}/remove", revision=seen[1:17])


def all_of(room):
    return [[(a.name, a.owner) for a in room.root("ListAssets", workspace=name).assets] for name in ("lab", "far")]


def each_deed_is_for_whom_a_role_allows_it():
    with Lab() as room:
        room.join("lab-other", "lab", "member")
        for by in ("page", "api"):
            for who in ("lab-viewer", "lab-member", "lab-other", "lab-administrator", "lab-away", "far-head", "chief"):
                name, before = f"{by}-{who}", all_of(room)
                hidden = who in ("lab-away", "far-head")
                done = register(room, by, who, name=name)
                wanted = {404} if hidden else {403} if who == "lab-viewer" else {303, 201}
                assert done.status in wanted and (all_of(room) != before) == (done.status < 400), (by, who, done.status)
                # One of lab-member's: its owner and who administers there.
                theirs = f"theirs-{by}-{who}"
                assert register(room, "api", "lab-member", name=theirs).status == 201
                before = all_of(room)
                done = remove(room, by, who, theirs)
                may = who in ("lab-member", "lab-administrator", "chief")
                assert done.status in ({303, 204} if may else {404} if hidden else {403}), (by, who, done.status)
                assert (all_of(room) != before) == may, (by, who)
                if who == "far-head":  # under his own workspace's name
                    assert remove(room, by, who, theirs, "far").status == 404 and all_of(room) == before
        narrow = room.root("AddToken", user="lab-member", name="narrow", actions=["view"]).token
        assert room.call("GET", "/api/workspaces/lab/assets", narrow).status == 200
        assert room.call("POST", "/api/workspaces/lab/assets", narrow, {**NEW, "digest": DIGEST.hex()}).status == 403
        for who, path, offers in (("lab-viewer", "", False), ("lab-member", "", True), ("lab-other", "/theirs-api-far-head", False),
                                  ("lab-member", "/theirs-api-far-head", True), ("lab-administrator", "/theirs-api-far-head", True)):
            shown = room.sessions[who].get("/w/lab/assets" + path)
            assert shown.page() and (b'method="post"' in shown.body) == offers, (who, path)


def digests_are_taken_as_people_give_them():
    with Lab() as room:
        hexa = DIGEST.hex()
        groups = " ".join(hexa[i:i + 8] for i in range(0, 64, 8))
        for number, text in enumerate((hexa, hexa.upper(), "sha3-256:" + hexa, "SHA3-256: " + groups, groups.replace(" ", ":"))):
            for by in ("page", "api"):
                assert register(room, by, "lab-member", digest=text, name=f"{by}-{number}").status in (201, 303), text
        assert {a.digest for a in room.root("ListAssets", workspace="lab").assets} == {DIGEST}
        for text, why in ((hexa[:-1], "63 characters"), (hexa + "0", "65 characters"), ("g" + hexa[1:], "hexadecimal"),
                          ("sha256:" + hexa, "characters"), ("", "digest is missing"), ("é" + hexa[2:], "hexadecimal")):
            for by in ("page", "api"):
                bad = register(room, by, "lab-member", digest=text, name="bad")
                assert bad.status == 400 and why in bad.body.decode(), (text, bad.body)
        for fields in ({"type": "model"}, {"name": "a/b"}, {"name": ""}, {"mime_type": "text"}, {"description": "a\nb"}):
            assert register(room, "page", "lab-member", **{"name": "bad", **fields}).status == 400, fields
            problem = register(room, "api", "lab-member", **{"name": "bad", **fields})
            assert problem.status == 400 and problem.problem()["detail"], fields
        assert register(room, "api", "lab-member", digest=7).status == 400
        assert "bad" not in [name for name, _ in all_of(room)[0]]
        taken = register(room, "page", "lab-administrator", name="page-0")
        assert taken.status in (400, 409) and "another name" in taken.page().words(), taken.status


def links_are_those_that_one_sees():
    with Lab() as room:
        assert register(room, "page", "lab-member").status == 303
        Caller(room.service.channel, room.tokens["lab-administrator"])("Create", naming(DIGEST, "hers", "lab"))
        for who, links in (("lab-viewer", []), ("lab-member", []), ("lab-administrator", ["hers"]), ("chief", ["hers"])):
            shown = room.call("GET", "/api/workspaces/lab/assets/iris.csv", room.tokens[who])
            assert shown.json()["computations"] == links and shown.json()["digest"] == DIGEST.hex(), who
            page = room.sessions[who].get("/w/lab/assets/iris.csv")
            assert ("/c/hers" in page.page().links) == bool(links) and (b"hers" in page.body) == bool(links), who
        for by in ("page", "api"):
            late = remove(room, by, "lab-member", "iris.csv")
            assert late.status == 409 and b"is linked" in late.body and b"hers" not in late.body, late.body
        room.root("GiveRole", computation_id="hers", role="viewer", user="lab-viewer")
        assert "/c/hers" in room.sessions["lab-viewer"].get("/w/lab/assets/iris.csv").page().links


def somebody_else_was_quicker():
    with Lab() as room:
        register(room, "api", "lab-member")
        token = room.tokens["lab-member"]
        old = room.call("GET", "/api/workspaces/lab/assets/iris.csv", token).fields["etag"]
        room.root("UpdateAsset", workspace="lab", name="iris.csv", description="Anderson's")
        for by in ("page", "api"):
            assert remove(room, by, "lab-member", "iris.csv", seen=old).status == 412
        assert remove(room, "api", "far-head", "iris.csv", seen=old).status == 404
        room.root("RemoveAsset", workspace="lab", name="iris.csv")
        register(room, "api", "lab-member")  # as it was, and yet another one
        assert remove(room, "page", "lab-member", "iris.csv", seen=old).status == 412
        assert remove(room, "page", "lab-member", "iris.csv").status == 303 and all_of(room)[0] == []


def texts_of_others_are_texts_and_the_log_has_what_changed():
    with Lab() as room:
        evil = EVIL.split("\u202e", maxsplit=1)[0]
        made = register(room, "page", "lab-member", name=evil.replace("/", ""), description=evil)
        assert made.status == 303, made.body
        shown = room.sessions["chief"].get("/w/lab/assets")
        assert b"<script>alert" not in shown.body and b"<img" not in shown.body
        link = [one for one in shown.page().links if one.startswith("/w/lab/assets/")]
        one = room.sessions["chief"].get(link[0])
        assert one.status == 200 and b"<script>alert" not in one.body and b"<img" not in one.body and one.page()
        assert evil[:30] in one.page().words()
        register(room, "api", "lab-member")
        room.root("UpdateAsset", workspace="lab", name="iris.csv", description="Anderson's")
        room.root("UpdateAsset", workspace="lab", name="iris.csv", description="x" * 4000 + "1")
        room.root("UpdateAsset", workspace="lab", name="iris.csv", description="x" * 4000 + "2")
        room.root("UpdateAsset", workspace="lab", name="iris.csv", to="flowers")
        rows = [row for row in audit_book.verified(room.sessions["chief"].get("/audit.jsonl").body)[0] if "Asset" in row["what"]]
        assert [json.loads(row["about"]).get("via") for row in rows[:2]] == ["page", "api"], rows
        assert all(row["before"] != row["after"] for row in rows), rows
        assert "Fisher" in rows[2]["before"] and "Anderson" in rows[2]["after"] and "flowers" in rows[-1]["after"], rows


def lists_have_an_order():
    with Lab() as room:
        for number in range(60):
            made = register(room, "api", "lab-member", name=f"a-{number:02}", digest=f"{number:064x}", type="algorithm" if number % 7 == 0 else "dataset",
                            mime_type="text/csv" if number % 2 else "text/plain", description=f"of {number % 3}")
            assert made.status == 201, made.body
        room.root("UpdateAsset", workspace="lab", name="a-07", description="the last of 0")
        path, api = "/w/lab/assets", "/api/workspaces/lab/assets"

        def names(query):
            return [a["name"] for a in walked(room, "lab-viewer", api, "assets", query)]
        all_names = [f"a-{n:02}" for n in range(60)]
        assert names("sort=name") == names("sort=") == all_names == names("sort=created") and names("sort=-name") == all_names[::-1]
        assert names("sort=-created") == all_names[::-1] and names("sort=-changed")[0] == "a-07"
        algorithms = [n for n in all_names if int(n[2:]) % 7 == 0]
        others = [n for n in all_names if n not in algorithms]
        assert names("sort=type") == algorithms + others and names("sort=-type") == (algorithms + others)[::-1]
        changed = walked(room, "lab-viewer", api, "assets", "sort=changed")
        assert [a["changed"] for a in changed] == sorted(a["changed"] for a in changed) and sorted(a["name"] for a in changed) == all_names
        assert names("q=TEXT/CSV") == all_names[1::2] and names("q=the+last") == ["a-07"] and names("q=" + f"{9:064x}") == ["a-09"]
        assert names("q=lab-member&sort=-name") == all_names[::-1] and names("q=_") == [] and names("q=%25") == []
        place = room.call("GET", api + "?sort=name", room.tokens["lab-viewer"]).json()["next"]
        for who, other in (("lab-viewer", "sort=-name"), ("lab-viewer", "sort=type"), ("lab-viewer", "sort=name&q=a"), ("lab-member", "sort=name")):
            refused = room.call("GET", f"{api}?{other}&after=" + place, room.tokens[who])
            assert refused.status == 400 and "another" in refused.problem()["detail"], (who, other)
        # A place of one list is none of another.
        assert room.call("GET", f"/api/workspaces/lab/members?sort=name&after={place}", room.tokens["lab-viewer"]).status == 400
        # Its last row gets another name, the one behind it goes: all others come once.
        room.root("UpdateAsset", workspace="lab", name="a-49", to="a-000")
        room.root("RemoveAsset", workspace="lab", name="a-50")
        behind = room.call("GET", f"{api}?sort=name&after={place}", room.tokens["lab-viewer"]).json()
        assert [a["name"] for a in behind["assets"]] == all_names[51:] and behind["next"] is None
        for word in ("role", "state", "--name", "name;", "digest"):
            assert room.call("GET", f"{api}?sort={word}", room.tokens["lab-viewer"]).status == 400, word
        columns = ["Asset", "Type", "Since", "Changed"]
        assert orders_of(room, "lab-viewer", path, columns, "sort=type&q=of") == [
            ("none", "name"), ("ascending", "-type"), ("none", "-created"), ("none", "-changed")]
        assert "Nothing here has that text" in room.sessions["lab-viewer"].get(path + "?q=nothing").page().words()
        mine = Caller(room.service.channel, room.tokens["lab-viewer"])
        assert [a.name for a in mine("ListAssets", workspace="lab", sort="-name", search="of 1").assets] == [
            n for n in all_names[::-1] if int(n[2:]) % 3 == 1 and n not in ("a-07", "a-49")] + ["a-000"]
        assert [a.name for a in mine("ListAssets", workspace="lab", after="a-57").assets] == ["a-58", "a-59"]
        for wanted in ({"sort": "role"}, {"sort": "name", "after": "a-57"}, {"search": "a", "after": place}):
            assert mine.code("ListAssets", workspace="lab", **wanted) == grpc.StatusCode.INVALID_ARGUMENT, wanted


if __name__ == "__main__":
    tap.run([each_deed_is_for_whom_a_role_allows_it, digests_are_taken_as_people_give_them, links_are_those_that_one_sees,
             somebody_else_was_quicker, texts_of_others_are_texts_and_the_log_has_what_changed, lists_have_an_order])
