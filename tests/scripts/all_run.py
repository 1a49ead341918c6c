# SPDX-License-Identifier: Apache-2.0
"""No test lies there and is not run: each file of tests is part of a program that a test runs, or is imported by one,
and each fuzz target has its corpus and its row, each corpus its target."""
import glob
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(HERE, "..", name) for name in ("integration", "attacks")]

import attacks  # noqa: E402
import tap  # noqa: E402

FOLDERS = ("attacks", "escape", "integration", "interop", "scripts")  # of Python


def introspected(name):
    with open(os.path.join(os.environ["COCOS_BUILD"], "meson-info", f"intro-{name}.json"), encoding="utf-8") as file:
        return json.load(file)


def run_by_tests():
    """What stands in the commands of tests, as paths."""
    return {os.path.realpath(os.path.join(os.environ["COCOS_BUILD"], word)) for test in introspected("tests") for word in test["cmd"]}


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def names_in(folder, pattern):
    return {re.fullmatch(pattern, name)[1] for name in os.listdir(os.path.join(ROOT, folder)) if re.fullmatch(pattern, name)}


def each_program_of_unit_tests_and_vectors_is_run():
    """So each of their files is built, into a library or a program; and no such program is left lying."""
    targets = introspected("targets")
    sources = {os.path.realpath(file) for target in targets for part in target["target_sources"]
               for file in part.get("sources", [])}
    run = run_by_tests()
    files = [path for folder in ("unit", "vectors") for path in glob.glob(f"{ROOT}/tests/{folder}/**/*.c", recursive=True)]
    # With sanitizers there are none that bring an allocator of their own.
    if any(option["name"] == "b_sanitize" and option["value"] not in ("none", []) for option in introspected("buildoptions")):
        files = [path for path in files if "nomem" not in os.path.basename(path)]
    left = [os.path.relpath(path, ROOT) for path in files if os.path.realpath(path) not in sources]
    assert len(files) > 400 and not left, f"of no target in meson.build: {left}"
    programs = [out for target in targets for out in target["filename"] if os.path.basename(out).startswith("test_")]
    left = [program for program in programs if os.path.realpath(program) not in run]
    assert len(programs) > 300 and not left, f"no test runs {left}"


def each_file_of_python_is_run_or_imported():
    """Where a row may be left out at setup (a program that is not in Debian) it stands in meson.build all the same."""
    texts = {path: text_of(path) for folder in ("tests", "scripts")
             for path in glob.glob(f"{ROOT}/{folder}/**/*.py", recursive=True)}
    loaded = {f"theme_{theme}" for theme in attacks.THEMES}
    loaded |= {f"escape_{noun}" for noun in re.findall(r'"(\w+)"', texts[f"{ROOT}/tests/escape/escape.py"])}
    run, left = run_by_tests(), []
    for path in (path for folder in FOLDERS for path in glob.glob(f"{ROOT}/tests/{folder}/**/*.py", recursive=True)):
        stem = os.path.basename(path)[:-3]
        asked = re.compile(rf'^\s*(from {stem} import|import (.*, )?{stem}\b)|["/]{stem}(\.py)?"', re.M)
        if not (os.path.realpath(path) in run or stem in loaded or
                re.search(rf"'{stem}(\.py)?'", text_of(os.path.join(os.path.dirname(path), "meson.build"))) or
                any(asked.search(text) for other, text in texts.items() if other != path)):
            left.append(os.path.relpath(path, ROOT))
    assert len(texts) > 400 and not left, f"no test runs, and none imports {left}"


def each_fuzz_target_has_a_corpus_and_a_row_and_each_corpus_a_target():
    targets = names_in("tests/fuzz", r"fuzz_(\w+)\.c")
    corpora = names_in("tests/fuzz/corpus", r"(\w+)")
    rows = set(re.findall(r"'(\w+)'", text_of(f"{ROOT}/tests/fuzz/meson.build")))
    assert len(targets) > 100 and corpora == targets, f"a target without a corpus, or a corpus without: {corpora ^ targets}"
    assert targets <= rows, f"tests/fuzz/meson.build lacks {targets - rows}"
    empty = [name for name in corpora if not os.listdir(f"{ROOT}/tests/fuzz/corpus/{name}")]
    assert not empty, f"nothing to replay: {empty}"


if __name__ == "__main__":
    tap.run([each_program_of_unit_tests_and_vectors_is_run, each_file_of_python_is_run_or_imported,
             each_fuzz_target_has_a_corpus_and_a_row_and_each_corpus_a_target])
