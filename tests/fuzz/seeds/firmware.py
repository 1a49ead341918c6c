# SPDX-License-Identifier: Apache-2.0
"""Firmware images and IGVM files. The target of the latter puts size and checksum right."""
import struct
import uuid

from seeds.parts import saved

FOOTER = uuid.UUID("96b582de-1fb2-45f7-baea-a366c55a082d").bytes_le
RESET = uuid.UUID("00f771de-1a7e-4fcb-890e-68c77e2fb44e").bytes_le
HASHES = uuid.UUID("7255371f-3a3b-4b04-927b-1da6efa8d454").bytes_le
METADATA = uuid.UUID("dc886566-984a-4798-a75e-5585a7bf67cc").bytes_le
TDX_OFFSET = uuid.UUID("e47a6535-984a-4798-865e-4685a7bf8ec2").bytes_le


def le32(*values):
    return struct.pack(f"<{len(values)}I", *values)


def entry(guid, data, size=None):
    return data + struct.pack("<H", len(data) + 18 if size is None else size) + guid


def image(*entries, before=bytes(200), size=None):
    table = b"".join(entries)
    return before + table + entry(FOOTER, b"", len(table) + 18 if size is None else size) + bytes(32)


def sev(*sections, version=1, count=None, size=None, signature=b"ASEV", offset=None, space=bytes(200)):
    count = len(sections) if count is None else count
    described = signature + le32(16 + 12 * count if size is None else size, version, count)
    described += b"".join(le32(*section) for section in sections)
    before = space + described
    whole = image(entry(METADATA, le32(0)), before=before)
    return image(entry(METADATA, le32(len(whole) - len(space) if offset is None else offset)), before=before)


def ovmf():
    return {
        "bare": bytes(100),
        "too-short": bytes(10),
        "footer-long": image(size=60000),
        "footer-short": image(size=5),
        "entry-long": image(entry(HASHES, le32(1), 500)),
        "entry-short": image(entry(HASHES, le32(1), 3)),
        "entry-twice": image(entry(HASHES, le32(1)), entry(HASHES, le32(1))),
        "entry-two-bytes": image(entry(HASHES, b"ab")),
        "entries-many": image(*[entry(bytes(16), b"")] * 70),
        "reset": image(entry(RESET, le32(1)), entry(HASHES, le32(4096))),
        "sections": sev((0x800000, 4096, 1), (0x801000, 4096, 2)),
        "outside": sev((0, 4096, 1), offset=1 << 30),
        "signature": sev((0, 4096, 1), signature=b"ASEX"),
        "version-2": sev((0, 4096, 1), version=2),
        "count": sev((0, 4096, 1), size=5),
        "count-many": sev(count=100),
        "cut": sev((0, 4096, 1), count=40),
        "type": sev((0, 4096, 99)),
        "unaligned": sev((1, 4096, 1)),
        "empty": sev((0, 0, 1)),
        "much": sev((0, 0xf0000000, 1)),
        "offset-0": sev((0, 4096, 1), offset=0),
    }


def td(*sections, version=1, count=None, size=None, by_table=False, at=None, length=4, signature=b"TDVF"):
    """Sections: offset, size, gpa, length, type, attributes."""
    count = len(sections) if count is None else count
    described = signature + le32(16 + 32 * count if size is None else size, version, count)
    described += b"".join(struct.pack("<IIQQII", *section) for section in sections)
    before = bytes(256) + described
    if not by_table:
        return before + le32(256 if at is None else at) + bytes(28)
    whole = image(entry(TDX_OFFSET, bytes(length)), before=before)
    value = len(whole) - 256 if at is None else at
    return image(entry(TDX_OFFSET, le32(value)[:length]), before=before)


