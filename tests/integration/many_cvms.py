# SPDX-License-Identifier: Apache-2.0
"""A manager with thousands of CVMs, without a machine for each: libvirt's test driver knows their domains from a
file, and the registry that a manager has made is given their records."""
import os
import socket
import sqlite3
import uuid
import xml.sax.saxutils

import grpc

from harness import PATIENCE, PROTOCOL, Process, program, until
from libvirt_room import idle_image

manager, manager_grpc = PROTOCOL["manager"]

NODE = """<node><cpu><mhz>2000</mhz><model>x86_64</model><active>2</active><nodes>1</nodes><sockets>1</sockets>
<cores>2</cores><threads>1</threads></cpu><memory>1073741824</memory>%s</node>"""
DOMAIN = """<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>%s</name><uuid>%s</uuid>
<memory>131072</memory><os><type>hvm</type></os><test:transient/></domain>"""  # forgotten as soon as it is stopped
IMAGE, POLICY = "base " + "0" * 64, '{"is": "%s"}' % ("x" * 2000)


def identity(number):
    return str(uuid.UUID(int=(0x5B1C6D3E00004000800000 << 40) + number))


class ManyCvms:
    """Its folder, and managers in it, one after the other, each in a `with`. `server`: where the registry is, if not
    in the folder."""

    def __init__(self, folder, secrets, count, server=None):
        self.folder, self.count, self.server = folder, count, server
        idle_image(folder)
        self.settings = {
            "MANAGER_LIBVIRT_URI": "test:///default", "MANAGER_TEE": "none", "MANAGER_FIRMWARE": "SeaBIOS",
            "MANAGER_IMAGE_DIR": folder("image"), "MANAGER_STATE_DIR": folder("state"), "MANAGER_SECRETS_DIR": secrets,
            "MANAGER_SOCKET": folder("run/manager.sock"), "MANAGER_MAX_VMS": str(max(count, 1)),
            "MANAGER_PORTS": f"20000-{20000 + count}", "MANAGER_LOG_LEVEL": "warn"}
        if server:
            self.settings["MANAGER_DATABASE"] = server.place
        with self:
            pass
        if count:
            self._record()
            self._launch()

    def _record(self):
        for first in range(0, self.count if self.server else 0, 20):  # a command line has its limit
            self.server.sql("".join(
                "INSERT INTO cocos_manager.cvm (id, slot, port, step, created_ms, expires_ms, tee, kvm, cpus, cpu_type,"
                " firmware, image, cmdline, boot_sha3_256, boot_sha3_384, expected, name, memory) VALUES"
                f" ('{identity(n)}', {n}, {20000 + n}, 4, 1, 0, 0, 0, 1, '', 'SeaBIOS', '{IMAGE}', 'quiet',"
                f" decode(repeat('00', 32), 'hex'), decode(repeat('00', 48), 'hex'), '{POLICY}', 'vm-{n}', 134217728);"
                for n in range(first, min(first + 20, self.count))))
        if not self.server:
            self._record_in_file()
        for n in range(self.count):  # as each has them
            os.mkdir(self.folder("state/cvms", identity(n)))
            os.mkdir(os.path.join(self.settings["MANAGER_SECRETS_DIR"], identity(n)))

    def _record_in_file(self):
        registry = sqlite3.connect(self.folder("state/registry.db"))
        with registry:
            registry.executemany(
                "INSERT INTO cvm (id, slot, port, step, created_ms, expires_ms, tee, kvm, cpus, cpu_type, firmware, image,"
                " cmdline, boot_sha3_256, boot_sha3_384, expected, name, labels, memory, owner)"
                " VALUES (?, ?, ?, 4, 1, 0, 0, 0, 1, '', 'SeaBIOS', ?, 'quiet', zeroblob(32), zeroblob(48), ?, ?, '',"
                " 134217728, '')",
                ((identity(n), n, 20000 + n, IMAGE, POLICY, f"vm-{n}") for n in range(self.count)))
        registry.close()

    def _launch(self):
        with open(self.folder("state/tag"), encoding="ascii") as file:
            tag = file.read().strip()
        node = self.folder.write("node.xml", NODE % "".join(
            DOMAIN % (xml.sax.saxutils.escape(f"cocos-{tag}-{n}"), identity(n)) for n in range(self.count)))
        self.settings["MANAGER_LIBVIRT_URI"] = "test://" + node

    def __enter__(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MANAGER_")}
        self.process = Process([program("cocos-manager"), "--config", "/dev/null"], {**environment, **self.settings})
        self.channel = grpc.insecure_channel("unix:" + self.settings["MANAGER_SOCKET"], options=[
            ("grpc.min_reconnect_backoff_ms", 10), ("grpc.initial_reconnect_backoff_ms", 10),
            ("grpc.max_reconnect_backoff_ms", 10)])
        self.stub = manager_grpc.ManagerServiceStub(self.channel)
        until(self.is_listening, "the manager's socket")
        return self

    def is_listening(self):
        if self.process.process.poll() is not None:
            self.process.reader.join()  # all that it said
            raise AssertionError(self.process.text())
        with socket.socket(socket.AF_UNIX) as there:
            return there.connect_ex(self.settings["MANAGER_SOCKET"]) == 0

    def __exit__(self, kind, *_):
        self.channel.close()
        self.process.finish()
        if kind:
            print("# manager: " + self.process.text().replace("\n", "\n# "))

    def page(self, cursor="", **wanted):
        return self.stub.ListVms(manager.ListVmsReq(cursor=cursor, filter=manager.VmFilter(**wanted)),
                                 timeout=PATIENCE, wait_for_ready=True)

    def pages(self, **wanted):
        pages = [self.page(**wanted)]
        while pages[-1].next:
            pages.append(self.page(pages[-1].next, **wanted))
        return pages

    def all(self, **wanted):
        return [vm for page in self.pages(**wanted) for vm in page.vms]
