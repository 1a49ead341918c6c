# SPDX-License-Identifier: Apache-2.0
"""The agent's evidence as whoever asks for it sees it: a software TPM, simulated SEV-SNP and TDX, and
a machine that has nothing. Tokens are taken apart here by an independent hand and judged by the
verifier's own tool."""
import contextlib
import hashlib
import json
import os
import struct
import subprocess
import tempfile

import cbor2
import grpc
from cryptography.hazmat.primitives import serialization

import evidence_book
import tap
import teesim
from harness import NO, Folder, program, until
from teesim import Entry, Teesim
from agent_job import manifest
from agent_peer import Agent, Client, Service, WAIT, agent_pb2, cvms_pb2, free_port, refused, sha3
from agent_tpm import Tpm, boot_configuration, canonical

Code = grpc.StatusCode
SNP, VTPM, BOTH, AZURE, TDX = range(5)
TEE_NONCE, VTPM_NONCE = bytes(range(64)), bytes(range(100, 132))
SHA256, SHA384 = 0x000b, 0x000c
BANKS = {SHA256: (hashlib.sha256, 32), SHA384: (hashlib.sha384, 48)}


class Machine:
    """An agent with devices, told a manifest, and a client to it."""

    def __init__(self, options, development, settings=None):
        self.service = Service()
        self.agent = Agent(self.service, development=development, options=options,
                           settings=settings)
        self.client, self.manifest = None, None

    def compute(self, **more):
        self.service.wait_connected()
        port = free_port()
        self.manifest = manifest(port, **more)
        self.service.send(runReq=self.manifest)
        answer = self.service.answer_to_run()
        assert answer.error == "", answer
        self.client = Client(port)
        return self

    def ask(self, kind, tee=TEE_NONCE, vtpm=VTPM_NONCE):
        call = self.client.stub.Attestation(agent_pb2.AttestationRequest(
            teeNonce=tee, vtpmNonce=vtpm, type=kind), timeout=WAIT)
        token = b"".join(r.file for r in call)
        assert int(dict(call.initial_metadata())["file-size"]) == len(token)
        return token

    def remove(self):
        if self.client:
            self.client.close()
        self.agent.remove()
        self.service.stop()


@contextlib.contextmanager
def machine(*options, development=True, settings=None):
    m = Machine(options, development, settings)
    try:
        yield m
    except BaseException:
        print("# the agent's output:")
        for line in m.agent.output().splitlines():
            print("#", line)
        raise
    finally:
        m.remove()


@contextlib.contextmanager
def with_tpm(*options):
    tpm = Tpm()
    try:
        with machine("--tcti", tpm.tcti, *options, development=False) as m:
            yield tpm, m
    finally:
        tpm.remove()


# ---- tokens, read without the project's code ----

def claims_of(token):
    tagged = cbor2.loads(token)
    assert tagged.tag == 18
    return cbor2.loads(tagged.value[2])


def fields(message):
    """A protobuf message as [(number, value)]."""
    out, at = [], 0

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = varint()
        value = varint()
        if tag & 7 == 2:
            value, at = message[at:at + value], at + value
        out.append((tag >> 3, value))
    return out


def quotes_of(attestation):
    """[(extraData, {PCR: value}, bank)] of each quote."""
    out = []
    for number, value in fields(attestation):
        if number != 2:
            continue
        quote = dict(fields(value))
        attest = quote[1]
        name_len, = struct.unpack_from(">H", attest, 6)
        extra_len, = struct.unpack_from(">H", attest, 8 + name_len)
        extra = attest[10 + name_len:10 + name_len + extra_len]
        pcrs = fields(quote[3])
        values = {dict(fields(v)).get(1, 0): dict(fields(v))[2] for n, v in pcrs if n == 2}
        out.append((extra, values, dict(pcrs)[1]))
    return out


def spki_of(claims):
    """Of cnf's COSE_Key, a P-256 point."""
    key = claims[8][1]
    prefix = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
    return prefix + b"\x04" + key[-2] + key[-3]


