#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Webhooks: what receivers are told, signed and again if need be, by a service that is killed at any moment; where they may
go; who may say so.

Usage: webhooks.py [SEED [KILLS]]    of the kill -9 test
"""
import base64
import contextlib
import json
import os
import random
import sqlite3
import sys
import time

import grpc

import tap
from harness import PATIENCE, FakeAgent, cli, lost, until
from hook_receiver import Hooks, Receiver, again, deliveries, told, until_delivered
from people import DENIED, HIDDEN, NOT_NOW, OK, Caller
from workspaces import create, member

SEED = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 20261123
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else 12
INVALID, EXHAUSTED = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED


def ours(running, *arguments):
    return cli(*arguments, COMPUTATIONS_GRPC_URL="unix:" + running.socket)


def a_run_is_told_from_its_beginning_to_its_end():
    with told() as running, Receiver(running.tls) as receiver:
        made = running.hooks("Create", url=receiver.url)
        assert made.secret.startswith("whsec_") and made.webhook.enabled and len(made.webhook.events) == 13, made
        create(running.root, "c1")
        with FakeAgent(f"127.0.0.1:{running.port}", "vm") as agent:
            until(lambda: running.root.code("Run", id="c1", cvm_id="vm") is OK, "it runs")
            assert agent.manifest().id == "c1"
            agent.event("c1", "ReceivingAlgorithm", "InProgress", b'{"secret":"of the algorithm"}')
            agent.event("c1", "ReceivingData", "InProgress")
            agent.event("c1", "Running", "InProgress")
            agent.event("c1", "Running", "InProgress")
            agent.event("c1", "ConsumingResults", "Ready")
            agent.event("c1", "Complete", "Completed")
            running.until_state("c1", "Completed")
        wanted = [("computation.created", "Created"), ("computation.waiting", "Waiting for Algorithm"),
                  ("computation.waiting", "Waiting for Datasets"), ("computation.running", "Running"),
                  ("computation.completed", "Completed")]
        receiver.until(*(kind for kind, _ in wanted))
        for came, (kind, state) in zip(receiver.came, wanted):
            assert came.signed_by(made.secret) and not came.signed_by("whsec_" + "A" * 43 + "="), came.headers
            assert set(came.body) == {"type", "timestamp", "data"} and came.type == kind, came.text
            assert came.body["data"] == {"workspace": "default", "computation": "c1", "state": state, "attempt": 1}, came.text
            assert came.headers["content-type"] == "application/json" and came.path == "/hook", came.headers
            assert abs(int(came.headers["webhook-timestamp"]) - time.time()) < PATIENCE, came.headers
            assert len(came.names) == len(set(came.names)) and "authorization" not in came.names, came.names
            assert came.headers["user-agent"].startswith("cocos-webhooks/"), came.headers
        assert len({c.id for c in receiver.came}) == len(wanted)
        done = until_delivered(running, made.webhook.number, *["taken"] * 5)
        assert [d.id for d in done] == [c.id for c in reversed(receiver.came)]
        assert all((d.tries, d.status, d.problem) == (1, 204, "") for d in done), done
        assert running.hooks("Show", number=made.webhook.number).taken == 5


def what_is_not_taken_is_tried_again():
    """By statuses, by a connection that breaks, and never at another address that an answer names."""
    with told() as running, Receiver(running.tls) as other:
        moved = (302, {"location": other.url}, b"")
        for answer, problem in (((500, {}, b"no"), "status 500"), (moved, "redirects are not followed"),
                                ((404, {}, b""), "status 404")):
            with Receiver(running.tls, [answer, (200, {}, b"ok")]) as receiver:
                made = running.hooks("Create", url=receiver.url, events=["computation.created"])
                create(running.root, "c")
                receiver.until("computation.created", "computation.created")
                first, second = receiver.came
                assert first.id == second.id and first.text == second.text and second.signed_by(made.secret)
                [done] = until_delivered(running, made.webhook.number, "taken")
                assert (done.tries, done.status, done.id) == (2, 200, first.id), done
                running.process.wait_line(f"webhook {made.webhook.number}, delivery {done.number} was not taken: .*{problem}")
                running.hooks("Delete", number=made.webhook.number)
                running.root("Remove", id="c")
        assert not other.came and not other.connections


def what_came_of_it_is_kept_until_it_can_be_written():
    """A database that can be read and not written: each is posted once, and what came of it is written when it can be."""
    def count():
        return running.process.text().count("what came of it can't be written: ")

    with told() as running, Receiver(running.tls) as receiver, contextlib.closing(
            sqlite3.connect(running.folder("state/computations.db"), timeout=PATIENCE, isolation_level=None)) as database:
        made = running.hooks("Create", url=receiver.url, events=["computation.created"]).webhook.number
        refuse = ("CREATE TRIGGER is_full BEFORE UPDATE ON webhook_deliveries"
                  " BEGIN SELECT RAISE(ABORT, 'there is no room'); END")
        database.execute(refuse)
        create(running.root, "c1")
        create(running.root, "c2")
        until(lambda: count() >= 2, "it is tried again to write it")
        assert receiver.types() == ["computation.created"] and [d.tries for d in deliveries(running, made)] == [0, 0]
        database.execute("DROP TRIGGER is_full")
        receiver.until(*["computation.created"] * 2)
        done = until_delivered(running, made, "taken", "taken")
        assert [(d.id, d.tries) for d in done] == [(c.id, 1) for c in reversed(receiver.came)], (done, receiver.came)
        # A service that ends has it in memory alone, and sends it again, as its id says.
        database.execute(refuse)
        create(running.root, "c3")
        receiver.until(*["computation.created"] * 3)
        until(lambda: count() >= 3, "it can't be written")
        running.process.stop()
        database.execute("DROP TRIGGER is_full")
        again(running)
        receiver.until(*["computation.created"] * 4)
        assert receiver.came[2].id == receiver.came[3].id and receiver.came[2].text == receiver.came[3].text
        until_delivered(running, made, *["taken"] * 3)


def one_is_sent_again_by_hand():
    with told() as running, Receiver(running.tls) as receiver:
        made = running.hooks("Create", url=receiver.url, events=["computation.created"])
        number = made.webhook.number
        create(running.root, "c1")
        receiver.until("computation.created")
        [done] = until_delivered(running, number, "taken")
        assert running.hooks("Redeliver", number=number, delivery=done.number).state == "waiting"
        receiver.until("computation.created", "computation.created")
        assert receiver.came[0].id == receiver.came[1].id
        until_delivered(running, number, "taken")
        assert running.hooks.code("Redeliver", number=number, delivery=done.number + 1) == HIDDEN
        # Nothing is told while it is disabled, and nothing is sent by hand.
        assert not running.hooks("Disable", number=number).enabled
        create(running.root, "c2")
        assert running.hooks.code("Redeliver", number=number, delivery=done.number) == NOT_NOW
        assert running.hooks("Enable", number=number).enabled
        create(running.root, "c3")
        receiver.until(*["computation.created"] * 3)
        assert receiver.came[2].body["data"]["computation"] == "c3"
        # Both secrets sign for a while, each by itself.
        other = running.hooks("Rotate", number=number)
        create(running.root, "c4")
        came = receiver.until(*["computation.created"] * 4)
        assert other.secret != made.secret and came.signed_by(other.secret) and came.signed_by(made.secret)
        assert not receiver.came[2].signed_by(other.secret)
        running.hooks("Delete", number=number)
        assert running.hooks.code("Show", number=number) == HIDDEN
        # What changed it is in the audit log, and in the daemon's line, by its number.
        rows = [json.loads(row) for row in running.root("Audit").rows]
        own = {row["what"].rsplit("/", 1)[1]: row for row in rows if row["object"] == f"webhook {number}"}
        assert set(own) == {"Create", "Redeliver", "Disable", "Enable", "Rotate", "Delete"}, own
        assert "in workspace default, to localhost port" in own["Create"]["after"], own["Create"]
        assert own["Disable"]["before"].startswith("enabled") and own["Disable"]["after"].startswith("disabled")
        assert made.secret not in json.dumps(rows) and "/hook" not in json.dumps(own)
        for method in own:
            running.process.wait_line(rf"audit: .*WebhookService/{method}.*webhook[^0-9]*{number}")
        assert made.secret not in running.process.text()


def a_receiver_that_hangs_keeps_nobody_waiting():
    """More of them than there are threads: two of a workspace hang at a time, others are told, and all else is answered."""
    with told() as running, Receiver(running.tls, [None]) as hanging, Receiver(running.tls) as receiver:
        running.root("AddWorkspace", name="lab")
        for _ in range(10):
            running.hooks("Create", url=hanging.url, events=["computation.created"])
        for i in range(3):
            create(running.root, f"c{i}")
        until(lambda: len(hanging.came) == 2, "they hang")
        made = running.hooks("Create", workspace="lab", url=receiver.url, events=["computation.created"])
        for i in range(5):
            create(running.root, f"lab{i}", "lab")
        receiver.until(*["computation.created"] * 5)
        until(lambda: running.hooks("Show", workspace="lab", number=made.webhook.number).taken == 5, "all are taken")
        # The time limit ends them, and says so.
        running.process.wait_line(r"webhook 1, delivery 1 was not taken: .*(timed out|Timeout)")


def answers_without_an_end_are_not_read():
    def long(length):
        return 200, {"content-length": str(length)}, b"x" * length

    with told() as running:
        for answer, state in ((long(1 << 20), "taken"), ((200, {"x": "y" * 60000}, b""), "waiting"),
                              ((200, {"content-encoding": "gzip"}, b"x" * 9), "taken")):
            with Receiver(running.tls, [answer]) as receiver:
                made = running.hooks("Create", url=receiver.url, events=["computation.created"])
                create(running.root, "c")
                until(lambda: receiver.came, "it comes")
                until(lambda: any(d.tries and d.state == state for d in deliveries(running, made.webhook.number)),
                      f"{state} ({deliveries(running, made.webhook.number)})")
                running.hooks("Delete", number=made.webhook.number)
                running.root("Remove", id="c")


def who_is_gone_is_told_no_more():
    with told() as running, Receiver(running.tls, [(410, {}, b"")]) as receiver:
        made = running.hooks("Create", url=receiver.url, events=["computation.created"])
        create(running.root, "c1")
        until(lambda: not running.hooks("Show", number=made.webhook.number).enabled, "it is disabled")
        assert "410" in running.hooks("Show", number=made.webhook.number).reason
        running.process.wait_line(rf"webhook {made.webhook.number} is disabled: status 410")
        # Nobody did that, and the audit log has it all the same.
        [row] = [row for row in map(json.loads, running.root("Audit").rows) if row["what"].endswith("WebhookService/Disable")]
        assert (row["who"], row["object"]) == ("service", f"webhook {made.webhook.number}"), row
        assert (row["before"], row["after"]) == ("enabled", "disabled: its receiver answers 410: it wants no more"), row
        create(running.root, "c2")
        assert [d.state for d in deliveries(running, made.webhook.number)] == ["failed"]
        assert len(receiver.came) == 1


REFUSED = {
    "https://localhost/x": "which is this machine", "https://127.0.0.1:7001/": "which is this machine",
    "https://[::1]/": "which is this machine", "https://[::ffff:127.0.0.1]/": "which is this machine",
    "https://169.254.169.254/latest/meta-data": "which is link-local", "https://10.0.0.1/": "which is private",
    "https://192.168.1.1/": "which is private", "https://[fd00::1]/": "which is private",
    "https://[fe80::1]/": "which is link-local", "https://224.0.0.1/": "which is multicast", "https://0.0.0.0/": "this network",
    "https://100.100.100.200/": "which is shared", "https://2130706433/": "its host is a name",
    "https://0x7f.1/": "its host is a name", "https://hooks.example.org:65536/": "its port is 1 to 65535",
    "https://hooks.example.org:0/": "its port is 1 to 65535", "http://hooks.example.org/": "http:// is not encrypted",
    "http://localhost": "http:// is not encrypted", "ftp://hooks.example.org/": "does not begin with https://",
    "file:///etc/passwd": "does not begin with https://", "": "does not begin with https://",
    "https://a:b@hooks.example.org/": "a user or password", "https://hooks.example.org/#a": "a fragment",
    "https://hooks.example.org/a b": "%XX",
}


def addresses_of_others_are_refused():
    with told(WEBHOOK_NETWORKS=None) as running:
        for url, why in REFUSED.items():
            said = running.hooks.text("Create", url=url)
            assert why in said, (url, said)
            ran = ours(running, "webhook", "create", url)
            assert ran.status == 1 and why in ran.err, (url, ran.err)
        assert not running.hooks("List").webhooks
        assert "there are computation.created, " in running.hooks.text("Create", url="https://h.example", events=["x"])
        assert "twice" in running.hooks.text("Create", url="https://h.example", events=["cvm.lost"] * 2)
        for i in range(10):
            running.hooks("Create", url=f"https://hooks.example.org/{i}")
        assert running.hooks.code("Create", url="https://hooks.example.org/") == EXHAUSTED


def an_address_that_may_not_be_gone_to_any_more_is_not():
    """The operator's networks count when it is sent, whatever counted when it was made; and http:// needs a setting."""
    with told(WEBHOOK_HTTP="true") as running, Receiver() as plain, Receiver(running.tls) as receiver:
        one = running.hooks("Create", url=receiver.url, events=["computation.created"]).webhook
        two = running.hooks("Create", url=plain.url, events=["computation.created"]).webhook
        create(running.root, "c1")
        # A service that is killed before it knows that they were taken would send them again.
        for made in (one, two):
            until_delivered(running, made.number, "taken")
        again(running, WEBHOOK_HTTP=None)
        create(running.root, "c2")
        receiver.until(*["computation.created"] * 2)
        running.process.wait_line(rf"webhook {two.number}, delivery \d+ was not taken: .*http:// is not encrypted")
        again(running, WEBHOOK_NETWORKS=None)
        create(running.root, "c3")
        running.process.wait_line(rf"webhook {one.number}, delivery \d+ was not taken: .*which is this machine")
        assert (len(receiver.came), len(plain.came), plain.connections) == (2, 1, 1)


