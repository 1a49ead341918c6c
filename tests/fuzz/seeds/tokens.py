# SPDX-License-Identifier: Apache-2.0
"""CBOR, and what is made of it: COSE, tokens, run statements."""
import hashlib

from seeds.parts import Simple, Tag, cbor, head, pair, saved

def datum():
    wide = {n: cbor([(1 << 8 * n) - 1, -(1 << 8 * n), Tag((1 << 8 * n) - 1, None)]) for n in (1, 2, 4, 8)}
    return {
        "kinds": cbor([1, -1, b"a", "b\u00e9", {1: 2, -3: [], "k": {}}, Tag(18, b""), True, False, None]),
        "floats": cbor([Simple(b"\xf9\x3c\x00"), Simple(b"\xfa\x3f\x80\0\0"), Simple(b"\xfb\x3f\xf0"
            + bytes(6)), Simple(b"\xf7")]),
        **{f"wide-{n}": text for n, text in wide.items()},
        "long-strings": cbor([bytes(300), "t" * 300]),
        "indefinite-array": b"\x9f\x01\xff",
        "indefinite-map": b"\xbf\xff",
        "indefinite-bytes": b"\x5f\x41a\xff",
        "indefinite-text": b"\x7f\x61a\xff",
        "break": b"\xff",
        "not-shortest-number": b"\x18\x01",
        "not-shortest-length": b"\x58\x01a",
        "not-shortest-array": b"\x98\x01\x01",
        "not-shortest-tag": b"\xd8\x01\x01",
        "wide-bool": b"\xf8\x14",
        "no-tag": b"\xdc\x01",
        "no-number": b"\x1c",
        "cut-tag": b"\xdb\x01",
        "cut-number": b"\x1a\x01",
        "no-utf8": b"\x61\xff",
        "key-bytes": b"\xa1\x41a\x01",
        "same-key": bytes(pair((1, 1), (1, 2))),
        "same-text-key": bytes(pair(("ab", 1), ("ab", 2))),
        "same-negative-key": bytes(pair((-1, 1), ("ab", 3), (-1, 2))),
        "deep": b"\x81" * 15 + b"\x80",
        "too-deep": b"\x81" * 17 + b"\x80",
        "more-than-there": b"\x9a\xff\xff\xff\xff",
        "too-many-pairs": head(5, 1025) + b"".join(cbor(n) + b"\0" for n in range(1025)),
        "too-many-items": cbor([0] * 20001),
        "bytes-after": b"\x01\x01",
        "cut-string": b"\x45ab",
    }


def sign1(protected, payload=b"payload", unprotected=None, signature=bytes(64)):
    protected = protected if isinstance(protected, bytes) else cbor(protected)
    return cbor(Tag(18, [protected, unprotected or {}, payload, signature]))


def cose():
    return {
        **{f"alg{number}": sign1({1: number}) for number in (-7, -8, -35, -36, -37, -257)},
        "even": sign1({1: -7}, b"even"),
        "empty": sign1({1: -8}, b""),
        "kid": sign1({1: -7, 3: "text/plain"}, unprotected={4: b"kid", "x": 1}),
        "crit": sign1({1: -7, 2: [1, 8], 8: b"meta"}),
        "crit-unknown": sign1({1: -7, 2: [9], 9: 1}),
        "crit-absent": sign1({1: -7, 2: [8]}),
        "crit-empty": sign1({1: -7, 2: []}),
        "crit-number": sign1({1: -7, 2: 1}),
        "crit-outside": sign1({1: -7}, unprotected={2: [1]}),
        "alg-outside": sign1({1: -7}, unprotected={1: -7}),
        "alg-absent": sign1({4: b""}),
        "alg-text": sign1({1: "ES256"}),
        "label-twice": sign1({1: -7, 4: b"a"}, unprotected={4: b"a"}),
        "text-twice": sign1({1: -7, "x": 1}, unprotected={"x": 1}),
        "text-other": sign1({1: -7, "y": 1}, unprotected={"x": 1}),
        "both-ivs": sign1({1: -7, 5: b"a"}, unprotected={6: b"b"}),
        "one-iv": sign1({1: -7, 5: b"a"}),
        "untagged": cbor([cbor({1: -7}), {}, b"", b""]),
        "other-tag": cbor(Tag(98, [b"", {}, b"", b""])),
        "three-parts": cbor(Tag(18, [cbor({1: -7}), {}, b""])),
        "detached": sign1({1: -7}, None),
        "protected-empty": sign1(b""),
        "protected-array": sign1(b"\x80"),
        "protected-broken": sign1(b"\xa1"),
        "signature-number": cbor(Tag(18, [cbor({1: -7}), {}, b"", 1])),
        "es512-short": sign1({1: -36}, signature=bytes(131)),
        "bytes-after": sign1({1: -7}) + b"\0",
    }


