#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the page and its API change: who may, in which state, by which form or call, and what is written of it."""
import contextlib
import datetime
import http.client
import json
import os
import re
import signal
import sqlite3
import subprocess

import tap
from computations_service import agent_of, connected, create, run
from harness import PATIENCE, Folder, authority, cli, cvms, until
from people import HIDDEN, ROLES
from sign_in import OTHER, PASSWORD, Page
from web_page import BROWSER, Answer
from web_rights import ROUTES

JSON = "application/json"
TABLE = open(ROUTES, encoding="utf-8").read().split("const struct web_route web_routes[] = {")[1].split("\n};")[0]
FORMS = re.findall(r'\bCHANGE\("([^"]+)", (\w+)\)', TABLE)
CALLS = re.findall(r'\bSEND\(HTTP_(\w+), "([^"]+)",\s+(\w+)', TABLE)
# Of a computation: the form, the same call, the action of a role that allows it, and what it does when it is done.
DEEDS = {"run": ("POST", "", "run"), "stop": ("POST", "", "run"), "remove": ("DELETE", "", "administrator"),
         "give": ("PUT", "viewer/members/guest", "administrator"), "take": ("DELETE", "viewer/members/there", "administrator"),
         "define": ("PUT", "new", "administrator"), "undefine": ("DELETE", "old", "administrator")}
OWN = {"define": ("", {"name": "new", "only_new": "true", "view": "true", "run": "true"}), "undefine": ("/old/remove", {})}


class Room(Page):
    """Each user has a session and a token; `chief` administers the service."""

    def __enter__(self):
        super().__enter__()
        self.tokens, self.sessions = {}, {}
        for name in ("guest", "there"):
            self.root("AddUser", name=name)
        self.person("chief", administrator=True)
        return self

    def person(self, name, **fields):
        self.user(name, **fields)
        self.sessions[name] = self.browser().sign_in(name)
        self.tokens[name] = self.root("AddToken", user=name, name="api").token
        return self.sessions[name]

    def call(self, method, path, token=None, body=None, headers=(), kind=JSON, address="127.0.0.1"):
        """As a program calls: with a token, and no word of an origin."""
        browser = self.browser(address)
        own = [("Content-Type", kind)] if body is not None else []
        if token:
            own.append(("Authorization", "Bearer " + token))
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        return plain(browser, method, path, data, [*own, *headers])

    def etag(self, computation, what=""):
        return self.call("GET", f"/api/computations/{computation}{what}", self.tokens["chief"]).fields["etag"]

    def form(self, who, path, **fields):
        browser = self.sessions[who]
        return browser.post(path, csrf=browser.csrf(), **fields)

    def state(self, computation):
        """What an administrator sees of it; None: it is gone."""
        if self.root.code("Show", id=computation) == HIDDEN:
            return None
        roles = self.root("ListRoles", computation_id=computation).roles
        return self.root("Show", id=computation).SerializeToString(), [r.SerializeToString() for r in roles]


def plain(browser, method, path, data, headers):
    """Not as a browser does: without its Accept."""
    connection = http.client.HTTPConnection("127.0.0.1", browser.page.port, timeout=PATIENCE,
                                            source_address=(browser.address, 0))
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in [("Host", browser.host), *headers]:
        connection.putheader(name, value)
    if data is not None:
        connection.putheader("Content-Length", str(len(data)))
    connection.endheaders(data)
    with contextlib.closing(connection):
        return Answer(connection.getresponse())


def attempt(room, who, deed, computation, by):
    """That deed by a form or by the API, with what is to be seen of it now."""
    method, rest, _ = DEEDS[deed]
    revision = room.etag(computation, "/roles" if rest else "")[1:17]
    if by == "page" and deed in OWN:
        path, fields = OWN[deed]
        return room.form(who, f"/c/{computation}/roles/own{path}", revision=revision, **fields)
    if by == "page":
        if rest:
            return room.form(who, f"/c/{computation}/roles/{deed}", revision=revision, role="viewer",
                             user=rest.split("/")[-1])
        fields = {"cvm": ""} if deed == "run" else {}
        return room.form(who, f"/c/{computation}/{deed}", revision=revision, **fields)
    path = f"/api/computations/{computation}" + (f"/roles/{rest}" if rest else "" if deed == "remove" else "/" + deed)
    return room.call(method, path, room.tokens[who], {"run": {}, "define": {"actions": ["view", "run"]}}.get(deed))


def each_deed_is_for_whom_a_role_allows_it():
    """Each deed, by form and by call, by each role, in the own computation and another's; and what is offered."""
    with Room() as room, agent_of(room.service, "cvm-1") as agent:
        until(connected(room.service, "cvm-1"), "the connection")
        for role in ROLES:
            room.person("u-" + role)
        room.person("stranger")
        cells = 0
        for by in ("page", "api"):
            for role in [*ROLES, "stranger", "chief"]:
                who = role if role in ("stranger", "chief") else "u-" + role
                for deed, (_, _, action) in DEEDS.items():
                    mine, hers = f"{by}-{role}-{deed}-m", f"{by}-{role}-{deed}-h"
                    for computation in (mine, hers):
                        create(room.service, id=computation)
                        room.root("GiveRole", computation_id=computation, role="viewer", user="there")
                        room.root("DefineRole", computation_id=computation, role="old", actions=["view"])
                    if role in ROLES:
                        room.root("GiveRole", computation_id=mine, role=role, user=who)
                    before = room.state(mine), room.state(hers)
                    may = role == "chief" or (role in ROLES and action in ROLES[role])
                    sees = role == "chief" or role in ROLES
                    done = attempt(room, who, deed, mine, by)
                    wanted = {303, 200, 204} if may else {403} if sees else {404}
                    assert done.status in wanted, (by, role, deed, done.status, done.body)
                    assert (room.state(mine) != before[0]) == may, (by, role, deed)
                    # Another's, and one that nobody has, are the same to who has no role there.
                    if role != "chief":
                        other = attempt(room, who, deed, hers, by)
                        assert other.status == 404 and room.state(hers) == before[1], (by, role, deed, other.status)
                    if deed == "run" and may:
                        stop(room, agent, mine)
                    cells += 1
        assert cells == 2 * 10 * 7


