#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Receipts of whole jobs over simulated SEV-SNP and TDX: fetched with the results and verified before, verified again
without the agent, read a second time by receipt_reader.py, and refused for anything else than what they are of."""
import base64
import datetime
import hashlib
import json
import os
import shutil
import signal
import time
from unittest import mock

import agent_evidence
import grpc
import tap
from agent_evidence import machine
from agent_job import ALGO_KEY, IRIS, OTHER_KEY, SUM, computing, manifest
from agent_job import DATA_KEY as JOB_DATA_KEY, USER_KEY as JOB_USER_KEY
from agent_journal import Keeper, entries_of
from agent_keep import MOODY, failed, of_two
from agent_peer import Key, agent_pb2, cvms_pb2, dataset, refused, sha3
from agent_tpm import canonical
from attested_job import DATA_KEY, USER_KEY, key_file, room
from harness import Folder, cli, program
from python_wheels import GOOD, REQUIREMENTS, TRAIN, bundle_digest
from receipt_reader import Receipt
from teesim import MEASUREMENT, Teesim

NOT_OWNED = Key()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def finished(r):
    """The job up to its results; what `result` said."""
    r("algo").ok()
    r("data").ok()
    r.service.wait_event("ConsumingResults/Ready")
    said = r("result").ok()
    r.service.wait_event("Complete/Completed")
    return said


def verify(r, *options, results="results.zip", trust=None):
    return cli("receipt", "verify", r.folder(results), "--policy", r.folder("policy.json"),
               *(r.trust if trust is None else trust), *options)


def a_receipt_comes_with_the_results_and_holds_without_the_agent():
    for kind in ("snp", "tdx"):
        with room(kind) as r:
            before = int(time.time())
            said = finished(r)
            assert "results saved as results.zip\nreceipt saved as results.receipt.cbor\n" in said, said
            r.machine.agent.stop()
            receipt = Receipt(read(r.folder("results.receipt.cbor"))).check().is_of(r.folder("results.zip"))
            assert receipt.computation == r.machine.manifest.id
            assert receipt.manifest == sha3(canonical(r.machine.manifest))
            assert receipt.algorithm == [sha3(SUM), "bin", sha3(ALGO_KEY.spki)]
            assert receipt.datasets == [["d.bin", sha3(r.data), sha3(DATA_KEY.spki)]]
            assert receipt.arguments == [] and receipt.requirements is None and receipt.wheels == []
            assert receipt.exit == 0 and receipt.image[0] == kind and receipt.image[1].hex() == "a5" * 48
            assert receipt.journal[0] > 5 and len(receipt.journal[1]) == 32, receipt.journal
            assert all(limit > 0 for limit in receipt.limits[:4]), receipt.limits
            assert before <= receipt.started <= receipt.ended <= time.time()
            for _ in range(2):  # as often as anybody likes
                done = verify(r)
                assert done.status == 0, done.out + done.err
                assert done.out.startswith("SIMULATED verified: the results of computation "), done.out
            said = verify(r, "--json").json()
            assert said["verdict"] == "SIMULATED verified"
            assert said["receipt"]["results"]["sha256"] == hashlib.sha256(read(r.folder("results.zip"))).hexdigest()
            assert os.stat(r.folder("results.receipt.cbor")).st_mode & 0o777 == 0o600


def results_of_a_size_that_status_does_not_tell_have_theirs():
    with room("snp", cocos=cvms_pb2.Extension(logs="consumers")) as r:
        said = finished(r)
        assert "results saved as results.zip\nreceipt saved as results.receipt.cbor\n" in said, said
        Receipt(read(r.folder("results.receipt.cbor"))).check().is_of(r.folder("results.zip"))
        assert verify(r).status == 0


def no(done, status, check):
    assert done.status == status and f"refused: {check}: " in done.out, (done.status, done.out, done.err)


def it_is_of_one_file_one_manifest_and_one_root():
    with room("snp") as r:
        finished(r)
        good = read(r.folder("results.zip"))
        shutil.copy(r.folder("results.receipt.cbor"), r.folder("other.receipt.cbor"))
        for other in (good + b"\0", good[:-1], bytes([good[0] ^ 1]) + good[1:]):
            with open(r.folder("other.zip"), "wb") as file:
                file.write(other)
            no(verify(r, results="other.zip"), 1, "receipt.results")
        changed = json.loads(canonical(r.machine.manifest))
        changed["name"] += "x"
        at = r.trust.index("--manifest")
        other = [*r.trust[:at], "--manifest", r.folder.write("changed.json", json.dumps(changed))]
        no(verify(r, trust=other), 1, "run.manifest")
        # A simulator is believed only under a root that somebody names.
        at = r.trust.index("--trusted_root")
        done = verify(r, trust=[*r.trust[:at], *r.trust[at + 2:]])
        assert done.status == 3 and "refused: " in done.out, done.out
        # Without a policy nobody is believed, whatever its root.
        done = cli("receipt", "verify", r.folder("results.zip"), *r.trust)
        assert done.status in (1, 3) and "policy.given" in done.out, done.out
        done = cli("receipt", "verify", r.folder("results.zip"), "--genuine-only", *r.trust[:at + 2])
        assert done.status == 0 and done.out.startswith("SIMULATED genuine: "), done.out
        assert "nothing is said about what ran" in done.out


def the_callers_moment_decides_and_the_receipts_is_told():
    with room("snp") as r:
        finished(r)
        ended = Receipt(read(r.folder("results.receipt.cbor"))).ended

        def at(seconds):
            moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            return moment, verify(r, "--at", moment)
        moment, done = at(ended)
        assert done.status == 0 and f"made at {moment}, by a clock that the machine's host sets" in done.err, done.err
        no(at(ended - 1)[1], 1, "receipt.time")
        done = at(ended + 60 * 365 * 86400)[1]
        assert done.status != 0, "its certificates have ended by then"


def nothing_that_is_there_is_replaced():
    with room("snp") as r:
        r("algo").ok()
        r("data").ok()
        r.service.wait_event("ConsumingResults/Ready")
        r.folder.write("results.receipt.cbor", "mine")
        r.folder.write("named.receipt.cbor", "mine")
        r("result", "-f", "named.zip").refused(1, "or its receipt")
        said = r("result").ok()
        assert "receipt saved as results_1.receipt.cbor" in said, said
        assert read(r.folder("results.receipt.cbor")) == b"mine"
        Receipt(read(r.folder("results_1.receipt.cbor"))).check().is_of(r.folder("results_1.zip"))


def killed_between_two_names_results_have_their_receipt():
    """The receipt gets its name first: whatever is called results has it, and what is not lies beside, all of it."""
    library = program(os.path.join("tests", "integration", "libkilled_at_link.so"))
    assert os.path.exists(library), library
    for names, called in ((1, False), (2, True)):
        with room("snp") as r:
            r("algo").ok()
            r("data").ok()
            r.service.wait_event("ConsumingResults/Ready")
            done = r("result", LD_PRELOAD=library, COCOS_KILLED_AT_LINK=str(names))
            assert done.status == -signal.SIGKILL, (names, done.status, done.err)
            there = os.listdir(r.folder.path)
            assert ("results.zip" in there) == called, (names, there)
            [part] = [name for name in there if name.startswith("results.zip.part-")]
            receipt = Receipt(read(r.folder("results.receipt.cbor"))).check()
            receipt.is_of(r.folder("results.zip" if called else part))
            assert cli("receipt", "verify", r.folder(part), "--receipt", r.folder("results.receipt.cbor"), "--policy",
                       r.folder("policy.json"), *r.trust).status == 0


def named(key):
    return [("proof-key", base64.b64encode(key.spki).decode())]


def a_policy_for_stock_agents_judges_the_form_alone():
    with room("snp") as r:
        r("algo").ok()
        r("data").ok()
        r.service.wait_event("ConsumingResults/Ready")
        policy = {"cocos": 1, "snp": {"measurements": [MEASUREMENT]},
                  "run": {"agent": "stock", "weak_words": ["development"]}}
        r.folder.write("stock.json", json.dumps(policy))
        r("result", AGENT_GRPC_ATTESTATION_POLICY=r.folder("stock.json")).refused(1, "run.manifest")
        trust = r.trust
        at = trust.index("--manifest")
        r.trust = trust[:at] + trust[at + 2:]
        said = r("result", AGENT_GRPC_ATTESTATION_POLICY=r.folder("stock.json")).ok()
        r.trust = trust
        assert "receipt saved as results.receipt.cbor\nits form alone was judged, since the policy takes stock agents, " \
            "and not who signed it" in said and "under a policy that takes none" in said, said
        no(cli("receipt", "verify", r.folder("results.zip"), "--policy", r.folder("stock.json"), *r.trust), 1,
           "run.statement")
        assert verify(r).status == 0


def who_has_a_part_in_it_may_ask_and_nobody_else():
    """On an agent without devices, which has no receipt to give: who may ask is told first."""
    m = manifest(0, datasets=[dataset(IRIS, DATA_KEY, "iris.csv")], consumers=(USER_KEY,))

    def ask(client, role, key):
        metadata = client.proof_metadata(role, "Receipt", key, None, [], named(key))
        return client.stub.Receipt(agent_pb2.ReceiptRequest(), metadata=metadata, timeout=60)
    with computing(m) as (service, _, client):
        refused(grpc.StatusCode.FAILED_PRECONDITION, "there are no results", ask, client, "consumer", USER_KEY)
        client.algo(SUM, ALGO_KEY)
        client.data(IRIS, DATA_KEY, "iris.csv")
        service.wait_event("ConsumingResults/Ready")
        for role, key in (("consumer", USER_KEY), ("algorithm-provider", ALGO_KEY), ("data-provider", DATA_KEY)):
            refused(grpc.StatusCode.NOT_FOUND, "neither TEE nor TPM", ask, client, role, key)
            refused(grpc.StatusCode.PERMISSION_DENIED, "not signed", ask, client, role, NOT_OWNED)
        refused(grpc.StatusCode.PERMISSION_DENIED, "not signed", ask, client, "consumer", DATA_KEY)
        refused(grpc.StatusCode.PERMISSION_DENIED, "", ask, client, "somebody", USER_KEY)

        def told(metadata):
            client.stub.Receipt(agent_pb2.ReceiptRequest(), metadata=metadata, timeout=60)
        # No key is tried that the proof does not name, and a name is no proof.
        nameless = client.proof_metadata("consumer", "Receipt", USER_KEY, None, [])
        refused(grpc.StatusCode.UNAUTHENTICATED, "proof-key is missing", told, nameless)
        others = client.proof_metadata("consumer", "Receipt", NOT_OWNED, None, [], named(USER_KEY))
        refused(grpc.StatusCode.PERMISSION_DENIED, "not signed", told, others)
        # The older signature could be replayed, and serves no receipt.
        alone = client.role_metadata("consumer", USER_KEY, named(USER_KEY))
        refused(grpc.StatusCode.PERMISSION_DENIED, "could be replayed", told, alone)
        client.result(USER_KEY)
        service.wait_event("Complete/Completed")
        refused(grpc.StatusCode.NOT_FOUND, "neither TEE nor TPM", ask, client, "consumer", USER_KEY)


def of_which_results_it_is_consumers_are_told_alone():
    with Folder() as folder, Teesim(folder, "snp") as tee, machine("--tsm", tee.mount) as m:
        m.compute(datasets=[dataset(IRIS, DATA_KEY, "iris.csv")], consumers=(USER_KEY,))
        m.client.algo(SUM, ALGO_KEY)
        m.client.data(IRIS, DATA_KEY, "iris.csv")
        m.service.wait_event("ConsumingResults/Ready")

        def ask(role, key):
            metadata = m.client.proof_metadata(role, "Receipt", key, None, [], named(key))
            return m.client.stub.Receipt(agent_pb2.ReceiptRequest(), metadata=metadata, timeout=60).receipt
        copies = {role: ask(role, key) for role, key in (
            ("consumer", USER_KEY), ("algorithm-provider", ALGO_KEY), ("data-provider", DATA_KEY))}
        results = m.client.result(USER_KEY)
        path = folder.write("results.zip", results)
        mine = Receipt(copies.pop("consumer")).check().is_of(path)
        for role, copy in copies.items():
            theirs = Receipt(copy).check()
            assert theirs.opening is None and theirs.payload == mine.payload, role
            for secret in (mine.opening[0], hashlib.sha256(results).digest(), sha3(results)):
                assert secret not in copy, role
            shown = cli("receipt", "show", "--json", folder.write("copy.cbor", copy)).json()
            assert shown["results"] == {"commitment": mine.results.hex()}, shown
        trust = ["--offline", "--trusted_root", tee.root, *tee.endorsement_options, "--manifest",
                 folder.write("manifest.json", canonical(m.manifest)), "--policy", folder.write("policy.json", json.dumps(
                     {"cocos": 1, "snp": {"measurements": [MEASUREMENT]}, "run": {"weak_words": ["development"]}}))]
        done = cli("receipt", "verify", "--receipt", folder("copy.cbor"), *trust)
        assert done.status == 0 and done.out.startswith("SIMULATED verified: the receipt of computation "), done
        assert "note: no results were shown: of which it is, nobody has judged" in done.err, done.err
        told = cli("receipt", "verify", "--receipt", folder("copy.cbor"), "--json", *trust).json()
        assert told["verdict"] == "SIMULATED verified", told
        assert [c["outcome"] for c in told["checks"] if c["name"] == "receipt.results"] == ["not asked"], told
        assert any("no results were shown" in note for note in told["notes"]), told
        no(cli("receipt", "verify", path, "--receipt", folder("copy.cbor"), *trust), 1, "receipt.results")
        done = cli("receipt", "verify", path, "--receipt", folder.write("mine.cbor", ask("consumer", USER_KEY)), *trust)
        assert done.status == 0 and "nobody has judged" not in done.out + done.err, done


def it_stands_in_the_journal_of_its_run():
    """The head that it names is one that the journal had, behind the packing of the results and before any delivery."""
    with mock.patch.object(agent_evidence, "Service", Keeper), room("snp") as r:
        finished(r)
        r.service.wait(lambda s: s.is_closed())
        entries = entries_of(r.service)
        count, digest = Receipt(read(r.folder("results.receipt.cbor"))).check().journal
        assert entries[count][1] == digest, "the head of another journal"
        assert [e[3] for e in entries[:count]].count("exit") == 1 and "delivery" not in [e[3] for e in entries[:count]]
        path = r.folder.write("journal", r.service.file())
        said = cli("journal", "verify", path, "--quiet", "--receipt", r.folder("results.receipt.cbor"),
                   "--policy", r.folder("policy.json"), *r.trust).ok()
        assert f"receipt: of this run, behind {count} entries\n" in said and "SIMULATED verified: " in said, said


def wheels_stand_in_it_one_by_one():
    with room("snp", algo=TRAIN, algo_type="python") as r:
        os.mkdir(r.folder("wheels"))
        for name, content in GOOD:
            with open(r.folder("wheels", name), "wb") as file:
                file.write(content)
        requirements = r.folder.write("requirements.txt", REQUIREMENTS)
        r("algo", "-r", requirements, "--wheels", r.folder("wheels")).ok()
        r("data").ok()
        r.service.wait_event("ConsumingResults/Ready")
        r("result").ok()
        receipt = Receipt(read(r.folder("results.receipt.cbor"))).check().is_of(r.folder("results.zip"))
        assert receipt.requirements.hex() == bundle_digest(GOOD), receipt.requirements.hex()
        assert receipt.wheels == sorted([name, hashlib.sha256(content).digest()] for name, content in GOOD)
        said = verify(r, "--json").json()
        wanted = [{"name": name, "sha256": sha256.hex()} for name, sha256 in receipt.wheels]
        assert said["verdict"] == "SIMULATED verified" and said["receipt"]["wheels"] == wanted, said
        statement = cli("receipt", "show", "--slsa", r.folder("results.receipt.cbor")).json()
        depends = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
        assert [{"name": d["name"], **d["digest"]} for d in depends if d["annotations"]["role"] == "wheel"] == wanted
        # Another wheel's digest is another receipt.
        text = read(r.folder("results.receipt.cbor"))
        changed = text.replace(receipt.wheels[0][1], receipt.wheels[1][1], 1)
        assert changed != text
        with open(r.folder("results.receipt.cbor"), "wb") as file:
            file.write(changed)
        no(verify(r), 3, "receipt.signature")


def each_participant_fetches_a_copy_and_nobody_else():
    with room("snp") as r:
        stranger = key_file(r.folder, "stranger.pem", NOT_OWNED)

        def get(key, path, *options, **environment):
            return cli("receipt", "get", key, "-f", r.folder(path), *r.trust, *options, cwd=r.folder.path,
                       **{**r.where, **environment})
        get(r.keys["algo"], "early.cbor").refused(1, "there are no results", "hint: the algorithm has not come\n")
        r("algo").ok()
        r("data").ok()
        r.service.wait_event("ConsumingResults/Ready")
        for role in ("algo", "data"):
            said = get(r.keys[role], role + ".cbor").ok()
            assert "a provider's copy, which says of no results" in said, said
            assert "its form alone" not in said, said
        get(stranger, "stranger.cbor").refused(1, "not signed", "hint: give the private key")
        said = get(r.keys["result"], "mine.cbor").ok()
        assert "provider's" not in said, said
        get(r.keys["result"], "mine.cbor").refused(1, "mine.cbor", "hint: --force replaces it")
        strict = r.folder.write("other.json", json.dumps({"cocos": 1, "snp": {"measurements": ["00" * 48]}}))
        get(r.keys["algo"], "other.cbor", AGENT_GRPC_ATTESTATION_POLICY=strict).refused(1, "measurement")
        for name in ("early", "stranger", "other"):
            assert not os.path.exists(r.folder(name + ".cbor")), name
        r("result").ok()
        mine = Receipt(read(r.folder("mine.cbor"))).check().is_of(r.folder("results.zip"))
        for role in ("algo", "data"):
            theirs = Receipt(read(r.folder(role + ".cbor"))).check()
            assert theirs.opening is None and theirs.payload == mine.payload, role
        # Behind the last result it is there still.
        assert get(r.keys["data"], "late.cbor").ok() and read(r.folder("late.cbor")) == read(r.folder("data.cbor"))


def a_dataset_that_was_kept_is_named_with_its_leave():
    with Folder() as folder, Teesim(folder, "snp") as tee, \
            failed(of_two(), ({"keep": "retry"}, {"content": b"b\n", "key": OTHER_KEY, "name": "b.csv"}),
                   ("--tsm", tee.mount)) as t:
        first = t.client.status().manifest_digest
        assert t.again(of_two()) == {"iris.csv"}
        t.client.algo(MOODY, ALGO_KEY)
        t.send(content=b"b\n", key=OTHER_KEY, name="b.csv")
        t.service.wait_event("ConsumingResults/Ready")
        metadata = t.client.proof_metadata("consumer", "Receipt", JOB_USER_KEY, None, [], named(JOB_USER_KEY))
        copy = t.client.stub.Receipt(agent_pb2.ReceiptRequest(), metadata=metadata, timeout=60).receipt
        receipt = Receipt(copy).check()
        assert receipt.version == 2 and receipt.datasets == [
            ["iris.csv", sha3(IRIS), sha3(JOB_DATA_KEY.spki), ["retry", first]],
            ["b.csv", sha3(b"b\n"), sha3(OTHER_KEY.spki)]], receipt.datasets
        path = folder.write("copy.cbor", copy)
        shown = cli("receipt", "show", "--json", path).json()
        assert shown["receipt"] == 2
        assert [d.get("kept") for d in shown["datasets"]] == [{"consent": "retry", "manifest": first.hex()}, None]
        done = cli("receipt", "verify", "--receipt", path, "--offline", "--trusted_root", tee.root,
                   *tee.endorsement_options, "--policy", folder.write("policy.json", json.dumps(
                       {"cocos": 1, "snp": {"measurements": [MEASUREMENT]},
                        "run": {"weak_words": ["development"], "manifests": [receipt.manifest.hex()]}})))
        assert done.status == 0 and "verified: the receipt of computation" in done.out, done


if __name__ == "__main__":
    tap.run([
        it_stands_in_the_journal_of_its_run,
        wheels_stand_in_it_one_by_one,
        each_participant_fetches_a_copy_and_nobody_else,
        a_dataset_that_was_kept_is_named_with_its_leave,
        a_receipt_comes_with_the_results_and_holds_without_the_agent,
        results_of_a_size_that_status_does_not_tell_have_theirs,
        it_is_of_one_file_one_manifest_and_one_root,
        the_callers_moment_decides_and_the_receipts_is_told,
        nothing_that_is_there_is_replaced,
        killed_between_two_names_results_have_their_receipt,
        a_policy_for_stock_agents_judges_the_form_alone,
        who_has_a_part_in_it_may_ask_and_nobody_else,
        of_which_results_it_is_consumers_are_told_alone,
    ])
