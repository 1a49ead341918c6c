# SPDX-License-Identifier: Apache-2.0
"""A firmware that lies to our own kernel as it hands over: maps of memory (overlaps, none, too much, devices' places),
lists of setup data, tables at a place of its own, random bytes in all that it says of the machine. No option of QEMU's
does that; here a debugger changes the kernel's parameters (Linux's Documentation/arch/x86/boot.rst and zero-page.rst)
at the kernel's first instruction.

The agent sees what it sees in an honest boot (after random bytes perhaps no TPM), or the boot ends: by init's line, by a
panic, or before there is a console, where memory or a list is not where the parameters say. No code of a table's runs, and no mistake of the kernel's
is passed over.

Arguments: the project's folder, the probe that takes the agent's place, a folder for the images. In
`scripts/test long` alone, where our kernel is compiled: every row; elsewhere each sixth. A seed that is given as a fourth
argument replaces the one here, and a fifth the number of boots with random bytes.
"""
import collections
import functools
import os
import random
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import sample  # noqa: E402
import tap  # noqa: E402
from acpi_tables import MARKER, code_that_writes, table, tables_in_place, words_at_place  # noqa: E402
from gdb_remote import KERNEL_ENTRY, RSI, Debugger  # noqa: E402
from guest_ending import PANIC, READY, STEADY, STOPPED, WORDLESS, ending, loud, mistakes  # noqa: E402
from guest_vm import Vm, build_image  # noqa: E402

PROJECT, PROBE, IMAGES = sys.argv[1:4]
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else 20261126
RANDOM_BOOTS = int(sys.argv[5]) if len(sys.argv) > 5 else 6

# The kernel's parameters: a page, with these at their offsets.
PAGE = 4096
RSDP, EFI, COUNT, SETUP_DATA, MAP = 0x070, 0x1c0, 0x1e8, 0x250, 0x2d0
HEADER, HEADER_END = 0x1f1, 0x290  # of the kernel's own file, which the firmware fills in
ENTRY_SIZE, ENTRIES_MAX = 20, 128
USABLE, RESERVED, RECLAIM, NVS, UNUSABLE, PERSISTENT, SPECIFIC, NONE = 1, 2, 3, 4, 5, 7, 0xefffffff, 99
SETUP_KINDS = {"an extended map": 1, "a device tree": 2, "a PCI ROM": 3, "an EFI": 4, "properties of Apple's": 5,
               "what jails": 6, "a blob of the TEE's": 7, "a buffer of measurements": 8, "a seed": 9, "a handover": 10,
               "none": 0x77, "an indirect one": 1 << 31}
MIB, GIB = 1 << 20, 1 << 30
# Memory of the first MiB that nobody uses so early, beside what acpi_tables writes to.
FREE = 0x60000

# `less`: where the tables may have gone, and with them the TPM, which shows.
Row = collections.namedtuple("Row", "name change outcomes less", defaults=({READY, PANIC, WORDLESS}, False))
Start = collections.namedtuple("Start", "debugger at page")


def entries(page):
    return [struct.unpack_from("<QQI", page, MAP + ENTRY_SIZE * number) for number in range(page[COUNT])]


def ram(page):
    """The largest usable entry: (address, size)"""
    return max(((address, size) for address, size, kind in entries(page) if kind == USABLE), key=lambda each: each[1])


def put(page, rows, count=None):
    packed = b"".join(struct.pack("<QQI", *row) for row in rows[:ENTRIES_MAX])
    page[MAP:MAP + len(packed)] = packed
    page[COUNT] = len(rows[:ENTRIES_MAX]) if count is None else count


def with_map(make, count=None):
    def change(start):
        put(start.page, make(entries(start.page), *ram(start.page)), count)
    return change


def added(*rows):
    return with_map(lambda honest, *_: honest + list(rows))


def instead(*rows):
    """Of the largest usable entry."""
    return with_map(lambda honest, at, size: [row for row in honest if row[0] != at] + list(rows))


def over_the_kernel(kind):
    return added((16 * MIB, 32 * MIB, kind))


def setup_data(kind, data):
    def change(start):
        start.debugger.write(FREE, struct.pack("<QII", 0, kind, len(data)) + data)
        struct.pack_into("<Q", start.page, SETUP_DATA, FREE)
    return change