def stop(room, agent, computation):
    """Its CVM is free then."""
    room.root("Stop", id=computation)
    agent.next("stopComputation")
    agent.say(stop_computation_res=cvms.StopComputationResponse(computation_id=computation))
    until(lambda: not room.root("ShowCvm", id="cvm-1").computation_id, "the CVM to be free")


def only_what_one_may_do_now_is_offered():
    with Room() as room, agent_of(room.service, "cvm-1") as agent:
        until(connected(room.service, "cvm-1"), "the connection")
        create(room.service, id="c")
        for role in ROLES:
            room.person("u-" + role)
            room.root("GiveRole", computation_id="c", role=role, user="u-" + role)

        def offered(who):
            links = room.sessions[who].get("/c/c").page().links
            return [link[5:] for link in links if link in ("/c/c/run", "/c/c/stop", "/c/c/remove")]

        def check(run_, stop, remove):
            for role, actions in [*ROLES.items(), ("chief", ROLES["owner"])]:
                wanted = [word for word, is_there, action in
                          (("run", run_, "run"), ("stop", stop, "run"), ("remove", remove, "administrator"))
                          if is_there and action in actions]
                who = role if role == "chief" else "u-" + role
                assert offered(who) == wanted, (role, offered(who), wanted)
                # What is offered opens, and what is not does not.
                for word in ("run", "stop", "remove"):
                    status = room.sessions[who].get("/c/c/" + word).status
                    assert status == 200 if word in wanted else status in (200, 403, 409), (role, word, status)
        check(True, True, True)
        run(room.service, "c")
        agent.manifest()
        agent.event("c", "ReceivingAlgorithm", "InProgress")
        room.service.until_state("c", "Waiting for Algorithm")
        check(False, True, True)
        agent.event("c", "Failed", "InProgress")
        room.service.until_state("c", "Failed")
        assert "stop" in offered("chief") and "run" not in offered("chief")  # its CVM holds it
        # A token shows the page, but sends no forms.
        shown = room.call("GET", "/c/c", room.tokens["chief"], headers=BROWSER).page()
        assert not [link for link in shown.links if link.startswith("/c/c/s") or link.startswith("/c/c/rem")]


def values(path):
    """Of the path's names."""
    return re.sub(r"\{(\w+)\}", lambda found: {"id": "c", "cvm": "cvm-1", "number": "1", "name": "api", "role": "viewer",
                                               "user": "there", "secret": "0" * 64, "workspace": "default", "asset": "iris.csv",
                                               "fingerprint": "0" * 64, "delivery": "1", "account": "acme", "serial": "0" * 32}[found[1]], path)


FIELDS = {"web_page_run": {"revision": "0" * 16, "cvm": ""}, "web_page_stop": {"revision": "0" * 16},
          "web_page_run_new": {"revision": "0" * 16, "manager": "", "image": "", "tee": "", "cpus": "", "memory": "", "hours": "",
                               "keep": ""},
          "web_page_remove": {"revision": "0" * 16}, "web_page_rename": {"revision": "0" * 16, "name": "x"},
          "web_page_give": {"revision": "0" * 16, "role": "viewer", "user": "guest"},
          "web_page_take": {"revision": "0" * 16, "role": "viewer", "user": "there"},
          "web_page_define": {"revision": "0" * 16, "name": "x"}, "web_page_redefine": {"revision": "0" * 16},
          "web_page_undefine": {"revision": "0" * 16},
          "web_page_workspace_transfer": {"revision": "0" * 16}, "web_page_workspace_leave": {"revision": "0" * 16},
          "web_page_member_role": {"revision": "0" * 16, "role": "viewer"},
          "web_page_member_suspend": {"revision": "0" * 16}, "web_page_member_remove": {"revision": "0" * 16},
          "web_page_invite": {"role": "viewer", "days": "7", "note": ""},
          "web_page_billing": {"account": "acme", "plan": "small"}, "web_page_billing_plan": {"plan": "small"},
          "web_page_billing_give": {"workspace": "default"},
          "web_page_webhook": {"url": "https://hooks.example.org/x", "description": ""},
          "web_page_machine": {"name": "one", "manager": "", "image": "", "tee": "", "cpus": "", "memory": "", "hours": ""},
          "web_page_asset": {"name": "x", "type": "dataset", "mime_type": "", "description": "", "digest": "0" * 64},
          "web_page_asset_remove": {"revision": "0" * 16}, "web_page_workspace": {"name": "x"}, "web_page_workspace_rename": {"name": "x"},
          "web_page_release": {"revision": "0" * 16}, "web_page_machine_remove": {"revision": "0" * 16}}


def revision_in(browser, path):
    """The revision in a page's form."""
    return re.search(r'name="revision" value="([0-9a-f]{16})"', browser.get(path).body.decode())[1]


