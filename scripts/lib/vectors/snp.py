# SPDX-License-Identifier: Apache-2.0
"""SEV-SNP reports under their groups' lenient default policy, with the report's own values as
reference values where the case says nothing else."""
import os

from vectors.files import cases_below, compare, read, write, write_json
from vectors.case import Case, acceptance, each

# Field: offset and length in the report, key of our policy, key of the case's policy.
SETS = [
    (0x090, 48, "measurements", "measurement"),
    (0x0C0, 32, "host_data", "host_data"),
    (0x0E0, 48, "id_key_digests", "id_key_digest"),
    (0x110, 48, "author_key_digests", "author_key_digest"),
    (0x010, 16, "family_ids", "family_id"),
    (0x020, 16, "image_ids", "image_id"),
    (0x160, 32, "report_id_mas", None),
]
ALLOW = {"smt": 16, "migrate_ma": 18, "cxl": 21}


def bytes_at(report, offset, length):
    return report[offset : offset + length].ljust(length, b"\0")


def own_policy(report, policy):
    """The case's policy in our form. There is no VMPL above 3, in our policies as in reports."""
    snp = {"allow_tio": True, "vmpl": min(policy.get("vmpl", 0), 3), "allow_vlek": policy.get("allow_vlek", True)}
    for offset, length, key, named in SETS:
        value = (policy.get(named) if named else None) or bytes_at(report, offset, length).hex()
        # An author key digest in the policy demands an author key.
        if key != "author_key_digests" or value.strip("0"):
            snp[key] = [value]
    allow = ["cxl"]
    if policy.get("allow_smt", True):
        allow.append("smt")
    if policy.get("allow_migrate_ma", False):
        allow.append("migrate_ma")
    snp["allow"] = allow
    demand = ["single_socket"] if policy.get("require_single_socket") else []
    platform = [bit for bit in ("ecc", "tsme") if policy.get("require_" + bit)]
    if demand:
        snp["demand"] = demand
    if platform:
        snp["platform"] = platform
    snp["allow_unchecked_alias"] = not policy.get("require_alias_check", False)
    for theirs, ours in (
        ("require_author_key", "require_author_key"),
        ("allow_provisional", "allow_provisional"),
        ("min_guest_svn", "min_guest_svn"),
        ("min_tcb", "min_tcb"),
        ("min_firmware", "min_firmware"),
        ("product", "product"),
        ("csp_id", "csp_id"),
        ("require_launch_mit_vector", "launch_mit_vector"),
    ):
        if theirs in policy:
            snp[ours] = policy[theirs]
    if "chip_id" in policy:
        snp["chip_ids"] = [policy["chip_id"]]
    return {"cocos": 1, "snp": snp, "run": {"agent": "stock"}}


KNOWN = {
    "allow_debug", "allow_migrate_ma", "allow_provisional", "vmpl", "allow_smt", "allow_vlek",
    "require_alias_check", "require_ecc", "require_tsme", "require_single_socket",
    "require_author_key", "measurement", "report_data", "host_data", "family_id", "image_id",
    "chip_id", "id_key_digest", "author_key_digest", "min_guest_svn", "min_tcb", "min_firmware",
    "product", "csp_id", "require_launch_mit_vector",
}

ROLES = {"report", "vek", "ask", "ark", "crl", "ask_crl", "cert_table", "id_block", "id_auth"}


def strangers(case):
    """What a case asks for, or brings, that nobody here would look at."""
    return sorted(set(case["policy"]) - KNOWN) + sorted(set(case["files"]) - ROLES)


def number(value):
    return int(value, 0) if isinstance(value, str) else value


def as_launched(policy):
    """A bit mask may be written in hexadecimal."""
    policy = dict(policy)
    if "require_launch_mit_vector" in policy:
        policy["require_launch_mit_vector"] = number(policy["require_launch_mit_vector"])
    return policy


def kind_of(path):
    """Which of the two the file is given for: by its name, else by whom it names."""
    name = os.path.basename(path).lower()
    for kind in ("vlek", "vcek"):
        if kind in name:
            return kind
    return "vlek" if b"SEV-VLEK" in read(path) else "vcek"


def options_of(path, case, scratch):
    files = {role: os.path.join(path, name) for role, name in case["files"].items()}
    report = read(files["report"])
    policy = as_launched(case["policy"])
    options = {
        "file": files["report"],
        "mode": "snp",
        "at": case["at"],
        "skew": "0",
        "report_data": policy.get("report_data") or bytes_at(report, 0x50, 64).hex(),
        "policy": write_json(scratch, own_policy(report, policy)),
    }
    if "cert_table" in files:
        options["file"] = write(scratch, report + read(files["cert_table"]))
    if "vek" in files:
        options[kind_of(files["vek"])] = files["vek"]
    chain = [files[role] for role in ("ask", "ark") if role in files]
    if chain:
        options["CA_bundles_paths"] = ",".join(chain)
    crls = [files[role] for role in ("crl", "ask_crl") if role in files]
    if crls:
        options["crl"] = crls
    for role in ("id_block", "id_auth"):
        if role in files:
            options[role] = files[role]
    if case["trusted_root"] != "amd":
        options["trusted_root"] = os.path.join(path, case["trusted_root"])
    return options


def accepts(case):
    return acceptance(case.get("verdict_if_debug_is_never_taken", case["verdict"]))


def stages_of(case):
    stages = case.get("stages")
    if "verdict_if_debug_is_never_taken" in case:
        stages = ["policy"]
    if stages is None:
        return None
    # A check of the report's consistency with the certificate is named for what it compares.
    return [stage + "." for stage in stages]


def fields_case(name, path, case):
    wanted = case["fields"]

    def check(answer):
        return compare(answer.get("fields"), wanted, "fields")

    report = os.path.join(path, case["files"]["report"])
    return Case(name + " (fields)", ["attestation", "show"], {"file": report, "mode": "snp"}, True,
                check=check)


def cases(folder, scratch, step):
    def build(name, path, case):
        unknown = strangers(case)
        if unknown:
            raise ValueError(", ".join(unknown))
        yield Case(name, ["attestation", "validate"], options_of(path, case, scratch), accepts(case),
                   stages_of(case))
        if "fields" in case:
            yield fields_case(name, path, case)

    return each(cases_below(folder), build)
