# SPDX-License-Identifier: Apache-2.0
"""Hostile programs through the agent's own runner, one after the other in one agent: each is contained,
its failure says why, nothing of it is left, and the next one runs.

escape.py [WORD...]: those whose noun or name begins so. --markdown writes docs/escape.md.
"""
import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "integration")]
# pylint: disable=wrong-import-position
import runs  # noqa: E402
import tap  # noqa: E402
from agent_peer import AGENT  # noqa: E402
from around import Around, adopt, processes  # noqa: E402
from rows import ESCAPED, content_of, rows  # noqa: E402

NOUNS = ("namespaces", "mounts", "files", "processes", "sockets", "memory", "devices", "terminal", "results",
         "python", "programs", "wasm", "docker", "time")
for noun in NOUNS:
    __import__("escape_" + noun)
import escape_docker  # noqa: E402

SETTINGS = {"AGENT_RUN_MEMORY": "512M", "AGENT_RUN_SCRATCH": "32M", "AGENT_RUN_RESULTS": "16M",
            "AGENT_RUN_PROCESSES": "64"}
HONEST = b"#!/usr/bin/python3\nopen('results/ok', 'w').write(open('datasets/a').read())\n"
LINE_MAX = 4096
LISTENER = f"cocos-escape-{os.getpid()}"  # an abstract name; each program gets it as its argument


GOOD_END = ["ReceivingAlgorithm/InProgress", "Running/Starting", "Running/InProgress", "Running/Completed",
            "ConsumingResults/Ready", "Complete/Completed", "Stopped/Stopped"]


def judge(row, end):
    assert str(ESCAPED) not in end.failure.split(), f"it escaped: {end}"
    assert row.ends in end.failure if row.ends else not end.failure, end
    for line in end.lines:
        assert len(line.encode()) <= LINE_MAX and all(c.isprintable() or c in "\t" for c in line), repr(line)
        assert "\u202e" not in line, line


def judge_words(row, heard, events):
    """What it said came once, marked as its own, and was no event."""
    found = [message for message in heard if any(line in message for line in row.lines)]
    assert found == [runs.MARK + line for line in row.lines], found
    assert events == GOOD_END, events


def test_of(row, run, around):
    def test():
        for _ in range(row.times):
            logs, events = len(run.service.of("agent_log")), len(run.service.events())
            judge(row, run(content_of(row), row.kind, (LISTENER,), row.data))
            if row.lines:
                judge_words(row, [log.message for log in run.service.of("agent_log")][logs:],
                            run.service.events()[events:])
            around.check()
    test.__name__ = f"{row.noun}: {row.name}"
    return test


def what_is_left_over_is_seen():
    """So that the checks after each program can fail."""
    around = Around()
    with subprocess.Popen(["sh", "-c", "sleep 600 & echo $!"], stdout=subprocess.PIPE) as shell:
        orphan = int(shell.stdout.readline())
        shell.wait()
    try:
        assert processes() - around.processes == {orphan}
    finally:
        os.kill(orphan, signal.SIGKILL)
        os.waitpid(orphan, 0)
    around.check()


def image_of(run):
    def an_image_that_runs_is_seen():
        """Each image that must not run holds this program: so that those rows can fail."""
        end = run(escape_docker.archive(), "docker")
        assert end.failure.endswith(f"exit code {ESCAPED}"), end
    return an_image_that_runs_is_seen


def honest_of(run):
    def after_all_of_them_an_honest_one_runs():
        end = run(HONEST, "bin", data=[("a", b"data")])
        assert not end.failure and end.results == {"ok": b"data"}, end
    return after_all_of_them_an_honest_one_runs


def outside_of(row):
    """Without a sandbox it gets what it is after: so that the test can fail."""
    def test():
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "main.py")
            with open(path, "wb") as file:
                file.write(content_of(row))
            done = subprocess.run(["/usr/bin/python3", path, LISTENER], cwd=folder, capture_output=True, check=False,
                                  stdin=subprocess.DEVNULL, timeout=60)
            assert done.returncode == ESCAPED, (done.returncode, done.stdout[-500:], done.stderr[-500:])
    test.__name__ = f"outside: {row.name}"
    return test


def chosen(words):
    there = os.path.exists(os.path.join(os.path.dirname(AGENT), "cocos-wasm"))
    return [row for row in rows if (there or row.noun != "wasm") and
            (not words or any(row.noun.startswith(w) or row.name.startswith(w)
                           for w in words))]


def the_page_is_the_table():
    page = os.path.join(os.path.dirname(os.path.dirname(HERE)), "docs", "escape.md")
    with open(page, encoding="utf-8") as file, io.StringIO() as made, contextlib.redirect_stdout(made):
        markdown()
        assert made.getvalue() == file.read(), "docs/escape.md: write it again with --markdown"


def markdown():
    print("# Hostile programs\n\nWritten by `tests/escape/escape.py --markdown`. Each is run in the sandbox by "
          "the agent, one after the other:\ncontained, with its true cause, and then the next one. After each, "
          "no process of it is left, and what it was after\noutside is as before. What ends well was refused all "
          "that it tried. A mark in the last column: outside of the\nsandbox the same program gets what it is "
          "after, as the test shows.\n\n`tests/escape/escape_vm.py` (`scripts/test long`) runs all of them in real machines "
          "of the images with Python\nand with WebAssembly's runtime, and our own kernel: contained with the same cause, "
          "the next one runs in the same machine,\nand its kernel has nothing to complain of.")
    for noun in NOUNS:
        print(f"\n## {noun.capitalize()}\n\n| program | tries | ends | outside |\n|---|---|---|---|")
        for row in (r for r in rows if r.noun == noun):
            ends = f"'{row.ends}'" if row.ends else "well"
            says = row.says.replace("|", "\\|")
            print(f"| {row.name} | {says} | {ends} | {'✓' if row.outside else ''} |")


def main():
    if sys.argv[1:] == ["--markdown"]:
        return markdown()
    some = chosen(sys.argv[1:])
    adopt()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0" + LISTENER)
        listener.listen()
        late = [row for row in some if row.noun == "time"]
        with contextlib.ExitStack() as agents:
            run = agents.enter_context(runs.runs(settings=SETTINGS))
            short = agents.enter_context(runs.runs(settings={**SETTINGS, "AGENT_RUN_TIME": "2s"}))
            print(f"# {len(some)} hostile programs")
            for one in (run, short):  # both have started all that they keep
                one(HONEST, data=[("a", b"data")])
            around = Around()
            tests = ([the_page_is_the_table, what_is_left_over_is_seen, image_of(run)] +
                     [outside_of(row) for row in some if row.outside] +
                     [test_of(row, run, around) for row in some if row not in late] + [honest_of(run)] +
                     [test_of(row, short, around) for row in late] + [honest_of(short)])

            def the_agents_end():
                agents.close()
            tap.run([*tests, the_agents_end])
    return None


if __name__ == "__main__":
    main()
