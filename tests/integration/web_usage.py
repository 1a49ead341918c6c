#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a workspace's CVMs ran in a month, on the page and by its API: who sees it, for which computation, how much of a
limit that is, and statements that hold no formula and no markup."""
import contextlib
import csv
import datetime
import http.client
import io
import os
import sqlite3

import tap
from harness import PATIENCE
from usage import FORMULA, HOUR_MS, Cells
from web_fitted import holds
from web_machines import hall
from web_page import EVIL, UnixConnection
from workspaces import create

LIMITS = "limit default cvms=4 cpu-hours=10 memory-hours=1\nlimit lab cvms=4\n"
ALL = ("/w/{}/usage", "/api/workspaces/{}/usage", "/api/workspaces/{}/usage.csv", "/api/workspaces/{}/usage.html")


def ms(year, month, day=1):
    return int(datetime.datetime(year, month, day, tzinfo=datetime.timezone.utc).timestamp() * 1000)


def ran(room, *rows, workspace="default"):
    """As if CVMs had: (computation, since, until, CPUs, MiB)."""
    path = os.path.join(room.service.folder("state"), "computations.db")
    with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE)) as database:
        for number, (computation, *rest) in enumerate(rows):
            database.execute("INSERT INTO usage_spans (workspace, called, machine, computation, since, until, cpus, memory)"
                             " SELECT number, name, ?, ?, ?, ?, ?, ? FROM workspaces WHERE name = ?",
                             (f"m{number}", computation, *rest, workspace))
        database.commit()


def get(room, path, who, workspace="default"):
    return room.call("GET", path.format(workspace), room.tokens[who])


def moved(room, *rows):
    """As if agents had said so of this month: (computation, its first ms, bytes in, bytes out); and a MiB of it was kept for 1.5 hours."""
    path = os.path.join(room.service.folder("state"), "computations.db")
    with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE)) as database:
        for row in rows:
            database.execute("INSERT INTO usage_traffic (workspace, called, computation, since, bytes_in, bytes_out, stored)"
                             " SELECT number, name, ?, ?, ?, ?, 5400 * 1048576 + 1048575 FROM workspaces WHERE name = 'default'", row)
        database.commit()


def bytes_and_storage_are_shown_and_limit_nobody():
    """Beside what CVMs ran, and of one that no manager made."""
    with hall(LIMITS) as room:
        began = ms(2020, 2)
        create(room.root, "theirs", "default")
        ran(room, ("theirs", began, began + HOUR_MS, 1, 1024))
        moved(room, ("theirs", began, 5107, 4_131_000), ("by-hand", began, (1 << 53) - 1, 0), ("theirs", ms(2020, 3), 7, 7))
        most, by_hand = (1 << 53) - 1, {"kind": "computation", "computation": "by-hand", "cvms": 0, "cvm_ms": 0, "cpu_ms": 0,
                                        "memory_mib_seconds": 0, "bytes_in": (1 << 53) - 1, "bytes_out": 0, "storage_mib_seconds": 5400}
        document = get(room, "/api/openapi.json", "chief").json()
        told = holds(document, get(room, ALL[1] + "?month=2020-02", "chief"), ALL[1].format("default"), "UsageRow").json()
        assert told["usage"][0] == by_hand and (told["bytes_in"], told["bytes_out"], told["storage_mib_seconds"]) == (most, 4_131_000, 10800), told
        assert {key: told["usage"][1][key] for key in ("cvms", "cvm_ms", "bytes_in", "bytes_out")} == {
            "cvms": 1, "cvm_ms": HOUR_MS, "bytes_in": 5107, "bytes_out": 4_131_000}, told
        # Of others' computations who sees none of them sees the sum.
        mine = get(room, ALL[1] + "?month=2020-02", "viewer").json()
        assert [(row["kind"], row["bytes_in"], row["bytes_out"], row["storage_mib_seconds"]) for row in mine["usage"]] == \
            [("others", most, 4_131_000, 10800)], mine
        words = get(room, ALL[0] + "?month=2020-02", "chief").page().words()
        assert "5.1 kB" in words and "4.1 MB" in words and "9007.1 TB" in words and "as each computation’s own agent said" in words, words
        assert "1.500" in words and "3.000" in words and "Storage is what this service keeps" in words, words
        assert "7 bytes" in get(room, ALL[0] + "?month=2020-03", "chief").page().words()
        rows = list(csv.DictReader(io.StringIO(get(room, ALL[2] + "?month=2020-02", "chief").body.decode())))
        assert [(row["cvms"], row["bytes_in"], row["bytes_out"], row["storage_mib_seconds"]) for row in rows] == \
            [("0", str(most), "0", "5400"), ("1", "5107", "4131000", "5400")], rows
        page = get(room, ALL[3] + "?month=2020-02", "chief").body.decode()
        assert ">4.1 MB</td><td class=\"n\">3.000</td></tr>\n</tfoot>" in page and "Storage is what the service kept" in page and "computations’ own agents said" in page, page
        # It limits nobody: this month's is as much.
        moved(room, *(("theirs", start, most, most) for start in this_and_next()))
        assert "80 %" not in get(room, ALL[0], "chief").page().words()
        assert room.put("administrator", "one").status == 200


def each_sees_what_he_may():
    with hall() as room:
        create(room.root, "theirs", "default")
        create(room.root, "seen", "default")
        room.root("GiveRole", computation_id="seen", role="viewer", user="member")
        began = ms(2020, 2)
        ran(room, ("theirs", began, began + HOUR_MS, 2, 1024), ("seen", began, began + 2 * HOUR_MS, 1, 512),
            ("", began, began + 500, 1, 1))
        ran(room, ("elsewhere", began, began + 9 * HOUR_MS, 1, 1), workspace="lab")
        others, idle = {"kind": "others", "computation": ""}, {"kind": "idle", "computation": ""}
        named = [{"kind": "computation", "computation": name} for name in ("seen", "theirs")]
        for who, expected in (("viewer", [idle, others]), ("member", [idle, named[0], others]),
                              ("administrator", [idle, *named]), ("chief", [idle, *named]), ("outsider", None)):
            for path in ALL:
                got = get(room, path + "?month=2020-02", who)
                assert got.status == (200 if expected else 404), (who, path, got.status, got.body)
                assert b"elsewhere" not in got.body
                if expected:
                    assert (b"theirs" in got.body) == (named[1] in expected), (who, path)
            if not expected:
                continue
            told = get(room, ALL[1] + "?month=2020-02", who).json()
            assert [{key: row[key] for key in idle} for row in told["usage"]] == expected, (who, told)
            # Whoever sees less of it sees the same sums.
            assert sum(row["cvm_ms"] for row in told["usage"]) == told["cvm_ms"] == 3 * HOUR_MS + 500, told
            assert told["cpu_ms"] == 4 * HOUR_MS + 500 and told["until"] == "2020-03-01T00:00:00Z", told
            assert told["limits"] == {"cvm_hours": None, "cpu_hours": None, "memory_gib_hours": None} and told["next"] is None, told
        for path in ALL:
            assert room.call("GET", path.format("default"), None).status == 401, path
            there, none = (get(room, path, "outsider", name) for name in ("default", "none"))
            assert there.status == none.status == 404 and there.body.replace(b"default", b"none") == none.body, path
            for bad in ("month=2020-13", "month=x", "month=2020-02&month=2020-03", "after=1.9.", "after=x", "more=1"):
                assert get(room, f"{path}?{bad}", "administrator").status in (400, 404), (path, bad)


def a_month_ends_at_its_end():
    with hall() as room:
        ran(room, ("", ms(2020, 2, 29), ms(2020, 3, 2), 1, 1024))
        sums = [get(room, ALL[1] + f"?month=2020-0{month}", "viewer").json()["cvm_ms"] for month in (1, 2, 3, 4)]
        assert sums == [0, 24 * HOUR_MS, 24 * HOUR_MS, 0], sums
        shown = get(room, ALL[0] + "?month=2020-02", "viewer").page()
        assert {f"/w/default/usage?month=2020-0{month}" for month in (1, 3)} <= set(shown.links), shown.links
        assert "24.000" in shown.words() and "CVMs in 2020-02" in shown.words(), shown.words()
        assert "/w/default/usage" in get(room, "/w/{}/members", "viewer").page().links
        empty = get(room, ALL[0] + "?month=1970-01", "viewer").page()
        assert "Nothing ran" in empty.words() and not [link for link in empty.links if "1969" in link]
        # The month that has not ended has none behind it.
        now = get(room, ALL[1], "viewer").json()["month"]
        links = get(room, ALL[0], "viewer").page().links
        assert len([link for link in links if link.startswith("/w/default/usage?month=") and link[-7:] > now]) == 0, links


def this_and_next():
    """Both months, for a test that runs at midnight on the last day of one."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return [ms(now.year, now.month), ms(now.year + now.month // 12, now.month % 12 + 1)]


