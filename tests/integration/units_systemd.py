# SPDX-License-Identifier: Apache-2.0
"""Both daemons as their units have them, started by a real systemd in their whole sandbox: in a container that is this machine's
root with a layer over it and no network but its own. They serve, restart and stop, a CVM outlives its manager, and hosts by SSH
are reached with the drop-in of docs/operators.md."""
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys

import libvirt_room as room
import net_hosts
import sanitized
import tap
from harness import PATIENCE, ROOT, Folder, program, until

LAYER = "/run/machine"
TOP = LAYER + "/root"
PROGRAMS = ["cocos-manager", "cocos-computations", "cocos-cli"]
UNITS = ["cocos-computations", "cocos-manager"]


class Machine:
    """In a `with`: systemd has reached basic.target, and ends with it. `system` is the root that its layer lies over."""

    def __init__(self, system="/"):
        self.system = system

    def __enter__(self):
        os.makedirs(LAYER)
        net_hosts.run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", LAYER)
        for name in ("upper", "work", "root"):
            os.mkdir(os.path.join(LAYER, name))
        net_hosts.run("mount", "-t", "overlay", "overlay", "-o",
                      f"lowerdir={self.system},upperdir={LAYER}/upper,workdir={LAYER}/work", TOP)
        self.furnish()
        # It needs control groups to tell services' processes from each other's, and no controllers.
        environment = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        with open(LAYER + "/out", "wb") as out:
            # A fresh machine has no id of its own yet, under which journals would be linked.
            self.nspawn = subprocess.Popen(["systemd-nspawn", "-D", TOP, "--register=no", "--link-journal=no", "--keep-unit",
                                            "--private-network", "--console=pipe", "-b", "systemd.unit=basic.target"],
                                           stdin=subprocess.DEVNULL,
                                           stdout=out, stderr=out, env=environment, start_new_session=True)
        self.pid = until(self.leader, "systemd")
        until(lambda: self.run("systemctl", "is-active", "basic.target", may_fail=True) == "active\n", "basic.target")
        return self

    def furnish(self):
        """What the packages bring, at its places."""
        for name in PROGRAMS:
            shutil.copy(program(name), TOP + "/usr/bin/" + name)
        for unit in UNITS:
            shutil.copy(f"{ROOT}/packaging/systemd/{unit}.service", TOP + "/usr/lib/systemd/system")
        for kind in ("sysusers", "tmpfiles"):
            for unit in UNITS:
                shutil.copy(f"{ROOT}/packaging/{kind}/{unit}.conf", f"{TOP}/usr/lib/{kind}.d")
        shutil.rmtree(TOP + "/etc/cocos", ignore_errors=True)
        os.makedirs(TOP + "/etc/cocos")
        shutil.copy(ROOT + "/packaging/nftables/guests.nft", TOP + "/etc/cocos")
        shutil.rmtree(TOP + "/var/lib/cocos", ignore_errors=True)
        with open(TOP + "/etc/machine-id", "w", encoding="ascii"):
            pass
        with Folder() as folder:
            shutil.copytree(room.idle_image(folder), TOP + "/var/lib/cocos/images/idle")
        os.symlink("idle", TOP + "/var/lib/cocos/images/default")
        with open(TOP + "/etc/cocos/manager.conf", "w", encoding="ascii") as file:
            file.write("MANAGER_TEE=none\nMANAGER_FIRMWARE=SeaBIOS\nMANAGER_MEMORY=128M\n")
        with open(TOP + "/etc/cocos/computations.conf", "w", encoding="ascii"):
            pass

    def leader(self):
        assert self.nspawn.poll() is None, self.said()
        with open(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children", encoding="ascii") as file:
            children = file.read().split()
        for pid in children:  # some of them only prepare, and end
            with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="ascii") as file:
                if file.read() == "systemd\n":
                    return int(pid)
        return None

    @staticmethod
    def said():
        with open(LAYER + "/out", encoding="utf-8", errors="replace") as file:
            return file.read()

    def run(self, *command, may_fail=False, patience=PATIENCE):
        done = subprocess.run(["nsenter", "-t", str(self.pid), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "env", "-i",
                               "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", *command], capture_output=True, text=True,
                              timeout=patience, stdin=subprocess.DEVNULL, check=False)
        if done.returncode and not may_fail:
            journal = self.run("journalctl", "--no-pager", "-n", "60", may_fail=True)
            raise AssertionError((command, done.returncode, done.stdout, done.stderr, journal))
        return done.stdout

    def unit(self, name, key):
        return self.run("systemctl", "show", "--value", "-p", key, name).strip()

    def bring_up(self, how, *units):
        """Where this machine has control groups of both versions, the one that a service's first program leaves is now and
        then taken away before the next one is in it (219/CGROUP): systemd tries again, as its unit says. No other end is taken."""
        self.run("systemctl", how, *units, may_fail=True)
        until(lambda: all(self.unit(unit, "ActiveState") == "active" for unit in units), f"{units} to be active")
        ends = re.findall(r"(\S+)\.service: .*exited, code=exited, status=(\S+)", self.journal())
        assert all(status == "219/CGROUP" for name, status in ends if name in UNITS), ends

    def journal(self):
        return self.run("journalctl", "--no-pager")

    def process(self, name):
        """What the kernel says of a unit's main process."""
        status = self.run("cat", f"/proc/{self.unit(name, 'MainPID')}/status")
        return dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)

    def cvms(self):
        return {vm["id"]: vm["state"] for vm in json.loads(self.run("cocos-cli", "vm", "list", "--json"))}

    def __exit__(self, *_):
        self.nspawn.terminate()
        try:
            self.nspawn.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.nspawn.kill()
            self.nspawn.wait()


