# SPDX-License-Identifier: Apache-2.0
"""Tables of a TD: its host gives firmware other ACPI tables than the owner's policy was computed of. The quote, its
collateral and the log are a genuine TD's; what the owner expected is what changes, and what the host makes of the log."""
import json
import os
import struct
from hashlib import sha384

from harness import Folder, cli
from rows import Outcome, Skip, row

TD = os.path.join(os.environ.get("COCOS_VECTORS", ""), "tdx", "v4-gcp-cos113")
TD_LOG = os.path.join(os.environ.get("COCOS_VECTORS", ""), "tdx", "eventlog", "cos113-gotdx", "ccel.bin")
FILES = ("etc/table-loader", "etc/acpi/rsdp", "etc/acpi/tables")


def extended(digests):
    value = bytes(48)
    for digest in digests:
        value = sha384(value + digest).digest()
    return value


class RecordedTd:
    """A genuine TD's quote and log, as a host recorded them; how the log changes is the row's."""

    def __init__(self):
        if not os.path.exists(TD_LOG):
            raise Skip("the shared vectors are not there")
        with open(os.path.join(TD, "expected.json"), encoding="utf-8") as file:
            self.case = json.load(file)
        with open(TD_LOG, "rb") as file:
            self.log = file.read()

    def events(self):
        """(register, where the digest is, where the data are, the data) of each; the first is the log's own head."""
        at = 32 + struct.unpack_from("<I", self.log, 28)[0]
        while struct.unpack_from("<I", self.log, at)[0] in range(1, 5):
            register, _, _, _ = struct.unpack_from("<IIIH", self.log, at)
            size, = struct.unpack_from("<I", self.log, at + 62)
            yield register, at + 14, at + 66, self.log[at + 66:at + 66 + size]
            at += 66 + size

    def tables(self):
        return [one for one in self.events() if one[0] == 1 and one[3] == b"ACPI DATA"]

    def digests(self):
        return [self.log[at:at + 48] for _, at, _, _ in self.tables()]

    def with_log(self, at, content):
        return self.log[:at] + content + self.log[at + len(content):]

    def policy(self, digests):
        """Of the owner who expects a launch with these tables, and for the rest this one."""
        places = dict(zip((at for _, at, _, _ in self.tables()), digests))
        events = [places.get(at, self.log[at:at + 48]) for register, at, _, _ in self.events() if register == 1]
        fields = self.case["fields"]
        return {"cocos": 1, "run": {"agent": "stock"}, "tdx": {
            "mrtd": [fields["mrtd"]], "rtmr0": [extended(events).hex()],
            **{f"rtmr{i}": [fields[f"rtmr{i}"]] for i in (1, 2, 3)},
            "tables": [{"name": name, "sha384": digest.hex()} for name, digest in zip(FILES, digests)]}}

    def judged(self, log, digests):
        with Folder() as folder:
            ran = cli("attestation", "validate", "--mode", "tdx", "--at", self.case["at"], "--report_data",
                      self.case["fields"]["reportdata"], "--collateral", os.path.join(TD, "collateral"), "--offline",
                      "--event_log", folder.write("ccel.bin", log), "--policy",
                      folder.write("policy.json", json.dumps(self.policy(digests))), os.path.join(TD, "quote.bin"))
        return Outcome(ran.status == 0, ran.out + ran.err)


def tables_of_a_td(name, check, about, changed=None):
    """A row: the owner expects other ACPI tables than the host gave; `changed` is what the host makes of the log."""
    def attempt(evil):
        td = RecordedTd()
        expected = td.digests()
        if evil:
            expected[2] = sha384(b"the tables of the owner's own QEMU").digest()
        return td.judged(changed(td, expected) if evil and changed else td.log, expected)
    attempt.__doc__, attempt.__module__ = about, __name__
    row(name, check)(attempt)


tables_of_a_td("td-with-another-acpi-table", "policy.tables: found etc/acpi/tables (event 11)",
               "A host whose tables have other code than the launch that the owner computed RTMR0 of; its log says so.")
tables_of_a_td("td-whose-log-tells-of-the-expected-tables", "log.rtmr0",
               "The same, with the expected digest in the log.",
               lambda td, expected: td.with_log(td.tables()[2][1], expected[2]))
tables_of_a_td("td-whose-log-calls-the-table-something-else", "policy.tables: found etc/acpi/tables is in no event",
               "The same, with another text behind the event, which no digest covers.",
               lambda td, _: td.with_log(td.tables()[2][2], b"BOOT DATA"))
