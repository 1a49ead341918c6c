# SPDX-License-Identifier: Apache-2.0
"""Machines whose word is a TPM's: quotes, attestation keys, registers and logs that are not what they are
taken for, and TPMs beside a TEE that does not know them. The owner knows one TPM, and names its key."""
import functools
import hashlib
import json

import evidence
from attested_peer import AUTHENTICATOR, Identity, Parts, Session, frame
from hardware import Guest
from rows import row
from tpm_quotes import (AK, CERTIFY, IPL, MADE_INSIDE, RESTRICTED, SEPARATOR, SHA1, SNP_ATTESTATION, Tpm, event,
                        event_log, extended, message, report_message)
from world import IMAGE, MANIFEST, chip, fetched, owner, uploaded

PCR4 = b"\x44" * 32


@functools.lru_cache(None)
def known():
    """The TPM whose key the owner names."""
    return Tpm()


class Machine:
    """An agent on a TPM; rows change one step of it."""

    def __init__(self, tpm=None, identity=None, run_tpm=None, **run_quote):
        self.tpm, self.identity = tpm or known(), identity or Identity()
        self.run = evidence.statement(self.identity, MANIFEST)
        self.run_evidence = self.of_run(run_tpm or self.tpm, evidence.run_form(self.run), run_quote)

    platform = "vTPM"

    @staticmethod
    def of_run(tpm, binding, how):
        return tpm.evidence(binding.tpm_nonce, **how)

    def raw(self, binding):
        return self.tpm.evidence(binding.tpm_nonce)

    def token(self, binding):
        return evidence.token(self.identity, binding.tpm_nonce, self.raw(binding), run=self.run,
                              run_evidence=self.run_evidence, platform=self.platform)

    def answer(self, connection, asked):
        with connection.lock:
            return Parts(Session(connection), asked, self.identity, self.token).bytes()

    def script(self, gate, connection):
        connection.send(frame(AUTHENTICATOR, self.answer(connection, gate.asked(connection))))
        gate.serve(connection, self)


class With(Machine):
    """One whose evidence on the channel is raw(tpm, nonce)."""

    def __init__(self, raw, tpm=None, **more):
        super().__init__(tpm, **more)
        self.made = raw

    def raw(self, binding):
        return self.made(self.tpm, binding.tpm_nonce)


def asking(tpm=None, policy=None, named=True, trust=False):
    """How the owner asks: his policy, and the key that he names."""
    tpm = tpm or known()
    options = ["--ak", owner().write("ak.area", tpm.area)] if named else []
    policy = owner().policy(snp=None, tpm=policy or {"pcrs": {"sha256": {"4": [PCR4.hex()]}}})
    return {"policy": policy, "options": options + ([] if trust else ["--offline"]), "trust": trust}


def tpm_row(name, check):
    """A row made of machine(): the evil one, and how its owner asks if not as usual."""
    def put(made):
        def attempt(evil):
            machine, how = made() if evil else (Machine(), asking())
            return uploaded(machine.script, machine.identity, **how)
        attempt.__doc__, attempt.__module__ = made.__doc__, __name__
        row(name, check)(attempt)
        return made
    return put


# ---- whose key it is ----

@tpm_row("tpm-of-the-attacker", "ak.named")
def of_the_attacker():
    """The right values, quoted by a TPM of the attacker's own."""
    return Machine(Tpm()), asking()


@tpm_row("tpm-that-nobody-named", "ak.binding")
def nobody_named():
    """Quotes of a TPM that nobody vouches for."""
    return Machine(), asking(named=False)


@tpm_row("tpm-key-that-signs-anything", "ak.attributes")
def signs_anything():
    """The owner was talked into naming a key that is not restricted: it signs quotes that no TPM made."""
    tpm = Tpm(attributes=AK & ~RESTRICTED)
    return Machine(tpm), asking(tpm)


@tpm_row("tpm-key-made-outside", "ak.attributes")
def made_outside():
    """A key that was brought into the TPM, and that its maker has, too."""
    tpm = Tpm(attributes=AK & ~MADE_INSIDE)
    return Machine(tpm), asking(tpm)


@tpm_row("tpm-key-swapped-in-the-message", "quote.signature")
def key_swapped():
    """The named key's area in front of another key's quote."""
    other = Tpm()
    return With(lambda tpm, nonce: message(1, tpm.area) + message(2, other.quote(nonce))), asking()


@tpm_row("tpm-that-certified-something", "quote.parse")
def certified():
    """Something else that the TPM signed, with the nonce in it."""
    return With(lambda tpm, nonce: tpm.evidence(nonce, kind=CERTIFY)), asking()


