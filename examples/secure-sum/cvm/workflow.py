#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the workflow with its sum in a CVM: workflow.py AGENT POLICY LAUNCHER R1 R2 > workflow.json

AGENT is the address at which the CVM will be reached, HOST:PORT; POLICY the file with what it has to prove; the others are
keys of the cloud's executor and of the hospitals', as 'cocos-cli executor key --signing' prints them."""
import hashlib
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
HOSPITALS = [("r1:get_patent_data", "r1-hospital_executor"), ("r2:get_patent_data", "r2-hospital_executor")]


def digest(name):
    with open(os.path.join(HERE, name), "rb") as file:
        return hashlib.sha3_256(file.read()).hexdigest()


def node(name, kind, function, after, kwargs, retries):
    return {"nodename": name, "conditions": {"executortype": kind, "dependencies": after}, "funcname": function,
            "kwargs": kwargs, "maxexectime": 600, "maxretries": retries}


def main(agent, policy, launcher, *owners):
    names = [name for name, _ in HOSPITALS]
    with open(policy, encoding="utf-8") as file:
        cvm = {"agent": agent, "policy": file.read(), "algorithm": digest("sum.py"), "type": "python", "args": [],
               "requirements": digest("requirements.txt"), "launcher": launcher, "owners": dict(zip(names, owners))}
    nodes = [node(name, kind, "get_patient_data", [], {}, 3) for name, kind in HOSPITALS]
    print(json.dumps(nodes + [node("cloud:sum_patent_data", "cvm:cloud", "sum_patient_data", names, {"cvm": cvm}, 3)],
                     indent=4))


if __name__ == "__main__":
    if len(sys.argv) != 4 + len(HOSPITALS):
        sys.exit(__doc__)
    main(*sys.argv[1:])
