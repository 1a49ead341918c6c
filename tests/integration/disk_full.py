# SPDX-License-Identifier: Apache-2.0
"""Every store on a disk that has room for so many pages and no more, from none up to what a call needs:
what does not fit is refused by name and leaves nothing, and with room the same call works.
"""
import contextlib
import itertools
import os
import shutil
import subprocess

import grpc

import libvirt_room as room
import manager_libvirt
import tap
from agent_job import ALGO_KEY, DATA_KEY, IRIS, SUM, USER_KEY, computing, manifest, unzip
from agent_peer import cvms_pb2, dataset, free_port, refused, zip_of
from computations_backup import operate
from computations_service import create, identifiers
from endorsements import SNP, Report, Service, files_below, genuine, own, own_quote, refused as judged_no
from harness import PATIENCE, Computations, Folder, Process, cli, program, read, until
from manager_libvirt import Manager

PAGE = os.sysconf("SC_PAGE_SIZE")
PLENTY = 4096  # pages
Code = grpc.StatusCode


class Disk:
    """A memory file system whose size is set; for a `with`."""

    def __init__(self, path, mounted=False):
        self.path = path
        if not mounted:
            os.makedirs(path, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={PLENTY * PAGE},mode=755", "none", path],
                           check=True)
        with open(os.path.join(path, "ballast"), "wb") as file:  # a size of 0 would be without limit
            file.write(bytes(PAGE))

    def _set(self, option):
        subprocess.run(["mount", "-o", "remount," + option, self.path], check=True)

    def leave(self, pages):
        """Room for so many, besides what is used: once more where a program has just given something back."""
        def is_so():
            used = os.statvfs(self.path)
            self._set(f"size={(used.f_blocks - used.f_bfree + pages) * PAGE}")
            return os.statvfs(self.path).f_bfree == pages
        until(is_so, f"{pages} free pages")

    def leave_inodes(self, count):
        used = os.statvfs(self.path)
        self._set(f"nr_inodes={used.f_files - used.f_ffree + count}")
        assert os.statvfs(self.path).f_ffree == count

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.path], check=True)


def attempt(call, *words):
    """What it returns, or None if it is refused because of the disk; then one of the words is said."""
    try:
        return call()
    except grpc.RpcError as error:
        assert error.code() == Code.RESOURCE_EXHAUSTED, f"{error.code()}: {error.details()}"
        assert "No space left" in error.details() or "disk is full" in error.details(), error.details()
        assert any(word in error.details() for word in words), error.details()
        return None


# ---- the manager ----

def launched(m, disk, rooms=()):
    """Launches with ever more pages free, or with so many; the first number that was enough."""
    for pages in rooms or itertools.count():
        disk.leave(pages)
        made = attempt(m.create, disk.path)
        if made:
            disk.leave(PLENTY)
            m.remove(made.cvm_id)
            m.assert_nothing_left()
            return pages
        # No machine goes on, even while its record can't be removed.
        until(lambda: not room.domains(), "the end of the domain")
        until(lambda: not room.processes("qemu-system-x86_64"), "the end of QEMU")
        disk.leave(PLENTY)
        m.until_settled()
        m.assert_nothing_left()
    return None


def a_launch_needs_room_for_its_record_and_leaves_nothing_without():
    with Folder() as folder, Disk(folder("state")) as disk, Manager(folder, STATE_FREE="0") as m:
        failed = launched(m, disk)
        assert failed >= 2, failed
        print(f"# refused with up to {failed - 1} pages free")
        kept = m.create()
        disk.leave(0)
        attempt(lambda: m.remove(kept.cvm_id), disk.path)
        disk.leave(PLENTY)
        m.remove(kept.cvm_id)
        m.assert_nothing_left()


