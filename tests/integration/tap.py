# SPDX-License-Identifier: Apache-2.0
"""Test functions named as sentences, run in order, reported as TAP."""
import concurrent.futures
import functools
import sys
import traceback

import sanitized


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


def run(tests):
    """Runs every function of `tests`; exits 1 if one raised."""
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
