# SPDX-License-Identifier: Apache-2.0
"""A virtual machine of the guest image, by QEMU alone and without hardware acceleration."""
import fcntl
import hashlib
import json
import os
import queue
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

import guest_reach

PATIENCE = 400  # seconds that only end a test that hangs; under emulation, beside other work
ACCEPTS = 1 << 16  # flag of a listening socket in /proc/net/unix
# Debian's is there at once; ours takes minutes to compile, and `scripts/test long` boots it.
KERNEL = os.environ.get("COCOS_TEST_KERNEL", "stock")


def build_image(project, flavour, out, *options, kernel=KERNEL):
    """The image of this source, built if it is not there; returns its folder."""
    kernel, out = guest_reach.image(kernel, out)
    subprocess.run([os.path.join(project, "scripts/build-image"), flavour, "--kernel", kernel,
                    "--out", out, *options], check=True, stdout=subprocess.DEVNULL)
    return out


def boot_disk(files, version=1, magic=b"cocos-boot-disk\0", size=266240, length=None, count=None, behind=b""):
    """The disk of common/manifest/bootdisk.h with {name: bytes}, or one that is wrong in what is given."""
    entries = b"".join(struct.pack(">B", len(name)) + name.encode() + struct.pack(">I", len(data)) + data
                       for name, data in files.items())
    head = magic + struct.pack(">III", version, len(entries) if length is None else length,
                               len(files) if count is None else count)
    disk = head + hashlib.sha256(head + entries).digest() + entries + behind
    return disk + bytes(max(0, size - len(disk)))


