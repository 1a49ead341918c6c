# SPDX-License-Identifier: Apache-2.0
"""`policy create snp|tdx`: every option gives the key that it names, as the policy's own reader takes it."""
import base64
import hashlib
import json
import os
import re

import tap
from harness import Folder, cli
from tdx_image import TABLES, firmware, rtmr0_values, write_image, write_tables

H48, H32, H16 = "ab" * 48, "cd" * 32, "ef" * 16

# Option, its value on the command line (None: a flag), where it stands in the policy, as what.
SNP = [
    ("measurement", f"{H48},{'12' * 48}", "snp/measurements", [H48, "12" * 48]),
    ("host-data", H32, "snp/host_data", [H32]),
    ("id-key-digest", H48, "snp/id_key_digests", [H48]),
    ("author-key-digest", H48, "snp/author_key_digests", [H48]),
    ("require-author-key", None, "snp/require_author_key", True),
    ("family-id", H16, "snp/family_ids", [H16]),
    ("image-id", H16, "snp/image_ids", [H16]),
    ("report-id", H32, "snp/report_ids", [H32]),
    ("report-id-ma", H32, "snp/report_id_mas", [H32]),
    ("chip-id", "01" * 64, "snp/chip_ids", ["01" * 64]),
    ("require-chip-allow-list", None, "snp/require_chip_allow_list", True),
    ("min-version", "3", "snp/min_version", 3),
    ("min-guest-svn", "7", "snp/min_guest_svn", 7),
    ("vmpl", "2", "snp/vmpl", 2),
    ("allow", "smt,cxl", "snp/allow", ["smt", "cxl"]),
    ("demand", "single_socket,page_swap_disable", "snp/demand", ["single_socket", "page_swap_disable"]),
    ("min-abi", "1.55", "snp/min_abi", "1.55"),
    ("platform", "tsme,ecc", "snp/platform", ["tsme", "ecc"]),
    ("allow-tio", None, "snp/allow_tio", True),
    ("allow-unchecked-alias", None, "snp/allow_unchecked_alias", True),
    ("allow-vlek", None, "snp/allow_vlek", True),
    ("csp-id", "Example", "snp/csp_id", "Example"),
    ("product", "Milan", "snp/product", "Milan"),
    ("min-tcb", "bootloader=4,snp=24", "snp/min_tcb", {"bootloader": 4, "snp": 24}),
    ("min-launch-tcb", "tee=0", "snp/min_launch_tcb", {"tee": 0}),
    ("allow-provisional", None, "snp/allow_provisional", True),
    ("min-build", "21", "snp/min_build", 21),
    ("min-api", "1.55", "snp/min_api", "1.55"),
    ("min-firmware", "1.55.21", "snp/min_firmware", [1, 55, 21]),
    ("launch-mit-vector", "0xffffffffffffffff", "snp/launch_mit_vector", 2 ** 64 - 1),
    ("current-mit-vector", "1", "snp/current_mit_vector", 1),
]
TDX = [("mrtd", f"{H48},{'12' * 48}", "tdx/mrtd", [H48, "12" * 48])] + [
    (option, value * length, "tdx/" + key, [value * length])
    for option, key, length, value in (
        ("rtmr0", "rtmr0", 48, "01"), ("rtmr1", "rtmr1", 48, "02"), ("rtmr2", "rtmr2", 48, "03"),
        ("rtmr3", "rtmr3", 48, "04"), ("mr-seam", "mrseam", 48, "05"), ("mrconfigid", "mrconfigid", 48, "06"),
        ("mrowner", "mrowner", 48, "07"), ("mrownerconfig", "mrownerconfig", 48, "08"),
        ("mrservicetd", "mrservicetd", 48, "09"), ("fmspc", "fmspcs", 6, "0a"),
        ("instance", "instances", 16, "0b"))] + [
    ("allow-attribute", "lass,kl", "tdx/allow_attributes", ["lass", "kl"]),
    ("allow-sept-ve", None, "tdx/allow_sept_ve", True),
    ("attributes", "00" * 8, "tdx/attributes", "00" * 8),
    ("xfam", "e7" + "00" * 7, "tdx/xfam", "e7" + "00" * 7),
    ("status", "UpToDate,OutOfDate", "tdx/statuses", ["UpToDate", "OutOfDate"]),
    ("min-evaluation", "17", "tdx/min_evaluation", 17),
    ("min-tee-tcb-svn", "05" * 16, "tdx/min_tee_tcb_svn", "05" * 16),
    ("min-qe-svn", "8", "tdx/min_qe_svn", 8),
    ("min-pce-svn", "13", "tdx/min_pce_svn", 13),
]
COMMON = [
    ("max-age", "60", "token/max_age", 60),
    ("agent", "stock", "run/agent", "stock"),
    ("fixed-boot", None, "run/fixed_boot", True),
    ("kernel", "stock", "run/kernel", "stock"),
    ("azure-paravisor", None, "run/azure_paravisor", True),
    ("boot-key", "AGENT_LOG_LEVEL", "run/boot_keys", ["AGENT_LOG_LEVEL"]),
    ("weak-word", "cocos.role_signature", "run/weak_words", ["cocos.role_signature"]),
    ("allow-external-identity", None, "run/allow_external_identity", True),
    ("require-crl", None, "crl/required", True),
    ("crl-max-age", "604800", "crl/max_age", 604800),
    ("tls-groups", "X25519MLKEM768,x25519", "tls/groups", ["X25519MLKEM768", "x25519"]),
]
KINDS = {"snp": (SNP, ("--measurement", H48)), "tdx": (TDX, ("--mrtd", H48))}


