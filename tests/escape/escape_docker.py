# SPDX-License-Identifier: Apache-2.0
"""Images of containers: layers that want to be more than layers, and programs in them that want out."""
import functools
import os
import subprocess
import tempfile

import container_image as image
from container_image import one
from rows import program

SOURCE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "container_probe.c")
CHAIN = 5000  # links, of which the kernel follows 40
CROWD = 10000  # empty files, each of which counts 4096 bytes of 32 MiB


@functools.lru_cache(maxsize=None)
def probe():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "probe")
        subprocess.run(["cc", "-static", "-Os", "-s", "-o", path, SOURCE], check=True)
        with open(path, "rb") as file:
            return file.read()


def runs(what="nothing", entry="/bin/probe", **config):
    return {"Entrypoint": [entry, what], "WorkingDir": "/cocos", **config}


def base(*more):
    return image.tar(one("bin/probe", probe(), mode=0o755), *more)


def archive(*layers, what="nothing", how=image.docker, **config):
    return how([base(), *layers], runs(what, **config))


def entries(*items):
    """A second layer of those: an image that must not run."""
    return archive(image.tar(*items))


def bomb(how):
    """A few KiB that become 64 MiB; the run may write 32."""
    return image.oci([base(), image.tar(one("opt/zeros", bytes(64 << 20)))], runs(), how)


def longer_than_it_is():
    """A header that announces a terabyte, and nothing behind it."""
    layer = bytearray(image.tar(one("opt/large", b"x")))
    layer[124:136] = b"\x80" + bytes(5) + (1 << 40).to_bytes(6, "big")
    layer[148:156] = b" " * 8
    layer[148:156] = b"%06o\0 " % sum(layer[:512])
    return archive(bytes(layer))


def links(count, *more):
    return [*(one(f"opt/l{i}", f"l{i + 1}", kind="link") for i in range(count)), *more]


MARKS = {f"SCHILY.xattr.{name}": value for name, value in (
    ("trusted.overlay.opaque", "y"), ("trusted.overlay.redirect", "/etc"), ("user.overlay.opaque", "y"),
    ("user.overlay.redirect", "/etc"), ("security.capability", "\x01\x00\x00\x02\x00\x00\x20\x00"))}


def marked():
    below = base(one("opt/marked/below", b"below\n"))
    above = image.tar(one("opt/marked/", kind="dir", mode=0o755, pax=MARKS),
                      one("opt/marked/program", probe(), mode=0o755, pax=MARKS), form=image.tarfile.PAX_FORMAT)
    return image.docker([below, above], runs("attributes"))


def opaque():
    """All of the lowest layer goes; what the second brings beside the mark stays."""
    below = base(one("etc/below", b"x"), one("opt/below", b"x"))
    above = image.tar(one(".wh..wh..opq"), one("bin/probe", probe(), mode=0o755))
    return image.docker([below, above], runs("below"))


def above():
    first = base(one("etc/passwd", b"x\n"), one("up", "../../../../../..", kind="link"))
    return image.docker([first, image.tar(one("up/etc/passwd", b"the image's\n"))], runs("above"))


def places():
    return image.docker([base(one("proc/self/status", b"forged"), one("dev/mem", b"x"), one("dev/null", b"x"),
                              one("sys/evil", b"x"), one("task/results", "/etc", kind="link"))],
                        runs("machines-folders"))


def exchanged():
    """As much as was announced, and another digest."""
    return image.oci([base()], runs(), "tar", blob=lambda layer: layer[:4096] + b"other" + layer[4101:])


def address(says):
    says["layers"][0]["urls"] = ["https://127.0.0.1/layer"]
    return says


