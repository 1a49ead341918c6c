# SPDX-License-Identifier: Apache-2.0
"""Launch measurements: rows of tables, each one call."""
import json
import lzma
import os

from vectors.case import Case, acceptance, each
from vectors.files import attempt, read


def row_of(head, cells):
    if len(cells) != len(head):
        raise ValueError(f"{len(cells)} cells under {len(head)} headings")
    return dict(zip(head, cells))


def numbered_rows(path):
    """(number of the line, row) of a table; in place of a row that can't be read, why."""
    head = None
    with open(path, encoding="utf-8", errors="backslashreplace") as file:
        for number, line in enumerate(file, 1):
            cells = line.rstrip("\n").split("\t")
            if line.startswith("#") or not line.strip():
                continue
            if head is None:
                head = cells
            else:
                yield number, attempt(row_of, head, cells)


def rows(path):
    """Those rows that can be read."""
    return (row for _, row in numbered_rows(path) if not isinstance(row, Exception))


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


def each_row(path, key, build):
    """The calls of each row of a table; `key` is the column with its name."""
    def found():
        for number, row in numbered_rows(path):
            origin = f"{os.path.basename(path)} line {number}"
            name = origin if isinstance(row, Exception) else row.get(key, origin)
            yield origin, name, path, row

    return each(found(), build)


def snp_cases(folder, scratch, step):
    def build(name, _, row):
        fails = row["expected"].startswith("error")
        yield Case(name, ["sevsnpmeasure"], snp_arguments(folder, row, scratch), not fails, [""],
                   None if fails else prints(row["expected"]))

    yield from each_row(os.path.join(folder, "cases.tsv"), "id", build)
    ovmf = next((row["ovmf"] for row in rows(os.path.join(folder, "cases.tsv"))
                 if row["ovmf"] != "-" and not row["expected"].startswith("error") and row["mode"] == "seves"), None)
    types = os.path.join(folder, "cpu_types.tsv")
    if ovmf and os.path.exists(types):
        yield from each_row(types, "type", lambda name, _, row: [cpu_case(row, unpacked(folder, ovmf, scratch))])


def cpu_case(row, ovmf):
    """A type, its signature and its numbers: said together they have to agree."""
    numbers = [word for key in ("family", "model", "stepping") for word in ("--vcpu-" + key, row[key])]
    named = [] if row["type"].startswith("(") else ["--vcpu-type", row["type"]]
    arguments = ["--mode", "seves", "--ovmf", ovmf, "--vcpus", "1", "--vcpu-sig", row["signature"]]
    return Case("processor " + row["type"], ["sevsnpmeasure"], arguments + numbers + named, True)


def traces(path):
    """The steps that a command prints, but for their numbers and the width of addresses."""
    wanted = []
    for _, row in numbered_rows(path):
        if isinstance(row, Exception):
            raise row
        wanted.append((row["type"], int(row["gpa"], 0), row["contents_sha384"], row["digest_after"]))

    def check(answer):
        found = [line.split() for line in answer["output"].splitlines()]
        steps = [(words[1], int(words[2], 0), *words[3:]) for words in found if len(words) == 5]
        return None if steps == wanted else f"{len(steps)} steps, not the {len(wanted)} that are listed"
    return check


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
    if mismatch or row["id_block"] == "match":
        yield Case(name + " (ID block)", ["igvmmeasure"], plain, not mismatch, [""])
    if row["check_kvm"] != "-":
        yield Case(name + " (KVM)", ["igvmmeasure"],
                   igvm_arguments(path, row, True) + ["--ignore-idblock"],
                   row["check_kvm"] == "ok", [""])
    if row["digest_as_loaded"] != "-":
        yield Case(name + " (as loaded)", ["igvmmeasure"],
                   plain + ["--as-loaded", "--ignore-idblock"], True,
                   check=prints(row["digest_as_loaded"]))


def igvm_negative(folder, row):
    path = os.path.join(folder, "negative", row["file"])
    kvm = row["verdict"] == "refused-check-kvm"
    accept = False if kvm else acceptance(row["verdict"])
    return Case("negative " + row["file"], ["igvmmeasure"], igvm_arguments(path, {}, kvm), accept, [""])


def igvm_trace(name, folder, _):
    path = os.path.join(folder, "valid", name.removeprefix("pages-").removesuffix(".tsv") + ".igvm")
    yield Case(name, ["igvmmeasure"], [path, "--trace"], True, check=traces(os.path.join(folder, name)))


def igvm_cases(folder, scratch, step):
    yield from each_row(os.path.join(folder, "digests.tsv"), "file", lambda name, _, row: igvm_valid(folder, row))
    listed = sorted(name for name in os.listdir(folder) if name.startswith("pages-"))
    yield from each(((name, name, folder, None) for name in listed), igvm_trace)
    yield from each_row(os.path.join(folder, "negative.tsv"), "file",
                        lambda name, _, row: [igvm_negative(folder, row)])
