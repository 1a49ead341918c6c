# SPDX-License-Identifier: Apache-2.0
"""Hosts that accept a connection and then say nothing, at each step of being dialled by TLS and by SSH: each is given up by name
and dialled again, while another host goes on with its work; and a manager that dials them stops when it is told to."""
import ctypes
import os
import signal
import socket
import ssl
import threading

import libvirt_room as room
import net_hosts
import tap
from harness import PATIENCE, Folder, authority, until
from libvirt_hosts import Host, bus
from manager_hosts import Fleet, hosts
from manager_hosts_tls import TlsHost, client_of

LIMIT = "no answer within 60 s"
CLONE_NEWNET = 0x40000000
FAR = "10.79.1.2"  # at the end of a cable


class Silent:
    """A listener that does `meet` with whoever comes, and never lets go by itself. As a host of hosts.manager."""

    def __init__(self, name, uri, meet, address="127.0.0.1", network=None):
        self.name, self.meet, self.process, self.kept, self.went = name, meet, None, [], 0
        maker = threading.Thread(target=self.open, args=(address, network))  # alone in that network
        maker.start()
        maker.join()
        self.uri = uri.format(port=self.server.getsockname()[1])
        threading.Thread(target=self.listen, daemon=True).start()

    def open(self, address, network):
        if network:
            with open(network, "rb") as file:
                assert ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) == 0
        self.server = socket.create_server((address, 0))

    def listen(self):
        while True:
            guest, _ = self.server.accept()
            threading.Thread(target=self.take, args=(guest,), daemon=True).start()

    def take(self, guest):
        try:
            met = self.meet(guest)
            self.kept.append(met)  # so that it stays open
            while met.recv(4096):
                pass
        except OSError:
            pass
        self.went += 1

    def row(self, *words):
        return " ".join(["host", self.name, self.uri, "address=127.0.0.9", "tees=none", "cpus=64", *words]) + "\n"

    def clear(self):
        pass


def nothing(guest):
    return guest


def half_a_handshake(guest):
    guest.recv(4096)
    guest.sendall(bytes.fromhex("16 03 03 00 7a 02 00 00 76 03 03"))  # of a ServerHello, its first bytes
    return guest


def a_handshake(guest):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS("server.pem"), TLS("server-key.pem"))
    context.load_verify_locations(TLS("ca.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0  # which libvirt would take for its word
    met = context.wrap_socket(guest, server_side=True)
    met.sendall(b"\1")  # libvirt's word that the certificate is good
    return met


def a_handshake_and_the_cable(guest):
    met = a_handshake(guest)
    cable(False)
    return met


def cable(plugged):
    """Pulled, nothing arrives at either end, and neither is told that the other has gone."""
    net_hosts.run("ip", "link", "set", "far", "up" if plugged else "down")


def far_network():
    net_hosts.run("ip", "netns", "add", "far")
    net_hosts.run("ip", "link", "add", "far", "type", "veth", "peer", "name", "eth0", "netns", "far")
    net_hosts.run("ip", "address", "add", "10.79.1.1/30", "dev", "far")
    net_hosts.run("ip", "-n", "far", "address", "add", FAR + "/30", "dev", "eth0")
    net_hosts.run("ip", "-n", "far", "link", "set", "eth0", "up")
    return "/run/netns/far"


def silent_hosts():
    tls, ssh = "qemu+tls://localhost:{port}/system?pkipath=" + PKI, "qemu+ssh://root@localhost:{port}/system?keyfile=/nonexistent/key"
    return [Silent("mute", tls, nothing), Silent("half", tls, half_a_handshake), Silent("shaken", tls, a_handshake),
            Silent("gone", tls.replace("localhost", FAR), a_handshake_and_the_cable, FAR, far_network()),
            Silent("mute-ssh", ssh, nothing)]


def with_silent(m):
    cable(True)
    m.rows(only=[hosts[0], *SILENT])
    return m


def until_dialled(before):
    """Each host once more than that; what they have been then."""
    until(lambda: all(len(host.kept) > before.get(host.name, 0) for host in SILENT), "that all are dialled")
    return so_far()


def so_far():
    return {host.name: len(host.kept) for host in SILENT}


def each_is_given_up_by_name_and_dialled_again():
    before = so_far()
    with Folder() as folder, with_silent(Fleet(folder)) as m:
        once = until_dialled(before)
        made = [m.create().cvm_id for _ in range(2)]  # where somebody answers
        for host in SILENT:
            m.process.wait_line(f"host {host.name}: libvirt: .*: {LIMIT}; trying again until it is there")
        shown = {name: row["state"] for name, row in m.shown().items()}
        assert shown == {hosts[0].name: "connected", **{host.name: "lost" for host in SILENT}}, shown
        assert m.states() == ["running"] * 2 and m.on(hosts[0]) == sorted(made)
        cable(True)
        until_dialled(once)
        for cvm in made:
            m.remove(cvm)
        m.stop()


def a_manager_that_dials_them_stops():
    before = so_far()
    with Folder() as folder, with_silent(Fleet(folder)) as m:
        until_dialled(before)
        m.stop()
        until(lambda: not room.processes("ssh"), "the end of ssh", 30)  # killed, and not by its own patience, which is twice that


def one_that_is_removed_is_let_go():
    with Folder() as folder:
        m = Fleet(folder)
        cable(True)
        m.rows(only=[hosts[0]])
        with m:
            for host in SILENT:
                dialled, went = len(host.kept), host.went
                m.host("add", *host.row().split()[1:]).ok()
                until(lambda: len(host.kept) > dialled, f"that {host.name} is dialled")
                m.host("remove", host.name).ok()
                if host.name != "gone":
                    until(lambda: host.went > went, f"the end of the connection to {host.name}")
            until(lambda: not room.processes("ssh"), "the end of ssh")
        assert "trying again" not in m.process.text(), m.process.text()


def one_that_was_there_is_lost_and_comes_back():
    there = TlsHost(2, TLS)
    there.start().furnish()
    with Folder() as folder:
        kept = hosts[:]
        hosts[:] = [there]
        m = Fleet(folder)
        try:
            with m:
                cvm = m.create().cvm_id
                os.kill(there.process.pid, signal.SIGSTOP)  # nobody accepts, but the kernel does
                until(lambda: m.states() == ["lost"], "that it is lost")
                m.process.wait_line(f"host {there.name}: libvirt: .*: {LIMIT}; trying again")
                assert m.shown()[there.name]["state"] == "lost"
                m.again(there)
                until(lambda: m.states() == ["running"], "that it is seen again")
                m.remove(cvm)
        finally:
            hosts[:] = kept
            there.stop()


if __name__ == "__main__":
    room.enter(alone=True)
    net_hosts.layer()
    with Folder() as TLS:
        authority(TLS, FAR)
        PKI = client_of([TLS], TLS)
        started = [bus()]
        hosts.append(Host(1).start().furnish())
        net_hosts.run("sh", "-ec", "".join(line for line in net_hosts.commands("ssh-keyscan").splitlines(True) if ".service.d" in line))
        Fleet.unit = net_hosts.unit_of_docs()
        SILENT = silent_hosts()
        tap.run([each_is_given_up_by_name_and_dialled_again, a_manager_that_dials_them_stops,
                 one_that_is_removed_is_let_go, one_that_was_there_is_lost_and_comes_back])
