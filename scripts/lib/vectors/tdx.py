# SPDX-License-Identifier: Apache-2.0
"""TDX quotes under their group's default policy: every TCB status but Revoked, the quote's own values
as reference values."""
import hashlib
import os

from vectors.case import Case, acceptance, each, faulty, guarded
from vectors.files import cases_below, compare, read, read_json, write, write_json

STATUSES = [
    "UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded",
    "OutOfDate", "OutOfDateConfigurationNeeded", "TDRelaunchAdvised",
    "TDRelaunchAdvisedConfigurationNeeded",
]
COLLATERAL = [
    "tcb_info.json", "tcb_info_issuer_chain.pem", "qe_identity.json", "qe_identity_issuer_chain.pem",
    "pck_crl.der", "pck_crl_issuer_chain.pem", "root_ca_crl.der",
]
ROOT = "root_ca.pem"
FIELDS = {"mrtd": 136, "mrconfigid": 184, "mrowner": 232, "mrownerconfig": 280, "rtmr0": 328,
          "rtmr1": 376, "rtmr2": 424, "rtmr3": 472}
BODY_15_LEN = 648

# A fault's name, and the checks that may say it. Another name may be refused anywhere but for a
# missing input.
FAULTS = {
    "quote_format": ["parse."], "quote_version": ["parse."], "att_key_type": ["parse."],
    "tee_type": ["parse."], "body_type": ["parse."], "cert_data_type": ["parse."],
    "qe_vendor_id": ["parse."], "json": ["parse.", "collateral."],
    # What was changed without signing it again may not be read any more.
    "quote_signature": ["signature.quote", "parse."], "qe_report_signature": ["signature.qe_report"],
    "qe_report_data": ["signature.qe_report_data"], "root_not_trusted": ["chain."],
    "pck_chain": ["chain.", "parse."], "chain_format": ["chain.", "parse.", "collateral."],
    "pck_extension": ["chain."],
    "cert_expired": ["time."], "tcb_info_expired": ["time."], "qe_identity_expired": ["time."],
    "tcb_info_not_yet_valid": ["time."], "qe_identity_not_yet_valid": ["time."],
    "fmspc": ["collateral.", "time."], "pceid": ["collateral."],
    "tcb_info_signature": ["signature.tcb_info", "collateral.tcb_info"], "tcb_info_chain": ["chain.", "collateral.", "parse."],
    "tcb_info_id": ["parse.", "collateral."], "qe_identity_id": ["parse.", "collateral."],
    "qe_identity_signature": ["signature.qe_identity", "collateral.qe_identity"],
    "qe_attributes": ["identity."], "qe_miscselect": ["identity."], "qe_mrsigner": ["identity."],
    "qe_isvprodid": ["identity."], "qe_isvsvn": ["identity.", "tcb."],
    "tdx_module_identity_missing": ["module.", "tcb.level"], "mrsignerseam": ["module.", "policy."],
    "seamattributes": ["module.", "policy."], "tcb_no_level": ["tcb."], "tcb_revoked": ["tcb.", "policy."],
    "tcb_status_policy": ["policy."], "xfam": ["policy.xfam"], "td_debug": ["policy."],
    "td_attributes_reserved": ["policy.", "parse."], "sept_ve_disable": ["policy."],
    "mrservicetd": ["policy.mrservicetd"],
    "signing_cert_revoked": ["crl."], "pck_revoked": ["crl."], "intermediate_revoked": ["crl."],
    "root_crl_signature": ["crl."], "root_crl_not_yet_valid": ["crl.", "time."],
    "root_crl_format": ["crl.", "parse.", "collateral."], "pck_crl_issuer": ["crl."],
    "pck_crl_expired": ["crl.", "time."], "pck_crl_format": ["crl.", "parse.", "collateral."],
    "pck_crl_signature": ["crl."],
}


def body_of(quote):
    start = 48 + (6 if quote[:2] == b"\x05\x00" else 0)
    return quote[start : start + BODY_15_LEN]


def acceptable(statuses):
    """No policy can name Revoked, nor accept no status at all: what lists Revoked is judged by the rest
    of its list, and what lists nothing else by the status that hardly any quote has."""
    return [status for status in statuses if status != "Revoked"] or STATUSES[-1:]


