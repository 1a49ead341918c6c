# SPDX-License-Identifier: Apache-2.0
"""Computations one after the other in one agent: what each algorithm came to, and that the next one runs."""
import collections
import contextlib

import agent_job
import grpc
from agent_peer import Client, cvms_pb2, free_port

# `state` is "refused" where the algorithm was when it came. `failure` is "" after a good end; `results` are the files of results.zip; `lines` what it printed.
End = collections.namedtuple("End", "state failure results lines")
MARK = "algorithm: "
READY, FAILED, COMPLETE = "ConsumingResults/Ready", "Failed/Failed", "Complete/Completed"


class Runs:
    """`port` is the agent's inside, `outside` where it is reached."""

    def __init__(self, service, port, outside=None):
        self.service, self.port, self.outside = service, port, outside or port
        self.count = 0

    def _count(self, event):
        return self.service.events().count(event)

    def _said(self):
        return [log.message[len(MARK):] for log in self.service.of("agent_log")
                if log.message.startswith(MARK)]

    def __call__(self, algo, kind="bin", args=(), data=(), requirements=b""):
        """`data`: (name, content) of each dataset."""
        sets = [agent_job.dataset(content, agent_job.DATA_KEY, name) for name, content in data]
        m = agent_job.manifest(self.port, algo=algo, datasets=sets)
        m.algorithm.algo_type = kind
        m.algorithm.algo_args.extend(args)
        before = len(self._said())
        self.service.send(runReq=m)
        answer = self.service.answer_to_run(self.count)
        assert answer.error == "", answer.error
        client = Client(self.outside)
        try:
            end = self._run(client, algo, kind, args, data, requirements)
        finally:
            client.close()
            self.service.send(stopComputation=cvms_pb2.StopComputation(computation_id=m.id))
            self.count += 1
        self.service.wait(lambda s: len(s.of("stop_computation_res")) >= self.count)
        return end._replace(lines=self._said()[before:])

    def _run(self, client, algo, kind, args, data, requirements):
        ready, failed, complete = self._count(READY), self._count(FAILED), self._count(COMPLETE)
        more = [("algo_type", kind)] + [("algo_args", arg) for arg in args]
        try:
            client.algo(algo, agent_job.ALGO_KEY, requirements=requirements, more=more)
        except grpc.RpcError as refusal:
            return End("refused", refusal.details(), {}, [])
        for name, content in data:
            client.data(content, agent_job.DATA_KEY, name)
        self.service.wait(lambda s: self._count(READY) > ready or self._count(FAILED) > failed)
        status = client.status()
        results = {}
        if self._count(READY) > ready:
            results = agent_job.unzip(client.result(agent_job.USER_KEY))
            # The agent may know later than the consumer: a stop before would be its end.
            self.service.wait(lambda s: self._count(COMPLETE) > complete)
        return End(status.state, status.failure, results, [])


@contextlib.contextmanager
def runs(**agent):
    with agent_job.running(**agent) as (service, process):
        yield Runs(service, free_port())
        assert process.process.poll() is None, process.output()
