#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The service's log of journals' heads, beside the one that witness_book.py computes from its leaves; and the command
line, which keeps what it saw of such a log, before services that show another."""
import concurrent.futures
import contextlib
import functools
import os
import shutil
import subprocess
import threading

import grpc
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import tap
import witness_book
from harness import (PATIENCE, Computations, FakeAgent, Folder, cli, computations, computations_grpc, cvms, program, read,
                     spki)
from journal_book import Writer, decoded, digest_of, encoded, items

KEY, _ = spki()


def statement_of(computation):
    def statement(journal):
        return encoded({0: 1, 1: computation, 2: bytes(32), 3: bytes(32), 4: b"\4" * 32, 5: {}, 6: False,
                        7: b"identity", 8: False, 9: journal, 10: []})
    return statement


class Bench:
    """A service, an agent, computations and the leaves that their journals are to have."""

    def __init__(self, service):
        self.service, self.leaves, self.agents = service, [], []

    def begin(self, name):
        """A computation with that id, on a CVM of its own."""
        self.service.admin.Create(computations.CreateRequest(manifest=cvms.ComputationRunReq(
            id=name, name=name, algorithm=cvms.Algorithm(hash=b"a" * 32, userKey=KEY),
            result_consumers=[cvms.ResultConsumer(userKey=KEY)])), timeout=PATIENCE)
        agent = FakeAgent(f"127.0.0.1:{self.service.port}", f"cvm-{name}", metadata=[("cocos-journal", "1")])
        self.agents.append(agent)
        agent.next("agentStateReq")
        self.service.admin.Run(computations.RunRequest(id=name, cvm_id=f"cvm-{name}"), timeout=PATIENCE)
        agent.manifest()
        return agent

    def bring(self, agent, name, book, first=1, final=False, leaf=None):
        """The journal's entries from `first` on, and its head; `leaf`: of which run it becomes one."""
        said = list(items(book.head(final)))
        book.items.pop()
        agent.say(journal_entries=cvms.JournalEntries(computation_id=name, first=first, entries=said[first - 1:-1],
                                                      signed_head=said[-1]))
        ack = agent.next("journal_ack")
        assert (ack.computation_id, ack.count) == (name, book.sequence), ack
        if leaf:
            self.leaves.append(witness_book.leaf_bytes(name, leaf, book.sequence, book.previous))

    def ask(self, name="", run=0, size=0):
        return self.service.admin.Witness(computations.WitnessRequest(id=name, run=run, size=size), timeout=PATIENCE)

    def close(self):
        for agent in self.agents:
            agent.close()


def key_of(answer):
    return serialization.load_der_public_key(answer.key)


def check(bench):
    """Everything that the service says of its log is what its leaves say; returns (size, root)."""
    answer = bench.ask()
    size, root, _ = witness_book.verify_head(answer.signed_head, key_of(answer))
    assert (size, root) == (len(bench.leaves), witness_book.root(bench.leaves)), (size, len(bench.leaves))
    assert not answer.proof and not answer.consistency
    for old in range(1, size + 1):
        path = list(bench.ask(size=old).consistency)
        assert path == witness_book.consistency(old, bench.leaves), old
        witness_book.follows(old, witness_book.root(bench.leaves[:old]), size, root, path)
    return size, root


def each_first_and_final_head_is_proven():
    with Folder() as folder, Computations(folder) as service:
        bench = Bench(service)
        try:
            assert check(bench) == (0, witness_book.sha256(b""))
            for n in range(5):
                agent = bench.begin(f"c-{n}")
                for run in (1, 2):
                    book = Writer(statement_of(f"c-{n}"))
                    bench.bring(agent, f"c-{n}", book, leaf=run)
                    book.add("log", text="more", level="INFO")
                    bench.bring(agent, f"c-{n}", book, first=2)  # neither first nor final
                    for _ in range(255):
                        book.add("log", text="more", level="INFO")
                    bench.bring(agent, f"c-{n}", book, first=3, leaf=run)
                    book.add("end", reason="stopped")
                    bench.bring(agent, f"c-{n}", book, first=258, final=True, leaf=run)
                    check(bench)
                    answer = bench.ask(f"c-{n}", run)
                    leaf, size, _ = witness_book.verify_proof(answer.proof, key_of(answer))
                    assert leaf == [f"c-{n}", run, 258, book.previous] and size == len(bench.leaves), leaf
            answer = bench.ask("c-3")
            assert witness_book.verify_proof(answer.proof, key_of(answer))[0][:3] == ["c-3", 2, 258]
            for name, run in (("c-3", 3), ("c-9", 0), ("c-9", 1)):
                assert not bench.ask(name, run).proof
            assert not bench.ask(size=len(bench.leaves) + 1).consistency
            assert not bench.ask(size=(1 << 64) - 1).consistency
            try:
                bench.ask("c-1", run=1 << 63)
                raise AssertionError("so many runs")
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
        finally:
            bench.close()


