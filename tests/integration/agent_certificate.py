#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The agent's certificate for the computation service: issued for a token, renewed by the old key, by the service's authority
and by one that was written independently; and all that it does not believe."""
import contextlib
import datetime
import hashlib
import json
import os
import re
import signal
import socket
import threading

import grpc
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

import tap
from agent_job import ALGO_KEY, manifest
from agent_peer import AGENT, Agent, Client, Service, cvms_pb2, free_port
from ca_peer import HOUR, Code, PeerAuthority, Root, spki
from certificates import Issuer
from harness import PATIENCE, Folder, authority, certificates, certificates_grpc, read, until
from people import OK
from teesim import MEASUREMENT, Teesim

AHEAD = os.path.join(os.path.dirname(AGENT), "tests", "integration", "libclock_ahead.so")
DUE = {"ago": 17 * HOUR, "left": 7 * HOUR}  # two thirds of its time are over when it is issued


def settings(url, token="a-token", **more):
    return {"AGENT_CVM_CA_URL": url, "AGENT_CERTS_TOKEN": token,
            "AGENT_CVM_GRPC_SERVER_CA_CERTS": "/etc/certs/ca.pem", **more}


def said(agent, pattern, times=1):
    """Waits until the agent's log has it."""
    def look():
        found = re.findall(pattern, agent.output())
        assert agent.process.poll() is None or len(found) >= times, agent.output()
        return found if len(found) >= times else None
    return until(look, pattern)


@contextlib.contextmanager
def site(client_ca=None, certs=None, token="a-token", more=None, **peer):
    """A peer's authority and service, and an agent that is told of them."""
    with Folder() as tls:
        authority(tls)
        with PeerAuthority(tls, **peer) as ca:
            service = Service(tls=(read(tls("server.pem")).decode(), read(tls("server-key.pem")).decode()),
                              client_ca=client_ca or ca.root.pem)
            try:
                def start():
                    return Agent(service, settings=settings(ca.url, token, **(more or {})),
                                 certs=certs or {"ca.pem": read(tls("ca.pem")).decode()})
                yield ca, service, start
            finally:
                service.stop()


@contextlib.contextmanager
def running(start):
    agent = start()
    try:
        yield agent
    finally:
        agent.remove()


def ended(start):
    """What an agent says that ends by itself."""
    agent = start()
    try:
        assert agent.process.wait(180) == 1, agent.output()
        return agent.output()
    finally:
        agent.remove()


def an_authority_issues_for_the_token_and_the_service_wants_it():
    with site() as (ca, service, start), running(start) as agent:
        service.wait_connected()
        said(agent, r"certificate [0-9a-f]+ of agent 'cvm-1' issued, until .*; the next one at ")
        service.catch_up()
        assert ca.asked == ["Issue"] and not ca.complaints, ca.complaints
        # The service is told, too, and neither of them the token or the key.
        service.wait(lambda s: "issued, until" in s.log_text())
        for text in (agent.output(), service.log_text()):
            assert "a-token" not in text and "PRIVATE" not in text, text
        assert agent.stop() == 0, agent.output()


def it_is_renewed_by_its_key_and_the_connection_goes_over():
    with site(**DUE) as (ca, service, start), running(start) as agent:
        service.wait_connected()
        service.send(agentStateReq=cvms_pb2.AgentStateReq(id="one"))
        service.wait(lambda s: s.of("agent_state_res"))
        # Each renews the one before, by a new key; the next connection takes over.
        until(lambda: len(ca.renewed) >= 2, "two renewals")
        service.wait(lambda s: s.connections >= 3)
        said(agent, "the next certificate's connection took over", 2)
        assert not ca.complaints, ca.complaints
        assert len({str(k.public_numbers()) for k, _ in ca.issued.values()}) == len(ca.issued)
        service.catch_up()
        assert ca.asked[0] == "Issue" and set(ca.asked[1:]) == {"Renew"}, ca.asked
        assert "calling again" not in agent.output(), agent.output()
        assert agent.stop() == 0, agent.output()


def ticks(service):
    return [int(m.message.split()[-1]) for m in service.of("agent_log") if m.message.startswith("algorithm: tick ")]


