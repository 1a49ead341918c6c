#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The API by its own document (OpenAPI): each operation asked for by everybody there could be, with what its schemas allow
and with what they don't. Nothing fails by itself, each answer is one that the document says, and what a schema refuses
the service refuses.

Usage: web_schema.py [SEED]
"""
import base64
import contextlib
import json
import os
import random
import re
import sqlite3
import sys
import urllib.parse

import rest_reference
import tap
from computations_service import KEY, agent_of, connected, create
from harness import PATIENCE, ROOT, read, until
from people import ROLES
from web_act import Room, plain
from web_callers import LINES, SERIAL
from web_fitted import FITTED, Fitted, operation_of, said, told
from web_machines import WISH, hall
from workflow_parties import Running, one_workflow

SEED = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 20261123
THERE = {"id": ["c"], "cvm": ["cvm-1"], "workspace": ["default"], "user": ["u-viewer"], "asset": ["iris.csv"], "role": ["viewer"]}
TEXTS = ["", "a", "default", "zz", "a b", "é", "<b>&\"'", "../x", "%2e%2e", "0", "-1", "1e3", "nul\\u0000", "x" * 64, "x" * 300, "\U0001f512", "'; --",
         "=1+1", "{}", "user:anna", "*", "text/csv"]
WORDS = re.compile(r"^\^\(([a-z|]*)\)\$$")


# Nouns that this does not see, and the test that has what each comes of and holds it against the document (web_fitted.py).
ELSEWHERE = {
    "Authority": "web_certificates.py", "Confirmation": "confirmations.py", "Evidence": "web_evidence.py", "EvidenceFile": "web_evidence.py",
    "FreeTee": "web_machine_choice.py", "FreeRoom": "web_machine_choice.py", "Identity": "oidc.py", "Key": "web_keys.py", "KeyUse": "web_keys.py",
    "RunUsage": "web_progress.py", "UsageRow": "web_usage.py",
}
# The same of operations: with the line that does it.
ANSWERED_ELSEWHERE = {
    "DELETE /api/certificates/{serial}": ("web_certificates.py", 'holds(document, ended, f"{API}/{waits}", method="DELETE")'),
    "GET /api/workspaces/{workspace}/cvms/{name}/evidence": ("web_evidence.py", "holds(document, room.call(\"GET\", path, room.tokens[\"member\"]), path, \"Evidence\")"),
}
HERE_IS = os.path.dirname(os.path.abspath(__file__))


def text_for(dice, schema):
    """One that the schema allows."""
    if "enum" in schema:
        return dice.choice(schema["enum"])
    pattern = schema.get("pattern", "")
    if WORDS.match(pattern):
        return dice.choice(WORDS.match(pattern)[1].split("|"))
    known = ["".join(dice.choice("0123456789abcdef") for _ in range(64)), "*", *TEXTS]
    return dice.choice([text for text in known if re.search(pattern, text) and len(text) >= schema.get("minLength", 0)])


def value_for(dice, schema, depth=0):
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = dice.choice(kind)
    if kind == "boolean":
        return dice.random() < 0.5
    if kind == "integer":
        low, high = schema.get("minimum", 0), schema.get("maximum", 2 ** 63 - 1)
        return dice.choice([low, min(low + 1, high), high])
    if kind == "array":
        words = schema.get("items", {}).get("enum")
        if words:
            first = [schema["contains"]["const"]] if "contains" in schema else []
            return first + [word for word in words if word not in first and dice.random() < 0.3]
        return [value_for(dice, schema["items"], depth + 1) for _ in range(dice.randrange(3))] if "items" in schema else []
    if kind == "object":
        return {name: value_for(dice, inner, depth + 1) for name, inner in schema.get("properties", {}).items()
                if name in schema.get("required", ()) or dice.random() < 0.5}
    return text_for(dice, schema)


def wrong_for(dice, schema):
    """A body that the schema refuses, and why."""
    body = value_for(dice, schema)
    typed = {name: inner["type"] for name, inner in schema["properties"].items() if isinstance(inner.get("type"), str)}
    name = dice.choice(sorted(typed))
    other = {"string": 7, "boolean": "true", "integer": "1", "array": {"a": 1}, "object": []}
    choice = dice.randrange(4)
    if choice == 0:
        return {**body, "no_such_member": 1}, "a member that is none"
    if choice == 1 and schema.get("required"):
        left = dice.choice(schema["required"])
        return {key: value for key, value in body.items() if key != left}, f"{left} is missing"
    if choice == 2:
        return [body], "a list"
    return {**body, name: other[typed[name]]}, f"{name} of another type"


class Asked:
    """Operations of the document, and requests made of them."""

    def __init__(self, web, document, dice):
        self.web, self.dice = web, dice
        FITTED.of(document)
        self.operations = [(path, method, operation) for path, item in document["paths"].items()
                           for method, operation in item.items() if "events" not in path]

    def address(self, path, operation, is_there):
        query = {}
        for parameter in operation["parameters"]:
            name, schema = parameter["name"], parameter["schema"]
            if parameter["in"] == "path":
                value = self.dice.choice(THERE[name]) if is_there and name in THERE else str(value_for(self.dice, schema))
                path = path.replace("{%s}" % name, urllib.parse.quote(value, safe=""))
            elif parameter["in"] == "query" and self.dice.random() < 0.5:
                value = value_for(self.dice, schema)
                query[name] = str(value).lower() if isinstance(value, bool) else str(value)
        return path + ("?" + urllib.parse.urlencode(query) if query else "")

    def send(self, path, method, operation, token, body=None, is_there=True):
        return self.web.call(method.upper(), self.address(path, operation, is_there), token, body)


def schema_of(operation):
    return operation["requestBody"]["content"]["application/json"]["schema"] if "requestBody" in operation else None


def told_as_its_schema_says(problem, schema):
    types = {"string": str, "integer": int}
    assert set(schema["required"]) <= set(problem) <= set(schema["properties"]), problem
    for name, value in problem.items():
        assert isinstance(value, types[schema["properties"][name]["type"]]), (name, problem)
    low, high = (schema["properties"]["status"][edge] for edge in ("minimum", "maximum"))
    assert low <= problem["status"] <= high, problem


def each_way_in_that_it_names_is_one_and_no_other():
    """By the document alone: a client that knows nothing else of the service is let in by each scheme, and told why not."""
    with Room() as web:
        token = user(web, "root", administrator=True)
        document = web.call("GET", "/api/openapi.json", token).json()
        schemes, named = document["components"]["securitySchemes"], [name for way in document["security"] for name in way]
        assert sorted(named) == sorted(schemes) == ["session", "token"], (named, schemes)
        assert (schemes["token"]["type"], schemes["token"]["scheme"]) == ("http", "bearer")
        chief = web.sessions["chief"]
        cookie, _, secret = chief.cookie.partition("=")
        assert (schemes["session"]["type"], schemes["session"]["in"], schemes["session"]["name"]) == ("apiKey", "cookie", cookie)
        by_session = [("Cookie", f"{schemes['session']['name']}={secret}")]
        assert plain(chief, "GET", "/api/me", None, by_session).status == 200
        assert web.call("GET", "/api/me", token).status == 200
        problem = document["components"]["schemas"]["Problem"]
        for answer in (web.call("GET", "/api/me"), web.call("GET", "/api/me", headers=[("Authorization", "Basic eDp5")]),
                       plain(chief, "GET", "/api/me", None, [("Cookie", f"other={secret}")]),
                       web.call("GET", "/api/computations/none", token), web.call("POST", "/api/workspaces", token, {"name": ""})):
            assert answer.status >= 400, answer.status
            told_as_its_schema_says(json.loads(answer.body), problem)
        for path, item in document["paths"].items():
            for method, operation in item.items():
                refused = {code: answer for code, answer in operation["responses"].items() if code >= "400"}
                assert "default" in refused and "security" not in operation, (path, method)
                assert all(answer == {"$ref": "#/components/responses/" + code} for code, answer in refused.items()), (path, method)
        for code, answer in document["components"]["responses"].items():
            if code == "304":
                assert "content" not in answer
                continue
            assert answer["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}, code


def document_of_a_service():
    with Room() as web:
        return web.call("GET", "/api/openapi.json", user(web, "root", administrator=True)).json()


def the_page_of_docs_is_made_of_it():
    assert rest_reference.written() == rest_reference.text_of(document_of_a_service()), "run tests/integration/rest_reference.py --write"


def user(web, name, **fields):
    web.root("AddUser", name=name, **fields)
    return web.root("AddToken", user=name, name="t").token


def made(web):
    create(web.service, id="c", name="one")
    web.root("RegisterAsset", workspace="default", name="iris.csv", type="dataset", digest=bytes(32))
    THERE["workflow"] = [one_workflow(Running(web.service.channel, web.root))]
    tokens = {role: user(web, "u-" + role) for role in ROLES}
    for role in ROLES:
        web.root("GiveRole", computation_id="c", role=role, user="u-" + role)
    tokens["stranger"] = user(web, "stranger")
    tokens["root"] = user(web, "root", administrator=True)
    return tokens


def each_operation_answers_as_its_document_says():
    dice = random.Random(SEED)
    print(f"# seed {SEED}")
    with Room() as web, agent_of(web.service, "cvm-1"):
        until(connected(web.service, "cvm-1"), "the connection")
        tokens = made(web)
        asked = Asked(web, web.call("GET", "/api/openapi.json", tokens["root"]).json(), dice)
        assert len(asked.operations) > 40, len(asked.operations)
        found = {}
        # What reads first: what changes takes away what they read, and in the end the caller's own token.
        for path, method, operation in sorted(asked.operations, key=lambda row: (row[1] != "get", "/me/" in row[0])):
            schema = schema_of(operation)
            for who, token in tokens.items():
                for is_there in (True, False):
                    body = value_for(dice, schema) if schema else None
                    answer = asked.send(path, method, operation, token, body, is_there)
                    said(answer, operation, (who, method, path, body))
                    found[answer.status // 100] = found.get(answer.status // 100, 0) + 1
        print("# " + ", ".join(f"{kind}xx: {count}" for kind, count in sorted(found.items())))
        assert found[2] > 100 and found[4] > 100, found

DATASET = {"hash": "ab" * 32, "user_key": base64.b64encode(KEY).decode(), "filename": "iris.csv"}
HERE = "/api/workspaces/default"
MANIFEST = {"id": "d", "name": "two", "algorithm": {key: DATASET[key] for key in ("hash", "user_key")}, "datasets": [DATASET],
            "result_consumers": [{"user_key": DATASET["user_key"]}]}
# What the rest of the answers come of, in that order. "{N}": the number that was told last.
REST = [
    ("POST", HERE + "/webhooks", {"url": "https://hooks.example.org/cocos", "events": ["computation.created"]}),
    ("POST", "/api/computations?workspace=default", MANIFEST),
    ("GET", "/api/computations/d", None), ("PUT", "/api/computations/d/manifest", MANIFEST),
    ("POST", "/api/computations/d/run", {"cvm": "cvm-1", "unverified": True}), ("POST", "/api/computations/d/stop", None), ("GET", HERE + "/webhooks", None), ("GET", HERE + "/webhooks/{N}", None),
    ("GET", HERE + "/webhooks/{N}/deliveries", None), ("POST", HERE + "/webhooks/{N}/rotate", None),
    ("POST", HERE + "/assets", {"name": "iris.csv", "type": "dataset", "digest": "ab" * 32}), ("GET", HERE + "/assets/iris.csv", None),
    ("PUT", "/api/billing/acme", {"plan": "small"}), ("PUT", "/api/billing/acme/workspaces/default", None),
    ("POST", "/api/billing/acme/plan", {"plan": "large"}), ("GET", "/api/billing", None), ("GET", "/api/billing/acme", None),
    ("PUT", HERE + "/cvms/box", WISH), ("GET", HERE + "/cvms", None), ("GET", HERE + "/cvms/box", None), ("GET", HERE + "/free", None),
    ("GET", HERE + "/usage", None), ("GET", "/api/billing/acme/usage", None), ("DELETE", HERE + "/cvms/box", None),
    ("DELETE", "/api/billing/acme/workspaces/default", None), ("POST", HERE + "/invitations", {"role": "viewer"}), ("GET", HERE + "/invitations", None),
    ("GET", "/api/certificates", None), ("GET", "/api/certificates/" + SERIAL, None),
    ("GET", "/api/me", None), ("GET", "/api/audit", None), ("GET", "/api/cvms", None),
]


def with_what_there_is(web, document, token):
    """A session, a certificate, an export that is imported, an invitation that is taken, and what is withheld the second time."""
    with contextlib.closing(sqlite3.connect(web.service.folder("state") + "/computations.db", timeout=PATIENCE)) as database, database:
        database.execute("INSERT INTO certificates (serial, name, role, days, maker, created, until, issued, key, authority, revoked, line)"
                         " VALUES (?1, 'cvm-1', 'agent', 1, '', 1, 9999999999999, 1, ?2, ?2, 0, ?1)", (SERIAL, "0" * 64))
    number = 0
    for method, path, body in REST:
        answer = ask(web, document, method, path.replace("{N}", str(number)), token, body)
        number = answer.json().get("number", number) if method == "POST" and path.endswith("/webhooks") else number
    exported = ask(web, document, "GET", "/api/computations/d/export", token).body.decode()
    ask(web, document, "POST", HERE + "/imports", token, {"document": exported, "preview": True, "people": {"chief": "chief"}})
    guest = user(web, "joining", workspace="lab")
    ask(web, document, "POST", "/api/invitations", guest, {"secret": web.root("Invite", workspace="default", role="viewer").path.rpartition("/")[2]})
    for _ in range(2):
        ask(web, document, "POST", "/api/me/tokens", token, {"name": "once"}, [("Idempotency-Key", "one-key")])


def ask(web, document, method, path, token, body=None, headers=()):
    """What is there, and may be had."""
    answer = web.call(method, path, token, body, headers)
    assert answer.status < 300, (method, path, answer.status, answer.body)
    operation = operation_of(document, method, path)
    said(answer, operation, (method, path))
    if "304" in operation["responses"]:
        again = web.call(method, path, token, None, [("If-None-Match", answer.fields["etag"])])
        assert (again.status, again.body) == (304, b"") and again.fields["etag"] == answer.fields["etag"], (path, again.status)
    return answer


def each_noun_was_seen():
    """Here or in the rows above; what has to have an agent's evidence, a provider or an owner's key is seen by its own test."""
    with hall(LINES) as web, agent_of(web.service, "cvm-1"):
        until(connected(web.service, "cvm-1"), "the connection")
        document = FITTED.of(web.call("GET", "/api/openapi.json", web.tokens["chief"]).json())
        with_what_there_is(web, document, web.tokens["chief"])
    speak = {operation["x-name"] for item in document["paths"].values() for operation in item.values() if told(operation)}
    unseen = set(FITTED.schemas) - FITTED.seen - {"Problem"}
    assert speak - FITTED.answered == set(ANSWERED_ELSEWHERE), speak - FITTED.answered ^ set(ANSWERED_ELSEWHERE)
    for operation, (name, call) in ANSWERED_ELSEWHERE.items():
        assert call in read(os.path.join(HERE_IS, name)).decode(), (operation, name)
    assert unseen == set(ELSEWHERE), (unseen - set(ELSEWHERE), set(ELSEWHERE) - unseen)
    for noun, name in ELSEWHERE.items():
        calls = re.findall(r"\b(?:holds|held)\([^\n]*", read(os.path.join(HERE_IS, name)).decode())
        assert any(f'"{noun}"' in call for call in calls), f"{name} holds no {noun} against the document"


def each_operation_says_what_its_answer_is():
    """All of its JSON: no schema allows whatever there is, but that of the document itself."""
    document = FITTED.of(document_of_a_service())
    used, bare = set(), []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            done = next(answer for code, answer in operation["responses"].items() if code < "300")
            if "application/json" not in done.get("content", {}):
                continue
            schema = told(operation)
            refs = [one["$ref"].rsplit("/", 1)[1] for one in schema.get("anyOf", [schema]) if "$ref" in one]
            used |= set(refs)
            bare += [] if refs else [(method, path, schema["description"])]
    assert [row[:2] for row in bare] == [("get", "/api/openapi.json")], bare
    inner = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document["components"])))
    assert used | inner == set(document["components"]["schemas"]), set(document["components"]["schemas"]) ^ (used | inner)
    for name, schema in document["components"]["schemas"].items():
        if name not in ("Problem", "Export"):
            assert schema["type"] == "object" and schema["additionalProperties"] is False and schema["properties"], name


# Statuses of refusals, as sources write them.
WRITTEN = re.compile(r"""
    http_problem\)\{\s*(\d{3}) | http_problem\ \w+\ =\ \{\s*(\d{3}) | \.?status\ =\ (\d{3}) | \[\w+\]\ =\ \{?\s?(\d{3})\b
    | \?\s(\d{3})\b | :\s(\d{3})\b
""", re.X)
# Of no operation: a method that is not there; forms of pages.
OF_NONE = {"405", "303"}
PAGES = {"web_device.c", "web_enter.c", "web_factor.c", "web_me.c", "web_new_form.c", "web_oidc.c", "web_passkey_begun.c", "web_passkey_own.c",
         "web_sign_in.c", "web_step.c"}


def statuses_of(folder, name):
    """Of what a source refuses; the table of their titles, and what was asked for, apart."""
    text = read(os.path.join(ROOT, folder, name)).decode()
    text = re.sub(r"(?s)titles\[\] = \{.*?\n\t\};|/\*.*?\*/", "", text)
    return {code for row in WRITTEN.findall(text) for code in row if code and "300" <= code < "600"}


def each_status_that_is_sent_is_declared():
    """By the sources: what is refused before a handler, or of any error, is declared for each operation; the rest for those that its
    source serves. web_once.c and the like have one kind of operation each."""
    document = document_of_a_service()
    operations = {f"{method.upper()} {path}": operation for path, item in document["paths"].items() for method, operation in item.items()}
    sent = {}
    for folder in ("common/http", "computations/web"):
        for name in os.listdir(os.path.join(ROOT, folder)):
            if name.endswith(".c") and name not in PAGES:
                for code in statuses_of(folder, name) - OF_NONE:
                    sent.setdefault(code, set()).add(name)
    bodies = {name for name, operation in operations.items() if "requestBody" in operation}
    tagged = {name for name, operation in operations.items() if any(p["name"] == "If-Match" for p in operation["parameters"])}
    once = {name for name, operation in operations.items() if any(p["name"] == "Idempotency-Key" for p in operation["parameters"])}
    wanted = {code: set(operations) for code in ("400", "401", "403", "408", "413", "414", "421", "429", "431", "500", "503")}
    wanted.update({"415": bodies, "412": tagged, "422": once, "505": {name for name in operations if name.endswith((".csv", ".html"))},
                   # An error's code that is found for what is named, or changed, or asked of others: each has been looked at by name.
                   "404": {name for name in operations if "{" in name or name in bodies}, "409": {name for name in operations if not name.startswith("GET ")},
                   "304": set(), **dict.fromkeys(("501", "504"), {name for name in operations if name.endswith("/policy")})})
    assert set(sent) == set(wanted), (set(sent) ^ set(wanted), sent)
    for code, names in wanted.items():
        lack = {name for name in names if code not in operations[name]["responses"]}
        assert not lack, (code, lack)
    titles = set(re.findall(r"\{ (\d{3}), \"", read(os.path.join(ROOT, "common/http/answer.c")).decode()))
    assert titles == {code for code in set(sent) | OF_NONE if code >= "400"}, titles ^ set(sent)


def a_schema_refuses_what_nobody_says():
    """What holds answers against it: each row is wrong by one word."""
    fitted = Fitted()
    fitted.schemas = {"One": {"type": "object", "additionalProperties": False, "required": ["at"], "properties": {
        "at": {"type": ["string", "null"], "format": "date-time"}, "of": {"type": "array", "items": {"enum": ["a"], "type": "string"}},
        "count": {"type": "integer", "minimum": 0}, "sha": {"type": "string", "pattern": "^[0-9a-f]{4}$"}}}}
    right = {"at": "2026-01-01T00:00:00Z", "of": ["a"], "count": 0, "sha": "00ff"}
    one = {"$ref": "#/components/schemas/One"}
    assert not fitted.wrong(right, one, "") and not fitted.wrong({"at": None}, one, "")
    for bad in ({}, {"at": "now"}, {"at": 1}, {**right, "of": ["b"]}, {**right, "of": "a"}, {**right, "count": -1}, {**right, "count": True},
                {**right, "sha": "00FF"}, {**right, "more": 1}, {**right, "count": None}, [right], None):
        assert fitted.wrong(bad, one, ""), bad


def what_a_schema_refuses_the_service_refuses():
    dice = random.Random(SEED + 1)
    with Room() as web:
        root = made(web)["root"]
        asked = Asked(web, web.call("GET", "/api/openapi.json", root).json(), dice)
        changes = [row for row in asked.operations if schema_of(row[2])]
        assert len(changes) > 8, len(changes)
        lists = 0
        for path, method, operation in changes:
            for _ in range(12):
                body, why = wrong_for(dice, schema_of(operation))
                answer = asked.send(path, method, operation, root, body)
                said(answer, operation, (method, path, body))
                assert 400 <= answer.status < 500 and answer.status not in (401, 403), (method, path, why, body, answer.status)
            # What is no such thing here is asked wrongly, and no missing method.
            if "manifest" in path or path == "/api/computations":
                for word, more in (("kbs", {"algorithm": {**MANIFEST["algorithm"], "kbs": {"enabled": True}}}), ("replace", {"cocos": {"replace": True}})):
                    answer = asked.send(path, method, operation, root, {**MANIFEST, "id": "", **more})
                    said(answer, operation, (method, path, more))
                    assert answer.status == 400 and word in json.loads(answer.body)["detail"], (path, answer.status, answer.body)
            # A list of none is not all of them: a token for nothing would be one for everything.
            for name in (name for name, inner in schema_of(operation)["properties"].items() if "minItems" in inner):
                answer = asked.send(path, method, operation, root, {**value_for(dice, schema_of(operation)), name: []})
                assert answer.status == 400 and json.loads(answer.body)["detail"].startswith(name + ": it names none"), (path, answer.body)
                lists += 1
        assert lists == 3, lists


if __name__ == "__main__":
    tap.run([a_schema_refuses_what_nobody_says, each_operation_says_what_its_answer_is, each_status_that_is_sent_is_declared, each_operation_answers_as_its_document_says, each_noun_was_seen, what_a_schema_refuses_the_service_refuses,
             each_way_in_that_it_names_is_one_and_no_other, the_page_of_docs_is_made_of_it])
