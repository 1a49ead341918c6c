#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`receipt show` and `receipt verify` over receipts of forged evidence, beside a reader that was written from
docs/receipt.md: both read the same, and what is not a receipt, or not this file's, is refused."""
import hashlib
import json
import os
import re
from base64 import b64encode

import cbor2

import evidence_book
import evidence_made
import tap
from harness import ROOT, Folder, cli
from receipt_reader import OPENING, PROOF, TYPE, Receipt

CORPUS = os.path.join(ROOT, "tests", "fuzz", "corpus", "receipt")
KINDS = ("snp", "tdx", "vtpm", "snp-vtpm", "small", "kept")


def load(name):
    with open(os.path.join(CORPUS, name), "rb") as file:
        return file.read()


def shown(path, *options):
    done = cli("receipt", "show", *options, path)
    assert done.status == 0, done.err
    return done.out


def the_command_line_says_what_a_second_reader_reads():
    for name in KINDS:
        receipt = Receipt(load(name)).check()
        said = json.loads(shown(os.path.join(CORPUS, name), "--json"))
        assert said["computation"] == receipt.computation and said["manifest"] == receipt.manifest.hex()
        assert said["results"].pop("commitment") == receipt.results.hex()
        assert bool(said["results"]) == (receipt.opening is not None) == (name != "small")
        if receipt.opening:
            _, size, sha256, sha3_256 = receipt.opening
            assert said["results"] == {"size": size, "sha256": sha256.hex(), "sha3_256": sha3_256.hex()}
        digest, kind, owner = receipt.algorithm
        assert said["algorithm"] == {"sha3_256": digest.hex(), "type": kind, "owner": owner.hex()}
        assert said["wheels"] == [{"name": one, "sha256": two.hex()} for one, two in receipt.wheels]
        assert said["datasets"] == [
            {"name": one, "sha3_256": two.hex(), "owner": three.hex(),
             **{"kept": {"consent": leave, "manifest": manifest.hex()} for leave, manifest in kept}}
            for one, two, three, *kept in receipt.datasets]
        assert said["receipt"] == receipt.version == (2 if name == "kept" else 1)
        assert said["arguments"] == receipt.arguments and list(said["limits"].values()) == receipt.limits
        assert said["image"] == {"kind": receipt.image[0], "measurement": receipt.image[1].hex()}
        assert ("requirements" in said) == (receipt.requirements is not None)
        assert ("journal" in said) == (receipt.journal is not None)
        assert said["exit_status"] == receipt.exit
        assert said["statement_bytes"] == len(receipt.statement)


def provenance_has_the_members_that_other_tools_read():
    """in-toto Statement v1 (_type, subject, predicateType, predicate) and SLSA Provenance v1."""
    receipt = Receipt(load("snp"))
    said = json.loads(shown(os.path.join(CORPUS, "snp"), "--slsa"))
    assert list(said) == ["_type", "subject", "predicateType", "predicate"]
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["predicateType"] == "https://slsa.dev/provenance/v1"
    assert said["subject"] == [{"name": "results.zip", "digest": {"sha256": receipt.opening[2].hex(),
                                                                   "sha3_256": receipt.opening[3].hex()}}]
    build, run = said["predicate"]["buildDefinition"], said["predicate"]["runDetails"]
    assert list(build) == ["buildType", "externalParameters", "internalParameters", "resolvedDependencies"]
    assert [one["annotations"]["role"] for one in build["resolvedDependencies"]] == [
        "algorithm", "requirements", "wheel", "dataset", "dataset"]
    for one in build["resolvedDependencies"]:
        assert list(one) == ["name", "digest", "annotations"] and len(one["digest"]) == 1
    assert run["builder"]["id"] == "urn:cocos:image:snp:" + receipt.image[1].hex()
    assert run["metadata"] == {"invocationId": "7a", "startedOn": "2026-03-01T11:58:20Z",
                               "finishedOn": "2026-03-01T11:59:50Z"}
    assert run["byproducts"][0]["digest"] == {"sha256": receipt.journal[1].hex()}


def verify(folder, name, *options, results=b"results"):
    with open(folder("results.zip"), "wb") as file:
        file.write(results)
    with open(folder("results.receipt.cbor"), "wb") as file:
        file.write(name if isinstance(name, bytes) else load(name))
    return cli("receipt", "verify", folder("results.zip"), "--offline", "--cache", folder("cache"), *options)


def without_a_policy_nobody_is_believed():
    with Folder() as folder:
        for name in KINDS:
            done = verify(folder, name)
            assert done.status in (1, 3) and done.out.startswith("refused: "), (name, done.out)
            assert "policy.given" in done.out, (name, done.out)
            wanted = "a copy that says of no results" if name == "small" else "7 bytes in place of 4711"
            assert f"and: receipt.results: found {wanted}" in done.out, done.out
            # Everything else about the receipt itself holds: only its file and its signer are not known.
            assert "receipt.signature" not in done.out and "receipt.proof" not in done.out


