# SPDX-License-Identifier: Apache-2.0
"""cocos-cli against an agent and a manager written here from the protocol: what it signs, what it
sends, what it does when connections break, when there is no room, when the peer lies."""
import base64
import concurrent.futures
import contextlib
import hashlib
import io
import os
import re
import secrets
import socket
import ssl
import stat
import subprocess
import threading
import zipfile

import grpc
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

import tap
from harness import (PATIENCE, PROTOCOL, ROOT, Folder, Process, agent, agent_grpc, authority, cli,
                     program, read)
from ports import free_port

manager, manager_grpc = PROTOCOL["manager"]
MANIFEST_DIGEST = hashlib.sha3_256(b"a manifest").digest()
IRIS = os.path.join(ROOT, "examples", "iris", "iris.csv")


def sha3(data):
    return hashlib.sha3_256(data).digest()


def field(data):
    data = data if isinstance(data, bytes) else data.encode()
    return len(data).to_bytes(4, "big") + data


def verify(public, signature, message):
    if isinstance(public, rsa.RSAPublicKey):
        public.verify(signature, message, padding.PSS(padding.MGF1(hashes.SHA256()), 32),
                      hashes.SHA256())
    elif isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    else:
        assert isinstance(public, ed25519.Ed25519PublicKey)
        public.verify(signature, message)


class FakeAgent(agent_grpc.AgentServiceServicer):
    """Believes nobody: each call's proof is checked as common/manifest/proof.h writes it down."""

    def __init__(self, public_pem):
        self.public = serialization.load_pem_public_key(public_pem)
        self.algorithm, self.datasets, self.challenges = b"", {}, set()
        self.status = {}          # overrides of Status
        self.calls, self.kept, self.heard = [], b"", []
        self.break_after = []     # bytes after which an upload's or download's connection breaks
        self.results, self.announce = None, None
        self.foreign = False  # no asset is for the key that asks
        self.refuses = ""     # what Status says to an owner's proof; empty: it takes it
        self.others = ()                            # nor are those of these names
        self.not_yet = ""  # what Receipt is refused with, a moment before there are results; empty: it makes none

    def start(self, port=0):
        # Windows that do not grow: what waits to be read is a small part of a large upload, however
        # long this machine's other work makes a round trip.
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(4),
                                  options=[("grpc.max_receive_message_length", 4 << 20),
                                           ("grpc.http2.bdp_probe", 0)])
        agent_grpc.add_AgentServiceServicer_to_server(self, self.server)
        port = self.server.add_insecure_port(f"127.0.0.1:{port}")
        self.server.start()
        self.url = f"127.0.0.1:{port}"
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.server.stop(None)

    def run(self, *arguments, **keywords):
        return cli(*arguments, AGENT_GRPC_URL=self.url, **keywords)

    def Status(self, request, context):
        self.heard.append("Status")
        challenge = secrets.token_bytes(32)
        self.challenges.add(challenge.hex())
        values = {
            "computation_id": "computation-1", "name": "test", "state": "ReceivingData",
            "manifest_digest": MANIFEST_DIGEST, "challenge": challenge, "version": "fake",
            "algorithm": agent.StatusAsset(hash=sha3(self.algorithm), bytes_kept=len(self.kept)),
            "datasets": [agent.StatusAsset(hash=sha3(data), filename=name,
                                           bytes_kept=len(self.kept))
                         for name, data in self.datasets.items()],
        }
        values.update(self.status)
        response = agent.StatusResponse(**values)
        role = dict(context.invocation_metadata()).get("user-id")
        if role in ("data-provider", "algorithm-provider"):
            if self.refuses:
                context.abort(grpc.StatusCode.PERMISSION_DENIED, self.refuses)
            self.check(context, role, "/agent.AgentService/Status", None, [],
                       "Status: not signed by an owner that the manifest names: the manifest does not name your key, abc")
            self.calls.pop()
            for row in [response.algorithm, *response.datasets]:
                row.yours = not self.foreign and row.filename not in self.others
        return response

    def check(self, context, role, method, asset, parameters, refusal="the proof does not hold"):
        metadata = context.invocation_metadata()
        values = {}
        for key, value in metadata:
            values.setdefault(key, []).append(value)
        self.calls.append(values)
        assert values["user-id"] == [role], values
        [challenge] = values["proof-challenge"]
        self.challenges.remove(challenge)
        message = (b"cocos-proof-v1\0" + role.encode() + b"\0" + method.encode() + b"\0" +
                   MANIFEST_DIGEST + bytes.fromhex(challenge) + (asset or bytes(32)) +
                   sha3(b"".join(field(k) + field(v) for k, v in parameters)))
        try:
            verify(self.public, base64.b64decode(values["proof"][0], validate=True), message)
        except InvalidSignature:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, refusal)
        return values

    def receive(self, context, pieces, offset):
        data = self.kept[:offset]
        limit = self.break_after.pop(0) if self.break_after else None
        for piece in pieces:
            assert len(piece) <= 1 << 20
            data += piece
            if limit is not None and len(data) >= limit:
                self.kept = data
                context.abort(grpc.StatusCode.UNAVAILABLE, "cut by the test")
        return data

    def Data(self, requests, context):
        names = set()

        def pieces():
            for request in requests:
                names.add(request.filename)
                yield request.dataset
        metadata = dict(context.invocation_metadata())
        data = self.receive(context, pieces(), int(metadata.get("upload-offset", "0")))
        [name] = names
        self.check(context, "data-provider", "/agent.AgentService/Data", sha3(data),
                   [("filename", name), ("decompress", metadata["decompress"])] +
                   [("keep", metadata[k]) for k in ("keep",) if k in metadata])
        assert metadata["asset-digest"] == sha3(data).hex()
        self.received = (name, data)
        return agent.DataResponse()

    def Algo(self, requests, context):
        metadata = list(context.invocation_metadata())
        values = dict(metadata)
        requirements, order = b"", []

        def pieces():
            nonlocal requirements
            for request in requests:
                assert not (request.requirements and request.algorithm)
                order.append("r" if request.requirements else "a")
                requirements += request.requirements
                yield request.algorithm
        data = self.receive(context, pieces(), int(values.get("upload-offset", "0")))
        parameters = [("algo_type", values["algo_type"])]
        if "python_runtime" in values:
            parameters.append(("python_runtime", values["python_runtime"]))
        parameters += [("algo_args", v) for k, v in metadata if k == "algo_args"]
        if requirements:
            parameters.append(("requirements", sha3(requirements)))
        self.check(context, "algorithm-provider", "/agent.AgentService/Algo", sha3(data),
                   parameters)
        assert "".join(order) == "".join(sorted(order, reverse=True)), "requirements come first"
        self.received = (requirements, data)
        return agent.AlgoResponse()

    def Receipt(self, request, context):
        if not self.not_yet:
            return super().Receipt(request, context)
        return context.abort(grpc.StatusCode.FAILED_PRECONDITION, self.not_yet)

    def Result(self, request, context):
        self.heard.append("Result")
        self.check(context, "consumer", "/agent.AgentService/Result", None, [])
        if self.results is None:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "nothing is ready")
        size = len(self.results) if self.announce is None else self.announce
        if size >= 0:
            context.send_initial_metadata((("file-size", str(size)),))
        limit = self.break_after.pop(0) if self.break_after else None
        for at in range(0, len(self.results), 1 << 20):
            if limit is not None and at >= limit:
                context.abort(grpc.StatusCode.UNAVAILABLE, "cut by the test")
            yield agent.ResultResponse(file=self.results[at:at + (1 << 20)])


