# SPDX-License-Identifier: Apache-2.0
"""The agent's main job on the host, and every refusal by name, against independent peers."""
import base64
import concurrent.futures
import contextlib
import os
import signal
import socket
import stat
import subprocess
import time
import zipfile
import io

import grpc

import tap
from agent_peer import (AGENT, Agent, Authority, Client, Key, Service, agent_pb2, algorithm,
                        cvms_pb2, dataset, free_port, refused, sha3, zip_of, WAIT)
from harness import until

Code = grpc.StatusCode
ALGO_KEY, DATA_KEY, USER_KEY, OTHER_KEY = (Key(), Key("ed25519"), Key("rsa"), Key())
IRIS = b"sepal,petal\n5.1,1.4\n"
SUM = b"""#!/bin/sh
set -e
echo "reading datasets"
echo "a complaint" >&2
cat datasets/* > results/all.txt
echo "$@" > results/args.txt
"""

NORMAL = ["ReceivingAlgorithm/InProgress", "ReceivingData/InProgress", "Running/Starting",
          "Running/InProgress", "Running/Completed", "ConsumingResults/Ready",
          "Complete/Completed"]


def manifest(port, algo=SUM, datasets=None, consumers=(USER_KEY,), config=None, **more):
    if datasets is None:
        datasets = [dataset(IRIS, DATA_KEY, "iris.csv")]
    m = cvms_pb2.ComputationRunReq(id="c-1", name="iris", description="sum", datasets=datasets,
                                   algorithm=algorithm(algo, ALGO_KEY))
    for key in consumers:
        m.result_consumers.add(userKey=key.spki)
    for name, value in more.items():
        getattr(m, name).CopyFrom(value) if hasattr(value, "DESCRIPTOR") else setattr(m, name, value)
    m.agent_config.port = str(port)
    m.agent_config.log_level = "info"
    for name, value in (config or {}).items():
        setattr(m.agent_config, name, value)
    return m


@contextlib.contextmanager
def running(service_args=None, **agent_args):
    """A service and an agent that is connected to it."""
    service = Service(**(service_args or {}))
    agent = Agent(service, **agent_args)
    try:
        service.wait_connected()
        yield service, agent
    except BaseException:
        print("# the agent's output:")
        for line in agent.output().splitlines():
            print("#", line)
        raise
    finally:
        agent.remove()
        service.stop()


@contextlib.contextmanager
def computing(m=None, client_args=None, port=None, **args):
    """The same with a manifest that was taken, and a client."""
    port = port or free_port()
    m = m(port) if callable(m) else m or manifest(port)
    m.agent_config.port = str(port)
    with running(**args) as (service, agent):
        service.send(runReq=m)
        answer = service.answer_to_run()
        assert answer.error == "", answer.error
        client = Client(port, **(client_args or {}))
        try:
            yield service, agent, client
        finally:
            client.close()


def unzip(content):
    with zipfile.ZipFile(io.BytesIO(content)) as z:
        return {name: z.read(name) for name in z.namelist()}


def whole_job(service, agent, client):
    assert client.status().result_size == 0
    client.algo(SUM, ALGO_KEY, more=[("algo_args", "--a"), ("algo_args", "b c")])
    client.data(IRIS, DATA_KEY, "iris.csv")
    service.wait_event("ConsumingResults/Ready")
    size = client.status().result_size
    content = client.result(USER_KEY)
    assert size == len(content), (size, len(content))
    result = unzip(content)
    assert result["all.txt"] == IRIS, result
    assert result["args.txt"] == b"--a b c\n", result
    service.wait_event("Complete/Completed")
    assert service.events() == NORMAL, service.events()
    for event in service.of("agent_event"):
        assert event.originator == "agent" and event.computation_id == "c-1"
        assert event.timestamp.seconds > 0
    service.wait(lambda s: "a complaint" in s.log_text())
    assert "reading datasets" in service.log_text()
    assert agent.stop() == 0, agent.output()
    assert agent.work() == [], agent.work()


def the_whole_job_in_the_clear():
    with computing() as (service, agent, client):
        assert service.job_ids == ["cvm-1"]
        whole_job(service, agent, client)


def the_whole_job_over_tls():
    authority = Authority()
    cert, key = authority.issue()
    config = {"cert_file": cert, "key_file": key}
    with computing(lambda port: manifest(port, config=config),
                   client_args={"ca": authority.pem}) as (service, agent, client):
        whole_job(service, agent, client)


def server_ca_file_is_what_lies_between_certificate_and_root():
    root = Authority()
    between = Authority(above=root)
    cert, key = between.issue()
    config = {"cert_file": cert, "key_file": key, "server_ca_file": between.pem}
    with computing(lambda port: manifest(port, config=config),
                   client_args={"ca": root.pem}) as (_, __, client):
        assert client.status().state == "ReceivingAlgorithm"


def a_certificate_that_has_expired_is_refused_by_the_agent():
    cert, key = Authority().issue(hours_ago=48)
    with running() as (service, agent):
        bad = manifest(7002, config={"cert_file": cert, "key_file": key})
        service.send_chunks(bad.SerializeToString(), "m0")
        error = service.answer_to_run(0).error
        assert error.startswith("INVALID_ARGUMENT: "), error
        assert "cert_file: a certificate expired at" in error, error


def an_expired_authority_beside_a_valid_one_is_noted():
    """Only where no authority is valid is there nobody who could be a client."""
    old, new = Authority(hours_ago=48), Authority()
    cert, key = new.issue()
    config = {"cert_file": cert, "key_file": key, "client_ca_file": old.pem + new.pem}
    client_cert, client_key = new.issue("client")
    with computing(lambda port: manifest(port, config=config),
                   client_args={"ca": new.pem, "cert": client_cert, "key": client_key}) as (_, agent, client):
        assert client.status().state == "ReceivingAlgorithm"
        said = agent.output()
        assert said.count("client_ca_file: a certificate expired at") == 1 and "(1 of 2)" in said, said
    with running() as (service, agent):
        bad = manifest(7002, config={**config, "client_ca_file": old.pem})
        service.send_chunks(bad.SerializeToString(), "m0")
        error = service.answer_to_run(0).error
        assert "client_ca_file: a certificate expired at" in error, error


def a_path_names_what_was_measured_at_boot():
    authority = Authority()
    cert, key = authority.issue()
    config = {"cert_file": "/etc/certs/cert.pem", "key_file": "/etc/certs/key.pem"}
    with computing(lambda port: manifest(port, config=config), client_args={"ca": authority.pem},
                   certs={"cert.pem": cert, "key.pem": key}) as (_, __, client):
        assert client.status().state == "ReceivingAlgorithm"


def the_whole_job_over_mtls_to_both_sides():
    authority = Authority()
    cert, key = authority.issue()
    client_cert, client_key = authority.issue("client")
    config = {"cert_file": cert, "key_file": key, "client_ca_file": authority.pem}
    agent_cert, agent_key = authority.issue("agent")
    with computing(lambda port: manifest(port, config=config),
                   client_args={"ca": authority.pem, "cert": client_cert, "key": client_key},
                   service_args={"tls": authority.issue(), "client_ca": authority.pem},
                   settings={"AGENT_CVM_GRPC_CLIENT_CERT": "/etc/certs/cert.pem",
                             "AGENT_CVM_GRPC_CLIENT_KEY": "/etc/certs/key.pem",
                             "AGENT_CVM_GRPC_SERVER_CA_CERTS": "/etc/certs/ca.pem"},
                   certs={"cert.pem": agent_cert, "key.pem": agent_key,
                          "ca.pem": authority.pem}) as (service, agent, client):
        stranger = Client(int(client_port(service)), ca=authority.pem)
        refused(Code.UNAVAILABLE, "", stranger.status)
        stranger.close()
        whole_job(service, agent, client)


