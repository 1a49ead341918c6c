# SPDX-License-Identifier: Apache-2.0
"""The same hostile programs in real machines: the image with Python, our own kernel, agent, keeper and jail as the
image's users; modules of WebAssembly in the image with their runtime. Each is contained, its failure says why, and the
next one runs in the same machine.

escape_vm.py PROJECT IMAGES [WORD...]: those whose noun or name begins so; IMAGES is the folder of images' folders. What
a program leaves in the machine nobody can look for from here: the machine has to go on, the kernel to complain of
nothing, and the next ones to end as they do on a host, where escape.py looks.
"""
import collections
import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "integration")]
# pylint: disable=wrong-import-position
import tap  # noqa: E402
import wasm_bytes as wb  # noqa: E402
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


def a_script(run):
    end = run(HONEST, "bin", data=[("a", b"data")])
    assert not end.failure and end.results == {"ok": b"data"}, end


def a_module(run):
    end = run(wb.says("after all"), "wasm", data=[("a", b"data")])
    assert not end.failure and end.lines == ["after all"], end


# Which rows, in the image of which flavour, with which settings more on its boot disk; the honest program, where those
# settings leave it the time.
Part = collections.namedtuple("Part", "what is_of flavour more honest")
PARTS = (Part("for programs that end", lambda noun: noun not in ("time", "wasm"), "python", {}, a_script),
         Part("for modules", lambda noun: noun == "wasm", "wasm", {}, a_module),
         Part("for programs that never end", lambda noun: noun == "time", "python", LATE, None))


class Machine:
    """One after the other, of the image in that folder."""

    def __init__(self, image, part):
        self.image, self.settings, self.honest = image, {**SETTINGS, **part.more}, part.honest
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
        self.honest(self.run)

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


def tests_of(part, machine, some):
    return ([named(f"a machine {part.what} starts", machine.starts)] +
            [test_of(row, machine) for row in some] +
            ([named(f"after all of them an honest one runs {part.what}", machine.goes_on)] if part.honest else []) +
            [named(f"the machine {part.what} is as it was", machine.ends)])


def main():
    project, images, *words = sys.argv[1:]
    some = [row for row in rows
            if not words or any(row.noun.startswith(w) or row.name.startswith(w) for w in words)]
    tests = []
    for part in PARTS:
        its = [row for row in some if part.is_of(row.noun)]
        if its:
            image = build_image(project, part.flavour, os.path.join(images, part.flavour + "-own"), kernel="own")
            tests += tests_of(part, Machine(image, part), its)
    print(f"# {len(some)} hostile programs")
    tap.run(tests)


if __name__ == "__main__":
    main()
