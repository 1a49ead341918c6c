# SPDX-License-Identifier: Apache-2.0
"""cocos-computations with a policy: what it asks of agents, what it makes of their answers, and which
CVMs a computation may go to. The evidence is a real TPM's, put together by another hand."""
import base64
import contextlib
import hashlib
import json
import sqlite3

import grpc

import cli_attested
import tap
from attested_peer import Identity
from cli_attested import Ak, CertifiedTpm, Evidence
from computations_service import agent_of, connected, create, manifest, refused
from harness import PATIENCE, Computations, Folder, cli, computations, cvms, until

VTPM = 1


@contextlib.contextmanager
def service(**settings):
    with Folder() as folder:
        folder.write("policy.json", json.dumps(
            {"cocos": 1, "tpm": {"pcrs": {"sha256": {"4": [TPM.read("sha256", 4).hex()]}}}}))
        settings.setdefault("ATTESTATION_POLICY", folder("policy.json"))
        settings.setdefault("ATTESTATION_AK", AK.at("area"))
        with Computations(folder, ATTESTATION_OFFLINE="true", **settings) as s:
            yield s


def shown(s, cvm="cvm-1"):
    return s.admin.ShowCvm(computations.CvmRequest(id=cvm), timeout=PATIENCE)


def judged(s, cvm="cvm-1"):
    """Once there is a verdict on the session."""
    return until(lambda: shown(s, cvm) if shown(s, cvm).HasField("judged") else None, "a verdict")


def answer(agent, evidence, run=False):
    """What the agent was asked, answered with that evidence."""
    asked = agent.next("attestationReq")
    assert len(asked.nonce) == 32 and asked.type == VTPM, asked
    evidence.change["stripped"] = not run
    agent.say(vTPMattestationReport=cvms.AttestationResponse(
        file=evidence.nonce(VTPM, asked.nonce, b"")))
    return asked.nonce


def run(s, computation, **more):
    return s.admin.Run(computations.RunRequest(id=computation, **more), timeout=PATIENCE)


def is_of(got, computation):
    """Whether that manifest is what create() made of nothing else."""
    return got == manifest(id=computation, name=got.name)


def canonical_digest(m):
    """Of the small manifests of these tests."""
    def hash_of(h):
        return "[" + ",".join(str(b) for b in h) + "]"

    def key_of(k):
        return base64.b64encode(k).decode()
    text = (f'{{"id":"{m.id}","name":"{m.name}","algorithm":{{"hash":{hash_of(m.algorithm.hash)},'
            f'"user_key":"{key_of(m.algorithm.userKey)}"}},"result_consumers":[' +
            ",".join(f'{{"user_key":"{key_of(c.userKey)}"}}' for c in m.result_consumers) + "]}")
    return hashlib.sha3_256(text.encode()).digest()


def an_agent_that_proves_itself_is_shown_as_verified_and_run_on():
    with service() as s, agent_of(s) as agent:
        first = answer(agent, Evidence(AK, bytes(32), Identity()))
        cvm = judged(s)
        assert cvm.verified and cvm.verdict.startswith("verified: vtpm evidence"), cvm.verdict
        assert "no manifest yet" in cvm.verdict and "operator trusted" in cvm.verdict
        computation = create(s)
        run(s, computation)
        got = agent.manifest()
        identity = Identity()
        agent.say(run_res=cvms.RunResponse(computation_id=computation))
        second = answer(agent, Evidence(AK, canonical_digest(got), identity), run=True)
        assert first != second
        until(lambda: "of its run is awaited" not in shown(s).verdict and
              "no manifest yet" not in shown(s).verdict, "the second verdict")
        assert shown(s).verified, shown(s).verdict
        assert s.show(computation).cvm_verdict == shown(s).verdict
        text = cli("cvm", "show", "cvm-1", COMPUTATIONS_GRPC_URL="unix:" + s.socket).ok()
        assert "evidence     verified: vtpm" in text, text


def a_run_of_another_manifest_is_no_longer_verified():
    with service() as s, agent_of(s) as agent:
        answer(agent, Evidence(AK, bytes(32), Identity()))
        judged(s)
        computation = create(s)
        run(s, computation)
        agent.manifest()
        agent.say(run_res=cvms.RunResponse(computation_id=computation))
        answer(agent, Evidence(AK, b"m" * 32, Identity()), run=True)
        until(lambda: not shown(s).verified and "run.manifest" in shown(s).verdict, "the refusal")


