# SPDX-License-Identifier: Apache-2.0
"""A host's ACPI tables, mutated, against our own kernel: code (AML) cut, flipped and repeated, tables without code
whose contents are wrong, and those of the machine itself with fields, entries, lengths and pointers twisted, which a
debugger does as the firmware hands over. Whatever comes, none of the code runs, and each boot ends as one does.

Arguments: the project's folder, the probe that takes the agent's place, a folder for the images. In
`scripts/test long` alone: our kernel is compiled for it. A seed that is given as a fourth argument replaces the one here,
and a fifth the number of boots.
"""
import collections
import functools
import os
import random
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tap  # noqa: E402
from acpi_tables import MARKER, code_that_writes, summed, table, tables_in_place, words_at_place  # noqa: E402
from gdb_remote import Debugger, KERNEL_ENTRY  # noqa: E402
from guest_ending import PANIC, READY, STANDS, STEADY, WORDLESS, ending, loud, mistakes  # noqa: E402
from guest_vm import Vm, build_image  # noqa: E402

PROJECT, PROBE, IMAGES = sys.argv[1:4]
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else 20261123
BOOTS = int(sys.argv[5]) if len(sys.argv) > 5 else 12
TWISTED = 4 * BOOTS
SHOWN_MIN = 16  # of so many that are twisted one shows, at the least
TOGETHER = 16  # tables in one boot
CODE = (b"SSDT", b"PSDT", b"OSDT")
# Tables without code that a kernel of ours may look into, or that it finds and leaves.
STATIC = (b"SRAT", b"SLIT", b"HPET", b"MCFG", b"BERT", b"HEST", b"ERST", b"EINJ", b"DMAR", b"IVRS", b"CCEL", b"TPM2", b"TCPA", b"SPCR",
          b"DBG2", b"BGRT", b"FPDT", b"WAET", b"SLIC", b"MSDM", b"SBST", b"BOOT", b"CSRT", b"PPTT", b"HMAT", b"NFIT", b"APIC",
          b"CEDT", b"WSMT", b"UEFI", b"SVKL", b"XXXX")


def mutated_code(chance):
    """Of the code that writes, with its signature, so that a kernel which runs any would run this."""
    data = bytearray(code_that_writes())
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(36, len(data))
        kind = chance.randrange(5)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at] = chance.choice((0, 0xff, 0x10, 0x5b, 0x14, 0xa2, 0x70, 0x12))  # scopes, methods, while, store
        elif kind == 2 and len(data) > 48:
            del data[at:at + chance.randint(1, 8)]
        elif kind == 3:
            data[at:at] = data[36:chance.randrange(37, len(data))]
        else:
            data[at:at] = chance.randbytes(chance.randint(1, 64))
        if len(data) <= 37:
            data += b"\x10\x05\\_SB_"
    return table(chance.choice(CODE), bytes(data[36:]))


def wrong_contents(chance):
    """Entries whose types and lengths are right, wrong, zero and beyond the table."""
    signature = chance.choice(STATIC)
    body = bytearray(chance.randbytes(chance.choice((0, 1, 4, 8, 12, 16, 40))))
    for _ in range(chance.randint(0, 24)):
        size = chance.choice((0, 1, 2, 8, 12, 16, 24, 40, 255))
        room = max(0, chance.choice((size, size, size - 1, 2)) - 2)
        body += struct.pack("<BB", chance.choice((0, 1, 2, 3, 4, 5, 9, 16, 255)), size) + chance.randbytes(room)
    return table(signature, bytes(body), chance.choice((0, 1, 2, 3, 5, 255)))


# Where entries of a type and a length begin in a table of the machine's.
ENTRIES = {b"APIC": 44, b"SRAT": 48}
HEADER = 36
# The kernel maps no longer one so early (NR_FIX_BTMAPS pages), and says so by a warning as it goes without.
MAPPED_MAX = 64 * 4096
# Nor what lies beyond the addresses that a processor has, as a timer (HPET) may: refused, by a warning, too.
NO_ADDRESS = "ioremap: invalid physical address"
# Lengths and addresses that are none, another's, or of what is somewhere else.
ODD = (0, 1, 35, HEADER, 0x7fffffff, 0xffffffff, 16 << 20, 0xfee00000, 0xfec00000, (1 << 64) - 1, 1 << 52)


def entries(data):
    """[(where, length)]"""
    at, found = ENTRIES[bytes(data[:4])], []
    while at + 2 <= len(data) and data[at + 1] >= 2:
        found.append((at, data[at + 1]))
        at += data[at + 1]
    return found


def twist_field(chance, data, first=HEADER):
    size = chance.choice((1, 2, 4, 8))
    if len(data) >= first + size:
        at = chance.randrange(first, len(data) - size + 1)
        value = chance.choice(ODD + (chance.getrandbits(64), len(data) + chance.choice((-1, 1, 4096))))
        data[at:at + size] = (value % (1 << 8 * size)).to_bytes(size, "little")


def twist_entry(chance, data):
    if bytes(data[:4]) not in ENTRIES or not entries(data):
        return twist_field(chance, data)
    at, length = chance.choice(entries(data))
    kind = chance.randrange(4)
    if kind == 0:
        data[at] = chance.choice((0, 1, 2, 3, 4, 5, 9, 10, 16, 255))
    elif kind == 1:
        data[at + 1] = chance.choice((0, 1, 2, 3, length - 1, length + 1, 255))
    elif kind == 2:
        other, room = chance.choice(entries(data))
        data[other:other + min(room, length)] = data[at:at + min(room, length)]
    else:
        twist_field(chance, data, at + 2)


def twist_header(chance, data):
    twist_field(chance, data, 0)


