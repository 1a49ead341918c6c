# SPDX-License-Identifier: Apache-2.0
"""Somebody has a token for a certificate, or would like one, and wants more of it than it is for. The honest twin gets the
certificate that the token is for."""
import contextlib
import hashlib
import os
import threading

import grpc

from agent_certificate import (AHEAD, DUE, LIES, about, evidence_of_a_genuine_agent, of_machine, own_agent, own_service,
                               proving, running, said, site)
from ca_devices import Hsm, Service as Devices, make
from ca_peer import Root, spki
from certificate_renew import NONE, fields, first, load, renewal
from certificates import MORE, OVER, Issuer, make_authority, openssl
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from harness import PATIENCE, FakeAgent, Folder, authority, read, until
from ocsp import MALFORMED, TRY_LATER, UNAUTHORIZED, Status, authority_of, der, question
from rows import Outcome, row


@contextlib.contextmanager
def issuer(**fields):
    with Issuer() as page:
        yield page, page.token(**fields)


def asked(page, token, request=None):
    """What became of it: a certificate that openssl takes, or what the service said."""
    try:
        pem = page.issue(token, request).certificate
    except grpc.RpcError as error:
        assert "issued" not in {c.state for c in page.listed().values() if c.name == "cvm-1"}
        return Outcome(False, error.details(), 0)
    assert ": OK" in page.verify(pem)
    return Outcome(True, gained=len(pem))


@row("certificate-token-used-twice", OVER)
def used_twice(evil):
    """A token lies in a CVM's boot settings, where another one finds it when it was used."""
    with issuer() as (page, made):
        if evil:
            page.issue(made.token)
            try:
                page.issue(made.token)
            except grpc.RpcError as error:
                return Outcome(False, error.details(), 0)
            return Outcome(True)
        return asked(page, made.token)


