# SPDX-License-Identifier: Apache-2.0
"""Usage of months long ago, which the service sums up: statements stay as they were to the unit, before, between and after,
whatever is killed, on both databases and in backups.

Usage: usage_months.py [SEED [KILLS]]
"""
import contextlib
import datetime
import json
import os
import random
import sqlite3
import sys
import time

import tap
from computations_backup import command, done, places
from harness import PATIENCE, Process, cli, until
from people import Caller
from workspaces import member

SEED = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 20261123
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else 5
SPANS, HELD = 1000, 3
DAY = 24 * 3600 * 1000
MONTHS = [f"2020-{month:02}" for month in range(1, 7)]
AS_BEFORE = "1200"  # months: none is summed up

# Each span takes a while, so that most kills are in the middle of a transaction; and behind some rows of sums it fails,
# behind the sums that the same transaction has added.
SLOW_FILE = """CREATE TABLE gate (rows INTEGER); INSERT INTO gate VALUES (1000000);
CREATE TRIGGER slow BEFORE UPDATE OF since ON usage_spans BEGIN
SELECT RAISE(ABORT, 'held by the test') WHERE (SELECT count(*) FROM usage_months) > (SELECT rows FROM gate);
SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) SELECT i FROM n); END;"""
SLOW_SERVER = """CREATE TABLE gate (rows BIGINT); INSERT INTO gate VALUES (1000000);
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
IF (SELECT count(*) FROM usage_months) > (SELECT rows FROM gate) THEN RAISE EXCEPTION 'held by the test'; END IF;
PERFORM pg_sleep(0.002); RETURN NEW; END $$;
CREATE TRIGGER slow BEFORE UPDATE OF since ON usage_spans FOR EACH ROW EXECUTE FUNCTION slow();"""


def ms(year, month, day=1):
    return int(datetime.datetime(year, month, day, tzinfo=datetime.timezone.utc).timestamp() * 1000)


class Records:
    """A service's database, written beside it."""

    def __init__(self, service, server=None):
        self.path = os.path.join(service.settings["COMPUTATIONS_STATE_DIR"], "computations.db")
        self.server, self.name = server, service.settings.get("COMPUTATIONS_DATABASE", "").split("dbname=")[-1]

    def run(self, text):
        """The first column of the first row, if there is one."""
        if self.server:
            said = self.server.sql("SET search_path TO cocos_computations; " + text, database=self.name)
            return int(said.split()[0]) if said else None
        with contextlib.closing(sqlite3.connect(self.path, timeout=PATIENCE)) as database:
            if not text.startswith("SELECT"):
                database.executescript(text)
                return None
            return database.execute(text).fetchone()[0]

    def fill(self, dice):
        rows = []
        for _ in range(SPANS):
            since = dice.randrange(ms(2020, 1), ms(2020, 5))
            rows.append(f"({dice.choice((1, 1, 2))}, 'called{dice.randrange(3)}', 'm{dice.randrange(40)}', "
                        f"'{dice.choice(('', 'c1', 'c2', 'c3', 'c4'))}', {dice.randrange(5)}, {dice.randrange(5000)}, "
                        f"{since}, {since + dice.choice((0, 1, 999, dice.randrange(DAY), dice.randrange(50 * DAY)))})")
        self.run("INSERT INTO usage_spans (workspace, called, machine, computation, cpus, memory, since, until) VALUES "
                 + ", ".join(rows))

    def left(self):
        return self.run(f"SELECT count(*) FROM usage_spans WHERE since < {ms(2020, 8)}")


def ours(service, *arguments):
    return cli(*arguments, COMPUTATIONS_GRPC_URL="unix:" + service.socket)


def told(service, tokens):
    """All that it says of each month: statements, and what it tells who sees less."""
    found = {}
    for month in MONTHS:
        for form in ("csv", "html"):
            found[month, form] = ours(service, "usage", "--month", month, "-o", form).ok()
        found[month, "lab"] = ours(service, "usage", "--month", month, "-o", "csv", "--workspace", "lab").ok()
        for name, token in tokens.items():
            rows, after = [], ""
            while True:
                page = Caller(service.channel, token)("Usage", month=month, after=after, limit=5)
                rows += [str(row) for row in page.rows]
                after = page.next
                if not after:
                    break
            found[month, name] = rows
    return found


def same(before, after):
    assert before.keys() == after.keys()
    for key, value in before.items():
        assert after[key] == value, (key, value, after[key])


def started(service, months):
    service.settings["COMPUTATIONS_KEEP_USAGE"] = months
    service.start()


def killed(service, records):
    """A server goes on for a moment with what it was asked for, and lets nobody else in before."""
    service.process.kill()
    service.channel.close()
    if records.server:
        others = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{records.name}' AND pid <> pg_backend_pid()"
        until(lambda: records.run(others) == 0, "the server knows that it is gone")


def stopped(service):
    service.channel.close()
    service.process.stop()


