# SPDX-License-Identifier: Apache-2.0
"""CVMs that cocos-computations has managers make for workspaces: who may, what becomes of them, managers that refuse,
die and lie, and the service killed at any moment.

Usage: machines.py [SEED [KILLS]]    of the kill -9 test
"""
import contextlib
import json
import random
import sys
import threading
import time
import uuid

import grpc

import tap
from daemons import manager_of
from harness import PATIENCE, Computations, FakeAgent, Folder, cli, computations, until
from people import DENIED, HIDDEN, NOT_NOW, OK, Caller, user
from played_manager import PlayedManager, manager
from workspaces import create, manifest, member

SEED = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 20261122
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else 50
FULL, INVALID = grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT
LIMITS = "limit default cvms=4\nlimit lab cvms=4\n"


@contextlib.contextmanager
def service(limits=LIMITS, play=True, **settings):
    """The service with the manager `here`, which is played."""
    with Folder() as folder:
        table = folder.write("managers", f"manager here unix:{folder('m.sock')} agents=10.0.2.2:7001\n{limits}")
        played = PlayedManager(folder("m.sock"))
        with contextlib.ExitStack() as stack:
            if play:
                stack.enter_context(played)
            running = stack.enter_context(Computations(folder, MANAGERS=table, **settings))
            running.played, running.root = played, Caller(running.channel)
            yield running


def ours(running, *arguments):
    return cli(*arguments, COMPUTATIONS_GRPC_URL="unix:" + running.socket)


def made(caller, name, workspace="default", **fields):
    return caller("CreateCvm", name=name, workspace=workspace, **fields)


def shown(running, name, workspace="default"):
    return running.root("ShowMachine", name=name, workspace=workspace)


def until_state(running, name, state, workspace="default"):
    until(lambda: shown(running, name, workspace).state == state,
          f"CVM {name} in state {state}: it is {shown(running, name, workspace)}")
    return shown(running, name, workspace)


def agent(running, cvm):
    return FakeAgent(f"127.0.0.1:{running.port}", cvm)


def run(running, name, cvm):
    running.root("Run", id=name, cvm_id=cvm)


@contextlib.contextmanager
def busy(running, name="one", computation="c1"):
    """A CVM whose agent has that computation."""
    cvm = made(running.root, name).cvm_id
    with agent(running, cvm) as there:
        until_state(running, name, "Ready")
        create(running.root, computation)
        run(running, computation, cvm)
        until_state(running, name, "Busy")
        yield there, cvm


def a_cvm_is_made_used_and_removed():
    with service() as running:
        out = ours(running, "cvm", "create", "one", "--cpus", "2", "--memory", "1G", "--ttl", "90m", "--tee", "none",
                   "--image", "base").ok()
        asked = until(lambda: running.played.last, "its manager is asked")
        assert (asked.cpus, asked.memory, asked.ttl, asked.tee, asked.image) == (2, 1 << 30, "90m", "none", "base"), asked
        assert asked.agent_cvm_server_url == "10.0.2.2:7001" and asked.name.startswith("cocos-"), asked
        assert "state        Provisioning" in out and out.rstrip().endswith("export AGENT_GRPC_URL=127.0.0.1:7100"), out
        cvm = running.played.created[0][1]
        with agent(running, cvm) as there:
            until_state(running, "one", "Ready")
            create(running.root, "c1")
            run(running, "c1", cvm)
            there.manifest()
            assert until_state(running, "one", "Busy").computation_id == "c1"
            ours(running, "cvm", "remove", "one").refused(1, "holds computation 'c1'")
            out = json.loads(ours(running, "cvm", "remove", "one", "--force", "--json").ok())
            assert (out["state"], out["id"], out["agent_grpc_url"]) == ("Removed", cvm, "127.0.0.1:7100"), out
            there.ended()
        c1 = running.show("c1")
        assert (c1.state, c1.finished) == ("Failed", True) and "CVM one is gone" in c1.failure, c1
        assert not running.played.there and len(running.played.created) == 1
        rows = json.loads(ours(running, "cvm", "list", "--workspace", "default", "-o", "json").ok())
        assert [row["state"] for row in rows] == ["Removed"], rows
        ours(running, "cvm", "remove", "one").refused(1, "CVM one is gone")
        made(running.root, "one")  # its name is free
        rows = [json.loads(row) for row in running.root("Audit").rows]
        told = [(row["what"].rpartition("/")[2], row["object"], row["after"]) for row in rows if "Cvm" in row["what"]]
        assert ("CreateCvm", "cvm one", "asked of manager here for workspace default") in told, told
        assert ("RemoveCvm", "cvm one", "to be removed") in told, told


