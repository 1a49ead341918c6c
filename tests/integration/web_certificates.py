#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the service's authority has issued, on the page and by its API: for who administers the service alone, revoked with what
that ends said before, and its key to be compared by the page's own commands."""
import html
import json
import os
import re
import shlex
import subprocess

from cryptography import x509

import tap
from certificates import make_authority, openssl
from harness import PATIENCE, Folder, certificates, certificates_grpc, program
from web_fitted import holds
from web_machines import Hall

API = "/api/certificates"


class Office(Hall):
    """A service with an authority, beside who is what in its workspaces."""

    def __enter__(self):
        self.keys = Folder().__enter__()
        made, settings = make_authority(self.keys)
        assert made.returncode == 0, made.stderr
        self.settings.update(settings)
        return super().__enter__()

    def __exit__(self, *about):
        self.keys.__exit__(*about)
        return super().__exit__(*about)

    def ca(self, method, **fields):
        service = certificates.DESCRIPTOR.services_by_name["CertificateService"].methods_by_name[method]
        request = service.input_type._concrete_class(**fields)  # pylint: disable=protected-access
        return getattr(certificates_grpc.CertificateServiceStub(self.service.channel), method)(request, timeout=PATIENCE)

    def issue(self, name, role="agent"):
        path = self.keys(name + ".pem")
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
        request = openssl("req", "-new", "-key", path, "-subj", "/", "-outform", "DER", "-sha256")
        return self.ca("Issue", token=self.ca("AddToken", name=name, role=role).token, request=request)

    def one(self, serial, who="chief"):
        return self.call("GET", f"{API}/{serial}", self.tokens[who])

    def revoked(self):
        """Serial numbers on the list that everybody gets."""
        return {f"{row.serial_number:032x}" for row in x509.load_der_x509_crl(self.browser().get("/ca.crl").body)}


class Rotated(Office):
    """With the authority of before beside it, and an address that certificates say."""

    def __enter__(self):
        self.before = Folder().__enter__()
        made, settings = make_authority(self.before)
        assert made.returncode == 0, made.stderr
        self.settings.update({name.replace("CA_", "CA_OLD_"): path for name, path in settings.items()}, CA_URL="http://ca.example.org")
        return super().__enter__()

    def __exit__(self, *about):
        self.before.__exit__(*about)
        return super().__exit__(*about)


def commands(answer):
    """Of a page, as its reader copies them."""
    return {name: html.unescape(re.sub("<[^>]*>", "", code)) for name, code in
            re.findall(r'<pre id="([\w-]+)"[^>]*><code>(.*?)</code>', answer.body.decode(), re.S)}


def it_is_seen_and_revoked():
    with Office() as room:
        chief, token = room.sessions["chief"], room.tokens["chief"]
        assert "/certificates" in chief.get("/users").page().links
        empty = chief.get("/certificates").page().words()
        assert "It has issued none yet" in empty and "example.org" in empty, empty
        issued, waits = room.issue("cvm-1").serial, room.ca("AddToken", name="vm1.example.org", role="manager", days=7).serial
        shown = chief.get("/certificates").page()
        assert {f"/certificates/{serial}" for serial in (issued, waits)} <= set(shown.links), shown.links
        words = shown.words()
        assert "cvm-1" in words and "Issued" in words and "vm1.example.org" in words and "Open" in words, words
        document = room.call("GET", "/api/openapi.json", token).json()
        told = holds(document, room.call("GET", API, token), API, "Authority", "Certificate").json()
        assert [(c["serial"], c["name"], c["role"], c["state"], c["renewal"]) for c in told["certificates"]] == [
            (issued, "cvm-1", "agent", "issued", 0), (waits, "vm1.example.org", "manager", "open", 0)], told
        assert told["next"] is None and told["authority"]["name"] == "example.org" and told["authority"]["expires"], told
        key = openssl("pkey", "-in", room.keys("cvm-1.pem"), "-pubout")
        assert told["certificates"][0]["key"] == fingerprint(room.keys.write("cvm-1.pub", key)), told
        assert told["certificates"][1]["key"] == "" and told["certificates"][1]["issued"] is None, told
        assert holds(document, room.one(issued), f"{API}/{issued}").json() == told["certificates"][0]
        page = chief.get(f"/certificates/{issued}")
        assert "good for nothing" in page.page().words() and told["certificates"][0]["key"] in page.body.decode(), page.body
        assert "for this token" in chief.get(f"/certificates/{waits}").page().words()
        # A token that is shown sees the page, and no button.
        assert b"<form" not in room.call("GET", f"/certificates/{issued}", token, headers=[("Accept", "text/html")]).body
        assert not room.revoked()
        done = room.form("chief", f"/certificates/{issued}/revoke")
        assert (done.status, done.fields["location"]) == (303, f"/certificates/{issued}"), (done.status, done.body)
        after = chief.get(f"/certificates/{issued}")
        assert "Revoked" in after.page().words() and b"/revoke" not in after.body, after.body
        assert room.revoked() == {issued} and room.one(issued).json()["state"] == "revoked"
        # The same by the API, of a token: nobody gets a certificate for it.
        ended = room.call("DELETE", f"{API}/{waits}", token)
        assert ended.status == 200 and ended.json()["state"] == "revoked" and ended.json()["revoked"], ended.body
        assert room.call("DELETE", f"{API}/{waits}", token).status == 404, "twice"
        holds(document, ended, f"{API}/{waits}", method="DELETE")
        holds(document, room.call("GET", API, token), API)
        rows = [json.loads(row) for row in room.root("Audit").rows]
        deeds = [row["object"] for row in rows if row["what"].endswith("/Revoke") and row["object"]]
        assert deeds[:2] == [f"certificate {issued}", f"certificate {waits}"], rows[-3:]


