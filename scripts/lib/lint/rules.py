#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules of the house about single files, from the project's root: prints every breach.

- no file of the product over 500 lines, no function over 60;
- a C file begins with its licence;
- a .c file without a header of its own says in its first lines what it is;
- a unit test lies in its module's room: tests/unit/ROOM/test_MODULE[_ASPECT].c;
- no merge was left half-done.
"""
import glob
import os
import re
import sys

FLOORS = ("common", "attestation", "agent", "manager", "computations", "cli", "guest")
FUNCTION_MAX, FILE_MAX = 60, 500


def lines(path):
    with open(path, encoding="utf-8") as file:
        return file.read().split("\n")


def functions(path):
    """(first line, count of lines between its braces) of each function."""
    start = None
    for number, line in enumerate(lines(path), 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            yield start, number - start - 1
            start = None


def licence_is_missing(path):
    return "SPDX-License-Identifier: Apache-2.0" not in lines(path)[0]


def head_is_missing(path):
    if os.path.exists(path[:-2] + ".h"):
        return False
    return not any(line.startswith("/*") for line in lines(path)[1:3])


def module_is_missing(test):
    room = os.path.dirname(test)[len("tests/unit/"):]
    name = os.path.basename(test)[len("test_"):-2]
    stems = {os.path.splitext(os.path.basename(p))[0] for p in glob.glob(f"{room}/*.[ch]")}
    return not any(name == s or name.startswith(s + "_") or s.startswith(name + "_") for s in stems)


TEXTS = ("c", "h", "def", "py", "sh", "md", "proto", "build")
CONFLICT = re.compile(r"(<{7}|>{7}|\|{7})( |$)")


def half_merged(path):
    return (number for number, line in enumerate(lines(path), 1) if CONFLICT.match(line))


def main():
    found = []
    for ending in TEXTS:
        for path in sorted(glob.glob(f"*.{ending}") + glob.glob(f"[a-z]*/**/*.{ending}", recursive=True)):
            if not path.startswith("build"):
                found += [f"a merge that was left half-done: {path}:{n}" for n in half_merged(path)]
    for part in (*FLOORS, "tests", "examples"):
        found += [f"licence line missing: {path}" for path in sorted(glob.glob(f"{part}/**/*.[ch]", recursive=True))
                  if licence_is_missing(path)]
    for floor in FLOORS:
        for path in sorted(glob.glob(f"{floor}/**/*.[ch]", recursive=True)):
            count = len(lines(path)) - 1  # what follows the last line's end is none
            if count > FILE_MAX:
                found.append(f"file of {count} lines, at most {FILE_MAX}: {path}")
        for path in sorted(glob.glob(f"{floor}/**/*.c", recursive=True)):
            found += [f"function of {count} lines, at most {FUNCTION_MAX}: {path}:{start}"
                      for start, count in functions(path) if count > FUNCTION_MAX]
            if head_is_missing(path):
                found.append(f"nothing says what it is: {path}")
    for path in sorted(glob.glob("tests/unit/**/test_*.c", recursive=True)):
        if module_is_missing(path):
            found.append(f"test of no module in its room: {path}")
    print("".join(line + "\n" for line in found), end="")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
