# SPDX-License-Identifier: Apache-2.0
"""The image's root, put together from unpacked packages and a few files of our own."""
import glob
import os
import shutil

from . import buildroot, libraries
from .fail import Failure
from .flavours import LEFT_OUT, LIBRARIES

FOLDERS = ["dev", "proc", "sys", "run", "tmp", "etc/cocos", "etc/certs", "etc/ssl/certs", "usr/bin",
           "usr/lib/x86_64-linux-gnu", "usr/lib64", "var/lib/cocos", "root"]
LINKS = {
    "bin": "usr/bin", "sbin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib64",
    "usr/sbin": "bin", "var/run": "../run", "etc/resolv.conf": "../run/resolv.conf",
    "etc/mtab": "../proc/self/mounts",
    "usr/lib64/ld-linux-x86-64.so.2": "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
}
# No user has a password or a shell; there is nothing to log in with.
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/nonexistent\n"
                  "cocos-agent:x:900:900:agent:/nonexistent:/nonexistent\n"
                  "cocos-job:x:901:901:algorithm:/nonexistent:/nonexistent\n"
                  "nobody:x:65534:65534:nobody:/nonexistent:/nonexistent\n",
    "etc/group": "root:x:0:\ncocos-agent:x:900:\ncocos-job:x:901:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "etc/hosts": "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 cocos\n",
    "etc/hostname": "cocos\n",
}
SIMULATOR = "teesim"
SHELLS = ("sh", "bash", "dash", "busybox", "ash", "ksh", "zsh", "csh", "getty", "agetty", "login",
          "su", "sudo")


def _put(tree, name, text, mode=0o644):
    path = os.path.join(tree, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def _certificates(runtime, tree):
    """One bundle of the certificate authorities, as update-ca-certificates would make it."""
    names = sorted(glob.glob(os.path.join(runtime, "usr/share/ca-certificates/mozilla/*.crt")))
    if not names:
        raise Failure("the packages hold no certificate authorities")
    parts = []
    for name in names:
        with open(name, encoding="utf-8") as file:
            parts.append(file.read().rstrip("\n") + "\n")
    _put(tree, "etc/ssl/certs/ca-certificates.crt", "".join(parts))


def _pick(runtime, tree, patterns):
    for pattern in patterns:
        found = sorted(glob.glob(os.path.join(runtime, pattern)))
        if not found:
            raise Failure(f"no package has '{pattern}'")
        for path in found:
            target = os.path.join(tree, os.path.relpath(path, runtime))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.copytree(path, target, symlinks=True, dirs_exist_ok=True)
            else:
                shutil.copy2(path, target, follow_symlinks=False)
    for pattern in LEFT_OUT:
        for path in glob.glob(os.path.join(tree, pattern), recursive=True):
            buildroot.remove(path)


def _check(tree):
    """No shell, nothing that could open one, nothing set-uid, no link that leads nowhere useful."""
    for folder, folders, files in os.walk(tree):
        for name in files:
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, tree)
            in_path = os.path.dirname(relative) in ("usr/bin", "usr/lib/x86_64-linux-gnu")
            if in_path and name in SHELLS:
                raise Failure(f"the image would hold a shell or a login: /{relative}")
            if not os.path.islink(path) and os.lstat(path).st_mode & 0o6000:
                os.chmod(path, os.lstat(path).st_mode & 0o777)
        folders.sort()


def check_real(tree):
    """Nothing of the simulated TEEs, by name or inside of a file."""
    for folder, _, files in os.walk(tree):
        for name in files:
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, tree)
            if SIMULATOR in relative:
                raise Failure(f"the image would hold the simulator: /{relative}")
            if os.path.islink(path):
                continue
            with open(path, "rb") as file:
                if SIMULATOR.encode() in file.read():
                    raise Failure(f"the image would name the simulator: in /{relative}")


def make(tools, runtime, flavour, agent, marker, tree, hardware=None, more=()):
    """Fills the new folder `tree`. `hardware` is a program that stands in the agent's place, and
    starts it: the simulated TEEs; `more` are programs that lie beside the agent."""
    for name in FOLDERS:
        os.makedirs(os.path.join(tree, name))
    _pick(runtime, tree, flavour["pick"])
    for name, target in LINKS.items():
        path = os.path.join(tree, name)
        if not os.path.lexists(path):
            os.symlink(target, path)
    for name, text in FILES.items():
        _put(tree, name, text)
    _put(tree, "etc/cocos-image", marker)
    _certificates(runtime, tree)
    _pick(runtime, tree, ["usr/lib/locale/C.utf8"])
    programs = {"cocos-agent": hardware, "cocos-agent-real": agent} if hardware else \
        {"cocos-agent": agent}
    programs.update((os.path.basename(program), program) for program in more)
    for name, program in programs.items():
        shutil.copyfile(program, os.path.join(tree, "usr/bin", name))
        os.chmod(os.path.join(tree, "usr/bin", name), 0o755)
    libraries.closure(tools, [runtime, tools], tree, LIBRARIES)
    _check(tree)
    if not hardware:
        check_real(tree)


def normalize(tree):
    """Modes and dates that do not depend on who unpacked."""
    for folder, folders, files in os.walk(tree, topdown=False):
        for name in files + folders:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                continue
            executable = os.path.isdir(path) or os.stat(path).st_mode & 0o100
            os.chmod(path, 0o755 if executable else 0o644)
            os.utime(path, (0, 0))
    os.chmod(tree, 0o755)
    os.utime(tree, (0, 0))
