# SPDX-License-Identifier: Apache-2.0
"""Hosts of libvirt_hosts.py that are elsewhere: each has a network of its own, which a cable leads to, and is reached over it by
qemu+tls:// or by qemu+ssh://. Both are set up as docs/operators.md has it; for SSH by its very commands.

The room's /etc and /var/lib are the machine's with a layer over them: what is written there goes away with the room."""
import os
import re
import shutil
import signal
import subprocess

import libvirt_room as room
import units
from harness import PATIENCE, ROOT, read, until
from libvirt_hosts import Host
from manager_libvirt import UNIT

SSHD = "/usr/sbin/sshd"
LAYERS = "/run/layers"
NAME = "ward-3.example"  # of the host that docs/operators.md reaches by SSH
KEY, KNOWN = "/etc/cocos/hosts-key", "/etc/ssh/ssh_known_hosts"
DROP_IN = "/etc/systemd/system/cocos-manager.service.d/ssh.conf"


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def layer():
    """After room.enter()."""
    os.makedirs(LAYERS)
    for path in ("/etc", "/var/lib"):
        own, work = (os.path.join(LAYERS, kind + path.replace("/", "-")) for kind in ("upper", "work"))
        os.mkdir(own)
        os.mkdir(work)
        run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={path},upperdir={own},workdir={work}", path)
    if os.path.isdir("/root/.ssh"):  # whoever runs this may know hosts
        run("mount", "-t", "tmpfs", "tmpfs", "/root/.ssh")
    os.makedirs("/etc/cocos", exist_ok=True)


class NetHost(Host):
    """In a network of its own, at 10.78.NUMBER.2."""

    def __init__(self, number):
        super().__init__(number)
        self.address, self.link, network = f"10.78.{number}.2", f"host{number}", f"/run/netns/{self.name}"
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        run("ip", "address", "add", f"10.78.{number}.1/30", "dev", self.link)
        run("ip", "-n", self.name, "address", "add", self.address + "/30", "dev", "eth0")
        for device in ("lo", "eth0"):
            run("ip", "-n", self.name, "link", "set", device, "up")
        self.inside = ["nsenter", "--net=" + network]
        self.cable(True)

    def cable(self, plugged):
        """Unplugged, nothing arrives, and neither end is told that the other has gone."""
        run("ip", "link", "set", self.link, "up" if plugged else "down")


class TlsNetHost(NetHost):
    """Reached by TLS, with certificates of a folder of authority() that are good for its address."""

    def __init__(self, number, certificates):
        super().__init__(number)
        for name in ("ca.pem", "server.pem", "server-key.pem"):
            shutil.copy(certificates(name), self.folder)
        self.options = "--listen"
        with open(self.folder + "/libvirtd.conf", "a", encoding="ascii") as file:
            file.write(f'listen_tls = 1\nlisten_tcp = 0\nlisten_addr = "{self.address}"\nauth_tls = "none"\n'
                       f'ca_file = "{self.folder}/ca.pem"\ncert_file = "{self.folder}/server.pem"\n'
                       f'key_file = "{self.folder}/server-key.pem"\n')
        pki = certificates("pki")
        os.makedirs(pki, exist_ok=True)
        for name, as_ in (("ca", "cacert"), ("client", "clientcert"), ("client-key", "clientkey")):
            shutil.copy(certificates(name + ".pem"), os.path.join(pki, as_ + ".pem"))
        self.uri = f"qemu+tls://{self.address}/system?pkipath={pki}"


def commands(words):
    """The commands of the one block of docs/operators.md that has these words; ssh-keyscan, which would wait for 5 s, is patient."""
    with open(os.path.join(ROOT, "docs/operators.md"), encoding="utf-8") as file:
        found = [block for _, block in re.findall(r"^```(\w*)\n(.*?)^```$", file.read(), re.M | re.S) if words in block]
    assert len(found) == 1, (words, found)
    return found[0].replace("ssh-keyscan ", f"ssh-keyscan -T {PATIENCE} ")


