#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Documents of computations, by the page and its API: who may, what a preview says, who is who, round trips, and that
contents of assets and private keys do not leave the browser."""
import csv
import io
import json

import audit_book
import tap
from computation_transfer import FLAT, NEWER, OLDER, PERSON, complete, sample
from people import Caller
from user_keys import Holder
from web_act import plain
from web_browser import Room as BrowserRoom
from web_members import Lab
from web_page import BROWSER, EVIL

CONTENTS, SECRET = "Q09OVEVOVFMtT0YtQU4tQVNTRVQ=", "VkVSWS1QUklWQVRF"


def send(room, who, document, workspace="lab", **fields):
    text = document if isinstance(document, str) else json.dumps(document)
    return room.change("POST", f"/api/workspaces/{workspace}/imports", who, {"document": text, **fields})


def without(document):
    """As it leaves a browser."""
    for asset in document[0]["assets"]:
        asset["asset"] = ""
    return document


def all_of(room):
    return {(c.id, c.workspace) for c in room.root("List").computations}


def items(answer):
    assert answer.status == 200, answer.body
    return answer.json()["computations"]


def each_deed_is_for_whom_a_role_allows_it():
    with Lab() as room:
        create_here = room.root("AddToken", user="lab-member", name="narrow", actions=["view"]).token
        for who in ("lab-viewer", "lab-member", "lab-administrator", "lab-away", "far-head", "chief"):
            may = who in ("lab-member", "lab-administrator", "chief")
            wanted = 200 if may else 404 if who in ("lab-away", "far-head") else 403
            shown = room.sessions[who].get("/w/lab/import")
            assert shown.status == wanted and (b"data-import" in shown.body) == may, (who, shown.status)
            if wanted == 200:
                assert shown.page()
            for preview in (True, False):
                before = all_of(room)
                done = send(room, who, [complete(id=f"by-{who}")], preview=preview)
                assert done.status == wanted, (who, preview, done.status, done.body)
                added = {(f"by-{who}", "lab")} if may and not preview else set()
                assert all_of(room) == before | added, (who, preview)
            gone = room.call("GET", "/w/nix/import", room.tokens[who], headers=BROWSER)
            assert gone.status == 404, who
            hers = send(room, who, [complete(id="x")], "nix")
            assert hers.status == 404 and (who != "far-head" or hers.body == send(room, who, [complete(id="x")]).body.replace(b"lab", b"nix"))
        assert room.call("POST", "/api/workspaces/lab/imports", create_here, {"document": "[]"}).status == 403
        # A token shows the page, and sends nothing from it.
        shown = room.call("GET", "/w/lab/import", room.tokens["chief"], headers=BROWSER)
        assert shown.status == 200 and b"data-import" not in shown.body and b"cocos-cli computation import" in shown.body
        rows = [row for row in audit_book.verified(room.sessions["chief"].get("/audit.jsonl").body)[0] if row["what"].endswith("/Import")]
        assert len({row["outcome"] for row in rows}) >= 3, rows  # also of who may not, and of who may not see it
        rows = [row for row in rows if not row["object"].startswith("computation ")]
        assert rows and all(json.loads(row["about"])["via"] == "api" for row in rows), rows


def both_shapes_are_previewed_and_taken():
    """As they stand: who is unknown is named, and what is possible is done."""
    with Lab() as room:
        flat, newer = sample(FLAT), without(sample(NEWER))
        for document, person in ((newer, PERSON), (flat, OLDER)):
            shown = send(room, "lab-member", document, preview=True)
            (one,) = items(shown)
            assert not one["created"] and not one["possible"] and "key" in one["missing"], one
            assert {"id": person, "user": "", "has_key": False} in shown.json()["people"], shown.json()
        before = all_of(room)
        good, bad = complete(id="good"), complete(id="bad")
        bad["assets"], bad["asset_links"] = [], []
        got = items(send(room, "lab-member", [bad, good], preview=True))
        assert [one["possible"] for one in got] == [False, True] and "algorithm" in got[0]["missing"] and all_of(room) == before
        got = items(send(room, "lab-member", [bad, good]))
        assert [(one["id"], one["created"]) for one in got] == [("bad", False), ("good", True)] and got[1]["datasets"] >= 1
        assert all_of(room) == before | {("good", "lab")}
        digest = {c.id: c.manifest_digest for c in room.root("List").computations}["good"]
        assert got[1]["manifest_digest"] == digest.hex()
        again = items(send(room, "lab-member", [good]))[0]
        assert not again["created"] and "--new-ids" in again["missing"], again
        anew = items(send(room, "lab-member", [good], new_ids=True))[0]
        assert anew["created"] and anew["id"] != "good", anew


def people_are_mapped_to_members_whose_keys_are_known():
    with Lab() as room:
        room.root("AddUser", name="far-friend", workspace="far")
        Holder(room.service, "lab-member", caller=Caller(room.service.channel, room.tokens["lab-member"])).register()
        document = without(sample(NEWER))
        before = all_of(room)
        # Who is in another workspace is nobody here, and nothing is told of him.
        for user in ("far-friend", "nobody-at-all"):
            shown = send(room, "lab-administrator", document, preview=True, people={PERSON: user})
            told = [p for p in shown.json()["people"] if p["id"] == PERSON]
            assert told == [{"id": PERSON, "user": "", "has_key": False}], told
        shown = send(room, "lab-administrator", document, preview=True, people={PERSON: "lab-member"})
        assert [p for p in shown.json()["people"] if p["id"] == PERSON] == [{"id": PERSON, "user": "lab-member", "has_key": True}]
        assert items(shown)[0]["possible"] and all_of(room) == before, items(shown)
        made = items(send(room, "lab-administrator", document, people={PERSON: "lab-member"}))[0]
        assert made["created"], made
        roles = {r.role_name: list(r.members) for r in room.root("ListRoles", computation_id=made["id"]).roles}
        assert any("lab-member" in members for members in roles.values()), roles
        # By the same name he is found without being said.
        flat = sample(FLAT)
        text = json.dumps(flat).replace(OLDER, "lab-member")
        shown = send(room, "lab-administrator", text, preview=True)
        assert {"id": "lab-member", "user": "lab-member", "has_key": True} in shown.json()["people"], shown.json()
        wrong = send(room, "lab-administrator", document, people={"somebody": "lab-member"})
        assert wrong.status == 400 and b"nobody in the document is" in wrong.body


def what_is_wrong_is_refused_and_named():
    with Lab() as room:
        before = all_of(room)
        with_contents, with_key, hidden = complete(), complete(), complete()
        with_contents["assets"][0]["asset"] = CONTENTS
        with_key["computation"]["agent_config"]["server_key"] = SECRET
        hidden["computation"]["agent_config"] = {"cert_file": "-----BEGIN EC PRIVATE KEY-----"}
        for document, why in (([with_contents], "contents never go to the service"), ([with_key], "private keys are in no export"),
                              ([hidden], "private key"), ("", "document is missing"), ("{", "json"), ("[]", "0 computations"),
                              ([complete()] * 257, "1 to 256"), ({"x": 1}, "x")):
            for preview in (True, False):
                done = send(room, "lab-member", document, preview=preview)
                assert done.status == 400 and why in done.problem()["detail"], (why, done.status, done.body[:300])
                assert CONTENTS.encode() not in done.body and SECRET.encode() not in done.body
        for body in ({}, [], {"document": 1}, {"document": "[]", "preview": "yes"}, {"document": "[]", "people": []},
                     {"document": "[]", "people": {"a": 1}}, {"document": "[]", "people": {"a": ""}}, {"document": "[]", "people": {"": "a"}},
                     {"document": "[]", "people": {f"p{n}": "x" for n in range(1025)}}, {"document": "[]", "more": 1}):
            done = room.change("POST", "/api/workspaces/lab/imports", "lab-member", body)
            assert done.status == 400 and done.problem()["detail"], (body, done.status)
        token = room.tokens["lab-member"]
        announced = [("Content-Type", "application/json"), ("Authorization", "Bearer " + token), ("Content-Length", str((6 << 20) + 1))]
        assert plain(room.browser(), "POST", "/api/workspaces/lab/imports", None, announced).status == 413
        assert room.call("POST", "/api/workspaces/lab/imports", token, b"{}", kind="text/csv").status == 415
        for headers in ([("Origin", "http://evil.example")], [("Sec-Fetch-Site", "cross-site")]):
            assert room.call("POST", "/api/workspaces/lab/imports", token, {"document": "[]"}, headers).status == 403
        assert all_of(room) == before
        # At the limit of a document, and one byte past it.
        text = json.dumps([complete(id="long")])
        assert items(send(room, "lab-member", text + " " * ((3 << 20) - len(text)), preview=True))[0]["possible"]
        assert send(room, "lab-member", text + " " * ((3 << 20) - len(text) + 1), preview=True).status == 400


def an_export_is_imported_to_the_same_bytes():
    with Lab() as room:
        item = complete(id="one", name='="+cmd|"\'@SUM(1+1)\n,;', description="'=1\r\n<&>\u2028é " + EVIL.split("\u202e", maxsplit=1)[0])
        assert items(send(room, "lab-member", [item]))[0]["created"]
        for path in ("/api/computations/one/export", "/c/one/export.json"):
            got = room.call("GET", path, room.tokens["lab-member"])
            assert got.status == 200 and got.fields["content-type"] == "application/json", got.fields
            assert got.fields["content-disposition"] == 'attachment; filename="computation.json"'
            for who in ("lab-viewer", "far-head", "lab-away"):
                hers, none = (room.call("GET", path.replace("one", name), room.tokens[who]) for name in ("one", "nix"))
                assert hers.status == none.status == 404 and hers.body == none.body.replace(b"nix", b"one"), who
        first = got.body
        assert room.sessions["lab-member"].get("/c/one").page().links.count("/c/one/export.json") == 1
        room.root("Remove", id="one")
        made = items(send(room, "lab-member", first.decode()))[0]
        assert made["created"] and made["id"] == "one", made
        assert room.call("GET", "/c/one/export.json", room.tokens["lab-member"]).body == first


IMPORTS = """(() => {
    window.sent = [];
    const real = window.fetch;
    window.fetch = (address, options) => { window.sent.push(String(options?.body ?? "")); return real(address, options); };
})()"""


def choose(page, text):
    page.run(f"(() => {{ const f = document.getElementById('f-text'); f.value = {json.dumps(text)};"
             "f.dispatchEvent(new Event('change')); f.form.requestSubmit(); return 1; })()")


def said(page, words):
    page.until(f"document.getElementById('import-said').textContent.includes({json.dumps(words)})", words)


def stripped(page, text):
    return json.loads(page.run(f"import('/import.js').then(({{ strip }}) => {{ try {{ return JSON.stringify(strip({json.dumps(text)})); }}"
                               " catch (error) { return JSON.stringify({ error: error.message }); } })"))


def table(rows):
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow(row)
    return out.getvalue()


def what_is_secret_does_not_leave_the_browser():
    """By known documents: nothing else of them changes, not a byte."""
    with BrowserRoom() as room:
        room.come_in()
        room.go("/w/default/import")
        page = room.page
        plain = json.dumps([complete(), sample(FLAT)], indent=1)
        assert stripped(page, plain) == {"document": plain, "csv": False, "dropped": {"contents": 0, "keys": 0}}
        for given, kept, contents, keys in (
                ('{"asset": "abc", "x": 1.0}', '{"asset": "", "x": 1.0}', 1, 0),
                ('[{"asset":{"a":["}",{"b":"]"}]} , "y" : 2}]', '[{"asset":"" , "y" : 2}]', 1, 0),
                ('{"asset":[1,2],"key_file":"k","server_key":7}', '{"asset":"","key_file":"","server_key":""}', 1, 2),
                ('{"\\u0061sset":"abc"}', '{"\\u0061sset":""}', 1, 0), ('{"asset":"","key_file":null}', '{"asset":"","key_file":null}', 0, 0),
                ('{"asset":"x","asset":""}', '{"asset":"","asset":""}', 1, 0), ('{"a":"asset","b":"\\"asset\\":"}', '{"a":"asset","b":"\\"asset\\":"}', 0, 0),
                ('{"asset":true}', '{"asset":""}', 1, 0), ('{"asset":12 \n}', '{"asset":""}', 1, 0), (' {"n":18446744073709551615}', ' {"n":18446744073709551615}', 0, 0),
                ('{"asset":"a\\\\"}', '{"asset":""}', 1, 0), ('{"asset":"' + "A" * 3000000 + '"}', '{"asset":""}', 1, 0)):
            got = stripped(page, given)
            assert got == {"document": kept, "csv": False, "dropped": {"contents": contents, "keys": keys}}, (given[:80], got)
        assets = json.dumps([{"asset": CONTENTS, "name": 'a"b'}])
        given = table([["name", "assets", "description"], ["one", assets, "x,\n\"y\""], ["two", "", ""]])
        got = stripped(page, given)
        assert got["csv"] and got["dropped"] == {"contents": 1, "keys": 0} and CONTENTS not in got["document"]
        wanted = [["name", "assets", "description"], ["one", assets.replace(CONTENTS, ""), "x,\n\"y\""], ["two", "", ""]]
        assert list(csv.reader(io.StringIO(got["document"], newline=""))) == wanted, got
        assert stripped(page, table([["name", "assets"], ["x", "[]"]]))["document"] == table([["name", "assets"], ["x", "[]"]])
        for bad in ('{"a":"-----BEGIN PRIVATE KEY-----"}', '{"PRIVATE KEY":1}', '{"a":', "", "x", table([["name", "secrets"], ["a", "b"]]),
                    table([["name"], ["-----BEGIN EC PRIVATE KEY-----"]]), table([["name"], ["x", assets]]), table([["assets"], ["[{"]]), 'name\n"a', 'name\na"b'):
            assert "error" in stripped(page, bad), bad
        assert not page.complaints()


def a_document_is_previewed_and_created_in_the_browser():
    with BrowserRoom() as room:
        room.come_in()
        caller = Caller(room.web.service.channel)
        caller("AddUser", name="anna")
        caller("AddUser", name="bert")
        page = room.page
        room.go("/w/default/import")
        page.run(IMPORTS)
        good, bad = complete(id="good", name="<b>bold</b>"), complete(id="bad", name="bad")
        good["assets"][0]["asset"] = CONTENTS
        good["computation"]["agent_config"]["server_key"] = SECRET
        good["roles"] = [{"role_name": "viewer", "members": ["u-17", "bert"]}]
        bad["assets"], bad["asset_links"] = [], []
        choose(page, json.dumps([good, bad]))
        said(page, "1 of 2 computations can be created.")
        shown = page.run("document.getElementById('import-shown').textContent")
        assert "contents of 1 asset" in shown and "1 private key" in shown and "<b>bold</b>" in shown and "u-17" in shown, shown
        assert page.run("document.querySelectorAll('#import-shown b').length") == 0
        assert not caller("List").computations
        # Who is called as a member is that one, and is not left out by an empty field.
        page.run("(() => { document.getElementById('p-1').value = ' '; document.getElementById('import-create').click(); return 1; })()")
        said(page, "bert is a member here")
        assert not caller("List").computations
        page.run("(() => { document.getElementById('p-1').value = 'bert'; document.getElementById('p-0').value = 'nix';"
                 "document.getElementById('import').requestSubmit(); return 1; })()")
        page.until("document.getElementById('people').textContent.includes('nix is no member here')", "that nix is nobody")
        assert page.run("document.getElementById('p-0').value") == "nix"
        page.run("(() => { document.getElementById('p-1').value = 'bert'; document.getElementById('p-0').value = 'anna';"
                 "document.getElementById('import').requestSubmit(); return 1; })()")
        page.until("!document.getElementById('import-shown').textContent.includes('u-17')", "that u-17 is anna")
        said(page, "1 of 2 computations can be created.")
        page.run("document.getElementById('import-create').click()")
        said(page, "1 of 2 computations created.")
        assert [c.id for c in caller("List").computations] == ["good"]
        assert page.run("document.querySelector('#import-shown a').getAttribute('href')") == "/c/good"
        viewers = [list(r.members) for r in caller("ListRoles", computation_id="good").roles if r.role_name == "viewer"]
        assert [sorted(members) for members in viewers] == [["anna", "bert"]], viewers
        sent = page.run("window.sent.join('')")
        assert sent.count('"document"') == 4 and CONTENTS not in sent and SECRET not in sent
        # The service's own words, and those of this page, where it can't be read.
        for text, why in (("{", ""), ('{"x":1}', "x")):
            choose(page, text)
            page.until("document.getElementById('import-said').classList.contains('no')", "that it is refused")
            assert why in page.run("document.getElementById('import-said').textContent")
            said(page, why)
            page.run("document.getElementById('import-said').classList.remove('no')")
        complaints = [text for text in page.complaints() if "400" not in text]
        assert not complaints, complaints


if __name__ == "__main__":
    tap.run([each_deed_is_for_whom_a_role_allows_it, both_shapes_are_previewed_and_taken,
             people_are_mapped_to_members_whose_keys_are_known, what_is_wrong_is_refused_and_named,
             an_export_is_imported_to_the_same_bytes, what_is_secret_does_not_leave_the_browser,
             a_document_is_previewed_and_created_in_the_browser])
