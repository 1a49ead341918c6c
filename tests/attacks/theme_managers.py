# SPDX-License-Identifier: Apache-2.0
"""Somebody with a token of the computation service wants CVMs that he may not have, or another workspace's; or a manager
that makes CVMs for it says what is not so."""
import uuid

import grpc

from harness import until
from machine_claims import Making, here
from machines import agent, made, service, shown, until_state
from people import Caller
from played_manager import manager
from rows import Outcome, row
from theme_workspaces import asked
from usage import HOUR_MS, spent
from workspaces import create, member

LIMITS = "limit default cvms=4\nlimit lab cvms=4\nlimit rich cvms=9\n"


def both(running):
    """Administrators of two workspaces, and the first one's CVM, which is ready."""
    running.root("AddWorkspace", name="lab")
    head = member(running, "head", "lab", "administrator")
    anna = member(running, "anna", "default", "administrator")
    return head, anna


@row("cvm-made-by-a-member", "may not have CVMs made for it, or removed")
def made_by_a_member(evil):
    """A member of a workspace, who does not administer it, has a CVM made."""
    with service(LIMITS) as running:
        caller = member(running, "anna", "default", "member" if evil else "administrator")
        return asked(caller, "CreateCvm", name="one", workspace="default")


@row("cvm-made-for-another-workspace", "no workspace 'lab'")
def made_for_another(evil):
    """A CVM is made on what another workspace may have."""
    with service(LIMITS) as running:
        _, anna = both(running)
        return asked(anna, "CreateCvm", name="one", workspace="lab" if evil else "default")


@row("cvm-of-another-workspace-removed", "no workspace 'lab'")
def another_removed(evil):
    """Another workspace's CVM is removed by its name."""
    with service(LIMITS) as running:
        head, anna = both(running)
        made(head, "one", "lab")
        return asked(anna if evil else head, "RemoveCvm", name="one", workspace="lab")


@row("cvm-of-another-workspace-used", "is not connected")
def another_used(evil):
    """A computation is run in a CVM that another workspace had made, by its id."""
    with service(LIMITS) as running:
        head, anna = both(running)
        cvm = made(head, "one", "lab").cvm_id
        with agent(running, cvm):
            until_state(running, "one", "Ready", "lab")
            create(anna if evil else head, "c", "default" if evil else "lab")
            return asked(anna if evil else head, "Run", id="c", cvm_id=cvm)


def being_made(evil, names):
    """The one workspace's CVM is being made, its agent is here, and its manager has not said so yet."""
    with service(LIMITS) as running:
        head, anna = both(running)
        caller = anna if evil else head
        create(caller, "c", "default" if evil else "lab")
        with Making(running, head, name="one", workspace="lab") as one, here(running, one.id) as there:
            answer = asked(caller, "Run", id="c", **({"cvm_id": one.id} if names else {}))
            one.done()
            return Outcome(answer.taken, answer.said, len(there.manifest().id) if answer.taken else 0)


@row("cvm-being-made-used-by-another", "whose manager has not said its id yet")
def being_made_used(evil):
    """A computation is run, by its id, in a CVM that is being made for another workspace, before its manager has answered."""
    return being_made(evil, True)


@row("cvm-being-made-is-the-free-one", "whose manager has not said its id yet")
def being_made_chosen(evil):
    """The same, by naming none: it is the only one that is free."""
    return being_made(evil, False)


@row("cvm-made-for-a-run-by-a-runner", "may not have CVMs made for it, or removed")
def made_for_a_run(evil):
    """Somebody who may run a computation, and not have CVMs made, has one made for the run."""
    with service(LIMITS) as running:
        caller = member(running, "anna", "default", "member" if evil else "administrator")
        create(running.root, "c")
        running.root("GiveRole", computation_id="c", role="runner", user="anna")
        return asked(caller, "Run", id="c", new_cvm=True)


@row("cvm-of-a-run-taken-by-another", "is not connected")
def run_taken_by_another(evil):
    """The CVM that is made for somebody's run gets another computation of the same workspace, by its id."""
    with service(LIMITS) as running:
        _, anna = both(running)
        for name in ("mine", "other"):
            create(anna, name)
        if evil:
            anna("Run", id="mine", new_cvm=True)
            until(lambda: running.played.created, "it is made")
        cvm = running.played.created[0][1] if evil else made(anna, "one").cvm_id
        with agent(running, cvm) as there:
            if evil:
                there.manifest()
            until(lambda: any(c.id == cvm for c in running.root("ListCvms").cvms), "its agent")
            return asked(anna, "Run", id="other", cvm_id=cvm)


@row("cvm-runs-past-the-limit", "of 2 CVMs")
def runs_past_the_limit(evil):
    """More runs at the same moment than the workspace may have CVMs."""
    with service("limit default cvms=2\n") as running:
        _, anna = both(running)
        for number in range(3):
            create(anna, f"c{number}")
        for number in range(2 if evil else 1):
            anna("Run", id=f"c{number}", new_cvm=True)
        answer = asked(anna, "Run", id="c2", new_cvm=True)
        until(lambda: len(running.played.created) >= 2, "they are made")
        assert len(running.played.created) == 2
        return answer


