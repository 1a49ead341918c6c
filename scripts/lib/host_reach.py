#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much of the kernel's code that reads what a host gives the hostile hosts of the tests make it run.

    host_reach.py BUILD OUT [TEST...]

BUILD is a folder of meson's in which tests/integration/guest_probe is; images are made below OUT, and the figures are
in OUT/reach.md. TEST is a name of TESTS; all, if none is given. With COCOS_TEST_LONG=1 each runs whole, else the few
boots that it has in CI. Exit status: 0; 1 if a test fails; 2 if nothing could be measured.
"""
import collections
import os
import re
import shutil
import subprocess
import sys

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(PROJECT, "tests/integration")]
import guest_reach  # noqa: E402

# What is boots in each; the first is no attack, and what the others reach beyond it is theirs.
TESTS = {
    "honest": "a launch as image.json says",
    "host_mutants": "ACPI tables",
    "host_launches": "launches",
    "host_queues": "disks and cards",
    "host_tpm": "TPMs",
    "host_memory": "firmwares",
}
# Files whose code has to do with what comes from a host, by how their names begin; those of the same theme stand together.
THEMES = {
    "virtio, and what talks over it": ("drivers/virtio/", "drivers/block/", "drivers/net/", "kernel/dma/"),
    "PCI": ("drivers/pci/", "arch/x86/pci/"),
    "ACPI": ("drivers/acpi/", "arch/x86/kernel/acpi/", "arch/x86/kernel/apic/"),
    "TPM, and what IMA asks of it": ("drivers/char/tpm/", "security/integrity/"),
    "firmware": ("drivers/firmware/", "arch/x86/platform/efi/", "arch/x86/kernel/e820.c"),
    "serial port": ("drivers/tty/serial/",),
    "clocks and the hypervisor": ("arch/x86/kernel/kvm", "arch/x86/kernel/pvclock.c", "arch/x86/kernel/tsc", "arch/x86/kernel/hpet.c",
                                  "arch/x86/kernel/nmi.c", "arch/x86/kernel/cpu/hypervisor.c"),
    "trusted execution environments": ("arch/x86/coco/", "drivers/virt/coco/", "arch/x86/mm/mem_encrypt", "arch/x86/boot/startup/"),
    "contents of disks": ("drivers/md/", "fs/erofs/", "block/"),
    "frames": ("net/ethernet/", "net/core/", "net/ipv4/", "net/ipv6/", "net/packet/"),
}
# A theme of so many files is told by folder.
FILES_MAX = 60
ROW = re.compile(r"0x([0-9a-f]{16})\s+(\d+)\s+\d+\s+(\d+)\s+\d+\s+\d+\s*(.*)")


class Wrong(Exception):
    """It could not be measured."""


def relative(folder, name):
    """A source's path below the kernel's, whoever compiled it where."""
    path = os.path.normpath(os.path.join(folder, name))
    for top in ("/src/", "/build/out/"):
        if path.startswith(top):
            return path[len(top):]
    return path


def line_ranges(lines):
    """(first address, address behind the last, file, line) of each row of `llvm-dwarfdump --debug-line`."""
    folders, files, number, before = {}, {}, 0, None
    for text in lines:
        if text.startswith("0x"):
            match = ROW.match(text)
            if not match:
                raise Wrong(f"a row of the table of lines is not understood: {text.strip()}")
            address, line, file = int(match[1], 16), int(match[2]), int(match[3])
            if before and before[0] < address:
                yield before[0], address, before[1], before[2]
            before = None if "end_sequence" in match[4] else (address, files[file], line)
        elif text.startswith("debug_line["):
            folders, files, before = {}, {}, None
        elif text.startswith("include_directories["):
            index, folder = re.match(r"include_directories\[\s*(\d+)\] = \"(.*)\"", text).groups()
            folders[int(index)] = os.path.join(folders.get(0, "/"), folder)
        elif text.startswith("file_names["):
            number = int(re.match(r"file_names\[\s*(\d+)\]", text)[1])
        elif text.startswith("           name: "):
            files[number] = text.split('"')[1]
        elif text.startswith("      dir_index: "):
            files[number] = relative(folders[int(text.split()[1])], files[number])


def theme_of(file):
    return next((theme for theme, starts in THEMES.items() if file.startswith(starts)), None)


class Code:
    """The host-facing lines of a kernel: which there are, and which instructions are theirs."""

    def __init__(self, ranges):
        self.lines = collections.defaultdict(set)  # {file: lines that have instructions}
        self.pages = collections.defaultdict(list)  # {address >> 12: [(first, behind the last, file, line)]}
        for first, end, file, line in ranges:
            if line and first >= 0xffffffff80000000 and theme_of(file):  # line 0 is the compiler's own
                self.lines[file].add(line)
                for page in range(first >> 12, (end - 1 >> 12) + 1):
                    self.pages[page].append((first, end, file, line))

    def reached(self, ran):
        """{file: lines} of instructions that were run."""
        found, by_page = collections.defaultdict(set), collections.defaultdict(list)
        for address in ran:
            by_page[address >> 12].append(address)
        for page, addresses in by_page.items():
            addresses.sort()
            for first, end, file, line in self.pages.get(page, ()):
                if line not in found[file] and any_between(addresses, first, end):
                    found[file].add(line)
        return found


def any_between(addresses, first, end):
    """Whether one of the sorted addresses is at least `first` and below `end`."""
    low, high = 0, len(addresses)
    while low < high:
        middle = (low + high) // 2
        if addresses[middle] < first:
            low = middle + 1
        else:
            high = middle
    return low < len(addresses) and addresses[low] < end


def rows_of(code, theme):
    """[(name, [files])] of a theme: its files, or its folders if those are too many."""
    files = sorted(file for file in code.lines if theme_of(file) == theme)
    if len(files) <= FILES_MAX:
        return [(file, [file]) for file in files]
    folders = sorted({os.path.dirname(file) for file in files})
    return [(folder + "/", [file for file in files if os.path.dirname(file) == folder]) for folder in folders]


def table(code, reached, machines):
    """The figures, for a reader: of each file its lines, how many an honest launch runs, what each attack adds, and all."""
    honest, *attacks = reached
    text = ["| | lines | " + " | ".join([TESTS[honest], *(f"+ {TESTS[name]}" for name in attacks), "all", "%"]) + " |",
            "|---|" + "---:|" * (len(reached) + 3)]
    text.append("| *machines* | | " + " | ".join(str(machines[name]) for name in reached) + f" | {sum(machines.values())} | |")

    def row(name, files):
        total = sum(len(code.lines[file]) for file in files)
        first = {(file, line) for file in files for line in reached[honest].get(file, ())}
        cells, every = [len(first)], set(first)
        for attack in attacks:
            lines = {(file, line) for file in files for line in reached[attack].get(file, ())}
            cells.append(len(lines - first))
            every |= lines
        shown = [str(cells[0]), *(f"+{count}" if count else "" for count in cells[1:])]
        text.append(f"| {name} | {total} | " + " | ".join(shown) + f" | {len(every)} | {100 * len(every) / total:.0f} |")

    for theme in THEMES:
        rows = rows_of(code, theme)
        if not rows:
            continue
        row(f"**{theme}**", [file for _, files in rows for file in files])
        for name, files in rows:
            row(f"`{name}`", files)
    return "\n".join(text) + "\n"


def words_of(name, build, images):
    """How one of TESTS is called; each takes the project, the probe that takes the agent's place, and a folder for images."""
    folder = os.path.join(PROJECT, "tests/integration")
    path = os.path.realpath(__file__) if name == "honest" else os.path.join(folder, name + ".py")
    first = ["--honest"] if name == "honest" else []
    return [sys.executable, path, *first, PROJECT, os.path.join(build, "tests/integration/guest_probe"), images]


