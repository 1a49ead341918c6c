# SPDX-License-Identifier: Apache-2.0
"""The made-up data of scripts/usecase have the form that the programs want, and can be learnt from; what
it says without doing anything."""
import contextlib
import io
import os
import re
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LIB = os.path.join(ROOT, "scripts", "lib", "usecase")
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(HERE, "..", "integration"), LIB]

import cards  # noqa: E402
import chest  # noqa: E402
import engines  # noqa: E402
import memory  # noqa: E402
import opens  # noqa: E402
import tap  # noqa: E402


def made(maker):
    """{name: content} of what a maker writes."""
    with tempfile.TemporaryDirectory(prefix="cocos-data-") as folder:
        maker.make(folder)
        found = {}
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as file:
                found[name] = file.read()
        return found


def pixels(png):
    """Rows of an 8-bit grey picture; every chunk's checksum holds."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        data = png[at + 8:at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length:at + 12 + length])[0] == zlib.crc32(kind + data)
        chunks[kind] = data
        at += 12 + length
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colour) == (8, 0)
    raw = zlib.decompress(chunks[b"IDAT"])
    assert len(raw) == height * (width + 1)
    return [raw[row * (width + 1) + 1:(row + 1) * (width + 1)] for row in range(height)]


def coarse(png, blocks=8):
    """Means of blocks of a picture."""
    rows = pixels(png)
    size = len(rows) // blocks
    return [sum(sum(row[x * size:(x + 1) * size]) for row in rows[y * size:(y + 1) * size]) / size ** 2
            for y in range(blocks) for x in range(blocks)]


def hospitals_have_pictures_that_tell_the_classes_apart():
    zips = made(chest)
    assert sorted(zips) == ["h1.zip", "h2.zip", "h3.zip"]
    seen = {}
    for name, content in zips.items():
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert archive.testzip() is None
            for path in archive.namelist():
                top, kind, file = path.split("/")
                assert top == name[:-4] and file.endswith(".png"), path
                seen.setdefault((top, kind), []).append(coarse(archive.read(path)))
    kinds = {"Normal", "Viral Pneumonia", "COVID"}
    assert set(seen) == {(f"h{n}", kind) for n in (1, 2, 3) for kind in kinds}
    assert all(len(pictures) > 30 for pictures in seen.values())
    # What the first hospital's look like on average is enough to name nearly all of the second's.
    centres = {kind: [sum(column) / len(column) for column in zip(*seen["h1", kind])] for kind in kinds}
    right = total = 0
    for kind in kinds:
        for picture in seen["h2", kind]:
            nearest = min(centres, key=lambda name: sum((a - b) ** 2 for a, b in
                                                        zip(picture, centres[name])))
            right, total = right + (nearest == kind), total + 1
    assert right >= 0.95 * total, (right, total)


def payments_have_the_columns_of_the_public_set():
    lines = made(cards)["creditcard.csv"].decode("ascii").splitlines()
    assert lines[0].split(",") == ["Time"] + [f"V{n}" for n in range(1, 29)] + ["Amount", "Class"]
    rows = [[float(word) for word in line.split(",")] for line in lines[1:]]
    assert len(rows) == cards.ROWS and {len(row) for row in rows} == {31}
    frauds = [row for row in rows if row[-1] == 1]
    honest = [row for row in rows if row[-1] == 0]
    assert len(frauds) == cards.FRAUDS and len(frauds) + len(honest) == len(rows)
    for number, off in cards.TELLING.items():
        apart = sum(row[number] for row in frauds) / len(frauds) - \
            sum(row[number] for row in honest) / len(honest)
        assert abs(apart - off) < 0.5, (number, apart)


def engines_have_windows_enough():
    found = made(engines)
    assert sorted(found) == ["RUL_FD001.txt", "test_FD001.txt", "train_FD001.txt"]
    rows = {name: [line.split() for line in text.decode("ascii").splitlines()]
            for name, text in found.items()}
    assert {len(row) for row in rows["RUL_FD001.txt"]} == {1}
    assert len(rows["RUL_FD001.txt"]) == engines.ENGINES
    for name in ("train_FD001.txt", "test_FD001.txt"):
        assert {len(row) for row in rows[name]} == {26}
        for number in range(1, engines.ENGINES + 1):
            cycles = [int(row[1]) for row in rows[name] if row[0] == str(number)]
            assert cycles == list(range(1, len(cycles) + 1)) and len(cycles) >= engines.WINDOW, name
    # A fifth of the windows is for the test, in whole batches of 32.
    windows = len(rows["train_FD001.txt"]) - engines.WINDOW + 1
    assert windows - int(0.8 * windows) >= 32, windows
    # More than one value of what is to be learnt.
    assert len({sum(row[0] == str(n) for row in rows["train_FD001.txt"])
                for n in range(1, engines.ENGINES + 1)}) > 1


def the_same_data_come_each_time():
    for maker in (cards, engines):
        assert made(maker) == made(maker), maker.__name__
    first, again = ([next(entries) for entries in [chest.hospital(2)] for _ in range(5)]
                    for _ in range(2))
    assert first == again and len({content for _, content in first}) == 5


def the_memory_of_children_counts():
    held = 64
    script = ("import os, sys\n"
              "ready, tell = os.pipe()\n"
              "if os.fork() == 0:\n"
              f"    kept = b'x' * ({held} << 20)\n"
              "    os.write(tell, b'1')\n"
              "    sys.stdin.read()\n"
              "    os._exit(0)\n"
              "os.read(ready, 1)\n"
              "print('ready', flush=True)\n"
              "os.wait()\n")
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"ready\n"
        assert len(memory.family(child.pid)) == 2 and memory.used(child.pid) >= held << 10
        assert not memory.ended(child.pid)
        child.stdin.close()
        assert child.stdout.read() == b""
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert memory.ended(child.pid)  # though nobody has asked
        assert memory.tree(child.pid) == 0
    assert memory.machine("no machine has this word") == 0


def what_is_no_result_is_refused():
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), \
            tempfile.TemporaryDirectory(prefix="cocos-opens-") as folder:
        for name, content in (("a.ubj", b"{"), ("b.ubj", b""), ("c.txt", b"x"), ("d.ubj", None)):
            path = os.path.join(folder, name)
            if content is not None:
                with open(path, "wb") as file:
                    file.write(content)
            assert opens.main([path]) == 1, name
        path = os.path.join(folder, "good.ubj")
        with open(path, "wb") as file:
            file.write(b"{L learner gradient_booster num_trees tree_info version")
        assert opens.main([path]) == 0


def one_run_builds_at_a_time():
    """The second says that it waits; were it to go on beside the first, its mkdir would fail."""
    script = ('set -e; . "$0/scripts/lib/stage.sh"; program=usecase build=$1/build\n'
              'stage_build() { mkdir "$build/busy"; echo "builds $1"; read -r _; rmdir "$build/busy"; }\n'
              'stage_programs torch\n')

    def run(folder):
        return subprocess.Popen(["bash", "-c", script, ROOT, folder], stdin=subprocess.PIPE, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    with tempfile.TemporaryDirectory(prefix="cocos-turn-") as folder, run(folder) as first:
        assert first.stdout.readline() == "builds torch\n"
        with run(folder) as second:
            told = second.stderr.readline()
            assert "another run builds in" in told, told
            assert first.communicate("go on\n") == ("", "") and first.returncode == 0
            assert second.communicate("go on\n") == ("builds torch\n", "") and second.returncode == 0


def a_run_that_fails_shows_what_the_machine_said():
    """Where the manager has it written: lifecycle.h says."""
    with open(os.path.join(ROOT, "manager", "launch", "lifecycle.h"), encoding="utf-8") as file:
        place = re.search(r"<state>/(cvms/)<id>(/console\.log) ", file.read())
    script = 'set -e; . "$0/scripts/lib/stage.sh"; program=demo dir=$1; show_logs 2>&1\n'
    with tempfile.TemporaryDirectory(prefix="cocos-logs-") as folder:
        console = os.path.join(folder, "state", place[1] + "some-id" + place[2])
        os.makedirs(os.path.dirname(console))
        for path, text in ((console, "init: no agent\n"), (os.path.join(folder, "manager.log"), "listening\n")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        said = subprocess.run(["bash", "-c", script, ROOT, folder], text=True, capture_output=True, check=True).stdout
    assert said == ("--- the last lines of manager.log\nlistening\n"
                    "--- the virtual machine's console\ninit: no agent\n"), said


def a_machine_does_not_outlive_its_run():
    """Also where the manager has ended before it."""
    script = ('set -e; . "$0/scripts/lib/libvirt.sh"; . "$0/scripts/lib/stage.sh"; program=demo dir=$1/run build=$1\n'
              'virsh() { echo "virsh $*" >&3; }\n'
              'mkdir "$dir"; echo "some-id unix:/nowhere" >"$dir/cvm"; stop_everything; [ ! -e "$dir" ]\n')
    for status, by_libvirt in ((0, ""), (1, "virsh -c qemu:///system destroy some-id\n")):
        with tempfile.TemporaryDirectory(prefix="cocos-stop-") as folder:
            tool = os.path.join(folder, "cocos-cli")
            with open(tool, "w", encoding="utf-8") as file:
                file.write(f'#!/bin/sh\necho "$MANAGER_GRPC_URL $*" >&3\nexit {status}\n')
            os.chmod(tool, 0o755)
            said = subprocess.run(["bash", "-c", script, ROOT, folder], text=True, capture_output=True, check=True).stdout
        assert said == "unix:/nowhere remove-vm some-id\n" + by_libvirt, (status, said)


def what_is_not_there_is_told():
    def call(*arguments):
        return subprocess.run([os.path.join(ROOT, "scripts", "usecase"), *arguments], text=True,
                              capture_output=True, check=False, stdin=subprocess.DEVNULL)

    for arguments, says in ((["covid19", "--from", "/nowhere"], "'/nowhere/covid19/train.py' is not there"),
                            ([], "there are: covid19"), (["covid19", "rul-turbofan"], "one use case"),
                            (["--stop"], "--stop wants a value"),
                            (["covid19", "--vm", "none", "--tee", "snp"], "--tee snp is of a virtual machine")):
        done = call(*arguments)
        assert done.returncode == 2 and says in done.stderr and not done.stdout, (arguments, done)


tap.run([hospitals_have_pictures_that_tell_the_classes_apart, payments_have_the_columns_of_the_public_set,
         engines_have_windows_enough, the_same_data_come_each_time, the_memory_of_children_counts,
         what_is_no_result_is_refused, one_run_builds_at_a_time,
         a_run_that_fails_shows_what_the_machine_said, a_machine_does_not_outlive_its_run, what_is_not_there_is_told])
