#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The status of the service's certificates: asked for by openssl, curl, GnuTLS's ocsptool and Python's cryptography, and by who
asks badly."""
import base64
import hashlib
import os
import re
import subprocess
import threading
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

import tap
from certificate_renew import first, renew
from certificates import Issuer, check, make_authority, openssl, printed
from harness import PATIENCE, Folder, read

TYPE = "application/ocsp-request"
MALFORMED, INTERNAL, TRY_LATER, UNAUTHORIZED = (bytes([0x30, 3, 0x0a, 1, n]) for n in (1, 2, 3, 6))


def der(tag, *parts):
    content = b"".join(parts)
    length = bytes([len(content)]) if len(content) < 128 else (
        lambda n: bytes([0x80 | len(n)]) + n)(len(content).to_bytes((len(content).bit_length() + 7) // 8, "big"))
    return bytes([tag]) + length + content


def authority_of(page):
    return x509.load_pem_x509_certificate(read(page.keys("ca.pem")))


def question(issued, authority, digest=hashes.SHA1, nonce=None):
    builder = ocsp.OCSPRequestBuilder().add_certificate(x509.load_pem_x509_certificate(issued.certificate.encode()), authority,
                                                        digest())
    if nonce:
        builder = builder.add_extension(x509.OCSPNonce(nonce), False)
    return builder.build().public_bytes(serialization.Encoding.DER)


class Status(Issuer):
    def post(self, body, kind=TYPE, address="127.0.0.1"):
        return self.browser(address).ask("POST", "/ocsp", body, [("content-type", kind)])

    def get(self, body, address="127.0.0.1"):
        return self.browser(address).ask("GET", "/ocsp/" + urllib.parse.quote(base64.b64encode(body).decode(), safe=""))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/ocsp"

    def openssl(self, issued, *more, digest="-sha1"):
        path = self.keys.write("asked.pem", issued.certificate)
        return openssl("ocsp", "-issuer", self.keys("ca.pem"), "-CAfile", self.keys("ca.pem"), digest, "-cert", path, "-url",
                       self.url, *more, fails=True).decode()


def openssl_believes_it():
    with Status() as page:
        good, bad = first(page), first(page, "cvm-2")
        page.call("Revoke", serial=bad.serial)
        for digest, more in (("-sha1", ()), ("-sha1", ("-no_nonce",)), ("-sha256", ())):
            said = page.openssl(good, *more, digest=digest)
            assert "Response verify OK" in said and "asked.pem: good" in said and "WARNING" not in said, (more, said)
            said = page.openssl(bad, *more, digest=digest)
            assert "Response verify OK" in said and "asked.pem: revoked" in said and "Revocation Time" in said, said
        # Of several at once, one of them unknown.
        both = page.keys.write("both.pem", good.certificate)
        said = page.openssl(bad, "-cert", both, "-serial", "0x" + "41" * 16)
        assert "both.pem: good" in said and "asked.pem: revoked" in said and "41" * 16 + ": unknown" in said, said
        # A token is none, under whose serial number nothing was issued yet.
        said = page.openssl(good, "-serial", "0x" + page.token("x").serial)
        assert ": unknown" in said, said


def the_responder_is_delegated():
    with Status() as page:
        good = first(page)
        page.openssl(good, "-respout", page.keys("answer"))
        answer = ocsp.load_der_ocsp_response(read(page.keys("answer")))
        authority = authority_of(page)
        [cert] = answer.certificates
        text = printed(stdin=cert.public_bytes(serialization.Encoding.PEM))
        for part in ("OU=status, CN=example.org", "OCSP Signing", "OCSP No Check", "CA:FALSE", "Digital Signature"):
            assert part in text, (part, text)
        assert cert.public_key() != authority.public_key() and cert.issuer == authority.subject
        assert (cert.not_valid_after - cert.not_valid_before).total_seconds() == 86400 + 300
        assert (answer.next_update - answer.this_update).total_seconds() == 3600 + 300
        # The same one signs the next answer, and another one after a start; it is on no disk.
        page.openssl(good, "-respout", page.keys("answer"))
        assert ocsp.load_der_ocsp_response(read(page.keys("answer"))).certificates == [cert]
        page.change("UPDATE certificates SET days = days")
        page.openssl(good, "-respout", page.keys("answer"))
        assert ocsp.load_der_ocsp_response(read(page.keys("answer"))).certificates != [cert]
        # What it is for is not to be a client or a server here.
        path = page.keys.write("responder.pem", cert.public_bytes(serialization.Encoding.PEM))
        for purpose in ("sslclient", "sslserver"):
            said = openssl("verify", "-CAfile", page.keys("ca.pem"), "-purpose", purpose, path, fails=True).decode()
            assert "unsuitable certificate purpose" in said, said


def a_get_may_be_kept_for_a_while():
    with Status() as page:
        good = first(page)
        authority = authority_of(page)
        for digest in (hashes.SHA1, hashes.SHA256):
            answer = page.get(question(good, authority, digest))
            assert answer.status == 200 and answer.fields["content-type"] == "application/ocsp-response", answer.fields
            parsed = ocsp.load_der_ocsp_response(answer.body)
            assert parsed.certificate_status == ocsp.OCSPCertStatus.GOOD
            assert parsed.serial_number == int(good.serial, 16)
            headers = answer.fields
            assert headers["cache-control"] == "max-age=300, public, no-transform, must-revalidate", headers
            assert headers["last-modified"] == parsed.this_update.strftime("%a, %d %b %Y %H:%M:%S GMT"), headers
            assert headers["expires"] == parsed.next_update.strftime("%a, %d %b %Y %H:%M:%S GMT"), headers
            assert headers["etag"] == '"' + hashlib.sha256(answer.body).hexdigest() + '"', headers
        # Nobody keeps one that has a nonce, or was posted, or is none.
        asked = question(good, authority, nonce=b"n" * 16)
        for answer in (page.get(asked), page.post(asked), page.post(question(good, authority)), page.get(b"")):
            assert answer.fields["cache-control"] == "no-store", answer.fields
        # With curl, the base64's slashes as they are, and behind a %.
        for tries in range(200):
            issued = first(page, key=f"k{tries}")
            text = base64.b64encode(question(issued, authority)).decode()
            if "/" in text:
                break
        for spelt in (text, urllib.parse.quote(text, safe=""), urllib.parse.quote(text, safe="/")):
            ran = subprocess.run(["curl", "-sS", "--path-as-is", "--max-time", str(PATIENCE), page.url + "/" + spelt],
                                 capture_output=True, check=True)
            parsed = ocsp.load_der_ocsp_response(ran.stdout)
            assert parsed.certificate_status == ocsp.OCSPCertStatus.GOOD, spelt
        for path, status in (("/ocsp/?x=1", 400), ("/ocsp/", 400), ("/ocsp/a?x", 400), ("/ocsp", 405), ("/ocsp/" + "A" * 5000, 414)):
            assert page.browser().ask("GET", path).status == status, path


def gnutls_believes_it():
    with Status() as page:
        good, bad = first(page), first(page, "cvm-2")
        page.call("Revoke", serial=bad.serial)
        for issued, status in ((good, "good"), (bad, "revoked")):
            path = page.keys.write("cert.pem", issued.certificate)
            ran = subprocess.run(["ocsptool", "--ask=" + page.url, "--load-cert", path, "--load-issuer", page.keys("ca.pem"),
                                  "--nonce", "--load-trust", page.keys("ca.pem")], capture_output=True, text=True, check=False,
                                 timeout=PATIENCE)
            said = ran.stdout + ran.stderr
            assert f"Certificate Status: {status}" in said and "Verifying OCSP Response: Success" in said, said


def all_of_a_line_are_revoked():
    with Status() as page:
        one = first(page)
        two = renew(page, one.serial, "k", "k2")
        assert ": good" in page.openssl(one) and ": good" in page.openssl(two)
        page.call("Revoke", serial=one.serial)
        for issued in (one, two):
            assert "asked.pem: revoked" in page.openssl(issued)
        # Also when it has ended.
        page.change("UPDATE certificates SET until = issued + 1")
        assert "asked.pem: revoked" in page.openssl(two)


def nonces_come_back_as_they_were():
    with Status() as page:
        good = first(page)
        authority = authority_of(page)
        for length in (1, 16, 32, 33, 127, 128):
            nonce = os.urandom(length)
            for answer in (page.post(question(good, authority, nonce=nonce)), page.get(question(good, authority, nonce=nonce))):
                parsed = ocsp.load_der_ocsp_response(answer.body)
                [said] = parsed.extensions
                assert said.value.nonce in (nonce, der(4, nonce)), (length, said)
                # The extension's OCTET STRING is within another one.
                assert der(4, der(4, nonce)) in answer.body or der(4, nonce) in answer.body
        assert page.post(question(good, authority, nonce=os.urandom(129))).body == MALFORMED
        # An answer of another question has not this one's nonce: openssl sees it.
        page.openssl(good, "-respout", page.keys("old"))
        page.keys.write("asked.pem", good.certificate)
        openssl("ocsp", "-issuer", page.keys("ca.pem"), "-cert", page.keys("asked.pem"), "-reqout", page.keys("new"), fails=True)
        said = openssl("ocsp", "-issuer", page.keys("ca.pem"), "-CAfile", page.keys("ca.pem"), "-no_nonce", "-reqin", page.keys("new"),
                       "-respin", page.keys("old"), fails=True).decode()
        assert "Nonce Verify error" in said, said


def what_is_no_question_is_refused():
    with Status() as page, Folder() as other:
        good = first(page)
        asked = question(good, authority_of(page))
        for cut in range(len(asked)):
            assert page.post(asked[:cut], address=f"127.0.1.{cut % 250 + 1}").body == MALFORMED, cut
        for bad in (asked + b"\0", b"\x30\x80" + asked[2:], b"\x30" * 4096, bytes(4096), os.urandom(4096), b"-----BEGIN"):
            assert page.post(bad).body == MALFORMED
        assert page.post(bytes(4097)).status == 413
        assert page.post(asked, kind="application/json").status == 415
        assert page.browser().ask("GET", "/ocsp/!!!!").body == MALFORMED
        assert page.browser().ask("GET", "/ocsp/" + base64.b64encode(asked).decode().rstrip("=")[:-1]).body == MALFORMED
        one = asked[asked.index(b"\x30\x09\x06\x05") - 2:]
        one = der(0x30, one)
        eight, nine = (der(0x30, der(0x30, der(0x30, *[one] * n))) for n in (8, 9))
        assert len(list(ocsp.load_der_ocsp_response(page.post(eight).body).responses)) == 8
        assert page.post(nine).body == MALFORMED
        # Another authority's certificate, of the same name; and by a hash that nobody uses.
        make_authority(other)
        stranger = x509.load_pem_x509_certificate(read(other("ca.pem")))
        for digest in (hashes.SHA1, hashes.SHA256):
            assert page.post(question(good, stranger, digest)).body == UNAUTHORIZED
        for digest in (hashes.SHA384, hashes.SHA512):
            assert page.post(question(good, authority_of(page), digest)).body == UNAUTHORIZED
        assert "asked.pem: good" in page.openssl(good)


def one_address_asks_so_often():
    with Status() as page:
        asked, got = question(first(page), authority_of(page)), []

        def take():
            while TRY_LATER not in got and len(got) < 10000:
                got.append(page.post(asked).body)

        threads = [threading.Thread(target=take) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        answered = [body for body in got if body != TRY_LATER]
        assert TRY_LATER in got and len(answered) >= 100, (len(got), len(answered))
        assert all(ocsp.load_der_ocsp_response(body).certificate_status == ocsp.OCSPCertStatus.GOOD for body in answered)
        # Another one is answered.
        assert page.post(asked, address="127.0.0.9").body != TRY_LATER


def certificates_say_where():
    with Status(CA_URL="http://ca.example.org/cocos") as page:
        text = printed(stdin=first(page).certificate.encode())
        assert re.search(r"OCSP - URI:http://ca\.example\.org/cocos/ocsp\n", text), text
        assert re.search(r"Full Name:\s+URI:http://ca\.example\.org/cocos/ca/[0-9a-f]{16}\.crl\n", text), text
    with Status() as page:
        text = printed(stdin=first(page).certificate.encode())
        assert "URI:http" not in text, text
    with Folder() as folder:
        _, settings = make_authority(folder)

        def config(url, **changed):
            lines = {**settings, "WEB": "127.0.0.1:0", "CA_URL": url, **changed}
            return folder.write("c.conf", f"COMPUTATIONS_STATE_DIR={folder('state')}\nCOMPUTATIONS_GRPC_PORT=0\n"
                                f"COMPUTATIONS_ADMIN_SOCKET={folder('s')}\n" +
                                "".join(f"COMPUTATIONS_{k}={v}\n" for k, v in lines.items() if v))

        assert "certificates say http://a.example:80/b" in check(config("http://a.example:80/b"))
        for bad in ("ftp://a", "http://", "http:///", "a.example", "http://a/", "http://a,URI:b", "http://a b", "https://a?b",
                    "http://" + "a" * 122):
            check(config(bad), "COMPUTATIONS_CA_URL:", "is not http:// or https://")
        check(config("http://a", WEB=None), "COMPUTATIONS_CA_URL does nothing without")
        check(config("http://a", CA_CERT=None, CA_KEY=None), "COMPUTATIONS_CA_URL does nothing without")


def who_leads_others_to_a_page_on_loopback_calls_it_by_its_own_name():
    """A proxy that passes on the name that a certificate says is told so."""
    with Status(CA_URL="http://ca.example.org") as page:
        asked = question(first(page), authority_of(page))
        for name, status in (("localhost", 200), (f"127.0.0.1:{page.port}", 200), ("ca.example.org", 421)):
            browser = page.browser()
            browser.host = name
            assert browser.ask("POST", "/ocsp", asked, [("content-type", TYPE)]).status == status, name
            assert browser.ask("GET", "/ca.crl").status == status, name


def without_an_authority_there_is_no_status():
    from sign_in import Page
    with Page() as page:
        assert page.browser().ask("POST", "/ocsp", b"x", [("content-type", TYPE)]).status == 404
        assert page.browser().get("/ocsp/AAAA").status == 404


if __name__ == "__main__":
    tap.run([openssl_believes_it,
             the_responder_is_delegated,
             a_get_may_be_kept_for_a_while,
             gnutls_believes_it,
             all_of_a_line_are_revoked,
             nonces_come_back_as_they_were,
             what_is_no_question_is_refused,
             one_address_asks_so_often,
             certificates_say_where,
             who_leads_others_to_a_page_on_loopback_calls_it_by_its_own_name,
             without_an_authority_there_is_no_status])
