# SPDX-License-Identifier: Apache-2.0
"""What people see of keys and manifests before they agree."""
import hashlib
import json
import subprocess
import zipfile

import tap
from harness import Computations, Folder, cli, read


def openssl(*words, **options):
    return subprocess.run(["openssl", *words], capture_output=True, check=True, **options).stdout


def keys_of(folder, *names):
    """A folder with private.pem and public.pem for each name."""
    for name in names:
        folder.write(name + "/x", "")
        cli("keys", "-k", "ecdsa", cwd=folder(name)).ok()


def fingerprint(path):
    """What it has to be, by openssl and Python."""
    return hashlib.sha3_256(openssl("pkey", "-pubin", "-in", path, "-outform", "DER")).hexdigest()


def a_key_has_one_fingerprint():
    for kind in ("rsa", "ecdsa", "ed25519"):
        with Folder() as folder:
            cli("keys", "-k", kind, cwd=folder.path).ok()
            want = fingerprint(folder("public.pem"))
            for name in ("public.pem", "private.pem"):
                assert cli("key", "fingerprint", folder(name)).ok() == want + "\n", name
                assert cli("key", "fingerprint", "--json", folder(name)).json() == \
                    {"file": folder(name), "fingerprint": want}
            openssl("pkey", "-in", folder("private.pem"), "-aes256", "-passout", "pass:x", "-out",
                    folder("locked.pem"))
            cli("key", "fingerprint", folder("locked.pem")).refused(2, "private key", "terminal")


def what_holds_no_key_has_no_fingerprint():
    with Folder() as folder:
        keys_of(folder, "a")
        with open(folder("a/public.pem"), encoding="ascii") as file:
            public = file.read()
        for text, says in (("", "key"), ("-----BEGIN PUBLIC KEY-----\n", "key"), (public + public, "key"),
                           ("x" * 65537, "65536"), ("-----BEGIN PRIVATE KEY-----\nx\n", "private key")):
            cli("key", "fingerprint", folder.write("k", text)).refused(2, says)
        cli("key", "fingerprint", folder("nothing")).refused(2, "nothing")
        cli("key", "fingerprint", folder.path).refused(2)


PEOPLE = ("provider", "hospital", "bank", "consumer")
DIGESTS = {"algorithm": "a1" * 32, "hospital": "b2" * 32, "bank": "c3" * 32, "packages": "d4" * 32}
COMPLETE = {"attested_tls": True}


def manifest(folder, **changes):
    """One that nothing weakens, but for what changes: {path of a member: value, or None to leave it out}."""
    key = {name: read(folder(name, "public.pem")).decode() for name in PEOPLE}
    m = {"id": "c-1", "name": "iris", "description": "who is whose",
         "algorithm": {"hash": DIGESTS["algorithm"], "user_key": key["provider"], "algo_type": "python",
                       "algo_args": ["--seed", "7 8"]},
         "datasets": [{"hash": DIGESTS["hospital"], "user_key": key["hospital"], "filename": "h1.zip", "decompress": True},
                      {"hash": DIGESTS["bank"], "user_key": key["bank"], "filename": "iris.csv"}],
         "result_consumers": [{"user_key": key["consumer"]}], "agent_config": dict(COMPLETE),
         "cocos": {"layout": "folders", "logs": "consumers", "requirements_hash": DIGESTS["packages"]}}
    for path, value in changes.items():
        at, (*steps, last) = m, path.split("__")
        for step in steps:
            at = at[int(step[1:])] if isinstance(at, list) else at[step]
        if value is None:
            del at[last]
        else:
            at[last] = value
    return folder.write("m.json", json.dumps(m))


