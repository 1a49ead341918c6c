#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A new workspace, and another name for one, on the page and by its API: for whom they are, and what is written of it."""
import json
import re

import audit_book
import tap
from people import Caller
from assets import DIGEST, naming
from web_machines import hall
from web_members import Lab
from web_page import BROWSER, EVIL

EVERYBODY = ("lab-viewer", "lab-member", "lab-administrator", "lab-away", "far-head", "chief")


def make(room, by, who, name):
    if by == "page":
        return room.form(who, "/workspaces", name=name)
    return room.change("POST", "/api/workspaces", who, {"name": name})


def rename(room, by, who, name, to):
    if by == "page":
        return room.form(who, f"/w/{name}/settings", name=to)
    return room.change("PUT", f"/api/workspaces/{name}", who, {"name": to})


def all_of(room):
    return {w.name for w in room.root("ListWorkspaces").workspaces}


def each_deed_is_for_whom_a_role_allows_it():
    with Lab() as room:
        for by in ("page", "api"):
            for who in EVERYBODY:
                before, name = all_of(room), f"new-{by}-{who}"
                done = make(room, by, who, name)
                assert done.status in ({303, 201} if who == "chief" else {403}), (by, who, done.status)
                assert all_of(room) == before | ({name} if who == "chief" else set()), (by, who)
                may, hidden, before = who in ("lab-administrator", "chief"), who in ("lab-away", "far-head"), all_of(room)
                done = rename(room, by, who, "lab", "clinic")
                assert done.status in ({303, 200} if may else {404} if hidden else {403}), (by, who, done.status)
                assert all_of(room) == (before - {"lab"} | {"clinic"} if may else before), (by, who)
                if may:
                    assert rename(room, by, who, "lab", "x").status == 404
                    assert rename(room, by, who, "clinic", "lab").status in (200, 303) and all_of(room) == before
        narrow = room.root("AddToken", user="chief", name="narrow", actions=["view"]).token
        assert room.call("POST", "/api/workspaces", narrow, {"name": "narrow"}).status == 403
        assert room.call("PUT", "/api/workspaces/lab", narrow, {"name": "narrow"}).status == 403
        assert "narrow" not in all_of(room)


def what_is_offered_is_what_one_may():
    with Lab() as room:
        for who in ("lab-viewer", "lab-member", "lab-administrator", "chief"):
            governs = who in ("lab-administrator", "chief")
            listed, place = room.sessions[who].get("/workspaces"), room.sessions[who].get("/w/lab/members")
            assert listed.page() and (b'action="/workspaces"' in listed.body) == (who == "chief"), who
            assert ("/w/lab/settings" in place.page().links) == governs, who
            shown = room.sessions[who].get("/w/lab/settings")
            assert shown.status == (200 if governs else 403) and (b'action="/w/lab/settings"' in shown.body) == governs, who
        # A token shows the page, but sends no form; what it does is the command's.
        # Nobody makes CVMs for this service.
        cvms = room.sessions["lab-administrator"].get("/w/lab/cvms").page()
        assert "knows no manager" in cvms.words() and "cvm create" not in cvms.words() and "/w/lab/new-cvm" not in cvms.links
        shown = room.call("GET", "/w/lab/settings", room.tokens["chief"], headers=BROWSER)
        assert shown.status == 200 and b"<form" not in shown.body and b"cocos-cli workspace rename" in shown.body


def a_name_with_a_limit_is_the_services():
    with hall("limit default cvms=4\n") as room:
        for who in ("administrator", "chief"):
            shown = room.sessions[who].get("/w/default/settings")
            assert shown.page() and (b'action="/w/default/settings"' in shown.body) == (who == "chief"), who
            assert ("settings speak of this name" in shown.page().words()) == (who == "administrator"), who
        assert rename(room, "page", "administrator", "default", "ward").status == 403


