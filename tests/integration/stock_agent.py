# SPDX-License-Identifier: Apache-2.0
"""Cocos's own agent, log-forwarder, runner and manager with our service and command line: docs/peers.md as a test, where
stock_peers.py can be run. They want fixed places and ports, so all of it is in namespaces of its own."""
import contextlib
import glob
import itertools
import json
import os
import subprocess
import sys

import tap
from agent_job import unzip
from harness import Computations, Folder, Process, authority, cli, read, until
from machines import shown
from people import Caller
from stock_peers import build, stock_program

CVM, PORT = "stock-cvm", 7002  # where its agent listens is no setting
ALGORITHM = "#!/bin/sh\ncat datasets/x.csv datasets/sub/y.csv >results/all.txt\necho what it prints\n"
INSIDE = "--in-the-room"
MANAGER_PORT, HTTP_PORT = 7010, 7011


def in_room():
    """Runs this program once more where /run and /var/lib are its own, and so is the network."""
    room = ["unshare", "--user", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-ec",
            'ip link set lo up; mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /var/lib; exec "$@"', "sh"]
    if subprocess.run([*room, "true"], check=False, capture_output=True).returncode:
        return "no namespaces of one's own here"
    os.execvp(room[0], [*room, sys.executable, "-u", *sys.argv, INSIDE])
    return None


@contextlib.contextmanager
def running(name, folder, **settings):
    """One of its programs; what it says is in the folder."""
    with open(folder(name + ".out"), "wb") as out:
        process = Process([stock_program(name)], {"TMPDIR": folder.path, **settings}, cwd=folder.path, stdout=out)
        try:
            yield process
        finally:
            process.kill()


class Guest:
    """What a stock image has run: the log-forwarder first, then the runner and the agent."""

    def __init__(self, stack, tls=None):
        self.folder = stack.enter_context(Folder())
        self.service = stack.enter_context(Computations(stack.enter_context(Folder()), tls=tls))
        self.where = {"COMPUTATIONS_GRPC_URL": "unix:" + self.service.socket, "AGENT_GRPC_URL": f"127.0.0.1:{PORT}"}
        settings = {"AGENT_CVM_ID": CVM,
                    "AGENT_CVM_GRPC_URL": f"{'localhost' if tls else '127.0.0.1'}:{self.service.port}"}
        if tls:
            settings["AGENT_CVM_GRPC_SERVER_CA_CERTS"] = tls("ca.pem")
        stack.enter_context(running("log-forwarder", self.folder, **settings))
        self.service.process.wait_line(f"CVM '{CVM}': its log-forwarder waits for its agent")
        stack.enter_context(running("computation-runner", self.folder))
        until(lambda: os.path.exists("/run/cocos/runner.sock"), "the runner's socket")
        stack.enter_context(running("agent", self.folder, **settings))
        self.service.process.wait_line(f"CVM '{CVM}' connected from")
        self.service.process.wait_line(f"CVM '{CVM}' reports from")
        self("keys", "-k", "ecdsa", cwd=self.folder.path).ok()
        self.numbers = itertools.count(1)
        self.folder.write("set/x.csv", "1,2\n")
        self.folder.write("set/sub/y.csv", "3,4\n")
        self.folder.write("run.sh", ALGORITHM, 0o755)

    def __call__(self, *words, **keywords):
        return cli(*words, **dict(self.where, **keywords))

    def begun(self):
        """A computation that its agent has."""
        public = self.folder("public.pem")
        computation = self("computation", "create", "--name", f"job {next(self.numbers)}", "--algorithm", self.folder("run.sh"), "--algorithm-type",
                           "bin", "--algorithm-key", public, "--dataset", self.folder("set"), "--dataset-name", "set", "--dataset-key", public,
                           "--consumer-key", public, "--agent-port", str(PORT), "--stock-manifest").ok().strip()
        self("computation", "run", computation).ok()
        self.service.until_state(computation, "Waiting for Algorithm")
        return computation

    def agents_state(self):
        return self("cvm", "show", CVM, "--json").json()["agent_state"]


