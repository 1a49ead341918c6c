#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a verdict tells a program: its exit status by what is wrong, the fault and the claims of its JSON, each
claim a documented one, verified or not. Over genuine evidence of the shared vectors; skipped without them."""
import hashlib
import json
import os
import re
import sys

import tap
from harness import ROOT, Folder, cli, read
from terminal import Terminal

VECTORS = os.environ.get("COCOS_VECTORS", "")
SNP = os.path.join(VECTORS, "snp", "own-root", "vcek-milan")
TDX = os.path.join(VECTORS, "tdx", "v4-gcp-cos113")
STATUS = {"": 0, "unwanted": 1, "not genuine": 3, "malformed": 4}
MEASUREMENT, REPORT_DATA, HOST_DATA = slice(0x90, 0xc0), slice(0x50, 0x90), slice(0xc0, 0xe0)
REPORTDATA_AT = 48 + 520


def snp(folder, report, *more, data=None):
    chain = [os.path.join(VECTORS, "snp", "chains", f"own-milan-{name}.pem") for name in ("ask", "ark")]
    return ["attestation", "validate", folder.write(hashlib.sha1(report).hexdigest(), report), "--mode", "snp", "--report_data",
            (data or report[REPORT_DATA]).hex(), "--vcek", os.path.join(SNP, "vcek.der"), "--trusted_root", chain[1],
            "--CA_bundles_paths", ",".join(chain), "--at", "2026-03-01T12:00:00Z", "--offline", *more]


def tdx(folder, quote, *more):
    return ["attestation", "validate", folder.write(hashlib.sha1(quote).hexdigest(), quote), "--mode", "tdx", "--report_data",
            quote[REPORTDATA_AT:REPORTDATA_AT + 64].hex().ljust(128, "0"), "--collateral",
            os.path.join(TDX, "collateral"), "--at", "2025-10-21T12:00:00Z", "--offline", *more]


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def judged(words):
    """The JSON's verdict; text and JSON end with one status, which is its fault's."""
    plain, run = cli(*words), cli(*words, "--json")
    answer = json.loads(run.out)
    assert run.status == plain.status == STATUS[answer["fault"]], (run.status, plain.status, answer)
    assert (run.status == 0) == (answer["verdict"] in ("genuine", "verified", "holds", "SIMULATED genuine")), answer
    return answer


def rows(folder):
    report, quote = read(os.path.join(SNP, "report.bin")), read(os.path.join(TDX, "quote.bin"))
    genuine = "--genuine-only"
    policy = folder.write("policy.json", json.dumps(
        {"cocos": 1, "snp": {"measurements": ["00" * 47 + "01"]}, "run": {"agent": "stock"}}))
    return (
        (snp(folder, report, genuine), "snp", "", True),
        (snp(folder, report, genuine, data=bytes(64)), "snp", "unwanted", True),
        (snp(folder, report, "--policy", policy), "snp", "unwanted", True),
        (snp(folder, report), "snp", "unwanted", False),
        (snp(folder, flipped(report, MEASUREMENT.start), genuine), "snp", "not genuine", False),
        (snp(folder, report[:-1], genuine), "snp", "malformed", None),
        (snp(folder, flipped(report, 0x4c), genuine), "snp", "malformed", None),
        (tdx(folder, quote, genuine), "tdx", "", True),
        (tdx(folder, flipped(quote, 48 + 136), genuine), "tdx", "not genuine", False),
        (tdx(folder, quote[:600], genuine), "tdx", "malformed", None),
    )


def a_verdict_ends_by_what_is_wrong_and_tells_what_it_rests_on():
    with Folder() as folder:
        for number, (words, part, fault, verified) in enumerate(rows(folder)):
            answer = judged(words)
            assert answer["fault"] == fault, (number, answer["fault"], answer["reason"])
            claims = answer["claims"]
            assert claims["kind"] == part, claims["kind"]
            if verified is None:
                assert part not in claims, claims
            else:
                assert claims[part]["verified"] is verified, (number, answer["reason"])


def claims_are_the_evidences_own():
    with Folder() as folder:
        report, quote = read(os.path.join(SNP, "report.bin")), read(os.path.join(TDX, "quote.bin"))
        told = judged(snp(folder, report, "--genuine-only"))["claims"]["snp"]
        assert told["report"]["measurement"] == report[MEASUREMENT].hex()
        assert told["report"]["reported_tcb"]["microcode"] == report[0x187]
        assert told["report"]["vmpl"] == int.from_bytes(report[0x30:0x34], "little")
        assert told["report"]["policy_bits"]["debug"] is False
        assert told["product"] == "Milan" and told["certificate"]["kind"] == "VCEK", told
        assert told["root"]["named_by_caller"] is True
        told = judged(tdx(folder, quote, "--genuine-only"))["claims"]["tdx"]
        assert told["quote"]["mrtd"] == quote[48 + 136:48 + 184].hex()
        assert told["quote"]["rtmr3"] == quote[48 + 472:48 + 520].hex()
        assert len(told["pck"]["fmspc"]) == 12 and told["tcb"]["status"], told


def shown(evidence, *more):
    with Folder() as folder:
        return cli("attestation", "show", folder.write("evidence", evidence), *more)


def other_commands_that_judge_end_so_too():
    report = read(os.path.join(SNP, "report.bin"))
    assert shown(report).status == 0
    assert shown(report[:-1]).status == 4 and shown(b"").status == 4
    assert shown(report, "--mode", "elephant").status == 2
    with Folder() as folder:
        for text, fault in ((b"\xd2", "malformed"), (b"", "malformed")):
            assert judged(["attestation", "check", "corim", folder.write("c", text)])["fault"] == fault
        log = folder.write("log", b"INIT sha256/" + b"00" * 32 + b"\n")
        zeros = folder.write("pcrs.json", json.dumps({"sha256": {"16": "00" * 32}}))
        assert judged(["attestation", "check", "log", log, "--aael", "--pcrs", zeros])["fault"] == "not genuine"
        assert cli("attestation", "check", "log", "/proc/nowhere").status == 2
        assert cli("attestation", "validate", "/proc/nowhere", "--mode", "snp").status == 2


def a_batch_ends_with_what_could_not_be_judged_or_the_highest():
    with Folder() as folder:
        report = read(os.path.join(SNP, "report.bin"))
        good = json.dumps({"file": folder.write("good", report), "mode": "snp"})
        short = json.dumps({"file": folder.write("short", report[:-1]), "mode": "snp"})
        for lines, status in (([good], 0), ([good, short, good], 4), ([short, "{}"], 2), (["{}", short], 2)):
            run = cli("attestation", "show", "--batch", folder.write("rows", "\n".join(lines)))
            assert run.status == status, (lines, run.status, run.out)


def the_page_has_the_table_that_programs_end_by():
    with open(os.path.join(ROOT, "docs", "verdict.md"), encoding="utf-8") as page:
        told = dict(re.findall(r"^\| (\d) \| (?:`([a-z ]+)`)? ?\|", page.read(), re.M))
    assert {int(status): fault for status, fault in told.items()} == {0: "", 1: "unwanted", 2: "", 3: "not genuine",
                                                                      4: "malformed"}, told


if not os.path.exists(SNP):
    print("1..0 # SKIP no shared vectors")
    sys.exit(0)
def people_read_one_line_and_the_rest_on_demand():
    """Which TEE and what it is bound to; -v has the checks; of a no every fault."""
    with Folder() as folder:
        report = read(os.path.join(SNP, "report.bin"))
        wanted = {"cocos": 1, "snp": {"measurements": [report[MEASUREMENT].hex()], "allow": ["smt"],
                                      "host_data": [report[HOST_DATA].hex()]}, "run": {"agent": "stock"}}
        words = snp(folder, report, "--policy", folder.write("policy.json", json.dumps(wanted)))
        answer, run = judged(words), cli(*words)
        assert re.fullmatch(r"(SIMULATED )?verified: snp evidence, [0-9]+ checks, bound to your nonce\n", run.ok()), run.out
        notes = [line[len("note: "):] for line in run.err.splitlines()]
        assert set(notes) < set(answer["notes"]), (notes, answer["notes"])  # those which only inform are for -v
        assert not any(note.startswith("policy sha256:") for note in notes), notes
        assert any(note.startswith("trusted root named by you") for note in notes), notes
        told = cli(*words, "-v")
        assert told.out == run.out and {f"note: {n}" for n in answer["notes"]} <= set(told.err.splitlines()), told.err
        passed = [check["name"] for check in answer["checks"] if check["outcome"] == "passed"]
        assert [line.split(": ")[1] for line in told.err.splitlines() if line.startswith("passed: ")] == passed
        # Whose kernel: what limits the yes at once, what informs with -v.
        for kernel, text, at_once in (("stock", "note: host's code runs: ", True), ("own", "note: the policy's image has our own", False)):
            wanted["run"]["kernel"] = kernel
            words = snp(folder, report, "--policy", folder.write(kernel + ".json", json.dumps(wanted)))
            told = [cli(*words, *more) for more in ((), ("-v",))]
            assert [text in each.err for each in told] == [at_once, True], (kernel, [each.err for each in told])
            assert {each.out for each in told} == {run.out}, told
            assert any(note.startswith(text[len("note: "):]) for note in judged(words)["notes"])
        # What is not well is told whole, without -v: each fault, and every note.
        strict = folder.write("strict.json", json.dumps(
            {"cocos": 1, "snp": {"measurements": ["00" * 47 + "01"]}, "run": {"agent": "stock"}}))
        words = snp(folder, report, "--policy", strict)
        answer, run = judged(words), cli(*words)
        failed = [check["name"] for check in answer["checks"] if check["outcome"] == "failed"]
        lines = run.out.splitlines()
        assert len(lines) == len(failed) > 1 and "refused: " + failed[0] in lines[0], run.out
        assert [line.split(": ")[1] for line in lines[1:]] == failed[1:], run.out
        assert len(run.err.splitlines()) == len(answer["notes"]), run.err


def who_says_what_has_to_run_asks_for_more_than_genuine():
    """A policy beside --genuine-only would be judged by nobody: one of them, also where a batch names the policy."""
    with Folder() as folder:
        report = read(os.path.join(SNP, "report.bin"))
        words = snp(folder, report, "--genuine-only")
        assert cli(*words).status == 0
        for option, path in (("policy", folder.write("none.json", '{"cocos":1,"snp":{"measurements":["' + "00" * 48 + '"]}}')),
                             ("manifest", folder.write("manifest.json", "{}"))):
            done = cli(*words, "--" + option, path)
            assert done.status == 2 and f"--genuine-only and --{option}: one of them" in done.err and not done.out, done
            shared = ["--" + option, path, *words[3:-1]]
            for genuine, wanted in (({}, "refused"), ({"genuine-only": True}, "error")):
                batch = folder.write("batch", json.dumps({"file": words[2], **genuine}) + "\n")
                done = cli("attestation", "validate", "--batch", batch, *shared)
                [answer] = [json.loads(line) for line in done.out.splitlines()]
                if option == "policy" or genuine:
                    assert answer["verdict"] == wanted and done.status == (2 if genuine else 1), (genuine, done)
                    assert not genuine or "one of them" in answer["reason"], answer


def words_have_colours_where_a_person_reads_them():
    with Folder() as folder:
        report = read(os.path.join(SNP, "report.bin"))
        good = snp(folder, report, "--genuine-only")
        bad = snp(folder, report)
        coloured = re.compile("^\033\\[3[123]m(SIMULATED )?(genuine|refused)\033\\[0m: ", re.M)
        for words in (good, bad):
            assert not coloured.search(cli(*words).out), "no terminal"
            assert coloured.search(cli(*words, "--color", "always", NO_COLOR="1").out)
            for more, environment, wanted in (((), {}, True), ((), {"NO_COLOR": "1"}, False), ((), {"NO_COLOR": ""}, True),
                                              (("--color", "never"), {}, False), ((), {"TERM": "dumb"}, False),
                                              (("--color=always",), {"NO_COLOR": "1"}, True)):
                with Terminal(*words, *more, **{"term": environment.pop("TERM", "xterm")}, **environment) as terminal:
                    terminal.end()
                    assert bool(coloured.search(terminal.text)) == wanted, (more, environment, terminal.text)
        assert cli(*good, "--color", "sometimes").status == 2
        assert "\033" not in cli(*good, "--json", "--color", "always").out


tap.run([people_read_one_line_and_the_rest_on_demand, words_have_colours_where_a_person_reads_them,
         a_verdict_ends_by_what_is_wrong_and_tells_what_it_rests_on, claims_are_the_evidences_own,
         other_commands_that_judge_end_so_too, who_says_what_has_to_run_asks_for_more_than_genuine, a_batch_ends_with_what_could_not_be_judged_or_the_highest,
         the_page_has_the_table_that_programs_end_by])
