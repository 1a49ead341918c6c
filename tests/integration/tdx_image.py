# SPDX-License-Identifier: Apache-2.0
"""An image, a TD's firmware and tables, all small and made here, and the RTMR0 that they come to: the same rules as
attestation/measure/rtmr0.h, in other words."""
import hashlib
import json
import os
import struct
import uuid

VOLUME_LEN = 0x400
BFV, CFV, HOB = ((VOLUME_LEN, 0x1000, 0xfffff000, 0x1000, 0, 1), (0, VOLUME_LEN, 0xffc00000, 0x1000, 1, 0),
                 (0, 0, 0x809000, 0x2000, 2, 0))
TEMPORARY = ((0, 0, 0x810000, 0x10000, 3, 0), (0, 0, 0x80b000, 0x2000, 3, 0), (0, 0, 0x800000, 0x6000, 3, 0))
GLOBAL, SECURITY = ("8be4df61-93ca-11d2-aa0d-00e098032b8c", "d719b2cb-3d3a-4596-a3bc-dad00e67656f")
DRIVERS, SETUP, MENU = ("7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1", "462caa21-7614-4503-836e-8ab6f4662331",
                        "eec25bdc-67f2-4d95-b1d5-f81b2039d11d")


def guid(text):
    return uuid.UUID(text).bytes_le


def sha384(data):
    return hashlib.sha384(data).digest()


# ---- what is launched ----

def volume(room=b"\xff"):
    """Of variables, none of them there."""
    head = (bytes(16) + guid("fff12b8d-7696-4c8b-a985-2747075b4f50") + struct.pack(
        "<Q4sIHHHBB4I", VOLUME_LEN, b"_FVH", 0x4feff, 72, 0, 0, 0, 2, 1, VOLUME_LEN, 0, 0))
    head = head[:50] + struct.pack("<H", -sum(struct.unpack("<36H", head)) & 0xffff) + head[52:]
    store = guid("aaf32c78-947b-439a-a180-2e144ec37792") + struct.pack("<IBB6x", VOLUME_LEN - 72, 0x5a, 0xfe)
    return (head + store + room).ljust(VOLUME_LEN, b"\xff")


def firmware(sections=(0, 1, 2, 3), room=b"\xff"):
    """Of these kinds of sections: code, variables, the list of memory, memory at launch."""
    chosen = [one for kind in sections for one in ((BFV,), (CFV,), (HOB,), TEMPORARY)[kind]]
    described = b"TDVF" + struct.pack("<III", 16 + 32 * len(chosen), 1, len(chosen))
    described += b"".join(struct.pack("<IIQQII", *one) for one in chosen)
    at = VOLUME_LEN + 0x1000
    return volume(room) + bytes(0x1000) + described + struct.pack("<I", at) + bytes(28)


def kernel():
    """What a verifier takes for a Linux kernel."""
    k = bytearray(2048)
    for at, form, value in ((0, "2s", b"MZ"), (0x3c, "I", 0x80), (0x80, "2s", b"PE"), (0x84, "H", 0x8664),
                            (0x86, "H", 1), (0x94, "H", 160), (0x96, "H", 0x206), (0x98, "H", 0x20b),
                            (0x98 + 60, "I", 1024), (0x98 + 108, "I", 6), (0x138, "3s", b".s0"),
                            (0x138 + 8, "I", 1024), (0x138 + 16, "I", 1024), (0x138 + 20, "I", 1024),
                            (0x202, "4s", b"HdrS"), (0x206, "H", 0x20f), (0x236, "H", 3), (0x211, "B", 1)):
        struct.pack_into("<" + form, k, at, value)
    return bytes(k)