class Owner(Folder):
    """A folder with a key pair and an agent that knows the public half."""

    def __init__(self, kind="ecdsa"):
        self.kind = kind

    def __enter__(self):
        super().__enter__()
        cli("keys", "-k", self.kind, cwd=self.path).ok()
        self.key = self("private.pem")
        self.agent = FakeAgent(read(self("public.pem"))).start()
        return self

    def __exit__(self, *_):
        self.agent.server.stop(None)
        super().__exit__()


def every_kind_of_key_signs_a_dataset():
    for kind in ("rsa", "ecdsa", "ed25519"):
        with Owner(kind) as owner:
            owner.agent.datasets = {"iris.csv": read(IRIS)}
            run = owner.agent.run("data", IRIS, owner.key)
            assert "'iris.csv' accepted" in run.ok()
            assert owner.agent.received == ("iris.csv", read(IRIS))
            assert run.err == "", "it is not quiet without a terminal"


def the_manifests_name_counts():
    with Owner() as owner:
        owner.agent.datasets = {"measured.csv": read(IRIS)}
        owner.agent.run("data", IRIS, owner.key, "-d").ok()
        assert owner.agent.received[0] == "measured.csv"
        owner.agent.datasets = {"": read(IRIS)}
        owner.agent.run("data", IRIS, owner.key).ok()
        assert owner.agent.received[0] == "iris.csv"
        assert owner.agent.calls[0]["decompress"] == ["true"]
        assert owner.agent.calls[1]["decompress"] == ["false"]


def what_may_be_kept_is_said_and_signed():
    with Owner() as owner:
        owner.agent.datasets = {"iris.csv": read(IRIS)}
        for word in ("retry", "algorithm"):
            owner.agent.run("data", IRIS, owner.key, "--keep", word).ok()
            assert owner.agent.calls[-1]["keep"] == [word]
        owner.agent.run("data", IRIS, owner.key).ok()
        assert "keep" not in owner.agent.calls[-1]
        owner.agent.run("data", IRIS, owner.key, "--keep", "all").refused(2, "--keep 'all': use one of retry, algorithm")
        owner.agent.run("data", IRIS, owner.key, "--keep", "retry", "--role-signature").refused(
            2, "does not cover")
        owner.agent.status = {"datasets": [agent.StatusAsset(
            hash=sha3(read(IRIS)), filename="iris.csv", received=True, kept=True)]}
        assert "kept since a run that failed" in owner.agent.run("status").ok()
        assert owner.agent.run("status", "--json").json()["datasets"][0]["kept"] is True
        assert "is there already" in owner.agent.run("data", IRIS, owner.key).ok()


def a_directory_is_sent_as_its_bundle():
    with Owner() as owner:
        owner.write("set/b.csv", "2")
        owner.write("set/a/x.csv", "1" * 3000000)
        digest = bytes.fromhex(cli("checksum", owner("set")).ok())
        owner.agent.status = {"datasets": [agent.StatusAsset(hash=digest, filename="set")]}
        owner.agent.run("data", owner("set"), owner.key, "-d").ok()
        name, data = owner.agent.received
        assert name == "set" and sha3(data) == digest
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = [n for n in archive.namelist() if not n.endswith("/")]
            assert sorted(files) == ["a/x.csv", "b.csv"], files
            assert archive.read("b.csv") == b"2"
        os.chmod(owner("set/b.csv"), 0o755)
        owner.agent.run("data", owner("set"), owner.key, "-d").refused(1, "no dataset", "modes")


def an_empty_file_is_sent_too():
    with Owner() as owner:
        owner.agent.datasets = {"none": b""}
        owner.agent.run("data", owner.write("none", ""), owner.key).ok()
        assert owner.agent.received == ("none", b"")


