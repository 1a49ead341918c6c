# SPDX-License-Identifier: Apache-2.0
"""scripts/usecase: programs that others wrote, unchanged, from upload to results that open."""
import os
import re
import subprocess

import tap
from harness import ROOT, Folder

USECASE = os.path.join(ROOT, "scripts", "usecase")
SHARED = os.path.join(ROOT, "..", "shared", "usecases")


def run(*arguments):
    with Folder() as folder:
        return subprocess.run([USECASE, *arguments], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, env={**os.environ, "TMPDIR": folder.path})


def three_hospitals_train_a_classifier():
    done = run("covid19", "--vm", "none", "--from", SHARED)
    shown = done.stdout
    assert done.returncode == 0, shown[-4000:] + done.stderr[-4000:]
    assert shown.rstrip().endswith("\nusecase: ok"), shown[-1000:]
    # The program is the published one, and each hospital sends its own.
    assert "\n9567a45920974a3261f9e897b3da7e49a391728f607f36f0ad6e8f5ec8a2041b\n" in shown
    assert "algorithm$ cocos-cli algo train.py private.pem -a python -r requirements.txt" in shown
    for owner in ("h1", "h2", "h3"):
        assert f"{owner}$ cocos-cli data {owner}.zip private.pem" in shown, owner
    assert "model.pth: a ResNet-18 of 3 classes, which answers" in shown, shown[-2000:]
    assert re.search(r"^covid19: ran \d+ s, [1-9]\d* MiB at most", shown, re.M), shown[-1000:]


if __name__ == "__main__":
    tap.run([three_hospitals_train_a_classifier])
