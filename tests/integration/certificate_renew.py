#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The next certificate for whoever has the key of one: by the command, and by a client that was written independently."""
import hashlib
import json
import os
import re
import struct
import threading
from concurrent import futures

import grpc
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

import tap
from certificates import EXHAUSTED, GONE, INVALID, Issuer, openssl, printed
from harness import PATIENCE, FakeAgent, Folder, authority, certificates, certificates_grpc, cli, read, until
from people import DENIED, OK, STRANGER, Caller

NONE = "this certificate has ended or was revoked, or is none of ours for this key"
EXISTS = grpc.StatusCode.ALREADY_EXISTS


def load(path):
    return serialization.load_pem_private_key(read(path), None)


def public(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def signed(key, message):
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(hashes.SHA256()))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(message)


def part(value):
    return struct.pack(">I", len(value)) + value


def renewal(page, serial, key, name, same=False, by=None, nonce=None):
    """As certificates.proto says it; `name`: of the file that the new key comes to, or of the old one."""
    if same:
        request = openssl("req", "-new", "-key", page.keys(name + ".pem"), "-subj", "/", "-outform", "DER")
    else:
        request = page.request(name=name)
    nonce = nonce or os.urandom(32)
    message = (b"cocos-certificate-renewal-v1\0" + part(serial.encode()) + part(nonce) + part(bytes([same])) +
               part(hashlib.sha256(request).digest()))
    return certificates.RenewRequest(serial=serial, key=public(key), request=request, nonce=nonce, same_key=same,
                                     signature=signed(by or key, message))


def fields(message):
    return {d.name: v for d, v in message.ListFields()}


def renew(page, serial, old, name, **more):
    return page.call("Renew", **fields(renewal(page, serial, load(page.keys(old + ".pem")), name, **more)))


def refused(page, code, words, *arguments, **more):
    try:
        renew(page, *arguments, **more)
    except grpc.RpcError as error:
        assert error.code() == code and words in error.details(), error
        return
    raise AssertionError(f"renewed: {arguments}")


def first(page, name="cvm-1", role="agent", key="k", **more):
    token = page.token(name, role, **more)
    return page.issue(token.token, page.request(name=key))


def another_client_renews_by_the_description():
    with Issuer() as page:
        issued = first(page)
        second = renew(page, issued.serial, "k", "k2")
        assert (second.name, second.role) == ("cvm-1", "agent") and second.serial != issued.serial
        assert ": OK" in page.verify(second.certificate, "-purpose", "sslclient")
        for text in ("Subject: OU=agent, CN=cvm-1", "URI:spiffe://example.org/agent/cvm-1"):
            assert text in printed(stdin=second.certificate.encode())
        third = renew(page, second.serial, "k2", "k2", same=True)
        rows = page.listed()
        assert [(rows[s].renewal, rows[s].line, rows[s].state) for s in (issued.serial, second.serial, third.serial)] == [
            (n, issued.serial, "issued") for n in range(3)], rows
        assert rows[third.serial].key == rows[second.serial].key != rows[issued.serial].key
        # Other kinds of keys sign as well.
        for kind, digest in ((("-algorithm", "ED25519"), "-sha256"),
                             (("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"), "-sha256"),
                             (("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"), "-sha384")):
            issued = page.issue(page.token().token, page.request(name="other", kind=kind, digest=digest))
            assert ": OK" in page.verify(renew(page, issued.serial, "other", "next").certificate)


