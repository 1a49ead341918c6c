# SPDX-License-Identifier: Apache-2.0
"""Two managers, one PostgreSQL and two hosts: who follows the CVMs by ListVms and WatchVms misses none, while a manager is
begun anew, killed or paused, and the server restarted; and what --check says of the hosts of both.

Usage: fleet_watch.py [SEED]"""
import random
import threading
import time

import grpc

import libvirt_room as room
import sample
import tap
from fleet_leases import LONG_LEASE, SEED, TAKES, One, Storm, Two, assert_none_lost, has, holder, kill, pause, restart
from harness import PATIENCE, PROTOCOL, Folder, until
from host_check import check
from libvirt_hosts import Host, bus
from manager_hosts import created, hosts
from manager_libvirt import refused

manager, _ = PROTOCOL["manager"]
ROUNDS = sample.of(4, 16)
STATES = ["creating", "running", "removing", "lost", "exited"]
# A list or a watch that is interrupted: it is begun anew, from a list.
ANEW = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.OUT_OF_RANGE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED}


class Follower:
    """Knows what one manager says: lists, watches from the list's revision, and lists anew where a watch ends. In a `with`."""

    def __init__(self, m):
        self.m, self.stop, self.lock = m, threading.Event(), threading.Lock()
        self.states, self.seen, self.lists, self.changes, self.wrong = {}, set(), 0, 0, []
        self.call, self.thread = None, threading.Thread(target=self.run)

    def list(self):
        """All of them as of one revision."""
        cursor, found, revision = "", {}, None
        while True:
            page = self.m.stub.ListVms(manager.ListVmsReq(cursor=cursor, limit=3, filter=manager.VmFilter(states=STATES)),
                                       timeout=PATIENCE)
            assert revision in (None, page.revision), "one list, two revisions"
            assert not found.keys() & {vm.id for vm in page.vms}, "twice in one list"
            revision = page.revision
            found.update((vm.id, vm.state) for vm in page.vms)
            cursor = page.next
            if not cursor:
                return found, revision

    def follow(self):
        found, last = self.list()
        with self.lock:
            self.states = found
            self.seen |= found.keys()
            self.lists += 1
        self.call = self.m.stub.WatchVms(manager.WatchVmsReq(revision=last), timeout=10 * TAKES)
        for change in self.call:
            assert change.revision >= last, "revisions go back"
            last = change.revision
            if change.HasField("vm"):
                with self.lock:
                    self.states[change.vm.id] = change.vm.state
                    self.seen.add(change.vm.id)
                    self.changes += 1

    def run(self):
        try:
            while not self.stop.is_set():
                try:
                    self.follow()
                except ValueError:  # the channel of a manager that was killed is closed
                    pass
                except grpc.RpcError as why:
                    if why.code() not in ANEW:
                        raise
                self.stop.wait(0.1)
        except Exception as why:  # pylint: disable=broad-except
            self.wrong.append(repr(why))

    def live(self):
        with self.lock:
            return {cvm for cvm, state in self.states.items() if state != "exited"}

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        if self.call:
            self.call.cancel()
        self.thread.join()


def begun_anew(_, m, __):
    m.kill()
    m.start()


def who_follows_misses_nothing():
    """Each CVM that a client was told of is known with its end, whoever had it, and at the end what is followed is what there is."""
    print(f"# seed {SEED}")
    rng = random.Random(SEED)
    with Two() as two, Follower(two.a) as first, Follower(two.b) as second:
        both = (first, second)
        with Storm(two, rng) as storm:
            for number in range(ROUNDS):
                storm.until_made(len(storm.made) + 2)
                time.sleep(rng.random() * 2)
                [begun_anew, kill, pause, restart][number % 4](two, holder(two), rng)
        assert not storm.wrong, storm.wrong
        there = assert_none_lost(two, storm)

        def is_known():
            assert not first.wrong + second.wrong, first.wrong + second.wrong
            return first.live() | second.live() == there and storm.made <= first.seen | second.seen
        try:
            until(is_known, "that all is known to who follows", TAKES)
        except AssertionError as why:
            raise AssertionError((str(why), "there", there, "unseen", storm.made - first.seen - second.seen,
                                  [(f.live(), f.lists, f.changes) for f in both], [set(m.vms()) for m in (two.a, two.b)])) from why
        assert not first.live() & second.live(), "one CVM at two managers"
        gone = storm.made - there
        assert gone and {state for f in both for cvm, state in f.states.items() if cvm in gone} == {"exited"}
        print(f"# {ROUNDS} interruptions, {len(storm.made)} made, {len(gone)} gone, {sum(f.lists for f in both)} lists,"
              f" {sum(f.changes for f in both)} changes")


