#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each operation of the API's document by everybody there could be (web_callers.py): who may, as the document says it, has it
done, and nobody else; and cases and chains that schemathesis made of the document are answered as it says.

Usage: web_everybody.py [CASES]    a file of schemathesis_cases.py
       web_everybody.py --chains PYTHON [CHAINS [STEPS [SEED]]]    of schemathesis_chains.py, by a Python that has schemathesis
"""
import base64
import collections
import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import types
import urllib.parse

import rest_reference
import tap
import web_callers
from harness import PATIENCE, Folder
from web_page import Answer
from web_fitted import FITTED, said

CASES = sys.argv[1] if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None
PYTHON, *CHAINS = sys.argv[sys.argv.index("--chains") + 1:] if "--chains" in sys.argv else [None]
DRIVERS = ("chief", "governor", "roleless", "owner")
KEY = base64.b64encode(web_callers.KEY).decode()
# What of the world an operation is about, where that is not the same for all.
ABOUT = {
    "POST /api/computations/{id}/stop": {"id": "running"}, "PUT /api/computations/{id}/roles/{role}": {"role": "new"},
    "DELETE /api/computations/{id}/roles/{role}": {"role": "old"}, "DELETE /api/me/tokens/{name}": {"name": "spare"},
    "DELETE /api/computations/{id}/roles/{role}/members/{user}": {"user": "member"},
    "PUT /api/workspaces/{workspace}": {"workspace": "lab"}, "PUT /api/billing/{account}/workspaces/{workspace}": {"workspace": "lab"},
    "DELETE /api/billing/{account}/workspaces/{workspace}": {"workspace": "lab"},
}
# There is nothing that it could be done to: who may is told that it is not there, or not in its state.
NOTHING = {
    "GET /api/computations/{id}/evidence/{file}", "GET /api/cvms/{cvm}/evidence/{file}", "DELETE /api/me/sessions/{number}",
    "DELETE /api/me/keys/{fingerprint}", "GET /api/workspaces/{workspace}/cvms/{name}/evidence/{file}",
    "DELETE /api/certificates/{serial}", "DELETE /api/users/{user}/identities/{number}", "DELETE /api/billing/{account}/workspaces/{workspace}",
    "POST /api/workspaces/{workspace}/webhooks/{number}/deliveries/{delivery}",
}

IN_ALREADY = ("POST /api/invitations", "outsider")


def manifest(name):
    return {"id": name, "name": "one " + name, "algorithm": {"hash": "61" * 32, "user_key": KEY}, "result_consumers": [{"user_key": KEY}]}


class Everybody(web_callers.World):
    """Who asks, for what, and what becomes of it."""

    def __enter__(self):
        super().__enter__()
        self.document = FITTED.of(self.room.call("GET", "/api/openapi.json", self.room.tokens["chief"]).json())
        self.exported = self.room.call("GET", "/api/computations/created/export", self.room.tokens["chief"]).body.decode()
        return self

    def operations(self):
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                yield f"{method.upper()} {path}", path, method, operation

    def place(self, name, path):
        """A path with what is there."""
        fresh = next(self.fresh)
        values = {"id": "created", "cvm": "cvm-created", "workspace": "default", "user": "u-roleless", "asset": "iris.csv", "role": "viewer",
                  "workflow": self.workflow, "account": "acme", "serial": web_callers.SERIAL, "name": "box", "file": "evidence.eat",
                  "fingerprint": "0" * 64, "delivery": "1", "number": str(self.invitation if "invitations" in path else self.webhook),
                  **ABOUT.get(name, {})}
        if name == "PUT /api/workspaces/{workspace}/cvms/{name}":
            values["name"] = f"n{fresh}"
        if name == "PUT /api/billing/{account}":
            values["account"] = f"a{fresh}"
        path = re.sub(r"\{(\w+)\}", lambda found: urllib.parse.quote(values[found[1]], safe=""), path)
        return path + ("?workspace=default" if name == "POST /api/computations" else "")

    def body(self, name):
        fresh = next(self.fresh)
        bodies = {
            "POST /api/computations": manifest(f"new-{fresh}"), "PUT /api/computations/{id}": {"name": "another"},
            "PUT /api/computations/{id}/manifest": manifest("created"), "POST /api/computations/{id}/run": {"cvm": "cvm-created"},
            "PUT /api/computations/{id}/roles/{role}": {"actions": ["view"]}, "POST /api/me/tokens": {"name": "made"},
            "PUT /api/workspaces/{workspace}/cvms/{name}": web_callers.WISH, "PUT /api/billing/{account}": {"plan": "small"},
            "POST /api/billing/{account}/plan": {"plan": "large"}, "POST /api/workspaces": {"name": "made"},
            "PUT /api/workspaces/{workspace}": {"name": "ward"}, "PUT /api/workspaces/{workspace}/members/{user}": {"role": "viewer"},
            "POST /api/workspaces/{workspace}/members/{user}/suspend": {}, "POST /api/workspaces/{workspace}/invitations": {"role": "viewer"},
            "POST /api/workspaces/{workspace}/webhooks": {"url": "https://hooks.example.org/more"},
            "POST /api/workspaces/{workspace}/imports": {"document": self.exported, "preview": True},
            "POST /api/workspaces/{workspace}/assets": {"name": "made", "type": "dataset", "digest": "ab" * 32},
        }
        if name == "POST /api/invitations":
            return {"secret": self.new_invitation()}
        return bodies.get(name)

    def send(self, method, path, who, body=None, headers=()):
        """As that caller alone, from an address of its own: strangers have so many refusals of one. Of a stream: its head."""
        own = [(key, value) for key, value in headers if key.lower() not in ("authorization", "cookie", "host", "content-length")]
        connection = http.client.HTTPConnection("127.0.0.1", self.room.port, timeout=PATIENCE, source_address=(next(self.addresses), 0))
        with contextlib.closing(connection):
            connection.putrequest(method.upper(), path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", "localhost")
            for key, value in [*own, *([("Authorization", "Bearer " + who.token)] if who.token else []),
                               *([("Content-Length", str(len(body)))] if body is not None else [])]:
                connection.putheader(key, value)
            connection.endheaders(body)
            response = connection.getresponse()
            if response.status == 200 and "text/event-stream" in response.getheader("Content-Type", ""):
                return Head(response)
            return Answer(response)


class Head:
    def __init__(self, response):
        self.status, self.body, self.fields = response.status, b"", {"content-type": response.getheader("Content-Type")}


def owns(name, operation):
    """The asset that all ask for is the owner's."""
    return name == "owner" and "whose it is" in operation["description"]


