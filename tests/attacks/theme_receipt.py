# SPDX-License-Identifier: Apache-2.0
"""Receipts for results, shown to somebody who knows none of the parties: the forger has genuine machines of his own,
other people's receipts, and every byte of this one. (What is simulated is the hardware alone.)"""
import hashlib
import os
import time

import cbor2

import evidence
from attested_peer import Identity
from hardware import Guest
from harness import cli
from journal_book import Writer
from rows import Outcome, row
from world import IMAGE, MANIFEST, OTHER_IMAGE, RESULTS, Machine, chip, desk, fetched, owner, sha3, vendor

TYPE, EXTERNAL, PROOF = "application/cocos-receipt+cbor", b"cocos-receipt-v1", -65537
OPENING, COMMITMENT = -65538, b"cocos-receipt-results-v1\0"
DEBUG = 1 << 19  # of a guest's policy (56860, table 10)


class Run:
    """One run of a computation on a machine of ours, and whatever its agent certifies."""

    def __init__(self, guest=None, manifest=MANIFEST, computation="c-1", named=True):
        self.guest, self.manifest, self.computation = guest or Guest(chip(), IMAGE), manifest, computation
        self.journal = Identity()
        self.machine = Machine(self.guest, None, manifest, computation=computation,
                               journal=self.journal.spki if named else None)
        self.proof = cbor2.dumps([self.machine.run, self.machine.run_evidence, b""])

    def receipt(self, signer=None, proof=None, external=EXTERNAL, results=RESULTS, salt=b"s" * 32, opens=None,
                **changes):
        """What docs/receipt.md describes; changes by the number of the key. `opens` is another opening."""
        proof, now = proof or self.proof, int(time.time())
        opening = cbor2.dumps([salt, len(results), hashlib.sha256(results).digest(), sha3(results)])
        said = {0: 1, 1: self.computation, 2: self.manifest,
                3: sha3(COMMITMENT + opening),
                4: [sha3(b"algorithm"), "bin", sha3(b"owner")], 5: None, 6: [],
                7: [["iris.csv", sha3(b"data"), sha3(b"data's owner")]], 8: [], 9: [1 << 30, 256, 1 << 20, 1 << 20, 0, 0],
                10: 0, 11: ["snp", self.guest.measurement], 12: None, 13: now - 10, 14: now - 5,
                15: hashlib.sha256(proof).digest()}
        said.update({int(key.lstrip("_")): value for key, value in changes.items()})
        payload, protected = cbor2.dumps(said), cbor2.dumps({1: -7, 3: TYPE})
        signature = evidence.sign((signer or self.journal).key,
                                  cbor2.dumps(["Signature1", protected, external, payload]))
        beside = {PROOF: proof, OPENING: opens or opening}
        return cbor2.dumps(cbor2.CBORTag(18, [protected, beside, payload, signature]))


def judged(receipt, results=RESULTS, root=True, **policy):
    """Somebody who was given both looks at them."""
    path = owner().write("shown.zip", results)
    beside = owner().write("shown.receipt.cbor", receipt)
    words = ["--trusted_root", vendor().root] if root else []
    ran = cli("receipt", "verify", path, "--receipt", beside, "--policy", owner().policy(**policy),
              "--offline", "--cache", os.path.join(owner().path, "no-cache"), *words)
    return Outcome(ran.status == 0, ran.out + ran.err)


@row("receipt-of-other-results", "receipt.results")
def other_results(evil):
    """Another model beside the receipt of an honest one."""
    return judged(Run().receipt(), RESULTS + b"\0" if evil else RESULTS)


@row("receipt-opened-as-others", "receipt.form")
def opened_as_others(evil):
    """An honest receipt, and beside it salt and digests of another model: what no signature covers is bound by the
    commitment, which one does."""
    other = RESULTS + b"\0"
    opens = cbor2.dumps([b"s" * 32, len(other), hashlib.sha256(other).digest(), sha3(other)])
    return judged(Run().receipt(opens=opens if evil else None), other if evil else RESULTS)


@row("receipt-of-a-provider-beside-results", "receipt.results")
def providers_copy(evil):
    """A provider's copy, which names no results, beside a file: it vouches for none."""
    receipt = cbor2.loads(Run().receipt())
    if evil:
        del receipt.value[1][OPENING]
    return judged(cbor2.dumps(receipt))