def nobody_else_gets_one():
    with Issuer() as page:
        issued, of_other = first(page), first(page, "cvm-2", key="o")
        # The other's key for this serial; this public key, by the other's signature.
        refused(page, STRANGER, NONE, issued.serial, "o", "n")
        refused(page, DENIED, "the certificate's key has not signed it", issued.serial, "k", "n", by=load(page.keys("o.pem")))
        refused(page, STRANGER, NONE, of_other.serial, "k", "n")
        refused(page, STRANGER, NONE, "0" * 32, "k", "n")
        refused(page, STRANGER, NONE, "", "k", "n")
        refused(page, INVALID, "a nonce of 31 bytes; wanted 32 to 32", issued.serial, "k", "n", nonce=b"a" * 31)
        # What was signed is of one request, and works once.
        good = fields(renewal(page, issued.serial, load(page.keys("k.pem")), "n"))
        assert page.code("Renew", **{**good, "request": page.request(name="thief")}) == DENIED
        assert page.code("Renew", **{**good, "same_key": True}) == DENIED
        assert page.code("Renew", **{**good, "nonce": b"a" * 32}) == DENIED
        page.call("Renew", **good)
        assert page.code("Renew", **good) == EXISTS
        # For the same key means the same.
        wrong = renewal(page, issued.serial, load(page.keys("k.pem")), "k3")
        message = (b"cocos-certificate-renewal-v1\0" + part(issued.serial.encode()) + part(wrong.nonce) + part(b"\1") +
                   part(hashlib.sha256(wrong.request).digest()))
        wrong.same_key, wrong.signature = True, signed(load(page.keys("k.pem")), message)
        assert "the request is for another key" in page.said("Renew", **fields(wrong))
        assert len([c for c in page.listed().values() if c.renewal]) == 1


def all_of_them_end_with_any_of_them():
    with Issuer() as page, Folder() as folder:
        for named in range(3):
            issued = [first(page, key="k0")]
            issued.append(renew(page, issued[0].serial, "k0", "k1"))
            issued.append(renew(page, issued[1].serial, "k1", "k2"))
            ended = cli("certificate", "revoke", issued[named].serial, **page.cli)
            assert ended.ok() == "".join(f"certificate {c.serial} revoked\n" for c in issued), ended.out
            for i, one in enumerate(issued):
                assert "certificate revoked" in page.verify(one.certificate)
                refused(page, STRANGER, NONE, one.serial, f"k{i}", "n")
                assert page.code("Revoke", serial=one.serial) == GONE
        # One that has ended is revoked with those that go on, and renewed no more.
        old = first(page)
        new = renew(page, old.serial, "k", "k2")
        page.change(f"UPDATE certificates SET until = issued + 1 WHERE serial = '{old.serial}'")
        refused(page, STRANGER, NONE, old.serial, "k", "n")
        assert page.listed()[old.serial].state == "ended"
        folder.write("new.pem", new.certificate)
        ran = cli("certificate", "renew", page.keys("k2.pem"), folder("new.pem"), folder("next.pem"), folder("next.key"), **page.cli)
        assert ran.status == 0, ran.err
        assert cli("certificate", "revoke", old.serial, **page.cli).ok().count("revoked\n") == 3
        assert "certificate revoked" in page.verify(read(folder("next.pem")).decode())
        ran = cli("certificate", "renew", page.keys("k2.pem"), folder("new.pem"), folder("n.pem"), folder("n.key"), **page.cli)
        assert ran.status == 1 and NONE in ran.err and "certificate token" in ran.err, ran.err
        assert not os.path.exists(folder("n.pem")) and not os.path.exists(folder("n.key"))


def it_ends_with_its_maker_and_its_person():
    with Issuer() as page:
        page.root("AddUser", name="anna")
        page.root("AddUser", name="chief", administrator=True)
        chief = page.root("AddToken", user="chief", name="t").token
        of_anna, by_chief = first(page, "anna", "person", key="a"), first(page, key="c", by=chief)
        assert ": OK" in page.verify(renew(page, of_anna.serial, "a", "a2").certificate)
        page.root("SuspendUser", name="anna")
        page.root("SuspendUser", name="chief")
        refused(page, STRANGER, NONE, of_anna.serial, "a", "n")
        refused(page, STRANGER, NONE, by_chief.serial, "c", "n")
        page.root("SuspendUser", name="chief", resume=True)
        renew(page, by_chief.serial, "c", "c2")
        page.root("RemoveUser", name="anna")
        page.root("AddUser", name="anna")
        refused(page, STRANGER, NONE, of_anna.serial, "a", "n")


