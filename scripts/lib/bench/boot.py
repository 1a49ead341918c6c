# SPDX-License-Identifier: Apache-2.0
"""From CreateVm to a connected agent and to the first verified byte, in whole machines under emulation:
what a host with the hardware takes is another figure."""
import json
import os
import shutil
import statistics
import subprocess
import sys

from guest_vm import Vm
from harness import BUILD, ROOT, Folder

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS, PATIENCE, NO_LIBVIRT = 3, 1800, 3
CONNECTED = "CreateVm to a connected agent, SeaBIOS, TCG"
KERNELS, STARTED = "boot until the agent starts, own kernel, TCG: processor", "agent started"
TEES = {"snp": ("base-simulated", "SIMULATED snp"), "vtpm": ("base", "vtpm, operator trusted")}
PARTS = ("CreateVm answered", "agent connected", "first verified byte")


class Missing(Exception):
    """Why there is no figure."""


def image_of(flavour, kernel=os.environ.get("COCOS_TEST_KERNEL", "stock"), out=None):
    """The folder of an image of this source."""
    out = os.path.join(BUILD, "image", out or flavour)
    done = subprocess.run([os.path.join(ROOT, "scripts", "build-image"), flavour, "--kernel", kernel, "--out", out],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing("no image: " + ((done.stderr or done.stdout).strip().splitlines() or ["?"])[-1])
    return out


def rounds_of(flavour, program, *words):
    if os.geteuid() != 0:
        raise Missing("needs root")
    for name in ("virsh", "libvirtd", "qemu-system-x86_64", "swtpm"):
        if not shutil.which(name):
            raise Missing(f"there is no {name}")
    image = image_of(flavour)
    with Folder() as folder:
        os.chmod(folder.path, 0o711)  # QEMU's user has to reach the image
        done = subprocess.run([sys.executable, os.path.join(HERE, program), folder.path, image, *words,
                               str(ROUNDS)], capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode == NO_LIBVIRT:
        raise Missing("libvirt does not start here")
    if done.returncode:
        raise AssertionError((done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1])
    return json.loads(done.stdout)


def measured(row, *words):
    """Its rounds; the row itself says why there are none."""
    try:
        return rounds_of(*words)
    except Missing as why:
        row["note"] = f"skipped: {why}"
    except (AssertionError, subprocess.TimeoutExpired) as why:
        row["note"] = f"FAILED: {why}"
    row["figure"] = "-"
    return None


def connected(size, only):
    if only and not any(word in CONNECTED for word in only):
        return
    row = {"row": CONNECTED, "unit": "s", "aim": "<= 1.15, and 6 s"}
    rounds = measured(row, "base", "connected.py")
    if rounds:
        seconds, bare, *parts = (statistics.median(times) for times in zip(*rounds))
        row.update(figure=seconds, limit=bare, of="virsh create until init runs", ratio=seconds / bare,
                   note=f"median of {len(rounds)}")
    yield row
    if rounds:
        yield {"row": f"  {CONNECTED}: parts", "unit": "s", "figure": " / ".join(f"{part:.1f}" for part in parts),
               "note": "CreateVm answered / init runs / agent started"}


def booted(image):
    """(seconds of a processor, seconds by the clock) that QEMU alone takes until the agent starts."""
    with Vm(image, "AGENT_CVM_GRPC_URL=10.0.2.2:9\n") as vm:
        clock = vm.wait_line(STARTED)
        with open(f"/proc/{vm.qemu.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), clock


def kernels(size, only):
    """Our own kernel beside Debian's, in turns."""
    if only and not any(word in KERNELS for word in only):
        return
    row = {"row": KERNELS, "unit": "s", "figure": "-", "aim": "<= 0.8"}
    try:
        for name in ("qemu-system-x86_64", "swtpm"):
            if not shutil.which(name):
                raise Missing(f"there is no {name}")
        images = [image_of("base", kernel, "base-" + kernel) for kernel in ("own", "stock")]
        rounds = [[booted(image) for image in images] for _ in range(ROUNDS)]
        (own, clock), (stock, other) = ([statistics.median(times) for times in zip(*boots)] for boots in zip(*rounds))
        row.update(figure=own, limit=stock, of="Debian's kernel", ratio=own / stock,
                   note=f"median of {ROUNDS}; by the clock {clock:.1f} and {other:.1f}, {clock / other:.3f}")
    except Missing as why:
        row["note"] = f"skipped: {why}"
    except AssertionError as why:
        row["note"] = f"FAILED: {str(why).splitlines()[0]}"
    yield row


def first_byte(size, only):
    if only and not any(word in "CreateVm to first verified byte" for word in only):
        return
    for tee, (flavour, name) in TEES.items():
        row = {"row": f"CreateVm to first verified byte, {name}, TCG", "unit": "s"}
        rounds = measured(row, flavour, "first_byte.py", tee)
        if rounds:
            parts = [statistics.median(times) for times in zip(*rounds)]
            spread = f"{min(r[-1] for r in rounds):.1f} to {max(r[-1] for r in rounds):.1f}"
            row.update(figure=parts[-1], note=f"median of {len(rounds)}, {spread}; " + ", ".join(
                f"{part} {seconds:.1f}" for part, seconds in zip(PARTS[:-1], parts)))
        yield row


def image_size(size, only):
    row = {"row": "size of the base image, kernel and initrd", "unit": "MiB"}
    if only and not any(word in row["row"] for word in only):
        return
    try:
        folder = image_of("base")
        with open(os.path.join(folder, "image.json"), encoding="utf-8") as file:
            record = json.load(file)
        parts = [record[part]["size"] / (1 << 20) for part in ("kernel", "initrd")]
        row.update(figure=sum(parts), note=f"initrd {parts[1]:.1f}, aim <= 24")
    except Missing as why:
        row.update(figure="-", note=f"skipped: {why}")
    yield row
