#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table of checks, as 'explain' and docs/checks.md tell it."""
import importlib.machinery
import importlib.util
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
    return subprocess.run([CLI, "explain", *words], capture_output=True, text=True, check=False)


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
        status = {"malformed": 4, "not genuine": 3, "unwanted": 1}[row["fault"]]
        assert f"  a no says:   {row['fault']} (exit {status})\n" in told.stdout, told.stdout


def the_table_that_is_explained_is_the_verifiers():
    """Whatever a verdict can hold is a row of a .def file: each of them has its page."""
    rows = {row["name"] for row in json.loads(explain("--json").stdout)}
    folder, told = os.path.join(ROOT, "attestation/verdict"), set()
    for name in os.listdir(folder):
        if name.endswith(".def"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                told |= set(re.findall(r'^CHECK\(\w+,\s*"([^"]+)"', file.read(), re.M))
    assert told <= rows and len(rows - told) == 8, rows ^ told  # RTMR0 to 3, of log and of policy


def a_citation_that_nobody_finds_stops_the_page():
    loader = importlib.machinery.SourceFileLoader("docs_checks", os.path.join(ROOT, "scripts/docs-checks"))
    docs = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(docs)
    for section in ("56860 table 23; 57230 2", "agent.md, Evidence", "RFC 9711 4.1; security.md, The attested channel", ""):
        assert None not in docs.cited(section), section
    for section in ("wire.md, Evidence", "agent.md", "agent.md, Nowhere", "somewhere", "RFC 9711; wire.md, X"):
        assert None in docs.cited(section), section


def a_stage_lists_its_own():
    told = explain("crl")
    assert told.returncode == 0
    assert all(line.startswith("crl.") for line in told.stdout.splitlines()) and "crl.leaf" in told.stdout


def names_are_offered_and_the_longer_command_goes_on():
    """The shell offers every name; who types the command's name of before gets the same answer."""
    offered = subprocess.run([CLI, "__complete", "--", "explain", ""], capture_output=True, text=True, check=True)
    assert offered.stdout.split() == ["words", *(row["name"] for row in json.loads(explain("--json").stdout))]
    assert subprocess.run([CLI, "__complete", "--", "explain", "crl.le"], capture_output=True, text=True,
                          check=True).stdout.split() == ["words", "crl.leaf"]
    assert subprocess.run([CLI, "attestation", "explain", "crl.leaf"], capture_output=True, text=True,
                          check=True).stdout == explain("crl.leaf").stdout


def what_is_no_check_is_a_mistake():
    for name in ("policy.measurements", "policy.pcr016", "policy.pcrx", "policy.rtmr4", "pol", ""):
        assert explain(name).returncode == 2, name
    assert explain("--json", "crl").returncode == 2


tap.run([the_page_is_the_tables, each_check_is_explained_in_whole_sentences,
         the_table_that_is_explained_is_the_verifiers, a_citation_that_nobody_finds_stops_the_page, a_stage_lists_its_own,
         names_are_offered_and_the_longer_command_goes_on, what_is_no_check_is_a_mistake])
