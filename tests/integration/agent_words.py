# SPDX-License-Identifier: Apache-2.0
"""Who sees what the algorithm writes, and why it failed: by the manifest's word `logs`, against a real agent.
What counts for the others is each byte that the service, the agent's console and strangers got."""
import base64
import contextlib
import hashlib
import os
import re

import grpc

import agent_job
import tap
from agent_job import (ALGO_KEY, DATA_KEY, IRIS, OTHER_KEY, USER_KEY, computing, manifest, unzip)
from agent_journal import Keeper, entries_of, ours
from agent_peer import WAIT, agent_pb2, refused, sha3
from harness import Folder, cli
from cryptography.hazmat.primitives import serialization

Code = grpc.StatusCode
SECRET = "patient-4711"
TELLS = f"#!/bin/sh\ncat datasets/* >results/all\necho 'out {SECRET}'\necho 'err {SECRET}' >&2\n".encode()
FAILS = TELLS + b"exit 3\n"
EVERYBODY = {"provider": ALGO_KEY, "owner": DATA_KEY, "consumer": USER_KEY, "stranger": OTHER_KEY}
SHOWN = {"": {"provider", "owner", "consumer"}, "all": {"provider", "owner", "consumer"},
         "consumers": {"consumer"}, "provider": {"provider"}}


def proof(client, method, key):
    return client.proof_metadata("participant", method, key, None, [],
                                 [("proof-key", base64.b64encode(key.spki).decode())])


def log_of(client, key):
    return client.stub.Log(agent_pb2.LogRequest(), metadata=proof(client, "Log", key), timeout=WAIT).log.decode()


def status_of(client, key):
    return client.stub.Status(agent_pb2.StatusRequest(), metadata=proof(client, "Status", key), timeout=WAIT)


@contextlib.contextmanager
def ended(logs, algo, event):
    """The run of an algorithm is over, and all that the agent had to say has been said."""
    def make(port):
        m = manifest(port, algo=algo)
        if logs:
            m.cocos.logs = logs
        return m
    with computing(make) as (service, agent, client):
        client.algo(algo, ALGO_KEY)
        client.data(IRIS, DATA_KEY, "iris.csv")
        service.wait_event(event)
        service.catch_up()
        yield service, agent, client


def sent(service):
    """Every byte that the service was sent."""
    return b"".join(message.SerializeToString() for message in service.messages)


def said(service):
    return sent(service).decode("utf-8", "replace")


@contextlib.contextmanager
def journals_are_kept():
    stock, agent_job.Service = agent_job.Service, Keeper
    try:
        yield
    finally:
        agent_job.Service = stock


def the_log_goes_to_whom_the_manifest_names():
    for logs, shown in SHOWN.items():
        with ended(logs, TELLS, "ConsumingResults/Ready") as (service, agent, client):
            assert (SECRET in said(service)) == (logs in ("", "all")), (logs, said(service))
            assert SECRET not in agent.output(), agent.output()
            for who, key in EVERYBODY.items():
                if who in shown:
                    assert sorted(log_of(client, key).splitlines()) == [f"err {SECRET}", f"out {SECRET}"], (logs, who)
                else:
                    refused(Code.PERMISSION_DENIED, "not signed by", log_of, client, key)
            result = unzip(client.result(USER_KEY))
            assert ("log.txt" in result) == (logs == "consumers"), (logs, result.keys())
            if logs == "consumers":
                assert sorted(result["log.txt"].decode().splitlines()) == [f"err {SECRET}", f"out {SECRET}"], result


