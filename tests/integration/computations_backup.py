# SPDX-License-Identifier: Apache-2.0
"""cocos-computations --backup and --restore: beside a service that changes, from each database to the other, cut off at
any moment, and back to an older state."""
import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import grpc
from cryptography import x509

import audit_book
import tap
from certificates import make_authority
from computations_service import create, identifiers
from computations_service import refused as refused_call
from harness import PATIENCE, Computations, FakeAgent, Folder, cli, computations, cvms, program, read, until
from journal_witness import Bench, book_of
from people import Caller
from user_keys import Holder

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from postgres import Postgres  # pylint: disable=wrong-import-position

BACKUPS = 5
MANY = 200
KILLS = 8


@contextlib.contextmanager
def places():
    """A maker of services: on a server's database of its own each, or in files."""
    server = Postgres()
    try:
        with Folder() as folder:
            def service(name, on_server):
                settings = {"STATE_DIR": folder(name), "ADMIN_SOCKET": folder(name + ".sock")}
                if on_server:
                    if name not in server.sql("SELECT datname FROM pg_database").split():
                        server.sql(f"CREATE DATABASE {name}")
                    settings["DATABASE"] = server.place.replace("dbname=postgres", f"dbname={name}")
                made = Computations(folder, **settings)
                made.socket = settings["ADMIN_SOCKET"]
                return made
            service.server = server
            yield folder, service
    finally:
        server.close()


def command(service, *words):
    config = service.folder.write(
        "operator.conf", "".join(f"{k}={v}\n" for k, v in service.settings.items()))
    return [program("cocos-computations"), "--config", config, *words]


def operate(service, *words):
    return subprocess.run(command(service, *words), env={"PATH": os.environ["PATH"]}, capture_output=True, text=True,
                          timeout=PATIENCE, check=False)


def done(service, *words):
    said = operate(service, *words)
    assert said.returncode == 0 and said.stdout.count("\n") == 1, said
    return said.stdout


def refused(service, words, *command_words):
    said = operate(service, *command_words)
    line = said.stderr.strip().split("\n")[-1]  # a server without fsync is warned of before
    assert said.returncode == 1 and words in line and not said.stdout, said


def inside(path):
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    database.row_factory = lambda _, row: row[0]
    return database


def chain_of(database):
    """The rows of its audit log, which are one chain."""
    lines = database.execute("SELECT line FROM audit_rows ORDER BY number").fetchall()
    after = database.execute("SELECT head FROM audit_start").fetchone()
    number, digest = database.execute("SELECT max(number) FROM audit_rows").fetchone(), \
        database.execute("SELECT digest FROM audit_rows ORDER BY number DESC").fetchone()
    head = audit_book.head_text((number, digest))
    text = "\n".join([f'{{"audit":"cocos-audit-v1","after":"{after}"}}', *lines, f'{{"head":"{head}"}}', ""])
    return audit_book.verified(text.encode())[0]


def whole(path, least, most):
    """A change is in a backup with all that belongs to it, or not at all."""
    database = inside(path)
    try:
        assert database.execute("PRAGMA integrity_check").fetchone() == "ok"
        ids = set(database.execute("SELECT id FROM computations").fetchall())
        assert ids == {f"c{n}" for n in range(1, len(ids) + 1)} and least <= len(ids) <= most, (ids, least, most)
        assert set(database.execute("SELECT computation FROM workspace_computations").fetchall()) == ids
        made = [row for row in chain_of(database) if row["what"].endswith("/Create")]
        assert {row["object"] for row in made} == {f"computation {name}" for name in ids}, made
    finally:
        database.close()
    return len(ids)


def backups_beside_changes(on_server):
    with places() as (folder, place):
        with place("first", on_server) as service:
            made, stop = [], threading.Event()

            def create_more():
                while not stop.is_set():
                    made.append(create(service, id=f"c{len(made) + 1}"))

            worker = threading.Thread(target=create_more)
            worker.start()
            sizes = []
            try:
                for i in range(BACKUPS):
                    until(lambda i=i: len(made) > 10 * i, "computations")
                    least = len(made)
                    done(service, "--backup", folder(f"b{i}"))
                    sizes.append(whole(folder(f"b{i}"), least, len(made) + 1))
            finally:
                stop.set()
                worker.join()
            assert sizes == sorted(sizes) and identifiers(service) == set(made)
        other = place("second", not on_server)
        assert f"{folder('b4')}: form " in done(other, "--restore", folder("b4"))
        with other:
            assert identifiers(other) == {f"c{n}" for n in range(1, sizes[-1] + 1)}
            create(other, id="later")
            done(other, "--backup", folder("back"))
            refused(other, "another", "--restore", folder("back"))
        third = place("third", on_server)
        done(third, "--restore", folder("back"))
        with third:
            assert identifiers(third) == {"later"} | {f"c{n}" for n in range(1, sizes[-1] + 1)}
        refused(third, "it has records already", "--restore", folder("back"))


