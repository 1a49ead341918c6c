# SPDX-License-Identifier: Apache-2.0
"""Against a real agent: images of containers whose archive wants more than to be an algorithm. What counts as
gained is each byte of the results that such a run brings forth."""
import io
import tarfile

import grpc

from agent_docker import RUN, layers, sent
from agent_job import USER_KEY
from agent_peer import WAIT
import container_image as image
from container_image import one
from rows import Outcome, row

ENDS = {"ConsumingResults/Ready", "Failed/Failed"}


def run(archive, **agent_args):
    """What came of a whole computation with that image, which may be refused when it arrives."""
    try:
        with sent(archive, **agent_args) as (service, _, client):
            service.wait(lambda s: ENDS & set(s.events()), WAIT)
            failed = "Failed/Failed" in service.events()
            return Outcome(not failed, client.status().failure, 0 if failed else len(client.result(USER_KEY)))
    except grpc.RpcError as refusal:
        return Outcome(False, refusal.details(), 0)


def with_layer(*entries):
    return run(image.docker(layers(*entries), RUN))


@row("image-path-out-of-its-folder", "has '..' in it")
def path_out(evil):
    """A layer names a file above the folder that it is unpacked into."""
    return with_layer(one("../cocos/results/seen" if evil else "opt/seen", b"forged"))


@row("image-link-then-file", "is there twice")
def link_then_file(evil):
    """A layer has a name as a link to the results, then once more as a file: who writes without looking, writes there."""
    return with_layer(one("opt/out", "/cocos/results/seen", kind="link"),
                      one("opt/out" if evil else "opt/other", b"forged"))


@row("image-whiteout-of-the-folder-above", "names nothing that could go")
def whiteout_up(evil):
    """A layer's whiteout would remove '..', and with it what lies beside the image."""
    return with_layer(one("opt/.wh..." if evil else "opt/.wh.gone"))


@row("image-whiteout-with-content", "is no empty file")
def whiteout_full(evil):
    """A whiteout that is a file as well: other tools would leave it there, and run another image than this one."""
    return with_layer(one("etc/.wh.stays", b"hidden" if evil else b""))


@row("image-hard-link-out-of-its-folder", "has '..' in it")
def hard_link_out(evil):
    """A second name for a file of the machine that unpacks, to be read or written through it."""
    return with_layer(one("bin/second", "../../../../etc/passwd" if evil else "bin/sum", kind="hard"))


@row("image-hard-link-through-a-link", "to 'opt/out/passwd': No such file or directory")
def hard_link_through(evil):
    """The same through a link of the layer's own, which leads to a folder of the image and never to the machine's."""
    return with_layer(one("opt/out", "/etc" if evil else "/bin", kind="link"),
                      one("opt/second", "opt/out/passwd" if evil else "opt/out/sum", kind="hard"))


@row("image-device", "is a device or pipe")
def device(evil):
    """A layer brings a node for the machine's memory or disk."""
    return with_layer(one("dev/sda", kind="block" if evil else "file"))


@row("image-layer-exchanged", "its digest is not the one that the manifest names")
def exchanged(evil):
    """Whoever passes the archive on changes a layer, and leaves manifest and configuration as they were signed."""
    return run(image.oci(layers(), RUN, "tar",
                         blob=lambda layer: layer.replace(b"COLOUR=%s", b"COLOUR:%s") if evil else layer))


@row("image-layer-not-of-the-configuration", "its diff_id is not the one that the configuration names")
def not_of_the_configuration(evil):
    """The manifest names layers of one image, the configuration those of another."""
    other = [image.tar(one("a", b"x"))] * 2
    return run(image.docker(layers(), RUN, rootfs={
        "type": "layers", "diff_ids": ["sha256:" + image.sha256(a) for a in (other if evil else layers())]}))


@row("image-two-in-an-archive", "there has to be exactly one image in it")
def two_images(evil):
    """Two images in one archive: which one runs would be the reader's choice."""
    return run(image.docker(layers(), RUN, manifest=lambda says: says * 2 if evil else says))


@row("image-two-manifests", "name two images")
def two_manifests(evil):
    """An archive of both forms, in which each describes an image of its own."""
    good = layers()
    said = image.docker(layers(one("opt/other", b"x")) if evil else good, RUN)
    with tarfile.open(fileobj=io.BytesIO(said)) as archive:
        more = [one(each.name, archive.extractfile(each).read()) for each in archive]
    return run(image.oci(good, RUN, "tar", more=more))


@row("image-bomb", "bytes unpacked")
def bomb(evil):
    """A layer of few bytes becomes more than the run may write."""
    zeros = one("opt/zeros", bytes((64 if evil else 1) << 20))
    return run(image.oci(layers(zeros), RUN, "gzip"), settings={"AGENT_RUN_SCRATCH": "16M"})
