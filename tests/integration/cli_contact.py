# SPDX-License-Identifier: Apache-2.0
"""First contact: whatever listens at the address is recognised, and the hint names what to give."""
import concurrent.futures
import contextlib
import http.server
import re
import socket
import ssl
import subprocess
import threading

import grpc

import tap
from attested_peer import AttestedServer, Identity
from cli_agent import FakeManager, Owner
from cli_waiting import Running
from harness import (PATIENCE, PROTOCOL, Computations, Folder, authority, cli, health, health_grpc,
                     read, until)
from ports import free_port


manager_grpc = PROTOCOL["manager"][1]


class Listener:
    """Whatever `serve` says to each connection."""

    def __init__(self, serve, port=0):
        self.serve, self.port = serve, port

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", self.port))
        self.target = f"localhost:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.socket.accept()
                with peer, contextlib.suppress(OSError):
                    self.serve(peer)

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)  # who waits in accept() holds the port
        self.thread.join(PATIENCE)
        self.socket.close()


def read_on(peer):
    while peer.recv(65536):
        pass


def ssh(peer):
    peer.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
    read_on(peer)


def mail(peer):
    peer.sendall(b"220 mail.example ESMTP\r\n")
    read_on(peer)


def echo(peer):
    while data := peer.recv(65536):
        peer.sendall(data)


def hangs_up(peer):
    peer.recv(1)


def alerts(peer):
    peer.recv(65536)
    peer.sendall(bytes.fromhex("15030100020246"))  # TLS's, and fatal: a version that is none


class OpenSsl:
    """openssl s_server, with what else it is told."""

    def __init__(self, folder, *options):
        self.port = free_port()
        self.target = f"localhost:{self.port}"
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-accept", str(self.port), "-cert", folder("server.pem"), "-key",
             folder("server-key.pem"), "-CAfile", folder("ca.pem"), "-quiet", *options],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        def listens():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return True
        until(listens, "openssl s_server")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def plain(target):
    return cli("status", "--grpc-url", target)


def tls(target, folder):
    return cli("status", "--grpc-url", target, "--grpc-server-ca-certs", folder("ca.pem"))


def attested(target, folder):
    policy = folder.write("policy.json", '{"cocos":1,"snp":{"measurements":["%s"]}}' % ("5a" * 48))
    return cli("status", "--grpc-url", target, "--attested-tls", "--attestation-policy", policy,
               "--product", "Milan", "--offline")


def callers(folder):
    return (plain, lambda target: tls(target, folder), lambda target: attested(target, folder))


WHERE = "AGENT_GRPC_URL or --grpc-url says where the agent is"


def other_services_are_named():
    with Folder() as folder:
        authority(folder)
        for serve, what in ((ssh, "an SSH server answers there"),
                            (echo, "what answers there sends our own bytes back: it is no server of gRPC")):
            with Listener(serve) as there:
                for call in callers(folder):
                    call(there.target).refused(1, "hint: " + what, WHERE)
        with Listener(mail) as there:
            plain(there.target).refused(1, "hint: something else than gRPC answers there", WHERE)
            tls(there.target, folder).refused(1, "hint: what answers there is not TLS", WHERE)
            attested(there.target, folder).refused(1, "hint: what answers there is not TLS", WHERE)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as web:
            web.RequestHandlerClass.log_message = lambda *_: None
            threading.Thread(target=web.serve_forever, daemon=True).start()
            plain(f"127.0.0.1:{web.server_port}").refused(1, "hint: a web server (HTTP/1) answers there", WHERE)
            web.shutdown()


def our_own_port_without_tls_hangs_up_on_tls():
    """It waits for HTTP/2's preface, and says nothing to anything else."""
    with Folder() as folder, Computations(folder) as service:
        authority(folder)
        for call in callers(folder)[1:]:
            call(f"localhost:{service.port}").refused(1, "hint: nothing was sent: it hung up on TLS, as a port without TLS",
                                                      WHERE)


