# SPDX-License-Identifier: Apache-2.0
"""The verifier as a library, installed into a folder and found by pkg-config alone, as a stranger would have
it; and a genuine case to judge."""
import json
import os
import shutil
import subprocess

import tap
from harness import BUILD, ROOT, Folder, read

VECTORS = os.environ["COCOS_VECTORS"]
CASE = os.path.join(VECTORS, "snp", "milan-v3-oak-release")
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-pedantic"]


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


class Installed:
    """Everything that a stranger has: header, both forms of the library and .pc file below `prefix`."""

    def __init__(self):
        self.folder = Folder().__enter__()
        destination = self.folder("destination")
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--tags", "devel", "--destdir", destination)
        options = json.loads(run("meson", "introspect", "--buildoptions", BUILD))
        self.prefix = destination + next(o["value"] for o in options if o["name"] == "prefix")
        where, = [top for top, _, names in os.walk(destination) if "cocos-attestation.pc" in names]
        self.environment = dict(os.environ, PKG_CONFIG_PATH=where, PKG_CONFIG_SYSROOT_DIR="")
        self.libdir = os.path.dirname(where)
        self.shared = os.path.join(self.libdir, "libcocos-attestation.so.0")
        self.archive = self.variable("archive")
        self.header = os.path.join(self.variable("includedir"), "cocos", "attestation.h")
        # Away from the source tree, whose headers must not help.
        shutil.copy(os.path.join(ROOT, "examples", "verify.c"), self.folder("verify.c"))

    def pkg_config(self, *words):
        return run("pkg-config", *words, "--define-variable=prefix=" + self.prefix, "cocos-attestation",
                   env=self.environment).split()

    def variable(self, name):
        return self.pkg_config("--variable=" + name)[0]

    def link_flags(self, static):
        if not static:
            return self.pkg_config("--libs") + ["-Wl,-rpath," + self.libdir]
        needed = self.pkg_config("--print-requires-private")
        return [self.archive] + run("pkg-config", "--libs", *[n for n in needed if n[0].isalpha()]).split()

    def build(self, source, out, *more, static=False, compiler="cc"):
        run(compiler, *more, *WARNINGS, *self.pkg_config("--cflags"), source, *self.link_flags(static), "-o", out,
            cwd=self.folder.path)
        return self.folder(out)


INSTALLED = []


def installed():
    if not INSTALLED:
        INSTALLED.append(Installed())
    return INSTALLED[0]


def policy_of(report):
    """One that takes the report of CASE."""
    return json.dumps({"cocos": 1, "run": {"agent": "stock"},
                       "snp": {"measurements": [report[0x90:0xc0].hex()], "allow": ["smt"],
                               "host_data": [report[0xc0:0xe0].hex()], "allow_unchecked_alias": True}})


def chain_of():
    return b"".join(read(os.path.join(CASE, name)) for name in ("ask.pem", "ark.pem"))


def main(tests):
    """Runs the tests; skipped without the vectors, and in builds that install no library."""
    if not os.path.isdir(CASE):
        print("1..0 # SKIP no vectors")
        return
    if not os.path.exists(os.path.join(BUILD, "attestation", "library", "libcocos-attestation.so.0")):
        print("1..0 # SKIP a build with sanitizers installs no library")
        return
    try:
        tap.run(tests)
    finally:
        for one in INSTALLED:
            one.folder.__exit__()
