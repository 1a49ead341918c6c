# SPDX-License-Identifier: Apache-2.0
"""Archives of container images, the same bytes each time: docker's form and OCI's, right or wrong."""
import hashlib
import io
import json
import shutil
import struct
import subprocess
import tarfile
import zlib

KINDS = {"file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE,
         "char": tarfile.CHRTYPE, "block": tarfile.BLKTYPE, "fifo": tarfile.FIFOTYPE}
OCI = "application/vnd.oci.image."
PACKED = {"tar": "layer.v1.tar", "gzip": "layer.v1.tar+gzip", "zstd": "layer.v1.tar+zstd",
          "runs": "layer.v1.tar+zstd"}
ZSTD_BLOCK = 128 << 10


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def tar(*entries, form=tarfile.GNU_FORMAT):
    """(name, content or where it leads, options: kind, mode) each."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, content, options in entries:
            kind = options.get("kind", "file")
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.mtime = KINDS[kind], options.get("mode", 0o644), 1
            info.pax_headers = options.get("pax", {})
            if kind in ("link", "hard"):
                info.linkname = content
                content = b""
            info.size = len(content) if kind == "file" else 0
            archive.addfile(info, io.BytesIO(content))
        end = archive.offset
    return out.getvalue()[:end] + bytes(1024)


def one(name, content=b"", **options):
    return (name, content, options)


def gzipped(content):
    """RFC 1952 with a header of our own: what Python's says of the system hangs on its version."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return bytes.fromhex("1f8b0800000000000203") + packer.compress(content) + packer.flush() + \
        struct.pack("<II", zlib.crc32(content), len(content))


def zstd_of_runs(content):
    """RFC 8878 without a packer: blocks of one byte as such, others as they are."""
    out = [bytes.fromhex("28b52ffd") + b"\0\x70"]
    for at in range(0, len(content), ZSTD_BLOCK):
        block = content[at:at + ZSTD_BLOCK]
        run = block.count(block[:1]) == len(block)
        head = (at + ZSTD_BLOCK >= len(content)) | run << 1 | len(block) << 3
        out.append(head.to_bytes(3, "little") + (block[:1] if run else block))
    return b"".join(out)


def packed(layer, how):
    if how == "runs":
        return zstd_of_runs(layer)
    if how == "gzip":
        return gzipped(layer)
    if how == "zstd":
        return subprocess.run(["zstd", "-q", "-c"], input=layer, stdout=subprocess.PIPE, check=True).stdout
    return layer


def can_zstd():
    return shutil.which("zstd") is not None


def config(layers, run=None, **changed):
    """What the image says of itself; `changed` takes the place of what is right."""
    return json.dumps({"architecture": "amd64", "os": "linux", "config": run or {},
                       "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha256(one) for one in layers]},
                       **changed}, sort_keys=True).encode()


def docker(layers, run=None, more=(), manifest=None, **changed):
    """As `docker save` writes it. `manifest` is given what it would say, and gives what it says."""
    settings = config(layers, run, **changed)
    says = [{"Config": sha256(settings) + ".json", "RepoTags": ["an/image:latest"],
             "Layers": [f"{sha256(layer)}/layer.tar" for layer in layers]}]
    files = {f"{sha256(layer)}/layer.tar": layer for layer in layers}
    files[sha256(settings) + ".json"] = settings
    files["manifest.json"] = json.dumps(manifest(says) if manifest else says).encode()
    return tar(*(one(name, content) for name, content in files.items()), *more)


def descriptor(kind, content, **more):
    return {"mediaType": OCI + kind, "digest": "sha256:" + sha256(content), "size": len(content), **more}


def oci(layers, run=None, how="gzip", more=(), manifest=None, index=None, blob=None, **changed):
    """As `skopeo copy … oci-archive:` writes it. `manifest` and `index` change what is said, `blob` the bytes
    of each layer behind its digest."""
    settings = config(layers, run, **changed)
    blobs = [packed(layer, how) for layer in layers]
    says = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
            "config": descriptor("config.v1+json", settings),
            "layers": [descriptor(PACKED[how], one) for one in blobs]}
    says = json.dumps(manifest(says) if manifest else says).encode()
    lists = {"schemaVersion": 2, "manifests": [descriptor("manifest.v1+json", says)]}
    files = [one("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'),
             one("index.json", json.dumps(index(lists) if index else lists).encode())]
    named = {sha256(content): content for content in (settings, says)}
    named.update({sha256(content): blob(content) if blob else content for content in blobs})
    files += [one("blobs/sha256/" + name, content) for name, content in named.items()]
    return tar(*files, *more)
