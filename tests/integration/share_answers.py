# SPDX-License-Identifier: Apache-2.0
"""A server of 9p shares that answers at random. QEMU's own server answers; a debugger stops the guest as its driver sees
that an answer has come, and changes it before the driver has looked at the rest.

The rings are found where QEMU says that they are, and watched where the guest has them mapped. The debugger is there
before the first share is asked for: until then the machine's TPM, which its kernel asks beside each program and module,
gives no answer.
"""
import random
import re
import struct
import threading

from gdb_remote import Debugger, Gone
from tpm_relay import Relay

NEXT, WRITE, TABLE = 1, 2, 4  # flags of a descriptor
CHAIN_MAX = 256  # descriptors of one request
# 9P2000.L, by the kernel's include/net/9p/9p.h.
RLERROR, RREADDIR, RVERSION = 7, 41, 101
TYPES = (RLERROR, 9, 13, 25, 31, RREADDIR, RVERSION, 105, 107, 111, 113, 117, 121, 0, 255)
HEADER = 7  # size, type, tag
NUMBERS = (0, 1, 6, 7, 8, 11, 255, 4095, 4096, 4097, 32767, 65535, 1 << 17, (1 << 17) + 1, 0x7fffffff, 0x80000000, 0xffffffff)
TICK = 0.2  # seconds between looks at whether it is over
# Page tables: bits of an entry; the guest maps all of its memory from the first address on of this part of them (x86's mm.rst).
PRESENT, LARGE, PLACE, FIVE_LEVELS = 1, 1 << 7, 0xffffffffff000, 1 << 12
ALL_MEMORY = 273


def number(chance):
    return chance.choice(NUMBERS) if chance.random() < 0.7 else chance.getrandbits(32)


def another_type(chance, data):
    return data[:4] + bytes([chance.choice(TYPES)]) + data[5:]


def another_tag(chance, data):
    return data[:5] + struct.pack("<H", chance.choice((0, 1, 2, 63, 65534, 65535, chance.getrandbits(16)))) + data[HEADER:]


def another_size(chance, data):
    return struct.pack("<I", chance.choice((number(chance), len(data) - 1, len(data) + 1))) + data[4:]


def an_error(chance, data):
    return struct.pack("<IBHI", HEADER + 4, RLERROR, *struct.unpack_from("<H", data, 5), number(chance))


def bytes_flipped(chance, data):
    data = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        if len(data) > HEADER:
            data[chance.randrange(HEADER, len(data))] = chance.choice((0, 1, 0x7f, 0xff, ord("/"), chance.getrandbits(8)))
    return bytes(data)


def numbers_of_chance(chance, data):
    """Counts, sizes and offsets inside."""
    data = bytearray(data)
    for form, size in (("<H", 2), ("<I", 4)):
        if len(data) >= HEADER + size:
            at = chance.choice((HEADER, chance.randrange(HEADER, len(data) - size + 1)))
            struct.pack_into(form, data, at, number(chance) % (1 << 8 * size))
    return bytes(data)


def names_of_chance(chance, data):
    """Of what a folder holds: qid, offset, type, then the name's length and itself."""
    if data[4] != RREADDIR:
        return bytes_flipped(chance, data)
    data, at = bytearray(data), HEADER + 4
    while at + 24 <= len(data):
        length = struct.unpack_from("<H", data, at + 22)[0]
        if chance.random() < 0.5:
            name = chance.choice((b"/", b"\0", b"..", b"../../init", b"a/b", b"\xff", b"", chance.randbytes(length)))
            data[at + 24:at + 24 + length] = name[:length].ljust(length, chance.choice((b"\0", b"/", b"A")))
        at += 24 + length
    return bytes(data)


def more_of_it(chance, data):
    data += chance.choice((b"\0", b"\xff", data[HEADER:] or b"A")) * chance.choice((1, 16, 4096))
    return struct.pack("<I", len(data)) + data[4:]


def nothing_but_chance(chance, data):
    return chance.randbytes(chance.choice((1, 6, 7, 11, len(data), 4096)))


WRONGS = (another_type, another_tag, another_size, an_error, bytes_flipped, numbers_of_chance, names_of_chance, more_of_it,
          nothing_but_chance)


def at_random(seed, share, counts):
    """(the answer, its length by the ring) of an answer in its place, in so many of a hundred; the rest as they are."""
    chance, last = random.Random(seed), [b""]

    def change(data):
        before, last[0] = last[0], data
        if chance.random() >= share:
            return data, None
        kind = chance.randrange(len(WRONGS) + 2)
        if kind < len(WRONGS):
            counts[WRONGS[kind].__name__.replace("_", " ")] += 1
            return WRONGS[kind](chance, data), None
        if kind == len(WRONGS) or not before:
            counts["another length in the ring"] += 1
            return data, number(chance)
        counts["of another request"] += 1
        return before[:5] + data[5:HEADER] + before[HEADER:], None
    return change


