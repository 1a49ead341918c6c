# SPDX-License-Identifier: Apache-2.0
"""Computations out of documents and into them: the guides' samples, round trips, and what is refused."""
import base64
import contextlib
import copy
import csv
import hashlib
import io
import json
import math
import os
import random

import grpc
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import tap
from computations_service import agent_of, connected
from harness import PATIENCE, Folder, cli, computations, cvms, spki, until
from people import Caller, create, manifest_of, service, user

DATA = os.path.join(os.path.dirname(__file__), "..", "data")
PERSON = "10c209f4-6fba-4447-9194-3e61e4c2bb11"  # of the newer sample
OLDER = "f07b7716-2737-4228-9d80-d9df4ab5ee53"
INVALID, DENIED = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.PERMISSION_DENIED


def sample(name):
    with open(os.path.join(DATA, name), encoding="utf-8") as file:
        return json.load(file)


NEWER, FLAT = "computations_export.json", "computation_flat.json"


@contextlib.contextmanager
def room(**settings):
    """A service, its socket for commands, and a pair of keys."""
    with service(**settings) as running:
        running.cli = {"COMPUTATIONS_GRPC_URL": "unix:" + running.socket}
        cli("keys", "-k", "ed25519", cwd=running.folder.path).ok()
        running.key = running.folder("public.pem")
        yield running


def imported(running, document, *arguments, **environment):
    path = running.folder.write("document.json", document if isinstance(document, str) else json.dumps(document))
    return cli("computation", "import", path, *arguments, **{**running.cli, **environment})


def ids(running):
    return [c.id for c in running.root("List").computations]


def public():
    """Somebody's public key as documents have it."""
    return base64.b64encode(spki()[0]).decode()


def complete(**changes):
    """A document of the newer form that needs nobody's help."""
    pem = public()
    item = sample(NEWER)[0]
    for asset in item["assets"]:
        asset.update(asset="", UserKey=pem)
    item["roles"] = []
    item["computation"].update(changes)
    return item


def the_newer_sample_is_taken_as_it_stands():
    with room() as running:
        running.root("AddUser", name="anna")
        path = os.path.join(DATA, NEWER)
        preview = cli("computation", "import", path, "--preview", **running.cli)
        preview.refused(1, "1 of 1 computations would not be created")
        assert f"no public key of '{PERSON}' is known: name a member who has registered one, or give one with --key {PERSON}=FILE" in preview.out, preview.out
        assert "contents of 2 assets were taken out" in preview.err, preview.err
        known = ("--map", PERSON + "=anna", "--key", f"{PERSON}={running.key}")
        said = cli("computation", "import", path, "--preview", "--json", *known, **running.cli).json()
        assert said == [{"name": "User1", "id": "", "created": False, "possible": True, "missing": "", "warnings": [],
                         "unknown_users": [], "manifest_digest": "", "datasets": 1, "consumers": 1}], said
        assert ids(running) == []
        done = cli("computation", "import", path, "--json", *known, **running.cli).json()[0]
        assert done["created"] and ids(running) == [done["id"]], done
        shown = running.root("Show", id=done["id"])
        assert shown.manifest_digest.hex() == done["manifest_digest"]
        assert shown.created.ToJsonString() == "2025-11-12T14:00:01.654Z", shown
        manifest = running.root("Manifest", id=done["id"]).manifest
        assert [d.filename for d in manifest.datasets] == ["iris.csv"]
        assert manifest.algorithm.hash.hex().startswith("a7e107aa")
        members = {r.role_name: list(r.members) for r in running.root("ListRoles", computation_id=done["id"]).roles}
        assert members["owner"] == ["anna"] and not any(v for k, v in members.items() if k != "owner"), members


