# SPDX-License-Identifier: Apache-2.0
"""cocos-computations with agents written from wire.md alone."""
import contextlib
import itertools
import json
import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import grpc

import sample
import tap
from harness import (PATIENCE, Computations, FakeAgent, Folder, Process, Refused, authority, cli,
                     computations, computations_grpc, credentials, cvms, cvms_grpc, health,
                     health_grpc, is_for_administrators, program, reflection, reflection_grpc, spki,
                     until)

KEY, _ = spki()
UNNAMED = itertools.count(1)


def manifest(**fields):
    # In a workspace no two computations have one name.
    values = {"name": fields.get("id") or f"test {next(UNNAMED)}", "algorithm": cvms.Algorithm(hash=b"a" * 32, userKey=KEY),
              "result_consumers": [cvms.ResultConsumer(userKey=KEY)]}
    values.update(fields)
    return cvms.ComputationRunReq(**values)


def create(service, **fields):
    return service.admin.Create(computations.CreateRequest(manifest=manifest(**fields)),
                                timeout=PATIENCE).id


def run(service, computation, cvm=""):
    return service.admin.Run(computations.RunRequest(id=computation, cvm_id=cvm), timeout=PATIENCE)


def refused(code, call, *arguments, **keywords):
    try:
        call(*arguments, timeout=PATIENCE, **keywords)
    except grpc.RpcError as error:
        assert error.code() == code, f"{error.code()}: {error.details()}"
        return error.details()
    raise AssertionError("it is not refused")


def records(service, computation, after=0, **request):
    return list(service.admin.Logs(computations.LogsRequest(id=computation, after=after, **request),
                                   timeout=PATIENCE))


def identifiers(service):
    """Of all computations, page by page."""
    found, after = set(), ""
    while True:
        page = service.admin.List(computations.ListRequest(after=after), timeout=PATIENCE)
        found |= {c.id for c in page.computations}
        after = page.next
        if not after:
            return found


def agent_of(service, cvm="cvm-1", **keywords):
    return FakeAgent(f"127.0.0.1:{service.port}", cvm, **keywords)


def connected(service, cvm):
    request = computations.CvmRequest(id=cvm)

    def is_there():
        try:
            return service.admin.ShowCvm(request, timeout=PATIENCE).connected
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.NOT_FOUND
            return False
    return is_there


def gone(service, cvm):
    return lambda: not connected(service, cvm)()


def orphaned(service):
    """A computation that runs at a CVM whose connection has ended."""
    with agent_of(service) as agent:
        computation = create(service)
        until(connected(service, "cvm-1"), "the connection")
        run(service, computation)
        agent.manifest()
        agent.event(computation, "Running", "InProgress")
        service.until_state(computation, "Running")
    until(gone(service, "cvm-1"), "the end of the connection")
    return computation


def a_failed_handshake_leaves_a_line():
    with Folder() as folder, Folder() as tls:
        authority(tls)
        with Computations(folder, tls, client_ca=True) as service:
            with socket.create_connection(("127.0.0.1", service.port)) as raw:
                raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
                at = raw.getsockname()[1]
                found = service.process.wait_line(
                    rf"info  127\.0\.0\.1:{at}: TLS handshake failed: (.+)")
                assert "http request" in found[1], found[1]
            # What is refused before OpenSSL hears of it: a hello of 64 KiB announced.
            with socket.create_connection(("127.0.0.1", service.port)) as raw:
                raw.sendall(bytes.fromhex("16030140000100ffff"))
                at = raw.getsockname()[1]
                service.process.wait_line(
                    rf"info  127\.0\.0\.1:{at}: TLS handshake failed: TLS: a ClientHello of 65535 bytes")
            # Without a certificate; and who only looks whether the port is open leaves none.
            with socket.create_connection(("127.0.0.1", service.port)) as raw:
                looked = raw.getsockname()[1]
            with grpc.secure_channel(f"localhost:{service.port}", credentials(tls)) as channel:
                refused(grpc.StatusCode.UNAVAILABLE,
                        health_grpc.HealthStub(channel).Check, health.HealthCheckRequest())
            service.process.wait_line("TLS handshake failed: .*certificate")
            assert f"127.0.0.1:{looked}:" not in service.process.text()


def strangers_who_fail_do_not_fill_the_log():
    """Ten lines, then one a second, which counts what was left out."""
    with Folder() as folder, Folder() as tls:
        authority(tls)
        with Computations(folder, tls, client_ca=True) as service:
            def fail():
                with socket.create_connection(("127.0.0.1", service.port)) as raw, \
                        contextlib.suppress(ConnectionError):
                    raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
                    while raw.recv(1024):
                        pass

            def counted():
                return sum(map(int, re.findall(r"TLS handshake failed: .* \(and (\d+) more before it\)",
                                               service.process.text())))

            begun, tried = time.monotonic(), 300
            for _ in range(tried):
                fail()
            lines = service.process.text().count("TLS handshake failed")
            assert 1 <= lines <= 10 + (time.monotonic() - begun) + 1, lines
            until(lambda: [fail() for _ in range(100)] and counted(), "a line that counts the others")


def an_agent_is_asked_for_its_state_and_listed():
    with Folder() as folder, Computations(folder) as service, agent_of(service) as agent:
        assert agent.next("agentStateReq").id == "cvm-1"
        rows = until(lambda: [c for c in service.admin.ListCvms(
            computations.ListRequest(), timeout=PATIENCE).cvms if c.agent_state], "the answer")
        assert [(c.id, c.connected, c.agent_state) for c in rows] == [
            ("cvm-1", True, "ReceivingManifest")]


def a_run_is_followed_from_manifest_to_results():
    with Folder() as folder, Computations(folder) as service, agent_of(service) as agent:
        computation = create(service, id="long", description="x" * 1000)
        assert service.show(computation).state == "Created"
        until(connected(service, "cvm-1"), "the connection")
        assert run(service, computation).cvm_id == "cvm-1"
        got = agent.manifest()
        assert got == manifest(id=computation, description="x" * 1000)
        agent.say(run_res=cvms.RunResponse(computation_id=computation, notice="development"))
        service.until_state(computation, "Waiting for Algorithm")
        assert service.show(computation).notice == "development"
        for kind, status, state in [("ReceivingAlgorithm", "InProgress", "Waiting for Algorithm"),
                                    ("ReceivingData", "InProgress", "Waiting for Datasets"),
                                    ("Running", "Starting", "Running"),
                                    ("Running", "InProgress", "Running"),
                                    ("Running", "Completed", "Running"),
                                    ("ConsumingResults", "Ready", "Completed")]:
            agent.event(computation, kind, status)
            until(lambda: len(records(service, computation)) and
                  records(service, computation)[-1].status == status, status)
            assert service.show(computation).state == state
        assert not service.show(computation).finished
        agent.event(computation, "Complete", "Completed")
        until(lambda: service.show(computation).finished, "the end")
        assert service.show(computation).state == "Completed"


