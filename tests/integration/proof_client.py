# SPDX-License-Identifier: Apache-2.0
"""examples/proof.py, the client that others start from, does an owner's part against a real agent."""
import os
import stat
import subprocess
import sys
import tempfile

import tap
from agent_job import ALGO_KEY, DATA_KEY, IRIS, OTHER_KEY, SUM, USER_KEY, computing, unzip
from agent_peer import SOURCE, pem_key

PROTO = os.path.join(os.environ.get("COCOS_BUILD", os.path.join(SOURCE, "build")), "proto")
PROGRAM = os.path.join(SOURCE, "examples", "proof.py")


def written(folder, name, content):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return path


def proof(client, key, digest, *words):
    """Exit status and what it complains of."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, PROGRAM, client.url, written(folder, "key.pem", pem_key(key.key)), digest,
                               *words], capture_output=True, text=True, check=False,
                              env=os.environ | {"PROTO_DIR": PROTO})
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stderr


def done(*call):
    status, words = proof(*call)
    assert status == 0, words


def refused(status, words, *call):
    got, said = proof(*call)
    assert got == status and words in said, f"{got}: {said}"


def each_party_does_its_part_with_each_kind_of_key():
    with computing() as (service, _, client), tempfile.TemporaryDirectory() as folder:
        digest = client.status().manifest_digest.hex()
        algo, data = written(folder, "sum", SUM), written(folder, "iris.csv", IRIS)
        done(client, ALGO_KEY, digest, "algo", algo)
        done(client, DATA_KEY, digest, "data", data)
        service.wait_event("ConsumingResults/Ready")
        results = os.path.join(folder, "results.zip")
        done(client, USER_KEY, digest, "result", results)
        with open(results, "rb") as file:
            assert unzip(file.read())["all.txt"] == IRIS
        assert stat.S_ISREG(os.stat(results).st_mode) and not os.path.exists(results + ".part")


def what_is_not_the_owners_is_refused_in_one_line():
    with computing() as (_, _, client), tempfile.TemporaryDirectory() as folder:
        digest = client.status().manifest_digest.hex()
        algo, data = written(folder, "sum", SUM), written(folder, "iris.csv", IRIS)
        refused(1, "PERMISSION_DENIED", client, OTHER_KEY, digest, "algo", algo)
        refused(1, "INVALID_ARGUMENT", client, ALGO_KEY, digest, "algo", data)
        refused(1, "another manifest", client, ALGO_KEY, "00" * 32, "algo", algo)
        refused(2, "64 hexadecimal digits", client, ALGO_KEY, "00", "algo", algo)
        refused(2, "HOST:PORT", client, ALGO_KEY, digest, "send", algo)
        refused(1, "No such file", client, ALGO_KEY, digest, "algo", os.path.join(folder, "none"))
        # Who comes too early comes again; and no file is replaced.
        results = os.path.join(folder, "results.zip")
        for _ in range(2):
            refused(1, "FAILED_PRECONDITION", client, USER_KEY, digest, "result", results)
        assert os.listdir(folder).count("results.zip.part") == 0
        refused(1, "is there already", client, USER_KEY, digest, "result", data)


if __name__ == "__main__":
    tap.run([each_party_does_its_part_with_each_kind_of_key, what_is_not_the_owners_is_refused_in_one_line])
