# SPDX-License-Identifier: Apache-2.0
"""How long the verifier dcap-qvl takes for a quote with its collateral: CASE ROUNDS, for a Python that has it.

Prints seconds of processor time for each call. Every answer has to be a yes: the module raises otherwise."""
import datetime
import json
import os
import sys
import time

import dcap_qvl  # pylint: disable=import-error


def read(*path):
    with open(os.path.join(sys.argv[1], *path), "rb") as file:
        return file.read()


def signed(name):
    """Intel's document: the body as it stands there, and the signature over it."""
    text = read("collateral", name).decode()
    body, = (key for key in json.loads(text) if key != "signature")
    start = text.index(f'"{body}":') + len(body) + 3
    end = json.JSONDecoder().raw_decode(text, start)[1]
    return text[start:end], bytes.fromhex(json.loads(text)["signature"])


def main():
    collateral = dcap_qvl.QuoteCollateralV3(
        read("collateral", "pck_crl_issuer_chain.pem").decode(), read("collateral", "root_ca_crl.der"),
        read("collateral", "pck_crl.der"),
        read("collateral", "tcb_info_issuer_chain.pem").decode(), *signed("tcb_info.json"),
        read("collateral", "qe_identity_issuer_chain.pem").decode(), *signed("qe_identity.json"))
    at = json.loads(read("expected.json"))["at"].replace("Z", "+00:00")
    given = read("quote.bin"), collateral, int(datetime.datetime.fromisoformat(at).timestamp())
    dcap_qvl.verify(*given)
    rounds, begun = int(sys.argv[2]), time.process_time()
    for _ in range(rounds):
        dcap_qvl.verify(*given)
    print((time.process_time() - begun) / rounds)


main()
