# SPDX-License-Identifier: Apache-2.0
"""Somebody wants more than the account that pays for his workspace may have, or to see what another one pays for."""
import grpc

from billing import PLANS, Billing
from machines import made, service
from rows import Outcome, row
from theme_workspaces import asked
from usage import HOUR_MS, spent
from workspaces import member


def paid(running, *workspaces):
    """Account acme with a small plan, which pays for these."""
    account = Billing(running.channel)
    account("Create", name="acme", plan="small")
    for name in workspaces:
        if name != "default":
            running.root("AddWorkspace", name=name)
        account("Give", name="acme", workspace=name)


def tried(call):
    """What became of it."""
    try:
        call()
    except grpc.RpcError as error:
        return Outcome(False, error.details())
    return Outcome(True)


@row("billing-limit-evaded-in-another-workspace", "its account's limit is reached")
def evaded_elsewhere(evil):
    """What an account may have is used up in one workspace, and the next CVM is made in another of its."""
    with service(PLANS) as running:
        paid(running, "default", "lab")
        spent(running, "lab", (10 if evil else 9) * HOUR_MS)
        anna = member(running, "anna", "default", "administrator")
        return asked(anna, "CreateCvm", name="one", workspace="default")


@row("billing-limit-evaded-by-removing-a-workspace", "its account's limit is reached")
def evaded_by_removing(evil):
    """The workspace that has used it up is removed by who administers it, as if it had used nothing."""
    with service(PLANS) as running:
        paid(running, "default", "lab")
        spent(running, "lab", (10 if evil else 9) * HOUR_MS)
        head = member(running, "head", "lab", "administrator")
        head("RemoveWorkspace", name="lab")
        anna = member(running, "anna", "default", "administrator")
        return asked(anna, "CreateCvm", name="one", workspace="default")


@row("billing-plan-changed-by-a-workspaces-administrator", "administer this service")
def plan_changed(evil):
    """Who administers a workspace gives the account that pays for it a larger plan."""
    with service(PLANS) as running:
        paid(running, "default")
        anna = member(running, "anna", "default", "administrator")
        account = Billing(running.channel, anna.metadata if evil else ())
        outcome = tried(lambda: account("SetPlan", name="acme", plan="large"))
        assert (Billing(running.channel)("Show", name="acme").plan == "large") == outcome.taken
        return outcome


@row("billing-workspace-put-on-anothers-account", "administer this service")
def put_on_anothers(evil):
    """Who administers a workspace has somebody else's account pay for it."""
    with service(PLANS) as running:
        paid(running, "default")
        running.root("AddWorkspace", name="lab")
        head = member(running, "head", "lab", "administrator")
        account = Billing(running.channel, head.metadata if evil else ())
        return tried(lambda: account("Give", name="acme", workspace="lab"))


@row("billing-statement-of-another", "no billing account 'acme'")
def statement_of_another(evil):
    """A member of one of its workspaces asks for the account's statement, which has the others' in it."""
    with service(PLANS) as running:
        paid(running, "default", "lab")
        made(running.root, "one", "lab", cpus=1, memory=1 << 30)
        anna = member(running, "anna", "default", "administrator")
        return asked(anna if evil else running.root, "Usage", account="acme")
