# SPDX-License-Identifier: Apache-2.0
"""A manager that tests play, on a unix socket: it keeps CVMs by name as cocos-manager does, without machines, and says
what a test has it say."""
import collections
import concurrent.futures
import threading
import time
import uuid

import grpc

from harness import PROTOCOL

manager, manager_grpc = PROTOCOL["manager"]
EMPTY = manager.DESCRIPTOR.services_by_name["ManagerService"].methods_by_name["RemoveVm"].output_type._concrete_class


def now_ms():
    return time.time_ns() // 1000000


class PlayedConsole:
    """What a machine has said, in pieces, and whether it is over; `taken`: how many pieces went out to each reader."""

    def __init__(self):
        self.pieces, self.is_over, self.changed, self.taken = [], False, threading.Condition(), []

    def say(self, *pieces):
        with self.changed:
            self.pieces += pieces
            self.changed.notify_all()

    def over(self):
        with self.changed:
            self.is_over = True
            self.changed.notify_all()

    def told(self, request, context):
        reader, at = len(self.taken), 0
        self.taken.append(0)
        if request.lines:
            said = b"".join(self.pieces).splitlines(keepends=True)
            at = len(self.pieces)
            if said:
                yield manager.ConsolePart(data=b"".join(said[-request.lines:]))
        while context.is_active():
            with self.changed:
                if at == len(self.pieces):
                    if self.is_over or not request.follow:
                        return
                    self.changed.wait(0.2)
                    continue
                piece = self.pieces[at]
            at += 1
            yield manager.ConsolePart(data=piece)
            self.taken[reader] = at


class PlayedManager(manager_grpc.ManagerServiceServicer):
    """In a `with`. `created`: every machine that ever ran, [(name, id)]; `there`: {name: Vm} of those that do."""

    def __init__(self, path):
        self.path, self.lock, self.server = path, threading.Lock(), None
        self.created, self.there, self.gone, self.asked = [], {}, {}, []
        self.last = None  # that it was asked to make
        self.consoles = collections.defaultdict(PlayedConsole)  # by id
        self.policy = b"{}"  # of each CVM
        self.says = {}  # method: function(request, context), instead of what it would do; None from it: as ever
        self.pause = lambda: None  # while one is made

    def __enter__(self):
        # One thread for each call of the service at a time, and some that never answer.
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(32))
        manager_grpc.add_ManagerServiceServicer_to_server(self, self.server)
        assert self.server.add_insecure_port("unix:" + self.path)
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop(None).wait()

    def _said(self, method, request, context):
        with self.lock:
            self.asked.append(method)
        play = self.says.get(method)
        return play(request, context) if play else None

    def end(self, name, why, state="exited"):
        """The machine ends."""
        with self.lock:
            vm = self.there.pop(name)
            vm.state, vm.exit_reason, vm.exited_ms = state, why, now_ms()
            self.gone[name] = vm
            return vm

    def CreateVm(self, request, context):
        said = self._said("CreateVm", request, context)
        if said is not None:
            return said
        with self.lock:
            if request.name in self.there:
                context.abort(grpc.StatusCode.ALREADY_EXISTS, f"name: a CVM is called {request.name}")
            vm = manager.Vm(id=str(uuid.uuid4()), name=request.name, state="creating", cpus=request.cpus,
                            memory=request.memory, tee=request.tee, image=request.image, forwarded_port=7100,
                            created_ms=now_ms())
            self.there[request.name] = vm
            self.last = request
        self.pause()
        with self.lock:
            if request.name not in self.there:
                context.abort(grpc.StatusCode.ABORTED, "the CVM ended as soon as it had begun")
            if context.is_active():
                vm.state = "running"
                self.created.append((vm.name, vm.id))
            else:  # nobody knows its id
                del self.there[vm.name]
                vm.state, vm.exit_reason = "exited", "abandoned"
                self.gone[vm.name] = vm
        return manager.CreateRes(cvm_id=vm.id, forwarded_port="7100")

    def find(self, key):
        for kept in (self.there, self.gone):
            for vm in kept.values():
                if key in (vm.name, vm.id):
                    return vm
        return None

    def GetVm(self, request, context):
        said = self._said("GetVm", request, context)
        if said is not None:
            return said
        with self.lock:
            vm = self.find(request.id)
            if vm:
                return vm
        return context.abort(grpc.StatusCode.NOT_FOUND, f"no CVM '{request.id}'")

    def AttestationPolicy(self, request, context):
        said = self._said("AttestationPolicy", request, context)
        if said is not None:
            return said
        with self.lock:
            vm = self.find(request.id)
        if not vm or vm.name in self.gone:
            context.abort(grpc.StatusCode.NOT_FOUND, f"no CVM '{request.id}'")
        return manager.AttestationPolicyRes(id=vm.id, info=self.policy)

    def ListHosts(self, request, context):
        said = self._said("ListHosts", request, context)
        return said if said is not None else context.abort(grpc.StatusCode.PERMISSION_DENIED, "this is for operators")

    def Console(self, request, context):
        said = self._said("Console", request, context)
        if said is not None:
            yield from said
            return
        with self.lock:
            vm = self.find(request.id)
        if not vm or vm.name in self.gone:
            context.abort(grpc.StatusCode.NOT_FOUND, f"no CVM '{request.id}'")
        yield from self.consoles[vm.id].told(request, context)

    def RemoveVm(self, request, context):
        said = self._said("RemoveVm", request, context)
        if said is not None:
            return said
        with self.lock:
            vm = next((v for v in self.there.values() if v.id == request.cvm_id), None)
        if not vm:
            context.abort(grpc.StatusCode.NOT_FOUND, f"no CVM '{request.cvm_id}'")
        self.pause()
        with self.lock:
            found = self.there.pop(vm.name, None)
            if found:
                found.state, found.exit_reason, found.exited_ms = "exited", "removed", now_ms()
                self.gone[vm.name] = found
        return EMPTY()
