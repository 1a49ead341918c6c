#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where a run of scripts/test spent its time: a table by stage, and the slowest tests.

Arguments: a file with a line "STAGE<TAB>WHAT<TAB>SECONDS<TAB>PROCESSOR" for each part of a stage, then meson's
testlog.json files. Seconds are wall-clock; tests run side by side, so theirs add up to more than their
stage's. PROCESSOR is how many seconds processors worked for it, of programs that were waited for: a daemon
or a machine that went off by itself is not in there.
"""
import json
import os
import sys

SLOWEST = 15


def stages(path):
    """{stage: ({what: seconds}, seconds of processors)}, in the order of the file."""
    found = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            stage, what, seconds, worked = line.rstrip("\n").split("\t")
            parts, before = found.get(stage, ({}, 0))
            parts[what] = parts.get(what, 0) + int(seconds)
            found[stage] = parts, before + int(worked)
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
    columns = list(dict.fromkeys(what for parts, _ in found.values() for what in parts))

    def row(name, parts, worked):
        cells = "".join(f"{parts.get(what, ''):>10}" for what in columns)
        print(f"{name:<14}{cells}{sum(parts.values()):>10}{worked:>10}")

    print(f"{'stage':<14}" + "".join(f"{what:>10}" for what in columns) + f"{'seconds':>10}{'processor':>10}")
    for stage, (parts, worked) in found.items():
        row(stage, parts, worked)
    row("all", {what: sum(parts.get(what, 0) for parts, _ in found.values()) for what in columns},
        sum(worked for _, worked in found.values()))


def main():
    table(stages(sys.argv[1]))
    slowest = tests(sys.argv[2:])
    if slowest:
        print(f"\nthe slowest of {len(slowest)} tests, in seconds:")
    for seconds, where, name in slowest[:SLOWEST]:
        print(f"{seconds:10.1f}  {where}: {name}")


if __name__ == "__main__":
    main()
