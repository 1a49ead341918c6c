# SPDX-License-Identifier: Apache-2.0
"""Evidence that the targets make themselves, by a head and edits of it (edits.h): what each of the heads' bits asks,
and each field that is judged, changed alone."""
import itertools

FLIP, SET, _, _, _, CUT = range(6)
BITS = [1 << i for i in range(8)]


def edit(part, operation, offset, value):
    return [part, operation, offset & 255, offset >> 8, value]


def snp_appraise():
    head = {}
    products = ("milan", "genoa", "turin")
    for (p, product), (k, key), (v, version) in itertools.product(
            enumerate(products), enumerate(("vcek", "vlek")), enumerate((3, 2, 5))):
        head[f"{product}-{key}-v{version}"] = (p | k << 2 | v << 3, 0, 0, 0)
    for bit in BITS:
        head[f"form-{bit:02x}"] = (1, bit, 0, 0)
        head[f"list-{bit:02x}"] = (1, 0, bit, 0)
        head[f"list-with-{bit:02x}"] = (1, 8, 3 | bit, 0)
        head[f"stranger-{bit:02x}"] = (1, 0, 3, bit)
    head |= {"table-raw": (1, 3, 4, 0), "pem": (0x81, 0, 0, 0), "author": (1, 24, 0, 0),
             "ca-list-revokes": (1, 0, 10, 0), "ark-list-revokes": (1, 0, 9, 0), "table-list-demanded": (1, 1, 20, 0)}
    for key, kind in (("vcek", 0), ("vlek", 4)):
        for name, lists, stranger in (("ca-list", 2, 0), ("ca-list-revokes", 10, 0), ("both-lists-young", 35, 0),
                                      ("both-stranger", 3, 16), ("both-demanded", 19, 0), ("ca-demanded", 18, 0)):
            head[f"turin-{key}-{name}"] = (2 | kind, 0, lists, stranger)
    # Offset in the report, and the bits that are turned there.
    fields = {
        "vmpl": (0x30, 1), "mask-chip-key": (0x48, 2), "signing-key": (0x48, 4), "author-en": (0x48, 1),
        "report-data": (0x50, 1), "measurement": (0x90, 1), "host-data": (0xc0, 1), "id-key": (0xe0, 1),
        "author-key": (0x110, 1), "report-id-ma": (0x160, 1), "reported-tcb": (0x180, 1), "chip-id": (0x1a0, 1),
        "smt": (0x0a, 1), "migrate": (0x0a, 4), "debug": (0x0a, 8), "cxl": (0x0a, 0x20), "alias": (0x40, 0x20),
        "family": (0x10, 1), "image": (0x20, 1), "committed": (0x1e0, 8), "committed-low": (0x1e0, 4),
        "current": (0x38, 8), "current-low": (0x38, 4), "firmware": (0x1e9, 0x80), "firmware-low": (0x1e9, 0x37),
        "launch-tcb": (0x1f0, 4), "cpuid": (0x189, 0x10), "guest-svn": (4, 5), "version": (0, 4),
        "reserved": (0x4c, 1), "mitigations": (0x1f8, 3)}
    for name, (offset, turned) in fields.items():
        one = edit(0, FLIP, offset, turned)
        head[f"report-{name}"] = (1, 0, 0, 0, *one)
        head[f"genuine-report-{name}"] = (1, 32, 0, 0, *one)
        head[f"blocked-report-{name}"] = (17, 24, 0, 0, *one)
    for name, offset in (("report-signature", 0x2a0), ("signed-measurement", 0x90), ("signed-rest", 0x2d8)):
        head[name] = (1, 0, 0, 0, *edit(8, FLIP, offset, 1))
    return {name: bytes(content) for name, content in head.items()}