def words_of(option, value):
    return ["--" + option] + ([] if value is None else [value])


def member(policy, path):
    for key in path.split("/"):
        policy = policy[key]
    return policy


def understood(text):
    with Folder() as folder:
        folder.write("policy.json", text)
        cli("policy", "validate", folder("policy.json")).ok()
    return json.loads(text)


def each_option_alone_gives_its_key():
    for kind, (options, needed) in KINDS.items():
        for option, value, path, wanted in options + COMMON:
            base = [] if option == needed[0][2:] else needed
            policy = understood(cli("policy", "create", kind, *base, *words_of(option, value)).ok())
            assert member(policy, path) == wanted, (option, policy)
            assert policy["cocos"] == 1 and set(policy) == {"cocos", kind, path.split("/")[0]}, policy


def all_options_together_are_one_policy():
    for kind, (options, _) in KINDS.items():
        # Of a stock agent no boot can be asked.
        every = options + [("agent", "cocos", "run/agent", "cocos")] + [o for o in COMMON if o[0] != "agent"]
        words = [w for option, value, _, _ in every for w in words_of(option, value)]
        policy = understood(cli("policy", "create", kind, *words).ok())
        for _, _, path, wanted in every:
            assert member(policy, path) == wanted, path
        # The test knows every option that there is.
        text = cli("policy", "create", kind, "--help").ok()
        known = {o[0] for o in options + COMMON} | {"manifest", "output", "force", "color", "verbose", "help", "help-all"}
        assert set(re.findall(r"--([a-z0-9-]+)", text.partition("Options:")[2])) == known


def values_may_come_one_by_one():
    policy = understood(cli("policy", "create", "snp", "--measurement", H48, "--measurement", "12" * 48).ok())
    assert policy["snp"]["measurements"] == [H48, "12" * 48]


def a_manifest_becomes_its_digest():
    with Folder() as folder:
        key = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n" \
              "-----END PUBLIC KEY-----\n"
        folder.write("manifest.json", json.dumps({
            "id": "1", "algorithm": {"hash": "11" * 32, "user_key": key, "algo_type": "bin"},
            "result_consumers": [{"user_key": key}]}))
        digest = cli("checksum", "--manifest", folder("manifest.json"), "--json").json()["sha3_256"]
        policy = understood(cli("policy", "create", "snp", "--measurement", H48, "--manifest",
                                folder("manifest.json")).ok())
        assert policy["run"]["manifests"] == [digest]
        folder.write("empty.json", "{}")
        cli("policy", "create", "snp", "--measurement", H48, "--manifest", folder("empty.json")).refused(2, "empty.json")


