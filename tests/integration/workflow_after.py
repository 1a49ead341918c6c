# SPDX-License-Identifier: Apache-2.0
"""A node that goes on with what a CVM has computed: one at home that depends on one in a CVM, with an agent on simulated
hardware, and a service that is played. Who gives the input and who starts the CVM have done their part."""
import contextlib

from agent_peer import pem_key
from harness import cli, until
from workflow_cvm import ALGORITHM, POLICY, SECRET, Room, kwargs, manifest_of, sha3, signer
from workflow_parties import raw
from workflow_played import Key, open_output, seal_output
from workflow_room import node

INPUT = SECRET.encode()
# What the program of the node sees: its inputs, and what the CVM's algorithm wrote.
TELLS = ("import os\nprint(sorted(os.listdir('.')), sorted(os.listdir('inputs')), sorted(os.listdir('inputs/sum')), "
         "open('inputs/sum/names').read())\n")
SEEN = b"['inputs', 'kwargs.json', 'results'] ['sum'] ['log.txt', 'names'] a\n\n"


class After(Room):
    """Nodes a (by `peer`), sum (in a CVM that `launcher` starts) and tell, which home's executor `next` runs."""

    def __init__(self, w, **more):
        self.reply = Key()
        super().__init__(w, **more)
        w.script(TELLS)

    def make_order(self, consumer=None, seconds=600, **cvm):
        """`consumer`: another Key than that of who runs tell."""
        said = kwargs(f"127.0.0.1:{self.port}", self.launcher, {"a": self.peer},
                      **{"consumer": raw(signer(consumer or self.w.key_of("next"))).hex(), **cvm})
        return self.w.order([node("a", "peer"), node("sum", "cvm:cloud", after=["a"], kwargs=said, retries=0),
                             node("tell", "next", after=["sum"], seconds=seconds, retries=0)], reply=self.reply)

    def add(self, launcher=None):
        """Its id; tell is ready by what who starts the CVM has said, or another Key in its place."""
        name, launcher = self.w.service.add(self.order), launcher or self.launcher
        with self.w.service.lock:
            one, two, last = self.w.service.nodes[name]
            for number, (own, key, text) in enumerate(((one, self.peer, sha3(INPUT)), (two, launcher, b"Completed\n"))):
                own.state, own.attempt, own.given, own.executor = "Done", 1, 1, key.public
                own.sealed = seal_output(self.order, number, 1, key, text)
            last.state = "Ready"
        return name

    def executor(self, *more):
        return self.w.executor(*self.proof, *more, kind="next")

    def manifest(self):
        return manifest_of(self.order, 1, [sha3(INPUT)])

    def compute(self, algorithm=ALGORITHM):
        """In the CVM."""
        self.send(algorithm).ok()
        self.give(INPUT).ok()

    def fetch(self, key, *more):
        """By the command for owners, with that private key (PEM)."""
        folder = self.w.folder
        return cli("result", folder.write("consumer.pem", key, 0o600), "-f", folder("theirs.zip"), *self.proof, *more,
                   AGENT_GRPC_URL=f"127.0.0.1:{self.port}", AGENT_GRPC_ATTESTED_TLS="true",
                   AGENT_GRPC_ATTESTATION_POLICY=folder.write("policy.json", POLICY))

    def told(self, name):
        """What the submitter is given of tell."""
        own = self.w.service.nodes[name][2]
        return open_output(self.order, 2, 1, self.w.key_of("next").public, self.reply, own.sealed)

    def until_ended(self, name):
        until(lambda: self.w.service.nodes[name][2].state in ("Done", "Failed"), "an end of the node")
        return self.w.service.nodes[name][2]

    def consumer_pem(self):
        return pem_key(signer(self.w.key_of("next")))


@contextlib.contextmanager
def after(w, **more):
    r = After(w, **more)
    with r.tee:
        yield r
