#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The agent's journal as a service that keeps journals gets it, by journal_book.py: whole through broken connections,
with everything in it that happened; and nothing of it for a service that did not offer to keep it."""
import contextlib
import hashlib
import json
import subprocess
import time

import cbor2

import agent_evidence
import tap
from agent_evidence import Verifier, fixed_at_launch, tee_policy
from agent_job import ALGO_KEY, DATA_KEY, IRIS, SUM, USER_KEY, manifest
from agent_peer import WAIT, Agent, Client, Service, cvms_pb2, free_port, sha3, zip_of
from agent_tpm import canonical
from harness import NO, Folder, program
from evidence_book import accept
from journal_book import digest_of, encoded, evidence, verify

COUNT = 300
LINES = b"#!/bin/sh\ni=0; while [ $i -lt %d ]; do echo line $i; i=$((i + 1)); done; echo x > results/out\n" % COUNT


class Keeper(Service):
    """Keeps journals; as long as cuts are left, ends the stream in place of acknowledging. An older one (not `named`)
    names no run."""

    def __init__(self, named=True):
        self.journal, self.head, self.cuts, self.batches, self.named = [], None, 0, 0, named
        self.elsewhere = False  # what it acknowledges is another run's
        super().__init__()

    def Process(self, request_iterator, context):
        context.send_initial_metadata((("cocos-journal", "1"),))
        yield from super().Process(request_iterator, context)

    def _listen(self, request_iterator, outgoing):
        try:
            for message in request_iterator:
                with self.changed:
                    self.messages.append(message)
                    self.changed.notify_all()
                    if message.WhichOneof("message") == "journal_entries" and \
                            not self._keep(message.journal_entries, outgoing):
                        break
        except Exception:  # pylint: disable=broad-except
            pass
        outgoing.put(None)

    def _keep(self, batch, outgoing):
        have = len(self.journal)
        first = (self.journal + list(batch.entries))[0]
        assert batch.run == digest_of(1, bytes(32), first), "a part of another run"
        assert batch.first <= have + 1, (batch.first, have)
        if batch.first == have + 1:
            self.journal += batch.entries
            self.head = batch.signed_head
        self.batches += 1
        if self.cuts:
            self.cuts -= 1
            return False  # the acknowledgement is lost
        run = b"elsewhere".ljust(32) if self.elsewhere else batch.run if self.named else b""
        outgoing.put(cvms_pb2.ServerStreamMessage(journal_ack=cvms_pb2.JournalAck(
            computation_id=batch.computation_id, count=len(self.journal), run=run)))
        return True

    def file(self):
        with self.changed:  # a head is of the entries that came with it
            return b"".join(encoded(item) for item in self.journal + [self.head])

    def is_closed(self):
        return bool(self.journal) and cbor2.loads(self.journal[-1])[3] == "end" and \
            verify(self.file())[1]


def entries_of(service):
    return verify(service.file())[0]


def reach(client, state, seconds=120):
    end = time.monotonic() + seconds
    while (status := client.status()).state != state:
        assert time.monotonic() < end, status
        time.sleep(0.05)


@contextlib.contextmanager
def computing(service, algorithm, state="ConsumingResults", cuts=0, requirements=b"", **more):
    """An agent with that manifest's algorithm run, a Python program's with those requirements; the manifest, and a client that has not fetched the results. Events
    are no sign of it: what was on its way to a stream that is cut is lost, all but the journal."""
    port = free_port()
    m = manifest(port, algo=algorithm, **more)
    agent = Agent(service)
    client = None
    try:
        service.wait_connected()
        service.send(runReq=m)
        assert service.answer_to_run().error == ""
        with service.changed:
            service.cuts = cuts
        client = Client(port)
        client.algo(algorithm, ALGO_KEY, requirements, [("algo_type", "python")] if requirements else ())
        client.data(IRIS, DATA_KEY, "iris.csv")
        reach(client, state)
        yield m, client, agent
    finally:
        if client:
            client.close()
        agent.remove()
        service.stop()


def ours(path, *options):
    return subprocess.run([program("cocos-cli"), "journal", "verify", path, *options], capture_output=True,
                          text=True, timeout=WAIT, check=False)


def all_that_happened_is_in_it():
    service = Keeper()
    with computing(service, SUM) as (m, client, _), Folder() as folder:
        results = client.result(USER_KEY)
        service.wait(lambda s: s.is_closed())
        entries = entries_of(service)
        path = folder.write("journal", service.file())
        assert "closed: " in ours(path, "--chain-only").stdout
        done = ours(path)
        assert done.returncode == 3 and "no evidence in it" in done.stderr, done.stderr
    kinds = [e[3] for e in entries]
    assert kinds[:2] == ["start", "no-evidence"] and kinds[-1] == "end", kinds
    assert entries[0][4]["manifest"] == sha3(canonical(m)) and entries[0][4]["computation"] == "c-1"
    of = {kind: [e[4] for e in entries if e[3] == kind] for kind in kinds}
    events = [f"{e['type']}/{e['status']}" for e in of["event"]]
    assert events == service.events(), events
    assert of["algorithm"] == [{"key": sha3(ALGO_KEY.spki), "size": len(SUM), "digest": sha3(SUM)}]
    assert of["dataset"] == [{"key": sha3(DATA_KEY.spki), "name": "iris.csv", "size": len(IRIS), "digest": sha3(IRIS)}]
    assert {"text": "reading datasets", "stream": 1} in of["output"], of["output"]
    assert {"text": "a complaint", "stream": 2} in of["output"]
    assert of["exit"] == [{"ok": True, "cause": of["exit"][0]["cause"]}] and len(of["limits"]) == 1
    assert of["results"] == [{"size": len(results), "digest": sha3(results)}]
    assert of["delivery"] == [{"key": sha3(USER_KEY.spki)}]
    assert of["end"] == [{"reason": "complete"}]


def an_algorithm_is_named_with_its_requirements():
    """A file of them, or a bundle: the digest is of all that came in their place."""
    program_of_it = b"import cbor2\nopen('results/out', 'wb').write(cbor2.dumps(1))\n"
    for requirements in (b"cbor2\n", zip_of([("requirements.txt", b"cbor2\n"), ("requirements.lock", b"")])):
        service = Keeper()
        with computing(service, program_of_it, requirements=requirements) as (_, client, __):
            client.result(USER_KEY)
            service.wait(lambda s: s.is_closed())
            said = [e[4] for e in entries_of(service) if e[3] == "algorithm"]
        assert said == [{"key": sha3(ALGO_KEY.spki), "size": len(program_of_it), "digest": sha3(program_of_it),
                         "requirements": sha3(requirements)}], said


def pass_broken_connections(named):
    service = Keeper(named)
    with computing(service, LINES, cuts=4) as (_, client, __):
        client.result(USER_KEY)
        service.wait(lambda s: s.cuts == 0 and s.is_closed(), 120)
        entries = entries_of(service)
        assert service.connections >= 5
    lines = [e[4]["text"] for e in entries if e[3] == "output"]
    left_out = sum(e[4]["count"] for e in entries if e[3] == "left-out")
    wanted = [f"line {n}" for n in range(COUNT)]
    assert len(lines) + left_out == COUNT and [line for line in wanted if line in set(lines)] == lines


def lines_pass_broken_connections():
    """The chain is what tells; that of 100 cuts is tests/unit/agent/journal/test_journal.c."""
    pass_broken_connections(True)


def an_older_service_names_no_run():
    pass_broken_connections(False)


def an_acknowledgement_of_another_run_is_none():
    """All of it comes again on the next connection, from its first entry on."""
    service = Keeper()
    service.elsewhere = True
    with computing(service, SUM) as (_, client, __):
        client.result(USER_KEY)
        service.wait(lambda s: s.is_closed())
        whole, batches = list(service.journal), service.batches
        with service.changed:
            service.journal, service.elsewhere = [], False
        service.outgoing.put(None)
        service.wait(lambda s: s.is_closed())
        assert service.journal == whole and service.batches == 2 * batches, (service.batches, batches)


def lines_that_the_service_may_not_see_are_not_in_it():
    service = Keeper()
    with computing(service, SUM + b"exit 3\n", "Failed", cocos=cvms_pb2.Extension(logs="consumers")) as \
            (_, __, ___):
        service.send(stopComputation=cvms_pb2.StopComputation(computation_id="c-1"))
        service.wait(lambda s: s.is_closed())
        entries = entries_of(service)
    assert not [e for e in entries if e[3] == "output"]
    assert b"complaint" not in service.file() and b"reading" not in service.file()
    assert [e[4] for e in entries if e[3] == "exit"] == [{"ok": False, "cause": "the manifest does not show it"}]


def a_stop_ends_it_and_the_next_has_its_own():
    service = Keeper()
    with computing(service, SUM) as (m, _, __):
        service.send(stopComputation=cvms_pb2.StopComputation(computation_id="c-1"))
        service.wait(lambda s: s.is_closed())
        first = entries_of(service)
        assert first[-1][4] == {"reason": "stopped"}
        service.journal = []
        service.send(runReq=m)
        assert service.answer_to_run(1).error == ""
        service.wait(lambda s: len(s.journal) >= 2)
        second = entries_of(service)
    assert cbor2.loads(first[0][4]["statement"])[9] != cbor2.loads(second[0][4]["statement"])[9]


def a_stock_service_gets_none_of_it():
    service = Service()
    with computing(service, SUM) as (_, client, __):
        client.result(USER_KEY)
        service.wait_event("Complete/Completed")
        service.catch_up()
        assert not service.of("journal_entries") and "a complaint" in service.log_text()


def with_evidence_it_verifies_alone():
    agent_evidence.Service = Keeper
    with Folder() as folder:
        for tee, m in fixed_at_launch(folder, "snp", hashlib.sha3_256):
            m.service.wait(lambda s: any(cbor2.loads(e)[3] == "evidence" for e in s.journal))
            path = folder.write("journal", m.service.file())
            said, run = evidence(entries_of(m.service))
            accept(run, sha3(canonical(m.manifest)), ("development",))
            assert said["measurement"].hex() == tee.facts["measurement"] and run[6] and said["host_data"] == run[2]
            v = Verifier(folder, m, tee_policy(tee, fixed_boot=True))
            options = ["--offline", "--manifest", v.manifest, "--trusted_root", tee.root, *tee.endorsement_options]
            done = ours(path, "--policy", v.policy, *options)
            assert done.returncode == 0 and "verified: signed by" in done.stdout, done.stdout + done.stderr
            assert f"measurement: {tee.facts['measurement']}" in done.stdout, done.stdout
            said = json.loads(ours(path, "--policy", v.policy, "--json", *options).stdout)
            assert said["verdict"].endswith("verified") and said["checks"], said
            for name in ("computation", "manifest"):
                assert said["journal"][name] == said["claims"]["run"][name], said
            done = ours(path, *options)
            assert done.returncode in NO and "refused" in done.stdout, done.stdout
            tee.facts["measurement"] = "11" * 48
            other = Verifier(folder, m, tee_policy(tee, fixed_boot=True))
            done = ours(path, "--policy", other.policy, *options)
            assert done.returncode in NO and "policy.measurement" in done.stdout, done.stdout
            done = ours(path, "--policy", other.policy, "--json", *options)
            said = json.loads(done.stdout)
            assert done.returncode in NO and said["verdict"].endswith("refused"), said
            assert "measurement" in said["reason"], said


if __name__ == "__main__":
    tap.run([all_that_happened_is_in_it, an_algorithm_is_named_with_its_requirements, lines_pass_broken_connections,
             an_older_service_names_no_run, an_acknowledgement_of_another_run_is_none,
             lines_that_the_service_may_not_see_are_not_in_it, a_stop_ends_it_and_the_next_has_its_own,
             a_stock_service_gets_none_of_it, with_evidence_it_verifies_alone])
