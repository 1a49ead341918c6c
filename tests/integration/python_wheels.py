# SPDX-License-Identifier: Apache-2.0
"""Requirements without a network where the algorithm runs: wheels that this test makes travel with
it, fetched by the owner's pip or from a folder; whatever is wrong with them is refused when the
algorithm arrives, before any dataset."""
import contextlib
import hashlib
import io
import os
import shutil
import tempfile
import threading
import zipfile

import grpc

import tap
from agent_job import ALGO_KEY, DATA_KEY, IRIS, USER_KEY, computing, manifest, unzip
from agent_peer import agent_pb2, free_port, pem_key, refused, sha3, zip_of
from harness import cli, read

Code = grpc.StatusCode
TRAIN = b"""import greeting, words
open('results/out.txt', 'w').write(greeting.WORD + ' ' + words.WORD)
"""
REQUIREMENTS = "greeting[loud]~=1.0 ; python_version >= '3'\nnever; sys_platform == 'win32'\n"


def wheel(name, version="1.0", requires=(), files=None, tag="py3-none-any", extras=()):
    """(file name, content)."""
    stem = f"{name.replace('-', '_')}-{version}"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for path, text in (files or {f"{name}/__init__.py": f"WORD = '{name} {version}'\n"}).items():
            z.writestr(zipfile.ZipInfo(path), text)
        z.writestr(zipfile.ZipInfo(f"{stem}.dist-info/METADATA"), "\n".join(
            ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"] +
            [f"Provides-Extra: {e}" for e in extras] + [f"Requires-Dist: {r}" for r in requires]) + "\n")
        z.writestr(zipfile.ZipInfo(f"{stem}.dist-info/WHEEL"),
                   f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        z.writestr(zipfile.ZipInfo(f"{stem}.dist-info/RECORD"), "")
    return f"{stem}-{tag}.whl", out.getvalue()


def of_pip(name, content):
    """The line of a lock."""
    project, version = name.split("-")[:2]
    return f"{project}=={version} --hash=sha256:{hashlib.sha256(content).hexdigest()}\n"


GOOD = [wheel("greeting", requires=["words>=2; extra == 'loud'", "old; python_version < '3'"],
              extras=["loud"]),
        wheel("words", "2.1")]


def bundle(wheels, lock=None, text=REQUIREMENTS, more=()):
    lock = "".join(of_pip(*w) for w in wheels) if lock is None else lock
    return zip_of([("requirements.lock", lock), ("requirements.txt", text)] +
                  [("wheels/" + name, content) for name, content in wheels] + list(more))


def bundle_digest(wheels):
    """Of the same files in a folder, by another command."""
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "wheels"))
        for name, content in [("requirements.txt", REQUIREMENTS),
                              ("requirements.lock", "".join(of_pip(*w) for w in wheels))] + [
                                  ("wheels/" + name, content) for name, content in wheels]:
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())
            os.chmod(os.path.join(folder, name), 0o644)
        return cli("checksum", folder).ok().strip()


@contextlib.contextmanager
def owner(wheels=()):
    """A folder with a key, an algorithm, requirements, and wheels in `index`."""
    folder = tempfile.mkdtemp(prefix="cocos-owner-")
    try:
        for name, content in (("key.pem", pem_key(ALGO_KEY.key)), ("train.py", TRAIN.decode()),
                              ("requirements.txt", REQUIREMENTS)):
            with open(os.path.join(folder, name), "w", encoding="utf8") as f:
                f.write(content)
        os.mkdir(os.path.join(folder, "index"))
        os.mkdir(os.path.join(folder, "tmp"))
        for name, content in wheels:
            with open(os.path.join(folder, "index", name), "wb") as f:
                f.write(content)
        yield folder
    finally:
        shutil.rmtree(folder)


def training(**args):
    return computing(lambda port: manifest(port, algo=TRAIN), **args)


def send(folder, client, *options, **environment):
    """cocos-cli algo, with the folder as pip's only index."""
    status = client.status()
    assert status.state == "ReceivingAlgorithm", status.state
    values = {"AGENT_GRPC_URL": client.url, "TMPDIR": os.path.join(folder, "tmp"),
              "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": os.path.join(folder, "index"),
              "PIP_CONFIG_FILE": "/dev/null", "HOME": folder}
    values.update(environment)
    ran = cli("algo", "train.py", "key.pem", "-a", "python", "-r", "requirements.txt", *options,
              cwd=folder, **values)
    assert os.listdir(os.path.join(folder, "tmp")) == [], "something is left"
    return ran


