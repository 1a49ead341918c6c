# SPDX-License-Identifier: Apache-2.0
"""One manager and three hosts, each with a libvirt of its own: where CVMs go, and what becomes of them while a host
is lost, hangs, drains or comes back, and when the manager is killed in between."""
import json
import os
import signal
import socket
import stat
import subprocess
import threading

import grpc

import libvirt_room as room
import tap
from guest_vm import boot_disk
from harness import PATIENCE, PROTOCOL, Folder, cli, program, until
from libvirt_hosts import Host, bus
from manager_libvirt import Manager, entries_of, libvirt_user, refused

manager, _ = PROTOCOL["manager"]
hosts = []


class Fleet(Manager):
    """`words` go into every row."""

    def __init__(self, folder, *words, **settings):
        self.table = folder("hosts")
        super().__init__(folder, HOSTS=self.table, **settings)
        self.rows(*words)

    def rows(self, *words, draining=(), only=None):
        with open(self.table, "w", encoding="ascii") as file:
            file.writelines(h.row(*words, *["state=draining"] * (h in draining)) for h in only or hosts)

    def host(self, *words):
        """What the command line tool does about hosts."""
        return cli("host", *words, MANAGER_GRPC_URL=f"127.0.0.1:{self.port}")

    def shown(self):
        return {row["name"]: row for row in self.host("list", "--json").json()}

    def vms(self):
        """{id: Vm} of all that are not gone."""
        return {vm.id: vm for vm in self.stub.ListVms(manager.ListVmsReq(), timeout=PATIENCE).vms}

    def states(self, host=None):
        return sorted(vm.state for vm in self.vms().values() if not host or vm.host == host.name)

    def on(self, host):
        return sorted(vm.id for vm in self.vms().values() if vm.host == host.name)

    def until_there(self, *some):
        """Hosts that were looked at take CVMs: that is behind the connection, and tells how much memory they have."""
        names = {host.name for host in some or hosts}
        for name in names:
            self.process.wait_line(f"connected to {name}")
        until(lambda: names <= {host.name for host in self.stub.ListHosts(manager.ListHostsReq(), timeout=PATIENCE).hosts
                                if host.memory}, "a look at each host")

    def start(self):
        super().start()
        self.until_there(*[host for host in hosts if host.process])
        return self

    def assert_as_recorded(self):
        """Each CVM has one machine and one volume, where its record says, and nowhere else."""
        vms = self.vms()
        for host in hosts:
            mine = self.on(host)
            assert sorted(host.domains()) == mine, (host.name, host.domains(), mine)
            assert host.volumes() == [f"cocos-{cvm}.img" for cvm in mine], (host.name, host.volumes(), mine)
        assert len(room.processes("qemu-system-x86_64")) == len(vms)
        assert set(self.records()) == set(vms)

    def assert_nothing_left(self):
        until(lambda: not self.vms(), "the end of all CVMs")
        self.assert_as_recorded()
        assert not os.listdir(self.folder("state/cvms")) and not os.listdir(self.secrets)
        until(lambda: not room.processes("swtpm"), "the end of swtpm")

    def again(self, host):
        """After its libvirt hung. Debian 12's then does what clients asked who have left it, and now and then ends of
        that by a signal, seconds later. It is begun anew, as systemd would, at a moment of the test's choice."""
        host.kill()
        until(lambda: "running" not in self.states(host), "that the host is lost")
        host.start()

    def __exit__(self, kind, *rest):
        super().__exit__(kind, *rest)
        for host in hosts if kind else []:  # the next test begins with nothing
            host.clear()

    def remove_all(self):
        for cvm in self.vms():
            self.remove(cvm)
        self.assert_nothing_left()


def code_of(call):
    try:
        call()
        return grpc.StatusCode.OK
    except grpc.RpcError as error:
        return error.code()


