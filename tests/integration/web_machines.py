#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CVMs that managers make for workspaces, on the page and by its API: who sees them, who has them made and removed, and how."""
import concurrent.futures
import contextlib
import json
import os
import re
import threading

import grpc
import tap
from computations_service import create
from harness import PATIENCE, FakeAgent, Folder, cli, until
from people import Caller
from played_manager import PlayedManager, manager
from web_act import Room, revision_in
from web_fitted import operation_of
from web_members import orders_of, walked

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
NEW = {"name": "one", "manager": "here", "image": "base", "tee": "snp", "cpus": "2", "memory": "1", "hours": "3"}
WISH = {"image": "base", "tee": "snp", "cpus": 2, "memory": 1 << 30, "ttl_ms": 3 * 3600 * 1000}


class Hall(Room):
    """Two workspaces: who is what in `default`, and an outsider in `lab`."""

    def __enter__(self):
        super().__enter__()
        self.root("AddWorkspace", name="lab")
        for role in ("viewer", "member", "administrator"):
            self.person(role)
            self.root("SetMember", workspace="default", user=role, role=role)
        self.person("outsider", workspace="lab")
        self.root("SetMember", workspace="lab", user="outsider", role="administrator")
        return self

    def person(self, name, workspace="", **fields):
        self.root("AddUser", name=name, workspace=workspace, **fields)
        self.root("SetPassword", user=name, password="lamp river copper")
        self.sessions[name] = self.browser().sign_in(name)
        self.tokens[name] = self.root("AddToken", user=name, name="api").token
        return self.sessions[name]

    def put(self, who, name, wish=None, workspace="default"):
        return self.call("PUT", f"/api/workspaces/{workspace}/cvms/{name}", self.tokens[who], WISH if wish is None else wish)

    def discard(self, who, name):
        path = f"/w/default/cvms/{name}/remove"
        return self.form(who, path, revision=revision_in(self.sessions[who], path))

    def there(self, workspace="default"):
        return {m.name: m.state for m in self.root("ListMachines", workspace=workspace).machines if m.state != "Removed"}


@contextlib.contextmanager
def hall(limits="limit default cvms=4 cpus=64 memory=64G\nlimit lab cvms=4\n", others=None, **settings):
    """With the manager `here`, and those of `others`: {name: the words of its line}, each in `room.others`."""
    with Folder() as folder, contextlib.ExitStack() as stack:
        lines = "".join(f"manager {name} unix:{folder(name)} agents=10.0.2.2:7001 {words}\n" for name, words in (others or {}).items())
        table = folder.write("managers", f"manager here unix:{folder('m.sock')} agents=10.0.2.2:7001\n{lines}{limits}")
        os.chmod(table, 0o600)
        played = {name: stack.enter_context(PlayedManager(folder(name))) for name in others or {}}
        with PlayedManager(folder("m.sock")) as here, Hall(MANAGERS=table, **settings) as room:
            room.played, room.others = here, played
            yield room