def finish(service, client, words=b"greeting 1.0 words 2.1"):
    client.data(IRIS, DATA_KEY, "iris.csv")
    service.wait_event("ConsumingResults/Ready")
    assert unzip(client.result(USER_KEY))["out.txt"] == words


def upload(client, requirements, digest=None, proof=True):
    """The algorithm with these requirements, as the CLI would send them."""
    digest = sha3(requirements) if digest is None else digest
    more = [("algo_type", "python")]
    if proof:
        metadata = client.proof_metadata(
            "algorithm-provider", "Algo", ALGO_KEY, sha3(TRAIN),
            [("algo_type", "python")] + ([("requirements", digest)] if digest else []),
            more + ([("requirements-digest", digest.hex())] if digest else []))
    else:
        metadata = client.role_metadata("algorithm-provider", ALGO_KEY, more)
    return client.algo(TRAIN, ALGO_KEY, requirements, metadata=metadata)


def pip_finds_what_the_image_lacks():
    with owner(GOOD) as folder, training() as (service, _, client):
        ran = send(folder, client, "--lock", "wheels.lock")
        assert "accepted" in ran.ok(), ran.out
        for words in ("2 wheels", "greeting==1.0 --hash=sha256:", "words==2.1 --hash=sha256:"):
            assert words in ran.err, ran.err
        assert "requirements with these wheels: " + bundle_digest(GOOD) in ran.err, ran.err
        assert read(os.path.join(folder, "wheels.lock")).decode() == "".join(of_pip(*w) for w in GOOD)
        finish(service, client)


def a_lock_is_taken_as_it_is():
    newer = wheel("words", "2.2")
    with owner(GOOD + [newer]) as folder, training() as (service, _, client):
        path = os.path.join(folder, "wheels.lock")
        with open(path, "w", encoding="utf8") as f:
            f.writelines(of_pip(*w) for w in GOOD)
        before = read(path)
        os.rename(os.path.join(folder, "index", GOOD[1][0]), os.path.join(folder, "away"))
        send(folder, client, "--lock", "wheels.lock").refused(1, "pip:", "words==2.1")
        os.rename(os.path.join(folder, "away"), os.path.join(folder, "index", GOOD[1][0]))
        send(folder, client, "--lock", "wheels.lock").ok()
        assert read(path) == before
        finish(service, client)


def a_folder_of_wheels_needs_no_pip():
    with owner(GOOD) as folder, training() as (service, _, client):
        # Before there is an agent its digest is known.
        before = cli("checksum", "requirements.txt", "--wheels", "index", cwd=folder, TMPDIR=os.path.join(folder, "tmp"))
        assert before.ok().strip() == bundle_digest(GOOD)
        # What would never be sent has none.
        with open(os.path.join(folder, "no.txt"), "w", encoding="utf8") as f:
            f.write("!!!\n")
        cli("checksum", "no.txt", "--wheels", "index", cwd=folder, TMPDIR=os.path.join(folder, "tmp")).refused(2, "line 1")
        ran = send(folder, client, "--wheels", "index", PATH="/nowhere")
        assert ran.ok() and "requirements with these wheels: " + before.out in ran.err, ran.err
        finish(service, client)


def a_folder_is_what_its_lock_says():
    with owner(GOOD) as folder, training() as (service, _, client):
        path = os.path.join(folder, "wheels.lock")
        for lines, words in (([of_pip(*GOOD[0])], "not in the lock"),
                             ([of_pip(*GOOD[0]), of_pip(GOOD[1][0], b"")], "another digest"),
                             ([of_pip(*w) for w in GOOD] + [of_pip("more-1-", b"")], "no wheel of it"),
                             (["greeting>=1\n"], "no name==version"),
                             (["greeting==1.0\n"], "no --hash")):
            with open(path, "w", encoding="utf8") as f:
                f.writelines(lines)
            send(folder, client, "--wheels", "index", "--lock", "wheels.lock").refused(
                1, words, "hint: a lock that is there is taken as it is")
        os.remove(path)
        send(folder, client, "--wheels", "index", "--lock", "wheels.lock").ok()
        assert read(path).decode() == "".join(of_pip(*w) for w in GOOD)
        finish(service, client)


def what_has_no_wheel_is_told_with_what_to_do():
    with owner(GOOD[:1]) as folder, training() as (_, __, client):
        send(folder, client).refused(1, "pip: No matching distribution", "words", "pip wheel --no-deps")
        send(folder, client, PATH="/nowhere").refused(1, "python3", "--wheels DIR")
        with open(os.path.join(folder, "index", "words-2.1.tar.gz"), "wb"):
            pass
        send(folder, client, "--wheels", "index").refused(1, "words-2.1.tar.gz", "not named as a wheel")
        os.mkdir(os.path.join(folder, "none"))
        send(folder, client, "--wheels", "none").refused(1, "--wheels 'none': no wheel is in it")
        assert client.status().state == "ReceivingAlgorithm"