def each_role_has_cvms_made_that_may():
    """Every role in a workspace, nobody, who is suspended and who administers the service."""
    govern = {"administrator"}
    look = {"viewer", "member", "administrator"}
    with service("limit * cvms=100\n") as running:
        running.root("AddWorkspace", name="lab")
        made(running.root, "seen", "lab")
        callers = {role: member(running, "w-" + role, "lab", role) for role in look}
        callers["held"] = member(running, "held", "lab", "administrator")
        running.root("SuspendMember", workspace="lab", user="held")
        callers["nobody"] = user(running, "nobody")
        callers["less"] = member(running, "less", "lab", "administrator", actions=["view", "run"])
        for role, caller in callers.items():
            def expected(may, role=role):
                return OK if role in may else HIDDEN if role in ("held", "nobody") else DENIED
            name = "of-" + role
            assert caller.code("CreateCvm", name=name, workspace="lab") == expected(govern), role
            if role not in govern:
                made(running.root, name, "lab")
            assert caller.code("RemoveCvm", name=name, workspace="lab") == expected(govern), role
            for method, fields in (("ShowMachine", {"name": "seen"}), ("ListMachines", {})):
                assert caller.code(method, workspace="lab", **fields) == expected(look | {"less"}), (role, method)
        anna = member(running, "anna", "default", "administrator")
        for method, fields in (("CreateCvm", {"name": "x"}), ("RemoveCvm", {"name": "seen"}),
                               ("ShowMachine", {"name": "seen"}), ("ListMachines", {})):
            there, none = (anna.text(method, workspace=w, **fields) for w in ("lab", "gone"))
            assert there.replace("lab", "x") == none.replace("gone", "x"), (method, there, none)
        made(anna, "mine", "")
        assert [m.name for m in anna("ListMachines", workspace="default").machines] == ["mine"]
        assert running.root.code("RemoveWorkspace", name="lab") == NOT_NOW


def a_cvm_is_its_workspaces_alone():
    with service() as running:
        running.root("AddWorkspace", name="lab")
        head = member(running, "head", "lab", "administrator")
        anna = member(running, "anna", "default", "administrator")
        cvm = made(head, "one", "lab").cvm_id
        with agent(running, cvm):
            until_state(running, "one", "Ready", "lab")
            create(anna, "c1")
            # Neither by its id, nor because it is the only one that is free.
            there, none = (anna.text("Run", id="c1", cvm_id=name) for name in (cvm, str(uuid.uuid4())))
            assert there.replace(cvm, "x").rpartition("'")[2] == none.rpartition("'")[2] == " is not connected", there
            assert anna.code("Run", id="c1") == NOT_NOW
            create(head, "c2", "lab")
            assert head.code("Run", id="c2") == OK
            # Its name there is nobody else's.
            assert anna.code("RemoveCvm", name="one") == HIDDEN
            assert anna.code("RemoveCvm", name=cvm) == HIDDEN


def which_computation_one_holds_is_for_who_sees_that():
    with service() as running, busy(running):
        anna, bert = member(running, "anna", role="viewer"), member(running, "bert", role="administrator")
        for who, seen in ((running.root, "c1"), (bert, "c1"), (anna, "")):
            for one in (who("ShowMachine", name="one", workspace="default"), who("ListMachines", workspace="default").machines[0]):
                assert (one.state, one.computation_id) == ("Busy", seen), one
        running.root("GiveRole", computation_id="c1", role="viewer", user="anna")
        assert anna("ShowMachine", name="one", workspace="default").computation_id == "c1"


