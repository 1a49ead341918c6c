# SPDX-License-Identifier: Apache-2.0
"""Packages of a release: found, locked to a list, fetched and checked."""
import collections
import fcntl
import hashlib
import os
import re
import subprocess

from . import sources
from .fail import Failure

Package = collections.namedtuple("Package", "name version architecture")


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def deb_name(package):
    version = package.version.replace(":", "%3a")
    return f"{package.name}_{version}_{package.architecture}.deb"


class Apt:
    """apt-get with a configuration of its own: nothing of the machine's state, only its sources,
    proxies and credentials."""

    def __init__(self, folder, release):
        self.folder, self.release = folder, release
        for name in ("etc", "state/lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        self._write("status", "")
        derived = sources.derive(sources.machine_entries(), sources.machine_codename(), release)
        self._write("etc/derived.sources", "\n".join(
            f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\n"
            f"Signed-By: {sources.keyring()}\n" for uri, suite in derived))
        self._write("apt.conf", self._config())
        self.updated = False

    def _write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def _config(self):
        dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True)
        kept = [line for line in dump.stdout.splitlines() if re.match(
            r"Acquire::(https?::|Retries|Check-Valid-Until|Check-Date|Max-ValidTime|ForceIP)",
            line)]
        own = {
            "Dir::Etc": f"{self.folder}/etc", "Dir::Etc::main": "/dev/null",
            "Dir::Etc::parts": "/dev/null", "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": f"{self.folder}/etc",
            "Dir::Etc::preferences": "/dev/null", "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::Etc::trusted": "/dev/null", "Dir::Etc::trustedparts": "/dev/null",
            "Dir::Etc::netrc": "/etc/apt/auth.conf",
            "Dir::Etc::netrcparts": "/etc/apt/auth.conf.d",
            "Dir::State": f"{self.folder}/state", "Dir::State::status": f"{self.folder}/status",
            "Dir::Cache": f"{self.folder}/cache",
            "APT::Architecture": "amd64", "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "", "Acquire::Languages": "none",
            "Acquire::AllowInsecureRepositories": "false",
        }
        return "\n".join(kept + [f'{key} "{value}";' for key, value in own.items()] +
                         ['#clear APT::Architectures;', 'APT::Architectures { "amd64"; };', ""])

    def run(self, *command):
        env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8",
               "APT_CONFIG": os.path.join(self.folder, "apt.conf")}
        # One at a time: apt does not wait for another one's lock of the lists.
        with open(os.path.join(self.folder, "turn"), "w", encoding="utf-8") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            done = subprocess.run(command, capture_output=True, text=True, env=env,
                                  cwd=os.path.join(self.folder, "cache/archives"), check=False)
        if done.returncode != 0:
            tail = "; ".join(line for line in done.stderr.splitlines() if line.startswith("E:"))
            raise Failure(f"{' '.join(command[:3])}: {tail or done.stderr.strip()[-300:]}")
        return done.stdout

    def update(self):
        if not self.updated:
            self.run("apt-get", "update", "-qq", "--error-on=any")
            self.updated = True

    def simulate(self, names, suite=None):
        """What installing `names` on an empty machine would install, all dependencies included."""
        self.update()
        target = ["-t", suite] if suite else []
        text = self.run("apt-get", "install", "-s", "-y", *target, *names)
        return [Package(*match) for match in
                re.findall(r"^Inst (\S+) \((\S+) .*\[(\w+)\]\)", text, re.M)]

    def records(self, packages):
        """{(name, version): (sha256, size)} as the signed lists say."""
        if not packages:
            return {}
        self.update()
        text = self.run("apt-cache", "show", *(f"{p.name}={p.version}" for p in packages))
        found = {}
        for stanza in text.split("\n\n"):
            fields = dict(re.findall(r"^(Package|Version|SHA256|Size): (\S+)$", stanza, re.M))
            if len(fields) == 4:
                found[fields["Package"], fields["Version"]] = (fields["SHA256"],
                                                               int(fields["Size"]))
        return found

    def fetch(self, packages):
        self.update()
        self.run("apt-get", "download", "-qq", *(f"{p.name}={p.version}" for p in packages))

    def path(self, package):
        return os.path.join(self.folder, "cache/archives", deb_name(package))


def entry(package, digest, size):
    return {"name": package.name, "version": package.version,
            "architecture": package.architecture, "sha256": digest, "size": size}


def find(apt, names, suite=None, keep=None, alone=False):
    """Entries for `names` and what they depend on, sorted by name. `keep` is a pattern of names to
    keep, `alone` leaves the dependencies out."""
    packages = [p for p in apt.simulate(names, suite)
                if (keep is None or re.fullmatch(keep, p.name)) and
                (not alone or p.name in names)]
    known = apt.records(packages)
    for package in packages:
        if (package.name, package.version) not in known:
            raise Failure(f"package {package.name} {package.version}: the lists give no SHA-256")
    return [entry(p, *known[p.name, p.version]) for p in sorted(packages)]


def get(apt, entries):
    """Has every package of `entries` in the cache, byte for byte what the entry says. Returns their
    paths, in order. Nothing is fetched that is there already."""
    packages = [Package(e["name"], e["version"], e["architecture"]) for e in entries]
    missing = [p for p, e in zip(packages, entries)
               if not os.path.exists(apt.path(p)) or sha256_of(apt.path(p)) != e["sha256"]]
    for package in missing:
        if os.path.exists(apt.path(package)):
            os.unlink(apt.path(package))
    if missing:
        apt.fetch(missing)
    for package, wanted in zip(packages, entries):
        path = apt.path(package)
        if not os.path.exists(path):
            raise Failure(f"package {package.name} {package.version} did not come")
        if package in missing and sha256_of(path) != wanted["sha256"]:
            raise Failure(f"package {package.name} {package.version} is not the one listed "
                          f"(SHA-256 {wanted['sha256'][:16]}…)")
    return [apt.path(p) for p in packages]
