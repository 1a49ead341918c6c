#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Adds up what meson's test logs say: one line for each failure and each skip, then the sum.

Arguments: testlog.json files. A TAP program counts with each of its tests, any other with one. The
last line is "N passed, N failed, N skipped"; the exit status is 1 if something failed, if nothing
passed, or, with CI=true, if something was skipped.
"""
import json
import os
import re
import sys

TAP = re.compile(r"^(not )?ok\b\s*\d*\s*(?:-\s*)?(.*?)(?:\s*#\s*(skip|todo)\b\s*(.*))?$", re.I)


TOLD = 25  # lines of a failure's own words that are shown


def tap_results(output):
    """(passed, name, skip reason or None, what was said about it) of each TAP line.

    Python's runner tells before the line what went wrong, cmocka after it.
    """
    found, said = [], []
    for line in output.splitlines():
        match = TAP.match(line)
        if match:
            found.append((match[1] is None, match[2], match[4] if match[3] else None, said))
            said = []
        elif line.startswith("#"):
            said.append(line)
    behind = [before for *_, before in found[1:]] + [said]
    for (passed, name, reason, before), after in zip(found, behind):
        yield passed, name, reason, told(before[-TOLD:] + after[:TOLD])


def told(lines):
    return "".join("\n    " + line for line in lines)


def results(log):
    """(verdict, name, text) of each test in one log; verdict is passed, failed or skipped."""
    for line in open(log, encoding="utf-8"):
        test = json.loads(line)
        name, output = test["name"], test.get("stdout", "")
        taps = list(tap_results(output))
        if test["result"] == "SKIP" and not taps:
            yield "skipped", name, (output.strip().splitlines() or ["no reason given"])[-1]
            continue
        good = test["result"] in ("OK", "SKIP")
        for passed, what, reason, said in taps:
            if not passed and reason is None:
                yield "failed", f"{name}: {what}", said
            elif reason is not None:
                yield "skipped", f"{name}: {what}", reason or "no reason given"
            else:
                yield "passed", f"{name}: {what}", ""
        if not good and all(passed or reason is not None for passed, _, reason, _ in taps):
            tail = (output + test.get("stderr", "")).strip().splitlines()[-15:]
            yield "failed", name, test["result"] + told(tail)
        elif good and not taps:
            yield "passed", name, ""


def main():
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for log in sys.argv[1:]:
        for verdict, name, text in results(log):
            count[verdict] += 1
            if verdict != "passed":
                print(f"{verdict}: {name}{': ' if text else ''}{text}")
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**count))
    strict = os.environ.get("CI") == "true"
    return 1 if count["failed"] or not count["passed"] or (strict and count["skipped"]) else 0


if __name__ == "__main__":
    sys.exit(main())
