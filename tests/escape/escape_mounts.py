# SPDX-License-Identifier: Apache-2.0
"""Mounts, and the layers over what was uploaded."""
# flake8: noqa: F821
from rows import hostile

ONE = (("a.txt", b"data\n"),)


@hostile()
def the_images_programs_writable():
    """mount(MS_REMOUNT) of /usr without read-only."""
    refused(call, 165, b"none", b"/usr", None, 32, None)


@hostile()
def a_program_in_usr():
    """Puts a program where every run would find it."""
    for path in ("/usr/bin/owned", "/bin/owned", "/usr/lib/owned.so", "/etc/owned", "/owned"):
        refused(open, path, "w")


@hostile(data=ONE)
def what_lies_below_the_datasets():
    """umount2 of the layer, to see the folder that it covers."""
    refused(call, 166, b"/task/datasets", 2)


@hostile(data=ONE)
def a_whiteout_of_its_own():
    """A character device 0:0 in datasets/, which an overlay reads as 'gone'."""
    refused(os.mknod, "/task/datasets/a.txt.gone", 0o020000, 0)


@hostile(data=ONE)
def an_opaque_folder():
    """trusted.overlay.opaque and user.overlay.opaque on datasets/, which hide what is below."""
    for attribute in ("trusted.overlay.opaque", "user.overlay.opaque"):
        refused(os.setxattr, "/task/datasets", attribute, b"y")


@hostile(data=ONE)
def a_layer_that_leads_elsewhere():
    """user.overlay.redirect to /etc, which would show that folder in the layer's place."""
    os.makedirs("/tmp/layer", exist_ok=True)
    refused(os.setxattr, "/tmp/layer", "user.overlay.redirect", b"/etc")


@hostile(data=ONE)
def results_moved_away():
    """Renames results/ and datasets/, to put links in their place."""
    for name in ("results", "datasets"):
        refused(os.rename, "/task/" + name, "/task/was-" + name)
        refused(os.rmdir, "/task/" + name)


@hostile(data=ONE)
def the_layers_filled():
    """Writes beside its data until there is no room; nothing outside may fill up."""
    with open("/task/datasets/owned" if os.access("/task/datasets", os.W_OK) else "/task/owned", "wb",
              buffering=0) as file:
        until_refused(lambda: file.write(bytes(1 << 20)))


@hostile()
def a_detached_mount():
    """fsopen and open_tree, the newer calls for mounts."""
    refused(call, 430, b"tmpfs", 0)
    refused(call, 428, -100, b"/", 1)
