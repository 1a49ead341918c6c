# SPDX-License-Identifier: Apache-2.0
"""What a guest reaches of its host through QEMU's user network, with packaging/nftables and without.

The test is the guest: it sits at the other end of the network card, so that it can send what no kernel
would. Host and guest are in a network namespace of their own.
"""
import os
import pwd
import select
import socket
import struct
import subprocess
import sys
import time

import tap
from harness import PATIENCE, ROOT

RULES = os.path.join(ROOT, "packaging/nftables/guests.nft")
UNIT = os.path.join(ROOT, "packaging/systemd/nftables.service.d/cocos-guests.conf")
SERVICE, OTHER, FORWARDED = 7001, 7002, 7100
HOST = "192.0.2.1"  # an address of this host that is not on loopback
CARD, GROUP = "198.51.100.1", "239.1.2.3"
GUEST, GUEST_MAC, HOST_MAC = "10.0.2.15", bytes.fromhex("525400123456"), bytes.fromhex("52550a000202")
SYN, RST, ACK = 2, 4, 16


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def packet(destination, protocol, segment, at):
    """An Ethernet frame; `at` is where the segment's checksum belongs."""
    addresses = socket.inet_aton(GUEST) + socket.inet_aton(destination)
    total = checksum(addresses + struct.pack(">HH", protocol, len(segment)) + segment)
    segment = segment[:at] + struct.pack(">H", total) + segment[at + 2:]
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 1, 0, 64, protocol, 0) + addresses
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return HOST_MAC + GUEST_MAC + b"\x08\0" + head + segment


class Guest:
    """QEMU without a machine, as the user that libvirt starts it as, and a card's end of its network."""

    def __enter__(self):
        self.link, theirs = socket.socketpair()
        number = theirs.fileno()
        user = pwd.getpwnam("libvirt-qemu")
        self.qemu = subprocess.Popen(
            ["setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups",
             "qemu-system-x86_64", "-machine", "none", "-nodefaults", "-display", "none",
             "-netdev", f"user,id=user,hostfwd=tcp:127.0.0.1:{FORWARDED}-{GUEST}:7002",
             "-netdev", f"socket,id=card,fd={number}",
             "-netdev", "hubport,id=one,hubid=0,netdev=user",
             "-netdev", "hubport,id=two,hubid=0,netdev=card"], pass_fds=[number],
            stdin=subprocess.DEVNULL)
        theirs.close()
        self.port = 40000
        # Tells the network where the guest is, until it answers: before QEMU runs it hears nothing.
        ask = (b"\xff" * 6 + GUEST_MAC + b"\x08\x06" + struct.pack(">HHBBH", 1, 0x800, 6, 4, 1) +
               GUEST_MAC + socket.inet_aton(GUEST) + bytes(6) + socket.inet_aton("10.0.2.2"))
        end = time.monotonic() + PATIENCE
        self.send(ask)
        while not select.select([self.link], [], [], 0.1)[0]:
            assert time.monotonic() < end, "the network does not answer"
            self.send(ask)
        return self

    def __exit__(self, *_):
        self.qemu.kill()
        self.qemu.wait()
        self.link.close()

    def send(self, frame):
        self.link.sendall(struct.pack(">I", len(frame)) + frame)

    def _take(self, size):
        data = b""
        while len(data) < size:
            assert select.select([self.link], [], [], PATIENCE)[0], "the network says nothing"
            more = self.link.recv(size - len(data))
            assert more, "QEMU has ended"
            data += more
        return data

    def segment(self, wanted):
        """The first TCP segment (source port, destination port, flags) that is wanted."""
        while True:
            frame = self._take(struct.unpack(">I", self._take(4))[0])
            if frame[12:14] == b"\x08\0" and frame[23] == socket.IPPROTO_TCP:
                tcp = frame[14 + 4 * (frame[14] & 15):]
                found = (*struct.unpack(">HH", tcp[:4]), tcp[13] & (SYN | RST | ACK))
                if wanted(*found):
                    return found

    def connects(self, address, port):
        """Whether a connection is taken; the alternative is a reset."""
        self.port += 1
        mine = self.port
        self.send(packet(address, socket.IPPROTO_TCP,
                         struct.pack(">HHIIBBHHH", mine, port, 1, 0, 5 << 4, SYN, 8192, 0, 0), 16))
        _, _, flags = self.segment(lambda source, to, flags: (source, to) == (port, mine))
        assert flags in (SYN | ACK, RST | ACK), flags
        return flags == SYN | ACK

    def tells(self, address, port, data):
        self.send(packet(address, socket.IPPROTO_UDP,
                         struct.pack(">HHHH", 50000, port, 8 + len(data), 0) + data, 6))


def listeners():
    """What anybody may have on a host: on loopback, and on every address."""
    made = []
    for address, port in (("127.0.0.1", SERVICE), ("0.0.0.0", OTHER)):
        listener = socket.socket()
        listener.bind((address, port))
        listener.listen(64)
        made.append(listener)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", OTHER))
    made.append(udp)
    return made