def no_other_site_s_form_changes_anything():
    with Room() as room, agent_of(room.service, "cvm-1"):
        until(connected(room.service, "cvm-1"), "the connection")
        create(room.service, id="c")
        room.root("GiveRole", computation_id="c", role="viewer", user="there")
        chief, other = room.sessions["chief"], room.browser().sign_in("chief")
        good, own, before = chief.csrf(), "http://" + chief.host, room.state("c")
        assert len(FORMS) >= 9, FORMS
        for pattern, action in FORMS:
            path, fields = values(pattern), FIELDS.get(action, {})
            if "revision" in fields:
                fields = {**fields, "revision": room.etag("c", "/roles" if "role" in fields else "")[1:17]}
            for origin, headers in ((None, []), ("null", []), ("http://evil.example", []),
                                    (f"http://localhost:{room.port}", []), ("https://" + chief.host, []),
                                    (own, [("Sec-Fetch-Site", "cross-site")]), (own, [("Sec-Fetch-Site", "same-site")])):
                answer = chief.post(path, origin, headers=headers, csrf=good, **fields)
                assert answer.status == 403, (path, origin, headers, answer.status)
            for csrf in ("", "0" * 64, good[:-1], good + "0", other.csrf(), chief.cookie[14:]):
                assert chief.post(path, csrf=csrf, **fields).status == 403, (path, csrf)
            assert chief.post(path, **fields).status == 400, path
            for name in fields:
                missing = {key: value for key, value in fields.items() if key != name}
                assert chief.post(path, csrf=good, **missing).status == 400, (path, name)
            assert chief.post(path, csrf=good, more="x", **fields).status == 400, path
            assert chief.post(path + "?csrf=" + good, csrf=good, **fields).status == 400, path
            assert chief.post(path, form=f"csrf={good}&csrf={good}").status == 400, path
            assert chief.post(path, csrf=good, type_=JSON, **fields).status == 415, path
            for method in ("PUT", "DELETE", "PATCH"):
                assert chief.ask(method, path, headers=[("Origin", own)]).status == 405, (method, path)
            # A form is a browser's: a token is none, nor is a session that is made up.
            stranger = room.browser()
            stranger.host = chief.host
            bearer = [("Authorization", "Bearer " + room.tokens["chief"])]
            assert stranger.post(path, headers=bearer, csrf=good, **fields).status == 401, path
            stranger.cookie = "cocos-session=" + "ab" * 32
            assert stranger.post(path, csrf=good, **fields).status in (401, 403), path
            assert room.state("c") == before, path
        assert chief.is_in() and other.is_in()


def no_call_is_made_from_elsewhere_or_in_another_way():
    """The API by a browser's session: of our page alone. By other methods, types and bodies: not at all."""
    with Room() as room, agent_of(room.service, "cvm-1"):
        until(connected(room.service, "cvm-1"), "the connection")
        create(room.service, id="c")
        room.root("GiveRole", computation_id="c", role="viewer", user="there")
        chief, before, token = room.sessions["chief"], room.state("c"), room.tokens["chief"]
        bearer = [("Authorization", "Bearer " + token)]
        assert len(CALLS) >= 11, CALLS
        bodies = {"web_api_run": b"{}", "web_api_rename": b'{"name":"x"}', "web_api_define": b'{"actions":["view"]}', "web_api_token": b'{"name":"new"}',
                  "web_api_join": b'{"secret":"%064d"}' % 0, "web_api_member_role": b'{"role":"viewer"}',
                  "web_api_member_suspend": b"{}", "web_api_invite": b"{}", "web_api_machine": b"{}",
                  "web_api_billing": b'{"plan":"small"}', "web_api_billing_plan": b'{"plan":"small"}',
                  "web_api_webhook": b'{"url":"https://hooks.example.org/x"}',
                  "web_api_workspace": b'{"name":"x"}', "web_api_workspace_rename": b'{"name":"x"}',
                  "web_api_asset": b'{"name":"x","type":"dataset","digest":"%064d"}' % 0}
        for number, (method, pattern, action) in enumerate(CALLS, 2):
            path, body = values(pattern), bodies.get(action)
            kind = [("Content-Type", JSON)] if body else []
            for headers in ([], [("Origin", "null")], [("Origin", "http://evil.example")], [("Sec-Fetch-Site", "cross-site")],
                            [("Sec-Fetch-Site", "none")], [("Origin", "http://" + chief.host), ("Sec-Fetch-Site", "same-site")]):
                assert chief.ask(method, path, body, [*kind, *headers]).status == 403, (path, headers)
            for headers in ([("Origin", "http://evil.example")], [("Sec-Fetch-Site", "cross-site")]):
                assert room.call(method, path, token, headers=[*kind, *headers]).status == 403, (path, headers)
            assert room.call(method, path, None, body and json.loads(body)).status == 401, path
            # From an address of each one's own: of one alone the 21st is 429, and sooner or later by the clock.
            for wrong in ("cocos_" + "0" * 64, "x", token[:-1]):
                told = room.call(method, path, wrong, body and json.loads(body), address=f"127.0.0.{number}")
                assert told.status == 401, (path, told.status)
            if body:
                for other in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "application/jsonx"):
                    assert room.call(method, path, token, body, kind=other).status == 415, (path, other)
                for bad in (b"", b"[]", b"null", b"{", b'{"x":1}', b'{"cvm":1}', b'{"again":"yes"}', b'{"name":1}',
                            b'{"actions":"view"}', b'{"actions":[1]}', b'{"actions":["view","view"]}', b'{"name":"\\u0000"}',
                            b'{"name":"n","days":0}', b'{"name":"n","days":367}', b'{"name":"n","days":1.5}',
                            b'{"name":"n","actions":["view"],"name":"n"}', b"\xff", b"{}" + b" " * 10 + b"{}"):
                    answer = room.call(method, path, token, bad)
                    assert answer.status == 400, (path, bad, answer.status, answer.body)
                    problem = answer.problem()
                    assert problem["detail"] and (problem.get("field") or "no action" in problem["detail"]), (bad, problem)
                assert room.call(method, path, token, b" " * 4097).status == 413, path
            else:
                assert room.call(method, path, token, b"{}").status == 413, path
            assert room.call(method, path + "?x=1", token, body).status == 400, path
            assert room.call("PATCH", path, token).status == 405 and chief.get(path).status in (200, 404, 405), path
            assert room.state("c") == before, path
        assert [t.name for t in room.root("ListTokens", name="chief").tokens] == ["api"]
        # From our page, with its session.
        headers = [("Content-Type", JSON), ("Origin", "http://" + chief.host), ("Sec-Fetch-Site", "same-origin")]
        assert chief.ask("POST", "/api/computations/c/run", b'{"cvm":"cvm-1"}', headers).status == 200
        assert bearer and room.state("c") != before


