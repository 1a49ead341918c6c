# SPDX-License-Identifier: Apache-2.0
"""The audit log as a file, and what the service's page and its API are sent."""
import json as js
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "integration"))
import audit_book as book  # noqa: E402

RAW, MADE, HEAD = 0, 1, 2


def audit_file():
    rows = [{"time": 7, "who": "user alice", "from": "127.0.0.1:4000", "what": "a.B/C", "object": "computation c"},
            {"time": (1 << 63) - 1, "about": '{"a":"b"}', "before": "x\t\"\\<\u2028", "after": "ä€𝄞", "outcome": "OK"},
            {"cause": "y" * book.TEXT_MAX, "time": 0}]
    whole = book.written(rows)
    first, *lines, last = whole.splitlines(keepends=True)

    def raw(*parts, wanted=0):
        return bytes([RAW, wanted]) + b"".join(parts)

    def row(**members):
        """The first row with other members, of a digest that fits where there can be one."""
        made = {**dict.fromkeys(book.TEXTS, ""), **rows[0], "number": 1, **members}
        return book.line_of(made, bytes(32)).encode() + b"\n"

    def made(texts, at=0, flip=0, wanted=0):
        coded = b"".join(len(text).to_bytes(2, "big") + text for text in texts)
        return bytes([MADE, wanted]) + at.to_bytes(2, "big") + bytes([flip]) + b"\5" + coded

    nine = [b"who", b"from", b"what", b"object", b"{}", b"", b"\xff\xc3\xa4\xed\xa0\x80", b"OK", b"\x01\x7f<&\xe2\x80\xa8"]
    return {
        "whole": raw(whole),
        "whole-wanted": raw(whole, wanted=2),
        "whole-wanted-none": raw(whole, wanted=9),
        "later": raw(book.written(rows, after=(5, bytes(32))), wanted=5),
        "earlier": raw(book.written(rows, after=(5, bytes(32))), wanted=3),
        "empty": raw(),
        "no-rows": raw(book.written([])),
        "no-end": raw(whole[:-1]),
        "no-last": raw(first, *lines),
        "no-first": raw(*lines, last),
        "swapped": raw(first, lines[1], lines[0], last),
        "left-out": raw(first, lines[0], lines[2], last),
        "ends-early": raw(first, *lines[:2], last),
        "more": raw(whole, lines[0]),
        "last-digest": raw(first, *lines, b'{"head":"3:' + b"0" * 64 + b'"}\n'),
        "changed": raw(whole.replace(b"alice", b"alicf")),
        "spaces": raw(whole.replace(b',"who"', b', "who"', 1)),
        "other-first": raw(first.replace(b"v1", b"v2"), *lines, last),
        "first-order": raw(b'{"after":"0:' + b"0" * 64 + b'","audit":"cocos-audit-v1"}\n', *lines, last),
        "row-zero": raw(first, row(number=0), last),
        "row-time": raw(first, row(time=1 << 63), last),
        "row-long": raw(first, row(who="x" * (book.TEXT_MAX + 1)), last),
        "row-digest": raw(first, lines[0].replace(b'"digest":"', b'"digest":"x'), last),
        "row-text": raw(first, lines[0].replace(b'"user alice"', b"1"), last),
        "row-number": raw(first, lines[0].replace(b'"number":1', b'"number":"1"'), last),
        "row-none": raw(first, b"[]\n", last),
        "row-broken": raw(first, b"{\n", last),
        "line-long": raw(first, b'{"a":"' + b"x" * (64 << 10) + b'"}\n', last),
        "edge-long": raw(first[:-2] + b" " * 200 + b"}\n", *lines, last),
        "made": made(nine, at=150, flip=3),
        "made-rows": made(nine * 3, at=900, flip=77, wanted=1),
        "made-long": made([b"a" * 1024, b"a" * 1023 + b"\xc3\xa4", b"<" * 1025, b"\xff" * 2000], at=40, flip=1),
        "made-none": made([], at=5, flip=2)[:5],
        **{"head-" + name: bytes([HEAD, 0]) + text for name, text in {
            "good": b"12:" + b"1f" * 32, "zero": b"0:" + b"0" * 64, "zeros": b"00:" + b"0" * 64, "upper": b"1:" + b"AB" * 32,
            "short": b"1:" + b"0" * 63, "long": b"1:" + b"0" * 65, "none": b"", "no-colon": b"12",
            "most": b"9223372036854775807:" + b"0" * 64, "more": b"92233720368547758080:" + b"0" * 64}.items()},
    }