def shut_rules():
    subprocess.run(["nft", "-f", RULES], check=True)


WAYS_IN = ["10.0.2.2", "127.0.0.1", "127.1.2.3", HOST]


def without_rules_a_guest_reaches_the_hosts_loopback():
    """What the rules are for; and that the next tests would notice."""
    with Guest() as guest:
        for address in WAYS_IN:
            assert guest.connects(address, OTHER), address
        guest.tells("10.0.2.2", OTHER, b"unshut")
        assert select.select([UDP], [], [], PATIENCE)[0] and UDP.recv(99) == b"unshut"


def with_them_it_reaches_the_computation_service_alone():
    shut_rules()
    shut_rules()  # as each start of the manager does
    with Guest() as guest:
        for address in WAYS_IN:
            assert not guest.connects(address, OTHER), address
        assert not guest.connects("10.0.2.2", 22)
        assert not guest.connects("10.0.2.2", FORWARDED)  # an agent, its own or another's
        assert guest.connects("10.0.2.2", SERVICE)
        guest.tells("10.0.2.2", OTHER, b"not to be heard")
        assert guest.connects("10.0.2.2", SERVICE)  # the network has gone on behind it
        assert not select.select([UDP], [], [], 0)[0], UDP.recv(99)


def tells_the_group(user):
    """Whether somebody on this host hears what `user`, as QEMU is, sends to a multicast group outside of loopback."""
    send = ("import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
            f"s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton('{CARD}')); "
            f"s.sendto(b'%s', ('{GROUP}', {OTHER}))")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hears:
        hears.bind((GROUP, OTHER))
        hears.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                         socket.inet_aton(GROUP) + socket.inet_aton(CARD))
        subprocess.run(["setpriv", "--reuid", user, "--clear-groups", "--regid", "65534",
                        "/usr/bin/python3", "-c", send % "theirs"], check=False,
                       stderr=subprocess.DEVNULL)
        subprocess.run(["/usr/bin/python3", "-c", send % "ours"], check=True)
        assert select.select([hears], [], [], PATIENCE)[0], "not even ours is heard"
        return hears.recv(99) == b"theirs"


def nor_does_it_reach_the_host_as_one_of_many():
    subprocess.run(["nft", "delete", "table", "inet", "cocos_guests"], check=True)
    assert tells_the_group("libvirt-qemu")
    shut_rules()
    assert not tells_the_group("libvirt-qemu")
    assert tells_the_group("nobody")


def they_come_back_when_nftables_has_flushed_them():
    with open(UNIT, encoding="ascii") as file:
        lines = [line.strip().partition("=") for line in file if line.startswith("Exec")]
    assert [key for key, _, _ in lines] == ["ExecStartPost", "ExecReload", "ExecStopPost"], lines
    for _, _, command in lines:
        subprocess.run(["nft", "flush", "ruleset"], check=True)
        assert tells_the_group("libvirt-qemu")
        subprocess.run(command.replace("/etc/cocos/guests.nft", RULES).split(), check=True)
        assert not tells_the_group("libvirt-qemu"), command


def ports_that_are_forwarded_to_it_are_open_still():
    with Guest() as guest, socket.create_connection(("127.0.0.1", FORWARDED), PATIENCE):
        assert guest.segment(lambda source, to, flags: to == 7002)[2] == SYN


def other_users_of_the_host_are_not_touched():
    for port in (SERVICE, OTHER):
        socket.create_connection(("127.0.0.1", port), PATIENCE).close()
    UDP_CLIENT = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    UDP_CLIENT.sendto(b"x", ("127.0.0.1", OTHER))
    assert select.select([UDP], [], [], PATIENCE)[0] and UDP.recv(9) == b"x"
    UDP_CLIENT.close()


def enter():
    """Starts this program anew in a network of its own; returns in there."""
    if "--in-the-room" in sys.argv:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["ip", "address", "add", HOST + "/32", "dev", "lo"], check=True)
        for words in ("tuntap add card mode tap", f"address add {CARD}/24 dev card", "link set card up"):
            subprocess.run(["ip", *words.split()], check=True)
        return
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root for a network of its own")
        sys.exit(0)
    for needed in (["nft", "list", "ruleset"], ["id", "libvirt-qemu"]):
        if subprocess.run(["unshare", "--net", "sh", "-c", '"$@"', "sh", *needed], check=False,
                          capture_output=True).returncode:
            print(f"1..0 # SKIP {' '.join(needed)}: not here")
            sys.exit(0)
    os.execvp("unshare", ["unshare", "--net", sys.executable, "-u", *sys.argv, "--in-the-room"])


if __name__ == "__main__":
    enter()
    *_, UDP = LISTENERS = listeners()
    tap.run([
        without_rules_a_guest_reaches_the_hosts_loopback,
        with_them_it_reaches_the_computation_service_alone,
        nor_does_it_reach_the_host_as_one_of_many,
        they_come_back_when_nftables_has_flushed_them,
        ports_that_are_forwarded_to_it_are_open_still,
        other_users_of_the_host_are_not_touched,
    ])
