# SPDX-License-Identifier: Apache-2.0
"""scripts/vectors judges each case by itself, and notices what it did not judge.

Faults are planted in a copy of some groups: each costs one failure, and every other case is judged as
before. Runs in-process where a fault of the script itself has to be played."""
import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
sys.path.insert(0, os.path.join(ROOT, "scripts", "lib"))

import tap  # noqa: E402
from vectors import judge  # noqa: E402

VECTORS = os.environ["COCOS_VECTORS"]
CLI = os.path.join(os.environ["COCOS_BUILD"], "cocos-cli")
GROUPS = ("policy", "tdx", "tpm", "igvm", "manifest")


@contextlib.contextmanager
def copied(*groups):
    """A folder with copies of these groups, without tables of mutations, which only take time."""
    with tempfile.TemporaryDirectory(prefix="cocos-planted-") as folder:
        for group in groups:
            shutil.copytree(os.path.join(VECTORS, group), os.path.join(folder, group),
                            ignore=shutil.ignore_patterns("mutations.json"))
        yield folder


def judged(folder):
    """(passed, failed, output) of a run over that folder."""
    done = subprocess.run([os.path.join(ROOT, "scripts", "vectors"), folder, "--cli", CLI],
                          capture_output=True, text=True, errors="replace", check=False)
    count = re.fullmatch(r"(\d+) passed, (\d+) failed, 0 skipped", done.stdout.splitlines()[-1])
    assert count, done.stdout[-2000:] + done.stderr
    passed, failed = int(count[1]), int(count[2])
    assert done.returncode == (1 if failed or not passed else 0), done
    return passed, failed, done.stdout


