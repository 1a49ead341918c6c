# SPDX-License-Identifier: Apache-2.0
"""Nodes of workflows that are computed in CVMs, from common/workflow/workflow_cvm.h, workflow_manifest.h and no code of the
project: orders, the manifest that follows from one, and an agent on simulated hardware which has one."""
import contextlib
import hashlib
import hmac
import json
import os

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent_peer import cvms_pb2, free_port, pem_key
from attested_agent import attested
from harness import Process, cli, program, until
from teesim import MEASUREMENT, Teesim
from workflow_parties import id_of, raw
from workflow_played import Key, open_output
from workflow_room import World, node

POLICY = json.dumps({"cocos": 1, "snp": {"measurements": [MEASUREMENT]}, "run": {"weak_words": ["development"]}})
# A program as well, for what is told to run it as one.
ALGORITHM = b"#!/usr/bin/env python3\nimport os\nwith open('results/names', 'w') as file:\n    print(*sorted(os.listdir('datasets')), file=file)\n"
REQUIREMENTS, SECRET = b"# none\n", "five and fifty\n"


def sha3(text):
    return hashlib.sha3_256(text).digest()


def signer(key):
    """The Ed25519 key of that executor."""
    secret = key.secret.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw,
                                      serialization.NoEncryption())
    return Ed25519PrivateKey.from_private_bytes(hmac.new(secret, b"cocos-executor-signer-v1\0", "sha256").digest())


def spki(public):
    return bytes.fromhex("302a300506032b6570032100") + public


def kwargs(agent, launcher, owners, **other):
    """`launcher`: its Key; `owners`: {nodename: Key}. `other`: members that are others."""
    return {"cvm": {"agent": agent, "policy": POLICY, "algorithm": sha3(ALGORITHM).hex(), "type": "python",
                    "args": ["exactly"], "requirements": sha3(REQUIREMENTS).hex(), "launcher": raw(signer(launcher)).hex(),
                    "owners": {name: raw(signer(key)).hex() for name, key in owners.items()}, **other}}


def manifest_of(order, number, digests):
    """What follows from that order for that node, with the inputs' digests in the order of its dependencies."""
    spec = json.loads(order.spec)
    own = spec[number]
    cvm, name = own["kwargs"]["cvm"], f"{id_of(order)}.{number}"
    m = cvms_pb2.ComputationRunReq(id=name, name=name)
    after = [n["nodename"] for n in spec if n["nodename"] in own["conditions"]["dependencies"]]
    for each, digest in zip(after, digests):
        m.datasets.add(hash=digest, userKey=spki(bytes.fromhex(cvm["owners"][each])), filename=each)
    m.algorithm.CopyFrom(cvms_pb2.Algorithm(
        hash=bytes.fromhex(cvm["algorithm"]), userKey=spki(bytes.fromhex(cvm["launcher"])), algo_type=cvm["type"],
        algo_args=[own["funcname"], *cvm["args"]]))
    m.result_consumers.add(userKey=spki(bytes.fromhex(cvm["consumer"])) if "consumer" in cvm else order.submitter)
    m.cocos.layout, m.cocos.logs = "folders", "consumers"
    m.cocos.requirements_hash = bytes.fromhex(cvm.get("requirements", ""))
    return m


class Room:
    """A world in which `home` runs node a, and the tests are all others: a peer who runs b, and who starts the CVM."""

    def __init__(self, w, **cvm):
        self.w, self.port = w, free_port()
        self.launcher, self.peer = w.key_of("cvm:cloud"), w.key_of("peer")
        self.tee = Teesim(w.folder, "snp")
        self.order = self.make_order(**cvm)
        w.script(f"print({SECRET!r}, end='')\n")

    def make_order(self, owner=None, **cvm):
        """`owner`: of a."""
        said = kwargs(f"127.0.0.1:{self.port}", self.launcher, {"a": owner or self.w.key_of(), "b": self.peer}, **cvm)
        return self.w.order([node("a"), node("b", "peer"), node("sum", "cvm:cloud", after=["a", "b"], kwargs=said,
                                                                retries=0)])

    @property
    def proof(self):
        return ["--offline", "--trusted_root", self.tee.root]

    def executor(self, *more):
        """Its program's run behind it, and waiting for the agent; None: it took nothing, and has ended."""
        name = self.w.service.add(self.order)
        at = self.w.executor("--once", *self.proof, *more)
        until(lambda: self.w.service.nodes[name][0].state in ("Done", "Failed"), "an answer to the node")
        return at

    def digest(self):
        """What who starts the CVM is given for a."""
        sealed = self.w.service.nodes[id_of(self.order)][0].sealed
        return open_output(self.order, 0, 1, self.w.key_of().public, self.launcher, sealed)

    def manifest(self):
        return manifest_of(self.order, 2, [self.digest(), sha3(b"what b gives")])

    @contextlib.contextmanager
    def agent(self, m):
        """In the CVM, with that manifest."""
        m.agent_config.port, m.agent_config.log_level, m.agent_config.attested_tls = str(self.port), "info", True
        with attested("--tsm", self.tee.mount, make=lambda _: m) as machine:
            yield machine

    def send(self, algorithm=ALGORITHM, requirements=REQUIREMENTS, *more, kind="python"):
        """The algorithm, by who starts the CVM."""
        folder = self.w.folder
        key = folder.write("launcher.pem", pem_key(signer(self.launcher)), 0o600)
        wheels = ["--requirements", folder.write("requirements.txt", requirements)] if requirements else []
        return cli("algo", folder.write("algorithm.py", algorithm), key, "--algorithm", kind, *wheels, *self.proof, *more,
                   AGENT_GRPC_URL=f"127.0.0.1:{self.port}", AGENT_GRPC_ATTESTED_TLS="true",
                   AGENT_GRPC_ATTESTATION_POLICY=folder.write("policy.json", POLICY))

    def give(self, text):
        """b's input, by the peer."""
        folder = self.w.folder
        return cli("data", folder.write("b", text), folder.write("peer.pem", pem_key(signer(self.peer)), 0o600), *self.proof,
                   AGENT_GRPC_URL=f"127.0.0.1:{self.port}", AGENT_GRPC_ATTESTED_TLS="true",
                   AGENT_GRPC_ATTESTATION_POLICY=folder("policy.json"))

    def result(self, *more):
        """By the submitter."""
        return self.w("workflow", "result", id_of(self.order), "--key", self.w.key, "-f", self.w.folder("results.zip"),
                      *self.proof, *more)


def held(machine):
    """How many bytes of the secret an agent has."""
    found = 0
    for folder, _, names in os.walk(machine.agent.work_dir):
        for name in names:
            with contextlib.suppress(FileNotFoundError), open(os.path.join(folder, name), "rb") as file:
                found += len(SECRET) * file.read().count(SECRET.encode())
    return found


@contextlib.contextmanager
def room(w, **cvm):
    r = Room(w, **cvm)
    with r.tee:
        yield r
