# SPDX-License-Identifier: Apache-2.0
"""A host that launches the image otherwise than its image.json says, by what QEMU offers: each kind of PCI device,
other features of virtio, files, words, tables, processors, memory, clocks, resets, interrupts, seeds, a console
that types. A launch is refused by a line on the console, or the agent sees what it sees in an honest one.

Arguments: the project's folder, the probe that takes the agent's place, a folder for the images. In CI a few rows
run with Debian's kernel; `scripts/test long` compiles ours and runs all of them with it.
"""
import collections
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import sample  # noqa: E402
import tap  # noqa: E402
from guest_vm import KERNEL, PATIENCE, Vm, build_image  # noqa: E402

PROJECT, PROBE, IMAGES = sys.argv[1:4]
READY = "probe: ready"
OVMF = "/usr/share/OVMF/OVMF_CODE_4M.fd"
# What q35 has by itself.
CHIPSET = {(0x8086, 0x29c0), (0x8086, 0x2918), (0x8086, 0x2922), (0x8086, 0x2930)}
# Kinds that a launch has: (vendor, device) of network cards, disks, and the root ports of libvirt.
OF_A_LAUNCH = {(0x1af4, 0x1000), (0x1af4, 0x1041), (0x1af4, 0x1001), (0x1af4, 0x1042), (0x1b36, 0x000c)}
VIRTIO = 0x1af4
MEMORY = ["-object", "memory-backend-ram,id=more,size=8M"]
DISK = ["-blockdev", "driver=null-co,node-name=more,size=1048576,read-zeroes=on"]
SHARE = f"local,id=more,path={os.path.dirname(os.path.realpath(__file__))},security_model=none,readonly=on"
CAN, BMC = ["-object", "can-bus,id=more"], ["-device", "ipmi-bmc-sim,id=more"]
# Devices that QEMU makes with a backend alone: what is said of them, and the backend.
BACKENDS = {
    "pci-bridge": ("chassis_nr=1", []),
    "pci-bridge-seat": ("chassis_nr=1", []),
    "nvme": ("serial=x", []),
    "acpi-erst": ("memdev=more", MEMORY),
    "ivshmem-plain": ("memdev=more", MEMORY),
    "virtio-pmem-pci": ("memdev=more", MEMORY + ["-m", "512,maxmem=1G,slots=1"]),
    "virtio-mem-pci": ("memdev=more", MEMORY + ["-m", "512,maxmem=1G,slots=1"]),
    "virtio-crypto-pci": ("cryptodev=more", ["-object", "cryptodev-backend-builtin,id=more"]),
    "virtio-9p-pci": ("fsdev=more,mount_tag=more", ["-fsdev", SHARE]),
    "virtio-blk-pci": ("drive=more", DISK),
    "ctucan_pci": ("canbus0=more,canbus1=more", CAN),
    "kvaser_pci": ("canbus=more", CAN),
    "mioe3680_pci": ("canbus0=more,canbus1=more", CAN),
    "pcm3680_pci": ("canbus0=more,canbus1=more", CAN),
    "pci-ipmi-bt": ("bmc=more", BMC),
    "pci-ipmi-kcs": ("bmc=more", BMC),
}
# Of the devices that QEMU 7.2 and 10 have, the kinds that it makes here at the least.
KINDS_MIN = 70
TOGETHER_MAX = 20  # in one machine, which has places for some more
NO_LAUNCH = "PCI devices that no launch of this image has: "
# Features of virtio that our own kernel takes, at the most, and of what else this QEMU can offer some of each kind.
TAKEN = {
    "virtio-net": {f"VIRTIO_NET_F_{name}" for name in (
        "MAC", "STATUS", "MTU", "MRG_RXBUF", "CSUM", "GUEST_CSUM", "HOST_TSO4", "HOST_TSO6", "GUEST_TSO4", "GUEST_TSO6")},
    "virtio-blk": {f"VIRTIO_BLK_F_{name}" for name in ("RO", "BLK_SIZE", "SEG_MAX")},
}
TAKEN_OF_EACH = {"VIRTIO_F_VERSION_1", "VIRTIO_F_IOMMU_PLATFORM", "VIRTIO_RING_F_INDIRECT_DESC", "VIRTIO_RING_F_EVENT_IDX"}
OFFERED = {
    "virtio-net": {"VIRTIO_NET_F_CTRL_VQ", "VIRTIO_NET_F_MQ", "VIRTIO_NET_F_RSS", "VIRTIO_NET_F_GUEST_ANNOUNCE"},
    "virtio-blk": {"VIRTIO_BLK_F_MQ", "VIRTIO_BLK_F_FLUSH", "VIRTIO_BLK_F_DISCARD", "VIRTIO_BLK_F_WRITE_ZEROES"},
}

