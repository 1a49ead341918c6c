#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A run that fails costs nobody a second upload whose owner allowed that, and nothing else outlives it."""
import base64
import contextlib
import os
import socket

import tap
from agent_job import ALGO_KEY, DATA_KEY, IRIS, OTHER_KEY, USER_KEY, Code, manifest, unzip
from agent_journal import Keeper
from agent_peer import WAIT, Agent, Client, Key, agent_pb2, cvms_pb2, dataset, free_port, pem_key, refused, sha3, zip_of
from harness import Folder, cli
from journal_book import verify

# The same program fails or not, as its provider's call says; the manifest leaves him that.
MOODY = b"""#!/bin/sh
[ "$1" = fail ] && exit 3
(cd datasets && find . -type f | sort) > results/names.txt
(cd datasets && find . -type f | sort | xargs cat) > results/all.txt
"""
BETTER = MOODY + b"# without its mistake\n"


class Books(Keeper):
    """Keeps the journal of the newest run."""

    def _keep(self, batch, outgoing):
        if batch.first == 1 and self.journal[:1] != [batch.entries[0]]:
            self.journal, self.head = [], None
        return super()._keep(batch, outgoing)


class Twice:
    """An agent whose computation has failed once, if all that it waits for is `sent`: arguments of send()."""

    def __init__(self, first, sent, options=()):
        self.service, self.client, self.port = Books(), None, free_port()
        self.agent = Agent(self.service, options=options)
        try:
            self.service.wait_connected()
            self.begin(first)
            self.client.algo(MOODY, ALGO_KEY, more=[("algo_args", "fail")])
            for upload in sent:
                self.send(**upload)
            if sent:
                self.service.wait_event("Failed/Failed")
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.client:
            self.client.close()
        self.agent.remove()
        self.service.stop()

    def begin(self, m):
        if m.agent_config.port == "0":
            m.agent_config.port = str(self.port)
        count = len(self.service.of("run_res"))
        self.service.send(runReq=m)
        answer = self.service.answer_to_run(count)
        assert answer.error == "", answer.error
        if self.client:
            self.client.close()
        self.client = Client(int(m.agent_config.port))

    def send(self, content=IRIS, key=DATA_KEY, name="iris.csv", keep=None, decompress="false", more=()):
        parameters = [("filename", name), ("decompress", decompress)] + ([("keep", keep)] if keep else [])
        headers = parameters[1:] + list(more)
        proof = self.client.proof_metadata("data-provider", "Data", key, sha3(content), parameters, headers)
        self.client.data(content, None, name, metadata=proof)

    def stop(self, computation="c-1"):
        count = len(self.service.of("stop_computation_res"))
        self.service.send(stopComputation=cvms_pb2.StopComputation(computation_id=computation))
        self.service.wait(lambda s: len(s.of("stop_computation_res")) > count)

    def again(self, m):
        """Which datasets are there when the next manifest is."""
        self.stop()
        self.begin(m)
        return {d.filename for d in self.client.status().datasets if d.received}

    def results(self, algorithm=MOODY):
        self.client.algo(algorithm, ALGO_KEY)
        self.service.wait_event("ConsumingResults/Ready")
        return unzip(self.client.result(USER_KEY))

    def forget(self, key=DATA_KEY, role="data-provider", metadata=None):
        """How many datasets are forgotten."""
        metadata = metadata or self.forgets(key, role)
        return self.client.stub.Forget(agent_pb2.ForgetRequest(), metadata=metadata, timeout=WAIT).forgotten

    def forgets(self, key, role="data-provider", method="Forget", named=None):
        named = base64.b64encode((named or key).spki).decode()
        return self.client.proof_metadata(role, method, key, None, [], [("proof-key", named)])

    def kept(self):
        return [f for f in self.agent.work() if f.startswith("kept/")]


@contextlib.contextmanager
def failed(first=None, sent=({"keep": "retry"},), options=()):
    t = Twice(first or plain(), sent, options)
    try:
        yield t
    except BaseException:
        print("# the agent's output:", *t.agent.output().splitlines(), sep="\n# ")
        raise
    finally:
        t.close()


