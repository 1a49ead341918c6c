# SPDX-License-Identifier: Apache-2.0
"""The people and machines of a row: an owner with his policy and the CLI as he runs it, confidential
machines that tell the truth, and a service that looks like an agent's to whoever got that far."""
import concurrent.futures
import functools
import json
import os
import socket

import grpc

import evidence
from agent_peer import OPTIONS, agent_pb2, agent_pb2_grpc, sha3
from hardware import Chip, Guest, Vendor
from harness import Folder, cli
from attested_peer import (AUTHENTICATOR, REQUEST, AttestedServer, Identity, Parts, Session, frame)
from rows import Outcome, shared

IMAGE = b"\xa2" * 48         # the measurement that owners expect
OTHER_IMAGE = b"\x0e" * 48   # of an image with a back door
DATASET = b"sepal,petal\n5.1,1.4\n" * 50
RESULTS = b"PK\x05\x06" + bytes(18)  # an empty zip
MANIFEST = sha3(b"the manifest")


@functools.lru_cache(None)
def vendor():
    return Vendor()


@functools.lru_cache(None)
def chip(name="ours", **state):
    """Chips by name; the same name is the same chip, in that state."""
    return Chip(vendor(), sha3(name.encode()) * 2, state)


class Machine:
    """A confidential VM whose agent does as wire.md says. Rows change one step of it."""

    def __init__(self, guest=None, identity=None, manifest=MANIFEST, **statement):
        self.guest = guest or Guest(chip(), IMAGE)
        self.identity = identity or Identity()
        self.run = evidence.statement(self.identity, manifest, **statement)
        self.run_evidence = self.guest.evidence(evidence.run_form(self.run).report_data)

    def token(self, binding, use="channel", **changes):
        """The token over these report data and nonce: of a form, or an authenticator's parts."""
        claims = {"raw": self.guest.evidence(binding.report_data), "run": self.run,
                  "run_evidence": self.run_evidence, "nonce": binding.tpm_nonce}
        claims.update(changes)
        return evidence.token(claims.pop("signer", self.identity), use=use, **claims)

    def parts(self, connection, asked):
        """The honest answer to that request on that connection, in its parts."""
        with connection.lock:
            return Parts(Session(connection), asked, self.identity, self.token)

    def answer(self, connection, asked):
        return self.parts(connection, asked).bytes()

    def script(self, server, connection):
        """For a Gate: the honest agent."""
        connection.send(frame(AUTHENTICATOR, self.answer(connection, server.asked(connection))))
        server.serve(connection, self)


class Desk(agent_pb2_grpc.AgentServiceServicer):
    """AgentService for whoever got through: takes any dataset, and keeps it; has results for anybody.
    answer(request) is what it says when it is asked to attest again (or the status that it refuses with); cut() is called, once, when an
    upload's first piece is there, and what came until then is forgotten."""

    def __init__(self):
        self.reset()
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), options=OPTIONS)
        agent_pb2_grpc.add_AgentServiceServicer_to_server(self, self.server)
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def reset(self):
        self.kept, self.status, self.fetched, self.again, self.answer = b"", {}, 0, 0, None
        self.cut, self.receipt = None, getattr(self, "receipt", None)

    def close(self):
        self.server.stop(None)

    def Status(self, request, context):
        values = {"computation_id": "c-1", "state": "ReceivingData", "manifest_digest": MANIFEST,
                  "algorithm": agent_pb2.StatusAsset(hash=sha3(b"x"), received=True),
                  "datasets": [agent_pb2.StatusAsset(hash=sha3(DATASET), filename="iris.csv")]}
        values.update(self.status)
        return agent_pb2.StatusResponse(**values)

    def Data(self, requests, context):
        for message in requests:
            self.kept += message.dataset
            if self.cut:
                cut, self.cut, self.kept = self.cut, None, b""
                cut()
        return agent_pb2.DataResponse()

    def Result(self, request, context):
        self.fetched += 1
        context.send_initial_metadata((("file-size", str(len(RESULTS))),))
        yield agent_pb2.ResultResponse(file=RESULTS)

    def Receipt(self, request, context):
        if not self.receipt:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "a stock agent")
        return agent_pb2.ReceiptResponse(receipt=self.receipt)

    def Reattest(self, requests, context):
        for message in requests:
            self.again += 1
            answer = self.answer(message.request)
            if isinstance(answer, grpc.StatusCode):
                context.abort(answer, "not now")
            yield agent_pb2.ReattestResponse(authenticator=answer)


