# SPDX-License-Identifier: Apache-2.0
"""What CVMs ran, as managers say it: counted once whatever is killed, told again or set back; for who may see it; as a
table, JSON, CSV and a page.

Usage: usage.py [SEED [KILLS]]    of the kill -9 test
"""
import contextlib
import csv
import datetime
import html.parser
import io
import json
import os
import random
import sqlite3
import sys

import grpc

import tap
from computations_backup import done
from harness import Computations, Folder, until
from machines import INVALID, agent, made, ours, run, service, shown, until_state
from people import HIDDEN, OK, Caller
from played_manager import now_ms
from workspaces import create, member

SEED = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 20261122
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else 12
ROOM = "limit * cvms=100\n"


def months(*moments):
    """Those that these moments (ms) are in: a test may run at midnight on the last of one."""
    return sorted({datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).strftime("%Y-%m") for ms in moments})


def rows(caller, since, workspace=""):
    found = []
    for month in months(since, now_ms()):
        after = ""
        while True:
            page = caller("Usage", workspace=workspace, month=month, after=after, limit=2)
            assert page.month == month and len(page.rows) <= 2
            found += page.rows
            after = page.next
            if not after:
                break
    return found


def ran(caller, since, workspace="", what="cvm_ms"):
    return sum(getattr(row, what) for row in rows(caller, since, workspace))


def killed(running):
    running.process.kill()
    running.channel.close()
    running.start()
    running.root = Caller(running.channel)


def lived(vm):
    assert vm.created_ms and vm.exited_ms >= vm.created_ms, vm
    return vm.exited_ms - vm.created_ms


def a_kill_neither_loses_nor_doubles():
    """The sum is what its manager's two moments are apart, to the millisecond, after kills in between."""
    dice = random.Random(SEED)
    print(f"# seed {SEED}, {KILLS} kills")
    since = now_ms()
    with service(ROOM) as running:
        for name, cpus in (("one", 1), ("two", 3)):
            made(running.root, name, cpus=cpus, memory=1 << 30)
        for _ in range(KILLS):
            asked = len(running.played.asked) + dice.randrange(4)
            until(lambda asked=asked: len(running.played.asked) >= asked, "calls")
            killed(running)
        until(lambda: ran(running.root, since), "it is metered")
        before = ran(running.root, since)
        # One ends beside the service, the other one while it is away.
        names = list(running.played.there)
        ended = [running.played.end(names[0], "ended")]
        until_state(running, "one", "Lost")
        running.process.kill()
        running.channel.close()
        ended.append(running.played.end(names[1], "expired"))
        running.start()
        running.root = Caller(running.channel)
        until_state(running, "two", "Removed")
        for _ in range(2):
            assert ran(running.root, since) == sum(map(lived, ended)) >= before
            assert ran(running.root, since, what="cpu_ms") == sum(lived(vm) * vm.cpus for vm in ended)
            assert 2 <= sum(row.cvms for row in rows(running.root, since)) <= 4  # each in each month that it ran in
            killed(running)


def what_ends_before_the_answer_comes_is_not_counted_on():
    """Its manager says that it runs; it ends, and the answer is late."""
    since = now_ms()
    ended = []
    with service(ROOM) as running:
        def late(request, _):
            running.played.says.clear()
            vm = running.played.find(request.id)
            answer = type(vm).FromString(vm.SerializeToString())
            ended.append(running.played.end(vm.name, "ended"))
            until(lambda: now_ms() > ended[0].exited_ms + 100, "some time")
            return answer

        running.played.says["GetVm"] = late
        made(running.root, "one", cpus=1, memory=1 << 30)
        until_state(running, "one", "Lost")
        assert ran(running.root, since) == lived(ended[0])


def what_nobody_knows_is_not_counted():
    since = now_ms()
    with service(ROOM) as running:
        made(running.root, "one", cpus=1, memory=1 << 30)
        until(lambda: ran(running.root, since), "it is metered")
        killed(running)
        running.played.there.clear()
        until_state(running, "one", "Lost")
        total = ran(running.root, since)
        assert total <= now_ms() - since
        killed(running)
        assert ran(running.root, since) == total
        # What a manager refuses has not run.
        running.played.says["CreateVm"] = lambda r, c: c.abort(INVALID, "no")
        assert running.root.code("CreateCvm", name="two", workspace="default") == INVALID
        assert ran(running.root, since) == total
        # A removal whose answer is lost: when it ended, its manager remembers. It ends in that call and not before, when
        # a look would find it lost.
        running.played.says.clear()
        made(running.root, "three", cpus=1, memory=1 << 30)
        until(lambda: ran(running.root, since) > total, "it is metered")
        ended = []

        def lost(_, context):
            running.played.says.clear()
            ended.append(running.played.end(next(iter(running.played.there)), "removed"))
            context.abort(grpc.StatusCode.UNAVAILABLE, "gone away")

        running.played.says["RemoveVm"] = lost
        running.root("RemoveCvm", name="three")
        until_state(running, "three", "Removed")
        assert ran(running.root, since) == total + lived(ended[0])


