# SPDX-License-Identifier: Apache-2.0
"""The journal: how many entries in a second an agent signs and a service has on disk; and how long a receipt takes to
verify."""
import contextlib
import os
import sqlite3
import statistics
import sys
import time

from agent_job import ALGO_KEY, DATA_KEY, IRIS, manifest
from agent_peer import Client, dataset, free_port
from harness import PATIENCE, Computations, Folder, computations, cvms, program, until
from job_host import Agent
from journal_book import decoded

from bench.agent import spent as cpu
from bench.verify import in_turns, sign_seconds, spent, verify_seconds

SECONDS, TURNS = 8, 3
BATCH = 8  # entries under one signature and in one transaction: lines that come in the 20 ms that an agent waits

# Less than the lines in a second of which an agent takes more: each of these becomes an entry.
LINES = b"""#!/usr/bin/python3
import sys, time
begun = time.monotonic()
for n in range(50 * %d):
    sys.stdout.write('a line like many others\\n' * %d)
    sys.stdout.flush()
    time.sleep(max(0, begun + n / 50 - time.monotonic()))
open('results/done', 'w').close()
""" % (SECONDS, BATCH)


def pages(service, name):
    """What the service has of the journal now."""
    found = []
    while True:
        page = service.admin.Journal(computations.JournalRequest(id=name, after=len(found)), timeout=PATIENCE)
        found += page.entries
        if len(found) >= page.count:
            return found


def processor(service, agent):
    """Processor seconds of the agent, its keeper and the service."""
    pid = agent.process.process.pid
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        return sum(map(cpu, [pid, service.process.process.pid, *map(int, children.read().split())]))


def delivered(service, agent):
    """Processor seconds for all lines of a run, and its entries: `Completed` is told when they are on disk."""
    port, name = free_port(), "bench"
    m = manifest(port, algo=LINES, datasets=[dataset(IRIS, DATA_KEY, "iris.csv")], id=name)
    service.admin.Create(computations.CreateRequest(manifest=cvms.ComputationRunReq.FromString(m.SerializeToString())),
                         timeout=PATIENCE)
    service.admin.Run(computations.RunRequest(id=name, cvm_id=agent.cvm), timeout=PATIENCE)
    service.until_state(name, "Waiting for Algorithm")
    client = Client(port)
    client.algo(LINES, ALGO_KEY)
    before = processor(service, agent)
    client.data(IRIS, DATA_KEY, "iris.csv")
    client.close()
    service.until_state(name, "Completed")
    seconds, found = processor(service, agent) - before, pages(service, name)
    outputs = [entry for entry in map(decoded, found) if entry[3] == "output"]
    assert len(outputs) == 50 * SECONDS * BATCH, f"{len(outputs)} lines came"
    return seconds, found


def inserted(folder, found):
    """Processor seconds that SQLite takes for them: the same bytes under the same keys, BATCH in a transaction."""
    with contextlib.closing(sqlite3.connect(folder("limit.db"), isolation_level=None)) as db:
        db.executescript("PRAGMA journal_mode = wal; PRAGMA synchronous = full;"
                         "CREATE TABLE entries (computation TEXT, run INTEGER, sequence INTEGER, bytes BLOB,"
                         " PRIMARY KEY (computation, run, sequence)) WITHOUT ROWID;")
        begun = time.process_time()
        for first in range(0, len(found), BATCH):
            db.execute("BEGIN")
            db.executemany("INSERT INTO entries VALUES ('b', 1, ?, ?)", enumerate(found[first:first + BATCH], first + 1))
            db.execute("COMMIT")
        return time.process_time() - begun


def turn():
    """Entries in a second of processor time; the same by one signature and one transaction for each batch alone."""
    with Folder() as folder, Computations(folder) as service, Folder() as beside, Agent(beside, service) as agent:
        until(lambda: any(c.id == agent.cvm and c.connected for c in service.admin.ListCvms(
            computations.ListRequest(), timeout=PATIENCE).cvms), "the agent")
        seconds, found = delivered(service, agent)
        bound = inserted(folder, found) + len(found) / BATCH * sign_seconds("ecdsap256")
        return len(found) / seconds, len(found) / bound


def entries(_, only):
    if only and not any(word in "journal entries signed delivered" for word in only):
        return
    figures, limits = zip(*[turn() for _ in range(TURNS)])
    figure, limit = statistics.median(figures), statistics.median(limits)
    yield {"row": "journal entries signed and delivered, of a core", "figure": figure, "unit": "1/s", "limit": limit,
           "of": "ECDSA P-256 and SQLite alone", "ratio": figure / limit}


# ---- receipts ----

def receipt(_, only):
    if only and not any(word in "receipt verification" for word in only):
        return
    sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "tests", "attacks"))
    from theme_receipt import Run, RESULTS, owner, vendor

    owner().write("results.zip", RESULTS)
    words = [program("cocos-cli"), "receipt", "verify", owner().write("results.zip", RESULTS), "--receipt",
             owner().write("results.receipt.cbor", Run().receipt()), "--policy", owner().policy(), "--offline",
             "--cache", owner()("no-cache"), "--trusted_root", vendor().root]

    def verified():
        return sum(spent(words) - spent([program("cocos-cli"), "version"]) for _ in range(10)) / 10

    def bound():
        return verify_seconds("ecdsap384") + 3 * verify_seconds("rsa4096") + verify_seconds("ecdsap256")
    seconds, limit = in_turns(verified, bound)
    yield {"row": "receipt verification, by the command line", "figure": seconds * 1e6, "unit": "us",
           "limit": limit * 1e6, "of": "1 ECDSA P-384 + 3 RSA-4096 + 1 ECDSA P-256", "ratio": seconds / limit}
