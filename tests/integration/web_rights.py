#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who may see what of the page and its API: every row of its table, by everybody there could be."""
import contextlib
import http.client
import json
import os
import re
import sqlite3
import subprocess
import time

import grpc

import tap
from computations_service import agent_of, connected, create, run
from harness import PATIENCE, Folder, authority, until
from people import OK, ROLES, Caller
from web_page import BROWSER, Events, Web
from workflow_parties import Running, one_workflow

EXHAUSTED, DENIED = grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.PERMISSION_DENIED
ROUTES = os.path.join(os.path.dirname(__file__), "../../computations/web/web_routes.c")
SERVICE = {"DEED_OPERATE", "DEED_AUDIT"}  # of no computation
PLACE = {"DEED_LOOK", "DEED_ASSETS", "DEED_GOVERN", "DEED_LEAVE", "DEED_WEBHOOKS", "DEED_WORKFLOWS"}  # of a workspace, where all of these are members (others: web_members.py)
ADDRESSES = {"{id}": "c", "{cvm}": "cvm-1", "{workspace}": "default", "{user}": "stranger", "{asset}": "iris.csv", "{account}": "acme", "{serial}": "0" * 32}


def routes():
    """Path and deed of each row, as its source has them."""
    with open(ROUTES, encoding="utf-8") as file:
        table = file.read().split("const struct web_route web_routes[] = {")[1].split("\n};")[0]
    found = re.findall(r'\b(?:API|PAGE)(?:_LIST)?\("([^"]+)",\s*(DEED_\w+)', table)
    everybody = re.findall(r'\bOPEN(?:_WITH)?\("([^"]+)"', table)
    forms = re.findall(r'\b(?:FORM|LONG_FORM|BRING)\("([^"]+)"', table)  # sign_in.py, passkeys.py
    changes = re.findall(r'\b(?:CHANGE\(|MAKES?\(|PUTS\(|SEND\(HTTP_\w+, )"([^"]+)"', table)  # web_act.py, web_new.py, web_import.py
    assert len(found) + len(everybody) + len(forms) + len(changes) + 1 == len(re.findall(r'[(,] ?"/[^"]*",\s', table)), table
    # What asks before it changes something is for whom that is: web_act.py, too; workspaces' CVMs: web_machines.py; web_import.py; passkeys by number: passkeys.py; files of evidence: web_evidence.py.
    return [(path, deed) for path, deed in found
            if not path.endswith(("/run", "/run-new", "/rename", "/edit", "/stop", "/remove", "/release")) and "{name}" not in path
            and "{number}" not in path and "{file}" not in path and deed not in ("DEED_MACHINE", "DEED_CREATE", "DEED_MEMBERS")]


