# SPDX-License-Identifier: Apache-2.0
"""cocos-cli where no server is needed: help, usage errors, keys, checksums, completion."""
import base64
import concurrent.futures
import hashlib
import io
import json
import os
import re
import pty
import select
import shutil
import socket
import stat
import struct
import subprocess
import sys
import time
import zipfile

import grpc

import tap
from agent_peer import Authority
from harness import NO, PATIENCE, PROTOCOL, ROOT, Folder, cli, program, read
from reference import commands

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden", "cli_help.txt")
IRIS = os.path.join(ROOT, "examples", "iris", "iris.csv")
IRIS_DIGEST = "a9a96ff672cde7f6b2badcc4eb13b95afe59255650abfcbd9f73d34fc61480ad"
COMMANDS = commands()


def help_of_all():
    return cli("--help").ok() + "".join(f"=== {name}\n" + cli(*name.split(), "--help-all").ok() for name in COMMANDS)


def help_is_as_it_was():
    with open(GOLDEN, encoding="utf-8") as file:
        assert help_of_all() == file.read(), (
            "help has changed: if it was meant to, run this file with --write")


def help_is_found_in_every_way():
    for name in COMMANDS:
        words = name.split()
        text = cli(*words, "--help").ok()
        assert cli(*words, "-h").ok() == text
        assert cli("help", *words).ok() == text
        assert f"  {name}" in cli("--help-all").ok(), name
    short, whole = cli("data", "--help").ok(), cli("data", "--help-all").ok()
    assert cli("data", "-h", "--help-all").ok() == cli("data", "--help-all", "-h").ok() == whole
    left = set(re.findall(r"^  (?:-\w, )?(--\S+)", whole, re.M)) - set(re.findall(r"^  (?:-\w, )?(--\S+)", short, re.M))
    assert left and f"\n{len(left)} more, of connection and proof: 'cocos-cli data --help-all'\n" in short, short
    assert not {"--keep", "--grpc-url", "--profile", "--attested-tls"} & left, left
    # A command that judges evidence and asks nobody has nothing more important than its own options.
    assert cli("attestation", "validate", "--help").ok() == cli("attestation", "validate", "--help-all").ok()
    # What the short list leaves out is found by the words under it.
    for name in COMMANDS:
        word = name.split()[0]
        assert f"\n  {name}" in cli("help").ok() or re.search(rf"[\n ] *{word}( |\n)", cli("help").ok().split("More, ")[1]), name
    assert "computation list" in cli("help", "computation").ok()
    assert "computation list" in cli("computation", "--help").ok()
    assert cli("--help").ok() == cli("help").ok()
    assert cli("help", "policy", "create", "snp").ok() == \
        cli("policy", "create", "snp", "--help").ok()
    assert cli("--version").ok() == cli("version").ok()
    for group in (("policy",), ("policy", "create-corim")):
        text = cli("help", *group).ok()
        assert "policy create-corim tdx" in text, text
        assert cli(*group, "--help").ok() == text
        ran = cli(*group).refused(2, "policy create-corim snp")
        assert not ran.out, ran.out
        cli(*group, "bogus").refused(2, "unknown command 'bogus'")
        cli("help", *group, "bogus").refused(2, "unknown command 'bogus'")


def what_lists_does_so_in_every_form():
    lists = [name for name in COMMANDS if name.split()[-1] in ("list", "strays")]
    assert {"vm list", "host list", "computation list", "audit list"} < set(lists), lists
    for name in lists:
        text = cli(*name.split(), "--help").ok()
        assert "\n  -o, --output FORMAT         table, wide (all columns), json or yaml (table)\n" in text, name
        cli(*name.split(), "-o", "xml").refused(2, "table", "wide", "json", "yaml")


def wrong_calls_end_with_2_and_a_hint():
    for words, said in {
            (): "Usage",
            ("bogus",): "unknown command 'bogus'",
            ("computation",): "",
            ("computation", "bogus"): "unknown command 'bogus'",
            ("help", "bogus"): "unknown command 'bogus'",
            ("keys", "--bogus"): "unknown option '--bogus'",
            ("keys", "-x"): "unknown option '-x'",
            ("keys", "--forc"): "unknown option '--forc': is --force meant?",
            ("keys", "--key-typ=rsa"): "unknown option '--key-typ': is --key-type meant?",
            ("keys", "--key-typ", "rsa"): "unknown option '--key-typ': is --key-type meant?",
            ("keys", "-k"): "'-k' needs a value",
            ("keys", "--key-type"): "'--key-type' needs a value",
            ("keys", "-k", "dsa"): "use one of rsa, ecdsa, ed25519",
            ("keys", "-k=dsa"): "use one of rsa, ecdsa, ed25519",
            ("keys", "-k=="): "use one of rsa, ecdsa, ed25519",
            ("keys", "-k", "rsa", "-k", "rsa"): "twice",
            ("keys", "x"): "one operand too many",
            ("checksum",): "too few operands",
            ("checksum", "a", "b"): "'b' is one operand too many",
            ("data", "x"): "too few operands",
            ("algo", "x", "y", "-a", "perl"): "use one of bin, python, wasm, docker",
            ("version", "--json=x"): "--json",
            ("completion", "csh"): "there is one for bash, zsh and fish",
            ("computation", "logs"): "--cvm",
            ("computation", "create"): "--algorithm is missing",
            ("create-vm",): "--server-url is missing",
            ("create-vm", "--server-url", "x", "--ttl", "soon"): "--ttl",
    }.items():
        run = cli(*words)
        run.refused(2, said)
        assert run.err or run.out, words


def an_evil_word_does_not_reach_the_terminal():
    run = cli("\x1b[2Jx").refused(2)
    assert "\x1b" not in run.err and "\\x1b" in run.err