def assert_in_their_sandboxes(machine):
    for unit in UNITS:
        status = machine.run("systemctl", "status", "--no-pager", unit)
        assert "Active: active (running)" in status and f"Main PID: {machine.unit(unit, 'MainPID')} ({unit[:15]})" in status, status
        process = machine.process(unit)
        assert (process["NoNewPrivs"], process["Seccomp"]) == ("1", "2"), process
    assert int(machine.process("cocos-manager")["CapEff"], 16) == 1, "CAP_CHOWN alone"
    service = machine.process("cocos-computations")
    assert int(service["CapBnd"], 16) == 0 and service["Uid"].split()[0] != "0", service
    machine.run("nft", "list", "table", "inet", "cocos_guests")
    for unit in UNITS:  # nothing of the system can be written
        mounts = machine.run("cat", f"/proc/{machine.unit(unit, 'MainPID')}/mountinfo")
        assert re.search(r" / / ro,", mounts), mounts


def a_running_cvm(machine):
    """{id: state} of the only one, and its QEMU process."""
    until(lambda: "connected to libvirt" in machine.journal(), "libvirt")
    machine.run("cocos-cli", "create-vm", "--server-url", "10.0.2.2:7001")
    cvms = machine.cvms()
    assert list(cvms.values()) == ["running"], cvms
    qemu = room.machine(next(iter(cvms)))
    assert qemu
    return cvms, qemu


def both_start_in_their_sandboxes():
    machine.run("systemd-sysusers")
    machine.bring_up("start", *UNITS)
    assert_in_their_sandboxes(machine)


def a_cvm_outlives_its_manager():
    before, qemu = a_running_cvm(machine)
    machine.bring_up("restart", "cocos-manager")
    until(lambda: machine.cvms() == before, "it at the manager that was restarted")
    # One that is killed is started anew.
    killed = machine.unit("cocos-manager", "MainPID")
    machine.run("systemctl", "kill", "-s", "KILL", "--kill-whom=main", "cocos-manager")
    until(lambda: machine.unit("cocos-manager", "MainPID") not in ("0", killed)
          and machine.unit("cocos-manager", "ActiveState") == "active", "another manager")
    until(lambda: machine.cvms() == before, "it at the manager that was killed")
    assert room.machine(next(iter(before))) == qemu
    machine.run("cocos-cli", "vm", "remove", next(iter(before)))
    assert not machine.cvms()
    until(lambda: not room.machine(next(iter(before))), "the end of QEMU")


def a_host_by_ssh_needs_the_drop_in_and_no_more():
    """Under the filter of system calls, too. The host is this machine: what it is and has is seen by manager_hosts_ssh.py."""
    row = net_hosts.SshNetHost.row_of_docs().strip().replace("tees=tdx", "tees=none")
    machine.run("sh", "-ec", f"""
        sed -i '$ a 127.0.0.1 {net_hosts.NAME}' /etc/hosts
        mkdir -p /run/sshd; rm -rf /etc/ssh/ssh_host_* /etc/ssh/ssh_known_hosts
        ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
        rm -f /etc/systemd/system/ssh.service /etc/systemd/system/ssh.socket
        echo '{row}' > /etc/cocos/hosts; echo MANAGER_HOSTS=/etc/cocos/hosts >> /etc/cocos/manager.conf
        virsh -q pool-define-as cocos dir --target /run/cocos-boot; virsh -q pool-build cocos; virsh -q pool-start cocos
        systemctl daemon-reload""")
    machine.bring_up("start", "ssh", "systemd-user-sessions")
    machine.run("sh", "-ec", net_hosts.commands("ssh-keyscan").replace(f"mkdir -p {os.path.dirname(net_hosts.DROP_IN)}\n", "")
                .replace("> " + net_hosts.DROP_IN, "> /etc/cocos/drop-in"))
    machine.run("sh", "-ec", "cd /etc/cocos\n" + net_hosts.commands("useradd"))
    machine.bring_up("restart", "cocos-manager")
    until(lambda: re.search("ward-3.*CAP_SETPCAP.*drop-in; trying again", machine.journal()), "what is missing")
    machine.run("sh", "-ec", f"mkdir -p {os.path.dirname(net_hosts.DROP_IN)}; cp /etc/cocos/drop-in {net_hosts.DROP_IN}")
    machine.run("systemctl", "daemon-reload")
    machine.bring_up("restart", "cocos-manager")
    until(lambda: "connected to ward-3" in machine.journal(), "the host")
    assert int(machine.process("cocos-manager")["CapEff"], 16) == 1 | 1 << 8, "CAP_CHOWN and CAP_SETPCAP"


def both_stop_in_order():
    machine.run("systemctl", "stop", *UNITS)
    for unit in UNITS:
        assert (machine.unit(unit, "ActiveState"), machine.unit(unit, "Result")) == ("inactive", "success"), unit
    until(lambda: not room.processes("cocos-manager") and not room.processes("cocos-computations"), "the end of both")


if __name__ == "__main__":
    if sanitized.ON:
        print("1..0 # SKIP sanitizers write where the sandbox forbids it")
        sys.exit()
    room.enter(alone=True)
    with Machine() as machine:
        tap.run([both_start_in_their_sandboxes, a_cvm_outlives_its_manager,
                 a_host_by_ssh_needs_the_drop_in_and_no_more, both_stop_in_order])