def a_launch_needs_room_for_what_the_cvm_is_given():
    with Folder() as folder:
        m = Manager(folder)
        with Disk(m.secrets) as disk:
            m.secrets = m.settings["SECRETS_DIR"] = disk.path + "/secrets"
            m.start()
            whole = room.BOOT_DISK["boot_disk"]["size"] // PAGE
            assert launched(m, disk, (0, 1, whole // 2, whole - 1, whole)) == whole
            disk.leave_inodes(2)
            assert attempt(m.create, disk.path) is None
            disk.leave_inodes(100)
            m.remove(m.create().cvm_id)
            m.assert_nothing_left()
            m.stop()


def a_manager_on_a_full_disk_starts_or_says_why_not():
    with Folder() as folder, Disk(folder("state")) as disk, Manager(folder, STATE_FREE="0") as m:
        kept = m.create()
        m.stop()
        failed = 0
        for pages in range(12):
            disk.leave(pages)
            try:
                m.start()
            except AssertionError:
                failed += 1
                said = m.process.text()
                assert ("No space left" in said or "disk is full" in said) and disk.path in said, said
                continue
            assert m.knows(kept.cvm_id) and room.machine(kept.cvm_id)
            m.stop()
        print(f"# {failed} of 12 starts were refused")
        assert 1 <= failed < 12, failed
        disk.leave(PLENTY)
        m.start()
        m.remove(kept.cvm_id)
        m.assert_nothing_left()


def a_manager_on_a_disk_that_is_only_read_says_so_and_its_cvms_run_on():
    def mount(*words):
        subprocess.run([*words, folder("state")], check=True)

    with Folder() as folder, Manager(folder) as m:
        kept = m.create()
        mount("mount", "--bind", folder("state"))
        mount("mount", "-o", "remount,bind,ro")
        try:
            try:
                m.create()
                raise AssertionError("a CVM whose folder nobody can make")
            except grpc.RpcError as error:
                assert "Read-only file system" in error.details() and "\n" not in error.details(), error.details()
            assert m.knows(kept.cvm_id) and set(m.records()) == {kept.cvm_id} == set(room.domains())
            m.stop()
            try:
                m.start()
                raise ValueError("it starts, and can record nothing")
            except AssertionError:
                assert "ead-only" in m.process.text(), m.process.text()
                assert m.process.process.wait(PATIENCE) == 1
            assert room.machine(kept.cvm_id)
        finally:
            mount("umount", "-l")
        m.start()
        assert m.knows(kept.cvm_id)
        m.remove(kept.cvm_id)
        m.remove(m.create().cvm_id)
        m.assert_nothing_left()


# ---- the computation service ----

def a_computation_that_does_not_fit_is_none():
    with Folder() as folder, Disk(folder("state")) as disk, Computations(folder) as service:
        known, failed = set(), 0
        for pages in range(40):
            disk.leave(pages)
            made = attempt(lambda: create(service, description="x" * 20000), disk.path)
            disk.leave(PLENTY)
            if made:
                known.add(made)
            else:
                failed += 1
            assert identifiers(service) == known
            known.add(create(service, description="x" * 20000))
            assert identifiers(service) == known
        print(f"# {failed} of 40 were refused")
        assert 1 <= failed < 40, failed


def a_service_on_a_full_disk_starts_or_says_why_not():
    with Folder() as folder, Disk(folder("state")) as disk:
        service = Computations(folder)
        with service:
            known = {create(service) for _ in range(3)}
            assert service.process.stop() == 0
            service.channel.close()
            failed = 0
            for pages in range(12):
                disk.leave(pages)
                try:
                    service.start()
                except AssertionError:
                    failed += 1
                    said = service.process.text()
                    assert disk.path in said and ("No space left" in said or "is full" in said), said
                    continue
                assert identifiers(service) == known
                assert service.process.stop() == 0
                service.channel.close()
            print(f"# {failed} of 12 starts were refused")
            assert 1 <= failed < 12, failed
            disk.leave(PLENTY)
            service.start()
            assert identifiers(service) == known and create(service) not in known


def operated(disk, service, folder, *words):
    """Whether a backup or a restore had room; nothing is left of one that had not."""
    said = operate(service, *words)
    if said.returncode == 0:
        return True
    assert "No space left" in said.stderr or "is full" in said.stderr, said
    left = {name for name in os.listdir(disk.path) if ".part" in name or name in ("backup", "witness.pem")}
    assert said.stderr.count("\n") == 1 and folder.path in said.stderr and not left, (said, left)
    return False


def a_backup_that_does_not_fit_is_none():
    with Folder() as folder, Disk(folder("disk")) as disk, Computations(folder) as service:
        for _ in range(3):
            create(service, description="x" * 20000)
        path = os.path.join(disk.path, "backup")
        sizes = [0, 1, 2, 20, 60]
        for pages in sizes:
            disk.leave(pages)
            assert not operated(disk, service, folder, "--backup", path), pages
        disk.leave(PLENTY)
        assert operated(disk, service, folder, "--backup", path)
        # To its last byte: without one page there is no seal.
        whole = -(-os.path.getsize(path) // PAGE)
        os.unlink(path)
        for pages in (whole - 1, whole):
            disk.leave(pages)
            assert operated(disk, service, folder, "--backup", path) == (pages == whole), pages
        disk.leave(PLENTY)


def a_restore_that_does_not_fit_changes_nothing():
    with Folder() as folder:
        with Computations(folder) as service:
            known = {create(service, description="x" * 20000) for _ in range(3)}
            assert operate(service, "--backup", folder("backup")).returncode == 0
        os.rename(folder("state"), folder("lost"))
        with Disk(folder("state")) as disk:
            failed = 0
            for pages in itertools.count(0, 8):
                disk.leave(pages)
                if operated(disk, service, folder, "--restore", folder("backup")):
                    break
                failed += 1
            print(f"# {failed} were refused")
            assert failed >= 2, failed
            disk.leave(PLENTY)
            with service:
                assert identifiers(service) == known


# ---- the agent ----

MOUNTED = ["sh", "-c", f'mount -t tmpfs -o size={PLENTY * PAGE} none "$0" && exec "$@"', "WORK"]


@contextlib.contextmanager
def agent_on(m, port=None):
    """With that manifest, and with the disk of its work folder."""
    with computing(m, port=port, wrapper=MOUNTED) as (service, agent, client):
        with Disk(agent.work_dir, mounted=True) as disk:
            yield service, agent, client, disk


def below(agent, name):
    return os.listdir(os.path.join(agent.work_dir, "computation", name))


def an_upload_that_does_not_fit_is_none():
    content = os.urandom(8 * PAGE)
    sets = [dataset(content, DATA_KEY, "eight"), dataset(b"later", DATA_KEY, "later")]
    with agent_on(lambda port: manifest(port, datasets=sets)) as (_, agent, client, disk):
        disk.leave(0)
        assert attempt(lambda: client.algo(SUM, ALGO_KEY), "algorithm", "upload") is None
        disk.leave(PLENTY)
        client.algo(SUM, ALGO_KEY)
        for pages in range(8):
            disk.leave(pages)
            assert attempt(lambda: client.data(content, DATA_KEY, "eight"), "eight", "upload") is None
            assert below(agent, "uploads") == [] and below(agent, "datasets") == []
        disk.leave(8)
        client.data(content, DATA_KEY, "eight")
        assert below(agent, "datasets") == ["eight"]


def an_archive_needs_an_inode_for_each_file_and_directory():
    """20 files in 5 directories, of which one has an entry of its own, and the upload itself."""
    packed = zip_of([("d0/", b"")] + [(f"d{n % 5}/{n}", b"x") for n in range(20)])
    sets = [dataset(packed, DATA_KEY, "z.zip", decompress=True), dataset(IRIS, DATA_KEY, "iris.csv")]
    with agent_on(lambda port: manifest(port, datasets=sets)) as (_, agent, client, disk):
        client.algo(SUM, ALGO_KEY)
        for inodes in (0, 1, 2, 25):
            disk.leave_inodes(inodes)
            words = "inodes" if inodes else "No space left"
            refused(Code.RESOURCE_EXHAUSTED, words, client.data, packed, DATA_KEY, "z.zip",
                    more=[("decompress", "true")])
            assert below(agent, "uploads") == [] and below(agent, "datasets") == []
        disk.leave_inodes(26)
        client.data(packed, DATA_KEY, "z.zip", more=[("decompress", "true")])
        assert len(below(agent, "datasets")) == 5


def results_that_do_not_fit_end_the_run_by_name():
    """Whatever is left for them: they are there, or the computation has failed for want of room."""
    algo = b"#!/bin/sh\nhead -c 65536 /dev/urandom >results/noise\n"
    ready, failed = 0, 0
    port = free_port()
    with agent_on(manifest(port, algo=algo), port) as (service, agent, client, disk):
        for turn, pages in enumerate(range(1, 42, 5)):
            if turn:
                disk.leave(PLENTY)
                service.send(stopComputation=cvms_pb2.StopComputation(computation_id=m.id))
                service.wait(lambda s: len(s.of("stop_computation_res")) >= turn)
            m = manifest(port, algo=algo)
            if turn:
                m.id = f"c-{turn + 1}"
                service.send(runReq=m)
                assert service.answer_to_run(turn).error == ""
            client.algo(algo, ALGO_KEY)
            disk.leave(pages)
            if attempt(lambda: client.data(IRIS, DATA_KEY, "iris.csv") or True, "iris.csv", "upload") is None:
                failed += 1
                continue
            ended = service.wait(lambda s: [
                e for e in s.of("agent_event") if e.computation_id == m.id and
                (e.event_type, e.status) in (("ConsumingResults", "Ready"), ("Failed", "Failed"))])
            if ended[0].event_type == "Failed":
                service.catch_up()
                said = service.log_text() + agent.output()
                assert "No space left" in said, said
                failed += 1
            else:
                assert len(unzip(client.result(USER_KEY))["noise"]) == 65536
                ready += 1
    print(f"# {ready} were ready, {failed} failed")
    assert ready and failed, (ready, failed)


def an_agent_without_an_inode_says_what_it_can_not_make():
    with Folder() as folder, Disk(folder("work")) as disk:
        os.makedirs(folder("config"))
        folder.write("config/environment", "AGENT_CVM_ID=c\nAGENT_CVM_GRPC_URL=127.0.0.1:9\n")
        disk.leave_inodes(0)
        agent = Process([program("cocos-agent"), "--development", "--config", folder("config"), "--certs",
                         folder("none"), "--work", folder("work")])
        assert agent.end() == 1, agent.text()
        assert "No space left" in agent.text() and folder("work") in agent.text(), agent.text()


# ---- the cache of endorsements ----

def assert_whole(cache, kept):
    """Each of its files is whole, and no other lies beside them; whether all are there."""
    names = files_below(cache) if os.path.exists(cache) else []
    assert set(names) <= set(kept), names
    for name in names:
        assert read(os.path.join(cache, name)) == kept[name], name
    return len(names) == len(kept)


def no_verdict_depends_on_whether_a_cache_can_be_written():
    for evidence, more in ((own(), ["--check_crl"]), (own_quote(), [])):
        with Folder() as folder, Disk(folder("disk")) as disk, Service() as service:
            evidence.put(service)
            genuine(evidence.validate(service.url, folder("twin"), *more))
            kept = {name: read(folder("twin", name)) for name in files_below(folder("twin"))}
            asked, cache, failed = sorted(service.asked), os.path.join(disk.path, "cache"), 0
            limits = [lambda n=n: disk.leave_inodes(n) for n in range(4)]
            limits += [lambda n=n: disk.leave(n) for n in range(40)]
            for limit in limits:
                limit()
                service.asked.clear()
                run = evidence.validate(service.url, cache, *more)
                genuine(run)
                assert sorted(service.asked) == asked, service.asked
                whole = assert_whole(cache, kept)
                failed += not whole
                assert whole == ("is not kept" not in run.err), run.err
                assert whole or "No space left" in run.err or "disk is full" in run.err, run.err
                run = evidence.validate(service.url, cache, *more, "--offline")
                if whole:
                    genuine(run)
                else:
                    judged_no(run, "nothing is fetched offline")
                disk.leave(PLENTY)
                disk.leave_inodes(100)
                shutil.rmtree(cache, ignore_errors=True)
            print(f"# not all kept {failed} times of {len(limits)}")
            assert 4 < failed < len(limits), failed


def a_bundle_that_does_not_fit_is_not_said_to_be_there():
    report, clouds = own(), Report("own-root/vlek-milan", "Milan")
    with Folder() as folder, Disk(folder("disk")) as disk, Service() as service:
        for each in (report, clouds):
            each.put(service)
        service.serve(clouds.crl_path, read(os.path.join(report.folder, "crl.der")))
        words = ["ca-bundle", "milan", "--kds", service.url, "--trusted_root",
                 os.path.join(report.folder, report.case["trusted_root"]), "--at", report.case["at"], "--cache"]
        cli(*words, folder("twin")).ok()
        kept = {name: read(folder("twin", name)) for name in files_below(folder("twin"))}
        failed = 0
        for pages in range(40):
            disk.leave(pages)
            run = cli(*words, os.path.join(disk.path, "cache"))
            whole = assert_whole(os.path.join(disk.path, "cache"), kept)
            for path in run.out.split():
                assert os.path.exists(path), path
            if whole:
                assert len(run.ok().split()) == len(kept) == 4
            else:
                failed += 1
                run.refused(1, "No space left", disk.path)
            disk.leave(PLENTY)
            shutil.rmtree(os.path.join(disk.path, "cache"), ignore_errors=True)
        print(f"# refused {failed} times of 40")
        assert 1 <= failed < 40, failed


if __name__ == "__main__":
    room.enter(alone=True)
    manager_libvirt.libvirt.up()
    tap.run([
        a_launch_needs_room_for_its_record_and_leaves_nothing_without,
        a_launch_needs_room_for_what_the_cvm_is_given,
        a_manager_on_a_full_disk_starts_or_says_why_not,
        a_manager_on_a_disk_that_is_only_read_says_so_and_its_cvms_run_on,
        a_computation_that_does_not_fit_is_none,
        a_service_on_a_full_disk_starts_or_says_why_not,
        a_backup_that_does_not_fit_is_none,
        a_restore_that_does_not_fit_changes_nothing,
        an_upload_that_does_not_fit_is_none,
        an_archive_needs_an_inode_for_each_file_and_directory,
        results_that_do_not_fit_end_the_run_by_name,
        an_agent_without_an_inode_says_what_it_can_not_make,
        *([no_verdict_depends_on_whether_a_cache_can_be_written,
           a_bundle_that_does_not_fit_is_not_said_to_be_there] if os.path.isdir(SNP) else []),
    ])
