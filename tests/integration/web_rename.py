#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Another name for a computation, or another manifest, on the page, by its API and by cocos-cli: for whom, which, and what stays as it is."""
import json
import re

import audit_book
import tap
from computations_service import agent_of, connected, create, run
from harness import cli, until
from machines import INVALID
from people import OK, ROLES, Caller
from web_act import Room, revision_in, stop
from web_new import DIGEST, TAKEN, Ward, fields, written
from web_page import BROWSER, EVIL


def named(room, computation):
    told = room.root("Show", id=computation)
    return told.name, told.description


def rename(room, by, who, name, computation="c", seen=None):
    """By whom sees it; the form has the revision that the page shows now."""
    if by == "page":
        seen = seen or room.etag(computation)[1:17]
        return room.form(who, f"/c/{computation}/rename", revision=seen, name=name, keep_description="true")
    headers = [("If-Match", seen)] if seen else []
    return room.call("PUT", f"/api/computations/{computation}", room.tokens[who], {"name": name}, headers=headers)


def each_role_renames_as_its_actions_say():
    with Room() as room:
        create(room.service, id="c", name="one")
        people = ["chief", "stranger", *("u-" + role for role in ROLES)]
        for role in ROLES:
            room.person("u-" + role)
            room.root("GiveRole", computation_id="c", role=role, user="u-" + role)
        room.person("stranger")
        cells = 0
        for by in ("page", "api"):
            for who in people:
                before, name = named(room, "c"), f"{by} {who}"
                may = who == "chief" or (who != "stranger" and "edit" in ROLES[who[2:]])
                done = rename(room, by, who, name)
                assert done.status in ({303, 200} if may else {404} if who == "stranger" else {403}), (by, who, done.status, done.body)
                assert named(room, "c")[0] == (name if may else before[0]), (by, who)
                shown = room.sessions[who].get("/c/c/rename")
                assert shown.status == (200 if may else 404 if who == "stranger" else 403), (who, shown.status)
                if who != "stranger":
                    assert ("/c/c/rename" in room.sessions[who].get("/c/c").page().links) == may, who
                cells += 1
        assert cells == 2 * (2 + len(ROLES))
        narrow = Caller(room.service.channel, room.root("AddToken", user="u-owner", name="narrow", actions=["view"]).token)
        assert narrow.code("Rename", id="c", name="narrow") not in (OK, INVALID) and named(room, "c")[0] != "narrow"


def its_manifest_stays_in_every_state():
    with Room() as room, agent_of(room.service, "cvm-1") as agent:
        until(connected(room.service, "cvm-1"), "the connection")
        create(room.service, id="c", name="one", description="first")
        before = room.root("Manifest", id="c").SerializeToString(), room.root("Show", id="c").manifest_digest
        assert rename(room, "page", "chief", "two").status == 303 and named(room, "c") == ("two", "first")
        run(room.service, "c")
        assert agent.manifest().name == "one"
        agent.event("c", "ReceivingAlgorithm", "InProgress")
        room.service.until_state("c", "Waiting for Algorithm")
        done = rename(room, "api", "chief", "three")
        assert done.status == 200 and done.json()["name"] == "three" and done.fields["etag"] == room.etag("c"), done.body
        assert named(room, "c") == ("three", ""), "what PUT leaves out is emptied"
        agent.event("c", "Failed", "InProgress")
        room.service.until_state("c", "Failed")
        told = room.call("PUT", "/api/computations/c", room.tokens["chief"], {"name": "three", "description": "line\nline"})
        assert told.status == 200 and named(room, "c") == ("three", "line\nline"), told.body
        assert (room.root("Manifest", id="c").SerializeToString(), room.root("Show", id="c").manifest_digest) == before
        # It is found by its new name, at its old address, and the log has both names.
        listed = room.call("GET", "/api/computations?q=three", room.tokens["chief"]).json()["computations"]
        assert [c["id"] for c in listed] == ["c"]
        assert not room.call("GET", "/api/computations?q=two", room.tokens["chief"]).json()["computations"]
        assert "three" in room.sessions["chief"].get("/c/c").page().words()
        rows = [row for row in audit_book.verified(room.sessions["chief"].get("/audit.jsonl").body)[0] if row["what"].endswith("/Rename")]
        assert [(row["object"], row["before"], row["after"]) for row in rows] == [
            ("computation c", "name 'one'", "name 'two'"), ("computation c", "name 'two'", "name 'three', another description"),
            ("computation c", "name 'three'", "name 'three', another description")], rows
        assert [json.loads(row["about"])["via"] for row in rows] == ["page", "api", "api"], rows


