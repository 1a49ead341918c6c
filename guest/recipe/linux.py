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
REACH = "reach"  # the fragment of kernels whose instructions can be told by file and line; none of them ships
LAYOUT = 1  # of what build() makes: kernels in the cache of another one are not used
PACKAGE = "linux-source"
PACKAGES = r"linux-source-\d[0-9.]*"
TOOLS = ["gcc", "libc6-dev", "binutils", "make", "dash", "bash", "coreutils", "sed", "grep", "mawk", "findutils",
         "diffutils", "patch", "tar", "gzip", "xz-utils", "zstd", "perl", "python3-minimal", "bc", "bison", "flex",
         "libelf-dev", "libssl-dev", "acpica-tools", "ccache"]
# What nothing in a guest needs, and its host or an intruder would like to have: a list by theme, of what the
# configuration must not bring along by a default of a newer source, either. PERF_EVENTS cannot be left out on
# x86: nobody may call it (SECURITY_PERF_EVENTS_RESTRICT, lockdown).
FORBIDDEN = {
    "other code than what was measured": [
        "MODULES", "KEXEC", "KEXEC_FILE", "KEXEC_HANDOVER", "LIVEUPDATE", "CRASH_DUMP", "HIBERNATION",
        "SUSPEND", "FW_LOADER", "STANDALONE", "CMDLINE_BOOL", "ACPI_TABLE_UPGRADE", "ACPI_CONFIGFS",
        "EFI_CUSTOM_SSDT_OVERLAYS", "ACPI_PRMT", "EFI_RCI2_TABLE", "BPF_JIT"],
    "calls that have been broken before, and programs of other machines": [
        "BPF_SYSCALL", "IO_URING", "USERFAULTFD", "AIO", "MODIFY_LDT_SYSCALL", "X86_IOPL_IOPERM", "IA32_EMULATION",
        "X86_X32_ABI", "COREDUMP", "BINFMT_MISC", "CHECKPOINT_RESTORE", "KEYS", "LEGACY_TIOCSTI", "COMPAT_BRK",
        "VSOCKETS", "NETFILTER", "XFRM", "NET_SCHED", "INET_DIAG", "UNIX_DIAG", "PACKET_DIAG", "XDP_SOCKETS", "IP_SCTP",
        "IP_PNP", "KVM", "VFIO", "UIO", "SWAP"],
    "looking into a running kernel": [
        "PROFILING", "KCOV", "GCOV_KERNEL", "KPROBES", "UPROBES", "FTRACE", "DEBUG_FS", "MAGIC_SYSRQ", "KGDB",
        "GDB_SCRIPTS", "DEVMEM", "DEVPORT", "PROC_KCORE", "PROC_VMCORE", "X86_MSR", "X86_CPUID", "KALLSYMS",
        "SLAB_MERGE_DEFAULT", "PSTORE", "EARLY_PRINTK", "PROVIDE_OHCI1394_DMA_INIT", "NETCONSOLE", "SECURITY_SELINUX", "RANDOMIZE_IDENTITY_BASE"],
    "tables of the firmware's": [
        "ACPI_DEBUG", "ACPI_DEBUGGER", "ACPI_APEI", "ACPI_EC", "ACPI_PROCESSOR", "ACPI_HOTPLUG_MEMORY",
        "ACPI_PCI_SLOT", "ACPI_NUMA", "ACPI_HMAT", "ACPI_NFIT", "ACPI_BGRT", "ACPI_FPDT", "ACPI_THERMAL", "ACPI_BATTERY",
        "ACPI_VIDEO", "ACPI_WATCHDOG", "DMI", "DMIID", "EFIVAR_FS", "EFI_VARS_PSTORE", "EFI_MIXED", "EFI_RUNTIME_MAP",
        "X86_MPPARSE", "OF"],
    "other hypervisors": ["XEN", "XEN_PV", "HYPERV", "VMWARE_VMCI", "ACRN_GUEST", "JAILHOUSE_GUEST", "PVH", "BHYVE_GUEST"],
    "buses, and what is plugged in while the machine runs": [
        "PCI_MMCONFIG", "PCI_QUIRKS", "PCI_STUB", "PCI_IOV", "HOTPLUG_PCI", "PCIEPORTBUS", "VGA_ARB", "USB_SUPPORT", "I2C",
        "SPI", "ISA_BUS", "EISA", "PCCARD", "FIREWIRE", "RAPIDIO", "CXL_BUS", "MEMORY_HOTPLUG", "IOMMU_SUPPORT"],
    "devices that no launch has": [
        "VT", "SERIO", "INPUT_KEYBOARD", "INPUT_MOUSE", "SERIAL_8250_PCI", "SERIAL_8250_PNP", "SCSI", "ATA",
        "BLK_DEV_NVME", "BLK_DEV_LOOP", "BLK_DEV_NBD", "ETHERNET", "WLAN", "BT", "DRM", "FB", "SYSFB_SIMPLEFB", "SOUND",
        "WATCHDOG", "HWMON", "THERMAL", "RTC_CLASS", "PTP_1588_CLOCK", "HW_RANDOM", "PARPORT", "MMC", "EDAC",
        "VIRTIO_PCI_LEGACY", "VIRTIO_BALLOON", "VIRTIO_INPUT", "VIRTIO_MMIO", "VIRTIO_MEM", "VIRTIO_FS",
        "VIRTIO_CONSOLE", "VIRTIO_PMEM", "VIRTIO_IOMMU", "VIRTIO_RTC", "VIRTIO_DEBUG", "VDPA", "VHOST_MENU", "VMGENID",
        "CRYPTO_DEV_VIRTIO", "CPU_SUP_HYGON", "CPU_SUP_CENTAUR", "CPU_SUP_ZHAOXIN"],
    "what a host's disk may say it holds": [
        "MSDOS_PARTITION", "EFI_PARTITION", "CMDLINE_PARTITION", "AMIGA_PARTITION", "BSD_DISKLABEL", "MAC_PARTITION",
        "LDM_PARTITION", "SGI_PARTITION", "SUN_PARTITION", "KARMA_PARTITION", "EXT4_FS", "XFS_FS", "BTRFS_FS",
        "SQUASHFS", "ISO9660_FS", "VFAT_FS", "NFS_FS", "CIFS", "BLK_DEV_MD", "DM_CRYPT", "QUOTA"],
}


