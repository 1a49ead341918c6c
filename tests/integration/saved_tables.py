# SPDX-License-Identifier: Apache-2.0
"""scripts/host-tables: what QEMU gives the firmware of the manager's launch, saved for `policy create --tables`. QEMU and
the firmware are this machine's, under emulation; the image is a small one, whose kernel nothing starts."""
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time

import tap
import tdx_image
from harness import BUILD, ROOT, Folder, cli, read, until

sys.path.insert(0, os.path.join(ROOT, "scripts/lib"))
from tables import machine, words  # noqa: E402
from tables.fail import Failure  # noqa: E402

SCRIPT = os.path.join(ROOT, "scripts/host-tables")
FIRMWARE = "/usr/share/ovmf/OVMF.fd"  # has a TD's sections
FILES = {"qemu", "bootorder", "etc/table-loader", "etc/acpi/rsdp", "etc/acpi/tables", "etc/tpm/log"}
# The devices of a TD's launch, in their places. They are in the tables, and so in RTMR0 of every policy: whoever
# changes this list changes what owners have to accept, and says so in CHANGELOG.md.
DEVICES = [("virtio-blk-pci", "0x2"), ("virtio-blk-pci", "0x3"), ("virtio-net-pci", "0x5"), ("isa-serial", None),
           ("tpm-crb", None)]
LOW, TOP = 0x7c000000, 0x80000000  # the end of 2 GiB, where firmware puts tables


