# SPDX-License-Identifier: Apache-2.0
"""cocos-cli on a pseudo-terminal: what it draws there, and what keys do. Waits for text, never for a time."""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import sanitized
from harness import PATIENCE, program

CONTROL_C = b"\x03"
CONTROL_Z = b"\x1a"


class Terminal:
    """A session of its own whose terminal it is, as of a shell's foreground job."""

    def __init__(self, *arguments, cwd=None, columns=100, term="xterm", **environment):
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TERM": term}
        env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        env.update(environment)
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
        # Not by a function before the program: Python forks for that, and gRPC's handlers of forks wait, in a test
        # with a server of its own, for threads that wait for Python.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", program("cocos-cli"), *arguments], env=env, cwd=cwd, stdin=slave, stdout=slave,
            stderr=slave)
        os.close(slave)
        self.text = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)

    def _more(self, end):
        """What came; False: it is over."""
        if not select.select([self.master], [], [], max(0, end - time.monotonic()))[0]:
            raise AssertionError(f"nothing more comes; so far: {self.text!r}")
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the last end of the terminal is closed
            data = b""
        self.text += data.decode(errors="replace")
        return bool(data)

    def wait_text(self, pattern):
        """The match of `pattern` in all that was written."""
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.text)):
            if not self._more(end):
                raise AssertionError(f"it ended before {pattern!r}: {self.text!r}")
        return found

    def shows_what_is_typed(self):
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

    def press(self, keys):
        os.write(self.master, keys)

    def end(self):
        """Reads to the end; the exit status."""
        end = time.monotonic() + PATIENCE
        while self._more(end):
            pass
        status = self.process.wait(PATIENCE)
        sanitized.judge("cocos-cli", status, self.text)
        return status
