# SPDX-License-Identifier: Apache-2.0
"""Somebody uses up what all users of the computation service have together, to keep them from it. Gained counts what the
others can't do; the honest twin does the same a few times."""
from audit_chain import FULL
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
