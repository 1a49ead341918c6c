# SPDX-License-Identifier: Apache-2.0
"""Disks and network cards of a host that answers at random (hostile_queues.py), against the guest's kernel and init:
used entries nobody asked for, twice, of wrong lengths, indexes that jump, flags, interrupts without end, descriptors
scribbled over, contents, status bytes and headers of frames that are wrong, a configuration that changes. Each boot
goes on, or ends with one line that names why; none is a mistake of the kernel's.

Arguments: the project's folder, the probe that takes the agent's place, a folder for the images. In CI a few boots run
with Debian's kernel; `scripts/test long` compiles ours and runs many. A fourth argument replaces the seed, a fifth the
number of boots.
"""
import collections
import functools
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import sample  # noqa: E402
import tap  # noqa: E402
from guest_ending import PANIC, READY, STEADY, STOPPED, ending, loud, mistakes  # noqa: E402
from guest_vm import KERNEL, PATIENCE, Vm, boot_disk, build_image  # noqa: E402
from hostile_queues import THEMES, Card, Disk  # noqa: E402

PROJECT, PROBE, IMAGES = sys.argv[1:4]
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else 20261123
BOOTS = int(sys.argv[5]) if len(sys.argv) > 5 else 90
FILES = {"environment": b"A=LOOK\n", "ca.pem": b"x" * 60000}
# What the kernel says of a ring that is not to be trusted; ours ends the machine by it.
BROKEN = ("out of range", "is not a head!")


@functools.cache
def image():
    return build_image(PROJECT, "base", os.path.join(IMAGES, "base" if KERNEL == "stock" else "base-own"),
                       "--agent", PROBE, kernel=KERNEL)


class Machine:
    """A machine whose disk and card are ours, for a `with`."""

    def __init__(self, seed, theme, chance=0.2, change=lambda disk, card: None, of="both", variant="merged buffers", options="",
                 **disk_options):
        self.folder = tempfile.TemporaryDirectory(prefix="cocos-queues-")
        place = lambda name: os.path.join(self.folder.name, name)  # noqa: E731
        self.disk = Disk(place("disk"), f"{seed}-disk", theme if of in ("both", "disk") else None, boot_disk(FILES),
                         chance=chance, **disk_options)
        self.card = Card(place("card"), f"{seed}-card", theme if of in ("both", "card") else None, variant, chance=chance)
        change(self.disk, self.card)  # before anybody is connected
        folder = image()
        self.vm = Vm(folder, None, (), append=loud(folder), net=[
            "-chardev", f"socket,id=card,path={self.card.path}", "-netdev", "vhost-user,id=net0,chardev=card"])
        memory = self.vm.record["min_memory_mib"]
        self.vm.arguments += [
            *STEADY, "-object", f"memory-backend-memfd,id=memory,size={memory}M,share=on", "-machine", "memory-backend=memory",
            "-chardev", f"socket,id=disk,path={self.disk.path}",
            "-device", "vhost-user-blk-pci,chardev=disk,num-queues=1,addr=0x1e" + options,
            # With MSI-X, QEMU of Debian 12 ends by a segmentation fault when this card starts, without KVM.
            "-global", "virtio-net-pci.vectors=0"]
        for option in options.split(",")[1:]:
            self.vm.arguments += ["-global", f"virtio-net-pci.{option}"]

    def __enter__(self):
        self.vm.__enter__()
        return self

    def __exit__(self, *_):
        self.vm.__exit__()
        for device in (self.disk, self.card):
            device.close()
        self.folder.cleanup()

    def ending(self):
        """With Debian's kernel, which goes on without it, also by a line about the disk's ring."""
        def ring(line):
            return "disk's ring" if KERNEL == "stock" and "virtio_blk" in line and any(text in line for text in BROKEN) else None
        return ending(self.vm, ring, self.alive)

    def alive(self):
        """Both devices serve."""
        for device in (self.disk, self.card):
            assert device.failed is None, repr(device.failed)

    def told(self):
        return "\n".join([*self.vm.lines[-60:], f"disk: {dict(self.disk.counts)}", f"card: {dict(self.card.counts)}"])

    def check(self):
        """No line of a mistake, and both devices are whole themselves."""
        with self.vm.changed:
            lines = self.vm.lines[:]
        assert not mistakes(lines), f"{mistakes(lines)}\n{self.told()}"
        self.alive()
        return lines


def wait_for(condition, machine):
    """Until it holds, or the machine ends; the limit ends a test that hangs."""
    end = time.monotonic() + PATIENCE
    while not condition() and not machine.vm.closed:
        machine.alive()
        assert time.monotonic() < end, "it does not end:\n" + machine.told()
        time.sleep(0.05)


def powered_off(machine):
    """A machine that runs, and is told to go off while its network goes on."""
    machine.vm.command("system_powerdown")
    wait_for(lambda: False, machine)