def plain(algo=MOODY, **more):
    return manifest(0, algo=algo, **more)


def of_two():
    return plain(datasets=[dataset(IRIS, DATA_KEY, "iris.csv"), dataset(b"b\n", OTHER_KEY, "b.csv")])


def a_retry_takes_no_second_upload():
    with failed() as t:
        assert t.again(plain()) == {"iris.csv"}
        status = t.client.status()
        assert status.state == "ReceivingAlgorithm" and status.datasets[0].kept
        refused(Code.FAILED_PRECONDITION, "ReceivingAlgorithm", t.send)
        assert t.results() == {"all.txt": IRIS, "names.txt": b"./iris.csv\n"}
        assert t.kept() == [], t.agent.work()


def the_journal_tells_whose_leave_it_was():
    with failed() as t:
        t.again(plain())
        digest = t.client.status().manifest_digest
        t.results()
        t.service.wait(lambda s: s.is_closed() and len(s.of("run_res")) == 2 and b"complete" in s.journal[-1])
        entries, closed = verify(t.service.file())
        assert closed and not [e for e in entries if e[3] == "dataset"]
        assert [e[4] for e in entries if e[3] == "kept"] == [
            {"key": sha3(DATA_KEY.spki), "name": "iris.csv", "size": len(IRIS), "digest": sha3(IRIS),
             "consent": "retry", "manifest": digest}]


def it_may_fail_as_often_as_it_likes():
    with failed() as t:
        for _ in range(3):
            assert t.again(plain()) == {"iris.csv"}
            count = t.service.events().count("Failed/Failed")
            t.client.algo(MOODY, ALGO_KEY, more=[("algo_args", "fail")])
            t.service.wait(lambda s, c=count: s.events().count("Failed/Failed") > c)
        assert t.again(plain()) == {"iris.csv"}
        assert t.results()["all.txt"] == IRIS


def a_manifest_that_is_not_served_costs_nothing_that_is_kept():
    with failed() as t, socket.socket() as taken:
        t.stop()
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", t.port))
        taken.listen()
        t.service.send(runReq=plain(config={"port": str(t.port)}))
        assert "listener" in t.service.answer_to_run(1).error
        t.service.wait(lambda s: s.events().count("Failed/Failed") == 2)
        assert len(t.kept()) == 1
        taken.close()
        t.begin(plain())
        assert t.client.status().datasets[0].kept and t.results()["all.txt"] == IRIS


def who_did_not_allow_it_sends_again():
    with failed(of_two(), ({"keep": "retry"}, {"content": b"b\n", "key": OTHER_KEY, "name": "b.csv"})) as t:
        assert t.again(of_two()) == {"iris.csv"}
        t.client.algo(MOODY, ALGO_KEY)
        t.send(b"b\n", OTHER_KEY, "b.csv")
        t.service.wait_event("ConsumingResults/Ready")
        assert unzip(t.client.result(USER_KEY))["all.txt"] == b"b\n" + IRIS


def archives_come_back_as_they_were_laid_out():
    """Folders, the union and caches; an archive without a name keeps the one that its owner gave it."""
    one, two = zip_of([("x/1", b"1")]), zip_of([("y", b"2")])
    for layout, names in (("folders", b"./one/x/1\n./two/y\n"), ("stock", b"./x/1\n./y\n")):
        m = plain(datasets=[dataset(one, DATA_KEY, "one.zip", decompress=True), dataset(two, OTHER_KEY)])
        m.cocos.layout = layout
        m.cocos.logs = "all"
        sent = ({"content": one, "name": "one.zip", "keep": "retry"},
                {"content": two, "key": OTHER_KEY, "name": "two.zip", "decompress": "true", "keep": "algorithm"})
        with failed(m, sent) as t:
            assert len(t.kept()) == 2
            t.stop()
            t.begin(m)
            assert all(d.kept and d.received for d in t.client.status().datasets)
            assert t.results() == {"names.txt": names, "all.txt": b"12"}


