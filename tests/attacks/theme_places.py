# SPDX-License-Identifier: Apache-2.0
"""Somebody goes for a workspace through the page or its API: by another one's rights, by another site's page, by what he
writes into a field. The honest twin is its administrator, from the page."""
import web_assets
import web_import
import web_keys
import web_once
import web_usage
import web_workspaces
from computations_service import KEY, create
from harness import computations, cvms
from rows import Outcome, row
from web_machines import hall
from web_members import Lab


def told(answer, before, after):
    """Done, and it is to be seen; or not, with what was said."""
    if answer.status in (200, 201, 204, 303):
        assert before != after, answer.body
        return Outcome(True)
    assert before == after, answer.body
    said = answer.page().words() if "html" in answer.fields["content-type"] else answer.body.decode()
    return Outcome(False, said)


def by(deed, way):
    """That deed by the administrator of lab, or of another workspace."""
    def attempt(evil):
        with Lab() as room:
            room.root("Invite", workspace="lab")
            about = str(room.open()[0]) if deed == "withdraw" else "lab-member"
            before = room.all()
            return told(room.do(way, "far-head" if evil else "lab-administrator", deed, about), before, room.all())
    return attempt


def from_elsewhere(path, who="lab-administrator", **fields):
    """A form of lab's page, sent by its administrator's browser from another site; or without what our pages have in
    theirs."""
    def attempt(evil, origin="http://evil.example"):
        with Lab() as room:
            browser = room.sessions[who]
            more = {"revision": room.seen("lab-member")} if who == "lab-member" or "members" in path else {}
            room.root("Invite", workspace="lab")
            number = str(room.open()[0])
            before = room.all()
            csrf = "0" * 64 if evil and not origin else browser.csrf()
            done = browser.post(path.replace("NUMBER", number), origin if evil else "", csrf=csrf, **more, **fields)
            return told(done, before, room.all())
    return attempt


def rows_of(name, check, about, attempt, **more):
    def played(evil):
        return attempt(evil, **more)
    played.__doc__ = about
    row("place-" + name, check)(played)


def forge(name, path, **fields):
    attempt = from_elsewhere(path, **fields)
    whose = "A member's" if fields.get("who") == "lab-member" else "An administrator's"
    rows_of(name + "-from-another-site", "another origin asks for this",
            f"{whose} browser is made to send the form to {path} from another site's page.", attempt)
    rows_of(name + "-with-a-guessed-form", "this form is of another session",
            f"The form to {path} comes from our page's origin, with what only its own session could know guessed.", attempt,
            origin="")


forge("role", "/w/lab/members/lab-member/role", role="administrator")
forge("suspension", "/w/lab/members/lab-member/suspend")
forge("removal", "/w/lab/members/lab-member/remove")
forge("transfer", "/w/lab/members/lab-member/transfer")
forge("leave", "/w/lab/leave", who="lab-member")
forge("invitation", "/w/lab/invite", role="administrator", days="30", note="")
forge("withdrawal", "/w/lab/invitations/NUMBER")


def reach(deed, what):
    for way in ("page", "api"):
        rows_of(f"{deed}-across-by-{way}", "no workspace ", f"The administrator of another workspace {what}, by the {way}.",
                by(deed, way))


reach("role", "makes a member of this one a viewer")
reach("suspend", "suspends a member of this one")
reach("remove", "removes a member of this one")
reach("transfer", "hands this one over to one of its members, his accomplice")
reach("invite", "makes a link into this one")
reach("withdraw", "withdraws an invitation of this one, whose number he counted up to")


@row("place-transfer-sent-again", "has changed since you looked")
def transfer_again(evil):
    """A workspace was handed over and handed back; the form that did it, which lies in the browser's history, is sent again."""
    with Lab() as room:
        room.root("RemoveMember", workspace="lab", user="lab-away")  # all are again what they were
        browser, page = room.sessions["lab-administrator"], "/w/lab/members/lab-member/transfer"
        old = web_workspaces.seen_in(room, "lab-administrator", page)[1]
        for user in ("lab-member", "lab-administrator") if evil else ():
            room.root("TransferWorkspace", workspace="lab", user=user)
        before = room.all()
        return told(browser.post(page, csrf=browser.csrf(), revision=old), before, room.all())