def client_port(service):
    text = service.wait(lambda s: [m.message for m in s.of("agent_log")
                                   if "listening on port" in m.message])[0]
    return text.split("listening on port ")[1].split()[0]


def a_service_with_another_ca_is_not_talked_to():
    good, bad = Authority(), Authority()
    service = Service(tls=bad.issue())
    agent = Agent(service, settings={"AGENT_CVM_GRPC_SERVER_CA_CERTS": "/etc/certs/ca.pem"},
                  certs={"ca.pem": good.pem})
    try:
        deadline = time.monotonic() + WAIT
        while "UNAVAILABLE" not in agent.output():
            assert time.monotonic() < deadline, agent.output()
            time.sleep(0.1)
        assert service.connections == 0
        assert agent.stop() == 0
    finally:
        agent.remove()
        service.stop()


def a_manifest_in_chunks_is_put_together():
    port = free_port()
    with running() as (service, agent):
        service.send_chunks(manifest(port, description="d" * 60000).SerializeToString(), size=1000, attempt=41)
        assert service.answer_to_run().error == ""
        client = Client(port)
        whole_job(service, agent, client)
        client.close()
        # What the agent says of it names the attempt that the service named.
        assert {said.attempt for said in service.of("run_res") + service.of("agent_event")} == {41}


def development_is_said_everywhere():
    with computing() as (service, agent, client):
        assert "development" in service.of("run_res")[0].notice
        assert client.status().development
        assert "development: this agent runs without a TPM" in agent.output()
        service.wait(lambda s: "WITHOUT being measured" in s.log_text())


def owned(client, role, key):
    """What Status says of whose the assets are to who shows that key: algorithm, datasets."""
    named = [("proof-key", base64.b64encode(key.spki).decode())]
    s = client.stub.Status(agent_pb2.StatusRequest(), timeout=WAIT,
                           metadata=client.proof_metadata(role, "Status", key, None, [], named))
    return [s.algorithm.yours, *(d.yours for d in s.datasets)]


def status_says_where_it_stands():
    with computing() as (service, _, client):
        s = client.status()
        assert (s.computation_id, s.name, s.state) == ("c-1", "iris", "ReceivingAlgorithm")
        assert len(s.manifest_digest) == 32 and len(s.challenge) == 32
        assert s.algorithm.hash == sha3(SUM) and not s.algorithm.received
        assert s.datasets[0].filename == "iris.csv" and not s.datasets[0].received
        assert s.consumers[0].key_digest == sha3(USER_KEY.spki) and not s.consumers[0].fetched
        assert client.status().challenge != s.challenge
        # What is whose it tells its owners alone.
        assert not s.algorithm.yours and not s.datasets[0].yours
        assert owned(client, "algorithm-provider", ALGO_KEY) == [True, False]
        assert owned(client, "data-provider", DATA_KEY) == [False, True]
        assert owned(client, "participant", DATA_KEY) == [False, False]
        for role, key, words in (("data-provider", ALGO_KEY, "by the manifest your key is for the algorithm"),
                                 ("algorithm-provider", DATA_KEY, "by the manifest your key is for dataset 'iris.csv'"),
                                 ("data-provider", USER_KEY, "for results"), ("data-provider", OTHER_KEY, "does not name your key")):
            refused(Code.PERMISSION_DENIED, words, owned, client, role, key)
        # A key that is merely named is not shown.
        forged = client.proof_metadata("data-provider", "Status", OTHER_KEY, None, [],
                                       [("proof-key", base64.b64encode(DATA_KEY.spki).decode())])
        refused(Code.PERMISSION_DENIED, "the signature does not hold", client.stub.Status, agent_pb2.StatusRequest(),
                timeout=WAIT, metadata=forged)
        client.algo(SUM, ALGO_KEY)
        client.data(IRIS, DATA_KEY, "iris.csv")
        service.wait_event("ConsumingResults/Ready")
        client.result(USER_KEY)
        service.wait_event("Complete/Completed")
        s = client.status()
        assert s.state == "Complete" and s.consumers[0].fetched and s.datasets[0].received


def manifests_are_refused_by_name():
    port = free_port()

    def changed(change):
        m = manifest(port)
        change(m)
        return m

    def no_algorithm(m):
        m.ClearField("algorithm")

    def set_attr(path, value):
        def change(m):
            *parents, last = path
            at = m
            for p in parents:
                at = at[p] if isinstance(p, int) else getattr(at, p)
            setattr(at, last, value)
        return change

    def twice(m):
        m.datasets.add().CopyFrom(m.datasets[0])

    cases = [
        (no_algorithm, "INVALID_ARGUMENT", "algorithm: missing"),
        (set_attr(["id"], ""), "INVALID_ARGUMENT", "id: missing"),
        (set_attr(["algorithm", "hash"], b"x" * 31), "INVALID_ARGUMENT", "hash: 31 bytes"),
        (set_attr(["datasets", 0, "hash"], b"x" * 33), "INVALID_ARGUMENT", "hash: 33 bytes"),
        (set_attr(["datasets", 0, "userKey"], b"no key"), "INVALID_ARGUMENT", "user_key"),
        (set_attr(["result_consumers", 0, "userKey"], b""), "INVALID_ARGUMENT", "user_key: missing"),
        (set_attr(["datasets", 0, "filename"], "../x"), "INVALID_ARGUMENT", "'/'"),
        (set_attr(["datasets", 0, "filename"], ".."), "INVALID_ARGUMENT", "'..'"),
        (set_attr(["datasets", 0, "filename"], "n" * 256), "INVALID_ARGUMENT", "256 bytes"),
        (set_attr(["datasets", 0, "filename"], "a\0b"), "INVALID_ARGUMENT", "zero byte"),
        (twice, "INVALID_ARGUMENT", "digest and file name are those of datasets[0]"),
        (set_attr(["datasets", 0, "source", "url"], "s3://b/k"), "UNIMPLEMENTED", "remote source"),
        (set_attr(["algorithm", "kbs", "enabled"], True), "UNIMPLEMENTED", "key broker"),
        (set_attr(["algorithm", "algo_type"], "perl"), "INVALID_ARGUMENT", "'perl'"),
        (set_attr(["agent_config", "attested_tls"], True), "UNAVAILABLE",
         "agent_config.attested_tls: this agent has neither a TEE nor a TPM"),
        (set_attr(["agent_config", "port"], "70000"), "INVALID_ARGUMENT", "port"),
        (set_attr(["agent_config", "cert_file"], "/proc/kmsg"), "INVALID_ARGUMENT", "cert_file: '/proc/kmsg' is neither"),
        (set_attr(["agent_config", "server_ca_file"], "/etc/certs/ca.pem"), "INVALID_ARGUMENT", "server_ca_file"),
        (lambda m: m.algorithm.algo_args.extend(["a"] * 257), "INVALID_ARGUMENT", "257"),
        (lambda m: m.MergeFromString(b"\x42\x01x"), "INVALID_ARGUMENT", "field 8 is unknown"),
    ]
    with running() as (service, agent):
        # The one that the decoder of the stream itself would refuse comes in chunks.
        for nth, (change, code, words) in enumerate(cases):
            service.send_chunks(changed(change).SerializeToString(), f"m{nth}", attempt=nth)
            error = service.answer_to_run(nth).error
            assert service.answer_to_run(nth).attempt == nth
            assert error.startswith(code + ": ") and words in error, (words, error)
        n = len(cases)
        service.send_chunks(b"\x0a\x02\xc3\x28", "utf8", attempt=(1 << 64) - 1)
        assert "not valid UTF-8" in service.answer_to_run(n).error
        assert service.answer_to_run(n).attempt == (1 << 64) - 1
        service.send_chunks(b"\x0a\x05ab", "cut")
        assert "truncated" in service.answer_to_run(n + 1).error
        service.send(agentStateReq=cvms_pb2.AgentStateReq(id="q"))
        state = service.wait(lambda s: s.of("agent_state_res"))[0]
        assert (state.id, state.state) == ("q", "ReceivingManifest")
        assert agent.work() == ["lock"], agent.work()
        assert service.events() == []
        service.send(runReq=manifest(port))
        assert service.answer_to_run(n + 2).error == ""