def a_manifest_is_shown_by_who_brings_what():
    with Folder() as folder:
        keys_of(folder, *PEOPLE)
        path = manifest(folder)
        prints = {name: fingerprint(folder(name, "public.pem")) for name in PEOPLE}
        text = cli("manifest", "show", path, cwd=folder.path).ok()
        assert text == "\n".join([
            "computation 'c-1'", "name        'iris'", "description 'who is whose'",
            "algorithm   'python'", "  key       " + prints["provider"], "  digest    " + DIGESTS["algorithm"],
            "  argument  '--seed'", "  argument  '7 8'", "  packages  " + DIGESTS["packages"],
            "dataset     'h1.zip'", "  key       " + prints["hospital"], "  digest    " + DIGESTS["hospital"],
            "  lies in   datasets/'h1'/, unpacked",
            "dataset     'iris.csv'", "  key       " + prints["bank"], "  digest    " + DIGESTS["bank"],
            "  lies in   datasets/'iris.csv'",
            "results for " + prints["consumer"],
            "seen by     who fetches the results: what the algorithm writes, and why it failed",
            "agent       attested TLS, port 7002 (in no digest; the agent's run statement tells)",
            "you         no key of yours is here to compare: give --key",
            "digest      " + cli("checksum", "--manifest", path).ok().strip(),
            "            of the canonical form, as evidence shows it; this has a policy ask for it:",
            f"            cocos-cli policy extend {path} POLICY.json", ""]), text
        shown = cli("manifest", "show", "--json", path, cwd=folder.path).json()
        assert shown["algorithm"] == {"type": "python", "key": prints["provider"], "you": [],
                                      "hash": DIGESTS["algorithm"], "arguments": ["--seed", "7 8"],
                                      "requirements_hash": DIGESTS["packages"]}
        assert [d["key"] for d in shown["datasets"]] == [prints["hospital"], prints["bank"]]
        assert shown["digest"] == cli("checksum", "--manifest", path).ok().strip()
        assert shown["weakened_by"] == [] and "refused" not in shown, shown


def this_is_you():
    with Folder() as folder:
        keys_of(folder, *PEOPLE, "stranger")
        path = manifest(folder)
        bank = fingerprint(folder("bank/public.pem"))
        text = cli("manifest", "show", path, cwd=folder("bank")).ok()
        assert text.count("this is you") == 1 and "\nyou " not in text, text
        assert f"{bank}  this is you (public.pem, private.pem)\n" in text, text
        text = cli("manifest", "show", path, "--key", "../consumer/public.pem", "--key", "../provider/private.pem",
                   cwd=folder("stranger")).ok()
        for name, file in (("consumer", "../consumer/public.pem"), ("provider", "../provider/private.pem")):
            assert f"{fingerprint(folder(name, 'public.pem'))}  this is you ({file})\n" in text, text
        assert text.count("this is you") == 2, text
        # A stranger's folder with a stranger's key in it does not speak for who names a key.
        text = cli("manifest", "show", path, "--key", "../consumer/public.pem", cwd=folder("bank")).ok()
        assert f"{bank}\n" in text and text.count("this is you") == 1, text
        text = cli("manifest", "show", path, cwd=folder("stranger")).ok()
        assert "this is you" not in text and "you         none of these keys is yours\n" in text, text
        shown = cli("manifest", "show", "--json", path, cwd=folder("bank")).json()
        assert [d["you"] for d in shown["datasets"]] == [[], ["public.pem", "private.pem"]]
        cli("manifest", "show", path, "--key", folder("nothing")).refused(2, "nothing")
        # What lies in the folder by chance is noted, and nobody is asked for its passphrase.
        openssl("pkey", "-in", folder("bank/private.pem"), "-aes256", "-passout", "pass:x", "-out",
                folder("stranger/private.pem"))
        folder.write("stranger/public.pem", "x")
        run = cli("manifest", "show", path, cwd=folder("stranger"))
        assert "this is you" not in run.ok() and run.err.count("is not compared") == 2, run.err


