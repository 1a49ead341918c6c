# SPDX-License-Identifier: Apache-2.0
"""Who may call cocos-manager: its table of operators and tenants, and callers who want to be others."""
import os
import subprocess

import tap
from harness import Folder, until
from ports import free_port
from tenant_room import SAN, SPIFFE, SUBJECT, WAIT, Manager, may, table


def callers_are_who_the_table_says_and_nobody_else():
    with Folder() as folder, Manager(folder, table("tenant a subject CN=anna,O=Clinic", f"tenant b spiffe {SPIFFE}")) as m:
        assert may(m.unix()) == "operator"
        assert may(m.tls("a", SUBJECT)) == "tenant"
        assert may(m.tls("b", "/CN=x", f"{SAN}URI:{SPIFFE}")) == "tenant"
        evil = {
            "another": ("/CN=bert",),
            "case": ("/O=Clinic/CN=Anna",),
            "order": ("/CN=anna/O=Clinic",),
            "one-name": ("/CN=anna,O=Clinic",),
            "look-alike": ("/O=Clinic/CN=\u0430nna",),     # a Cyrillic letter
            "more": ("/C=DE/O=Clinic/CN=anna",),
            "two-values": ("/O=Clinic+CN=anna",),
            "two-uris": ("/CN=x", f"{SAN}URI:{SPIFFE},URI:spiffe://clinic.example/x"),
            "twice-the-uri": ("/CN=x", f"{SAN}URI:{SPIFFE},URI:{SPIFFE}"),
            "domain": ("/CN=x", f"{SAN}URI:spiffe://clinic.example.org/a"),
            "id-case": ("/CN=x", f"{SAN}URI:spiffe://clinic.example/A"),
            "scheme-case": ("/CN=x", f"{SAN}URI:SPIFFE://clinic.example/a"),
            "below": ("/CN=x", f"{SAN}URI:{SPIFFE}/b"),
            "slash": ("/CN=x", f"{SAN}URI:{SPIFFE}/"),
            "escaped": ("/CN=x", f"{SAN}URI:spiffe://clinic.example/%61"),
            "as-dns": ("/CN=x", f"{SAN}DNS:clinic.example"),
            "as-subject": (f"/CN={SPIFFE.replace('/', chr(92) + '/')}",),
            "both": (SUBJECT, f"{SAN}URI:{SPIFFE}"),       # a and b are two
            "uid": (f"/CN=uid={os.geteuid()}",),
        }
        for name, (subject, *extensions) in evil.items():
            assert may(m.tls(name, subject, *extensions)) == "nobody", name


def another_table_counts_at_once_and_a_broken_one_never():
    with Folder() as folder, Manager(folder, table("tenant a subject CN=anna,O=Clinic"),
                                     AUDIT_LOG=folder("audit.log")) as m:
        anna = m.tls("a", SUBJECT)
        assert may(anna) == "tenant"
        m.reload(table("tenant a subject CN=bert", "tenant a subjekt CN=x"),
                 r"access\.conf:3: 'subjekt': an identity is .*: the table stays as it was")
        assert may(anna) == "tenant" and may(m.unix()) == "operator"
        m.reload(table("operator subject CN=anna,O=Clinic"), "MANAGER_ACCESS: read again")
        assert may(anna) == "operator"
        m.reload(table(), "MANAGER_ACCESS: read again")  # which was said before, too
        until(lambda: may(anna) == "nobody", "the last table counts")
        with open(folder("audit.log"), encoding="utf-8") as log:
            text = log.read()
        assert '"tenant":"a","outcome":"PERMISSION_DENIED","error":"this is for operators' in text, text
        assert "does not know this caller" in text, text


def metrics_count_everybody_s_and_are_for_operators():
    port = free_port()
    with Folder() as folder, Manager(folder, table("tenant a subject CN=anna,O=Clinic", "operator subject CN=scraper"),
                                     METRICS=f"0.0.0.0:{port}") as m:
        def read(name, subject):
            m.certificates.make(name, subject)
            done = subprocess.run(["curl", "-si", "--max-time", str(WAIT), "--cacert", folder("ca.pem"),
                                   "--cert", folder(name + ".pem"), "--key", folder(name + ".key"),
                                   f"https://localhost:{port}/metrics"], capture_output=True, text=True, check=True)
            return int(done.stdout.split()[1]), done.stdout

        code, page = read("scraper", "/CN=scraper")
        assert code == 200 and "cocos_manager_vms{" in page, page
        for name, subject in (("a", SUBJECT), ("nobody", "/CN=nobody")):
            code, page = read(name, subject)
            assert code == 403 and "cocos_manager_vms" not in page, page


def a_table_that_is_none_stops_the_start():
    rows = {"": "nobody is operator", "operator uid 0\noperator uid 0\n": "access.conf:2: this uid is in line 1 already",
            "operator root\n": "access.conf:1: 'root': an identity is"}
    for text, words in rows.items():
        with Folder() as folder:
            m = Manager(folder, text)
            try:
                m.process.wait_line("MANAGER_ACCESS: .*" + words)
                assert m.process.process.wait(WAIT) == 1
            finally:
                m.secrets.cleanup()


tap.run([
    metrics_count_everybody_s_and_are_for_operators,
    callers_are_who_the_table_says_and_nobody_else,
    another_table_counts_at_once_and_a_broken_one_never,
    a_table_that_is_none_stops_the_start,
])