def only_the_journal_gets_what_is_meant_for_it():
    """A unit's children inherit JOURNAL_STREAM, wherever their standard error goes."""
    with Folder() as folder, open(folder("log"), "w+b") as log:
        about = os.fstat(log.fileno())
        for stream, marked in ((f"{about.st_dev}:{about.st_ino}", True),
                               (f"{about.st_dev}:{about.st_ino + 1}", False), ("9:1x", False),
                               ("", False)):
            log.truncate(0)
            log.seek(0)
            subprocess.run([program("cocos-agent"), "--nonsense"], stderr=log, check=False,
                           env={"JOURNAL_STREAM": stream}, timeout=PATIENCE)
            said = read(folder("log")).decode()
            assert "'--nonsense'" in said and said.startswith("<3>") == marked, (stream, said)


def a_full_disk_is_no_success():
    """Neither where one line fits into the buffer, nor where the buffer was given up before the end."""
    daemons = [[name, option] for name in ("cocos-manager", "cocos-computations", "cocos-agent") for option in ("-h", "-V")]
    for name, *words in (["cocos-cli", "checksum", IRIS], ["cocos-cli", "completion", "bash"], ["cocos-cli", "--version"],
                         ["cocos-cli", "--help-all"], ["cocos-cli", "vm", "--help"], ["cocos-cli", "vm", "list", "-h"],
                         ["cocos-computations", "--settings"], *daemons):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([program(name), *words], stdout=full, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 1 and done.stderr.startswith(name.encode() + b": standard output: "), (name, words, done)


def daemons_have_the_letters_of_help():
    for name in ("cocos-manager", "cocos-computations", "cocos-agent"):
        for letter, word in (("-h", "--help"), ("-V", "--version")):
            said = [subprocess.run([program(name), option], capture_output=True, text=True, check=True).stdout
                    for option in (letter, word)]
            assert said[0] == said[1] and name in said[0], (name, said)


def a_slip_of_the_fingers_is_told_what_was_meant():
    for words, meant in {("statsu",): "status", ("keyz",): "keys", ("vmm", "list"): "vm", ("vm", "lst"): "vm list",
                         ("vm-list",): "vm list", ("policy", "create-corim", "sn"): "policy create-corim snp",
                         ("workflow", "sumbit"): "workflow submit"}.items():
        run = cli(*words).refused(2, f"'{words[-1] if words[0] != 'vmm' else 'vmm'}': is '{meant}' meant?")
        assert not run.out, run.out
    # What another group has, what the group itself is called, or what does the opposite, was not meant.
    for words in (("x",), ("nothing-like-it",), ("vm", "elephant"), ("",), ("policy", "x"), ("policy", "show"), ("policy", "bad\nname"),
                  ("manifest", "x"), ("computation", "start"), ("computation", "cancel"), ("computation", "delete"), ("vm", "stop")):
        run = cli(*words).refused(2, "unknown command")
        assert "meant?" not in run.err, run.err


def a_closed_standard_output_is_no_success():
    for words in (["checksum", IRIS], ["completion", "bash"]):
        done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", program("cocos-cli"), *words],
                              stderr=subprocess.PIPE, check=False)
        assert done.returncode == 1 and b"standard output" in done.stderr, (words, done)


def keys_are_made_once():
    for kind, word in (("rsa", "4096 bit"), ("ecdsa", "NIST CURVE: P-256"), ("ed25519", "ED25519")):
        with Folder() as folder:
            cli("keys", "-k", kind, cwd=folder.path).ok()
            assert oct(os.stat(folder("private.pem")).st_mode)[-3:] == "600"
            text = subprocess.run(["openssl", "pkey", "-in", folder("private.pem"), "-noout",
                                   "-text_pub"], capture_output=True, text=True,
                                  check=True).stdout
            assert word in text, text
            public = subprocess.run(["openssl", "pkey", "-in", folder("private.pem"), "-pubout"],
                                    capture_output=True, check=True).stdout
            with open(folder("public.pem"), "rb") as file:
                assert file.read() == public
            with open(folder("private.pem"), "rb") as file:
                before = file.read()
            cli("keys", "-k", kind, cwd=folder.path).refused(1, "private.pem", "--force")
            os.unlink(folder("private.pem"))
            cli("keys", "-k", kind, cwd=folder.path).refused(1, "public.pem")
            assert not os.path.exists(folder("private.pem")), "half a pair is left"
            cli("keys", "-k", kind, "--force", cwd=folder.path).ok()
            with open(folder("private.pem"), "rb") as file:
                assert file.read() != before
    with Folder() as folder:
        assert "written: RSA, 4096 bits\n" in cli("keys", cwd=folder.path).ok()
        text = subprocess.run(["openssl", "pkey", "-in", folder("private.pem"), "-noout",
                               "-text_pub"], capture_output=True, text=True, check=True).stdout
        assert "4096 bit" in text


def half_a_pair_of_keys_is_never_made():
    """On disks with room for one file, and for one besides the two."""
    script = """
        mount -t tmpfs -o size=4k none "$1" && cd "$1" || exit 9
        "$0" keys -k ecdsa; a=$?; ls -A
        mount -t tmpfs -o size=12k none "$1" && cd "$1" && "$0" keys -k ecdsa >/dev/null || exit 9
        before=$(sha256sum private.pem public.pem)
        "$0" keys -k ecdsa --force; b=$?; ls -A
        [ "$before" = "$(sha256sum private.pem public.pem)" ] && echo unchanged; exit $a$b"""
    with Folder() as folder:
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, program("cocos-cli"), folder.path],
                              capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert done.returncode == 11, done
        assert done.stdout.split() == ["private.pem", "public.pem", "unchanged"], done
        assert done.stderr.count("No space left") == done.stderr.count("hint: make room on that disk") == 2, done