def what_weakens_a_manifest_is_said():
    """Each alone, beside a manifest that nothing weakens."""
    with Folder() as folder:
        keys_of(folder, *PEOPLE)
        made = openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                       "/CN=x", "-addext", "subjectAltName=DNS:x", "-keyout", folder("a.key"))
        certificate = {"cert_file": made.decode(), "key_file": read(folder("a.key")).decode()}
        provider, hospital = (read(folder(name, "public.pem")).decode() for name in ("provider", "hospital"))
        for changes, says in (
                ({}, []), ({"agent_config": None}, ["no agent_config is here"]),
                ({"agent_config": {"port": "7002"}}, ["no TLS"]),
                ({"agent_config": certificate}, ["TLS without evidence"]),
                ({"agent_config": {**certificate, **COMPLETE}}, ["the agent's key is brought"]),
                ({"agent_config": {"cert_file": "/etc/certs/cert.pem", "key_file": "/etc/certs/key.pem", **COMPLETE}},
                 ["the agent's key is brought", "certificates that the host supplies"]),
                ({"agent_config": {"log_level": "debug", **COMPLETE}}, ["log_level debug"]),
                ({"cocos__logs": "all"}, ["logs all"]), ({"cocos__logs": "provider"}, ["logs provider"]),
                ({"cocos__logs": None}, ["logs all"]),
                ({"cocos__layout": "stock"}, ["layout stock"]),
                ({"cocos": None}, ["logs all", "layout stock", "no requirements_hash"]),
                ({"cocos__requirements_hash": None}, ["no requirements_hash"]),
                ({"cocos__requirements_hash": None, "algorithm__algo_type": "bin"}, []),
                ({"algorithm__algo_args": None}, ["no algo_args"]),
                ({"algorithm__algo_type": None}, ["no algo_type"]),
                ({"algorithm__algo_type": None, "cocos__requirements_hash": None}, ["no algo_type", "no requirements_hash"]),
                ({"datasets___1__filename": None}, ["a dataset without a file name"]),
                ({"datasets___1__cache": True}, ["a cache"]),
                ({"agent_config": {"client_ca_file": "/etc/certs/ca.pem", **COMPLETE}}, ["certificates that the host supplies"]),
                ({"cocos__layout": "stock", "datasets___1__user_key": hospital}, []),
                ({"datasets": []}, []), ({"result_consumers": [{"user_key": provider}]}, []),
                ({"datasets": [], "result_consumers": [{"user_key": provider}]}, ["one key stands"])):
            shown = cli("manifest", "show", "--json", manifest(folder, **changes)).json()
            assert len(shown["weakened_by"]) == len(says), (changes, shown)
            assert all(s.startswith(w) for s, w in zip(shown["weakened_by"], says)), (changes, shown)
            assert "refused" not in shown, (changes, shown)
        text = cli("manifest", "show", manifest(folder, cocos=None)).ok()
        assert "\nweakened by logs all: " in text and "\n            layout stock: " in text, text


def a_strangers_texts_stay_texts():
    with Folder() as folder:
        keys_of(folder, *PEOPLE)
        evil = "x\x1b[2J\u202e\u2028\u009b\n  this is you (private.pem)'\x00"
        path = manifest(folder, id=evil, name=evil, description=evil, algorithm__algo_args=[evil],
                        algorithm__algo_type=evil, datasets___0__filename=evil,
                        agent_config={"port": evil})
        run = cli("manifest", "show", path)
        assert all(c.isprintable() or c == "\n" for c in run.ok()), run.out
        assert "\n  this is you" not in run.out and run.out.count("\\x0a  this is you") == 7, run.out
        assert "\nrefused     by agents: manifest: id: " in run.out, run.out
        assert json.loads(cli("manifest", "show", "--json", path).ok())["name"]


def what_cant_be_read_is_refused_by_name():
    with Folder() as folder:
        for text, says in {"{": "byte", '{"nme":"x"}': "nme", "[]": "a list",
                           '{"owner":"x"}': "an older form"}.items():
            cli("manifest", "show", folder.write("m.json", text)).refused(2, says, "m.json")
        text = cli("manifest", "show", folder.write("m.json", "{}")).ok()
        assert "algorithm   none\n" in text and "refused     by agents" in text, text
        cli("manifest", "show", folder("nothing")).refused(2, "No such file")


