#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sum_patient_data, at the cloud: has a CVM compute the node, and sends it the algorithm. Nothing that comes here is an input.

settings.json beside this file: {"environment": {NAME: VALUE}, "port": "7002", "run": [WORD], "proof": [WORD]} has what
cocos-cli needs to reach the computation service (COMPUTATIONS_GRPC_URL and so on), the port on which the agent listens in
the CVM, and options of 'computation run' (--new-cvm, say) and about evidence."""
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ENDED = {"Completed": 0, "Failed": 1, "Cancelled": 1}
WAITS = "Waiting for Algorithm"


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main():
    settings, manifest, address = (read(os.path.join(HERE, "settings.json")), read("manifest.json"),
                                   read("kwargs.json")["cvm"]["agent"])
    environment = {**os.environ, **settings["environment"]}

    def cocos(*words):
        return subprocess.run(["cocos-cli", *words], env=environment, stdout=subprocess.PIPE, check=True).stdout

    def state_of():
        return json.loads(cocos("computation", "show", manifest["id"], "--json"))["state"]

    def begin():
        # Where the agent listens is no part of what evidence shows of the manifest.
        with open("computation.json", "w", encoding="utf-8") as file:
            json.dump({**manifest, "agent_config": {**manifest["agent_config"], "port": settings["port"]}}, file)
        cocos("computation", "create", "computation.json")
        cocos("computation", "run", manifest["id"], *settings["run"])
        return WAITS

    def again():
        """Another attempt goes on with what an earlier one has begun: in the same CVM, which has kept the inputs."""
        try:
            state = state_of()
        except subprocess.CalledProcessError:
            return begin()
        if state == "Failed":
            cocos("computation", "retry", manifest["id"])
            return WAITS
        if state == "Created":
            cocos("computation", "run", manifest["id"], *settings["run"])
            return WAITS
        return state

    if (begin() if os.environ["WORKFLOW_ATTEMPT"] == "1" else again()) == WAITS:
        cocos("algo", os.path.join(HERE, "sum.py"), "key.pem", "--algorithm", "python", "--requirements",
              os.path.join(HERE, "requirements.txt"), "--grpc-url", address, "--attested-tls", "--attestation-policy",
              "policy.json", "--manifest", "manifest.json", "--wait", *settings["proof"])
    while (state := state_of()) not in ENDED:
        time.sleep(1)
    print(state)
    return ENDED[state]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"launch.py: {' '.join(error.cmd[:3])} ended with status {error.returncode}")
