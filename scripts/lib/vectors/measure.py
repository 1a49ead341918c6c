# SPDX-License-Identifier: Apache-2.0
"""Launch measurements: rows of tables, each one call."""
import json
import lzma
import os

from vectors.case import Case
from vectors.files import read


def rows(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file if not line.startswith("#")]
    head = lines[0].split("\t")
    for line in lines[1:]:
        yield dict(zip(head, line.split("\t")))


def unpacked(folder, name, scratch):
    path = os.path.join(folder, "fixtures", name)
    if os.path.exists(path):
        return path
    target = os.path.join(scratch, name)
    if not os.path.exists(target):
        with open(target, "wb") as file:
            file.write(lzma.decompress(read(path + ".xz")))
    return target


def prints(digest):
    return lambda answer: None if answer["output"].split()[-1:] == [digest] else f"printed {answer['output'].strip()}"


def snp_arguments(folder, row, scratch):
    arguments = ["--mode", row["mode"]]
    for key, option in (("vcpus", "vcpus"), ("vmm_type", "vmm-type"), ("vars_size", "vars-size"),
                        ("guest_features", "guest-features"), ("ovmf_hash", "ovmf-hash")):
        if row[key] != "-":
            arguments += ["--" + option, row[key]]
    if row["vcpu_type"] != "-":
        arguments += ["--vcpu-type", row["vcpu_type"]]
    elif row["vcpu_sig"] != "-":
        arguments += ["--vcpu-sig", row["vcpu_sig"]]
    for key in ("ovmf", "kernel", "initrd", "svsm"):
        if row[key] != "-":
            arguments += ["--" + key, unpacked(folder, row[key], scratch)]
    if row["append"] != "-":
        arguments += ["--append", json.loads(row["append"])]
    return arguments


def snp_cases(folder, scratch):
    for row in rows(os.path.join(folder, "cases.tsv")):
        fails = row["expected"].startswith("error")
        yield Case(row["id"], ["sevsnpmeasure"], snp_arguments(folder, row, scratch), not fails, [""],
                   None if fails else prints(row["expected"]))


def igvm_arguments(path, row, check_kvm=False):
    arguments = [path, "--platform", row.get("platform", "sev-snp")]
    if row.get("native_zero") == "1":
        arguments.append("--native-zero")
    if check_kvm:
        arguments.append("--check-kvm")
    return arguments


def igvm_valid(folder, row):
    path = os.path.join(folder, "valid", row["file"])
    name = f"{row['file']} {row['platform']} {row['native_zero']}"
    plain = igvm_arguments(path, row)
    mismatch = row["id_block"] == "mismatch"
    yield Case(name, ["igvmmeasure"], plain + ["--ignore-idblock"], True,
               check=prints(row["digest"]))
    if mismatch:
        yield Case(name + " (ID block)", ["igvmmeasure"], plain, False, [""])
    if row["check_kvm"] != "-":
        yield Case(name + " (KVM)", ["igvmmeasure"],
                   igvm_arguments(path, row, True) + ["--ignore-idblock"],
                   row["check_kvm"] == "ok", [""])
    if row["digest_as_loaded"] != "-":
        yield Case(name + " (as loaded)", ["igvmmeasure"],
                   plain + ["--as-loaded", "--ignore-idblock"], True,
                   check=prints(row["digest_as_loaded"]))


def igvm_cases(folder, scratch):
    for row in rows(os.path.join(folder, "digests.tsv")):
        yield from igvm_valid(folder, row)
    for row in rows(os.path.join(folder, "negative.tsv")):
        path = os.path.join(folder, "negative", row["file"])
        kvm = row["verdict"] == "refused-check-kvm"
        accept = {"refused": False, "refused-check-kvm": False, "either": None}[row["verdict"]]
        yield Case("negative " + row["file"], ["igvmmeasure"], igvm_arguments(path, {}, kvm), accept, [""])