def an_agent_that_keeps_silent_about_its_run_is_no_longer_verified():
    with service() as s, agent_of(s) as agent:
        answer(agent, Evidence(AK, bytes(32), Identity()))
        assert judged(s).verified
        computation = create(s)
        run(s, computation)
        agent.manifest()
        agent.say(run_res=cvms.RunResponse(computation_id=computation))
        agent.next("attestationReq")
        until(lambda: not shown(s).verified, "the end of the first verdict")
        cvm = shown(s)
        assert "of its run is awaited" in cvm.verdict and not cvm.HasField("judged"), cvm


def an_answer_to_an_earlier_question_counts_for_nothing():
    with service() as s, agent_of(s) as agent:
        first = agent.next("attestationReq")
        computation = create(s)
        run(s, computation, unverified=True, cvm_id="cvm-1")
        got, identity = agent.manifest(), Identity()
        agent.say(run_res=cvms.RunResponse(computation_id=computation))
        second = agent.next("attestationReq")
        early = Evidence(AK, bytes(32), identity, stripped=True)
        agent.say(vTPMattestationReport=cvms.AttestationResponse(
            file=early.nonce(VTPM, first.nonce, b"")))
        agent.say(agent_state_res=cvms.AgentStateRes(id="cvm-1", state="Running"))
        until(lambda: shown(s).agent_state == "Running", "what came behind it")
        cvm = shown(s)
        assert not cvm.verified and "of its run is awaited" in cvm.verdict, cvm.verdict
        agent.say(vTPMattestationReport=cvms.AttestationResponse(
            file=Evidence(AK, canonical_digest(got), identity).nonce(VTPM, second.nonce, b"")))
        assert judged(s).verified, shown(s).verdict


def who_comes_back_with_a_computation_is_judged_by_its_manifest():
    with service() as s:
        with agent_of(s) as agent:
            answer(agent, Evidence(AK, bytes(32), Identity()))
            assert judged(s).verified
            computation = create(s)
            run(s, computation)
            got, identity = agent.manifest(), Identity()
            agent.say(run_res=cvms.RunResponse(computation_id=computation))
            answer(agent, Evidence(AK, canonical_digest(got), identity), run=True)
            until(lambda: shown(s).verified and "no manifest" not in shown(s).verdict, "the second verdict")
        for digest, verified in ((b"m" * 32, False), (canonical_digest(got), True)):
            until(lambda: not connected(s, "cvm-1")(), "the end of the connection")
            with agent_of(s, answers_state="Running") as agent:
                evidence = Evidence(AK, digest, identity)
                answer(agent, evidence, run=True)
                answer(agent, evidence, run=True)
                cvm = until(lambda: shown(s) if "awaited" not in shown(s).verdict else None, "a verdict")
                assert cvm.verified == verified and ("run.manifest" in cvm.verdict) != verified, cvm


def a_key_exchange_that_is_demanded_is_looked_at():
    with Folder() as folder:
        pcr4 = {"pcrs": {"sha256": {"4": [TPM.read("sha256", 4).hex()]}}}
        folder.write("policy.json", json.dumps({"cocos": 1, "tpm": pcr4, "tls": {"groups": ["X25519MLKEM768"]}}))
        with service(ATTESTATION_POLICY=folder("policy.json")) as s, agent_of(s) as agent:
            until(connected(s, "cvm-1"), "the connection")
            answer(agent, Evidence(AK, bytes(32), Identity()))
            cvm = judged(s)
            assert not cvm.verified and "channel.group: found none that is known" in cvm.verdict, cvm.verdict


def what_proves_nothing_gets_no_computation():
    with service() as s, agent_of(s) as agent:
        until(connected(s, "cvm-1"), "the connection")
        computation = create(s)
        request = computations.RunRequest(id=computation, cvm_id="cvm-1")
        why = refused(grpc.StatusCode.FAILED_PRECONDITION, s.admin.Run, request)
        assert "awaited" in why, why
        answer(agent, Evidence(OTHER_AK, bytes(32), Identity()))
        cvm = judged(s)
        assert not cvm.verified and "ak.named" in cvm.verdict, cvm.verdict
        why = refused(grpc.StatusCode.FAILED_PRECONDITION, s.admin.Run, request)
        assert "ak.named" in why, why
        ran = cli("computation", "run", computation, COMPUTATIONS_GRPC_URL="unix:" + s.socket)
        assert ran.status == 1 and "ak.named" in ran.err, ran.err
        cli("computation", "run", computation, "--unverified",
            COMPUTATIONS_GRPC_URL="unix:" + s.socket).ok()
        assert is_of(agent.manifest(), computation)


