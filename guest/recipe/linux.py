# SPDX-License-Identifier: Apache-2.0
"""The kernel of our own: Debian's source, our configuration and patches, the release's compiler."""
import glob
import hashlib
import os
import re
import shutil

from . import buildroot
from .fail import Failure

FOLDER = "guest/kernel"
LAYOUT = 1  # of what build() makes: kernels in the cache of another one are not used
PACKAGE = "linux-source"
PACKAGES = r"linux-source-\d[0-9.]*"
TOOLS = ["gcc", "libc6-dev", "binutils", "make", "dash", "bash", "coreutils", "sed", "grep", "mawk", "findutils",
         "diffutils", "patch", "tar", "gzip", "xz-utils", "zstd", "perl", "python3-minimal", "bc", "bison", "flex",
         "libelf-dev", "libssl-dev", "acpica-tools", "ccache"]
# What nothing in a guest needs, and its host or an intruder would like to have. PERF_EVENTS cannot be
# left out on x86: nobody may call it (SECURITY_PERF_EVENTS_RESTRICT, lockdown).
FORBIDDEN = [
    "MODULES", "KEXEC", "KEXEC_FILE", "HIBERNATION", "SUSPEND", "BPF_SYSCALL", "IO_URING", "USERFAULTFD",
    "PROFILING", "KPROBES", "UPROBES", "FTRACE", "DEBUG_FS", "MAGIC_SYSRQ", "KGDB", "GDB_SCRIPTS",
    "DEVMEM", "DEVPORT", "PROC_KCORE", "X86_MSR", "X86_IOPL_IOPERM", "MODIFY_LDT_SYSCALL", "IA32_EMULATION",
    "X86_X32_ABI", "COREDUMP", "BINFMT_MISC", "FW_LOADER", "SWAP", "AIO", "CHECKPOINT_RESTORE", "KALLSYMS",
    "ACPI_TABLE_UPGRADE", "ACPI_CONFIGFS", "ACPI_DEBUG", "ACPI_DEBUGGER", "ACPI_APEI", "ACPI_PRMT", "ACPI_EC",
    "ACPI_PROCESSOR", "ACPI_HOTPLUG_MEMORY", "ACPI_PCI_SLOT", "EFI_CUSTOM_SSDT_OVERLAYS", "PCI_MMCONFIG",
    "HOTPLUG_PCI", "PCIEPORTBUS", "STANDALONE", "USB_SUPPORT", "VT", "SERIO", "INPUT_KEYBOARD", "INPUT_MOUSE",
    "VIRTIO_PCI_LEGACY", "VIRTIO_BALLOON", "VIRTIO_INPUT", "VIRTIO_MMIO", "VIRTIO_MEM", "VIRTIO_FS", "VSOCKETS",
    "DMI", "LEGACY_TIOCSTI", "COMPAT_BRK", "SLAB_MERGE_DEFAULT", "CMDLINE_BOOL",
]
# Only in development images.
SIMULATED = ["FUSE_FS", "FW_CFG_SYSFS"]


def _name(variant):
    return "config-" + variant if variant else "config"


def files(project, variant=None):
    """What is ours of it, relative, in an order of its own."""
    folder = os.path.join(project, FOLDER)
    names = ["config", "dsdt.asl"] + ([_name(variant)] if variant else []) + \
        [os.path.basename(path) for path in glob.glob(os.path.join(folder, "*.patch"))]
    return sorted(names)


def digests(project, variant=None):
    """{file: SHA-256} of the same."""
    found = {}
    for name in files(project, variant):
        with open(os.path.join(project, FOLDER, name), "rb") as file:
            found[name] = hashlib.sha256(file.read()).hexdigest()
    return found


def options(text):
    """{name: value} of a configuration; what is off is not there."""
    return dict(re.findall(r"^CONFIG_(\w+)=(.+)$", text, re.M))


def wanted(project, variant=None):
    """The lines of our configuration, for one kernel."""
    text = ""
    for name in ["config"] + ([_name(variant)] if variant else []):
        with open(os.path.join(project, FOLDER, name), encoding="utf-8") as file:
            text += file.read()
    return text


def check(asked, text, simulated=False):
    """Every option that was asked for holds in the configuration `text`, and none that is forbidden."""
    have = options(text)
    for name, value in options(asked).items():
        if have.get(name) != value:
            raise Failure(f"kernel: CONFIG_{name} should be {value} and is {have.get(name, 'off')}: this source "
                          f"knows it by another name, or wants something else for it ({FOLDER}/config)")
    for name in FORBIDDEN + ([] if simulated else SIMULATED):
        if name in have:
            raise Failure(f"kernel: CONFIG_{name} must be off, and something has switched it on")