def fingerprint(path):
    return subprocess.run([program("cocos-cli"), "key", "fingerprint", path], capture_output=True, text=True, check=True,
                          timeout=PATIENCE).stdout.strip()


def its_key_is_compared_by_the_page_s_own_commands():
    with Office() as room:
        answer = room.sessions["chief"].get("/certificates")
        shown = "".join(re.findall(r"<span>([0-9a-f]{8})</span>", answer.body.decode()))
        assert len(shown) == 64 and shown == room.call("GET", API, room.tokens["chief"]).json()["authority"]["fingerprint"]
        asked = commands(answer)
        environment = dict(os.environ, COMPUTATIONS_GRPC_URL="unix:" + room.service.socket, HOME=room.keys.path,
                           PATH=os.path.dirname(program("cocos-cli")) + ":" + os.environ["PATH"])
        said = ""
        for name in ("get", "public", "print"):
            os.makedirs(room.keys("of-page"), exist_ok=True)
            ran = subprocess.run(shlex.split(asked[name]), cwd=room.keys("of-page"), env=environment, capture_output=True, text=True,
                                 check=False, timeout=PATIENCE)
            assert ran.returncode == 0, (asked[name], ran.stderr)
            said = ran.stdout.strip()
        assert said == shown, (said, shown)
        # What it offers to download is what these commands got.
        with open(room.keys("of-page/ca.pem"), "rb") as file:
            assert room.sessions["chief"].get("/ca.pem").body == file.read()
        assert {"/ca.pem", "/ca.crl"} <= set(answer.page().links)


def key_of(folder):
    return fingerprint(folder.write("ca.pub", openssl("x509", "-in", folder("ca.pem"), "-noout", "-pubkey")))


def ends_of(folder):
    with open(folder("ca.pem"), "rb") as file:
        return x509.load_pem_x509_certificate(file.read()).not_valid_after.strftime("%Y-%m-%dT%H:%M:%SZ")


def the_one_before_is_shown_with_both_addresses():
    """What is shown is what certificates say, and what is fetched there is signed by whose it is."""
    with Rotated() as room:
        issued = x509.load_pem_x509_certificate(room.issue("cvm-1").certificate.encode())
        told = room.call("GET", API, room.tokens["chief"]).json()
        now, before = told["authority"], told["authority_before"]
        points = issued.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        access = issued.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
        assert [p.full_name[0].value for p in points] == [now["crl"]] and [a.access_location.value for a in access] == [now["ocsp"]], now
        assert (now["fingerprint"], before["fingerprint"]) == (key_of(room.keys), key_of(room.before)), told
        assert (now["expires"], before["expires"]) == (ends_of(room.keys), ends_of(room.before)), told
        assert before["ocsp"] == now["ocsp"] == "http://ca.example.org/ocsp" and before["crl"] != now["crl"], told
        answer = room.sessions["chief"].get("/certificates")
        words = answer.page().words()
        for said in ("Authority of before", "It issues nothing more", now["crl"], before["crl"], now["ocsp"]):
            assert said in words, (said, words)
        assert "CA_URL" not in words and "It has ended" not in words, words
        shown = "".join(re.findall(r"<span>([0-9a-f]{8})</span>", answer.body.decode()))
        assert shown == now["fingerprint"] + before["fingerprint"], shown
        path = before["crl"].removeprefix("http://ca.example.org")
        assert path in answer.page().links, answer.page().links
        for at, folder in ((path, room.before), (now["crl"].removeprefix("http://ca.example.org"), room.keys)):
            with open(folder("ca.pem"), "rb") as file:
                key = x509.load_pem_x509_certificate(file.read()).public_key()
            assert x509.load_der_x509_crl(room.browser().get(at).body).is_signature_valid(key), at
        # Nobody else sees any of it.
        for who in ("viewer", "administrator"):
            assert before["fingerprint"].encode() not in room.call("GET", API, room.tokens[who]).body


