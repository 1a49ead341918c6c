# SPDX-License-Identifier: Apache-2.0
"""The project's own programs, built with the release's compiler and libraries."""
import hashlib
import os
import shutil

from . import buildroot

# What the image's programs are built from; also what image.json's `source` is the digest of.
SOURCES = ("meson.build", "meson_options.txt", "proto", "common", "attestation", "agent", "guest",
           "scripts/build-image")
SIMULATED_SOURCES = ("tests/forge", "tests/teesim")
OPTIONS = ("-Dimage=true", "-Dtests=false", "-Doptimization=2", "-Ddebug=false",
           "--wrap-mode=nodownload")
SIMULATED_OPTIONS = OPTIONS + ("-Dteesim=true",)


def source_files(project, sources=SOURCES):
    """Every file of the sources, relative, in an order of its own."""
    found = []
    for name in sources:
        path = os.path.join(project, name)
        if os.path.isfile(path):
            found.append(name)
        for folder, folders, files in os.walk(path):
            folders[:] = [f for f in folders if f != "__pycache__"]
            found += [os.path.relpath(os.path.join(folder, f), project) for f in files]
    return sorted(found)


def sources_of(flavour):
    return SOURCES + (SIMULATED_SOURCES if flavour.get("simulated") else ())


def source_digest(project, sources=SOURCES):
    digest = hashlib.sha256()
    for name in source_files(project, sources):
        with open(os.path.join(project, name), "rb") as file:
            content = hashlib.sha256(file.read()).hexdigest()
        digest.update(f"{content}  {name}\n".encode())
    return digest.hexdigest()


def programs(tools, project, out, names, sources=SOURCES, options=OPTIONS):
    """Builds `names` and puts them, stripped, into the new folder `out`. The sources lie at /src and
    the build at /build, whoever builds, so that no path of the machine gets in."""
    os.makedirs(os.path.join(out, "src"))
    for name in source_files(project, sources):
        target = os.path.join(out, "src", name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(os.path.join(project, name), target)
    os.makedirs(os.path.join(out, "build"))
    binds = [(os.path.join(out, "src"), "/src"), (os.path.join(out, "build"), "/build")]
    buildroot.run(tools, ["env", "CC=gcc", "meson", "setup", *options, "/build/build", "/src"],
                  binds)
    buildroot.run(tools, ["ninja", "-C", "/build/build", *names], binds)
    for name in names:
        plain = os.path.basename(name)
        buildroot.run(tools, ["strip", "-s", "-o", "/build/" + plain, "/build/build/" + name], binds)
        os.rename(os.path.join(out, "build", plain), os.path.join(out, plain))
    buildroot.remove(os.path.join(out, "build"))
    buildroot.remove(os.path.join(out, "src"))
