#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Merges what fuzzing found into a target's corpus, and takes out what leads no further.

    shrink.py BUILD NAME [FOUND...]

BUILD is a build folder with -Dfuzz=true that has fuzz_NAME; FOUND are folders of inputs. Files with names
stay, for programs write them again (docs/developers.md); of those named by a hash, and of FOUND, libFuzzer's
-merge=1 keeps what reaches something that the others do not. scripts/coverage fuzz NAME says what is reached.

Exit status: 0; 1 if libFuzzer fails, and nothing was changed; 2 called wrongly.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
HASHED = re.compile("[0-9a-f]{40}")


def refuse(words):
    print(f"shrink.py: {words}; see --help", file=sys.stderr)
    sys.exit(2)


def parted(folder, room):
    """Copies of the inputs with names, and of the others: two folders."""
    kept, hashed = os.path.join(room, "kept"), os.path.join(room, "hashed")
    for new in (kept, hashed):
        os.mkdir(new)
    for name in os.listdir(folder):
        shutil.copy(os.path.join(folder, name), hashed if HASHED.fullmatch(name) else kept)
    return kept, hashed


def main():
    words = sys.argv[1:]
    if {"-h", "--help"}.intersection(words):
        print(__doc__.strip())
        return 0
    if len(words) < 2 or words[0].startswith("-"):
        refuse("a build folder and a target")
    build, name, found = words[0], words[1], words[2:]
    program, folder = os.path.join(build, "tests/fuzz", f"fuzz_{name}"), os.path.join(CORPUS, name)
    for path, is_there in [(program, os.path.isfile), (folder, os.path.isdir), *((f, os.path.isdir) for f in found)]:
        if not is_there(path):
            refuse(f"no '{path}'")
    with tempfile.TemporaryDirectory(prefix="cocos-shrink-") as room:
        kept, hashed = parted(folder, room)
        done = subprocess.run([os.path.abspath(program), "-merge=1", "-use_counters=0", kept, hashed,
                               *map(os.path.abspath, found)], capture_output=True, cwd=room, check=False)
        if done.returncode:
            print(done.stderr.decode(errors="replace")[-2000:], file=sys.stderr)
            return 1
        before, after = set(os.listdir(folder)), set(os.listdir(kept))
        for gone in before - after:
            os.unlink(os.path.join(folder, gone))
        for new in after - before:
            shutil.copy(os.path.join(kept, new), folder)
    print(f"{name}: {len(before)} inputs before, {len(after)} now")
    return 0


if __name__ == "__main__":
    sys.exit(main())
