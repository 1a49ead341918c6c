#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What people choose from on the page: what managers have room for, and which CVMs of a workspace are free for a retry."""
import re
import threading

import grpc

import tap
from computations_service import create
from harness import PATIENCE, FakeAgent, cvms, until
from played_manager import manager
from web_fitted import holds
from web_machines import hall


def a_retry_goes_to_another_free_one():
    """Who may run a computation is shown which CVMs of its workspace are free, and what another one costs."""
    with hall() as room:
        for name in ("one", "two"):
            room.root("CreateCvm", name=name, workspace="default", cpus=1, memory=1 << 30)
        ids = [room.root("ShowMachine", name=name, workspace="default").cvm_id for name in ("one", "two")]
        for known in ("c", "d"):
            create(room.service, id=known)
            room.root("GiveRole", computation_id=known, role="runner", user="member")
        first, second = (FakeAgent(f"127.0.0.1:{room.service.port}", cvm) for cvm in ids)
        with first, second:
            until(lambda: room.there() == {"one": "Ready", "two": "Ready"}, "both agents")

            def offered(computation):
                shown = room.sessions["member"].get(f"/c/{computation}/run").body.decode()
                return re.findall(r'<option value="([^"]+)">', shown)
            assert offered("c") == ids
            assert room.form("member", "/c/c/run", revision=room.etag("c")[1:17], cvm=ids[0]).status == 303
            first.manifest()
            assert offered("d") == ids[1:]
            first.event("c", "Failed", "InProgress")
            room.service.until_state("c", "Failed")
            room.root("Stop", id="c")
            first.next("stopComputation")
            first.say(stop_computation_res=cvms.StopComputationResponse(computation_id="c"))
            until(lambda: room.there()["one"] == "Ready", "the CVM to be free")
            assert "asked of their owners again" in room.sessions["member"].get("/c/c/run").page().words() and offered("c") == ids
            assert room.form("member", "/c/c/run", revision=room.etag("c")[1:17], cvm=ids[1], again="true").status == 303
            second.manifest()
            assert room.root("Show", id="c").cvm_id == ids[1] and offered("d") == ids[:1]


HOSTS = (("wide", {"tees": ["snp", "none"], "cpus": 64, "cpus_used": 8, "memory": 64 << 30, "memory_used": 60 << 30, "cvms_max": 9}),
         ("deep", {"tees": ["none", "snp"], "cpus": 8, "cpus_used": 6, "memory": 32 << 30, "memory_used": 2 << 30}),
         ("full", {"tees": ["snp", "tdx"], "cpus": 8, "cpus_used": 9, "memory": 32 << 30}),
         ("crowded", {"tees": ["tdx"], "cvms": 2, "strays": 1, "cvms_max": 3}),
         ("idle", {"tees": ["tdx"], "draining": True}), ("away", {"tees": ["tdx"], "state": "lost"}),
         ("twin", {"tees": ["tdx"], "problem": "it is the machine of host deep"}))


def what_is_free_is_shown_to_who_has_them_made():
    with hall() as room:
        api, page = "/api/workspaces/default/free", "/w/default/new-cvm"

        document = room.call("GET", "/api/openapi.json", room.tokens["administrator"]).json()

        def told(who="administrator"):
            return holds(document, room.call("GET", api, room.tokens[who]), api).json()["managers"]

        def seen(where, what):
            words = room.sessions["administrator"].get(where).page().words()
            return what in words and words
        # A manager where the service is a tenant says no.
        assert told() == [{"manager": "here", "fleet": "", "known": False, "free": []}]
        shown = room.sessions["administrator"].get(page)
        assert shown.status == 200 and "is not known" in shown.page().words() and b"<form" in shown.body
        room.played.says["ListHosts"] = lambda request, context: manager.ListHostsRes(
            hosts=[manager.Host(**{"name": name, "uri": "qemu+ssh://secret", "state": "connected", **about}) for name, about in HOSTS])
        both = {"all": {"cvms": None, "cpus": 58, "memory": 34 << 30}, "one": {"cvms": None, "cpus": 2, "memory": 30 << 30}}
        # It has two seconds, which are not enough for it in every moment of a busy machine.
        wanted = [{"manager": "here", "fleet": "", "known": True, "free": [{"tee": "snp", **both}, {"tee": "none", **both}]}]
        answer = until(lambda: (got := room.call("GET", api, room.tokens["administrator"])).json()["managers"] == wanted and got, "what is free")
        holds(document, answer, api, "FreeTee", "FreeRoom")
        words = until(lambda: seen(page, "What is free"), "the table")
        assert "58" in words and f"{34 << 10} MiB" in words and f"{30 << 10} MiB" in words and "tdx" not in words.split("Manager")[1]
        assert "secret" not in words and "deep" not in words
        for who in ("viewer", "member", "outsider"):
            assert room.call("GET", api, room.tokens[who]).status in (403, 404), who
        # One that never answers is not waited for long, and the form is there all the same.
        room.played.says["ListHosts"] = lambda request, context: released.wait(PATIENCE) and None
        released = threading.Event()
        try:
            shown = room.sessions["administrator"].get(page)
            assert shown.status == 200 and "is not known" in shown.page().words() and b"<form" in shown.body and not released.is_set()
        finally:
            released.set()
        room.played.says["ListHosts"] = lambda request, context: manager.ListHostsRes(
            hosts=[manager.Host(name="h", state="connected", tees=["none"])])
        free, = until(lambda: told()[0]["free"], "what is free")
        assert free == {"tee": "none", "all": {"cvms": None, "cpus": None, "memory": None}, "one": {"cvms": None, "cpus": None, "memory": None}}
        until(lambda: seen(page, "no limit known"), "no limit")
        room.played.says["ListHosts"] = lambda request, context: manager.ListHostsRes()
        until(lambda: seen(page, "has room"), "no room")
        # And where a run has one made for it.
        create(room.service, id="c")
        until(lambda: seen("/c/c/run-new", "has room"), "no room")


