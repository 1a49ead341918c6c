# SPDX-License-Identifier: Apache-2.0
"""`policy create-corim` and `attestation validate --corim`, over genuine evidence and evidence under a
test root. python3-cbor2 reads what we write. Skipped without the vectors."""
import base64
import json
import os
import sys
import uuid

import cbor2
import tap
from harness import NO, Folder, cli, read, spki

VECTORS = os.environ["COCOS_VECTORS"]
STOCK = {"cocos": 1, "run": {"agent": "stock"}}  # bare evidence has no run statement


class Snp:
    def __init__(self):
        self.folder = os.path.join(VECTORS, "snp", "own-root", "alias-check-done")
        with open(os.path.join(self.folder, "expected.json"), encoding="utf-8") as file:
            self.case = json.load(file)
        r = self.report = read(os.path.join(self.folder, "report.bin"))
        self.values = {"measurement": r[0x90:0xc0].hex(), "product": "Milan",
                       "policy": str(int.from_bytes(r[8:16], "little")),
                       "svn": str(int.from_bytes(r[4:8], "little")), "host-data": r[0xc0:0xe0].hex(),
                       "launch-tcb": str(int.from_bytes(r[0x1f0:0x1f8], "little"))}
        root = os.path.join(self.folder, self.case["trusted_root"])
        self.words = ["--mode", "snp", "--report_data", r[0x50:0x90].hex(), "--vcek",
                      os.path.join(self.folder, "vcek.der"), "--trusted_root", root, "--CA_bundles_paths",
                      os.path.join(self.folder, self.case["files"]["ask"]) + "," + root]
        self.file = os.path.join(self.folder, "report.bin")


class Tdx:
    def __init__(self):
        self.folder = os.path.join(VECTORS, "tdx", "v4-phala-uptodate")
        with open(os.path.join(self.folder, "expected.json"), encoding="utf-8") as file:
            self.case = json.load(file)
        f = self.case["fields"]
        self.values = {"measurement": f["mrtd"], "mr-seam": f["mrseam"],
                       "rtmrs": ",".join(f[f"rtmr{i}"] for i in range(4)),
                       "svn": str(int(f["tee_tcb_svn"][:2], 16))}
        self.words = ["--mode", "tdx", "--report_data", f["reportdata"], "--collateral",
                      os.path.join(self.folder, "collateral")]
        self.file = os.path.join(self.folder, "quote.bin")


CASES = {"snp": Snp, "tdx": Tdx}


def create(kind, path, values, *more):
    return cli("policy", "create-corim", kind, "--force", "--output", path,
               *(w for name, value in values.items() for w in ("--" + name, value)), *more)


def validate(case, folder, *more):
    folder.write("stock.json", json.dumps(STOCK))
    return cli("attestation", "validate", case.file, *case.words, "--at", case.case["at"], "--offline", "--cache",
               folder("cache"), "--policy", folder("stock.json"), "--json", *more)


def refused(run, check):
    assert run.status in NO, f"exit {run.status}\n{run.out}{run.err}"
    reason = json.loads(run.out)["reason"]
    assert reason.startswith(check), reason


def what_a_corim_says_is_enough_to_know_what_is_right():
    for kind, make in CASES.items():
        case = make()
        with Folder() as folder:
            refused(validate(case, folder), "policy.given")
            create(kind, folder("c"), case.values).ok()
            verdict = validate(case, folder, "--corim", folder("c")).json()
            assert verdict["verdict"].lower().endswith("verified"), verdict["verdict"]
            assert any(c["name"] == "corim.reference" and c["outcome"] == "passed" for c in verdict["checks"])
            assert any("unsigned" in n for n in verdict["notes"]), verdict["notes"]


def each_value_counts():
    def other(name, value):
        if name == "product":
            return "Genoa"
        if name == "policy":
            return str(int(value) ^ 1 << 20)
        if name in ("svn", "launch-tcb"):
            return str(int(value) + 1)
        return ("1" if value[0] == "0" else "0") + value[1:]
    for kind, make in CASES.items():
        case = make()
        for name, value in case.values.items():
            with Folder() as folder:
                create(kind, folder("c"), case.values | {name: other(name, value)}).ok()
                run = validate(case, folder, "--corim", folder("c"))
                assert run.status == 1, f"{name}: {run.out}"
                failed = {c["name"] for c in json.loads(run.out)["checks"] if c["outcome"] == "failed"}
                assert "corim.reference" in failed or "policy." in str(failed), (name, failed)


def a_policy_and_a_corim_have_to_agree():
    case = Snp()
    with Folder() as folder:
        create("snp", folder("c"), case.values).ok()
        words = ["--host-data", case.values["host-data"]] if int(case.values["host-data"], 16) else []
        allow = ["--allow", "smt"] if int(case.values["policy"]) >> 16 & 1 else []
        for measurement, yes in ((case.values["measurement"], True), ("00" * 48, False)):
            cli("policy", "create", "snp", "--measurement", measurement, *words, *allow, "--agent", "stock", "-o",
                folder("p.json"), "--force").ok()
            run = cli("attestation", "validate", case.file, *case.words, "--at", case.case["at"], "--offline",
                      "--cache", folder("cache"), "--policy", folder("p.json"), "--corim", folder("c"), "--json")
            assert (run.status == 0) == yes, run.out
            if not yes:
                refused(run, "policy.measurement")