def job(tls=None):
    with contextlib.ExitStack() as stack:
        guest = Guest(stack, authority(stack.enter_context(Folder())) if tls else None)
        folder = guest.folder
        key, script = folder("private.pem"), folder("run.sh")
        computation = guest.begun()
        guest("status").refused(1, "unknown method Status", "--role-signature")
        guest("logs", key).refused(1, "unknown method")
        guest("algo", script, key, "-a", "bin").refused(1, "unknown method Status", "--role-signature")
        guest("algo", script, key, "-a", "bin", "--role-signature").ok()
        guest.service.until_state(computation, "Waiting for Datasets")
        guest("data", folder("set"), key, "-d", "--role-signature").ok()
        until(lambda: "ConsumingResults" in guest("computation", "logs", computation).ok(), "the results")
        done = guest("result", key, "--role-signature", cwd=folder.path)
        done.ok()
        assert "no receipt" in done.out + done.err, done.out + done.err
        assert unzip(read(folder("results.zip")))["all.txt"] == b"1,2\n3,4\n"
        guest.service.until_state(computation, "Completed")
        logs = guest("computation", "logs", computation).ok()
        assert "Method Algo took" in logs and "what it prints" not in logs, logs
        assert "what it prints" in read(folder("computation-runner.out")).decode()
        guest("journal", "get", computation, "-o", folder("journal")).refused(1, "no journal")


def its_agent_does_the_whole_job():
    job()


def its_agent_does_the_whole_job_with_the_service_over_tls():
    job(tls=True)


def its_agent_is_stopped_and_does_the_next_one():
    with contextlib.ExitStack() as stack:
        guest = Guest(stack)
        guest("computation", "stop", guest.begun()).ok()
        until(lambda: guest.agents_state() == "ReceivingManifest", "the agent's next state")
        guest.begun()


@contextlib.contextmanager
def its_manager(folder):
    """With a program that only waits in QEMU's place."""
    marks = folder.path.encode()  # of the firmware's variables that it copies into /tmp, which it leaves there
    settings = {"BIN_PATH": folder.write("qemu", "#!/bin/sh\nexec sleep 3600\n", 0o755), "ENABLE_KVM": "false",
                "ENABLE_SEV_SNP": "false", "ENABLE_TDX": "false", "OVMF_VARS_FILE": folder.write("vars.fd", marks)}
    try:
        with running("manager", folder, MANAGER_GRPC_HOST="127.0.0.1", MANAGER_GRPC_PORT=str(MANAGER_PORT),
                     MANAGER_HTTP_HOST="127.0.0.1", MANAGER_HTTP_PORT=str(HTTP_PORT),
                     **{"MANAGER_QEMU_" + name: value for name, value in settings.items()}):
            until(lambda: b"gRPC server listening" in read(folder("manager.out")), "its listener")
            yield lambda *words: cli(*words, MANAGER_GRPC_URL=f"127.0.0.1:{MANAGER_PORT}")
    finally:
        for path in glob.glob("/tmp/*.fd"):
            if read(path) == marks:
                os.unlink(path)


def its_manager_makes_and_removes_what_our_command_line_asks_for():
    with Folder() as folder, its_manager(folder) as asked:
        made = asked("create-vm", "--server-url", "127.0.0.1:7001", "--json").json()
        assert made["forwarded_port"], made
        asked("vm", "list").refused(1, "unknown method")
        asked("remove-vm", made["cvm_id"]).ok()
        asked("remove-vm", made["cvm_id"]).refused(1, "entity not found")


def our_service_has_it_make_cvms_and_ends_what_it_does_not_know():
    with Folder() as folder, its_manager(folder) as asked:
        table = folder.write("managers", f"manager theirs 127.0.0.1:{MANAGER_PORT} agents=10.0.2.2:7001\n"
                                         "limit default cvms=1\n")
        with Computations(folder, MANAGERS=table) as service:
            def ours(*words):
                return cli(*words, COMPUTATIONS_GRPC_URL="unix:" + service.socket)

            service.root = Caller(service.channel)
            ours("cvm", "create", "one").ok()
            ours("cvm", "remove", "one").ok()
            assert shown(service, "one").state == "Removed"
            ours("cvm", "create", "one").ok()
            asked("remove-vm", shown(service, "one").cvm_id).ok()  # and its manager keeps no record of it
            ours("cvm", "remove", "one", "--force")
            until(lambda: "can't be asked what it has" in shown(service, "one").reason, "what keeps it")
            assert "entity not found" in shown(service, "one").reason
            ours("cvm", "remove", "one", "--force").ok()
            assert shown(service, "one").state == "Removed"


if __name__ == "__main__":
    if INSIDE not in sys.argv:
        WHY_NOT = build("agent", "log-forwarder", "computation-runner", "manager") or in_room()
        print(f"1..0 # SKIP {WHY_NOT}")
        sys.exit(0)
    tap.run([its_agent_does_the_whole_job, its_agent_does_the_whole_job_with_the_service_over_tls,
             its_agent_is_stopped_and_does_the_next_one, its_manager_makes_and_removes_what_our_command_line_asks_for,
             our_service_has_it_make_cvms_and_ends_what_it_does_not_know])
