# SPDX-License-Identifier: Apache-2.0
"""What ends a run: one line that says what, where, and what to do."""


class Failure(Exception):
    pass
