#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Workspaces on the page and by its API: who sees and changes their members and invitations, and what others learn."""
import json
import random
import re

import audit_book
import grpc
import tap
from computations_service import create
from people import Caller
from sign_in import PASSWORD
from web_act import Room
from web_page import BROWSER, EVIL
from web_rights import routes
from workspaces import create as create_in

GETS = [(path, deed) for path, deed in routes() if "{workspace}" in path]
LEVELS = ("viewer", "member", "administrator")


class Sessions(dict):
    """Passwords take long to compute: whoever acts by forms gets one, and signs in, when he does."""

    def __init__(self, room, known):
        super().__init__(known)
        self.room = room

    def __missing__(self, name):
        self.room.root("SetPassword", user=name, password=PASSWORD)
        self[name] = self.room.browser().sign_in(name)
        return self[name]


class Lab(Room):
    """A second workspace, lab, with one of each role, one who is suspended, and a third one whose people are others'."""

    def __enter__(self):
        super().__enter__()
        self.sessions = Sessions(self, self.sessions)
        for name in ("lab", "far"):
            self.root("AddWorkspace", name=name)
        for role in LEVELS:
            self.join("lab-" + role, "lab", role)
        self.join("lab-away", "lab", "administrator")
        self.root("SuspendMember", workspace="lab", user="lab-away")
        self.join("far-head", "far", "administrator")
        return self

    def join(self, name, workspace, role):
        self.root("AddUser", name=name, workspace=workspace)
        self.root("SetMember", workspace=workspace, user=name, role=role)
        self.tokens[name] = self.root("AddToken", user=name, name="api").token

    def members(self, workspace="lab"):
        return {m.user: (m.role, m.suspended) for m in self.root("ListMembers", workspace=workspace).members}

    def open(self, workspace="lab"):
        return [i.number for i in self.root("ListInvitations", workspace=workspace).invitations if not i.taker]

    def all(self):
        return [(self.members(name), self.open(name)) for name in ("lab", "far")]

    def seen(self, user, workspace="lab"):
        """What a form of that member's page says was seen."""
        got = self.call("GET", f"/api/workspaces/{workspace}/members/{user}", self.tokens["chief"])
        return got.fields["etag"][1:17] if got.status == 200 else "0" * 16

    def do(self, by, who, deed, user="", workspace="lab", role="viewer"):
        """That deed by a form or by the API."""
        place, member = f"/w/{workspace}", f"/members/{user}"
        if by == "page":
            more = {} if deed in ("invite", "withdraw") else {"revision": self.seen(who if deed == "leave" else user, workspace)}
            path, fields = {"role": (member + "/role", {"role": role}), "suspend": (member + "/suspend", {}),
                            "resume": (member + "/suspend", {"resume": "true"}), "remove": (member + "/remove", {}),
                            "transfer": (member + "/transfer", {}), "leave": ("/leave", {}),
                            "invite": ("/invite", {"role": role, "days": "7", "note": "n"}),
                            "withdraw": ("/invitations/" + user, {})}[deed]
            return self.form(who, place + path, **more, **fields)
        method, path, body = {"role": ("PUT", member, {"role": role}), "suspend": ("POST", member + "/suspend", {}),
                              "resume": ("POST", member + "/suspend", {"resume": True}), "remove": ("DELETE", member, None),
                              "transfer": ("POST", member + "/transfer", None), "leave": ("POST", "/leave", None),
                              "invite": ("POST", "/invitations", {"role": role}),
                              "withdraw": ("DELETE", "/invitations/" + user, None)}[deed]
        return self.change(method, "/api/workspaces/" + workspace + path, who, body)

    def change(self, method, path, who, body=None, headers=()):
        """Whose token shares its place among those known of late with another one, would be a stranger, of whom an address
        has 20 (429): chance has no part here, as it was shown last."""
        assert self.call("GET", "/api/me", self.tokens[who]).status == 200, who
        return self.call(method, path, self.tokens[who], body, headers)


def address(pattern, workspace, user="lab-member"):
    return pattern.replace("{workspace}", workspace).replace("{user}", user).replace("{asset}", "iris.csv").replace("{workflow}", "0" * 32)