def a_limit_is_shown_where_it_holds():
    with hall(LIMITS) as room:
        def this_month(path, who="viewer"):
            return get(room, path, who)
        began = ms(2020, 2)
        ran(room, ("", began, began + HOUR_MS, 40, 1))
        told = this_month(ALL[1]).json()
        assert told["limits"] == {"cvm_hours": None, "cpu_hours": 10, "memory_gib_hours": 1} and told["cpu_ms"] == 0, told
        assert "80 %" not in this_month(ALL[0]).page().words()
        months = this_and_next()
        ran(room, *(("", start, start + 1, 8 * HOUR_MS, 1) for start in months))
        words = this_month(ALL[0]).page().words()
        assert "More than 80 % of a limit" in words and "10 (80 % used)" in words and "1 (0 % used)" in words, words
        page = this_month(ALL[3]).body.decode()
        assert "has used 8.000 of its 10 CPU hours (80 %).</p>" in page, page
        rows = list(csv.DictReader(io.StringIO(this_month(ALL[2]).body.decode())))
        assert [(row["limit_cvm_hours"], row["limit_cpu_hours"], row["limit_memory_gib_hours"]) for row in rows] == [("", "10", "1")]
        ran(room, *(("", start, start + 1, 2 * HOUR_MS, 1) for start in months))
        assert "is used up" in this_month(ALL[0]).page().words()
        refused = room.put("administrator", "one")
        assert refused.status in (409, 429) and b"the 10 CPU-hours of" in refused.body, (refused.status, refused.body)
        # What held in another month is not known.
        for path in ALL:
            assert b"10 CPU" not in get(room, path + "?month=2020-02", "viewer").body
        assert get(room, ALL[1] + "?month=2020-02", "viewer").json()["limits"]["cpu_hours"] is None