Row = collections.namedtuple("Row", "name arguments says append memory names time", defaults=(None,) * 5)


def word(text):
    return Row(f"the word {text}", [], "kernel command line: ", append=text)


ROWS = [
    *(word(text) for text in (
        "init=/bin/sh", "acpi_rsdp=0x50000", "lockdown=none", "memmap=1M$0x10000000", "swiotlb=noforce",
        "console=ttyS0", "cocos.role_signature=1")),
    Row("files in fw_cfg", ["-fw_cfg", "name=opt/org.cocos/environment,string=EVIL=1",
                            "-fw_cfg", "name=opt/ovmf/X-PciMmio64Mb,string=1",
                            "-fw_cfg", "name=opt/io.systemd.credentials/x,string=evil"]),
    Row("texts in SMBIOS", ["-smbios", "type=1,manufacturer=Hyper-V,product=%s%n", "-smbios",
                            "type=11,value=io.systemd.stub.kernel-cmdline-extra=init=/bin/sh",
                            "-smbios", "type=2,serial=" + "9" * 200]),
    Row("another kind of CPU: Nehalem", ["-cpu", "Nehalem"]),
    Row("another kind of CPU: Skylake-Server", ["-cpu", "Skylake-Server"]),
    Row("another kind of CPU: EPYC", ["-cpu", "EPYC"]),
    Row("another kind of CPU: qemu64", ["-cpu", "qemu64"]),
    Row("a CPU without random numbers", ["-cpu", "max,-rdrand,-rdseed"]),
    Row("a CPU without protection", ["-cpu", "max,-smep,-smap,-umip,-pku"]),
    Row("a CPU that names another hypervisor", ["-cpu", "max,hv-relaxed=on,hv-vapic=on,hv-time=on"]),
    Row("a CPU that hides the hypervisor", ["-cpu", "max,-hypervisor"]),
    Row("16 GiB of memory", [], memory=16384),
    Row("nodes of memory", [argument for number, cpus in ((0, ",cpus=0"), (1, "")) for argument in (
        "-object", f"memory-backend-ram,id=node{number},size=256M", "-numa", f"node,memdev=node{number}{cpus}")]),
    Row("memory that may be plugged in", ["-m", "512,maxmem=8G,slots=8"]),
    Row("memory that is plugged in", ["-m", "512,maxmem=8G,slots=8", "-object", "memory-backend-ram,id=more,size=256M",
                                      "-device", "pc-dimm,memdev=more"]),
    Row("memory in two parts", ["-machine", "max-ram-below-4g=256M"]),
    Row("memory of an odd size", [], memory=517),
    Row("a clock of long ago", ["-rtc", "base=1970-01-01T00:00:01"]),
    Row("a clock of far away", ["-rtc", "base=2099-12-31T23:59:58"]),
    Row("a clock of the machine's own pace", ["-rtc", "clock=vm,base=1999-12-31T23:59:59"]),
    Row("time that lags behind the world's", ["-icount", "shift=0"], time=True),
    Row("time that runs ahead of the world's", ["-icount", "shift=4"], time=True),
    Row("random numbers that are zeros", ["-object", "rng-random,filename=/dev/zero,id=zeros",
                                          "-device", "virtio-rng-pci,rng=zeros"], NO_LAUNCH,
        names="(1af4:1005, class 00ff00)"),
    Row("9p", ["-fsdev", SHARE, "-device",
               "virtio-9p-pci,fsdev=more,mount_tag=env_share"], NO_LAUNCH, names="(1af4:1009, class 000200)"),
    Row("cards with queues of another kind", ["-global", "virtio-net-pci.packed=on", "-global",
                                              "virtio-blk-pci.packed=on"]),
    Row("queues without events and tables", [argument for kind in ("net", "blk") for option in
                                             ("event_idx=off", "indirect_desc=off", "ats=on")
                                             for argument in ("-global", f"virtio-{kind}-pci.{option}")]),
    Row("memory behind a platform's translation", [argument for kind in ("net", "blk") for option in (
        "disable-legacy=on", "iommu_platform=on") for argument in ("-global", f"virtio-{kind}-pci.{option}")]),
    Row("a card that can little", [argument for option in ("csum=off", "guest_csum=off", "gso=off",
                                                           "mrg_rxbuf=off", "status=off")
                                   for argument in ("-global", f"virtio-net-pci.{option}")]),
    Row("a card that can much", [argument for option in ("mq=on", "rss=on", "hash=on", "guest_announce=on", "speed=1",
                                                         "host_mtu=1280", "rx_queue_size=1024")
                                 for argument in ("-global", f"virtio-net-pci.{option}")]),
    Row("a disk of large blocks", ["-global", "virtio-blk-pci.logical_block_size=4096", "-global",
                                   "virtio-blk-pci.physical_block_size=4096"]),
    Row("a disk with many queues", ["-global", "virtio-blk-pci.num-queues=8", "-global",
                                    "virtio-blk-pci.queue-size=1024", "-global", "virtio-blk-pci.config-wce=off"]),
    Row("cards and disks of old", ["-global", "virtio-blk-pci.disable-modern=on"], "the disk with the serial number 'cocos-boot' is missing"),
    Row("a second card and disk", ["-netdev", "user,id=net1", "-device", "virtio-net-pci,netdev=net1,romfile=",
                                   *DISK, "-device", "virtio-blk-pci,drive=more"]),
]


