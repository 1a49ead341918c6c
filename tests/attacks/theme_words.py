# SPDX-License-Identifier: Apache-2.0
"""Against a real agent: who wants to hear what an algorithm says of others' data, though the manifest shows it to
somebody else. What counts as gained is each byte of it that the attacker holds."""
import base64
import contextlib

from agent_job import ALGO_KEY, DATA_KEY, IRIS, OTHER_KEY, USER_KEY, computing, manifest
from agent_peer import WAIT, agent_pb2
from rows import Outcome, row
from theme_parties import told

SECRET = "patient-4711"
FAILS = f"#!/bin/sh\necho '{SECRET}' >&2\nexit 1\n".encode()


@contextlib.contextmanager
def failed(logs, algo=FAILS):
    """An agent whose run has failed, under a manifest with that word."""
    def make(port):
        m = manifest(port, algo=algo)
        m.cocos.logs = logs
        return m
    with computing(make) as (service, agent, client):
        client.algo(algo, ALGO_KEY)
        client.data(IRIS, DATA_KEY, "iris.csv")
        service.wait_event("Failed/Failed")
        service.catch_up()
        yield service, agent, client


def log_of(client, signer, named=None, role="participant"):
    """Log, signed by one key, with perhaps another one named; and how much of the secret came."""
    metadata = client.proof_metadata(role, "Log", signer, None, [],
                                     [("proof-key", base64.b64encode((named or signer).spki).decode())])
    return told(lambda: client.stub.Log(agent_pb2.LogRequest(), metadata=metadata, timeout=WAIT).log,
                lambda log: (log or b"").decode().count(SECRET))


def heard(text, words):
    """What somebody was told unasked: nothing of it is a refusal."""
    return Outcome(SECRET in text, words if SECRET not in text else "", text.count(SECRET))


@row("log-for-a-stranger", "does not name your key")
def log_for_a_stranger(evil):
    """Somebody who reaches the agent's port asks for what the algorithm wrote."""
    with failed("consumers") as (_, _, client):
        return log_of(client, OTHER_KEY if evil else USER_KEY)


@row("log-for-the-algorithms-provider", "by the manifest your key is for the algorithm")
def log_for_the_provider(evil):
    """Who wrote the algorithm has it print what he should not see; the manifest shows that to consumers."""
    with failed("consumers" if evil else "provider") as (_, _, client):
        return log_of(client, ALGO_KEY)


@row("log-for-a-consumer", "by the manifest your key is for results")
def log_for_a_consumer(evil):
    """A consumer asks for what the manifest shows to the algorithm's provider alone."""
    with failed("provider" if evil else "consumers") as (_, _, client):
        return log_of(client, USER_KEY)


@row("log-under-a-borrowed-key", "does not hold under the key")
def log_under_a_borrowed_key(evil):
    """A stranger names a consumer's public key, which is no secret, beside a signature of his own."""
    with failed("consumers") as (_, _, client):
        return log_of(client, OTHER_KEY if evil else USER_KEY, USER_KEY)


@row("log-with-the-proof-of-a-result", "this call is for the role participant")
def log_with_another_role(evil):
    """A consumer's signature for results, which somebody has seen, is shown for the log."""
    with failed("consumers") as (_, _, client):
        return log_of(client, USER_KEY, role="consumer" if evil else "participant")


@row("words-for-the-computation-service", "shows why to the consumers alone")
def words_for_the_service(evil):
    """The service looks for what the algorithm wrote in everything that an agent ever tells it."""
    with failed("consumers" if evil else "all") as (service, _, client):
        return heard(b"".join(m.SerializeToString() for m in service.messages).decode("utf-8", "replace"),
                     client.status().failure)


@row("words-in-a-files-name", "shows why to the consumers alone")
def words_in_a_name(evil):
    """An algorithm writes them into the name of a link in results/, which the reason of its failure quotes."""
    algo = f"#!/bin/sh\nln -s /dev/null 'results/{SECRET}'\n".encode()
    with failed("consumers" if evil else "all", algo) as (service, agent, client):
        return heard(b"".join(m.SerializeToString() for m in service.messages).decode("utf-8", "replace") +
                     agent.output(), client.status().failure)
