# SPDX-License-Identifier: Apache-2.0
"""--wait and --watch: parties may begin in any order; what can't come any more ends it at once."""
import concurrent.futures
import os
import re
import threading
import time

import grpc

import cli_agent
import tap
from cli_agent import IRIS, Owner, agent, sha3
from harness import (PATIENCE, Computations, FakeAgent, Folder, Process, agent_grpc, cli, computations,
                     computations_grpc, cvms, program, read, spki, until)
from ports import free_port
from terminal import CONTROL_C, Terminal


class Running:
    """cocos-cli beside the test: its standard error line by line, its output at the end."""

    def __init__(self, folder, *arguments, cwd=None, **environment):
        self.path = folder("output")
        with open(self.path, "wb") as out:
            self.process = Process([program("cocos-cli"), *arguments],
                                   {"LC_ALL": "C.UTF-8", **environment}, cwd=cwd, stdout=out)

    def says(self, pattern):
        return self.process.wait_line(pattern)

    def output(self):
        return read(self.path).decode()

    def ok(self):
        status = self.process.end()
        assert status == 0, (status, self.process.text())
        return self.output()

    def refused(self, status, *words):
        got = self.process.end()
        text = self.process.text()
        assert got == status, (got, text)
        for word in words:
            assert word in text, (word, text)
        return text


def named_key(owner):
    """StatusConsumer for the owner's own key."""
    from cryptography.hazmat.primitives import serialization
    public = serialization.load_pem_public_key(read(owner("public.pem")))
    return sha3(public.public_bytes(serialization.Encoding.DER,
                                    serialization.PublicFormat.SubjectPublicKeyInfo))


def start(owner, *arguments, cwd=None):
    return Running(owner, *arguments, cwd=cwd, AGENT_GRPC_URL=owner.agent.url)


NONE_YET = {"state": "ReceivingManifest", "manifest_digest": b"", "algorithm": None, "datasets": []}


def data_wait_for_agent_manifest_and_algorithm():
    with Owner() as owner:
        owner.agent.server.stop(None).wait()
        port = free_port()
        run = Running(owner, "data", IRIS, owner.key, "--wait", AGENT_GRPC_URL=f"127.0.0.1:{port}")
        assert "at most 24h, until the agent wants datasets" in run.says("^waiting since .*refused")[0] + \
            run.process.text()
        owner.agent.status = dict(NONE_YET)
        owner.agent.datasets = {"iris.csv": read(IRIS)}
        owner.agent.start(port)
        run.says("it has no manifest")
        owner.agent.status = {"state": "ReceivingAlgorithm"}
        run.says("the algorithm has not come")
        assert owner.agent.calls == [], "sent too early"
        owner.agent.status = {}
        assert run.ok() == "dataset 'iris.csv' accepted\n"
        assert owner.agent.received == ("iris.csv", read(IRIS))
        # Whoever comes in time waits for nothing, and says nothing.
        done = owner.agent.run("data", IRIS, owner.key, "--wait=30s")
        assert done.ok() and done.err == ""


def the_algorithm_waits_for_a_manifest():
    with Owner() as owner:
        owner.agent.status = dict(NONE_YET)
        run = start(owner, "algo", IRIS, owner.key, "--wait=1h")
        run.says("at most 1h, until the agent wants the algorithm: it has no manifest")
        owner.agent.algorithm = read(IRIS)
        owner.agent.status = {"state": "ReceivingAlgorithm"}
        assert "accepted" in run.ok()
        assert owner.agent.received == (b"", read(IRIS))


def results_and_words_wait_for_the_end():
    with Owner() as owner:
        me = agent.StatusConsumer(key_digest=named_key(owner))
        owner.agent.status = {"state": "ReceivingAlgorithm", "consumers": [me]}
        run = start(owner, "result", owner.key, "--wait", cwd=owner.path)
        run.says("until there are results: the algorithm has not come")
        for state, words in (("ReceivingData", "not all datasets have come"),
                             ("Running", "the algorithm runs")):
            owner.agent.status = {"state": state, "consumers": [me]}
            run.says(words)
        owner.agent.results = b"x" * 1000
        owner.agent.status = {"state": "ConsumingResults", "consumers": [me]}
        assert "results saved" in run.ok()
        assert read(owner("results.zip")) == owner.agent.results
        owner.agent.server.stop(None).wait()
        owner.agent.Log = lambda request, context: agent.LogResponse(log=b"said\n")
        owner.agent.start()
        owner.agent.status = {"state": "Running"}
        run = start(owner, "logs", owner.key, "--wait")
        run.says("until the algorithm has ended: the algorithm runs")
        owner.agent.status = {"state": "Failed", "failure": "exit 1"}
        assert run.ok() == "said\n"


