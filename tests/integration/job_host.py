# SPDX-License-Identifier: Apache-2.0
"""The whole job on this host, with our programs alone: cocos-computations, cocos-agent and cocos-cli,
between agent and service, and between owners and agent, in plaintext, by TLS and by mutual TLS."""
import contextlib
import itertools
import json
import os
import random
import socket
import subprocess

import journal_book
import tap
from harness import ROOT, Computations, Folder, Process, authority, cli, program, read, until
from played_manager import now_ms
from ports import free_port
from usage import months

EXAMPLES = os.path.join(ROOT, "examples")
IRIS = os.path.join(EXAMPLES, "iris", "iris.csv")


class Agent:
    """cocos-agent --development, connected to that service; `tls` as in Computations, `options` more of its own."""

    def __init__(self, folder, service, tls=None, client=False, cvm="host-cvm", options=()):
        self.folder, self.cvm, self.options = folder, cvm, options
        settings = {"AGENT_CVM_ID": cvm, "AGENT_GRPC_HOST": "127.0.0.1",
                    "AGENT_CVM_GRPC_URL": f"{'localhost' if tls else '127.0.0.1'}:{service.port}"}
        for name in ("config", "certs", "work"):
            os.makedirs(folder("agent", name), exist_ok=True)
        if tls:
            folder.write("agent/certs/ca.pem", read(tls("ca.pem")))
            settings["AGENT_CVM_GRPC_SERVER_CA_CERTS"] = folder("agent/certs/ca.pem")
        if client:
            folder.write("agent/certs/cert.pem", read(tls("client.pem")))
            folder.write("agent/certs/key.pem", read(tls("client-key.pem")), 0o600)
            settings["AGENT_CVM_GRPC_CLIENT_CERT"] = folder("agent/certs/cert.pem")
            settings["AGENT_CVM_GRPC_CLIENT_KEY"] = folder("agent/certs/key.pem")
        folder.write("agent/config/environment", "".join(f"{k}={v}\n" for k, v in settings.items()))

    def start(self):
        self.process = Process([program("cocos-agent"), "--development", "--config",
                                self.folder("agent/config"), "--certs",
                                self.folder("agent/certs"), "--work", self.folder("agent/work"), *self.options])
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.process.finish()

    def left_behind(self):
        """What is in the work folder."""
        return [os.path.join(folder, name) for folder, _, names in os.walk(self.folder("agent/work"))
                for name in names if name != "lock"]


class Job:
    """Everything that one computation needs, and the commands that its people type."""

    def __init__(self, stack, service_tls=None, service_mutual=False, agent_tls=None,
                 agent_mutual=False, agent_options=()):
        self.began, self.numbers = now_ms(), itertools.count(1)
        self.folder = stack.enter_context(Folder())
        self.service = stack.enter_context(Computations(
            stack.enter_context(Folder()), tls=service_tls, client_ca=service_mutual))
        self.agent = stack.enter_context(Agent(self.folder, self.service, tls=service_tls,
                                               client=service_mutual, options=agent_options))
        self.port = free_port()
        self.agent_tls, self.agent_mutual = agent_tls, agent_mutual
        self.where = {"COMPUTATIONS_GRPC_URL": "unix:" + self.service.socket,
                      "AGENT_GRPC_URL": f"{'localhost' if agent_tls else '127.0.0.1'}:{self.port}"}
        if agent_tls:
            self.where["AGENT_GRPC_SERVER_CA_CERTS"] = agent_tls("ca.pem")
        if agent_mutual:
            self.where["AGENT_GRPC_CLIENT_CERT"] = agent_tls("client.pem")
            self.where["AGENT_GRPC_CLIENT_KEY"] = agent_tls("client-key.pem")
        for party in ("algorithm", "data", "consumer"):
            os.mkdir(self.folder(party))
            self("keys", "-k", {"algorithm": "rsa", "data": "ecdsa", "consumer": "ed25519"}[party],
                 cwd=self.folder(party)).ok()
        self.connected()

    def __call__(self, *arguments, **keywords):
        return cli(*arguments, **dict(self.where, **keywords))

    def key(self, party, half="private"):
        return self.folder(party, half + ".pem")

    def connected(self):
        until(lambda: self("cvm", "list", "--json").json() and
              self("cvm", "show", self.agent.cvm, "--json").json()["connected"], "the connection")

    def create(self, algorithm, datasets=(IRIS,), kind="bin", args=(), more=()):
        options = ["--name", f"job {next(self.numbers)}", "--algorithm", algorithm, "--algorithm-type", kind,
                   "--algorithm-key", self.key("algorithm", "public"), "--consumer-key",
                   self.key("consumer", "public"), "--agent-port", str(self.port), *more]
        for dataset in datasets:
            options += ["--dataset", dataset, "--dataset-key", self.key("data", "public")]
        for arg in args:
            options += ["--args", arg]
        if self.agent_tls:
            options += ["--agent-cert", self.agent_tls("server.pem"), "--agent-key",
                        self.agent_tls("server-key.pem")]
        if self.agent_mutual:
            options += ["--agent-client-ca", self.agent_tls("ca.pem")]
        return self("computation", "create", *options).ok().strip()

    def run(self, computation):
        self("computation", "run", computation).ok()
        self.until_state(computation, "Waiting for Algorithm")
        until(lambda: self("status").status == 0, "the agent's listener")

    def until_state(self, computation, state):
        shown = {}

        def reached():
            shown.update(self("computation", "show", computation, "--json").json())
            assert shown["state"] == state or shown["state"] != "Failed", (
                shown, self.agent.process.text())
            return shown["state"] == state
        try:
            until(reached, state)
        except AssertionError:
            print("# " + self.agent.process.text().replace("\n", "\n# "))
            raise
        return shown

    def finished(self, computation):
        until(lambda: self("computation", "show", computation, "--json").json()["finished"],
              "the end")


