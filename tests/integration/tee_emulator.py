# SPDX-License-Identifier: Apache-2.0
"""The emulator of simulated TEE domains: it measures what QEMU is really given, gives the machine
nothing else to say, and refuses what it does not know. QEMU is a script here that tells its call."""
import base64
import hashlib
import json
import os
import shutil
import subprocess

import tap
from harness import ROOT, Folder, program
from teesim import TEESIM, Teesim, unavailable

HOST_DATA = bytes(range(32))
CONFIG_ID = bytes(range(48))
TDX_FIRMWARE = "/usr/share/ovmf/OVMF.fd"  # has the metadata of a TD
# As libvirt 9 and 11 call it.
ARGUMENTS = """
-name guest=x,debug-threads=on -S -machine pc-q35-7.2,usb=off,memory-backend=pc.ram -accel tcg -m 1024
-object {"qom-type":"memory-backend-ram","id":"pc.ram","size":1073741824} -overcommit mem-lock=off
-uuid 3b1f8a10-1111-4222-8333-000000000001 -display none -no-user-config -nodefaults
-chardev socket,id=m,path=/m.sock,server=on,wait=off -mon chardev=m,id=monitor,mode=control
-rtc base=utc -no-shutdown -boot strict=on -device {"driver":"tpm-crb","tpmdev":"t","id":"tpm0"}
-blockdev {"driver":"file","filename":"/x.img","node-name":"s"} -sandbox on -msg timestamp=on
""".split()


class Host:
    """Who launches: a folder with everything, and a call that may be changed."""

    def __init__(self, folder, **facts):
        self.folder, self.emulator = folder, folder("emulator")
        Teesim(folder, name="vendor", keys=folder("keys"))  # seeds the keys
        shutil.copy(program(os.path.join(os.path.dirname(TEESIM), "cocos-teesim-emulator")),
                    self.emulator)
        qemu = folder.write("qemu", '#!/bin/sh\nfor word; do echo "$word"; done\n'
                            'echo facts\nexec cat "${word##*file=}"\n', 0o755)
        folder.write("emulator.json", json.dumps(
            {"qemu": qemu, "keys": folder("keys"), "facts": facts}))
        subprocess.run([program(TEESIM), "firmware", folder("firmware")], check=True)
        self.files = {name: folder.write(name, name.encode() * 99)
                      for name in ("kernel", "initrd")}
        self.files["bios"] = folder("firmware")
        self.append, self.cpu, self.smp = "console=ttyS0 quiet", "EPYC-Milan,x=y", "2,sockets=2"
        self.object = {"qom-type": "sev-snp-guest", "id": "lsec0", "cbitpos": 51,
                       "reduced-phys-bits": 1, "policy": 0x20000, "kernel-hashes": True,
                       "host-data": base64.b64encode(HOST_DATA).decode()}
        self.extra = []

    def words(self):
        named = [word for name, path in self.files.items() for word in ("-" + name, path)]
        return [self.emulator, *ARGUMENTS, *named, "-append", self.append, "-cpu", self.cpu, "-smp",
                self.smp, "-object", json.dumps(self.object), "-machine",
                "confidential-guest-support=lsec0", *self.extra]

    def call(self):
        return subprocess.run(self.words(), capture_output=True, text=True, check=False)

    def launch(self):
        """(QEMU's words, facts)."""
        done = self.call()
        assert done.returncode == 0, done.stderr
        words, facts = done.stdout.split("\nfacts\n")
        return words.split("\n"), json.loads(facts)

    def refused(self, says):
        done = self.call()
        assert done.returncode == 1 and says in done.stderr and not done.stdout, done

    def expected(self):
        """By our own calculator, from the files as the owner has them."""
        done = subprocess.run(
            [program("cocos-cli"), "sevsnpmeasure", "--mode", "snp", "--vcpus",
             self.smp.split(",", maxsplit=1)[0], "--vcpu-type", self.cpu.split(",", maxsplit=1)[0],
             "--ovmf", self.files["bios"], "--kernel", self.files["kernel"], "--initrd",
             self.files["initrd"], "--append", self.append],
            capture_output=True, text=True, check=True)
        return done.stdout.strip()


def the_launch_is_measured_as_hardware_would():
    with Folder() as folder:
        host = Host(folder, product="Genoa", report_version=5)
        _, facts = host.launch()
        assert facts["measurement"] == host.expected()
        assert facts["host_data"] == HOST_DATA.hex() and facts["policy"] == 0x20000
        assert facts["tee"] == "snp" and facts["product"] == "Genoa"


