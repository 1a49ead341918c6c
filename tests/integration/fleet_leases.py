# SPDX-License-Identifier: Apache-2.0
"""Two managers, one PostgreSQL and two hosts, each with a libvirt of its own: who holds which host, and what becomes of it
when a manager is killed, or stopped and goes on after its lease has ended.

A manager that this machine keeps from renewing its leases loses them, as it should: nothing here takes it for a failure.

Usage: fleet_leases.py [SEED]"""
import os
import random
import re
import signal
import sys
import threading
import time

import grpc

import libvirt_room as room
import sample
import tap
from harness import PATIENCE, PROTOCOL, ROOT, Folder, until
from libvirt_hosts import Host, bus
from manager_hosts import Fleet, created, hosts
from manager_libvirt import Manager, refused

sys.path.insert(0, os.path.join(ROOT, "tests"))
from postgres import Postgres  # pylint: disable=wrong-import-position

manager, _ = PROTOCOL["manager"]
SEED = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else random.SystemRandom().randrange(1 << 32)
ROUNDS, OF_HOST, LEASE = sample.of(4, 20), 5, "6s"
LONG_LEASE = "20s"  # where a test says who has which host meanwhile
TAKES = 240  # seconds for a lease to end and its hosts to be taken, on a machine that has much else to do
# What a call may hear while hosts go from one manager to the other.
MAY_END = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.FAILED_PRECONDITION,
           grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED,
           grpc.StatusCode.NOT_FOUND, grpc.StatusCode.ABORTED}
# Who takes a host over ends what the one before had begun to start there, of which that one is told by libvirt alone.
CLEARED = "terminating on signal 15"


class One(Fleet):
    """One of several managers that share a database."""

    def __init__(self, folder, server, name, only=None, **settings):
        self.server, self.name, self.only = server, name, only or hosts
        super().__init__(folder, DATABASE=server.place, LEASE_NAME=name,
                         **{"LEASE": LEASE, "MAX_VMS": str(len(hosts) * OF_HOST), **settings})
        self.rows(f"machines={OF_HOST}", only=only)

    def until_there(self, *some):
        for host in some or hosts:
            if host in self.only:
                self.process.wait_line(f"connected to {host.name}")

    def holds(self):
        """Names of hosts that it takes CVMs for."""
        return {host.name for host in self.stub.ListHosts(manager.ListHostsReq(), timeout=PATIENCE).hosts
                if host.manager == self.name}

    def __exit__(self, *why):
        Manager.__exit__(self, *why)  # the hosts are cleared when no manager is there

    def signal(self, number):
        os.kill(self.process.process.pid, number)

    def records(self):
        return {}

    def made(self, **fields):
        """A CVM's id; a host that is connected has to be looked at before it takes one."""
        return until(lambda: created(self, **fields), "a CVM").cvm_id


class Two:
    """A server and managers a and b, the first of which holds all hosts, or those that it is told alone; in a `with`."""

    def __init__(self, first=None, **settings):
        self.first, self.settings, self.open = first, settings, []

    def enter(self, what):
        self.open.append(what)
        return what.__enter__()

    def __enter__(self):
        self.server = Postgres()
        os.chmod(self.server.folder, 0o711)  # for managers under their unit, which are root without its rights
        try:
            self.folders = [self.enter(Folder()) for _ in range(2)]
            self.a = self.enter(One(self.folders[0], self.server, "a", self.first, **self.settings))
            until(lambda: self.a.holds() == {h.name for h in self.first or hosts}, "its hosts")
            self.b = self.enter(One(self.folders[1], self.server, "b", **self.settings))
            until(lambda: self.a.holds() | self.b.holds() == {h.name for h in hosts}, "all hosts")
            return self
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise

    def __exit__(self, *why):
        for what in reversed(self.open):
            if getattr(what, "channel", what) is not None:  # it has begun
                what.__exit__(*why)
        self.server.close()
        for host in hosts:
            host.virsh("pool-refresh", "cocos")
            host.clear()

    def records(self):
        """{id: (host, step)} as in the database."""
        rows = self.server.sql("SELECT id, host, step FROM cocos_manager.cvm").split()
        return {row.split("|")[0]: tuple(row.split("|")[1:]) for row in rows}

    def assert_single(self):
        """Each record has one machine on its host, and there is no other."""
        def is_so():
            recorded = self.records()
            try:
                there = {host.name: sorted(host.domains()) for host in hosts}
            except AssertionError:  # one of them ended while it was asked for
                return False
            return all(step == "4" for _, step in recorded.values()) and there == {
                host.name: sorted(cvm for cvm, (at, _) in recorded.items() if at == host.name) for host in hosts}
        until(is_so, "one machine for each record, and no other", TAKES)


