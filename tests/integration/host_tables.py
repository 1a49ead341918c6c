# SPDX-License-Identifier: Apache-2.0
"""A host's ACPI tables against the guest: code in them (AML) that writes to the guest's memory, registers
that are memory, and a mailbox and a jump to wake and stop processors by. Debian's kernel does what they say; ours
does not, and says so.

Arguments: the project's folder, the probe that takes the agent's place, a folder for the images. In CI the
stock kernel's half runs; `scripts/test long` compiles ours and runs all of it.
"""
import os
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import sample  # noqa: E402
import tap  # noqa: E402
from acpi_tables import MARKER, PLACE, code_that_writes, table, words_at_place  # noqa: E402
from guest_ending import loud  # noqa: E402
from guest_vm import PATIENCE, Vm, build_image  # noqa: E402

PROJECT, PROBE, IMAGES = sys.argv[1:4]
# The mailbox's first words where a kernel wakes processor 1 by it: the command (1, wake) and its APIC's number.
WOKEN = (1, 1)
# Of two MADTs the one that is read. Init stops at the word: it is for kernels alone.
SECOND_MADT = "acpi_apic_instance=2"
# What a kernel says of code in tables, which docs/host-attacks.md shows.
TELLS = ("Linux version", "SSDT", "AML tables", "not taken")


def image(kernel):
    return build_image(PROJECT, "base", os.path.join(IMAGES, "base" if kernel == "stock" else "base-own"),
                       "--agent", PROBE, kernel=kernel)


def registers_in_memory():
    """A FADT, revision 6, whose power management's registers lie at PLACE."""
    body = bytearray(276 - 36)

    def put(offset, form, *values):
        struct.pack_into("<" + form, body, offset - 36, *values)

    put(46, "H", 9)  # SCI_INT
    for offset, length in ((88, 4), (89, 2)):  # of PM1 event and control
        put(offset, "B", length)
    for offset, bits, at in ((148, 32, PLACE), (172, 16, PLACE + 4)):  # X_PM1a_EVT, X_PM1a_CNT: system memory
        put(offset, "BBBBQ", 0, bits, 0, 2 if bits == 16 else 3, at)
    return table(b"FACP", bytes(body), 6)


def mailbox_and_jump():
    """A MADT as QEMU's with two processors, and besides: both are woken by a mailbox at PLACE, and jump to the
    page behind it when they stop (ACPI 6.5, 5.2.12.19; version 1)."""
    processors = b"".join(struct.pack("<BBBBI", 0, 8, number, number, 1) for number in (0, 1))
    interrupts = struct.pack("<BBBBII", 1, 12, 0, 0, 0xfec00000, 0)
    interrupts += b"".join(struct.pack("<BBBBIH", 2, 10, 0, source, to, flags)
                           for source, to, flags in ((0, 2, 0), (5, 5, 13), (9, 9, 13), (10, 10, 13), (11, 11, 13)))
    wakeup = struct.pack("<BBHIQQ", 16, 24, 1, 0, PLACE, PLACE + 0x1000)
    return table(b"APIC", struct.pack("<II", 0xfee00000, 1) + processors + interrupts + wakeup, 5)


# With a thread for each emulated processor QEMU loses a race now and then: one of many processors runs into an
# instruction that another one is just patching, which real ones can't, and Debian's kernel ends with 'Oops: int3'.
FEW = 4


def machine(kernel, tables, processors, append=None, memory=None):
    """`memory` (MiB), where it is given, may be more than this host has: what the guest does not touch takes none.
    With tables of a host's, the kernel says on the console what it makes of them."""
    if append is None and tables:
        append = loud(image(kernel))
    backend = ["-object", f"memory-backend-ram,id=ram,size={memory}M,reserve=off", "-machine", "memory-backend=ram"]
    vm = Vm(image(kernel), "A=LOOK\n", {"ca.pem": b"x"}, append=append, memory=memory,
            extra=["-smp", str(processors), *(backend if memory else [])])
    if processors > FEW:
        vm.emulation = "tcg,thread=single"
    for number, data in enumerate(tables):
        with open(vm.path(f"table{number}"), "wb") as file:
            file.write(data)
        vm.arguments += ["-acpitable", "file=" + vm.path(f"table{number}")]
    return vm