def data_of_all_kinds(start):
    """One behind the other, each of another length than it has."""
    at = FREE
    for kind in SETUP_KINDS.values():
        start.debugger.write(at, struct.pack("<QII", at + 0x100, kind, 0x40) + bytes(range(64)))
        at += 0x100
    start.debugger.write(at, struct.pack("<QII", 0, SETUP_KINDS["an extended map"], 0xfffffff0))
    struct.pack_into("<Q", start.page, SETUP_DATA, FREE)


def data_nowhere(start):
    struct.pack_into("<Q", start.page, SETUP_DATA, (1 << 52) - PAGE)


def tables_of_its_own(start):
    """The firmware's list of tables, and code more; where it lies is in the parameters."""
    pointers = tables_in_place(start.debugger)[0][1][36:]
    code = code_that_writes()
    start.debugger.write(FREE + 0x1000, code)
    start.debugger.write(FREE + 0x800, table(b"RSDT", pointers + struct.pack("<I", FREE + 0x1000), 1))
    root = bytearray(b"RSD PTR \0COCOS \0" + struct.pack("<I", FREE + 0x800))
    root[8] = -sum(root) & 0xff
    start.debugger.write(FREE, bytes(root))
    struct.pack_into("<Q", start.page, RSDP, FREE)


def efi_that_is_none(start):
    start.page[EFI:EFI + 32] = struct.pack("<4sIIIIIII", b"EL64", FREE, 48, 1, FREE + 0x400, 0x7fffffff, 0, 0)


def random_bytes(number):
    """In what the firmware says of the machine: neither the kernel's own header nor its map of memory."""
    def change(start):
        chance = random.Random(f"{SEED}-{number}")
        places = [at for at in range(PAGE) if not HEADER <= at < HEADER_END and not MAP <= at < MAP + ENTRY_SIZE * ENTRIES_MAX
                  and at != COUNT]
        for at in chance.sample(places, chance.choice((8, 64, 512))):
            start.page[at] = chance.randrange(256)
    return change


