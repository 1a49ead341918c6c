#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Second factors at the page: set up, asked for wherever the password is, lost; and what others try there."""
import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import sqlite3
import struct
import subprocess
import time
import urllib.parse

import tap
from harness import PATIENCE, Folder, authority, cli, until
from people import DENIED, HIDDEN, OK, Caller
from sign_in import OTHER, PASSWORD, Page

STEP = 30
WRONG, LATER, HALF_OVER = "this code is wrong, or was used", "too many wrong codes", "sign in again"


def totp(secret, step):
    """RFC 6238 with RFC 4226's truncation: nothing of ours is behind it."""
    mac = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7FFFFFFF) % 1000000:06d}"


class Phone:
    """An authenticator program."""

    def __init__(self, key):
        self.secret = base64.b32decode(key)

    def now(self):
        """Of one whose clock is a step ahead: it is taken for a minute at least, however busy the machine is."""
        return totp(self.secret, int(time.time()) // STEP + 1)

    def wrong(self):
        """None that could be taken, also if time goes on meanwhile."""
        near = {totp(self.secret, int(time.time()) // STEP + i) for i in range(-3, 20)}
        return next(code for code in map("{:06d}".format, range(100)) if code not in near)


class Room(Page):
    """Anna has signed in."""

    def __enter__(self):
        super().__enter__()
        self.user("anna")
        self.anna = self.browser().sign_in()
        return self

    def sql(self, text, *values):
        """As if time had passed: the service has the same file open."""
        state = self.folder("state")
        name = next(name for name in os.listdir(state) if name.endswith(".db"))
        with contextlib.closing(sqlite3.connect(os.path.join(state, name), timeout=PATIENCE)) as db, db:
            return db.execute(text, values).fetchall()

    def later(self):
        """The next code is another one, and who had to wait has waited."""
        self.sql("UPDATE factors SET last = last - 10, failed_at = max(failed_at - 3600000, 0)")

    def audit(self):
        return [json.loads(line) for (line,) in self.sql("SELECT line FROM audit_rows ORDER BY number")]

    def set_up(self, browser=None, password=PASSWORD):
        """A phone, and the recovery codes."""
        browser = browser or self.anna
        shown = post(browser, "/me/factor", password=password)
        assert shown.status == 200, shown.body
        phone = Phone(re.search(r'<pre id="key"[^>]*><code>([A-Z2-7]{32})</code>', shown.body.decode())[1])
        done = post(browser, "/me/factor/confirm", code=phone.now())
        assert done.status == 200, done.body
        codes = re.search(r'<pre id="codes"[^>]*><code>([0-9a-f\n-]+)</code>', done.body.decode())[1].split("\n")
        assert len(codes) == len(set(codes)) == 10
        self.later()
        return phone, codes


def post(browser, path, **fields):
    return browser.post(path, csrf=browser.csrf(), **fields)


def half_of(browser, name="anna", password=PASSWORD, answer=None):
    """The first step: what the second is to be taken with."""
    answer = answer or browser.try_in(name, password)
    assert answer.status == 200 and "set-cookie" not in answer.fields and "location" not in answer.fields, answer.fields
    assert "Your second factor" in answer.page().words()
    return re.search(r'name="half" value="([0-9a-f]{64})"', answer.body.decode())[1]


def give(browser, half, code):
    return browser.post("/sign-in/code", half=half, factor=code)


def comes_in(page, code, **first):
    browser = page.browser()
    browser.follow(give(browser, half_of(browser, **first), code))
    return browser.is_in()


def it_is_set_up_and_asked_for():
    with Room() as room:
        other = room.browser().sign_in()
        assert "None: your password alone" in room.anna.get("/me").page().words()
        assert "Your password" in room.anna.get("/me/factor").page().words()
        # The password comes first, and then a code of the very key.
        assert "needs" not in post(room.anna, "/me/factor", password=OTHER).page().words()
        assert post(room.anna, "/me/factor", password=OTHER).status == 401
        assert post(room.anna, "/me/factor/confirm", code="123456").status == 409
        shown = post(room.anna, "/me/factor", password=PASSWORD)
        key = re.search(r"<code>([A-Z2-7]{32})</code>", shown.body.decode())[1]
        uri = urllib.parse.urlsplit(re.search(r'<pre id="uri"[^>]*><code>([^<]+)</code>', shown.body.decode())[1]
                                    .replace("&amp;", "&"))
        assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/cocos:anna"), uri
        assert dict(urllib.parse.parse_qsl(uri.query)) == {"secret": key, "issuer": "cocos", "algorithm": "SHA1",
                                                           "digits": "6", "period": "30"}
        shown.page()
        # It does not count yet.
        assert room.browser().sign_in().is_in()
        again = post(room.anna, "/me/factor/confirm", code=Phone(key).wrong())
        assert again.status == 400 and key.encode() not in again.body
        assert key.encode() not in room.anna.get("/me").body + room.anna.get("/me/factor").body
        done = post(room.anna, "/me/factor/confirm", code=Phone(key).now())
        assert done.status == 200 and "shown once" in done.page().words()
        room.later()
        assert "Recovery codes left: 10 of 10" in room.anna.get("/me").page().words()
        assert post(room.anna, "/me/factor", password=PASSWORD).status == 400  # there is one already
        # Who came in without it is out, but who set it up.
        assert room.anna.is_in() and not other.is_in()
        assert comes_in(room, Phone(key).now())
        room.later()
        # It lasts over a restart.
        room.again()
        assert comes_in(room, Phone(key).now())


def its_first_code_is_not_guessed():
    """Who finds a session open has no password: what was begun there and left helps him to nothing."""
    with Room() as room:
        def begin():
            shown = post(room.anna, "/me/factor", password=PASSWORD).body.decode()
            return Phone(re.search(r'<pre id="key"[^>]*><code>([A-Z2-7]{32})</code>', shown)[1])
        phone = begin()
        room.sql("UPDATE factors SET created = created - 1800000")
        assert post(room.anna, "/me/factor/confirm", code=phone.now()).status == 409
        phone, codes = begin(), []
        while 429 not in codes:
            codes.append(post(room.anna, "/me/factor/confirm", code=phone.wrong()).status)
            assert codes[-1] in (400, 429) and len(codes) < 100, codes
        assert room.browser("127.0.0.3").sign_in().is_in()


def the_first_step_opens_nothing():
    with Room() as room:
        phone, _ = room.set_up()
        stranger = room.browser()
        half = half_of(stranger)
        for host in (stranger.host, room.anna.host):
            stranger.host, stranger.cookie = host, "cocos-session=" + half
            for path in ("/", "/me", "/me/factor", "/api/me"):
                assert stranger.get(path).status == 401, (host, path)
            assert stranger.get("/in/" + half).status == 401 and stranger.get("/password/" + half).status == 401
            stranger.cookie = None
            assert stranger.get("/api/me", [("Authorization", "Bearer cocos_" + half)]).status == 401
        assert "none" in Caller(room.service.channel, "cocos_" + half).text("Whoami")
        stranger.host = f"localhost:{room.port}"
        # Nor does the second step without the first.
        for none in ("0" * 64, "", half[:-1], half.upper() + "0", room.anna.cookie[14:]):
            answer = give(stranger, none, phone.now())
            assert answer.status == 401 and HALF_OVER in answer.page().words(), none
        for fields in ({"half": half}, {"factor": phone.now()}, {"half": half, "factor": phone.now(), "name": "anna"}):
            assert stranger.post("/sign-in/code", **fields).status == 400, fields
        for origin in (None, "null", "http://evil.example"):
            assert stranger.post("/sign-in/code", origin, half=half, factor=phone.now()).status == 403
        assert stranger.get("/sign-in/code").status == 405
        # It is somebody's: Bert's code does not belong to Anna's, whoever sends it.
        room.user("bert")
        berts, _ = room.set_up(room.browser().sign_in("bert"))
        if berts.now() != phone.now():
            assert give(stranger, half, berts.now()).status == 401
        # It works once, and ends.
        assert give(stranger, half, "").status == 400
        stranger.follow(give(stranger, half, phone.now()))
        assert stranger.is_in()
        room.later()
        late = room.browser()
        assert HALF_OVER in give(late, half, phone.now()).page().words()
        half = half_of(late)
        room.sql("UPDATE halves SET ends = ends - 300000")
        assert HALF_OVER in give(late, half, phone.now()).page().words()
        # A new password, the end of all sessions and a suspension end it.
        for end, back in ((lambda: room.root("SetPassword", user="anna", password=PASSWORD), None),
                          (lambda: room.root("EndSession", user="anna"), None),
                          (lambda: room.root("SuspendUser", name="anna"),
                           lambda: room.root("SuspendUser", name="anna", resume=True))):
            half = half_of(late)
            end()
            assert HALF_OVER in give(late, half, phone.now()).page().words()
            if back:
                back()


def a_code_is_taken_once():
    with Room() as room:
        phone, _ = room.set_up()
        seen = phone.now()
        b = room.browser()
        b.follow(give(b, half_of(b), seen))
        replay = give(b, half_of(room.browser()), seen)
        assert replay.status == 401 and WRONG in replay.page().words()
        # By another half of the same user, from elsewhere, and where only a session asks.
        thief = room.browser("127.0.0.2")
        assert give(thief, half_of(thief), seen).status == 401
        assert post(b, "/me/factor/remove", password=PASSWORD, factor=seen).status == 401


def who_guesses_waits_and_the_owner_does_not():
    with Room() as room:
        phone, codes = room.set_up()
        room.user("bert")
        # A stranger without the password counts for nothing here.
        for n in range(5):
            assert room.browser("127.0.0.3").try_in("anna", f"guess {n}").status == 401
        # Who has it, whatever address he comes from, has ten.
        for n in range(10):
            thief = room.browser(f"127.0.1.{n + 1}")
            assert give(thief, half_of(thief), phone.wrong()).status == 401, n
        thief = room.browser("127.0.2.1")
        stopped = give(thief, half_of(thief), phone.now())
        assert stopped.status == 429 and LATER in stopped.page().words()
        # Anna has a recovery code, and others are others.
        assert comes_in(room, codes[0])
        assert room.browser().sign_in("bert").is_in()
        for n in range(2):
            thief = room.browser(f"127.0.2.{n + 2}")
            assert give(thief, half_of(thief), "0" * 20).status == 401
        assert comes_in(room, codes[1])
        room.later()
        assert comes_in(room, phone.now())


def who_has_the_password_keeps_nobody_from_typing():
    """The first step, again and again: from one address it ends before the owner's own is forgotten."""
    with Room() as room:
        phone, _ = room.set_up()
        anna, thief, codes = room.browser(), room.browser("127.0.0.3"), []
        half = half_of(anna)
        while 429 not in codes:
            codes.append(thief.try_in("anna", PASSWORD).status)
            assert len(codes) < 100, codes
        assert set(codes[:-1]) == {200} and len(codes) > 10, codes
        anna.follow(give(anna, half, phone.now()))
        assert anna.is_in()
        # Right ones count for nothing: she comes and goes as often as she likes.
        for _ in range(15):
            room.later()
            assert comes_in(room, phone.now())


def recovery_codes_work_once():
    with Room() as room:
        phone, codes = room.set_up()
        assert comes_in(room, codes[0].upper().replace("-", " "))
        b = room.browser()
        assert give(b, half_of(b), codes[0]).status == 401
        assert "Recovery codes left: 9 of 10" in room.anna.get("/me").page().words()
        fresh = post(room.anna, "/me/factor/codes", password=PASSWORD, factor=phone.now())
        found = re.search(r'<pre id="codes"[^>]*><code>([0-9a-f\n-]+)</code>', fresh.body.decode())[1].split("\n")
        assert len(found) == 10 and not set(found) & set(codes)
        room.later()
        assert give(b, half_of(b), codes[1]).status == 401
        assert comes_in(room, found[9])


def where_the_password_is_asked_the_code_is():
    with Room() as room:
        asked = room.root("AskLogin")
        phone, _ = room.set_up()
        change = {"now": PASSWORD, "password": OTHER, "again": OTHER}
        forms = {"/me/token": {"name": "laptop", "days": "30", "password": PASSWORD},
                 "/me/device/let-in": {"code": asked.code, "password": PASSWORD},
                 "/me/factor/codes": {"password": PASSWORD}, "/me/change": change,
                 "/me/factor/remove": {"password": OTHER}}
        field = 'name="factor"'
        for path in ("/me/token", "/me/password", "/me/factor/codes", "/me/factor/remove"):
            assert field in room.anna.get(path).body.decode(), path
        assert field in post(room.anna, "/me/device", code=asked.code).body.decode()
        for path, fields in forms.items():
            without = post(room.anna, path, **fields)
            assert without.status == 400 and "give its code as well" in without.page().words(), (path, without.page().words())
            wrong = post(room.anna, path, factor=phone.wrong(), **fields)
            assert wrong.status == 401 and WRONG in wrong.page().words(), path
            assert field in wrong.body.decode(), path
            secret = "now" if "now" in fields else "password"
            assert post(room.anna, path, factor=phone.now(), **{**fields, secret: "no " + PASSWORD}).status == 401, path
            assert not room.root("ListTokens", name="anna").tokens or path != "/me/token"
            done = post(room.anna, path, factor=phone.now(), **fields)
            assert done.status == (303 if path in ("/me/change", "/me/factor/remove") else 200), (path, done.body)
            if path == "/me/device/let-in":
                assert room.root("TakeLogin", secret=asked.secret).user == "anna"
            room.later()
        # None any more: neither asked for, nor there.
        assert room.browser().sign_in(password=OTHER).is_in()
        assert field not in room.anna.get("/me/token").body.decode()
        assert room.sql("SELECT (SELECT count(*) FROM factors) + (SELECT count(*) FROM recovery_codes)") == [(0,)]
        for path in ("/me/factor/remove", "/me/factor/codes"):
            assert post(room.anna, path, password=OTHER).status == 404


def a_link_for_a_password_is_no_way_around_it():
    with Room() as room:
        phone, codes = room.set_up()
        path = urllib.parse.urlsplit(cli("user", "link", "anna", **room.cli).ok().strip()).path
        b = room.browser()
        half = half_of(b, answer=b.post(path, name="anna", password=OTHER, again=OTHER))
        assert b.get("/me").status == 401
        b.follow(give(b, half, phone.now()))
        assert b.is_in() and comes_in(room, codes[3], password=OTHER)


def an_invitation_is_no_way_around_it():
    """A session joins; the form that takes a password and asks for no code opens nothing."""
    with Room() as room:
        phone, _ = room.set_up()
        root = Caller(room.service.channel)
        root("AddWorkspace", name="lab")
        path = root("Invite", workspace="lab", role="member").path
        b = room.browser()
        refused = b.post(path + "/sign-in", name="anna", password=PASSWORD)
        assert refused.status == 400 and "You have a second factor" in refused.page().words(), refused.body
        assert "set-cookie" not in refused.fields and "location" not in refused.fields, refused.fields
        assert b.get("/me").status == 401 and not root("ListMembers", workspace="lab").members
        assert "at the address where you are signed in" in refused.page().words()
        b.follow(give(b, half_of(b), phone.now()))
        # The link as it was given is of another host, where this session is none: that is what the text says.
        elsewhere = room.browser()
        assert b.host != elsewhere.host and "Make an account and join" in elsewhere.get(path).page().words()
        assert "Join" in b.get(path).page().words()
        assert b.is_in() and b.post(path + "/join", csrf=b.csrf()).status == 303
        assert [m.user for m in root("ListMembers", workspace="lab").members] == ["anna"]


def tokens_go_on_as_before():
    with Room() as room:
        token = room.root("AddToken", user="anna", name="t").token
        phone = Phone(re.search(r'<pre id="key"[^>]*><code>([A-Z2-7]{32})</code>',
                                post(room.anna, "/me/factor", password=PASSWORD).body.decode())[1])
        done = post(room.anna, "/me/factor/confirm", code=phone.now())
        # Whoever knew the password may have made it: it is shown, and those that have ended are not.
        assert "These tokens were made before" in done.page().words() and "t made " in done.page().words(), done.body
        mine = Caller(room.service.channel, token)
        assert mine("Whoami").user == "anna"
        # A token neither sets one up nor removes it.
        for path in ("/me/factor", "/me/factor/confirm", "/me/factor/codes", "/me/factor/remove"):
            stranger = room.browser()
            answer = stranger.post(path, headers=[("Authorization", "Bearer " + token)], csrf="0" * 64,
                                   password=PASSWORD)
            assert answer.status in (400, 401, 403), (path, answer.status)
        assert mine.code("RemoveFactor", name="anna") == DENIED
    with Room() as room:
        room.root("AddToken", user="anna", name="t")
        room.sql("UPDATE tokens SET expires = created + 1")
        shown = post(room.anna, "/me/factor", password=PASSWORD).body.decode()
        key = re.search(r'<pre id="key"[^>]*><code>([A-Z2-7]{32})</code>', shown)[1]
        assert [base64.b32decode(key) in row[0] for row in room.sql("SELECT sealed FROM secrets WHERE kind = 'totp'")] == [False]
        phone = Phone(key)
        assert "These tokens" not in post(room.anna, "/me/factor/confirm", code=phone.now()).page().words()


def a_link_from_before_opens_nothing():
    """On loopback the browser follows a link to be in: one of the password alone may be under way when the factor
    begins to count."""
    with Room() as room:
        late, other = room.browser(), room.browser()
        link, again = late.try_in("anna", PASSWORD), other.try_in("anna", PASSWORD)
        assert link.status == again.status == 303
        post(room.anna, "/me/factor", password=PASSWORD)
        other.follow(again)
        assert other.is_in()  # what does not count yet changes nothing
        room.sql("UPDATE factors SET confirmed = 1")
        late.host, _, path = link.fields["location"].removeprefix("http://").partition("/")
        came = late.get("/" + path)
        assert came.status == 401 and "set-cookie" not in came.fields, came.fields
        # A refusal's row follows its answer.
        until(lambda: ("page/ComeIn", "UNAUTHENTICATED") in [(x["what"], x["outcome"]) for x in room.audit()], "its row")


def a_form_of_another_site_changes_nothing():
    with Room() as room:
        phone, _ = room.set_up()
        good = room.anna.csrf()
        for path, fields in (("/me/factor", {"password": PASSWORD}), ("/me/factor/confirm", {"code": "123456"}),
                             ("/me/factor/codes", {"password": PASSWORD, "factor": phone.now()}),
                             ("/me/factor/remove", {"password": PASSWORD, "factor": phone.now()})):
            for origin in (None, "null", "http://evil.example", f"http://localhost:{room.port}"):
                assert room.anna.post(path, origin, csrf=good, **fields).status == 403, (path, origin)
            for csrf in ("", "0" * 64, good[:-1]):
                assert room.anna.post(path, csrf=csrf, **fields).status == 403, path
            assert room.anna.post(path, **fields).status == 400
        assert comes_in(room, phone.now())


def who_lost_it_asks_an_administrator():
    with Room() as room:
        room.user("chief", administrator=True)
        chief = Caller(room.service.channel, room.root("AddToken", user="chief", name="t").token)
        narrow = Caller(room.service.channel, room.root("AddToken", user="chief", name="n",
                                                        actions=["view", "administrator"]).token)
        anna = Caller(room.service.channel, room.root("AddToken", user="anna", name="t").token)
        room.set_up()
        room.set_up(room.browser().sign_in("chief"))

        def rows():
            return {x["name"]: x["second_factor"] for x in cli("user", "list", "--json", **room.cli).json()}
        assert rows() == {"anna": "yes", "chief": "yes"}, rows()
        assert anna.code("RemoveFactor", name="chief") == DENIED
        assert "not for all actions" in narrow.text("RemoveFactor", name="anna")
        # One's own takes the password and a code, at the page.
        assert "it is your own" in chief.text("RemoveFactor", name="chief")
        assert chief.code("RemoveFactor", name="nobody") == HIDDEN
        assert chief.code("RemoveFactor", name="anna") == OK
        assert chief.code("RemoveFactor", name="anna") == HIDDEN
        assert room.browser().sign_in().is_in()
        assert "with the password alone" in cli("user", "remove-factor", "chief", **room.cli).ok()
        cli("user", "remove-factor", "chief", **room.cli).refused(1, "no second factor")
        assert rows() == {"anna": "no", "chief": "no"}, rows()
        kept = [row for row in room.audit() if row["what"].endswith("/RemoveFactor")]
        assert [(row["who"], row["object"]) for row in kept if row["outcome"] == "OK"] == [
            ("user chief", "user anna"), (f"uid {os.geteuid()}", "user chief")], kept
        refused = [row["outcome"] for row in kept if row["outcome"] != "OK"]
        assert refused == ["PERMISSION_DENIED"] * 3 + ["NOT_FOUND"] * 3, refused


def another_machine_gives_its_code_by_tls():
    with Folder() as tls:
        authority(tls)
        settings = {"ADMIN_SERVER_CERT": tls("server.pem"), "ADMIN_SERVER_KEY": tls("server-key.pem"),
                    "ADMIN_SIGN_IN": "true", "WEB": "0.0.0.0:0"}
        with Page(**settings) as page:
            page.user("anna")
            base = f"https://localhost:{page.port}"

            def curl(path, cookie=None, **fields):
                form = [part for name, value in fields.items() for part in ("--data-urlencode", f"{name}={value}")]
                mine = ["-H", "Cookie: " + cookie] if cookie else []
                done = subprocess.run(["curl", "-sS", "-i", "--max-time", str(PATIENCE), "--cacert", tls("ca.pem"),
                                       "-H", "Origin: " + base, *form, *mine, base + path], capture_output=True,
                                      check=True)
                head, _, body = done.stdout.decode().partition("\r\n\r\n")
                found = re.search(r"__Host-cocos-session=[0-9a-f]{64}", head)
                return int(head.split()[1]), found and found[0], body

            _, cookie, _ = curl("/sign-in", name="anna", password=PASSWORD)
            csrf = re.search(r'name="csrf" value="([0-9a-f]{64})"', curl("/me", cookie)[2])[1]
            _, _, body = curl("/me/factor", cookie, csrf=csrf, password=PASSWORD)
            phone = Phone(re.search(r"<code>([A-Z2-7]{32})</code>", body)[1])
            _, _, body = curl("/me/factor/confirm", cookie, csrf=csrf, code=phone.now())
            recovery = re.search(r'id="codes"[^>]*><code>([0-9a-f-]+)\n', body)[1]
            status, none, body = curl("/sign-in", name="anna", password=PASSWORD)
            assert (status, none) == (200, None)
            half = re.search(r'name="half" value="([0-9a-f]{64})"', body)[1]
            assert curl("/me", "__Host-cocos-session=" + half)[0] == 401
            status, fresh, _ = curl("/sign-in/code", half=half, factor=recovery)
            assert status == 303 and fresh and curl("/me", fresh)[0] == 200


def it_is_in_the_audit_log_and_no_secret_is():
    with Folder() as folder:
        log = folder("audit.log")
        with Room(AUDIT_LOG=log, LOG_LEVEL="debug") as room:
            phone, codes = room.set_up()
            wrong = phone.wrong()
            b = room.browser()
            half = half_of(b)
            assert give(b, half, wrong).status == 401
            b.follow(give(b, half, codes[0]))
            code = phone.now()
            assert post(b, "/me/factor/codes", password=PASSWORD, factor=code).status == 200
            room.later()
            assert post(b, "/me/factor/remove", password=PASSWORD, factor=phone.now()).status == 303
            with open(log, encoding="utf-8") as file:
                text = file.read()
            lines = room.service.process.text()
            state = room.folder("state")
            known = b"".join(open(os.path.join(state, name), "rb").read()  # pylint: disable=consider-using-with
                             for name in os.listdir(state) if os.path.isfile(os.path.join(state, name)))
            kept = [(row["what"], row["outcome"]) for row in room.audit()]
        done = [json.loads(line) for line in text.splitlines()]
        deeds = [(x["method"].split("/")[-1], x["outcome"]) for x in done if x["event"] == "done"]
        for deed in (("BeginFactor", "OK"), ("ConfirmFactor", "OK"), ("GiveCode", "UNAUTHENTICATED"), ("GiveCode", "OK"),
                     ("RenewRecoveryCodes", "OK"), ("RemoveFactor", "OK")):
            assert deed in deeds, (deed, deeds)
        assert all(x.get("by") == "anna" for x in done if x["event"] == "done" and x["method"].endswith("Factor")), done
        for deed in ("BeginFactor", "ConfirmFactor", "GiveCode", "RenewRecoveryCodes", "RemoveFactor"):
            assert kept.count(("page/" + deed, "OK")) == 1, (deed, kept)
        assert kept.count(("page/GiveCode", "UNAUTHENTICATED")) == 1, kept
        key = base64.b32encode(phone.secret).decode()
        for secret in (key, phone.secret.hex(), codes[0], codes[0].replace("-", ""), codes[1], half):
            assert secret not in text and secret not in lines, secret[:6]
        for secret in (codes[0].replace("-", ""), codes[1].replace("-", ""), half):
            assert secret.encode() not in known and bytes.fromhex(secret) not in known, secret[:6]


if __name__ == "__main__":
    tap.run([it_is_set_up_and_asked_for,
             its_first_code_is_not_guessed,
             the_first_step_opens_nothing,
             a_code_is_taken_once,
             who_guesses_waits_and_the_owner_does_not,
             who_has_the_password_keeps_nobody_from_typing,
             recovery_codes_work_once,
             where_the_password_is_asked_the_code_is,
             a_link_for_a_password_is_no_way_around_it,
             an_invitation_is_no_way_around_it,
             tokens_go_on_as_before,
             a_link_from_before_opens_nothing,
             a_form_of_another_site_changes_nothing,
             who_lost_it_asks_an_administrator,
             another_machine_gives_its_code_by_tls,
             it_is_in_the_audit_log_and_no_secret_is])
