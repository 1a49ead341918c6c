# SPDX-License-Identifier: Apache-2.0
"""The guest image in real virtual machines: what boots, what stops the boot, what is inside.

Arguments: the project's folder, the probe that takes the agent's place, a folder for the images.
"""
import hashlib
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tap  # noqa: E402
from guest_vm import KERNEL, Ethernet, Vm, boot_disk, build_image  # noqa: E402

PROJECT, PROBE, IMAGES = sys.argv[1:4]
CERTS = {"cert.pem": b"certificate", "key.pem": b"key", "ca.pem": b"authority"}
SEED = 20261120
NO_MODULE = "load a module: " + ("EPERM" if KERNEL == "stock" else "ENOSYS")


def image(flavour, boot_from="disk"):
    """The image with the probe for an agent, built when first asked for."""
    out = os.path.join(IMAGES, flavour if boot_from == "disk" else f"{flavour}-{boot_from}")
    if out not in image.built:
        build_image(PROJECT, flavour, out, "--agent", PROBE, "--boot-from", boot_from)
        image.built.add(out)
    return out


image.built = set()


def boot_stops(says, folder=None, **options):
    """The machine prints one line of a stopped boot with `says`, starts no agent and goes off."""
    with Vm(folder or image("base"), **{"environment": "X=1\n", "certs": CERTS, **options}) as vm:
        lines = vm.wait_end()
    ours = [line for line in lines if "cocos-init" in line or "probe" in line]
    assert len(ours) == 2 and "started" in ours[0], lines
    assert "boot stopped: " in ours[1] and says in ours[1], lines


def the_base_image_boots_and_is_what_it_says():
    with Vm(image("base"), "A=LOOK\nB=2\n", CERTS) as vm:
        init = vm.wait_line("cocos-init: ")
        agent = vm.wait_line("agent started")
        vm.wait_line("probe: ready")
        lines = vm.lines[:]
    print(f"# init runs after {init:.1f} s, the agent after {agent:.1f} s")
    probe = [line[len("probe: "):] for line in lines if line.startswith("probe: ")]
    for wanted in (
            "argument: --config", "argument: /etc/cocos", "argument: --certs",
            "argument: /etc/certs", "argument: --work", "argument: /var/lib/cocos",
            "/etc/cocos/environment: A=LOOK", "/etc/cocos/environment: B=2",
            "/etc/cocos: environment", "/etc/certs: ca.pem", "/etc/certs: cert.pem",
            "/etc/certs: key.pem", "/etc/resolv.conf: nameserver 10.0.2.3",
            "/written: EROFS", "/etc/written: EROFS", "/etc/cocos/written: EROFS",
            "/run/written: ok", "/tmp/program: EACCES", "ran: --ran", "tpm: ok",
            NO_MODULE, "configfs: ok", "cgroup2: ok", "securityfs: ok",
            "core dumps: no", "sandbox: ok", "ipv6: ok", "zombies: 0", "processes: 2"):
        assert wanted in probe, f"'{wanted}' is not in:\n" + "\n".join(probe)
    assert any(line.startswith("/etc/cocos-image: cocos ") and line.endswith(" base")
               for line in probe), probe
    for never in ("shell: ", "set-id: ", "not root's: "):
        assert not any(line.startswith(never) for line in probe), probe
    assert any("eth0: 10.0.2.15/24" in line for line in lines), lines


def what_is_executed_is_measured_wherever_it_lies():
    """The kernel's list has the agent, on the root, and a program on a memory-backed file system."""
    with Vm(image("base"), "A=LOOK MEASURED\n", CERTS) as vm:
        vm.wait_line("probe: ready")
        lines = vm.lines[:]
    entry = re.compile(r"ascii_runtime_measurements: (\d+) [0-9a-f]{40} ima-\w+ (\w+):([0-9a-f]+)"
                       r" (\S+)")
    found = [match.groups() for match in map(entry.search, lines) if match]
    assert found and found[0][3] == "boot_aggregate", lines
    assert all(pcr == "10" and algorithm == "sha256" for pcr, algorithm, _, _ in found), found
    with open(PROBE, "rb") as file:
        probe = hashlib.sha256(file.read()).hexdigest()
    names = {name: digest for _, _, digest, name in found}
    assert names.get("/usr/bin/cocos-agent") == probe, found
    assert names.get("/var/lib/cocos/program") == probe, found
    assert any(name.endswith(".ko") for name in names) == (KERNEL == "stock"), found
    pcr10 = [line for line in lines if "pcr-sha256/10: " in line]
    assert len(pcr10) == 1 and not pcr10[0].endswith("0" * 64), pcr10


