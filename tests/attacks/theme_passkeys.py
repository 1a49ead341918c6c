# SPDX-License-Identifier: Apache-2.0
"""Somebody wants to be another user at the computation service's page, where that user has a passkey; or to give him one
that is not his. The honest twin is that user."""
import contextlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from login import Asking, see
from passkeys import Room
from rows import Outcome, row
from second_factor import post
from sign_in import PASSWORD
from soft_passkey import PRESENT, RS256, Passkey, asked, body


@contextlib.contextmanager
def clinic(**more):
    """Anna has a passkey."""
    with Room() as room:
        yield room, room.added(passkey=Passkey(**more))


def came_of(browser, answer):
    """Gained: the bytes of that user's own page."""
    if answer.status != 303:
        return Outcome(False, answer.page().words(), 0)
    browser.follow(answer)
    page = browser.get("/me")
    return Outcome(page.status == 200, page.page().words(), len(page.body))


def with_wrong(evil, **wrong):
    with clinic() as (room, passkey):
        return came_of(*room.try_passkey(passkey, **(wrong if evil else {})))


@row("passkey-answer-replayed", "sent before")
def replayed(evil):
    """What the user's browser sent is read afterwards, cookie and all, and sent once more."""
    with clinic() as (room, passkey):
        browser, form = room.asks()
        fields = passkey.use(form, room.origin)
        if evil:
            owner = room.browser()
            owner.cookie = browser.cookie
            owner.follow(room.send(owner, form, fields))
        return came_of(browser, room.send(browser, form, fields))


@row("passkey-answer-of-another-browser", "the answer to another challenge")
def of_another_browser(evil):
    """The user is led to answer what the attacker's browser was asked."""
    with clinic() as (room, passkey):
        browser, form = room.asks()
        fields = passkey.use(form, room.origin)
        if evil:
            browser, _ = room.asks("127.0.0.2")
        return came_of(browser, room.send(browser, form, fields))


@row("passkey-challenge-of-another-time", "the page is older than 5 minutes")
def of_another_time(evil):
    """An answer whose ticket is from before the service began."""
    with clinic() as (room, passkey):
        browser, form = room.asks()
        fields = passkey.use(form, room.origin)
        return came_of(browser, room.send(browser, form, {**fields, **({"ticket": "00" * 24} if evil else {})}))


@row("passkey-answer-for-another-use", "the answer to another challenge")
def for_another_use(evil):
    """What the user shows after the password, as a second factor by a touch, is to sign in alone."""
    with Room() as room:
        phone, _ = room.set_up()
        passkey = room.added(factor=phone.now())
        browser, form = room.asks()
        fields = passkey.use(form, room.origin)
        if evil:
            second = asked(room.browser().try_in("anna", PASSWORD))
            fields = {name: value for name, value in passkey.use(second, room.origin).items() if name != "half"}
        return came_of(browser, room.send(browser, form, fields))


@row("passkey-of-another-origin", "a page at another address than")
def another_origin(evil):
    """A page at a name that looks like the service's hands on what it was given for its own address."""
    return with_wrong(evil, origin="https://cocos-example.org")


@row("passkey-of-another-port", "a page at another address than")
def another_port(evil):
    """Another program of the same name asks for the passkey, at a port of its own."""
    return with_wrong(evil, origin="http://localhost:1")


@row("passkey-of-another-site", "for another site than")
def another_site(evil):
    """A passkey that the user has for another site, with the id of the one here."""
    return with_wrong(evil, rp="example.org")


@row("passkey-within-a-frame", "a page within another site's asked for it")
def within_a_frame(evil):
    """The page is framed by another site, which has the user click."""
    return with_wrong(evil, cross=True)


@row("passkey-without-its-user", "the device did not ask who you are")
def without_its_user(evil):
    """A security key that somebody found: it is touched, but nobody knows its PIN."""
    return with_wrong(evil, flags=PRESENT)


@row("passkey-of-another-user", "of another user than the device says")
def another_user(evil):
    """A user signs in with his own passkey, and with the handle of another one."""
    with clinic() as (room, passkey):
        room.user("bert")
        own = room.added("berts", browser=room.browser().sign_in("bert"))
        key = own if evil else passkey
        return came_of(*room.try_passkey(key, fields={"handle": passkey.handle.hex()}))


@row("passkey-signed-by-another-key", "its signature does not hold")
def another_key(evil):
    """The id of the user's passkey, which is no secret, with a key of his own."""
    with clinic() as (room, passkey):
        forged = Passkey()
        forged.id, forged.handle = passkey.id, passkey.handle
        return came_of(*room.try_passkey(forged if evil else passkey))


class Probabilistic(Passkey):
    def sign(self, data):
        return self.key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