def certificates_are_verified():
    """The system's authorities do not know the receiver's; and its certificate is for another name."""
    with told(WEBHOOK_CA=None) as running, Receiver(running.tls) as receiver:
        made = running.hooks("Create", url=receiver.url, events=["computation.created"]).webhook
        create(running.root, "c1")
        running.process.wait_line(rf"webhook {made.number}, delivery \d+ was not taken: .*certificate")
        again(running, WEBHOOK_CA=running.tls("ca.pem"))
        receiver.until("computation.created")
        other = running.hooks("Create", url=receiver.url.replace("localhost", "127.0.0.2"), events=["computation.created"])
        create(running.root, "c2")
        running.process.wait_line(rf"webhook {other.webhook.number}, delivery \d+ was not taken: ")
        assert len(receiver.came) <= 2


def proxies_of_the_environment_do_not_count():
    with Receiver() as proxy:
        os.environ.update({name: f"http://127.0.0.1:{proxy.port}" for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY")})
        try:
            with told() as running, Receiver(running.tls) as receiver:
                running.hooks("Create", url=receiver.url, events=["computation.created"])
                create(running.root, "c1")
                receiver.until("computation.created")
        finally:
            for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
                os.environ.pop(name)
        assert not proxy.connections


def who_administers_the_workspace_may():
    with told() as running:
        running.root("AddWorkspace", name="lab")
        made = running.hooks("Create", workspace="lab", url="https://hooks.example.org/x").webhook
        about = {"workspace": "lab", "number": made.number}
        calls = {"Create": {"workspace": "lab", "url": "https://hooks.example.org/y"}, "List": {"workspace": "lab"},
                 "Show": about, "Enable": about, "Disable": about, "Rotate": about, "Deliveries": about,
                 "Redeliver": {**about, "delivery": 1}, "Delete": about}
        callers = {role: member(running, "w-" + role, "lab", role) for role in ("viewer", "member", "administrator")}
        callers["far"] = member(running, "far", "default", "administrator")
        narrow = running.root("AddToken", user="w-administrator", name="narrow", actions=["view", "edit"]).token
        callers["narrow"] = Caller(running.channel, narrow)
        for who, caller in callers.items():
            hooks = Hooks(running.channel, caller.metadata)
            for method, fields in calls.items():
                wanted = {"administrator": HIDDEN if method == "Redeliver" else OK, "far": HIDDEN}.get(who, DENIED)
                if (who, method) == ("administrator", "Redeliver"):
                    hooks("Enable", **about)
                assert hooks.code(method, **fields) == wanted, (who, method, hooks.code(method, **fields))
                if who == "administrator" and method == "Delete":
                    continue
        # Of another workspace, by a number that there is: as one that is not.
        there = running.hooks("Create", workspace="lab", url="https://hooks.example.org/z").webhook
        far = Hooks(running.channel, callers["far"].metadata)
        assert "no webhook" in far.text("Show", number=there.number)
        # Whoever is in one workspace means that one.
        head = Hooks(running.channel, callers["administrator"].metadata)
        assert head("Show", number=there.number).workspace == "lab"
        assert [w.maker for w in head("List").webhooks] == ["w-administrator", ""]


def the_command_line_does_all_of_it():
    with told() as running, Receiver(running.tls) as receiver:
        ran = ours(running, "webhook", "create", receiver.url, "--events", "computation.created,cvm.lost", "--description",
                   "the north clinic", "-o", "json")
        made = json.loads(ran.ok())
        assert "is not shown again" in ran.err and made["secret"].startswith("whsec_"), (made, ran.err)
        assert made["events"] == ["computation.created", "cvm.lost"] and made["state"] == "enabled", made
        number = str(made["number"])
        assert ours(running, "webhook", "list").ok().split("\n")[0].split() == ["NUMBER", "STATE", "URL", "WAITING", "TAKEN"]
        assert "secret" not in json.loads(ours(running, "webhook", "show", number, "-o", "json").ok())
        create(running.root, "c1")
        assert receiver.until("computation.created").signed_by(made["secret"])
        until_delivered(running, made["number"], "taken")
        [one] = json.loads(ours(running, "webhook", "deliveries", number, "-o", "json").ok())
        assert (one["state"], one["status"], one["tries"]) == ("taken", 204, 1), one
        again_ = json.loads(ours(running, "webhook", "redeliver", number, str(one["number"]), "-o", "json").ok())
        assert again_["id"] == one["id"], again_
        receiver.until(*["computation.created"] * 2)
        assert json.loads(ours(running, "webhook", "disable", number, "--json").ok())["state"] == "disabled"
        assert json.loads(ours(running, "webhook", "enable", number, "--json").ok())["state"] == "enabled"
        other = json.loads(ours(running, "webhook", "rotate", number, "-o", "json").ok())
        assert other["secret"] != made["secret"]
        assert lost(r"'cocos-cli webhook rotate \d+'", "webhook", "rotate", number, COMPUTATIONS_GRPC_URL="unix:" + running.socket).endswith(f" {number}'")
        assert ours(running, "webhook", "delete", number).ok() == f"webhook {number} deleted\n"
        ours(running, "webhook", "show", number).refused(1, "no webhook")
        ours(running, "webhook", "show", "x").refused(2, "'webhook list' has them")
        ours(running, "webhook", "redeliver", "1", "0").refused(2, "'webhook deliveries NUMBER' has them")
        ours(running, "webhook", "list", "--workspace", "nowhere").refused(1, "nowhere")


def nothing_is_lost_by_kill_9():
    """Computations are created and stopped, and the service is killed meanwhile, in the middle of tries, too: each change
    that was acknowledged is told at least once, under one id however often it comes."""
    chance = random.Random(SEED)
    refused = set()

    def answer(came):
        # Each once at most: who is refused three times waits for five minutes.
        if came.id in refused or chance.random() < 0.8:
            return 204, {}, b""
        refused.add(came.id)
        return 503, {}, b""

    with told() as running, Receiver(running.tls, [answer]) as receiver:
        made = running.hooks("Create", url=receiver.url, events=["computation.created", "computation.cancelled"])
        wanted = set()
        for kill in range(KILLS):
            for i in range(3):
                name = f"c{kill}-{i}"
                create(running.root, name)
                wanted.add((name, "computation.created"))
                if i % 2:
                    running.root("Stop", id=name)
                    wanted.add((name, "computation.cancelled"))
            time.sleep(chance.random() * 0.1)
            again(running)
        # What was answered by 503 comes after seconds.
        until(lambda: wanted <= {(c.body["data"]["computation"], c.type) for c in list(receiver.came)},
              f"all are told (missing {wanted - {(c.body['data']['computation'], c.type) for c in list(receiver.came)}})")
        until(lambda: running.hooks("Show", number=made.webhook.number).waiting == 0, "all are taken")
        by_id = {}
        for came in receiver.came:
            assert came.signed_by(made.secret)
            by_id.setdefault(came.id, set()).add(came.text)
        assert all(len(texts) == 1 for texts in by_id.values())
        events = [json.loads(next(iter(texts))) for texts in by_id.values()]
        assert len(events) == len({(e["data"]["computation"], e["type"]) for e in events}), "one id for each change"
        assert {(e["data"]["computation"], e["type"]) for e in events} == wanted


def settings_that_make_no_sense_are_refused_at_the_start():
    with told() as running:
        for settings, why in (({"WEBHOOK_NETWORKS": "10.0.0.1/8"}, "bits behind its first 8"),
                              ({"WEBHOOK_NETWORKS": "localhost"}, "is no address"),
                              ({"WEBHOOK_REFUSED": "2606:4700::1/32"}, "COMPUTATIONS_WEBHOOK_REFUSED"),
                              ({"WEBHOOK_NETWORKS": None, "WEBHOOK_HTTP": "true"}, "does nothing without"),
                              ({"WEBHOOK_CA": "ca.pem"}, "not an absolute path"),
                              ({"WEBHOOK_CA": "/nonexistent/ca.pem"}, "COMPUTATIONS_WEBHOOK_CA")):
            lines = {**running.settings, "COMPUTATIONS_STATE_DIR": running.folder("other"),
                     "COMPUTATIONS_ADMIN_SOCKET": running.folder("other.sock"), "COMPUTATIONS_GRPC_PORT": "0"}
            for key, value in settings.items():
                lines["COMPUTATIONS_" + key] = value
            config = running.folder.write("bad.conf", "".join(f"{k}={v}\n" for k, v in lines.items() if v is not None))
            from harness import Process, program  # pylint: disable=import-outside-toplevel
            process = Process([program("cocos-computations"), "--config", config])
            assert process.process.wait(PATIENCE) == 1, why
            process.reader.join()
            assert why in process.text(), (why, process.text())


def secrets_are_not_in_what_is_told():
    """No answer but the one that made them has them, and the database, with what it writes ahead, has them sealed."""
    with told() as running:
        made = running.hooks("Create", url="https://hooks.example.org/x")
        said = str(running.hooks("List")) + str(running.hooks("Show", number=made.webhook.number))
        assert made.secret not in said and made.secret[6:20] not in said
        with sqlite3.connect(running.folder("state/computations.db")) as database:
            rows = database.execute("SELECT kind, length(sealed) FROM secrets").fetchall()
        database.close()
        assert rows == [("webhook", 32 + 28)], rows
        raw = base64.b64decode(made.secret.removeprefix("whsec_"))
        for name in os.listdir(running.folder("state")):
            if name.startswith("computations.db"):
                with open(running.folder("state", name), "rb") as file:
                    assert raw not in file.read(), name


if __name__ == "__main__":
    tap.run([
        a_run_is_told_from_its_beginning_to_its_end,
        *tap.side_by_side(
            what_is_not_taken_is_tried_again,
            what_came_of_it_is_kept_until_it_can_be_written,
            a_receiver_that_hangs_keeps_nobody_waiting,
            certificates_are_verified,
            nothing_is_lost_by_kill_9),
        one_is_sent_again_by_hand,
        answers_without_an_end_are_not_read,
        who_is_gone_is_told_no_more,
        addresses_of_others_are_refused,
        an_address_that_may_not_be_gone_to_any_more_is_not,
        proxies_of_the_environment_do_not_count,
        who_administers_the_workspace_may,
        the_command_line_does_all_of_it,
        settings_that_make_no_sense_are_refused_at_the_start,
        secrets_are_not_in_what_is_told,
    ])
