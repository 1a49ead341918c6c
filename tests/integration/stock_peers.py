# SPDX-License-Identifier: Apache-2.0
"""Cocos's own programs, built from their source, with ours: docs/peers.md as a test.

COCOS_STOCK_SOURCE names a checkout of Cocos whose modules Go can get; without it, without Go, or where it
can't be built, nothing is tested and the reason is said. agent_stock.py has what it sends, recorded.
"""
import contextlib
import os
import shutil
import subprocess
import sys

import tap
from agent_job import unzip
from attested_job import Room
from harness import BUILD, PATIENCE, Folder, authority, cli, read, until
from job_host import Job

STOCK = os.path.join(BUILD, "stock")
SCRIPT = "import os\nwith open('results/all', 'w') as out:\n    out.write(open('datasets/sub/x.csv').read())\n"


def stock_program(name):
    return os.path.join(STOCK, name)


def build(*names):
    """Those programs of its cmd/; why not, or None."""
    source = os.environ.get("COCOS_STOCK_SOURCE")
    if not source:
        return "COCOS_STOCK_SOURCE names no checkout of Cocos"
    if not shutil.which("go"):
        return "no Go here"
    os.makedirs(STOCK, exist_ok=True)
    built = subprocess.run(["go", "build", "-o", STOCK, *("./cmd/" + name for name in names)], cwd=source,
                           capture_output=True, text=True, check=False)
    return f"not built: {(built.stderr.splitlines() or ['?'])[-1]}" if built.returncode else None


def stock(folder, *words, wanted=(), where=None):
    """What it says; it exits with 0 whatever happened."""
    done = subprocess.run([stock_program("cli"), *words], cwd=folder.path, capture_output=True, text=True, check=False,
                          timeout=PATIENCE, env={"PATH": os.environ["PATH"], "HOME": folder.path, "TZ": "UTC",
                                                 **(where or {})})
    said = done.stdout + done.stderr
    for word in (wanted,) if isinstance(wanted, str) else wanted:
        assert word in said, f"{word!r} is not in: {said}"
    return said


def grow(folder):
    os.chmod(folder.write("set/sub/x.csv", "1,2\n"), 0o644)
    os.chmod(folder.write("set/run", "#!/bin/sh\n"), 0o755)
    folder.write("set/ä ~.txt", "x")
    return folder("set")


def both_give_a_folder_the_same_digest():
    with Folder() as folder:
        ours = cli("checksum", grow(folder)).ok().strip()
        stock(folder, "checksum", folder("set"), wanted=ours)


def its_three_kinds_of_keys_are_read():
    with Folder() as folder:
        for kind in ("rsa", "ecdsa", "ed25519"):
            stock(folder, "keys", "-k", kind, wanted="Successfully")
            cli("computation", "create", "--dry-run", "--id", "x", "--name", "x", "--algorithm", "00" * 32,
                "--algorithm-key", folder("public.pem"), "--consumer-key", folder("public.pem"),
                "--agent-port", "7000").ok()


def job(mode):
    with contextlib.ExitStack() as stack:
        certs = stack.enter_context(Folder()) if mode != "plaintext" else None
        if certs:
            authority(certs)
        ours = Job(stack, agent_tls=certs, agent_mutual=mode == "mutual TLS")
        folder = stack.enter_context(Folder())

        def say(*words, wanted="Successfully"):
            return stock(folder, *words, wanted=wanted, where=ours.where)

        for kind in ("rsa", "ecdsa", "ed25519"):
            say("keys", "-k", kind)
            for half in ("private", "public"):
                os.rename(folder(half + ".pem"), folder(f"{kind}-{half}.pem"))
        script = folder.write("copy.py", SCRIPT)
        options = ["--name", "job", "--algorithm", script, "--algorithm-type", "python", "--algorithm-key",
                   folder("rsa-public.pem"), "--dataset", grow(folder), "--dataset-name", "set", "--dataset-key",
                   folder("ecdsa-public.pem"), "--consumer-key", folder("ed25519-public.pem"), "--agent-port",
                   str(ours.port), "--stock-manifest"]  # its scripts expect datasets where its agent lays them
        if certs:
            options += ["--agent-cert", certs("server.pem"), "--agent-key", certs("server-key.pem")]
        if mode == "mutual TLS":
            options += ["--agent-client-ca", certs("ca.pem")]
        computation = ours("computation", "create", *options).ok().strip()
        ours.run(computation)
        say("algo", script, folder("rsa-private.pem"), "-a", "python")
        say("data", folder("set"), folder("ecdsa-private.pem"), "-d")
        until(lambda: ours("status", "--json").json()["state"] == "ConsumingResults", "the results")
        say("result", folder("ed25519-private.pem"), wanted="saved successfully")
        assert b"1,2\n" in read(folder("results.zip"))


def it_does_the_whole_job_in_plaintext():
    job("plaintext")


def it_does_the_whole_job_over_tls():
    job("TLS")


def it_does_the_whole_job_over_mutual_tls():
    job("mutual TLS")


def attested(kind, corim_of, wanted):
    """What it says over attested TLS to an agent on simulated hardware, with a CoRIM of ours that names another machine."""
    with contextlib.ExitStack() as stack:
        room = Room(stack, kind)
        folder = room.folder
        cli("policy", "create-corim", corim_of, "--measurement", "11" * 48, "--output", folder("other.corim"),
            *(["--product", "Milan"] if corim_of == "snp" else [])).ok()
        where = {"AGENT_GRPC_URL": f"127.0.0.1:{room.port}", "AGENT_GRPC_ATTESTED_TLS": "true",
                 "AGENT_GRPC_ATTESTATION_POLICY": folder("other.corim")}
        stock(folder, "algo", room.files["algo"], room.keys["algo"], "-a", "bin", wanted=wanted, where=where)
        if wanted == "Successfully":
            stock(folder, "data", room.files["data"], room.keys["data"], wanted=wanted, where=where)
            room.service.wait_event("ConsumingResults/Ready")
            stock(folder, "result", room.keys["result"], wanted="saved successfully", where=where)
            assert unzip(read(folder("results.zip")))["all.txt"] == room.data


def it_does_the_whole_job_over_attested_tls_whatever_a_tdx_machine_is():
    attested("tdx", "snp", "Successfully")


def it_cannot_read_a_corim_of_ours_for_tdx():
    attested("tdx", "tdx", "unavailable")


def its_judgement_reads_no_evidence_of_snp():
    attested("snp", "snp", "unavailable")


if __name__ == "__main__":
    WHY_NOT = build("cli")
    if WHY_NOT:
        print(f"1..0 # SKIP {WHY_NOT}")
        sys.exit(0)
    tap.run([both_give_a_folder_the_same_digest, its_three_kinds_of_keys_are_read,
             it_does_the_whole_job_in_plaintext, it_does_the_whole_job_over_tls,
             it_does_the_whole_job_over_mutual_tls,
             it_does_the_whole_job_over_attested_tls_whatever_a_tdx_machine_is, it_cannot_read_a_corim_of_ours_for_tdx,
             its_judgement_reads_no_evidence_of_snp])
