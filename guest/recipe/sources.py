# SPDX-License-Identifier: Apache-2.0
"""Another release's package sources, derived from the machine's own.

The mirror that this machine uses has the other releases too, so its own lines are taken with the
codename replaced. Both of apt's formats are read. Trust does not come from the machine's lines:
whatever they say, Debian's archive keyring has to have signed what is fetched.
"""
import glob
import os
import re

from .fail import Failure

KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.gpg",
            "/usr/share/keyrings/debian-archive-keyring.pgp")
# What a suite of ours becomes; any other suffix belongs to somebody else's archive.
SUFFIXES = {"": ("", "-backports"), "-updates": ("-updates",), "-security": ("-security",),
            "/updates": ("-security",), "-backports": ("-backports",),
            "-proposed-updates": ()}


def parse_one_line(text):
    """Entries of a sources.list: [{"uris": [...], "suites": [...], "components": [...], ...}]."""
    entries = []
    for line in text.splitlines():
        line = line.split("#", 1)[0].strip()
        match = re.fullmatch(r"deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+\S+)*)", line)
        if not match:
            continue
        options = dict(o.split("=", 1) for o in (match[1] or "").split() if "=" in o)
        entries.append({"uris": [match[2]], "suites": [match[3]],
                        "components": match[4].split(), "signed_by": options.get("signed-by", "")})
    return entries


def parse_deb822(text):
    """The same from a .sources file."""
    entries = []
    for stanza in re.split(r"\n\s*\n", text):
        fields, last = {}, None
        for line in stanza.splitlines():
            if line.startswith("#") or not line.strip():
                continue
            if line[0] in " \t" and last:
                fields[last] += " " + line.strip()
            elif ":" in line:
                last, value = line.split(":", 1)
                last = last.strip().lower()
                fields[last] = value.strip()
        if "deb" not in fields.get("types", "").split() or \
                fields.get("enabled", "yes").lower() in ("no", "false", "0"):
            continue
        entries.append({"uris": fields.get("uris", "").split(),
                        "suites": fields.get("suites", "").split(),
                        "components": fields.get("components", "").split(),
                        "signed_by": fields.get("signed-by", "")})
    return entries


def machine_entries(etc="/etc/apt"):
    """Every entry that this machine's apt uses."""
    entries = []
    for path in [os.path.join(etc, "sources.list")] + \
            sorted(glob.glob(os.path.join(etc, "sources.list.d", "*"))):
        if not os.path.isfile(path):
            continue
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if path.endswith(".list"):
            entries += parse_one_line(text)
        elif path.endswith(".sources"):
            entries += parse_deb822(text)
    return entries


def machine_codename(path="/etc/os-release"):
    with open(path, encoding="utf-8") as file:
        match = re.search(r'^VERSION_CODENAME="?([a-z]+)"?$', file.read(), re.M)
    if not match:
        raise Failure(f"{path} names no release: this build derives its sources from Debian's")
    return match[1]


def derive(entries, codename, release):
    """[(uri, suite)] of `release`, in the order of the entries and without repetition."""
    found = []
    for entry in entries:
        signed_by = entry["signed_by"]
        if "main" not in entry["components"] or \
                (signed_by and "debian-archive" not in signed_by and "BEGIN PGP" not in signed_by):
            continue
        for suite in entry["suites"]:
            base = next((b for b in (codename, "stable", "oldstable")
                         if suite == b or re.match(re.escape(b) + "[-/]", suite)), None)
            if base is None:
                continue
            for suffix in SUFFIXES.get(suite[len(base):], ()):
                for uri in entry["uris"]:
                    if (uri, release + suffix) not in found:
                        found.append((uri, release + suffix))
    if not any(suite == release for _, suite in found):
        raise Failure("apt's sources name no archive of Debian's own release "
                      f"'{codename}', so none for '{release}' can be derived: add one")
    return found


def keyring():
    for path in KEYRINGS:
        if os.path.exists(path):
            return path
    raise Failure(f"{KEYRINGS[0]} is missing: install debian-archive-keyring")