def pages_and_statements_have_all():
    with hall() as room:
        began = ms(2020, 2)
        names = sorted(f"c{number:03}" for number in range(120))
        ran(room, *((name, began, began + 1000, 1, 1) for name in names))
        found, after, pages = [], "", 0
        while after is not None:
            told = get(room, ALL[1] + "?month=2020-02" + (f"&after={after}" if after else ""), "chief").json()
            found += [row["computation"] for row in told["usage"]]
            after, pages = told.get("next"), pages + 1
            assert told["cvm_ms"] == 120000, told["cvm_ms"]
        assert found == names and pages == 3, (pages, found)
        rows = list(csv.DictReader(io.StringIO(get(room, ALL[2] + "?month=2020-02", "chief").body.decode())))
        assert [row["computation"] for row in rows] == names and {row["cvm_seconds"] for row in rows} == {"1.000"}
        assert get(room, ALL[3] + "?month=2020-02", "chief").body.count(b"<tr>") == 122
        shown = get(room, ALL[0] + "?month=2020-02", "chief").page()
        more = [link for link in shown.links if "after=" in link]
        assert len(more) == 1 and names[50] in get(room, more[0], "chief").page().words(), more


def of_old(room, path):
    """What a client of HTTP/1.0 gets."""
    with contextlib.closing(UnixConnection(room.socket)) as connection:
        connection.connect()
        connection.sock.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {room.tokens['chief']}\r\n\r\n".encode())
        with connection.sock.makefile("rb") as file:
            return file.read()