def the_flat_sample_is_taken_as_it_stands():
    with room() as running:
        running.root("AddUser", name="anna")
        path = os.path.join(DATA, FLAT)
        known = ("--key", f"{OLDER}={running.key}", "--map", OLDER + "=anna")
        said = cli("computation", "import", path, *known, **running.cli)
        text = said.ok()
        assert "created  sample_computation  185e61f4-2fd1-47c3-b8e7-1bf6a8466b79" in text, text
        assert "backend_id is passed over" in text, text
        roles = {r.role_name: list(r.members)
                 for r in running.root("ListRoles", computation_id="185e61f4-2fd1-47c3-b8e7-1bf6a8466b79").roles}
        assert all(roles[name] == ["anna"] for name in
                   ("owner", "algo_provider", "dataset_provider", "result_consumer")), roles
        again = cli("computation", "import", path, *known, **running.cli)
        again.refused(1, "1 of 1 computations were not created")
        assert "exists already; --new-ids gives it another one, and so another digest" in again.out, again.out
        # It will have an id that nobody knows yet, and so no digest.
        before = cli("computation", "import", path, "--new-ids", "--preview", "--json", *known, **running.cli).json()[0]
        assert before["possible"] and before["id"] == before["manifest_digest"] == "", before
        cli("computation", "import", path, "--new-ids", *known, **running.cli).ok()
        assert len(ids(running)) == 2


def people_who_are_not_here_are_named_and_left_out():
    with room() as running:
        done = imported(running, sample(FLAT), "--key", f"{OLDER}={running.key}", "--json").json()[0]
        assert done["created"] and done["unknown_users"] == [OLDER], done
        roles = running.root("ListRoles", computation_id=done["id"]).roles
        assert not any(r.members for r in roles)


def what_is_possible_is_done():
    with room() as running:
        good, bad = complete(name="good"), complete(name="bad")
        bad["assets"][1]["UserKey"] = ""
        twice = complete(name="twice", id="one")
        answer = imported(running, [bad, good, twice, copy.deepcopy(twice)])
        answer.refused(1, "2 of 4 computations were not created")
        lines = [x.split("  ")[0:2] for x in answer.out.splitlines() if not x.startswith(" ")]
        assert lines == [["not created", "bad"], ["created", "good"], ["created", "twice"], ["not created", "twice"]]
        assert len(ids(running)) == 2 and ids(running)[1] == "one"
        # A preview knows that the second of that id would be refused.
        answer = imported(running, [complete(id="two"), complete(id="two")], "--preview")
        answer.refused(1, "1 of 2 computations would not be created")
        assert len(ids(running)) == 2


def round_trip(running, *options, name):
    """Export, import elsewhere, export there: the same bytes, and the same digests."""
    before = {c.id: c.manifest_digest for c in running.root("List").computations}
    first = running.folder("1-" + name)
    cli("computation", "export", *before, "-o", first, *options, **running.cli).ok()
    assert os.stat(first).st_mode & 0o777 == 0o600
    with room() as there:
        for person in ("anna", "bert"):
            there.root("AddUser", name=person)
        said = cli("computation", "import", first, **there.cli).ok()
        assert "warning    start_time and end_time are of where it ran" in said, said
        assert {c.id: c.manifest_digest for c in there.root("List").computations} == before
        second = there.folder("2-" + name)
        cli("computation", "export", *before, "-o", second, *options, **there.cli).ok()
        with open(first, "rb") as one, open(second, "rb") as two:
            a, b = one.read(), two.read()
    assert a == b, (a, b)
    return a.decode()


