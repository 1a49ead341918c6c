# SPDX-License-Identifier: Apache-2.0
"""From packages to kernel, initrd, disk and image.json."""
import json
import os
import re
import shutil
import tempfile

from . import buildroot, compile as build, cpio, disk, kernel, linux, packages, tree
from .fail import Failure
from .flavours import BOOT_FROM, FLAVOURS, KERNEL, KERNEL_PACKAGES, KERNEL_SUITE, MODULES, RELEASE, \
    SIMULATED_TOOLS, TOOLS

FORMAT = 1
# ready: own or stock, whichever is there without compiling one. reach: own, for developers (scripts/coverage host).
KERNELS = ("own", "stock", "ready", linux.REACH)


def sets_of(kind):
    """The lists of packages that an image with that kernel is made from."""
    return ("kernel", "image", "tools") + (("kernel_tools",) if kind == "own" else ())


def cmdline_words(project):
    """The rows of the table in guest/cmdline.c: [(word, use)]."""
    with open(os.path.join(project, "guest/cmdline.c"), encoding="utf-8") as file:
        rows = re.findall(r'^\t\{ "([^"]+)", CMDLINE_([A-Z]+),\s+"', file.read(), re.M)
    if not any(use == "ALWAYS" for _, use in rows):
        raise Failure("guest/cmdline.c: no table of command-line words was found")
    return rows


def version_of(project):
    with open(os.path.join(project, "meson.build"), encoding="utf-8") as file:
        return re.search(r"version: '([^']+)'", file.read())[1]


def tools_of(flavour):
    return TOOLS + flavour.get("tools", []) + (SIMULATED_TOOLS if flavour.get("simulated") else [])


def kernel_packages(apt, kind):
    """What the kernel is, or what it is made from and with."""
    if kind == "stock":
        return {"kernel": packages.find(apt, [KERNEL], KERNEL_SUITE, keep=KERNEL_PACKAGES)}
    return {"kernel": packages.find(apt, [linux.PACKAGE], KERNEL_SUITE, keep=linux.PACKAGES),
            "kernel_tools": packages.find(apt, linux.TOOLS)}


def resolve(apt, flavour, kind):
    """The packages of an image as the archive has them today."""
    runtime = packages.find(apt, flavour["packages"]) + \
        packages.find(apt, flavour["alone"], alone=True)
    unique = {entry["name"]: entry for entry in runtime}
    return {
        **kernel_packages(apt, kind),
        "image": [unique[name] for name in sorted(unique)],
        "tools": packages.find(apt, tools_of(flavour)),
    }


def kernel_of(record):
    """Which kernel that image has: own, stock or reach."""
    if "reach" in record:
        return linux.REACH
    return "own" if "own_kernel" in record else "stock"


def boot_from_of(record):
    """In which form that image takes its boot configuration."""
    return "shares" if "shares" in record else "disk"


def locked(path, flavour_name, flavour, kind, boot_from="disk"):
    """The packages that the image.json at `path` lists, if that is what this recipe asks for."""
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    if record.get("version") != FORMAT or record.get("flavour") != flavour_name:
        raise Failure(f"{path} is no list for the flavour '{flavour_name}'")
    if kind != kernel_of(record):
        raise Failure(f"{path} is no list for an image with the kernel '{kind}'")
    if boot_from_of(record) != boot_from:
        raise Failure(f"{path} is no list for an image that boots from '{boot_from}'")
    chosen = {name: record["packages"][name] for name in sets_of(kind)}
    for name, wanted in (("tools", tools_of(flavour)),
                         ("kernel_tools", linux.TOOLS if kind == "own" else []),
                         ("image", flavour["packages"] + flavour["alone"])):
        if name not in chosen:
            continue
        absent = set(wanted) - {entry["name"] for entry in chosen[name]}
        if absent:
            raise Failure(f"{path}: {name} lacks {', '.join(sorted(absent))}")
    return chosen