class Owner(Folder):
    """Somebody with a dataset, a key, and a policy for one image."""

    def __init__(self):
        self.__enter__()
        cli("keys", "-k", "ecdsa", cwd=self.path).ok()
        self.dataset = self.write("iris.csv", DATASET)

    def close(self):
        self.__exit__()

    def policy(self, **changes):
        """Ours, with whole sections replaced."""
        sections = {"cocos": 1, "snp": {"measurements": [IMAGE.hex()]},
                    "run": {"manifests": [MANIFEST.hex()]}}
        sections.update(changes)
        sections = {key: value for key, value in sections.items() if value is not None}
        return self.write("policy.json", json.dumps(sections))

    def upload(self, target, **how):
        return self._run(target, "data", self.dataset, self("private.pem"), **how)

    def fetch(self, target, **how):
        path = self("results.zip")
        for old in (path, self("results.receipt.cbor")):
            if os.path.exists(old):
                os.unlink(old)
        return self._run(target, "result", self("private.pem"), "--filename", path, **how)

    def _run(self, target, *words, policy=None, options=(), environment=None, trust=True):
        if trust:
            options = ["--trusted_root", vendor().root, "--offline", *options]
        settings = {"AGENT_GRPC_URL": target, "AGENT_GRPC_ATTESTED_TLS": "true",
                    "AGENT_GRPC_ATTESTATION_POLICY": policy or self.policy()}
        settings.update(environment or {})
        return cli(*words, *options,
                   **{key: value for key, value in settings.items() if value is not None})


owner = shared(Owner)
desk = shared(Desk)


class Gate(AttestedServer):
    """Ends the owner's TLS connection with that key and does script(gate, connection); what is let
    through goes to the desk. `received` counts what the owner said after his request."""

    def __init__(self, script, identity, port=None, **tls):
        super().__init__(identity, None, **tls)
        self.port_behind, self.piped, self.connections = port or desk().port, 0, 0
        self.script, self.serve = functools.partial(self.begin, script), self.let_through

    def begin(self, script, connection):
        self.connections += 1
        if script:
            script(self, connection)
        else:
            self.serve(connection)

    def asked(self, connection):
        """The owner's request; what he said behind it before he had an answer is counted."""
        request = connection.frame(REQUEST)
        self.behind, connection.kept = self.behind + connection.kept, b""
        return request

    def let_through(self, connection, machine=None, answer=None):
        """To the desk, where `machine`, or answer(request), attests again over this connection."""
        desk().answer = answer or (lambda asked: machine.answer(connection, asked))
        before = connection.read - len(connection.kept)
        connection.pipe(socket.create_connection(("127.0.0.1", self.port_behind)))
        self.piped += connection.read - before

    @property
    def received(self):
        return len(self.behind) + self.piped


def uploaded(script, identity, tls=None, **upload):
    """The owner runs `cocos-cli data` against a gate."""
    desk().reset()
    with Gate(script, identity, **(tls or {})) as gate:
        ran = owner().upload(gate.target, **upload)
    return outcome(ran, gate)


def outcome(ran, gate):
    """The attacker's gain is every byte that came behind the request; the honest machine's is the
    dataset, which has to be whole."""
    assert not gate.failures, gate.failures
    if ran.status == 0:
        assert desk().kept == DATASET, f"{len(desk().kept)} bytes of {len(DATASET)}"
    return Outcome(ran.status == 0, ran.out + ran.err, gate.received)


def fetched(first, answer=None, **fetch):
    """The owner, as a consumer, fetches the results of a machine that answers so when asked again."""
    desk().reset()

    def script(gate, connection):
        connection.send(frame(AUTHENTICATOR, first.answer(connection, gate.asked(connection))))
        gate.serve(connection, first, answer and functools.partial(answer, connection))
    with Gate(script, first.identity) as gate:
        ran = owner().fetch(gate.target, **fetch)
    assert not gate.failures, gate.failures
    assert ran.status or desk().again, "nobody asked again"
    # What is at stake is that the owner believes these results: that he asked for them.
    return Outcome(ran.status == 0, ran.out + ran.err, desk().fetched)
