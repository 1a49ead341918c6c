#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Signing in with a provider of identities: out and back, linking, new users by claims, second factors; and providers and
browsers that lie."""
import contextlib
import http.client
import json
import os
import re
import secrets
import subprocess
import time
import urllib.parse

import tap
from harness import PATIENCE, Folder, cli, program
from host_check import check, service_settings
from oidc_provider import SECRET, Key, Provider
from people import DENIED, HIDDEN, Caller
from second_factor import Phone, Room, give, half_of, post
from sign_in import OTHER, PASSWORD, Browser, Page
from web_fitted import holds
from web_page import Answer

LINKING, OVER = "Nobody here is linked with it", "began in another browser"
NOT_BELIEVED, NOT_ASKED = "is not accepted: begin again at /sign-in", "can't be asked who you are at the moment"


class Guest(Browser):
    """A browser that also keeps the cookie of its way out and back."""

    trip = None

    def ask(self, method, path, body=None, headers=()):
        kept = [("Cookie", self.trip)] if self.trip and not self.cookie else []
        trace = secrets.token_hex(16)
        answer = super().ask(method, path, body, [*headers, *kept, ("traceparent", f"00-{trace}-{'1' * 16}-01")])
        answer.trace = trace
        return answer

    def set_out(self, name="clinic"):
        """Where the provider is, with what it is asked."""
        answer = self.get("/sign-in/with/" + name)
        assert answer.status == 303, (answer.status, answer.page().words())
        found = re.fullmatch(r"(cocos-trip=[0-9a-f]{64}); Path=/; HttpOnly; SameSite=Lax; Max-Age=600",
                             answer.fields["set-cookie"])
        self.trip = found[1]
        return answer.fields["location"]

    def come_back(self, url):
        """As from the provider's page."""
        parts = urllib.parse.urlsplit(url)
        assert parts.netloc == self.host, url
        return self.ask("GET", parts.path + "?" + parts.query, headers=[("Sec-Fetch-Site", "cross-site"),
                                                                        ("Sec-Fetch-Mode", "navigate")])

    def trip_to(self, provider, name="clinic", **more):
        return self.come_back(provider.sign_in(self.set_out(name), **more))

    def enter(self, answer):
        self.follow(answer)
        self.trip = None
        return self


class Clinic(Room):
    """Anna has a password; a provider `idp` is called clinic."""

    def __init__(self, more="", lines="", alg="ES256", others=(), idp=None):
        self.stack_of_providers = contextlib.ExitStack()
        self.idp = self.stack_of_providers.enter_context(idp or Provider(alg))
        self.files = self.stack_of_providers.enter_context(Folder())
        secret = self.files.write("secret", self.idp.secret + "\n", 0o600)
        text = self.idp.line("clinic", secret, more) + "".join(p.line(name, secret) for name, p in others) + lines
        self.table = self.files.write("oidc", text)
        super().__init__(OIDC=self.table)

    def __exit__(self, *args):
        try:
            return super().__exit__(*args)
        finally:
            self.stack_of_providers.close()

    def guest(self, address="127.0.0.1"):
        return Guest(self, address)

    def link(self, answer, guest, name="anna", password=PASSWORD, factor="", provider="clinic"):
        proof = re.search(r'name="proof" value="([0-9a-f]{64})"', answer.body.decode())[1]
        return guest.post(f"/sign-in/with/{provider}/link", proof=proof, name=name, password=password, factor=factor)

    def linked(self):
        """Anna's account there signs her in."""
        guest = self.guest()
        done = self.link(guest.trip_to(self.idp), guest)
        assert done.status == 303, (done.status, done.body)
        return guest.enter(done)

    def who(self, browser):
        return re.search(r"<h1><bdi>([^<]*)</bdi>", browser.get("/me").body.decode())[1]

    def refused(self, answer, *words, status=403):
        text = answer.page().words()
        assert answer.status == status and "set-cookie" not in answer.fields, (answer.status, text)
        assert all(word in text for word in words), (words, text)


def why(page, answer):
    """What the log says of an answer that lets nobody in."""
    return page.service.process.wait_line(rf"page: \S+ did not sign in with \S+: (.*) trace={answer.trace}$")[1]


