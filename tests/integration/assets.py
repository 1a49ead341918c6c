# SPDX-License-Identifier: Apache-2.0
"""Assets of workspaces: registered by their digests, linked with the computations whose manifests name them."""
import hashlib
import json

import tap
from agent_peer import Key
from harness import Folder, cli, computations, cvms
from people import DENIED, HIDDEN, NOT_NOW, OK, service
from user_keys import EXISTS, INVALID, Holder, at_a_terminal, refusal
from workspaces import lab, member

DIGEST = hashlib.sha3_256(b"data").digest()


def register(caller, name="iris.csv", **fields):
    return caller("RegisterAsset", name=name, **{"type": "dataset", "digest": DIGEST, **fields})


def names(caller, **fields):
    return [a.name for a in caller("ListAssets", **fields).assets]


def naming(digest, name="c", workspace="", as_algorithm=False):
    """A computation that names it."""
    key = Key().spki
    return computations.CreateRequest(workspace=workspace, manifest=cvms.ComputationRunReq(
        id=name, name=name, algorithm=cvms.Algorithm(hash=digest if as_algorithm else bytes(32), userKey=key),
        datasets=[] if as_algorithm else [cvms.Dataset(hash=digest, userKey=key, filename="d")],
        result_consumers=[cvms.ResultConsumer(userKey=key)]))


def members_register_them():
    with service() as running:
        head = lab(running)
        anna, viewer = member(running, "anna", "lab"), member(running, "vera", "lab")
        head("SetMember", workspace="lab", user="vera", role="viewer")
        made = register(anna, mime_type="text/csv", description="Fisher's")
        assert (made.workspace, made.name, made.type, made.mime_type, made.description, made.digest, made.owner) == (
            "lab", "iris.csv", "dataset", "text/csv", "Fisher's", DIGEST, "anna"), made
        assert register(anna, "plain").mime_type == "application/octet-stream"
        assert "another name" in refusal(lambda: register(head), EXISTS)
        for caller in (anna, viewer, head, running.root):
            assert names(caller, workspace="lab") == ["iris.csv", "plain"]
        assert "may not register assets" in refusal(lambda: register(viewer, "x"), DENIED)
        for fields in ({"type": ""}, {"type": "model"}, {"digest": b""}, {"digest": bytes(33)}, {"name": ""}, {"name": "a/b"},
                       {"name": "x" * 256}, {"mime_type": "text"}, {"description": "x" * 4097}, {"description": "a\nb"}):
            refusal(lambda: register(anna, **{"name": "n", **fields}), INVALID)
        refusal(lambda: running.root("RegisterAsset", name="x", type="dataset", digest=bytes(32), workspace="none"), HIDDEN)


def owners_and_administrators_change_them():
    with service() as running:
        head = lab(running)
        anna, bert = member(running, "anna", "lab"), member(running, "bert", "lab")
        register(anna)
        for method, fields in (("UpdateAsset", {"to": "mine"}), ("RemoveAsset", {})):
            said = refusal(lambda: bert(method, workspace="lab", name="iris.csv", **fields), DENIED)
            assert "may not change or remove this asset" in said, said
        made = anna("UpdateAsset", name="iris.csv", to="flowers", mime_type="text/csv", description="x")
        assert (made.name, made.mime_type, made.description, made.digest) == ("flowers", "text/csv", "x", DIGEST)
        made = head("UpdateAsset", workspace="lab", name="flowers", no_description=True)
        assert (made.name, made.mime_type, made.description, made.owner) == ("flowers", "text/csv", "", "anna")
        refusal(lambda: anna("UpdateAsset", name="flowers", description="x", no_description=True), INVALID)
        register(anna, "other")
        refusal(lambda: anna("UpdateAsset", name="flowers", to="other"), EXISTS)
        assert anna.code("RemoveAsset", name="none") == HIDDEN
        # Who was suspended, or left, owns what is there as little as others do.
        head("SuspendMember", workspace="lab", user="anna")
        assert anna.code("RemoveAsset", workspace="lab", name="flowers") == HIDDEN
        head("SuspendMember", workspace="lab", user="anna", resume=True)
        head("SetMember", workspace="lab", user="anna", role="viewer")
        assert anna.code("RemoveAsset", workspace="lab", name="flowers") == DENIED
        head("SetMember", workspace="lab", user="anna", role="member")
        anna("RemoveAsset", name="flowers")
        running.root("RemoveUser", name="anna")
        assert head("ShowAsset", workspace="lab", name="other").owner == ""
        head("RemoveAsset", workspace="lab", name="other")
        assert names(head, workspace="lab") == []


def nobody_else_hears_of_them():
    with service() as running:
        head = lab(running)
        stranger = member(running, "stranger")
        register(head, workspace="lab")
        register(stranger)
        for method, fields in (("ListAssets", {}), ("ShowAsset", {"name": "iris.csv"}), ("RemoveAsset", {"name": "iris.csv"}),
                               ("UpdateAsset", {"name": "iris.csv", "to": "x"}),
                               ("LinkAsset", {"name": "iris.csv", "computation_id": "c"}),
                               ("RegisterAsset", {"name": "x", "type": "dataset", "digest": DIGEST})):
            assert "no workspace 'lab'" in refusal(lambda: stranger(method, workspace="lab", **fields), HIDDEN), method
        assert names(head, workspace="lab") == ["iris.csv"]