def who_is_no_member_learns_nothing():
    """Each row that reads, by everybody; and the same answer as for a workspace that nobody has."""
    with Lab() as room:
        room.root("Invite", workspace="lab", note="secret of lab")
        room.root("RegisterAsset", workspace="lab", name="iris.csv", type="dataset", digest=bytes(32), description="secret")
        assert len(GETS) >= 6, GETS
        for pattern, deed in GETS:
            path = address(pattern, "lab")
            governs = deed in ("DEED_GOVERN", "DEED_WEBHOOKS")
            for who in ("lab-viewer", "lab-member", "lab-administrator", "chief"):
                # Of a workflow that is not there a member learns just that; workflows.py has some that are. Who is no member leaves nothing.
                found = 404 if "{workflow}" in pattern or (deed, who) == ("DEED_LEAVE", "chief") else 200
                wanted = 403 if governs and who in ("lab-viewer", "lab-member") else found
                for headers in ([], BROWSER):
                    assert room.call("GET", path, room.tokens[who], headers=headers).status == wanted, (path, who)
            for who in ("lab-away", "far-head"):
                for headers in ([], BROWSER):
                    hers, none = (room.call("GET", address(pattern, name), room.tokens[who], headers=headers)
                                  for name in ("lab", "nix"))
                    assert hers.status == none.status == 404, (path, who, hers.status)
                    assert hers.body == none.body.replace(b"nix", b"lab") and b"secret" not in hers.body, path
            assert room.call("GET", path).status == 401, path
        for who, names in (("far-head", ["far"]), ("lab-away", []), ("lab-viewer", ["lab"])):
            listed = room.call("GET", "/api/workspaces", room.tokens[who]).json()
            assert [w["name"] for w in listed["workspaces"]] == names and listed["next"] is None
            shown = room.sessions[who].get("/workspaces").page().links
            assert [link for link in shown if link.startswith("/w/")] == [f"/w/{name}/members" for name in names]
        assert {"lab", "far", "default"} == {w["name"] for w in
                                             room.call("GET", "/api/workspaces", room.tokens["chief"]).json()["workspaces"]}
        # What a token is not for, its user does not do with it.
        narrow = room.root("AddToken", user="lab-administrator", name="narrow", actions=["view"]).token
        blind = room.call("GET", "/api/workspaces/lab/invitations", narrow)
        assert blind.status == 403 and b"secret" not in blind.body
        assert room.call("POST", "/api/workspaces/lab/invitations", narrow, {}).status == 403


DEEDS = ("role", "suspend", "resume", "remove", "transfer", "invite", "withdraw")


def each_deed_is_for_whom_governs_there():
    with Lab() as room:
        for by in ("page", "api"):
            for who in ("lab-viewer", "lab-member", "lab-administrator", "lab-away", "far-head", "chief"):
                for deed in DEEDS:
                    name = f"x-{by}-{who[:9]}-{deed}"
                    room.root("AddUser", name=name, workspace="lab")
                    if deed == "resume":
                        room.root("SuspendMember", workspace="lab", user=name)
                    number = str(room.root("Invite", workspace="lab").number) if deed == "withdraw" else name
                    before = room.all()
                    done = room.do(by, who, deed, number)
                    may = who in ("lab-administrator", "chief")
                    hidden = who in ("lab-away", "far-head")
                    wanted = {200, 201, 204, 303} if may else {404} if hidden else {403}
                    assert done.status in wanted, (by, who, deed, done.status, done.body)
                    assert (room.all() != before) == may, (by, who, deed)
                    if deed == "transfer" and may:
                        room.root("TransferWorkspace", workspace="lab", user="lab-administrator")
                    # The administrator of one workspace, in another; whose names and numbers he may guess.
                    if who == "far-head":
                        assert room.do(by, who, deed, number, "far").status in ({200, 201, 303} if deed == "invite" else {404})
                        assert room.members() == before[0][0] and room.open() == before[0][1]
        offered = room.sessions["lab-member"].get("/w/lab/members").body.decode()
        assert 'method="post"' not in offered and "Invite" not in offered
        offered = room.sessions["lab-viewer"].get("/w/lab/members/lab-member").body.decode()
        assert 'method="post"' not in offered
        # A token shows the page, but sends no form.
        assert b'method="post"' not in room.call("GET", "/w/lab/members", room.tokens["chief"], headers=BROWSER).body


