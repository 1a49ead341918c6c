# SPDX-License-Identifier: Apache-2.0
"""The most memory that a run used, as this host sees it.

    memory.py tree PID      until that process is gone or SIGTERM comes: samples what it and all that came
                            of it use together (proportional set size), five times a second
    memory.py machine WORD  the most that QEMU, the process with WORD in its command line, ever had

Prints MiB.
"""
import os
import signal
import sys
import time


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:  # it has ended
        return b""


def field(text, name):
    """A line of /proc/PID/status or smaps_rollup, in KiB."""
    for line in text.splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0


def family(first):
    """`first` and its descendants."""
    children = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        stat = read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
        if stat:
            children.setdefault(int(stat[1]), []).append(int(pid))
    found, queue = [], [first]
    while queue:
        found.append(queue.pop())
        queue += children.get(found[-1], [])
    return found


def ended(pid):
    """Also if nobody has asked for its status yet."""
    return read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[:1] in ([], [b"Z"])


def used(first):
    """Now, in KiB."""
    return sum(field(read(f"/proc/{pid}/smaps_rollup"), b"Pss:") for pid in family(first))


def tree(first):
    most, going = 0, True

    def stop(*_):
        nonlocal going
        going = False

    signal.signal(signal.SIGTERM, stop)
    while going and not ended(first):
        most = max(most, used(first))
        time.sleep(0.2)
    return most


def machine(word):
    return max([field(read(f"/proc/{pid}/status"), b"VmHWM:")
                for pid in filter(str.isdigit, os.listdir("/proc"))
                if word.encode() in read(f"/proc/{pid}/cmdline") and
                b"qemu" in read(f"/proc/{pid}/comm")], default=0)  # a stand-in for QEMU becomes it


def main(arguments):
    if len(arguments) != 2 or arguments[0] not in ("tree", "machine"):
        print("memory: wanted 'tree PID' or 'machine WORD'", file=sys.stderr)
        return 2
    most = tree(int(arguments[1])) if arguments[0] == "tree" else machine(arguments[1])
    print(most // 1024)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
