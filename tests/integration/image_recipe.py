# SPDX-License-Identifier: Apache-2.0
"""The recipe of the guest image without building one: sources, locks, archives.

Argument: the project's folder.
"""
import json
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path[:0] = [os.path.dirname(os.path.realpath(__file__)), os.path.join(sys.argv[1], "guest"),
                os.path.join(sys.argv[1], "scripts/lib")]
import image_parts  # noqa: E402
import tap  # noqa: E402
from recipe import cpio, flavours, image, kernel, libraries, linux, packages, sources, tree  # noqa: E402
from recipe.fail import Failure  # noqa: E402

DEB822 = """\
# a mirror
Types: deb deb-src
URIs: http://mirror.example/debian http://other.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components:
 main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://src.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://vendor.example/debian
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/vendor.gpg
"""
ONE_LINE = """\
# deb http://comment.example/debian bookworm main
deb http://mirror.example/debian bookworm main contrib # the usual
deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \
http://mirror.example/debian-security bookworm-security main
deb http://mirror.example/debian bookworm-updates main
deb-src http://mirror.example/debian bookworm main
deb [signed-by=/etc/apt/keyrings/vendor.asc] http://vendor.example/debian bookworm main
deb http://vendor.example/debian bookworm stable
deb http://vendor.example/debian bookworm-pgdg main
"""
DERIVED = [("http://mirror.example/debian", "trixie"),
           ("http://mirror.example/debian", "trixie-backports")]


def refused(function, *arguments, says):
    try:
        function(*arguments)
    except Failure as failure:
        assert says in str(failure), failure
        return
    raise AssertionError(f"not refused: {says}")


def both_formats_of_sources_are_read():
    derived = sources.derive(sources.parse_one_line(ONE_LINE), "bookworm", "trixie")
    assert set(derived) == {*DERIVED, ("http://mirror.example/debian-security", "trixie-security"),
                            ("http://mirror.example/debian", "trixie-updates")}, derived
    derived = sources.derive(sources.parse_deb822(DEB822), "bookworm", "trixie")
    assert set(DERIVED) < set(derived), derived
    assert ("http://other.example/debian", "trixie-updates") in derived, derived
    assert ("http://mirror.example/debian-security", "trixie-security") in derived, derived
    for host in ("off", "src", "vendor"):
        assert not any(host + ".example" in uri for uri, _ in derived), derived


def the_release_itself_is_derived_from_its_own_sources():
    text = ONE_LINE.replace("bookworm", "trixie")
    derived = sources.derive(sources.parse_one_line(text), "trixie", "trixie")
    assert set(DERIVED) < set(derived), derived


def a_machine_that_is_not_debian_is_refused():
    refused(sources.derive, sources.parse_one_line("deb http://x.example/ubuntu noble main"),
            "noble-x", "trixie", says="add one")
    with tempfile.NamedTemporaryFile("w") as file:
        file.write('ID=other\n')
        file.flush()
        refused(sources.machine_codename, file.name, says="names no release")


def a_production_image_holds_no_simulator():
    """Neither a file of that name nor its name in another; the real trees go through the same."""
    for name, content in (("usr/bin/cocos-teesim", b""), ("usr/bin/cocos-agent", b"a teesim b")):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "usr/bin"))
            tree.check_real(folder)
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)
            refused(tree.check_real, folder, says="simulator")
    for name, flavour in flavours.FLAVOURS.items():
        assert flavour.get("simulated", False) == name.endswith("-simulated"), name