def who_saw_an_older_one_changes_nothing():
    with Room() as room:
        create(room.service, id="c", name="one")
        etag, seen = room.etag("c"), revision_in(room.sessions["chief"], "/c/c/rename")
        assert etag[1:17] == seen
        assert rename(room, "api", "chief", "two", seen=etag).status == 200
        for by, old in (("api", etag), ("page", seen)):
            late = rename(room, by, "chief", "late", seen=old)
            assert late.status == 412 and named(room, "c")[0] == "two", (by, late.status)
        # Nor is it removed by who saw it under another name.
        assert room.form("chief", "/c/c/remove", revision=seen).status == 412
        assert rename(room, "api", "chief", "three", seen="*").status == 200
        assert rename(room, "page", "chief", "four").status == 303 and named(room, "c")[0] == "four"


def names_are_one_line_and_one_computations():
    with Room() as room:
        create(room.service, id="c", name="one")
        create(room.service, id="d", name="taken")
        room.root("AddWorkspace", name="lab")
        before = named(room, "c")
        for by in ("page", "api"):
            for name, status, why in (("", 400, "name is missing"), ("taken", 409, TAKEN), ("a\nb", 400, "can't be read" if by == "page" else "control character"),
                                      ("x" * 1025, 400, "the limit is 1024")):
                done = rename(room, by, "chief", name)
                said = done.page().words() if by == "page" else done.problem()["detail"]
                assert done.status == status and why in said and named(room, "c") == before, (by, name, done.status, said)
        for bad in ({}, {"name": 1}, {"name": "a", "more": 1}, {"name": "a", "description": 1}, {"description": "x"}, ["a"], None,
                    {"name": "a", "keep_description": True}):
            body = json.dumps(bad).encode()
            assert room.call("PUT", "/api/computations/c", room.tokens["chief"], body).status == 400, bad
        assert room.root.code("Rename", id="c", name="x", description="y", keep_description=True) == INVALID
        assert room.root.code("Rename", id="c", name="x", description="y" * 65537) == INVALID
        assert named(room, "c") == before
        assert room.root("Rename", id="c", name="y" * 1024, description="y" * 65536).name == "y" * 1024
        # A script stays text, and another workspace's names are its own.
        assert rename(room, "api", "chief", EVIL.replace("\n", " ")).status in (200, 400)
        assert rename(room, "page", "chief", "<script>alert(1)</script>").status == 303
        shown = room.sessions["chief"].get("/c/c")
        assert shown.page() and b"<script>alert" not in shown.body and b"&lt;script&gt;alert" in shown.body
        assert rename(room, "page", "chief", "one").status == 303
        assert rename(room, "api", "chief", "one", "d").status == 409
        # A token shows the page, but sends no form.
        page = room.call("GET", "/c/c", room.tokens["chief"], headers=BROWSER)
        assert "/c/c/rename" not in page.page().links


def by_the_command_line():
    with Room() as room:
        create(room.service, id="c", name="one", description="first")
        create(room.service, id="d", name="two")
        socket = {"COMPUTATIONS_GRPC_URL": "unix:" + room.service.socket}
        out = cli("computation", "rename", "c", "night", **socket).ok()
        assert "night" in out and named(room, "c") == ("night", "first"), out
        told = json.loads(cli("computation", "rename", "c", "night", "--description", "of iris", "--json", **socket).ok())
        assert (told["name"], told["description"]) == ("night", "of iris"), told
        cli("computation", "rename", "c", "night", "--description", "", **socket).ok()
        assert named(room, "c") == ("night", "")
        cli("computation", "rename", "c", "two", **socket).refused(1, TAKEN)
        cli("computation", "rename", "gone", "x", **socket).refused(1, "no computation 'gone'")
        cli("computation", "rename", "c", **socket).refused(2)
        assert named(room, "c") == ("night", "")