def nonce_form(kind, spki, tee=TEE_NONCE, vtpm=VTPM_NONCE):
    return (b"cocos-nonce-v1\0" + bytes([kind]) + tee.ljust(64, b"\0") + vtpm.ljust(32, b"\0") +
            hashlib.sha256(spki).digest())


def run_form(statement):
    return b"cocos-run-v1\0" + statement


def replay(log, bank):
    """What each register comes to by a crypto-agile or CC log."""
    own, length = BANKS[bank]
    size, = struct.unpack_from("<I", log, 28)
    at, values = 32 + size, {}
    while at < len(log):
        register, _, count = struct.unpack_from("<III", log, at)
        at += 12
        for _ in range(count):
            alg, = struct.unpack_from("<H", log, at)
            digest = log[at + 2:at + 2 + BANKS[alg][1]]
            at += 2 + len(digest)
            if alg == bank:
                values[register] = own(values.get(register, bytes(length)) + digest).digest()
        size, = struct.unpack_from("<I", log, at)
        at += 4 + size
    return values


# ---- the verifier ----

class Verifier:
    def __init__(self, folder, m, policy):
        self.folder, self.machine = folder, m
        run = {"weak_words": ["development"]} if "--development" in m.agent.command else {}
        policy = {"cocos": 1, **policy, "run": {**run, **policy.get("run", {})}}
        policy = {section: rules for section, rules in policy.items() if rules}
        self.policy = folder.write("policy.json", json.dumps(policy))
        self.manifest = folder.write("manifest.json", canonical(m.manifest))

    def __call__(self, token, *options, tee=TEE_NONCE, vtpm=VTPM_NONCE, mode="eat"):
        return subprocess.run(
            [program("cocos-cli"), "attestation", "validate", "--offline", "--mode", mode, "--tee",
             tee.hex(), "--vtpm", vtpm.hex(), "--policy", self.policy, "--manifest", self.manifest,
             *options, self.folder.write("token", token)],
            capture_output=True, text=True, check=False, timeout=WAIT)

    def accepts(self, token, *options, **args):
        done = self(token, *options, **args)
        assert done.returncode == 0 and "verified: " in done.stdout, done.stdout + done.stderr

    def refuses(self, check, token, *options, **args):
        done = self(token, *options, **args)
        assert done.returncode in NO and check in done.stdout, done.stdout + done.stderr


def tpm_verifier(folder, m, tpm_policy=None):
    """With the AK named as the first token has it."""
    token = m.ask(VTPM)
    ak = dict(fields(claims_of(token)["raw_report"]))[1]
    tpm_policy = tpm_policy or {"pcrs": {"sha256": {"16": ["00" * 32]}}}
    return (Verifier(folder, m, {"tpm": tpm_policy}), token,
            ["--ak", folder.write("ak", ak)])


def read_again(token):
    """By the reader of docs/evidence.md: of the run that it names, over the nonces that were asked for and no others."""
    read = evidence_book.Token(token)
    read.of_run(read.claims["x-cocos-run"], TEE_NONCE, VTPM_NONCE)
    for others in ((TEE_NONCE[::-1], VTPM_NONCE), (TEE_NONCE,)):
        try:
            read.over(*others)
        except evidence_book.Wrong:
            continue
        raise AssertionError("over other nonces, too")


# ---- a TPM ----

def a_tpms_token_verifies_with_the_nonces_that_were_sent():
    with with_tpm() as (_, m), Folder() as folder:
        m.compute()
        values = {str(pcr): [v.hex()] for pcr, v in
                  quotes_of(claims_of(m.ask(VTPM))["raw_report"])[0][1].items()}
        verify, token, ak = tpm_verifier(folder, m, {"pcrs": {"sha256": values}})
        verify.accepts(token, *ak)
        verify.refuses("token.", token, *ak, tee=bytes(64))
        verify.refuses("token.", token, *ak, vtpm=bytes(32))
        done = verify(token)
        assert done.returncode in NO and "ak." in done.stdout, done.stdout
        claims = claims_of(token)
        assert claims["platform_type"] == "vTPM"
        assert claims["x-cocos-nonce-use"] == "nonce"
        assert claims[10] == hashlib.sha256(nonce_form(VTPM, spki_of(claims))).digest()
        read_again(token)


