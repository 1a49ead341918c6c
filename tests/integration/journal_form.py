#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two implementations of docs/journal.md, ours and journal_book.py, say the same of each journal: of the saved ones in
tests/data/journal, of what is altered in them, and of such that are well signed and wrong.

    journal_form.py [--write]     --write makes the saved ones anew
"""
import concurrent.futures
import json
import os
import random
import subprocess
import sys
import tempfile
import time

import cbor2
import grpc
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

import evidence_book
import evidence_made
import journal_book
import tap
import receipt_reader
import witness_book
from harness import ROOT, Folder, cli, computations, computations_grpc, program, read
from journal_book import PROTECTED, Writer, Wrong, encoded, items, verify
from terminal import Terminal

CORPUS = os.path.join(ROOT, "tests", "fuzz", "corpus", "receipt")
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data/journal")
MANIFEST, IDENTITY = b"\4" * 32, b"identity"


def statement(journal, **changes):
    run = {0: 1, 1: "c-1", 2: bytes(32), 3: bytes(32), 4: MANIFEST, 5: {}, 6: False, 7: IDENTITY, 8: False,
           9: journal, 10: []}
    run.update({int(key[1:]): value for key, value in changes.items()})
    return encoded(run)


def everything(w):
    """One entry of each type, with and without what may be missing."""
    w.add("no-evidence", reason="a machine without TEE and TPM")
    w.add("event", type="Running", status="InProgress")
    w.add("event", type="Failed", status="Failed", details='{"error":"…"}')
    w.add("log", text="two\nlines", level="INFO")
    w.add("output", text="an algorithm's \x1b[31mline", stream=1)
    w.add("algorithm", key=b"\2" * 32, size=1, digest=b"\3" * 32)
    w.add("algorithm", key=b"\2" * 32, size=1 << 40, digest=b"\3" * 32, requirements=b"\5" * 32)
    w.add("dataset", key=b"\2" * 32, name="iris.csv", size=0, digest=b"\6" * 32)
    w.add("kept", key=b"\2" * 32, name="", size=1, digest=b"\6" * 32, consent="retry", manifest=MANIFEST)
    w.add("forgotten", key=b"\2" * 32, name="iris.csv", digest=b"\6" * 32)
    w.add("limits", time=0, memory=1 << 30, results=23, scratch=24, processes=255, processor=256)
    w.add("exit", ok=True, cause="")
    w.add("results", size=65536, digest=b"\7" * 32)
    w.add("delivery", key=b"\2" * 32)
    w.add("left-out", count=(1 << 64) - 1)


def saved():
    closed, still, large, short = (Writer(statement) for _ in range(4))
    everything(closed)
    closed.add("end", reason="stopped")
    everything(still)
    for n in range(300):
        large.add("log", text=f"line {n}" + "x" * (n % 50), level="INFO")
    large.add("end", reason="stopped")
    return {"closed": closed.head(True), "open": still.head(), "large": large.head(True), "short": short.head()}


def ours(data):
    """What `journal verify` says: "closed", "open", or None."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        done = subprocess.run([program("cocos-cli"), "journal", "verify", "--chain-only", "--quiet", file.name],
                              capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 4), (done.returncode, done.stderr)
    return done.stdout.split(":")[0] if done.returncode == 0 else None


def theirs(data):
    try:
        return "closed" if verify(data)[1] else "open"
    except Wrong:
        return None


def agree(data, wanted, name):
    said = ours(data), theirs(data)
    assert said == (wanted, wanted), (name, said)


def of(name):
    with open(os.path.join(DATA, f"{name}.cbor"), "rb") as file:
        return file.read()


def both_take_the_saved_journals():
    for name in ("closed", "open", "large", "short"):
        agree(of(name), "closed" if name in ("closed", "large") else "open", name)