def the_log_outlives_the_service_and_its_computations():
    with Folder() as folder:
        with Computations(folder) as service:
            bench = Bench(service)
            book = Writer(statement_of("c"))
            bench.bring(bench.begin("c"), "c", book, leaf=1)
            before = check(bench)
            key = bench.ask().key
            bench.close()
            service.admin.Remove(computations.RemoveRequest(id="c", force=True), timeout=PATIENCE)
        path = folder("state/witness.pem")
        assert os.stat(path).st_mode & 0o777 == 0o600
        with Computations(folder) as service:
            bench.service = service
            assert check(bench) == before and bench.ask().key == key
            answer = bench.ask("c", 1)
            assert witness_book.verify_proof(answer.proof, key_of(answer))[0] == ["c", 1, 1, book.previous]
        os.rename(path, folder("elsewhere"))
        done = subprocess.run([program("cocos-computations"), "--config", folder("computations.conf")],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 1 and "bring it back" in done.stderr, done
        os.rename(folder("elsewhere"), path)
        with Computations(folder) as service:
            bench.service = service
            assert check(bench) == before


def what_is_no_head_is_not_taken():
    with Folder() as folder, Computations(folder) as service:
        bench = Bench(service)
        try:
            agent = bench.begin("c")
            book = Writer(statement_of("c"))
            book.head(count=7)
            agent.say(journal_entries=cvms.JournalEntries(computation_id="c", first=1, entries=book.items[:1],
                                                          signed_head=book.items[1]))
            service.process.wait_line("brings entries of a journal under a head that is over other entries")
            assert check(bench)[0] == 0
            assert service.admin.Journal(computations.JournalRequest(id="c")).count == 0
        finally:
            bench.close()


def the_journal_of_a_run_before_is_nobody_elses():
    """The CVM of the second run brings later parts of the first one's journal, with its name and without."""
    with Folder() as folder, Computations(folder) as service:
        bench = Bench(service)
        try:
            first, book = bench.begin("c"), Writer(statement_of("c"))
            bench.bring(first, "c", book, leaf=1)
            book.add("log", text="more", level="INFO")
            bench.bring(first, "c", book, first=2)
            kept = service.admin.Journal(computations.JournalRequest(id="c", run=1))
            service.admin.Stop(computations.ComputationRequest(id="c"), timeout=PATIENCE)
            first.say(stop_computation_res=cvms.StopComputationResponse(computation_id="c"))
            service.until_state("c", "Cancelled")
            other = FakeAgent(f"127.0.0.1:{service.port}", "cvm-other", metadata=[("cocos-journal", "1")])
            bench.agents.append(other)
            other.next("agentStateReq")
            service.admin.Run(computations.RunRequest(id="c", cvm_id="cvm-other", again=True), timeout=PATIENCE)
            other.manifest()
            book.add("log", text="evil", level="INFO")
            entries = list(items(book.head()))
            name = digest_of(1, bytes(32), entries[0])
            for part in ({}, {"run": name}):
                other.say(journal_entries=cvms.JournalEntries(computation_id="c", first=3, entries=entries[2:3],
                                                              signed_head=entries[3], **part))
            own = Writer(statement_of("c"))  # what it is acknowledged first
            bench.bring(other, "c", own, leaf=2)
            own.add("end", reason="stopped")
            bench.bring(other, "c", own, first=2, final=True, leaf=2)
            service.process.wait_line("goes on with a journal of computation 'c' that it did not begin")
            assert service.admin.Journal(computations.JournalRequest(id="c", run=1)) == kept
            assert service.admin.Journal(computations.JournalRequest(id="c", run=2)).count == 2
            check(bench)
        finally:
            bench.close()


# ---- participants: what they keep and compare ----

class Liar(computations_grpc.ComputationServiceServicer):
    """A service that shows whatever it is given: journals of (computation, run), a log of leaves, under any key."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.books, self.leaves, self.hidden, self.changes = {}, [], set(), {}
        self.each = None  # what it shows instead, before each answer: a function of the request
        self.pages = None  # of leaves: a function of the honest page and the request
        self.paged = 0  # how many it showed
        self.refuses = None  # a status in the place of pages

    def put(self, name, run, book, final=False):
        self.books[name, run] = list(items(book.head(final)))
        book.items.pop()
        self.leaves.append(witness_book.leaf_bytes(name, run, book.sequence, book.previous))

    def Journal(self, request, context):
        run = request.run or max(run for name, run in self.books if name == request.id)
        said = self.books[request.id, run]
        return computations.JournalResponse(entries=said[request.after:-1], signed_head=said[-1], count=len(said) - 1,
                                            run=run)

    def WitnessLeaves(self, request, context):
        self.paged += 1
        if self.refuses:
            context.abort(self.refuses, "no more")
        page = self.leaves[request.first:request.first + request.count]
        return computations.WitnessLeavesResponse(leaves=self.pages(page, request) if self.pages else page)

    def Witness(self, request, context):
        leaves = self.each(request) if self.each else self.leaves
        signed = witness_book.head(self.key, len(leaves), witness_book.root(leaves), 1700000000123)
        response = computations.WitnessResponse(key=self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo), signed_head=signed)
        if 0 < request.size <= len(leaves):
            response.consistency.extend(witness_book.consistency(request.size, leaves))
        of = [n for n, leaf in enumerate(leaves) if decoded(leaf)[0] == request.id
              and request.run in (0, decoded(leaf)[1]) and n not in self.hidden]
        if of:
            response.proof = encoded([decoded(leaves[of[-1]]), of[-1], witness_book.inclusion(of[-1], leaves), signed])
        for name, change in self.changes.items():
            value = change(getattr(response, name))
            response.ClearField(name)
            if name == "consistency":
                response.consistency.extend(value)
            else:
                setattr(response, name, value)
        return response


@contextlib.contextmanager
def lying():
    """A liar, the calls of a participant who keeps what he sees, and a folder."""
    liar, server = Liar(), grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    computations_grpc.add_ComputationServiceServicer_to_server(liar, server)
    url = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        with Folder() as folder:
            def call(*words, state="state"):
                force = ["--force"] if words[0] == "get" else []
                return cli("journal", *words, *force, COMPUTATIONS_GRPC_URL=url, XDG_STATE_HOME=folder(state))
            yield liar, call, folder
    finally:
        server.stop(None)


def book_of(name, entries=3, end=False):
    book = Writer(statement_of(name))
    for n in range(entries - 1 - end):
        book.add("log", text=f"line {n}", level="INFO")
    if end:
        book.add("end", reason="stopped")
    return book


def refuses(done, words):
    done.refused(3, words)


def an_honest_log_is_followed_and_each_proof_verifies_offline():
    with lying() as (liar, call, folder):
        assert "seen for the first time" in call("witness").ok()
        for n in range(12):
            book = book_of(f"c-{n}", 3 + n, end=n % 2 == 0)
            liar.put(f"c-{n}", 1, book, final=n % 2 == 0)
            said = call("witness").ok()
            assert f"log: {n + 1} heads" in said and f"begins with the {n} that it had" in said, said
            done = call("get", f"c-{n}", "-o", folder(f"j-{n}"), "--witness", folder(f"w-{n}"))
            assert done.status == 0 and f"witnessed: {book.sequence} entries of run 1" in done.err, done
        said = call("witness", "--key-output", folder("key.pem")).ok()
        # In the form of every other key.
        assert f"\nkey: {cli('key', 'fingerprint', folder('key.pem')).ok()}" in said, said
        for n in range(12):
            said = cli("journal", "verify", folder(f"j-{n}"), "--chain-only", "-q", "--witness", folder(f"w-{n}"),
                       "--witness-key", folder("key.pem")).ok()
            assert f"witnessed: {3 + n} entries, as run 1 in a log of {n + 1} heads" in said, said
        said = cli("journal", "verify", folder("j-3"), "--chain-only", "--json", "--witness", folder("w-3"),
                   "--witness-key", folder("key.pem")).json()
        assert said["journal"]["witness"] == {"entries": 6, "run": 1, "size": 4, "time_ms": 1700000000123}, said
        refuses(cli("journal", "verify", folder("j-1"), "--chain-only", "-q", "--witness", folder("w-2"),
                    "--witness-key", folder("key.pem")), "of another computation")
        call("get", "c-1", "-o", folder("j"), "--witness", folder("w"), "--witness-key", folder("key.pem")).ok()
        kept = read(folder("w"))
        call("witness", "c-3", "-o", folder("w"), state="other").refused(1, "is there already", "hint: --force replaces it")
        assert read(folder("w")) == kept
        said = call("witness", "c-3", "-o", folder("w"), "--force", state="other").ok()
        assert "witnessed: 6 entries of run 1, leaf 3" in said, said
        with open(folder("w"), "rb") as file:
            assert witness_book.verify_proof(file.read(), liar.key.public_key())[0][:3] == ["c-3", 1, 6]


def a_log_that_grows_under_an_open_journal_is_followed():
    with lying() as (liar, call, folder):
        book = book_of("c", 2)
        liar.put("c", 1, book)
        call("get", "c", "-o", folder("j"), "--witness", folder("w")).ok()
        for n in range(4):
            book.add("log", text="more", level="INFO")
            liar.put("c", 1, book)
            call("get", "c", "-o", folder("j"), "--witness", folder("w")).ok()
        call("witness", "--key-output", folder("key.pem")).ok()
        # An old proof holds for the longer journal, which goes on from it; a new one does not for a shorter.
        liar.put("c", 1, book)
        call("get", "c", "-o", folder("old"), "--witness", folder("old-w"), state="other").ok()
        book.add("end", reason="stopped")
        liar.put("c", 1, book, final=True)
        call("get", "c", "-o", folder("new"), "--witness", folder("new-w")).ok()
        verify = ["journal", "verify", "--chain-only", "-q", "--witness-key", folder("key.pem"), "--witness"]
        assert "witnessed: 6 entries" in cli(*verify, folder("old-w"), folder("new")).ok()
        refuses(cli(*verify, folder("new-w"), folder("old")), "the journal has 6 entries, and the log says 7")


def a_fork_is_caught_and_so_is_a_shrunken_log():
    with lying() as (liar, call, folder):
        for n in range(5):
            liar.put(f"c-{n}", 1, book_of(f"c-{n}"))
        call("witness").ok()
        liar.changes = {"key": lambda _: b"no key"}
        assert call("witness").status == 3, "one that was seen"
        run = call("witness", state="elsewhere")
        assert run.status == 4 and "refused: the log's key, as the service shows it" in run.err, run.err
        liar.changes = {}
        honest = list(liar.leaves)
        other = witness_book.leaf_bytes("c-3", 1, 3, b"\7" * 32)
        cases = (("forked", honest[:3] + [other] + honest[4:]),
                 ("forked", [honest[1], honest[0]] + honest[2:]),
                 ("forked", honest[:2] + honest[3:] + honest[:2]),
                 ("shrunk", honest[:4]), ("shrunk", []))
        for n, (words, leaves) in enumerate(cases):
            liar.leaves = leaves
            refuses(call("witness"), words)
            refuses(call("get", "c-0", "-o", folder("j"), "--witness", folder("w")), words)
            assert not os.path.exists(folder("j")) and not os.path.exists(folder("w"))
            call("witness", state=f"new-{n}").ok()  # who saw nothing before has nothing to compare
        liar.leaves = honest + honest[:1]
        assert "begins with the 5 that it had" in call("witness").ok()


def another_history_of_a_run_is_caught_although_its_log_only_grew():
    with lying() as (liar, call, folder):
        book = book_of("c", 4)
        liar.put("c", 1, book)
        call("get", "c", "-o", folder("j"), "--witness", folder("w")).ok()
        for entries, words in ((4, "forked"), (3, "had 4 entries"), (6, "another history")):
            kept = list(liar.leaves)
            liar.put("c", 1, book_of("c", entries))  # as well signed, by another key
            refuses(call("get", "c", "-o", folder("new"), "--witness", folder("w-new")), words)
            assert not os.path.exists(folder("new")) and not os.path.exists(folder("w-new"))
            call("get", "c", "-o", folder("stranger"), "--witness", folder("w-stranger"), state=f"s-{entries}").ok()
            liar.leaves = kept
        call("witness", "--key-output", folder("key.pem")).ok()
        # The two who were shown different ones meet.
        refuses(cli("journal", "verify", folder("stranger"), "--chain-only", "-q", "--witness", folder("w"),
                    "--witness-key", folder("key.pem")), "another history")
        # A journal that is not the log's, and the honest twin: one that goes on.
        liar.books["c", 1] = list(items(book_of("c", 5).head()))
        refuses(call("get", "c", "-o", folder("new"), "--witness", folder("w-new")), "another history")
        book.add("end", reason="stopped")
        liar.put("c", 1, book, final=True)
        call("get", "c", "-o", folder("new"), "--witness", folder("w-new")).ok()


def asking_for_a_leaf_alone_forgets_nothing():
    def kept():
        place = folder("state/cocos/witness")
        [name] = [name for name in os.listdir(place) if name != "lock"]
        with open(os.path.join(place, name), "rb") as file:
            return [leaf[2] for leaf in decoded(file.read())[4]]
    with lying() as (liar, call, folder):
        book = book_of("c", 4)
        liar.put("c", 1, book)
        call("get", "c", "-o", folder("j"), "--witness", folder("w")).ok()
        liar.put("c", 1, book_of("c", 6))
        call("witness", "c").ok()  # of another history, as only the journal shows
        call("witness", "c").ok()
        assert kept() == [4, 6], kept()
        refuses(call("get", "c", "-o", folder("new"), "--witness", folder("w-new")), "another history")
        shutil.rmtree(folder("state"))
        liar.leaves = []
        liar.put("c", 1, book)
        call("get", "c", "-o", folder("j"), "--witness", folder("w")).ok()
        for _ in range(2):
            book.add("log", text="more", level="INFO")
            liar.put("c", 1, book)
            call("witness", "c").ok()
        assert kept() == [4, 5, 6], kept()
        call("get", "c", "-o", folder("new"), "--witness", folder("w-new")).ok()
        assert kept() == [6], kept()


def a_run_that_was_seen_is_not_hidden_behind_an_older_one():
    with lying() as (liar, call, folder):
        for run in (1, 2):
            liar.put("c", run, book_of("c"))
        liar.put("d", 1, book_of("d"))
        call("get", "c", "-o", folder("j"), "--witness", folder("w")).ok()
        liar.hidden = {1}
        refuses(call("get", "c", "-o", folder("old"), "--witness", folder("w-old")), "run 1 is shown as the newest")
        assert not os.path.exists(folder("old")) and not os.path.exists(folder("w-old"))
        refuses(call("witness", "c"), "run 1 is shown as the newest")
        call("get", "c", "--run", "1", "-o", folder("old"), "--witness", folder("w-old")).ok()  # asked for by its number
        call("witness", "d").ok()
        call("witness", "c", state="new").ok()  # who saw nothing before has nothing to compare


def other_keys_and_proofs_that_do_not_hold_are_refused():
    with lying() as (liar, call, folder):
        for n in range(3):
            liar.put(f"c-{n}", 1, book_of(f"c-{n}"))
        call("witness", "--key-output", folder("key.pem")).ok()
        other = ec.generate_private_key(ec.SECP256R1())
        key, liar.key = liar.key, other
        refuses(call("witness"), "another than the one that it had")
        refuses(call("witness", "--witness-key", folder("key.pem"), state="new"), "is not that of")
        liar.key = key
        call("witness", "--witness-key", folder("key.pem"), state="new").ok()
        liar.put("c-3", 1, book_of("c-3"))

        def flipped(data):
            return data[:-1] + bytes([data[-1] ^ 1])

        another = list(liar.leaves)
        for name, change in (("signed_head", flipped), ("signed_head", lambda _: b""), ("proof", flipped),
                             ("proof", lambda _: b"\x80"),
                             ("proof", lambda _: witness_book.proof(key, another, 2)),
                             ("proof", lambda _: witness_book.proof(key, another[:2], 1)),
                             ("consistency", lambda _: []), ("consistency", lambda path: path[1:]),
                             ("consistency", lambda path: [b"x"]), ("consistency", lambda path: [bytes(32)] * 34)):
            liar.changes = {name: change}
            done = call("witness", "c-1", "-o", folder("w"))
            assert done.status == 3 and not os.path.exists(folder("w")), (name, done)

        def of_another(place):
            """A right proof of that leaf, under the head that is shown."""
            return lambda data: encoded([decoded(liar.leaves[place]), place,
                                         witness_book.inclusion(place, liar.leaves), decoded(data)[3]])

        liar.put("c-3", 2, book_of("c-3"))
        for words, place in (("c-1", 2), ("c-3", 4), ("c-3", 1)):
            liar.changes = {"proof": of_another(place)}
            done = call("witness", words, "--run", "1", "-o", folder("w"))
            refuses(done, "the proof of another computation's head, or of another run")
            assert not os.path.exists(folder("w")), done
        liar.changes = {"proof": of_another(1)}
        call("witness", "c-1", "--run", "1").ok()
        liar.changes = {}
        call("witness", "c-1", "-o", folder("w")).ok()
        done = call("witness", "c-9")
        done.refused(1, "no head of")
        done = call("witness", "c-1", "--run", "2")
        done.refused(1, "no head of")
        for data, status in ((b"", 4), (b"\x80", 4), (witness_book.proof(other, another, 1), 3)):
            book = book_of("c-1")
            verify = cli("journal", "verify", folder.write("j", book.head()), "--chain-only", "-q", "--witness",
                         folder.write("bad", data), "--witness-key", folder("key.pem"))
            verify.refused(status)


def at_one_moment(liar, call, *shown, later=None):
    """Two calls that have both read what is kept before either keeps what it is shown: a log each. Later questions
    are answered with the longer one, or as `later` says."""
    both, first, lock = threading.Barrier(2, timeout=PATIENCE), list(shown), threading.Lock()

    def each(request):
        with lock:
            leaves = first.pop() if first else None
        if leaves is None:
            return later(request) if later else max(shown, key=len)
        both.wait()
        return leaves
    liar.each = each
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: call("witness"), range(2)))
    liar.each = None
    return done


def two_calls_at_one_moment_are_not_shown_two_logs():
    with lying() as (liar, call, folder):
        for n in range(9):
            liar.put(f"c-{n}", 1, book_of(f"c-{n}"))
        honest = list(liar.leaves)
        other = witness_book.leaf_bytes("c-3", 1, 3, b"\7" * 32)
        for size in (0, 3):  # nothing was seen before; and a log that both begin with
            for n, (one, two) in enumerate(((honest[:5], honest[:4]), (honest[:4], honest[:9]))):
                state = f"honest-{size}-{n}"
                liar.leaves = honest[:size]
                if size:
                    call("witness", state=state).ok()
                for done in at_one_moment(liar, functools.partial(call, state=state), one, two):
                    done.ok()
                liar.leaves = honest
                assert f"begins with the {max(len(one), len(two))} that it had" in call("witness", state=state).ok()
            for n, (one, two) in enumerate((
                    (honest[:5], honest[:3] + [other] + honest[4:9]), (honest[:3] + [other] + honest[4:7], honest[:4]),
                    (honest[:6], honest[:3] + [other] + honest[4:6]))):
                state = f"forked-{size}-{n}"
                liar.leaves = honest[:size]
                if size:
                    call("witness", state=state).ok()
                done = at_one_moment(liar, functools.partial(call, state=state), one, two)
                assert sorted(each.status for each in done) == [0, 3], (size, n, done)
                assert "another log" in done[0].err + done[1].err or "forked" in done[0].err + done[1].err, done
        # Each history goes on as it should, to one size; whoever asks for both sees that they are two.
        logs = {5: honest[:8], 6: honest[:3] + [other] + honest[4:8]}
        done = at_one_moment(liar, functools.partial(call, state="both"), logs[5][:5], logs[6][:6],
                             later=lambda request: logs[request.size])
        assert sorted(each.status for each in done) == [0, 3], done
        assert "another call was shown another one meanwhile" in done[0].err + done[1].err, done


def get_and_follow_compare_with_what_was_seen_and_ask_nothing_of_who_saw_nothing():
    with lying() as (liar, call, folder):
        book = book_of("c", 4)
        liar.put("c", 1, book)
        call("get", "c", "-o", folder("j")).ok()
        assert not os.path.exists(folder("state")), "nobody asked to keep anything"
        call("witness", "c").ok()
        call("get", "c", "-o", folder("j")).ok()
        # Another history of the same run, in a log that only grew; a log that is another; one that is gone.
        honest = list(liar.leaves)
        forged = book_of("c", 4, end=True)
        liar.put("c", 1, forged, final=True)
        for leaves, words in ((liar.leaves, "forked"), (liar.leaves[1:], "forked"), ([], "shrunk")):
            liar.leaves = leaves
            for command in (["get", "c", "-o", folder("new")], ["follow", "c"]):
                done = call(*command)
                refuses(done, words)
                assert not os.path.exists(folder("new")) and not done.out, done
        liar.leaves = honest  # the log that was seen, and a journal that is not its
        for command in (["get", "c", "-o", folder("new")], ["follow", "c"]):
            refuses(call(*command), "another history")
        assert "stopped" in call("follow", "c", state="stranger").ok()
        call("witness", "--key-output", folder("key.pem")).ok()
        for command in (["get", "c", "-o", folder("new")], ["follow", "c"]):  # who names the key asks, too
            refuses(call(*command, "--witness-key", folder("key.pem"), state="stranger-2"), "another history")
        # What it had it still has.
        liar.changes = {"proof": lambda _: b""}
        refuses(call("get", "c", "-o", folder("newer")), "shows none of it")
        liar.changes = {}
        # The honest twin: it goes on, to its end.
        book.add("end", reason="stopped")
        liar.put("c", 1, book, final=True)
        for command in (["get", "c", "-o", folder("newer")], ["follow", "c"]):
            call(*command).ok()
        liar.leaves = honest[:1]
        refuses(call("follow", "c"), "shrunk")


def in_turn(liar, *logs):
    """It shows one after the other, and then the last one."""
    left = list(logs)
    liar.each = lambda _: left.pop(0) if len(left) > 1 else left[0]


def a_journal_is_not_kept_out_of_the_log():
    """Else nothing would ever show that this participant had another history than the others, or another end. The
    twins: a journal that has no entry yet, one that begins and one that ends after the log was asked."""
    with lying() as (liar, call, folder):
        new, states = folder("new"), ("state", "other")
        commands = (["get", "c", "-o", new], ["follow", "c"])
        for state in states:
            call("witness", state=state).ok()
        liar.books["c", 1] = [b""]
        call(*commands[0]).refused(1, "no journal of this computation yet")
        book = book_of("c", 4)
        liar.books["c", 1] = list(items(book.head()))
        book.items.pop()
        for command in commands:
            done = call(*command)
            refuses(done, "the open journal has 4 entries, and the service's log has no such head of it")
            assert not os.path.exists(new) and not done.out, done
        liar.put("c", 1, book)
        begun = list(liar.leaves)
        for state in states:
            in_turn(liar, [], begun)
            call(*commands[0], state=state).ok()
            os.unlink(new)
        book.add("end", reason="stopped")
        liar.put("c", 1, book, final=True)
        for command in commands:
            in_turn(liar, begun)
            done = call(*command)
            refuses(done, "the closed journal has 5 entries, and the service's log has no such head of it")
            assert not os.path.exists(new) and not done.out, done
        for command, state in zip(commands, states):
            in_turn(liar, begun, liar.leaves)
            call(*command, state=state).ok()


def what_is_kept_is_private_bounded_and_never_guessed():
    with lying() as (liar, call, folder):
        liar.put("c", 1, book_of("c"))
        call("witness", "c").ok()
        place = folder("state/cocos/witness")
        [name] = [name for name in os.listdir(place) if name != "lock"]
        path = os.path.join(place, name)
        assert os.stat(path).st_mode & 0o777 == 0o600 and os.stat(place).st_mode & 0o777 == 0o700
        with open(path, "rb") as file:
            data = file.read()
        form, address, key, signed, leaves = decoded(data)
        assert form == 1 and [encoded(leaf) for leaf in leaves] == liar.leaves, leaves
        for wrong in (b"", data[:-1], data + b"\0", encoded([2, address, key, signed, leaves]),
                      encoded([1, "elsewhere", key, signed, leaves]), encoded([1, address, key, b"", leaves]),
                      encoded([1, address, key, signed, leaves * 257])):
            with open(path, "wb") as file:
                file.write(wrong)
            done = call("witness")
            done.refused(2, path)
        with open(path, "wb") as file:
            file.write(encoded([1, address, key, signed, [["old", n + 1, 1, bytes(32)] for n in range(256)]]))
        call("witness", "c").ok()
        with open(path, "rb") as file:
            leaves = decoded(file.read())[4]
        assert len(leaves) == 256 and leaves[0][1] == 2 and encoded(leaves[-1]) == liar.leaves[0], leaves[:2]
        done = cli("journal", "witness", COMPUTATIONS_GRPC_URL=address)
        done.refused(2, "XDG_STATE_HOME")
        done = cli("journal", "witness", COMPUTATIONS_GRPC_URL=address, HOME=folder("home"))
        assert done.status == 0 and os.listdir(folder("home/.local/state/cocos/witness")), done


def a_service_whose_database_was_put_back_is_caught():
    with Folder() as folder:
        def call(*words):
            force = ["--force"] if words[0] == "get" else []
            return cli("journal", *words, *force, COMPUTATIONS_GRPC_URL="unix:" + folder("admin.sock"),
                       XDG_STATE_HOME=folder("seen"))

        def session(name, entries):
            with Computations(folder) as service:
                bench = Bench(service)
                try:
                    bench.bring(bench.begin(name), name, book_of(name, entries), leaf=1)
                    return call("get", name, "-o", folder(name), "--witness", folder(name + ".witness"))
                finally:
                    bench.close()

        session("a", 2).ok()
        shutil.copytree(folder("state"), folder("before"))
        session("b", 2).ok()
        shutil.rmtree(folder("state"))
        shutil.copytree(folder("before"), folder("state"))
        with Computations(folder):
            refuses(call("witness"), "shrunk")
        refuses(session("b", 3), "forked")  # b has another history now, in a log of that size
        refuses(session("c", 3), "forked")
        assert not os.path.exists(folder("c"))


def options_that_do_nothing_are_refused():
    for words, why in ((["witness", "--run", "1"], "of which computation"),
                       (["witness", "-o", "/none"], "of which computation"), (["witness", "c", "--run", "0"], "from 1 on"),
                       (["verify", "/none", "--witness", "/none"], "both or neither"),
                       (["verify", "/none", "--witness-key", "/none"], "both or neither")):
        done = cli("journal", *words)
        done.refused(2, why)


if __name__ == "__main__":
    tap.run([each_first_and_final_head_is_proven, the_log_outlives_the_service_and_its_computations,
             what_is_no_head_is_not_taken, the_journal_of_a_run_before_is_nobody_elses,
             an_honest_log_is_followed_and_each_proof_verifies_offline,
             a_log_that_grows_under_an_open_journal_is_followed, a_fork_is_caught_and_so_is_a_shrunken_log,
             another_history_of_a_run_is_caught_although_its_log_only_grew,
             asking_for_a_leaf_alone_forgets_nothing, a_run_that_was_seen_is_not_hidden_behind_an_older_one,
             other_keys_and_proofs_that_do_not_hold_are_refused, two_calls_at_one_moment_are_not_shown_two_logs,
             get_and_follow_compare_with_what_was_seen_and_ask_nothing_of_who_saw_nothing,
             a_journal_is_not_kept_out_of_the_log,
             what_is_kept_is_private_bounded_and_never_guessed,
             a_service_whose_database_was_put_back_is_caught, options_that_do_nothing_are_refused])