def so_many_of_many_at_once():
    with Issuer() as page:
        issued = first(page)
        key = load(page.keys("k.pem"))
        requests = [fields(renewal(page, issued.serial, key, f"n{i}")) for i in range(12)]
        got, barrier = [], threading.Barrier(len(requests))

        def take(request):
            barrier.wait()
            got.append(page.code("Renew", **request))

        threads = [threading.Thread(target=take, args=(r,)) for r in requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(str, got)) == sorted(map(str, [OK] * 4 + [EXHAUSTED] * 8)), got
        assert sorted(c.renewal for c in page.listed().values()) == [0, 1, 2, 3, 4]
        # A day later; and when there were as many as there may be.
        page.change("UPDATE certificates SET issued = issued - 86400000")
        renew(page, issued.serial, "k", "later")
        page.change("UPDATE certificates SET renewal = 100, issued = issued - 86400000 WHERE renewal = 5")
        refused(page, EXHAUSTED, "was renewed 100 times", issued.serial, "k", "n")


def the_audit_log_says_who_got_what():
    with Issuer() as page:
        issued = first(page)
        refused(page, DENIED, "has not signed it", issued.serial, "k", "n", by=ec.generate_private_key(ec.SECP256R1()))
        second = renew(page, issued.serial, "k", "k2")
        page.call("Revoke", serial=second.serial)
        keys = {serial: c.key for serial, c in page.listed().items()}
        rows = [json.loads(row) for row in page.root("Audit").rows]
        rows = [r for r in rows if r["what"].rsplit("/", 1)[-1] in ("Renew", "Revoke")]
        assert [(r["object"], r["before"], r["after"]) for r in rows if r.get("outcome") == "OK"] == [
            (f"certificate {issued.serial}", f"issued to agent cvm-1, key {keys[issued.serial]}",
             f"renewed by certificate {second.serial}, renewal 1, key {keys[second.serial]}"),
            (f"certificate {second.serial}", "issued, of agent cvm-1",
             f"revoked, 2 certificates of the line of {issued.serial}")], rows
        text = page.service.process.text()
        assert issued.serial in text and "Renew" in text, text


def commands_do_it():
    with Issuer() as page, Folder() as folder:
        issued = first(page, "vm1.example.org", "manager", days=5)
        folder.write("cert.pem", issued.certificate)
        old = page.keys("k.pem")

        def run(*words):
            return cli("certificate", "renew", *words, cwd=folder.path, **page.cli)

        done = run(old, "cert.pem", "cert2.pem", "key2.pem", "--ca", "ca.pem")
        assert re.fullmatch("certificate [0-9a-f]{32} of manager vm1.example.org until .* written to cert2.pem, its key to "
                            "key2.pem\n", done.ok()), done.out
        assert os.stat(folder("key2.pem")).st_mode & 0o777 == 0o600
        assert read(folder("ca.pem")) == read(page.keys("ca.pem"))
        assert ": OK" in page.verify(read(folder("cert2.pem")).decode(), "-purpose", "sslserver", "-verify_hostname",
                                     "vm1.example.org")
        assert openssl("x509", "-in", folder("cert2.pem"), "-noout", "-pubkey") == openssl(
            "pkey", "-in", folder("key2.pem"), "-pubout")
        same = run("key2.pem", "cert2.pem", "cert3.pem", "--same-key")
        assert same.ok().endswith("written to cert3.pem\n"), same.out
        assert openssl("x509", "-in", folder("cert3.pem"), "-noout", "-pubkey") == openssl(
            "pkey", "-in", folder("key2.pem"), "-pubout")
        assert run("key2.pem", "cert3.pem", "cert4.pem", "key4.pem", "-k", "ed25519").status == 0
        shown = cli("certificate", "list", "-o", "json", **page.cli)
        rows = json.loads(shown.ok())
        assert [(r["line"], r["renewal"]) for r in rows] == [(issued.serial, n) for n in range(4)], rows
        for words, status, said in (
                ((old, "cert.pem", "c.pem"), 2, "--same-key"),
                ((old, "cert.pem", "c.pem", "k.pem", "--same-key"), 2, "leave out NEW_KEY"),
                ((old, "cert.pem", "c.pem", "--same-key", "-k", "ecdsa"), 2, "--key-type is of a new key"),
                (("key2.pem", "cert.pem", "c.pem", "k.pem"), 2, "is not that of the certificate"),
                ((old, old, "c.pem", "k.pem"), 2, "there is no certificate in PEM"),
                ((old, "none", "c.pem", "k.pem"), 2, "No such file"),
                ((old, "cert.pem", "cert.pem", "k.pem"), 1, "there is a cert.pem already"),
                ((old, "cert.pem", "c.pem", "key2.pem"), 1, "there is a key2.pem already"),
                ((old, "cert.pem", "c.pem", "c.pem"), 1, "File exists"),
                ((old, "cert.pem", "nowhere/c.pem", "k.pem"), 1, "No such file"),
                ((old, "cert.pem"), 2, "operand")):
            ran = run(*words)
            assert ran.status == status and said in ran.err, (words, ran.status, ran.err)
            assert not any(os.path.exists(folder(name)) for name in ("c.pem", "k.pem")), words
        assert read(folder("cert.pem")).decode() == issued.certificate
        # None of these has used up what there is for a day.
        assert run(old, "cert.pem", "c.pem", "k.pem").status == 0
        last = run(old, "cert.pem", "d.pem", "d.key")
        assert last.status == 1 and "4 times within 24 hours" in last.err, last.err
        assert not os.path.exists(folder("d.key"))