def cvms_are_spread_and_are_what_they_should_be():
    with Folder() as folder, Fleet(folder, "machines=2") as m:
        made = [m.create(agent_certs_token="s3cret", name=f"vm-{n}") for n in range(3)]
        vms = m.vms()
        assert sorted(vm.host for vm in vms.values()) == [h.name for h in hosts], vms
        m.assert_as_recorded()
        assert not os.listdir(m.secrets)
        for one in made:
            vm = vms[one.cvm_id]
            host = next(h for h in hosts if h.name == vm.host)
            assert (vm.state, vm.host_address, one.host_address) == ("running", host.address, host.address), vm
            with socket.create_connection((host.address, int(one.forwarded_port)), PATIENCE):
                pass
            path = os.path.join(host.pool, f"cocos-{one.cvm_id}.img")
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600 and libvirt_user(path) == "libvirt-qemu"
            with open(path, "rb") as file:
                content = file.read()
            environment = entries_of(content)["environment"]
            assert content == boot_disk({"environment": environment}) and b"AGENT_CERTS_TOKEN=s3cret\n" in environment
        refused(grpc.StatusCode.FAILED_PRECONDITION, m.stub.Console(manager.ConsoleReq(id=made[0].cvm_id)).next,
                words="virsh")
        for _ in range(3):
            m.create()
        assert [len(m.on(h)) for h in hosts] == [2, 2, 2]
        refused(grpc.StatusCode.RESOURCE_EXHAUSTED, m.create, words="3 with as many CVMs as it may have")
        m.remove(made[1].cvm_id)
        assert m.create().host_address == vms[made[1].cvm_id].host_address
        m.assert_as_recorded()
        m.remove_all()


def a_lost_host_keeps_its_cvms_and_no_other_gets_them():
    a, b, c = hosts
    with Folder() as folder, Fleet(folder, "machines=2") as m:
        for _ in range(6):
            m.create()
        before, machines = m.vms(), room.processes("qemu-system-x86_64")
        lost = m.on(b)
        watch = m.stub.WatchVms(manager.WatchVmsReq(revision=m.stub.ListVms(manager.ListVmsReq()).revision))
        b.kill()
        told = set()
        for change in watch:  # each of them, in a stream, before anybody asks
            if change.vm.state == "lost":
                told.add(change.vm.id)
            if told == set(lost):
                break
        watch.cancel()
        assert (m.states(b), m.states(a), m.states(c)) == (["lost"] * 2, ["running"] * 2, ["running"] * 2)
        refused(grpc.StatusCode.UNAVAILABLE, m.remove, lost[0], words=b.name)
        refused(grpc.StatusCode.RESOURCE_EXHAUSTED, m.create, words="1 not reachable now")
        m.remove(m.on(a)[0])
        assert m.create().host_address == a.address
        # A manager that begins without the host knows its CVMs, and makes none of them again.
        m.kill()
        b.process = None
        m.start()
        until(lambda: m.states(a) == ["running"] * 2 and m.states(c) == ["running"] * 2, "two hosts")
        assert m.states(b) == ["lost"] * 2 and m.on(b) == lost
        # One of them ends while nobody can be told.
        os.kill(room.machine(lost[1]), signal.SIGKILL)
        b.start()
        until(lambda: m.states(b) == ["running"], "its CVMs")
        assert m.on(b) == lost[:1]
        until(lambda: len(b.volumes()) == 1, "the end of the other's volume")
        m.assert_as_recorded()
        kept = [cvm for cvm in m.vms() if cvm in before]
        assert len(kept) == 4 and len([pid for pid in room.processes("qemu-system-x86_64") if pid in machines]) == 4
        m.remove_all()


