# SPDX-License-Identifier: Apache-2.0
"""What ends a build: one line that says what, where and what to do."""


class Failure(Exception):
    pass
