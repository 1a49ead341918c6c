# SPDX-License-Identifier: Apache-2.0
"""Test functions named as sentences, run in order, reported as TAP."""
import sys
import traceback

import sanitized


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
