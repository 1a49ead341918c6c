# SPDX-License-Identifier: Apache-2.0
"""A host's boot disk against init, in whole machines: one that is not of the form, one without end, one whose
bytes change while they are read. Each is refused by a line on the console.

Arguments: the project's folder, the probe that takes the agent's place, a folder for the images. In CI the first
row runs, and guest_image.py has three more; `scripts/test long` runs all.
"""
import json
import os
import socket
import struct
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import sample  # noqa: E402
import tap  # noqa: E402
from guest_vm import PATIENCE, Vm, boot_disk, build_image  # noqa: E402

PROJECT, PROBE, IMAGES = sys.argv[1:4]
SIZE = 266240
GOOD = {"environment": b"A=LOOK\nB=2\n", "key.pem": b"key"}
BLOCK = 4096
BLOCKS = SIZE // BLOCK


def image():
    return build_image(PROJECT, "base", os.path.join(IMAGES, "base"), "--agent", PROBE)


def boot_stops(says, given=None, extra=()):
    """One line of a stopped boot with `says`, no agent, and the machine goes off."""
    with Vm(image(), None, (), given=given, extra=extra) as vm:
        lines = vm.wait_end()
    ours = [line for line in lines if "cocos-init" in line or "probe" in line]
    assert len(ours) == 2 and "started" in ours[0], lines
    assert "boot stopped: " in ours[1] and says in ours[1], lines


def boots(given=None, extra=()):
    """What the agent sees."""
    with Vm(image(), None, (), given=given, extra=extra) as vm:
        vm.wait_line("probe: ready")
        return vm.lines[:]


