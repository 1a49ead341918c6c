# SPDX-License-Identifier: Apache-2.0
"""What the tests of whole programs share: starting and stopping them, protocol, certificates.

Peers are python3-grpcio and the .proto files: nothing of our C. Programs are stopped by the process
ids that were started here, ports are free ones, files live in a folder that goes away.
"""
import datetime
import errno
import grp
import importlib
import ipaddress
import json
import os
import queue
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time

import grpc
from grpc_tools import protoc

import sanitized
from ports import free_port

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("COCOS_BUILD", os.path.join(ROOT, "build"))
os.environ.setdefault("COCOS_VECTORS", os.path.join(os.path.dirname(ROOT), "shared", "vectors"))
PATIENCE = 180  # seconds until something that must come counts as missing; never a measurement


def program(name):
    return os.path.join(BUILD, name)


def load_protocol():
    """The messages of proto/, compiled for this run: {"cvms": module, …}."""
    out = tempfile.mkdtemp(prefix="cocos-proto-")
    try:
        names = ["agent", "cvms", "manager", "computations", "people", "certificates", "webhooks", "billing", "workflows", "health", "reflection"]
        include = importlib.resources.files("grpc_tools") / "_proto"
        status = protoc.main(
            ["protoc", "-I", os.path.join(ROOT, "proto"), "-I", str(include),
             f"--python_out={out}", f"--grpc_python_out={out}"] + [n + ".proto" for n in names])
        if status != 0:
            raise RuntimeError("protoc fails")
        sys.path.insert(0, out)
        return {name: (importlib.import_module(name + "_pb2"),
                       importlib.import_module(name + "_pb2_grpc")) for name in names}
    finally:
        shutil.rmtree(out)


PROTOCOL = load_protocol()
cvms, cvms_grpc = PROTOCOL["cvms"]
computations, computations_grpc = PROTOCOL["computations"]
people, people_grpc = PROTOCOL["people"]
certificates, certificates_grpc = PROTOCOL["certificates"]
workflows, workflows_grpc = PROTOCOL["workflows"]
agent, agent_grpc = PROTOCOL["agent"]
health, health_grpc = PROTOCOL["health"]
reflection, reflection_grpc = PROTOCOL["reflection"]


NO = (1, 3, 4)  # exit statuses of a refusal, by what is wrong with the evidence


