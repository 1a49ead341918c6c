#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Passkeys at the page: added after the password, signed in with, shown instead of a code, lost; and what others try there."""
import json
import os
import re
import subprocess

import tap
import web_browser
from harness import PATIENCE, Folder, authority, cli
from login import Asking, see
from oidc import Clinic
from ports import free_port
from second_factor import Room as Factors
from second_factor import half_of, post
from sign_in import OTHER, PASSWORD, Page
from soft_passkey import EDDSA, ES256, PRESENT, RS256, BACKED_UP, ELIGIBLE, VERIFIED, Passkey, asked, body

NOT_HERE = "is none of this service, was removed, or may not sign in"


class Room(Factors):
    """Anna has signed in."""

    @property
    def origin(self):
        return f"http://localhost:{self.port}"

    def begun(self, name="phone", browser=None, **fields):
        """The page where one is added, in the same browser; and what it asks for."""
        browser = browser or self.anna
        answer = post(browser, "/me/passkey", name=name, password=PASSWORD, **fields)
        assert answer.status == 303, (answer.status, answer.body)
        found = re.fullmatch(re.escape(self.origin) + "(/passkey/[0-9a-f]{64})", answer.fields["location"])
        there = self.browser()
        return there, found[1], asked(there.get(found[1]))

    def send(self, there, form, fields):
        return there.post(form["action"], form=body(fields))

    def added(self, name="phone", passkey=None, browser=None, **fields):
        passkey = passkey or Passkey()
        there, path, form = self.begun(name, browser, **fields)
        assert form["action"] == path and form["rp"] == "localhost" and form["verify"] == "required"
        answer = self.send(there, form, passkey.make(form, self.origin))
        home = "http://" + (browser or self.anna).host + "/me"
        assert (answer.status, answer.fields.get("location")) == (303, home), (answer.status, answer.body)
        return passkey

    def asks(self, address="127.0.0.1"):
        """A browser at the sign-in page, and what that asks for."""
        browser = self.browser(address)
        page = browser.get("/sign-in")
        browser.cookie = re.fullmatch(r"(cocos-browser=[0-9a-f]{32}); Path=/; HttpOnly; SameSite=Strict",
                                      page.fields["set-cookie"])[1]
        page.page()
        return browser, asked(page)

    def try_passkey(self, passkey, address="127.0.0.1", **wrong):
        browser, form = self.asks(address)
        assert form["ids"] == "" and form["rp"] == "localhost" and form["verify"] == "required"
        return browser, self.send(browser, form, passkey.use(form, self.origin, **wrong))

    def comes_in(self, passkey):
        browser, answer = self.try_passkey(passkey)
        browser.follow(answer)
        return browser.is_in()

    def refused(self, answer, words, status=401):
        assert answer.status == status and words in answer.page().words(), (answer.status, words, answer.page().words())
        assert "location" not in answer.fields


def one_is_added_and_signs_in():
    with Room() as room:
        assert "A passkey of your phone" in room.anna.get("/me").page().words()
        kinds = {"phone": ES256, "stick": EDDSA, "laptop": RS256}
        made = {name: room.added(name, Passkey(kind)) for name, kind in kinds.items()}
        assert len({passkey.handle for passkey in made.values()}) == 1
        assert all(name in room.anna.get("/me").page().words() for name in made)
        assert all(room.comes_in(passkey) for passkey in made.values())
        there, path, _ = room.begun("another")
        assert "signs in here as anna" in there.get(path).page().words()
        # It knows those that are there, and the name is a passkey's own.
        assert set(room.begun("more")[2]["ids"].split(",")) == {passkey.id.hex() for passkey in made.values()}
        assert post(room.anna, "/me/passkey", name="phone", password=PASSWORD).status == 400
        assert post(room.anna, "/me/passkey", name="My phone", password=PASSWORD).status == 400
        assert post(room.anna, "/me/passkey", name="x", password=OTHER).status == 401
        # It lasts over a restart; then the port is another one, and the address still that of the page.
        room.again()
        assert room.comes_in(made["stick"])


