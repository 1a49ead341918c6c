# SPDX-License-Identifier: Apache-2.0
"""ListVms, GetVm and WatchVms of cocos-manager over a real libvirt and QEMU, called by python3-grpcio: what
CVMs are called, what is told of their lives, and what is refused."""
import json
import os
import queue
import signal
import threading

import grpc

import libvirt_room as room
import tap
from harness import PATIENCE, Folder, Process, cli, program, until
from manager_libvirt import Manager, libvirt, manager, refused

INVALID = grpc.StatusCode.INVALID_ARGUMENT


def labels(**pairs):
    return [manager.Label(key=key, value=value) for key, value in pairs.items()]


class Seen(Manager):
    """A manager that is asked what there is."""

    def page(self, cursor="", limit=0, **wanted):
        return self.stub.ListVms(manager.ListVmsReq(
            cursor=cursor, limit=limit, filter=manager.VmFilter(**wanted)), timeout=PATIENCE)

    def all(self, limit=0, **wanted):
        page = self.page(limit=limit, **wanted)
        vms, first = list(page.vms), page.revision
        while page.next:
            page = self.page(page.next, limit, **wanted)
            assert page.revision == first and len(page.vms) <= (limit or 256)
            vms += page.vms
        return vms

    def get(self, key):
        return self.stub.GetVm(manager.GetVmReq(id=key), timeout=PATIENCE)


class Watch:
    """The changes that a watch tells, as they come; a word of its own, 'end', with why it ended."""

    def __init__(self, m, revision=0, **wanted):
        self.call = m.stub.WatchVms(manager.WatchVmsReq(
            revision=revision, filter=manager.VmFilter(**wanted)))
        self.heard = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        try:
            for change in self.call:
                self.heard.put(change)
        except grpc.RpcError as error:
            self.heard.put(error)

    def next(self):
        """(name, state, exit reason), or the revision at which it has caught up, or the error."""
        change = self.heard.get(timeout=PATIENCE)
        if isinstance(change, grpc.RpcError):
            return change
        self.revision = change.revision
        if not change.HasField("vm"):
            return change.revision
        assert change.vm.revision == change.revision
        return change.vm.name, change.vm.state, change.vm.exit_reason

    def until(self, wanted):
        """Everything up to that."""
        heard = [self.next()]
        while heard[-1] != wanted:
            assert not isinstance(heard[-1], grpc.RpcError), heard
            heard.append(self.next())
        return heard


def cvms_are_listed_and_shown_by_what_they_are_called():
    with Folder() as folder, Seen(folder, MEMORY="192M") as m:
        assert m.all() == []
        one = m.create(name="ward-7", labels=labels(study="7", owner="st.mary"), ttl="1h")
        two = m.create(labels=labels(study="7"))
        three = m.create(name="ward-8")
        refused(grpc.StatusCode.ALREADY_EXISTS, m.create, words="ward-7", name="ward-7")
        vm = m.get("ward-7")
        assert vm == m.get(one.cvm_id) and vm.id == one.cvm_id
        assert [(label.key, label.value) for label in vm.labels] == [
            ("owner", "st.mary"), ("study", "7")]
        assert (vm.state, vm.exit_reason, vm.tee, vm.cpus, vm.memory, vm.forwarded_port) == (
            "running", "", "none", 1, 192 << 20, int(one.forwarded_port)), vm
        assert vm.image == m.info(one.cvm_id).eos_version and vm.image, vm
        assert vm.expires_ms - vm.created_ms == 3600 * 1000 and not vm.exited_ms
        assert {vm.id for vm in m.all(limit=1)} == {one.cvm_id, two.cvm_id, three.cvm_id}
        assert {vm.id for vm in m.all(labels=labels(study="7"))} == {one.cvm_id, two.cvm_id}
        assert [vm.id for vm in m.all(name="ward-8", states=["running"], tees=["none"])] == [
            three.cvm_id]
        assert m.all(tees=["snp", "tdx"]) == [] and m.all(labels=labels(study="")) == []
        m.remove(one.cvm_id)
        gone = m.get("ward-7")
        assert (gone.id, gone.state, gone.exit_reason, gone.forwarded_port) == (
            one.cvm_id, "exited", "removed", 0), gone
        assert gone.exited_ms >= gone.created_ms
        assert {vm.id for vm in m.all()} == {two.cvm_id, three.cvm_id}
        assert [vm.id for vm in m.all(states=["exited"])] == [one.cvm_id]
        again = m.create(name="ward-7")  # the name is free again, and means the new one
        assert m.get("ward-7").id == again.cvm_id
        for made in (two, three, again):
            m.remove(made.cvm_id)
        m.assert_nothing_left()


EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


def requests_have_sizes_within_limits():
    limits = {"MEMORY": "128M", "MAX_MEMORY": "192M", "MAX_CPUS": "2", "TOTAL_CPUS": "3", "TOTAL_MEMORY": "384M"}
    with Folder() as folder, Seen(folder, **limits) as m:
        for words, asked in (("MANAGER_MAX_CPUS", {"cpus": 3}), ("MANAGER_MAX_MEMORY", {"memory": 193 << 20}),
                             ("MANAGER_TEE", {"tee": "snp"}), ("whole number of MiB", {"memory": 1}),
                             ("MANAGER_IMAGE_DIR", {"image": "no-such"})):
            refused(INVALID, m.create, words=words, **asked)
        large = m.create(name="large", cpus=2, memory=192 << 20, tee="none", image="base")
        refused(EXHAUSTED, m.create, words="2 of 3 are used (MANAGER_TOTAL_CPUS)", cpus=2)
        usual = m.create(name="usual")
        refused(EXHAUSTED, m.create, words="MANAGER_TOTAL_CPUS")
        with open(f"/proc/{room.machine(large.cvm_id)}/cmdline", encoding="utf-8") as file:
            line = file.read()
        assert "2,sockets=2" in line and f"size={192 << 10}k" in line or f'"size":{192 << 20}' in line, line
        m.kill()
        m.start()  # what they have is recorded
        shown = {vm.name: (vm.cpus, vm.memory >> 20, vm.tee) for vm in m.all()}
        assert shown == {"large": (2, 192, "none"), "usual": (1, 128, "none")}, shown
        refused(EXHAUSTED, m.create, words="MANAGER_TOTAL_CPUS")
        m.stop()
        m.settings.update(STATE_FREE="512T", TOTAL_CPUS="0", TOTAL_MEMORY="0")
        m.start()
        refused(EXHAUSTED, m.create, words="MANAGER_STATE_FREE")
        for made in (large, usual):
            m.remove(made.cvm_id)
        m.assert_nothing_left()


def a_watch_tells_a_life_and_can_be_taken_up_anywhere():
    with Folder() as folder, Seen(folder) as m:
        start = m.page().revision
        watch = Watch(m, start)
        assert watch.next() >= start
        one = m.create(name="one")
        assert watch.until(("one", "running", ""))[0] == ("one", "creating", "")
        between = watch.revision
        two = m.create(name="two", labels=labels(study="7"))
        watch.until(("two", "running", ""))
        m.remove(one.cvm_id)
        assert watch.until(("one", "exited", "removed"))[0] == ("one", "removing", "removed")
        os.kill(room.machine(two.cvm_id), signal.SIGKILL)
        watch.until(("two", "exited", "ended"))
        three = m.create(name="three", ttl="1s")
        watch.until(("three", "exited", "expired"))
        # The last of each, and nothing that was said before that.
        again = Watch(m, between)
        assert [again.next() for _ in range(3)] == [
            ("one", "exited", "removed"), ("two", "exited", "ended"), ("three", "exited", "expired")]
        last = watch.revision  # that all was said is said with a revision that is no count of changes
        assert again.next() >= last
        some = Watch(m, between, labels=labels(study="7"))
        assert some.next() == ("two", "exited", "ended") and some.next() >= last
        fresh = Watch(m)  # what there is, and that is nothing
        assert fresh.next() >= last
        assert m.get(three.cvm_id).state == "exited"
        m.assert_nothing_left()


