#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Invitations to workspaces: who may send them, who comes in with one, and what others try with them."""
import json
import os
import re
import sqlite3
import threading

import grpc

import tap
from harness import Folder, cli, lost
from people import DENIED, HIDDEN, OK, Caller
from sign_in import OTHER, PASSWORD, WRONG, Page

INVALID, EXISTS = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.ALREADY_EXISTS
GONE = "this invitation was taken or revoked, has ended, or is none of ours: ask whoever sent it for another one"
ROLES = ("viewer", "member", "administrator")


class Invited(Page):
    """A service with a page and a second workspace, lab, whose administrator is head."""

    def __enter__(self):
        super().__enter__()
        self.root("AddWorkspace", name="lab")
        self.head = self.member("head", "administrator")
        return self

    def caller(self, name, **token):
        return Caller(self.service.channel, self.root("AddToken", user=name, name="t", **token).token)

    def member(self, name, role="member", workspace="lab", **token):
        self.root("AddUser", name=name, workspace=workspace)
        self.root("SetMember", workspace=workspace, user=name, role=role)
        return self.caller(name, **token)

    def invite(self, by=None, workspace="lab", **fields):
        """The path of a new invitation's link."""
        made = (by or self.head)("Invite", workspace=workspace, **fields)
        assert made.origin == f"http://localhost:{self.port}" and re.fullmatch("/invite/[0-9a-f]{64}", made.path), made
        return made.path

    def members(self, workspace="lab"):
        return {m.user: m.role for m in self.root("ListMembers", workspace=workspace).members}

    def change(self, sql):
        """The database, while nobody has it open."""
        self.service.channel.close()
        self.service.process.kill()
        database = sqlite3.connect(self.service.folder("state") + "/computations.db")
        database.execute(sql)
        database.commit()
        database.close()
        self.service.start()
        self.port = int(self.service.process.wait_line(r"page: port (\d+) of this machine")[1])
        self.root = Caller(self.service.channel)


def choice(name="anna", password=PASSWORD, again=None):
    return {"name": name, "password": password, "again": again or password}


def is_gone(page, path, address="127.0.0.9"):
    """In one line, however it is asked."""
    b = page.browser(address)
    answers = [b.get(path), b.get(path + "/sign-in"), b.post(path, **choice("nobody")),
               b.post(path + "/sign-in", name="head", password=PASSWORD)]
    assert [a.status for a in answers] == [404] * 4, [(a.status, a.body) for a in answers]
    assert all(GONE in a.page().words() for a in answers), answers[0].page().words()


def somebody_new_makes_an_account_and_joins():
    for role in ROLES:
        with Invited() as page:
            path, b = page.invite(role=role), page.browser()
            for _ in range(2):  # looking does not use it up
                seen = b.get(path)
                assert seen.status == 200 and "Join workspace lab" in seen.page().words(), seen.body
            b.follow(b.post(path, **choice()))
            assert "anna" in b.get("/me").page().words()
            assert page.members() == {"head": "administrator", "anna": role}
            assert "anna" not in page.members("default")
            assert page.browser().sign_in().is_in()
            is_gone(page, path)


def somebody_with_an_account_signs_in_and_joins():
    with Invited() as page:
        page.user("anna")
        path, b = page.invite(), page.browser()
        known = re.search(r'href="(/invite/[0-9a-f]{64}/sign-in)">I have an account', b.get(path).body.decode())[1]
        assert b.get(known).status == 200
        for name, password in (("anna", OTHER), ("bert", PASSWORD), ("", ""), ("head", PASSWORD)):
            wrong = b.post(known, name=name, password=password)
            assert wrong.status == 401 and WRONG in wrong.page().words(), (name, wrong.status)
        assert "anna" not in page.members()
        b.follow(b.post(known, name="anna", password=PASSWORD))
        assert page.members()["anna"] == "member" and b.is_in()
        is_gone(page, path)
        # A member stays what he is, and the invitation open.
        more = page.invite(role="administrator")
        again = page.browser("127.0.0.3").post(more + "/sign-in", name="anna", password=PASSWORD)
        assert again.status == 400 and "already, as member" in again.page().words()
        assert page.members()["anna"] == "member"
        assert page.browser().get(more).status == 200


