# SPDX-License-Identifier: Apache-2.0
"""How long a machine takes from CreateVm until its agent is connected, through SeaBIOS; and in turns with
it, how long libvirt alone takes with the same kernel, initrd, memory and processors until init runs.

  connected.py FOLDER IMAGE ROUNDS     prints [[seconds connected, bare, answered, init, agent], …]
"""
import os
import subprocess
import time
import xml.etree.ElementTree as ET

from machines import BOOT, room, run

BARE, INIT, AGENT = "bench-bare", b"cocos-init: ", b"agent started"


def bare_of(text, console):
    """A domain like that one without what the manager adds to it: TPM, boot disk, network."""
    root = ET.fromstring(text)
    root.find("name").text = BARE
    root.remove(root.find("uuid"))
    devices = root.find("devices")
    for kind in ("tpm", "disk[serial]", "interface"):
        for device in devices.findall(kind):
            devices.remove(device)
    for device in devices.findall("serial") + devices.findall("console"):
        device.find("source").set("path", console)
    return ET.tostring(root, encoding="unicode")


def said(console, words):
    try:
        with open(console, "rb") as lines:
            return words in lines.read()
    except FileNotFoundError:
        return False


def connected(manager, service):
    """Seconds until it is connected, CreateVm answers, init runs, the agent starts; and the machine's domain
    as libvirt was given it."""
    from harness import computations, until

    began = time.monotonic()
    cvm = manager.create(agent_cvm_server_url=f"10.0.2.2:{service.port}").cvm_id
    times = [time.monotonic() - began]
    try:
        (name,) = room.domains().values()
        text = room.virsh("dumpxml", "--inactive", name)
        console = ET.fromstring(text).find("devices/serial/source").get("path")
        for words in (INIT, AGENT):
            until(lambda words=words: said(console, words), words.decode(), BOOT)
            times.append(time.monotonic() - began)
        until(lambda: any(each.id == cvm and each.connected for each in service.admin.ListCvms(
            computations.ListRequest(), timeout=BOOT).cvms), "the agent's connection", BOOT)
        return [time.monotonic() - began, *times], text
    finally:
        manager.remove(cvm)


def init_runs(folder, text):
    from harness import until

    console, file = folder("bare.console"), folder("bare.xml")
    with open(file, "w", encoding="utf-8") as out:
        out.write(bare_of(text, console))

    began = time.monotonic()
    room.virsh("create", file)
    try:
        until(lambda: said(console, INIT), "init", BOOT)
        return time.monotonic() - began
    finally:  # it stops by itself as well, for want of a boot disk
        subprocess.run(["virsh", "-q", "-c", room.URI, "destroy", BARE], capture_output=True, check=False)
        until(lambda: BARE not in room.domains().values(), "the bare machine's end")
        os.unlink(console)


def measure(folder, service, rounds):
    from manager_libvirt import Manager

    found = []
    with Manager(folder, MEMORY="1G", TEE="none", FIRMWARE="SeaBIOS") as manager:
        for _ in range(int(rounds)):
            (seconds, *parts), text = connected(manager, service)
            found.append([seconds, init_runs(folder, text), *parts])
    return found


if __name__ == "__main__":
    run(measure)
