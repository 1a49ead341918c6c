# SPDX-License-Identifier: Apache-2.0
"""What the vectors' files hold, counted without a word of the code that judges them.

What was judged is compared with this. A case is what INDEX.md says of the group: a folder with
expected.json, a row of a table, a change of a mutation table.
"""
import glob
import json
import os

TABLES = {
    "snp-measure": ["cases.tsv", "cpu_types.tsv"],
    "igvm": ["digests.tsv", "negative.tsv"],
}


def below(path, pattern):
    return [os.path.relpath(name, path)
            for name in glob.glob(os.path.join(glob.escape(path), "**", pattern), recursive=True,
                                  include_hidden=True)]


def folders(path):
    """Every folder that has an expected.json, the group's own aside."""
    return sorted(os.path.dirname(name) for name in below(path, "expected.json") if os.path.dirname(name))


def lines(path, name):
    """The rows of a table by their lines: neither comments nor blank ones nor the first, its head."""
    with open(os.path.join(path, name), "rb") as file:
        numbers = [number for number, line in enumerate(file, 1)
                   if line.strip() and not line.startswith(b"#")]
    return [f"{name} line {number}" for number in numbers[1:]]


def mutations(path, name, step):
    """How many of a table's changes one in `step` is."""
    with open(os.path.join(path, name), "rb") as file:
        table = json.load(file)
    first, last = table["offsets"].split(" .. ")
    return -(-(int(last) - int(first) + 1) * len(table["xor"]) // step)


def members(path, name, key=None):
    with open(os.path.join(path, name), "rb") as file:
        found = json.load(file)
    return found[key] if key else found


def of(group, path, step):
    """{origin: number of calls, or None where it is not a fixed one} of a group's folder."""
    if group == "manifest":
        return dict.fromkeys(members(path, "expected.json"))
    if group in TABLES:
        found = [row for name in TABLES[group] for row in lines(path, name)]
        if group == "igvm":
            found += [name for name in below(path, "pages-*.tsv") if not os.path.dirname(name)]
        return dict.fromkeys(found)
    found = dict.fromkeys(folders(path))
    if group == "tdx":
        for name in below(path, "mutations.json"):
            found[name] = mutations(path, name, step)
        if os.path.exists(os.path.join(path, "cross.json")):
            rows = members(path, "cross.json", "rows")
            found.update(dict.fromkeys(f"cross.json {number}" for number in range(len(rows))))
    return found
