# SPDX-License-Identifier: Apache-2.0
"""Against a real manager: callers whose certificates its CA has made, and who want to be another tenant, an operator,
or to learn of what is another's. The honest twin is that other one, with the same call."""
import contextlib
import os

import grpc
from harness import Folder
from rows import Outcome, row
from tenant_room import SAN, SPIFFE, SUBJECT, WAIT, Manager, manager, table

OWN, ANOTHER = "5b1c6d3e-0000-4000-8000-00000000000a", "5b1c6d3e-0000-4000-8000-00000000000b"
UNKNOWN = "does not know this caller"


@contextlib.contextmanager
def tenants():
    """A manager with tenants a, by subject and group of a unix socket, and b, by SPIFFE id; each had a CVM."""
    with Folder() as folder, Manager(folder, table("tenant a subject CN=anna,O=Clinic", f"tenant b spiffe {SPIFFE}")) as m:
        m.remember((OWN, "ward", "a"), (ANOTHER, "secret-study", "b"))
        yield m


def told(call):
    """What somebody got: messages, or the refusal."""
    try:
        answer = call()
        return Outcome(True, "", len(answer.SerializeToString()) or 1)
    except grpc.RpcError as error:
        return Outcome(False, error.details(), 0)


def exited(stub):
    asked = manager.ListVmsReq(filter=manager.VmFilter(states=["exited"]))
    return told(lambda: stub.ListVms(asked, timeout=WAIT))


def as_b(evil, *extensions, subject="/CN=x"):
    """b's list, asked for with b's certificate, or with that one."""
    with tenants() as m:
        return exited(m.tls("evil", subject, *extensions) if evil else m.tls("b", "/CN=x", f"{SAN}URI:{SPIFFE}"))


def as_a(evil, subject):
    with tenants() as m:
        return exited(m.tls("evil", subject) if evil else m.tls("a", SUBJECT))


@row("tenant-two-uris", UNKNOWN)
def two_uris(evil):
    """A certificate names b's SPIFFE id, and one more beside it."""
    return as_b(evil, f"{SAN}URI:spiffe://clinic.example/x,URI:{SPIFFE}")


@row("tenant-trust-domain", UNKNOWN)
def trust_domain(evil):
    """b's path in a trust domain whose name begins with b's."""
    return as_b(evil, f"{SAN}URI:spiffe://clinic.example.org/a")


@row("tenant-id-below", UNKNOWN)
def id_below(evil):
    """An id that begins with b's."""
    return as_b(evil, f"{SAN}URI:{SPIFFE}/b")


@row("tenant-id-as-subject", UNKNOWN)
def id_as_subject(evil):
    """b's SPIFFE id, where a name stands."""
    return as_b(evil, subject=f"/CN={SPIFFE.replace('/', chr(92) + '/')}")


@row("tenant-subject-case", UNKNOWN)
def subject_case(evil):
    """a's subject with a capital letter."""
    return as_a(evil, "/O=Clinic/CN=Anna")


@row("tenant-subject-look-alike", UNKNOWN)
def subject_look_alike(evil):
    """a's subject with a Cyrillic letter that looks the same."""
    return as_a(evil, "/O=Clinic/CN=\u0430nna")


@row("tenant-subject-in-one", UNKNOWN)
def subject_in_one(evil):
    """One name with a comma in it, where a's subject has two."""
    return as_a(evil, "/CN=anna,O=Clinic")


@row("tenant-uid-by-name", UNKNOWN)
def uid_by_name(evil):
    """The operator's user, claimed by a certificate."""
    with tenants() as m:
        return exited(m.tls("evil", f"/CN=unix:uid={os.geteuid()}") if evil else m.unix())


@row("tenant-is-two", "as two")
def is_two(evil):
    """A certificate is a's by its subject, and b's by its id."""
    with tenants() as m:
        return exited(m.tls("x", SUBJECT, *([f"{SAN}URI:{SPIFFE}"] if evil else [])))


@row("tenant-operates", "this is for operators")
def operates(evil):
    """A tenant asks what of the host has no record."""
    with tenants() as m:
        stub = m.tls("a", SUBJECT) if evil else m.unix()
        return told(lambda: stub.ListStrays(manager.ListStraysReq(), timeout=WAIT))


@row("tenant-chooses-everybody-s-image", "this is for operators")
def chooses_everybody_s_image(evil):
    """A tenant wants others' CVMs to be launched from an image of his choice. (There is one alone, which is told.)"""
    with tenants() as m:
        stub = m.tls("a", SUBJECT) if evil else m.unix()
        outcome = told(lambda: stub.SetDefaultImage(manager.SetDefaultImageReq(name="mine"), timeout=WAIT))
        return outcome if evil else Outcome("is the folder of one image" in outcome.said, "", 1)


@row("tenant-adds-a-host-of-his", "this is for operators")
def adds_a_host_of_his(evil):
    """A tenant wants others' CVMs, and the keys that they boot with, on a host of his. (Without a table none is added, which is told.)"""
    with tenants() as m:
        stub = m.tls("a", SUBJECT) if evil else m.unix()
        outcome = told(lambda: stub.AddHost(manager.AddHostReq(
            name="mine", uri="qemu+tls://mine.example/system", words="tees=none address=10.0.0.9"), timeout=WAIT))
        return outcome if evil else Outcome("set MANAGER_HOSTS" in outcome.said, "", 1)


@row("tenant-asks-for-another-s-id", f"no CVM '{ANOTHER}'")
def asks_for_another_s_id(evil):
    """A tenant knows the id of another's CVM, and asks for it."""
    with tenants() as m:
        stub = m.tls("a", SUBJECT)
        return told(lambda: stub.GetVm(manager.GetVmReq(id=ANOTHER if evil else OWN), timeout=WAIT))


@row("tenant-reads-another-s-console", f"no CVM '{ANOTHER}'")
def reads_another_s_console(evil):
    """A tenant wants to hear what another's machine says. (His own is gone, and is told so by its owner's right.)"""
    with tenants() as m:
        stub = m.tls("a", SUBJECT)
        outcome = told(lambda: next(stub.Console(manager.ConsoleReq(id=ANOTHER if evil else OWN), timeout=WAIT)))
        return outcome if evil else Outcome(outcome.said == f"CVM {OWN} is gone, and its console with it", "", 1)


@row("tenant-asks-for-another-s-name", "no CVM 'b/secret-study'")
def asks_for_another_s_name(evil):
    """A tenant asks for another's CVM in the way in which operators do."""
    with tenants() as m:
        stub = m.tls("a", SUBJECT) if evil else m.unix()
        return told(lambda: stub.GetVm(manager.GetVmReq(id="b/secret-study"), timeout=WAIT))