def run(seed, frames=0, **how):
    """(how it ended, its lines, what the devices did); after READY until so many frames of chance came or the ring is broken."""
    with Machine(seed, **how) as machine:
        end = machine.ending()
        if end == READY:
            if frames:
                wait_for(lambda: machine.card.sent >= frames or machine.card.stuck, machine)
            if not machine.vm.closed:
                powered_off(machine)
        elif end != "disk's ring":
            wait_for(lambda: False, machine)
        lines = machine.check()
        return end, lines, machine.disk.counts + machine.card.counts


def why(end, lines):
    if end == READY:
        return "boots" if not any(text in line for line in lines for text in (*BROKEN, PANIC)) else "boots, card's ring ends"
    line = next(line for line in lines if end in line or (end == "disk's ring" and any(text in line for text in BROKEN)))
    return line[line.find(end) if end in line else 0:][:90]


def frames_of(theme):
    return 300 if "frames" in THEMES.get(theme, ()) else 0


def devices_that_do_as_they_should_boot():
    for variant in sample.of(["large buffers"], Card.variants):
        end, lines, counts = run("honest", theme=None, variant=variant)
        assert end == READY and why(end, lines) == "boots", "\n".join(lines)
        assert "probe: ipv6: ok" in lines and any("eth0: 10.9.8.7/24" in line for line in lines), "\n".join(lines)
        assert counts["answers"] > 4, counts


def boots_of_chance(numbers):
    ways, counts = collections.Counter(), collections.Counter()
    variants, themes = list(Card.variants), list(THEMES)
    for number in numbers:
        # Themes, then what is hostile, then the card's buffers, then whether memory is behind the platform's translation.
        theme = themes[number % len(themes)]
        of = ("both", "card", "disk", "card")[number // 2 % 4]
        variant = variants[number // 3 % len(variants)]
        options = ",disable-legacy=on,iommu_platform=on" if number // 5 % 2 else ""
        what = f"seed {SEED}, boot {number}: {theme}, {of}, {variant}{options}"
        try:
            end, lines, done = run(f"{SEED}-{number}", theme=theme, of=of, variant=variant, options=options,
                                   frames=frames_of(theme) if of != "disk" else 0)
        except AssertionError as error:
            raise AssertionError(f"{what}\n{error}") from error
        counts += done
        ways[why(end, lines)] += 1
        print(f"# {what}: {why(end, lines)}", flush=True)
    print(f"# seed {SEED}: {sum(ways.values())} boots; " + ", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    for way, count in sorted(ways.items()):
        print(f"#   {count} times: {way}")
    assert counts["answers"] and all(counts[what] for what in {name for theme in THEMES.values() for name in theme}) or \
        len(numbers) < 2 * len(THEMES), counts


def what_answers_at_random_is_no_mistake_of_the_kernels():
    boots_of_chance(sample.of((0, 3, 8), range(BOOTS)))


def stops(says, **how):
    end, lines, _ = run("honest", theme=None, **how)
    found = [line for line in lines if "boot stopped: " in line]
    assert end == STOPPED and len(found) == 1 and says in found[0], "\n".join(lines)


def configurations_of_no_disk_of_ours_stop_the_boot():
    """What the disk says of itself is nonsense from the start."""
    missing = "the disk with the serial number 'cocos-boot' is missing"
    rows = [("capacity", 0, "it has 0 bytes"), ("capacity", 1, "it has 512 bytes"),
            *(("capacity", value, "it has ") for value in (1 << 40, 1 << 54)),
            *(("capacity", value, "boot disk") for value in (1 << 63, (1 << 64) - 1)),
            *(("block_size", value, missing) for value in (1, 3, 511, 513, 0x80000000, 0xffffffff))]
    for name, value, says in rows:
        print(f"# {name} {value:#x}", flush=True)
        stops(says, change=lambda disk, card, name=name, value=value: setattr(disk, name, value))


def limits_that_no_disk_has_change_nothing():
    """Blocks of no bytes; segments: how many, and of what size, which our kernel asks of none."""
    rows = [("block_size", 0, False)] + [("segments_max", value, False) for value in (0, 2, 126, 0xffff, 0xffffffff)]
    if KERNEL == "own":
        rows += [("segment_max", value, True) for value in (0, 1, 511, 4095, 0xffffffff)]
    for name, value, offered in rows:
        print(f"# {name} {value:#x}", flush=True)
        end, lines, _ = run("honest", theme=None, size_max=offered,
                            change=lambda disk, card, name=name, value=value: setattr(disk, name, value))
        assert end == READY, "\n".join(lines)


tap.run([devices_that_do_as_they_should_boot, what_answers_at_random_is_no_mistake_of_the_kernels,
         *sample.of([], [configurations_of_no_disk_of_ours_stop_the_boot, limits_that_no_disk_has_change_nothing])])