SNP, TDX = saved("snp_report/milan-v2"), saved("tdx_quote/v4")
TPM = saved("tpm_attestation/message")[1:]
# A point of P-256: its generator.
X = bytes.fromhex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")
Y = bytes.fromhex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + b"\4" + X + Y


def token(platform="SNP", raw=SNP, without=(), **more):
    claims = {4: 2000, 6: 1000, 8: {1: {1: 2, -1: 1, -2: X, -3: Y}}, 10: bytes(range(8)),
              "platform_type": platform, "raw_report": raw}
    claims.update({int(k[1:]) if k[0] == "n" and k[1:].isdigit() else k.replace("_", "-") if k[:2] == "x_"
                   else k: v for k, v in more.items()})
    return sign1({1: -7}, cbor({k: v for k, v in claims.items() if k not in without}))


def little(raw, at, size):
    return int.from_bytes(raw[at:at + size], "little")


def snp_map(raw):
    current, reported = little(raw, 0x38, 8), little(raw, 0x180, 8)
    return {"measurement": raw[0x90:0xc0], "policy": little(raw, 8, 8), "vmpl": little(raw, 0x30, 4),
            "current_tcb": current, "family_id": raw[0x10:0x20],
            "tcb": f"current:{current},reported:{reported}", "signature": raw[0x2a0:0x4a0]}


def eat():
    body = TDX[48:]
    mrtd, good, quote_tdx = body[136:184], snp_map(SNP), TDX
    tdx_map = {"tdx_mrtd": mrtd, "tdx_mrseam": body[16:64], "tdx_xfam": little(body, 128, 8)}
    out = {
        "snp-good": token(n265=SNP[0x90:0xc0], n256=SNP[0x1a0:0x1e0], n263=1, n5=900,
            x_cocos_nonce_use="run", x_cocos_sevsnp=good, x_cocos_run=b"run", x_cocos_tee_report=SNP,
            x_cocos_event_log=b"log", x_cocos_run_evidence=b"evidence"),
        "snp-debug-said": token(n263=0),
        "snp-debug-number": token(n263=9),
        "snp-map-number": token(x_cocos_sevsnp=1),
        "snp-other-measurement": token(n265=bytes(48)),
        "snp-other-ueid": token(n256=bytes(64)),
        "snp-other-policy": token(x_cocos_sevsnp={"policy": 1}),
        "snp-other-tcb": token(x_cocos_sevsnp={"tcb": "current:1"}),
        "snp-other-signature": token(x_cocos_sevsnp={"signature": b"x"}),
        "snp-other-report-beside": token(x_cocos_tee_report=b"x"),
        "snp-tdx-map": token(x_cocos_tdx={}),
        "snp-tpm-map": token(x_cocos_vtpm={}),
        "uncompared": token(n999=1, n2="subject", n257=b"oem", nothing=None, x_cocos_new="x",
            x_cocos_sevsnp={"other": 1, "tcb": None, 7: 1, "measurement": SNP[0x90:0xc0]}),
        "tdx-good": token("TDX", TDX, n265=mrtd, n256=mrtd[:32], n263=1, x_cocos_tdx=tdx_map, n998=1),
        "tdx-signature": token("TDX", TDX, x_cocos_tdx={**tdx_map, "tdx_signature": quote_tdx[632:],
            "new": 1}),
        "tdx-other": token("TDX", TDX, x_cocos_tdx={"tdx_mrtd": b"x"}),
        "tdx-other-ueid": token("TDX", TDX, n256=b"x"),
        **{f"{name}-log-{log}": token(name, raw, x_cocos_event_log=saved(f"event_log/{log}")[1:])
           for name, raw in (("vTPM", TPM), ("TDX", TDX)) for log in ("agile", "cc", "legacy")},
        "both-log": token("SNP-vTPM", TPM, x_cocos_tee_report=SNP, x_cocos_event_log=saved("event_log/agile")[1:]),
        "uncompared-many": token(**{f"claim{n:02}": 1 for n in range(40)}, n998=1),
        "vtpm-good": token("vTPM", TPM, x_cocos_vtpm={"event_log": b"", "new": 1}, n263=1),
        "vtpm-measured": token("vTPM", TPM, n265=b"x"),
        "vtpm-map-text": token("vTPM", TPM, x_cocos_vtpm="x"),
        "vtpm-pcrs-text": token("vTPM", TPM, x_cocos_vtpm={"pcrs": "x"}),
        "vtpm-pcr-unknown": token("vTPM", TPM, x_cocos_vtpm={"pcrs": {"sha256:99": "x"}}),
        "vtpm-pcr-other": token("vTPM", TPM, x_cocos_vtpm={"pcrs": {"sha256:15": "x", "sha384:0": "x"}}),
        "vtpm-other-quote": token("vTPM", TPM, x_cocos_vtpm={"quote": b"x"}),
        "vtpm-other-log": token("vTPM", TPM, x_cocos_vtpm={"event_log": b"x"}),
        "both": token("SNP-vTPM", TPM, x_cocos_tee_report=SNP, x_cocos_vtpm={}, x_cocos_sevsnp={}),
        "no-report": token(without=["raw_report"]),
        "report-text": token(raw="x"),
        "report-empty": token(raw=b""),
        "no-exp": token(without=[4]),
        "iat-negative": token(n6=-1),
        "nbf-text": token(n5="x"),
        "nonce-short": token(n10=b"1234"),
        "nonce-long": token(n10=bytes(65)),
        "no-key": token(without=[8]),
        "key-null": token(n8=None),
        "key-text": token(n8="x"),
        "key-off-curve": token(n8={1: {1: 2, -1: 1, -2: X, -3: X}}),
        "key-rsa": token(n8={1: {1: 3, -1: 1, -2: X, -3: Y}}),
        "platform-unknown": token("SGX"),
        "use-channel": token(x_cocos_nonce_use="channel"),
        "use-unknown": token(x_cocos_nonce_use="x"),
        "use-null": token(x_cocos_nonce_use=None),
        "tag-inside": token(more=Tag(1, 1)),
        "exp-before-iat": token(n4=1),
        "nbf-late": token(n5=1500),
        "es384": sign1({1: -35}, cbor({})),
        "claims-array": sign1({1: -7}, cbor([])),
        "claims-broken": sign1({1: -7}, b"\xa1"),
        "run-number": token(x_cocos_run=1),
    }
    return out