def counter(folder):
    """examples/count, static."""
    path = folder("count")
    subprocess.run(["cc", "-O2", "-static", "-o", path,
                    os.path.join(EXAMPLES, "count", "count.c")], check=True)
    return path


def journal_is_whole(job, computation, trust=()):
    """As the service keeps it, by both implementations; and what the service altered is noticed. `trust`: options by
    which the machine's evidence is judged; without, it has none."""
    path = job.folder("journal")
    until(lambda: "closed" in job("journal", "get", computation, "-o", path, "--force").err, "the journal's end")
    entries, closed = journal_book.verify(read(path))
    assert closed and entries[0][4]["computation"] == computation
    assert {e[4]["digest"].hex() for e in entries if e[3] == "dataset"} == {cli("checksum", IRIS).ok().strip()}
    shown = job("journal", "verify", path, "--chain-only").ok()
    assert "closed: " in shown and "consistent" in shown
    if trust:
        assert "SIMULATED verified: " in job("journal", "verify", path, *trust).ok()
    else:
        job("journal", "verify", path).refused(3, "no evidence")
    followed = job("journal", "follow", computation).ok()
    assert followed.splitlines() == shown.splitlines()[:len(entries)], followed
    for words in (("journal", "get"), ("journal", "follow"), ("computation", "logs"), ("computation", "show")):
        job(*words, "no-such").refused(1, "no computation 'no-such'", "hint: 'cocos-cli computation list'")
    job("journal", "get", computation, "--run", "2", "-o", path, "--force").refused(1, "no journal of that run")
    job("journal", "get", computation, "--run", "0", "-o", path, "--force").refused(2, "from 1 on")


def metered(job, computation):
    """Bytes in and out, as `usage` has them of all months: a test may run at midnight on the last of one."""
    rows = [row for month in months(job.began, now_ms()) for row in job("usage", "--month", month, "-o", "json").json()
            if row["computation"] == computation]
    return sum(row["bytes_in"] for row in rows), sum(row["bytes_out"] for row in rows)


