# SPDX-License-Identifier: Apache-2.0
"""Algorithms that are programs, or modules of WebAssembly."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "integration"))
import wasm_bytes as wb  # noqa: E402

LOAD, INTERP = 1, 3


def elf(*segments, kind=3, machine=62, size=56, count=None, at=64, behind=b""):
    """A header (of 64 bits), and the program headers: (type, offset, length)."""
    return b"\x7fELF\2\1\1".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", kind, machine, 1, 0, at, 0, 0, 64, size, len(segments) if count is None else count, 0, 0, 0) + \
        b"".join(struct.pack("<IIQQQQQQ", what, 5, offset, 0, 0, length, length, 1) for what, offset, length in segments) + behind


def interpreted(path, length=None):
    return elf((LOAD, 0, 64), (INTERP, 64 + 112, len(path) if length is None else length), behind=path)


def program():
    return {
        "static": elf((LOAD, 0, 64)), "fixed": elf((LOAD, 0, 64), kind=2), "object": elf((LOAD, 0, 64), kind=1),
        "core": elf((LOAD, 0, 64), kind=4), "machine": elf((LOAD, 0, 64), machine=183), "machine-unknown": elf(machine=999),
        "bits": elf((LOAD, 0, 64), size=32), "headers-none": elf(count=0), "headers-many": elf(count=1171),
        "headers-cut": elf(count=2), "headers-far": elf((LOAD, 0, 64), at=2**64 - 1),
        "interpreter": interpreted(b"/usr/bin/env\0"), "interpreter-none": interpreted(b"/lib/none\0"),
        "interpreter-open": interpreted(b"/usr/bin/env"), "interpreter-empty": interpreted(b"\0\0"),
        "interpreter-short": interpreted(b"\0"), "interpreter-long": interpreted(b"/x\0", 4097),
        "interpreter-cut": interpreted(b"/usr/bin/env", 13), "interpreter-inside": interpreted(b"/home/.cache/ld.so\0"),
        "script": b"#!/usr/bin/env python3\n", "script-blanks": b"#! \t/usr/bin/env -S x\n", "script-none": b"#!/none\n",
        "script-lf": b"#!/usr/bin/env\r\nx\r\n", "script-empty": b"#!\n", "script-word": b"#!python3\n",
        "script-relative": b"#!datasets/x\n", "script-folder": b"#!/usr\n", "script-long": b"#!" + b"/" * 300,
        "script-file": b"#!/usr/bin/env/x\n", "empty": b"", "text": b"import os\n",
    }


def wasm_form():
    names = wb.section(2, wb.vector([wb.name(wb.WASI) + wb.name("fd_write") + b"\0\0", wb.name("env") + wb.name("f") + b"\2\0\1"]))
    return {
        "says": wb.says("x"), "cut": wb.says("x")[:-1], "custom": wb.module(b"", custom=[("name", b"\0\1")]),
        "component": b"\0asm\x0d\0\1\0", "version": b"\0asm\2\0\0\0", "none": b"\0as", "text": b" \t\r\n(module)",
        "comment": b";; x", "header": wb.HEADER, "memory-only": wb.module(b"", exports=("memory",)),
        "start-only": wb.module(b"", exports=("_start",)), "socket": wb.module(b"", imports=[wb.SOCK_OPEN]),
        "import-memory": wb.HEADER + names, "import-cut": wb.HEADER + wb.section(2, b"\2\0"),
        "import-more": wb.HEADER + wb.section(2, b"\0\0"), "export-cut": wb.HEADER + wb.section(7, b"\2\0"),
        "export-more": wb.HEADER + wb.section(7, b"\0\0"), "twice": wb.HEADER + wb.section(7, b"\0") * 2,
        "long": wb.HEADER + b"\7\xff\xff\xff\xff\x1f", "padded": wb.HEADER + b"\7\x81\x80\x80\x80\0\0",
        "unknown": wb.exits(0) + wb.section(13, b"\0") + wb.section(99, b"x") * 2,
    }


TARGETS = [program, wasm_form]
