#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a run has had and who has fetched, on a computation's page and by the API, as the journal of docs/journal.md says it."""
import contextlib
import hashlib
import json
import threading
import types

import tap
from computations_service import agent_of
from harness import PATIENCE, cli, computations, cvms, spki, until
from journal_book import Writer, encoded
from journal_witness import statement_of
from web_act import Room
from web_fitted import holds
from web_page import Events

KEYS = [spki()[0] for _ in range(3)]
PRINTS = [hashlib.sha3_256(key).digest() for key in KEYS]
HOSTILE = "<img src=x onerror=alert(1)>.zip"


class Run:
    """A computation of two datasets and two consumers, with an agent whose journal this test writes."""

    def __init__(self, service, name):
        self.service, self.name, self.acknowledged = service, name, 0
        service.admin.Create(computations.CreateRequest(manifest=cvms.ComputationRunReq(
            id=name, name="COVID-19 " + name, algorithm=cvms.Algorithm(hash=b"a" * 32, userKey=KEYS[0], algo_type="python"),
            datasets=[cvms.Dataset(hash=b"1" * 32, userKey=KEYS[1], filename="h1.zip"),
                      cvms.Dataset(hash=b"2" * 32, userKey=KEYS[2], filename=HOSTILE)],
            result_consumers=[cvms.ResultConsumer(userKey=KEYS[0]), cvms.ResultConsumer(userKey=KEYS[1])])), timeout=PATIENCE)
        self.agent = agent_of(service, "cvm-" + name, metadata=[("cocos-journal", "1")])
        self.agent.next("agentStateReq")
        self.begin()

    def begin(self, again=False):
        self.service.admin.Run(computations.RunRequest(id=self.name, cvm_id="cvm-" + self.name, again=again), timeout=PATIENCE)
        self.agent.manifest()
        self.agent.event(self.name, "ReceivingAlgorithm", "InProgress")
        self.service.until_state(self.name, "Waiting for Algorithm")
        self.book, self.acknowledged = Writer(statement_of(self.name)), 0

    def bring(self, final=False):
        """What the journal has now, which is on disk when this returns."""
        entries = self.book.items[self.acknowledged:]
        self.book.head(final)
        head = self.book.items.pop()
        self.agent.say(journal_entries=cvms.JournalEntries(
            computation_id=self.name, first=self.acknowledged + 1, entries=entries, signed_head=head))
        ack = self.agent.next("journal_ack")
        assert ack.count == self.book.sequence, ack
        self.acknowledged = ack.count

    def comes(self, kind, key, **more):
        self.book.add(kind, key=PRINTS[key], **more)


class Followed(Events):
    """With the events that are no records."""

    def next_named(self, name):
        while True:
            while b"\n\n" not in self.came:
                self.read()
            part, self.came = self.came.split(b"\n\n", 1)
            fields = dict(line.split(": ", 1) for line in part.decode().split("\n") if not line.startswith(":"))
            if fields.get("event") == name:
                assert "id" not in fields, fields
                return json.loads(fields["data"])


class Ward(Room):
    def run(self, name="c"):
        made = Run(self.service, name)
        self.stack.enter_context(made.agent)
        return made

    def told(self, name="c"):
        return self.held(name).json()

    def held(self, name="c", *nouns):
        """Each is as the API's document says."""
        document = self.call("GET", "/api/openapi.json", self.tokens["chief"]).json()
        path = f"/api/computations/{name}/progress"
        return holds(document, self.call("GET", path, self.tokens["chief"]), path, *nouns)

    def events(self, name):
        where = types.SimpleNamespace(port=self.port, host=f"localhost:{self.port}", cookie="")
        return Followed(where, f"/api/computations/{name}/events", authorization="Bearer " + self.tokens["chief"])

    def html(self, name="c"):
        page = self.sessions["chief"].get("/c/" + name)
        assert page.page()
        return page.body.decode().split('id="progress"')[1].split('id="events"')[0]


def states(told):
    return ([told["algorithm"]["received"]] + [d["received"] for d in told["datasets"]],
            [c["fetched"] for c in told["result_consumers"]])


