# SPDX-License-Identifier: Apache-2.0
"""Two managers that share a PostgreSQL, and three hosts that are elsewhere: each with a libvirt and a network of its own, two
reached by TLS and one by SSH. The cable of one is pulled while CVMs are made and removed on all: what runs there is told lost and
is started nowhere else, and is there again when the cable is. Nothing is there twice, and nothing is lost.

Usage: fleet_network.py [SEED]"""
import random
import sys
import time

import libvirt_room as room
import net_hosts
import sample
import tap
from fleet_leases import LONG_LEASE, TAKES, Storm, Two, assert_none_lost
from fleet_storm import assert_none_is_double, remove, spread, until_nothing_else
from harness import Folder, authority, until
from libvirt_hosts import bus
from manager_hosts import Fleet, hosts

SEED = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 13
CVMS = sample.of(8, 200)
CUTS = sample.of(1, 6)


def of_host(two, host):
    return {vm.id: vm.state for m in (two.a, two.b) for vm in m.vms().values() if vm.host == host.name}


def a_cut(two, storm, host, kept):
    """Seconds until all that the host has was told lost, and from the cable's return until it is there again. `kept` is a CVM
    there that no client removes."""
    machine = room.machine(kept)
    began = time.monotonic()
    host.cable(False)
    try:
        until(lambda: "running" not in of_host(two, host).values(), "that its CVMs are lost", TAKES)
        lost = time.monotonic() - began
        assert of_host(two, host)[kept] == "lost"
        storm.until_made(len(storm.made) + 3)  # on the others
        assert of_host(two, host)[kept] == "lost"
        assert_none_is_double()
    finally:
        host.cable(True)
    began = time.monotonic()
    until(lambda: (states := of_host(two, host)).get(kept) == "running" and "lost" not in states.values(),
          "that it is seen again", TAKES)
    assert machine and room.machine(kept) == machine, "it was started anew"
    return lost, time.monotonic() - began


def one_on_each(two):
    """{host: CVM} of those that stay."""
    kept = {}
    while len(kept) < len(hosts):
        for m in (two.a, two.b):
            cvm = m.made()
            kept.setdefault(m.vms()[cvm].host, cvm)
    return kept


def a_host_whose_cable_is_pulled_loses_nothing_and_doubles_nothing():
    print(f"# seed {SEED}")
    rng = random.Random(SEED)
    with Two(hosts[:2], LEASE=LONG_LEASE) as two:
        kept, began, cuts = one_on_each(two), time.monotonic(), []
        with Storm(two, rng) as storm:
            for number in range(CUTS):
                storm.until_made(CVMS * (number + 1) // (CUTS + 1))
                host = hosts[(number + SEED) % len(hosts)]
                cuts.append(a_cut(two, storm, host, kept[host.name]))
                assert_none_is_double()
            storm.until_made(CVMS)
        assert not storm.wrong, storm.wrong
        took = time.monotonic() - began
        there = assert_none_lost(two, storm)
        until_nothing_else(there)
        for cvm in there:
            remove(two, cvm)
        until(lambda: not two.records() and not any(h.domains() + h.volumes() for h in hosts), "the end of all", TAKES)
        until(lambda: not room.processes("qemu-system-x86_64"), "the end of QEMU", TAKES)
        print(f"# {len(storm.made)} CVMs made and answered, {len(storm.gone)} removed by clients, {len(there)} at the end, "
              f"{storm.calls} calls, in {took:.0f} s; other ends {storm.ended}")
        print(f"# create {spread(storm.create_s)}; remove {spread(storm.remove_s)}")
        print("# cables: " + ", ".join(f"lost after {lost:.1f} s, seen again after {again:.1f} s" for lost, again in cuts))


if __name__ == "__main__":
    room.enter(alone=True)
    net_hosts.layer()
    started = [bus()]
    with Folder() as tls:
        authority(tls, *(f"10.78.{number}.2" for number in (1, 2)))
        hosts.extend([net_hosts.TlsNetHost(1, tls), net_hosts.TlsNetHost(2, tls), net_hosts.SshNetHost(3)])
        for each in hosts:
            each.start().furnish()
        hosts[2].start_sshd()
        hosts[2].acquaint()
        Fleet.unit = net_hosts.unit_of_docs()
        tap.run([a_host_whose_cable_is_pulled_loses_nothing_and_doubles_nothing])
