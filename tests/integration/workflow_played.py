# SPDX-License-Identifier: Apache-2.0
"""A computation service that tests play, for workflows: honest until a test has it lie. It knows submitters' and executors'
ends by workflow_parties, and no code of the project."""
import concurrent.futures
import json
import os
import threading
import time

import grpc
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

import workflow_parties
from harness import workflows, workflows_grpc
from workflow_parties import hpke_seal, id_of, order_message, raw

EMPTY = workflows.DESCRIPTOR.services_by_name["WorkflowService"].methods_by_name[
    "RemoveExecutor"].output_type._concrete_class


class Key:
    """An X25519 pair."""

    def __init__(self):
        self.secret = X25519PrivateKey.generate()
        self.public = raw(self.secret)

    def pem(self):
        return self.secret.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                         serialization.NoEncryption())


def make_order(spec, sign, spki, keys, reply, expires_ms=None):
    """`keys`: {executortype: [public keys]}; `sign` takes bytes."""
    order = workflows.Order(spec=spec, nonce=os.urandom(32), submitter=spki, reply=reply,
                            expires_ms=expires_ms or (int(time.time()) + 3600) * 1000)
    for node in json.loads(spec):
        order.nodes.add(keys=keys[node["conditions"]["executortype"]])
    order.signature = sign(order_message(order))
    return order


def recipients(order, number):
    """Whom the output of a node is for."""
    spec = json.loads(order.spec)
    found = {key for node, keys in zip(spec, order.nodes) for key in keys.keys
             if spec[number]["nodename"] in node["conditions"]["dependencies"]}
    return sorted(found or {order.reply})


def seal_output(order, number, attempt, executor, text, workflow=None, to=None):
    """`executor`: its Key. `workflow`, `to`: others than those of the order."""
    return workflow_parties.seal_output(text, to or recipients(order, number), workflow or id_of(order), number, attempt,
                                        executor.secret)


def open_output(order, number, attempt, executor, own, sealed):
    """`executor`: a public key; `own`: a Key."""
    return workflow_parties.open_output(sealed, own.secret, id_of(order), number, attempt, executor)


# ---- a service ----

class Node:
    def __init__(self):
        self.state, self.attempt, self.executor, self.sealed, self.failure = "Waiting", 0, b"", b"", ""
        self.given = 0  # the attempt that gave the output


