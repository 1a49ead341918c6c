# SPDX-License-Identifier: Apache-2.0
"""Accounts that pay for workspaces: who may say so, what their plans end, what they are told, and their statements."""
import contextlib
import csv
import datetime
import io
import json
import os
import sqlite3

import grpc

import tap
from harness import PATIENCE, PROTOCOL, cli, until
from hook_receiver import Receiver, again, told, until_delivered
from machines import agent, made, run, service, shown, until_state
from people import DENIED, HIDDEN, NOT_NOW, OK, Caller
from usage import HOUR_MS, killed, spent
from workspaces import create, member

billing, billing_grpc = PROTOCOL["billing"]
PLANS = "limit * cvms=4\nplan small cpu-hours=10\nplan large cpu-hours=1000 cvm-hours=500 memory-hours=7\n"
EXISTS, EXHAUSTED = grpc.StatusCode.ALREADY_EXISTS, grpc.StatusCode.RESOURCE_EXHAUSTED
INVALID = grpc.StatusCode.INVALID_ARGUMENT


class Billing:
    """billing.BillingService with one token, or without."""

    def __init__(self, channel, metadata=()):
        self.stub, self.metadata = billing_grpc.BillingServiceStub(channel), metadata

    def __call__(self, method, **fields):
        method_of = billing.DESCRIPTOR.services_by_name["BillingService"].methods_by_name[method]
        request = method_of.input_type._concrete_class(**fields)  # pylint: disable=protected-access
        return getattr(self.stub, method)(request, timeout=PATIENCE, metadata=self.metadata)

    def code(self, method, **fields):
        try:
            self(method, **fields)
        except grpc.RpcError as error:
            return error.code()
        return None

    def text(self, method, **fields):
        try:
            self(method, **fields)
        except grpc.RpcError as error:
            return error.details()
        raise AssertionError(f"{method} is not refused")


def pays(running):
    return Billing(running.channel)


def ours(running, *arguments):
    return cli(*arguments, COMPUTATIONS_GRPC_URL="unix:" + running.socket)


def who_administers_the_service_may():
    """Every method and everybody: nobody else does, sees or learns anything, not even whether an account is there."""
    with service(PLANS) as running:
        running.root("AddWorkspace", name="lab")
        running.root("AddWorkspace", name="den")
        calls = {"Create": {"name": "new", "plan": "small"}, "List": {}, "Plans": {}, "Show": {"name": "acme"},
                 "SetPlan": {"name": "acme", "plan": "large"}, "Give": {"name": "acme", "workspace": "lab"},
                 "Take": {"name": "acme", "workspace": "lab"}, "Remove": {"name": "new"}}
        assert set(calls) == set(billing.DESCRIPTOR.services_by_name["BillingService"].methods_by_name)
        callers = {role: member(running, "w-" + role, "lab", role) for role in ("viewer", "member", "administrator")}
        running.root("AddUser", name="auditor", auditor=True)
        callers["auditor"] = Caller(running.channel, running.root("AddToken", user="auditor", name="t").token)
        running.root("AddUser", name="chief", administrator=True)
        narrow = running.root("AddToken", user="chief", name="narrow", actions=["view", "edit", "run"]).token
        callers["narrow"] = Caller(running.channel, narrow)
        chief = Caller(running.channel, running.root("AddToken", user="chief", name="t").token)
        pays(running)("Create", name="acme", plan="small")
        for who, caller in callers.items():
            for method, fields in calls.items():
                for more in ({}, {"name": "none"} if "name" in fields else {}):
                    got = Billing(running.channel, caller.metadata).code(method, **{**fields, **more})
                    assert got == DENIED, (who, method, got)
            there, none = (caller.text("Usage", account=name) for name in ("acme", "none"))
            assert there.replace("acme", "none") == none and caller.code("Usage", account="acme") == HIDDEN, (who, there)
        for method, fields in calls.items():
            assert Billing(running.channel, chief.metadata).code(method, **fields) == OK, method
        assert chief.code("Usage", account="acme") == OK
        assert [a.maker for a in pays(running)("List").accounts] == [""]
        rows = [row for row in map(json.loads, running.root("Audit").rows) if "BillingService" in row["what"] and row["who"] == "user chief" and row["after"]]
        assert [(row["what"].split("/")[1], row["object"]) for row in rows] == [
            ("Create", "account new"), ("SetPlan", "account acme"), ("Give", "account acme"), ("Take", "account acme"),
            ("Remove", "account new")], rows
        assert [(row["before"], row["after"]) for row in rows[1:3]] == [
            ("plan small", "plan large"), ("pays for 0 workspaces", "pays for workspace lab")], rows


