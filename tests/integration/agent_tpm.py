# SPDX-License-Identifier: Apache-2.0
"""The agent's order of trust against a software TPM: what is measured, when, and what then holds."""
import base64
import contextlib
import hashlib
import os
import shutil
import struct
import subprocess
import tempfile
import time

import grpc

import tap
from agent_job import (ALGO_KEY, DATA_KEY, IRIS, NORMAL, SUM, USER_KEY, manifest, unzip)
from agent_peer import (Agent, Client, Service, cvms_pb2, free_port, refused, sha3, WAIT)

Code = grpc.StatusCode
BANKS = {"sha256": (hashlib.sha256, hashlib.sha3_256, 32),
         "sha384": (hashlib.sha384, hashlib.sha3_384, 48)}


class Tpm:
    def __init__(self, banks="sha256,sha384", setup=()):
        self.dir = tempfile.mkdtemp(prefix="cocos-swtpm-")
        subprocess.run(["swtpm_setup", "--tpm2", "--tpmstate", self.dir, "--pcr-banks", banks,
                        "--overwrite", *setup], check=True, capture_output=True)
        self.port = free_port(2)  # the control channel's is the next one
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + self.dir,
             "--server", f"type=tcp,port={self.port}", "--ctrl", f"type=tcp,port={self.port + 1}",
             "--flags", "startup-clear,not-need-init"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.tcti = f"swtpm:host=127.0.0.1,port={self.port}"
        deadline = time.monotonic() + WAIT
        while f"pid={self.process.pid},".encode() not in subprocess.run(
                ["ss", "-Hltnp", f"sport = :{self.port + 1}"], capture_output=True,
                check=True).stdout:
            assert self.process.poll() is None, "swtpm ended"
            assert time.monotonic() < deadline, "swtpm does not listen"
            time.sleep(0.05)

    def read(self, bank, index):
        out = os.path.join(self.dir, "value")
        subprocess.run(["tpm2_pcrread", "-T", self.tcti, "-o", out, f"{bank}:{index}"], check=True,
                       capture_output=True)
        with open(out, "rb") as f:
            return f.read()

    def remove(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


@contextlib.contextmanager
def tpm_agent(banks="sha256,sha384", **args):
    tpm = Tpm(banks)
    service = Service()
    agent = Agent(service, development=False, options=["--tcti", tpm.tcti], **args)
    try:
        yield tpm, service, agent
    except BaseException:
        print("# the agent's output:")
        for line in agent.output().splitlines():
            print("#", line)
        raise
    finally:
        agent.remove()
        service.stop()
        tpm.remove()


def canonical(m):
    """The manifest as its canonical JSON, for those that need no escapes."""
    def hash_of(h):
        return "[" + ",".join(str(b) for b in h) + "]"

    def key_of(k):
        return '"' + base64.b64encode(k).decode() + '"'

    parts = [f'"id":"{m.id}"', f'"name":"{m.name}"', f'"description":"{m.description}"']
    sets = ",".join('{"hash":' + hash_of(d.hash) + ',"user_key":' + key_of(d.userKey) +
                    (f',"filename":"{d.filename}"' if d.filename else "") + "}"
                    for d in m.datasets)
    parts.append('"datasets":[' + sets + "]")
    parts.append('"algorithm":{"hash":' + hash_of(m.algorithm.hash) + ',"user_key":' +
                 key_of(m.algorithm.userKey) +
                 (f',"algo_type":"{m.algorithm.algo_type}"' if m.algorithm.algo_type else "") + "}")
    parts.append('"result_consumers":[' + ",".join('{"user_key":' + key_of(c.userKey) + "}"
                                                   for c in m.result_consumers) + "]")
    if m.HasField("cocos"):
        parts.append('"cocos":{"logs":"' + m.cocos.logs + '"}')
    return ("{" + ",".join(parts) + "}").encode()


def boot_configuration(agent):
    out = b"cocos-boot-v1\0"
    for path in ("config/environment", "certs/cert.pem", "certs/key.pem", "certs/ca.pem"):
        path = os.path.join(agent.dir, path)
        if not os.path.exists(path):
            out += b"\0"
            continue
        with open(path, "rb") as f:
            content = f.read()
        out += b"\1" + struct.pack(">I", len(content)) + content
    return out


def extended(bank, *events):
    own, content, length = BANKS[bank]
    value = bytes(length)
    for event in events:
        value = own(value + content(event).digest()).digest()
    return value


def signed(client, role, method, key, asset=None, parameters=()):
    return client.proof_metadata(role, method, key, asset, parameters)


def the_whole_job_measured_and_with_proofs():
    with tpm_agent(certs={"ca.pem": "x\n"}) as (tpm, service, agent):
        service.wait_connected()
        port = free_port()
        m = manifest(port)
        service.send(runReq=m)
        answer = service.answer_to_run()
        assert (answer.error, answer.notice) == ("", ""), answer
        client = Client(port)
        status = client.status()
        assert not status.development
        assert status.manifest_digest == sha3(canonical(m)), canonical(m)
        refused(Code.PERMISSION_DENIED, "could be replayed", client.algo, SUM, ALGO_KEY)
        client.algo(SUM, None, metadata=signed(client, "algorithm-provider", "Algo", ALGO_KEY,
                                               sha3(SUM), [("algo_type", "bin")]))
        refused(Code.PERMISSION_DENIED, "could be replayed", client.data, IRIS, DATA_KEY,
                "iris.csv")
        client.data(IRIS, None, "iris.csv", metadata=signed(
            client, "data-provider", "Data", DATA_KEY, sha3(IRIS),
            [("filename", "iris.csv"), ("decompress", "false")]))
        service.wait_event("ConsumingResults/Ready")
        refused(Code.PERMISSION_DENIED, "could be replayed", client.result, USER_KEY)
        result = client.result(None, metadata=signed(client, "consumer", "Result", USER_KEY))
        assert unzip(result)["all.txt"] == IRIS
        service.wait_event("Complete/Completed")
        assert service.events() == NORMAL
        client.close()
        assert agent.stop() == 0, agent.output()
        config = f'{{"port":"{port}","log_level":"info"}}'.encode()
        for bank in BANKS:
            assert tpm.read(bank, 14) == extended(bank, boot_configuration(agent), config,
                                                  canonical(m)), bank
            assert tpm.read(bank, 16) == extended(bank, canonical(m)), bank


def a_second_computation_is_measured_too():
    with tpm_agent() as (tpm, service, agent):
        service.wait_connected()
        ports = [free_port(), free_port()]
        ms = [manifest(ports[0]), manifest(ports[1], id="c-2")]
        for nth, m in enumerate(ms):
            service.send(runReq=m)
            assert service.answer_to_run(nth).error == ""
            service.send(stopComputation=cvms_pb2.StopComputation(computation_id=m.id))
            service.wait(lambda s, n=nth: len(s.of("stop_computation_res")) > n)
        assert agent.stop() == 0
        configs = [f'{{"port":"{p}","log_level":"info"}}'.encode() for p in ports]
        for bank in BANKS:
            assert tpm.read(bank, 16) == extended(bank, canonical(ms[1])), bank
            assert tpm.read(bank, 14) == extended(
                bank, boot_configuration(agent), configs[0], canonical(ms[0]), configs[1],
                canonical(ms[1])), bank


def a_missing_bank_stops_the_boot():
    with tpm_agent(banks="sha256") as (_, service, agent):
        assert agent.process.wait(WAIT) == 1, agent.output()
        assert "SHA-384" in agent.output() or "sha384" in agent.output(), agent.output()
        assert service.connections == 0


def a_tpm_that_is_gone_fails_the_computation():
    with tpm_agent() as (tpm, service, agent):
        service.wait_connected()
        tpm.process.kill()
        tpm.process.wait()
        port = free_port()
        service.send(runReq=manifest(port))
        # Either the failure is told, or the agent could not live on without its keeper.
        service.wait(lambda s: s.of("run_res") or agent.process.poll() is not None)
        if agent.process.poll() is None:
            assert "measure the manifest" in service.answer_to_run().error
            service.wait_event("Failed/Failed")
        client = Client(port)
        refused(Code.UNAVAILABLE, "", client.status)
        client.close()


if __name__ == "__main__":
    tap.run([the_whole_job_measured_and_with_proofs, a_second_computation_is_measured_too,
             a_missing_bank_stops_the_boot, a_tpm_that_is_gone_fails_the_computation])
