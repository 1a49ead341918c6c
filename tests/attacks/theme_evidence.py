# SPDX-License-Identifier: Apache-2.0
"""Evidence that is genuine as far as it goes, or looks like it: on a connection whose key the attacker
has, with a binder that is right. One thing at a time is not as the owner's policy wants it."""
import functools
import secrets
import time

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec

import evidence
from agent_job import manifest
from agent_tpm import canonical
from attested_peer import AUTHENTICATOR, Identity, Parts, Session, frame
from hardware import Chip, Guest, Vendor, openssl
from harness import cli
from rows import Outcome, row
from world import (IMAGE, MANIFEST, OTHER_IMAGE, Machine, chip, owner, sha3, uploaded, vendor)


def against(name, check, honest=None, **upload):
    """A row made of evil(), which gives the machine that answers, or a token(machine, binding)."""
    def put(evil_side):
        def attempt(evil):
            made = evil_side() if evil else (honest or Machine)()
            machine, token = made if isinstance(made, tuple) else (made, Machine.token)

            def script(gate, connection):
                parts = Parts(Session(connection), gate.asked(connection), machine.identity,
                              functools.partial(token, machine))
                connection.send(frame(AUTHENTICATOR, parts.bytes()))
                gate.serve(connection, machine)
            words = {k: v() if callable(v) else v for k, v in upload.items()}
            return uploaded(script, machine.identity, **words)
        attempt.__doc__, attempt.__module__ = evil_side.__doc__, __name__
        row(name, check)(attempt)
        return evil_side
    return put


def token_of(change):
    """A machine of the right kind, and change(machine, binding) as its token."""
    return Machine(), change


# ---- the platform ----

@against("image-with-a-back-door", "policy.measurement")
def other_image():
    """A genuine chip runs another image."""
    return Machine(Guest(chip(), OTHER_IMAGE))


@against("measurement-zero", "policy.measurement")
def zero_measurement():
    """A measurement of zeros, which must not pass for 'any'."""
    return Machine(Guest(chip(), bytes(48)))


@against("debug-guest", "policy.debug")
def debug_guest():
    """The right image, launched so that the host can read its memory."""
    return Machine(Guest(chip(), policy=1 << 17 | 1 << 19))


@against("migratable-guest", "policy.migrate_ma")
def migratable():
    """A migration agent of the host's may copy the guest."""
    return Machine(Guest(chip(), policy=1 << 17 | 1 << 18))


def migration_allowed():
    return owner().policy(snp={"measurements": [IMAGE.hex()], "allow": ["migrate_ma"]})


@against("migration-agent-that-nobody-named", "policy.report_id_ma", policy=migration_allowed,
         honest=lambda: Machine(Guest(chip(), policy=1 << 17 | 1 << 18)))
def unnamed_migration_agent():
    """The policy allows migration, and the host brings an agent of its own."""
    return Machine(Guest(chip(), policy=1 << 17 | 1 << 18, agent=b"\x17" * 32))


@against("guest-with-smt", "policy.smt")
def smt():
    """The guest policy lets an attacker run on the sibling thread."""
    return Machine(Guest(chip(), policy=1 << 17 | 1 << 16))


@against("memory-aliases-unchecked", "policy.platform_alias_check")
def alias_check():
    """Firmware that has not looked for memory aliases (BadRAM)."""
    return Machine(Guest(chip(), platform=0))


@against("evidence-of-a-less-privileged-level", "policy.vmpl")
def vmpl():
    """A report that some code at VMPL 3 of the right image asked for."""
    return Machine(Guest(chip(), vmpl=3))


@against("host-data-of-another-launch", "policy.host_data")
def host_data():
    """HOST_DATA that the policy does not name."""
    return Machine(Guest(chip(), host_data=b"\x66" * 32))


@against("report-altered-after-signing", "signature.report")
def altered_report():
    """The back door's report with the good image's measurement written over its own."""
    def token(machine, binding):
        raw = bytearray(Machine(Guest(chip(), OTHER_IMAGE)).guest.evidence(binding.report_data))
        raw[0x90:0xc0] = IMAGE
        return machine.token(binding, raw=bytes(raw))
    return token_of(token)


@against("report-signed-by-nobodys-chip", "signature.report")
def software_chip():
    """A report made in software, beside the certificates of a genuine chip."""
    def token(machine, binding):
        raw = machine.guest.evidence(binding.report_data, key=ec.generate_private_key(ec.SECP384R1()))
        return machine.token(binding, raw=raw)
    return token_of(token)


@functools.lru_cache(None)
def impostor():
    """A vendor with the same names and keys of its own."""
    path = vendor().path("impostor.pem")
    with open(path, "wb") as file:
        file.write(openssl("genrsa", "4096"))
    return Vendor(root_key=path)


@against("root-with-the-right-name", "chain.root")
def other_root():
    """A whole chain under a root of the attacker's, whose name is the vendor's."""
    return Machine(Guest(Chip(impostor())))


