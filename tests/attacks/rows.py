# SPDX-License-Identifier: Apache-2.0
"""The table of attacks, and what it takes for a row of it to pass.

A row is one function that plays both parts: attempt(evil=False) is the honest twin, which has to get
through, and attempt(evil=True) changes one thing, which has to be refused for the reason that the row
names, with nothing gained. So no row passes because the world that it was tried in was broken.
"""
import contextlib
import functools
import inspect
import traceback

import sanitized


class Skip(Exception):
    """What a row needs is not to be had on this machine."""


SAID_MAX = 300  # of a refusal that is shown beside its row


class Outcome:
    """What an attempt came to.

    taken: it went through. said: what the refusing program told its user. gained: the application
    bytes that the attacker's side holds afterwards, or that he planted; None where a row has no such
    side (then nothing was sent to anybody).
    """

    def __init__(self, taken, said="", gained=None):
        self.taken, self.said, self.gained = taken, said, gained


def shown(said, check):
    """The line of a refusal with the reason in it."""
    return [line for line in said.splitlines() if check in line][-1][:SAID_MAX]


class Row:
    def __init__(self, name, attempt, check, theme):
        self.name, self.attempt, self.check, self.theme = name, attempt, check, theme
        self.about = inspect.getdoc(attempt)

    def run(self):
        """What the refusal said; raises if the row does not pass."""
        honest = self.attempt(False)
        assert honest.taken, f"the honest twin is refused: {honest.said}"
        assert honest.gained is None or honest.gained > 0, "the honest twin brings nothing over"
        evil = self.attempt(True)
        assert not evil.taken, f"the attack goes through: {evil.said}"
        assert not evil.gained, f"refused, but {evil.gained} bytes got there first: {evil.said}"
        assert self.check in evil.said, f"{self.check!r} is not the reason given: {evil.said}"
        return evil.said


ROWS = []


def row(name, check):
    """Puts a function into the table; `check` is in the message of the refusal."""
    assert check

    def put(attempt):
        assert all(other.name != name for other in ROWS), f"two rows are called {name}"
        ROWS.append(Row(name, attempt, check, attempt.__module__))
        return attempt
    return put


WORLD = contextlib.ExitStack()


def shared(make):
    """Made when a row first asks, kept for the others of this program, closed behind the last."""
    @functools.lru_cache(None)
    def get():
        one = make()
        WORLD.callback(one.close)
        return one
    return get


def run(rows):
    """Runs them in order as TAP; the number of those that failed."""
    print(f"1..{len(rows)}", flush=True)
    with WORLD:
        failed = sum(not run_one(number, one) for number, one in enumerate(rows, 1))
    sanitized.check()
    return failed


def run_one(number, one):
    """True if the row passes."""
    try:
        said = one.run()
        sanitized.check()
        print(f"ok {number} - {one.name}", flush=True)
        print("#   " + shown(said, one.check), flush=True)
        return True
    except Skip as why:
        print(f"ok {number} - {one.name} # SKIP {why}", flush=True)
        return True
    except Exception:  # pylint: disable=broad-except
        for line in traceback.format_exc().splitlines():
            print("#", line)
        print(f"not ok {number} - {one.name}", flush=True)
        return False