def one_is_made_seen_and_removed():
    with hall() as room:
        chief = room.sessions["administrator"]
        assert "/w/default/cvms" in chief.get("/w/default/members").page().links
        empty = chief.get("/w/default/cvms").page()
        assert "No CVM yet" in empty.words() and "/w/default/new-cvm" in empty.links
        assert "cvm create NAME --cpus 2 --memory 2G --workspace 'default'" in empty.words(), empty.words()
        other = room.sessions["member"].get("/w/default/cvms").page().words()
        assert "No CVM yet" in other and "cvm create" not in other, other
        assert chief.get("/w/default/new-cvm").page()
        made = room.form("administrator", "/w/default/new-cvm", **NEW)
        assert made.status == 303 and made.fields["location"] == "/w/default/cvms", (made.status, made.body)
        asked = until(lambda: room.played.last, "its manager is asked")
        assert (asked.cpus, asked.memory, asked.tee, asked.image) == (2, 1 << 30, "snp", "base") and asked.ttl, asked
        listed = chief.get("/w/default/cvms").page()
        assert "/w/default/cvms/one" in listed.links and "Provisioning" in listed.words()
        shown = chief.get("/w/default/cvms/one")
        text = shown.body.decode()
        assert shown.page() and "export '" in text.replace("&#39;", "'") and "AGENT_GRPC_URL=127.0.0.1:7100" in text
        assert "--attestation-policy policy.json" in text and "/w/default/cvms/one/remove" in shown.page().links
        told = room.call("GET", "/api/workspaces/default/cvms/one", room.tokens["viewer"]).json()
        assert (told["state"], told["agent_grpc_url"], told["cpus"], told["memory"], told["ttl_ms"]) == (
            "Provisioning", "127.0.0.1:7100", 2, 1 << 30, 3 * 3600 * 1000), told
        cvm = room.played.created[0][1]
        with FakeAgent(f"127.0.0.1:{room.service.port}", cvm):
            until(lambda: room.there() == {"one": "Ready"}, "the agent")
            words = chief.get("/w/default/cvms/one").page().words()
            assert "Ready" in words and "Connected" in words and cvm in words
        assert chief.get("/w/default/cvms/one/remove").page()
        gone = room.discard("administrator", "one")
        assert gone.status == 303 and not room.there() and not room.played.there
        after = chief.get("/w/default/cvms/one").page()
        assert "Removed" in after.words() and "/w/default/cvms/one/remove" not in after.links
        assert "AGENT_GRPC_URL" not in after.words()
        rows = [json.loads(row) for row in room.root("Audit").rows]
        deeds = [(row["what"].rpartition("/")[2], row["object"]) for row in rows if row["what"].endswith("Cvm")]
        assert deeds == [("CreateCvm", "cvm one"), ("RemoveCvm", "cvm one")], deeds


def the_api_does_the_same():
    with hall() as room:
        made = room.put("administrator", "two")
        assert made.status == 200 and made.json()["name"] == "two" and made.json()["state"] == "Provisioning", made.body
        assert room.put("administrator", "two").status == 409 and len(room.played.created) == 1
        listed = room.call("GET", "/api/workspaces/default/cvms", room.tokens["viewer"]).json()
        assert [m["name"] for m in listed["cvms"]] == ["two"] and not listed.get("next")
        gone = room.call("DELETE", "/api/workspaces/default/cvms/two", room.tokens["administrator"])
        assert gone.status == 200 and gone.json()["state"] == "Removed", gone.body
        wrong = [{"cpus": 0}, {"cpus": 4097}, {"cpus": "2"}, {"memory": (1 << 46) + 1}, {"memory": -1}, {"memory": 1.5},
                 {"ttl_ms": 87600 * 3600 * 1000 + 1}, {"name": "x"}, {"more": 1}, {"image": 1}, {"image": "x" * 129}, [], None]
        for wish in wrong:
            body = json.dumps(wish).encode()
            answer = room.call("PUT", "/api/workspaces/default/cvms/bad", room.tokens["administrator"], body)
            assert answer.status == 400, (wish, answer.status, answer.body)
        for name in ("A", "-a", "a_b", "a" * 64):
            assert room.put("administrator", name).status == 400, name
        assert room.put("administrator", "c", {**WISH, "cpus": 65}).status in (429, 409), "the quota"
        assert not room.there()


def a_stale_page_removes_no_newer_one():
    with hall() as room:
        chief, token, path = room.sessions["administrator"], room.tokens["administrator"], "/api/workspaces/default/cvms/one"
        etag = room.put("administrator", "one").fields["etag"]
        stale = revision_in(chief, "/w/default/cvms/one/remove")
        assert etag[1:17] == stale == room.call("GET", path, token).fields["etag"][1:17]
        # Its agent comes, which is no other CVM.
        with FakeAgent(f"127.0.0.1:{room.service.port}", room.played.created[0][1]):
            until(lambda: room.there() == {"one": "Ready"}, "the agent")
            assert revision_in(chief, "/w/default/cvms/one/remove") == stale
            assert room.discard("administrator", "one").status == 303 and not room.there()
        assert room.put("administrator", "one").status == 200
        newer = room.call("GET", path, token).fields["etag"]
        late = room.form("administrator", "/w/default/cvms/one/remove", revision=stale)
        assert late.status == 412 and "newer one of that name" in late.page().words(), late.body
        late = room.call("DELETE", path, token, headers=[("If-Match", etag)])
        assert late.status == 412 and late.problem()["field"] == "header if-match", late.body
        assert room.form("administrator", "/w/default/cvms/one/remove").status == 400
        assert room.form("administrator", "/w/default/cvms/one/remove", revision="").status == 400
        assert list(room.there()) == ["one"] and len(room.played.there) == 1
        assert room.call("DELETE", path, token, headers=[("If-Match", newer)]).status == 200 and not room.there()


