# SPDX-License-Identifier: Apache-2.0
"""Layers by themselves: TPM quotes, event logs, tokens, CoRIMs, policies, the channel, manifests."""
import datetime
import json
import os

from vectors.case import Case, acceptance, each
from vectors.files import cases_below, compare, read_json

CHECK = ["attestation", "check"]


def accepts(case):
    return acceptance(case["verdict"])


def moment(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def has(path, name):
    return os.path.exists(os.path.join(path, name))


def fields_of(wanted):
    return lambda answer: compare(answer, wanted)


# ---- tpm ----

def certificate_case(name, path, case):
    given = case["input"]["time"]
    at = given if isinstance(given, str) else moment(given)
    options = {"file": ["ak-cert", os.path.join(path, "ak_cert.der"), os.path.join(path, "ca-intermediate.der")],
               "trusted_root": os.path.join(path, "root-gce.der"), "at": at.replace("+00:00", "Z")}
    return Case(name, CHECK, options, accepts(case), ["ak."])


def refuse_strangers(given, known, what):
    """A case that asks for something that nobody here would look at is not understood."""
    unknown = sorted(set(given) - known)
    if unknown:
        raise ValueError(f"unknown {what}: {', '.join(unknown)}")


QUOTE_FIELDS = ("qualified_signer", "extra_data", "reset_count", "selection", "pcr_digest",
                "signature_algorithm", "signature_hash")


def rules(options, case):
    """What the case's policy changes for a quote."""
    policy = case["input"].get("policy") or {}
    if policy.get("allow_sha1_bank"):
        options["allow_sha1_bank"] = True
    if "reset_count" in policy:
        options["reset_count"] = str(policy["reset_count"])
    refuse_strangers(policy, {"allow_sha1_bank", "reset_count"}, "policy")


def quote_case(name, path, case):
    options = {"file": ["quote", os.path.join(path, "quote.bin")], "nonce": case["input"]["nonce"],
               "sig": os.path.join(path, "sig.bin"), "pcrs": os.path.join(path, "pcrs.json"),
               "ak": os.path.join(path, "ak.pub" if has(path, "ak.pub") else "ak.pem")}
    rules(options, case)
    if has(path, "hcl_report.bin"):
        options["hcl_report"] = os.path.join(path, "hcl_report.bin")
        if has(path, "runtime_data.json"):
            options["runtime_data"] = os.path.join(path, "runtime_data.json")
    wanted = {key: value for key, value in (case.get("fields") or {}).items() if key in QUOTE_FIELDS}
    return Case(name, CHECK, options, accepts(case), ["quote.", "ak.", "policy.", "parse."],
                fields_of(wanted))


def hcl_case(name, path, case, accept):
    options = {"file": ["hcl", os.path.join(path, "hcl_report.bin")]}
    if has(path, "runtime_data.json"):
        options["runtime_data"] = os.path.join(path, "runtime_data.json")
    return Case(name, CHECK, options, accept, ["ak.", "parse."])


# Where a case has no moment of its own: one at which its group's certificates are valid.
CERTIFICATES_AT = "2026-06-01T00:00:00Z"


def certify(options, path, case):
    """The AK certificate of a message, where a root lies beside it."""
    if not has(path, "root-gce.der"):
        return
    given = case["input"].get("time", CERTIFICATES_AT)
    options["trusted_root"] = os.path.join(path, "root-gce.der")
    options["at"] = (given if isinstance(given, str) else moment(given)).replace("+00:00", "Z")
    if has(path, "ca-intermediate.der"):
        options["file"].append(os.path.join(path, "ca-intermediate.der"))


def tpm_case(name, path, case):
    if has(path, "ak_cert.der") and not has(path, "attestation.pb"):
        yield certificate_case(name, path, case)
    elif has(path, "attestation.pb"):
        options = {"file": ["quote", os.path.join(path, "attestation.pb")], "nonce": case["input"]["nonce"]}
        rules(options, case)
        certify(options, path, case)
        yield Case(name, CHECK, options, accepts(case), ["parse.", "quote.", "ak.", "log.", "policy."])
    elif has(path, "sig.bin"):
        yield quote_case(name, path, case)
    else:
        yield hcl_case(name, path, case, accepts(case))


def tpm_cases(folder, scratch, step):
    return each(cases_below(folder), tpm_case)


# ---- eventlog ----

def log_case(name, path, case):
    given = case.get("input") or {}
    refuse_strangers(given, {"cc_event_log", "separators_optional", "allow_ff_padding"}, "input")
    options = {"file": ["log", os.path.join(path, "eventlog.bin")], "pcrs": os.path.join(path, "pcrs.json")}
    if given.get("cc_event_log"):
        options["cc"] = True
    if given.get("separators_optional"):
        options["separators_optional"] = True
    wanted = {key: value for key, value in (case.get("fields") or {}).items() if key in ("replay", "events", "startup_locality")}
    yield Case(name, CHECK, options, accepts(case), ["log."], fields_of(wanted))


def log_cases(folder, scratch, step):
    return each(cases_below(folder), log_case)


# ---- cose-eat ----

def token_case(name, path, case):
    key = os.path.join(path, "key.pem")
    if has(path, "msg.cbor"):
        options = {"file": ["cose", os.path.join(path, "msg.cbor")], "key": key}
        if has(path, "aad.bin"):
            options["aad"] = os.path.join(path, "aad.bin")
        wanted = case.get("fields") or {}
    else:
        given = case["input"]
        options = {"file": ["token", os.path.join(path, "token.cbor")], "key": key, "nonce": given["nonce"],
                   "at": moment(given["now"]), "skew": str(given["skew_seconds"])}
        wanted = {key: value for key, value in (case.get("fields") or {}).items()
                  if key in ("iss", "iat", "exp", "platform_type")}
    yield Case(name, CHECK, options, accepts(case), ["token."], fields_of(wanted))


def token_cases(folder, scratch, step):
    return each(cases_below(folder), token_case)


# ---- corim ----

def corim_case(name, path, case):
    options = {"file": ["corim", os.path.join(path, "corim.cbor")], "at": moment(case["input"]["now"])}
    if has(path, "key.pem"):
        options["key"] = os.path.join(path, "key.pem")
    wanted = {"fields": case["fields"]} if case.get("fields") else {}
    yield Case(name, CHECK, options, accepts(case), ["token.corim"], fields_of(wanted))


def corim_cases(folder, scratch, step):
    return each(cases_below(folder), corim_case)


# ---- policy ----

def policy_case(name, path, case):
    wanted = {key: case[key] for key in ("kind", "fields") if key in case}

    def check(answer, wanted=wanted):
        return compare(json.loads(answer["output"]), wanted)

    yield Case(name, ["policy", "validate"], [os.path.join(path, "policy.json"), "--json"], accepts(case),
               [""], check)


def policy_cases(folder, scratch, step):
    return each(cases_below(folder), policy_case)


# ---- ea ----

TOKEN_SKEW = 60  # of cose-eat, by whose rules the evidence on the channel is judged


def channel_case(name, path, case):
    if has(path, "frame.bin"):
        options = {"file": ["frame", os.path.join(path, "frame.bin")]}
        stages, wanted = ["parse."], case.get("fields") or {}
    elif not has(path, "authenticator.bin"):
        options = {"file": ["request", os.path.join(path, "request.bin")]}
        stages, wanted = ["parse."], case.get("fields") or {}
    else:
        given = read_json(os.path.join(path, "input.json"))
        options = {"file": ["authenticator", os.path.join(path, "authenticator.bin")],
                   "request": os.path.join(path, "request.bin"), "session": os.path.join(path, "input.json"),
                   "key": os.path.join(path, "eat_key.pem"), "at": moment(given["now"]),
                   "skew": str(given.get("skew_seconds", TOKEN_SKEW))}
        stages = ["binding.", "token."]
        wanted = {key: value for key, value in (case.get("fields") or {}).items()
                  if key in ("report_data", "tpm_nonce")}
    yield Case(name, CHECK, options, accepts(case), stages, fields_of(wanted))


def channel_cases(folder, scratch, step):
    return each(cases_below(folder), channel_case)


# ---- manifest ----

def manifest_case(name, folder, wanted):
    with open(os.path.join(folder, name + ".canonical.json"), encoding="utf-8") as file:
        canonical = file.read().rstrip("\n")

    def check(answer):
        found = json.loads(answer["output"])
        return compare(found, {**wanted, "canonical": canonical})

    for form in ("canonical", "pretty"):
        yield Case(f"{name} ({form})", ["checksum"],
                   ["--manifest", os.path.join(folder, f"{name}.{form}.json"), "--json"], True, check=check)


def manifest_cases(folder, scratch, step):
    table = read_json(os.path.join(folder, "expected.json"))
    return each(((name, name, folder, wanted) for name, wanted in table.items()), manifest_case)