def names_are_such_as_commands_take():
    with Lab() as room:
        before = all_of(room)
        for name, why in (("", "name is missing"), ("Lab", "a-z 0-9"), ("-lab", "a-z 0-9"), ("a b", "a-z 0-9"), ("x" * 64, "at most 63"),
                          ("lab", "lab"), (EVIL.split("\u202e", maxsplit=1)[0], "a-z 0-9")):
            for by in ("page", "api"):
                for done, back in ((make(room, by, "chief", name), "/workspaces"),
                                   (rename(room, by, "chief", "far", name), "/w/far/settings")):
                    assert done.status in (400, 409), (name, done.status)
                    assert by == "api" or "Back to it" in done.page().words() and back in done.page().links, (name, done.body)
                    said = done.page().words() if by == "page" else done.problem()["detail"]
                    assert why in said and b"<script>alert" not in done.body and b"<img" not in done.body, (name, said)
        assert all_of(room) == before and make(room, "api", "chief", "x" * 63).status == 201
        # Where new users come: no administrator of a workspace takes that name.
        rename(room, "api", "chief", "default", "old")
        assert rename(room, "page", "lab-administrator", "lab", "default").status == 403 and "lab" in all_of(room)
        for body in ({}, {"name": 1}, {"name": "a", "to": "b"}, {"to": "b"}, ["a"]):
            for method, path in (("POST", ""), ("PUT", "/lab")):
                assert room.change(method, "/api/workspaces" + path, "chief", body).status == 400, body


def what_is_in_it_stays_and_the_log_has_both_names():
    with Lab() as room:
        room.root("RegisterAsset", workspace="lab", name="iris.csv", type="dataset", digest=DIGEST)
        Caller(room.service.channel, room.tokens["lab-administrator"])("Create", naming(DIGEST, "hers", "lab"))
        members = room.members()
        made = make(room, "api", "chief", "third")
        assert made.json() == {"name": "third"} and room.members("third") == {"chief": ("administrator", False)}
        assert rename(room, "api", "lab-administrator", "lab", "clinic").json() == {"name": "clinic"}
        assert room.members("clinic") == members
        shown = room.call("GET", "/api/workspaces/clinic", room.tokens["lab-administrator"]).json()
        assert shown["members"] == len(members) and shown["computations"] == 1, shown
        assert room.call("GET", "/api/workspaces/clinic/assets/iris.csv", room.tokens["lab-viewer"]).status == 200
        assert room.call("GET", "/api/workspaces/lab", room.tokens["lab-administrator"]).status == 404
        rows = [row for row in audit_book.verified(room.sessions["chief"].get("/audit.jsonl").body)[0]
                if "Workspace" in row["what"] and "via" in row["about"]]
        assert len(rows) == 2 and all(json.loads(row["about"])["via"] == "api" for row in rows), rows
        assert rows[1]["object"] == "workspace lab" and json.loads(rows[1]["about"])["to"] == "clinic", rows


def seen_in(room, who, path):
    """The page's text, and what its form says was seen; None: it has no form."""
    shown = room.sessions[who].get(path)
    found = re.search(r'name="revision" value="([0-9a-f]{16})"', shown.body.decode())
    return shown.page().words(), found and found[1]