def rich(running):
    """Several computations: imported, with roles of their own, that has run, with texts that escape."""
    for name in ("anna", "bert"):
        running.root("AddUser", name=name)
    imported(running, [sample(NEWER)[0], dict(sample(FLAT), name='="+cmd|"\'@SUM(1+1)\n,;"', description="'=1\r\n<&>\u2028é")],
             "--key", f"{PERSON}={running.key}", "--key", f"{OLDER}={running.key}", "--map", PERSON + "=anna",
             "--map", OLDER + "=bert").ok()
    create(running.root, "ran")
    running.root("DefineRole", computation_id="ran", role="lab", actions=["view", "edit"])
    running.root("GiveRole", computation_id="ran", role="lab", user="bert")
    with agent_of(running, "cvm-1"):
        until(connected(running, "cvm-1"), "the connection")
        running.root("Run", id="ran", cvm_id="cvm-1", unverified=True)
    key, _ = spki()
    manifest = cvms.ComputationRunReq(
        id="all", name="all", description="of it",
        datasets=[cvms.Dataset(hash=b"b" * 32, userKey=key, filename="a b.zip", decompress=True),
                  cvms.Dataset(hash=b"c" * 32, userKey=key)],
        algorithm=cvms.Algorithm(hash=b"a" * 32, userKey=key, algo_type="python", algo_args=["-x", "=1"]),
        result_consumers=[cvms.ResultConsumer(userKey=key)],
        agent_config=cvms.AgentConfig(port="7003", log_level="debug", attested_tls=True),
        cocos=cvms.Extension(logs="consumers", requirements_hash=b"d" * 32))
    running.root("Create", computations.CreateRequest(manifest=manifest))


def exports_are_imported_to_the_same_bytes():
    with room() as running:
        rich(running)
        text = round_trip(running, name="all.json")
        ran = next(x for x in json.loads(text) if x["computation"]["id"] == "ran")
        assert not ran["computation"]["start_time"].startswith("0001"), ran
        assert {"role_name": "lab", "actions": ["view", "edit"], "members": ["bert"]} in ran["roles"]
        round_trip(running, "--csv", name="all.csv")


def names(running):
    return {c.id: c.name for c in running.root("List").computations}


def a_name_that_is_taken_gets_a_number():
    """Also within one document. The manifest, and so its digest and the next export, stays as it was."""
    with room() as running:
        running.root("Create", computations.CreateRequest(manifest=manifest_of("here", "iris")))
        document = [complete(id="a", name="iris"), complete(id="b", name="iris"), complete(id="c", name="other")]
        for item in document:
            item["computation"].update(start_time="0001-01-01T00:00:00Z", end_time="0001-01-01T00:00:00Z")
        for options, there in (("--preview",), {"here"}), ((), {"here", "a", "b", "c"}):
            said = imported(running, document, "--json", *options).json()
            told = [[w for w in one["warnings"] if "has its name: it is called" in w] for one in said]
            assert [len(w) for w in told] == [1, 1, 0] and [one["name"] for one in said] == ["iris", "iris", "other"], said
            assert "called iris (2) here" in told[0][0] and "called iris (3) here" in told[1][0], told
            assert set(ids(running)) == there
        assert names(running) == {"here": "iris", "a": "iris (2)", "b": "iris (3)", "c": "other"}
        assert {one["id"]: one["manifest_digest"] for one in said} == {
            c.id: c.manifest_digest.hex() for c in running.root("List").computations if c.id != "here"}
        assert running.root("Manifest", id="b").manifest.name == "iris"
        text = imported(running, document, "--new-ids").ok()
        assert "it is called iris (4) here" in text and "it is called iris (5) here" in text and "it is called other (2) here" in text, text
        long = imported(running, [complete(id=f"long-{n}", name="é" * 512) for n in range(2)])
        assert names(running)["long-1"] == "é" * 510 + " (2)" and long.status == 0, long.out
        # One that was renamed is exported as its manifest has it, which an import holds it against.
        running.root("Rename", id="b", name="night", description="of June")
        for form in ("json", "csv"):
            options, first = ["--csv"] * (form == "csv"), running.folder("1." + form)
            cli("computation", "export", "here", "a", "b", "c", "-o", first, *options, **running.cli).ok()
            with room() as there:
                cli("computation", "import", first, **there.cli).ok()
                assert names(there) == {"here": "iris", "a": "iris (2)", "b": "iris (3)", "c": "other"}
                second = there.folder("2." + form)
                cli("computation", "export", "here", "a", "b", "c", "-o", second, *options, **there.cli).ok()
                with open(first, "rb") as one, open(second, "rb") as two:
                    assert one.read() == two.read()


