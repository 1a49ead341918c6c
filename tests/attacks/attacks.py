#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks with their honest twins.

  attacks.py                 all rows
  attacks.py THEME|ROW...    those
  attacks.py --list          name, reason of the refusal and purpose of every row
"""
import contextlib
import importlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "integration")]

import rows  # noqa: E402  pylint: disable=wrong-import-position

THEMES = ["parties"]


def chosen(words):
    for theme in THEMES:
        importlib.import_module("theme_" + theme)
    unknown = [w for w in words if w not in THEMES and all(w != r.name for r in rows.ROWS)]
    if unknown:
        sys.exit(f"no such row or theme: {', '.join(unknown)}; see --list")
    return [r for r in rows.ROWS
            if not words or r.name in words or r.theme.removeprefix("theme_") in words]


def main(words):
    if words == ["--list"]:
        for one in chosen([]):
            print(f"{one.theme.removeprefix('theme_'):14} {one.name:44} {one.check!r}")
            print(f"{'':14} {' '.join((one.about or '').split())}")
        return 0
    if any(w.startswith("-") for w in words):
        print(__doc__.strip())
        return 2
    with contextlib.closing(sys.stdout):
        return 1 if rows.run(chosen(words)) else 0


sys.exit(main(sys.argv[1:]))
