# SPDX-License-Identifier: Apache-2.0
"""A QEMU that runs a launch until its firmware has asked for something of fw_cfg, and is then stopped and read."""
import json
import os
import re
import socket
import struct
import subprocess
import time

from tables.fail import Failure

PATIENCE = 900  # seconds that only end a run that hangs
SELECT, DATA = 0x510, 0x511  # fw_cfg's ports (QEMU: docs/specs/fw_cfg)
DIRECTORY = 0x19
EVENT = "fw_cfg_select"
FILES_MAX, FILE_MAX = 1024, 4 << 20
AT_ONCE = 512  # requests before their answers are read
SELECTED = re.compile(EVENT + r" \S+ key (0x[0-9a-f]+) ")


class Link:
    """One line there, one or more lines back; `ended` makes the Failure of a QEMU that is gone."""

    def __init__(self, path, ended):
        self.ended = ended
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.lines = self.socket.makefile("r", encoding="utf-8")

    def send(self, text):
        try:
            self.socket.sendall(text.encode())
        except ConnectionError:
            raise self.ended() from None

    def line(self):
        try:
            got = self.lines.readline()
        except ConnectionError:
            got = ""
        if not got:
            raise self.ended()
        return got

    def close(self):
        self.lines.close()
        self.socket.close()


def version(qemu):
    try:
        done = subprocess.run([qemu, "--version"], capture_output=True, text=True, check=True)
        events = subprocess.run([qemu, "-trace", "help"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as failure:
        raise Failure(f"'{qemu}' is no QEMU that runs: {failure}") from None
    if EVENT not in events.split():
        raise Failure(f"'{qemu}' was built without its trace event {EVENT}: take one that has it, as Debian's")
    return done.stdout.splitlines()[0]


class Machine:
    """Use it in a `with`: at its end nothing of it is left but files in `folder`."""

    def __init__(self, folder, qemu, words):
        self.folder = folder
        self.words = [qemu, *words, "-D", self.path("log"), "-trace", "enable=" + EVENT,
                      "-qmp", f"unix:{self.path('qmp')},server=on,wait=off",
                      "-qtest", f"unix:{self.path('qtest')},server=on,wait=off", "-qtest-log", "none"]
        self.processes, self.links = [], []

    def path(self, name):
        return os.path.join(self.folder, name)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        os.mkdir(self.path("tpm"))
        self.processes.append(subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + self.path("tpm"),
             "--ctrl", "type=unixio,path=" + self.path("tpm.sock")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        self.wait(lambda: os.path.exists(self.path("tpm.sock")), "swtpm does not start")
        with open(self.path("said"), "wb") as said:
            self.qemu = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        self.processes.append(self.qemu)
        self.qmp, self.qtest = (self.connect(name) for name in ("qmp", "qtest"))
        self.qmp.line()
        self.command("qmp_capabilities")

    def connect(self, name):
        def listens():
            try:
                self.links.append(Link(self.path(name), self.ended))
            except (FileNotFoundError, ConnectionRefusedError):
                return False
            return True
        self.wait(listens, "QEMU does not start")
        return self.links[-1]

    def wait(self, done, failed):
        end = time.monotonic() + PATIENCE
        while not done():
            for process in self.processes:
                if process.poll() is not None:
                    raise Failure(f"{failed}: {self.last_words()}")
            if time.monotonic() > end:
                raise Failure(f"{failed} within {PATIENCE} s")
            time.sleep(0.05)

    def ended(self):
        return Failure(f"QEMU has ended: {self.last_words()}")

    def last_words(self):
        if not os.path.exists(self.path("said")):
            return "swtpm has ended"
        with open(self.path("said"), encoding="utf-8", errors="replace") as file:
            said = file.read().strip().splitlines()
        return said[-1] if said else "QEMU has ended"

    def __exit__(self, *_):
        for link in self.links:
            link.close()
        for process in reversed(self.processes):
            process.kill()
            process.wait()

    def command(self, name, **arguments):
        self.qmp.send(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        answer = {}
        while "return" not in answer and "error" not in answer:
            answer = json.loads(self.qmp.line())
        if "error" in answer:
            raise Failure(f"QEMU refuses {name}: {answer['error'].get('desc')}")
        return answer["return"]

    # ---- fw_cfg, of a stopped machine ----

    def ask(self, *requests):
        """An answer for each request of qtest's protocol."""
        self.qtest.send("".join(request + "\n" for request in requests))
        answers = []
        while len(answers) < len(requests):
            word, _, value = self.qtest.line().strip().partition(" ")
            if word == "IRQ":
                continue
            if word != "OK":
                raise Failure(f"QEMU's qtest answers '{word} {value}'")
            answers.append(value)
        return answers

    def read(self, selector, size):
        self.ask(f"outw {SELECT:#x} {selector:#x}")
        found = bytearray()
        while len(found) < size:
            count = min(AT_ONCE, size - len(found))
            found += bytes(int(value, 16) for value in self.ask(*[f"inb {DATA:#x}"] * count))
        return bytes(found)

    def directory(self):
        """{name: (selector, size)}"""
        count, = struct.unpack(">I", self.read(DIRECTORY, 4))
        if count > FILES_MAX:
            raise Failure(f"fw_cfg has {count} files, and at most {FILES_MAX} are read")
        rows = self.read(DIRECTORY, 4 + 64 * count)[4:]
        found = {}
        for at in range(0, len(rows), 64):
            size, selector, name = struct.unpack_from(">IH2x56s", rows, at)
            found[name.rstrip(b"\0").decode("ascii", "replace")] = (selector, size)
        return found

    def files(self, names):
        """{name: content}"""
        there = self.directory()
        for name in names:
            if name not in there:
                raise Failure(f"fw_cfg has no file '{name}'")
            if not 0 < there[name][1] <= FILE_MAX:
                raise Failure(f"fw_cfg's '{name}' has {there[name][1]} bytes; from 1 to {FILE_MAX} are read")
        return {name: self.read(*there[name]) for name in names}

    def run_until(self, name):
        """Lets it run until this file was asked for; then it stands still."""
        there = self.directory()
        if name not in there:
            raise Failure(f"fw_cfg has no file '{name}'")
        selector = there[name][0]
        with open(self.path("log"), encoding="utf-8", errors="replace") as log:
            log.seek(0, os.SEEK_END)
            rest = [""]

            def asked():
                text = rest[0] + log.read()
                lines, rest[0] = text.split("\n")[:-1], text.split("\n")[-1]
                return any(int(found[1], 16) == selector for line in lines if (found := SELECTED.match(line)))
            self.command("cont")
            self.wait(asked, f"the firmware does not ask for {name}")
        self.command("stop")
