# SPDX-License-Identifier: Apache-2.0
"""The rules of the house, each broken once in a copy of the tree: lint names the breach and fails."""
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

import tap  # noqa: E402

PARTS = ("common", "attestation", "agent", "manager", "computations", "cli", "guest", "scripts",
         "examples", "docs", "proto")
LICENCE = "/* SPDX-License-Identifier: Apache-2.0 */\n"
HEAD = LICENCE + "/* planted.c — a breach. */\n"


class Copy:
    """The parts that lint reads, for all tests; what one of them plants goes when it ends."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="cocos-lint-")
        for part in (*PARTS, "tests/unit"):
            shutil.copytree(os.path.join(ROOT, part), self.path(part))

    def path(self, name):
        return os.path.join(self.folder.name, name)

    @contextlib.contextmanager
    def planted(self, *plants):
        """Files of which the tree has none."""
        with contextlib.ExitStack() as stack:
            for name, text in plants:
                folder = self.path(os.path.dirname(name))
                if not os.path.exists(folder):
                    os.mkdir(folder)
                    stack.callback(os.rmdir, folder)
                with open(self.path(name), "x", encoding="utf-8") as file:
                    stack.callback(os.remove, self.path(name))
                    file.write(text)
            yield

    def lint(self):
        done = subprocess.run([self.path("scripts/lint.sh"), "--no-format"], capture_output=True,
                              text=True, check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        return done.returncode, done.stdout + done.stderr


COPY = Copy()


def breach(says, *plants):
    """One breach alone in the tree; nothing else may be found."""
    with COPY.planted(*plants):
        status, output = COPY.lint()
    assert status == 1, (status, output)
    assert says in output, output
    return output


def the_tree_as_it_is_has_no_breach():
    status, output = COPY.lint()
    assert (status, output) == (0, "lint: ok\n"), output


def an_arrow_to_another_floor_is_found():
    breach("common/base may not stand on attestation/formats",
           ("common/base/planted.c", HEAD + '#include "attestation/formats/x509.h"\n'))


def policy_code_in_the_agent_is_found():
    output = breach("forbidden: agent reaches attestation/policy: agent/core/planted includes attestation/policy/policy",
                    ("agent/core/planted.c", HEAD + '#include "attestation/policy/policy.h"\n'))
    assert output.count("forbidden: ") == 1, output
    # Not through another room, either: that arrow alone would be no breach.
    breach("forbidden: agent reaches attestation/verify",
           ("attestation/channel/planted.h", LICENCE + "/* planted.h — a breach. */\n"
            '#pragma once\n#include "attestation/verify/verify.h"\n'),
           ("agent/core/planted.c", HEAD + '#include "attestation/channel/planted.h"\n'))


def device_code_in_the_client_is_found():
    breach("forbidden: cli reaches attestation/provider",
           ("cli/cmd/planted.c", HEAD + '#include "attestation/provider/provider.h"\n'))


def an_arrow_back_up_between_rooms_is_found():
    breach("attestation/formats may not stand on attestation/verify",
           ("attestation/formats/planted.c", HEAD + '#include "attestation/verify/verify.h"\n'))


def a_room_that_no_table_has_is_found():
    breach("attestation/annex may not stand on attestation/formats",
           ("attestation/annex/planted.c", HEAD + '#include "attestation/formats/x509.h"\n'))


def a_circle_of_three_is_found():
    ring = ("one", "two", "three")
    breach("circle of 3 modules", *((f"common/base/planted_{here}.h",
                                     LICENCE + f'#include "common/base/planted_{there}.h"\n')
                                    for here, there in zip(ring, ring[1:] + ring[:1])))


def a_function_of_61_lines_is_found_and_one_of_60_is_not():
    def function(count):
        return HEAD + "void planted(void)\n{\n" + "\tplanted();\n" * count + "}\n"

    breach("function of 61 lines", ("common/base/planted.c", function(61)))
    with COPY.planted(("common/base/planted.c", function(60))):
        assert COPY.lint() == (0, "lint: ok\n")


def a_file_of_501_lines_is_found_and_one_of_500_is_not():
    def header(count):
        return ("common/base/planted.h", LICENCE + "/* planted.h — a breach. */\n#pragma once\n" + "\n" * (count - 3))

    breach("file of 501 lines, at most 500: common/base/planted.h", header(501))
    with COPY.planted(header(500)):
        status, output = COPY.lint()
    assert status == 0, output


def a_file_that_says_nothing_of_itself_is_found():
    breach("nothing says what it is: common/base/planted.c", ("common/base/planted.c", LICENCE))


def a_file_without_a_licence_is_found():
    breach("licence line missing: common/base/planted.c",
           ("common/base/planted.c", "\n/* planted.c — a breach. */\n"))


def a_test_outside_of_its_modules_room_is_found():
    breach("test of no module in its room", ("tests/unit/common/base/test_planted.c", LICENCE))


def a_code_of_failure_made_by_hand_is_found():
    lines = ("\treturn -(int)e->code;\n", "\treturn -e->code;\n", "\treturn -ERR_DENIED;\n",
             "\treturn -(int)ERR_DENIED;\n")
    output = breach("code made by hand", ("common/base/planted.c", HEAD + "".join(lines)))
    assert output.count("code made by hand") == len(lines), output


def a_merge_that_was_left_half_done_is_found():
    marks = ("<<<<<<< ours", ">>>>>>> theirs", "||||||| both")
    output = breach("a merge that was left half-done: ", *((f"docs/planted_{number}.md", f"text\n{mark}\ntext\n")
                                                           for number, mark in enumerate(marks)))
    for number in range(len(marks)):
        assert f"a merge that was left half-done: docs/planted_{number}.md:2" in output, output


def an_unwanted_call_is_found():
    breach("unwanted call", ("common/base/planted.c", HEAD + "\tstrcpy(a, b);\n"))


def a_rule_that_cannot_be_asked_is_not_kept():
    for name in ("scripts/lib/house.py", "scripts/lib/lint/rules.py"):
        for broken in ("", "#!/usr/bin/python3\nraise SystemError\n"):
            os.rename(COPY.path(name), COPY.path("kept"))
            try:
                if broken:
                    with open(COPY.path(name), "w", encoding="utf-8") as file:
                        file.write(broken)
                    os.chmod(COPY.path(name), 0o755)
                status, output = COPY.lint()
            finally:
                os.replace(COPY.path("kept"), COPY.path(name))
            assert status == 1 and f"could not be asked: {name}" in output, (status, output)


tap.run([
    the_tree_as_it_is_has_no_breach, a_merge_that_was_left_half_done_is_found,
    an_arrow_to_another_floor_is_found,
    policy_code_in_the_agent_is_found,
    device_code_in_the_client_is_found,
    an_arrow_back_up_between_rooms_is_found,
    a_room_that_no_table_has_is_found,
    a_circle_of_three_is_found,
    a_function_of_61_lines_is_found_and_one_of_60_is_not,
    a_file_of_501_lines_is_found_and_one_of_500_is_not,
    a_file_that_says_nothing_of_itself_is_found,
    a_file_without_a_licence_is_found,
    a_test_outside_of_its_modules_room_is_found,
    a_code_of_failure_made_by_hand_is_found,
    an_unwanted_call_is_found,
    a_rule_that_cannot_be_asked_is_not_kept,
])
