#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The service's log of journals' heads read whole: by the command line and by witness_book.py, which compute its root
from its leaves, before the real service and before one that leaves out, changes, moves or goes on for ever."""
import os

import grpc

import tap
import witness_book
from harness import PATIENCE, Computations, Folder, cli, computations
from journal_book import Wrong, Writer, decoded, encoded
from journal_witness import Bench, book_of, key_of, lying, refuses, statement_of

PAGE = 1024


def pages(service, size, most=PAGE):
    """All leaves of the real service's log, in pages."""
    leaves = []
    while len(leaves) < size:
        asked = computations.WitnessLeavesRequest(first=len(leaves), count=min(most, size - len(leaves)))
        answer = service.admin.WitnessLeaves(asked, timeout=PATIENCE)
        assert len(answer.leaves) == asked.count, len(answer.leaves)
        leaves += answer.leaves
    return leaves


def both_readings_of_the_real_services_log_agree():
    with Folder() as folder, Computations(folder) as service:
        bench = Bench(service)

        def audit():
            return cli("journal", "audit", COMPUTATIONS_GRPC_URL="unix:" + folder("admin.sock"),
                       XDG_STATE_HOME=folder("seen"))
        try:
            assert "audited: all 0 leaves" in audit().ok()
            old, old_root = 0, b""
            for n in range(9):
                book = Writer(statement_of(f"c-{n}"))
                bench.bring(bench.begin(f"c-{n}"), f"c-{n}", book, leaf=1)
                said = audit().ok()
                assert f"all {n + 1} leaves have the root" in said and f"the first {n} are those that it had" in said, said
                answer = bench.ask()
                size, root, _ = witness_book.verify_head(answer.signed_head, key_of(answer))
                leaves = pages(service, size, 1 + n % 4)
                assert leaves == bench.leaves
                witness_book.audited(leaves, size, root, old, old_root)
                old, old_root = size, root
            service.admin.Remove(computations.RemoveRequest(id="c-3", force=True), timeout=PATIENCE)
            assert "all 9 leaves" in audit().ok(), "leaves stay"
            for first, count, code in ((0, 0, "INVALID_ARGUMENT"), (0, PAGE + 1, "INVALID_ARGUMENT"),
                                       (0, 10, "OUT_OF_RANGE"), (9, 1, "OUT_OF_RANGE"), ((1 << 64) - 1, 1, "OUT_OF_RANGE")):
                try:
                    service.admin.WitnessLeaves(computations.WitnessLeavesRequest(first=first, count=count),
                                                timeout=PATIENCE)
                    raise AssertionError((first, count))
                except grpc.RpcError as error:
                    assert error.code() == getattr(grpc.StatusCode, code), error
        finally:
            bench.close()


def leaf(n):
    return witness_book.leaf_bytes(f"c-{n}", 1 + n, 3, witness_book.sha256(b"%d" % n))


def agrees(liar, status, old=()):
    """What the command line said of these leaves, the other implementation says."""
    try:
        shown = [each for first in range(0, len(liar.leaves), PAGE) for each in liar.WitnessLeaves(
            computations.WitnessLeavesRequest(first=first, count=min(PAGE, len(liar.leaves) - first)), None).leaves]
        witness_book.audited(shown, len(liar.leaves), witness_book.root(liar.leaves), len(old), witness_book.root(list(old)))
        holds = True
    except (Wrong, ValueError, TypeError):
        holds = False
    assert holds == (status == 0), status


def logs_of_each_size_around_a_page_pass():
    with lying() as (liar, call, _):
        kept = []
        for size in (0, 1, 2, 3, 7, 8, 9, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 5):
            liar.leaves = [leaf(n) for n in range(size)]
            liar.paged = 0
            done = call("audit")
            said = done.ok()
            assert f"audited: all {size} leaves have the root" in said and said.count("\n") == 1, said
            assert liar.paged == (size + PAGE - 1) // PAGE, liar.paged
            agrees(liar, done.status, kept)
            kept = list(liar.leaves)


