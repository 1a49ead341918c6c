# SPDX-License-Identifier: Apache-2.0
"""Debian packages: installed in a fresh system of this release they do their work, are renewed, and leave
nothing (packages_inside.py), under a running systemd too (packages_systemd.py). They are built twice, in folders of
different names, and are the same bytes. All of it takes long; with --described, what packaging/debian says is compared
with the project, and nothing is built."""
import fnmatch
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

import tap
from harness import BUILD, ROOT, Folder, program, read

PLACES = ("packages", "packages-again")
sys.path.insert(0, os.path.join(ROOT, "guest"))
from recipe import sources  # noqa: E402
from recipe.flavours import FLAVOURS  # noqa: E402


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT, **more)
    assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def out(place):
    return os.path.join(BUILD, place)


def digests(place):
    return {os.path.basename(path): hashlib.sha256(read(path)).hexdigest()
            for path in glob.glob(out(place) + "/*.deb")}


def build(place, name):
    with Folder() as folder:
        os.makedirs(folder(name))
        run("scripts/package", "--image", "base", "--image", "python", "--out", out(place), env=dict(os.environ, TMPDIR=folder(name)))
    return digests(place)


def they_are_built_and_lintian_finds_no_error():
    names = {name.split("_")[0] for name in build(PLACES[0], "one")}
    assert {"cocos-cli", "cocos-computations", "cocos-doc", "cocos-image-base", "cocos-image-python",
            "cocos-manager", "libcocos-attestation-dev", "libcocos-attestation0"} <= names, names


def another_build_gives_the_same_bytes():
    first, second = digests(PLACES[0]), build(PLACES[1], "a/folder/of/another/length")
    assert first == second, set(first.items()) ^ set(second.items())


def build_dependencies_are_those_of_every_build():
    wanted = subprocess.run(["sh", "-c", ". scripts/lib/packages.sh; echo $packages_build"], check=True, text=True,
                            capture_output=True, cwd=ROOT).stdout.split()
    control = read(os.path.join(ROOT, "packaging/debian/control")).decode()
    field = re.search(r"^Build-Depends:(.*(?:\n .*)*)", control, re.M)[1]
    named = {each.split()[0] for each in field.split(",")} - {"debhelper-compat", "dh-sequence-installsysusers"}
    # Of each build of packages, and of meson.
    assert named == set(wanted) - {"gcc", "libc6-dev", "ninja-build"}, named ^ set(wanted)


def each_flavour_of_the_image_has_a_package():
    control = read(os.path.join(ROOT, "packaging/debian/control")).decode()
    named = re.findall(r"^Package: cocos-image-(\S+)\n(?:.+\n)*Build-Profiles: <pkg\.cocos\.image-(\S+)>$", control, re.M)
    wanted = sorted(name for name, flavour in FLAVOURS.items() if not flavour.get("simulated"))
    assert sorted(named) == [(name, name) for name in wanted], named
    for name in wanted:
        rows = read(os.path.join(ROOT, f"packaging/debian/cocos-image-{name}.install")).decode().splitlines()
        assert rows == [f"image/{name}/* usr/lib/cocos/images/{name}",
                        f"image-documents/{name}/* usr/share/doc/cocos-image-{name}"], rows


def version():
    return re.search(r"version: '([^']+)'", read(os.path.join(ROOT, "meson.build")).decode())[1]


def the_changelogs_version_is_the_project_s():
    changelog = read(os.path.join(ROOT, "packaging/debian/changelog")).decode()
    assert changelog.startswith(f"cocos ({version()}) "), changelog[:40]


def versions_are_the_project_s():
    assert {name.split("_")[1] for name in digests(PLACES[0])} == {version()}


def each_file_that_is_installed_is_of_one_package():
    """As dh_missing has it, and dh_install: none is forgotten, none is named that is not there. Packages have no
    cocos-wasm; a script installs what goes to /etc."""
    def asked(what):
        return json.loads(run("meson", "introspect", what, BUILD))
    prefix = next(each["value"] for each in asked("--buildoptions") if each["name"] == "prefix")
    there = {"usr" + place.removeprefix(prefix) for place in asked("--installed").values()} - {"usr/bin/cocos-wasm"}
    rows = [row.split()[0] for path in glob.glob(os.path.join(ROOT, "packaging/debian/*install*"))
            if not os.path.basename(path).startswith("cocos-image-")
            for row in read(path).decode().splitlines() if row and row[0] not in "#"]
    rows = [row for row in rows if not row.startswith("etc/")]
    assert len(there) > 20 and len(rows) > 20, (there, rows)
    of = {place: [row for row in rows if fnmatch.fnmatch(place, row) or fnmatch.fnmatch(place, row + "/*")] for place in there}
    assert all(len(found) == 1 for found in of.values()), {place: found for place, found in of.items() if len(found) != 1}
    unused = set(rows) - {row for found in of.values() for row in found}
    assert not unused, unused