def a_manager_that_lies_is_bounded():
    since = now_ms()
    with service(ROOM) as running:
        made(running.root, "one", cpus=1, memory=1 << 30)
        vm = next(iter(running.played.there.values()))
        vm.created_ms = 1
        until(lambda: ran(running.root, since), "it is metered")
        assert ran(running.root, since) <= now_ms() - since
        for field, value in (("cpus", 4097), ("memory", (1 << 46) + 1), ("created_ms", -1), ("exited_ms", -1)):
            kept = getattr(vm, field)
            setattr(vm, field, value)
            until(lambda: "can't be" in shown(running, "one").reason, field)
            setattr(vm, field, kept)
            until(lambda: not shown(running, "one").reason, "it is believed again")
        vm = running.played.end(vm.name, "ended")
        vm.exited_ms = now_ms() * 2
        until_state(running, "one", "Lost")
        assert ran(running.root, since) <= now_ms() - since
        assert not running.root("Usage", month="1970-01").rows and not running.root("Usage", month="9998-12").rows


def each_computation_has_its_share():
    since = now_ms()
    with service(ROOM) as running:
        cvm = made(running.root, "one", cpus=2, memory=1 << 30).cvm_id
        until(lambda: ran(running.root, since), "it is metered")
        with agent(running, cvm) as there:
            until_state(running, "one", "Ready")
            create(running.root, "c1")
            run(running, "c1", cvm)
            there.manifest()
            until_state(running, "one", "Busy")
            running.root("RemoveCvm", name="one", force=True)
        assert {row.computation for row in rows(running.root, since)} == {"", "c1"}
        vm = next(iter(running.played.gone.values()))
        total = ran(running.root, since)
        # The service's own moment of the manager's answer.
        assert lived(vm) <= total <= now_ms() - since
        assert ran(running.root, since, what="cpu_ms") == 2 * total


def who_may_sees_it():
    since = now_ms()
    with service(ROOM) as running:
        for name in ("lab", "den"):
            running.root("AddWorkspace", name=name)
            made(running.root, name, name, cpus=1, memory=1 << 30)
        until(lambda: len({row.workspace for row in rows(running.root, since)}) == 2, "both are metered")
        callers = {role: member(running, role, "lab", role) for role in ("viewer", "member", "administrator")}
        held, nobody = member(running, "held", "lab", "administrator"), member(running, "nobody", "default")
        running.root("SuspendMember", workspace="lab", user="held")
        for role, caller in callers.items():
            assert caller.code("Usage", workspace="lab") == OK, role
            assert {row.workspace for row in rows(caller, since)} == {"lab"}, role
        for caller in (held, nobody):
            there, none = (caller.text("Usage", workspace=name) for name in ("lab", "gone"))
            assert caller.code("Usage", workspace="lab") == HIDDEN
            assert there.replace("lab", "x") == none.replace("gone", "x"), (there, none)
            assert not rows(caller, since)
            # Nor by a place of a list that is another's.
            assert not caller("Usage", after="1.0.").rows
        for bad in ({"month": "2026-13"}, {"month": "x" * 9999}, {"after": "1"}, {"after": "1.3."}, {"after": "1.0"},
                    {"after": "-1.0."}, {"after": "9" * 19 + ".0."}, {"after": ".0."}):
            assert running.root.code("Usage", **bad) == INVALID, bad


