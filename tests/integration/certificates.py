#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The service's authority: tokens, certificates for them, the list of revoked ones; all of it judged by the openssl command."""
import datetime
import json
import os
import re
import sqlite3
import subprocess
import threading

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import tap
from harness import (PATIENCE, Folder, authority, certificates, certificates_grpc, cli, lost, program)
from people import DENIED, NOT_NOW, OK, STRANGER
from sign_in import Page

INVALID, GONE = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
OVER = "this token was used or revoked, has ended, or is none of ours"
MORE = "the request asks for more than a certificate for its key"


def openssl(*arguments, stdin=None, fails=False):
    ran = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=False, timeout=PATIENCE)
    assert fails or ran.returncode == 0, (arguments, ran.stderr)
    return ran.stdout + ran.stderr if fails else ran.stdout


def printed(*arguments, stdin=None):
    """A certificate in words; OpenSSL 3.2 and later put no spaces around a name's '='."""
    return openssl("x509", "-noout", "-text", *arguments, stdin=stdin).decode().replace(" = ", "=")


def make_authority(folder, name="example.org"):
    """The settings of a service that has one in this folder."""
    settings = {"COMPUTATIONS_CA_CERT": folder("ca.pem"), "COMPUTATIONS_CA_KEY": folder("ca-key.pem")}
    config = folder.write("ca.conf", "".join(f"{k}={v}\n" for k, v in settings.items()))
    ran = subprocess.run([program("cocos-computations"), "--config", config, "--make-ca", name],
                         capture_output=True, text=True, check=False, timeout=PATIENCE)
    return ran, {k.removeprefix("COMPUTATIONS_"): v for k, v in settings.items()}


class Issuer(Page):
    """A service with a page and an authority, which these settings trust, too."""

    def __init__(self, trusted_by=(), domain="example.org", **settings):
        super().__init__(**settings)
        self.trusted_by, self.domain = trusted_by, domain

    def __enter__(self):
        self.keys = Folder().__enter__()
        made, settings = make_authority(self.keys, self.domain)
        assert made.returncode == 0, made.stderr
        self.settings.update(settings, **{name: self.keys("ca.pem") for name in self.trusted_by})
        return super().__enter__()

    def __exit__(self, *about):
        self.keys.__exit__(*about)
        return super().__exit__(*about)

    def call(self, method, by=None, **fields):
        service = certificates.DESCRIPTOR.services_by_name["CertificateService"].methods_by_name[method]
        request = service.input_type._concrete_class(**fields)  # pylint: disable=protected-access
        stub = certificates_grpc.CertificateServiceStub(self.service.channel)
        return getattr(stub, method)(request, timeout=PATIENCE,
                                     metadata=[("authorization", "Bearer " + by)] if by else [])

    def code(self, method, **fields):
        try:
            self.call(method, **fields)
        except grpc.RpcError as error:
            return error.code()
        return OK

    def said(self, method, **fields):
        try:
            self.call(method, **fields)
        except grpc.RpcError as error:
            return error.details()
        raise AssertionError(f"{method} is not refused")

    def token(self, name="cvm-1", role="agent", **fields):
        return self.call("AddToken", name=name, role=role, **fields)

    def issue(self, token, request=None):
        return self.call("Issue", token=token, request=request or self.request())

    def request(self, *more, name="k", kind=("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"), subject="/",
                digest="-sha256"):
        """What 'openssl req' makes of a new key."""
        path = self.keys(name + ".pem")
        openssl("genpkey", *kind, "-out", path)
        return openssl("req", "-new", "-key", path, "-subj", subject, "-outform", "DER", digest, *more)

    def listed(self):
        return {c.serial: c for c in self.call("List").certificates}

    def change(self, sql):
        """The database, while nobody has it open."""
        self.service.channel.close()
        self.service.process.kill()
        database = sqlite3.connect(self.service.folder("state") + "/computations.db")
        database.execute(sql)
        database.commit()
        database.close()
        self.service.start()
        self.port = int(self.service.process.wait_line(r"page: port (\d+) of this machine")[1])

    def list(self):
        """The list of revoked ones, as a file of PEM."""
        answer = self.browser().get("/ca.crl")
        assert answer.status == 200, answer.body
        return self.keys.write("crl.pem", openssl("crl", "-inform", "DER", "-outform", "PEM", stdin=answer.body))

    def verify(self, pem, *more):
        """What openssl says of a certificate, by authority and list."""
        path = self.keys.write("verified.pem", pem)
        return openssl("verify", "-x509_strict", "-CAfile", self.keys("ca.pem"), "-CRLfile", self.list(), "-crl_check",
                       *more, path, fails=True).decode()


