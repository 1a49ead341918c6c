# SPDX-License-Identifier: Apache-2.0
"""Units of packaging/systemd for tests without systemd: what they say, and a program with the user and the
rights that they give it. Their sandbox of mounts, devices and system calls is not made here."""
import grp
import pwd


def parse(text):
    """{key: [value, …]} of a unit."""
    found = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def wrapper(unit):
    """The words before a program."""
    user = pwd.getpwnam(unit.get("User", ["root"])[0])
    groups = [str(grp.getgrnam(group).gr_gid) for group in unit.get("SupplementaryGroups", [])]
    kept = "".join(",+" + each.lower().removeprefix("cap_") for each in " ".join(unit["CapabilityBoundingSet"]).split())
    return ["setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid),
            *(["--groups", ",".join(groups)] if groups else ["--clear-groups"]),
            "--bounding-set=-all" + kept, "--inh-caps=-all", "--no-new-privs",
            "sh", "-c", f'umask {unit["UMask"][0]} && exec "$0" "$@"']