def tdvf():
    bfv, hob = (0, 256, 0xfffff000, 4096, 0, 1), (0, 0, 0x809000, 4096, 2, 0)
    return {
        "table": td(bfv, hob, by_table=True),
        "table-offset": td(bfv, by_table=True, at=1 << 30),
        "table-short": td(bfv, by_table=True, length=2),
        "table-elsewhere": td(bfv, by_table=True, at=10),
        "none": bytes(300),
        "short": bytes(8),
        "signature": td(bfv, signature=b"TDVX"),
        "version-2": td(bfv, version=2),
        "no-sections": td(count=0),
        "size": td(bfv, size=5),
        "many": td(bfv, count=200),
        "no-bfv": td(hob),
        "outside": td((1000, 256, 0, 4096, 0, 1)),
        "bfv-empty": td((0, 0, 0, 4096, 0, 1)),
        "hob-full": td(bfv, (0, 1, 0, 4096, 2, 0)),
        "payload": td(bfv, (0, 1, 0, 4096, 5, 0), (0, 0, 8192, 4096, 6, 0)),
        "much": td((0, 256, 0, 0, 0, 1)),
        "little-memory": td((0, 300, 0, 1, 0, 1)),
        "more-contents": td((0, 300, 0, 4096, 0, 1), hob),
        "unaligned": td((0, 256, 1, 4096, 0, 1)),
        "attributes": td((0, 256, 0, 4096, 0, 8)),
        "later-measured": td((0, 256, 0, 4096, 0, 3)),
        "hob-measured": td(bfv, (0, 0, 0, 4096, 2, 1)),
        "type": td((0, 256, 0, 4096, 99, 0)),
        "overlap": td(bfv, (0, 0, 0xfffff000, 4096, 3, 0)),
        "contents-over-memory": td((0, 256, 0, 4096, 5, 0), (0, 5000, 0, 4096, 0, 1)),
    }


SNP, ES, TDX, VSM = (1, 0, 2, 1, 0), (2, 0, 5, 1, 0), (4, 0, 3, 1, 0), (8, 0, 1, 1, 0)


def platform(mask, vtl, kind, version, boundary):
    return (1, struct.pack("<IBBHQ", mask, vtl, kind, version, boundary))


def igvm_file(*headers, version=1, data=bytes(8192), offset=None, extra=b"", size=None, rest=(0, 4096)):
    fixed = 32 if version == 2 else 24
    described = b""
    for kind, body in headers:
        described += le32(kind, len(body)) + body + bytes(-len(body) % 8)
    described += extra
    out = b"IGVM" + le32(version, fixed if offset is None else offset,
        len(described) if size is None else size, 0, 0)
    return out + (le32(*rest) if version == 2 else b"") + described + data


def page(gpa, mask=1, offset=0, flags=0, kind=0, reserved=0):
    return (0x302, struct.pack("<QIIIHH", gpa, mask, offset, flags, kind, reserved))


def context(gpa, mask=1, offset=0, reserved=0):
    return (0x304, struct.pack("<QIIHH", gpa, mask, offset, 0, reserved))


def area(size, index=0, offset=0):
    return (0x301, struct.pack("<QII", size, index, offset))