def neither_takes_an_altered_one():
    rng = random.Random(20261121)
    data = of("closed")
    for _ in range(60):
        at, bit = rng.randrange(len(data)), 1 << rng.randrange(8)
        agree(data[:at] + bytes([data[at] ^ bit]) + data[at + 1:], None, (at, bit))
    for _ in range(15):
        agree(data[:rng.randrange(len(data))], None, "cut off")
    parts = [encoded(item) for item in items(data)]
    for _ in range(30):
        i, j = rng.sample(range(len(parts)), 2)
        swapped = list(parts)
        swapped[i], swapped[j] = parts[j], parts[i]
        agree(b"".join(swapped), None, ("swapped", i, j))
        agree(b"".join(parts[:i] + parts[i + 1:]), None, ("dropped", i))
        agree(b"".join(parts[:i] + [parts[j]] + parts[i:]), None, ("added", i, j))
    agree(data + of("open"), None, "two")


def every_bit_of_a_small_one_counts_to_both():
    """Ours is tried on each in tests/unit/attestation/journal/test_journal_check.c."""
    data = of("short")
    for bit in range(8 * len(data)):
        altered = bytearray(data)
        altered[bit // 8] ^= 1 << bit % 8
        assert theirs(bytes(altered)) is None, bit


def well_signed():
    """Name → what writes a journal that is wrong, or right, and its end."""
    yield "two starts", lambda w: w.add("start", manifest=MANIFEST, statement=w.statement, computation="c-1"), None
    yield "unknown", lambda w: w.add("rumour", text="x"), None
    yield "missing", lambda w: w.add("log", text="x"), None
    yield "more", lambda w: w.add("log", text="x", level="y", z=1), None
    yield "flag", lambda w: w.add("exit", ok=1, cause=""), None
    yield "number", lambda w: w.add("left-out", count=True), None
    yield "negative", lambda w: w.add("left-out", count=-1), None
    yield "null", lambda w: w.add("event", type="a", status="b", details=None), None
    yield "digest", lambda w: w.add("delivery", key=bytes(31)), None
    yield "text", lambda w: w.add("log", text=b"x", level="y"), None
    yield "tag", lambda w: w.add("log", text=cbor2.CBORTag(99, "x"), level="y"), None
    yield "sequence", lambda w: w.raw([3, w.previous, 1, "log", {"text": "", "level": ""}]), None
    yield "previous", lambda w: w.raw([2, bytes(32), 1, "log", {"text": "", "level": ""}]), None
    yield "time", lambda w: w.raw([2, w.previous, -1, "log", {"text": "", "level": ""}]), None
    yield "six", lambda w: w.raw([2, w.previous, 1, "log", {"text": "", "level": ""}, 0]), None
    yield "order", lambda w: w.bytes(encoded([2, w.previous, 1, "log"])[:0] + b"\x85\x02\x58\x20" + w.previous
                                     + b"\x01\x63log\xa2\x65level\x60\x64text\x60"), None
    yield "long head", lambda w: w.bytes(b"\x85\x18\x02\x58\x20" + w.previous
                                         + b"\x01\x63log\xa2\x64text\x60\x65level\x60"), None
    yield "indefinite", lambda w: w.bytes(b"\x9f\x02\x58\x20" + w.previous
                                          + b"\x01\x63log\xa2\x64text\x60\x65level\x60\xff"), None
    yield "empty", lambda w: w.bytes(b""), None
    yield "no entry", lambda w: w.bytes(b"\xf6"), None
    yield "surrogate", lambda w: w.bytes(b"\x85\x02\x58\x20" + w.previous
                                         + b"\x01\x63log\xa2\x64text\x63\xed\xa0\x80\x65level\x60"), None
    yield "zero", lambda w: w.add("log", text="a\0b", level=""), "open"
    yield "nothing", lambda w: w.add("log", text="", level=""), "open"
    yield "back in time", lambda w: w.raw([2, w.previous, 0, "log", {"text": "", "level": ""}]), "open"
    yield "late", lambda w: w.raw([2, w.previous, (1 << 64) - 1, "log", {"text": "", "level": ""}]), "open"
    yield "large", lambda w: w.add("log", text="x" * 1048576, level=""), "open"
    yield "too large", lambda w: w.add("log", text="x" * 1052672, level=""), None


def a_signature_makes_nothing_right():
    for name, write, wanted in well_signed():
        w = Writer(statement)
        write(w)
        agree(w.head(), wanted, name)


def heads_have_one_form():
    for changes in ({"final": True}, {"count": 3}, {"digest": bytes(32)}, {"unprotected": {4: b"x"}}, {"final": 0}):
        w = Writer(statement)
        w.add("log", text="", level="")
        agree(w.head(**changes), None, changes)
    w = Writer(statement)
    w.add("end", reason="")
    agree(w.head(), None, "an end that is not final")
    for label, value in ((1, -35), (3, "application/cocos-receipt+cbor"), (16, b"x")):
        kept = dict(PROTECTED)
        PROTECTED[label] = value
        w = Writer(statement)
        data = w.head()
        PROTECTED.clear()
        PROTECTED.update(kept)
        agree(data, None, (label, value))


def starts_have_one_form():
    for changes in ({"_1": "c-2"}, {"_4": bytes(32)}, {"_9": None}, {"_9": b"x"}, {"_0": 2}):
        w = Writer(lambda spki, changes=changes: statement(spki, **changes))
        if "_1" in changes or "_4" in changes:
            w = Writer(statement)
            w.sequence, w.previous, w.items = 0, bytes(32), []
            w.add("start", manifest=changes.get("_4", MANIFEST), statement=w.statement,
                  computation=changes.get("_1", "c-1"))
        agree(w.head(), None, changes)


def statements_have_one_form():
    """Of docs/evidence.md: what is well signed, and no statement of its own form."""
    salted = [bytes(16), bytes(32)]
    good = {"_5": {"B": "", "A": salted, "AGENT_CVM_ID": "7"}, "_6": True, "_8": True, "_10": ["w"] * 16}
    for changes in ({}, good, {"_5": {f"K{n:02}": "" for n in range(64)}}):
        agree(Writer(lambda spki, changes=changes: statement(spki, **changes)).head(), "open", changes)
    for changes in ({"_0": True}, {"_2": bytes(31)}, {"_3": None}, {"_5": []}, {"_5": {"A": b"x"}}, {"_5": {1: "x"}},
                    {"_5": {"A": [bytes(15), bytes(32)]}}, {"_5": {"A": [*salted, 0]}}, {"_5": {"A": [bytes(16), bytes(31)]}},
                    {"_5": {f"K{n:02}": "" for n in range(65)}}, {"_5": {"A": "x\0"}}, {"_6": 0}, {"_7": b""}, {"_7": None},
                    {"_8": None}, {"_10": {}}, {"_10": [1]}, {"_10": ["w"] * 17}, {"_10": ["w\0"]}, {"_11": 0},
                    {"_7": bytes(65536)}):
        agree(Writer(lambda spki, changes=changes: statement(spki, **changes)).head(), None, changes)
    for alter in (lambda said: said + b"\0", lambda said: b"\xbf" + said[1:] + b"\xff",
                  lambda said: said[:-2] + b"\x0a\x98\x00", lambda said: b"\xaa" + said[1:-2]):
        agree(Writer(lambda spki, alter=alter: alter(statement(spki))).head(), None, "another encoding")


def journal(made, **token):
    """Of that run, with its evidence."""
    book = Writer(lambda spki: made.statement, made.journal.key)
    book.time = int(1000 * time.time())
    book.add("evidence", token=made.token(**token))
    return book.head()


def bound_otherwise():
    """Name → a journal in which all is genuine and signed, and the evidence is over something else; its check."""
    over = {"snp": "policy.report_data", "vtpm": "token.nonce", "snp-vtpm": "token.nonce"}
    for kind in over:
        run, other = evidence_made.Run(kind), evidence_made.Run(kind)
        form = run.form()
        yield kind, journal(run), kind, None
        for name, changed in (("of another run", run.form(evidence_book.journal_nonce(other.statement))),
                              ("the statement itself", evidence_book.run_form(run.statement)),
                              ("another kind", run.form(kind="tdx")), ("a vTPM nonce", run.form(vtpm=bytes(31) + b"\1")),
                              ("another identity", run.form(spki=other.identity.spki)),
                              ("another label", b"cocos-nonce-v2" + form[14:]), ("no zero behind it", form[:14] + form[15:]),
                              ("the vTPM nonce first", form[:16] + form[80:112] + form[16:80] + form[112:])):
            nonce = evidence_book.tpm_nonce(form)
            yield f"{kind}: {name}", journal(run, form=changed), kind, "token.nonce"
            # Nor where the claim is the right one.
            check = "policy.report_data" if kind != "vtpm" else "quote.nonce"
            yield f"{kind}: {name}, and says not so", journal(run, form=changed, nonce=nonce), kind, check
        yield f"{kind}: its claim", journal(run, nonce=bytes(32)), kind, "token.nonce"
        yield f"{kind}: another run's statement", journal(run, run=other.statement), kind, "of another run than its start"
        yield f"{kind}: evidence of another statement", journal(run, run_evidence=other.evidence()), kind, "run.evidence"
        yield f"{kind}: evidence of a nonce", journal(run, run_evidence=evidence_made.evidence(kind, form)), kind, \
            "run.evidence"
        yield f"{kind}: of a channel", journal(run, use="channel"), kind, "token.nonce_use"
        yield f"{kind}: another's token", journal(run, signer=other.identity, form=run.form(spki=other.identity.spki)), \
            kind, "run.identity"
        yield f"{kind}: signed by another", journal(run, signer=other.identity, cnf=run.identity), kind, "token.signature"


def both_know_what_evidence_has_to_be_over():
    with Folder() as folder:
        for name, data, kind, check in bound_otherwise():
            entries, _ = verify(data)
            try:
                journal_book.evidence(entries)
                theirs = True
            except Wrong:
                theirs = False
            done = cli("journal", "verify", folder.write("j", data), *evidence_made.trust(folder, kind))
            assert (done.status == 0, theirs) == (not check, not check), (name, theirs, done.status, done.out, done.err)
            assert not check or check in done.out + done.err, (name, done.out, done.err)


def a_journal_is_printed_line_by_line():
    with Folder() as folder:
        path = folder("j")
        with open(path, "wb") as file:
            file.write(of("closed"))
        done = subprocess.run([program("cocos-cli"), "journal", "verify", path], capture_output=True, text=True,
                              timeout=60, check=False)
    lines = done.stdout.splitlines()
    assert done.returncode == 3 and "anybody could have made it" in done.stderr, done
    assert lines[0].startswith("2023-11-14T22:13:20.000Z  1  start  manifest=0404"), lines[0]
    assert lines[4].endswith("  log  text=\"two?lines\" level=\"INFO\"") and "\x1b" not in done.stdout, lines[4]
    assert lines[15] == "closed: 15 entries, as the key in it signed them: none missing, moved or altered", lines[15:]


def no_text_hides_or_forges_another():
    w = Writer(statement)
    w.add("output", text='all fine\0but poisoned" ok=yes \\', stream=1)
    with Folder() as folder:
        with open(folder("j"), "wb") as file:
            file.write(w.head())
        said = cli("journal", "verify", folder("j"), "--chain-only").out
    assert r'  output  text="all fine?but poisoned\" ok=yes \\" stream=1' in said, said


def an_option_without_effect_is_refused():
    path = os.path.join(DATA, "closed.cbor")
    for words in (["--policy", "/none"], ["--manifest", "/none"], ["--genuine-only"], ["--at", "2026-01-01T00:00:00Z"],
                  ["--offline"], ["--trusted_root", "/none"], ["--skew", "1"]):
        done = cli("journal", "verify", path, "--chain-only", *words)
        assert done.status == 2 and f"--chain-only and {words[0]}: one of them" in done.err and not done.out, done
    for other in ("--policy", "--manifest"):
        done = cli("journal", "verify", path, "--genuine-only", other, "/none")
        assert done.status == 2 and f"--genuine-only and {other}: one of them" in done.err and not done.out, done
    assert cli("journal", "verify", path, "--chain-only", "-q", "-v", "--computation", "c-1").status == 0
    cli("journal", "verify", __file__).refused(4, "hint: is it a journal, and all of it?")


def a_program_reads_the_verdict():
    for name in ("closed", "open"):
        path, data = os.path.join(DATA, f"{name}.cbor"), of(name)
        said = cli("journal", "verify", path, "--chain-only", "--json").json()
        entries = list(items(data))[:-1]
        assert said == {"verdict": "consistent", "journal": {
            "computation": "c-1", "manifest": MANIFEST.hex(), "closed": name == "closed", "entries": len(entries),
            "digest": said["journal"]["digest"]}}, said
        done = cli("journal", "verify", path, "--json").refused(3, "anybody could have made it")
        assert json.loads(done.out)["verdict"] == "refused" and "anybody" in json.loads(done.out)["reason"], done.out
        assert json.loads(done.out)["journal"] == said["journal"], done.out
    last = cbor2.loads(cbor2.loads(list(items(of("closed")))[-1]).value[2])
    assert cli("journal", "verify", os.path.join(DATA, "closed.cbor"), "--chain-only",
               "--json").json()["journal"]["digest"] == last[2].hex()
    done = cli("journal", "verify", path, "--json", "--chain-only", "--computation", "c-2").refused(1, "of computation")
    assert not done.out, done.out
    cli("journal", "verify", path, "--json", "--quiet", "--chain-only").refused(2, "--json and --quiet: one of them")


def receipt_of(key, head, external=receipt_reader.EXTERNAL):
    """One of another run but for its head of the journal, signed with that key."""
    protected, beside, payload, _ = cbor2.loads(read(os.path.join(CORPUS, "snp"))).value
    payload = cbor2.dumps({**cbor2.loads(payload), 12: head})
    signed = cbor2.dumps(["Signature1", protected, external, payload])
    r, s = utils.decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    return cbor2.dumps(cbor2.CBORTag(18, [protected, beside, payload, r.to_bytes(32, "big") + s.to_bytes(32, "big")]))


def a_receipts_head_is_one_that_the_journal_had():
    """An open journal may have been cut: behind what a receipt of its run says it had, no longer."""
    w, heads = Writer(statement), []
    for n in range(4):
        heads.append(w.previous)
        w.add("log", text=f"line {n}", level="INFO")
    heads.append(w.previous)
    with Folder() as folder:
        path = folder.write("journal", w.head())

        def verified(receipt, *options):
            return cli("journal", "verify", path, "--chain-only", *options,
                       "--receipt", folder.write("receipt", receipt))
        for count, digest in enumerate(heads, 1):
            receipt = receipt_of(w.key, [count, digest])
            assert f"\nreceipt: of this run, behind {count} entries\n" in verified(receipt).ok()
            said = verified(receipt, "--json").json()
            assert said["journal"]["receipt"] == {"entries": count} and said["verdict"] == "consistent", said
        for head, words in (([1, heads[1]], "names another head"), ([5, heads[3]], "names another head"),
                            ([6, heads[4]], "the journal has 5 entries, and the receipt says 6"),
                            ([(1 << 64) - 1, heads[4]], "and the receipt says 18446744073709551615"),
                            ([0, bytes(32)], "names a head of no entries"), (None, "names no head of a journal")):
            done = verified(receipt_of(w.key, head)).refused(3, "refused: the ")
            assert words in done.err and not done.out, (head, done)
        for receipt in (receipt_of(Writer(statement).key, [5, heads[4]]), read(os.path.join(CORPUS, "snp")),
                        receipt_of(w.key, [5, heads[4]], b"cocos-journal-v1")):
            verified(receipt).refused(3, "refused: the receipt is not signed by the key of this journal")
        verified(b"none").refused(4, "receipt")
        cli("journal", "verify", path, "--chain-only", "--receipt", folder("nowhere")).refused(2, "--receipt: ")


class Serves(computations_grpc.ComputationServiceServicer):
    """A service that has one journal, of computation c-1 and run 7, for whatever is asked; `empty`
    calls find nothing yet. `headless`: its last entry stands where the signed head has to be."""

    empty, headless = 0, False

    def Journal(self, request, context):
        if self.empty:
            self.empty -= 1
            return computations.JournalResponse()
        w = Writer(statement)
        w.add("end", reason="complete")
        if not self.headless:
            w.head(True)
        return computations.JournalResponse(entries=w.items[:-1], signed_head=w.items[-1], count=len(w.items) - 1, run=7)


def a_service_can_t_send_another_journal():
    serves, server = Serves(), grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    computations_grpc.add_ComputationServiceServicer_to_server(serves, server)
    url = {"COMPUTATIONS_GRPC_URL": f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"}
    server.start()
    try:
        with Folder() as folder:
            for words in ([], ["--run", "7"]):
                assert "closed: 2 entries" in cli("journal", "get", "c-1", *words, "-o", folder("j"), "--force", **url).err
                followed = cli("journal", "follow", "c-1", *words, **url)
                assert followed.status == 0 and "no entry yet" not in followed.err, followed
            # What was fetched before stays, and no terminal gets its bytes.
            before = read(folder("j"))
            cli("journal", "get", "c-1", "-o", folder("j"), **url).refused(1, "is there already", "hint: --force replaces it")
            assert read(folder("j")) == before
            cli("journal", "get", "c-1", **url).ok()
            for words in ((), ("-o", "-")):
                with Terminal("journal", "get", "c-1", *words, **url) as terminal:
                    terminal.wait_text("a journal is not for a terminal")
                    terminal.wait_text("-o FILE keeps it")
                    assert terminal.end() == 2
            serves.empty = 3
            cli("journal", "get", "c-1", **url).refused(1, "no journal of this computation yet", "'journal follow ID' waits")
            followed = cli("journal", "follow", "c-1", **url)
            assert followed.status == 0 and followed.err.count("no entry yet") == 1, followed
            kept = folder("other")
            for ask, why in ((["my-computation"], "of computation"), (["c-1", "--run", "2"], "run 7 in place of run 2")):
                done = cli("journal", "get", *ask, "-o", kept, **url)
                assert done.status == 1 and why in done.err and not os.path.exists(kept), done
                done = cli("journal", "follow", *ask, **url)
                assert done.status == 1 and why in done.err and not done.out, done
            serves.headless = True
            for words in (["get", "c-1", "-o", kept], ["follow", "c-1"]):
                done = cli("journal", *words, **url).refused(1, "an entry for a signed head")
                assert not done.out and not os.path.exists(kept), done
            done = cli("journal", "verify", folder("j"), "--chain-only", "-q", "--computation", "c-1")
            assert done.status == 0 and "\ncomputation: c-1\n" in done.out, done
            done = cli("journal", "verify", folder("j"), "--chain-only", "-q", "--computation", "c-2")
            assert done.status == 1 and "of computation" in done.err and "consistent" not in done.out, done
    finally:
        server.stop(None)


def the_log_of_the_page_is_the_twins():
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/journal.md"), encoding="utf-8") as f:
        page = f.read()
    leaves = [witness_book.leaf_bytes("c-1", run, 7, b"\1\2" + bytes(30)) for run in range(1, 12)]
    for number in (witness_book.sha256(b"\0" + leaves[0]), witness_book.root(leaves)):
        assert number.hex() in page, number.hex()
    for size in range(1, 12):
        whole = witness_book.root(leaves[:size])
        for old in range(1, size + 1):
            path = witness_book.consistency(old, leaves[:size])
            witness_book.follows(old, witness_book.root(leaves[:old]), size, whole, path)
            assert witness_book.root_by(leaves[old - 1], old - 1, size,
                                        witness_book.inclusion(old - 1, leaves[:size])) == whole


def write():
    os.makedirs(DATA, exist_ok=True)
    for name, data in saved().items():
        with open(os.path.join(DATA, f"{name}.cbor"), "wb") as file:
            file.write(data)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        tap.run([both_take_the_saved_journals, neither_takes_an_altered_one,
                 every_bit_of_a_small_one_counts_to_both, a_signature_makes_nothing_right, heads_have_one_form,
                 starts_have_one_form, statements_have_one_form, both_know_what_evidence_has_to_be_over, a_journal_is_printed_line_by_line, no_text_hides_or_forges_another,
                 an_option_without_effect_is_refused, a_program_reads_the_verdict,
                 a_receipts_head_is_one_that_the_journal_had, a_service_can_t_send_another_journal,
                 the_log_of_the_page_is_the_twins])
