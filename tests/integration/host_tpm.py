# SPDX-License-Identifier: Apache-2.0
"""A TPM of the host's that answers at random, against the guest's kernel and init: codes, tags and sizes that are
wrong, bytes flipped, answers cut short, of another command, or of nothing but chance. swtpm answers, and a relay in
between changes what it says once the kernel runs. Each boot goes on, with a TPM or without, and none is a mistake of
the kernel's.

Arguments: the project's folder, the probe that takes the agent's place, a folder for the images. In CI one boot runs
with Debian's kernel; `scripts/test long` compiles ours and runs many. A fourth argument replaces the seed, a fifth the
number of boots.
"""
import collections
import os
import random
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import sample  # noqa: E402
import tap  # noqa: E402
from guest_ending import READY, STEADY, ending, loud, mistakes  # noqa: E402
from guest_vm import KERNEL, Vm, build_image  # noqa: E402
from tpm_relay import Relay  # noqa: E402

PROJECT, PROBE, IMAGES = sys.argv[1:4]
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else 20261123
BOOTS = int(sys.argv[5]) if len(sys.argv) > 5 else 30
ANSWER_MAX = 4096
CODES = (0, 0x100, 0x101, 0x120, 0x14a, 0x18b, 0x903, 0x908, 0x922, 0x923, 0xffffffff)


def cut_short(chance, data):
    return data[:2] + struct.pack(">I", 10) + data[6:10]


def another_code(chance, data):
    return data[:6] + struct.pack(">I", chance.choice((*CODES, chance.getrandbits(32)))) + data[10:]


def another_tag(chance, data):
    return struct.pack(">H", chance.choice((0, 0x8001, 0x8002, 0xc4, 0xffff, chance.getrandbits(16)))) + data[2:]


def another_size(chance, data):
    """Shorter or longer than what is in it: QEMU hands over as many bytes as it says."""
    size = chance.choice((10, 11, 12, 14, 100, ANSWER_MAX - 1, ANSWER_MAX, chance.randrange(10, ANSWER_MAX)))
    return data[:2] + struct.pack(">I", size) + data[6:size].ljust(size - 6, chance.choice((b"\0", b"\xff", b"A")))


def bytes_flipped(chance, data):
    data = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        if len(data) > 10:
            data[chance.randrange(10, len(data))] = chance.choice((0, 1, 0x7f, 0xff, chance.getrandbits(8)))
    return bytes(data)


def numbers_of_chance(chance, data):
    """Counts and sizes inside: each of the first words is one that is too much."""
    data = bytearray(data)
    for at in range(10, min(len(data) - 3, 40), chance.choice((1, 2, 4))):
        if chance.random() < 0.5:
            data[at:at + 2] = struct.pack(">H", chance.choice((0, 1, 0xff, 0x7fff, 0xffff)))
    return bytes(data)


def nothing_but_chance(chance, data):
    size = chance.choice((10, 12, 20, 200, ANSWER_MAX))
    return struct.pack(">HII", 0x8001, size, 0) + chance.randbytes(size - 10)


WRONGS = (cut_short, another_code, another_tag, another_size, bytes_flipped, numbers_of_chance, nothing_but_chance)


def boot(number, folder):
    """(what the agent saw of the TPM, what was tried)"""
    vm = Vm(folder, "A=LOOK\n", {"ca.pem": b"x"}, append=loud(folder), extra=STEADY)
    share, chance, counts = (0.05, 0.2, 0.5, 1)[number % 4], random.Random(f"{SEED}-{number}"), collections.Counter()

    def change(data, before):
        counts["answers"] += 1
        if not vm.lines or chance.random() >= share:  # from the kernel's first line on: SeaBIOS is the host's own
            return data
        if chance.random() < 0.1 and before:
            counts["of another command"] += 1
            return before
        wrong = chance.choice(WRONGS)
        counts[wrong.__name__.replace("_", " ")] += 1
        return wrong(chance, data)
    relay = Relay(vm, change)
    try:
        with vm:
            how = ending(vm, alive=relay.alive)
            assert how == READY, "\n".join(vm.lines)
            vm.command("system_powerdown")
            lines = vm.wait_end()
    finally:
        relay.close()
    relay.alive()
    about = f"seed {SEED}, boot {number}: {dict(counts)}\n" + "\n".join(lines)
    assert not mistakes(lines), about
    seen = [line for line in lines if line.startswith("probe: tpm: ")]
    assert seen, about
    print(f"# boot {number}, {share:.0%} wrong: {seen[0]}", flush=True)
    return seen[0], counts


def what_a_tpm_answers_at_random_is_no_mistake_of_the_kernels():
    folder = build_image(PROJECT, "base", os.path.join(IMAGES, "base" if KERNEL == "stock" else "base-own"),
                         "--agent", PROBE, kernel=KERNEL)
    ways, counts = collections.Counter(), collections.Counter()
    for number in sample.of(range(1, 2), range(BOOTS)):
        way, done = boot(number, folder)
        ways[way] += 1
        counts += done
    print(f"# seed {SEED}: " + ", ".join(f"{count} {what}" for what, count in sorted((ways + counts).items())))
    assert sum(counts.values()) > counts["answers"] > 0, counts


tap.run([what_a_tpm_answers_at_random_is_no_mistake_of_the_kernels])
