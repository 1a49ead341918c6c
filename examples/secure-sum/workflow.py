#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the guide's workflow for a private key's public half: workflow.py PRIVATE > workflow.json"""
import json
import sys

import paillier

NODES = [("r1:get_patent_data", "r1-hospital_executor", "get_patient_data", []),
         ("r2:get_patent_data", "r2-hospital_executor", "get_patient_data", []),
         ("cloud:sum_patent_data", "cloud-hospital-executor", "sum_patient_data",
          ["r1:get_patent_data", "r2:get_patent_data"])]


def main(path):
    with open(path, encoding="ascii") as file:
        key = paillier.public_text(paillier.public_of(json.load(file)))
    print(json.dumps([{"nodename": name, "conditions": {"executortype": kind, "dependencies": after},
                       "funcname": function, "kwargs": {"paillier-pubkey": key}, "maxexectime": 600, "maxretries": 3}
                      for name, kind, function, after in NODES], indent=4))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