def algorithms_travel_with_all_that_they_need():
    with Owner() as owner:
        code = secrets.token_bytes(2500000)
        owner.agent.algorithm = code
        path = owner.write("train.py", code)
        requirements = owner.write("requirements.txt", "numpy\n")
        owner.agent.run("algo", path, owner.key).ok()
        assert owner.agent.received == (b"", code)
        assert owner.agent.calls[0]["algo_type"] == ["bin"]
        owner.agent.run("algo", path, owner.key, "-a", "python", "-r", requirements,
                        "--python-runtime", "python3", "--args", "--seed", "--args", "7",
                        "--args", "").ok()
        assert owner.agent.received == (b"numpy\n", code)
        assert owner.agent.calls[1]["algo_args"] == ["--seed", "7", ""]
        assert owner.agent.calls[1]["python_runtime"] == ["python3"]
        # What would have no effect was meant to have one: nothing is sent.
        for words, what in ((("-a", "python", "--wheels", "."), "--wheels has no effect without"),
                            (("-a", "python", "--lock", "l"), "--lock has no effect without"),
                            (("-a", "python", "--hashes"), "--hashes has no effect without"),
                            (("-a", "python", "-r", requirements, "--hashes", "--role-signature"),
                             "--hashes and --role-signature"),
                            (("-r", requirements), "--requirements goes with -a python alone"),
                            (("-a", "wasm", "--python-runtime", "python3"),
                             "--python-runtime goes with -a python alone")):
            owner.agent.run("algo", path, owner.key, *words).refused(2, what, "hint:")
        owner.agent.run("algo", path, owner.key, "-a", "python", "-r", requirements, "--wheels",
                        owner("nowhere")).refused(2, "--wheels", "nowhere")
        assert len(owner.agent.calls) == 2
        # Of an empty file nothing travels, and nothing is signed.
        owner.agent.run("algo", path, owner.key, "-a", "python", "-r", owner.write("empty.txt", "")).ok()
        assert owner.agent.received == (b"", code)


def what_the_agent_refuses_is_advised_on():
    with Owner() as owner:
        owner.agent.algorithm = b"pass"
        send = ("algo", owner.write("train.py", "pass"), owner.key)
        for said, advised in (("Algo: 2 arguments, the manifest says 1", "--args gives all arguments"),
                              ("Algo: argument 0 is not the manifest's", "--args gives all arguments"),
                              ("Algo: the manifest names the requirements with SHA3-256 00, and others came",
                               "'cocos-cli checksum FILE --wheels DIR'"),
                              ("Algo: algo_type is 'bin', the manifest says 'wasm'", "-a TYPE"),
                              ("Algo: something else", "'cocos-cli checksum' prints")):
            owner.agent.receive = lambda context, pieces, offset, said=said: context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, said)
            owner.agent.run(*send).refused(1, said, "hint: ", advised)
        owner.agent.calls.clear()
        owner.agent.run(*send, *["--args", "x"] * 257).refused(2, "at most 256 arguments", "hint: put them into a file")
        owner.agent.run(*send, "--args", "\u00fc").refused(1, "--args: ", "hint: ", "leave --args out")
        assert not owner.agent.calls


def a_package_without_a_version_is_there_all_the_same():
    with Owner() as owner:
        owner.agent.algorithm = b"pass"
        owner.agent.status = {"python": agent.StatusPython(version="3.11", machine="x86_64", glibc=36, packages=[
            agent.StatusPackage(name="bare"), agent.StatusPackage(name="odd", version="no version"),
            agent.StatusPackage(name="plain", version="1.0")])}
        owner.agent.run("algo", owner.write("train.py", "pass"), owner.key, "-a", "python", "-r",
                        owner.write("r.txt", "bare\nodd\nplain>=1\n")).ok()
        assert owner.agent.received == (b"bare\nodd\nplain>=1\n", b"pass"), owner.agent.received


def what_the_manifest_does_not_name_is_not_sent():
    with Owner() as owner:
        owner.agent.datasets = {"iris.csv": b"something else"}
        owner.agent.algorithm = b"something else"
        digest = sha3(read(IRIS)).hex()
        owner.agent.run("data", IRIS, owner.key).refused(1, digest, "hint:")
        owner.agent.run("algo", IRIS, owner.key).refused(1, digest, sha3(b"something else").hex())
        owner.agent.status = {"manifest_digest": b"", "state": "ReceivingManifest",
                              "algorithm": None, "datasets": []}
        owner.agent.run("algo", IRIS, owner.key).refused(1, "ReceivingManifest", "computation run")
        assert owner.agent.calls == []


def large(owner, name, first=b"1"):
    """A file that is longer than what is digested before it is sent."""
    data = first + bytes((16 << 20) + 1)
    return owner.write(name, data), data


def a_large_file_that_the_manifest_knows_by_name_is_read_once():
    """It is sent at once; whether it is what the manifest says, the agent finds out."""
    with Owner() as owner:
        path, data = large(owner, "big.bin")
        owner.agent.datasets = {"big.bin": data}
        owner.agent.run("data", path, owner.key).ok()
        assert owner.agent.received == ("big.bin", data)
        owner.agent.received = None
        owner.agent.datasets = {"big.bin": b"2" + data[1:]}
        owner.agent.run("data", path, owner.key).refused(1)  # the proof is of the other content
        assert len(owner.agent.calls) == 2 and owner.agent.received is None


def a_large_file_without_a_sure_name_is_digested_first():
    with Owner() as owner:
        path, data = large(owner, "mine.bin")
        other = b"2" + data[1:]
        for datasets in ({"big.bin": other}, {"": other}):
            owner.agent.datasets = datasets
            owner.agent.run("data", path, owner.key).refused(1, sha3(data).hex())
        owner.agent.status = {"datasets": [agent.StatusAsset(hash=sha3(d), filename="mine.bin")
                                           for d in (other, other)]}
        owner.agent.run("data", path, owner.key).refused(1, sha3(data).hex())
        # What came under this name is compared, not believed.
        owner.agent.status = {"datasets": [agent.StatusAsset(hash=sha3(other), filename="mine.bin",
                                                             received=True)]}
        owner.agent.run("data", path, owner.key).refused(1, sha3(data).hex())
        owner.agent.algorithm = other
        owner.agent.run("algo", path, owner.key).refused(1, sha3(data).hex())
        assert owner.agent.calls == []
        owner.agent.status = {"datasets": [agent.StatusAsset(hash=sha3(data), filename="mine.bin",
                                                             received=True)]}
        assert "already" in owner.agent.run("data", path, owner.key).ok()
        owner.agent.status, owner.agent.datasets, owner.agent.algorithm = {}, {"big.bin": data}, data
        owner.agent.run("data", path, owner.key).ok()
        assert owner.agent.received == ("big.bin", data)
        owner.agent.run("algo", path, owner.key).ok()
        assert owner.agent.received == (b"", data)