class Cells(html.parser.HTMLParser):
    """The tags and texts of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.texts = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.texts.append(data)


def thousandths(ms):
    """As a statement has it. Not by floating point, in which 1.001 times 1000 is less than 1001."""
    return f"{ms // 1000}.{ms % 1000:03}"


FORMULA = "=HYPERLINK(\"x\",\"<script>alert(1)<&script>\")"


def statements_hold_no_formula_and_no_markup():
    since = now_ms()
    with service(ROOM) as running:
        cvm = made(running.root, "one", cpus=2, memory=1 << 30).cvm_id
        until(lambda: ran(running.root, since), "it is metered")
        with agent(running, cvm) as there:
            until_state(running, "one", "Ready")
            create(running.root, FORMULA)
            run(running, FORMULA, cvm)
            there.manifest()
            running.root("RemoveCvm", name="one", force=True)
        month = months(since, now_ms())[-1]

        def printed(form):
            return ours(running, "usage", "--month", month, "-o", form, "--workspace", "default").ok()
        found = list(csv.DictReader(io.StringIO(printed("csv"))))
        assert {row["kind"] for row in found} <= {"idle", "computation"}
        row = next(row for row in found if row["kind"] == "computation")
        assert row["computation"] == "'" + FORMULA and row["month"] == month and row["removed"] == "no", row
        told = json.loads(printed("json"))
        mine = next(t for t in told if t["kind"] == "computation")
        assert mine["computation"] == FORMULA and row["cvm_seconds"] == thousandths(mine["cvm_ms"]) and mine["cvm_ms"] > 0, (mine, row)
        assert int(row["memory_mib_seconds"]) == mine["memory_mib_seconds"] == 1024 * mine["cvm_ms"] // 1000
        page = Cells()
        page.feed(printed("html"))
        assert "script" not in page.tags and FORMULA in page.texts, page.texts
        assert page.tags == {"html", "head", "meta", "title", "style", "body", "h1", "p", "div", "table", "thead", "tr", "th",
                             "tbody", "td", "bdi", "tfoot"}, page.tags
        assert "CVM-HOURS" in printed("table") and "default" in printed("table")
        assert printed("yaml").startswith("- workspace: ")
        ours(running, "usage", "--month", "2026-13").refused(1, "give one as 2026-11")
        ours(running, "usage", "-o", "pdf").refused(2, "csv, html")
        ours(running, "usage", "--json", "-o", "csv").refused(2, "exclude each other")
        ours(running, "usage", "--workspace", "gone").refused(1, "no workspace 'gone'", "workspace list")
        assert ours(running, "usage", "--month", "1970-01").ok() == "none\n"
        assert "Together" in ours(running, "usage", "--month", "1970-01", "-o", "html").ok()


def a_backup_has_it():
    """The CVM goes on while nobody looks: a restored service counts what its manager says, once."""
    since = now_ms()
    with service(ROOM) as running:
        made(running.root, "one", cpus=1, memory=1 << 30)
        until(lambda: ran(running.root, since), "it is metered")
        backup = running.folder("backup")
        done(running, "--backup", backup)
        killed(running)
        running.process.kill()
        running.channel.close()
        vm = running.played.end(next(iter(running.played.there)), "ended")
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(Folder())
            again = Computations(folder, MANAGERS=running.settings["COMPUTATIONS_MANAGERS"])
            done(again, "--restore", backup)
            again = stack.enter_context(again)
            root = Caller(again.channel)
            until(lambda: root("ShowMachine", name="one", workspace="default").state == "Lost", "its end is known")
            assert ran(root, since) == lived(vm)
        running.start()  # for its own end


HOUR_MS, DAY = 3600 * 1000, 24 * 3600  # s


def spent(running, workspace, cpu_ms):
    """The service is killed, and meanwhile a CVM that is gone ran a millisecond, of so many CPUs, in this month, and as much in
    the next one, for a test that runs at midnight on the last day."""
    running.process.kill()
    running.channel.close()
    now = datetime.datetime.fromtimestamp(now_ms() / 1000, datetime.timezone.utc)
    first = datetime.datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=datetime.timezone.utc)
    database = sqlite3.connect(os.path.join(running.folder("state"), "computations.db"))
    with contextlib.closing(database):
        for until_ms in (now_ms(), int(first.timestamp() * 1000) + 1):
            database.execute("INSERT INTO usage_spans (workspace, called, machine, computation, cpus, memory, since, until)"
                             " SELECT number, name, 'gone', '', ?, 1, ?, ? FROM workspaces WHERE name = ?",
                             (cpu_ms, until_ms - 1, until_ms, workspace))
        database.commit()
    running.start()
    running.root = Caller(running.channel)


def a_limit_warns_and_then_ends():
    """At 80 % it is said, at all of it CVMs are removed and none is made; another workspace's go on."""
    with service("limit default cvms=4 cpu-hours=10\nlimit lab cvms=4 cpu-hours=11\nlimit * cvms=4\n") as running:
        running.root("AddWorkspace", name="lab")
        for workspace in ("default", "lab"):
            made(running.root, "one", workspace, cpus=1, memory=1 << 30)
        cvm = shown(running, "one").cvm_id
        spent(running, "default", 8 * HOUR_MS)
        until(lambda: "80 % of its workspace's 10 CPU-hours" in shown(running, "one").reason, "it is said")
        made(running.root, "two", cpus=1, memory=1 << 30)
        until(lambda: {row.workspace for row in running.root("Usage").rows} == {"default", "lab"}, "that of both has been noted")
        printed = ours(running, "usage", "--workspace", "default", "-o", "html")
        assert " of its 10 CPU hours (80 %).</p>" in printed.ok(), printed
        assert "note: workspace default has used 8." in printed.err, printed.err
        found = list(csv.DictReader(io.StringIO(ours(running, "usage", "-o", "csv").ok())))
        assert {(row["workspace"], row["limit_cpu_hours"], row["limit_cvm_hours"]) for row in found} == \
            {("default", "10", ""), ("lab", "11", "")}, found
        assert {row["limit_cpu_hours"] for row in json.loads(ours(running, "usage", "-o", "json").ok())} == {10, 11}
        with agent(running, cvm) as there:
            until_state(running, "one", "Ready")
            create(running.root, "c1")
            run(running, "c1", cvm)
            there.manifest()
            until_state(running, "one", "Busy")
        spent(running, "default", 2 * HOUR_MS)
        for name in ("one", "two"):
            gone = until_state(running, name, "Removed")
            assert "limit is reached: the 10 CPU-hours of" in gone.reason, gone
        failure = running.root("Show", id="c1").failure
        assert "CVM one is gone: its workspace's limit is reached" in failure, failure
        refused = running.root.text("CreateCvm", name="three", workspace="default")
        assert "the 10 CPU-hours of" in refused and "wait for the next month (UTC)" in refused, refused
        assert "(100 %)" in ours(running, "usage").err
        # What is removed stays used; and limits are each workspace's.
        until(lambda: len(running.played.there) == 1, "both are removed")
        assert shown(running, "one", "lab").state == "Provisioning"
        made(running.root, "two", "lab", cpus=1, memory=1 << 30)


