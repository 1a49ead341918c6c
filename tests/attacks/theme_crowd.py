# SPDX-License-Identifier: Apache-2.0
"""Strangers by the hundred at the listeners of all three daemons, several times as many as there are
places, who hold on to calls that never end. Gained counts the honest calls that do not get through on
a new connection; what had proven itself before goes on to its end."""
import base64
import contextlib
import json
import os
import queue
import signal
import socket
import ssl
import subprocess
import tempfile

import grpc

import crowd
import h2raw
import teesim
from agent_evidence import SNP, TEE_NONCE, machine
from agent_job import ALGO_KEY, DATA_KEY, SUM, computing, manifest
from agent_peer import WAIT, Authority, Key, agent_pb2, free_port
from attested_peer import Over, REQUEST, connect, frame, make_request
from computations_service import connected, create, run
from harness import (PATIENCE, Computations, FakeAgent, Folder, Process, authority, computations, credentials, cvms,
                     program, until)
from libvirt_room import idle_image
from rows import Outcome, Skip, row

DESCRIPTORS = 256  # of a daemon: 192 places
CROWD = 240        # of each kind
STATUS = "/agent.AgentService/Status"
CVM_INFO = "/manager.ManagerService/CVMInfo"
NOT_FOUND = 5


def context_of(ca, cert=None, key=None):
    """TLS of a client; texts or paths as load_verify_locations() has them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # Python's defaults ask more of certificates in each release
    context.load_verify_locations(**ca)
    context.set_alpn_protocols(["h2"])
    if cert:
        context.load_cert_chain(cert, key)
    return context


def is_served(honest):
    try:
        return bool(honest())
    except (AssertionError, OSError):  # cut off
        return False


def besieged(port, kinds, evil, honest, stranger=None):
    """The outcome: honest() is tried once while each kind is there, and is true if it was served."""
    served, gone, there = 0, 0, 0
    for kind in kinds:
        with crowd.Crowd(port, (kind,), CROWD if evil else 1, stranger) as all_of_them:
            served += is_served(honest)
            there += len(all_of_them.sockets)
            gone += all_of_them.gone()
    said = f"{gone} of {there} gave way to newer ones, {served} of {len(kinds)} honest calls served"
    if not evil:
        return Outcome(served == len(kinds) and not gone, said, served)
    return Outcome(served < len(kinds), said if gone else "nobody gave way",
                   len(kinds) - served)


# ---- the agent ----

class HeldUpload:
    """An algorithm on its way: accepted, one byte short of its end."""

    def __init__(self, agent, client):
        self.rest, self.client = queue.Queue(), client
        self.rest.put(SUM[:-1])
        messages = (agent_pb2.AlgoRequest(algorithm=part) for part in iter(self.rest.get, None))
        self.call = client.stub.Algo.future(
            messages, metadata=client.role_metadata("algorithm-provider", ALGO_KEY), timeout=WAIT)
        until(lambda: any("uploads/" in path for path in agent.work()), "the upload's file")

    def finish(self):
        self.rest.put(SUM[-1:])
        self.rest.put(None)
        self.call.result(WAIT)
        assert self.client.status().algorithm.received


def besieged_agent(evil, kinds, config=None, client_args=None, stranger=None, honest=None):
    wrapper = ("prlimit", f"--nofile={DESCRIPTORS}")
    port = free_port()
    with computing(manifest(port, config=config), client_args, port, wrapper=wrapper) as (_, agent, client):
        upload = HeldUpload(agent, client)
        outcome = besieged(port, kinds, evil,
                           lambda: crowd.answer(port, honest, STATUS) == 0, stranger)
        upload.finish()
        return outcome


def challenges_of(peer, count):
    """What Status gives to who comes without TLS, so many times."""
    found = []
    peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.send(h2raw.frame(h2raw.WINDOW_UPDATE, 0, 0, (1 << 24).to_bytes(4, "big")))
    for _ in range(count):
        stream, said = peer.open(STATUS), b""
        peer.data(stream, h2raw.message(b""), end=True)
        while True:
            kind, flags, _, payload = peer.frame()
            said += payload if kind == h2raw.DATA else b""
            if kind == h2raw.HEADERS and flags & h2raw.END_STREAM:
                break
        found.append(agent_pb2.StatusResponse.FromString(said[5:]).challenge)
    return found


def shown(client, key, role, challenge, digest):
    """What Status says to who shows his key over this challenge; or the refusal."""
    named = [("proof-key", base64.b64encode(key.spki).decode())]
    proof = client.proof_metadata(role, "Status", key, None, [], named, manifest=digest, challenge=challenge)
    try:
        return client.stub.Status(agent_pb2.StatusRequest(), metadata=proof, timeout=WAIT), ""
    except grpc.RpcError as e:
        return None, e.details()


@row("crowd-of-challenges-at-an-agent", "the manifest does not name your key")
def crowd_of_challenges(evil):
    """Without TLS a stranger asks for one challenge after the other, from the owner's own address as behind a forwarded
    port, so that the owner's is void before it is signed; and signs hers, which he saw, with a key of his own."""
    port = free_port()
    with computing(manifest(port), None, port) as (_, _, client):
        mine = client.status()
        with contextlib.closing(h2raw.Peer(port)) as stranger:
            theirs = challenges_of(stranger, 1000 if evil else 1)
        assert len(set(theirs)) == len(theirs)
        said = shown(client, Key(), "data-provider", mine.challenge, mine.manifest_digest)[1] if evil else ""
        served = bool(shown(client, DATA_KEY, "data-provider", mine.challenge, mine.manifest_digest)[0])
        return Outcome(served != evil, said, int(served != evil))


