#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Invitations by mail: what is sent to whom, by which server, how often, and what nobody else gets of it."""
import contextlib
import email.utils
import json
import os
import sqlite3
import subprocess
import time
import types

import tap
from harness import PATIENCE, Folder, authority, cli, program, until
from sign_in import PASSWORD, Browser
from smtp_server import FROM, Mailbox, again, invite, listed, mailing, refusal, stopped, until_mail

HOUR = 3600 * 1000


def sql(running, text, *values):
    """As if time had passed: the service has the same file open."""
    with contextlib.closing(sqlite3.connect(running.folder("state/computations.db"), timeout=PATIENCE)) as db, db:
        return db.execute(text, values).fetchall()


def sealed(running):
    """What is kept of mails' texts."""
    return sql(running, "SELECT sealed FROM secrets WHERE kind = 'mail'")


def later(running, **settings):
    """As again(), when the pause behind the last try is over."""
    stopped(running)
    sql(running, "UPDATE mails SET due = 0 WHERE state = 0")
    again(running, **settings)


def audit(running):
    return [json.loads(line) for (line,) in sql(running, "SELECT line FROM audit_rows ORDER BY number")]


def page_of(running):
    return int(running.process.wait_line(r"page: port (\d+) of this machine")[1])


def a_link_is_mailed_and_told_to_nobody_else():
    with mailing() as running:
        made = invite(running, "Anna.Ng+lab@example.com", role="viewer", note="the north clinic")
        assert (made.path, made.mailed_to) == ("", "Anna.Ng+lab@example.com")
        came = running.box.until()
        assert (came.sender, came.to, came.helo, came.is_tls) == (FROM, ["Anna.Ng+lab@example.com"], "mail.example.org", True)
        m = came.message
        assert not m.defects and m.keys() == ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
                                              "Content-Transfer-Encoding", "Auto-Submitted"], m.keys()
        assert (m["From"], m["To"]) == (FROM, "Anna.Ng+lab@example.com") and m["Subject"] == "Invitation to workspace default"
        assert m["Message-ID"].endswith("@mail.example.org>") and m["Auto-Submitted"] == "auto-generated"
        assert abs(email.utils.parsedate_to_datetime(m["Date"]).timestamp() - time.time()) < 3600
        assert all(len(line) <= 998 for line in came.raw.split(b"\r\n")) and came.raw.isascii()
        assert "as viewer, by the service's operator." in came.text and "north clinic" not in came.text
        row = until_mail(running, made.number, "sent")
        assert (row.mail, row.mail_problem) == ("Anna.Ng+lab@example.com", "")
        # The link works, and is nowhere else: not in the database, not in logs.
        path = came.path()
        got = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://localhost:{page_of(running)}{path}"],
                             capture_output=True, text=True, check=True)
        assert got.stdout == "200", got.stdout
        assert sql(running, "SELECT state FROM mails") == [(1,)] and sealed(running) == []
        secret = path.rsplit("/", 1)[1]
        lines = running.process.text().splitlines()
        assert not [line for line in lines if secret in line or "anna" in line.lower() and not line.startswith("audit: ")], lines
        rows = audit(running)
        assert secret not in json.dumps(rows)
        [row] = [r for r in rows if r["what"].endswith("/Invite")]
        assert json.loads(row["about"])["mail"] == "Anna.Ng+lab@example.com" and row["after"].endswith(", mailed"), row


def tls_is_verified_and_comes_first():
    for make in (Mailbox, lambda tls: Mailbox(tls, smtps=True)):
        # Another authority than that of the server's certificate.
        with Folder() as other, mailing(make) as running:
            authority(other)
            again(running, SMTP_CA=other("ca.pem"))
            made = invite(running)
            until(lambda: listed(running)[made.number].mail_problem.startswith("TLS: "), "it is refused")
            assert not running.box.came and not set(running.box.verbs) & {"AUTH", "MAIL", "RCPT", "DATA"}, running.box.verbs
            later(running, SMTP_CA=running.tls("ca.pem"))
            assert running.box.until().is_tls
            until_mail(running, made.number, "sent")
    # A server without STARTTLS, or somebody on the way who takes it away: nothing is said to it.
    with mailing(lambda tls: Mailbox(tls, starttls=False)) as running:
        made = invite(running)
        until(lambda: listed(running)[made.number].mail_problem, "it is refused")
        assert not set(running.box.verbs) & {"AUTH", "MAIL", "RCPT", "DATA"}, running.box.verbs
        # On this machine, where no authorities are named, it is in plaintext.
        later(running, SMTP_CA=None)
        assert not running.box.until().is_tls