def values_of(path, pattern):
    found = re.fullmatch(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(pattern)), path.partition("?")[0])
    return {key: urllib.parse.unquote(value) for key, value in found.groupdict().items()} if found else {}


def is_here(address, path):
    """In the workspace that most are of, and not in the other."""
    values = values_of(address, path)
    return values.get("workspace", "default") == "default" and values.get("id") != "hers"


def who_may_has_it_done_and_nobody_else():
    """What is told of who may not is the same whatever there is: neither its state nor what is wrong with the call."""
    wrong, cells = [], collections.Counter()
    with Everybody() as world:
        assert rest_reference.written() == rest_reference.text_of(world.document), "its sentences are not those of docs/rest.md"
        for name, path, method, operation in world.operations():
            for caller, who in world.who.items():
                body, address = world.body(name), world.place(name, path)
                data = None if body is None else json.dumps(body).encode()
                answer = world.send(method, address, who, data, [("Content-Type", "application/json")] if body is not None else [])
                may = who.may(operation["description"], is_here(address, path), owns(caller, operation))
                assert may is not None, f"nobody knows whom “{operation['description']}” is for"
                said(answer, operation, (caller, name))
                wanted = (401,) if not who.is_known else (403, 404) if not may else (404, 409) if name in NOTHING or (name, caller) == IN_ALREADY else (200, 201, 204)
                if answer.status not in wanted:
                    wrong.append((name, caller, may, answer.status, answer.body[:200]))
                cells[may] += 1
                if answer.status < 300 and method != "get":
                    world.mend(path, who, "running" if path.endswith("/stop") else "created")
        alive(world)
    print(f"# {cells[True]} may, {cells[False]} may not")
    assert not wrong, "\n".join(map(str, wrong))
    assert cells[True] > 500 and cells[False] > 1000, cells


def alive(world):
    assert world.room.call("GET", "/api/me", world.room.tokens["chief"]).status == 200


def has_something(operation):
    """That a schema says, and a case that is not allowed is wrong about; the headers that say who asks are the caller's."""
    return bool(operation["parameters"]) or "requestBody" in operation


def each_case_is_answered_as_the_document_says():
    """As schemathesis made them: with what the schemas allow, and with what they don't."""
    wrong, statuses = [], collections.Counter()
    with Everybody() as world, open(CASES, encoding="utf-8") as file:
        operations = {name: (path, method, operation) for name, path, method, operation in world.operations()}
        for number, case in enumerate(map(json.loads, file)):
            path, method, operation = operations[case["op"]]
            body = None if case["body"] is None else base64.b64decode(case["body"])
            # Every second one that is allowed is of what is there.
            address = case["path"] if case["mode"] == "negative" or number % 2 or "{" not in path else \
                world.place(case["op"], path).partition("?")[0] + "".join(case["path"].partition("?")[1:])
            for caller, who in world.who.items():
                answer = world.send(case["method"], address, who, body, case["headers"])
                may = who.may(operation["description"], is_here(address, path), owns(caller, operation))
                statuses[answer.status] += 1
                is_undeclared = str(answer.status) not in operation["responses"] and case["method"].lower() == method
                if answer.status >= 500 or is_undeclared or (answer.status < 400 and (not may or (case["mode"] == "negative" and has_something(operation)))) \
                        or (who.is_known and not may and answer.status in (409, 412)) or (may and answer.status == 403):
                    wrong.append((case["op"], case["mode"], caller, may, answer.status, address, body and body[:200], answer.body[:200]))
                if answer.status < 300 and method != "get":
                    state = values_of(address, path).get("id")
                    world.mend(path, who, state if state in web_callers.STATES else "created")
        alive(world)
    print("# " + ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items())))
    assert not wrong, "\n".join(map(str, wrong))


