# SPDX-License-Identifier: Apache-2.0
"""Managers that share a PostgreSQL server, and whose hosts are nowhere: what the server alone decides."""
import atexit
import os
import re
import shutil
import sys
import tempfile

from harness import ROOT, Process, program
from host_check import check
from libvirt_room import idle_image

sys.path.insert(0, os.path.join(ROOT, "tests"))
from postgres import Postgres  # noqa: E402, F401  pylint: disable=wrong-import-position,unused-import

SECRETS = tempfile.mkdtemp(prefix="cocos-shared-", dir="/dev/shm")
os.chmod(SECRETS, 0o711)
atexit.register(shutil.rmtree, SECRETS)


class Shared:
    """One of them, running in a `with`. `hosts`: numbers of those that it lists."""

    def __init__(self, folder, server, name, hosts=(1, 2), **settings):
        table = folder.write("hosts", "".join(
            f"host ward-{n} qemu+unix:///system?socket=/nowhere/{n} address=127.0.0.{n} tees=none\n" for n in hosts))
        idle_image(folder)
        self.name, self.secrets, self.process = name, tempfile.mkdtemp(dir=SECRETS), None
        os.chmod(self.secrets, 0o711)
        self.settings = {
            "MANAGER_HOSTS": table, "MANAGER_DATABASE": server.place, "MANAGER_LEASE_NAME": name, "MANAGER_LEASE": "300s",
            "MANAGER_TEE": "none", "MANAGER_FIRMWARE": "SeaBIOS", "MANAGER_IMAGE_DIR": folder("image"),
            "MANAGER_STATE_DIR": folder("state"), "MANAGER_SECRETS_DIR": self.secrets,
            "MANAGER_SOCKET": folder("run/manager.sock"), **settings}

    def begin(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MANAGER_")}
        self.process = Process([program("cocos-manager"), "--config", "/dev/null"], {**environment, **self.settings})

    def __enter__(self):
        self.begin()
        self.process.wait_line("listening on unix:")
        return self

    def __exit__(self, *_):
        self.process.finish()

    def ends_with(self, words):
        """It does not start: the line that says why."""
        self.begin()
        try:
            assert self.process.end() == 1, self.process.text()
            said = [line for line in self.process.text().splitlines() if re.search(words, line)]
            assert said, self.process.text()
            return said[-1]
        finally:
            self.process.finish()

    def check(self):
        """What --check says of the database and the others: {row: (outcome, words)}."""
        rows = check("cocos-manager", self.settings)[1]
        return {name: (rows[name]["outcome"], rows[name]["found"])
                for name in ("database", "registry's tag", "manager's name", "leases", "database clock")}