def who_may_what():
    """Each role, a member of another workspace, who administers the service, and nobody; by form and call."""
    with hall() as room:
        room.put("administrator", "one")
        for who, sees, changes in (("viewer", True, False), ("member", True, False), ("administrator", True, True),
                                   ("chief", True, True), ("outsider", False, False)):
            token = room.tokens[who]
            for path in ("/w/default/cvms", "/w/default/cvms/one", "/api/workspaces/default/cvms",
                         "/api/workspaces/default/cvms/one"):
                answer = room.call("GET", path, token)
                assert answer.status == (200 if sees else 404), (who, path, answer.status)
            for path in ("/w/default/new-cvm", "/w/default/cvms/one/remove"):
                assert room.call("GET", path, token).status == (200 if changes else 403 if sees else 404), (who, path)
            offered = room.sessions[who].get("/w/default/cvms")
            assert ("new-cvm" in offered.body.decode()) == changes, who
            name = "of-" + who
            done = room.form(who, "/w/default/new-cvm", **{**NEW, "name": name})
            assert done.status == (303 if changes else 403 if sees else 404), (who, done.status)
            assert (name in room.there()) == changes
            called = room.put(who, name + "-2")
            assert called.status == (200 if changes else 403 if sees else 404), (who, called.status, called.body)
            for part in (name, name + "-2"):
                if part in room.there():
                    assert room.call("DELETE", "/api/workspaces/default/cvms/" + part, token).status == 200
            if not changes:
                refused = room.call("DELETE", "/api/workspaces/default/cvms/one", token)
                assert refused.status == (403 if sees else 404), (who, refused.status)
                assert room.form(who, "/w/default/cvms/one/remove", revision="0" * 16).status == (403 if sees else 404)
            assert "one" in room.there()
        assert room.call("GET", "/w/default/cvms", None).status == 401
        narrow = room.root("AddToken", user="administrator", name="narrow", actions=["view"]).token
        assert room.call("DELETE", "/api/workspaces/default/cvms/one", narrow).status == 403


def what_is_others_is_as_if_it_were_not():
    with hall() as room:
        room.put("administrator", "one")
        token = room.tokens["outsider"]
        for path in ("/w/{}/cvms", "/w/{}/cvms/one", "/w/{}/new-cvm", "/w/{}/cvms/one/remove", "/api/workspaces/{}/cvms",
                     "/api/workspaces/{}/cvms/one"):
            hers, none = (room.call("GET", path.format(name), token) for name in ("default", "none"))
            assert hers.status == none.status == 404, (path, hers.status, none.status)
            assert hers.body.replace(b"default", b"none") == none.body, path
        # A name in one's own workspace is no key to another's.
        assert room.call("GET", "/w/lab/cvms/one", token).status == 404
        assert room.call("DELETE", "/api/workspaces/lab/cvms/one", token).status == 404
        assert room.there() == {"one": "Provisioning"}