def a_file_is_named_by_its_sha3():
    assert cli("checksum", IRIS).ok() == IRIS_DIGEST + "\n"
    assert cli("checksum", IRIS, "--json").json() == {"file": IRIS, "sha3_256": IRIS_DIGEST}
    assert cli("checksum", "--base64", IRIS).ok().strip() == base64.b64encode(
        bytes.fromhex(IRIS_DIGEST)).decode()
    cli("checksum", "--base64", "--json", IRIS).refused(2, "exclude")
    with Folder() as folder:
        empty = folder.write("empty", "")
        assert cli("checksum", empty).ok().strip() == hashlib.sha3_256(b"").hexdigest()
        cli("checksum", folder("nothing")).refused(2, "nothing")
        os.mkfifo(folder("pipe"))
        cli("checksum", folder("pipe")).refused(2, "neither a file nor a directory")


def bundle(files):
    """The zip of {name: (content, mode)}, by Python's zipfile, which knows how to write a stream."""
    class Pipe(io.RawIOBase):
        written = b""

        def writable(self):
            return True

        def write(self, data):
            self.written += bytes(data)
            return len(data)

    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files, key=os.fsencode):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFREG | files[name][1]) << 16
            entry.extra = struct.pack("<HHBI", 0x5455, 5, 1, 0)
            archive.writestr(entry, files[name][0])
    # The calendar of Python's begins in 1980: the date field of each header, put in by hand.
    data = bytearray(out.written)
    for magic, at in ((b"PK\3\4", 10), (b"PK\1\2", 12)):
        start = data.find(magic)
        while start >= 0:
            data[start + at:start + at + 4] = struct.pack("<HH", 0, (1970 - 1980 & 0x7F) << 9 | 1 << 5 | 1)
            start = data.find(magic, start + 4)
    return bytes(data)


def a_directory_is_named_by_its_bundle():
    files = {"b/two.csv": b"2", "a.csv": b"1" * 1000, "b/one.csv": b""}
    with Folder() as first, Folder() as second:
        for folder in (first, second):
            for name, data in (files.items() if folder is first else reversed(files.items())):
                os.chmod(folder.write(name, data), 0o644)
        one = cli("checksum", first.path).ok()
        want = bundle({name: (data, 0o644) for name, data in files.items()})
        assert one.strip() == hashlib.sha3_256(want).hexdigest()
        assert one == cli("checksum", second.path + "/").ok()
        assert one != cli("checksum", IRIS).ok()
        os.utime(second("a.csv"), (1, 1))
        os.mkdir(second("empty"))
        os.chmod(second("b"), 0o700)
        assert one == cli("checksum", second.path).ok(), "times, folders or their modes count"
        os.chmod(second("a.csv"), 0o600)
        other = cli("checksum", second.path).ok()
        assert one != other, "modes do not count"
        want = bundle({name: (data, 0o600 if name == "a.csv" else 0o644) for name, data in files.items()})
        assert other.strip() == hashlib.sha3_256(want).hexdigest()
        os.chmod(second("a.csv"), 0o644)
        second.write("a.csv", b"2" * 1000)
        assert one != cli("checksum", second.path).ok(), "contents do not count"
        os.symlink("/etc/passwd", first("link"))
        cli("checksum", first.path).refused(2, "'link' is a link", "hint: 'cp -rL DIR COPY' makes a copy")


def the_vectors_of_manifests_hold():
    vectors = os.path.join(os.environ["COCOS_VECTORS"], "manifest")
    with open(os.path.join(vectors, "expected.json"), encoding="utf-8") as file:
        expected = json.load(file)
    assert expected
    for name, wanted in expected.items():
        for form in ("canonical", "pretty"):
            path = os.path.join(vectors, f"{name}.{form}.json")
            assert cli("checksum", "--manifest", path).ok().strip() == wanted["sha3_256"], path
            got = cli("checksum", "--manifest", "--json", path).json()
            assert {k: got[k] for k in wanted} == wanted, path
        with open(os.path.join(vectors, f"{name}.canonical.json"), encoding="utf-8") as file:
            assert got["canonical"] == file.read()


def broken_manifests_say_where():
    with Folder() as folder:
        for text, words in {"{": "byte", '{"nme":"x"}': "nme", '{"name":1}': "name",
                            '{"name":"a","name":"b"}': "twice",
                            '{"algorithm":{"hash":[256]}}': "hash"}.items():
            path = folder.write("m.json", text)
            no_json = words in ("byte", "twice")
            for command in (("checksum", "--manifest"), ("computation", "create", "--dry-run"),
                            *([("manifest", "check")] if no_json else [])):
                said = cli(*command, path)
                said.refused(2, words, "m.json")
                assert said.err.count("manifest: ") == 1, said.err
            if not no_json:  # one reason of all that there are
                said = cli("manifest", "check", path)
                assert said.status == 1 and "refused: manifest: " in said.out and words in said.out, said


