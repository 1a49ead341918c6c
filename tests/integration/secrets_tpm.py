#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The key that seals the service's secrets in a TPM (swtpm): it is moved there and back, another one takes its place, PCRs
change, the TPM is gone. What has it sealed, an agent's private key, is what the agent gets or not."""
import contextlib
import json
import os
import sqlite3
import subprocess

import tap
from agent_tpm import Tpm
from computations_backup import done, operate, refused
from computations_service import agent_of, connected, create, run
from harness import Computations, FakeAgent, Folder, cvms, until
from instance_room import TAKES
from instance_room import Room as Instances

SECRET = "-----BEGIN PRIVATE KEY-----\nthe listener's, which a TPM guards\n-----END PRIVATE KEY-----\n"


@contextlib.contextmanager
def room():
    """A folder, a TPM, and a service with a secret that lies sealed."""
    tpm = Tpm("sha256")
    try:
        with Folder() as folder:
            service = Computations(folder)
            with service:
                create(service, id="c", agent_config=cvms.AgentConfig(port="7002", cert_file="a certificate", key_file=SECRET))
            yield folder, tpm, service
    finally:
        tpm.remove()


def place(folder, tpm, name="secrets.tpm", pcrs=None):
    bound = f"pcrs={pcrs}&" if pcrs else ""
    return f"tpm:{folder('state', name)}?{bound}tcti={tpm.tcti}"


def sealed(folder):
    """Rows as they lie there: under which key, and their bytes."""
    with contextlib.closing(sqlite3.connect(folder("state", "computations.db"))) as database:
        return database.execute("SELECT kind, owner, key, sealed FROM secrets").fetchall()


def gives_the_key(service, tpm_ends=None):
    with service, agent_of(service) as agent:
        until(connected(service, "cvm-1"), "the connection")
        if tpm_ends:
            tpm_ends()
        run(service, "c")
        assert agent.manifest().agent_config.key_file == SECRET


def checked(service, passed, words):
    said = operate(service, "--check", "--json")
    (found,) = [row for row in json.loads(said.stdout)["checks"] if row["check"] == "secrets"]
    assert found["outcome"] == ("ok" if passed else "failed") and words in json.dumps(found), found


def extend(tpm, pcr):
    subprocess.run(["tpm2_pcrextend", "-T", tpm.tcti, f"{pcr}:sha256={'ab' * 32}"], check=True, capture_output=True)


def the_same_key_goes_into_a_tpm_and_back():
    """Nothing is sealed anew: rows are byte for byte what they were. The TPM is asked once, at the start."""
    with room() as (folder, tpm, service):
        rows = sealed(folder)
        assert len(rows) == 1
        said = done(service, "--copy-secrets-key", place(folder, tpm))
        assert f"key {rows[0][2]}: from '{folder('state', 'secrets.key')}' to 'tpm:" in said, said
        os.rename(folder("state", "secrets.key"), folder("kept.key"))
        service.settings["COMPUTATIONS_SECRETS_KEY"] = place(folder, tpm)
        checked(service, True, "which the TPM opens; sealed: 1 private key of an agent")
        with service:
            assert sealed(folder) == rows
        back = folder("back.key")
        done(service, "--copy-secrets-key", back)
        with open(back, encoding="ascii") as ours, open(folder("kept.key"), encoding="ascii") as theirs:
            assert ours.read() == theirs.read()
        assert oct(os.stat(back).st_mode)[-3:] == oct(os.stat(folder("state", "secrets.tpm")).st_mode)[-3:] == "600"
        refused(service, "exists", "--copy-secrets-key", back)
        refused(service, "exists", "--copy-secrets-key", place(folder, tpm))
        gives_the_key(service, tpm.process.kill)
        service.settings["COMPUTATIONS_SECRETS_KEY"] = back
        with service:
            pass


def another_key_takes_its_place():
    """The next one is in the TPM, the one of before in a file; then both are in the TPM."""
    with room() as (folder, tpm, service):
        before = sealed(folder)[0][2]
        for name, old in (("one.tpm", folder("state", "secrets.key")), ("two.tpm", place(folder, tpm, "one.tpm"))):
            assert "new, at 'tpm:" in done(service, "--make-secrets-key", place(folder, tpm, name))
            service.settings["COMPUTATIONS_SECRETS_KEY"] = place(folder, tpm, name)
            refused(service, "1 secret is sealed under another")
            service.settings["COMPUTATIONS_SECRETS_OLD_KEY"] = old
            with service:
                service.process.wait_line(f"1 secrets of key {before} are sealed under key [0-9a-f]{{16}} now")
            assert sealed(folder)[0][2] != before
            before = sealed(folder)[0][2]
            del service.settings["COMPUTATIONS_SECRETS_OLD_KEY"]
        gives_the_key(service)


