# SPDX-License-Identifier: Apache-2.0
"""The evidence calls of a real agent as an oracle for a relay's own connection, and what a relay makes
of the answers. The agent and its (simulated) hardware are the ones that the owner trusts, and the relay
may ask them for anything; the owner's command has the relay at the other end of its TLS."""
import grpc

import evidence
from agent_peer import Client, WAIT, agent_pb2, cvms_pb2
from attested_peer import (AUTHENTICATOR, HTTP2_PREFACE, HTTP2_SETTINGS, REQUEST, AttestedClient,
                           Identity, Over, Parts, Session, Verified, connect, frame, make_request)
from harness import until
from honest_agent import attempt_with, manifest, provider, waiting
from rows import Outcome, row
from world import Gate

SNP, VTPM, SNP_VTPM, AZURE, TDX = range(5)


def asked(kind, tee, vtpm=b""):
    """The agent's answer to Attestation over a connection of the relay's own; or None."""
    link = AttestedClient.connect("127.0.0.1", waiting().port)
    try:
        with link.bridge() as address:
            client = Client(int(address.split(":")[1]))
            try:
                call = client.stub.Attestation(agent_pb2.AttestationRequest(
                    teeNonce=tee, vtpmNonce=vtpm, type=kind), timeout=WAIT)
                return b"".join(message.file for message in call)
            except grpc.RpcError as why:
                return why
            finally:
                client.close()
    finally:
        link.close()


def relayed(script, mine):
    """The owner's upload through the relay."""
    here = waiting()
    with Gate(script, mine, port=here.port) as gate:
        ran = provider().upload(gate.target, manifest(here.port), here.tee.root)
    assert not gate.failures, gate.failures
    return Outcome(ran.status == 0, ran.out + ran.err, gate.received)


def oracle(name, check):
    """A row made of token(parts, mine): the relay's authenticator, by its key, around that token."""
    def put(token):
        def attempt(evil):
            mine = Identity()

            def script(gate, connection):
                request = gate.asked(connection)
                parts = Parts(Session(connection), request, mine,
                              lambda parts: token(parts, mine))
                connection.send(frame(AUTHENTICATOR, parts.bytes()))
                gate.serve(connection)
            return relayed(script, mine) if evil else attempt_with()
        attempt.__doc__, attempt.__module__ = token.__doc__, __name__
        row(name, check)(attempt)
        return token
    return put


@oracle("oracle-report-data-of-the-relay", "token.")
def raw_report_data(parts, _):
    """The relay gives its own binding's report data as a nonce, and hands on what it gets."""
    return asked(SNP, parts.report_data, parts.tpm_nonce)


@oracle("oracle-token-re-signed", "report_data")
def resigned(parts, mine):
    """The same, signed again by the relay with its own key and nonce in the claims."""
    return evidence.resigned(asked(SNP, parts.report_data), mine, {
        8: evidence.cose_key(mine.spki), 10: parts.tpm_nonce, "x-cocos-nonce-use": "channel"})


@oracle("oracle-of-the-computation-service", "policy.report_data")
def service_asks(parts, mine):
    """The computation service asks for evidence (AttestationReq) with the relay's report data as its
    nonce, and gives it to the relay, who signs it again."""
    service = waiting().service
    before = len(service.of("vTPMattestationReport"))
    service.send(attestationReq=cvms_pb2.AttestationReq(nonce=parts.report_data, type=SNP))
    token = service.wait(lambda s: s.of("vTPMattestationReport")[before:])[0].file
    return evidence.resigned(token, mine, {
        8: evidence.cose_key(mine.spki), 10: parts.tpm_nonce, "x-cocos-nonce-use": "channel"})


@oracle("oracle-of-a-session-of-the-relays-own", "token.binding")
def own_session(parts, _):
    """The relay connects as anybody may, and hands on the channel evidence that it gets."""
    return channel_token(parts.request)


@oracle("oracle-of-a-session-re-signed", "policy.report_data")
def own_session_resigned(parts, mine):
    """The same, signed again with the relay's key and this session's nonce in it."""
    return evidence.resigned(channel_token(parts.request), mine, {
        8: evidence.cose_key(mine.spki), 10: parts.tpm_nonce})