def not_told(page, answer, word, status=403):
    """A stranger gets one plain line; the cause is in the log."""
    text, cause = answer.page().words(), why(page, answer)
    plain = NOT_BELIEVED if status == 403 else NOT_ASKED
    assert answer.status == status and "set-cookie" not in answer.fields and plain in text, (answer.status, text)
    assert word in cause and word not in text, (word, cause, text)
    for secret in ("127.0.0.1", "http://", "/token", "/keys", "/.well-known", "curl"):
        assert secret not in text, (secret, text)


def whoever_is_linked_signs_in():
    with Clinic() as room:
        shown = room.browser().get("/sign-in")
        assert "Sign in with clinic" in shown.page().words() and "/sign-in/with/clinic" in shown.page().links
        guest = room.guest()
        asked = guest.trip_to(room.idp)
        assert asked.status == 200 and LINKING in asked.page().words() and "set-cookie" not in asked.fields
        # Not by somebody else's password, nor by none; the proof lasts while one tries.
        assert room.link(asked, guest, password=OTHER).status == 401
        assert room.link(asked, guest, name="nobody").status == 401
        done = room.link(asked, guest)
        assert room.who(guest.enter(done)) == "anna"
        # It was good for once.
        late = room.guest()
        late.trip = guest.trip
        assert room.link(asked, late).status == 403
        # From now on the provider is enough.
        again = room.guest()
        assert room.who(again.enter(again.trip_to(room.idp))) == "anna"
        me = again.get("/me").page().words()
        assert "Accounts at providers" in me and "248289761001" in me, me
        # Another subject of the same provider is somebody else, whatever it says of mail and name.
        room.idp.claims = {"sub": "2", "email": "anna@clinic.example", "email_verified": True, "name": "anna",
                           "preferred_username": "anna"}
        other = room.guest()
        assert LINKING in other.trip_to(room.idp).page().words()
        deeds = [row["what"] for row in room.audit()]
        assert "page/LinkIdentity" in deeds and "page/SignInWith" in deeds, deeds


def each_algorithm_signs_in():
    for alg in ("RS256", "PS256", "ES256", "EdDSA"):
        with Clinic(alg=alg) as room:
            assert room.linked().is_in(), alg


def a_link_is_removed_and_the_suspended_stay_out():
    with Clinic() as room:
        guest = room.linked()
        number = re.search(r'action="/me/identities/(\d+)"', guest.get("/me").body.decode())[1]
        room.user("bert")
        bert = room.browser().sign_in("bert")
        assert bert.post(f"/me/identities/{number}", csrf=bert.csrf()).status == 404
        for wrong in ("0", "x", "-1", "9" * 18, "9" * 30):
            assert guest.post("/me/identities/" + wrong, csrf=guest.csrf()).status == 404, wrong
        assert guest.post(f"/me/identities/{number}", csrf="0" * 64).status == 403
        room.root("SuspendUser", name="anna")
        assert not guest.is_in()
        room.refused(room.guest().trip_to(room.idp), "suspended")
        room.root("SuspendUser", name="anna", resume=True)
        back = room.guest()
        back.enter(back.trip_to(room.idp))
        assert back.post(f"/me/identities/{number}", csrf=back.csrf()).status == 303
        assert "248289761001" not in back.get("/me").page().words()
        assert LINKING in room.guest().trip_to(room.idp).page().words()
        # The session goes on, as after a token that is revoked.
        assert back.is_in()


