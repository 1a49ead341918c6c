# SPDX-License-Identifier: Apache-2.0
"""The root of flavours with a disk: Python byte-compiled, erofs, and its dm-verity tree behind it."""
import glob
import os
import re

from . import buildroot
from .fail import Failure

BLOCK = 4096
UUID = "c0c05000-0000-4000-8000-000000000001"  # fixed: the root hash tells disks apart


# The compiler merges some equal constants and not others, by where they happened to lie in memory,
# and marshal writes what is shared as a reference. Version 2 knows no references: once through it,
# nothing is shared but what every process shares.
CANONICAL = """
import marshal, os
for folder, _, files in os.walk("/build"):
    for name in files:
        if name.endswith(".pyc"):
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                data = file.read()
            code = marshal.loads(marshal.dumps(marshal.loads(data[16:]), 2))
            with open(path, "wb") as file:
                file.write(data[:16] + marshal.dumps(code))
"""


def compile_python(runtime, tree):
    """Byte code beside the sources, valid whatever their date: without it a first import of
    scikit-learn takes more than twice as long. The interpreter is the image's own."""
    found = [os.path.basename(path) for path in glob.glob(os.path.join(tree, "usr/bin/python3.*"))
             if re.fullmatch(r"python3\.\d+", os.path.basename(path))]
    if len(found) != 1:
        raise Failure("the image has not one python3.N")
    buildroot.run(runtime, ["/usr/bin/" + found[0], "-I", "-m", "compileall", "-q", "-f",
                            "--invalidation-mode", "unchecked-hash", "-s", "/build", "-p", "/",
                            "-x", "lib2to3/tests|/bad_|lib/python3/dist-packages/.*/_test_",
                            "/build/usr/lib"], [(tree, "/build")])
    buildroot.run(runtime, ["/usr/bin/" + found[0], "-I", "-c", CANONICAL], [(tree, "/build")])


def make(tools, tree, folder, name):
    """Writes folder/name and returns (data blocks, root hash)."""
    image = os.path.join(folder, name)
    buildroot.remove(image)
    binds = [(tree, "/src"), (folder, "/build")]
    buildroot.run(tools, ["mkfs.erofs", "-zlz4hc,9", "-T0", "-U", UUID, "--all-root", "-x-1",
                          "--quiet", "/build/" + name, "/src"], binds)
    size = os.path.getsize(image)
    if size % BLOCK:
        raise Failure("mkfs.erofs made no whole number of blocks")
    text = buildroot.run(tools, ["veritysetup", "format", "--no-superblock", "--salt=-",
                                 f"--hash-offset={size}", f"--data-blocks={size // BLOCK}",
                                 "--data-block-size=4096", "--hash-block-size=4096",
                                 "--hash=sha256", "/build/" + name, "/build/" + name], binds)
    match = re.search(r"^Root hash:\s+([0-9a-f]{64})$", text, re.M)
    if not match:
        raise Failure("veritysetup gave no root hash")
    return size // BLOCK, match[1]
