# SPDX-License-Identifier: Apache-2.0
"""How much of a long walk a test goes through: as tests/sample.h for tests in C."""
import os


def of(some, whole):
    """`some` in CI, `whole` in `scripts/test long` (COCOS_TEST_LONG=1)."""
    return whole if os.environ.get("COCOS_TEST_LONG") == "1" else some