def csv_of_exports_begins_no_formula():
    with room() as running:
        rich(running)
        table = cli("computation", "export", *ids(running), "--csv", **running.cli).ok()
        rows = list(csv.reader(io.StringIO(table, newline="")))
        assert len(rows) == 5 and all(len(row) == 10 for row in rows)
        for cell in (cell for row in rows for cell in row):
            assert cell.lstrip(" ")[:1] not in tuple("=+-@\t\r\n") or not cell, cell
        text = round_trip(running, name="all.csv")
        assert "\"'=" in text


def a_table_of_the_flat_form_is_taken():
    with room() as running:
        pem = public()
        out = io.StringIO(newline="")
        writer = csv.writer(out)
        writer.writerow(["name", "owner", "algorithm", "datasets", "result_consumers"])
        for number in range(3):
            writer.writerow([f"c{number}", "x", json.dumps({"hash": "ab" * 32, "user_key": pem}),
                             json.dumps([{"hash": "cd" * 32, "user_key": pem, "filename": "a.csv"}]), ""])
        path = running.folder.write("many.CSV", "\ufeff" + out.getvalue())
        cli("computation", "import", path, **running.cli).ok()
        assert [c.name for c in running.root("List").computations] == ["c0", "c1", "c2"]


def secrets_do_not_leave():
    """Neither by the command, nor past it."""
    with room() as running:
        item = complete()
        item["computation"]["agent_config"]["server_key"] = "-----BEGIN PRIVATE KEY-----\nx\n"
        item["assets"][0]["asset"] = "c2VjcmV0"
        text = json.dumps([item])
        assert running.root.code("Import", document=text.encode()) == INVALID
        assert "private keys are in no export" in running.root.text("Import", document=text.encode())
        said = imported(running, [item])
        said.ok()
        assert "1 private key was taken out" in said.err and "contents of 1 asset were" in said.err, said.err
        item["computation"]["agent_config"] = None
        assert "contents never go to the service" in running.root.text("Import", document=json.dumps(item).encode())
        item["computation"]["agent_config"] = {"cert_file": "-----BEGIN EC PRIVATE KEY-----"}
        imported(running, [item]).refused(2, "'cert_file': a private key, where none belongs")
        # What has a listener's key has it in no export, and is refused without.
        key, _ = spki()
        running.root("Create", computations.CreateRequest(manifest=cvms.ComputationRunReq(
            id="tls", name="tls", algorithm=cvms.Algorithm(hash=b"a" * 32, userKey=key),
            agent_config=cvms.AgentConfig(cert_file="/a/cert.pem", key_file="/a/very-secret.pem"))))
        text = cli("computation", "export", "tls", **running.cli).ok()
        assert "very-secret" not in text and '"server_key":""' in text, text
        imported(running, text, "--new-ids").refused(1, "1 of 1")


def members_that_nobody_knows_are_refused():
    with room() as running:
        cases = [
            ({"computation": {"name": "x", "state": 1}}, "[0]: computation: "),
            ({"computation": {"name": "x"}, "extra": 1}, "'extra'"),
            ({"name": "x", "colour": "red"}, "'colour'"),
            ({"computation": {"name": "x", "agent_config": {"tls": True}}}, "'tls'"),
            ({"computation": {"name": "x"}, "roles": [{"role_name": "a", "x": 1}]}, "roles[0]: "),
            ({"computation": {"name": "x"}, "assets": [{"checksum": "a"}]}, "assets[0]: "),
            ({"computation": {"name": "x"}, "asset_links": [{"asset_id": "a"}]}, "no asset has it"),
            ({"computation": {"name": "x", "start_time": "2025-11-12T14:00:01+02:00"}}, "in UTC"),
            ({"computation": {"name": "x", "start_time": 3}}, "start_time: a number, not a text"),
            ({"computation": {"description": "x"}}, "name: missing"),
            ({"computation": {"name": "x"}, "roles": [{"role_name": "viewer", "actions": ["fly"]}]}, "no action"),
        ]
        for item, words in cases:
            imported(running, [item]).refused(1, words)
        imported(running, []).refused(1, "0 computations")
        imported(running, '[{"name":"x","name":"y"}]').refused(2, "the same key twice")
        imported(running, "[1]").refused(1, "[0]: ")
        assert ids(running) == []


