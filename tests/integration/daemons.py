# SPDX-License-Identifier: Apache-2.0
"""The manager, on libvirt's test driver, and the service, for tests: each in a `with`, called through its socket."""
import os
import shutil
import tempfile

import grpc

from harness import PROTOCOL, Process, program
from libvirt_room import idle_image

manager_grpc = PROTOCOL["manager"][1]
computations_grpc = PROTOCOL["computations"][1]


class Daemon:
    """One of the two in a `with`, with its settings in a file, called through its unix socket."""

    def __init__(self, folder, name, settings, ready):
        self.secrets = None
        config = folder.write(name + ".conf", "".join(f"{k}={v}\n" for k, v in settings.items()))
        self.process = Process([program(name), "--config", config])
        if ready:
            self.process.wait_line(ready)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.finish()
        if self.secrets:
            shutil.rmtree(self.secrets)


def manager_of(folder, **more):
    idle_image(folder)
    secrets = tempfile.mkdtemp(prefix="cocos-secrets-", dir="/dev/shm")
    os.chmod(secrets, 0o711)
    settings = {"SOCKET": folder("run/manager.sock"), "LIBVIRT_URI": "test:///default", "TEE": "none",
                "FIRMWARE": "SeaBIOS", "MEMORY": "128M", "IMAGE_DIR": folder("image"),
                "STATE_DIR": folder("state"), "SECRETS_DIR": secrets, **more}
    daemon = Daemon(folder, "cocos-manager", {f"MANAGER_{k}": v for k, v in settings.items()}, "listening on unix:")
    daemon.secrets = secrets
    daemon.stub = manager_grpc.ManagerServiceStub(grpc.insecure_channel("unix:" + settings["SOCKET"]))
    return daemon


def service_of(folder, ready="ready", **more):
    settings = {"ADMIN_SOCKET": folder("run/admin.sock"), "GRPC_PORT": "0", "STATE_DIR": folder("service"), **more}
    daemon = Daemon(folder, "cocos-computations", {f"COMPUTATIONS_{k}": v for k, v in settings.items()}, ready)
    daemon.channel = grpc.insecure_channel("unix:" + settings["ADMIN_SOCKET"])
    daemon.stub = computations_grpc.ComputationServiceStub(daemon.channel)
    return daemon
