#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The audit log of docs/audit.md, written and verified from that page alone: no code of ours is behind it."""
import hashlib
import json
import re

TEXTS = ("who", "from", "what", "object", "about", "before", "after", "outcome", "cause")
TEXT_MAX = 1024
START = (0, bytes(32))
HEAD = re.compile(r"(0|[1-9][0-9]*):([0-9a-f]{64})")
SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Wrong(Exception):
    """This is no audit log."""


def quoted(text):
    """A string as the page says that it is written."""
    out = []
    for c in text:
        if c in SHORT:
            out.append(SHORT[c])
        elif c < " " or c in "<>&\u2028\u2029":
            out.append(f"\\u{ord(c):04x}")
        else:
            out.append(c)
    return '"' + "".join(out) + '"'


def digest_of(row, previous):
    data = b"cocos-audit-row-v1\0" + row["number"].to_bytes(8, "big") + previous + row["time"].to_bytes(8, "big")
    for key in TEXTS:
        text = row[key].encode()
        data += len(text).to_bytes(4, "big") + text
    return hashlib.sha3_256(data).digest()


def line_of(row, digest):
    texts = "".join(f',"{key}":{quoted(row[key])}' for key in TEXTS)
    return f'{{"number":{row["number"]},"time":{row["time"]}{texts},"digest":"{digest.hex()}"}}'


def head_text(head):
    return f"{head[0]}:{head[1].hex()}"


def head_of(text):
    found = HEAD.fullmatch(text)
    if not found:
        raise Wrong(f"{text} is no head")
    return int(found[1]), bytes.fromhex(found[2])


def written(rows, after=START):
    """A whole file of rows that have their texts and times."""
    number, digest = after
    lines = [f'{{"audit":"cocos-audit-v1","after":"{head_text(after)}"}}']
    for row in rows:
        number += 1
        row = {**dict.fromkeys(TEXTS, ""), **row, "number": number}
        digest = digest_of(row, digest)
        lines.append(line_of(row, digest))
    lines.append(f'{{"head":"{head_text((number, digest))}"}}')
    return ("\n".join(lines) + "\n").encode()


def verified(data, wanted=None):
    """The rows of a file, and its head; raises Wrong with the first row that does not fit."""
    if not data.endswith(b"\n"):
        raise Wrong("it was cut")
    lines = data.decode().split("\n")[:-1]
    if len(lines) < 2:
        raise Wrong("it was cut")
    head = after = head_of(json.loads(lines[0])["after"])
    if lines[0] != f'{{"audit":"cocos-audit-v1","after":"{head_text(after)}"}}':
        raise Wrong("first line")
    seen, rows = {after[0]: after[1]}, []
    for line in lines[1:-1]:
        row = json.loads(line)
        if row["number"] != head[0] + 1:
            raise Wrong(f"row {head[0] + 1} is missing")
        if any(len(row[key].encode()) > TEXT_MAX for key in TEXTS):
            raise Wrong(f"row {row['number']}: a text is too long")
        head = (row["number"], digest_of(row, head[1]))
        if line != line_of(row, head[1]):
            raise Wrong(f"row {row['number']} does not fit")
        seen[head[0]] = head[1]
        rows.append(row)
    if lines[-1] != f'{{"head":"{head_text(head)}"}}':
        raise Wrong("last line")
    if wanted and seen.get(wanted[0]) != wanted[1]:
        raise Wrong(f"it has not the head {head_text(wanted)}")
    return rows, head
