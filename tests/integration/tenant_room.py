# SPDX-License-Identifier: Apache-2.0
"""A manager with a table of who may call, and callers with certificates of one CA."""
import contextlib
import os
import signal
import sqlite3
import subprocess
import tempfile

import grpc

from harness import PATIENCE, PROTOCOL, Process, program
from libvirt_room import idle_image

manager, manager_grpc = PROTOCOL["manager"]
WAIT = PATIENCE
SUBJECT, SPIFFE, SAN = "/O=Clinic/CN=anna", "spiffe://clinic.example/a", "subjectAltName="


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


class Certificates:
    """A CA, and certificates of it: for a server, and for clients of any name."""

    def __init__(self, folder):
        self.folder = folder
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=ca", "-keyout", folder("ca.key"), "-out", folder("ca.pem"))
        self.make("server", "/CN=localhost", SAN + "DNS:localhost,IP:127.0.0.1")

    def make(self, name, subject, *extensions):
        out = self.folder(name)
        words = [word for extension in extensions for word in ("-addext", extension)]
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-utf8", "-subj", subject,
                *words, "-keyout", out + ".key", "-out", out + ".csr")
        openssl("x509", "-req", "-in", out + ".csr", "-CA", self.folder("ca.pem"), "-CAkey", self.folder("ca.key"),
                "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out", out + ".pem")
        return self.read(name + ".pem"), self.read(name + ".key")

    def read(self, name):
        with open(self.folder(name), "rb") as file:
            return file.read()


class Manager:
    """One in a `with`, over libvirt's test driver, on a unix socket and with mTLS."""

    def __init__(self, folder, lines, **more):
        self.folder, self.certificates = folder, Certificates(folder)
        # pylint: disable-next=consider-using-with
        self.secrets = tempfile.TemporaryDirectory(prefix="cocos-tenants-", dir="/dev/shm")
        os.chmod(self.secrets.name, 0o711)
        idle_image(folder)
        self.write(lines)
        settings = {"SOCKET": folder("run/manager.sock"), "LIBVIRT_URI": "test:///default", "TEE": "none",
                    "FIRMWARE": "SeaBIOS", "MEMORY": "128M", "IMAGE_DIR": folder("image"), "STATE_DIR": folder("state"),
                    "SECRETS_DIR": self.secrets.name, "ACCESS": folder("access.conf"), "GRPC_HOST": "127.0.0.1",
                    "GRPC_PORT": "0", "GRPC_SERVER_CERT": folder("server.pem"), "GRPC_SERVER_KEY": folder("server.key"),
                    "GRPC_CLIENT_CA_CERTS": folder("ca.pem"), **more}
        self.config = folder.write("m.conf", "".join(f"MANAGER_{k}={v}\n" for k, v in settings.items()))
        self.process = self.start()

    def start(self):
        return Process([program("cocos-manager"), "--config", self.config])

    def __enter__(self):
        self.port = self.process.wait_line(r"listening on 127.0.0.1 port (\d+), with mutual TLS")[1]
        return self

    def __exit__(self, *_):
        self.process.finish()
        self.secrets.cleanup()

    def remember(self, *gone):
        """Begins again, with CVMs of tenants that are gone: id, name and whose."""
        self.process.finish()
        with contextlib.closing(sqlite3.connect(self.folder("state/registry.db"))) as registry:
            registry.executemany("INSERT INTO gone (id, name, owner) VALUES (?, ?, ?)", gone)
            registry.commit()
        self.process = self.start()
        self.__enter__()

    def write(self, lines):
        path = self.folder.write("access.conf", lines)
        os.chmod(path, 0o644)

    def reload(self, lines, line):
        self.write(lines)
        self.process.process.send_signal(signal.SIGHUP)
        self.process.wait_line(line)

    def unix(self):
        return manager_grpc.ManagerServiceStub(grpc.insecure_channel("unix:" + self.folder("run/manager.sock")))

    def tls(self, name, subject, *extensions):
        pem, key = self.certificates.make(name, subject, *extensions)
        proof = grpc.ssl_channel_credentials(self.certificates.read("ca.pem"), key, pem)
        return manager_grpc.ManagerServiceStub(grpc.secure_channel(f"localhost:{self.port}", proof))


def may(stub, strays=False):
    """What the manager takes the caller for."""
    words = {}
    for name, call in (("list", lambda: stub.ListVms(manager.ListVmsReq(), timeout=WAIT)),
                       ("strays", lambda: stub.ListStrays(manager.ListStraysReq(), timeout=WAIT))):
        try:
            call()
            words[name] = "OK"
        except grpc.RpcError as error:
            words[name] = error.code().name
    return {("OK", "PERMISSION_DENIED"): "tenant", ("PERMISSION_DENIED", "PERMISSION_DENIED"): "nobody"}.get(
        (words["list"], words["strays"]), "operator" if words["list"] == "OK" else words)


def table(*lines):
    return "".join(line + "\n" for line in (f"operator uid {os.geteuid()}", *lines))