def chunks_that_break_the_rules_are_refused():
    port = free_port()
    data = manifest(port).SerializeToString()
    with running() as (service, _):
        service.send_chunks(data[:100], "a", last=False)
        service.send_chunks(data, "b")
        assert "while another manifest is incomplete" in service.answer_to_run(0).error
        service.send_chunks(b"", "a")
        service.send_chunks(b"x" * ((1 << 20) + 1), "c", size=2 << 20)
        assert "the limit is" in service.answer_to_run(1).error
        service.send_chunks(b"x" * (5 << 20), "d")
        assert "in all" in service.answer_to_run(2).error
        service.send_chunks(b"", "e")
        assert "no byte before" in service.answer_to_run(3).error
        service.send_chunks(data, "f")
        assert service.answer_to_run(4).error == ""
        service.send_chunks(b"", "f")
        assert "had its last chunk already" in service.answer_to_run(5).error
        assert service.events() == ["ReceivingAlgorithm/InProgress"]


def a_second_manifest_is_refused_until_a_stop():
    with computing() as (service, _, client):
        service.send(runReq=manifest(free_port(), id="c-2"))
        answer = service.answer_to_run(1)
        assert answer.computation_id == "c-2"
        assert answer.error.startswith("FAILED_PRECONDITION"), answer.error
        assert client.status().computation_id == "c-1"


def of_two_manifests_at_once_the_first_is_taken():
    """The second comes while the first is measured, or right behind."""
    with running() as (service, _):
        port = free_port()
        service.send(runReq=manifest(port))
        service.send(runReq=manifest(free_port(), id="c-2"))
        service.answer_to_run(1)
        answers = {answer.computation_id: answer.error for answer in service.of("run_res")}
        assert answers["c-1"] == "", answers
        assert answers["c-2"].startswith("FAILED_PRECONDITION: a manifest is not expected"), answers
        client = Client(port)
        assert client.status().computation_id == "c-1"
        client.close()


def a_listener_that_cannot_open_ends_one_computation_alone():
    """Its manifest is refused for that reason, nothing of it is left, and the next one is taken."""
    with running() as (service, agent), socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        service.send(runReq=manifest(taken.getsockname()[1]))
        error = service.answer_to_run().error
        assert error.startswith("ALREADY_EXISTS: open the agent's listener: ") and "in use" in error, error
        service.wait_event("Failed/Failed")
        service.catch_up()
        assert service.of("agent_state_res")[-1].state == "ReceivingManifest"
        assert service.events() == ["Failed/Failed"] and agent.work() == ["lock"], agent.work()
        port = free_port()
        service.send(runReq=manifest(port, id="c-2"))
        assert service.answer_to_run(1).error == ""
        client = Client(port)
        assert client.status().computation_id == "c-2"
        client.close()


def nothing_is_served_before_a_manifest():
    with running() as (_, agent):
        tcp = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=False).stdout
        assert f"pid={agent.process.pid}," not in tcp, tcp


def calls_out_of_order_are_refused():
    with computing() as (service, _, client):
        refused(Code.FAILED_PRECONDITION, "ReceivingAlgorithm", client.data, IRIS, DATA_KEY,
                "iris.csv")
        refused(Code.FAILED_PRECONDITION, "no results", client.result, USER_KEY)
        client.algo(SUM, ALGO_KEY)
        refused(Code.FAILED_PRECONDITION, "ReceivingData", client.algo, SUM, ALGO_KEY)
        refused(Code.FAILED_PRECONDITION, "no results", client.result, USER_KEY)
        client.data(IRIS, DATA_KEY, "iris.csv")
        service.wait_event("ConsumingResults/Ready")
        refused(Code.FAILED_PRECONDITION, "ConsumingResults", client.data, IRIS, DATA_KEY,
                "iris.csv")
        client.result(USER_KEY)
        refused(Code.FAILED_PRECONDITION, "fetched the result already", client.result, USER_KEY)
        service.wait_event("Complete/Completed")
        assert service.events() == NORMAL


def only_owners_and_only_their_content():
    theirs = b"others\n"
    sets = [dataset(IRIS, DATA_KEY, "iris.csv"), dataset(theirs, OTHER_KEY, "others.csv")]
    with computing(lambda port: manifest(port, datasets=sets)) as (service, agent, client):
        refused(Code.PERMISSION_DENIED, "algorithm's provider", client.algo, SUM, OTHER_KEY)
        refused(Code.INVALID_ARGUMENT, "no algorithm with SHA3-256", client.algo, SUM + b"#",
                ALGO_KEY)
        refused(Code.UNAUTHENTICATED, "user-id is missing", client.algo, SUM, ALGO_KEY,
                metadata=[])
        refused(Code.UNAUTHENTICATED, "proof is missing", client.algo, SUM, ALGO_KEY,
                metadata=[("user-id", "algorithm-provider")])
        refused(Code.PERMISSION_DENIED, "for the role algorithm-provider", client.algo, SUM,
                ALGO_KEY, metadata=Client.role_metadata("data-provider", ALGO_KEY))
        refused(Code.INVALID_ARGUMENT, "base64", client.algo, SUM, ALGO_KEY,
                metadata=[("user-id", "algorithm-provider"), ("signature", "***")])
        client.algo(SUM, ALGO_KEY)
        refused(Code.PERMISSION_DENIED, "not signed", client.data, IRIS, OTHER_KEY, "iris.csv")
        refused(Code.PERMISSION_DENIED, "another owner's", client.data, theirs, DATA_KEY,
                "iris.csv")
        refused(Code.INVALID_ARGUMENT, "is called", client.data, IRIS, DATA_KEY, "nobody.csv")
        refused(Code.INVALID_ARGUMENT, "no dataset", client.data, IRIS + b"x", DATA_KEY,
                "iris.csv")
        refused(Code.INVALID_ARGUMENT, "no dataset", client.data, b"", DATA_KEY, "iris.csv")
        refused(Code.INVALID_ARGUMENT, "'/'", client.data, IRIS, DATA_KEY, "../iris.csv")
        refused(Code.INVALID_ARGUMENT, "name the file", client.data, IRIS, DATA_KEY, "")
        refused(Code.INVALID_ARGUMENT, "without a message", client.stub.Data, iter([]),
                metadata=Client.role_metadata("data-provider", DATA_KEY))
        refused(Code.INVALID_ARGUMENT, "changes during an upload", client.stub.Data,
                iter([agent_pb2.DataRequest(dataset=b"a", filename="iris.csv"),
                      agent_pb2.DataRequest(dataset=b"b", filename="iris.tsv")]),
                metadata=Client.role_metadata("data-provider", DATA_KEY))
        assert [f for f in agent.work() if "uploads" in f or "datasets" in f] == [], agent.work()
        client.data(theirs, OTHER_KEY, "others.csv")
        refused(Code.ALREADY_EXISTS, "here already", client.data, theirs, OTHER_KEY, "others.csv")
        client.data(IRIS, DATA_KEY, "iris.csv")
        service.wait_event("ConsumingResults/Ready")
        refused(Code.PERMISSION_DENIED, "consumer", client.result, DATA_KEY)
        client.result(USER_KEY)