def a_workspace_has_what_it_may():
    limits = "limit default cvms=2 cpus=4 memory=4G\nlimit lab cvms=0\nlimit free cvms=1\n"
    with service(limits) as running:
        for name in ("lab", "more"):
            running.root("AddWorkspace", name=name)
        root = running.root
        for name in ("lab", "more"):
            assert root.code("CreateCvm", name="x", workspace=name) == DENIED
            assert f"limit {name} cvms=N" in root.text("CreateCvm", name="x", workspace=name)
        assert "say how much" in root.text("CreateCvm", name="x", workspace="default", memory=1 << 30)
        assert "say how much" in root.text("CreateCvm", name="x", workspace="default", cpus=1)
        made(root, "one", cpus=3, memory=1 << 30)
        assert root.code("CreateCvm", name="one", workspace="default", cpus=1, memory=1) == grpc.StatusCode.ALREADY_EXISTS
        assert "3 of 4 CPUs" in root.text("CreateCvm", name="x", workspace="default", cpus=2, memory=1)
        assert root.code("CreateCvm", name="x", workspace="default", cpus=1, memory=(3 << 30) + 1) == FULL
        made(root, "two", cpus=1, memory=3 << 30)
        assert root.code("CreateCvm", name="x", workspace="default", cpus=1, memory=1) == FULL
        root("RemoveCvm", name="two")
        made(root, "two", cpus=1, memory=3 << 30)
        # Nobody takes the name of a limit but who administers the service.
        chief = member(running, "chief", "more", "administrator")
        assert chief.code("RenameWorkspace", name="more", to="free") == DENIED
        assert root.code("RenameWorkspace", name="more", to="free") == OK
        for fields in ({"name": ""}, {"name": "a" * 64}, {"name": "A"}, {"name": "-a"}, {"name": "a b"},
                       {"cpus": 4097}, {"memory": (1 << 46) + 1}, {"ttl_ms": 87600 * 3600000 + 1},
                       {"image": "x" * 129}, {"tee": "x" * 129}):
            assert root.code("CreateCvm", **{"name": "x", "workspace": "free", **fields}) == INVALID, fields
        assert root.code("CreateCvm", name="x", workspace="free", manager="there") == HIDDEN
        assert made(root, "a" * 63, "free", cpus=4096, memory=1 << 46, ttl_ms=87600 * 3600000).cvm_id


def what_a_manager_refuses_is_said_in_one_line():
    with service() as running:
        running.played.says["CreateVm"] = lambda _, context: context.abort(
            grpc.StatusCode.INVALID_ARGUMENT, "image: there is no\n'big'\x1b[1m")
        refused = ours(running, "cvm", "create", "one", "--image", "big")
        refused.refused(1, "manager here refuses it: image: there is no")
        assert len([line for line in refused.err.splitlines() if "refuses" in line]) == 1, refused.err
        assert "\x1b" not in refused.err
        gone = shown(running, "one")
        assert gone.state == "Removed" and "refuses it" in gone.reason, gone
        # Whatever is wrong with it, or with what it knows of this service, is no fault of who asks.
        for name, code in (("a", "INTERNAL"), ("b", "UNKNOWN"), ("c", "UNAUTHENTICATED"), ("d", "PERMISSION_DENIED")):
            running.played.says["CreateVm"] = lambda _, context, code=code: context.abort(grpc.StatusCode[code], "so it is")
            assert running.root.code("CreateCvm", name=name, workspace="default") == grpc.StatusCode.UNAVAILABLE, code
            assert "manager here refuses it: so it is" in shown(running, name).reason, name
        # One that refuses, and has made it all the same, is not believed.
        running.played.says.clear()

        def lie(request, context):
            running.played.there[request.name] = manager.Vm(id=str(uuid.uuid4()), name=request.name, state="running",
                                                            forwarded_port=7100)
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "full")
        running.played.says["CreateVm"] = lie
        assert made(running.root, "two").cvm_id
        running.root("RemoveCvm", name="two")
        assert not running.played.there


def a_real_manager_refuses():
    """cocos-manager, on a libvirt that launches nothing."""
    with Folder() as folder, manager_of(folder) as m:
        table = folder.write("managers", f"manager here unix:{folder('run/manager.sock')} agents=10.0.2.2:7001\n{LIMITS}")
        with Computations(folder, MANAGERS=table, STATE_DIR=folder("service")) as running:
            ours(running, "cvm", "create", "one").refused(1, "manager here refuses it: libvirt: forward a port")
            ours(running, "cvm", "create", "two", "--cpus", "9").refused(1, "manager here refuses it", "MANAGER_MAX_CPUS")
            rows = json.loads(ours(running, "cvm", "list", "--workspace", "default", "-o", "json").ok())
            assert [row["state"] for row in rows] == ["Removed", "Removed"], rows
            until(lambda: not m.stub.ListVms(manager.ListVmsReq(), timeout=PATIENCE).vms, "none left")
            # What it does not know it can't lose: nor is it asked twice.
            ours(running, "cvm", "remove", "one").refused(1, "CVM one is gone")