def what_was_sent_twice_is_done_once():
    with Room() as room, agent_of(room.service, "cvm-1") as agent:
        until(connected(room.service, "cvm-1"), "the connection")
        create(room.service, id="c")
        chief = room.sessions["chief"]
        seen = re.search(r'name="revision" value="([0-9a-f]{16})"', chief.get("/c/c/run").body.decode())[1]
        assert chief.get("/c/c/run").page() and seen == room.etag("c")[1:17]
        first = room.form("chief", "/c/c/run", revision=seen, cvm="cvm-1")
        assert (first.status, first.fields["location"]) == (303, "/c/c"), first.body
        agent.manifest()
        again = room.form("chief", "/c/c/run", revision=seen, cvm="cvm-1")
        assert again.status == 412 and "has changed" in again.page().words() and "/c/c" in again.page().links
        now = room.etag("c")[1:17]
        again = room.form("chief", "/c/c/run", revision=now, cvm="cvm-1")
        assert again.status == 409 and "was run" in again.page().words() or "given to" in again.page().words(), again.body
        assert room.form("chief", "/c/c/stop", revision=seen).status == 412
        agent.event("c", "ReceivingAlgorithm", "InProgress")
        room.service.until_state("c", "Waiting for Algorithm")
        assert room.form("chief", "/c/c/stop", revision=now).status == 412  # it waits for the algorithm by now
        now = room.etag("c")[1:17]
        agent.log("c", "what it says is no other revision")
        until(lambda: room.root("Show", id="c").records == 2, "the line")
        assert room.form("chief", "/c/c/stop", revision=now).status == 303
        assert room.form("chief", "/c/c/stop", revision=now).status == 412
        # Roles: by a list that somebody else has changed.
        roles = room.etag("c", "/roles")[1:17]
        for wanted in (303, 412):
            assert room.form("chief", "/c/c/roles/give", revision=roles, role="viewer", user="guest").status == wanted
        held = room.form("chief", "/c/c/remove", revision=room.etag("c")[1:17])
        assert held.status == 409 and "force" in held.page().words(), held.body
        gone = room.form("chief", "/c/c/remove", revision=room.etag("c")[1:17], force="true")
        assert (gone.status, gone.fields["location"]) == (303, "/")
        assert room.form("chief", "/c/c/remove", revision=now, force="true").status == 404


def a_call_says_what_it_saw():
    """ETag and If-Match of a computation and of its roles."""
    with Room() as room, agent_of(room.service, "cvm-1") as agent:
        until(connected(room.service, "cvm-1"), "the connection")
        create(room.service, id="c")
        token = room.tokens["chief"]

        def send(method, path, body=None, match=None):
            return room.call(method, "/api/computations/c" + path, token, body,
                             [("If-Match", one) for one in ([match] if isinstance(match, str) else match or [])])
        old = room.etag("c")
        assert re.fullmatch(r'"[0-9a-f]{16}\.[0-9a-f]{16}"', old)
        assert room.call("GET", "/api/computations/c", token, headers=[("If-None-Match", old)]).status == 304
        for bad in ("", "x", "W/" + old, old[:-1], old + ", " + old, '"' + "0" * 15 + '"', [old, old]):
            answer = send("POST", "/run", {}, bad)
            assert answer.status == 400 and answer.problem()["field"] == "header if-match", bad
        assert send("POST", "/run", {}, f'"{"0" * 16}.{"0" * 16}"').status == 412
        ran = send("POST", "/run", {}, old)
        assert ran.status == 200 and ran.json()["cvm_id"] == "cvm-1" and ran.fields["etag"] == room.etag("c") != old
        agent.manifest()
        for method, path, body in (("POST", "/run", {}), ("POST", "/stop", None), ("DELETE", "", None)):
            stale = send(method, path, body, old)
            assert stale.status == 412 and stale.problem()["remedy"], stale.body
        assert send("POST", "/run", {}, "*").status == 409
        roles = room.etag("c", "/roles")
        assert send("PUT", "/roles/viewer/members/guest", match=roles).status == 204
        assert send("DELETE", "/roles/viewer/members/guest", match=roles).status == 412
        assert send("PUT", "/roles/own", {"actions": ["view", "run"]}, room.etag("c", "/roles")).status == 204
        assert send("DELETE", "/roles/own", match=room.etag("c", "/roles")).status == 204
        assert room.call("POST", "/api/me/tokens", token, {"name": "n"}, [("If-Match", "*")]).status == 400
        stopped = send("POST", "/stop", match=room.etag("c"))
        assert stopped.status == 200 and stopped.json()["stopping"]
        assert send("DELETE", "?force=maybe").status == 400 and send("DELETE", "").status == 409
        assert send("DELETE", "?force=true", match=room.etag("c")).status == 204
        assert room.state("c") is None