def a_dataset_without_a_name_is_known_by_its_digest():
    sets = [dataset(IRIS, DATA_KEY), dataset(b"more", DATA_KEY), dataset(b"odd", OTHER_KEY, "odd")]
    with computing(lambda port: manifest(port, datasets=sets)) as (service, _, client):
        client.algo(SUM, ALGO_KEY)
        refused(Code.INVALID_ARGUMENT, "no dataset", client.data, b"else", DATA_KEY, "x")
        refused(Code.PERMISSION_DENIED, "another owner's", client.data, b"odd", DATA_KEY, "x")
        client.data(b"more", DATA_KEY, "2")
        refused(Code.INVALID_ARGUMENT, "here already", client.data, IRIS, DATA_KEY, "2")
        client.data(IRIS, DATA_KEY, "1")
        refused(Code.ALREADY_EXISTS, "here already", client.data, IRIS, DATA_KEY, "3")
        client.data(b"odd", OTHER_KEY, "odd")
        service.wait_event("ConsumingResults/Ready")
        assert unzip(client.result(USER_KEY))["all.txt"] == IRIS + b"more" + b"odd"


def a_zip_is_unpacked_and_a_hostile_one_is_not():
    good = zip_of([("a.txt", b"A"), ("d/b.txt", b"B")])
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    hostile = [zip_of([("../out", b"x")]), zip_of([("/abs", b"x")]), zip_of([(link, b"/etc")]),
               b"no zip at all"]
    algo = b"#!/bin/sh\ncat datasets/a.txt datasets/d/b.txt > results/out\n"
    sets = [dataset(z, OTHER_KEY, f"h{i}.zip") for i, z in enumerate(hostile)]
    sets.append(dataset(good, DATA_KEY, "good.zip"))
    with computing(lambda port: manifest(port, algo=algo, datasets=sets)) as (_, agent, client):
        client.algo(algo, ALGO_KEY)
        for i, z in enumerate(hostile):
            refused(Code.INVALID_ARGUMENT, "decompress", client.data, z, OTHER_KEY, f"h{i}.zip",
                    more=[("decompress", "true")])
        refused(Code.INVALID_ARGUMENT, "neither true nor false", client.data, good, DATA_KEY,
                "good.zip", more=[("decompress", "yes")])
        client.data(good, DATA_KEY, "good.zip", more=[("decompress", "true")])
        files = [f for f in agent.work() if "datasets" in f or "uploads" in f]
        assert files == ["computation/datasets/a.txt", "computation/datasets/d/b.txt"], files
    with computing(lambda port: manifest(
            port, algo=algo, datasets=[dataset(good, DATA_KEY, "good.zip", decompress=True)])) as (
                service, _, client):
        client.algo(algo, ALGO_KEY)
        client.data(good, DATA_KEY, "good.zip")
        service.wait_event("ConsumingResults/Ready")
        assert unzip(client.result(USER_KEY))["out"] == b"AB"
    # What the manifest says holds, whatever the call says.
    with computing(lambda port: manifest(
            port, algo=algo, datasets=[dataset(good, DATA_KEY, "good.zip", decompress=True)])) as (
                service, _, client):
        client.algo(algo, ALGO_KEY)
        client.data(good, DATA_KEY, "good.zip", more=[("decompress", "false")])
        service.wait_event("ConsumingResults/Ready")
        assert unzip(client.result(USER_KEY))["out"] == b"AB"


def zips_are_unpacked_in_turn_and_never_onto_anothers_name():
    """All at once, from one owner and from another; each where it belongs, none in the other's place."""
    zips = [zip_of([(f"part{i}/{n:03}.csv", b"%d,%d\n" % (i, n)) for n in range(200)]) for i in range(6)]
    evil = zip_of([("iris.csv/x", b"x")])
    sets = [dataset(z, DATA_KEY, f"{i}.zip", decompress=True) for i, z in enumerate(zips)]
    sets += [dataset(evil, OTHER_KEY, "evil.zip", decompress=True), dataset(IRIS, DATA_KEY, "iris.csv")]
    algo = b"#!/bin/sh\ncat datasets/part*/*.csv | wc -l > results/count\n"
    with computing(lambda port: manifest(port, algo=algo, datasets=sets)) as (service, agent, client):
        client.algo(algo, ALGO_KEY)
        with concurrent.futures.ThreadPoolExecutor(len(zips)) as pool:
            for upload in [pool.submit(client.data, z, DATA_KEY, f"{i}.zip") for i, z in enumerate(zips)]:
                upload.result()
        refused(Code.INVALID_ARGUMENT, "belongs to others", client.data, evil, OTHER_KEY, "evil.zip")
        client.data(IRIS, DATA_KEY, "iris.csv")
        files = [f for f in agent.work() if "datasets" in f or "uploads" in f]
        assert len(files) == 6 * 200 + 1, files
        service.send(stopComputation=cvms_pb2.StopComputation(computation_id="c-1"))
        service.wait(lambda s: s.of("stop_computation_res"))
        assert agent.work() == ["lock"], agent.work()


def zips_done_before_anothers_file():
    """Of eight zips that are brought at once: how many had their answer when another owner's file had its own."""
    zips = [zip_of([(f"{i}/{n}", b"%d\n" % n) for n in range(500)]) for i in range(8)]
    sets = [dataset(z, DATA_KEY, f"{i}.zip", decompress=True) for i, z in enumerate(zips)]
    sets.append(dataset(IRIS, OTHER_KEY, "iris.csv"))
    algo = b"#!/bin/sh\nexit 0\n"
    with computing(lambda port: manifest(port, algo=algo, datasets=sets)) as (_, agent, client):
        client.algo(algo, ALGO_KEY)
        with concurrent.futures.ThreadPoolExecutor(len(zips)) as pool:
            calls = [pool.submit(client.data, z, DATA_KEY, f"{i}.zip") for i, z in enumerate(zips)]
            until(lambda: any(name.endswith("/0") for name in agent.work()), "the first that is unpacked")
            client.data(IRIS, OTHER_KEY, "iris.csv")
            done = sum(call.done() for call in calls)
        for call in calls:
            call.result()
    return done


def who_has_much_to_unpack_holds_nobody_up():
    """More zips at once than there are threads: what another owner brings then does not wait for them. This test may
    itself be late with its file, and then there is nothing to see: once is enough, for behind four of them, as many as
    there are threads, it would come each time."""
    seen = []
    while len(seen) < 20 and not any(done < 4 for done in seen):
        seen.append(zips_done_before_anothers_file())
    assert any(done < 4 for done in seen), seen


