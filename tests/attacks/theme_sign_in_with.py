# SPDX-License-Identifier: Apache-2.0
"""Somebody wants to be let in at the computation service's page as a user who signs in there with a provider of identities.
The honest twin is that user."""
import contextlib

import grpc

from oidc import NOT_BELIEVED, Clinic, fill, why
from oidc_provider import Provider
from people import Caller
from rows import Outcome, row

FORMER = "began in another browser"


@contextlib.contextmanager
def clinic(*args, **more):
    """Anna is linked with her account there."""
    with Clinic(*args, **more) as room:
        room.linked()
        yield room


def came(room, browser, answer):
    if answer.status != 303 or "location" not in answer.fields or "/in/" not in answer.fields["location"]:
        said = answer.page().words()
        # What there is about the provider is told to the log alone.
        return Outcome(False, why(room, answer) if NOT_BELIEVED in said else said)
    return Outcome(room.who(browser.enter(answer)) == "anna")


def lied(lie):
    with clinic() as room:
        room.idp.lies = lie
        browser = room.guest()
        return came(room, browser, browser.trip_to(room.idp))


def governed(name, method, **arguments):
    """The administrator of that workspace, who does not administer the service, does this to it."""
    with Clinic("name=preferred_username",
                "map clinic groups=staff lab member\nmap clinic groups=staff gone member\n") as room:
        room.user("head", None)
        if name != "default":
            room.root("AddWorkspace", name=name)
            room.root("AddMember", workspace=name, user="head")
        room.root("SetMember", workspace=name, user="head", role="administrator")
        head = Caller(room.service.channel, room.root("AddToken", user="head", name="t").token)
        try:
            head(method, name=name, **arguments)
        except grpc.RpcError as error:
            return Outcome(False, error.details())
        return Outcome(True)


def renamed(name, to):
    return governed(name, "RenameWorkspace", to=to)


@row("with-none-as-algorithm", "RS256, PS256, ES256 and EdDSA are accepted")
def none_as_algorithm(evil):
    """A token that nobody has signed, and that says so."""
    return lied({"head": {"alg": "none"}} if evil else {})


@row("with-the-public-key-as-a-secret", "RS256, PS256, ES256 and EdDSA are accepted")
def public_key_as_secret(evil):
    """A token with an HMAC whose secret is the provider's public key, which everybody has."""
    return lied({"head": {"alg": "HS256"}} if evil else {})


@row("with-anothers-token", "it is for another client")
def anothers_token(evil):
    """A token that the provider made for another service, whose operator would like to be its user here."""
    return lied({"claims": {"aud": "shop"}} if evil else {})


@row("with-an-old-token", "nonce")
def old_token(evil):
    """A token of the user's last sign-in is played once more."""
    return lied({"claims": {"nonce": "0" * 64}} if evil else {})


@row("with-anothers-mail-address", "Nobody here is linked with it")
def mail_address(evil):
    """An account of his own at the provider, to which he gave the user's name and address for mail."""
    with clinic() as room:
        if evil:
            room.idp.claims = {"sub": "666", "preferred_username": "anna", "name": "anna", "email": "anna@clinic.example",
                               "email_verified": True}
        browser = room.guest()
        return came(room, browser, browser.trip_to(room.idp))


@row("with-anothers-way-back", FORMER)
def way_back(evil):
    """The address that the user's browser was sent back to, with its code, out of a log: opened by his own browser."""
    with clinic() as room:
        browser, thief = room.guest(), room.guest()
        url = room.idp.sign_in(browser.set_out())
        thief.set_out()
        reader = thief if evil else browser
        return came(room, reader, reader.come_back(url))


@row("with-a-way-back-again", FORMER)
def way_back_again(evil):
    """The same after the user came in by it, in the user's own browser."""
    with clinic() as room:
        browser = room.guest()
        url = room.idp.sign_in(browser.set_out())
        trip = browser.trip
        if evil:
            browser.come_back(url)
        late = room.guest()
        late.trip = trip
        return came(room, late, late.come_back(url))


@row("with-anothers-code", "status 400")
def anothers_code(evil):
    """The user's code is put into a way back of his own: its challenge is another browser's."""
    with clinic() as room:
        browser, thief = room.guest(), room.guest()
        url = room.idp.sign_in(browser.set_out())
        if not evil:
            return came(room, browser, browser.come_back(url))
        code = url.split("code=")[1].split("&")[0]
        return came(room, thief, thief.come_back(room.idp.sign_in(thief.set_out(), code=code)))


@row("with-mixed-up-providers", "the answer is of another issuer")
def mixed_up(evil):
    """The user begins with one provider; another one, which is his, answers in its name to have that one's code."""
    with clinic() as room:
        browser = room.guest()
        more = {"iss": "https://evil.example"} if evil else {}
        return came(room, browser, browser.come_back(room.idp.sign_in(browser.set_out(), **more)))


