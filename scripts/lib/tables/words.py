# SPDX-License-Identifier: Apache-2.0
"""QEMU's arguments for the launch of a TD: the manager's own code writes the domain, libvirt makes the arguments of it
and starts, in QEMU's place, a script that keeps them; then what emulation cannot do is taken out. An argument that
this file does not know is refused: it could change the tables.
"""
import json
import os
import shutil
import stat
import subprocess

from tables.fail import Failure

NAME = "guest=tables,"
# libvirt inside of virsh, which needs no daemon and touches nothing outside of its folder.
SETTINGS = """user = "root"
group = "root"
swtpm_user = "root"
swtpm_group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
dynamic_ownership = 0
"""
RECORDER = """#!/bin/sh
case " $* " in *" {name}"*)
	printf '%s\\0' "$@" >'{words}.new' && mv '{words}.new' '{words}'
	exit 1 ;;
esac
exec '{qemu}' "$@"
"""
# In swtpm_setup's place: the launch is not of the TPM that libvirt would have made. Its EK's certificate would come from
# this machine's authority, whose files would be ours from then on: libvirt's own TPMs are another user's, and could not
# be made any more.
SETUP = """#!/bin/sh
case " $* " in *" --print-capabilities "*) exec '{setup}' "$@" ;; esac
"""
# Of QEMU's arguments: those alone, those kept with their value, and those of a monitor and a console that are ours.
ALONE = {"-S", "-no-user-config", "-nodefaults", "-no-shutdown", "-no-reboot"}
KEPT = {"-name", "-bios", "-m", "-overcommit", "-smp", "-uuid", "-display", "-rtc", "-boot", "-kernel", "-initrd",
        "-append", "-device", "-blockdev", "-netdev", "-tpmdev", "-fsdev", "-audiodev", "-global", "-watchdog-action"}
DROPPED = {"-mon", "-add-fd", "-sandbox", "-msg"}
# A TD has neither, by QEMU's own rule (10.1 and later: target/i386/kvm/tdx.c); both stand in tables.
OF_A_TD = ",smm=off,pic=off"
# The manager's for a processor that is emulated (manager/virt/domain_xml.c); no table tells of these.
EMULATED = "max,avx=off,avx2=off,fma=off,f16c=off,vaes=off,vpclmulqdq=off"


def write_program(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, stat.S_IRWXU)


def run(words, what):
    done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or f"status {done.returncode}").splitlines()[-1]
        raise Failure(f"{what}: {last}")
    return done.stdout


def recorded(folder, program, launch):
    """What libvirt would start: QEMU's arguments. `launch` are cocos-domain's, without the emulator."""
    words, emulator = os.path.join(folder, "words"), os.path.join(folder, "emulator")
    qemu, setup = launch["qemu"], shutil.which("swtpm_setup") or ""  # without it libvirt says that it is missing
    if any(c in folder + qemu + setup for c in "'\n"):
        raise Failure(f"'{folder}', '{qemu}' or '{setup}' has a quote in its name: choose others")
    write_program(emulator, RECORDER.format(name=NAME, words=words, qemu=qemu))
    programs = os.path.join(folder, "programs")
    os.mkdir(programs)
    if setup:
        write_program(os.path.join(programs, "swtpm_setup"), SETUP.format(setup=setup))
    xml = run([program, str(launch["cpus"]), str(launch["memory"]), "emulator=" + emulator,
               *(f"{key}={value}" for key, value in launch["domain"].items())], "cocos-domain")
    domain, root = os.path.join(folder, "domain.xml"), os.path.join(folder, "libvirt")
    os.makedirs(os.path.join(root, "etc"))
    for path, text in ((domain, xml), (os.path.join(root, "etc/qemu.conf"), SETTINGS)):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    done = subprocess.run(["virsh", "-c", "qemu:///embed?root=" + root, "create", domain], capture_output=True,
                          text=True, check=False, stdin=subprocess.DEVNULL,
                          env={**os.environ, "PATH": programs + ":" + os.environ.get("PATH", os.defpath)})
    if not os.path.exists(words):
        said = [line for line in done.stderr.splitlines() if line.startswith("error:")] or ["it says nothing"]
        raise Failure(f"libvirt does not launch the domain: {said[-1]}")
    with open(words, encoding="utf-8") as file:
        return file.read().split("\0")[:-1]


def of_object(value):
    made = json.loads(value)
    kind = made.get("qom-type")
    if kind in ("secret", "tdx-guest"):
        return None
    if kind != "memory-backend-ram":
        raise Failure(f"the launch has an object '{kind}', which scripts/lib/tables/words.py does not know")
    return json.dumps({**made, "reserve": False})  # what is not touched takes no memory


def of_machine(value):
    """The first names the type; a later one, past libvirt, the TD."""
    parts = [part for part in value.split(",") if not part.startswith("confidential-guest-support=")]
    if not parts:
        return None
    return ",".join(parts) + (OF_A_TD if parts[0].startswith("pc-q35-") else "")


def of_chardev(value, tpm):
    name = dict(part.partition("=")[::2] for part in value.split(",")[1:]).get("id")
    known = {"charmonitor": None, "charserial0": "null,id=charserial0", "chrtpm": f"socket,id=chrtpm,path={tpm}"}
    if name not in known:
        raise Failure(f"the launch has a character device '{name}', which scripts/lib/tables/words.py does not know")
    return known[name]


def of_fixed(option, value, wanted, given):
    if value != wanted:
        raise Failure(f"the launch has '{option} {value}' in place of '{wanted}': not one of scripts/lib/tables/words.py")
    return given


def emulated(words, tpm, phys_bits):
    """The same launch, without what a TD alone has; `tpm` is swtpm's socket."""
    special = {
        "-machine": of_machine,
        "-object": of_object,
        "-chardev": lambda value: of_chardev(value, tpm),
        "-accel": lambda value: of_fixed("-accel", value, "tcg", "tcg"),
        "-cpu": lambda value: of_fixed("-cpu", value, EMULATED, f"max,phys-bits={phys_bits}"),
        **{option: lambda value: value for option in KEPT},
        **{option: lambda value: None for option in DROPPED},
    }
    found, rest = [], iter(words)
    for option in rest:
        if option in ALONE:
            found.append(option)
            continue
        value = next(rest, None)
        if option not in special or value is None:
            raise Failure(f"the launch has '{option}', which scripts/lib/tables/words.py does not know")
        value = special[option](value)
        if value is not None:
            found += [option, value]
    return found


def machine_type(words):
    return words[words.index("-machine") + 1].split(",")[0]