def an_unknown_word_stops_the_boot():
    line = "console=ttyS0 quiet panic=-1 oops=panic"
    boot_stops("unknown word 'init=/bin/sh'", append=line + " init=/bin/sh")
    boot_stops("unknown word 'mitigations=off'", append="mitigations=off " + line)


def a_word_given_twice_stops_the_boot():
    boot_stops("'quiet' is there twice", append="console=ttyS0 quiet quiet")


def the_launchers_words_are_taken():
    with Vm(image("base"), "", CERTS) as vm:
        words = vm.record["cmdline_words"]
    assert words
    with Vm(image("base"), "", CERTS, append=" ".join(
            [vm.record["cmdline"], *words, "initrd=initrd"])) as vm:
        vm.wait_line("probe: ready")


def a_boot_disk_that_is_missing_or_wrong_stops_the_boot():
    """What is not one whole disk of the one form; boot_disk.py has the other ways to be wrong."""
    boot_stops("'cocos-boot' is missing", environment=None)
    boot_stops("no file of the name '../environment'", given=boot_disk({"../environment": b"X=1\n"}))
    boot_stops("it has 266752 bytes, not 266240", given=boot_disk({"environment": b"X=1\n"}, size=266752))


def an_image_for_older_managers_takes_their_shares_and_no_disk():
    """Which of both is in the measured initrd: a host that offers both gets nothing."""
    folder = image("base", "shares")
    with Vm(folder, "A=LOOK\nB=2\n", CERTS) as vm:
        assert vm.record["shares"] == ["env_share", "certs_share"] and "boot_disk" not in vm.record
        vm.wait_line("probe: ready")
        lines = vm.lines[:]
    for wanted in ("/etc/cocos/environment: B=2", "/etc/cocos: environment", "/etc/certs: ca.pem",
                   "/etc/certs: cert.pem", "/etc/certs: key.pem", "/etc/cocos/written: EROFS"):
        assert "probe: " + wanted in lines, "\n".join(lines)
    with tempfile.NamedTemporaryFile() as disk:
        disk.write(boot_disk({"environment": b"B=3\n"}))
        disk.flush()
        boot_stops("launch with one of both", folder, extra=Vm.disk(disk.name, "more", "cocos-boot"))


TYPED = (b"cocos-init: typed\r\nprobe: typed\n" + bytes(range(256)) +  # with ^C, ^\\, ^Z, ^D and ^S
         b"\x1b[6n\x1b[c\x1b]0;cocos-init: typed\x07\x1bP+q544e\x1b\\\x9b6n\xc2\x9b6n" +
         "\u202ecocos-init: typed\n".encode() + b"\0" * 64 + b"\xff" * 64 + b"\ncocos-init: typed\n\x13")
TIME = re.compile(r"\[ *\d+\.\d+\] ")
KEYS = b"0123456789acdefghijklmnpqrstuvwxyz?ob"  # of SysRq; the last two end a machine that listens


def what_it_says(typed):
    """A boot, an agent and its end; while somebody types, or nobody does."""
    with Vm(image("base"), "A=1\n", CERTS) as vm:
        if typed:
            vm.wait_for_listener(vm.path("qmp"))
            vm.type(b"\x13")  # before the kernel has opened the port: what comes next would be held back
            vm.wait_line("cocos-init: ")
            vm.type(3 * TYPED)
            # Until /proc is there a break has the kernel listen to the next byte, and an o would end any machine.
            vm.wait_line("root is up")
            for _ in range(3):
                vm.send_break()
                vm.type(b"o" + TYPED)
        vm.wait_line("probe: ready")
        if typed:
            vm.type(b"x" * 4096 + random.Random(SEED).randbytes(4096) + TYPED)
            for key in KEYS:
                vm.send_break()
                vm.type(bytes([key]))
            vm.type(TYPED)
            print(f"# seed {SEED}: the port took {vm.wait_taken(30)} of {vm.sent} bytes")
        vm.command("system_powerdown")
        lines = vm.wait_end()
    assert not any("sysrq" in line for line in lines), lines
    # What else the kernel says hangs on how busy the host is.
    return [TIME.sub("", line) for line in lines if not line.startswith("[")]