def an_authority_is_made_once():
    with Folder() as folder:
        made, _ = make_authority(folder)
        assert made.returncode == 0 and "authority example.org: certificate" in made.stdout, made.stderr
        assert os.stat(folder("ca-key.pem")).st_mode & 0o777 == 0o600
        text = printed("-in", folder("ca.pem"))
        for part in ("CN=example.org", "CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign", "URI:spiffe://example.org"):
            assert part in text, (part, text)
        openssl("verify", "-x509_strict", "-CAfile", folder("ca.pem"), folder("ca.pem"))
        before = open(folder("ca-key.pem"), "rb").read(), open(folder("ca.pem"), "rb").read()
        again, _ = make_authority(folder)
        assert again.returncode == 1 and "ca.pem' is there already" in again.stderr, again.stderr
        os.rename(folder("ca-key.pem"), folder("kept"))
        again, _ = make_authority(folder)
        assert again.returncode == 1 and not os.path.exists(folder("ca-key.pem")), again.stderr
        os.rename(folder("kept"), folder("ca-key.pem"))
        assert before == (open(folder("ca-key.pem"), "rb").read(), open(folder("ca.pem"), "rb").read())
        for name in ("", "Example.org", "a/b", "a,URI:spiffe://b", "a" * 64, "a b"):
            with Folder() as other:
                refused, _ = make_authority(other, name)
                assert refused.returncode == 2 and "its name is 1 to 63 of" in refused.stderr, refused.stderr
                assert not os.path.exists(other("ca.pem")) and not os.path.exists(other("ca-key.pem"))


