# SPDX-License-Identifier: Apache-2.0
"""A real agent on simulated hardware, and the computation service that it reports to: what stands
behind rows that need more of an agent than what it says of itself."""
import base64
import contextlib
import json

import grpc

from agent_job import ALGO_KEY, IRIS, OTHER_KEY, SUM, USER_KEY
from agent_peer import (Agent, Client, Key, Service, algorithm, cvms_pb2, dataset, free_port,
                        sha3)
from agent_tpm import boot_configuration, canonical, extended
from attested_peer import AttestedClient
from cryptography.hazmat.primitives import serialization
from harness import Folder, cli
from rows import Outcome, Skip, shared
from teesim import MEASUREMENT, Teesim, unavailable

DATA_KEY = Key()


def manifest(port, **more):
    """A manifest for an attested channel: one dataset of the owner's, one of somebody else's."""
    m = cvms_pb2.ComputationRunReq(
        id="c-1", name="iris", description="sum", algorithm=algorithm(SUM, ALGO_KEY),
        datasets=[dataset(IRIS, DATA_KEY, "iris.csv"), dataset(b"b\n", OTHER_KEY, "b.csv")])
    m.result_consumers.add(userKey=USER_KEY.spki)
    for name, value in more.items():
        setattr(m, name, value)
    m.agent_config.port = str(port)
    m.agent_config.attested_tls = True
    return m


def to_json(m):
    """The manifest as its parties hold it."""
    def asset(a):
        out = {"hash": list(a.hash), "user_key": base64.b64encode(a.userKey).decode()}
        if getattr(a, "filename", ""):
            out["filename"] = a.filename
        if getattr(a, "algo_type", ""):
            out["algo_type"] = a.algo_type
        if getattr(a, "algo_args", None):
            out["algo_args"] = list(a.algo_args)
        if getattr(a, "decompress", False):
            out["decompress"] = True
        return out
    return json.dumps({
        "id": m.id, "name": m.name, "description": m.description,
        "datasets": [asset(d) for d in m.datasets], "algorithm": asset(m.algorithm),
        "result_consumers": [{"user_key": base64.b64encode(c.userKey).decode()}
                             for c in m.result_consumers]})


class Site:
    """Hardware, service and agent; run() takes a manifest, after a stop of the one before."""

    def __init__(self, tee="snp", keys=None, name="tee", **facts):
        if why := unavailable():
            raise Skip(why)
        self.folder = Folder().__enter__()  # pylint: disable=unnecessary-dunder-call
        self.tee = Teesim(self.folder, tee, name, keys, **facts).start()
        self.service = Service()
        self.agent = Agent(self.service, options=["--tsm", self.tee.mount])
        self.running, self.runs, self.stops, self.port = None, 0, 0, free_port()
        self.waits = False  # with the manifest that all agreed to, for datasets
        self.service.wait_connected()

    def run(self, m):
        """The manifest as the service sends it; what the agent answers."""
        self.halt()
        self.waits = False
        self.service.send(runReq=m)
        answer = self.service.answer_to_run(self.runs)
        self.runs += 1
        if not answer.error:
            self.running = m.id
        return answer

    def halt(self):
        if self.running:
            self.service.send(stopComputation=cvms_pb2.StopComputation(
                computation_id=self.running))
            self.stops += 1
            self.service.wait(lambda s: len(s.of("stop_computation_res")) >= self.stops)
            self.running = None

    def planted(self):
        """Bytes of assets in the agent's work folder."""
        return [path for path in self.agent.work() if path != "lock"]

    def close(self):
        self.agent.remove()
        self.service.stop()
        self.tee.stop()
        self.folder.__exit__()


site = shared(Site)
tdx_site = shared(lambda: Site("tdx"))


def tdx_policy(here):
    """What TDX's registers have to be: RTMR3 holds what the agent measured, the rest is the launch."""
    each = [f'{{"port":"{here.port}","attested_tls":true}}'.encode(), canonical(manifest(here.port))]
    events = [boot_configuration(here.agent)] + here.runs * each
    registers = {f"rtmr{i}": [bytes(48).hex()] for i in range(3)}
    registers["rtmr3"] = [extended("sha384", *events).hex()]
    return provider().write("tdx-policy.json", json.dumps({
        "cocos": 1, "tdx": dict(registers, mrtd=[MEASUREMENT]),
        "run": {"weak_words": ["development"]}}))


def with_algorithm(port, args=(), algo=SUM):
    """The algorithm's provider has sent it: the agent waits for datasets."""
    link = AttestedClient.connect("127.0.0.1", port)
    session = link.connection.tls.export_keying_material(b"EXPORTER-cocos-proof", 32)
    more = [("algo_args", arg) for arg in args]
    with link.bridge() as address:
        client = Client(int(address.split(":")[1]))
        proof = client.proof_metadata("algorithm-provider", "Algo", ALGO_KEY, sha3(algo),
                                      [("algo_type", "bin")] + more, more,
                                      client.status().manifest_digest, session)
        with contextlib.suppress(grpc.RpcError):  # the manifest may be of another algorithm
            client.algo(algo, None, metadata=[p for p in proof if p[0] != "proof-challenge"])
        client.close()
    link.close()


def waiting(here=None):
    """A shared site, whose agent waits for datasets of the manifest that all agreed to."""
    here = here or site()
    if not here.running or not here.waits:
        assert here.run(manifest(here.port)).error == ""
        with_algorithm(here.port)
        here.waits = True
    return here


class Provider(Folder):
    """The owner of iris.csv, who uses the CLI."""

    def __init__(self):
        self.__enter__()
        self.write("iris.csv", IRIS)
        self.write("private.pem", DATA_KEY.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()), 0o600)

    def close(self):
        self.__exit__()

    def policy(self, **run):
        return self.write("policy.json", json.dumps({
            "cocos": 1, "snp": {"measurements": [MEASUREMENT]},
            "run": dict({"weak_words": ["development"]}, **run)}))

    def upload(self, target, m, root, policy=None, options=(), path=None):
        """`m` is the manifest that the provider agreed to; he need not name it."""
        words = ["--trusted_root", root] if root else []
        words += ["--manifest", self.write("manifest.json", to_json(m))] if m else []
        return cli("data", path or self("iris.csv"), self("private.pem"), "--offline", *words, *options,
                   AGENT_GRPC_URL=target, AGENT_GRPC_ATTESTED_TLS="true",
                   AGENT_GRPC_ATTESTATION_POLICY=policy or self.policy())


provider = shared(Provider)


def attempt_with(*words, here=None, **upload):
    """The owner's upload while the agent's hardware misbehaves so."""
    here = waiting(here)
    here.tee.fault(*words)
    before, logged = set(here.planted()), len(here.agent.output())
    try:
        ran = provider().upload(f"127.0.0.1:{here.port}", manifest(here.port), here.tee.root, **upload)
    finally:
        here.tee.fault()
    planted = set(here.planted()) - before
    assert here.service.connections == 1, "the service's gRPC hung up on the agent"
    if ran.status == 0:
        here.halt()  # the dataset is in: the next row has a run of its own
    said = here.agent.output()[logged:] + ran.out + ran.err
    return Outcome(ran.status == 0, said, len(planted))