def a_large_manifest_comes_in_chunks_of_a_mebibyte():
    with Folder() as folder, Computations(folder) as service, agent_of(service) as agent:
        datasets = [cvms.Dataset(hash=n.to_bytes(32, "big"), userKey=KEY, filename=f"{n}-" + "n" * 240)
                    for n in range(256)]
        config = cvms.AgentConfig(server_ca_file="# " + "c" * 3000000)
        computation = create(service, name="large", datasets=datasets, agent_config=config)
        until(connected(service, "cvm-1"), "the connection")
        run(service, computation)
        got = agent.manifest()
        assert len(got.SerializeToString()) > 3000000
        assert got == manifest(id=computation, name="large", datasets=datasets, agent_config=config)


def a_refused_manifest_fails_and_frees_its_cvm():
    with Folder() as folder, Computations(folder) as service, agent_of(service) as agent:
        first, second = create(service), create(service)
        until(connected(service, "cvm-1"), "the connection")
        run(service, first)
        agent.manifest()
        agent.say(run_res=cvms.RunResponse(computation_id=first, error="no such hash"))
        service.until_state(first, "Failed")
        assert service.show(first).failure == "no such hash"
        # Which CVMs there are is not why it can't be run: nor is this said where one is free.
        for free in (True, False):
            assert "was run before (Failed): 'computation retry' runs" in refused(
                grpc.StatusCode.FAILED_PRECONDITION, service.admin.Run, computations.RunRequest(id=first))
            if free:
                run(service, second)
        assert agent.manifest().id == second
        agent.say(run_res=cvms.RunResponse(computation_id=second, error="nor this"))
        service.until_state(second, "Failed")
        second = create(service)
        run(service, second)
        assert agent.manifest().id == second


def an_agent_that_reconnects_finds_its_computation():
    with Folder() as folder, Computations(folder) as service:
        computation = orphaned(service)
        with agent_of(service, answers_state="Running") as agent:
            agent.next("agentStateReq")
            agent.event(computation, "ConsumingResults", "Ready")
            service.until_state(computation, "Completed")
            # It has the manifest and does not get it again.
            assert all(m.WhichOneof("message") != "runReqChunks" for m in list(agent.heard.queue))


def an_agent_that_was_restarted_gets_the_manifest_again():
    with Folder() as folder, Computations(folder) as service:
        computation = orphaned(service)
        with agent_of(service) as agent:
            assert agent.manifest().id == computation


def an_agent_that_never_tells_its_state_gets_its_manifest():
    with Folder() as folder, Computations(folder) as service:
        with agent_of(service, answers_state=None) as agent:
            computation = create(service)
            until(connected(service, "cvm-1"), "the connection")
            run(service, computation)
            agent.next("runReqChunks")
        until(gone(service, "cvm-1"), "the end of the connection")
        with agent_of(service, answers_state=None) as agent:
            assert agent.manifest().id == computation


def the_service_comes_back_and_knows_everything():
    with Folder() as folder, Computations(folder) as service:
        with agent_of(service) as agent:
            computation = create(service)
            until(connected(service, "cvm-1"), "the connection")
            run(service, computation)
            agent.manifest()
            agent.event(computation, "Running", "InProgress", b'{"step":1}')
            service.until_state(computation, "Running")
            assert service.process.stop() == 0
            assert agent.ended() == grpc.StatusCode.UNAVAILABLE
        service.channel.close()
        service.start()
        assert service.show(computation).state == "Running"
        assert [r.text for r in records(service, computation)] == ['{"step":1}']
        with agent_of(service, answers_state="Running") as agent:
            agent.event(computation, "Complete", "Completed")
            service.until_state(computation, "Completed")


def a_newer_connection_of_a_cvm_takes_over():
    with Folder() as folder, Computations(folder) as service, agent_of(service) as older:
        until(connected(service, "cvm-1"), "the connection")
        with agent_of(service) as newer:
            assert older.ended() == grpc.StatusCode.ABORTED
            newer.next("agentStateReq")
            computation = create(service)
            run(service, computation)
            assert newer.manifest().id == computation


def stop_reaches_the_agent_and_frees_the_cvm():
    with Folder() as folder, Computations(folder) as service, agent_of(service) as agent:
        first, second = create(service), create(service)
        until(connected(service, "cvm-1"), "the connection")
        run(service, first)
        agent.manifest()
        agent.event(first, "Running", "InProgress")
        service.until_state(first, "Running")
        service.admin.Stop(computations.ComputationRequest(id=first), timeout=PATIENCE)
        assert agent.next("stopComputation").computation_id == first
        assert service.show(first).stopping
        refused(grpc.StatusCode.FAILED_PRECONDITION, service.admin.Run,
                computations.RunRequest(id=second, cvm_id="cvm-1"))
        agent.say(stop_computation_res=cvms.StopComputationResponse(computation_id=first))
        until(lambda: not service.show(first).stopping, "the confirmation")
        assert service.show(first).state == "Cancelled"
        run(service, second)
        assert agent.manifest().id == second


def one_that_failed_is_run_again_where_it_was():
    """And what its agent says twice of the end of the first run ends nothing."""
    def again(code=None, **more):
        request = computations.RunRequest(id=computation, again=True, **more)
        return refused(code, service.admin.Run, request) if code else service.admin.Run(request, timeout=PATIENCE)
    precondition = grpc.StatusCode.FAILED_PRECONDITION
    stopped = cvms.StopComputationResponse()
    with Folder() as folder, Computations(folder) as service, agent_of(service, cvm="other"):
        with agent_of(service) as agent:
            computation = stopped.computation_id = create(service)
            until(connected(service, "cvm-1"), "the connection")
            assert "Created" in again(precondition)
            run(service, computation, "cvm-1")
            first = agent.manifest()
            agent.event(computation, "Failed", "Failed", b'{"error":"exit code 3"}')
            service.until_state(computation, "Failed")
            assert "stop it first" in again(precondition)
            service.admin.Stop(computations.ComputationRequest(id=computation), timeout=PATIENCE)
            agent.next("stopComputation")
            agent.say(stop_computation_res=stopped)
            until(lambda: not service.show(computation).stopping, "the confirmation")
            shown = again()
            assert (shown.state, shown.failure, shown.cvm_id) == ("Created", "", "cvm-1"), shown
            assert agent.manifest() == first
            agent.say(run_res=cvms.RunResponse(computation_id=computation))
            service.until_state(computation, "Waiting for Algorithm")
        until(gone(service, "cvm-1"), "the end of the connection")
        with agent_of(service, answers_state=None) as agent:
            agent.event(computation, "Failed", "Failed", b'{"error":"exit code 3"}')
            agent.say(stop_computation_res=stopped)
            agent.say(agent_state_res=cvms.AgentStateRes(state="ReceivingAlgorithm"))
            agent.log(computation, "all that")
            until(lambda: "all that" in [r.text for r in records(service, computation)], "the last word")
            shown = service.show(computation)
            assert (shown.state, shown.finished, shown.failure) == ("Waiting for Algorithm", False, ""), shown
            assert [c.computation_id for c in service.admin.ListCvms(
                computations.ListRequest(), timeout=PATIENCE).cvms if c.id == "cvm-1"] == [computation]
            assert "Waiting for Algorithm" in again(precondition)