def options_make_the_same_manifest_as_a_file():
    with Folder() as folder:
        cli("keys", "-k", "ed25519", cwd=folder.path).ok()
        with open(folder("public.pem"), encoding="ascii") as file:
            pem = file.read()
        from_options = cli(
            "computation", "create", "--dry-run", "--id", "x", "--name", "<iris>",
            "--algorithm", IRIS_DIGEST, "--algorithm-key", "public.pem", "--algorithm-type",
            "python", "--args", "--seed", "--args", "7", "--dataset", IRIS, "--dataset", "ab" * 32,
            "--dataset-key", "public.pem", "--consumer-key", "public.pem", "--agent-port", "7100",
            "--agent-attested-tls", cwd=folder.path).ok()
        path = folder.write("m.json", json.dumps({
            "id": "x", "name": "<iris>",
            "datasets": [{"hash": list(bytes.fromhex(IRIS_DIGEST)), "user_key": pem,
                          "filename": "iris.csv"}, {"hash": "ab" * 32, "user_key": pem}],
            "algorithm": {"hash": IRIS_DIGEST, "user_key": pem, "algo_type": "python",
                          "algo_args": ["--seed", "7"]},
            "result_consumers": [{"user_key": pem}], "agent_config": {"port": "7100", "attested_tls": True},
            "cocos": {"layout": "folders", "logs": "consumers"}}))
        assert cli("computation", "create", "--dry-run", path).ok() == from_options
        # The canonical form, whose digest owners compare, and nothing that isn't measured.
        assert hashlib.sha3_256(from_options.rstrip("\n").encode()).hexdigest() == cli(
            "checksum", "--manifest", path).ok().strip()
        assert from_options == cli("checksum", "--manifest", "--json", path).json()["canonical"] + "\n"
        assert "agent_config" not in from_options
        assert "agent_config is not in" in cli("computation", "create", "--dry-run", path).err
        again = folder.write("again.json", from_options)
        without = cli("computation", "create", "--dry-run", again)
        assert without.ok() == from_options and without.err == "", without.err
        cli("computation", "create", "--dry-run", path, "--name", "y").refused(2, "exclude")
        for older in ('{"datasets": [{"hash": "ab"}, {"provider": "f07b"}], "name": "x"}',
                      '{"algorithm": {"provider": "f07b"}}', '{"owner": "f07b", "name": "x"}', '{"start_time": "2026-01-01", "name": "x"}',
                      '{"name": "x", "result_consumers": ["1", "2"]}'):
            cli("computation", "create", "--dry-run", folder.write("older.json", older)).refused(
                2, "an older form, in which ids stand for people", "user_key")
        cli("computation", "create", "--dry-run", folder.write("export.json", '[{"computation": {"name": "x"}}]')).refused(
            2, "a list, as exports of computations are", "user_key")
        cli("computation", "create", "--dry-run", path, "--agent-host", "a.example").refused(
            2, "there is no certificate here that could be for 'a.example': give --agent-cert")
        for attested in ((), ("--agent-attested-tls",)):
            cli("computation", "create", "--dry-run", "--algorithm", IRIS, "--algorithm-key", folder("public.pem"),
                "--consumer-key", folder("public.pem"),
                "--agent-server-ca", folder.write("ca.pem", "x\n"), *attested).refused(
                    2, "server_ca_file without cert_file")
        cli("computation", "create", "--dry-run", "--algorithm", "zz").refused(2, "'zz'")
        cli("computation", "create", "--dry-run", "--algorithm", IRIS).refused(
            2, "--algorithm-key is missing")


def what_the_guides_type_is_read():
    """Word for word (docs/peers.md, Commands of the guides): each gets as far as there is something to speak to."""
    with Folder() as folder:
        cli("keys", "-k", "ed25519", cwd=folder.path).ok()
        for name in ("train.py", "requirements.txt"):
            folder.write(name, "# nothing\n")
        with zipfile.ZipFile(folder("h1.zip"), "w") as archive:
            archive.writestr("a.csv", "1\n")
        nobody = {"AGENT_GRPC_URL": "unix:" + folder("nobody.sock")}
        for typed in ("algo train.py ./private.pem -a python -r requirements.txt", "data h1.zip ./private.pem",
                      "result ./private.pem"):
            cli(*typed.split(), cwd=folder.path, **nobody).refused(1, "nobody.sock: connect: No such file")
        cli("sevsnpmeasure", "--mode", "snp", "--vcpus", "4", "--vcpu-type", "EPYC-v4", "--ovmf", "OVMF.fd", "--kernel",
            "bzImage", "--initrd", "rootfs.cpio.gz", "--append", '"quiet console=null rootfstype=ramfs"',
            cwd=folder.path).refused(2, "--ovmf: open 'OVMF.fd': No such file")
        cli("policy", "measurement", "A" * 64, "attestation_policy.json", cwd=folder.path).refused(
            2, "open 'attestation_policy.json': No such file")


def who_names_the_wrong_file_is_told_the_right_one():
    here = f"'{__file__}': "
    cli("receipt", "show", __file__).refused(4, here, "hint: is it a receipt?", "NAME.receipt.cbor")
    cli("journal", "verify", __file__).refused(4, here, "hint: is it a journal")
    cli("attestation", "show", __file__).refused(4, here, "hint: what it is was guessed from its beginning: --mode says it")
    assert "hint" not in cli("attestation", "show", __file__, "--mode", "snp").refused(4, here).err
    cli("igvmmeasure", __file__).refused(1, here)
    cli("receipt", "verify", __file__).refused(2, ".receipt.cbor'", "hint: the receipt", "--receipt FILE names another")
    cli("status", AGENT_GRPC_URL="127.0.0.1:1").refused(1, "hint: is the agent there?", "'cocos-cli computation run'")
    cli("status", AGENT_GRPC_TIMEOUT="x").refused(2, "'x' is not a duration", "-v says where each setting is from")


def what_was_typed_is_what_the_manifest_says():
    """It is measured: nothing else takes its place, and nothing is left out."""
    with Folder() as folder:
        cli("keys", "-k", "ed25519", cwd=folder.path).ok()
        latin, told = os.fsdecode(b"\xe4.csv"), r"'\xe4.csv'"
        shutil.copy(IRIS, folder(latin))

        def make(*words, dataset=IRIS):
            return cli("computation", "create", "--dry-run", "--algorithm", IRIS_DIGEST, "--algorithm-key", "public.pem",
                       "--dataset", dataset, "--dataset-key", "public.pem", "--consumer-key", "public.pem", *words,
                       cwd=folder.path)
        for option in ("--id", "--name", "--description", "--args", "--dataset-name"):
            make(option, latin).refused(2, f"{option} {told}: not UTF-8")
        make("--args", "a", "--args", latin).refused(2, "--args " + told)
        make(dataset=latin).refused(2, f"--dataset {told}: its name is not UTF-8: give one by --dataset-name")
        named = make("--dataset-name", "\u00e4.csv", dataset=latin)
        assert json.loads(named.ok())["datasets"][0]["filename"] == "\u00e4.csv", named.out
        for option in ("--dataset-name", "--dataset-key"):
            make("--dataset-name", "a", option, "public.pem").refused(
                2, f"{option} 'public.pem' is for no --dataset: the n-th is for the n-th")


