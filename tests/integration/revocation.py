#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Revocation lists at listeners and clients: who is named comes in no more, and what he has open ends; other lists than the
authority's current ones change nothing. Lists are made by the openssl command; peers are python3-grpcio, curl and nghttp."""
import json
import os
import re
import subprocess

import grpc

import tap
from harness import PATIENCE, PROTOCOL, Computations, Folder, Process, cli, program, until
from host_check import check, failed, manager_settings, service_settings
from revocation_room import PAGE, SETTING, Authority, Lists, Service, comes_in, put, read, renew

manager, manager_grpc = PROTOCOL["manager"]


def who_is_named_goes_and_comes_no_more():
    with Folder() as folder, Lists(folder) as m:
        anna, ben = m.of("anna"), m.of("ben")
        watches = {name: stub.WatchVms(manager.WatchVmsReq(), timeout=4 * PATIENCE) for name, stub in
                   (("anna", anna), ("ben", ben))}
        assert comes_in(anna) and comes_in(ben)
        first = m.number("cocos_crl_next_update_timestamp_seconds", issuer="CN=ca")
        assert first > 0 and m.number("cocos_crl_refused_total", reason="ended") == 0
        m.ca.revoke("anna")
        m.renew(m.ca.list())
        # Nothing was sent on it by anybody: the connection is ended for the list alone.
        try:
            for _ in watches["anna"]:
                pass
            raise AssertionError("the stream ended without an error")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error
        line = m.process.wait_line(r"closed: certificate (\S+) of (\S+): it is revoked by the list of CN=ca")
        assert (line[1], line[2]) == (m.ca.serial("anna"), "CN=anna"), line[0]
        assert not comes_in(m.stub(m.ca("anna.pem"), m.ca("anna.key"))) and comes_in(ben)
        # The hint is about the certificate, whether the alert was read or the end of the connection came first.
        cli("vm", "list", "--grpc-url", f"localhost:{m.port}", "--grpc-server-ca-certs", m.ca.pem, "--grpc-client-cert",
            m.ca("anna.pem"), "--grpc-client-key", m.ca("anna.key")).refused(1, "the certificate of --grpc-client-cert")
        assert watches["ben"].is_active()
        watches["ben"].cancel()
        ended, refused = (until(lambda w=what: [e for e in m.entries() if e["method"] == "connection/" + w], what)[0]
                          for what in ("ended", "refused"))
        for entry in (ended, refused):
            assert entry["event"] == "refused" and entry["outcome"] == "UNAUTHENTICATED", entry
            assert entry["serial"] == m.ca.serial("anna") and entry["subject"] == "CN=anna", entry
            assert entry["issuer"] == "CN=ca" and entry["peer"].startswith(("127.0.0.1:", "[::1]:")), entry
        assert m.number("cocos_crl_refused_total", reason="ended") == 1
        assert m.number("cocos_crl_refused_total", reason="revoked") >= 1


def authorities_of_one_name_are_told_of_once():
    """Prometheus keeps one of several samples with the same labels: that of the list that ends first is there, and no other."""
    with Folder() as folder:
        old, new = (Authority(folder, name, subject="/CN=same") for name in ("old", "new"))
        soon = old.list("-crlsec", "3600")
        for lists in ((new.list(), soon), (soon, new.list())):
            with Folder() as inner, Lists(inner, first=lambda ca: ca.list() + b"".join(lists)) as m:  # pylint: disable=cell-var-from-loop
                m.process.wait_line(r"metrics: listening on")
                name = "cocos_crl_next_update_timestamp_seconds"
                ends = {issuer: m.numbers(name, issuer=issuer) for issuer in ("CN=ca", "CN=same")}
                assert len(ends["CN=ca"]) == len(ends["CN=same"]) == 1, ends
                assert ends["CN=same"][0] < ends["CN=ca"][0], ends