REFUSED = (
    ("a path out of the layer", "A file whose path has '..' in it.", "has '..' in it",
     lambda: entries(one("opt/../../owned", b"x"))),
    ("a path from the machines root", "A file with an absolute path.", "is absolute",
     lambda: entries(one("/owned", b"x"))),
    ("a name that is there twice", "Two files of one name: which one counts is the reader's choice.", "is there twice",
     lambda: entries(one("opt/a", b"1"), one("opt/./a", b"2"))),
    ("a link and then a file", "A link to the results, and through it a file of the same name.", "is there twice",
     lambda: entries(one("opt/out", "/cocos/results/seen", kind="link"), one("opt/out", b"forged"))),
    ("a whiteout of what lies above", "The whiteout .wh..., which would remove '..'.", "names nothing that could go",
     lambda: entries(one("opt/.wh...", b""))),
    ("a whiteout that is a file", "A whiteout with content, which other tools would keep.", "is no empty file",
     lambda: entries(one("opt/.wh.a", b"x"))),
    ("an opaque mark that is a link", "An opaque whiteout that leads elsewhere.", "is no empty file",
     lambda: entries(one("opt/.wh..wh..opq", "/etc", kind="link"))),
    ("a file in a whiteout", "A path through a whiteout's name.", "is in a whiteout",
     lambda: entries(one("opt/.wh.a/b", b"x"))),
    ("an overlays whiteout", "A character device 0:0, which an overlay reads as 'gone'.", "is a device or pipe",
     lambda: entries(one("etc/below", kind="char"))),
    ("a disk in a layer", "A block device.", "is a device or pipe", lambda: entries(one("dev/sda", kind="block"))),
    ("a pipe in a layer", "A FIFO where the program's data should be.", "is a device or pipe",
     lambda: entries(one("cocos/datasets/a", kind="fifo"))),
    ("a hard link out of the layers", "A second name for the machine's passwords, by '..'.", "has '..' in it",
     lambda: entries(one("opt/shadow", "../../../../etc/shadow", kind="hard"))),
    ("a hard link to the machine", "The same by an absolute path.", "is absolute",
     lambda: entries(one("opt/shadow", "/etc/shadow", kind="hard"))),
    ("a hard link through a link", "The same through a link of the layer's own.", "No such file",
     lambda: entries(one("opt/out", "/etc", kind="link"), one("opt/shadow", "opt/out/shadow", kind="hard"))),
    ("a hard link to what is gone", "A second name for a file that the same layer takes away.", "No such file",
     lambda: image.docker([base(one("etc/a", b"x")), image.tar(one("etc/.wh.a"), one("etc/b", "etc/a", kind="hard"))],
                          runs())),
    ("links in a huge chain", f"{CHAIN} symbolic links, one to the next, and a file behind the first.",
     "too many links", lambda: entries(*links(CHAIN, one("opt/l0/in", b"x")))),
    ("links in a ring", "Two symbolic links to each other, and a file behind them.", "too many links",
     lambda: entries(one("opt/a", "b", kind="link"), one("opt/b", "a", kind="link"), one("opt/a/in", b"x"))),
    ("folders without end", "A path that is 100 folders deep.", "is too deep",
     lambda: entries(one("d/" * 100 + "x", b"x"))),
    ("datasets somewhere else", "cocos/datasets is a link to /etc.", "/cocos/datasets is no folder",
     lambda: entries(one("cocos/datasets", "/etc", kind="link"))),
    ("a workplace above the root", "A WorkingDir with '..' in it.", "has '..' in it",
     lambda: archive(WorkingDir="/../../root")),
    ("a bomb of gzip", "64 MiB of zeros in a few KiB.", "bytes unpacked", lambda: bomb("gzip")),
    ("a bomb of zstd", "The same by zstd.", "bytes unpacked", lambda: bomb("runs")),
    ("a crowd of nothing", f"{CROWD} empty files: no bytes, and much of a file system.", "than there is room for",
     lambda: image.oci([base(), image.tar(*(one(f"opt/{n}") for n in range(CROWD)))], runs())),
    ("a terabyte that is announced", "A header with a size of 1 TiB, and nothing behind it.", "ends in the middle",
     longer_than_it_is),
    ("a layer that was exchanged", "Other bytes behind a layer's digest.", "its digest is not the one", exchanged),
    ("a layer at an address", "A layer that the unpacker should fetch.", "address",
     lambda: image.oci([base()], runs(), manifest=address)),
    ("two images in one", "An archive in which the reader chooses.", "exactly one image",
     lambda: image.docker([base()], runs(), manifest=lambda says: says * 2)),
    ("an archive that was cut", "The first half of an image.", "image: ",
     lambda: (lambda whole: whole[:len(whole) // 2])(archive())),
    ("a script of the machines python", "The entrypoint's interpreter is the machine's, not the image's.",
     "cannot execute", lambda: image.docker([base(one("bin/run", b"#!/usr/bin/python3\nraise SystemExit(42)\n",
                                                      mode=0o755))], runs(entry="/bin/run"))),
    ("a program that is a folder", "The entrypoint is a folder.", "cannot execute", lambda: archive(entry="/bin")),
)
RUN = (
    ("a set uid program of roots", "Mode 6755, and User 0 in the configuration.", "",
     lambda: image.docker([base(one("bin/suid", probe(), mode=0o6755))],
                          runs("somebody-else", "/bin/suid", User="0:0"))),
    ("attributes in a layer", "Capabilities of a file, and the marks by which an overlay hides or redirects folders.",
     "", marked),
    ("an opaque root", "An opaque whiteout of everything: what then shows must not be the machine's.", "", opaque),
    ("a link above the root", "A link to ../../.. and, through it, /etc/passwd of another layer.", "", above),
    ("the machines folders in a layer", "Its own /proc, /dev, /sys and /task.", "", places),
    ("mounts in an image", "mount, umount2, unshare, pivot_root, chroot and mknod.", "",
     lambda: archive(image.tar(one("opt/", kind="dir", mode=0o755)), what="mounts")),
    ("a root of its own", "Files, folders and links in /, and its folders renamed.", "",
     lambda: archive(what="the-root")),
    ("a daemon to talk to", "Sockets of docker, containerd and systemd, and one of the network.", "",
     lambda: archive(what="daemons")),
    ("an image without end", "Processes until there are no more.", "", lambda: archive(what="forks")),
    ("an image that is too large", "Children that together have more than the run's memory.", "out of memory",
     lambda: archive(what="memory")),
)
for name, says, ends, made in REFUSED + RUN:
    program("docker", name, says, "docker", made, ends)
