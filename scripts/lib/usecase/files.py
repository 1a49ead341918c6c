# SPDX-License-Identifier: Apache-2.0
"""What the makers of synthetic data have in common: the same bytes each time, whoever makes them."""
import os
import struct
import zipfile
import zlib

DATE = (2020, 1, 1, 0, 0, 0)


def write_zip(path, entries, packed=True):
    """`entries` are (name, bytes)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as out:
        for name, content in entries:
            entry = zipfile.ZipInfo(name, DATE)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = out.compression
            out.writestr(entry, content)


def png(width, rows):
    """An 8-bit grey picture of `rows`, each of `width` bytes (PNG, ISO/IEC 15948)."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + \
            struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, len(rows), 8, 0, 0, 0, 0)
    lines = b"".join(b"\0" + bytes(row) for row in rows)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + \
        chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def write_lines(path, lines):
    with open(path, "w", encoding="ascii", newline="\n") as file:
        file.writelines(line + "\n" for line in lines)


def folder_of(arguments, what):
    """The one argument of a maker: the folder that it fills."""
    if len(arguments) != 2 or not os.path.isdir(arguments[1]):
        raise SystemExit(f"{what}: wanted one folder to write into")
    return arguments[1]
