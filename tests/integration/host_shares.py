# SPDX-License-Identifier: Apache-2.0
"""A host's 9p shares against an image that takes them: links, folders, pipes, names and files without end in the
place of files, and a program that changes the folder all the while. Each is refused by a line on the console, or
the agent has one whole text, read once. And a server whose answers are wrong in whatever way (share_answers.py): the boot
ends by a line, waits for what never comes, or an agent starts; none is a mistake of the kernel's.

Arguments: the project's folder, the probe that takes the agent's place, a folder for the images. In CI a few rows
run; `scripts/test long` runs all. A seed that is given as a fourth argument replaces the one here, and a fifth the number of
boots with answers of chance.
"""
import collections
import ctypes
import os
import re
import socket
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import sample  # noqa: E402
import tap  # noqa: E402
from guest_ending import READY, STANDS, STEADY, STOPPED, ending, loud, mistakes  # noqa: E402
from guest_vm import Vm, build_image  # noqa: E402
from share_answers import RVERSION, Answers, at_random  # noqa: E402

PROJECT, PROBE, IMAGES = sys.argv[1:4]
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else 20261126
BOOTS = int(sys.argv[5]) if len(sys.argv) > 5 else 16
SEES = "probe: /etc/cocos/environment: "
AT_FDCWD, EXCHANGE = -100, 2
FILES_MAX = 16  # of a share (guest/shares.h)
TERABYTE = 1 << 40
CERTS = {"ca.pem": b"x"}
LIBC = ctypes.CDLL(None, use_errno=True)


def text(who):
    """An environment of several reads, no line of which is the other's."""
    return f"WHO={who}\n" + "".join(f"{who}-{number}={who * 30}\n" for number in range(160))


def image():
    return build_image(PROJECT, "base", os.path.join(IMAGES, "base-shares"), "--agent", PROBE, "--boot-from", "shares")


def machine(spoil):
    """Its shares are as `spoil(folder)` has left the one of the environment, before it starts."""
    vm = Vm(image(), "LOOK=1\n" + text("first"), CERTS)
    spoil(vm.path("env_share"))
    return vm


def in_place(make):
    """What `make(path)` makes stands where the environment was."""
    def spoil(folder):
        path = os.path.join(folder, "environment")
        os.remove(path)
        make(path)
    return spoil


def pipe(path):
    os.mkfifo(path)


def sock(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path)


def endless(path):
    with open(path, "wb") as file:
        file.truncate(TERABYTE)


def many(folder):
    for number in range(20000):
        with open(os.path.join(folder, f"file-{number}"), "wb"):
            pass


def named(name):
    def spoil(folder):
        with open(os.path.join(folder, name), "wb"):
            pass
    return spoil


def refusal(lines):
    """The line of a boot that init has stopped because of this share; no agent was there."""
    found = [line for line in lines if "boot stopped: " in line]
    assert len(found) == 1 and "boot stopped: 9p share 'env_share': " in found[0], "\n".join(lines)
    assert not any("] agent started" in line or line.startswith("probe: ") for line in lines), "\n".join(lines)
    return found[0]


ROWS = [
    ("a link out of the share", in_place(lambda path: os.symlink("/etc/passwd", path)), "Too many levels of symbolic links"),
    ("a link to itself", in_place(lambda path: os.symlink("environment", path)), "Too many levels of symbolic links"),
    ("a folder", in_place(os.mkdir), "'environment' is not a plain file"),
    ("a pipe", in_place(pipe), "'environment'"),
    ("a socket", in_place(sock), "'environment'"),
    ("a file of a terabyte", in_place(endless), "'environment' is larger than 1048576 bytes"),
    ("more names than a share may have", many, f"more than {FILES_MAX} files"),
    ("a name with a colour", named("\x1b[31mcocos-init"), "file name "),
    ("a name of two lines", named("a\ncocos-init: agent started"), "file name "),
    ("a name that is hidden", named(".environment"), "file name "),
    ("a name of another alphabet", named("\u202etnemnorivne"), "file name "),
]


def stops(row):
    name, spoil, says = row
    print(f"# {name}", flush=True)
    with machine(spoil) as vm:
        line = refusal(vm.wait_end())
    assert says in line, line


def what_is_no_file_of_a_share_is_refused():
    for row in ROWS:
        stops(row)


def a_link_and_a_folder_without_end_are_refused():
    for row in (ROWS[0], ROWS[6]):
        stops(row)


