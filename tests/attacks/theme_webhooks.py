# SPDX-License-Identifier: Apache-2.0
"""Somebody who administers a workspace has the service connect to what stands beside it; a receiver wants more than it is
told; a stranger would be told, or believed. The honest twin's receiver takes what it is told."""
import contextlib

import grpc

from harness import until
from hook_receiver import Hooks, Receiver, again, deliveries, told
from rows import Outcome, row
from workspaces import create, member

CREATED = ["computation.created"]


def made(running, url, hooks=None, **fields):
    """The new webhook, or what the service said."""
    try:
        return (hooks or running.hooks)("Create", url=url, events=CREATED, **fields), ""
    except grpc.RpcError as error:
        return None, error.details()


def sent(running, receiver, new, name="c1"):
    """A computation is created: what the receiver got of it, or why not."""
    create(running.root, name)
    until(lambda: any(d.tries for d in deliveries(running, new.webhook.number)), "it was tried")
    [done] = [d for d in deliveries(running, new.webhook.number) if d.tries]
    return Outcome(done.state == "taken", done.problem, sum(len(c.text) for c in receiver.came))


def url_row(name, url, check, about):
    """An address of this machine or its network in the evil twin, which the operator has not listed."""
    def attempt(evil):
        with told(WEBHOOK_NETWORKS=None if evil else "127.0.0.0/8") as running, Receiver(running.tls) as receiver:
            new, said = made(running, url.replace("PORT", str(receiver.port)) if evil else receiver.url)
            if not new:
                assert not running.hooks("List").webhooks
                return Outcome(False, said, receiver.connections)
            return sent(running, receiver, new)
    attempt.__doc__ = about
    row("webhook-" + name, check)(attempt)


url_row("to-this-machine", "https://localhost:PORT/hook", "which is this machine", "The service's own ports, by name.")
url_row("to-loopback", "https://127.0.0.1:PORT/hook", "which is this machine", "The same by an address.")
url_row("to-loopback-in-ipv6", "https://[::ffff:127.0.0.1]:PORT/", "which is this machine", "The same address in IPv6's form.")
url_row("to-metadata", "https://169.254.169.254/latest/meta-data/", "which is link-local",
        "Where clouds tell machines their secrets.")
url_row("to-a-private-network", "https://10.0.0.1/", "which is private", "A host that stands beside the service.")
url_row("to-a-number", "https://2130706433:PORT/", "its host is a name", "127.0.0.1 as some read numbers.")
url_row("to-octal", "https://0177.0.0.1:PORT/", "its host is a name", "127.0.0.1 as others read them.")
url_row("to-another-by-a-user", "https://hooks.example.org@127.0.0.1:PORT/", "a user or password",
        "What stands before the @ looks like the host.")
url_row("to-a-file", "file:///etc/passwd", "does not begin with https://", "Another scheme.")
url_row("in-plaintext", "http://localhost:PORT/", "http:// is not encrypted", "Everybody on the way reads and changes it.")


@row("webhook-to-what-was-allowed-before", "which is this machine")
def allowed_before(evil):
    """It was made while the operator allowed that network, and goes there no more: what a name leads to is judged when
    it is connected to, each time."""
    with told() as running, Receiver(running.tls) as receiver:
        new, _ = made(running, receiver.url)
        again(running, WEBHOOK_NETWORKS=None if evil else "127.0.0.0/8")
        return sent(running, receiver, new)


@row("webhook-to-a-network-of-the-operator-s", "which is refused by this service's operator")
def refused_by_the_operator(evil):
    """It stands behind addresses that are public, or would be allowed, and the operator has said that it is not for them."""
    with told(WEBHOOK_REFUSED="127.0.0.0/8" if evil else "127.1.0.0/16") as running, Receiver(running.tls) as receiver:
        new, said = made(running, receiver.url)
        return sent(running, receiver, new) if new else Outcome(False, said, receiver.connections)