def a_computation_goes_on_meanwhile():
    algo = b"#!/bin/sh\ni=0\nwhile :; do i=$((i+1)); echo tick $i; sleep 0.2; done\n"
    with site(**DUE) as (ca, service, start), running(start) as agent:
        service.wait_connected()
        port = free_port()
        service.send(runReq=manifest(port, algo=algo, datasets=[]))
        assert service.answer_to_run().error == ""
        client = Client(port)
        client.algo(algo, ALGO_KEY)
        service.wait(ticks)
        before, connections = len(ca.renewed), service.connections
        until(lambda: len(ca.renewed) > before, "a renewal")
        service.wait(lambda s: s.connections > connections)
        said(agent, "the next certificate's connection took over")
        last = max(ticks(service))
        # None of its lines is missing; what was on its way when the connections changed may come twice, as after a break,
        # and be read behind what the next connection brings.
        service.wait(lambda s: max(ticks(s)) > last + 5 and len(set(ticks(s))) == max(ticks(s)))
        assert client.status().state == "Running", client.status()
        assert not [e for e in service.events() if "Failed" in e], service.events()
        client.close()
        assert agent.stop() == 0, agent.output()


def what_passes_is_tried_again():
    answers = [(Code.UNAVAILABLE, "later"), (Code.RESOURCE_EXHAUSTED, "busy"), (Code.INTERNAL, "oh"), None]
    with site() as (ca, service, start):
        ca.fail = lambda kind: answers.pop(0) if answers else None
        with running(start) as agent:
            service.wait_connected()
            for words in ("UNAVAILABLE: 'later'", "RESOURCE_EXHAUSTED: 'busy'", "INTERNAL: 'oh'"):
                assert words in agent.output(), agent.output()
            assert ca.asked == ["Issue"] * 4


def an_authority_that_comes_later_is_found():
    with site() as (ca, service, start):
        ca.server.stop(0).wait()
        with running(start) as agent:
            said(agent, "issue of a certificate by .*: UNAVAILABLE", 2)
            assert service.connections == 0 and agent.process.poll() is None
            # A stop does not wait for it.
            assert agent.stop() == 0, agent.output()


def what_does_not_pass_ends_the_agent():
    with site(token="another") as (ca, service, start):
        said_by_it = ended(start)
        assert "there is no certificate for this agent: " in said_by_it and "is none of ours" in said_by_it, said_by_it
        assert ca.asked == ["Issue"] and service.connections == 0
        assert "another" not in said_by_it
    with site() as (ca, _, start):
        with running(start) as agent:
            said(agent, "issued, until")
        # Its key is nowhere: whoever starts it again needs another token.
        assert "is none of ours" in ended(start)


def a_renewal_that_is_refused_leaves_the_old_one():
    with site(**DUE) as (ca, service, start):
        ca.fail = lambda kind: (Code.UNAUTHENTICATED, "revoked") if kind == "Renew" else None
        with running(start) as agent:
            service.wait_connected()
            said(agent, "renewal of a certificate by .*: UNAUTHENTICATED: 'revoked'; trying again", 2)
            service.catch_up()
            assert service.connections == 1
            ca.fail = None
            service.wait(lambda s: s.connections >= 2)
            said(agent, "is a renewal, until")


# What the authority does to what it should sign, and what the agent says of it.
def _end(plan):
    plan.end = datetime.datetime.utcnow() - HOUR


def _early(plan):
    plan.start, plan.end = datetime.datetime.utcnow() + HOUR, datetime.datetime.utcnow() + 2 * HOUR


def _long(plan):
    plan.end = plan.start + 24 * 31 * HOUR + 2 * HOUR


def _unsigned(plan):
    plan.said["authority"] = Root().pem


def _no_authority(plan):
    plan.root = Root(ca=False)


def _set(**values):
    def spoil(plan):
        for name, value in values.items():
            setattr(plan, name, value)
    return spoil


def _say(**values):
    return lambda plan: plan.said.update(values)