def what_others_say_stays_text_and_forms_are_ours():
    with hall() as room:
        chief = room.sessions["administrator"]
        good, own = chief.csrf(), "http://" + chief.host
        for name in NEW:
            done = room.form("administrator", "/w/default/new-cvm", **{**NEW, "name": "x-" + name, name: EVIL})
            if done.status == 303:
                assert chief.get("/w/default/cvms").page() and chief.get("/w/default/cvms/x-" + name).page()
            else:
                assert done.status in (400, 404, 409) and done.page(), (name, done.status)
        before = room.there()
        for path, fields in (("/w/default/new-cvm", {**NEW, "name": "evil"}), ("/w/default/cvms/x-image/remove", {"revision": "0" * 16})):
            for origin, headers in ((None, []), ("null", []), ("http://evil.example", []), (own, [("Sec-Fetch-Site", "cross-site")])):
                assert chief.post(path, origin, headers=headers, csrf=good, **fields).status == 403, (path, origin)
            for csrf in ("", "0" * 64, good[:-1], room.sessions["member"].csrf()):
                assert chief.post(path, csrf=csrf, **fields).status == 403, (path, csrf)
            assert chief.post(path, csrf=good, more="x", **fields).status == 400
        assert room.there() == before
        for bad in ("x", "-1", "9" * 30, "1.5"):
            assert room.call("GET", "/api/workspaces/default/cvms?after=" + bad, room.tokens["viewer"]).status == 400, bad


POLICY = json.dumps({"cocos": 1, "tpm": {"pcrs": {"sha256": {"4": "5a" * 32}}}}).encode()
OF_ONE = "/w/default/cvms/one/policy", "/api/workspaces/default/cvms/one/policy"


def policy(room, who="viewer", path=OF_ONE[1]):
    return room.call("GET", path, room.tokens[who])


def its_manager_s_policy_is_handed_on_byte_for_byte():
    """To whoever may see the CVM; what others ask for does not reach the manager."""
    with hall() as room:
        room.put("administrator", "one")
        # JSON; what stock managers send; as much as there may be.
        for said, name in ((POLICY, "json"), (b" \n" + POLICY + b"\n", "json"), (b"\xd9\x01\xf5\xa0\x00\xff", "corim"),
                           (b"\x9f" + b"\0" * 60000, "corim"), (POLICY[:-1] + b" " * 60000 + b"}", "json")):
            room.played.policy = said
            for who in ("viewer", "member", "administrator", "chief"):
                for path in OF_ONE if who == "viewer" else OF_ONE[1:]:
                    came = policy(room, who, path)
                    assert (came.status, came.body) == (200, said), (who, came.status, came.body[:200])
                    assert came.fields["content-disposition"] == f'attachment; filename="policy.{name}"', came.fields
                    assert came.fields["content-type"] == "application/octet-stream", came.fields
        asked = room.played.asked.count("AttestationPolicy")
        for path in OF_ONE:
            hers, none = (policy(room, "outsider", path.replace("default", name)) for name in ("default", "none"))
            assert hers.status == none.status == 404 and hers.body.replace(b"default", b"none") == none.body, path
            assert room.call("GET", path, None).status == 401
            assert policy(room, "viewer", path.replace("one", "two")).status == 404
        assert room.call("GET", "/api/workspaces/lab/cvms/one/policy", room.tokens["outsider"]).status == 404
        assert room.played.asked.count("AttestationPolicy") == asked
        # The page offers it beside the commands that make one's own.
        until(lambda: b"AGENT_GRPC_URL" in room.sessions["viewer"].get("/w/default/cvms/one").body, "where owners reach it")
        page = room.sessions["viewer"].get("/w/default/cvms/one").page()
        assert OF_ONE[0] in page.links and "compare it with the one that you computed" in page.words(), page.links


def what_is_no_policy_is_not_handed_on():
    with hall() as room:
        room.put("administrator", "one")
        for said in (b"", b"{}", b"{", POLICY[:-1], POLICY + b"x", b"<html>", b"\0", b"\x60", EVIL.encode()):
            room.played.policy = said
            came = policy(room)
            assert came.status == 503 and b"manager here: " in came.body, (said, came.status, came.body)
            assert b"script" not in came.body, came.body
        room.played.policy = b"\x9f" + b"\0" * (64 << 10)
        came = policy(room)
        assert came.status == 503 and b"manager here: " in came.body, came.body
        room.played.policy = POLICY
        room.played.says["AttestationPolicy"] = lambda request, context: manager.AttestationPolicyRes(id="other", info=POLICY)
        came = policy(room)
        assert came.status == 503 and b"of another CVM" in came.body, came.body


