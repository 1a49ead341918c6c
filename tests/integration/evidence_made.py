# SPDX-License-Identifier: Apache-2.0
"""Machines whose evidence is genuine under a root and a key that the reader names, and is over what the caller says: with
these a journal or a receipt is right in all but what its evidence is bound to. The hardware is that of tests/attacks."""
import functools
import hashlib
import json
import os
import sys
import time

import cbor2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import evidence_book
from attested_peer import Identity
from harness import ROOT

sys.path.append(os.path.join(ROOT, "tests", "attacks"))
# pylint: disable=wrong-import-position
from evidence import cose_key, seal, sign, statement
from hardware import Chip, Guest, Vendor
from tpm_quotes import SNP_ATTESTATION, Tpm, message, report_message

KINDS = {"snp": "SNP", "vtpm": "vTPM", "snp-vtpm": "SNP-vTPM"}
MANIFEST = hashlib.sha3_256(b"the manifest").digest()


@functools.lru_cache(None)
def hardware():
    """One guest on one chip, and one TPM."""
    return Guest(Chip(Vendor(), b"\7" * 64)), Tpm()


def evidence(kind, form):
    """Over that form."""
    guest, tpm = hardware()
    data, nonce = evidence_book.report_data(form), evidence_book.tpm_nonce(form)
    if kind == "snp":
        return guest.evidence(data)
    if kind == "vtpm":
        return tpm.evidence(nonce)
    report = guest.report(evidence_book.with_ak(data, tpm.area))
    return tpm.evidence(nonce) + message(SNP_ATTESTATION, report_message(report, guest.chip.vcek))


def trust(folder, kind):
    """What makes a reader believe them: a policy and options. A launch that fixed something is one that has to."""
    guest, tpm = hardware()
    registers = {"pcrs": {"sha256": {str(pcr): [value.hex()] for pcr, value in tpm.registers.items()}}}
    policy = {"cocos": 1, "run": {"manifests": [MANIFEST.hex()]}}
    words = ["--offline", "--cache", folder("no-cache")]
    if any(guest.host_data):
        policy["run"]["fixed_boot"] = True
    if kind != "vtpm":
        policy["snp"] = {"measurements": [guest.measurement.hex()]}
        vendor = guest.chip.vendor
        words += ["--trusted_root", vendor.root, "--CA_bundles_paths", f"{vendor.ca},{vendor.root}"]
    if kind != "snp":
        policy["tpm"] = registers
    if kind == "vtpm":
        words += ["--ak", folder.write("ak.pub", tpm.area)]
    return ["--policy", folder.write(f"{kind}.json", json.dumps(policy)), *words]


def example():
    """The numbers of the page's example, in its order."""
    def spki(number):
        return ec.derive_private_key(number, ec.SECP256R1()).public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    salt = bytes(range(16))
    said = evidence_book.encoded({
        0: 1, 1: "c-1", 2: b"\1" * 32, 3: b"\2" * 32, 4: b"\3" * 32,
        5: {"AGENT_CVM_ID": "7", "AGENT_CERTS_TOKEN": [salt, hashlib.sha256(salt + b"hush").digest()]},
        6: True, 7: spki(1), 8: False, 9: spki(2), 10: ["development"]})
    evidence_book.statement(said)
    form, tee = evidence_book.run_form(said), evidence_book.journal_nonce(said)
    snp, vtpm = (evidence_book.nonce_form(kind, tee, b"", spki(1)) for kind in ("snp", "vtpm"))
    return [said, evidence_book.report_data(form), evidence_book.tpm_nonce(form),
            evidence_book.with_ak(evidence_book.report_data(form), b"\0\x23\0"), tee, evidence_book.report_data(snp),
            evidence_book.tpm_nonce(snp), evidence_book.tpm_nonce(vtpm)]


class Run:
    """One run on them, by an agent that says whatever the caller wants."""

    def __init__(self, kind, computation="c-1", version=1, **changes):
        self.kind, self.computation, self.identity, self.journal = kind, computation, Identity(), Identity()
        said = cbor2.loads(statement(self.identity, MANIFEST, computation, journal=self.journal.spki, **changes))
        self.statement = evidence_book.encoded({**said, 0: version})

    def evidence(self, label=b"cocos-run-v1\0", said=None):
        return evidence(self.kind, label + (said or self.statement))

    def form(self, tee=None, vtpm=b"", kind=None, spki=None):
        """NONCE, as a journal has it; or what the caller has another way."""
        if tee is None:
            tee = evidence_book.journal_nonce(self.statement)
        return evidence_book.nonce_form(kind or self.kind, tee, vtpm, spki or self.identity.spki)

    def token(self, form=None, run=None, run_evidence=None, signer=None, cnf=None, use="nonce", nonce=None):
        form, signer, now = form or self.form(), signer or self.identity, int(time.time())
        return seal({1: "cocos-agent", 4: now + 300, 6: now, 8: cose_key((cnf or signer).spki),
                     10: nonce or evidence_book.tpm_nonce(form), "platform_type": KINDS[self.kind],
                     "x-cocos-nonce-use": use, "x-cocos-run": run or self.statement,
                     "x-cocos-run-evidence": run_evidence or self.evidence(),
                     "raw_report": evidence(self.kind, form)}, signer)

    def receipt(self, run=None, evidence_too=None):
        """docs/receipt.md's, of nothing much; a provider's copy."""
        proof, now = cbor2.dumps([run or self.statement, evidence_too or self.evidence(), b""]), int(time.time())
        measurement = b"" if self.kind == "vtpm" else hardware()[0].measurement
        payload, protected = cbor2.dumps({
            0: 1, 1: self.computation, 2: MANIFEST, 3: bytes(32), 4: [bytes(32), "bin", bytes(32)], 5: None, 6: [], 7: [],
            8: [], 9: [1, 1, 1, 1, 0, 0], 10: 0, 11: [self.kind, measurement], 12: None, 13: now - 10, 14: now - 5,
            15: hashlib.sha256(proof).digest()}), cbor2.dumps({1: -7, 3: "application/cocos-receipt+cbor"})
        signed = cbor2.dumps(["Signature1", protected, b"cocos-receipt-v1", payload])
        return cbor2.dumps(cbor2.CBORTag(18, [protected, {-65537: proof}, payload, sign(self.journal.key, signed)]))