LIES = {
    "another-key": (lambda plan: setattr(plan, "key", ec.generate_private_key(ec.SECP256R1()).public_key()),
                    "it is for another key"),
    "another-name": (_set(name="cvm-2", common=["cvm-2"], uri=["spiffe://peer/agent/cvm-2"]), "it is for 'cvm-2'"),
    "another-common-name": (_set(common=["cvm-2"]), "it is not for 'cvm-1'"),
    "two-common-names": (_set(common=["cvm-1", "root"]), "it is not for 'cvm-1'"),
    "another-spiffe-id": (_set(uri=["spiffe://peer/person/cvm-1"]), "it is not for 'cvm-1'"),
    "a-deeper-spiffe-id": (_set(uri=["spiffe://peer/x/agent/cvm-1"]), "it is not for 'cvm-1'"),
    "two-spiffe-ids": (_set(uri=["spiffe://peer/agent/cvm-1", "spiffe://peer/manager/h"]), "it is not for 'cvm-1'"),
    "no-spiffe-id": (_set(uri=[]), "it is not for 'cvm-1'"),
    "another-role": (_set(role="person"), "it is of role 'person'"),
    "an-authority": (_set(ca=True), "it is an authority's"),
    "signs-certificates": (_set(signs_certificates=True), "it is an authority's"),
    "may-not-sign": (_set(may_sign=False), "its key may not sign"),
    "for-servers": (_set(usage=[ExtendedKeyUsageOID.SERVER_AUTH]), "it is not for TLS clients and for nothing else"),
    "for-both": (_set(usage=[ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), "and for nothing else"),
    "for-anything": (_set(usage=[]), "and for nothing else"),
    "critical-extension": (_set(unknown_critical=True), "a critical extension that nobody knows"),
    "weak": (lambda plan: setattr(plan, "root", Root(key=rsa.generate_private_key(65537, 1024))),
             "its authority's key is of no kind that is taken"),
    "ended": (_end, "it has ended, at "),
    "early": (_early, "it is not valid before "),
    "long": (_long, "it is for more than 31 days"),
    "another-signer": (_unsigned, "it is not signed by the authority that came with it"),
    "a-signer-that-may-not": (_no_authority, "it is not signed by the authority that came with it"),
    "another-serial": (_say(serial="0011"), "and the answer says '0011'"),
    "no-certificate": (_say(certificate=""), "certificate: there is no certificate in PEM"),
    "text-before": (lambda plan: plan.said.update(certificate="x" + plan.root.pem), "there is no certificate in PEM"),
    "two": (lambda plan: plan.said.update(authority=plan.root.pem * 2), "authority: something is behind the certificate"),
    "large": (_say(certificate="-----BEGIN CERTIFICATE-----\n" + "A" * 16384), "more than 16384 bytes of PEM"),
}


def a_lie_is_not_believed():
    for name, (spoil, words) in LIES.items():
        with site() as (ca, service, start):
            ca.spoil = spoil
            text = ended(start)
            assert "the authority's certificate is refused: " in text and words in text, (name, text)
            assert service.connections == 0, name


def a_lie_is_not_believed_of_a_renewal():
    """The old certificate and its connection stay, and the next one that is right is taken."""
    other = Root()
    for spoil, words in (LIES["another-key"], (_set(root=other), "of another authority than the certificate that it renews"),
                         LIES["an-authority"]):
        with site(**DUE) as (ca, service, start):
            ca.spoil, ca.spoils = spoil, ("Renew",)
            with running(start) as agent:
                service.wait_connected()
                said(agent, "renewal of a certificate by .*: INVALID_ARGUMENT: .*" + re.escape(words))
                service.catch_up()
                assert service.connections == 1
                ca.spoil = None
                # Who spoke last knows only what it signed: the agent shows what it had.
                said(agent, "is a renewal, until")
                service.wait(lambda s: s.connections >= 2)


def an_answer_without_end_is_not_read():
    with site() as (ca, service, start):
        ca.spoil = _say(certificate="A" * 70000)
        with running(start) as agent:
            said(agent, "issue of a certificate by .*: RESOURCE_EXHAUSTED")
            assert service.connections == 0


def the_authority_is_known_by_the_measured_file():
    with Folder() as other:
        authority(other)
        with site(certs={"ca.pem": read(other("ca.pem")).decode()}) as (ca, service, start), running(start) as agent:
            said(agent, "issue of a certificate by .*: UNAVAILABLE: .*certificate", 2)
            assert not ca.asked and ca.token == "a-token" and service.connections == 0


def settings_that_do_not_fit_are_refused():
    def refused(words, certs=True, **more):
        agent = Agent(None, settings=more, certs={"ca.pem": Root().pem, "cert.pem": "x", "key.pem": "x"} if certs else {})
        try:
            assert agent.process.wait(180) == 1
            assert words in agent.output() and "s3cret" not in agent.output(), (words, agent.output())
        finally:
            agent.remove()
    good = settings("https://ca.example.org", "s3cret")
    refused("AGENT_CVM_CA_URL and AGENT_CERTS_TOKEN go together", AGENT_CVM_CA_URL="https://a")
    refused("AGENT_CVM_CA_URL and AGENT_CERTS_TOKEN go together", AGENT_CERTS_TOKEN="s3cret")
    refused("needs AGENT_CVM_GRPC_SERVER_CA_CERTS", **{**good, "AGENT_CVM_GRPC_SERVER_CA_CERTS": ""})
    refused("the folder has no ca.pem", certs=False, **good)
    refused("leave out AGENT_CVM_GRPC_CLIENT_CERT", **good, AGENT_CVM_GRPC_CLIENT_CERT="/etc/certs/cert.pem",
            AGENT_CVM_GRPC_CLIENT_KEY="/etc/certs/key.pem")
    refused("is not https://HOST[:PORT]", **{**good, "AGENT_CVM_CA_URL": "http://ca.example.org"})
    refused("only host and port are wanted", **{**good, "AGENT_CVM_CA_URL": "https://ca.example.org/v1"})
    refused("set AGENT_CVM_ID", **good, AGENT_CVM_ID="")
    refused("AGENT_CVM_ID: the name 'a/b' is not", **good, AGENT_CVM_ID="a/b")
    refused("AGENT_CERTS_TOKEN: the name in front of the ':' is not", **{**good, "AGENT_CERTS_TOKEN": ":s3cret"})


@contextlib.contextmanager
def own_service(tls, **more):
    """Our service with its authority; agents and administrators come over TLS."""
    listen = {"GRPC_SERVER_CERT": tls("server.pem"), "GRPC_SERVER_KEY": tls("server-key.pem"), "ADMIN_PORT": "0",
              "ADMIN_SIGN_IN": "true", "ADMIN_SERVER_CERT": tls("server.pem"), "ADMIN_SERVER_KEY": tls("server-key.pem")}
    with Issuer(["GRPC_CLIENT_CA_CERTS"], **listen, **more) as page:
        page.admin = page.service.process.wait_line(r"administrators: listening on \S+ port (\d+) \(TLS\)")[1]
        yield page


def own_agent(page, tls, token, wrapper=(), options=(), **more):
    return Agent(page.service, options=options, settings={**settings(f"https://localhost:{page.admin}", token), **more,
                                         "AGENT_CVM_GRPC_URL": f"localhost:{page.service.port}"},
                 certs={"ca.pem": read(tls("ca.pem")).decode()}, wrapper=wrapper)


def our_service_issues_and_renews():
    assert os.path.exists(AHEAD), AHEAD
    with Folder() as tls, Folder() as clock:
        authority(tls)
        ahead = clock.write("ahead", "0")
        with own_service(tls) as page:
            made = page.token("vm-a")
            wrapper = ["env", f"LD_PRELOAD={AHEAD}", f"COCOS_CLOCK_AHEAD={ahead}"]
            with running(lambda: own_agent(page, tls, "vm-a:" + made.token, wrapper)) as agent:
                said(agent, f"certificate {made.serial} of agent 'vm-a' issued, until")
                said(agent, "computation service .*: connected")
                # Seventeen hours later; then it is today again.
                clock.write("ahead", str(17 * 3600))
                said(agent, "is a renewal, until")
                clock.write("ahead", "0")
                said(agent, "the next certificate's connection took over")
                rows = sorted(page.listed().values(), key=lambda c: c.renewal)
                assert [c.line for c in rows] == [made.serial] * len(rows) and len(rows) >= 2, rows
                assert len({c.key for c in rows}) == len(rows)
                # Whoever revokes it ends its connection, and all of its line.
                page.call("Revoke", serial=made.serial)
                said(agent, "computation service .*: (UNAVAILABLE|UNAUTHENTICATED|CANCELLED|ABORTED|INTERNAL).*calling again")
            # The token is used up.
            again = own_agent(page, tls, "vm-a:" + made.token)
            try:
                assert again.process.wait(180) == 1
                assert "this token was used or revoked" in again.output(), again.output()
            finally:
                again.remove()
            # Another's token is for another name.
            other = page.token("vm-b")
            wrong = own_agent(page, tls, other.token)
            try:
                assert wrong.process.wait(180) == 1
                assert "it is for 'vm-b', and not for 'cvm-1'" in wrong.output(), wrong.output()
            finally:
                wrong.remove()


@contextlib.contextmanager
def proving(**facts):
    """Our service, which wants evidence of agents, and one machine's simulated hardware."""
    with Folder() as tls, Folder() as folder, Teesim(folder, "snp", **facts) as tee:
        authority(tls)
        policy = folder.write("policy.json", json.dumps({"cocos": 1, "snp": {"measurements": [MEASUREMENT]}}))
        with own_service(tls, CA_EVIDENCE="true", ATTESTATION_POLICY=policy, ATTESTATION_ROOT=tee.root,
                         ATTESTATION_OFFLINE="true") as page:
            yield page, tls, tee


def of_machine(page, tls, tee, token):
    return lambda: own_agent(page, tls, token, options=["--tsm", tee.mount] if tee else [])


def about(token, request):
    """As certificates.proto says it."""
    return b"cocos-certificate-evidence-v1\0" + hashlib.sha256(token.encode()).digest() + hashlib.sha256(request).digest()


def evidence_of_a_genuine_agent(page, tls, tee, nonce):
    """Agents give it to anybody, for any nonce: here to the service that one was told of."""
    made = page.token("helper")
    spare = Service(tls=(read(tls("server.pem")).decode(), read(tls("server-key.pem")).decode()))
    agent = Agent(spare, options=["--tsm", tee.mount], certs={"ca.pem": read(tls("ca.pem")).decode()},
                  settings={"AGENT_CVM_GRPC_SERVER_CA_CERTS": "/etc/certs/ca.pem"})
    try:
        spare.wait_connected()
        spare.send(attestationReq=cvms_pb2.AttestationReq(nonce=nonce, type=0))
        got = spare.wait(lambda s: s.of("vTPMattestationReport"))[0]
        assert got.file, got
        return got.file
    finally:
        page.call("Revoke", serial=made.serial)
        agent.remove()
        spare.stop()


def evidence_is_wanted_and_shown():
    with proving() as (page, tls, tee):
        made = page.token()
        # Whoever has the token has no certificate, and has not used it up.
        assert page.code("Issue", token=made.token, request=page.request()) == Code.FAILED_PRECONDITION
        with running(of_machine(page, tls, tee, made.token)) as agent:
            said(agent, f"certificate {made.serial} of agent 'cvm-1' issued, until")
            said(agent, "computation service .*: connected")
        # Others have none to show.
        assert page.code("Issue", token=page.token("vm1.example.org", "manager").token, request=page.request()) == OK


def without_evidence_there_is_none():
    with proving() as (page, tls, _):
        made = page.token()
        assert "for evidence of their key alone" in ended(of_machine(page, tls, None, made.token))
        assert page.listed()[made.serial].state == "open"


def another_image_has_none():
    with proving(measurement="5a" * 48) as (page, tls, tee):
        made = page.token()
        text = ended(of_machine(page, tls, tee, made.token))
        assert "the agent's evidence: SIMULATED refused: policy.measurement" in text, text
        assert page.listed()[made.serial].state == "open"


def evidence_that_an_agent_gives_anybody_is_not_enough():
    with proving() as (page, tls, tee):
        made, key = page.token(), ec.generate_private_key(ec.SECP256R1())
        request = page.request(name="thief")
        message = about(made.token, request)
        token = evidence_of_a_genuine_agent(page, tls, tee, hashlib.sha256(message).digest())
        mine = spki(key.public_key())
        fields = {"token": made.token, "request": request, "evidence": token, "identity": mine,
                  "signature": key.sign(message, ec.ECDSA(hashes.SHA256()))}
        assert "of another identity than the one that has signed" in page.said("Issue", **fields)
        assert "the identity has not signed this request" in page.said("Issue", **{**fields, "request": page.request()})
        assert "the identity has not signed this request" in page.said("Issue", **{**fields, "signature": b"x"})
        assert "identity: " in page.said("Issue", **{**fields, "identity": b""})
        assert page.code("Issue", **{**fields, "evidence": token[:-1]}) == Code.PERMISSION_DENIED
        assert page.code("Issue", **{**fields, "evidence": b"x"}) == Code.PERMISSION_DENIED
        assert page.code("Issue", **{**fields, "evidence": b""}) == Code.FAILED_PRECONDITION
        assert page.code("Issue", **{**fields, "identity": bytes(2049)}) == Code.INVALID_ARGUMENT
        assert page.code("Issue", **{**fields, "signature": bytes(1025)}) == Code.INVALID_ARGUMENT
        other = page.token("cvm-1")
        assert page.code("Issue", **{**fields, "token": other.token}) == Code.PERMISSION_DENIED
        assert page.code("Issue", **{**fields, "token": "0" * 64}) == Code.UNAUTHENTICATED
        # None of it has used the token up.
        assert page.listed()[made.serial].state == "open"
        with running(of_machine(page, tls, tee, made.token)) as agent:
            said(agent, f"certificate {made.serial} of agent 'cvm-1' issued, until")


class Keeps(PeerAuthority):
    """Has an agent come to it with what is for another authority."""

    def Issue(self, request, context):
        self.kept = request  # pylint: disable=attribute-defined-outside-init
        context.abort(Code.UNAUTHENTICATED, "kept")


@contextlib.contextmanager
def way_that_breaks(path):
    """Connections to that socket: (where, how many bytes went there so far, what ends them)."""
    with Folder() as folder, socket.socket(socket.AF_UNIX) as listener:
        ends, sent = [], [0]

        def pump(source, sink, is_counted):
            with contextlib.suppress(OSError):
                while piece := source.recv(65536):
                    sink.sendall(piece)
                    sent[0] += len(piece) if is_counted else 0

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    pair = (listener.accept()[0], socket.socket(socket.AF_UNIX))
                    pair[1].connect(path)
                    ends.extend(pair)
                    threading.Thread(target=pump, args=(*pair, True), daemon=True).start()
                    threading.Thread(target=pump, args=(*reversed(pair), False), daemon=True).start()

        def cut():
            for one in (listener, *ends):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        listener.bind(folder("way"))
        listener.listen()
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield folder("way"), lambda: sent[0], cut
        finally:
            cut()
            for one in ends:
                one.close()


def who_has_left_gets_none_and_may_come_again():
    """A vendor's endorsements took longer than the agent waited."""
    with proving() as (page, tls, tee):
        made = page.token()
        with Keeps(tls) as other:
            ended(lambda: Agent(page.service, options=["--tsm", tee.mount], certs={"ca.pem": read(tls("ca.pem")).decode()},
                                settings={**settings(other.url, made.token),
                                          "AGENT_CVM_GRPC_URL": f"localhost:{page.service.port}"}))
        with way_that_breaks(page.service.socket) as (way, sent, cut), grpc.insecure_channel("unix:" + way) as channel:
            stub = certificates_grpc.CertificateServiceStub(channel)
            stub.List(certificates.ListRequest(), timeout=PATIENCE)
            # It finds both when it wakes: the question, and that nobody waits for the answer.
            os.kill(page.service.process.pid, signal.SIGSTOP)
            try:
                before = sent()
                call = stub.Issue.future(other.kept, timeout=PATIENCE)
                until(lambda: sent() >= before + other.kept.ByteSize(), "all of the question")
                cut()
                assert call.exception() is not None
            finally:
                os.kill(page.service.process.pid, signal.SIGCONT)
            page.service.process.wait_line('CertificateService/Issue".*"caller":"left"')
        assert page.listed()[made.serial].state == "open"
        assert page.call("Issue", **{f.name: v for f, v in other.kept.ListFields()}).serial == made.serial


if __name__ == "__main__":
    tap.run([an_authority_issues_for_the_token_and_the_service_wants_it,
             it_is_renewed_by_its_key_and_the_connection_goes_over,
             a_computation_goes_on_meanwhile,
             what_passes_is_tried_again,
             an_authority_that_comes_later_is_found,
             what_does_not_pass_ends_the_agent,
             a_renewal_that_is_refused_leaves_the_old_one,
             a_lie_is_not_believed,
             a_lie_is_not_believed_of_a_renewal,
             an_answer_without_end_is_not_read,
             the_authority_is_known_by_the_measured_file,
             settings_that_do_not_fit_are_refused,
             our_service_issues_and_renews,
             evidence_is_wanted_and_shown,
             without_evidence_there_is_none,
             another_image_has_none,
             evidence_that_an_agent_gives_anybody_is_not_enough,
             who_has_left_gets_none_and_may_come_again])