def without_an_address_it_says_that_certificates_have_none():
    with Office() as room:
        answer = room.sessions["chief"].get("/certificates").page().words()
        told = room.call("GET", API, room.tokens["chief"]).json()
        assert "COMPUTATIONS_CA_URL is not set" in answer and "Authority of before" not in answer, answer
        assert told["authority_before"] is None and told["authority"]["ocsp"] == "/ocsp", told
        crl = room.browser().get(told["authority"]["crl"])
        assert told["authority"]["crl"] in answer and crl.body == room.browser().get("/ca.crl").body


def all_of_them_are_reached_page_by_page():
    with Office() as room:
        made = [room.ca("AddToken", name=f"cvm-{number}", role="agent").serial for number in range(120)]
        path, found, pages = API, [], 0
        while path:
            told = room.call("GET", path, room.tokens["chief"]).json()
            found += [c["serial"] for c in told["certificates"]]
            path, pages = told["next"] and f"{API}?after={told['next']}", pages + 1
        assert found == made and pages == 3, (len(found), pages)
        path, found = ["/certificates"], []
        while path:
            answer = room.sessions["chief"].get(path[0])
            found += [link.rpartition("/")[2] for link in answer.page().links if link.startswith("/certificates/")]
            path = re.findall(r'rel="next" href="(/certificates\?after=\d+)"', answer.body.decode())
        assert found == made, len(found)
        for after, status in (("x", 400), ("-1", 400), ("9223372036854775807", 200), ("9223372036854775808", 400), ("1.0", 400), ("", 200)):
            assert room.call("GET", f"{API}?after={after}", room.tokens["chief"]).status == status, after
        for serial in ("none", "0" * 32, "%3Cscript%3E", "'%20OR%201=1", "9" * 255):
            for method in ("GET", "DELETE"):
                answer = room.call(method, f"{API}/{serial}", room.tokens["chief"])
                assert answer.status == 404, (method, serial, answer.status, answer.body)
            assert b"<script>" not in room.sessions["chief"].get(f"/certificates/{serial}").body


def nobody_else_may():
    """Each role in workspaces, an administrator of one, and nobody; whether there is such a certificate or not."""
    with Office() as room:
        serial = room.issue("cvm-1").serial
        for who in ("viewer", "member", "administrator", "outsider", None):
            for method, path in (("GET", API), ("GET", f"{API}/{serial}"), ("DELETE", f"{API}/{serial}"), ("GET", "/certificates"),
                                 ("GET", f"/certificates/{serial}")):
                got = room.call(method, path, room.tokens[who] if who else None)
                none = room.call(method, path.replace(serial, "0" * 32), room.tokens[who] if who else None)
                assert got.status == none.status == (403 if who else 401), (who, method, path, got.status)
                assert got.body.replace(serial.encode(), b"0" * 32) == none.body, (got.body, none.body)
            if who:
                assert room.form(who, f"/certificates/{serial}/revoke").status == 403, who
                assert "/certificates" not in room.sessions[who].get("/").page().links, who
        narrow = room.root("AddToken", user="chief", name="narrow", actions=["view"]).token
        assert room.call("DELETE", f"{API}/{serial}", narrow).status == 403
        assert not room.revoked() and room.one(serial).json()["state"] == "issued"


def a_service_without_an_authority_says_how_to_have_one():
    with Hall() as room:
        words = room.sessions["chief"].get("/certificates").page().words()
        assert "issues no certificates" in words and "--make-ca" in words and "cocos-cli" not in words, words
        assert room.call("GET", API, room.tokens["chief"]).json() == {"authority": None, "authority_before": None, "certificates": [], "next": None}
        refused = room.call("DELETE", f"{API}/{'0' * 32}", room.tokens["chief"])
        assert refused.status == 409 and "COMPUTATIONS_CA_CERT" in refused.problem()["detail"], refused.body
        # Nobody else hears even that.
        for who, status in ((None, 401), ("administrator", 403)):
            refused = room.call("DELETE", f"{API}/{'0' * 32}", who and room.tokens[who])
            assert refused.status == status and b"CA_CERT" not in refused.body, refused.body


if __name__ == "__main__":
    tap.run([it_is_seen_and_revoked, its_key_is_compared_by_the_page_s_own_commands, the_one_before_is_shown_with_both_addresses,
             without_an_address_it_says_that_certificates_have_none, all_of_them_are_reached_page_by_page,
             nobody_else_may, a_service_without_an_authority_says_how_to_have_one])