@row("with-a-password-alone-at-the-provider", "you have none here")
def password_alone(evil):
    """The provider is to see a second factor. He has the user's password there, and not the factor."""
    with clinic("amr=hwk") as room:
        room.idp.claims = {"sub": "248289761001", "amr": ["pwd"] if evil else ["pwd", "hwk"]}
        browser = room.guest()
        return came(room, browser, browser.trip_to(room.idp))


@row("with-an-account-that-was-suspended", "is suspended")
def suspended(evil):
    """The user has left, and the service has suspended her; the provider has not noticed."""
    with clinic() as room:
        if evil:
            room.root("SuspendUser", name="anna")
        browser = room.guest()
        return came(room, browser, browser.trip_to(room.idp))


@row("with-an-account-that-was-removed", "Nobody here is linked with it")
def removed_account(evil):
    """Who has left there uses the account that an administrator has removed here, of whom sessions are ended with it."""
    with clinic() as room:
        one, = room.root("ListIdentities", name="anna").identities
        if evil:
            room.root("RemoveIdentity", user="anna", number=one.number)
        browser = room.guest()
        return came(room, browser, browser.trip_to(room.idp))


@row("with-another-sites-page", "another site's page asks for this")
def another_site(evil):
    """A page of his has the user's browser sign in, whether she wants to or not."""
    with clinic() as room:
        browser = room.guest()
        if evil:
            answer = browser.ask("GET", "/sign-in/with/clinic", headers=[("Sec-Fetch-Site", "cross-site")])
            return Outcome(answer.status == 303, answer.page().words())
        return came(room, browser, browser.trip_to(room.idp))


@row("with-room-for-nobody-else", FORMER)
def room_for_nobody_else(evil):
    """All addresses of his network set out while the user is at the provider, until there is no room, to have her way back
    forgotten: what is forgotten is his own first one."""
    with clinic() as room:
        browser, thief = room.guest(), room.guest("127.9.0.1")
        url = room.idp.sign_in(browser.set_out())
        if not evil:
            return came(room, browser, browser.come_back(url))
        own = room.idp.sign_in(thief.set_out())
        fill(room, b"4	")
        room.guest("127.9.0.1").set_out()
        assert len(room.sql("SELECT 1 FROM trips")) == 4096
        if not came(room, browser, browser.come_back(url)).taken:
            return Outcome(True, "the user's way back is gone")
        return came(room, thief, thief.come_back(own))


class Making(Provider):
    """One whose accounts become users."""

    def line(self, name, secret, more=""):
        return super().line(name, secret, more or "name=preferred_username")


@row("with-accounts-without-end", "6750 users here have accounts of this provider")
def accounts_without_end(evil):
    """One of two providers whose accounts become users makes up so many that there is no place for the other one's, nor for
    anybody who is invited."""
    maps = "".join(f"map {name} groups=staff default member\n" for name in ("clinic", "lab"))
    with Making() as lab, Clinic(lines=maps, others=[("lab", lab)], idp=Making()) as room:
        room.sql("INSERT INTO users (name, administrator, created) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
                 " SELECT i + 1 FROM n WHERE i < 6750 - (SELECT count(*) FROM users)) SELECT 'made-' || i, 0, 1 FROM n")
        room.sql("INSERT INTO identities (person, provider, issuer, subject, created)"
                 " SELECT number, 'clinic', ?, name, 1 FROM users", room.idp.issuer)
        idp = room.idp if evil else lab
        idp.claims = {"sub": "eve", "preferred_username": "eve", "groups": ["staff"]}
        browser = room.guest()
        answer = browser.trip_to(idp, "clinic" if evil else "lab")
        if answer.status != 303:
            return Outcome(False, answer.page().words())
        return Outcome(room.who(browser.enter(answer)) == "eve")


@row("with-a-mapped-name-given-up", "may neither take nor give up the name of workspace lab")
def mapped_name_given_up(evil):
    """The administrator of the workspace that the provider's new users are mapped to takes its name away, for another to
    be theirs."""
    return renamed("lab" if evil else "ward", "other")


@row("with-a-mapped-name-taken", "may neither take nor give up the name of workspace gone")
def mapped_name_taken(evil):
    """The administrator of a workspace gives it the name that the provider's new users are mapped to, so that they
    are his."""
    return renamed("ward", "gone" if evil else "other")


@row("with-the-default-name-given-up", "may not rename workspace 'default'")
def default_name_given_up(evil):
    """The administrator of the workspace of who names none takes its name away."""
    return renamed("default" if evil else "ward", "other")


@row("with-the-default-removed", "may not remove workspace 'default'")
def default_removed(evil):
    """The administrator of the workspace of who names none removes it, so that new users are the oldest one's."""
    return governed("default" if evil else "ward", "RemoveWorkspace")