def what_the_reader_would_not_take_is_not_written():
    with Folder() as folder:
        for kind, words, said in (
                ("snp", [], "--measurement is missing"), ("tdx", [], "--mrtd is missing"),
                ("snp", ["--measurement", H48[2:]], "96 are wanted"),
                ("snp", ["--measurement", ""], "empty value"),
                ("snp", ["--measurement", H48 + ","], "empty value"),
                ("snp", ["--measurement", H48, "--allow", "debug"], "debug"),
                ("snp", ["--measurement", H48, "--allow", "smt,smt"], "twice"),
                ("snp", ["--measurement", H48, "--min-tcb", "snp"], "NAME=NUMBER"),
                ("snp", ["--measurement", H48, "--min-tcb", "snp=256"], "at most 255"),
                ("snp", ["--measurement", H48, "--min-tcb", "snp=1,snp=2"], "snp"),
                ("snp", ["--measurement", H48, "--min-tcb", "nothing=1"], "nothing"),
                ("snp", ["--measurement", H48, "--min-firmware", "1.55"], "major, minor, build"),
                ("snp", ["--measurement", H48, "--min-firmware", "1.55.256"], "at most 255"),
                ("snp", ["--measurement", H48, "--vmpl", "4"], "vmpl"),
                ("snp", ["--measurement", H48, "--launch-mit-vector", str(2 ** 64)], "at most"),
                ("snp", ["--measurement", H48, "--min-guest-svn", "-1"], "wanted a number"),
                ("snp", ["--measurement", H48, "--product", "Rome"], "Rome"),
                ("snp", ["--measurement", H48, "--agent", "any"], "agent"),
                ("snp", ["--measurement", H48, "--agent", "stock", "--fixed-boot"], "vouches for any run statement"),
                ("snp", ["--measurement", H48, "--mrtd", H48], "unknown option"),
                ("tdx", ["--mrtd", H48, "--status", "Revoked"], "Revoked"),
                ("tdx", ["--mrtd", H48, "--allow-attribute", "debug"], "debug"),
                ("tdx", ["--mrtd", H48, "--xfam", "00"], "xfam")):
            out = folder("policy.json")
            run = cli("policy", "create", kind, *words, "--output", out)
            run.refused(2, said)
            try:
                with open(out, encoding="utf-8"):
                    raise AssertionError(f"{words} left a file")
            except FileNotFoundError:
                pass


def an_igvm_file_has_its_own_firmware_and_processors():
    for words in (["--firmware", "x"], ["--cpus", "2"], ["--cpu-type", "EPYC-v4"]):
        cli("policy", "create", "--image", "x", "--tee", "snp", "--igvm", "y", *words).refused(2, words[0])
    for word in ("--kernel", "--initrd", "--cmdline"):
        cli("policy", "create", "--image", "x", "--tee", "snp", "--igvm", "y", word, "z").refused(2, "unknown option")


def a_type_of_processor_that_is_not_known_is_told_with_those_that_are():
    with Folder() as folder:
        write_image(folder)
        ran = cli("policy", "create", "--image", folder("image"), "--tee", "snp", "--cpu-type", "EPYC-Milano")
        ran.refused(2, "--cpu-type 'EPYC-Milano': no such type of processor is known")
        assert "hint: known are EPYC, EPYC-v1, " in ran.err and ", EPYC-Turin\n" in ran.err, ran.err