def write_image(folder):
    parts = {"kernel": ("vmlinuz", kernel()), "initrd": ("initrd.img", bytes(700))}
    os.mkdir(folder("image"))
    record = {"version": 1, "flavour": "base", "cmdline": "console=ttyS0 quiet", "min_memory_mib": 512,
              "boot_disk": {"version": 1, "serial": "cocos-boot", "size": 266240}}
    for part, (name, content) in parts.items():
        folder.write(f"image/{name}", content)
        record[part] = {"file": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    folder.write("image/image.json", json.dumps(record))


def command(what, name):
    return struct.pack("<I124s", what, name.encode())


TABLES = {
    "qemu": b"QEMU emulator version 10.1.2\n",
    "bootorder": b"/rom@genroms/linuxboot_dma.bin\nHALT\0",
    "etc/table-loader": (command(1, "etc/acpi/rsdp") + command(1, "etc/acpi/tables") + command(3, "etc/acpi/tables")
                         + command(2, "etc/acpi/rsdp") + command(0, "")),
    "etc/acpi/rsdp": b"RSD PTR " + bytes(12),
    "etc/acpi/tables": b"DSDT" + bytes(range(200)),
}


def write_tables(folder, tables, name="tables"):
    os.makedirs(folder(name, "etc/acpi"))
    for file, content in tables.items():
        if content is not None:
            folder.write(f"{name}/{file}", content)


# ---- what it measures to ----

def resources(ram):
    """Memory that was added at launch, and what is between."""
    for begin, end in ram:
        for at, size in sorted((one[2], one[3]) for one in (HOB,) + TEMPORARY):
            if begin <= at < end:
                yield from ((7, begin, at), (0, at, at + size))
                begin = at + size
        yield 7, begin, end


def memory_list(memory):
    low = memory if memory < 0xb0000000 else 0x80000000
    found = b"".join(struct.pack("<HHI16xIIQQ", 3, 48, 0, kind, 7, begin, end - begin)
                     for kind, begin, end in resources(((0, low), (1 << 32, (1 << 32) + memory - low))) if end > begin)
    return struct.pack("<HHIII4QQ", 1, 56, 0, 9, 0, 0, 0, 0, 0, HOB[2] + 56 + len(found) + 8) + found


def variable(owner, name, value=b""):
    return guid(owner) + struct.pack("<QQ", len(name), len(value)) + name.encode("utf-16le") + value


def option(attributes, title, file):
    path = b"\x04\x07\x14\0" + guid(DRIVERS) + b"\x04\x06\x14\0" + guid(file) + b"\x7f\xff\x04\0"
    return struct.pack("<IH", attributes, len(path)) + title.encode("utf-16le") + b"\0\0" + path


def tables_in_order(tables):
    script = tables["etc/table-loader"]
    yield script
    for at in range(0, len(script), 128):
        if script[at:at + 4] == b"\1\0\0\0":
            yield tables[script[at + 4:at + 60].rstrip(b"\0").decode()]


def events(memory, tables, switch, cfv, way):
    yield memory_list(memory)
    yield cfv
    if way == "2025.05":
        yield from (b"\0\0", tables["bootorder"])
    for owner, name in ((GLOBAL, "SecureBoot"), (GLOBAL, "PK"), (GLOBAL, "KEK"), (SECURITY, "db"), (SECURITY, "dbx")):
        yield variable(owner, name, switch if name == "SecureBoot" else b"")
    yield bytes(4)
    yield from tables_in_order(tables)
    if way == "2025.05":
        yield from (b"\0\0\1\0", option(0x109, "BootManagerMenuApp", MENU), option(0x101, "EFI Firmware Setup", SETUP))
    else:
        yield from (b"\0\0", option(0x109, "UiApp", SETUP))
    if way == "before 2024.11":
        yield bytes(4)


def rtmr0_values(memory, tables, cfv=None):
    found = []
    for way in ("2024.11", "2025.05", "before 2024.11"):
        for switch in (b"", b"\0"):
            value = bytes(48)
            for event in events(memory, tables, switch, volume() if cfv is None else cfv, way):
                value = sha384(value + sha384(event))
            found.append(value.hex())
    return found