def what_is_said_again_of_an_older_run_fails_no_retry():
    with Folder() as folder, Computations(folder) as service, agent_of(service) as agent:
        computation = create(service)
        until(connected(service, "cvm-1"), "the connection")
        run(service, computation, "cvm-1")

        def say(attempt):
            """Refused, and that it failed; a line behind it, so that both were heard."""
            agent.say(run_res=cvms.RunResponse(computation_id=computation, error=f"INTERNAL: of {attempt}",
                                               attempt=attempt))
            agent.say(agent_event=cvms.AgentEvent(event_type="Failed", status="Failed", computation_id=computation,
                                                  details=b"{}", attempt=attempt))
            agent.log(computation, f"behind {attempt}")
        for attempt in (1, 2, 3):
            agent.manifest()
            assert agent.attempt == attempt, agent.attempt
            for old in (attempt - 1, attempt + 1, (1 << 64) - 1):
                if not old:
                    continue
                behind = [r.text for r in records(service, computation)].count(f"behind {old}")
                say(old)
                until(lambda o=old, b=behind: [r.text for r in records(service, computation)].count(f"behind {o}") > b,
                      "the line")
                shown = service.show(computation)
                assert (shown.state, shown.finished, shown.failure) == ("Created", False, ""), (attempt, old, shown)
            # The honest twin: its own; and one that knows of no attempts.
            agent.say(run_res=cvms.RunResponse(computation_id=computation, error="INTERNAL: now",
                                               attempt=attempt if attempt < 3 else 0))
            service.until_state(computation, "Failed")
            assert service.show(computation).failure == "INTERNAL: now"
            if attempt < 3:
                service.admin.Stop(computations.ComputationRequest(id=computation), timeout=PATIENCE)
                until(lambda: not service.show(computation).stopping, "the end")
                service.admin.Run(computations.RunRequest(id=computation, again=True), timeout=PATIENCE)


def a_retry_does_not_wait_for_a_cvm_that_is_away():
    with Folder() as folder, Computations(folder) as service:
        with agent_of(service) as agent:
            computation = create(service)
            until(connected(service, "cvm-1"), "the connection")
            run(service, computation, "cvm-1")
            agent.manifest()
            agent.event(computation, "Failed", "Failed", b'{"error":"exit code 3"}')
            service.until_state(computation, "Failed")
            service.admin.Stop(computations.ComputationRequest(id=computation), timeout=PATIENCE)
            agent.next("stopComputation")
            agent.say(stop_computation_res=cvms.StopComputationResponse(computation_id=computation))
            until(lambda: not service.show(computation).stopping, "the confirmation")
        until(gone(service, "cvm-1"), "the end of the connection")
        assert "is not connected" in refused(grpc.StatusCode.UNAVAILABLE, service.admin.Run,
                                             computations.RunRequest(id=computation, again=True))
        assert service.show(computation).state == "Failed"
        with agent_of(service, cvm="other") as agent:
            until(connected(service, "other"), "the connection")
            service.admin.Run(computations.RunRequest(id=computation, again=True, cvm_id="other"), timeout=PATIENCE)
            agent.manifest()


def a_stop_waits_for_an_agent_that_is_away():
    with Folder() as folder, Computations(folder) as service:
        computation = orphaned(service)
        service.admin.Stop(computations.ComputationRequest(id=computation), timeout=PATIENCE)
        assert service.show(computation).state == "Cancelled"
        with agent_of(service, answers_state="Running") as agent:
            assert agent.next("stopComputation").computation_id == computation


def what_is_removed_by_force_is_stopped_and_frees_its_cvm():
    with Folder() as folder, Computations(folder) as service:
        away, second = orphaned(service), create(service)
        service.admin.Remove(computations.RemoveRequest(id=away, force=True), timeout=PATIENCE)
        with agent_of(service, answers_state="ConsumingResults") as agent:
            assert agent.next("stopComputation").computation_id == away
            refused(grpc.StatusCode.FAILED_PRECONDITION, service.admin.Run,
                    computations.RunRequest(id=second, cvm_id="cvm-1"))
            agent.say(stop_computation_res=cvms.StopComputationResponse(computation_id=away))
            agent.log("", "stopped")  # said in order, so kept after it
            until(lambda: records(service, "", cvm_id="cvm-1"), "the confirmation")
            run(service, second)
            assert agent.manifest().id == second
            service.admin.Remove(computations.RemoveRequest(id=second, force=True), timeout=PATIENCE)
            assert agent.next("stopComputation").computation_id == second


def nobody_speaks_of_anothers_computation():
    with Folder() as folder, Computations(folder) as service:
        with agent_of(service) as agent, agent_of(service, cvm="evil") as evil:
            computation = create(service)
            until(connected(service, "cvm-1"), "the connection")
            until(connected(service, "evil"), "the connection")
            run(service, computation, "cvm-1")
            agent.manifest()
            evil.event(computation, "Failed", "Failed", b'{"error":"lie"}')
            evil.log(computation, "lie")
            evil.say(run_res=cvms.RunResponse(computation_id=computation, error="lie"))
            evil.say(stop_computation_res=cvms.StopComputationResponse(computation_id=computation))
            evil.log("", "the last thing")
            until(lambda: len(records(service, "", cvm_id="evil")) == 1, "the last thing")
            assert service.show(computation).state == "Created"
            assert records(service, computation) == []


def who_speaks_of_anothers_does_not_fill_the_log():
    times = 2000  # so many that what a second lets through does not count
    with Folder() as folder, Computations(folder) as service:
        create(service, id="own")
        with agent_of(service) as agent:
            until(connected(service, "cvm-1"), "the connection")
            run(service, "own")
            for _ in range(times):
                agent.log("another's", "x")
            agent.log("own", "the last")
            until(lambda: [r for r in records(service, "own") if r.text == "the last"], "the last line")
        assert 1 <= service.process.text().count("speaks of computation") < times / 2


