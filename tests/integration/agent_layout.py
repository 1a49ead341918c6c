# SPDX-License-Identifier: Apache-2.0
"""Where an algorithm finds its datasets, and that it may change them without harm to anybody."""
import tap
from agent_job import ALGO_KEY, DATA_KEY, IRIS, OTHER_KEY, USER_KEY, computing, manifest, running, unzip
from agent_peer import Client, cvms_pb2, dataset, free_port, refused, zip_of

import grpc

Code = grpc.StatusCode
UNPACK = [("decompress", "true")]
LIST = b"""#!/bin/sh
set -e
cd datasets
find . -type f | sort | while read -r f; do echo "$f $(cat "$f")"; done > ../results/list
cd "$HOME/.cache"
find . -type f | sort | while read -r f; do echo "$f $(cat "$f")"; done > /task/results/cache
"""


def folders():
    return cvms_pb2.Extension(layout="folders")


def listed(service, client):
    service.wait_event("ConsumingResults/Ready")
    result = unzip(client.result(USER_KEY))
    return [result[name].decode().splitlines() for name in ("list", "cache")]


def refusal_of(m):
    with running() as (service, _):
        m.agent_config.port = str(free_port())
        service.send(runReq=m)
        return service.answer_to_run().error


def stock_archives_share_datasets_and_the_second_of_a_path_is_refused():
    first = zip_of([("a.csv", b"first"), ("d/x.csv", b"x")])
    second = zip_of([("b.csv", b"second"), ("d/y.csv", b"y")])
    clash = zip_of([("c.csv", b"new"), ("d/x.csv", b"other")])
    onto = zip_of([("a.csv/deep", b"below a file")])
    sets = [dataset(z, DATA_KEY, f"{n}.zip", decompress=True)
            for n, z in enumerate((first, second, clash, onto))]
    with computing(lambda port: manifest(port, algo=LIST, datasets=sets)) as (service, agent, client):
        client.algo(LIST, ALGO_KEY)
        client.data(first, DATA_KEY, "0.zip")
        refused(Code.FAILED_PRECONDITION, "'d/x.csv' is here already", client.data, clash, DATA_KEY, "2.zip")
        refused(Code.FAILED_PRECONDITION, "'a.csv' is here already", client.data, onto, DATA_KEY, "3.zip")
        client.data(second, DATA_KEY, "1.zip")
        # of the refused ones nothing is left, of the first nothing is missing
        found = sorted(f for f in agent.work() if f.startswith("computation/datasets/"))
        assert found == [f"computation/datasets/{f}" for f in ("a.csv", "b.csv", "d/x.csv", "d/y.csv")], found
        with open(agent.work_dir + "/computation/datasets/d/x.csv", "rb") as file:
            assert file.read() == b"x"
    sets = sets[:2]
    with computing(lambda port: manifest(port, algo=LIST, datasets=sets)) as (service, _, client):
        client.algo(LIST, ALGO_KEY)
        client.data(first, DATA_KEY, "0.zip")
        client.data(second, DATA_KEY, "1.zip")
        assert listed(service, client)[0] == [
            "./a.csv first", "./b.csv second", "./d/x.csv x", "./d/y.csv y"]


def in_folders_owners_never_meet():
    doubled = zip_of([("h1/", b""), ("h1/x.csv", b"one"), ("h1/h1/y.csv", b"deep")])
    plain = zip_of([("x.csv", b"two")])
    mixed = zip_of([("h3/x.csv", b"three"), ("top.csv", b"beside")])
    by_call = zip_of([("x.csv", b"four")])
    sets = [dataset(doubled, DATA_KEY, "h1.zip", decompress=True),
            dataset(plain, OTHER_KEY, "h2.ZIP", decompress=True),
            dataset(mixed, DATA_KEY, "h3.zip", decompress=True),
            dataset(by_call, DATA_KEY, "h4.zip"), dataset(b"as it is", OTHER_KEY, "whole.zip"),
            dataset(IRIS, DATA_KEY, "iris.csv")]
    with computing(lambda port: manifest(port, algo=LIST, datasets=sets, cocos=folders())) as (
            service, _, client):
        client.algo(LIST, ALGO_KEY)
        client.data(doubled, DATA_KEY, "h1.zip")
        client.data(plain, OTHER_KEY, "h2.ZIP")
        client.data(mixed, DATA_KEY, "h3.zip")
        client.data(by_call, DATA_KEY, "h4.zip", more=UNPACK)
        client.data(b"as it is", OTHER_KEY, "whole.zip")
        client.data(IRIS, DATA_KEY, "iris.csv")
        found = listed(service, client)[0]
        assert found == ["./h1/h1/y.csv deep", "./h1/x.csv one", "./h2/x.csv two",
                         "./h3/h3/x.csv three", "./h3/top.csv beside", "./h4/x.csv four",
                         "./iris.csv sepal,petal", "5.1,1.4", "./whole.zip as it is"], found


