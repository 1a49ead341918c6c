# SPDX-License-Identifier: Apache-2.0
"""Somebody whose certificate is revoked wants to go on, or somebody brings a list by which he could. The honest twin's
certificate is on no list."""
import grpc

from harness import PATIENCE, Folder, until
from revocation_room import Authority, Lists, Service, comes_in, manager
from rows import Outcome, row

NAMED = "it is revoked by the list of CN=ca"


def of(m, name="anna"):
    return m.stub(m.ca(name + ".pem"), m.ca(name + ".key"))


def told(m, came, words):
    """In; or not, and the manager says why."""
    return Outcome(True) if came else Outcome(False, m.process.wait_line(words)[0], 0)


@row("revoked-comes-again", NAMED)
def comes_again(evil):
    """A key was stolen, and its certificate revoked; it has not ended."""
    with Folder() as folder, Lists(folder) as m:
        m.of("anna")
        if evil:
            m.ca.revoke("anna")
        m.renew(m.ca.list())
        return told(m, comes_in(of(m)), "handshake failed: .*" + NAMED)


@row("revoked-goes-on-by-what-is-open", NAMED)
def goes_on(evil):
    """Who is revoked has a connection open, and a stream on it, and begins no new one."""
    with Folder() as folder, Lists(folder) as m:
        stub = m.of("anna")
        watch = stub.WatchVms(manager.WatchVmsReq(), timeout=4 * PATIENCE)
        assert comes_in(stub)
        if evil:
            m.ca.revoke("anna")
        m.renew(m.ca.list())
        if not evil:
            assert comes_in(stub) and watch.is_active()
            watch.cancel()
            return Outcome(True)
        try:
            return Outcome(True, gained=len(list(watch)))
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error
        return told(m, False, "closed: certificate .*" + NAMED)


@row("revoked-brings-an-older-list", NAMED)
def older_list(evil):
    """The list from before the revocation, with its authority's signature and not ended, is put back in its place."""
    with Folder() as folder, Lists(folder) as m:
        m.of("anna")
        before = m.ca.list()
        if evil:
            m.ca.revoke("anna")
        m.renew(m.ca.list())
        m.renew(before, "1 of them older ")
        return told(m, comes_in(of(m)), "handshake failed: .*" + NAMED)


def brings(evil, made, words):
    """A list in the place of the one that names her; the honest twin's is the authority's next one."""
    with Folder() as folder, Lists(folder) as m:
        m.of("anna")
        if evil:
            m.ca.revoke("anna")
            m.renew(m.ca.list())
            m.renew(made(folder, m), words)
        else:
            m.renew(m.ca.list())
        return told(m, comes_in(of(m)), "handshake failed: .*" + NAMED)


@row("revoked-brings-another-authority-s-list", NAMED)
def another_authority(evil):
    """An authority of the same name, with a key of his own, signs an empty list of a high number."""
    return brings(evil, lambda folder, m: Authority(folder, "twin", subject="/CN=ca").list(), "its authority did not sign it")


@row("revoked-brings-a-delta", NAMED)
def delta(evil):
    """A delta list, of a higher number, that says only what changed: she is not in it."""
    return brings(evil, lambda folder, m: m.ca.list("-crlexts", "delta"), "a delta list")


@row("revoked-cuts-the-list", NAMED)
def cut(evil):
    """The next list is cut off on its way, so that her entry is not in it."""
    return brings(evil, lambda folder, m: m.ca.list()[:200], "not PEM")


@row("revoked-and-no-list-comes", "there is no list of CN=ca")
def no_list(evil):
    """What is at the file's place at the start is a current list, but of another authority."""
    with Folder() as folder:
        with Lists(folder, first=(lambda ca: Authority(folder, "other").list()) if evil else None) as m:
            m.of("anna")
            m.ca.revoke("anna")
            return told(m, comes_in(of(m) if evil else m.of("ben")), "handshake failed: .*there is no list of CN=ca")


@row("revoked-agent-of-the-service-s-own-authority", "it is revoked by the list of CN=example.org")
def own_authority(evil):
    """An agent's certificate from the service is revoked there; no file of lists is named, and its stream is open."""
    with Folder() as folder, Service(folder) as s:
        pem, key, serial = s.issue("cvm-1")
        with s.agent("cvm-1", pem, key) as agent:
            s.service.process.wait_line("cvm-1")
            if not evil:
                return Outcome(agent.stream.is_active() and s.page(pem, key) == "200")
            s.revoke(serial)
            line = s.service.process.wait_line(rf"closed: certificate {serial} .*")[0]
            until(lambda: s.page(pem, key) == "refused", "the page's refusal")
            return Outcome(False, line, 0)
