# SPDX-License-Identifier: Apache-2.0
"""Three instances of cocos-computations on one PostgreSQL, all of which are called, behind a balancer that looks at nothing: who
does not serve passes callers on, as bytes, to the one that does.

An instance that this machine keeps from renewing its lease loses it, as it should: nothing here takes it for a failure.

Usage: instances_passing.py [SEED]"""
import os
import random
import signal
import socket
import subprocess
import sys
import threading

import grpc

import sample
import tap
from computations_service import create, manifest
from harness import PATIENCE, FakeAgent, Folder, cli, computations, computations_grpc, credentials, until
from host_check import check, failed
from instance_room import LONG_LEASE, TAKES, Instance, Room
from instances import Crowd, Follower
from people import Caller

SEED = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else random.SystemRandom().randrange(1 << 32)
ROUNDS = sample.of(4, 20)
MANY = 8 << 20


class Hall(Room):
    """a serves, b and c pass on to it; in a `with`."""

    def __init__(self, count=3, **settings):
        super().__init__(count, passes=True, **{"LEASE": LONG_LEASE, **settings})

    def __enter__(self):
        super().__enter__()
        self.until_led()
        return self

    def until_led(self):
        """Who serves, when all others know."""
        def is_known():
            one = self.serving()
            return one if one and all(o is one or o.passes_to(one) for o in self.instances) else None
        one = until(is_known, "all to know who serves", TAKES)
        one.dial()
        return one

    def agents_at(self, one):
        return f"{one.address}:{self.agents}"


def is_connected(one, cvm):
    return any(c.id == cvm and c.connected for c in one.admin.ListCvms(computations.ListRequest(), timeout=PATIENCE).cvms)


def peer_of(one, cvm):
    return next(c.peer for c in one.admin.ListCvms(computations.ListRequest(), timeout=PATIENCE).cvms if c.id == cvm)


def user(one, name="anna"):
    root = Caller(one.channel)
    root("AddUser", name=name, administrator=True)
    return root("AddToken", user=name, name="t").token


def each_is_called_at_all_its_listeners():
    with Hall() as room:
        a, b, c = room.instances
        token = user(a)
        made = create(a)
        for one in (a, b, c):
            # Browsers and programs.
            status, _, body = room.ask("/api/computations", "-H", "Authorization: Bearer " + token, port=one.web)
            assert status == 200 and made.encode() in body, (one.name, status, body)
            assert room.ask("/sign-in", port=one.web)[0] == 200
            # Administrators at the unix socket.
            with grpc.insecure_channel("unix:" + one.socket) as channel:
                stub = computations_grpc.ComputationServiceStub(channel)
                assert stub.Show(computations.ComputationRequest(id=made), timeout=PATIENCE).id == made
            # Agents.
            agent = FakeAgent(room.agents_at(one), "at-" + one.name)
            agent.next("agentStateReq")
            until(lambda one=one: is_connected(a, "at-" + one.name), "the agent")
            agent.close()
        # The command line, which knows b alone.
        done = cli("computation", "list", COMPUTATIONS_GRPC_URL="unix:" + b.socket).ok()
        assert made in done, done
        assert a.ready() == (200, "serving")
        assert b.metric("cocos_computations_serving") == 0 and b.metric("cocos_computations_passed_total") >= 4
        assert a.metric("cocos_computations_passed_total") == sum(
            o.metric("cocos_computations_passed_total") for o in (b, c))
        for one in (b, c):
            assert one.metric("cocos_computations_passed_refused_total") == 0, one.process.text()


def a_client_certificate_holds_end_to_end():
    with Hall(2) as room:
        a, b = room.instances
        for one in (a, b):
            assert one.process.stop() == 0
            one.settings |= {"COMPUTATIONS_GRPC_SERVER_CERT": room.tls("server.pem"),
                             "COMPUTATIONS_GRPC_SERVER_KEY": room.tls("server-key.pem"),
                             "COMPUTATIONS_GRPC_CLIENT_CA_CERTS": room.tls("ca.pem")}
            one.again()
        one = room.until_led()
        other = next(o for o in room.instances if o is not one)
        at = room.agents_at(other)
        options = [("grpc.ssl_target_name_override", "localhost")]
        # Whoever shows none is not let in, and not by the instance between.
        with grpc.secure_channel(at, credentials(room.tls), options) as channel:
            try:
                grpc.channel_ready_future(channel).result(timeout=5)
                raise AssertionError("nobody asked for a certificate")
            except grpc.FutureTimeoutError:
                pass
        agent = FakeAgent(at, "proven", credentials(room.tls, "client"), options=options)
        agent.next("agentStateReq")
        until(lambda: is_connected(one, "proven"), "the agent")
        address = agent_address(room, other, one, "proven")
        assert address, one.process.text()
        # The name is bound to that certificate: another one's holder is refused, by either way.
        for where in (at, room.agents_at(one)):
            rival = FakeAgent(where, "proven", credentials(room.tls, "other-client"), options=options)
            assert rival.ended() == grpc.StatusCode.PERMISSION_DENIED
            rival.close()
        agent.close()


