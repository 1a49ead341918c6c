# SPDX-License-Identifier: Apache-2.0
"""Workflows of cocos-cli with a service that is played: who takes part, and what such a service may lie."""
import contextlib
import copy
import fcntl
import hashlib
import json
import os
import subprocess

from agent_peer import Key as UserKey
from agent_peer import pem_key
from harness import ROOT, Folder, Process, cli, program, until
from workflow_parties import id_of, order_message
from workflow_played import Key, PlayedService, make_order, seal_output

EXAMPLE = os.path.join(ROOT, "examples", "secure-sum")


def node(name, kind="home", function="work", after=(), kwargs=None, seconds=600, retries=3):
    return {"nodename": name, "conditions": {"executortype": kind, "dependencies": list(after)}, "funcname": function,
            "kwargs": kwargs or {}, "maxexectime": seconds, "maxretries": retries}


class World:
    """A played service, a user with a key, executors' keys by type."""

    def __init__(self, folder, service):
        self.folder, self.service = folder, service
        self.user, self.keys = UserKey("ed25519"), {}
        self.key = folder.write("user.pem", pem_key(self.user.key), 0o600)
        self.fingerprint = hashlib.sha3_256(self.user.spki).hexdigest()
        self.env = {"COMPUTATIONS_GRPC_URL": "unix:" + service.path, "XDG_STATE_HOME": folder("state"),
                    "HOME": folder.path, "TMPDIR": folder("tmp"), "COMPUTATIONS_GRPC_TOKEN": "secret of its owner"}
        os.makedirs(folder("tmp"), exist_ok=True)

    def __call__(self, *words, **environment):
        return cli(*words, **{**self.env, **environment})

    def key_of(self, kind="home"):
        if kind not in self.keys:
            self.keys[kind] = Key()
            self.folder.write(kind + ".key", self.keys[kind].pem(), 0o600)
        return self.keys[kind]

    def script(self, text, name="work"):
        """A program of that name; its absolute path."""
        return self.folder.write(os.path.join("programs", name), "#!/usr/bin/python3\n" + text, 0o755)

    def submit(self, nodes, *words):
        """By the CLI. What it printed."""
        spec = self.folder.write("workflow.json", json.dumps(nodes))
        kinds = sorted({n["conditions"]["executortype"] for n in nodes})
        keys = [word for kind in kinds for word in ("--executor", f"{kind}={self.key_of(kind).public.hex()}")]
        return self("workflow", "submit", "--spec", spec, "--key", self.key, *keys, *words)

    def order(self, nodes, user=None, reply=None, **more):
        """By our own hand."""
        user = user or self.user
        keys = {n["conditions"]["executortype"]: [self.key_of(n["conditions"]["executortype"]).public] for n in nodes}
        return make_order(json.dumps(nodes).encode(), lambda text: user.key.sign(text), user.spki, keys,
                          (reply or Key()).public, **more)

    def executor_words(self, *words, kind="home", programs=None):
        self.key_of(kind)
        named = [word for name, path in (programs or {"work": self.folder("programs", "work")}).items()
                 for word in ("--program", f"{name}={path}")]
        return ["executor", "run", "--type", kind, "--key", self.folder(kind + ".key"),
                "--submitter", self.fingerprint, *named, *words]

    def executor(self, *words, **more):
        return Process([program("cocos-cli"), *self.executor_words(*words, **more)], self.env)

    def once(self, **more):
        return self(*self.executor_words("--once", **more))

    def state_of(self, kind="home"):
        """Where an executor keeps which nodes were begun."""
        return self.folder("state", "cocos", "executor", self.key_of(kind).public.hex())

    def left(self):
        """Folders of nodes that are still there."""
        return os.listdir(self.folder("tmp"))


@contextlib.contextmanager
def world(**more):
    with Folder() as folder, PlayedService(folder("service.sock"), **more) as service:
        yield World(folder, service)


# ---- programs ----

def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the latter: it ended between open and read
        return False


