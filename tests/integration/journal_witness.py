#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The service's log of journals' heads, beside the one that witness_book.py computes from its leaves."""
import os

import grpc
from cryptography.hazmat.primitives import serialization

import tap
import witness_book
from harness import PATIENCE, Computations, FakeAgent, Folder, computations, cvms, spki
from journal_book import Writer, encoded, items

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
            id=name, name="test", algorithm=cvms.Algorithm(hash=b"a" * 32, userKey=KEY),
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
        stopped = Computations(folder)
        try:
            stopped.start()
            raise AssertionError("it starts without the log's key")
        except AssertionError as error:
            assert "bring it back" in stopped.process.text(), (error, stopped.process.text())
        finally:
            stopped.process.finish()
        os.rename(folder("elsewhere"), path)
        with Computations(folder) as service:
            bench.service = service
            assert check(bench) == before


def what_is_no_head_becomes_no_leaf():
    with Folder() as folder, Computations(folder) as service:
        bench = Bench(service)
        try:
            agent = bench.begin("c")
            book = Writer(statement_of("c"))
            book.head(count=7)
            agent.say(journal_entries=cvms.JournalEntries(computation_id="c", first=1, entries=book.items[:1],
                                                          signed_head=book.items[1]))
            assert agent.next("journal_ack").count == 1  # kept, as it came
            assert check(bench)[0] == 0
            service.process.wait_line("a head of its journal is none, and in no log: it is over other entries")
        finally:
            bench.close()


if __name__ == "__main__":
    tap.run([each_first_and_final_head_is_proven, the_log_outlives_the_service_and_its_computations,
             what_is_no_head_becomes_no_leaf])