def what_is_there_is_not_sent_again():
    with Owner() as owner, Owner() as other:
        row = agent.StatusAsset(hash=sha3(read(IRIS)), filename="iris.csv", received=True)
        owner.agent.status = {"datasets": [row], "algorithm": row}
        assert owner.agent.run("data", IRIS, owner.key).ok() == "dataset 'iris.csv' is there already\n"
        assert owner.agent.run("algo", IRIS, owner.key).ok() == "algorithm 'iris.csv' is there already\n"
        # Whose it is the agent says, to who shows the key; and what is wiped is not there.
        for words in (("data", IRIS), ("algo", IRIS)):
            run = owner.agent.run(*words, other.key).refused(
                1, "'iris.csv' is there, and not known to be yours", "the manifest does not name your key", "hint: give the private key")
            assert not run.out and run.err.count("hint: ") == 1, run
            owner.agent.foreign = True
            owner.agent.run(*words, owner.key).refused(1, "'iris.csv' is there, and it is another's")
            owner.agent.foreign = False
            for state, word in (("Running", ""), ("ConsumingResults", "is wiped: the algorithm has ended (state ConsumingResults)"),
                                ("Complete", "is wiped"), ("Failed", "the computation has failed since")):
                owner.agent.status["state"] = state
                run = owner.agent.run(*words, owner.key)
                assert (run.status, word in run.err, bool(run.out)) == (int(bool(word)), True, not word), (state, run)
            del owner.agent.status["state"]
        # What came under the name of this file is another's; one's own of the same content, under another name, has not.
        owner.agent.others = ("iris.csv",)
        for mine, word, hint in (("mine.csv", "calls it 'mine.csv'", "that name"), ("", "calls it nothing", "another name")):
            owner.agent.status["datasets"] = [row, agent.StatusAsset(hash=row.hash, filename=mine)]
            run = owner.agent.run("data", IRIS, owner.key).refused(
                1, "'iris.csv' is there, and it is another's: yours, of the same content, has not come; the manifest " + word, "hint: send a copy that has " + hint)
            assert not run.out, run
        owner.agent.others, owner.agent.status["datasets"] = (), [row]
        # An older agent does not take the question.
        owner.agent.refuses = "Status: role 'data-provider': this call is for the role participant"
        assert "is there already" in owner.agent.run("data", IRIS, owner.key).ok()
        # Of any other refusal it does not follow whose it is.
        owner.agent.refuses = "attestation: the evidence was refused"
        run = owner.agent.run("data", IRIS, owner.key).refused(1, "'iris.csv' is there, and not known to be yours: ", owner.agent.refuses)
        assert not run.out, run
        owner.agent.refuses = ""
        # Nobody can tell whether these came with it.
        owner.agent.run("data", IRIS, owner.key, "--keep", "retry").refused(1, "'iris.csv' is there already", "--keep", "is sent again")
        owner.agent.run("algo", IRIS, owner.key, "--args", "7").refused(1, "already")


def the_wrong_key_is_told_so():
    with Owner() as owner, Owner() as other:
        owner.agent.datasets = {"iris.csv": read(IRIS)}
        owner.agent.run("data", IRIS, other.key).refused(1, "proof", "manifest")


def a_broken_upload_goes_on_where_it_stopped():
    with Owner() as owner:
        data = secrets.token_bytes(9 << 20)
        path = owner.write("big.bin", data)
        owner.agent.datasets = {"big.bin": data}
        owner.agent.break_after = [3 << 20, 6 << 20]
        run = owner.agent.run("data", path, owner.key)
        run.ok()
        assert owner.agent.received == ("big.bin", data)
        assert run.err.count("the connection broke") == 2
        assert int(owner.agent.calls[-1]["upload-offset"][0]) >= 6 << 20
        owner.agent.kept, owner.agent.algorithm = b"", data
        owner.agent.break_after = [3 << 20]
        owner.agent.run("algo", path, owner.key).ok()
        assert owner.agent.received == (b"", data)


def the_other_half_of_a_pair_is_named():
    with Owner() as owner:
        owner.agent.datasets = {"iris.csv": read(IRIS)}
        owner.agent.run("data", IRIS, owner("public.pem")).refused(
            2, "public.pem' is a public key, and a private one is wanted", "private.pem")
        evidence = owner.write("evidence", "x")
        cli("attestation", "validate", evidence, "--mode", "snp", "--report_data", "00" * 64, "--key", owner.key).refused(
            2, f"--key '{owner.key}': a private key, where a public one is wanted")


def where_to_go_on_is_asked_again():
    """The rest of an upload that was just given up comes in behind the agent's answer."""
    with Owner() as owner:
        data = secrets.token_bytes(4 << 20)
        owner.agent.datasets, owner.agent.kept = {"big.bin": data}, data[:1 << 20]
        receive, times = owner.agent.receive, [2]

        def one_that_has_more(context, pieces, offset):
            if times[0]:
                times[0] -= 1
                owner.agent.kept = data[:offset + (1 << 20)]
                context.abort(grpc.StatusCode.FAILED_PRECONDITION,
                              f"upload-offset {offset}: {len(owner.agent.kept)} bytes are kept; "
                              "ask Status and go on there")
            return receive(context, pieces, offset)
        owner.agent.receive = one_that_has_more
        path = owner.write("big.bin", data)
        run = owner.agent.run("data", path, owner.key)
        run.ok()
        assert owner.agent.received == ("big.bin", data)
        assert run.err.count("asking it again where to go on") == 2, run.err
        # One that never agrees with itself is given up.
        owner.agent.kept = data[:1]

        def never(context, pieces, offset):
            times[0] -= 1
            context.abort(grpc.StatusCode.FAILED_PRECONDITION,
                          f"upload-offset {offset}: 7 bytes are kept; ask Status and go on there")
        owner.agent.receive, times[0] = never, 0
        owner.agent.run("data", path, owner.key).refused(1, "7 bytes are kept")
        assert times[0] == -5, times


def an_upload_that_never_gets_on_gives_up():
    with Owner() as owner:
        data = secrets.token_bytes(2 << 20)
        owner.agent.datasets = {"big.bin": data}
        owner.agent.break_after = [1] * 10
        run = owner.agent.run("data", owner.write("big.bin", data), owner.key).refused(1, "cut by the test")
        assert "is the agent there" not in run.err, "it was the agent that said so"
        assert len(owner.agent.break_after) == 5