def a_callers_bytes_never_become_extra_data():
    with with_tpm() as (_, m):
        m.compute()
        for vtpm in (VTPM_NONCE, bytes(32)):
            claims = claims_of(m.ask(VTPM, vtpm=vtpm))
            wanted = hashlib.sha256(nonce_form(VTPM, spki_of(claims), vtpm=vtpm)).digest()
            quotes = quotes_of(claims["raw_report"])
            assert [q[2] for q in quotes] == [SHA256, SHA384]
            for extra, values, _ in quotes:
                assert extra == wanted != vtpm
                assert sorted(values) == list(range(11)) + [14, 16]


def the_same_nonces_under_another_identity_are_other_evidence():
    with with_tpm() as (_, m), Folder() as folder:
        m.compute()
        verify, first, ak = tpm_verifier(folder, m)
        one = claims_of(first)
        second = Tpm()
        try:
            with machine("--tcti", second.tcti, development=False) as other:
                other.compute()
                token = other.ask(VTPM)
                two = claims_of(token)
                assert spki_of(one) != spki_of(two)
                assert one[10] != two[10]
                verify.refuses("ak.", token, *ak)
        finally:
            second.remove()


def the_run_statement_tells_what_was_measured_and_is_quoted():
    with with_tpm() as (_, m):
        m.compute()
        claims = claims_of(m.ask(VTPM))
        statement = cbor2.loads(claims["x-cocos-run"])
        assert statement[1] == m.manifest.id
        assert statement[2] == sha3(boot_configuration(m.agent))
        assert statement[4] == sha3(canonical(m.manifest))
        assert statement[5]["AGENT_CVM_ID"] == "cvm-1"
        assert (statement[6], statement[7], statement[8], statement[10]) == \
            (False, spki_of(claims), False, [])
        journal = serialization.load_der_public_key(statement[9])
        assert journal.curve.name == "secp256r1" and statement[9] != statement[7]
        wanted = hashlib.sha256(run_form(claims["x-cocos-run"])).digest()
        assert [q[0] for q in quotes_of(claims["x-cocos-run-evidence"])] == [wanted, wanted]


def secrets_of_the_boot_configuration_are_salted_digests():
    tpm = Tpm()
    try:
        with machine("--tcti", tpm.tcti, development=False,
                     settings={"AWS_SECRET_ACCESS_KEY": "hush"}) as m:
            m.compute()
            token = m.ask(VTPM)
            assert b"hush" not in token
            salt, digest = cbor2.loads(claims_of(token)["x-cocos-run"])[5]["AWS_SECRET_ACCESS_KEY"]
            assert digest == hashlib.sha256(salt + b"hush").digest() and len(salt) == 16
    finally:
        tpm.remove()


def the_event_log_replays_to_the_quoted_registers():
    with with_tpm() as (_, m):
        m.compute()
        m.service.send(stopComputation=cvms_pb2.StopComputation(computation_id=m.manifest.id))
        m.service.wait(lambda s: s.of("stop_computation_res"))
        m.client.close()
        port = free_port()
        again = manifest(port, id="c-2")
        m.service.send(runReq=again)
        assert m.service.answer_to_run(1).error == ""
        m.client = Client(port)
        claims = claims_of(m.ask(VTPM))
        for _, values, bank in quotes_of(claims["raw_report"]):
            replayed = replay(claims["x-cocos-event-log"], bank)
            assert sorted(replayed) == [14, 16]
            assert all(values[pcr] == value for pcr, value in replayed.items())
        assert b"cocos-boot-configuration" in claims["x-cocos-event-log"]


