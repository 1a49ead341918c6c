# SPDX-License-Identifier: Apache-2.0
"""CreateVm with its records in a file and on a PostgreSQL server: in whole, beside libvirt's calls alone; and the records alone,
beside as many transactions by psql."""
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time

from harness import ROOT, Folder, program

sys.path.insert(0, os.path.join(ROOT, "tests"))
from postgres import Postgres, programs  # pylint: disable=wrong-import-position

ROUNDS, TURNS, COMMITS = 21, 9, 4  # a creation has so many transactions
PLACES = ("a file", "PostgreSQL", "PostgreSQL, beside other managers")
WHOLE, RECORDS = "CreateVm, records in {}", "CreateVm's records in {}"


@contextlib.contextmanager
def durable():
    """A server that has written what it acknowledges."""
    server = Postgres()
    try:
        os.chmod(server.folder, 0o711)
        server.stop(signal.SIGINT)
        server.start("fsync=on")
        yield server
    finally:
        server.close()


def recorded(server, place):
    """Milliseconds of one CVM's records."""
    with Folder() as folder:
        words = [[], [server.place], [server.place, "shared"]][PLACES.index(place)]
        server.sql("DROP SCHEMA IF EXISTS cocos_manager CASCADE")
        return float(subprocess.run([program("tests/unit/manager/registry_bench"), "100", folder.path, *words],
                                    capture_output=True, text=True, check=True).stdout)


def committed(server):
    """Of as many transactions, each written to disk."""
    server.sql("DROP TABLE IF EXISTS bench; CREATE TABLE bench (n INT); INSERT INTO bench VALUES (1)")
    shell = [os.path.join(programs(), "psql"), "-Xq", "-h", server.folder, "-U", "postgres", "-d", "postgres"]
    began = time.monotonic()
    subprocess.run(shell, input="BEGIN; UPDATE bench SET n = n + 1; COMMIT;\n" * (100 * COMMITS), text=True, check=True)
    return (time.monotonic() - began) * 1000 / 100


def records(size, only):
    names = [RECORDS.format(place) for place in PLACES]
    if only and not any(word in name for word in only for name in names):
        return
    with durable() as server:
        turns = [[*(recorded(server, place) for place in PLACES), committed(server)] for _ in range(TURNS)]
    *mine, limit = (statistics.median(times) for times in zip(*turns))
    for name, figure in zip(names, mine):
        yield {"row": name, "figure": figure, "unit": "ms", "limit": limit, "of": f"{COMMITS} transactions by psql",
               "ratio": figure / limit, "aim": "<= 10"}


def whole(size, only):
    names = [WHOLE.format(place) for place in PLACES[:2]]
    if only and not any(word in name for word in only for name in names):
        return
    done = subprocess.run([sys.executable, os.path.join(os.path.dirname(__file__), "create_vm.py"), str(ROUNDS)],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        for name in names:
            yield {"row": name, "figure": "-", "unit": "ms", "note": f"failed: {(done.stderr.splitlines() or ['?'])[-1]}"}
        return
    *mine, limit = (statistics.median(times) * 1000 for times in zip(*json.loads(done.stdout.splitlines()[-1])))
    for name, figure in zip(names, mine):
        yield {"row": name, "figure": figure, "unit": "ms", "limit": limit, "of": "libvirt alone, by virsh",
               "ratio": figure / limit, "aim": "<= 1.1"}