def the_same_tree_gives_the_same_archive():
    """Whatever the order of making, the dates, the owner's mask and the links."""
    archives = []
    for names in (["a", "b/c", "b/d"], ["b/d", "b/c", "a"]):
        with tempfile.TemporaryDirectory() as folder:
            tree = os.path.join(folder, "tree")
            for name in names:
                path = os.path.join(tree, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(name * 3)
                os.chmod(path, 0o700 if name == "a" else (0o600 if names[0] == "a" else 0o664))
                os.utime(path, (len(archives), 5))
            os.symlink("../a", os.path.join(tree, "b/link"))
            cpio.write(tree, os.path.join(folder, "out"))
            with open(os.path.join(folder, "out"), "rb") as file:
                archives.append(file.read())
    assert archives[0] == archives[1]
    assert archives[0].startswith(b"070701") and len(archives[0]) % 512 == 0
    assert b"TRAILER!!!" in archives[0]


def modules_come_behind_what_they_depend_on():
    with tempfile.TemporaryDirectory() as folder:
        base = os.path.join(folder, "usr/lib/modules/1-x/kernel/drivers")
        os.makedirs(base)
        for name, depends in (("a", "b,c-d"), ("b", ""), ("c_d", "b"), ("t", "b,e"), ("e", "")):
            with open(os.path.join(base, name + ".ko"), "wb") as file:
                file.write(b"\0license=GPL\0depends=" + depends.encode() + b"\0name=x\0")
        modules = kernel.Modules(folder)
        assert modules.order({"t": True, "a": False}) == [
            ("b", False), ("e", True), ("t", True), ("c_d", False), ("a", False)], \
            modules.order({"t": True, "a": False})
        refused(modules.order, {"missing": False}, says="missing")


def a_library_that_only_a_link_leads_to_is_taken():
    """As torch's packages have them: opened by the link's name, so that no program says that it is needed."""
    with tempfile.TemporaryDirectory() as folder:
        packed, made = (os.path.join(folder, name) for name in ("packed", "made"))
        there = "usr/lib/x86_64-linux-gnu"
        os.makedirs(os.path.join(packed, there))
        with open(os.path.join(packed, there, "libq.so.2.6"), "w", encoding="ascii") as file:
            file.write("q")
        os.makedirs(os.path.join(made, "usr/lib/q"))
        os.symlink("../x86_64-linux-gnu/libq.so.2.6", os.path.join(made, "usr/lib/q/libq.so"))
        os.symlink("../x86_64-linux-gnu/include", os.path.join(made, "usr/lib/q/include"))
        needs, libraries.needs = libraries.needs, lambda *_: set()
        try:
            libraries.closure(None, [packed], made)
            with open(os.path.join(made, "usr/lib/q/libq.so"), encoding="ascii") as file:
                assert file.read() == "q"
            assert os.listdir(os.path.join(made, there)) == ["libq.so.2.6"]
            os.symlink("../x86_64-linux-gnu/libz.so", os.path.join(made, "usr/lib/q/libz.so"))
            refused(libraries.closure, None, [packed], made, says="libz.so is in none of the packages")
        finally:
            libraries.needs = needs


def a_list_for_something_else_is_no_lock():
    flavour = flavours.FLAVOURS["base"]
    entries = {name: [{"name": n} for n in flavour["packages"] + flavour["alone"] + flavours.TOOLS + linux.TOOLS]
               for name in image.sets_of("own")}
    stock = {name: entries[name] for name in image.sets_of("stock")}
    record = {"version": image.FORMAT, "flavour": "base", "packages": entries}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "image.json")

        def lock(changed, kind="stock", boot_from="disk"):
            with open(path, "w", encoding="utf-8") as file:
                json.dump({**record, **changed}, file)
            return image.locked(path, "base", flavour, kind, boot_from)

        assert lock({}) == stock and lock({"own_kernel": {}}, "own") == entries
        refused(lock, {}, "own", says="with the kernel 'own'")
        refused(lock, {"own_kernel": {}}, says="with the kernel 'stock'")
        refused(lock, {"own_kernel": {}, "reach": True}, "own", says="with the kernel 'own'")
        bare = {**entries, "kernel_tools": [each for each in entries["tools"] if each["name"] != "bison"]}
        refused(lock, {"own_kernel": {}, "packages": bare}, "own", says="kernel_tools lacks bison")
        refused(lock, {"flavour": "python"}, says="no list for")
        assert lock({"shares": []}, boot_from="shares") == stock
        refused(lock, {"shares": []}, says="boots from 'disk'")
        refused(lock, {}, "stock", "shares", says="boots from 'shares'")
        refused(lock, {"version": 2}, says="no list for")
        short = {**entries, "tools": [each for each in entries["tools"] if each["name"] != "erofs-utils"]}
        refused(lock, {"packages": short}, says="tools lacks erofs-utils")