def a_host_that_hangs_holds_up_nobody():
    a, b, c = hosts
    with Folder() as folder, Fleet(folder, "machines=3", MAX_VMS="12") as m:
        for _ in range(3):
            m.create()
        on = {host: m.on(host)[0] for host in hosts}
        os.kill(b.process.pid, signal.SIGSTOP)
        try:
            # More calls than one connection takes: each waits for a libvirt that does not answer.
            stuck = [threading.Thread(target=code_of, args=(lambda: m.remove(on[b]),)),
                     *(threading.Thread(target=code_of, args=(m.create,)) for _ in range(6)),
                     *(threading.Thread(target=code_of, args=(lambda: m.stub.ListStrays(manager.ListStraysReq()),))
                       for _ in range(2))]
            for thread in stuck:
                thread.start()
            m.remove(on[a])
            m.remove(on[c])
            for thread in stuck:
                thread.join()
            assert m.create().host_address in (a.address, c.address)
        finally:
            os.kill(b.process.pid, signal.SIGCONT)
        until(lambda: b.ended() or set(m.states()) <= {"running"}, "all that were left over")
        m.again(b)
        until(lambda: set(m.states()) <= {"running"}, "all that were left over")
        until(lambda: sorted(b.domains()) == m.on(b), "the end of what nobody asks for any more")
        m.assert_as_recorded()
        m.remove_all()


def a_host_that_drains_gets_no_more_and_keeps_what_it_has():
    a, b, c = hosts
    with Folder() as folder, Fleet(folder) as m:
        for _ in range(3):
            m.create()
        on_b = m.on(b)
        m.stop()
        m.rows(draining=(b,))
        m.start()
        until(lambda: set(m.states()) == {"running"}, "all hosts")
        for _ in range(3):
            assert m.create().host_address != b.address
        assert m.on(b) == on_b and len(m.on(a)) + len(m.on(c)) == 5
        m.stop()
        m.rows(draining=hosts)
        m.start()
        until(lambda: set(m.states()) == {"running"}, "all hosts")
        refused(grpc.StatusCode.FAILED_PRECONDITION, m.create, words="3 draining")
        m.remove_all()


def created(m, **fields):
    """A CVM, or None while a host that is connected was not looked at yet: it has nowhere else to go."""
    try:
        return m.create(**fields)
    except grpc.RpcError as refusal:
        assert refusal.code() == grpc.StatusCode.UNAVAILABLE, refusal
        return None