def igvm():
    def with_snp(*headers, **more):
        return igvm_file(platform(*SNP), *headers, **more)

    def at(count):  # where the data begin behind that many headers' bytes
        return 24 + count

    one = at(24 + 28 + 4)
    good_vmsa = saved("igvm/boots")
    tables = firmware_file()
    return {
        "none": igvm_file(),
        "version-2": with_snp(page(0), version=2),
        "version-3": with_snp(page(0), version=3),
        "v2-arm": with_snp(page(0), version=2, rest=(1, 4096)),
        "offset": with_snp(offset=8),
        "no-data": with_snp(data=b""),
        "type-9": igvm_file(platform(1, 0, 9, 1, 0)),
        "mask-two": igvm_file(platform(3, 0, 2, 1, 0)),
        "vtl": igvm_file(platform(1, 1, 2, 1, 0)),
        "twice": igvm_file(platform(*SNP), platform(*SNP)),
        "outside": with_snp(extra=le32(0x302, 1000)),
        "padding": with_snp(extra=le32(0x30c, 1) + b"\1" * 8),
        "order": with_snp(page(0), (0x101, bytes(16))),
        "area-twice": with_snp(area(4096), area(4096)),
        "areas-many": with_snp(*[area(4096, n) for n in range(300)]),
        "area-size": with_snp(area(1)),
        "use-closed": with_snp((0x307, le32(5, 0))),
        "use-outside": with_snp(area(4096), (0x308, le32(0, 5000))),
        "insert": with_snp(area(8192), (0x303, struct.pack("<QII", 4096, 1, 0))),
        "insert-closed": with_snp((0x303, struct.pack("<QII", 0, 1, 0))),
        "insert-unaligned": with_snp(area(4096), (0x303, struct.pack("<QII", 1, 1, 0))),
        "insert-odd": with_snp(area(8192), (0x303, struct.pack("<QII", 4096, 1, 0)), data=bytes(8193)),
        "page-reserved": with_snp(page(0, reserved=1)),
        "page-type": with_snp(page(0, kind=9)),
        "page-outside": with_snp(page(0, offset=1 << 20)),
        "page-unaligned": with_snp(page(1)),
        "page-2m-data": with_snp(page(0, flags=1, offset=56)),
        "page-2m": with_snp(page(0, flags=1)),
        "page-kinds": with_snp(*[page(4096 * n, kind=n) for n in range(4)], page(1 << 20, flags=2)),
        "context-nowhere": with_snp(context(0, mask=2)),
        "context-tdx": igvm_file(platform(*TDX), context(0, mask=4)),
        "context-outside": with_snp(context(0, offset=1 << 20)),
        "context-vsm": igvm_file(platform(*VSM), platform(*SNP), context(1, mask=8, offset=at(80))),
        "context-reserved": with_snp(context(0, reserved=1)),
        "vmsa-unaligned": with_snp(context(1, offset=one)),
        "vmsa-full": with_snp(context(0, offset=one), data=b"\xff" * 8192),
        "required": with_snp((0x305, struct.pack("<QIIII", 1, 1, 0, 0, 0))),
        "required-good": with_snp((0x305, struct.pack("<QIIII", 0, 1, 4096, 1, 0))),
        "range": with_snp((0x30d, struct.pack("<QII", 1, 1, 0))),
        "range-good": with_snp((0x30d, struct.pack("<QII", 0, 1, 4096))),
        "vbs": with_snp((0x311, bytes(864))),
        "policy": with_snp((0x101, bytes(12) + le32(1))),
        "policy-good": with_snp((0x101, bytes(16))),
        "relocation": with_snp((0x102, le32(1) + bytes(44))),
        "relocation-other": igvm_file(platform(*VSM), platform(*SNP), (0x103, le32(8) + bytes(28)), page(0)),
        "header-size": with_snp((0x302, bytes(8))),
        "header-unknown": with_snp((0x3ff, bytes(8))),
        "id-block": with_snp(page(0), (0x30b, le32(1, 0) + bytes(688))),
        "id-block-odd": with_snp((0x30b, le32(1, 0) + bytes(688)), data=bytes(8193)),
        "es": igvm_file(platform(*ES), page(0, mask=2), context(0, mask=2, offset=at(24 + 32 + 28 + 4))),
        "vmsa": with_snp(context(0xfffffffff000, offset=one)),
        "vmsas": with_snp(context(0xfffffffff000, offset=one + 28), context(0xfffffffff000, offset=one + 28),
            data=bytes(8193)),
        "both": good_vmsa,
        **tables,
    }


def firmware_file():
    """An image in whole pages below 4 GiB, with a VMSA; what differs is what igvm_boot_check() refuses."""
    boots = saved("igvm/boots")
    data, vmsa = boots[0xb0:0xb0 + 0x3000], boots[0x30b0:]
    top = 1 << 32

    def made(*places, vmsas=1, vmsa_bytes=vmsa, contents=data, more=(), **options):
        count = len(places)
        at = 24 + 24 + 32 * (count + vmsas) + sum(8 + len(body) + -len(body) % 8 for _, body in more)
        headers = [page(gpa, offset=at + 4096 * n) for n, gpa in enumerate(places)]
        headers += [context(0xfffffffff000, offset=at + 4096 * count)] * vmsas
        return igvm_file(platform(*SNP), *headers, *more, data=contents[:4096 * count] + vmsa_bytes, **options)

    return {
        "boot": made(top - 8192, top - 4096, 0x810000),
        "boot-twice": made(top - 4096, top - 4096),
        "boot-no-vmsa": made(top - 8192, top - 4096, vmsas=0),
        "boot-vmsa-other": made(top - 8192, top - 4096, vmsa_bytes=b"\1" + vmsa[1:]),
        "boot-nothing": made(0x810000),
        "boot-no-hashes": made(top - 4096, contents=bytes(8192)),
        "boot-hashes-elsewhere": made(top - 8192, top - 4096, 0x820000),
        "boot-hashes-unknown": made(top - 8192, top - 4096, 0x820000, more=[page(0x810000, kind=1)]),
        "boot-kvm": made(top - 8192, top - 4096, vmsa_bytes=vmsa + b"\0" * 2),
        "boot-kvm-two": made(top - 8192, top - 4096, vmsas=2, vmsa_bytes=vmsa + b"\0" * 2),
        "boot-kvm-pages-after": made(top - 8192, top - 4096, more=[page(0x5000)], vmsa_bytes=vmsa
            + b"\0" * 2),
    }


