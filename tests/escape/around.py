# SPDX-License-Identifier: Apache-2.0
"""What lies around a run and must be as before it: processes, and the files that the programs are after."""
import ctypes
import glob
import os
import socket

PR_SET_CHILD_SUBREAPER = 36
FILES = ("/etc", "/etc/shadow", "/etc/passwd", "/usr/bin", "/dev/null", os.path.realpath("/usr/bin/python3"))
SWITCHES = ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe")
# Where the programs try to leave something that is called "owned"; own folders of theirs have the same names.
FOLDERS = ("/", "/etc", "/usr/bin", "/usr/lib", "/usr/lib/python*", "/usr/lib/python*/dist-packages",
           "/usr/local/lib/python*/dist-packages", "/tmp", "/dev", "/dev/shm", "/home", os.path.expanduser("~"))


def adopt():
    """From now on, a process that loses its parent is a child of this one, and stays visible as such."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def processes():
    """All that descend from this one."""
    parents = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                parents[int(path.split("/")[2])] = int(file.read().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    found, new = set(), {os.getpid()}
    while new:
        new = {pid for pid, parent in parents.items() if parent in new}
        found |= new
    return found


def files():
    """Modes and owners of what is there, contents of what is a switch, and names that programs left."""
    def text(path):
        with open(path, encoding="utf-8") as file:
            return file.read()
    now = {path: (s.st_mode, s.st_uid, s.st_gid, s.st_ino, s.st_rdev, 0 if os.path.isdir(path) else s.st_size)
           for path, s in ((path, os.stat(path)) for path in FILES)}
    now.update((path, text(path)) for path in SWITCHES if os.path.exists(path))
    now["host name"] = socket.gethostname()
    now["left"] = sorted(left for folder in FOLDERS for left in glob.glob(os.path.join(folder, "owned*")))
    return now


class Around:
    def __init__(self):
        self.processes, self.files = processes(), files()

    def check(self):
        now = processes()
        assert now == self.processes, f"left: {now - self.processes}, gone: {self.processes - now}"
        for what, was in self.files.items():
            assert files()[what] == was, (what, was, files()[what])
