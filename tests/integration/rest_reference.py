#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""docs/rest.md, made of the API's document (OpenAPI), which the service makes of its table of routes.

With --write the page is made anew; web_schema.py fails where it is out of date.
"""
import json
import os
import re
import sys

from harness import ROOT

PAGE = os.path.join(ROOT, "docs", "rest.md")
PARTS = {"computations": "Computations", "me": "You", "invitations": "Invitations", "cvms": "CVMs that have connected",
         "workspaces": "Workspaces", "billing": "Billing", "certificates": "Certificates", "users": "Users", "audit": "The audit log",
         "openapi.json": "The document"}
WORDS = re.compile(r"^\^\(([a-z|]*)\)\$$")
# A pattern is told in words where it is one of these.
TOLD = {"^[^\\u0000-\\u001f\\u007f-\\u009f]*$": "", "^[^\\u0000-\\u001f\\u007f-\\u009f/\\\\]+$": ""}
EXAMPLES = {"cvm": "cvm-1", "digest": "SHA3-256", "url": "https://hooks.example.org/cocos", "document": "DOCUMENT", "secret": "SECRET", "plan": "small"}
INTRODUCTION = """# The REST interface

<!-- Made by tests/integration/rest_reference.py --write, of the service's own table of routes: change that. -->

{about} A service says the same of itself, as it is installed, at `/api` (a page) and `/api/openapi.json` (OpenAPI {openapi}).
How it is set up, and what lies behind the calls, is in [operators.md](operators.md#the-page).

A call shows who asks by `Authorization: Bearer TOKEN`, {ways}. Each call says for whom it is. In “…” stands the action that a role, and
the token if it is for some alone, has to have. Who administers the service may do everything but what parties of a computation do. In a
workspace an administrator is more than a member, who is more than a viewer. What somebody may not see is answered like what is not there.

A path's and a query's texts are UTF-8 without control characters, percent-encoded, and a parameter that a call does not have is
refused. Bodies are JSON, without members that are not named here. Lengths are in bytes. What is “needed” has to be there.
Lists come in pages: what “next” has goes, as it is, into the parameter that says so, until it is null.

| answer | when |
|---|---|
{answers}
| others | {default} |

A refusal is `application/problem+json` (RFC 9457): {members}; {needed} always. Each call may be answered by
{everywhere}; what else it may be answered by stands with it.
"""

NOUNS = """
## What answers have

Members as they are written; all are there unless one “may lack”, and there are no others. A time is in UTC, as in
`2026-11-01T12:00:00Z`. In place of what is told once, or was too long to keep, an answer to a repeated Idempotency-Key is
[Withheld](#withheld).

"""
MANIFEST = "A manifest in its [canonical form](evidence.md#the-canonical-manifest), whose members are those that a service takes."


def cell(text):
    return text.replace("|", "\\|")


def limits(schema):
    """What a value may be, beyond its meaning."""
    said, pattern = [], schema.get("pattern", "")
    words = schema.get("enum") or schema.get("items", {}).get("enum") or (WORDS.match(pattern) and WORDS.match(pattern)[1].split("|"))
    if words:
        said.append(", ".join(f"`{word}`" for word in words if word))
    elif pattern and pattern not in TOLD:
        said.append(f"`{pattern}`")
    if "maximum" in schema:
        said.append(f"{schema.get('minimum', 0)} to {schema['maximum']}")
    if "maxLength" in schema:
        said.append(f"at most {schema['maxLength']} bytes")
    if "maxProperties" in schema:
        said.append(f"at most {schema['maxProperties']}")
    return "; ".join(said)


def body_of(operation):
    return operation["requestBody"]["content"]["application/json"]["schema"] if "requestBody" in operation else None


def is_document(schema):
    """Something with a form of its own, such as a manifest."""
    return not all("description" in inner for inner in schema["properties"].values())


def rows_of(operation):
    """Each parameter and member: its name, where it is, its kind, its limits and meaning."""
    rows = [(p["name"], p["in"] + (", needed" if p["required"] else ""), p["schema"], p["description"]) for p in operation["parameters"]]
    schema = body_of(operation)
    if schema and not is_document(schema):
        rows += [(name, "body" + (", needed" if name in schema["required"] else ""), inner, inner["description"])
                 for name, inner in schema["properties"].items()]
    return [f"| `{name}` | {where} | {inner['type']} | {cell(limits(inner))} | {cell(meaning)} |" for name, where, inner, meaning in rows]


def value_of(name, schema):
    if schema["type"] == "array":
        return schema["items"]["enum"][:1]
    if schema["type"] in ("integer", "boolean"):
        return schema.get("minimum", True)
    words = WORDS.match(schema.get("pattern", ""))
    return words[1].split("|")[0] if words else EXAMPLES.get(name, name.lower().replace("_", "-"))


def example(path, method, operation):
    headers = ["Authorization: Bearer $TOKEN"]
    for parameter in operation["parameters"]:
        if parameter["in"] == "header":
            headers.append({"If-Match": 'If-Match: "ETAG"', "Idempotency-Key": "Idempotency-Key: $(uuidgen)"}[parameter["name"]])
    words = " ".join("-H " + (f"'{header}'" if '"' in header else f'"{header}"') for header in headers)
    schema = body_of(operation)
    if schema and is_document(schema):
        words += " --json @manifest.json"
    elif schema:
        texts = [name for name, inner in schema["properties"].items() if inner["type"] == "string"]
        names = schema["required"] or (texts or list(schema["properties"]))[:1]
        words += " --json '" + json.dumps({name: value_of(name, schema["properties"][name]) for name in names}, separators=(",", ":")) + "'"
    if method != "get" and not (method == "post" and schema):
        words += " -X " + method.upper()
    stream = " -N" if "text/event-stream" in next(iter(operation["responses"].values())).get("content", {}) else ""
    return f"curl{stream} {words} http://localhost:9466" + re.sub(r"\{(\w+)\}", lambda m: m[1].upper(), path)


def linked(name):
    """As GitHub calls the second heading of that name."""
    return f"[{name}](#{name.lower()}{'-1' if name in PARTS.values() else ''})"


def name_of(schema):
    return schema["$ref"].rsplit("/", 1)[1]


def of_all(document):
    """What each operation may be answered by, in order."""
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    return [code for code in operations[0]["responses"] if code != "default" and all(code in one["responses"] for one in operations) and code >= "300"]


def answers_of(operation, everywhere):
    codes = [code for code in operation["responses"] if code != "default" and code not in everywhere]
    kinds = operation["responses"][codes[0]].get("content")
    schema = kinds.get("application/json", {}).get("schema", {}) if kinds else {}
    nouns = [linked(name_of(one)) for one in schema.get("anyOf", [schema]) if "$ref" in one]
    return f"{codes[0]} {'`' + next(iter(kinds)) + '`' if kinds else 'without a body'}{': ' + ' or '.join(nouns) if nouns else ''}" \
        + (f"; {', '.join(codes[1:])}" if codes[1:] else "")


def kind_of(schema):
    """What stands there, in a few words."""
    if "$ref" in schema:
        return linked(name_of(schema))
    if "anyOf" in schema:
        return " or ".join(kind_of(one) for one in schema["anyOf"])
    kinds = schema.get("type", "any JSON")
    first, *others = [kinds] if isinstance(kinds, str) else kinds
    if first == "array":
        first = f"list of {kind_of(schema['items'])}"
    elif schema.get("format") == "date-time":
        first = "time"
    elif "pattern" in schema:
        first = f"`{cell(schema['pattern'])}`"
    elif "enum" in schema:
        first = ", ".join(f"`{word}`" if word else "nothing" for word in schema["enum"])
    return " or ".join([first, *others])


def noun_in_words(name, schema):
    lines = [f"### {name}", ""]
    if "items" in schema:
        return [*lines, f"A list of {linked(name_of(schema['items']))}.", ""]
    if name == "Manifest":
        return [*lines, MANIFEST, ""]
    lines += ["| name | kind |", "|---|---|"]
    for member, inner in schema["properties"].items():
        lines.append(f"| `{member}` | {kind_of(inner)}{'' if member in schema['required'] else '; may lack'} |")
    return [*lines, ""]


def call_in_words(path, method, operation, everywhere):
    lines = [f"### {method.upper()} {path}", "", f"{operation['summary']} {operation['description']}", ""]
    if body_of(operation):
        lines += [f"The body is {operation['requestBody']['description']}.", ""]
    rows = rows_of(operation)
    if rows:
        lines += ["| name | where | kind | limits | what it is |", "|---|---|---|---|---|", *rows, ""]
    return lines + [f"Answers: {answers_of(operation, everywhere)}.", "", "```", example(path, method, operation), "```", ""]


def ways_of(document):
    session = document["components"]["securitySchemes"]["session"]
    return f"or by a session's cookie (`{session['name']}`, `__Host-{session['name']}` over TLS), where the service's own page asks"


def text_of(document):
    """The page, of the document as a service on loopback has it."""
    shared = document["components"]["responses"]
    problem = document["components"]["schemas"]["Problem"]
    out = INTRODUCTION.format(
        about=document["info"]["description"], openapi=document["openapi"], ways=ways_of(document),
        answers="\n".join(f"| {code} | {cell(answer['description'])} |" for code, answer in shared.items() if code != "default"),
        default=shared["default"]["description"], members=", ".join(f"`{name}`" for name in problem["properties"]),
        needed=", ".join(f"`{name}`" for name in problem["required"]), everywhere=", ".join(of_all(document)))
    here, everywhere = None, of_all(document)
    for path, item in sorted(document["paths"].items(), key=lambda row: list(PARTS).index(row[0].split("/")[2])):
        part = path.split("/")[2]
        if part != here:
            out, here = out + f"\n## {PARTS[part]}\n\n", part
        for method, operation in item.items():
            out += "\n".join(call_in_words(path, method, operation, everywhere)) + "\n"
    out += NOUNS
    for name, schema in document["components"]["schemas"].items():
        if name != "Problem":
            out += "\n".join(noun_in_words(name, schema)) + "\n"
    return re.sub("\n\n\n+", "\n\n", out).rstrip("\n") + "\n"


def written():
    with open(PAGE, encoding="utf-8") as file:
        return file.read()


if __name__ == "__main__":
    from web_schema import document_of_a_service
    assert sys.argv[1:] == ["--write"], __doc__
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(text_of(document_of_a_service()))