def what_is_no_text_is_made_one():
    with Folder() as folder, Computations(folder) as service, agent_of(service) as agent:
        computation = create(service)
        until(connected(service, "cvm-1"), "the connection")
        run(service, computation)
        agent.manifest()
        agent.event(computation, "Running", "InProgress", b"\xff\x00\x1b[2Jx")
        agent.log(computation, "\x1b]0;title\x07bell")
        until(lambda: len(records(service, computation)) == 2, "both records")
        assert records(service, computation)[0].text == "??\x1b[2Jx"
        shown = cli("computation", "logs", computation,
                    COMPUTATIONS_GRPC_URL="unix:" + service.socket).ok()
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", shown), repr(shown)
        assert "?]0;title?bell" in shown


def a_flood_is_kept_within_bounds():
    limit = 200
    with Folder() as folder:
        with Computations(folder, MAX_RECORDS=str(limit), MAX_RECORD_BYTES="1M") as service:
            with agent_of(service) as agent:
                computation = create(service)
                until(connected(service, "cvm-1"), "the connection")
                run(service, computation)
                agent.manifest()
                for number in range(20000):
                    agent.log(computation, f"{number} " + "x" * 500)
                agent.event(computation, "Running", "InProgress")
                service.until_state(computation, "Running")
                kept = records(service, computation)
                assert len(kept) <= limit
                assert kept[-1].event
                assert kept[-2].text.startswith("19999 ")
                shown = service.show(computation)
                assert shown.records + shown.records_dropped == 20001
                assert os.path.getsize(folder("state", "computations.db")) < 8 << 20
                assert service.process.written() < 96 << 20, service.process.written()


def a_giant_line_is_cut():
    with Folder() as folder, Computations(folder) as service, agent_of(service) as agent:
        computation = create(service)
        until(connected(service, "cvm-1"), "the connection")
        run(service, computation)
        agent.manifest()
        agent.log(computation, "y" * (3 << 20))
        until(lambda: records(service, computation), "the record")
        assert records(service, computation)[0].text == "y" * 65536


def ids_of_cvms_are_checked():
    with Folder() as folder, Computations(folder) as service:
        for cvm in ("a b", "x" * 256, ".", "..", "../x", "/"):
            with agent_of(service, cvm=cvm) as agent:
                assert agent.ended() == grpc.StatusCode.INVALID_ARGUMENT, cvm
        with grpc.insecure_channel(f"127.0.0.1:{service.port}") as channel:
            stream = cvms_grpc.ServiceStub(channel).Process(iter([]))
            try:
                list(stream)
                raise AssertionError("without a job-id it is let in")
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
        with agent_of(service, cvm="x" * 255) as agent:
            agent.next("agentStateReq")


FORWARDER = (("connection-type", "log-forwarder"),)


def a_log_forwarder_reports_beside_its_agent():
    """A stock guest image has two programs that open Process with one job-id: the agent, and one that
    sends logs and events. Neither keeps the other out, and the second has no say in anything else."""
    with Folder() as folder, Computations(folder) as service, agent_of(service) as agent:
        until(connected(service, "cvm-1"), "the connection")
        with agent_of(service, metadata=FORWARDER) as forwarder:
            service.process.wait_line("CVM 'cvm-1' reports from")
            reports_and_no_more(service, agent, forwarder)


def reports_and_no_more(service, agent, forwarder):
    computation = create(service)
    run(service, computation)
    agent.manifest()
    agent.say(run_res=cvms.RunResponse(computation_id=computation))
    service.until_state(computation, "Waiting for Algorithm")
    forwarder.log(computation, "from the forwarder")
    forwarder.event(computation, "Running", "InProgress")
    service.until_state(computation, "Running")
    # What only the agent can say is not heard: the order of the stream tells when it was read.
    forwarder.say(run_res=cvms.RunResponse(computation_id=computation, error="no"))
    forwarder.say(stop_computation_res=cvms.StopComputationResponse(computation_id=computation))
    forwarder.say(agent_state_res=cvms.AgentStateRes(id="cvm-1", state="Failed"))
    forwarder.log(computation, "after that")
    until(lambda: records(service, computation)[-1].text == "after that", "its last line")
    assert service.show(computation).state == "Running", service.show(computation)
    assert "from the forwarder" in [r.text for r in records(service, computation)]
    # A newer one takes the place of its kind alone.
    with agent_of(service, metadata=FORWARDER) as newer:
        last = forwarder.heard.get(timeout=PATIENCE)
        assert isinstance(last, grpc.RpcError), f"it was told something: {last}"
        assert last.code() == grpc.StatusCode.ABORTED
        newer.log(computation, "from the newer one")
        until(lambda: records(service, computation)[-1].text == "from the newer one", "its line")
    with agent_of(service) as again:
        assert agent.ended() == grpc.StatusCode.ABORTED
        assert again.next("agentStateReq").id == "cvm-1"


def a_forwarder_is_no_cvm():
    """It has a place of its own, and none as a CVM before its agent: what names it brings is not kept."""
    with Folder() as folder, Computations(folder, MAX_CVMS="1") as service:
        with agent_of(service, cvm="b", metadata=FORWARDER):
            service.process.wait_line("CVM 'b': its log-forwarder waits for its agent")
            refused(grpc.StatusCode.NOT_FOUND, service.admin.ShowCvm, computations.CvmRequest(id="b"))
            with agent_of(service, cvm="c", metadata=FORWARDER) as other:
                assert other.ended() == grpc.StatusCode.RESOURCE_EXHAUSTED
        with agent_of(service, cvm="a") as agent:
            agent.next("agentStateReq")
            with agent_of(service, cvm="a", metadata=FORWARDER) as forwarder:
                service.process.wait_line("CVM 'a' reports from")
                agent.close()
                until(gone(service, "a"), "the end of the agent's connection")
                assert forwarder.stream.is_active()
                with agent_of(service, cvm="a") as again:
                    again.next("agentStateReq")
                assert forwarder.stream.is_active()


def one_cvm_too_many_is_refused():
    with Folder() as folder, Computations(folder, MAX_CVMS="2") as service:
        with agent_of(service, cvm="a") as a, agent_of(service, cvm="b") as b:
            a.next("agentStateReq")
            b.next("agentStateReq")
            with agent_of(service, cvm="c") as c:
                assert c.ended() == grpc.StatusCode.RESOURCE_EXHAUSTED
        until(gone(service, "a"), "the end")
        until(gone(service, "b"), "the end")
        with agent_of(service, cvm="c") as c:
            c.next("agentStateReq")