def the_sbom_names_everything_that_ships_and_its_licence():
    path, = glob.glob(out(PLACES[0]) + "/*.spdx.json")
    sbom = json.loads(read(path))
    assert sbom["spdxVersion"] == "SPDX-2.3" and sbom["dataLicense"] == "CC0-1.0"
    parts = {part["SPDXID"]: part for part in sbom["packages"]}
    assert len(parts) == len(sbom["packages"]), "an id is there twice"
    licences = {one["licenseId"]: one for one in sbom["hasExtractedLicensingInfos"]}
    ours = {part["name"]: part["checksums"][0]["checksumValue"] for part in parts.values()
            if part["licenseDeclared"] == "Apache-2.0"}
    assert ours == {name.split("_")[0]: digest for name, digest in digests(PLACES[0]).items() if "dbgsym" not in name}
    ships = set()
    for row in sbom["relationships"]:
        assert {row["spdxElementId"], row["relatedSpdxElement"]} <= set(parts) | {"SPDXRef-DOCUMENT"}, row
        if row["relationshipType"] in ("CONTAINS", "DYNAMIC_LINK"):
            part = parts[row["relatedSpdxElement"]]
            assert len(licences[part["licenseDeclared"]]["extractedText"]) > 300, part
            ships.add((parts[row["spdxElementId"]]["name"], re.sub(r"[0-9.t-]+$", "", part["name"])))
    for one in ("libc", "libssl", "libnghttp", "libuv", "libyajl"):
        assert ("cocos-cli", one) in ships and ("cocos-image-base", one) in ships, (one, sorted(ships))
    for one in ("ca-certificates", "libseccomp", "zlib1g", "libc6-dev"):
        assert ("cocos-image-base", one) in ships, (one, sorted(ships))
    assert any(name.startswith("linux-modules") for _, name in ships), sorted(ships)


def in_a_fresh_system(groups, *command):
    place = os.path.relpath(out(PLACES[0]), ROOT)
    assert not place.startswith(".."), f"{BUILD} is not in the checkout"
    return subprocess.run(
        ["scripts/clean-root", "--release", sources.machine_codename(), *("--with=" + group for group in groups),
         f"--keep={place}=build/packages", *command], cwd=ROOT, capture_output=True, text=True, check=False)


def they_do_their_work_in_a_fresh_system():
    shutil.copy(program("cocos-agent"), out(PLACES[0]))
    done = in_a_fresh_system(("build", "run"), "/usr/bin/python3", "tests/integration/packages_inside.py", "build/packages")
    assert done.returncode == 0 and re.search(r"^ok 14 - ", done.stdout, re.M), done.stdout[-6000:] + done.stderr[-3000:]


def they_do_it_under_a_systemd_of_their_own():
    shutil.copy(program("cocos-agent"), out(PLACES[0]))
    done = subprocess.run([sys.executable, os.path.join(ROOT, "tests/integration/packages_systemd.py"), out(PLACES[0])],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and re.search(r"^ok 9 - ", done.stdout, re.M), done.stdout[-6000:] + done.stderr[-3000:]


def autopkgtest_runs_the_main_job():
    done = in_a_fresh_system(("build", "autopkgtest"), "sh", "-c", "cp -r packaging/debian debian && "
                             "autopkgtest --no-built-binaries build/packages/*.deb . -- null")
    assert done.returncode == 0 and re.search(r"^main-job +PASS$", done.stdout + done.stderr, re.M), (
        done.stdout[-6000:] + done.stderr[-3000:])


if __name__ == "__main__":
    described = [each_flavour_of_the_image_has_a_package, build_dependencies_are_those_of_every_build,
                 the_changelogs_version_is_the_project_s, each_file_that_is_installed_is_of_one_package]
    tap.run(described if sys.argv[1:] == ["--described"] else [
        they_are_built_and_lintian_finds_no_error, versions_are_the_project_s,
        the_sbom_names_everything_that_ships_and_its_licence, they_do_their_work_in_a_fresh_system,
        they_do_it_under_a_systemd_of_their_own, autopkgtest_runs_the_main_job, another_build_gives_the_same_bytes])
