# SPDX-License-Identifier: Apache-2.0
"""Managers that share a database, in which leases say whose each host is: somebody starts one that would be another one, or
would have the others' registry."""
import os
import shutil

from harness import Folder, until
from rows import Outcome, row
from shared_managers import Postgres, Shared


class Hall:
    """A server, and manager a, which holds ward-1 and ward-2; in a `with`."""

    def __enter__(self):
        self.server, self.folder = Postgres(), Folder()
        try:
            self.a = Shared(self.folder.__enter__(), self.server, "a").__enter__()
            until(lambda: self.held("a") == ["ward-1", "ward-2"], "its hosts")
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        if getattr(self, "a", None):
            self.a.__exit__()
        self.folder.__exit__()
        self.server.close()

    def held(self, name):
        return self.server.sql("SELECT host FROM cocos_manager.lease WHERE instance <> 0"
                               f" AND holder = '{name}' ORDER BY host").split()

    def hosts_of_others(self):
        """How many hosts others hold than those that a has, whatever they are called."""
        return int(self.server.sql("SELECT count(*) FROM cocos_manager.lease WHERE instance <> 0 AND host = 'ward-3'"))

    def joined(self, late, evil, words):
        """What came of another manager, which lists ward-3, too."""
        if evil:
            said = late.ends_with(words)
            assert self.held("a") == ["ward-1", "ward-2"], "what there is stays as it is"
            return Outcome(False, said, self.hosts_of_others())
        with late:
            until(lambda: self.hosts_of_others() == 1, "its host")
            return Outcome(True, "", self.hosts_of_others())


@row("lease-name-of-another-manager", "another manager is called a: process")
def name_taken(evil):
    """A manager is started elsewhere with the MANAGER_LEASE_NAME of one that runs, whose hosts it would hold."""
    with Hall() as hall, Folder() as folder:
        late = Shared(folder, hall.server, "a" if evil else "b", (1, 2, 3))
        return hall.joined(late, evil, "another manager is called")


@row("lease-place-of-another-manager", "another manager is called a: process")
def place_taken(evil):
    """The same with a copy of what says that a manager is in its own place again, which would give it name and leases at once: of
    MANAGER_SECRETS_DIR/place, and of the folder with the lock. The honest twin is that manager, killed and started again."""
    with Hall() as hall, Folder() as folder:
        if not evil:
            hall.a.process.kill()
            with hall.a:
                until(lambda: hall.held("a") == ["ward-1", "ward-2"], "its hosts")
                return Outcome(True, "", len(hall.held("a")))
        late = Shared(folder, hall.server, "a", (1, 2, 3))
        shutil.copy(os.path.join(hall.a.secrets, "place"), os.path.join(late.secrets, "place"))
        shutil.copytree(hall.folder("state"), folder("state"), copy_function=shutil.copy2)
        os.chmod(folder("state"), 0o711)
        return hall.joined(late, evil, "another manager is called")


@row("lease-folder-of-another-registry", "it is another manager's")
def other_registry(evil):
    """A manager comes with the folder of a registry of its own, whose CVMs it would take for these: the honest twin's is empty."""
    with Hall() as hall, Folder() as folder:
        late = Shared(folder, hall.server, "b", (1, 2, 3))
        if evil:
            folder.write("state/tag", "00000000\n")
            os.chmod(folder("state"), 0o711)
        return hall.joined(late, evil, "it is another manager's")


@row("lease-alone-beside-others", "another service uses the PostgreSQL database")
def alone(evil):
    """A manager whose table has a host of its own machine, and which would have the whole registry to itself, is started while
    another one holds hosts."""
    with Hall() as hall, Folder() as folder:
        late = Shared(folder, hall.server, "b", (1, 2, 3))
        if evil:
            with open(late.settings["MANAGER_HOSTS"], "a", encoding="ascii") as table:
                table.write("host here qemu:///system tees=none\n")
            folder.write("state/tag", hall.server.sql("SELECT value FROM cocos_manager.meta WHERE key = 'tag'") + "\n")
            os.chmod(folder("state"), 0o711)
        return hall.joined(late, evil, "another service uses the PostgreSQL database")
