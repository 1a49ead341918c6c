# SPDX-License-Identifier: Apache-2.0
"""Attested TLS against peers of another make: our client against servers that attest wrongly, our
server against clients that ask wrongly, many at a time, and while others only take up room."""
import contextlib
import json
import os
import socket
import subprocess
from concurrent import futures

import grpc
from OpenSSL import SSL

import attested_peer as peer
import tap
from attested_peer import (AttestedClient, AttestedServer, Identity, Over, Parts, Session,
                           frame, make_request)
from harness import PATIENCE, PROTOCOL, Folder, authority, own_memory, program, until

IDENTITY, OTHER = Identity("agent"), Identity("other")
EMPTY_CALL = "/grpc.testing.TestService/EmptyCall"
agent, agent_grpc = PROTOCOL["agent"]


def evidence_over(report_data):
    return b"test evidence over " + report_data.hex().encode()


def evidence(parts):
    return evidence_over(parts.report_data)


# ---- our client ----

def run_client(target, *options):
    return subprocess.run([program("tests/attested/attested_client"), target, *options],
                          capture_output=True, text=True, timeout=PATIENCE, check=False)


def refused(script, *words, options=(), behind=b"", **tls):
    """Our client refuses what that server does, says why, and has sent no byte but the request."""
    with AttestedServer(IDENTITY, evidence, **tls) as server:
        if script:
            server.script = lambda connection: script(server, connection)
        done = run_client(server.target, *options)
        assert done.returncode == 1, f"{script}: {done}"
        assert not done.stdout
        for word in words:
            assert word in done.stderr, f"{word!r} is not in {done.stderr!r}"
        server.wait_ended()
        assert server.behind == behind, f"{script} heard {server.behind!r}"


def changed(change, *words, **more):
    """The same for an authenticator that is honest but for one thing."""
    def script(server, connection):
        parts = server.parts(connection)
        data = change(parts)
        connection.send(frame(peer.AUTHENTICATOR, parts.bytes() if data is None else data))
    refused(script, *words, **more)


def setting(**values):
    """A change that sets members of the parts."""
    return lambda parts: vars(parts).update({
        name: value(parts) if callable(value) else value for name, value in values.items()})


def in_json(path, value):
    def change(parts):
        place = parts.json
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value
    return change


class Answers(grpc.GenericRpcHandler):
    """What a served connection is used for: EmptyCall, and Reattest by `answer(request, context)`."""

    def __init__(self, answer):
        self.answer, self.calls = answer, 0

    def service(self, details):
        if details.method == EMPTY_CALL:
            return grpc.unary_unary_rpc_method_handler(self._empty)
        if details.method == "/agent.AgentService/Reattest":
            return grpc.stream_stream_rpc_method_handler(
                self._reattest, request_deserializer=agent.ReattestRequest.FromString,
                response_serializer=agent.ReattestResponse.SerializeToString)
        return None

    def _empty(self, request, _):
        self.calls += 1
        return request

    def _reattest(self, requests, context):
        for message in requests:
            yield agent.ReattestResponse(authenticator=self.answer(message.request, context))


@contextlib.contextmanager
def serving_peer(reattest=None, **tls):
    """(a server of the other make that serves calls as well, its handler)"""
    with AttestedServer(IDENTITY, evidence, **tls) as server:
        live = []

        def honest(request, _):
            return Parts(Session(live[-1]), request, IDENTITY, evidence).bytes()

        def serve(connection):
            live.append(connection)
            connection.pipe(socket.create_connection(("127.0.0.1", port)))
        answers = Answers((lambda request, _: reattest(server, live[-1], request)) if reattest
                          else honest)
        plain = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
        plain.add_generic_rpc_handlers((answers,))
        port = plain.add_insecure_port("127.0.0.1:0")
        plain.start()
        server.serve = serve
        try:
            yield server, answers
        finally:
            plain.stop(0).wait()