def what_the_image_has_is_enough():
    """The file travels as it is, and no pip is asked."""
    with owner() as folder, computing(lambda port: manifest(port, algo=b"import cbor2\n")) as (
            service, _, client):
        with open(os.path.join(folder, "train.py"), "wb") as f:
            f.write(b"import cbor2\n")
        with open(os.path.join(folder, "requirements.txt"), "w", encoding="utf8") as f:
            f.write("cbor2>=5\nnever; sys_platform == 'win32'\n")
        ran = send(folder, client, PATH="/nowhere")
        ran.ok()
        assert "wheels" not in ran.err, ran.err
        client.data(IRIS, DATA_KEY, "iris.csv")
        service.wait_event("ConsumingResults/Ready")


def a_lock_without_wheels_is_written_and_compared():
    with owner(GOOD) as folder, training() as (service, _, client):
        path, requirements = os.path.join(folder, "wheels.lock"), os.path.join(folder, "requirements.txt")

        def put(where, text):
            with open(where, "w", encoding="utf8") as f:
                f.write(text)
        put(requirements, "cbor2>=5\n")
        put(path, "".join(of_pip(*w) for w in GOOD))
        send(folder, client, "--lock", "wheels.lock", PATH="/nowhere").refused(
            1, "wheels.lock", "is in it", "the image has all")
        put(path, "greeting>=1\n")
        send(folder, client, "--lock", "wheels.lock", PATH="/nowhere").refused(1, "no name==version")
        # One that says that nothing travels holds for requirements that need nothing, and for no others.
        put(path, "")
        put(requirements, REQUIREMENTS)
        for more in ((), ("--wheels", "index")):
            send(folder, client, "--lock", "wheels.lock", *more, PATH="/nowhere").refused(
                1, "wheels.lock", "no wheel is in it")
        assert read(path) == b"" and client.status().state == "ReceivingAlgorithm"
        os.remove(path)
        put(requirements, "cbor2>=5\n")
        put(os.path.join(folder, "train.py"), TRAIN.decode())
        ran = send(folder, client, "--lock", "nowhere/wheels.lock", PATH="/nowhere")
        ran.refused(1, "--lock", "nowhere")
        assert client.status().state == "ReceivingAlgorithm"
    with owner() as folder:
        path = os.path.join(folder, "wheels.lock")
        for name, text in (("train.py", "import cbor2\n"), ("requirements.txt", "cbor2>=5\n")):
            with open(os.path.join(folder, name), "w", encoding="utf8") as f:
                f.write(text)
        for _ in range(2):  # written, and then taken as it is
            with computing(lambda port: manifest(port, algo=b"import cbor2\n")) as (service, _, client):
                send(folder, client, "--lock", "wheels.lock", PATH="/nowhere").ok()
                assert read(path) == b"", "nothing travels, and the lock says so"
                client.data(IRIS, DATA_KEY, "iris.csv")
                service.wait_event("ConsumingResults/Ready")


def the_image_counts_for_what_wheels_ask_for():
    """`greeting` asks for a package of the image, of which the index has a newer one."""
    wheels = [wheel("greeting", requires=["cbor2>=1", "words"]), wheel("words", "2.1"),
              wheel("cbor2", "99.0")]
    with owner(wheels) as folder, training() as (service, _, client):
        with open(os.path.join(folder, "requirements.txt"), "w", encoding="utf8") as f:
            f.write("greeting\ncbor2\n")
        ran = send(folder, client)
        ran.ok()
        assert "2 wheels" in ran.err and "cbor2" not in ran.err, ran.err
        finish(service, client)


def an_index_gets_hashes():
    """The agent is told of an index: what travels is a text with each hash."""
    url = f"http://127.0.0.1:{free_port()}/simple"
    with owner(GOOD) as folder, training(settings={"AGENT_PIP_INDEX_URL": url}) as (_, agent, client):
        send(folder, client, "--hashes").ok()
        text = read(os.path.join(agent.work_dir, "computation", "requirements", "requirements.txt"))
        assert text.decode() == "".join(of_pip(*w) for w in GOOD)