class Build:
    def __init__(self, project, flavour, out, cache, agent=None, lock=None, say=print, kind="own",
                 boot_from="disk"):
        self.project, self.name, self.out, self.cache = project, flavour, out, cache
        self.flavour, self.agent, self.lock, self.say = FLAVOURS[flavour], agent, lock, say
        self.reach, self.boot_from = kind == linux.REACH, boot_from
        self.kind = "own" if self.reach else kind
        # What our own kernel has besides: guest/kernel/config-NAME.
        self.fragments = [name for name, use in (("shares", boot_from == "shares"),
                                                 ("simulated", self.flavour.get("simulated")),
                                                 (linux.REACH, self.reach)) if use]
        self.source = build.source_digest(project, build.sources_of(self.flavour))

    def _root_folder(self, entries):
        return os.path.join(self.cache, "roots",
                            buildroot.key_of(buildroot.LAYOUT, [e["sha256"] for e in entries]))

    def _root(self, debs, entries):
        return buildroot.make_once(self._root_folder(entries), lambda new: buildroot.unpack(debs, new))

    def _ready(self, apt):
        """Our own kernel if the cache has it, made of today's packages; else Debian's."""
        roots = {name: self._root_folder(entries) for name, entries in kernel_packages(apt, "own").items()}
        return "own" if os.path.isdir(linux.folder(self.project, roots, self.cache, self.fragments)) else "stock"

    def _programs(self, tools):
        simulated = self.flavour.get("simulated", False)
        options = (build.SIMULATED_OPTIONS if simulated else build.OPTIONS) + \
            self.flavour.get("options", ())
        key = buildroot.key_of(self.source, os.path.basename(tools), options)
        wanted = ["cocos-init"] if self.agent else ["cocos-init", "cocos-agent"]
        wanted += self.flavour.get("programs", [])
        wanted += ["tests/teesim/cocos-teesim"] if simulated else []
        path = os.path.join(self.cache, "programs", key + ("-init" if self.agent else ""))
        return buildroot.make_once(
            path, lambda new: build.programs(tools, self.project, new, wanted,
                                             build.sources_of(self.flavour), options))

    def run(self):
        os.makedirs(self.cache, exist_ok=True)
        apt = packages.Apt(os.path.join(self.cache, "apt"), RELEASE)
        if self.kind == "ready":
            self.kind = self._ready(apt)
        chosen = locked(self.lock, self.name, self.flavour, self.kind, self.boot_from) if self.lock else \
            resolve(apt, self.flavour, self.kind)
        roots = {}
        for name in sets_of(self.kind):
            self.say(f"{name}: {len(chosen[name])} packages")
            roots[name] = self._root(packages.get(apt, chosen[name]), chosen[name])
        linux_folder = self._linux(roots)
        self.say("programs")
        programs = self._programs(roots["tools"])
        os.makedirs(self.out, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".build-", dir=self.out) as work:
            record = self._assemble(roots, programs, work, linux_folder)
            record["packages"] = chosen
            self._publish(work, record)

    def _linux(self, roots):
        """The folder of our own kernel, or none."""
        if self.kind != "own":
            return None
        self.say("the kernel (compiled once, and kept in the cache: five to ten minutes on two processors)")
        return linux.cached(self.project, roots, self.cache, self.fragments)

    def _put_kernel(self, roots, folder, work, record):
        source = os.path.join(folder, "vmlinuz") if folder else kernel.vmlinuz_of(roots["kernel"])
        shutil.copyfile(source, os.path.join(work, "vmlinuz"))
        if not folder:
            record["kernel_release"] = os.path.basename(kernel.folder_of(roots["kernel"]))
            return
        record["own_kernel"] = linux.digests(self.project, self.fragments)
        if self.reach:  # managers, policies and packages refuse such an image
            record["reach"] = True
            shutil.copyfile(os.path.join(folder, "vmlinux"), os.path.join(self.out, "vmlinux"))
        with open(os.path.join(folder, "release"), encoding="utf-8") as file:
            record["kernel_release"] = file.read().strip()

    def _assemble(self, roots, programs, work, linux_folder):
        initrd = os.path.join(work, "initrd")
        system = os.path.join(initrd, "system")
        os.makedirs(initrd)
        if self.flavour["disk"]:
            system = os.path.join(work, "system")
        os.makedirs(system)
        marker = f"cocos {version_of(self.project)} {self.name}\n"
        tree.make(roots["tools"], roots["image"], self.flavour,
                  self.agent or os.path.join(programs, "cocos-agent"), marker, system,
                  os.path.join(programs, "cocos-teesim") if self.flavour.get("simulated") else None,
                  [os.path.join(programs, name) for name in self.flavour.get("programs", [])])
        record = {"version": FORMAT, "flavour": self.name, "source": self.source,
                  "release": RELEASE, "min_memory_mib": self.flavour["min_memory_mib"],
                  **BOOT_FROM[self.boot_from]["record"]}
        if self.flavour.get("simulated"):
            record["simulated"] = True
        if self.agent:  # such an image is never taken for one of ours
            record["agent_given"] = packages.sha256_of(self.agent)
        if self.flavour["disk"]:
            self.say("root disk")
            self._disk(roots, system, initrd, work, record)
        self._initrd(roots, programs, initrd, work)
        self._put_kernel(roots, linux_folder, work, record)
        for key, name in (("kernel", "vmlinuz"), ("initrd", "initrd.img"), ("root", "root.img")):
            path = os.path.join(work, name)
            if os.path.exists(path):
                record.setdefault(key, {}).update(file=name, size=os.path.getsize(path),
                                                  sha256=packages.sha256_of(path))
        words = cmdline_words(self.project)
        record["cmdline"] = " ".join(word for word, use in words if use == "ALWAYS")
        record["cmdline_words"] = [word for word, use in words if use == "LAUNCHER"]
        return record

    def _disk(self, roots, system, initrd, work, record):
        if "python3" in self.flavour["packages"]:
            disk.compile_python(roots["image"], system)
        tree.normalize(system)
        blocks, root_hash = disk.make(roots["tools"], system, work, "root.img")
        with open(os.path.join(initrd, "root.verity"), "w", encoding="utf-8") as file:
            file.write(f"data_blocks {blocks}\nroot_hash {root_hash}\n")
        record["root"] = {"data_blocks": blocks, "root_hash": root_hash}

    def _initrd(self, roots, programs, initrd, work):
        self.say("initrd")
        for name in ("proc", "sys", "dev"):
            os.makedirs(os.path.join(initrd, name))
        if self.kind == "stock":
            kernel.write_modules(roots["kernel"], {**MODULES, **self.flavour["modules"],
                                                   **BOOT_FROM[self.boot_from]["modules"]},
                                 os.path.join(initrd, "modules"))
        if BOOT_FROM[self.boot_from]["file"]:
            with open(os.path.join(initrd, BOOT_FROM[self.boot_from]["file"]), "w", encoding="utf-8"):
                pass
        shutil.copyfile(os.path.join(programs, "cocos-init"), os.path.join(initrd, "init"))
        os.chmod(os.path.join(initrd, "init"), 0o755)
        tree.normalize(initrd)
        cpio.write(initrd, os.path.join(work, "initrd.cpio"))
        # The filter is for programs of this processor. The kernel's decoder knows no other check than CRC32, and
        # keeps as much memory as the dictionary is long.
        buildroot.run(roots["tools"], ["xz", "-q", "-T1", "--format=xz", "--check=crc32", "--x86",
                                       "--lzma2=preset=9e,dict=8MiB", "--suffix=.img", "--keep", "/build/initrd.cpio"],
                      [(work, "/build")])
        os.replace(os.path.join(work, "initrd.cpio.img"), os.path.join(work, "initrd.img"))

    def _publish(self, work, record):
        """image.json last: while it is there, everything that it names is."""
        final = os.path.join(self.out, "image.json")
        buildroot.remove(final)
        for key in ("kernel", "initrd", "root"):
            if key in record:
                os.chmod(os.path.join(work, record[key]["file"]), 0o644)
                os.replace(os.path.join(work, record[key]["file"]),
                           os.path.join(self.out, record[key]["file"]))
        if "root" not in record:
            buildroot.remove(os.path.join(self.out, "root.img"))
        with open(final + ".new", "w", encoding="utf-8") as file:
            json.dump(record, file, indent="\t", sort_keys=True)
            file.write("\n")
        os.replace(final + ".new", final)


def is_current(project, flavour, out, agent=None, kind="own", boot_from="disk"):
    """Whether `out` already holds what this source gives, with that kernel, that form of its boot configuration
    and that agent if one is given, every file whole."""
    try:
        with open(os.path.join(out, "image.json"), encoding="utf-8") as file:
            record = json.load(file)
        return record["version"] == FORMAT and record["flavour"] == flavour and \
            (kind == kernel_of(record) or (kind == "ready" and "reach" not in record)) and \
            boot_from_of(record) == boot_from and \
            record["source"] == build.source_digest(
                project, build.sources_of(FLAVOURS[flavour])) and \
            record.get("agent_given") == (packages.sha256_of(agent) if agent else None) and all(
                packages.sha256_of(os.path.join(out, record[key]["file"])) == record[key]["sha256"]
                for key in ("kernel", "initrd", "root") if key in record)
    except (OSError, ValueError, KeyError):
        return False