def one_certificate_leaves_others_a_quarter():
    """Of four CVMs: three by one key, which had its share with the first; the fourth is for others."""
    with Folder() as tls, Folder() as folder:
        authority(tls)
        with Computations(folder, tls, client_ca=True, MAX_CVMS="4") as service, contextlib.ExitStack() as stack:
            def arrives(cvm, who):
                agent = stack.enter_context(FakeAgent(f"localhost:{service.port}", cvm, credentials(tls, who)))
                agent.next("agentStateReq")
                return agent
            first = [arrives(cvm, "other-client") for cvm in "abc"]
            with FakeAgent(f"localhost:{service.port}", "d", credentials(tls, "other-client")) as d:
                assert d.ended() == grpc.StatusCode.RESOURCE_EXHAUSTED
            arrives("d", "client")
            arrives("a", "other-client")  # its own CVM comes back, whatever there is
            assert first[0].ended() == grpc.StatusCode.ABORTED
            with FakeAgent(f"localhost:{service.port}", "e", credentials(tls, "client")) as e:
                assert e.ended() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert all(agent.stream.is_active() for agent in first[1:])


def made_up(service, tls, who, names):
    """An agent under one name after the other, with that certificate; each goes again."""
    for name in names:
        with FakeAgent(f"localhost:{service.port}", name, credentials(tls, who)) as agent:
            agent.next("agentStateReq")
        until(gone(service, name), "the end of its connection")


def one_certificate_does_not_take_all_names():
    """Who makes up CVMs has no place that another key wants; what was used or is there stays whose it is."""
    with Folder() as tls, Folder() as folder:
        authority(tls)
        with Computations(folder, tls, client_ca=True, MAX_CVMS="4") as service:
            computation = create(service)

            def arrive(cvm, who="client"):
                return FakeAgent(f"localhost:{service.port}", cvm, credentials(tls, who))
            with arrive("used") as used:
                used.next("agentStateReq")
                run(service, computation, "used")
                assert used.manifest().id == computation
                service.admin.Stop(computations.ComputationRequest(id=computation), timeout=PATIENCE)
                used.next("stopComputation")
                used.say(stop_computation_res=cvms.StopComputationResponse(computation_id=computation))
                until(lambda: not service.admin.ShowCvm(computations.CvmRequest(id="used"), timeout=PATIENCE).computation_id,
                      "the end of the computation")
            until(gone(service, "used"), "the end of its connection")
            made_up(service, tls, "other-client", [f"made-up-{i}" for i in range(6)])
            with arrive("newcomer") as newcomer:
                newcomer.next("agentStateReq")
                made_up(service, tls, "other-client", [f"more-{i}" for i in range(6)])
                assert newcomer.stream.is_active()
                for mine in ("newcomer", "used"):
                    with arrive(mine, "other-client") as thief:
                        assert thief.ended() == grpc.StatusCode.PERMISSION_DENIED
            service.process.wait_line("CVM 'made-up-[0-9]', which was never used, is forgotten to make room")
            with arrive("used") as used:
                used.next("agentStateReq")


def run_wants_to_know_which_cvm():
    with Folder() as folder, Computations(folder) as service:
        computation = create(service)
        request = computations.RunRequest(id=computation)
        assert "no CVM" in refused(grpc.StatusCode.FAILED_PRECONDITION, service.admin.Run, request)
        with agent_of(service, cvm="a") as a, agent_of(service, cvm="b") as b:
            until(connected(service, "a"), "the connection")
            until(connected(service, "b"), "the connection")
            assert "2 CVMs" in refused(grpc.StatusCode.FAILED_PRECONDITION, service.admin.Run,
                                       request)
            request.cvm_id = "c"
            refused(grpc.StatusCode.UNAVAILABLE, service.admin.Run, request)
            run(service, computation, "b")
            assert b.manifest().id == computation
            assert a.heard.qsize() <= 1
            other = create(service)
            assert run(service, other).cvm_id == "a"


def bad_manifests_are_refused():
    with Folder() as folder, Computations(folder) as service:
        for words, fields in {
                "hash": {"algorithm": cvms.Algorithm(hash=b"a" * 31, userKey=KEY)},
                "userKey": {"algorithm": cvms.Algorithm(hash=b"a" * 32, userKey=KEY[:-1])},
                "filename": {"datasets": [cvms.Dataset(hash=b"b" * 32, userKey=KEY,
                                                       filename="../x")]},
                "id": {"id": "a b"},
        }.items():
            request = computations.CreateRequest(manifest=manifest(**fields))
            details = refused(grpc.StatusCode.INVALID_ARGUMENT, service.admin.Create, request)
            assert words.lower() in details.lower().replace("user_key", "userkey"), details
        refused(grpc.StatusCode.INVALID_ARGUMENT, service.admin.Create,
                computations.CreateRequest())
        create(service, id="mine")
        refused(grpc.StatusCode.ALREADY_EXISTS, service.admin.Create,
                computations.CreateRequest(manifest=manifest(id="mine")))
        assert len(service.admin.List(computations.ListRequest(), timeout=PATIENCE).computations) == 1


def the_listeners_private_key_is_not_handed_out():
    with Folder() as folder, Computations(folder) as service:
        computation = create(service, agent_config=cvms.AgentConfig(port="7002",
                                                                    key_file="/etc/certs/key.pem"))
        got = service.admin.Manifest(computations.ComputationRequest(id=computation),
                                     timeout=PATIENCE).manifest
        assert got.agent_config.port == "7002" and not got.agent_config.key_file
        assert oct(os.stat(folder("state", "computations.db")).st_mode)[-3:] == "600"


SECRET = "-----BEGIN PRIVATE KEY-----\nonly the agent has this one\n-----END PRIVATE KEY-----\n"


def holds(folder, words):
    """Which files of the service's folder have these words in them."""
    return sorted(name for name in os.listdir(folder("state")) if os.path.isfile(folder("state", name))
                  and words in open(folder("state", name), "rb").read())


def the_listeners_private_key_is_sealed_sent_and_forgotten():
    with Folder() as folder:
        with Computations(folder, AUDIT_LOG=folder("audit.log")) as service, agent_of(service) as agent:
            computation = create(service, agent_config=cvms.AgentConfig(port="7002", cert_file="c", key_file=SECRET))
            assert holds(folder, computation.encode()) and not holds(folder, b"only the agent")
            assert oct(os.stat(folder("state", "secrets.key")).st_mode)[-3:] == "600"
            until(connected(service, "cvm-1"), "the connection")
            run(service, computation)
            assert agent.manifest().agent_config.key_file == SECRET
            agent.event(computation, "Failed", "Failed")
            service.until_state(computation, "Failed")
        service = Computations(folder)
        with service, agent_of(service, answers_state="ReceivingManifest") as agent:
            until(connected(service, "cvm-1"), "the connection")
            until(lambda: not [c for c in service.admin.ListCvms(computations.ListRequest(), timeout=PATIENCE).cvms
                               if c.computation_id], "the agent is free")
            service.admin.Run(computations.RunRequest(id=computation, again=True), timeout=PATIENCE)
            assert agent.manifest().agent_config.key_file == SECRET
            agent.event(computation, "ConsumingResults", "Ready")
            agent.event(computation, "Complete", "Completed")
            until(lambda: service.show(computation).finished, "the end")
        database = sqlite3.connect(f"file:{folder('state', 'computations.db')}?mode=ro", uri=True)
        assert database.execute("SELECT key, sealed FROM secrets").fetchall() == [("", None)]
        database.close()
        assert not holds(folder, b"only the agent")
        with open(folder("audit.log"), encoding="utf-8") as audit:
            assert "only the agent" not in audit.read()


