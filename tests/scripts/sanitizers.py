#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The build with sanitizers ends at the first mistake of each kind, and so fails.

Argument: the program `planted`, made in that build.
"""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "integration"))
import tap  # noqa: E402

UNDEFINED = "runtime error: "
MISTAKES = {
    "signed-overflow": UNDEFINED + "signed integer overflow",
    "wide-shift": UNDEFINED + "shift exponent",
    "index-beyond": UNDEFINED + "index 2 out of bounds",
    "null-argument": UNDEFINED + "null pointer passed",
    "misaligned": UNDEFINED + "load of misaligned address",
    "heap-overflow": "AddressSanitizer: heap-buffer-overflow",
    "use-after-free": "AddressSanitizer: heap-use-after-free",
    "double-free": "AddressSanitizer: attempting double-free",
    "leak": "LeakSanitizer: detected memory leaks",
}


def planted(name):
    # Without what tells where reports go: here they are read from standard error.
    environment = {k: v for k, v in os.environ.items() if not k.endswith("SAN_OPTIONS")}
    done = subprocess.run([sys.argv[1], name], capture_output=True, text=True, timeout=120,
                          check=False, env=environment)
    return done.returncode, done.stderr


def a_program_without_a_mistake_ends_well():
    assert planted("none") == (0, ""), planted("none")


def row(name, words):
    def test():
        status, said = planted(name)
        assert status not in (0, 2), (name, status, said)
        assert words in said, (name, said)
    test.__name__ = "ended_by_" + name.replace("-", "_")
    return test


tap.run([a_program_without_a_mistake_ends_well] + [row(*item) for item in MISTAKES.items()])