def _configs(fragments):
    return ["config"] + ["config-" + name for name in fragments]


def files(project, fragments=()):
    """What is ours of it, relative, in an order of its own."""
    patches = glob.glob(os.path.join(project, FOLDER, "*.patch"))
    return sorted(_configs(fragments) + ["dsdt.asl"] + [os.path.basename(path) for path in patches])


def digests(project, fragments=()):
    """{file: SHA-256} of the same."""
    found = {}
    for name in files(project, fragments):
        with open(os.path.join(project, FOLDER, name), "rb") as file:
            found[name] = hashlib.sha256(file.read()).hexdigest()
    return found


def options(text):
    """{name: value} of a configuration; what is off is not there. The last line of a name counts."""
    found = {}
    for name, value, off in re.findall(r"^(?:CONFIG_(\w+)=(.+)|# CONFIG_(\w+) is not set)$", text, re.M):
        if off:
            found.pop(off, None)
        else:
            found[name] = value
    return found


def _read(project, names):
    text = ""
    for name in names:
        with open(os.path.join(project, FOLDER, name), encoding="utf-8") as file:
            text += file.read()
    return text


def wanted(project, fragments=()):
    """The lines of our configuration, for one kernel."""
    return _read(project, _configs(fragments))


def not_wanted(project, fragments=()):
    """What must be off in that kernel: what is forbidden in each, and what the other fragments are for."""
    others = [os.path.basename(path) for path in glob.glob(os.path.join(project, FOLDER, "config-*"))]
    alone = set(options(_read(project, sorted(others)))) - set(options(wanted(project, fragments)))
    return [name for names in FORBIDDEN.values() for name in names] + sorted(alone)


def check(asked, forbidden, text):
    """Every option that was asked for holds in the configuration `text`, and none that is forbidden."""
    have = options(text)
    for name, value in options(asked).items():
        if have.get(name) != value:
            raise Failure(f"kernel: CONFIG_{name} should be {value} and is {have.get(name, 'off')}: this source "
                          f"knows it by another name, or wants something else for it ({FOLDER}/config)")
    for name in forbidden:
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

    def patch(self, project, fragments):
        for name in files(project, fragments):
            shutil.copyfile(os.path.join(project, FOLDER, name), os.path.join(self.work, name))
            if name.endswith(".patch"):
                self.run("patch", "-p1", "--fuzz=0", "--batch", "--forward", "-i", "/build/" + name)
        self.run("iasl", "-tc", "-p", "/build/dsdt", "/build/dsdt.asl")
        shutil.copyfile(os.path.join(self.work, "dsdt.hex"), os.path.join(self.source, "drivers/acpi/dsdt.hex"))

    def configure(self, asked, forbidden):
        with open(os.path.join(self.work, "wanted"), "w", encoding="utf-8") as file:
            file.writelines(f"CONFIG_{name}={value}\n" for name, value in options(asked).items())
        self.make("allnoconfig")
        path = os.path.join(self.work, "out/.config")
        with open(path, encoding="utf-8") as file:
            check(asked, forbidden, file.read())
        return path


def build(project, roots, out, objects, fragments=()):
    """Compiles the kernel into the new folder `out`: vmlinuz, its configuration, its release; of one that is for
    telling what ran, vmlinux, too."""
    os.makedirs(out)
    kernel = Kernel(roots["kernel_tools"], out, objects)
    kernel.unpack(roots["kernel"])
    kernel.patch(project, fragments)
    config = kernel.configure(wanted(project, fragments), not_wanted(project, fragments))
    kernel.make("bzImage")
    shutil.copyfile(config, os.path.join(out, "config"))
    shutil.copyfile(os.path.join(kernel.work, "out/arch/x86/boot/bzImage"), os.path.join(out, "vmlinuz"))
    if REACH in fragments:
        shutil.copyfile(os.path.join(kernel.work, "out/vmlinux"), os.path.join(out, "vmlinux"))
    with open(os.path.join(out, "release"), "w", encoding="utf-8") as file:
        file.write(kernel.make("kernelrelease"))
    for path in (kernel.source, kernel.work):
        buildroot.remove(path)


def folder(project, roots, cache, fragments=()):
    """Where the kernel made from that source by that compiler is, or would be."""
    key = buildroot.key_of(LAYOUT, os.path.basename(roots["kernel"]), os.path.basename(roots["kernel_tools"]),
                           digests(project, fragments))
    return os.path.join(cache, "kernels", key)


def cached(project, roots, cache, fragments=()):
    """The folder of that kernel, which is made if need be."""
    return buildroot.make_once(folder(project, roots, cache, fragments), lambda new: build(
        project, roots, new, os.path.join(cache, "objects"), fragments))
