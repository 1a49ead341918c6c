# SPDX-License-Identifier: Apache-2.0
"""Test functions named as sentences, run in order, reported as TAP."""
import atexit
import concurrent.futures
import functools
import os
import sys
import time
import traceback

import sanitized

ENDING = 60  # seconds that what was told to end may take
RUNS = []
ROOMS = []  # has something where all that runs ends with this program, as its PID namespace does


def side_by_side(*tests):
    """The same for run(): the first to be run begins them all. For those that share nothing and wait more than they work."""
    begun = []

    def begin():
        pool = concurrent.futures.ThreadPoolExecutor(len(tests))
        begun.extend(pool.submit(test) for test in tests)

    def one(number, test):
        @functools.wraps(test)
        def outcome():
            if not begun:
                begin()
            begun[number].result()
        return outcome
    return [one(number, test) for number, test in enumerate(tests)]


def left_running():
    """Programs that tests have begun and not stopped: they would go on beside all that is tested later."""
    left = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                name, _, rest = file.read().partition("(")[2].rpartition(")")
        except OSError:  # it has just ended
            continue
        state, parent = rest.split()[:2]
        if int(parent) == os.getpid() and state != "Z":
            left.append(f"{name} ({pid})")
    return left


@atexit.register  # as the first, so after all that others stop so, and behind every 'with'
def check_nothing_runs():
    if ROOMS or not RUNS:
        return
    end = time.monotonic() + ENDING
    while (left := left_running()) and time.monotonic() < end:
        time.sleep(0.1)
    if left:
        print("still running at the end:", ", ".join(left), file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)  # what is raised here changes no status


def run(tests):
    """Runs every function of `tests`; exits 1 if one raised, or if a program that they began still runs at the end."""
    RUNS.append(tests)
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, test in enumerate(tests, 1):
        name = test.__name__.replace("_", " ")
        try:
            test()
            sanitized.check()
            print(f"ok {number} - {name}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            for line in traceback.format_exc().splitlines():
                print("#", line)
            print(f"not ok {number} - {name}", flush=True)
    try:
        sanitized.check()
    except AssertionError as error:
        sys.exit(str(error))
    sys.exit(1 if failed else 0)