def everything():
    return {host.name for host in hosts}


def has(m, *ids):
    return lambda: {i for i, vm in m.vms().items() if vm.state == "running"} == set(ids)


def the_hosts_of_a_killed_manager_are_taken():
    with Two(LEASE=LONG_LEASE) as two:
        a, b = two.a, two.b
        made = [a.made(name=f"vm-{n}") for n in range(3)]
        assert b.holds() == set() and not b.vms()
        assert {row["manager"] for row in b.shown().values()} == {"a"}
        machines = {cvm: room.machine(cvm) for cvm in made}
        refused(grpc.StatusCode.FAILED_PRECONDITION, b.remove, made[0], words="manager a has it")
        refused(grpc.StatusCode.FAILED_PRECONDITION, b.info, made[0], words="manager a has it")
        refused(grpc.StatusCode.FAILED_PRECONDITION, lambda: b.stub.GetVm(manager.GetVmReq(id="vm-1"), timeout=PATIENCE),
                words="manager a has it")
        refused(grpc.StatusCode.NOT_FOUND, b.info, "00000000-0000-4000-8000-000000000000", words="no CVM")
        assert not b.strays(), "what another manager has is no stray"
        try:
            b.create()
            raise AssertionError("made on hosts of another manager")
        except grpc.RpcError as why:
            assert why.code() == grpc.StatusCode.UNAVAILABLE, why
        seen = a.stub.ListVms(manager.ListVmsReq()).revision
        a.kill()
        until(has(b, *made), "its CVMs at the other manager", TAKES)
        assert b.holds() == everything()
        assert machines == {cvm: room.machine(cvm) for cvm in made}, "nothing was started anew"
        refused(grpc.StatusCode.OUT_OF_RANGE, b.stub.WatchVms(manager.WatchVmsReq(revision=seen), timeout=PATIENCE).next,
                words="list the CVMs anew")
        b.remove(made[0])
        b.create(name="vm-0")
        a.start()
        assert not a.vms() and not a.holds()
        refused(grpc.StatusCode.FAILED_PRECONDITION, a.remove, made[1], words="manager b has it")
        two.assert_single()
        for cvm in b.vms():
            b.remove(cvm)
        assert not two.records()


def a_manager_that_ends_in_order_gives_its_hosts_back():
    with Two(LEASE=LONG_LEASE) as two:
        a, b = two.a, two.b
        cvm = a.made()
        a.stop()
        until(has(b, cvm), "its CVM at the other manager", TAKES)
        a.start()
        assert not a.holds()
        b.remove(cvm)


def assert_name_is_taken(two, name):
    """Another machine's manager with that name says whose it is, and ends; what is there stays as it is."""
    with Folder() as folder:
        late = One(folder, two.server, name)
        try:
            late.start()
            raise AssertionError("two managers of one name")
        except AssertionError:
            said = late.process.text()
            assert re.search(f"another manager is called {name}: process [0-9]+ of machine [!-~]+, started 20.*, there until 20.*: "
                             "end it, or give this one another MANAGER_LEASE_NAME", said), said
            assert late.process.process.wait(PATIENCE) == 1


def a_name_is_one_managers_and_its_own_restart_waits_for_nobody():
    with Two(LEASE="300s") as two:
        a, b = two.a, two.b
        cvm = a.made()
        assert_name_is_taken(two, "a")
        before = fence(two)
        a.kill()
        assert_name_is_taken(two, "a")  # of one that can't be known to be dead
        a.start()
        assert a.holds() == everything() and not b.holds() and fence(two) == before + len(hosts)
        until(has(a, cvm), "its CVM")
        two.assert_single()
        a.remove(cvm)