def write_image(folder):
    """With a root disk; QEMU wants more of a kernel than a verifier does."""
    tdx_image.write_image(folder)
    with open(folder("image/image.json"), encoding="utf-8") as file:
        record = json.load(file)
    for part, name, content in (("kernel", "vmlinuz", tdx_image.kernel() + bytes(8192)),
                                ("root", "root.img", bytes(1 << 20))):
        folder.write(f"image/{name}", content)
        record[part] = {"file": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    folder.write("image/image.json", json.dumps(record))


def arguments(folder, out, **changed):
    given = {"image": folder("image"), "cpus": "2", "memory": "2G", "phys-bits": "46", "firmware": FIRMWARE,
             "build": BUILD, "out": out, **changed}
    return [SCRIPT, *(word for key, value in given.items() if value is not None for word in ("--" + key, value))]


def called(folder, out, **changed):
    return subprocess.run(arguments(folder, out, **changed), capture_output=True, text=True, check=False)


def saved(folder, out, **changed):
    done = called(folder, folder(out), **changed)
    assert done.returncode == 0 and done.stdout == folder(out) + "\n" and "SIMULATED" in done.stderr, done
    found = {os.path.relpath(os.path.join(path, name), folder(out)): read(os.path.join(path, name))
             for path, _, names in os.walk(folder(out)) for name in names}
    assert set(found) == FILES, sorted(found)
    return found


def tables_in(blob):
    """{signature and number: table}, as they lie one behind the other."""
    found, at = {}, 0
    while at + 8 <= len(blob):
        signature, length = struct.unpack_from("<4sI", blob, at)
        if not re.fullmatch(rb"[A-Z0-9]{4}", signature):
            at += 4  # room between tables
            continue
        assert 36 <= length <= len(blob) - at, (signature, length)
        name = signature.decode() + str(sum(one.startswith(signature.decode()) for one in found))
        found[name] = (at, blob[at:at + length])
        at += length
    assert not any(blob[at:]), blob[at:]
    return found


def changed_tables(one, other):
    """Names of the tables that differ."""
    a, b = (tables_in(each["etc/acpi/tables"]) for each in (one, other))
    assert set(a) == set(b), (sorted(a), sorted(b))
    return {name[:4] for name in a if a[name][1] != b[name][1]}


class Once:
    """The launch that the others are compared with; it is made once."""

    folder = found = None

    @classmethod
    def tables(cls):
        if not cls.found:
            cls.found = saved(cls.folder, "tables")
        return cls.found


def the_same_launch_has_the_same_tables():
    one = Once.tables()
    assert one == saved(Once.folder, "again")
    assert one["bootorder"].endswith(b"HALT\0") and b"linuxboot" in one["bootorder"], one["bootorder"]
    assert {"DSDT0", "FACP0", "APIC0", "TPM20", "MCFG0"} <= set(tables_in(one["etc/acpi/tables"]))
    assert re.fullmatch(rb"QEMU emulator version [^\n]+, SIMULATED: by emulation, no TD\n", one["qemu"])


def another_launch_differs_where_it_has_to():
    """Processors are in DSDT and MADT, the width of addresses in the window for PCI above 4 GiB (DSDT), and memory at
    the most there. The script that installs tables names places in them: it differs when tables before those grow."""
    base = Once.tables()
    for out, changes, wanted in (("one", {"cpus": "1"}, {"DSDT", "APIC"}), ("eight", {"cpus": "8"}, {"DSDT", "APIC"}),
                                 ("more", {"memory": "8G"}, set()), ("narrow", {"phys-bits": "40"}, {"DSDT"})):
        other = saved(Once.folder, out, **changes)
        differing = {name for name in FILES if base[name] != other[name]}
        got = changed_tables(base, other)
        print(f"# {out}: {sorted(differing)}, {sorted(got)}")
        # What lies behind a table that grew has other places.
        assert wanted <= got <= wanted | ({"FACP", "RSDT", "XSDT"} if len(wanted) > 1 else {"DSDT"}), got
        assert ("etc/acpi/tables" in differing) == bool(got) and not differing & {"qemu", "bootorder", "etc/tpm/log"}


def this_machines_authority_makes_no_certificate():
    """Of swtpm's. Asked by root, it makes its files root's, and none of libvirt's TPMs can be made any more."""
    folder = Once.folder
    asked = folder("asked")
    tool = folder.write("asks", f"#!/bin/sh\n: >'{asked}'\nexit 1\n", 0o755)
    folder.write("config/swtpm_setup.conf", f"create_certs_tool = {tool}\n")
    done = subprocess.run(arguments(folder, folder("no-authority")), capture_output=True, text=True, check=False,
                          env={**os.environ, "XDG_CONFIG_HOME": folder("config")})
    assert not os.path.exists(asked), "swtpm's authority was asked"
    assert done.returncode == 0, done


# ---- as the guest's kernel finds them ----

@contextlib.contextmanager
def launched(folder, name):
    """The launch of the script, stopped when firmware has asked for the tables."""
    os.mkdir(folder(name))
    os.chmod(folder(name), 0o700)
    domain = {"kernel": folder("image/vmlinuz"), "initrd": folder("image/initrd.img"), "cmdline": "console=ttyS0",
              "firmware": FIRMWARE, "root": folder("image/root.img"),
              "boot-disk": folder.write(name + "/boot-disk", bytes(266240))}
    given = words.recorded(folder(name), os.path.join(BUILD, "cocos-domain"), {
        "cpus": 2, "memory": 2048, "qemu": "/usr/bin/qemu-system-x86_64", "domain": domain})
    given = words.emulated(given, folder(name, "tpm.sock"), 46)
    with machine.Machine(folder(name), "/usr/bin/qemu-system-x86_64", given) as found:
        found.run_until("etc/table-loader")
        yield found, given


def in_place(memory):
    """{name: table} of the memory at LOW by the root pointer of ACPI 2, which firmware made; None before it did."""
    def at(address, size):
        return memory[address - LOW:address - LOW + size] if LOW <= address and address + size <= TOP else b""

    def table(address):
        length = at(address + 4, 4)
        return at(address, struct.unpack("<I", length)[0]) if length else b""

    def tables(xsdt):
        for place in range(36, len(xsdt), 8):
            yield table(struct.unpack_from("<Q", xsdt, place)[0])
    for root in (memory[m.start():m.start() + 36] for m in re.finditer(b"RSD PTR ", memory)):
        if len(root) < 36 or root[15] < 2 or sum(root) & 0xff:
            continue
        xsdt = table(struct.unpack_from("<Q", root, 24)[0])
        if xsdt[:4] != b"XSDT" or sum(xsdt) & 0xff or not all(tables(xsdt)):
            continue
        found = {}
        for one in tables(xsdt):
            found[one[:4].decode() + str(sum(name.startswith(one[:4].decode()) for name in found))] = one
        if "FACP0" in found and {"APIC0", "TPM20", "MCFG0"} <= set(found):
            found["DSDT0"] = table(struct.unpack_from("<Q", found["FACP0"], 140)[0])
            found["FACS0"] = table(struct.unpack_from("<I", found["FACP0"], 36)[0])
            return found
    return None


def installed_tables(found, path):
    """As soon as firmware has them all in place."""
    end = time.monotonic() + machine.PATIENCE
    while time.monotonic() < end:
        found.command("pmemsave", val=LOW, size=TOP - LOW, filename=path)
        if (there := in_place(read(path))) and there["DSDT0"] and there["FACS0"]:
            return there
        found.command("cont")
        time.sleep(0.5)
        found.command("stop")
    raise AssertionError("firmware has installed no tables")


def loader_writes(script):
    """Places in etc/acpi/tables where the script puts addresses and sums."""
    places = set()
    for at in range(0, len(script), 128):
        command, first = struct.unpack_from("<I56s", script, at)
        if first.rstrip(b"\0") != b"etc/acpi/tables":
            continue
        if command == 2:
            offset, size = struct.unpack_from("<IB", script, at + 4 + 112)
            places.update(range(offset, offset + size))
        elif command == 3:
            places.add(struct.unpack_from("<I", script, at + 4 + 56)[0])
    return places


def the_launch_has_the_managers_devices(found, given):
    devices = [json.loads(value) for option, value in zip(given, given[1:]) if option == "-device"]
    there = {(device["id"]["vendor"], device["slot"]) for bus in found.command("query-pci")
             for device in bus["devices"]}
    assert [(device["driver"], device.get("addr")) for device in devices] == DEVICES, devices
    # As QEMU has it: libvirt's words for it are others in each release.
    memory = found.command("query-memory-size-summary")
    assert len(found.command("query-cpus-fast")) == 2 and memory["base-memory"] == 2 << 30, memory
    assert words.machine_type(given).startswith("pc-q35-")
    assert {slot for vendor, slot in there if vendor == 0x1af4} == {2, 3, 5}, there


def a_guests_kernel_finds_the_saved_tables_of_the_managers_devices():
    """Each of them, but for addresses and sums that the script has firmware put in."""
    files = Once.tables()
    folder = Once.folder
    with launched(folder, "run") as (found, given):
        the_launch_has_the_managers_devices(found, given)
        installed = installed_tables(found, folder("memory"))
    os.remove(folder("memory"))
    places, compared = loader_writes(files["etc/table-loader"]), 0
    assert places
    for name, (at, table) in tables_in(files["etc/acpi/tables"]).items():
        if name in ("RSDT0", "XSDT0"):
            continue  # firmware makes its own
        seen = installed.pop(name)
        # ACPI 6.5, 5.2.9: FACS and DSDT by 32 and 64 bits, which firmware puts in itself.
        own = {at + place for place in (*range(36, 44), *range(132, 148), 9)} if name == "FACP0" else set()
        assert len(seen) == len(table), name
        differ = {at + n for n, (a, b) in enumerate(zip(seen, table)) if a != b}
        assert differ <= places | own, (name, sorted(differ - places - own))
        assert name == "FACS0" or not sum(seen) & 0xff, name
        compared += len(table)
    assert set(installed) <= {"BGRT0"}, sorted(installed)  # firmware's own
    print(f"# {compared} bytes of tables, {len(places)} places of the script's")


# ---- the launch is the manager's ----

def what_is_not_known_is_refused():
    """Of libvirt's arguments, lest they be another launch without a word."""
    honest = ["-machine", "pc-q35-7.2,usb=off", "-accel", "tcg", "-cpu", words.EMULATED]
    assert words.emulated(honest, "/t", 46)[1] == "pc-q35-7.2,usb=off,smm=off,pic=off"
    for more in (["-fw_cfg", "name=opt/x,string=y"], ["-acpitable", "file=x"], ["-accel", "kvm"], ["-cpu", "EPYC"], ["-cpu", "max"],
                 ["-object", '{"qom-type":"rng-random"}'], ["-chardev", "null,id=more"], ["-device"], ["-S", "x"]):
        try:
            words.emulated(honest + more, "/t", 46)
        except Failure as failure:
            assert str(failure).count("\n") == 0 and "the launch has" in str(failure), failure
        else:
            raise AssertionError(more)


# ---- the policy ----

def the_documents_commands_work():
    """As docs/policy.md has them, beside an image and the host's firmware."""
    folder = Once.folder
    block = next(text for text in re.findall(r"^```\n(.*?)^```$", read(os.path.join(ROOT, "docs/policy.md")).decode(),
                                             re.M | re.S) if "scripts/host-tables" in text)
    os.mkdir(folder("there"))
    shutil.copytree(os.path.join(ROOT, "scripts"), folder("there/scripts"))
    os.symlink(BUILD, folder("there/build"))
    os.symlink(folder("image"), folder("there/image"))
    shutil.copy(FIRMWARE, folder("there/OVMF.inteltdx.fd"))
    done = subprocess.run(["bash", "-e", "-c", block], cwd=folder("there"), capture_output=True, text=True, check=False,
                          env={**os.environ, "PATH": BUILD + ":" + os.environ["PATH"]})
    assert done.returncode == 0 and "SIMULATED: by emulation, no TD" in done.stderr, done
    policy = json.loads(read(folder("there/policy.json")))
    values = policy["tdx"]["rtmr0"]
    assert len(set(values)) == 6 and values == rtmr0_of("tables") and not set(values) & set(rtmr0_of("eight"))


def rtmr0_of(tables):
    folder = Once.folder
    ran = cli("policy", "create", "--image", folder("image"), "--tee", "tdx", "--firmware", FIRMWARE, "--memory", "2G",
              "--tables", folder(tables))
    return json.loads(ran.ok())["tdx"]["rtmr0"]


# ---- refusals ----

def what_cannot_be_saved_is_refused_in_a_line():
    folder = Once.folder
    folder.write("out", "there")
    folder.write("no-qemu", "#!/bin/sh\necho other\n", 0o755)
    folder.write("firmware", bytes(1 << 16))
    os.mkdir(folder("no-image"))
    for changes, said in (({"out": folder("out")}, "is there already"), ({"out": folder("none/x")}, "there is no folder"),
                          ({"image": folder("no-image")}, "is no folder of scripts/build-image"),
                          ({"firmware": folder("none")}, "can't be read"), ({"qemu": folder("none")}, "is no QEMU"),
                          ({"qemu": folder("no-qemu")}, "trace event"),
                          ({"build": folder("none")}, "cocos-domain' is not there: build it"),
                          ({"firmware": folder("firmware"), "image": folder("no-kernel")}, "kernel")):
        if changes.get("image") == folder("no-kernel"):
            shutil.copytree(folder("image"), folder("no-kernel"))
            folder.write("no-kernel/vmlinuz", b"x")
        done = called(folder, changes.pop("out", folder("refused")), **changes)
        assert done.returncode == 1 and done.stderr.startswith("host-tables: ") and said in done.stderr, done
        assert done.stderr.count("\n") == 1 and not done.stdout, done
    for changes in ({"cpus": "0"}, {"cpus": "4097"}, {"memory": "2"}, {"memory": "2T"}, {"phys-bits": "31"},
                    {"phys-bits": "53"}, {"cpus": None}, {"memory": None}, {"phys-bits": None}, {"more": "x"}):
        done = called(folder, folder("refused"), **changes)
        assert done.returncode == 2 and not done.stdout, done
    assert not os.path.exists(folder("refused")), "something is left"


def who_stops_it_finds_nothing():
    """While its machine runs, which here does not get anywhere: else it might be done before it is stopped."""
    folder = Once.folder
    os.mkdir(folder("stopped"))
    hangs = folder.write("hangs", '#!/bin/sh\ncase " $* " in *" guest=tables,"*) exec sleep 3600 ;; esac\n'
                         'exec /usr/bin/qemu-system-x86_64 "$@"\n', 0o755)

    def machine_runs(parent):
        said = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(parent)], capture_output=True, text=True,
                              check=False).stdout
        found = dict(reversed(line.split(None, 1)) for line in said.splitlines())  # the name of one that has ended is two words
        return found if {"swtpm", "sleep"} <= set(found) else None
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with subprocess.Popen(arguments(folder, folder("stopped/tables"), qemu=hangs), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as run:
            pids = until(lambda run=run: machine_runs(run.pid), "swtpm and QEMU").values()
            run.send_signal(number)
            assert run.wait() == 1
        assert not os.listdir(folder("stopped"))
        assert not any(os.path.exists(f"/proc/{pid}") for pid in pids), pids


def main():
    with Folder() as folder:
        Once.folder = folder
        write_image(folder)
        tap.run([the_same_launch_has_the_same_tables, another_launch_differs_where_it_has_to,
                 this_machines_authority_makes_no_certificate,
                 a_guests_kernel_finds_the_saved_tables_of_the_managers_devices,
                 what_is_not_known_is_refused, the_documents_commands_work, what_cannot_be_saved_is_refused_in_a_line,
                 who_stops_it_finds_nothing])


main()
