# SPDX-License-Identifier: Apache-2.0
"""The table of hostile programs: a function is one, run as a Python script in the sandbox; its docstring
says what it tries. It ends well if it was refused, and with ESCAPED if it was not."""
import collections
import inspect
import textwrap

ESCAPED = 42
Row = collections.namedtuple("Row", "noun name says kind content data ends outside times lines")
rows = []

# In front of each script.
PRELUDE = '''import ctypes, errno, mmap, os, resource, signal, socket, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
ESCAPED = 42


def call(number, *args):
    """A system call by its number on x86-64."""
    result = libc.syscall(ctypes.c_long(number), *args)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def refused(what, *args):
    try:
        what(*args)
    except (OSError, MemoryError, RuntimeError, ValueError) as error:
        print("refused:", error)
        return
    print("ESCAPED:", what, args)
    sys.exit(ESCAPED)


def until_refused(what):
    """Repeats it until there is no more; what it took stays."""
    kept = []
    for _ in range(200000):
        try:
            kept.append(what())
        except (OSError, MemoryError, RuntimeError) as error:
            print("refused after", len(kept), "times:", type(error).__name__)
            return kept
    sys.exit(ESCAPED)


def family():
    """768 MiB in three children, that stay until they are killed; the run has 512."""
    for _ in range(3):
        if os.fork() == 0:
            block = b"x" * (256 << 20)
            break
    while True:
        signal.pause()


'''


def script(function):
    lines = inspect.getsource(function).splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("def "))
    return (PRELUDE + "\n".join(lines[first:]) + f"\n\n\n{function.__name__}()\n").encode()


def hostile(ends="", data=(), outside=False, times=1, lines=None):
    """`ends`: words of the failure, "" is a good end. `outside`: harmless there, where it must get what
    it is after: so that the program can tell. `lines`: all that must be heard of it."""
    def take(function):
        noun = function.__module__.removeprefix("escape_")
        rows.append(Row(noun, function.__name__.replace("_", " "),
                        textwrap.shorten(function.__doc__, 200), "python", script(function), data, ends, outside, times, lines))
        return function
    return take


def program(noun, name, says, kind, content, ends, data=()):
    """One that is no Python script. `content`: bytes, or what makes them once they are needed."""
    rows.append(Row(noun, name, says, kind, content, data, ends, False, 1, None))


def content_of(row):
    return row.content() if callable(row.content) else row.content