def results_are_saved_once_and_never_over_anything():
    with Owner() as owner:
        class Heard(list):
            def append(self, word):
                super().append((word, os.path.exists(owner("results.zip"))))
        owner.agent.heard = Heard()
        owner.agent.results = secrets.token_bytes(3 << 20)
        assert "results.zip" in owner.agent.run("result", owner.key, cwd=owner.path).ok()
        assert read(owner("results.zip")) == owner.agent.results
        assert oct(os.stat(owner("results.zip")).st_mode)[-3:] == "600"
        # By then the agent knows that they have come, and they have their name before anybody waits for that.
        assert owner.agent.heard[-3:] == [("Result", False), ("Status", True), ("Status", True)], owner.agent.heard
        first = owner.agent.results
        owner.agent.results = b"second"
        assert "results_1.zip" in owner.agent.run("result", owner.key, cwd=owner.path).ok()
        assert read(owner("results.zip")) == first
        calls = len(owner.agent.calls)
        owner.agent.run("result", owner.key, "-f", owner("results.zip")).refused(1, "already")
        owner.agent.run("result", owner.key, "-f", "/proc/nowhere/x").refused(1, "/proc/nowhere", "hint: make the folder first")
        assert len(owner.agent.calls) == calls, "fetched without a place for it"
        owner.agent.run("result", owner.key, "-f", owner("named")).ok()
        assert read(owner("named")) == b"second"
        assert not [name for name in os.listdir(owner.path) if "part" in name]


def on_disk_of(size, owner):
    """What 'result' says on a disk of that size; no file stays there."""
    script = 'mount -t tmpfs -o size=$0 none "$1" && cd "$1" && shift && "$@"; s=$?; ls -A; exit $s'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, str(size), owner("small"), program("cocos-cli"), "result", owner.key,
         "-f", owner("small", "x.zip")], capture_output=True, text=True, timeout=PATIENCE, check=False,
        env={**os.environ, "AGENT_GRPC_URL": owner.agent.url})
    assert done.returncode == 1 and "were not taken" in done.stderr and done.stdout == "", done
    return done.stderr


def results_without_room_are_not_taken():
    """Once they have come, the agent hands them out no more."""
    with Owner() as owner:
        os.mkdir(owner("small"))
        owner.agent.results = secrets.token_bytes(100000)
        for size, words in ((100000, "No space left"), (1 << 63, "File too large"), (0, "No space left")):
            owner.agent.status = {"result_size": size}
            assert words in on_disk_of(65536, owner)
        assert not owner.agent.calls, "asked for without room"
        # Where nobody is told of their size the first of them have room, and the rest are not let in.
        owner.agent.results = secrets.token_bytes(9 << 20)
        assert "room for 9.0 MiB" in on_disk_of(5 << 20, owner)
        assert len(owner.agent.calls) == 1
        owner.agent.results = secrets.token_bytes(100000)
        owner.agent.status = {"result_size": len(owner.agent.results)}
        owner.write("file", "x")
        owner.agent.run("result", owner.key, "-o", owner("file"), cwd=owner.path).refused(
            1, "not a folder")
        assert len(owner.agent.calls) == 1, "asked for without a folder to unpack it"
        owner.agent.status = {"result_size": 2 * len(owner.agent.results)}
        owner.agent.run("result", owner.key, cwd=owner.path).ok()
        assert read(owner("results.zip")) == owner.agent.results


def results_are_unpacked():
    with Owner() as owner:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("summary.txt", "fine")
            archive.writestr("deep/er.txt", "too")
        owner.agent.results = out.getvalue()
        owner.agent.run("result", owner.key, "-o", "out/put", cwd=owner.path).ok()
        for path, folders, files in os.walk(owner("out")):
            modes = {stat.S_IMODE(os.stat(os.path.join(path, name)).st_mode) for name in files}
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o700 and modes <= {0o600}, (path, modes)
        assert stat.S_IMODE(os.stat(owner("results.zip")).st_mode) & 0o077 == 0
        assert read(owner("out/put/summary.txt")) == b"fine"
        assert read(owner("out/put/deep/er.txt")) == b"too"
        owner.agent.run("result", owner.key, "-o", "out/put", cwd=owner.path).refused(
            1, "results_1.zip", "empty folder")
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("../evil.txt", "x")
        owner.agent.results = out.getvalue()
        owner.agent.run("result", owner.key, "-o", "evil", cwd=owner.path).refused(1, "results_2.zip")
        assert not os.path.exists(owner("evil.txt"))


def a_cut_download_is_repeated():
    with Owner() as owner:
        owner.agent.results = secrets.token_bytes(5 << 20)
        owner.agent.break_after = [2 << 20]
        run = owner.agent.run("result", owner.key, cwd=owner.path)
        run.ok()
        assert "fetching again" in run.err
        assert read(owner("results.zip")) == owner.agent.results


def an_agent_that_lies_about_the_size_is_not_believed():
    with Owner() as owner:
        owner.agent.results = b"x" * 100
        for announce in (99, 101, 0, -1):
            owner.agent.announce = announce
            owner.agent.run("result", owner.key, cwd=owner.path).refused(1)
            assert sorted(os.listdir(owner.path)) == ["private.pem", "public.pem"], announce


def nothing_is_left_when_there_is_nothing():
    with Owner() as owner:
        owner.agent.run("result", owner.key, cwd=owner.path).refused(
            1, "nothing is ready", "cocos-cli status")
        assert sorted(os.listdir(owner.path)) == ["private.pem", "public.pem"]


def results_that_have_no_receipt_yet_are_not_fetched():
    """The run ends between the two calls: results that come without their receipt would never get it."""
    with Owner() as owner:
        owner.agent.results = b"ready a moment later"
        owner.agent.not_yet = "there are no results in state Running"
        owner.agent.run("result", owner.key, cwd=owner.path).refused(1, owner.agent.not_yet, "hint: the algorithm runs; with --wait")
        assert not owner.agent.calls and sorted(os.listdir(owner.path)) == ["private.pem", "public.pem"]
        owner.agent.not_yet = ""
        owner.agent.run("result", owner.key, cwd=owner.path).ok()
        assert read(owner("results.zip")) == owner.agent.results


