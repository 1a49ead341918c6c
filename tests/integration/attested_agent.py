# SPDX-License-Identifier: Apache-2.0
"""The agent's attested listener, asked by a client of another make: evidence of simulated TEEs and of a
software TPM over this very session, before the first byte of gRPC; and the whole job behind it."""
import contextlib
import hashlib
import json
import os
import subprocess

import cbor2
import grpc
from OpenSSL import SSL

import attested_peer as peer
import tap
from agent_evidence import Machine, claims_of, quotes_of, run_form, spki_of
from agent_job import ALGO_KEY, DATA_KEY, IRIS, NORMAL, SUM, USER_KEY, manifest, unzip
from agent_peer import Authority, Client, WAIT, agent_pb2, agent_pb2_grpc, free_port, refused
from agent_tpm import Tpm, canonical
from attested_peer import AttestedClient, Identity, Over, Refused, frame, make_request
from harness import PATIENCE, Folder, plateau, program, until
from teesim import Teesim

Code = grpc.StatusCode


@contextlib.contextmanager
def attested(*options, config=None, development=True, make=None):
    """An agent with these devices whose manifest asks for attested TLS; `make` makes another one."""
    machine = Machine(options, development)
    try:
        machine.service.wait_connected()
        machine.port = free_port()
        machine.manifest = (make(machine.port) if make else manifest(
            machine.port, config={"attested_tls": True, **(config or {})}))
        machine.service.send(runReq=machine.manifest)
        answer = machine.service.answer_to_run()
        assert answer.error == "", answer
        yield machine
    except BaseException:
        print("# the agent's output:")
        for line in machine.agent.output().splitlines():
            print("#", line)
        raise
    finally:
        machine.remove()


@contextlib.contextmanager
def with_tee(kind="snp", **more):
    with Folder() as folder, Teesim(folder, kind) as tee, \
            attested("--tsm", tee.mount, **more) as machine:
        yield tee, machine


@contextlib.contextmanager
def with_tpm(**more):
    tpm = Tpm()
    try:
        with attested("--tcti", tpm.tcti, development=False, **more) as machine:
            yield tpm, machine
    finally:
        tpm.remove()


@contextlib.contextmanager
def client_of(machine, **tls):
    client = AttestedClient.connect("127.0.0.1", machine.port, **tls)
    try:
        yield client
    finally:
        client.close()


@contextlib.contextmanager
def stub_of(client):
    with client.bridge() as address, grpc.insecure_channel(address) as channel:
        yield agent_pb2_grpc.AgentServiceStub(channel)


def check_claims(client, claims, platform):
    assert claims["platform_type"] == platform
    assert claims["x-cocos-nonce-use"] == "channel"
    assert claims[10] == client.tpm_nonce
    assert spki_of(claims) == client.spki


def check_snp(client, report):
    assert report[0x50:0x90] == client.report_data


def check_tdx(client, quote):
    assert quote[48 + 520:48 + 584] == client.report_data


def check_run(machine, claims, evidence_at):
    statement = claims["x-cocos-run"]
    assert hashlib.sha3_256(canonical(machine.manifest)).digest() in statement
    wanted = hashlib.sha512(run_form(statement)).digest()
    assert claims["x-cocos-run-evidence"][evidence_at:evidence_at + 64] == wanted


def evidence_of_a_tee_is_over_this_session():
    for kind, platform, check, run_at in (("snp", "SNP", check_snp, 0x50),
                                          ("tdx", "TDX", check_tdx, 568)):
        with with_tee(kind) as (_, machine):
            seen = set()
            for suites in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"):
                with client_of(machine, context=b"c" * 32, suites=suites) as client:
                    claims = claims_of(client.evidence)
                    check_claims(client, claims, platform)
                    check(client, claims["raw_report"])
                    check_run(machine, claims, run_at)
                    seen.add(client.report_data)
            assert len(seen) == 2


def evidence_of_a_tpm_is_over_this_session():
    with with_tpm() as (_, machine), client_of(machine) as client:
        claims = claims_of(client.evidence)
        check_claims(client, claims, "vTPM")
        quotes = quotes_of(claims["raw_report"])
        assert quotes and all(quote[0] == client.tpm_nonce for quote in quotes)