def what_counts_goes_up():
    with Room() as room:
        passkey = room.added(passkey=Passkey(count=5))
        passkey.count = 6
        assert room.comes_in(passkey)
        for count in (6, 5, 0):
            passkey.count = count
            room.refused(room.try_passkey(passkey)[1], "count of signatures went back")
        assert "there may be a copy of the device" in room.anna.get("/me").page().words()
        rows = [row for row in room.audit() if row["what"] == "page/UsePasskey"]
        assert [(row["after"], row["outcome"]) for row in rows] == [("phone", "OK"), *[("", "UNAUTHENTICATED")] * 3], rows
        assert {row["who"] for row in rows} == {"user anna"}
        assert all("went back" in row["cause"] for row in rows[1:])
        passkey.count = 7
        assert room.comes_in(passkey)


def what_was_not_asked_for_signs_nobody_in():
    with Room() as room:
        passkey = room.added()
        challenge = room.asks()[1]["challenge"]
        addresses = (f"127.0.1.{n}" for n in range(1, 99))
        for words, wrong in (("another address", {"origin": f"http://127.0.0.1:{room.port}"}),
                             ("another address", {"origin": f"http://localhost:{room.port}.evil.example"}),
                             ("another site", {"rp": "evil.example"}), ("another use", {"kind": "webauthn.create"}),
                             ("another challenge", {"challenge": challenge}), ("nobody touched", {"flags": VERIFIED}),
                             ("did not ask who", {"flags": PRESENT}), ("within another", {"cross": True}),
                             ("differs from when", {"flags": PRESENT | VERIFIED | ELIGIBLE}),
                             ("another user", {"fields": {"handle": ""}}),
                             ("another user", {"fields": {"handle": "00" * 32}}),
                             (NOT_HERE, {"fields": {"id": "00" * 32}})):
            room.refused(room.try_passkey(passkey, next(addresses), **wrong)[1], words)
        for words, wrong in (("may not be", {"flags": PRESENT | VERIFIED | BACKED_UP}), ("cut short", {"cut": 36}),
                             ("bytes more", {"more": b"\0"})):
            room.refused(room.try_passkey(passkey, next(addresses), **wrong)[1], words, 400)
        forged = Passkey()
        forged.id, forged.handle = passkey.id, passkey.handle
        # Who tries from one address has to wait there; the owner does not.
        codes = []
        while 429 not in codes:
            codes.append(room.try_passkey(forged, "127.0.0.2")[1].status)
            assert len(codes) < 100, codes
        assert set(codes[:-1]) == {401} and len(codes) > 10, codes
        assert room.comes_in(passkey)


def an_answer_is_taken_once_and_of_one_browser():
    with Room() as room:
        passkey = room.added()
        browser, form = room.asks()
        fields = passkey.use(form, room.origin)
        other = room.browser()
        room.refused(room.send(other, form, fields), "another challenge")  # without the cookie
        other, _ = room.asks()
        room.refused(room.send(other, form, fields), "another challenge")  # with its own
        for ticket, words in (("00" * 24, "older than 5 minutes"), ("ff" * 24, "older than 5 minutes"),
                              (fields["ticket"][:-1] + "0", "another challenge")):
            if ticket != fields["ticket"]:
                room.refused(room.send(browser, form, {**fields, "ticket": ticket}), words)
        assert room.send(browser, form, fields).status == 303
        room.refused(room.send(browser, form, fields), "sent before")
        # What is no form of the page's.
        for wrong in ("", "x=1", body(fields) + "&more=00", body({**fields, "id": ""}), body({**fields, "client": "0"}),
                      body({**fields, "data": "zz"}), body({**fields, "id": "00" * 1024}), body(fields)[7:],
                      body({**fields, "signature": "00" * 1025}), body({**fields, "handle": "00" * 33}),
                      body({**fields, "client": "00" * 2049})):
            assert browser.post("/sign-in/passkey", form=wrong).status == 400, wrong[:80]
        assert browser.post("/sign-in/passkey", form="x" * 16385).status == 413
        assert browser.post("/sign-in/passkey", "http://evil.example", form=body(fields)).status == 403