def status_is_printed_and_harmless():
    with Owner() as owner:
        owner.agent.datasets = {"iris.csv": read(IRIS)}
        owner.agent.status = {"name": "\x1b[31mred", "failure": "bell\x07", "development": True,
                              "consumers": [agent.StatusConsumer(key_digest=b"k" * 32)]}
        text = owner.agent.run("status").ok()
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text), repr(text)
        for words in ("computation-1", "ReceivingData", MANIFEST_DIGEST.hex(), "iris.csv",
                      sha3(read(IRIS)).hex(), "awaited", "development", "has not fetched"):
            assert words in text, words
        shown = owner.agent.run("status", "--json").json()
        assert shown["name"] == "\x1b[31mred"
        assert shown["datasets"] == [{"hash": sha3(read(IRIS)).hex(), "filename": "iris.csv",
                                      "received": False, "bytes_kept": 0}]
        assert shown["development"] is True and shown["manifest_digest"] == MANIFEST_DIGEST.hex()


def a_role_signature_is_given_only_when_asked_for():
    class Stock(agent_grpc.AgentServiceServicer):
        def __init__(self):
            self.metadata = []

        def Data(self, requests, context):
            self.metadata.append(dict(context.invocation_metadata()))
            self.data = b"".join(request.dataset for request in requests)
            return agent.DataResponse()

    with Owner("rsa") as owner:
        stock = Stock()
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
        agent_grpc.add_AgentServiceServicer_to_server(stock, server)
        url = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        cli("data", IRIS, owner.key, AGENT_GRPC_URL=url).refused(1, "stock", "--role-signature")
        assert stock.metadata == []
        cli("data", IRIS, owner.key, "--role-signature", AGENT_GRPC_URL=url).ok()
        server.stop(None)
        assert stock.data == read(IRIS)
        owner.agent.public.verify(base64.b64decode(stock.metadata[0]["signature"]),
                                  b"data-provider", padding.PKCS1v15(), hashes.SHA256())
        assert "proof" not in stock.metadata[0]
        stock.Data = lambda requests, context: context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
        agent_grpc.add_AgentServiceServicer_to_server(stock, server)
        url = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        cli("data", IRIS, owner.key, "--role-signature", AGENT_GRPC_URL=url).refused(1, "leave it out")
        server.stop(None)


class FakeManager(manager_grpc.ManagerServiceServicer):
    id = "cvm-7"
    port = "6101"
    hosts = [""]

    def CreateVm(self, request, context):
        self.request = request
        if request.agent_cvm_server_url == "bad:1":
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "CreateVm: agent_cvm_server_url: no; "
                          "agent_cvm_client_cert and agent_cvm_client_key go together; agent_log_level: agent_cvm_server_ca_cert")
        return manager.CreateRes(cvm_id=self.id, forwarded_port=self.port)

    def ListHosts(self, request, context):
        return manager.ListHostsRes(hosts=[manager.Host(name=name, state="connected") for name in self.hosts])

    def RemoveVm(self, request, context):
        from google.protobuf import empty_pb2
        if request.cvm_id != "cvm-7":
            context.abort(grpc.StatusCode.NOT_FOUND, "no such CVM")
        return empty_pb2.Empty()


def refuse_handshake(listener, context):
    """Says why, and reads on until the client has hung up, so that nothing overtakes the word."""
    peer, _ = listener.accept()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_side=True)
    with peer, contextlib.suppress(ConnectionError):
        while data := peer.recv(65536):
            incoming.write(data)
            with contextlib.suppress(ssl.SSLError):
                tls.do_handshake()
            peer.sendall(outgoing.read())


def a_client_certificate_is_asked_for_by_its_options():
    with Folder() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        authority(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder("server.pem"), folder("server-key.pem"))
        context.load_verify_locations(folder("ca.pem"))
        context.verify_mode = ssl.CERT_REQUIRED
        context.set_alpn_protocols(["h2"])
        thread = threading.Thread(target=refuse_handshake, args=(listener, context))
        thread.start()
        cli("status", AGENT_GRPC_URL=f"localhost:{listener.getsockname()[1]}",
            AGENT_GRPC_SERVER_CA_CERTS=folder("ca.pem")).refused(
                1, "certificate required", "hint: it asks for a client's certificate", "AGENT_GRPC_CLIENT_CERT")
        thread.join()