def what_can_not_be_is_refused():
    with service(PLANS) as running:
        account = pays(running)
        running.root("AddWorkspace", name="lab")
        account("Create", name="acme", plan="small")
        account("Create", name="other", plan="large")
        account("Give", name="acme", workspace="lab")
        for method, fields, code, words in (
                ("Create", {"name": "acme", "plan": "small"}, EXISTS, "exists already"),
                ("Create", {"name": "A B", "plan": "small"}, INVALID, "use at most"),
                ("Create", {"name": "", "plan": "small"}, INVALID, "use at most"),
                ("Create", {"name": "x" * 5000, "plan": "small"}, INVALID, "use at most"),
                ("Create", {"name": "more", "plan": "huge"}, HIDDEN, "'cocos-cli billing plans'"),
                ("SetPlan", {"name": "acme", "plan": ""}, HIDDEN, "no plan ''"),
                ("SetPlan", {"name": "none", "plan": "small"}, HIDDEN, "no billing account"),
                ("Give", {"name": "acme", "workspace": "lab"}, EXISTS, "already"),
                ("Give", {"name": "other", "workspace": "lab"}, NOT_NOW, "account acme pays for that workspace"),
                ("Give", {"name": "acme", "workspace": "none"}, HIDDEN, "no workspace"),
                ("Take", {"name": "other", "workspace": "lab"}, HIDDEN, "does not pay"),
                ("Remove", {"name": "acme"}, NOT_NOW, "stays for its statements"),
                ("Show", {"name": "\n"}, HIDDEN, "no billing account")):
            assert account.code(method, **fields) == code and words in account.text(method, **fields), (method, fields)
        assert running.root.code("Usage", account="acme", workspace="lab") == INVALID
        pages, after = [], ""
        while not pages or after:
            page = account("List", after=after, limit=1)
            pages.append([a.name for a in page.accounts])
            after = page.next
        assert pages in ([["acme"], ["other"]], [["acme"], ["other"], []]), pages


def a_plan_ends_what_runs_in_all_its_workspaces():
    """At 80 % of it each CVM says so, at all of it they are removed and none is made, in either workspace; others go on."""
    with service(PLANS) as running:
        for name in ("lab", "den"):
            running.root("AddWorkspace", name=name)
        pays(running)("Create", name="acme", plan="small")
        for name in ("lab", "default"):
            pays(running)("Give", name="acme", workspace=name)
        for name in ("lab", "default", "den"):
            made(running.root, "one", name, cpus=1, memory=1 << 30)
        cvm = shown(running, "one").cvm_id
        spent(running, "lab", 8 * HOUR_MS)
        for name in ("lab", "default"):
            until(lambda name=name: "80 % of its account's 10 CPU-hours" in shown(running, "one", name).reason, "it is said")
        with agent(running, cvm) as there:
            until_state(running, "one", "Ready")
            create(running.root, "c1")
            run(running, "c1", cvm)
            there.manifest()
            until_state(running, "one", "Busy")
        spent(running, "default", 2 * HOUR_MS)
        for name in ("lab", "default"):
            gone = until_state(running, "one", "Removed", name)
            assert "its account's limit is reached: the 10 CPU-hours of" in gone.reason, gone
            assert running.root.code("CreateCvm", name="two", workspace=name) == EXHAUSTED
            assert "its account's limit is reached" in running.root.text("CreateCvm", name="two", workspace=name)
        assert "its account's limit is reached" in running.root("Show", id="c1").failure
        assert not shown(running, "one", "den").reason
        made(running.root, "two", "den", cpus=1, memory=1 << 30)
        # Removing a workspace, or calling it otherwise, gives nothing back.
        until(lambda: len(running.played.there) == 2, "both are removed")
        running.root("RenameWorkspace", name="lab", to="ward")
        assert running.root.code("CreateCvm", name="two", workspace="ward") == EXHAUSTED
        running.root("RemoveWorkspace", name="ward")
        assert running.root.code("CreateCvm", name="two") == EXHAUSTED
        shown_now = pays(running)("Show", name="acme")
        assert shown_now.cpu_ms >= 10 * HOUR_MS and sorted(shown_now.workspaces) == ["", "default"] and shown_now.limits.cpu_hours == 10
        # Another plan holds at once, also behind a kill.
        pays(running)("SetPlan", name="acme", plan="large")
        killed(running)
        made(running.root, "three", cpus=1, memory=1 << 30)
        assert pays(running)("Show", name="acme").plan == "large"


def a_plan_that_is_none_any_more_makes_none():
    with service(PLANS) as running:
        pays(running)("Create", name="acme", plan="small")
        pays(running)("Give", name="acme", workspace="default")
        made(running.root, "one", cpus=1, memory=1 << 30)
        running.process.kill()
        running.channel.close()
        path = running.settings["COMPUTATIONS_MANAGERS"]
        with open(path, encoding="utf-8") as table:
            text = table.read()
        with open(path, "w", encoding="utf-8") as table:
            table.write(text.replace("plan small", "plan tiny"))
        running.start()
        running.root = Caller(running.channel)
        until(lambda: "has plan small, which is none any more" in shown(running, "one").reason, "it is said")
        assert running.root.code("CreateCvm", name="two") == NOT_NOW
        assert shown(running, "one").state == "Provisioning"
        assert pays(running)("Show", name="acme").unknown and "no such plan" in ours(running, "billing", "list").ok()
        pays(running)("SetPlan", name="acme", plan="tiny")
        made(running.root, "two", cpus=1, memory=1 << 30)