def what_can_never_come_ends_at_once():
    with Owner() as owner:
        me = agent.StatusConsumer(key_digest=named_key(owner))
        owner.agent.datasets = {"iris.csv": read(IRIS)}
        for words, status, why in (
                (("result", owner.key), {"state": "Failed", "failure": "exit 7"}, "failed: exit 7\n"),
                (("result", owner.key), {"state": "Failed", "failure": "it isn't \"\u00e9t\u00e9\"\x1b"},
                 "failed: it isn't \"\u00e9t\u00e9\"?\n"),
                (("data", IRIS, owner.key), {"state": "Failed"}, "failed"),
                (("algo", IRIS, owner.key), {"state": "Failed"}, "failed"),
                (("result", owner.key), {"state": "Running", "consumers": []},
                 "no consumer of this computation has your key: by the manifest your key is for something else"),
                (("algo", IRIS, owner.key), {"state": "Failed", "failure": "open 'a\\x0a'"}, "failed: open 'a\\x0a'\n"),
                (("result", owner.key), {"state": "Running", "consumers": [
                    agent.StatusConsumer(key_digest=named_key(owner), fetched=True)]}, "fetched the results already"),
                (("data", owner("public.pem"), owner.key), {"state": "ReceivingAlgorithm"},
                 "no dataset of this computation"),
                (("algo", IRIS, owner.key), {"state": "ReceivingAlgorithm"}, "is not the algorithm"),
                (("result", owner.key), {"state": "Dancing"}, "'Dancing', which is none")):
            owner.agent.status = status
            owner.agent.run(*words, "--wait", cwd=owner.path).refused(1, why)
        # A key that the manifest does not name, though the dataset is there.
        owner.agent.status = {"state": "ReceivingAlgorithm"}
        plain = owner.agent.Status

        def named(request, context):
            if any(key == "proof" for key, _ in context.invocation_metadata()):
                context.abort(cli_agent.grpc.StatusCode.PERMISSION_DENIED,
                              "Status: not signed by a consumer: the manifest does not name your key")
            return plain(request, context)
        owner.agent.Status = named
        owner.agent.server.stop(None).wait()
        owner.agent.start()
        for words in (("data", IRIS, owner.key), ("logs", owner.key)):
            owner.agent.run(*words, "--wait").refused(1, "does not name your key", "hint:")
        owner.agent.status = {"state": "Running", "consumers": [me]}
        owner.agent.run("result", owner.key, "--wait", cwd=owner.path).refused(1, "does not name your key")
        owner.agent.status = {"state": "Running", "consumers": []}
        owner.agent.run("result", owner.key, "--wait", cwd=owner.path).refused(
            1, "no consumer of this computation has your key", "does not name your key", "'openssl pkey -in PRIVATE_KEY")