def a_new_one_is_of_its_session_and_page():
    with Room() as room:
        there, path, form = room.begun("first")
        passkey = Passkey()
        # What another page asked for is not taken here; and the page has worked, whatever came of it.
        for words, wrong, status in (("another use", {"kind": "webauthn.get"}, 401), ("another address", {"origin": "https://localhost"}, 401),
                                     ("another site", {"rp": "evil.example"}, 401), ("did not ask who", {"flags": PRESENT}, 401),
                                     ("another challenge", {"challenge": "00" * 32}, 401), ("cbor", {"cut": -1}, 400),
                                     ("after its id", {"more": b"\0"}, 400),
                                     ("none was asked for", {"format": "fido-u2f"}, 400)):
            there, path, form = room.begun("first")
            room.refused(room.send(there, form, passkey.make(form, room.origin, **wrong)), words, status)
            assert there.get(path).status == 401, words
            assert room.send(there, form, passkey.make(form, room.origin)).status == 401
        there, path, form = room.begun("first")
        _, other, theirs = room.begun("second")
        room.refused(there.post(other, form=body(passkey.make(form, room.origin))), "another challenge")
        assert room.send(there, form, passkey.make(form, room.origin)).status == 303
        assert there.get(path).status == 401 and theirs
        # Known already, also of somebody else.
        room.user("bert")
        bert = room.browser().sign_in("bert")
        there, path, form = room.begun("mine", bert)
        answer = room.send(there, form, passkey.make(form, room.origin))
        assert answer.status == 400 and "known already" in answer.page().words()
        room.refused(room.try_passkey(passkey)[1], "another user")  # it was told bert's handle
        # Its session ends, and so does the page.
        there, path, form = room.begun("late", bert)
        assert post(bert, "/sign-out").status == 303
        assert there.get(path).status == 401
        assert room.send(there, form, Passkey().make(form, room.origin)).status == 401
        rows = [(row["what"][5:], row["after"], row["outcome"]) for row in room.audit() if "Passkey" in row["what"]]
        for row in (("AddPasskey", "first", "OK"), ("AddPasskey", "", "UNAUTHENTICATED"), ("BeginPasskey", "late", "OK")):
            assert row in rows, (row, rows)


def it_stands_for_both_factors_and_for_a_code():
    with Room() as room:
        phone, _ = room.set_up()
        # It counts as both, so both are asked for.
        answer = post(room.anna, "/me/passkey", name="phone", password=PASSWORD)
        assert answer.status == 400 and "second factor" in answer.page().words()
        passkey = room.added(factor=phone.now())
        room.later()
        assert room.comes_in(passkey)
        # After the password instead of a code, where a touch is enough.
        browser = room.browser()
        page = browser.try_in("anna", PASSWORD)
        form = asked(page)
        assert form["ids"] == passkey.id.hex() and form["verify"] == "discouraged"
        assert form["fields"]["half"] == half_of(browser, answer=page)
        fields = passkey.use(form, room.origin, flags=PRESENT, fields={"handle": ""})
        room.refused(room.send(browser, form, {**fields, "half": "00" * 32}), "sign in again")
        browser.follow(room.send(browser, form, fields))
        assert browser.is_in()
        room.refused(room.send(room.browser(), form, fields), "sign in again")
        # One half's challenge is not another's, and the password of one user opens nothing with the passkey of another.
        first, second = asked(room.browser().try_in("anna", PASSWORD)), asked(room.browser().try_in("anna", PASSWORD))
        mixed = {**passkey.use(first, room.origin), "half": second["fields"]["half"]}
        room.refused(room.send(room.browser(), second, mixed), "another challenge")
        room.user("bert")
        bert = room.browser().sign_in("bert")
        other = room.added("berts", browser=bert)
        room.refused(room.send(room.browser(), second, other.use(second, room.origin)), "another user's")
        # Alone it needs more than a touch, and what is for the second step is none for the first.
        room.refused(room.try_passkey(passkey, flags=PRESENT)[1], "did not ask who")
        alone, wanted = room.asks()
        crossed = passkey.use(second, room.origin)
        room.refused(room.send(alone, wanted, {name: value for name, value in crossed.items() if name != "half"}),
                     "another challenge")


