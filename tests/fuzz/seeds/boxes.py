# SPDX-License-Identifier: Apache-2.0
"""Packets and archives of the agent."""
import struct
import zlib

from seeds.parts import protobuf, records, saved, u32
from seeds.tokens import SNP, SPKI, TPM, statement


# ---- zip ----

def zipped(*entries, comment=b"", count=None, start=None, before=b""):
    """(name, content, options): a method, a mode, sizes, a CRC or a flag that are not the content's."""
    local = central = b""
    for name, content, options in entries:
        method = options.get("method", 0)
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = packer.compress(content) + packer.flush() if method == 8 else content
        packed = options.get("packed", packed)
        crc, size = options.get("crc", zlib.crc32(content)), options.get("size", len(content))
        common = struct.pack("<HHHHHIIIHH", 20, options.get("flags", 0x800), method, 0, 0x21, crc,
            len(packed), size, len(name), 0)
        at = len(before) + len(local)
        local += b"PK\3\4" + common + name + packed
        central += b"PK\1\2" + struct.pack("<H", 0x314) + common + struct.pack("<HHHII", 0, 0, 0,
            options.get("mode", 0o100644) << 16, at) + name
    count = len(entries) if count is None else count
    start = len(before) + len(local) if start is None else start
    return before + local + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, count, count, len(central),
        start, len(comment)) + comment


def zip64(archive, at=None, on_disk=1, total=1):
    """With the records of zip64 before the end, which is the last 22 bytes."""
    body, end = archive[:-22], archive[-22:]
    size, start = struct.unpack("<II", end[12:20])
    record = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, on_disk, total, size, start)
    locator = b"PK\6\7" + struct.pack("<IQI", 0, len(body) if at is None else at, 1)
    return body + record + locator + end[:8] + b"\xff" * 12 + end[20:]


def bundle():
    def one(name, content=b"text", **options):
        return (name, content, options)

    return {
        "good": zipped(one(b"a/b.txt"), one(b"a/", b"", mode=0o40755), one(b"a/c", bytes(70000), method=8)),
        "no-modes": zipped(one(b"a", mode=0), one(b"d/", b"", mode=0)),
        "empty": zipped(),
        "link": zipped(one(b"a", mode=0o120777)),
        "directory-file": zipped(one(b"a/", b"x", mode=0)),
        "file-directory": zipped(one(b"a", mode=0o40755)),
        "encrypted": zipped(one(b"a", flags=0x801)),
        "method": zipped(one(b"a", method=12)),
        "reserved": zipped(one(b"reserved/a")),
        "reserved-not": zipped(one(b"reserved.txt")),
        "twice": zipped(one(b"a"), one(b"a")),
        "both": zipped(one(b"a"), one(b"a/b")),
        "both-deep": zipped(one(b"a/b/c"), one(b"a/b")),
        "nameless": zipped(one(b"")),
        "absolute": zipped(one(b"/a")),
        "up": zipped(one(b"a/../b")),
        "two-slashes": zipped(one(b"a//b")),
        "name-long": zipped(one(b"n" * 300)),
        "path-long": zipped(one(b"n/" * 600 + b"x")),
        "deep": zipped(one(b"n/" * 33 + b"x")),
        "backslash": zipped(one(b"a\\b")),
        "no-utf8": zipped(one(b"\xff")),
        "control": zipped(one(b"a\nb")),
        "crc": zipped(one(b"a", crc=1)),
        "size-more": zipped(one(b"a", size=9)),
        "size-less": zipped(one(b"a", size=1)),
        "size-less-packed": zipped(one(b"a", bytes(500), method=8, size=100)),
        "size-more-packed": zipped(one(b"a", bytes(500), method=8, size=900)),
        "packed-broken": zipped(one(b"a", bytes(500), method=8, packed=b"\xff\xff\xff")),
        "ratio": zipped(one(b"a", bytes(1500000), method=8)),
        "much": zipped(one(b"a", method=8, size=5 << 20)),
        "ratio-together": zipped(*[one(b"f%d" % n, bytes(300000) + b"%d" % n, method=8) for n in range(10)]),
        "many": zipped(*[one(b"f%d" % n) for n in range(65)]),
        "many-good": zipped(*[one(b"d/f%d" % n) for n in range(63)]),
        "count": zipped(one(b"a"), count=9),
        "start": zipped(one(b"a"), start=1),
        "comment": zipped(one(b"a"), comment=b"c"),
        "zip64": zip64(zipped(one(b"a"))),
        "zip64-many": zip64(zipped(one(b"a")), total=1 << 40),
        "zip64-disk-many": zip64(zipped(one(b"a")), on_disk=99),
        "zip64-outside": zip64(zipped(one(b"a")), at=1 << 63),
        "zip64-behind": zip64(zipped(one(b"a")), at=1 << 20),
        "before": zipped(one(b"a"), before=b"#!"),
        "one-folder": zipped(one(b"d/", b"", mode=0o40755), one(b"d/a"), one(b"d/e/b")),
        "one-folder-unsaid": zipped(one(b"d/a"), one(b"d/b")),
        "one-folder-longer": zipped(one(b"d/a"), one(b"dd/b")),
        "one-folder-file": zipped(one(b"d")),
        "spoils-second": zipped(one(b"a/b/c"), one(b"x", crc=1)),
        "local-gone": zipped(one(b"a"))[4:],
        "cut": zipped(one(b"a"))[:-5],
    }


