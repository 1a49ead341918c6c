# SPDX-License-Identifier: Apache-2.0
"""What the installed library answers, asked through library_calls.py: errors, verdicts beside those of the
command line tool over the shared vectors, threads."""
import base64
import datetime
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

import evidence_json
import sample
from harness import BUILD, ROOT, program, read
from library_calls import ENDORSEMENTS, EXHAUSTED, GENUINE_ONLY, INPUTS, INVALID, REQUIRE_CRL, Failed, Library
from library_installed import CASE, VECTORS, chain_of, installed, main, policy_of, run

sys.path.insert(0, os.path.join(ROOT, "scripts", "lib"))
from vectors import judge  # noqa: E402
from vectors.case import Case  # noqa: E402


# ---- the interface ----

def refused(code, words, call, *arguments):
    try:
        call(*arguments)
    except Failed as why:
        assert why.code == code and words in why.text, str(why)
    else:
        raise AssertionError(f"{words}: taken")


def what_the_library_does_not_know_or_can_not_be_is_an_error():
    lib = Library(installed().shared)
    request, trust = lib.request("snp"), lib.endorsements()
    for known, add, owner in ((INPUTS, lib.request_set, request), (ENDORSEMENTS, lib.endorsements_add, trust)):
        for number in sorted(set(range(-1, 80)) - set(known.values())):
            refused(INVALID, "does not know", add, owner.pointer, number, b"x", 1)
        for name, number in known.items():
            if name != "file":
                refused(INVALID, "bytes; at least", add, owner.pointer, number, b"", 0)
            refused(INVALID, "", add, owner.pointer, number, None, 64 if name == "report_data" else 32)
            refused(EXHAUSTED, "at most", add, owner.pointer, number, b"x" * 64, (16 << 20) + 1)
        refused(INVALID, "missing", add, None, 1, b"x", 1)
    for times, name in ((1, "vcek"), (8, "crl"), (16, "intermediate")):
        for _ in range(times):
            lib.endorsements_add(trust.pointer, ENDORSEMENTS[name], b"x", 1)
        refused(INVALID, "more than", lib.endorsements_add, trust.pointer, ENDORSEMENTS[name], b"x", 1)
    for mode in (-1, 0, 7):
        refused(INVALID, "mode", lib.request_new, mode, lib.request("snp").pointer)
    refused(INVALID, "flags 0x8", lib.request_flags, request.pointer, 8)
    refused(INVALID, "skew", lib.request_at, request.pointer, 0, 86401)
    refused(INVALID, "product", lib.request_product, request.pointer, b"Rome")
    refused(INVALID, "hash", lib.request_channel, request.pointer, b"MD5", bytes(32), b"x", 1)
    for documents in ([], [b"{}"] * 17, [b"{}"], [b"x"], [b""]):
        refused(INVALID, "", lib.policy, *documents)
    refused(INVALID, "document 2", lib.policy, b'{"cocos":1}', b"[]")


def a_request_that_lacks_something_is_not_judged():
    lib = Library(installed().shared)
    whole = {"inputs": [("file", b"x"), ("report_data", bytes(64))], "at": 0}
    verdict = lib.judge(lib.request("snp", **whole))
    assert not lib.verdict_ok(verdict.pointer)
    for lacking, words in (({"inputs": whole["inputs"]}, "moment"), ({"at": 0}, "evidence"),
                           ({"at": 0, "inputs": whole["inputs"][:1]}, "bound to"),
                           ({"at": 0, "inputs": whole["inputs"] + [("tee", bytes(32))]}, "two ways")):
        refused(INVALID, words, lib.judge, lib.request("snp", **lacking))
    refused(INVALID, "missing", lib.verify, None, None, None, lib.request("snp").pointer)
    key = lib.endorsements([("key", b"no key")])
    refused(INVALID, "token key", lib.judge, lib.request("snp", **whole), key)
    refused(INVALID, "no CoRIM", lib.judge, lib.request("snp", **whole), lib.endorsements([("corim_key", b"x")]))
    both = lib.endorsements([("vcek", b"x"), ("vlek", b"x")])
    refused(INVALID, "VCEK and VLEK", lib.judge, lib.request("snp", **whole), both)