# ---- when it was quoted ----

@tpm_row("tpm-quote-of-an-earlier-session", "quote.nonce")
def earlier_session():
    """A genuine quote that was made for a session before."""
    return With(lambda tpm, nonce: tpm.evidence(b"\x0e" * 32)), asking()


@tpm_row("tpm-nonce-in-part", "quote.nonce")
def nonce_in_part():
    """A quote over the first half of the nonce."""
    return With(lambda tpm, nonce: tpm.evidence(nonce[:16])), asking()


@tpm_row("tpm-without-a-nonce", "quote.nonce")
def no_nonce():
    """A quote over nothing."""
    return With(lambda tpm, nonce: tpm.evidence(b"")), asking()


@tpm_row("tpm-quotes-of-two-boots", "quote.same_boot")
def two_boots():
    """Registers of before and after a reboot, a quote of each."""
    return With(lambda tpm, nonce: tpm.carrying(
        tpm.quote(nonce, quoted={4: PCR4}), tpm.quote(nonce, quoted={16: bytes(32)}, resets=8))), asking()


@tpm_row("tpm-statement-of-another-boot", "run.same_boot")
def statement_of_another_boot():
    """The run statement's quote is of the boot before, when the machine ran what the owner expects."""
    return Machine(resets=6), asking()


@tpm_row("tpm-statement-of-another-tpm", "run.evidence: ak.named")
def statement_of_another_tpm():
    """The run statement's quote is another TPM's."""
    return Machine(run_tpm=Tpm()), asking()


# ---- what was quoted ----

@tpm_row("tpm-register-shown-and-not-quoted", "quote.selection")
def not_quoted():
    """The value that the policy wants stands beside a quote of other registers."""
    return With(lambda tpm, nonce: tpm.evidence(nonce, quoted={16: bytes(32)},
                                                shown={4: PCR4, 16: bytes(32)})), asking()


@tpm_row("tpm-register-of-another-value", "quote.digest")
def another_value():
    """Other values beside the quote than it is over."""
    return With(lambda tpm, nonce: tpm.evidence(nonce, quoted={4: b"\x0e" * 32}, shown={4: PCR4})), asking()


@tpm_row("tpm-register-twice", "quote.once")
def register_twice():
    """Two quotes of one register, before and after it was extended, both genuine."""
    return With(lambda tpm, nonce: tpm.carrying(
        tpm.quote(nonce, quoted={4: PCR4}), tpm.quote(nonce, quoted={4: b"\x0e" * 32}))), asking()


@tpm_row("tpm-another-kernel", "policy.pcr4")
def another_kernel():
    """An honest quote of a machine that booted something else."""
    return With(lambda tpm, nonce: tpm.evidence(nonce, quoted={4: b"\x0e" * 32})), asking()


@tpm_row("tpm-register-left-out", "policy.pcr4")
def left_out():
    """A quote of all but the register that would tell."""
    return With(lambda tpm, nonce: tpm.evidence(nonce, quoted={16: bytes(32)})), asking()


@tpm_row("tpm-bank-of-sha-1", "policy.pcr4")
def sha1_bank():
    """The bank whose collisions can be bought."""
    return With(lambda tpm, nonce: tpm.evidence(nonce, bank=SHA1, quoted={4: PCR4})), asking()


# ---- logs ----

KERNEL, SEPARATED = hashlib.sha256(b"kernel").digest(), hashlib.sha256(bytes(4)).digest()
BOOTED = extended(KERNEL, SEPARATED)


def logged(name, check, about, *events, digests=(KERNEL, SEPARATED)):
    """A row: the policy names the events of register 4; the machine's log has others than `events`."""
    separators = [event(pcr, SEPARATOR, bytes(4)) for pcr in (0, 1, 2, 3, 5, 6, 7)]
    honest = [event(4, IPL, b"kernel"), event(4, SEPARATOR, bytes(4))]
    values = {pcr: extended(SEPARATED) for pcr in (0, 1, 2, 3, 5, 6, 7)}

    def attempt(evil):
        tpm = Tpm({**values, 4: extended(*digests) if evil else BOOTED})
        log = event_log(*(events if evil else honest), *separators)
        machine = With(lambda tpm, nonce: tpm.carrying(tpm.quote(nonce), log=log), tpm)
        machine.run_evidence = tpm.carrying(tpm.quote(evidence.run_form(machine.run).tpm_nonce), log=log)
        how = asking(tpm, {"events": {"sha256": {"4": [KERNEL.hex(), SEPARATED.hex()]}}})
        return uploaded(machine.script, machine.identity, **how)
    attempt.__doc__, attempt.__module__ = about, __name__
    row(name, check)(attempt)


