# SPDX-License-Identifier: Apache-2.0
"""Images of containers and WebAssembly as algorithms of whole jobs over simulated SEV-SNP: the receipt for the results
says which kind ran and of which digest, whoever reads it."""
import functools
import io
import os
import subprocess
import tempfile
import zipfile

import container_image as image
import tap
import teesim
import wasm
from agent_job import ALGO_KEY
from agent_peer import sha3
from attested_job import room
from container_image import one
from harness import ROOT, cli
from receipt_job import finished, no, read, verify
from receipt_reader import Receipt

# Static, so that an image can hold it alone. It lies where no other root has a program.
PROGRAM = r"""
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	FILE *in = fopen("/cocos/datasets/d.bin", "r"), *out = fopen("/cocos/results/bytes", "w");
	long count = 0;

	if (!in || !out)
		return 3;
	while (fgetc(in) != EOF)
		count++;
	fprintf(out, "%ld %s", count, argc > 1 ? argv[1] : "");
	return fclose(out);
}
"""
RUN = {"Entrypoint": ["/only/here"], "Cmd": ["from the image"]}


@functools.lru_cache(maxsize=None)
def layers():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["cc", "-static", "-O1", "-x", "c", "-", "-o", f"{folder}/here"], input=PROGRAM, text=True,
                       check=True)
        return [image.tar(one("only/", kind="dir", mode=0o755), one("only/here", read(f"{folder}/here"), mode=0o755))]


def told(algo, kind, other):
    """The job with that algorithm; the results' files. Its receipt names kind and digest, and holds for these
    results alone, whatever `other` it is shown beside."""
    with room("snp", algo=algo, algo_type=kind) as r:
        finished(r)
        r.machine.agent.stop()
        receipt = Receipt(read(r.folder("results.receipt.cbor"))).check().is_of(r.folder("results.zip"))
        assert receipt.algorithm == [sha3(algo), kind, sha3(ALGO_KEY.spki)], receipt.algorithm
        done = verify(r)
        assert done.status == 0 and done.out.startswith("SIMULATED verified: the results of "), done.out + done.err
        said = verify(r, "--json").json()
        assert said["verdict"] == "SIMULATED verified", said
        wanted = {"sha3_256": sha3(algo).hex(), "type": kind, "owner": sha3(ALGO_KEY.spki).hex()}
        assert said["receipt"]["algorithm"] == wanted, said
        shown = cli("receipt", "show", r.folder("results.receipt.cbor")).ok()
        assert kind in shown and sha3(algo).hex() in shown, shown
        statement = cli("receipt", "show", "--slsa", r.folder("results.receipt.cbor")).json()
        definition = statement["predicate"]["buildDefinition"]
        assert kind in definition["externalParameters"].values(), statement
        assert {"sha3_256": sha3(algo).hex()} in [each["digest"] for each in definition["resolvedDependencies"]]
        # Another kind's name is another receipt, and no longer one.
        text = read(r.folder("results.receipt.cbor"))
        swapped = text.replace(kind.encode(), other, 1)
        assert swapped != text and len(other) == len(kind)
        with open(r.folder("results.receipt.cbor"), "wb") as file:
            file.write(swapped)
        no(verify(r), 3, "receipt.signature")
        with zipfile.ZipFile(io.BytesIO(read(r.folder("results.zip")))) as z:
            return {name: z.read(name) for name in z.namelist()}


def an_image_of_docker_has_a_receipt():
    found = told(image.docker(layers(), RUN), "docker", b"dockex")
    assert found["bytes"] == b"65536 from the image", found


def an_image_of_oci_has_a_receipt():
    found = told(image.oci(layers(), RUN), "docker", b"dockex")
    assert found["bytes"] == b"65536 from the image", found


def a_module_of_webassembly_has_a_receipt():
    found = told(wasm.compiled(os.path.join(ROOT, "examples", "count", "count.c")), "wasm", b"wasn")
    assert found["counts.txt"].startswith(b"d.bin: 65536 bytes, "), found


if __name__ == "__main__":
    if missing := teesim.unavailable():
        print(f"1..0 # SKIP {missing}")
    else:
        tests = [an_image_of_docker_has_a_receipt, an_image_of_oci_has_a_receipt]
        # Where the runtime can't be built (Debian 12) such algorithms are refused: wasm.py shows that.
        tap.run(tests + [a_module_of_webassembly_has_a_receipt] if wasm.THERE else tests)