def no_verdict_is_no_yes():
    lib = Library(installed().shared)
    assert not lib.verdict_ok(None) and lib.verdict_word(None) == b"refused" and lib.verdict_reason(None)
    assert not lib.check_passed(None) and lib.check_name(None) == b"" and lib.verdict_check(None, 0) is None
    assert not lib.verdict_note_count(None) and not lib.verdict_check_count(None) and not lib.verdict_mode(None)
    assert lib.verdict_text(None) is None and lib.verdict_json(None) is None and lib.policy_digest(None) is None
    assert lib.verdict_identity(None) is None and lib.verdict_manifest(None) is None
    assert lib.verdict_find(None, b"x") is None and lib.verdict_tdx_status(None) is None
    assert not lib.verdict_advisory_count(None) and lib.verdict_note(None, 0) is None
    for free in (lib.policy_free, lib.endorsements_free, lib.credential_free, lib.request_free, lib.verdict_free,
                 lib.text_free):
        free(None)


# ---- the same answers as the command line tool's ----

def moment(text):
    return int(run("date", "-u", "-d", text, "+%s"))


def at_of(options):
    seconds = AT.get(options["at"])
    if seconds is None:
        seconds = AT[options["at"]] = moment(options["at"])
    return seconds


AT = {}
HEX = ("report_data", "tee", "vtpm", "nonce")
FILES = ("event_log", "hcl_report", "runtime_data", "id_block", "id_auth")
TRUST = ("vcek", "vlek", "ak", "ak_cert", "key", "corim", "corim_key")
VALIDATE = ["attestation", "validate"]
TOOL_ONLY = ("kds", "pcs", "cache", "offline", "endorsements_ca", "json")


def endorsements_of(options):
    """What the options name, one kind and bytes after the other."""
    for name in TRUST:
        if name in options:
            yield name, read(options[name])
    for path in options.get("crl", []) if isinstance(options.get("crl"), list) else filter(None, [options.get("crl")]):
        yield "crl", read(path)
    paths = [path for path in options.get("CA_bundles_paths", "").split(",") if path]
    bundles = [read(path) for path in paths]
    if len(bundles) == 1 and bundles[0].count(b"BEGIN CERT") == 2:
        yield "chain", bundles[0]
    elif len(bundles) == 1:  # the tool looks whether it signed itself
        yield "ark" if paths[0].endswith("ark.pem") else "ask", bundles[0]
    else:
        yield from zip(("ask", "ark"), bundles)
    for data in bundles:
        yield "intermediate", data
    if "trusted_root" in options:
        for name in ("snp_root", "tdx_root", "ak_root"):
            yield name, read(options["trusted_root"])
    for path in glob.glob(os.path.join(options.get("collateral", "/nowhere"), "*")):
        if os.path.basename(path) in ENDORSEMENTS:
            yield os.path.basename(path), read(path)


def by_library(lib, options):
    """The library's answer in the form of the tool's."""
    inputs = [("file", read(options["file"]))] + [(n, read(options[n])) for n in FILES if n in options]
    inputs += [(name, bytes.fromhex(options[name])) for name in HEX if name in options]
    flags = GENUINE_ONLY * options.get("genuine-only", False) | REQUIRE_CRL * options.get("check_crl", False)
    try:
        request = lib.request(options["mode"], at_of(options), flags, int(options.get("skew", 0)), inputs)
        if "product" in options:
            lib.request_product(request.pointer, options["product"].encode())
        paths = options.get("policy", [])
        documents = [read(path) for path in ([paths] if isinstance(paths, str) else paths)]
        policy = lib.policy(*documents) if documents else None
        verdict = lib.judge(request, lib.endorsements(endorsements_of(options)), policy)
    except (Failed, ValueError, OSError) as why:
        return {"verdict": "error", "reason": str(why)}
    answer = json.loads(lib.text(lib.verdict_json(verdict.pointer)))
    told_apart(lib, verdict.pointer, answer)
    status = lib.verdict_tdx_status(verdict.pointer)
    if status:
        advisories = [lib.verdict_advisory(verdict.pointer, i).decode()
                      for i in range(lib.verdict_advisory_count(verdict.pointer))]
        answer["tdx"] = {"tcb_status": status.decode(), "advisories": advisories}
    return answer