def what_the_machine_lacks_is_an_error_by_name():
    with with_tpm() as (_, m):
        m.compute()
        ask = m.client.stub.Attestation
        for kind, code, words in (
                (SNP, Code.UNAVAILABLE, "this machine's evidence is vTPM, not SNP"),
                (TDX, Code.UNAVAILABLE, "this machine's evidence is vTPM, not TDX"),
                (BOTH, Code.UNAVAILABLE, "not bound by its TEE"),
                (AZURE, Code.UNAVAILABLE, "not Azure"), (5, Code.INVALID_ARGUMENT, "type 5"),
                (-1, Code.INVALID_ARGUMENT, "type -1"), (256, Code.INVALID_ARGUMENT, "type 256")):
            refused(code, words, ask, agent_pb2.AttestationRequest(
                teeNonce=TEE_NONCE, vtpmNonce=VTPM_NONCE, type=kind), timeout=WAIT)
        for tee, vtpm in ((b"", b""), (bytes(15), bytes(15)), (bytes(65), b""), (b"", bytes(33))):
            refused(Code.INVALID_ARGUMENT, "nonces of", ask, agent_pb2.AttestationRequest(
                teeNonce=tee, vtpmNonce=vtpm, type=VTPM), timeout=WAIT)
        refused(Code.UNAVAILABLE, "IMA", m.client.stub.IMAMeasurements,
                agent_pb2.IMAMeasurementsRequest(), timeout=WAIT)
        refused(Code.UNAVAILABLE, "Azure", m.client.stub.AzureAttestationToken,
                agent_pb2.AttestationTokenRequest(tokenNonce=bytes(32)), timeout=WAIT)


def the_service_gets_evidence_before_there_is_a_manifest():
    with with_tpm() as (_, m):
        m.service.wait_connected()
        m.service.send(attestationReq=cvms_pb2.AttestationReq(nonce=TEE_NONCE, type=VTPM))
        m.service.send(attestationReq=cvms_pb2.AttestationReq(nonce=TEE_NONCE, type=SNP))
        m.service.send(attestationReq=cvms_pb2.AttestationReq(nonce=b"short", type=VTPM))
        m.service.wait(lambda s: len(s.of("vTPMattestationReport")) == 3)
        answers = m.service.of("vTPMattestationReport")
        tokens = [a.file for a in answers if a.file]
        assert len(tokens) == 1
        claims = claims_of(tokens[0])
        wanted = nonce_form(VTPM, spki_of(claims), vtpm=b"")
        assert claims[10] == hashlib.sha256(wanted).digest()
        assert "x-cocos-run" not in claims
        errors = sorted(a.error for a in answers if not a.file)
        assert errors[0].startswith("INVALID_ARGUMENT: nonces of 5"), errors
        assert errors[1].startswith("UNAVAILABLE: this machine's evidence is vTPM"), errors


def an_endorsement_key_vouches_for_the_attestation_key():
    tpm = Tpm()
    try:
        with Folder() as folder:
            # Before the agent: the TPM serves one connection.
            subprocess.run(["tpm2_createek", "-T", tpm.tcti, "-G", "rsa", "-c", folder("ek.ctx"),
                            "-f", "pem", "-u", folder("ek.pem")], check=True, capture_output=True)
            subprocess.run(["tpm2_flushcontext", "-T", tpm.tcti, "-t"], check=True,
                           capture_output=True)
            der = subprocess.run(["openssl", "pkey", "-pubin", "-in", folder("ek.pem"), "-outform",
                                  "DER"], check=True, capture_output=True).stdout
            with machine("--tcti", tpm.tcti, development=False) as m:
                m.compute()
                ak = dict(fields(claims_of(m.ask(VTPM))["raw_report"]))[1]
                name = b"\x00\x0b" + hashlib.sha256(ak).digest()

                def activate(of, ek=hashlib.sha256(der).digest()):
                    folder.write("secret", b"s" * 32)
                    subprocess.run(["tpm2_makecredential", "-T", "none", "-G", "rsa", "-u",
                                    folder("ek.pem"), "-s", folder("secret"), "-n", of.hex(), "-o",
                                    folder("credential")], check=True, capture_output=True)
                    with open(folder("credential"), "rb") as f:
                        made = f.read()[8:]
                    blob_len, = struct.unpack_from(">H", made)
                    return m.client.stub.ActivateCredential(agent_pb2.ActivateCredentialRequest(
                        ek=ek, credential=made[2:2 + blob_len], secret=made[4 + blob_len:]),
                        timeout=WAIT)

                assert activate(name).activated == b"s" * 32
                refused(Code.PERMISSION_DENIED, "credential", activate,
                        b"\x00\x0b" + hashlib.sha256(b"another").digest())
                refused(Code.NOT_FOUND, "endorsement key", activate, name, bytes(32))
                refused(Code.INVALID_ARGUMENT, "ActivateCredential",
                        m.client.stub.ActivateCredential, agent_pb2.ActivateCredentialRequest(
                            ek=bytes(32), credential=b"x"), timeout=WAIT)
                empty = m.client.stub.ActivateCredential(agent_pb2.ActivateCredentialRequest(),
                                                         timeout=WAIT)
                assert (empty.activated, list(empty.ek_certificates)) == (b"", [])
    finally:
        tpm.remove()


