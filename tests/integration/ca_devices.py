#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The service's authority with its key in a device: a token of SoftHSM, a TPM (swtpm). What it signs is judged by the openssl
command; the device goes, hangs, comes back, has another key, or refuses the PIN."""
import contextlib
import os
import re
import signal
import subprocess

import grpc

import tap
from agent_tpm import Tpm
from certificate_renew import first, renew
from certificates import Issuer, check, ended_certificate, openssl, printed
from harness import PATIENCE, Folder, cli, program, read, until
from people import OK
from revocation_room import PAGE, Service as Room

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
AWAY = grpc.StatusCode.UNAVAILABLE


class Hsm:
    """A token of its own, which programs find by their home."""

    def __init__(self, label="cocos"):
        self.label = label

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        self.folder = self.stack.enter_context(Folder())
        home = os.environ.get("HOME", "/")
        self.stack.callback(os.environ.__setitem__, "HOME", home)
        os.environ["HOME"] = self.folder("home")
        self.tokens = self.folder("tokens")
        os.makedirs(self.folder("home") + "/.config/softhsm2")
        os.mkdir(self.tokens)
        with open(self.folder("home") + "/.config/softhsm2/softhsm2.conf", "w", encoding="utf-8") as file:
            file.write(f"directories.tokendir = {self.tokens}\n")
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", self.label, "--so-pin", "87654321", "--pin",
                        "123456"], check=True, capture_output=True, timeout=PATIENCE)
        self.pin("123456")
        return self

    def __exit__(self, *about):
        return self.stack.__exit__(*about)

    def pin(self, text):
        path = self.folder.write("pin", text + "\n")
        os.chmod(path, 0o600)

    def where(self, name="authority"):
        return f"pkcs11:token={self.label};object={name}?module-path={MODULE}&pin-source={self.folder('pin')}"

    def go(self):
        os.rename(self.tokens, self.tokens + ".away")

    def come(self):
        os.rename(self.tokens + ".away", self.tokens)

    def login(self):
        return subprocess.run(["pkcs11-tool", "--module", MODULE, "--token-label", self.label, "--login", "--pin", "123456",
                               "--list-objects", "--type", "privkey"], check=True, capture_output=True, text=True,
                              timeout=PATIENCE).stdout


class Chip:
    """A TPM with a key at a handle, or (`path`) in a file."""

    def __init__(self, is_file=False):
        self.is_file = is_file

    def __enter__(self):
        self.tpm, self.folder = Tpm("sha256"), Folder().__enter__()
        return self

    def __exit__(self, *about):
        self.tpm.process.send_signal(signal.SIGCONT)
        self.tpm.remove()
        self.folder.__exit__(*about)

    def where(self, name=1):
        place = self.folder(f"{name}.tpm") if self.is_file else f"0x8101000{name}"
        return f"tpm:{place}?tcti={self.tpm.tcti}"

    def go(self):
        self.tpm.process.send_signal(signal.SIGSTOP)

    def come(self):
        self.tpm.process.send_signal(signal.SIGCONT)


def make(folder, where, name="example.org", cert="ca.pem"):
    config = folder.write("make.conf", f"COMPUTATIONS_CA_CERT={folder(cert)}\nCOMPUTATIONS_CA_KEY={where}\n")
    return subprocess.run([program("cocos-computations"), "--config", config, "--make-ca", name], capture_output=True, text=True,
                          check=False, timeout=PATIENCE)


def config(folder, where, cert="ca.pem"):
    return folder.write("check.conf", f"COMPUTATIONS_STATE_DIR={folder('state')}\nCOMPUTATIONS_GRPC_PORT=0\n"
                                      f"COMPUTATIONS_ADMIN_SOCKET={folder('s')}\nCOMPUTATIONS_CA_CERT={folder(cert)}\n"
                                      f"COMPUTATIONS_CA_KEY={where}\n")


class Service(Issuer):
    """A service whose authority's key is in that device."""

    def __init__(self, device, **settings):
        super().__init__(METRICS="127.0.0.1:0", **settings)
        self.device = device

    def __enter__(self):
        self.keys = Folder().__enter__()
        made = make(self.keys, self.device.where())
        assert made.returncode == 0 and "a new key" in made.stdout and not made.stderr, made.stderr
        self.settings.update(CA_CERT=self.keys("ca.pem"), CA_KEY=self.device.where())
        return super(Issuer, self).__enter__()

    def told(self, path="/metrics"):
        port = int(self.service.process.wait_line(r"metrics: listening on .*, port (\d+),")[1])
        return subprocess.run(["curl", "-sS", f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True,
                              timeout=PATIENCE).stdout

    # A device that this machine keeps from answering for 5 s is told as one that is away: whoever wants something comes again.

    def issue(self, token, request=None):
        request = request or self.request()

        def issued():
            try:
                return super(Service, self).issue(token, request)
            except grpc.RpcError as why:
                if why.code() != AWAY:
                    raise
                return None
        return until(issued, "a certificate")

    def list(self):
        until(lambda: self.browser().get("/ca.crl").status != 503, "a list")
        return super().list()

    def signs(self):
        return 'cocos_computations_ca_key_signs{authority="now"} 1' in self.told().splitlines()

    def status(self, issued):
        path = self.keys.write("asked.pem", issued.certificate)
        said = openssl("ocsp", "-issuer", self.keys("ca.pem"), "-CAfile", self.keys("ca.pem"), "-cert", path, "-url",
                       f"http://127.0.0.1:{self.port}/ocsp", fails=True).decode()
        assert "Response verify OK" in said, said
        return said


def issues_and_revokes(device):
    with device, Service(device) as page:
        text = printed("-in", page.keys("ca.pem"))
        assert "CN=example.org" in text and "ecdsa-with-SHA256" in text and "P-256" in text, text
        openssl("verify", "-x509_strict", "-CAfile", page.keys("ca.pem"), page.keys("ca.pem"))
        assert not any("PRIVATE" in open(os.path.join(page.keys.path, name), encoding="utf-8").read()
                       for name in os.listdir(page.keys.path) if name.startswith("ca"))
        good, bad = page.issue(page.token().token), page.issue(page.token("cvm-2").token)
        assert ": OK" in page.verify(good.certificate) and ": OK" in page.verify(bad.certificate)
        assert "asked.pem: good" in page.status(good)
        page.call("Revoke", serial=bad.serial)
        assert ": OK" in page.verify(good.certificate)
        assert "certificate revoked" in page.verify(bad.certificate)
        assert "asked.pem: revoked" in page.status(bad)
        assert page.signs()
        page.again()
        assert ": OK" in page.verify(page.issue(page.token("cvm-3").token).certificate)
        assert "asked.pem: revoked" in page.status(bad) and "certificate revoked" in page.verify(bad.certificate)


def a_token_issues_and_revokes():
    issues_and_revokes(Hsm())


def a_tpm_issues_and_revokes():
    issues_and_revokes(Chip())
    issues_and_revokes(Chip(is_file=True))


def goes_and_comes_back(device, words):
    with device, Service(device) as page:
        good, bad = page.issue(page.token().token), page.issue(page.token("cvm-2").token)
        assert "asked.pem: good" in page.status(good) and ": OK" in page.verify(good.certificate)
        waiting = page.token("cvm-3").token
        device.go()
        request = page.request()
        assert page.code("Issue", token=waiting, request=request) == AWAY
        assert words in page.said("Issue", token=waiting, request=request)
        # It says so, and all else goes on: the token waits, revocation is known, statuses are told.
        assert not page.signs() and "does not sign" in page.told("/readyz")
        assert page.browser().get("/ca.crl").status == 200
        page.call("Revoke", serial=bad.serial)
        assert page.listed()[bad.serial].state == "revoked"
        assert "asked.pem: revoked" in page.status(bad) and "asked.pem: good" in page.status(good)
        # A list without it would be a lie.
        assert page.browser().get("/ca.crl").status == 503
        page.root("AddUser", name="anna")
        # The service also starts so.
        if not isinstance(device, Chip):
            page.again()
            assert not page.signs()
            assert page.code("Issue", token=waiting, request=request) == AWAY
        device.come()
        until(page.signs, "the device")
        assert "does not sign" not in page.told("/readyz")
        assert ": OK" in page.verify(page.issue(waiting, request).certificate)
        assert "certificate revoked" in page.verify(bad.certificate)


def an_authority_follows_another():
    """From a file to a token: what the old one has issued is good to its end, in lists and answers of its own."""
    with Hsm() as hsm, Issuer(CA_URL="http://ca.example.org") as page:
        def list_of(issued):
            text = printed(stdin=issued.certificate.encode())
            found = re.search(r"URI:http://ca.example.org(/ca/[0-9a-f]{16}\.crl)", text)
            answer = page.browser().get(found[1])
            assert answer.status == 200, answer.body
            return page.keys.write("crl.pem", openssl("crl", "-inform", "DER", "-outform", "PEM", stdin=answer.body))

        def judged(issued, authority):
            path = page.keys.write("judged.pem", issued.certificate)
            chain = openssl("verify", "-x509_strict", "-CAfile", page.keys(authority), "-CRLfile", list_of(issued), "-crl_check",
                            path, fails=True).decode()
            said = openssl("ocsp", "-issuer", page.keys(authority), "-CAfile", page.keys(authority), "-cert", path, "-url",
                           f"http://127.0.0.1:{page.port}/ocsp", fails=True).decode()
            assert "Response verify OK" in said, said
            good, bad = "judged.pem: good" in said, "judged.pem: revoked" in said
            assert (good, bad) == (": OK" in chain, "certificate revoked" in chain), (said, chain)
            return good

        def by_command(issued, key, new):
            """What 'cocos-cli certificate renew' says beside the new files."""
            page.keys.write("held.pem", issued.certificate)
            return cli("certificate", "renew", key, "held.pem", new + ".pem", new + "-key.pem", "--ca", new + "-ca.pem",
                       cwd=page.keys.path, **page.cli)

        kept, gone = first(page), first(page, "cvm-2")
        server, typed = first(page, "vm2.example.org", "manager", key="v"), first(page, "cvm-5", key="t")
        renewed, host = first(page, "cvm-3", key="r"), first(page, "vm1.example.org", "manager", key="m")
        page.call("Revoke", serial=gone.serial)
        made = make(page.keys, hsm.where(), cert="next.pem")
        assert made.returncode == 0, made.stderr
        page.service.settings.update(
            COMPUTATIONS_CA_CERT=page.keys("next.pem"), COMPUTATIONS_CA_KEY=hsm.where(),
            COMPUTATIONS_CA_OLD_CERT=page.keys("ca.pem"), COMPUTATIONS_CA_OLD_KEY=page.keys("ca-key.pem"))
        page.again()
        assert judged(kept, "ca.pem") and not judged(gone, "ca.pem")
        fresh = page.issue(page.token("cvm-4").token)
        assert judged(fresh, "next.pem")
        # What comes next of a line is the next one's, and a line is revoked whole, in both lists; but an agent knows one alone.
        for before, key, authority in ((renewed, "r", "ca.pem"), (host, "m", "next.pem")):
            following = renew(page, before.serial, key, key + "2")
            assert following.authority == read(page.keys(authority)).decode()
            assert judged(following, authority) and judged(before, "ca.pem")
            page.call("Revoke", serial=before.serial)
            assert not judged(following, authority) and not judged(before, "ca.pem")
        # The command takes both, and says so where whoever relies on it has another one to trust.
        for before, key, authority, is_next in ((server, "v.pem", "next.pem", True), (typed, "t.pem", "ca.pem", False)):
            ran = by_command(before, key, key + "-new")
            assert "written to" in ran.ok() and ("has to trust that, too" in ran.err) == is_next, ran.err
            assert read(page.keys(key + "-new-ca.pem")) == read(page.keys(authority))
        assert judged(kept, "ca.pem") and judged(fresh, "next.pem")
        # Where a list is can be told from its authority's certificate.
        for name in ("ca.pem", "next.pem"):
            public = page.keys.write("public.pem", openssl("x509", "-in", page.keys(name), "-noout", "-pubkey"))
            digits = cli("key", "fingerprint", public).ok()[:16]
            assert page.browser().get(f"/ca/{digits}.crl").status == 200
        # Nobody else's.
        assert page.browser().get("/ca/0123456789abcdef.crl").status == 404
        # Where the old one is set no more it is nobody's.
        for name in ("COMPUTATIONS_CA_OLD_CERT", "COMPUTATIONS_CA_OLD_KEY"):
            del page.service.settings[name]
        page.again()
        page.service.process.wait_line(r"certificates of an authority that is not set have not ended, [1-9]\d* of them revoked")
        assert judged(fresh, "next.pem")


def who_follows_is_another_of_the_same_name():
    with Folder() as folder:
        for cert, name in (("ca.pem", "example.org"), ("next.pem", "example.org"), ("other.pem", "example.com")):
            assert make(folder, folder(cert + ".key"), name, cert).returncode == 0

        def old(cert, key=None):
            path = config(folder, folder("next.pem.key"), "next.pem")
            with open(path, "a", encoding="utf-8") as file:
                file.write(f"COMPUTATIONS_CA_OLD_CERT={folder(cert)}\nCOMPUTATIONS_CA_OLD_KEY={key or folder(cert + '.key')}\n")
            return path

        assert "; the one of before until 20" in check(old("ca.pem"))
        # It ends while the service runs, which starts again all the same.
        folder.write("ended.pem", ended_certificate(folder("ca.pem.key")))
        assert "; the one of before until 20" in check(old("ended.pem", folder("ca.pem.key")))
        check(old("other.pem"), "one service has one trust domain")
        check(old("next.pem"), "has a key of its own")
        check(old("ca.pem", folder("other.pem.key")), "COMPUTATIONS_CA_OLD_KEY", "another certificate's")
        check(old("ca.pem", "ca.key"), "COMPUTATIONS_CA_OLD_KEY", "neither an absolute path")
        path = config(folder, folder("next.pem.key"), "next.pem")
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"COMPUTATIONS_CA_OLD_CERT={folder('ca.pem')}\n")
        check(path, "go together")