def each_upload_and_each_consumer_is_told():
    with Ward() as ward:
        run = ward.run()
        assert states(ward.told()) == ([False] * 3, [False] * 2) and ward.told()["run"] == 0
        assert "has given no journal" in ward.html() and "Not yet" not in ward.html()
        run.bring()
        html = ward.html()
        assert html.count("Not yet") == 5 and "Received" not in html and "journal get 'c' -o journal.cbor" in html, html
        run.comes("algorithm", 0, size=999, digest=b"a" * 32)
        run.comes("dataset", 1, name="h1.zip", size=4_131_000, digest=b"1" * 32)
        run.comes("kept", 2, name=HOSTILE, size=1000, digest=b"2" * 32, consent="retry", manifest=b"m" * 32)
        run.book.add("limits", time=3_600_000, memory=2 << 30, results=1, scratch=1, processes=1, processor=150)
        run.bring()
        told, html = ward.told(), ward.html()
        assert states(told) == ([True] * 3, [False] * 2) and told["whole"] and told["entries"] == 5, told
        assert [d["size"] for d in told["datasets"]] == [4_131_000, 1000] and told["datasets"][1]["kept"]
        assert told["datasets"][0]["key"] == PRINTS[1].hex() and told["algorithm"]["at"].startswith("2023-11-14T22:13:2")
        assert (told["memory_limit"], told["processor_limit_percent"], told["time_limit_ms"]) == (2 << 30, 150, 3_600_000)
        for text in ("999 bytes", "4.1 MB", "1.0 kB", "Kept", "2048 MiB at most", "150 % of one at most", "3600 s at most"):
            assert text in html, text
        assert html.count("Received") == 2 and html.count("Not yet") == 2 and "<img" not in html
        run.comes("delivery", 1)
        run.bring()
        assert states(ward.told())[1] == [False, True] and ward.html().count("Fetched") == 1
        run.comes("delivery", 0)
        run.book.add("end", reason="done")
        run.agent.event("c", "Complete", "Completed")
        run.service.until_state("c", "Completed")
        run.bring(True)
        assert states(ward.told())[1] == [True, True] and ward.html().count("Fetched") == 2


def what_is_of_nobody_counts_for_nobody():
    """Other keys, digests and names; no entries at all; and times that nobody can read."""
    with Ward() as ward:
        run = ward.run()
        run.comes("algorithm", 1, size=1, digest=b"a" * 32)
        run.comes("algorithm", 0, size=1, digest=b"b" * 32)
        run.comes("dataset", 2, name="h1.zip", size=1, digest=b"1" * 32)
        run.comes("dataset", 1, name="h2.zip", size=1, digest=b"1" * 32)
        run.comes("dataset", 1, name="", size=1, digest=b"1" * 32)
        run.comes("delivery", 2)
        for junk in (b"\0", b"\xff" * 40, encoded([1]), encoded([8, b"", 0, "delivery", {"key": PRINTS[0]}]), b"x" * 5000):
            run.book.bytes(junk)
        run.bring()
        told = ward.told()
        assert states(told) == ([False] * 3, [False] * 2) and told["entries"] == 12, told
        run.book.raw([run.book.sequence + 1, run.book.previous, (1 << 64) - 1, "delivery", {"key": PRINTS[0]}])
        run.book.raw([run.book.sequence + 1, run.book.previous, 0, "dataset",
                      {"key": PRINTS[1], "name": "h1.zip", "size": (1 << 64) - 1, "digest": b"1" * 32}])
        run.bring()
        told = ward.told()
        assert told["result_consumers"][0]["at"] == "9999-12-31T23:59:59Z" and told["datasets"][0]["size"] == (1 << 64) - 1
        assert ward.html()


def a_run_that_follows_begins_anew():
    with Ward() as ward:
        run = ward.run()
        run.comes("algorithm", 0, size=1, digest=b"a" * 32)
        run.book.add("end", reason="failed")
        run.agent.event("c", "Failed", "Failed", b"no")
        run.service.until_state("c", "Failed")
        run.bring(True)
        assert states(ward.told())[0] == [True, False, False]
        ward.root("Stop", id="c")
        run.agent.next("stopComputation")
        run.agent.say(stop_computation_res=cvms.StopComputationResponse(computation_id="c"))
        until(lambda: not ward.root("ShowCvm", id="cvm-c").computation_id, "the CVM to be free")
        run.begin(again=True)
        assert states(ward.told())[0] == [False] * 3 and ward.told()["run"] == 0
        run.bring()
        assert states(ward.told())[0] == [False] * 3 and ward.told()["run"] == 2


def a_long_journal_is_read_at_both_ends():
    """Of 256 entries more than its ends have, those between are not read, which is said."""
    with Ward() as ward:
        run = ward.run()
        run.comes("algorithm", 0, size=1, digest=b"a" * 32)
        for count, whole in ((512, True), (513, False)):
            while run.book.sequence < count - 1:
                run.book.add("log", text="a line", level="info")
            run.comes("delivery", 1)
            run.bring()
            told = ward.told()
            assert told["entries"] == count and told["whole"] == whole, told
            assert states(told) == ([True, False, False], [False, True])
            assert ("of its middle nothing is shown" in ward.html()) != whole
        while run.book.sequence < 3000:
            run.book.add("log", text="a line", level="info")
            if run.book.sequence % 700 == 0:
                run.bring()
        run.bring()
        assert states(ward.told()) == ([True, False, False], [False, False]) and not ward.told()["whole"]


