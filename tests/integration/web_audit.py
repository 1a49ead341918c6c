#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The audit log at the page and its API: the rows of the database, page by page, for those who read it."""
import json
import os
import sqlite3

import audit_book
import tap
from web_page import EVIL
from web_rights import Rights

ROWS = 50  # of a page


def rows_of(web, path="/api/audit"):
    """All of them, newest first, as the API gives them."""
    rows, query = [], ""
    while query is not None:
        answer = web.ask(path + query, unix=True).json()
        rows += answer["rows"]
        query = f"?before={answer['next']}" if answer["next"] else None
    return rows, answer["head"]


def verified(rows, after=audit_book.START):
    """Those rows as a file, read by the other implementation."""
    rows = rows[::-1]
    lines = [f'{{"audit":"cocos-audit-v1","after":"{audit_book.head_text(after)}"}}',
             *(audit_book.line_of(row, bytes.fromhex(row["digest"])) for row in rows),
             f'{{"head":"{rows[-1]["number"]}:{rows[-1]["digest"]}"}}', ""]
    return audit_book.verified("\n".join(lines).encode())


def it_is_shown_row_by_row():
    with Rights() as web:
        assert "No row yet" in web.ask("/audit", unix=True).page().words()
        assert web.ask("/api/audit", unix=True).json() == {"head": audit_book.head_text(audit_book.START), "rows": [], "next": None}
        assert audit_book.verified(web.ask("/audit.jsonl", unix=True).body)[0] == []
        web.root("AddUser", name="anna")
        web.root("SuspendUser", name="anna")
        assert web.root.code("Remove", id="none<i>")
        shown = web.ask("/audit", unix=True).page()
        words = shown.words()
        assert "AddUser 1" in words and "SuspendUser 2" in words and "active → suspended" in words, words
        assert "Remove 3" in words and "NOT_FOUND" in words and "computation none<i>" in words, words
        assert words.index("Remove 3") < words.index("AddUser 1") and f"uid {os.geteuid()}" in words, words
        rows, head = rows_of(web)
        assert head in words and audit_book.head_text(verified(rows)[1]) == head
        assert [row["what"].split("/")[1] for row in rows] == ["Remove", "SuspendUser", "AddUser"]


def it_is_paged():
    with Rights() as web:
        for number in range(2 * ROWS + 1):
            web.root("AddUser", name=f"u{number}")
        rows, _ = rows_of(web)
        assert [row["number"] for row in rows] == list(range(2 * ROWS + 1, 0, -1)) and len(verified(rows)[0]) == len(rows)
        for start, there, older in (("", 101, 52), ("?before=52", 51, 2), ("?before=2", 1, None)):
            page = web.ask("/audit" + start, unix=True).page()
            links = [link for link in page.links if link.startswith("/audit?")]
            assert links == ([f"/audit?before={older}"] if older else []), links
            assert f"AddUser {there} " in page.words() and f"AddUser {there + 1} " not in page.words()
            assert page.counts["tr"] == 1 + min(there, ROWS) and page.links.count("/audit") == 1 + bool(start), page.links
        # A row that has not come yet is before the newest; before the first there is none.
        assert web.ask("/api/audit?before=9223372036854775807", unix=True).json()["rows"][0]["number"] == 101
        assert web.ask("/api/audit?before=1", unix=True).json()["rows"] == []
        assert "no row before" in web.ask("/audit?before=1", unix=True).page().words()
        for wrong in ("0", "-1", "x", "01", "1x", "9223372036854775808", "c"):
            answer = web.ask("/api/audit?before=" + wrong, unix=True)
            assert answer.status == 400 and "number" in answer.problem()["detail"], (wrong, answer.body)
        assert web.ask("/api/audit?after=1", unix=True).status == 400