def any_sequence_is_as_the_model_has_it():
    """Random deeds of random people, by form or by call, against a few lines that say what has to become of them."""
    chance = random.Random(13)
    with Lab() as room:
        model = room.members()
        people = [name for name in (*model, "far-head", "chief") if name in room.tokens]
        statuses = set()
        for step in range(150):
            by, who, deed = chance.choice(("page", "api")), chance.choice(people), chance.choice((*DEEDS[:5], "leave"))
            user, role = who if deed == "leave" else chance.choice([*model, "far-head"]), chance.choice(LEVELS)
            is_in, governs = model.get(who), who == "chief" or model.get(who) == ("administrator", False)
            chiefs = [name for name, is_ in model.items() if is_ == ("administrator", False)]
            then = {"role": lambda is_: (role, is_[1]), "suspend": lambda is_: (is_[0], True),
                    "resume": lambda is_: (is_[0], False), "remove": lambda is_: None,
                    "leave": lambda is_: None, "transfer": lambda is_: ("administrator", False)}[deed]
            if deed == "leave" and (not is_in or is_in[1]):
                wanted = {404}
            elif not governs and deed != "leave":
                wanted = {403} if is_in and not is_in[1] else {404}
            elif user not in model:
                wanted = {404}
            elif chiefs == [user] and then(model[user]) != ("administrator", False):
                wanted = {409}
            elif deed == "transfer" and model[user][1]:
                wanted = {409}
            else:
                wanted = {204, 303}
                if deed == "transfer":
                    model.update({name: ("member", is_[1]) for name, is_ in model.items() if is_[0] == "administrator"})
                model[user] = then(model[user])
                if model[user] is None:
                    del model[user]
            done = room.do(by, who, deed, user, role=role)
            assert done.status in wanted, (step, by, who, deed, user, role, wanted, done.status, done.body)
            assert room.members() == model, (step, by, who, deed, user, role)
            statuses.add(done.status)
            for gone in [name for name in ("lab-viewer", "lab-member") if name not in model]:
                room.root("AddMember", workspace="lab", user=gone)
                model[gone] = ("member", False)
        assert {403, 404, 409, 303, 204} <= statuses, statuses


def a_link_is_shown_once_and_lets_one_in():
    with Lab() as room:
        made = room.form("lab-administrator", "/w/lab/invite", role="viewer", days="2", note="for anna")
        shown = made.page()
        link = re.search(r"http://localhost:\d+(/invite/[0-9a-f]{64})", shown.words())[1]
        assert made.status == 200 and made.fields["cache-control"] == "no-store", made.fields
        for path in ("/w/lab/members", "/api/workspaces/lab/invitations"):
            page = room.sessions["lab-administrator"].get(path)
            assert page.status == 200 and link[-64:].encode() not in page.body and b"for anna" in page.body
        b = room.browser("127.0.0.3")
        b.follow(b.post(link, name="anna", password=PASSWORD, again=PASSWORD))
        assert room.members()["anna"] == ("viewer", False)
        assert "taken by anna" in room.sessions["lab-administrator"].get("/w/lab/members").page().words()
        assert room.browser("127.0.0.4").get(link).status == 404
        # By the API; one that is withdrawn is over.
        made = room.call("POST", "/api/workspaces/lab/invitations", room.tokens["lab-administrator"], {"days": 1})
        assert made.status == 201 and set(made.json()) == {"number", "link", "expires"}
        path = "/invite/" + made.json()["link"][-64:]
        assert room.browser("127.0.0.4").get(path).status == 200
        number = str(made.json()["number"])
        assert room.do("page", "lab-administrator", "withdraw", number).status == 303
        assert room.browser("127.0.0.4").get(path).status == 404
        for by, status in (("page", 404), ("api", 404)):
            assert room.do(by, "lab-administrator", "withdraw", number).status == status
        for fields in ({"role": "owner"}, {"days": "31"}, {"days": "0"}, {"note": "n" * 65}, {"note": "a\nb"}):
            bad = room.form("lab-administrator", "/w/lab/invite", **{"role": "viewer", "days": "7", "note": "", **fields})
            assert bad.status == 400 and bad.page(), (fields, bad.status)
        assert room.form("lab-administrator", "/w/lab/invite", role="viewer", days="30", note="n" * 64).status == 200


def somebody_else_was_quicker():
    """ETag and If-Match of a member, and the same of the page's forms."""
    with Lab() as room:
        token, path = room.tokens["lab-administrator"], "/api/workspaces/lab/members/lab-member"
        old = room.call("GET", path, token).fields["etag"]
        done = room.call("PUT", path, token, {"role": "viewer"}, [("If-Match", old)])
        assert done.status == 204
        now = room.call("GET", path, token)
        assert now.json()["role"] == "viewer" and now.fields["etag"] != old
        for method, more, body in (("PUT", "", {"role": "member"}), ("POST", "/suspend", {}), ("DELETE", "", None)):
            late = room.call(method, path + more, token, body, [("If-Match", old)])
            assert late.status == 412 and "is viewer now" in late.problem()["detail"], late.body
        assert room.form("lab-administrator", "/w/lab/members/lab-member/role", revision=old[1:17], role="member").status == 412
        assert room.members()["lab-member"] == ("viewer", False)
        # Removed, and let in again with the same role: another membership than the one that was seen.
        seen = room.seen("lab-member")
        room.root("RemoveMember", workspace="lab", user="lab-member")
        room.root("AddMember", workspace="lab", user="lab-member", role="viewer")
        assert room.form("lab-administrator", "/w/lab/members/lab-member/remove", revision=seen).status == 412
        # Who may not hears that first, and who is no member that there is nothing.
        for who, status in (("lab-member", 403), ("far-head", 404)):
            assert room.form(who, "/w/lab/members/lab-viewer/role", revision="0" * 16, role="member").status == status