def a_role_of_its_own_is_made_changed_and_removed():
    with Room() as room, agent_of(room.service, "cvm-1") as agent:
        until(connected(room.service, "cvm-1"), "the connection")
        create(room.service, id="c")
        for who, role in (("anna", "administrator"), ("bert", "viewer"), ("carl", None)):
            room.person(who)
            if role:
                room.root("GiveRole", computation_id="c", role=role, user=who)
        anna, own = room.sessions["anna"], "/c/c/roles/own"

        def send(path="", revision=None, **fields):
            return room.form("anna", own + path, revision=revision or room.etag("c", "/roles")[1:17], **fields)

        def roles():
            return {r.role_name: (list(r.actions), list(r.members)) for r in room.root("ListRoles", computation_id="c").roles if r.own}

        def boxes(path):
            return re.findall(r'name="(\w+)" type="checkbox" value="true"( checked)?', anna.get(path).body.decode())
        offered = ["edit", "run", "administrator", "dataset_provider", "algo_provider", "result_consumer"]
        assert boxes("/c/c/roles") == [(name, "") for name in offered]
        seen = room.etag("c", "/roles")[1:17]
        made = send(revision=seen, name="reviewer", only_new="true", view="true", run="true")
        assert (made.status, made.fields["location"]) == (303, "/c/c/roles") and roles() == {"reviewer": (["view", "run"], [])}
        assert send(revision=seen, name="other", only_new="true", view="true").status == 412
        # Who makes one changes none of that name.
        for name in ("reviewer", "viewer"):
            again = send(name=name, only_new="true", view="true", administrator="true")
            assert again.status == 409 and "there is a role" in again.page().words(), again.body
        for fields in ({"name": "A B", "view": "true"}, {"name": "x"}, {"name": "x", "run": "true"}, {"name": "", "view": "true"},
                       {"name": "x", "view": "yes"}, {"name": "x", "view": "true", "root": "true"}, {"name": "x", "view": "true", "only_new": "x"}):
            assert send(**fields).status == 400, fields
        assert send("/reviewer").status == 400 and send("/viewer", view="true").status == 409
        # A role is given, and its page says who has it and what it allows; who has it keeps it when it is changed.
        room.root("GiveRole", computation_id="c", role="reviewer", user="guest")
        assert own + "/reviewer" in anna.get("/c/c/roles").page().links and "guest" in anna.get(own + "/reviewer").page().words()
        assert boxes(own + "/reviewer") == [(name, " checked" if name == "run" else "") for name in offered]
        assert revision_in(anna, own + "/reviewer") == room.etag("c", "/roles")[1:17]
        assert send("/reviewer", view="true", edit="true", dataset_provider="true").status == 303
        assert roles() == {"reviewer": (["view", "edit", "dataset_provider"], ["guest"])}
        # For whom it is; another role than one of its own has no such page.
        for who, status in (("bert", 403), ("carl", 404)):
            assert room.sessions[who].get(own + "/reviewer").status == status, who
        shown = room.sessions["bert"].get("/c/c/roles")
        assert b"<form" not in shown.body.split(b"<main")[1] and own + "/reviewer" not in shown.page().links
        assert anna.get(own + "/viewer").status == anna.get(own + "/nix").status == 404
        bare = room.call("GET", own + "/reviewer", room.tokens["anna"], headers=BROWSER)
        assert bare.status == 200 and b"<form" not in bare.body.split(b"<main")[1]
        # What the manifest names is frozen by the run; the others are not.
        assert send(name="other", only_new="true", view="true").status == 303
        run(room.service, "c")
        agent.manifest()
        assert boxes("/c/c/roles") == boxes(own + "/other") == [(name, "") for name in offered[:3]]
        assert own + "/reviewer" not in anna.get("/c/c/roles").page().links
        assert anna.get(own + "/reviewer").status == 409 and "was run" in anna.get(own + "/reviewer").page().words()
        for path, fields in (("/reviewer", {"view": "true"}), ("/reviewer/remove", {}), ("/other", {"view": "true", "algo_provider": "true"})):
            assert send(path, **fields).status == 409, path
        assert send("/other", view="true", run="true").status == 303 and send("/other/remove").status == 303
        assert send("/other/remove").status == 404 and set(roles()) == {"reviewer"}
        for number in range(15):
            room.root("DefineRole", computation_id="c", role=f"own-{number}", actions=["view"])
        full = anna.get("/c/c/roles")
        assert "remove one first" in full.page().words() and b'action="/c/c/roles/own"' not in full.body
        assert send(name="more", only_new="true", view="true").status == 429


def where_there_are_too_many_to_choose_from_a_cvm_is_typed():
    """Whoever makes up names first would be all that there is to choose from."""
    with Room() as room, agent_of(room.service, "cvm-1"):
        until(connected(room.service, "cvm-1"), "the connection")
        create(room.service, id="c")
        chief = room.sessions["chief"]

        def offered():
            return re.search(r'<(\w+) id="f-cvm"', chief.get("/c/c/run").body.decode())[1]
        for count, wanted in ((255, "select"), (1, "input")):
            with contextlib.closing(sqlite3.connect(room.folder("state/computations.db"), timeout=PATIENCE)) as db, db:
                db.executemany("INSERT INTO cvms (id, peer, first_seen, last_seen) VALUES (?, '', 1, 1)",
                               [(f"made-up-{count}-{number}",) for number in range(count)])
            assert offered() == wanted, count
        assert room.form("chief", "/c/c/run", revision=room.etag("c")[1:17], cvm="cvm-1").status == 303


def one_that_failed_is_run_again():
    with Room() as room, agent_of(room.service, "cvm-1") as agent:
        until(connected(room.service, "cvm-1"), "the connection")
        create(room.service, id="c")
        room.person("anna")
        room.root("GiveRole", computation_id="c", role="runner", user="anna")
        anna = room.sessions["anna"]
        # Who may run it is told no CVM's name; who administers the service chooses.
        assert b"cvm-1" not in anna.get("/c/c/run").body
        chosen = room.sessions["chief"].get("/c/c/run")
        assert "cvm-1 (has proven nothing)" in chosen.page().words(), chosen.page().words()
        assert room.form("anna", "/c/c/run", revision=room.etag("c")[1:17], cvm="nowhere").status == 503
        assert room.form("anna", "/c/c/run", revision=room.etag("c")[1:17], cvm="", unverified="true").status == 403
        assert room.form("anna", "/c/c/run", revision=room.etag("c")[1:17], cvm="").status == 303
        agent.manifest()
        agent.event("c", "Failed", "InProgress")
        room.service.until_state("c", "Failed")
        stop(room, agent, "c")
        page = anna.get("/c/c")
        assert "Retry" in page.page().words() and "Retry" in anna.get("/c/c/run").page().words()
        again = room.form("anna", "/c/c/run", revision=room.etag("c")[1:17], cvm="", again="true")
        assert again.status == 303, again.body
        assert agent.manifest().id == "c"