def our_listeners_know_whom_we_revoke_meanwhile():
    """A list that nobody can sign is not waited for, also not by a service that starts."""
    with Hsm() as hsm, Folder() as folder, Room(folder, CA_KEY=hsm.where()) as s:
        pem, key, serial = s.issue("cvm-1")
        staying = s.issue("cvm-2")[:2]
        assert (s.page(pem, key), s.page(*staying)) == ("200", "200")
        hsm.go()
        s.revoke(serial)
        until(lambda: s.page(pem, key) == "refused", "the page's refusal")
        assert s.page(*staying) == "503"  # it comes in, and hears that there is no list
        s.service.channel.close()
        s.service.process.finish()
        s.service.start()
        s.web = int(s.service.process.wait_line(PAGE)[1])
        assert (s.page(pem, key), s.page(*staying)) == ("refused", "503")
        hsm.come()
        until(lambda: s.page(*staying) == "200", "the list")
        assert s.page(pem, key) == "refused"


def a_token_goes_and_comes_back():
    goes_and_comes_back(Hsm(), "token: ")


def a_tpm_hangs_and_comes_back():
    goes_and_comes_back(Chip(), "does not answer")


def a_service_starts_beside_a_tpm_that_hangs():
    with Chip() as chip, Service(chip) as page:
        token = page.token().token
        chip.go()
        page.again()
        assert page.code("Issue", token=token, request=page.request()) == AWAY
        chip.come()
        until(page.signs, "the TPM")
        assert ": OK" in page.verify(page.issue(token).certificate)