def honest(project, probe, images):
    """One launch as image.json says, until its agent runs, and its end by the power button."""
    from guest_vm import Vm, build_image
    folder = build_image(project, "base", os.path.join(images, "base-own"), "--agent", probe, kernel="own")
    with Vm(folder, "A=LOOK\n", {"ca.pem": b"x"}) as vm:
        vm.wait_line("probe: ready")
        vm.command("system_powerdown")
        vm.wait_end()


def run(name, build, out):
    """Runs one of TESTS; returns whether all of it passed."""
    kept = os.path.join(out, name)
    shutil.rmtree(kept, ignore_errors=True)
    os.makedirs(kept)
    with open(os.path.join(out, name + ".log"), "wb") as log:
        return subprocess.run(words_of(name, build, os.path.join(out, "images")), check=False, stdout=log, stderr=log, env={
            **os.environ, "COCOS_TEST_KERNEL": "own", "COCOS_TEST_REACH": kept}).returncode == 0


def code_of(out):
    vmlinux = os.path.join(out, "images", f"base-own-{guest_reach.KERNEL}", "vmlinux")
    with subprocess.Popen(["llvm-dwarfdump", "--debug-line", vmlinux], stdout=subprocess.PIPE, text=True) as process:
        code = Code(line_ranges(process.stdout))
    if process.returncode or not code.lines:
        raise Wrong(f"{vmlinux}: it tells no lines")
    return code


def main(build, out, *names):
    build, out = os.path.abspath(build), os.path.abspath(out)
    names = ["honest", *(name for name in names or TESTS if name != "honest")]
    for name in names:
        if name not in TESTS:
            raise Wrong(f"no test '{name}': {', '.join(TESTS)}")
    passed = True
    for name in names:
        print(f"{name} ...", flush=True)
        if not run(name, build, out):
            passed = False
            print(f"{name} failed: {out}/{name}.log", flush=True)
    code, reached, machines = code_of(out), {}, {}
    for name in names:
        ran, machines[name] = guest_reach.kept(os.path.join(out, name))
        reached[name] = code.reached(ran)
    if not any(reached["honest"].values()):
        raise Wrong(f"the honest launch ran nothing of this kernel: {out}/honest.log")
    text = table(code, reached, machines)
    with open(os.path.join(out, "reach.md"), "w", encoding="utf-8") as file:
        file.write(text)
    print(text, end="")
    return 0 if passed else 1


if __name__ == "__main__":
    try:
        if sys.argv[1:2] == ["--honest"]:
            honest(*sys.argv[2:])
            sys.exit(0)
        if len(sys.argv) < 3:
            raise Wrong("host_reach.py BUILD OUT [TEST...]")
        sys.exit(main(*sys.argv[1:]))
    except (Wrong, OSError) as e:
        print(f"host_reach: {e}", file=sys.stderr)
        sys.exit(2)