@against("certificate-for-a-newer-firmware", "binding.tcb")
def newer_certificate():
    """A chip on old firmware, with the certificate of its key for newer firmware."""
    return Machine(Guest(Chip(vendor(), tcb={"snp": 8}, certified={"snp": 24})))


@against("old-firmware", "policy.min_tcb", policy=lambda: owner().policy(
    snp={"measurements": [IMAGE.hex()], "min_tcb": {"snp": 24}}))
def old_firmware():
    """A genuine chip on firmware with a known hole, honest about it."""
    return Machine(Guest(chip(snp=8)))


@against("diversion-to-another-chip", "policy.chip_id", policy=lambda: owner().policy(
    snp={"measurements": [IMAGE.hex()], "chip_ids": [chip().chip_id.hex()]}))
def diversion():
    """A genuine machine with the right image, not the one that the owner named: one whose chip the
    attacker has opened."""
    return Machine(Guest(chip("opened")))


@against("milan-without-a-list-of-chips", "policy.chip_id", honest=lambda: Machine(Guest(chip())),
         policy=lambda: owner().policy(snp={
             "measurements": [IMAGE.hex()], "require_chip_allow_list": True,
             "chip_ids": [chip().chip_id.hex()]}))
def milan():
    """A Milan report, which a published attack forges for any chip, of one that nobody listed."""
    return Machine(Guest(chip("forged")))


# ---- the token ----

@against("token-unsigned", "token.form")
def unsigned():
    """The claims as bare CBOR."""
    return token_of(lambda m, b: cbor2.dumps(evidence.opened(m.token(b))))


@against("token-with-alg-none", "token.form")
def alg_none():
    """A token whose protected header names no algorithm that signs."""
    return token_of(lambda m, b: m.token(b, algorithm=0))


@against("token-with-a-cut-signature", "token.signature")
def no_signature():
    """COSE_Sign1 with an empty signature."""
    def token(m, b):
        parts = cbor2.loads(m.token(b)).value
        return cbor2.dumps(cbor2.CBORTag(18, parts[:3] + [b""]))
    return token_of(token)


@against("token-signed-by-an-ephemeral-key", "token.signature")
def ephemeral():
    """The machine's claims, its key among them, signed by a key that nobody vouches for."""
    return token_of(lambda m, b: m.token(b, signer=Identity(), cnf=m.identity.spki))


@against("token-vouches-for-its-own-key", "token.binding")
def own_key():
    """A token that is signed by another key and names that key."""
    return token_of(lambda m, b: m.token(b, signer=Identity()))


@against("token-expired", "token.time")
def expired():
    """A token that says that it was over an hour ago."""
    now = int(time.time())
    return token_of(lambda m, b: m.token(b, issued=now - 7200, expires=now - 3600))


@against("token-of-another-platform", "token.whole")
def other_platform():
    """A token that calls itself a TPM's around an SNP report, to be judged by laxer rules."""
    return token_of(lambda m, b: m.token(b, platform="vTPM"))


@against("token-of-no-platform", "token.platform")
def no_platform():
    """A token that says 'NoCC', as an agent outside of any TEE would."""
    return token_of(lambda m, b: m.token(b, platform="NoCC", raw=b"nothing"))


@against("claim-twice-in-a-token", "token.form")
def claim_twice():
    """Two raw_report claims, one good and one not, for parsers that take the first or the last."""
    def token(m, b):
        parts = cbor2.loads(m.token(b)).value
        claims = cbor2.loads(parts[2])
        one = cbor2.dumps("raw_report") + cbor2.dumps(b"\0" * 1184)
        payload = cbor2.dumps(claims)
        payload = bytes([payload[0] + 1]) + payload[1:] + one
        parts[3] = evidence.sign(m.identity.key,
                                 cbor2.dumps(["Signature1", parts[0], b"", payload]))
        return cbor2.dumps(cbor2.CBORTag(18, [parts[0], {}, payload, parts[3]]))
    return token_of(token)


def said_of_debugging(status):
    return token_of(lambda m, b: evidence.resigned(m.token(b), m.identity, {263: status}))


@against("token-with-another-word-on-debugging", "token.agrees",
         honest=functools.partial(said_of_debugging, 2))
def other_debugging():
    """A dbgstat claim that says otherwise than the report's guest policy."""
    return said_of_debugging(0)


# ---- the run ----

@against("run-statement-missing", "run.statement")
def run_missing():
    """A stock agent, or one whose run statement was taken out: no policy said that this will do."""
    return token_of(lambda m, b: m.token(b, run=None, run_evidence=None))


@against("run-statement-without-evidence", "run.statement")
def run_without_evidence():
    """Any story, for which the TEE never signed."""
    return token_of(lambda m, b: m.token(b, run_evidence=None))


