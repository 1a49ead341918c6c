# SPDX-License-Identifier: Apache-2.0
"""`attestation check` over inputs that make no sense, contradict each other or have to be counted:
each is a refusal that names what is wrong, never a yes and never an error without a verdict."""
import json
import os
import struct
import subprocess
import sys
import tempfile
import time

import tap

VECTORS = os.environ.get("COCOS_VECTORS", "")
CLI = os.path.join(os.environ.get("COCOS_BUILD", "build"), "cocos-cli")
USAGE, REFUSED, HOLDS = 2, (1, 3, 4), 0


def group(name, case):
    return os.path.join(VECTORS, name, case)


def expected(folder):
    with open(f"{folder}/expected.json", encoding="utf-8") as file:
        return json.load(file)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def check(*words):
    done = subprocess.run([CLI, "attestation", "check", *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def refused(found, *words):
    status, text = found
    assert status in REFUSED, found
    assert all(word in text for word in words), found


class Scratch:
    """Files of one test."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()

    def file(self, name, content):
        path = os.path.join(self.folder.name, name)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path


def quote(folder, *more, **files):
    use = {"sig": f"{folder}/sig.bin", "pcrs": f"{folder}/pcrs.json", "ak": f"{folder}/ak.pub", **files}
    words = [word for name, path in use.items() for word in ("--" + name, path)]
    return check("quote", f"{folder}/quote.bin", *words, "--nonce", expected(folder)["input"]["nonce"], *more)


def registers_that_make_no_sense_are_refused():
    folder, scratch = group("tpm", "sw-twin-good"), Scratch()
    pcrs = json.loads(read(f"{folder}/pcrs.json"))
    assert quote(folder)[0] == HOLDS
    odd = [{"sha256": {**pcrs["sha256"], "24": "00" * 32}}, {"sha256": {**pcrs["sha256"], "7": "00" * 31}},
           {**pcrs, "sm3_256": {"0": "00" * 32}}, [], b"", b'{"sha256":{"0":"00","0":"00"}}']
    for number, content in enumerate(odd):
        refused(quote(folder, pcrs=scratch.file(f"{number}.json", content)), "quote.registers")
    log = group("eventlog", "twin-good")
    refused(check("log", f"{log}/eventlog.bin", "--pcrs", scratch.file("empty.json", b"")), "log.registers")


def parts_of_a_quote_that_are_empty_or_no_key_are_refused():
    folder, scratch = group("tpm", "sw-twin-good"), Scratch()
    empty = scratch.file("empty", b"")
    refused(quote(folder, sig=empty), "quote.signature_parse")
    refused(quote(folder, ak=empty), "ak.parse")
    pem = b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
    refused(quote(folder, ak=scratch.file("no.pem", pem)), "ak.key")
    token = group("cose-eat", "eat-snp")
    case = expected(token)["input"]
    refused(check("token", f"{token}/token.cbor", "--key", scratch.file("no.pem", pem), "--nonce", case["nonce"],
                  "--at", "2026-05-28T20:27:10Z"), "token.key")
    signed = group("corim", "signed-good")
    refused(check("corim", f"{signed}/corim.cbor", "--key", scratch.file("no.pem", pem)), "token.corim")


def a_corim_of_another_signer_or_time_is_not_genuine():
    """One that can't be read is malformed; one that is read and not to be believed is not genuine."""
    signed, scratch = group("corim", "signed-good"), Scratch()
    words = ["corim", f"{signed}/corim.cbor"]
    at = ["--at", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expected(signed)["input"]["now"]))]
    assert check(*words, "--key", f"{signed}/key.pem", *at)[0] == HOLDS
    other = scratch.file("other.pem", subprocess.run(
        "openssl ecparam -name prime256v1 -genkey -noout | openssl ec -pubout", shell=True, capture_output=True,
        check=True).stdout)
    status, text = check(*words, "--key", other, *at)
    assert status == 3 and "token.corim_holds" in text, (status, text)
    status, text = check(*words, *at)
    assert status == 4 and "token.corim:" in text and "name the signer's key" in text, (status, text)


