# SPDX-License-Identifier: Apache-2.0
"""Builds with sanitizers: what they report of any program fails the test that started it.

A report goes to a file of this run, or, from a process that gets no environment (the agent's keeper and
jail), to the standard error of the one that started it. Leaks are found at an orderly end alone: a test
that has done with a daemon ends it so.
"""
import atexit
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

WORDS = re.compile(r"ERROR: \w+Sanitizer|runtime error: |\w+Sanitizer(:DEADLYSIGNAL| has encountered)")
# Killed while it looked for leaks, with the one that started it or alone: no report of any program.
KILLED = re.compile(r"(?:==\d+==)?Can't \w+ [^\n]*/proc/\d+/task[^\n]*\n"
                    r"==\d+==LeakSanitizer has encountered a fatal error[^\n]*\n?(?:==\d+==HINT: [^\n]*\n?)*"
                    r"|==\d+==Unable to get registers from thread \d+\.\n?")
PATIENCE = 180  # seconds until an end that must come counts as missing


def ask_meson():
    build = os.environ.get("COCOS_BUILD", "")
    try:
        with open(os.path.join(build, "meson-info", "intro-buildoptions.json"), encoding="utf-8") as file:
            return next(o["value"] for o in json.load(file) if o["name"] == "b_sanitize")
    except OSError:
        return "none"


KINDS = ask_meson()
ON = KINDS != "none"
FOLDER = None
seen = set()


def collect():
    """Every program that inherits this environment reports to files."""
    global FOLDER  # pylint: disable=global-statement
    FOLDER = tempfile.mkdtemp(prefix="cocos-sanitized-")
    os.chmod(FOLDER, 0o1777)  # a program may have become another user
    atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
    for kind in ("ASAN", "UBSAN", "LSAN"):
        given = os.environ.get(kind + "_OPTIONS")
        os.environ[kind + "_OPTIONS"] = ":".join(filter(None, [given, f"log_path={FOLDER}/report"]))


def leave():
    """Before this program starts itself anew, which collects again."""
    if ON:
        shutil.rmtree(FOLDER, ignore_errors=True)


if ON:
    collect()


def check():
    """Raises with the reports that have come since the last time."""
    new = sorted(set(glob.glob(FOLDER + "/report.*")) - seen) if ON else []
    said = []
    for path in new:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        if KILLED.sub("", text).strip():  # or more may come behind it
            seen.add(path)
            said.append(text)
    assert not said, "a sanitizer reports:\n" + "\n".join(said)


def judge(name, status, text):
    """Raises if the program that ended so, or one that it started, was reported."""
    if not ON:
        return
    check()
    assert not WORDS.search(KILLED.sub("", text)), f"{name} (exit {status}), in its output a sanitizer reports:\n{text}"


def go_on(process):
    """Whatever a test has stopped. Nobody else: the signal takes back the stop that one looking for leaks in
    there may be waiting for, and that one would wait for good."""
    try:
        with open(f"/proc/{process.pid}/stat", encoding="utf-8", errors="replace") as file:
            state = file.read().rpartition(")")[2].split()[0]
    except OSError:
        return
    if state == "T":
        process.send_signal(signal.SIGCONT)


def finish(process, name, text):
    """The end of a process that a test has done with: at once, but in order where that shows leaks. Then
    it has to end well, unless it had ended before. text() gives its output."""
    if process.poll() is None and not ON:
        process.kill()
    elif process.poll() is None:
        process.send_signal(signal.SIGTERM)
        go_on(process)
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"{name} does not end:\n{text()}") from None
        judge(name, status, text())
        assert status == 0, f"{name} ends with {status}:\n{text()}"
    judge(name, process.wait(), text())