def one_is_edited_until_its_first_run():
    """By form, call and command line: by whom its role allows it, seen as it is, and whole."""
    with Ward() as ward, agent_of(ward.service, "cvm-1") as agent:
        until(connected(ward.service, "cvm-1"), "the connection")
        first = fields()
        assert ward.form("anna", "/new", **first).status == 303
        name, socket = first["id"], {"COMPUTATIONS_GRPC_URL": "unix:" + ward.service.socket}
        api, page = f"/api/computations/{name}/manifest", f"/c/{name}/edit"
        ward.person("editor")
        ward.root("GiveRole", computation_id=name, role="editor", user="editor")
        etag, digest = ward.etag(name), ward.root("Show", id=name).manifest_digest

        def put(who, seen=None, **more):
            return ward.call("PUT", api, ward.tokens[who], written(**more), headers=[("If-Match", seen)] if seen else [])

        for who, status in (("bert", 403), ("bare", 404), ("outsider", 404)):
            assert put(who, name="his").status == status == ward.sessions[who].get(page).status, who
            assert ward.form(who, page, **fields(id=name, revision=etag[1:17], workspace="")).status == status, who
            assert page not in ward.sessions[who].get("/c/" + name).page().links
        assert "another computation" in put("editor", id="other").problem()["detail"]
        assert put("editor", algorithm={**written()["algorithm"], "user_key": "user:nobody"}).status == 400
        assert ward.root("Show", id=name).manifest_digest == digest
        told = ward.keys["anna"].caller
        done = put("editor", etag, id=name, name="second")
        assert done.status == 200 and done.fields["etag"] == ward.etag(name) != etag, done.body
        shown = ward.root("Show", id=name)
        assert shown.name == "second" and shown.datasets == 1 and shown.manifest_digest != digest
        assert told("ListConfirmations", computation_id=name).revision == 2  # older ones are out of date
        assert put("anna", etag, name="late").status == 412 and put("anna", "*", name="second").status == 200
        # What no digest is of is seen as well.
        seen, digest = ward.etag(name), ward.root("Show", id=name).manifest_digest
        assert put("anna", seen, name="second", agent_config={"attested_tls": True, "log_level": "debug"}).status == 200
        assert ward.root("Show", id=name).manifest_digest == digest and put("anna", seen, name="late").status == 412
        # The page takes what it has room for, and says which is more.
        assert "has room for" in ward.sessions["anna"].get(page).page().words()
        assert put("anna", cocos={"layout": "folders", "logs": "consumers"}, datasets=[]).status == 200
        html = ward.sessions["editor"].get(page).body.decode()
        assert page in ward.sessions["editor"].get("/c/" + name).page().links and 'value="train"' not in html
        revision = re.search(r'name="revision" value="(\w+)"', html)[1]
        assert ward.form("anna", page, **fields(id=name, workspace="", revision=etag[1:17])).status == 412
        assert ward.form("anna", page, **fields(id=name, workspace="")).status == 400
        sent = fields(id="not this one", workspace="lab", name="third", revision=revision)
        assert ward.form("editor", page, **{k: v for k, v in sent.items() if k != "roles"}).status == 303
        assert ward.root("Show", id=name).name == "third" and ward.manifest(name)["algorithm"]["algo_args"] == ["--epochs", "3"]
        # Who is named from now on gets his role with it, as with a new one; and a key is not another one unseen.
        sent = fields(id=name, workspace="", revision=ward.etag(name)[1:17], provider="bert", consumers="bert")
        assert ward.form("anna", page, **sent).status == 303
        roles = {role.role_name: list(role.members) for role in ward.root("ListRoles", computation_id=name).roles}
        assert roles["algo_provider"] == ["anna", "bert"], roles
        ward.keys["bert"].again().register(name)
        digest, own = ward.root("Show", id=name).manifest_digest, ward.manifest(name)["algorithm"]["user_key"]
        sent["revision"] = ward.etag(name)[1:17]
        assert ward.form("anna", page, **sent).status == 303 and ward.manifest(name)["algorithm"]["user_key"] == own
        assert ward.root("Show", id=name).manifest_digest == digest
        ward.keys["anna"].again().register()
        told = ward.sessions["anna"].get(page)
        assert told.status == 409 and "not those that their users have now" in told.page().words(), told.body
        # The command line, by a file and by options; then it runs, and is frozen.
        path = ward.service.folder.write("m.json", json.dumps(written(name="fourth")))
        assert cli("computation", "update", name, path, "--json", **socket).json()["name"] == "fourth"
        cli("computation", "update", "other", path, **socket).refused(1, "no computation 'other'")
        options = ["--name", "fifth", "--algorithm", DIGEST, "--algorithm-key", "user:anna", "--consumer-key", "user:anna"]
        cli("computation", "update", name, *options, **socket).ok()
        cli("computation", "update", name, "--id", "other", *options, **socket).refused(2, "of another computation")
        rows = [row for row in audit_book.verified(ward.sessions["chief"].get("/audit.jsonl").body)[0] if row["what"].endswith("/Update")]
        done = [row for row in rows if row["after"]]
        assert done[0]["before"].startswith("manifest ") and done[0]["after"].endswith(", revision 2"), rows
        assert {"editor", "anna"} <= {row["who"].split()[-1] for row in done}, rows
        run(ward.service, name, "cvm-1")
        assert agent.manifest().name == "fifth"
        assert put("anna").status == 409 and ward.sessions["anna"].get(page).status == 409
        assert page not in ward.sessions["anna"].get("/c/" + name).page().links
        cli("computation", "update", name, path, **socket).refused(1, "its manifest is frozen")
        stop(ward, agent, name)
        cli("computation", "update", name, path, **socket).refused(1, "its manifest is frozen")


if __name__ == "__main__":
    tap.run([each_role_renames_as_its_actions_say, its_manifest_stays_in_every_state, who_saw_an_older_one_changes_nothing,
             names_are_one_line_and_one_computations, by_the_command_line, one_is_edited_until_its_first_run])