def whole_job(**how):
    with contextlib.ExitStack() as stack:
        job = Job(stack, **how)
        algorithm = counter(job.folder)
        computation = job.create(algorithm)
        job.run(computation)
        manifest = job("computation", "manifest", computation).ok()
        path = job.folder.write("manifest.json", manifest)
        status = job("status", "--json").json()
        assert status["manifest_digest"] == cli("checksum", "--manifest", path).ok().strip()
        assert status["development"] and status["state"] == "ReceivingAlgorithm"
        job("data", IRIS, job.key("algorithm")).refused(1)  # not its owner
        job("algo", algorithm, job.key("algorithm")).ok()
        assert "is there already" in job("algo", algorithm, job.key("algorithm")).ok()
        job("data", IRIS, job.key("algorithm")).refused(1, "hint:")
        job.until_state(computation, "Waiting for Datasets")
        job("result", job.key("consumer"), cwd=job.folder("consumer")).refused(1, "not all datasets have come")
        job("data", IRIS, job.key("data")).ok()
        job.until_state(computation, "Completed")
        job("result", job.key("data"), cwd=job.folder("consumer")).refused(1, "hint:")
        job("result", job.key("consumer"), "-o", "out", cwd=job.folder("consumer")).ok()
        assert read(job.folder("consumer/out/counts.txt")) == (
            b"iris.csv: 5107 bytes, 151 lines, 151 words\n")
        job.finished(computation)
        job("result", job.key("consumer"), cwd=job.folder("consumer")).refused(1)
        logs = [json.loads(line) for line in
                job("computation", "logs", computation, "--json").ok().splitlines()]
        # What the algorithm said is the consumer's, and no word of it the service's.
        assert b"counted iris.csv\n" in read(job.folder("consumer/out/log.txt"))
        assert "counted iris.csv" in job("logs", job.key("consumer")).ok()
        assert logs and "counted" not in json.dumps(logs), logs
        events = [(line["type"], line["status"]) for line in logs if line["kind"] == "event"]
        assert events == [("ReceivingAlgorithm", "InProgress"), ("ReceivingData", "InProgress"),
                          ("Running", "Starting"), ("Running", "InProgress"),
                          ("Running", "Completed"), ("ConsumingResults", "Ready"),
                          ("Complete", "Completed")], events
        assert "development" in job("computation", "show", computation, "--json").json()["notice"]
        journal_is_whole(job, computation)
        # How large results are is hidden, as their words are.
        assert metered(job, computation) == (os.path.getsize(algorithm) + os.path.getsize(IRIS), 0)
        # Stopping frees the CVM for another one.
        job("computation", "stop", computation).ok()
        assert job("computation", "show", computation, "--json").json()["state"] == "Completed"
        second = job.create(algorithm, datasets=())
        job.run(second)
        assert job.agent.process.stop() == 0
        assert job.service.process.stop() == 0
        assert job.agent.left_behind() == []


def the_whole_job_in_plaintext():
    whole_job()


def the_whole_job_by_tls():
    with Folder() as tls:
        authority(tls)
        whole_job(service_tls=tls, agent_tls=tls)


def the_whole_job_by_mutual_tls():
    with Folder() as tls:
        authority(tls)
        whole_job(service_tls=tls, service_mutual=True, agent_tls=tls, agent_mutual=True)


def an_agent_with_mutual_tls_wants_a_certificate():
    with Folder() as tls, contextlib.ExitStack() as stack:
        authority(tls)
        job = Job(stack, agent_tls=tls, agent_mutual=True)
        algorithm = counter(job.folder)
        job.run(job.create(algorithm, datasets=()))
        job("status", AGENT_GRPC_CLIENT_CERT="", AGENT_GRPC_CLIENT_KEY="").refused(1, "hint:")
        job("status", AGENT_GRPC_SERVER_CA_CERTS="", AGENT_GRPC_CLIENT_CERT="",
            AGENT_GRPC_CLIENT_KEY="").refused(1)
        # Proofs are bound to the connection; a challenge of Status is of no use here.
        job("algo", algorithm, job.key("algorithm")).ok()


def the_iris_example_runs():
    with contextlib.ExitStack() as stack:
        job = Job(stack)
        script = os.path.join(EXAMPLES, "iris", "iris.py")
        computation = job.create(script, kind="python", args=("--seed", "7"), more=("--logs", "all"))
        job.run(computation)
        job("algo", script, job.key("algorithm"), "-a", "python").ok()
        job("data", IRIS, job.key("data")).ok()
        job.until_state(computation, "Completed")
        job("result", job.key("consumer"), "-o", "out", cwd=job.folder("consumer")).ok()
        model = json.loads(read(job.folder("consumer/out/model.json")))
        assert model["accuracy"] > 0.9 and len(model["classes"]) == 3
        # What came and went is usage, once, also of a service that is killed.
        job.finished(computation)
        path = job.folder("journal")
        until(lambda: "closed" in job("journal", "get", computation, "-o", path, "--force").err, "the journal's end")
        said, _ = journal_book.verify(read(path))
        size = next(entry[4]["size"] for entry in said if entry[3] == "results")
        for _ in range(2):
            assert metered(job, computation) == (os.path.getsize(script) + os.path.getsize(IRIS), size), metered(job, computation)
            job.service.process.kill()
            job.service.channel.close()
            job.service.start()
            job.connected()
        assert b"150 flowers" in read(job.folder("consumer/out/summary.txt"))


