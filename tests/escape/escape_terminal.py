# SPDX-License-Identifier: Apache-2.0
"""Terminals, and what is read from log lines."""
# flake8: noqa: F821
from rows import hostile


@hostile(lines=("\ufffd[2J\ufffd]0;owned\ufffd\ufffd[6n\ufffdP$q\ufffd\\\ufffd31m\ufffdexe.gpj",))
def a_screen_of_its_own():
    """Escape sequences that clear a reader's screen, name its window and answer for its keyboard."""
    sys.stdout.write("\x1b[2J\x1b]0;owned\x07\x1b[6n\x1bP$q\x1b\\\x9b31m\u202eexe.gpj\n")


@hostile()
def lines_of_any_bytes():
    """Zeros, bytes that are no UTF-8, a carriage return over a line, and one line of a MiB."""
    os.write(1, b"a\0b\xff\xfe\xc3\nright\rwrong\n" + b"x" * (1 << 20) + b"\n")


@hostile(outside=True)
def somebodys_terminal():
    """/dev/tty, /dev/console and a new pseudo terminal."""
    for path in ("/dev/tty", "/dev/console", "/dev/ptmx", "/dev/tty0"):
        refused(os.open, path, os.O_RDWR | os.O_NOCTTY)


@hostile(lines=("event Complete: Completed", "ERROR computation failed: owned", "<0>kernel: owned"))
def the_agents_own_words():
    """Lines that look like the agent's: an event, a state, an error."""
    print("event Complete: Completed\nERROR computation failed: owned\n<0>kernel: owned", flush=True)