def image(kernel):
    return build_image(PROJECT, "base", os.path.join(IMAGES, "base" if kernel == "stock" else "base-own"),
                       "--agent", PROBE, kernel=kernel)


def machine(row=Row("honest", []), kernel=KERNEL):
    folder = image(kernel)
    append = None
    if row.append:
        with open(os.path.join(folder, "image.json"), encoding="utf-8") as file:
            append = json.load(file)["cmdline"] + " " + row.append
    return Vm(folder, "A=LOOK\n", {"ca.pem": b"x"}, append=append, memory=row.memory, extra=row.arguments)


def seen(lines):
    return [line for line in lines if line.startswith("probe: ")]


def boots(row=Row("honest", []), then=lambda vm: None):
    """What the agent saw, after `then`."""
    with machine(row) as vm:
        vm.wait_line(READY)
        saw = seen(vm.lines)
        then(vm)
    return saw


def stops(row):
    """All lines of a boot that init has stopped, for the reason that the row says; no agent was there."""
    with machine(row) as vm:
        lines = vm.wait_end()
    why = [line for line in lines if "boot stopped: " in line]
    assert len(why) == 1 and row.says in why[0] and not seen(lines), "\n".join([row.name, *lines])
    assert row.names is None or any(row.names in line for line in lines), "\n".join([row.name, *lines])
    return lines


def at_any_pace(saw):
    """But for what the probe waits for so long and no longer by its own time: the router that gives addresses."""
    return [line for line in saw if not line.startswith("probe: ipv6: ")]


class Twin:
    """The honest launch, which boots before the others are compared with it."""

    saw = None

    @classmethod
    def look(cls):
        cls.saw = cls.saw or boots()
        assert READY in cls.saw[-1], cls.saw
        return cls.saw