def rtmr0_is_computed_from_firmware_memory_and_tables():
    """By another program, from the same bytes: the layout of OVMF's sections, on both sides of 2.75 GiB."""
    with Folder() as folder:
        folder.write("OVMF.fd", firmware())
        write_image(folder)
        write_tables(folder, TABLES)
        base = ["policy", "create", "--tee", "tdx", "--image", folder("image"), "--firmware", folder("OVMF.fd")]
        for memory, size in (("512M", 512 << 20), ("2815M", 2815 << 20), ("2816M", 2816 << 20), ("64G", 64 << 30)):
            ran = cli(*base, "--memory", memory, "--tables", folder("tables"))
            policy = understood(ran.ok())
            assert policy["tdx"]["rtmr0"] == rtmr0_values(size, TABLES), memory
            assert policy["tdx"]["tables"] == [
                {"name": name, "sha384": hashlib.sha384(TABLES[name]).hexdigest()}
                for name in ("etc/table-loader", "etc/acpi/rsdp", "etc/acpi/tables")]
            assert memory in ran.err and "QEMU emulator version 10.1.2" in ran.err, ran.err
        named = understood(cli(*base, "--rtmr0", H48).ok())
        assert named["tdx"].pop("rtmr0") == [H48]
        policy["tdx"].pop("rtmr0")
        policy["tdx"].pop("tables")
        assert named == policy
        ran = cli(*base)
        assert "rtmr0" not in understood(ran.ok())["tdx"] and "--tables" in ran.err and "--rtmr0" in ran.err


def an_images_policy_demands_key_exchanges():
    """Each way to say it gives the same bytes, best first; without it, a policy as ever."""
    with Folder() as folder:
        folder.write("OVMF.fd", firmware())
        write_image(folder)
        for tee in ("vtpm", "tdx"):
            base = ["policy", "create", "--tee", tee, "--image", folder("image"),
                    *(["--firmware", folder("OVMF.fd"), "--rtmr0", H48] if tee == "tdx" else [])]
            plain = understood(cli(*base).ok())
            assert "tls" not in plain
            made = [cli(*base, *words).ok() for words in (
                ["--tls-groups", "X25519MLKEM768,x25519"], ["--tls-groups", "x25519,X25519MLKEM768"],
                ["--tls-groups", "x25519", "--tls-groups", "X25519MLKEM768"])]
            assert len(set(made)) == 1, made
            assert understood(made[0]) == {**plain, "tls": {"groups": ["X25519MLKEM768", "x25519"]}}
            for words, said in ((["x448"], "unknown key exchange"), ([""], "unknown key exchange"),
                                (["x25519,x25519"], "twice"), (["x25519", "secp256r1,x25519"], "twice")):
                ran = cli(*base, *[word for text in words for word in ("--tls-groups", text)])
                ran.refused(2, said)
                assert "--tls-groups" in ran.err, ran.err


def rtmr0_that_cannot_be_computed_is_refused():
    """In one line that says what to do."""
    with Folder() as folder:
        write_image(folder)
        write_tables(folder, TABLES)
        write_tables(folder, {**TABLES, "etc/acpi/tables": None}, "missing")
        for name, bytes_of, memory, tables, said in (
                ("keys", firmware(room=b"\xaa\x55"), "1G", "tables", "holds variables"),
                ("no-volume", firmware(sections=(0, 2, 3)), "1G", "tables", "no configuration volume"),
                ("no-list", firmware(sections=(0, 1, 3)), "1G", "tables", "no TD_HOB"),
                ("little", firmware(), "1M", "tables", "is not in 1 MiB"),
                ("much", firmware(), "4000000G", "tables", "at most 2 PiB")):
            folder.write(name, bytes_of)
            ran = cli("policy", "create", "--tee", "tdx", "--image", folder("image"), "--firmware", folder(name),
                      "--memory", memory, "--tables", folder(tables))
            ran.refused(1, said)
            assert "--rtmr0" in ran.err and ran.err.count("\n") == 1, ran.err
        base = ["policy", "create", "--image", folder("image"), "--firmware", folder("keys")]
        for words, said in (
                (["--tee", "tdx", "--memory", "1G"], "go together"),
                (["--tee", "tdx", "--tables", folder("tables")], "go together"),
                (["--tee", "tdx", "--memory", "1G", "--tables", folder("tables"), "--rtmr0", H48], "exclude"),
                (["--tee", "tdx", "--memory", "much", "--tables", folder("tables")], "--memory"),
                (["--tee", "tdx", "--memory", "1G", "--tables", folder("none")], "qemu"),
                (["--tee", "tdx", "--memory", "1G", "--tables", folder("missing")], "etc/acpi/tables"),
                (["--tee", "snp", "--memory", "1G"], "nothing about snp")):
            ran = cli(*base, *words)
            ran.refused(2, said)
            assert ("scripts/host-tables" in ran.err) == (said in ("qemu", "etc/acpi/tables")), ran.err


