# SPDX-License-Identifier: Apache-2.0
"""A host that changes what it launches, or what it puts beside it: whole virtual machines of the
development image, whose simulated SEV-SNP measures what QEMU is really given. Every row launches a
machine of its own; the honest one is shared."""
import base64
import functools
import json
import os
import shutil
import socket
import struct
import subprocess

from agent_job import ALGO_KEY
from agent_peer import Service, algorithm, free_port, sha3
from guest_vm import Ethernet, Vm, build_image
from harness import BUILD, Folder, ROOT, cli, program
from honest_agent import manifest, provider, with_algorithm
from rows import Outcome, Skip, row, shared
from teesim import TEESIM, Teesim

PATIENCE = 400  # seconds for a boot, under emulation on a machine with other work
FLAVOUR = "base-simulated"


class Host:
    """Image, emulator and keys: what a cloud has before anybody asks for a CVM."""

    def __init__(self):
        self.folder = Folder()
        self.folder.__enter__()
        if not shutil.which("qemu-system-x86_64") or os.geteuid() != 0:
            raise Skip("needs QEMU, and root")
        self.image = self.built()
        with open(os.path.join(self.image, "image.json"), encoding="utf8") as file:
            self.record = json.load(file)
        tee = Teesim(self.folder, keys=self.folder("keys"))  # seeds the keys
        with open(tee.launch, "w", encoding="ascii") as file:
            json.dump(tee.facts, file)
        subprocess.run([program(TEESIM), "endorse", "--launch", tee.launch, "--keys", tee.keys,
                        tee.endorsements], check=True)
        self.root, self.firmware = tee.root, self.folder("firmware")
        subprocess.run([program(TEESIM), "firmware", self.firmware], check=True)
        self.emulator = self.folder("emulator")
        shutil.copy(program(os.path.join(os.path.dirname(TEESIM), "cocos-teesim-emulator")),
                    self.emulator)
        self.folder.write("emulator.json", json.dumps(
            {"qemu": shutil.which("qemu-system-x86_64"), "keys": tee.keys, "facts": {}}))

    @staticmethod
    def built():
        return build_image(ROOT, FLAVOUR, os.path.join(BUILD, "image", FLAVOUR))

    def file(self, kind):
        return os.path.join(self.image, self.record[kind]["file"])

    def expected(self):
        """The owner's own calculation, from the image alone."""
        return cli("sevsnpmeasure", "--mode", "snp", "--vcpus", "1", "--vcpu-type", "EPYC-Milan",
                   "--ovmf", self.firmware, "--kernel", self.file("kernel"), "--initrd",
                   self.file("initrd"), "--append", self.record["cmdline"]).ok().strip()

    def close(self):
        self.folder.__exit__()


host = shared(Host)


class Launched(Vm):
    """A simulated SNP machine, launched with HOST_DATA for its boot configuration."""

    def __init__(self, environment, initrd=None, **options):
        self.initrd = initrd or host().file("initrd")
        self.host_data = sha3(b"cocos-boot-v1\0\1" + struct.pack(">I", len(environment)) +
                              environment.encode() + bytes(3))
        super().__init__(host().image, environment, (), **options)

    def words(self):
        out, left = [host().emulator], iter(super().words()[1:])
        for word in left:
            if word in ("-qmp", "-serial", "-cpu", "-initrd"):
                next(left)
            else:
                out.append(word)
        return out + [
            "-device", "isa-serial,chardev=console", "-cpu", "EPYC-Milan",
            "-initrd", self.initrd, "-bios", host().firmware, "-object", json.dumps({
                "qom-type": "sev-snp-guest", "id": "lsec0", "cbitpos": 51, "reduced-phys-bits": 1,
                "policy": 1 << 17, "kernel-hashes": True,
                "host-data": base64.b64encode(self.host_data).decode()}),
            "-machine", "confidential-guest-support=lsec0"]