def a_manifest_beside_people_s_words_is_the_same():
    """What people read in a document is what its manifest says, or it is refused."""
    with room() as running:
        create(running.root, "one")
        item = json.loads(cli("computation", "export", "one", **running.cli).ok())[0]
        running.root("Remove", id="one")
        for place, key, value, words in (("computation", "name", "better", "its name is another"),
                                         ("computation", "id", "two", "its id is another"),
                                         (0, "Checksum", "ab" * 32, "not in the manifest beside it"),
                                         (0, "UserKey", public(), "UserKey of '' is not the manifest's")):
            wrong = copy.deepcopy(item)
            (wrong["computation"] if place == "computation" else wrong["assets"][place])[key] = value
            for link in wrong["asset_links"]:
                link["computation_id"] = ""
            answer = imported(running, [wrong])
            answer.refused(1, "1 of 1")
            assert words in answer.out, answer.out
        wrong = dict(item, manifest=" " + item["manifest"])
        assert "not in canonical form" in imported(running, [wrong]).out
        imported(running, [item]).ok()


def who_may_what_is_asked_for_each():
    with room() as running:
        anna, bert = user(running, "anna"), user(running, "bert")
        document = json.dumps([complete(id="mine")]).encode()
        reader = Caller(running.channel, anna("AddToken", name="v", actions=["view"]).token)
        assert reader.code("Import", document=document) == DENIED
        editor = Caller(running.channel, anna("AddToken", name="e", actions=["view", "edit"]).token)
        assert editor.code("Import", document=document) is None
        # Who says who has a role needs a token for that.
        naming = complete(id="other")
        naming["roles"] = [{"role_name": "viewer", "actions": ["view"], "members": ["bert"]}]
        assert editor.code("Import", document=json.dumps([naming]).encode()) == DENIED
        # So does a role of its own, without members, too.
        naming["roles"] = [{"role_name": "reviewer", "actions": ["view"], "members": None}]
        assert editor.code("Import", document=json.dumps([naming]).encode()) == DENIED
        naming["roles"] = [{"role_name": "viewer", "actions": ["view"], "members": ["bert"]}]
        # However far behind others it is: nothing of the document is created.
        long = [complete(id=f"long-{n}") for n in range(40)] + [naming]
        for preview in True, False:
            assert editor.code("Import", document=json.dumps(long).encode(), preview=preview) == DENIED
        assert ids(running) == ["mine"]
        assert anna("Import", document=json.dumps([naming]).encode()).computations[0].created
        members = {r.role_name: list(r.members) for r in anna("ListRoles", computation_id="other").roles}
        assert members["owner"] == ["anna"] and members["viewer"] == ["bert"], members
        # What somebody may not see is not there, and nothing of the rest is told.
        hidden = bert.text("Export", ids=["other", "mine"])
        assert hidden == bert.text("Export", ids=["none"]).replace("none", "mine"), hidden
        assert b'"mine"' not in bert("Export", ids=["other"]).document
        assert anna.code("Export", ids=[]) == INVALID
        assert anna.code("Export", ids=["mine", "mine"]) == INVALID
        assert anna.code("Export", ids=["x"] * 257) == INVALID
        assert bert.code("Import", document=b"[" * 100) == INVALID
        assert bert.code("Import", document=b" " * (3 * 2**20 + 1)) == INVALID


