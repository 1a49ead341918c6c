# SPDX-License-Identifier: Apache-2.0
"""Debian packages under a running systemd, in a container whose root is the fresh system of packages_inside.py and that has no
network but its own: installed and started as docs/operators.md has it, they do the main job and launch a CVM in the sandboxes of
their units, are restarted, reloaded and renewed beside it, and go.

  packages_systemd.py FOLDER    with the packages, and a cocos-agent of the same build"""
import glob
import json
import os
import re
import shutil
import sys

import libvirt_room as room
import net_hosts
import packages_inside
import tap
from clean_root import clean_root
from harness import PATIENCE, ROOT, Folder, until
from recipe import sources
from units_systemd import TOP, UNITS, Machine, a_running_cvm, assert_in_their_sandboxes

DEBS = ("cocos-cli", "cocos-computations", "cocos-doc", "cocos-image-base", "cocos-manager", "libcocos-attestation0")
INSIDE = "/root/packages"  # of the container
OLDER, NEWER = INSIDE + "/older", INSIDE + "/newer"  # as a checkout in which they were built
AUDIT = {"manager": "/var/log/cocos/audit.log", "computations": "/var/log/cocos-computations/audit.log"}


class Fresh(Machine):
    """As it was made, with what is to be installed."""

    def furnish(self):
        for place in (OLDER, NEWER):
            os.makedirs(TOP + place + "/build")
        shutil.copy(os.path.join(FOLDER, "cocos-agent"), TOP + INSIDE)
        for name in ("packages_job.py", "units.py"):
            shutil.copy(os.path.join(ROOT, "tests/integration", name), TOP + INSIDE)
        with Folder() as folder:
            os.mkdir(folder("older"))
            os.mkdir(folder("newer"))
            for deb in NEW:
                shutil.copy(deb, folder("newer"))
                packages_inside.older(deb, VERSION, folder.path)
            for name, place in (("older", OLDER), ("newer", NEWER)):
                shutil.copytree(folder(name), TOP + place + "/build/packages")
            shutil.copytree(room.idle_image(folder), TOP + INSIDE + "/idle")
        with open(TOP + "/etc/machine-id", "w", encoding="ascii"):
            pass
        with open(TOP + "/etc/apt/apt.conf.d/settings-stay", "w", encoding="ascii") as file:  # as whoever is asked answers
            file.write('Dpkg::Options { "--force-confold"; };\n')

    def shell(self, text):
        """Nothing is fetched and nobody answers."""
        return self.run("sh", "-ec", "export DEBIAN_FRONTEND=noninteractive HOME=/root\n" + text, patience=4 * PATIENCE)

    def states_of_packages(self):
        return set(self.run("dpkg-query", "-W", "-f", "${Version} ${db:Status-Status}\n", *DEBS).splitlines())

    def pids(self):
        return [self.unit(unit, "MainPID") for unit in UNITS]

    def until_active(self):
        until(lambda: all(self.unit(unit, "ActiveState") == "active" for unit in UNITS), f"that they are active: {UNITS}")

    def until_others(self, before):
        """Each unit's process is another one, and serves."""
        until(lambda: not ({"0", *before} & set(self.pids())), "other processes")
        self.until_active()

    def jobs(self):
        """{id: state} of computations."""
        return {row["id"]: row["state"] for row in json.loads(self.run("cocos-cli", "computation", "list", "--json"))}

    def until_all_is_as_it_was(self):
        until(lambda: self.cvms() == kept["cvms"], "the CVM")
        assert self.jobs() == kept["jobs"] and room.machine(next(iter(kept["cvms"]))) == kept["qemu"]


def install_of_docs(place):
    """By the page's commands, and for what the page names beside it by one more; what they are built with is left out."""
    build, install, configure = net_hosts.commands("apt install ./build/packages").splitlines()
    assert build.startswith("scripts/package ") and install.startswith("apt install ")
    also = " ".join(f"./build/packages/{name}_*.deb" for name in DEBS if f"/{name}_" not in install)
    machine.shell(f"cd {place}\n{install}\napt install {also}")
    return configure


def what_the_page_says_installs_and_starts_them():
    machine.shell(install_of_docs(OLDER))
    assert machine.states_of_packages() == {f"{packages_inside.OLDER} installed"}
    for unit in UNITS:
        assert machine.unit(unit, "UnitFileState") == "enabled", unit
        assert re.fullmatch(rf"(/usr)?/lib/systemd/system/{unit}\.service", machine.unit(unit, "FragmentPath")), unit
    machine.until_active()
    assert_in_their_sandboxes(machine)
    images = json.loads(machine.run("cocos-cli", "image", "list", "--json"))
    assert [(image["name"], image["default"]) for image in images] == [("base", True)], images


def the_main_job_by_what_systemd_started():
    before = machine.pids()
    # An agent is for a machine of its own. In a container parts of /proc are covered, and who may not see them gets no /proc of his
    # own, as its jail's first process does: unless a whole one is in sight.
    machine.shell(f"mount -t proc proc /mnt\npython3 {INSIDE}/packages_job.py {INSIDE}/cocos-agent --by-systemd\numount /mnt")
    kept["jobs"] = machine.jobs()
    assert list(kept["jobs"].values()) == ["Completed"], kept
    assert machine.pids() == before


