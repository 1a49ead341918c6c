# SPDX-License-Identifier: Apache-2.0
"""CVMs that are being made, and whose agents are here before their managers have said which these are: whose they are
meanwhile, and what becomes of them when the manager says so, never does, or the service was killed in between."""
import contextlib
import sqlite3
import threading
import uuid

import grpc

import tap
from cli_waiting import Running
from harness import PATIENCE, cli, computations, until
from machines import agent, made, manager, service, shown, until_state
from people import NOT_NOW, OK, Caller, user
from played_manager import now_ms
from workspaces import create, member

MINUTE = 60 * 1000
AWAY = grpc.StatusCode.UNAVAILABLE
DOUBT = "connected while one is being made whose manager has not said its id yet: try again in a moment"


@contextlib.contextmanager
def world(**settings):
    """A service with two workspaces: of head, who has CVMs made, and of anna."""
    with service(**settings) as running:
        running.root("AddWorkspace", name="lab")
        running.head = member(running, "head", "lab", "administrator")
        running.anna = member(running, "anna", "default", "administrator")
        running.tokens = {name: getattr(running, name).metadata[0][1].partition(" ")[2] for name in ("head", "anna")}
        yield running


class Making:
    """A CVM that somebody asks for, whose manager answers when it is let go. In a `with`."""

    def __init__(self, running, caller, method="CreateCvm", **fields):
        self.running, self.let_go, self.answer = running, threading.Event(), None
        self.ask = lambda: caller(method, **fields)
        self.thread = threading.Thread(target=self._go, daemon=True)

    def _go(self):
        try:
            self.answer = self.ask()
        except grpc.RpcError as error:
            self.answer = error

    def __enter__(self):
        known = [vm.id for vm in self.running.played.there.values()]
        self.running.played.pause = lambda: self.let_go.wait(PATIENCE)
        self.thread.start()
        self.id = until(lambda: next((vm.id for vm in list(self.running.played.there.values()) if vm.id not in known), ""),
                        "it is being made")
        return self

    def done(self):
        """Its manager answers; what the caller was told."""
        self.let_go.set()
        self.thread.join(PATIENCE)
        return self.answer

    def __exit__(self, *_):
        self.done()
        self.running.played.pause = lambda: None


@contextlib.contextmanager
def here(running, cvm):
    """Its agent, which the service knows, has heard that it is free, and tells from what comes later."""
    with agent(running, cvm) as there:
        known = until(lambda: next((c for c in running.root("ListCvms").cvms if c.id == cvm and c.connected and c.agent_state), None),
                      f"CVM {cvm}")
        until(lambda: now_ms() > known.first_seen.ToMilliseconds(), "the next millisecond")
        yield there


def refused(caller, name, cvm):
    """By its id, and as the only one that is free."""
    for fields in ({"cvm_id": cvm}, {}):
        assert caller.code("Run", id=name, **fields) == AWAY, fields
        text = caller.text("Run", id=name, **fields)
        assert text.endswith(DOUBT) and "\n" not in text and "lab" not in text, text


def one_that_is_being_made_is_nobody_elses():
    with world() as running:
        bert = user(running, "bert")
        create(running.anna, "a1")
        create(bert, "b1")
        with Making(running, running.head, name="one", workspace="lab") as one, here(running, one.id) as there:
            refused(running.anna, "a1", one.id)
            refused(bert, "b1", one.id)
            answer = one.done()
            assert (answer.cvm_id, answer.computation_id) == (one.id, ""), answer
            until_state(running, "one", "Ready", "lab")
            # From now on it is not there for them.
            assert running.anna.text("Run", id="a1", cvm_id=one.id).endswith("is not connected")
            assert running.anna.code("Run", id="a1") == bert.code("Run", id="b1") == NOT_NOW
            create(running.head, "h1", "lab")
            assert running.head("Run", id="h1").cvm_id == one.id
            assert there.manifest().id == "h1"