class Server:
    """An NBD server (the newstyle handshake with one export), for a disk whose blocks are `content(number)`.
    `reads` are the numbers of all that were read, in that order."""

    def __init__(self, folder, content):
        self.path, self.content = os.path.join(folder, "nbd.sock"), content
        self.reads, self.failed = [], []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(1)
        self.listener.settimeout(PATIENCE)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    @property
    def arguments(self):
        return ["-blockdev", json.dumps({
            "driver": "nbd", "node-name": "boot", "read-only": True,
            "server": {"type": "unix", "path": self.path}, "export": "boot"}),
            "-device", "virtio-blk-pci,drive=boot,serial=cocos-boot"]

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            more = self.link.recv(size - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data

    def _options(self):
        self.link.sendall(b"NBDMAGICIHAVEOPT" + struct.pack(">H", 1))
        self._exactly(4)
        while True:
            _, option, size = struct.unpack(">QII", self._exactly(16))
            self._exactly(size)

            def answer(kind, data=b"", option=option):
                self.link.sendall(struct.pack(">QIII", 0x3e889045565a9, option, kind, len(data)) + data)
            if option != 7:  # NBD_OPT_GO alone is known
                answer(0x80000001)
                continue
            answer(3, struct.pack(">HQH", 0, SIZE, 0b11))  # has flags, is read-only
            answer(3, struct.pack(">HIII", 3, 1, BLOCK, 32 << 20))
            answer(1)
            return

    def _bytes(self, start, size):
        data = b""
        for block in range(start // BLOCK, (start + size - 1) // BLOCK + 1):
            data += self.content(block)
            self.reads.append(block)
        return data[start % BLOCK:][:size]

    def _serve(self):
        try:
            self.link, _ = self.listener.accept()
            self._options()
            while True:
                _, _, kind, cookie, start, size = struct.unpack(">IHHQQI", self._exactly(28))
                if kind == 2:  # disconnect
                    return
                assert kind == 0 and start + size <= SIZE, (kind, start, size)
                self.link.sendall(struct.pack(">IIQ", 0x67446698, 0, cookie) + self._bytes(start, size))
        except ConnectionError:
            pass
        except Exception as error:  # pylint: disable=broad-except
            self.failed.append(error)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.thread.join(PATIENCE)
        assert not self.failed and not self.thread.is_alive(), self.failed


def blocks_of(disk):
    return [disk[at:at + BLOCK] for at in range(0, SIZE, BLOCK)]


def two_disks():
    """Two that are whole, each of many blocks, and differ in each block that holds something."""
    return [blocks_of(boot_disk({"environment": b"A=LOOK\nWHO=%s\n" % who + (b"#" + who * 60 + b"\n") * 200}))
            for who in (b"first", b"other")]


def served(content, run):
    with tempfile.TemporaryDirectory(prefix="cocos-nbd-") as folder, Server(folder, content) as server:
        return run(server), server.reads


def each_block_is_read_once_and_nobody_reads_later():
    """Before, the kernel has looked at some of them for a table of partitions, and has forgotten them."""
    first, _ = two_disks()
    lines, reads = served(lambda block: first[block], lambda server: boots(extra=server.arguments))
    assert "probe: /etc/cocos/environment: WHO=first" in lines, lines
    assert sorted(reads[-BLOCKS:]) == list(range(BLOCKS)), reads
    print(f"# {len(reads) - BLOCKS} blocks were read by the kernel before")


def a_disk_that_changes_within_the_reading_stops_the_boot():
    """Its first block is of one disk, the rest of another."""
    first, other = two_disks()
    served(lambda block: (other if block else first)[block],
           lambda server: boot_stops("content has not the digest", extra=server.arguments))


def a_disk_without_end_or_with_none_stops_the_boot():
    with tempfile.NamedTemporaryFile() as file:
        file.write(boot_disk(GOOD))
        file.flush()
        for size in (1 << 42, 512):
            os.truncate(file.name, size)
            boot_stops(f"it has {size} bytes, not {SIZE}", extra=Vm.disk(file.name, "boot", "cocos-boot"))


def two_boot_disks_stop_the_boot():
    with tempfile.NamedTemporaryFile() as file:
        file.write(boot_disk(GOOD))
        file.flush()
        boot_stops("two disks have the serial number 'cocos-boot'", given=boot_disk(GOOD),
                   extra=Vm.disk(file.name, "more", "cocos-boot"))


def the_boot_disk_is_found_among_others_in_any_place():
    with tempfile.NamedTemporaryFile() as file:
        file.write(boot_disk({"environment": b"B=3\n"}))
        file.flush()
        extra = [word for name, serial, slot in (("one", "", "0x10"), ("two", "cocos-boot2", "0x1d"),
                                                 ("three", "root", "0x1c"))
                 for word in Vm.disk(file.name, name, serial, slot)]
        lines = boots(boot_disk(GOOD), extra)
    assert "probe: /etc/cocos/environment: B=2" in lines, lines
    assert "probe: /etc/certs: key.pem" in lines and "probe: /etc/certs: cert.pem" not in lines, lines


def what_is_not_of_the_form_stops_the_boot():
    rows = [
        ("does not start with 'cocos-boot-disk'", bytes(SIZE)),
        ("version 2 is not 1", boot_disk(GOOD, version=2)),
        ("its content has not the digest", boot_disk(GOOD)[:-SIZE + 80] + bytes(SIZE - 80)),
        ("'key.pem' is larger than 65536 bytes", boot_disk({"key.pem": b"k" * 65537})),
        ("there is no file of the name 'more'", boot_disk({**GOOD, "more": b""})),
        ("behind its last file", boot_disk(GOOD, count=1)),
        ("not all zeros", boot_disk(GOOD, behind=b"\0x")),
    ]
    for says, given in rows:
        assert len(given) == SIZE, says
        boot_stops(says, given)


tap.run([
    each_block_is_read_once_and_nobody_reads_later,
    *sample.of([], [a_disk_that_changes_within_the_reading_stops_the_boot,
                    a_disk_without_end_or_with_none_stops_the_boot,
                    two_boot_disks_stop_the_boot,
                    the_boot_disk_is_found_among_others_in_any_place,
                    what_is_not_of_the_form_stops_the_boot]),
])