def who_never_answers_ends_it_too():
    """An agent that tells its state and keeps silent at what is signed; a list that begins again for ever."""
    class Silent(agent_grpc.AgentServiceServicer):
        def Status(self, request, context):
            if "proof-challenge" not in dict(context.invocation_metadata()):
                return owner.agent.Status(request, context)
            silent.wait()
            return context.abort(grpc.StatusCode.CANCELLED, "")

    class Circle(computations_grpc.ComputationServiceServicer):
        pages = 0

        def Run(self, request, context):
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no CVM is connected and free")

        def Show(self, request, context):
            return computations.Computation(id=request.id, state="Created")

        def ListCvms(self, request, context):
            self.pages += 1
            return computations.ListCvmsResponse(next="ab"[self.pages % 2])

    silent, circle = threading.Event(), Circle()
    with Owner() as owner:
        owner.agent.datasets = {"iris.csv": read(IRIS)}
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        agent_grpc.add_AgentServiceServicer_to_server(Silent(), server)
        computations_grpc.add_ComputationServiceServicer_to_server(circle, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            # The waiting is the limit of its last question.
            done = cli("data", IRIS, owner.key, "--wait=1s", AGENT_GRPC_URL=f"127.0.0.1:{port}").refused(
                1, "it does not answer yet", "waited 1s")
            assert all(int(ms) <= 1000 for ms in re.findall(r"within (\d+) ms", done.err)), done.err
            cli("computation", "run", "x", "--wait=1s", COMPUTATIONS_GRPC_URL=f"127.0.0.1:{port}").refused(1)
            assert circle.pages <= 1024, circle.pages
            cli("cvm", "list", COMPUTATIONS_GRPC_URL=f"127.0.0.1:{port}").refused(1, "more than 1024 pages")
        finally:
            silent.set()
            server.stop(None)


def another_computation_is_not_the_one_that_was_waited_for():
    with Owner() as owner:
        owner.agent.datasets = {"iris.csv": read(IRIS)}
        for then, why in ((dict(NONE_YET), "the computation was stopped"),
                          ({"manifest_digest": b"o" * 32, "computation_id": "other"},
                           "another computation now ('other')")):
            owner.agent.status = {"state": "ReceivingAlgorithm"}
            run = start(owner, "data", IRIS, owner.key, "--wait")
            run.says("the algorithm has not come")
            owner.agent.status = then
            run.refused(1, why)
            # Nor is its end that of the one that is watched.
            owner.agent.status = {"state": "Running"}
            run = start(owner, "status", "--watch")
            until(lambda: "Running" in read(owner("output")).decode(), "its state")  # pylint: disable=cell-var-from-loop
            owner.agent.status = {**then, "state": then.get("state", "Complete")}
            run.refused(1, why)


def an_agent_that_is_gone_ends_it():
    """Stopped with its computation, say, or with its CVM: nobody listens at its port any more."""
    with Owner() as owner:
        me = agent.StatusConsumer(key_digest=named_key(owner))
        port = free_port()
        owner.agent.datasets = {"iris.csv": read(IRIS)}
        for words, state, seen in ((("data", IRIS, owner.key, "--wait"), "ReceivingAlgorithm", "algorithm has not come"),
                                   (("result", owner.key, "--wait"), "Running", "the algorithm runs"),
                                   (("status", "--watch"), "Running", None)):
            owner.agent.server.stop(None).wait()
            owner.agent.status = {"state": state, "consumers": [me]}
            owner.agent.start(port)
            run = start(owner, *words, "--grace=1s", cwd=owner.path)
            if seen:
                run.says(seen)
            else:
                until(lambda: "Running" in read(owner("output")).decode(), "its state")
            owner.agent.server.stop(None).wait()
            run.says("it does not answer any more .*, and is given up after 1s of that")
            run.refused(1, "it has not answered since ", ", nor within 1s more (", "hint: its computation was stopped, its CVM is gone")
        # Who comes back in time is who was waited for.
        owner.agent.start(port)
        owner.agent.status = {"state": "ReceivingAlgorithm"}
        run = start(owner, "data", IRIS, owner.key, "--wait", "--grace=1h")
        run.says("the algorithm has not come")
        owner.agent.server.stop(None).wait()
        run.says("given up after 1h of that")
        owner.agent.status = {}
        owner.agent.start(port)
        assert run.ok() == "dataset 'iris.csv' accepted\n"
        # Before there is a computation, it may come at any time.
        owner.agent.status = dict(NONE_YET)
        run = start(owner, "data", IRIS, owner.key, "--wait", "--grace=1s")
        run.says("it has no manifest")
        owner.agent.server.stop(None).wait()
        run.says("it does not answer yet .*refused")
        owner.agent.status = {}
        owner.agent.start(port)
        assert run.ok() == "dataset 'iris.csv' accepted\n"
        for bad in (("status", "--watch", "--grace=0"), ("status", "--watch", "--grace=721h"), ("status", "--grace=5m"),
                    ("data", IRIS, owner.key, "--grace=5m")):
            owner.agent.run(*bad).refused(2, "--grace")


def who_comes_too_early_is_told_what_comes_first():
    with Owner() as owner:
        owner.agent.datasets = {"iris.csv": read(IRIS)}
        waits = "; with --wait this command waits for that"
        for words, name, refusal, hint in (
                (("data", IRIS, owner.key), "Data", "Data: not expected in state ReceivingAlgorithm",
                 "hint: the algorithm has to be there first ('cocos-cli algo', by its owner)" + waits),
                (("result", owner.key), "Receipt", "Receipt: there are no results in state ReceivingData",
                 "hint: not all datasets have come" + waits)):
            def refuse(requests, context, refusal=refusal):
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, refusal)
            setattr(owner.agent, name, refuse)
            owner.agent.server.stop(None).wait()
            owner.agent.start()
            owner.agent.run(*words, cwd=owner.path).refused(1, refusal, hint)


