# SPDX-License-Identifier: Apache-2.0
"""scripts/test counts whole runs of tests alone: one that breaks off while all is well is a failure, as is one
of nothing."""
import contextlib
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

import tap  # noqa: E402

# The test `end` ends the meson that runs it, which has written down nothing by then.
PROJECT = """project('played')
foreach name, does : {'good': 'true', 'bad': 'false', 'end': 'kill -9 $PPID'}
  test(name, find_program('sh'), args: ['-c', does], suite: name)
endforeach
"""
# As scripts/test does it, for one log; what it came to is the last line.
TAKE = """
logs=$1 slack=1 together=1 results=() broken=0
. scripts/lib/results.sh
dir=$2
shift 2
run_tests "$dir" log "$@"
[ -z "${CUT-}" ] || truncate -s 0 "$dir/meson-logs/log.json"
[ -z "${ENDED-}" ] || echo "$ENDED" >"$logs/test-log.status"
take_results "$dir" log
echo "broken $broken, results ${#results[@]}"
"""


@contextlib.contextmanager
def played():
    with tempfile.TemporaryDirectory(prefix="cocos-results-") as folder:
        with open(os.path.join(folder, "meson.build"), "w", encoding="utf-8") as file:
            file.write(PROJECT)
        build = os.path.join(folder, "build")
        subprocess.run(["meson", "setup", build, folder], check=True, stdout=subprocess.DEVNULL)

        def take(*suites, **environment):
            done = subprocess.run(["bash", "-c", TAKE, "test", folder, build, *(f"--suite={suite}" for suite in suites)],
                                  capture_output=True, text=True, check=True, cwd=ROOT, env={**os.environ, **environment})
            return done.stdout.splitlines()
        yield take


def whole_runs_are_taken_whatever_they_found():
    with played() as take:
        assert take("good") == ["broken 0, results 1"]
        assert take("good", "bad") == ["broken 0, results 1"]


def a_run_that_breaks_off_is_a_failure():
    with played() as take:
        lines = take("good", ENDED="137")
        assert lines[-1] == "broken 1, results 0" and "meson ended with 137, and no test failed" in lines[-2], lines


def a_run_of_nothing_is_a_failure():
    with played() as take:
        for lines in (take("no-such-suite"), take("good", CUT="yes"), take("end")):
            assert lines[-1] == "broken 1, results 0" and lines[-2].startswith("failed: no test of log ran in "), lines
        # Not even where another run left its log.
        assert take("good")[-1] == "broken 0, results 1"
        assert take("no-such-suite")[-1] == "broken 1, results 0"


if __name__ == "__main__":
    tap.run([whole_runs_are_taken_whatever_they_found, a_run_that_breaks_off_is_a_failure, a_run_of_nothing_is_a_failure])