def a_manifest_that_cant_be_read_now_is_sent_to_the_agent_when_it_comes_again():
    with Folder() as folder, Computations(folder) as service:
        database = sqlite3.connect(folder("state", "computations.db"), timeout=PATIENCE, isolation_level=None)
        with agent_of(service) as agent:
            until(connected(service, "cvm-1"), "the connection")
            computation = create(service)
            run(service, computation)
            agent.manifest()
        until(gone(service, "cvm-1"), "the end of the connection")
        database.execute("ALTER TABLE secrets RENAME TO away")
        with agent_of(service) as agent:
            assert agent.ended() == grpc.StatusCode.INTERNAL
        database.execute("ALTER TABLE away RENAME TO secrets")
        database.close()
        with agent_of(service) as agent:
            assert agent.manifest().id == computation


def agents_reach_no_administrators_method():
    with Folder() as folder, Computations(folder, ADMIN_PORT="0") as service:
        with grpc.insecure_channel(f"127.0.0.1:{service.port}") as channel:
            refused(grpc.StatusCode.UNIMPLEMENTED,
                    computations_grpc.ComputationServiceStub(channel).List,
                    computations.ListRequest())
        port = service.process.wait_line(r"administrators: listening on \S+ port (\d+)")[1]
        with grpc.insecure_channel("127.0.0.1:" + port) as channel:
            computations_grpc.ComputationServiceStub(channel).List(computations.ListRequest(),
                                                                   timeout=PATIENCE)
        is_for_administrators(service.socket)
        service.process.wait_line(f"administrators: listening on unix:{service.socket}")


def both_fronts_tell_their_health():
    with Folder() as folder, Computations(folder) as service:
        with grpc.insecure_channel(f"127.0.0.1:{service.port}") as agents:
            for channel, name in ((agents, "cvms.Service"),
                                  (service.channel, "computations.ComputationService")):
                stub = health_grpc.HealthStub(channel)
                for asked in ("", name):
                    answer = stub.Check(health.HealthCheckRequest(service=asked), timeout=PATIENCE)
                    assert answer.status == health.HealthCheckResponse.SERVING


def both_fronts_tell_what_they_offer():
    with Folder() as folder, Computations(folder) as service:
        with grpc.insecure_channel(f"127.0.0.1:{service.port}") as agents:
            for channel, name in ((agents, "cvms.Service"),
                                  (service.channel, "computations.ComputationService")):
                stub = reflection_grpc.ServerReflectionStub(channel)
                [answer] = stub.ServerReflectionInfo(
                    iter([reflection.ServerReflectionRequest(list_services="")]),
                    timeout=PATIENCE)
                names = {s.name for s in answer.list_services_response.service}
                assert name in names and "grpc.health.v1.Health" in names, names
                [answer] = stub.ServerReflectionInfo(
                    iter([reflection.ServerReflectionRequest(file_containing_symbol=name)]),
                    timeout=PATIENCE)
                assert answer.file_descriptor_response.file_descriptor_proto, answer


def agents_come_by_tls_and_by_mutual_tls():
    with Folder() as tls:
        authority(tls)
        with Folder() as folder, Computations(folder, tls=tls) as service:
            address = f"localhost:{service.port}"
            with FakeAgent(address, "cvm", credentials(tls)) as agent:
                agent.next("agentStateReq")
            with FakeAgent(address, "cvm") as agent:
                assert agent.ended() == grpc.StatusCode.UNAVAILABLE
        with Folder() as folder, Computations(folder, tls=tls, client_ca=True) as service:
            address = f"localhost:{service.port}"
            with FakeAgent(address, "cvm", credentials(tls)) as agent:
                assert agent.ended() == grpc.StatusCode.UNAVAILABLE
            with FakeAgent(address, "cvm", credentials(tls, "client")) as agent:
                agent.next("agentStateReq")
                with FakeAgent(address, "cvm", credentials(tls, "other-client")) as thief:
                    assert thief.ended() == grpc.StatusCode.PERMISSION_DENIED
                with FakeAgent(address, "cvm", credentials(tls, "client")) as same:
                    same.next("agentStateReq")
                    assert agent.ended() == grpc.StatusCode.ABORTED


def a_name_belongs_to_the_first_key_until_it_is_released():
    """Also while its CVM is away: any other certificate of the CA would get its manifest, with the
    listener's private key."""
    def operate(service, *words):
        return cli("cvm", *words, COMPUTATIONS_GRPC_URL="unix:" + service.socket)
    with Folder() as certificates:
        tls = authority(certificates)
        with Folder() as folder, Computations(folder, tls=tls, client_ca=True) as service:
            address = f"localhost:{service.port}"
            computation = create(service, agent_config=cvms.AgentConfig(port="7002"))
            with FakeAgent(address, "cvm", credentials(tls, "client")) as agent:
                agent.next("agentStateReq")
                run(service, computation, "cvm")
                agent.manifest()
            until(gone(service, "cvm"), "the end of its connection")
            for more in ((), FORWARDER):
                with FakeAgent(address, "cvm", credentials(tls, "other-client"), metadata=more) as thief:
                    first = thief.heard.get(timeout=PATIENCE)
                    assert isinstance(first, grpc.RpcError), first
                    assert first.code() == grpc.StatusCode.PERMISSION_DENIED, first
                    assert "cvm release" in first.details(), first.details()
            service.process.kill()
            service.channel.close()
            service.start()
            address = f"localhost:{service.port}"
            with FakeAgent(address, "cvm", credentials(tls, "other-client")) as thief:
                assert thief.ended() == grpc.StatusCode.PERMISSION_DENIED
            with FakeAgent(address, "cvm", credentials(tls, "client")) as agent:
                agent.manifest()  # it says that it has none
                shown = json.loads(operate(service, "show", "cvm", "--json").ok())
                assert re.fullmatch("[0-9a-f]{64}", shown["client_key"]), shown
                # The operator's word: its connections end, and the next to come binds it.
                assert "client key   none" in operate(service, "release", "cvm").ok()
                assert agent.ended() == grpc.StatusCode.ABORTED
            with FakeAgent(address, "cvm", credentials(tls, "other-client")) as other:
                other.next("agentStateReq")
            until(gone(service, "cvm"), "the end of its connection")
            with FakeAgent(address, "cvm", credentials(tls, "client")) as agent:
                assert agent.ended() == grpc.StatusCode.PERMISSION_DENIED
            operate(service, "release", "nobody").refused(1, "nobody")