def hosts_come_and_go_while_it_runs():
    a, b, c = hosts
    with Folder() as folder, Fleet(folder) as m:
        m.stop()
        m.rows(only=[a])
        Manager.start(m)
        m.until_there(a)
        first = until(lambda: created(m), "a CVM on the only host")
        assert m.host("add", *b.row().split()[1:]).ok() == f"host {b.name} added: 'host list' says whether it is connected\n"
        m.until_there(b)
        until(lambda: m.create().host_address == b.address, "a CVM on the host that was added")
        m.host("add", *b.row().split()[1:]).refused(1, f"host {b.name} is there twice")
        m.host("add", "other", *b.row().split()[2:]).refused(1, f"host other has the URI of host {b.name}")
        m.host("add", "other", "test:///default", "tees=none").refused(1, "is no URI of a host")
        shown = m.shown()
        assert (shown[b.name]["state"], shown[b.name]["from"], shown[b.name]["address"], shown[b.name]["tees"],
                shown[b.name]["cvms"], shown[b.name]["cpus"]) == ("connected", "host add", b.address, "none", 1, 64), shown
        assert shown[a.name]["from"] == "settings" and shown[a.name]["draining"] == "", shown
        # The one of the table drains, also when the manager was killed.
        assert m.host("drain", a.name).ok() == f"host {a.name} drains\n"
        on_a = m.on(a)
        m.kill()
        Manager.start(m)
        m.until_there(a, b)
        until(lambda: set(m.states()) == {"running"}, "both hosts")
        assert m.create().host_address == b.address and m.on(a) == on_a and first.cvm_id in on_a
        m.host("drain", b.name).ok()
        refused(grpc.StatusCode.FAILED_PRECONDITION, m.create, words="2 draining")
        m.host("undrain", a.name).ok()
        assert m.create().host_address == a.address
        # A host goes when nothing is there, and is told what it keeps.
        m.host("remove", a.name).refused(1, f"host {a.name} is in MANAGER_HOSTS")
        m.host("remove", b.name).refused(1, f"host {b.name} has CVM ", "and others: remove them first")
        m.host("remove", "nobody").refused(1, "no host 'nobody'")
        b.kill()
        until(lambda: m.shown()[b.name]["state"] == "lost", "that it is lost")
        m.host("remove", b.name).refused(1, "remove them first")
        b.start()
        until(lambda: set(m.states()) == {"running"}, "its CVMs")
        for cvm in m.on(b):
            m.remove(cvm)
        left = "cocos-5b1c6d3e-0000-4000-8000-000000000001.img"
        b.virsh("vol-create-as", "cocos", left, "4k")
        assert m.host("remove", b.name).ok() == f"host {b.name} removed\n  volume '{left}' stays there\n"
        assert list(m.shown()) == [a.name]
        b.virsh("vol-delete", left, "--pool", "cocos")
        # It may come again, and be another's row by then.
        m.host("add", *b.row("state=draining").split()[1:]).ok()
        assert m.shown()[b.name]["draining"] == "draining"
        m.stop()
        m.rows(only=[a, b])
        Manager.start(m)
        m.until_there(a, b)
        assert (m.shown()[b.name]["from"], m.shown()[b.name]["draining"]) == ("settings", "draining")
        m.host("undrain", b.name).ok()
        # Another way to the same machine is no other host.
        os.symlink(os.path.join(b.folder, "libvirt-sock"), folder("same-sock"))
        m.host("add", "same", f"qemu+unix:///system?socket={folder('same-sock')}", "tees=none", "address=127.0.0.9").ok()
        until(lambda: m.shown()["same"]["problem"] == f"it is the machine of host {b.name}", "that it is the same")
        assert m.shown()[a.name]["problem"] == m.shown()[b.name]["problem"] == ""
        m.host("drain", a.name).ok()
        assert m.create().host_address == b.address
        m.host("undrain", a.name).ok()
        kept = "".join(f"  volume '{volume}' stays there\n" for volume in b.volumes())
        assert m.host("remove", "same").ok() == "host same removed\n" + kept and kept
        # One that is not there is dialled until it is, and removed without being asked.
        m.host("add", "nowhere", f"qemu+unix:///system?socket={folder('none')}", "tees=none", "address=127.0.0.9").ok()
        until(lambda: m.shown()["nowhere"]["state"] == "lost", "that it is lost")
        m.host("show", "nowhere").ok()
        assert "could not be asked" in m.host("remove", "nowhere").ok()
        m.host("show", "nowhere").refused(1, "no host 'nowhere'")
        until(lambda: set(m.states()) == {"running"}, "both hosts")
        m.assert_as_recorded()
        m.remove_all()


def each_host_is_asked_before_it_starts():
    """Also beside a manager that runs, which is told and no failure; and what each of them lacks."""
    a, b, _ = hosts
    with Folder() as folder, Fleet(folder) as m:
        made = m.create()

        def check(silent=()):
            """Asks anew where one of the others was given up after 20 s: on a machine that has much else to do."""
            def asked():
                done = subprocess.run([program("cocos-manager"), "--config", folder("manager.conf"), "--check", "--json"],
                                      capture_output=True, text=True, check=False)
                rows = {row["check"]: row for row in json.loads(done.stdout)["checks"]}
                late = {name for name, row in rows.items() if "no answer within 20 s" in row["found"]}
                return late <= {"host " + host.name for host in silent} and rows
            rows = until(asked, "an answer of each")
            return sorted(name for name, row in rows.items() if row["outcome"] == "failed"), rows

        failed, rows = check()
        assert not [name for name in failed if name.startswith("host ")], rows
        for host in hosts:
            assert f"{host.uri} answers: no KVM" in rows["host " + host.name]["found"], rows
        m.rows("pool=nowhere", only=[a])
        with open(m.table, "a", encoding="ascii") as file:
            file.write(b.row().replace("tees=none", "tees=snp"))
            os.symlink(os.path.join(a.folder, "libvirt-sock"), folder("same-sock"))
            file.write(f"host same qemu+unix:///system?socket={folder('same-sock')} tees=none address=127.0.0.9\n")
        failed, rows = check()
        assert [name for name in failed if name.startswith("host ")] == ["host " + a.name, "host " + b.name], rows
        assert "no storage pool 'nowhere'" in rows["host " + a.name]["found"], rows
        assert "KVM" in rows["host " + b.name]["found"] and "a TEE" in rows["host " + b.name]["found"], rows
        m.rows(only=[a])
        with open(m.table, "a", encoding="ascii") as file:
            file.write(f"host same qemu+unix:///system?socket={folder('same-sock')} tees=none address=127.0.0.9\n")
        failed, rows = check()
        assert f"it is the machine of host {a.name}" in rows["host same"]["found"], rows
        m.rows("memory=1T")
        os.kill(b.process.pid, signal.SIGSTOP)
        try:
            failed, rows = check([b])
        finally:
            os.kill(b.process.pid, signal.SIGCONT)
            m.again(b)
        assert [name for name in failed if name.startswith("host ")] == ["host " + b.name], rows
        assert "no answer within 20 s" in rows["host " + b.name]["found"], rows
        m.rows()
        until(lambda: m.states() == ["running"], "its CVM, wherever it is")
        m.remove(made.cvm_id)
        m.assert_nothing_left()