def a_session_or_a_token_joins():
    with Invited() as page:
        page.user("anna")
        page.user("bert")
        page.user("carl")
        path, b = page.invite(role="viewer"), page.browser().sign_in()
        shown = b.get(path)
        assert "You are anna , and become viewer there." in shown.page().words(), shown.page().words()
        csrf = re.search(r'name="csrf" value="([0-9a-f]{64})"', shown.body.decode())[1]
        for origin, fields, status in (("http://evil.example", {"csrf": csrf}, 403), (None, {"csrf": csrf}, 403),
                                       ("", {"csrf": "0" * 64}, 403), ("", {}, 400),
                                       ("", {"csrf": csrf, "role": "administrator"}, 400),
                                       ("", {"csrf": csrf, "user": "bert"}, 400)):
            answer = b.post(path + "/join", origin=origin, **fields)
            assert answer.status == status, (origin, fields, answer.status, answer.body)
        assert page.browser().post(path + "/join", csrf=csrf).status == 401
        assert "anna" not in page.members()
        joined = b.post(path + "/join", csrf=csrf)
        assert joined.status == 303, joined.body
        assert page.members()["anna"] == "viewer"
        assert b.post(path + "/join", csrf=csrf).status == 404
        is_gone(page, path)
        # By a call, with a token that is for all actions.
        secret = page.invite()[-64:]
        assert page.caller("bert", actions=["view", "edit"]).code("TakeInvitation", secret=secret) == DENIED
        assert "you are no user" in page.root.text("TakeInvitation", secret=secret)
        bert = Caller(page.service.channel, page.root("AddToken", user="bert", name="all").token)
        assert bert("TakeInvitation", secret=secret).role == "member"
        assert bert.code("TakeInvitation", secret=secret) == HIDDEN
        for wrong in ("", "x", "0" * 64, secret.upper(), secret + "0", "../" + secret, "' OR 1=1 --"):
            assert bert.text("TakeInvitation", secret=wrong) == GONE, wrong
        # By the API.
        token = page.root("AddToken", user="carl", name="all").token
        own, body = [("Authorization", "Bearer " + token)], json.dumps({"secret": page.invite()[-64:]})
        plain = page.browser()
        taken = plain.post("/api/invitations", form=body, type_="application/json", headers=own)
        assert (taken.status, json.loads(taken.body)) == (200, {"workspace": "lab", "role": "member"}), taken.body
        document = json.loads(plain.get("/api/openapi.json", headers=own).body)
        assert "200" in document["paths"]["/api/invitations"]["post"]["responses"], "it says what is answered"
        assert plain.post("/api/invitations", form=body, type_="application/json", headers=own).status == 404
        assert plain.post("/api/invitations", form="{}", type_="application/json", headers=own).status == 400


def what_is_over_is_over():
    """Revoked, of a maker who may not any more, of a workspace that is gone, ended; none, and nearly one."""
    with Invited() as page:
        page.root("AddWorkspace", name="ward")
        other = page.member("other", "administrator")
        revoked, held, lesser, left, gone, ended, kept = (page.invite(), page.invite(other), page.invite(other),
                                                          page.invite(other), page.invite(page.root, workspace="ward"),
                                                          page.invite(days=1), page.invite(days=30))
        first = page.head("ListInvitations", workspace="lab").invitations[0]
        page.head("RevokeInvitation", workspace="lab", number=first.number)
        is_gone(page, revoked, "127.0.0.2")
        page.head("SuspendMember", workspace="lab", user="other")
        is_gone(page, held, "127.0.0.3")
        listed = {i.number: i for i in page.head("ListInvitations", workspace="lab").invitations}
        assert sorted(i.stale for i in listed.values()) == [False] * 2 + [True] * 3, listed
        page.head("SuspendMember", workspace="lab", user="other", resume=True)
        assert page.browser("127.0.0.4").get(held).status == 200
        page.head("SetMember", workspace="lab", user="other", role="member")
        is_gone(page, lesser, "127.0.0.4")
        page.root("RemoveUser", name="other")
        is_gone(page, left, "127.0.0.5")
        page.root("RemoveWorkspace", name="ward")
        is_gone(page, gone, "127.0.0.6")
        page.change("UPDATE invitations SET created = created - 86400000, ends = ends - 86400000")
        is_gone(page, ended, "127.0.0.7")
        for wrong in ("/invite/" + "0" * 64, "/invite/x", kept[:-1], kept + "0", kept.upper().replace("/INVITE", "/invite")):
            assert page.browser("127.0.0.8").get(wrong).status == 404, wrong
        b = page.browser("127.0.0.10")
        b.follow(b.post(kept, **choice()))


