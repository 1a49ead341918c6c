# SPDX-License-Identifier: Apache-2.0
"""Credential activation beside a real TPM (swtpm): it opens what we make, for its AK alone."""
import os
import shutil
import subprocess
import sys
import tempfile

import tap
from agent_tpm import Tpm

PROBE = sys.argv[1]
DIR = tempfile.mkdtemp(prefix="cocos-credential-")


def at(name):
    return os.path.join(DIR, name)


class Keys:
    """An EK and an AK under it, in a TPM of their own."""

    def __init__(self, tpm, kind):
        self.tpm = tpm
        self.kind = kind
        self.run("tpm2_createek", "-G", kind, "-c", at("ek.ctx"), "-u", at("ek.pem"), "-f", "pem")
        self.run("tpm2_createak", "-C", at("ek.ctx"), "-c", at("ak.ctx"), "-G", "ecc",
                 "-g", "sha256", "-s", "ecdsa", "-u", at("ak.pub"), "-n", at("ak.name"))

    def run(self, *args, check=True):
        environment = dict(os.environ, TPM2TOOLS_TCTI=self.tpm.tcti)
        done = subprocess.run(args, capture_output=True, env=environment, check=False)
        assert not check or done.returncode == 0, (args, done.stderr.decode())
        if done.returncode:
            return None
        # Transient objects stay in swtpm until they are flushed: there is room for three.
        subprocess.run(["tpm2_flushcontext", "-t"], env=environment, check=True,
                       capture_output=True)
        return done.stdout

    def activate(self):
        """The secret, or None where the TPM refuses."""
        environment = dict(os.environ, TPM2TOOLS_TCTI=self.tpm.tcti)
        subprocess.run(["tpm2_startauthsession", "--policy-session", "-S", at("session.ctx")],
                       check=True, capture_output=True, env=environment)
        subprocess.run(["tpm2_policysecret", "-S", at("session.ctx"), "-c", "e"], check=True,
                       capture_output=True, env=environment)
        done = subprocess.run(["tpm2_activatecredential", "-c", at("ak.ctx"), "-C", at("ek.ctx"),
                               "-i", at("credential"), "-o", at("secret"), "-P",
                               "session:" + at("session.ctx")], capture_output=True, check=False,
                              env=environment)
        subprocess.run(["tpm2_flushcontext", at("session.ctx")], check=True, capture_output=True,
                       env=environment)
        subprocess.run(["tpm2_flushcontext", "-t"], check=True, capture_output=True,
                       env=environment)
        if done.returncode:
            return None
        with open(at("secret"), "rb") as f:
            return f.read()


def credential():
    return bytes.fromhex(subprocess.run([PROBE, at("ek.pem"), at("ak.pub"), at("credential")],
                                        capture_output=True, check=True, text=True).stdout)


def a_tpm_opens_what_we_make_for_its_rsa_ek():
    keys = Keys(TPM, "rsa")
    secret = credential()
    assert keys.activate() == secret


def a_tpm_opens_what_we_make_for_its_ecc_ek():
    keys = Keys(TPM, "ecc")
    secret = credential()
    assert keys.activate() == secret


def a_tpm_does_not_open_a_credential_for_another_ak():
    keys = Keys(TPM, "rsa")
    secret = credential()
    keys.run("tpm2_createak", "-C", at("ek.ctx"), "-c", at("ak.ctx"), "-G", "ecc", "-g", "sha256",
             "-s", "ecdsa")
    assert keys.activate() is None
    assert len(secret) == 32


def a_tpm_does_not_open_a_credential_that_was_changed():
    keys = Keys(TPM, "rsa")
    secret = credential()
    with open(at("credential"), "r+b") as f:
        content = bytearray(f.read())
        content[20] ^= 1  # in the HMAC
        f.seek(0)
        f.write(content)
    assert keys.activate() != secret


TPM = Tpm("sha256")
try:
    tap.run([
        a_tpm_opens_what_we_make_for_its_rsa_ek,
        a_tpm_opens_what_we_make_for_its_ecc_ek,
        a_tpm_does_not_open_a_credential_for_another_ak,
        a_tpm_does_not_open_a_credential_that_was_changed,
    ])
finally:
    TPM.remove()
    shutil.rmtree(DIR, ignore_errors=True)