def a_verdict_that_cant_be_kept_is_asked_for_again_when_the_agent_comes():
    with Folder() as folder, service(STATE_DIR=folder("state")) as s:
        database = sqlite3.connect(folder("state", "computations.db"), timeout=PATIENCE, isolation_level=None)
        computation = create(s)
        with agent_of(s) as agent:
            until(connected(s, "cvm-1"), "the connection")
            database.execute("ALTER TABLE evidence RENAME TO away")
            answer(agent, Evidence(AK, bytes(32), Identity()))
            assert agent.ended() == grpc.StatusCode.INTERNAL
        database.execute("ALTER TABLE away RENAME TO evidence")
        with agent_of(s) as agent:
            answer(agent, Evidence(AK, bytes(32), Identity()))
            assert judged(s).verified
            run(s, computation)
            got = agent.manifest()
            # Nor is it left unasked about its run.
            database.execute("ALTER TABLE cvms RENAME COLUMN judged TO away")
            agent.say(run_res=cvms.RunResponse(computation_id=got.id))
            assert agent.ended() == grpc.StatusCode.INTERNAL
            database.execute("ALTER TABLE cvms RENAME COLUMN away TO judged")
        database.close()


def an_agent_without_evidence_says_why():
    with service() as s, agent_of(s) as agent:
        agent.next("attestationReq")
        agent.say(vTPMattestationReport=cvms.AttestationResponse(
            error="FAILED_PRECONDITION: no TEE and no TPM"))
        cvm = judged(s)
        assert not cvm.verified and "no TEE and no TPM" in cvm.verdict, cvm.verdict


def an_answer_that_nobody_asked_for_counts_for_nothing():
    with service() as s, agent_of(s) as agent:
        evidence = Evidence(AK, bytes(32), Identity(), stripped=True)
        agent.next("attestationReq")
        agent.say(vTPMattestationReport=cvms.AttestationResponse(
            file=evidence.nonce(VTPM, bytes(32), b"")))  # of another nonce
        cvm = judged(s)
        assert not cvm.verified and cvm.verdict.startswith("refused: "), cvm.verdict
        agent.say(vTPMattestationReport=cvms.AttestationResponse(
            file=evidence.nonce(VTPM, bytes(32), b"")))
        agent.say(agent_state_res=cvms.AgentStateRes(id="cvm-1", state="Idle"))
        until(lambda: shown(s).agent_state == "Idle", "what came behind it")
        assert shown(s).judged == cvm.judged


def a_new_connection_has_to_prove_itself_anew_before_it_gets_the_manifest():
    with service() as s:
        with agent_of(s) as agent:
            answer(agent, Evidence(AK, bytes(32), Identity()))
            assert judged(s).verified
            computation = create(s)
            run(s, computation)
            agent.manifest()
        until(lambda: not connected(s, "cvm-1")(), "the end of the connection")
        with agent_of(s) as agent:
            until(connected(s, "cvm-1"), "the connection")
            assert not shown(s).verified
            asked = agent.next("attestationReq")
            agent.say(agent_state_res=cvms.AgentStateRes(id="cvm-1", state="ReceivingManifest"))
            until(lambda: shown(s).agent_state == "ReceivingManifest", "the agent's state")
            evidence = Evidence(AK, bytes(32), Identity(), stripped=True)
            agent.say(vTPMattestationReport=cvms.AttestationResponse(
                file=evidence.nonce(VTPM, asked.nonce, b"")))
            assert is_of(agent.manifest(), computation)


def without_a_policy_nothing_is_asked_and_it_is_said_so():
    with Folder() as folder, Computations(folder) as s, agent_of(s) as agent:
        until(connected(s, "cvm-1"), "the connection")
        cvm = shown(s)
        assert not cvm.verified and "no policy" in cvm.verdict, cvm.verdict
        computation = create(s)
        run(s, computation)
        assert is_of(agent.manifest(), computation)


if __name__ == "__main__":
    TPM = cli_attested.TPM = CertifiedTpm()
    with contextlib.ExitStack() as stack:
        stack.callback(TPM.remove)
        AK, OTHER_AK = Ak(TPM, "ak"), Ak(TPM, "other")
        tap.run([
            an_agent_that_proves_itself_is_shown_as_verified_and_run_on,
            a_run_of_another_manifest_is_no_longer_verified,
            an_agent_that_keeps_silent_about_its_run_is_no_longer_verified,
            an_answer_to_an_earlier_question_counts_for_nothing,
            who_comes_back_with_a_computation_is_judged_by_its_manifest,
            a_key_exchange_that_is_demanded_is_looked_at,
            what_proves_nothing_gets_no_computation,
            a_verdict_that_cant_be_kept_is_asked_for_again_when_the_agent_comes,
            an_agent_without_evidence_says_why,
            an_answer_that_nobody_asked_for_counts_for_nothing,
            a_new_connection_has_to_prove_itself_anew_before_it_gets_the_manifest,
            without_a_policy_nothing_is_asked_and_it_is_said_so,
        ])