def what_was_cut_is_not_shown():
    with Rights() as web:
        for number in range(5):
            web.root("AddUser", name=f"u{number}")
        rows, _ = rows_of(web)
        through = (3, bytes.fromhex(rows[2]["digest"]))
        web.root("TrimAudit", through=audit_book.head_text(through))
        rows, head = rows_of(web)
        assert [row["number"] for row in rows] == [6, 5, 4] and audit_book.head_text(verified(rows, through)[1]) == head
        assert web.ask("/api/audit?before=4", unix=True).json() == {"head": head, "rows": [], "next": None}
        saved, end = audit_book.verified(web.ask("/audit.jsonl", unix=True).body, wanted=through)
        assert [row["number"] for row in saved] == [4, 5, 6] and audit_book.head_text(end) == head


def long_rows_are_shown_and_saved():
    """More than a page, and a file, have room for: texts as long as they may be, each byte of which is escaped."""
    with Rights() as web:
        web.root("AddUser", name="anna")
        head = verified(rows_of(web)[0])[1]
        web.service.channel.close()
        web.service.process.finish()
        texts = dict.fromkeys(audit_book.TEXTS, "<" * audit_book.TEXT_MAX)
        long = audit_book.written([{"time": 1, **texts, "about": EVIL}] * 100, after=head).decode().split("\n")[1:-2]
        with sqlite3.connect(os.path.join(web.folder("state"), "computations.db")) as database:
            for line in long:
                row = json.loads(line)
                database.execute("INSERT INTO audit_rows (number, line, digest) VALUES (?, ?, ?)",
                                 (row["number"], line, bytes.fromhex(row["digest"])))
        database.close()
        web.service.start()
        rows, head = rows_of(web)
        assert len(rows) == 101 and audit_book.head_text(verified(rows)[1]) == head
        page = web.ask("/audit", unix=True)
        assert page.status == 200 and b"<script>alert" not in page.body and page.page().counts["tr"] > 10
        answer = web.ask("/audit.jsonl", unix=True)
        assert answer.fields["content-disposition"] == 'attachment; filename="audit.jsonl"'
        saved, end = audit_book.verified(answer.body)
        assert audit_book.head_text(end) == head and saved[-1]["number"] == 101 and 60 < len(saved) < 101
        # No row more would have had room.
        assert (4 << 20) - len(long[0]) - 300 < len(answer.body) <= 4 << 20


def a_row_that_is_none_is_told():
    with Rights() as web:
        web.root("AddUser", name="anna")
        web.service.channel.close()
        web.service.process.finish()
        with sqlite3.connect(os.path.join(web.folder("state"), "computations.db")) as database:
            database.execute("UPDATE audit_rows SET line = replace(line, '\"time\"', '\"Time\"')")
        database.close()
        web.service.start()
        page = web.ask("/audit", unix=True)
        assert page.status == 200 and "Not a row" in page.page().words()


def auditors_read_it():
    """Who may read it on the command line, and nobody else; an auditor's page has no other word of the service's."""
    with Rights() as web:
        web.root("AddUser", name="eve", auditor=True)
        auditor = web.root("AddToken", user="eve", name="t", actions=["view"]).token
        runner = web.root("AddToken", user="eve", name="r", actions=["view", "run"]).token
        tokens = {auditor: 200, web.user("root", administrator=True): 200, runner: 200, web.user("anna"): 403,
                  web.user("narrow", administrator=True, actions=["view"]): 403, "cocos_" + "0" * 64: 401, None: 401}
        for path in ("/audit", "/api/audit", "/audit.jsonl"):
            for token, status in tokens.items():
                assert web.status(path, token) == status, (path, token, status)
        links = web.by("/audit", auditor).page().links
        assert "/audit" in links and "/cvms" not in links and "/users" not in links, links
        assert "/audit" not in web.by("/", web.root("AddToken", user="anna", name="2").token).page().links


if __name__ == "__main__":
    tap.run([it_is_shown_row_by_row, it_is_paged, what_was_cut_is_not_shown, long_rows_are_shown_and_saved,
             a_row_that_is_none_is_told, auditors_read_it])
