# SPDX-License-Identifier: Apache-2.0
"""Submitters and executors of workflows, from proto/workflows.proto, RFC 9180 and no code of the project."""
import base64
import hashlib
import hmac
import json
import os
import re
import time

import grpc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from harness import PATIENCE, workflows, workflows_grpc
from user_keys import Holder

ORDER, ORDER_CVM, OUTPUT = b"cocos-workflow-order-v1\0", b"cocos-workflow-order-v2\0", b"cocos-workflow-output-v1\0"
DAY_MS = 24 * 3600 * 1000


# ---- HPKE (RFC 9180): X25519, HKDF-SHA256, ChaCha20-Poly1305 ----

def raw(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _extract(suite, salt, label, ikm):
    return hmac.new(salt, b"HPKE-v1" + suite + label + ikm, "sha256").digest()


def _expand(suite, prk, label, info, length):
    text = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info + b"\1"
    return hmac.new(prk, text, "sha256").digest()[:length]


def _schedule(secrets, parties, info):
    kem, suite = b"KEM\0\x20", b"HPKE\0\x20\0\1\0\3"
    shared = _expand(kem, _extract(kem, b"", b"eae_prk", b"".join(secrets)), b"shared_secret", b"".join(parties), 32)
    context = (bytes([0 if len(parties) == 2 else 2]) + _extract(suite, b"", b"psk_id_hash", b"")
               + _extract(suite, b"", b"info_hash", info))
    secret = _extract(suite, shared, b"secret", b"")
    return ChaCha20Poly1305(_expand(suite, secret, b"key", context, 32)), _expand(suite, secret, b"base_nonce", context, 12)


def hpke_seal(to, text, info, aad, by=None):
    once, peer = X25519PrivateKey.generate(), X25519PublicKey.from_public_bytes(to)
    secrets, parties = [once.exchange(peer)], [raw(once), to]
    if by:
        secrets.append(by.exchange(peer))
        parties.append(raw(by))
    aead, nonce = _schedule(secrets, parties, info)
    return raw(once), aead.encrypt(nonce, text, aad)


def hpke_open(own, enc, sealed, info, aad, by=None):
    secrets, parties = [own.exchange(X25519PublicKey.from_public_bytes(enc))], [enc, raw(own)]
    if by:
        secrets.append(own.exchange(X25519PublicKey.from_public_bytes(by)))
        parties.append(by)
    aead, nonce = _schedule(secrets, parties, info)
    return aead.decrypt(nonce, sealed, aad)


# ---- outputs ----

def seal_output(text, recipients, workflow, node, attempt, by):
    key = os.urandom(32)
    ciphertext = ChaCha20Poly1305(key).encrypt(bytes(12), text, None)
    info = OUTPUT + bytes.fromhex(workflow) + node.to_bytes(4, "big") + attempt.to_bytes(4, "big")
    out = OUTPUT + len(recipients).to_bytes(2, "big")
    for recipient in sorted(recipients):
        enc, sealed = hpke_seal(recipient, key, info, recipient + hashlib.sha3_256(ciphertext).digest(), by)
        out += recipient + enc + sealed
    return out + ciphertext


def open_output(sealed, own, workflow, node, attempt, by):
    assert sealed.startswith(OUTPUT)
    at = len(OUTPUT) + 2
    count = int.from_bytes(sealed[at - 2:at], "big")
    ciphertext = sealed[at + 112 * count:]
    info = OUTPUT + bytes.fromhex(workflow) + node.to_bytes(4, "big") + attempt.to_bytes(4, "big")
    for part in (sealed[at + 112 * i:at + 112 * (i + 1)] for i in range(count)):
        if part[:32] == raw(own):
            key = hpke_open(own, part[32:64], part[64:], info, part[:32] + hashlib.sha3_256(ciphertext).digest(), by)
            return ChaCha20Poly1305(key).decrypt(bytes(12), ciphertext, None)
    raise InvalidTag


# ---- orders ----

def node(name, *dependencies, kind="t", function="f", seconds=600, retries=0, **kwargs):
    return {"nodename": name, "conditions": {"executortype": kind, "dependencies": list(dependencies)},
            "funcname": function, "kwargs": kwargs, "maxexectime": seconds, "maxretries": retries}


def has_cvm(spec):
    try:
        return any(re.fullmatch("cvm(:.*)?", node["conditions"]["executortype"]) for node in json.loads(spec))
    except (ValueError, TypeError, KeyError):
        return False


def order_message(order):
    parts = [order.nonce, order.expires_ms.to_bytes(8, "big"), order.submitter, order.reply,
             hashlib.sha3_256(order.spec).digest(), len(order.nodes).to_bytes(4, "big")]
    parts += [b"".join(sorted(n.keys)) for n in order.nodes]
    return (ORDER_CVM if has_cvm(order.spec) else ORDER) + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def id_of(order):
    return hashlib.sha3_256(order_message(order)).hexdigest()


def order_of(nodes, keys, holder, reply, expires_ms=None):
    """keys: {executortype: X25519 public keys}; or a list with those of each node."""
    order = workflows.Order(
        spec=nodes if isinstance(nodes, bytes) else json.dumps(nodes).encode(), nonce=os.urandom(32),
        expires_ms=int(time.time() * 1000) + DAY_MS if expires_ms is None else expires_ms,
        submitter=holder.spki, reply=raw(reply))
    for number, each in enumerate(nodes if isinstance(keys, dict) else keys):
        of_node = keys[each["conditions"]["executortype"]] if isinstance(keys, dict) else keys[number]
        order.nodes.add(keys=of_node)
    return sign(order, holder)


def sign(order, holder):
    order.signature = base64.b64decode(holder.key.sign(order_message(order)))
    return order


class Caller:
    """One user's calls."""

    def __init__(self, running, caller):
        self.stub = workflows_grpc.WorkflowServiceStub(running.channel)
        self.metadata = caller.metadata

    def __call__(self, method, **fields):
        kind = workflows.DESCRIPTOR.services_by_name["WorkflowService"].methods_by_name[method].input_type
        request = kind._concrete_class(**fields)  # pylint: disable=protected-access
        return getattr(self.stub, method)(request, timeout=PATIENCE, metadata=self.metadata)

    def refusal(self, code, method, **fields):
        try:
            self(method, **fields)
        except grpc.RpcError as error:
            assert error.code() == code, (error.code(), error.details())
            return error.details()
        raise AssertionError(f"{method} is not refused")


class Submitter(Holder):
    """With a registered key, and one that results are sealed for."""

    def __init__(self, running, name, caller=None, kind="ed25519"):
        super().__init__(running, name, kind, caller=caller)
        self.register()
        self.call = Caller(running, self.caller)
        self.reply = X25519PrivateKey.generate()

    def order(self, nodes, keys, **fields):
        return order_of(nodes, keys, self, self.reply, **fields)

    def submit(self, nodes, keys, **fields):
        return self.call("Submit", order=self.order(nodes, keys), **fields)

    def state(self, workflow):
        return self.call("Get", id=workflow)

    def result(self, workflow, name=""):
        """Opened as the node's executor's that the order names, and nobody else's."""
        order = self.state(workflow).order
        assert id_of(order) == workflow
        got = self.call("GetOutput", id=workflow, node=name)
        assert got.executor in order.nodes[got.number].keys
        return open_output(got.sealed, self.reply, workflow, got.number, got.attempt, got.executor)


def one_workflow(running):
    """For pages that show one: its id. `running` has a channel, and an administrator as root."""
    caller = Submitter(running, "submitter")
    return caller.submit([node("a"), node("b", "a")], {"t": [raw(X25519PrivateKey.generate())]}, name="two").id


class Running:
    """What the classes here need of a service."""

    def __init__(self, channel, root):
        self.channel, self.root = channel, root


class Executor:
    """Of a type, with a key of its own."""

    def __init__(self, running, caller, kind="t", workspace="", key=None):
        self.call = Caller(running, caller)
        self.kind, self.workspace = kind, workspace
        self.key = key or X25519PrivateKey.generate()
        self.public = raw(self.key)
        self.register()

    def register(self):
        made = self.call("RegisterExecutor", workspace=self.workspace, type=self.kind, key=self.public)
        self.number = made.number
        self.secret = hpke_open(self.key, made.enc, made.sealed, b"cocos-executor-v1\0", b"")
        return made

    def me(self):
        return {"executor": self.number, "secret": self.secret}

    def take(self, wait=0):
        got = self.call("TakeNode", wait_seconds=wait, **self.me())
        return got if got.is_there else None

    def place(self, taken):
        return {"id": taken.id, "number": taken.number, "attempt": taken.attempt}

    def inputs(self, taken):
        """{node's number: what it gave}"""
        out = {}
        for each in taken.inputs:
            got = self.call("GetNodeInput", dependency=each.number, **self.me(), **self.place(taken))
            assert (got.number, got.attempt, got.executor) == (each.number, each.attempt, each.executor)
            assert len(got.sealed) == each.bytes and got.executor in taken.order.nodes[got.number].keys
            out[each.number] = open_output(got.sealed, self.key, taken.id, got.number, got.attempt, got.executor)
        return out

    def recipients(self, taken):
        spec = json.loads(taken.order.spec)
        name = spec[taken.number]["nodename"]
        keys = {key for n, each in enumerate(spec) if name in each["conditions"]["dependencies"]
                for key in taken.order.nodes[n].keys}
        return keys or {taken.order.reply}

    def seal(self, taken, text, **fields):
        words = {"recipients": self.recipients(taken), "workflow": taken.id, "node": taken.number,
                 "attempt": taken.attempt, "by": self.key, **fields}
        return seal_output(text, **words)

    def finish(self, taken, text, **fields):
        words = {"sealed": self.seal(taken, text), **self.me(), **self.place(taken), **fields}
        return self.call("FinishNode", **words)

    def fail(self, taken, why="it broke", is_final=False):
        return self.call("FinishNode", failure=why, is_final=is_final, **self.me(), **self.place(taken))
