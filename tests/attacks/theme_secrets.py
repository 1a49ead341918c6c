# SPDX-License-Identifier: Apache-2.0
"""Somebody has got hold of the computation service's records, or can write them, and wants what the service keeps sealed: the
private key of an agent's listener, which a manifest has brought and which the service has to give on, the key of a second
factor, the secret that signs deliveries to a webhook, the link in a mail that waits."""
import contextlib
import os
import shutil
import sqlite3
import subprocess

import grpc
from agent_tpm import Tpm
from computations_service import agent_of, connected, create, run
from harness import PATIENCE, Computations, Folder, computations, cvms, program, until
from hook_receiver import Receiver, deliveries, told
from rows import Outcome, row, shown
from second_factor import Room, give, half_of
from smtp_server import Mailbox, again, invite, listed, mailing, stopped
from workspaces import create as create_in

SECRET = "-----BEGIN PRIVATE KEY-----\nthe listener's\n-----END PRIVATE KEY-----\n"


def made(service, name):
    create(service, id=name, agent_config=cvms.AgentConfig(port="7002", cert_file="a certificate", key_file=SECRET))


def operate(service, *words):
    """The program in the foreground, until it has ended."""
    config = service.folder.write("operator.conf", "".join(f"{k}={v}\n" for k, v in service.settings.items()))
    return subprocess.run([program("cocos-computations"), "--config", config, *words], capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"]}, timeout=PATIENCE, check=False)


def sent(service, name):
    """What an agent of his gets: the key."""
    with service, agent_of(service) as agent:
        until(connected(service, "cvm-1"), "the connection")
        run(service, name)
        return agent.manifest().agent_config.key_file


@row("agents-key-from-a-backup", "is sealed under another")
def from_a_backup(evil):
    """Who has found a backup restores it into a service of his own, under a key of his own, and has the computation run on an
    agent of his own. The honest twin is the operator, who has kept the key apart."""
    with Folder() as folder:
        with Computations(folder) as service:
            made(service, "c")
        assert operate(service, "--backup", folder("backup")).returncode == 0
        with open(folder("backup"), "rb") as file:
            assert b"the listener's" not in file.read()
        his = Computations(folder, STATE_DIR=folder("his"))
        os.makedirs(folder("his"))
        assert operate(his, "--restore", folder("backup")).returncode == 0
        if not evil:
            shutil.copy(folder("state", "secrets.key"), folder("his", "secrets.key"))
            return Outcome(sent(his, "c") == SECRET, "", len(SECRET))
        folder.write("his/secrets.key", "0f" * 32, 0o600)
        started = operate(his)
        assert started.returncode == 1, started
        return Outcome(False, shown(started.stderr, "is sealed under another"), 0)


@row("invitation-link-from-a-backup", "is in no copy")
def link_from_a_backup(evil):
    """Who has found a backup, or a copy of the database, looks for the link of an invitation whose mail waited then. The honest
    twin is whom it was mailed to."""
    with mailing(lambda tls: Mailbox(tls, RCPT=["450 later"])) as running:
        made = invite(running)
        until(lambda: listed(running)[made.number].mail_problem, "it was tried")
        stopped(running)
        folder = running.folder
        assert operate(running, "--backup", folder("backup")).returncode == 0
        copies = []
        for name in ["backup", *(f"state/{name}" for name in os.listdir(folder("state")) if name.startswith("computations.db"))]:
            with open(folder(name), "rb") as file:
                copies.append(file.read())
        assert all(b"anna@example.com" in copy for copy in (copies[0], b"".join(copies[1:]))), "who waits is in them"
        with contextlib.closing(sqlite3.connect(folder("state/computations.db"))) as database, database:
            database.execute("UPDATE mails SET due = 0")
        running.box.answers.clear()
        again(running)
        path = running.box.until().path()
        if not evil:
            return Outcome(path.startswith("/invite/"), "", len(path))
        found = [copy for copy in copies if path.rsplit("/", 1)[1].encode() in copy or b"/invite/" in copy]
        return Outcome(bool(found), "the link is in no copy", len(found))


@row("agents-key-under-another-computation", "it is not what was sealed")
def under_another(evil):
    """Who can write the database, and not read the key's file, puts another's sealed key beside a computation that he runs
    on an agent of his own."""
    with Folder() as folder:
        with Computations(folder) as service:
            made(service, "theirs")
            made(service, "his")
        if evil:
            with sqlite3.connect(folder("state", "computations.db")) as database:
                database.execute("UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE owner = 'theirs')"
                                 " WHERE owner = 'his'")
            database.close()
            with service, agent_of(service) as agent:
                until(connected(service, "cvm-1"), "the connection")
                try:
                    run(service, "his")
                    said = "nothing"
                except grpc.RpcError as error:
                    said = error.details()
                got = [m for m in list(agent.heard.queue)  # beside the stream's end, if that has come
                       if isinstance(m, cvms.ServerStreamMessage) and m.WhichOneof("message") == "runReqChunks"]
                return Outcome(False, shown(said, "it is not what was sealed"), len(got))
        return Outcome(sent(service, "his") == SECRET, "", len(SECRET))


@row("agents-key-among-certificates", "a private key, where all who see the manifest would have it")
def among_certificates(evil):
    """Who may see a computation's manifest, and no more, waits for one whose maker gives a single file of certificate and key,
    as other servers take it, for the certificate. The honest twin gives each in its own field."""
    with Folder() as folder, Computations(folder) as service:
        config = {"port": "7002", "key_file": SECRET, "cert_file": "a certificate\n" + (SECRET if evil else "")}
        try:
            create(service, id="c", agent_config=cvms.AgentConfig(**config))
        except grpc.RpcError as error:
            return Outcome(False, shown(error.details(), "a private key"), 0)
        manifest = service.admin.Manifest(computations.ComputationRequest(id="c"), timeout=PATIENCE).manifest
        return Outcome(True, "", len(manifest.agent_config.cert_file))


@row("factor-key-of-another-user", "it is not what was sealed")
def factor_of_another(evil):
    """Who knows Anna's password, and can write the database, puts the sealed key of his own second factor in the place of
    hers, and signs in as her with a code of his phone. The honest twin has hers."""
    with Room() as room:
        hers, _ = room.set_up()
        room.user("mallory")
        his, _ = room.set_up(room.browser().sign_in("mallory"))
        if evil:
            room.sql("UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE owner ="
                     " (SELECT CAST(number AS TEXT) FROM users WHERE name = 'mallory')) WHERE owner ="
                     " (SELECT CAST(number AS TEXT) FROM users WHERE name = 'anna')")
        thief = room.browser("127.0.0.2")
        answer = give(thief, half_of(thief), (his if evil else hers).now())
        if answer.status != 303:
            assert answer.status == 500 and "it is our fault, and logged" in answer.page().words()
            room.service.process.wait_line("it is not what was sealed")
            return Outcome(False, shown(room.service.process.text(), "it is not what was sealed"), 0)
        thief.follow(answer)
        page = thief.get("/me")
        return Outcome(page.status == 200, "", len(page.body))


@row("webhook-secret-of-another", "it is not what was sealed")
def webhook_of_another(evil):
    """Who can write the database, and has a webhook whose secret he was shown, puts that one's in the place of another's, so
    that he can make up deliveries which that one's receiver takes. The honest twin's receiver is told by the service."""
    with told(WEBHOOK_NETWORKS="127.0.0.0/8") as running, Receiver(running.tls) as receiver:
        new = running.hooks("Create", url=receiver.url, events=["computation.created"])
        his = running.hooks("Create", url=receiver.url, events=["cvm.made"])
        if evil:
            with sqlite3.connect(running.folder("state", "computations.db"), timeout=PATIENCE) as database:
                database.execute("UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE kind = 'webhook' AND owner = ?)"
                                 " WHERE kind = 'webhook' AND owner = ?", (str(his.webhook.number), str(new.webhook.number)))
            database.close()
        create_in(running.root, "c1")
        if evil:
            until(lambda: not running.hooks("Show", number=new.webhook.number).enabled, "it is disabled")
            told_why = running.hooks("Show", number=new.webhook.number).reason
            return Outcome(False, shown(told_why, "it is not what was sealed"), sum(len(c.text) for c in receiver.came))
        until(lambda: any(d.state == "taken" for d in deliveries(running, new.webhook.number)), "it is taken")
        return Outcome(all(c.signed_by(new.secret) for c in receiver.came), "", sum(len(c.text) for c in receiver.came))


class Guarded:
    """A service whose key is in a TPM of its machine, and in no file."""

    def __init__(self, folder, tpm, pcrs=""):
        self.folder, self.tpm, self.pcrs = folder, tpm, pcrs
        self.service = Computations(folder)
        with self.service:
            made(self.service, "c")
        self.copy(self.place())
        os.unlink(folder("state", "secrets.key"))
        self.service.settings["COMPUTATIONS_SECRETS_KEY"] = self.place()

    def place(self, tpm=None):
        return f"tpm:{self.folder('state', 'secrets.tpm')}?{self.pcrs}tcti={(tpm or self.tpm).tcti}"

    def copy(self, place):
        said = operate(self.service, "--copy-secrets-key", place)
        assert said.returncode == 0, said

    def told(self, words):
        """What it says in place of starting."""
        started = operate(self.service)
        assert started.returncode == 1, started
        return Outcome(False, shown(started.stderr, words), 0)


@contextlib.contextmanager
def guarded(pcrs=""):
    tpm = Tpm("sha256")
    try:
        with Folder() as folder:
            yield Guarded(folder, tpm, pcrs)
    finally:
        tpm.remove()


@row("secrets-key-on-another-machine", "another TPM sealed it")
def on_another_machine(evil):
    """Who has stolen the disk, with the database and the file that the TPM opens, starts the service on a machine of his own,
    whose TPM is made in the same way. The honest twin is the operator, on the service's machine."""
    with guarded() as his:
        if not evil:
            return Outcome(sent(his.service, "c") == SECRET, "", len(SECRET))
        tpm = Tpm("sha256")
        try:
            his.service.settings["COMPUTATIONS_SECRETS_KEY"] = his.place(tpm)
            return his.told("another TPM sealed it")
        finally:
            tpm.remove()


@row("secrets-key-swapped", "is sealed under another")
def swapped(evil):
    """Who can write the service's folder, and ask its TPM, has that seal a key that he knows, and puts it in the place of the
    service's, so that he can read what is sealed from then on. The honest twin puts back the file that was there."""
    with guarded() as his:
        os.rename(his.folder("state", "secrets.tpm"), his.folder("kept.tpm"))
        if not evil:
            os.rename(his.folder("kept.tpm"), his.folder("state", "secrets.tpm"))
            return Outcome(sent(his.service, "c") == SECRET, "", len(SECRET))
        his.service.settings["COMPUTATIONS_SECRETS_KEY"] = his.folder.write("his.key", "0f" * 32, 0o600)
        his.copy(his.place())
        his.service.settings["COMPUTATIONS_SECRETS_KEY"] = his.place()
        return his.told("is sealed under another")


@row("secrets-key-after-another-boot", "not as they were when it was sealed")
def after_another_boot(evil):
    """Who has the machine starts a system of his own on it, which its firmware measures, and asks the TPM for the key. The
    honest twin starts what was started before."""
    with guarded("pcrs=sha256:7,14&") as his:
        if not evil:
            return Outcome(sent(his.service, "c") == SECRET, "", len(SECRET))
        subprocess.run(["tpm2_pcrextend", "-T", his.tpm.tcti, f"14:sha256={'ab' * 32}"], check=True, capture_output=True,
                       timeout=PATIENCE)
        stolen = operate(his.service, "--copy-secrets-key", his.folder("stolen.key"))
        assert stolen.returncode == 1 and not os.path.exists(his.folder("stolen.key")), stolen
        return his.told("not as they were when it was sealed")