def ended_certificate(key_path):
    with open(key_path, "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.org")])
    now = datetime.datetime.utcnow()
    return (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(1).not_valid_before(now - datetime.timedelta(days=2))
            .not_valid_after(now - datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(True, None), critical=True)
            .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def check(config, *words):
    ran = subprocess.run([program("cocos-computations"), "--config", config, "--check"], capture_output=True, text=True,
                         check=False, timeout=PATIENCE)
    line = next((line for line in ran.stdout.splitlines() if "authority" in line), ran.stdout + ran.stderr)
    assert all(word in ran.stdout + ran.stderr for word in words), ran.stdout + ran.stderr
    return line


def what_is_no_authority_is_refused_at_the_start():
    with Folder() as folder, Folder() as other, Folder() as tls_of:
        _, settings = make_authority(folder)
        make_authority(other)
        authority(tls_of)

        def config(**changed):
            lines = {"CA_CERT": settings["CA_CERT"], "CA_KEY": settings["CA_KEY"], **changed}
            return folder.write("c.conf", f"COMPUTATIONS_STATE_DIR={folder('state')}\nCOMPUTATIONS_GRPC_PORT=0\n"
                                f"COMPUTATIONS_ADMIN_SOCKET={folder('s')}\n" +
                                "".join(f"COMPUTATIONS_{k}={v}\n" for k, v in lines.items() if v))

        assert "of example.org, until 20" in check(config()), check(config())
        check(config(CA_KEY=other("ca-key.pem")), "the key is another certificate's")
        check(config(CA_CERT=None), "COMPUTATIONS_CA_KEY is set and _CERT is not")
        check(config(CA_KEY=None), "COMPUTATIONS_CA_CERT is set and _KEY is not")
        check(config(CA_CERT="ca.pem"), "COMPUTATIONS_CA_CERT: 'ca.pem' is not an absolute path")
        check(config(CA_CERT=folder("none")), "No such file")
        two = folder.write("two.pem", open(folder("ca.pem")).read() + open(other("ca.pem")).read())
        check(config(CA_CERT=two), "holds more than the authority's certificate")
        os.chmod(folder("ca-key.pem"), 0o640)
        check(config(), "others than its owner can get at", "chmod 600 it")
        os.chmod(folder("ca-key.pem"), 0o600)
        # One that signs nothing; one that has ended.
        openssl("req", "-x509", "-key", folder("ca-key.pem"), "-subj", "/CN=example.org", "-addext",
                "basicConstraints=critical,CA:FALSE", "-out", folder("leaf.pem"))
        check(config(CA_CERT=folder("leaf.pem")), "it may not sign certificates and revocation lists")
        openssl("req", "-x509", "-key", folder("ca-key.pem"), "-subj", "/CN=example.org", "-addext",
                "keyUsage=critical,keyCertSign,cRLSign", "-addext", "subjectKeyIdentifier=none", "-out", folder("none.pem"))
        check(config(CA_CERT=folder("none.pem")), "it has no subject key identifier")
        folder.write("old.pem", ended_certificate(folder("ca-key.pem")))
        check(config(CA_CERT=folder("old.pem")), "it is not valid today")
        openssl("req", "-x509", "-key", folder("ca-key.pem"), "-subj", "/O=x/CN=example.org", "-addext",
                "keyUsage=critical,keyCertSign,cRLSign", "-out", folder("names.pem"))
        check(config(CA_CERT=folder("names.pem")), "its subject is not one common name")
        # Where a certificate is all that an administrator shows.
        tls = {"ADMIN_SERVER_CERT": tls_of("server.pem"), "ADMIN_SERVER_KEY": tls_of("server-key.pem")}
        both = folder.write("both.pem", open(other("ca.pem")).read() + open(settings["CA_CERT"]).read())
        check(config(**tls, ADMIN_CLIENT_CA_CERTS=both), "each agent would be an administrator")
        assert "each agent" not in check(config(**tls, ADMIN_CLIENT_CA_CERTS=both, ADMIN_SIGN_IN="true"))
        assert "each agent" not in check(config(**tls, ADMIN_CLIENT_CA_CERTS=other("ca.pem")))
        # What another authority signed is trusted with that one, also where one lies between that a client brings.
        key = other("ca-key.pem")
        openssl("req", "-x509", "-key", key, "-subj", "/CN=above", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-out", other("above.pem"))
        openssl("x509", "-in", settings["CA_CERT"], "-CA", other("above.pem"), "-CAkey", key, "-out", folder("below.pem"))
        below = {**tls, "CA_CERT": folder("below.pem"), "ADMIN_CLIENT_CA_CERTS": other("above.pem")}
        check(config(**below), "another authority signed", "each agent would be an administrator")
        assert "of example.org, until 20" in check(config(**below, ADMIN_SIGN_IN="true"))


def a_token_is_worth_one_certificate():
    with Issuer() as page:
        made = page.token()
        assert re.fullmatch("[0-9a-f]{64}", made.token) and re.fullmatch("[4-7][0-9a-f]{31}", made.serial)
        row = page.listed()[made.serial]
        assert (row.state, row.name, row.role, row.key, row.maker) == ("open", "cvm-1", "agent", "", "")
        issued = page.issue(made.token)
        assert (issued.name, issued.role, issued.serial) == ("cvm-1", "agent", made.serial)
        assert ": OK" in page.verify(issued.certificate, "-purpose", "sslclient")
        assert "unsuitable certificate purpose" in page.verify(issued.certificate, "-purpose", "sslserver")
        text = printed(stdin=issued.certificate.encode())
        for part in ("Subject: OU=agent, CN=cvm-1", "CA:FALSE", "Digital Signature", "TLS Web Client Authentication",
                     "URI:spiffe://example.org/agent/cvm-1", "X509v3 Authority Key Identifier"):
            assert part in text, (part, text)
        assert "DNS:" not in text and "Server Authentication" not in text
        assert issued.authority == open(page.keys("ca.pem")).read()
        # Its key is ours, and the list knows it by the fingerprint that the command prints.
        fingerprint = cli("key", "fingerprint", page.keys("k.pem"))
        row = page.listed()[made.serial]
        assert row.state == "issued" and row.key and row.key in fingerprint.out, (row, fingerprint.out)
        assert row.expires.seconds - row.issued.seconds == 86400
        assert page.said("Issue", token=made.token, request=page.request()).startswith(OVER)
        assert page.code("Issue", token=made.token, request=page.request()) == STRANGER


def each_role_has_its_own():
    with Issuer() as page:
        page.root("AddUser", name="anna")
        for role, name, there, purposes in (
                ("agent", "Cvm_1.x", "spiffe://example.org/agent/Cvm_1.x", ("sslclient",)),
                ("person", "anna", "spiffe://example.org/person/anna", ("sslclient",)),
                ("manager", "vm1.example.org", "DNS:vm1.example.org", ("sslserver",)),
                ("manager", "192.0.2.7", "IP Address:192.0.2.7", ("sslserver",)),
                ("service", "localhost", "DNS:localhost", ("sslserver", "sslclient"))):
            pem = page.issue(page.token(name, role).token).certificate
            text = openssl("x509", "-noout", "-text", stdin=pem.encode()).decode()
            assert there in text and f"URI:spiffe://example.org/{role}/{name}" in text, text
            for purpose in ("sslserver", "sslclient"):
                assert (": OK" in page.verify(pem, "-purpose", purpose)) == (purpose in purposes), (role, purpose)
        for name in ("vm1.example.org", "localhost"):
            assert f"does match" in openssl("x509", "-noout", "-checkhost", name, stdin=page.issue(
                page.token(name, "manager").token).certificate.encode()).decode()
        for role, bad in (("agent", ("", "a b", "a,b", "a/b", "..", ".", "ä", "a:b", "x" * 64)),
                          ("person", ("bert", "Anna", "")),
                          ("manager", ("", "Vm1", "-a", "a-", "a..b", "a.", "1.2.3", "256.1.1.1", "*.example.org", "a" * 64)),
                          ("root", ("a",)), ("", ("a",))):
            for name in bad:
                assert page.code("AddToken", name=name, role=role) in (INVALID, NOT_NOW), (role, name)
        for role, days in (("agent", 7), ("person", 30), ("manager", 90), ("service", 90)):
            name = "anna" if role == "person" else "a"
            assert page.code("AddToken", name=name, role=role, days=days, hours=168) == OK
            assert page.code("AddToken", name=name, role=role, days=days + 1) == INVALID
            assert page.code("AddToken", name=name, role=role, hours=169) == INVALID


def what_a_request_asks_for_is_not_given():
    with Issuer() as page:
        token = page.token().token
        good = page.request()
        forms = {
            "another name": (page.request(subject="/CN=cvm-2"), INVALID, "names another than cvm-1"),
            "two names": (page.request(subject="/CN=cvm-1/CN=cvm-2"), INVALID, "names another than cvm-1"),
            "another attribute": (page.request(subject="/O=cvm-1"), INVALID, "names another than cvm-1"),
            "an authority": (page.request("-addext", "basicConstraints=critical,CA:TRUE"), INVALID, MORE),
            "other names beside": (page.request("-addext", "subjectAltName=DNS:manager"), INVALID, MORE),
            "another use": (page.request("-addext", "extendedKeyUsage=serverAuth"), INVALID, MORE),
            "RSA of 1024": (page.request(kind=("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")), INVALID,
                            "an RSA key of 1024 bits"),
            "secp256k1": (page.request(kind=("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1")), INVALID,
                          "on P-256, P-384 or P-521"),
            "Ed448": (page.request(kind=("-algorithm", "ED448"), digest="-sha512"), INVALID, "signed in another way"),
            "SHA-1": (page.request(digest="-sha1"), INVALID, "signed in another way"),
            "not its key": (good[:-4] + bytes([good[-4] ^ 1]) + good[-3:], grpc.StatusCode.PERMISSION_DENIED,
                            "not signed by the key"),
            "more behind": (good + b"\0", INVALID, "not a certificate request"),
            "half": (good[:len(good) // 2], INVALID, "not a certificate request"),
            "nothing": (b"", INVALID, "of 0 bytes"),
            "PEM": (openssl("req", "-inform", "DER", stdin=good), INVALID, "not a certificate request"),
            "too much": (b"\x30" * 4097, INVALID, "of 4097 bytes; wanted 1 to 4096"),
        }
        for what, (request, code, words) in forms.items():
            assert page.code("Issue", token=token, request=request) == code, what
            assert words in page.said("Issue", token=token, request=request), (what, page.said("Issue", token=token, request=request))
        # None of these has used it up.
        assert ": OK" in page.verify(page.issue(token, page.request(subject="/CN=cvm-1")).certificate)


def other_keys_are_fine():
    with Issuer() as page:
        for kind, digest in ((("-algorithm", "ED25519"), "-sha256"),
                             (("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"), "-sha384"),
                             (("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"), "-sha256")):
            assert ": OK" in page.verify(page.issue(page.token().token, page.request(kind=kind, digest=digest)).certificate)
        large = page.request(kind=("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4104"))
        assert "an RSA key of 4104 bits; the limit is 4096" in page.said("Issue", token=page.token().token, request=large)


def what_is_over_is_over():
    with Issuer() as page:
        ended, revoked, good = page.token(), page.token(), page.token()
        page.call("Revoke", serial=revoked.serial)
        page.change(f"UPDATE certificates SET until = until - 3600000 WHERE serial = '{ended.serial}'")
        for token in (ended.token, revoked.token, "", "x", "0" * 64, good.token.upper(), good.token + "0", good.token[:-1]):
            assert page.code("Issue", token=token, request=page.request()) == STRANGER, token
            assert page.said("Issue", token=token, request=page.request()).startswith(OVER), token
        states = {serial: c.state for serial, c in page.listed().items()}
        assert states == {ended.serial: "ended", revoked.serial: "revoked", good.serial: "open"}, states
        for serial in (ended.serial, revoked.serial, "0" * 32, "", "'"):
            assert page.code("Revoke", serial=serial) == GONE, serial
        page.issue(good.token)


def it_ends_with_whom_it_is_of():
    with Issuer() as page:
        page.root("AddUser", name="anna")
        page.root("AddUser", name="chief", administrator=True)
        chief = page.root("AddToken", user="chief", name="t").token
        of_anna, by_chief = page.token("anna", "person"), page.token(by=chief)
        assert page.listed()[by_chief.serial].maker == "chief"
        page.root("SuspendUser", name="anna")
        assert page.code("AddToken", name="anna", role="person") == NOT_NOW
        assert page.said("Issue", token=of_anna.token, request=page.request()).startswith(OVER)
        page.root("SuspendUser", name="anna", resume=True)
        page.issue(of_anna.token)
        page.root("SuspendUser", name="chief")
        assert page.said("Issue", token=by_chief.token, request=page.request()).startswith(OVER)
        page.root("SuspendUser", name="chief", resume=True)
        other = page.token(by=chief)
        page.root("RemoveUser", name="chief")
        assert page.said("Issue", token=other.token, request=page.request()).startswith(OVER)


def who_may_do_what():
    with Issuer() as page:
        page.root("AddUser", name="anna")
        page.root("AddUser", name="chief", administrator=True)
        anna = page.root("AddToken", user="anna", name="t").token
        chief = page.root("AddToken", user="chief", name="t").token
        narrow = page.root("AddToken", user="chief", name="n", actions=["view"]).token
        open_one = page.token()
        for token in (anna, narrow):
            for method, fields in (("AddToken", {"name": "a", "role": "agent"}), ("List", {}),
                                   ("Revoke", {"serial": open_one.serial})):
                assert page.code(method, by=token, **fields) == DENIED, (method, token == anna)
        assert page.code("AddToken", by="cocos_" + "0" * 64, name="a", role="agent") == STRANGER
        page.call("AddToken", by=chief, name="a", role="agent")
        # Not even of an administrator, for another person: that is to be this person, in all.
        other = page.root("AddToken", user="chief", name="o", actions=["view", "administrator"]).token
        assert page.code("AddToken", by=other, name="anna", role="person") == DENIED
        assert len(page.call("List", by=chief).certificates) == 2
        page.call("Revoke", by=chief, serial=open_one.serial)
        # For these nobody has to be known.
        assert page.call("Authority").certificate == open(page.keys("ca.pem")).read()
        assert page.code("Authority", by=anna) == OK
        rows = [json.loads(row) for row in page.root("Audit").rows]
        rows = [(row["what"].rsplit("/", 1)[-1], row.get("outcome", "")) for row in rows if "Certificate" in row["what"]]
        refused = [(method, "PERMISSION_DENIED") for method in ("AddToken", "List", "Revoke")] * 2
        assert rows == [("AddToken", "OK"), *refused, ("AddToken", "UNAUTHENTICATED"), ("AddToken", "OK"),
                        ("AddToken", "PERMISSION_DENIED"), ("Revoke", "OK")], rows


def the_audit_log_says_who_got_what():
    with Issuer() as page:
        made = page.token()
        page.code("Issue", token=made.token, request=page.request(subject="/CN=x"))
        page.issue(made.token)
        page.call("Revoke", serial=made.serial)
        rows = [json.loads(row) for row in page.root("Audit").rows]
        key = page.listed()[made.serial].key
        assert [(r["what"].rsplit("/", 1)[-1], r["object"], r.get("before", ""), r.get("after", "")) for r in rows
                if r.get("outcome") == "OK"] == [
            ("AddToken", f"certificate {made.serial}", "", "open, for agent cvm-1, 1 days"),
            ("Issue", f"certificate {made.serial}", "open", f"issued to agent cvm-1, key {key}"),
            ("Revoke", f"certificate {made.serial}", "issued, of agent cvm-1", "revoked")], rows
        assert made.token not in json.dumps(rows)


def exactly_one_wins():
    with Issuer() as page:
        token = page.token().token
        requests = [page.request(name=f"k{i}") for i in range(16)]
        got, barrier = [], threading.Barrier(len(requests))

        def take(request):
            barrier.wait()
            got.append(page.code("Issue", token=token, request=request))

        threads = [threading.Thread(target=take, args=(r,)) for r in requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(str, got)) == sorted(map(str, [OK] + [STRANGER] * 15)), got
        assert [c.state for c in page.listed().values()] == ["issued"]


def number_of(path):
    text = openssl("crl", "-in", path, "-noout", "-crlnumber").decode()
    return int(text.split("=")[1].strip(), 16)


def the_list_has_who_is_revoked():
    with Issuer() as page:
        good, bad = page.issue(page.token("a").token), page.issue(page.token("b").token)
        first = number_of(page.list())
        assert number_of(page.list()) == first  # nobody makes us sign by asking
        text = openssl("crl", "-in", page.list(), "-noout", "-text", "-CAfile", page.keys("ca.pem")).decode()
        assert "No Revoked Certificates" in text and "X509v3 Authority Key Identifier" in text, text
        page.call("Revoke", serial=bad.serial)
        second = number_of(page.list())
        assert second > first
        assert "certificate revoked" in page.verify(bad.certificate)
        assert ": OK" in page.verify(good.certificate)
        assert bad.serial.upper() in openssl("crl", "-in", page.list(), "-noout", "-text").decode()
        assert page.call("Authority").list == openssl("crl", "-in", page.list(), "-outform", "DER")
        # A token that nobody used has no certificate to revoke.
        page.call("Revoke", serial=page.token("c").serial)
        third = number_of(page.list())
        assert third > second and ": OK" in page.verify(good.certificate)
        # Six hours later; what has ended need not be told; the clock that numbers come from stands still meanwhile.
        page.change("UPDATE certificate_lists SET fresh = 1")
        fourth = number_of(page.list())
        assert fourth > third and "certificate revoked" in page.verify(bad.certificate)
        page.change(f"UPDATE certificates SET until = 1000 WHERE serial = '{bad.serial}'")
        page.change("UPDATE certificate_lists SET fresh = 0")
        assert "No Revoked" in openssl("crl", "-in", page.list(), "-noout", "-text").decode()
        # A database of last week: its number is no smaller than the clock says.
        page.change("UPDATE certificate_lists SET fresh = 0, number = 7")
        assert number_of(page.list()) >= first


def the_page_gives_what_everybody_may_have():
    with Issuer() as page:
        b = page.browser()
        pem = b.get("/ca.pem")
        assert pem.status == 200 and pem.body.decode() == open(page.keys("ca.pem")).read()
        assert b.ask("POST", "/ca.crl", b"").status == 405
        assert b.get("/ca.crl?x=1").status == 400
    with Page() as page:
        assert page.browser().get("/ca.crl").status == 404 and page.browser().get("/ca.pem").status == 404


def without_an_authority_nothing_is_issued():
    with Page() as page:
        for command in (["token", "agent", "a"], ["list"], ["revoke", "0" * 32], ["authority"]):
            ran = cli("certificate", *command, **page.cli)
            assert ran.status == 1 and "this service issues no certificates" in ran.err, ran.err
            assert "--make-ca" in ran.err


def commands_do_all_of_it():
    with Issuer() as page, Folder() as folder:
        cli("certificate", "token", "agent", "a", "--days", "8", **page.cli).refused(
            1, "a certificate for role agent is for at most 7 days, not 8")
        remedy = lost("'cocos-cli certificate revoke [0-9a-f]{32}'", "certificate", "token", "agent", "unseen", **page.cli)
        cli(*remedy.strip("'").split()[1:], **page.cli).ok()
        made = cli("certificate", "token", "manager", "vm1.example.org", "--days", "5", "--hours", "2", **page.cli)
        assert made.status == 0 and re.fullmatch("[0-9a-f]{64}\n", made.out), made.err
        serial = re.search("for certificate ([0-9a-f]{32})", made.err)[1]
        stored = folder.write("token", made.out, 0o600)

        def issue(*more, token=stored):
            with open(token, "rb") as stdin:
                return cli("certificate", "issue", "key.pem", "cert.pem", "--stdin", *more, cwd=folder.path, stdin=stdin,
                           **page.cli)

        wrong = issue(token=folder.write("wrong", "0" * 64 + "\n"))
        assert wrong.status == 1 and OVER in wrong.err and "certificate token" in wrong.err, wrong.err
        assert not os.path.exists(folder("key.pem")) and not os.path.exists(folder("cert.pem"))
        # What can't be written is known before the token is used up.
        for more in (("--ca", "nowhere/ca.pem"), ("--ca", "key.pem"), ("--ca", "cert.pem")):
            refused = issue(*more)
            assert refused.status == 1 and "revoke" not in refused.err and refused.err.count("\n") == 1, refused.err
            assert not any(os.path.exists(folder(name)) for name in ("key.pem", "cert.pem", "ca.pem")), more
        got = issue("--ca", "ca.pem")
        assert got.status == 0 and f"certificate {serial} of manager vm1.example.org until" in got.out, got.err
        assert os.stat(folder("key.pem")).st_mode & 0o777 == 0o600
        assert open(folder("ca.pem")).read() == open(page.keys("ca.pem")).read()
        pem = open(folder("cert.pem")).read()
        assert ": OK" in page.verify(pem, "-purpose", "sslserver", "-verify_hostname", "vm1.example.org")
        assert openssl("x509", "-in", folder("cert.pem"), "-noout", "-pubkey") == openssl("pkey", "-in", folder("key.pem"), "-pubout")
        again = issue()
        assert again.status == 1 and "there is a key.pem already" in again.err, again.err
        shown = cli("certificate", "list", "-o", "wide", **page.cli)
        assert serial in shown.out and "vm1.example.org" in shown.out and "issued" in shown.out, shown.out
        assert cli("certificate", "revoke", serial + "0" * 64, **page.cli).status == 1
        # As other programs print a serial number.
        printed_so = ":".join(re.findall("..", serial.upper()))
        ended = cli("certificate", "revoke", printed_so, **page.cli)
        assert ended.status == 0 and ended.out == f"certificate {serial} revoked\n", ended.err
        twice = cli("certificate", "revoke", serial, **page.cli)
        assert twice.status == 1 and "certificate list" in twice.err, twice.err
        assert "certificate revoked" in page.verify(pem)
        assert cli("certificate", "authority", **page.cli).out == open(page.keys("ca.pem")).read()
        assert cli("certificate", "authority", "--list", "-o", folder("crl"), **page.cli).status == 0
        assert serial.upper() in openssl("crl", "-inform", "DER", "-in", folder("crl"), "-noout", "-text").decode()
        for key in ("ecdsa", "ed25519"):
            token = folder.write("t", cli("certificate", "token", "agent", "cvm-" + key, **page.cli).out)
            with open(token, "rb") as stdin:
                ran = cli("certificate", "issue", key + ".key", key + ".crt", "--stdin", "-k", key, cwd=folder.path,
                          stdin=stdin, **page.cli)
            assert ran.status == 0, ran.err
        for words in (["token", "agent"], ["token", "agent", "a", "--days", "0"], ["token", "agent", "a", "--hours", "x"],
                      ["issue", "k"], ["revoke"]):
            assert cli("certificate", *words, **page.cli).status == 2, words


def secrets_are_not_kept():
    with Issuer() as page:
        made = page.token()
        used = page.token()
        page.issue(used.token)
        page.service.channel.close()
        page.service.process.kill()
        state = page.service.folder("state")
        kept = b"".join(open(os.path.join(state, name), "rb").read() for name in os.listdir(state)
                        if os.path.isfile(os.path.join(state, name)))
        for secret in (made.token, used.token):
            assert secret.encode() not in kept and bytes.fromhex(secret) not in kept
            assert secret not in page.service.process.text()
        page.service.start()
        page.service.process.wait_line(r"page: port (\d+) of this machine")
        # It outlives kill -9, and so does that the other was used.
        assert page.said("Issue", token=used.token, request=page.request()).startswith(OVER)
        assert page.issue(made.token).serial == made.serial


def a_backup_brings_no_token_back():
    with Issuer() as page, Folder() as folder:
        page.token()
        bad = page.issue(page.token().token)
        page.call("Revoke", serial=bad.serial)

        def run(state, *arguments):
            config = folder.write("b.conf", f"COMPUTATIONS_STATE_DIR={state}\n")
            subprocess.run([program("cocos-computations"), "--config", config, *arguments], check=True, timeout=PATIENCE,
                           capture_output=True)

        run(page.service.folder("state"), "--backup", folder("backup"))
        os.mkdir(folder("state"), 0o700)
        run(folder("state"), "--restore", folder("backup"))
        database = sqlite3.connect(folder("state", "computations.db"))
        rows = database.execute("SELECT serial, revoked > 0 FROM certificates").fetchall()
        database.close()
        assert rows == [(bad.serial, 1)], rows


if __name__ == "__main__":
    tap.run([an_authority_is_made_once,
             what_is_no_authority_is_refused_at_the_start,
             a_token_is_worth_one_certificate,
             each_role_has_its_own,
             what_a_request_asks_for_is_not_given,
             other_keys_are_fine,
             what_is_over_is_over,
             it_ends_with_whom_it_is_of,
             who_may_do_what,
             the_audit_log_says_who_got_what,
             exactly_one_wins,
             the_list_has_who_is_revoked,
             the_page_gives_what_everybody_may_have,
             without_an_authority_nothing_is_issued,
             commands_do_all_of_it,
             secrets_are_not_kept,
             a_backup_brings_no_token_back])
