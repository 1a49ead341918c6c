# SPDX-License-Identifier: Apache-2.0
"""An operator who holds the service's database and the key of its log of journals' heads, and an auditor who reads the
whole log with `cocos-cli journal audit`: what the operator wants is that the auditor says yes to a log in which
somebody's history is missing or another."""
import contextlib
import os

import witness_book
from journal_witness import book_of, lying
from rows import Outcome, row, shown

SEEN, SIZE = 12, 1100  # when the auditor came first, and now: more than one page


def leaf(n, digest=None):
    return witness_book.leaf_bytes(f"c-{n}", 1, 3, digest or witness_book.sha256(b"%d" % n))


@contextlib.contextmanager
def followed():
    """A service whose log an auditor has read before, and which has grown since."""
    with lying() as (service, call, _):
        service.leaves = [leaf(n) for n in range(SEEN)]
        call("audit").ok()
        service.leaves += [leaf(n) for n in range(SEEN, SIZE)]
        yield service, call


def said(done, check):
    """What the auditor heard: a log that does not hold counts as gained where he was told that it does."""
    taken = done.status == 0
    return Outcome(taken, "" if taken else shown(done.err, check), len(done.out))


def paged(evil, change, check):
    """The signed head is honest, and its leaves are shown with that change."""
    with followed() as (service, call):
        service.pages = change if evil else None
        return said(call("audit"), check)


@row("log-without-one-leaf", "1023 leaves where 1024 were asked for")
def without_one(evil):
    """A leaf is left out where it stood, and those behind it move up."""
    def change(page, asked):
        return page[:100] + page[101:] if not asked.first else page
    return paged(evil, change, "1023 leaves where 1024 were asked for")


@row("log-with-a-leaf-in-anothers-place", "are not those that its head is over")
def replaced(evil):
    """A leaf is left out, and its place filled by one that the service makes."""
    def change(page, asked):
        return page[:-1] + [leaf(9999)] if asked.first else page
    return paged(evil, change, "are not those that its head is over")


@row("log-with-a-changed-leaf", "are not those that it had")
def changed(evil):
    """A journal that was seen has another digest now; the head says nothing of it."""
    def change(page, asked):
        return [leaf(0, b"\7" * 32)] + page[1:] if not asked.first else page
    return paged(evil, change, "are not those that it had")


@row("log-in-another-order", "are not those that its head is over")
def moved(evil):
    """All leaves are there, two of them in each other's place."""
    def change(page, asked):
        return page if not asked.first else [page[1], page[0]] + page[2:]
    return paged(evil, change, "are not those that its head is over")


@row("log-without-an-end", "40960 leaves where 1024 were asked for")
def endless(evil):
    """The service shows leaves that nobody asked for, as many as a message holds, so that the auditor's memory fills
    or he never comes to an end."""
    return paged(evil, lambda page, asked: page * 40, "40960 leaves where 1024 were asked for")


@row("log-that-was-forked", "was forked")
def forked(evil):
    """Leaves, root and head agree with each other, and are signed by the right key: the log of another history."""
    with followed() as (service, call):
        if evil:
            service.leaves[3] = leaf(3, b"\7" * 32)
        return said(call("audit"), "was forked")


@row("log-that-was-forked-under-the-old-head", "are not those that it had")
def forked_under_old_head(evil):
    """The same behind the honest head and its honest proof: only who reads the leaves can see it."""
    with followed() as (service, call):
        other = service.leaves[:3] + [leaf(3, b"\7" * 32)] + service.leaves[4:]
        if evil:
            service.pages = lambda page, asked: other[asked.first:asked.first + asked.count]
        return said(call("audit"), "are not those that it had")


@row("log-that-shrank", "has shrunk")
def shrank(evil):
    """The service goes back to a log without what came last."""
    with followed() as (service, call):
        if evil:
            service.leaves = service.leaves[:SEEN - 1]
        return said(call("audit"), "has shrunk")


@row("log-of-another-key", "another than the one that it had")
def another_key(evil):
    """A log that begins anew, well signed, by a key that the service made for it."""
    with followed() as (service, call):
        if evil:
            with lying() as (fresh, _, _):
                service.key = fresh.key
        return said(call("audit"), "another than the one that it had")


@row("log-with-a-second-history", "two histories")
def second_history(evil):
    """Another history of a run is logged behind the first: the log has only grown, and each proof holds."""
    with lying() as (service, call, _):
        service.leaves = [leaf(n) for n in range(SEEN)]
        call("witness", "c-3").ok()
        if evil:
            service.leaves.append(leaf(3, b"\7" * 32))
        return said(call("audit"), "two histories")


def kept_out(evil, last):
    """A participant who knows the log fetches a journal that is closed; the log has `last` heads of it."""
    with lying() as (service, call, folder):
        call("witness").ok()
        book = book_of("c", 4)
        service.put("c", 1, book)
        book.add("end", reason="stopped")
        service.put("c", 1, book, final=True)
        if evil:
            service.leaves = service.leaves[:last]
        done, journal = call("get", "c", "-o", folder("j")), folder("j")
        there = os.path.exists(journal)
        return Outcome(there, "" if there else shown(done.err, "has no such head of it"),
                       os.path.getsize(journal) if there else 0)


@row("log-without-that-journal", "has no such head of it")
def without_that_journal(evil):
    """The log has no head of the journal that a participant gets, so that nothing shows that others got another."""
    return kept_out(evil, 0)


@row("log-without-that-journals-end", "has no such head of it")
def without_that_end(evil):
    """The log has the journal's first head, which is everybody's, and not the last: what came behind the first is
    another for each."""
    return kept_out(evil, 1)
