# SPDX-License-Identifier: Apache-2.0
"""Images of containers, and what they say of themselves."""
import json
import os
import struct
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "integration"))
import container_image as image  # noqa: E402
from container_image import one  # noqa: E402

from seeds.parts import u32  # noqa: E402

RUN = {"Entrypoint": ["/a"], "Cmd": ["b"], "Env": ["A=b"], "WorkingDir": "/w"}
PLAIN = image.tar(one("d/", kind="dir"), one("d/f", b"text", mode=0o6755), one("l", "d", kind="link"),
                  one("h", "d/f", kind="hard"), one("was", b"x"), one("o/x/y", b"y"))
ABOVE = image.tar(one("d/.wh.f"), one("l/g", b"g"), one("was/", kind="dir"), one("o/.wh..wh..opq"), one("o/z", b"z"))
# A frame of one block as it is, so that the inputs do not depend on zstd's version (RFC 8878, 3.1.1).
ZSTD = bytes.fromhex("28b52ffd60") + struct.pack("<H", len(PLAIN) - 256) + \
    struct.pack("<I", 1 | len(PLAIN) << 3)[:3] + PLAIN


def summed(block):
    """A header with its sum put right."""
    block = block[:148] + b" " * 8 + block[156:512]
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def header(name, kind=b"0", size=b"00000000000\0", mtime=b"00000000001\0", magic=b"ustar\00000", link=b"", mode=b"0000644\0"):
    block = name.ljust(100, b"\0") + mode + b"0000000\0" * 2 + size + mtime + b" " * 8 + kind + \
        link.ljust(100, b"\0") + magic
    return summed(block.ljust(512, b"\0"))


def extended(kind, content, name=b"x"):
    return header(name, kind, b"%011o\0" % len(content)) + content + b"\0" * (-len(content) % 512)


def record(text):
    """A pax record of `text`, with its length before it."""
    size = len(text) + 2
    while len(f"{size} ") + len(text) + 1 != size:
        size += 1
    return f"{size} ".encode() + text + b"\n"


END = b"\0" * 1024


def layered(*layers):
    return image.docker(list(layers), RUN)


def in_layer(*entries):
    return layered(image.tar(*entries))


def raw(*blocks):
    return layered(b"".join(blocks) + END)


def listed(changes):
    """manifest() of container_image: each key of the first layer's descriptor that changes."""
    def change(says):
        says["layers"][0].update(changes)
        return says
    return change