def told_apart(lib, verdict, answer):
    """The verdict one by one is the verdict as a whole."""
    assert lib.verdict_ok(verdict) == (answer["verdict"].split()[-1] in ("verified", "genuine"))
    assert lib.verdict_word(verdict).decode() == answer["verdict"]
    assert lib.verdict_reason(verdict).decode(errors="replace") == answer["reason"]
    assert lib.verdict_is_simulated(verdict) == answer["verdict"].startswith("SIMULATED")
    checks = [lib.verdict_check(verdict, i) for i in range(lib.verdict_check_count(verdict))]
    assert lib.verdict_check(verdict, len(checks)) is None
    for check, wanted in zip(checks, answer["checks"], strict=True):
        told = {"name": lib.check_name(check), "outcome": lib.check_outcome(check), "found": lib.check_found(check),
                "wanted": lib.check_wanted(check), "section": lib.check_section(check)}
        assert {key: text.decode() for key, text in told.items()} == wanted, (told, wanted)
        assert lib.check_passed(check) == (wanted["outcome"] == "passed")
        assert lib.check_name(lib.verdict_find(verdict, lib.check_name(check))) == lib.check_name(check)
    notes = [lib.verdict_note(verdict, i).decode() for i in range(lib.verdict_note_count(verdict))]
    assert notes == answer["notes"] and lib.verdict_note(verdict, len(notes)) is None
    text = lib.text(lib.verdict_text(verdict))
    assert text.count("\n") == 1 + len(checks) + len(notes) and text.startswith(answer["verdict"])


def differs(tool, library):
    if library["verdict"] == "error" or tool["verdict"] == "error":
        # One may not be able to judge what the other refuses: a bundle that is none. Neither is a yes.
        yes = [a for a in (tool, library) if a["verdict"].split()[-1] in ("verified", "genuine")]
        return yes and "one could not judge"
    for key in ("verdict", "reason", "checks"):
        if tool[key] != library[key]:
            return f"{key}: the tool says {tool[key]}, the library {library[key]}"
    for key, value in library.get("tdx", {}).items():
        if tool["tdx"][key] != value:
            return f"tdx.{key}: {tool['tdx'][key]} and {value}"
    return None


def tee_cases(scratch):
    """The cases of SNP and TDX whose options the library has as well."""
    for group in ("snp", "tdx"):
        for case in judge.GROUPS[group](os.path.join(VECTORS, group), scratch, sample.of(101, 1)):
            if not case.fault and case.command == VALIDATE and "at" in case.options:
                options = {k: v for k, v in case.options.items() if k not in TOOL_ONLY and v is not False}
                yield f"{group}/{case.name}", options


def tpm_cases(scratch):
    """TPM messages, whose attestation key is that of a good one, in both forms; and tokens."""
    good = read(os.path.join(VECTORS, "tpm", "pb-good", "attestation.pb"))
    assert good[0] == 0x0A and good[1] < 0x80  # field 1, of one byte of length
    ak = good[2:2 + good[1]]
    with open(os.path.join(scratch, "ak.bin"), "wb") as file:
        file.write(ak)
    with open(os.path.join(scratch, "message.json"), "w", encoding="ascii") as file:
        json.dump({"ak_pub": base64.b64encode(ak).decode()}, file)
    for path in sorted(glob.glob(os.path.join(VECTORS, "tpm", "pb-*"))):
        case = json.loads(read(os.path.join(path, "expected.json")))
        for file in (os.path.join(path, "attestation.pb"), os.path.join(scratch, "message.json")):
            yield path, {"mode": "vtpm", "file": file, "ak": os.path.join(scratch, "ak.bin"), "genuine-only": True,
                         "nonce": case["input"]["nonce"], "at": "2026-06-15T00:00:00Z"}
    for path in sorted(glob.glob(os.path.join(VECTORS, "cose-eat", "eat-*"))):
        case = json.loads(read(os.path.join(path, "expected.json")))["input"]
        at = datetime.datetime.fromtimestamp(case["now"], datetime.timezone.utc)
        yield path, {"mode": "eat", "file": os.path.join(path, "token.cbor"), "key": os.path.join(path, "key.pem"),
                     "tee": case["nonce"], "genuine-only": True, "at": at.strftime("%Y-%m-%dT%H:%M:%SZ")}


def by_tool(cases):
    rows = [Case(name, VALIDATE, options, None) for name, options in cases]
    return judge.run_batch(program("cocos-cli"), VALIDATE, rows)


