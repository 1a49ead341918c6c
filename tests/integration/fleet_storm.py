# SPDX-License-Identifier: Apache-2.0
"""Two managers that share a PostgreSQL, and three hosts, each with a libvirt of its own: CVMs are made and removed while a
host is lost and comes back, either manager is killed as it creates, and the server is restarted. Nothing is there twice,
and nothing is lost.

Usage: fleet_storm.py [SEED]"""
import random
import signal
import statistics
import sys
import time

import grpc

import libvirt_room as room
import sample
import tap
from fleet_leases import LONG_LEASE, MAY_END, TAKES, Storm, Two, assert_none_lost, fence
from harness import until
from libvirt_hosts import Host, bus
from manager_hosts import hosts

SEED = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 12
CVMS = sample.of(40, 200)


def assert_none_is_double():
    """A CVM never goes from one host to another: what two of them have is there twice, whenever it was seen."""
    seen = {}
    for host in hosts:
        if host.ended():
            continue
        for name in host.volumes():
            assert seen.setdefault(name, host.name) == host.name, (name, host.name, seen[name])


def creates(two, m):
    """A CVM is being made on a host of that manager's."""
    return two.server.sql("SELECT count(*) FROM cocos_manager.cvm c JOIN cocos_manager.lease l ON l.host = c.host"
                          f" WHERE c.step < 4 AND l.holder = '{m.name}' AND l.instance <> 0") != "0"


def kill_as_it_creates(two, m):
    until(lambda: creates(two, m), f"a CVM that {m.name} makes", TAKES)
    m.kill()


def its_hosts_are_taken(two, m, other):
    """By the other manager, as far as that one lists them."""
    before = fence(two)
    kill_as_it_creates(two, m)
    began = time.monotonic()
    until(lambda: fence(two) > before, f"that {other.name} takes its hosts", TAKES)
    took = time.monotonic() - began
    m.start()
    return took


def it_takes_its_own_again(two, m):
    """At once: no lease of those that it left has to end before."""
    held = m.holds()
    kill_as_it_creates(two, m)
    began = time.monotonic()
    m.start()
    until(lambda: m.holds() & held, "that it has its hosts again", TAKES)
    return time.monotonic() - began


def restart(two, rng):
    began = time.monotonic()
    two.server.stop(rng.choice([signal.SIGQUIT, signal.SIGINT]))
    two.server.start()
    return time.monotonic() - began


def a_host_is_lost(two, storm, until_made, rng):
    lost = rng.choice(hosts)
    lost.kill()
    storm.until_made(until_made)
    lost.start()
    began = time.monotonic()
    holder = lambda: next((m for m in (two.a, two.b) if lost.name in m.holds()), None)  # pylint: disable=unnecessary-lambda-assignment
    until(lambda: holder() and "lost" not in [vm.state for vm in holder().vms().values() if vm.host == lost.name],
          f"that {lost.name} is seen again", TAKES)
    return time.monotonic() - began


def remove(two, cvm):
    """At whichever manager has it: a host may be lost, or go to the other one, between question and call."""
    def is_removed():
        for m in (two.a, two.b):
            if cvm not in m.vms():
                continue
            try:
                m.remove(cvm)
                return True
            except grpc.RpcError as why:
                assert why.code() in MAY_END, why
        return cvm not in two.records()
    until(is_removed, f"a removal of {cvm}", TAKES)


def until_nothing_else(there):
    """QEMU and boot disks of these, and of no others: what became of a call that ended otherwise is cleared up soon after."""
    until(lambda: len(room.processes("qemu-system-x86_64")) == len(there) and
          all(host.volumes() == sorted(f"cocos-{cvm}.img" for cvm in host.domains()) for host in hosts),
          "an end of what is nobody's", TAKES)


def spread(values):
    return f"{statistics.median(values):.2f} s median, {sorted(values)[int(len(values) * .95)]:.2f} s 95th of 100"


def storm_over(two, rng):
    """What happened, by how many were made before; each begins with CVMs on their way."""
    seconds = {}
    with Storm(two, rng) as storm:
        storm.until_made(CVMS // 8)
        seconds["a host seen again"] = a_host_is_lost(two, storm, CVMS // 4, rng)
        assert_none_is_double()
        seconds["hosts of a killed manager taken"] = its_hosts_are_taken(two, two.a, two.b)
        storm.until_made(CVMS // 2)
        assert_none_is_double()
        seconds["PostgreSQL restarted"] = restart(two, rng)
        storm.until_made(CVMS * 3 // 4)
        assert_none_is_double()
        seconds["a killed manager's own hosts again"] = it_takes_its_own_again(two, two.b)
        storm.until_made(CVMS)
    assert not storm.wrong, storm.wrong
    return storm, seconds


def nothing_is_double_and_nothing_is_lost():
    print(f"# seed {SEED}")
    rng = random.Random(SEED)
    # The first one has two hosts; the second one the third, and stands by for the others.
    with Two(hosts[:2], LEASE=LONG_LEASE) as two:
        began = time.monotonic()
        storm, seconds = storm_over(two, rng)
        took = time.monotonic() - began
        there = assert_none_lost(two, storm)
        until_nothing_else(there)
        ports = two.server.sql("SELECT port FROM cocos_manager.cvm").split()
        assert len(set(ports)) == len(ports) == len(there), ports
        for cvm in there:
            remove(two, cvm)
        until(lambda: not two.records() and not any(h.domains() + h.volumes() for h in hosts), "the end of all", TAKES)
        until(lambda: not room.processes("qemu-system-x86_64"), "the end of QEMU", TAKES)
        print(f"# {len(storm.made)} CVMs made and answered, {len(storm.gone)} removed by clients, {len(there)} at the end "
              f"({len(there - storm.made)} whose answer a killed manager took along), {storm.calls} calls, in {took:.0f} s")
        print(f"# create {spread(storm.create_s)}; remove {spread(storm.remove_s)}; other ends {storm.ended}")
        print("# " + ", ".join(f"{what} after {value:.1f} s" for what, value in seconds.items()))


if __name__ == "__main__":
    room.enter(alone=True)
    started = [bus()]
    hosts.extend(Host(number) for number in (1, 2, 3))
    for each in hosts:
        each.start().furnish()
    tap.run([nothing_is_double_and_nothing_is_lost])