class Changing:
    """The environment of that folder changes places with each of the others in turn, until the end of the `with`."""

    def __init__(self, folder, others):
        self.here, self.others = os.path.join(folder, "environment"), [folder + "-" + str(n) for n in range(len(others))]
        for make, path in zip(others, self.others):
            make(path)
        self.over, self.count = threading.Event(), 0
        self.failed = []
        self.thread = threading.Thread(target=self._change)

    def _change(self):
        while not self.over.is_set():
            for path in self.others:
                if LIBC.renameat2(AT_FDCWD, self.here.encode(), AT_FDCWD, path.encode(), EXCHANGE):
                    self.failed.append(os.strerror(ctypes.get_errno()))
                    return
                self.count += 1
                self.over.wait(0.0005)  # other tests want a processor, too

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        assert self.count and not self.failed, (self.count, self.failed)


def held(vm):
    """Files of the share that QEMU has open."""
    folder, found = f"/proc/{vm.qemu.pid}/fd", []
    for name in os.listdir(folder):
        try:
            found.append(os.readlink(os.path.join(folder, name)))
        except FileNotFoundError:
            continue  # closed since
    return [path for path in found if path.startswith(vm.path("env_share") + "/") or path.startswith(vm.path("env_share-"))]


def other(path):
    with open(path, "w", encoding="ascii") as file:
        file.write("LOOK=1\n" + text("other"))


def whole(lines):
    """The environment that the agent sees is one of both texts, from its first byte to its last."""
    saw = [line[len(SEES):] for line in lines if line.startswith(SEES)]
    assert saw in [("LOOK=1\n" + text(who)).splitlines() for who in ("first", "other")], saw
    return saw[1]


def a_file_that_changes_places_is_one_of_both():
    with machine(lambda folder: None) as vm, Changing(vm.path("env_share"), [other]) as changing:
        vm.wait_line(READY)
        who, open_files = whole(vm.lines), held(vm)
    assert not open_files, open_files
    print(f"# {who}, after {changing.count} changes")


def a_file_that_changes_its_kind_is_refused_or_whole():
    kinds = [other, lambda path: os.symlink("/etc/passwd", path), os.mkdir, pipe, sock, endless]
    with machine(lambda folder: None) as vm, Changing(vm.path("env_share"), kinds):
        # As it happens: the agent is there, or init's line.
        vm.wait_line((READY, "boot stopped: "))
        if any(READY in line for line in vm.lines):
            print("# " + whole(vm.lines))
        else:
            print("# " + refusal(vm.wait_end()))


def answered(change):
    """(how it ended, its lines, how many answers there were) of a boot whose server answers so."""
    vm = Vm(image(), "LOOK=1\n" + text("first"), CERTS, append=loud(image()), extra=STEADY)
    with Answers(vm, change) as answers:
        how = ending(vm, alive=answers.alive, wordless=True)
        lines = vm.lines[:]
    answers.alive()
    assert not mistakes(lines), "\n".join(lines)
    return how, lines, answers.count


def answers_that_are_left_as_they_are_change_nothing():
    how, lines, count = answered(lambda data: (data, None))
    assert how == READY and whole(lines) and count > 10, (count, lines)


def a_server_of_another_version_stops_the_boot():
    """What the debugger writes is what the guest's driver reads."""
    how, lines, _ = answered(lambda data: (data.replace(b"9P2000.L", b"9Q2000.L") if data[4] == RVERSION else data, None))
    assert how == STOPPED and any("boot stopped: mount the 9p share 'env_share'" in line for line in lines), lines


def what_a_server_answers_at_random_is_no_mistake_of_the_kernels():
    ways, counts = collections.Counter(), collections.Counter()
    for number in range(BOOTS):
        share = (0.05, 0.1, 0.3, 1)[number % 4]
        how, lines, count = answered(at_random(f"{SEED}-{number}", share, counts))
        about = f"seed {SEED}, boot {number}: {how}\n" + "\n".join(lines)
        assert how in (READY, STOPPED, STANDS), about
        names = [line.split(": ")[2] for line in lines if re.match("probe: /etc/(cocos|certs): ", line)]
        assert len(names) <= 2 * FILES_MAX and all(re.fullmatch(r"[\w-][\w.-]*", name, re.A) for name in names), about
        ways[how] += 1
        counts["answers"] += count
        print(f"# boot {number}, {share:.0%} of {count} wrong: " + next((line for line in lines if how in line), how), flush=True)
    print(f"# seed {SEED}: " + ", ".join(f"{count} {what}" for what, count in sorted((ways + counts).items())))
    assert sum(counts.values()) > counts["answers"] > 0, counts


tap.run(sample.of([a_link_and_a_folder_without_end_are_refused, a_file_that_changes_places_is_one_of_both],
                  [what_is_no_file_of_a_share_is_refused, a_file_that_changes_places_is_one_of_both,
                   a_file_that_changes_its_kind_is_refused_or_whole,
                   answers_that_are_left_as_they_are_change_nothing, a_server_of_another_version_stops_the_boot,
                   what_a_server_answers_at_random_is_no_mistake_of_the_kernels]))
