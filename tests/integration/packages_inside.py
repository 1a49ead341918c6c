# SPDX-License-Identifier: Apache-2.0
"""What packages.py has done in a fresh system: packages installed, used, renewed, removed, purged.

  packages_inside.py FOLDER     with the packages, and a cocos-agent of the same build

systemd is not running here. The daemons are started as their units say: program, user, groups, rights and
umask. That the sandboxes of the units hold is seen by packages_systemd.py."""
import glob
import grp
import hashlib
import json
import os
import pwd
import re
import shutil
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import packages_job  # noqa: E402
import tap  # noqa: E402
from packages_job import CONFIG, SCRATCH, as_its_unit, free_port, run, start_computations, text_of, until  # noqa: E402

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OLDER = "0.0.9"
IMAGES = ("cocos-image-base", "cocos-image-python")
NAMES = ("cocos-cli", "cocos-computations", "cocos-doc", *IMAGES, "cocos-manager", "libcocos-attestation-dev",
         "libcocos-attestation0")
KNOWN = "/var/lib/cocos/images"  # where the manager looks for images
# Of whoever installs anything: what apt and dpkg note, what is made of all packages' files, the users, which stay as
# those of all packages of Debian do; and of libvirt, which ran.
THEIRS = re.compile(r"/(var/(lib/(dpkg|apt|systemd/deb-systemd-(helper|user-helper)-\w+$)|cache|log)|etc/(passwd|group|"
                    r"shadow|gshadow)-?$|etc/\.pwd\.lock|etc/ld\.so\.cache|etc/subu?gid-?|usr/share/info/dir|"
                    r"run/(dbus|libvirt)|etc/libvirt/secrets$|var/lib/(dbus/machine-id$|libvirt/|swtpm-localca/))")
NOT_LOOKED_AT = ("/proc", "/sys", "/dev", "/tmp", "/root", "/old")


def apt(*words):
    """Whatever the packages need is in this system: nothing is fetched."""
    run("apt-get", "-y", "-q", "--no-install-recommends",
        "-o", "Dpkg::Options::=--force-confold", *words,
        env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))


def files():
    found = set()
    for top, folders, names in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(top, name) not in NOT_LOOKED_AT]
        found.update(path for path in (os.path.join(top, name) for name in folders + names)
                     if not THEIRS.match(path))
    return found


def older(deb, version, scratch):
    """The package of that version as it might have been before, in the folder `older` of scratch: another number, and other
    words in what is configured."""
    tree = os.path.join(scratch, "tree")
    run("dpkg-deb", "-R", deb, tree)
    control = os.path.join(tree, "DEBIAN/control")
    changed = re.sub(rf"(?m)^(Version: |Depends:.*\(= ){version}\b", rf"\g<1>{OLDER}", text_of(control))
    assert f"Version: {OLDER}" in changed
    with open(control, "w", encoding="utf-8") as file:
        file.write(changed)
    for config in glob.glob(os.path.join(tree, "etc/cocos/*")):
        with open(config, "a", encoding="utf-8") as file:
            file.write("# of before\n")
    for image in glob.glob(os.path.join(tree, "usr/lib/cocos/images/*/image.json")):
        with open(image, "a", encoding="utf-8") as file:  # its digest is the image's name
            file.write("\n")
    run("dpkg-deb", "-b", "-Znone", tree, os.path.join(scratch, "older"))
    shutil.rmtree(tree)


def mode_and_owner(path):
    at = os.stat(path)
    return oct(stat.S_IMODE(at.st_mode)), pwd.getpwuid(at.st_uid).pw_name


def packages_of_before_are_installed():
    os.mkdir(os.path.join(SCRATCH, "older"))
    for name in NAMES:
        older(DEBS[name], VERSION, SCRATCH)
    before.update(files())
    apt("install", *glob.glob(os.path.join(SCRATCH, "older/*.deb")))
    for name in NAMES:
        assert run("dpkg-query", "-W", "-f", "${Version} ${db:Status-Status}", name) == f"{OLDER} installed"


def users_folders_and_units_are_there():
    user = pwd.getpwnam("cocos-computations")
    assert user.pw_uid < 1000 and user.pw_shell.endswith("nologin"), user
    assert grp.getgrnam("cocos").gr_gid < 1000
    for path, wanted in (("/var/lib/cocos", ("0o711", "root")), ("/run/cocos", ("0o711", "root")),
                         ("/var/lib/cocos/computations", ("0o700", "cocos-computations")),
                         ("/run/cocos-computations", ("0o711", "cocos-computations"))):
        assert mode_and_owner(path) == wanted, (path, mode_and_owner(path))
    for name in ("cocos-computations", "cocos-manager"):
        assert os.path.islink(f"/etc/systemd/system/multi-user.target.wants/{name}.service")
    for name in ("computations.conf", "guests.nft", "manager.conf"):
        assert text_of("/etc/cocos/" + name).endswith("# of before\n")