def a_password_is_said_by_tls_alone():
    with mailing(lambda tls: Mailbox(tls, password="sesame")) as running:
        made = invite(running)
        until(lambda: "530" in listed(running)[made.number].mail_problem, "it asks who that is")
        assert listed(running)[made.number].mail_state == "waiting", "the operator may set it right"
        path = running.folder.write("password", "open\n")
        os.chmod(path, 0o600)
        later(running, SMTP_USER="cocos", SMTP_PASSWORD_FILE=path)
        until(lambda: "535" in listed(running)[made.number].mail_problem, "it was tried")
        running.folder.write("password", "sesame\n")
        os.chmod(path, 0o640)
        later(running)
        came = running.box.until()
        assert came.user == "cocos" and {p[2] for p in running.box.passwords} == {True}
        until_mail(running, made.number, "sent")
        assert "sesame" not in running.process.text()


def what_is_refused_for_now_is_tried_again():
    """Five services side by side, since each waits as long as it does."""
    with contextlib.ExitStack() as stack:
        waiting = []
        for answers in ({"RCPT": ["450 later", None]}, {"CONNECT": ["421 busy", None]}, {"MAIL": ["451 later", None]},
                        {"DATA": ["451 later", None]}, {"END": ["452 full", None]}):
            code = next(iter(answers.values()))[0][:3]  # which is gone from there as soon as it was said
            running = stack.enter_context(mailing(lambda tls, answers=answers: Mailbox(tls, **answers)))
            made = invite(running)
            waiting.append((running, made.number, code))
        for running, number, code in waiting:
            running.process.wait_line(rf"mail of invitation {number} was not taken: .*{code}")
            until_mail(running, number, "sent")
            # What was said behind the text came twice, as the same message.
            assert len({c.message["Message-ID"] for c in running.box.came}) == 1


def what_is_refused_for_good_is_given_up():
    for answers in ({"RCPT": ["550 nobody"]}, {"MAIL": ["552 too much"]}, {"END": ["554 no"]}):
        with mailing(lambda tls, answers=answers: Mailbox(tls, **answers)) as running:
            made = invite(running)
            row = until_mail(running, made.number, "given up")
            code = next(iter(answers.values()))[0][:3]
            assert code in row.mail_problem, row.mail_problem
            assert running.box.verbs.count("MAIL") == 1 and sealed(running) == []
            running.process.wait_line(rf"mail of invitation {made.number} is given up: .*{code}")
            [row] = [r for r in audit(running) if r["what"] == "people.PeopleService/Mail"]
            assert (row["who"], row["object"]) == ("service", f"invitation {made.number}")
            assert row["after"].startswith("given up: "), row


def it_is_given_up_after_a_day():
    with mailing(lambda tls: Mailbox(tls, RCPT=["450 later"])) as running:
        made = invite(running)
        until(lambda: listed(running)[made.number].mail_problem, "it was tried")
        sql(running, f"UPDATE mails SET created = created - {24 * HOUR}, due = 0")
        again(running)
        until_mail(running, made.number, "given up")
        made = invite(running, "bert@example.com")
        until(lambda: listed(running)[made.number].mail_problem, "it was tried")
        sql(running, "UPDATE mails SET tries = 7, due = 0 WHERE state = 0")
        again(running)
        until_mail(running, made.number, "given up")


def a_slow_server_keeps_nobody_waiting():
    for where in ("CONNECT", "RCPT", "END"):
        with mailing(lambda tls, where=where: Mailbox(tls, **{where: ["hang"]})) as running:
            made = invite(running)
            until(lambda: where == "CONNECT" or running.box.verbs, "it hangs")
            for i in range(3):
                running.root("AddUser", name=f"user{i}")
            assert listed(running)[made.number].mail_state == "waiting"
            # It ends at once, too, and sends it after the next start.
            running.process.process.terminate()
            assert running.process.process.wait(PATIENCE) == 0
            running.box.answers.clear()
            later(running)
            until_mail(running, made.number, "sent")
    with mailing(lambda tls: Mailbox(tls, EHLO=["flood"])) as running:
        made = invite(running)
        until(lambda: listed(running)[made.number].mail_problem, "it is read no further")


