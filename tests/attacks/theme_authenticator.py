# SPDX-License-Identifier: Apache-2.0
"""The exported authenticator, bent: a server that ends the owner's TLS connection with a key of its
own, has genuine evidence of a genuine machine, and changes one thing of what binds the two."""
import functools
import struct

import evidence
from attested_peer import (AUTHENTICATOR, HTTP2_SETTINGS, REQUEST, AttestedServer, Identity, Over,
                           Parts, Session, Verified, connect, frame, make_request)
from rows import row
from world import MANIFEST, Machine, uploaded


@functools.lru_cache(None)
def machine():
    return Machine()


def recorded(asked):
    """What the machine answers to this request on a connection of the attacker's own."""
    return on_my_connection(asked)[0]


def evidence_of(asked):
    """The token of that answer."""
    return on_my_connection(asked)[1]


def on_my_connection(asked):
    with AttestedServer(machine().identity, machine().token) as server:
        mine = connect("127.0.0.1", server.port)
        mine.send(frame(REQUEST, asked))
        answer = mine.frame(AUTHENTICATOR)
        token = Verified(Session(mine), asked, answer).evidence
        mine.close()
        return answer, token


def bent(name, check, **upload):
    """A row made of answer(parts): what the attacker sends in place of the machine's answer, bytes or
    the changed parts. The machine's key ends the TLS connection, as if it had leaked."""
    def put(answer):
        def attempt(evil):
            def script(gate, connection):
                parts = machine().parts(connection, gate.asked(connection))
                sent = answer(parts) if evil else parts
                connection.send(sent if isinstance(sent, bytes) else
                                frame(AUTHENTICATOR, sent.bytes()))
                gate.serve(connection, machine())
            return uploaded(script, machine().identity, **upload)
        attempt.__doc__, attempt.__module__ = answer.__doc__, __name__
        row(name, check)(attempt)
        return answer
    return put


@bent("authenticator-replayed", "CertificateVerify")
def replayed(parts):
    """The answer that the machine gave to the very same request, on another connection."""
    return frame(AUTHENTICATOR, recorded(parts.request))


KNOWN = b"\x5c" * 32


@bent("authenticator-replayed-under-a-known-context", "CertificateVerify",
      environment={"AGENT_GRPC_ATTESTATION_REQUEST_CONTEXT": KNOWN.hex()})
def replayed_known_context(parts):
    """The same where the owner names the request's context, so that the attacker knew it before."""
    assert parts.context == KNOWN
    return frame(AUTHENTICATOR, recorded(make_request(KNOWN)))


@bent("authenticator-spliced", "CertificateVerify")
def spliced(parts):
    """Certificate, with the evidence, of one session; CertificateVerify and Finished of this one."""
    old = recorded(parts.request)
    end = 4 + int.from_bytes(old[1:4], "big")
    return frame(AUTHENTICATOR, old[:end] + b"".join(parts.messages()[1:]))


@bent("authenticator-of-another-context", "its context is not the request's")
def other_context(parts):
    """An answer to a request that was never made."""
    parts.answered_context = b"\x77" * 32
    return parts


@bent("authenticator-for-another-request", "its context is not the request's")
def other_request(parts):
    """An answer, of this session, to another request: evidence over another exporter value."""
    return machine().parts(parts.session.connection, make_request(b"\x77" * 32))


@bent("authenticator-signed-by-another-key", "CertificateVerify")
def other_signer(parts):
    """The machine's certificate and evidence, signed by a key that the attacker has."""
    parts.signer = Identity().key
    return parts


@bent("authenticator-signed-under-another-name", "CertificateVerify")
def other_label(parts):
    """A signature of the TLS handshake's own kind, carried over."""
    parts.label = b"TLS 1.3, server CertificateVerify"
    return parts


@bent("authenticator-with-a-wrong-finished", "Finished")
def wrong_finished(parts):
    """The last message of another session."""
    parts.finished = bytes(parts.session.mac(b"")[::-1])
    return parts