@contextlib.contextmanager
def ending(service):
    """A test that fails ends it, too."""
    try:
        yield service
    finally:
        if service.process:
            service.process.kill()


def prepared(service, place, on_server, dice):
    """A service that has been there for years, its records, the tokens of two who see less, and all that it says."""
    started(service, AS_BEFORE)
    service.root = Caller(service.channel)
    service.root("AddWorkspace", name="lab")
    tokens = {}
    for name, role in (("viewer", "viewer"), ("administrator", "administrator")):
        tokens[name] = dict(member(service, name, "default", role).metadata)["authorization"].split()[1]
    records = Records(service, place.server if on_server else None)
    assert records.run("SELECT number FROM workspaces WHERE name = 'default'") == 1
    records.fill(dice)
    before = told(service, tokens)
    assert all(any(before[month, "viewer"]) for month in MONTHS[:-2]) and any("others: true" in row for row in before["2020-01", "viewer"])
    return records, tokens, before


def killed_while_they_are_summed_up(on_server):
    dice = random.Random(SEED)
    print(f"# seed {SEED}, {KILLS} kills")
    with places() as (folder, place), ending(place("old", on_server)) as service:
        records, tokens, before = prepared(service, place, on_server, dice)
        records.run(SLOW_SERVER if on_server else SLOW_FILE)
        same(before, told(service, tokens))
        stopped(service)
        # It comes so far and fails behind its sums; then it is killed, and comes farther.
        for number in range(HELD):
            records.run(f"UPDATE gate SET rows = {300 * number}")
            started(service, "24")
            service.process.wait_line("usage can't be brought up to date: .*held by the test")
            assert records.left() and (number == 0) == (records.run("SELECT count(*) FROM usage_months") == 0)
            same(before, told(service, tokens))
            killed(service, records)
        records.run("UPDATE gate SET rows = 1000000")
        # In the middle of it, wherever that is.
        for _ in range(KILLS):
            started(service, "24")
            time.sleep(dice.random())
            killed(service, records)
        # What it says is the same while it goes on, and in a backup of then, in the other database.
        started(service, "24")
        done(service, "--backup", folder("middle"))
        same(before, told(service, tokens))
        until(lambda: not records.left(), "all is summed up")
        assert records.run("SELECT count(*) FROM usage_months") > 300 * HELD - 300
        same(before, told(service, tokens))
        page = Caller(service.channel)("Usage", month="2020-01")
        assert page.summed and not Caller(service.channel)("Usage").summed
        said = ours(service, "usage", "--month", "2020-01", "-o", "json")
        assert json.loads(said.ok()) and "note: 2020-01 is long ago: its times are kept as sums" in said.err, said.err
        done(service, "--backup", folder("after"))
        stopped(service)
        for name in ("middle", "after"):
            with ending(place("again_" + name, not on_server)) as again:
                done(again, "--restore", folder(name))
                started(again, "24")
                same(before, told(again, tokens))
                there = Records(again, None if on_server else place.server)
                until(lambda there=there: not there.left(), "all is summed up there, too")
                same(before, told(again, tokens))
                stopped(again)


def a_kill_while_a_file_is_summed_up_changes_no_statement():
    killed_while_they_are_summed_up(False)


def a_kill_while_a_server_is_summed_up_changes_no_statement():
    killed_while_they_are_summed_up(True)


def what_is_not_long_ago_stays():
    """The least that can be kept; and other calls are answered beside a piece."""
    with places() as (_, place), ending(place("young", False)) as service:
        started(service, AS_BEFORE)
        stopped(service)
        records = Records(service)
        now = datetime.datetime.now(datetime.timezone.utc)
        month = now.year * 12 + now.month - 1
        # Of each of the last six months, from one day of it; a test that runs at midnight has one more.
        for back in range(6):
            since = ms((month - back) // 12, (month - back) % 12 + 1)
            records.run("INSERT INTO usage_spans (workspace, called, machine, computation, cpus, memory, since, until) VALUES "
                        f"(1, 'default', 'm{back}', '', 1, 1, {since}, {since + 1})")
        started(service, "3")
        service.process.wait_line("usage of months before the last 3 is kept as sums: [34] spans more")
        assert records.run("SELECT count(*) FROM usage_spans") + records.run("SELECT count(*) FROM usage_months") == 6
        assert records.run("SELECT count(*) FROM usage_months") in (3, 4)
        stopped(service)


def other_numbers_of_months_are_refused():
    with places() as (_, place):
        service = place("bad", False)
        for bad in ("2", "0", "-1", "1201", "2 years", "24.0"):
            service.settings["COMPUTATIONS_KEEP_USAGE"] = bad
            process = Process(command(service))
            process.wait_line("COMPUTATIONS_KEEP_USAGE")
            assert process.end() != 0, bad


if __name__ == "__main__":
    tap.run([a_kill_while_a_file_is_summed_up_changes_no_statement, a_kill_while_a_server_is_summed_up_changes_no_statement,
             what_is_not_long_ago_stays, other_numbers_of_months_are_refused])
