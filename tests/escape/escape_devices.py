# SPDX-License-Identifier: Apache-2.0
"""Devices, /proc and /sys."""
# flake8: noqa: F821
from rows import hostile


@hostile()
def the_machines_devices():
    """Memory, disks, TPM, TEE, KVM, FUSE and tunnels in /dev."""
    for name in ("mem", "kmem", "port", "kmsg", "kvm", "tpm0", "tpmrm0", "sev-guest", "tdx_guest", "fuse",
                 "vda", "sda", "loop-control", "net/tun", "vhost-vsock", "input/event0"):
        refused(os.open, "/dev/" + name, os.O_RDWR)


@hostile()
def a_device_of_its_own():
    """mknod of the machine's memory and first disk."""
    refused(os.mknod, "/tmp/owned", 0o020666, os.makedev(1, 1))
    refused(os.mknod, "/dev/shm/owned", 0o060666, os.makedev(254, 0))


@hostile()
def the_null_device_for_everybody():
    """Takes /dev/null away, or its modes."""
    refused(os.unlink, "/dev/null")
    refused(os.chmod, "/dev/null", 0)


@hostile(outside=True)
def the_kernels_insides():
    """/proc/kallsyms, modules, cmdline and cpuinfo; /proc/sys."""
    for path in ("/proc/kallsyms", "/proc/modules", "/proc/cmdline", "/proc/cpuinfo", "/proc/sys/kernel/osrelease"):
        refused(open, path)


@hostile()
def the_kernels_switches():
    """core_pattern, modprobe and sysrq-trigger, each a way to run something as root."""
    for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sysrq-trigger"):
        refused(open, path, "w")


@hostile(outside=True)
def its_control_group():
    """Where its limits and the kernel's switches lie: /sys/fs/cgroup and /sys/kernel."""
    for path in ("/sys/fs/cgroup", "/sys/kernel"):
        refused(os.listdir, path)