def launched(row):
    print(f"# {row.name}", flush=True)
    if row.says:
        return stops(row)
    saw, same = boots(row), at_any_pace if row.time else list
    assert same(saw) == same(Twin.look()), "\n".join([row.name, *saw, "and in an honest launch", *Twin.saw])
    return saw


def numbers_of(arguments):
    """(vendor, device) of what these arguments add to a q35, by QEMU's word; nothing if it does not take them."""
    asks = "".join(json.dumps({"execute": name}) for name in ("qmp_capabilities", "query-pci", "quit"))
    done = subprocess.run(["qemu-system-x86_64", "-machine", "q35,accel=tcg", "-m", "512", "-nodefaults", "-display",
                           "none", "-S", "-qmp", "stdio", *arguments], input=asks, capture_output=True, text=True,
                          check=False, timeout=PATIENCE)
    for line in done.stdout.splitlines():
        answer = json.loads(line).get("return")
        if isinstance(answer, list):
            found = collections.Counter((device["id"]["vendor"], device["id"]["device"])
                                        for bus in answer for device in bus["devices"])
            return found - collections.Counter(CHIPSET)
    return collections.Counter()


def kinds():
    """{(vendor, device): (name, arguments)} of the PCI devices that this QEMU makes."""
    listed = subprocess.run(["qemu-system-x86_64", "-device", "help"], check=True, capture_output=True, text=True).stdout
    found = {}
    for number, name in enumerate(re.findall(r'^name "([^"]+)", bus PCI', listed, re.M)):
        options, backend = BACKENDS.get(re.sub("-(non-)?transitional$", "", name), ("", []))
        arguments = [argument.replace("=more", f"=more{number}") for argument in
                     (*backend, "-device", ",".join(filter(None, (name, "bus=pcie.0", options))))]
        for numbers in numbers_of(arguments):
            if numbers[0]:  # one of vendor 0 is none to any kernel
                found.setdefault(numbers, (name, arguments))
    return found


def together(rest):
    """As many as fit into one machine: [(numbers, name, arguments)]; they are taken out of `rest`."""
    chosen = []
    for numbers, (name, arguments) in sorted(rest.items()):
        trial = [argument for each in (*chosen, (numbers, name, arguments)) for argument in each[2]]
        if not {each[0] for each in chosen} | {numbers} <= set(numbers_of(trial)):
            continue
        chosen.append((numbers, name, arguments))
        if len(chosen) == TOGETHER_MAX:
            break
    for numbers, _, _ in chosen:
        del rest[numbers]
    return chosen


def each_kind_of_device_is_named_and_refused():
    rest = {numbers: made for numbers, made in kinds().items() if numbers not in OF_A_LAUNCH | CHIPSET}
    count = len(rest)
    assert count >= KINDS_MIN, rest
    while rest:
        chosen = together(rest)
        assert chosen, rest
        lines = stops(Row(", ".join(name for _, name, _ in chosen), [
            argument for _, _, arguments in chosen for argument in arguments], NO_LAUNCH))
        for (vendor, device), name, _ in chosen:
            assert any(f"({vendor:04x}:{device:04x}, class " in line for line in lines), (name, lines)
            if vendor == VIRTIO and KERNEL == "own":
                assert any(f"{vendor:04x}:{device:04x} is of no launch: not taken" in line for line in lines), lines
    print(f"# {count} kinds")


def what_a_launch_must_not_have_is_refused_or_changes_nothing():
    for row in ROWS:
        launched(row)


def a_few_launches_are_refused_or_change_nothing():
    for row in (Row("another card", ["-device", "e1000,romfile="], NO_LAUNCH, names="(8086:100e, class 020000)"),
                Row("more", [argument for row in ROWS if row.name in (
                    "files in fw_cfg", "texts in SMBIOS", "a clock of long ago", "a second card and disk")
                    for argument in row.arguments]),
                *(row for row in ROWS if row.name in ("random numbers that are zeros", "the word init=/bin/sh"))):
        launched(row)


