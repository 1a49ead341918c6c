# SPDX-License-Identifier: Apache-2.0
"""cocos-cli over attested TLS, against an agent written here from the protocol, with a real TPM of
software: what is taken, and what is refused by name before a single byte of a call was sent."""
import base64
import contextlib
import hashlib
import json
import os
import re
import secrets
import struct
import subprocess
import tempfile
import time

import cbor2
import grpc
from OpenSSL import crypto
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

import tap
from agent_tpm import Tpm
from attested_peer import AttestedServer, Identity, Parts, Session
from cli_agent import MANIFEST_DIGEST, FakeAgent, field as proof_field, sha3, verify as verify_proof
from harness import ROOT, Folder, agent, cli, program, read, until
from protobuf_bytes import message, number

DATA = b"a,b\n1,2\n" * 1000
RSA_EK, RSA_EK_CERT = "0x81010001", "0x1c00002"


# ---- a TPM with an EK certificate, and its attestation key ----

class CertifiedTpm(Tpm):
    """swtpm with an EK certificate of a CA of its own, made beside its state."""

    def __init__(self):
        self.ca = tempfile.mkdtemp(prefix="cocos-ca-")
        options = os.path.join(self.ca, "localca.conf")
        setup = os.path.join(self.ca, "setup.conf")
        with open(options, "w", encoding="utf-8") as f:
            f.write("".join(f"{key} = {self.ca}/{name}\n" for key, name in (
                ("statedir", ""), ("signingkey", "signkey.pem"), ("issuercert", "issuercert.pem"),
                ("certserial", "certserial"))))
        with open(setup, "w", encoding="utf-8") as f:
            f.write("create_certs_tool= /usr/bin/swtpm_localca\n"
                    f"create_certs_tool_config = {options}\n"
                    "create_certs_tool_options = /dev/null\nactive_pcr_banks = sha256,sha384\n")
        super().__init__("sha256,sha384", ["--create-ek-cert", "--config", setup])
        for digest in BOOT_EVENTS:
            self.run("tpm2_pcrextend", "4:sha256=" + digest.hex())
        self.run("tpm2_pcrextend", "10:sha256=" + IMA_DIGEST.hex())

    @property
    def root(self):
        return os.path.join(self.ca, "swtpm-localca-rootca-cert.pem")

    @property
    def issuer(self):
        return os.path.join(self.ca, "issuercert.pem")

    def at(self, name):
        return os.path.join(self.ca, name)

    def run(self, *args, check=True, flush=True):
        environment = dict(os.environ, TPM2TOOLS_TCTI=self.tcti)
        done = subprocess.run(args, capture_output=True, env=environment, check=False)
        assert not check or done.returncode == 0, (args, done.stderr.decode())
        if flush:
            subprocess.run(["tpm2_flushcontext", "-t"], env=environment, check=True,
                           capture_output=True)
        return done

    def ek_certificate(self):
        self.run("tpm2_nvread", RSA_EK_CERT, "-o", self.at("ek.der"))
        return read(self.at("ek.der"))


class Ak:
    """An attestation key; what it quotes is an attest.Attestation."""

    def __init__(self, tpm, name):
        self.tpm, self.name = tpm, name
        self.run("tpm2_createak", "-C", RSA_EK, "-c", self.at("ctx"), "-G", "ecc", "-g", "sha256",
                 "-s", "ecdsa", "-u", self.at("pub"))
        self.public = read(self.at("pub"))[2:]
        with open(self.at("area"), "wb") as f:
            f.write(self.public)

    def run(self, *args):
        return self.tpm.run(*args)

    def at(self, ending):
        return self.tpm.at(f"{self.name}.{ending}")

    def quote(self, extra, log=b""):
        self.run("tpm2_quote", "-c", self.at("ctx"), "-l", "sha256:4,10", "-q", extra.hex(), "-m",
                 self.at("msg"), "-s", self.at("sig"), "-g", "sha256")
        values = b"".join(
            message(2, number(1, index) + message(2, self.tpm.read("sha256", index)))
            for index in (4, 10))
        quoted = (message(1, read(self.at("msg"))) + message(2, read(self.at("sig"))) +
                  message(3, number(1, 11) + values))
        return (message(1, self.public) + message(2, quoted) + (message(3, log) if log else b""))


