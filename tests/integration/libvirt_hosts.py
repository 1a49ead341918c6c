# SPDX-License-Identifier: Apache-2.0
"""Several libvirts in one room (libvirt_room.py), each with folders, a socket and a storage pool of its own: as
many hosts, for a manager that reaches them by libvirt's remote transport. They share the network; each has an
address of its own on the loopback interface (net_hosts.py: a network of its own)."""
import os
import subprocess

import libvirt_room as room
from harness import until

TOP = "/run/hosts"
# What libvirtd keeps, by the path at which it expects it.
KEPT = ["/etc/libvirt", "/var/lib/libvirt", "/var/cache/libvirt", "/var/log/libvirt", "/run/libvirt"]


class Host:
    SOCKETS = ""  # where libvirtd has them, in its view of the file system

    def __init__(self, number):
        self.name, self.address = f"host-{number}", f"127.0.0.{number + 1}"
        self.folder = os.path.join(TOP, self.name)
        self.socket = self.folder + self.SOCKETS + "/libvirt-sock"
        self.uri = f"qemu+unix:///system?socket={self.socket}"  # by which managers reach it
        self.pool = os.path.join(self.folder, "boot")
        self.process, self.options, self.inside = None, "", []
        for path in KEPT:
            os.makedirs(self.folder + path)
            os.makedirs(path, exist_ok=True)
        os.makedirs(self.pool)
        for path in (TOP, self.folder, self.pool):
            os.chmod(path, 0o711)
        subprocess.run(["cp", "-a", "/etc/libvirt/.", self.folder + "/etc/libvirt"], check=True)
        # No virtlogd beside each of them; QEMU's output is a file then.
        with open(self.folder + "/etc/libvirt/qemu.conf", "a", encoding="ascii") as file:
            file.write('\nstdio_handler = "file"\n')
        with open(self.folder + "/libvirtd.conf", "w", encoding="ascii") as file:
            # They are on one machine, which would be one host.
            file.write(f'host_uuid = "5b1c6d3e-0000-4000-8000-{number:012}"\n')
            file.write(f'unix_sock_dir = "{self.SOCKETS or self.folder}"\nauth_unix_rw = "none"\n')

    def row(self, *words):
        return " ".join(["host", self.name, self.uri, f"address={self.address}", "tees=none", "cpus=64", *words]) + "\n"

    def start(self):
        """In a view of the file system where its folders are the usual ones."""
        mounts = [f"mount --bind {self.folder}{path} {path}" for path in KEPT]
        mounts += [f". {room.LIBRARY}", "if libvirt_kvm_misleads; then mount --bind /dev/null /dev/kvm; fi"]
        command = " && ".join([*mounts, f"exec libvirtd -f {self.folder}/libvirtd.conf -p {self.folder}/libvirtd.lock {self.options}"])
        with open(self.folder + "/libvirtd.out", "ab") as out:
            self.process = subprocess.Popen([*self.inside, "unshare", "-m", "bash", "-ec", command], stdout=out, stderr=out,
                                            start_new_session=True)
        until(self.answers, f"libvirtd of {self.name}", 240)
        return self

    def local(self):
        """By which whoever is there reaches it, whatever becomes of the network."""
        return f"qemu+unix:///system?socket={self.socket}"

    def ended(self):
        return self.process.poll() is not None

    def answers(self):
        if self.ended():
            with open(self.folder + "/libvirtd.out", encoding="utf-8", errors="replace") as out:
                raise AssertionError(f"libvirtd of {self.name} ended: {out.read()}")
        return subprocess.run(["virsh", "-q", "-c", self.local(), "capabilities"], check=False,
                              capture_output=True).returncode == 0

    def furnish(self):
        self.virsh("pool-define-as", "cocos", "dir", "--target", self.pool)
        self.virsh("pool-start", "cocos")
        self.virsh("pool-autostart", "cocos")
        return self

    def virsh(self, *arguments):
        done = subprocess.run(["virsh", "-q", "-c", self.local(), *arguments], check=False, text=True, capture_output=True)
        assert done.returncode == 0, (self.name, arguments, done.stderr, f"libvirtd has ended: {self.ended()}")
        return done.stdout

    def kill(self):
        """As if it had crashed; its machines run on."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def domains(self):
        """Ids of all that it knows; one that ends while it is asked for is none of them."""
        while True:
            names = self.virsh("list", "--all", "--name").split()
            try:
                return [self.virsh("domuuid", name).strip() for name in names]
            except AssertionError:
                if set(names) <= set(self.virsh("list", "--all", "--name").split()):
                    raise

    def clear(self):
        if self.ended():
            self.start()
        for domain in self.domains():
            self.virsh("destroy", domain)
        for volume in self.volumes():
            self.virsh("vol-delete", volume, "--pool", "cocos")

    def volumes(self):
        return sorted(os.listdir(self.pool))


def bus():
    """The system bus, which libvirtd wants; its process."""
    process = subprocess.Popen(["dbus-daemon", "--system", "--nofork", "--nopidfile"], start_new_session=True)
    until(lambda: subprocess.run(["dbus-send", "--system", "--dest=org.freedesktop.DBus", "--print-reply", "/",
                                  "org.freedesktop.DBus.GetId"], check=False, capture_output=True).returncode == 0,
          "the system bus")
    return process