def cvms_are_lost_while_libvirt_is():
    with Folder() as folder, Seen(folder) as m:
        m.create(name="one")
        two = m.create(name="two")
        watch = Watch(m)
        assert {watch.next(), watch.next()} == {("one", "running", ""), ("two", "running", "")}
        watch.next()
        libvirt.kill()
        assert {watch.next(), watch.next()} == {("one", "lost", ""), ("two", "lost", "")}
        assert {vm.state for vm in m.all()} == {"lost"}
        os.kill(room.machine(two.cvm_id), signal.SIGKILL)  # nobody tells the manager
        libvirt.up()
        heard = watch.until(("two", "exited", "ended"))
        if ("one", "running", "") not in heard:
            watch.until(("one", "running", ""))
        m.remove(m.get("one").id)
        m.assert_nothing_left()


def after_a_restart_the_list_is_asked_for_anew():
    with Folder() as folder:
        with Seen(folder, MAX_VMS="3") as m:
            kept = m.create(name="kept", labels=labels(study="7"))
            gone = m.create(name="gone")
            m.remove(gone.cvm_id)
            page = m.page(limit=1)
            m.create(name="other")
            cursor = m.page(limit=1).next
            watch = Watch(m, page.revision)
            watch.until(("other", "running", ""))
            m.stop()  # it does not wait for those who watch
            heard = watch.next()
            while not isinstance(heard, grpc.RpcError):
                heard = watch.next()
            assert heard.code() == grpc.StatusCode.UNAVAILABLE, heard
            m.start()
            refused(grpc.StatusCode.OUT_OF_RANGE, m.page, cursor, words="anew", limit=1)
            heard = Watch(m, page.revision).next()
            assert heard.code() == grpc.StatusCode.OUT_OF_RANGE and "anew" in heard.details(), heard
            watch = Watch(m)
            watch.until(("kept", "running", ""))
            vm = m.get("kept")
            assert vm.id == kept.cvm_id and vm.labels[0].value == "7" and vm.revision > page.revision
            was = m.get("gone")
            assert (was.id, was.state, was.exit_reason) == (gone.cvm_id, "exited", "removed"), was
            refused(grpc.StatusCode.ALREADY_EXISTS, m.create, words="kept", name="kept")
            m.remove(kept.cvm_id)
            m.remove(m.get("other").id)
            m.assert_nothing_left()


def what_is_no_name_label_filter_or_cursor_is_refused():
    many = [manager.Label(key=f"k{n}", value="") for n in range(17)]
    with Folder() as folder, Seen(folder) as m:
        for name in ("A", "a b", "-a", "a/../b", "x" * 64, "é", "a\n",
                     "00000000-0000-4000-8000-000000000001"):
            refused(INVALID, m.create, words="name", name=name)
        for wrong in (labels(A="1"), labels(a="b c"), labels(a="b,c=d"), labels(a="1") * 2, many,
                      [manager.Label(value="1")], labels(a="x" * 64)):
            refused(INVALID, m.create, words="labels", labels=wrong)
            refused(INVALID, m.page, words="labels", labels=wrong)
        refused(INVALID, m.page, words="use one of creating, running, lost, removing, exited", states=["Running"])
        refused(INVALID, m.page, words="states", states=["running"] * 17)
        refused(INVALID, m.page, words="use one of none, snp, tdx", tees=["sgx"])
        refused(INVALID, m.page, words="name", name="../x")
        for cursor in ("x", "0.0", "1.2.3.4", "%n%n", "' OR 1", "0" * 1000, "-1.-1.-1"):
            refused(INVALID, m.page, cursor, words="cursor")
        refused(grpc.StatusCode.NOT_FOUND, m.get, "../../etc", words="no CVM")
        refused(grpc.StatusCode.NOT_FOUND, m.get, "", words="no CVM")
        assert Watch(m, 2**64 - 1).next().code() == INVALID
        assert Watch(m, 1).next().code() == grpc.StatusCode.OUT_OF_RANGE
        assert Watch(m, states=["running"]).next().code() == INVALID
        assert m.all() == [] and m.all(states=["exited"]) == []
        m.assert_nothing_left()


