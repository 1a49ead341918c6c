# SPDX-License-Identifier: Apache-2.0
"""Somebody with a token of the computation service wants something of a workspace that he is not in, may no more be in,
or is less in than he would like."""
import itertools

import grpc

from people import Caller, service
from rows import Outcome, row
from workspaces import create, lab, manifest, member
from harness import computations


def asked(caller, method, request=None, **fields):
    """What became of that call."""
    try:
        caller(method, request, **fields)
    except grpc.RpcError as error:
        return Outcome(False, error.details())
    return Outcome(True)


@row("workspace-computation-of-another", "no computation 'theirs'")
def computation_of_another(evil):
    """The id of a computation in a workspace that he is not in."""
    with service() as running:
        head = lab(running)
        anna = member(running, "anna")
        create(head, "theirs", "lab")
        create(anna, "own")
        return asked(anna, "Manifest", id="theirs" if evil else "own")


@row("workspace-created-in-anothers", "no workspace 'lab'")
def created_in_anothers(evil):
    """A computation is put among others' by their workspace's name."""
    with service() as running:
        lab(running)
        anna = member(running, "anna")
        return asked(anna, "Create", computations.CreateRequest(manifest=manifest("c"),
                                                                workspace="lab" if evil else "default"))


@row("workspace-role-for-a-stranger", "no user 'anna' in the computation's workspace")
def role_for_a_stranger(evil):
    """The owner of a computation gives a role in it to somebody whom nobody has let into the workspace."""
    with service() as running:
        head = lab(running)
        member(running, "anna", "default" if evil else "lab")
        create(head, "c", "lab")
        return asked(head, "GiveRole", computation_id="c", role="viewer", user="anna")


@row("workspace-member-makes-himself-administrator", "may not administer this workspace")
def makes_himself_administrator(evil):
    """A member gives himself the administrator's role."""
    with service() as running:
        head = lab(running)
        anna = member(running, "anna", "lab")
        return asked(anna if evil else head, "SetMember", workspace="lab", user="anna", role="administrator")


@row("workspace-viewer-runs", "may not stop it")
def viewer_acts(evil):
    """A viewer of a workspace owns a computation there, from when he was more."""
    with service() as running:
        head = lab(running)
        anna = member(running, "anna", "lab")
        create(anna, "c", "lab")
        member(running, "bert", "lab")
        anna("GiveRole", computation_id="c", role="owner", user="bert")  # one who can do more has to remain
        if evil:
            head("SetMember", workspace="lab", user="anna", role="viewer")
        return asked(anna, "Stop", id="c")


@row("workspace-suspended-member-goes-on", "no computation 'c'")
def suspended_goes_on(evil):
    """A suspended member uses a token that has not ended, for what he owns."""
    with service() as running:
        head = lab(running)
        anna = member(running, "anna", "lab")
        create(anna, "c", "lab")
        if evil:
            head("SuspendMember", workspace="lab", user="anna")
        return asked(anna, "Show", id="c")


@row("workspace-roles-kept-over-a-removal", "no computation 'c'")
def roles_kept(evil):
    """Somebody was removed from a workspace, is a member again, and counts on the role that he had."""
    with service() as running:
        head = lab(running)
        anna = member(running, "anna", "lab")
        create(head, "c", "lab")
        head("GiveRole", computation_id="c", role="viewer", user="anna")
        if evil:
            head("RemoveMember", workspace="lab", user="anna")
            running.root("AddMember", workspace="lab", user="anna")
        return asked(anna, "Show", id="c")


@row("workspace-administrator-beyond-it", "no computation 'elsewhere'")
def administrator_beyond_it(evil):
    """The administrator of one workspace acts in another."""
    with service() as running:
        head = lab(running)
        create(running.root, "elsewhere", "default" if evil else "lab")
        return asked(head, "Remove", id="elsewhere")


@row("workspace-administrator-lists-users", "may not administer this service")
def administrator_lists_users(evil):
    """The administrator of a workspace pulls in whomever the service knows, to learn who that is."""
    with service() as running:
        head = lab(running)
        running.root("AddUser", name="anna")
        return asked(head if evil else running.root, "AddMember", workspace="lab", user="anna")


@row("workspace-usage-of-another", "no workspace 'lab'")
def usage_of_another(evil):
    """What a workspace used that he is not in."""
    with service() as running:
        lab(running)
        anna = member(running, "anna")
        return asked(anna, "Usage", workspace="lab" if evil else "default")


def created_all(caller):
    """As many as he may, of 40 that are kept: a tenth is the administrators', half of the rest shared out."""
    for number in itertools.count():
        outcome = asked(caller, "Create", computations.CreateRequest(manifest=manifest(f"a{number}")))
        if not outcome.taken:
            return number


