# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the agent at random moments: no process and no file of it is left for the next one.

COCOS_SEED names other moments than those of every run, COCOS_KILLS how many."""
import ctypes
import os
import random
import signal
import threading
import time

import grpc

import sample
import tap
from agent_job import ALGO_KEY, DATA_KEY, USER_KEY, manifest
from agent_peer import Agent, Client, Service, dataset, free_port, WAIT

KILLS = int(os.environ.get("COCOS_KILLS", sample.of(10, 60)))
SEED = int(os.environ.get("COCOS_SEED", "20261120"))
PR_SET_CHILD_SUBREAPER = 36
ALGO = b"#!/bin/sh\nsleep 30 &\necho up\ncat datasets/* > results/all\nsleep 0.2\nkill $!\n"
DATA = os.urandom(3 << 20)


def offspring():
    """Everything alive that descends from this process: whoever lost its parent comes to us."""
    parents, found = {}, []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                fields = f.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if fields[0] not in "ZX":
            parents[int(pid)] = int(fields[1])
    for pid in parents:
        at = pid
        while at in parents and at != os.getpid():
            at = parents[at]
        if at == os.getpid() and pid != os.getpid():
            found.append(pid)
    return found


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def job(service, port):
    """As far as it comes."""
    client = Client(port)
    try:
        service.wait(lambda s: s.of("run_res"), 5)
        client.algo(ALGO, ALGO_KEY)
        client.data(DATA, DATA_KEY, "d")
        service.wait_event("ConsumingResults/Ready", 5)
        client.result(USER_KEY)
    except (grpc.RpcError, AssertionError, ValueError):
        pass
    finally:
        client.close()


def killed_at_any_moment_it_leaves_nothing():
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    print(f"# seed {SEED}, {KILLS} kills")
    rng = random.Random(SEED)
    for nth in range(KILLS):
        service, port = Service(), free_port()
        agent = Agent(service)
        try:
            service.wait_connected()
            service.send(runReq=manifest(port, algo=ALGO, datasets=[dataset(DATA, DATA_KEY, "d")]))
            worker = threading.Thread(target=job, args=(service, port))
            worker.start()
            time.sleep(rng.random() * 0.6)
            agent.process.send_signal(signal.SIGKILL)
            agent.process.wait()
            deadline = time.monotonic() + WAIT
            while offspring():
                reap()
                assert time.monotonic() < deadline, f"kill {nth}: {offspring()} live on"
                time.sleep(0.02)
            service.stop()
            worker.join()
            service.connections = 0
            service.start()
            agent.restart()
            service.wait_connected()
            assert agent.work() == ["lock"], f"kill {nth}: {agent.work()}"
            assert agent.stop() == 0 and agent.work() == []
        finally:
            agent.remove()
            service.stop()


if __name__ == "__main__":
    tap.run([killed_at_any_moment_it_leaves_nothing])