def who_has_no_policy_says_why():
    """What the manager has against the service is nothing that the caller lacks."""
    code = grpc.StatusCode
    with hall() as room:
        room.put("administrator", "one")
        declared = operation_of(room.call("GET", "/api/openapi.json", room.tokens["chief"]).json(), "GET", OF_ONE[1])["responses"]
        for told, status in ((code.FAILED_PRECONDITION, 409), (code.UNIMPLEMENTED, 501), (code.NOT_FOUND, 404), (code.DEADLINE_EXCEEDED, 504),
                             (code.PERMISSION_DENIED, 503), (code.UNAUTHENTICATED, 503), (code.INVALID_ARGUMENT, 503)):
            room.played.says["AttestationPolicy"] = lambda request, context, told=told: context.abort(told, "so it is")
            came = policy(room)
            assert came.status == status and b"manager here: so it is" in came.body, (told, came.status, came.body)
            assert str(status) in declared, status
        assert policy(room, path=OF_ONE[0]).status == 503, "the page says it too"
        room.played.server.stop(None).wait()
        came = policy(room)
        assert came.status == 503 and b"manager here: " in came.body, came.body


def a_silent_manager_is_asked_a_few_times_alone():
    """Eight at a time wait for it, and the next one hears so."""
    go_on = threading.Event()
    with hall() as room, concurrent.futures.ThreadPoolExecutor(8) as pool:
        room.put("administrator", "one")
        room.played.says["AttestationPolicy"] = lambda request, context: go_on.wait(PATIENCE) and None
        waiting = [pool.submit(policy, room) for _ in range(8)]
        until(lambda: room.played.asked.count("AttestationPolicy") == 8, "eight that wait")
        came = policy(room)
        assert came.status == 429 and b"asked for 8 policies already" in came.body, came.body
        room.played.policy = POLICY
        go_on.set()
        assert {w.result(PATIENCE).status for w in waiting} == {200}
        assert policy(room).status == 200
        room.discard("administrator", "one")
        until(lambda: not room.there(), "it is gone")
        came = policy(room)
        assert came.status == 409 and b"CVM one is gone" in came.body, came.body


def a_run_gets_a_new_one():
    """By its form: for who may run it, and have CVMs made where it is."""
    fields = {"manager": "here", "image": "base", "tee": "snp", "cpus": "2", "memory": "1", "hours": "3", "keep": "5"}
    with hall() as room:
        create(room.service, id="c")
        for who in ("member", "administrator"):
            room.root("GiveRole", computation_id="c", role="runner", user=who)
        chief = room.sessions["administrator"]
        assert "/c/c/run-new" in chief.get("/c/c/run").page().links
        assert "/c/c/run-new" not in room.sessions["member"].get("/c/c/run").page().links
        assert room.sessions["member"].get("/c/c/run-new").status == 403
        assert room.sessions["outsider"].get("/c/c/run-new").status == 404
        form = chief.get("/c/c/run-new")
        assert form.page() and form.status == 200
        seen = re.search(r'name="revision" value="([0-9a-f]{16})"', form.body.decode())[1]
        for who, status in (("member", 403), ("outsider", 404)):
            assert room.form(who, "/c/c/run-new", revision=seen, new_cvm="true", **fields).status == status, who
        # Who leaves out that it is to be a new one is not taken at half his word.
        assert room.form("administrator", "/c/c/run-new", revision=seen, **fields).status == 400
        for wrong in ("0.5", "-1", "10081", "x"):
            assert room.form("administrator", "/c/c/run-new", revision=seen, new_cvm="true", **{**fields, "keep": wrong}).status == 400
        assert not room.there()
        assert room.form("administrator", "/c/c/run-new", revision=seen, new_cvm="true", **fields).status == 303
        name, = room.there()
        asked = until(lambda: room.played.last, "its manager is asked")
        assert (asked.cpus, asked.memory, asked.ttl, asked.tee, asked.image) == (2, 1 << 30, "3h", "snp", "base"), asked
        page = chief.get("/c/c").page()
        assert "it waits for the CVM that is made for it" in page.words() and f"/w/default/cvms/{name}" in page.links
        assert "/c/c/run" not in page.links
        page = chief.get("/w/default/cvms/" + name).page()
        assert "It is removed behind that run" in page.words() and "/c/c" in page.links
        assert chief.get(f"/w/default/cvms/{name}/remove").page()
        told = room.call("GET", "/api/workspaces/default/cvms/" + name, room.tokens["administrator"]).json()
        assert told["made_for"] == "c", told
        assert room.call("GET", "/api/computations/c", room.tokens["administrator"]).json()["new_cvm"] == name
        # By the API, too.
        create(room.service, id="d")
        room.root("GiveRole", computation_id="d", role="runner", user="administrator")
        done = room.call("POST", "/api/computations/d/run", room.tokens["administrator"],
                         {"new_cvm": True, "cpus": 1, "memory": 1 << 30, "keep_ms": 60000})
        assert done.status in (200, 428), (done.status, done.body)
        if done.status == 428:
            done = room.call("POST", "/api/computations/d/run", room.tokens["administrator"],
                             {"new_cvm": True, "cpus": 1, "memory": 1 << 30, "keep_ms": 60000},
                             headers=[("If-Match", room.etag("d"))])
            assert done.status == 200, (done.status, done.body)
        assert done.json()["new_cvm"] in room.there()