def options_say_what_other_backends_do_not_know():
    with Folder() as folder:
        cli("keys", "-k", "ed25519", cwd=folder.path).ok()
        requirements = folder.write("requirements.txt", "torch\n")
        digest = hashlib.sha3_256(b"torch\n").digest()
        folder.write("empty", "")
        folder.write("no.txt", "torch @ https://a.example/torch.whl\n")

        def make(*words):
            return cli("computation", "create", "--dry-run", "--id", "x", "--algorithm", IRIS_DIGEST, "--algorithm-key",
                       "public.pem", "--dataset", IRIS, "--dataset-key", "public.pem", "--consumer-key", "public.pem",
                       *words, cwd=folder.path)
        stock = make("--stock-manifest").ok()
        assert '"cocos"' not in stock and '"cache"' not in stock, stock
        assert json.loads(make().ok())["cocos"] == {"layout": "folders", "logs": "consumers"}
        assert json.loads(make("--logs", "provider").ok())["cocos"] == {
            "layout": "folders", "logs": "provider"}
        assert json.loads(make("--layout", "stock", "--logs", "all").ok())["cocos"] == {
            "layout": "stock", "logs": "all"}
        for words, what in (
                (("--layout", "union"), "--layout 'union': use one of folders, stock"),
                (("--logs", "nobody"), "--logs 'nobody': use one of consumers, provider, all"),
                (("--algorithm-type", "jar"), "--algorithm-type 'jar': use one of bin, python, wasm, docker"),
                (("--cache", "weights.zip"), "--cache: no dataset is named 'weights.zip'"),
                (("--dataset", ".", "--cache", "."), "a folder or a digest has no name but that of --dataset-name"),
                (("--dataset", "nowhere.csv"), "--dataset: open 'nowhere.csv'"),
                (("--consumer-key", "private.pem"),
                 "--consumer-key 'private.pem' is a private key, which belongs to nobody else: give its public half"),
                (("--requirements-hash", "zz"), "--requirements-hash: open 'zz'"),
                (("--requirements-hash", "empty"), "--requirements-hash 'empty': the file is empty"),
                (("--requirements-hash", "no.txt"), "--requirements-hash 'no.txt' can't be what travels"),
                (("--requirements-hash", IRIS), "can't be what travels"),
                (("--requirements-hash", "requirements.txt", "--algorithm-type", "bin"),
                 "--requirements-hash: an algorithm of type bin has none"),
                (("--stock-manifest", "--replace"), "--stock-manifest excludes"),
                (("--stock-manifest", "--cache", "iris.csv"), "--stock-manifest excludes")):
            make(*words).refused(2, what)
        for kind in ("bin", "python", "wasm", "docker"):
            assert json.loads(make("--algorithm-type", kind).ok())["algorithm"]["algo_type"] == kind
        path = folder.write("m.json", stock)
        cli("computation", "create", "--dry-run", path, "--layout", "stock").refused(2, "exclude")
        # The digest is that of the file, or what the digits say.
        hashed = json.loads(stock) | {"cocos": {"requirements_hash": list(digest)}}
        assert cli("checksum", "--manifest", folder.write("n.json", json.dumps(hashed))).ok() != cli(
            "checksum", "--manifest", path).ok()
        for value in (requirements, digest.hex()):
            ran = make("--requirements-hash", value)
            made = json.loads(ran.ok())
            assert made["cocos"]["requirements_hash"] == list(digest), made
            # The digest of what travels may be another one: who names a file hears of it.
            assert ("'cocos-cli checksum " in ran.err) == (value == requirements), ran.err
        folder.write("wheels/words-1.0-py3-none-any.whl", b"PK")
        cli("checksum", requirements, "--wheels", folder("nowhere")).refused(2, "--wheels")
        cli("checksum", requirements, "--wheels", folder("wheels"), "--manifest").refused(2, "exclude")
        of_bundle = cli("checksum", requirements, "--wheels", folder("wheels"))
        assert "words==1.0 --hash=sha256:" in of_bundle.err, of_bundle.err
        archive = folder.write("requirements.zip", bundle({
            "requirements.txt": (b"torch\n", 0o644), "wheels/words-1.0-py3-none-any.whl": (b"PK", 0o644),
            "requirements.lock": (f"words==1.0 --hash=sha256:{hashlib.sha256(b'PK').hexdigest()}\n".encode(), 0o644)}))
        assert of_bundle.ok() == cli("checksum", archive).ok()
        ran = make("--requirements-hash", archive)
        assert json.loads(ran.ok())["cocos"]["requirements_hash"] == list(bytes.fromhex(of_bundle.out)) and ran.err == ""