def who_could_use_it_anyway_does_not_wait():
    """Its own workspace, and what it runs there is there when the manager answers; and other CVMs than that one."""
    with world() as running:
        for caller, name, workspace in ((running.anna, "a1", "default"), (running.anna, "a2", "default"),
                                        (running.head, "h1", "lab")):
            create(caller, name, workspace)
        by_hand = str(uuid.uuid4())
        with here(running, by_hand), here(running, "spare"), \
                Making(running, running.head, name="one", workspace="lab") as one, here(running, one.id) as there:
            # Of three that are free, two: that were there before, or that no manager calls so.
            assert "2 CVMs are connected and free" in running.anna.text("Run", id="a1")
            assert running.anna.code("Run", id="a1", cvm_id=by_hand) == OK
            assert running.anna("Run", id="a2").cvm_id == "spare"
            assert running.head("Run", id="h1").cvm_id == one.id
            assert there.manifest().id == "h1"
            assert (one.done().state, one.answer.computation_id) == ("Busy", "h1"), one.answer
            assert "holds computation 'h1'" in running.head.text("RemoveCvm", name="one", workspace="lab")


def while_several_are_made_each_has_to_be_his():
    with world() as running:
        for caller, name, workspace in ((running.anna, "a1", "default"), (running.head, "h1", "lab")):
            create(caller, name, workspace)
        with Making(running, running.head, name="one", workspace="lab") as one, here(running, one.id), \
                Making(running, running.anna, name="two", workspace="default") as two:
            refused(running.anna, "a1", one.id)
            # An agent that came before the second one was asked for can't be that one.
            assert running.head.code("Run", id="h1", cvm_id=one.id) == OK
            with here(running, two.id):
                refused(running.anna, "a1", two.id)
                create(running.head, "h2", "lab")
                refused(running.head, "h2", two.id)
                one.done()
                two.done()
                until_state(running, "two", "Ready")
                assert running.anna("Run", id="a1").cvm_id == two.id


def one_for_a_run_is_that_runs():
    with world() as running:
        create(running.head, "h1", "lab")
        create(running.head, "h2", "lab")
        with Making(running, running.head, "Run", id="h1", new_cvm=True) as one, here(running, one.id) as there:
            refused(running.head, "h2", one.id)
            one.done()
            assert there.manifest().id == "h1"
            assert running.head.text("Run", id="h2", cvm_id=one.id).endswith("is not connected")


def a_retry_waits_as_well():
    """It goes where it ended, unless another one is named: one that is being made is none of these."""
    with world() as running, here(running, "spare") as spare:
        create(running.anna, "a1")
        running.anna("Run", id="a1")
        spare.manifest()
        spare.event("a1", "Failed", "Failed", b'{"error": "by itself"}')
        running.until_state("a1", "Failed")
        running.anna("Stop", id="a1")
        spare.next("stopComputation")
        spare.say(stop_computation_res={"computation_id": "a1"})
        until(lambda: not running.root("ShowCvm", id="spare").computation_id, "it is free")
        with Making(running, running.head, name="one", workspace="lab") as one, here(running, one.id):
            text = running.anna.text("Run", id="a1", again=True, cvm_id=one.id)
            assert text.endswith(DOUBT), text
            assert running.anna("Show", id="a1").state == "Failed"
            assert running.anna("Run", id="a1", again=True).cvm_id == "spare"


def one_that_is_to_be_removed_meanwhile_is_nobody_elses():
    with world() as running:
        create(running.anna, "a1")
        with Making(running, running.head, name="one", workspace="lab") as one, here(running, one.id):
            removes = running.admin.RemoveCvm.future(computations.RemoveCvmRequest(name="one", workspace="lab"),
                                                     timeout=PATIENCE)
            until(lambda: shown(running, "one", "lab").leaving, "it is to be removed")
            refused(running.anna, "a1", one.id)
            one.done()
            assert removes.result().state == "Removed"
            assert not running.played.there
            assert running.anna.code("Run", id="a1", cvm_id=one.id) == AWAY