def a_package_that_is_not_the_listed_one_is_refused():
    class Shelf:
        """Apt, with one file that it gives for everything."""

        def __init__(self, folder):
            self.folder = folder

        def path(self, package):
            return os.path.join(self.folder, package.name)

        def fetch(self, wanted):
            for package in wanted:
                with open(self.path(package), "wb") as file:
                    file.write(b"content")

    with tempfile.TemporaryDirectory() as folder:
        good = {"name": "p", "version": "1", "architecture": "all", "size": 7, "sha256":
                "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"}
        assert packages.get(Shelf(folder), [good]) == [os.path.join(folder, "p")]
        with open(os.path.join(folder, "p"), "wb") as file:
            file.write(b"changed")
        assert packages.get(Shelf(folder), [good]) == [os.path.join(folder, "p")]
        with open(os.path.join(folder, "p"), "rb") as file:
            assert file.read() == b"content"
        refused(packages.get, Shelf(folder), [{**good, "sha256": "0" * 64}],
                says="is not the one listed")


def images_say_what_init_and_managers_know_of_the_boot_disk():
    """The recipe has the form's version, serial number and size once more than the headers."""
    text = ""
    for name in ("bootconfig.h", "bootdisk.h"):
        with open(os.path.join(sys.argv[1], "common/manifest", name), encoding="utf-8") as file:
            text += file.read()
    said = flavours.BOOT_FROM["disk"]["record"]["boot_disk"]
    assert re.search(r'BOOTDISK_SERIAL "([^"]+)"', text)[1] == said["serial"]
    assert int(re.search(r"BOOTDISK_VERSION = (\d+),", text)[1]) == said["version"]
    largest = int(re.search(r"BOOTCONFIG_FILE_MAX = (\d+) ", text)[1])
    assert "BOOTDISK_SIZE = BOOTCONFIG_FILES * BOOTCONFIG_FILE_MAX + 4096," in text
    assert said["size"] == 4 * largest + 4096
    with open(os.path.join(sys.argv[1], "guest/init.c"), encoding="utf-8") as file:
        assert f'SHARES_FILE "/{flavours.BOOT_FROM["shares"]["file"]}"' in file.read()


def the_command_line_is_the_table_of_init():
    words = image.cmdline_words(sys.argv[1])
    assert [word for word, use in words if use == "ALWAYS"][:1] == ["console=ttyS0"], words
    assert {use for _, use in words} == {"ALWAYS", "LAUNCHER", "FIRMWARE"}, words
    with open(os.path.join(sys.argv[1], "guest/cmdline.c"), encoding="utf-8") as file:
        assert file.read().count(", CMDLINE_") == len(words)
    with open(os.path.join(sys.argv[1], "docs/guest-image.md"), encoding="utf-8") as file:
        documented = file.read()
    for word, _ in words:
        assert f"| `{word}` |" in documented, f"docs/guest-image.md does not explain '{word}'"


def an_image_counts_only_with_the_agent_that_was_asked_for():
    with tempfile.TemporaryDirectory() as folder:
        def put(name, content):
            path = os.path.join(folder, name)
            with open(path, "wb") as file:
                file.write(content)
            return {"file": name, "sha256": packages.sha256_of(path)}

        probe, other = (os.path.join(folder, put(name, name.encode())["file"]) for name in "ab")
        record = {"version": image.FORMAT, "flavour": "base", "kernel": put("vmlinuz", b"k"),
                  "initrd": put("initrd.img", b"i"), "source": image.build.source_digest(
                      sys.argv[1], image.build.sources_of(flavours.FLAVOURS["base"]))}

        def current(agent, kind="stock", boot_from="disk", **change):
            put("image.json", json.dumps({**record, **change}).encode())
            return image.is_current(sys.argv[1], "base", folder, agent, kind, boot_from)

        given = packages.sha256_of(probe)
        assert current(None) and current(probe, agent_given=given)
        assert not current(None, agent_given=given) and not current(None, agent_given=True)
        assert not current(other, agent_given=given) and not current(probe)
        assert not current(None, "own") and current(None, "own", own_kernel={})
        assert not current(None, own_kernel={})
        assert current(None, "ready") and current(None, "ready", own_kernel={})
        assert current(None, "reach", own_kernel={}, reach=True) and not current(None, "reach", own_kernel={})
        assert not current(None, "own", own_kernel={}, reach=True) and not current(None, "ready", own_kernel={}, reach=True)
        assert not current(None, boot_from="shares") and not current(None, shares=[])
        assert current(None, boot_from="shares", shares=[])
        assert not current(None, source="0") and not current(None, flavour="python")
        put("initrd.img", b"I")
        assert not current(None)


