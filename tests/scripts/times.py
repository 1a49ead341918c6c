# SPDX-License-Identifier: Apache-2.0
"""What scripts/test says at its end: where the time went, and the count."""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LIB = os.path.join(HERE, "..", "..", "scripts", "lib")
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

import tap  # noqa: E402


def run(name, *arguments):
    return subprocess.run([sys.executable, os.path.join(LIB, name), *arguments], capture_output=True,
                          text=True, check=False, env={**os.environ, "CI": ""})


def logged(folder, name, rows):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        for test, seconds, result, stdout in rows:
            file.write(json.dumps({"name": f"cocos:unit+once / {test}", "duration": seconds,
                                   "result": result, "stdout": stdout}) + "\n")
    return path


def the_table_has_each_stage_and_its_parts():
    with tempfile.TemporaryDirectory() as folder:
        stages = os.path.join(folder, "times.tsv")
        with open(stages, "w", encoding="utf-8") as file:
            file.write("packages\tinstall\t3\t1\ngcc\tbuild\t70\t138\ngcc\ttests\t40\t61\nasan\tbuild\t90\t170\n")
        done = run("times.py", stages)
    assert done.returncode == 0, done
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines == [["stage", "install", "build", "tests", "seconds", "processor"], ["packages", "3", "3", "1"],
                     ["gcc", "70", "40", "110", "199"], ["asan", "90", "90", "170"],
                     ["all", "3", "160", "40", "203", "370"]], lines


def the_slowest_fifteen_are_named_with_their_stage():
    with tempfile.TemporaryDirectory() as folder:
        stages = logged(folder, "times.tsv", [])
        gcc = logged(folder, "gcc.json", [(f"t{n}", n + 0.25, "OK", "") for n in range(12)])
        asan = logged(folder, "asan.json", [(f"a{n}", n + 0.75, "OK", "") for n in range(12)])
        done = run("times.py", stages, gcc, asan)
    rows = [line.split() for line in done.stdout.splitlines() if ": " in line and line[0] == " "]
    assert len(rows) == 15 and "of 24 tests" in done.stdout, done
    assert rows[0] == ["11.8", "asan:", "a11"] and rows[1] == ["11.2", "gcc:", "t11"], rows
    assert rows[14] == ["4.8", "asan:", "a4"], rows


def the_count_adds_up_and_names_what_failed():
    with tempfile.TemporaryDirectory() as folder:
        good = logged(folder, "gcc.json", [("one", 1, "OK", "ok 1 - a\nok 2 - b # SKIP no device\n"),
                                           ("two", 1, "OK", "")])
        bad = logged(folder, "asan.json", [("three", 1, "FAIL", "# why\nnot ok 1 - c\n")])
        done = run("count.py", good)
        assert done.returncode == 0 and done.stdout.endswith("2 passed, 0 failed, 1 skipped\n"), done
        done = run("count.py", good, bad)
        assert done.returncode == 1 and done.stdout.endswith("2 passed, 1 failed, 1 skipped\n"), done
        assert "failed: cocos:unit+once / three: c" in done.stdout, done


if __name__ == "__main__":
    tap.run([the_table_has_each_stage_and_its_parts, the_slowest_fifteen_are_named_with_their_stage,
             the_count_adds_up_and_names_what_failed])