def hosts_of(*said):
    return lambda request, context: manager.ListHostsRes(hosts=[manager.Host(state="connected", **about) for about in said])


def each_manager_speaks_for_itself():
    """Two of one fleet say the same, which is shown once; one is silent, and its name alone is shown."""
    api, page = "/api/workspaces/{}/free", "/w/default/new-cvm"
    with hall(others={"east": "fleet=ward", "west": "fleet=ward", "mute": ""}) as room:
        here, east, west = room.played, room.others["east"], room.others["west"]

        def told(who="administrator", workspace="default"):
            return {m["manager"]: m for m in room.call("GET", api.format(workspace), room.tokens[who]).json()["managers"]}

        def seen(*patterns):
            """What the page says, once it says all of that: none of them has answered too late."""
            words = room.sessions["administrator"].get(page).page().words()
            return all(re.search(p, words) for p in patterns) and words
        # More than a page's numbers hold, of a manager that says what it likes.
        here.says["ListHosts"] = hosts_of({"tees": ["tdx"], "cpus": (1 << 63) + 5, "memory": (1 << 64) - 2})
        for one in (east, west):
            one.says["ListHosts"] = hosts_of({"tees": ["snp"], "cpus": 88, "memory": 1 << 30, "cvms_max": 3})
        room.others["mute"].server.stop(None).wait()
        all_of = {"cvms": 3, "cpus": 88, "memory": 1 << 30}
        ward = {"fleet": "ward", "known": True, "free": [{"tee": "snp", "all": all_of, "one": all_of}]}
        most = {"cvms": None, "cpus": (1 << 63) + 5, "memory": (1 << 64) - 2}
        wanted = {"here": {"manager": "here", "fleet": "", "known": True, "free": [{"tee": "tdx", "all": most, "one": most}]},
                  "east": {"manager": "east", **ward}, "west": {"manager": "west", **ward},
                  "mute": {"manager": "mute", "fleet": "", "known": False, "free": []}}
        until(lambda: told() == wanted, "what each says")
        shown = until(lambda: seen("here tdx", "ward snp", "mute ?: what is free"), "a row of each")
        table = shown[shown.index("What is free"):shown.index("As managers say")]
        assert table.count("ward") == table.count("88") == 1 and "east" not in table and "mute" not in table, table
        assert str((1 << 63) - 1) in table and f"{((1 << 64) - 2) >> 20} MiB" in table, table
        assert not re.search("(east|west) ?: what", shown), shown
        # One of the two is enough; without any both are named.
        east.says["ListHosts"] = lambda request, context: context.abort(grpc.StatusCode.PERMISSION_DENIED, "secret words")
        shown = until(lambda: seen("ward snp 88"), "the other one")
        assert shown.count("88") == 1 and not re.search("(east|west) ?: what", shown) and not told()["east"]["known"]
        west.says["ListHosts"] = east.says["ListHosts"]
        shown = seen(*(f"{name} ?: what is free" for name in ("east", "west", "mute")))
        assert shown and "88" not in shown and "secret words" not in shown
        # Nobody's machines and those that drain are no room, and the fleet says so in its name, once.
        for one in (east, west):
            one.says["ListHosts"] = hosts_of({"cpus": 88}, {"tees": ["snp"], "cpus": 88, "draining": True})
        until(lambda: told()["west"] == {"manager": "west", "fleet": "ward", "known": True, "free": []}, "no room")
        assert until(lambda: seen("ward ?: no host has room"), "no room").count("no host has room") == 1
        # Of the workspace that he administers, and of no other one.
        until(lambda: told("outsider", "lab") == told(), "the same in both")
        assert room.call("GET", api.format("default"), room.tokens["outsider"]).status in (403, 404)
        assert room.call("GET", api.format("default")).status == 401
        room.root("SetMember", workspace="default", user="member", role="administrator")
        room.root("SuspendMember", workspace="default", user="administrator")
        assert room.call("GET", api.format("default"), room.tokens["administrator"]).status in (403, 404)


if __name__ == "__main__":
    tap.run([a_retry_goes_to_another_free_one, what_is_free_is_shown_to_who_has_them_made, each_manager_speaks_for_itself])