def administrators_list_and_remove_them():
    """By gRPC, the command line, the API and the page: not their own, nor with a token for less; sessions end."""
    with Clinic() as room:
        room.user("chief", administrator=True)
        room.user("bert")
        chief = Caller(room.service.channel, room.root("AddToken", user="chief", name="t").token)
        narrow = Caller(room.service.channel, room.root("AddToken", user="chief", name="n", actions=["view", "administrator"]).token)
        viewer = Caller(room.service.channel, room.root("AddToken", user="chief", name="v", actions=["view"]).token)
        anna, bert = (Caller(room.service.channel, room.root("AddToken", user=name, name="t").token) for name in ("anna", "bert"))
        guest = room.linked()
        one, = chief("ListIdentities", name="anna").identities
        assert (one.provider, one.subject, one.issuer) == ("clinic", "248289761001", room.idp.issuer), one
        assert one.number and one.created.seconds and list(anna("ListIdentities").identities) == [one]
        listed = cli("user", "identities", "anna", "--json", **room.cli).json()
        assert [(row["provider"], row["subject"], row["number"]) for row in listed] == [("clinic", "248289761001", str(one.number))], listed
        # Nobody else sees it, or takes it away.
        for caller in (bert, viewer):
            assert caller.code("ListIdentities", name="anna") == DENIED
        for caller in (anna, bert, viewer, narrow):
            assert caller.code("RemoveIdentity", user="anna", number=one.number) == DENIED
        for user, number in (("bert", one.number), ("anna", one.number + 1), ("anna", 0), ("anna", 2 ** 64 - 1), ("nobody", one.number)):
            assert chief.code("RemoveIdentity", user=user, number=number) == HIDDEN, (user, number)
        assert list(anna("ListIdentities").identities) == [one] and guest.is_in()
        browser = room.browser().sign_in("chief")
        shown = browser.get("/users/anna/identities")
        assert "248289761001" in shown.page().words() and f'action="/users/anna/identities/{one.number}"'.encode() in shown.body
        assert "/users/anna/identities" in browser.get("/users").page().links
        path = f"/users/anna/identities/{one.number}"
        assert browser.post(path, csrf="0" * 64).status == 403 and guest.is_in()
        other = room.browser().sign_in("bert")
        assert other.get("/users/anna/identities").status == 403 and post(other, path).status == 403
        late = room.guest()
        answer = late.trip_to(room.idp)  # whose session would begin with the link that this leads to
        gone = post(browser, path)
        assert (gone.status, gone.fields["location"]) == (303, "/users/anna/identities"), gone.body
        assert post(browser, path).status == 404
        assert not guest.is_in() and late.is_late(answer) and not anna("ListIdentities").identities
        assert LINKING in room.guest().trip_to(room.idp).page().words()
        assert "No account at a provider" in browser.get("/users/anna/identities").page().words()
        # Linked once more it is another number; by the command line, also of who has no password.
        again = room.linked()
        two, = chief("ListIdentities", name="anna").identities
        assert two.number > one.number and again.is_in()
        room.sql("DELETE FROM passwords")
        cli("user", "remove-identity", "anna", "x", **room.cli).refused(2, "'user identities' has them")
        cli("user", "remove-identity", "anna", str(one.number), **room.cli).refused(1, "no such account")
        assert "no more" in cli("user", "remove-identity", "anna", str(two.number), **room.cli).ok()
        assert cli("user", "identities", "anna", **room.cli).ok() == "none\n" and not again.is_in()
        kept = [row for row in room.audit() if row["what"].endswith("/RemoveIdentity") and row["outcome"] == "OK"]
        assert [(row["object"], row["before"]) for row in kept] == 2 * [("user anna", "clinic '248289761001'")], kept
        assert "user chief" in kept[0]["who"], kept


def an_administrators_own_are_not_taken_away_by_a_token():
    with Clinic() as room:
        room.root("SetMember", workspace="default", user="anna", role="administrator")
        room.sql("UPDATE users SET administrator = 1 WHERE name = 'anna'")
        room.linked()
        token = room.root("AddToken", user="anna", name="t").token
        anna = Caller(room.service.channel, token)
        one, = anna("ListIdentities").identities
        assert "it is your own" in anna.text("RemoveIdentity", user="anna", number=one.number)
        connection = http.client.HTTPConnection("127.0.0.1", room.port, timeout=PATIENCE)

        def ask(method, path):
            connection.request(method, path, headers={"Authorization": "Bearer " + token, "Host": f"localhost:{room.port}"})
            return Answer(connection.getresponse())
        for method, path, status in (("GET", "", 200), ("DELETE", f"/{one.number}", 403), ("DELETE", "/x", 404), ("DELETE", "/0", 404)):
            answer = ask(method, "/api/users/anna/identities" + path)
            assert answer.status == status, (method, path, answer.status, answer.body)
            if method == "GET":
                told, = holds(ask("GET", "/api/openapi.json").json(), answer, "/api/users/anna/identities", "Identity").json()["identities"]
                assert (told["number"], told["provider"], told["issuer"]) == (one.number, "clinic", room.idp.issuer), told
        assert [i.number for i in anna("ListIdentities").identities] == [one.number]