def the_whole_job_behind_it():
    """With evidence again in the middle, of the same session and machine."""
    with with_tee() as (_, machine), client_of(machine) as client:
        first = claims_of(client.evidence)["raw_report"]
        with client.bridge() as address:
            owner = Client(int(address.rsplit(":", 1)[1]))
            owner.algo(SUM, ALGO_KEY)
            owner.data(IRIS, DATA_KEY, "iris.csv")
            machine.service.wait_event("ConsumingResults/Ready")
            request = make_request()
            answer, = owner.stub.Reattest(iter([agent_pb2.ReattestRequest(request=request)]),
                                          timeout=WAIT)
            found = client.judge(request, answer.authenticator)
            claims = claims_of(found.evidence)
            check_claims(found, claims, "SNP")
            check_snp(found, claims["raw_report"])
            # REPORT_ID, chip and measurement are the first ones.
            for start, end in ((0x90, 0xC0), (0x140, 0x160), (0x1A0, 0x1E0)):
                assert claims["raw_report"][start:end] == first[start:end]
            assert unzip(owner.result(USER_KEY))["all.txt"] == IRIS
            machine.service.wait_event("Complete/Completed")
            assert machine.service.events() == NORMAL
            owner.close()


def a_context_serves_once():
    with with_tee() as (_, machine), client_of(machine) as client, stub_of(client) as stub:
        def ask(request):
            return list(stub.Reattest(iter([agent_pb2.ReattestRequest(request=request)]),
                                      timeout=WAIT))
        refused(Code.PERMISSION_DENIED, "used before", ask, client.request)
        request = make_request()
        assert len(ask(request)) == 1
        refused(Code.PERMISSION_DENIED, "used before", ask, request)
        refused(Code.INVALID_ARGUMENT, "request", ask, request[:-1])


def who_does_not_ask_gets_nothing():
    """HTTP/2 without a request, TLS 1.2, no ALPN, plaintext: not one byte of HTTP/2 comes back."""
    with with_tee() as (_, machine):
        connection = peer.connect("127.0.0.1", machine.port)
        connection.send(peer.HTTP2_PREFACE + peer.HTTP2_SETTINGS)
        assert connection.rest() == b""
        connection.close()
        for tls in ({"versions": (SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION)}, {"alpn": False}):
            try:
                connection = peer.connect("127.0.0.1", machine.port, **tls)
                connection.send(frame(peer.REQUEST, make_request()))
                assert connection.rest() == b""
            except Over:
                pass
        with grpc.insecure_channel(f"127.0.0.1:{machine.port}") as channel:
            refused(Code.UNAVAILABLE, "", agent_pb2_grpc.AgentServiceStub(channel).Status,
                    agent_pb2.StatusRequest(), timeout=WAIT)


def owners_can_be_asked_for_certificates():
    authority = Authority()
    certificate, key = authority.issue("client")
    config = {"client_ca_file": authority.pem}
    with with_tee(config=config) as (_, machine):
        owner = Identity("owner")
        owner.certificate = peer.x509.load_pem_x509_certificate(certificate.encode())
        owner.key = peer.serialization.load_pem_private_key(key.encode(), None)
        with client_of(machine, identity=owner) as client:
            check_snp(client, claims_of(client.evidence)["raw_report"])
        for stranger in (None, Identity("stranger")):
            try:
                AttestedClient.connect("127.0.0.1", machine.port, identity=stranger)
                raise AssertionError("served without a certificate of the CA")
            except Over:
                pass


def a_supplied_key_is_used_and_told():
    authority = Authority()
    certificate, key = authority.issue("localhost")
    with with_tee(config={"cert_file": certificate, "key_file": key}) as (_, machine):
        with client_of(machine) as client:
            claims = claims_of(client.evidence)
            check_claims(client, claims, "SNP")
            shown = peer.x509.load_pem_x509_certificate(certificate.encode())
            assert client.spki == peer.spki_of(shown.public_key())
            assert cbor2.loads(claims["x-cocos-run"])[8] is True