def nobody_reads_what_is_typed():
    """Bytes, breaks and SysRq at the serial port change nothing that a machine does or says."""
    untouched = what_it_says(typed=False)
    assert any("told to end: Terminated" in line for line in untouched), untouched
    assert any("ended with status 0: powering off" in line for line in untouched), untouched
    typed = what_it_says(typed=True)
    assert typed == untouched, f"{typed}\n{untouched}"


def the_end_of_the_agent_is_the_end_of_the_machine():
    for word, says in (("EXIT3", "ended with status 3"), ("CRASH", "ended by signal 6")):
        with Vm(image("base"), f"X={word}\n", CERTS) as vm:
            lines = vm.wait_end()
        assert any(says + ": powering off" in line for line in lines), lines


def the_power_button_stops_the_agent_first():
    with Vm(image("base"), "", CERTS) as vm:
        vm.wait_line("probe: ready")
        vm.command("system_powerdown")
        lines = vm.wait_end()
    assert any("power button: stopping" in line for line in lines), lines
    assert any("probe: told to end: Terminated" in line for line in lines), lines
    assert any("ended with status 0: powering off" in line for line in lines), lines


def an_agent_that_does_not_stop_is_killed():
    with Vm(image("base"), "X=STUBBORN\n", CERTS) as vm:
        vm.wait_line("probe: ready")
        vm.command("system_powerdown")
        lines = vm.wait_end()
    assert any("ended by signal 9: powering off" in line for line in lines), lines


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class DhcpServer:
    """Answers what the guest asks: with rubbish at first, then as a server should."""

    mac = b"\x52\x54\x00\x99\x99\x99"

    def __init__(self, ethernet, rubbish):
        self.ethernet, self.rubbish, self.random = ethernet, rubbish, random.Random(SEED)

    def request(self):
        """The next DHCP message of the guest, and its Ethernet address."""
        while True:
            frame = self.ethernet.receive()
            if frame[12:14] == b"\x08\x00" and frame[23] == 17 and frame[36:38] == b"\x00\x43":
                return frame[42:], frame[6:12]

    def frame(self, message, guest):
        udp = struct.pack(">HHHH", 67, 68, 8 + len(message), 0) + message
        ip = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, 0x0a090801,
                         0xffffffff)
        ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
        return b"\xff" * 6 + self.mac + b"\x08\x00" + ip + udp

    @staticmethod
    def reply(request, guest, kind, address=0x0a090807, extra=b""):
        head = b"\x02\x01\x06\x00" + request[4:8] + bytes(8) + struct.pack(">I", address) + \
            bytes(8) + guest + bytes(10 + 192)
        return head + bytes.fromhex("63825363") + bytes([53, 1, kind, 54, 4, 10, 9, 8, 1, 1, 4, 255,
                                                         255, 255, 0, 51, 4, 0, 0, 14, 16]) + \
            extra + b"\xff"

    def hostile(self, request, guest):
        """Replies that are each wrong in one way or in many."""
        good = self.reply(request, guest, 2)
        yield from (b"", b"\0", good[:239], good[:-1], good + b"x" * 1300)
        yield self.reply(request, guest, 5)
        yield self.reply(request, guest, 6)
        yield self.reply(b"\0" * 8, guest, 2)
        yield self.reply(request, b"\x52\x54\0\0\0\0", 2)
        for address in (0, 0x7f000001, 0xffffffff, 0xe0000001, 0x0a0908ff):
            yield self.reply(request, guest, 2, address)
        for extra in (b"\x03\x04\x7f\0\0\1", b"\x03\x03\1\2\3", b"\x06\xff\1", b"\x1a\x02\0\0", b"\x1a\x02\0\1",
                      b"\x01\x04\xff\0\xff\0", b"\x35\x01\x02"):
            yield self.reply(request, guest, 2, extra=extra)
        for _ in range(self.rubbish):
            data = bytearray(good)
            for _ in range(self.random.randrange(1, 12)):
                data[self.random.randrange(len(data))] = self.random.randrange(256)
            # What still is a good offer would rightly be taken: it answers someone else.
            data[4] ^= 0x40
            yield bytes(data)

    def serve(self):
        """Until the guest has a lease; the address that it asked for in the end."""
        attacked = 0
        while True:
            request, guest = self.request()
            kind = request[242]
            if kind == 1 and attacked < 2:
                for message in self.hostile(request, guest):
                    self.ethernet.send(self.frame(message, guest))
                attacked += 1
            elif kind == 1:
                self.ethernet.send(self.frame(self.reply(request, guest, 2), guest))
            elif kind == 3:
                wrong = self.reply(request, guest, 5, 0x0a090806)
                self.ethernet.send(self.frame(wrong, guest))
                self.ethernet.send(self.frame(self.reply(request, guest, 5), guest))
                return request


