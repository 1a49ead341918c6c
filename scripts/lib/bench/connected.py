# SPDX-License-Identifier: Apache-2.0
"""How long a machine takes from CreateVm until its agent is connected, through SeaBIOS; and in turns with
it, how long libvirt alone takes with the same kernel, initrd, memory and processors until init runs.

  connected.py FOLDER IMAGE ROUNDS     prints [[seconds connected, seconds bare], …]
"""
import os
import subprocess
import time
import xml.etree.ElementTree as ET

from machines import BOOT, room, run

BARE, INIT = "bench-bare", b"cocos-init: "


def bare_of(text, console):
    """A domain like that one without what the manager adds to it: TPM, shares, network."""
    root = ET.fromstring(text)
    root.find("name").text = BARE
    root.remove(root.find("uuid"))
    devices = root.find("devices")
    for kind in ("tpm", "filesystem", "interface"):
        for device in devices.findall(kind):
            devices.remove(device)
    for device in devices.findall("serial") + devices.findall("console"):
        device.find("source").set("path", console)
    return ET.tostring(root, encoding="unicode")


def connected(manager, service):
    """Seconds, and the machine's domain as libvirt was given it."""
    from harness import computations, until

    began = time.monotonic()
    cvm = manager.create(agent_cvm_server_url=f"10.0.2.2:{service.port}").cvm_id
    try:
        until(lambda: any(each.id == cvm and each.connected for each in service.admin.ListCvms(
            computations.ListRequest(), timeout=BOOT).cvms), "the agent's connection", BOOT)
        seconds = time.monotonic() - began
        (name,) = room.domains().values()
        return seconds, room.virsh("dumpxml", "--inactive", name)
    finally:
        manager.remove(cvm)


def init_runs(folder, text):
    from harness import until

    console, file = folder("bare.console"), folder("bare.xml")
    with open(file, "w", encoding="utf-8") as out:
        out.write(bare_of(text, console))

    def said():
        if not os.path.exists(console):
            return False
        with open(console, "rb") as lines:
            return INIT in lines.read()

    began = time.monotonic()
    room.virsh("create", file)
    try:
        until(said, "init", BOOT)
        return time.monotonic() - began
    finally:  # it stops by itself as well, for want of shares
        subprocess.run(["virsh", "-q", "-c", room.URI, "destroy", BARE], capture_output=True, check=False)
        until(lambda: BARE not in room.domains().values(), "the bare machine's end")
        os.unlink(console)


def measure(folder, service, rounds):
    from manager_libvirt import Manager

    found = []
    with Manager(folder, MEMORY="1G", TEE="none", FIRMWARE="SeaBIOS") as manager:
        for _ in range(int(rounds)):
            seconds, text = connected(manager, service)
            found.append([seconds, init_runs(folder, text)])
    return found


if __name__ == "__main__":
    run(measure)