def public_pem(der):
    text = base64.b64encode(der).decode()
    lines = "\n".join(text[i:i + 64] for i in range(0, len(text), 64))
    return f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"


def a_signed_one_is_believed_under_its_key_alone():
    case = Snp()
    public, key = spki()
    other, _ = spki()
    with Folder() as folder:
        folder.write("private.pem", key, 0o600)
        folder.write("key.pem", public_pem(public))
        folder.write("other.pem", public_pem(other))
        create("snp", folder("signed"), case.values, "--signing-key", folder("private.pem")).ok()
        create("snp", folder("plain"), case.values).ok()
        validate(case, folder, "--corim", folder("signed"), "--corim_key", folder("key.pem")).ok()
        refused(validate(case, folder, "--corim", folder("signed")), "corim.accepted")
        refused(validate(case, folder, "--corim", folder("signed"), "--corim_key", folder("other.pem")),
                "corim.accepted")
        refused(validate(case, folder, "--corim", folder("plain"), "--corim_key", folder("key.pem")),
                "corim.accepted")
        assert validate(case, folder, "--corim_key", folder("key.pem")).status == 2
        assert validate(case, folder, "--corim", folder("plain"), "--genuine-only").status == 2
        cli("attestation", "check", "corim", folder("signed"), "--key", folder("key.pem")).ok()


def published_corims_describe_none_of_this():
    case = Snp()
    for name in ("cocos-snp-digest-alg7", "cocos-snp-svn-only", "cocos-tdx", "published-tdx-seam",
                 "published-unsigned-good-corim", "cocos-snp-no-svn", "cocos-snp-digest-alg1"):
        with Folder() as folder:
            run = validate(case, folder, "--corim", os.path.join(VECTORS, "corim", name, "corim.cbor"))
            assert run.status == 1, name
            checks = json.loads(run.out)["checks"]
            assert not any(c["name"] == "corim.reference" and c["outcome"] == "passed" for c in checks), name


def an_independent_reader_finds_what_was_written():
    with Folder() as folder:
        case = Snp()
        create("snp", folder("c"), case.values).ok()
        corim = cbor2.loads(read(folder("c")))
        assert corim[0].startswith("snp-corim-") and corim[1][0][:3] == b"\xd9\x01\xfa"
        (environment, measurements), = cbor2.loads(corim[1][0]).value[4][0]
        assert environment[1] == uuid.uuid5(uuid.NAMESPACE_OID, "Milan")
        assert measurements[0][1][2] == [[7, bytes.fromhex(case.values["measurement"])]]
        assert measurements[0][1][1] == cbor2.CBORTag(553, int(case.values["svn"]))
        assert {m[0] for m in measurements[1:]} == {2, 642, 3968}
        case = Tdx()
        create("tdx", folder("t"), case.values).ok()
        (environment, measurements), = cbor2.loads(cbor2.loads(read(folder("t")))[1][0]).value[4][0]
        assert list(environment) == [0]
        wanted = [case.values["measurement"], case.values["mr-seam"]] + case.values["rtmrs"].split(",")
        assert [m[1][2][0][1].hex() for m in measurements] == wanted
        create("tdx", folder("u"), {"measurement": wanted[0], "rtmrs": f",{wanted[3]},,"}).ok()
        (_, measurements), = cbor2.loads(cbor2.loads(read(folder("u")))[1][0]).value[4][0]
        assert [m[0] for m in measurements] == ["mrtd", "rtmr1"]


def what_makes_no_sense_is_not_written():
    h = "ab" * 48
    with Folder() as folder:
        out = folder("c")
        for kind, words, said in (
                ("snp", ["--product", "Milan"], "--measurement is missing"),
                ("snp", ["--measurement", h], "--product is missing"),
                ("snp", ["--measurement", h, "--product", "Rome"], "Milan, Genoa or Turin"),
                ("snp", ["--measurement", h, "--product", "Milan", "--policy", "0"], "bit 17"),
                ("snp", ["--measurement", h, "--product", "Milan", "--policy", "0xa0000"], "debug"),
                ("snp", ["--measurement", h, "--product", "Milan", "--svn", str(2 ** 32)], "at most"),
                ("snp", ["--measurement", h, "--product", "Milan", "--signing-key", folder("none")], "signing-key"),
                ("tdx", [], "--measurement is missing"),
                ("tdx", ["--measurement", h, "--rtmrs", f"{h},{h}"], "four"),
                ("tdx", ["--measurement", h, "--rtmrs", f"{h},{h},{h},{h},{h}"], "more than 4"),
                ("tdx", ["--measurement", h, "--rtmrs", f"{h},{h},{h},00"], "value 4"),
                ("tdx", ["--measurement", h, "--svn", "256"], "at most")):
            create(kind, out, {}, *words).refused(2, said)
            assert not os.path.exists(out), words
        cli("policy", "create-corim", "snp", "--measurement", h, "--product", "Milan").refused(2, "--output")


if __name__ == "__main__":
    if not os.path.isdir(os.path.join(VECTORS, "snp")):
        print("1..0 # SKIP no vectors")
        sys.exit(0)
    tap.run([what_a_corim_says_is_enough_to_know_what_is_right, each_value_counts,
             a_policy_and_a_corim_have_to_agree, a_signed_one_is_believed_under_its_key_alone,
             published_corims_describe_none_of_this, an_independent_reader_finds_what_was_written,
             what_makes_no_sense_is_not_written])