def one_that_ends_is_lost_with_its_computation():
    for why, words, state in (("ended", "ended by itself", "Lost"), ("removed", "somebody removed it", "Lost"),
                              ("expired", "its time was up", "Removed"), ("nonsense", "does not say why", "Lost")):
        with service() as running, busy(running) as (there, cvm):
            follow = running.admin.Logs(computations.LogsRequest(id="c1", follow=True), timeout=PATIENCE)
            running.played.end(running.played.created[0][0], why)
            gone = until_state(running, "one", state)
            assert words in gone.reason, gone
            c1 = running.show("c1")
            assert c1.state == "Failed" and words in c1.failure, c1
            assert not running.root("ShowCvm", id=cvm).computation_id
            list(follow)  # who follows it is told of its end
            there.ended()
            # It can be run again, elsewhere.
            with agent(running, "spare"):
                until(lambda: running.root.code("Run", id="c1", cvm_id="spare", again=True) == OK, "run again")
    with service() as running:
        made(running.root, "one")
        running.played.there.clear()  # it has forgotten everything
        assert "knows nothing of it" in until_state(running, "one", "Lost").reason
    # Whose agent is connected is there, whatever its manager has forgotten.
    with service() as running, busy(running) as (there, _):
        forgotten = dict(running.played.there)
        running.played.there.clear()
        until(lambda: "its agent is connected" in shown(running, "one").reason, "what keeps it")
        assert shown(running, "one").state == "Busy" and running.show("c1").state != "Failed"
        running.played.there.update(forgotten)
        until(lambda: not shown(running, "one").reason, "it is known again")


def what_its_manager_has_forgotten_is_not_taken_for_gone():
    with service() as running:
        cvm = made(running.root, "one").cvm_id
        # Whose agent is connected is there, whoever says what.
        with agent(running, cvm):
            until_state(running, "one", "Ready")
            running.played.there.clear()
            assert running.root("RemoveCvm", name="one", force=True).leaving
            until(lambda: "its agent is connected" in shown(running, "one").reason, "what keeps it")
        # Then nobody knows: it stays, and counts, until somebody who has looked says so.
        until(lambda: "nobody knows whether it is gone" in shown(running, "one").reason, "what keeps it")
        out = running.root("RemoveCvm", name="one")
        assert out.leaving and "remove it once more with force" in out.reason, out
        ours(running, "cvm", "create", "one").refused(1, "has a CVM one")
        ours(running, "cvm", "remove", "one", "--force").ok()
        assert shown(running, "one").state == "Removed"
    # An answer that was lost costs nobody a look: its manager remembers that it is gone.
    with service() as running:
        made(running.root, "one")
        name, _ = running.played.created[0]

        def lost(_, context):
            running.played.says.clear()
            running.played.end(name, "removed")
            context.abort(grpc.StatusCode.UNAVAILABLE, "gone away")

        running.played.says["RemoveVm"] = lost
        assert running.root("RemoveCvm", name="one").leaving
        until_state(running, "one", "Removed")


def who_forces_while_its_manager_is_away_has_given_up_nothing():
    with service(play=False) as running:
        made(running.root, "one")
        with running.played:
            until(lambda: shown(running, "one").cvm_id, "it is made")
        for _ in range(2):
            out = running.root("RemoveCvm", name="one", force=True)
            assert out.leaving and out.reason.startswith("manager here: "), out
        with PlayedManager(running.played.path):  # without its records
            until(lambda: "nobody knows whether it is gone" in shown(running, "one").reason, "what keeps it")
            assert running.root("RemoveCvm", name="one", force=True).state == "Removed"


def a_manager_that_is_away_is_asked_again():
    with service(play=False) as running:
        out = made(running.root, "one")
        assert (out.state, out.cvm_id) == ("Provisioning", "") and out.reason.startswith("manager here: "), out
        with running.played:
            until(lambda: shown(running, "one").cvm_id, "it is made")
            assert not shown(running, "one").reason
        out = running.root("RemoveCvm", name="one")
        assert out.leaving and out.state == "Provisioning" and out.reason.startswith("manager here: "), out
        with PlayedManager(running.played.path) as again:
            again.there.update(running.played.there)
            until_state(running, "one", "Removed")
            assert not again.there and not again.created


