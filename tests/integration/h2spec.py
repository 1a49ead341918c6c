#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""h2spec (strict) against a page of ours, and against nghttpd's: what fails with us fails there, too.

COCOS_H2SPEC is the program: go install github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible
"""
import os
import re
import subprocess

import certs
import tap
from harness import PATIENCE, Folder
from http_rules import Server
from ports import free_port

H2SPEC = os.environ["COCOS_H2SPEC"]
TESTS = 146


def failures(port):
    done = subprocess.run([H2SPEC, "-h", "127.0.0.1", "-p", str(port), "-t", "-k", "-S", "-o", "5"],
                          capture_output=True, text=True, timeout=10 * PATIENCE, check=False)
    total = re.search(r"(\d+) tests, (\d+) passed, (\d+) skipped", done.stdout)
    assert total and int(total[1]) == TESTS, done.stdout + done.stderr
    print("#", total[0])
    return {line.split("×", 1)[1].strip() for line in done.stdout.splitlines() if "×" in line}


def as_many_pass_as_with_nghttpd():
    with Folder() as folder:
        made = certs.Certs(folder.path)
        with Server(made.cert, made.key, "127.0.0.1:0") as server:
            ours = failures(server.port)
        with open(folder("index.html"), "w", encoding="utf-8") as file:
            file.write("a page\n")
        port = free_port()
        with subprocess.Popen(["nghttpd", "-d", folder.path, str(port), made.key, made.cert],
                              stdout=subprocess.DEVNULL) as nghttpd:
            try:
                while subprocess.run(["curl", "-sk", "-o", "/dev/null", f"https://127.0.0.1:{port}/"],
                                     check=False).returncode:
                    assert nghttpd.poll() is None
                theirs = failures(port)
            finally:
                nghttpd.kill()
        assert ours <= theirs, ours - theirs


if __name__ == "__main__":
    tap.run([as_many_pass_as_with_nghttpd])
