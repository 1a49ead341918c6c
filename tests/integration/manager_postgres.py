# SPDX-License-Identifier: Apache-2.0
"""cocos-manager with its registry on a PostgreSQL server, which the test starts, kills and lets hang.

libvirt's own test driver stands for the machines: it knows those of the registry, and forwards no port, so that what
is created is recorded, and undone.

Usage: manager_postgres.py [SEED]"""
import atexit
import os
import random
import shutil
import signal
import sys
import tempfile
import threading

import grpc

import sample
import tap
from harness import PATIENCE, ROOT, Folder, Process, program, until
from host_check import check, failed
from many_cvms import ManyCvms, identity, manager
from shared_managers import Shared

sys.path.insert(0, os.path.join(ROOT, "tests"))
from postgres import Postgres  # pylint: disable=wrong-import-position

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else random.SystemRandom().randrange(1 << 32)
COUNT, KILLS = 40, sample.of(4, 20)
ROOM = 8  # for CVMs that are created
SECRETS = tempfile.mkdtemp(prefix="cocos-server-", dir="/dev/shm")
os.chmod(SECRETS, 0o711)
atexit.register(shutil.rmtree, SECRETS)


class OnServer:
    """A server and CVMs on it, in a `with`: (server, CVMs)."""

    def __init__(self, count):
        self.count = count

    def __enter__(self):
        self.server, self.folder = Postgres(), Folder()
        try:
            many = ManyCvms(self.folder.__enter__(), SECRETS, self.count, self.server)
            many.settings.update(MANAGER_MAX_VMS=str(self.count + ROOM), MANAGER_PORTS=f"20000-{20000 + self.count + ROOM}")
            return self.server, many
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise

    def __exit__(self, *why):
        self.server.close()
        self.folder.__exit__(*why)
        for name in os.listdir(SECRETS):
            shutil.rmtree(os.path.join(SECRETS, name))


def recorded(server):
    return set(server.sql("SELECT id FROM cocos_manager.cvm").split())


def listed(m):
    return {vm.id for vm in m.all(states=["creating", "running", "removing", "lost"])}


def create(m):
    return m.stub.CreateVm.future(manager.CreateReq(agent_cvm_server_url="10.0.2.2:7001"), timeout=PATIENCE)


def remove(m, each):
    m.stub.RemoveVm(manager.RemoveReq(cvm_id=each), timeout=PATIENCE)


def records_are_on_the_server():
    with OnServer(COUNT) as (server, many):
        every = {identity(n) for n in range(COUNT)}
        with many as m:
            until(lambda: len(m.all(states=["running"])) == COUNT, "all of them running")
            remove(m, identity(0))
            assert recorded(server) == listed(m) == every - {identity(0)}
            m.process.kill()
        with many as m:
            assert recorded(server) == listed(m) == every - {identity(0)}
            assert [vm.id for vm in m.all(states=["exited"])] == [identity(0)]
        assert not os.path.exists(many.folder("state/registry.db"))


def one_manager_uses_it_at_a_time():
    with OnServer(1) as (server, many), Folder() as other:
        def refused(words):
            second = Process([program("cocos-manager"), "--config", "/dev/null"], {
                **many.settings, "MANAGER_STATE_DIR": other("state"), "MANAGER_SOCKET": other("socket")})
            second.wait_line(words)
            assert second.end() == 1, second.text()

        with many as m:
            refused("another service uses the PostgreSQL database")
            assert listed(m) == {identity(0)}
            m.process.kill()
        refused("it is another manager's")
        with open(many.folder("state/tag"), "rb") as tag:  # its place is to be taken, by its hosts' word
            other.write("state/tag", tag.read())
        many.settings["MANAGER_STATE_DIR"] = other("state")
        with many as m:
            until(lambda: len(m.all(states=["running"])) == 1, "it running")
            remove(m, identity(0))
            assert listed(m) == recorded(server) == set()