def a_wrong_pin_is_tried_once():
    with Hsm() as hsm, Service(hsm) as page:
        token = page.token().token
        hsm.pin("654321")
        for _ in range(5):  # as a supervisor would
            page.again()
            assert not page.signs()
            for _ in range(3):
                assert page.code("Issue", token=token, request=page.request()) != OK
            check(config(page.keys, hsm.where()), "COMPUTATIONS_CA_KEY: the service starts, and issues nothing", "wrong PIN")
        # The token is not locked, and was not close to it.
        hsm.pin("123456")
        hsm.login()
        until(page.signs, "the token")
        assert ": OK" in page.verify(page.issue(token).certificate)


def what_is_no_key_of_it_is_refused_at_the_start():
    with Hsm() as hsm, Chip() as chip, Folder() as folder:
        assert make(folder, hsm.where()).returncode == 0
        assert make(folder, hsm.where("other"), cert="other.pem").returncode == 0
        assert make(folder, chip.where(), cert="chip.pem").returncode == 0
        assert "of example.org, until 20" in check(config(folder, hsm.where()))
        assert "of example.org, until 20" in check(config(folder, chip.where(), "chip.pem"))
        check(config(folder, hsm.where("other")), "the key is another certificate's")
        check(config(folder, chip.where()), "the key is another certificate's")
        check(config(folder, hsm.where("none")), "no private key")
        check(config(folder, chip.where(2), "chip.pem"), "no key at 0x81010002")
        check(config(folder, hsm.where() + "&pin-value=123456"), "COMPUTATIONS_CA_KEY", "the PIN itself")
        os.chmod(hsm.folder("pin"), 0o640)
        check(config(folder, hsm.where()), "chmod 600")
        os.chmod(hsm.folder("pin"), 0o600)
        ran = subprocess.run([program("cocos-computations"), "--config", config(folder, hsm.where("other"))],
                             capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert ran.returncode == 1 and "the key is another certificate's" in ran.stderr, ran.stderr


def a_key_that_is_there_is_taken():
    with Hsm() as hsm, Folder() as folder:
        subprocess.run(["pkcs11-tool", "--module", MODULE, "--token-label", "cocos", "--login", "--pin", "123456",
                        "--keypairgen", "--key-type", "EC:secp384r1", "--label", "authority", "--id", "01"], check=True,
                       capture_output=True, timeout=PATIENCE)
        made = make(folder, hsm.where())
        assert made.returncode == 0 and "the key" in made.stdout and "a new key" not in made.stdout, made.stderr
        text = printed("-in", folder("ca.pem"))
        assert "ecdsa-with-SHA384" in text and "P-384" in text, text
        openssl("verify", "-x509_strict", "-CAfile", folder("ca.pem"), folder("ca.pem"))
        assert hsm.login().count("Private Key Object") == 1
        # Once more: the certificate is there, and no key is made for nothing.
        again = make(folder, hsm.where("next"))
        assert again.returncode == 1 and "is there already" in again.stderr, again.stderr
        assert hsm.login().count("Private Key Object") == 1


if __name__ == "__main__":
    tap.run([a_token_issues_and_revokes,
             a_tpm_issues_and_revokes,
             an_authority_follows_another,
             who_follows_is_another_of_the_same_name,
             our_listeners_know_whom_we_revoke_meanwhile,
             a_token_goes_and_comes_back,
             a_tpm_hangs_and_comes_back,
             a_service_starts_beside_a_tpm_that_hangs,
             a_wrong_pin_is_tried_once,
             what_is_no_key_of_it_is_refused_at_the_start,
             a_key_that_is_there_is_taken])