def who_lost_it_removes_it_or_asks_an_administrator():
    with Room() as room:
        first, second = room.added("first"), room.added("second")
        room.user("bert")
        bert = room.browser().sign_in("bert")
        (number, _), = room.sql("SELECT number, name FROM passkeys WHERE name = 'first'")
        for path in (number, 0, "x", "9" * 19, "-1"):
            assert post(bert, f"/me/passkeys/{path}").status == 404, path
        assert room.anna.post(f"/me/passkeys/{number}", csrf="0" * 64).status == 403
        assert post(room.anna, f"/me/passkeys/{number}").status == 303
        room.refused(room.try_passkey(first)[1], NOT_HERE)
        assert room.comes_in(second)
        rows = cli("user", "list", "--json", **room.cli).json()
        assert {row["name"]: row["passkeys"] for row in rows} == {"anna": 1, "bert": 0}, rows
        room.root("SuspendUser", name="anna")
        room.refused(room.try_passkey(second)[1], NOT_HERE)
        room.root("SuspendUser", name="anna", resume=True)
        cli("user", "remove-passkeys", "anna", **room.cli).ok()
        room.refused(room.try_passkey(second)[1], NOT_HERE)
        cli("user", "remove-passkeys", "anna", **room.cli).refused(1, "no passkey")
        kept = [(row["what"], row["after"]) for row in room.audit()]
        assert ("page/RemovePasskey", "first") in kept, kept
        assert any(what.endswith("RemovePasskeys") for what, _ in kept), kept


class Elsewhere(Room, Clinic):
    """Carla comes from a provider, and has no password."""

    def carla(self):
        self.idp.claims = {"sub": "12", "preferred_username": "carla", "groups": ["staff"]}
        guest = self.guest()
        return guest.enter(guest.trip_to(self.idp))

    def fresh(self, browser, name="phone"):
        return browser.post("/me/passkey/fresh", csrf=browser.csrf(), name=name)

    def make(self, answer, passkey):
        there = self.browser()
        path = answer.fields["location"].removeprefix(self.origin)
        form = asked(there.get(path))
        assert self.send(there, form, passkey.make(form, self.origin)).status == 303
        return passkey


def who_has_no_password_adds_one_after_signing_in_and_keeps_a_way_in():
    with Elsewhere("name=preferred_username", "map clinic groups=staff default viewer\n") as room:
        carla = room.carla()
        assert 'name="password"' not in carla.get("/me/passkey").body.decode()
        assert "minutes of signing in" in carla.get("/me/passkey").page().words().replace("five ", "")
        # Whoever has a password gives it, however fresh the session.
        assert room.fresh(room.anna).status == 403
        # There is nothing to compare with.
        assert post(carla, "/me/passkey", name="phone", password=PASSWORD).status == 401
        room.sql("UPDATE logins SET created = created - 300001 WHERE person = (SELECT number FROM users WHERE name = 'carla')")
        late = room.fresh(carla)
        assert late.status == 400 and "more than 5 minutes ago" in late.page().words(), late.page().words()
        carla = room.carla()
        passkey = room.make(room.fresh(carla), Passkey())
        # Now the account there may go, and then the passkey is the last way in.
        link = re.search(r'action="(/me/identities/\d+)"', carla.get("/me").body.decode())[1]
        assert post(carla, link).status == 303
        assert room.comes_in(passkey)
        mine = re.search(r'action="(/me/passkeys/\d+)"', carla.get("/me").body.decode())[1]
        kept = post(carla, mine)
        assert kept.status == 409 and "only way in" in kept.page().words()
        assert room.comes_in(passkey)
        # A second one, after signing in with the first; then either may go.
        browser, answer = room.try_passkey(passkey)
        browser.follow(answer)
        spare = room.make(room.fresh(browser, "spare"), Passkey())
        assert post(browser, mine).status == 303
        room.refused(room.try_passkey(passkey)[1], NOT_HERE)
        assert room.comes_in(spare)
        # Both are lost: an administrator removes them, and gives a link. Whoever found one, and has just signed in, adds none.
        browser, answer = room.try_passkey(spare)
        browser.follow(answer)
        begun = room.fresh(browser, "theirs").fields["location"].removeprefix(room.origin)
        late, answer = room.try_passkey(spare)  # whose session would begin with the link that this leads to
        cli("user", "remove-passkeys", "carla", **room.cli).ok()
        assert not browser.is_in() and room.browser().get(begun).status == 401
        assert late.is_late(answer)
        path = re.search(r"/password/[0-9a-f]{64}", cli("user", "link", "carla", **room.cli).ok())[0]
        back = room.browser()
        back.follow(back.post(path, name="carla", password=OTHER, again=OTHER))
        assert back.is_in()


