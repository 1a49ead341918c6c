#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Users who sign in with a browser: passwords, sessions, links that work once; and what others try there."""
import contextlib
import http.client
import json
import os
import pty
import re
import subprocess
import urllib.parse

import tap
from computations_service import create
from harness import PATIENCE, Folder, authority, cli, lost, program, until
from people import Caller
from terminal import Terminal
from web_page import BROWSER, Answer, Web

PASSWORD, OTHER = "lamp river copper", "ships 47 under glass"
WRONG = "do not belong together"


class Page(Web):
    """A service with a page, and browsers that have nothing yet."""

    def __enter__(self):
        super().__enter__()
        self.root = Caller(self.service.channel)
        self.cli = {"COMPUTATIONS_GRPC_URL": "unix:" + self.service.socket}
        return self

    def user(self, name, password=PASSWORD, administrator=False):
        self.root("AddUser", name=name, administrator=administrator)
        if password:
            self.root("SetPassword", user=name, password=password)

    def browser(self, address="127.0.0.1"):
        return Browser(self, address)

    def again(self):
        """Killed and started again."""
        self.service.channel.close()
        self.service.process.kill()
        self.service.start()
        self.port = int(self.service.process.wait_line(r"page: port (\d+) of this machine")[1])
        self.root = Caller(self.service.channel)


class Browser:
    """Keeps the cookie of a host, says whose page asks, follows no redirect by itself."""

    def __init__(self, page, address):
        self.page, self.address = page, address
        self.host, self.cookie = f"localhost:{page.port}", None

    def ask(self, method, path, body=None, headers=()):
        connection = http.client.HTTPConnection("127.0.0.1", self.page.port, timeout=PATIENCE,
                                                source_address=(self.address, 0))
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in [("Host", self.host), *BROWSER, *headers]:
            connection.putheader(name, value)
        if self.cookie:
            connection.putheader("Cookie", self.cookie)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        try:
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, headers=()):
        return self.ask("GET", path, headers=headers)

    def post(self, path, origin="", form=WRONG, type_="application/x-www-form-urlencoded", headers=(), **fields):
        """As from a page of this host; `origin` None: it does not say so."""
        body = (urllib.parse.urlencode(fields) if form is WRONG else form).encode()
        own = [("Content-Type", type_)] if type_ else []
        if origin is not None:
            own.append(("Origin", origin or "http://" + self.host))
        return self.ask("POST", path, body, [*own, *headers])

    def follow(self, answer):
        """The link that an answer leads to: a name of its own, where a cookie is given."""
        assert answer.status == 303, (answer.status, answer.body)
        found = re.fullmatch(r"http://([0-9a-f]{32}\.localhost:%d)(/in/[0-9a-f]{64})" % self.page.port,
                             answer.fields["location"])
        assert "set-cookie" not in answer.fields
        self.host = found[1]
        came = self.get(found[2])
        assert (came.status, came.fields["location"]) == (303, "/"), came.body
        cookie = re.fullmatch(r"(cocos-session=[0-9a-f]{64}); Path=/; HttpOnly; SameSite=Lax",
                              came.fields["set-cookie"])
        self.cookie = cookie[1]
        return found[2]

    def is_late(self, answer):
        """The link that an answer leads to was good, and is over."""
        self.host, path = re.fullmatch(r"http://([^/]+)(/in/.*)", answer.fields["location"]).groups()
        return {401: True, 303: False}[self.get(path).status]

    def sign_in(self, name="anna", password=PASSWORD):
        self.follow(self.post("/sign-in", name=name, password=password))
        return self

    def try_in(self, name, password):
        return self.post("/sign-in", name=name, password=password)

    def csrf(self):
        return re.search(r'name="csrf" value="([0-9a-f]{64})"', self.get("/me").body.decode())[1]

    def is_in(self):
        return {200: True, 401: False}[self.get("/me").status]