@row("webhook-redirected", "redirects are not followed")
def redirected(evil):
    """The receiver answers with an address that the service may reach and he may not."""
    with told() as running, Receiver(running.tls) as inside:
        answer = (307, {"location": inside.url}, b"")
        with Receiver(running.tls, [answer if evil else (204, {}, b"")]) as receiver:
            new, _ = made(running, receiver.url)
            done = sent(running, receiver, new)
            return Outcome(done.taken, done.said, len(inside.came) if evil else done.gained)


@row("webhook-receiver-without-a-certificate-of-ours", "certificate")
def no_certificate(evil):
    """Somebody on the way answers in the receiver's place, with a certificate of his own authority."""
    with told(**({"WEBHOOK_CA": None} if evil else {})) as running, Receiver(running.tls) as receiver:
        new, _ = made(running, receiver.url)
        return sent(running, receiver, new)


@row("webhook-by-who-does-not-administer", "may not see or change its webhooks")
def by_a_member(evil):
    """A member would be told of all that happens in the workspace."""
    with told() as running, Receiver(running.tls) as receiver:
        caller = member(running, "anna", role="member" if evil else "administrator")
        new, said = made(running, receiver.url, Hooks(running.channel, caller.metadata))
        return sent(running, receiver, new) if new else Outcome(False, said, len(receiver.came))


@row("webhook-by-a-narrow-token", "with this token")
def by_a_narrow_token(evil):
    """A token that may look at the workspace makes itself a way out."""
    with told() as running, Receiver(running.tls) as receiver:
        caller = member(running, "anna", role="administrator", actions=["view", "edit"] if evil else [])
        new, said = made(running, receiver.url, Hooks(running.channel, caller.metadata))
        return sent(running, receiver, new) if new else Outcome(False, said, len(receiver.came))


@row("webhook-of-another-workspace", "no webhook")
def of_another_workspace(evil):
    """By its number, which he guesses: another secret of it would be his."""
    with told() as running, Receiver(running.tls) as receiver:
        running.root("AddWorkspace", name="lab")
        head = member(running, "head", "lab" if evil else "default", "administrator")
        new, _ = made(running, receiver.url)
        hooks = Hooks(running.channel, head.metadata)
        try:
            other = hooks("Rotate", number=new.webhook.number)
        except grpc.RpcError as error:
            return Outcome(False, error.details(), 0)
        assert other.secret != new.secret
        return sent(running, receiver, other)


@row("webhook-delivery-forged", "the signature is another's")
def forged(evil):
    """A stranger posts to the receiver what would be said of a computation; he has a secret, of a webhook of his own."""
    with told() as running, Receiver(running.tls) as receiver:
        new, _ = made(running, receiver.url)
        if evil:
            running.root("AddWorkspace", name="lab")
            made(running, receiver.url, workspace="lab")
            create(running.root, "c1", "lab")
        else:
            create(running.root, "c1")
        came = receiver.until(*CREATED)
        good = came.signed_by(new.secret)
        return Outcome(good, "" if good else "the signature is another's", len(came.text) if good else 0)


@row("webhook-too-many", "has 10 webhooks")
def too_many(evil):
    """Each of many webhooks has the service connect somewhere for each event."""
    with told() as running, Receiver(running.tls) as receiver:
        for i in range(10 if evil else 9):
            assert made(running, f"https://hooks{i}.example.org/")[0]
        new, said = made(running, receiver.url)
        return sent(running, receiver, new) if new else Outcome(False, said, len(receiver.came))


@row("webhook-receiver-hangs", "timed out")
def hangs(evil):
    """A receiver takes the connection, and says nothing: it holds up nobody else's, and its own is given up."""
    with told() as running, contextlib.ExitStack() as stack:
        receivers = [stack.enter_context(Receiver(running.tls, [None if evil else (204, {}, b"")])) for _ in range(4)]
        new = [made(running, receiver.url)[0] for receiver in receivers]
        create(running.root, "c1")
        until(lambda: all(d.tries for one in new for d in deliveries(running, one.webhook.number)), "each was tried")
        done = [deliveries(running, one.webhook.number)[0] for one in new]
        return Outcome(all(d.state == "taken" for d in done), "\n".join(d.problem for d in done))