# ---- evidence, for what is missing beside it ----

# sevsnp.proto: where each field of the report lies, and its length; numbers are little-endian.
REPORT_NUMBERS = {1: (0, 4), 2: (4, 4), 3: (8, 8), 6: (0x30, 4), 7: (0x34, 4), 8: (0x38, 8), 9: (0x40, 8),
    10: (0x48, 4), 18: (0x180, 8), 20: (0x1e0, 8), 27: (0x1f0, 8)}
REPORT_BYTES = {4: (0x10, 16), 5: (0x20, 16), 11: (0x50, 64), 12: (0x90, 48), 13: (0xc0, 32), 14: (0xe0,
    48), 15: (0x110, 48), 16: (0x140, 32), 17: (0x160, 32), 19: (
    0x1a0, 64), 28: (0x2a0, 512)}
VCEK, VLEK, ASK, ARK = (bytes.fromhex(text) for text in ("63da758de6644564adc5f4b93be8accd",
    "a8074bc2a25a483eaae639c045a0b8a1", "4ab7b379bbac4fe4a02f05aef327c782",
                                                         "c0b406a4a803495297434fb6014cd0ae"))


def sevsnp(raw, *chain):
    report = [(number, int.from_bytes(raw[at:at + size], "little")) for number, (at,
        size) in REPORT_NUMBERS.items()]
    report += [(number, raw[at:at + size]) for number, (at, size) in REPORT_BYTES.items()]
    return protobuf((1, protobuf(*report)), *([(2, protobuf(*chain))] if chain else []))


def table(*entries):
    at, rows, rest = 24 * (len(entries) + 1), b"", b""
    for guid, content in entries:
        rows += guid + struct.pack("<II", at + len(rest), len(content))
        rest += content
    return rows + bytes(24) + rest


def endorse_need():
    certificates = table((VCEK, b"vcek"), (VLEK, b"vlek"), (ASK, b"ask"), (ARK, b"ark"))
    vlek_report = SNP[:0x48] + struct.pack("<I", 4) + SNP[0x4c:]
    chain = [(1, b"vcek"), (2, b"ask"), (3, b"ark")]
    return {
        "table": b"\0" + SNP + certificates,
        "table-vlek": b"\0" + vlek_report + certificates,
        "table-none": b"\0" + SNP,
        "protobuf-chain": b"\0" + sevsnp(SNP, *chain),
        "protobuf-vlek": b"\0" + sevsnp(vlek_report, (6, b"vlek"), (2, b"ask")),
        "protobuf-bare": b"\0" + sevsnp(SNP),
        "protobuf-broken": b"\0\x0a\x05a",
        "in-tpm": b"\3" + TPM + protobuf((8, sevsnp(SNP, *chain))),
        "tdx-vtpm": b"\4" + TPM,
        "azure-tdx": b"\x84" + saved("hcl_report/azure-tdx"),
        "quote": b"\1" + saved("tdx_quote/v4"),
    }


# ---- the keeper, the jail ----

def strings(*texts):
    return struct.pack(">I", len(texts)) + b"".join(text + b"\0" for text in texts)


CHECK, BOOT, CONFIG, MANIFEST, LOG, IDENTITY, RUN, CHANNEL, NONCE, IMA, ENDORSEMENT, ACTIVATE, JOURNAL_KEY, \
    JOURNAL_SIGN, RECEIPT = range(1, 16)
TEE, TDX, RTMR, FIXED, OLD, BROKEN, DEVELOPMENT, DEVICES = (1 << n for n in range(8))


