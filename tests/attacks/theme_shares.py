# SPDX-License-Identifier: Apache-2.0
"""Somebody uses up what all users of the computation service have together, to keep them from it. Gained counts what the
others can't do; the honest twin does the same a few times."""
import grpc
from audit_chain import FULL
from elsewhere import Elsewhere
from login import DEVICE, Room, admin_port, let_in
from people import Caller
from rows import Outcome, row
from sign_in import PASSWORD, Page

OWN_SHARE = "changes since half of the audit log was full"


def of_the_audit_log(evil, deed):
    """What becomes of Bert, and of Eve, after deed(page, eve) was tried until it is refused (or three times)."""
    with Page(MAX_AUDIT_ROWS="64") as page:
        page.user("eve")
        page.user("bert")
        eve, bert = (Caller(page.service.channel, page.root("AddToken", user=name, name="t").token) for name in ("eve", "bert"))
        said, tries = "", 0
        while not said and tries < (64 if evil else 3):
            said, tries = deed(page, eve), tries + 1
        done = [bert.code("AddToken", name="more") is None, bert.code("RevokeToken", name="more") is None,
                page.browser().try_in("bert", PASSWORD).status == 303, page.root.code("SuspendUser", name="eve") is None]
        if evil:
            return Outcome(not all(done), said, done.count(False))
        return Outcome(all(done) and not said, said, done.count(True))


@row("share-of-the-audit-log", OWN_SHARE)
def by_tokens(evil):
    """Tokens are made and revoked until the audit log is full, so that nobody changes anything, signs in, or stops that."""
    def deed(_, eve):
        if eve.code("AddToken", name="x") is FULL:
            return eve.text("AddToken", name="x")
        eve.code("RevokeToken", name="x")
        return ""
    return of_the_audit_log(evil, deed)


@row("share-of-the-audit-log-by-signing-in", OWN_SHARE)
def by_signing_in(evil):
    """The same by signing in again and again, for which room is kept."""
    def deed(page, _):
        answer = page.browser().try_in("eve", PASSWORD)
        return "" if answer.status == 303 else answer.page().words()
    return of_the_audit_log(evil, deed)


def begun(caller):
    try:
        return caller("AskLogin")
    except grpc.RpcError:
        return None


def ends_well(room, caller, asked):
    return (asked is not None and let_in(room.anna, asked.code).status == 200
            and caller("TakeLogin", secret=asked.secret).user == "anna")


def logins(evil, flood, address):
    """What becomes of somebody at that address who begins to sign in behind flood(elsewhere, room), and of another one who began before."""
    with Room(ADMIN_PORT="0", ADMIN_SIGN_IN="true") as room, Elsewhere(admin_port(room)) as elsewhere:
        early, late = elsewhere.caller("127.9.0.1"), elsewhere.caller(address)
        before = begun(early)
        said = flood(elsewhere, room) if evil else ""
        done = [ends_well(room, late, begun(late)), ends_well(room, early, before)]
        if evil:
            return Outcome(not all(done), said, done.count(False))
        return Outcome(all(done), said, done.count(True))


@row("share-of-logins", "this login has ended")
def by_logins(evil):
    """Command lines by the hundred ask to be let in, from many addresses, so that nobody else finds a place. The oldest of them give theirs
    to who comes."""
    def flood(elsewhere, _):
        crowd = [elsewhere.caller(f"127.0.1.{number}") for number in range(17)]
        asked = [one("AskLogin") for one in crowd for _ in range(16)]
        return crowd[0].text("PollLogin", secret=asked[0].secret)
    return logins(evil, flood, "127.9.0.2")


@row("share-of-logins-by-looking", "this login has ended")
def by_looking(evil):
    """A user looks on the page at each of his own, by the hundred, so that none of them gives way to anybody. All but his newest do."""
    def flood(elsewhere, room):
        room.user("eve")
        eve, asked = room.browser().sign_in("eve"), []
        csrf = eve.csrf()
        for one in [elsewhere.caller(f"127.0.1.{number}") for number in range(17)]:
            for _ in range(16):
                asked.append(one("AskLogin"))
                eve.post(DEVICE, csrf=csrf, code=asked[-1].code)
        return one.text("PollLogin", secret=asked[0].secret)
    return logins(evil, flood, "127.9.0.2")


@row("share-of-logins-by-refused-calls", "too many calls came to change something")
def by_refused_calls(evil):
    """Calls with invented tokens use up what refused calls have of the audit log, to have logins refused, too."""
    def flood(elsewhere, _):
        for number in range(12):
            one = elsewhere.caller(f"127.0.1.{number}", f"cocos_{number:064x}")
            while "too many calls" not in (said := one.text("AddUser", name="stranger")):
                pass
        return said
    return logins(evil, flood, "127.0.1.0")