def keys_of_people_are_judged_in_the_line():
    """Behind the document, and not where all others wait: there may be a thousand."""
    with room() as running:
        anna = user(running, "anna")
        item = complete(id="one")
        item["roles"] = [{"role_name": "viewer", "actions": ["view"], "members": ["p0", "p1"]}]
        document = json.dumps([item]).encode()
        people = lambda *keys: [computations.ImportPerson(id=f"p{i}", key=key) for i, key in enumerate(keys)]
        said = lambda document, *keys: anna.text("Import", document=document, people=people(*keys), preview=True)
        assert "key of 'p1': not a DER SubjectPublicKeyInfo" in said(document, spki()[0], b"none"), said(document, spki()[0], b"none")
        assert said(b"[", b"none") == said(b"[", spki()[0]), said(b"[", b"none")
        assert "key of 'p0': it has 2049 bytes, and may have 2048" in said(document, b"x" * 2049)
        assert anna("Import", document=document, people=people(spki()[0], spki()[0]), preview=True).computations[0].created
        assert "nobody in the document is 'p2'" in said(document, *[spki()[0]] * 3)


def the_audit_log_says_what_was_imported():
    with Folder() as folder:
        log = folder("audit.log")
        documents = [json.dumps([complete(id=name) for name in names]).encode()
                     for names in (["one"], ["one", "two", "three"], ["two", "four"], map(str, range(40)))]
        with room(AUDIT_LOG=log) as running:
            running.root("Import", document=documents[0], preview=True)
            for document in documents:
                running.root("Import", document=document)
        with open(log, encoding="utf-8") as file:
            done = [x for x in map(json.loads, file) if x["event"] == "done"]
        said = [(x.get("preview"), x["created"], x.get("id"), x["document"]) for x in done]
        first, second, third, long = (hashlib.sha3_256(d).hexdigest() for d in documents)
        assert said == [(True, "0", None, first), (None, "1", "one", first), (None, "2", None, second),
                        (None, "1", "four", third), (None, "40", None, long)], said


PRIMES = math.prod(p for p in range(3, 5000, 2) if all(p % q for q in range(3, math.isqrt(p) + 1, 2)))


def slow_key(numbers):
    """An RSA key whose judging takes as long as can be: 8192 bits, and no small divisor gives it away at once."""
    while True:
        modulus = numbers.getrandbits(8192) | 1 | 1 << 8191
        if math.gcd(modulus, PRIMES) == 1:
            return RSAPublicNumbers(65537, modulus).public_key().public_bytes(
                Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def slow_requests():
    """Calls that bring so many keys that minutes go by before the last of them is judged."""
    numbers = random.Random(13)
    keys = [slow_key(numbers) for _ in range(256)]
    datasets = [{"hash": f"{i:064x}", "filename": f"{i}", "user_key": base64.b64encode(key).decode()}
                for i, key in enumerate(keys)]
    document = json.dumps([{"name": "slow", "id": "slow", "owner": "x", "datasets": datasets, "result_consumers": [],
                            "algorithm": {"hash": "ab" * 32, "user_key": public()}}]).encode()
    manifest = cvms.ComputationRunReq(
        id="slow", name="slow", algorithm=cvms.Algorithm(hash=b"a" * 32, userKey=spki()[0]),
        result_consumers=[cvms.ResultConsumer(userKey=key) for key in keys])
    return (("Import", computations.ImportRequest(document=document, preview=True)),
            ("Import", computations.ImportRequest(document=document)),
            ("Create", computations.CreateRequest(manifest=manifest)))


def others_are_answered_while_much_is_judged():
    """Who brings much waits for it himself. When he leaves, nothing is left of it, and it ends."""
    with Folder() as folder:
        log = folder("audit.log")
        with room(AUDIT_LOG=log) as running:
            anna, bert = user(running, "anna"), user(running, "bert")
            for number, (method, request) in enumerate(slow_requests()):
                slow = begun(log, method, anna.stubs[0], request, anna.metadata)
                name = f"small-{number}"
                create(bert, name)
                imported_now = bert("Import", document=json.dumps([complete(id=name + "-i")]).encode()).computations
                assert imported_now[0].created, imported_now
                assert ids(running)[-2:] == [name, name + "-i"]
                assert not slow.done(), method
                slow.cancel()
                # Nothing of his is before it any more.
                create(anna, f"mine-{number}")
            assert "slow" not in ids(running)
            until(lambda: said_cancelled(log) == ["Import", "Import", "Create"], "that they are cancelled")


def begun(log, method, stub, request, metadata=()):
    """That call, which has arrived whole: a small one would overtake what is still on its way."""
    before = asked(log, method)
    call = getattr(stub, method).future(request, metadata=metadata, timeout=PATIENCE)
    until(lambda: asked(log, method) > before, "that it is asked for")
    return call


def asked(log, method):
    with open(log, encoding="utf-8") as file:
        return sum(x["event"] == "asked" and x["method"].endswith("/" + method) for x in map(json.loads, file))


def said_cancelled(log):
    with open(log, encoding="utf-8") as file:
        return [x["method"].rsplit("/", 1)[-1] for x in map(json.loads, file)
                if x["event"] == "done" and x.get("outcome") == "CANCELLED"]


def a_stop_waits_for_no_judge():
    with Folder() as folder, room(AUDIT_LOG=folder("audit.log")) as running:
        method, request = slow_requests()[1]
        slow = begun(folder("audit.log"), method, running.admin, request)
        create(user(running, "anna"), "small")
        assert not slow.done()
        assert running.process.stop() == 0
        assert slow.exception().code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED), slow.exception()