def texts_of_others_are_texts():
    with Lab() as room:
        evil = EVIL.encode()[:64].decode(errors="ignore")
        room.root("Invite", workspace="lab", note=evil)
        page = room.sessions["lab-administrator"].get("/w/lab/members")
        assert evil in page.page().words() and b"<script>alert" not in page.body and b"<img" not in page.body
        listed = room.call("GET", "/api/workspaces/lab/invitations", room.tokens["lab-administrator"]).json()
        assert listed["invitations"][0]["note"] == evil
        for name in ("%3Cscript%3E", "..%2Fdefault", "%22%3E%3Cimg%20src=x%3E", "lab%00", "a" * 200):
            for who in ("lab-administrator", "chief"):
                got = room.sessions[who].get(f"/w/{name}/members")
                assert got.status in (400, 404) and b"<script>a" not in got.body and b"<img" not in got.body, name
                got = room.sessions[who].get(f"/w/lab/members/{name}")
                assert got.status in (400, 404) and b"<script>a" not in got.body and b"<img" not in got.body, name


def it_is_in_the_audit_log_and_viewers_count_what_they_see():
    with Lab() as room:
        for by in ("page", "api"):
            assert room.do(by, "lab-administrator", "role", "lab-viewer", role="member").status in (204, 303)
            assert room.do(by, "lab-member", "remove", "lab-viewer").status == 403
            assert room.do(by, "lab-administrator", "role", "lab-viewer").status in (204, 303)
        rows = [row for row in audit_book.verified(room.sessions["chief"].get("/audit.jsonl").body)[0]
                if row["what"].endswith("Member") and row["who"] in ("user lab-administrator", "user lab-member")]
        told = [(json.loads(row["about"])["via"], row["what"].split("/")[1], row["before"], row["after"], row["outcome"])
                for row in rows]
        assert {row["object"] for row in rows} == {"user lab-viewer"} and all('"lab"' in row["about"] for row in rows), rows
        assert told == [(by, *one) for by in ("page", "api") for one in
                        (("SetMember", "viewer", "member", "OK"), ("RemoveMember", "", "", "PERMISSION_DENIED"),
                         ("SetMember", "member", "viewer", "OK"))], rows
        head = Caller(room.service.channel, room.tokens["lab-administrator"])
        for name in ("one", "two"):
            create_in(head, name, "lab")
        room.root("GiveRole", computation_id="one", role="viewer", user="lab-viewer")
        create(room.service, id="elsewhere")
        for who, count in (("lab-viewer", 1), ("lab-member", 0), ("lab-administrator", 2), ("chief", 2)):
            shown = room.call("GET", "/api/workspaces/lab", room.tokens[who]).json()
            assert shown["computations"] == count and shown["members"] == 4, (who, shown)
            caller = Caller(room.service.channel, room.tokens[who])
            assert caller("ShowWorkspace", name="lab").computations == count, who
            listed = caller("ListWorkspaces").workspaces
            assert [w.computations for w in listed if w.name == "lab"] == [count], who


def long_lists_have_pages():
    with Lab() as room:
        for number in range(60):
            room.root("AddUser", name=f"m-{number:02}", workspace="lab")
        token, after, names = room.tokens["lab-viewer"], "", []
        while after is not None:
            got = room.call("GET", "/api/workspaces/lab/members" + (f"?after={after}" if after else ""), token).json()
            names += [m["user"] for m in got["members"]]
            after = got["next"]
        assert names == sorted(room.members()) and len(names) == 64
        first = room.sessions["lab-viewer"].get("/w/lab/members").page()
        following = [link for link in first.links if "&after=" in link]
        assert len(following) == 1
        assert "m-59" in room.sessions["lab-viewer"].get(following[0]).page().words() and "m-59" not in first.words()


def walked(room, who, path, what, query):
    """All rows of a list, page after page."""
    following, found = path + "?" + query, []
    while following:
        answer = room.call("GET", following, room.tokens[who]).json()
        found += answer[what]
        following = answer["next"] and f"{path}?{query}&after=" + answer["next"]
    return found


