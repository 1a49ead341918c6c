# SPDX-License-Identifier: Apache-2.0
"""The same hostile programs in real machines: the image with Python, our own kernel, agent, keeper and jail as the
image's users. Each is contained, its failure says why, and the next one runs in the same machine.

escape_vm.py PROJECT IMAGE [WORD...]: those whose noun or name begins so; IMAGE is the folder for the image. What
needs the runtime of WebAssembly is left out, which that image has not. What a program leaves in the machine nobody
can look for from here: the machine has to go on, the kernel to complain of nothing, and the next ones to end as they do
on a host, where escape.py looks.
"""
import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "integration")]
# pylint: disable=wrong-import-position
import tap  # noqa: E402
from agent_peer import Service, free_port  # noqa: E402
from escape import HONEST, LISTENER, SETTINGS, judge, judge_words  # noqa: E402
from guest_vm import PATIENCE, Vm, build_image  # noqa: E402
from rows import content_of, rows  # noqa: E402
from runs import Runs  # noqa: E402

MEMORY = 1536  # MiB: more than the programs may have together with what they fill
PORT = 7002
LATE = {"AGENT_RUN_TIME": "30s"}  # for programs that never end; Python has to be up by then only to be worth it
# What our kernel can say: it has no watchdog for tasks or processors, whose words would hang on load.
COMPLAINTS = ("BUG:", "Oops", "WARNING:", "panic", "boot stopped")


class Machine:
    """One after the other; `settings` are those of its boot disk."""

    def __init__(self, image, settings):
        self.image, self.settings = image, settings
        self.run = None

    def starts(self):
        self.service, outside = Service(), free_port()
        given = {"AGENT_CVM_GRPC_URL": f"10.0.2.2:{self.service.port}", **self.settings}
        self.vm = Vm(self.image, "".join(f"{key}={value}\n" for key, value in given.items()), {"ca.pem": b"x"},
                     memory=MEMORY,
                     net=["-netdev", f"user,id=net0,hostfwd=tcp:127.0.0.1:{outside}-:{PORT}"])
        self.vm.append += " cocos.role_signature"  # as the peer here signs
        self.vm.__enter__()
        assert "own_kernel" in self.vm.record, "this image has Debian's kernel"
        self.service.wait(lambda s: s.connections and s.outgoing, PATIENCE)
        self.run = Runs(self.service, PORT, outside)

    def goes_on(self):
        """An honest program, with whatever the others left."""
        end = self.run(HONEST, "bin", data=[("a", b"data")])
        assert not end.failure and end.results == {"ok": b"data"}, end

    def ends(self):
        """It is still there, and its kernel had nothing to complain of."""
        try:
            assert self.vm.qemu.poll() is None, "the machine is gone"
            found = [line for line in self.vm.lines if any(word in line for word in COMPLAINTS)]
            assert not found, found
        finally:
            self.vm.__exit__()
            self.service.stop()
            self.run = None


def named(name, function):
    def test():
        function()
    test.__name__ = name
    return test


def test_of(row, machine):
    def test():
        service = machine.service
        for _ in range(row.times):
            logs, events = len(service.of("agent_log")), len(service.events())
            judge(row, machine.run(content_of(row), row.kind, (LISTENER,), row.data))
            if row.lines:
                judge_words(row, [log.message for log in service.of("agent_log")][logs:], service.events()[events:])
    test.__name__ = f"{row.noun}: {row.name}"
    return test


def tests_of(machine, some, what, honest):
    return ([named(f"a machine {what} starts", machine.starts)] +
            [test_of(row, machine) for row in some] +
            [named(f"after all of them an honest one runs {what}", machine.goes_on)] * honest +
            [named(f"the machine {what} is as it was", machine.ends)])


def main():
    project, image, *words = sys.argv[1:]
    some = [row for row in rows if row.noun != "wasm" and
            (not words or any(row.noun.startswith(w) or row.name.startswith(w) for w in words))]
    build_image(project, "python", image, kernel="own")
    late = [row for row in some if row.noun == "time"]
    print(f"# {len(some)} hostile programs")
    tap.run(tests_of(Machine(image, SETTINGS), [row for row in some if row not in late], "for programs that end", True) +
            (tests_of(Machine(image, {**SETTINGS, **LATE}), late, "for programs that never end", False) if late else []))


if __name__ == "__main__":
    main()