NEEDED = ("LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY", "INIT_ON_ALLOC_DEFAULT_ON", "HARDENED_USERCOPY",
          "SLAB_FREELIST_HARDENED", "STACKPROTECTOR_STRONG", "RANDOMIZE_BASE", "STRICT_KERNEL_RWX", "VMAP_STACK",
          "CPU_MITIGATIONS", "AMD_MEM_ENCRYPT", "SEV_GUEST", "INTEL_TDX_GUEST", "TDX_GUEST_DRIVER", "TSM_REPORTS",
          "TSM_MEASUREMENTS", "DM_VERITY", "IMA", "SECCOMP_FILTER", "SECURITY_LANDLOCK", "SECURITY_PERF_EVENTS_RESTRICT")


def the_kernel_has_what_it_must_and_asks_for_nothing_forbidden():
    """Its whole configuration is compared where it is built, with the same function."""
    for fragments in ((), ("shares",), ("simulated",), ("shares", "simulated")):
        asked, forbidden = linux.wanted(sys.argv[1], fragments), linux.not_wanted(sys.argv[1], fragments)
        lines = [line for line in asked.splitlines() if line and not line.startswith("#")]
        assert all(re.fullmatch(r'CONFIG_\w+=(y|-?\d+|"[^"]*")', line) for line in lines), lines
        names = [line.split("=")[0] for line in lines]
        assert len(names) == len(set(names)), "an option stands there twice"
        assert len(forbidden) == len(set(forbidden)), "an option is forbidden twice"
        linux.check(asked, forbidden, asked)
        assert all(linux.options(asked).get(name) == "y" for name in NEEDED), NEEDED


def what_one_image_needs_is_in_no_other_ones_kernel():
    base, forbidden = linux.wanted(sys.argv[1]), linux.not_wanted(sys.argv[1])
    for fragment, driver in (("shares", "9P_FS"), ("simulated", "FUSE_FS"), ("reach", "DEBUG_INFO_DWARF5")):
        asked = linux.wanted(sys.argv[1], [fragment])
        refused(linux.check, base, forbidden, asked + base, says="must be off")
        assert driver in forbidden and driver not in linux.not_wanted(sys.argv[1], [fragment])
        assert linux.options(asked)[driver] == "y"


def a_kernel_for_developers_has_all_but_what_hides_where_it_lies():
    """The last line of an option counts, and the others of the configuration stand."""
    base, reach = (linux.options(linux.wanted(sys.argv[1], fragments)) for fragments in ((), ("reach",)))
    assert set(base) - set(reach) == {"RANDOMIZE_BASE", "RANDOMIZE_MEMORY"}, set(base) - set(reach)
    assert all(reach[name] == value for name, value in base.items() if name in reach)
    assert linux.options("CONFIG_A=y\n# CONFIG_A is not set\nCONFIG_B=y\n# CONFIG_C is not set\n") == {"B": "y"}
    assert linux.options("# CONFIG_A is not set\nCONFIG_A=y\n#CONFIG_B=y\n") == {"A": "y"}


def an_image_for_developers_is_not_packaged():
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "image.json"), "w", encoding="utf-8") as file:
            json.dump({"reach": True, "packages": {}}, file)
        refused(image_parts.Parts, folder, folder, says="not packaged")


def an_image_has_the_kernel_of_its_kind():
    def fragments(flavour, boot_from, kind="own"):
        return image.Build(sys.argv[1], flavour, None, None, boot_from=boot_from, kind=kind).fragments

    assert fragments("base", "disk", "reach") == ["reach"]
    assert fragments("base", "disk") == [] and fragments("python", "shares") == ["shares"]
    assert fragments("base-simulated", "disk") == ["simulated"]
    assert fragments("wasm-simulated", "shares") == ["shares", "simulated"]


