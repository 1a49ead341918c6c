# SPDX-License-Identifier: Apache-2.0
"""An independent computation service and an independent client of the agent.

Written from the protocol's description alone: the .proto files compiled by grpc_tools, gRPC's own
Python, the cryptography package. No code of the project.
"""
import atexit
import base64
import datetime
import hashlib
import importlib
import io
import ipaddress
import os
import queue
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from concurrent import futures

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import NameOID
from grpc_tools import protoc

import sanitized
from ports import free_port

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
AGENT = os.path.join(os.environ.get("COCOS_BUILD", os.path.join(SOURCE, "build")), "cocos-agent")
WAIT = 180  # seconds after which something that should happen is said not to

# Windows that do not grow: a transfer that a test cuts short is then never in the peer's hands
# already.
OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1),
           ("grpc.http2.bdp_probe", 0)]


def compile_protos():
    out = tempfile.mkdtemp(prefix="cocos-protos-")
    protos = os.path.join(SOURCE, "proto")
    well_known = os.path.join(os.path.dirname(importlib.import_module("grpc_tools").__file__),
                              "_proto")
    status = protoc.main(["", "-I" + protos, "-I/usr/include", "-I" + well_known,
                          "--python_out=" + out, "--grpc_python_out=" + out,
                          "agent.proto", "cvms.proto"])
    if status != 0:
        raise RuntimeError("protoc failed")
    sys.path.insert(0, out)
    return out


PROTOS = compile_protos()
atexit.register(shutil.rmtree, PROTOS, ignore_errors=True)
import agent_pb2  # noqa: E402  pylint: disable=wrong-import-position
import agent_pb2_grpc  # noqa: E402  pylint: disable=wrong-import-position
import cvms_pb2  # noqa: E402  pylint: disable=wrong-import-position
import cvms_pb2_grpc  # noqa: E402  pylint: disable=wrong-import-position


def sha3(data):
    return hashlib.sha3_256(data).digest()


class Key:
    def __init__(self, kind="ecdsa"):
        if kind == "ecdsa":
            self.key = ec.generate_private_key(ec.SECP256R1())
        elif kind == "ed25519":
            self.key = ed25519.Ed25519PrivateKey.generate()
        else:
            self.key = rsa.generate_private_key(65537, 2048)
        self.kind = kind

    @property
    def spki(self):
        return self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, data):
        if self.kind == "ecdsa":
            sig = self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        elif self.kind == "ed25519":
            sig = self.key.sign(data)
        else:
            sig = self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return base64.b64encode(sig).decode()


def pem_key(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


class Authority:
    """A CA that issues certificates for 127.0.0.1 and for clients."""

    def __init__(self, above=None, hours_ago=0):
        """`above` is the authority that has certified this one; None: itself."""
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(
            NameOID.COMMON_NAME, "test authority between" if above else "test ca")])
        self.cert = (above or self)._build(self.name, self.key.public_key(), ca=True, hours_ago=hours_ago)
        self.pem = self.cert.public_bytes(serialization.Encoding.PEM).decode()

    def _build(self, name, public, ca, hours_ago=0):
        now = datetime.datetime.utcnow() - datetime.timedelta(hours=hours_ago)
        b = (x509.CertificateBuilder().subject_name(name).issuer_name(self.name)
             .public_key(public).serial_number(x509.random_serial_number())
             .not_valid_before(now - datetime.timedelta(hours=1))
             .not_valid_after(now + datetime.timedelta(days=1))
             .add_extension(x509.BasicConstraints(ca=ca, path_length=None), True))
        if not ca:
            b = b.add_extension(x509.SubjectAlternativeName(
                [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]),
                False)
        return b.sign(self.key, hashes.SHA256())

    def issue(self, name="peer", hours_ago=0):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        cert = self._build(subject, key.public_key(), ca=False, hours_ago=hours_ago)
        return cert.public_bytes(serialization.Encoding.PEM).decode(), pem_key(key)


