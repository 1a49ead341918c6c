# SPDX-License-Identifier: Apache-2.0
"""An authority by the openssl command, and its revocation lists: good ones, and such that nobody should take."""
import contextlib
import json
import os
import re
import subprocess
import urllib.request

import grpc

from harness import PATIENCE, PROTOCOL, Computations, FakeAgent, certificates, certificates_grpc, program, until
from ports import free_port
from tenant_room import Manager

manager, manager_grpc = PROTOCOL["manager"]
SETTING = "MANAGER_GRPC_CLIENT_CRL"
PAGE = r"page: listening on .*, port (\d+)"

CONFIG = """
[ca]
default_ca = d
[d]
database = {0}/index.txt
crlnumber = {0}/crlnumber
default_md = sha256
default_crl_days = 1
unique_subject = no
crl_extensions = plain
[plain]
authorityKeyIdentifier = keyid
[delta]
2.5.29.27 = critical, DER:02:01:01
[odd]
1.3.6.1.4.1.99999.1 = critical, DER:05:00
"""


def read(path):
    with open(path, "rb") as file:
        return file.read()


def openssl(*words, fails=False):
    done = subprocess.run(["openssl", *words], capture_output=True, check=False, timeout=PATIENCE)
    assert fails or done.returncode == 0, (words, done.stderr)
    return (done.stdout + done.stderr).decode(errors="replace")