@row("cvm-limit-by-another-name", "how many CVMs it may have is said of that name")
def limit_by_another_name(evil):
    """The administrator of a workspace gives it the name of one that may have more."""
    with service("limit rich cvms=9\n") as running:
        head, _ = both(running)
        return asked(head, "RenameWorkspace", name="lab", to="rich" if evil else "ward")


@row("cvm-limit-left-behind", "how many CVMs it may have is said of that name")
def limit_left_behind(evil):
    """The administrator of a workspace that may have fewer CVMs than others takes away the name of which that is said."""
    with service("limit lab cvms=0\nlimit * cvms=4\n" if evil else "limit * cvms=4\n") as running:
        head, _ = both(running)
        return asked(head, "RenameWorkspace", name="lab", to="ward")


@row("cvm-month-spent-and-removed", "the 2 CPU-hours of")
def month_spent_and_removed(evil):
    """The administrator of a workspace removes the CVM that used all of its month, to have another one made."""
    with service("limit default cvms=4 cpu-hours=2\n") as running:
        _, anna = both(running)
        made(anna, "one", cpus=1, memory=1 << 30)
        spent(running, "default", (2 if evil else 1) * HOUR_MS)
        anna = member(running, "bert", "default", "administrator")
        anna.code("RemoveCvm", name="one", workspace="default")
        until_state(running, "one", "Removed")
        return asked(anna, "CreateCvm", name="two", workspace="default", cpus=1, memory=1 << 30)


def outcome(m):
    """Of what a manager said: it is gained if it is believed."""
    return Outcome(bool(m.cvm_id), m.reason)


@row("manager-names-anothers-cvm", "which is another one: it is not believed")
def names_anothers(evil):
    """A manager calls the CVM that it made by the id of another workspace's."""
    with service(LIMITS) as running:
        head, anna = both(running)
        victim = made(head, "one", "lab").cvm_id
        named = victim if evil else str(uuid.uuid4())
        running.played.says["CreateVm"] = lambda r, c: manager.CreateRes(cvm_id=named, forwarded_port="7100")
        return outcome(made(anna, "two"))


@row("manager-has-a-shell-run", "of the manager is none")
def has_a_shell_run(evil):
    """A manager names a host that owners' shells would run: the last line of `cvm show` is theirs to paste."""
    with service(LIMITS) as running:
        host = "$(reboot)" if evil else "10.0.0.3"
        running.played.says["CreateVm"] = lambda r, c: manager.CreateRes(
            cvm_id=str(uuid.uuid4()), forwarded_port="7100", host_address=host)
        return outcome(made(running.root, "one"))


@row("manager-answers-endlessly", "manager here")
def answers_endlessly(evil):
    """A manager answers with more than any answer is."""
    with service(LIMITS) as running:
        long = "a" * (4 << 20) if evil else ""
        running.played.says["CreateVm"] = lambda r, c: manager.CreateRes(
            cvm_id=str(uuid.uuid4()), forwarded_port="7100", host_address=long)
        running.played.says["GetVm"] = lambda r, c: c.abort(grpc.StatusCode.UNAVAILABLE, "x")
        return outcome(made(running.root, "one"))


@row("manager-speaks-of-another-cvm", "a CVM 'other' that was not asked for")
def speaks_of_another(evil):
    """A manager that is asked what became of a CVM answers with another, so as to have that one taken for it."""
    with service(LIMITS) as running:
        running.played.says["CreateVm"] = lambda r, c: c.abort(grpc.StatusCode.UNAVAILABLE, "x")
        running.played.says["GetVm"] = lambda r, c: manager.Vm(
            id=str(uuid.uuid4()), name="other" if evil else r.id, state="running", forwarded_port=7100)
        root = Caller(running.channel)
        made(root, "one")
        until(lambda: shown(running, "one").cvm_id or "other" in shown(running, "one").reason, "an answer")
        return outcome(shown(running, "one"))


@row("manager-meters-what-can-not-be", "that can't be")
def meters_what_can_not_be(evil):
    """A manager says that a CVM has more processors than any, so that its workspace's usage is."""
    with service(LIMITS) as running:
        running.played.says["CreateVm"] = lambda r, c: c.abort(grpc.StatusCode.UNAVAILABLE, "x")
        running.played.says["GetVm"] = lambda r, c: manager.Vm(id=str(uuid.uuid4()), name=r.id, state="running",
                                                               forwarded_port=7100, cpus=4097 if evil else 4)
        root = Caller(running.channel)
        made(root, "one")
        until(lambda: shown(running, "one").cvm_id or "can't be" in shown(running, "one").reason, "an answer")
        return outcome(shown(running, "one"))