def what_a_host_changes_is_measured():
    def edit(name):
        def change(host):
            with open(host.files[name], "r+b") as file:
                file.seek(5)
                byte = file.read(1)[0]
                file.seek(5)
                file.write(bytes([byte ^ 1]))
        return change

    def word(host):
        host.append += " cocos.role_signature"

    def processors(host):
        host.smp = "3"

    def type_of_processor(host):
        host.cpu = "EPYC-Genoa"
    for change in (edit("kernel"), edit("initrd"), edit("bios"), word, processors,
                   type_of_processor):
        with Folder() as folder:
            host = Host(folder)
            honest = host.launch()[1]["measurement"]
            change(host)
            measured = host.launch()[1]["measurement"]
            assert measured != honest and measured == host.expected(), change.__name__
    with Folder() as folder:
        host = Host(folder)
        host.object["host-data"] = base64.b64encode(bytes(32)).decode()
        host.object["policy"] = 0xa0000
        facts = host.launch()[1]
        assert facts["host_data"] == "00" * 32 and facts["policy"] == 0xa0000


def tdx_host(folder):
    """The kernel is the smallest that firmware takes for one."""
    host = Host(folder)
    shutil.copy(os.path.join(ROOT, "tests", "fuzz", "corpus", "pe", "signed"), host.files["kernel"])
    host.files["bios"] = TDX_FIRMWARE
    host.object = {"qom-type": "tdx-guest", "id": "lsec0", "attributes": 1 << 28,
                   "mrconfigid": base64.b64encode(CONFIG_ID).decode()}
    return host


def image_policy(folder, host, tee, *options):
    """What an owner computes from the image."""
    record = {"version": 1, "flavour": "base", "cmdline": "console=ttyS0 quiet",
              "min_memory_mib": 512, "cmdline_words": [], "shares": ["env_share", "certs_share"]}
    for name in ("kernel", "initrd"):
        with open(host.files[name], "rb") as file:
            content = file.read()
        folder.write("image/" + name, content)
        record[name] = {"file": name, "size": len(content),
                        "sha256": hashlib.sha256(content).hexdigest()}
    folder.write("image/image.json", json.dumps(record))
    done = subprocess.run([program("cocos-cli"), "policy", "create", "--image", folder("image"),
                           "--tee", tee, "--firmware", host.files["bios"], *options],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)[tee]


def judged(folder, host, policy):
    """The verdict over a report of the machine that the host launches now."""
    facts = host.launch()[1]
    name = f"machine-{len(os.listdir(folder.path))}"
    data = bytes(range(64))
    policy_file = folder.write("policy.json", json.dumps(
        {"cocos": 1, "snp": {**policy, "host_data": [HOST_DATA.hex()]}, "run": {"agent": "stock"}}))
    with Teesim(folder, name=name, keys=folder("keys"),
                **{key: value for key, value in facts.items() if key != "tee"}) as tee:
        report, table = tee.collect(data)
        done = subprocess.run(
            [program("cocos-cli"), "attestation", "validate", folder.write("evidence", report + table),
             "--mode", "snp", "--report_data", data.hex(), "--policy", policy_file,
             "--trusted_root", tee.root], capture_output=True, text=True, check=False)
    return done.stdout


def the_policy_of_the_image_refuses_every_other_launch():
    """A host that tells the truth to the manager and something else to QEMU."""
    def add(name):
        def change(host):
            with open(host.files[name], "ab") as file:
                file.write(b"one more")
        return change

    def word(host):
        host.append += " cocos.role_signature"

    def configuration(host):
        host.object["host-data"] = base64.b64encode(bytes(32)).decode()

    def debugger(host):
        host.object["policy"] |= 1 << 19
    if unavailable():
        print(f"# not shown: {unavailable()}")
        return
    with Folder() as folder:
        host = Host(folder)
        policy = image_policy(folder, host, "snp", "--cpu-type", "EPYC-Milan", "--cpus", "2")
        honest = judged(folder, host, policy)
        assert honest.startswith("SIMULATED verified"), honest
    for change, check in ((add("kernel"), "measurement"), (add("initrd"), "measurement"),
                          (word, "measurement"), (configuration, "host_data"), (debugger, "debug")):
        with Folder() as folder:
            host = Host(folder)
            policy = image_policy(folder, host, "snp", "--cpu-type", "EPYC-Milan", "--cpus", "2")
            change(host)
            verdict = judged(folder, host, policy)
            assert verdict.startswith("SIMULATED refused") and check in verdict, verdict


def a_td_is_measured_as_its_owner_computes():
    with Folder() as folder:
        host = tdx_host(folder)
        facts = host.launch()[1]
        policy = image_policy(folder, host, "tdx", "--rtmr0", "00" * 48)
        assert facts["tee"] == "tdx" and facts["mrtd"] in policy["mrtd"]
        assert facts["rtmr1"] in policy["rtmr1"] and facts["rtmr2"] in policy["rtmr2"]
        assert facts["mrconfigid"] == CONFIG_ID.hex() and facts["mrowner"] == "00" * 48
        assert facts["tdattributes"] == "0000001000000000"
        assert set(facts["credentials"]) == {"leaf_key", "attestation_key", "pck_chain"}
        host.append += " quiet"
        assert host.launch()[1]["rtmr2"] not in policy["rtmr2"]
        with open(host.files["kernel"], "r+b") as file:
            file.seek(1500)
            file.write(b"x")
        assert host.launch()[1]["rtmr1"] not in policy["rtmr1"]