def what_its_manager_can_not_mean_leaves_it_in_doubt():
    """The manager has answered, and it could not be written down."""
    with world() as running:
        create(running.anna, "a1")
        known = made(running.head, "known", "lab").cvm_id
        running.played.says = {"CreateVm": lambda r, c: manager.CreateRes(cvm_id=known, forwarded_port="7100"),
                               "GetVm": lambda r, c: manager.Vm(id=known, name=r.id, state="running", forwarded_port=7100)}
        assert "which is another one" in made(running.head, "one", "lab").reason
        cvm = str(uuid.uuid4())
        with here(running, cvm):
            refused(running.anna, "a1", cvm)


def restarted(running, *changes):
    """Killed, and started again; meanwhile its database has changed."""
    running.process.kill()
    running.channel.close()
    with contextlib.closing(sqlite3.connect(running.folder("state/computations.db"))) as database, database:
        for change in changes:
            database.execute(change)
    running.start()
    running.root = Caller(running.channel)
    for name in ("head", "anna"):
        setattr(running, name, Caller(running.channel, running.tokens[name]))


def later(running, ms):
    """So many ms pass while the service is away."""
    restarted(running, f"UPDATE cvms SET first_seen = first_seen - {ms}", f"UPDATE machines SET created = created - {ms}")


@contextlib.contextmanager
def silent(running):
    """The lab's CVM is being made, and its manager only ever says that it makes it."""
    vm = manager.Vm(id=str(uuid.uuid4()), state="creating", forwarded_port=7100, created_ms=now_ms())

    def creates(request, context):
        vm.name = request.name
        running.played.there[vm.name] = vm
        context.abort(AWAY, "gone away")

    running.played.says["CreateVm"] = creates
    made(running.head, "one", "lab")
    until(lambda: "is making it" in shown(running, "one", "lab").reason, "what its manager says")
    yield vm.id, lambda: setattr(vm, "state", "running")


def a_service_that_was_killed_knows_it_still():
    with world() as running, silent(running) as (cvm, answers):
        create(running.anna, "a1")
        with here(running, cvm):
            refused(running.anna, "a1", cvm)
            restarted(running)
        with here(running, cvm):
            refused(running.anna, "a1", cvm)
            answers()
            until_state(running, "one", "Ready", "lab")
            assert running.anna.text("Run", id="a1", cvm_id=cvm).endswith("is not connected")
            create(running.head, "h1", "lab")
            assert running.head("Run", id="h1").cvm_id == cvm


def who_waits_for_a_cvm_waits_until_it_is_known_whose_it_is():
    with world() as running:
        create(running.root, "c1")
        with Making(running, running.anna, "CreateCvm", name="one", workspace="default") as one, \
                Making(running, running.head, "CreateCvm", name="two", workspace="lab") as two, here(running, one.id):
            run = Running(running.folder, "computation", "run", "c1", "--wait", COMPUTATIONS_GRPC_URL="unix:" + running.socket)
            run.says("each CVM that is free connected while one is being made")
            one.done()
            out, address = run.ok(), running.anna("ShowMachine", name="one", workspace="default").address
            assert one.id in out and address and out.endswith(f"\nexport AGENT_GRPC_URL={address}\n"), out
            two.done()
        # Of one that the service did not have made it knows no address, and tells none.
        where = {"COMPUTATIONS_GRPC_URL": "unix:" + running.socket, "XDG_CONFIG_HOME": running.folder("config")}
        with here(running, "stranger"):
            create(running.root, "c2")
            run = cli("computation", "run", "c2", "--cvm", "stranger", "--save-profile", "p", **where).refused(
                1, "--save-profile: the service did not have CVM 'stranger' made", "all the same")
            assert "CVM          stranger" in run.out and "export" not in run.out, run.out


