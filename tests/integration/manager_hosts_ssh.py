# SPDX-License-Identifier: Apache-2.0
"""One manager and a host that it reaches by qemu+ssh://, with sshd and a network of its own, both set up by the commands of
docs/operators.md; and another host by a socket, which goes on whatever becomes of that one. A host whose key has changed or
that is not known, a key that the host does not know, and a manager that may start no ssh make no CVM there, and say why. An
sshd that says nothing is given up, and dialled again."""
import os
import signal
import socket
import stat
import subprocess

import grpc

import libvirt_room as room
import net_hosts
import tap
from harness import PATIENCE, Folder, until
from host_check import check
from libvirt_hosts import Host, bus
from manager_hosts import Fleet, created, hosts
from manager_libvirt import UNIT, Manager, refused


class Far(Fleet):
    """Under its unit with the drop-in of docs/operators.md."""

    def __init__(self, folder, *words):
        super().__init__(folder, *words)
        self.unit = net_hosts.unit_of_docs()

    def begin(self, *there):
        """With those hosts alone connected."""
        Manager.start(self)
        self.until_there(*there)
        return self


def far():
    return hosts[0]


def near():
    return hosts[1]


def made_there(m):
    until(lambda: (created(m, agent_certs_token="s3cret") or True) and m.on(far()), "a CVM there")
    return m.on(far())[0]


def host_row(m):
    return check("cocos-manager", {f"MANAGER_{key}": value for key, value in m.settings.items()})[1][f"host {far().name}"]


def until_row(m, outcome, words=""):
    """What --check says of the host. It gives one up after 20 s, which a machine with much else to do may take for this."""
    return until(lambda: (row := host_row(m))["outcome"] == outcome and words in row["found"] and row, f"{outcome}: {words}")


def cvms_live_there_and_outlive_the_manager():
    with Folder() as folder, Far(folder) as m:
        until_row(m, "ok")
        cvm = made_there(m)
        m.assert_as_recorded()
        path = os.path.join(far().pool, f"cocos-{cvm}.img")
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600 and not os.listdir(m.secrets)
        # Its agent's port is that host's, which is elsewhere.
        with socket.create_connection((far().address, int(m.info(cvm).forwarded_port)), PATIENCE):
            pass
        before = set(m.vms())
        m.kill()
        m.start()
        until(lambda: m.states() == ["running"] * len(before), "all of them")
        far().stop_sshd()
        until(lambda: set(m.states(far())) == {"lost"}, "that the host is lost")
        refused(grpc.StatusCode.UNAVAILABLE, m.remove, cvm, words=far().name)
        far().start_sshd()
        until(lambda: set(m.states()) == {"running"}, "all of them again")
        assert set(m.vms()) == before
        m.remove_all()


def the_key_is_for_libvirt_alone():
    """Whoever has it gets no shell, and no way on."""
    for words in (["id"], ["-W", "127.0.0.1:22"], ["-t"]):
        done = subprocess.run(["ssh", "-o", "BatchMode=yes", "-i", net_hosts.KEY, f"cocos-hosts@{net_hosts.NAME}", *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert "uid=" not in done.stdout and "SSH-" not in done.stdout and "$" not in done.stdout, done


def refused_with(m, words):
    """By --check and by the manager, who say which host; the other one takes what there is, and that one nothing."""
    row = until_row(m, "failed", words)
    assert far().uri in row["found"], row
    m.begin(near())
    m.process.wait_line(f"libvirt: .*{net_hosts.NAME}.*{words}.*; trying again until it is there")
    assert m.create().host_address == near().address
    assert m.shown()[far().name]["state"] != "connected"
    assert not far().volumes() and not far().domains()


def and_taken_again(m):
    """As soon as it is right, by itself."""
    m.until_there(far())
    made_there(m)
    m.remove_all()
    m.stop()


def a_host_whose_key_has_changed_is_refused():
    with Folder() as folder:
        m = Far(folder)
        kept = far().change_host_key()
        try:
            refused_with(m, "Host key verification failed")
        finally:
            far().change_host_key(kept)
        and_taken_again(m)


def a_host_that_is_not_known_is_refused():
    with Folder() as folder:
        m = Far(folder)
        os.rename(net_hosts.KNOWN, net_hosts.KNOWN + ".kept")
        try:
            refused_with(m, "Host key verification failed")
            assert not os.path.exists(net_hosts.KNOWN), "it was made known"
        finally:
            os.rename(net_hosts.KNOWN + ".kept", net_hosts.KNOWN)
        and_taken_again(m)


def a_key_that_the_host_does_not_know_is_refused():
    with Folder() as folder:
        m = Far(folder)
        pair = [net_hosts.KEY, net_hosts.KEY + ".pub"]
        for name in pair:
            os.rename(name, name + ".kept")
        net_hosts.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", net_hosts.KEY)
        try:
            refused_with(m, "Permission denied")
        finally:
            for name in pair:
                os.rename(name + ".kept", name)
        and_taken_again(m)


def a_unit_without_the_drop_in_says_what_is_missing():
    with Folder() as folder:
        m = Far(folder)
        m.unit = UNIT
        m.begin(near())
        m.process.wait_line(f"libvirt: .*{net_hosts.NAME}.*CAP_SETPCAP.*drop-in; trying again")
        assert m.create().host_address == near().address
        m.remove_all()
        m.stop()


def an_ssh_that_hangs_holds_up_nobody_and_is_given_up():
    with Folder() as folder, Far(folder) as m:
        cvm = made_there(m)
        # All of it stands still, as on a machine that hangs: libvirt's keep-alive gives the connection up, and what is
        # dialled is taken by the kernel there, and answered by nobody.
        far().sshd.send_signal(signal.SIGSTOP)  # first, so that it begins no other
        stopped = {far().sshd.pid}
        while more := set(far().sessions()) - stopped:  # which begin some themselves, until they stand
            for pid in more:
                room.signal(pid, signal.SIGSTOP)
            stopped |= more
        until(lambda: set(m.states(far())) == {"lost"}, "that the host is lost")
        refused(grpc.StatusCode.UNAVAILABLE, m.remove, cvm, words=far().name)
        assert m.create().host_address == near().address
        row = host_row(m)
        assert row["outcome"] == "failed", row
        # ssh gives it up and is started anew: more than one has been there while nothing there went on.
        seen = set()
        until(lambda: seen.update(room.processes("ssh")) or len(seen) > 1, "another ssh")
        # Whoever dialled before the host was well is not waited for.
        far().stop_sshd()
        far().start_sshd()
        until(lambda: set(m.states()) == {"running"}, "all of them again")
        m.remove_all()


if __name__ == "__main__":
    room.enter(alone=True)
    net_hosts.layer()
    started = [bus()]
    hosts.extend([net_hosts.SshNetHost(3), Host(1)])
    for each in hosts:
        each.start().furnish()
    far().start_sshd()
    far().acquaint()
    tap.run([cvms_live_there_and_outlive_the_manager, the_key_is_for_libvirt_alone,
             a_host_whose_key_has_changed_is_refused, a_host_that_is_not_known_is_refused,
             a_key_that_the_host_does_not_know_is_refused, a_unit_without_the_drop_in_says_what_is_missing,
             an_ssh_that_hangs_holds_up_nobody_and_is_given_up])