def a_watch_goes_on_from_a_revision_and_never_over_a_gap():
    def changes(m, revision):
        heard, call = [], m.stub.WatchVms(manager.WatchVmsReq(revision=revision), timeout=PATIENCE)
        for change in call:
            if not change.HasField("vm"):
                call.cancel()
                return heard
            heard.append((change.vm.id, change.vm.state))
        raise AssertionError("the watch ended")

    def assert_too_old(m, revision):
        refused(grpc.StatusCode.OUT_OF_RANGE, m.stub.WatchVms(manager.WatchVmsReq(revision=revision), timeout=PATIENCE).next,
                words="list the CVMs anew")

    def now(m):
        return m.stub.ListVms(manager.ListVmsReq(), timeout=PATIENCE).revision

    with Two(LEASE=LONG_LEASE) as two:
        a, b = two.a, two.b
        begin = now(a)
        one = until(lambda: created(a, name="one"), "a CVM").cvm_id
        between = now(a)
        two_ = until(lambda: created(a, name="two"), "another one").cvm_id
        assert changes(a, begin) == [(one, "running"), (two_, "running")]
        assert changes(a, between) == [(two_, "running")]
        begun_anew(two, a, None)
        until(has(a, one, two_), "its CVMs", TAKES)
        assert_too_old(a, between)
        between = now(a)
        a.remove(one)
        assert changes(a, between) == [(one, "exited")]
        a.kill()
        until(has(b, two_), "its CVM at the other manager", TAKES)
        assert_too_old(b, between)
        between = now(b)
        known = b.stub.ListVms(manager.ListVmsReq(filter=manager.VmFilter(states=["exited"])), timeout=PATIENCE).vms
        assert [vm.id for vm in known] == [one], "what ended before is known, too"
        b.remove(two_)
        assert changes(b, between) == [(two_, "exited")]
        a.start()
        assert not changes(a, 0)


def check_says_whose_each_host_is():
    def rows(m):
        return check("cocos-manager", {f"MANAGER_{key}": value for key, value in m.settings.items()})[1]

    with Two(LEASE=LONG_LEASE) as two, Folder() as folder:
        cvm = until(lambda: created(two.a), "a CVM").cvm_id
        for m, words in ((two.a, f"{len(hosts)} of a, 0 of others"), (two.b, f"0 of b, {len(hosts)} of others")):
            found = rows(m)
            assert words in found["leases"]["found"], found["leases"]
            assert found["manager's name"]["outcome"] == found["registry's tag"]["outcome"] == "ok", found
            for host in hosts:
                row = found[f"host {host.name}"]
                assert row["outcome"] == "ok" and "; manager a has it until 20" in row["found"], row
        late = One(folder, two.server, "late")
        with open(late.table, encoding="ascii") as file:  # the same machine by another URI
            text = file.read().replace("socket=/run/hosts/", "socket=/run//hosts/")
        folder.write("hosts", text)
        found = rows(late)
        for host in hosts:
            row = found[f"host {host.name}"]
            if host.name == two.records()[cvm][0]:
                assert row["outcome"] == "failed" and "manager a, who had it last, calls" in row["found"], row
                assert "1 CVMs there" in row["found"] and "another name" in row["remedy"], row
            else:
                assert row["outcome"] == "ok", row
        two.a.remove(cvm)
        two.a.stop()
        until(lambda: two.b.holds() == {host.name for host in hosts}, "them at the other manager", TAKES)
        two.b.stop()
        found = rows(two.b)
        assert all(found[f"host {host.name}"]["found"].endswith("; no manager's now") for host in hosts), found
        two.b.start()
        two.a.start()


if __name__ == "__main__":
    room.enter()
    started = [bus()]
    hosts.extend(Host(number) for number in (1, 2))
    for each in hosts:
        each.start().furnish()
    tap.run([a_watch_goes_on_from_a_revision_and_never_over_a_gap, check_says_whose_each_host_is, who_follows_misses_nothing])