STORE = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792").bytes_le
VOLUME = uuid.UUID("fff12b8d-7696-4c8b-a985-2747075b4f50").bytes_le


def volume(size=256, blocks=((1, 256),), header=None, store=184, format_=0x5a, room=b"\xff", guid=VOLUME,
           revision=2, store_guid=STORE, checked=True):
    """A volume of variables, small."""
    described = b"".join(le32(*block) for block in blocks)
    header = 56 + len(described) if header is None else header
    whole = bytes(16) + guid + struct.pack("<Q4sIHHHBB", size, b"_FVH", 0x4feff, header, 0, 0, 0, revision) + described
    words = struct.unpack(f"<{len(whole) // 2}H", whole)
    whole = whole[:50] + struct.pack("<H", -sum(words) & 0xffff if checked else 0) + whole[52:]
    whole += store_guid + le32(store) + bytes((format_, 0xfe)) + bytes(6)
    return whole + room * (256 - len(whole))


def script(*commands):
    return b"".join(le32(what) + name.encode().ljust(124, b"\0") for what, name in commands)


def memory(size, *sections):
    return struct.pack("<Q", size) + b"".join(bytes(section) for section in sections)


def rtmr0():
    ends, low, high = ((1, 256), (0, 0)), 1 << 30, 3 << 30
    hob, some = (2, 1, 1), (3, 0, 3)
    volumes = {
        "volume": volume(blocks=ends), "volume-other": volume(blocks=ends, store_guid=VOLUME),
        "volume-guid": volume(blocks=ends, guid=STORE), "volume-size": volume(300, blocks=ends),
        "volume-sum": volume(blocks=ends, checked=False), "volume-header": volume(blocks=ends, header=300),
        "volume-blocks": volume(blocks=((2, 256), (0, 0))), "volume-much": volume(blocks=((9999, 9999), (0, 0))),
        "volume-endless": volume(blocks=((1, 1),) * 18), "volume-open": volume(blocks=((1, 256),)),
        "volume-odd": volume(blocks=ends + ((0, 0),)), "volume-revision": volume(blocks=ends, revision=1),
        "volume-variables": volume(blocks=ends, room=b"\xaa"), "volume-store": volume(blocks=ends, store=9999),
        "volume-format": volume(blocks=ends, format_=0), "volume-short": volume(blocks=ends)[:40],
    }
    scripts = {
        "script": script((1, "etc/acpi/rsdp"), (3, ""), (1, "etc/acpi/tables"), (0, "")), "script-cut": script((1, "a"))[:100],
        "script-twice": script((1, "a"), (1, "a")), "script-many": script(*[(1, str(i)) for i in range(9)]),
        "script-name": script((1, "../a")), "script-none": script((2, "a")), "script-unknown": script((7, "a")),
        "script-behind": script((1, "a"), (0, ""), (1, "b")), "script-char": script((1, "a b")),
    }
    sections = {
        "memory": memory(low, hob, some), "memory-high": memory(high, some, hob), "memory-none": memory(0, hob),
        "memory-little": memory(4096, hob), "memory-no-hob": memory(low, some), "memory-two": memory(low, hob, hob),
        "memory-other": memory(low, hob, (4, 0, 1)), "memory-flash": memory(low, hob, (0, 0, 1), (1, 0, 1)),
        "memory-many": memory(high, hob, *[some] * 63), "memory-odd": memory(low + 1, hob),
        "memory-small": memory(high, (2, 1, 0), *[(3, 1, 0)] * 63), "memory-hole": memory(high, hob, (3, 200, 1)),
    }
    firmware = volume(blocks=ends)
    built = firmware + b"TDVF" + le32(16 + 3 * 32, 1, 3) + b"".join(struct.pack("<IIQQII", *one) for one in (
        (0, 256, 0xfffff000, 4096, 0, 1), (0, 256, 0xffc00000, 4096, 1, 0), (0, 0, 0x809000, 4096, 2, 0)))
    firmwares = {"firmware": built + le32(256) + bytes(28), "firmware-none": bytes(64)}
    return {name: bytes((kind,)) + content for kind, all_of in enumerate((volumes, scripts, sections, firmwares))
            for name, content in all_of.items()}


TARGETS = [ovmf, tdvf, igvm, rtmr0]