def what_is_missing_is_refused_before_any_dataset():
    """All of it, in one line."""
    with training() as (service, agent, client):
        text = b"nothing-like-it==1\ncbor2>=9999\nnumpy[nonsense]\n"
        refused(Code.FAILED_PRECONDITION, "missing here: nothing-like-it==1, cbor2>=9999 (there is ",
                upload, client, text)
        refused(Code.FAILED_PRECONDITION, ", numpy[nonsense] (", upload, client, text)
        assert client.status().state == "ReceivingAlgorithm"
        assert [f for f in agent.work() if f != "lock"] == [], agent.work()
        upload(client, bundle(GOOD))
        finish(service, client)


TWIN = wheel("words", "2.1", tag="py2.py3-none-any")
HOSTILE = [
    ("another digest than the lock", bundle(GOOD, lock=of_pip(*GOOD[0]) + of_pip(GOOD[1][0], b"x"))),
    ("is a second wheel of words", bundle(GOOD + [TWIN], lock="".join(of_pip(*w) for w in GOOD).rstrip() +
                                          " --hash" + of_pip(*TWIN).split("--hash")[1])),
    ("second time", bundle(GOOD + [wheel("words", "2.2")])),
    ("not in the lock", bundle(GOOD, lock=of_pip(*GOOD[0]))),
    ("not in the lock", bundle(GOOD, lock=of_pip(*GOOD[0]) + of_pip(*GOOD[1]).replace("2.1", "2.2"))),
    ("there is no wheel of it", bundle(GOOD[:1], lock="".join(of_pip(*w) for w in GOOD))),
    ("is here already", bundle(GOOD + [wheel("evil", files={"words/__init__.py": "WORD = 'evil'\n"})])),
    ("has . or .. in it", bundle(GOOD + [wheel("evil", files={"../../../bin/python3": "#!/bin/sh\n"})])),
    ("is absolute", bundle(GOOD + [wheel("evil", files={"/etc/evil": "x"})])),
    ("is here already", bundle(GOOD + [wheel("evil", files={
        "evil-1.0.data/purelib/words/__init__.py": "WORD = 'evil'\n"})])),
    ("not for this image's Python", bundle(GOOD + [wheel("evil", tag="cp27-cp27m-any")])),
    ("not for this image's Python", bundle(GOOD + [wheel("evil", tag="py3-none-manylinux_2_999_x86_64")])),
    ("not named as a wheel", bundle(GOOD, more=[("wheels/setup.py", "import os\n")])),
    ("only requirements.txt", bundle(GOOD, more=[("sitecustomize.py", "import os\n")])),
    ("has no --hash", bundle(GOOD, lock="greeting==1.0\nwords==2.1\n")),
    ("is no name==version", bundle(GOOD, lock=of_pip(*GOOD[0]).replace("==", ">=") + of_pip(*GOOD[1]))),
    ("requirements.lock", zip_of([("requirements.txt", REQUIREMENTS)])),
    ("is an option", bundle(GOOD, text="--index-url https://example.com\n" + REQUIREMENTS)),
    ("not a usable zip", b"PK\3\4" + bytes(1000)),
    ("missing here: words>=2", bundle(GOOD[:1])),
    ("has no such extra", bundle(GOOD, text="greeting[quiet]\n")),
    ("more than 100000 lines of packages' metadata", bundle(
        [GOOD[1], wheel("greeting", extras="abcd", requires=["words; extra == 'z'"] * 25000)],
        text="greeting[a,b,c,d]\n")),
]


def bundles_that_lie_are_refused_and_leave_nothing():
    with training() as (service, agent, client):
        for words, hostile in HOSTILE:
            try:
                upload(client, hostile)
                raise AssertionError(f"taken, and not refused with '{words}'")
            except grpc.RpcError as e:
                assert e.code() in (Code.INVALID_ARGUMENT, Code.FAILED_PRECONDITION,
                                    Code.ALREADY_EXISTS, Code.NOT_FOUND, Code.RESOURCE_EXHAUSTED), e
                assert words in e.details(), f"'{e.details()}' does not speak of '{words}'"
            assert [f for f in agent.work() if f != "lock"] == [], (words, agent.work())
            assert client.status().state == "ReceivingAlgorithm"
        upload(client, bundle(GOOD))
        finish(service, client)


def scripts_of_a_wheel_are_not_put_on_the_path():
    files = {"words/__init__.py": "WORD = 'words 2.1'\n",
             "words-2.1.data/scripts/python3": "#!/bin/sh\nexit 7\n"}
    with training() as (service, _, client):
        upload(client, bundle([GOOD[0], wheel("words", "2.1", files=files)]))
        finish(service, client)


