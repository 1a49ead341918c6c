# SPDX-License-Identifier: Apache-2.0
"""One computation after the other in a booted image: agent, keeper and jail as the image's users.

Arguments: the project's folder, the algorithm, a folder for the image.
"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import tap  # noqa: E402
from agent_job import ALGO_KEY, DATA_KEY, IRIS, USER_KEY, manifest, unzip  # noqa: E402
from agent_peer import Client, Service, cvms_pb2, dataset, free_port, zip_of  # noqa: E402
from guest_vm import Vm, build_image  # noqa: E402

PROJECT, ALGORITHM, IMAGES = sys.argv[1:4]
SUB, WEIGHTS = zip_of([("x.csv", b"x")]), zip_of([("torch/weights", b"weights")])
LOW = 443  # a port that elsewhere only root may take


def seen(service, event, times):
    service.wait(lambda s: list(s.events()).count(event) >= times)


def a_computation_runs_and_another_after_it():
    """What the algorithm's user made is read and wiped, whatever its modes; nothing is left in the way. The
    guest's kernel layers what it changes of its data, and has its caches in their place."""
    with open(ALGORITHM, "rb") as file:
        algorithm = file.read()
    sets = [dataset(IRIS, DATA_KEY, "iris.csv"), dataset(SUB, DATA_KEY, "sub.zip", decompress=True),
            dataset(WEIGHTS, DATA_KEY, "weights.zip", cache=True)]
    folder, outside, service = os.path.join(IMAGES, "base"), free_port(), Service()
    build_image(PROJECT, "base", folder)
    with open(os.path.join(folder, "image.json"), encoding="utf-8") as file:
        words = json.load(file)["cmdline"] + " cocos.role_signature"  # as the peer here signs
    with Vm(folder, f"AGENT_CVM_GRPC_URL=10.0.2.2:{service.port}\nAGENT_RUN_PROCESSOR=90\n",
            {"ca.pem": b"x"}, append=words,
            net=["-netdev", f"user,id=net0,hostfwd=tcp:127.0.0.1:{outside}-:{LOW}"]) as vm:
        try:
            service.wait_connected()
            for number in range(2):
                service.send(runReq=manifest(LOW, algo=algorithm, datasets=sets,
                                             cocos=cvms_pb2.Extension(layout="folders")))
                answer = service.answer_to_run(number)
                assert answer.error == "", answer.error
                client = Client(outside)
                client.algo(algorithm, ALGO_KEY)
                client.data(IRIS, DATA_KEY, "iris.csv")
                client.data(SUB, DATA_KEY, "sub.zip")
                client.data(WEIGHTS, DATA_KEY, "weights.zip")
                seen(service, "ConsumingResults/Ready", number + 1)
                assert unzip(client.result(USER_KEY)) == {"shut/all.txt": IRIS}
                seen(service, "Complete/Completed", number + 1)
                client.close()
                service.send(stopComputation=cvms_pb2.StopComputation(computation_id="c-1"))
                service.wait(lambda s: len(s.of("stop_computation_res")) > number)  # noqa: B023
        finally:
            print("# " + "\n# ".join(vm.lines))
            service.stop()
    assert any("platform: TPM 2.0" in line for line in vm.lines)


if __name__ == "__main__":
    tap.run([a_computation_runs_and_another_after_it])
