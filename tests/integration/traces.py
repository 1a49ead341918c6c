# SPDX-License-Identifier: Apache-2.0
"""One id for all that a call leads to, from the command line through both daemons, in lines and in systemd's journal."""
import os
import re
import socket
import struct

import grpc

import tap
from daemons import manager_of
from harness import PATIENCE, PROTOCOL, Computations, FakeAgent, Folder, Process, cli, program
from workspaces import manifest

computations, computations_grpc = PROTOCOL["computations"]
manager, _ = PROTOCOL["manager"]
WAIT = PATIENCE
ID = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{ID}-b7ad6b7169203331-01"
MADE = r"[0-9a-f]{32}"


def asked(*words, **environment):
    """What a command says that it asked under."""
    said = cli(*words, "-v", **environment)
    found = re.findall(rf" trace ({MADE})$", said.err, re.M)
    assert len(set(found)) == 1, said.err
    return found[0]


def a_command_s_id_is_in_the_daemon_s_lines():
    with Folder() as folder, manager_of(folder) as m:
        url = "unix:" + folder("run/manager.sock")
        ids = [asked("vm", "remove", "no-such-machine", MANAGER_GRPC_URL=url) for _ in range(2)]
        assert ids[0] != ids[1], ids
        for each in ids:
            m.process.wait_line(f"RemoveVm from .*no-such-machine.* trace={each}$")


def a_daemon_passes_it_on():
    """What a person asks the service for, the service asks a manager for: one id in three programs."""
    with Folder() as folder, manager_of(folder) as m, Folder() as other:
        table = other.write("managers", f"manager here unix:{folder('run/manager.sock')} agents=10.0.2.2:7001\n"
                                        "limit default cvms=4\n")
        with Computations(other, MANAGERS=table) as running:
            # libvirt's test driver starts no such domain: the manager says so, and why
            each = asked("cvm", "create", "one", COMPUTATIONS_GRPC_URL="unix:" + running.socket)
            m.process.wait_line(f"CreateVm from .* trace={each}$")
            m.process.wait_line(f"CVM .*: not created: .* trace={each}$")
            running.process.wait_line(f"CVM one of workspace default .* trace={each}$")


def a_caller_without_one_gets_one():
    with Folder() as folder, manager_of(folder) as m:
        seen = set()
        for name, metadata in (("none", ()), ("cut", (("traceparent", PARENT[:-1]),)),
                               ("two", (("traceparent", PARENT),) * 2)):
            try:
                m.stub.RemoveVm(manager.RemoveReq(cvm_id=name), timeout=WAIT, metadata=metadata)
                raise AssertionError("it was removed")
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.NOT_FOUND, error
            seen.add(m.process.wait_line(f"no CVM '{name}' trace=({MADE})$").group(1))
        assert len(seen) == 3 and ID not in seen, seen


class Journal:
    """systemd's: a datagram socket where a daemon in `inside` expects it."""

    def __init__(self, folder):
        os.mkdir(folder("journal"))
        self.folder = folder("journal")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(folder("journal/socket"))
        self.socket.settimeout(PATIENCE)

    def inside(self):
        """In a namespace of its own, with standard error as the journal's stream."""
        return ["unshare", "-m", "sh", "-ec",
                "mount -t tmpfs none /run; mkdir -p /run/systemd/journal; "
                f"mount --bind '{self.folder}' /run/systemd/journal; "
                "JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/2) exec \"$@\"", "sh"]

    def entry(self):
        """The next one, taken apart as systemd's docs/JOURNAL_NATIVE_PROTOCOL.md says."""
        data, fields = self.socket.recv(1 << 20), {}
        while data:
            name, data = data.split(b"\n", 1)
            length, = struct.unpack("<Q", data[:8])
            assert data[8 + length:9 + length] == b"\n" and name.decode() not in fields, data
            fields[name.decode()] = data[8:8 + length].decode()
            data = data[9 + length:]
        return fields

    def wait(self, words):
        while True:
            entry = self.entry()
            if words in entry["MESSAGE"]:
                return entry

    def close(self):
        self.socket.close()


def the_journal_gets_fields():
    with Folder() as folder:
        journal = Journal(folder)
        config = folder.write("service.conf", f"COMPUTATIONS_ADMIN_SOCKET={folder('run/admin.sock')}\n"
                              f"COMPUTATIONS_GRPC_PORT=0\nCOMPUTATIONS_STATE_DIR={folder('service')}\n")
        daemon = Process([*journal.inside(), program("cocos-computations"), "--config", config])
        try:
            port = re.search(r"port (\d+)", journal.wait("listening on")["MESSAGE"]).group(1)
            ready = journal.wait("ready")
            assert ready == {"MESSAGE": "ready", "PRIORITY": "6", "SYSLOG_IDENTIFIER": "cocos-computations"}, ready
            stub = computations_grpc.ComputationServiceStub(grpc.insecure_channel("unix:" + folder("run/admin.sock")))
            stub.Create(computations.CreateRequest(manifest=manifest("sums")), timeout=WAIT,
                        metadata=[("traceparent", PARENT)])
            made = journal.wait("computation 'sums' created")
            assert made["COCOS_TRACE"] == ID and made["COCOS_COMPUTATION"] == "sums", made
            assert "COCOS_CVM" not in made and ID not in made["MESSAGE"], made
            with FakeAgent(f"127.0.0.1:{port}", "the-cvm") as agent:
                arrived = journal.wait("CVM 'the-cvm' connected")
                assert arrived["COCOS_CVM"] == "the-cvm" and re.fullmatch(MADE, arrived["COCOS_TRACE"]), arrived
                stub.Run(computations.RunRequest(id="sums", cvm_id="the-cvm"), timeout=WAIT,
                         metadata=[("traceparent", PARENT)])
                agent.manifest()
                sent = journal.wait("manifest of computation 'sums' sent")
                assert (sent["COCOS_TRACE"], sent["COCOS_CVM"], sent["COCOS_COMPUTATION"]) == \
                    (ID, "the-cvm", "sums"), sent
            left = journal.wait("CVM 'the-cvm' disconnected")
            assert (left["COCOS_TRACE"], left["COCOS_COMPUTATION"]) == (arrived["COCOS_TRACE"], "sums"), left
        finally:
            daemon.finish()
            journal.close()
        # The audit log keeps its way, where a line that is not taken is known.
        assert all("audit: {" in line for line in daemon.text().splitlines()), daemon.text()


if __name__ == "__main__":
    tap.run([
        a_command_s_id_is_in_the_daemon_s_lines,
        a_daemon_passes_it_on,
        a_caller_without_one_gets_one,
        the_journal_gets_fields,
    ])