def claims_make_users_and_unknown_ones_none():
    lines = "map clinic groups=staff default viewer\nmap clinic groups=chiefs default administrator\n" \
            "map clinic email=boss@clinic.example default member\n"
    with Clinic("name=preferred_username", lines) as room:
        def claims(sub, name="carla", **more):
            room.idp.claims = {"sub": sub, "preferred_username": name, **more}
            return room.guest()
        for more in ({}, {"groups": ["other"]}, {"groups": "sta"}, {"groups": {"staff": 1}}, {"groups": [["staff"]]},
                     {"email": "boss@clinic.example"}, {"email": "boss@clinic.example", "email_verified": "true"},
                     {"staff": "groups"}):
            guest = claims("10", **more)
            assert LINKING in guest.trip_to(room.idp).page().words(), more
        # A name that none could have; one that somebody has.
        assert LINKING in claims("11", "Carla C.", groups=["staff"]).trip_to(room.idp).page().words()
        room.refused(claims("11", "anna", groups=["staff"]).trip_to(room.idp), "called anna already")
        guest = claims("12", groups=["other", "staff"])
        guest.enter(guest.trip_to(room.idp))
        assert room.who(guest) == "carla"
        members = {m.user: m.role for m in room.root("ListMembers", workspace="default").members}
        assert members["carla"] == "viewer", members
        # It is her only way in.
        number = re.search(r'action="/me/identities/(\d+)"', guest.get("/me").body.decode())[1]
        assert guest.post(f"/me/identities/{number}", csrf=guest.csrf()).status == 409
        # Later claims change nothing: who she is here, is this service's.
        again = claims("12", "other-name", groups=["chiefs"])
        again.enter(again.trip_to(room.idp))
        assert room.who(again) == "carla"
        members = {m.user: m.role for m in room.root("ListMembers", workspace="default").members}
        assert members["carla"] == "viewer" and "other-name" not in members, members
        boss = claims("13", "boss", email="boss@clinic.example", email_verified=True)
        assert room.who(boss.enter(boss.trip_to(room.idp))) == "boss"
        assert "page/RegisterWith" in [row["what"] for row in room.audit()]


def a_second_factor_is_the_providers_or_ours():
    with Clinic("acr=phr amr=hwk") as room:
        # Who has none here needs one there.
        guest = room.guest()
        assert room.link(guest.trip_to(room.idp), guest).status == 303
        for claims in ({}, {"acr": "phr"}, {"amr": ["hwk"]}, {"acr": "phr", "amr": ["pwd"]}, {"acr": ["phr"], "amr": ["hwk"]},
                       {"acr": "phrx", "amr": ["hwk"]}):
            room.idp.claims = {"sub": "248289761001", **claims}
            room.refused(room.guest().trip_to(room.idp), "second factor")
        room.idp.claims = {"sub": "248289761001", "acr": "phr", "amr": ["pwd", "hwk"]}
        strong = room.guest()
        assert "acr_values=phr" in strong.set_out()
        assert room.who(strong.enter(strong.trip_to(room.idp))) == "anna"
        phone, _ = room.set_up()
        # What the provider saw is enough; if it saw none, ours is asked for.
        strong = room.guest()
        assert strong.enter(strong.trip_to(room.idp)).is_in()
        room.idp.claims = {"sub": "248289761001"}
        weak = room.guest()
        half = half_of(weak, answer=weak.trip_to(room.idp))
        assert give(weak, half, phone.wrong()).status == 401
        assert weak.enter(give(weak, half, phone.now())).is_in()
        # A link takes the code, too.
        room.later()
        room.idp.claims = {"sub": "2"}
        linker = room.guest()
        asked = linker.trip_to(room.idp)
        assert room.link(asked, linker).status == 400
        assert room.link(asked, linker, factor=phone.wrong()).status == 401
        assert linker.enter(room.link(asked, linker, factor=phone.now())).is_in()
    with Clinic() as room:
        # Nothing is said of what a provider has to see: then ours is asked for, whatever it says.
        room.linked()
        phone, _ = room.set_up()
        room.idp.claims = {"sub": "248289761001", "acr": "phr", "amr": ["hwk", "mfa", "otp"]}
        guest = room.guest()
        assert guest.enter(give(guest, half_of(guest, answer=guest.trip_to(room.idp)), phone.now())).is_in()