def container():
    deep = "/".join(["d"] * 63)
    pax = image.tar(one("n" * 120, b"x", pax={"mtime": "1.5", "comment": "c"}),
                    one("l", "t" * 120, kind="link"), form=tarfile.PAX_FORMAT)
    gnu = image.tar(one("n" * 120, b"x"), one("l", "t" * 120, kind="link"))
    both = image.tar(one("manifest.json", b"[{}]"))[:1024]
    oci = image.oci([PLAIN], RUN, "tar")
    nested = image.oci([PLAIN], RUN, "tar", index=lambda i: {**i, "manifests": [
        {**i["manifests"][0], "mediaType": image.OCI + "index.v1+json"}]})
    found = {
        "docker": layered(PLAIN, ABOVE),
        "oci": oci,
        "oci-gzip": image.oci([PLAIN, ABOVE], RUN),
        "oci-gzip-bad": image.oci([PLAIN], RUN, blob=lambda b: b[:30] + b"\xff" * 20 + b[50:]),
        "oci-gzip-cut": image.oci([PLAIN], RUN, blob=lambda b: b[:-9] + bytes(9)),
        "oci-zstd": image.oci([PLAIN], RUN, "tar", manifest=listed({"mediaType": image.OCI + "layer.v1.tar+zstd"})),
        "docker-zstd": layered(ZSTD), "docker-zstd-cut": layered(ZSTD[:-600]),
        "docker-gzip": layered(image.gzipped(PLAIN[:1024]) + image.gzipped(PLAIN[1024:])),
        "whole-gzip": image.gzipped(oci),
        "both": oci[:-1024] + both + END,
        "both-same": image.oci([PLAIN], RUN, "tar", more=[one("manifest.json", json.dumps([{
            "Config": "blobs/sha256/" + image.sha256(image.config([PLAIN], RUN)), "Layers": ["x"]}]).encode())]),
        "both-other": image.oci([PLAIN], RUN, "tar", more=[one("manifest.json", json.dumps([{
            "Config": "blobs/sha256/x", "Layers": ["x"]}]).encode())]),
        "nested": nested,
        "no-blob": image.oci([PLAIN], RUN, "tar", manifest=listed({"digest": "sha256:" + "0" * 64})),
        "size": image.oci([PLAIN], RUN, "tar", manifest=listed({"size": 1})),
        "layers": image.oci([PLAIN], RUN, "tar", rootfs={"type": "layers", "diff_ids": ["sha256:" + "0" * 64] * 2}),
        "no-manifest": image.tar(one("x", b"y")),
        "config-name": image.docker([PLAIN], RUN, manifest=lambda m: [{**m[0], "Config": "manifest.json"}]),
        "config-none": image.docker([PLAIN], RUN, manifest=lambda m: [{**m[0], "Config": "none"}]),
        "layers-two": image.docker([PLAIN], RUN, manifest=lambda m: [{**m[0], "Layers": m[0]["Layers"] * 2}]),
        "layer-none": image.docker([PLAIN], RUN, manifest=lambda m: [{**m[0], "Layers": ["none"]}]),
        "layer-link": image.docker([PLAIN], RUN, manifest=lambda m: [{**m[0], "Layers": ["a/b"]}], more=[
            one("a/b", "../" + image.sha256(PLAIN) + "/layer.tar", kind="link")]),
        "layer-link-out": image.docker([PLAIN], RUN, manifest=lambda m: [{**m[0], "Layers": ["a/b"]}], more=[
            one("a/b", "../../x", kind="link")]),
        "layer-link-top": image.docker([PLAIN], RUN, manifest=lambda m: [{**m[0], "Layers": ["b"]}], more=[
            one("b", "none", kind="link")]),
        "twice": image.tar(one("a", b""), one("./a", b"")),
        "hard": image.tar(one("a", b""), one("b", "a", kind="hard")),
        "pax": layered(pax), "gnu": layered(gnu),
        "no-end": layered(PLAIN[:PLAIN.index(b"o/x/y") + 512 + 1]),
        "in-the-middle": layered(PLAIN[:700]),
        "after-the-end": layered(PLAIN + b"x"),
        "bomb": layered(image.gzipped(image.tar(one("zeros", bytes(1 << 20))))),
        "device": in_layer(one("d", kind="char")),
        "file-twice": in_layer(one("a", b""), one("a", b"")),
        "folder-twice": in_layer(one("a/", kind="dir"), one("a", kind="dir")),
        "root": in_layer(one("./", kind="dir"), one(".", b"x")),
        "absolute": in_layer(one("/a", b"")), "up": in_layer(one("../a", b"")),
        "deep": in_layer(one(deep + "/a", b""), one(deep + "/a/b", b"")),
        "long-name": in_layer(one("n" * 256, b"")),
        "deep-link": in_layer(one(deep + "/", kind="dir"), one("l", deep, kind="link"), one("l/a/b/c", b"")),
        "link-nowhere": in_layer(one("l", "no/where", kind="link"), one("l/a", b"")),
        "link-loop": in_layer(one("l", "l", kind="link"), one("l/a", b"")),
        "file-as-folder": in_layer(one("f", b""), one("f/a", b"")),
        "hard-nowhere": in_layer(one("h", "no/where", kind="hard")),
        "hard-out": in_layer(one("h", "../x", kind="hard")),
        "whiteouts": layered(PLAIN, image.tar(one(".wh.d"), one("no/.wh.x"), one("no/.wh..wh..opq"))),
        "opaque-root": layered(PLAIN, image.tar(one(".wh..wh..opq"), one("new", b"x"))),
        "whiteout-full": in_layer(one(".wh.a", b"x")), "whiteout-none": in_layer(one(".wh.", b"")),
        "whiteout-aufs": in_layer(one(".wh..wh.aufs", b"")), "whiteout-in": in_layer(one(".wh.a/b", b"")),
        "cocos-link": in_layer(one("cocos", "d", kind="link"), one("d/", kind="dir")),
        "cocos-file": in_layer(one("cocos/datasets", b"")),
        "folder-file": image.docker([in_layer(one("w", b""))], RUN),
        "folder-is-file": in_layer(one("w", b"")),
        "folder-long": image.docker([PLAIN], {"Cmd": ["a"], "WorkingDir": "/" + "w/" * 600}),
        "folder-up": image.docker([PLAIN], {"Cmd": ["a"], "WorkingDir": "/../w"}),
        "unlink-folder": layered(PLAIN, image.tar(one("d", b"now a file"))),
        "base-256": raw(header(b"a", size=b"\x80" + bytes(10) + b"\1"), b"x".ljust(512, b"\0")),
        "base-256-large": raw(header(b"a", size=b"\x80" + b"\1" * 11)),
        "base-256-huge": raw(header(b"a", size=b"\x80" + bytes(3) + b"\x7f" + b"\xff" * 7)),
        "before-1970": raw(header(b"a", mtime=b"\xff" * 12)),
        "no-number": raw(header(b"a", size=b"12x45678901\0")),
        "bad-sum": layered(b"a" * 512 + END),
        "type": raw(header(b"a", b"S")), "old-folder": raw(header(b"a/", b"\0", magic=b"\0" * 8)),
        "link-with-size": raw(header(b"a", b"2", size=b"00000000001\0", link=b"b")),
        "global": raw(extended(b"g", record(b"comment=x")), header(b"a")),
        "global-name": raw(extended(b"g", record(b"path=x")), header(b"a")),
        "pax-fields": raw(extended(b"x", record(b"path=p") + record(b"linkpath=q") + record(b"size=0") +
                                   record(b"mtime=-1.5") + record(b"SCHILY.xattr.user.a=b")), header(b"a")),
        "pax-sparse": raw(extended(b"x", record(b"GNU.sparse.major=1")), header(b"a")),
        "pax-bad": raw(extended(b"x", b"99 path=x\n")), "pax-equals": raw(extended(b"x", record(b"path"))),
        "pax-number": raw(extended(b"x", record(b"size=1x"))), "pax-none": raw(extended(b"x", record(b"size="))),
        "pax-empty": raw(extended(b"x", record(b"path="))), "pax-long": raw(extended(b"x", record(b"path=" + b"n" * 1025))),
        "pax-huge": raw(header(b"a", b"x", size=b"77777777777\0")),
        "pax-alone": raw(extended(b"x", record(b"path=p"))),
        "pax-many": raw(*[extended(b"x", record(b"path=p"))] * 9, header(b"a")),
        "no-tar": b"x" * 2000,
    }
    return found