def a_file_is_replaced_whole():
    with Folder() as folder:
        folder.write("policy.json", "old")
        cli("policy", "create", "tdx", "--mrtd", H48, "-o", folder("policy.json"), "--force").ok()
        with open(folder("policy.json"), encoding="utf-8") as file:
            assert json.load(file)["tdx"]["mrtd"] == [H48]
        cli("policy", "create", "tdx", "--mrtd", H48, "-o", folder("none", "x")).refused(1, "none")


# PCR16 of the manifest {"id":"1"}, computed here: canonical form, then one extension from zero.
CANONICAL = (b'{"id":"1","algorithm":{"hash":[' + b",".join([b"17"] * 32) + b'],"algo_type":"bin"}}')
DIGEST = hashlib.sha3_256(CANONICAL).hexdigest()
def registers_that_can_be_reset_are_named():
    """Who asks for these alone asks nothing of what booted, and hears of it."""
    words = "can be reset by software"
    with Folder() as folder:
        manifest = folder.write("manifest.json", CANONICAL)
        for pcrs, noted in (({"16": [H32]}, True), ({"4": [H32]}, False)):
            policy = folder.write("policy.json", json.dumps({"cocos": 1, "tpm": {"pcrs": {"sha256": pcrs}}}))
            for ran in (cli("policy", "validate", policy), cli("policy", "extend", manifest, policy)):
                ran.ok()
                assert (words in ran.err) == noted, (pcrs, ran.err)


PCR16 = {"sha256": {"16": hashlib.sha256(bytes(32) + hashlib.sha3_256(CANONICAL).digest()).hexdigest()},
         "sha384": {"16": hashlib.sha384(bytes(48) + hashlib.sha3_384(CANONICAL).digest()).hexdigest()}}


def a_policy_is_extended_by_what_its_evidence_will_say():
    """What speaks of no TPM must not begin to: a token of SNP or TDX alone would be refused for it."""
    tee = {"cocos": 1, "snp": {"measurements": [H48]}, "tdx": {"mrtd": [H48]}}
    other = {"cocos": 1, "run": {"manifests": ["99" * 32], "fixed_boot": True}}
    tpm = {"cocos": 1, "tpm": {"pcrs": {"sha256": {"4": [H32], "16": [H32]}}}}
    with Folder() as folder:
        manifest = folder.write("manifest.json", CANONICAL)
        for before, after in (
                (tee, {**tee, "run": {"manifests": [DIGEST]}}),
                (other, {"cocos": 1, "run": {"manifests": [DIGEST], "fixed_boot": True}}),
                (tpm, {"cocos": 1, "run": {"manifests": [DIGEST]},
                       "tpm": {"pcrs": {**PCR16, "sha256": {"4": [H32], **PCR16["sha256"]}}}}),
                ({"policy": {}}, {"policy": {}, "pcr_values": PCR16}),
                ({"policy": {}, "pcrValues": {"sha256": {"0": H32}}},
                 {"policy": {}, "pcrValues": {**PCR16, "sha256": {"0": H32, **PCR16["sha256"]}}})):
            policy = folder.write("policy.json", json.dumps(before))
            run = cli("policy", "extend", manifest, policy)
            run.ok()
            assert "no agent of ours accepts this manifest: " in run.err, run.err
            with open(policy, encoding="utf-8") as file:
                assert json.load(file) == after, before
            shown = cli("policy", "extend", manifest, folder.write("policy.json", json.dumps(before)), "-o", "-").ok()
            assert json.loads(shown) == after, shown
        for text in ("{", '{"id":1}', '{"id":"1","nonsense":1}'):
            bad = folder.write("bad.json", text)
            cli("policy", "extend", bad, folder.write("policy.json", json.dumps(tee))).refused(2, "bad.json")
            with open(folder("policy.json"), encoding="utf-8") as file:
                assert json.load(file) == tee


