# SPDX-License-Identifier: Apache-2.0
"""What programs that measure whole machines share: a libvirt and a computation service in namespaces that
end with the program, and a copy of the image that QEMU's user reaches."""
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "..", "tests", "integration")]

import libvirt_room as room

BOOT = 400  # seconds, under emulation on a machine with other work
NO_LIBVIRT = 3  # exit status


def run(measure):
    """Prints what measure(folder, service, *words) gives, as JSON; called as `FOLDER IMAGE WORD...`. The
    image is `folder`'s own then, and whoever called removes the folder, whatever becomes of us."""
    room.enter()
    from harness import Computations, Folder

    path, image, *words = sys.argv[1:]
    folder, beside = Folder(), Folder()
    folder.path, beside.path = path, os.path.join(path, "service")
    os.mkdir(beside.path)
    shutil.copytree(image, folder("image"))
    try:
        libvirt = room.Libvirt().up()
    except subprocess.CalledProcessError:
        sys.exit(NO_LIBVIRT)
    try:
        with Computations(beside) as service:
            print(json.dumps(measure(folder, service, *words)))
    finally:
        libvirt.down()
