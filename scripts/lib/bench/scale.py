# SPDX-License-Identifier: Apache-2.0
"""The service with 10,000 computations and a million events: its lists, beside the database's own queries for them."""
import contextlib
import ctypes
import glob
import os
import sqlite3
import sys
import time

from computations_service import create
from harness import PATIENCE, until
from people import Caller
from web_page import UnixConnection, Web

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "tests"))
from postgres import Postgres  # noqa: E402  pylint: disable=wrong-import-position

COMPUTATIONS, EVENTS = 10000, 1000000
EACH = EVENTS // COMPUTATIONS
ROUNDS = 100
MS = 1e3
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {0}) "
LIKE_THE_FIRST = ("description, manifest, digest, datasets, consumers, cvm, reached, stopping, failure, notice, unverified,"
                  " sent, attempt, manifest_revision")

# What stands for years of work: the first computation is the service's own, all others are made like it.
FILL = (
    NUMBERS.format(COMPUTATIONS - 1) +
    f"INSERT INTO computations (id, name, state, finished, created, changed, ended, {LIKE_THE_FIRST})"
    " SELECT 'c-' || i, 'Training ' || i, CASE i % 4 WHEN 0 THEN 4 ELSE 0 END, CASE i % 4 WHEN 0 THEN 1 ELSE 0 END, created + i, created + i * 7919 % 10007,"
    f" CASE i % 4 WHEN 0 THEN created ELSE 0 END, {LIKE_THE_FIRST} FROM n CROSS JOIN computations WHERE id = 'first'",
    "INSERT INTO workspace_computations (computation, workspace)"
    " SELECT c.id, w.number FROM computations c CROSS JOIN workspaces w WHERE c.id <> 'first'",
    "INSERT INTO usage_kept (computation, bytes, looked) SELECT id, 0, 0 FROM computations WHERE id <> 'first'",
    "DELETE FROM journals",
    f"INSERT INTO journals (number, owner, records, bytes) SELECT number, 'c:' || id, {EACH}, {EACH} * 200 FROM computations",
    # One after the other, as they would have come: no computation's stand together.
    NUMBERS.format(EACH) +
    "INSERT INTO records (journal, seconds, nanos, received, event, level, text, type, status, originator, size)"
    " SELECT j.number, 1700000000 + i, 0, 1700000000000 + i, 1 - i % 2, 'info', 'epoch ' || i || ' of many, as before', 'Running',"
    " 'InProgress', 'agent', 200 FROM n CROSS JOIN journals j ORDER BY i, j.number",
)
COUNTS = "SELECT (SELECT count(*) FROM computations), (SELECT count(*) FROM records)"


class Sqlite:
    """The service's database, in this process."""

    name, mark = "SQLite", "?{}"

    def __init__(self, folder):
        path, = glob.glob(os.path.join(folder, "*.db"))
        self.db = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE)

    def run(self, text):
        return self.db.execute(text).fetchall()

    def fill(self):
        self.run("BEGIN IMMEDIATE")
        for text in FILL:
            self.run(text)
        self.run("COMMIT")

    def close(self):
        self.db.close()


class Libpq:
    """The same by libpq; values come as texts."""

    name = "PostgreSQL"

    def __init__(self, place):
        self.pq = ctypes.CDLL("libpq.so.5")
        for name, kind in (("PQconnectdb", ctypes.c_void_p), ("PQexec", ctypes.c_void_p), ("PQgetvalue", ctypes.c_char_p),
                           ("PQresultErrorMessage", ctypes.c_char_p)):
            getattr(self.pq, name).restype = kind
        self.at = ctypes.c_void_p(self.pq.PQconnectdb(place.encode()))
        self.run("SET search_path TO cocos_computations")

    def run(self, text):
        result = ctypes.c_void_p(self.pq.PQexec(self.at, text.encode()))
        try:
            assert self.pq.PQresultStatus(result) in (1, 2), self.pq.PQresultErrorMessage(result)
            return [[self.pq.PQgetvalue(result, row, column) for column in range(self.pq.PQnfields(result))]
                    for row in range(self.pq.PQntuples(result))]
        finally:
            self.pq.PQclear(result)

    def fill(self):
        self.run("BEGIN")
        for text in FILL:
            self.run(text)
        self.run("COMMIT")
        self.run("ANALYZE")  # which its autovacuum does elsewhere

    def close(self):
        self.pq.PQfinish(self.at)