def channel_token(request):
    return authenticator_of(request)[1]


def authenticator_of(request):
    """What the agent answers to the owner's request on a connection of the relay's own."""
    link = connect("127.0.0.1", waiting().port)
    link.send(frame(REQUEST, request))
    answer = link.frame(AUTHENTICATOR)
    token = Verified(Session(link), request, answer).evidence
    link.close()
    return answer, token


@row("relay-to-a-real-agent", "CertificateVerify")
def relay(evil):
    """A proxy ends the owner's TLS and hands his request to the agent and its answer to him."""
    def script(gate, connection):
        answer, _ = authenticator_of(gate.asked(connection))
        connection.send(frame(AUTHENTICATOR, answer))
        gate.serve(connection)
    return relayed(script, Identity()) if evil else attempt_with()


def refused_form(name, kind, check):
    """A row: a form that would put the caller's bytes elsewhere, from a machine that lacks it."""
    def attempt(evil):
        answer = asked(kind if evil else SNP, b"\x11" * 64, b"\x22" * 32)
        if isinstance(answer, grpc.RpcError):
            return Outcome(False, f"{answer.code().name}: {answer.details()}", 0)
        return Outcome(True, "", len(answer))
    attempt.__doc__ = ("Evidence of a kind whose report data are made otherwise is asked of an agent "
                       "whose machine has none such.")
    attempt.__module__ = __name__
    row(name, check)(attempt)


refused_form("oracle-form-snp-vtpm", SNP_VTPM, "UNAVAILABLE")
refused_form("oracle-form-vtpm", VTPM, "UNAVAILABLE")
refused_form("oracle-form-azure", AZURE, "UNAVAILABLE")
refused_form("oracle-form-tdx", TDX, "UNAVAILABLE")


# ---- at the agent's door ----

def at_the_door(name, check):
    """A row made of say(connection): the first bytes on an attested connection to the agent."""
    def put(say):
        def attempt(evil):
            here = waiting()
            logged = len(here.agent.output())
            link = connect("127.0.0.1", here.port)
            (say if evil else honest_request)(link)
            try:
                got = len(link.exactly(9)) and 9
            except Over:
                got = 0
            link.close()
            until(lambda: got or check in here.agent.output()[logged:], "a word of the refusal")
            return Outcome(bool(got), here.agent.output()[logged:], got)
        attempt.__doc__, attempt.__module__ = say.__doc__, __name__
        row(name, check)(attempt)
        return say
    return put


def honest_request(link):
    link.send(frame(REQUEST, make_request()))
    link.frame(AUTHENTICATOR)
    link.send(HTTP2_PREFACE + HTTP2_SETTINGS)


@at_the_door("door-http2-at-once", "frame: type")
def http2_at_once(link):
    """A stranger begins with HTTP/2, as if the listener were a plain one."""
    link.send(HTTP2_PREFACE + HTTP2_SETTINGS)


@at_the_door("door-request-without-an-offer", "attestation")
def no_offer(link):
    """A request that does not offer attestation, to get an authenticator without evidence."""
    link.send(frame(REQUEST, make_request(offer=None)))


@at_the_door("door-request-with-a-short-context", "context")
def short_context(link):
    """A request whose context is a few bytes that repeat."""
    link.send(frame(REQUEST, make_request(b"again")))


@row("door-context-used-twice", "used before")
def context_twice(evil):
    """A stranger asks again, on one connection, with the context of before: the same exporter value."""
    link = AttestedClient.connect("127.0.0.1", waiting().port)
    try:
        with link.bridge() as address:
            client = Client(int(address.split(":")[1]))
            request = link.request if evil else make_request()
            try:
                answers = list(client.stub.Reattest(
                    iter([agent_pb2.ReattestRequest(request=request)]), timeout=WAIT))
                return Outcome(True, "", len(answers[0].authenticator))
            except grpc.RpcError as why:
                return Outcome(False, why.details(), 0)
            finally:
                client.close()
    finally:
        link.close()