def a_dry_run_prints_no_private_key():
    """Its output is published; with a key from an option, and with one from a file in either spelling."""
    with Folder() as folder:
        made = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
             "/CN=x", "-addext", "subjectAltName=DNS:x", "-keyout", folder("agent.key"), "-out", folder("agent.pem")],
            check=False, capture_output=True, text=True, timeout=60)
        assert made.returncode == 0, made.stderr
        cli("keys", "-k", "ed25519", cwd=folder.path).ok()
        key, cert, owner = (read(folder(name)).decode() for name in ("agent.key", "agent.pem", "public.pem"))
        common = {"id": "x", "algorithm": {"hash": IRIS_DIGEST, "user_key": owner},
                  "result_consumers": [{"user_key": owner}]}
        runs = [["--id", "x", "--algorithm", IRIS_DIGEST, "--algorithm-key", "public.pem", "--consumer-key",
                 "public.pem", "--agent-cert", "agent.pem", "--agent-key", "agent.key", "--stock-manifest"]]
        for spelling in ("key_file", "server_key"):
            runs.append([folder.write(f"{spelling}.json", json.dumps(
                {**common, "agent_config": {"cert_file": cert, spelling: key}}))])
        digest = cli("checksum", "--manifest", folder.write("common.json", json.dumps(common))).ok().strip()
        for words in runs:
            done = cli("computation", "create", "--dry-run", *words, cwd=folder.path)
            assert hashlib.sha3_256(done.ok().rstrip("\n").encode()).hexdigest() == digest, words
            for line in key.splitlines() + ["PRIVATE KEY"]:
                assert line not in done.out + done.err, words


def an_expired_authority_of_clients_is_noted():
    old, new = Authority(hours_ago=48), Authority()
    cert, key = new.issue()
    with Folder() as folder:
        cli("keys", "-k", "ed25519", cwd=folder.path).ok()
        words = ["computation", "create", "--dry-run", "--algorithm", IRIS_DIGEST, "--algorithm-key", "public.pem",
                 "--consumer-key", "public.pem", "--agent-cert", folder.write("agent.pem", cert), "--agent-key",
                 folder.write("agent.key", key), "--agent-client-ca"]
        note = "note: agent_config: client_ca_file: a certificate expired at"
        noted = cli(*words, folder.write("both.pem", old.pem + new.pem), cwd=folder.path)
        assert noted.ok() and note in noted.err and "(1 of 2)" in noted.err, noted.err
        valid = cli(*words, folder.write("new.pem", new.pem), cwd=folder.path)
        assert valid.ok() and "expired" not in valid.err, valid.err
        cli(*words, folder.write("old.pem", old.pem), cwd=folder.path).refused(
            2, "client_ca_file: a certificate expired at")


