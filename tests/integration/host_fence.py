# SPDX-License-Identifier: Apache-2.0
"""The second fence around the code (AML) of a host's tables. Our own kernel takes none, so that what stops code which
runs has nothing to stop: here the first fence is taken out of a copy of the sources, and the host's code does run. It
reaches for memory, ports, devices, tables and locks, and takes more code from memory; nothing of it shows outside of the
interpreter, and the console names each region. With the second fence out as well, everything shows.

Arguments: the project's folder, the probe that takes the agent's place, a folder for the images. In
`scripts/test long` alone: two kernels are compiled for it, of which no image is anybody's.
"""
import collections
import functools
import os
import re
import shutil
import struct
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tap  # noqa: E402
from acpi_tables import CMOS, MEMORY, PCI, PLACE, PORTS, code, device, field, method, region, store, tables_in_place  # noqa: E402
from gdb_remote import KERNEL_ENTRY, Debugger  # noqa: E402
from guest_ending import loud  # noqa: E402
from guest_vm import PATIENCE, Vm, build_image  # noqa: E402

PROJECT, PROBE, IMAGES = sys.argv[1:4]
sys.path.insert(0, os.path.join(PROJECT, "guest"))
from recipe.compile import SOURCES  # noqa: E402

KERNEL = "guest/kernel"
FIRST, IN_FILE = "0001-acpi-run-no-code-of-the-hosts.patch", "drivers/acpi/acpica/nsload.c"
SECOND = "0003-acpi-code-reaches-nothing.patch"
WORD, BYTE = 0x0BADA371, 0x71
PORT = 0xe9  # of a device that writes into a file what comes to it
PCI_PLACE = 0x3c  # of the host bridge, 00:00.0: a byte that nothing reads (interrupt line)
CMOS_PLACE = 0x70  # a byte that neither firmware nor kernel uses
IN_MEMORY = PLACE + 0x1000  # of a table that only this code knows of
LOCK = 16  # of the global lock in FACS (ACPI 6.5, 5.2.10); its first bit says that someone waits, and goes as it is given back
WAITS = 1
CLOCK = b"\x08_HID\x0c" + struct.pack("<I", 0x000bd041)  # PNP0B00, which the kernel has a handler for
LOCAL0 = b"\x60"


def writes(letter, at):
    """Code which a kernel runs as it takes it in: a word in memory. Its region is COM and the letter."""
    name, part = b"COM" + letter, b"COW" + letter
    return region(name, MEMORY, at, 4) + field(name, 4, part) + store(WORD, part)


def data(content):
    """AML's buffer."""
    body = struct.pack("<BH", 0x0b, len(content)) + content
    return b"\x11" + struct.pack("<BB", 0x40 | len(body) + 2 & 0xf, len(body) + 2 >> 4) + body


def at_boot(name, *declared, runs):
    """A device, whose _INI a kernel calls."""
    return device(name, b"".join(declared) + method(b"_INI", runs))


RESULT = b"\x08COXR\x00"
# What reaches out: what the console says of it, and the code.
WAYS = {
    "memory": ("Region [COMA]", at_boot(
        b"COD0", region(b"COMA", MEMORY, PLACE, 4), field(b"COMA", 4, b"COWA"), runs=store(WORD, b"COWA"))),
    "a port": ("Region [COIO]", at_boot(
        b"COD1", region(b"COIO", PORTS, PORT, 1), field(b"COIO", 1, b"COWI"), runs=store(BYTE, b"COWI"))),
    "a PCI device": ("Region [COPC]", at_boot(
        b"COD2", b"\x08_ADR\x00", region(b"COPC", PCI, PCI_PLACE, 1), field(b"COPC", 1, b"COWP"), runs=store(BYTE, b"COWP"))),
    "the clock's memory": ("Failed to install CMOS-RTC address space handler", device(
        b"COD3", CLOCK + region(b"COCM", CMOS, CMOS_PLACE, 1) + field(b"COCM", 1, b"COWC") + method(b"_REG", store(BYTE, b"COWC"), 2))),
    "code in a buffer": ("Region [COMB]", at_boot(
        b"COD4", RESULT, b"\x08COXB" + data(code(writes(b"B", PLACE + 4))), runs=b"\x5b\x20COXBCOXR")),
    "code in a table": ("Region [COMC]", at_boot(
        b"COD5", runs=b"\x70\x5b\x1f\x0dOEM1\x00\x0dCOCOS \x00\x0dHOSTILE \x00\x0d\x00\x0d\x00\x00" + LOCAL0)),
    "code in memory": ("Region [COMD]", at_boot(
        b"COD6", RESULT, region(b"COMD", MEMORY, IN_MEMORY, 0xf0), runs=b"\x5b\x20COMDCOXR")),
    "a table's text": ("Region [COTB]", at_boot(
        b"COD7", b"\x5b\x88COTB\x0dFACP\x00\x0d\x00\x0d\x00", field(b"COTB", 4, b"COWT"),
        region(b"COME", MEMORY, PLACE + 16, 4), field(b"COME", 4, b"COWE"), runs=b"\x70COWTCOWE")),
    "the lock": ("Region [COMF]", at_boot(
        b"COD8", region(b"COMF", MEMORY, PLACE + 20, 4), field(b"COMF", 4, b"COWF"),
        runs=b"\x5b\x23\\_GL_\xff\xff\x5b\x27\\_GL_" + store(WORD, b"COWF"))),
}
Seen = collections.namedtuple("Seen", "what lines")