def images_in_use():
    """{name: whether it is the default} of the links."""
    usual = os.readlink(KNOWN + "/default") if os.path.lexists(KNOWN + "/default") else None
    return {name: name == usual for name in sorted(os.listdir(KNOWN)) if name != "default"}


def an_image_is_known_as_long_as_its_package_is_there():
    assert images_in_use() == {"base": True, "python": False}
    checked = subprocess.run(["cocos-manager", "--check"], capture_output=True, text=True, check=False).stdout
    assert re.search(r"^image +ok +base [0-9a-f]{64}, every file as image.json says$", checked, re.M), checked
    apt("remove", "cocos-image-base")
    assert images_in_use() == {"python": True}
    apt("install", os.path.join(SCRATCH, "older", os.path.basename(DEBS["cocos-image-base"]).replace(VERSION, OLDER)))
    assert images_in_use() == {"base": False, "python": True}, "what is the default stays it"
    apt("remove", *IMAGES)
    assert images_in_use() == {} and os.listdir(KNOWN) == []
    checked = subprocess.run(["cocos-manager", "--check"], capture_output=True, text=True, check=False).stdout
    assert re.search(r"^image +failed .*\n +to do: install an image \(package cocos-image-base,", checked, re.M), checked
    os.mkdir(KNOWN + "/mine")  # an operator's own, and his word
    os.symlink("mine", KNOWN + "/default")
    apt("install", *glob.glob(os.path.join(SCRATCH, "older/cocos-image-*.deb")))
    assert images_in_use() == {"base": False, "mine": True, "python": False}
    os.rmdir(KNOWN + "/mine")
    os.unlink(KNOWN + "/default")
    os.symlink("python", KNOWN + "/default")


def the_main_job_by_what_is_installed():
    with open(CONFIG, "a", encoding="utf-8") as file:
        file.write("COMPUTATIONS_GRPC_PORT=0\n")
    done.append(packages_job.run_one(os.path.join(FOLDER, "cocos-agent")))


def start_manager(libvirt="test:///default"):
    """Over libvirt's driver of tests no machine is launched."""
    manager = as_its_unit("cocos-manager", {"MANAGER_LIBVIRT_URI": libvirt}.items())
    manager.wait_line("listening on unix:/run/cocos/manager.sock")
    return manager


def the_manager_serves_members_of_its_group():
    with open("/etc/cocos/manager.conf", "a", encoding="utf-8") as file:
        file.write("MANAGER_TEE=none\nMANAGER_FIRMWARE=SeaBIOS\n")
    with start_manager():
        ask = ["cocos-cli", "vm", "strays"]
        run(*ask)
        nobody = ["env", "HOME=/nonexistent", "setpriv", "--reuid", "65534", "--regid", "65534"]
        run(*nobody, "--groups", str(grp.getgrnam("cocos").gr_gid), *ask)
        refused = subprocess.run([*nobody, "--clear-groups", *ask], capture_output=True, text=True, check=False)
        assert refused.returncode != 0 and re.search(r"manager\.sock.*ermission denied", refused.stderr), refused
    kept["tag"] = text_of("/var/lib/cocos/tag")
    assert kept["tag"]


def the_library_is_found_by_pkg_config():
    flags = run("pkg-config", "--cflags", "--libs", "cocos-attestation").split()
    program = os.path.join(SCRATCH, "verify")
    run("gcc", "-o", program, "/usr/share/doc/cocos/examples/verify.c", *flags)
    assert "libcocos-attestation.so.0 => /" in run("ldd", program)


def libvirt(what):
    run("bash", "-c", f'. scripts/lib/libvirt.sh && libvirt_{what} {SCRATCH}/libvirt', cwd=PROJECT)


def rows_of_images():
    return {row["name"]: row for row in json.loads(run("cocos-cli", "image", "list", "--json"))}


def a_machine_is_launched_from_an_image_of_before():
    libvirt("up")
    kept["port"] = str(free_port())
    with start_manager("qemu:///system"):
        run("cocos-cli", "create-vm", "--server-url", "10.0.2.2:" + kept["port"], "--image", "python", "--name", "kept")
        kept["vm"] = shown_machine()
        assert kept["vm"]["image"] == rows_of_images()["python"]["image"], kept


def open_files(word):
    found = set()
    for link in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            target = os.readlink(link)
        except FileNotFoundError:
            continue
        if word in target:
            found.add(target)
    return found


def shown_machine():
    return json.loads(run("cocos-cli", "vm", "show", "kept", "--json"))


def a_machine_runs_on_while_its_image_is_renewed():
    assert open_files("/root.img") == {"/usr/lib/cocos/images/python/root.img (deleted)"}
    service, _ = start_computations(COMPUTATIONS_GRPC_PORT=kept["port"])
    with service, start_manager("qemu:///system"):
        # Until its host was looked at, a manager that has just begun says that a machine is lost.
        shown = until(lambda: (vm := shown_machine())["state"] == "running" and vm, "the machine, as it was")
        assert all(shown[key] == kept["vm"][key] for key in ("id", "image", "created")), (shown, kept)
        until(lambda: any(row["id"] == shown["id"] and row["connected"] for row in json.loads(
            run("cocos-cli", "cvm", "list", "--json"))), "the connection of the machine's agent")
        now = rows_of_images()["python"]
        assert now["image"] != shown["image"] and now["cvms"] == 0 and not now["problem"], now
        run("cocos-cli", "vm", "remove", "kept")
    libvirt("down")


