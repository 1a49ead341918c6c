# SPDX-License-Identifier: Apache-2.0
"""Console of cocos-manager over a real libvirt, virtlogd and QEMU: what a machine says is told whole and in order,
also over files that virtlogd has renamed, to python3-grpcio and to the command line."""
import json
import os
import subprocess
import tempfile
import threading

import grpc

import libvirt_room as room
import tap
from harness import PATIENCE, Folder, Process, cli, program, until
from manager_libvirt import Manager, libvirt, manager, refused

LINES, LAST = 49152, b"\x1b[2Jbye\xff\r\n"
SAID = room.talked(LINES, LAST)
PLAIN = SAID[:-len(LAST)].decode() + "?[2Jbye?\n"


class Talking(Manager):
    """A manager whose machines say something, and no more."""

    def __init__(self, folder, **settings):
        room.idle_image(folder, room.talking(LINES, LAST))
        super().__init__(folder, **settings)

    def console(self, key, **wanted):
        return self.stub.Console(manager.ConsoleReq(id=key, **wanted), timeout=PATIENCE)

    def said(self, key, **wanted):
        parts = list(self.console(key, **wanted))
        assert not any(part.skipped for part in parts) and all(0 < len(part.data) <= 32768 for part in parts)
        return b"".join(part.data for part in parts), parts[-1].cursor if parts else ""

    def until_said(self, key):
        until(lambda: self.said(key, lines=1)[0] == LAST, "the machine's last words")


class Follower:
    """What a machine says, as it comes."""

    def __init__(self, m, key):
        self.call, self.heard, self.skipped, self.error = m.console(key, follow=True), b"", False, None
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        try:
            for part in self.call:
                self.skipped |= part.skipped
                self.heard += part.data
        except grpc.RpcError as error:
            self.error = error

    def end(self):
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive(), "it goes on"
        return self.error.code() if self.error else "OK"


def what_a_machine_says_is_told_over_renamed_files():
    with Folder() as folder, Talking(folder) as m:
        one = m.create(name="one")
        follower = Follower(m, "one")
        m.until_said("one")
        files = os.listdir(folder(f"state/cvms/{one.cvm_id}"))
        assert "console.log.0" in files, files  # virtlogd has renamed one
        said, cursor = m.said("one")
        assert said == SAID, (len(said), len(SAID))
        assert m.said(one.cvm_id, lines=2)[0] == SAID[-len(LAST) - 5:]
        assert m.said("one", cursor=cursor)[0] == b""
        first = next(m.console("one"))
        rest, _ = m.said("one", cursor=first.cursor)
        assert first.data + rest == SAID
        # A manager that begins again goes on behind the same byte.
        m.kill()
        assert follower.end() != "OK"  # by which code depends on what was on its way
        assert not follower.skipped and SAID.startswith(follower.heard), len(follower.heard)
        m.start()
        assert m.said("one", cursor=first.cursor)[0] == rest
        follower = Follower(m, "one")
        until(lambda: follower.heard == SAID, "all that was said")
        m.remove(one.cvm_id)
        assert follower.end() == "OK" and follower.heard == SAID and not follower.skipped
        refused(grpc.StatusCode.FAILED_PRECONDITION, lambda: list(m.console("one")), words="is gone, and its console")
        refused(grpc.StatusCode.NOT_FOUND, lambda: list(m.console("two")), words="no CVM 'two'")
        m.assert_nothing_left()


def the_command_line_prints_it_harmless():
    with Folder() as folder, Talking(folder, AUDIT_LOG=folder("audit.log")) as m:
        where = {"MANAGER_GRPC_URL": f"127.0.0.1:{m.port}"}
        one = m.create(name="one")
        m.until_said("one")
        assert cli("vm", "console", "one", **where).ok() == PLAIN
        assert cli("vm", "console", one.cvm_id, "-n", "2", **where).ok() == PLAIN[-14:], PLAIN[-14:]
        raw = folder("raw")
        with open(raw, "wb") as out:
            subprocess.run([program("cocos-cli"), "vm", "console", "one", "--raw"], check=True, stdout=out,
                           env={**os.environ, **where})
        with open(raw, "rb") as file:
            assert file.read() == SAID
        cli("vm", "console", "one", "--lines", "0", **where).refused(2, "--lines")
        cli("vm", "console", "one", "--lines", "1", "--after", "1.1", **where).refused(2, "one of them")
        cli("vm", "console", "one", "--after", "x", **where).refused(1, "cursor: 'x' is none of Console's")
        cli("vm", "console", "two", **where).refused(1, "no CVM 'two'", "hint: 'cocos-cli vm list'")
        heard = folder("heard")
        with open(heard, "wb") as out:
            follow = Process([program("cocos-cli"), "vm", "console", "one", "--follow", "-n", "1"], where, stdout=out)
        until(lambda: os.path.getsize(heard), "its last line")
        m.stop()
        follow.wait_line(r"hint: 'vm console one --follow --after [0-9a-f]+\.[0-9a-f]+' goes on")
        follow.finish()
        m.start()
        where = {"MANAGER_GRPC_URL": f"127.0.0.1:{m.port}"}
        m.remove(one.cvm_id)
        cli("vm", "console", "one", **where).refused(1, "is gone, and its console with it")
        with open(folder("audit.log"), encoding="utf-8") as file:
            rows = [row for row in map(json.loads, file) if row["method"].endswith("/Console")]
        assert {row["event"] for row in rows} == {"asked", "done"}, rows[:2]
        assert {row["id"] for row in rows if row["event"] == "done" and row["outcome"] == "OK"} == {one.cvm_id}
        m.assert_nothing_left()


if __name__ == "__main__":
    room.enter(alone=True)
    with tempfile.NamedTemporaryFile("w", prefix="virtlogd-") as conf:
        conf.write("max_size = 131072\n")
        conf.flush()
        subprocess.run(["mount", "--bind", conf.name, "/etc/libvirt/virtlogd.conf"], check=True)
        libvirt.up()
        tap.run([
            what_a_machine_says_is_told_over_renamed_files,
            the_command_line_prints_it_harmless,
        ])