class Vm:
    """Use it in a `with`: at its end nothing of it is left.

    `environment` is the text of that file (None: the machine has no env_share, or no boot disk); `certs`
    are {name: bytes} (None: no certs_share, or no boot disk); `given` is the boot disk in their place;
    `append` replaces the image's command line; `net` are arguments in place of user networking.
    """

    def __init__(self, image, environment="", certs=(), append=None, net=None, root=None,
                 memory=None, extra=(), given=None):
        self.image = image
        with open(os.path.join(image, "image.json"), encoding="utf-8") as file:
            self.record = json.load(file)
        self.folder = tempfile.mkdtemp(prefix="cocos-vm-")
        self.lines, self.times, self.closed = [], [], False
        self.changed = threading.Condition()
        self.append = self.record["cmdline"] if append is None else append
        self.arguments = self._given(environment, certs, given) + self._disk(root) + list(extra)
        self.arguments += net or ["-netdev", "user,id=net0"]
        self.arguments += ["-m", str(memory or self.record["min_memory_mib"])]
        self.emulation = "tcg"
        self.processes = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def _given(self, environment, certs, given):
        """In the form that the image takes. The root, whose place counts, has an earlier one than this disk."""
        if "shares" in self.record:
            return self._shares(environment, certs)
        if given is None and (environment is None or certs is None):
            return []
        if given is None:
            names = ("environment", "cert.pem", "key.pem", "ca.pem")
            files = {"environment": environment.encode(), **dict(certs)}
            given = boot_disk({name: files[name] for name in names if name in files})
            assert len(given) == self.record["boot_disk"]["size"] and not set(files) - set(names), files.keys()
        with open(self.path("boot.img"), "wb") as file:
            file.write(given)
        return self.disk(self.path("boot.img"), "boot", self.record["boot_disk"]["serial"], "0x1e")

    @staticmethod
    def disk(path, name, serial="", slot=None):
        """Arguments for one virtio disk more."""
        return ["-blockdev", json.dumps({"driver": "file", "filename": path, "node-name": name, "read-only": True}),
                "-device", f"virtio-blk-pci,drive={name},serial={serial}" + (f",addr={slot}" if slot else "")]

    def _shares(self, environment, certs):
        arguments = []
        contents = {"env_share": None if environment is None else
                    {"environment": environment.encode()},
                    "certs_share": None if certs is None else dict(certs)}
        for tag, files in contents.items():
            if files is None:
                continue
            os.mkdir(self.path(tag))
            for name, data in files.items():
                with open(os.path.join(self.path(tag), name), "wb") as file:
                    file.write(data)
            arguments += ["-fsdev", f"local,id={tag},path={self.path(tag)},security_model=none,"
                          "readonly=on", "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
        return arguments

    def _disk(self, root):
        if "root" not in self.record or root is False:
            return []
        path = root or os.path.join(self.image, self.record["root"]["file"])
        return self.disk(path, "root")

    def __enter__(self):
        os.mkdir(self.path("tpm"))
        self.processes.append(subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + self.path("tpm"),
             "--ctrl", "type=unixio,path=" + self.path("tpm.sock")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        self.wait_for_listener(self.path("tpm.sock"))
        self.started = time.monotonic()
        self.qemu = subprocess.Popen(self.words(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT)
        self.processes.append(self.qemu)
        threading.Thread(target=self._read, daemon=True).start()
        self.typed, self.sent, self.written = queue.SimpleQueue(), 0, 0
        threading.Thread(target=self._type, daemon=True).start()
        return self

    def words(self):
        """QEMU's command line."""
        return ["qemu-system-x86_64", "-machine", "q35", "-accel", self.emulation, "-cpu", "max", "-smp", "1",
                "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
                "-qmp", f"unix:{self.path('qmp')},server=on,wait=off",
                "-kernel", os.path.join(self.image, self.record["kernel"]["file"]),
                "-initrd", os.path.join(self.image, self.record["initrd"]["file"]),
                "-append", self.append, "-device", "virtio-net-pci,netdev=net0,romfile=",
                "-chardev", f"socket,id=tpm,path={self.path('tpm.sock')}",
                "-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-crb,tpmdev=tpm0",
                *guest_reach.arguments(self.record, self.folder), *self.arguments]

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        guest_reach.keep(self.folder)
        shutil.rmtree(self.folder)

    @staticmethod
    def wait_for_listener(path, seconds=PATIENCE):
        """The file is there before anybody listens; the kernel's table has both."""
        end = time.monotonic() + seconds
        while True:
            with open("/proc/net/unix", encoding="utf8") as table:
                rows = [line.split() for line in table]
            if any(row[-1] == path and int(row[3], 16) & ACCEPTS for row in rows[1:]):
                return
            if time.monotonic() > end:
                raise AssertionError(f"nobody listens at {path}")
            time.sleep(0.02)

    def _read(self):
        for line in self.qemu.stdout:
            with self.changed:
                self.lines.append(line.decode(errors="replace").rstrip("\r\n"))
                self.times.append(time.monotonic() - self.started)
                self.changed.notify_all()
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def type(self, data):
        """Bytes for the serial port, after those before. It takes them when it likes: see taken()."""
        self.typed.put(data)
        self.sent += len(data)

    def _type(self):
        try:
            while data := self.typed.get():
                for at in range(0, len(data), 4096):
                    self.qemu.stdin.write(data[at:at + 4096])
                    self.qemu.stdin.flush()
                    self.written += len(data[at:at + 4096])
        except OSError:
            pass  # the machine is gone

    def taken(self):
        """How many bytes of what was typed the serial port has taken, at least."""
        waiting = int.from_bytes(fcntl.ioctl(self.qemu.stdin, termios.FIONREAD, bytes(4)), sys.byteorder)
        return max(0, self.written - waiting)

    def wait_taken(self, seconds):
        """Until the port has taken all, or for so long: QEMU's sometimes takes no more at all."""
        end = time.monotonic() + seconds
        while self.taken() < self.sent and time.monotonic() < end and self.qemu.poll() is None:
            time.sleep(0.1)
        return self.taken()

    def send_break(self):
        """The line is held down, as whoever wants SysRq does it."""
        self.command("chardev-send-break", id="console")

    def wait_line(self, text, seconds=PATIENCE, after=0):
        """Seconds from the launch to the first line with `text`, of those behind the first `after`. The limit only
        ends a test that hangs; it says nothing about speed. Of several texts any one will do."""
        texts = (text,) if isinstance(text, str) else text
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                for line, at in zip(self.lines[after:], self.times[after:]):
                    if any(each in line for each in texts):
                        return at
                if self.closed or not self.changed.wait(max(0, end - time.monotonic())):
                    raise AssertionError(f"no line with '{text}' in:\n" + "\n".join(self.lines))

    def wait_end(self, seconds=PATIENCE):
        """The machine has powered itself off; returns what it printed."""
        try:
            status = self.qemu.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError("still runs:\n" + "\n".join(self.lines)) from None
        with self.changed:
            while not self.closed:
                self.changed.wait(5)
        assert status == 0, f"QEMU ended with {status}:\n" + "\n".join(self.lines)
        return self.lines

    def command(self, name, **arguments):
        """One QMP command."""
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(PATIENCE)
            link.connect(self.path("qmp"))
            answers = link.makefile("rw")
            answers.readline()
            for request in ({"execute": "qmp_capabilities"},
                            {"execute": name, "arguments": arguments}):
                answers.write(json.dumps(request) + "\n")
                answers.flush()
                reply = {}
                while "return" not in reply and "error" not in reply:
                    reply = json.loads(answers.readline())
            assert "return" in reply, reply
            return reply["return"]


class Ethernet:
    """The other end of the guest's network card: whole frames, by a Unix socket."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "net.sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(1)
        self.link = None

    @property
    def arguments(self):
        return ["-netdev", f"stream,id=net0,server=off,addr.type=unix,addr.path={self.path}"]

    def accept(self, seconds=PATIENCE):
        self.listener.settimeout(seconds)
        self.link, _ = self.listener.accept()
        self.link.settimeout(seconds)

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            block = self.link.recv(size - len(data))
            if not block:
                raise AssertionError("the guest's card is gone")
            data += block
        return data

    def receive(self):
        return self._exactly(int.from_bytes(self._exactly(4), "big"))

    def send(self, frame):
        self.link.sendall(len(frame).to_bytes(4, "big") + frame)

    def close(self):
        if self.link:
            self.link.close()
        self.listener.close()