# ---- the agent's words, by hand from the description of the wire ----

def ima_entry(path, pcr=10):
    def f(b):
        return struct.pack("<I", len(b)) + b
    data = f(b"sha256:\0" + bytes(range(32))) + f(path + b"\0")
    return (struct.pack("<I", pcr) + hashlib.sha1(data).digest() + f(b"ima-ng") + f(data), data)


IMA_LOG, IMA_DATA = ima_entry(b"/usr/bin/algorithm")
IMA_DIGEST = hashlib.sha256(IMA_DATA).digest()


def boot_log(kernel):
    """A crypto-agile log (TCG PFP, 10): what was booted, and the separators."""
    def event(pcr, kind, data):
        return (struct.pack("<IIIH", pcr, kind, 1, 0x000b) + hashlib.sha256(data).digest() +
                struct.pack("<I", len(data)) + data)
    spec = (b"Spec ID Event03\0" + struct.pack("<I", 0) + b"\x00\x02\x00\x02" +
            struct.pack("<IHHB", 1, 0x000b, 32, 0))
    log = struct.pack("<II", 0, 3) + bytes(20) + struct.pack("<I", len(spec)) + spec
    return log + event(4, 13, kernel) + b"".join(event(pcr, 4, bytes(4)) for pcr in range(8))


BOOT_EVENTS = [hashlib.sha256(b"kernel").digest(), hashlib.sha256(bytes(4)).digest()]


class Evidence:
    """What an agent says of itself; `change` is what a liar says else."""

    def __init__(self, ak, manifest, identity, **change):
        self.ak, self.identity, self.change = ak, identity, change
        self.statement = cbor2.dumps({
            0: 1, 1: "7a", 2: bytes(32), 3: bytes(32), 4: manifest, 5: {}, 6: False,
            7: identity.spki, 8: False, 9: None, 10: []}, canonical=True)
        run = hashlib.sha256(b"cocos-run-v1\0" + self.statement).digest()
        self.run_evidence = change.get("run_ak", ak).quote(run)

    def token(self, nonce, use, log=b""):
        numbers = self.identity.key.public_key().public_numbers()
        now = int(time.time())
        claims = {1: "agent", 4: now + 300, 6: now - 1, 10: nonce,
                  8: {1: {1: 2, -1: 1, -2: numbers.x.to_bytes(32, "big"),
                          -3: numbers.y.to_bytes(32, "big")}},
                  "platform_type": self.change.get("platform", "vTPM"),
                  "raw_report": self.ak.quote(self.change.get("extra", nonce), log),
                  "x-cocos-nonce-use": use}
        if not self.change.get("stripped"):
            claims["x-cocos-run"] = self.statement
            claims["x-cocos-run-evidence"] = self.run_evidence
        protected, payload = cbor2.dumps({1: -7}), cbor2.dumps(claims)
        to_sign = cbor2.dumps(["Signature1", protected, b"", payload])
        r, s = decode_dss_signature(self.identity.key.sign(to_sign, ec.ECDSA(hashes.SHA256())))
        return cbor2.dumps(cbor2.CBORTag(18, [protected, {4: b"agent"}, payload,
                                              r.to_bytes(32, "big") + s.to_bytes(32, "big")]))

    def channel(self, parts):
        return self.token(parts.tpm_nonce, "channel")

    def nonce(self, kind, tee, vtpm):
        d = (b"cocos-nonce-v1\0" + bytes([kind]) + tee.ljust(64, b"\0") + vtpm.ljust(32, b"\0") +
             hashlib.sha256(self.identity.spki).digest())
        return self.token(hashlib.sha256(d).digest(), "nonce", self.change.get("log", b""))


