# SPDX-License-Identifier: Apache-2.0
"""A program and the wheels that it needs, as one algorithm (docs/sandbox.md).

    with_wheels.py PROGRAM WHEELS ZIP
"""
import os
import sys

import files


def read(path):
    with open(path, "rb") as file:
        return file.read()


def make(program, wheels, out):
    names = sorted(name for name in os.listdir(wheels) if name.endswith(".whl"))
    if not names:
        raise SystemExit(f"with_wheels: no *.whl in '{wheels}'")
    files.write_zip(out, [("main.py", read(program))] + [
        (f"wheels/{name}", read(os.path.join(wheels, name))) for name in names], packed=False)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit("with_wheels: wanted a program, a folder of wheels, and a zip to make")
    make(*sys.argv[1:])