def imas_log_comes_with_the_register_it_came_to():
    with tempfile.TemporaryDirectory() as fake:
        os.mkdir(fake + "/ima")
        with open(fake + "/ima/binary_runtime_measurements", "wb") as f:
            f.write(bytes(range(256)) * 9000)
        with with_tpm("--securityfs", fake) as (_, m):
            m.compute()
            answers = list(m.client.stub.IMAMeasurements(agent_pb2.IMAMeasurementsRequest(),
                                                         timeout=WAIT))
            assert b"".join(a.file for a in answers) == bytes(range(256)) * 9000
            assert [a.pcr10 for a in answers if a.pcr10] == [bytes(32)]


def a_platforms_certified_key_is_the_one_that_signs():
    tpm = Tpm()
    cert, template = b"\x30\x03abc", bytes.fromhex(
        "0023000b00050072000000100018000b0003001000000000")
    try:
        with Folder() as folder:
            for index, content in (("0x01c10002", cert), ("0x01c10003", template)):
                path = folder.write("nv", content)
                for words in (["tpm2_nvdefine", index, "-C", "o", "-s", str(len(content)), "-a",
                               "ownerread|authread|ownerwrite|authwrite"],
                              ["tpm2_nvwrite", index, "-C", "o", "-i", path]):
                    subprocess.run([*words, "-T", tpm.tcti], check=True, capture_output=True)
            with machine("--tcti", tpm.tcti, development=False) as m:
                m.compute()
                message = dict(fields(claims_of(m.ask(VTPM))["raw_report"]))
                assert message[6] == cert
                assert message[1][:len(template) - 4] == template[:-4]
    finally:
        tpm.remove()


# ---- nothing at all ----

def without_devices_there_is_no_evidence_and_that_is_said():
    with machine() as m:
        m.compute()
        refused(Code.UNAVAILABLE, "NoCC", m.client.stub.Attestation, agent_pb2.AttestationRequest(
            teeNonce=TEE_NONCE, type=SNP), timeout=WAIT)
        refused(Code.UNAVAILABLE, "no TPM", m.client.stub.ActivateCredential,
                agent_pb2.ActivateCredentialRequest(), timeout=WAIT)
        m.service.send(attestationReq=cvms_pb2.AttestationReq(nonce=TEE_NONCE, type=SNP))
        m.service.wait(lambda s: s.of("vTPMattestationReport"))
        assert "NoCC" in m.service.of("vTPMattestationReport")[0].error
        assert "NO EVIDENCE" in m.agent.output()


def named_devices_that_are_not_there_end_the_agent():
    for options in (["--tsm", "/proc/nowhere"], ["--tcti", "device:/proc/nowhere"]):
        m = Machine(options, True)
        try:
            assert m.agent.process.wait(WAIT) == 1
            assert "check TEE and TPM" in m.agent.output(), m.agent.output()
            assert m.service.connections == 0
        finally:
            m.remove()


# ---- simulated TEEs ----

def tee_policy(tee, **run):
    key = "mrtd" if tee.tee == "tdx" else "measurements"
    own = {key: [tee.facts.get("mrtd") or tee.facts["measurement"]]}
    if tee.tee == "tdx":
        own.update({f"rtmr{i}": [tee.facts.get(f"rtmr{i}", "00" * 48)] for i in range(3)})
    return {tee.tee: own, "run": run}