def logs_are_followed_to_the_end():
    with Folder() as folder, Computations(folder) as service, agent_of(service) as agent:
        computation = create(service)
        until(connected(service, "cvm-1"), "the connection")
        run(service, computation)
        agent.manifest()
        agent.log(computation, "early")
        until(lambda: records(service, computation), "the first record")
        got, lines = [], threading.Event()

        def follow():
            for record in service.admin.Logs(computations.LogsRequest(id=computation, follow=True),
                                             timeout=PATIENCE):
                got.append(record)
                lines.set()
        thread = threading.Thread(target=follow)
        thread.start()
        assert lines.wait(PATIENCE)
        for number in range(500):
            agent.log(computation, f"line {number}")
        agent.event(computation, "Complete", "Completed")
        thread.join(PATIENCE)
        assert not thread.is_alive(), "it goes on although the computation is finished"
        assert [r.text for r in got[:-1]] == ["early"] + [f"line {n}" for n in range(500)]
        assert got[-1].type == "Complete"
        assert all(a.number < b.number for a, b in zip(got, got[1:]))
        assert [r.text for r in records(service, computation, after=got[-3].number)] == [
            "line 499", "{}"]


def who_does_not_follow_gets_what_was_there_however_much_is_said():
    with Folder() as folder, Computations(folder, MAX_RECORDS="100000") as service, \
            agent_of(service) as agent:
        computation = create(service)
        until(connected(service, "cvm-1"), "the connection")
        run(service, computation)
        agent.manifest()
        for number in range(20000):
            agent.log(computation, f"line {number}")
        until(lambda: service.show(computation).records > 100, "the first records")
        stream = service.admin.Logs(computations.LogsRequest(id=computation), timeout=PATIENCE)
        next(stream)
        there = service.show(computation).records
        assert 1 + len(list(stream)) <= there, "records that came after the call began"


def a_reader_who_does_not_read_costs_one_page():
    with Folder() as folder, Computations(folder, MAX_RECORD_BYTES="64M") as service:
        with agent_of(service) as agent:
            computation = create(service)
            until(connected(service, "cvm-1"), "the connection")
            run(service, computation)
            agent.manifest()
            for _ in range(400):
                agent.log(computation, "z" * 60000)
            agent.event(computation, "Running", "InProgress")
            service.until_state(computation, "Running")
            before = service.process.written()
            streams = [service.admin.Logs(computations.LogsRequest(id=computation))
                       for _ in range(8)]
            for stream in streams:
                next(stream)
            assert service.show(computation).state == "Running"
            grown = service.process.written() - before
            assert grown < 8 * (6 << 20), grown
            for stream in streams:
                stream.cancel()


def pages_of_computations_follow_each_other():
    with Folder() as folder, Computations(folder) as service:
        made = [create(service, name=f"n{n}") for n in range(600)]
        got, after = [], ""
        while True:
            page = service.admin.List(computations.ListRequest(after=after), timeout=PATIENCE)
            got += [c.id for c in page.computations]
            after = page.next
            if not after:
                break
        assert got == made
        shown = cli("computation", "list", "--json",
                    COMPUTATIONS_GRPC_URL="unix:" + service.socket).json()
        assert [c["id"] for c in shown] == made
        for order, wanted in (("created", made), ("-created", made[::-1])):
            shown = cli("computation", "list", "--json", "--sort", order, COMPUTATIONS_GRPC_URL="unix:" + service.socket).json()
            assert [c["id"] for c in shown] == wanted, order
        where = {"COMPUTATIONS_GRPC_URL": "unix:" + service.socket}
        rows = cli("computation", "list", "-o", "yaml", **where).ok().splitlines()
        assert [row for row in rows if row.startswith("-")] == [f'- "id": "{i}"' for i in made]
        assert all(re.match(r'[- ] "[a-z_]+": ("|[0-9tf])', row) for row in rows), rows[:20]
        rows = cli("computation", "list", **where).ok().splitlines()
        assert rows[0].split() == ["ID", "NAME", "STATE", "CVM"] and [row.split()[0] for row in rows[1:]] == made
        assert "CREATED" in cli("computation", "list", "-o", "wide", **where).ok().splitlines()[0]
        assert cli("cvm", "list", **where).ok() == "none\n" and cli("cvm", "list", "-o", "yaml", **where).ok() == "[]\n"
        cli("cvm", "list", "-o", "table", "--json", **where).refused(2, "exclude each other")


def who_describes_at_length_keeps_nobody_from_the_list():
    """Neither whoever creates computations nor an agent."""
    with Folder() as folder, Computations(folder) as service, agent_of(service) as agent:
        made = [create(service, name=f"n{n}", description="x" * 65536) for n in range(80)]
        assert identifiers(service) == set(made)
        where = {"COMPUTATIONS_GRPC_URL": "unix:" + service.socket}
        for order in ((), ("--sort", "created")):
            assert [c["id"] for c in cli("computation", "list", "--json", *order, **where).json()] == made
        until(connected(service, "cvm-1"), "the connection")
        agent.say(agent_state_res=cvms.AgentStateRes(id="cvm-1", state="y" * (3 << 20)))
        row, = until(lambda: [c for c in service.admin.ListCvms(
            computations.ListRequest(), timeout=PATIENCE).cvms if c.agent_state.startswith("y")], "the answer")
        assert row.agent_state == "y" * 128


def a_full_disk_sends_agents_away_until_it_has_room():
    """The state is on a memory file system of 4 MiB, in a mount namespace of the service's own."""
    with Folder() as folder:
        service = Computations(folder)
        os.mkdir(folder("state"))
        service.wrapper = ["unshare", "-m", "sh", "-c",
                           'mount -t tmpfs -o size=4m none "$0" && exec "$@"', folder("state")]
        with service:
            with agent_of(service) as agent:
                until(connected(service, "cvm-1"), "the connection")
                computation = create(service)
                run(service, computation)
                agent.manifest()
                agent.say(run_res=cvms.RunResponse(computation_id=computation))
                agent.event(computation, "ReceivingAlgorithm", "InProgress")
                service.until_state(computation, "Waiting for Algorithm")
                fill = f"/proc/{service.process.pid}/root{folder('state')}/fill"
                with contextlib.suppress(OSError), open(fill, "wb", buffering=0) as file:
                    while True:
                        file.write(bytes(512))
                for _ in range(200):
                    agent.log(computation, "y" * 10000)
                agent.event(computation, "Failed", "Failed")
                assert agent.ended() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert service.show(computation).state == "Waiting for Algorithm"
            os.truncate(fill, 0)
            with agent_of(service, answers_state="Failed"):
                service.until_state(computation, "Failed")
        said = service.process.text()
        assert said.count("disk is full") < 10, said


