#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of scripts/lib/house.py find what they are for, in a small house of our own; and scripts answer --help."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
import tap  # noqa: E402

HOUSE = os.path.join(os.path.dirname(__file__), "../../scripts/lib/house.py")
HEAD = '#include "attestation/verify/verify.h"\n\nint f(struct verdict *v, struct err *e)\n{\n'


def answers(body, head=HEAD):
    """What the rule about answers says of one function with that body."""
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(os.path.join(root, "cli"))
        with open(os.path.join(root, "cli", "f.c"), "w", encoding="utf-8") as file:
            file.write(head + body + "}\n")
        return subprocess.run([sys.executable, HOUSE, "answers", root], capture_output=True, text=True,
                              check=False)


def who_takes_a_return_value_for_the_answer_is_found():
    for call in ("verify(&in, v, NULL, e)", "snp_appraise(&in, NULL, v)", "tpm_appraise(&in, NULL, v)",
                 "tdx_appraise(&in, NULL, v)"):
        found = answers(f"\treturn {call};\n")
        assert found.returncode == 1 and "f() in cli/f.c calls " + call.split("(")[0] in found.stdout, found


def who_asks_is_not():
    asked = "\tif (verify(&in, v, NULL, e) < 0)\n\t\treturn err_code(e);\n\treturn verdict_ok(v) ? 0 : 1;\n"
    assert answers(asked).returncode == 0


def another_verify_is_none_of_it():
    own = "static int verify(int a)\n{\n\treturn a;\n}\n\nint f(void)\n{\n"
    assert answers("\treturn verify(1);\n", own).returncode == 0
    assert answers("\t/* verify() does not know */\n\treturn 0;\n").returncode == 0


def the_tree_itself_keeps_the_rule():
    root = os.path.join(os.path.dirname(__file__), "../..")
    found = subprocess.run([sys.executable, HOUSE, "answers", root], capture_output=True, text=True,
                           check=False)
    assert found.returncode == 0, found.stdout


def each_script_answers_help():
    folder = os.path.join(os.path.dirname(__file__), "../../scripts")
    scripts = sorted(name for name in os.listdir(folder) if os.path.isfile(os.path.join(folder, name)))
    assert {"demo", "package", "test"} <= set(scripts), scripts
    for name in scripts:
        done = subprocess.run([os.path.join(folder, name), "--help"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0 and len(done.stdout.split()) > 10 and not done.stderr, (name, done)


tap.run([who_takes_a_return_value_for_the_answer_is_found, who_asks_is_not, another_verify_is_none_of_it,
         the_tree_itself_keeps_the_rule, each_script_answers_help])