def a_kernel_that_is_ready_is_one_of_todays_packages():
    """What `--kernel ready` chooses: our own only if the cache has it, made of the same packages and files."""
    entries = {name: [{"sha256": name}] for name in ("kernel", "kernel_tools")}
    asked, image.kernel_packages = image.kernel_packages, lambda apt, kind: entries if kind == "own" else {}
    try:
        with tempfile.TemporaryDirectory() as cache:
            build = image.Build(sys.argv[1], "base", None, cache, kind="ready")
            other = image.Build(sys.argv[1], "base-simulated", None, cache, kind="ready")
            assert build._ready(None) == "stock"
            roots = {name: build._root_folder(each) for name, each in entries.items()}
            os.makedirs(linux.folder(sys.argv[1], roots, cache))
            assert build._ready(None) == "own" and other._ready(None) == "stock"
            entries["kernel"] = [{"sha256": "newer"}]
            assert build._ready(None) == "stock"
    finally:
        image.kernel_packages = asked


def a_kernel_that_came_out_otherwise_is_refused():
    asked, forbidden = 'CONFIG_A=y\nCONFIG_B="x"\n', linux.not_wanted(sys.argv[1])
    linux.check(asked, forbidden, asked + "CONFIG_C=y\n# CONFIG_MODULES is not set\n")
    refused(linux.check, asked, [], "CONFIG_A=y\n# CONFIG_B is not set\n", says='CONFIG_B should be "x" and is off')
    refused(linux.check, asked, [], 'CONFIG_A=m\nCONFIG_B="x"\n', says="CONFIG_A should be y and is m")
    assert {"MODULES", "EFI_PARTITION", "HW_RANDOM", "9P_FS", "FW_CFG_SYSFS"} <= set(forbidden)
    for name in forbidden:
        refused(linux.check, asked, forbidden, asked + f"CONFIG_{name}=y\n", says=f"CONFIG_{name} must be off")


def each_patch_says_its_licence_and_why():
    """Their words come before the change, and every file of theirs is in the digest of the image."""
    project = sys.argv[1]
    names = [name for name in linux.files(project) if name.endswith(".patch")]
    assert names == sorted(names) and len(names) >= 4, names
    assert set(linux.digests(project)) == {*names, "config", "dsdt.asl"}
    assert set(linux.digests(project, ["simulated"])) == {*names, "config", "config-simulated", "dsdt.asl"}
    for name in names:
        with open(os.path.join(project, linux.FOLDER, name), encoding="utf-8") as file:
            licence, empty, title, _, *rest = file.read().split("\n")
        assert licence == "SPDX-License-Identifier: GPL-2.0-only" and not empty and title, name
        why, change = "\n".join(rest).split("\n--- a/", 1)
        assert len(why) > 100 and re.match(r"\S+\n\+\+\+ b/\S+\n@@ ", change), name


tap.run([
    both_formats_of_sources_are_read,
    the_release_itself_is_derived_from_its_own_sources,
    a_machine_that_is_not_debian_is_refused,
    a_production_image_holds_no_simulator,
    the_same_tree_gives_the_same_archive,
    modules_come_behind_what_they_depend_on,
    a_library_that_only_a_link_leads_to_is_taken,
    a_list_for_something_else_is_no_lock,
    a_package_that_is_not_the_listed_one_is_refused,
    images_say_what_init_and_managers_know_of_the_boot_disk,
    the_command_line_is_the_table_of_init,
    an_image_counts_only_with_the_agent_that_was_asked_for,
    the_kernel_has_what_it_must_and_asks_for_nothing_forbidden,
    what_one_image_needs_is_in_no_other_ones_kernel,
    a_kernel_for_developers_has_all_but_what_hides_where_it_lies,
    an_image_for_developers_is_not_packaged,
    an_image_has_the_kernel_of_its_kind,
    a_kernel_that_is_ready_is_one_of_todays_packages,
    a_kernel_that_came_out_otherwise_is_refused,
    each_patch_says_its_licence_and_why,
])