@row("certificate-token-by-many-at-once", OVER)
def at_once(evil):
    """Eight ask at the same moment for the one certificate that a token is for: one of them has it."""
    with issuer() as (page, made):
        requests = [page.request(name=f"k{i}") for i in range(8 if evil else 1)]
        got, said, barrier = [], [], threading.Barrier(len(requests))

        def take(request):
            barrier.wait()
            try:
                got.append(page.issue(made.token, request).certificate)
            except grpc.RpcError as error:
                said.append(error.details())

        threads = [threading.Thread(target=take, args=(r,)) for r in requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # The first is the honest one's.
        assert got, said
        return Outcome(len(got) == len(requests), "\n".join(sorted(set(said))), sum(map(len, got[1:])) if evil else len(got[0]))


@row("certificate-token-ended", OVER)
def ended(evil):
    """Its hour is over."""
    with issuer() as (page, made):
        page.change(f"UPDATE certificates SET until = until - {3600000 if evil else 1}")
        return asked(page, made.token)


@row("certificate-token-revoked", OVER)
def revoked(evil):
    """It was revoked, since it came into the wrong hands."""
    with issuer() as (page, made):
        if evil:
            page.call("Revoke", serial=made.serial)
        return asked(page, made.token)


@row("certificate-token-guessed", OVER)
def guessed(evil):
    """A token that is nearly right."""
    with issuer() as (page, made):
        wrong = made.token[:-1] + ("0" if made.token[-1] != "0" else "1")
        return asked(page, wrong if evil else made.token)


@row("certificate-tokens-that-use-up-others-room", OVER)
def use_up_room(evil):
    """Somebody at the address of a CVM, its neighbour behind the same router, shows a hundred invented tokens, so that there be no
    room for its call. The CVM, the honest twin of both, gets its certificate all the same."""
    with Issuer(ADMIN_PORT="0", ADMIN_SIGN_IN="true") as page:
        token = page.token().token
        port = page.service.process.wait_line(r"administrators: listening on \S+ port (\d+)")[1]
        with grpc.insecure_channel(f"127.0.0.1:{port}") as page.service.channel:
            said = []
            for number in range(100 if evil else 0):
                try:
                    page.issue(f"{number:064x}", b"a request")
                except grpc.RpcError as error:
                    said.append(error.details())
            got = page.issue(token)
            return Outcome(not evil, said[-1] if evil else "", 0 if evil else len(got.certificate))


@row("certificate-token-of-an-administrator-who-was-removed", OVER)
def of_who_was_removed(evil):
    """Before an administrator of the service is removed, he leaves himself a way back."""
    with Issuer() as page:
        page.root("AddUser", name="chief", administrator=True)
        made = page.token(by=page.root("AddToken", user="chief", name="t").token)
        if evil:
            page.root("RemoveUser", name="chief")
        return asked(page, made.token)


@row("certificate-token-of-a-suspended-person", OVER)
def of_who_is_suspended(evil):
    """A user who was suspended has a token of before."""
    with Issuer() as page:
        page.root("AddUser", name="anna")
        made = page.token("anna", "person")
        if evil:
            page.root("SuspendUser", name="anna")
        return asked(page, made.token)


@row("certificate-token-made-by-a-user", "may not administer")
def made_by_a_user(evil):
    """A user makes himself a token for a manager's certificate."""
    with Issuer() as page:
        page.root("AddUser", name="anna", administrator=not evil)
        token = page.root("AddToken", user="anna", name="t").token
        try:
            made = page.token("vm1.example.org", "manager", by=token)
        except grpc.RpcError as error:
            return Outcome(False, error.details(), 0)
        return asked(page, made.token)


def of(name, reason, arguments=(), **fields):
    """A row whose request is made by 'openssl req' with these arguments; its docstring is the function's."""
    def decorate(function):
        def attempt(evil):
            with issuer() as (page, made):
                return asked(page, made.token, page.request(*arguments, **fields) if evil else None)
        attempt.__doc__, attempt.__module__ = function.__doc__, function.__module__
        return row("certificate-" + name, reason)(attempt)
    return decorate


@of("request-with-anothers-name", "names another than cvm-1", subject="/CN=cvm-2")
def another_name():
    """The request's subject is another CVM."""


@of("request-with-other-names", MORE, ("-addext", "subjectAltName=DNS:manager.example.org"))
def other_names():
    """The request asks for a manager's host as another name."""


@of("request-of-an-authority", MORE, ("-addext", "basicConstraints=critical,CA:TRUE"))
def an_authority():
    """The request asks for a certificate that issues others."""


@of("request-for-another-role", MORE, ("-addext", "extendedKeyUsage=serverAuth"))
def another_role():
    """An agent's token, and a request for what a manager's certificate is for."""


@of("request-with-a-weak-key", "an RSA key of 1024 bits",
    kind=("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"))
def weak_key():
    """A key that others could compute."""


@of("request-signed-by-sha-1", "signed in another way", digest="-sha1")
def weak_digest():
    """The proof that the caller has the key is over SHA-1."""


@row("certificate-request-for-anothers-key", "not signed by the key that it asks a certificate for")
def anothers_key(evil):
    """The request has the public key of somebody else, and is signed by the attacker's."""
    with issuer() as (page, made):
        request = page.request()
        if evil:
            other = openssl("pkey", "-in", page.keys("k.pem"), "-pubout", "-outform", "DER")
            page.request(name="mine")
            mine = openssl("pkey", "-in", page.keys("mine.pem"), "-pubout", "-outform", "DER")
            request = openssl("req", "-new", "-key", page.keys("mine.pem"), "-subj", "/", "-outform", "DER")
            assert request.count(mine) == 1
            request = request.replace(mine, other)
        return asked(page, made.token, request)


@row("certificate-request-of-many-bytes", "wanted 1 to 4096")
def many_bytes(evil):
    """A request of a mebibyte, to see what reads it."""
    with issuer() as (page, made):
        return asked(page, made.token, os.urandom(1 << 20) if evil else None)


@row("certificate-that-was-revoked", "certificate revoked")
def shows_a_revoked_one(evil):
    """A certificate goes on being shown after it was revoked, to somebody who fetches the list."""
    with issuer() as (page, made):
        issued = page.issue(made.token)
        page.list()
        if evil:
            page.call("Revoke", serial=issued.serial)
        said = page.verify(issued.certificate)
        return Outcome(": OK" in said, said)


@row("certificate-of-another-cvm-that-comes-first", "each CVM comes with its own")
def comes_first(evil):
    """A CVM that was broken into comes under the name of one that is about to boot, to have what that one is given: its
    own certificate is the authority's, too. (That one comes afterwards, and has its name.)"""
    with Folder() as tls:
        authority(tls)
        with Issuer(["GRPC_CLIENT_CA_CERTS"], GRPC_SERVER_CERT=tls("server.pem"), GRPC_SERVER_KEY=tls("server-key.pem")) as page:
            issued = {name: first(page, name, key=name) for name in ("cvm-1", "cvm-2")}

            def come(name):
                pem, key = issued[name].certificate.encode(), read(page.keys(name + ".pem"))
                with FakeAgent(f"localhost:{page.service.port}", "cvm-1",
                               grpc.ssl_channel_credentials(read(tls("ca.pem")), key, pem)) as agent:
                    heard = agent.heard.get(timeout=PATIENCE)
                if isinstance(heard, grpc.RpcError):
                    return Outcome(False, heard.details())
                return Outcome(True)
            outcome = come("cvm-2" if evil else "cvm-1")
            assert come("cvm-1").taken, "its own agent is kept out"
            return outcome


@row("certificate-of-an-agent-as-a-server", "unsuitable certificate purpose")
def as_a_server(evil):
    """An agent listens in a manager's place with the certificate that it has."""
    with issuer(name="vm1.example.org", role="agent" if evil else "manager") as (page, made):
        said = page.verify(page.issue(made.token).certificate, "-purpose", "sslserver")
        return Outcome(": OK" in said, said)


# ---- renewals ----


def renewed(page, request):
    """What became of it: the next certificate, or what the service said."""
    try:
        pem = page.call("Renew", **fields(request)).certificate
    except grpc.RpcError as error:
        assert not [c for c in page.listed().values() if c.renewal and c.state == "issued" and c.key], error
        return Outcome(False, error.details(), 0)
    assert ": OK" in page.verify(pem)
    return Outcome(True, gained=len(pem))


@row("certificate-renewal-of-a-revoked-one", NONE)
def renews_a_revoked_one(evil):
    """Whoever stole a key renews its certificate after it was revoked."""
    with Issuer() as page:
        issued = first(page)
        if evil:
            page.call("Revoke", serial=issued.serial)
        return renewed(page, renewal(page, issued.serial, load(page.keys("k.pem")), "next"))


@row("certificate-renewal-that-outlives-its-ancestor", "certificate revoked")
def outlives_its_ancestor(evil):
    """A stolen key's certificate is renewed twice before it is revoked by the only serial number that anybody knows, after it
    has ended."""
    with Issuer() as page:
        issued = first(page)
        second = page.call("Renew", **fields(renewal(page, issued.serial, load(page.keys("k.pem")), "k2")))
        third = page.call("Renew", **fields(renewal(page, second.serial, load(page.keys("k2.pem")), "k3")))
        page.change(f"UPDATE certificates SET until = issued + 1 WHERE serial = '{issued.serial}'")
        if evil:
            page.call("Revoke", serial=issued.serial)
        said = page.verify(third.certificate)
        return Outcome(": OK" in said, said)


@row("certificate-renewal-of-one-that-has-ended", NONE)
def renews_one_that_has_ended(evil):
    """A key from a discarded disk, whose certificate has ended."""
    with Issuer() as page:
        issued = first(page)
        page.change(f"UPDATE certificates SET until = until - {86400000 if evil else 1000}")
        return renewed(page, renewal(page, issued.serial, load(page.keys("k.pem")), "next"))


@row("certificate-renewal-without-its-key", "the certificate's key has not signed it")
def renews_without_its_key(evil):
    """A certificate is public, and so are its serial number and key: the attacker signs with a key of his own."""
    with Issuer() as page:
        issued = first(page)
        page.request(name="thief")
        by = load(page.keys("thief.pem")) if evil else None
        return renewed(page, renewal(page, issued.serial, load(page.keys("k.pem")), "next", by=by))


@row("certificate-renewal-for-the-attackers-key", "the certificate's key has not signed it")
def renewal_for_another_key(evil):
    """Somebody on the way puts a request for his own key into a renewal."""
    with Issuer() as page:
        issued = first(page)
        request = renewal(page, issued.serial, load(page.keys("k.pem")), "next")
        if evil:
            request.request = page.request(name="thief")
        return renewed(page, request)


@row("certificate-renewal-by-the-same-key-for-another", "the request is for another key, and the renewal for the same")
def same_key_for_another(evil):
    """A renewal for the same key, whose request is for another one."""
    with Issuer() as page:
        issued = first(page)
        if evil:
            page.request(name="k2")
        return renewed(page, renewal(page, issued.serial, load(page.keys("k.pem")), "k2" if evil else "k", same=True))


@row("certificate-renewal-replayed", "answered before")
def renewal_replayed(evil):
    """What was overheard is sent once more, to use up what the owner may have in a day."""
    with Issuer() as page:
        issued = first(page)
        request = renewal(page, issued.serial, load(page.keys("k.pem")), "next")
        if not evil:
            return renewed(page, request)
        page.call("Renew", **fields(request))
        try:
            page.call("Renew", **fields(request))
        except grpc.RpcError as error:
            return Outcome(False, error.details(), 0)
        return Outcome(True)


@row("certificate-renewal-of-an-administrator-who-was-removed", NONE)
def renewal_by_who_was_removed(evil):
    """An administrator of the service who was removed renews what he had made for himself."""
    with Issuer() as page:
        page.root("AddUser", name="chief", administrator=True)
        issued = first(page, by=page.root("AddToken", user="chief", name="t").token)
        if evil:
            page.root("RemoveUser", name="chief")
        return renewed(page, renewal(page, issued.serial, load(page.keys("k.pem")), "next"))


@row("certificate-renewals-without-end", "4 times within 24 hours")
def renewals_without_end(evil):
    """A thief fills the authority's records with renewals."""
    with Issuer() as page:
        issued = first(page)
        key, said = load(page.keys("k.pem")), ""
        for i in range(8 if evil else 4):
            try:
                page.call("Renew", **fields(renewal(page, issued.serial, key, f"n{i}")))
            except grpc.RpcError as error:
                said = error.details()
        assert len([c for c in page.listed().values() if c.renewal]) == 4
        return Outcome(not said, said)


# ---- what is asked about certificates ----

WORDS = {MALFORMED: "malformedRequest", TRY_LATER: "tryLater", UNAUTHORIZED: "unauthorized"}


def answered(answer):
    """Whether a status came, or which refusal of RFC 6960."""
    if answer.status != 200:
        return Outcome(False, f"HTTP {answer.status}", 0)
    if answer.body in WORDS:
        return Outcome(False, WORDS[answer.body], 0)
    status = ocsp.load_der_ocsp_response(answer.body).certificate_status
    return Outcome(status == ocsp.OCSPCertStatus.GOOD, str(status), len(answer.body))


@row("certificate-status-of-a-revoked-one", "asked.pem: revoked")
def status_of_a_revoked_one(evil):
    """A stolen certificate is shown to somebody who asks the service whether it is good."""
    with Status() as page:
        issued = first(page)
        if evil:
            page.call("Revoke", serial=issued.serial)
        said = page.openssl(issued)
        assert "Response verify OK" in said, said
        return Outcome("asked.pem: good" in said, said)


@row("certificate-status-replayed", "Nonce Verify error")
def status_replayed(evil):
    """Somebody on the way gives the answer of before the revocation."""
    with Status() as page:
        issued = first(page)
        kept, asked = page.keys("kept"), page.keys("asked")
        files = ("-issuer", page.keys("ca.pem"), "-CAfile", page.keys("ca.pem"), "-no_nonce")  # but that of the request
        page.openssl(issued, "-respout", kept, "-reqout", asked)
        if evil:
            page.openssl(issued, "-reqout", asked)
        said = openssl("ocsp", *files, "-reqin", asked, "-respin", kept, fails=True).decode()
        return Outcome("Response verify OK" in said and "Nonce Verify error" not in said, said)


@row("certificate-status-of-another-authoritys", "unauthorized")
def status_of_another_authoritys(evil):
    """An authority of the same name, whose certificates the service is to vouch for."""
    with Status() as page, Folder() as other:
        make_authority(other)
        authority = x509.load_pem_x509_certificate(read(other("ca.pem"))) if evil else authority_of(page)
        return answered(page.post(question(first(page), authority)))


@row("certificate-status-of-many-at-once", "malformedRequest")
def status_of_many(evil):
    """One small request about as many certificates as fit in, each of which is looked up."""
    with Status() as page:
        asked = question(first(page), authority_of(page))
        one = asked[6:] if evil else b""
        return answered(page.post(der(0x30, der(0x30, der(0x30, *[one] * 9))) if evil else asked))


@row("certificate-status-request-of-many-bytes", "HTTP 413")
def status_request_of_many_bytes(evil):
    """A request that is much longer than any. More of it would be cut off, perhaps before the answer is read."""
    with Status() as page:
        return answered(page.post(os.urandom(1 << 14) if evil else question(first(page), authority_of(page))))


@row("certificate-status-request-that-is-cut", "malformedRequest")
def status_request_that_is_cut(evil):
    """A request that ends in its middle."""
    with Status() as page:
        asked = question(first(page), authority_of(page))
        return answered(page.post(asked[:len(asked) // 2] if evil else asked))


@row("certificate-status-request-with-a-long-nonce", "malformedRequest")
def status_request_with_a_long_nonce(evil):
    """A nonce of an attacker's making, which the responder would sign: longer than RFC 9654 lets it be."""
    with Status() as page:
        return answered(page.post(question(first(page), authority_of(page), nonce=os.urandom(1024 if evil else 128))))


@row("certificate-status-without-end", "tryLater")
def status_without_end(evil):
    """One address has the responder sign as fast as it can."""
    with Status() as page:
        asked, got = question(first(page), authority_of(page)), []

        def take():
            while TRY_LATER not in got and len(got) < (10000 if evil else 50):
                got.append(page.post(asked).body)

        threads = [threading.Thread(target=take) for _ in range(16 if evil else 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # Others are answered meanwhile.
        assert page.post(asked, address="127.0.0.9").body not in WORDS
        return Outcome(TRY_LATER not in got, "tryLater" if TRY_LATER in got else "", 0 if evil else sum(map(len, got)))


# ---- an agent that gets its certificate itself ----

TAKEN = r"certificate [0-9a-f]+ of agent '[^']+' issued, until"


def of_agent(start, refusal):
    """What becomes of an agent that asks for its first certificate: it has one, or says in that line why not."""
    with running(start) as agent:
        until(lambda: agent.process.poll() is not None or refusal in agent.output() or "issued, until" in agent.output(),
              "a certificate, or a refusal")
        text = agent.output()
        has_one = "issued, until" in text
        assert has_one or agent.process.poll() is None or agent.process.wait() == 1
        return Outcome(has_one, "" if has_one else text, len(text) if has_one else 0)


def own(evil, token, reason):
    """Our service; token(page, evil) is what the agent is told."""
    with Folder() as tls:
        authority(tls)
        with own_service(tls) as page:
            return of_agent(lambda: own_agent(page, tls, token(page, evil)), reason)


@row("certificate-token-that-the-host-used-first", OVER)
def token_that_the_host_used(evil):
    """The host reads the token in the boot configuration and gets itself the agent's certificate: the agent has none, and
    ends with a line that says so."""
    def token(page, evil):
        made = page.token("cvm-1")
        if evil:
            page.issue(made.token)
        return made.token
    return own(evil, token, OVER)


@row("certificate-token-of-another-cvm", "and not for 'cvm-1'")
def token_of_another(evil):
    """The host gives a CVM the token of another one: it would call the service under that one's name."""
    return own(evil, lambda page, evil: page.token("cvm-2" if evil else "cvm-1").token, "and not for 'cvm-1'")


@row("certificate-token-of-a-person", "it is of role 'person', and not an agent's")
def token_of_a_person(evil):
    """A CVM is given a token for a person's certificate."""
    def token(page, evil):
        page.root("AddUser", name="cvm-1")
        return page.token("cvm-1", "person" if evil else "agent").token
    return own(evil, token, "it is of role 'person'")


@row("certificate-authority-in-between", "UNAVAILABLE")
def authority_in_between(evil):
    """Somebody between the CVM and the authority answers in its place, to get the token."""
    with Folder() as other:
        authority(other)
        certs = {"ca.pem": read(other("ca.pem")).decode()} if evil else None
        with site(certs=certs) as (ca, service, start):
            # The honest one trusts whoever signed the certificate that it meets.
            with running(start) as agent:
                if evil:
                    said(agent, "issue of a certificate by .*: UNAVAILABLE")
                else:
                    said(agent, TAKEN)
                assert bool(ca.asked) != evil and (not evil or ca.token)
                return Outcome(not evil, agent.output(), 0 if evil else len(ca.asked))


def lie(kind, name):
    """A row in which the authority answers with that kind of LIES."""
    spoil, words = LIES[kind]

    def decorate(function):
        def attempt(evil):
            with site() as (ca, _, start):
                ca.spoil = spoil if evil else None
                return of_agent(start, words)
        attempt.__doc__, attempt.__module__ = function.__doc__, function.__module__
        return row("certificate-answer-" + name, words)(attempt)
    return decorate


@lie("another-key", "for-another-key")
def answer_for_another_key():
    """The authority's answer is a certificate for another key, whose owner then is the agent's equal."""


@lie("another-common-name", "with-another-name")
def answer_of_another_name():
    """The certificate is another one's, and the answer says that it is the agent's."""


@lie("two-spiffe-ids", "with-a-second-name")
def answer_of_two():
    """The certificate is the agent's, and a manager's besides."""


@lie("an-authority", "that-is-an-authority")
def answer_of_an_authority():
    """The certificate may issue others."""


@lie("for-both", "for-servers-too")
def answer_for_servers():
    """The certificate is for servers, too."""


@lie("weak", "of-a-weak-authority")
def answer_of_a_weak_authority():
    """The certificate is signed by a key that others could compute."""


@lie("ended", "that-has-ended")
def answer_that_has_ended():
    """The certificate has ended."""


@lie("long", "that-lasts-for-years")
def answer_that_is_long():
    """The certificate is for years."""


@lie("another-signer", "of-another-signer")
def answer_of_another_signer():
    """The certificate is not signed by who is said to have signed it."""


@lie("two", "with-two-authorities")
def answer_with_two():
    """There are two authorities where one signed it."""


@row("certificate-answer-without-end", "RESOURCE_EXHAUSTED")
def answer_without_end(evil):
    """An answer that is larger than any certificate is: it is not held in memory."""
    with site() as (ca, _, start):
        ca.spoil = (lambda plan: plan.said.update(certificate="A" * (1 << 20))) if evil else None
        return of_agent(start, "RESOURCE_EXHAUSTED")


@row("certificate-renewal-by-another-authority", "of another authority than the certificate that it renews")
def renewal_by_another(evil):
    """Who has taken the authority's place over renews by a key of his own: the agent stays with what it has."""
    words = "of another authority than the certificate that it renews"
    with site(**DUE) as (ca, service, start):
        ca.spoil, ca.spoils = (lambda plan: setattr(plan, "root", OTHER_ROOT)) if evil else None, ("Renew",)
        with running(start) as agent:
            service.wait_connected()
            said(agent, words if evil else "is a renewal, until")
            service.catch_up()
            assert not evil or service.connections == 1
            return Outcome(not evil, agent.output(), 0 if evil else len(ca.renewed))


OTHER_ROOT = Root()


@row("certificate-renewal-of-a-revoked-agent", NONE)
def renewal_of_a_revoked_agent(evil):
    """An agent whose certificate was revoked asks for the next one."""
    with Folder() as tls, Folder() as clock:
        authority(tls)
        ahead = clock.write("ahead", "0")
        with own_service(tls) as page:
            made = page.token("cvm-1")
            wrapper = ["env", f"LD_PRELOAD={AHEAD}", f"COCOS_CLOCK_AHEAD={ahead}"]
            with running(lambda: own_agent(page, tls, made.token, wrapper)) as agent:
                said(agent, TAKEN)
                if evil:
                    page.call("Revoke", serial=made.serial)
                clock.write("ahead", str(17 * 3600))
                said(agent, NONE if evil else "is a renewal, until")
                clock.write("ahead", "0")
                rows = [c for c in page.listed().values() if c.renewal]
                assert bool(rows) != evil, rows
                return Outcome(not evil, agent.output(), len(rows))


def without_it(page, made, **fields):
    """What the host gets for the token of an agent, which must still be good for that agent."""
    try:
        page.call("Issue", token=made.token, **fields)
    except grpc.RpcError as error:
        assert page.listed()[made.serial].state == "open"
        return Outcome(False, error.details(), 0)
    return Outcome(True)


def with_it(page, tls, tee, made):
    return of_agent(of_machine(page, tls, tee, made.token), "there is no certificate")


@row("certificate-token-without-evidence", "for evidence of their key alone")
def token_without_evidence(evil):
    """The host reads the token in the boot configuration; the service wants evidence besides (COMPUTATIONS_CA_EVIDENCE)."""
    with proving() as (page, tls, tee):
        made = page.token()
        return without_it(page, made, request=page.request()) if evil else with_it(page, tls, tee, made)


@row("certificate-for-evidence-that-an-agent-gave-the-host", "of another identity than the one that has signed")
def evidence_that_was_given(evil):
    """Agents give evidence for any caller's nonce: the host asks a genuine one for that of a request of its own."""
    with proving() as (page, tls, tee):
        made = page.token()
        if not evil:
            return with_it(page, tls, tee, made)
        key, request = ec.generate_private_key(ec.SECP256R1()), page.request(name="thief")
        message = about(made.token, request)
        evidence = evidence_of_a_genuine_agent(page, tls, tee, hashlib.sha256(message).digest())
        return without_it(page, made, request=request, evidence=evidence, identity=spki(key.public_key()),
                          signature=key.sign(message, ec.ECDSA(hashes.SHA256())))


@row("certificate-for-evidence-of-another-image", "policy.measurement")
def evidence_of_another_image(evil):
    """The machine is genuine, and what runs in it is not what the service's policy expects."""
    with proving(**({"measurement": "5a" * 48} if evil else {})) as (page, tls, tee):
        return with_it(page, tls, tee, page.token())


@row("certificate-key-of-another-token", "the key is another certificate's")
def key_of_another_token(evil):
    """Somebody at the HSM puts a token of the same name there, with a key of the same name, which he knows."""
    with Hsm() as hsm, Devices(hsm) as page:
        token, request = page.token().token, page.request()
        hsm.go()
        if evil:
            with Hsm() as other, Folder() as folder:
                assert make(folder, other.where()).returncode == 0
                os.rename(other.tokens, hsm.tokens)
        else:
            hsm.come()
        return asked(page, token, request)


@row("certificate-token-locked-by-restarts", "wrong PIN")
def token_locked_by_restarts(evil):
    """Who can make the service start again and again has it lock its token, by a PIN that is wrong once."""
    with Hsm() as hsm, Devices(hsm) as page:
        token, request = page.token().token, page.request()
        if evil:
            hsm.pin("654321")
        for _ in range(12):
            page.again()
        answer = asked(page, token, request)
        hsm.login()  # it has not been locked
        return answer
