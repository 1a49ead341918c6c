#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where a run of scripts/test spent its time: a table by stage, and the slowest tests.

Arguments: a file with a line "STAGE<TAB>WHAT<TAB>SECONDS" for each part of a stage, then meson's
testlog.json files. Seconds are wall-clock; tests run side by side, so theirs add up to more than their
stage's.
"""
import json
import os
import sys

SLOWEST = 15


def stages(path):
    """{stage: {what: seconds}}, in the order of the file."""
    found = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            stage, what, seconds = line.rstrip("\n").split("\t")
            parts = found.setdefault(stage, {})
            parts[what] = parts.get(what, 0) + int(seconds)
    return found


def tests(logs):
    """(seconds, where, name) of each test, the slowest first."""
    found = []
    for log in logs:
        where = os.path.basename(log).removesuffix(".json")
        with open(log, encoding="utf-8") as file:
            for line in file:
                test = json.loads(line)
                found.append((test["duration"], where, test["name"].rpartition(" / ")[2]))
    return sorted(found, reverse=True)


def table(found):
    columns = list(dict.fromkeys(what for parts in found.values() for what in parts))
    print(f"{'stage':<14}" + "".join(f"{what:>10}" for what in columns) + f"{'seconds':>10}")
    for stage, parts in found.items():
        cells = "".join(f"{parts.get(what, ''):>10}" for what in columns)
        print(f"{stage:<14}{cells}{sum(parts.values()):>10}")
    sums = "".join(f"{sum(parts.get(what, 0) for parts in found.values()):>10}" for what in columns)
    print(f"{'all':<14}{sums}{sum(sum(parts.values()) for parts in found.values()):>10}")


def main():
    table(stages(sys.argv[1]))
    slowest = tests(sys.argv[2:])
    if slowest:
        print(f"\nthe slowest of {len(slowest)} tests, in seconds:")
    for seconds, where, name in slowest[:SLOWEST]:
        print(f"{seconds:10.1f}  {where}: {name}")


if __name__ == "__main__":
    main()
