#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the inputs of fuzz targets that are made here, the same bytes each time: make_seeds.py [TARGET...].

Signatures in them are zeros: a target signs what it has parsed again, with a key of its own
(cose_resign.h, x509_resign.h). What needs evidence that is really signed is made by make_corpus.c.
"""
import os
import sys

from seeds import (backups, boxes, browsers, certificates, containers, cvm_pages, devices, documents, enters, evidence, executors,
                   firmware, forms, host, http2, machines, network, oidc, pages, passkeys, places, programs, rooms, texts, tokens, ways,
                   webs, wheels, workflows)
from seeds.parts import CORPUS

TARGETS = [target for module in (backups, boxes, browsers, certificates, containers, cvm_pages, devices, documents, enters, evidence,
                                 executors, firmware, forms, host, http2, machines, network, oidc, pages, passkeys, places, programs,
                                 rooms, texts, tokens, ways, webs, wheels, workflows)
           for target in module.TARGETS]


def main():
    known = [target.__name__ for target in TARGETS]
    if {"-h", "--help"}.intersection(sys.argv[1:]):
        print(__doc__.strip(), "\n\nTargets: " + " ".join(sorted(known)) + "\nExit status: 0; 2 called wrongly.", sep="")
        return 0
    for name in sys.argv[1:]:
        if name not in known:
            print(f"make_seeds.py: no target '{name}' here; see --help", file=sys.stderr)
            return 2
    names = sys.argv[1:] or known
    for target in TARGETS:
        if target.__name__ not in names:
            continue
        folder = os.path.join(CORPUS, target.__name__)
        os.makedirs(folder, exist_ok=True)
        for name, content in target().items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