def the_service_is_asked_for_what_is_no_file():
    with Folder() as folder, Computations(folder) as service:
        keys_of(folder, *PEOPLE)
        path = manifest(folder, agent_config={"attested_tls": True, "port": "7100"})
        where = {"COMPUTATIONS_GRPC_URL": "unix:" + service.socket}
        made = cli("computation", "create", path, **where).ok().strip()
        assert made == "c-1"
        shown = cli("manifest", "show", "--json", made, cwd=folder("bank"), **where).json()
        here = cli("manifest", "show", "--json", path, cwd=folder("bank")).json()
        assert shown == here, (shown, here)
        text = cli("manifest", "show", made, **where).ok()
        assert "policy extend MANIFEST.json" in text, text
        cli("manifest", "show", "c-2", **where).refused(1, "c-2")


def every_reason_against_a_manifest_is_told_at_once():
    with Folder() as folder:
        keys_of(folder, *PEOPLE)
        path = manifest(folder)
        assert cli("manifest", "check", path).ok() == "taken: an agent takes this manifest\n"
        assert cli("manifest", "check", "--json", path).json() == {"taken": True, "reasons": []}
        run = cli("manifest", "check", manifest(folder, id=None))
        assert run.ok() and "note: there is no id" in run.err, run.err
        run = cli("manifest", "check", manifest(
            folder, algorithm__hash=None, algorithm__algo_type="perl", datasets___1__user_key="AAAA",
            datasets___0__filename="a/b", cocos__logs="nobody", agent_config={"port": "0"}))
        assert run.status == 1 and not run.err, (run.status, run.err)
        says = ["manifest: datasets[0]: filename: ", "manifest: datasets[1]: user_key: ",
                "manifest: algorithm: hash: ", "manifest: algorithm: algo_type: ", "manifest: cocos: logs: ",
                "agent_config: port: "]
        lines = run.out.splitlines()
        assert len(lines) == len(says), run.out
        assert all(line.startswith("refused: " + word) for line, word in zip(lines, says)), run.out
        told = cli("manifest", "check", "--json", folder("m.json"))
        assert told.status == 1 and not json.loads(told.out)["taken"]
        assert ["refused: " + reason for reason in json.loads(told.out)["reasons"]] == lines
        # The first of them is what an agent, and 'computation create', says.
        assert lines[0][len("refused: "):] in cli("computation", "create", "--dry-run", folder("m.json")).refused(2).err
        # More than there is room for.
        many = [{"hash": "00" * 32, "user_key": f"AA{i:03}A==", "filename": f"a/{i}"} for i in range(200)]
        run = cli("manifest", "check", manifest(folder, datasets=many))
        assert run.status == 1 and run.out.endswith("refused: and perhaps for more than these 256\n"), run.out[-200:]
        # Nor does what can't be read stop it, and what follows from that alone is not told.
        run = cli("manifest", "check", manifest(
            folder, algorithm__hash="xyz", datasets___0__hash="00", datasets___1__user_key="-----BEGIN NOTHING",
            datasets___0__filename="a/b", datasets___0__nme="x", algorithm__algo_args=["a", 7, 8]))
        assert run.status == 1 and not run.err, (run.status, run.err)
        says = {"manifest: datasets[0]: hash: ", "manifest: datasets[0]: filename: ",
                "manifest: datasets[0]: key 'nme' is unknown", "manifest: datasets[1]: user_key: ",
                "manifest: algorithm: hash: ", "manifest: algorithm: algo_args[1]: a number",
                "manifest: algorithm: algo_args[2]: a number"}
        lines = run.out.splitlines()
        assert len(lines) == len(says), run.out
        assert all(sum(line.startswith("refused: " + word) for line in lines) == 1 for word in says), run.out
        for text in ("{", "7", "[]"):
            cli("manifest", "check", folder.write("m.json", text)).refused(2, "m.json")
        cli("manifest", "check", folder("nothing")).refused(2, "nothing")