def a_command_line_is_let_in_with_one():
    with Room() as room:
        passkey = room.added()
        room.user("bert")
        bert = room.browser().sign_in("bert")
        theirs = room.added("berts", browser=bert)
        home = room.folder("config")
        os.mkdir(home, 0o700)

        def begin(code, browser=room.anna):
            answer = post(browser, "/me/device/passkey", code=code)
            assert answer.status == 303, (answer.status, answer.page().words())
            there, path = room.browser(), answer.fields["location"].removeprefix(room.origin)
            return there, path, there.get(path)

        with Asking(home, **room.cli) as asking:
            assert "with a passkey" in see(room.anna, asking.code).page().words()
            there, path, page = begin(asking.code)
            form, words = asked(page), page.page().words()
            assert form["action"] == path + "/use" and form["verify"] == "required" and form["ids"] == passkey.id.hex()
            assert asking.code in words and "anna" in words
            # What is for the one is good for nothing else.
            add, other, make = room.begun("more")
            room.refused(there.post(path, form=body(Passkey().make({**make, "user": "00"}, room.origin))), "something else")
            room.refused(there.post(other + "/use", form=body(passkey.use(form, room.origin))), "something else")
            for words, key, wrong in (("did not ask who", passkey, {"flags": PRESENT}), ("another user", theirs, {}),
                                      ("another challenge", passkey, {"challenge": "00" * 32}),
                                      ("another address", passkey, {"origin": "http://" + room.anna.host})):
                room.refused(there.post(form["action"], form=body(key.use(form, room.origin, **wrong))), words)
            # A challenge of signing in is none of this.
            room.refused(there.post(form["action"], form=body({**passkey.use(room.asks()[1], room.origin)})), "another challenge")
            assert asking.process.poll() is None
            fields = passkey.use(form, room.origin)
            done = room.send(there, form, fields)
            assert done.status == 200 and "It is let in" in done.page().words()
            assert "logged in as anna" in asking.end()
            assert there.get(path).status == 401 and room.send(there, form, fields).status == 401
        # The session that began it has ended; a code that nobody has; who has none.
        with Asking(home, **room.cli) as asking:
            there, path, page = begin(asking.code, bert)
            assert post(bert, "/sign-out").status == 303
            assert there.get(path).status == 401
            assert room.send(there, asked(page), theirs.use(asked(page), room.origin)).status == 401
            assert asking.process.poll() is None
        assert post(room.anna, "/me/device/passkey", code="BCDF-GHJK").status == 400
        room.user("carl")
        carl = room.browser().sign_in("carl")
        with Asking(home, **room.cli) as asking:
            assert "passkey" not in see(carl, asking.code).page().words()
            assert post(carl, "/me/device/passkey", code=asking.code).status == 409


def one_has_another_name():
    with Room() as room:
        room.added("first")
        room.added("second")
        (number,), = room.sql("SELECT number FROM passkeys WHERE name = 'first'")
        path = f"/me/passkeys/{number}"
        assert path in room.anna.get("/me").page().links and "Rename" in room.anna.get(path).page().words()
        room.user("bert")
        bert = room.browser().sign_in("bert")
        for browser, where in ((bert, path), (room.anna, "/me/passkeys/0"), (room.anna, "/me/passkeys/x")):
            assert browser.get(where).status == 404 and post(browser, where + "/name", name="mine").status == 404
        assert post(room.anna, path + "/name", name="second").status == 409
        assert post(room.anna, path + "/name", name="My phone").status == 400
        assert post(room.anna, path + "/name", name="first").status == 303
        assert post(room.anna, path + "/name", name="phone").status == 303
        assert [name for name, in room.sql("SELECT name FROM passkeys ORDER BY number")] == ["phone", "second"]
        assert ("page/RenamePasskey", "phone") in [(row["what"], row["after"]) for row in room.audit()]


