# SPDX-License-Identifier: Apache-2.0
"""The walk over the groups, the batches of calls, and the tally."""
import json
import os
import subprocess
import tempfile

from vectors import layers, measure, snp, tdx
from vectors.case import NOT_UNDERSTOOD, Case

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

YES = ("verified", "genuine", "holds")


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


def differs(case, answer):
    """None, or how the answer differs from what was expected."""
    verdict, reason = answer.get("verdict", "error"), answer.get("reason", "")
    if verdict == "error":
        return f"no verdict: {reason}"
    yes = verdict in YES
    if case.accept is not None and yes != case.accept:
        return f"{verdict}: {reason}"
    if not yes and case.accept is False and not refusal_is_sound(case, reason):
        return f"refused for another reason: {reason}"
    if yes and case.check:
        return case.check(answer)
    return None


def understood(group, path, scratch):
    """The group's cases. One that is not of a form that is known here is a failure, of that group."""
    try:
        yield from GROUPS[group](path, scratch)
    except NOT_UNDERSTOOD as why:
        yield Case("a case that is not understood", ["attestation", "check"], {"file": repr(why)}, True)


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
    if done.returncode not in (0, 1, 2):
        return {"verdict": "error", "reason": f"exit status {done.returncode}"}
    verdict = "verified" if done.returncode == 0 else "refused"
    return {"verdict": verdict, "reason": done.stderr.strip(), "output": done.stdout}


def answers_of(cli, cases):
    batches = {}
    for case in cases:
        if isinstance(case.options, dict):
            batches.setdefault(tuple(case.command), []).append(case)
        else:
            yield case, run_one(cli, case)
    for command, batch in batches.items():
        yield from zip(batch, run_batch(cli, command, batch))


def run(folder, cli, only):
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="cocos-vectors-") as scratch:
        for group in sorted(os.listdir(folder)):
            path = os.path.join(folder, group)
            if not os.path.isdir(path) or (only and group not in only):
                continue
            if not group_of(group):
                print(f"{group}: a group that is unknown here")
                failed += 1
                continue
            good = bad = 0
            for case, answer in answers_of(cli, understood(group_of(group), path, scratch)):
                why = differs(case, answer)
                if why:
                    bad += 1
                    print(f"{group}/{case.name}: {why}")
                else:
                    good += 1
            print(f"{group}: {good} as expected, {bad} not")
            passed += good
            failed += bad
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not passed else 0