def fixed_at_launch(folder, kind, digest):
    """A machine whose launch fixed the boot configuration that its agent then reads."""
    key = "mrconfigid" if kind == "tdx" else "host_data"
    with Teesim(folder, kind) as tee:
        with machine("--tsm", tee.mount) as m:
            m.service.wait_connected()
            assert m.agent.stop() == 0
            tee.facts[key] = digest(boot_configuration(m.agent)).hexdigest()
            tee.reboot()
            m.agent.restart()
            m.service.wait_connected(2)
            m.compute()
            yield tee, m


def snps_token_verifies_over_the_simulators_root():
    with Folder() as folder:
        for tee, m in fixed_at_launch(folder, "snp", hashlib.sha3_256):
            token = m.ask(SNP)
            options = ["--trusted_root", tee.root, *tee.endorsement_options]
            verify = Verifier(folder, m, tee_policy(tee, fixed_boot=True))
            verify.accepts(token, *options)
            verify.refuses("token.nonce", token, *options, tee=bytes(64))
            read_again(token)
            claims = claims_of(token)
            form = nonce_form(SNP, spki_of(claims))
            assert claims["raw_report"][0x50:0x90] == hashlib.sha512(form).digest()
            assert cbor2.loads(claims["x-cocos-run"])[6] is True
            form = run_form(claims["x-cocos-run"])
            assert claims["x-cocos-run-evidence"][0x50:0x90] == hashlib.sha512(form).digest()
            assert len(claims["raw_report"]) > 1184, "no certificate table"
            refused(Code.UNAVAILABLE, "not bound by its TEE", m.client.stub.Attestation,
                    agent_pb2.AttestationRequest(teeNonce=TEE_NONCE, type=VTPM), timeout=WAIT)


def tdxs_token_verifies_and_rtmr3_holds_the_events():
    with Folder() as folder:
        for tee, m in fixed_at_launch(folder, "tdx", hashlib.sha3_384):
            token = m.ask(TDX)
            options = ["--trusted_root", tee.root, *tee.endorsement_options]
            Verifier(folder, m, tee_policy(tee, fixed_boot=True)).accepts(token, *options)
            read_again(token)
            claims = claims_of(token)
            with open(tee.register("rtmr3:sha384"), "rb") as f:
                rtmr3 = f.read()
            port = m.manifest.agent_config.port
            value = bytes(48)
            for event in (boot_configuration(m.agent),
                          f'{{"port":"{port}","log_level":"info"}}'.encode(),
                          canonical(m.manifest)):
                value = hashlib.sha384(value + hashlib.sha3_384(event).digest()).digest()
            assert rtmr3 == value
            assert replay(claims["x-cocos-event-log"], SHA384) == {4: value}


def another_boot_configuration_than_the_launchs_stops_the_boot():
    for kind, key, length in (("snp", "host_data", 32), ("tdx", "mrconfigid", 48)):
        with Folder() as folder, Teesim(folder, kind, **{key: "11" * length}) as tee:
            m = Machine(["--tsm", tee.mount], True)
            try:
                assert m.agent.process.wait(WAIT) == 1
                assert "not the one that was fixed at launch" in m.agent.output()
                assert m.service.connections == 0
            finally:
                m.remove()


def hardware_that_misbehaves_is_refused_and_asked_again_later():
    with Folder() as folder, Teesim(folder, "snp") as tee, machine("--tsm", tee.mount) as m:
        m.compute()
        for fault, code, words in (("busy", Code.UNAVAILABLE, "given up"),
                                   ("stale-generation", Code.UNAVAILABLE, "generation"),
                                   ("stale-report", Code.DATA_LOSS, "another request's"),
                                   ("wrong-report-data", Code.DATA_LOSS, "another request's"),
                                   ("truncated", Code.DATA_LOSS, "report"),
                                   ("trailing", Code.DATA_LOSS, "report")):
            tee.fault(fault)
            refused(code, words, m.client.stub.Attestation, agent_pb2.AttestationRequest(
                teeNonce=TEE_NONCE, type=SNP), timeout=WAIT)
            tee.fault()
            assert m.ask(SNP)


def end_of(call):
    try:
        for _ in call:
            pass
    except grpc.RpcError:
        pass
    return call.code()