def orders_of(room, who, page, columns, query):
    """The headings of a list's table: how each is sorted now, and where its link leads."""
    shown = room.sessions[who].get(f"{page}?{query}")
    found = re.findall(r'aria-sort="(\w+)"><a href="([^"]+)">([^<]+)<', shown.body.decode())
    assert [title for _, _, title in found] == columns, found
    assert all(room.sessions[who].get(link.replace("&amp;", "&")).status == 200 for _, link, _ in found)
    return [(how, link.rpartition("sort=")[2]) for how, link, _ in found]


def lists_have_an_order():
    """Members by each column, both ways, and those that have a text; what is asked for in another way is refused."""
    with Lab() as room:
        for number in range(60):
            room.root("AddUser", name=f"m-{number:02}", workspace="lab")
        for number in range(0, 60, 7):
            room.root("SetMember", workspace="lab", user=f"m-{number:02}", role="viewer")
        path, api = "/w/lab/members", "/api/workspaces/lab/members"

        def users(query):
            return [m["user"] for m in walked(room, "lab-viewer", api, "members", query)]
        names = sorted(room.members())
        assert users("sort=name") == users("sort=") == names and users("sort=-name") == names[::-1]
        for word in ("role", "created", "changed"):
            rows = walked(room, "lab-viewer", api, "members", "sort=" + word)
            key = {"created": "joined"}.get(word, word)
            assert [m[key] for m in rows] == sorted(m[key] for m in rows) and sorted(m["user"] for m in rows) == names, word
            assert users("sort=-" + word) == [m["user"] for m in rows][::-1], word
        assert users("q=VIEW") == [n for n in names if room.members()[n][0] == "viewer" or "view" in n]
        assert users("q=m-1&sort=-name") == [f"m-{n}" for n in range(19, 9, -1)] and users("q=%25") == []
        first = room.call("GET", api + "?sort=name", room.tokens["lab-viewer"]).json()
        for who, other in (("lab-viewer", "sort=-name"), ("lab-viewer", "sort=role"), ("lab-viewer", "sort=name&q=m"), ("lab-member", "sort=name")):
            refused = room.call("GET", f"{api}?{other}&after=" + first["next"], room.tokens[who])
            assert refused.status == 400 and "another" in refused.problem()["detail"], (who, other)
        # Who was the page's last goes, and who is behind her: all others come once.
        for user in (first["members"][-1]["user"], "m-50"):
            room.root("RemoveMember", workspace="lab", user=user)
        second = room.call("GET", f"{api}?sort=name&after=" + first["next"], room.tokens["lab-viewer"]).json()["members"]
        assert [m["user"] for m in second] == [n for n in names[50:] if n != "m-50"]
        for word in ("type", "joined", "--name", "name;", "Name"):
            assert room.call("GET", f"{api}?sort={word}", room.tokens["lab-viewer"]).status == 400, word
        columns = ["Member", "Role", "Since", "Changed"]
        assert orders_of(room, "lab-viewer", path, columns, "q=") == [("ascending", "-name"), ("none", "role"), ("none", "-created"), ("none", "-changed")]
        assert orders_of(room, "lab-viewer", path, columns, "sort=-changed&q=m") == [
            ("none", "name"), ("none", "role"), ("none", "-created"), ("descending", "changed")]
        assert "Nothing here has that text" in room.sessions["lab-viewer"].get(path + "?q=nobody").page().words()
        # By calls; without order and search as it always was.
        mine = Caller(room.service.channel, room.tokens["lab-viewer"])
        named = [m.user for m in mine("ListMembers", workspace="lab", sort="-name", search="m-1").members]
        assert named == [f"m-{n}" for n in range(19, 9, -1)]
        assert [m.user for m in mine("ListMembers", workspace="lab", after="m-57").members] == ["m-58", "m-59"]
        for wanted in ({"sort": "type"}, {"sort": "name", "after": "m-57"}, {"search": "m", "after": first["next"]}):
            assert mine.code("ListMembers", workspace="lab", **wanted) == grpc.StatusCode.INVALID_ARGUMENT, wanted


if __name__ == "__main__":
    tap.run([who_is_no_member_learns_nothing, each_deed_is_for_whom_governs_there, any_sequence_is_as_the_model_has_it,
             a_link_is_shown_once_and_lets_one_in, somebody_else_was_quicker, texts_of_others_are_texts,
             it_is_in_the_audit_log_and_viewers_count_what_they_see, long_lists_have_pages,
             lists_have_an_order])