def a_cvm_is_launched_from_another_image_with_other_settings():
    """The image is one that does nothing: emulated machines are slow."""
    machine.shell(f"""
        cp -r {INSIDE}/idle /var/lib/cocos/images
        printf 'MANAGER_FIRMWARE=SeaBIOS\nMANAGER_AUDIT_LOG={AUDIT["manager"]}\n' >> /etc/cocos/manager.conf
        printf 'COMPUTATIONS_AUDIT_LOG={AUDIT["computations"]}\n' >> /etc/cocos/computations.conf""")
    before = machine.pids()
    machine.bring_up("restart", *UNITS)
    machine.until_others(before)
    machine.run("cocos-cli", "image", "default", "idle")
    kept["cvms"], kept["qemu"] = a_running_cvm(machine)


def a_log_is_rotated_by_a_reload():
    """With the page's file for logrotate, which reloads both."""
    before = machine.pids()
    change_something()
    with open(TOP + "/etc/logrotate.d/cocos", "w", encoding="ascii") as file:
        file.write(net_hosts.commands("postrotate"))
    machine.run("logrotate", "--force", "/etc/logrotate.d/cocos")
    change_something()
    for log in AUDIT.values():
        until(lambda log=log: os.path.exists(TOP + log) and os.path.getsize(TOP + log), f"another {log}")
        assert os.path.getsize(TOP + log + ".1"), log
    machine.until_active()
    assert machine.pids() == before


def change_something():
    """A line in each audit log."""
    machine.run("cocos-cli", "image", "default", "idle")
    job = next(iter(kept["jobs"]))
    machine.run("cocos-cli", "computation", "stop", job, may_fail=True)


def what_is_restarted_or_killed_has_all_it_had():
    for how in (("restart", *UNITS), ("kill", "-s", "KILL", "--kill-whom=main", *UNITS)):
        before = machine.pids()
        machine.run("systemctl", *how, may_fail=True)  # to be tried again (bring_up)
        machine.until_others(before)
        machine.until_all_is_as_it_was()


def a_newer_one_takes_over_while_a_cvm_runs():
    before = machine.pids()
    install_of_docs(NEWER)
    assert machine.states_of_packages() == {f"{VERSION} installed"}
    machine.until_others(before)
    for unit, pid in zip(UNITS, machine.pids()):
        assert machine.run("readlink", f"/proc/{pid}/exe") == f"/usr/bin/{unit}\n", "not the one that was renewed"
    assert_in_their_sandboxes(machine)
    machine.until_all_is_as_it_was()


def what_is_stopped_has_ended_in_order():
    machine.run("systemctl", "stop", *UNITS)
    for unit in UNITS:
        assert (machine.unit(unit, "ActiveState"), machine.unit(unit, "Result")) == ("inactive", "success"), unit
        assert not room.processes(unit), unit
    assert room.machine(next(iter(kept["cvms"]))) == kept["qemu"]
    machine.run("systemctl", "start", "multi-user.target")  # as at a boot: they are wanted there
    machine.until_active()
    machine.until_all_is_as_it_was()


def what_is_removed_comes_back_with_all_it_had():
    """And with the first image: without one the manager does not start."""
    machine.shell("apt-get -y remove " + " ".join(DEBS))
    for unit in UNITS:
        assert machine.unit(unit, "ActiveState") != "active" and not room.processes(unit), unit
    assert room.machine(next(iter(kept["cvms"]))) == kept["qemu"]
    machine.shell("rm -r /var/lib/cocos/images/*")
    others = " ".join(f"{NEWER}/build/packages/{name}_*.deb" for name in DEBS if "image" not in name)
    machine.shell(f"apt-get -y install {others}")
    until(lambda: re.search(r"cocos-manager\S+ no image\.json in .*install an image", machine.journal()), "what the manager misses")
    assert machine.unit("cocos-manager", "ActiveState") != "active"
    machine.shell(f"apt-get -y install {NEWER}/build/packages/cocos-image-base_*.deb")
    machine.until_active()
    machine.until_all_is_as_it_was()


def what_is_purged_leaves_nothing():
    machine.run("cocos-cli", "vm", "remove", next(iter(kept["cvms"])))
    assert not room.machine(next(iter(kept["cvms"])))
    machine.shell("rm -r /etc/logrotate.d/cocos /root/packages; apt-get -y purge " + " ".join(DEBS))
    for unit in UNITS:
        assert (machine.unit(unit, "LoadState"), machine.unit(unit, "ActiveState")) == ("not-found", "inactive"), unit
        assert not room.processes(unit), unit
    until(lambda: not left_over(), "that nothing is left")


def left_over():
    """But logs. systemd's own notes of a unit that is gone go a little later."""
    return machine.run("find", "/", "/run", "/tmp", "/dev", "-xdev", "-ignore_readdir_race", "-name", "*cocos*", "!", "-path", "/var/log/*")


if __name__ == "__main__":
    if "--in-the-room" not in sys.argv:  # it has no network, which making a system needs
        release = sources.machine_codename()
        sys.argv.append(clean_root.made(release, clean_root.packages(release, ["build", "run"]), os.path.expanduser("~/.cache/cocos")))
    room.enter(alone=True)
    FOLDER, SYSTEM = sys.argv[1:]
    NEW = [deb for deb in glob.glob(FOLDER + "/*.deb") if os.path.basename(deb).split("_")[0] in DEBS]
    assert len(NEW) == len(DEBS), NEW
    VERSION, kept = os.path.basename(NEW[0]).split("_")[1], {}
    with Fresh(SYSTEM) as machine:
        tap.run([what_the_page_says_installs_and_starts_them, the_main_job_by_what_systemd_started,
                 a_cvm_is_launched_from_another_image_with_other_settings, a_log_is_rotated_by_a_reload,
                 what_is_restarted_or_killed_has_all_it_had, a_newer_one_takes_over_while_a_cvm_runs,
                 what_is_stopped_has_ended_in_order, what_is_removed_comes_back_with_all_it_had, what_is_purged_leaves_nothing])
