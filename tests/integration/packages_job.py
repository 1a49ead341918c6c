# SPDX-License-Identifier: Apache-2.0
"""The main job by what packages have installed, with an agent beside it: those are for machines, and in their images.

  packages_job.py AGENT [--by-systemd]

systemd is not needed. The daemon is started as its unit says: program, user, groups, rights and umask. That the sandbox
of the unit holds is not seen. With --by-systemd the unit's own daemon is there already, and does it."""
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import units  # noqa: E402

SCRATCH = "/tmp/packages"
CONFIG = "/etc/cocos/computations.conf"
PATIENCE = 180  # seconds until something that must come counts as missing


def until(condition, what):
    """What the condition is once it is true."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, f"{what} never happens"
        time.sleep(0.1)
    return found


class Beside:
    """A program that runs beside the test, to the end of a `with`; what it says is in a file."""

    def __init__(self, words, environment):
        self.log = os.path.join(SCRATCH, f"log-{time.monotonic_ns()}")
        with open(self.log, "wb") as file:
            self.process = subprocess.Popen(words, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                                            stdout=file, stderr=file)

    def wait_line(self, pattern):
        def found():
            assert self.process.poll() is None, f"it ended:\n{text_of(self.log)}"
            return re.search(pattern, text_of(self.log), re.M)
        until(found, pattern)
        return found()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        status = self.process.wait(PATIENCE)
        assert status == 0, f"{status}:\n{text_of(self.log)}"


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, f"{words}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def as_its_unit(name, environment=()):
    """The daemon, with the user, groups and rights of its unit."""
    path, = [line for line in run("dpkg", "-L", name).splitlines() if line.endswith(f"/{name}.service")]
    unit = units.parse(text_of(path))
    return Beside([*units.wrapper(unit), *unit["ExecStart"][0].split()], dict(environment))


def start_computations(**settings):
    service = as_its_unit("cocos-computations", settings.items())
    port = service.wait_line(r"agents: listening on \S+ port (\d+)")[1]
    service.wait_line(" ready$")
    return service, port


def computations_of_systemd():
    """Without an end: it is systemd's. Its port is the usual one."""
    return contextlib.nullcontext(), "7001"


def free_port():
    with socket.socket() as probe:  # below the range of outgoing connections
        return next(each for each in range(21000, 32000) if probe.connect_ex(("127.0.0.1", each)) != 0)


def start_at_any_port():
    return start_computations(COMPUTATIONS_GRPC_PORT="0")


def run_one(program, start=start_at_any_port):
    """The main job, with that agent and the service that `start` gives, with its port; returns its id."""
    folder = os.path.join(SCRATCH, "job")
    for name in ("config", "certs", "work", "alice", "bob"):
        os.makedirs(os.path.join(folder, name))
    run("gcc", "-O2", "-static", "-o", os.path.join(folder, "alice/count"),
        "/usr/share/doc/cocos/examples/count/count.c")
    with open(os.path.join(folder, "bob/words.txt"), "w", encoding="ascii") as file:
        file.write("one two\nthree\n")
    service, port = start()
    with open(os.path.join(folder, "config/environment"), "w", encoding="ascii") as file:
        file.write(f"AGENT_CVM_ID=here\nAGENT_CVM_GRPC_URL=127.0.0.1:{port}\nAGENT_GRPC_HOST=127.0.0.1\n")
    agent = Beside([program, "--development", "--config", folder + "/config",
                    "--certs", folder + "/certs", "--work", folder + "/work"], {})

    def cli(party, *words):
        return run("cocos-cli", *words, cwd=os.path.join(folder, party),
                   env=dict(os.environ, AGENT_GRPC_URL=f"127.0.0.1:{agent_port}"))

    agent_port = free_port()
    with service, agent:
        for party in ("alice", "bob"):
            cli(party, "keys", "-k", "ecdsa")
        until(lambda: '"connected":true' in cli("", "cvm", "list", "--json"), "the agent's connection")
        job = cli("", "computation", "create", "--name", "count", "--algorithm", "alice/count",
                  "--algorithm-type", "bin", "--algorithm-key", "alice/public.pem", "--dataset", "bob/words.txt",
                  "--dataset-key", "bob/public.pem", "--consumer-key", "bob/public.pem",
                  "--agent-port", str(agent_port)).strip()
        cli("", "computation", "run", job, "--cvm", "here")

        def state():
            return json.loads(cli("", "computation", "show", job, "--json"))["state"]
        until(lambda: state() == "Waiting for Algorithm", "the manifest's arrival")
        until(lambda: subprocess.run(
            ["cocos-cli", "status"], check=False, capture_output=True,
            env=dict(os.environ, AGENT_GRPC_URL=f"127.0.0.1:{agent_port}")).returncode == 0, "the agent's listener")
        cli("alice", "algo", "count", "private.pem", "-a", "bin")
        cli("bob", "data", "words.txt", "private.pem")
        until(lambda: state() in ("Completed", "Failed"), "the end of the run")
        assert state() == "Completed", (text_of(agent.log), cli("bob", "status", "private.pem"))
        cli("bob", "result", "private.pem", "-o", "results")
        assert "words.txt" in text_of(os.path.join(folder, "bob/results/counts.txt"))
        return job


if __name__ == "__main__":
    os.makedirs(SCRATCH)
    by = computations_of_systemd if "--by-systemd" in sys.argv else start_at_any_port
    print("computation", run_one(os.path.abspath(sys.argv[1]), by), "is completed, by what is installed")