def begun(room, who):
    """Of February's, its head."""
    connection = UnixConnection(room.socket)
    connection.request("GET", ALL[3].format("default") + "?month=2020-02", headers={"Authorization": "Bearer " + room.tokens[who]})
    return connection, connection.getresponse()


def nobody_is_sent_many_at_a_time():
    """By who does not read them."""
    with hall() as room:
        began, names = ms(2020, 2), [f"c{number:04}" + "x" * 240 for number in range(2000)]
        ran(room, *((name, began, began + 3600, 1, 1) for name in names))
        readers = [begun(room, "chief") for _ in range(8)]
        assert [answer.status for _, answer in readers] == [200] * 8
        refused = get(room, ALL[3] + "?month=2020-02", "chief")
        assert refused.status == 429 and b"user chief is sent 8 statements already" in refused.body, refused
        assert get(room, ALL[3], "chief").status == 200
        assert get(room, ALL[2] + "?month=2020-02", "administrator").body.count(b"\n") == len(names) + 1
        assert readers[0][1].read().endswith(b"</html>\n")
        assert get(room, ALL[2] + "?month=2020-02", "chief").status == 200
        for connection, _ in readers:
            connection.close()


def a_long_statement_has_all():
    """As many rows as are asked for at once, one fewer and one more; and more bytes than an answer has. Who is suspended meanwhile
    sees that it breaks off, and who could not see it is refused. Where its length is not known, HEAD says none."""
    with hall() as room:
        for month, count in ((3, 1023), (4, 1024), (5, 1025)):
            began, names = ms(2020, month), [f"c{number:04}" for number in range(count)]
            ran(room, *((name, began, began + 3600, 1, 1) for name in names))
            got = [get(room, f"{path}?month=2020-0{month}", "chief") for path in ALL[2:]]
            assert [row["computation"] for row in csv.DictReader(io.StringIO(got[0].body.decode()))] == names
            assert got[1].body.count(b"<tr>") == count + 2 and got[1].body.endswith(b"</html>\n")
            assert f"<td class=\"n\">{count / 1000:.3f}</td>".encode() in got[1].body.split(b"<tfoot>")[1]
            assert [("content-length" in one.fields) == (count <= 1024) for one in got] == [True, True], (count, got[0].fields)
            head = room.call("HEAD", ALL[2].format("default") + f"?month=2020-0{month}", room.tokens["chief"])
            assert (head.status, head.body) == (200, b"") and head.fields.get("content-length") == got[0].fields.get("content-length"), head.fields
            old = of_old(room, ALL[3].format("default") + f"?month=2020-0{month}")
            assert old.endswith(b"</html>\n") if count <= 1024 else old.startswith(b"HTTP/1.1 505 ") and b"proxy_http_version" in old, old[:999]
        began, names = ms(2020, 2), [f"c{number:04}" + "x" * 240 for number in range(9000)]
        ran(room, *((name, began, began + 3600, 1, 1) for name in names))
        rows = csv.DictReader(io.StringIO(get(room, ALL[2] + "?month=2020-02", "chief").body.decode()))
        assert [row["computation"] for row in rows] == names
        page = get(room, ALL[3] + "?month=2020-02", "chief").body
        assert len(page) > 4 << 20 and page.count(b"<tr>") == len(names) + 2 and b">9.000</td>" in page.split(b"<tfoot>")[1]
        # A unix socket holds less than half a megabyte of it, so that he has not all of it when he reads its begin.
        connection, answer = begun(room, "administrator")
        assert answer.status == 200 and answer.read(15) == b"<!doctype html>"
        room.root("SuspendUser", name="administrator")
        try:
            raise AssertionError(f"{len(answer.read())} bytes are all of it")
        except http.client.IncompleteRead as cut:
            assert b"Together" not in cut.partial
        connection.close()
        assert get(room, ALL[3], "chief").status == 200


