# SPDX-License-Identifier: Apache-2.0
"""Receipts read and checked a second time, from docs/receipt.md and docs/evidence.md alone: COSE and CBOR by python3-cbor2, keys and
signatures by python3-cryptography. Nothing here says whether the evidence is genuine hardware's."""
import hashlib

import cbor2

import evidence_book

TYPE, EXTERNAL, PROOF = "application/cocos-receipt+cbor", b"cocos-receipt-v1", -65537
OPENING, RESULTS = -65538, b"cocos-receipt-results-v1\0"
KEYS = ("version", "computation", "manifest", "results", "algorithm", "requirements", "wheels", "datasets", "arguments",
        "limits", "exit", "image", "journal", "started", "ended", "proof")


class Receipt:
    """A receipt whose form is right; members by name, and `statement`, `evidence`, `log` of its proof. `opening` is
    None in a provider's copy; `results` is a commitment."""

    def __init__(self, data):
        message = cbor2.loads(data)
        assert isinstance(message, cbor2.CBORTag) and message.tag == 18 and len(message.value) == 4
        self.protected, beside, self.payload, self.signature = message.value
        assert cbor2.loads(self.protected) == {1: -7, 3: TYPE}
        assert list(beside) in ([PROOF], [PROOF, OPENING]), "in that order"
        said = cbor2.loads(self.payload)
        assert list(said) == list(range(len(KEYS))), "all of the keys, in order"
        self.proof_bytes = beside[PROOF]
        self.statement, self.evidence, self.log = cbor2.loads(self.proof_bytes)
        for made, value in ((self.payload, said), (self.proof_bytes, [self.statement, self.evidence, self.log]),
                            (data, message)):
            assert cbor2.dumps(value) == made, "one encoding"
        for name, value in zip(KEYS, said.values()):
            setattr(self, name, value)
        assert self.version == 2 if any(len(one) == 4 for one in self.datasets) else self.version == 1
        assert all(len(leave) == 2 and leave[0] in ("retry", "algorithm") and len(leave[1]) == 32
                   for _, _, _, *kept in self.datasets for leave in kept)
        assert all(len(sha256) == 32 for _, sha256 in self.wheels)
        assert len(self.results) == 32
        self.opening = cbor2.loads(beside[OPENING]) if OPENING in beside else None
        if self.opening:
            assert hashlib.sha3_256(RESULTS + beside[OPENING]).digest() == self.results
            assert cbor2.dumps(self.opening) == beside[OPENING]
            salt, size, sha256, sha3_256 = self.opening
            assert size >= 0 and len(salt) == len(sha256) == len(sha3_256) == 32

    def check(self, words=("development",), **reader):
        """Steps 2 and 4 to 7 of the page, and of step 3 that the evidence is over the statement. `words` and more are
        what this reader lets a statement say; the agents of tests are a developer's."""
        assert hashlib.sha256(self.proof_bytes).digest() == self.proof
        kind, measurement = self.image
        evidence = evidence_book.of_run(kind, self.evidence, self.statement)
        said = evidence_book.statement(self.statement)
        evidence_book.accept(said, words=words, **reader)
        assert said[evidence_book.COMPUTATION] == self.computation and said[evidence_book.MANIFEST] == self.manifest
        signed = cbor2.dumps(["Signature1", self.protected, EXTERNAL, self.payload])
        evidence_book.verified(said[evidence_book.JOURNAL], self.signature, signed)
        assert evidence["measurement"] == measurement
        return self

    def is_of(self, path):
        with open(path, "rb") as file:
            data = file.read()
        assert self.opening[1:] == [len(data), hashlib.sha256(data).digest(), hashlib.sha3_256(data).digest()]
        return self