def what_the_password_linked_is_shown_with_a_new_factor():
    with Clinic() as room:
        # Whoever knew the password may have linked it, and his provider says what it likes of a second factor.
        room.linked()
        phone = Phone(re.search(r'<pre id="key"[^>]*><code>([A-Z2-7]{32})</code>',
                                post(room.anna, "/me/factor", password=PASSWORD).body.decode())[1])
        words = post(room.anna, "/me/factor/confirm", code=phone.now()).page().words()
        assert "These accounts at providers" in words and "clinic 248289761001 linked " in words, words
    with Clinic() as room:
        phone = Phone(re.search(r'<pre id="key"[^>]*><code>([A-Z2-7]{32})</code>',
                                post(room.anna, "/me/factor", password=PASSWORD).body.decode())[1])
        assert "at providers" not in post(room.anna, "/me/factor/confirm", code=phone.now()).page().words()


def a_state_is_one_browsers_for_one_time():
    with Clinic() as room:
        room.linked()
        guest, thief = room.guest(), room.guest()
        url = room.idp.sign_in(guest.set_out())
        # Not another browser's, without or with a trip of its own; nor with a state that was changed.
        room.refused(thief.come_back(url), OVER)
        thief.set_out()
        room.refused(thief.come_back(url), OVER)
        for state in ("", "0" * 64, "f" * 65, "x"):
            room.refused(guest.come_back(re.sub(r"state=[0-9a-f]*", "state=" + state, url)), OVER)
        room.refused(guest.come_back(re.sub(r"&state=[0-9a-f]*", "", url)), OVER)
        assert guest.come_back(url + "&state=x").status == 400
        # Once: what comes twice is a replay, and the code is not even shown to the provider again.
        first = guest.come_back(url)
        shown = room.idp.asked.count("/token")
        trip = guest.trip
        guest.enter(first)
        replay = room.guest()
        replay.trip = trip
        room.refused(replay.come_back(url), OVER)
        assert room.idp.asked.count("/token") == shown
        # A code that somebody else was given does not fit this browser's challenge.
        other = room.guest()
        stolen = urllib.parse.parse_qs(urllib.parse.urlsplit(room.idp.sign_in(other.set_out())).query)["code"][0]
        victim = room.guest()
        not_told(room, victim.come_back(room.idp.sign_in(victim.set_out(), code=stolen)), "status 400")
        # The provider says no.
        for error in ("access_denied", "<script>alert(1)</script>"):
            late = room.guest()
            answer = late.come_back(room.idp.sign_in(late.set_out(), code=None, error=error))
            room.refused(answer, "says no")
            assert b"<script>" not in answer.body
        late = room.guest()
        room.refused(late.come_back(room.idp.sign_in(late.set_out(), code=None)), "without a code", status=400)
        late = room.guest()
        room.refused(late.come_back(room.idp.sign_in(late.set_out(), code="c" * 2049)), "2048", status=400)
        # Only a page of ours sends browsers out.
        for site in ("cross-site", "same-site"):
            assert room.guest().ask("GET", "/sign-in/with/clinic", headers=[("Sec-Fetch-Site", site)]).status == 403
        assert room.guest().get("/sign-in/with/nobody").status == 404
        elsewhere = room.guest()
        elsewhere.host = f"127.0.0.1:{room.port}"
        answer = elsewhere.get("/sign-in/with/clinic")
        assert answer.fields["location"] == f"http://localhost:{room.port}/sign-in" and "set-cookie" not in answer.fields


