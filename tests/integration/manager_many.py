# SPDX-License-Identifier: Apache-2.0
"""As many CVMs as a manager may have: listed in pages without a gap, watched, removed, and all there after a
restart and a kill: of a registry in a file, and of one on a server. libvirt's test driver stands for the machines."""
import atexit
import os
import shutil
import tempfile

import tap
from harness import PATIENCE, Folder, until
from many_cvms import ManyCvms, identity, manager
from shared_managers import Postgres

COUNT, PAGE = 10000, 256
SECRETS = tempfile.mkdtemp(prefix="cocos-many-", dir="/dev/shm")
os.chmod(SECRETS, 0o711)
atexit.register(shutil.rmtree, SECRETS)
EVERY = [identity(n) for n in range(COUNT)]


def all_run(m):
    until(lambda: len(m.all(states=["running"])) == COUNT, "all of them running")


def ten_thousand_are_listed_watched_and_kept(server=None):
    with Folder() as folder:
        many = ManyCvms(folder, SECRETS, COUNT, server)
        with many as m:
            all_run(m)
            pages = m.pages()
            assert [len(page.vms) for page in pages] == COUNT // PAGE * [PAGE] + [COUNT % PAGE], "pages"
            assert [vm.id for page in pages for vm in page.vms] == EVERY
            assert len({page.revision for page in pages}) == 1
            assert [vm.id for vm in m.all(name="vm-9999")] == [identity(9999)]
            assert m.stub.GetVm(manager.GetVmReq(id="vm-9999"), timeout=PATIENCE).id == identity(9999)
            watch = m.stub.WatchVms(manager.WatchVmsReq(), timeout=PATIENCE)
            seen = []
            for change in watch:
                if not change.HasField("vm"):
                    break
                seen.append(change.vm.id)
            assert sorted(seen) == sorted(EVERY), len(seen)
            for n in (0, 4096, 9999):
                m.stub.RemoveVm(manager.RemoveReq(cvm_id=identity(n)), timeout=PATIENCE)
                heard = []
                for change in watch:
                    heard.append((change.vm.id, change.vm.state))
                    if heard[-1][1] == "exited":
                        break
                assert heard == [(identity(n), "removing"), (identity(n), "exited")], heard
            watch.cancel()
            assert len(m.all()) == COUNT - 3
            m.process.kill()
        left = [each for each in EVERY if each not in (identity(0), identity(4096), identity(9999))]
        with many as m:
            assert [vm.id for vm in m.all()] == left


def ten_thousand_on_a_server_are_listed_watched_and_kept():
    for name in os.listdir(SECRETS):  # the folders of those before
        shutil.rmtree(os.path.join(SECRETS, name))
    server = Postgres()
    try:
        ten_thousand_are_listed_watched_and_kept(server)
        assert server.sql("SELECT count(*) FROM cocos_manager.cvm") == str(COUNT - 3)
    finally:
        server.close()


def one_more_than_the_limit_is_refused():
    with Folder() as folder:
        many = ManyCvms(folder, SECRETS, 0)
        many.settings.update(MANAGER_MAX_VMS=str(COUNT + 1), MANAGER_PORTS=f"20000-{20000 + COUNT}")
        try:
            with many:
                raise SystemError("a manager with one more than the limit starts")
        except AssertionError as error:
            assert "MANAGER_MAX_VMS" in str(error), error


if __name__ == "__main__":
    tap.run([
        ten_thousand_are_listed_watched_and_kept,
        ten_thousand_on_a_server_are_listed_watched_and_kept,
        one_more_than_the_limit_is_refused,
    ])