USED_BY_ONE = 1024  # challenges, by one key within ten minutes


@row("participant-who-uses-up-all-challenges", f"this key has used {USED_BY_ONE} within 10 minutes")
def all_challenges(evil):
    """Without TLS one participant signs call after call, so that there is no place for another's to be remembered as used,
    or one that he used is forgotten and good again."""
    port = free_port()
    with computing(manifest(port), None, port) as (_, _, client):
        mine, said = client.status(), ""
        first = challenge = client.status().challenge
        for _ in range(USED_BY_ONE if evil else 10):
            answer, said = shown(client, DATA_KEY, "data-provider", challenge, mine.manifest_digest)
            challenge = answer.challenge
        if evil:
            said = shown(client, DATA_KEY, "data-provider", challenge, mine.manifest_digest)[1]
        again = shown(client, DATA_KEY, "data-provider", first, mine.manifest_digest)[0]
        served = shown(client, ALGO_KEY, "algorithm-provider", mine.challenge, mine.manifest_digest)[0]
        fine = bool(served) and not again
        return Outcome(fine != evil, said, int(fine != evil))


@row("crowd-at-an-agent", "gave way")
def at_an_agent(evil):
    """Plaintext: silent, half a preface, idle, reflection, Watch, a call without its body, no window."""
    return besieged_agent(evil, (crowd.silent, crowd.preface, *crowd.CALLING))


@contextlib.contextmanager
def agent_tls(mutual):
    """agent_config, arguments of a Client, and a context each for strangers and the honest."""
    ca = Authority()
    server, client, other = ca.issue(), ca.issue("client"), ca.issue("other")
    config = {"cert_file": server[0], "key_file": server[1]}
    with Folder() as folder:
        for name, (cert, key) in {"client": client, "other": other}.items():
            folder.write(name + ".pem", cert)
            folder.write(name + "-key.pem", key)
        args = {"ca": ca.pem}
        contexts = [context_of({"cadata": ca.pem})] * 2
        if mutual:
            config["client_ca_file"] = ca.pem
            args.update(cert=client[0], key=client[1])
            contexts = [context_of({"cadata": ca.pem}, folder(n + ".pem"), folder(n + "-key.pem"))
                        for n in ("other", "client")]
        yield config, args, *contexts


@row("crowd-at-an-agent-tls", "gave way")
def at_an_agent_tls(evil):
    """TLS: also a handshake that never ends."""
    with agent_tls(False) as (config, args, stranger, honest):
        return besieged_agent(evil, crowd.ON_THE_WAY + crowd.CALLING, config, args, stranger, honest)


