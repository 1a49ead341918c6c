# SPDX-License-Identifier: Apache-2.0
"""Packets and archives of the agent."""
import struct
import zlib


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
        common = struct.pack("<HHHHHIIIHH", 20, options.get("flags", 0x800), method, 0, 0x21, crc, len(packed), size, len(name), 0)
        at = len(before) + len(local)
        local += b"PK\3\4" + common + name + packed
        central += b"PK\1\2" + struct.pack("<H", 0x314) + common + struct.pack("<HHHII", 0, 0, 0, options.get("mode", 0o100644) << 16, at) + name
    count = len(entries) if count is None else count
    start = len(before) + len(local) if start is None else start
    return before + local + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, count, count, len(central), start, len(comment)) + comment


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
        "good": zipped(one(b"a/b.txt"), one(b"a/", b"", mode=0o40755), one(b"a/c", bytes(70000), method=8)), "no-modes": zipped(one(b"a", mode=0), one(b"d/", b"", mode=0)),
        "empty": zipped(), "link": zipped(one(b"a", mode=0o120777)), "directory-file": zipped(one(b"a/", b"x", mode=0)), "file-directory": zipped(one(b"a", mode=0o40755)),
        "encrypted": zipped(one(b"a", flags=0x801)), "method": zipped(one(b"a", method=12)), "reserved": zipped(one(b"reserved/a")), "reserved-not": zipped(one(b"reserved.txt")),
        "twice": zipped(one(b"a"), one(b"a")), "both": zipped(one(b"a"), one(b"a/b")), "both-deep": zipped(one(b"a/b/c"), one(b"a/b")), "nameless": zipped(one(b"")), "absolute": zipped(one(b"/a")),
        "up": zipped(one(b"a/../b")), "two-slashes": zipped(one(b"a//b")), "name-long": zipped(one(b"n" * 300)), "path-long": zipped(one(b"n/" * 600 + b"x")), "deep": zipped(one(b"n/" * 33 + b"x")),
        "backslash": zipped(one(b"a\\b")), "no-utf8": zipped(one(b"\xff")), "control": zipped(one(b"a\nb")), "crc": zipped(one(b"a", crc=1)), "size-more": zipped(one(b"a", size=9)),
        "size-less": zipped(one(b"a", size=1)), "size-less-packed": zipped(one(b"a", bytes(500), method=8, size=100)), "size-more-packed": zipped(one(b"a", bytes(500), method=8, size=900)),
        "packed-broken": zipped(one(b"a", bytes(500), method=8, packed=b"\xff\xff\xff")), "ratio": zipped(one(b"a", bytes(1500000), method=8)), "much": zipped(one(b"a", method=8, size=5 << 20)),
        "ratio-together": zipped(*[one(b"f%d" % n, bytes(300000) + b"%d" % n, method=8) for n in range(10)]), "many": zipped(*[one(b"f%d" % n) for n in range(65)]), "many-good": zipped(
            *[one(b"d/f%d" % n) for n in range(63)]), "count": zipped(one(b"a"), count=9), "start": zipped(one(b"a"), start=1), "comment": zipped(one(b"a"), comment=b"c"),
        "zip64": zip64(zipped(one(b"a"))), "zip64-many": zip64(zipped(one(b"a")), total=1 << 40), "zip64-disk-many": zip64(zipped(one(b"a")), on_disk=99),
        "zip64-outside": zip64(zipped(one(b"a")), at=1 << 63), "zip64-behind": zip64(zipped(one(b"a")), at=1 << 20),
        "before": zipped(one(b"a"), before=b"#!"), "spoils-second": zipped(one(b"a/b/c"), one(b"x", crc=1)), "local-gone": zipped(one(b"a"))[4:], "cut": zipped(one(b"a"))[:-5],
    }


# ---- the keeper, the jail ----

def strings(*texts):
    return struct.pack(">I", len(texts)) + b"".join(text + b"\0" for text in texts)


def jail_spec():
    def spec(argv=(b"/bin/true",), env=(b"A=1",), mounts=(), rest=b""):
        return (strings(*argv) + strings(*env) + bytes([len(mounts)]) + b"".join(a + b"\0" + b + b"\0\1\0" for a, b in mounts)
                + b"\1\1" + bytes(range(56)) + rest)

    return {
        "mounts": spec(mounts=[(b"/data", b"/task/datasets"), (b"/venv", b"/venv")]), "relative": spec(argv=(b"true",)), "no-argv": spec(argv=()), "mount-up": spec(mounts=[(b"/", b"/task/..")]),
        "mount-results": spec(mounts=[(b"/x", b"/task/results")]), "mount-usr": spec(mounts=[(b"/x", b"/usr")]), "mount-relative": spec(mounts=[(b"x", b"/task/a")]), "rest": spec(rest=b"x"),
        "many": spec(argv=(b"/x",) + (b"a",) * 5000), "mounts-many": spec(mounts=[(b"/a", b"/task/b")] * 200), "unended": strings(b"/x")[:-1],
    }


TARGETS = [bundle, jail_spec]