def what_others_wrote_stays_text():
    with hall() as room:
        began = ms(2020, 2)
        names = (EVIL, FORMULA, "+1", "-1", "@x", "\t=1")
        ran(room, *((name, began, began + 1, 1, 1) for name in names))
        got = get(room, ALL[2] + "?month=2020-02", "chief")
        assert got.fields["content-type"] == "text/csv; charset=utf-8"
        assert got.fields["content-disposition"] == 'attachment; filename="usage-2020-02.csv"', got.fields
        rows = list(csv.DictReader(io.StringIO(got.body.decode(), newline="")))
        assert len(rows) == len(names) and all(row["computation"][:1] not in ("=", "+", "-", "@", "\t") for row in rows), rows
        assert {"'" + name for name in names[1:]} <= {row["computation"] for row in rows}, rows
        got = get(room, ALL[3] + "?month=2020-02", "chief")
        assert got.fields["content-disposition"] == 'attachment; filename="usage-2020-02.html"', got.fields
        assert "script" in got.fields["content-security-policy"] or "default-src 'none'" in got.fields["content-security-policy"]
        page = Cells()
        page.feed(got.body.decode())
        assert not page.tags & {"script", "img"} and FORMULA in page.texts, page.tags
        shown = get(room, ALL[0] + "?month=2020-02", "chief")
        assert b"<script>alert" not in shown.body and b"<img" not in shown.body and FORMULA in shown.page().words()


def a_month_that_is_summed_up_says_so():
    """To who may see that workspace, and nowhere else; times that follow are added."""
    with hall() as room:
        began = ms(2020, 2)
        create(room.root, "theirs", "default")
        with contextlib.closing(sqlite3.connect(os.path.join(room.service.folder("state"), "computations.db"), timeout=PATIENCE)) as database:
            database.execute("INSERT INTO usage_months (workspace, called, machine, computation, since, ms, cpu_ms, memory_s)"
                             " SELECT number, name, 'm0', 'theirs', ?, ?, ?, 7 FROM workspaces WHERE name = 'default'",
                             (began, HOUR_MS, 2 * HOUR_MS))
            database.commit()
        ran(room, ("theirs", began, began + HOUR_MS, 1, 0))
        for who in ("viewer", "chief"):
            told = get(room, ALL[1] + "?month=2020-02", who).json()
            row = told["usage"][0]
            assert told["summed"] is True and (row["cvms"], row["cvm_ms"], row["cpu_ms"], row["memory_mib_seconds"]) == (
                1, 2 * HOUR_MS, 3 * HOUR_MS, 7), told
            assert "This month is long ago" in get(room, ALL[0] + "?month=2020-02", who).page().words()
            for other in ("2020-01", "2020-03"):
                assert get(room, ALL[1] + "?month=" + other, who).json()["summed"] is False
                assert "long ago" not in get(room, ALL[0] + "?month=" + other, who).page().words()
        assert get(room, ALL[1] + "?month=2020-02", "outsider", "lab").json()["summed"] is False
        assert get(room, ALL[1] + "?month=2020-02", "chief", "lab").json()["summed"] is False


if __name__ == "__main__":
    tap.run([bytes_and_storage_are_shown_and_limit_nobody, each_sees_what_he_may, a_month_ends_at_its_end, a_limit_is_shown_where_it_holds, pages_and_statements_have_all,
             a_long_statement_has_all, nobody_is_sent_many_at_a_time, a_month_that_is_summed_up_says_so, what_others_wrote_stays_text])
