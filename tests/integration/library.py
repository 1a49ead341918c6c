# SPDX-License-Identifier: Apache-2.0
"""The verifier as a library: installed into a folder, found by pkg-config alone, used by the program in
examples/ over a genuine report. Skipped without the vectors."""
import json
import os
import shutil
import subprocess
import sys

import tap
from harness import BUILD, ROOT, Folder, read

CASE = os.path.join(os.environ["COCOS_VECTORS"], "snp", "milan-v3-oak-release")


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


class Installed:
    """Everything that a stranger has: headers, archive and .pc file below `prefix`."""

    def __init__(self):
        self.folder = Folder().__enter__()
        destination = self.folder("destination")
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--tags", "devel", "--destdir", destination)
        prefix = json.loads(run("meson", "introspect", "--buildoptions", BUILD))
        self.prefix = destination + next(o["value"] for o in prefix if o["name"] == "prefix")
        where, = [top for top, _, names in os.walk(destination) if "cocos-attestation.pc" in names]
        self.environment = dict(os.environ, PKG_CONFIG_PATH=where, PKG_CONFIG_SYSROOT_DIR="")
        self.flags = ["--define-variable=prefix=" + self.prefix, "cocos-attestation"]
        # Away from the source tree, whose headers must not help.
        shutil.copy(os.path.join(ROOT, "examples", "verify.c"), self.folder("verify.c"))
        self.program = self.folder("verify")

    def pkg_config(self, *words):
        return run("pkg-config", *words, *self.flags, env=self.environment).split()

    def build(self, *more, compiler="cc"):
        run(compiler, *more, "verify.c", *self.pkg_config("--cflags", "--libs"), "-o", "verify",
            cwd=self.folder.path)

    def files(self):
        case = json.loads(read(os.path.join(CASE, "expected.json")))
        report = read(os.path.join(CASE, "report.bin"))
        policy = {"cocos": 1, "run": {"agent": "stock"},
                  "snp": {"measurements": [report[0x90:0xc0].hex()], "allow": ["smt"],
                          "host_data": [report[0xc0:0xe0].hex()], "allow_unchecked_alias": True}}
        self.folder.write("chain.pem", b"".join(read(os.path.join(CASE, f)) for f in ("ask.pem", "ark.pem")))
        self.folder.write("policy.json", json.dumps(policy))
        return report, case["at"]

    def verdict(self, report, at, report_data=None, policy="policy.json"):
        data = report_data or report[0x50:0x90].hex()
        self.folder.write("report.bin", report)
        done = subprocess.run([self.program, self.folder("report.bin"), os.path.join(CASE, "vcek.der"),
                               self.folder("chain.pem"), self.folder(policy), data, at],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


INSTALLED = []


def the_example_builds_with_pkg_config_alone():
    INSTALLED.append(Installed())
    here = INSTALLED[0]
    here.build("-Wall", "-Wextra", "-Werror")
    assert os.access(here.program, os.X_OK)
    if shutil.which("clang"):
        here.build("-Wall", "-Wextra", "-Werror", compiler="clang")


def every_installed_header_stands_by_itself():
    here = INSTALLED[0]
    top = here.pkg_config("--variable=includedir")[0] + "/cocos"
    names = [os.path.relpath(os.path.join(folder, name), top)
             for folder, _, found in os.walk(top) for name in found]
    assert "attestation/verify/verify.h" in names, names
    here.folder.write("all.c", "".join(f"#include <{name}>\n#include <{name}>\n" for name in sorted(names)))
    for name in names:
        here.folder.write("one.c", f"#include <{name}>\n")
        run("cc", "-fsyntax-only", "-Wall", "-Werror", "one.c", *here.pkg_config("--cflags"), cwd=here.folder.path)
    run("cc", "-fsyntax-only", "-Wall", "-Werror", "all.c", *here.pkg_config("--cflags"), cwd=here.folder.path)


def a_genuine_report_is_verified():
    here = INSTALLED[0]
    report, at = here.files()
    status, text = here.verdict(report, at)
    assert status == 0 and "verified:" in text, text


def a_changed_one_is_refused():
    here = INSTALLED[0]
    report, at = here.files()
    for place in (0x90, 0x50, 0x188, 0x2a0, 0x1f0):
        changed = bytearray(report)
        changed[place] ^= 1
        status, text = here.verdict(bytes(changed), at, report_data=report[0x50:0x90].hex())
        assert status == 1 and "refused:" in text, (hex(place), text)
    status, text = here.verdict(report, at, report_data="00" * 64)
    assert status == 1 and "policy.report_data" in text, text
    status, text = here.verdict(report, "2049-01-01T00:00:00Z")
    assert status == 1 and "time." in text, text
    here.folder.write("other.json", json.dumps({"cocos": 1, "snp": {"measurements": ["00" * 48], "allow": ["smt"]}}))
    status, text = here.verdict(report, at, policy="other.json")
    assert status == 1 and "policy.measurement" in text, text


def what_cannot_be_read_is_no_verdict():
    here = INSTALLED[0]
    report, at = here.files()
    here.folder.write("bad.json", "{}x")
    assert here.verdict(report, at, policy="bad.json")[0] == 2
    assert here.verdict(report, at, report_data="00")[0] == 2
    assert here.verdict(report, "yesterday")[0] == 2
    assert subprocess.run([here.program], capture_output=True, check=False).returncode == 2


if __name__ == "__main__":
    if not os.path.isdir(CASE):
        print("1..0 # SKIP no vectors")
        sys.exit(0)
    try:
        tap.run([the_example_builds_with_pkg_config_alone, every_installed_header_stands_by_itself,
                 a_genuine_report_is_verified, a_changed_one_is_refused, what_cannot_be_read_is_no_verdict])
    finally:
        for one in INSTALLED:
            one.folder.__exit__()