class AttestedAgent(FakeAgent):
    """The agent's calls behind an attested listener."""

    def __init__(self, public_pem, evidence, tpm):
        super().__init__(public_pem)
        self.evidence, self.tpm = evidence, tpm
        self.later = None       # evidence of re-attestations, where it is another
        self.opener = None      # the AK that opens credentials, where it is another
        self.connection = None
        self.reattested, self.ima, self.spoil = 0, IMA_LOG, False
        self.pause, self.pieces = 0, 0
        self.busy = 0           # how many times more it can't attest
        self.cancelled = None   # an upload by its owner; None: it came to no end
        self.door = AttestedServer(evidence.identity,
                                   lambda parts: self.evidence.channel(parts))
        self.door.serve = self.serve

    def serve(self, connection):
        self.connection = connection
        self.door.forward(int(self.url.rsplit(":", 1)[1]))(connection)

    def run(self, *arguments, **keywords):
        ran = cli(*arguments, AGENT_GRPC_URL=self.door.target, AGENT_GRPC_ATTESTED_TLS="true",
                  **keywords)
        assert not self.door.failures, self.door.failures
        return ran

    def check(self, context, role, method, asset, parameters):
        values = {}
        for key, value in context.invocation_metadata():
            values.setdefault(key, []).append(value)
        self.calls.append(values)
        # grpcio takes a cancelled upload for a finished one, until it hears of the cancelling.
        self.cancelled = bool(self.later) and cancelled(context)
        assert not self.cancelled
        with self.connection.lock:
            session = self.connection.tls.export_keying_material(b"EXPORTER-cocos-proof", 32)
        verify_proof(self.public, base64.b64decode(values["proof"][0]),
                     b"cocos-proof-v1\0" + role.encode() + b"\0" + method.encode() + b"\0" +
                     MANIFEST_DIGEST + session + (asset or bytes(32)) +
                     sha3(b"".join(proof_field(k) + proof_field(v) for k, v in parameters)))
        return values

    def receive(self, context, pieces, offset):
        def slowly():
            for number, piece in enumerate(pieces):
                self.pieces = number + 1
                if number == 0:
                    time.sleep(self.pause)
                yield piece
        return super().receive(context, slowly(), offset)

    def Reattest(self, requests, context):
        for one in requests:
            self.reattested += 1
            if self.busy:
                self.busy -= 1
                context.abort(grpc.StatusCode.UNAVAILABLE, "the device is busy")
            evidence = self.later or self.evidence
            yield agent.ReattestResponse(authenticator=Parts(
                Session(self.connection), one.request, evidence.identity,
                evidence.channel).bytes())

    def Attestation(self, request, context):
        token = self.evidence.nonce(request.type, request.teeNonce, request.vtpmNonce)
        context.send_initial_metadata((("file-size", str(len(token))),))
        for at in range(0, len(token), 1000):
            yield agent.AttestationResponse(file=token[at:at + 1000])

    def IMAMeasurements(self, request, context):
        context.send_initial_metadata((("file-size", str(len(self.ima))),))
        yield agent.IMAMeasurementsResponse(file=self.ima, pcr10=bytes(32))

    def ActivateCredential(self, request, context):
        answer = agent.ActivateCredentialResponse(ek_certificates=[self.tpm.ek_certificate()])
        if request.credential:
            answer.activated = self.activate(request)
        return answer

    def activate(self, request):
        t = self.tpm
        with open(t.at("credential"), "wb") as f:
            f.write(struct.pack(">II", 0xBADCC0DE, 1) +
                    struct.pack(">H", len(request.credential)) + request.credential +
                    struct.pack(">H", len(request.secret)) + request.secret)
        t.run("tpm2_startauthsession", "--policy-session", "-S", t.at("session"), flush=False)
        t.run("tpm2_policysecret", "-S", t.at("session"), "-c", "e", flush=False)
        opener = self.opener or self.evidence.ak
        done = t.run("tpm2_activatecredential", "-c", opener.at("ctx"), "-C", RSA_EK,
                     "-i", t.at("credential"), "-o", t.at("secret"), "-P",
                     "session:" + t.at("session"), check=False)
        t.run("tpm2_flushcontext", t.at("session"))
        if done.returncode:
            return secrets.token_bytes(32)
        secret = bytearray(read(t.at("secret")))
        secret[0] ^= self.spoil
        return bytes(secret)