def a_program_that_cannot_start_is_refused_when_it_comes():
    """Before anybody sends data; nothing of it is left, and it is awaited still."""
    for algo, words in ((b"print('x')\n", "neither an ELF program nor a script"),
                        (b"#!/none/sh\n", "its interpreter '/none/sh' is not there"),
                        (b"\x7fELF\2\1\1" + bytes(9) + b"\2\0\xb7\0" + bytes(200), "an ELF file for aarch64")):
        with computing(lambda port: manifest(port, algo=algo)) as (_, agent, client):  # noqa: B023
            refused(Code.INVALID_ARGUMENT, "Algo: program: " + words, client.algo, algo, ALGO_KEY)
            status = client.status()
            assert status.state == "ReceivingAlgorithm" and not status.algorithm.received, status
            assert agent.work() == ["lock"], agent.work()


def a_stop_ends_what_is_being_unpacked_and_what_waits():
    """Whichever of them a stop meets: every owner has an answer, and nothing is left."""
    zips = [zip_of([(f"{i}/{n}", os.urandom(64) * 4000) for n in range(60)]) for i in range(4)]
    sets = [dataset(z, DATA_KEY, f"{i}.zip", decompress=True) for i, z in enumerate(zips)]
    sets.append(dataset(IRIS, DATA_KEY, "iris.csv"))  # so that it never runs
    with computing(lambda port: manifest(port, datasets=sets)) as (service, agent, client):
        client.algo(SUM, ALGO_KEY)
        with concurrent.futures.ThreadPoolExecutor(len(zips)) as pool:
            calls = [pool.submit(client.data, z, DATA_KEY, f"{i}.zip") for i, z in enumerate(zips)]
            concurrent.futures.wait(calls, return_when=concurrent.futures.FIRST_COMPLETED)
            service.send(stopComputation=cvms_pb2.StopComputation(computation_id="c-1"))
            for call in calls:
                error = call.exception()
                assert error is None or error.code() in (Code.ABORTED, Code.UNAVAILABLE), error
        service.wait(lambda s: s.of("stop_computation_res"))
        assert "stopped" in service.of("stop_computation_res")[0].message
        assert agent.work() == ["lock"], agent.work()


def an_algorithm_is_what_the_manifest_says():
    m = manifest(free_port())
    m.algorithm.algo_type = "bin"
    m.algorithm.algo_args.extend(["--from", "manifest"])
    port = int(m.agent_config.port)
    with computing(m, port=port) as (service, _, client):
        refused(Code.INVALID_ARGUMENT, "the manifest says 'bin'", client.algo, SUM, ALGO_KEY,
                more=[("algo_type", "python")])
        refused(Code.INVALID_ARGUMENT, "the manifest says 2", client.algo, SUM, ALGO_KEY,
                more=[("algo_args", "x")])
        refused(Code.INVALID_ARGUMENT, "argument 1", client.algo, SUM, ALGO_KEY,
                more=[("algo_args", "--from"), ("algo_args", "me")])
        refused(Code.INVALID_ARGUMENT, "requirements are for python", client.algo, SUM, ALGO_KEY,
                requirements=b"x\n")
        client.algo(SUM, ALGO_KEY)
        client.data(IRIS, DATA_KEY, "iris.csv")
        service.wait_event("ConsumingResults/Ready")
        assert unzip(client.result(USER_KEY))["args.txt"] == b"--from manifest\n"


def an_algorithm_that_finds_no_place_leaves_nothing_of_itself():
    with computing() as (service, agent, client):
        folder = next(os.path.join(where, "uploads") for where, folders, _ in
                      os.walk(agent.work_dir) if "uploads" in folders)
        place = os.path.join(os.path.dirname(folder), "algorithm")
        os.mkdir(place)
        refused(Code.INVALID_ARGUMENT, "is here already", client.algo, SUM, ALGO_KEY,
                requirements=b"numpy\n", more=[("algo_type", "python"), ("algo_args", "first")])
        os.rmdir(place)
        assert not any("requirements" in name for name in agent.work()), agent.work()
        client.algo(SUM, ALGO_KEY)
        client.data(IRIS, DATA_KEY, "iris.csv")
        service.wait_event("ConsumingResults/Ready")
        assert unzip(client.result(USER_KEY))["args.txt"] == b"\n"


def other_kinds_of_algorithm_are_refused_by_name():
    with computing() as (_, __, client):
        refused(Code.INVALID_ARGUMENT, "perl", client.algo, SUM, ALGO_KEY,
                more=[("algo_type", "perl")])
        refused(Code.INVALID_ARGUMENT, "python_runtime", client.algo, SUM, ALGO_KEY,
                more=[("algo_type", "python"), ("python_runtime", "/bin/sh")])


def metadata_with_one_value_is_not_taken_twice():
    with computing() as (_, __, client):
        for key, values in (("algo_type", ("bin", "python")),
                            ("python_runtime", ("python3", "python3.11"))):
            refused(Code.INVALID_ARGUMENT, f"metadata {key}: more than once", client.algo, SUM,
                    ALGO_KEY, more=[(key, value) for value in values])
        client.algo(SUM, ALGO_KEY)
        refused(Code.INVALID_ARGUMENT, "metadata decompress: more than once", client.data, IRIS,
                DATA_KEY, "iris.csv", more=[("decompress", "false"), ("decompress", "true")])
        client.data(IRIS, DATA_KEY, "iris.csv")


def a_call_brings_as_many_arguments_as_a_manifest():
    many = [("algo_args", str(i)) for i in range(257)]
    with computing() as (service, _, client):
        refused(Code.INVALID_ARGUMENT, "257 arguments, the limit is 256", client.algo, SUM,
                ALGO_KEY, more=many)
        client.algo(SUM, ALGO_KEY, more=many[:256])
        client.data(IRIS, DATA_KEY, "iris.csv")
        service.wait_event("ConsumingResults/Ready")
        words = " ".join(value for _, value in many[:256])
        assert unzip(client.result(USER_KEY))["args.txt"].decode() == words + "\n"


def health_is_told():
    with computing() as (_, __, client):
        check = client.channel.unary_unary("/grpc.health.v1.Health/Check")
        assert check(b"", timeout=WAIT) == b"\x08\x01"
        assert check(b"\x0a\x12agent.AgentService", timeout=WAIT) == b"\x08\x01"
        assert check(b"\x0a\x05agent", timeout=WAIT) == b"\x08\x01"  # as the stock CLI asks