def a_directory_arrives_unpacked():
    with contextlib.ExitStack() as stack:
        job = Job(stack)
        job.folder.write("set/one.txt", "1 2 3\n")
        job.folder.write("set/deep/two.txt", "4\n")
        script = job.folder.write("list.py", (
            "import pathlib\n"
            "found = sorted(str(p) for p in pathlib.Path('datasets').rglob('*') if p.is_file())\n"
            "pathlib.Path('results/found').write_text(repr(found))\n"))
        computation = job.create(script, datasets=(job.folder("set"),), kind="python",
                                 more=("--decompress",))
        job.run(computation)
        job("algo", script, job.key("algorithm"), "-a", "python").ok()
        job("data", job.folder("set"), job.key("data"), "-d").ok()
        job.until_state(computation, "Completed")
        job("result", job.key("consumer"), "-o", "out", cwd=job.folder("consumer")).ok()
        found = read(job.folder("consumer/out/found"))
        assert b"one.txt" in found and b"deep/two.txt" in found, found


def a_failing_algorithm_is_told_to_everybody():
    with contextlib.ExitStack() as stack:
        job = Job(stack)
        script = job.folder.write("bad.py", "import sys\nprint('oh no')\nsys.exit(3)\n")
        computation = job.create(script, datasets=(), kind="python", more=("--logs", "all"))
        job.run(computation)
        job("algo", script, job.key("algorithm"), "-a", "python").ok()
        until(lambda: job("computation", "show", computation, "--json").json()["state"] == "Failed",
              "the failure")
        shown = job("computation", "show", computation, "--json").json()
        assert "3" in shown["failure"], shown
        assert "oh no" in job("computation", "logs", computation).ok()
        job("result", job.key("consumer"), cwd=job.folder("consumer")).refused(1)
        followed = job("journal", "follow", computation)
        assert "Failed" in followed.ok() and "has failed" in followed.err, followed.err
        # Nor is a journal waited for that no agent will begin.
        never = job.create(script, datasets=(), kind="python")
        job("computation", "stop", never).ok()
        job("journal", "follow", never).refused(1, "has ended, and has no journal", f"'cocos-cli computation show {never}'")
        job("computation", "stop", computation).ok()
        job.run(job.create(script, datasets=(), kind="python"))


def a_retry_asks_no_owner_who_said_keep():
    with contextlib.ExitStack() as stack:
        job = Job(stack)
        moody = job.folder.write("moody", "#!/bin/sh\n[ \"$1\" = fail ] && exit 3\ncp datasets/* results/\n")
        computation = job.create(moody)
        job.run(computation)
        job("computation", "retry", computation).refused(1, "Waiting for Algorithm", "only one that failed")
        job("algo", moody, job.key("algorithm"), "--args", "fail").ok()
        job("data", IRIS, job.key("data"), "--keep", "retry").ok()
        until(lambda: job("computation", "show", computation, "--json").json()["state"] == "Failed",
              "the failure")
        before = job("status", "--json").json()["manifest_digest"]
        shown = job("computation", "retry", computation, "--json").json()
        assert shown["cvm"] == job.agent.cvm and not shown.get("failure"), shown
        job.until_state(computation, "Waiting for Algorithm")
        until(lambda: job("status").status == 0, "the agent's listener")
        status = job("status", "--json").json()
        assert status["datasets"][0]["kept"] and status["manifest_digest"] == before
        assert "is there already" in job("data", IRIS, job.key("data")).ok()
        job("algo", moody, job.key("algorithm")).ok()
        until(lambda: job("status", "--json").json()["state"] == "ConsumingResults", "the results")
        job("result", job.key("consumer"), "-o", "out", cwd=job.folder("consumer")).ok()
        job.until_state(computation, "Completed")
        job("computation", "retry", computation).refused(1, "Completed")
        path = job.folder("journal")
        for run, word in (("1", "dataset"), ("2", "kept")):
            until(lambda r=run: "closed" in job("journal", "get", computation, "--run", r, "-o", path, "--force").err, "its end")
            entries, _ = journal_book.verify(read(path))
            assert [e[3] for e in entries if e[3] in ("dataset", "kept")] == [word], run