class Rights(Web):
    """A page, whose users come with tokens."""

    def __enter__(self):
        super().__enter__()
        self.root = Caller(self.service.channel)
        return self

    def user(self, name, administrator=False, **token):
        self.root("AddUser", name=name, administrator=administrator)
        return self.root("AddToken", user=name, name="t", **token).token

    def status(self, path, token):
        return self.by(path, token).status

    def by(self, path, token, headers=()):
        """What that token's user gets."""
        headers = [*headers, ("Authorization", "Bearer " + token)] if token else headers
        return self.stream(path, headers) if "events" in path else self.ask(path, headers=headers, cookie=False)

    def stream(self, path, headers):
        """The head of what may have no end."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", path, headers={"Host": self.host or "localhost", **dict(headers)})
        response = connection.getresponse()
        body = response.read() if response.status != 200 else b""
        connection.close()
        return Head(response.status, body)


class Head:
    def __init__(self, status, body):
        self.status, self.body = status, body

    def problem(self):
        return json.loads(self.body)


def every_row_asks_who_it_is():
    """Each role, an administrator of the service, somebody without a role, and nobody."""
    with Rights() as web, agent_of(web.service, "cvm-1"):
        until(connected(web.service, "cvm-1"), "the connection")
        create(web.service, id="c", name="one")
        web.root("RegisterAsset", workspace="default", name="iris.csv", type="dataset", digest=bytes(32))
        ADDRESSES["{workflow}"] = one_workflow(Running(web.service.channel, web.root))
        # An account and a certificate, as if a plan and an authority had been there.
        with contextlib.closing(sqlite3.connect(web.service.folder("state") + "/computations.db", timeout=PATIENCE)) as database:
            database.execute("INSERT INTO billing_accounts (name, plan, maker, created) VALUES ('acme', 'small', '', 1)")
            database.execute("INSERT INTO certificates (serial, name, role, days, maker, created, until, issued, key, authority, revoked, line)"
                             " VALUES (?1, 'cvm-1', 'agent', 1, '', 1, 1, 1, ?2, ?2, 0, ?1)", ("0" * 32, "0" * 64))
            database.commit()
        tokens = {role: web.user("u-" + role) for role in ROLES}
        for role in ROLES:
            web.root("GiveRole", computation_id="c", role=role, user="u-" + role)
        administrator = web.user("root", administrator=True)
        narrow = web.user("narrow", administrator=True, actions=["view"])
        stranger = web.user("stranger")
        web.root("AddUser", name="auditor", auditor=True)
        auditor = web.root("AddToken", user="auditor", name="t").token
        table = routes()
        assert len(table) > 9 and {deed for _, deed in table} <= {"DEED_BE", "DEED_SEE", *SERVICE, *PLACE}, table
        for pattern, deed in table:
            path = re.sub(r"\{\w+\}", lambda found: ADDRESSES[found[0]], pattern)
            of_computation = "{id}" in pattern
            refused = deed in SERVICE or deed in ("DEED_GOVERN", "DEED_WEBHOOKS")
            assert ("{workspace}" in pattern) == (deed in PLACE), pattern
            assert of_computation == (deed == "DEED_SEE") and ("{cvm}" not in pattern or deed == "DEED_OPERATE"), pattern
            for role in ROLES:
                assert web.status(path, tokens[role]) == (403 if refused else 200), (path, role)
            assert web.status(path, administrator) == 200, path
            assert web.status(path, narrow) == (403 if refused or deed == "DEED_LEAVE" else 200), path
            seen = {"DEED_BE": 200, "DEED_SEE": 404, "DEED_LOOK": 200, "DEED_ASSETS": 200, "DEED_LEAVE": 200, "DEED_WORKFLOWS": 200}
            assert web.status(path, stranger) == seen.get(deed, 403), path
            assert web.status(path, auditor) == {**seen, "DEED_AUDIT": 200}.get(deed, 403), path
            for nobody in ("cocos_" + "0" * 64, "cocos_", "x", administrator[:-1], administrator + "0", "x " + stranger):
                assert web.status(path, nobody) == 401, (path, nobody)
            assert web.status(path, None) == 401, path
            answer = web.ask(path, "PATCH", headers=[("Authorization", "Bearer " + administrator)])
            assert answer.status == 405, (path, answer.status)


def what_is_others_is_as_if_it_were_not():
    """The same answer, but for the id, as for one that nobody has."""
    with Rights() as web:
        create(web.service, id="mine", name="one")
        create(web.service, id="hers", name="secret of hers")
        token = web.user("me")
        web.root("GiveRole", computation_id="mine", role="viewer", user="me")
        for pattern, deed in routes():
            if deed != "DEED_SEE":
                continue
            assert web.status(pattern.replace("{id}", "mine"), token) == 200, pattern
            for headers in ([], BROWSER):
                hers, none = (web.by(pattern.replace("{id}", name), token, headers=headers)
                              for name in ("hers", "none"))
                assert hers.status == none.status == 404
                assert hers.body == none.body.replace(b"none", b"hers") and b"secret" not in hers.body, pattern
        # Nor do lists, searches and their cursors tell.
        for path in ("/", "/api/computations", "/?q=secret", "/api/computations?q=hers", "/?state=created"):
            got = web.by(path, token)
            assert got.status == 200 and b"secret of" not in got.body and b"/c/hers" not in got.body, path
        listed = web.by("/api/computations", token).json()["computations"]
        assert [c["id"] for c in listed] == ["mine"]
        for number in range(51):
            create(web.service, id=f"more-{number}", name=f"secret of {number}")
        root = web.user("root", administrator=True)
        for sort in ("name", "-created", "state", "changed"):
            behind = web.by("/api/computations?sort=" + sort, root).json()["next"]
            assert web.status(f"/api/computations?sort={sort}&before=" + behind, root) == 200
            # Neither an id, nor the place that somebody else was told.
            for before in ("hers", "mine", "none", behind):
                refused = web.by(f"/api/computations?sort={sort}&before=" + before, token)
                assert refused.status == 400 and b"secret" not in refused.body, refused.body
        assert b"secret of" in web.by("/", root).body
        assert b"secret of" in web.come_in().ask("/").body  # a link is its operator's


def rights_end_when_they_are_taken():
    with Rights() as web, agent_of(web.service) as agent:
        until(connected(web.service, "cvm-1"), "the connection")
        known = create(web.service, id="c")
        run(web.service, known)
        agent.manifest()
        token = web.user("me")
        revoked = web.root("AddToken", user="me", name="other").token
        web.root("GiveRole", computation_id="c", role="viewer", user="me")
        web.host, web.cookie = "localhost", "a=b"
        streams = [Events(web, "/c/c/events.sse", authorization="Bearer " + one) for one in (token, revoked)]
        agent.log(known, "first")
        assert [stream.next()["text"] for stream in streams] == ["first", "first"]
        web.root("RevokeToken", user="me", name="other")
        agent.log(known, "second")
        assert streams[0].next()["text"] == "second" and streams[1].ends()
        assert web.status("/", revoked) == 401 and web.status("/c/c", token) == 200
        web.root("TakeRole", computation_id="c", role="viewer", user="me")
        agent.log(known, "third")
        assert streams[0].ends() and web.status("/c/c", token) == 404
        web.root("GiveRole", computation_id="c", role="viewer", user="me")
        assert web.status("/c/c", token) == 200
        web.root("SuspendUser", name="me")
        assert web.status("/c/c", token) == web.status("/", token) == 401
        for stream in streams:
            stream.close()


def one_user_follows_so_many():
    with Rights() as web:
        create(web.service, id="c")
        web.host, web.cookie = "localhost", "a=b"
        tokens = [web.user("me"), web.user("you")]
        for name in ("me", "you"):
            web.root("GiveRole", computation_id="c", role="viewer", user=name)
        with contextlib.ExitStack() as stack:
            for _ in range(16):
                stream = Events(web, "/c/c/events.sse", authorization="Bearer " + tokens[0])
                stack.callback(stream.close)
            assert web.status("/c/c/events.sse", tokens[0]) == 429
            assert web.status("/c/c/events.sse", tokens[1]) == 200


CALLS, AT_ONCE = 1000, 60  # more than anybody waits for; what a minute leaves where one may come a second


def each_user_makes_so_many_calls():
    """By whatever he asks, and nobody waits for another."""
    path = "/api/computations"
    with Folder() as folder, Rights(MAX_CALLS="1", AUDIT_LOG=folder("audit.log")) as web:
        anna, bert = web.user("anna"), web.user("bert")
        second = web.root("AddToken", user="anna", name="second").token
        for token in (anna, second, bert):
            assert web.status(path, token) == 200
        count, since = 0, time.monotonic()
        while count < CALLS:
            before, answer = time.monotonic(), web.by(path, anna)
            if answer.status != 200:
                break
            count, since = count + 1, before
        assert count > 50 and answer.status == 429 and answer.fields["retry-after"] == "1", (count, answer.status)
        assert "too many calls from your account: the next is in 1 second." in answer.problem()["detail"], answer.body
        web.service.process.wait_line(r"a call of \S+ is refused: more than 1 a second of its user \(COMPUTATIONS_MAX_CALLS\)")
        # Her other token, and gRPC: one account.
        count = 0
        while count < CALLS and web.status(path, second) == 200:
            count += 1
        assert count <= time.monotonic() - since + 1, count
        caller = Caller(web.service.channel, anna)
        assert EXHAUSTED in (caller.code("Whoami") for _ in range(CALLS))
        assert web.status(path, bert) == 200 and Caller(web.service.channel, bert).code("Whoami") is OK
        # Of hers put off there is an entry a minute, and refusals have theirs all the same.
        since = time.monotonic()
        count = 0
        while count < 40:
            count += caller.code("Whoami") is EXHAUSTED
        assert Caller(web.service.channel, bert).code("ListUsers") is DENIED
        with open(folder("audit.log"), encoding="utf-8") as file:
            refused = [json.loads(line) for line in file if '"refused"' in line]
        put_off = [line for line in refused if line["outcome"] == "RESOURCE_EXHAUSTED"]
        assert 1 <= len(put_off) <= 2 + (time.monotonic() - since) / 60, put_off
        assert refused[-1]["method"].endswith("/ListUsers"), refused
        # What he takes away, and pages for everybody, he may ask for all the same.
        assert caller.code("RevokeToken", name="second") is OK
        assert web.by("/page.css", anna).status == 200
        # What is revoked is nobody's any more.
        carl, lost = web.user("carl"), web.root("AddToken", user="carl", name="lost").token
        assert web.status(path, lost) == 200
        web.root("RevokeToken", user="carl", name="lost")
        assert {web.status(path, lost) for _ in range(AT_ONCE + 10)} == {401}
        assert web.status(path, carl) == 200
        assert web.come_in().ask(path).status == 200, "who administers the service goes on"


def a_token_goes_before_a_session():
    """Whoever shows one is its user, whatever else he has."""
    with Rights() as web:
        create(web.service, id="c")
        token = web.user("me")
        web.come_in()
        assert web.ask("/c/c").status == 200
        bearer = ("Authorization", "Bearer " + token)
        assert web.ask("/c/c", headers=[bearer]).status == 404
        assert web.ask("/c/c", headers=[bearer], unix=True).status == 404
        assert web.ask("/c/c", unix=True).status == 200
        for wrong in ([bearer, bearer], [("Authorization", "Basic eDp5")], [("Authorization", token)],
                      [("Authorization", "")], [("Authorization", "bearer" + token)]):
            answer = web.ask("/", headers=wrong)
            assert (answer.status, answer.fields.get("www-authenticate")) == (401, "Bearer"), wrong
        assert web.ask("/c/c", headers=[("Authorization", "bearer " + token)]).status == 404
        # A token does not open the door for another site's page.
        assert web.ask("/", headers=[bearer, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "cors")]).status == 403
        assert web.ask("/", headers=[bearer, ("Origin", "http://evil.example")]).status == 403
        assert web.ask("/link", "POST", headers=[bearer]).status == 403


def certificates_alone_are_no_operators_where_users_have_some():
    with Folder() as tls:
        authority(tls)
        settings = {"ADMIN_SERVER_CERT": tls("server.pem"), "ADMIN_SERVER_KEY": tls("server-key.pem"),
                    "ADMIN_CLIENT_CA_CERTS": tls("ca.pem"), "WEB": "0.0.0.0:0", "ADMIN_SIGN_IN": "true"}
        with Rights(**settings) as web:
            create(web.service, id="c", name="hers")
            token = web.user("me")

            def status(*options, path="/api/computations"):
                done = subprocess.run(["curl", "-sS", "--max-time", str(PATIENCE), "--cacert", tls("ca.pem"), "--cert",
                                       tls("client.pem"), "--key", tls("client-key.pem"), "-w", "%{http_code}",
                                       *options, f"https://localhost:{web.port}{path}"], capture_output=True, check=True)
                return int(done.stdout[-3:]), done.stdout[:-3]
            assert status()[0] == 401 and b"hers" not in status()[1]
            assert status(path="/c/c")[0] == 401
            bearer = ("-H", "Authorization: Bearer " + token)
            assert status(*bearer) == (200, b'{"computations":[],"next":null}\n')
            assert status(*bearer, path="/c/c")[0] == 404
            web.root("GiveRole", computation_id="c", role="viewer", user="me")
            assert status(*bearer, path="/c/c")[0] == 200 and b"hers" in status(*bearer)[1]
            # Nor does the API's document say that they were.
            document = json.loads(status(*bearer, path="/api/openapi.json")[1])
            assert sorted(document["components"]["securitySchemes"]) == ["session", "token"], document["security"]
            assert document["security"] == [{"token": []}, {"session": []}]


if __name__ == "__main__":
    tap.run([every_row_asks_who_it_is, what_is_others_is_as_if_it_were_not, rights_end_when_they_are_taken,
             one_user_follows_so_many, each_user_makes_so_many_calls, a_token_goes_before_a_session,
             certificates_alone_are_no_operators_where_users_have_some])
