# SPDX-License-Identifier: Apache-2.0
"""A manager with many CVMs, libvirt's test driver in place of machines: lists, changes, a restart, its memory;
and the command line's start."""
import contextlib
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from concurrent import futures

import grpc

from bench.created import durable
from harness import PATIENCE, Folder, Process, program, until
from many_cvms import ManyCvms, identity, manager

LISTED, RESTARTED, ROUNDS, STARTS = 10000, 1000, 9, 51
MS, MIB = 1000, 1 << 20
NAMES = (f"ListVms of {LISTED} CVMs", f"WatchVms, a change among {LISTED} CVMs",
         f"manager's restart with {RESTARTED} CVMs", f"manager's restart with {RESTARTED} CVMs, PostgreSQL",
         "manager's memory, idle", "cocos-cli, start to first byte")


def timed(call):
    began = time.monotonic()
    call()
    return time.monotonic() - began


@contextlib.contextmanager
def many(count, server=None):
    secrets = tempfile.mkdtemp(prefix="cocos-bench-", dir="/dev/shm")
    os.chmod(secrets, 0o711)
    try:
        with Folder() as folder:
            yield ManyCvms(folder, secrets, count, server)
    finally:
        shutil.rmtree(secrets)


def all_run(m):
    until(lambda: len(m.all(states=["running"])) == m.count, "all of them running")


class Same(grpc.GenericRpcHandler):
    """python3-grpcio's server, which has the same pages as bytes."""

    def __init__(self, pages):
        self.pages = {(pages[i - 1].next if i else ""): page.SerializeToString() for i, page in enumerate(pages)}

    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, _: self.pages[request.cursor],
                                                   manager.ListVmsReq.FromString, None)


def list_same(m, pages, path):
    server = grpc.server(futures.ThreadPoolExecutor(1), handlers=[Same(pages)])
    server.add_insecure_port("unix:" + path)
    server.start()
    ours, m.channel = m.stub, grpc.insecure_channel("unix:" + path)
    m.stub = type(ours)(m.channel)
    try:
        m.pages()
        return statistics.median(timed(m.pages) for _ in range(ROUNDS))
    finally:
        m.channel.close()
        server.stop(None)
        m.stub = ours


def listing(m):
    pages = m.pages()
    assert sum(len(page.vms) for page in pages) == LISTED
    seconds = statistics.median(timed(m.pages) for _ in range(ROUNDS))
    mine = m.channel
    try:
        limit = list_same(m, pages, m.folder("run/same.sock"))
    finally:
        m.channel = mine
    return {"row": NAMES[0], "figure": seconds * MS, "unit": "ms", "limit": limit * MS,
            "of": "python3-grpcio's server, the same pages from memory", "ratio": seconds / limit, "aim": "<= 100"}


def watching(m):
    """From a RemoveVm that is sent to the change that says so, beside a call and its answer."""
    watch = m.stub.WatchVms(manager.WatchVmsReq(revision=m.page().revision), timeout=PATIENCE)
    delays, calls = [], []
    assert not next(watch).HasField("vm")  # it has caught up
    for n in range(ROUNDS):
        calls.append(timed(lambda n=n: m.stub.GetVm(manager.GetVmReq(id=identity(n)), timeout=PATIENCE)))
        began = time.monotonic()
        removal = m.stub.RemoveVm.future(manager.RemoveReq(cvm_id=identity(n)), timeout=PATIENCE)
        change = next(watch)
        delays.append(time.monotonic() - began)
        assert (change.vm.id, change.vm.state) == (identity(n), "removing"), change
        removal.result()
        assert next(watch).vm.state == "exited"
    watch.cancel()
    delay, call = statistics.median(delays), statistics.median(calls)
    return {"row": NAMES[1], "figure": delay * MS, "unit": "ms", "limit": call * MS, "of": "GetVm and its answer",
            "ratio": delay / call}


def restarting(name=NAMES[2], server=None):
    def restart():
        with m:
            all_run(m)
            return time.monotonic()

    def look():
        subprocess.run(["virsh", "-q", "-c", m.settings["MANAGER_LIBVIRT_URI"], "list", "--all", "--uuid"],
                       stdout=subprocess.DEVNULL, check=True)

    seconds, limits = [], []
    with many(RESTARTED, server) as m:
        for _ in range(ROUNDS):
            began = time.monotonic()
            seconds.append(restart() - began)
            limits.append(timed(look))
    mine, limit = statistics.median(seconds), statistics.median(limits)
    return {"row": name, "figure": mine, "unit": "s", "limit": limit, "of": "virsh list of the same domains",
            "ratio": mine / limit, "aim": "<= 2"}


def restarting_on_a_server():
    with durable() as server:
        return restarting(NAMES[3], server)


def idle():
    with many(0) as m, m:
        until(lambda: m.page() is not None, "an answer")
        mine = m.process.memory()
        shell = subprocess.Popen(["virsh", "-q", "-c", "test:///default"], stdin=subprocess.PIPE, text=True,
                                 stdout=subprocess.PIPE)
        try:
            shell.stdin.write("uri\n")
            shell.stdin.flush()
            while "test:" not in shell.stdout.readline():
                pass
            limit = Process.memory(shell)
        finally:
            shell.stdin.close()
            shell.wait()
            shell.stdout.close()
    return {"row": NAMES[4], "figure": mine / MIB, "unit": "MiB PSS", "limit": limit / MIB,
            "of": "virsh, connected", "ratio": mine / limit, "aim": "<= 10"}


def first_byte(*words):
    began = time.monotonic()
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout.read(1)
        return time.monotonic() - began


def starting():
    pairs = [(first_byte(program("cocos-cli"), "version"), first_byte("/bin/echo", "1")) for _ in range(STARTS)]
    mine, limit = (statistics.median(times) for times in zip(*pairs))
    return {"row": NAMES[5], "figure": mine * MS, "unit": "ms", "limit": limit * MS, "of": "echo",
            "ratio": mine / limit, "aim": "<= 20"}


def rows(size, only):
    wanted = [not only or any(word in name for word in only) for name in NAMES]
    if wanted[0] or wanted[1]:
        with many(LISTED) as m, m:
            all_run(m)
            if wanted[0]:
                yield listing(m)
            if wanted[1]:
                yield watching(m)
    for is_wanted, measure in zip(wanted[2:], (restarting, restarting_on_a_server, idle, starting)):
        if is_wanted:
            yield measure()