def killed_in_between_nothing_is_lost():
    with mailing(lambda tls: Mailbox(tls, END=["hang", None])) as running:
        made = invite(running)
        first = running.box.until()
        again(running)  # the text was said, and the answer not heard
        second = running.box.until(2)
        assert first.raw == second.raw, "one message, as whoever gets both sees"
        until_mail(running, made.number, "sent")
        assert sealed(running) == []


def what_is_good_for_nothing_is_not_sent():
    with mailing(lambda tls: Mailbox(tls, RCPT=["450 later"])) as running:
        made = invite(running)
        until(lambda: listed(running)[made.number].mail_problem, "it was tried")
        running.root("RevokeInvitation", workspace="default", number=made.number)
        running.box.answers.clear()
        other = invite(running, "bert@example.com")
        until_mail(running, other.number, "sent")
        assert [c.to for c in running.box.came] == [["bert@example.com"]]
        assert sorted(sql(running, "SELECT state FROM mails")) == [(1,), (3,)] and sealed(running) == []


def what_waits_is_sealed():
    """And where the key is lost it is given up, as whatever a server wants never."""
    with mailing(lambda tls: Mailbox(tls, RCPT=["450 later"])) as running:
        made = invite(running)
        until(lambda: listed(running)[made.number].mail_problem, "it was tried")
        [(bytes_,)] = sealed(running)
        assert len(bytes_) > 300 and b"invite" not in bytes_ and b"anna" not in bytes_, bytes_
        stopped(running)
        sql(running, "UPDATE mails SET due = 0")
        os.unlink(running.folder("state/secrets.key"))
        running.box.answers.clear()
        again(running, SECRETS_OLD_KEY="lost")
        row = until_mail(running, made.number, "given up")
        assert row.mail_problem == "the mail's text is gone: revoke its invitation, and invite again", row.mail_problem
        [row] = [r for r in audit(running) if r["what"] == "people.PeopleService/Mail"]
        assert (row["who"], row["object"]) == ("service", f"invitation {made.number}"), row
        # The next one goes as ever.
        other = invite(running, "bert@example.com")
        until_mail(running, other.number, "sent")
        assert [c.to for c in running.box.came] == [["bert@example.com"]] and sealed(running) == []


def nobody_is_mailed_without_an_end():
    with mailing() as running:
        for i in range(3):
            invite(running, f"Anna+{i}@example.com")
        assert "3 invitations were mailed to that address within a day" in refusal(running, "anna@EXAMPLE.com")
        # Revoking them, or another workspace, is no way around it.
        for number in listed(running):
            running.root("RevokeInvitation", workspace="default", number=number)
        running.root("AddWorkspace", name="lab")
        assert "to that address" in refusal(running, "anna@example.com", workspace="lab")
        running.root("RemoveWorkspace", name="lab")
        for i in range(17):
            invite(running, f"user{i}@example.com")
        assert "workspace default has mailed 20 invitations within an hour" in refusal(running, "more@example.com")
        assert running.root("Invite", workspace="default").path, "a link is shown all the same"
        running.root("AddWorkspace", name="other")
        invite(running, "more@example.com", workspace="other")
        sql(running, f"UPDATE mails SET created = created - {HOUR}")
        invite(running, "another@example.com")
        assert "to that address" in refusal(running, "anna@example.com")
        sql(running, f"UPDATE mails SET created = created - {24 * HOUR}")
        invite(running, "anna@example.com")


def addresses_that_are_none_are_refused():
    bad = ["anna", "@example.com", "anna@", "anna@localhost", "anna@[127.0.0.1]", "anna@127.0.0.1", "a b@example.com",
           "anna@example.com,bert@example.com", "anna@example.com\r\nBcc: x@example.org", "anna@example.com\n", "<anna@example.com>",
           '"anna"@example.com', "anna@example..com", "anna@-example.com", ".anna@example.com", "an..na@example.com", "-f@example.com",
           "anna@example.com> SIZE=1", "ann\u00e4@example.com", "a" * 65 + "@example.com", "a@" + "b" * 64 + ".com",
           "a@" + "b." * 130 + "com"]
    with mailing() as running:
        for address in bad:
            assert "mail" in refusal(running, address), address
        again(running, SMTP_URL=None, SMTP_FROM=None, SMTP_CA=None)
        for address in bad:
            assert "mail" in refusal(running, address), address
        assert not running.box.verbs and not listed(running)