def newer_ones_keep_registry_database_and_settings():
    apt("install", *DEBS.values())
    for name in NAMES:
        assert run("dpkg-query", "-W", "-f", "${Version} ${db:Status-Status}", name) == f"{VERSION} installed"
    assert text_of(CONFIG).endswith("# of before\nCOMPUTATIONS_GRPC_PORT=0\n")
    assert text_of("/etc/cocos/manager.conf").endswith("# of before\nMANAGER_TEE=none\nMANAGER_FIRMWARE=SeaBIOS\n")
    assert "# of before" not in text_of("/etc/cocos/guests.nft"), "what nobody changed is renewed"
    service, _ = start_computations()
    with service:
        shown = json.loads(run("cocos-cli", "computation", "show", done[0], "--json"))
        assert shown["state"] == "Completed", shown
    with start_manager("qemu:///system"):
        run("cocos-cli", "vm", "strays")
    assert text_of("/var/lib/cocos/tag") == kept["tag"]


def what_is_installed_is_what_was_packaged():
    """But for settings that were changed above."""
    checked = subprocess.run(["dpkg", "-V", *NAMES], capture_output=True, text=True, check=False)
    assert re.fullmatch(r"(\?\?5\?{6} c /etc/cocos/(computations|manager)\.conf\n){2}", checked.stdout), checked


def each_image_says_what_it_is_made_of():
    for name in IMAGES:
        with open(f"/usr/share/doc/{name}/image.spdx.json", encoding="utf-8") as file:
            sbom = json.load(file)
        parts = {part["SPDXID"]: part for part in sbom["packages"]}
        about, = [parts[row["relatedSpdxElement"]] for row in sbom["relationships"]
                  if row["relationshipType"] == "DESCRIBES"]
        with open(f"/usr/lib/cocos/images/{name.removeprefix('cocos-image-')}/image.json", "rb") as file:
            assert about["checksums"][0]["checksumValue"] == hashlib.sha256(file.read()).hexdigest()
        inside = {parts[row["relatedSpdxElement"]]["name"] for row in sbom["relationships"]
                  if row["relationshipType"] == "CONTAINS"}
        assert {"libc6", "libssl3t64", "ca-certificates"} <= inside, inside
        assert ("python3-numpy" in inside) == (name == "cocos-image-python"), inside
        texts = {each.removesuffix(".gz") for each in os.listdir(f"/usr/share/doc/{name}/licenses")}
        assert texts == inside, texts ^ inside


def what_is_removed_leaves_state_and_settings():
    apt("remove", *NAMES)
    for path in ("/usr/bin/cocos-manager", "/usr/lib/cocos/images", "/usr/share/doc/cocos"):
        assert not os.path.exists(path), path
    for path in ("/var/lib/cocos/registry.db", "/var/lib/cocos/computations", CONFIG, "/etc/cocos/guests.nft"):
        assert os.path.exists(path), path


def what_one_purges_is_not_the_others():
    apt("purge", "cocos-manager")
    assert os.listdir("/var/lib/cocos") == ["computations"]
    assert {name.split(".")[0] for name in os.listdir("/etc/cocos")} == {"computations"}, os.listdir("/etc/cocos")
    assert not os.path.exists("/run/cocos")


def what_is_purged_leaves_nothing():
    apt("purge", "cocos-computations")  # what has no configuration went when it was removed
    left = sorted(path for path in files() - before if not THEIRS.match(path))
    assert not left, left
    assert not before - files()


if __name__ == "__main__":
    FOLDER = os.path.abspath(sys.argv[1])
    DEBS = {os.path.basename(path).split("_")[0]: path for path in glob.glob(os.path.join(FOLDER, "*.deb"))}
    DEBS = {name: DEBS[name] for name in NAMES}
    VERSION = os.path.basename(DEBS["cocos-cli"]).split("_")[1]
    before, done, kept = set(), [], {}
    os.makedirs(SCRATCH)
    tap.run([packages_of_before_are_installed, users_folders_and_units_are_there,
             an_image_is_known_as_long_as_its_package_is_there, the_main_job_by_what_is_installed,
             the_manager_serves_members_of_its_group, the_library_is_found_by_pkg_config,
             a_machine_is_launched_from_an_image_of_before, newer_ones_keep_registry_database_and_settings,
             a_machine_runs_on_while_its_image_is_renewed, what_is_installed_is_what_was_packaged,
             each_image_says_what_it_is_made_of, what_is_removed_leaves_state_and_settings,
             what_one_purges_is_not_the_others, what_is_purged_leaves_nothing])
