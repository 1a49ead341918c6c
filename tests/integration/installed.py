# SPDX-License-Identifier: Apache-2.0
"""What 'meson install' puts where, and that it fits together: programs, units, users, configuration,
pages and completions. Packages are made of the same (packaging/debian)."""
import json
import os
import re
import stat
import subprocess

import tap
import units
from harness import BUILD, ROOT, Computations, Folder, program, read

DAEMONS = ("cocos-computations", "cocos-manager")
HARDENING = 20  # tenths; systemd's scale ends at 10.0


def option(name):
    options = json.loads(subprocess.run(["meson", "introspect", "--buildoptions", BUILD], check=True,
                                        capture_output=True, text=True).stdout)
    return next(each["value"] for each in options if each["name"] == name)


class Installed:
    def __init__(self, folder):
        self.root, self.prefix = folder("root"), option("prefix")
        self.install()

    def install(self):
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", self.root],
                       check=True, stdout=subprocess.DEVNULL)

    def path(self, *names):
        return os.path.join(self.root + self.prefix, *names)

    def config(self, name):
        return os.path.join(self.root + os.path.join(self.prefix, option("sysconfdir")), "cocos", name)

    def text(self, *names):
        return read(self.path(*names)).decode()


def everything_is_there():
    wanted = ["bin/cocos-agent", "bin/cocos-cli", "share/man/man1/cocos-cli.1", "share/man/man8/cocos-agent.8",
              "lib/systemd/system/nftables.service.d/cocos-guests.conf", "share/doc/cocos/README.md",
              "share/doc/cocos/LICENSE", "share/doc/cocos/CHANGELOG.md"]
    for name in DAEMONS:
        wanted += [f"bin/{name}", f"share/man/man8/{name}.8", f"lib/systemd/system/{name}.service",
                   f"lib/sysusers.d/{name}.conf", f"lib/tmpfiles.d/{name}.conf"]
    for name in ("docs", "examples"):
        wanted += [os.path.join("share/doc/cocos", os.path.relpath(os.path.join(top, file), ROOT))
                   for top, _, files in os.walk(os.path.join(ROOT, name)) for file in files if not file.endswith(".pyc")]
    missing = [name for name in wanted if not os.path.isfile(here.path(name))]
    assert not missing, missing
    for name in ("computations.conf", "manager.conf", "guests.nft"):
        mode = stat.S_IMODE(os.stat(here.config(name)).st_mode)
        assert mode == 0o644, (name, oct(mode))


def shells_are_given_what_the_program_says():
    for shell, name in (("bash", "bash-completion/completions/cocos-cli"),
                        ("zsh", "zsh/site-functions/_cocos-cli"),
                        ("fish", "fish/vendor_completions.d/cocos-cli.fish")):
        said = subprocess.run([program("cocos-cli"), "completion", shell], check=True, capture_output=True,
                              text=True).stdout
        assert len(said) > 200 and here.text("share", name) == said, shell


def what_an_operator_changed_stays():
    with open(here.config("manager.conf"), "a", encoding="utf-8") as file:
        file.write("MANAGER_TEE=none\n")
    os.unlink(here.config("computations.conf"))
    here.install()
    assert read(here.config("manager.conf")).endswith(b"\nMANAGER_TEE=none\n")
    assert os.path.exists(here.config("computations.conf"))


def the_configuration_files_are_taken_as_they_are_and_with_every_default():
    text = read(here.config("computations.conf")).decode()
    for settings in (text, re.sub(r"^#(COMPUTATIONS_\w+=.)", r"\1", text, flags=re.M)):
        with Folder() as folder:
            # Of a setting that is there twice, the daemon takes neither.
            service = Computations(folder)
            own = "|".join(service.settings)
            service.settings = {"# of this test": "", **service.settings}
            text_of_all = re.sub(rf"^({own})=.*\n", "", settings, flags=re.M)
            write = folder.write
            folder.write = lambda name, added: write(name, text_of_all + added)
            with service:
                assert service.process.process.poll() is None


def unit_of(name):
    return units.parse(here.text("lib/systemd/system", name + ".service"))


def units_start_what_is_installed_as_users_that_are_made():
    for name in DAEMONS:
        unit = unit_of(name)
        assert unit["ExecStart"] == [f"/usr/bin/{name}"], unit
        made = set(re.findall(r"^([ug]) (\S+)", here.text("lib/sysusers.d", name + ".conf"), re.M))
        assert {("u", user) for user in unit.get("User", [])} <= made, made
        assert {("g", group) for group in unit.get("SupplementaryGroups", [])} <= made, made
        assert ("g", "cocos") in made, made


def folders_are_those_of_the_units():
    for name in DAEMONS:
        unit, rows = unit_of(name), set()
        user = unit.get("User", ["root"])[0]
        for key, top in (("RuntimeDirectory", "/run"), ("StateDirectory", "/var/lib")):
            rows.add(f"d {top}/{unit[key][0]} {unit[key + 'Mode'][0]} {user} {user} -")
        found = {line for line in here.text("lib/tmpfiles.d", name + ".conf").splitlines()
                 if line.startswith("d ")}
        assert found - {"d /var/lib/cocos 0711 root root -"} <= rows <= found, (rows, found)


def units_are_hardened_and_understood():
    for name in DAEMONS:
        path = here.path("lib/systemd/system", name + ".service")
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                               f"--threshold={HARDENING}", path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-200:] + done.stderr
        assert re.search(rf"exposure level for {name}.service: [0-2]\.\d ", done.stdout), done.stdout[-200:]
        said = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True, text=True,
                              check=False).stderr
        strange = [line for line in said.splitlines() if path in line or "nknown" in line]
        assert not strange, strange


if __name__ == "__main__":
    with Folder() as scratch:
        here = Installed(scratch)
        tap.run([everything_is_there, shells_are_given_what_the_program_says, what_an_operator_changed_stays,
                 the_configuration_files_are_taken_as_they_are_and_with_every_default,
                 units_start_what_is_installed_as_users_that_are_made, folders_are_those_of_the_units,
                 units_are_hardened_and_understood])
