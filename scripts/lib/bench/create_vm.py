# SPDX-License-Identifier: Apache-2.0
"""What CreateVm takes with its records in a file, and on a PostgreSQL server that writes to disk before it answers; and in
turns with them, the same domain by libvirt alone: created, and its port forwarded.

  create_vm.py ROUNDS     prints [[seconds with the file, on the server, bare], …]
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "..", "tests", each) for each in ("integration", "")]

import libvirt_room as room

BARE, NO_LIBVIRT = "bench-bare", 3
FORWARD = "hostfwd_add hostnet0 tcp:127.0.0.1:{0}-:7002"


class Shell:
    """virsh, connected: a call of libvirt costs no process."""

    def __init__(self):
        self.process = subprocess.Popen(["virsh", "-q", "-c", room.URI], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        self.call("version")

    def call(self, *commands):
        self.process.stdin.write("".join(each + "\n" for each in (*commands, "echo 'that' 'is all'", "uri")))
        self.process.stdin.flush()
        said = ""
        while "that is all" not in said:
            line = self.process.stdout.readline()
            assert line and "error:" not in line, said + line
            said += line

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def bare_of(text, folder):
    """The same domain as another one, with a boot disk and a console of its own."""
    root = ET.fromstring(text)
    root.find("name").text = BARE
    root.remove(root.find("uuid"))
    disk = root.find("devices/disk/source")
    copy = os.path.join(os.path.dirname(os.path.dirname(disk.get("file"))), "bare.img")
    shutil.copy(disk.get("file"), copy)
    disk.set("file", copy)
    for device in root.findall("devices/serial") + root.findall("devices/console"):
        device.find("source").set("path", folder("bare.console"))
    return folder.write("bare.xml", ET.tostring(root, encoding="unicode"))


def timed(call):
    began = time.monotonic()
    answer = call()
    return time.monotonic() - began, answer


def bare(shell, file, port):
    seconds, _ = timed(lambda: shell.call(f"create {file}",
                                          f"qemu-monitor-command {BARE} --hmp '{FORWARD.format(port)}'"))
    shell.call(f"destroy {BARE}")
    return seconds


def created(manager):
    seconds, cvm = timed(manager.create)
    manager.remove(cvm.cvm_id)
    return seconds


def measure(managers, folder, rounds):
    from ports import free_port

    shell, kept = Shell(), managers[0].create()
    try:
        (name,) = room.domains().values()
        file = bare_of(room.virsh("dumpxml", "--inactive", name), folder)
        turns = [*(lambda m=m: created(m) for m in managers), lambda: bare(shell, file, free_port())]
        for turn in turns:  # the first of each finds nothing in memory
            turn()
        return [[turn() for turn in turns] for _ in range(rounds)]
    finally:
        shell.close()
        managers[0].remove(kept.cvm_id)


def main():
    room.enter()
    from harness import Folder
    from manager_libvirt import Manager
    from postgres import Postgres

    try:
        libvirt = room.Libvirt().up()
    except subprocess.CalledProcessError:
        sys.exit(NO_LIBVIRT)
    server = Postgres()
    try:
        os.chmod(server.folder, 0o711)
        server.stop(signal.SIGINT)
        server.start("fsync=on")
        with Folder() as one, Folder() as two, Manager(one, LOG_LEVEL="info") as file, \
                Manager(two, LOG_LEVEL="info", DATABASE=server.place) as served:
            print(json.dumps(measure([file, served], one, int(sys.argv[1]))))
    finally:
        server.close()
        libvirt.down()


if __name__ == "__main__":
    main()