@bent("authenticator-without-finished", "cut short, or missing")
def without_finished(parts):
    """Certificate and CertificateVerify alone."""
    return frame(AUTHENTICATOR, b"".join(parts.messages()[:2]))


@bent("two-authenticators-in-one-frame", "bytes after Finished")
def two_in_one(parts):
    """A good one, and another behind it in the same frame."""
    return frame(AUTHENTICATOR, parts.bytes() * 2)


@bent("two-authenticators", "not HTTP/2")
def two_frames(parts):
    """A good one, and a second frame behind it."""
    return frame(AUTHENTICATOR, parts.bytes()) * 2


@bent("no-authenticator", "frame: type")
def none(_):
    """HTTP/2 begins at once, as with a server that knows nothing of attestation."""
    return HTTP2_SETTINGS


@bent("authenticator-after-http2-began", "frame: type")
def after_http2(parts):
    """A good one behind the server's first HTTP/2 frame."""
    return HTTP2_SETTINGS + frame(AUTHENTICATOR, parts.bytes())


@bent("authenticator-empty", "frame: 0 bytes")
def empty(_):
    """A frame without content."""
    return frame(AUTHENTICATOR, b"")


@bent("authenticator-of-16-MiB", "message 0 where 11 is due")
def huge(_):
    """As much as a frame can hold, of nothing."""
    return frame(AUTHENTICATOR, bytes(16 << 20))


@bent("authenticator-of-more-than-16-MiB", "bytes announced")
def too_huge(_):
    """More than a frame can hold is announced."""
    return struct.pack(">BI", AUTHENTICATOR, (16 << 20) + 1) + bytes(4096)


@bent("authenticator-cut-off", "closed the connection")
def cut_off(parts):
    """The connection ends in the middle of a good one."""
    parts.session.connection.send(frame(AUTHENTICATOR, parts.bytes())[:-7])
    raise Over("as planned")


@bent("request-sent-back", "frame: type")
def sent_back(parts):
    """The owner's own request in place of an answer."""
    return frame(REQUEST, parts.request)


@bent("authenticator-without-evidence", "no attestation")
def without_evidence(parts):
    """A good proof of the key, as RFC 9261 has it, and no evidence in it."""
    parts.leaf_extensions = b""
    return parts


@bent("evidence-twice-in-one-authenticator", "extension 0xff00 twice")
def evidence_twice(parts):
    """Two extensions with evidence: parsers take the first or the last."""
    parts.leaf_extensions = parts.extension() * 2
    return parts


@bent("binder-wrong-report-data-right", "'binding' is not of this session")
def wrong_binder(parts):
    """Evidence over this very session, beside a binder of another."""
    parts.json["binder"]["binding"] = parts.json["binder"]["aik_pub_hash"]
    return parts


@bent("binder-key-hash-wrong", "'aik_pub_hash' is not of this session")
def wrong_key_hash(parts):
    """The hash of another key beside a right binder."""
    parts.json["binder"]["aik_pub_hash"] = parts.json["binder"]["binding"]
    return parts


def around(parts, token):
    """The same parts around another token."""
    return Parts(parts.session, parts.request, machine().identity, token)


@bent("binder-right-report-data-wrong", "policy.report_data")
def wrong_report_data(parts):
    """A binder of this session, around evidence over another report data: what peers that believe the
    binder accept."""
    return around(parts, machine().token(parts, raw=machine().guest.evidence(b"\x42" * 64)))


@bent("report-data-of-an-earlier-session", "policy.report_data")
def earlier_session(parts):
    """Binder and token of this session, around the report of an earlier one."""
    old = evidence.opened(evidence_of(parts.request))
    return around(parts, machine().token(parts, raw=old["raw_report"]))


@bent("token-of-an-earlier-session", "token.nonce")
def earlier_token(parts):
    """A binder of this session around a whole token of an earlier one."""
    return around(parts, evidence_of(parts.request))


