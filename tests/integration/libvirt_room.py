# SPDX-License-Identifier: Apache-2.0
"""A libvirt of one's own: in namespaces for mounts and processes, so that a test may kill it, sees
every process that is left over, and takes all of them along when it ends. Alone in its network it also
shares no port, so that rooms can be used side by side."""
import json
import os
import subprocess
import sys

import sanitized
import tap
from harness import ROOT, until

LIBRARY = os.path.join(ROOT, "scripts/lib/libvirt.sh")
URI = "qemu:///system"


def enter(alone=False):
    """Starts this program anew in the room; returns in there. `alone`: of the network it has loopback, and no more."""
    if "--in-the-room" in sys.argv:
        sys.argv.remove("--in-the-room")
        tap.ROOMS.append(os.getpid())
        furnish()
        if alone:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root to start libvirt")
        sys.exit(0)
    # The first process has to reap what others leave: libvirt waits for machines that it stopped to
    # be gone, and a zombie is not. Shells do.
    sanitized.leave()
    os.execvp("unshare", ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child",
                          *["--net"] * alone, "bash", "-c", '"$@"; exit $?', "room",
                          sys.executable, "-u", *sys.argv, "--in-the-room"])


def furnish():
    for path in ["/run", "/var/lib/libvirt", "/var/log/libvirt", "/var/log/swtpm"]:
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", path], check=True)
    for path in ["/run/dbus", "/run/lock"]:
        os.mkdir(path)
    # Debian's settings, and what libvirt keeps beside them.
    subprocess.run(["cp", "-a", "/etc/libvirt", "/run/libvirt-settings"], check=True)
    subprocess.run(["mount", "--bind", "/run/libvirt-settings", "/etc/libvirt"], check=True)


class Libvirt:
    folder = "/run/libvirt-test"

    def _shell(self, command):
        subprocess.run(["bash", "-c", f'. "{LIBRARY}" && {command} "{self.folder}"'], check=True,
                       stdout=subprocess.DEVNULL)

    def up(self):
        self._shell("libvirt_up")
        return self

    def down(self):
        self._shell("libvirt_down")

    def pid(self):
        with open(os.path.join(self.folder, "libvirtd.pid"), encoding="ascii") as file:
            return int(file.read())

    def kill(self):
        """kill -9 of libvirtd alone, as if it had crashed."""
        pid = self.pid()
        os.kill(pid, 9)
        until(lambda: not is_alive(pid), "the end of libvirtd")


def virsh(*arguments):
    return subprocess.run(["virsh", "-q", "-c", URI, *arguments], check=True, text=True,
                          capture_output=True).stdout


def domains():
    """{uuid: name} of all that libvirt knows."""
    found = {}
    for name in virsh("list", "--all", "--name").split():
        try:
            found[virsh("domuuid", name).strip()] = name
        except subprocess.CalledProcessError:
            pass  # it ended in between
    return found


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def signal(pid, number):
    """To one that may have ended by itself meanwhile."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def processes(name):
    """Ids of living processes of that program in the room."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                if file.read().strip()[:15] == name[:15] and is_alive(pid):
                    found.append(int(pid))
        except OSError:
            pass
    return found


def open_files(pid):
    """What its descriptors are of, but for those that are closed meanwhile."""
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except FileNotFoundError:
            pass
    return found


def machine(uuid):
    """The QEMU process of a domain."""
    for pid in processes("qemu-system-x86_64"):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if uuid.encode() in file.read():
                    return pid
        except OSError:
            pass
    return None


# cli; hlt; jump to hlt
HALT = b"\xfa\xf4\xeb\xfd"


# mov ah, al; mov dl, 0xfd; wait: in al, dx; test al, 0x20; jz wait; mov dl, 0xf8; mov al, ah; out dx, al: a byte that is not
# waited for is lost when nobody has read the one before.
PUT = bytes.fromhex("88 c4 b2 fd ec a8 20 74 fb b2 f8 88 e0 ee")


def talking(lines, last):
    """A kernel's code that writes AAAA, AAAB and so on to the first serial line, then these words, and halts."""
    code = bytes.fromhex(
        "ba f8 03"      # mov dx, 0x3f8
        "31 db"         # xor bx, bx
        "b9 04 00"      # line: mov cx, 4
        "89 de"         # mov si, bx
        "c1 c6 04"      # digit: rol si, 4
        "89 f0 24 0f"   # mov ax, si; and al, 15
        "04 41") + PUT + bytes.fromhex(  # add al, 'A'
            "e2 e7"     # loop digit
            "b0 0a") + PUT + bytes.fromhex(  # mov al, 10
                "43"    # inc bx
                "81 fb") + lines.to_bytes(2, "little") + bytes.fromhex("75 cb")  # cmp bx, lines; jne line
    return code + b"".join(b"\xb0" + bytes([byte]) + PUT for byte in last) + HALT


def talked(lines, last):
    """What it says."""
    digits = "ABCDEFGHIJKLMNOP"
    return "".join("".join(digits[n >> shift & 15] for shift in (12, 8, 4, 0)) + "\n"
                   for n in range(lines)).encode() + last


BOOT_DISK = {"boot_disk": {"version": 1, "serial": "cocos-boot", "size": 266240}}
SHARES = {"shares": ["env_share", "certs_share"]}


def idle_image(folder, code=HALT, given=None):
    """An image that boots in no time and does nothing: a kernel of one halt instruction; or of that code."""
    import hashlib
    kernel = bytearray(2048)
    kernel[0x1F1] = 1                                  # setup_sects
    kernel[0x1F4:0x1F8] = (64).to_bytes(4, "little")   # syssize, in 16 bytes
    kernel[0x1FE:0x200] = b"\x55\xaa"
    kernel[0x202:0x206] = b"HdrS"
    kernel[0x200:0x202] = b"\xeb\x66"                  # jump behind the header
    kernel[0x206:0x208] = (0x20C).to_bytes(2, "little")
    kernel[0x211] = 1                                  # loadflags: high
    kernel[0x22C:0x230] = (0x7FFFFFFF).to_bytes(4, "little")
    kernel[0x238:0x23C] = (2047).to_bytes(4, "little")
    kernel[0x268:0x268 + len(code)] = code
    files = {"vmlinuz": bytes(kernel), "initrd.img": b"nothing\n"}
    record = {"version": 1, "flavour": "base", "cmdline": "console=ttyS0", "min_memory_mib": 64,
              "cmdline_words": ["cocos.role_signature"], **(given or BOOT_DISK)}
    for key, name in (("kernel", "vmlinuz"), ("initrd", "initrd.img")):
        folder.write("image/" + name, files[name])
        record[key] = {"file": name, "size": len(files[name]),
                       "sha256": hashlib.sha256(files[name]).hexdigest()}
    folder.write("image/image.json", json.dumps(record))
    return folder("image")