@row("crowd-at-an-agent-mtls", "gave way")
def at_an_agent_mtls(evil):
    """Mutual TLS: strangers with a certificate of the CA, who make no call of the service."""
    with agent_tls(True) as (config, args, stranger, honest):
        return besieged_agent(evil, crowd.ON_THE_WAY + crowd.CALLING, config, args, stranger, honest)


# ---- questions that anybody may ask ----

ADDRESSES = 16
QUESTIONS = 8  # of each: together twice as many as may wait
SHARE = 4      # of each that wait then
EXHAUSTED = 8


def ask_for_evidence(port, source, count):
    """A connection from that address, and its streams."""
    peer = h2raw.Peer(port, source=source)
    question = agent_pb2.AttestationRequest(teeNonce=TEE_NONCE, type=SNP).SerializeToString()
    streams = [peer.open("/agent.AgentService/Attestation") for _ in range(count)]
    for stream in streams:
        peer.data(stream, h2raw.message(question), end=True)
    return peer, streams


def statuses(peer, count):
    """grpc-status of those that end first."""
    ends = []
    while len(ends) < count:
        got = peer.frame()
        assert got, "the agent hung up"
        if got[0] == h2raw.HEADERS:
            headers = dict(peer.decoder.decode(got[3]))
            if got[1] & h2raw.END_STREAM:
                ends.append(int(headers["grpc-status"]))
    return ends


@row("sixteen-addresses-ask-for-evidence", "questions refused, 1 of 1 answered")
def sixteen_addresses(evil):
    """As many as a device keeps waiting, from sixteen addresses, which ask more than it answers: a seventeenth asks once."""
    if why := teesim.unavailable():
        raise Skip(why)
    with Folder() as folder, teesim.Teesim(folder, "snp") as tee, \
            machine("--tsm", tee.mount) as m, contextlib.ExitStack() as stack:
        m.compute()
        assert m.ask(SNP)  # the agent's own questions are answered before it
        port = int(m.manifest.agent_config.port)
        os.kill(tee.process.pid, signal.SIGSTOP)
        try:
            strangers = [ask_for_evidence(port, f"127.0.1.{i + 1}", QUESTIONS if evil else 1)
                         for i in range(ADDRESSES)]
            for peer, _ in strangers:
                stack.callback(peer.close)
            refused = [end for peer, _ in strangers
                       for end in statuses(peer, QUESTIONS - SHARE if evil else 0)]
            assert set(refused) <= {EXHAUSTED}, refused
            honest, (asked,) = ask_for_evidence(port, "127.0.2.1", 1)
            stack.callback(honest.close)
            m.client.status()  # of a call that came later: the question is in its place, or refused
        finally:
            os.kill(tee.process.pid, signal.SIGCONT)
        served = honest.status_of(asked) == 0
        said = f"{len(refused)} questions refused, {served:d} of 1 answered"
        if not evil:
            return Outcome(served and all(statuses(peer, 1) == [0] for peer, _ in strangers), said, served)
        return Outcome(not served, said, not served)


# ---- the attested listener ----

def half_a_request(port, _):
    """Behind TLS, in the exchange that comes before HTTP/2."""
    connection = connect("127.0.0.1", port)
    connection.send(frame(REQUEST, make_request())[:9])
    return connection.raw


def request_without_reading(port, _):
    """Asks for evidence, and does not read it."""
    connection = connect("127.0.0.1", port)
    connection.send(frame(REQUEST, make_request()))
    return connection.raw


def uploaded_to(server):
    server.stdin.write("\n")
    server.stdin.flush()
    return json.loads(server.stdout.readline())["uploaded"]