@bent("report-data-all-zero", "policy.report_data")
def zero_report_data(parts):
    """Genuine evidence that binds nothing."""
    return around(parts, machine().token(parts, raw=machine().guest.evidence(bytes(64))))


@bent("report-data-unhashed", "policy.report_data")
def unhashed(parts):
    """The binder itself as report data, padded: what an agent that signs raw bytes would sign."""
    _, bound, _, _ = parts.session.binding(machine().identity.spki, parts.context)
    raw = machine().guest.evidence(bound.ljust(64, b"\0"))
    return around(parts, machine().token(parts, raw=raw))


@bent("evidence-of-form-nonce", "policy.report_data")
def form_nonce(parts):
    """Evidence that a caller had made by giving this connection's report data as his nonce."""
    asked = evidence.nonce_form(0, parts.report_data, b"", machine().identity.spki)
    raw = machine().guest.evidence(asked.report_data)
    return around(parts, machine().token(parts, raw=raw))


@bent("evidence-says-form-nonce", "token.nonce_use")
def says_nonce(parts):
    """Evidence of the right form that says to be of the other."""
    return around(parts, machine().token(parts, use="nonce"))


# ---- two keys ----

def with_own_key(name, check):
    """The attacker's own key ends the connection; answer(parts, mine) as above, `parts` with that key."""
    def put(answer):
        def attempt(evil):
            mine = Identity()

            def script(gate, connection):
                asked = gate.asked(connection)
                if evil:
                    sent = answer(Parts(Session(connection), asked, mine, b"-"), mine)
                else:
                    sent = machine().parts(connection, asked)
                connection.send(sent if isinstance(sent, bytes) else
                                frame(AUTHENTICATOR, sent.bytes()))
                gate.serve(connection, machine())
            return uploaded(script, mine if evil else machine().identity)
        attempt.__doc__, attempt.__module__ = answer.__doc__, __name__
        row(name, check)(attempt)
        return answer
    return put


def own(parts, mine, token):
    """An authenticator of the attacker's key around that token."""
    return Parts(parts.session, parts.request, mine, token)


@with_own_key("relay-forwards-the-answer", "CertificateVerify")
def relay_forwards(parts, _):
    """A proxy ends TLS, asks the genuine machine on a connection of its own, and hands its answer on:
    the relay that the binding is there for."""
    return frame(AUTHENTICATOR, recorded(parts.request))


@with_own_key("relay-wraps-forwarded-evidence", "token.binding")
def relay_rebuilds(parts, mine):
    """The proxy signs an authenticator of its own around the machine's token."""
    return own(parts, mine, evidence_of(parts.request))


@with_own_key("relay-re-signs-the-token", "policy.report_data")
def relay_resigns(parts, mine):
    """And signs the token's claims as well, with its own key and this session's nonce in them."""
    return own(parts, mine, evidence.resigned(evidence_of(parts.request), mine, {
        8: evidence.cose_key(mine.spki), 10: parts.tpm_nonce}))


@with_own_key("relay-with-the-machines-help", "key is not that of the TLS certificate")
def relay_with_help(parts, _):
    """The machine (its operator is in the plot, or it is a signing oracle) makes an authenticator with
    its key for the proxy's session, whose TLS key is another."""
    return machine().parts(parts.session.connection, parts.request)


@with_own_key("relay-with-an-oracle-for-report-data", "run.identity")
def relay_with_oracle(parts, mine):
    """A stock agent signs the report data that a caller asks for: here those of the proxy's own
    connection and key. The run statement still speaks of the machine's key."""
    return own(parts, mine, machine().token(parts, signer=mine))


@with_own_key("key-swapped-in-the-run-statement", "run.evidence: policy.report_data")
def swapped_key(parts, mine):
    """The same, and a run statement with the proxy's key, for which there is no evidence."""
    return own(parts, mine, machine().token(parts, signer=mine,
                                            run=evidence.statement(mine, MANIFEST)))