class Authority:
    """One in a folder of its own; `above` makes it another one's."""

    def __init__(self, folder, name="ca", above=None, subject=None):
        self.name, self.path, self.subject = name, folder(name), subject or f"/CN={name}"
        os.mkdir(self.path)
        self.config = self("ca.cnf")
        for file, text in (("index.txt", ""), ("crlnumber", "1000\n"), ("ca.cnf", CONFIG.format(self.path))):
            with open(self(file), "w", encoding="ascii") as out:
                out.write(text)
        self.pem, self.key = self("ca.pem"), self("ca.key")
        words = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", self.subject, "-keyout", self.key,
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-addext", "basicConstraints=critical,CA:true")
        if not above:
            openssl("req", "-x509", *words, "-days", "2", "-out", self.pem)
            return
        openssl("req", "-new", *words, "-out", self("ca.csr"))
        above.sign(self("ca.csr"), self.pem)

    def __call__(self, name):
        return os.path.join(self.path, name)

    def sign(self, request, out):
        openssl("x509", "-req", "-in", request, "-CA", self.pem, "-CAkey", self.key, "-CAcreateserial", "-days", "2",
                "-copy_extensions", "copy", "-out", out)

    def make(self, name, *names):
        """A certificate: the paths of it and its key."""
        out = self(name)
        more = ("-addext", "subjectAltName=" + ",".join(names)) if names else ()
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name, *more,
                "-keyout", out + ".key", "-out", out + ".csr")
        self.sign(out + ".csr", out + ".pem")
        return out + ".pem", out + ".key"

    def serial(self, name):
        text = openssl("x509", "-in", self(name + ".pem"), "-noout", "-serial").strip().removeprefix("serial=").lower()
        return "00" + text if int(text[:1], 16) >= 8 else text

    def revoke(self, name):
        openssl("ca", "-config", self.config, "-cert", self.pem, "-keyfile", self.key, "-revoke", self(name + ".pem"))

    def revoke_many(self, count):
        """As many that never were."""
        with open(self("index.txt"), "a", encoding="ascii") as out:
            for i in range(count):
                out.write(f"R\t400101000000Z\t260101000000Z\t{(1 << 120) + i * 7919:032X}\tunknown\t/CN=gone\n")

    def list(self, *words):
        """The next list, as PEM."""
        out = self("list.pem")
        openssl("ca", "-gencrl", "-config", self.config, "-cert", self.pem, "-keyfile", self.key, "-out", out, *words)
        with open(out, "rb") as file:
            return file.read()

    def ended(self):
        return self.list("-crl_lastupdate", "20260101000000Z", "-crl_nextupdate", "20260102000000Z")

    def wrong(self):
        """Such that are refused, with the words for it."""
        good = self.list()
        return {"a critical deltaCRLIndicator": (self.list("-crlexts", "delta"), "a delta list"),
                "an unknown critical extension": (self.list("-crlexts", "odd"), "a critical extension that is not known"),
                "from the future": (self.list("-crl_lastupdate", "20480101000000Z", "-crl_nextupdate", "20490101000000Z"),
                                    "from the future"),
                "cut off": (good[:len(good) // 2], "not PEM"),
                "a certificate": (open(self.pem, "rb").read(), "no 'X509 CRL'"),
                "nothing": (b"", "no revocation list"),
                "twice": (good + self.list(), "two lists of"),
                "no list": (b"\x30\x03\x02\x01\x00", "list")}


def put(path, content):
    """As documented: to a file beside it, and renamed."""
    with open(path + ".new", "wb") as out:
        out.write(content)
    os.rename(path + ".new", path)


def renew(process, path, content, line):
    """The file is replaced (None: taken away), and the program says this of it."""
    before = len(re.findall(line, process.text()))
    if content is None:
        os.remove(path)
    else:
        put(path, content)
    until(lambda: len(re.findall(line, process.text())) > before, line)


def comes_in(stub):
    try:
        stub.ListVms(manager.ListVmsReq(), timeout=PATIENCE)
        return True
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNAVAILABLE, error
        print(f"# {error.details()}", flush=True)  # why, for whoever reads what failed
        return False


class Lists(Manager):
    """A manager whose clients are an authority's with lists."""

    def __init__(self, folder, first=None, authorities=None, **more):
        self.ca = Authority(folder)
        self.ca.make("server", "DNS:localhost", "IP:127.0.0.1")
        self.crl = folder("clients.crl")
        self.first = self.ca.list() if first is None else first(self.ca)
        put(self.crl, self.first)
        self.trusted = folder.write("trusted.pem", "".join(read(a.pem).decode() for a in authorities or [self.ca]))
        self.metrics = free_port()
        super().__init__(folder, "", ACCESS="", GRPC_CLIENT_CA_CERTS=self.trusted, GRPC_CLIENT_CRL=self.crl,
                         GRPC_SERVER_CERT=self.ca("server.pem"), GRPC_SERVER_KEY=self.ca("server.key"),
                         AUDIT_LOG=folder("audit.log"), METRICS=f"127.0.0.1:{self.metrics}", **more)

    def stub(self, pem, key, chain=b""):
        proof = grpc.ssl_channel_credentials(read(self.ca.pem), read(key), read(pem) + chain)
        return manager_grpc.ManagerServiceStub(grpc.secure_channel(f"localhost:{self.port}", proof))

    def of(self, name):
        return self.stub(*self.ca.make(name))

    def entries(self):
        with open(self.folder("audit.log"), encoding="utf-8") as log:
            return [json.loads(line) for line in log]

    def renew(self, content, line=rf"{SETTING}: \d+ lists? read from"):
        renew(self.process, self.crl, content, line)

    def numbers(self, name, **labels):
        """All samples with these labels."""
        self.process.wait_line(r"metrics: listening on")  # which is after its calls' ports
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=PATIENCE) as page:
            text = page.read().decode()
        inside = ",".join(f'{k}="{v}"' for k, v in {"setting": SETTING, **labels}.items())
        found = re.findall(re.escape(f"{name}{{{inside}}} ") + r"(\S+)", text)
        assert found, (inside, text)
        return [float(number) for number in found]

    def number(self, name, **labels):
        return self.numbers(name, **labels)[0]


class Service(contextlib.ExitStack):
    """A service that is an authority; its agents, its page and its administrators show certificates."""

    def __init__(self, folder, **settings):
        super().__init__()
        self.folder, self.other = folder, Authority(folder, "other")
        names = {"COMPUTATIONS_CA_CERT": folder("own.pem"), "COMPUTATIONS_CA_KEY": settings.get("CA_KEY", folder("own.key"))}
        config = folder.write("ca.conf", "".join(f"{k}={v}\n" for k, v in names.items()))
        subprocess.run([program("cocos-computations"), "--config", config, "--make-ca", "example.org"], check=True,
                       capture_output=True, timeout=PATIENCE)
        pem, key = self.other.make("server", "DNS:localhost", "IP:127.0.0.1")
        self.both = folder.write("both.pem", (read(names["COMPUTATIONS_CA_CERT"]) + read(self.other.pem)).decode())
        self.settings = {"CA_CERT": names["COMPUTATIONS_CA_CERT"], "CA_KEY": names["COMPUTATIONS_CA_KEY"],
                         "GRPC_SERVER_CERT": pem, "GRPC_SERVER_KEY": key, "GRPC_CLIENT_CA_CERTS": self.both,
                         "ADMIN_SERVER_CERT": pem, "ADMIN_SERVER_KEY": key, "ADMIN_CLIENT_CA_CERTS": self.both,
                         "ADMIN_SIGN_IN": "true", "AUDIT_LOG": folder("audit.log"), "WEB": "0.0.0.0:0", **settings}

    def __enter__(self):
        super().__enter__()
        self.service = self.enter_context(Computations(self.folder, **self.settings))
        self.stub = certificates_grpc.CertificateServiceStub(self.service.channel)
        self.web = int(self.service.process.wait_line(PAGE)[1])
        return self

    def issue(self, name):
        """Of the service's own authority: paths, and its serial number."""
        out = self.folder(name)
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/",
                        "-keyout", out + ".key", "-outform", "DER", "-out", out + ".csr"], check=True, capture_output=True)
        token = self.stub.AddToken(certificates.TokenRequest(name=name, role="agent"), timeout=PATIENCE)
        made = self.stub.Issue(certificates.IssueRequest(token=token.token, request=read(out + ".csr")), timeout=PATIENCE)
        with open(out + ".pem", "w", encoding="ascii") as file:
            file.write(made.certificate)
        return out + ".pem", out + ".key", made.serial

    def revoke(self, serial):
        self.stub.Revoke(certificates.RevokeRequest(serial=serial), timeout=PATIENCE)

    def agent(self, name, pem, key):
        proof = grpc.ssl_channel_credentials(read(self.other.pem), read(key), read(pem))
        return FakeAgent(f"localhost:{self.service.port}", name, credentials=proof)

    def page(self, pem, key):
        done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", self.other.pem, "--cert", pem,
                               "--key", key, f"https://localhost:{self.web}/ca.crl"], capture_output=True, text=True, check=False,
                              timeout=PATIENCE)
        return done.stdout if done.returncode == 0 else "refused"