def given_by_who_administers_it_is_claimed_when_that_is_over():
    """He may, as he knows which ones he has started; what runs there goes on, and its name is told to nobody."""
    with world() as running, silent(running) as (cvm, answers):
        create(running.anna, "annas")
        with here(running, cvm) as there:
            assert running.root.text("Run", id="annas").endswith(DOUBT)
            running.root("Run", id="annas", cvm_id=cvm)
            assert there.manifest().id == "annas"
            there.say(run_res={"computation_id": "annas"})
            answers()
            one = until(lambda: next((m for m in [running.head("ShowMachine", name="one", workspace="lab")]
                                      if "given another computation" in m.reason), None), "why it is not believed")
            assert (one.state, one.cvm_id, one.computation_id) == ("Provisioning", "", ""), one
            assert "annas" not in one.reason, one
            assert running.show("annas").state != "Failed", running.show("annas")
            out = running.head("RemoveCvm", name="one", workspace="lab", force=True)
            assert out.leaving and "annas" not in str(out), out
            assert running.show("annas").state != "Failed", running.show("annas")
            running.anna("Stop", id="annas")
            assert there.next("stopComputation").computation_id == "annas"
            there.say(stop_computation_res={"computation_id": "annas"})
            until_state(running, "one", "Removed", "lab")


def a_manager_that_never_answers_keeps_nobody_for_ever():
    with world() as running, silent(running) as (cvm, answers):
        create(running.anna, "a1")
        with here(running, cvm):
            later(running, 15 * MINUTE)
        with here(running, cvm):
            refused(running.anna, "a1", cvm)
            later(running, 15 * MINUTE)
        with here(running, cvm) as there:
            assert running.anna("Run", id="a1").cvm_id == cvm
            there.manifest()
            answers()  # too late: what runs there is not taken from whose it is
            until(lambda: "given another computation" in shown(running, "one", "lab").reason, "why it is not believed")
            assert running.show("a1").state != "Failed"
        with here(running, str(uuid.uuid4())) as another:
            create(running.anna, "a2")
            refused(running.anna, "a2", another.cvm)


def what_an_older_service_let_in_is_named_to_nobody():
    """It gave a CVM that was being made to another workspace: neither refusal nor answer says which computation holds it."""
    with world() as running:
        cvm = made(running.head, "one", "lab").cvm_id
        create(running.head, "h1", "lab")
        with here(running, cvm) as there:
            running.head("Run", id="h1", cvm_id=cvm)
            there.manifest()
            there.say(run_res={"computation_id": "h1"})
            until(lambda: running.show("h1").state != "Created", "its agent has it")
        restarted(running, "UPDATE workspace_computations SET workspace = (SELECT number FROM workspaces WHERE name = 'default')"
                           " WHERE computation = 'h1'")
        assert running.anna("Show", id="h1").cvm_id == cvm
        text = running.head.text("RemoveCvm", name="one", workspace="lab")
        assert "holds a computation that you may not see" in text and "h1" not in text, text
        assert "holds computation 'h1'" in running.root.text("RemoveCvm", name="one", workspace="lab")
        running.played.says["RemoveVm"] = lambda r, c: c.abort(AWAY, "not now")
        out = running.head("RemoveCvm", name="one", workspace="lab", force=True)
        assert (out.leaving, out.state, out.computation_id) == (True, "Busy", ""), out
        assert running.root("RemoveCvm", name="one", workspace="lab", force=True).computation_id == "h1"
        running.played.says.clear()
        until_state(running, "one", "Removed", "lab")
        assert running.head.text("RemoveCvm", name="one", workspace="lab").startswith("CVM one is gone")


if __name__ == "__main__":
    tap.run([
        one_that_is_being_made_is_nobody_elses,
        who_could_use_it_anyway_does_not_wait,
        while_several_are_made_each_has_to_be_his,
        one_for_a_run_is_that_runs,
        a_retry_waits_as_well,
        one_that_is_to_be_removed_meanwhile_is_nobody_elses,
        what_its_manager_can_not_mean_leaves_it_in_doubt,
        a_service_that_was_killed_knows_it_still,
        who_waits_for_a_cvm_waits_until_it_is_known_whose_it_is,
        given_by_who_administers_it_is_claimed_when_that_is_over,
        a_manager_that_never_answers_keeps_nobody_for_ever,
        what_an_older_service_let_in_is_named_to_nobody,
    ])