class Chain:
    """One of schemathesis's: a caller who may follows it, and before each step everybody who may not tries the same."""

    def __init__(self, world, number, found):
        self.world, self.driver, self.gone, self.changed, self.found = world, DRIVERS[number % len(DRIVERS)], set(), set(), found

    def send(self, case, caller, method=None, path=None):
        self.found.calls += 1
        body = None if case["body"] is None or method else base64.b64decode(case["body"])
        return self.world.send(method or case["method"], path or case["path"], self.world.who[caller], body, () if method else case["headers"])

    def others(self, case, path, operation):
        """Whom this chain has made somebody else is not asked."""
        for caller, who in self.world.who.items():
            may = who.may(operation["description"], is_here(case["path"], path), owns(caller, operation))
            if caller != self.driver and not may and caller not in self.changed:
                answer = self.send(case, caller)
                said(answer, operation, (caller, case))
                if answer.status < 400 or answer.status in (409, 412) or (who.is_known and answer.status == 401):
                    self.found.wrong.append((case["op"], caller, answer.status, case["path"], answer.body[:200]))

    def step(self, case, path, method, operation):
        if "{" in path and not values_of(case["path"], path):
            return self.send(case, self.driver)  # a parameter without a letter makes it another path
        self.others(case, path, operation)
        answer = self.send(case, self.driver)
        said(answer, operation, (self.driver, case))
        place = case["path"].partition("?")[0]
        if answer.status < 300 and method == "get" and place in self.gone:
            self.found.wrong.append((case["op"], self.driver, answer.status, case["path"], "it is gone"))
        if answer.status < 300 and method != "get":
            self.changes(case, path, method, answer, place)
        self.found.steps[answer.status] += 1
        return answer

    def changes(self, case, path, method, answer, place):
        said_ = case["path"] + base64.b64decode(case["body"] or "").decode("utf-8", "replace")
        self.changed |= {name for name, who in self.world.who.items() if who.user in said_} | ({"custom"} if "/roles" in path else set())
        self.gone = {one for one in self.gone if not one.startswith(place)}
        if method == "delete" and answer.status == 204:
            self.gone.add(place)
        made = answer.fields.get("location", "")
        if made.startswith("/api/") and self.send(case, self.driver, "GET", made).status != 200:
            self.found.wrong.append((case["op"], self.driver, answer.status, made, "what was made is not there"))


def document_in(folder, world):
    return folder.write("openapi.json", world.room.call("GET", "/api/openapi.json", world.room.tokens["chief"]).body)


def each_chain_is_answered_as_the_document_says():
    """Of what was made just now: nobody who may not has it, and nothing that is gone is there."""
    found, chain = types.SimpleNamespace(wrong=[], calls=0, steps=collections.Counter()), None
    with Everybody() as world, Folder() as folder:
        operations = {name: (path, method, operation) for name, path, method, operation in world.operations()}
        maker = subprocess.Popen([PYTHON, os.path.join(os.path.dirname(os.path.abspath(__file__)), "schemathesis_chains.py"), document_in(folder, world), *CHAINS],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with maker:
            for row in map(json.loads, maker.stdout):
                if "begins" in row:
                    world.put_computations_back()
                    world.mend()
                    chain = Chain(world, row["begins"], found)
                    continue
                answer = chain.step(row, *operations[row["op"]])
                maker.stdin.write(json.dumps({"status": answer.status, "fields": answer.fields, "body": base64.b64encode(answer.body).decode()}) + "\n")
                maker.stdin.flush()
        assert maker.returncode == 0, maker.returncode
        alive(world)
    print(f"# {found.calls} calls; of steps: " + ", ".join(f"{status}: {count}" for status, count in sorted(found.steps.items())))
    assert not found.wrong, "\n".join(map(str, found.wrong))
    assert sum(count for status, count in found.steps.items() if status < 300) > 20, found.steps


if __name__ == "__main__":
    tap.run([each_case_is_answered_as_the_document_says] if CASES else [each_chain_is_answered_as_the_document_says] if PYTHON else
            [who_may_has_it_done_and_nobody_else])