def manifests_link_them():
    with service() as running:
        head = lab(running)
        anna, bert = member(running, "anna", "lab"), member(running, "bert", "lab")
        register(anna)
        register(anna, "code", type="algorithm", digest=bytes(32))
        anna("Create", naming(DIGEST))
        assert anna("ShowAsset", name="iris.csv").computations == ["c"]
        assert anna("ShowAsset", name="code").computations == ["c"]
        # Who does not see the computation does not hear of it.
        assert bert("ShowAsset", name="iris.csv").computations == []
        assert head("ShowAsset", workspace="lab", name="iris.csv").computations == ["c"]
        assert "is linked" in refusal(lambda: anna("RemoveAsset", name="iris.csv"), NOT_NOW)
        # An algorithm of that digest is no dataset; a workspace's links are its own.
        anna("Create", naming(DIGEST, "d", as_algorithm=True))
        running.root("Create", naming(DIGEST, "elsewhere", "default"))
        assert running.root("ShowAsset", workspace="lab", name="iris.csv").computations == ["c"]
        # One that was there before.
        late = hashlib.sha3_256(b"late").digest()
        anna("Create", naming(late, "early"))
        register(anna, "late", digest=late)
        assert anna("ShowAsset", name="late").computations == []
        assert anna("LinkAsset", name="late", computation_id="early").computations == ["early"]
        assert "does not name asset 'late'" in refusal(lambda: anna("LinkAsset", name="late", computation_id="c"), NOT_NOW)
        for known in ("early", "elsewhere", "none"):
            assert "no computation" in refusal(lambda: bert("LinkAsset", name="late", computation_id=known), HIDDEN)
        assert "is in workspace default" in refusal(
            lambda: running.root("LinkAsset", workspace="lab", name="iris.csv", computation_id="elsewhere"), NOT_NOW)
        for known in ("c", "early"):
            anna("Remove", id=known)
        for name in ("iris.csv", "late", "code"):
            assert anna.code("RemoveAsset", name=name) == OK, name


def lists_are_paged():
    with service() as running:
        for n in range(257):
            register(running.root, f"a{n:03}")
        page = running.root("ListAssets")
        assert len(page.assets) == 256 and page.next == "a255"
        assert names(running.root, after=page.next) == ["a256"]
        # More than a page: the command line goes on behind the place, too.
        with Folder() as folder:
            listed = cli("asset", "list", "--json", "--sort", "-name", COMPUTATIONS_GRPC_URL="unix:" + running.socket, HOME=folder("home")).json()
            assert [a["name"] for a in listed] == [f"a{n:03}" for n in range(256, -1, -1)]