def keeper():
    zeros, ones = bytes(80), b"\1" * 80
    run = statement(_5={})
    start = [(CHECK, b"\0"), (IDENTITY, SPKI), (BOOT, zeros), (CONFIG, zeros), (MANIFEST, zeros)]
    evidence = [(RUN, run), (CHANNEL, b"\1" + bytes(32)), (CHANNEL, b"\2" + bytes(32)), (NONCE, b"\0\x40"
        + bytes(64) + b"\0"),
                (NONCE, b"\1\0\x20" + bytes(32)), (NONCE, b"\2\x40" + bytes(64) + b"\x20" + bytes(32)),
                    (NONCE, b"\3\x40" + bytes(64) + b"\0")]
    tpm = [(IMA, b""), (ENDORSEMENT, b""), (ACTIVATE, b"\0\1a\0\1b"), (ACTIVATE, b"\0"), (LOG, b""), (LOG,
        b"x")]
    logs = [(0, saved(f"event_log/{name}")[1:]) for name in ("agile", "legacy", "cc")]

    def machine(bits, *rows):
        return bytes([bits]) + records(*rows)

    others = {f"run-{key}": statement(**{"_5": {}, key: value}) for key, value in (("_2", b"\1" * 32),
        ("_3", b"\1" * 32), ("_4", b"\1" * 32), ("_6", True), (
        "_7", b"other"), ("_10", []))}
    return {
        "snp": machine(TEE, *start, *evidence, *tpm, *logs),
        "tdx": machine(TEE | TDX, *start, *evidence, *tpm),
        "tdx-rtmr": machine(TEE | TDX | RTMR, *start, *evidence, *logs, (LOG, b"")),
        "nothing": machine(0, *start, *evidence, *tpm, *logs),
        "fixed": machine(TEE | FIXED, (IDENTITY, SPKI), (BOOT, ones), (CONFIG, ones), (MANIFEST, ones), (RUN,
            statement(_2=b"\1" * 32, _3=b"\1" * 32, _4=b"\1" * 32, _5={}, _6=True))),
        "fixed-other": machine(TEE | FIXED, *start),
        "fixed-tdx": machine(TEE | TDX | FIXED, (IDENTITY, SPKI), (BOOT, ones)),
        "fixed-tdx-other": machine(TEE | TDX | FIXED, *start),
        "old": machine(TEE | TDX | OLD, *start, *evidence),
        "broken": machine(TEE | BROKEN, *start, *evidence),
        "broken-tdx": machine(TEE | TDX | RTMR | BROKEN, *start, *evidence),
        "development": machine(TEE | DEVELOPMENT, *start, *evidence),
        "devices": machine(DEVICES, *start, *evidence),
        "devices-promised": machine(DEVICES | TDX, *start, *evidence),
        "again": machine(TEE | TDX | RTMR, *start, (BOOT, ones), (BOOT, ones), *logs),
        "channel-3": machine(TEE, *start, *evidence, (CHANNEL, b"\3" + bytes(32))),
        "channel-late": machine(TEE, *start, *evidence[:1], (CHANNEL, b"")),
        "run-broken-tee": machine(TEE | TDX | BROKEN, *start, *evidence),
        "not-booted": machine(TEE, start[1], *evidence),
        "external": machine(TEE, *start, (RUN, statement(_5={}, _7=b"other", _8=True)), *evidence, (CONFIG,
            zeros), (CHANNEL, b"\1" + bytes(32))),
        "identity-long": machine(TEE, *start, (RUN, statement(_5={}, _7=bytes(3000), _8=True))),
        "identity-none": machine(TEE, (IDENTITY, b""), (IDENTITY, b"x"), (IDENTITY, bytes(3000)), *start),
        "no-identity": machine(TEE, *start[2:], *evidence),
        "many": machine(TEE, *start, *[(CONFIG, zeros)] * 20),
        "many-logs": machine(TEE | TDX, *start, *logs),
        "journal": machine(0, *start, (JOURNAL_KEY, b""), (RUN, run), (JOURNAL_SIGN, bytes(33)), (JOURNAL_SIGN,
            bytes(65)), (RECEIPT, b"\xa0"), (JOURNAL_SIGN, b"\1" + bytes(32)), (RECEIPT, b"\xa0"), (JOURNAL_SIGN,
            bytes(33)), (CONFIG, zeros), (JOURNAL_SIGN, bytes(33))),
        "journal-early": machine(TEE, *start, (JOURNAL_KEY, b""), (JOURNAL_SIGN, bytes(33)), (RECEIPT, b"\xa0"), (RUN, run),
            (JOURNAL_SIGN, bytes(33)), (RECEIPT, b"\xa0")),
        "journal-none": machine(TEE, *start, (RUN, run), (JOURNAL_SIGN, bytes(33)), (RECEIPT, b"\xa0")),
        "journal-wrong": machine(0, (JOURNAL_KEY, b""), *start, (JOURNAL_KEY, b"x"), (JOURNAL_KEY, b""), (
            JOURNAL_KEY, b""), *[(JOURNAL_SIGN, content) for content in (b"", b"\0", b"\2" + bytes(32), bytes(34),
            bytes(1 + 1025 * 32))], (RECEIPT, b""), *[(RECEIPT, b"x")] * 17),
        "journal-late": machine(TEE, *start, (RUN, run), (JOURNAL_KEY, b"")),
        "short": machine(TEE, *[(kind, b"x") for kind in range(1, 17)]),
        "long": machine(TEE, *[(kind, bytes(200)) for kind in range(1, 16)]),
        **{name: machine(TEE | (DEVELOPMENT if name == "run-_10" else 0), *start, (RUN, other)) for name,
            other in others.items()},
        "run-broken": machine(TEE, *start, (RUN, b"\xa1")),
        "check-without-vmpl": machine(DEVELOPMENT, (CHECK, b""), (CHECK, b"\4"), (CHECK, b"\0\0")),
    }


