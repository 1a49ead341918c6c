# SPDX-License-Identifier: Apache-2.0
"""What takes a sample of a long walk goes all the way in `scripts/test long`: each file that asks how much to take
(tests/sample.h, tests/integration/sample.py) is of a test in the suite `long`."""
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

import tap  # noqa: E402

ASKS = re.compile(r'^import sample\b|^#include "tests/sample\.h"|(getenv|environ\.get)\("COCOS_TEST_LONG"', re.M)
ANSWERS = {"tests/sample.h", "tests/integration/sample.py"}


def introspected(name):
    with open(os.path.join(os.environ["COCOS_BUILD"], "meson-info", f"intro-{name}.json"), encoding="utf-8") as file:
        return json.load(file)


def asking():
    """Files of tests that ask."""
    for folder, _, names in os.walk(os.path.join(ROOT, "tests")):
        for name in names:
            path = os.path.join(folder, name)
            if not name.endswith((".c", ".h", ".py")) or os.path.relpath(path, ROOT) in ANSWERS:
                continue
            with open(path, encoding="utf-8") as file:
                if ASKS.search(file.read()):
                    yield path


def of_long():
    """Files that tests of that suite are made of, or run."""
    sources = {out: [file for part in target["target_sources"] for file in part.get("sources", [])]
               for target in introspected("targets") for out in target["filename"]}
    for test in introspected("tests"):
        if any(suite.split(":")[-1] == "long" for suite in test["suite"]):
            for word in test["cmd"]:
                yield from sources.get(word, [os.path.realpath(word)])


def each_sample_is_taken_whole_in_the_long_run():
    found, whole = sorted(asking()), set(of_long())
    assert len(found) > 10 and len(whole) > 10, (found, whole)
    missing = [os.path.relpath(path, ROOT) for path in found if path not in whole]
    assert not missing, f"a sample, and in no test of the suite long: {missing}"


tap.run([each_sample_is_taken_whole_in_the_long_run])
