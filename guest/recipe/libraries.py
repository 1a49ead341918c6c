# SPDX-License-Identifier: Apache-2.0
"""Shared libraries: who needs which, and where they lie."""
import os
import re

from . import buildroot
from .fail import Failure

FOLDERS = ("usr/lib/x86_64-linux-gnu", "usr/lib64", "usr/lib")
# Alternatives whose links maintainer scripts would have made.
ALTERNATIVES = ("usr/lib/x86_64-linux-gnu/blas", "usr/lib/x86_64-linux-gnu/lapack")


def is_elf(path):
    if os.path.islink(path) or not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def needs(tools, paths, batch=200):
    """The sonames and interpreters that the files at `paths` name, read by the build root's own
    readelf."""
    found = set()
    for at in range(0, len(paths), batch):
        some = paths[at:at + batch]
        common = os.path.commonpath([os.path.dirname(path) for path in some])
        text = buildroot.run(tools, ["readelf", "-W", "-d", "-l"] +
                             [os.path.join("/build", os.path.relpath(p, common)) for p in some],
                             [(common, "/build")])
        found.update(re.findall(r"\(NEEDED\)\s+Shared library: \[([^\]]+)\]", text))
        found.update(os.path.basename(name) for name in
                     re.findall(r"Requesting program interpreter: ([^\]]+)\]", text))
    return found


def locate(roots, soname):
    """(root, path relative to it), in the first of `roots` that has it."""
    for root in roots:
        for folder in FOLDERS + ALTERNATIVES:
            name = os.path.join(folder, soname)
            if os.path.exists(os.path.join(root, name)):
                return root, name
    raise Failure(f"library {soname} is in none of the packages: add the one that has it to "
                  "guest/recipe/flavours.py")


def closure(tools, roots, tree, own=()):
    """Adds to `tree` every library that its programs and libraries need; `own` are sonames to add
    besides. A library that an ELF file of `tree` brings along in its own folder is found there, and one
    that a link of `tree` leads to is needed as well."""
    brought = set()
    queue = set(own)
    elves = []
    for folder, _, files in os.walk(tree):
        for name in files:
            path = os.path.join(folder, name)
            if os.path.islink(path) and not os.path.exists(path):
                queue.update(re.findall(r"/([^/]+\.so(?:\.[0-9.]+)?)$", os.readlink(path)))
            if is_elf(path):
                elves.append(path)
                brought.add(name)
    done = set()
    queue |= needs(tools, elves) if elves else set()
    while queue - done:
        new = []
        for soname in sorted(queue - done):
            done.add(soname)
            if soname not in brought:
                new.append(_copy(roots, soname, tree))
        new = [path for path in new if path]
        queue |= needs(tools, new) if new else set()


def _copy(roots, soname, tree):
    root, name = locate(roots, soname)
    if name.startswith(ALTERNATIVES):
        target = os.path.join(FOLDERS[0], soname)
    else:
        target = name
    real = os.path.realpath(os.path.join(root, name))
    if not real.startswith(os.path.realpath(root) + "/"):
        raise Failure(f"library {soname} leads out of its packages")
    out = os.path.join(tree, target)
    if os.path.exists(out):
        return None
    os.makedirs(os.path.dirname(out), exist_ok=True)
    with open(real, "rb") as source, open(out, "wb") as copy:
        copy.write(source.read())
    os.chmod(out, 0o755)
    return out
