# SPDX-License-Identifier: Apache-2.0
"""A cpio archive ("newc", kernel document driver-api/early-userspace/buffer-format) that depends on
nothing but names, modes and contents."""
import os
import stat

FIELDS = 13


def _header(number, mode, links, size, name):
    values = [number, mode, 0, 0, links, 0, size, 0, 0, 0, 0, len(name) + 1, 0]
    assert len(values) == FIELDS
    head = b"070701" + b"".join(b"%08X" % value for value in values) + name + b"\0"
    return head + b"\0" * (-len(head) % 4)


def write(tree, out):
    """Archives the folder `tree`: folders 0755 unless marked otherwise, files 0755 or 0644, links.
    Everything belongs to root and has no date."""
    names = []
    for folder, folders, files in os.walk(tree):
        names += [os.path.relpath(os.path.join(folder, name), tree) for name in folders + files]
    with open(out, "wb") as file:
        for number, name in enumerate(sorted(names), 1):
            path = os.path.join(tree, name)
            info = os.lstat(path)
            if stat.S_ISDIR(info.st_mode):
                mode, links, data = stat.S_IFDIR | 0o755, 2, b""
            elif stat.S_ISLNK(info.st_mode):
                mode, links, data = stat.S_IFLNK | 0o777, 1, os.readlink(path).encode()
            else:
                mode = stat.S_IFREG | (0o755 if info.st_mode & 0o100 else 0o644)
                links = 1
                with open(path, "rb") as content:
                    data = content.read()
            file.write(_header(number, mode, links, len(data), name.encode()))
            file.write(data + b"\0" * (-len(data) % 4))
        file.write(_header(0, 0, 1, 0, b"TRAILER!!!"))
        file.write(b"\0" * (-file.tell() % 512))