def container_words():
    digest = "sha256:" + "a" * 64
    settings = json.loads(image.config([PLAIN], RUN))
    layer = image.descriptor("layer.v1.tar", PLAIN)
    oci = {"schemaVersion": 2, "config": image.descriptor("config.v1+json", b"x"), "layers": [layer]}
    entry = image.descriptor("manifest.v1+json", b"x")
    index = {"schemaVersion": 2, "manifests": [entry]}

    def said(number, document):
        return bytes([number]) + (document if isinstance(document, bytes) else json.dumps(document, sort_keys=True).encode())

    platform = {"os": "linux", "architecture": "amd64"}
    return {
        "layout": said(0, {"imageLayoutVersion": "1.0.0"}), "layout-2": said(0, {"imageLayoutVersion": "2"}),
        "layout-none": said(0, {}),
        "index": said(1, index), "index-two": said(1, {**index, "manifests": [entry, entry]}),
        "index-platforms": said(1, {**index, "manifests": [
            {**entry, "platform": platform}, {**entry, "platform": {"os": "unknown", "architecture": "unknown"}},
            {**entry, "platform": {**platform, "architecture": "arm64"}}]}),
        "index-many": said(1, {**index, "manifests": [{}] * 65}), "index-empty": said(1, {**index, "manifests": [{}]}),
        "index-typed": said(1, {**index, "mediaType": image.OCI + "index.v1+json"}),
        "index-as-manifest": said(1, {**index, "mediaType": image.OCI + "manifest.v1+json"}),
        "index-list": said(1, {**index, "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json"}),
        "index-urls": said(1, {**index, "manifests": [{**entry, "urls": ["https://x"]}]}),
        "oci": said(2, oci), "oci-version": said(2, {**oci, "schemaVersion": 1}), "oci-none": said(2, {}),
        "oci-typed": said(2, {**oci, "mediaType": image.OCI + "manifest.v1+json"}),
        "oci-as-index": said(2, {**oci, "mediaType": image.OCI + "index.v1+json"}),
        "oci-type-number": said(2, {**oci, "mediaType": 1}),
        "oci-unknown": said(2, {**oci, "layers": [{**layer, "mediaType": "x"}]}),
        "oci-digest": said(2, {**oci, "layers": [{**layer, "digest": "sha512:x"}]}),
        "oci-no-layer": said(2, {**oci, "layers": []}), "oci-many": said(2, {**oci, "layers": [layer] * 129}),
        "docker": said(3, [{"Config": "c", "Layers": ["l"]}]), "docker-two": said(3, [{}, {}]),
        "docker-empty": said(3, [{}]), "docker-no-layer": said(3, [{"Config": "c", "Layers": []}]),
        "docker-number": said(3, [{"Config": "c", "Layers": [1]}]),
        "config": said(4, settings), "config-none": said(4, {**settings, "config": None}),
        "config-os": said(4, {**settings, "os": "windows"}), "config-array": said(4, {**settings, "config": []}),
        "config-machine": said(4, {**settings, "architecture": "arm64"}),
        "config-env": said(4, {**settings, "config": {"Env": ["A"]}}),
        "config-env-twice": said(4, {**settings, "config": {"Env": ["A=1", "A=2"]}}),
        "config-number": said(4, {**settings, "config": {"Cmd": [1]}}),
        "config-many": said(4, {**settings, "config": {"Cmd": ["a"] * 257}}),
        "config-folder": said(4, {**settings, "config": {"WorkingDir": "here"}}),
        "config-no-layer": said(4, {**settings, "rootfs": {"type": "layers", "diff_ids": []}}),
        "config-diff": said(4, {**settings, "rootfs": {"type": "layers", "diff_ids": [digest + "b"]}}),
        "config-type": said(4, {**settings, "rootfs": {"type": "x", "diff_ids": [digest]}}),
        "run": said(5, u32(1) + b"/a\0" + u32(0) + u32(1) + b"A=b\0/w\0"),
        "run-env": said(5, u32(0) + u32(0) + u32(1) + b"=b\0/w\0"), "run-many": said(5, u32(257)),
        "run-long": said(5, u32(1) + b"a" * 65537 + b"\0" + u32(0) + u32(0) + b"/\0"),
    }


TARGETS = [container, container_words]