def a_nonce_of_no_length_or_too_much_is_refused():
    folder = group("cose-eat", "eat-snp")
    words = ["token", f"{folder}/token.cbor", "--key", f"{folder}/key.pem", "--at", "2026-05-28T20:27:10Z"]
    assert check(*words, "--nonce", expected(folder)["input"]["nonce"])[0] == HOLDS
    for nonce in ("", "00" * 7, expected(folder)["input"]["nonce"] + "00" * 33, "00" * 256):
        refused(check(*words, "--nonce", nonce), "token.nonce")


def a_quote_s_key_is_the_one_that_azure_s_data_name():
    folder, other = group("tpm", "azure-snp-genoa"), group("tpm", "azure-snp-v1")
    key = {"ak": f"{folder}/ak.pem"}
    found = quote(folder, "--hcl_report", f"{folder}/hcl_report.bin", **key)
    assert found[0] == HOLDS, found
    refused(quote(folder, "--hcl_report", f"{other}/hcl_report.bin", **key), "ak.runtime_match")
    refused(quote(folder, "--hcl_report", f"{folder}/hcl_report.bin", "--runtime_data",
                  f"{other}/runtime_data.json", **key), "ak.runtime")


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def without(message, drop):
    """The message's fields but for those that drop(number, content) says."""
    out, at = b"", 0
    while at < len(message):
        start = at
        tag, at = varint(message, at)
        length, at = varint(message, at)
        if not drop(tag >> 3, message[at:at + length]):
            out += message[start:at + length]
        at += length
    return out


def a_message_of_sha1_registers_alone_has_to_be_allowed():
    folder, scratch = group("tpm", "gce-cos85-nonce9009-attestation"), Scratch()
    nonce = expected(folder)["input"]["nonce"]
    whole, quotes = read(f"{folder}/attestation.pb"), []
    without(whole, lambda number, content: number == 2 and quotes.append(len(content)))
    assert len(quotes) == 3
    # The one of the shortest values.
    message = without(whole, lambda number, content: number == 2 and len(content) > min(quotes))
    path = scratch.file("sha1.pb", message)
    refused(check("quote", path, "--nonce", nonce), "policy.bank")
    found = check("quote", path, "--nonce", nonce, "--allow_sha1_bank")
    assert found[0] == HOLDS, found


def a_message_s_resets_and_certificate_are_judged_where_asked():
    folder = group("tpm", "gce-cos85-nonce9009-attestation")
    words = ["quote", f"{folder}/attestation.pb"]
    rest = ["--nonce", expected(folder)["input"]["nonce"], "--at", "2026-06-01T00:00:00Z"]
    resets = expected(group("tpm", "gce-cos85-nonce9009-sha256"))["fields"]["reset_count"]
    found = check(*words, *rest, "--reset_count", str(resets))
    assert found[0] == HOLDS, found
    refused(check(*words, *rest, "--reset_count", str(resets + 1)), "policy.reset_count")
    chain = [f"{folder}/ca-intermediate.der", *rest, "--trusted_root"]
    found = check(*words, *chain, f"{folder}/root-gce.der")
    assert found[0] == HOLDS, found
    other = group("tpm", "cert-gce-wrong-chain")
    refused(check(*words, f"{other}/ca-intermediate.der", *rest, "--trusted_root", f"{folder}/ak_cert.der"),
            "ak.certificate")


def a_register_that_the_log_has_no_event_for_has_to_be_untouched():
    folder, scratch = group("eventlog", "twin-good"), Scratch()
    pcrs = json.loads(read(f"{folder}/pcrs.json"))
    bank = next(name for name in pcrs if name != "sha1")
    size = len(next(iter(pcrs[bank].values())))
    for index, value, holds in (("14", "0" * size, True), ("17", "f" * size, True), ("14", "f" * size, False),
                                ("14", "1" * size, False), ("23", "f" * size, False)):
        assert index not in pcrs[bank]
        path = scratch.file("pcrs.json", {**pcrs, bank: {**pcrs[bank], index: value}})
        found = check("log", f"{folder}/eventlog.bin", "--pcrs", path)
        if holds:
            assert found[0] == HOLDS, found
        else:
            refused(found, "log.replay", f"register {index}")