def what_was_looked_at_is_what_is_sent_to():
    """The computation is replaced by one that wants the same file: behind the last look, or while a
    transfer begins again."""
    other = {"state": "ReceivingData", "manifest_digest": b"o" * 32, "computation_id": "other"}
    for words, setting in ((("data",), "datasets"), (("algo",), "algorithm")):
        with Owner() as owner:
            setattr(owner.agent, setting, {"iris.csv": read(IRIS)} if setting == "datasets" else read(IRIS))
            plain = owner.agent.Status

            def status(request, context, agent=owner.agent, plain=plain):
                answer = plain(request, context)
                if any(key == "proof" for key, _ in context.invocation_metadata()):
                    agent.status = other
                return answer
            owner.agent.server.stop(None).wait()
            owner.agent.Status = status
            owner.agent.start()
            owner.agent.run(*words, IRIS, owner.key, "--wait").refused(1, "another computation now ('other')")
            assert owner.agent.calls == []
    with Owner() as owner:
        large = owner("large")
        with open(large, "wb") as file:
            file.truncate(24 << 20)
        owner.agent.datasets, owner.agent.break_after = {"large": read(large)}, [1]
        receive = owner.agent.receive

        def then_another(*arguments):
            try:
                return receive(*arguments)
            finally:
                owner.agent.status = other
        owner.agent.receive = then_another
        owner.agent.run("data", large, owner.key).refused(1, "another computation now ('other')")
        assert owner.agent.calls == []


def the_duration_is_kept_and_checked():
    with Owner() as owner:
        owner.agent.status = dict(NONE_YET)
        owner.agent.run("data", IRIS, owner.key, "--wait=1s").refused(
            1, "waited 1s until the agent wants datasets: it ", "--wait=DURATION")
        for bad in ("0", "999ms", "721h", "soon", "-1s"):
            owner.agent.run("data", IRIS, owner.key, "--wait=" + bad).refused(2, "--wait")
        owner.agent.run("data", IRIS, owner.key, "--wait=").refused(2, "--wait")
        for words in (("data", IRIS, owner.key, "--wait", "30s"), ("status", "--wait", "30s"),
                      ("data", "--wait", "30s", IRIS, owner.key)):
            owner.agent.run(*words).refused(2, "--wait 30s: its value stands behind '='", "hint: --wait=30s")
        assert "accepted" not in owner.agent.run("data", "--wait", IRIS, owner.key, "--role-signature").refused(2, "--role-signature").out
        owner.agent.run("data", IRIS, owner.key, "--wait", "--role-signature").refused(
            2, "--wait and --role-signature")
        # Without it, as ever.
        owner.agent.run("data", IRIS, owner.key).refused(1, "no dataset of this computation")
        owner.agent.run("result", owner.key, cwd=owner.path).refused(1, "no manifest yet")
        assert cli("status", AGENT_GRPC_URL=f"127.0.0.1:{free_port()}").refused(1, "refused")