def an_export_replaces_no_file_unasked():
    with room() as running:
        create(running.root, "one")
        path = running.folder.write("saved.json", "kept")
        ask = lambda *arguments: cli("computation", "export", "one", *arguments, **running.cli)
        ask("-o", path).refused(1, f"'{path}' is there already")
        with open(path, encoding="utf-8") as file:
            assert file.read() == "kept"
        ask("-o", path, "--force").ok()
        with open(path, encoding="utf-8") as file:
            assert json.load(file)[0]["computation"]["id"] == "one"
        for name in ("other.json", "other.JSON"):
            ask("-o", running.folder(name), "--csv").refused(2, "is called JSON: name it .csv, or leave --csv out")
            assert not os.path.exists(running.folder(name))
        ask("-o", running.folder("other.txt"), "--csv").ok()


def options_that_say_nothing_are_refused():
    with room() as running:
        for option in ("--map", "--key"):
            for value in ("x", "=x", "x="):
                imported(running, [complete()], option, value).refused(2, f"{option} ")
        imported(running, [complete()], "--map", "a=b", "--map", "a=c").refused(2, "--map 'a': comes twice")
        imported(running, [complete()], "--map", "a=Some One").refused(1, "user 'Some One'")
        # Nobody in it is called so: a role or a key would be missing, and nobody would know why.
        for option, value in (("--map", "anna"), ("--key", running.key)):
            for preview in ((), ("--preview",)):
                imported(running, sample(FLAT), option, f"{OLDER}={value}", option, f"annna={value}", *preview).refused(
                    1, "nobody in the document is 'annna': --map and --key name people as it does")
        assert ids(running) == []
        cli("computation", "import", running.folder("none.json"), **running.cli).refused(2, "none.json")


if __name__ == "__main__":
    tap.run([the_newer_sample_is_taken_as_it_stands,
             the_flat_sample_is_taken_as_it_stands,
             people_who_are_not_here_are_named_and_left_out,
             what_is_possible_is_done,
             exports_are_imported_to_the_same_bytes,
             a_name_that_is_taken_gets_a_number,
             csv_of_exports_begins_no_formula,
             a_table_of_the_flat_form_is_taken,
             secrets_do_not_leave,
             members_that_nobody_knows_are_refused,
             a_manifest_beside_people_s_words_is_the_same,
             who_may_what_is_asked_for_each,
             keys_of_people_are_judged_in_the_line,
             the_audit_log_says_what_was_imported,
             others_are_answered_while_much_is_judged,
             a_stop_waits_for_no_judge,
             an_export_replaces_no_file_unasked,
             options_that_say_nothing_are_refused])
