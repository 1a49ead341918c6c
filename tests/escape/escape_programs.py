# SPDX-License-Identifier: Apache-2.0
"""Files that are no programs, or begin as others do."""
from rows import program

REFUSED = "Algo: program: "  # when it came

for name, says, content, ends, data in (
        ("an empty program", "Nothing at all.", b"", REFUSED + "an empty file", ()),
        ("the beginning of a program", "The first bytes of an ELF file.", b"\x7fELF\2\1\1", REFUSED + "an ELF file", ()),
        ("a program for another machine", "An ELF header of another architecture.",
         b"\x7fELF\2\1\1" + bytes(9) + b"\2\0\xb7\0" + bytes(200), REFUSED + "an ELF file for aarch64", ()),
        ("an interpreter that is not there", "#! leads to a path that the sandbox has not.", b"#!/opt/none\n",
         REFUSED + "its interpreter", ()),
        ("a program cut behind its header", "Program headers that lie beyond the file's end.",
         b"\x7fELF\2\1\1" + bytes(9) + b"\2\0\x3e\0" + bytes(12) + b"\xff" * 7 + b"\x7f" + bytes(14) + b"\x38\0\1\0" + bytes(6),
         REFUSED + "an ELF file that is cut off", ()),
        ("a script that is its own interpreter", "#! leads back to the script.", b"#!/task/algorithm\n", "cannot execute", ()),
        ("a dataset as the interpreter", "#! leads to a dataset.", b"#!/task/datasets/run\n", "cannot execute",
         (("run", b"#!/usr/bin/python3\n"),)),
        ("an interpreter of the machine's", "#! leads out of the sandbox.", b"#!/proc/1/exe\n", "cannot execute", ())):
    program("programs", name, says, "bin", content, ends, data)
