# SPDX-License-Identifier: Apache-2.0
"""What a booted guest reaches of its host: by QEMU's user network, with packaging/nftables and without.

Arguments: the project's folder, the probe that takes the agent's place, a folder for the image. Host and
guest are in a network namespace of their own (guest_network.py plays a guest that sends what no kernel
would).
"""
import os
import pwd
import select
import shutil
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import guest_network  # noqa: E402
import tap  # noqa: E402
from guest_network import FORWARDED, HOST, OTHER, SERVICE, shut_rules  # noqa: E402
from guest_vm import PATIENCE, Vm, build_image  # noqa: E402

PROJECT, PROBE, IMAGES = sys.argv[1:4]
GATEWAY, GATEWAY6 = "10.0.2.2", "fec0::2"  # of QEMU's user network: the host's 127.0.0.1 and ::1
WAYS = [("tcp", GATEWAY, OTHER), ("tcp", GATEWAY, SERVICE), ("tcp", HOST, OTHER), ("tcp", HOST, SERVICE),
        ("tcp", GATEWAY6, OTHER), ("tcp", GATEWAY6, SERVICE), ("udp", GATEWAY, OTHER)]
USER = "libvirt-qemu"


class Guest(Vm):
    """As libvirt starts it: QEMU is a user's, and a port of the host's leads to the agent's."""

    def __init__(self, image):
        super().__init__(image, "".join(f"REACH {' '.join(map(str, way))}\n" for way in WAYS),
                         {"ca.pem": b"x"},
                         net=["-netdev", f"user,id=net0,hostfwd=tcp:127.0.0.1:{FORWARDED}-:7002"])
        self.image = self.path("image")
        shutil.copytree(image, self.image)

    def words(self):
        for folder, folders, files in os.walk(self.folder):
            for name in [".", *folders, *files]:
                shutil.chown(os.path.join(folder, name), USER)
        user = pwd.getpwnam(USER)
        return ["setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid),
                "--clear-groups", *super().words()]


class Listeners:
    """What anybody may have on a host. Its backlog takes all that comes; nobody answers."""

    def __enter__(self):
        self.tcp = {}
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, HOST),
                                (socket.AF_INET6, "::1")):
            for port in (OTHER, SERVICE):
                listener = socket.socket(family)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((address, port))
                listener.listen(64)
                self.tcp[address, port] = listener
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", OTHER))
        return self

    def __exit__(self, *_):
        for one in (self.udp, *self.tcp.values()):
            one.close()

    def heard(self):
        """Who was called, now."""
        found = {at for at, listener in self.tcp.items() if select.select([listener], [], [], 0)[0]}
        return found | ({"udp"} if select.select([self.udp], [], [], 0)[0] else set())


def boots():
    """What the guest says of each of WAYS, who of the host's heard it, and what the port says that leads to the guest."""
    with Listeners() as listeners, Guest(os.path.join(IMAGES, "base")) as guest:
        guest.wait_line("probe: reached: all")
        # Inbound, and through the same network: what was sent before it has arrived or never will.
        with socket.create_connection(("127.0.0.1", FORWARDED), PATIENCE) as link:
            link.settimeout(PATIENCE)
            greeting = link.recv(5)
        guest.wait_line("probe: ready")
        said = {}
        for line in guest.lines:
            if line.startswith("probe: REACH "):
                way, _, answer = line[len("probe: REACH "):].rpartition(": ")
                said[tuple(way.split())] = answer
        assert "probe: ipv6: ok" in guest.lines, guest.lines
        print("#", said, listeners.heard())
        return said, listeners.heard(), greeting


def without_rules_a_guest_reaches_its_hosts_loopback():
    """The twin: each of these listeners would notice, and the guest's network works."""
    subprocess.run(["nft", "flush", "ruleset"], check=True)
    said, heard, greeting = boots()
    assert greeting == b"here\n"
    assert said == {(kind, to, str(port)): "ok" for kind, to, port in WAYS}, said
    assert heard == {(to, port) for to in ("127.0.0.1", HOST, "::1")
                     for port in (OTHER, SERVICE)} | {"udp"}, heard


def with_them_it_reaches_the_computation_service_alone():
    shut_rules()
    said, heard, greeting = boots()
    assert greeting == b"here\n"
    for kind, to, port in WAYS:
        answer = said[kind, to, str(port)]
        # A datagram is sent, whether or not anybody hears it.
        assert answer == ("ok" if port == SERVICE or kind == "udp" else "ECONNREFUSED"), said
    assert heard == {(to, SERVICE) for to in ("127.0.0.1", HOST, "::1")}, heard


if __name__ == "__main__":
    if "--in-the-room" not in sys.argv:  # in there is no network to fetch packages by
        build_image(PROJECT, "base", os.path.join(IMAGES, "base"), "--agent", PROBE)
    guest_network.enter()
    tap.run([without_rules_a_guest_reaches_its_hosts_loopback,
             with_them_it_reaches_the_computation_service_alone])