def the_client_takes_an_honest_server():
    for suites in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                   "TLS_CHACHA20_POLY1305_SHA256"):
        with serving_peer(suites=suites) as (server, answers):
            done = run_client(server.target, "--reattest", "3")
            assert done.returncode == 0, (suites, done)
            assert answers.calls == 1
            assert json.loads(done.stdout)["appraised"] == 5, done
            contexts = {peer.parse_request(request) for request in server.requests}
            assert len(contexts) == 2, contexts


def evidence_again_that_is_not_of_this_session_ends_it():
    """Of the first answer, of another session, of another key, none at all, and none asked for."""
    def other(_, connection, request):
        return Parts(Session(connection), request, OTHER, evidence).bytes()

    def wrong_evidence(_, connection, request):
        return Parts(Session(connection), request, IDENTITY, evidence_over(bytes(64))).bytes()

    def replay(server, connection, _):
        return Parts(Session(connection), server.requests[0], IDENTITY, evidence).bytes()

    def elsewhere(_, __, request):
        with our_server() as genuine:
            client = peer.connect("127.0.0.1", genuine.port)
            client.send(frame(peer.REQUEST, request))
            return client.frame(peer.AUTHENTICATOR)

    for reattest, words in ((other, "not that of the TLS certificate"),
                            (wrong_evidence, "report_data"), (replay, "context"),
                            (elsewhere, "CertificateVerify"), (lambda *_: b"", "authenticator")):
        with serving_peer(reattest) as (server, answers):
            done = run_client(server.target, "--reattest", "1")
            assert done.returncode == 1 and words in done.stderr, (reattest, done)
            assert answers.calls == 0


def the_client_sends_nothing_to_servers_that_attest_wrongly():
    flip = lambda data: bytes([data[0] ^ 1]) + data[1:]
    changed(setting(answered_context=lambda p: flip(p.context)), "context")
    changed(setting(answered_context=b""), "context")
    changed(setting(evidence=b"", json={"version": 1}), "authenticator")
    changed(in_json(["binder", "binding"], "A" * 43 + "="), "bind")
    changed(in_json(["binder", "aik_pub_hash"], "A" * 43 + "="), "aik_pub_hash")
    changed(in_json(["binder", "exporter_label"], "attestation"), "label")
    changed(in_json(["version"], 2), "version")
    changed(in_json(["media_type"], "application/eat+jwt"), "media")
    changed(in_json(["more"], 1), "more")
    changed(in_json(["evidence"], ""), "evidence")
    changed(in_json(["evidence"], "dGVzdA"), "base64")
    changed(setting(json_text=b'{"version":1,"version":1}'), "same key twice")
    changed(setting(leaf_extensions=b""), "0xff00")
    changed(lambda p: setattr(p, "leaf_extensions", p.extension() * 2), "twice")
    changed(lambda p: (setattr(p, "chain_extensions", p.extension()),
                       setattr(p, "chain", [p.leaf])) and None, "0xff00")
    changed(setting(chain=[OTHER.der]), "certificate 1")
    changed(setting(label=b"TLS 1.3, server CertificateVerify"), "CertificateVerify")
    changed(setting(scheme=0x0503), "scheme")
    changed(setting(signer=OTHER.key), "CertificateVerify")
    changed(setting(signature=b""), "CertificateVerify")
    changed(setting(finished=b"\0" * 48), "Finished")
    changed(lambda p: b"".join(p.messages()[:2]), "cut short")
    changed(lambda p: p.messages()[2], "message 20 where 11 is due")
    changed(lambda p: b"".join(reversed(p.messages())), "message 20")
    changed(lambda p: p.bytes() + b"\0", "after Finished")
    changed(lambda p: p.bytes()[:-1], "cut short")