class Folder:
    """A scratch folder for a `with`."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="cocos-test-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def __call__(self, *names):
        return os.path.join(self.path, *names)

    def write(self, name, text, mode=0o644):
        path = self(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        return path


class Process:
    """A program that runs beside the test; its standard error is read line by line."""

    def __init__(self, arguments, environment=None, cwd=None, stdout=subprocess.DEVNULL):
        env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
        env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        env.update(environment or {})
        self.name = os.path.basename(arguments[0])
        self.lines, self.changed = [], threading.Condition()
        self.process = subprocess.Popen(arguments, env=env, cwd=cwd, stdin=subprocess.DEVNULL,
                                        stdout=stdout, stderr=subprocess.PIPE,
                                        text=True, errors="replace")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.lines.append(None)
            self.changed.notify_all()

    @property
    def pid(self):
        return self.process.pid

    def text(self):
        return "\n".join(line for line in self.lines if line is not None)

    def wait_line(self, pattern):
        """The match of the first line that holds `pattern`."""
        end = time.monotonic() + PATIENCE
        at = 0
        with self.changed:
            while True:
                while at < len(self.lines):
                    line = self.lines[at]
                    at += 1
                    if line is None:
                        raise AssertionError(f"{self.name} ended before {pattern!r}:\n{self.text()}")
                    found = re.search(pattern, line)
                    if found:
                        return found
                if not self.changed.wait(end - time.monotonic()) or time.monotonic() > end:
                    raise AssertionError(f"{self.name} never says {pattern!r}:\n{self.text()}")

    def stop(self):
        """SIGTERM; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.end()

    def end(self):
        """Waits for the end of a process that was told to stop; the exit status."""
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} does not stop:\n{self.text()}") from None
        self.reader.join()
        sanitized.judge(self.name, status, self.text())
        return status

    def finish(self):
        """The test has done with it."""
        def text():
            self.reader.join()
            return self.text()
        sanitized.finish(self.process, self.name, text)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join()

    def memory(self, what="Pss"):
        """Bytes that this process alone costs. A figure for people: libraries count in it by the
        number of those who use them just now. What a test compares is what was `written`."""
        with open(f"/proc/{self.pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith(what + ":"):
                    return int(line.split()[1]) * 1024
        raise AssertionError(f"no {what} line")

    def written(self):
        """Bytes of the pages that this process has made its own by writing to them."""
        return own_memory(self.pid)


def own_memory(pid):
    """Bytes of a process's anonymous pages. The libraries' are left out: what they cost one process
    depends on how many others have them mapped at the moment. 0 where sanitizers keep what was freed."""
    if sanitized.ON:
        return 0
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Anonymous:")) << 10


def plateau(pid, load, rounds=12, slack=64 << 10):
    """Loads a process until a whole round leaves no more than `slack` bytes in it; the last round's
    result and the memory. What an allocator keeps once comes to an end, a leak does not."""
    memory = own_memory(pid)
    for _ in range(rounds):
        result, before = load(), memory
        memory = own_memory(pid)
        if memory - before <= slack:
            return result, memory
    raise AssertionError(f"{pid} grows with each of {rounds} rounds, last from {before} to {memory}")


def until(condition, what="it", seconds=PATIENCE):
    """Waits until the function gives something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"{what} never happens")
        time.sleep(0.02)


class Computations:
    """cocos-computations with an administrator's stub; `tls` is a folder of authority()."""

    def __init__(self, folder, tls=None, client_ca=False, **settings):
        self.folder = folder
        self.socket = folder("admin.sock")
        self.settings = {
            # Held: when it is killed and started again, nobody's connection has taken it meanwhile.
            "COMPUTATIONS_GRPC_PORT": str(free_port()),
            "COMPUTATIONS_ADMIN_SOCKET": self.socket,
            "COMPUTATIONS_STATE_DIR": folder("state"),
        }
        if tls:
            self.settings["COMPUTATIONS_GRPC_SERVER_CERT"] = tls("server.pem")
            self.settings["COMPUTATIONS_GRPC_SERVER_KEY"] = tls("server-key.pem")
            if client_ca:
                self.settings["COMPUTATIONS_GRPC_CLIENT_CA_CERTS"] = tls("ca.pem")
        self.settings.update({"COMPUTATIONS_" + k: v for k, v in settings.items()})
        self.process, self.wrapper = None, []

    def start(self):
        config = self.folder.write(
            "computations.conf", "".join(f"{k}={v}\n" for k, v in self.settings.items()))
        self.process = Process([*self.wrapper, program("cocos-computations"), "--config", config])
        found = self.process.wait_line(r"agents: listening on \S+ port (\d+)")
        self.process.wait_line(r" ready$")
        self.port = int(found[1])
        self.channel = grpc.insecure_channel("unix:" + self.socket)
        self.admin = computations_grpc.ComputationServiceStub(self.channel)
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.channel.close()
        self.process.finish()

    def show(self, computation):
        return self.admin.Show(computations.ComputationRequest(id=computation), timeout=PATIENCE)

    def until_state(self, computation, state):
        until(lambda: self.show(computation).state == state,
              f"state {state} (it is {self.show(computation).state})")


class Refused(Exception):
    """The stream ended with a status."""


class FakeAgent:
    """An agent's end of cvms.Service/Process: says what a test tells it, keeps what it hears."""

    def __init__(self, address, cvm, credentials=None, answers_state="ReceivingManifest", metadata=(),
                 options=()):
        self.cvm, self.answers_state, self.attempt = cvm, answers_state, 0
        self.channel = (grpc.secure_channel(address, credentials, options) if credentials
                        else grpc.insecure_channel(address))
        self.outgoing, self.heard = queue.Queue(), queue.Queue()
        self.stream = cvms_grpc.ServiceStub(self.channel).Process(
            iter(self.outgoing.get, None), metadata=(("job-id", cvm), *metadata))
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        try:
            for message in self.stream:
                kind = message.WhichOneof("message")
                if kind == "agentStateReq" and self.answers_state:
                    self.say(agent_state_res=cvms.AgentStateRes(id=message.agentStateReq.id,
                                                                state=self.answers_state))
                self.heard.put(message)
            self.heard.put(None)
        except grpc.RpcError as error:
            self.heard.put(error)

    def say(self, **message):
        self.outgoing.put(cvms.ClientStreamMessage(**message))

    def log(self, computation, text, level="info"):
        log = cvms.AgentLog(message=text, computation_id=computation, level=level)
        log.timestamp.GetCurrentTime()
        self.say(agent_log=log)

    def event(self, computation, kind, status, details=b"{}"):
        event = cvms.AgentEvent(event_type=kind, status=status, computation_id=computation,
                                details=details, originator="agent")
        event.timestamp.GetCurrentTime()
        self.say(agent_event=event)

    def next(self, kind):
        """The next message of that kind; others are passed over."""
        while True:
            try:
                message = self.heard.get(timeout=PATIENCE)
            except queue.Empty:
                raise AssertionError(f"no {kind} comes") from None
            if message is None or isinstance(message, grpc.RpcError):
                raise Refused(message)
            if message.WhichOneof("message") == kind:
                return getattr(message, kind)

    def ended(self):
        """Waits for the end of the stream; its status code."""
        while True:
            try:
                message = self.heard.get(timeout=PATIENCE)
            except queue.Empty:
                raise AssertionError("the stream does not end") from None
            if message is None:
                return grpc.StatusCode.OK
            if isinstance(message, grpc.RpcError):
                return message.code()

    def manifest(self):
        """Puts the chunks together as wire.md has them."""
        data, sizes = b"", []
        while True:
            chunk = self.next("runReqChunks")
            sizes.append(len(chunk.data))
            data += chunk.data
            if chunk.is_last:
                self.attempt = chunk.attempt
                assert not chunk.data, "the last chunk is not empty"
                assert all(size <= 1 << 20 for size in sizes), sizes
                return cvms.ComputationRunReq.FromString(data)

    def close(self):
        self.outgoing.put(None)
        self.stream.cancel()
        self.channel.close()
        self.thread.join(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def spki(name="test"):
    """A key pair: DER of the public half, PEM of the private one."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    key = ec.generate_private_key(ec.SECP256R1())
    return (key.public_key().public_bytes(serialization.Encoding.DER,
                                          serialization.PublicFormat.SubjectPublicKeyInfo),
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                              serialization.NoEncryption()))


def authority(folder, *addresses):
    """ca.pem, server.pem, client.pem (and -key.pem of each) in the folder; server is localhost, and at these addresses."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def name(text):
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    now = datetime.datetime.utcnow()
    ca_key = ec.generate_private_key(ec.SECP256R1())

    def certificate(subject, key, is_ca, names=()):
        builder = (x509.CertificateBuilder().subject_name(name(subject))
                   .issuer_name(name("test authority")).public_key(key.public_key())
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=30))
                   .add_extension(x509.BasicConstraints(is_ca, None), critical=True))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(list(names)),
                                            critical=False)
        return builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def save(stem, subject, key, is_ca=False, names=()):
        folder.write(stem + ".pem", certificate(subject, key, is_ca, names))
        folder.write(stem + "-key.pem", key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()), 0o600)

    save("ca", "test authority", ca_key, True)
    save("server", "server", ec.generate_private_key(ec.SECP256R1()),
         names=[x509.DNSName("localhost"), *(x509.IPAddress(ipaddress.ip_address(each)) for each in ("127.0.0.1", *addresses))])
    save("client", "client", ec.generate_private_key(ec.SECP256R1()))
    save("other-client", "other client", ec.generate_private_key(ec.SECP256R1()))
    return folder


