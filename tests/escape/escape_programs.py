# SPDX-License-Identifier: Apache-2.0
"""Files that are no programs, or begin as others do."""
from rows import program

for name, says, content, data in (
        ("an empty program", "Nothing at all.", b"", ()),
        ("the beginning of a program", "The first bytes of an ELF file.", b"\x7fELF\2\1\1", ()),
        ("a program for another machine", "An ELF header of another architecture.",
         b"\x7fELF\2\1\1" + bytes(9) + b"\2\0\xb7\0" + bytes(200), ()),
        ("a script that is its own interpreter", "#! leads back to the script.", b"#!/task/algorithm\n", ()),
        ("a dataset as the interpreter", "#! leads to a dataset.", b"#!/task/datasets/run\n",
         (("run", b"#!/usr/bin/python3\n"),)),
        ("an interpreter of the machine's", "#! leads out of the sandbox.", b"#!/proc/1/exe\n", ())):
    program("programs", name, says, "bin", content, "cannot execute", data)