def another_algorithm_by_leave_alone():
    better = plain(BETTER, id="c-2")
    with failed(of_two(), ({"keep": "algorithm"},
                           {"content": b"b\n", "key": OTHER_KEY, "name": "b.csv", "keep": "retry"})) as t:
        m = of_two()
        m.id, m.algorithm.hash = "c-2", better.algorithm.hash
        assert t.again(m) == {"iris.csv"}
        assert len(t.kept()) == 1, t.kept()
        t.client.algo(BETTER, ALGO_KEY)
        t.send(b"b\n", OTHER_KEY, "b.csv")
        t.service.wait_event("ConsumingResults/Ready")


def nothing_is_kept_that_did_not_fail():
    """Stopped while it waits or runs; ended well; of an agent that begins anew."""
    with failed(of_two(), ()) as t:
        t.send(keep="retry")
        assert len(t.kept()) == 1
        assert t.again(of_two()) == set() and t.kept() == []
    with failed(sent=()) as t:
        t.send(keep="retry")
        t.service.wait_event("Failed/Failed")
        t.again(plain())
        t.results()
        assert t.again(plain()) == set()
    with failed() as t:
        assert len(t.kept()) == 1
        t.agent.process.kill()
        t.agent.process.wait()
        connections = t.service.connections
        t.agent.restart()
        t.service.wait_connected(connections + 1)
        assert t.kept() == []
        t.begin(plain())
        assert t.client.status().datasets[0].received is False