def commands_do_all_of_it():
    with at_a_terminal() as (running, environment):
        folder, anna = running.folder, Holder(running, "anna")
        mine = environment(anna)
        path = folder.write("iris.csv", "data")
        shown = cli("asset", "register", path, "--type", "dataset", "--mime", "text/csv", "--description", "Fisher's", "--json",
                    **mine).json()
        assert (shown["name"], shown["sha3_256"], shown["owner"]) == ("iris.csv", DIGEST.hex(), "anna"), shown
        # A folder, as 'checksum' has it.
        folder.write("model/a.txt", "a")
        digest = cli("checksum", folder("model")).ok().strip()
        assert cli("asset", "register", folder("model") + "/", "--type", "algorithm", "--json", **mine).json()["sha3_256"] == digest
        cli("asset", "register", "--type", "dataset", "--name", "typed", "--digest", "ab" * 32, **mine).ok()
        assert [a["name"] for a in cli("asset", "list", "--json", **mine).json()] == ["iris.csv", "model", "typed"]
        for options, wanted in ((["--sort", "-name"], ["typed", "model", "iris.csv"]), (["--sort", "type"], ["model", "iris.csv", "typed"]),
                                (["--search", "fisher"], ["iris.csv"]), (["--sort=-created", "--search", "ab" * 32], ["typed"])):
            assert [a["name"] for a in cli("asset", "list", "--json", *options, **mine).json()] == wanted, options
        cli("asset", "list", "--sort", "role", **mine).refused(1, "give name, type, created or changed")
        # Manifests name them.
        anna.register()
        words = ["computation", "create", "--id", "c", "--name", "n", "--algorithm", "asset:model", "--algorithm-key", "user:anna",
                 "--dataset", "asset:iris.csv", "--dataset-name", "d", "--dataset-key", "user:anna", "--consumer-key", "user:anna"]
        made = cli(*words, **mine)
        assert made.ok() == "c\n" and f"asset:iris.csv is {DIGEST.hex()}, by the service's word" in made.err, made.err
        manifest = anna.caller("Manifest", id="c").manifest
        assert (manifest.algorithm.hash.hex(), manifest.datasets[0].hash) == (digest, DIGEST)
        assert cli("asset", "show", "iris.csv", "--json", **mine).json()["computations"] == ["c"]
        cli("asset", "remove", "iris.csv", **mine).refused(1, "is linked")
        # Of the type that is wanted there, or not at all.
        text = json.loads(cli("computation", "manifest", "c", **mine).ok())
        for where, name, status, said in (("algorithm", "iris.csv", 2, "of type 'dataset', and not an algorithm"),
                                          ("algorithm", "none", 1, "'cocos-cli asset list', with --workspace"),
                                          ("datasets", "model", 2, "of type 'algorithm', and not a dataset")):
            other = json.loads(json.dumps(text))
            (other[where] if where == "algorithm" else other[where][0])["hash"] = "asset:" + name
            cli("computation", "create", folder.write("bad.json", json.dumps(other)), **mine).refused(status, said)
        # Also where it was right at another place.
        other["algorithm"]["hash"] = "asset:model"
        cli("computation", "create", folder.write("bad.json", json.dumps(other)), **mine).refused(2, "not a dataset")
        checked = cli("manifest", "check", folder("bad.json"))
        assert checked.status == 1 and "datasets[0]: hash: " in checked.out and "algorithm: hash: " in checked.out, checked.out
        text["id"], text["name"], text["datasets"][0]["hash"] = "e", "another", "asset:iris.csv"
        assert cli("computation", "create", folder.write("good.json", json.dumps(text)), **mine).ok() == "e\n"
        assert cli("asset", "show", "iris.csv", "--json", **mine).json()["computations"] == ["c", "e"]
        assert "c,e" in cli("asset", "show", "iris.csv", **mine).ok()
        cli("asset", "link", "iris.csv", "e", **mine).ok()
        cli("asset", "link", "typed", "e", **mine).refused(1, "does not name asset 'typed'")
        cli("asset", "update", "typed", "--name", "named", "--description", "", **mine).ok()
        assert cli("asset", "remove", "named", **mine).ok() == "asset named removed\n"
        # What is wrong with a command.
        cli("asset", "register", path, **mine).refused(2, "--type is missing")
        cli("asset", "register", "--type", "dataset", **mine).refused(2, "give FILE")
        cli("asset", "register", "--type", "dataset", "--digest", "ab" * 32, **mine).refused(2, "--name is missing")
        cli("asset", "register", "--type", "dataset", "--name", "x", **mine).refused(2, "give FILE")
        cli("asset", "register", path, "--type", "dataset", "--digest", "ab" * 32, **mine).refused(2, "give FILE")
        cli("asset", "register", "--type", "dataset", "--name", "x", "--digest", "zz", **mine).refused(2, "64 hexadecimal")
        cli("asset", "register", folder("none"), "--type", "dataset", **mine).refused(2, "none")
        cli("asset", "update", "iris.csv", **mine).refused(2, "what is to change")
        cli("asset", "show", "none", **mine).refused(1, "no asset 'none'", "asset list")
        cli("asset", "list", "--workspace", "none", **mine).refused(1, "no workspace 'none'", "workspace list")


def the_audit_log_says_who_and_what():
    with service() as running:
        lab(running)
        anna = member(running, "anna", "lab")
        register(anna)
        anna("UpdateAsset", name="iris.csv", mime_type="text/csv")
        anna("UpdateAsset", name="iris.csv", to="iris", description="of 1936")
        anna("UpdateAsset", name="iris", description="x" * 4096)
        anna("UpdateAsset", name="iris", description="x" * 4095 + "y")
        anna("RemoveAsset", name="iris")
        rows = [json.loads(row) for row in running.root("Audit").rows]
        rows = [x for x in rows if "Asset" in x["what"]]
        assert {x["object"] for x in rows} == {"workspace lab"}, rows  # which she did not name
        said = [(x["who"], x["outcome"]) for x in rows]
        assert said == [("user anna", "OK")] * 6, said
        # Each begins as the one before has ended, and each change is seen.
        states = [x["before"] for x in rows] + [rows[-1]["after"]]
        assert [x["after"] for x in rows] == states[1:] and states[0] == states[-1] == "", rows
        assert len(set(states[1:-1])) == 5, states
        assert states[1] == f"iris.csv: dataset {DIGEST.hex()}, application/octet-stream, no description", states
        assert states[2] == f"iris.csv: dataset {DIGEST.hex()}, text/csv, no description", states
        described = hashlib.sha3_256(b"of 1936").hexdigest()[:16]
        assert states[3] == f"iris: dataset {DIGEST.hex()}, text/csv, description 'of 1936' ({described})", states



if __name__ == "__main__":
    tap.run([members_register_them,
             owners_and_administrators_change_them,
             nobody_else_hears_of_them,
             manifests_link_them,
             lists_are_paged,
             commands_do_all_of_it,
             the_audit_log_says_who_and_what])