def a_manager_that_lies_is_not_believed():
    """What it says of a CVM that can't be: the CVM comes no further, nothing else is touched, and the service lives."""
    with service() as running, busy(running, "other") as (_, victim):
        with agent(running, "operators"):
            until(lambda: any(c.id == "operators" for c in running.root("ListCvms").cvms), "the operator's CVM")
            free = str(uuid.uuid4())
            said = {
                "another's": lambda r, c: manager.CreateRes(cvm_id=victim, forwarded_port="7100"),
                "no UUID": lambda r, c: manager.CreateRes(cvm_id="operators", forwarded_port="7100"),
                "huge id": lambda r, c: manager.CreateRes(cvm_id="a" * 60000, forwarded_port="7100"),
                "endless": lambda r, c: manager.CreateRes(cvm_id="a" * (1 << 20), forwarded_port="7100"),
                "no id": lambda r, c: manager.CreateRes(forwarded_port="7100"),
                "a path": lambda r, c: manager.CreateRes(cvm_id="../../../../../../../../../../../../", forwarded_port="1"),
                "no port": lambda r, c: manager.CreateRes(cvm_id=free, forwarded_port="0"),
                "a shell": lambda r, c: manager.CreateRes(cvm_id=free, forwarded_port="7100;id"),
                "a shell's host": lambda r, c: manager.CreateRes(cvm_id=free, forwarded_port="1", host_address="$(id)"),
                "a long host": lambda r, c: manager.CreateRes(cvm_id=free, forwarded_port="1", host_address="a" * 9999),
            }
            seen = {
                "another": lambda r, c: manager.Vm(id=victim, name="other", state="running", forwarded_port=1),
                "another's id": lambda r, c: manager.Vm(id=victim, name=r.id, state="running", forwarded_port=1),
                "no state": lambda r, c: manager.Vm(id=free, name=r.id, state="on fire", forwarded_port=1),
                "no port": lambda r, c: manager.Vm(id=free, name=r.id, state="running", forwarded_port=65536),
                "endless": lambda r, c: manager.Vm(id=free, name="a" * (1 << 20), state="running"),
            }
            for what, play in said.items():
                running.played.says = {"CreateVm": play, "GetVm": lambda r, c: manager.Vm(name="?")}
                out = made(running.root, "one")
                assert out.state == "Provisioning" and not out.cvm_id and out.reason, (what, out)
                assert len(out.reason) <= 400, what
                running.played.says = {}
                running.root("RemoveCvm", name="one")
                until_state(running, "one", "Removed")
            for what, play in seen.items():
                running.played.says = {"CreateVm": lambda r, c: c.abort(grpc.StatusCode.UNAVAILABLE, "x"), "GetVm": play}
                made(running.root, "one")
                asked = len(running.played.asked)
                until(lambda asked=asked: running.played.asked[asked:].count("GetVm") >= 2, what)
                out = shown(running, "one")
                assert out.state == "Provisioning" and not out.cvm_id and out.reason, (what, out)
                running.played.says = {}
                running.root("RemoveCvm", name="one")
                until_state(running, "one", "Removed")
            assert running.show("c1").state != "Failed" and shown(running, "other").state == "Busy"


def a_manager_that_never_answers_holds_nobody_up():
    ended = threading.Event()
    with service() as running:
        running.played.says["CreateVm"] = lambda r, c: ended.wait(PATIENCE) and None
        root = running.root
        try:
            waits = running.admin.CreateCvm.future(computations.CreateCvmRequest(name="one", workspace="default"),
                                                   timeout=PATIENCE)
            until(lambda: "CreateVm" in running.played.asked, "it is asked")
            assert shown(running, "one").state == "Provisioning"
            assert root.code("CreateCvm", name="one", workspace="default") == grpc.StatusCode.ALREADY_EXISTS
            removes = running.admin.RemoveCvm.future(computations.RemoveCvmRequest(name="one", workspace="default"),
                                                     timeout=PATIENCE)
            until(lambda: shown(running, "one").leaving, "it is to be removed")
        finally:
            ended.set()
        assert removes.result().state == "Removed"
        waits.result()  # told as well
        assert not running.played.there