@against("run-statement-altered", "run.evidence")
def run_altered():
    """The machine measured another manifest; the statement is changed to the owner's."""
    machine = Machine(manifest=sha3(b"the attacker's manifest"))
    good = evidence.statement(machine.identity, MANIFEST)
    return machine, lambda m, b: m.token(b, run=good)


@against("run-statement-of-another-manifest", "run.manifest")
def run_other_manifest():
    """A machine that runs another computation, and says so."""
    return Machine(manifest=sha3(b"the attacker's manifest"))


def of_a_manifest(stock):
    """Somebody has a token over his nonce and knows the manifest. The machine is one that signs any report data: it did
    for this statement and this token, whoever wrote them and holds their key."""
    text = canonical(manifest(0))
    machine, nonce = Machine(manifest=sha3(text)), secrets.token_bytes(64)
    token = machine.token(evidence.nonce_form(0, nonce, b"", machine.identity.spki), "nonce")
    ran = cli("attestation", "validate", owner().write("token.eat", token), "--mode", "eat", "--tee", nonce.hex(),
              "--policy", owner().policy(run={"agent": "stock" if stock else "cocos"}), "--offline",
              "--manifest", owner().write("manifest.json", text), "--trusted_root", vendor().root)
    return Outcome(ran.status == 0, ran.out + ran.err)


@row("run-statement-of-a-forger-by-a-stock-agent", "run.manifest: found a stock agent's word")
def run_of_a_forger(evil):
    """The forger writes statement and token with a key of his own, and has a stock agent get reports over both: that
    vouches for whatever it is asked. Under a policy that takes such an agent no statement shows a manifest."""
    return of_a_manifest(stock=evil)


@against("run-statement-of-another-boot", "run.same_report_id")
def run_other_boot():
    """Same chip, same image, same key (saved by a hostile hypervisor's snapshot): launched again."""
    before = Machine()
    after = Machine(Guest(chip()), before.identity)
    return after, lambda m, b: m.token(b, run=before.run, run_evidence=before.run_evidence)


@against("run-statement-of-another-chip", "run.same_chip")
def run_other_chip():
    """The statement was made on an honest chip, the channel's report comes from another."""
    report_id = secrets.token_bytes(32)
    before, after = Machine(), Machine(Guest(chip("opened")))
    before.guest.report_id = after.guest.report_id = report_id
    after.identity = before.identity
    before = Machine(before.guest, before.identity)
    return after, lambda m, b: m.token(b, run=before.run, run_evidence=before.run_evidence)


def two_configurations():
    return owner().policy(snp={"measurements": [IMAGE.hex()],
                               "host_data": [bytes(32).hex(), "66" * 32]})


@against("run-statement-of-another-configuration", "run.same_host_data", policy=two_configurations)
def run_other_configuration():
    """The statement comes from a launch with other HOST_DATA, which the policy takes as well."""
    before, after = Machine(Guest(chip(), host_data=b"\x66" * 32)), Machine()
    after.guest.report_id = before.guest.report_id
    after.identity = before.identity
    return after, lambda m, b: m.token(b, run=before.run, run_evidence=before.run_evidence)


@against("run-statement-of-another-image", "run.evidence_policy: policy.measurement")
def run_other_image():
    """The statement comes from an image that would say anything."""
    before = Machine(Guest(chip(), OTHER_IMAGE))
    after = Machine(Guest(chip()), before.identity)
    after.guest.report_id = before.guest.report_id
    return after, lambda m, b: m.token(b, run=before.run, run_evidence=before.run_evidence)


@against("run-statement-of-another-key", "run.identity")
def run_other_key():
    """The statement and its evidence are of another agent of the same image on the same chip."""
    other = Machine()
    return token_of(lambda m, b: m.token(b, run=other.run, run_evidence=other.run_evidence))


@against("run-evidence-is-the-channels", "run.evidence")
def run_evidence_is_channels():
    """The report of the channel in the place of the statement's."""
    return token_of(lambda m, b: m.token(b, run_evidence=m.guest.evidence(b.report_data)))


@against("identity-from-outside", "run.identity_made_inside")
def external():
    """The agent's key came from the manifest, so that the service has it too."""
    return Machine(external=True)


@against("weakened-by-the-command-line", "run.weak_words")
def weak():
    """An agent that takes signatures which can be replayed, because its command line says so."""
    return Machine(weak=["cocos.role_signature"])


@against("unknown-boot-configuration", "run.boot_keys")
def boot_keys():
    """The host set something that the policy does not let it set."""
    return Machine(entries={"AGENT_DEBUG_SHELL": "1"})


@against("run-statement-with-more-keys", "run.form")
def more_keys():
    """A statement of a version to come, with a key that says what we would not look at."""
    machine = Machine()
    statement = cbor2.loads(machine.run)
    statement[11] = "and all of this does not count"
    machine.run = cbor2.dumps(statement)
    machine.run_evidence = machine.guest.evidence(evidence.run_form(machine.run).report_data)
    return machine
