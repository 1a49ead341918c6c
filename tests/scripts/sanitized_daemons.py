#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A sanitizer's report inside a program that an integration test starts fails that test.

Arguments: the program `planted` and the library that leaks, both of a build with sanitizers. With
--inner MISTAKE it is such a test itself.
"""
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "integration"))
import harness  # noqa: E402
import sanitized  # noqa: E402
import tap  # noqa: E402
from agent_peer import Agent, Service  # noqa: E402
from libvirt_room import idle_image  # noqa: E402

PLANTED, LEAK = sys.argv[1:3]


# ---- the tests inside; each is given a mistake, or "none" ----

def preloaded(mistake):
    return {"LD_PRELOAD": LEAK} if mistake == "leak" else {}


def wrapper(mistake):
    return ["env", *(f"{k}={v}" for k, v in preloaded(mistake).items())]


def the_service(mistake):
    with harness.Folder() as folder:
        service = harness.Computations(folder)
        service.wrapper = wrapper(mistake)
        with service:
            pass


def the_agent(mistake):
    service = Service()
    agent = Agent(service, wrapper=wrapper(mistake))
    try:
        service.wait_connected()
    finally:
        agent.remove()
        service.stop()


def the_manager(mistake):
    with harness.Folder() as folder, tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        settings = {"SOCKET": folder("manager.sock"), "IMAGE_DIR": idle_image(folder),
                    "STATE_DIR": folder("state"), "SECRETS_DIR": memory + "/secrets", "TEE": "none",
                    "LIBVIRT_URI": f"qemu+unix:///system?socket={folder('no-libvirt')}"}
        config = folder.write("manager.conf",
                              "".join(f"MANAGER_{k}={v}\n" for k, v in settings.items()))
        manager = harness.Process([harness.program("cocos-manager"), "--config", config],
                                  preloaded(mistake))
        manager.wait_line("listening on")
        manager.finish()


def the_command_line(mistake):
    harness.cli("--version", **preloaded(mistake))


def serving(mistake):
    """A daemon that makes its mistake when it is told to end."""
    process = harness.Process([PLANTED, "serve", mistake])
    process.wait_line("ready")
    process.finish()


def a_child_without_environment(mistake):
    """As keeper and jail are started; its parent does not mind how it ends."""
    process = harness.Process([PLANTED, "child", mistake])
    process.wait_line("ready")
    process.finish()


LEAKING = (the_service, the_agent, the_manager, the_command_line)
MAKING = (serving, a_child_without_environment)
INNER = {one.__name__: one for one in LEAKING + MAKING}


# ---- what is shown of them ----

def outcome(name, mistake):
    done = subprocess.run([sys.executable, os.path.realpath(__file__), PLANTED, LEAK, "--inner", name,
                           mistake], capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, done.stdout + done.stderr


def passes(name):
    def test():
        status, said = outcome(name, "none")
        assert status == 0 and "\nok 1 - inner" in said, (status, said)
    test.__name__ = f"{name}_passes_without_a_mistake"
    return test


def fails(name, mistake):
    def test():
        status, said = outcome(name, mistake)
        assert status == 1 and "not ok 1 - inner" in said, (status, said)
        assert "Sanitizer" in said or "runtime error: " in said, said
    test.__name__ = f"{name}_fails_by_{mistake.replace('-', '_')}"
    return test


def who_was_killed_while_it_looked_for_leaks_is_no_report():
    lost = "==7==Unable to get registers from thread 8.\n"
    gone = ("==7==Can't open directory /proc/7/task: No such file\n==7==LeakSanitizer has encountered a fatal error.\n"
            "==7==HINT: For debugging, try setting environment variable\n")
    for number, (text, is_report) in enumerate((
            (lost, False), (gone, False), (lost + "==9==ERROR: LeakSanitizer: detected memory leaks\n", True),
            ("==7==LeakSanitizer has encountered a fatal error.\n", True), ("a.c:1:2: runtime error: b\n", True))):
        path = os.path.join(sanitized.FOLDER, f"report.{number}")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        try:
            sanitized.check()
        except AssertionError as e:
            assert is_report and text in str(e), e
        else:
            assert not is_report, text
        os.remove(path)


def main():
    tap.run([who_was_killed_while_it_looked_for_leaks_is_no_report] + [passes(name) for name in INNER] +
            [fails(one.__name__, "leak") for one in LEAKING] +
            [fails(one.__name__, mistake) for one in MAKING
             for mistake in ("heap-overflow", "use-after-free", "signed-overflow", "leak")])


if sys.argv[3:4] == ["--inner"]:
    def inner():
        INNER[sys.argv[4]](sys.argv[5])
    tap.run([inner])
else:
    main()
