# SPDX-License-Identifier: Apache-2.0
"""Which of the packages that a guest image was built with have files in it, for its SBOM: seen from the files."""
import json
import lzma
import os
import re
import subprocess
import tempfile

from recipe import buildroot, libraries, linux, packages
from recipe.fail import Failure

# Built for the guest with these, which a library's name does not tell: init is static.
STATIC = ("libc6-dev",)


def output(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


class Part:
    """A package of the image's build, as it lies in the cache."""

    def __init__(self, cache, entry):
        self.entry, self.name = entry, entry["name"]
        self.path = deb_of(cache, entry)
        rows = re.findall(r"^[-lh]\S+ \S+ +\d+ \S+ \S+ \./(.*?)(?: -> (\S+)| link to .*)?$",
                          output("dpkg-deb", "-c", self.path), re.M)
        self.files = {in_the_image(name): link for name, link in rows}

    def copyright(self, others):
        """The folder of documents may be a link to that of a package beside it."""
        target = self.files.get("usr/share/doc/" + self.name)
        if target:
            return others[target].copyright(others)
        script = 'dpkg-deb --fsys-tarfile "$0" | tar -xO "./usr/share/doc/$1/copyright"'
        return output("sh", "-c", script, self.path, self.name)


def in_the_image(name):
    """Where a package's file lies there."""
    name = re.sub(r"^(bin|sbin|lib|lib64)/", r"usr/\1/", name)
    return os.path.join(libraries.FOLDERS[0], os.path.basename(name)) if name.startswith(libraries.ALTERNATIVES) else name


def deb_of(cache, entry):
    path = os.path.join(cache, "apt/cache/archives", packages.deb_name(packages.Package(
        entry["name"], entry["version"], entry["architecture"])))
    if not os.path.exists(path) or packages.sha256_of(path) != entry["sha256"]:
        raise Failure(f"{path} is not what the image was made of: 'scripts/build-image FLAVOUR --refresh' fetches it")
    return path


def names_in_initrd(initrd):
    """{name: whether it is a link}, without folders, in a cpio archive that xz has packed."""
    with lzma.open(initrd) as file:
        data = file.read()
    names, at = {}, 0
    while True:
        fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        body = at + 110 + fields[11]
        name = data[at + 110:body - 1].decode()
        if name == "TRAILER!!!":
            return names
        at = body + -body % 4 + fields[6]
        at += -at % 4
        kind = fields[1] >> 12
        if kind != 4:
            names[name.removeprefix("system/")] = kind == 10


def names_on_disk(disk, tools):
    """The same of an erofs: the tools that made it unpack it."""
    with tempfile.TemporaryDirectory() as folder:
        root = os.path.join(folder, "root")
        os.mkdir(root)
        buildroot.run(tools, ["fsck.erofs", "--extract=/build/root", "--no-preserve", "/src/" + os.path.basename(disk)],
                      [(os.path.dirname(os.path.abspath(disk)), "/src"), (folder, "/build")])
        names = {}
        for top, folders, files in os.walk(root):
            for path in (os.path.join(top, name) for name in folders + files):
                if os.path.islink(path) or not os.path.isdir(path):
                    names[os.path.relpath(path, root)] = os.path.islink(path)
        buildroot.remove(root)
    return names


class Parts:
    def __init__(self, image, cache):
        self.image, self.cache = image, cache
        with open(os.path.join(image, "image.json"), encoding="utf-8") as file:
            self.record = json.load(file)
        if linux.REACH in self.record:
            raise Failure(f"{image}: its kernel is one for developers (build-image --kernel {linux.REACH}): such an image "
                          "is not packaged")
        entries = self.record["packages"]
        self.known = {entry["name"]: Part(cache, entry) for entry in entries["kernel"] + entries["image"] + [
            each for each in entries["tools"] if each["name"] in STATIC or
            (each["name"].startswith(("lib", "zlib", "gcc-")) and not each["name"].endswith("-dev"))]}
        self.names = self._names()
        missing = [name for name, is_link in self.names.items() if ".so" in name and not is_link and
                   not any(name in each.files for each in self.known.values())]
        if missing:
            raise Failure(f"{image}: in no package that it was made of: {', '.join(sorted(missing))}")

    def _names(self):
        names = names_in_initrd(os.path.join(self.image, self.record["initrd"]["file"]))
        if "root" in self.record:
            names.update(names_on_disk(os.path.join(self.image, self.record["root"]["file"]), self._root()))
        return names

    def _root(self):
        """The system that the image was built in: in the cache, or unpacked again."""
        tools = self.record["packages"]["tools"]
        path = os.path.join(self.cache, "roots", buildroot.key_of(buildroot.LAYOUT, [each["sha256"] for each in tools]))
        return buildroot.make_once(
            path, lambda new: buildroot.unpack([deb_of(self.cache, each) for each in tools], new))

    def inside(self):
        """The packages that ship in it."""
        found = {name for name, each in self.known.items() if self.names.keys() & each.files.keys()} | set(STATIC)
        modules = any(name.endswith(".ko") for name in self.names)
        found |= {each["name"] for each in self.record["packages"]["kernel"]
                  if modules or not each["name"].startswith("linux-modules")}
        if "etc/ssl/certs/ca-certificates.crt" in self.names:  # one file, made of that package's
            found.add("ca-certificates")
        return [self.known[name] for name in sorted(found)]

    def tools(self):
        """What built it."""
        entries = self.record["packages"]["tools"] + self.record["packages"].get("kernel_tools", [])
        tools = {(entry["name"], entry["version"]): entry for entry in entries}
        return [entry for _, entry in sorted(tools.items())]