def a_folder_that_cannot_go_keeps_no_data():
    """The stop fails, and says so, by no name of what is in there; what was kept for a retry is gone with the first
    try."""
    with failed(of_two(), ()) as t:
        t.send(keep="retry")
        deep = os.path.join(t.agent.work_dir, "computation", "scratch")
        names = 300 * ["patient-4711"]  # deeper than anything that is removed
        at = os.open(deep, os.O_RDONLY)
        for name in names:
            os.mkdir(name, dir_fd=at)
            below = os.open(name, os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = below
        os.close(at)
        t.stop()
        t.service.wait_event("Failed/Failed")
        answer = t.service.of("stop_computation_res")[-1].message
        assert answer.startswith("wipe the computation's folder: remove '"), answer
        t.service.catch_up()
        for heard in (answer, t.service.log_text(), t.agent.output(), str(t.service.of("agent_event"))):
            assert "patient" not in heard, heard
        assert t.kept() == []


def leave_is_words_that_are_known_and_signed():
    with failed(sent=()) as t:
        refused(Code.INVALID_ARGUMENT, "neither retry nor algorithm", t.send, keep="forever")
        refused(Code.INVALID_ARGUMENT, "more than once", t.send, keep="retry", more=[("keep", "retry")])
        role = t.client.role_metadata("data-provider", DATA_KEY, [("keep", "retry")])
        refused(Code.PERMISSION_DENIED, "does not cover it", t.client.data, IRIS, None, "iris.csv", metadata=role)
        assert t.kept() == [] and not t.client.status().datasets[0].received


def an_owner_takes_it_back():
    with failed() as t:
        t.service.wait(lambda s: s.journal)
        assert len(t.kept()) == 1 and t.forget() == 1
        assert t.kept() == [], t.agent.work()
        refused(Code.NOT_FOUND, "keeps no dataset of yours", t.forget)
        t.service.wait(lambda s: any(b"forgotten" in entry for entry in s.journal))
        entries, _ = verify(t.service.file())
        assert [e[4] for e in entries if e[3] == "forgotten"] == [
            {"key": sha3(DATA_KEY.spki), "name": "iris.csv", "digest": sha3(IRIS)}]
        assert t.again(plain()) == set(), "the next run has nothing of it"
        t.client.algo(MOODY, ALGO_KEY)
        t.send()
        t.service.wait_event("ConsumingResults/Ready")
        t.service.wait(lambda s: s.journal and not any(b"Failed" in entry for entry in s.journal))
        assert not [e for e in verify(t.service.file())[0] if e[3] == "kept"]


def nobody_takes_back_what_is_anothers():
    both = ({"keep": "retry"}, {"content": b"b\n", "key": OTHER_KEY, "name": "b.csv", "keep": "algorithm"})
    with failed(of_two(), both) as t:
        assert len(t.kept()) == 2
        for key in (ALGO_KEY, USER_KEY, Key()):
            refused(Code.PERMISSION_DENIED, "", t.forget, key)
        refused(Code.PERMISSION_DENIED, "role", t.forget, role="participant")
        refused(Code.PERMISSION_DENIED, "role", t.forget,
                metadata=t.client.role_metadata("data-provider", DATA_KEY))
        refused(Code.PERMISSION_DENIED, "", t.forget, metadata=t.forgets(DATA_KEY, method="Log"))
        refused(Code.PERMISSION_DENIED, "", t.forget, metadata=t.forgets(ALGO_KEY, named=DATA_KEY))
        refused(Code.UNAUTHENTICATED, "", t.forget, metadata=[("user-id", "data-provider")])
        used = t.forgets(OTHER_KEY)
        assert len(t.kept()) == 2 and t.forget(metadata=used) == 1 and len(t.kept()) == 1
        refused(Code.PERMISSION_DENIED, "challenge", t.forget, metadata=used)
        assert t.again(of_two()) == {"iris.csv"}


def what_is_taken_back_during_a_run_is_for_that_run_alone():
    """While it waits for others, and after a retry has laid it in its place: that run goes on, and no other."""
    with failed(of_two(), ()) as t:
        t.send(keep="retry")
        assert t.forget() == 1 and t.kept() == []
        t.send(b"b\n", OTHER_KEY, "b.csv", keep="retry")
        t.service.wait_event("Failed/Failed")
        assert t.again(of_two()) == {"b.csv"} and t.client.status().datasets[1].kept
        assert t.forget(OTHER_KEY) == 1 and t.kept() == []
        status = t.client.status().datasets[1]
        assert status.received and not status.kept, "this run has it, and no other"
        t.client.algo(MOODY, ALGO_KEY)
        t.send()
        t.service.wait_event("ConsumingResults/Ready")
        assert unzip(t.client.result(USER_KEY))["all.txt"] == b"b\n" + IRIS


def the_command_line_takes_it_back():
    with failed() as t, Folder() as folder:
        key = folder.write("private.pem", pem_key(DATA_KEY.key), 0o600)
        other = folder.write("other.pem", pem_key(OTHER_KEY.key), 0o600)

        def call(*words):
            return cli("data", *words, AGENT_GRPC_URL=f"127.0.0.1:{t.client.port}")
        for words, why in ((("--forget", "iris.csv", key), "alone"), (("--forget", "--keep", "retry", key), "--keep"),
                           (("--forget", "-d", key), "--decompress"), ((key,), "PATH of a dataset"),
                           (("--forget", "--role-signature", key), "--role-signature")):
            call(*words).refused(2, why)
        assert call("--forget", other).status == 1 and len(t.kept()) == 1
        assert call("--forget", key).ok() == "1 kept dataset is forgotten\n" and t.kept() == []
        call("--forget", key).refused(1, "keeps no dataset of yours")


def what_is_kept_is_read_again():
    with failed() as t:
        kept = os.path.join(t.agent.work_dir, t.kept()[0])
        os.chmod(kept, 0o600)
        with open(kept, "r+b") as file:
            file.write(b"x")
        assert t.again(plain()) == set() and t.kept() == []
        t.client.algo(MOODY, ALGO_KEY)
        t.send()
        t.service.wait_event("ConsumingResults/Ready")


if __name__ == "__main__":
    tap.run([a_retry_takes_no_second_upload, the_journal_tells_whose_leave_it_was,
             it_may_fail_as_often_as_it_likes, a_manifest_that_is_not_served_costs_nothing_that_is_kept, who_did_not_allow_it_sends_again,
             archives_come_back_as_they_were_laid_out, another_algorithm_by_leave_alone,
             nothing_is_kept_that_did_not_fail, a_folder_that_cannot_go_keeps_no_data,
             leave_is_words_that_are_known_and_signed,
             an_owner_takes_it_back, nobody_takes_back_what_is_anothers,
             what_is_taken_back_during_a_run_is_for_that_run_alone, the_command_line_takes_it_back,
             what_is_kept_is_read_again])