def who_wakes_after_its_lease_writes_and_starts_nothing():
    with Two(LEASE=LONG_LEASE) as two:
        a, b = two.a, two.b
        made = [a.made() for _ in range(3)]
        watch = a.stub.WatchVms(manager.WatchVmsReq(), timeout=TAKES)
        while next(watch).HasField("vm"):
            pass
        waits = a.stub.CreateVm.future(manager.CreateReq(agent_cvm_server_url="10.0.2.2:7001", name="late"), timeout=TAKES)
        a.signal(signal.SIGSTOP)
        try:
            until(lambda: b.holds() == everything(), "the other manager to have its hosts", TAKES)
            until(lambda: set(made) <= set(b.vms()), "their CVMs", TAKES)
            b.remove(made[0])
        finally:
            a.signal(signal.SIGCONT)
        late = waits.exception()
        if late is not None:
            assert late.code() in MAY_END, late
        until(lambda: not a.holds() and not a.vms(), "that it knows", TAKES)
        try:
            for _ in watch:
                pass
        except grpc.RpcError as why:
            assert why.code() == grpc.StatusCode.OUT_OF_RANGE and "list them anew" in why.details(), why
        refused(grpc.StatusCode.FAILED_PRECONDITION, a.remove, made[1], words="manager b has it")
        refused(grpc.StatusCode.NOT_FOUND, a.remove, made[0], words="no CVM")
        two.assert_single()
        assert set(made[1:]) <= set(two.records()) and made[0] not in two.records()
        fences = two.server.sql("SELECT fence FROM cocos_manager.lease").split()
        assert len(set(fences)) == len(fences) == len(hosts)


def hosts_that_are_added_at_one_are_known_at_the_other():
    extra = hosts.pop()
    try:
        with Two(LEASE=LONG_LEASE) as two:
            a, b = two.a, two.b
            assert a.host("add", extra.name, extra.uri, f"address={extra.address}", "tees=none", "cpus=64").status == 0
            until(lambda: extra.name in b.shown() and extra.name in a.holds(), "it in both", TAKES)
            assert b.host("drain", hosts[0].name).status == 0
            until(lambda: a.shown()[hosts[0].name]["draining"], "that it drains there, too", TAKES)
            b.stop()
            b.start()  # what was added at one stops no other's start
            assert {extra.name, hosts[0].name} <= set(b.shown()) and b.shown()[hosts[0].name]["draining"]
            cvm = a.made()
            assert b.host("remove", extra.name).status != 0
            a.kill()
            until(has(b, cvm), "its CVM", TAKES)
            assert b.vms()[cvm].host == extra.name
            b.remove(cvm)
            assert b.host("remove", extra.name).status == 0
            a.start()
            assert extra.name not in a.shown()
            assert a.host("undrain", hosts[0].name).status == 0
            until(lambda: not b.shown()[hosts[0].name]["draining"], "that it drains no more", TAKES)
    finally:
        hosts.append(extra)