class PlayedService(workflows_grpc.WorkflowServiceServicer):
    """In a `with`, on a unix socket. `says`: {method: function(request, context, honest)}, in place of what it would do."""

    def __init__(self, path, lease=3):
        self.path, self.lease, self.lock, self.server = path, lease, threading.RLock(), None
        self.orders, self.nodes, self.names = {}, {}, {}  # by id
        self.executors, self.taken = {}, {}               # by number: (type, key, secret); (id, number, attempt)
        self.cancelled, self.says, self.asked = set(), {}, []

    def __enter__(self):
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(16))
        workflows_grpc.add_WorkflowServiceServicer_to_server(self, self.server)
        assert self.server.add_insecure_port("unix:" + self.path)
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop(None).wait()

    def _said(self, method, request, context, honest):
        with self.lock:
            self.asked.append((method, request))
            play = self.says.get(method)
        return play(request, context, honest) if play else honest()

    def requests(self, method):
        with self.lock:
            return [request for name, request in self.asked if name == method]

    def spec(self, name):
        return json.loads(self.orders[name].spec)

    def add(self, order):
        name = id_of(order)
        with self.lock:
            self.orders[name] = order
            self.nodes[name] = [Node() for _ in order.nodes]
            self._settle(name)
        return name

    def _settle(self, name):
        """What is ready now, what never will be."""
        spec, nodes = self.spec(name), self.nodes[name]
        by_name = {node["nodename"]: state for node, state in zip(spec, nodes)}
        for _ in spec:
            for node, own in zip(spec, nodes):
                states = [by_name[other].state for other in node["conditions"]["dependencies"]]
                if own.state == "Waiting" and all(state == "Done" for state in states):
                    own.state = "Ready"
                if own.state == "Waiting" and any(state in ("Failed", "Cancelled") for state in states):
                    own.state = "Cancelled"

    def state(self, name):
        states = {node.state for node in self.nodes[name]}
        if name in self.cancelled:
            return "Cancelled"
        if states & {"Waiting", "Ready", "Taken"}:
            return "Running"
        return "Completed" if states == {"Done"} else "Failed"

    def message(self, name):
        said = workflows.Workflow(id=name, workspace="default", state=self.state(name), submitter="user",
                                  name=self.names.get(name, ""), nodes_total=len(self.nodes[name]),
                                  order=self.orders[name])
        for number, (node, own) in enumerate(zip(self.spec(name), self.nodes[name])):
            said.nodes.add(number=number, name=node["nodename"], state=own.state, attempt=own.attempt,
                           executor=own.executor, failure=own.failure, output_bytes=len(own.sealed))
            said.nodes_done += own.state == "Done"
            if own.state == "Failed":
                said.reason = f"{node['nodename']}: {own.failure}"
        return said

    def Submit(self, request, context):
        def honest():
            name = self.add(request.order)
            self.names[name] = request.name
            return self.message(name)
        return self._said("Submit", request, context, honest)

    def Get(self, request, context):
        return self._said("Get", request, context, lambda: self.message(request.id))

    def List(self, request, context):
        return self._said("List", request, context, lambda: workflows.ListResponse(
            workflows=[self.message(name) for name in reversed(self.orders)]))

    def Cancel(self, request, context):
        def honest():
            with self.lock:
                self.cancelled.add(request.id)
                for node in self.nodes[request.id]:
                    if node.state != "Done":
                        node.state = "Cancelled"
                return self.message(request.id)
        return self._said("Cancel", request, context, honest)

    def _output(self, name, number):
        own = self.nodes[name][number]
        return workflows.Output(node=self.spec(name)[number]["nodename"], number=number, attempt=own.given,
                                executor=own.executor, sealed=own.sealed)

    def GetOutput(self, request, context):
        names = [node["nodename"] for node in self.spec(request.id)]
        return self._said("GetOutput", request, context,
                          lambda: self._output(request.id, names.index(request.node)))

    def RegisterExecutor(self, request, context):
        def honest():
            with self.lock:
                number, secret = len(self.executors) + 1, os.urandom(32)
                for old, (_, key, _) in self.executors.items():
                    lost = self.taken.pop(old, None) if key == request.key else None
                    if lost:
                        self.nodes[lost[0]][lost[1]].state = "Ready"
                self.executors[number] = (request.type, request.key, secret)
            enc, sealed = hpke_seal(request.key, secret, b"cocos-executor-v1\0", b"")
            return workflows.RegisteredExecutor(number=number, workspace="default", enc=enc, sealed=sealed)
        return self._said("RegisterExecutor", request, context, honest)

    def ListExecutors(self, request, context):
        return self._said("ListExecutors", request, context, lambda: workflows.ListExecutorsResponse(executors=[
            workflows.Executor(number=number, type=kind, key=key, user="user")
            for number, (kind, key, _) in self.executors.items()]))

    def RemoveExecutor(self, request, context):
        return self._said("RemoveExecutor", request, context,
                          lambda: self.executors.pop(request.number) and EMPTY())

    def taken_node(self, name, number):
        spec, nodes = self.spec(name), self.nodes[name]
        said = workflows.TakenNode(is_there=True, id=name, number=number, attempt=nodes[number].attempt,
                                   order=self.orders[name], lease_seconds=self.lease,
                                   seconds_left=spec[number]["maxexectime"])
        for other, node in enumerate(spec):
            if node["nodename"] in spec[number]["conditions"]["dependencies"]:
                said.inputs.add(number=other, attempt=nodes[other].given, executor=nodes[other].executor,
                                bytes=len(nodes[other].sealed))
        return said

    def _take(self, request):
        kind, key, secret = self.executors[request.executor]
        assert request.secret == secret
        with self.lock:
            if request.executor in self.taken:
                return self.taken_node(*self.taken[request.executor])
            for name, nodes in self.nodes.items():
                for number, (node, own) in enumerate(zip(self.spec(name), nodes)):
                    if own.state == "Ready" and node["conditions"]["executortype"] == kind and \
                            key in self.orders[name].nodes[number].keys:
                        own.state, own.attempt = "Taken", own.attempt + 1
                        self.taken[request.executor] = (name, number)
                        return self.taken_node(name, number)
        return None

    def TakeNode(self, request, context):
        def honest():
            until = time.monotonic() + min(request.wait_seconds, 30)
            while context.is_active():
                found = self._take(request)
                if found or time.monotonic() > until:
                    return found or workflows.TakenNode()
                time.sleep(0.02)
            return workflows.TakenNode()
        return self._said("TakeNode", request, context, honest)

    def GetNodeInput(self, request, context):
        return self._said("GetNodeInput", request, context, lambda: self._output(request.id, request.dependency))

    def _holds(self, request, context):
        own = self.nodes[request.id][request.number]
        if own.state != "Taken" or own.attempt != request.attempt:
            self.taken.pop(request.executor, None)
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "it is not this executor's any more")
        return own

    def RenewNode(self, request, context):
        def honest():
            self._holds(request, context)
            return workflows.RenewedNode(lease_seconds=self.lease, seconds_left=600)
        return self._said("RenewNode", request, context, honest)

    def FinishNode(self, request, context):
        def honest():
            with self.lock:
                own = self._holds(request, context)
                self.taken.pop(request.executor, None)
                own.executor = self.executors[request.executor][1]
                own.failure = request.failure
                if request.sealed:
                    own.state, own.sealed, own.given = "Done", request.sealed, request.attempt
                elif request.is_final or own.attempt > self.spec(request.id)[request.number]["maxretries"]:
                    own.state = "Failed"
                else:
                    own.state = "Ready"
                self._settle(request.id)
            return EMPTY()
        return self._said("FinishNode", request, context, honest)