class Kernel:
    """One build of it, in the build root `tools`; everything happens in the folder `out`."""

    # Objects are kept: a change of one patch costs a minute, not ten.
    environment = ["env", "PATH=/build/bin:/usr/sbin:/usr/bin", "CCACHE_DIR=/build/objects",
                   "CCACHE_NOHASHDIR=1", "CCACHE_MAXSIZE=1G", "KBUILD_BUILD_TIMESTAMP=1970-01-01",
                   "KBUILD_BUILD_USER=cocos", "KBUILD_BUILD_HOST=cocos", "KBUILD_BUILD_VERSION=1",
                   "KCONFIG_ALLCONFIG=/build/wanted"]

    def __init__(self, tools, out, objects):
        self.tools, self.source, self.work = tools, os.path.join(out, "source"), os.path.join(out, "work")
        self.binds = [(self.source, "/src"), (self.work, "/build"), (objects, "/build/objects")]
        for path in (self.source, objects, os.path.join(self.work, "bin"), os.path.join(self.work, "objects")):
            os.makedirs(path, exist_ok=True)
        os.symlink("/usr/bin/mawk", os.path.join(self.work, "bin/awk"))  # which no maintainer script has made

    def run(self, *command):
        """In the source, which lies at /src, beside /build, whoever builds."""
        return buildroot.run(self.tools, [*self.environment, "sh", "-ec", 'cd /src; exec "$@"', "sh", *command],
                             self.binds, proc=True)

    def make(self, *targets):
        return self.run("make", "-s", "-j", str(len(os.sched_getaffinity(0))), "O=/build/out",
                        "CC=ccache gcc", "HOSTCC=gcc", *targets)

    def unpack(self, package):
        found = glob.glob(os.path.join(package, "usr/src", PACKAGE + "-*.tar.xz"))
        if len(found) != 1:
            raise Failure(f"kernel: the package {PACKAGE} holds not one archive")
        os.link(found[0], os.path.join(self.work, "source.tar.xz"))
        self.run("tar", "-xJf", "/build/source.tar.xz", "--strip-components=1", "--no-same-owner")

    def patch(self, project, names):
        for name in names:
            shutil.copyfile(os.path.join(project, FOLDER, name), os.path.join(self.work, name))
            if name.endswith(".patch"):
                self.run("patch", "-p1", "--fuzz=0", "--batch", "--forward", "-i", "/build/" + name)
        self.run("iasl", "-tc", "-p", "/build/dsdt", "/build/dsdt.asl")
        shutil.copyfile(os.path.join(self.work, "dsdt.hex"), os.path.join(self.source, "drivers/acpi/dsdt.hex"))

    def configure(self, asked, simulated):
        with open(os.path.join(self.work, "wanted"), "w", encoding="utf-8") as file:
            file.write(asked)
        self.make("allnoconfig")
        path = os.path.join(self.work, "out/.config")
        with open(path, encoding="utf-8") as file:
            check(asked, file.read(), simulated)
        return path


def build(project, roots, out, objects, variant=None):
    """Compiles the kernel into the new folder `out`: vmlinuz, its configuration, its release."""
    os.makedirs(out)
    kernel = Kernel(roots["kernel_tools"], out, objects)
    kernel.unpack(roots["kernel"])
    kernel.patch(project, files(project, variant))
    config = kernel.configure(wanted(project, variant), variant == "simulated")
    kernel.make("bzImage")
    shutil.copyfile(config, os.path.join(out, "config"))
    shutil.copyfile(os.path.join(kernel.work, "out/arch/x86/boot/bzImage"), os.path.join(out, "vmlinuz"))
    with open(os.path.join(out, "release"), "w", encoding="utf-8") as file:
        file.write(kernel.make("kernelrelease"))
    for path in (kernel.source, kernel.work):
        buildroot.remove(path)


def cached(project, roots, cache, variant=None):
    """The folder of the kernel made from that source by that compiler, which is made if need be."""
    key = buildroot.key_of(LAYOUT, os.path.basename(roots["kernel"]), os.path.basename(roots["kernel_tools"]),
                           digests(project, variant))
    return buildroot.make_once(os.path.join(cache, "kernels", key), lambda new: build(
        project, roots, new, os.path.join(cache, "objects"), variant))