def it_is_told_as_it_comes_and_to_whom_it_is_for():
    with Ward() as ward:
        run = ward.run()
        ward.person("stranger")
        for path in ("/api/computations/c/progress", "/api/computations/none/progress"):
            assert ward.call("GET", path, ward.tokens["stranger"]).status == 404
        assert ward.call("GET", "/api/computations/c/progress").status == 401
        run.bring()
        with contextlib.closing(ward.events("c")) as events:
            assert events.next_named("journal") == {"run": 1, "entries": 1}
            run.comes("delivery", 0)
            run.bring()
            assert events.next_named("journal") == {"run": 1, "entries": 2}
        assert ward.told()["entries"] == 2


def going(run, *uploads, attempt=1, **usage):
    """A report of its agent: (asset, received, expected, waits)."""
    return dict(computation_id=run.name, attempt=attempt, run=cvms.RunProgress(**usage) if usage else None, uploads=[
        cvms.UploadProgress(asset=a, received=r, expected=e, waits=w) for a, r, e, w in uploads])


def tell(run, *uploads, **more):
    run.agent.say(progress=cvms.Progress(**going(run, *uploads, **more)))


def shown(ward, name="c"):
    return ward.root("Show", id=name).progress


USED = {"memory_mib": 12, "memory_peak_mib": 40, "memory_limit_mib": 512, "processor_seconds": 3}


def what_still_comes_and_what_runs_is_shown_as_it_is_now():
    """The newest alone, on the page, by the API, to administrators and the command line; and gone when its agent is."""
    with Ward() as ward:
        run = ward.run()
        run.bring()
        assert "uploads" not in ward.told() and not ward.root("Show", id="c").HasField("progress")
        tell(run, (0, 10, 0, False), (2, 12_300_000, 40_000_000, False))
        until(lambda: len(shown(ward).uploads) == 2, "the report")
        told, html = ward.told(), ward.html()
        assert (told["algorithm"]["bytes_received"], told["algorithm"]["waits"]) == (10, False), told
        assert "bytes_expected" not in told["algorithm"] and "bytes_received" not in told["datasets"][0]
        assert (told["datasets"][1]["bytes_received"], told["datasets"][1]["bytes_expected"]) == (12_300_000, 40_000_000)
        assert html.count("Coming") == 2 and html.count("Not yet") == 3 and html.count("<progress ") == 1, html
        assert "10 bytes so far" in html and "12.3 MB of 40.0 MB" in html and "<img" not in html and 'id="running"' not in html
        assert 'max="40000000" value="12300000" aria-label="&lt;img' in html, html
        page = cli("computation", "show", "c", COMPUTATIONS_GRPC_URL="unix:" + ward.service.socket).ok()
        assert "algorithm    10 bytes are here" in page and "dataset      2: 11.7 MiB of 38.1 MiB are here" in page, page
        tell(run, (2, 12_300_000, 0, True), **USED)
        until(lambda: shown(ward).HasField("run"), "the report")
        told, html = ward.told(), ward.html()
        ward.held("c", "RunUsage", "Upload")
        assert told["usage"] == USED and told["datasets"][1]["waits"] and "bytes_received" not in told["algorithm"], told
        assert "Cut off" in html and "goes on there" in html and "<progress" not in html, html
        assert "Now 12 MiB of memory, 40 MiB at most so far, and 3 s of processor time." in html, html
        said = cli("computation", "show", "c", "--json", COMPUTATIONS_GRPC_URL="unix:" + ward.service.socket).json()
        assert said["run"] == USED and said["uploads"] == [{"asset": 2, "bytes_received": 12_300_000, "waits": True}], said
        assert not ward.root("List").computations[0].HasField("progress")
        run.agent.__exit__(None, None, None)
        until(lambda: not ward.root("Show", id="c").HasField("progress"), "it to be gone with its agent")
        assert "usage" not in ward.told() and "Cut off" not in ward.html()