def a_bundle_is_bound_by_its_proof():
    """What is signed for is what comes; nobody's bundle reaches the disk without a proof."""
    good = bundle(GOOD)
    with training() as (service, agent, client):
        refused(Code.INVALID_ARGUMENT, "have SHA3-256", upload, client, good + b"", sha3(b"other"))
        refused(Code.INVALID_ARGUMENT, "needs metadata requirements-digest", client.algo, TRAIN, ALGO_KEY,
                good, metadata=client.proof_metadata(
                    "algorithm-provider", "Algo", ALGO_KEY, sha3(TRAIN),
                    [("algo_type", "python"), ("requirements", sha3(good))], [("algo_type", "python")]))
        refused(Code.PERMISSION_DENIED, "", client.algo, TRAIN, DATA_KEY, good,
                metadata=client.proof_metadata(
                    "algorithm-provider", "Algo", DATA_KEY, sha3(TRAIN),
                    [("algo_type", "python"), ("requirements", sha3(good))],
                    [("algo_type", "python"), ("requirements-digest", sha3(good).hex())]))
        refused(Code.INVALID_ARGUMENT, "requirements are not what", upload, client, b"x\n", sha3(good))
        refused(Code.INVALID_ARGUMENT, "no requirements came", upload, client, b"", sha3(good))
        assert [f for f in agent.work() if f != "lock"] == [], agent.work()
        upload(client, good)
        finish(service, client)


def a_manifest_that_names_the_requirements_gets_no_others():
    good, other = bundle(GOOD), bundle(GOOD, text="greeting\n")

    def named(port):
        m = manifest(port, algo=TRAIN)
        m.cocos.requirements_hash = sha3(good)
        return m
    with computing(named) as (service, agent, client):
        for proof in (True, False):
            for wrong, words in ((other, "others came"), (b"greeting\n", "others came"), (b"", "none came")):
                refused(Code.INVALID_ARGUMENT, words, upload, client, wrong, b"" if not wrong else None, proof)
        assert [f for f in agent.work() if f != "lock"] == [], agent.work()
        upload(client, good)
        finish(service, client)


def a_stock_clients_bundle_is_taken_too():
    with training() as (service, _, client):
        upload(client, bundle(GOOD), proof=False)
        finish(service, client)


def a_large_bundle_streams_and_a_cut_one_leaves_nothing():
    filler = wheel("filler", files={"filler/data.bin": os.urandom(24 << 20)})
    good = bundle(GOOD + [filler])
    with training() as (service, agent, client):
        cut = threading.Event()

        def beginning():
            yield agent_pb2.AlgoRequest(requirements=good[:1 << 20])
            cut.wait()
        call = client.stub.Algo.future(beginning(), metadata=client.proof_metadata(
            "algorithm-provider", "Algo", ALGO_KEY, sha3(TRAIN),
            [("algo_type", "python"), ("requirements", sha3(good))],
            [("algo_type", "python"), ("requirements-digest", sha3(good).hex())]))
        while not any("uploads" in f for f in agent.work()):
            assert not call.done(), call.exception()
        call.cancel()
        cut.set()
        while any("uploads" in f for f in agent.work()):
            assert agent.process.poll() is None
        upload(client, good)
        finish(service, client)


def status_tells_the_image_only_if_asked():
    with training() as (_, __, client):
        assert not client.status().HasField("python")
        told = client.stub.Status(agent_pb2.StatusRequest(python=True), timeout=60).python
        names = [p.name for p in told.packages]
        assert "cbor2" in names and names == sorted(set(names))
        assert told.version.startswith("3.") and told.machine == os.uname().machine
        assert told.glibc >= 36 and not told.index


if __name__ == "__main__":
    tap.run([
        pip_finds_what_the_image_lacks,
        a_lock_is_taken_as_it_is,
        a_folder_of_wheels_needs_no_pip,
        a_folder_is_what_its_lock_says,
        what_has_no_wheel_is_told_with_what_to_do,
        what_the_image_has_is_enough,
        a_lock_without_wheels_is_written_and_compared,
        the_image_counts_for_what_wheels_ask_for,
        an_index_gets_hashes,
        what_is_missing_is_refused_before_any_dataset,
        bundles_that_lie_are_refused_and_leave_nothing,
        scripts_of_a_wheel_are_not_put_on_the_path,
        a_bundle_is_bound_by_its_proof,
        a_manifest_that_names_the_requirements_gets_no_others,
        a_stock_clients_bundle_is_taken_too,
        a_large_bundle_streams_and_a_cut_one_leaves_nothing,
        status_tells_the_image_only_if_asked,
    ])