def lists_go_on():
    with hall(limits="limit default cvms=200\n") as room:
        names = [f"n{number:03}" for number in range(53)]
        for name in names:
            room.root("CreateCvm", name=name, workspace="default")
        first = room.call("GET", "/api/workspaces/default/cvms", room.tokens["viewer"]).json()
        rest = room.call("GET", f"/api/workspaces/default/cvms?after={first['next']}", room.tokens["viewer"]).json()
        assert [m["name"] for m in first["cvms"] + rest["cvms"]] == names and not rest.get("next")
        page = room.sessions["viewer"].get("/w/default/cvms").page()
        assert f"/w/default/cvms?q=&sort=created&after={first['next']}" in page.links


def lists_have_an_order():
    """A workspace's CVMs by each column, both ways, and those that have a text; what is asked for in another way is refused."""
    with hall(limits="limit default cvms=200\n") as room:
        names = [f"n{number * 7 % 53:03}" for number in range(53)]
        for name in names:
            room.root("CreateCvm", name=name, workspace="default", image="even" if int(name[1:]) % 2 == 0 else "odd")
        seen = room.root("ShowMachine", name="n007", workspace="default").cvm_id
        with FakeAgent(f"127.0.0.1:{room.service.port}", seen):
            until(lambda: room.there()["n007"] == "Ready", "the agent")
        room.root("RemoveCvm", name="n011", workspace="default")
        path, api = "/w/default/cvms", "/api/workspaces/default/cvms"

        def found(query, who="viewer"):
            return [m["name"] for m in walked(room, who, api, "cvms", query)]
        rest = sorted(set(names) - {"n007", "n011"}, key=names.index)
        assert found("sort=") == found("sort=created") == names == found("sort=-created")[::-1]
        assert found("sort=name") == sorted(names) == found("sort=-name")[::-1]
        assert found("sort=state") == [*rest, "n007", "n011"] == found("sort=-state")[::-1]
        assert found("q=EVEN&sort=name") == sorted(names)[::2] and found("q=_") == [] and found("q=" + seen) == ["n007"]
        place = room.call("GET", api + "?sort=name", room.tokens["viewer"]).json()["next"]
        for who, other in (("viewer", "sort=-name"), ("viewer", "sort=state"), ("viewer", "sort=name&q=n"), ("member", "sort=name")):
            assert room.call("GET", f"{api}?{other}&after={place}", room.tokens[who]).status == 400, (who, other)
        for word in ("changed", "type", "--name"):
            assert room.call("GET", f"{api}?sort={word}", room.tokens["viewer"]).status == 400, word
        assert orders_of(room, "viewer", path, ["CVM", "State", "Created"], "sort=state&q=n") == [
            ("none", "name"), ("ascending", "-state"), ("none", "-created")]
        page = room.sessions["viewer"].get(path + "?sort=-state").page().words()
        assert "State, gone first" in page and "n011" in page
        assert "Nothing here has that text" in room.sessions["viewer"].get(path + "?q=nothing").page().words()
        # The same by the service's calls and at a terminal.
        mine = Caller(room.service.channel, room.tokens["viewer"])
        first = mine("ListMachines", workspace="default", sort="-name", limit=20)
        assert [m.name for m in first.machines] == sorted(names)[:-21:-1]
        assert [m.name for m in mine("ListMachines", workspace="default", sort="-name", after=first.next).machines] == sorted(names)[-21::-1]
        for wanted in ({"sort": "changed"}, {"sort": "name", "after": "12"}, {"after": first.next}, {"search": "n", "after": first.next}):
            assert mine.code("ListMachines", workspace="default", **wanted) == grpc.StatusCode.INVALID_ARGUMENT, wanted
        where = {"COMPUTATIONS_GRPC_URL": "unix:" + room.service.socket}
        rows = cli("cvm", "list", "--workspace", "default", "--sort=-name", "--search", "odd", "--json", **where).json()
        assert [m["name"] for m in rows] == sorted(names)[1::2][::-1]
        cli("cvm", "list", "--workspace", "default", "--sort", "type", **where).refused(1, "give created, name or state")