def features_of(status, whose):
    """Names of the bits that the host has offered, or the guest has taken, by QEMU's word; it has none for some."""
    bits = status[whose]
    named = {text.split(":")[0] for text in (*bits["transports"], *bits["dev-features"])}
    return named | {f"{what} {bits[what]:#x}" for what in ("unknown-dev-features", "unknown-transports") if what in bits}


def features_that_no_launch_uses_are_not_taken():
    """By our own kernel, whatever is offered, as the host sees it; the rest holds, and all goes on as ever."""
    rows = [row for row in ROWS if row.name in (
        "cards with queues of another kind", "memory behind a platform's translation", "a card that can much",
        "a disk with many queues")]
    count = collections.Counter()
    with machine(Row("much", [argument for row in rows for argument in row.arguments])) as vm:
        vm.wait_line(READY)
        assert seen(vm.lines) == Twin.look(), vm.lines
        for device in vm.command("x-query-virtio"):
            status, name = vm.command("x-query-virtio-status", path=device["path"]), device["name"]
            offers, takes = features_of(status, "host-features"), features_of(status, "guest-features")
            assert offers >= OFFERED[name] | {"VIRTIO_F_RING_PACKED"}, (name, offers)
            assert takes == offers & (TAKEN[name] | TAKEN_OF_EACH), (name, takes)
            assert takes >= {"VIRTIO_F_VERSION_1", "VIRTIO_F_IOMMU_PLATFORM"}, (name, takes)
            count[name] += 1
    assert count["virtio-net"] == 1 and count["virtio-blk"], count


def too_little_memory_starts_no_agent():
    """Kernel and initrd do not fit into it: the machine ends before it says anything."""
    with machine(Row("tiny", [], memory=24)) as vm:
        lines = vm.wait_end()
    assert not any("cocos-init" in line or "probe" in line for line in lines), lines


def a_reset_while_it_boots_boots_again():
    with machine() as vm:
        vm.wait_line("cocos-init: ")
        vm.command("set-action", reboot="reset")
        vm.command("stop")  # nothing is printed between the reset and the mark
        before = len(vm.lines)
        vm.command("system_reset")
        vm.command("cont")
        vm.wait_line(READY, after=before)
        saw = seen(vm.lines[before:])
    assert saw == Twin.look(), saw


def interrupts_that_cannot_be_masked_change_nothing():
    with machine() as vm:
        for text in ("cocos-init: ", READY):
            vm.wait_line(text)
            for _ in range(200):
                vm.command("inject-nmi")
        assert seen(vm.lines) == Twin.look(), vm.lines
        vm.command("system_powerdown")
        lines = vm.wait_end()
    assert any("power button: stopping" in line for line in lines), lines
    assert any("NMI received for unknown reason" in line for line in lines), lines


def ports(vm, *writes):
    """Bytes for the machine's ports, as if its processor had written them: (port, byte)."""
    for port, value in writes:
        vm.command("human-monitor-command", **{"command-line": f"o /b {port:#x} {value:#x}"})


def clock(vm, *registers):
    """Of the clock that runs on a battery: (register, byte)."""
    ports(vm, *(write for register, value in registers for write in ((0x70, register), (0x71, value))))


def stands_at(century, year, value):
    """That clock does not run on, and tells this for all that is no year."""
    return [(0xb, 0x82), (0x32, century), (9, year), *((register, value) for register in (0, 2, 4, 6, 7, 8))]