def a_server_that_hangs_up_may_want_tls():
    with Listener(hangs_up) as there:
        plain(there.target).refused(1, "it hung up on gRPC without TLS", "--grpc-server-ca-certs", "--attested-tls")


def what_answers_by_tls_is_known_by_that():
    """With an alert, as OpenSSL's own servers do."""
    with Listener(alerts) as there:
        plain(there.target).refused(1, "hint: it speaks TLS: --grpc-server-ca-certs PEM", "--attested-tls and --attestation-policy")


def tls_and_no_tls_are_told_apart():
    with Folder() as folder, Owner() as owner:
        authority(folder)
        port = owner.agent.url.rsplit(":", 1)[1]
        run = tls(f"localhost:{port}", folder)
        run.refused(1, "hint: nothing was sent: it speaks gRPC without TLS, so it is not what you named", "in between")
        assert "leave out" not in run.err, run.err  # whoever stands in between gives no advice
        attested(f"localhost:{port}", folder).refused(1, "speaks gRPC without TLS, so it can prove nothing", )
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
        port = server.add_secure_port("localhost:0", grpc.ssl_server_credentials(
            [(read(folder("server-key.pem")), read(folder("server.pem")))]))
        server.start()
        plain(f"localhost:{port}").refused(1, "TLS", "--grpc-server-ca-certs PEM", "--attested-tls")
        attested(f"localhost:{port}", folder).refused(1, "nothing was sent: it speaks TLS, but does not attest")
        with Folder() as strangers:
            authority(strangers)
            tls(f"localhost:{port}", strangers).refused(
                1, "hint: nobody in --grpc-server-ca-certs vouches for its certificate", "--attested-tls")
        server.stop(None)


def openssl_is_no_agent():
    with Folder() as folder:
        authority(folder)
        with OpenSsl(folder) as there:
            plain(there.target).refused(1, "--grpc-server-ca-certs PEM")
            tls(there.target, folder).refused(1, "it speaks TLS but no gRPC", WHERE)
            attested(there.target, folder).refused(1, "it speaks TLS but no gRPC")
        with OpenSsl(folder, "-alpn", "h2", "-Verify", "1", "-verify_return_error") as there:
            tls(there.target, folder).refused(1, "hint: it asks for a client's certificate", "--grpc-client-key")


def an_agent_that_attests_is_named_to_who_does_not_ask():
    with Folder() as folder:
        authority(folder)
        with AttestedServer(Identity(), lambda parts: b"never") as there:
            tls(there.target, folder).refused(1, "makes its own: --attested-tls and --attestation-policy")
            plain(there.target).refused(1, "--attested-tls and --attestation-policy")
        # One whose certificate an authority knows takes TLS, and then hangs up.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder("server.pem"), folder("server-key.pem"))
        context.set_alpn_protocols(["h2"])

        def refuses(peer):
            with contextlib.suppress(ssl.SSLError), context.wrap_socket(peer, server_side=True) as secure:
                secure.recv(1)
                secure.unwrap()
        with Listener(refuses) as there:
            tls(there.target, folder).refused(
                1, "it took TLS and hung up: the certificate of --grpc-client-cert may be revoked", "an agent that attests wants "
                "--attested-tls")


class Health(health_grpc.HealthServicer):
    def __init__(self, *names):
        self.names = names

    def Check(self, request, context):
        if request.service not in self.names:
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return health.HealthCheckResponse(status=health.HealthCheckResponse.SERVING)


