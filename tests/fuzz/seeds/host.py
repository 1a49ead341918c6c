# SPDX-License-Identifier: Apache-2.0
"""What the host gives: devices, disks and shared files that init looks at, answers of a TEE's interfaces."""
import struct

from seeds.parts import saved, u16

WHOLE, LINK, FOLDER, PIPE = range(4)
DEVICES, DEVICES_SHARES, DISKS, SHARE = range(4)
BRIDGE, CARD, NINEP = (b"8086", b"29c0", b"060000"), (b"1af4", b"1041", b"020000"), (b"1af4", b"1049", b"000200")


def _text(content):
    return bytes([len(content)]) + content


def _entry(name, *texts, kind=WHOLE):
    return bytes([kind]) + b"".join(_text(text) for text in (name, *texts))


def _device(name, numbers):
    return _entry(name, *(b"0x" + number + b"\n" for number in numbers))


def guest_folders():
    """A byte for which, then entries: kind, name, texts."""
    def devices(*entries, which=DEVICES):
        return bytes([which]) + b"".join(entries)

    def disks(*entries):
        return bytes([DISKS]) + b"".join(_entry(name, serial) for name, serial in entries)

    def share(*entries):
        return bytes([SHARE]) + b"".join(entries)

    bridge, card = _device(b"0000:00:00.0", BRIDGE), _device(b"0000:00:01.0", CARD)
    autoprobe = _entry(b"drivers_autoprobe", kind=LINK)
    return {
        "devices": devices(bridge, card, autoprobe),
        "devices-shares": devices(bridge, _device(b"0000:00:02.0", NINEP), which=DEVICES_SHARES),
        "devices-9p": devices(bridge, _device(b"0000:00:02.0", NINEP)),
        "devices-other": devices(_device(b"\x1b[2J\n", (b"8086", b"100e", b"020000")), autoprobe),
        "devices-no-number": devices(_entry(b"a", b"8086\n", b"0x1\n", b"0x2\n")),
        "devices-no-class": devices(_entry(b"a", b"0x8086\n", b"0x29c0\n", b"")),
        "devices-no-end": devices(_entry(b"a", b"0x8086", b"0x1\n", b"0x2\n")),
        "devices-long": devices(_entry(b"a", b"0x80868086086\n", b"0x1\n", b"0x2\n")),
        "devices-missing": devices(b"\0\1a\7" + b"0x8086\n"),
        "devices-many": devices(*(_device(b"%03d" % n, BRIDGE) for n in range(129))),
        "devices-most": devices(*(_device(b"%03d" % n, BRIDGE) for n in range(128)), autoprobe),
        "disks": disks((b"vda", b""), (b"vdb", b"cocos-boot"), (b"vdaa", b"x"), (b"sda", b"cocos-boot")),
        "disks-none": disks((b"vda", b"cocos-boot\n"), (b"vd1", b""), (b"vdaaa", b"")),
        "disks-two": disks((b"vda", b"cocos-boot"), (b"vdb", b"cocos-boot")),
        "disks-long": disks((b"vda", b"c" * 40)),
        "disks-missing": bytes([DISKS]) + b"\0\3vda",
        "disks-many": disks(*((b"vd%c%c" % (97 + n // 26, 97 + n % 26), b"") for n in range(65))),
        "share": share(_entry(b"environment", b"AGENT_CVM_ID=a\n", b""), _entry(b"ca.pem", b"x", b"")),
        "share-largest": share(_entry(b"a", b"x", b"\x80\x00")),
        "share-too-large": share(_entry(b"a", b"x", b"\x80\x01")),
        "share-most": share(*(_entry(b"f%d" % n, b"x", b"") for n in range(16))),
        "share-many": share(*(_entry(b"f%d" % n, b"x", b"") for n in range(17))),
        "share-name": share(_entry(b"a b", b"x", b"")),
        "share-hidden": share(_entry(b".a", b"x", b"")),
        "share-link": share(_entry(b"a", b"", b"", kind=LINK)),
        "share-folder": share(_entry(b"a", b"", b"", kind=FOLDER)),
        "share-pipe": share(_entry(b"a", b"", b"", kind=PIPE)),
    }


HONEST, READY, FITS, SERVICE, EMPTY, DEVICE, TSM, OVER = (1 << bit for bit in range(8))
PARTS = ("provider", "generation", "floor", "outblob", "auxblob", "manifest", "faults", "calls", "rtmr3", "mrconfigid")


def tee_answers():
    """A byte of bits, then the parts."""
    def answers(bits, **parts):
        assert not parts.keys() - set(PARTS)
        return bytes([bits]) + b"".join(u16(len(parts.get(part, b""))) + parts.get(part, b"") for part in PARTS)

    def call(error, host=0, wanted=0):
        return struct.pack(">BBI", error, host, wanted)

    usual = HONEST | FITS | TSM
    snp = {"provider": b"sev_guest\n", "outblob": saved("snp_report/milan-v2"), "floor": b"2\n"}
    tdx = {"provider": b"tdx_guest\n", "outblob": saved("tdx_quote/v4"), "rtmr3": bytes(48), "mrconfigid": bytes(48)}
    table = saved("snp_cert_table/two")
    device = {"outblob": snp["outblob"], "auxblob": table}
    return {
        "snp": answers(usual, **snp, auxblob=table),
        "snp-ready": answers(usual | READY, **snp, auxblob=table + bytes(4096)),
        "snp-no-table": answers(usual | EMPTY, **snp),
        "snp-bad-table": answers(usual, **snp, auxblob=table[:40]),
        "snp-other-report": answers(HONEST | TSM, **snp),
        "snp-no-report": answers(usual, **{**snp, "outblob": b"x"}),
        "snp-largest": answers(usual, **{**snp, "outblob": bytes(32768)}),
        "snp-too-large": answers(usual, **{**snp, "outblob": bytes(32769)}),
        "snp-other-generation": answers(FITS | TSM, **snp, generation=b"7\n"),
        "snp-no-generation": answers(FITS | TSM, **snp, generation=b"-7\n"),
        "snp-long-generation": answers(FITS | TSM, **snp, generation=b"7" * 33),
        "snp-bad-floor": answers(usual, **{**snp, "floor": b"x"}),
        "snp-busy": answers(usual | READY, **snp, faults=b"\0" * 4 + b"\1" + b"\0" * 9 + b"\2\5"),
        "snp-fault": answers(usual, **snp, faults=b"\0" * 5 + b"\3"),
        "snp-first-fault": answers(usual, **snp, faults=b"\3"),
        "snp-always-busy": answers(usual, **snp, faults=b"\0" + b"\1" * 64),
        "svsm": answers(HONEST | TSM | SERVICE | OVER, **snp, manifest=b"a manifest"),
        "svsm-ready": answers(HONEST | TSM | SERVICE | OVER | READY, **snp, manifest=b"a manifest"),
        "svsm-vmpl": answers(HONEST | TSM | SERVICE | OVER, manifest=b"a manifest", provider=snp["provider"],
                             outblob=snp["outblob"][:0x30] + b"\0" + snp["outblob"][0x31:]),
        "svsm-other-vmpl": answers(HONEST | TSM | SERVICE | OVER, manifest=b"a manifest", provider=snp["provider"],
                                   outblob=snp["outblob"][:0x30] + b"\1" + snp["outblob"][0x31:]),
        "svsm-other-report": answers(usual | SERVICE, **snp, manifest=b"a manifest"),
        "svsm-no-report": answers(usual | SERVICE, provider=snp["provider"], outblob=b"x", manifest=b"a manifest"),
        "tdx": answers(usual, **tdx),
        "tdx-ready": answers(usual | READY, **tdx),
        "tdx-other-quote": answers(HONEST | TSM, **tdx),
        "tdx-no-quote": answers(usual, **{**tdx, "outblob": b"x"}),
        "tdx-short-register": answers(usual, **{**tdx, "rtmr3": bytes(47), "mrconfigid": bytes(47)}),
        "other-tee": answers(usual, provider=b"arm_cca_guest\n"),
        "long-tee": answers(usual, provider=b"x" * 40),
        "nothing": answers(0),
        "device": answers(FITS | DEVICE, **device),
        "device-beside-tsm": answers(usual | DEVICE, provider=b"x\n", **device),
        "device-other-report": answers(DEVICE, **device),
        "device-short": answers(FITS | DEVICE, outblob=device["outblob"][:-1]),
        "device-larger-table": answers(FITS | DEVICE, **device, calls=call(3, 1, 20000)),
        "device-largest-table": answers(FITS | DEVICE, **device, calls=call(3, 1, 65536)),
        "device-too-large-table": answers(FITS | DEVICE, **device, calls=call(3, 1, 65537)),
        "device-any-table": answers(FITS | DEVICE, **device, calls=call(3, 1, 0xffffffff)),
        "device-busy": answers(FITS | DEVICE, **device, calls=call(1) + call(3, 2)),
        "device-always-busy": answers(FITS | DEVICE, **device, calls=call(1, 2) * 64),
        "device-fault": answers(FITS | DEVICE, **device, calls=call(3)),
    }


def cgroup_lines():
    def mount(rest=b"- cgroup cgroup rw,memory", path=b"/cg", root=b"/", ids=b"1 2 0:3"):
        return b" ".join([ids, root, path, b"rw,nosuid", rest]) + b"\n"

    def two(groups, *mounts):
        return groups + b"\x1e" + b"".join(mounts)

    memory = b"4:memory:/a:b\n"
    groups = b"5:pids:/p\n" + memory + b"3:cpu,cpuacct:/\n1:name=systemd:/s\n0::/u/v\n"
    hybrid = (b"22 1 8:1 / / rw shared:1 master:2 - ext4 /dev/sda1 rw\n"
              + mount(b"- cgroup2 cgroup2 rw", b"/sys/fs/cgroup/unified") + mount(path=b"/sys/fs/cgroup/memory")
              + mount(b"shared:3 - cgroup  rw,cpu,cpuacct", b"/sys/fs/cgroup/cpu,cpuacct")
              + mount(b"- cgroup cgroup rw,pids", b"/my\\040pids\\134"))
    return {
        "hybrid": two(groups, hybrid),
        "hybrid-cut": two(groups, hybrid[:-1]),
        "groups-cut": two(groups[:-1], hybrid),
        "unified": two(b"0::/\n", mount(b"- cgroup2 none rw", b"/sys/fs/cgroup")),
        "unified-twice": two(b"0::/one\n0::/two\n"),
        "unified-outside": two(b"0::/../x\n"),
        "nothing": two(b""),
        "zero": two(memory + b"\0\n", mount()),
        "together": two(b"4:cpu,memory,pids:/x\n", mount(b"- cgroup c rw,cpu,memory,pids")),
        "container": two(b"4:memory:/docker/c1/sub\n", mount(root=b"/docker/c1")),
        "another-container": two(b"4:memory:/docker/c10\n", mount(root=b"/docker/c1")),
        "outside": two(b"4:memory:/../x\n", mount()),
        "dots": two(b"4:memory:/..x/...\n", mount()),
        "on-top": two(memory, mount(path=b"/one"), mount(path=b"/two")),
        "no-number": two(b"x:memory:/a\n"),
        "empty-number": two(b":memory:/a\n"),
        "large-number": two(b"4294967296:memory:/a\n"),
        "no-path": two(b"4:memory\n"),
        "empty-path": two(b"4:memory:\n"),
        "relative-path": two(b"4:memory:a\n"),
        "both-versions": two(b"0:memory:/a\n"),
        "no-version": two(b"4::/a\n"),
        "longest-path": two(b"4:memory:/" + b"x" * 1022 + b"\n", mount(root=b"/" + b"x" * 1022)),
        "too-long-path": two(b"4:memory:/" + b"x" * 1023 + b"\n"),
        "too-long-group": two(memory, mount(path=b"/" + b"x" * 1020)),
        "too-long-line": two(memory, mount(b"- ext4 x " + b"x" * 32768)),
        "too-many-groups": two(memory, mount() * 65),
        "few-fields": two(memory, b"1 2 0:3 /\n"),
        "no-ids": two(memory, mount(ids=b"a b 0:3")),
        "no-device": two(memory, mount(ids=b"1 2 03")),
        "no-file-system": two(memory, mount(b"shared:1")),
        "no-options": two(memory, mount(b"- cgroup c")),
        "escape-cut": two(memory, mount(path=b"/x\\04")),
        "escape-digit": two(memory, mount(path=b"/x\\048")),
        "escape-zero": two(memory, mount(path=b"/x\\000")),
        "escape-large": two(memory, mount(path=b"/x\\777")),
    }


def virt_host():
    """libvirt's capabilities of a host, and behind a zero byte those of its domains."""
    kvm = b"<guest><os_type>hvm</os_type><arch name='x86_64'><domain type='qemu'/><domain type='kvm'/></arch></guest>"
    cpu = b"<cpu><arch>x86_64</arch><model>EPYC-Milan</model><feature name='svm'/></cpu>"

    def host(owner=b"+64055:+107", uuid=b"5b1c6d3e-0000-4000-8000-00000000000a", more=cpu, guest=kvm):
        return (b"<capabilities><host><uuid>" + uuid + b"</uuid>" + more + b"<secmodel><model>dac</model><baselabel type='kvm'>" + owner
                + b"</baselabel><baselabel type='qemu'>" + owner + b"</baselabel></secmodel></host>" + guest + b"</capabilities>")

    def domains(kind=b"sev-snp", place=b"51", reduced=b"1"):
        return (b"\0<domainCapabilities><features><sev supported='yes'><cbitpos>" + place + b"</cbitpos><reducedPhysBits>" + reduced
                + b"</reducedPhysBits></sev><launchSecurity supported='yes'><enum name='sectype'><value>" + kind
                + b"</value></enum></launchSecurity></features></domainCapabilities>")

    entity = b"<!DOCTYPE c [<!ENTITY a 'aa'><!ENTITY b '&a;&a;'><!ENTITY f SYSTEM 'file:///etc/passwd'>]>"
    return {
        "snp": host() + domains(), "tdx": host() + domains(b"tdx"), "kvm": host(), "qemu": host(guest=b"") + domains(),
        "no-owner": b"<capabilities><host/></capabilities>", "owner-word": host(b"qemu:kvm"), "owner-sign": host(b"+-1:+0"),
        "owner-last": host(b"+4294967294:+4294967294"), "owner-none": host(b"+4294967295:+0"), "owner-large": host(b"+0:+4294967296"),
        "owner-more": host(b"+1:+2x"), "owner-empty": host(b""), "bits-last": host() + domains(place=b"63", reduced=b"63"),
        "bits-large": host() + domains(place=b"64"), "bits-none": host() + domains(reduced=b""), "bits-sign": host() + domains(place=b"-1"),
        "uuid-short": host(uuid=b"5b1c"), "uuid-upper": host(uuid=b"5B1C6D3E-0000-4000-8000-00000000000A"), "empty": b"",
        "open": b"<capabilities>", "domains-open": host() + b"\0<domainCapabilities>", "domains-empty": host() + b"\0",
        "entity": entity + host(uuid=b"&b;"), "entity-file": entity + host(b"&f;"), "entity-cpu": entity + host(more=b"<cpu>&b;&f;</cpu>"),
    }


TARGETS = [cgroup_lines, guest_folders, tee_answers, virt_host]