def one_that_was_cancelled_is_retried():
    """As the guides' states have it: before it was run, from another CVM's hands, and not while its agent has not confirmed."""
    with Room() as room, agent_of(room.service, "cvm-1") as agent:
        until(connected(room.service, "cvm-1"), "the connection")
        create(room.service, id="c")
        room.person("anna")
        room.root("GiveRole", computation_id="c", role="runner", user="anna")
        anna = room.sessions["anna"]

        def deed(what, **fields):
            return room.form("anna", f"/c/c/{what}", revision=room.etag("c")[1:17], **fields)
        for number in range(2):
            assert "Retry" not in anna.get("/c/c").page().words()
            assert deed("stop").status == 303
            if number:
                # It is still there that it was.
                assert "Retry" not in anna.get("/c/c").page().words()
                assert deed("run", cvm="", again="true").status == 409
                agent.next("stopComputation")
                agent.say(stop_computation_res=cvms.StopComputationResponse(computation_id="c"))
                until(lambda: not room.root("ShowCvm", id="cvm-1").computation_id, "the CVM to be free")
            assert room.root("Show", id="c").state == "Cancelled"
            assert "Retry" in anna.get("/c/c").page().words() and "Retry" in anna.get("/c/c/run").page().words()
            assert deed("run", cvm="").status == 409  # it is not new
            assert deed("run", cvm="", again="true").status == 303
            assert agent.manifest().id == "c"
            agent.event("c", "ReceivingAlgorithm", "InProgress")
            room.service.until_state("c", "Waiting for Algorithm")
        # The same by the command line, which stops it first.
        assert room.call("POST", "/api/computations/c/stop", room.tokens["anna"]).status == 200
        agent.next("stopComputation")
        agent.say(stop_computation_res=cvms.StopComputationResponse(computation_id="c"))
        until(lambda: not room.root("ShowCvm", id="cvm-1").computation_id, "the CVM to be free")
        with Folder() as folder:
            path = folder.write("token", room.tokens["anna"])
            os.chmod(path, 0o600)
            told = cli("computation", "retry", "c", COMPUTATIONS_GRPC_TOKEN_FILE=path, **room.cli)
            assert told.status == 0, told.err
        assert agent.manifest().id == "c"


def what_is_done_here_is_in_the_audit_log_as_what_the_cli_does():
    with Folder() as logs:
        path = logs("audit.log")
        with Room(AUDIT_LOG=path) as room, agent_of(room.service, "cvm-1"):
            until(connected(room.service, "cvm-1"), "the connection")
            create(room.service, id="c")
            room.person("anna")
            room.root("GiveRole", computation_id="c", role="viewer", user="anna")

            def entries():
                with open(path, encoding="utf-8") as file:
                    return [json.loads(line) for line in file]

            def since(act):
                before = len(entries())
                act()
                return entries()[before:]
            environment = {**room.cli, "COMPUTATIONS_GRPC_TOKEN_FILE": room.folder.write("token", room.tokens["chief"])}
            os.chmod(room.folder("token"), 0o600)
            give = since(lambda: cli("role", "give", "c", "viewer", "guest", **environment).ok())
            forms = since(lambda: room.form("chief", "/c/c/roles/take", revision=room.etag("c", "/roles")[1:17],
                                            role="viewer", user="guest"))
            calls = since(lambda: room.call("PUT", "/api/computations/c/roles/viewer/members/guest", room.tokens["chief"]))
            for seen, method, via in ((give, "GiveRole", None), (forms, "TakeRole", "page"), (calls, "GiveRole", "api")):
                assert [e["event"] for e in seen] == ["asked", "done"] and seen[0]["call"] == seen[1]["call"], seen
                for entry in seen:
                    assert entry["method"] == "people.PeopleService/" + method and entry.get("via") == via, entry
                    assert (entry["id"], entry["role"], entry["user"]) == ("c", "viewer", "guest"), entry
                assert seen[1]["by"] == "chief" and seen[1]["outcome"] == "OK", seen
            assert forms[0]["peer"].startswith("127.0.0.1:") and give[0]["peer"].startswith("unix:uid=")
            # What was refused: for want of a right, of the form's secret, of the state.
            denied = since(lambda: room.form("anna", "/c/c/stop", revision=room.etag("c")[1:17]))
            assert [(e["event"], e.get("outcome")) for e in denied] == [("asked", None), ("done", "PERMISSION_DENIED")]
            assert denied[1]["by"] == "anna" and denied[1]["id"] == "c", denied
            forged = since(lambda: room.sessions["chief"].post("/c/c/stop", csrf="0" * 64, revision="0" * 16))
            assert [(e["event"], e["outcome"], e["method"].split("/")[1]) for e in forged] == \
                [("refused", "PERMISSION_DENIED", "Stop")], forged
            names = ("id workspace name description type algorithm provider arguments consumers security "
                     + " ".join(f"d{row}_{field}" for row in range(1, 6) for field in ("name", "file", "user"))).split()
            forged = since(lambda: room.sessions["chief"].post("/new", csrf="0" * 64, **dict.fromkeys(names, "x")))
            assert [(e["event"], e["outcome"], e["method"].split("/")[1]) for e in forged] == \
                [("refused", "PERMISSION_DENIED", "Create")], forged
            stale = since(lambda: room.form("chief", "/c/c/stop", revision="0" * 16))
            assert stale[1]["outcome"] == "ABORTED", stale
            # Coming and going.
            browser = room.browser()
            came = since(lambda: browser.sign_in("anna"))
            assert [(e["event"], e["method"]) for e in came] == [
                ("asked", "page/SignIn"), ("done", "page/SignIn"), ("asked", "page/ComeIn"), ("done", "page/ComeIn")], came
            assert came[1]["by"] == "anna" and came[1]["outcome"] == "OK" and came[1]["via"] == "page", came
            assert came[3]["by"] == "anna", came
            left = since(lambda: browser.post("/sign-out", csrf=browser.csrf()))
            assert [(e["event"], e["method"]) for e in left] == [("asked", "page/SignOut"), ("done", "page/SignOut")]
            assert left[1]["by"] == "anna", left
            wrong = since(lambda: room.browser().try_in("anna", "not the password"))
            assert [(e["event"], e["method"], e["outcome"], e.get("user")) for e in wrong] == [
                ("refused", "page/SignIn", "UNAUTHENTICATED", "anna")], wrong
            # A name that is nobody's may be a password in the wrong field.
            nobody = since(lambda: room.browser().try_in(PASSWORD, "x"))
            assert nobody[0]["event"] == "refused" and PASSWORD not in json.dumps(nobody), nobody
            changed = since(lambda: room.form("anna", "/me/change", now=PASSWORD, password=OTHER, again=OTHER))
            assert [(e["event"], e["method"], e.get("by")) for e in changed] == [
                ("asked", "page/ChangePassword", "anna"), ("done", "page/ChangePassword", "anna")], changed
            assert OTHER not in open(path, encoding="utf-8").read() and PASSWORD not in open(path, encoding="utf-8").read()
            linked = since(room.come_in)
            assert [(e["event"], e["method"]) for e in linked][::2] == [("asked", "page/GiveLink"), ("asked", "page/ComeIn")]
            assert "uid" in linked[0], linked
            numbers = [e["call"] for e in entries() if e["event"] != "left-out"]
            assert len(set(numbers)) == len([e for e in entries() if e["event"] != "done"]), "one number for each call"
            # It is shown.
            assert "TakeRole" in room.sessions["chief"].get("/audit").page().words()


