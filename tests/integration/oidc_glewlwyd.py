#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Signing in with a provider of identities that others wrote: Debian's glewlwyd, by its own page in a browser, and by a
program's requests where it, its administrator or a stranger does what lets nobody in."""
import contextlib
import urllib.parse

import tap
from browser import Browser
from glewlwyd import NAME, PASSWORD, Glewlwyd
from harness import until
from oidc import LINKING, Clinic, checked, not_told

class Ward(Clinic):
    """The clinic's provider is glewlwyd, which sends browsers back to this page alone."""

    def __init__(self, idp=None):
        super().__init__("name=preferred_username", "map clinic groups=staff default member\n", idp=idp or Glewlwyd())

    def __enter__(self):
        super().__enter__()
        with contextlib.ExitStack() as stack:
            stack.push(super().__exit__)
            self.idp.client(f"http://localhost:{self.port}/sign-in/with/clinic/back")
            stack.pop_all()
        return self

    def enters(self, **more):
        """Whoever comes back with a good token."""
        guest = self.guest()
        assert guest.enter(guest.trip_to(self.idp, **more)).is_in()
        return guest

    def roles(self):
        return {m.user: m.role for m in self.root("ListMembers", workspace="default").members}


def click(page, words):
    page.until(f"[...document.querySelectorAll('button')].some((one) => one.innerText.trim() === '{words}')", words)
    page.run(f"[...document.querySelectorAll('button')].find((one) => one.innerText.trim() === '{words}').click()")


def tick(page):
    """What may be left out is asked for by itself."""
    box = "document.querySelector('input[type=checkbox]:not([disabled])')"
    page.until(f"{box} !== null", "a scope to consent to")
    page.run(box + ".click()")
    page.until(f"{box}.checked", "the tick")


def fill_in(page, field, text):
    page.until(f"document.getElementById('{field}') !== null", field)
    page.run(f"document.getElementById('{field}').focus()")
    page.type(text)


def a_person_signs_in_by_its_page_and_consents():
    with Ward() as room, Browser() as browser:
        page = browser.page()
        page.go(f"http://localhost:{room.port}/sign-in")
        page.run("document.querySelector('a[href=\"/sign-in/with/clinic\"]').click()")
        fill_in(page, "username", NAME)
        fill_in(page, "password", PASSWORD)
        page.key("Enter")
        page.until("document.body.innerText.includes('requires access to the following scopes')", "what is asked for")
        tick(page)
        click(page, "Grant access")
        until(lambda: room.idp.granted(NAME), "the consent")
        click(page, "Continue")
        page.until("location.pathname === '/' && document.querySelector('h1') !== null", "our page")
        assert page.run(f"location.host.endsWith('.localhost:{room.port}')")
        page.go(page.run("location.origin") + "/me")
        assert page.run("document.querySelector('h1').textContent").strip() == NAME
        assert room.roles()[NAME] == "member", room.roles()


def who_consents_becomes_what_the_claims_say():
    with Ward() as room:
        # Without consent to the scope there are no groups in the token, and nobody is made of it.
        assert LINKING in room.guest().trip_to(room.idp, consents=False).page().words()
        # Nor of other groups; the name and the password of somebody here link him.
        room.idp.user("dora", ["clerks", "staffing"])
        guest = room.guest()
        asked = guest.trip_to(room.idp, who="dora")
        assert LINKING in asked.page().words() and "dora" not in room.roles()
        guest.enter(room.link(asked, guest))
        assert room.who(guest) == "anna"
        assert room.who(room.enters()) == NAME and room.roles()[NAME] == "member", room.roles()
        # The same two a second time, without a question.
        for name, called in ((NAME, NAME), ("dora", "anna")):
            assert room.who(room.enters(who=name)) == called
        deeds = [row["what"] for row in room.audit()]
        assert "page/RegisterWith" in deeds and "page/LinkIdentity" in deeds and "page/SignInWith" in deeds, deeds
        row = checked(room.table)["providers"]
        assert row["outcome"] == "ok" and row["found"] == "1 answered with document and keys", row


def a_wrong_secret_and_no_secret_get_no_token():
    with Ward() as room:
        room.enters()
        room.idp.client_secret("another-one")
        not_told(room, room.guest().trip_to(room.idp), "status 403")
        room.idp.client_secret(room.idp.secret)
        room.enters()
    idp = Glewlwyd()
    idp.line = lambda name, secret, more: f"provider {name} issuer={idp.issuer} client=cocos {more}\n"
    with Ward(idp=idp) as room:
        not_told(room, room.guest().trip_to(room.idp), "status 403")


def another_issuer_is_not_believed():
    with Ward() as room:
        room.enters()
        # The document was read before; now its tokens are of somebody else.
        room.idp.change(iss="https://login.evil.example")
        not_told(room, room.guest().trip_to(room.idp), "iss is")
        room.idp.change(iss=room.idp.issuer)
        room.enters()
    # The table calls it otherwise than it calls itself: the same machine, the same server, another name.
    idp = Glewlwyd()
    idp.issuer = idp.issuer.replace("localhost", "127.0.0.1")
    with Ward(idp=idp) as room:
        room.idp.change(iss=idp.base + "/api/oidc")
        not_told(room, room.guest().get("/sign-in/with/clinic"), "its issuer is")


def a_code_is_good_once_for_one_browser_and_for_a_while():
    with Ward() as room:
        room.enters()
        late = room.guest()
        back = room.idp.sign_in(late.set_out())
        assert room.idp.sql("UPDATE gpo_code SET gpoc_expires_at = gpoc_expires_at - 3600 WHERE gpoc_enabled = 1 RETURNING 1")
        not_told(room, late.come_back(back), "status 403")
        # Of another browser: it fits no verifier but that one's.
        other, victim = room.guest(), room.guest()
        stolen = code_of(room.idp.sign_in(other.set_out()))
        url = room.idp.sign_in(victim.set_out())
        not_told(room, victim.come_back(url.replace(code_of(url), stolen)), "status 403")
        # Once used it is nobody's.
        first, second = room.guest(), room.guest()
        back = room.idp.sign_in(first.set_out())
        assert first.enter(first.come_back(back)).is_in()
        url = room.idp.sign_in(second.set_out())
        not_told(room, second.come_back(url.replace(code_of(url), code_of(back))), "status 403")


def its_keys_are_changed():
    with Ward() as room:
        room.enters()
        before = room.idp.key_ids()
        # It signs with another one from now on, and tells of the first no more.
        room.idp.new_key()
        assert len(before) == 1 and not set(before) & set(room.idp.key_ids())
        room.enters()


def code_of(url):
    return urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["code"][0]


if __name__ == "__main__":
    tap.run([a_person_signs_in_by_its_page_and_consents,
             who_consents_becomes_what_the_claims_say,
             a_wrong_secret_and_no_secret_get_no_token,
             another_issuer_is_not_believed,
             a_code_is_good_once_for_one_browser_and_for_a_while,
             its_keys_are_changed])
