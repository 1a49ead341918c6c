# SPDX-License-Identifier: Apache-2.0
"""The walk over the groups, the batches of calls, and the tally."""
import collections
import json
import os
import subprocess
import tempfile

from vectors import inventory, layers, measure, snp, tdx
from vectors.case import guarded

GROUPS = {
    "snp": snp.cases,
    "tdx": tdx.cases,
    "snp-measure": measure.snp_cases,
    "igvm": measure.igvm_cases,
    "tpm": layers.tpm_cases,
    "eventlog": layers.log_cases,
    "cose-eat": layers.token_cases,
    "corim": layers.corim_cases,
    "policy": layers.policy_cases,
    "ea": layers.channel_cases,
    "manifest": layers.manifest_cases,
}

# What is shown was not judged: it is an answer to 'attestation show' alone, and 'verified' is none.
YES = ("verified", "genuine", "holds")
SHOWN = ("shown",)


# What is refused by one of these was not judged at all.
MISSING = ("policy.given", "chain.vek:", "run.statement", "token.binding")


def nothing_was_judged(reason):
    """A document that is there and no good was judged; its check has the name of one that is not."""
    absent = reason.startswith("collateral.") and ": found not given" in reason
    return absent or any(reason.startswith(word) for word in MISSING)


def refusal_is_sound(case, reason):
    if case.stages is not None:
        return any(reason.startswith(stage) for stage in case.stages)
    return bool(reason) and not nothing_was_judged(reason)


def group_of(name):
    """The group that a folder of that name holds: the name may have more behind it."""
    return max((group for group in GROUPS if name == group or name.startswith((group + "-", group + "."))),
               key=len, default=None)


def judge(case, answer):
    """None, or how the answer differs from what was expected."""
    verdict, reason = answer.get("verdict", "error"), answer.get("reason", "")
    if verdict == "error":
        return f"no verdict: {reason}"
    yes = verdict in (SHOWN if case.command[1:] == ["show"] else YES)
    if case.accept is not None and yes != case.accept:
        return f"{verdict}: {reason}"
    if not yes and case.accept is False and not refusal_is_sound(case, reason):
        return f"refused for another reason: {reason}"
    if yes and case.check:
        return case.check(answer)
    return None


def differs(case, answer):
    """As judge() says. An answer that can't be compared costs no other case."""
    if case.fault:
        return case.fault
    try:
        return judge(case, answer)
    except Exception as why:  # pylint: disable=broad-except
        return f"an answer that is not understood: {why!r}"


def call(cli, command, cases):
    """The answers that a batch of these cases gives, and the last words of one that broke off."""
    # What lies in the caller's cache is no part of a case.
    environment = dict(os.environ, COCOS_CACHE="/proc/nowhere")
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as lines:
        for case in cases:
            lines.write(json.dumps(case.options) + "\n")
        lines.flush()
        done = subprocess.run([cli, *command, "--batch", lines.name], capture_output=True,
                              env=environment)
    answers = []
    for line in done.stdout.split(b"\n")[:-1]:
        try:
            answers.append(json.loads(line))
        except ValueError as why:
            answers.append({"verdict": "error", "reason": f"an answer that is no JSON: {why}"})
    tail = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["nothing said"]
    return answers[:len(cases)], f"exit status {done.returncode}: {tail[0]}"


def run_batch(cli, command, cases):
    """The answers to the cases' options, in order. One that ends the program costs no other."""
    answers = []
    while len(answers) < len(cases):
        more, tail = call(cli, command, cases[len(answers):])
        answers += more
        if len(answers) < len(cases):
            answers.append({"verdict": "error", "reason": tail})
    return answers


def run_one(cli, case):
    """A command without a batch: its exit status is the verdict, its output the answer."""
    done = subprocess.run([cli, *case.command, *case.options], capture_output=True, text=True,
                          errors="replace")
    if done.returncode not in range(5):
        return {"verdict": "error", "reason": f"exit status {done.returncode}"}
    verdict = "verified" if done.returncode == 0 else "refused"
    return {"verdict": verdict, "reason": done.stderr.strip(), "output": done.stdout}


def answers_of(cli, cases):
    batches = {}
    for case in cases:
        if case.fault:
            yield case, None
        elif isinstance(case.options, dict):
            batches.setdefault(tuple(case.command), []).append(case)
        else:
            yield case, run_one(cli, case)
    for command, batch in batches.items():
        yield from zip(batch, run_batch(cli, command, batch))


def count_differs(found, judged):
    """What the files hold and what was judged, compared: a line for each difference."""
    for origin, calls in found.items():
        if not judged[origin]:
            yield f"{origin}: found, and not judged"
        elif calls and calls != judged[origin]:
            yield f"{origin}: {calls} to judge, {judged[origin]} judged"
    for origin in judged:
        if origin not in found:
            yield f"{origin}: judged, and not found in the files"


def compare_counts(group, kind, path, step, judged):
    try:
        found = inventory.of(kind, path, step)
    except Exception as why:  # pylint: disable=broad-except
        return [f"what it holds can't be counted: {why!r}"]
    print(f"{group}: {len(found)} cases found, {len(judged)} judged by {judged.total()} calls")
    return list(count_differs(found, judged)) if found else ["no case was found"]


def run_group(cli, group, path, step, scratch):
    """(as expected, not) of one folder of vectors; prints what is not."""
    kind, bad, good, judged = group_of(group), [], 0, collections.Counter()
    if not kind:
        # What this holds is anybody's guess: whatever looks like a case fails by itself.
        bad = [f"{name}: of a group that is unknown here"
               for name in inventory.folders(path) or ["."]]
    else:
        calls = guarded("the rest", lambda: GROUPS[kind](path, scratch, step))
        for case, answer in answers_of(cli, calls):
            judged[case.origin] += 1
            why = differs(case, answer)
            good += not why
            if why:
                bad.append(f"{case.name}: {why}")
        judged.pop(None, None)  # the failure of "the rest" counts already
        bad += compare_counts(group, kind, path, step, judged)
    for line in bad:
        print(f"{group}/{line}")
    print(f"{group}: {good} as expected, {len(bad)} not", flush=True)
    return good, len(bad)


def run(folder, cli, only, step=1):
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="cocos-vectors-") as scratch:
        for group in sorted(os.listdir(folder)):
            path = os.path.join(folder, group)
            if not os.path.isdir(path) or (only and group not in only):
                continue
            good, bad = run_group(cli, group, path, step, scratch)
            passed += good
            failed += bad
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not passed else 0