def agent_address(room, between, serving, cvm):
    """The peer that the service tells is an address that the one between has accepted, and not that one's own."""
    peer = peer_of(serving, cvm)
    established = subprocess.run(["ss", "-Htn", "sport", "=", f":{room.agents}"], capture_output=True, text=True, check=True).stdout
    return peer if any(line.split()[3] == room.agents_at(between) and line.split()[4] == peer
                       for line in established.splitlines()) else None


def audits_see_the_caller():
    with Folder() as audit, Hall(2, AUDIT_LOG=audit("audit.log")) as room:
        a, b = room.instances
        user(a)
        with grpc.insecure_channel("unix:" + b.socket) as channel:
            stub = computations_grpc.ComputationServiceStub(channel)
            stub.Create(computations.CreateRequest(manifest=manifest(id="by-b")), timeout=PATIENCE)
        with open(audit("audit.log"), encoding="utf-8") as log:
            lines = [line for line in log if "by-b" in line]
        assert lines and all(f"unix:uid={os.getuid()}@b" in line for line in lines), lines
        # And what is counted by address is counted of the caller: the source of a failed attempt.
        status, _, body = room.ask("/sign-in", "-H", f"Origin: https://localhost:{room.web}", "--data-urlencode", "name=anna",
                                   "--data-urlencode", "password=wrong", "--interface", "127.0.0.77", port=b.web)
        assert status in (200, 401, 403, 422), (status, body)
        until(lambda: "127.0.0.77" in "".join(open(audit("audit.log"), encoding="utf-8")) or
              "127.0.0.77" in a.process.text(), "the caller's address")


def events_are_live_through_another():
    with Hall() as room:
        a, b, c = room.instances
        token = user(a)
        made = create(a)
        agent = FakeAgent(room.agents_at(b), "told")
        agent.next("agentStateReq")
        until(lambda: is_connected(a, "told"), "the agent")
        a.admin.Run(computations.RunRequest(id=made, cvm_id="told"), timeout=PATIENCE)
        assert agent.manifest().id == made
        follower = Follower(room, token, made)
        follower.room = OnlyAt(room, c)
        follower.thread.start()
        for n in range(50):
            agent.log(made, f"line {n}")
            until(lambda n=n: follower.wrong or any(text == f"line {n}" for _, text in follower.seen), f"line {n}")
            assert not follower.wrong, follower.wrong
        follower.end()
        agent.close()


class OnlyAt:
    """A room whose page is called at one instance alone."""

    def __init__(self, room, one):
        self.room, self.one = room, one

    def curl(self, path, *options, port=None):
        return self.room.curl(path, *options, port=port or self.one.web)


def much_goes_both_ways():
    """A manifest's worth of bytes up, and a list of many down, which its reader takes slowly: all of it comes, and B holds none."""
    with Hall(2) as room:
        a, b = room.instances
        token = user(a)
        agent = FakeAgent(room.agents_at(b), "wordy")
        agent.next("agentStateReq")
        made = create(a)
        until(lambda: is_connected(a, "wordy"), "the agent")
        a.admin.Run(computations.RunRequest(id=made, cvm_id="wordy"), timeout=PATIENCE)
        assert agent.manifest().id == made
        text = "x" * 60000
        count = MANY // len(text)
        for n in range(count):
            agent.log(made, f"{n} {text}")
        until(lambda: int(room.server.sql("SELECT count(*) FROM cocos_computations.records")) >= count, "all of it", TAKES)
        seen = 0
        with subprocess.Popen(room.curl(f"/api/computations/{made}/events", "-N", "--limit-rate", "8M",
                                        "-H", "Authorization: Bearer " + token, port=b.web), stdout=subprocess.PIPE) as slow:
            for line in slow.stdout:
                seen += line.startswith(b"data: ")
                if seen == count:
                    break
            slow.kill()
        assert seen == count, (seen, count)
        assert b.metric('cocos_computations_passed_bytes_total{direction="from_instance"}') > count * len(text)
        assert b.metric('cocos_computations_passed_bytes_total{direction="to_instance"}') > count * len(text)
        agent.close()


def a_takeover_cuts_and_all_go_on():
    with Hall(LEASE="6s") as room:
        rng = random.Random(SEED)
        with Crowd(room, rng) as crowd:
            crowd.goes_on()
            deeds = [room.kill, room.pause, room.end, room.kill_standby]
            for n in range(ROUNDS):
                deed = deeds[n] if n < len(deeds) else rng.choice(deeds)
                print(f"# round {n + 1}: {deed.__name__}", flush=True)
                deed()
                room.until_led()
                crowd.goes_on()
            assert all(j.connections > 1 for j in crowd.journalists)