def why_a_computation_failed_is_said_in_words():
    class Service(computations_grpc.ComputationServiceServicer):
        def Show(self, request, context):
            return computations.Computation(id="c", state="Failed", failure=request.id)

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    computations_grpc.add_ComputationServiceServicer_to_server(Service(), server)
    url = {"COMPUTATIONS_GRPC_URL": f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"}
    server.start()
    try:
        for failure, says in (('{"error":"it isn\'t \\"there\\"\\u001b[2J"}', 'it isn\'t "there"?[2J'), ("exit 7", "exit 7"),
                              ('{"error":1}', '{"error":1}'), ('{"error":"a","b":"c"}', '{"error":"a","b":"c"}'), ("{", "{")):
            assert f"failure      {says}\n" in cli("computation", "show", failure, **url).ok(), failure
            assert cli("computation", "show", "--json", failure, **url).json()["failure"] == failure
    finally:
        server.stop(None)


def watching_tells_what_changes_until_the_end():
    with Owner() as owner:
        path = owner("output")

        def until_said(text):
            end = time.monotonic() + PATIENCE
            while text not in read(path).decode():
                assert time.monotonic() < end, (text, read(path))
                time.sleep(0.02)
        for last, status in (("Complete", 0), ("Failed", 1), ("ConsumingResults", 0)):
            row = agent.StatusAsset(hash=sha3(b"1"), filename="iris.csv")
            consumer = agent.StatusConsumer(key_digest=b"k" * 32)
            waits = last == "ConsumingResults"  # for one of two
            consumers = [consumer, agent.StatusConsumer(key_digest=b"l" * 32)][:1 + waits]
            owner.agent.status = {"state": "ReceivingData", "datasets": [row], "consumers": consumers}
            run = Running(owner, "status", "--watch", AGENT_GRPC_URL=owner.agent.url, HOME="")
            until_said("state       'ReceivingData'\n")
            # Another message each time: the agent may be asked at any moment.
            row = agent.StatusAsset(hash=row.hash, filename=row.filename, received=True)
            owner.agent.status = {"state": "Running", "datasets": [row], "consumers": consumers}
            until_said("state       'Running'\n")
            fetched = agent.StatusConsumer(key_digest=consumer.key_digest, fetched=True)
            owner.agent.status = {"state": last, "datasets": [row], "consumers": [fetched, *consumers[1:]],
                                  "failure": "exit 7" if status else "", "result_size": 2048 if waits else 0}
            assert run.process.end() == status
            assert "cocos-cli" not in run.process.text(), run.process.text()  # nor that there is no place for profiles
            lines = run.output().splitlines()
            assert lines == [
                "computation 'computation-1', 'test'", "state       'ReceivingData'",
                "state       'Running'", "dataset     1 'iris.csv': received", f"state       '{last}'",
                *(["failure     'exit 7'"] if status else []),
                "consumer    has the results: key " + (b"k" * 32).hex(),
                *(["results     2.0 KiB, which 1 of 2 consumers has not fetched"] if waits else [])], lines
        # Most manifests show their size to consumers alone.
        owner.agent.status = {"state": "ConsumingResults", "consumers": [agent.StatusConsumer(key_digest=b"k" * 32)]}
        assert owner.agent.run("status", "--watch").ok().endswith("results     there, which 1 of 1 consumers has not fetched\n")
        owner.agent.status = {"state": "Complete"}
        assert owner.agent.run("status", "--watch", "--json").json()["state"] == "Complete"


def watching_takes_a_peers_lines_however_many():
    """Each was looked for in all of what stood there before, which took as long as the peer liked."""
    with Owner() as owner:
        owner.agent.status = {"state": "Running", "last_lines": "\n".join(f"a{i:07}" for i in range(350000))}
        run = start(owner, "status", "--watch")
        end = time.monotonic() + PATIENCE
        while b"| a0349999\n" not in read(run.path):
            assert time.monotonic() < end
            time.sleep(0.02)
        owner.agent.status = {"state": "Failed", "failure": "it isn't there",
                              "last_lines": "\n".join(f"{'ba'[i % 2]}{i:07}" for i in range(350000))}
        assert run.process.end() == 1
        lines = run.output().splitlines()
        at = lines.index("state       'Failed'")
        assert lines[at + 1] == "failure     \"it isn't there\"", lines[at + 1]
        assert lines[at + 2:] == [f"            | b{i:07}" for i in range(0, 350000, 2)], lines[at:at + 9]


def watching_goes_on_when_the_agent_is_back():
    with Owner() as owner:
        port = free_port()
        run = Running(owner, "status", "-w", AGENT_GRPC_URL=f"127.0.0.1:{port}")
        run.says("until the computation has ended: it does not answer yet")
        owner.agent.server.stop(None).wait()
        owner.agent.status = {"state": "Complete"}
        owner.agent.start(port)
        assert "'Complete'" in run.ok()
        # What was in the way before the agent was there is no word about its computation's failure.
        owner.agent.server.stop(None).wait()
        run = Running(owner, "status", "-w", AGENT_GRPC_URL=f"127.0.0.1:{port}")
        run.says("it does not answer yet")
        owner.agent.status = {"state": "Failed", "failure": "exit 7"}
        owner.agent.start(port)
        assert run.process.end() == 1 and "cocos-cli" not in run.process.text(), run.process.text()
        owner.agent.status = {"state": "Complete"}
        run = Running(owner, "status", "--wait=1m", AGENT_GRPC_URL=owner.agent.url)
        assert "'Complete'" in run.ok()


def control_c_says_how_to_go_on():
    with Owner() as owner:
        owner.agent.status = dict(NONE_YET)
        for words, what in ((("data", IRIS, owner.key, "--wait"), "nothing was sent"),
                            (("algo", IRIS, owner.key, "--wait"), "nothing was sent"),
                            (("result", owner.key, "--wait"), "the agent keeps them until they are fetched"),
                            (("logs", owner.key, "--wait"), "the agent keeps what it writes")):
            with Terminal(*words, cwd=owner.path, AGENT_GRPC_URL=owner.agent.url) as terminal:
                terminal.wait_text("it has no manifest")
                terminal.press(CONTROL_C)
                terminal.wait_text("stopped waiting until .*" + what + "; the same command waits again")
                assert terminal.end() == 130
        with Terminal("status", "--watch", AGENT_GRPC_URL=owner.agent.url) as terminal:
            terminal.wait_text("'ReceivingManifest'")
            terminal.press(CONTROL_C)
            terminal.wait_text("it goes on without you")
            assert terminal.end() == 130
        assert owner.agent.calls == [] and sorted(os.listdir(owner.path)) == ["private.pem", "public.pem"]


def a_computation_waits_for_a_cvm():
    with Folder() as folder, Computations(folder) as service:
        url = {"COMPUTATIONS_GRPC_URL": "unix:" + service.socket}
        public, _ = spki()
        made = [service.admin.Create(computations.CreateRequest(manifest=cvms.ComputationRunReq(
            name=f"waits {number}", algorithm=cvms.Algorithm(hash=b"a" * 32, userKey=public))),
            timeout=PATIENCE).id for number in range(2)]
        run = Running(folder, "computation", "run", made[0], "--wait=1h", **url)
        run.says("at most 1h, until a CVM can take the computation: no CVM is connected and free")
        with FakeAgent(f"127.0.0.1:{service.port}", "cvm-1") as first:
            first.manifest()
            assert made[0] in run.ok()
            # Its CVM is taken; the next one waits for another, by name.
            run = Running(folder, "computation", "run", made[1], "--wait", "--cvm", "cvm-2", **url)
            run.says("CVM 'cvm-2' is not connected, or not free")
            with FakeAgent(f"127.0.0.1:{service.port}", "cvm-2") as second:
                second.manifest()
                assert made[1] in run.ok()
            # What was run before can't be run again.
            cli("computation", "run", made[0], "--wait", **url).refused(1, "was run before")
        cli("computation", "run", "no-such", "--wait", **url).refused(1, "no-such")


def a_computation_waits_for_its_service():
    with Folder() as folder:
        run = Running(folder, "computation", "run", "x", "--wait", COMPUTATIONS_GRPC_URL="unix:" + folder("admin.sock"))
        run.says("it does not answer yet")
        with Computations(folder):
            run.refused(1, "'x'")


if __name__ == "__main__":
    tap.run([data_wait_for_agent_manifest_and_algorithm, the_algorithm_waits_for_a_manifest,
             results_and_words_wait_for_the_end, what_can_never_come_ends_at_once,
             who_never_answers_ends_it_too, another_computation_is_not_the_one_that_was_waited_for,
             an_agent_that_is_gone_ends_it, who_comes_too_early_is_told_what_comes_first,
             what_was_looked_at_is_what_is_sent_to, the_duration_is_kept_and_checked,
             why_a_computation_failed_is_said_in_words, watching_tells_what_changes_until_the_end, watching_takes_a_peers_lines_however_many,
             watching_goes_on_when_the_agent_is_back,
             control_c_says_how_to_go_on, a_computation_waits_for_a_cvm,
             a_computation_waits_for_its_service])
