# SPDX-License-Identifier: Apache-2.0
"""Which instructions of the kernel a machine ran, for `scripts/coverage host`. Under emulation QEMU writes down each
block of instructions when it translates it, which is when the guest first comes to it: from the kernel's first
instruction at its own address on, interrupts and other processors included, and however the machine ends. Nothing is
asked of the guest, whose kernel is one whose instructions can be told by file and line (build-image --kernel reach).
"""
import array
import os
import re
import tempfile

FOLDER = os.environ.get("COCOS_TEST_REACH")  # where what ran is kept, a file for each machine; nothing is, if it is not set
KERNEL = "reach"
# The kernel's own half of the addresses; programs and firmware are not asked about.
ADDRESSES = "0xffffffff80000000..0xffffffffffffffff"
INSTRUCTION = re.compile(rb"^0x(ffffffff[0-9a-f]{8}):", re.M)
SUFFIX = ".ran"


def image(kernel, out):
    """(kernel, folder) of an image in place of the one that was asked for."""
    return (KERNEL, f"{out}-{KERNEL}") if FOLDER and kernel == "own" else (kernel, out)


def arguments(record, folder):
    """QEMU's, for a machine with files of its own in `folder`; nothing for a kernel that can't be told by line."""
    if not FOLDER or KERNEL not in record:
        return []
    return ["-d", "in_asm", "-dfilter", ADDRESSES, "-D", os.path.join(folder, "trace")]


def addresses(trace):
    """Of the instructions in what QEMU wrote, each once, in their order."""
    return array.array("Q", sorted(int(address, 16) for address in set(INSTRUCTION.findall(trace))))


def keep(folder):
    """What the machine ran, once it has ended."""
    trace = os.path.join(folder, "trace")
    if not FOLDER or not os.path.exists(trace):
        return
    with open(trace, "rb") as file:
        ran = addresses(file.read())
    os.unlink(trace)
    handle, _ = tempfile.mkstemp(SUFFIX, "", FOLDER)
    with os.fdopen(handle, "wb") as file:
        ran.tofile(file)


def kept(folder):
    """(addresses that some machine ran, how many machines there were) of a folder."""
    ran, names = set(), [name for name in os.listdir(folder) if name.endswith(SUFFIX)]
    for name in names:
        path = os.path.join(folder, name)
        with open(path, "rb") as file:
            one = array.array("Q")
            one.fromfile(file, os.path.getsize(path) // one.itemsize)
        ran.update(one)
    return ran, len(names)
