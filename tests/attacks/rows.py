# SPDX-License-Identifier: Apache-2.0
"""The table of attacks, and what it takes for a row of it to pass.

A row is one function that plays both parts: attempt(evil=False) is the honest twin, which has to get
through, and attempt(evil=True) changes one thing, which has to be refused for the reason that the row
names, with nothing gained. So no row passes because the world that it was tried in was broken.
"""
import inspect
import sys
import traceback


class Outcome:
    """What an attempt came to.

    taken: it went through. said: what the refusing program told its user. gained: the application
    bytes that the attacker's side holds afterwards, or that he planted; None where a row has no such
    side (then nothing was sent to anybody).
    """

    def __init__(self, taken, said="", gained=None):
        self.taken, self.said, self.gained = taken, said, gained


class Row:
    def __init__(self, name, attempt, check, theme):
        self.name, self.attempt, self.check, self.theme = name, attempt, check, theme
        self.about = inspect.getdoc(attempt)

    def run(self):
        honest = self.attempt(False)
        assert honest.taken, f"the honest twin is refused: {honest.said}"
        assert honest.gained is None or honest.gained > 0, "the honest twin brings nothing over"
        evil = self.attempt(True)
        assert not evil.taken, f"the attack goes through: {evil.said}"
        assert not evil.gained, f"refused, but {evil.gained} bytes got there first: {evil.said}"
        assert self.check in evil.said, f"{self.check!r} is not the reason given: {evil.said}"


ROWS = []


def row(name, check):
    """Puts a function into the table; `check` is in the message of the refusal."""
    def put(attempt):
        assert all(other.name != name for other in ROWS), f"two rows are called {name}"
        ROWS.append(Row(name, attempt, check, attempt.__module__))
        return attempt
    return put


def run(rows):
    """Runs them in order as TAP; the number of those that failed."""
    print(f"1..{len(rows)}", flush=True)
    failed = 0
    for number, one in enumerate(rows, 1):
        try:
            one.run()
            print(f"ok {number} - {one.name}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            for line in traceback.format_exc().splitlines():
                print("#", line)
            print(f"not ok {number} - {one.name}", flush=True)
        sys.stdout.flush()
    return failed