def results_are_the_participants_alone():
    """Results of few possible values are guessed by a digest, and some by their size."""
    algo = b"#!/bin/sh\nhead -c 300000 /dev/urandom >results/all\n"  # of a size that nothing else has
    for logs in SHOWN:
        with journals_are_kept(), Folder() as folder, ended(logs, algo, "ConsumingResults/Ready") as (service, _, client):
            told = client.status().result_size
            result = client.result(USER_KEY)
            service.wait(lambda s: s.is_closed())
            bytes_, shown = sent(service), logs in ("", "all")
            # Both who verify it take a journal without the entry.
            kinds = [entry[3] for entry in entries_of(service)]
            assert kinds.count("results") == shown and kinds[-1] == "end", (logs, kinds)
            done = ours(folder.write("journal", service.file()), "--chain-only")
            assert done.returncode == 0 and "\nclosed: " in done.stdout, done.stdout + done.stderr
        size = len(result)
        assert told == (size if shown else 0), (logs, told)
        assert size > 300000 and (sha3(result) in bytes_) == (b"\x1a" + size.to_bytes(4, "big") in bytes_) == shown, logs
        for other in (hashlib.sha256(result).digest(), size.to_bytes(8, "little"), str(size).encode()):
            assert other not in bytes_, (logs, other)
        for text in (sha3(result).hex(), hashlib.sha256(result).hexdigest()):
            assert text.encode() not in bytes_.lower() and base64.b64encode(bytes.fromhex(text)) not in bytes_, logs


def a_failure_is_told_to_whom_the_manifest_names():
    for logs, shown in SHOWN.items():
        with ended(logs, FAILS, "Failed/Failed") as (service, agent, client):
            public = logs in ("", "all")
            assert (SECRET in said(service)) == public and ("exit code 3" in said(service)) == public, (logs, said(service))
            assert ("exit code 3" in agent.output()) == public and SECRET not in agent.output(), agent.output()
            anybody = client.status()
            assert ("exit code 3" in anybody.failure) == public, (logs, anybody)
            assert (SECRET in anybody.last_lines) == public, (logs, anybody)
            if not public:
                names = {"consumers": "the consumers", "provider": "the algorithm's provider"}[logs]
                assert f"shows why to {names} alone" in anybody.failure and not anybody.last_lines, anybody
            for who, key in EVERYBODY.items():
                if who in shown:
                    status = status_of(client, key)
                    assert "exit code 3" in status.failure and f"err {SECRET}\n" in status.last_lines, (logs, who, status)
                    assert f"out {SECRET}" in log_of(client, key)
                else:
                    refused(Code.PERMISSION_DENIED, "not signed by", status_of, client, key)
                    refused(Code.PERMISSION_DENIED, "not signed by", log_of, client, key)
            refused(Code.FAILED_PRECONDITION, "Failed", client.result, USER_KEY)


def names_in_results_are_words_too():
    """A cause that quotes a name from results/ would tell the service what the algorithm chose."""
    algo = f"#!/bin/sh\nln -s /dev/null 'results/{SECRET}'\n".encode()
    for logs in ("consumers", "all"):
        with ended(logs, algo, "Failed/Failed") as (service, agent, client):
            for heard in (said(service), agent.output(), client.status().failure):
                assert (SECRET in heard) == (logs == "all"), (logs, heard)
            assert SECRET in status_of(client, USER_KEY).failure


def a_log_of_the_algorithms_own_stays():
    algo = b"#!/bin/sh\necho mine >results/log.txt\nmkdir results/log_1.txt\necho sub >results/log_1.txt/x\necho said\n"
    with ended("consumers", algo, "ConsumingResults/Ready") as (_, _, client):
        result = unzip(client.result(USER_KEY))
        assert result == {"log.txt": b"mine\n", "log_1.txt/x": b"sub\n", "log_2.txt": b"said\n"}, result


def a_long_log_keeps_its_ends():
    """In fewer lines than a second may have, however slowly they are read."""
    algo = b"#!/bin/sh\necho first\ni=0\nx=$(printf '%04000d' 0)\nwhile [ $i -lt 400 ]; do echo $i$x; i=$((i+1)); done\necho last\n"
    with ended("consumers", algo, "ConsumingResults/Ready") as (_, _, client):
        text = unzip(client.result(USER_KEY))["log.txt"].decode()
    assert text.startswith("first\n0") and text.endswith("\nlast\n"), (text[:40], text[-40:])
    assert len(text) <= (1 << 20) + 200 and " bytes and 0 lines are left out here]" in text, len(text)