def a_forged_chain_is_not_genuine():
    with Folder() as folder:
        done = verify(folder, "tdx", "--genuine-only", "--at", "2026-03-01T12:00:00Z")
        assert done.status == 3 and done.out.startswith("refused: "), done.out


def what_is_no_receipt_is_malformed():
    good = load("snp")
    message = cbor2.loads(good)
    opening = message.value[1][OPENING]
    salt = opening[:5] + bytes([opening[5] ^ 1]) + opening[6:]
    wrong = cbor2.dumps(cbor2.CBORTag(18, [message.value[0], {PROOF: message.value[1][PROOF], OPENING: salt},
                                           *message.value[2:]]))
    beside = cbor2.dumps(cbor2.CBORTag(18, [message.value[0], {PROOF: message.value[1][PROOF], 4: b"key"},
                                            *message.value[2:]]))
    headers = [cbor2.dumps(cbor2.CBORTag(18, [cbor2.dumps(protected), *message.value[1:]])) for protected in (
        {1: -7, 3: TYPE, 4: b"key"}, {1: -35, 3: TYPE}, {1: -7, 3: "application/cocos-journal-head+cbor"}, {3: TYPE},
        {1: -7})]
    assert cbor2.dumps(cbor2.CBORTag(18, [cbor2.dumps({1: -7, 3: TYPE}), *message.value[1:]])) == good
    with Folder() as folder:
        for bad in (*headers, b"", b"results", good[:-1], good + b"\0", beside, wrong, good[:9] + b"\x01" + good[10:], bytes(3 << 20)):
            done = verify(folder, bad)
            assert done.status == 4 and done.out.startswith("refused: receipt.form: "), done
            assert cli("receipt", "show", folder("results.receipt.cbor")).status == 4
        said = json.loads(verify(folder, b"results", "--json").out)
        assert said["receipt"] == {} and said["fault"] == "malformed", said


def the_pages_vector_is_the_corpus():
    """docs/receipt.md gives an opening and its commitment; the first byte string of 'snp' is the same."""
    with open(os.path.join(ROOT, "docs", "receipt.md"), encoding="utf-8") as file:
        page = re.sub(r"\s+", "", file.read())
    receipt = Receipt(load("snp"))
    assert cbor2.dumps(receipt.opening).hex() in page and receipt.results.hex() in page


def bound_otherwise():
    """Name → a receipt in which all is genuine and signed, and the evidence is over something else; its check."""
    bound = {"snp": "policy.report_data", "vtpm": "quote.nonce", "snp-vtpm": "policy.report_data"}
    for kind, check in bound.items():
        run, other = evidence_made.Run(kind), evidence_made.Run(kind)
        yield kind, run.receipt(), kind, None
        yield f"{kind}: another statement's", run.receipt(evidence_too=other.evidence()), kind, check
        yield f"{kind}: another label", run.receipt(evidence_too=run.evidence(b"cocos-run-v2\0")), kind, check
        yield f"{kind}: no zero behind it", run.receipt(evidence_too=run.evidence(b"cocos-run-v1")), kind, check
        yield f"{kind}: a nonce's", run.receipt(evidence_too=evidence_made.evidence(kind, run.form())), kind, check
        changed = run.statement[:-1] + b"\x81\x61w"  # a weakening word
        yield f"{kind}: less than all of it", run.receipt(run=changed), kind, check
        yield f"{kind}: a word", evidence_made.Run(kind, weak=["w"]).receipt(), kind, "run.weak_words"
    guest = evidence_made.hardware()[0]
    yield "a statement of another version", evidence_made.Run("snp", version=2).receipt(), "snp", "run.form"
    guest.host_data = b"\1" * 32
    try:
        yield "fixed", evidence_made.Run("snp", boot=b"\1" * 32, fixed=True).receipt(), "snp", None
        yield "another boot", evidence_made.Run("snp", boot=b"\2" * 32, fixed=True).receipt(), "snp", "run.host_data"
        yield "not fixed", evidence_made.Run("snp", boot=b"\1" * 32).receipt(), "snp", "run.fixed_boot"
    finally:
        guest.host_data = bytes(32)
    for name, changes, check in (("a key of the host's", {"entries": {"AGENT_RUN_TIME": "2h"}}, "run.boot_keys"),
                                 ("from outside", {"external": True}, "run.identity_made_inside")):
        yield name, evidence_made.Run("snp", **changes).receipt(), "snp", check
    entries = {"AGENT_CVM_ID": "7", "AGENT_LOG_LEVEL": "info", "AGENT_CERTS_TOKEN": [bytes(16), bytes(32)]}
    yield "what hosts may", evidence_made.Run("snp", entries=entries).receipt(), "snp", None