def many_behind_one_address_set_out_at_once():
    with Clinic() as room:
        # More than the tries that one name has there: nobody is kept waiting by those who have not come back yet.
        guests = [room.guest() for _ in range(12)]
        ways = [guest.set_out() for guest in guests]
        assert LINKING in guests[0].come_back(room.idp.sign_in(ways[0])).page().words()
        # Who sets out again has the newest way alone: the cookie of the others is gone.
        again = guests[1]
        again.set_out()
        assert len(room.sql("SELECT 1 FROM trips")) == 12
        room.refused(again.come_back(room.idp.sign_in(ways[1])), OVER)


def fill(room, first):
    """As many ways out as there is room for, whose sources begin so; beside those that are there."""
    room.sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4096 - (SELECT count(*) FROM trips))"
             " INSERT INTO trips (hash, browser, wide, narrow, provider, issuer, subject, ends)"
             " SELECT randomblob(32), randomblob(32), ?, CAST(? || i AS BLOB), 'clinic', '', '', 1 << 50 FROM n", first, first)


def mixed_up_providers_are_told_apart():
    """RFC 9207, and an address to come back to for each: an answer of one is nothing to the other."""
    with Provider() as evil, Clinic(others=[("evil", evil)]) as room:
        room.linked()
        guest = room.guest()
        url = room.idp.sign_in(guest.set_out())
        room.refused(guest.come_back(url.replace("/with/clinic/", "/with/evil/")), OVER)
        assert "/token" not in evil.asked
        # The browser began with the honest one, and the other one's issuer came back; or none did.
        for iss in (evil.issuer, room.idp.issuer + "/", ""):
            guest = room.guest()
            not_told(room, guest.come_back(room.idp.sign_in(guest.set_out(), iss=iss)), "another issuer")
        guest = room.guest()
        not_told(room, guest.come_back(room.idp.sign_in(guest.set_out(), iss=None)), "lacks iss")
        # The same subject of another issuer is somebody else.
        guest = room.guest()
        assert LINKING in guest.trip_to(evil, "evil").page().words()
        # One that says it were the other: of its own keys.
        evil.lies = {"claims": {"iss": room.idp.issuer}}
        not_told(room, room.guest().trip_to(evil, "evil"), "iss is")


def lying_tokens_let_nobody_in():
    with Clinic() as room:
        room.linked()
        now = 4102444800  # in 2100
        for lie, word in (({"head": {"alg": "none"}}, "are accepted"), ({"head": {"alg": "HS256"}}, "are accepted"),
                          ({"head": {"alg": "RS256"}}, "not for RS256"), ({"head": {"crit": ["x"]}}, "critical"),
                          ({"signature": 1}, "does not hold"), ({"claims": {"iss": "https://evil.example"}}, "iss"),
                          ({"claims": {"nonce": "0" * 64}}, "nonce"), ({"claims": {"aud": "other"}}, "another client"),
                          ({"claims": {"aud": ["cocos", "other"]}}, "azp"), ({"claims": {"azp": "other"}}, "azp"),
                          ({"claims": {"exp": 1}}, "expired"), ({"claims": {"iat": now, "exp": now}}, "future"),
                          ({"claims": {"iat": 1, "exp": now}}, "long ago"), ({"claims": {"sub": ""}}, "sub")):
            room.idp.lies = lie
            not_told(room, room.guest("127.0.0.2").trip_to(room.idp), word)
            # Each of these is a try, which only a good one gives back.
            room.idp.lies = {}
            good = room.guest("127.0.0.2")
            assert good.enter(good.trip_to(room.idp)).is_in()


def lying_services_let_nobody_in():
    with Clinic() as room:
        room.linked()
        for lie, word, status in (({"answer": b"{}"}, "token_type", 503), ({"answer": b"<html>"}, "json", 503),
                                  ({"answer": b'{"token_type":"Bearer","id_token":"a.b"}'}, "three parts", 403),
                                  ({"answer": b" " * (256 << 10)}, "larger", 503),
                                  ({"redirect": "http://127.0.0.1:1/"}, "status 307", 503)):
            room.idp.lies = lie
            not_told(room, room.guest("127.0.0.2").trip_to(room.idp), word, status)
            room.idp.lies = {}
            good = room.guest("127.0.0.2")
            assert good.enter(good.trip_to(room.idp)).is_in()
    for lie, word, status in (({"discovery": {"issuer": "http://127.0.0.1:1"}}, "its issuer is", 403),
                              ({"discovery": {"token_endpoint": "http://evil.example/"}}, "this machine only", 503),
                              ({"discovery": {"code_challenge_methods_supported": ["plain"]}}, "PKCE", 403)):
        with Clinic() as room:
            room.idp.lies = lie
            not_told(room, room.guest().get("/sign-in/with/clinic"), word, status)
            room.idp.lies = {}
            assert room.linked().is_in()
    with Clinic() as room:
        room.idp.lies = {"keys": b'{"keys":[' + b'{"kty":"x"},' * 30000 + b"{}]}"}
        not_told(room, room.guest().trip_to(room.idp), "larger", 503)
        room.idp.lies = {}
        assert room.linked().is_in()


