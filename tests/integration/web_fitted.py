# SPDX-License-Identifier: Apache-2.0
"""Answers of the API against its own document (OpenAPI), strictly: a status that it has not, a member too many or too few, a word
of no list is wrong."""
import json
import re


class Fitted:
    """Answers against schemas of the document, whose words are few: type, properties, required, items, enum, pattern, format,
    minimum, anyOf and $ref. What is no such word fails, so that none is read past."""
    TYPES = {"string": str, "boolean": bool, "integer": int, "array": list, "object": dict, "null": type(None)}
    WORDS = {"type", "properties", "required", "additionalProperties", "items", "enum", "pattern", "format", "minimum", "maxItems", "anyOf",
             "$ref", "description"}
    TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")

    def __init__(self):
        self.schemas, self.seen, self.answered = {}, set(), set()

    def of(self, document):
        self.schemas = document["components"]["schemas"]
        for path, item in document["paths"].items():
            for method, operation in item.items():
                operation["x-name"] = f"{method.upper()} {path}"
        return document

    def see(self, value, operation, what):
        wrong = self.wrong(value, told(operation), "")
        assert not wrong, (what, wrong)
        self.answered.add(operation["x-name"])

    def named(self, value, name, where):
        wrong = self.wrong(value, self.schemas[name], where)
        if not wrong:
            self.seen.add(name)
        return wrong

    def wrong(self, value, schema, where):
        """What is, or nothing."""
        assert set(schema) <= self.WORDS, schema
        if "$ref" in schema:
            return self.named(value, schema["$ref"].rsplit("/", 1)[1], where)
        if "anyOf" in schema:
            all_wrong = [self.wrong(value, one, where) for one in schema["anyOf"]]
            return all_wrong if all(all_wrong) else []
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if kinds and not any(type(value) is self.TYPES[kind] for kind in kinds):  # pylint: disable=unidiomatic-typecheck
            return [f"{where}: {value!r} is no {' or '.join(kinds)}"]
        if isinstance(value, str):
            return self.wrong_text(value, schema, where)
        if isinstance(value, int) and value < schema.get("minimum", value):
            return [f"{where}: {value}"]
        if isinstance(value, list):
            return [wrong for at, item in enumerate(value) for wrong in self.wrong(item, schema.get("items", {}), f"{where}[{at}]")]
        return self.wrong_members(value, schema, where) if isinstance(value, dict) and "properties" in schema else []

    def wrong_text(self, value, schema, where):
        fits = (value in schema.get("enum", [value]) and re.search(schema.get("pattern", ""), value)
                and (schema.get("format") != "date-time" or self.TIME.fullmatch(value)))
        return [] if fits else [f"{where}: {value!r} against {schema}"]

    def wrong_members(self, value, schema, where):
        found = [f"{where}.{name} is missing" for name in schema.get("required", []) if name not in value]
        for name, inner in value.items():
            found += self.wrong(inner, schema["properties"][name], f"{where}.{name}") if name in schema["properties"] else [f"{where}.{name} is unknown"]
        return found


FITTED = Fitted()


def told(operation):
    """The schema of what it answers in JSON; None: it does not."""
    done = next(answer for code, answer in operation["responses"].items() if code < "300")
    return done.get("content", {}).get("application/json", {}).get("schema")


def said(answer, operation, what, fitted=FITTED):
    """Something that its document has."""
    declared = operation["responses"]
    assert str(answer.status) in declared, (what, answer.status, answer.body)
    if answer.status < 400:
        # What changes is answered with its ETag too, and asked for by no If-None-Match.
        is_tagged = operation["x-name"].startswith("GET ") and "etag" in answer.fields
        assert is_tagged == ("304" in declared), (what, answer.fields)
        kinds = declared[str(answer.status)].get("content")
        if kinds:
            assert answer.fields["content-type"] in kinds, (what, answer.fields)
            if answer.fields["content-type"] == "application/json":
                fitted.see(json.loads(answer.body), operation, what)
        else:
            assert not answer.body, (what, answer.body)
    else:
        assert answer.fields["content-type"] == "application/problem+json", (what, answer.fields)
        problem = json.loads(answer.body)
        assert problem["status"] == answer.status and problem["title"] and problem["detail"], (what, problem)


def operation_of(document, method, path):
    """Of a path that is asked for; one with fewer names goes before others."""
    plain = path.partition("?")[0]
    return next(item for pattern, item in sorted(document["paths"].items(), key=lambda row: row[0].count("{"))
                if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(pattern)), plain))[method.lower()]


def holds(document, answer, path, *nouns, method="GET"):
    """What was answered there is as the document says, and has each of those nouns."""
    fitted = Fitted()
    said(answer, operation_of(fitted.of(document), method, path), path, fitted)
    assert answer.status == 200 and set(nouns) <= fitted.seen, (path, answer.status, set(nouns) - fitted.seen)
    return answer