@row("passkey-with-another-padding", "its signature does not hold")
def another_padding(evil):
    """A signature by the right key that was made elsewhere, for what signs by RSA-PSS."""
    with clinic(algorithm=RS256) as (room, passkey):
        if evil:
            passkey.__class__ = Probabilistic
        return came_of(*room.try_passkey(passkey))


@row("passkey-whose-count-goes-back", "its count of signatures went back")
def count_goes_back(evil):
    """A copy of the device, made before its owner used it again."""
    with clinic(count=5) as (room, passkey):
        passkey.count = 9
        assert room.comes_in(passkey)
        passkey.count = 8 if evil else 10
        return came_of(*room.try_passkey(passkey))


@row("passkey-that-was-removed", "is none of this service, was removed")
def removed(evil):
    """A device that was stolen, after its owner has removed its passkey."""
    with clinic() as (room, passkey):
        if evil:
            (number,), = room.sql("SELECT number FROM passkeys")
            assert post(room.anna, f"/me/passkeys/{number}").status == 303
        return came_of(*room.try_passkey(passkey))


def added(room, there, path, form, passkey):
    answer = there.post(path, form=body(passkey.make(form, room.origin)))
    if answer.status != 303:
        return Outcome(False, answer.page().words())
    return Outcome(room.comes_in(passkey))


@row("passkey-added-by-a-session", "do not belong together")
def added_by_a_session(evil):
    """A browser that was left open: whoever sits there wants a way in that lasts."""
    with Room() as room:
        answer = post(room.anna, "/me/passkey", name="mine", password="not the password" if evil else PASSWORD)
        if answer.status != 303:
            return Outcome(False, answer.page().words())
        there, path = room.browser(), answer.fields["location"].removeprefix(room.origin)
        return added(room, there, path, asked(there.get(path)), Passkey())


@row("passkey-added-in-anothers-session", "the answer to another challenge")
def added_in_anothers_session(evil):
    """The page that the user has begun, with what the attacker's own was asked for."""
    with Room() as room:
        there, path, form = room.begun("hers")
        if evil:
            room.user("bert")
            _, _, form = room.begun("mine", room.browser().sign_in("bert"))
        return added(room, there, path, form, Passkey())


@row("passkey-added-after-the-session", "its session has ended")
def added_after_the_session(evil):
    """The link where one is added, out of the history of a browser whose user has signed out."""
    with Room() as room:
        there, path, form = room.begun("late")
        if evil:
            assert post(room.anna, "/sign-out").status == 303
        return added(room, there, path, form, Passkey())


@row("passkey-added-by-what-lets-in", "begun for something else")
def added_by_what_lets_in(evil):
    """The link where a command line is let in, which no password is asked for, is to add a passkey."""
    with clinic() as (room, _), Asking(room.folder("config"), **room.cli) as asking:
        there, path, form = room.begun("second")
        if evil:
            path = post(room.anna, "/me/device/passkey", code=asking.code).fields["location"].removeprefix(room.origin)
        return added(room, there, path, form, Passkey())


@row("passkey-lets-in-for-another-user", "this passkey is another user's")
def lets_in_for_another_user(evil):
    """In the open session of a user the attacker lets a command line in, with a passkey of his own."""
    with clinic() as (room, passkey), Asking(room.folder("config"), **room.cli) as asking:
        room.user("bert")
        own = room.added("berts", browser=room.browser().sign_in("bert"))
        assert see(room.anna, asking.code).status == 200
        path = post(room.anna, "/me/device/passkey", code=asking.code).fields["location"].removeprefix(room.origin)
        there = room.browser()
        form = asked(there.get(path))
        answer = room.send(there, form, (own if evil else passkey).use(form, room.origin))
        return Outcome("It is let in" in answer.page().words(), answer.page().words())


@row("passkey-challenges-by-the-thousand", "its signature does not hold")
def by_the_thousand(evil):
    """A stranger asks for thousands of challenges, so that the user's own is forgotten; and answers some with nothing."""
    with clinic() as (room, passkey):
        browser, form = room.asks()
        forged = Passkey()
        forged.id, forged.handle = passkey.id, passkey.handle
        if not evil:
            return came_of(browser, room.send(browser, form, passkey.use(form, room.origin)))
        stranger = room.browser("127.0.0.2")
        for _ in range(2000):
            assert stranger.get("/sign-in").status == 200
        (kept,), = room.sql("SELECT (SELECT count(*) FROM passkeys_begun) + (SELECT count(*) FROM passkey_answers)")
        answer = room.try_passkey(forged, "127.0.0.2")[1]
        # The user's is good, whatever the stranger asked for, and nothing was kept for him.
        owner = came_of(browser, room.send(browser, form, passkey.use(form, room.origin)))
        return Outcome(not owner.taken or kept > 0 or answer.status == 303, answer.page().words())