def twist_length(chance, data):
    struct.pack_into("<I", data, 4, chance.choice(ODD + (len(data) - 1, len(data) + 1, len(data) + 4096)) & 0xffffffff)


def twisted(chance, data):
    data = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        chance.choice((twist_field, twist_field, twist_entry, twist_entry, twist_header, twist_length))(chance, data)
    return summed(data) if chance.random() < 0.9 else bytes(data)


def tables_of(number):
    chance = random.Random(f"{SEED}-{number}")
    made = [chance.choice((mutated_code, wrong_contents))(chance) for _ in range(TOGETHER)]
    return made, sum(data[:4] in CODE for data in made)


@functools.cache
def image():
    return build_image(PROJECT, "base", os.path.join(IMAGES, "base-own"), "--agent", PROBE, kernel="own")


def line_of_a_warning(line):
    return any(text in line for text in ("cut here", "WARNING: ", "Call Trace"))


def seen(lines):
    return [line for line in lines if line.startswith("probe: ")]


def without_tpm(lines):
    return [line for line in seen(lines) if not line.startswith("probe: tpm: ")]


def told(lines):
    """What does not hang on tables."""
    return [line for line in without_tpm(lines) if not line.startswith("probe: processors: ")]


def twist(debugger, chance):
    """Some of the machine's tables, the list of them among these. Returns whether one says that it is too long."""
    placed = tables_in_place(debugger)
    too_long = False
    for at, data in chance.sample(placed, chance.randint(1, 3)):
        data = twisted(chance, data)
        too_long |= struct.unpack_from("<I", data, 4)[0] > MAPPED_MAX - 4096
        debugger.write(at, data)
    root, code = placed[0][0], [at for at, data in placed[1:] if data[:4] in CODE]
    if chance.random() < 0.3:  # another's pointer, or one to where code lies, in place of a table's
        slot = chance.randrange(len(placed) - 1)
        debugger.write(root + HEADER + 4 * slot, struct.pack("<I", chance.choice(code + [root, placed[-1][0], 0x10])))
        too_long = True  # what there is at 0x10 says any length
    return too_long


def boot(tables, chance=None):
    """(how it ended, its lines, the words where the code would have written, whether a table says that it is too long)"""
    vm, too_long = Vm(image(), "A=LOOK\n", {"ca.pem": b"x"}, append=loud(image()), extra=STEADY), False
    for number, data in enumerate(tables):
        with open(vm.path(f"table{number}"), "wb") as file:
            file.write(data)
        vm.arguments += ["-acpitable", "file=" + vm.path(f"table{number}")]
    if chance:
        vm.arguments += Debugger.arguments(vm)
    with vm:
        if chance:
            debugger = Debugger(vm)
            debugger.run_to(KERNEL_ENTRY)
            too_long = twist(debugger, chance)
            debugger.leave()
        how = ending(vm, wordless=bool(chance))
        return how, vm.lines[:], words_at_place(vm) if how == READY else None, too_long


def no_mutant_runs_or_is_a_mistake_of_the_kernels():
    honest = boot([])
    assert honest[0] == READY, honest
    twin, counts, named = without_tpm(honest[1]), collections.Counter(), 0
    for number in range(BOOTS):
        tables, code = tables_of(number)
        how, lines, words, _ = boot(tables)
        about = f"seed {SEED}, boot {number}\n" + "\n".join(lines)
        assert not mistakes(lines), about
        refused = sum("ACPI: the host's " in line and "is not taken" in line for line in lines)
        if how == READY:
            assert not set(words) & set(MARKER), about
            assert refused >= code, f"{refused} of {code}\n{about}"
            counts["the agent sees what it always does" if seen(lines) == seen(honest[1]) else "another TPM, or none"] += 1
            assert without_tpm(lines) == twin, about
        else:
            why = next(line for line in lines if how in line)
            counts[why.split(how)[1][:80]] += 1
            assert how != PANIC, about
        named += refused
        print(f"# boot {number}: {how}, {refused} of code not taken", flush=True)
    print(f"# seed {SEED}: {BOOTS} boots, {BOOTS * TOGETHER} tables, {named} of code named and not taken; "
          + "; ".join(f"{count} times: {text}" for text, count in sorted(counts.items())))


def no_twisted_table_is_a_way_in():
    """An entry that stands where none may, a pointer to code, a length that goes on: with code of the host's beside."""
    honest, counts, shown = seen(boot([code_that_writes()])[1]), collections.Counter(), 0
    for number in range(TWISTED):
        how, lines, words, too_long = boot([code_that_writes()], random.Random(f"{SEED}-twisted-{number}"))
        about = f"seed {SEED}, twisted {number}: {how}\n" + "\n".join(lines)
        if how != PANIC:  # whose lines are those of a kernel that stops
            warned = too_long or any(NO_ADDRESS in line for line in lines)
            assert warned and all(line_of_a_warning(line) for line in mistakes(lines)) or not mistakes(lines), about
        assert how in (READY, PANIC, WORDLESS, STANDS), about
        if how == READY:
            assert not set(words) & set(MARKER) and told(lines) == told(honest), about
        counts[how] += 1
        shown += how != READY or seen(lines) != honest
        print(f"# twisted {number}: {how}", flush=True)
    print(f"# seed {SEED}: {TWISTED} boots; " + "; ".join(f"{count} times: {how}" for how, count in sorted(counts.items())))
    assert shown or TWISTED < SHOWN_MIN, "nothing that was twisted shows: the kernel read other tables"


tap.run([no_twisted_table_is_a_way_in, no_mutant_runs_or_is_a_mistake_of_the_kernels])