class Liar(certificates_grpc.CertificateServiceServicer):
    """A service that answers a renewal with what `give` makes of its request."""

    def __init__(self):
        self.give = None

    def Renew(self, request, context):  # pylint: disable=invalid-name
        return self.give(request.request)


def what_answers_no_renewal_is_refused():
    """Another person's, another key's, one of nobody's signing and another authority's are written nowhere."""
    with Issuer() as page, Issuer(domain="example.com") as other, Folder() as folder:
        def of(service, name="vm1.example.org"):
            return lambda request: service.issue(service.token(name, "manager").token, request)

        def as_if(request):
            answer = of(page)(request)
            answer.authority = read(other.keys("ca.pem")).decode()
            return answer

        folder.write("cert.pem", first(page, "vm1.example.org", "manager").certificate)
        server, liar = grpc.server(futures.ThreadPoolExecutor(2)), Liar()
        certificates_grpc.add_CertificateServiceServicer_to_server(liar, server)
        where = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        for number, (give, said) in enumerate((
                (of(page), None), (of(page, "vm2.example.org"), "a certificate of another name"),
                (lambda _: of(page)(page.request(name="z")), "a certificate for another key"),
                (as_if, "not signed by the authority that came with it"),
                (of(other), "a certificate of an authority of another name"))):
            liar.give = give
            ran = cli("certificate", "renew", page.keys("k.pem"), "cert.pem", f"{number}.pem", f"{number}.key", cwd=folder.path,
                      COMPUTATIONS_GRPC_URL=where)
            assert ran.status == (1 if said else 0) and (not said or said in ran.err), (ran.status, ran.err)
            assert [os.path.exists(folder(f"{number}.{end}")) for end in ("pem", "key")] == [not said] * 2
        server.stop(None).wait()


def a_cvms_name_goes_over_to_the_next_key():
    with Folder() as tls:
        authority(tls)
        with Issuer(["GRPC_CLIENT_CA_CERTS"], GRPC_SERVER_CERT=tls("server.pem"), GRPC_SERVER_KEY=tls("server-key.pem")) as page:
            address = f"localhost:{page.service.port}"

            def agent(issued, key):
                return FakeAgent(address, "cvm-1", grpc.ssl_channel_credentials(
                    read(tls("ca.pem")), read(page.keys(key + ".pem")), issued.certificate.encode()))

            one, stranger = first(page), first(page, key="s")
            with agent(one, "k") as first_one:
                first_one.next("agentStateReq")
                # Another token of the same name is another line.
                with agent(stranger, "s") as other:
                    assert other.ended() == DENIED
                two = renew(page, one.serial, "k", "k2")
                with agent(two, "k2") as second:
                    second.next("agentStateReq")
                    assert first_one.ended() == grpc.StatusCode.ABORTED
                    # The old key has the name no more.
                    with agent(one, "k") as again:
                        assert again.ended() == DENIED
            # What renews a line that was revoked gets nothing over, and no connection once the listener knows; its last
            # key keeps the name until it is released.
            three = renew(page, two.serial, "k2", "k3")
            page.call("Revoke", serial=one.serial)
            with agent(three, "k3") as thief:
                assert thief.ended() in (DENIED, grpc.StatusCode.UNAVAILABLE)
            until(lambda: cli("cvm", "release", "cvm-1", **page.cli).status == 0, "the name's release")
            with agent(stranger, "s") as other:
                other.next("agentStateReq")