def vms_are_asked_for_with_everything():
    with Folder() as folder:
        authority(folder)
        fake = FakeManager()
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
        manager_grpc.add_ManagerServiceServicer_to_server(fake, server)
        tls = grpc.ssl_server_credentials(
            [(read(folder("server-key.pem")), read(folder("server.pem")))],
            read(folder("ca.pem")), True)
        port = server.add_secure_port("localhost:0", tls)
        server.start()
        where = {"MANAGER_GRPC_URL": f"localhost:{port}",
                 "MANAGER_GRPC_SERVER_CA_CERTS": folder("ca.pem")}
        client = {"MANAGER_GRPC_CLIENT_CERT": folder("client.pem"),
                  "MANAGER_GRPC_CLIENT_KEY": folder("client-key.pem")}
        cli("create-vm", "--server-url", "10.0.2.2:7001", **where).refused(1, "hint:")
        shown = cli("create-vm", "--server-url", "10.0.2.2:7001", "--server-ca", folder("ca.pem"),
                    "--client-crt", folder("client.pem"), "--client-key",
                    folder("client-key.pem"), "--log-level", "debug",
                    "--ttl", "1h30m", **where, **client).ok()
        assert "cvm-7" in shown and "6101" in shown
        assert fake.request == manager.CreateReq(
            agent_log_level="debug", agent_cvm_server_ca_cert=read(folder("ca.pem")),
            agent_cvm_client_key=read(folder("client-key.pem")),
            agent_cvm_client_cert=read(folder("client.pem")),
            agent_cvm_server_url="10.0.2.2:7001", ttl="1h30m")
        words = ["create-vm", "--server-url", "10.0.2.2:7001"]
        token, two = folder.write("token", "web-1:5ecret\n"), folder.write("two", "a:b\nAGENT_VMPL=0\n")
        from_ca = [*words, "--server-ca", folder("ca.pem"), "--ca-url", "https://ca", "--certs-token", token]
        assert "5ecret" not in cli(*from_ca, **where, **client).ok()
        assert fake.request == manager.CreateReq(
            agent_cvm_server_url="10.0.2.2:7001", agent_cvm_server_ca_cert=read(folder("ca.pem")),
            agent_cvm_ca_url="https://ca", agent_certs_token="web-1:5ecret")
        for more, said in ((["--ca-url", "https://ca"], "go together"), (["--certs-token", token], "go together"),
                           (from_ca[3:] + ["--client-crt", folder("client.pem")], "wants --server-ca"),
                           ([w.replace("https:", "http:") for w in from_ca[3:]], "--ca-url: 'http://ca' is not https://"),
                           (from_ca[5:], "wants --server-ca"), ([*from_ca[3:-1], two], "is not one line"),
                           ([*from_ca[3:-1], folder.write("empty", "\n")], "is not one line"),
                           ([*from_ca[3:-1], folder("none")], "--certs-token: ")):
            cli(*words, *more, **where, **client).refused(2, said)
        # The only host of a manager without a table has no name to be asked by.
        said = "the manager's only host has no name: 'host show' shows it"
        listed = cli("host", "list", **where, **client)
        assert listed.ok() and said in listed.err and said not in cli("host", "list", "-o", "yaml", **where, **client).err
        assert cli("host", "show", "--json", **where, **client).json()["state"] == "connected"
        fake.hosts = ["a", "b"]
        cli("host", "show", **where, **client).refused(2, "there are 2 hosts: give the NAME of one")
        assert cli("host", "show", "b", "--json", **where, **client).json()["name"] == "b"
        # Of a manager's refusal by the options that were given.
        refused = cli("create-vm", "--server-url", "bad:1", **where, **client).refused(
            1, "--server-url: no; --client-crt and --client-key go together; --log-level: --server-ca\n")
        assert "agent_" not in refused.err, refused.err
        assert cli("create-vm", "--server-url", "x:1", "--json", **where, **client).json() == {
            "cvm_id": "cvm-7", "forwarded_port": "6101", "agent_grpc_url": "localhost:6101"}
        assert fake.request == manager.CreateReq(agent_cvm_server_url="x:1")
        with open("/dev/full", "wb") as full:
            done = subprocess.run([program("cocos-cli"), "create-vm", "--server-url", "x:1"],
                                  stdout=full, stderr=subprocess.PIPE, text=True, check=False,
                                  env={**os.environ, **where, **client}, timeout=PATIENCE)
        assert done.returncode == 1 and "CVM cvm-7 was created" in done.stderr, done.stderr
        fake.id = "cvm-7\x1b[2J"
        shown = cli("create-vm", "--server-url", "x:1", **where, **client).ok()
        assert "cvm-7?[2J" in shown, shown
        cli("remove-vm", "cvm-7", **where, **client).ok()
        cli("remove-vm", "cvm-8", **where, **client).refused(1, "no such CVM", "hint:")
        wrong = dict(where, MANAGER_GRPC_URL=f"127.0.0.2:{port}")
        cli("remove-vm", "cvm-7", **wrong, **client).refused(1)
        server.stop(None)


class FakeManagerThatTells(FakeManager):
    state = "running"

    def GetVm(self, request, context):
        assert request.id == self.id
        return manager.Vm(id=self.id, state=self.state, exit_reason="ended" if self.state == "exited" else "")


def a_cvm_is_made_as_asked_and_its_agent_found():
    with Folder() as folder:
        fake = FakeManagerThatTells()
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
        manager_grpc.add_ManagerServiceServicer_to_server(fake, server)
        fake.port = str(free_port())
        where = {"MANAGER_GRPC_URL": f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}",
                 "XDG_CONFIG_HOME": folder("config")}
        words = ("create-vm", "--server-url", "10.0.2.2:7001")
        reached = f"127.0.0.1:{fake.port}"
        server.start()
        shown = cli(*words, "--cpus", "4", "--memory", "2G", "--tee", "snp", "--image", "base", **where).ok()
        assert fake.request == manager.CreateReq(agent_cvm_server_url="10.0.2.2:7001", cpus=4, memory=2 << 30,
                                                 tee="snp", image="base")
        assert shown.splitlines()[1:] == [f"export AGENT_GRPC_URL={reached}"], shown
        fake.request = None
        for odd, says in ((("--cpus", "0"), "--cpus"), (("--cpus", "4294967296"), "--cpus"),
                          (("--memory", "0"), "--memory"), (("--memory", "lots"), "--memory"),
                          (("--tee", "sgx"), "--tee"), (("--wait=1ms",), "--wait"),
                          (("--save-profile", "../x"), "--save-profile")):
            cli(*words, *odd, **where).refused(2, says)
            assert fake.request is None

        # A profile keeps what the command was called with, and this agent.
        policy = folder.write("policy.json", b'{"cocos":1,"snp":{"measurements":["' + b"5a" * 48 + b'"]}}')
        cli("profile", "add", "ward", "--agent", "elsewhere:7002", "--attested-tls", "--policy", policy, **where).ok()
        cli(*words, "--profile", "ward", "--save-profile", "ward-7", **where).ok()
        assert cli("profile", "show", "ward-7", "--json", **where).json() == {
            **cli("profile", "show", "ward", "--json", **where).json(), "AGENT_GRPC_URL": reached}
        cli(*words, "--save-profile", "plain", **where).ok()
        assert cli("profile", "show", "plain", "--json", **where).json() == {"AGENT_GRPC_URL": reached}
        fake.request = None
        cli(*words, "--save-profile", "plain", **where).refused(2, "a profile 'plain' already")
        assert fake.request is None

        # It ends when the agent listens, whatever that speaks.
        waiting = Process([program("cocos-cli"), *words, "--wait"], where)
        waiting.wait_line(f"nothing answers at {reached}")
        with socket.create_server(("127.0.0.1", int(fake.port))) as listener:
            listener.settimeout(PATIENCE)
            peer, _ = listener.accept()
            with peer:
                assert peer.recv(1) == b"\x16"  # a handshake's record: nothing of the caller's
                peer.sendall(b"\x15\x03\x03\0\2\2\x28")  # an alert
                assert waiting.end() == 0, waiting.text()
        # And when there is nothing to wait for.
        waiting = Process([program("cocos-cli"), *words, "--wait"], where)
        waiting.wait_line(f"nothing answers at {reached}")
        fake.state = "exited"
        assert waiting.end() == 1 and "CVM 'cvm-7' is gone: ended" in waiting.text(), waiting.text()
        fake.state = "running"
        cli(*words, "--wait=1s", **where).refused(1, "waited 1s until the agent listens", "cvm-7 was created and runs")

        # What would be another command in a shell is not printed.
        fake.port = "1; reboot"
        assert "export" not in cli(*words, **where).ok()
        cli(*words, "--wait", **where).refused(1, "no port", "cvm-7 was created and runs")
        server.stop(None)