class Service(cvms_pb2_grpc.ServiceServicer):
    """A computation service for one agent."""

    def __init__(self, port=None, tls=None, client_ca=None):
        self.port = port or free_port()
        self.tls, self.client_ca = tls, client_ca
        self.messages = []      # everything the agent ever said, in order
        self.job_ids = []
        self.changed = threading.Condition()
        self.outgoing = None
        self.connections = self.questions = 0
        self.server = None
        self.start()

    def start(self):
        self.server = grpc.server(futures.ThreadPoolExecutor(8), options=OPTIONS)
        cvms_pb2_grpc.add_ServiceServicer_to_server(self, self.server)
        address = f"127.0.0.1:{self.port}"
        if self.tls:
            cert, key = self.tls
            credentials = grpc.ssl_server_credentials(
                [(key.encode(), cert.encode())],
                self.client_ca.encode() if self.client_ca else None, bool(self.client_ca))
            bound = self.server.add_secure_port(address, credentials)
        else:
            bound = self.server.add_insecure_port(address)
        assert bound == self.port, "the port is taken"
        self.server.start()

    def stop(self):
        """As if the service went away."""
        outgoing, self.outgoing = self.outgoing, None
        if outgoing:
            outgoing.put(None)
        self.server.stop(0).wait()

    def Process(self, request_iterator, context):
        outgoing = queue.Queue()
        with self.changed:
            self.outgoing = outgoing
            self.connections += 1
            self.job_ids.append(dict(context.invocation_metadata()).get("job-id"))
            self.changed.notify_all()
        threading.Thread(target=self._listen, args=(request_iterator, outgoing),
                         daemon=True).start()
        while True:
            message = outgoing.get()
            if message is None:
                return
            yield message

    def _listen(self, request_iterator, outgoing):
        try:
            for message in request_iterator:
                with self.changed:
                    self.messages.append(message)
                    self.changed.notify_all()
        except Exception:  # pylint: disable=broad-except
            pass
        outgoing.put(None)

    def wait(self, what, seconds=WAIT):
        """Until what(self) is true; returns its value."""
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                value = what(self)
                if value:
                    return value
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError("did not happen; the agent said: " +
                                         "; ".join(self.summary()))
                self.changed.wait(left)

    def wait_connected(self, times=1):
        self.wait(lambda s: s.connections >= times and s.outgoing)

    def send(self, **oneof):
        self.outgoing.put(cvms_pb2.ServerStreamMessage(**oneof))

    def send_chunks(self, data, chunk_id="chunks", size=1 << 20, last=True, attempt=0):
        for at in range(0, len(data), size):
            self.send(runReqChunks=cvms_pb2.RunReqChunks(data=data[at:at + size], id=chunk_id))
        if last:
            self.send(runReqChunks=cvms_pb2.RunReqChunks(id=chunk_id, is_last=True, attempt=attempt))

    def of(self, kind):
        return [getattr(m, kind) for m in self.messages if m.WhichOneof("message") == kind]

    def events(self):
        """In order; one that came again after a broken connection is the very same."""
        seen, out = set(), []
        for e in self.of("agent_event"):
            if e.SerializeToString(deterministic=True) not in seen:
                seen.add(e.SerializeToString(deterministic=True))
                out.append(f"{e.event_type}/{e.status}")
        return out

    def summary(self):
        out = []
        for m in self.messages:
            kind = m.WhichOneof("message")
            inner = getattr(m, kind)
            if kind == "agent_log":
                out.append(f"log {inner.message}")
            elif kind == "agent_event":
                out.append(f"event {inner.event_type}/{inner.status} {inner.details}")
            elif kind == "run_res":
                out.append(f"run {inner.computation_id}: {inner.error}")
            else:
                out.append(f"{kind} {inner}".replace("\n", " "))
        return out

    def wait_event(self, event, seconds=WAIT):
        self.wait(lambda s: event in s.events(), seconds)

    def answer_to_run(self, nth=0):
        """The nth RunResponse."""
        return self.wait(lambda s: s.of("run_res")[nth:nth + 1])[0]

    def catch_up(self, seconds=WAIT):
        """Until all has come that the agent has said so far: it answers in order."""
        with self.changed:
            self.questions += 1
            name = f"catch-up-{self.questions}"
        self.send(agentStateReq=cvms_pb2.AgentStateReq(id=name))
        self.wait(lambda s: any(a.id == name for a in s.of("agent_state_res")), seconds)

    def log_text(self):
        """What has come; to look for what should not have, catch_up() first."""
        return "\n".join(m.message for m in self.of("agent_log"))


class Agent:
    """A cocos-agent of our own, on this host."""

    def __init__(self, service, development=True, settings=None, certs=None, options=(),
                 cvm_id="cvm-1", work="", wrapper=()):
        self.dir = tempfile.mkdtemp(prefix="cocos-agent-")
        self.work_dir = os.path.join(self.dir, "work", work).rstrip("/")
        for name in ("config", "certs"):
            os.mkdir(os.path.join(self.dir, name))
        os.makedirs(self.work_dir)
        values = {"AGENT_LOG_LEVEL": "debug", "AGENT_CVM_ID": cvm_id,
                  "AGENT_GRPC_HOST": "127.0.0.1", "AGENT_CVM_CA_URL": "",
                  "AGENT_CVM_GRPC_URL": f"127.0.0.1:{service.port if service else 9}"}
        values.update(settings or {})
        with open(os.path.join(self.dir, "config", "environment"), "w", encoding="utf8") as f:
            f.writelines(f"{k}={v}\n" for k, v in values.items())
        for name, text in (certs or {}).items():
            with open(os.path.join(self.dir, "certs", name), "w", encoding="utf8") as f:
                f.write(text)
        # Appended to: the agent's place in it is nobody else's, and what is read is read apart.
        self.log = open(os.path.join(self.dir, "log"), "ab")  # pylint: disable=consider-using-with
        self.command = ([self.work_dir if w == "WORK" else w for w in wrapper] +
                        [AGENT, "--config", self.dir + "/config", "--certs", self.dir + "/certs",
                         "--work", self.work_dir] +
                        (["--development"] if development else []) + list(options))
        self.process = None
        self.restart()

    def restart(self):
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            self.command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)

    def output(self):
        with open(self.log.name, "rb") as log:
            return log.read().decode(errors="replace")

    def work(self):
        """Every file below the work folder."""
        found = []
        for folder, _, files in os.walk(self.dir + "/work"):
            found += [os.path.relpath(os.path.join(folder, f), self.dir + "/work") for f in files]
        return sorted(found)

    def stop(self):
        """Ends it cleanly and returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(WAIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("SIGTERM did not end the agent:\n" + self.output()) from None
        sanitized.judge("cocos-agent", status, self.output())
        return status

    def remove(self):
        try:
            sanitized.finish(self.process, "cocos-agent", self.output)
        finally:
            self.forget()

    def forget(self):
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)


def dataset(content, key, name="", **more):
    return cvms_pb2.Dataset(hash=sha3(content), userKey=key.spki, filename=name, **more)


def algorithm(content, key, **more):
    return cvms_pb2.Algorithm(hash=sha3(content), userKey=key.spki, **more)


def zip_of(entries):
    """name -> content, in a zip as anybody makes it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, content in entries:
            z.writestr(name, content)
    return out.getvalue()


