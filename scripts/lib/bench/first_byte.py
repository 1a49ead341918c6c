# SPDX-License-Identifier: Apache-2.0
"""How long a machine takes from CreateVm until its owner has the first byte over a connection that he
has verified: real manager, libvirt, QEMU, agent and CLI, in namespaces that end with this program.

  first_byte.py FOLDER IMAGE snp|vtpm ROUNDS     prints [[seconds until …], …]

All that an owner can do before the machine is there (keys, manifest, policy) is done before.
"""
import itertools
import json
import os
import shutil
import subprocess
import time

from machines import BOOT, run

CPU, LOCAL_CA = "EPYC-Milan", "/var/lib/swtpm-localca/issuercert.pem"


class Hardware:
    """What is simulated: vendor, firmware, and the emulator that measures the launch."""

    def __init__(self, folder):
        from harness import program
        from teesim import TEESIM, Teesim

        tee = Teesim(folder, "snp", product="Genoa", keys=folder("keys"))
        with open(tee.launch, "w", encoding="ascii") as file:
            json.dump(tee.facts, file)
        subprocess.run([program(TEESIM), "endorse", "--launch", tee.launch, "--keys", tee.keys,
                        tee.endorsements], check=True)
        self.root, self.firmware, self.emulator = tee.root, folder("firmware"), folder("emulator")
        subprocess.run([program(TEESIM), "firmware", self.firmware], check=True)
        shutil.copy(program(TEESIM + "-emulator"), self.emulator)
        folder.write("emulator.json", json.dumps({"qemu": shutil.which("qemu-system-x86_64"),
                                                  "keys": tee.keys, "facts": {"product": "Genoa"}}))
        subprocess.run(["chown", "-R", "libvirt-qemu", tee.keys], check=True)


class Snp:
    """Every verdict of it says SIMULATED."""

    def __init__(self, folder):
        self.hardware = Hardware(folder)
        self.settings = {"TEE": "simulated-snp", "EMULATOR": self.hardware.emulator,
                         "FIRMWARE": self.hardware.firmware, "CPU_TYPE": CPU}
        self.policy = ["--tee", "snp", "--cpu-type", CPU, "--firmware", self.hardware.firmware]
        self.proof = ["--trusted_root", self.hardware.root]


class Vtpm:
    def __init__(self, folder):
        self.settings = {"TEE": "none", "FIRMWARE": ""}
        self.policy = ["--tee", "vtpm"]
        self.proof = ["--ek_root", LOCAL_CA]


KINDS = {"snp": Snp, "vtpm": Vtpm}
NUMBERS = itertools.count(1)


class Owner:
    """One computation, and what its owner demands of the machine that is to run it."""

    def __init__(self, folder, kind, service):
        from harness import cli

        self.folder, self.kind, self.environment = folder, kind, {
            "COMPUTATIONS_GRPC_URL": "unix:" + service.socket}
        if not os.path.exists(folder("public.pem")):
            cli("keys", "-k", "ecdsa", cwd=folder.path).ok()
            folder.write("algorithm", "#!/bin/true\n", 0o755)
        self.id = self("computation", "create", "--name", f"bench {next(NUMBERS)}", "--algorithm", "algorithm",
                       "--algorithm-type", "bin", "--algorithm-key", "public.pem", "--consumer-key",
                       "public.pem", "--agent-port", "7002", "--agent-attested-tls").ok().strip()
        folder.write("manifest.json", self("computation", "manifest", self.id).ok())
        self("policy", "create", "--image", "image", *kind.policy, "--manifest", "manifest.json",
             "-o", "policy.json", "--force").ok()

    def __call__(self, *words):
        from harness import cli
        return cli(*words, cwd=self.folder.path, **self.environment)

    def is_connected(self, cvm):
        return '"connected":true' in self("cvm", "show", cvm, "--json").out

    def has_answer(self, port):
        """A verified answer; what the machine says before there is a manifest is none."""
        self.environment.update(
            AGENT_GRPC_URL=f"127.0.0.1:{port}", AGENT_GRPC_ATTESTED_TLS="true",
            AGENT_GRPC_ATTESTATION_POLICY=self.folder("policy.json"))
        self.said = self("status", "--manifest", "manifest.json", *self.kind.proof, "--json")
        return self.said.status == 0

    def first_byte(self, manager, port):
        """Seconds from the call: until it is answered, the agent is connected, a byte is verified."""
        from harness import cli, until

        began = time.monotonic()
        made = cli("create-vm", "--server-url", f"10.0.2.2:{port}", "--json",
                   MANAGER_GRPC_URL=f"127.0.0.1:{manager.port}").json()
        times = [time.monotonic() - began]
        try:
            until(lambda: self.is_connected(made["cvm_id"]), "the agent's connection", BOOT)
            times.append(time.monotonic() - began)
            self("computation", "run", self.id, "--cvm", made["cvm_id"]).ok()
            until(lambda: self.has_answer(made["forwarded_port"]), "a verified answer", BOOT)
            return times + [time.monotonic() - began]
        except AssertionError as failure:
            last = getattr(self, "said", None)
            raise AssertionError(f"{failure}: {last.out + last.err if last else ''}") from None
        finally:
            manager.remove(made["cvm_id"])


def measure(folder, service, name, rounds):
    from manager_libvirt import Manager

    kind = KINDS[name](folder)
    with Manager(folder, MEMORY="1G", **kind.settings) as manager:
        owners = (Owner(folder, kind, service) for _ in range(int(rounds)))
        return [owner.first_byte(manager, service.port) for owner in owners]


if __name__ == "__main__":
    run(measure)