def tdx_appraise():
    policy, body = 11, 54  # the part; where the TD's report begins behind the header of version 5
    head = {"v5": (0, 0, 0), "v4": (1, 0, 0)}
    for i, bit in enumerate(BITS):
        head |= {f"form-{bit:02x}": (bit, 0, 0), f"stranger-{bit:02x}": (0, bit, 0), f"lack-{i}": (0, 0, i)}
    for bit in (8, 16, 32, 64):
        head[f"revoked-{bit:02x}"] = (0, 0, bit)
    for name, form, *edits in (
            ("events", 2, (0, 16)), ("events-no-log", 0, (0, 16)), ("sets-away", 0, (6, 31)),
            ("events-empty", 2, (0, 16), (6, 72)), ("of-run", 0, (0, 8), (6, 10)), ("platform", 0, (32, 5)),
            ("other-platform", 0, (32, 10)), ("exact", 0, (0, 6))):
        changed = itertools.chain(*(edit(policy, SET, *one) for one in edits))
        head[f"policy-{name}"] = (form, 0, 0, *changed)
    older = edit(policy, SET, 1, 255) + edit(policy, SET, 2, 255) + edit(0, SET, body, 3)
    head |= {"policy-statuses": (0, 0, 0, *older), "policy-relaunch": (0, 0, 0, *older)}
    for name, offset in (
            ("svn", 0), ("mrseam", 16), ("mrsignerseam", 64), ("seamattributes", 112), ("xfam", 128), ("mrtd", 136),
            ("mrconfigid", 184), ("mrowner", 232), ("mrownerconfig", 280), ("rtmr0", 328), ("rtmr1", 376),
            ("rtmr2", 424), ("rtmr3", 472), ("reportdata", 520), ("svn2", 584), ("mrservicetd", 600)):
        head[f"body-{name}"] = (0, 0, 0, *edit(0, FLIP, body + offset, 1))
        head[f"genuine-body-{name}"] = (4, 0, 0, *edit(0, FLIP, body + offset, 1))
    for name, offset, turned in (("body-debug", body + 120, 1), ("body-migratable", body + 123, 0x20),
                                 ("body-sept-ve", body + 123, 0x10), ("header-vendor", 12, 1)):
        head[name] = (0, 0, 0, *edit(0, FLIP, offset, turned))
    for name, offset, turned in (("miscselect", 16, 1), ("attributes", 48, 0x20), ("mrsigner", 128, 1),
                                 ("prodid", 256, 1), ("svn", 258, 4), ("svn-low", 258, 7), ("debug", 48, 2)):
        head[f"qe-{name}"] = (0, 0, 0, *edit(1, FLIP, offset, turned))
    # A debug enclave, which the signed identity's mask of attributes leaves open.
    masked = edit(1, FLIP, 48, 2) + edit(9, SET, 245, ord("9"))
    head |= {"qe-debug-masked": (0, 0, 0, *masked), "genuine-qe-debug-masked": (4, 0, 0, *masked)}
    return {name: bytes(content) for name, content in head.items()}


def tpm_appraise():
    head = {f"bound-{bit:02x}": (bit, 0, 0, 0) for bit in BITS[:6]}
    head |= {f"ek-{i}": (16, 0, 0, i) for i in range(3)}
    head |= {"all": (57, 0, 0, 0), "bare": (65, 0, 0, 0), "genuine": (129, 0, 0, 0), "unbound": (0, 0, 0, 0),
             "two-quotes-bare": (0x41, 0x40, 8, 1, *edit(0x18, 5, 0x3f9, 0xc7))}
    for bit in BITS:
        head |= {f"form-{bit:02x}": (25, bit, 0, 0), f"stranger-{bit:02x}": (56, 0, bit, 0),
                 f"stranger-cert-{bit:02x}": (8, 0, bit, 0), f"stranger-ek-{bit:02x}": (16, 0, bit, 0)}
    head |= {f"other-{bit:02x}": (24, 0, 0, bit) for bit in (4, 8, 16, 32)}
    for name, form, *edits in (
            ("events", 0, (4, 3)), ("events-no-log", 1, (4, 3)), ("reset", 0, (0, 2)), ("reset-other", 0, (0, 2), (1, 3)),
            ("other", 0, (3, 1)), ("sha1", 0, (0, 12)), ("sha1-refused", 0, (0, 8)), ("23", 0, (2, 8)),
            ("none", 0, (2, 0))):
        head[f"policy-{name}"] = (1, form, 0, 0, *itertools.chain(*(edit(7, SET, *one) for one in edits)))
    head["message-cut"] = (1, 0, 0, 0, *edit(9, CUT, 40, 0))
    for name, offset in (("magic", 0), ("type", 5), ("nonce", 10), ("nonce-end", 41), ("reset", 53), ("bank", 67),
                         ("selection", 69), ("digest", 75)):
        head[f"quote-{name}"] = (1, 0, 0, 0, *edit(0, FLIP, offset, 1))
        head[f"report-quote-{name}"] = (32, 0, 0, 0, *edit(0, FLIP, offset, 1))
    for offset in range(0, 90, 3):
        head[f"area-{offset:02}"] = (2, 0, 0, 0, *edit(1, FLIP, offset, 1))
        head[f"ek-area-{offset:02}"] = (16, 0, 0, 0, *edit(1, FLIP, offset, 1))
    return {name: bytes(content) for name, content in head.items()}