def rsa_certificate(folder, bits=4096):
    """As the guides make them: self-signed, for localhost."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", f"rsa:{bits}", "-nodes", "-keyout", folder("rsa.key"), "-out",
                    folder("rsa.pem"), "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    return folder("rsa.pem"), folder("rsa.key")


def an_rsa_certificate_is_no_attested_listeners_but_may_be_a_clients_authority():
    with Folder() as folder:
        cli("keys", "-k", "ed25519", cwd=folder.path).ok()
        cert, key = rsa_certificate(folder)
        words = ["computation", "create", "--dry-run", "--algorithm", IRIS_DIGEST, "--algorithm-key", "public.pem",
                 "--consumer-key", "public.pem"]
        cli(*words, "--agent-cert", cert, "--agent-key", key, cwd=folder.path).ok()
        cli(*words, "--agent-attested-tls", "--agent-cert", cert, "--agent-key", key, cwd=folder.path).refused(
            2, "attested TLS needs a P-256 key", "or neither cert_file nor key_file")
        cli(*words, "--agent-attested-tls", "--agent-client-ca", cert, cwd=folder.path).ok()


def an_equals_sign_after_a_letter_is_none_of_the_value():
    with Folder() as folder:
        cli("keys", "-k=ed25519", cwd=folder.path).ok()
        assert "PRIVATE KEY" in read(folder("private.pem")).decode()


def a_value_goes_into_a_policy_in_hexadecimal_or_base64():
    """As sevsnpmeasure prints it, or as policies of the older form have it."""
    for command, length, own, older in (("measurement", 48, "measurements", "measurement"),
                                        ("hostdata", 32, "host_data", "host_data")):
        value = bytes(range(length))
        spelled = base64.b64encode(value).decode()
        for text in (value.hex(), value.hex().upper(), spelled):
            with Folder() as folder:
                ours = folder.write("own.json", '{"cocos":1,"snp":{}}')
                theirs = folder.write("older.json", '{"policy":{}}')
                cli("policy", command, text, ours).ok()
                cli("policy", command, text, theirs).ok()
                assert json.loads(read(folder("own.json")))["snp"][own] == [value.hex()]
                assert json.loads(read(folder("older.json")))["policy"][older] == spelled
        with Folder() as folder:
            ours = folder.write("own.json", '{"cocos":1,"snp":{}}')
            for text in (value.hex()[2:], value.hex() + "00", value.hex()[:-1] + "g", spelled[4:], "?", ""):
                cli("policy", command, text, ours).refused(2)
            assert json.loads(read(folder("own.json"))) == {"cocos": 1, "snp": {}}


def a_policy_is_changed_where_it_is():
    """By whatever name, for whoever read it before; and what is no file is left as it is."""
    value = "5a" * 48
    with Folder() as folder:
        ours = folder.write("own.json", '{"cocos":1,"snp":{}}', 0o640)
        os.symlink("own.json", folder("link.json"))
        os.mkfifo(folder("pipe"))
        if os.geteuid() == 0:
            os.chown(ours, 65534, 65534)
        before = os.stat(ours)
        cli("policy", "measurement", value, folder("link.json")).ok()
        assert json.loads(read(ours))["snp"]["measurements"] == [value] and os.path.islink(folder("link.json"))
        after = os.stat(ours)
        assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid), after
        told = ("is no file that could be changed", "-o FILE says where")
        with subprocess.Popen(["tee", folder("pipe")], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as tee:
            tee.stdin.write(b'{"cocos":1,"snp":{}}')
            tee.stdin.close()
            cli("policy", "measurement", value, folder("pipe")).refused(1, *told)
        assert sorted(os.listdir(folder.path)) == ["link.json", "own.json", "pipe"]


def no_server_is_said_with_what_to_do():
    for words, name in ((["status"], "AGENT"), (["remove-vm", "x"], "MANAGER"),
                        (["computation", "list"], "COMPUTATIONS")):
        url = "127.0.0.1:1"
        ran = cli(*words, **{name + "_GRPC_URL": url}).refused(1, url, "hint:", name + "_GRPC_URL")
        assert not ran.out, ran.out
        cli(*words, "--grpc-url", "127.0.0.1:2", **{name + "_GRPC_URL": url}).refused(
            1, "127.0.0.1:2")
    cli("status", "--grpc-url", "nonsense").refused(2, "nonsense")
    cli("status", "--grpc-timeout", "0s").refused(2, "--grpc-timeout '0s'")
    cli("status", "--grpc-timeout", "soon").refused(2, "--grpc-timeout: 'soon' is not a duration")
    cli("status", "--grpc-client-cert", IRIS).refused(2, "without its key")
    cli("status", "--grpc-server-ca-certs", IRIS).refused(2, f"--grpc-server-ca-certs '{IRIS}': CA: ")
    cli("status", "--grpc-server-ca-certs", "/proc/nowhere").refused(2, "--grpc-server-ca-certs: ", "/proc/nowhere")
    cli("status", "--grpc-client-cert", IRIS, "--grpc-client-key", IRIS).refused(2, f"--grpc-client-cert '{IRIS}': ")
    # What is for a proof alone would be taken for one.
    for words in (("--skew", "foo"), ("--skew", "5"), ("--product", "Milan"), ("--crl", IRIS), ("--check_crl",), ("--offline",),
                  ("--vcek", IRIS), ("--collateral", "/"), ("--kds", "x"), ("--attestation-policy", IRIS), ("--reattest", "1m"),
                  ("--manifest", IRIS), ("--ek_root", IRIS), ("--CA_bundles_paths", IRIS)):
        cli("status", *words, "--grpc-url", "127.0.0.1:1").refused(
            2, words[0] + " is given, but nobody asks the agent for a proof", "add --attested-tls")


def a_closed_socket_and_a_server_s_own_word_have_their_own_hints():
    """Who may not use the socket is told so; what a server that is there says is not taken for its absence."""
    refusal = grpc.unary_unary_rpc_method_handler(
        lambda request, context: context.abort(grpc.StatusCode.UNAVAILABLE, "not today"))

    class Refuses(grpc.GenericRpcHandler):
        def service(self, handler_call_details):
            return refusal

    with Folder() as folder:
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), handlers=[Refuses()])
        url = "unix:" + folder("socket")
        server.add_insecure_port(url)
        server.start()
        ran = cli("vm", "strays", "--grpc-url", url).refused(1, "not today")
        assert "is the manager there" not in ran.err, ran.err
        server.stop(None).wait()
        ran = cli("vm", "strays", "--grpc-url", "unix:" + folder("none")).refused(1, "is the manager there?")
        assert "TLS" not in ran.err, ran.err
        closed = os.path.join(folder.path, "closed")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(closed)
            listener.listen()
            os.chmod(closed, 0)
            os.chmod(folder.path, 0o755)
            words = [program("cocos-cli"), "vm", "strays", "--grpc-url", "unix:" + closed]
            if os.getuid() == 0:
                words = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *words]  # as little as anybody may
            ran = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
            assert ran.returncode == 1 and "member of group cocos" in ran.stderr and "TLS" not in ran.stderr, ran


def limits_and_links_are_said_in_plain_words():
    with Folder() as folder:
        ask = ("policy", "create", "snp", "--measurement", "5a" * 48, "--crl-max-age")
        for text in ("7d", "1500ms", "-1", ""):
            cli(*ask, text).refused(2, "--crl-max-age", "duration of whole seconds", "write 90s, 5m or 168h")
            cli(*ask[:-1], "--max-age", text).refused(2, "--max-age", "write 90s, 5m or 168h")
        assert json.loads(cli(*ask, "168h").ok())["crl"]["max_age"] == 604800
        ran = cli(*ask, "0").refused(2, "at least 1")
        assert "number'0'" not in ran.err, ran.err
        os.mkdir(folder("asset"))
        os.symlink("/etc/hostname", os.path.join(folder("asset"), "link"))
        cli("checksum", folder("asset")).refused(2, "a link", "copy what it points to")


def strays_are_a_table_with_its_head():
    """As a manager answers; in JSON a name that is no CVM's is as it is, without the mark for people."""
    manager, manager_grpc = PROTOCOL["manager"]
    rows = [manager.Stray(id="'junk'", folder=True), manager.Stray(id="4ba780ea-155d-4c6c-983b-a050d982dd9c", host="ward-2")]
    endless = []

    class Manager(manager_grpc.ManagerServiceServicer):
        def ListStrays(self, request, context):
            at = [row.id for row in rows].index(request.cursor) + 1 if request.cursor and not endless else 0
            return manager.ListStraysRes(strays=rows[at:at + 1], over=["ward-2"] if rows else [],
                                         next=rows[at].id if endless or rows[at + 1:] else "")

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    manager_grpc.add_ManagerServiceServicer_to_server(Manager(), server)
    url = {"MANAGER_GRPC_URL": f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"}
    server.start()
    lines = cli("vm", "strays", **url).ok().splitlines()
    assert lines[0].split() == ["CVM", "DOMAIN", "FOLDER", "SECRETS", "ADOPT", "HOST"] and lines[1].startswith("'junk' "), lines
    assert len(lines) == 3 and lines[2].endswith("ward-2"), lines
    ran = cli("vm", "strays", "--json", **url)
    assert [(row["id"], row["host"]) for row in ran.json()] == [("junk", ""), (rows[1].id, "ward-2")]
    assert ran.err.count("ward-2 has more of them than are listed") == 1, ran.err
    endless.append(True)
    cli("vm", "strays", **url).refused(1, "more than 4096 pages")
    endless.clear()
    rows.clear()
    assert cli("vm", "strays", **url).ok().startswith("none: ")
    assert cli("vm", "strays", "--json", **url).json() == []
    server.stop(None).wait()


def keys_that_are_none_are_refused():
    with Folder() as folder:
        cli("keys", "-k", "ecdsa", cwd=folder.path).ok()
        for path, words in ((IRIS, "iris.csv"), ("/proc/nowhere", "/proc/nowhere"),
                            (folder("public.pem"), "public.pem")):
            cli("data", IRIS, path).refused(2, words, "hint:")
        subprocess.run(["openssl", "ecparam", "-name", "secp256k1", "-genkey", "-noout", "-out",
                        folder("k1.pem")], check=True)
        cli("data", IRIS, folder("k1.pem")).refused(2, "k1.pem")


def encrypted_key(folder):
    cli("keys", "-k", "ecdsa", cwd=folder.path).ok()
    subprocess.run(["openssl", "pkey", "-in", folder("private.pem"), "-aes256", "-passout",
                    "pass:secret words", "-out", folder("locked.pem")], check=True)
    return folder("locked.pem")


def an_encrypted_key_needs_a_terminal():
    with Folder() as folder:
        key = encrypted_key(folder)
        cli("data", IRIS, key).refused(2, "locked.pem", "terminal")


def on_terminal(arguments, answer):
    """Runs the CLI on a terminal of its own, types the answer; exit status and what was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(program("cocos-cli"), ["cocos-cli", *arguments])
    shown, typed, end = b"", False, time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                piece = os.read(terminal, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        if not typed and b"Passphrase of" in shown:
            os.write(terminal, answer + b"\n")
            typed = True
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode(errors="replace")


def a_passphrase_is_asked_for_and_not_shown():
    with Folder() as folder:
        key = encrypted_key(folder)
        os.environ["AGENT_GRPC_URL"] = "127.0.0.1:1"
        status, shown = on_terminal(["data", IRIS, key], b"secret words")
        assert status == 1 and "127.0.0.1:1" in shown, shown  # past the key
        assert "secret words" not in shown
        status, shown = on_terminal(["data", IRIS, key], b"wrong")
        assert status == 2 and "passphrase" in shown and "127.0.0.1:1" not in shown, shown
        del os.environ["AGENT_GRPC_URL"]


def a_key_that_others_can_read_is_warned_of():
    with Folder() as folder:
        cli("keys", "-k", "ecdsa", cwd=folder.path).ok()
        os.chmod(folder("private.pem"), 0o644)
        run = cli("data", IRIS, folder("private.pem"), "--grpc-url", "127.0.0.1:1")
        run.refused(1, "warning", "chmod 600")


def registers_of_the_wrong_shape_are_refused():
    with Folder() as folder:
        log = folder("log")
        with open(log, "w", encoding="utf-8") as file:
            file.write("INIT sha256/" + "00" * 32 + "\n")
        value = hashlib.sha256(bytes(32) + hashlib.sha256(
            b"INIT sha256/" + b"00" * 32).digest()).hexdigest()
        for text, words in {
                "[{}]": "an array where an object",
                '"x"': "where an object",
                json.dumps({"sha256": {"16": value, "17": value}}): "several registers",
                json.dumps({"sha256": {"16": value}, "sha384": {"0": "00" * 48}}): "several",
                json.dumps({"sha384": {"16": "00" * 48}}): "no value of that algorithm",
                json.dumps({"sha256": {"16": "00" * 32}}): "log.replay"}.items():
            with open(folder("pcrs.json"), "w", encoding="utf-8") as file:
                file.write(text)
            run = cli("attestation", "check", "log", log, "--aael", "--pcrs", folder("pcrs.json"))
            assert run.status in NO and words in run.out, (text, run.out, run.err)
        with open(folder("pcrs.json"), "w", encoding="utf-8") as file:
            json.dump({"sha256": {"16": value}}, file)
        assert "holds" in cli("attestation", "check", "log", log, "--aael", "--pcrs",
                              folder("pcrs.json")).ok()


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        with open(GOLDEN, "w", encoding="utf-8") as golden:
            golden.write(help_of_all())
        sys.exit(0)
    tap.run([help_is_as_it_was, help_is_found_in_every_way, what_lists_does_so_in_every_form, wrong_calls_end_with_2_and_a_hint,
             an_evil_word_does_not_reach_the_terminal,
             only_the_journal_gets_what_is_meant_for_it, a_full_disk_is_no_success, daemons_have_the_letters_of_help,
             a_slip_of_the_fingers_is_told_what_was_meant,
             a_closed_standard_output_is_no_success,
             keys_are_made_once, half_a_pair_of_keys_is_never_made, a_file_is_named_by_its_sha3, a_directory_is_named_by_its_bundle,
             the_vectors_of_manifests_hold, broken_manifests_say_where,
             what_the_guides_type_is_read, who_names_the_wrong_file_is_told_the_right_one,
             options_make_the_same_manifest_as_a_file, what_was_typed_is_what_the_manifest_says, options_say_what_other_backends_do_not_know, a_dry_run_prints_no_private_key, an_expired_authority_of_clients_is_noted, an_rsa_certificate_is_no_attested_listeners_but_may_be_a_clients_authority,
             an_equals_sign_after_a_letter_is_none_of_the_value,
             a_value_goes_into_a_policy_in_hexadecimal_or_base64, a_policy_is_changed_where_it_is, no_server_is_said_with_what_to_do,
             a_closed_socket_and_a_server_s_own_word_have_their_own_hints, limits_and_links_are_said_in_plain_words,
             strays_are_a_table_with_its_head, keys_that_are_none_are_refused,
             an_encrypted_key_needs_a_terminal, a_passphrase_is_asked_for_and_not_shown,
             a_key_that_others_can_read_is_warned_of,
             registers_of_the_wrong_shape_are_refused])