def cancelled(context):
    try:
        return until(lambda: not context.is_active(), "a cancelled call")
    except AssertionError:
        return False


# ---- one owner, one computation ----

def spki_base64():
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    der = key.public_bytes(serialization.Encoding.DER,
                           serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def manifest_of(name, user):
    digest = sha3(name.encode())
    text = json.dumps({"id": "7a", "name": name, "algorithm": {"hash": digest.hex(),
                                                               "user_key": user},
                       "result_consumers": [{"user_key": user}]})
    canonical = ('{"id":"7a","name":"%s","algorithm":{"hash":[%s],"user_key":"%s"},'
                 '"result_consumers":[{"user_key":"%s"}]}'
                 % (name, ",".join(map(str, digest)), user, user)).encode()
    return text, sha3(canonical)


class World(Folder):
    """An owner's folder with policy and manifests, and an agent that is right in everything but for
    what `change` says."""

    def __init__(self, **change):
        super().__init__()
        self.change = change

    def __enter__(self):
        super().__enter__()
        cli("keys", "-k", "ecdsa", cwd=self.path).ok()
        user = spki_base64()
        right, self.digest = manifest_of("right", user)
        self.write("manifest.json", right)
        self.write("other.json", manifest_of("other", user)[0])
        self.write("data.csv", DATA.decode())
        for name, value in (("policy.json", TPM.read("sha256", 4).hex()),
                            ("wrong.json", "5b" * 32)):
            self.write(name, json.dumps({"cocos": 1,
                                         "tpm": {"pcrs": {"sha256": {"4": [value]}}}}))
        self.evidence = Evidence(AK, self.digest, Identity(), **self.change)
        self.agent = AttestedAgent(read(self("public.pem")), self.evidence, TPM).start()
        self.agent.datasets = {"data.csv": DATA}
        return self

    def __exit__(self, *_):
        self.agent.door.__exit__()
        self.agent.server.stop(None)
        super().__exit__()

    def trust(self, policy="policy.json", manifest="manifest.json", ak=None):
        return ["--attestation-policy", self(policy), "--manifest", self(manifest), "--offline",
                *(["--ak", (ak or AK).at("area")] if ak is not False else [])]

    def send(self, *more, **trust):
        return self.agent.run("data", self("data.csv"), self("private.pem"), *self.trust(**trust),
                              *more)

    def refused(self, name, *more, **trust):
        """By that check, with nothing sent after the request: not one byte."""
        self.agent.door.serve = lambda connection: None
        ran = self.send(*more, **trust)
        assert ran.status == 1 and name in ran.err, (ran.status, ran.err)
        self.agent.door.wait_ended()
        assert self.agent.door.behind == b"", self.agent.door.behind
        assert self.agent.calls == []
        return ran


def an_agent_as_the_policy_wants_it_gets_the_dataset():
    with World() as w:
        ran = w.send("--receipt-dir", w("receipts"))
        assert "accepted" in ran.ok(), ran.err
        assert w.agent.received == ("data.csv", DATA)
        assert "verified: vtpm evidence over this connection" in ran.err, ran.err
        assert "operator trusted" in ran.err and "AK named by you" in ran.err, ran.err
        assert w.agent.reattested == 1, "once more, before the last word"
        receipts = sorted(os.listdir(w("receipts")))
        assert [name.rsplit(".", 1)[1] for name in receipts] == ["eat", "json"] * 2, receipts
        kept = json.loads(read(w(os.path.join("receipts", receipts[1]))))
        assert kept["verdict"]["verdict"] == "verified"
        assert kept["evidence_sha256"] == hashlib.sha256(
            read(w(os.path.join("receipts", receipts[0])))).hexdigest()


def another_measurement_is_refused():
    with World() as w:
        w.refused("policy.pcr4", policy="wrong.json")


def another_manifest_is_refused():
    with World() as w:
        w.refused("run.manifest", manifest="other.json")


def another_ak_is_refused():
    with World() as w:
        w.refused("ak.named", ak=OTHER_AK)


def a_quote_that_nobody_vouches_for_is_refused():
    with World() as w:
        w.refused("ak.binding", ak=False)


def evidence_that_was_stripped_is_refused():
    with World(stripped=True) as w:
        w.refused("run.statement")
    with World(run_ak=OTHER_AK) as w:
        w.refused("run.evidence")
    with World(platform="SNP") as w:
        w.refused("attestation: ")
    with World(platform="NoCC") as w:
        w.refused("token.platform")


def evidence_of_another_connection_is_refused():
    with World(extra=bytes(32)) as w:
        w.refused("quote.nonce")


def the_key_exchange_is_had_that_the_policy_demands():
    with World() as w:
        policy = json.loads(read(w("policy.json")))
        for name, groups in (("groups.json", ["secp384r1"]), ("unknown.json", ["P-384"])):
            w.write(name, json.dumps(dict(policy, tls={"groups": groups})))
        ran = w.send("-v", "--receipt-dir", w("receipts"), policy="groups.json")
        assert "accepted" in ran.ok() and "passed: channel.group: secp384r1" in ran.err, ran.err
        receipt = min(name for name in os.listdir(w("receipts")) if name.endswith(".json"))
        checks = json.loads(read(w(os.path.join("receipts", receipt))))["verdict"]["checks"]
        found = [check for check in checks if check["name"] == "channel.group"]
        assert [(check["outcome"], check["found"]) for check in found] == [("passed", "secp384r1")], found
        assert re.search("^not asked: channel.group: (X25519MLKEM768|x25519)$", w.send("-v").err, re.M)
        ran = w.send("--grpc-tls-groups", "x25519", policy="groups.json")
        assert ran.status == 2 and "no connection has both" in ran.err, ran.err
        ran = w.send(policy="unknown.json")
        assert ran.status == 2 and "tls: groups: 'P-384'" in ran.err and "unknown key exchange" in ran.err, ran.err


def who_has_no_such_key_exchange_gets_nothing():
    with World() as w:
        policy = json.loads(read(w("policy.json")))
        w.write("groups.json", json.dumps(dict(policy, tls={"groups": ["secp384r1", "secp521r1"]})))
        w.agent.door.context.set_tmp_ecdh(crypto.get_elliptic_curve("prime256v1"))
        ran = w.send(policy="groups.json")
        ran.refused(1, "key exchange secp384r1 or secp521r1 is demanded: the server does not take it", "hint: nothing was sent")
        assert not w.agent.door.requests
        assert "accepted" in w.send().ok()


def without_a_policy_nothing_is_asked_and_nothing_sent():
    with World() as w:
        ran = w.agent.run("data", w("data.csv"), w("private.pem"))
        assert ran.status == 2 and "policy create" in ran.err, ran.err
        ran = cli("data", w("data.csv"), w("private.pem"), "--attestation-policy", w("policy.json"),
                  AGENT_GRPC_URL=w.agent.door.target)
        assert ran.status == 2 and "--attested-tls" in ran.err, ran.err
        assert w.agent.door.requests == []


def plain_tls_is_no_way_around():
    with World() as w:
        w.agent.door.script = lambda connection: None  # no authenticator comes
        ran = w.send("--grpc-timeout", "2s")
        assert ran.status == 1, ran.err
        assert w.agent.calls == []


def an_ek_of_a_named_root_vouches_for_the_ak():
    with World() as w:
        ran = w.send("--ek_root", TPM.root, "--CA_bundles_paths", TPM.issuer, "--receipt-dir", w("kept"), ak=False)
        assert "accepted" in ran.ok(), ran.err
        assert "EK chains to the root that you named" in ran.err, ran.err
        assert "SIMULATED verified: vtpm evidence" in ran.err, ran.err  # by swtpm's own names
        # What was kept of it names the key where nobody can be asked any more, by the page's own command.
        [command] = re.findall("^cocos-cli attestation show kept/.*$", read(os.path.join(ROOT, "docs", "owners.md")).decode(),
                               re.M)
        kept = min(name for name in os.listdir(w("kept")) if name.endswith(".eat"))
        subprocess.run(["sh", "-ec", command.replace("SESSION.eat", kept)], cwd=w.path, check=True,
                       env={**os.environ, "PATH": os.path.dirname(program("cocos-cli")) + ":" + os.environ["PATH"]})
        assert read(w("ak.pub")) == AK.public


def a_tpm_that_does_not_open_the_credential_is_refused():
    with World() as w:
        w.agent.spoil = True
        ran = w.send("--ek_root", TPM.root, "--CA_bundles_paths", TPM.issuer, ak=False)
        assert ran.status == 1 and "ak.activated" in ran.err, ran.err
        assert w.agent.calls == []
    with World() as w:
        other = w.write("root.pem", Identity().pem)
        ran = w.send("--ek_root", other, "--CA_bundles_paths", TPM.issuer, ak=False)
        assert ran.status == 1 and "ak.activated" in ran.err, ran.err
        assert w.agent.calls == []
    # The quote is by a key of this TPM that is not the one that the credential is opened with.
    with World() as w:
        w.agent.opener = OTHER_AK
        ran = w.send("--ek_root", TPM.root, "--CA_bundles_paths", TPM.issuer, ak=False)
        assert ran.status == 1 and "ak.activated" in ran.err, ran.err
        assert w.agent.calls == []


def a_log_that_the_channel_has_no_room_for_is_asked_for_and_replayed():
    rules = json.dumps({"cocos": 1, "tpm": {"events": {"sha256": {
        "4": [digest.hex() for digest in BOOT_EVENTS]}}}})
    with World(log=boot_log(b"kernel")) as w:
        w.write("events.json", rules)
        assert "accepted" in w.send(policy="events.json").ok()
        w.write("events.json", rules.replace(BOOT_EVENTS[0].hex(), "77" * 32))
        ran = w.send(policy="events.json")
        assert ran.status == 1 and "policy.pcr4" in ran.err, ran.err
        assert len(w.agent.calls) == 1, "of the first command"
    for log in (boot_log(b"another"), boot_log(b"kernel")[:-1], b""):
        with World(log=log) as w:
            w.write("events.json", rules)
            ran = w.send(policy="events.json")
            assert ran.status == 1 and "attestation: " in ran.err, ran.err
            assert w.agent.calls == [], ran.err


def another_agent_at_the_end_of_an_upload_gets_no_last_word():
    with World() as w:
        w.agent.later = Evidence(OTHER_AK, w.digest, w.evidence.identity)
        ran = w.send()
        assert ran.status == 1 and "ak.named" in ran.err, ran.err
        assert not hasattr(w.agent, "received"), "it was accepted"
        assert w.agent.reattested == 1 and w.agent.cancelled is not False


def an_agent_that_is_busy_for_a_moment_is_asked_again():
    with World() as w:
        w.agent.busy = 2
        ran = w.send()
        assert "accepted" in ran.ok() and "the device is busy" in ran.err, ran.err
        assert w.agent.reattested >= 3 and w.agent.received[1] == DATA
    # It is no way around the proof: the one that comes then has to hold.
    with World() as w:
        w.agent.busy, w.agent.later = 1, Evidence(OTHER_AK, w.digest, w.evidence.identity)
        ran = w.send()
        assert ran.status == 1 and "ak.named" in ran.err, ran.err
        assert not hasattr(w.agent, "received") and w.agent.reattested == 2


def a_long_upload_is_proven_over_and_over():
    large = DATA * 2500  # 20 MB: more than any window
    with World() as w:
        w.write("data.csv", large)
        w.agent.datasets = {"data.csv": large}
        w.agent.pause = 1.5
        w.send("--reattest", "1s").ok()
        assert w.agent.received[1] == large
        assert w.agent.reattested >= 2, "in the middle, and before the last word"
    with World() as w:
        w.write("data.csv", large)
        w.agent.datasets = {"data.csv": large}
        w.agent.pause = 1.5
        w.agent.later = Evidence(OTHER_AK, w.digest, w.evidence.identity)
        ran = w.send("--reattest", "1s")
        assert ran.status == 1 and "ak.named" in ran.err, ran.err
        assert w.agent.reattested == 1 and not hasattr(w.agent, "received")
        assert w.agent.pieces < 20, "it went on although the agent was another"
        assert w.send("--reattest", "1ms").status == 2


def results_are_asked_for_only_of_the_same_agent():
    with World() as w:
        w.agent.results = b"PK results"
        arguments = ["result", w("private.pem"), "-f", w("r.zip"), *w.trust()]
        w.agent.later = Evidence(OTHER_AK, w.digest, w.evidence.identity)
        ran = w.agent.run(*arguments)
        assert ran.status == 1 and "ak.named" in ran.err, ran.err
        assert w.agent.calls == [], "the call was made"
        w.agent.later = None
        w.agent.run(*arguments).ok()
        assert read(w("r.zip")) == b"PK results"


def evidence_that_was_fetched_is_judged_by_its_nonce():
    with World() as w:
        ran = w.agent.run("attestation", "get", "vtpm", "-o", w("a.bin"), *w.trust())
        lines = dict(line.split(None, 1) for line in ran.ok().splitlines())
        judge = ["attestation", "validate", w("a.bin"), "--mode", "eat", "--policy",
                 w("policy.json"), "--ak", AK.at("area"), "--manifest", w("manifest.json"),
                 "--offline", "--vtpm"]
        assert cli(*judge, lines["vtpm"]).ok().startswith("verified: ")
        assert cli(*judge, "00" * 32).status == 1
        ran = w.agent.run("attestation", "get", "vtpm", "--vtpm", "ab" * 32, "-r", *w.trust(),
                          cwd=w.path)
        assert "vtpm        " + "ab" * 32 in ran.ok()
        kept = read(w("attestation.json"))
        assert json.loads(kept)
        w.agent.run("attestation", "get", "vtpm", "-r", *w.trust(), cwd=w.path).refused(1, "'attestation.json' is there already")
        assert read(w("attestation.json")) == kept
        assert w.agent.run("attestation", "get", "vtpm", "--tee", "ab" * 32).status == 2
        assert w.agent.run("attestation", "get", "vtpm", "--vtpm", "ab" * 15).status == 2


def imas_log_has_to_come_to_the_quoted_value():
    with World() as w:
        ran = w.agent.run("ima-measurements", w("log"), *w.trust())
        assert "/usr/bin/algorithm" in ran.ok() and "1 of 1 entries" in ran.out, ran.out
        assert TPM.read("sha256", 10).hex() in ran.out, "the agent's own word is another"
        assert read(w("log")) == IMA_LOG
        # An entry of another register is in the list, and PCR10 says nothing of it.
        w.agent.ima = ima_entry(b"/usr/bin/unseen", 11)[0] + IMA_LOG
        w.agent.run("ima-measurements", w("log"), *w.trust()).refused(1, "is there already", "hint: --force replaces it")
        assert read(w("log")) == IMA_LOG
        ran = w.agent.run("ima-measurements", w("log"), "--force", *w.trust())
        lines = [line for line in ran.ok().splitlines() if "/usr/bin/" in line]
        assert [line.endswith("(not in PCR10)") for line in lines] == [True, False], ran.out
        assert "1 of 2 entries" in ran.out, ran.out
        ran = w.agent.run("ima-measurements", w("log"), "--force", "--json", *w.trust()).json()
        assert [entry["covered"] for entry in ran["entries"]] == [False, True], ran
        w.agent.ima = ima_entry(b"/usr/bin/another")[0]
        ran = w.agent.run("ima-measurements", w("log"), "--force", *w.trust())
        assert ran.status == 1 and "PCR 10" in ran.err, ran.err


if __name__ == "__main__":
    TPM = CertifiedTpm()
    with contextlib.ExitStack() as stack:
        stack.callback(TPM.remove)
        AK, OTHER_AK = Ak(TPM, "ak"), Ak(TPM, "other")
        tap.run([f for f in list(globals().values())
                 if callable(f) and getattr(f, "__module__", None) == "__main__" and
                 getattr(f, "__code__", None) and f.__code__.co_argcount == 0 and
                 f.__name__ not in ("spki_base64",)])