def who_makes_up_sessions_does_not_fill_the_audit_log():
    with Folder() as logs:
        path = logs("audit.log")
        with Room(AUDIT_LOG=path) as room:
            create(room.service, id="c")
            room.form("chief", "/c/c/roles/give", revision=room.etag("c", "/roles")[1:17], role="viewer", user="guest")
            with open(path, encoding="utf-8") as file:
                before = len(file.readlines())
            codes = [room.call("POST", "/api/computations/c/stop", "cocos_" + f"{n:064x}").status for n in range(200)]
            assert set(codes) == {401, 429}, set(codes)
            with open(path, encoding="utf-8") as file:
                assert len(file.readlines()) - before < 100
            # Who is somebody goes on, from the same address. His session is shown last before: the token may have its place.
            assert room.form("chief", "/c/c/stop", revision=room.etag("c")[1:17]).status == 303


def without_its_entry_nothing_is_changed():
    with Folder() as logs:
        os.mkdir(logs("there"))
        with Room(AUDIT_LOG=logs("there/audit.log")) as room:
            create(room.service, id="c")
            before = room.state("c")
            os.rename(logs("there"), logs("away"))
            room.service.process.process.send_signal(signal.SIGHUP)
            room.service.process.wait_line("no call changes anything until it can be written")
            assert room.form("chief", "/c/c/stop", revision=room.etag("c")[1:17]).status == 503
            assert room.call("DELETE", "/api/computations/c", room.tokens["chief"]).status == 503
            assert room.browser().try_in("chief", PASSWORD).status == 503
            assert room.state("c") == before
            os.rename(logs("away"), logs("there"))
            assert room.form("chief", "/c/c/stop", revision=room.etag("c")[1:17]).status == 303


def a_token_is_made_with_the_password_and_shown_once():
    with Room() as room:
        create(room.service, id="c")
        anna = room.person("anna")
        room.root("GiveRole", computation_id="c", role="owner", user="anna")
        assert anna.get("/me/token").page()

        def make(**fields):
            return room.form("anna", "/me/token", **{"name": "laptop", "days": "30", "password": PASSWORD, **fields})
        for fields, status in (({"password": "wrong"}, 401), ({"password": ""}, 401), ({"name": ""}, 400),
                               ({"days": "0"}, 400), ({"days": "367"}, 400), ({"days": "x"}, 400), ({"name": "A B"}, 400),
                               ({"run": "true"}, 400), ({"run": "maybe", "view": "true"}, 400), ({"root": "true"}, 400)):
            answer = make(**fields)
            assert answer.status == status, (fields, answer.status, answer.body)
        assert [t.name for t in room.root("ListTokens", name="anna").tokens] == ["api"]
        made = make()
        token = re.search(r"cocos_[0-9a-f]{64}", made.page().words())[0]
        assert made.status == 200 and made.fields["cache-control"] == "no-store"
        assert make().status == 409
        assert token not in anna.get("/me").body.decode() and "laptop" in anna.get("/me").page().words()
        # It lasts longer than the session that made it, and is she.
        mine = room.call("GET", "/api/me", token).json()
        assert mine["user"] == "anna" and mine["expires"] and len(mine["sessions"]) == 1, mine
        listed = {t["name"]: t for t in mine["tokens"]}
        assert set(listed) == {"api", "laptop"} and listed["laptop"]["expires"] == mine["expires"]
        days = (until_day(listed["laptop"]["expires"]) - until_day(listed["laptop"]["created"]))
        assert abs(days - 30) < 0.01, days
        narrow = re.search(r"cocos_[0-9a-f]{64}", make(name="eyes", view="true").page().words())[0]
        assert room.call("GET", "/api/computations/c", narrow).status == 200
        assert room.call("POST", "/api/computations/c/stop", narrow).status == 403
        assert not room.call("GET", "/api/me", narrow).json()["tokens"]
        assert room.call("POST", "/api/me/tokens", narrow, {"name": "more"}).status == 403
        # By a token: for no more than it is for, and no longer.
        child = room.call("POST", "/api/me/tokens", token, {"name": "child", "days": 366, "actions": ["view", "run"]})
        assert child.status == 201 and child.json()["expires"] == mine["expires"], child.body
        assert room.call("POST", "/api/me/tokens", token, {"name": "child"}).status == 409
        assert room.call("GET", "/api/me", child.json()["token"]).json()["actions"] == ["view", "run"]
        # A session alone makes none that lasts.
        headers = [("Content-Type", JSON), ("Origin", "http://" + anna.host), ("Sec-Fetch-Site", "same-origin")]
        short = anna.ask("POST", "/api/me/tokens", b'{"name":"short","days":90}', headers)
        assert short.status == 201 and until_day(short.json()["expires"]) - until_day(listed["laptop"]["created"]) < 0.6
        # Revoked, by form and by call; nobody else's.
        other = room.person("bert")
        assert room.form("bert", "/me/tokens/laptop").status == 404
        assert room.call("DELETE", "/api/me/tokens/laptop", room.tokens["bert"]).status == 404
        number = mine["sessions"][0]["number"]
        assert room.call("DELETE", f"/api/me/sessions/{number}", room.tokens["bert"]).status == 404
        for bad in ("0", "-1", "x", "9" * 30):
            assert room.call("DELETE", "/api/me/sessions/" + bad, token).status == 404, bad
        assert room.form("anna", "/me/tokens/laptop").status == 303
        assert room.call("GET", "/api/me", token).status == 401 and anna.is_in() and other.is_in()
        assert room.call("DELETE", "/api/me/tokens/eyes", room.tokens["anna"]).status == 204
        assert room.call("GET", "/api/me", narrow).status == 401
        assert room.call("DELETE", f"/api/me/sessions/{number}", room.tokens["anna"]).status == 204
        assert not anna.is_in()


