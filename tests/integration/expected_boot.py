# SPDX-License-Identifier: Apache-2.0
"""What an owner computes from an image is what machines measure when they boot it, and what their
manager says: OVMF, the kernel's EFI stub and a software TPM, in real virtual machines.

Arguments: the probe that takes the agent's place, a folder for the image.
"""
import functools
import json
import os
import re
import subprocess
import sys

import libvirt_room as room
import tap
from guest_vm import Vm, build_image
from harness import PATIENCE, ROOT, Folder, program, read, until
from manager_libvirt import Manager, manager

OVMF = "/usr/share/OVMF/OVMF_CODE_4M.fd"
OVMF_64 = "/usr/share/OVMF/OVMF_CODE.fd"  # Debian 12's alone
ASKED = "MEASURED"  # the word at which the probe tells registers


@functools.cache
def image():
    return build_image(ROOT, "base", IMAGE, "--agent", PROBE)


def copied(folder):
    """The image where QEMU's user may read it, wherever the checkout lies; the manager of that folder takes it."""
    subprocess.run(["cp", "-r", image(), folder("image")], check=True)


def cli(*arguments, **options):
    return subprocess.run([program("cocos-cli"), *arguments], check=True, capture_output=True,
                          **options)


def expected(*arguments):
    """The policy of the image, as bytes."""
    return cli("policy", "create", "--image", IMAGE, "--tee", "vtpm", *arguments).stdout


def registers(lines):
    """{"sha256": {4: hex, …}, …} as the probe tells."""
    found = {}
    for line in lines:
        match = re.search(r"probe: /sys/class/tpm/tpm0/pcr-(\w+)/(\d+): ([0-9A-F]+)", line)
        if match:
            found.setdefault(match[1], {})[match[2]] = match[3].lower()
    return found


def compare(policy, found):
    """Which registers of the policy do not have one of its values."""
    banks = json.loads(policy)["tpm"]["pcrs"]
    assert set(banks) == {"sha256", "sha384"}
    assert all(set(bank) == {"2", "3", "4", "6", "7", "9"} for bank in banks.values()), banks
    return sorted((kind, int(index)) for kind, bank in banks.items()
                  for index, values in bank.items() if found[kind][index] not in values)


def a_machine_of_the_manager_measures_what_its_owner_computes():
    with Folder() as folder:
        copied(folder)
        with Manager(folder, MEMORY="512M", FIRMWARE="") as m:  # the usual one
            made = m.create(agent_certs_token=ASKED)
            console = folder("state/cvms", made.cvm_id, "console.log")
            until(lambda: b"probe: ready" in read(console), "the boot", seconds=4 * PATIENCE)
            found = registers(read(console).decode(errors="replace").splitlines())
            policy = expected()
            assert compare(policy, found) == []
            assert m.info(made.cvm_id).ovmf_version == (OVMF_64 if os.path.exists(OVMF_64) else OVMF)

            answer = m.stub.AttestationPolicy(manager.AttestationPolicyReq(id=made.cvm_id))
            assert answer.info == policy, "the manager says something else"
            out = folder("downloaded.json")
            done = cli("policy", "download", made.cvm_id, "-o", out, "--grpc-url",
                       f"127.0.0.1:{m.port}", text=True)
            assert read(out) == policy and "operator" in done.stderr
            missing = subprocess.run([program("cocos-cli"), "policy", "download", "nobody",
                                      "--grpc-url", f"127.0.0.1:{m.port}"], check=False,
                                     capture_output=True, text=True)
            assert missing.returncode == 1 and "no CVM" in missing.stderr, missing.stderr
            m.remove(made.cvm_id)
            m.assert_nothing_left()


def boot(memory, word=""):
    with open(os.path.join(image(), "image.json"), encoding="utf-8") as file:
        append = json.load(file)["cmdline"] + " " + word
    with Vm(IMAGE, ASKED + "=1\n", (), memory=memory, append=append, extra=[
            "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={OVMF}"]) as vm:
        vm.wait_line("probe: ready", 4 * PATIENCE)
        return registers(vm.lines[:])


def other_sizes_and_words_are_told_apart():
    """Much memory is foreseen; another command line is another value of PCR 9 and of that alone."""
    found = boot(3072, "cocos.role_signature")
    assert compare(expected("--word", "cocos.role_signature"), found) == []
    assert compare(expected(), found) == [("sha256", 9), ("sha384", 9)]


def what_firmware_does_not_measure_has_no_policy():
    with Folder() as folder:
        copied(folder)
        with Manager(folder, MEMORY="512M") as m:  # SeaBIOS
            made = m.create()
            done = subprocess.run([program("cocos-cli"), "policy", "download", made.cvm_id,
                                   "--grpc-url", f"127.0.0.1:{m.port}"], check=False,
                                  capture_output=True, text=True)
            assert done.returncode == 1 and "SeaBIOS" in done.stderr, done.stderr
            assert not done.stdout
            m.remove(made.cvm_id)
            m.assert_nothing_left()


def an_image_that_was_changed_has_no_policy():
    with Folder() as folder:
        copied(folder)
        with open(folder("image/initrd.img"), "ab") as file:
            file.write(b"\0")
        done = subprocess.run([program("cocos-cli"), "policy", "create", "--tee", "vtpm", "--image",
                               folder("image")], check=False, capture_output=True, text=True)
        assert done.returncode == 2 and "image.json" in done.stderr and not done.stdout, done.stderr


def an_owner_hears_whose_kernel_it_is():
    """The same policy but for one word, and a note beside it where the kernel runs ACPI code of the host's."""
    with Folder() as folder:
        copied(folder)
        with open(folder("image/image.json"), encoding="utf-8") as file:
            record = json.load(file)
        for own in (False, True):
            record.pop("own_kernel", None)
            record.update({"own_kernel": {"config": "00"}} if own else {})
            folder.write("image/image.json", json.dumps(record))
            done = cli("policy", "create", "--image", folder("image"), "--tee", "vtpm", text=True)
            assert ("ACPI code of the host's" in done.stderr) != own, done.stderr
            policy, same = json.loads(done.stdout), json.loads(expected())
            assert policy["run"].pop("kernel") == ("own" if own else "stock"), done.stdout
            same["run"].pop("kernel")
            assert policy == same, done.stdout


if __name__ == "__main__":
    room.enter()
    PROBE, IMAGE = sys.argv[1], os.path.join(sys.argv[2], "base")
    room.Libvirt().up()
    tap.run([
        a_machine_of_the_manager_measures_what_its_owner_computes,
        other_sizes_and_words_are_told_apart,
        what_firmware_does_not_measure_has_no_policy,
        an_image_that_was_changed_has_no_policy,
        an_owner_hears_whose_kernel_it_is,
    ])