def a_file_is_backed_up_beside_changes_and_moves_to_a_server():
    backups_beside_changes(on_server=False)


def a_server_is_backed_up_beside_changes_and_moves_to_a_file():
    backups_beside_changes(on_server=True)


def restored_again(target, path):
    """Once a server has seen that the client which was killed is gone."""
    tries = []

    def settled():
        tries.append(operate(target, "--restore", path))
        return "another service uses" not in tries[-1].stderr

    until(settled, "the end of the connection that was killed")
    return tries[-1]


def kill_restores(on_server):
    with places() as (folder, place):
        with place("source", False) as service:
            for n in range(MANY):
                create(service, id=f"c{n}")
            done(service, "--backup", folder("backup"))
        measured = place("measured", on_server)
        begun = time.monotonic()
        done(measured, "--restore", folder("backup"))
        takes = time.monotonic() - begun
        for i in range(KILLS):
            target = place(f"target{i}", on_server)
            process = subprocess.Popen(command(target, "--restore", folder("backup")), stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            time.sleep(takes * (i + 1) / KILLS)  # any moment is as good
            process.send_signal(signal.SIGKILL)
            process.wait()
            again = restored_again(target, folder("backup"))
            assert again.returncode == 0 or "it has records already" in again.stderr, again
            with target:
                assert identifiers(target) == {f"c{n}" for n in range(MANY)}
                assert os.path.exists(folder(f"target{i}", "witness.pem"))


def a_restore_into_a_file_that_is_killed_leaves_nothing_or_all():
    kill_restores(on_server=False)


def a_restore_into_a_server_that_is_killed_leaves_nothing_or_all():
    kill_restores(on_server=True)


def an_older_state_is_no_silent_one():
    """Whoever saw more is told so, by the log of heads and by the audit log."""
    with Folder() as folder:
        def call(*words):
            return cli(*words, COMPUTATIONS_GRPC_URL="unix:" + folder("admin.sock"), XDG_STATE_HOME=folder("seen"))

        def journal(service, name):
            bench = Bench(service)
            try:
                bench.bring(bench.begin(name), name, book_of(name, 2), leaf=1)
            finally:
                bench.close()

        with Computations(folder) as service:
            journal(service, "a")
            done(service, "--backup", folder("older"))
            journal(service, "b")
            call("journal", "witness").ok()
            head = call("audit", "export", folder("audit")).ok()
            saved = open(folder("audit"), "rb").read()
        os.rename(folder("state"), folder("lost"))
        assert "log of heads 1, " in done(service, "--restore", folder("older"))
        with service:
            assert identifiers(service) == {"a"}
            seen = call("journal", "witness")
            assert seen.status == 3 and "shrunk" in seen.err, seen
            journal(service, "c")
            seen = call("journal", "witness")
            assert seen.status == 3 and "forked" in seen.err, seen
            call("audit", "export", folder("audit.now")).ok()
        before, _ = audit_book.verified(saved)
        now, _ = audit_book.verified(open(folder("audit.now"), "rb").read())
        at = next(i for i, row in enumerate(now) if row["what"] == "cocos-computations --restore")
        assert before[:at] == now[:at] and len(before) > at and before[at] != now[at], (head, at)
        row = now[at]
        assert row["who"] == f"uid {os.geteuid()}" and row["object"].startswith(f"{at}:"), row
        assert json.loads(row["about"])["leaves"] == 1, row


class Taken:
    """A user's token and key, a member, a certificate and a user who is not suspended: all of it is taken away."""

    def __init__(self, service, folder):
        self.service, self.folder = service, folder
        service.root = Caller(service.channel)
        anna = Holder(service, "anna")
        anna.register()
        for name in ("bert", "carl"):
            self.call("user", "add", name).ok()
        self.call("token", "add", "anna", "laptop", "--file", folder("token")).ok()
        with open(folder.write("once", self.call("certificate", "token", "agent", "cvm-1").ok()), "rb") as once:
            self.call("certificate", "issue", folder("leaf.key"), folder("leaf.pem"), "--stdin", stdin=once).ok()
        self.serial = x509.load_pem_x509_certificate(read(folder("leaf.pem"))).serial_number
        # What each is called by in the audit log, and the command of operators.md.
        self.rows = {("RevokeToken", "anna", "laptop"): ("token", "revoke", "anna", "laptop"),
                     ("RemoveMember", "default", "bert"): ("workspace", "member", "remove", "default", "bert"),
                     ("RetireKey", "anna", anna.fingerprint.hex()): ("key", "retire", anna.fingerprint.hex(), "--user", "anna"),
                     ("Revoke", f"{self.serial:032x}"): ("certificate", "revoke", f"{self.serial:032x}"),
                     ("SuspendUser", "carl"): ("user", "suspend", "carl")}

    def call(self, *words, **more):
        return cli(*words, COMPUTATIONS_GRPC_URL="unix:" + self.service.socket, **more)

    def good(self):
        """What of it counts, as lists say it and as it is used."""
        root = self.service.root = Caller(self.service.channel)
        key, = root("ListKeys", name="anna").keys
        self.call("certificate", "authority", "--list", "--force", "-o", self.folder("list")).ok()
        revoked = x509.load_der_x509_crl(read(self.folder("list"))).get_revoked_certificate_by_serial_number(self.serial)
        users = {user.name: user.suspended for user in root("ListUsers").users}
        return {"token": "laptop" in {token.name for token in root("ListTokens", name="anna").tokens}
                and Caller(self.service.channel, read(self.folder("token")).decode().strip()).code("Whoami") is None,
                "member": "bert" in {member.user for member in root("ListMembers", workspace="default").members},
                "key": not key.HasField("retired"), "certificate": not revoked, "user": not users["carl"]}

    def take_away(self):
        for words in self.rows.values():
            self.call(*words).ok()
        assert not any(self.good().values()), self.good()

    def are_told(self, rows):
        """In a saved audit log: by what was done, and to what."""
        for what, *names in self.rows:
            assert [row for row in rows if row["what"].endswith("/" + what) and row["outcome"] == "OK"
                    and all(name in row["object"] + row["about"] + row["before"] for name in names)], (what, names, rows)


def what_was_taken_away_since_is_back_until_it_is_taken_away_again():
    """As operators.md says: what was saved of the audit log behind the backup's head tells what, the same commands do it."""
    with Folder() as folder:
        made, settings = make_authority(folder)
        assert made.returncode == 0, made.stderr
        with Computations(folder, **settings) as service:
            taken = Taken(service, folder)
            assert all(taken.good().values()), taken.good()
            head = re.search(r"audit log (\d+):", done(service, "--backup", folder("backup")))[1]
            taken.take_away()
            taken.call("audit", "export", folder("saved")).ok()
        os.rename(folder("state"), folder("lost"))
        done(service, "--restore", folder("backup"))
        with service:
            assert all(taken.good().values()), taken.good()
            taken.are_told([row for row in audit_book.verified(read(folder("saved")))[0] if row["number"] > int(head)])
            taken.take_away()


def checked(service, passed):
    """What --check says of secrets."""
    said = operate(service, "--check", "--json")
    (found,) = [row for row in json.loads(said.stdout)["checks"] if row["check"] == "secrets"]
    assert found["outcome"] == ("ok" if passed else "failed"), found
    return json.dumps(found)


def refuses_to_start(service, words):
    refused(service, words)
    assert words in checked(service, False)


def a_backup_has_sealed_secrets_and_not_their_key():
    """Whoever has it reads no private key of an agent; whoever restores it brings the key, or gives them up."""
    secret = "-----BEGIN PRIVATE KEY-----\nonly the agent has this one\n-----END PRIVATE KEY-----\n"
    config = cvms.AgentConfig(port="7002", cert_file="a certificate", key_file=secret)
    with places() as (folder, place):
        for target, on_server in (("infile", False), ("onserver", True)):
            service = place("from" + target, not on_server)
            checked(service, True)
            with service:
                create(service, id="c", agent_config=config)
                checked(service, True)
                done(service, "--backup", folder(target + ".backup"))
            with open(folder(target + ".backup"), "rb") as file, open(folder("from" + target, "secrets.key"), "rb") as key:
                held, key = file.read(), key.read().strip()
            assert b"a certificate" in held and b"only the agent" not in held
            assert len(key) == 64 and key not in held and bytes.fromhex(key.decode()) not in held
            restored = place(target, on_server)
            os.makedirs(folder(target))
            done(restored, "--restore", folder(target + ".backup"))
            refuses_to_start(restored, "secrets.key' is missing, and 1 secret is sealed under another")
            assert not os.path.exists(folder(target, "secrets.key"))
            restored.settings["COMPUTATIONS_SECRETS_KEY"] = folder.write("other.key", "0f" * 32, 0o600)
            refuses_to_start(restored, "other.key' is one key, and 1 secret is sealed under another")
            os.chmod(folder("other.key"), 0o640)
            refuses_to_start(restored, "chmod 600")
            os.chmod(folder("other.key"), 0o600)
            # The next key, with the one of before beside it; then that alone.
            restored.settings["COMPUTATIONS_SECRETS_OLD_KEY"] = folder("from" + target, "secrets.key")
            checked(restored, True)
            with restored:
                restored.process.wait_line("1 secrets of key [0-9a-f]{16} are sealed under key [0-9a-f]{16} now")
            del restored.settings["COMPUTATIONS_SECRETS_OLD_KEY"]
            with restored, FakeAgent(f"127.0.0.1:{restored.port}", "cvm-1") as agent:
                agent.next("agentStateReq")
                until(lambda now=restored: now.admin.ListCvms(computations.ListRequest(), timeout=PATIENCE).cvms, "the CVM")
                restored.admin.Run(computations.RunRequest(id="c", cvm_id="cvm-1"), timeout=PATIENCE)
                assert agent.manifest().agent_config.key_file == secret
            folder.write("other.key", "1e" * 32, 0o600)
            refuses_to_start(restored, "is sealed under another")
            restored.settings["COMPUTATIONS_SECRETS_OLD_KEY"] = "lost"
            with restored:
                restored.process.wait_line("1 private key of an agent sealed under a key that is lost, and gone")
                # Nobody waits for what can't be sent: the CVM that was given it is free, and nothing gets it again.
                gone = ("its agent's private key is gone: before its first run 'computation update' puts one there, later create the "
                        "computation anew")
                with FakeAgent(f"127.0.0.1:{restored.port}", "cvm-1"):
                    until(lambda now=restored: now.show("c").failure == "its manifest can't be sent: " + gone, "the failure")
                    assert restored.show("c").state == "Failed"
                    held, = restored.admin.ListCvms(computations.ListRequest(), timeout=PATIENCE).cvms
                    assert not held.computation_id, held
                    why = refused_call(grpc.StatusCode.FAILED_PRECONDITION, restored.admin.Run,
                                       computations.RunRequest(id="c", again=True))
                    assert why == "computation 'c' can't be run: " + gone, why


def what_makes_no_sense_is_refused():
    with Folder() as folder:
        service = Computations(folder)
        refused(service, "no records: look at COMPUTATIONS_STATE_DIR", "--backup", folder("none"))
        refused(service, "No such file", "--restore", folder("none"))
        for words in (["--backup", "a", "--restore", "b"], ["--backup", "a", "--check"], ["--backup"]):
            assert operate(service, *words).returncode == 2
        with service:
            done(service, "--backup", folder("backup"))
            refused(service, "name another file", "--backup", folder("backup"))
        if os.geteuid() == 0:
            os.makedirs(folder("theirs"))
            os.chown(folder("theirs"), 1, 1)
            service.settings["COMPUTATIONS_STATE_DIR"] = folder("theirs")
            refused(service, "belongs to uid 1: restore as that user", "--restore", folder("backup"))
            assert os.listdir(folder("theirs")) == []


if __name__ == "__main__":
    tap.run([a_file_is_backed_up_beside_changes_and_moves_to_a_server,
             a_server_is_backed_up_beside_changes_and_moves_to_a_file,
             a_restore_into_a_file_that_is_killed_leaves_nothing_or_all,
             a_restore_into_a_server_that_is_killed_leaves_nothing_or_all,
             an_older_state_is_no_silent_one,
             what_was_taken_away_since_is_back_until_it_is_taken_away_again,
             a_backup_has_sealed_secrets_and_not_their_key,
             what_makes_no_sense_is_refused])