def leave_for_another(way, check):
    def attempt(evil):
        with Lab() as room:
            before, user, browser = room.all(), "lab-viewer" if evil else "lab-member", room.sessions["lab-member"]
            if way == "page":
                more = {"user": user} if evil else {}
                done = browser.post("/w/lab/leave", csrf=browser.csrf(), revision=room.seen(user), **more)
            else:
                done = room.change("POST", "/api/workspaces/lab/leave", "lab-member", {"user": user} if evil else None,
                                   [("If-Match", room.call("GET", f"/api/workspaces/lab/members/{user}", room.tokens["chief"]).fields["etag"])])
            return told(done, before, room.all())
    rows_of(f"leave-for-another-by-{way}", check,
            f"A member leaves in another one's name, which he puts into what is sent, with what that one's own page says was seen, by the {way}.",
            attempt)


leave_for_another("page", "the form has a field too much")
leave_for_another("api", "the body is too large")


def asset_across(way, deed):
    def attempt(evil):
        with Lab() as room:
            who = "far-head" if evil else "lab-administrator"
            if deed == "removed":
                web_assets.register(room, "api", "lab-member")
            before = web_assets.all_of(room)
            done = (web_assets.register(room, way, who) if deed == "registered"
                    else web_assets.remove(room, way, who, "iris.csv"))
            return told(done, before, web_assets.all_of(room))
    rows_of(f"asset-{deed}-across-by-{way}", "no workspace ",
            f"An asset of this workspace is {deed} by the administrator of another one, by the {way}.", attempt)


def asset_forged(name, path, check, origin, csrf):
    def attempt(evil):
        with Lab() as room:
            web_assets.register(room, "api", "lab-member")
            before, browser = web_assets.all_of(room), room.sessions["lab-administrator"]
            fields = {**web_assets.NEW, "name": "x", "digest": "0" * 64}
            if name == "removal":
                seen = room.call("GET", "/api/workspaces/lab/assets/iris.csv", room.tokens["chief"]).fields["etag"]
                fields = {"revision": seen[1:17]}
            done = browser.post(path, origin if evil else "", csrf=csrf if evil and csrf else browser.csrf(), **fields)
            return told(done, before, web_assets.all_of(room))
    rows_of(f"asset-{name}-{'guessed' if csrf else 'from-another-site'}", check,
            f"The form to {path} is made up by another site's page, or comes without what our own page's has.", attempt)


for way_ in ("page", "api"):
    for deed_ in ("registered", "removed"):
        asset_across(way_, deed_)
for name_, path_ in (("registration", "/w/lab/assets"), ("removal", "/w/lab/assets/iris.csv/remove")):
    asset_forged(name_, path_, "another origin asks for this", "http://evil.example", "")
    asset_forged(name_, path_, "this form is of another session", "", "0" * 64)


def renamed_across(way):
    def attempt(evil):
        with Lab() as room:
            before = web_workspaces.all_of(room)
            done = web_workspaces.rename(room, way, "far-head" if evil else "lab-administrator", "lab", "mine")
            return told(done, before, web_workspaces.all_of(room))
    rows_of(f"rename-across-by-{way}", "no workspace ", f"The administrator of another workspace renames this one, by the {way}.", attempt)


def workspace_made(way):
    def attempt(evil):
        with Lab() as room:
            before = web_workspaces.all_of(room)
            done = web_workspaces.make(room, way, "lab-administrator" if evil else "chief", "mine")
            return told(done, before, web_workspaces.all_of(room))
    rows_of(f"workspace-made-by-{way}", "may not administer this service",
            f"The administrator of one workspace makes another one, by the {way}.", attempt)


def workspace_forged(name, path, who, check, origin, csrf):
    def attempt(evil):
        with Lab() as room:
            before, browser = web_workspaces.all_of(room), room.sessions[who]
            done = browser.post(path, origin if evil else "", csrf=csrf if evil and csrf else browser.csrf(), name="mine")
            return told(done, before, web_workspaces.all_of(room))
    rows_of(f"{name}-{'guessed' if csrf else 'from-another-site'}", check,
            f"The form to {path} is made up by another site's page, or comes without what our own page's has.", attempt)


for way_ in ("page", "api"):
    renamed_across(way_)
    workspace_made(way_)
for name_, path_, who_ in (("workspace-new", "/workspaces", "chief"), ("workspace-rename", "/w/lab/settings", "lab-administrator")):
    workspace_forged(name_, path_, who_, "another origin asks for this", "http://evil.example", "")
    workspace_forged(name_, path_, who_, "this form is of another session", "", "0" * 64)