def another_machine_has_them_at_the_address_that_is_set():
    with Folder() as tls:
        authority(tls)
        port = free_port()
        base = f"https://localhost:{port}"
        settings = {"ADMIN_SERVER_CERT": tls("server.pem"), "ADMIN_SERVER_KEY": tls("server-key.pem"),
                    "ADMIN_SIGN_IN": "true", "WEB": f"0.0.0.0:{port}"}

        def curl(path, *options, **fields):
            form = [part for name, value in fields.items() for part in ("--data-urlencode", f"{name}={value}")]
            done = subprocess.run(["curl", "-sS", "-i", "--max-time", str(PATIENCE), "--cacert", tls("ca.pem"),
                                   *form, *options, base + path], capture_output=True, check=True)
            return Reply(*done.stdout.decode().partition("\r\n\r\n")[::2])

        with Page(**settings) as page:
            page.user("anna")
            assert asked(curl("/sign-in")) is None and "COMPUTATIONS_WEB_ORIGIN" in signed_in(curl, base)[0].text
        with Page(WEB_ORIGIN=base, **settings) as page:
            page.user("anna")
            me, mine = signed_in(curl, base)
            csrf = re.search(r'name="csrf" value="([0-9a-f]{64})"', me.text)[1]
            answer = curl("/me/passkey", *mine, csrf=csrf, name="phone", password=PASSWORD)
            path = re.search(r"location: " + base + r"(/passkey/[0-9a-f]{64})", answer.head)[1]
            passkey, form = Passkey(), asked(curl(path))
            own = ("-H", "Origin: " + base)
            answer = curl(path, *own, "-d", body(passkey.make(form, base)))
            assert answer.status == 303 and re.search(r"location: /me(\r|$)", answer.head), answer.text
            shown = curl("/sign-in")
            cookie = re.search(r"set-cookie: (__host-cocos-browser=[0-9a-f]{32}); path=/; secure; httponly; samesite=strict",
                               shown.head)[1].replace("__host", "__Host")
            form = asked(shown)
            answer = curl("/sign-in/passkey", *own, "-H", "Cookie: " + cookie, "-d", body(passkey.use(form, base)))
            assert answer.status == 303 and "set-cookie: __host-cocos-session=" in answer.head, answer.text


class Reply:
    def __init__(self, head, text):
        self.status, self.head, self.text, self.body = int(head.split()[1]), head.lower(), text, text.encode()


def signed_in(curl, base):
    """The user's own page, and the options that show who it is."""
    answer = curl("/sign-in", "-H", "Origin: " + base, name="anna", password=PASSWORD)
    cookie = re.search(r"set-cookie: (__host-cocos-session=[0-9a-f]{64})", answer.head)[1].replace("__host", "__Host")
    mine = ("-H", "Cookie: " + cookie, "-H", "Origin: " + base)
    return curl("/me", *mine), mine


class Browsers(web_browser.Room):
    kind = Page


def fill(page, **fields):
    """Types into the form, and sends it."""
    for name, value in fields.items():
        page.run(f"document.getElementById('f-{name}').value = {json.dumps(value)}")
    page.run("document.querySelector('form.stack button').click()")


def looks_right(page, name):
    """At all widths, and as people see it."""
    wrong = []
    for scheme in ("light", "dark"):
        page.scheme(scheme)
        for width in web_browser.WIDTHS:
            page.size(width)
            wrong += [f"{name}, {scheme}, {width}: {text}" for text in page.run(web_browser.CHECKS)]
            if width in (320, 1440):
                page.picture(f"{name}-{width}-{scheme}")
    page.scheme("light")
    assert not wrong, "\n".join(wrong)