def statement(drop=(), **more):
    entries = {"b": "value", "aa": [bytes(16), bytes(32)]}
    fields = {0: 1, 1: "id", 2: bytes(32), 3: bytes(32), 4: bytes(32), 5: entries, 6: False, 7: SPKI, 8: False,
              9: None, 10: ["development"]}
    fields.update({int(k[1:]): v for k, v in more.items()})
    return cbor({k: v for k, v in fields.items() if k not in drop})


def run_statement():
    return {
        "whole": statement(_9=b"journal", _6=True, _10=["a", "b"]),
        "none": statement(_5={}, _10=[]),
        "same-length-keys": statement(_5={"aa": "1", "ab": "2", "c": "3"}),
        "entries-unsorted": statement(_5={"bb": "", "a": ""}),
        "version-2": statement(_0=2),
        "version-text": statement(_0="1"),
        "id-number": statement(_1=1),
        "id-zero": statement(_1="a\0b"),
        "boot-short": statement(_2=bytes(31)),
        "config-text": statement(_3="x"),
        "fixed-number": statement(_6=1),
        "external-null": statement(_8=None),
        "entries-array": statement(_5=[]),
        "entry-number-key": statement(_5={1: "x"}),
        "entry-zero": statement(_5={"a": "b\0"}),
        "entry-number": statement(_5={"a": 1}),
        "entry-salt-short": statement(_5={"a": [b"", bytes(32)]}),
        "words-map": statement(_10={}),
        "word-number": statement(_10=[1]),
        "identity-empty": statement(_7=b""),
        "identity-text": statement(_7="x"),
        "journal-empty": statement(_9=b""),
        "journal-text": statement(_9="x"),
        "member-missing": statement(drop=[10]),
        "member-more": statement(_11=1),
        "array": cbor([]),
        "broken": b"\xa1",
        "many-entries": statement(_5={str(n): "" for n in range(300)}),
        "unordered": cbor({1: "id", 0: 1, 2: bytes(32), 3: bytes(32), 4: bytes(32), 5: {}, 6: False, 7: SPKI,
            8: False, 9: None, 10: []}),
    }