class Storm:
    """Creations and removals at once, until its `with` ends."""

    def __init__(self, m, rng):
        self.m, self.rng, self.stop = m, rng, threading.Event()
        self.left, self.removed, self.refusals = [identity(n) for n in range(COUNT)], set(), []
        self.made = []  # none may be: said here, since a thread's failure fails no test
        rng.shuffle(self.left)
        self.workers = [threading.Thread(target=work) for work in (self.remove, self.create, self.create)]

    def remove(self):
        begun = False  # what was refused may have begun, and the manager ends it by itself: it is asked for until then
        while self.left and (not self.stop.wait(self.rng.random() / 4) or begun):
            begun = True
            try:
                remove(self.m, self.left[-1])
            except grpc.RpcError as why:
                if why.code() != grpc.StatusCode.NOT_FOUND:  # else the answer to an earlier try got lost
                    self.refusals.append(why)
                    continue
            self.removed.add(self.left.pop())
            begun = False

    def create(self):
        while not self.stop.is_set():
            why = create(self.m).exception()
            if why is None:
                self.made.append(why)
            elif "PostgreSQL" in why.details():
                self.refusals.append(why)

    def __enter__(self):
        for worker in self.workers:
            worker.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for worker in self.workers:
            worker.join()


def goes_on(m):
    """A creation gets further than to the server."""
    return "PostgreSQL" not in create(m).exception().details()


def nothing_is_lost_or_double_when_the_server_is_killed():
    """While it is gone each change says so in a line; then it goes on, without being started anew."""
    print(f"# seed {SEED}")
    rng = random.Random(SEED)
    with OnServer(COUNT) as (server, many):
        with many as m:
            until(lambda: len(m.all(states=["running"])) == COUNT, "all of them running")
            with Storm(m, rng) as storm:
                for _ in range(KILLS):
                    removed = len(storm.removed)
                    until(lambda removed=removed: len(storm.removed) > removed + 1 or not storm.left, "removals")
                    before = len(storm.refusals)
                    server.stop(rng.choice([signal.SIGQUIT, signal.SIGINT]))
                    until(lambda before=before: len(storm.refusals) > before, "a refusal")
                    assert m.all() is not None  # who only looks is answered
                    server.start()
                    until(lambda: goes_on(m), "a creation that gets further")
            assert not storm.made
            for why in storm.refusals:
                assert "PostgreSQL database" in why.details() and "\n" not in why.details(), why.details()
                assert why.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN), (why.code(), why.details())
            left = set(storm.left)
            until(lambda: listed(m) == left, "what was begun undone")
            until(lambda: recorded(server) == left, "no record of it")
            gone = server.sql("SELECT id FROM cocos_manager.gone").split()
            assert len(gone) == len(set(gone)), "remembered twice"
            assert storm.removed <= set(gone), storm.removed - set(gone)
            m.process.kill()
        with many as m:
            assert listed(m) == recorded(server) == left
            until(lambda: set(os.listdir(SECRETS)) == set(os.listdir(many.folder("state/cvms"))) == left, "no folder")
        print(f"# {len(storm.removed)} removed, {len(left)} left, {len(storm.refusals)} refused")


def who_only_looks_does_not_wait_for_a_server_that_hangs():
    with OnServer(3) as (server, many), many as m:
        until(lambda: len(m.all(states=["running"])) == 3, "all of them running")
        backend = int(server.sql("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"))
        os.kill(backend, signal.SIGSTOP)
        try:
            waits = create(m)
            for _ in range(5):  # a creation is answered in 20 s, come what may: more would measure this machine
                assert len(m.all(states=["running"])) == 3
            assert not waits.done()
        finally:
            os.kill(backend, signal.SIGCONT)
        assert "PostgreSQL" not in waits.exception().details(), waits.exception().details()
        until(lambda: listed(m) == recorded(server) and len(listed(m)) == 3, "what was begun to be undone")


def a_manager_that_lost_its_place_changes_nothing():
    with OnServer(2) as (server, many), many as m:
        until(lambda: len(m.all(states=["running"])) == 2, "both running")
        server.sql("UPDATE cocos_manager.meta SET value = '77' WHERE key = 'epoch'")
        try:
            remove(m, identity(0))
            raise AssertionError("removed")
        except grpc.RpcError as why:
            assert why.code() == grpc.StatusCode.FAILED_PRECONDITION, why
            assert "another manager has used it since" in why.details(), why.details()
        assert "another manager has used it since" in create(m).exception().details()
        assert recorded(server) == listed(m) == {identity(0), identity(1)}