def a_limit_ends_once_its_manager_answers():
    """The manager is away when the limit is reached, and the service is killed: the reason stays."""
    with service("limit * cvms=4 cvm-hours=1 cpu-hours=1 memory-hours=100000000\n") as running:
        made(running.root, "one", cpus=1, memory=1 << 30)
        running.played.says["RemoveVm"] = lambda r, c: c.abort(grpc.StatusCode.UNAVAILABLE, "away")
        spent(running, "default", HOUR_MS)
        until(lambda: shown(running, "one").leaving, "it is to be removed")
        asked = running.played.asked.count("RemoveVm")
        until(lambda: running.played.asked.count("RemoveVm") > asked + 1, "it is asked again")
        assert "limit is reached" in shown(running, "one").reason
        killed(running)
        running.played.says.clear()
        assert "limit is reached" in until_state(running, "one", "Removed").reason


def what_is_kept_counts_once():
    """The service looks when it starts, at what its last look has found, whatever is killed; and a removal ends it."""
    with service(ROOM) as running:
        create(running.root, "c1")
        running.process.kill()
        running.channel.close()
        database = sqlite3.connect(os.path.join(running.folder("state"), "computations.db"))
        with contextlib.closing(database):
            # As if a GiB had been found a day ago.
            since = database.execute("SELECT looked FROM usage_kept").fetchone()[0] - DAY
            database.execute("UPDATE usage_kept SET looked = ?, bytes = 1 << 30", (since,))
            database.commit()
        running.start()
        running.root = Caller(running.channel)

        def kept():
            return ran(running.root, since * 1000, what="storage_mib_seconds")
        until(lambda: kept() >= 1024 * DAY, "it has looked")
        found = kept()
        assert found <= 1024 * (now_ms() // 1000 - since), found
        # What it found by itself is less than a MiB: neither of these adds one times a second.
        for _ in range(2):
            killed(running)
            assert kept() == found
        printed = list(csv.DictReader(io.StringIO("".join(ours(running, "usage", "--month", month, "-o", "csv").ok()
                                                          for month in months(since * 1000, now_ms())))))
        assert sum(int(row["storage_mib_seconds"]) for row in printed if row["computation"] == "c1") == found, printed
        running.root("Remove", id="c1")
        assert found <= kept() <= found + 1024 and {(row.computation, row.cvms) for row in rows(running.root, since * 1000)} == {("c1", 0)}


if __name__ == "__main__":
    tap.run([what_is_kept_counts_once, a_limit_warns_and_then_ends, a_limit_ends_once_its_manager_answers, a_kill_neither_loses_nor_doubles, what_ends_before_the_answer_comes_is_not_counted_on,
             what_nobody_knows_is_not_counted, a_manager_that_lies_is_bounded,
             each_computation_has_its_share, who_may_sees_it, statements_hold_no_formula_and_no_markup, a_backup_has_it])