# The curve's generator: somebody's key, and everybody's.
P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0"
                     "f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")


def link(sequence, previous, entry):
    return hashlib.sha256(b"cocos-journal-entry-v1\0" + sequence.to_bytes(8, "big") + previous
                          + hashlib.sha256(entry).digest()).digest()


def journal():
    digest = b"\1" * 32
    run = statement(_5={}, _9=P256)
    start = ["start", {"manifest": bytes(32), "statement": run, "computation": "id"}]
    notes = [start, ["evidence", {"token": b"token"}], ["no-evidence", {"reason": "none"}],
             ["event", {"type": "a", "status": "b", "details": "{}"}], ["event", {"type": "a", "status": "b"}],
             ["output", {"text": "x", "stream": 1}], ["exit", {"ok": True, "cause": ""}],
             ["kept", {"key": digest, "name": "", "size": 1, "digest": digest, "consent": "retry", "manifest": digest}],
             ["forgotten", {"key": digest, "name": "", "digest": digest}],
             ["delivery", {"key": digest}], ["left-out", {"count": 1}], ["end", {"reason": "stopped"}]]
    head = cbor(Tag(18, [cbor({1: -7, 3: "application/cocos-journal-head+cbor"}), {}, cbor([False, 1, digest]),
                         bytes(64)]))

    def book(*rows, last=head):
        data, previous = b"", bytes(32)
        for n, row in enumerate(rows, 1):
            entry = row if isinstance(row, bytes) else cbor([n, previous, 1700000000000, *row])
            previous = link(n, previous, entry)
            data += cbor(entry)
        return data + (cbor(last) if last else b"")

    wrong = {"type": ["rumour", {}], "no-map": ["log", []], "missing": ["log", {"text": "x"}], "more": ["end",
        {"z": 1, "reason": ""}], "kind": ["left-out", {"count": -1}], "short": ["delivery", {"key": b"x"}]}
    return {
        "whole": book(*notes),
        **{f"wrong-{name}": book(start, row) for name, row in wrong.items()},
        "empty": b"",
        "no-head": book(start, last=None),
        "no-start": book(notes[1]),
        "two-starts": book(start, start),
        "head-alone": book(),
        "behind-head": book(start) + cbor(head),
        "other-manifest": book(["start", {"manifest": digest, "statement": run, "computation": "id"}]),
        "other-id": book(["start", {"manifest": bytes(32), "statement": run, "computation": "other"}]),
        "no-key": book(["start", {"manifest": bytes(32), "statement": statement(_5={}), "computation": "id"}]),
        "wrong-key": book(["start", {"manifest": bytes(32), "statement": statement(_5={}, _9=b"x"), "computation":
            "id"}]),
        "no-statement": book(["start", {"manifest": bytes(32), "statement": b"x", "computation": "id"}]),
        "sequence": book(start, cbor([3, bytes(32), 1, "end", {"reason": ""}])),
        "previous": book(start, cbor([2, bytes(32), 1, "end", {"reason": ""}])),
        "not-five": book(start, cbor([1, 2, 3, 4, "5"])),
        "broken": book(start, b"\x85"),
        "other": book(start, b"\xf6"),
        "evidence-twice": book(start, notes[1], notes[1]),
        "text-item": cbor("x"),
        "large-item": b"\x5a\x7f\xff\xff\xff",
        "long-length": b"\x58\x01x" + b"\x59\x00\x01x",
        "length-2": book(start, ["log", {"text": "x" * 300, "level": ""}], ["log", {"text": "y" * 70000, "level": ""}]),
        "cut-off": book(start)[:-1],
        "head": head,
        "head-long": book(start, last=head + bytes(600)),
        "head-protected": book(start, last=cbor(Tag(18, [cbor({1: -7}), {}, b"", bytes(64)]))),
    }