def two_manifests_are_compared_by_meaning():
    with Folder() as folder:
        keys_of(folder, *PEOPLE)
        text = read(manifest(folder)).decode()
        ours = folder.write("ours.json", text)

        def differ(**changes):
            run = cli("manifest", "diff", "--json", ours, manifest(folder, **changes))
            assert run.status == (1 if changes else 0) and not run.err, (run.status, run.err)
            return json.loads(run.out)

        assert differ() == {"same_digest": True, "differences": []}
        # Another form: spaces, order of members, digests and keys in their other spelling.
        m = json.loads(text)
        m["algorithm"]["hash"] = list(bytes.fromhex(m["algorithm"]["hash"]))
        m["algorithm"] = dict(reversed(m["algorithm"].items()))
        other = folder.write("other.json", json.dumps(m, indent=3))
        assert cli("manifest", "diff", ours, other).ok() == "same: by meaning and digest, whatever their form\n"
        prints = {name: fingerprint(folder(name, "public.pem")) for name in PEOPLE}
        key = read(folder("bank/public.pem")).decode()
        for changes, what, before, after in (
                ({"id": "c-2"}, "id", "'c-1'", "'c-2'"),
                ({"algorithm__hash": "ee" * 32}, "algorithm: digest", DIGESTS["algorithm"], "ee" * 32),
                ({"algorithm__algo_args": ["--seed"]}, "algorithm: argument 2", "'7 8'", None),
                ({"datasets___0__user_key": key}, "dataset 'h1.zip': key", prints["hospital"], prints["bank"]),
                ({"datasets___0__decompress": False}, "dataset 'h1.zip': unpacked", "yes", "no"),
                ({"cocos__requirements_hash": "ee" * 32}, "algorithm: packages", DIGESTS["packages"], "ee" * 32)):
            told = differ(**changes)
            want = {k: v for k, v in (("what", what), ("a", before), ("b", after)) if v is not None}
            assert told == {"same_digest": False, "differences": [want]}, told
        whats = [d["what"] for d in differ(result_consumers=[{"user_key": key}])["differences"]]
        assert whats == ["results for " + prints["consumer"], "results for " + prints["bank"]], whats
        whats = [d["what"] for d in differ(cocos__logs="all")["differences"]]
        assert whats[0] == "logs" and whats[1].startswith("weakened by logs all"), whats
        # What is in no digest, and what only its order or other words make another one.
        told = differ(agent_config={"attested_tls": True, "port": "7100"})
        assert told["same_digest"] and told["differences"] == [{"what": "agent: port", "a": "'7002'", "b": "'7100'"}]
        m = json.loads(text)
        m["datasets"].reverse()
        run = cli("manifest", "diff", ours, folder.write("other.json", json.dumps(m)))
        assert run.status == 1 and run.out.startswith("differ: they say the same in another order"), run.out
        run = cli("manifest", "diff", ours, manifest(folder, name="x\u202e\n+ y"))
        assert run.status == 1 and run.out == (
            "name\n  - 'iris'\n  + 'x\\xe2\\x80\\xae\\x0a+ y'\ndiffer in 1 thing, and in the digest\n"), run.out
        run = cli("manifest", "diff", ours, manifest(folder, agent_config={"attested_tls": True, "port": "7100"}))
        assert run.out.endswith("differ in 1 thing, none of which is in the digest\n"), run.out
        # Two that have the same name, or none and the same content, are both told of.
        both = [{**m["datasets"][0], "filename": n, "hash": h * 32, "user_key": k} for n, h, k in
                (("a", "01", key), ("a", "02", key), ("", "03", key), ("", "03", key))]
        ours = folder.write("ours.json", json.dumps({**m, "datasets": both}))
        both[1]["hash"], both[3]["decompress"] = "04" * 32, True
        run = cli("manifest", "diff", "--json", ours, folder.write("other.json", json.dumps({**m, "datasets": both})))
        assert run.status == 1 and [(d["what"], d["a"], d["b"]) for d in json.loads(run.out)["differences"]] == [
            ("dataset 'a' (2): digest", "02" * 32, "04" * 32),
            ("dataset " + "03" * 32 + " (2): unpacked", "no", "yes")], run.out
        twice = folder.write("ours.json", json.dumps({**m, "result_consumers": [{"user_key": key}] * 2}))
        once = folder.write("other.json", json.dumps({**m, "result_consumers": [{"user_key": key}]}))
        run = cli("manifest", "diff", twice, once)
        assert f"results for {prints['bank']} (2)\n  - yes\ndiffer in 1 thing" in run.out, run.out
        cli("manifest", "diff", ours, folder.write("x.json", "{")).refused(2, "x.json")
        cli("manifest", "diff", folder("nothing"), ours).refused(2, "nothing")


