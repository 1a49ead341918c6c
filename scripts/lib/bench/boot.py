# SPDX-License-Identifier: Apache-2.0
"""From CreateVm to the first verified byte, in whole machines under emulation: what a host with the
hardware takes is another figure."""
import json
import os
import shutil
import statistics
import subprocess
import sys

from harness import BUILD, ROOT, Folder

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS, PATIENCE, NO_LIBVIRT = 3, 1800, 3
TEES = {"snp": ("base-simulated", "SIMULATED snp"), "vtpm": ("base", "vtpm, operator trusted")}
PARTS = ("CreateVm answered", "agent connected", "first verified byte")


class Missing(Exception):
    """Why there is no figure."""


def image_of(flavour):
    """The folder of an image of this source."""
    out = os.path.join(BUILD, "image", flavour)
    done = subprocess.run([os.path.join(ROOT, "scripts", "build-image"), flavour, "--out", out],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing("no image: " + ((done.stderr or done.stdout).strip().splitlines() or ["?"])[-1])
    return out


def rounds_of(tee, flavour):
    if os.geteuid() != 0:
        raise Missing("needs root")
    for name in ("virsh", "libvirtd", "qemu-system-x86_64", "swtpm"):
        if not shutil.which(name):
            raise Missing(f"there is no {name}")
    image = image_of(flavour)
    with Folder() as folder:
        os.chmod(folder.path, 0o711)  # QEMU's user has to reach the image
        words = [sys.executable, os.path.join(HERE, "first_byte.py"), folder.path, image, tee, str(ROUNDS)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode == NO_LIBVIRT:
        raise Missing("libvirt does not start here")
    if done.returncode:
        raise AssertionError((done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1])
    return json.loads(done.stdout)


def first_byte(size, only):
    if only and not any(word in "CreateVm to first verified byte" for word in only):
        return
    for tee, (flavour, name) in TEES.items():
        row = {"row": f"CreateVm to first verified byte, {name}, TCG", "unit": "s"}
        try:
            rounds = rounds_of(tee, flavour)
        except Missing as why:
            yield {**row, "figure": "-", "note": f"skipped: {why}"}
            continue
        except (AssertionError, subprocess.TimeoutExpired) as why:
            yield {**row, "figure": "-", "note": f"FAILED: {why}"}
            continue
        parts = [statistics.median(times) for times in zip(*rounds)]
        spread = f"{min(r[-1] for r in rounds):.1f} to {max(r[-1] for r in rounds):.1f}"
        yield {**row, "figure": parts[-1], "note": f"median of {len(rounds)}, {spread}; " + ", ".join(
            f"{part} {seconds:.1f}" for part, seconds in zip(PARTS[:-1], parts))}