@contextlib.contextmanager
def filled(of):
    """A service that has found them all in its database; and the seconds that these took to be written."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(contextlib.closing(Postgres())) if of is Libpq else None
        web = stack.enter_context(Web(**({"DATABASE": server.place} if server else {}), MAX_COMPUTATIONS="20000"))
        create(web.service, id="first", name="Training", description="of a classifier")
        root = Caller(web.service.channel)
        root("AddUser", name="anna", administrator=False)
        root("SetMember", workspace="default", user="anna", role="administrator")
        web.token = root("AddToken", user="anna", name="bench").token
        web.service.process.stop()
        db = of(server.place if server else web.folder("state"))
        stack.callback(db.close)
        began = time.monotonic()
        db.fill()
        web.seconds = time.monotonic() - began
        assert [list(map(int, row)) for row in db.run(COUNTS)] == [[COMPUTATIONS, EVENTS]]
        web.service.channel.close()
        web.service.start()
        web.service.process.wait_line(r"page: port (\d+) of this machine")
        yield web, db


# ---- what is read, and the query that reads it, as the service asks its database ----

ROW = ("SELECT c.id, c.name, c.description, c.agent_state, c.cvm, c.failure, c.state, c.stopping, c.finished, c.created, c.sent,"
       " c.ended, c.digest, c.datasets, c.consumers, j.records, j.dropped, c.notice, v.verdict, s.name, n.name, c.changed"
       " FROM computations c LEFT JOIN journals j ON j.owner = 'c:' || c.id"
       " LEFT JOIN cvms v ON v.id = c.cvm AND v.computation = c.id"
       " LEFT JOIN workspace_computations h ON h.computation = c.id"
       " LEFT JOIN machines n ON n.run = c.number AND n.attempt = c.attempt AND n.run > 0 AND n.phase < 3"
       " LEFT JOIN workspaces s ON s.number = h.workspace ")
SEEN = (" AND ({0} = 0 OR c.id IN (SELECT m.computation FROM role_members m JOIN workspace_computations h ON h.computation = m.computation"
        " JOIN workspace_members w ON w.workspace = h.workspace AND w.person = m.person WHERE m.person = {0} AND w.suspended = 0"
        " UNION SELECT h.computation FROM workspace_members w JOIN workspace_computations h ON h.workspace = w.workspace"
        " WHERE w.person = {0} AND w.suspended = 0 AND w.role = 'administrator'))")
ORDER = " ORDER BY {0}{1}, c.number{1} LIMIT 51"
NAME = "substr(lower(c.name), 1, 128)"
FOUND = ("(lower(c.id) LIKE lower('%{0}%') ESCAPE '!' OR lower(c.name) LIKE lower('%{0}%') ESCAPE '!'"
         " OR lower(c.description) LIKE lower('%{0}%') ESCAPE '!')")
PAGES = 100  # to the middle
BEHIND = "{0} {1}= (SELECT {0} FROM computations c WHERE id = '{2}') AND ({0}, c.number) {1} (SELECT {0}, c.number FROM computations c WHERE id = '{2}')"
RECORDS = ("SELECT r.number, r.seconds, r.nanos, r.received, r.event, r.level, r.text, r.type, r.status, r.originator FROM records r"
           " JOIN journals j ON j.number = r.journal WHERE j.owner = 'c:c-5000' AND r.number > 0 ORDER BY r.number LIMIT 256")
# What is asked for, and where: by which column, the least or the greatest first; in the middle, how it goes on behind a place.
LISTS = (
    ("newest", "sort=", None, "c.created", " DESC"),
    ("newest, the middle", "sort=", PAGES, "c.created", " DESC"),
    ("by name", "sort=name", None, NAME, ""),
    ("by name, the middle", "sort=name", PAGES, NAME, ""),
    ("by name from its end, the middle", "sort=-name", PAGES, NAME, " DESC"),
    ("by state, the middle", "sort=state", PAGES, "c.state", ""),
    ("by change", "sort=-changed", None, "c.changed", " DESC"),
    ("by change, the middle", "sort=-changed", PAGES, "c.changed", " DESC"),
    ("of a state", "state=completed", "c.state = 4", "c.created", " DESC"),
    ("of a state, by name", "state=completed&sort=name", "c.state = 4", NAME, ""),
    ("by a word of few", "q=training+77", FOUND.format("training 77"), "c.created", " DESC"),
    ("by a word of none", "q=radiology", FOUND.format("radiology"), "c.created", " DESC"),
)


def p99(seconds):
    return sorted(seconds)[len(seconds) * 99 // 100 - 1]


def median(seconds):
    return sorted(seconds)[len(seconds) // 2]


def timed(call):
    began = time.monotonic()
    call()
    return time.monotonic() - began


def asking(web, path, token):
    """A call that asks for it, always on the same connection."""
    connection = UnixConnection(web.socket)
    headers = {"Host": "localhost", **({"Authorization": "Bearer " + token} if token else {})}

    def ask():
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        assert answer.read() and answer.status == 200, (path, answer.status)
    return ask


def list_of(web, token, asked, where, column, way):
    """The path of that page, and the query for it."""
    path = "/api/computations?" + asked
    for _ in range(PAGES if where == PAGES else 0):
        got = web.ask(path, headers=[("Authorization", "Bearer " + token)] if token else [], unix=True).json()
        path = "/api/computations?" + asked + "&before=" + got["next"]
        last = got["computations"][-1]["id"]
    if where == PAGES:
        where = BEHIND.format(column, "<" if way else ">", last)
    return path, ROW + "WHERE " + (where or "c.number > 0"), ORDER.format(column, way)


def in_turns(*calls):
    """Seconds of each, ROUNDS times, behind a round that counts for nothing."""
    took = [[timed(call) for call in calls] for _ in range(ROUNDS + 1)]
    return list(zip(*took[1:]))


def lists(_, only):
    for of in (Sqlite, Libpq):
        if only and not any(word in f"scale: list of a workspace events written, {of.name}" for word in only):
            continue
        with filled(of) as (web, db):
            yield {"row": f"scale: {EVENTS} events written, {of.name}", "figure": web.seconds, "unit": "s"}
            (person,), = db.run("SELECT number FROM users")
            for who, token, seen in (("", None, ""), (" of a workspace", web.token, SEEN.format(int(person)))):
                asked = [(name, *list_of(web, token, *row)) for name, *row in LISTS] + [("one and its events", "/c/c-5000", RECORDS, None)]
                least = asking(web, "/api/workspaces", None)  # of one row
                for name, path, query, order in asked:
                    query += seen + order if order else ""
                    mine, one, bare = in_turns(asking(web, path, token), lambda query=query: db.run(query), least)
                    limit = median(one) + median(bare)
                    yield {"row": f"scale: list{who}, {name}, {of.name}", "figure": median(mine) * MS, "unit": "ms",
                           "limit": limit * MS, "of": f"the query, {median(one) * MS:.3g}, and a list of one row",
                           "ratio": median(mine) / limit, "note": f"p99 {p99(mine) * MS:.3g}", "aim": "p99 <= 100, ratio <= 2"}