def imported(name, check, about, evil_is):
    def attempt(evil):
        with Lab() as room:
            item, who, more = web_import.complete(id="planted"), "lab-member", []
            if evil and evil_is == "across":
                who = "far-head"
            elif evil and evil_is == "site":
                more = [("Origin", "http://evil.example")]
            elif evil and evil_is == "contents":
                item["assets"][0]["asset"] = web_import.CONTENTS
            elif evil:
                item["computation"]["agent_config"]["server_key"] = web_import.SECRET
            before = web_import.all_of(room)
            done = room.change("POST", "/api/workspaces/lab/imports", who, {"document": web_import.json.dumps([item])}, more)
            return told(done, before, web_import.all_of(room))
    rows_of("import-" + name, check, about, attempt)


imported("across", "no workspace ", "The administrator of another workspace creates computations in this one out of a document.", "across")
imported("from-another-site", "another origin asks for this", "Another site's page has a browser import a document.", "site")
imported("of-contents", "contents never go to the service", "A page that was tampered with sends an asset's contents with a document.",
         "contents")
imported("of-a-private-key", "private keys are in no export", "A page that was tampered with sends a listener's private key with a document.",
         "key")


def exported_across(way):
    path = {"page": "/c/hers/export.json", "api": "/api/computations/hers/export"}[way]

    def attempt(evil):
        with Lab() as room:
            assert web_import.items(web_import.send(room, "lab-member", [web_import.complete(id="hers")]))[0]["created"]
            done = room.call("GET", path, room.tokens["far-head" if evil else "lab-administrator"])
            return Outcome(True) if done.status == 200 else Outcome(False, done.body.decode())
    rows_of(f"export-across-by-{way}", "no computation ", f"The administrator of another workspace exports a computation of this one, by the {way}.",
            attempt)


for way_ in ("page", "api"):
    exported_across(way_)


def listed(way, name, check, about, query):
    """A page of the computations of lab, which has 51; `query` says how it is asked for, from the place of the second one."""
    def attempt(evil):
        with Lab() as room:
            for number in range(51):
                room.root("Create", computations.CreateRequest(
                    manifest=cvms.ComputationRunReq(id=f"of-lab-{number}", name=f"a secret name {number}",
                                                    algorithm=cvms.Algorithm(hash=bytes(32), userKey=KEY)), workspace="lab"))
            place = room.call("GET", "/api/computations?sort=name", room.tokens["lab-administrator"]).json()["next"]
            assert place
            path, who = query(evil, place)
            done = room.call("GET", {"page": "/?", "api": "/api/computations?"}[way] + path, room.tokens[who])
            got = done.body.count(b"of-lab-")
            assert evil or got, done.body
            return Outcome(True) if done.status == 200 else Outcome(False, done.body.decode(), got)
    rows_of(f"list-{name}-by-{way}", check, about + f" By the {way}.", attempt)


for way_ in ("page", "api"):
    listed(way_, "of-another", "a page of another list", "The administrator of another workspace goes on where one of this workspace has stopped reading.",
           lambda evil, place: ("sort=name&before=" + place, "far-head" if evil else "lab-administrator"))
    listed(way_, "of-another-order", "another order of this one", "The place of a page by name is taken for one of another order, to have rows left out.",
           lambda evil, place: (("sort=-name" if evil else "sort=name") + "&before=" + place, "lab-administrator"))
    listed(way_, "order-injected", "there is no order by", "What orders a list has SQL in it.",
           lambda evil, place: ("sort=" + ("name%29%3B%20DROP%20TABLE%20computations%3B--" if evil else "name"), "lab-administrator"))


def place_listed(way, what, name, check, about, query):
    """The same of members or assets of lab: 51 of them, all of that name."""
    def attempt(evil):
        with Lab() as room:
            for number in range(51):
                if what == "members":
                    room.root("AddUser", name=f"of-lab-{number}", workspace="lab")
                else:
                    room.root("RegisterAsset", workspace="lab", name=f"of-lab-{number}", type="dataset", digest=bytes(32))
            room.root("AddMember", workspace="lab", user="far-head", role="viewer")
            paths = {"page": "/w/lab/" + what, "api": "/api/workspaces/lab/" + what}
            place = room.call("GET", f"{paths['api']}?q=of-lab&sort=name", room.tokens["lab-administrator"]).json()["next"]
            assert place
            path, who = query(evil, place)
            done = room.call("GET", f"{paths[way]}?{path}", room.tokens[who])
            got = done.body.count(b"of-lab-")
            assert evil or got, done.body
            return Outcome(True) if done.status == 200 else Outcome(False, done.body.decode(), got)
    rows_of(f"list-of-{what}-{name}-by-{way}", check, about + f" Of {what}, by the {way}.", attempt)