def own_policy(quote, policy):
    body = body_of(quote)
    tdx = {
        "statuses": acceptable(policy.get("tcb_status", STATUSES)),
        "allow_sept_ve": policy.get("allow_sept_ve", False),
        "allow_attributes": ["icssd", "lass", "migratable", "kl", "tpa"],
    }
    for name, at in FIELDS.items():
        tdx[name] = [body[at : at + 48].ljust(48, b"\0").hex()]
    if policy.get("allow_service_td") and len(body) == BODY_15_LEN:
        tdx["mrservicetd"] = [body[600:648].hex()]
    return {"cocos": 1, "tdx": tdx, "run": {"agent": "stock"}}


KNOWN = {"tcb_status", "allow_sept_ve", "allow_service_td", "allow_debug"}


def is_debug(quote):
    return bool(body_of(quote)[120:121] and body_of(quote)[120] & 1)


def report_data(quote):
    return body_of(quote)[520:584].ljust(64, b"\0").hex()


def overridden(path, case, names):
    """`names` with what the case puts in place of a file of that name: by name, or a folder's files."""
    over = case.get("collateral_override") or {}
    if isinstance(over, str):
        over = {name: os.path.join(over, name) for name in os.listdir(os.path.join(path, over))}
    strange = set(over) - set(names)
    if strange:
        raise ValueError(f"no document of the collateral: {strange}")
    return {**names, **{name: os.path.join(path, file) for name, file in over.items()}}


def collateral_of(path, case, scratch):
    """A folder with the case's documents, overrides in place, and the root to trust."""
    base = os.path.normpath(os.path.join(path, case.get("collateral") or "collateral"))
    names = {name: os.path.join(base, name) for name in [*COLLATERAL, ROOT]}
    names = overridden(path, case, names)
    root = names.pop(ROOT)
    if case.get("trust_root"):
        root = os.path.normpath(os.path.join(path, case["trust_root"]))
    # One folder for each choice of documents: runs of one case may differ in them.
    chosen = hashlib.sha256(repr(sorted(names.items())).encode()).hexdigest()
    folder = os.path.join(scratch, "collateral-" + chosen)
    os.makedirs(folder, exist_ok=True)
    for name, source in names.items():
        target = os.path.join(folder, name)
        if os.path.exists(source) and not os.path.lexists(target):
            os.symlink(source, target)
    return folder, root


def options_of(quote_path, quote, case, path, scratch):
    folder, root = collateral_of(path, case, scratch)
    options = {
        "file": quote_path,
        "mode": "tdx",
        "at": case["at"],
        "skew": "0",
        "report_data": report_data(quote),
        "policy": write_json(scratch, own_policy(quote, case.get("policy") or {})),
        "collateral": folder,
    }
    if os.path.exists(root):
        options["trusted_root"] = root
    return options


def stages_of(case):
    if case["verdict"] == "signatures_only":
        return ["collateral.", "crl.", "chain."]
    return FAULTS.get(case.get("why"))


STATUS_FIELDS = ("tcb_status", "level_tcb_status", "module_tcb_status", "qe_tcb_status", "advisories")


def status_check(case):
    wanted = {key: case[key] for key in STATUS_FIELDS if case.get(key) is not None}

    def check(answer):
        return compare(answer.get("tdx", {}), wanted, "tdx")

    return check if wanted else None


def validations(name, path, case, scratch):
    yield from guarded(name, lambda: [validation(name, path, case, scratch)])
    for number, also in enumerate(case.get("also") or []):
        yield from guarded(f"{name} (also {number})",
                           lambda: [validation(name, path, {**case, **also}, scratch)])


def validation(name, path, run, scratch):
    # Where no collateral exists there is no moment at which it would be valid.
    run = {**run, "at": run.get("at") or "2026-01-01T00:00:00Z"}
    quote_path = os.path.normpath(os.path.join(path, run.get("quote") or "quote.bin"))
    quote = read(quote_path)
    # A debug TD is never accepted, whatever a policy allows.
    if is_debug(quote) and acceptance(run["verdict"]):
        run = {**run, "verdict": "refuse", "why": "td_debug"}
    label = f"{name} ({run['name']})" if "name" in run else name
    unknown = set(run.get("policy") or {}) - KNOWN
    if unknown:
        return faulty(label, f"unknown policy {sorted(unknown)}")
    return Case(label, ["attestation", "validate"], options_of(quote_path, quote, run, path, scratch),
                acceptance(run["verdict"]), stages_of(run), status_check(run))


def fields_case(name, path, case):
    wanted = {"fields": case["fields"]}
    if case.get("pck"):
        # The group writes two names for some of the certificate's fields.
        names = {"comp": "sgx_tcb_comp_svn", "sgxtype": "sgx_type"}
        wanted["pck"] = {names.get(key, key): value for key, value in case["pck"].items()}
    if case.get("qe_report"):
        wanted["qe_report"] = case["qe_report"]
    quote = os.path.normpath(os.path.join(path, case.get("quote") or "quote.bin"))
    return Case(name + " (fields)", ["attestation", "show"], {"file": quote, "mode": "tdx"}, True,
                check=lambda answer: compare(answer, wanted))


