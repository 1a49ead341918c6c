# SPDX-License-Identifier: Apache-2.0
"""A node of a workflow that is computed in a CVM: the real service, executors and agent, whose hardware is simulated."""
import contextlib
import functools
import json
import os
import shutil
import socket
import subprocess
import threading

import tap
from cli_contact import Listener, hangs_up, ssh
from cli_workflows_served import Person
from harness import ROOT, Folder, Process, cli, program, until
from job_host import Agent
from ports import free_port
from teesim import MEASUREMENT, Teesim
from user_keys import at_a_terminal
from workflow_cvm import kwargs
from workflow_room import node, world

EXAMPLE = os.path.join(ROOT, "examples", "secure-sum", "cvm")
KINDS = {"r1": "r1-hospital_executor", "r2": "r2-hospital_executor", "cloud": "cvm:cloud"}
POLICY = {"cocos": 1, "snp": {"measurements": [MEASUREMENT]}, "run": {"weak_words": ["development"]}}


class AgentOnTee(Agent):
    """cocos-agent on this host with simulated hardware."""

    def __init__(self, folder, service, tee):
        super().__init__(folder, service)
        self.tee = tee

    def start(self):
        self.process = Process([program("cocos-agent"), "--development", "--tsm", self.tee.mount, "--config",
                                self.folder("agent/config"), "--certs", self.folder("agent/certs"), "--work",
                                self.folder("agent/work")])
        return self


class Sum:
    """The example with its people: two hospitals, a cloud and a user."""

    def __init__(self, running, environment, tee):
        self.folder, self.tee, self.port = running.folder, tee, free_port()
        self.person = functools.partial(Person, running, environment)
        self.user = self.person("user", submits=True)
        self.people = {name: self.person(name) for name in KINDS}
        self.proof = ["--offline", "--trusted_root", tee.root]
        self.policy = running.folder.write("cvm-policy.json", json.dumps(POLICY))
        self.keys = {KINDS[name]: person.executor_key() for name, person in self.people.items()}
        for name, patients in (("r1", 55), ("r2", 5), ("cloud", None)):
            shutil.copytree(EXAMPLE, self.folder(name))
            if patients:
                self.folder.write(os.path.join(name, "patients.txt"), f"{patients}\n")
        # What runs in the CVM is the cloud's owner's to start, by the service.
        self.folder.write("cloud/settings.json", json.dumps({
            "environment": {"COMPUTATIONS_GRPC_URL": self.user.env["COMPUTATIONS_GRPC_URL"],
                            "PATH": os.path.dirname(program("cocos-cli")) + ":" + os.environ["PATH"]},
            "port": str(self.port), "run": [], "proof": self.proof}))

    def signing(self, name):
        return self.people[name]("executor", "key", "--signing", self.folder(name + ".key")).ok().strip()

    def nodes(self):
        words = [self.folder("cloud/workflow.py"), f"127.0.0.1:{self.port}", self.policy,
                 *(self.signing(name) for name in ("cloud", "r1", "r2"))]
        return json.loads(subprocess.run(["/usr/bin/python3", *words], stdout=subprocess.PIPE, check=True).stdout)

    def result_words(self, name, *more):
        return ["workflow", "result", name, "--key", self.user.key, "-o", self.folder("got"), "-f",
                self.folder("results.zip"), *self.proof, *more]

    def result(self, name, *more):
        return self.user(*self.result_words(name, *more))

    def executor(self, name, *more):
        function, file = (("sum_patient_data", "launch.py") if name == "cloud" else ("get_patient_data", "count.py"))
        return self.people[name].executor(KINDS[name], function, self.folder(name, file), self.user, *self.proof, *more)

    def allowed(self, name):
        """What a hospital names; the cloud gives nothing into a CVM."""
        files = {"--algorithm": self.folder(name, "sum.py"), "--policy": self.policy,
                 "--requirements": self.folder(name, "requirements.txt")}
        return [] if name == "cloud" else [word for option, file in files.items()
                                           for word in (option, cli("checksum", file).ok().strip())]


@contextlib.contextmanager
def the_sum():
    with at_a_terminal() as (running, environment), Teesim(running.folder, "snp") as tee, \
            AgentOnTee(running.folder, running, tee):
        yield Sum(running, environment, tee)