def the_client_judges_the_evidence_itself():
    """The binder is right, and the evidence is of another connection, and the other way round."""
    refused(lambda server, connection: connection.send(frame(peer.AUTHENTICATOR, Parts(
        Session(connection), connection.frame(peer.REQUEST), IDENTITY,
        evidence_over(bytes(64))).bytes())), "report_data")
    changed(in_json(["binder", "binding"],
                    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "binding")


def the_client_takes_no_key_but_that_of_tls():
    def script(server, connection):
        parts = Parts(Session(connection), connection.frame(peer.REQUEST), OTHER, evidence)
        connection.send(frame(peer.AUTHENTICATOR, parts.bytes()))
    refused(script, "not that of the TLS certificate")


def authenticators_of_other_sessions_do_not_serve():
    """Replayed with the same context over a new session; spliced; relayed to a genuine agent."""
    with AttestedServer(IDENTITY, evidence) as first:
        context = "ab" * 32
        kept = []

        def keep(connection):
            parts = first.parts(connection)
            kept.append(parts.messages())
        first.script = keep
        run_client(first.target, "--context", context)
        first.wait_ended()

    def replay(server, connection):
        server.parts(connection)
        connection.send(frame(peer.AUTHENTICATOR, b"".join(kept[0])))
    refused(replay, "CertificateVerify", options=("--context", context))

    for places in ((0,), (1,), (2,), (0, 1)):
        def splice(server, connection, places=places):
            messages = server.parts(connection).messages()
            for place in places:
                messages[place] = kept[0][place]
            connection.send(frame(peer.AUTHENTICATOR, b"".join(messages)))
        refused(splice, "authenticator", options=("--context", context))


def a_relay_to_a_genuine_agent_does_not_serve():
    """The middle ends TLS on both sides and carries request and authenticator across; also with the
    agent's own certificate and key stolen for TLS."""
    with our_server() as victim:
        def relay(server, connection):
            request = connection.frame(peer.REQUEST)
            inner = peer.connect("127.0.0.1", victim.port)
            inner.send(frame(peer.REQUEST, request))
            connection.send(frame(peer.AUTHENTICATOR, inner.frame(peer.AUTHENTICATOR)))
            inner.close()
        refused(relay, "CertificateVerify")
        assert victim.figures()["asked"] == 1


def the_client_wants_one_frame_of_bounded_size():
    def says(data):
        def script(server, connection):
            server.parts(connection)
            connection.send(data)
        return script

    def hang_up(server, connection):
        server.parts(connection)
        raise Over
    refused(hang_up, "closed")
    refused(says(frame(peer.AUTHENTICATOR, b"")), "0 bytes announced")
    refused(says(b"\2\1\0\0\1"), "16777217 bytes announced")
    refused(says(frame(peer.AUTHENTICATOR, bytes(16 << 20))), "authenticator")
    refused(says(frame(3, b"x")), "type 3")
    refused(says(frame(0, b"x")), "type 0")
    refused(says(frame(peer.REQUEST, make_request())), "type 1")
    refused(says(peer.HTTP2_SETTINGS), "type 0 where 2 is due")
    refused(says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "type 72")

    def after_http2(server, connection):
        honest = frame(peer.AUTHENTICATOR, server.parts(connection).bytes())
        connection.send(peer.HTTP2_SETTINGS + honest)
    refused(after_http2, "type 0 where 2 is due")

    def twice(server, connection):
        connection.send(2 * frame(peer.AUTHENTICATOR, server.parts(connection).bytes()))
    refused(twice, "behind the authenticator")

    def cut(server, connection):
        data = frame(peer.AUTHENTICATOR, server.parts(connection).bytes())
        connection.send(data[:-1])
        raise Over
    refused(cut, "closed")

    def stall(server, connection):
        connection.send(frame(peer.AUTHENTICATOR, server.parts(connection).bytes())[:-1])
        server.behind += connection.rest()
    refused(stall, "exchange before HTTP/2", options=("--connect-ms", "15000"))


def the_client_wants_tls_1_3_and_h2():
    refused(None, "TLS", versions=(SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION))
    refused(None, "ALPN", alpn=False)


# ---- our server ----

class OurServer:
    def __init__(self, stack, *options, descriptors=1024):
        self.process = subprocess.Popen(
            ["prlimit", f"--nofile={descriptors}", program("tests/attested/attested_server"),
             *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        stack.callback(self.stop)
        self.port = int(self.process.stdout.readline().split()[-1])
        self.target = f"127.0.0.1:{self.port}"

    def figures(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        if not self.process.stdin.closed:
            self.process.stdin.close()
            assert self.process.wait(PATIENCE) == 0, "the server does not end well"
            self.process.stdout.close()


@contextlib.contextmanager
def our_server(*options, **limits):
    with contextlib.ExitStack() as stack:
        yield OurServer(stack, *options, **limits)


def the_server_answers_clients_of_another_make():
    with our_server() as server:
        seen = set()
        for suites in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                       "TLS_CHACHA20_POLY1305_SHA256"):
            # The same context serves on another connection, and gives other evidence.
            client = AttestedClient.connect("127.0.0.1", server.port, context=b"c" * 32,
                                            suites=suites)
            assert client.evidence == evidence_over(client.report_data), suites
            seen.add(client.evidence)
            with client.bridge() as address, grpc.insecure_channel(address) as channel:
                assert channel.unary_unary(EMPTY_CALL)(b"", timeout=PATIENCE) == b""
            client.close()
        assert len(seen) == 3
        assert server.figures()["calls"] == 3


def evidence_again_is_of_the_same_session():
    with our_server() as server:
        client = AttestedClient.connect("127.0.0.1", server.port)
        with client.bridge() as address, grpc.insecure_channel(address) as channel:
            stub = agent_grpc.AgentServiceStub(channel)

            def ask(*requests):
                return [answer.authenticator for answer in stub.Reattest(
                    iter([agent.ReattestRequest(request=r) for r in requests]), timeout=PATIENCE)]

            requests = [make_request() for _ in range(3)]
            seen = {client.evidence}
            for request, answer in zip(requests, ask(*requests)):
                found = client.judge(request, answer)
                assert found.evidence == evidence_over(found.report_data)
                assert found.spki == client.spki
                seen.add(found.evidence)
            assert len(seen) == 4

            for used in (requests[0], client.request):
                try:
                    ask(used)
                    raise AssertionError("a context served twice")
                except grpc.RpcError as error:
                    assert error.code() == grpc.StatusCode.PERMISSION_DENIED, error
            for bad in (b"", requests[0][:-1], make_request(context=b"short"), bytes(5000)):
                try:
                    ask(bad)
                    raise AssertionError("not a request, and answered")
                except grpc.RpcError as error:
                    assert error.code() in (grpc.StatusCode.INVALID_ARGUMENT,
                                            grpc.StatusCode.RESOURCE_EXHAUSTED), error
        client.close()


def the_server_says_nothing_to_clients_that_ask_wrongly():
    good = make_request()
    asks = {
        "HTTP/2 without a request": peer.HTTP2_PREFACE + peer.HTTP2_SETTINGS,
        "a byte of HTTP/2": b"P",
        "an authenticator": frame(peer.AUTHENTICATOR, good),
        "type 3": frame(3, good),
        "empty": frame(peer.REQUEST, b""),
        "4097 bytes announced": b"\1\0\0\x10\1",
        "4 GiB announced": b"\1\xff\xff\xff\xff",
        "two requests": frame(peer.REQUEST, good) + frame(peer.REQUEST, make_request()),
        "HTTP/2 right behind": frame(peer.REQUEST, good) + peer.HTTP2_PREFACE,
        "a byte right behind": frame(peer.REQUEST, good) + b"\0",
        "no message 17": frame(peer.REQUEST, bytes([13]) + good[1:]),
        "trailing byte": frame(peer.REQUEST, good + b"\0"),
        "cut": frame(peer.REQUEST, good[:-1]),
        "context of 31": frame(peer.REQUEST, make_request(bytes(31))),
        "context of 33": frame(peer.REQUEST, make_request(bytes(33))),
        "no context": frame(peer.REQUEST, make_request(b"")),
        "no schemes": frame(peer.REQUEST, make_request(schemes=None)),
        "empty schemes": frame(peer.REQUEST, make_request(schemes=())),
        "other schemes": frame(peer.REQUEST, make_request(schemes=(0x0503, 0x0804))),
        "no offer": frame(peer.REQUEST, make_request(offer=None)),
        "full offer": frame(peer.REQUEST, make_request(offer=b"x")),
        "offer twice": frame(peer.REQUEST,
                             make_request(more=peer.extension(peer.ATTESTATION))),
    }
    with our_server() as server:
        for name, data in asks.items():
            connection = peer.connect("127.0.0.1", server.port)
            connection.send(data)
            assert connection.rest() == b"", name
            connection.close()
        until(lambda: server.figures()["connections"] == 0, "the end of those connections")
        figures = server.figures()
        assert figures["asked"] == 0 and figures["calls"] == 0, figures
        # And still serves those that ask well: other extensions are stepped over.
        connection = peer.connect("127.0.0.1", server.port)
        request = make_request(more=peer.extension(0x1234, b"unknown"))
        connection.send(frame(peer.REQUEST, request))
        peer.Verified(Session(connection), request, connection.frame(peer.AUTHENTICATOR))
        connection.close()


def the_server_hangs_up_on_clients_that_do_not_wait():
    with our_server("--never") as server:
        connection = peer.connect("127.0.0.1", server.port)
        connection.send(frame(peer.REQUEST, make_request()))
        until(lambda: server.figures()["asked"] == 1, "the request for evidence")
        connection.send(peer.HTTP2_PREFACE)
        assert connection.rest() == b""
        until(lambda: server.figures()["cancelled"] == 1, "the end of collecting")
        # One that only hangs up gives its place back as well.
        other = peer.connect("127.0.0.1", server.port)
        other.send(frame(peer.REQUEST, make_request()))
        until(lambda: server.figures()["asked"] == 2, "the request for evidence")
        other.close()
        until(lambda: server.figures()["cancelled"] == 2, "the end of collecting")
        assert server.figures()["answered"] == 0


def the_server_wants_tls_1_3_and_h2():
    with our_server() as server:
        for tls in ({"versions": (SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION)}, {"alpn": False},
                    {"alpn": [b"http/1.1"]}):
            try:
                connection = peer.connect("127.0.0.1", server.port, **tls)
                connection.send(frame(peer.REQUEST, make_request()))
                assert connection.rest() == b""
            except Over:
                pass
        assert server.figures()["asked"] == 0


def sessions_are_not_resumed():
    with our_server() as server, Folder() as folder:
        done = subprocess.run(
            ["openssl", "s_client", "-connect", server.target, "-alpn", "h2", "-tls1_3",
             "-sess_out", folder("session")], input="", capture_output=True, text=True,
            timeout=PATIENCE, check=False)
        assert "TLSv1.3" in done.stdout, done
        assert "Early data was not sent" in done.stdout and "New Session Ticket" not in done.stdout
        assert not os.path.exists(folder("session")), "a ticket was given out"


def clients_can_be_asked_for_certificates():
    with Folder() as folder:
        authority(folder)
        with our_server("--client-ca", folder("ca.pem")) as server:
            stranger = Identity("stranger")
            folder.write("stranger.pem", stranger.pem)
            folder.write("stranger-key.pem", stranger.key_pem)
            own = ("--cert", folder("client.pem"), "--key", folder("client-key.pem"))
            assert run_client(server.target, *own).returncode == 0
            before = server.figures()["asked"]
            assert run_client(server.target).returncode == 1
            assert run_client(server.target, "--cert", folder("stranger.pem"), "--key",
                              folder("stranger-key.pem")).returncode == 1
            # A stranger does not get as far as the device.
            assert server.figures()["asked"] == before


# ---- many ----

def two_thousand_connections_leave_nothing_behind():
    with our_server() as server:
        def load(count):
            done = run_client(server.target, "--count", str(count), "--parallel", "50")
            assert done.returncode == 0, done
            until(lambda: server.figures()["connections"] == 0, "the end of the connections")
            figures = json.loads(done.stdout)
            assert figures["appraised"] == count, figures
            return figures

        load(200)  # what is made once and kept
        before, open_files = server.figures()["allocated"], server.descriptors()
        figures = load(2000)
        # 32 bytes a connection would be seen, and one descriptor.
        until(lambda: server.figures()["allocated"] - before < 64000, "the end of what they took")
        until(lambda: server.descriptors() <= open_files, "the end of their descriptors")
        memory = own_memory(server.process.pid)
        print(f"# 2000 connections, 50 at a time: {2000 / figures['seconds']:.0f} a second, "
              f"p50 {figures['p50_us'] / 1000:.1f} ms; the server has {before} bytes allocated "
              f"before and {server.figures()['allocated']} after, {memory >> 10} KiB in pages")
        assert memory <= 16 << 20, "the server keeps more than it may"


def stall(kind, port, sockets):
    raw = socket.create_connection(("127.0.0.1", port))
    sockets.append(raw)
    if kind == "hello":  # the first bytes of a ClientHello
        raw.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(20))


def those_who_stall_do_not_disturb_an_upload():
    """Connections that say nothing, begin TLS, or begin a request, while an upload goes on."""
    with our_server("--short") as server:
        upload = subprocess.Popen([program("tests/attested/attested_client"), server.target,
                                   "--upload", "512", "--reattest", "1"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(lambda: server.figures()["uploaded"] > 0, "the upload's first bytes")
        sockets, sessions = [], []
        try:
            for number in range(400):
                stall("hello" if number % 2 else "nothing", server.port, sockets)
            for _ in range(20):
                connection = peer.connect("127.0.0.1", server.port)
                connection.send(frame(peer.REQUEST, make_request())[:9])
                sessions.append(connection)
            out, err = upload.communicate(timeout=PATIENCE)
            assert upload.returncode == 0, err
            assert server.figures()["uploaded"] >= 512 << 20
            assert json.loads(out)["appraised"] == 3, out
            # Each of them is shown the door in its time, and got nothing for it.
            for connection in sessions:
                assert connection.rest() == b""
            for raw in sockets:
                raw.settimeout(PATIENCE)
                with contextlib.suppress(ConnectionResetError):
                    assert raw.recv(1) == b""
            until(lambda: server.figures()["connections"] == 0, "the end of the stalled")
            assert server.figures()["asked"] == 3
        finally:
            for raw in sockets:
                raw.close()
            for connection in sessions:
                connection.close()


def a_flood_keeps_nobody_out():
    """With room for few descriptors, and far more strangers than places who say nothing, ever: an
    upload goes on, and newcomers are served."""
    with our_server(descriptors=256) as server:
        upload = subprocess.Popen([program("tests/attested/attested_client"), server.target,
                                   "--upload", "256"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(lambda: server.figures()["uploaded"] > 0, "the upload's first bytes")
        sockets = []
        try:
            for number in range(600):
                stall("hello" if number % 2 else "nothing", server.port, sockets)
            for _ in range(5):
                assert run_client(server.target, "--count", "4").returncode == 0
                for number in range(100):
                    stall("hello" if number % 2 else "nothing", server.port, sockets)
            _, err = upload.communicate(timeout=PATIENCE)
            assert upload.returncode == 0, err
            assert server.descriptors() < 192
            figures = server.figures()
            assert figures["connections"] <= 97 and figures["calls"] == 22, figures
        finally:
            for raw in sockets:
                raw.close()


if __name__ == "__main__":
    tap.run([
        the_client_takes_an_honest_server,
        evidence_again_that_is_not_of_this_session_ends_it,
        the_client_sends_nothing_to_servers_that_attest_wrongly,
        the_client_judges_the_evidence_itself,
        the_client_takes_no_key_but_that_of_tls,
        authenticators_of_other_sessions_do_not_serve,
        a_relay_to_a_genuine_agent_does_not_serve,
        the_client_wants_one_frame_of_bounded_size,
        the_client_wants_tls_1_3_and_h2,
        the_server_answers_clients_of_another_make,
        evidence_again_is_of_the_same_session,
        the_server_says_nothing_to_clients_that_ask_wrongly,
        the_server_hangs_up_on_clients_that_do_not_wait,
        the_server_wants_tls_1_3_and_h2,
        sessions_are_not_resumed,
        clients_can_be_asked_for_certificates,
        two_thousand_connections_leave_nothing_behind,
        those_who_stall_do_not_disturb_an_upload,
        a_flood_keeps_nobody_out,
    ])
