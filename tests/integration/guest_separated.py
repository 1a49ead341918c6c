# SPDX-License-Identifier: Apache-2.0
"""Agent and keeper as two users of a booted guest, and what an intruder in the agent gets.

Arguments: the project's folder, the intruder that takes the agent's place, a folder for the image.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tap  # noqa: E402
from guest_vm import KERNEL, Vm, build_image  # noqa: E402

PROJECT, INTRUDER, IMAGES = sys.argv[1:4]
AGENT, KEEPER = "1900000001", "1900000002"  # common/base/users.h
RIGHTS = 1 << 0 | 1 << 1 | 1 << 6 | 1 << 7  # CHOWN, DAC_OVERRIDE, SETGID, SETUID, in its namespace
NOBODY = "65534"
SAID = {}  # stage: {what: value}


def boot():
    folder = build_image(PROJECT, "base", os.path.join(IMAGES, "base"), "--agent", INTRUDER)
    with Vm(folder, "A=1\n", {"key.pem": b"key"}) as vm:
        lines = vm.wait_end()
    assert "probe: end" in lines, "\n".join(lines)
    for line in lines:
        # What the jailed program says comes as a line of the jail's.
        line = line.removeprefix("probe: jail: ") if "probe: ran:" in line else line
        if line.startswith("probe: ") and line.count(": ") >= 3:
            _, stage, what, value = line.split(": ", 3)
            SAID.setdefault(stage, {})[what] = value
    print("# " + "\n# ".join(line for line in lines if "probe" in line))


def is_user(stage, name, number, rights):
    said = SAID[stage]
    for row in ("Uid", "Gid"):
        assert said[f"{row} of {name}"].split() == [number] * 4, said
    assert not said[f"Groups of {name}"].split(), said
    assert said[f"NoNewPrivs of {name}"] == "1" and said[f"Seccomp of {name}"] == "2", said
    for row, most in (("CapInh", 0), ("CapPrm", rights), ("CapEff", rights), ("CapBnd", rights),
                      ("CapAmb", 0)):
        assert int(said[f"{row} of {name}"], 16) == most, (row, said)


def each_is_a_user_of_its_own_with_no_right_that_it_does_not_need():
    assert SAID["seen"]["Uid of init"].split() == ["0"] * 4
    is_user("seen", "keeper", KEEPER, 0)
    is_user("seen", "agent", AGENT, RIGHTS)
    is_user("ran", "algorithm", NOBODY, 0)


def the_keeper_has_its_devices_and_nothing_of_the_agents():
    assert SAID["keeper"] == {
        "/dev/tpmrm0": "ok", "/sys/kernel/security/ima/binary_runtime_measurements": "ok",
        "/etc/cocos/environment": "EACCES", "/var/lib/cocos": "EACCES"}


REFUSED = {
    **{f"{what} of {who}": ("EACCES",) for what in ("mem", "environ", "root", "fd")
       for who in ("init", "keeper")},
    **{f"signal to {who}": ("EPERM",) for who in ("init", "keeper")},
    **{f"trace of {who}": ("EPERM", "ENOSYS") for who in ("init", "keeper")},
    **{path: ("EACCES",) for path in (
        "/dev/tpmrm0", "/dev/tpm0", "/dev/mem", "/dev/kmsg", "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/sys/fs/cgroup/cgroup.procs",
        "/sys/fs/cgroup/cocos/memory.max", "/sys/fs/cgroup/cocos/processes/cgroup.procs",
        "/run/written", "/sys/kernel/security/ima/binary_runtime_measurements", "group of init's")},
    **{what: ("EACCES",) for what in ("move of keeper", "entry to the keeper's group",
                                      "end of the keeper's group")},
    "/sys/kernel/security/ima/policy": ("ENOENT", "EACCES"),
    "user keeper": ("EINVAL",), "user 1": ("EINVAL",), "file for root": ("EINVAL",),
    **{what: ("EPERM", "ENOSYS") for what in ("module", "mount", "bind", "chroot", "reboot",
                                              "clock")},
}
if KERNEL == "own":  # which has neither these nor a call that loads modules
    REFUSED |= {**{path: ("ENOENT",) for path in ("/dev/mem", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger")},
                "module": ("ENOSYS",)}
# Without these the machine might just refuse everything.
TAKEN = ("/var/lib/cocos/written", "/dev/null", "file for the algorithm", "group", "no group",
         "move of a child", "end of a group", "end of a child")


def an_intruder_in_the_agent_gets_no_more():
    """The users alone hold; the filter stands in front of them."""
    for stage in ("unfiltered", "filtered"):
        said = SAID[stage]
        for what, answers in REFUSED.items():
            assert said[what] in answers, (stage, what, said[what])
        for what in TAKEN:
            assert said[what] == "ok", (stage, what, said[what])
        assert set(said) == {*REFUSED, *TAKEN}, set(said) ^ {*REFUSED, *TAKEN}
    for what in ("trace of init", "trace of keeper", "module", "chroot", "reboot", "clock"):
        assert SAID["filtered"][what] == "ENOSYS", what


def the_jail_is_built_all_the_same():
    assert SAID["jail"]["jail"] == "finished", SAID["jail"]
    assert SAID["ran"]["/dev/tpmrm0"] == "ENOENT"


if __name__ == "__main__":
    boot()
    tap.run([
        each_is_a_user_of_its_own_with_no_right_that_it_does_not_need,
        the_keeper_has_its_devices_and_nothing_of_the_agents,
        an_intruder_in_the_agent_gets_no_more,
        the_jail_is_built_all_the_same,
    ])
