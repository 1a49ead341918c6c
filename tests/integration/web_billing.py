#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Accounts that pay for workspaces, on the page and by its API: for who administers the service alone, with statements of all
that they pay for, and nothing that others wrote as markup or formula."""
import csv
import io

import tap
from billing import PLANS, Billing
from usage import FORMULA, HOUR_MS, Cells
from web_machines import hall
from web_page import EVIL
from web_usage import ms, ran, this_and_next
from workspaces import create

ACCOUNT = "/api/billing/acme"


def it_is_made_changed_and_removed():
    with hall(PLANS) as room:
        chief, token = room.sessions["chief"], room.tokens["chief"]
        assert "/billing" in chief.get("/users").page().links and "No account pays" in chief.get("/billing").page().words()
        made = room.form("chief", "/billing", account="acme", plan="small")
        assert (made.status, made.fields["location"]) == (303, "/billing"), (made.status, made.body)
        assert "/billing/acme" in chief.get("/billing").page().links
        given = room.form("chief", "/billing/acme/workspaces", workspace="lab")
        assert (given.status, given.fields["location"]) == (303, "/billing/acme"), given.body
        words = chief.get("/billing/acme").page().words()
        assert "Workspaces that it pays for" in words and "lab" in words and "10 (0 % used)" in words, words
        told = room.call("GET", ACCOUNT, token).json()
        assert (told["account"], told["plan"], told["workspaces"], told["pays_for"], told["maker"]) == ("acme", "small", 1, ["lab"], "chief"), told
        assert told["limits"] == {"plan": "small", "cvm_hours": None, "cpu_hours": 10, "memory_gib_hours": None}, told
        assert room.form("chief", "/billing/acme/plan", plan="large").status == 303
        assert room.form("chief", "/billing/acme/remove").status == 409  # it pays
        assert room.form("chief", "/billing/acme/workspaces/lab/take").fields["location"] == "/billing/acme"
        told = room.call("GET", ACCOUNT, token).json()
        assert (told["plan"], told["pays_for"]) == ("large", []), told
        # Given and taken in one month: it has paid for nothing, and can be removed.
        assert room.form("chief", "/billing/acme/remove").fields["location"] == "/billing"
        assert room.call("GET", ACCOUNT, token).status == 404
        room.call("PUT", ACCOUNT, token, {"plan": "large"})
        # The same by the API, which answers with what it is now.
        made = room.call("PUT", "/api/billing/more", token, {"plan": "small"})
        assert made.status == 200 and made.json()["plan"] == "small", made.body
        assert room.call("PUT", "/api/billing/more", token, {"plan": "small"}).status == 409
        assert room.call("POST", "/api/billing/more/plan", token, {"plan": "large"}).json()["limits"]["cvm_hours"] == 500
        assert room.call("PUT", "/api/billing/more/workspaces/lab", token).json()["pays_for"] == ["lab"]
        assert room.call("PUT", "/api/billing/acme/workspaces/lab", token).status == 409
        assert room.call("DELETE", "/api/billing/more/workspaces/lab", token).json()["pays_for"] == []
        room.call("PUT", "/api/billing/third", token, {"plan": "small"})
        assert room.call("DELETE", "/api/billing/third", token).status == 204
        listed = room.call("GET", "/api/billing", token).json()
        assert [a["account"] for a in listed["accounts"]] == ["acme", "more"] and listed["next"] is None, listed
        assert [p["plan"] for p in listed["plans"]] == ["small", "large"], listed
        for method, path, body, status in (("GET", "/api/billing/none", None, 404), ("PUT", "/api/billing/x", {"plan": "huge"}, 404),
                                           ("PUT", "/api/billing/x", {}, 400), ("PUT", "/api/billing/x", {"plan": "small", "more": 1}, 400),
                                           ("PUT", "/api/billing/A%20B", {"plan": "small"}, 400),
                                           ("PUT", ACCOUNT + "/workspaces/none", None, 404), ("DELETE", "/api/billing/none", None, 404)):
            got = room.call(method, path, token, body)
            assert got.status == status, (method, path, got.status, got.body)


def nobody_else_may():
    """Each role, the other workspace's administrator and nobody; by form and call, with and without such an account."""
    with hall(PLANS) as room:
        Billing(room.service.channel)("Create", name="acme", plan="small")
        Billing(room.service.channel)("Give", name="acme", workspace="default")
        calls = [("GET", "/api/billing", None), ("GET", ACCOUNT, None), ("PUT", "/api/billing/new", {"plan": "small"}),
                 ("POST", ACCOUNT + "/plan", {"plan": "large"}), ("PUT", ACCOUNT + "/workspaces/lab", None),
                 ("DELETE", ACCOUNT + "/workspaces/default", None), ("DELETE", ACCOUNT, None),
                 *(("GET", ACCOUNT + "/usage" + form, None) for form in ("", ".csv", ".html")),
                 ("GET", "/billing", None), ("GET", "/billing/acme", None)]
        forms = [("/billing", {"account": "new", "plan": "small"}), ("/billing/acme/plan", {"plan": "large"}),
                 ("/billing/acme/workspaces", {"workspace": "lab"}), ("/billing/acme/workspaces/default/take", {}),
                 ("/billing/acme/remove", {})]
        for who in ("viewer", "member", "administrator", "outsider", None):
            for method, path, body in calls:
                got = room.call(method, path, room.tokens[who] if who else None, body)
                none = room.call(method, path.replace("acme", "none"), room.tokens[who] if who else None, body)
                assert got.status == none.status == (403 if who else 401), (who, method, path, got.status)
                assert got.body.replace(b"acme", b"none") == none.body, (got.body, none.body)
            for path, fields in forms if who else ():
                assert room.form(who, path, **fields).status == 403, (who, path)
            assert who is None or "/billing" not in room.sessions[who].get("/").page().links
        [only] = Billing(room.service.channel)("List").accounts
        assert (only.name, only.plan, only.places) == ("acme", "small", 1), only