def what_is_left_out_changed_or_moved_is_told():
    with lying() as (liar, call, folder):
        liar.leaves = [leaf(n) for n in range(40)]
        call("audit").ok()
        liar.leaves += [leaf(n) for n in range(40, PAGE + 9)]
        other = leaf(5000)
        spoiled = (
            (lambda page, r: page[1:], "1023 leaves where 1024"),
            (lambda page, r: page[:-1] if r.first else page, "8 leaves where 9"),
            (lambda page, r: [], "0 leaves where 1024"),
            (lambda page, r: page + [other], "1025 leaves where 1024"),
            (lambda page, r: page * 40, "40960 leaves where 1024"),
            (lambda page, r: page[:7] + [other] + page[8:], "the first 40 leaves that the log shows are not those"),
            (lambda page, r: page if r.first else page[:50] + [other] + page[51:], "not those that its head is over"),
            (lambda page, r: [page[1], page[0]] + page[2:] if r.first else page, "not those that its head is over"),
            (lambda page, r: page[:40][::-1] + page[40:], "the first 40 leaves"),
            (lambda page, r: page[1:] + page[:1], "the first 40 leaves"),
            (lambda page, r: page[:-1] + [page[-1][:-1]], "refused: leaf 1023"),
            (lambda page, r: page[:-1] + [b""], "refused: leaf 1023"),
            (lambda page, r: page[:-1] + [bytes(400)], "at most 319"),
            (lambda page, r: page[:-1] + [encoded(["c", 0, 1, bytes(32)])], "refused: leaf 1023"))
        for change, words in spoiled:
            liar.pages = change
            done = call("audit")
            refuses(done, words)
            assert not done.out, done
            agrees(liar, done.status, liar.leaves[:40])
        liar.pages = None
        assert "the first 40 are those that it had" in call("audit").ok(), "nothing of that was kept"


def a_log_that_is_another_is_told_whichever_leaves_it_shows():
    with lying() as (liar, call, folder):
        liar.leaves = [leaf(n) for n in range(20)]
        call("audit").ok()
        honest = list(liar.leaves)
        for leaves, words in ((honest[:19], "shrunk"), ([], "shrunk"), (honest[:3] + [leaf(77)] + honest[4:], "forked"),
                              (honest[:3] + [leaf(77)] + honest[4:] + [leaf(20)], "forked")):
            liar.leaves = leaves
            refuses(call("audit"), words)
        # A proof for the head, and the leaves of another log: the heads agree, and their leaves do not.
        liar.leaves = honest + [leaf(20)]
        forged = honest[:3] + [leaf(77)] + honest[4:] + [leaf(20)]
        liar.pages = lambda page, r: forged[r.first:r.first + r.count]
        refuses(call("audit"), "the first 20 leaves")
        refuses(call("audit", state="stranger"), "not those that its head is over")
        liar.pages = None
        liar.changes = {"key": lambda _: b"no key"}
        refuses(call("audit"), "another than the one that it had")
        liar.changes = {}
        call("witness", "--key-output", folder("key.pem")).ok()
        call("audit", "--witness-key", folder("key.pem"), state="named").ok()
        with lying() as (other, ask, _):
            other.leaves = liar.leaves
            refuses(ask("audit", "--witness-key", folder("key.pem")), "not that of")


def a_leaf_that_was_seen_has_to_be_there_and_none_that_says_otherwise():
    with lying() as (liar, call, _):
        book = book_of("c", 4)
        liar.put("c", 1, book)
        call("witness", "c").ok()
        liar.leaves += [leaf(n) for n in range(5)]
        call("audit").ok()
        # Another history of the same run behind the first: the log only grew, and all proofs hold.
        honest = list(liar.leaves)
        liar.leaves.append(witness_book.leaf_bytes("c", 1, book.sequence, b"\7" * 32))
        refuses(call("audit"), "two histories: entry 4 of run 1")
        call("audit", state="stranger").ok()
        liar.leaves = honest
        call("audit").ok()


def who_ends_early_is_told_from_who_has_no_such_log():
    with lying() as (liar, call, folder):
        liar.leaves = [leaf(n) for n in range(3)]
        for code, status in ((grpc.StatusCode.OUT_OF_RANGE, 3), (grpc.StatusCode.UNIMPLEMENTED, 1),
                             (grpc.StatusCode.UNAVAILABLE, 1), (grpc.StatusCode.NOT_FOUND, 1)):
            liar.refuses = code
            done = call("audit")
            assert done.status == status and not done.out, (code, done)
            assert not os.path.exists(folder("state")), "what did not pass is not kept"
        liar.refuses = None
        call("audit").ok()
        [name] = [name for name in os.listdir(folder("state/cocos/witness")) if name != "lock"]
        with open(folder(f"state/cocos/witness/{name}"), "rb") as file:
            assert decoded(file.read())[4] == [], "an audit keeps the head"


if __name__ == "__main__":
    tap.run([both_readings_of_the_real_services_log_agree, logs_of_each_size_around_a_page_pass,
             what_is_left_out_changed_or_moved_is_told, a_log_that_is_another_is_told_whichever_leaves_it_shows,
             a_leaf_that_was_seen_has_to_be_there_and_none_that_says_otherwise,
             who_ends_early_is_told_from_who_has_no_such_log])
