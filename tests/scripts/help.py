# SPDX-License-Identifier: Apache-2.0
"""Every script says what it is: --help on stdout, with its exit status; what it does not know it
refuses with 2, before it does anything."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

import tap  # noqa: E402

SCRIPTS = os.path.join(ROOT, "scripts")
HANGS = 120  # seconds: a script that does its work instead is a failure


def scripts():
    names = sorted(entry.name for entry in os.scandir(SCRIPTS) if entry.is_file())
    assert {"test", "demo", "bench", "vectors", "lint.sh"} <= set(names), names
    return names


def run(name, *arguments, cwd=None):
    """As somebody calls it, in a folder of his own, from a terminal that shows no colours."""
    return subprocess.run([os.path.join(SCRIPTS, name), *arguments], capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, timeout=HANGS, cwd=cwd)


def options_in(name):
    """The options that a script's code asks for: in shell, patterns of case; in Python, argparse's."""
    with open(os.path.join(SCRIPTS, name), encoding="utf-8") as file:
        text = file.read()
    if "python" in text.splitlines()[0]:
        return set(re.findall(r'add_argument\("(--[a-z-]+)"', text))
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return set(re.findall(r"^\s*(?:-\w \| )?(--[a-z-]+)\)", code, flags=re.M)) - {"--help"}


def each_is_a_program():
    for name in scripts():
        assert os.access(os.path.join(SCRIPTS, name), os.X_OK), f"{name} can't be run"


def each_answers_help():
    for name in scripts():
        for option in ("--help", "-h"):
            done = run(name, option)
            assert done.returncode == 0 and not done.stderr, (name, option, done)
            assert len(done.stdout.splitlines()) >= 6, (name, done.stdout)
            assert name in done.stdout, f"{name} {option} shows no way to call it"
            assert re.search("exit status", done.stdout, re.I), f"{name} {option}: no exit status"
            assert "SPDX-License" not in done.stdout and "#!" not in done.stdout, done.stdout


def each_option_stands_in_the_help():
    found = 0
    for name in scripts():
        text = run(name, "--help").stdout
        for option in options_in(name):
            found += 1
            assert option in text, f"{name} --help does not speak of {option}"
    assert found >= 12, found


def help_comes_from_every_folder():
    with tempfile.TemporaryDirectory(prefix="cocos-help-") as folder:
        for name in scripts():
            assert run(name, "--help", cwd=folder).returncode == 0, name
        assert os.listdir(folder) == []


def unknown_options_are_refused():
    for name in scripts():
        for arguments in (["--no-such-option"], ["--no-such-option=1"], ["-Z"]):
            done = run(name, *arguments)
            assert done.returncode == 2, (name, arguments, done)
            assert done.stderr and not done.stdout, (name, arguments, done)


def unknown_words_are_refused():
    """Where a word may stand it has to be one that is known; elsewhere none may stand."""
    for name, arguments in (("test", ["gcc", "bogus"]), ("lint.sh", ["bogus"]), ("demo", ["bogus"]),
                            ("pre-commit", ["bogus"]), ("commit-msg", ["bogus"]), ("coverage", ["one", "two"]),
                            ("build-image", ["bogus"]), ("bench", ["bogus"]), ("usecase", ["bogus"]),
                            ("vectors", ["one", "two"])):
        done = run(name, *arguments)
        assert done.returncode == 2 and done.stderr, (name, done)


def no_option_is_without_its_value():
    """An empty one, of a variable that nobody set, would be another run than the one that was asked for."""
    for name, options in (("demo", ("--vm", "--tee", "--kernel", "--stop")),
                          ("usecase", ("--vm", "--tee", "--kernel", "--from", "--wheels", "--stop"))):
        for option in options:
            for arguments in ([option], [option, ""], [option + "="]):
                done = run(name, *arguments)
                assert done.returncode == 2 and f"{option} wants a value" in done.stderr, (name, arguments, done)
        done = run(name, "--stop=/nowhere")
        assert done.returncode == 2 and "'/nowhere'" in done.stderr, done


def bench_says_what_it_lacks():
    """In a line: a word that no row has, and a program that is not built. A row that nobody asked for is not measured."""
    with tempfile.TemporaryDirectory(prefix="cocos-help-") as folder:
        for words, status, said in ((["no such row"], 1, "no row's name has such a word"),
                                    (["stripped"], 2, f"{folder}/cocos-agent is not there")):
            done = run("bench", "--build", folder, "--only", *words)
            assert done.returncode == status and not done.stdout, done
            assert done.stderr.count("\n") == 1 and said in done.stderr, done


def packages_are_made_of_a_clone_alone():
    """Elsewhere nobody says what belongs to the project, and packages of nothing fail without a word of why."""
    with tempfile.TemporaryDirectory(prefix="cocos-help-") as folder:
        shutil.copytree(SCRIPTS, os.path.join(folder, "scripts"))
        done = subprocess.run([os.path.join(folder, "scripts", "package")], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=HANGS)
        assert done.returncode == 1 and f"{folder} is no clone, of which git says" in done.stderr and not done.stdout, done
        assert os.listdir(folder) == ["scripts"], os.listdir(folder)


if __name__ == "__main__":
    tap.run([each_is_a_program, each_answers_help, each_option_stands_in_the_help,
             help_comes_from_every_folder, unknown_options_are_refused, unknown_words_are_refused, no_option_is_without_its_value,
             bench_says_what_it_lacks, packages_are_made_of_a_clone_alone])
