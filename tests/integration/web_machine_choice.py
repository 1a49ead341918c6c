#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What people choose from on the page: what managers have room for, and which CVMs of a workspace are free for a retry."""
import re
import threading

import tap
from computations_service import create
from harness import PATIENCE, FakeAgent, cvms, until
from played_manager import manager
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

        def told(who="administrator"):
            return room.call("GET", api, room.tokens[who]).json()["managers"]
        # A manager where the service is a tenant says no.
        assert told() == [{"manager": "here", "fleet": "", "known": False, "free": []}]
        shown = room.sessions["administrator"].get(page)
        assert shown.status == 200 and "is not known" in shown.page().words() and b"<form" in shown.body
        room.played.says["ListHosts"] = lambda request, context: manager.ListHostsRes(
            hosts=[manager.Host(**{"name": name, "uri": "qemu+ssh://secret", "state": "connected", **about}) for name, about in HOSTS])
        both = {"all": {"cvms": None, "cpus": 58, "memory": 34 << 30}, "one": {"cvms": None, "cpus": 2, "memory": 30 << 30}}
        assert told() == [{"manager": "here", "fleet": "", "known": True, "free": [{"tee": "snp", **both}, {"tee": "none", **both}]}], told()
        words = room.sessions["administrator"].get(page).page().words()
        assert "What is free" in words and "58" in words and f"{34 << 10} MiB" in words and f"{30 << 10} MiB" in words and "tdx" not in words.split("Manager")[1]
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
        free, = told()[0]["free"]
        assert free == {"tee": "none", "all": {"cvms": None, "cpus": None, "memory": None}, "one": {"cvms": None, "cpus": None, "memory": None}}
        assert "no limit known" in room.sessions["administrator"].get(page).page().words()
        room.played.says["ListHosts"] = lambda request, context: manager.ListHostsRes()
        assert "has room" in room.sessions["administrator"].get(page).page().words()
        # And where a run has one made for it.
        create(room.service, id="c")
        assert "has room" in room.sessions["administrator"].get("/c/c/run-new").page().words()


if __name__ == "__main__":
    tap.run([a_retry_goes_to_another_free_one, what_is_free_is_shown_to_who_has_them_made])