class Client:
    """A stock client of the agent; with `proof`, one that signs as ours does."""

    def __init__(self, port, ca=None, cert=None, key=None):
        self.port, self.url = port, f"127.0.0.1:{port}"
        target = self.url
        if ca:
            credentials = grpc.ssl_channel_credentials(
                ca.encode(), key.encode() if key else None, cert.encode() if cert else None)
            self.channel = grpc.secure_channel(target, credentials, OPTIONS)
        else:
            self.channel = grpc.insecure_channel(target, OPTIONS)
        self.stub = agent_pb2_grpc.AgentServiceStub(self.channel)

    def close(self):
        self.channel.close()

    @staticmethod
    def role_metadata(role, key, more=()):
        return [("user-id", role), ("signature", key.sign(role.encode()))] + list(more)

    def proof_metadata(self, role, method, key, asset, parameters, more=(), manifest=None,
                       challenge=None):
        """Metadata with a proof, built from its definition."""
        if manifest is None or challenge is None:
            status = self.stub.Status(agent_pb2.StatusRequest(), timeout=WAIT)
            manifest = status.manifest_digest if manifest is None else manifest
            challenge = status.challenge if challenge is None else challenge
        packed = b""
        for name, value in parameters:
            value = value if isinstance(value, bytes) else value.encode()
            packed += struct.pack(">I", len(name)) + name.encode()
            packed += struct.pack(">I", len(value)) + value
        message = (b"cocos-proof-v1\0" + role.encode() + b"\0" +
                   f"/agent.AgentService/{method}".encode() + b"\0" + manifest + challenge +
                   (asset or bytes(32)) + sha3(packed))
        out = [("user-id", role), ("proof", key.sign(message)),
               ("proof-challenge", challenge.hex())]
        if asset:
            out.append(("asset-digest", asset.hex()))
        return out + list(more)

    def algo(self, content, key, requirements=b"", more=(), size=1 << 20, metadata=None):
        def messages():
            for at in range(0, len(requirements), size):
                yield agent_pb2.AlgoRequest(requirements=requirements[at:at + size])
            for at in range(0, max(len(content), 1), size):
                yield agent_pb2.AlgoRequest(algorithm=content[at:at + size])
        if metadata is None:
            metadata = self.role_metadata("algorithm-provider", key, more)
        return self.stub.Algo(messages(), metadata=metadata, timeout=WAIT)

    def data(self, content, key, name, more=(), size=1 << 20, metadata=None):
        def messages():
            for at in range(0, max(len(content), 1), size):
                yield agent_pb2.DataRequest(dataset=content[at:at + size], filename=name)
        if metadata is None:
            metadata = self.role_metadata("data-provider", key, more)
        return self.stub.Data(messages(), metadata=metadata, timeout=WAIT)

    def result(self, key, metadata=None):
        """The bytes, which are as many as the header says."""
        if metadata is None:
            metadata = self.role_metadata("consumer", key)
        call = self.stub.Result(agent_pb2.ResultRequest(), metadata=metadata, timeout=WAIT)
        content = b"".join(r.file for r in call)
        size = dict(call.initial_metadata())["file-size"]
        assert int(size) == len(content), f"file-size {size}, {len(content)} bytes came"
        return content

    def status(self):
        return self.stub.Status(agent_pb2.StatusRequest(), timeout=WAIT)


def refused(code, words, function, *args, **kwargs):
    """The call fails with that code and its message holds the words."""
    try:
        value = function(*args, **kwargs)
        if hasattr(value, "code"):
            value = list(value)
    except grpc.RpcError as e:
        assert e.code() == code, f"{e.code()}: {e.details()}; {code} was expected"
        assert words in e.details(), f"'{e.details()}' does not speak of '{words}'"
        return
    raise AssertionError(f"was not refused ({code}, {words}) but answered {value}")
