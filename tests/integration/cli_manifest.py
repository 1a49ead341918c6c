# SPDX-License-Identifier: Apache-2.0
"""What people see of keys and manifests before they agree."""
import hashlib
import subprocess

import tap
from harness import Folder, cli


def openssl(*words, **options):
    return subprocess.run(["openssl", *words], capture_output=True, check=True, **options).stdout


def keys_of(folder, *names):
    """A folder with private.pem and public.pem for each name."""
    for name in names:
        folder.write(name + "/x", "")
        cli("keys", "-k", "ecdsa", cwd=folder(name)).ok()


def fingerprint(path):
    """What it has to be, by openssl and Python."""
    return hashlib.sha3_256(openssl("pkey", "-pubin", "-in", path, "-outform", "DER")).hexdigest()


def a_key_has_one_fingerprint():
    for kind in ("rsa", "ecdsa", "ed25519"):
        with Folder() as folder:
            cli("keys", "-k", kind, cwd=folder.path).ok()
            want = fingerprint(folder("public.pem"))
            for name in ("public.pem", "private.pem"):
                assert cli("key", "fingerprint", folder(name)).ok() == want + "\n", name
                assert cli("key", "fingerprint", "--json", folder(name)).json() == \
                    {"file": folder(name), "fingerprint": want}
            openssl("pkey", "-in", folder("private.pem"), "-aes256", "-passout", "pass:x", "-out",
                    folder("locked.pem"))
            cli("key", "fingerprint", folder("locked.pem")).refused(2, "private key", "terminal")


def what_holds_no_key_has_no_fingerprint():
    with Folder() as folder:
        keys_of(folder, "a")
        with open(folder("a/public.pem"), encoding="ascii") as file:
            public = file.read()
        for text, says in (("", "key"), ("-----BEGIN PUBLIC KEY-----\n", "key"), (public + public, "key"),
                           ("x" * 65537, "65536"), ("-----BEGIN PRIVATE KEY-----\nx\n", "private key")):
            cli("key", "fingerprint", folder.write("k", text)).refused(2, says)
        cli("key", "fingerprint", folder("nothing")).refused(2, "nothing")
        cli("key", "fingerprint", folder.path).refused(2)


if __name__ == "__main__":
    tap.run([a_key_has_one_fingerprint, what_holds_no_key_has_no_fingerprint])