def the_handshake_is_refused_to_curl_nghttp_and_openssl():
    with Folder() as folder, Lists(folder) as m:
        m.of("anna")
        m.ca.revoke("anna")
        m.renew(m.ca.list())
        files = [m.ca("anna.pem"), m.ca("anna.key")]
        url = f"https://localhost:{m.port}/manager.ManagerService/ListVms"
        curl = subprocess.run(["curl", "-sv", "--http2", "--cacert", m.ca.pem, "--cert", files[0], "--key", files[1], "-d", "x", url],
                              capture_output=True, text=True, check=False, timeout=PATIENCE)
        # Whether the alert is read, or the end of the connection comes first, is chance.
        assert curl.returncode != 0 and "< HTTP" not in curl.stderr, curl.stderr
        nghttp = subprocess.run(["nghttp", "-nv", "--cert", files[0], "--key", files[1], url],
                                capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert ":status:" not in nghttp.stdout, nghttp.stdout
        subprocess.run(["openssl", "s_client", "-connect", f"localhost:{m.port}", "-alpn", "h2", "-CAfile", m.ca.pem, "-cert", files[0],
                        "-key", files[1]], input="x" * 64, capture_output=True, text=True, check=False, timeout=PATIENCE)
        until(lambda: m.number("cocos_crl_refused_total", reason="revoked") >= 3, "three refusals")
        m.process.wait_line(r"TLS handshake failed: TLS: the peer's certificate \S+ of CN=anna: it is revoked by the list of CN=ca")


def a_wrong_list_changes_nothing():
    with Folder() as folder, Lists(folder) as m:
        ben, other = m.of("ben"), Authority(folder, "other")
        m.ca.make("anna")
        m.ca.revoke("anna")
        old = m.ca.list()
        m.renew(m.ca.list())
        impostor = Authority(folder, "impostor", subject="/CN=ca")
        wrong = {**m.ca.wrong(), "another's of that name": (impostor.list(), "its authority did not sign it")}
        for what, (content, words) in wrong.items():
            m.renew(content, rf"error.*{SETTING}: .*{re.escape(words)}.*: what was read before stays in force")
            assert m.number("cocos_crl_file_refused") == 1, what
            assert not comes_in(m.stub(m.ca("anna.pem"), m.ca("anna.key"))), what
            assert comes_in(ben), (what, m.process.text())
        m.renew(None, rf"error.*{SETTING}: .*clients\.crl.*: what was read before stays in force")
        assert not comes_in(m.stub(m.ca("anna.pem"), m.ca("anna.key"))) and comes_in(ben)
        # Older ones, and a file that has the list no more, do not bring anybody back.
        for content, line, refused in ((m.first, "1 of them older", 1), (old, "1 of them older", 1), (other.list(), "1 list read", 0)):
            m.renew(content, rf"{SETTING}: {line}")
            assert m.number("cocos_crl_file_refused") == refused, line
            assert not comes_in(m.stub(m.ca("anna.pem"), m.ca("anna.key"))) and comes_in(ben)


def an_authority_that_counts_anew_is_heard_after_a_start():
    """Lower numbers are older lists, whatever they name, until the daemon has seen no others; the log says what to do."""
    with Folder() as folder, Lists(folder) as m:
        m.of("anna")
        m.ca.revoke("anna")
        with open(m.ca("crlnumber"), "w", encoding="ascii") as number:
            number.write("01\n")
        m.renew(m.ca.list())
        m.process.wait_line(rf"{SETTING}: 1 of them older .*start this again")
        assert m.number("cocos_crl_file_refused") == 1
        assert comes_in(m.stub(m.ca("anna.pem"), m.ca("anna.key")))
        m.process.finish()
        m.process = m.start()
        m.__enter__()
        assert m.number("cocos_crl_file_refused") == 0
        assert not comes_in(m.stub(m.ca("anna.pem"), m.ca("anna.key"))) and comes_in(m.of("ben"))


def without_a_current_list_nobody_comes_in():
    with Folder() as folder, Lists(folder, first=lambda ca: ca.ended()) as m:
        ben = m.of("ben")
        m.process.wait_line(rf"{SETTING}: the list of CN=ca ended at 2026-01-02T00:00:00Z")
        assert not comes_in(ben)
        m.process.wait_line(rf"certificate \S+ of CN=ben: the list of CN=ca has ended \({SETTING}\): fetch that authority's list "
                            r".*rename it to '\S*clients\.crl'")
        assert m.number("cocos_crl_refused_total", reason="no_list") >= 1
        m.renew(m.ca.list())
        until(lambda: comes_in(m.stub(m.ca("ben.pem"), m.ca("ben.key"))), "a current list")


def a_list_that_cannot_be_one_keeps_it_from_starting():
    for words, first in (("no revocation list in it", lambda ca: b"x"), ("a delta list", lambda ca: ca.wrong()[
            "a critical deltaCRLIndicator"][0])):
        with Folder() as folder:
            m = Lists(folder, first=first)
            m.process.wait_line(rf"{SETTING}: .*{words}")
            assert m.process.process.wait(PATIENCE) == 1
            m.process.finish()
            m.secrets.cleanup()


def each_authority_of_a_chain_needs_its_list():
    """A certificate of an authority below the one that is trusted; one that only clients show."""
    with Folder() as folder, Lists(folder) as m:
        below = Authority(folder, "below", above=m.ca)
        pem, key = below.make("carl")
        stub = lambda: m.stub(pem, key, read(below.pem))  # noqa: E731
        assert not comes_in(stub())
        m.process.wait_line(r"certificate \S+ of CN=carl: there is no list of CN=below")
        m.renew(m.ca.list() + below.list())
        assert comes_in(stub())
        # Its own list names it, then the other one names its authority.
        below.revoke("carl")
        m.renew(m.ca.list() + below.list())
        assert not comes_in(stub())
        pem, key = below.make("dora")
        dora = stub()
        assert comes_in(dora)
        with open(m.ca("below.pem"), "wb") as out:
            out.write(read(below.pem))
        m.ca.revoke("below")
        m.renew(m.ca.list() + below.list())
        m.process.wait_line(r"closed: certificate \S+ of CN=below: it is revoked by the list of CN=ca")
        assert not comes_in(dora) and not comes_in(stub())


def many_entries_and_der_are_read():
    with Folder() as folder, Lists(folder) as m:
        m.of("anna")
        m.ca.revoke_many(35000)
        m.ca.revoke("anna")
        content = m.ca.list()
        der = subprocess.run(["openssl", "crl", "-outform", "DER"], input=content, capture_output=True, check=True).stdout
        m.renew(der)
        assert not comes_in(m.stub(m.ca("anna.pem"), m.ca("anna.key"))) and comes_in(m.of("ben"))


# ---- the service ----


def the_service_knows_its_own_at_once():
    """No file is named anywhere; another authority's certificates come in without a list."""
    with Folder() as folder, Service(folder) as s:
        pem, key, serial = s.issue("cvm-1")
        staying, staying_key, _ = s.issue("cvm-2")
        with s.agent("cvm-1", pem, key) as gone, s.agent("cvm-2", staying, staying_key) as stays:
            s.service.process.wait_line(r"cvm-1")
            s.service.process.wait_line(r"cvm-2")
            assert s.page(pem, key) == "200"
            s.revoke(serial)
            error = until(lambda: next((m for m in iter(lambda: gone.heard.get(timeout=PATIENCE), "")
                                        if isinstance(m, grpc.RpcError)), None), "the end of its stream")
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error
            s.service.process.wait_line(rf"closed: certificate {serial} of CN=cvm-1")
            until(lambda: s.page(pem, key) == "refused", "the page's refusal")
            assert s.page(staying, staying_key) == "200"
            assert stays.stream.is_active()
        assert s.page(*s.other.make("ben")) == "200"
        entries = [json.loads(line) for line in read(folder("audit.log")).splitlines()]
        assert any(e.get("method") == "connection/ended" and e["serial"] == serial for e in entries), entries
        # After it was started again it is known from the first moment.
        s.service.channel.close()
        s.service.process.finish()
        s.service.start()
        s.web = int(s.service.process.wait_line(PAGE)[1])
        pages = s.page(pem, key), s.page(staying, staying_key)
        assert pages == ("refused", "200"), pages


def a_service_asks_for_the_others_lists_where_a_file_is_named():
    with Folder() as folder:
        crl = folder("others.crl")
        s = Service(folder, GRPC_CLIENT_CRL=crl, ADMIN_CLIENT_CRL=crl)
        put(crl, s.other.list())
        with s:
            own, anna = s.issue("cvm-1"), s.other.make("anna")
            assert s.page(*own[:2]) == "200" and s.page(*anna) == "200"
            with s.agent("cvm-9", *anna) as agent:
                s.service.process.wait_line(r"cvm-9")
                s.other.revoke("anna")
                put(crl, s.other.list())
                s.service.process.wait_line(rf"closed: certificate {s.other.serial('anna')} of CN=anna")
                assert agent.channel
            until(lambda: s.page(*anna) == "refused", "the page's refusal")
            assert s.page(*own[:2]) == "200"


# ---- clients ----


def the_command_line_and_the_service_judge_servers():
    with Folder() as folder, Lists(folder) as m:
        servers = folder("servers.crl")
        put(servers, m.ca.list())
        ben = m.ca.make("ben")
        words = ("--grpc-url", f"localhost:{m.port}", "--grpc-client-cert", ben[0], "--grpc-client-key", ben[1],
                 "--grpc-server-ca-certs", m.ca.pem)
        cli("vm", "list", *words, "--grpc-server-crl", servers).ok()
        cli("vm", "list", *words, MANAGER_GRPC_SERVER_CRL=servers).ok()
        put(servers, m.ca.ended())
        cli("vm", "list", *words, "--grpc-server-crl", servers).refused(1, "the list of CN=ca has ended", "/ca.crl")
        put(servers, Authority(folder, "other").list())
        cli("vm", "list", *words, "--grpc-server-crl", servers).refused(1, "there is no list of CN=ca")
        m.ca.revoke("server")
        put(servers, m.ca.list())
        cli("vm", "list", *words, "--grpc-server-crl", servers).refused(
            1, f"certificate {m.ca.serial('server')} of CN=server: it is revoked by the list of CN=ca",
            "a certificate that its authority took back")
        cli("vm", "list", *words[:6], "--grpc-server-crl", servers).refused(2, "--grpc-server-ca-certs, which is missing")
        cli("vm", "list", *words, "--grpc-server-crl", folder("nowhere")).refused(2, "nowhere")


# ---- --check ----


def a_look_tells_of_lists():
    with Folder() as folder:
        ca, other = Authority(folder), Authority(folder, "other")
        pem, key = ca.make("server", "DNS:localhost")
        tls = {"GRPC_SERVER_CERT": pem, "GRPC_SERVER_KEY": key, "GRPC_CLIENT_CA_CERTS": ca.pem}
        soon = ("-crlsec", "600")
        lists = {"missing": (None, "crl"), "ended": (ca.ended(), "ended at"), "soon": (ca.list(*soon), "ends soon, at"),
                 "other": (other.list(), "there is no list of CN=ca"),
                 "delta": (ca.list("-crlexts", "delta"), "a delta list"), "good": (ca.list(), "the first to end does so at")}
        os.mkdir(folder("run"))
        for program_, prefix, settings, name in (
                ("cocos-manager", "MANAGER_", manager_settings(folder), "revocation lists"),
                ("cocos-computations", "COMPUTATIONS_", service_settings(folder), "agents' revocation lists")):
            for what, (content, words) in lists.items():
                path = folder(what + ".crl")
                if content:
                    put(path, content)
                _, rows = check(program_, {**settings, **{prefix + k: v for k, v in tls.items()}, prefix + "GRPC_CLIENT_CRL": path})
                assert words in rows[name]["found"] and rows[name]["outcome"] == ("ok" if what == "good" else "failed"), (
                    what, rows[name])
                if what != "good":
                    assert prefix + "GRPC_CLIENT_CRL" in rows[name]["remedy"] and "/ca.crl" in rows[name]["remedy"], rows[name]
            _, rows = check(program_, {**settings, **{prefix + k: v for k, v in tls.items()}})
            assert rows[name]["outcome"] == "not asked", rows[name]
            status, said = check(program_, {**settings, prefix + "GRPC_CLIENT_CRL": folder("good.crl")})
            assert status == 2 and "GRPC_CLIENT_CRL needs" in said, said


def a_look_does_not_ask_for_the_service_s_own_list():
    with Folder() as folder:
        s = Service(folder)
        settings = {"COMPUTATIONS_" + k: v for k, v in s.settings.items()}
        settings.update(service_settings(folder))
        os.mkdir(folder("run"))
        _, rows = check("cocos-computations", settings)
        assert rows["agents' revocation lists"]["outcome"] == "not asked", rows
        assert "this service's own" in rows["agents' revocation lists"]["found"], rows
        put(folder("others.crl"), s.other.list())
        _, rows = check("cocos-computations", {**settings, "COMPUTATIONS_GRPC_CLIENT_CRL": folder("others.crl"),
                                               "COMPUTATIONS_ADMIN_CLIENT_CRL": folder("nowhere")})
        assert rows["agents' revocation lists"]["outcome"] == "ok" and "admin revocation lists" in failed(rows), rows


def a_manager_s_row_has_lists():
    with Folder() as folder, Lists(folder) as m:
        ben, crl = m.ca.make("ben"), folder("managers.crl")
        put(crl, m.ca.list())
        row = f"manager here localhost:{m.port} agents=10.0.2.2:7001 ca={m.ca.pem} cert={ben[0]} key={ben[1]} crl={crl}\n"
        settings = {**service_settings(folder), "COMPUTATIONS_MANAGERS": folder.write("managers", row + "limit default cvms=4\n")}
        _, rows = check("cocos-computations", settings)
        assert rows["managers"]["outcome"] == "ok", rows["managers"]
        put(crl, m.ca.ended())
        _, rows = check("cocos-computations", settings)
        assert rows["managers"]["outcome"] == "failed" and "crl=: " in rows["managers"]["found"], rows["managers"]
        put(crl, m.ca.list())
        with Folder() as own, Computations(own, MANAGERS=settings["COMPUTATIONS_MANAGERS"]) as service:
            url = "unix:" + service.socket
            m.ca.revoke("server")
            renew(service.process, crl, m.ca.list(), r"COMPUTATIONS_MANAGERS, crl=: 1 list read from")
            asked = Process([program("cocos-cli"), "cvm", "create", "one", "--grpc-url", url])
            service.process.wait_line(rf"certificate {m.ca.serial('server')} of CN=server: it is revoked by the list of CN=ca")
            asked.finish()


if __name__ == "__main__":
    tap.run([
        who_is_named_goes_and_comes_no_more,
        authorities_of_one_name_are_told_of_once,
        the_handshake_is_refused_to_curl_nghttp_and_openssl,
        a_wrong_list_changes_nothing,
        an_authority_that_counts_anew_is_heard_after_a_start,
        without_a_current_list_nobody_comes_in,
        a_list_that_cannot_be_one_keeps_it_from_starting,
        each_authority_of_a_chain_needs_its_list,
        many_entries_and_der_are_read,
        the_service_knows_its_own_at_once,
        a_service_asks_for_the_others_lists_where_a_file_is_named,
        the_command_line_and_the_service_judge_servers,
        a_look_tells_of_lists,
        a_look_does_not_ask_for_the_service_s_own_list,
        a_manager_s_row_has_lists])
