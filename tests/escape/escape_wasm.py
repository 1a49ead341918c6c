# SPDX-License-Identifier: Apache-2.0
"""Modules of WebAssembly, run where its runtime is; elsewhere they are refused by the manifest, which wasm.py tests."""
import wasm_bytes as wb
from rows import program

for name, says, content, ends in (
        ("a folder above those that were opened", "path_open of ../../etc/passwd.",
         wb.opens("../../etc/passwd", 4), "exit code 63"),
        ("a socket of the runtime's own", "Imports sock_open, which is not WASI preview 1.",
         wb.module(b"", imports=[wb.SOCK_OPEN]), "not WASI preview 1"),
        ("a function of the machine's", "Imports system of env.",
         wb.module(b"", imports=[("env", "system", (wb.I32,), (wb.I32,))]), "not WASI preview 1"),
        ("a memory of 4 GiB", "Begins with more memory than the run has.",
         wb.module(b"", pages=65536), "memory begins larger"),
        ("a start before the start", "Writes out of bounds in its start section.",
         wb.module(b"", functions=[wb.i32(-8) + wb.LOAD + wb.DROP], start=1), "out of bounds"),
        ("four billion locals", "A function that declares 2^32-1 of them.",
         wb.HEADER + wb.section(1, b"\1\x60\0\0") + wb.section(3, b"\1\0") + wb.section(5, b"\1\0\1") +
         wb.section(7, wb.vector([wb.name("memory") + b"\2\0", wb.name("_start") + b"\0\0"])) +
         wb.section(10, b"\1" + wb.leb(9) + b"\1" + wb.leb(0xffffffff) + b"\x7e\x01\x0b"), "malformed"),
        ("compiled code in a module", "A section in which the runtime would look for machine code.",
         wb.module(b"", custom=[("wasmedge", b"\2\0\0\0" + b"\xcc" * 512)]), "")):
    program("wasm", name, says, "wasm", content, ends)