for way_ in ("page", "api"):
    for what_ in ("members", "assets"):
        place_listed(way_, what_, "of-another", "a page of another list", "One goes on where somebody else has stopped reading.",
                     lambda evil, place: ("q=of-lab&sort=name&after=" + place, "far-head" if evil else "lab-administrator"))
        place_listed(way_, what_, "of-another-order", "another order of this one",
                     "The place of a page by name is taken for one of another order, to have rows left out.",
                     lambda evil, place: (("q=of-lab&sort=-name" if evil else "q=of-lab&sort=name") + "&after=" + place, "lab-administrator"))
        place_listed(way_, what_, "of-another-search", "a page of another list", "The place of a page of a search is taken for one of all.",
                     lambda evil, place: (("sort=name" if evil else "q=of-lab&sort=name") + "&after=" + place, "lab-administrator"))
        place_listed(way_, what_, "order-injected", "there is no order by", "What orders a list has SQL in it.",
                     lambda evil, place: ("sort=" + ("name%29%3B%20DROP%20TABLE%20assets%3B--" if evil else "name"), "lab-administrator"))
        place_listed(way_, what_, "order-of-others", "there is no order by", "A list is asked for by a column that it does not show.",
                     lambda evil, place: ("sort=" + ("state" if evil else "-changed"), "lab-administrator"))


def key_retired(way):
    def attempt(evil):
        with Lab() as room:
            known = web_keys.holder(room, "lab-member").fingerprint.hex()
            before = web_keys.told(room, "lab-member")
            done = web_keys.retire(room, way, "lab-administrator" if evil else "lab-member", known)
            return told(done, before, web_keys.told(room, "lab-member"))
    rows_of(f"key-retired-by-{way}", "no key of this fingerprint", f"Somebody else's key, whose fingerprint all see, is retired by the {way}.", attempt)


def key_forged(origin, csrf, check):
    def attempt(evil):
        with Lab() as room:
            known = web_keys.holder(room, "lab-member").fingerprint.hex()
            before, browser = web_keys.told(room, "lab-member"), room.sessions["lab-member"]
            done = browser.post(f"/me/keys/{known}", origin if evil else "", csrf=csrf if evil and csrf else browser.csrf())
            return told(done, before, web_keys.told(room, "lab-member"))
    rows_of(f"key-{'guessed' if csrf else 'from-another-site'}", check,
            "The form that retires a key is made up by another site's page, or comes without what our own page's has.", attempt)


for way_ in ("page", "api"):
    key_retired(way_)
key_forged("http://evil.example", "", "another origin asks for this")
key_forged("", "0" * 64, "this form is of another session")


def script_in_an_asset(field):
    def attempt(evil):
        text = "<script>alert(1)<" if evil else "flowers"
        with Lab() as room:
            assert web_assets.register(room, "page", "lab-member", **{field: text}).status == 303
            chief = room.sessions["chief"]
            listed = chief.get("/w/lab/assets")
            link = [one for one in listed.page().links if one.startswith("/w/lab/assets/")][0]
            shown = chief.get(link)
            return Outcome(text.encode() in listed.body + shown.body, shown.page().words())
    rows_of(f"script-in-an-assets-{field}", "<script>alert(1)<", f"The {field} of an asset is a script.", attempt)


script_in_an_asset("name")
script_in_an_asset("description")


@row("place-members-read-by-nobody-of-it", "no workspace 'lab'")
def members_read(evil):
    """Who is in a workspace is asked for by somebody who is not."""
    with Lab() as room:
        got = room.call("GET", "/api/workspaces/lab/members", room.tokens["far-head" if evil else "lab-viewer"])
        return Outcome(got.status == 200, got.body.decode(), got.body.count(b"lab-administrator"))


@row("place-number-of-anothers-invitation", "no open invitation")
def number_of_anothers(evil):
    """An administrator withdraws, under his own workspace's name, an invitation to another one by its number."""
    with Lab() as room:
        made = room.root("Invite", workspace="lab" if evil else "far").number
        before = room.all()
        return told(room.do("page", "far-head", "withdraw", str(made), "far"), before, room.all())