SAME = {READY}
ROWS = [
    Row("memory twice, and in parts again", with_map(lambda honest, at, size: honest + honest + [
        (at, size // 2, USABLE), (at + size // 4, size // 2, USABLE)]), SAME),
    Row("the order turned round", with_map(lambda honest, *_: honest[::-1]), SAME),
    Row("a part that is usable and reserved", added((256 * MIB, 16 * MIB, RESERVED), (264 * MIB, 16 * MIB, NVS)), SAME),
    Row("nothing, and kinds that there are not", added((300 * MIB, 0, USABLE), (300 * MIB, MIB, NONE),
                                                       (320 * MIB, MIB, 0), (340 * MIB, MIB, 0xffffffff)), SAME),
    Row("kinds that are not for general use", added(*((at * MIB, MIB, kind) for at, kind in (
        (200, RECLAIM), (210, NVS), (220, UNUSABLE), (230, PERSISTENT), (240, SPECIFIC)))), SAME),
    Row("addresses and sizes off by one", with_map(lambda honest, *_: [
        (at + 1, size - 1, kind) if kind == USABLE else (at - 1, size + 2, kind) for at, size, kind in honest])),
    Row("memory that goes round the end", added(((1 << 64) - PAGE, 2 * PAGE, USABLE), (1 << 63, (1 << 63) + MIB, USABLE))),
    Row("as many entries as fit", with_map(lambda honest, *_: honest + [
        (400 * MIB + PAGE * number, PAGE, RESERVED if number % 2 else NVS) for number in range(ENTRIES_MAX - len(honest))]), SAME),
    Row("more entries than fit", with_map(lambda honest, *_: honest, 255)),
    Row("no entry", with_map(lambda *_: [])),
    Row("one entry", with_map(lambda honest, at, size: [(at, size, USABLE)])),
    Row("nothing below 1 MiB", with_map(lambda honest, *_: [row for row in honest if row[0] >= MIB])),
    Row("memory that ends within the kernel", instead((MIB, 24 * MIB, USABLE)), {PANIC, WORDLESS}),  # it counts, so what is changed does
    Row("memory that ends behind the kernel", instead((MIB, 48 * MIB, USABLE))),
    Row("memory that ends before the initrd", instead((MIB, 255 * MIB, USABLE))),
    Row("the kernel in reserved memory", over_the_kernel(RESERVED)),
    Row("the kernel in memory of the firmware's", over_the_kernel(NVS)),
    Row("the kernel in memory of tables", over_the_kernel(RECLAIM)),
    Row("the kernel in persistent memory", over_the_kernel(PERSISTENT)),
    Row("the kernel in memory for a purpose", over_the_kernel(SPECIFIC)),
    Row("16 GiB that are not there", instead((MIB, 2 * GIB - MIB, USABLE), (4 * GIB, 14 * GIB, USABLE))),
    Row("all that can be addressed", with_map(lambda *_: [(0, 1 << 52, USABLE)])),
    Row("devices' places as memory", added((0xfe000000, 0x2000000, USABLE))),
    Row("the firmware's place as memory", added((0xa0000, 0x60000, USABLE))),
    *(Row(f"setup data: {name}", setup_data(kind, bytes(range(256)))) for name, kind in SETUP_KINDS.items()),
    Row("setup data: a map of 64 entries more", setup_data(SETUP_KINDS["an extended map"], b"".join(
        struct.pack("<QQI", 350 * MIB + PAGE * number, PAGE, RESERVED) for number in range(64))), SAME),
    Row("setup data of all kinds, the last without end", data_of_all_kinds),
    Row("setup data where there is nothing", data_nowhere),
    Row("tables at a place of its own", tables_of_its_own, SAME),
    Row("an EFI that is none", efi_that_is_none),
    *(Row(f"random bytes, {number}", random_bytes(number), {READY, STOPPED, PANIC, WORDLESS}, True) for number in range(RANDOM_BOOTS)),
]


@functools.cache
def image(kernel):
    return build_image(PROJECT, "base", os.path.join(IMAGES, "base-own" if kernel == "own" else "base"), "--agent", PROBE,
                       kernel=kernel)


def seen(lines):
    return [line for line in lines if line.startswith("probe: ")]


def without_tpm(lines):
    return [line for line in seen(lines) if not line.startswith("probe: tpm: ")]


def boot(change, kernel="own"):
    """(how it ended, its lines, the words where code would have written)"""
    vm = Vm(image(kernel), "A=LOOK\n", {"ca.pem": b"x"}, append=loud(image(kernel)), extra=STEADY)
    vm.arguments += Debugger.arguments(vm)
    with vm:
        debugger = Debugger(vm)
        debugger.run_to(KERNEL_ENTRY)
        at = debugger.register(RSI)
        start = Start(debugger, at, bytearray(debugger.read(at, PAGE)))
        assert start.page[0x202:0x206] == b"HdrS" and entries(start.page), "these are not the kernel's parameters"
        change(start)
        debugger.write(at, bytes(start.page))
        debugger.leave()
        how = ending(vm, wordless=True)
        return how, vm.lines[:], words_at_place(vm) if how == READY else None


@functools.cache
def honest():
    how, lines, words = boot(lambda start: None)
    assert how == READY and not set(words) & set(MARKER), lines
    return seen(lines)


def debians_kernel_runs_code_of_such_tables():
    how, lines, words = boot(tables_of_its_own, "stock")
    assert how == READY and words == MARKER, f"{how}: {words}\n" + "\n".join(lines)


def row_test(row):
    def test():
        how, lines, words = boot(row.change)
        about = f"{row.name} (seed {SEED}): {how}\n" + "\n".join(lines)
        assert how in row.outcomes, about
        if how == READY:
            assert not set(words) & set(MARKER), about
            assert seen(lines) == honest() or row.less and without_tpm(lines) == without_tpm(honest()), about
        if how != PANIC:  # whose lines are those of a kernel that stops
            assert not mistakes(lines), about
        print(f"# {how}: " + next((line for line in lines if how in line), ""), flush=True)
    test.__name__ = row.name
    return test


tap.run([debians_kernel_runs_code_of_such_tables] + [row_test(row) for row in sample.of(ROWS[::6], ROWS)])
