# SPDX-License-Identifier: Apache-2.0
"""A host's ACPI tables, mutated, against our own kernel: code (AML) cut, flipped and repeated, and tables without code
whose contents are wrong. Whatever comes, none of the code runs, and each boot ends in one of the ways of OUTCOMES.

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
from acpi_tables import MARKER, code_that_writes, table, words_at_place  # noqa: E402
from guest_ending import PANIC, READY, STEADY, ending, loud, mistakes  # noqa: E402
from guest_vm import Vm, build_image  # noqa: E402

PROJECT, PROBE, IMAGES = sys.argv[1:4]
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else 20261123
BOOTS = int(sys.argv[5]) if len(sys.argv) > 5 else 12
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


def tables_of(number):
    chance = random.Random(f"{SEED}-{number}")
    made = [chance.choice((mutated_code, wrong_contents))(chance) for _ in range(TOGETHER)]
    return made, sum(data[:4] in CODE for data in made)


@functools.cache
def image():
    return build_image(PROJECT, "base", os.path.join(IMAGES, "base-own"), "--agent", PROBE, kernel="own")


def seen(lines):
    return [line for line in lines if line.startswith("probe: ")]


def boot(tables):
    """(how it ended, its lines, the words where the code would have written)"""
    vm = Vm(image(), "A=LOOK\n", {"ca.pem": b"x"}, append=loud(image()), extra=STEADY)
    for number, data in enumerate(tables):
        with open(vm.path(f"table{number}"), "wb") as file:
            file.write(data)
        vm.arguments += ["-acpitable", "file=" + vm.path(f"table{number}")]
    with vm:
        how = ending(vm)
        return how, vm.lines[:], words_at_place(vm) if how == READY else None


def no_mutant_runs_or_is_a_mistake_of_the_kernels():
    honest = boot([])
    assert honest[0] == READY, honest
    twin, counts, named = seen(honest[1]), collections.Counter(), 0
    for number in range(BOOTS):
        tables, code = tables_of(number)
        how, lines, words = boot(tables)
        about = f"seed {SEED}, boot {number}\n" + "\n".join(lines)
        assert not mistakes(lines), about
        refused = sum("ACPI: the host's " in line and "is not taken" in line for line in lines)
        if how == READY:
            assert not set(words) & set(MARKER), about
            assert refused >= code, f"{refused} of {code}\n{about}"
            counts["the agent sees what it always does" if seen(lines) == twin else "it sees less"] += 1
            assert set(seen(lines)) <= set(twin) | {line for line in seen(lines) if line.startswith("probe: tpm")}, about
        else:
            why = next(line for line in lines if how in line)
            counts[why.split(how)[1][:80]] += 1
            assert how != PANIC, about
        named += refused
        print(f"# boot {number}: {how}, {refused} of code not taken", flush=True)
    print(f"# seed {SEED}: {BOOTS} boots, {BOOTS * TOGETHER} tables, {named} of code named and not taken; "
          + "; ".join(f"{count} times: {text}" for text, count in sorted(counts.items())))


tap.run([no_mutant_runs_or_is_a_mistake_of_the_kernels])