def it_is_handed_over_and_left():
    with Lab() as room:
        path, links = "/w/lab/members/lab-member", lambda who, where: room.sessions[who].get(where).page().links
        for who, may in (("lab-administrator", True), ("chief", True), ("lab-member", False)):
            assert (path + "/transfer" in links(who, path)) == may, who
            assert room.sessions[who].get(path + "/transfer").status == (200 if may else 403), who
            assert ("/w/lab/leave" in links(who, "/w/lab/members")) == (who != "chief"), who
        assert "/w/lab/members/lab-away/transfer" not in links("lab-administrator", "/w/lab/members/lab-away")
        refused = room.sessions["lab-administrator"].get("/w/lab/members/lab-away/transfer")
        assert refused.status == 409 and "is suspended" in refused.page().words()
        # Whom it takes what from, by name; and what was seen.
        told, revision = seen_in(room, "lab-administrator", path + "/transfer")
        assert "lab-administrator (you)" in told and "lab-away" in told and "lab-viewer" not in told, told
        room.root("SetMember", workspace="lab", user="lab-member", role="viewer")
        assert room.form("lab-administrator", path + "/transfer", revision=revision).status == 412
        # Who else would lose it is not who was named.
        for role in ("administrator", "viewer"):
            told, revision = seen_in(room, "lab-administrator", path + "/transfer")
            assert ("lab-viewer" in told) == (role == "viewer"), told
            room.root("SetMember", workspace="lab", user="lab-viewer", role=role)
            late = room.form("lab-administrator", path + "/transfer", revision=revision)
            assert late.status == 412 and "who administers workspace lab, has changed" in late.page().words(), late.body
        old = room.call("GET", "/api" + path.replace("/w/", "/workspaces/"), room.tokens["lab-member"]).fields["etag"]
        done = room.form("lab-administrator", path + "/transfer", revision=seen_in(room, "lab-administrator", path + "/transfer")[1])
        assert (done.status, done.fields["location"]) == (303, "/w/lab/members")
        assert room.members() == {"lab-member": ("administrator", False), "lab-administrator": ("member", False),
                                  "lab-away": ("member", True), "lab-viewer": ("viewer", False)}
        assert path + "/transfer" not in links("lab-member", path)  # who administers it alone already
        # Who has to stay reads why and what to do; the others lose what they are told.
        told, revision = seen_in(room, "lab-member", "/w/lab/leave")
        assert "only administrator" in told and "handed over" in told and revision is None, told
        assert room.form("lab-member", "/w/lab/leave", revision=room.seen("lab-member")).status == 409
        Caller(room.service.channel, room.tokens["lab-administrator"])("Create", naming(DIGEST, "hers", "lab"))
        assert "only owner" in seen_in(room, "lab-administrator", "/w/lab/leave")[0]
        room.root("GiveRole", computation_id="hers", role="viewer", user="lab-viewer")
        told, revision = seen_in(room, "lab-viewer", "/w/lab/leave")
        assert "roles in 1 of its computations" in told and revision == room.seen("lab-viewer"), told
        assert room.form("lab-viewer", "/w/lab/leave", revision="0" * 16).status == 412
        left = room.form("lab-viewer", "/w/lab/leave", revision=revision)
        assert (left.status, left.fields["location"]) == (303, "/workspaces") and "lab-viewer" not in room.members()
        assert room.sessions["lab-viewer"].get("/w/lab/members").status == 404
        assert "lab-viewer" not in str(room.root("ListRoles", computation_id="hers"))
        # By a call, with the ETag of one's own; a token that is to look only does not leave. And nobody leaves whose account is none.
        room.root("GiveRole", computation_id="hers", role="owner", user="lab-member")
        narrow = room.root("AddToken", user="lab-administrator", name="narrow", actions=["view"]).token
        assert room.call("POST", "/api/workspaces/lab/leave", narrow).status == 403
        late = room.change("POST", "/api/workspaces/lab/leave", "lab-administrator", headers=[("If-Match", old)])
        assert late.status == 412 and "lab-administrator has changed" in late.problem()["detail"], late.body
        now = room.call("GET", "/api/workspaces/lab/members/lab-administrator", room.tokens["chief"]).fields["etag"]
        assert room.change("POST", "/api/workspaces/lab/leave", "lab-administrator", headers=[("If-Match", now)]).status == 204
        assert set(room.members()) == {"lab-member", "lab-away"}
        assert room.form("chief", "/w/lab/leave", revision="0" * 16).status == 404
        room.come_in()
        assert room.ask("/w/lab/leave").status == 409 and "/w/lab/leave" not in room.ask("/w/lab/members").page().links
        rows = [row for row in audit_book.verified(room.sessions["chief"].get("/audit.jsonl").body)[0]
                if row["what"].endswith(("TransferWorkspace", "LeaveWorkspace")) and row["outcome"] == "OK"]
        assert [json.loads(row["about"])["workspace"] for row in rows[:3]] == 3 * ["lab"], rows
        assert [row["object"] for row in rows[:3]] == ["user lab-administrator", "user lab-away", "user lab-member"], rows
        assert [(json.loads(row["about"])["via"], row["who"], row["what"].split("/")[1], row["before"], row["after"]) for row in rows] == [
            ("page", "user lab-administrator", "TransferWorkspace", "administrator", "member"),
            ("page", "user lab-administrator", "TransferWorkspace", "administrator, suspended", "member, suspended"),
            ("page", "user lab-administrator", "TransferWorkspace", "viewer", "administrator"),
            ("page", "user lab-viewer", "LeaveWorkspace", "", ""), ("api", "user lab-administrator", "LeaveWorkspace", "", "")], rows


if __name__ == "__main__":
    tap.run([each_deed_is_for_whom_a_role_allows_it, what_is_offered_is_what_one_may, a_name_with_a_limit_is_the_services,
             names_are_such_as_commands_take,
             what_is_in_it_stays_and_the_log_has_both_names, it_is_handed_over_and_left])