def a_text_log_is_held_against_the_one_register_that_is_named():
    folder, scratch = group("tdx", "eventlog/aael"), Scratch()
    value = expected(folder)["rtmr3"]

    def log(pcrs):
        return check("log", f"{folder}/aael.txt", "--aael", "--pcrs", scratch.file("pcrs.json", pcrs))

    found = log({"sha384": {"4": value}})
    assert found[0] == HOLDS, found
    for pcrs in ({}, {"sha384": {}}, {"sha384": {"4": value, "3": value}}, {"sha384": {"4": "00" * 48}}):
        refused(log(pcrs), "log.replay")


def what_is_said_of_a_log_is_json_whatever_its_banks():
    head = struct.pack("<II20xI", 0, 3, 37) + b"Spec ID Event03\0" + struct.pack(
        "<IBBBBIHHHHB", 0, 0, 2, 0, 2, 2, 0x12, 32, 0x0B, 32, 0)
    event = struct.pack("<IIIH32sH32sI", 8, 0xD, 2, 0x12, b"x" * 32, 0x0B, b"y" * 32, 1) + b"z"
    scratch = Scratch()
    path = scratch.file("log.bin", head + event)
    found = json.loads(check("log", path, "--json", "--separators_optional")[1])
    assert found["algorithms"] == ["unknown", "sha256"], found
    assert list(found["replay"]) == ["sha256"] and list(found["replay"]["sha256"]) == ["8"], found


def what_is_said_of_a_large_payload_is_json_too():
    scratch, size = Scratch(), 5 << 20
    # A COSE_Sign1 of the right form whose signature is nobody's.
    head, tail = bytes.fromhex("d28443a10126a05a"), bytes.fromhex("5840") + b"\1" * 64
    path = scratch.file("large", head + size.to_bytes(4, "big") + b"z" * size + tail)
    key = os.path.join(group("cose-eat", "cose-ecdsa-sig-01"), "key.pem")
    found = json.loads(check("cose", path, "--key", key, "--json")[1])
    assert found["verdict"] == "refused" and found["payload"] == "7a" * size, (found["verdict"], found["reason"])


def what_a_layer_is_not_judged_by_is_refused():
    """Else it would look as if it had been checked."""
    scratch = Scratch()
    file = scratch.file("file", b"x")
    takes = {"quote": "sig pcrs ak nonce trusted_root hcl_report runtime_data reset_count policy",
             "log": "pcrs", "hcl": "runtime_data", "ak-cert": "trusted_root", "cose": "key aad",
             "token": "key nonce", "authenticator": "key request session", "request": "", "frame": "",
             "idblock": "", "corim": "key"}
    every = {word for words in takes.values() for word in words.split()}
    for kind, words in takes.items():
        for word in every - set(words.split()):
            status, text = check(kind, file, *([file] if kind == "idblock" else []), "--" + word, "7")
            assert status == USAGE and f"--{word} says nothing about the kind {kind}" in text, (kind, word, text)
    quoted = group("tpm", "sw-twin-good")
    for status, text in (quote(quoted, "--runtime_data", file),
                         check("quote", file, "--nonce", "00" * 16, "--runtime_data", file)):
        assert status == USAGE and "--runtime_data" in text, text


def main():
    if not os.path.isdir(os.path.join(VECTORS, "tpm")):
        print("1..0 # SKIP the shared vectors are not here (COCOS_VECTORS)")
        sys.exit(0)
    tap.run([registers_that_make_no_sense_are_refused, parts_of_a_quote_that_are_empty_or_no_key_are_refused,
             a_corim_of_another_signer_or_time_is_not_genuine, a_nonce_of_no_length_or_too_much_is_refused,
             a_quote_s_key_is_the_one_that_azure_s_data_name, a_message_of_sha1_registers_alone_has_to_be_allowed,
             a_message_s_resets_and_certificate_are_judged_where_asked,
             a_register_that_the_log_has_no_event_for_has_to_be_untouched,
             a_text_log_is_held_against_the_one_register_that_is_named,
             what_is_said_of_a_log_is_json_whatever_its_banks,
             what_is_said_of_a_large_payload_is_json_too, what_a_layer_is_not_judged_by_is_refused])


if __name__ == "__main__":
    main()