def who_serves_no_more_is_passed_to_no_more():
    with Hall(LEASE="6s") as room:
        a = room.until_led()
        b, c = (o for o in room.instances if o is not a)
        agent = FakeAgent(room.agents_at(b), "cut")
        agent.next("agentStateReq")
        a.signal(signal.SIGSTOP)
        try:
            # a holds b's connection and says nothing; b ends it when another one serves, or does so itself.
            agent.ended()
            until(lambda: b.serves() or c.serves(), "another one", TAKES)
        finally:
            a.signal(signal.SIGCONT)
        one = room.until_led()
        again = FakeAgent(room.agents_at(next(o for o in room.instances if o is not one)), "cut")
        again.next("agentStateReq")
        until(lambda: is_connected(one, "cut"), "the agent", TAKES)
        again.close()
        agent.close()


def places_of_one_address_are_its_own():
    """Somebody opens connections at B until no more can be had; others come through B all the while."""
    with Hall(2) as room:
        a, b = room.instances
        token = user(a)
        flood, stop = [], threading.Event()

        def open_all():
            while not stop.is_set():
                try:
                    one = socket.create_connection(b.front(room.web), timeout=PATIENCE, source_address=("127.0.0.66", 0))
                    if len(flood) % 2:
                        one.sendall(b"\x16\x03\x01")
                    flood.append(one)
                    if len(flood) > 3000:
                        flood.pop(0).close()
                except OSError:
                    pass

        thread = threading.Thread(target=open_all, daemon=True)
        thread.start()
        try:
            until(lambda: len(flood) > 600, "the flood")
            for _ in range(20):
                came = room.ask("/api/computations", "-H", "Authorization: Bearer " + token, "--interface", "127.0.0.5", port=b.web)
                assert came and came[0] == 200, came
            agent = FakeAgent(room.agents_at(b), "beside")
            agent.next("agentStateReq")
            until(lambda: is_connected(a, "beside"), "the agent")
            agent.close()
        finally:
            stop.set()
            thread.join(TAKES)
            for one in flood:
                one.close()
        assert b.metric("cocos_computations_passed_refused_total") + a.metric("cocos_computations_passed_refused_total") > 0
        assert a.serves()


def what_can_not_be_had_is_told():
    with Hall(2) as room, Folder() as folder:
        a, b = room.instances
        # Beside itself each is told so; who serves is so by the lease, who doesn't by the one that he passes callers on to.
        for one in a, b:
            own = {**one.settings, "COMPUTATIONS_STATE_DIR": one.folder("state")}
            answer = until(lambda s=own: (rows := check("cocos-computations", s)[1]) and not set(failed(rows)) & {
                "agents' port", "admin port", "socket", "instance address"} and rows, "that it is recognised")
            assert ("this instance serves there" in answer["instance address"]["found"]) == (one is a), answer
        good = {**b.settings, "COMPUTATIONS_STATE_DIR": b.folder("state")}
        with socket.create_server((b.address, room.inner)):
            status, answer = check("cocos-computations", good)
            assert status == 1 and "instance address" in failed(answer), answer
        status, answer = check("cocos-computations", good)
        assert "instance address" not in failed(answer), answer
        # An address that is not this machine's is refused at once, and not in the moment of taking over.
        other = Instance(folder, room, "x", "127.0.0.9")
        other.settings["COMPUTATIONS_INSTANCE_ADDRESS"] = "192.0.2.1:7009"
        other.begin()
        other.process.wait_line("COMPUTATIONS_INSTANCE_ADDRESS: listen on 192.0.2.1:7009")
        assert other.process.end() == 1
        for wrong in ("a.example:7009", "0.0.0.0:7009", "127.0.0.9"):
            other.settings["COMPUTATIONS_INSTANCE_ADDRESS"] = wrong
            other.begin()
            other.process.wait_line("COMPUTATIONS_INSTANCE_ADDRESS: '.*' is not the address and port of one machine")
            assert other.process.end() == 1
        del other.settings["COMPUTATIONS_INSTANCE"]
        other.begin()
        other.process.wait_line("COMPUTATIONS_INSTANCE_ADDRESS does nothing without COMPUTATIONS_INSTANCE")
        assert other.process.end() == 1


if __name__ == "__main__":
    tap.run([each_is_called_at_all_its_listeners, a_client_certificate_holds_end_to_end, audits_see_the_caller,
             events_are_live_through_another, much_goes_both_ways, who_serves_no_more_is_passed_to_no_more,
             places_of_one_address_are_its_own, what_can_not_be_had_is_told, a_takeover_cuts_and_all_go_on])