def a_stop_kills_the_run_and_wipes_the_assets():
    with contextlib.ExitStack() as stack:
        job = Job(stack)
        marker = f"cocos-test-sleeper-{random.randrange(1 << 40)}"
        script = job.folder.write("sleep.py", f"# {marker}\nimport time\nprint('asleep', flush=True)\n"
                                              "time.sleep(10000)\n")
        computation = job.create(script, kind="python", args=(marker,), more=("--logs", "all"))
        job.run(computation)
        job("algo", script, job.key("algorithm"), "-a", "python", "--args", marker).ok()
        job("data", IRIS, job.key("data")).ok()
        until(lambda: "asleep" in job("computation", "logs", computation).ok(), "the run")
        job("computation", "stop", computation).ok()
        shown = job("computation", "show", computation, "--json").json()
        assert shown["state"] == "Cancelled" and not shown["stopping"], shown
        until(lambda: marker not in processes(), "the end of the run's processes")
        until(lambda: not job.agent.left_behind(), f"the wiping of {job.agent.left_behind()}")
        assert job("cvm", "show", job.agent.cvm, "--json").json()["computation"] == ""


def a_port_that_is_taken_fails_one_run_and_what_is_fetched_stays_completed():
    with contextlib.ExitStack() as stack:
        job = Job(stack)
        algorithm = counter(job.folder)
        computation = job.create(algorithm)
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", job.port))
            taken.listen()
            job("computation", "run", computation).ok()
            until(lambda: job("computation", "show", computation, "--json").json()["state"] == "Failed", "the failure")
        shown = job("computation", "show", computation, "--json").json()
        assert "open the agent's listener" in shown["failure"] and not shown["stopping"], shown
        assert "Failed" in job("journal", "follow", computation).ok()
        job("computation", "stop", computation).ok()
        job("computation", "retry", computation).ok()
        job.until_state(computation, "Waiting for Algorithm")
        until(lambda: job("status").status == 0, "the agent's listener")
        job("algo", algorithm, job.key("algorithm")).ok()
        job("data", IRIS, job.key("data")).ok()
        job("result", job.key("consumer"), "--wait", cwd=job.folder("consumer")).ok()
        job("computation", "stop", computation).ok()
        until(lambda: not job("cvm", "show", job.agent.cvm, "--json").json()["computation"], "the free CVM")
        assert job("computation", "show", computation, "--json").json()["state"] == "Completed"


def command_lines():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            yield read(f"/proc/{pid}/cmdline").decode(errors="replace")


def processes():
    return "".join(command_lines())


def a_restarted_service_goes_on_with_the_same_job():
    with contextlib.ExitStack() as stack:
        job = Job(stack)
        algorithm = counter(job.folder)
        computation = job.create(algorithm)
        job.run(computation)
        job("algo", algorithm, job.key("algorithm")).ok()
        job.until_state(computation, "Waiting for Datasets")
        job.service.process.kill()
        job.service.channel.close()
        job("data", IRIS, job.key("data")).ok()  # owners and agent do not need it
        job.service.start()
        job.until_state(computation, "Completed")
        job("result", job.key("consumer"), cwd=job.folder("consumer")).ok()
        job.finished(computation)


def a_restarted_agent_gets_its_computation_again():
    with contextlib.ExitStack() as stack:
        job = Job(stack)
        algorithm = counter(job.folder)
        computation = job.create(algorithm)
        job.run(computation)
        job("algo", algorithm, job.key("algorithm")).ok()
        job.until_state(computation, "Waiting for Datasets")
        job.agent.process.kill()
        job.agent.start()
        job.connected()
        until(lambda: job("status").status == 0, "the listener")
        until(lambda: job("status", "--json").json()["state"] == "ReceivingAlgorithm", "the manifest")
        job("algo", algorithm, job.key("algorithm")).ok()
        job("data", IRIS, job.key("data")).ok()
        job.until_state(computation, "Completed")


if __name__ == "__main__":
    tap.run([the_whole_job_in_plaintext, the_whole_job_by_tls, the_whole_job_by_mutual_tls,
             an_agent_with_mutual_tls_wants_a_certificate, the_iris_example_runs,
             a_directory_arrives_unpacked, a_failing_algorithm_is_told_to_everybody, a_retry_asks_no_owner_who_said_keep,
             a_stop_kills_the_run_and_wipes_the_assets, a_port_that_is_taken_fails_one_run_and_what_is_fetched_stays_completed,
             a_restarted_service_goes_on_with_the_same_job,
             a_restarted_agent_gets_its_computation_again])
