# SPDX-License-Identifier: Apache-2.0
"""docs/attacks.md lists every row of the attack suite as it is, and docs/security.md names no other."""
import contextlib
import io
import os
import re

import attacks
import tap

DOCS = os.path.join(attacks.HERE, "..", "..", "docs")
HEADING = "## What is attacked"


def read(name):
    with open(os.path.join(DOCS, name), encoding="utf8") as file:
        return file.read()


def the_document_lists_the_rows_as_they_are():
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        attacks.markdown()
    assert read("attacks.md") == out.getvalue(), "anew: attacks.py --markdown > docs/attacks.md"


def each_theme_is_run():
    with open(os.path.join(attacks.HERE, "meson.build"), encoding="utf8") as file:
        run = set(re.findall(r"'([a-z_]+)'", file.read()))
    assert set(attacks.THEMES) <= run, f"tests/attacks/meson.build lacks {set(attacks.THEMES) - run}"


def what_security_md_promises_is_tried():
    section = read("security.md").split(HEADING)[1].split("\n## ")[0]
    named = re.findall(r"`([a-z0-9.-]+)`", section.partition("| rows |")[2])
    known = {row.name for row in attacks.chosen([])}
    assert len(named) > 30 and set(named) <= known, set(named) - known


if __name__ == "__main__":
    tap.run([the_document_lists_the_rows_as_they_are, each_theme_is_run, what_security_md_promises_is_tried])