class Storm:
    """Clients that ask both managers for CVMs and remove them at whichever has them; until its `with` ends."""

    def __init__(self, two, rng):
        self.two, self.stop = two, threading.Event()
        self.lock = threading.Lock()
        self.made, self.gone, self.doubtful, self.wrong, self.calls = set(), set(), set(), [], 0
        self.create_s, self.remove_s, self.ended = [], [], {}
        self.threads = [threading.Thread(target=self.run, args=(random.Random(rng.random()),)) for _ in range(4)]

    def call(self, what, times, *arguments):
        """The answer, or the code of a refusal; None: nobody was asked."""
        begin = time.monotonic()
        try:
            answer = what(*arguments)
        except ValueError:  # the channel of a manager that was killed is closed
            return None
        except grpc.RpcError as why:
            with self.lock:
                self.calls += 1
                self.ended[why.code().name] = self.ended.get(why.code().name, 0) + 1
            if why.code() not in MAY_END and not (what.__name__ == "create" and CLEARED in why.details()):
                self.wrong.append((what.__name__, arguments, str(why)))
            return why.code()
        with self.lock:
            self.calls += 1
            times.append(time.monotonic() - begin)
        return answer

    def create(self, m, mine):
        made = self.call(m.create, self.create_s)
        if made is None or isinstance(made, grpc.StatusCode):
            self.stop.wait(0.3)
            return
        with self.lock:
            if made.cvm_id in self.made:
                self.wrong.append(("made twice", made.cvm_id))
            self.made.add(made.cvm_id)
        mine.append(made.cvm_id)

    def remove(self, m, mine):
        cvm, again = mine[0], mine[0] in self.doubtful
        self.doubtful.add(cvm)
        answer = self.call(m.remove, self.remove_s, cvm)
        if answer == grpc.StatusCode.NOT_FOUND and not again:
            self.wrong.append(("made, answered, and lost", cvm))
        if answer == grpc.StatusCode.NOT_FOUND or not (answer is None or isinstance(answer, grpc.StatusCode)):
            with self.lock:
                self.gone.add(mine.pop(0))
                self.doubtful.discard(cvm)
            return
        if not again and answer in (None, grpc.StatusCode.FAILED_PRECONDITION):  # who was asked has not begun
            self.doubtful.discard(cvm)
        mine.append(mine.pop(0))
        self.stop.wait(0.3)

    def run(self, rng):
        mine = []
        try:
            while not self.stop.is_set() and not self.wrong:
                m = rng.choice([self.two.a, self.two.b])
                if len(mine) < 2:
                    self.create(m, mine)
                else:
                    self.remove(m, mine)
        except Exception as why:  # pylint: disable=broad-except
            self.wrong.append(repr(why))

    def until_made(self, count):
        until(lambda: len(self.made) >= count or self.wrong, f"the CVM number {count}", 2 * TAKES)
        assert not self.wrong, self.wrong

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def fence(two):
    return int(two.server.sql("SELECT coalesce(max(fence), 0) FROM cocos_manager.lease"))


def kill(two, m, _):
    before = fence(two)
    m.kill()
    until(lambda: fence(two) > before, "that its hosts are taken", TAKES)
    m.start()


def pause(two, m, _):
    before = fence(two)
    m.signal(signal.SIGSTOP)
    try:
        until(lambda: fence(two) > before, "that its hosts are taken", TAKES)
    finally:
        m.signal(signal.SIGCONT)


def restart(two, _, rng):
    two.server.stop(rng.choice([signal.SIGQUIT, signal.SIGINT]))
    two.server.start()


def holder(two):
    names = two.server.sql("SELECT holder FROM cocos_manager.lease WHERE instance <> 0").split()
    return two.b if "b" in names else two.a


def assert_none_lost(two, storm):
    """What clients were told is so, and each CVM is at one manager; those that there are."""
    two.assert_single()
    there = set(two.records())
    lost = storm.made - storm.gone - storm.doubtful - there
    assert not lost, ("made, answered, removed by nobody, and not there", lost)
    assert not storm.gone & there, ("removed, and there", storm.gone & there)
    until(lambda: set(two.a.vms()) | set(two.b.vms()) == there, "each at one of them", TAKES)
    assert not set(two.a.vms()) & set(two.b.vms())
    return there


def nothing_is_double_and_nothing_is_lost():
    print(f"# seed {SEED}")
    rng = random.Random(SEED)
    with Two() as two:
        with Storm(two, rng) as storm:
            for number in range(ROUNDS):
                storm.until_made(len(storm.made) + 2)
                time.sleep(rng.random() * 2)
                what = [kill, pause, restart][number % 3]
                what(two, holder(two), rng)
        assert not storm.wrong, storm.wrong
        there = assert_none_lost(two, storm)
        print(f"# {ROUNDS} rounds, {storm.calls} calls, {len(storm.made)} made, {len(storm.gone)} removed, {len(there)} at the end")


if __name__ == "__main__":
    room.enter(alone=True)
    started = [bus()]
    hosts.extend(Host(number) for number in (1, 2))
    for each in hosts:
        each.start().furnish()
    tap.run([the_hosts_of_a_killed_manager_are_taken, a_manager_that_ends_in_order_gives_its_hosts_back,
             a_name_is_one_managers_and_its_own_restart_waits_for_nobody,
             who_wakes_after_its_lease_writes_and_starts_nothing, hosts_that_are_added_at_one_are_known_at_the_other,
             nothing_is_double_and_nothing_is_lost])