def where_all_places_are_taken_too():
    with Folder() as tls:
        authority(tls)
        with Issuer(["GRPC_CLIENT_CA_CERTS"], GRPC_SERVER_CERT=tls("server.pem"), GRPC_SERVER_KEY=tls("server-key.pem"),
                    MAX_CVMS="1") as page:
            def agent(issued, key, cvm="cvm-1"):
                return FakeAgent(f"localhost:{page.service.port}", cvm, grpc.ssl_channel_credentials(
                    read(tls("ca.pem")), read(page.keys(key + ".pem")), issued.certificate.encode()))

            one, stranger = first(page), first(page, key="s")
            with agent(one, "k") as first_one:
                first_one.next("agentStateReq")
                # Nobody else gets a place by it: neither under that name nor under another one.
                with agent(stranger, "s") as other:
                    assert other.ended() == DENIED
                with agent(first(page, "cvm-2", key="o"), "o", "cvm-2") as other:
                    assert other.ended() == EXHAUSTED
                two = renew(page, one.serial, "k", "k2")
                with agent(two, "k2") as second:
                    second.next("agentStateReq")
                    assert first_one.ended() == grpc.StatusCode.ABORTED


def code(method, request):
    try:
        method(request, timeout=PATIENCE)
    except grpc.RpcError as error:
        return error.code()
    return OK


def strangers_use_up_nobody_s_room():
    """Whoever shows a token or a key that is right gets his certificate, however many there are at his address who show none, and
    however many machines are behind it; the audit log has each of these, and of the others as many as it has room for."""
    with Folder() as folder, Issuer(ADMIN_PORT="0", ADMIN_SIGN_IN="true", AUDIT_LOG=folder("audit.log")) as page:
        port = page.service.process.wait_line(r"administrators: listening on \S+ port (\d+)")[1]
        tokens = [page.token(f"cvm-{number}").token for number in range(40)]
        request = page.request(name="k")
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = certificates_grpc.CertificateServiceStub(channel)
            invented = [certificates.IssueRequest(token=f"{number:064x}", request=request) for number in range(100)]
            assert {code(stub.Issue, wrong) for wrong in invented} == {STRANGER}
            assert EXHAUSTED in [Caller(channel, f"cocos_{number:064x}").code("AddUser", name="stranger") for number in range(100)]
            issued = [stub.Issue(certificates.IssueRequest(token=token, request=request), timeout=PATIENCE) for token in tokens]
            assert {code(stub.Issue, certificates.IssueRequest(token=token, request=request)) for token in tokens} == {STRANGER}
            other = ec.generate_private_key(ec.SECP256R1())
            serial, key = issued[0].serial, load(page.keys("k.pem"))
            assert {code(stub.Renew, renewal(page, serial, key, "n", by=other)) for _ in range(30)} == {DENIED}
            second = stub.Renew(renewal(page, serial, key, "k2"), timeout=PATIENCE)
            assert second.name == "cvm-0"
        rows = [json.loads(row) for row in page.root("Audit").rows]
        with open(folder("audit.log"), encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
    said = [(row["what"].rsplit("/", 1)[-1], row["outcome"]) for row in rows]
    assert said.count(("Issue", "OK")) == len(tokens) and said.count(("Renew", "OK")) == 1, said
    asked = [line for line in lines if line["event"] == "asked"]
    assert [sum(line["method"].endswith(name) for line in asked) for name in ("/Issue", "/Renew")] == [len(tokens), 1], asked
    assert 0 < sum(line["event"] == "refused" for line in lines) < 100, lines


if __name__ == "__main__":
    tap.run([another_client_renews_by_the_description,
             nobody_else_gets_one,
             all_of_them_end_with_any_of_them,
             it_ends_with_its_maker_and_its_person,
             so_many_of_many_at_once,
             the_audit_log_says_who_got_what,
             commands_do_it,
             what_answers_no_renewal_is_refused,
             a_cvms_name_goes_over_to_the_next_key,
             where_all_places_are_taken_too,
             strangers_use_up_nobody_s_room])
