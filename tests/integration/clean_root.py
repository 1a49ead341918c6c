#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What scripts/clean-root keeps and removes. That it makes a system is seen by scripts/test other."""
import fcntl
import importlib.machinery
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
import tap  # noqa: E402

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts/clean-root")


def load():
    loader = importlib.machinery.SourceFileLoader("clean_root", PROGRAM)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


clean_root = load()


def what_nobody_uses_is_swept():
    day = 24 * 3600
    with tempfile.TemporaryDirectory() as cache:
        systems = os.path.join(cache, "systems")
        os.mkdir(systems)
        for name, age in (("trixie-old", 15), ("trixie-half.new", 15), ("trixie-last-week", 13), ("trixie-made.new", 900),
                          ("layer-killed", 0)):
            os.makedirs(os.path.join(systems, name, "root"))
            when = time.time() - age * day
            os.utime(os.path.join(systems, name), (when, when))
        for name in ("trixie-old", "trixie-made"):
            with open(os.path.join(systems, name + ".lock"), "w", encoding="utf-8") as lock:
                os.utime(lock.fileno(), (0, 0))
        # Packages date the folder that they are unpacked into; who makes the system holds its lock.
        with open(os.path.join(systems, "trixie-made.lock"), "r", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with clean_root.layer_of(systems, cache) as layer:
                clean_root.sweep(systems, cache)
                assert sorted(os.listdir(systems)) == [os.path.basename(layer), "trixie-last-week", "trixie-made.lock",
                                                       "trixie-made.new"], os.listdir(systems)
            assert not os.path.exists(layer)
        clean_root.sweep(systems, cache)
        assert os.listdir(systems) == ["trixie-last-week"], os.listdir(systems)


def a_layer_is_kept_while_anything_runs_in_it():
    """Even after the program that made it was killed: its child has the lock too."""
    with tempfile.TemporaryDirectory() as cache:
        systems = os.path.join(cache, "systems")
        os.mkdir(systems)
        told, tells = os.pipe()
        goes_on, ends = os.pipe()
        maker = os.fork()
        if maker == 0:
            with clean_root.layer_of(systems, cache):
                if os.fork() == 0:
                    os.close(ends)
                    os.write(tells, b"x")
                    os.read(goes_on, 1)
                    os._exit(0)
                os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(maker, 0)
        os.close(tells)
        assert os.read(told, 1) == b"x"
        clean_root.sweep(systems, cache)
        assert len(os.listdir(systems)) == 1
        os.close(ends)
        assert os.read(told, 1) == b""  # the child ends: its descriptors are closed one after the other
        over = time.monotonic() + 180
        while os.listdir(systems) and time.monotonic() < over:
            clean_root.sweep(systems, cache)
        assert os.listdir(systems) == []
        for descriptor in (told, goes_on):
            os.close(descriptor)


def a_system_is_of_its_week():
    begun = 2900 * clean_root.WEEK
    keys = [clean_root.key_of(["deb"], now) for now in (begun, begun + clean_root.WEEK - 1, begun + clean_root.WEEK)]
    assert keys[0] == keys[1] != keys[2]
    assert clean_root.key_of(["other"], begun) != keys[0]


def ended(what):
    """The status of a child forked below a folder that its parent removes, and whether it is still there."""
    with tempfile.TemporaryDirectory() as layer:
        child = os.fork()
        if child == 0:
            sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
            clean_root.end_as(what)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return status, os.path.isdir(layer)


def a_child_never_removes_its_parents_layer():
    def fail_as(failure):
        def what():
            raise failure
        return what

    assert ended(lambda: 3) == (3, True)
    for failure in (OSError(2, "no"), subprocess.CalledProcessError(1, "mount"), KeyboardInterrupt(), SystemExit(0),
                    ValueError("a mistake")):
        assert ended(fail_as(failure)) == (clean_root.UNKNOWN, True), failure


def files_have_the_dates_of_the_checkout():
    with tempfile.TemporaryDirectory() as folder:
        here, there = (os.path.join(folder, name) for name in ("here", "there"))
        for place in (here, there):
            os.mkdir(place)
            subprocess.run(["git", "-C", place, "init", "-q"], check=True)
            for name in ("a", "only " + os.path.basename(place)):
                with open(os.path.join(place, name), "w", encoding="ascii") as file:
                    file.write("x")
            subprocess.run(["git", "-C", place, "add", "."], check=True)
        os.utime(os.path.join(here, "a"), ns=(1, 1234567890123456789))
        clean_root.keep_dates(there, here)
        assert os.stat(os.path.join(there, "a")).st_mtime_ns == 1234567890123456789
        assert os.stat(os.path.join(there, "only there")).st_mtime_ns != 1234567890123456789


if __name__ == "__main__":
    tap.run([files_have_the_dates_of_the_checkout, what_nobody_uses_is_swept, a_layer_is_kept_while_anything_runs_in_it,
             a_system_is_of_its_week, a_child_never_removes_its_parents_layer])