def a_suspended_user_takes_none():
    with Invited() as page:
        page.user("anna")
        anna, path = page.caller("anna"), page.invite()
        b = page.browser().sign_in()
        csrf = b.csrf()
        page.root("SuspendUser", name="anna")
        assert anna.code("TakeInvitation", secret=path[-64:]) == grpc.StatusCode.UNAUTHENTICATED
        assert page.browser().post(path + "/sign-in", name="anna", password=PASSWORD).status == 401
        assert b.post(path + "/join", csrf=csrf).status == 401
        # Her session is none: she is asked as whoever has none.
        assert "Choose a name and a password" in b.get(path).page().words()
        assert "anna" not in page.members()
        page.root("SuspendUser", name="anna", resume=True)
        # Nor does one who is suspended in the workspace come back by another invitation.
        anna("TakeInvitation", secret=path[-64:])
        page.head("SuspendMember", workspace="lab", user="anna")
        assert anna.code("TakeInvitation", secret=page.invite()[-64:]) == EXISTS
        assert [m.suspended for m in page.root("ListMembers", workspace="lab").members] == [True, False]


def exactly_one_wins():
    """Many at once, by every way: one is in, and no account of the others is left."""
    with Invited() as page:
        callers = {}
        for i in range(3):
            page.root("AddUser", name=f"token{i}")
            callers[f"token{i}"] = page.caller(f"token{i}")
            page.user(f"known{i}")
        path, outcomes = page.invite(), {}

        def register(name, address):
            outcomes[name] = page.browser(address).post(path, **choice(name)).status

        def sign_in(name, address):
            outcomes[name] = page.browser(address).post(path + "/sign-in", name=name, password=PASSWORD).status

        def call(name, _):
            outcomes[name] = {OK: 303, HIDDEN: 404}[callers[name].code("TakeInvitation", secret=path[-64:])]
        tries = [(way, f"{stem}{i}") for way, stem in ((register, "new"), (sign_in, "known"), (call, "token"))
                 for i in range(3)]
        threads = [threading.Thread(target=way, args=(name, f"127.0.1.{n + 1}")) for n, (way, name) in enumerate(tries)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        won = [name for name, status in outcomes.items() if status == 303]
        assert len(won) == 1 and sorted(outcomes.values()) == [303] + [404] * 8, outcomes
        assert set(page.members()) == {"head", won[0]}
        new = {u.name for u in page.root("ListUsers").users if u.name.startswith("new")}
        assert new == {name for name in won if name.startswith("new")}, new


def forms_are_as_the_page_sends_them():
    with Invited() as page:
        path, b = page.invite(role="viewer"), page.browser()
        for fields in ({**choice(), "role": "administrator"}, {**choice(), "workspace": "default"},
                       {**choice(), "csrf": "x"}, {"name": "anna", "password": PASSWORD}, choice("Anna"), choice(""),
                       choice("<b>anna"), choice("a" * 64), choice(password="short"), choice("anna", "annaannaanna"),
                       choice(again=OTHER)):
            # What takes more than ten tries comes from elsewhere.
            answer = page.browser(f"127.0.2.{len(str(fields))}").post(path, **fields)
            assert answer.status == 400 and b"<b>anna" not in answer.body, (fields, answer.status)
        assert b.post(path, origin="http://evil.example", **choice()).status == 403
        assert b.post(path, origin=None, **choice()).status == 403
        assert page.members() == {"head": "administrator"}
        b.follow(b.post(path, **choice()))
        assert page.members()["anna"] == "viewer"


def names_of_others_are_not_found_out():
    """Ten names of others, and the invitation is over; before that they are what any name is."""
    with Invited() as page:
        for i in range(10):
            page.root("AddUser", name=f"user{i}")
        path = page.invite()
        for i in range(10):
            answer = page.browser(f"127.0.3.{i + 1}").post(path, **choice(f"user{i}"))
            assert answer.status == 400 and "This name can't be had" in answer.page().words(), answer.status
        is_gone(page, path)


def secrets_are_not_guessed():
    """From one address, until it has to wait; others go on."""
    with Invited() as page:
        path = page.invite()
        looks, takes = page.browser("127.0.0.2"), page.browser("127.0.0.3")
        # Of each its own run: how long somebody has to wait still is a matter of time.
        for ask in (looks.get, lambda wrong: takes.post(wrong, **choice())):
            codes = []
            while 429 not in codes:
                codes.append(ask(f"/invite/{len(codes):064x}").status)
                assert len(codes) < 100, codes
            assert set(codes[:-1]) == {404} and len(codes) > 10, codes
        b = page.browser()
        b.follow(b.post(path, **choice()))


def who_may_say_who_comes():
    with Invited() as page:
        callers = {role: page.member("w-" + role, role) for role in ROLES}
        narrow = page.member("narrow", "administrator", actions=["view", "edit"])
        governs = page.member("governs", "administrator", actions=["view", "administrator"])
        stranger, chief = page.member("stranger", workspace="default"), None
        page.root("AddUser", name="chief", administrator=True)
        chief = page.caller("chief")
        number = {"n": 0}

        def calls():
            page.invite()
            number["n"] = page.head("ListInvitations", workspace="lab").invitations[-1].number
            return (("Invite", {"workspace": "lab"}), ("ListInvitations", {"workspace": "lab"}),
                    ("RevokeInvitation", {"workspace": "lab", "number": number["n"]}))
        for role, caller in callers.items():
            for method, fields in calls():
                assert caller.code(method, **fields) == (OK if role == "administrator" else DENIED), (role, method)
        for method, fields in calls():
            assert narrow.code(method, **fields) == DENIED, method
            there = stranger.text(method, **fields)
            none = stranger.text(method, **{**fields, "workspace": "gone"})
            assert there.replace("lab", "x") == none.replace("gone", "x") and "no workspace" in there, method
            assert chief.code(method, **fields) == OK, method
        # It sees and revokes, but would let itself in by another way, where it may do more.
        for method, fields in calls():
            assert governs.code(method, **fields) == (DENIED if method == "Invite" else OK), method
        assert "not for all actions" in governs.text("Invite", workspace="lab", role="administrator")
        # The administrator of one revokes nothing of another.
        page.root("AddWorkspace", name="ward")
        other = page.member("warden", "administrator", "ward")
        page.invite()
        number = page.head("ListInvitations", workspace="lab").invitations[-1].number
        assert other.code("RevokeInvitation", workspace="ward", number=number) == HIDDEN
        assert number in [i.number for i in page.head("ListInvitations", workspace="lab").invitations]
        for fields in ({"role": "king"}, {"role": "owner"}, {"days": 31}, {"note": "x" * 65}, {"note": "a\nb"}):
            assert page.head.code("Invite", workspace="lab", **fields) == INVALID, fields


def a_workspace_has_so_many():
    with Invited() as page:
        for _ in range(100):
            page.head("Invite", workspace="lab")
        assert "workspace lab has 100 invitations" in page.head.text("Invite", workspace="lab")
        page.invite(page.root, "default")
        first = page.head("ListInvitations", workspace="lab").invitations[0]
        page.head("RevokeInvitation", workspace="lab", number=first.number)
        page.invite()


def without_a_page_nobody_could_follow_one():
    from people import service
    with service() as running:
        assert "COMPUTATIONS_WEB" in running.root.text("Invite", workspace="default")
        assert not running.root("ListInvitations", workspace="default").invitations


def commands_do_all_of_it():
    with Invited() as page, Folder() as folder:
        def settings(user):
            path = folder.write(user, page.root("AddToken", user=user, name="cli").token)
            os.chmod(path, 0o600)
            return {**page.cli, "COMPUTATIONS_GRPC_TOKEN_FILE": path}

        def accept(link, env):
            with open(folder.write("link", link), encoding="utf-8") as file:
                return cli("invitation", "accept", "--stdin", stdin=file, **env)
        mine = settings("head")
        made = cli("invitation", "create", "lab", "--role", "viewer", "--days", "3", "--for", "the north clinic", **mine)
        link = re.fullmatch(rf"(http://localhost:{page.port}/invite/[0-9a-f]{{64}})\n", made.ok())[1]
        number = re.search(r"note: invitation (\d+); its link is not shown again, and works once, until 20", made.err)[1]
        listed = cli("invitation", "list", "lab", "--json", **mine).json()
        assert [(i["number"], i["role"], i["state"], i["for"], i["inviter"]) for i in listed] == [
            (int(number), "viewer", "open", "the north clinic", "head")], listed
        assert link[-64:] not in cli("invitation", "list", "lab", **mine).ok()
        page.root("AddUser", name="anna")
        hers = settings("anna")
        assert accept(link + "\n", hers).ok() == "you are viewer in workspace lab\n"
        accept(link[-64:], hers).refused(1, "this invitation was taken or revoked")
        accept("one\ntwo\n", hers).refused(2, "one line")
        without = cli("invitation", "accept", **hers)
        without.refused(2, "there is no terminal to ask on: use --stdin")
        assert cli("invitation", "list", "lab", "--json", **mine).json()[0]["taken_by"] == "anna"
        assert "taken" in cli("invitation", "list", "lab", **mine).ok()
        cli("invitation", "revoke", "lab", number, **mine).refused(1, f"no open invitation {number} in workspace lab",
                                                                  "invitation list WORKSPACE")
        cli("invitation", "create", "lab", **mine).ok()
        number = str(cli("invitation", "list", "lab", "--json", **mine).json()[1]["number"])
        assert cli("invitation", "revoke", "lab", number, **mine).ok() == f"invitation {number} to workspace lab revoked\n"
        cli("invitation", "revoke", "lab", "x", **mine).refused(2, "'invitation list' has them")
        remedy = lost(r"'cocos-cli invitation revoke lab \d+'", "invitation", "create", "lab", **mine)
        cli(*remedy.strip("'").split()[1:], **mine).ok()
        cli("invitation", "create", "lab", "--role", "king", **mine).refused(2, "king")
        cli("invitation", "create", "lab", "--days", "31", **mine).refused(1, "1 to 30 days")
        cli("invitation", "create", "default", **mine).refused(1, "no workspace 'default'")


def the_audit_log_says_who_came():
    with Invited() as page, Folder() as folder:
        page.user("bert")
        path, other = page.invite(role="viewer"), page.invite()
        b = page.browser()
        b.follow(b.post(path, **choice()))
        b.post(path, **choice("carl"))
        assert page.browser().post(other, **choice("bert")).status == 400
        b = page.browser()
        b.follow(b.post(other + "/sign-in", name="bert", password=PASSWORD))
        page.invite()
        number = page.head("ListInvitations", workspace="lab").invitations[-1].number
        page.head("RevokeInvitation", workspace="lab", number=number)
        saved = folder("audit.jsonl")
        cli("audit", "export", saved, **page.cli).ok()
        with open(saved, encoding="utf-8") as file:
            text = file.read()
        rows = [json.loads(line) for line in text.splitlines()]
        found = {(row.get("what"), row.get("who"), row.get("object"), row.get("outcome")) for row in rows}
        for what, who, outcome in (("people.PeopleService/Invite", "user head", "OK"), ("page/Register", "user anna", "OK"),
                                   ("page/Join", "user bert", "OK"),
                                   ("people.PeopleService/RevokeInvitation", "user head", "OK")):
            assert (what, who, "workspace lab", outcome) in found, (what, found)
        came = [(row["what"], row.get("after")) for row in rows
                if row.get("what") in ("page/Register", "page/Join") and row.get("outcome") == "OK"]
        assert came == [("page/Register", "invitation 1, viewer"), ("page/Join", "invitation 2, member")], came
        # A name that was typed is no user who asked.
        assert ("page/Register", "", "user bert", "ALREADY_EXISTS") in found, found
        assert any(what == "page/Register" and outcome == "NOT_FOUND" for what, _, _, outcome in found), found
        assert path[-64:] not in text and other[-64:] not in text


def it_survives_kill_9():
    with Invited() as page:
        path, other = page.invite(), page.invite()
        b = page.browser()
        b.follow(b.post(path, **choice()))
        page.again()
        is_gone(page, path)
        assert page.members()["anna"] == "member" and page.browser().sign_in().is_in()
        assert page.browser().get(other).status == 200


if __name__ == "__main__":
    tap.run([somebody_new_makes_an_account_and_joins,
             somebody_with_an_account_signs_in_and_joins,
             a_session_or_a_token_joins,
             what_is_over_is_over,
             a_suspended_user_takes_none,
             exactly_one_wins,
             forms_are_as_the_page_sends_them,
             names_of_others_are_not_found_out,
             secrets_are_not_guessed,
             who_may_say_who_comes,
             a_workspace_has_so_many,
             without_a_page_nobody_could_follow_one,
             commands_do_all_of_it,
             the_audit_log_says_who_came,
             it_survives_kill_9])