def instances_have_it_each_in_its_own():
    """Two on one PostgreSQL, on machines of their own: the same key, which the TPM of neither opens for the other. Who takes the
    place of the one that serves has asked its TPM long ago, and does without."""
    with contextlib.ExitStack() as stack:
        tpms = [Tpm("sha256") for _ in range(2)]
        for tpm in tpms:
            stack.callback(tpm.remove)
        hall = stack.enter_context(Instances())
        a, b = hall.instances
        create(a, id="c", agent_config=cvms.AgentConfig(port="7002", cert_file="a certificate", key_file=SECRET))
        rows = hall.rows("SELECT kind || ' ' || key || ' ' || encode(sealed, 'hex') FROM cocos_computations.secrets")
        assert len(rows) == 1
        for one, tpm in zip(hall.instances, tpms):
            done(one, "--copy-secrets-key", place(one.folder, tpm))
            os.unlink(one.folder("state", "secrets.key"))
            one.settings["COMPUTATIONS_SECRETS_KEY"] = place(one.folder, tpm)
        for one in (b, a):
            one.process.kill()
        a.start()
        until(a.serves, "the first one again", TAKES)
        # The disk of the first one in the second one's machine.
        b.settings["COMPUTATIONS_SECRETS_KEY"] = place(a.folder, tpms[1])
        refused(b, "another TPM sealed it")
        b.settings["COMPUTATIONS_SECRETS_KEY"] = place(b.folder, tpms[1])
        b.start()
        until(b.stands_by, "the second one", TAKES)
        tpms[1].process.kill()
        a.process.kill()
        until(b.serves, "the second one in its place", TAKES)
        b.dial()
        with FakeAgent(f"{b.address}:{hall.agents}", "cvm-1") as agent:
            until(connected(b, "cvm-1"), "the connection")
            run(b, "c")
            assert agent.manifest().agent_config.key_file == SECRET
        assert hall.rows("SELECT kind || ' ' || key || ' ' || encode(sealed, 'hex') FROM cocos_computations.secrets") == rows
        # Without its TPM it does not come back, with the other one it does.
        b.process.kill()
        refused(b, "COMPUTATIONS_SECRETS_KEY: ")
        a.start()
        until(a.serves, "the first one in its place", TAKES)


def registers_that_changed_open_nothing():
    """Until the operator seals the key that he has kept to what they are now."""
    with room() as (folder, tpm, service):
        rows = sealed(folder)
        bound = place(folder, tpm, pcrs="sha256:7,14")
        done(service, "--copy-secrets-key", bound)
        os.rename(folder("state", "secrets.key"), folder("kept.key"))
        service.settings["COMPUTATIONS_SECRETS_KEY"] = bound
        with service:
            pass
        extend(tpm, 14)
        for words in ([], ["--copy-secrets-key", folder("stolen.key")]):
            refused(service, "the PCRs of pcrs= are not as they were when it was sealed", *words)
        assert not os.path.exists(folder("stolen.key"))
        checked(service, False, "the PCRs of pcrs= are not as they were")
        os.unlink(folder("state", "secrets.tpm"))
        refused(service, "secrets.tpm' is missing: bring it back from a copy, or have the key sealed there by --copy-secrets-key")
        service.settings["COMPUTATIONS_SECRETS_KEY"] = folder("kept.key")
        done(service, "--copy-secrets-key", bound)
        service.settings["COMPUTATIONS_SECRETS_KEY"] = bound
        with service:
            assert sealed(folder) == rows
        gives_the_key(service)


def a_tpm_that_is_gone_is_said():
    with room() as (folder, tpm, service):
        done(service, "--copy-secrets-key", place(folder, tpm))
        service.settings["COMPUTATIONS_SECRETS_KEY"] = place(folder, tpm)
        tpm.process.kill()
        tpm.process.wait()
        refused(service, "COMPUTATIONS_SECRETS_KEY: ")
        refused(service, "TPM: swtpm:")
        checked(service, False, "TPM: swtpm:")


def what_makes_no_sense_is_refused():
    with room() as (folder, tpm, service):
        for words in (["--make-secrets-key"], ["--make-secrets-key", "/a", "--copy-secrets-key", "/b"],
                      ["--copy-secrets-key", "/a", "--check"]):
            assert operate(service, *words).returncode == 2
        for deed in ("--make-secrets-key", "--copy-secrets-key"):
            for said, wrong in (("not an absolute path", "secrets.tpm"), ("not an absolute path", "tpm:secrets.tpm"),
                                ("behind ? only pcrs=", "tpm:/secrets.tpm?auth=x"),
                                ("17 to 22", place(folder, tpm, pcrs="sha256:16"))):
                called = operate(service, deed, wrong)
                assert called.returncode == 2 and deed in called.stderr and said in called.stderr, called
            refused(service, "no PCR 7 of sha384", deed, place(folder, tpm, pcrs="sha384:7"))
        assert "secrets.tpm" not in os.listdir(folder("state"))


if __name__ == "__main__":
    tap.run([the_same_key_goes_into_a_tpm_and_back,
             another_key_takes_its_place,
             instances_have_it_each_in_its_own,
             registers_that_changed_open_nothing,
             a_tpm_that_is_gone_is_said,
             what_makes_no_sense_is_refused])