@row("crowd-at-an-attested-listener", "gave way")
def at_an_attested_listener(evil):
    """Attested TLS: handshakes, requests that never end, evidence that nobody reads."""
    with subprocess.Popen(["prlimit", f"--nofile={DESCRIPTORS}",
                           program("tests/attested/attested_server")],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        port = int(server.stdout.readline().split()[-1])
        client = [program("tests/attested/attested_client"), f"127.0.0.1:{port}"]
        with subprocess.Popen([*client, "--upload", "64", "--reattest", "1"],
                              stdout=subprocess.DEVNULL) as upload:
            until(lambda: uploaded_to(server) > 0, "the upload's first bytes")
            outcome = besieged(
                port, (crowd.silent, crowd.hello, half_a_request, request_without_reading), evil,
                lambda: subprocess.run(client, stdout=subprocess.DEVNULL, check=False).returncode == 0)
            assert upload.wait(PATIENCE) == 0, "the upload that was there before"
        server.stdin.close()
        assert server.wait(PATIENCE) == 0
        return outcome


# ---- cocos-computations ----

def besieged_computations(evil, kinds, folder, tls=None, stranger=None, honest=None, **settings):
    with crowd.few_descriptors(DESCRIPTORS):
        service = Computations(folder, tls, client_ca=tls is not None, **settings).start()
    with contextlib.ExitStack() as stack:
        stack.callback(service.__exit__)
        address = f"localhost:{service.port}" if tls else f"127.0.0.1:{service.port}"
        client = credentials(tls, "client") if tls else None
        agent = stack.enter_context(FakeAgent(address, "cvm-1", client))
        assert agent.next("agentStateReq").id == "cvm-1"
        outcome = besieged(service.port, kinds, evil,
                           lambda: crowd.answer(service.port, honest) == 0, stranger)
        # The stream that was there before is told of what happens after.
        service.process.wait_line("CVM 'cvm-1' connected")
        assert "CVM 'cvm-1' disconnected" not in service.process.text()
        agent.close()
        service.process.wait_line("CVM 'cvm-1' disconnected")
        return outcome


@row("crowd-at-the-service", "gave way")
def at_the_service(evil):
    """Plaintext on loopback; an agent's stream was there before."""
    with Folder() as folder:
        return besieged_computations(evil, (crowd.silent, crowd.preface, *crowd.CALLING), folder)


@row("crowd-at-the-service-mtls", "gave way")
def at_the_service_mtls(evil):
    """Mutual TLS: strangers with a certificate of the CA, who are no agents."""
    with Folder() as folder, Folder() as tls:
        authority(tls)
        stranger, honest = (context_of({"cafile": tls("ca.pem")}, tls(name + ".pem"),
                                       tls(name + "-key.pem")) for name in ("other-client", "client"))
        return besieged_computations(evil, crowd.ON_THE_WAY + crowd.CALLING, folder, tls, stranger,
                                     honest)


@row("one-certificate-in-every-place", "gave way")
def one_certificate(evil):
    """Mutual TLS: one holder of a certificate of the CA makes up CVMs, and has a stream that was taken
    in every place, or has had one. What he has beyond his share gives way; the agent that was there before
    stays."""
    with Folder() as folder, Folder() as tls:
        authority(tls)
        holder, honest = (context_of({"cafile": tls("ca.pem")}, tls(name + ".pem"),
                                     tls(name + "-key.pem")) for name in ("other-client", "client"))
        kinds = [crowd.holding("/cvms.Service/Process", is_short) for is_short in (False, True)]
        return besieged_computations(evil, kinds, folder, tls, holder, honest)


NAMES = 8  # that the service knows at a time


def arrival(service, tls, who, cvm):
    return FakeAgent(f"localhost:{service.port}", cvm, credentials(tls, who))


def make_up(service, tls, count):
    """The holder of another certificate of the CA is one CVM after the other, and goes again."""
    for i in range(count):
        with arrival(service, tls, "other-client", f"made-up-{i}") as agent:
            agent.next("agentStateReq")
        service.process.wait_line(f"CVM 'made-up-{i}' disconnected")


@row("one-certificate-in-every-name", "is forgotten to make room")
def every_name(evil):
    """Mutual TLS: one holder of a certificate of the CA was every CVM that the service may know, under names that he made
    up, and is connected as none of them. An agent with another certificate comes for the first time. (He was one CVM.)"""
    with Folder() as folder, Folder() as tls:
        authority(tls)
        with Computations(folder, tls, client_ca=True, MAX_CVMS=str(NAMES)) as service:
            make_up(service, tls, NAMES + 2 if evil else 1)
            with arrival(service, tls, "client", "cvm-1") as agent:
                first = agent.heard.get(timeout=PATIENCE)
                served = not isinstance(first, grpc.RpcError)
                if served:
                    service.process.wait_line("CVM 'cvm-1' connected")
                said = service.process.text() if served else first.details()
            return Outcome(served != evil, said, served != evil)


@row("name-that-a-flood-would-free", "is bound to another client certificate's key")
def name_freed(evil):
    """The same holder wants the name of a CVM, whose agent is away and holds nothing any more: another certificate has more
    such names than he has, and he makes up as many as make the service forget some. Then he comes under that name, for what
    is run there next. (Its own agent comes back.)"""
    with Folder() as folder, Folder() as tls:
        authority(tls)
        with Computations(folder, tls, client_ca=True, MAX_CVMS=str(NAMES)) as service:
            def run_on(agent):
                until(connected(service, agent.cvm), "the agent's arrival")
                made = create(service)
                run(service, made, agent.cvm)
                assert agent.manifest().id == made
                return made
            for i in range(NAMES - 3):
                with arrival(service, tls, "client", f"cvm-{i}") as agent:
                    made = run_on(agent)
                    service.admin.Stop(computations.ComputationRequest(id=made), timeout=PATIENCE)
                    agent.next("stopComputation")
                    agent.say(stop_computation_res=cvms.StopComputationResponse(computation_id=made))
                    service.until_state(made, "Cancelled")
                service.process.wait_line(f"CVM 'cvm-{i}' disconnected")
            make_up(service, tls, 2 * NAMES)
            with arrival(service, tls, "other-client" if evil else "client", "cvm-0") as agent:
                first = agent.heard.get(timeout=PATIENCE)
                if isinstance(first, grpc.RpcError):
                    return Outcome(False, first.details(), 0)
                return Outcome(True, gained=len(run_on(agent)))


# ---- the manager ----

def besieged_manager(evil, kinds, tls=None, stranger=None, honest=None):
    """Without libvirt: what is asked of it here needs none."""
    with Folder() as folder, tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        settings = {"GRPC_HOST": "127.0.0.1", "GRPC_PORT": "0", "SOCKET": folder("manager.sock"),
                    "IMAGE_DIR": idle_image(folder), "STATE_DIR": folder("state"),
                    "SECRETS_DIR": memory + "/secrets", "TEE": "none", "MEMORY": "128M",
                    "LIBVIRT_URI": f"qemu+unix:///system?socket={folder('no-libvirt')}"}
        if tls:
            settings.update(GRPC_SERVER_CERT=tls("server.pem"), GRPC_SERVER_KEY=tls("server-key.pem"),
                            GRPC_CLIENT_CA_CERTS=tls("ca.pem"))
        config = folder.write("manager.conf",
                              "".join(f"MANAGER_{k}={v}\n" for k, v in settings.items()))
        with crowd.few_descriptors(DESCRIPTORS):
            process = Process([program("cocos-manager"), "--config", config])
        try:
            port = int(process.wait_line(r"listening on \S+ port (\d+)")[1])
            return besieged(port, kinds, evil,
                            lambda: crowd.answer(port, honest, CVM_INFO) == NOT_FOUND, stranger)
        finally:
            process.finish()


@row("crowd-at-a-manager", "gave way")
def at_a_manager(evil):
    """Plaintext on loopback."""
    return besieged_manager(evil, (crowd.silent, crowd.preface, *crowd.CALLING))


@row("crowd-at-a-manager-mtls", "gave way")
def at_a_manager_mtls(evil):
    """Mutual TLS: strangers with a certificate of the CA."""
    with Folder() as tls:
        authority(tls)
        stranger, honest = (context_of({"cafile": tls("ca.pem")}, tls(name + ".pem"),
                                       tls(name + "-key.pem")) for name in ("other-client", "client"))
        return besieged_manager(evil, crowd.ON_THE_WAY + crowd.CALLING, tls, stranger, honest)
