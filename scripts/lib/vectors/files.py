# SPDX-License-Identifier: Apache-2.0
"""Files of the vectors, and files that are made for a call."""
import hashlib
import json
import os


def read(path):
    with open(path, "rb") as file:
        return file.read()


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def attempt(read_it, *arguments):
    """What the call returns, or the exception that it raises."""
    try:
        return read_it(*arguments)
    except Exception as why:  # pylint: disable=broad-except
        return why


def cases_below(folder):
    """(origin, name, path, expected) of each folder that has an expected.json; see case.each()."""
    for root, folders, names in os.walk(folder):
        folders.sort()
        if "expected.json" in names and root != folder:
            name = os.path.relpath(root, folder)
            yield name, name, root, attempt(read_json, os.path.join(root, "expected.json"))


def write(scratch, content, suffix=""):
    """A file of that content, made once; its path."""
    data = content if isinstance(content, bytes) else content.encode()
    path = os.path.join(scratch, hashlib.sha256(data).hexdigest() + suffix)
    if not os.path.exists(path):
        with open(path, "wb") as file:
            file.write(data)
    return path


def write_json(scratch, value):
    return write(scratch, json.dumps(value, sort_keys=True), ".json")


def compare(found, wanted, where=""):
    """None, or the first place where what is wanted is not what was found."""
    if isinstance(wanted, dict):
        if not isinstance(found, dict):
            return f"{where}: {found!r}, wanted an object"
        for key, value in wanted.items():
            if key not in found:
                return f"{where}.{key} is missing"
            why = compare(found[key], value, f"{where}.{key}")
            if why:
                return why
        return None
    if found != wanted:
        return f"{where}: {str(found)[:100]!r}, wanted {str(wanted)[:100]!r}"
    return None
