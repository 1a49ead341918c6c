# SPDX-License-Identifier: Apache-2.0
"""Somebody has an invitation to a workspace, or would like one, and wants more of it than it is for. The honest twin is a
new user who comes with one."""
import contextlib
import re

from invitations import GONE, Invited, choice
from rows import Outcome, row
from sign_in import OTHER, PASSWORD, WRONG

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