class Ring:
    """Of one share's device, in the machine's memory."""

    def __init__(self, vm, debugger, path):
        where = vm.command("x-query-virtio-queue-status", path=path, queue=0)
        self.size, self.desc, self.used = (where[f"vring-{name}"] for name in ("num", "desc", "used"))
        self.debugger, self.seen = debugger, 0

    def unpack(self, form, address):
        return struct.unpack(form, self.debugger.read(address, struct.calcsize(form)))

    def come(self):
        """[(address of the used entry, head, length)] since the last time."""
        until, found = self.unpack("<H", self.used + 2)[0], []
        while self.seen != until:
            entry = self.used + 4 + 8 * (self.seen % self.size)
            found.append((entry, *self.unpack("<II", entry)))
            self.seen = (self.seen + 1) & 0xffff
        return found

    def read(self, places, length):
        data = b""
        for address, room in places:
            data += self.debugger.read(address, min(room, length - len(data)))
        return data

    def write(self, places, data):
        """As much of it as there is room for."""
        for address, room in places:
            self.debugger.write(address, data[:room])
            data = data[room:]

    def places(self, head):
        """[(address, length)] that a request has for its answer."""
        table, at, found = self.desc, head, []
        for _ in range(CHAIN_MAX):
            address, length, flags, following = self.unpack("<QIHH", table + 16 * at)
            if flags & TABLE:
                table, at = address, 0
                continue
            if flags & WRITE:
                found.append((address, length))
            if not flags & NEXT:
                return found
            at = following
        raise ValueError("a request without end")


class Answers:
    """A Vm whose shares' answers are as `change(answer)` gives them, for a `with`: (bytes, what the ring says of their length,
    or None for as much as it has said)."""

    def __init__(self, vm, change):
        self.vm, self.change, self.count = vm, change, 0
        vm.arguments += Debugger.arguments(vm, waits=False)
        self.over, self.failed, self.thread, self.rings = threading.Event(), None, None, []
        self.relay = Relay(vm, self._until_watched)

    def __enter__(self):
        self.vm.__enter__()
        return self

    def __exit__(self, *_):
        self.over.set()
        if self.thread:
            self.thread.join()
        self.vm.__exit__()
        self.relay.close()

    def alive(self):
        self.relay.alive()
        assert self.failed is None, repr(self.failed)

    def _until_watched(self, data, _):
        if not self.thread and self.vm.lines:  # the kernel's first: nobody asks QEMU before
            paths = [device["path"] for device in self.vm.command("x-query-virtio") if device["name"] == "virtio-9p"]
            if paths and all(self._driven(path) for path in paths):
                self._watch(paths)
        return data

    def _driven(self, path):
        said = self.vm.command("x-query-virtio-status", path=path)["status"]["statuses"]
        return any(text.startswith("VIRTIO_CONFIG_S_DRIVER_OK") for text in said)

    def _watch(self, paths):
        debugger = Debugger(self.vm, waits=False)
        debugger.see_all_memory()
        first = self._first_address(debugger)
        self.rings = [Ring(self.vm, debugger, path) for path in paths]
        for ring in self.rings:
            debugger.stop_as_it_reads(first + ring.used + 2, 2)
        self.thread = threading.Thread(target=self._serve, args=(debugger,))
        self.thread.start()

    def _first_address(self, debugger):
        """Where the guest's kernel has mapped the machine's memory, which moves from boot to boot."""
        said = self.vm.command("human-monitor-command", **{"command-line": "info registers"})
        table, features = (int(re.search(rf"{name}=([0-9a-f]+)", said)[1], 16) for name in ("CR3", "CR4"))
        shift, address, first = (48 if features & FIVE_LEVELS else 39), 0, ALL_MEMORY
        above = ~((1 << shift + 9) - 1) & (1 << 64) - 1  # bits that are as the highest of an address's
        while True:
            entries = struct.unpack("<512Q", debugger.read(table & PLACE, 4096))
            index = next(index for index in range(first, 512) if entries[index] & PRESENT)
            address, table = address | index << shift, entries[index]
            if shift == 12 or table & LARGE and shift <= 30:
                assert (table & PLACE) >> shift == 0, f"at {address:#x} is not the first byte of memory"
                return above | address
            shift, first = shift - 9, 0

    def _serve(self, debugger):
        try:
            debugger.go()
            while not self.over.is_set():
                if debugger.has_stopped(TICK):
                    for ring in self.rings:
                        self._changed(ring)
                    debugger.go()
        except (Gone, ConnectionError):
            pass
        except Exception as error:  # pylint: disable=broad-except
            self.failed = error
        finally:
            debugger.link.close()

    def _changed(self, ring):
        for entry, head, length in ring.come():
            places = ring.places(head)
            data = ring.read(places, length)
            self.count += 1
            now, said = self.change(data)
            if now != data:
                ring.write(places, now)
            if said is not None:
                ring.debugger.write(entry + 4, struct.pack("<I", said))
