#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The audit log in the service's database: a row for each change, in its transaction, and a chain that audit_book.py,
the other implementation, reads as well."""
import json
import os
import re
import sqlite3
import stat

import grpc
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

import audit_book
import tap
from harness import Process, cli, program
from hook_receiver import Hooks
from people import Caller, create, service, user
from sign_in import PASSWORD, Page
from workflow_parties import Executor, Submitter, node, raw

FULL = grpc.StatusCode.RESOURCE_EXHAUSTED


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


def fill(caller):
    """Makes and revokes a token until that is refused; what is said then."""
    for _ in range(256):
        if caller.code("AddToken", name="x") is FULL:
            return caller.text("AddToken", name="x")
        caller.code("RevokeToken", name="x")
    raise AssertionError("nothing was refused")


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
        for row, said in ((rows[5], {"role": "runner", "user": "anna"}), (rows[9], {"force": True})):
            about = json.loads(row["about"])
            assert len(about.pop("trace")) == 32 and about == said, row
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


def users_and_strangers_can_t_fill_it():
    """Whoever fills it, and however many they are, is suspended all the same."""
    with service(MAX_AUDIT_ROWS="64") as running:
        users = [user(running, f"u{number}") for number in range(8)]
        for number in range(64):
            one = users[number % len(users)]
            if one.code("AddToken", name="more") is FULL and "audit log has 60 rows" in one.text("AddToken", name="more"):
                break
            one.code("RevokeToken", name="more")
        assert 60 <= len(rows_of(running)) <= 62
        assert {one.code("AddToken", name="last") for one in users} == {FULL}
        before = len(rows_of(running))
        assert running.root.code("SuspendUser", name="u0") is None
        assert [brief(row)[0] for row in rows_of(running)][before:] == ["SuspendUser"]


def what_takes_away_has_room_where_nothing_else_has():
    """What goes on without its user: webhooks, workflows, executors."""
    with service(MAX_AUDIT_ROWS="256") as running:
        anna = Submitter(running, "anna")
        running.root("SetMember", workspace="default", user="anna", role="administrator")
        hooks = Hooks(running.channel, anna.caller.metadata)
        number = hooks("Create", url="https://hooks.example.org/").webhook.number
        workflow = anna.submit([node("a")], {"t": [raw(X25519PrivateKey.generate())]}).id
        executor = Executor(running, anna.caller)
        create(running.root, "c")
        for each in range(240 - len(rows_of(running))):
            running.root("DefineRole", computation_id="c", role="judge", actions=["view", "edit"][:1 + each % 2])
        assert hooks.code("Create", url="https://more.example.org/") is FULL
        assert anna.caller.code("AddToken", name="more") is FULL
        anna.call("Cancel", id=workflow)
        executor.call("RemoveExecutor", number=executor.number)
        hooks("Disable", number=number)
        assert hooks.code("Enable", number=number) is FULL
        hooks("Delete", number=number)
        assert [brief(row)[0] for row in rows_of(running)][240:] == ["Cancel", "RemoveExecutor", "Disable", "Delete"]


def who_fills_it_is_refused_before_others():
    """He makes and revokes tokens, then signs in and out; all others go on."""
    with Page(MAX_AUDIT_ROWS="256") as page:
        page.user("eve")
        page.user("bert")
        eve, bert = (Caller(page.service.channel, page.root("AddToken", user=name, name="t").token) for name in ("eve", "bert"))
        refused = fill(eve)
        assert "user eve made " in refused and "ask who administers the service" in refused and "audit trim" in refused, refused
        came_in = 0
        while page.browser().try_in("eve", PASSWORD).status == 303:
            came_in += 1
            assert came_in < 256
        assert came_in  # what else she has done does not keep her out
        assert eve.code("AddToken", name="more") is FULL
        # Not she alone is told.
        page.service.process.wait_line("'user eve' fills the audit log, and is refused: ")
        create(bert, "his")
        assert bert.code("AddToken", name="more") is None and bert.code("RevokeToken", name="more") is None
        browser = page.browser().sign_in("bert")
        assert browser.post("/sign-out", csrf=browser.csrf()).status == 303 and not browser.is_in()
        assert page.root.code("RevokeToken", user="eve", name="t") is None
        assert page.root.code("RemoveUser", name="eve") is None
        rows = rows_of(page)
        assert len(rows) < 248 and [brief(row)[:2] for row in rows[-2:]] == [("RevokeToken", "user eve"), ("RemoveUser", "user eve")]
        # Saved and cut, it has room for all.
        path = page.folder("saved.jsonl")
        assert tool(page, "trim", tool(page, "export", path).ok().split("head ")[1].strip()).status == 0
        assert "user bert made " in fill(bert)


def they_outlive_the_service():
    with service() as running:
        create(running.root, "one")
        running.process.finish()
        running.start()
        running.root = Caller(running.channel)
        create(running.root, "two")
        assert [brief(row)[1] for row in rows_of(running)] == ["computation one", "computation two"]


def tool(running, *words, token=None):
    more = {}
    if token:
        more["COMPUTATIONS_GRPC_TOKEN_FILE"] = running.folder.write("token", token + "\n")
        os.chmod(more["COMPUTATIONS_GRPC_TOKEN_FILE"], 0o600)
    return cli("audit", *words, COMPUTATIONS_GRPC_URL="unix:" + running.folder("admin.sock"), **more)


def filled(running, count):
    for number in range(count):
        create(running.root, f"c{number}")


def both_read_what_is_saved():
    with service() as running:
        path = running.folder("audit.jsonl")
        assert "no row, head 0:" in tool(running, "export", path).ok()
        with open(path, "rb") as file:
            assert audit_book.verified(file.read())[0] == []
        filled(running, 300)  # more than a page
        refused = tool(running, "export", path)
        assert refused.status == 1 and "is there already" in refused.err and "--force" in refused.err, refused
        said = tool(running, "export", path, "--force").ok()
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        with open(path, "rb") as file:
            data = file.read()
        rows, head = audit_book.verified(data)
        assert len(rows) == 300 and audit_book.head_text(head) in said, said
        assert tool(running, "verify", path).ok() == said.replace("saved", "whole")
        # what the other implementation wrote is read here
        again = audit_book.written([{"time": 7, "who": 'a "\u2028<', "what": "x\ty"}, {"time": 8}], after=head)
        other = running.folder.write("other.jsonl", again.decode())
        end = audit_book.head_text(audit_book.verified(again)[1])
        assert f"whole: rows 301 to 302, head {end}" in tool(running, "verify", other).ok()
        assert tool(running, "verify", other, "--head", audit_book.head_text(head)).ok()
        assert tool(running, "verify", path, "--head", audit_book.head_text(head)).ok()


def what_was_changed_in_a_file_is_found_by_both():
    with service() as running:
        path = running.folder("audit.jsonl")
        filled(running, 5)
        tool(running, "export", path).ok()
        with open(path, "rb") as file:
            lines = file.read().splitlines(keepends=True)
        whole = b"".join(lines)
        head = audit_book.head_text(audit_book.verified(whole)[1])
        anew = audit_book.written([{"time": 1, "who": "nobody"}] * 5)
        edits = {"row 2 stands where row 1": lines[:1] + lines[2:], "row 3 stands where row 2": lines[:2] + lines[3:],
                 "row 1 stands where row 2": lines[:2] + lines[1:], "without its last line": lines[:-1],
                 "names row 5, and the rows end with 4": lines[:5] + lines[6:],
                 "row 2 does not fit": [whole.replace(b"computation c1", b"computation c9")],
                 "the first line": lines[1:], "it is empty": []}
        for words, edited in edits.items():
            data = b"".join(edited)
            with open(path, "wb") as file:
                file.write(data)
            said = tool(running, "verify", path)
            assert said.status == 3 and words in said.err, (words, said)
            try:
                audit_book.verified(data)
                raise AssertionError(words)
            except (audit_book.Wrong, ValueError, KeyError):
                pass
        with open(path, "wb") as file:
            file.write(anew)
        assert tool(running, "verify", path).ok(), "it is whole in itself"
        said = tool(running, "verify", path, "--head", head)
        assert said.status == 3 and "row 5 has another digest than the head that was given" in said.err, said
        for wrong in ("5", "5:00", "x:" + "0" * 64):
            assert tool(running, "verify", path, "--head", wrong).status == 2
        assert tool(running, "verify", running.folder("none")).status == 2


def who_may_read_it():
    with service() as running:
        root = running.root
        root("AddUser", name="carl", auditor=True)
        tokens = {"carl": root("AddToken", user="carl", name="t", actions=["view"]).token}
        for name, administrator in (("anna", True), ("eve", False)):
            root("AddUser", name=name, administrator=administrator)
            tokens[name] = root("AddToken", user=name, name="t").token
        narrow = root("AddToken", user="anna", name="narrow", actions=["view"]).token
        filled(running, 1)
        assert re.search(r"\bCreate +computation c0\b", tool(running, "list", token=tokens["carl"]).ok())
        assert "user carl" in tool(running, "list", "--json", token=tokens["anna"]).ok()
        for token in (tokens["eve"], narrow):
            said = tool(running, "list", token=token)
            assert said.status == 1 and "may not audit this service" in said.err, said
        carl = Caller(running.channel, tokens["carl"])
        assert carl.code("WitnessLeaves", first=0, count=1) is grpc.StatusCode.OUT_OF_RANGE  # he may: there is none
        assert carl.code("ListUsers") is grpc.StatusCode.PERMISSION_DENIED
        head = audit_book.head_text((1, b"\0" * 32))
        for name in ("carl", "eve"):
            assert tool(running, "trim", head, token=tokens[name]).status == 1
        assert carl("Whoami").auditor and not carl("Whoami").administrator
        assert [u.auditor for u in root("ListUsers").users] == [True, False, False]
        # Later, too, and no more; by those alone who administer the service.
        environment = dict(COMPUTATIONS_GRPC_URL="unix:" + running.folder("admin.sock"))
        assert "eve is an auditor" in cli("user", "auditor", "eve", **environment).ok()
        assert "user carl" in tool(running, "list", token=tokens["eve"]).ok()
        assert "carl is no auditor" in cli("user", "auditor", "carl", "--end", **environment).ok()
        said = tool(running, "list", token=tokens["carl"])
        assert said.status == 1 and "may not audit this service" in said.err, said
        assert cli("user", "auditor", "nobody", **environment).status == 1
        eve = Caller(running.channel, tokens["eve"])
        assert eve.code("SetAuditor", name="carl") is grpc.StatusCode.PERMISSION_DENIED
        told = [(row["object"], row["before"], row["after"]) for row in rows_of(running)
                if row["what"].endswith("/SetAuditor") and row["outcome"] == "OK"]
        assert told == [("user eve", "no auditor", "auditor"), ("user carl", "auditor", "no auditor")], told


def a_log_is_cut_behind_what_was_saved():
    with service(MAX_AUDIT_ROWS="64") as running:
        path, rest = running.folder("old.jsonl"), running.folder("rest.jsonl")
        filled(running, 64)
        assert "64 rows" in running.root.text("AddUser", name="late")
        head = tool(running, "export", path).ok().split("head ")[1].strip()
        wrong = tool(running, "trim", head[:-1] + ("0" if head[-1] != "0" else "1"))
        assert wrong.status == 1 and "row 64 has another digest" in wrong.err, wrong
        assert tool(running, "trim", "64").status == 2
        assert "begins with row 65" in tool(running, "trim", head).ok()
        running.root("AddUser", name="late")
        assert tool(running, "trim", head).status == 1
        said = tool(running, "export", rest).ok()
        assert "saved: rows 65 to " in said, said
        with open(rest, "rb") as file:
            rows, _ = audit_book.verified(file.read(), audit_book.head_of(head))
        assert [brief(row)[0] for row in rows if row["outcome"] == "OK"] == ["TrimAudit", "AddUser"], rows
        assert rows[0]["object"] == head and json.loads(rows[0]["about"])["rows"] == 64, rows
        assert tool(running, "verify", rest, "--head", head).ok()


def it_is_listed_in_every_form():
    with service() as running:
        filled(running, 3)
        create(running.root, "late")
        head, *rows = tool(running, "list", "--last", "2").ok().splitlines()
        assert head.split() == ["NUMBER", "TIME", "WHO", "WHAT", "OBJECT", "BEFORE", "AFTER", "OUTCOME", "CAUSE"], head
        assert [row.split()[0] for row in rows] == ["3", "4"] and "computation late" in rows[1], rows
        assert {"FROM", "METHOD", "ABOUT"} < set(tool(running, "list", "-o", "wide").ok().splitlines()[0].split())
        late = json.loads(tool(running, "list", "-o", "json").ok())[3]
        assert (late["number"], late["method"], late["object"], late["outcome"]) == (
            4, "computations.ComputationService/Create", "computation late", "OK"), late
        assert tool(running, "list", "-o", "yaml").ok().count("\n  what: ") == 4
        lines = [json.loads(line) for line in tool(running, "list", "--json").ok().splitlines()]
        assert lines == rows_of(running) and len(lines) == 4, lines
        tool(running, "list", "--json", "-o", "yaml").refused(2, "either --json", "--output")


def it_is_followed():
    with service() as running:
        filled(running, 3)
        process = Process(["sh", "-c", 'exec "$0" audit follow --last 1 >&2', program("cocos-cli")],
                          {"COMPUTATIONS_GRPC_URL": "unix:" + running.folder("admin.sock")})
        try:
            process.wait_line(r"^3  .*Create  computation c2  .*OK$")
            create(running.root, "late")
            process.wait_line(r"^4  .*Create  computation late  .*OK$")
        finally:
            process.finish()


if __name__ == "__main__":
    tap.run([each_change_is_a_row, a_refusal_is_a_row_and_changes_nothing, what_has_no_row_is_not_done,
             users_and_strangers_can_t_fill_it, what_takes_away_has_room_where_nothing_else_has,
             who_fills_it_is_refused_before_others,
             they_outlive_the_service, both_read_what_is_saved, what_was_changed_in_a_file_is_found_by_both,
             who_may_read_it, a_log_is_cut_behind_what_was_saved, it_is_listed_in_every_form, it_is_followed])