@row("receipt-of-another-manifest", "run.manifest")
def another_manifest(evil):
    """The receipt of an honest run, for other parties than the policy names."""
    return judged(Run(manifest=sha3(b"another manifest") if evil else MANIFEST).receipt())


@row("receipt-of-a-manifest-that-nobody-named", "no manifest was named")
def unnamed_manifest(evil):
    """The receipt of a run of the forger's own, shown to somebody whose policy names no manifest: it is genuine, and the
    answer doesn't say that it is bound to the manifest."""
    run = Run(manifest=sha3(b"the forger's own")) if evil else Run()
    said = judged(run.receipt(), run={"fixed_boot": False} if evil else {"manifests": [MANIFEST.hex()]})
    return Outcome(said.taken and "bound to the manifest" in said.said, said.said)


@row("receipt-claims-the-manifest", "receipt.manifest")
def claimed_manifest(evil):
    """A receipt that names another manifest than the run whose evidence stands beside it: whoever reads the receipt
    alone is told of other parties."""
    run = Run()
    return judged(run.receipt(_2=sha3(b"another manifest")) if evil else run.receipt())


@row("receipt-of-another-computation", "receipt.computation")
def another_computation(evil):
    """A receipt that names another computation than the run whose evidence stands beside it."""
    return judged(Run().receipt(_1="c-2" if evil else "c-1"))


@row("receipt-signed-by-a-strangers-key", "receipt.signature")
def strangers_key(evil):
    """A forger's own words, beside the genuine proof of an honest run: its key is not his."""
    return judged(Run().receipt(signer=Identity() if evil else None))


@row("receipt-signed-by-the-identity", "receipt.signature")
def identity_key(evil):
    """The key that ends the agent's connections, which its process holds, signs in the journal key's place."""
    run = Run()
    return judged(run.receipt(signer=run.machine.identity if evil else None))


@row("receipt-no-key-is-named", "receipt.key")
def unnamed_key(evil):
    """A genuine statement that names no key for receipts, and a receipt by any."""
    return judged(Run(named=not evil).receipt())


@row("receipt-signed-as-a-journals-head", "receipt.signature")
def journals_head(evil):
    """What the right key signed for something else."""
    return judged(Run().receipt(external=b"cocos-journal-v1" if evil else EXTERNAL))


@row("receipt-beside-another-runs-proof", "receipt.proof")
def another_proof(evil):
    """An honest receipt, and beside it the genuine statement and evidence of another run of the same image."""
    one, other = Run(), Run()
    receipt = cbor2.loads(one.receipt())
    if evil:
        receipt.value[1][PROOF] = other.proof
    return judged(cbor2.dumps(receipt))


@row("receipt-evidence-of-another-statement", "policy.report_data")
def another_statement(evil):
    """The forger writes a statement that names his key, beside a genuine report over the honest one."""
    honest, mine = Run(), Run()
    proof = cbor2.dumps([mine.machine.run, honest.machine.run_evidence, b""])
    return judged(mine.receipt(proof=proof) if evil else mine.receipt())


@row("receipt-of-a-channels-evidence", "policy.report_data")
def channels_evidence(evil):
    """A genuine report of that agent for a connection in place of the one over its statement."""
    run = Run()
    channel = run.guest.evidence(evidence.nonce_form(0, b"n" * 64, b"", run.machine.identity.spki).report_data)
    proof = cbor2.dumps([run.machine.run, channel, b""])
    return judged(run.receipt(proof=proof) if evil else run.receipt())


@row("receipt-of-a-debug-machine", "policy.debug")
def debug_machine(evil):
    """A machine of the right image that its host may read and write: whatever key it has, he has."""
    guest = Guest(chip(), IMAGE, policy=(1 << 17) | DEBUG) if evil else None
    return judged(Run(guest).receipt())


@row("receipt-of-another-image", "policy.measurement")
def another_image(evil):
    """An image with a back door, on a genuine chip."""
    return judged(Run(Guest(chip(), OTHER_IMAGE) if evil else None).receipt())


@row("receipt-claims-the-image", "receipt.image")
def claimed_image(evil):
    """A receipt that names another image than the one that made it, for whoever reads it alone."""
    return judged(Run().receipt(_11=["snp", OTHER_IMAGE if evil else IMAGE]))