# Made by GenerateCoRIM() of stock Cocos (commit 747aaaa5) as its manager calls it, for TDX: its digests of
# 48 bytes under SHA-256 are refused by the library that it uses, and what remains is an identity.
STOCK_CORIM = bytes.fromhex(
    "a200782e7464782d636f72696d2d64316232336263612d663039622d346435332d393037662d39363135653361613730"
    "303601f6")


def a_managers_policy_is_taken_only_if_it_says_something():
    with Folder() as folder:
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
        fake = FakeManager()
        fake.AttestationPolicy = lambda request, context: (
            context.abort(grpc.StatusCode.NOT_FOUND, "no CVM " + request.id) if request.id == "nobody" else
            manager.AttestationPolicyRes(info=fake.policy() if callable(fake.policy) else fake.policy, id=request.id))
        manager_grpc.add_ManagerServiceServicer_to_server(fake, server)
        url = {"MANAGER_GRPC_URL": f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"}
        server.start()
        saved = folder("out")
        cli("policy", "download", "nobody", **url).refused(1, "no CVM nobody", "hint: 'cocos-cli vm list'")
        ask = ("policy", "download", "cvm-7", "-o", saved)
        for policy, words in ((b"", ["empty"]), (STOCK_CORIM, ["CoRIM of 52 bytes", "without tags"]),
                              (b"\x7fELF", ["neither", "JSON", "CoRIM"]),
                              (b'{"cocos":1,"snp":{"nonsense":1}}', ["nonsense"])):
            fake.policy = policy
            cli(*ask, **url).refused(1, *words)
            assert not os.path.exists(saved), policy
        for form in ("snp", "--product", "Milan"), ("tdx",):
            made = folder("made.corim")
            cli("policy", "create-corim", *form, "--measurement", "5a" * 48, "--output", made, "--force").ok()
            fake.policy = read(made)
            cli(*ask, **url).ok()
            assert read(saved) == read(made)
            cli(*ask, **url).refused(1, "is there already", "hint: --force replaces it")
            cli(*ask, "--force", **url).ok()
            os.unlink(saved)
        # Somebody makes a file of that name while the manager is asked.
        fake.policy = lambda: folder.write("out", "theirs") and read(made)
        cli(*ask, **url).refused(1, "is there already", "hint: --force replaces it")
        assert read(saved) == b"theirs" and not [n for n in os.listdir(folder.path) if n.startswith("out.")]
        fake.policy = read(made)
        os.unlink(saved)
        cli("keys", "-k", "ecdsa", cwd=folder.path).ok()
        cli("policy", "create-corim", "tdx", "--measurement", "5a" * 48, "--output", made,
            "--signing-key", folder("private.pem"), "--force").ok()
        cli(*ask, "--corim_key", folder("public.pem"), **url).refused(1, "CoRIM")  # unsigned
        fake.policy = read(made)
        cli(*ask, **url).refused(1, "CoRIM", "--corim_key")
        cli(*ask, "--corim_key", folder("public.pem"), **url).ok()
        assert read(saved) == read(made)
        ask += ("--force",)
        fake.policy = b'{"cocos":1,"snp":{"measurements":["' + b"5a" * 48 + b'"]}}'
        cli(*ask, "--corim_key", folder("public.pem"), **url).refused(1, "no CoRIM")
        cli(*ask, **url).ok()
        assert read(saved) == fake.policy
        server.stop(None)


if __name__ == "__main__":
    tap.run([a_managers_policy_is_taken_only_if_it_says_something,
             a_large_file_that_the_manifest_knows_by_name_is_read_once,
             a_large_file_without_a_sure_name_is_digested_first,
             every_kind_of_key_signs_a_dataset, the_manifests_name_counts, what_may_be_kept_is_said_and_signed,
             a_directory_is_sent_as_its_bundle, an_empty_file_is_sent_too,
             algorithms_travel_with_all_that_they_need, what_the_agent_refuses_is_advised_on, a_package_without_a_version_is_there_all_the_same,
             what_the_manifest_does_not_name_is_not_sent, what_is_there_is_not_sent_again,
             the_wrong_key_is_told_so, a_broken_upload_goes_on_where_it_stopped,
             the_other_half_of_a_pair_is_named, where_to_go_on_is_asked_again, an_upload_that_never_gets_on_gives_up,
             results_are_saved_once_and_never_over_anything,
             results_without_room_are_not_taken, results_are_unpacked,
             a_cut_download_is_repeated, an_agent_that_lies_about_the_size_is_not_believed,
             nothing_is_left_when_there_is_nothing, results_that_have_no_receipt_yet_are_not_fetched,
             status_is_printed_and_harmless,
             a_role_signature_is_given_only_when_asked_for,
             a_client_certificate_is_asked_for_by_its_options, vms_are_asked_for_with_everything,
             a_cvm_is_made_as_asked_and_its_agent_found])
