# SPDX-License-Identifier: Apache-2.0
"""The whole job by the command line tool over the agent's attested listener: SEV-SNP and TDX that are
simulated, evidence again while an upload lasts, strangers by the hundred, a machine that changes."""
import contextlib
import json
import os
import socket
import subprocess
import threading

import tap
from agent_job import ALGO_KEY, SUM, manifest
from agent_peer import Key, algorithm, dataset
from agent_tpm import boot_configuration, canonical, extended
from attested_agent import attested
from attested_peer import serialization
from harness import PATIENCE, Folder, cli, program, until
from teesim import MEASUREMENT, Teesim

DATA_KEY, USER_KEY = Key(), Key()
MIB = 1 << 20


def key_file(folder, name, key):
    return folder.write(name, key.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()), 0o600)


class Room:
    """Hardware, an agent that has taken a manifest, and owners with their keys and policy."""

    def __init__(self, stack, kind, size=1 << 12, algo=SUM, algo_type="", **more):
        self.folder = stack.enter_context(Folder())
        self.tee = stack.enter_context(Teesim(self.folder, kind))
        self.data = os.urandom(1 << 16) * max(1, size >> 16)
        self.machine = stack.enter_context(attested(
            "--tsm", self.tee.mount,
            make=lambda port: manifest(port, datasets=[dataset(self.data, DATA_KEY, "d.bin")], consumers=(USER_KEY,),
                                       algorithm=algorithm(algo, ALGO_KEY, algo_type=algo_type),
                                       config={"attested_tls": True}, **more)))
        self.service, self.port = self.machine.service, self.machine.port
        self.type = ["-a", algo_type] if algo_type else []
        self.files = {"algo": self.folder.write("algorithm", algo),
                      "data": self.folder.write("d.bin", self.data)}
        self.keys = {"algo": key_file(self.folder, "algo.pem", ALGO_KEY),
                     "data": key_file(self.folder, "data.pem", DATA_KEY),
                     "result": key_file(self.folder, "user.pem", USER_KEY)}
        self.where = {"AGENT_GRPC_URL": f"127.0.0.1:{self.port}",
                      "AGENT_GRPC_ATTESTED_TLS": "true",
                      "AGENT_GRPC_ATTESTATION_POLICY": self.policy()}
        self.trust = ["--offline", "--trusted_root", self.tee.root, "--manifest",
                      self.folder.write("manifest.json", canonical(self.machine.manifest))]
        if kind == "tdx":
            self.trust += ["--collateral", self.tee.endorsements]

    def policy(self):
        if self.tee.tee == "snp":
            rules = {"measurements": [MEASUREMENT]}
        else:
            config = f'{{"port":"{self.port}","log_level":"info","attested_tls":true}}'.encode()
            rules = {f"rtmr{i}": [bytes(48).hex()] for i in range(3)}
            rules.update(mrtd=[MEASUREMENT], rtmr3=[extended(
                "sha384", boot_configuration(self.machine.agent), config,
                canonical(self.machine.manifest)).hex()])
        return self.folder.write("policy.json", json.dumps({
            "cocos": 1, self.tee.tee: rules, "run": {"weak_words": ["development"]}}))

    def words(self, command, *options):
        paths = [self.files[command]] if command in self.files else []
        typed = self.type if command == "algo" else []
        return [command, *paths, self.keys[command], *typed, *self.trust, *options]

    def __call__(self, command, *options, **environment):
        return cli(*self.words(command, *options), cwd=self.folder.path,
                   **{**self.where, **environment})

    def start(self, command, *options, **environment):
        return subprocess.Popen([program("cocos-cli"), *self.words(command, *options)],
                                env={"PATH": os.environ["PATH"], **self.where, **environment},
                                cwd=self.folder.path, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def planted(self):
        """The largest file in the agent's work folder: of an upload, as far as it has come."""
        sizes = [0]
        for folder, _, files in os.walk(self.machine.agent.work_dir):
            for name in files:
                with contextlib.suppress(FileNotFoundError):
                    sizes.append(os.path.getsize(os.path.join(folder, name)))
        return max(sizes)


@contextlib.contextmanager
def room(kind, size=1 << 12, **algo):
    with contextlib.ExitStack() as stack:
        yield Room(stack, kind, size, **algo)


def the_job_by_the_command_line():
    for kind in ("snp", "tdx"):
        with room(kind) as r:
            receipts = r.folder("receipts")
            r("algo", "--receipt-dir", receipts).ok()
            r("data").ok()
            r.service.wait_event("ConsumingResults/Ready")
            r("result").ok()
            r.service.wait_event("Complete/Completed")
            assert os.listdir(receipts), "no receipt"


def who_wants_something_else_sends_nothing():
    with room("snp") as r:
        r("algo").ok()
        other = r.folder.write("other.json", json.dumps(
            {"cocos": 1, "snp": {"measurements": ["00" * 48]}, "run": {"weak_words": ["development"]}}))
        r("data", AGENT_GRPC_ATTESTATION_POLICY=other).refused(1, "measurement")
        strict = r.folder.write("strict.json", json.dumps(
            {"cocos": 1, "snp": {"measurements": [MEASUREMENT]}}))
        ran = r("data", AGENT_GRPC_ATTESTATION_POLICY=strict)
        assert ran.status == 1, ran.err
        changed = json.loads(canonical(r.machine.manifest))
        changed["name"] += "x"
        ran = cli("data", r.files["data"], r.keys["data"], "--offline", "--trusted_root",
                  r.tee.root, "--manifest", r.folder.write("changed.json", json.dumps(changed)),
                  **r.where)
        ran.refused(1, "manifest")
        assert r.planted() == len(SUM), "something came"
        r("data").ok()


def an_upload_goes_on_among_strangers_and_attests_again():
    """64 MiB with evidence every second and at the end, and three hundred connections that say nothing."""
    with room("snp", 64 * MIB) as r:
        r("algo").ok()
        strangers = []
        upload = r.start("data", "--reattest", "1s", "-v")
        try:
            for _ in range(300):
                strangers.append(socket.create_connection(("127.0.0.1", r.port)))
            out, err = upload.communicate(timeout=PATIENCE)
            assert upload.returncode == 0, out + err
        finally:
            for stranger in strangers:
                stranger.close()
        r.service.wait_event("ConsumingResults/Ready")


class Lock:
    """A wire to the agent in which an upload stops, half way, until it is let through."""

    def __init__(self, port, after):
        self.port, self.after, self.opened = port, after, threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.target = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.port))
                for ends in ((near, far, self.after), (far, near, None)):
                    threading.Thread(target=self.carry, args=ends, daemon=True).start()

    def carry(self, source, sink, after):
        carried = 0
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                carried += len(data)
                if after and carried > after:
                    self.opened.wait()
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.opened.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def a_machine_that_changes_stops_the_upload():
    """Another REPORT_ID, chip or measurement at the next question."""
    for fault, word in (("other-report-id", "report_id"), ("other-chip", "chip"),
                        ("other-measurement", "measurement")):
        with room("snp", 16 * MIB) as r, Lock(r.port, 8 * MIB) as lock:
            r("algo").ok()
            before = r.planted()
            # The upload can't end before the hardware has changed.
            upload = r.start("data", "--reattest", "1s", AGENT_GRPC_URL=lock.target)
            until(lambda: r.planted() > before or upload.poll() is not None, "the first bytes")
            assert upload.poll() is None, upload.communicate()
            r.tee.fault(fault)
            lock.opened.set()
            out, err = upload.communicate(timeout=PATIENCE)
            assert upload.returncode == 1 and word in err.lower(), (fault, out, err)


if __name__ == "__main__":
    tap.run([
        the_job_by_the_command_line,
        who_wants_something_else_sends_nothing,
        an_upload_goes_on_among_strangers_and_attests_again,
        a_machine_that_changes_stops_the_upload,
    ])