def the_command_line_lists_shows_watches_and_removes():
    with Folder() as folder, Seen(folder, MEMORY="192M") as m:
        where = {"MANAGER_GRPC_URL": f"127.0.0.1:{m.port}"}
        assert cli("vm", "list", **where).ok() == "none\n"
        assert cli("vm", "list", "-o", "yaml", **where).ok() == "[]\n"
        heard = folder("heard")
        with open(heard, "wb") as out:
            watch = Process([program("cocos-cli"), "vm", "watch", "--json", "--label", "study=7"],
                            where, stdout=out)
        words = ("--server-url", "10.0.2.2:7001", "--label", "study=7", "--label", "owner=st.mary")
        one = cli("create-vm", *words, "--name", "ward-7", "--json", **where).json()["cvm_id"]
        two = cli("create-vm", *words[:2], "--json", **where).json()["cvm_id"]
        shown = cli("vm", "list", **where).ok().splitlines()
        assert shown[0].split() == ["ID", "NAME", "STATE", "REASON", "TEE", "CPUS", "MEMORY", "PORT",
                                    "CREATED"], shown
        assert [line.split()[:7] for line in sorted(shown[1:])] == sorted([
            [one, "ward-7", "running", "-", "none", "1", "192"],
            [two, "-", "running", "-", "none", "1", "192"]]), shown
        rows = cli("vm", "list", "--label", "study=7", "--state", "running", "--tee", "none", "-o",
                   "json", **where).json()
        assert [(row["id"], row["labels"], row["memory"]) for row in rows] == [
            (one, {"owner": "st.mary", "study": "7"}, 192 << 20)], rows
        assert rows == cli("vm", "list", "--name", "ward-7", "--json", **where).json()
        assert rows[0] == cli("vm", "show", "ward-7", "--json", **where).json()
        assert "owner=st.mary" in cli("vm", "list", "-o", "wide", **where).ok()
        assert f"id              {one}\n" in cli("vm", "show", one, **where).ok()
        cli("create-vm", *words, "--name", "ward-7", **where).refused(1, "a CVM is called ward-7")
        cli("create-vm", *words[:2], "--label", "x", **where).refused(2, "'x' is not KEY=VALUE")
        cli("vm", "list", "--state", "asleep", **where).refused(1, "'asleep' is no state")
        cli("vm", "list", "-o", "yaml", "--json", **where).refused(2, "exclude each other")
        cli("vm", "show", "ward-8", **where).refused(1, "no CVM", "hint: 'cocos-cli vm list'", "--state exited")
        cli("vm", "remove", "ward-8", **where).refused(1, "no CVM", "hint: 'cocos-cli vm list'")
        cli("vm", "remove", "ward-7", **where).ok()
        cli("remove-vm", two, **where).ok()

        def told():
            with open(heard, encoding="utf-8") as lines:
                return [(row["id"], row["state"]) for row in map(json.loads, lines.read().split("\n")[:-1])]
        until(lambda: (one, "exited") in told(), "the last word of a CVM")
        assert (one, "running") in told() and {row[0] for row in told()} == {one}, told()
        gone = cli("vm", "list", "--state", "exited", "--name", "ward-7", "--json", **where).json()
        assert [(row["id"], row["exit_reason"], row["forwarded_port"]) for row in gone] == [
            (one, "removed", 0)], gone
        cli("vm", "watch", "--revision", "1", **where).refused(1, "hint: without --revision")
        cli("vm", "watch", "--revision", "x", **where).refused(2, "--revision")
        m.stop()
        watch.wait_line("hint: 'vm watch --revision [0-9]+' goes on")
        watch.finish()
        m.start()
        m.assert_nothing_left()


def no_more_watch_than_there_are_places():
    with Folder() as folder, Seen(folder) as m:
        watches = [Watch(m) for _ in range(64)]
        for watch in watches:
            watch.next()
        heard = Watch(m).next()
        assert heard.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, heard
        assert "64 watch already" in heard.details(), heard
        watches[0].call.cancel()

        def is_free():
            heard = Watch(m).next()
            return not isinstance(heard, grpc.RpcError)
        until(is_free, "a place for a watch")


if __name__ == "__main__":
    room.enter(alone=True)
    libvirt.up()
    tap.run([
        cvms_are_listed_and_shown_by_what_they_are_called,
        a_watch_tells_a_life_and_can_be_taken_up_anywhere,
        cvms_are_lost_while_libvirt_is,
        after_a_restart_the_list_is_asked_for_anew,
        what_is_no_name_label_filter_or_cursor_is_refused,
        the_command_line_lists_shows_watches_and_removes,
        requests_have_sizes_within_limits,
        no_more_watch_than_there_are_places,
    ])