def a_folder_that_fails_is_gone_and_may_come_again():
    bad = zip_of([("fine", b"x"), ("../out", b"x")])
    good = zip_of([("x.csv", b"good")])
    sets = [dataset(bad, OTHER_KEY, "h2.zip", decompress=True),
            dataset(good, DATA_KEY, "h1.zip", decompress=True)]
    with computing(lambda port: manifest(port, algo=LIST, datasets=sets, cocos=folders())) as (
            _, agent, client):
        client.algo(LIST, ALGO_KEY)
        for _ in range(2):
            refused(Code.INVALID_ARGUMENT, "decompress", client.data, bad, OTHER_KEY, "h2.zip")
        client.data(good, DATA_KEY, "h1.zip")
        found = [f for f in agent.work() if f.startswith("computation/datasets")]
        assert found == ["computation/datasets/h1/x.csv"], found


def one_place_for_two_is_refused_with_the_manifest():
    a, b = zip_of([("a", b"a")]), zip_of([("b", b"b")])
    for first, second in ((("h1.zip", True), ("h1.ZIP", True)), (("h1.zip", True), ("h1", False)),
                          (("h1", True), ("h1.zip", True))):
        sets = [dataset(a, DATA_KEY, first[0], decompress=first[1]),
                dataset(b, OTHER_KEY, second[0], decompress=second[1])]
        error = refusal_of(manifest(0, datasets=sets, cocos=folders()))
        assert f"datasets[1]: filename: '{second[0]}' lies in datasets/h1, as '{first[0]}'" in error, error
        # where all lie together, names are not places
        with computing(lambda port: manifest(port, datasets=sets)) as (_, __, client):
            assert client.status().state == "ReceivingAlgorithm"


def a_call_takes_nobodys_place():
    zipped = zip_of([("x", b"x")])
    nameless = zip_of([("y", b"y")])
    sets = [dataset(IRIS, DATA_KEY, "h1"), dataset(zipped, OTHER_KEY, "h1.zip"),
            dataset(nameless, OTHER_KEY)]
    with computing(lambda port: manifest(port, algo=LIST, datasets=sets, cocos=folders())) as (
            _, agent, client):
        client.algo(LIST, ALGO_KEY)
        refused(Code.INVALID_ARGUMENT, "datasets/h1 is the place of 'h1'", client.data, zipped,
                OTHER_KEY, "h1.zip", more=UNPACK)
        refused(Code.INVALID_ARGUMENT, "", client.data, nameless, OTHER_KEY, "h1.ZIP", more=UNPACK)
        client.data(nameless, OTHER_KEY, "free.zip", more=UNPACK)
        client.data(zipped, OTHER_KEY, "h1.zip")
        found = sorted(f for f in agent.work() if f.startswith("computation/datasets"))
        assert found == ["computation/datasets/free/y", "computation/datasets/h1.zip"], found


def caches_lie_where_libraries_look():
    weights = zip_of([("torch/hub/checkpoints/resnet18-f37072fd.pth", b"weights")])
    more = zip_of([("huggingface/hub/model", b"model")])
    for marked in (True, False):
        sets = [dataset(weights, OTHER_KEY, "cache.zip"), dataset(IRIS, DATA_KEY, "iris.csv")]
        if marked:  # which a stock manifest can't
            sets += [dataset(more, OTHER_KEY, "more.zip", cache=True)]
        algo = LIST + b'cat "$TORCH_HOME/hub/checkpoints/resnet18-f37072fd.pth" > /task/results/w\n'
        with computing(lambda port: manifest(port, algo=algo, datasets=sets)) as (service, agent, client):
            client.algo(algo, ALGO_KEY)
            client.data(weights, OTHER_KEY, "cache.zip")
            if marked:
                client.data(more, OTHER_KEY, "more.zip", more=UNPACK)
            client.data(IRIS, DATA_KEY, "iris.csv")
            data, cache = listed(service, client)
            assert data == ["./iris.csv sepal,petal", "5.1,1.4"], data
            found = ["./torch/hub/checkpoints/resnet18-f37072fd.pth weights"]
            assert cache == (["./huggingface/hub/model model"] if marked else []) + found, cache
            service.wait_event("Complete/Completed")
            assert not [f for f in agent.work() if "cache" in f], agent.work()