def without_a_server_the_link_is_shown():
    with mailing() as running:
        again(running, SMTP_URL=None, SMTP_FROM=None, SMTP_CA=None)
        made = invite(running)
        assert made.path.startswith("/invite/") and not made.mailed_to
        running.root("AddUser", name="head", administrator=True)
        running.root("SetPassword", user="head", password=PASSWORD)
        head = Browser(types.SimpleNamespace(port=page_of(running)), "127.0.0.1").sign_in("head")
        assert 'name="mail"' not in head.get("/w/default/members").body.decode()
        shown = head.post("/w/default/invite", csrf=head.csrf(), role="viewer", days="3", note="")
        assert shown.status == 200 and b"/invite/" in shown.body, shown.page().words()
        settings = {"COMPUTATIONS_GRPC_URL": "unix:" + running.socket}
        done = cli("invitation", "create", "default", "--mail", "anna@example.com", **settings)
        assert "/invite/" in done.ok() and "mail is not configured at the service: give the link on" in done.err
        assert sql(running, "SELECT count(*) FROM mails") == [(0,)]


def the_command_line_and_the_page_say_so():
    with mailing() as running:
        settings = {"COMPUTATIONS_GRPC_URL": "unix:" + running.socket}
        done = cli("invitation", "create", "default", "--mail", "anna@example.com", **settings)
        assert done.ok() == "mailed to anna@example.com\n" and "/invite/" not in done.err
        until_mail(running, 1, "sent")
        [row] = json.loads(cli("invitation", "list", "default", "-o", "json", **settings).ok())
        assert (row["mail"], row["mail_state"], row["mail_problem"]) == ("anna@example.com", "sent", ""), row
        cli("invitation", "create", "default", "--mail", "", **settings).refused(2, "--mail names no address")
        cli("invitation", "create", "default", "--mail", "anna", **settings).refused(1, "no @ in it")
        running.root("AddUser", name="head", administrator=True)
        running.root("SetPassword", user="head", password=PASSWORD)
        token = running.root("AddToken", user="head", name="t").token
        port = page_of(running)

        def api(method, path, body=None, **headers):
            given = [f"-HAuthorization: Bearer {token}", "-HContent-Type: application/json",
                     *[f"-H{k.replace('_', '-')}: {v}" for k, v in headers.items()]]
            got = subprocess.run(["curl", "-s", "-X", method, *given, *(["-d", json.dumps(body)] if body is not None else []),
                                  f"http://localhost:{port}{path}"], capture_output=True, check=True)
            return json.loads(got.stdout)
        for _ in range(2):  # the second is the first's answer again
            made = api("POST", "/api/workspaces/default/invitations", {"mail": "bert@example.com"}, Idempotency_Key="one")
            assert made["mailed_to"] == "bert@example.com" and not {"link", "withheld"} & set(made), made
        running.box.until(2)
        # On the page, where an address is asked for only with a server.
        head = Browser(types.SimpleNamespace(port=port), "127.0.0.1").sign_in("head")
        assert 'name="mail"' in head.get("/w/default/members").body.decode()
        shown = head.post("/w/default/invite", csrf=head.csrf(), mail="carl@example.com", role="viewer", days="3", note="")
        assert shown.status == 200 and "It is mailed to carl@example.com" in shown.page().words(), shown.page().words()
        assert b"/invite/" not in shown.body
        bad = head.post("/w/default/invite", csrf=head.csrf(), mail="carl", role="viewer", days="3", note="")
        assert bad.status == 400 and "no address that mail goes to" in bad.page().words(), bad.page().words()
        until_mail(running, 3, "sent")
        assert "mail to <bdi>carl@example.com</bdi>: sent" in head.get("/w/default/members").body.decode()
        running.root("RevokeInvitation", workspace="default", number=3)
        rows = api("GET", "/api/workspaces/default/invitations")["invitations"]
        assert [r.get("mail") for r in rows] == ["anna@example.com", "bert@example.com"], rows