def unit_of_docs():
    """The manager's, with the drop-in that SSH needs."""
    more = units.parse(read(DROP_IN).decode())
    return {key: values + more.get(key, []) for key, values in UNIT.items()}


class SshNetHost(NetHost):
    """Reached by SSH as docs/operators.md has it, at the name that is written there."""
    SOCKETS = "/run/libvirt"  # where virt-ssh-helper looks

    def __init__(self, number):
        super().__init__(number)
        with open(self.folder + "/libvirtd.conf", "a", encoding="ascii") as file:
            file.write('unix_sock_group = "libvirt"\nunix_sock_rw_perms = "0770"\n')
        self.sshd, self.host_key = None, self.folder + "/ssh_host_ed25519_key"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.host_key)
        with open("/etc/hosts", "a", encoding="ascii") as file:
            file.write(f"{self.address} {NAME}\n")
        with open(self.folder + "/sshd_config", "w", encoding="ascii") as file:
            file.write(f"ListenAddress {self.address}\nHostKey {self.host_key}\nUsePAM yes\nPidFile none\n"
                       "PasswordAuthentication no\nKbdInteractiveAuthentication no\nLogLevel VERBOSE\n"
                       "MaxStartups 100\n")
        # OpenSSH from 9.8 on shuts out for a while who came with a wrong key; those before don't know the word.
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        forgives = ["-o", "PerSourcePenalties=no"]
        known = subprocess.run([SSHD, "-t", "-f", self.folder + "/sshd_config", *forgives], capture_output=True, check=False)
        self.sshd_options = forgives if known.returncode == 0 else []
        self.uri = re.search(r"qemu\+ssh://\S+" + re.escape(NAME) + r"\S+keyfile=\S+", self.row_of_docs())[0]

    @staticmethod
    def row_of_docs():
        with open(os.path.join(ROOT, "docs/operators.md"), encoding="utf-8") as file:
            return next(line for line in file if line.startswith("    host ward-3 "))

    def change_host_key(self, to=None):
        """To that one, or to a new one; its sshd begins anew. Where the one before is."""
        self.stop_sshd()
        kept = self.host_key + ".kept"
        if to:
            os.replace(to, self.host_key)
        else:
            os.replace(self.host_key, kept)
            os.unlink(self.host_key + ".pub")
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.host_key)
        self.start_sshd()
        return kept

    def acquaint(self):
        """By the commands of docs/operators.md: here, and on that host, which has this one's public key."""
        for path in (KEY, KEY + ".pub", KNOWN):
            if os.path.exists(path):
                os.unlink(path)
        run("sh", "-ec", commands("ssh-keyscan"))
        shutil.copy(KEY + ".pub", self.folder)
        # On that host, where its own key is what the commands take it for.
        run("unshare", "-m", "sh", "-ec", f"mount --bind {self.folder} /etc/ssh\n" + commands("useradd"), cwd=self.folder)

    def start_sshd(self):
        with open(self.folder + "/sshd.out", "ab") as out:
            self.sshd = subprocess.Popen(["nsenter", "-t", str(self.process.pid), "-m", "-n", SSHD, "-D", "-e", "-f",
                                          self.folder + "/sshd_config", *self.sshd_options], stdout=out, stderr=out, start_new_session=True)
        until(lambda: self.sshd.poll() is not None or NAME in subprocess.run(
            ["ssh-keyscan", "-T", "5", NAME], capture_output=True, text=True, check=False).stdout, "sshd")
        assert self.sshd.poll() is None, self.said()

    def said(self):
        with open(self.folder + "/sshd.out", encoding="utf-8", errors="replace") as file:
            return file.read()

    def sessions(self):
        """sshd's processes of that host, other than the one that listens."""
        return [pid for name in ("sshd", "sshd-session", "sshd-auth") for pid in room.processes(name) if pid != self.sshd.pid]

    def stop_sshd(self):
        """With all its connections, also one that begins or ends meanwhile."""
        self.sshd.kill()
        self.sshd.wait()
        until(lambda: not [room.signal(pid, signal.SIGKILL) for pid in self.sessions()], "the end of all connections")