def the_service_stops_at_once_while_a_manager_is_silent():
    ended = threading.Event()
    with service() as running:
        running.played.says["CreateVm"] = lambda r, c: ended.wait(PATIENCE) and None
        try:
            waits = running.admin.CreateCvm.future(computations.CreateCvmRequest(name="one", workspace="default"),
                                                   timeout=PATIENCE)
            until(lambda: "CreateVm" in running.played.asked, "it is asked")
            assert running.process.stop() == 0, running.process.text()
            assert waits.code() == grpc.StatusCode.UNAVAILABLE, waits.code()
        finally:
            ended.set()
        running.played.says.clear()
        running.start()
        running.root = Caller(running.channel)
        until(lambda: shown(running, "one").cvm_id, "it is made after all")
        assert list(running.played.there) == [running.played.there[n].name for n in running.played.there]
        assert len(running.played.there) == 1


class Crowd:
    """Somebody who creates and removes CVMs, as long as the service is there; what was acknowledged is kept."""

    def __init__(self, running, name):
        self.running, self.name = running, name
        self.wanted = None  # None: not there; True: acknowledged; "?": nobody knows
        self.number = 0

    def step(self, dice):
        try:
            if self.wanted is None:
                self.number += 1
                self.wanted = "?"
                made(self.running.root, f"{self.name}-{self.number}")
                self.wanted = True
            elif dice.random() < 0.7:
                self.wanted = "?"
                self.running.root("RemoveCvm", name=f"{self.name}-{self.number}")
                self.wanted = None
        except grpc.RpcError as error:
            return error.code()
        return OK


def killed_at_any_moment_nothing_is_double_or_lost():
    dice = random.Random(SEED)
    print(f"# seed {SEED}, {KILLS} kills")
    with service("limit * cvms=100\n") as running:
        running.played.pause = lambda: time.sleep(0.005)
        crowd = [Crowd(running, f"m{n}") for n in range(3)]
        for _ in range(KILLS):
            stop = threading.Event()
            left = [random.Random(dice.random()) for _ in crowd]

            def work(one, own, stop=stop):
                while not stop.is_set() and one.step(own) == OK:
                    pass
            threads = [threading.Thread(target=work, args=pair) for pair in zip(crowd, left)]
            for thread in threads:
                thread.start()
            asked = len(running.played.asked) + dice.randrange(6)
            until(lambda asked=asked: len(running.played.asked) >= asked, "calls")
            time.sleep(dice.random() * 0.01)  # where in a call is luck; that it is somewhere is enough
            running.process.kill()
            stop.set()
            for thread in threads:
                thread.join()
            running.channel.close()
            running.start()
            running.root = Caller(running.channel)
            settle(running, crowd)
        print(f"# {len(running.played.created)} machines were made")


def settle(running, crowd):
    """Everything has come to an end: what is there is what the service knows, each once."""
    def rows():
        pages = [running.root("ListMachines", workspace="default")]
        while pages[-1].next:
            pages.append(running.root("ListMachines", workspace="default", after=pages[-1].next))
        return {m.name: m for page in pages for m in page.machines if not m.HasField("ended")}

    def still():
        return all(m.cvm_id and not m.leaving for m in rows().values()) and \
            all(vm.state == "running" for vm in running.played.there.values())
    until(still, "all is still")
    # A machine for each row and a row for each machine.
    try:
        until(lambda: sorted(m.cvm_id for m in rows().values()) ==
              sorted(vm.id for vm in running.played.there.values()), "the same on both sides")
    except AssertionError as error:
        raise AssertionError(f"{rows()}\n{running.played.there}") from error
    known = rows()
    for one in crowd:
        name = f"{one.name}-{one.number}"
        if one.wanted != "?":
            assert (name in known) == bool(one.wanted), (name, one.wanted, sorted(known))
        one.wanted = True if name in known else None
    mine = {f"{one.name}-{one.number}" for one in crowd}
    assert set(known) <= mine, (sorted(known), mine)


if __name__ == "__main__":
    tap.run([
        a_cvm_is_made_used_and_removed,
        each_role_has_cvms_made_that_may,
        a_cvm_is_its_workspaces_alone,
        which_computation_one_holds_is_for_who_sees_that,
        a_workspace_has_what_it_may,
        what_a_manager_refuses_is_said_in_one_line,
        a_real_manager_refuses,
        one_that_ends_is_lost_with_its_computation,
        what_its_manager_has_forgotten_is_not_taken_for_gone,
        who_forces_while_its_manager_is_away_has_given_up_nothing,
        a_manager_that_is_away_is_asked_again,
        a_manager_that_lies_is_not_believed,
        a_manager_that_never_answers_holds_nobody_up,
        the_service_stops_at_once_while_a_manager_is_silent,
        killed_at_any_moment_nothing_is_double_or_lost,
    ])