EVIL = hashlib.sha256(b"evil").digest()
logged("tpm-log-without-an-event", "log.replay", "An event of the boot is left out of the log.",
       event(4, IPL, b"kernel"), event(4, SEPARATOR, bytes(4)), digests=(KERNEL, EVIL, SEPARATED))
logged("tpm-log-with-the-right-digests", "log.replay",
       "The log tells of the boot that the owner expects; the registers hold another one.",
       event(4, IPL, b"kernel"), event(4, SEPARATOR, bytes(4)), digests=(EVIL, SEPARATED))
logged("tpm-log-that-tells-all", "policy.", "An honest log of a boot with something more in it.",
       event(4, IPL, b"kernel"), event(4, IPL, b"evil"), event(4, SEPARATOR, bytes(4)),
       digests=(KERNEL, EVIL, SEPARATED))
logged("tpm-log-of-half-a-boot", "policy.pcr4",
       "A boot in which an expected event never happened: nobody measured the kernel.",
       event(4, SEPARATOR, bytes(4)), digests=(SEPARATED,))
logged("tpm-log-whose-words-are-anothers", "log.",
       "An event whose data say 'separator', and whose digest is of something else.",
       event(4, IPL, b"kernel"), event(4, SEPARATOR, bytes(4), EVIL), digests=(KERNEL, EVIL))


# ---- beside a TEE ----

class Both(Machine):
    """SEV-SNP whose report vouches for the TPM's key: over SHA3-512 of report data and key."""

    platform = "SNP-vTPM"

    def __init__(self, vouched=lambda area: area, guest=None, **more):
        self.vouched, self.guest = vouched, guest or Guest(chip(), IMAGE)
        super().__init__(**more)

    def raw(self, binding):
        return self.both(self.tpm, binding, self.vouched)

    def both(self, tpm, binding, vouched):
        data = binding.report_data
        if (area := vouched(tpm.area)) is not None:
            data = hashlib.sha3_512(data + area).digest()
        report = self.guest.report(data)
        return tpm.evidence(binding.tpm_nonce) + message(
            SNP_ATTESTATION, report_message(report, self.guest.chip.vcek))

    def of_run(self, tpm, binding, how):  # pylint: disable=arguments-differ
        return self.both(tpm, binding, lambda area: area)


def beside(name, check, about, evil_machine):
    def attempt(evil):
        machine = evil_machine() if evil else Both()
        policy = owner().policy(tpm={"pcrs": {"sha256": {"4": [PCR4.hex()]}}})
        return uploaded(machine.script, machine.identity, policy=policy, options=[
            "--CA_bundles_paths", owner().write("chain.pem", chain())])
    attempt.__doc__, attempt.__module__ = about, __name__
    row(name, check)(attempt)


def chain():
    out = ""
    for path in (chip().vendor.ca, chip().vendor.root):
        with open(path, encoding="ascii") as file:
            out += file.read()
    return out


class HostsTpm(Both):
    """The TEE is genuine; the TPM beside it, into which the manifest was 'measured', is the host's."""

    platform = "SNP"

    def raw(self, binding):
        return self.guest.evidence(binding.report_data)

    def of_run(self, tpm, binding, how):
        return self.guest.evidence(binding.report_data)


beside("tpm-of-the-host-beside-a-tee", "policy.report_data",
       "A TPM that the host emulates quotes what the owner expects; the report beside it is genuine, and "
       "does not know of it.", lambda: Both(vouched=lambda area: None))
beside("tpm-that-another-report-vouches-for", "policy.report_data",
       "The report vouches for another TPM's key than the one that quotes.",
       lambda: Both(vouched=lambda area: Tpm().area))
beside("tpm-left-out-beside-a-tee", "token.whole",
       "The policy wants registers, too; the machine shows its report alone.", HostsTpm)
beside("tee-left-out-beside-a-tpm", "token.whole",
       "The policy wants a report, too; the machine shows its TPM alone.", Machine)


# ---- later ----

@row("tpm-later-after-a-reboot", "same.boot")
def later_reboot(evil):
    """The machine is started anew with the same identity key, statement and quotes of the new boot."""
    first = Machine()
    second = first
    if evil:
        second = With(lambda tpm, nonce: tpm.evidence(nonce, resets=8), identity=first.identity, resets=8)
    return fetched(first, second.answer, **asking())