def boot(kernel, tables=(), processors=1, then=lambda vm: None, memory=None):
    """The two words at PLACE once the agent runs, and what was printed."""
    with machine(kernel, tables, processors, memory=memory) as vm:
        vm.wait_line("probe: ready", 4 * PATIENCE)
        words = words_at_place(vm)
        then(vm)
        lines = vm.lines[:]
    print(f"# {kernel}, {processors} processors: at {PLACE:#x} stands {words[0]:#010x} {words[1]:#010x}")
    for line in lines:
        if any(text in line for text in TELLS):
            print("#   " + line)
    return words, lines


def processors_are(count, lines):
    assert f"probe: processors: {count}" in lines, lines


def switched_off(vm):
    vm.command("system_powerdown")
    lines = vm.wait_end()
    assert any("power button: stopping" in line for line in lines), lines


def debians_kernel_does_what_the_hosts_code_says():
    words, _ = boot("stock")
    assert words != MARKER, words
    words, _ = boot("stock", [code_that_writes()])
    assert words == MARKER, words


def debians_kernel_wakes_processors_where_the_host_says():
    """And waits there for an answer, for ever."""
    with machine("stock", [mailbox_and_jump()], 2, "console=ttyS0 " + SECOND_MADT) as vm:
        vm.wait_line("Bringing up secondary CPUs")
        end = time.monotonic() + PATIENCE
        while words_at_place(vm) != WOKEN:
            assert vm.qemu.poll() is None and time.monotonic() < end, vm.lines
            time.sleep(0.1)


def debians_kernel_boots_with_sixteen_processors():
    _, lines = boot("stock", (), 16, switched_off)
    processors_are(16, lines)


def our_kernel_runs_no_code_of_the_hosts():
    before, _ = boot("own")
    for processors in (1, 4):
        words, lines = boot("own", [code_that_writes()], processors, switched_off)
        assert words == before and MARKER[0] not in words, words
        assert any("ACPI: the host's SSDT" in line and "is not taken" in line for line in lines), lines
        processors_are(processors, lines)


def our_kernel_takes_no_register_in_memory():
    before, _ = boot("own")
    words, lines = boot("own", [registers_in_memory()])
    assert words == before, words
    assert any("ACPI: FADT: Pm1aEventBlock is at no port: not taken" in line for line in lines), lines


def our_kernel_takes_no_mailbox_and_no_jump():
    """Both processors start in the usual way, and stop where the kernel says: the machine goes off."""
    with machine("own", [mailbox_and_jump()], 2, "console=ttyS0 " + SECOND_MADT) as vm:
        lines = vm.wait_end()
    assert any(f"ACPI: MADT: a mailbox at {PLACE:#x} to wake processors is not taken" in line for line in lines), lines
    assert any("Brought up 1 node, 2 CPUs" in line for line in lines), lines
    assert any("boot stopped: " in line and SECOND_MADT in line for line in lines), lines


def our_kernel_boots_with_every_number_of_processors():
    for processors in (1, 2, 4, 8):
        _, lines = boot("own", (), processors, switched_off)
        processors_are(processors, lines)
        assert "probe: tpm: ok" in lines, lines
        # Nothing of QEMU's own is passed over or complained of, and each bank of the TPM gets its own digests.
        assert not any(text in line for line in lines for text in ("not taken", "ACPI Error", "Can not allocate")), lines


def our_kernel_boots_with_much():
    """64 processors; 64 GiB of memory, of which the kernel touches what it keeps about each page."""
    for processors, memory in ((64, None), (1, 64 << 10)):
        _, lines = boot("own", (), processors, switched_off, memory)
        processors_are(processors, lines)
        assert "probe: tpm: ok" in lines, lines


tap.run([debians_kernel_does_what_the_hosts_code_says,
         debians_kernel_wakes_processors_where_the_host_says,
         debians_kernel_boots_with_sixteen_processors,
         *sample.of([], [our_kernel_runs_no_code_of_the_hosts,
                         our_kernel_takes_no_register_in_memory,
                         our_kernel_takes_no_mailbox_and_no_jump,
                         our_kernel_boots_with_every_number_of_processors,
                         our_kernel_boots_with_much])])