@row("place-script-in-an-invitations-note", "<script>alert(1)</script>")
def script_in_a_note(evil):
    """The note of an invitation is a script, for the next administrator who looks."""
    note = "<script>alert(1)</script>" if evil else "the clinic"
    with Lab() as room:
        assert room.form("lab-administrator", "/w/lab/invite", role="viewer", days="1", note=note).status == 200
        shown = room.sessions["chief"].get("/w/lab/members")
        return Outcome(note.encode() in shown.body, shown.page().words())


@row("place-usage-read-by-nobody-of-it", "no workspace 'default'")
def usage_read(evil):
    """What a workspace's CVMs ran is asked for as a file by somebody who is not in it."""
    with hall() as room:
        got = room.call("GET", "/api/workspaces/default/usage.csv", room.tokens["outsider" if evil else "viewer"])
        return Outcome(got.status == 200, got.body.decode())


def renamed(name, who):
    """A computation of lab, by who has that role in it: the answer, and what is shown to who administers the service."""
    with Lab() as room:
        create(room.service, id="c", name="night")
        room.person("her")
        room.root("GiveRole", computation_id="c", role=who, user="her")
        done = room.call("PUT", "/api/computations/c", room.tokens["her"], {"name": name})
        shown = room.sessions["chief"].get("/c/c")
        return done, room.root("Show", id="c").name, shown


@row("place-computation-renamed-by-its-viewer", "may not rename it")
def renamed_by_its_viewer(evil):
    """A computation gets another one's name by somebody who may only look at it, so that owners take one for the other."""
    done, name, _ = renamed("day", "viewer" if evil else "editor")
    assert (name == "day") == (done.status == 200), (name, done.status)
    return Outcome(done.status == 200, done.body.decode())


@row("place-script-in-a-computations-name", "<script>alert(1)</script>")
def script_in_a_name(evil):
    """An editor renames a computation to a script, for the next one who looks."""
    name = "<script>alert(1)</script>" if evil else "day"
    _, _, shown = renamed(name, "editor")
    return Outcome(name.encode() in shown.body, shown.page().words())


def formula_in_a_statement(form):
    def attempt(evil):
        name = web_usage.FORMULA if evil else "night"
        with hall() as room:
            began = web_usage.ms(2020, 2)
            web_usage.ran(room, (name, began, began + 1, 1, 1))
            got = room.call("GET", f"/api/workspaces/default/usage.{form}?month=2020-02", room.tokens["administrator"]).body
            live = b"<script>" in got if form == "html" else b",=HYPERLINK" in got or b',"=HYPERLINK' in got
            return Outcome(live or not evil, got.decode())
    rows_of(f"formula-in-a-statements-{form}", "HYPERLINK",
            f"A computation is called as a spreadsheet's formula, with markup, for who opens the month's statement ({form}).", attempt)


for form_ in ("csv", "html"):
    formula_in_a_statement(form_)


@row("place-key-of-another-creation", "you sent this key with something else")
def key_of_another_creation(evil):
    """Somebody on the way to the API, or a program that went wrong, sends another manifest under the key of one that was
    created: whoever repeats the first would take the second for his."""
    with web_once.Once() as room:
        first = room.send("/api/computations", web_once.written(), "order-1")
        before = room.count()
        done = room.send("/api/computations", web_once.written(name="other"), "order-1" if evil else "order-2")
        assert first.status == 201
        return told(done, before, room.count())


@row("place-key-for-a-secret", "it was told once, and is not kept")
def key_for_a_secret(evil):
    """Whoever has a user's session later, and read his key and what he sent out of a log, repeats the creation of a webhook
    to be told the secret that signs for it."""
    path = "/api/workspaces/{workspace}/webhooks"
    body = {"url": "https://hooks.example.org/", "events": ["computation.created"]}
    with web_once.Once() as room:
        first = room.send(path, body, "hook-1")
        done = room.send(path, body, "hook-1" if evil else "hook-2")
        assert first.status == done.status == 201, done.body
        told_secret = done.json().get("secret")
        assert told_secret is None or told_secret != first.json()["secret"]
        return Outcome(told_secret is not None, done.body.decode() if told_secret is None else "", len(told_secret or ""))