def a_hostile_dhcp_server_gets_nothing_but_another_question():
    print(f"# seed {SEED}")
    with tempfile.TemporaryDirectory(prefix="cocos-net-") as folder:
        ethernet = Ethernet(folder)
        try:
            with Vm(image("base"), "", CERTS, net=ethernet.arguments) as vm:
                ethernet.accept()
                request = DhcpServer(ethernet, 100).serve()
                assert b"\x32\x04\x0a\x09\x08\x07" in request, request.hex()
                vm.wait_line("eth0: 10.9.8.7/24")
                vm.wait_line("probe: ready")
        finally:
            ethernet.close()


def a_network_without_an_answer_delays_the_agent_but_does_not_stop_it():
    with tempfile.TemporaryDirectory(prefix="cocos-net-") as folder:
        ethernet = Ethernet(folder)
        try:
            with Vm(image("base"), "", CERTS, net=ethernet.arguments) as vm:
                ethernet.accept()
                vm.wait_line("eth0: no IPv4 address yet")
                vm.wait_line("probe: ready")
                server = DhcpServer(ethernet, 0)
                server.serve()
                vm.wait_line("eth0: 10.9.8.7/24")
        finally:
            ethernet.close()


def the_python_image_runs_what_it_promises():
    with Vm(image("python"), "A=LOOK PYTHON\n", CERTS) as vm:
        agent = vm.wait_line("agent started")
        vm.wait_line("probe: ready", 1200)
        lines = vm.lines[:]
    print(f"# the agent runs after {agent:.1f} s")
    for wanted in ("numpy: exit 0", "pandas: exit 0", "sklearn: exit 0", "venv: exit 0",
                   "/written: EROFS", "sandbox: ok", NO_MODULE):
        assert "probe: " + wanted in lines, "\n".join(lines)
    for never in ("probe: shell: ", "probe: set-id: ", "probe: not root's: "):
        assert not any(line.startswith(never) for line in lines), lines


def a_root_disk_that_was_changed_is_not_used():
    """The first block is needed to mount; a later one is found out when it is read."""
    folder = image("python")
    with tempfile.TemporaryDirectory(prefix="cocos-root-", dir=IMAGES) as scratch:
        disk = os.path.join(scratch, "root.img")
        for at in (1024, None):
            subprocess.run(["cp", "--reflink=auto", os.path.join(folder, "root.img"), disk],
                           check=True)
            with open(disk, "r+b") as file:
                if at is None:  # every data block but the first few
                    blocks = os.path.getsize(disk) // 4096
                    for block in range(16, blocks):
                        file.seek(block * 4096)
                        byte = file.read(1)[0]
                        file.seek(block * 4096)
                        file.write(bytes([byte ^ 1]))
                else:
                    file.seek(at)
                    file.write(b"\xff")
            with Vm(folder, "", CERTS, root=disk) as vm:
                lines = vm.wait_end()
            assert not any("probe: " in line for line in lines), lines
            assert any("dm-verity" in line or "boot stopped" in line for line in lines), lines


def a_missing_root_disk_stops_the_boot():
    with Vm(image("python"), "", CERTS, root=False) as vm:
        lines = vm.wait_end()
    assert any("boot stopped: the root disk is missing" in line for line in lines), lines


tap.run([
    the_base_image_boots_and_is_what_it_says,
    what_is_executed_is_measured_wherever_it_lies,
    an_unknown_word_stops_the_boot,
    a_word_given_twice_stops_the_boot,
    the_launchers_words_are_taken,
    a_boot_disk_that_is_missing_or_wrong_stops_the_boot,
    an_image_for_older_managers_takes_their_shares_and_no_disk,
    nobody_reads_what_is_typed,
    the_end_of_the_agent_is_the_end_of_the_machine,
    the_power_button_stops_the_agent_first,
    an_agent_that_does_not_stop_is_killed,
    a_hostile_dhcp_server_gets_nothing_but_another_question,
    a_network_without_an_answer_delays_the_agent_but_does_not_stop_it,
    the_python_image_runs_what_it_promises,
    a_root_disk_that_was_changed_is_not_used,
    a_missing_root_disk_stops_the_boot,
])
