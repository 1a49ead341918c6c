# SPDX-License-Identifier: Apache-2.0
"""Two hundred CVMs made and removed on three hosts, each with a libvirt of its own, while a host is lost and comes
back and the manager is killed as it creates: nothing is there twice, and nothing is lost.

Usage: fleet_storm.py [CVMS]"""
import statistics
import sys
import threading
import time

import grpc

import libvirt_room as room
import tap
from harness import Folder, until
from libvirt_hosts import Host, bus
from manager_hosts import Fleet, hosts

CVMS = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 200
CLIENTS, OF_HOST = 4, 5
# What a call may hear while the manager is killed or a host is away; anything else is a failure of ours.
MAY_END = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.ABORTED,
           grpc.StatusCode.RESOURCE_EXHAUSTED}


class Storm:
    """Clients that make CVMs and remove them; each keeps some, so that the hosts are never empty."""

    def __init__(self, fleet, wanted):
        self.fleet, self.wanted = fleet, wanted
        self.lock = threading.Lock()
        self.made, self.gone, self.doubtful = set(), set(), set()
        self.create_s, self.remove_s, self.ended, self.wrong = [], [], {}, []
        self.threads = [threading.Thread(target=self.run) for _ in range(CLIENTS)]

    def call(self, what, times, *arguments):
        """The answer; None if it ended as it may."""
        begin = time.monotonic()
        try:
            answer = what(*arguments)
        except ValueError:  # the channel of a manager that was killed is closed
            return None
        except grpc.RpcError as error:
            code = error.code()
            with self.lock:
                self.ended[code.name] = self.ended.get(code.name, 0) + 1
                if code not in MAY_END:
                    self.wrong.append((what.__name__, arguments, str(error)))
            return None
        with self.lock:
            times.append(time.monotonic() - begin)
        return answer

    def take(self, mine):
        made = self.call(self.fleet.create, self.create_s)
        if made is None:
            time.sleep(0.2)  # there is no room, or nobody to ask
        else:
            with self.lock:
                if made.cvm_id in self.made:  # raised in a thread, it would fail nothing
                    self.wrong.append(("made twice", made.cvm_id))
                self.made.add(made.cvm_id)
            mine.append(made.cvm_id)

    def give(self, mine):
        cvm = mine.pop(0)
        if self.call(self.remove, self.remove_s, cvm) is None:
            mine.append(cvm)  # again, later
            return
        with self.lock:
            self.doubtful.discard(cvm)
            self.gone.add(cvm)

    def remove(self, cvm):
        """It is gone, too, if a call before it was not answered."""
        again = cvm in self.doubtful
        self.doubtful.add(cvm)
        try:
            return self.fleet.remove(cvm)
        except grpc.RpcError as error:
            if again and error.code() == grpc.StatusCode.NOT_FOUND:
                return True
            raise

    def run(self):
        mine = []
        try:
            while len(self.made) < self.wanted and not self.wrong:
                self.take(mine)
                if len(mine) > 1:
                    self.give(mine)
        except Exception as error:  # pylint: disable=broad-except
            self.wrong.append(repr(error))

    def until_made(self, count):
        until(lambda: len(self.made) >= count or self.wrong, f"the CVM number {count}", 3600)
        assert not self.wrong, self.wrong

    def __enter__(self):
        self.began = time.monotonic()
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, error, _):
        if error:  # nobody else ends those who go on
            self.wrong.append(repr(error))
        for thread in self.threads:
            thread.join()


def kill_while_it_creates(m):
    until(lambda: any(step < 4 for step, _ in m.records().values()), "one that is being made", 600)
    m.kill()
    m.start()


def spread(values):
    return f"{statistics.median(values):.2f} s median, {sorted(values)[int(len(values) * .95)]:.2f} s 95th of 100"


def nothing_is_double_and_nothing_is_lost():
    _, lost, _ = hosts
    with Folder() as folder, Fleet(folder, f"machines={OF_HOST}", MAX_VMS=str(3 * OF_HOST)) as m:
        with Storm(m, CVMS) as storm:
            storm.until_made(CVMS // 4)
            lost.kill()
            storm.until_made(CVMS * 2 // 5)
            lost.start()
            m.until_there(lost)
            for part in (5, 7):
                storm.until_made(CVMS * part // 10)
                kill_while_it_creates(m)
            storm.until_made(CVMS)
        took = time.monotonic() - storm.began
        assert not storm.wrong, storm.wrong
        until(lambda: set(m.states()) <= {"running"}, "what was not finished", 600)
        until(lambda: all(step == 4 for step, _ in m.records().values()), "their records")
        until(lambda: sorted(sum((h.domains() for h in hosts), [])) == sorted(m.vms()), "their machines")
        m.assert_as_recorded()
        there = set(m.vms())
        assert storm.made - storm.gone - storm.doubtful <= there, "a CVM that was made, and that nobody removed, is there"
        assert not storm.gone & there, "a CVM that was removed is not there"
        unanswered = there - storm.made
        for cvm in there:
            m.remove(cvm)
        m.assert_nothing_left()
        print(f"# {len(storm.made)} CVMs made and answered, {len(storm.gone)} removed by clients, {len(there)} at the end "
              f"({len(unanswered)} whose answer a killed manager took along), in {took:.0f} s")
        print(f"# create {spread(storm.create_s)}; remove {spread(storm.remove_s)}; other ends {storm.ended}")


if __name__ == "__main__":
    room.enter()
    started = [bus()]
    hosts.extend(Host(number) for number in (1, 2, 3))
    for each in hosts:
        each.start().furnish()
    tap.run([nothing_is_double_and_nothing_is_lost])
