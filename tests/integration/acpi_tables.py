# SPDX-License-Identifier: Apache-2.0
"""ACPI tables of a hostile host, for QEMU's -acpitable: code (AML) that writes to the guest's memory, and where."""
import re
import struct

# In the first MiB: the guest's own memory, which a kernel reserves and leaves alone, wherever it lies itself.
PLACE = 0x50000
MARKER = (0x0BADA371, 0x600DF00D)


def table(signature, body, revision=2):
    """With the header of an ACPI table (ACPI 6.5, 5.2.6); QEMU and the guest's firmware sum it up again."""
    head = struct.pack("<4sIBB6s8sI4sI", signature, 36 + len(body), revision, 0, b"COCOS ", b"HOSTILE ", 1, b"TEST", 1)
    data = bytearray(head + body)
    data[9] = -sum(data) & 0xff
    return bytes(data)


def package(body):
    """AML's PkgLength in front of what it counts (ACPI 6.5, 20.2.4)."""
    if len(body) + 1 < 0x40:
        return bytes([len(body) + 1]) + body
    length = len(body) + 2
    return bytes([0x40 | length & 0xf, length >> 4]) + body


# Where a region lies: ACPI 6.5, 20.2.5.2.
MEMORY, PORTS, PCI, CMOS = 0, 1, 2, 5


def region(name, space, at, size):
    return b"\x5b\x80" + name + struct.pack("<BBIBB", space, 0x0c, at, 0x0a, size)


def field(name, size, *parts):
    """Of a region: parts of `size` bytes, 1 or 4, which are read and written as such."""
    return b"\x5b\x81" + package(name + bytes([3 if size == 4 else 1]) + b"".join(part + bytes([8 * size]) for part in parts))


def store(value, name):
    return b"\x70\x0c" + struct.pack("<I", value) + name


def method(name, body, arguments=0):
    return b"\x14" + package(name + bytes([arguments]) + body)


def device(name, body):
    return b"\x5b\x82" + package(name + body)


def code(body, signature=b"SSDT"):
    """A table of it, in the place where a machine's devices are."""
    return table(signature, b"\x10" + package(b"\\_SB_" + body))


def code_that_writes():
    """An SSDT: a device whose _INI, which a kernel calls at boot, stores two words at PLACE."""
    stores = b"".join(store(word, name) for word, name in zip(MARKER, (b"COCA", b"COCB")))
    return code(region(b"COCM", MEMORY, PLACE, 8) + field(b"COCM", 4, b"COCA", b"COCB") +
                device(b"COCD", b"\x08_HID\x0dCOCO0001\x00" + method(b"_INI", stores)))


def words_at_place(vm):
    said = vm.command("human-monitor-command", **{"command-line": f"xp /2xw {PLACE:#x}"})
    words = tuple(int(word, 16) for word in re.findall(r"0x([0-9a-f]{8})\b", said.split(":", 1)[1]))
    assert len(words) == 2, said
    return words


def summed(data):
    """A table whose checksum is right again."""
    data = bytearray(data)
    data[9] = 0
    data[9] = -sum(data) & 0xff
    return bytes(data)


def tables_in_place(debugger):
    """[(address, bytes)] of what a firmware (SeaBIOS) has laid out: the root pointer's list, and what is in it."""
    low = debugger.read(0xe0000, 0x20000)
    at = next(at for at in range(0, len(low), 16) if low[at:at + 8] == b"RSD PTR ")

    def one(address):
        return address, debugger.read(address, struct.unpack_from("<I", debugger.read(address, 8), 4)[0])

    root = one(struct.unpack_from("<I", low, at + 16)[0])
    return [root] + [one(address) for address, in struct.iter_unpack("<I", root[1][36:])]