def two_hospitals_and_a_cvm_give_60():
    with the_sum() as s:
        at = {name: s.executor(name, *s.allowed(name)) for name in KINDS}
        for each in at.values():
            each.wait_line("waits for nodes")
        name = s.user.submit(s.nodes(), s.keys).ok().strip()
        s.result(name, "--wait").ok()
        with open(s.folder("got/sum.txt"), encoding="ascii") as file:
            assert file.read() == "60\n"
        until(lambda: s.user.states(name) == ("Completed", ["Done"] * 3), "the workflow's end")
        # What it gave is nobody's a second time, and what the cloud says of it is no result.
        s.result(name).refused(1)
        s.user("workflow", "decrypt", name, "--key", s.user.key).refused(2, "computed in a CVM")
        assert "the service says" not in s.result(name).err
        for hospital in ("r1", "r2"):
            at[hospital].wait_line("attempt 1: done, the digest of its output handed on")
            at[hospital].wait_line("node .* for the CVM of cloud:sum_patent_data: handed over")
        for each in at.values():
            assert each.stop() == 143, each.text()


def who_waits_for_a_cvm_goes_on_with_other_nodes_and_says_what_it_kept():
    with the_sum() as s:
        at = s.executor("r1")
        at.wait_line("waits for nodes")
        first, second = (s.user.submit(s.nodes(), s.keys).ok().strip() for _ in range(2))
        for name in (first, second):
            until(lambda name=name: s.user.states(name)[1][0] == "Done", "the first node of each")
        until(lambda: at.text().count("waiting since") == 2, "both that wait")  # before that they end without a word
        # What waits ends with it, and says that nothing was sent.
        assert at.stop() == 143, at.text()
        until(lambda: at.text().count("nothing was sent") == 2, "the end of both that wait")


def what_waits_for_a_cvm_ends_when_the_workflow_is_cancelled():
    """That workflow's, and no other's, at who keeps it."""
    with the_sum() as s:
        at = s.executor("r1")
        at.wait_line("waits for nodes")
        gone, stays = (s.user.submit(s.nodes(), s.keys).ok().strip() for _ in range(2))
        for name in (gone, stays):
            until(lambda name=name: s.user.states(name)[1][0] == "Done", "the first node of each")
        until(lambda: at.text().count("waiting since") == 2, "both that wait")
        s.user("workflow", "cancel", gone).ok()
        at.wait_line("the service says that the workflow was cancelled")
        until(lambda: at.text().count("nothing was sent") == 1, "the end of what waits")
        assert s.user.states(stays)[0] == "Running"
        assert at.stop() == 143, at.text()
        until(lambda: at.text().count("nothing was sent") == 2, "the end of the other one")
        assert at.text().count("was cancelled") == 1, at.text()


def who_fetches_is_told_that_the_workflow_has_ended():
    with the_sum() as s:
        name = s.user.submit(s.nodes(), s.keys).ok().strip()
        s.user("workflow", "cancel", name).ok()
        assert "note: the service says that the workflow is Cancelled: " in s.result(name).err
        # Nobody will have what it waits for; also where that is said while it waits.
        cancelled = "the service says that the workflow was cancelled: no CVM will have its computation"
        with Listener(hangs_up, s.port):
            ended = s.result(name, "--wait").refused(1, cancelled)
            assert "hint: " not in ended.err, ended.err
        # What answers there is not what it waits for, whatever the service says.
        with Listener(ssh, s.port):
            ended = s.result(name, "--wait").refused(1, "an SSH server answers there")
            assert cancelled not in ended.err, ended.err
        name = s.user.submit(s.nodes(), s.keys).ok().strip()
        run = Process([program("cocos-cli"), *s.result_words(name, "--wait")], s.user.env)
        run.wait_line("until the agent has the computation of the node")
        s.user("workflow", "cancel", name).ok()
        run.wait_line(cancelled)
        assert run.end() == 1


