# SPDX-License-Identifier: Apache-2.0
"""The kernel's packages: the kernel itself and the few modules that the image loads."""
import glob
import lzma
import os
import re

from .fail import Failure


def folder_of(root):
    found = glob.glob(os.path.join(root, "usr/lib/modules/*/kernel"))
    if len(found) != 1:
        raise Failure("the kernel's packages hold not one folder of modules")
    return os.path.dirname(found[0])


def vmlinuz_of(root):
    version = os.path.basename(folder_of(root))
    for path in (os.path.join(folder_of(root), "vmlinuz"),
                 os.path.join(root, "boot", "vmlinuz-" + version)):
        if os.path.isfile(path):
            return path
    raise Failure("the kernel's packages hold no kernel")


def _key(name):
    return name.replace("-", "_")


class Modules:
    def __init__(self, root):
        self.files = {}
        for folder, _, files in os.walk(folder_of(root)):
            for name in files:
                match = re.fullmatch(r"(.+)\.ko(\.xz)?", name)
                if match:
                    self.files[_key(match[1])] = os.path.join(folder, name)

    def read(self, key):
        path = self.files[key]
        with open(path, "rb") as file:
            data = file.read()
        return lzma.decompress(data) if path.endswith(".xz") else data

    def order(self, wanted):
        """[(key, optional)] of `wanted` {name: optional}, each behind what it depends on. What an
        optional module needs is optional unless something needed needs it too. Names that the
        kernel has built in are simply not there."""
        ordered, optional = [], {}

        def visit(key, is_optional, needer):
            if key not in self.files:
                raise Failure(f"module {key}, which {needer} needs, is not in the kernel's package")
            optional[key] = optional.get(key, True) and is_optional
            depends = re.search(rb"(?:^|\0)depends=([^\0]*)\0", self.read(key))
            for other in (depends[1].decode().split(",") if depends and depends[1] else []):
                visit(_key(other), is_optional, key)
            if key not in ordered:
                ordered.append(key)

        for name, is_optional in wanted.items():
            visit(_key(name), is_optional, "the image")
        return [(key, optional[key]) for key in ordered]


def write_modules(root, wanted, out):
    """The modules, unpacked, and the list in which init reads their order."""
    modules = Modules(root)
    os.makedirs(out)
    lines = []
    for key, optional in modules.order(wanted):
        with open(os.path.join(out, key + ".ko"), "wb") as file:
            file.write(modules.read(key))
        lines.append(f"{key}.ko {'optional' if optional else 'needed'}\n")
    with open(os.path.join(out, "list"), "w", encoding="utf-8") as file:
        file.write("".join(lines))