def read(path):
    with open(path, "rb") as file:
        return file.read()


def credentials(tls, client=None):
    if client:
        return grpc.ssl_channel_credentials(read(tls("ca.pem")), read(tls(client + "-key.pem")),
                                            read(tls(client + ".pem")))
    return grpc.ssl_channel_credentials(read(tls("ca.pem")))


class Ran:
    def __init__(self, done):
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr
        sanitized.judge(done.args[0], self.status, self.err)

    def ok(self):
        assert self.status == 0, f"exit {self.status}\n{self.out}{self.err}"
        return self.out

    def json(self):
        return json.loads(self.ok())

    def refused(self, status, *words):
        assert self.status == status, f"exit {self.status}, not {status}\n{self.out}{self.err}"
        for word in words:
            assert word in self.err, f"{word!r} is not in: {self.err}"
        return self


def is_for_administrators(path):
    """A socket for its user and the members of group cocos, where that can be given to it, and nobody else."""
    st = os.stat(path)
    try:
        group = grp.getgrnam("cocos").gr_gid
    except KeyError:
        group = None
    shared = group is not None and (os.geteuid() == 0 or group in os.getgroups())
    assert stat.S_ISSOCK(st.st_mode) and stat.S_IMODE(st.st_mode) == (0o660 if shared else 0o600), oct(st.st_mode)
    assert st.st_uid == os.geteuid() and (not shared or st.st_gid == group), st


def cli(*arguments, cwd=None, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **environment):
    """cocos-cli once, without a terminal and with no environment but what is given."""
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
    env.update(environment)
    return Ran(subprocess.run([program("cocos-cli"), *arguments], env=env, cwd=cwd, stdin=stdin,
                              stdout=stdout, stderr=subprocess.PIPE, text=True, errors="replace",
                              timeout=PATIENCE, start_new_session=True, check=False))


def lost(remedy, *arguments, **environment):
    """What is told once by that command, and can't be written: it says so, and what to do about it."""
    with open("/dev/full", "wb") as full:
        ran = cli(*arguments, stdout=full, **environment)
    ran.refused(1, os.strerror(errno.ENOSPC))
    found = re.search(f"hint: nobody has [^\n]*: ({remedy})", ran.err)
    assert found, ran.err
    return found[1]