def put(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def text_of(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read()


def line(out, words):
    found = [each for each in out.splitlines() if words in each]
    assert found, (words, out[-3000:])
    return found[0]


def nothing_planted_nothing_found():
    with copied(*GROUPS) as folder:
        passed, failed, out = judged(folder)
    assert failed == 0 and passed > 500, out[-3000:]


def each_planted_fault_fails_alone():
    with copied(*GROUPS) as folder:
        before, failed, _ = judged(folder)
        assert failed == 0
        # No JSON, no verdict, a verdict that is no word, JSON that is no object, an empty folder's.
        put(folder, "policy/aa-no-json/expected.json", "{")
        put(folder, "policy/nn-no-verdict/expected.json", "{}")
        put(folder, "policy/zz-verdict/expected.json", '{"verdict": "perhaps"}')
        put(folder, "tpm/aa-a-list/expected.json", "[]")
        put(folder, "tpm/nn-not-utf-8/expected.json", "{}")
        with open(os.path.join(folder, "tpm/nn-not-utf-8/expected.json"), "wb") as file:
            file.write(b'{"verdict": "\xff"}')
        put(folder, "tdx/negative/aa-files-that-are-not-there/expected.json", '{"verdict": "refuse"}')
        # A row that names a path which nobody knows, first of all rows; a row with a cell too few.
        rows = json.loads(text_of(folder, "tdx/cross.json"))
        rows["rows"].insert(0, {**rows["rows"][0], "collateral": "nowhere"})
        put(folder, "tdx/cross.json", json.dumps(rows))
        table = text_of(folder, "igvm/digests.tsv").splitlines(keepends=True)
        put(folder, "igvm/digests.tsv", "".join(table[:1] + ["alone\n"] + table[1:]))
        passed, failed, out = judged(folder)
    assert passed == before, (passed, before, out[-3000:])
    assert failed == 8, out[-3000:]
    for words in ("policy/aa-no-json: not understood", "policy/nn-no-verdict: not understood",
                  "policy/zz-verdict: not understood", "tpm/aa-a-list: not understood",
                  "tpm/nn-not-utf-8: not understood",
                  "tdx/negative/aa-files-that-are-not-there: not understood",
                  "tdx/cross.json 0: not understood", "igvm/digests.tsv line 2: not understood"):
        line(out, words)


def each_case_of_an_unknown_group_fails():
    with copied("manifest") as folder:
        before, _, _ = judged(folder)
        for name in ("a", "b", "c/d"):
            put(folder, f"unheard-of/{name}/expected.json", '{"verdict": "accept"}')
        os.mkdir(os.path.join(folder, "without-a-case"))
        passed, failed, out = judged(folder)
    assert (passed, failed) == (before, 4), out
    line(out, "unheard-of/c/d: of a group that is unknown here")


def a_known_group_without_a_case_fails():
    with copied("manifest") as folder:
        os.mkdir(os.path.join(folder, "policy"))
        _, failed, out = judged(folder)
    assert failed == 1, out
    line(out, "policy/no case was found")


def played(folder, group, cases):
    """(exit status, output) of a run whose group has other code."""
    kept, out = judge.GROUPS[group], io.StringIO()
    judge.GROUPS[group] = cases
    try:
        with contextlib.redirect_stdout(out):
            status = judge.run(folder, CLI, None)
    finally:
        judge.GROUPS[group] = kept
    return status, out.getvalue()


def what_is_passed_over_is_missed():
    kept = judge.GROUPS["policy"]

    def all_but_the_third(folder, scratch, step):
        return (case for number, case in enumerate(kept(folder, scratch, step)) if number != 2)

    with copied("policy") as folder:
        status, out = played(folder, "policy", all_but_the_third)
    assert status == 1 and out.endswith(" passed, 1 failed, 0 skipped\n"), out
    line(out, "found, and not judged")


def code_that_breaks_off_hides_nothing():
    kept = judge.GROUPS["policy"]

    def broken(folder, scratch, step):
        for number, case in enumerate(kept(folder, scratch, step)):
            if number == 2:
                raise LookupError("a fault of this script")
            yield case

    with copied("policy", "manifest") as folder:
        count = len(os.listdir(os.path.join(folder, "policy"))) - 1  # INDEX.md
        status, out = played(folder, "policy", broken)
    assert status == 1, out
    line(out, "policy/the rest: not understood: LookupError('a fault of this script')")
    assert out.count("found, and not judged") == count - 2, out
    assert out.endswith(f" passed, {count - 1} failed, 0 skipped\n"), out


def an_answer_that_cannot_be_compared_fails_alone():
    kept = judge.GROUPS["manifest"]

    def strange(folder, scratch, step):
        for number, case in enumerate(kept(folder, scratch, step)):
            if number == 0:
                case.check = lambda answer: answer["what no answer has"]
            yield case

    with copied("manifest") as folder:
        before, _, _ = judged(folder)
        _, out = played(folder, "manifest", strange)
    assert out.endswith(f"{before - 1} passed, 1 failed, 0 skipped\n"), out
    line(out, "an answer that is not understood: KeyError")


def sampled(folder, step):
    return subprocess.run([os.path.join(ROOT, "scripts", "vectors"), folder, "--cli", CLI,
                           "--sample", str(step)], capture_output=True, text=True, check=False).stdout


def calls(out):
    return int(re.search(r"judged by (\d+) calls", out)[1])


def a_sample_is_the_same_every_time_and_counted():
    """Of a table of mutations one change in so many, which this counts by the table itself."""
    with tempfile.TemporaryDirectory(prefix="cocos-planted-") as folder:
        name = "tdx/v5-gotdx-uptodate"
        shutil.copytree(os.path.join(VECTORS, name), os.path.join(folder, name))
        table = json.loads(text_of(folder, f"{name}/mutations.json"))
        first, last = map(int, table["offsets"].split(" .. "))
        count = (last - first + 1) * len(table["xor"])
        one, some = sampled(folder, count), sampled(folder, 997)
        assert some == sampled(folder, 997)
    assert calls(some) - calls(one) == len(range(0, count, 997)) - 1 > 5, (count, one, some)


if __name__ == "__main__":
    if not os.path.isdir(VECTORS):
        print(f"1..0 # SKIP no vectors at {VECTORS}")
        sys.exit()
    # What the caller wants of mutation tables is no part of these tests.
    os.environ.pop("COCOS_TEST_LONG", None)
    tap.run([nothing_planted_nothing_found, each_planted_fault_fails_alone,
             each_case_of_an_unknown_group_fails, a_known_group_without_a_case_fails,
             what_is_passed_over_is_missed, code_that_breaks_off_hides_nothing,
             an_answer_that_cannot_be_compared_fails_alone,
             a_sample_is_the_same_every_time_and_counted])