def time_that_jumps_changes_nothing():
    """The machine is stopped again and again, each time the clock is set to another century, forth and back."""
    with machine(Row("jumps", ["-S", "-rtc", "driftfix=slew"])) as vm:
        vm.wait_for_listener(vm.path("qmp"))
        clock(vm, *stands_at(0xff, 0xff, 0xff))  # before anything runs: no digits at all
        for text in ("cocos-init: ", READY):
            vm.command("cont")
            vm.wait_line(text)
            for century in (0x20, 0x19, 0x99, 0x00) * 5:
                vm.command("stop")
                clock(vm, *stands_at(century, 0x99, 0x01))
                vm.command("rtc-reset-reinjection")
                vm.command("cont")
            vm.command("stop")
        vm.command("cont")
        assert at_any_pace(seen(vm.lines)) == at_any_pace(Twin.look()), vm.lines
        vm.command("system_powerdown")
        lines = vm.wait_end()
    assert any("power button: stopping" in line for line in lines), lines


def timers_that_storm_change_nothing():
    """The two of old: the one as fast as 18 kHz, the other 8 kHz, and it has an alarm each second and each update."""
    with machine() as vm:
        for text in ("cocos-init: ", READY):
            vm.wait_line(text)
            ports(vm, (0x43, 0x34), (0x40, 64), (0x40, 0))
            clock(vm, (1, 0xff), (3, 0xff), (5, 0xff), (0xa, 0x23), (0xb, 0x72))
        assert at_any_pace(seen(vm.lines)) == at_any_pace(Twin.look()), vm.lines
        vm.command("system_powerdown")
        lines = vm.wait_end()
    assert any("power button: stopping" in line for line in lines), lines


def lines_with_a_seed(without=""):
    """The kernel's, of a processor that has no random numbers, whose firmware has them from a device of the host's:
    zeros. Init stops at that device, when the kernel has long taken the seed."""
    vm = machine(next(row for row in ROWS if row.name == "random numbers that are zeros"))
    vm.append = " ".join(word for word in vm.append.split() if word not in ("quiet", without))
    vm.arguments += ["-cpu", "max,-rdrand,-rdseed", "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={OVMF}"]
    with vm:
        lines = vm.wait_end(4 * PATIENCE)
    assert any("efi: " in line and " RNG=0x" in line for line in lines), lines  # it was handed over
    return lines


def where(text, lines):
    return next((number for number, line in enumerate(lines) if text in line), len(lines))


def a_seed_of_the_hosts_counts_for_nothing():
    lines = lines_with_a_seed()
    assert where("Memory: ", lines) < where("random: crng init done", lines), lines


def a_kernel_that_is_not_told_believes_a_seed_of_the_hosts():
    """So much that it asks for nothing else: the row above sees it."""
    lines = lines_with_a_seed(without="random.trust_bootloader=off")
    assert where("random: crng init done", lines) < where("Memory: ", lines) < len(lines), lines


def what_the_console_types_is_read_by_nobody():
    typed = b"b\x03\x04\x13\x1a\x1c\r\nroot\n" * 100
    with machine() as vm:
        vm.wait_line("cocos-init: ")
        vm.type(typed)
        for text in ("root is up", READY):  # before that a break and a b may end a machine (guest_image.py)
            vm.wait_line(text)
            vm.send_break()
            vm.type(typed)
        vm.wait_taken(5)
        assert seen(vm.lines) == Twin.look(), vm.lines
        vm.command("system_powerdown")
        lines = vm.wait_end()
    assert any("power button: stopping" in line for line in lines), lines


tap.run(sample.of(
    [a_few_launches_are_refused_or_change_nothing, time_that_jumps_changes_nothing,
     a_seed_of_the_hosts_counts_for_nothing],
    [each_kind_of_device_is_named_and_refused,
     what_a_launch_must_not_have_is_refused_or_changes_nothing,
     *([features_that_no_launch_uses_are_not_taken] if KERNEL == "own" else []),
     too_little_memory_starts_no_agent,
     a_reset_while_it_boots_boots_again,
     interrupts_that_cannot_be_masked_change_nothing,
     time_that_jumps_changes_nothing,
     timers_that_storm_change_nothing,
     a_seed_of_the_hosts_counts_for_nothing,
     a_kernel_that_is_not_told_believes_a_seed_of_the_hosts,
     what_the_console_types_is_read_by_nobody]))