def our_other_daemons_are_named():
    with Folder() as folder, Computations(folder) as service:
        plain("unix:" + service.socket).refused(
            1, "hint: that is the computation service, where it is administered", WHERE)
        plain(f"127.0.0.1:{service.port}").refused(
            1, "hint: that is the computation service, where it listens for agents", WHERE)
        cli("vm", "strays", "--grpc-url", "unix:" + service.socket).refused(
            1, "that is the computation service", "MANAGER_GRPC_URL or --grpc-url says where the manager is")
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    manager_grpc.add_ManagerServiceServicer_to_server(FakeManager(), server)
    health_grpc.add_HealthServicer_to_server(Health("", "manager.ManagerService"), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    plain(f"127.0.0.1:{port}").refused(1, "hint: that is the manager", WHERE)
    # The one that was meant, of before this method.
    cli("vm", "strays", "--grpc-url", f"127.0.0.1:{port}").refused(1, "hint: the manager is there, but an older one")
    server.stop(None)


def an_older_agent_is_told_from_another_server():
    with Owner() as owner:
        owner.agent.run("logs", owner.key).refused(1, "does AGENT_GRPC_URL point to the agent?")
        owner.agent.server.stop(None).wait()
        start = owner.agent.start
        owner.agent.server = None
        add = grpc.server

        def with_health(*arguments, **keywords):
            server = add(*arguments, **keywords)
            health_grpc.add_HealthServicer_to_server(Health("agent.AgentService"), server)
            return server
        grpc.server = with_health
        try:
            start()
        finally:
            grpc.server = add
        owner.agent.run("logs", owner.key).refused(1, "the agent is there, but an older one")


def waiting_is_not_for_the_wrong_server():
    """What answers as something else does not become an agent."""
    with Listener(ssh) as there:
        cli("status", "--wait", "--grpc-url", there.target).refused(1, "an SSH server answers there")


def who_takes_connections_and_says_nothing_is_waited_for_no_longer():
    """Than --wait says, whatever may be asked otherwise."""
    with Folder() as folder, Listener(read_on) as there:
        authority(folder)
        for options in (), ("--grpc-server-ca-certs", folder("ca.pem")):
            run = cli("status", "--wait=1s", "--grpc-url", there.target, *options).refused(1, "waited 1s until")
            [told, said] = re.findall(r"within (\d+) ms", run.err)
            assert int(told) <= 1000 and told == said, run.err


def waiting_says_at_once_what_may_be_wrong():
    """Who hangs up may be about to start; the reader knows better whether he does."""
    with Folder() as folder, Owner() as owner:
        authority(folder)
        with Listener(hangs_up) as there:
            run = cli("status", "--wait=4s", "--grpc-url", there.target)
            run.refused(1, "waited 4s", "\nhint: it hung up on gRPC without TLS")
            assert run.err.count("hint:") == 2, run.err  # while it waits, and at the end
            run = Running(folder, "status", "--watch", "--grpc-url", there.target, "--grpc-server-ca-certs", folder("ca.pem"))
            run.says("^hint: .*it hung up on TLS, as a port without TLS does.*" + WHERE)
            assert run.process.stop() == 143
        owner.agent.server.stop(None).wait()
        port = free_port()  # nobody else's between the two
        with Listener(hangs_up, port) as there:
            run = Running(folder, "status", "--wait", "--grpc-url", there.target)
            run.says("^hint: it hung up on gRPC without TLS")
        owner.agent.start(port)
        assert "'ReceivingData'" in run.ok()
        # One that has answered was spoken to rightly: it is gone, and so is what a port is forwarded to.
        run = Running(folder, "status", "--watch", "--grace=1s", "--grpc-url", there.target)
        until(lambda: "'ReceivingData'" in run.output(), "its state")
        owner.agent.server.stop(None).wait()
        with Listener(hangs_up, port):
            said = run.refused(1, "it has not answered since ", "hint: its computation was stopped")
            assert said.count("hint:") == 1, said


if __name__ == "__main__":
    tap.run([other_services_are_named, our_own_port_without_tls_hangs_up_on_tls,
             a_server_that_hangs_up_may_want_tls, what_answers_by_tls_is_known_by_that, tls_and_no_tls_are_told_apart, openssl_is_no_agent, an_agent_that_attests_is_named_to_who_does_not_ask,
             our_other_daemons_are_named, an_older_agent_is_told_from_another_server,
             waiting_is_not_for_the_wrong_server, who_takes_connections_and_says_nothing_is_waited_for_no_longer, waiting_says_at_once_what_may_be_wrong])