def agents_have_an_order():
    """The CVMs that have connected, for the service's administrators: by name and by when they were seen."""
    with Hall() as room:
        names = ["beta", "gamma", "Alpha", "delta"]
        for name in names:
            with FakeAgent(f"127.0.0.1:{room.service.port}", name):
                until(lambda now=name: now in [c.id for c in room.root("ListCvms").cvms], "the connection")
        with FakeAgent(f"127.0.0.1:{room.service.port}", "gamma"):
            until(lambda: [c.id for c in room.root("ListCvms", sort="-changed").cvms][0] == "gamma", "it to be seen last")
            token = room.tokens["chief"]

            def found(query):
                return [c["id"] for c in walked(room, "chief", "/api/cvms", "cvms", query)]
            assert found("sort=") == found("sort=created") == names and found("sort=-created") == names[::-1]
            assert found("sort=name") == ["Alpha", "beta", "delta", "gamma"] and found("sort=-changed")[0] == "gamma"
            assert found("q=BETA") == ["beta"] and found("q=%25") == []
            for word in ("state", "type"):
                assert room.call("GET", f"/api/cvms?sort={word}", token).status == 400, word
            assert orders_of(room, "chief", "/cvms", ["CVM", "Last seen"], "sort=-changed") == [("none", "name"), ("descending", "changed")]
            assert "Seen last" in room.sessions["chief"].get("/cvms?sort=-changed").page().words()
            assert room.call("GET", "/api/cvms?sort=name", room.tokens["viewer"]).status == 403
        where = {"COMPUTATIONS_GRPC_URL": "unix:" + room.service.socket}
        assert [c["id"] for c in cli("cvm", "list", "--sort", "name", "--json", **where).json()] == ["Alpha", "beta", "delta", "gamma"]
        assert [c["id"] for c in cli("cvm", "list", "--search", "DELTA", "--json", **where).json()] == ["delta"]


def without_a_manager_it_says_so():
    with Hall() as room:
        page = room.sessions["administrator"].get("/w/default/new-cvm")
        assert page.status == 200 and "knows no manager" in page.page().words() and b"<form" not in page.body
        assert room.put("administrator", "one").status in (400, 404, 409) and not room.there()


if __name__ == "__main__":
    tap.run([one_is_made_seen_and_removed, a_stale_page_removes_no_newer_one, the_api_does_the_same, who_may_what, what_is_others_is_as_if_it_were_not,
             what_others_say_stays_text_and_forms_are_ours, its_manager_s_policy_is_handed_on_byte_for_byte,
             what_is_no_policy_is_not_handed_on, who_has_no_policy_says_why, a_silent_manager_is_asked_a_few_times_alone,
             a_run_gets_a_new_one, lists_go_on, lists_have_an_order, agents_have_an_order, without_a_manager_it_says_so])