def a_host_that_names_a_fact_twice_starts_nothing():
    for name, value in (("measurement", "00" * 48), ("host_data", "00" * 32), ("policy", 1),
                        ("tee", "tdx"), ("credentials", {})):
        with Folder() as folder:
            Host(folder, **{name: value}).refused(
                "credentials" if name == "credentials" else "same key twice")


def qemu_gets_what_it_can_do():
    with Folder() as folder:
        host = Host(folder)
        words, _ = host.launch()
        text = " ".join(words)
        for gone in ("sev-snp", "confidential-guest", "-bios", "EPYC", "lsec0"):
            assert gone not in text, gone
        for kept in ("-kernel " + host.files["kernel"], "-initrd " + host.files["initrd"],
                     "-append " + host.append, "-smp 2,sockets=2", "tpm-crb",
                     "-machine pc-q35-7.2,usb=off,memory-backend=pc.ram"):
            assert kept in text, kept
        assert words[-2] == "-fw_cfg" and words[-1].startswith("name=opt/org.cocos.teesim,file=")


def an_emulated_processor_shows_no_wide_vectors():
    narrow = "max,avx=off,avx2=off,fma=off,f16c=off,vaes=off,vpclmulqdq=off"
    for accelerator, cpu in (("tcg", narrow), ("tcg,thread=multi", narrow), ("kvm", "max")):
        with Folder() as folder:
            host = Host(folder)
            host.extra = ["-accel", accelerator]
            words, _ = host.launch()
            assert words[words.index("-cpu") + 1] == cpu and words.count("-cpu") == 1, words


def the_machine_gets_no_vendors_key():
    with Folder() as folder:
        facts = Host(folder).launch()[1]
        assert set(facts["credentials"]) == {"leaf_key", "table"}
        for name in os.listdir(folder("keys")):
            with open(folder("keys", name), encoding="ascii") as file:
                assert (file.read() == facts["credentials"]["leaf_key"]) == (name == "vcek.pem")


def what_is_not_known_is_refused():
    for extra in (["-fw_cfg", "name=opt/x,string=y"], ["-device", "loader,file=/x,addr=0"],
                  ["-device", '{"driver":"loader"}'], ["-drive", "if=pflash,file=/x"],
                  ["-pflash", "/x"], ["-incoming", "tcp:0:1"], ["-kernel", "/x"],
                  ["-append", "x"], ["-bios", "/x"], ["-cpu", "max"], ["-smp", "1"], ["-shim", "/x"],
                  ["-machine", "pflash0=x"], ["-machine", "igvm-cfg=x"], ["-readconfig", "/x"],
                  ["-object", "sev-snp-guest,id=lsec1"], ["-m"], ["-m", "1"], ["x"],
                  ["-object", '{"qom-type":"sev-snp-guest","id":"lsec1"}']):
        with Folder() as folder:
            host = Host(folder)
            host.extra = extra
            host.refused("")
    for change in ({"kernel-hashes": False}, {"id-block": "AAAA"}, {"host-data": "AAAA"},
                   {"policy": "x"}):
        with Folder() as folder:
            host = Host(folder)
            host.object.update(change)
            host.refused("")
    for name in ("kernel", "initrd", "bios"):
        with Folder() as folder:
            host = Host(folder)
            del host.files[name]
            host.refused("a measured launch has")


def a_call_without_a_tee_goes_through_as_it_is():
    """libvirt asks its emulators what they can do."""
    with Folder() as folder:
        host = Host(folder)
        probe = [host.emulator, "-S", "-machine", "none,accel=kvm:tcg", "-qmp", "unix:/x", "-daemonize"]
        done = subprocess.run(probe, capture_output=True, text=True, check=False)
        assert done.stdout.split("\nfacts")[0].split("\n") == probe[1:], done


def main():
    tap.run([the_launch_is_measured_as_hardware_would, what_a_host_changes_is_measured,
             a_td_is_measured_as_its_owner_computes,
             the_policy_of_the_image_refuses_every_other_launch,
             a_host_that_names_a_fact_twice_starts_nothing, qemu_gets_what_it_can_do,
             an_emulated_processor_shows_no_wide_vectors, the_machine_gets_no_vendors_key, what_is_not_known_is_refused,
             a_call_without_a_tee_goes_through_as_it_is])


main()
