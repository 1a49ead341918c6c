#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table of checks, as 'attestation explain' and docs/checks.md tell it."""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
import tap  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
CLI = os.path.join(os.environ["COCOS_BUILD"], "cocos-cli")


def explain(*words):
    return subprocess.run([CLI, "attestation", "explain", *words], capture_output=True, text=True, check=False)


def the_page_is_the_tables():
    made = subprocess.run([os.path.join(ROOT, "scripts/docs-checks"), "--cli", CLI, "--print"], check=True,
                          capture_output=True, text=True).stdout
    with open(os.path.join(ROOT, "docs/checks.md"), encoding="utf-8") as file:
        assert file.read() == made, "docs/checks.md is not what scripts/docs-checks writes"


def each_check_is_explained_in_whole_sentences():
    rows = json.loads(explain("--json").stdout)
    assert len(rows) > 200
    for row in rows:
        for member in ("means", "without", "remedy"):
            assert re.fullmatch(r"[A-Z*].*\.|'[A-Z].*\.", row[member]), row
            assert len(row[member]) < 120, row
        told = explain(row["name"] + ("16" if row["family"] else ""))
        assert told.returncode == 0 and row["remedy"] in told.stdout, row


def a_stage_lists_its_own():
    told = explain("crl")
    assert told.returncode == 0
    assert all(line.startswith("crl.") for line in told.stdout.splitlines()) and "crl.leaf" in told.stdout


def what_is_no_check_is_a_mistake():
    for name in ("policy.measurements", "policy.pcr016", "policy.pcrx", "policy.rtmr4", "pol", ""):
        assert explain(name).returncode == 2, name
    assert explain("--json", "crl").returncode == 2


tap.run([the_page_is_the_tables, each_check_is_explained_in_whole_sentences, a_stage_lists_its_own,
         what_is_no_check_is_a_mistake])