def a_cache_is_a_zip_and_takes_no_other_ones_path():
    one, two = zip_of([("torch/a", b"1")]), zip_of([("torch/a", b"2")])
    sets = [dataset(b"no zip", OTHER_KEY, "cache.zip"), dataset(one, DATA_KEY, "1.zip", cache=True),
            dataset(two, DATA_KEY, "2.zip", cache=True)]
    with computing(lambda port: manifest(port, algo=LIST, datasets=sets, cocos=folders())) as (
            _, agent, client):
        client.algo(LIST, ALGO_KEY)
        refused(Code.INVALID_ARGUMENT, "not a usable zip", client.data, b"no zip", OTHER_KEY, "cache.zip")
        client.data(one, DATA_KEY, "1.zip")
        refused(Code.FAILED_PRECONDITION, "'torch/a' is here already", client.data, two, DATA_KEY, "2.zip")
        found = [f for f in agent.work() if f.startswith("computation/cache")]
        assert found == ["computation/cache/torch/a"], found


def the_manifest_alone_makes_a_cache():
    code = zip_of([("torch/hub/code.py", b"code")])
    sets = [dataset(code, OTHER_KEY), dataset(IRIS, DATA_KEY, "iris.csv")]
    with computing(lambda port: manifest(port, algo=LIST, datasets=sets)) as (service, agent, client):
        client.algo(LIST, ALGO_KEY)
        for more in ((), UNPACK):
            refused(Code.INVALID_ARGUMENT, "no dataset of the manifest is called 'cache.zip'", client.data,
                    code, OTHER_KEY, "cache.zip", more=more)
        assert not [f for f in agent.work() if f.startswith("computation/cache/")], agent.work()
        client.data(code, OTHER_KEY, "data.zip", more=UNPACK)
        client.data(IRIS, DATA_KEY, "iris.csv")
        assert listed(service, client)[1] == []
    # one without a name that the manifest marks is one under any name
    sets = [dataset(code, OTHER_KEY, cache=True)]
    with computing(lambda port: manifest(port, algo=LIST, datasets=sets)) as (service, _, client):
        client.algo(LIST, ALGO_KEY)
        client.data(code, OTHER_KEY, "cache.zip")
        assert listed(service, client)[1] == ["./torch/hub/code.py code"]


def what_one_run_does_to_its_data_the_next_does_not_see():
    algo = (b"#!/bin/sh\nset -e\ncat datasets/h1/x.csv > results/before\n"
            b"if echo changed 2>/dev/null > datasets/h1/x.csv; then rm -r datasets/h1\n"
            b"mkdir datasets/h1; echo new > datasets/h1/x.csv; fi\ncat datasets/h1/x.csv > results/after\n")
    zipped = zip_of([("x.csv", b"sent\n")])
    with running() as (service, agent):
        for i in range(2):
            port = free_port()
            m = manifest(port, algo=algo, datasets=[dataset(zipped, DATA_KEY, "h1.zip", decompress=True)],
                         cocos=folders(), id=f"c-{i}")
            service.send(runReq=m)
            service.wait(lambda s: len(s.of("run_res")) > i)
            client = Client(port)
            client.algo(algo, ALGO_KEY)
            client.data(zipped, DATA_KEY, "h1.zip")
            service.wait(lambda s: s.events().count("ConsumingResults/Ready") > i)
            result = unzip(client.result(USER_KEY))
            assert result["before"] == b"sent\n", result
            assert result["after"] in (b"new\n", b"sent\n"), result  # by the kernel: sandbox.md
            client.close()
            service.send(stopComputation=cvms_pb2.StopComputation(computation_id=f"c-{i}"))
            service.wait(lambda s: len(s.of("stop_computation_res")) > i)
        assert agent.work() == ["lock"], agent.work()


if __name__ == "__main__":
    tap.run([
        stock_archives_share_datasets_and_the_second_of_a_path_is_refused,
        in_folders_owners_never_meet,
        a_folder_that_fails_is_gone_and_may_come_again,
        one_place_for_two_is_refused_with_the_manifest,
        a_call_takes_nobodys_place,
        caches_lie_where_libraries_look,
        the_manifest_alone_makes_a_cache,
        a_cache_is_a_zip_and_takes_no_other_ones_path,
        what_one_run_does_to_its_data_the_next_does_not_see,
    ])
