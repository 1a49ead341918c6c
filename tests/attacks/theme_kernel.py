# SPDX-License-Identifier: Apache-2.0
"""A host against the image's own kernel, which is compiled for it: whole virtual machines, in `scripts/test long` alone.
(What Debian's kernel does then, `tests/integration/host_tables.py` shows.)"""
import os

from acpi_tables import MARKER, code_that_writes, words_at_place
from guest_vm import Vm, build_image
from harness import BUILD, Folder, ROOT
from rows import Outcome, row


@row("machine-with-code-in-the-hosts-tables", "ACPI: the host's SSDT")
def code_in_tables(evil):
    """An ACPI table with code that writes into the guest's memory while it boots."""
    image = build_image(ROOT, "base", os.path.join(BUILD, "image", "base-own"), kernel="own")
    with Folder() as folder:
        extra = ["-acpitable", "file=" + folder.write("table", code_that_writes())] if evil else []
        with Vm(image, "AGENT_CVM_ID=cvm-1\nAGENT_CVM_GRPC_URL=10.0.2.2:9\n", extra=extra) as vm:
            vm.wait_line("agent started")
            wrote = set(words_at_place(vm)) & set(MARKER)
            return Outcome(bool(wrote) if evil else not wrote, "\n".join(vm.lines), 4 * len(wrote) if evil else None)