def checked(table):
    with Folder() as folder:
        return check("cocos-computations", {**service_settings(folder), "COMPUTATIONS_OIDC": table, "COMPUTATIONS_WEB": "127.0.0.1:0"})[1]


def a_strangers_page_says_nothing_of_the_network():
    with Clinic() as room:
        guest = room.guest()
        way = guest.set_out()
        row = checked(room.table)["providers"]
        assert row["outcome"] == "ok" and row["found"] == "1 answered with document and keys", row
        back = room.idp.sign_in(way)
        room.idp.leave()
        # Nothing listens there any more.
        not_told(room, guest.come_back(back), "connect", 503)
        rows = checked(room.table)
        assert rows["providers"]["outcome"] == "failed" and rows["sign-in"]["outcome"] == "ok", rows
        assert "provider clinic: GET " + room.idp.issuer in rows["providers"]["found"], rows
        with open(room.table, "a", encoding="ascii") as table:
            table.write("?")
        rows = checked(room.table)
        assert rows["sign-in"]["outcome"] == "failed" and rows["providers"]["outcome"] == "not asked", rows
    # A name that nobody has, and a certificate that nobody trusts.
    with Folder() as folder:
        for issuer, word in (("https://idp.invalid", "idp.invalid"), ("http://127.0.0.1:1", "connect")):
            path = folder.write("oidc", f"provider clinic issuer={issuer} client=c\n")
            os.chmod(path, 0o644)
            with Page(OIDC=path) as page:
                not_told(page, Guest(page, "127.0.0.1").get("/sign-in/with/clinic"), word, 503)


def keys_are_changed():
    with Clinic() as room:
        room.linked()
        assert room.idp.asked.count("/keys") == 1
        began = time.monotonic()
        room.idp.keys.append(Key("EdDSA", "k2"))
        guest = room.guest()
        assert guest.enter(guest.trip_to(room.idp)).is_in() and room.idp.asked.count("/keys") == 2
        # Keys that nobody has heard of are not asked for each time, but once a minute, which a busy machine may take.
        room.idp.published = room.idp.keys[:2]
        room.idp.keys.append(Key("ES256", "k3"))
        for _ in range(3):
            not_told(room, room.guest().trip_to(room.idp), "no key of its kid")
        assert room.idp.asked.count("/keys") <= 2 + (time.monotonic() - began) // 60


def a_slow_one_keeps_nobody_else_waiting():
    with Provider() as quick, Clinic(others=[("quick", quick)]) as room:
        guest = room.guest()
        url = room.idp.sign_in(guest.set_out())
        room.idp.lies = {"slow": 1}
        parts = urllib.parse.urlsplit(url)
        command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", str(PATIENCE), "-H",
                   "Host: " + guest.host, "-H", "Cookie: " + guest.trip,
                   f"http://127.0.0.1:{room.port}{parts.path}?{parts.query}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as waits:
            # While it waits, which it does until we let it, all others come in.
            while "/token" not in room.idp.asked:
                assert room.browser().get("/sign-in").status == 200
            assert room.browser().sign_in().is_in()
            other = room.guest()
            assert other.enter(room.link(other.trip_to(quick, "quick"), other, provider="quick")).is_in()
            # It is given up, and not for ever.
            assert waits.communicate()[0] == b"503"
        room.idp.lies = {}
        room.idp.release.set()
        again = room.guest()
        assert LINKING in again.trip_to(room.idp).page().words()