@row("receipt-leaves-the-registers-out", "token.whole")
def left_out(evil):
    """The policy wants registers, too, and the receipt says that it is a report's alone: who shows it must not choose
    which half of the policy counts."""
    registers = {"pcrs": {"sha256": {"4": ["ab" * 32]}}}
    return judged(Run().receipt(), tpm=registers if evil else None)


@row("receipt-under-a-policy-for-stock-agents", "run.statement")
def stock_policy(evil):
    """A stock agent gets a report over any bytes: over the statement that the forger wrote, with his key in it. A
    policy that takes such an agent takes no receipt."""
    return judged(Run().receipt(), run={"agent": "stock"} if evil else {"manifests": [MANIFEST.hex()]})


def journal(evidence_too=None, run=None, when=None):
    """A journal of an honest run, closed; its evidence as docs/journal.md has it."""
    run = run or Run()
    book = Writer(lambda spki: run.machine.run, run.journal.key)
    book.time = int(1000 * (when or time.time()))
    nonce = hashlib.sha512(b"cocos-journal-evidence-v1\0" + run.machine.run).digest()
    binding = evidence.nonce_form(0, nonce, b"", run.machine.identity.spki)
    book.add("evidence", token=run.machine.token(binding, "nonce", **(evidence_too or {})))
    book.add("end", reason="stopped")
    return book.head(True)


def read(data, *options, **policy):
    """Somebody who was given a journal looks at it."""
    ran = cli("journal", "verify", owner().write("shown.journal", data), "--policy", owner().policy(**policy),
              "--offline", "--cache", os.path.join(owner().path, "no-cache"), "--trusted_root", vendor().root,
              *options)
    return Outcome(ran.status == 0, ran.out + ran.err)


@row("journal-under-a-policy-for-stock-agents", "vouches for nobody's journal")
def stock_journal(evil):
    """The forger writes a journal and has a stock agent make the evidence; a policy that takes such an agent takes no
    journal."""
    return read(journal(), run={"agent": "stock"} if evil else {"manifests": [MANIFEST.hex()]})


@row("journal-of-the-future", "token.time")
def future_journal(evil):
    """A clock that the host has put ahead by weeks, so that revocation lists and certificates were judged as of then."""
    when = int(time.time()) + (20 * 86400 if evil else -86400)
    return read(journal({"issued": when, "expires": when + 60}, when=when))


@row("journal-too-old-for-the-policy", "token.age")
def old_journal(evil):
    """A journal that is dated when its chip was still trusted, under a policy that wants young evidence."""
    when = int(time.time()) - (86400 if evil else 60)
    return read(journal({"issued": when, "expires": when + 60}, when=when), token={"max_age": 3600})


@row("receipt-under-a-root-that-nobody-named", "chain.root")
def nobodys_root(evil):
    """A simulator's hardware, whose root the reader has not named."""
    return judged(Run().receipt(), root=not evil)


@row("receipt-of-the-future", "receipt.time")
def the_future(evil):
    """A clock that the host has put ahead, so that the run seems to have ended after today."""
    return judged(Run().receipt(_14=int(time.time()) + (1 << 20 if evil else -1)))


@row("receipt-of-another-agent", "receipt.agent")
def another_agent(evil):
    """The agent at the end of the consumer's own, verified connection hands out the receipt of another run of the
    same image and manifest, with its results."""
    here = Run()
    receipt = (Run() if evil else here).receipt()
    desk().receipt = receipt
    try:
        return fetched(here.machine)
    finally:
        desk().receipt = None


@row("receipt-of-results-that-do-not-come", "receipt.results")
def results_that_do_not_come(evil):
    """The receipt is the agent's own, and the results that come on the connection are others. They are kept aside:
    what was handed out once can't be had again."""
    here = Run()
    desk().receipt = here.receipt(results=RESULTS + b"\0" if evil else RESULTS)
    try:
        done = fetched(here.machine)
        done.gained = None if evil else done.gained
        return done
    finally:
        desk().receipt = None


@row("receipt-that-says-of-no-results", "receipt.results")
def says_of_no_results(evil):
    """The agent hands its consumer a provider's copy, beside which any results could come: nothing is fetched."""
    here = Run()
    receipt = cbor2.loads(here.receipt())
    if evil:
        del receipt.value[1][OPENING]
    desk().receipt = cbor2.dumps(receipt)
    try:
        return fetched(here.machine)
    finally:
        desk().receipt = None