def check_looks_at_it_and_changes_nothing():
    with OnServer(0) as (server, many):
        status, rows = check("cocos-manager", many.settings)
        assert status == 0 and rows["database"]["found"].startswith("PostgreSQL, form "), rows
        with many:  # nobody is kept from it
            assert check("cocos-manager", many.settings)[1]["database"]["outcome"] == "ok"
        server.sql("UPDATE cocos_manager.cocos_form SET form = 99")
        status, rows = check("cocos-manager", many.settings)
        assert status == 1 and failed(rows) == ["database"], rows
        server.sql("DROP SCHEMA cocos_manager CASCADE")
        status, rows = check("cocos-manager", many.settings)
        assert status == 0 and "made at the start" in rows["database"]["found"], rows
        assert server.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'cocos_manager'") == "0"
        server.stop()
        status, rows = check("cocos-manager", many.settings)
        assert status == 1 and failed(rows) == ["database"], rows


def outcomes(rows):
    return [outcome for outcome, _ in rows.values()]


def check_tells_of_the_managers_that_share_it():
    server = Postgres()
    with Folder() as one, Folder() as two, Folder() as three, Folder() as four:
        a, b, twin = Shared(one, server, "a"), Shared(two, server, "b"), Shared(three, server, "a")
        try:
            assert outcomes(a.check()) == ["ok", *["not asked"] * 3, "ok"], a.check()
            with a:
                rows = a.check()
                assert outcomes(rows) == ["ok"] * 5 and "this manager's own: process" in rows["manager's name"][1], rows
                assert f"process {a.process.process.pid} of machine" in rows["manager's name"][1], rows
                rows = b.check()
                assert outcomes(rows) == ["ok"] * 5 and "which nobody else has" in rows["manager's name"][1], rows
                rows = twin.check()
                assert outcomes(rows) == ["ok", "ok", "failed", "ok", "ok"], rows
                assert f"another manager is called a: process {a.process.process.pid} of" in rows["manager's name"][1], rows
                before = server.sql("SELECT * FROM cocos_manager.lease, cocos_manager.manager, cocos_manager.meta")
                b.check()
                assert before == server.sql("SELECT * FROM cocos_manager.lease, cocos_manager.manager, cocos_manager.meta")
                tag = server.sql("SELECT value FROM cocos_manager.meta WHERE key = 'tag'")
                two.write("state/tag", "00000000\n")
                rows = b.check()
                assert outcomes(rows) == ["ok", "failed", "ok", "ok", "ok"], rows
                assert "00000000" in rows["registry's tag"][1] and tag in rows["registry's tag"][1], rows
                two.write("state/tag", tag + "\n")
                a.process.kill()
            assert outcomes(twin.check())[2] == "failed"  # of one that can't be known to be dead
            assert outcomes(a.check()) == ["ok"] * 5  # in its own place it waits for nobody
            server.sql("UPDATE cocos_manager.manager SET until_ms = 1")
            assert outcomes(twin.check()) == ["ok"] * 5
            far = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint + 250000"
            server.sql("DELETE FROM cocos_manager.lease;"
                       "INSERT INTO cocos_manager.lease (host, holder, instance, fence, until_ms, uri, lease_ms, vms_max)"
                       f" VALUES ('ward-1', 'a', 7, 900, {far}, 'u', 300000, 8), ('ward-9', 'c', 8, 901, 1, 'u', 300000, 8)")
            assert "hosts: 0 of b, 1 of others, 1 of nobody now" in b.check()["leases"][1], b.check()
            assert "hosts: 1 of a, 0 of others, 1 of nobody now" in a.check()["leases"][1], a.check()
            short = Shared(two, server, "b", MANAGER_LEASE="30s").check()
            assert outcomes(short)[3] == "failed" and "another MANAGER_LEASE than 30 s" in short["leases"][1], short
            alone = Shared(four, server, "b", MANAGER_LIBVIRT_URI="test:///default")
            del alone.settings["MANAGER_HOSTS"]
            four.write("state/tag", tag + "\n")
            rows = alone.check()
            assert outcomes(rows) == ["ok", "ok", "not asked", "failed", "ok"], rows
            assert "manager a holds host ward-1 by a lease" in rows["leases"][1], rows
            server.stop()
            assert outcomes(b.check()) == ["failed", *["not asked"] * 4], b.check()
        finally:
            server.close()


if __name__ == "__main__":
    tap.run([records_are_on_the_server, one_manager_uses_it_at_a_time,
             nothing_is_lost_or_double_when_the_server_is_killed,
             who_only_looks_does_not_wait_for_a_server_that_hangs,
             a_manager_that_lost_its_place_changes_nothing, check_looks_at_it_and_changes_nothing,
             check_tells_of_the_managers_that_share_it])