def last_month():
    now = datetime.datetime.now(datetime.timezone.utc)
    return datetime.datetime(now.year - (now.month == 1), (now.month - 2) % 12 + 1, 1, tzinfo=datetime.timezone.utc)


def the_command_line_does_all_of_it():
    """And statements are of all its workspaces, as they were paid for then."""
    with service(PLANS) as running:
        for name in ("lab", "den"):
            running.root("AddWorkspace", name=name)
        plans = json.loads(ours(running, "billing", "plans", "-o", "json").ok())
        assert [(p["plan"], p["cpu_hours"], p["cvm_hours"], p["memory_gib_hours"]) for p in plans] == [
            ("small", 10, 0, 0), ("large", 1000, 500, 7)], plans
        ours(running, "billing", "create", "acme").refused(2, "--plan is missing")
        ours(running, "billing", "create", "acme", "--plan", "huge").refused(1, "no plan 'huge'")
        told_new = json.loads(ours(running, "billing", "create", "acme", "--plan", "small", "-o", "json").ok())
        assert (told_new["account"], told_new["plan"], told_new["workspaces"], told_new["pays_for"]) == ("acme", "small", 0, []), told_new
        ours(running, "billing", "give", "acme", "lab").ok()
        assert json.loads(ours(running, "billing", "give", "acme", "den", "-o", "json").ok())["pays_for"] == ["den", "lab"]
        spent(running, "lab", 9 * HOUR_MS)
        spent(running, "default", HOUR_MS)
        seen = dict(line.split() for line in ours(running, "billing", "show", "acme").ok().splitlines())
        assert seen["cpu_hours"] == "9.000" and "cpu_ms" not in seen, seen  # people see hours, by that name
        running.root("RemoveWorkspace", name="den")
        assert "note: 1 of its workspaces is removed" in ours(running, "billing", "show", "acme").err
        statement = ours(running, "usage", "--account", "acme", "-o", "csv")
        assert {row["workspace"] for row in csv.DictReader(io.StringIO(statement.ok()))} == {"lab"}, statement.ok()
        assert "note: account acme has used 9.000 of its 10 CPU hours" in statement.err, statement.err
        page = ours(running, "usage", "--account", "acme", "-o", "html").ok()
        assert "<p><bdi>acme</bdi> has used 9.000 of its 10 CPU hours (90 %).</p>" in page, page
        ours(running, "billing", "take", "acme", "lab").ok()
        assert "lab" not in ours(running, "usage", "--account", "acme", "-o", "csv").ok()
        assert ours(running, "billing", "plan", "acme", "large").ok()
        assert [a["plan"] for a in json.loads(ours(running, "billing", "list", "-o", "json").ok())] == ["large"]
        ours(running, "billing", "remove", "acme").refused(1, "stays for its statements")
        ours(running, "billing", "create", "more", "--plan", "small").ok()
        assert ours(running, "billing", "remove", "more").ok() == "account more removed\n"
        ours(running, "billing", "show", "more").refused(1, "no billing account", "billing list")
        ours(running, "usage", "--account", "more").refused(1, "no billing account", "billing list")
        ours(running, "usage", "--account", "acme", "--workspace", "lab").refused(1, "name one of them")


def a_statement_that_is_ready_is_told():
    """By the webhooks of the workspaces that it paid for last month, once, whatever is killed."""
    with told() as running, Receiver(running.tls) as receiver:
        running.hooks("Create", url=receiver.url, events=["statement.ready"])
        running.process.kill()
        running.channel.close()
        since = last_month()
        with contextlib.closing(sqlite3.connect(os.path.join(running.folder("state"), "computations.db"), timeout=PATIENCE)) as database:
            database.execute("INSERT INTO billing_accounts (name, plan, maker, created) VALUES ('acme', 'small', '', 1)")
            database.execute("INSERT INTO billing_places (workspace, since, account) VALUES (1, ?, 1)", (int(since.timestamp() * 1000),))
            database.commit()
        now = datetime.datetime.now(datetime.timezone.utc)
        if now.day == 1 and now.hour == 0:
            return  # within an hour behind the month's end it is not told; the unit tests have that hour
        again(running)
        came = receiver.until("statement.ready")
        assert came.body["data"] == {"workspace": "default", "account": "acme", "month": since.strftime("%Y-%m"), "state": "Ready"}, came.text
        until_delivered(running, 1, "taken")
        again(running)
        again(running)
        running.hooks("Create", url=receiver.url, events=["computation.created"])
        create(running.root, "c1")
        receiver.until("statement.ready", "computation.created")


if __name__ == "__main__":
    tap.run([who_administers_the_service_may, what_can_not_be_is_refused, a_plan_ends_what_runs_in_all_its_workspaces,
             a_plan_that_is_none_any_more_makes_none, the_command_line_does_all_of_it, a_statement_that_is_ready_is_told])