def killed_while_it_creates_it_doubles_and_loses_nothing():
    with Folder() as folder, Fleet(folder) as m:
        for round_number in range(3):
            threads = [threading.Thread(target=code_of, args=(m.create,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            until(lambda: len(m.records()) >= 2 + round_number, "some that are being made")
            hosts[1].kill()
            m.kill()
            for thread in threads:
                thread.join()
            hosts[1].start()
            m.start()
            until(lambda: set(m.states()) <= {"running"}, "what was not finished")
            until(lambda: all(step == 4 for step, _ in m.records().values()), "their records")
            until(lambda: sorted(sum((h.domains() for h in hosts), [])) == sorted(m.vms()), "their machines")
            m.assert_as_recorded()
            for cvm in list(m.vms())[1:]:
                m.remove(cvm)
        m.remove_all()


def what_a_host_lacks_is_said():
    with Folder() as folder, Fleet(folder) as m:
        m.stop()
        m.rows("pool=nowhere")
        m.start()
        refused(grpc.StatusCode.FAILED_PRECONDITION, m.create, words="no storage pool 'nowhere'")
        m.assert_nothing_left()
        m.stop()
        m.rows()
        room.idle_image(folder, given=room.SHARES)
        m.start()
        refused(grpc.StatusCode.FAILED_PRECONDITION, m.create, words="boot disk")
        m.assert_nothing_left()
        refused(grpc.StatusCode.INVALID_ARGUMENT, m.create, words="MANAGER_TEE", tee="snp")
        # A host with CVMs can't be left out.
        room.idle_image(folder)
        made = m.create()
        m.stop()
        with open(m.table, "w", encoding="ascii") as file:
            file.writelines(h.row() for h in hosts if h.address != made.host_address)
        try:
            Manager.start(m)
        except AssertionError as error:
            assert "MANAGER_HOSTS does not list" in str(error), error
        else:
            raise AssertionError("it started")
        m.rows()
        m.start()
        until(lambda: m.states() == ["running"], "its CVM")
        m.remove_all()


if __name__ == "__main__":
    room.enter(alone=True)
    started = [bus()]
    hosts.extend(Host(number) for number in (1, 2, 3))
    for each in hosts:
        each.start().furnish()
    tap.run([
        cvms_are_spread_and_are_what_they_should_be,
        a_lost_host_keeps_its_cvms_and_no_other_gets_them,
        a_host_that_hangs_holds_up_nobody,
        a_host_that_drains_gets_no_more_and_keeps_what_it_has,
        hosts_come_and_go_while_it_runs,
        each_host_is_asked_before_it_starts,
        killed_while_it_creates_it_doubles_and_loses_nothing,
        what_a_host_lacks_is_said,
    ])
