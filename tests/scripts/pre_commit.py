# SPDX-License-Identifier: Apache-2.0
"""scripts/pre-commit looks at what would be committed, and at nothing else."""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

import tap  # noqa: E402

LICENCE = "/* SPDX-License-Identifier: Apache-2.0 */\n"
GOOD = LICENCE + "/* stray.c \u2014 of no use. */\nint stray(void);\n\nint stray(void)\n{\n\treturn 0;\n}\n"
UGLY = GOOD.replace("\treturn 0", "  return   0")
FILE = "common/base/stray.c"


class Clone:
    """A copy of the sources in a repository of its own, which no configuration reaches; each `with` finds it as it was."""

    def __init__(self):
        self.home = tempfile.TemporaryDirectory(prefix="cocos-hook-")
        self.root = os.path.join(self.home.name, "project")
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        self.env.update(HOME=self.home.name, GIT_CONFIG_NOSYSTEM="1", GIT_AUTHOR_NAME="a",
                        GIT_AUTHOR_EMAIL="a@example.org", GIT_COMMITTER_NAME="a",
                        GIT_COMMITTER_EMAIL="a@example.org")
        # What the rules speak of.
        shutil.copytree(ROOT, self.root, symlinks=True,
                        ignore=shutil.ignore_patterns("build*", ".git", "__pycache__", "attacks", "fuzz",
                                                      "integration"))
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "all")
        self.first = self.git("rev-parse", "HEAD").strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(os.path.join(self.root, ".git/hooks"))
        os.mkdir(os.path.join(self.root, ".git/hooks"))
        self.git("reset", "-q", "--hard", self.first)
        self.git("clean", "-q", "-fdx")

    def run(self, *command):
        return subprocess.run(command, cwd=self.root, env=self.env, capture_output=True, text=True,
                              check=False)

    def git(self, *words):
        done = self.run("git", *words)
        assert done.returncode == 0, done
        return done.stdout

    def write(self, name, text):
        with open(os.path.join(self.root, name), "w", encoding="utf-8") as file:
            file.write(text)

    def stage(self, name, text):
        self.write(name, text)
        self.git("add", name)

    def hook(self):
        return self.run("scripts/pre-commit")


CLONE = Clone()


def what_is_staged_counts_and_not_what_lies_beside_it():
    with CLONE as clone:
        assert clone.hook().returncode == 0  # nothing staged
        clone.stage(FILE, GOOD)
        clone.write(FILE, UGLY)
        done = clone.hook()
        assert done.returncode == 0, done
        clone.stage(FILE, UGLY)
        clone.write(FILE, GOOD)
        done = clone.hook()
        assert done.returncode == 1 and f"format: {FILE}:" in done.stdout, done
        assert clone.git("diff", "--cached", "--name-only").split() == [FILE]  # nothing is touched


def the_rules_of_the_house_hold():
    with CLONE as clone:
        clone.stage(FILE, GOOD.replace(LICENCE, ""))
        done = clone.hook()
        assert done.returncode == 1 and f"licence line missing: {FILE}" in done.stdout, done
        clone.stage(FILE, GOOD)
        clone.stage("docs/stray.md", "words \n")
        done = clone.hook()
        assert done.returncode == 1 and "trailing whitespace" in done.stdout, done
        clone.git("rm", "-q", "--cached", "docs/stray.md")
        clone.git("rm", "-q", "README.md")  # what goes away is not looked at
        done = clone.hook()
        assert done.returncode == 0, done


def installed_it_stops_a_commit():
    with CLONE as clone:
        for _ in range(2):  # a second time changes nothing
            done = clone.run("scripts/pre-commit", "--install")
            assert done.returncode == 0, done
        clone.stage(FILE, UGLY)
        done = clone.run("git", "commit", "-m", "common: a stray file")
        assert done.returncode != 0 and f"format: {FILE}:" in done.stdout + done.stderr, done
        clone.stage(FILE, GOOD)
        done = clone.run("git", "commit", "-m", "common: a stray file")
        assert done.returncode == 0, done
        # "commit -a" brings an index of its own.
        clone.write(FILE, UGLY)
        done = clone.run("git", "commit", "-a", "-m", "common: another")
        assert done.returncode != 0 and f"format: {FILE}:" in done.stdout + done.stderr, done


def a_subject_is_read():
    with CLONE as clone:
        assert clone.run("scripts/pre-commit", "--install").returncode == 0
        long = "common: " + "x" * 64
        for good in (long, "common, rpc: a stray file", "common/base: a file\n\nWhy.", "Revert \"Something.\"",
                     "fixup! common: a stray file", "docs: \u00e4" + "\u00e4" * 60):
            done = clone.run("git", "commit", "--allow-empty", "-m", good)
            assert done.returncode == 0, (good, done)
        before = clone.git("rev-parse", "HEAD")
        for bad, says in ((long + "x", "73 characters"), ("common: a stray file.", "no full stop"),
                          ("Common: a stray file", "area in lower case"), ("a stray file", "area in lower case"),
                          ("common:a stray file", "area in lower case"),
                          ("common: a stray\nfile", "an empty line below")):
            done = clone.run("git", "commit", "--allow-empty", "-m", bad)
            assert done.returncode != 0 and says in done.stderr, (bad, done)
        assert clone.git("rev-parse", "HEAD") == before


def another_hook_is_not_replaced():
    with CLONE as clone:
        path = os.path.join(clone.root, ".git/hooks/pre-commit")
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n")
        done = clone.run("scripts/pre-commit", "--install")
        assert done.returncode == 2 and "is there already" in done.stderr, done
        assert not os.path.islink(path)


if __name__ == "__main__":
    if not shutil.which("clang-format-19") or not shutil.which("git"):
        print("1..0 # SKIP clang-format-19 or git is missing")
        sys.exit()
    tap.run([what_is_staged_counts_and_not_what_lies_beside_it, the_rules_of_the_house_hold,
             installed_it_stops_a_commit, a_subject_is_read,
             another_hook_is_not_replaced])