def until_day(moment):
    return datetime.datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp() / 86400


def whoever_may_open_the_socket_acts_with_a_link():
    """And by curl at the socket."""
    with Page() as page, agent_of(page.service, "cvm-1"):
        until(connected(page.service, "cvm-1"), "the connection")
        create(page.service, id="c")
        page.root("AddUser", name="guest")
        page.come_in()
        browser = page.browser()
        browser.host, browser.cookie = page.host, page.cookie
        form = browser.get("/c/c/roles").body.decode()
        fields = {name: re.search(f'name="{name}" value="([0-9a-f]+)"', form)[1] for name in ("csrf", "revision")}
        assert browser.post("/c/c/roles/give", role="owner", user="guest", **fields).status == 303
        assert page.root("ListRoles", computation_id="c").roles[0].members == ["guest"]
        # He has no tokens: he is no user.
        assert "no account" in browser.get("/me/token").page().words() and browser.post("/me/tokens/x", csrf=fields["csrf"]).status == 400
        done = subprocess.run(["curl", "-sS", "--max-time", str(PATIENCE), "-X", "POST", "--unix-socket", page.socket,
                               "http://localhost/api/computations/c/stop"], capture_output=True, check=True)
        assert json.loads(done.stdout)["state"] == "Cancelled"


def a_certificate_acts():
    with Folder() as tls:
        authority(tls)
        settings = {"ADMIN_SERVER_CERT": tls("server.pem"), "ADMIN_SERVER_KEY": tls("server-key.pem"),
                    "ADMIN_CLIENT_CA_CERTS": tls("ca.pem"), "WEB": "0.0.0.0:0"}
        with Page(**settings) as page:
            create(page.service, id="c")

            def curl(path, *options):
                done = subprocess.run(["curl", "-sS", "--max-time", str(PATIENCE), "--cacert", tls("ca.pem"), "--cert",
                                       tls("client.pem"), "--key", tls("client-key.pem"), "-w", "%{http_code}", *options,
                                       f"https://localhost:{page.port}{path}"], capture_output=True, check=True)
                return int(done.stdout[-3:]), done.stdout[:-3].decode()
            origin = ("-H", f"Origin: https://localhost:{page.port}")
            form = curl("/c/c/stop")[1]
            fields = [f"{name}=" + re.search(f'name="{name}" value="([0-9a-f]+)"', form)[1] for name in ("csrf", "revision")]
            data = ("-d", fields[0], "-d", fields[1])
            assert curl("/c/c/stop", *data)[0] == 403
            assert curl("/c/c/stop", *data, "-H", "Origin: https://evil.example")[0] == 403
            assert curl("/c/c/stop", "-d", "csrf=" + "0" * 64, "-d", fields[1], *origin)[0] == 403
            assert page.root("Show", id="c").state == "Created"
            assert curl("/c/c/stop", *data, *origin)[0] == 303
            assert page.root("Show", id="c").state == "Cancelled"
            assert curl("/api/computations/c", "-X", "DELETE", "-H", "Origin: https://evil.example")[0] == 403
            assert curl("/api/computations/c", "-X", "DELETE")[0] == 204
            # Which the API's document says, with the name that the cookie has by TLS.
            document = json.loads(curl("/api/openapi.json")[1])
            schemes = document["components"]["securitySchemes"]
            assert schemes["certificate"] == {"type": "mutualTLS"} and {"certificate": []} in document["security"], schemes
            assert schemes["session"]["name"] == "__Host-cocos-session", schemes


def a_cvm_s_name_is_released():
    with Room() as room, agent_of(room.service, "cvm-1"):
        until(connected(room.service, "cvm-1"), "the connection")
        room.person("anna")
        chief = room.sessions["chief"]
        assert chief.get("/cvms/cvm-1/release").page()
        stale, etag = revision_in(chief, "/cvms/cvm-1/release"), room.call("GET", "/api/cvms/cvm-1", room.tokens["chief"]).fields["etag"]
        assert etag[1:17] == stale
        # The name belongs to another key than the one that was shown: whoever has it now keeps it.
        with contextlib.closing(sqlite3.connect(room.folder("state/computations.db"), timeout=PATIENCE)) as db, db:
            db.execute("UPDATE cvms SET key = 'another'")
        assert room.form("chief", "/cvms/cvm-1/release", revision=stale).status == 412
        late = room.call("POST", "/api/cvms/cvm-1/release", room.tokens["chief"], headers=[("If-Match", etag)])
        assert late.status == 412 and "another key" in late.problem()["detail"], late.body
        assert room.root("ShowCvm", id="cvm-1").client_key == "another"
        for who, status in (("anna", 403), ("chief", 303)):
            assert room.form(who, "/cvms/cvm-1/release", revision=revision_in(chief, "/cvms/cvm-1/release")).status == status, who
        assert room.call("POST", "/api/cvms/cvm-1/release", room.tokens["anna"]).status == 403
        assert room.call("POST", "/api/cvms/none/release", room.tokens["chief"]).status == 404
        released = room.call("POST", "/api/cvms/cvm-1/release", room.tokens["chief"])
        assert released.status == 200 and released.json()["id"] == "cvm-1"


if __name__ == "__main__":
    tap.run([each_deed_is_for_whom_a_role_allows_it, only_what_one_may_do_now_is_offered,
             no_other_site_s_form_changes_anything, no_call_is_made_from_elsewhere_or_in_another_way,
             what_was_sent_twice_is_done_once, a_call_says_what_it_saw, a_role_of_its_own_is_made_changed_and_removed,
             where_there_are_too_many_to_choose_from_a_cvm_is_typed,
             one_that_failed_is_run_again, one_that_was_cancelled_is_retried,
             what_is_done_here_is_in_the_audit_log_as_what_the_cli_does,
             who_makes_up_sessions_does_not_fill_the_audit_log, without_its_entry_nothing_is_changed,
             a_token_is_made_with_the_password_and_shown_once, whoever_may_open_the_socket_acts_with_a_link,
             a_certificate_acts, a_cvm_s_name_is_released])