def a_stop_waits_for_no_provider():
    with Clinic() as room:
        guest = room.guest()
        url = urllib.parse.urlsplit(room.idp.sign_in(guest.set_out()))
        room.idp.lies = {"slow": 1}
        with subprocess.Popen(["curl", "-s", "-o", "/dev/null", "-H", "Host: " + guest.host, "-H", "Cookie: " + guest.trip,
                               f"http://127.0.0.1:{room.port}{url.path}?{url.query}"]) as waits:
            while "/token" not in room.idp.asked:
                assert room.browser().get("/sign-in").status == 200
            assert room.service.process.stop() == 0
            waits.wait(PATIENCE)


def nothing_of_it_is_written_down():
    with Clinic() as room:
        guest = room.guest()
        location = guest.set_out()
        trip = guest.trip.split("=")[1]
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))
        answer = guest.come_back(room.idp.sign_in(location))
        proof = re.search(r'name="proof" value="([0-9a-f]{64})"', answer.body.decode())[1]
        room.link(answer, guest)
        state = room.folder("state")
        known = b"".join(open(os.path.join(state, name), "rb").read()  # pylint: disable=consider-using-with
                         for name in os.listdir(state) if os.path.isfile(os.path.join(state, name)))
        said = room.service.process.text() + json.dumps(room.audit())
        for secret in (trip, asked["state"], asked["nonce"], proof):
            assert len(secret) == 64 and secret not in said
            assert secret.encode() not in known and bytes.fromhex(secret) not in known
        assert SECRET not in said and SECRET.encode() not in known and SECRET not in location


def settings_are_refused_whole():
    with Folder() as folder:
        secret = folder.write("secret", "x\n")
        os.chmod(secret, 0o600)
        good = f"provider a issuer=https://idp.example client=c secret={secret}\n"

        def start(text, mode=0o644, web="127.0.0.1:0", **more):
            path = folder.write("oidc", text)
            os.chmod(path, mode)
            config = folder.write("c.conf", "".join(f"COMPUTATIONS_{k}={v}\n" for k, v in {
                "GRPC_PORT": "0", "ADMIN_SOCKET": folder("a.sock"), "STATE_DIR": folder("state"), "OIDC": path,
                **({"WEB": web} if web else {}), **more}.items()))
            done = subprocess.run([program("cocos-computations"), "--config", config], capture_output=True,
                                  timeout=PATIENCE, check=False)
            assert done.returncode != 0
            return done.stderr.decode()
        for text, word in (("", "no provider"), ("issuer x\n", "begins with page"), (good + good, "twice"),
                           (good.replace("https", "http"), "this machine only"), (good + "map a g=x default boss\n", "name="),
                           (good.replace("\n", " name=n\n") + "map a g=x default boss\n", "boss"),
                           (good + "page https://x.example:1\n", "remove the line"),
                           (good.replace(secret, folder("none")), "none")):
            assert word in start(text), (word, start(text))
        assert "may use it" in start(good, 0o666)
        assert "COMPUTATIONS_WEB" in start(good, web=None)
        os.chmod(secret, 0o644)
        assert "0640" in start(good)
        os.chmod(secret, 0o600)
        folder.write("secret", "a\nb\n")
        os.chmod(secret, 0o600)
        assert "one line" in start(good)
        assert "absolute path" in start(good, OIDC="oidc")


if __name__ == "__main__":
    tap.run([whoever_is_linked_signs_in,
             each_algorithm_signs_in,
             a_link_is_removed_and_the_suspended_stay_out,
             administrators_list_and_remove_them,
             an_administrators_own_are_not_taken_away_by_a_token,
             claims_make_users_and_unknown_ones_none,
             a_second_factor_is_the_providers_or_ours,
             what_the_password_linked_is_shown_with_a_new_factor,
             a_state_is_one_browsers_for_one_time,
             mixed_up_providers_are_told_apart,
             lying_tokens_let_nobody_in,
             lying_services_let_nobody_in,
             a_strangers_page_says_nothing_of_the_network,
             keys_are_changed,
             a_slow_one_keeps_nobody_else_waiting,
             many_behind_one_address_set_out_at_once,
             a_stop_waits_for_no_provider,
             nothing_of_it_is_written_down,
             settings_are_refused_whole])
