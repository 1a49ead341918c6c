# SPDX-License-Identifier: Apache-2.0
"""Somebody goes for a workspace through the page or its API: by another one's rights, by another site's page, by what he
writes into a field. The honest twin is its administrator, from the page."""
import web_assets
from rows import Outcome, row
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


def from_elsewhere(path, **fields):
    """A form of lab's page, sent by its administrator's browser from another site; or without what our pages have in
    theirs."""
    def attempt(evil, origin="http://evil.example"):
        with Lab() as room:
            browser = room.sessions["lab-administrator"]
            more = {"revision": room.seen("lab-member")} if "members" in path else {}
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
    rows_of(name + "-from-another-site", "another origin asks for this",
            f"An administrator's browser is made to send the form to {path} from another site's page.", attempt)
    rows_of(name + "-with-a-guessed-form", "this form is of another session",
            f"The form to {path} comes from our page's origin, with what only its own session could know guessed.", attempt,
            origin="")


forge("role", "/w/lab/members/lab-member/role", role="administrator")
forge("suspension", "/w/lab/members/lab-member/suspend")
forge("removal", "/w/lab/members/lab-member/remove")
forge("invitation", "/w/lab/invite", role="administrator", days="30", note="")
forge("withdrawal", "/w/lab/invitations/NUMBER")


def reach(deed, what):
    for way in ("page", "api"):
        rows_of(f"{deed}-across-by-{way}", "no workspace ", f"The administrator of another workspace {what}, by the {way}.",
                by(deed, way))


reach("role", "makes a member of this one a viewer")
reach("suspend", "suspends a member of this one")
reach("remove", "removes a member of this one")
reach("invite", "makes a link into this one")
reach("withdraw", "withdraws an invitation of this one, whose number he counted up to")


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