def a_flood_of_questions_is_bounded_and_holds_nothing_up():
    with Folder() as folder, Teesim(folder, "snp") as tee, machine("--tsm", tee.mount) as m:
        m.compute()
        assert m.ask(SNP)  # the journal's own question is answered before it
        tee.fault("busy")
        ask = agent_pb2.AttestationRequest(teeNonce=TEE_NONCE, type=SNP)
        calls = [m.client.stub.Attestation(ask, timeout=WAIT) for _ in range(96)]
        assert m.client.status().state == "ReceivingAlgorithm"
        # 64 may wait, and one that the device was too busy for gives its place to another.
        until(lambda: sum(call.done() for call in calls) >= 32, "the refusals")
        tee.fault()
        ends = [end_of(call) for call in calls]
        given_up = ends.count(Code.UNAVAILABLE)
        assert 32 - given_up <= ends.count(Code.RESOURCE_EXHAUSTED) <= 32, ends
        assert ends.count(Code.RESOURCE_EXHAUSTED) > 0 and ends.count(Code.OK) > 0, ends
        assert set(ends) <= {Code.RESOURCE_EXHAUSTED, Code.OK, Code.UNAVAILABLE}, ends
        assert m.ask(SNP)


def the_privilege_level_is_the_one_that_was_asked_for():
    with Folder() as folder, Teesim(folder, "snp") as tee:
        for settings, level in (({}, 0), ({"AGENT_VMPL": "2"}, 2)):
            with machine("--tsm", tee.mount, settings=settings) as m:
                m.compute()
                report = claims_of(m.ask(SNP))["raw_report"]
                assert struct.unpack_from("<I", report, 0x30)[0] == level


def who_asks_without_end_waits_and_is_not_refused():
    """More than the keeper takes at once (KEEPER_QUESTIONS_AT_ONCE), and faster than it goes on."""
    with Folder() as folder, Teesim(folder, "snp") as tee, machine("--tsm", tee.mount) as m:
        m.compute()
        for _ in range(256 + 20):
            assert m.ask(SNP)


def an_entry_that_root_made_serves_again_and_again():
    """As in the image, where the keeper can't make one that it may write to."""
    with Folder() as folder, Teesim(folder, "snp") as tee, Entry(tee, "cocos") as entry, \
            machine("--tsm", tee.mount) as m:
        m.compute()
        used = [entry.generation]
        for nonce in (TEE_NONCE, TEE_NONCE[::-1]):
            assert claims_of(m.ask(SNP, tee=nonce))["raw_report"]
            used.append(entry.generation)
        # the run's own evidence was made there, too
        assert 0 < used[0] < used[1] < used[2], used
        assert os.listdir(os.path.dirname(entry.path)) == ["cocos"]


def main():
    tests = [
        a_tpms_token_verifies_with_the_nonces_that_were_sent,
        a_callers_bytes_never_become_extra_data,
        the_same_nonces_under_another_identity_are_other_evidence,
        the_run_statement_tells_what_was_measured_and_is_quoted,
        secrets_of_the_boot_configuration_are_salted_digests,
        the_event_log_replays_to_the_quoted_registers,
        what_the_machine_lacks_is_an_error_by_name,
        the_service_gets_evidence_before_there_is_a_manifest,
        an_endorsement_key_vouches_for_the_attestation_key,
        imas_log_comes_with_the_register_it_came_to,
        a_platforms_certified_key_is_the_one_that_signs,
        without_devices_there_is_no_evidence_and_that_is_said,
        named_devices_that_are_not_there_end_the_agent,
    ]
    why = teesim.unavailable()
    if why:
        print("# without simulated hardware:", why)
    else:
        tests += [
            snps_token_verifies_over_the_simulators_root,
            tdxs_token_verifies_and_rtmr3_holds_the_events,
            another_boot_configuration_than_the_launchs_stops_the_boot,
            hardware_that_misbehaves_is_refused_and_asked_again_later,
            a_flood_of_questions_is_bounded_and_holds_nothing_up,
            the_privilege_level_is_the_one_that_was_asked_for,
            who_asks_without_end_waits_and_is_not_refused,
            an_entry_that_root_made_serves_again_and_again,
        ]
    tap.run(tests)


if __name__ == "__main__":
    main()