def a_clean_stop_ends_every_stream():
    with Folder() as folder, Computations(folder) as service, agent_of(service) as agent:
        computation = create(service)
        agent.next("agentStateReq")
        stream = service.admin.Logs(computations.LogsRequest(id=computation, follow=True))
        service.process.process.send_signal(signal.SIGTERM)
        assert agent.ended() == grpc.StatusCode.UNAVAILABLE
        try:
            list(stream)
            raise AssertionError("the reader is not told")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE
        assert service.process.end() == 0


def a_misspelt_variable_stops_the_start():
    with Folder() as folder:
        config = folder.write("computations.conf", f"COMPUTATIONS_STATE_DIR={folder('state')}\n")
        for name in ("cocos-computations", "cocos-manager"):
            prefix = name.split("-")[1].upper()
            process = Process([program(name), "--config", config if name == "cocos-computations" else
                               folder.write("manager.conf", "")], {f"{prefix}_LOG_LEVLE": "debug"})
            assert process.end() == 1, process.text()
            assert f"'{prefix}_LOG_LEVLE'; the nearest there is: {prefix}_LOG_LEVEL" in process.text()
            assert not os.path.exists(folder("state"))


def a_service_s_variables_do_not_stop_the_start():
    """As docker and Kubernetes tell a container of a service called computations."""
    links = {"SERVICE_HOST": "10.0.0.11", "PORT": "tcp://10.0.0.11:7001", "PORT_7001_TCP_PROTO": "tcp"}
    with Folder() as folder:
        config = folder.write("computations.conf", (
            f"COMPUTATIONS_GRPC_PORT=0\nCOMPUTATIONS_STATE_DIR={folder('state')}\n"
            f"COMPUTATIONS_ADMIN_SOCKET={folder('admin.sock')}\n"))
        process = Process([program("cocos-computations"), "--config", config],
                          {f"COMPUTATIONS_{name}": value for name, value in links.items()})
        process.wait_line(r" ready$")
        told = [line for line in process.text().splitlines() if "no settings of this program" in line]
        assert len(told) == 1 and all(f"'COMPUTATIONS_{name}'" in told[0] for name in links), process.text()
        assert process.stop() == 0, process.text()


def a_second_service_on_the_same_address_is_refused():
    with Folder() as folder, Computations(folder) as service, Folder() as other:
        config = other.write("computations.conf", (
            f"COMPUTATIONS_GRPC_PORT={service.port}\n"
            f"COMPUTATIONS_ADMIN_SOCKET={other('a.sock')}\n"
            f"COMPUTATIONS_STATE_DIR={other('state')}\n"))
        second = Process([program("cocos-computations"), "--config", config])
        second.wait_line("listen")
        assert second.process.wait(PATIENCE) == 1
        second.kill()


def what_another_user_s_start_has_made_is_named_with_its_owner():
    if os.geteuid() != 0:
        return
    with Folder() as folder:
        os.makedirs(folder("state"))
        folder.write("state/lock", "", 0o600)
        os.chown(folder("state/lock"), 1, 1)
        folder.write("c.conf", f"COMPUTATIONS_GRPC_PORT=0\nCOMPUTATIONS_STATE_DIR={folder('state')}\n"
                               f"COMPUTATIONS_ADMIN_SOCKET={folder('a.sock')}\n")
        # Root without its rights is bound by modes as anybody is.
        done = subprocess.run(["setpriv", "--bounding-set=-all", "--inh-caps=-all", program("cocos-computations"),
                               "--config", folder("c.conf")], capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert done.returncode == 1 and "belongs to uid 1: start it as that user, or" in done.stderr, done
        assert os.listdir(folder("state")) == ["lock"]


SEED = int(os.environ.get("COCOS_SEED", "20261120"))
KILLS = int(os.environ.get("COCOS_KILLS", sample.of(8, 25)))


def nothing_acknowledged_is_lost_by_kill_9():
    """Every computation whose creation was answered, every state and record that was shown, is
    there after the next start, in the same order."""
    chance = random.Random(SEED)
    print(f"# seed {SEED}, {KILLS} kills", flush=True)
    made, seen, kept = [], {}, {}
    with Folder() as folder, Computations(folder, MAX_RECORDS="1000000",
                                          MAX_RECORD_BYTES="1G") as service:
        computation = create(service, id="watched")
        stop = threading.Event()

        def speak():
            number = 0
            while not stop.is_set():
                with agent_of(service, answers_state="ReceivingManifest") as agent:
                    while not stop.is_set() and agent.stream.is_active():
                        agent.log("watched", f"line {number}")
                        number += 1
                        time.sleep(0.001)

        def create_more():
            try:
                made.append(create(service))
            except grpc.RpcError:
                pass  # not answered: it may be there or not

        def watch():
            try:
                for record in service.admin.Logs(
                        computations.LogsRequest(id="watched", follow=True), timeout=PATIENCE):
                    seen[record.number] = record.text
            except grpc.RpcError:
                pass

        speaker = None
        for round_number in range(KILLS):
            if round_number == 0:
                with agent_of(service) as agent:
                    until(connected(service, "cvm-1"), "the connection")
                    run(service, computation)
                    agent.manifest()
                until(gone(service, "cvm-1"), "the end")
                speaker = threading.Thread(target=speak, daemon=True)
                speaker.start()
            workers = [threading.Thread(target=target)
                       for target in (watch, create_more, create_more)]
            for worker in workers:
                worker.start()
            time.sleep(chance.uniform(0.01, 0.4))
            if round_number == KILLS - 1:  # however slow this machine is
                until(lambda: seen and made, "an answer")
            service.process.kill()
            for worker in workers:
                worker.join()
            service.channel.close()
            service.start()
            ids = identifiers(service)
            assert set(made) <= ids, set(made) - ids
            kept.update((r.number, r.text) for r in
                        records(service, "watched", after=max(kept, default=0)))
            assert seen.items() <= kept.items(), "a record that was shown is lost"
        stop.set()
        speaker.join()
        whole = {r.number: r.text for r in records(service, "watched")}
        assert kept.items() <= whole.items(), "a record that was kept is lost"
        assert seen and made
        texts = [int(text.split()[1]) for _, text in sorted(kept.items())]
        assert texts == sorted(texts), "records changed their order"
        print(f"# {len(seen)} records shown, {len(made)} computations answered", flush=True)


if __name__ == "__main__":
    tap.run([value for value in list(globals().values())
             if callable(value) and getattr(value, "__module__", "") == "__main__" and
             "_" in value.__name__ and value.__name__ not in ("agent_of", "made_up", "reports_and_no_more")])
