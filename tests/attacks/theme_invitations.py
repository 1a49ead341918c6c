# SPDX-License-Identifier: Apache-2.0
"""Somebody has an invitation to a workspace, or would like one, and wants more of it than it is for. The honest twin is a
new user who comes with one."""
import contextlib
import re

import grpc

from harness import until
from invitations import GONE, Invited, choice
from people import Caller
from rows import Outcome, row
from sign_in import OTHER, PASSWORD, WRONG
from smtp_server import Mailbox, invite, listed, mailing, until_mail

OVER = GONE.split(",", maxsplit=1)[0]


def came(answer, page, name="anna", role="member"):
    """What became of a form: in, as that, or what the page said."""
    if answer.status == 303:
        assert page.members().get(name) == role, page.members()
        return Outcome(True)
    assert name not in page.members()
    return Outcome(False, answer.page().words())


@contextlib.contextmanager
def invited(**fields):
    with Invited() as page:
        yield page, page.invite(**fields), page.browser()


@row("invitation-taken-twice", OVER)
def taken_twice(evil):
    """A link that somebody has used lies in a mailbox, where another one finds it."""
    with invited() as (page, path, b):
        if evil:
            assert page.browser("127.0.0.2").post(path, **choice("bert")).status == 303
        return came(b.post(path, **choice()), page)


@row("invitation-revoked", OVER)
def revoked(evil):
    """It was revoked, since its link came into the wrong hands."""
    with invited() as (page, path, b):
        number = page.head("ListInvitations", workspace="lab").invitations[0].number
        if evil:
            page.head("RevokeInvitation", workspace="lab", number=number)
        return came(b.post(path, **choice()), page)


@row("invitation-ended", OVER)
def ended(evil):
    """Its days are over."""
    with Invited() as page:
        path = page.invite(days=1)
        page.change(f"UPDATE invitations SET ends = ends - {86400000 if evil else 1}")
        return came(page.browser().post(path, **choice()), page)


@row("invitation-guessed", OVER)
def guessed(evil):
    """A secret that is nearly right."""
    with invited() as (page, path, b):
        wrong = path[:-1] + ("0" if path[-1] != "0" else "1")
        return came(b.post(wrong if evil else path, **choice()), page)


@row("invitation-of-an-administrator-who-was-removed", OVER)
def of_who_was_removed(evil):
    """Before an administrator is removed from the workspace, he leaves himself a way back."""
    with Invited() as page:
        other = page.member("other", "administrator")
        path = page.invite(other, role="administrator")
        if evil:
            page.head("RemoveMember", workspace="lab", user="other")
        return came(page.browser().post(path, **choice()), page, role="administrator")


@row("invitation-of-a-suspended-administrator", OVER)
def of_who_is_suspended(evil):
    """The same by one whom the service suspends."""
    with Invited() as page:
        other = page.member("other", "administrator")
        path = page.invite(other)
        if evil:
            page.root("SuspendUser", name="other")
        return came(page.browser().post(path, **choice()), page)


@row("invitation-role-raised-in-the-form", "a field too much")
def role_raised(evil):
    """The form says which role one gets, too."""
    with invited(role="viewer") as (page, path, b):
        more = {"role": "administrator"} if evil else {}
        return came(b.post(path, **choice(), **more), page, role="viewer")


@row("invitation-by-a-member", "may not administer this workspace")
def by_a_member(evil):
    """A member who administers nothing invites a friend."""
    with Invited() as page:
        anna = page.member("anna", "member" if evil else "administrator")
        if anna.code("Invite", workspace="lab") is None:
            return Outcome(True)
        return Outcome(False, anna.text("Invite", workspace="lab"))


@row("invitation-to-anothers-workspace", "no workspace 'lab'")
def to_anothers(evil):
    """The administrator of one workspace invites to another."""
    with Invited() as page:
        other = page.member("other", "administrator", "default" if evil else "lab")
        if other.code("Invite", workspace="lab") is None:
            return Outcome(True)
        return Outcome(False, other.text("Invite", workspace="lab"))


@row("invitation-takes-over-an-account", "This name can't be had")
def takes_over(evil):
    """Who makes an account with it chooses the name of somebody who has one."""
    with invited() as (page, path, b):
        page.user("bert")
        answer = b.post(path, **choice("bert" if evil else "anna", OTHER))
        assert page.browser("127.0.0.2").sign_in("bert", PASSWORD).is_in()
        return came(answer, page, "bert" if evil else "anna")


@row("invitation-joined-from-another-site", "another origin asks for this")
def from_another_site(evil):
    """A page of somebody else's has a browser that is signed in join a workspace."""
    with invited() as (page, path, b):
        page.user("anna")
        b.sign_in()
        csrf = re.search(r'name="csrf" value="([0-9a-f]{64})"', b.get(path).body.decode())[1]
        return came(b.post(path + "/join", origin="http://evil.example" if evil else "", csrf=csrf), page)


@row("invitation-joined-without-its-session", "this form is of another session")
def without_its_session(evil):
    """The same with a form that another session was given."""
    with invited() as (page, path, b):
        page.user("anna")
        page.user("bert")
        b.sign_in()
        other = page.browser("127.0.0.2").sign_in("bert") if evil else b
        return came(b.post(path + "/join", csrf=other.csrf()), page)


@row("invitation-with-somebody-elses-name", WRONG)
def somebody_elses_name(evil):
    """Who has it signs in by a name whose password he does not know."""
    with invited() as (page, path, b):
        page.user("anna")
        return came(b.post(path + "/sign-in", name="anna", password=OTHER if evil else PASSWORD), page)


# ---- by mail ----