def the_library_says_what_the_tool_says():
    lib = Library(installed().shared)
    yes, judged, broken = set(), 0, []
    with tempfile.TemporaryDirectory(prefix="cocos-library-") as scratch:
        cases = [*tee_cases(scratch), *tpm_cases(scratch)]
        for (name, options), tool in zip(cases, by_tool(cases), strict=True):
            answer = by_library(lib, options)
            why = differs(tool, answer)
            if why:
                broken.append(f"{name}: {why}")
            judged += answer["verdict"] != "error"
            if answer["verdict"] in ("verified", "genuine"):
                yes.add(options["mode"])
    print(f"# {len(cases)} cases, {judged} judged, yes to {sorted(yes)}")
    assert not broken, "\n".join(broken[:10])
    assert judged > 500 and yes == {"snp", "tdx", "vtpm"}, (len(cases), judged, yes)


def evidence_in_json_is_judged_like_its_bytes():
    lib = Library(installed().shared)
    case = evidence_json.Case("milan-v3-oak-release")

    def answer(data):
        request = lib.request("snp", moment(case.at), GENUINE_ONLY,
                              inputs=[("file", data), ("report_data", case.report[0x50:0x90])])
        verdict = lib.judge(request)
        return lib.verdict_ok(verdict.pointer), lib.text(lib.verdict_text(verdict.pointer))

    text = json.dumps(case.evidence)
    assert answer(text.encode())[0], answer(text.encode())[1]
    for wrong in (text[:-1], text.replace('"policy"', '"policies"'), "{}", '{"report":1}'):
        ok, words = answer(wrong.encode())
        assert not ok and words.startswith("refused: "), words
    assert "note: evidence: " in answer(b"{")[1], answer(b"{")[1]


# ---- threads ----

def threads_share_what_they_may_share():
    """One policy, one set of endorsements, one request of a yes and one of a no: eight threads at once."""
    lib = Library(installed().shared)
    report = read(os.path.join(CASE, "report.bin"))
    at = moment(json.loads(read(os.path.join(CASE, "expected.json")))["at"])
    policy = lib.policy(policy_of(report).encode())
    trust = lib.endorsements([("vcek", read(os.path.join(CASE, "vcek.der"))),
                              ("chain", chain_of())])
    good = [("file", report), ("report_data", report[0x50:0x90])]
    bad = [("file", report), ("report_data", bytes(64))]
    requests = [lib.request("snp", at, inputs=inputs) for inputs in (good, bad)]
    answers = []

    def loop(number):
        for turn in range(20):
            which = (number + turn) % 2
            verdict = lib.judge(requests[which], trust, policy)
            answers.append((which, lib.verdict_ok(verdict.pointer), lib.text(lib.verdict_json(verdict.pointer))))

    threads = [threading.Thread(target=loop, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 160 and {(which, ok) for which, ok, _ in answers} == {(0, True), (1, False)}
    assert len({text for _, _, text in answers}) == 2


def has_thread_sanitizer(folder):
    folder.write("tsan.c", "int main(void)\n{\n\treturn 0;\n}\n")
    words = ["clang", "-fsanitize=thread", "tsan.c", "-o", "tsan"]
    return shutil.which("clang") and subprocess.run(words, cwd=folder.path, capture_output=True,
                                                    check=False).returncode == 0


def clang_sees_no_race_either():
    """The unit test's threads with every access watched, in long runs: the verifier is built once more. In every
    run the test above that nothing is kept says that there is nothing to race for."""
    if not sample.of(False, True):
        print("# only in long runs")
        return
    if not has_thread_sanitizer(installed().folder):
        print("# no thread sanitizer here")
        return
    build, target = os.path.join(BUILD, "library-tsan"), "tests/unit/attestation/test_attestation_cocos_verify"
    if not os.path.exists(os.path.join(build, "build.ninja")):
        run("meson", "setup", build, ROOT, "-Db_sanitize=thread", "-Db_lundef=false", env=dict(os.environ, CC="clang"))
    run("ninja", "-C", build, target)
    out = run(os.path.join(build, target), env=dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP"))
    assert re.search(r"^ok \d+ - threads_share", out, re.M), out


if __name__ == "__main__":
    main([what_the_library_does_not_know_or_can_not_be_is_an_error, a_request_that_lacks_something_is_not_judged,
          no_verdict_is_no_yes, the_library_says_what_the_tool_says, evidence_in_json_is_judged_like_its_bytes,
          threads_share_what_they_may_share, clang_sees_no_race_either])