def uploaded(net=(), extra=(), **launch):
    """The owner's upload to a machine that is launched so."""
    service, port = Service(), free_port()
    environment = ("AGENT_CVM_ID=cvm-1\nAGENT_LOG_LEVEL=debug\n"
                   f"AGENT_CVM_GRPC_URL=10.0.2.2:{service.port}\n")
    net = ["-netdev", f"user,id=net0,hostfwd=tcp:127.0.0.1:{port}-:7002", *net]
    try:
        with Launched(environment, net=net, extra=extra, **launch) as vm:
            try:
                service.wait(lambda s: s.connections and s.outgoing, PATIENCE)
            except AssertionError:
                raise AssertionError("\n".join(vm.lines)) from None
            with open(program("tests/integration/guest_algorithm"), "rb") as file:  # there is no shell
                algo = file.read()
            m = manifest(7002)
            m.algorithm.CopyFrom(algorithm(algo, ALGO_KEY))
            service.send(runReq=m)
            answer = service.wait(lambda s: s.of("run_res"), PATIENCE)[0]
            assert answer.error == "", answer.error
            with_algorithm(port, algo=algo)
            policy = provider().write("machine-policy.json", json.dumps({
                "cocos": 1, "snp": {"measurements": [host().expected()]},
                "run": {"fixed_boot": True}}))
            ran = provider().upload(f"127.0.0.1:{port}", m, host().root, policy)
            service.catch_up(PATIENCE)
        taken = service.log_text().count("dataset 'iris.csv' is in")
        return Outcome(ran.status == 0, ran.out + ran.err, taken)
    finally:
        service.stop()


@functools.lru_cache(None)
def honest():
    return uploaded()


@row("machine-with-another-command-line", "policy.measurement")
def command_line(evil):
    """A word more on the kernel's command line, one that the image knows: signatures that can be
    replayed would be taken."""
    if not evil:
        return honest()
    return uploaded(append=host().record["cmdline"] + " cocos.role_signature")


@row("machine-with-another-initrd", "policy.measurement")
def initrd(evil):
    """An archive more behind the initrd, which the kernel unpacks over the image."""
    if not evil:
        return honest()
    path = host().folder("initrd")
    with open(host().file("initrd"), "rb") as file:
        content = file.read()
    name = b"etc/extra\0"
    fields = [1, 0o100644, 0, 0, 1, 0, 4, 0, 0, 0, 0, len(name), 0]
    entry = b"070701" + b"".join(b"%08X" % f for f in fields) + name
    entry += bytes(-len(entry) % 4) + b"evil"
    end = b"070701" + b"%08X" % 0 * 11 + b"%08X" % 11 + b"%08X" % 0 + b"TRAILER!!!\0"
    with open(path, "wb") as file:
        file.write(content + bytes(-len(content) % 4) + entry + end + bytes(-len(end) % 4))
    return uploaded(initrd=path)


def stopped(environment, **launch):
    """A machine whose boot init stops: its console, and no agent."""
    with Launched(environment, **launch) as vm:
        lines = vm.wait_end(PATIENCE)
    return Outcome(any("agent" in line and "listening" in line for line in lines), "\n".join(lines), 0)


@row("machine-with-zeros-for-randomness", "is of no launch")
def randomness(evil):
    """A virtio device whose random numbers are zeros. The boot stops before an agent is there."""
    if not evil:
        return honest()
    return stopped("AGENT_CVM_ID=cvm-1\n", extra=[
        "-object", json.dumps({"qom-type": "rng-random", "filename": "/dev/zero", "id": "zeros"}),
        "-device", "virtio-rng-pci,rng=zeros"])


@row("machine-with-a-share-of-the-hosts", "is of no launch")
def share_more(evil):
    """A 9p share with another boot configuration, for an image that takes a disk."""
    if not evil:
        return honest()
    host().folder.write("share/environment", "AGENT_CVM_ID=other\n")
    return stopped("AGENT_CVM_ID=cvm-1\n", extra=[
        "-fsdev", f"local,id=more,path={host().folder('share')},security_model=none", "-device",
        "virtio-9p-pci,fsdev=more,mount_tag=env_share"])


@row("machine-with-more-devices-and-an-old-clock", "token.time")
def devices(evil):
    """A second network card and disk, and a clock that is a year behind. The card stays silent, the disk is as it
    was, and the owner sees the clock."""
    if not evil:
        return honest()
    folder = host().folder
    disk = folder.write("disk", bytes(1 << 20))
    ethernet = Ethernet(folder.path)
    try:
        card = ethernet.arguments[1].replace("id=net0", "id=net1")
        result = uploaded(net=["-netdev", card], extra=[
            "-device", "virtio-net-pci,netdev=net1,romfile=",
            "-blockdev", json.dumps({"driver": "file", "filename": disk, "node-name": "more"}),
            "-device", "virtio-blk-pci,drive=more", "-rtc", "base=2025-11-20T12:00:00"])
        ethernet.accept()
        try:
            result.gained += len(ethernet.link.recv(1 << 16, socket.MSG_DONTWAIT))
        except (BlockingIOError, ConnectionError):
            pass
        with open(disk, "rb") as file:
            assert not any(file.read()), "the disk was written to"
        return result
    finally:
        ethernet.close()