def both_know_what_evidence_has_to_be_over():
    with Folder() as folder:
        for name, receipt, kind, check in bound_otherwise():
            try:
                Receipt(receipt).check(words=())
                theirs = True
            except evidence_book.Wrong:
                theirs = False
            done = cli("receipt", "verify", "--receipt", folder.write("r", receipt), *evidence_made.trust(folder, kind))
            assert (done.status == 0, theirs) == (not check, not check), (name, theirs, done.status, done.out, done.err)
            assert not check or f"{check}: " in done.out, (name, done.out)


def the_statement_of_the_page_is_the_readers():
    with open(os.path.join(ROOT, "docs", "evidence.md"), encoding="utf-8") as file:
        page = re.sub(r"\s+", "", file.read())
    for number in evidence_made.example():
        assert number.hex() in page, number.hex()


def manifests_have_one_canonical_form():
    """Of which key 4 of a statement is the digest, whatever is written how; agent_config has a digest of its own."""
    key, other = (b64encode(evidence_made.Identity().spki).decode() for _ in range(2))
    pem = f"-----BEGIN PUBLIC KEY-----\n{key[:64]}\n{key[64:]}\n-----END PUBLIC KEY-----\n"
    digest, odd = "a9" * 32, "\"\\/<>&\b\f\n\r\t\x01\x1f\x7fé\u2028\u2029𝄞"
    small = {"id": "c-1", "algorithm": {"hash": digest, "user_key": key}}
    full = {"name": odd, "id": "c-1", "cocos": {"replace": False, "requirements_hash": "0f" * 32, "logs": "all",
                                                "layout": "folders"},
            "result_consumers": [{"user_key": key}, {"user_key": other}], "description": odd,
            "agent_config": {"port": "7002"},
            "datasets": [{"filename": "iris.csv", "user_key": pem, "hash": list(range(32)), "decompress": False},
                         {"cache": True, "kbs": {"enabled": False, "url": ""}, "hash": digest, "user_key": other,
                          "filename": "é.zip", "decompress": True, "source": {}}],
            "algorithm": {"kbs": {}, "algo_args": ["--n", "", odd], "algo_type": "python", "source": {}, "hash": digest,
                          "user_key": pem}}
    with Folder() as folder:
        for manifest in (small, full, {**small, "cocos": {}}, {**small, "cocos": {"layout": ""}, "datasets": [], "name": ""},
                         {**small, "cocos": {"layout": "stock"}}):
            said = cli("checksum", "--manifest", "--json", folder.write("m", json.dumps(manifest))).json()
            theirs = evidence_book.canonical(manifest)
            assert said["canonical"] == theirs, (said["canonical"], theirs)
            assert said["sha3_256"] == hashlib.sha3_256(theirs.encode()).hexdigest()


def a_providers_copy_is_shown_without_results():
    small = os.path.join(CORPUS, "small")
    with Folder() as folder:
        done = cli("receipt", "verify", "--receipt", small, "--offline", "--cache", folder("cache"))
        # No more is wrong with it than with any other that comes without a policy.
        assert done.out.startswith("refused: ") and "policy.given" in done.out, done.out
        assert "receipt." not in done.out, done.out
    done = cli("receipt", "show", small, "--slsa")
    assert done.status == 2 and done.out == "" and "take a consumer's" in done.err, done


def a_call_that_makes_no_sense_is_told():
    with Folder() as folder:
        done = cli("receipt", "verify", folder("nothing.zip"))
        assert done.status == 2 and "nothing.receipt.cbor" in done.err, done
        done = cli("receipt", "verify")
        assert done.status == 2 and "--receipt FILE" in done.err, done
        done = cli("receipt", "show", os.path.join(CORPUS, "snp"), "--json", "--slsa")
        assert done.status == 2 and "one of them" in done.err, done
        for other in ("--policy", "--manifest"):
            done = verify(folder, "snp", "--genuine-only", other, folder("none.json"))
            assert done.status == 2 and f"--genuine-only and {other}: one of them" in done.err, done
        done = verify(folder, "snp", "--receipt", folder("other.cbor"))
        assert done.status == 2 and "other.cbor" in done.err, done


if __name__ == "__main__":
    tap.run([
        the_command_line_says_what_a_second_reader_reads,
        provenance_has_the_members_that_other_tools_read,
        without_a_policy_nobody_is_believed,
        a_forged_chain_is_not_genuine,
        what_is_no_receipt_is_malformed,
        the_pages_vector_is_the_corpus,
        both_know_what_evidence_has_to_be_over,
        the_statement_of_the_page_is_the_readers,
        manifests_have_one_canonical_form,
        a_providers_copy_is_shown_without_results,
        a_call_that_makes_no_sense_is_told,
    ])