def sources(folder, second):
    """The image's, without the first fence, and without the second one if it is not wanted."""
    for name in SOURCES:
        here, there = os.path.join(PROJECT, name), os.path.join(folder, name)
        os.makedirs(os.path.dirname(there), exist_ok=True)
        if os.path.isdir(here):
            shutil.copytree(here, there, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(here, there)
    path = os.path.join(folder, KERNEL, FIRST)
    with open(path, encoding="utf-8") as file:
        text, *parts = re.split("^(?=--- a/)", file.read(), flags=re.M)
    left = [part for part in parts if not part.startswith("--- a/" + IN_FILE)]
    assert len(left) == len(parts) - 1, f"{FIRST} has not one part for {IN_FILE}"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + "".join(left))
    if not second:
        os.remove(os.path.join(folder, KERNEL, SECOND))


@functools.cache
def image(second):
    with tempfile.TemporaryDirectory(prefix="cocos-fence-") as folder:
        sources(folder, second)
        return build_image(folder, "base", os.path.join(IMAGES, "base-" + ("second-fence" if second else "no-fence")),
                           "--agent", PROBE, kernel="own")


def asked(vm, line):
    """The numbers in what QEMU's monitor says, behind what it says them of."""
    said = vm.command("human-monitor-command", **{"command-line": line})
    return [int(number, 16) for number in re.findall(r"\b0x([0-9a-f]+)\b", re.split("[:=]", said, maxsplit=1)[-1])]


def look(vm, lock):
    """What stands where each way reaches."""
    memory = asked(vm, f"xp /5xw {PLACE:#x}")
    with open(vm.path("port"), "rb") as file:
        port = int.from_bytes(file.read(), "big")
    asked(vm, f"o /w 0xcf8 {1 << 31 | PCI_PLACE:#x}")
    asked(vm, f"o /b 0x70 {CMOS_PLACE:#x}")
    return {"memory": memory[0], "a port": port, "a PCI device": asked(vm, "i /b 0xcfc")[0], "the clock's memory": asked(vm, "i /b 0x71")[0],
            "code in a buffer": memory[1], "code in a table": memory[2], "code in memory": memory[3], "a table's text": memory[4],
            "the lock": asked(vm, f"xp /1xw {lock:#x}")[0]}


def boot(second, ways=()):
    vm = Vm(image(second), "A=LOOK\n", {"ca.pem": b"x"}, append=loud(image(second)))
    tables = {"main": code(b"".join(code for _, code in ways)), "other": code(writes(b"C", PLACE + 8), b"OEM1")}
    for name, content in tables.items():
        with open(vm.path(name), "wb") as file:
            file.write(content)
    if ways:
        vm.arguments += ["-acpitable", "file=" + vm.path("main"), "-acpitable", "file=" + vm.path("other")]
    vm.arguments += ["-chardev", "file,id=port,path=" + vm.path("port"), "-device", f"isa-debugcon,iobase={PORT:#x},chardev=port",
                     *Debugger.arguments(vm)]
    with vm:
        debugger = Debugger(vm)
        debugger.run_to(KERNEL_ENTRY)
        placed = tables_in_place(debugger)
        fadt = next(content for _, content in placed if content[:4] == b"FACP")
        lock = struct.unpack_from("<I", fadt, 36)[0] + LOCK
        debugger.write(lock, struct.pack("<I", WAITS))
        debugger.write(IN_MEMORY, code(writes(b"D", PLACE + 12)))
        debugger.leave()
        vm.wait_line("probe: ready", 4 * PATIENCE)
        return Seen(look(vm, lock), vm.lines[:])


def shown(seen):
    """What docs/host-attacks.md has of it."""
    for line in seen.lines:
        if any(text in line for text in ("ACPI Error: No handler", "CMOS-RTC", "ACPI: SSDT", "Dynamic OEM")):
            print("#   " + line)
    for way, found in seen.what.items():
        print(f"# {way}: {honest().what[way]:#x} before, {found:#x} after", flush=True)


@functools.cache
def honest():
    return boot(True)


def says(seen, way):
    return any(WAYS[way][0] in line for line in seen.lines)


def code_that_runs_reaches_nothing():
    seen = boot(True, WAYS.values())
    shown(seen)
    assert seen.what == honest().what, [way for way in WAYS if seen.what[way] != honest().what[way]]
    assert all(says(seen, way) for way in WAYS), [way for way in WAYS if not says(seen, way)]


def without_the_second_fence_it_reaches_everything():
    seen = boot(False, WAYS.values())
    shown(seen)
    left = [way for way in WAYS if seen.what[way] == honest().what[way] or says(seen, way)]
    assert not left, left


tap.run([code_that_runs_reaches_nothing, without_the_second_fence_it_reaches_everything])
