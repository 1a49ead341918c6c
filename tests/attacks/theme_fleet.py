# SPDX-License-Identifier: Apache-2.0
"""Many machines in one batch, whose common signatures are verified once: what the first row had verified
says nothing for the second but that these signatures hold."""
import copy
import functools
import json
import os
import secrets
import time
import types

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
