# SPDX-License-Identifier: Apache-2.0
"""Several images side by side in cocos-manager over a real libvirt and QEMU: which one a machine boots, that each CVM
keeps its own when the default is switched and the manager killed, and what is removed on the operator's word."""
import json
import os

import grpc

import libvirt_room as room
import tap
from harness import PATIENCE, Folder, cli, until
from manager_libvirt import Manager, libvirt, manager, refused

INVALID = grpc.StatusCode.INVALID_ARGUMENT
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION


class Images(Manager):
    """A manager of images, each of which has machines say its name."""

    def __init__(self, folder, *names, **settings):
        os.mkdir(folder("images"))
        for name in names:
            room.idle_image(folder, room.talking(1, name.encode() + b"\n"))
            os.rename(folder("image"), folder("images", name))
        os.symlink(names[0], folder("images/default"))
        super().__init__(folder, IMAGE_DIR=folder("images"), **settings)

    def where(self):
        return {"MANAGER_GRPC_URL": f"127.0.0.1:{self.port}"}

    def get(self, key):
        return self.stub.GetVm(manager.GetVmReq(id=key), timeout=PATIENCE)

    def boots(self, key):
        """What its machine says, looked at once: the machine may be in the middle of a word."""
        def word():
            parts = self.stub.Console(manager.ConsoleReq(id=key, lines=1), timeout=PATIENCE)
            said = b"".join(part.data for part in parts)
            return said[:-1].decode() if said[-1:] == b"\n" and said != b"AAAA\n" else None
        return until(word, "its machine's word")


def each_cvm_keeps_the_image_that_it_was_launched_from():
    with Folder() as folder, Images(folder, "one", "two", AUDIT_LOG=folder("audit.log")) as m:
        first = m.create(name="first")
        assert cli("image", "default", "two", **m.where()).ok() == "image two is the default\n"
        second, third = m.create(name="second"), m.create(name="third", image="one")
        refused(INVALID, m.create, words="'three' is asked for, and none in MANAGER_IMAGE_DIR", image="three")
        images = {name: m.get(name).image for name in ("first", "second", "third")}
        assert images["first"] == images["third"] != images["second"], images
        assert [m.boots(name) for name in images] == ["one", "two", "one"]
        m.kill()
        m.start()
        assert {name: m.get(name).image for name in images} == images
        rows = cli("image", "list", "--json", **m.where()).json()
        assert rows == [
            {"name": "one", "default": False, "cvms": 2, "image": images["first"], "problem": ""},
            {"name": "two", "default": True, "cvms": 1, "image": images["second"], "problem": ""}], rows
        cli("image", "remove", "two", **m.where()).refused(1, "image 'two' is the default")
        cli("image", "remove", "one", **m.where()).refused(1, "image 'one' is used by CVM ", " and others")
        cli("image", "default", "three", **m.where()).refused(1, "no image 'three' in MANAGER_IMAGE_DIR")
        cli("image", "remove", "../one", **m.where()).refused(1, "is no name of one")
        m.remove(first.cvm_id)
        cli("image", "remove", "one", **m.where()).refused(1, f"image 'one' is used by CVM {third.cvm_id}: remove it first")
        m.remove(third.cvm_id)
        assert cli("image", "remove", "one", **m.where()).ok() == "image one removed\n"
        assert sorted(os.listdir(folder("images"))) == ["default", "two"]
        refused(INVALID, m.create, words="'one' is asked for", image="one")
        again = m.create(name="again", image="two")
        assert m.boots("again") == "two" == m.boots("second")
        for made in (second, again):
            m.remove(made.cvm_id)
        m.assert_nothing_left()
        with open(folder("audit.log"), encoding="utf-8") as file:
            rows = [row for row in map(json.loads, file) if "Image" in row["method"] and row["event"] == "done"]
        assert [(row["method"].split("/")[1], row["image"], row["outcome"]) for row in rows][0] == (
            "SetDefaultImage", "two", "OK"), rows
        assert {row["outcome"] for row in rows} == {"OK", "FAILED_PRECONDITION", "NOT_FOUND", "INVALID_ARGUMENT"}, rows


def one_that_is_changed_is_refused_by_name_and_the_others_serve():
    with Folder() as folder, Images(folder, "one", "two") as m:
        with open(folder("images/two/initrd.img"), "ab") as file:
            file.write(b"more")
        refused(PRECONDITION, m.create, words="image 'two': ", image="two")
        cli("image", "default", "two", **m.where()).refused(1, "image 'two': ")
        shown = cli("image", "list", **m.where()).ok().splitlines()
        assert shown[1].split()[:3] == ["one", "default", "0"] and "initrd.img" in shown[2], shown
        m.remove(m.create(name="still").cvm_id)
        assert cli("image", "remove", "two", **m.where()).ok() == "image two removed\n"
        m.assert_nothing_left()


if __name__ == "__main__":
    room.enter(alone=True)
    libvirt.up()
    tap.run([
        each_cvm_keeps_the_image_that_it_was_launched_from,
        one_that_is_changed_is_refused_by_name_and_the_others_serve,
    ])