def reflection_lists_the_service():
    with computing() as (_, __, client):
        for version in ("v1", "v1alpha"):
            ask = client.channel.stream_stream(
                f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo")
            answer = next(ask(iter([b"\x3a\x01*"]), timeout=WAIT))
            assert b"agent.AgentService" in answer, answer


def a_proof_serves_one_call():
    with computing() as (service, _, client):
        status = client.status()
        parameters = [("algo_type", "bin"), ("algo_args", "x")]
        more = [("algo_args", "x")]

        def algo_proof(**changes):
            args = {"role": "algorithm-provider", "method": "Algo", "key": ALGO_KEY,
                    "asset": sha3(SUM), "parameters": parameters, "more": more}
            args.update(changes)
            return client.proof_metadata(**args)

        denied = (Code.PERMISSION_DENIED, "not signed for this call")
        for wrong in ({"key": OTHER_KEY}, {"method": "Data"}, {"manifest": bytes(32)},
                      {"parameters": [("algo_type", "bin")]},
                      {"parameters": [("algo_args", "x"), ("algo_type", "bin")]}):
            refused(*denied, client.algo, SUM, None, metadata=algo_proof(**wrong))
        # Whose key the manifest does not name uses up nobody's challenge; whose it names does, and if the call fails.
        first = {"challenge": status.challenge, "manifest": status.manifest_digest}
        refused(*denied, client.algo, SUM, None, metadata=algo_proof(key=OTHER_KEY, **first))
        refused(Code.INVALID_ARGUMENT, "not the digest", client.algo, SUM, None,
                metadata=algo_proof(asset=sha3(b"else"), **first))
        refused(Code.INVALID_ARGUMENT, "no algorithm", client.algo, b"else", None, metadata=algo_proof(**first))
        refused(Code.PERMISSION_DENIED, "used or expired", client.algo, SUM, None, metadata=algo_proof(**first))
        client.algo(SUM, None, metadata=algo_proof())

        def data_proof(name="iris.csv", content=IRIS, **changes):
            args = {"role": "data-provider", "method": "Data", "key": DATA_KEY,
                    "asset": sha3(content),
                    "parameters": [("filename", name), ("decompress", "false")]}
            args.update(changes)
            return client.proof_metadata(**args)

        refused(Code.PERMISSION_DENIED, "not signed", client.data, IRIS, None, "iris.csv",
                metadata=data_proof(name="other.csv"))
        refused(Code.INVALID_ARGUMENT, "other content", client.data, IRIS, None, "iris.csv",
                metadata=data_proof(content=b"else"))
        refused(Code.INVALID_ARGUMENT, "no dataset", client.data, b"else", None, "iris.csv",
                metadata=data_proof())
        once = data_proof()
        client.data(IRIS, None, "iris.csv", metadata=once)
        service.wait_event("ConsumingResults/Ready")
        consumer = {"role": "consumer", "method": "Result", "asset": None, "parameters": []}
        refused(Code.PERMISSION_DENIED, "consumer", client.result, None,
                metadata=client.proof_metadata(key=DATA_KEY, **consumer))
        assert unzip(client.result(None, metadata=client.proof_metadata(key=USER_KEY, **consumer))
                     )["args.txt"] == b"x\n"
        service.wait_event("Complete/Completed")


def an_interrupted_upload_is_taken_up():
    content = os.urandom(5 << 20)
    with computing(lambda port: manifest(
            port, datasets=[dataset(content, DATA_KEY, "big")])) as (service, agent, client):
        client.algo(SUM, ALGO_KEY)
        parameters = [("filename", "big"), ("decompress", "false")]
        half = 3 << 20

        def proof(more=()):
            return client.proof_metadata("data-provider", "Data", DATA_KEY, sha3(content),
                                         parameters, more)

        def slow():
            for at in range(0, half, 1 << 20):
                yield agent_pb2.DataRequest(dataset=content[at:at + (1 << 20)], filename="big")
            deadline = time.monotonic() + WAIT
            while time.monotonic() < deadline:
                kept = [f for f in agent.work() if "uploads" in f]
                if kept and os.path.getsize(os.path.join(agent.work_dir, kept[0])) == half:
                    break
                time.sleep(0.05)
            call.cancel()

        call = client.stub.Data.future(slow(), metadata=proof(), timeout=WAIT)
        try:
            call.result()
            raise AssertionError("was not cancelled")
        except grpc.FutureCancelledError:
            pass
        deadline = time.monotonic() + WAIT
        while client.status().datasets[0].bytes_kept != half:
            assert time.monotonic() < deadline, "nothing is kept"
            time.sleep(0.05)
        refused(Code.FAILED_PRECONDITION, "bytes are kept", client.data, content, None, "big",
                metadata=proof([("upload-offset", "5")]))
        client.data(content[half:], None, "big", metadata=proof([("upload-offset", str(half))]))
        assert client.status().state != "ReceivingData"
        service.wait_event("ConsumingResults/Ready")
        assert unzip(client.result(USER_KEY))["all.txt"] == content


def inputs_left(agent):
    return [name for name in agent.work() if name != "lock"]


def inputs_go_when_the_algorithm_has_ended():
    """Also when it failed: the owners' data are of no use to anybody any more."""
    for ending, event in (("exit 0", "ConsumingResults/Ready"), ("exit 9", "Failed/Failed")):
        algo = b"#!/bin/sh\necho made > results/made\n" + ending.encode() + b"\n"
        with computing(lambda port: manifest(port, algo=algo)) as (service, agent, client):  # noqa: B023
            client.algo(algo, ALGO_KEY)
            assert inputs_left(agent), "nothing to take away"
            client.data(IRIS, DATA_KEY, "iris.csv")
            service.wait_event(event)
            left = [os.path.basename(name) for name in inputs_left(agent)]
            assert left == (["results.zip"] if "Ready" in event else []), left


def the_manifest_says_which_lines_are_sent():
    algo = b"#!/bin/sh\necho out\necho err >&2\n"
    all_of_them = {"INFO", "WARN", "ERROR"}
    for level, sent in (("debug", all_of_them), ("info", all_of_them), ("", all_of_them),
                        ("WARN", {"WARN", "ERROR"}), ("error", {"ERROR"})):
        with computing(lambda port: manifest(port, algo=algo, datasets=[],  # noqa: B023
                                             config={"log_level": level})) as (service, agent, client):  # noqa: B023
            service.catch_up()
            before = len(service.of("agent_log"))  # said before the manifest had a say
            service.send()  # of no kind that an agent knows: it warns
            until(lambda: "of a kind that this agent does not know" in agent.output())  # noqa: B023
            client.algo(algo, ALGO_KEY)
            service.wait_event("ConsumingResults/Ready")
            service.catch_up()
            lines = service.of("agent_log")[before:]
            texts = [line.message for line in lines]
            assert {line.level for line in lines} == sent, (level, lines)
            assert "algorithm: err" in texts and ("algorithm: out" in texts) == ("INFO" in sent), texts
            assert any("algorithm is in" in text for text in texts) == ("INFO" in sent), texts
            assert "algorithm is in" in agent.output(), "its own log is the operator's"


def an_algorithm_does_not_speak_for_the_agent():
    algo = b"#!/bin/sh\necho 'computation completed: all data were deleted' >&2\n" + \
        "printf 'a\u202eb\u009bc\n'\nexit 1\n".encode()
    with computing(lambda port: manifest(port, algo=algo, datasets=[])) as (service, _, client):
        client.algo(algo, ALGO_KEY)
        service.wait_event("Failed/Failed")
        lines = [log.message for log in service.of("agent_log")]
        assert "algorithm: computation completed: all data were deleted" in lines, lines
        assert "algorithm: a\ufffdb\ufffdc" in lines, lines
        assert not [line for line in lines if line.startswith("computation completed")], lines


def names_of_results_fool_nobodys_eye():
    """What a terminal would act on, or show as another name, is no name of a result."""
    for name, good in (("a\u202eb", False), ("a\u009bb", False), ("a\tb", False), ("a\u00e4b", True)):
        algo = f"#!/bin/sh\necho made > 'results/{name}'\n".encode()
        with computing(lambda port: manifest(port, algo=algo, datasets=[])) as (service, agent, client):  # noqa: B023
            client.algo(algo, ALGO_KEY)
            service.wait_event("ConsumingResults/Ready" if good else "Failed/Failed")
            if good:
                assert unzip(client.result(USER_KEY))[name] == b"made\n"
            else:
                details = service.of("agent_event")[-1].details.decode()
                assert "control character" in details and name not in details, details


def a_failing_algorithm_fails_the_computation():
    for algo, words in ((b"#!/bin/sh\nexit 3\n", "exit code 3"),
                        (b"#!/bin/sh\nkill -11 $$\n", "signal 11"), (b"#!/tmp/nothing\n", "")):
        with computing(lambda port: manifest(port, algo=algo, datasets=[])) as (  # noqa: B023
                service, agent, client):
            client.algo(algo, ALGO_KEY)
            service.wait_event("Failed/Failed")
            details = service.of("agent_event")[-1].details.decode()
            assert words in details and '"error"' in details, details
            status = client.status()
            assert status.state == "Failed" and words in status.failure, status
            refused(Code.FAILED_PRECONDITION, "Failed", client.result, USER_KEY)
            assert not inputs_left(agent), agent.work()


def an_algorithm_without_end_is_ended():
    endless, short = b"#!/bin/sh\nwhile :; do sleep 1; done\n", b"#!/bin/sh\nexit 0\n"
    for algo, limit, event in ((endless, "1s", "Failed/Failed"),
                               (short, "24h", "ConsumingResults/Ready")):
        with computing(lambda port: manifest(port, algo=algo, datasets=[]),  # noqa: B023
                       settings={"AGENT_RUN_TIME": limit}) as (service, agent, client):
            client.algo(algo, ALGO_KEY)
            service.wait_event(event)
            if event == "Failed/Failed":
                failure = client.status().failure
                assert "the algorithm ran longer than AGENT_RUN_TIME=1s" in failure, failure
                refused(Code.FAILED_PRECONDITION, "Failed", client.result, USER_KEY)
                assert not inputs_left(agent), agent.work()


def a_clock_that_jumps_ends_nothing_too_early_or_too_late():
    """The host sets the time of day: whatever it says, uploads, proofs, runs and their limits go on."""
    jumps = os.path.join(os.path.dirname(AGENT), "tests", "integration", "libclock_jumps.so")
    assert os.path.exists(jumps), jumps
    wrapper = ["env", "LD_PRELOAD=" + jumps]
    with computing(wrapper=wrapper, settings={"AGENT_RUN_TIME": "24h"}) as (
            service, agent, client):
        whole_job(service, agent, client)
        stamps = {line[:4] for line in agent.output().splitlines()}
        assert len(stamps) > 2, stamps  # the years of its lines: it did ask that clock
    endless = b"#!/bin/sh\nwhile :; do sleep 1; done\n"
    with computing(lambda port: manifest(port, algo=endless, datasets=[]), wrapper=wrapper,
                   settings={"AGENT_RUN_TIME": "1s"}) as (service, _, client):
        client.algo(endless, ALGO_KEY)
        service.wait_event("Failed/Failed")
        assert "AGENT_RUN_TIME=1s" in client.status().failure


def a_share_of_a_processor_is_kept_or_refused():
    algo = b"#!/bin/sh\nexit 0\n"
    with computing(lambda port: manifest(port, algo=algo, datasets=[]),
                   settings={"AGENT_RUN_PROCESSOR": "50"}) as (service, agent, client):
        client.algo(algo, ALGO_KEY)
        service.wait(lambda s: {"Failed/Failed", "ConsumingResults/Ready"} & set(s.events()))
        status = client.status()
        # only a host with a control group for it can keep that
        assert (status.state == "ConsumingResults" or
                "AGENT_RUN_PROCESSOR=50" in status.failure), status


def a_stop_kills_the_run_and_wipes():
    algo = b"#!/bin/sh\nsleep 1000 &\necho up\nsleep 1000\n"
    with computing(lambda port: manifest(port, algo=algo, datasets=[])) as (
            service, agent, client):
        client.algo(algo, ALGO_KEY)
        service.wait(lambda s: any(m.message == "algorithm: up" for m in s.of("agent_log")))
        service.send(stopComputation=cvms_pb2.StopComputation(computation_id="another"))
        answer = service.wait(lambda s: s.of("stop_computation_res"))[0]
        assert answer.computation_id == "another" and "NOT_FOUND" in answer.message
        service.send(stopComputation=cvms_pb2.StopComputation(computation_id="c-1"))
        service.wait(lambda s: len(s.of("stop_computation_res")) > 1)
        assert service.events()[-1] == "Stopped/Stopped"
        assert agent.work() == ["lock"], agent.work()
        refused(Code.UNAVAILABLE, "", client.status)
        service.send(stopComputation=cvms_pb2.StopComputation(computation_id="c-1"))
        answer = service.wait(lambda s: s.of("stop_computation_res")[2:])[0]
        assert "there is no computation" in answer.message
        # And then the next one, on the same agent.
        port = free_port()
        service.messages.clear()
        service.send(runReq=manifest(port))
        assert service.answer_to_run().error == ""
        second = Client(port)
        whole_job(service, agent, second)
        second.close()


def a_stop_in_the_middle_of_an_upload_leaves_nothing():
    with computing() as (service, agent, client):
        client.algo(SUM, ALGO_KEY)

        def endless():
            while True:
                yield agent_pb2.DataRequest(dataset=bytes(1 << 20), filename="iris.csv")
                time.sleep(0.01)

        call = client.stub.Data.future(endless(), timeout=WAIT,
                                       metadata=Client.role_metadata("data-provider", DATA_KEY))
        deadline = time.monotonic() + WAIT
        while not any("uploads" in f for f in agent.work()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        service.send(stopComputation=cvms_pb2.StopComputation(computation_id="c-1"))
        service.wait(lambda s: s.of("stop_computation_res"))
        assert call.exception().code() == Code.ABORTED, call.exception()
        assert call.exception().details() == "the computation was stopped", call.exception()
        assert agent.work() == ["lock"], agent.work()


def what_was_said_meanwhile_arrives_when_the_service_is_back():
    with computing() as (service, agent, client):
        client.algo(SUM, ALGO_KEY)
        service.wait_event("ReceivingData/InProgress")
        service.stop()
        client.data(IRIS, DATA_KEY, "iris.csv")
        deadline = time.monotonic() + WAIT
        while client.status().state != "ConsumingResults":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        client.result(USER_KEY)
        service.start()
        service.wait_event("Complete/Completed")
        assert service.events() == NORMAL, service.events()
        assert service.job_ids == ["cvm-1"] * service.connections
        assert agent.stop() == 0


def a_service_that_asks_to_disconnect_is_called_again():
    with running() as (service, _):
        service.send(disconnectReq=cvms_pb2.DisconnectReq(id="x"))
        service.wait_connected(2)


def every_consumer_fetches_once_and_a_cut_transfer_again():
    algo = b"#!/bin/sh\nhead -c 9000000 /dev/urandom > results/big\n"
    with computing(lambda port: manifest(port, algo=algo, datasets=[],
                                         consumers=(USER_KEY, OTHER_KEY))) as (
                                             service, _, client):
        client.algo(algo, ALGO_KEY)
        service.wait_event("ConsumingResults/Ready")
        for _ in range(2):
            call = client.stub.Result(agent_pb2.ResultRequest(), timeout=WAIT,
                                      metadata=Client.role_metadata("consumer", USER_KEY))
            next(call)
            call.cancel()
        first = client.result(USER_KEY)
        deadline = time.monotonic() + WAIT
        while not client.status().consumers[0].fetched:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert client.status().state == "ConsumingResults"
        refused(Code.FAILED_PRECONDITION, "already", client.result, USER_KEY)
        assert client.result(OTHER_KEY) == first
        service.wait_event("Complete/Completed")


def a_computation_without_consumers_completes():
    algo = b"#!/bin/sh\necho done > results/x\n"
    with computing(lambda port: manifest(port, algo=algo, datasets=[], consumers=())) as (
            service, _, client):
        client.algo(algo, ALGO_KEY)
        service.wait_event("Complete/Completed")
        assert service.events()[-2:] == ["ConsumingResults/Ready", "Complete/Completed"]
        refused(Code.PERMISSION_DENIED, "consumer", client.result, USER_KEY)


def many_uploads_at_once():
    contents = [os.urandom(300000) for _ in range(24)]
    sets = [dataset(c, DATA_KEY, f"d{i:02}") for i, c in enumerate(contents)]
    with computing(lambda port: manifest(port, datasets=sets)) as (service, _, client):
        client.algo(SUM, ALGO_KEY)
        calls = []
        for i, c in enumerate(contents):
            parts = [agent_pb2.DataRequest(dataset=c[at:at + 65536], filename=f"d{i:02}")
                     for at in range(0, len(c), 65536)]
            calls.append(client.stub.Data.future(
                iter(parts), timeout=WAIT, metadata=Client.role_metadata("data-provider", DATA_KEY)))
        for call in calls:
            call.result()
        service.wait_event("ConsumingResults/Ready")
        assert unzip(client.result(USER_KEY))["all.txt"] == b"".join(contents)


def an_upload_over_the_limit_is_refused():
    content = bytes(200000)
    with computing(lambda port: manifest(port, datasets=[dataset(content, DATA_KEY, "d")]),
                   settings={"AGENT_ASSET_MAX": "100K"}) as (_, agent, client):
        client.algo(SUM, ALGO_KEY)
        refused(Code.RESOURCE_EXHAUSTED, "AGENT_ASSET_MAX", client.data, content, DATA_KEY, "d",
                size=50000)
        assert [f for f in agent.work() if "uploads" in f] == []


def bad_boot_configurations_end_the_agent():
    cases = [({"AGENT_TRUST_EVERYBODY": "1"}, "AGENT_TRUST_EVERYBODY"),
             ({"AGENT_CVM_GRPC_URL": ""}, "AGENT_CVM_GRPC_URL is missing"),
             ({"AGENT_LOG_LEVEL": "loud"}, "loud"),
             ({"AGENT_CVM_GRPC_SERVER_CA_CERTS": "/etc/shadow"}, "none of cert.pem")]
    for settings, words in cases:
        agent = Agent(None, settings=settings)
        try:
            assert agent.process.wait(WAIT) == 1
            assert words in agent.output(), agent.output()
        finally:
            agent.remove()


def without_a_tpm_nothing_runs_unless_told():
    service = Service()
    agent = Agent(service, development=False, options=["--tcti", "device:/proc/nowhere/tpm"])
    try:
        assert agent.process.wait(WAIT) == 1, agent.output()
        assert service.connections == 0
    finally:
        agent.remove()
        service.stop()


def one_work_folder_serves_one_agent():
    with running() as (_, agent):
        second = subprocess.run(
            [AGENT, "--config", agent.dir + "/config", "--certs", agent.dir + "/certs", "--work",
             agent.dir + "/work", "--development"], capture_output=True, text=True, check=False,
            timeout=WAIT)
        assert second.returncode == 1 and "in use by another agent" in second.stderr, second


def killed_it_leaves_nothing_for_the_next():
    algo = b"#!/bin/sh\necho up\nsleep 1000\n"
    with computing(lambda port: manifest(port, algo=algo, datasets=[])) as (
            service, agent, client):
        client.algo(algo, ALGO_KEY)
        service.wait(lambda s: any(m.message == "algorithm: up" for m in s.of("agent_log")))
        agent.process.send_signal(signal.SIGKILL)
        agent.process.wait()
        assert "computation/algorithm" in agent.work()
        agent.restart()
        service.wait_connected(2)
        assert agent.work() == ["lock"], agent.work()
        assert agent.stop() == 0


def sigterm_in_the_middle_of_a_run_or_an_upload_is_clean():
    algo = b"#!/bin/sh\nsleep 1000 &\necho up\nsleep 1000\n"
    with computing(lambda port: manifest(port, algo=algo, datasets=[])) as (
            service, agent, client):
        client.algo(algo, ALGO_KEY)
        service.wait(lambda s: any(m.message == "algorithm: up" for m in s.of("agent_log")))
        assert agent.stop() == 0, agent.output()
        assert agent.work() == [], agent.work()
    with computing() as (service, agent, client):
        client.algo(SUM, ALGO_KEY)

        def endless():
            while True:
                yield agent_pb2.DataRequest(dataset=bytes(1 << 20), filename="iris.csv")

        call = client.stub.Data.future(endless(), timeout=WAIT,
                                       metadata=Client.role_metadata("data-provider", DATA_KEY))
        deadline = time.monotonic() + WAIT
        while not any("uploads" in f for f in agent.work()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert agent.stop() == 0, agent.output()
        assert agent.work() == [], agent.work()
        assert call.exception().code() == Code.ABORTED, call.exception()


def impatient_signals_cut_no_wiping_short():
    """SIGTERM and SIGINT again and again, until the agent has given its folder back."""
    zipped = zip_of([(f"d/{i}", b"x") for i in range(3000)])
    algo = b"#!/bin/sh\necho up\nsleep 1000\n"
    with computing(lambda port: manifest(port, algo=algo, datasets=[
            dataset(zipped, DATA_KEY, "a.zip", decompress=True)])) as (service, agent, client):
        client.algo(algo, ALGO_KEY)
        client.data(zipped, DATA_KEY, "a.zip")
        service.wait(lambda s: any(m.message == "algorithm: up" for m in s.of("agent_log")))
        while agent.process.poll() is None and os.path.exists(agent.work_dir + "/lock"):
            agent.process.send_signal(signal.SIGTERM)
            agent.process.send_signal(signal.SIGINT)
            time.sleep(0.001)
        assert agent.process.wait(WAIT) == 0, agent.output()
        assert agent.work() == [], agent.work()


def a_full_disk_refuses_and_goes_on():
    """The work folder is a memory file system of 3 MiB, in a mount namespace of its own."""
    big, small = os.urandom(5 << 20), b"small\n"
    sets = [dataset(big, DATA_KEY, "big"), dataset(small, DATA_KEY, "small")]
    wrapper = ["unshare", "-m", "sh", "-c",
               'mount -t tmpfs -o size=3m none "$0" && exec "$@"', "WORK"]
    with computing(lambda port: manifest(port, datasets=sets), wrapper=wrapper) as (
            _, agent, client):
        client.algo(SUM, ALGO_KEY)
        work = f"/proc/{agent.process.pid}/root{agent.work_dir}/computation"
        refused(Code.RESOURCE_EXHAUSTED, "No space left", client.data, big, DATA_KEY, "big")
        assert os.listdir(work + "/uploads") == []
        client.data(small, DATA_KEY, "small")
        assert os.listdir(work + "/datasets") == ["small"]


def long_names_and_paths_are_fine():
    name = "n" * 255
    with computing(lambda port: manifest(port, datasets=[dataset(IRIS, DATA_KEY, name)]),
                   work="/".join(["w" * 200] * 12)) as (service, _, client):
        client.algo(SUM, ALGO_KEY)
        client.data(IRIS, DATA_KEY, name)
        service.wait_event("ConsumingResults/Ready")
        assert unzip(client.result(USER_KEY))["all.txt"] == IRIS


if __name__ == "__main__":
    tap.run([f for name, f in list(globals().items())
             if callable(f) and getattr(f, "__module__", None) == "__main__" and
             not hasattr(f, "__wrapped__") and f.__code__.co_argcount == 0])