def the_policy_behind_a_link_is_the_one_that_changes():
    """Who uses it by its own name would go on with what it was, and believe that it asks for one manifest."""
    with Folder() as folder:
        policy = folder.write("policy.json", json.dumps({"cocos": 1, "snp": {"measurements": [H48]}}))
        os.chmod(policy, 0o600)
        link = folder("link.json")
        os.symlink("policy.json", link)
        cli("policy", "extend", folder.write("manifest.json", CANONICAL), link).ok()
        with open(policy, encoding="utf-8") as file:
            assert json.load(file)["run"] == {"manifests": [DIGEST]}
        assert os.path.islink(link) and os.stat(policy).st_mode & 0o777 == 0o600


def a_policy_that_comes_through_a_pipe_goes_where_output_says():
    for output in ([], ["--output", "-"]):
        reads, writes = os.pipe()
        with open(reads, "rb") as pipe:
            with open(writes, "w", encoding="utf-8") as file:
                json.dump({"cocos": 1, "snp": {"measurements": [H48]}}, file)
            run = cli("policy", "hostdata", H32, "/proc/self/fd/0", *output, stdin=pipe)
        if output:
            assert json.loads(run.ok())["snp"] == {"measurements": [H48], "host_data": [H32]}
        else:
            run.refused(1, "is no file that could be changed", "-o FILE says where")


def a_value_of_snp_makes_no_policy_for_tdx_one_of_both():
    """An MRTD is as long as a MEASUREMENT: what was asked of TDX would stay as it was."""
    tdx = {"cocos": 1, "tdx": {"mrtd": [H48]}}
    older = {"policy": {"tdQuoteBodyPolicy": {"mrTd": base64.b64encode(bytes.fromhex(H48)).decode()}}}
    with Folder() as folder:
        for before in (tdx, older, {"cocos": 1, **older}):
            policy = folder.write("policy.json", json.dumps(before))
            for command, value in (("measurement", "12" * 48), ("hostdata", H32)):
                cli("policy", command, value, policy).refused(2, "the policy is for TDX", "has to be changed")
                with open(policy, encoding="utf-8") as file:
                    assert json.load(file) == before
        both = folder.write("both.json", json.dumps({**tdx, "snp": {}}))
        cli("policy", "measurement", "12" * 48, both).ok()
        with open(both, encoding="utf-8") as file:
            assert json.load(file) == {**tdx, "snp": {"measurements": ["12" * 48]}}


if __name__ == "__main__":
    tap.run([each_option_alone_gives_its_key, all_options_together_are_one_policy, values_may_come_one_by_one,
             registers_that_can_be_reset_are_named,
             a_manifest_becomes_its_digest, what_the_reader_would_not_take_is_not_written,
             an_igvm_file_has_its_own_firmware_and_processors, rtmr0_is_computed_from_firmware_memory_and_tables,
             a_type_of_processor_that_is_not_known_is_told_with_those_that_are,
             an_images_policy_demands_key_exchanges,
             rtmr0_that_cannot_be_computed_is_refused, a_file_is_replaced_whole,
             a_policy_is_extended_by_what_its_evidence_will_say, the_policy_behind_a_link_is_the_one_that_changes,
             a_policy_that_comes_through_a_pipe_goes_where_output_says,
             a_value_of_snp_makes_no_policy_for_tdx_one_of_both])