def nothing_is_shown_before_the_end():
    algo = b"#!/bin/sh\nsleep 1000\n"
    with computing(lambda port: manifest(port, algo=algo, datasets=[])) as (service, _, client):
        refused(Code.FAILED_PRECONDITION, "has not ended", log_of, client, USER_KEY)
        client.algo(algo, ALGO_KEY)
        service.wait_event("Running/InProgress")
        refused(Code.FAILED_PRECONDITION, "has not ended", log_of, client, USER_KEY)


def a_key_that_is_only_named_opens_nothing():
    with ended("consumers", FAILS, "Failed/Failed") as (_, _, client):
        for method, call, request in (("Log", client.stub.Log, agent_pb2.LogRequest()),
                                      ("Status", client.stub.Status, agent_pb2.StatusRequest())):
            named = [("proof-key", base64.b64encode(USER_KEY.spki).decode())]
            strangers = client.proof_metadata("participant", method, OTHER_KEY, None, [], named)
            refused(Code.PERMISSION_DENIED, "does not hold", lambda: call(request, metadata=strangers, timeout=WAIT))  # noqa: B023
            nameless = client.proof_metadata("participant", method, USER_KEY, None, [])
            refused(Code.PERMISSION_DENIED, "not signed", lambda: call(request, metadata=nameless, timeout=WAIT))  # noqa: B023
            consumers = client.proof_metadata("consumer", method, USER_KEY, None, [], named)
            refused(Code.PERMISSION_DENIED, "participant", lambda: call(request, metadata=consumers, timeout=WAIT))  # noqa: B023
            once = proof(client, method, USER_KEY)
            call(request, metadata=once, timeout=WAIT)
            refused(Code.PERMISSION_DENIED, "challenge", lambda: call(request, metadata=once, timeout=WAIT))  # noqa: B023
        refused(Code.UNAUTHENTICATED, "user-id", lambda: client.stub.Log(agent_pb2.LogRequest(), timeout=WAIT))
        # A signature over the role alone, which a development agent takes elsewhere.
        alone = client.role_metadata("participant", USER_KEY, [("proof-key", base64.b64encode(USER_KEY.spki).decode())])
        refused(Code.PERMISSION_DENIED, "role alone",
                lambda: client.stub.Log(agent_pb2.LogRequest(), metadata=alone, timeout=WAIT))


def the_command_line_shows_it():
    with Folder() as folder, ended("consumers", FAILS, "Failed/Failed") as (_, _, client):
        url = f"127.0.0.1:{client.port}"
        for name, key in EVERYBODY.items():
            with open(folder(name + ".pem"), "wb") as file:
                file.write(key.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                 serialization.NoEncryption()))
            os.chmod(folder(name + ".pem"), 0o600)

        def run(*words):
            return cli(*words, AGENT_GRPC_URL=url)
        assert sorted(run("logs", folder("consumer.pem")).ok().splitlines()) == [f"err {SECRET}", f"out {SECRET}"]
        for who in ("provider", "owner", "stranger"):
            run("logs", folder(who + ".pem")).refused(1, "not signed by a consumer")
            run("status", folder(who + ".pem")).refused(1, "not signed by a consumer")
        for words in ("logs", "status"):
            run(words, folder("owner.pem")).refused(1, "hint: who sees what the algorithm writes", "without a key")
        anybody, consumer = run("status").ok(), run("status", folder("consumer.pem")).ok()
        assert "to the consumers alone" in re.sub(r'"\n +"', "", anybody) and SECRET not in anybody, anybody
        assert "exit code 3" in consumer and f"| err {SECRET}\n" in consumer, consumer
        assert f"err {SECRET}\n" in run("status", "--json", folder("consumer.pem")).json()["last_lines"]
        assert "last_lines" not in run("status", "--json").json()


if __name__ == "__main__":
    tap.run([the_log_goes_to_whom_the_manifest_names, results_are_the_participants_alone,
             a_failure_is_told_to_whom_the_manifest_names,
             names_in_results_are_words_too, a_log_of_the_algorithms_own_stays, a_long_log_keeps_its_ends,
             nothing_is_shown_before_the_end, a_key_that_is_only_named_opens_nothing, the_command_line_shows_it])
