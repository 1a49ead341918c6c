# SPDX-License-Identifier: Apache-2.0
"""A folder with a release's packages in it, and commands run inside.

Packages are only unpacked: no maintainer script runs, so no root is needed and nothing of the
machine gets in. Commands see that folder as their root, have no network and a fixed environment.
"""
import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess

from .fail import Failure

MERGED = ("bin", "sbin", "lib", "lib64")
DEVICES = ("null", "zero", "full", "random", "urandom")
LAYOUT = 3  # of what unpack() makes: roots in the cache of another one are not used
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/tmp",
               "SOURCE_DATE_EPOCH": "0", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}


def key_of(*values):
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:24]


def make_once(path, make):
    """Calls make(temporary) unless `path` is there; several builds may want it at once."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            temporary = path + ".new"
            remove(temporary)
            make(temporary)
            os.rename(temporary, path)
    return path


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        # Unpacked folders may be read-only even for their owner.
        for folder, folders, _ in os.walk(path):
            for name in folders:
                full = os.path.join(folder, name)
                if not os.path.islink(full):
                    os.chmod(full, 0o700)
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def unpack(debs, path):
    """Every package of `debs` into the folder `path`, with /bin, /lib and so on in /usr."""
    for name in ("proc", "tmp", "dev", "src", "build"):
        os.makedirs(os.path.join(path, name))
    for name in MERGED:
        os.makedirs(os.path.join(path, "usr", name))
        os.symlink("usr/" + name, os.path.join(path, name))
    for name in DEVICES:
        with open(os.path.join(path, "dev", name), "w", encoding="utf-8"):
            pass
    for deb in debs:
        done = subprocess.run(["dpkg-deb", "-x", deb, path], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise Failure(f"unpack {os.path.basename(deb)}: {done.stderr.strip()[-200:]}")
    for name in MERGED:
        if not os.path.islink(os.path.join(path, name)):
            raise Failure(f"a package replaced /{name}, which has to lead into /usr")


def failure_text(text):
    """What is worth showing of a long log: the lines with errors, and the end."""
    lines = text.strip().splitlines()
    errors = [line for line in lines[:-20] if re.search(r"error|FAILED", line)]
    return "\n".join(errors[:20] + lines[-20:])


def run(root, command, binds=(), proc=False):
    """Runs `command` in `root`; `binds` are (folder of the machine, folder inside); with `proc`, it sees
    processes. Returns what it printed."""
    quoted = shlex.quote(root)
    script = ["set -e"]
    script += [f"mount --bind /dev/{name} {quoted}/dev/{name}" for name in DEVICES]
    script += [f"mount --rbind /proc {quoted}/proc"] if proc else []
    script += [f"mount --bind {shlex.quote(outside)} {quoted}{shlex.quote(inside)}"
               for outside, inside in binds]
    variables = " ".join(f"{key}={shlex.quote(value)}" for key, value in ENVIRONMENT.items())
    script.append(f"exec env -i {variables} chroot {quoted} {shlex.join(command)}")
    namespaces = ["unshare", "--mount", "--net", "--ipc", "--propagation", "private"]
    if os.geteuid() != 0:
        namespaces += ["--user", "--map-root-user"]
    done = subprocess.run(namespaces + ["--", "/bin/sh", "-c", "\n".join(script)],
                          capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise Failure(f"{os.path.basename(command[0])} in the build root failed:\n"
                      f"{failure_text(done.stdout + done.stderr)}")
    return done.stdout