def cross_case(name, folder, row, policy, scratch):
    other = os.path.join(folder, row["collateral"])
    case = {"at": row["at"], "policy": policy, "verdict": row["verdict"],
            "why": row["why"], "tcb_status": row["tcb_status"], "collateral": None}
    expected = read_json(os.path.join(other, "expected.json"))
    case["collateral"] = expected.get("collateral")
    quote_path = os.path.join(folder, row["quote"], "quote.bin")
    yield Case(f"{name} {row['quote']} with {row['collateral']}", ["attestation", "validate"],
               options_of(quote_path, read(quote_path), case, other, scratch),
               acceptance(row["verdict"]), stages_of(case), status_check(case))


def cross_cases(folder, scratch):
    table = read_json(os.path.join(folder, "cross.json"))
    rows = ((f"cross.json {number}",) * 2 + (folder, row) for number, row in enumerate(table["rows"]))
    return each(rows, lambda name, path, row: cross_case(name, path, row, table["policy"], scratch))


def mutation_cases(name, path, scratch, step):
    """One in `step` of a table's changes; its masks are two, so an odd step takes both in turn."""
    table = read_json(os.path.join(path, "mutations.json"))
    case = {**read_json(os.path.join(path, "expected.json")), "policy": table["policy"], "at": table["at"]}
    quote = read(os.path.join(path, table["quote"]))
    first, last = (int(text) for text in table["offsets"].split(" .. "))
    either = set(table["either"])
    whole = options_of(os.path.join(path, table["quote"]), quote, case, path, scratch)
    changes = [(offset, mask) for offset in range(first, last + 1) for mask in table["xor"]]
    for offset, mask in changes[::step]:
        changed = bytearray(quote)
        changed[offset] ^= mask
        changed = bytes(changed)
        # The policy and REPORTDATA stay those of the quote as it was.
        options = {**whole, "file": write(scratch, changed)}
        made = Case(f"{name} byte {offset} xor {mask}", ["attestation", "validate"], options,
                    None if offset in either else False, [""])
        made.origin = f"{name}/mutations.json"
        yield made


def aael_case(name, path, case, scratch):
    """Lines of text, which extend RTMR3 alone."""
    accept = acceptance(case["verdict"])
    options = {"file": ["log", os.path.join(path, "aael.txt")], "aael": True}
    wanted = (case.get("rtmr_wanted") or {}).get("3") or case.get("rtmr3")
    if wanted:
        options["pcrs"] = write_json(scratch, {"sha384": {"4": wanted}})
    return Case(name, ["attestation", "check"], options, accept, ["log."],
                lambda answer: compare(answer, {"value": wanted} if wanted else {}))


def log_case(name, path, case, scratch):
    """A CCEL log by itself; the register numbers of the log are one above RTMR's."""
    if (case.get("format") or "").startswith("AAEL") or os.path.exists(os.path.join(path, "aael.txt")):
        return aael_case(name, path, case, scratch)
    log = next(entry for entry in sorted(os.listdir(path)) if entry.endswith((".bin", ".dat")))
    accept = acceptance(case["verdict"])
    options = {"file": ["log", os.path.join(path, log)], "cc": True}
    values = case.get("rtmr_wanted") or (case.get("rtmr") if accept else None)
    if values:
        shifted = {str(int(index) + 1): value for index, value in values.items()}
        options["pcrs"] = write_json(scratch, {"sha384": shifted})
    return Case(name, ["attestation", "check"], options, accept, ["log."])


def quote_cases(name, path, case, scratch, step):
    yield from validations(name, path, case, scratch)
    if "fields" in case and acceptance(case["verdict"]):
        yield from guarded(name + " (fields)", lambda: [fields_case(name, path, case)])
    if os.path.exists(os.path.join(path, "mutations.json")):
        yield from guarded(name + " (mutations)", lambda: mutation_cases(name, path, scratch, step))


def cases(folder, scratch, step):
    def build(name, path, case):
        if name.split(os.sep)[0] == "eventlog":
            return [log_case(name, path, case, scratch)]
        return quote_cases(name, path, case, scratch, step)

    yield from each(cases_below(folder), build)
    if os.path.exists(os.path.join(folder, "cross.json")):
        yield from cross_cases(folder, scratch)