def mailed(running, address="anna@example.com", **fields):
    """One that is sent, or what the service said; gained: what came to the mailbox."""
    before = len(running.box.came)
    try:
        made = invite(running, address, **fields)
    except grpc.RpcError as error:
        return Outcome(False, error.details(), len(running.box.came) - before)
    until_mail(running, made.number, "sent", fields.get("workspace", "default"))
    return Outcome(True, "", len(running.box.came) - before)


def address_row(name, address, about, **fields):
    def attempt(evil):
        with mailing() as running:
            done = mailed(running, address if evil else "anna@example.com", **(fields if evil else {}))
            assert len(running.box.came) == (0 if evil else 1) and (not evil or not listed(running))
            return done
    attempt.__doc__ = about
    row("invitation-mail-" + name, "no address that mail goes to")(attempt)


address_row("with-a-header", "anna@example.com\r\nBcc: crowd@example.org", "A line more in the address: a header that names others.")
address_row("with-a-body", "anna@example.com\r\n\r\nPay here: https://example.org/", "An empty line in the address: text of his own.")
address_row("with-a-command", "anna@example.com>\r\nRCPT TO:<crowd@example.org", "What ends the server's line, and begins another.")
address_row("to-two", "anna@example.com,crowd@example.org", "Two addresses where one is asked for.")
address_row("to-two-by-quotes", '"crowd@example.org"@example.com', "One that some servers send on to the other.")
address_row("to-two-by-a-route", "crowd%example.org@example.com", "The same in an older form.")
address_row("with-an-option", "-oQ/tmp@example.com", "A word that a mail program takes for an option.")


@row("invitation-mail-by-a-workspace-s-name", "with a letter or digit first")
def by_a_name(evil):
    """A workspace whose name is a header stands in the subject of each of its mails."""
    with mailing() as running:
        try:
            running.root("AddWorkspace", name="lab\r\nBcc: crowd@example.org" if evil else "lab")
        except grpc.RpcError as error:
            return Outcome(False, error.details(), len(running.box.came))
        return mailed(running, workspace="lab")


@row("invitation-mail-with-words-of-his-own", "none of his words")
def words_of_his_own(evil):
    """For whom it is he says in words that a stranger is to read as the service's."""
    with mailing() as running:
        done = mailed(running, note="Pay here: https://example.org/")
        [came] = running.box.came
        told = "Pay here" in came.raw.decode()
        return Outcome(told, "none of his words are in it", 0) if evil else done


@row("invitation-mail-bomb", "to that address within a day")
def bomb(evil):
    """One stranger is mailed over and over: with tags, dots, in capitals, from other workspaces, and each is revoked."""
    with mailing() as running:
        for i in range(3 if evil else 2):
            running.root("AddWorkspace", name=f"lab{i}")
            made = invite(running, f"A{'.' * (i > 0)}nna+{i}@Example.com", workspace=f"lab{i}")
            running.root("RevokeInvitation", workspace=f"lab{i}", number=made.number)
        return mailed(running)


@row("invitation-mail-flood", "20 invitations within an hour")
def flood(evil):
    """Many strangers are mailed by one workspace."""
    with mailing() as running:
        for i in range(20 if evil else 19):
            invite(running, f"user{i}@example.com")
        running.box.until(20 if evil else 19)
        return mailed(running)


@row("invitation-mail-by-a-member", "may not administer this workspace")
def by_a_member(evil):
    """Who does not administer the workspace has the service mail somebody."""
    with mailing() as running:
        running.root("AddUser", name="bert")
        running.root("SetMember", workspace="default", user="bert", role="member" if evil else "administrator")
        return mailed(running, caller=Caller(running.channel, running.root("AddToken", user="bert", name="t").token))


def certificate_row(name, check, make, about, **settings):
    """The honest twin's server has STARTTLS and a certificate of our authority."""
    def attempt(evil):
        with mailing(make if evil else Mailbox, **(settings if evil else {})) as running:
            made = invite(running)
            if not evil:
                until_mail(running, made.number, "sent")
                return Outcome(True, "", len(running.box.came))
            until(lambda: listed(running)[made.number].mail_problem, "it was tried")
            said = set(running.box.verbs) & {"AUTH", "MAIL", "RCPT", "DATA"}
            return Outcome(False, listed(running)[made.number].mail_problem, len(running.box.came) + len(said))
    attempt.__doc__ = about
    row("invitation-mail-" + name, check)(attempt)


certificate_row("without-a-certificate-of-ours", "TLS: ", Mailbox, "Somebody on the way answers in the server's place, with a certificate "
                "of his own authority.", SMTP_CA="/etc/ssl/certs/ca-certificates.crt")
certificate_row("without-a-certificate-of-ours-by-smtps", "TLS: ", lambda tls: Mailbox(tls, smtps=True), "The same where all is TLS.",
                SMTP_CA="/etc/ssl/certs/ca-certificates.crt")
certificate_row("starttls-taken-away", "STARTTLS", lambda tls: Mailbox(tls, starttls=False), "Somebody on the way leaves out that the "
                "server speaks TLS, and would read the link and the password.")


@row("invitation-mail-link-read-elsewhere", "is nowhere else")
def read_elsewhere(evil):
    """Who reads the service's log, its audit log or its answers looks for the link; the honest twin looks in the mailbox."""
    with mailing() as running:
        made = invite(running)
        until_mail(running, made.number, "sent")
        secret = running.box.until().path().rsplit("/", 1)[1]
        where = [running.process.text(), str(made), str(listed(running)), str(running.root("ListInvitations", workspace="default"))]
        if not evil:
            return Outcome(secret in running.box.came[0].text, "", len(secret))
        found = [text for text in where if secret in text]
        return Outcome(bool(found), "the link is nowhere else", len(found))