# As in fuzz_web_input.c.
ACTIONS = ("run", "stop", "remove", "give", "take", "end", "end_others", "revoke", "token", "release", "api_run", "api_stop",
           "api_remove", "api_give", "api_take", "api_define", "api_undefine", "api_release", "api_end", "api_revoke", "api_token")


def web_input():
    seen = b"csrf=" + b"0" * 64
    known = seen + b"&revision=" + b"1" * 16
    words = ["view", "edit", "run", "administrator", "dataset_provider", "algo_provider", "result_consumer"]
    token = seen + b"&password=p&name=laptop&days="

    def sent(action, body=b"", param=b"c", query=b""):
        if not isinstance(body, bytes):
            body = js.dumps(body).encode()
        return bytes([ACTIONS.index(action), len(param)]) + param + bytes([len(query)]) + query + body

    return {
        "run": sent("run", known + b"&cvm=x&unverified=true"),
        "run-again": sent("run", known + b"&cvm=&again=false"),
        "run-maybe": sent("run", known + b"&cvm=&again=maybe"),
        "run-no-cvm": sent("run", known),
        "stop": sent("stop", known),
        "stop-more": sent("stop", known + b"&x=1"),
        "stop-twice": sent("stop", known + b"&csrf=1"),
        "stop-zero": sent("stop", known + b"\0"),
        "stop-none": sent("stop"),
        "form-long": sent("stop", known + b"&x=" + b"y" * 4000),
        "form-too-long": sent("stop", b"x" * 3073),
        "remove": sent("remove", known + b"&force=true"),
        "give": sent("give", known + b"&role=viewer&user=anna"),
        "give-nobody": sent("give", known + b"&role=viewer&user="),
        "take": sent("take", known + b"&role=viewer&user=anna"),
        "end": sent("end", seen, b"12"),
        "end-no-number": sent("end", seen, b"x"),
        "end-none": sent("end", seen, b""),
        "end-others": sent("end_others", seen),
        "revoke": sent("revoke", seen, b"laptop"),
        "release": sent("release", seen, b"cvm-1"),
        "token": sent("token", token + b"7&view=true&run=true"),
        "token-all": sent("token", token + b"7&" + b"&".join(w.encode() + b"=true" for w in words)),
        "token-no-days": sent("token", token),
        "token-days": sent("token", token + b"0"),
        "token-box": sent("token", token + b"7&view=1"),
        "api-run": sent("api_run", {"cvm": "x", "unverified": True, "again": False}),
        "api-run-none": sent("api_run", {}),
        "api-run-text": sent("api_run", {"cvm": 1}),
        "api-run-flag": sent("api_run", {"again": "true"}),
        "api-run-more": sent("api_run", {"id": "c"}),
        "api-run-list": sent("api_run", []),
        "api-run-broken": sent("api_run", b"{"),
        "api-run-empty": sent("api_run"),
        "api-stop": sent("api_stop"),
        "api-remove": sent("api_remove", query=b"force=true"),
        "api-remove-maybe": sent("api_remove", query=b"force=1"),
        "api-query": sent("api_remove", query=b"a=%zz"),
        "api-give": sent("api_give"),
        "api-take": sent("api_take", param=b""),
        "api-define": sent("api_define", {"actions": words}),
        "api-define-none": sent("api_define", {}),
        "api-define-twice": sent("api_define", {"actions": ["view", "view"]}),
        "api-define-many": sent("api_define", {"actions": words + ["more"]}),
        "api-define-word": sent("api_define", {"actions": "view"}),
        "api-define-number": sent("api_define", {"actions": [1]}),
        "api-undefine": sent("api_undefine"),
        "api-release": sent("api_release"),
        "api-end": sent("api_end", param=b"9223372036854775807"),
        "api-end-more": sent("api_end", param=b"9223372036854775808"),
        "api-end-zero": sent("api_end", param=b"0"),
        "api-end-no-utf8": sent("api_end", param=b"\xff\n"),
        "api-revoke": sent("api_revoke"),
        "api-token": sent("api_token", {"name": "laptop", "days": 7, "actions": ["view"]}),
        "api-token-no-name": sent("api_token", {"days": 7}),
        "api-token-empty": sent("api_token", {"name": ""}),
        "api-token-days": sent("api_token", {"name": "x", "days": "7"}),
        "api-token-many-days": sent("api_token", {"name": "x", "days": 367}),
        "api-token-half-days": sent("api_token", b'{"name":"x","days":1.5}'),
        "cut": b"\0",
    }


TARGETS = [audit_file, web_input]