def settings_that_make_no_sense_are_refused_at_the_start():
    with Folder() as folder:
        secret = folder.write("password", "sesame\n")
        os.chmod(secret, 0o644)
        base = {"WEB": "127.0.0.1:0", "SMTP_URL": "smtp://localhost", "SMTP_FROM": FROM}
        for change, wanted in (
                ({"SMTP_URL": "http://localhost"}, "is not smtp:// or smtps://"),
                ({"SMTP_URL": "smtp://user:word@localhost"}, "is not smtp:// or smtps://"),
                ({"SMTP_URL": "smtp://localhost/path"}, "is not smtp:// or smtps://"),
                ({"SMTP_URL": "smtp://localhost:0"}, "is not smtp:// or smtps://"),
                ({"SMTP_URL": "smtp://"}, "is not smtp:// or smtps://"),
                ({"SMTP_URL": None}, "SMTP_FROM does nothing without COMPUTATIONS_SMTP_URL"),
                ({"SMTP_FROM": None}, "needs COMPUTATIONS_SMTP_FROM"),
                ({"SMTP_FROM": "cocos"}, "COMPUTATIONS_SMTP_FROM"),
                ({"WEB": None}, "needs COMPUTATIONS_WEB, where"),
                ({"SMTP_USER": "cocos"}, "_USER is set and _PASSWORD_FILE is not"),
                ({"SMTP_USER": "co\tcos", "SMTP_PASSWORD_FILE": secret}, "1 to 128 characters"),
                ({"SMTP_USER": "cocos", "SMTP_PASSWORD_FILE": "password"}, "not an absolute path"),
                ({"SMTP_USER": "cocos", "SMTP_PASSWORD_FILE": secret}, "has mode 0644"),
                ({"SMTP_USER": "cocos", "SMTP_PASSWORD_FILE": folder("none")}, "SMTP_PASSWORD_FILE"),
                ({"SMTP_CA": folder("none")}, "COMPUTATIONS_SMTP_CA")):
            settings = {k: v for k, v in {**base, **change}.items() if v is not None}
            config = folder.write("conf", "".join(f"COMPUTATIONS_{k}={v}\n" for k, v in settings.items()) +
                                  f"COMPUTATIONS_STATE_DIR={folder('state')}\nCOMPUTATIONS_ADMIN_SOCKET={folder('s')}\n"
                                  "COMPUTATIONS_GRPC_PORT=0\n")
            for more in ((), ("--check",)):
                ran = subprocess.run([program("cocos-computations"), "--config", config, *more], capture_output=True, text=True,
                                     timeout=PATIENCE, check=False)
                assert ran.returncode and wanted in ran.stderr + ran.stdout, (change, more, ran.stdout, ran.stderr)
            assert "sesame" not in ran.stderr + ran.stdout
        os.chmod(secret, 0o640)
        for change, wanted in (({"SMTP_USER": "cocos", "SMTP_PASSWORD_FILE": secret},
                                f"by localhost, port 587, in plaintext on this machine and a password, from {FROM}; its links lead to this machine alone"),
                               ({"SMTP_URL": "smtps://mail.example.org"}, f"by mail.example.org, port 465, with TLS, from {FROM}"),
                               ({"SMTP_URL": "smtp://[2001:db8::1]:25"}, f"by 2001:db8::1, port 25, with STARTTLS, from {FROM}"),
                               (None, "no COMPUTATIONS_SMTP_URL is set")):
            settings = {**base, **change} if change else {}
            config = folder.write("conf", "".join(f"COMPUTATIONS_{k}={v}\n" for k, v in settings.items()) +
                                  f"COMPUTATIONS_STATE_DIR={folder('state')}\nCOMPUTATIONS_ADMIN_SOCKET={folder('s')}\n"
                                  "COMPUTATIONS_GRPC_PORT=0\n")
            ran = subprocess.run([program("cocos-computations"), "--config", config, "--check"], capture_output=True, text=True,
                                 timeout=PATIENCE, check=False)
            assert wanted in ran.stdout and "sesame" not in ran.stdout, ran.stdout


if __name__ == "__main__":
    tap.run([a_link_is_mailed_and_told_to_nobody_else,
             tls_is_verified_and_comes_first,
             a_password_is_said_by_tls_alone,
             what_is_refused_for_now_is_tried_again,
             what_is_refused_for_good_is_given_up,
             it_is_given_up_after_a_day,
             a_slow_server_keeps_nobody_waiting,
             killed_in_between_nothing_is_lost,
             what_is_good_for_nothing_is_not_sent,
             what_waits_is_sealed,
             nobody_is_mailed_without_an_end,
             addresses_that_are_none_are_refused,
             without_a_server_the_link_is_shown,
             the_command_line_and_the_page_say_so,
             settings_that_make_no_sense_are_refused_at_the_start])