def a_password_opens_what_its_user_may_see():
    with Page() as page:
        page.user("anna")
        create(page.service, id="hers", name="of anna")
        create(page.service, id="other", name="of somebody else")
        page.root("GiveRole", computation_id="hers", role="viewer", user="anna")
        anna = page.browser()
        form = anna.get("/sign-in")
        assert form.status == 200 and "Sign in" in form.page().words()
        assert "/sign-in" in anna.get("/").page().links and anna.get("/").status == 401
        anna.sign_in()
        shown = anna.get("/")
        assert shown.status == 200 and b"of anna" in shown.body and b"somebody else" not in shown.body
        assert anna.get("/c/hers").status == 200 and anna.get("/c/other").status == 404
        me = anna.get("/me").page().words()
        assert "anna" in me and "Sessions" in me and "(this one)" in me, me
        # An administrator sees all; who may open the socket has no account.
        page.user("chief", administrator=True)
        assert b"somebody else" in page.browser().sign_in("chief").get("/").body
        page.come_in()
        assert "no account" in page.ask("/me").page().words()
        # The way out: that session is over, whoever kept its cookie.
        out = anna.post("/sign-out", csrf=anna.csrf())
        assert (out.status, out.fields["location"]) == (303, "/sign-in") and "Max-Age=0" in out.fields["set-cookie"]
        assert not anna.is_in()


def sessions_last_over_a_restart():
    with Page() as page:
        page.user("anna")
        anna = page.browser().sign_in()
        host = anna.host.split(":")[0]
        page.again()
        anna.host = f"{host}:{page.port}"
        assert anna.is_in()
        page.root("SuspendUser", name="anna")
        assert not anna.is_in()


def nobody_learns_who_has_an_account():
    with Page() as page:
        page.user("anna1")
        page.user("anna2", password=None)
        page.user("anna3")
        page.root("SuspendUser", name="anna3")
        answers = {name: page.browser().try_in(name, "not the password") for name in
                   ("anna1", "anna2", "anna3", "anna4")}
        # What a passkey is asked for is new with each page.
        fresh = re.compile(rb'(?<=data-challenge=")[0-9a-f]{64}(?=")|(?<=name="ticket" value=")[0-9a-f]{48}(?=")')
        bodies = {fresh.sub(b"", answer.body.replace(name.encode(), b"NAME")) for name, answer in answers.items()}
        assert {answer.status for answer in answers.values()} == {401} and len(bodies) == 1, answers
        assert WRONG in answers["anna1"].page().words()
        for fields in ({"name": "", "password": ""}, {"name": "anna1", "password": ""},
                       {"name": "anna1" * 13, "password": PASSWORD}, {"name": "ANNA1", "password": PASSWORD},
                       {"name": "anna1", "password": PASSWORD + " "}, {"name": "anna3", "password": PASSWORD},
                       {"name": "anna1' --", "password": PASSWORD}, {"name": "<script>", "password": PASSWORD}):
            answer = page.browser().post("/sign-in", **fields)
            assert answer.status == 401 and WRONG in answer.page().words(), fields
            assert b"<script>" not in answer.body and "session" not in answer.fields.get("set-cookie", "")


def a_flood_of_tries_stops_nobody_else():
    """From one address, at one name, until it has to wait; Anna comes in from hers, and others from that one."""
    with Page() as page:
        page.user("anna")
        page.user("bert")
        attacker = page.browser("127.0.0.2")
        # Until it has to wait, which ten guesses at once bring about, however slow they are.
        codes = []
        while 429 not in codes:
            codes.append(attacker.try_in("anna", f"guess {len(codes)}").status)
            assert len(codes) < 100, codes
        assert set(codes[:-1]) == {401} and len(codes) > 10, codes
        assert page.browser().sign_in().is_in()
        assert page.browser("127.0.0.2").sign_in("bert").is_in()