def what_is_not_there_is_said():
    """A slip in a file's name is a wrong call, and asks no service; so is a name where there is no service."""
    with Folder() as folder:
        for name in ("nothing.json", "x/nothing", "./nothing"):
            run = cli("manifest", "show", name, cwd=folder.path).refused(2, f"open '{name}': No such file")
            assert "service" not in run.err, run.err
        cli("manifest", "show", "nothing", cwd=folder.path, COMPUTATIONS_GRPC_URL="127.0.0.1:1").refused(
            2, "'nothing' is no file here, and as a computation")


def results_for_nobody_are_told():
    with Folder() as folder:
        keys_of(folder, *PEOPLE)
        path = manifest(folder, result_consumers=[])
        assert "results for nobody\n" in cli("manifest", "show", path).ok()
        run = cli("manifest", "check", path)
        assert run.ok() and "note: result_consumers is empty: nobody can fetch the results" in run.err, run.err
        assert "note" not in cli("manifest", "check", manifest(folder)).err


def each_dataset_is_unpacked_by_itself():
    with Folder() as folder:
        keys_of(folder, "a")

        def made(*options):
            return cli("computation", "create", "--dry-run", "--algorithm", "ab" * 32, "--algorithm-key", "public.pem",
                       "--dataset", "cd" * 32, "--dataset-name", "h1.zip", "--dataset", "ef" * 32,
                       "--dataset-name", "h2.zip", "--dataset-key", "public.pem", "--consumer-key", "public.pem",
                       *options, cwd=folder("a"))

        def unpacked(*options):
            return [d.get("decompress", False) for d in json.loads(made(*options).ok())["datasets"]]

        assert unpacked() == [False, False]
        assert unpacked("--unpack", "h2.zip") == [False, True]
        assert unpacked("--unpack", "h2.zip", "--unpack", "h1.zip") == unpacked("--decompress") == [True, True]
        # A file that is there is looked at: what is no zip would come whole before an agent refuses it.
        folder.write("a/no.csv", b"PK" * 50000)
        folder.write("a/h.csv", "")
        with zipfile.ZipFile(folder("a/yes.zip"), "w") as bundle:
            bundle.writestr("x", b"y" * 100000)
            bundle.comment = b"c" * 65535
        for name, *good in (("yes.zip", True), ("no.csv",), ("h.csv",)):
            for option in (("--decompress",), ("--unpack", name)):
                run = cli("computation", "create", "--dry-run", "--algorithm", "ab" * 32, "--algorithm-key", "public.pem",
                          "--dataset", name, "--dataset-key", "public.pem", "--consumer-key", "public.pem", *option,
                          cwd=folder("a"))
                if good:
                    assert json.loads(run.ok())["datasets"][0]["decompress"]
                else:
                    run.refused(2, f"'{name}' is to be unpacked, and is no zip")
        made("--unpack", "h3.zip").refused(2, "--unpack: no dataset is named 'h3.zip'")
        cli("computation", "create", "m.json", "--unpack", "x").refused(2, "--unpack", "exclude")


if __name__ == "__main__":
    tap.run([what_is_not_there_is_said, results_for_nobody_are_told,
             a_key_has_one_fingerprint, what_holds_no_key_has_no_fingerprint,
             a_manifest_is_shown_by_who_brings_what, this_is_you, what_weakens_a_manifest_is_said,
             a_strangers_texts_stay_texts, what_cant_be_read_is_refused_by_name,
             the_service_is_asked_for_what_is_no_file, every_reason_against_a_manifest_is_told_at_once,
             two_manifests_are_compared_by_meaning, each_dataset_is_unpacked_by_itself])
