# SPDX-License-Identifier: Apache-2.0
"""Many machines in one batch, whose common signatures are verified once, as those are that one machine gives out
again and again: what the first row had verified says nothing for the second but that these signatures hold."""
import copy
import functools
import json
import os
import secrets
import time
import types

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from harness import cli
from hardware import KEYS, Guest, Vendor
from rows import Outcome, row
from world import IMAGE, chip, owner, vendor

DAY = 86400


def line(name, of_chip=None, root=None, **options):
    """A row of the batch: fresh evidence of a chip, in a file of that name."""
    report_data = secrets.token_bytes(64)
    path = owner().write(name, Guest(of_chip or chip(), IMAGE).evidence(report_data))
    return {"file": path, "mode": "snp", "genuine-only": True, "report_data": report_data.hex(),
            "trusted_root": root or vendor().root, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **options}


def judged(*lines):
    """What becomes of the last row, behind others that have to be a yes."""
    path = owner().write("fleet.jsonl", "".join(json.dumps(one) + "\n" for one in lines))
    verdicts = [json.loads(answer) for answer in cli("attestation", "validate", "--batch", path).out.splitlines()]
    assert len(verdicts) == len(lines) and all("genuine" in v["verdict"] for v in verdicts[:-1]), verdicts
    return Outcome("genuine" in verdicts[-1]["verdict"], verdicts[-1]["reason"])


@row("fleet-out-of-its-time", "time.")
def expired(evil):
    """The same machine once more, when its vendor's certificates have run out."""
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 40 * DAY))
    return judged(line("first"), line("again", **({"at": later} if evil else {})))


@row("fleet-root-of-another-row", "chain.root")
def other_root(evil):
    """A root that the first row's caller named, in a row that trusts the vendor's own."""
    second = line("again")
    if evil:
        del second["trusted_root"]
    return judged(line("first"), second)


@functools.lru_cache(None)
def stranger():
    """A vendor of the same names, with another root key."""
    return Vendor(root_key=os.path.join(KEYS, "ca-key.pem"))


@row("fleet-under-another-key", "chain.intermediate_signature")
def other_key(evil):
    """The remembered intermediate below a root of the same name whose key is another."""
    of_chip, root = copy.copy(chip()), vendor().root
    if evil:
        root = stranger().root
        of_chip.vendor = types.SimpleNamespace(ca=vendor().ca, root=root)
    return judged(line("first"), line("again", of_chip, root))


@row("fleet-of-strangers", "chain.vek_signature")
def strangers(evil):
    """Genuine machines of others, and behind them one whose certificate nobody signed."""
    last = copy.copy(chip("fleet-last"))
    if evil:
        last.vcek = last.vcek[:-1] + bytes([last.vcek[-1] ^ 1])
    return judged(*(line(f"other-{i}", chip(f"fleet-{i}")) for i in range(3)), line("last", last))


@row("fleet-report-of-another", "signature.report")
def other_report(evil):
    """A machine whose certificate is remembered, with a report that another one signed."""
    second = line("again")
    if evil:
        with open(second["file"], "rb") as file:
            evidence = file.read()
        forged = Guest(chip("fleet-0"), IMAGE).report(bytes.fromhex(second["report_data"]), chip_id=chip().chip_id)
        second["file"] = owner().write("again", forged + evidence[1184:])
    return judged(line("first"), second)


TD = os.path.join(os.environ.get("COCOS_VECTORS", ""), "tdx", "v4-phala-uptodate")
HEADER_AND_BODY, SIGNATURE_AT, KEY_AT, QE_SVN_AT = 632, 636, 700, 770 + 258


def td_line(name, quote):
    """A row about a genuine machine of somebody's, at the time when its quote was made."""
    with open(os.path.join(TD, "expected.json"), encoding="utf-8") as file:
        case = json.load(file)
    return {"file": owner().write(name, quote), "mode": "tdx", "genuine-only": True, "at": case["at"],
            "report_data": quote[48 + 520:HEADER_AND_BODY].hex(), "collateral": os.path.join(TD, "collateral")}


def td_quote():
    with open(os.path.join(TD, "quote.bin"), "rb") as file:
        return file.read()


@row("fleet-key-beside-an-enclave", "signature.qe_report_data")
def other_attestation_key(evil):
    """What a remembered enclave said of its key, beside a key of the attacker's, who signs what he likes."""
    quote = td_quote()
    second = quote
    if evil:
        key = ec.generate_private_key(ec.SECP256R1())
        made = key.public_key().public_numbers()
        wanted = secrets.token_bytes(64)
        body = quote[:48 + 520] + wanted
        signed = utils.decode_dss_signature(key.sign(body, ec.ECDSA(hashes.SHA256())))
        words = b"".join(n.to_bytes(32, "big") for n in (*signed, made.x, made.y))
        second = body + quote[HEADER_AND_BODY:SIGNATURE_AT] + words + quote[KEY_AT + 64:]
    return judged(td_line("first", quote), td_line("again", second))


@row("fleet-enclave-brought-up-to-date", "signature.qe_report")
def other_enclave(evil):
    """A remembered enclave's report, changed to that of a newer one."""
    quote = td_quote()
    second = bytearray(quote)
    if evil:
        second[QE_SVN_AT] += 1
    return judged(td_line("first", quote), td_line("again", bytes(second)))