def until_let_go(state):
    """Who keeps a program has its executor's file until all of that program is gone, a moment after its last process."""
    def look():
        with open(state, "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True
    until(look, state + " without a lock")


def number_in(path):
    """What a program wrote there, once it is whole."""
    def look():
        try:
            with open(path, encoding="ascii") as file:
                text = file.read()
        except FileNotFoundError:
            return None
        return int(text) if text.endswith("\n") else None
    return until(look, path)


# A grandchild that has left session and group, whose parent is gone; then it sleeps, and its program, too. Its number is there
# whole or not at all: it may be killed at any moment.
BREEDS = ("import os, time, sys\n"
          "if os.fork() == 0:\n"
          "    os.setsid()\n"
          "    if os.fork() == 0:\n"
          "        os.setsid()\n"
          "        with open('{0}.new', 'w') as file: file.write(f'{{os.getpid()}}\\n')\n"
          "        os.rename('{0}.new', '{0}')\n"
          "        time.sleep(3600)\n"
          "    os._exit(0)\n"
          "{1}\n")


def example(name, *words):
    """What that program of the example prints."""
    return subprocess.run(["/usr/bin/python3", os.path.join(EXAMPLE, name), *words], stdout=subprocess.PIPE, text=True,
                          check=True).stdout


def secure_sum(folder):
    """The example's programs where hospitals and cloud have them, and the user's key; the workflow's nodes."""
    for kind, patients in (("r1-hospital_executor", 55), ("r2-hospital_executor", 5), ("cloud-hospital-executor", None)):
        for name in ("paillier.py", "hospital.py", "cloud.py", "workflow.py"):
            with open(os.path.join(EXAMPLE, name), encoding="utf-8") as file:
                folder.write(os.path.join(kind, name), file.read(), 0o755)
        if patients:
            folder.write(os.path.join(kind, "patients.txt"), f"{patients}\n")
    example("paillier.py", "generate", folder("paillier.json"), "2048")
    return json.loads(example("workflow.py", folder("paillier.json")))


# ---- a service that lies ----

def resigned(w, change, user=None):
    """The order that `change` has made of its own, signed again."""
    def make(order):
        other = copy.deepcopy(order)
        other = change(w, other) or other
        key = user or w.user
        other.submitter = key.spki
        other.signature = key.key.sign(order_message(other))
        return other
    return make


def _kwargs(_, order):
    order.spec = order.spec.replace(b'"x": 1', b'"x": 2')


LIES = {
    "kwargs are others": (lambda w, said: _kwargs(w, said.order), "not the submitter's"),
    "another order under this id": (
        lambda w, said: said.order.CopyFrom(resigned(w, _kwargs)(said.order)), "another workflow"),
    "another id": (lambda w, said: setattr(said, "id", "00" * 32), "another workflow"),
    "a stranger's order": (
        lambda w, said: (said.order.CopyFrom(resigned(w, _kwargs, UserKey("ed25519"))(said.order)),
                         setattr(said, "id", id_of(said.order))), "whom this executor does not run for"),
    "a later end": (lambda w, said: setattr(said.order, "expires_ms", said.order.expires_ms + 1), "not the submitter's"),
    "other executors": (
        lambda w, said: said.order.nodes[1].keys.append(Key().public), "not the submitter's"),
    "other results": (lambda w, said: setattr(said.order, "reply", Key().public), "not the submitter's"),
    "no signature": (lambda w, said: setattr(said.order, "signature", b""), "signature"),
    "another node": (lambda w, said: (setattr(said, "number", 0), said.ClearField("inputs")), "of type peer"),
    "no such node": (lambda w, said: setattr(said, "number", 9), "no node 9"),
    "attempt 0": (lambda w, said: setattr(said, "attempt", 0), "attempt 0"),
    "too many attempts": (lambda w, said: setattr(said, "attempt", 5), "its order allows 4"),
    "no inputs": (lambda w, said: said.ClearField("inputs"), "depends on 1"),
    "inputs of another node": (lambda w, said: setattr(said.inputs[0], "number", 1), "does not depend"),
    "no order": (lambda w, said: said.ClearField("order"), "order"),
}

OUTPUTS = {
    "another's output": (lambda w, said, order: setattr(said, "sealed", seal_output(order, 0, 1, Key(), b"false")),
                         "input of first"),
    "another executor's": (lambda w, said, order: (
        setattr(said, "executor", (stranger := Key()).public),
        setattr(said, "sealed", seal_output(order, 0, 1, stranger, b"false"))), "another executor"),
    "of another attempt": (lambda w, said, order: setattr(said, "attempt", 2), "input of first"),
    "of another node": (lambda w, said, order: setattr(said, "number", 1), "of another"),
    "of another workflow": (lambda w, said, order: setattr(said, "sealed", seal_output(
        order, 0, 1, w.key_of("peer"), b"false", workflow="11" * 32)), "input of first"),
    "changed": (lambda w, said, order: setattr(said, "sealed", said.sealed[:-1] + bytes([said.sealed[-1] ^ 1])),
                "input of first"),
    "cut": (lambda w, said, order: setattr(said, "sealed", said.sealed[:-20]), "input of first"),
    "none": (lambda w, said, order: setattr(said, "sealed", b""), "input of first"),
    "for others, too": (lambda w, said, order: setattr(said, "sealed", seal_output(
        order, 0, 1, w.key_of("peer"), b"false", to=sorted([w.key_of().public, Key().public]))), "those who are to have it"),
}


def ready(w):
    """A workflow whose first node a peer has done; its order and id."""
    order = w.order([node("first", "peer"), node("last", after=["first"], kwargs={"x": 1}, retries=3)])
    name = w.service.add(order)
    one, last = w.service.nodes[name]
    one.state, one.attempt, one.given, one.executor = "Done", 1, 1, w.key_of("peer").public
    one.sealed = seal_output(order, 0, 1, w.key_of("peer"), b"true")
    last.state = "Ready"
    return order, name