def hardware_that_misbehaves_opens_nothing():
    with with_tee() as (tee, machine):
        for fault in ("stale-report", "wrong-report-data", "truncated"):
            tee.fault(fault)
            try:
                AttestedClient.connect("127.0.0.1", machine.port)
                raise AssertionError(f"an authenticator in spite of {fault}")
            except (Over, Refused):
                pass
            tee.fault()
            with client_of(machine) as client:
                check_snp(client, claims_of(client.evidence)["raw_report"])


def run_client(machine, *options):
    return subprocess.run([program("tests/attested/attested_client"), f"127.0.0.1:{machine.port}",
                           "--agent", *options], capture_output=True, text=True, timeout=PATIENCE,
                          check=False)


def descriptors(machine):
    """How many the agent's two processes have open."""
    pid = machine.agent.process.pid
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        pids = [pid, *map(int, file.read().split())]
    return sum(len(os.listdir(f"/proc/{each}/fd")) for each in pids)


def many_connections_leave_nothing_behind():
    with with_tee() as (_, machine):
        before = descriptors(machine)

        def load():
            done = run_client(machine, "--count", "300", "--parallel", "50", "--connect-ms", "60000")
            assert done.returncode == 0, done
            until(lambda: descriptors(machine) <= before, "the end of the connections")
            figures = json.loads(done.stdout)
            assert figures["appraised"] == 300, figures
            return figures

        figures, memory = plateau(machine.agent.process.pid, load)
        print(f"# 300 connections, 50 at a time: {300 / figures['seconds']:.0f} a second with the "
              f"simulated device; {memory >> 10} KiB of the agent's own, before and after")
        assert memory <= 16 << 20, memory


def a_flood_of_requests_is_bounded():
    """More ask for evidence at a time than may wait: they are told off, and an owner gets on."""
    with with_tee() as (tee, machine), client_of(machine) as owner, stub_of(owner) as stub:
        tee.fault("busy")  # what asks now waits for a while
        flood = [peer.connect("127.0.0.1", machine.port) for _ in range(120)]
        for connection in flood:
            connection.send(frame(peer.REQUEST, make_request()))
        assert stub.Status(agent_pb2.StatusRequest(), timeout=WAIT).computation_id == "c-1"
        for connection in flood:
            assert connection.rest() == b""
            connection.close()
        tee.fault()
        request = make_request()
        answer, = stub.Reattest(iter([agent_pb2.ReattestRequest(request=request)]), timeout=WAIT)
        check_snp(owner.judge(request, answer.authenticator),
                  claims_of(owner.judge(request, answer.authenticator).evidence)["raw_report"])
        assert "too many wait" in machine.agent.output()
        assert run_client(machine).returncode == 0


def a_stop_ends_attested_connections():
    with with_tee() as (_, machine):
        with client_of(machine) as client:
            machine.service.send(stopComputation={"computation_id": machine.manifest.id})
            client.connection.rest()
        again = manifest(machine.port, config={"attested_tls": True}, id="c-2")
        machine.service.wait(lambda s: s.of("stop_computation_res"))
        machine.service.send(runReq=again)
        assert machine.service.answer_to_run(1).error == ""
        with client_of(machine) as other:
            # The machine's own identity is that of its boot.
            assert other.spki == client.spki


def without_evidence_such_a_manifest_is_refused():
    machine = Machine((), True)
    try:
        machine.service.wait_connected()
        machine.service.send(runReq=manifest(free_port(), config={"attested_tls": True}))
        error = machine.service.answer_to_run().error
        assert error.startswith("UNAVAILABLE") and "attested_tls" in error and "TEE" in error, error
    finally:
        machine.remove()


if __name__ == "__main__":
    tap.run([
        evidence_of_a_tee_is_over_this_session,
        evidence_of_a_tpm_is_over_this_session,
        the_whole_job_behind_it,
        a_context_serves_once,
        who_does_not_ask_gets_nothing,
        owners_can_be_asked_for_certificates,
        a_supplied_key_is_used_and_told,
        hardware_that_misbehaves_opens_nothing,
        many_connections_leave_nothing_behind,
        a_flood_of_requests_is_bounded,
        a_stop_ends_attested_connections,
        without_evidence_such_a_manifest_is_refused,
    ])