def a_form_of_another_site_changes_nothing():
    with Page() as page:
        page.user("anna")
        anna, other = page.browser().sign_in(), page.browser().sign_in()
        good = anna.csrf()
        own = "http://" + anna.host
        assert good != other.csrf()
        token = page.root("AddToken", user="anna", name="t").token
        change = {"now": PASSWORD, "password": OTHER, "again": OTHER}
        for path, fields in (("/sign-out", {}), ("/me/others", {}), ("/me/sessions/1", {}), ("/me/tokens/t", {}),
                             ("/me/change", change)):
            for origin, headers in ((None, []), ("null", []), ("http://evil.example", []),
                                    (f"http://localhost:{page.port}", []), ("https://" + anna.host, []),
                                    (own, [("Sec-Fetch-Site", "cross-site")]), (None, [("Sec-Fetch-Site", "none")]),
                                    (own, [("Sec-Fetch-Site", "same-site")]),
                                    (own, [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")])):
                answer = anna.post(path, origin, headers=headers, csrf=good, **fields)
                assert answer.status == 403, (path, origin, headers, answer.status)
            for csrf in ("", "0" * 64, good[:-1], good + "0", good.upper() + "x", other.csrf(), anna.cookie[14:]):
                assert anna.post(path, csrf=csrf, **fields).status == 403, (path, csrf)
            assert anna.post(path, **fields).status == 400
            # With a token alone: it is no browser's.
            stranger = page.browser()
            stranger.host = anna.host
            answer = stranger.post(path, headers=[("Authorization", "Bearer " + token)], csrf=good, **fields)
            assert answer.status == 401, (path, answer.status)
            assert anna.ask("GET", path).status in (405, 404)
        for origin in (None, "http://evil.example", "null"):
            assert page.browser().post("/sign-in", origin, name="anna", password=PASSWORD).status == 403
        assert anna.is_in() and other.is_in() and page.browser().sign_in().is_in()
        assert [t.name for t in page.root("ListTokens", name="anna").tokens] == ["t"]
        # As Chromium and Firefox send it from a page that asks for no referrer.
        answer = anna.post("/me/tokens/t", "null", headers=[("Sec-Fetch-Site", "same-origin")], csrf=good)
        assert answer.status == 303, answer.status
        assert not page.root("ListTokens", name="anna").tokens


def no_session_is_made_up_or_planted():
    with Page() as page:
        page.user("anna")
        anna = page.browser().sign_in()
        secret, host = anna.cookie[14:], anna.host
        for guess in ("0" * 64, secret[:-1], secret + "0", secret.upper() + "Z", "", secret[::-1]):
            thief = page.browser()
            thief.host, thief.cookie = host, "cocos-session=" + guess
            assert not thief.is_in(), guess
        # Of use at its own name alone.
        for name in (f"localhost:{page.port}", "f" * 32 + f".localhost:{page.port}", f"127.0.0.1:{page.port}"):
            thief = page.browser()
            thief.host, thief.cookie = name, anna.cookie
            assert not thief.is_in(), name
        # One that somebody planted before is not the one that is given.
        victim = page.browser()
        planted = victim.cookie = "cocos-session=" + "ab" * 32
        victim.sign_in()
        assert victim.cookie != planted
        victim.cookie = planted
        assert not victim.is_in()
        # A link that leads in works once.
        b = page.browser()
        used = b.follow(b.post("/sign-in", name="anna", password=PASSWORD))
        b.cookie = None
        assert b.get(used).status == 401


def sessions_are_listed_and_ended_by_their_user():
    with Page() as page:
        page.user("anna")
        page.user("bert")
        anna, other, bert = page.browser().sign_in(), page.browser().sign_in(), page.browser().sign_in("bert")
        rows = cli("session", "list", "anna", "--json", **page.cli).json()
        assert len(rows) == 2 and rows[0]["from"].startswith("127.0.0.1"), rows
        numbers = [row["number"] for row in rows]
        # Not somebody else's, by whatever number.
        for number in (*numbers, "0", "-1", "9" * 30, "x"):
            assert bert.post(f"/me/sessions/{number}", csrf=bert.csrf()).status == 404, number
        assert anna.post(f"/me/sessions/{numbers[1]}", csrf=anna.csrf()).status == 303
        assert anna.is_in() and not other.is_in()
        other.host = f"localhost:{page.port}"
        other.cookie = None
        other.sign_in()
        assert anna.post("/me/others", csrf=anna.csrf()).status == 303
        assert anna.is_in() and not other.is_in() and bert.is_in()
        cli("session", "revoke", "anna", **page.cli).refused(2, "--all")
        cli("session", "revoke", "anna", "0", **page.cli).refused(2, "session list")
        cli("session", "revoke", "anna", "999", **page.cli).refused(1, "no session 999")
        cli("session", "revoke", "anna", numbers[0], **page.cli).ok()
        assert not anna.is_in()
        cli("session", "revoke", "bert", "--all", **page.cli).ok()
        assert not bert.is_in()
        # By a token: one's own, if it is for everything.
        mine = page.root("AddToken", user="anna", name="all").token
        narrow = page.root("AddToken", user="anna", name="view", actions=["view"]).token
        channel = page.service.channel
        assert not Caller(channel, mine)("ListSessions").sessions
        assert "other" in Caller(channel, narrow).text("ListSessions") and "may not" in Caller(channel, mine).text(
            "ListSessions", name="bert")
        for method, fields in (("SetPassword", {"user": "anna", "password": OTHER}), ("AddLink", {"name": "anna"})):
            assert "may not administer" in Caller(channel, mine).text(method, **fields)
        # A token for less than everything makes no way to a session, which would be for everything.
        page.user("chief", administrator=True)
        narrow = Caller(channel, page.root("AddToken", user="chief", name="n", actions=["view", "administrator"]).token)
        for user in ("chief", "anna"):
            assert "not for all actions" in narrow.text("SetPassword", user=user, password=OTHER)
            assert "not for all actions" in narrow.text("AddLink", name=user)
        assert page.browser().sign_in("chief").is_in()


def a_password_is_changed_by_whoever_knows_it():
    with Page() as page:
        page.user("anna")
        anna, other = page.browser().sign_in(), page.browser().sign_in()
        assert anna.get("/me/password").page()

        def change(now, new, again=None):
            return anna.post("/me/change", csrf=anna.csrf(), now=now, password=new, again=again or new)
        assert change("wrong", OTHER).status == 401
        assert "not the same" in change(PASSWORD, OTHER, PASSWORD).page().words()
        for weak in ("short", "password1234", "anna anna anna", "x" * 257):
            assert change(PASSWORD, weak).status == 400, weak
        assert other.is_in()
        assert change(PASSWORD, OTHER).status == 303
        assert anna.is_in() and not other.is_in()
        assert page.browser().try_in("anna", PASSWORD).status == 401
        assert page.browser().sign_in(password=OTHER).is_in()


def what_came_in_by_the_old_password_is_out_before_it_is_in():
    """On loopback a session begins with a link: it is no way around a new password, or the end of all sessions."""
    with Page() as page:
        page.user("anna")
        anna, late = page.browser().sign_in(), page.browser()

        def link(password):
            return late.try_in("anna", password)

        def comes_in(answer):
            return not page.browser().is_late(answer)
        assert comes_in(link(PASSWORD))
        where = link(PASSWORD)
        page.root("EndSession", user="anna")
        assert not comes_in(where)
        where = link(PASSWORD)
        page.root("SetPassword", user="anna", password=OTHER)
        assert not comes_in(where)
        anna.host, anna.cookie = f"localhost:{page.port}", None
        anna.sign_in(password=OTHER)
        where = link(OTHER)
        assert anna.post("/me/others", csrf=anna.csrf()).status == 303
        assert not comes_in(where)
        where = link(OTHER)
        assert anna.post("/me/change", csrf=anna.csrf(), now=OTHER, password=PASSWORD, again=PASSWORD).status == 303
        assert not comes_in(where) and anna.is_in()


def a_link_lets_its_user_choose_once():
    with Page() as page:
        page.user("anna", password=None)

        def link():
            made = cli("user", "link", "anna", **page.cli)
            path = re.fullmatch(rf"http://localhost:{page.port}(/password/[0-9a-f]{{64}})\n", made.ok())[1]
            assert "note: it works once, until 20" in made.err, made.err
            return path
        lost("the same command makes another in its place", "user", "link", "anna", **page.cli)
        old, path = link(), link()
        choice = {"name": "anna", "password": PASSWORD, "again": PASSWORD}
        b = page.browser()
        assert b.get(old).status == 401 and b.post(old, **choice).status == 401
        for _ in range(2):  # looking does not use it up
            assert "Choose a password" in b.get(path).page().words()
        assert b.post(path, **{**choice, "again": OTHER}).status == 400
        assert b.post(path, **{**choice, "password": "short", "again": "short"}).status == 400
        assert b.post(path, origin="http://evil.example", **choice).status == 403
        b.follow(b.post(path, **{**choice, "name": "bert"}))  # the link says who it is
        assert "anna" in b.get("/me").page().words()
        again = page.browser()
        assert again.get(path).status == 401 and again.post(path, **choice).status == 401
        for wrong in ("/password/" + "0" * 64, "/password/x", path[:-1], path + "0"):
            assert again.get(wrong).status == 401, wrong
        page.root("SuspendUser", name="anna")
        cli("user", "link", "anna", **page.cli).refused(1, "suspended")
        nobody = cli("user", "link", "nobody", **page.cli)
        nobody.refused(1, "no user 'nobody'")
        assert "'cocos-cli user list'" in nobody.err, nobody.err


def forms_have_what_they_have():
    with Page() as page:
        page.user("anna")
        good = urllib.parse.urlencode({"name": "anna", "password": PASSWORD})
        b = page.browser()
        for form, status in (("", 400), ("name=anna", 400), (good + "&x=1", 400), (good + "&name=anna", 400), ("%", 400),
                             ("name=%00&password=x", 400), ("name=%ff&password=x", 400), ("name=a\0&password=x", 400),
                             ("&".join(f"n{i}=1" for i in range(40)), 400), ("a" * 4000, 400), ("a" * 4001, 413)):
            assert b.post("/sign-in", form=form).status == status, form[:40]
        for type_ in ("application/json", "text/plain", "multipart/form-data; boundary=x", None):
            assert b.post("/sign-in", form=good, type_=type_).status == 415, type_
        page.root("SetPassword", user="anna", password="pass & word=%+é–ß 77")
        assert page.browser().sign_in(password="pass & word=%+é–ß 77").is_in()
        longest = "lamp7" * 51 + "x"
        page.root("SetPassword", user="anna", password=longest)
        assert page.browser().sign_in(password=longest).is_in()
        assert "257 bytes" in page.root.text("SetPassword", user="anna", password=longest + "x")


def the_command_asks_for_it():
    with Page() as page:
        page.user("anna", password=None)

        def given(text, *options):
            environment = {"PATH": os.environ["PATH"], **page.cli}
            return subprocess.run([program("cocos-cli"), "user", "password", "anna", *options], input=text.encode(),
                                  env=environment, capture_output=True, timeout=PATIENCE, check=False,
                                  start_new_session=True)
        assert given(PASSWORD + "\n", "--stdin").returncode == 0
        assert page.browser().sign_in().is_in()
        for text, status in ((PASSWORD + "\n" + PASSWORD, 2), ("x" * 1025, 2), ("x\0y", 2), ("short", 1),
                             ("password1234", 1)):
            assert given(text, "--stdin").returncode == status, text[:20]
        told = given("x" * 20 + "secretpart", "--stdin")
        assert b"secretpart" not in told.stdout + told.stderr
        without = given(PASSWORD)
        assert without.returncode == 2 and b"--stdin" in without.stderr, without
        with Terminal("user", "password", "anna", **page.cli) as t:
            t.wait_text("Password: ")
            t.press(OTHER.encode() + b"\n")
            t.wait_text("Once more: ")
            t.press(OTHER.encode() + b"\n")
            t.wait_text("has a new password")
            assert OTHER not in t.text, t.text
        assert page.browser().sign_in(password=OTHER).is_in()
        with Terminal("user", "password", "anna", **page.cli) as t:
            t.wait_text("Password: ")
            t.press(PASSWORD.encode() + b"\n")
            t.wait_text("Once more: ")
            t.press(PASSWORD.encode() + b"x\n")
            t.wait_text("not the same")


def the_first_administrator_comes_with_a_link():
    with Folder() as folder:
        config = folder.write("c.conf", "".join(f"COMPUTATIONS_{k}={v}\n" for k, v in {
            "GRPC_PORT": "0", "ADMIN_SOCKET": folder("a.sock"), "STATE_DIR": folder("state"),
            "WEB": "127.0.0.1:0"}.items()))
        path = first_start(config, lambda port, path: None)
        # One that was not used: the next start has another, and this one is over.

        def become(port, path):
            b = Browser(type("P", (), {"port": int(port)})(), "127.0.0.1")
            assert b.get(path_before).status == 401
            assert "Whoever sends this form does" in b.get(path).page().words()
            choice = {"password": PASSWORD, "again": PASSWORD}
            assert b.post(path, name="No Name", **choice).status == 400
            b.follow(b.post(path, name="chief", **choice))
            assert "You administer this service" in b.get("/me").page().words()
            assert Browser(b.page, "127.0.0.1").post(path, name="second", **choice).status == 401
        path_before = path
        first_start(config, become)
        # There is one now: no more links. What is asked at the socket is answered after the look for one.
        socket = {"COMPUTATIONS_GRPC_URL": "unix:" + folder("a.sock")}
        assert first_start(config, lambda *_: cli("user", "list", **socket).ok(), "ready") is None
    # Nor is one given to a log.
    with Page() as page:
        line = page.service.process.wait_line(r"page: nobody administers it yet: (.*)")[1]
        assert "user add NAME --administrator" in line and "/password/" not in line


def first_start(config, use, shown=r"http://localhost:(\d+)(/password/[0-9a-f]{64})"):
    """The service on a terminal, and `use` of what it has shown there; the path of a link that it shows by its end."""
    master, slave = pty.openpty()
    with subprocess.Popen([program("cocos-computations"), "--config", config], stdin=subprocess.DEVNULL, stdout=slave,
                          stderr=slave, start_new_session=True) as process:
        os.close(slave)
        text = ""
        try:
            while not (found := re.search(shown + r"\b.*\n", text)):
                text += os.read(master, 65536).decode()
            use(*found.groups())
        finally:
            process.terminate()
            with contextlib.suppress(OSError):
                while piece := os.read(master, 65536):
                    text += piece.decode()
            os.close(master)
        assert process.wait(PATIENCE) == 0
    link = re.search(r"/password/[0-9a-f]{64}", text)
    return link and link[0]


def another_machine_signs_in_by_tls():
    with Folder() as tls:
        authority(tls)
        settings = {"ADMIN_SERVER_CERT": tls("server.pem"), "ADMIN_SERVER_KEY": tls("server-key.pem"),
                    "ADMIN_SIGN_IN": "true", "WEB": "0.0.0.0:0"}
        with Page(**settings) as page:
            page.user("anna")
            base = f"https://localhost:{page.port}"

            def curl(path, *options, **fields):
                form = [part for name, value in fields.items() for part in ("--data-urlencode", f"{name}={value}")]
                done = subprocess.run(["curl", "-sS", "-i", "--max-time", str(PATIENCE), "--cacert", tls("ca.pem"),
                                       *form, *options, base + path], capture_output=True, check=True)
                head, _, body = done.stdout.decode().partition("\r\n\r\n")
                return int(head.split()[1]), head.lower(), body

            assert curl("/")[0] == 401 and curl("/api/computations")[0] == 401
            status, head, _ = curl("/sign-in", "-H", "Origin: " + base, name="anna", password=PASSWORD)
            assert status == 303 and "location: /\r\n" in head, head
            cookie = re.search(r"set-cookie: (__host-cocos-session=[0-9a-f]{64}); path=/; secure; httponly; "
                               r"samesite=lax", head)[1].replace("__host", "__Host")
            mine = ("-H", "Cookie: " + cookie)
            status, _, body = curl("/me", *mine)
            assert status == 200 and "anna" in body
            # Neither the name without TLS, nor another origin, nor none.
            assert curl("/me", "-H", "Cookie: " + cookie.replace("__Host-", ""))[0] == 401
            for origin in ("https://evil.example", "http" + base[5:], base + "1"):
                assert curl("/sign-in", "-H", "Origin: " + origin, name="anna", password=PASSWORD)[0] == 403, origin
            assert curl("/sign-in", name="anna", password=PASSWORD)[0] == 403
            # Who signs in again has a new one, and the old one is over.
            status, head, _ = curl("/sign-in", "-H", "Origin: " + base, *mine, name="anna", password=PASSWORD)
            fresh = re.search(r"(__host-cocos-session=[0-9a-f]{64})", head)[1].replace("__host", "__Host")
            assert fresh != cookie and curl("/me", *mine)[0] == 401
            mine = ("-H", "Cookie: " + fresh)
            csrf = re.search(r'name="csrf" value="([0-9a-f]{64})"', curl("/me", *mine)[2])[1]
            assert curl("/sign-out", *mine, "-H", "Origin: " + base, csrf=csrf)[0] == 303
            assert curl("/me", *mine)[0] == 401
            made = cli("user", "link", "anna", **page.cli)
            assert re.fullmatch(r"/password/[0-9a-f]{64}\n", made.ok())
            assert "before it belongs https:// with the page's name and port" in made.err, made.err


def nothing_of_it_is_written_down():
    with Folder() as folder:
        log = folder("audit.log")
        with Page(AUDIT_LOG=log, LOG_LEVEL="debug") as page:
            page.user("anna")
            b = page.browser().sign_in()
            page.browser().try_in("anna", OTHER)
            link = cli("user", "link", "anna", **page.cli).ok().strip()
            cookie, csrf = b.cookie[14:], b.csrf()
            state = page.folder("state")
            with open(log, encoding="utf-8") as file:
                text = file.read()
            known = b"".join(open(os.path.join(state, name), "rb").read()  # pylint: disable=consider-using-with
                             for name in os.listdir(state) if os.path.isfile(os.path.join(state, name)))
            lines = page.service.process.text()
        done = [json.loads(line) for line in text.splitlines()]
        assert {"SetPassword", "AddLink"} <= {x["method"].split("/")[1] for x in done if x["event"] == "done"}
        for secret in (PASSWORD, OTHER, cookie, csrf, link[-64:]):
            assert secret not in text and secret not in lines, secret[:6]
            assert secret.encode() not in known, secret[:6]
            assert len(secret) != 64 or bytes.fromhex(secret) not in known, secret[:6]


if __name__ == "__main__":
    tap.run([a_password_opens_what_its_user_may_see,
             sessions_last_over_a_restart,
             nobody_learns_who_has_an_account,
             a_flood_of_tries_stops_nobody_else,
             a_form_of_another_site_changes_nothing,
             no_session_is_made_up_or_planted,
             sessions_are_listed_and_ended_by_their_user,
             a_password_is_changed_by_whoever_knows_it,
             what_came_in_by_the_old_password_is_out_before_it_is_in,
             a_link_lets_its_user_choose_once,
             forms_have_what_they_have,
             the_command_asks_for_it,
             the_first_administrator_comes_with_a_link,
             another_machine_signs_in_by_tls,
             nothing_of_it_is_written_down])
