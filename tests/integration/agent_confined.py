# SPDX-License-Identifier: Apache-2.0
"""What the agent's and the keeper's processes have given up, in each stage of a computation."""
import os
import subprocess

import tap
from agent_job import ALGO_KEY, DATA_KEY, IRIS, USER_KEY, computing, manifest, running
from agent_peer import dataset

CHOWN, DAC_OVERRIDE, SETGID, SETUID, NET_BIND_SERVICE = 0, 1, 6, 7, 10  # linux/capability.h
RIGHTS = sum(1 << c for c in (CHOWN, DAC_OVERRIDE, SETGID, SETUID, NET_BIND_SERVICE))
USER = 54321
WAITS = b"#!/bin/sh\nwhile ! [ -e datasets/iris.csv ]; do sleep 1; done\necho here\nsleep 1000\n"
ENDS = b"#!/bin/sh\nexit 0\n"


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def command(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read().split(b"\0")


def keeper_of(agent):
    return next(pid for pid in children(agent.process.pid) if b"keeper" in command(pid))


def confined(pid, rights):
    said = status(pid)
    assert said["NoNewPrivs"] == "1" and said["Seccomp"] == "2", said
    # One keeps rings out of all of them, and is the agent's children's, too: the other is its own.
    assert int(said["Seccomp_filters"]) >= 2, said["Seccomp_filters"]
    for name, most in (("CapInh", 0), ("CapPrm", rights), ("CapEff", rights), ("CapBnd", rights),
                       ("CapAmb", 0)):
        assert int(said[name], 16) == most, (name, said[name])
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        core = next(line for line in file if line.startswith("Max core file size")).split()
    assert int(core[4]) <= 1 and int(core[5]) <= 1, core


def both_are_confined(agent):
    confined(agent.process.pid, RIGHTS)
    confined(keeper_of(agent), 0)
    for pid in (agent.process.pid, keeper_of(agent)):
        locked = int(status(pid)["VmLck"].split()[0])
        # Where the machine allows none, that is said.
        assert locked >= 1024 or "no memory can be locked here" in agent.output(), (pid, locked)


def in_each_stage_there_are_few_rights():
    for algo, event in ((WAITS, "Running/InProgress"), (ENDS, "ConsumingResults/Ready")):
        with computing(lambda port: manifest(  # noqa: B023
                port, algo=algo, datasets=[dataset(IRIS, DATA_KEY, "iris.csv")])) as (
                    service, agent, client):
            both_are_confined(agent)
            client.algo(algo, ALGO_KEY)
            both_are_confined(agent)
            client.data(IRIS, DATA_KEY, "iris.csv")
            service.wait_event(event)
            both_are_confined(agent)
            if algo == ENDS:
                client.result(USER_KEY)
                service.wait_event("Complete/Completed")
                both_are_confined(agent)


def before_a_manifest_too():
    with running() as (_, agent):
        both_are_confined(agent)


def not_even_the_same_user_reads_them():
    """The memory of a process that may be dumped is its user's to read."""
    as_user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    wrapper = ["sh", "-c", f'chown -R {USER} "$0/.." && chmod 755 "$0/.." && exec "$@"', "WORK",
               *as_user]

    def reads(pid):
        done = subprocess.run([*as_user, "cat", f"/proc/{pid}/maps"], capture_output=True,
                              check=False)
        assert done.returncode == 0 or b"Permission denied" in done.stderr, done
        return done.returncode == 0

    with running(wrapper=wrapper) as (_, agent):
        for pid in (agent.process.pid, keeper_of(agent)):
            assert status(pid)["Uid"].split()[0] == str(USER)
            assert not reads(pid)
    with subprocess.Popen([*as_user, "sh", "-c", "echo up; read end"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as open_to_all:
        open_to_all.stdout.readline()
        assert reads(open_to_all.pid)
        open_to_all.stdin.close()


if __name__ == "__main__":
    assert os.geteuid() == 0
    tap.run([in_each_stage_there_are_few_rights, before_a_manifest_too,
             not_even_the_same_user_reads_them])