def joined(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def witness():
    leaf, sibling, right = ["c-1", 1, 2, b"\1" * 32], b"\2" * 32, b"\3" * 32
    hashed = hashlib.sha256(b"\0" + cbor(leaf)).digest()

    def signed(*payload, protected=None, beside=None):
        return cbor(Tag(18, [cbor(protected or {1: -7, 3: "application/cocos-journal-log-head+cbor"}), beside or {},
                             cbor(list(payload)), bytes(64)]))

    def proof(of=leaf, index=1, path=(sibling, right), head=signed(3, joined(joined(sibling, hashed), right), 5)):
        return cbor([of, index, list(path), head])

    def tree(flags, old, size):
        return bytes([flags]) + old.to_bytes(4, "big") + size.to_bytes(4, "big")

    most = (1 << 32) - 1
    return {
        "whole": proof(),
        "alone": proof(index=0, path=(), head=signed(1, hashed, 5)),
        "left": proof(index=0, path=(sibling,), head=signed(2, joined(hashed, sibling), 5)),
        "last": proof(index=2, path=(sibling,), head=signed(3, joined(sibling, hashed), 5)),
        "other-root": proof(index=0),
        "index": proof(index=3),
        "path-short": proof(path=(sibling,)),
        "path-long": proof(path=(sibling,) * 33),
        "path-too-long": proof(path=(sibling,) * 34),
        "path-hash": proof(path=(b"x",)),
        "leaf-id": proof(of=["", 1, 2, b"\1" * 32]),
        "leaf-zero": proof(of=["a\0b", 1, 2, b"\1" * 32]),
        "leaf-run": proof(of=["c", 0, 2, b"\1" * 32]),
        "leaf-count": proof(of=["c", 1, (1 << 32) + 1, b"\1" * 32]),
        "leaf-three": proof(of=["c", 1, 2]),
        "three": cbor([leaf, 1, []]),
        "head-size": proof(head=signed((1 << 32) + 1, bytes(32), 5)),
        "head-payload": proof(head=signed(3, b"x", 5)),
        "head-type": proof(head=signed(1, hashed, 5, protected={1: -7})),
        "head-beside": proof(head=signed(1, hashed, 5, beside={4: b"k"})),
        "head-none": proof(head=b""),
        "head-broken": proof(head=cbor(Tag(18, [cbor({1: -7}), {}, b"\xff", bytes(64)]))),
        "long": proof() + bytes(4096),
        "broken": b"\x84",
        **{f"tree-{old}-{size}": tree(0, old, size) for old, size in ((0, 0), (1, 1), (1, 2), (3, 7), (4, 7), (6, 8),
            (8, 13), (9, 9), (7, 6), (1, most), ((1 << 31) + 1, most), (most, most))},
        "tree-full": tree(3, most, most),
        "tree-full-odd": tree(2, (1 << 31) + 1, most),
    }


def witness_audit():
    before, root, more, less, swaps = 1, 2, 4, 8, 16
    leaf = ["c-1", 1, 2, b"\1" * 32]
    five = [["c-1", n + 1, 2, b"\1" * 32] for n in range(5)]

    def shown(leaves, flags=0, old=0, at=0):
        coded = [each if isinstance(each, bytes) else cbor(each) for each in leaves]
        return bytes([flags, old, at]) + b"".join(len(each).to_bytes(2, "big") + each for each in coded)

    return {
        "none": shown([]),
        "none-and-more": shown([], flags=more),
        "one": shown([leaf], old=1),
        "five": shown(five, old=3),
        "forty": shown([["c", n + 1, 1, bytes(32)] for n in range(41)], old=17),
        "another-before": shown(five, flags=before, old=3),
        "another-root": shown(five, flags=root, old=3),
        "more": shown(five, flags=more, old=3),
        "less": shown(five, flags=less, old=3),
        "swapped": shown(five, flags=swaps, old=3, at=1),
        "swapped-behind": shown(five, flags=swaps, old=1, at=3),
        "swapped-alike": shown([leaf, leaf], flags=swaps, old=1),
        "longest": shown([["i" * 255, 1 << 32, 1 << 32, b"\1" * 32]]),
        "too-long": shown([["i" * 256, 1, 1, b"\1" * 32], bytes(400)]),
        "no-leaves": shown([b"", b"\x80", b"\x18\x01", cbor(leaf) + b"\0", cbor(leaf)[:-1], cbor(leaf[:3]),
            ["", 1, 1, bytes(32)], ["c", 0, 1, bytes(32)], ["c", 1, 0, bytes(32)], ["c", 1, 1, bytes(31)], leaf]),
        "cut": shown([leaf])[:-1],
    }


TARGETS = [datum, cose, eat, run_statement, journal, witness, witness_audit]