def jail_spec():
    def spec(argv=(b"/bin/true",), env=(b"A=1",), mounts=(), access=0, image=0, rest=b""):
        return (strings(*argv) + strings(*env) + bytes([len(mounts)]) + b"".join(a + b"\0" + b
            + bytes([0, access, 1]) for a, b in mounts)
                + bytes([1, 1, image]) + bytes(range(8)) + b"/task\0" + bytes(range(64)) + rest)

    return {
        "mounts": spec(mounts=[(b"/data", b"/task/datasets"), (b"/venv", b"/venv")]),
        "layers": spec(mounts=[(b"/data", b"/task/datasets"), (b"/cache", b"/home/.cache")], access=2),
        "access-unknown": spec(mounts=[(b"/data", b"/task/datasets")], access=3),
        "wasm": spec(mounts=[(b"/data", b"/wasm/x")]),
        "image": spec(argv=(b"true", ), mounts=[(b"/a/usr", b"/usr"), (b"/d", b"/cocos/datasets")], image=1),
        **{f"image-{n}": spec(mounts=[(b"/a", place)], image=1) for n, place in enumerate((b"/dev", b"/", b"/.",
            b"/a/b", b"/venv"))},
        "relative": spec(argv=(b"true", )),
        "no-argv": spec(argv=()),
        "mount-up": spec(mounts=[(b"/", b"/task/..")]),
        "mount-results": spec(mounts=[(b"/x", b"/task/results")]),
        "mount-usr": spec(mounts=[(b"/x", b"/usr")]),
        "mount-relative": spec(mounts=[(b"x", b"/task/a")]),
        "rest": spec(rest=b"x"),
        "ends-early": spec()[:-1],
        "many": spec(argv=(b"/x", ) + (b"a", ) * 5000),
        "mounts-many": spec(mounts=[(b"/a", b"/task/b")] * 200),
        "unended": strings(b"/x")[:-1],
    }


def bootdisk():
    """The host's boot disk: 1 in front has its digest made by the target."""
    def entry(name, content=b"", length=None):
        return bytes([len(name)]) + name + u32(len(content) if length is None else length) + content

    def disk(*entries, fits=1, magic=b"cocos-boot-disk\0", version=1, length=None, count=None, behind=b""):
        body = b"".join(entries)
        return bytes([fits]) + magic + u32(version) + u32(len(body) if length is None else length) + \
            u32(len(entries) if count is None else count) + bytes(32) + body + behind

    environment, key = entry(b"environment", b"AGENT_CVM_ID=1\n"), entry(b"key.pem", b"key")
    return {
        "none": disk(),
        "all": disk(environment, entry(b"cert.pem", b"c"), key, entry(b"ca.pem")),
        "some": disk(environment, key),
        "unsealed": disk(environment, fits=0),
        "empty": b"\1",
        "magic": disk(environment, magic=b"cocos-boot-disk2"),
        "version": disk(environment, version=2),
        "length": disk(environment, length=266240),
        "length-less": disk(environment, length=20),
        "length-name": disk(environment, length=3),
        "length-more": disk(environment, length=200),
        "count": disk(environment, count=5),
        "count-more": disk(environment, count=2),
        "name": disk(entry(b"../environment")),
        "name-control": disk(entry(b"\033[2J\n")),
        "twice": disk(key, key),
        "order": disk(key, environment),
        "file": disk(entry(b"key.pem", b"k", 65537)),
        "file-short": disk(entry(b"key.pem", b"k", 2)),
        "behind": disk(environment, behind=b"\0x"),
    }


TARGETS = [bootdisk, bundle, endorse_need, keeper, jail_spec]