def who_follows_is_told_each_and_its_end():
    with Ward() as ward:
        run = ward.run()
        with contextlib.closing(ward.events("c")) as events:
            tell(run, (1, 1000, 2000, False))
            first = events.next_named("progress")
            assert first == {"uploads": [{"asset": 1, "bytes_received": 1000, "bytes_expected": 2000, "waits": False,
                                          "text": "1.0 kB of 2.0 kB"}], "run": None}, first
            stop = threading.Event()

            def goes_on():
                for second in range(1, 1 << 20):
                    tell(run, **(USED | {"processor_seconds": second}))
                    if stop.wait(0.1):
                        return
            thread = threading.Thread(target=goes_on, daemon=True)
            thread.start()
            last = 0
            while last < 5:
                said = events.next_named("progress")
                assert not said["uploads"] and said["run"]["processor_seconds"] > last, said
                last = said["run"]["processor_seconds"]
                assert said["run"]["text"].endswith(f"and {last} s of processor time."), said
            stop.set()
            thread.join()
            run.agent.__exit__(None, None, None)
            while said["run"]:
                said = events.next_named("progress")
            assert said == {"uploads": [], "run": None}, said


def what_no_agent_can_mean_is_not_shown():
    """Another's computation, another attempt, assets that there are none of, what falls, and more than there is: the report
    before it stays, and the agent, too."""
    with Ward() as ward:
        run, other = ward.run("c"), ward.run("d")
        good = [(1, 5, 10, False)]
        tell(run, *good, **USED)
        until(lambda: shown(ward).HasField("run"), "the report")
        before, big = shown(ward), 1 << 50
        for uploads, more in (([(1, 11, 10, False)], {}), ([(1, 5, 0, False)] * 2, {}),
                              ([(2, 5, 0, False), (1, 5, 0, False)], {}), ([(257, 1, 0, False)], {}),
                              ([(1, big + 1, 0, False)], {}), ([(1, 1, big + 1, False)], {}),
                              ([(n, 1, 0, False) for n in range(258)], {}),
                              ([], USED | {"processor_seconds": 2}), ([], USED | {"memory_peak_mib": 39}),
                              ([], USED | {"memory_mib": 41}), ([], USED | {"memory_limit_mib": big + 1}),
                              ([], USED | {"memory_mib": big + 1, "memory_peak_mib": big + 1}),
                              ([], USED | {"processor_seconds": big + 1})):
            tell(run, *uploads, **more)
        for name in ("", "x" * 256):
            run.agent.say(progress=cvms.Progress(computation_id=name))
        run.agent.event("c", "ReceivingData", "InProgress")
        ward.service.until_state("c", "Waiting for Datasets")
        assert shown(ward) == before, shown(ward)
        # Its own, but not of what it was given.
        for number, odd in enumerate((dict(attempt=2), dict(attempt=0), dict(attempt=(1 << 64) - 1))):
            tell(run, (1, 100 + number, 0, False), **odd)
            until(lambda: not ward.root("Show", id="c").HasField("progress"), "another attempt's not to be shown")
            tell(run, *good)
            until(lambda: shown(ward).uploads, "the report")
        tell(run, (3, 1, 0, False))
        until(lambda: not ward.root("Show", id="c").HasField("progress"), "a third dataset's not to be shown")
        tell(run, *good)
        run.agent.say(progress=cvms.Progress(**(going(run, (1, 9, 0, False)) | {"computation_id": "d"})))
        tell(other, (1, 7, 0, False))
        until(lambda: shown(ward, "d").uploads, "the other one's report")
        tell(run, (1, 6, 0, False))
        until(lambda: [u.received for u in shown(ward).uploads] == [6], "its own report, behind that of the other's")
        assert [u.received for u in shown(ward, "d").uploads] == [7]
        tell(run, (1, big, big, False), memory_mib=big, memory_peak_mib=big, memory_limit_mib=big, processor_seconds=big)
        until(lambda: shown(ward).HasField("run"), "the most that can be")
        assert ward.told()["datasets"][0]["bytes_expected"] == big and "1125.8 TB of 1125.8 TB" in ward.html()


def it_is_no_strangers():
    with Ward() as ward:
        run = ward.run()
        tell(run, (1, 5, 10, False), **USED)
        until(lambda: shown(ward).HasField("run"), "the report")
        ward.person("stranger")
        for path in ("/api/computations/c/progress", "/api/computations/c/events"):
            assert ward.call("GET", path, ward.tokens["stranger"]).status == 404


if __name__ == "__main__":
    tap.run([what_still_comes_and_what_runs_is_shown_as_it_is_now, who_follows_is_told_each_and_its_end,
             what_no_agent_can_mean_is_not_shown, it_is_no_strangers,
             each_upload_and_each_consumer_is_told, what_is_of_nobody_counts_for_nobody, a_run_that_follows_begins_anew,
             a_long_journal_is_read_at_both_ends, it_is_told_as_it_comes_and_to_whom_it_is_for])
