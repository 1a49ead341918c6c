#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""'cocos-cli login' and 'logout': a command line asks, somebody who has signed in lets it in; what others try there."""
import contextlib
import json
import os
import re
import sqlite3
import subprocess
import urllib.parse

import grpc

import tap
from elsewhere import Elsewhere
from harness import PATIENCE, Folder, authority, cli, credentials, program
from people import ALL, NOT_NOW, STRANGER, Caller, create
from sign_in import OTHER, PASSWORD, Page

INVALID, EXHAUSTED = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED
NOT_YET = grpc.StatusCode.FAILED_PRECONDITION
DEVICE = "/me/device"
NO_CODE = "no command line waits under this code"


class Asking:
    """cocos-cli login, while it waits."""

    def __init__(self, home, *options, **environment):
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "XDG_CONFIG_HOME": home, **environment}
        env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        self.process = subprocess.Popen([program("cocos-cli"), "login", *options], env=env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.shown = ""
        while not re.search(r"command line in'", self.shown):
            line = self.process.stdout.readline()
            assert line, self.process.communicate(timeout=PATIENCE)
            self.shown += line
        self.code = re.search(r"\n  ([A-Z]{4}-[A-Z]{4})\n", self.shown)[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=PATIENCE)

    def end(self, status=0):
        out, err = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == status, (self.process.returncode, out, err)
        return out + err


class Room(Page):
    """With a folder for what the CLI keeps, and Anna, who has signed in."""

    def __enter__(self):
        super().__enter__()
        self.home = self.folder("config")
        os.mkdir(self.home, 0o700)
        self.mine = dict(self.cli, XDG_CONFIG_HOME=self.home)
        self.user("anna")
        self.anna = self.browser().sign_in()
        return self

    def asking(self, *options):
        return Asking(self.home, *options, **self.cli)

    def kept(self):
        folder = os.path.join(self.home, "cocos", "logins")
        return [os.path.join(folder, name) for name in os.listdir(folder)] if os.path.isdir(folder) else []

    def tokens(self, user="anna"):
        return [t.name for t in self.root("ListTokens", name=user).tokens]

    def sql(self, text, *values):
        """As if time had passed: the service has the same file open."""
        with contextlib.closing(sqlite3.connect(self.database(), timeout=PATIENCE)) as db, db:
            db.execute(text, values)

    def database(self):
        state = self.folder("state")
        return next(os.path.join(state, name) for name in os.listdir(state) if name.endswith(".db"))


def admin_port(room):
    return int(room.service.process.wait_line(r"administrators: listening on \S+ port (\d+)")[1])


def see(browser, code, **more):
    return browser.post(DEVICE, csrf=browser.csrf(), code=code, **more)


def let_in(browser, code, password=PASSWORD):
    return browser.post(DEVICE + "/let-in", csrf=browser.csrf(), code=code, password=password)


def refuse(browser, code):
    return browser.post(f"{DEVICE}/refuse/{urllib.parse.quote(code)}", csrf=browser.csrf())


def a_command_line_is_let_in_works_and_leaves():
    with Room() as room:
        assert cli("whoami", "--json", **room.mine).json()["user"] == ""  # who may open the socket
        with room.asking("--actions", "view,run", "--days", "7") as asking:
            assert f"http://localhost:{room.port}{DEVICE}" in asking.shown, asking.shown
            assert "give it this code" in asking.shown
            # As people type it.
            page = see(room.anna, asking.code.lower().replace("-", " "))
            words = page.page().words()
            assert page.status == 200, words
            for said in (asking.code, f"unix:uid={os.geteuid()}", "anna", "view, run", "7 days", os.uname().nodename):
                assert said in words, (said, words)
            assert asking.process.poll() is None
            done = let_in(room.anna, asking.code)
            assert done.status == 200 and "It is let in" in done.page().words()
            said = asking.end()
        assert "logged in as anna until 20" in said, said
        name = "login-" + asking.code.replace("-", "").lower()
        assert room.tokens() == [name]
        who = cli("whoami", "--json", **room.mine).json()
        assert (who["user"], who["actions"]) == ("anna", "view,run"), who
        kept, = room.kept()
        assert os.stat(kept).st_mode & 0o777 == 0o600 and os.stat(os.path.dirname(kept)).st_mode & 0o777 == 0o700
        with open(kept, encoding="utf-8") as file:
            token = file.read().strip()
        # Another address has another file, or none.
        elsewhere = dict(room.mine, COMPUTATIONS_GRPC_URL="unix:" + room.folder("no.sock"))
        assert "that of 'login'" not in cli("whoami", "-v", **elsewhere).err
        assert "that of 'login'" in cli("whoami", "-v", **room.mine).err
        # One that is named goes before it, and no login is begun beside it.
        other = room.root("AddToken", user="anna", name="other", actions=["view"]).token
        named = dict(room.mine, COMPUTATIONS_GRPC_TOKEN_FILE=room.folder.write("other", other + "\n"))
        os.chmod(room.folder("other"), 0o600)
        assert cli("whoami", "--json", **named).json()["actions"] == "view"
        for command in ("login", "logout"):
            cli(command, **named).refused(2, "goes before a login")
        # A token that is not for everything does not manage others, but ends itself.
        cli("token", "list", "anna", **room.mine).refused(1, "not for all actions")
        assert "logged out" in cli("logout", **room.mine).ok()
        assert not room.kept() and room.tokens() == ["other"]
        assert Caller(room.service.channel, token).code("Whoami") == STRANGER
        cli("logout", **room.mine).refused(1, "no login for")
        assert cli("whoami", "--json", **room.mine).json()["user"] == ""


def a_login_goes_on_where_one_has_ended():
    with Room() as room:
        for ended in (False, True):
            with room.asking() as asking:
                assert "everything that you may" in see(room.anna, asking.code).page().words()
                assert let_in(room.anna, asking.code).status == 200
                asking.end()
            assert len(room.tokens()) == 1 and len(room.kept()) == 1  # the one before is revoked
            if ended:
                break
        cli("token", "revoke", "anna", room.tokens()[0], **room.cli).ok()
        ran = cli("whoami", **room.mine)
        ran.refused(1, "was revoked")
        assert "cocos-cli login" in ran.err, ran.err
        with room.asking() as asking:
            let_in(room.anna, asking.code)
            asking.end()
        assert cli("whoami", "--json", **room.mine).json()["actions"] == ",".join(ALL)
        room.root("RevokeToken", user="anna", name=room.tokens()[0])
        assert "had ended before" in cli("logout", **room.mine).ok()
        assert not room.kept()


def who_is_asked_may_refuse():
    with Room() as room:
        with room.asking() as asking:
            assert refuse(room.anna, asking.code).status == 303
            assert "refused it" in asking.end(1)
            # The audit log has it, and who came with the link of her password.
            rows = [json.loads(line) for line in room.root("Audit").rows]
            assert [(row["what"], row["who"], row["outcome"]) for row in rows if "page/" in row["what"]] == [
                ("page/SignIn", "user anna", "OK"), ("page/ComeIn", "user anna", "OK"), ("page/Refuse", "user anna", "OK")], rows
        assert not room.kept() and not room.tokens()
        assert refuse(room.anna, asking.code).status == 400
        # Whoever stops waiting has nothing.
        with room.asking() as asking:
            asking.process.terminate()
            assert "nothing is kept" in asking.end(143)
        cli("login", "--actions", "fly", **room.mine).refused(1, "fly")
        cli("login", "--actions", "run", **room.mine).refused(1, "view")
        cli("login", "--days", "367", **room.mine).refused(1, "366")
        cli("login", "--days", "x", **room.mine).refused(2, "--days")
        cli("login", "extra", **room.mine).refused(2, "extra")
        # Where nobody can write, nothing is asked.
        cli("login", **room.cli).refused(2, "XDG_CONFIG_HOME")
        os.makedirs(room.folder("taken", "cocos"))
        room.folder.write("taken/cocos/logins", "no folder")
        assert not cli("login", **dict(room.cli, XDG_CONFIG_HOME=room.folder("taken"))).refused(1, "nothing was asked").out


def what_is_kept_is_nobody_else_s():
    with Room() as room:
        with room.asking() as asking:
            let_in(room.anna, asking.code)
            asking.end()
        kept, = room.kept()
        os.chmod(kept, 0o640)
        cli("whoami", **room.mine).refused(2, "open to others")
        os.chmod(kept, 0o622)
        cli("whoami", **room.mine).refused(2, "others may write")
        os.chmod(kept, 0o600)
        os.chmod(os.path.dirname(kept), 0o777)
        cli("whoami", **room.mine).refused(2, "others may write")
        os.chmod(os.path.dirname(kept), 0o700)
        cli("whoami", **room.mine).ok()
        for text in ("", "two words\n", "x" * 300):
            with open(kept, "w", encoding="utf-8") as file:
                file.write(text)
            assert cli("whoami", **room.mine).status == 2, text[:10]


def a_code_is_good_for_one_answer():
    with Room() as room:
        room.user("bert")
        bert = room.browser().sign_in("bert")
        asked = room.root("AskLogin", about="a laptop")
        assert room.root.code("TakeLogin", secret=asked.secret) == NOT_YET
        assert not room.root("PollLogin", secret=asked.secret).let_in
        assert let_in(room.anna, asked.code).status == 200
        # Approved twice, by another, refused after it.
        for answer in (let_in(room.anna, asked.code), let_in(bert, asked.code), see(bert, asked.code)):
            assert answer.status == 400 and NO_CODE in answer.page().words(), answer.status
        assert refuse(bert, asked.code).status == 400
        # Only whoever asked takes it, once; a code is no secret that does.
        for wrong in ("", "0" * 64, asked.secret[:-1], asked.secret + "0", asked.secret.upper(), asked.code):
            for method in ("PollLogin", "TakeLogin"):
                assert room.root.code(method, secret=wrong) == STRANGER, (method, wrong)
        assert room.root("PollLogin", secret=asked.secret).let_in
        taken = room.root("TakeLogin", secret=asked.secret)
        assert taken.user == "anna" and Caller(room.service.channel, taken.token)("Whoami").user == "anna"
        assert room.tokens("bert") == []
        for method in ("PollLogin", "TakeLogin"):
            assert room.root.code(method, secret=asked.secret) == STRANGER


def a_code_ends():
    with Room() as room:
        first, second = room.root("AskLogin"), room.root("AskLogin")
        assert let_in(room.anna, first.code).status == 200
        room.sql("UPDATE devices SET ends = 1")
        assert NO_CODE in see(room.anna, second.code).page().words()
        assert let_in(room.anna, second.code).status == 400 and refuse(room.anna, second.code).status == 400
        for asked in (first, second):
            for method in ("PollLogin", "TakeLogin"):
                assert room.root.code(method, secret=asked.secret) == STRANGER
        assert not room.tokens()
        # A new password, suspension, removal: whoever let something in did not mean this any more.
        for change in (lambda: room.root("SetPassword", user="anna", password=OTHER),
                       lambda: room.root("SuspendUser", name="anna"), lambda: room.root("RemoveUser", name="anna")):
            asked = room.root("AskLogin")
            room.root("SuspendUser", name="anna", resume=True)
            room.root("SetPassword", user="anna", password=PASSWORD)
            anna = room.browser().sign_in()
            assert let_in(anna, asked.code).status == 200
            change()
            assert room.root.code("TakeLogin", secret=asked.secret) in (STRANGER, NOT_YET)


def who_lets_in_has_signed_in_and_knows_the_password():
    with Room() as room:
        asked = room.root("AskLogin", actions=["view"])
        everything = room.root("AddToken", user="anna", name="all").token
        fields = {"code": asked.code, "password": PASSWORD}
        for path in (DEVICE, DEVICE + "/let-in", DEVICE + "/refuse/" + asked.code):
            own = {k: v for k, v in fields.items() if k in {DEVICE: "code", DEVICE + "/let-in": "code password"}.get(
                path, "").split()}
            for origin in (None, "null", "http://evil.example"):
                assert room.anna.post(path, origin, csrf=room.anna.csrf(), **own).status == 403, (path, origin)
            other = room.browser().sign_in()
            for csrf in ("", "0" * 64, other.csrf()):
                assert room.anna.post(path, csrf=csrf, **own).status == 403, (path, csrf)
            nobody = room.browser()
            nobody.host = room.anna.host
            assert nobody.post(path, csrf="0" * 64, **own).status == 401, path
            # Neither by a token, alone or beside a session,
            bearer = [("Authorization", "Bearer " + everything)]
            assert nobody.post(path, headers=bearer, csrf="0" * 64, **own).status == 401
            assert room.anna.post(path, headers=bearer, csrf=room.anna.csrf(), **own).status == 403
        assert room.anna.get(DEVICE).status == 200 and nobody.get(DEVICE).status == 401
        # nor by the operators' link, which is nobody's account.
        room.come_in()
        assert room.ask(DEVICE).status == 403
        answer = let_in(room.anna, asked.code, OTHER)
        assert answer.status == 401 and asked.code in answer.page().words()
        assert not room.root("PollLogin", secret=asked.secret).let_in
        # What it calls itself is text.
        evil = room.root("AskLogin", about="<script>alert(1)</script>")
        assert b"<script>alert" not in see(room.anna, evil.code).body
        for about in ("x" * 65, "a\nb", "a\u202eb"):
            assert room.root.code("AskLogin", about=about) == INVALID, about
        assert see(room.anna, "<script>").status == 400


def codes_are_not_guessed():
    with Room() as room:
        room.root("AskLogin")
        csrf = room.anna.csrf()
        codes = []
        while 429 not in codes:
            codes.append(room.anna.post(DEVICE, csrf=csrf, code="BCDF-GHJK").status)
            assert len(codes) < 100, codes
        assert set(codes[:-1]) == {400} and len(codes) > 10, codes
        # Nor where one is let in, or refused.
        for path, fields in ((DEVICE + "/let-in", {"code": "BCDF-GHJK", "password": PASSWORD}),
                             (DEVICE + "/refuse/BCDF-GHJK", {})):
            assert room.anna.post(path, csrf=csrf, **fields).status == 429, path
        # From elsewhere she goes on.
        asked = room.root("AskLogin")
        assert let_in(room.browser("127.0.0.2").sign_in(), asked.code).status == 200
        # Letters that are no words, each code another one.
        shown = [room.root("AskLogin").code for _ in range(10)]
        assert len(set(shown)) == 10 and all(re.fullmatch("[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", c)
                                             for c in shown), shown


def few_wait_from_one_address():
    with Room() as room:
        codes = [room.root.code("AskLogin") for _ in range(17)]
        assert codes == [None] * 16 + [EXHAUSTED], codes
        room.sql("UPDATE devices SET ends = 1")
        assert room.root.code("AskLogin") is None


def another_machine_asks_as_nobody():
    with Folder() as tls:
        authority(tls)
        settings = {"ADMIN_PORT": "0", "ADMIN_HOST": "0.0.0.0", "ADMIN_SIGN_IN": "true",
                    "ADMIN_SERVER_CERT": tls("server.pem"), "ADMIN_SERVER_KEY": tls("server-key.pem")}
        log = tls("audit.log")
        with Room(AUDIT_LOG=log, **settings) as room:
            port = room.service.process.wait_line(r"administrators: listening on \S+ port (\d+) \(TLS\)")[1]
            address = {"COMPUTATIONS_GRPC_URL": f"https://localhost:{port}",
                       "COMPUTATIONS_GRPC_SERVER_CA_CERTS": tls("ca.pem")}
            with grpc.secure_channel(f"localhost:{port}", credentials(tls)) as channel:
                there = Caller(channel)
                assert there.code("List") == STRANGER and there.code("ListUsers") == STRANGER
                assert there.code("EndToken") == STRANGER
                bad = Caller(channel, "cocos_" + "0" * 64)
                assert bad.code("AskLogin") == STRANGER
            plain = {"COMPUTATIONS_GRPC_URL": f"192.0.2.1:{port}", "XDG_CONFIG_HOME": room.home}
            cli("login", **plain).refused(2, "by TLS alone")
            with Asking(room.home, **address) as asking:
                words = see(room.anna, asking.code).page().words()
                assert "127.0.0.1" in words or "::1" in words, words
                assert let_in(room.anna, asking.code).status == 200
                asking.end()
            mine = dict(address, XDG_CONFIG_HOME=room.home)
            assert cli("whoami", "--json", **mine).json()["user"] == "anna"
            kept, = room.kept()
            assert os.path.basename(kept) == f"localhost%3A{port}"
            with open(kept, encoding="utf-8") as file:
                token = file.read().strip()
            cli("logout", **mine).ok()
            lines = room.service.process.text()
        with open(log, encoding="utf-8") as file:
            text = file.read()
        done = [json.loads(line) for line in text.splitlines() if '"done"' in line]
        by = {(x["method"].split("/")[1], x.get("by"), x["outcome"]) for x in done}
        assert {("AskLogin", None, "OK"), ("TakeLogin", "anna", "OK"), ("EndToken", "anna", "OK")} <= by, by
        took = next(x for x in done if x["method"].endswith("TakeLogin"))
        assert took["token"].startswith("login-"), took
        for secret in (token, token[6:], PASSWORD):
            assert secret not in text and secret not in lines


def strangers_do_not_fill_the_places():
    with Room(ADMIN_PORT="0", ADMIN_SIGN_IN="true") as room:
        port = room.service.process.wait_line(r"administrators: listening on \S+ port (\d+)")[1]
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            codes = [Caller(channel).code("AskLogin") for _ in range(40)]
        assert codes[0] is None and set(codes) == {None, EXHAUSTED} and codes.count(None) <= 16, codes
        asked = room.root("AskLogin")
        assert let_in(room.anna, asked.code).status == 200


def who_comes_from_elsewhere_finds_a_place():
    """However many strangers ask, from however many addresses of a network; and each has an entry, or is counted."""
    with Folder() as folder, Room(ADMIN_PORT="0", ADMIN_SIGN_IN="true", AUDIT_LOG=folder("audit.log")) as room:
        with Elsewhere(admin_port(room)) as elsewhere:
            first = elsewhere.caller("127.9.0.1")("AskLogin")
            crowd = [elsewhere.caller(f"127.0.1.{number}") for number in range(18)]
            looked_at = crowd[0]("AskLogin")
            assert see(room.anna, looked_at.code).status == 200
            asked = [one("AskLogin") for one in crowd[1:] for _ in range(16)]
            assert crowd[1].code("PollLogin", secret=asked[0].secret) == STRANGER  # it gave way
            there = elsewhere.caller("127.9.0.2")
            last = there("AskLogin")
            # Neither did who came before, or was looked at.
            for one in (first, last, looked_at):
                assert let_in(room.anna, one.code).status == 200
                assert there("TakeLogin", secret=one.secret).user == "anna"
        create(room.root, "afterwards")  # whose entry tells what had none
        with open(folder("audit.log"), encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        had = [line["event"] for line in lines if line.get("method", "").endswith("/AskLogin")]
        counted = sum(line["count"] for line in lines if line["event"] == "left_out")
        assert had.count("asked") == had.count("done") and had.count("asked") + counted == len(asked) + 3, (had, counted)
        rows = [json.loads(row) for row in audit_rows(room) if "/AskLogin" in row]
        assert len(rows) == had.count("asked") and {row["outcome"] for row in rows} == {"OK"}, len(rows)


def audit_rows(room):
    """All of them."""
    rows, after = [], 0
    while True:
        page = room.root("Audit", after=after).rows
        if not page:
            return rows
        rows += page
        after = json.loads(page[-1])["number"]


def calls_that_are_refused_take_nothing_from_logins():
    with Room(ADMIN_PORT="0", ADMIN_SIGN_IN="true") as room, Elsewhere(admin_port(room)) as elsewhere:
        for number in range(12):
            one = elsewhere.caller(f"127.0.1.{number}", f"cocos_{number:064x}")
            codes = [one.code("AddUser", name="stranger")]
            while codes[-1] == STRANGER:
                codes.append(one.code("AddUser", name="stranger"))
            assert codes[-1] == EXHAUSTED, codes
        asked = elsewhere.caller("127.0.1.0")("AskLogin")
        assert let_in(room.anna, asked.code).status == 200


def who_was_let_in_takes_his_token_among_strangers():
    """And goes on to change something with it, as does whoever was made a token: they are no strangers from the beginning."""
    with Room(ADMIN_PORT="0", ADMIN_SIGN_IN="true") as room:
        port = room.service.process.wait_line(r"administrators: listening on \S+ port (\d+)")[1]
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            there = Caller(channel)
            asked, waits = there("AskLogin"), there("AskLogin")
            assert let_in(room.anna, asked.code).status == 200
            assert {there.code("TakeLogin", secret=f"{number:064x}") for number in range(40)} == {STRANGER}
            assert EXHAUSTED in [Caller(channel, f"cocos_{number:064x}").code("AddUser", name="stranger") for number in range(100)]
            assert there.code("TakeLogin", secret=waits.secret) == NOT_NOW
            taken = there("TakeLogin", secret=asked.secret)
            assert taken.user == "anna" and there.code("TakeLogin", secret=asked.secret) == STRANGER
            create(Caller(channel, taken.token), "by-login")
            create(Caller(channel, room.root("AddToken", user="anna", name="new").token), "by-token")
        rows = [json.loads(row) for row in room.root("Audit").rows]
        took = [row["who"] for row in rows if row["what"].endswith("/TakeLogin") and row["outcome"] == "OK"]
        assert took == ["user anna"], took


def what_was_asked_lasts_over_a_restart():
    with Room() as room:
        with room.asking() as asking:
            host = room.anna.host.split(":")[0]
            room.again()
            room.anna.host = f"{host}:{room.port}"
            assert let_in(room.anna, asking.code).status == 200
            asking.end()
        asked = room.root("AskLogin")
        state = b"".join(open(os.path.join(room.folder("state"), name), "rb").read()  # pylint: disable=consider-using-with
                         for name in os.listdir(room.folder("state"))
                         if os.path.isfile(os.path.join(room.folder("state"), name)))
        assert asked.code.encode() in state
        assert asked.secret.encode() not in state and bytes.fromhex(asked.secret) not in state


if __name__ == "__main__":
    tap.run([a_command_line_is_let_in_works_and_leaves,
             a_login_goes_on_where_one_has_ended,
             who_is_asked_may_refuse,
             what_is_kept_is_nobody_else_s,
             a_code_is_good_for_one_answer,
             a_code_ends,
             who_lets_in_has_signed_in_and_knows_the_password,
             codes_are_not_guessed,
             few_wait_from_one_address,
             another_machine_asks_as_nobody,
             strangers_do_not_fill_the_places,
             who_comes_from_elsewhere_finds_a_place,
             calls_that_are_refused_take_nothing_from_logins,
             who_was_let_in_takes_his_token_among_strangers,
             what_was_asked_lasts_over_a_restart])