def without_web_authentication_words_stand_there():
    with Browsers() as room:
        page, service = room.page, room.web
        service.user("anna")
        page("Page.addScriptToEvaluateOnNewDocument", source="delete window.PublicKeyCredential")
        page.go(room.base + "/sign-in")
        page.until("document.querySelector('[data-no-passkey]')?.hidden === false", "the words")
        assert page.run("document.querySelector('form[data-passkey]').hidden && !document.querySelector('form[data-passkey] button').offsetWidth")
        assert "no passkeys here" in page.run("document.querySelector('[data-no-passkey]').innerText")
        looks_right(page, "sign-in-no-passkey")
        fill(page, name="anna", password=PASSWORD)
        page.until("location.hostname.endsWith('.localhost') && location.pathname === '/'", "the page")


def a_real_browser_has_them():
    with Browsers() as room:
        page, service = room.page, room.web
        service.user("anna")
        page("WebAuthn.enable")
        device = page("WebAuthn.addVirtualAuthenticator", options={
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True})["authenticatorId"]
        page.go(room.base + "/sign-in")
        page.until("document.querySelector('form[data-passkey] button')?.disabled === false", "the button")
        looks_right(page, "sign-in-passkey")
        fill(page, name="anna", password=PASSWORD)
        page.until("location.hostname.endsWith('.localhost') && location.pathname === '/'", "the page")
        mine = page.run("location.origin")
        page.go(mine + "/me/passkey")
        fill(page, name="phone", password=PASSWORD)
        page.until("location.pathname.startsWith('/passkey/') && location.hostname === 'localhost' && "
                   "document.querySelector('form[data-passkey] button')?.disabled === false", "the page for a new one")
        looks_right(page, "passkey-new")
        page.run("document.querySelector('form[data-passkey] button').click()")
        page.until(f"location.href === '{mine}/me' && document.body?.innerText.includes('phone')", "the new one")
        looks_right(page, "me-passkey")
        kept = page("WebAuthn.getCredentials", authenticatorId=device)["credentials"]
        assert [(one["rpId"], one["isResidentCredential"]) for one in kept] == [("localhost", True)], kept
        # Another one is not made on the same device.
        page.go(mine + "/me/passkey")
        fill(page, name="again", password=PASSWORD)
        page.until("location.pathname.startsWith('/passkey/') && document.querySelector('form[data-passkey] button')?.disabled === false", "the page")
        page.run("document.querySelector('form[data-passkey] button').click()")
        page.until("document.querySelector('form[data-passkey] output')?.textContent.includes('already')", "the refusal")
        # Without a name, without a password.
        page.go(room.base + "/sign-in")
        page.run("document.querySelector('form[data-passkey] button').click()")
        page.until(f"location.hostname.endsWith('.localhost') && location.origin !== '{mine}' && location.pathname === '/'",
                   "the page of whoever signed in")
        mine = page.run("location.origin")
        page.go(mine + "/me")
        assert page.run("document.querySelector('h1').textContent") == "anna"
        page.run("document.querySelector('form[action^=\"/me/passkeys/\"] button').click()")
        page.until("location.pathname === '/me' && document.body?.innerText.includes('A passkey of your phone')", "none")
        page.go(room.base + "/sign-in")
        page.run("document.querySelector('form[data-passkey] button').click()")
        page.until(f"document.body?.innerText.includes('{NOT_HERE}')", "the refusal")
        assert page.run("window.seen.violations.length") == 0


if __name__ == "__main__":
    tap.run([one_is_added_and_signs_in,
             what_counts_goes_up,
             what_was_not_asked_for_signs_nobody_in,
             an_answer_is_taken_once_and_of_one_browser,
             a_new_one_is_of_its_session_and_page,
             it_stands_for_both_factors_and_for_a_code,
             who_lost_it_removes_it_or_asks_an_administrator,
             who_has_no_password_adds_one_after_signing_in_and_keeps_a_way_in,
             a_command_line_is_let_in_with_one,
             one_has_another_name,
             another_machine_has_them_at_the_address_that_is_set,
             without_web_authentication_words_stand_there,
             a_real_browser_has_them])
