#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The audit log in the service's database: a row for each change, in its transaction, and a chain that audit_book.py,
the other implementation, reads as well."""
import json
import os
import sqlite3

import grpc

import audit_book
import tap
from people import Caller, create, service, user


def rows_of(running):
    """Those of the database, checked by the other implementation; refusals' come behind their answers."""
    running.root("List")
    database = sqlite3.connect(f"file:{os.path.join(running.folder('state'), 'computations.db')}?mode=ro", uri=True)
    lines = [line for (line,) in database.execute("SELECT line FROM audit_rows ORDER BY number")]
    (after,) = database.execute("SELECT head FROM audit_start").fetchone()
    database.close()
    head = after
    for line in lines:
        row = json.loads(line)
        head = f"{row['number']}:{row['digest']}"
    text = "\n".join([f'{{"audit":"cocos-audit-v1","after":"{after}"}}', *lines, f'{{"head":"{head}"}}', ""])
    return audit_book.verified(text.encode())[0]


def brief(row):
    return row["what"].split("/")[1], row["object"], row["outcome"]


def each_change_is_a_row():
    with service() as running:
        root, anna = running.root, None
        create(root, "one")
        anna = user(running, "anna")
        create(anna, "two")
        root("Stop", id="one")
        root("GiveRole", computation_id="two", role="runner", user="anna")
        root("DefineRole", computation_id="two", role="judge", actions=["view"])
        root("DefineRole", computation_id="two", role="judge", actions=["view", "edit"])
        root("SuspendUser", name="anna")
        root("Remove", id="two", force=True)
        root("List")  # changes nothing
        rows = rows_of(running)
        assert [brief(row) for row in rows] == [
            ("Create", "computation one", "OK"), ("AddUser", "user anna", "OK"), ("AddToken", "user anna", "OK"),
            ("Create", "computation two", "OK"), ("Stop", "computation one", "OK"),
            ("GiveRole", "computation two", "OK"), ("DefineRole", "computation two", "OK"),
            ("DefineRole", "computation two", "OK"), ("SuspendUser", "user anna", "OK"),
            ("Remove", "computation two", "OK")], rows
        me = f"uid {os.geteuid()}"
        assert [row["who"] for row in rows] == [me] * 3 + ["user anna"] + [me] * 6, rows
        assert all(row["from"].startswith("unix:") for row in rows), rows
        assert json.loads(rows[5]["about"]) == {"role": "runner", "user": "anna"}, rows[5]
        assert json.loads(rows[9]["about"]) == {"force": True}, rows[9]
        assert [(row["before"], row["after"]) for row in rows[4:]] == [
            ("Created", "Cancelled"), ("", ""), ("", "view"), ("view", "view edit"), ("active", "suspended"),
            ("Created", "")], rows


def a_refusal_is_a_row_and_changes_nothing():
    with service() as running:
        anna = user(running, "anna")
        before = len(rows_of(running))
        assert anna.code("AddUser", name="eve") is grpc.StatusCode.PERMISSION_DENIED
        assert running.root.code("Remove", id="none") is grpc.StatusCode.NOT_FOUND
        assert anna.code("ListUsers") is grpc.StatusCode.PERMISSION_DENIED  # it only reads, and is told all the same
        create(running.root, "last")
        rows = rows_of(running)[before:]
        assert [brief(row) for row in rows] == [
            ("AddUser", "user eve", "PERMISSION_DENIED"), ("Remove", "computation none", "NOT_FOUND"),
            ("ListUsers", "", "PERMISSION_DENIED"), ("Create", "computation last", "OK")], rows
        assert rows[0]["who"] == "user anna" and "may not" in rows[0]["cause"], rows
        assert rows[1]["cause"] == "no computation 'none'", rows


def what_has_no_row_is_not_done():
    """The log is full, of which the last eighth is not for refusals."""
    with service(MAX_AUDIT_ROWS="64") as running:
        root = running.root
        for number in range(60):
            assert root.code("Remove", id=f"none{number}") is grpc.StatusCode.NOT_FOUND
        assert len(rows_of(running)) == 56
        for number in range(8):
            create(root, f"c{number}")
        assert len(rows_of(running)) == 64
        words = root.text("AddUser", name="late")
        assert "the audit log has 64 rows" in words and "audit trim" in words, words
        assert not root("ListUsers").users
        assert len(rows_of(running)) == 64


def they_outlive_the_service():
    with service() as running:
        create(running.root, "one")
        running.process.finish()
        running.start()
        running.root = Caller(running.channel)
        create(running.root, "two")
        assert [brief(row)[1] for row in rows_of(running)] == ["computation one", "computation two"]


if __name__ == "__main__":
    tap.run([each_change_is_a_row, a_refusal_is_a_row_and_changes_nothing, what_has_no_row_is_not_done,
             they_outlive_the_service])
