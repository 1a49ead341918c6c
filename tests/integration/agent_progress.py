#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How far uploads are and what the run uses, as an agent tells a service that shows it, and those who ask the agent itself: to
whom the manifest shows what the algorithm writes, and to no service that did not ask."""
import base64
import contextlib
import queue

import tap
from agent_job import ALGO_KEY, DATA_KEY, IRIS, OTHER_KEY, SUM, USER_KEY, Code, manifest
from agent_peer import WAIT, Agent, Client, Service, agent_pb2, cvms_pb2, dataset, free_port, refused
from harness import until

LARGE = bytes(range(256)) * 4096 * 3  # 3 MiB
BURNS = b"#!/bin/sh\necho begun\nwhile :; do :; done\n"
BEGUN = 1 << 20


class Screen(Service):
    """Shows how far it is."""

    def Process(self, request_iterator, context):
        context.send_initial_metadata((("cocos-progress", "1"),))
        yield from super().Process(request_iterator, context)

    def told(self, what):
        """Until the newest is so; it."""
        def newest(service):
            of = service.of("progress")
            return of and what(of[-1]) and [of[-1]]
        return self.wait(newest)[0]


class Slow:
    """An upload of a dataset whose pieces come when the test says so."""

    def __init__(self, client, name, more=()):
        self.pieces = queue.Queue()
        self.call = client.stub.Data.future(iter(self.pieces.get, None), timeout=WAIT, metadata=client.role_metadata(
            "data-provider", DATA_KEY, more))
        self.name = name

    def send(self, bytes_):
        self.pieces.put(agent_pb2.DataRequest(dataset=bytes_, filename=self.name))

    def end(self):
        self.pieces.put(None)
        self.call.result(WAIT)

    def cut(self):
        self.call.cancel()
        self.pieces.put(None)


@contextlib.contextmanager
def computing(service, **of_manifest):
    port = free_port()
    agent = Agent(service)
    client = None
    try:
        service.wait_connected()
        service.send_chunks(manifest(port, **of_manifest).SerializeToString(), attempt=7)
        assert service.answer_to_run().error == ""
        client = Client(port)
        yield client, agent
    finally:
        if client:
            client.close()
        agent.remove()
        service.stop()


def uploads(told):
    return [(u.asset, u.received, u.expected, u.waits) for u in told.uploads]


def an_upload_is_told_while_it_comes():
    service = Screen()
    large = [dataset(IRIS, OTHER_KEY, "iris.csv"), dataset(LARGE, DATA_KEY, "large")]
    with computing(service, datasets=large) as (client, _):
        told = service.told(lambda p: p.computation_id == "c-1")
        assert told.attempt == 7 and not told.uploads and not told.HasField("run"), told
        client.algo(SUM, ALGO_KEY)
        upload = Slow(client, "large", [("asset-size", str(len(LARGE)))])
        upload.send(LARGE[:BEGUN])
        service.told(lambda p: uploads(p) == [(2, BEGUN, len(LARGE), False)])
        status = client.status().progress
        assert uploads(status) == [(2, BEGUN, len(LARGE), False)] and status.computation_id == "c-1", status
        upload.send(LARGE[BEGUN:2 * BEGUN])
        service.told(lambda p: uploads(p) == [(2, 2 * BEGUN, len(LARGE), False)])
        upload.cut()
        service.told(lambda p: uploads(p) == [(2, 2 * BEGUN, 0, True)])
        assert client.status().datasets[1].bytes_kept == 2 * BEGUN
        client.data(LARGE, DATA_KEY, "large")
        service.told(lambda p: not p.uploads)
        service.stop()  # what was told is told again to one that comes anew
        service.messages.clear()
        service.start()
        assert not service.told(lambda p: p.computation_id == "c-1").uploads


def what_a_sender_says_of_the_size_is_for_the_eyes_alone():
    """Less than comes, more than could ever be taken, or nothing: then nothing is said of it, and the upload goes its way."""
    for size in (["1"], [str(10 ** 17)], []):
        service = Screen()
        with computing(service, datasets=[dataset(LARGE, DATA_KEY, "large")]) as (client, _):
            client.algo(SUM, ALGO_KEY)
            upload = Slow(client, "large", [("asset-size", s) for s in size])
            upload.send(LARGE[:BEGUN])
            service.told(lambda p: uploads(p) == [(1, BEGUN, 0, False)])
            upload.send(LARGE[BEGUN:])
            upload.end()
            service.wait_event("ConsumingResults/Ready")
    service = Screen()
    with computing(service) as (client, _):
        for sizes in (["x"], ["-1"], [""], ["01"], ["1", "1"], ["9" * 19]):
            refused(Code.INVALID_ARGUMENT, "metadata asset-size", client.algo, SUM, ALGO_KEY,
                    more=[("asset-size", s) for s in sizes])


def participant(client, key):
    metadata = client.proof_metadata("participant", "Status", key, None, [],
                                     [("proof-key", base64.b64encode(key.spki).decode())])
    return client.stub.Status(agent_pb2.StatusRequest(), metadata=metadata, timeout=WAIT).progress


def spins(run):
    return run.processor_seconds >= 1 and run.memory_peak_mib >= run.memory_mib >= 1 and run.memory_limit_mib > 1


def what_a_run_uses_is_told_where_its_words_are():
    service = Screen()
    with computing(service, algo=BURNS) as (client, _):
        client.algo(BURNS, ALGO_KEY)
        client.data(IRIS, DATA_KEY, "iris.csv")
        service.told(lambda p: p.HasField("run") and spins(p.run))
        assert spins(client.status().progress.run)
        service.send(stopComputation=cvms_pb2.StopComputation(computation_id="c-1"))
        service.wait(lambda s: s.of("stop_computation_res"))
        whole = [p.run for p in service.of("progress") if p.HasField("run")]
        for earlier, later in zip(whole, whole[1:]):
            assert earlier.processor_seconds <= later.processor_seconds, whole
            assert earlier.memory_peak_mib <= later.memory_peak_mib, whole


def where_the_manifest_hides_its_words_the_service_learns_nothing_of_the_run():
    """Not a figure, and neither does who asks without a proof. Consumers do: they could read what the algorithm says."""
    service = Screen()
    with computing(service, algo=BURNS, cocos=cvms_pb2.Extension(logs="consumers")) as (client, _):
        client.algo(BURNS, ALGO_KEY)
        client.data(IRIS, DATA_KEY, "iris.csv")
        until(lambda: spins(participant(client, USER_KEY).run), "the run to use the processor")
        assert not client.status().progress.HasField("run")
        service.stop()  # to one that comes anew all is told at once
        service.messages.clear()
        service.start()
        service.told(lambda p: p.computation_id == "c-1")
        assert spins(participant(client, USER_KEY).run)
        assert not any(p.HasField("run") for p in service.of("progress"))
        refused(Code.PERMISSION_DENIED, "", participant, client, OTHER_KEY)


def a_service_that_did_not_ask_hears_nothing_of_it():
    service = Service()
    with computing(service) as (client, _):
        client.algo(SUM, ALGO_KEY)
        upload = Slow(client, "iris.csv")
        upload.send(IRIS)
        until(lambda: client.status().progress.uploads, "the upload to begin")
        upload.end()
        service.wait_event("ConsumingResults/Ready")
        client.result(USER_KEY)
        service.wait_event("Complete/Completed")
        service.catch_up()
        assert not service.of("progress"), service.summary()


if __name__ == "__main__":
    tap.run([an_upload_is_told_while_it_comes, what_a_sender_says_of_the_size_is_for_the_eyes_alone,
             what_a_run_uses_is_told_where_its_words_are,
             where_the_manifest_hides_its_words_the_service_learns_nothing_of_the_run,
             a_service_that_did_not_ask_hears_nothing_of_it])