def verify():
    head = {"genuine-other-statement": (2, 5, 0, 1, *edit(2, 1, 0x2c5, 0x15), *edit(0x1e, 0, 0x746, 0xe3),
                                        *edit(0x15, 4, 0x5b4, 0x76))}
    for k, kind in enumerate(("snp", "tdx", "vtpm", "snp-vtpm")):
        for bit in BITS:
            head |= {f"{kind}-form-{bit:02x}": (k, 1 | bit, 0, 0), f"{kind}-odd-{bit:02x}": (k, 1, bit, 0)}
        head |= {f"{kind}-statement-{i}": (k, 1, 0, i) for i in range(15)}
        head |= {f"{kind}-bare-genuine": (k, 4, 0, 0), f"{kind}-bare-corim": (k, 16, 0, 0),
                 f"{kind}-before-run": (k, 1, 128, 10), f"{kind}-stock-no-run": (k, 129, 0, 10),
                 f"{kind}-bare-no-policy": (k, 32, 0, 0)}
    for k, kind in ((4, "snp"), (5, "tdx")):
        head |= {f"hcl-{kind}-{form:02x}": (k, form, 0, 0) for form in (0, 4, 32, 128)}
    return {name: bytes(content) for name, content in head.items()}


def endorsements():
    lists, twice = 2, 16
    head = {"bundle": (32, 0, 0, 0), "bundle-vlek": (96, 0, 0, 0), "v2": (128, 0, 0, 0),
            "offline-cached": (26, 0, 0, 0)}
    for tdx, name in enumerate(("snp", "tdx")):
        ask = tdx | lists
        head |= {name: (tdx, 0, 0, 0), f"{name}-lists": (ask, 0, 0, 0), f"{name}-twice": (ask | twice, 0, 0, 0)}
        for i, bit in enumerate(BITS):
            head |= {f"{name}-call-{bit:02x}": (ask | bit, 0, 0, 0), f"{name}-lacking-{i}": (ask, bit, 0, 0),
                     f"{name}-stale-lacking-{i}": (ask | twice, 0, bit, 2),
                     f"{name}-lacking-first-{i}": (ask | twice, bit, 0, 8)}
        for bit in BITS[:6]:
            head |= {f"{name}-habit-{bit:02x}": (ask, 0, 0, bit),
                     f"{name}-twice-habit-{bit:02x}": (ask | twice, 0, 0, bit),
                     f"{name}-young-habit-{bit:02x}": (ask | 4 | twice, 0, 0, bit)}
        for part in range(18):
            rounds = ask | (twice if part >= 10 else 0)
            head |= {f"{name}-edit-{part:02}": (rounds, 0, 0, 0, *edit(part, SET, 60, 0x41)),
                     f"{name}-cut-{part:02}": (rounds, 0, 0, 2, *edit(part, CUT, 60, 0))}
    return {name: bytes(content) for name, content in head.items()}


def measure():
    head = {f"mode-{mode}-vmm-{vmm}": (mode, 1 + vmm, vmm, 1) for mode in range(5) for vmm in range(3)}
    for i, bit in enumerate(BITS):
        head |= {f"flag-{bit:02x}": (i % 5, 2, 0, bit), f"snp-flag-{bit:02x}": (0, 2, 0, 1 | bit),
                 f"svsm-flag-{bit:02x}": (3, 1, 0, 4 | bit)}
    head |= {f"memory-{i:02}": (0, i, i, 72) for i in range(16)}
    kernel = itertools.chain(range(0, 64, 6), range(0x80, 0x160, 6), range(0x200, 0x240, 6))
    for part, offsets in enumerate((range(7100, 8192, 40), range(256, 384, 6), kernel)):
        head |= {f"edit-{part}-{offset:05}": (0, 1, 0, 1, *edit(part, FLIP, offset, 1)) for offset in offsets}
    for part in range(6):
        head |= {f"cut-{part}": (3, 1, 0, 5, *edit(part, CUT, 100, 0)),
                 f"empty-{part}": (3, 1, 0, 5, *edit(part, CUT, 0, 0))}
    for name, value in (("quote", 34), ("zero", 0), ("wide", 0xc3)):
        head[f"cmdline-{name}"] = (0, 1, 0, 1, *edit(4, SET, 3, value))
    return {name: bytes(content) for name, content in head.items()}


TARGETS = [snp_appraise, tdx_appraise, tpm_appraise, verify, endorsements, measure]