def statements_are_of_all_its_workspaces():
    with hall(PLANS + "limit lab cvms=4 cpu-hours=20 cvm-hours=30\n") as room:
        token, account = room.tokens["chief"], Billing(room.service.channel)
        create(room.root, "seen", "default")
        account("Create", name="acme", plan="small")
        for name in ("default", "lab"):
            account("Give", name="acme", workspace=name)
        room.root("AddWorkspace", name="den")
        began = ms(2020, 2)
        months = this_and_next()
        for workspace in ("default", "lab", "den"):
            ran(room, ("seen", began, began + HOUR_MS, 1, 1), *((FORMULA, start, start + 1, 4 * HOUR_MS, 1) for start in months),
                *((EVIL, start, start + 1, 1, 1) for start in months), workspace=workspace)
        told = room.call("GET", ACCOUNT + "/usage", token).json()
        assert {row["workspace"] for row in told["usage"]} == {"default", "lab"} and told["cpu_ms"] == 8 * HOUR_MS + 2, told
        assert told["limits"]["cpu_hours"] == 10 and not any(row["removed"] for row in told["usage"]), told
        rows = list(csv.DictReader(io.StringIO(room.call("GET", ACCOUNT + "/usage.csv", token).body.decode(), newline="")))
        assert {row["workspace"] for row in rows} == {"default", "lab"} and "'" + FORMULA in {row["computation"] for row in rows}, rows
        # A row's limits are its own workspace's, as the command line has them: the account's are on the page.
        limits = {(row["workspace"], *(row[f"limit_{what}_hours"] for what in ("cvm", "cpu", "memory_gib"))) for row in rows}
        assert limits == {("default", "", "", ""), ("lab", "30", "20", "")}, limits
        long_ago = room.call("GET", ACCOUNT + "/usage.csv?month=2020-02", token).body
        assert long_ago.count(b"\r\n") == 1, long_ago  # nobody paid then
        page = Cells()
        html = room.call("GET", ACCOUNT + "/usage.html", token).body.decode()
        page.feed(html)
        assert not page.tags & {"script", "img"} and "<p><bdi>acme</bdi> has used 8.000 of its 10 CPU hours (80 %).</p>" in html, html
        assert "80 % used" in room.sessions["chief"].get("/billing/acme").page().words()
        # Who paid in another month has its statement, and nobody else.
        assert room.call("GET", ACCOUNT + "/usage?month=2020-02", token).json()["usage"] == []
        assert "cpu_hours" in room.call("GET", "/api/workspaces/den/usage", token).json()["limits"]
        # A workspace that is removed stays on it, by its last name.
        room.root("RemoveWorkspace", name="den")
        room.root("RemoveWorkspace", name="lab")
        told = room.call("GET", ACCOUNT + "/usage", token).json()
        assert {(row["workspace"], row["removed"]) for row in told["usage"]} == {("default", False), ("lab", True)}, told
        assert "One that is removed" in room.sessions["chief"].get("/billing/acme").page().words()


if __name__ == "__main__":
    tap.run([it_is_made_changed_and_removed, nobody_else_may, statements_are_of_all_its_workspaces])