@row("workspace-computations-left-with-another", "27 computations that you created are kept")
def left_with_another(evil):
    """A member makes another one the only owner of all that he created, to be able to create as much again."""
    with service(MAX_COMPUTATIONS="40") as running:
        anna = member(running, "anna")
        bert = member(running, "bert")
        for number in range(created_all(anna)):
            anna("GiveRole", computation_id=f"a{number}", role="owner", user="bert")
            anna("TakeRole", computation_id=f"a{number}", role="owner", user="anna")
        if not evil:
            bert("Remove", id="a0")
        return asked(anna, "Create", computations.CreateRequest(manifest=manifest("more")))


@row("workspace-service-filled-by-one", "what room is left is other users'")
def filled_by_one(evil):
    """One member creates until the service keeps as many computations as it may, so that nobody else can."""
    with service(MAX_COMPUTATIONS="40") as running:
        anna = member(running, "anna")
        bert = member(running, "bert")
        created_all(anna)
        return asked(anna if evil else bert, "Create", computations.CreateRequest(manifest=manifest("more")))


@row("workspace-member-held-by-a-gift", "no computation 'gift'")
def held_by_a_gift(evil):
    """A member makes an accomplice the only owner of what he created, so that the accomplice can't be removed."""
    with service() as running:
        head = lab(running)
        anna, carl = member(running, "anna", "lab"), member(running, "carl", "lab")
        create(anna, "gift", "lab")
        anna("GiveRole", computation_id="gift", role="owner", user="carl")
        anna("TakeRole", computation_id="gift", role="owner", user="anna")
        if evil:
            head("RemoveMember", workspace="lab", user="carl")
        return asked(carl, "Show", id="gift")


@row("workspace-left-to-somebody-suspended", "user carl is suspended: name another member")
def left_to_somebody_suspended(evil):
    """One of two administrators makes a member the only one whom the service has suspended, so that nobody administers the
    workspace any more."""
    with service() as running:
        head = lab(running)
        member(running, "other", "lab", "administrator")
        member(running, "carl", "lab")
        if evil:
            running.root("SuspendUser", name="carl")
        return asked(head, "TransferWorkspace", workspace="lab", user="carl")


def handed_over(name, check, about, to="anna", by="head", **token):
    """lab is handed over by its administrator to a member; what the attack does otherwise is named."""
    def attempt(evil):
        with service() as running:
            head = lab(running)
            member(running, "other", "lab", "administrator")  # who is not the last one
            anna = member(running, "anna", "lab")
            member(running, "abroad")
            far = member(running, "far", "default", "administrator")
            callers = {"head": head, "anna": anna, "far": far}
            if evil and by == "suspended":
                running.root("SuspendMember", workspace="lab", user="head")
            if evil and to == "suspended":
                running.root("SuspendMember", workspace="lab", user="anna")
            if evil and token:
                callers["head"] = Caller(running.channel, running.root("AddToken", user="head", name="narrow", **token).token)
            before = running.root("ListMembers", workspace="lab")
            done = asked(callers.get(by, callers["head"]) if evil else head, "TransferWorkspace", workspace="lab",
                         user="anna" if not evil or to == "suspended" else to)
            assert done.taken == (running.root("ListMembers", workspace="lab") != before), done.said
            return done
    attempt.__doc__ = about
    row("workspace-handed-over-" + name, check)(attempt)


handed_over("by-a-member", "may not administer this workspace", "A member hands the workspace over to himself.", by="anna")
handed_over("by-anothers-administrator", "no workspace 'lab'", "The administrator of another workspace hands this one over to a member.", by="far")
handed_over("by-one-suspended", "no workspace 'lab'", "An administrator whom the others have suspended hands it over before he has to go.", by="suspended")
handed_over("to-nobody", "no user 'nobody' in workspace lab", "An administrator hands it over to somebody whom nobody knows, so that no one has it.", to="nobody")
handed_over("to-a-stranger", "no user 'abroad' in workspace lab", "An administrator hands it over to a user of another workspace, whom nobody let in.",
            to="abroad")
handed_over("to-one-suspended", "user anna is suspended in workspace lab", "An administrator hands it over to a member who is suspended there.",
            to="suspended")
handed_over("by-a-narrow-token", "may not administer this workspace with this token",
            "Whoever found an administrator's token that is for all but administration hands it over.", actions=["view", "edit", "run"])


def left(name, check, about, **token):
    """lab is left by one of two administrators."""
    def attempt(evil):
        with service() as running:
            head = lab(running)
            if not evil or token:
                member(running, "other", "lab", "administrator")
            else:
                member(running, "other", "lab")
            if evil and token:
                head = Caller(running.channel, running.root("AddToken", user="head", name="narrow", **token).token)
            done = asked(head, "LeaveWorkspace", name="lab")
            assert done.taken == ("head" not in {m.user for m in running.root("ListMembers", workspace="lab").members}), done.said
            return done
    attempt.__doc__ = about
    row("workspace-left-" + name, check)(attempt)


left("by-its-last-administrator", "is the only administrator of workspace lab",
     "The only administrator leaves, and with him whoever could let somebody in or keep somebody out.")
left("by-a-narrow-token", "may not leave it with this token", "Whoever found a token that is to look only takes its user out of the workspace.",
     actions=["view"])