def a_node_in_a_cvm_has_its_form():
    with the_sum() as s:
        nodes = s.nodes()
        cvm = nodes[2]["kwargs"]["cvm"]
        for member, value, said in (("agent", "nowhere", "HOST:PORT"), ("type", "perl", "bin, python, wasm or docker"),
                                    ("algorithm", "00", "algorithm"), ("requirements", None, "'requirements' is missing"),
                                    ("owners", {}, "'owners' has 0 keys"), ("launcher", "x" * 64, "launcher"),
                                    ("more", 1, "more"), ("policy", "", "'policy' has 0 bytes")):
            changed = {**cvm, member: value}
            if value is None:
                del changed[member]
            s.user.submit([*nodes[:2], {**nodes[2], "kwargs": {"cvm": changed}}], s.keys).refused(2, said)
        for policy, said in (([], "the order's policy"), ({**POLICY, "run": {"agent": "stock"}}, "takes a stock agent"),
                             ({**POLICY, "run": {"allow_external_identity": True}}, "takes a key from outside"),
                             ({"cocos": 1, "tpm": {"pcrs": {"sha256": {"16": ["00" * 32]}}}}, "can be reset by software")):
            s.user.submit([*nodes[:2], {**nodes[2], "kwargs": {"cvm": {**cvm, "policy": json.dumps(policy)}}}],
                          s.keys).refused(2, said)
        s.user.submit([*nodes[:2], {**nodes[2], "maxretries": 17}], s.keys).refused(2, "'maxretries'")
        # The order names one key to sign with at the CVM: another executor could only refuse it.
        for kind in (KINDS["r1"], KINDS["cloud"]):
            s.user.submit(nodes, {**s.keys, kind: f"{s.keys[kind]},{'22' * 32}"}).refused(2, "one executor, not 2")


def the_examples_algorithm_says_nothing_of_what_is_no_number():
    with Folder() as folder:
        folder.write("datasets/a", "salt\nsecret\n")
        os.mkdir(folder("results"))
        ran = subprocess.run(["/usr/bin/python3", os.path.join(EXAMPLE, "sum.py"), "sum_patient_data"], cwd=folder.path,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        # The submitter sees what it writes.
        assert ran.returncode == 1 and "no number" in ran.stdout and "secret" not in ran.stdout, ran.stdout
        assert not os.listdir(folder("results"))


def who_waits_for_as_many_cvms_as_may_be_still_runs_what_goes_into_none():
    with world() as w:
        said = kwargs(f"127.0.0.1:{free_port()}", w.key_of("cvm:cloud"), {"a": w.key_of()})
        w.script("print(1)\n")
        at = w.executor()
        for _ in range(64):
            w.service.add(w.order([node("a"), node("sum", "cvm:cloud", after=["a"], kwargs=said, retries=0)]))
        until(lambda: [nodes[0].state for nodes in w.service.nodes.values()] == ["Done"] * 64, "what goes into CVMs")
        one_more, plain = (w.service.add(w.order(nodes)) for nodes in (
            [node("a", retries=0), node("sum", "cvm:cloud", after=["a"], kwargs=said, retries=0)], [node("a", retries=0)]))
        until(lambda: w.service.nodes[one_more][0].state == "Failed", "a refusal of what has no room")
        until(lambda: w.service.nodes[plain][0].state == "Done", "what goes into none")
        assert at.stop() == 143, at.text()


def what_was_not_handed_over_is_said_whoever_ignores_ended_children():
    with world() as w, socket.create_server(("127.0.0.1", 0)) as server:
        # What answers there is no agent.
        threading.Thread(target=lambda: server.accept()[0].sendall(b"HTTP/1.1 400 no\r\n\r\n"), daemon=True).start()
        said = kwargs(f"127.0.0.1:{server.getsockname()[1]}", w.key_of("cvm:cloud"), {"a": w.key_of()})
        w.script("print(1)\n")
        w.service.add(w.order([node("a"), node("sum", "cvm:cloud", after=["a"], kwargs=said, retries=0)]))
        at = Process(["/bin/bash", "-c", "trap '' CHLD; exec \"$0\" \"$@\"", program("cocos-cli"),
                      *w.executor_words("--once", "--offline")], w.env)
        assert at.end() == 1, at.text()
        assert "not handed over" in at.text()


TESTS = [
    two_hospitals_and_a_cvm_give_60,
    who_waits_for_a_cvm_goes_on_with_other_nodes_and_says_what_it_kept,
    what_waits_for_a_cvm_ends_when_the_workflow_is_cancelled, who_fetches_is_told_that_the_workflow_has_ended,
    a_node_in_a_cvm_has_its_form,
    the_examples_algorithm_says_nothing_of_what_is_no_number,
    who_waits_for_as_many_cvms_as_may_be_still_runs_what_goes_into_none,
    what_was_not_handed_over_is_said_whoever_ignores_ended_children,
]

if __name__ == "__main__":
    tap.run(TESTS)
