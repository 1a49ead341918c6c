# SPDX-License-Identifier: Apache-2.0
"""Images of containers as algorithms: ours, and those that skopeo and umoci write; what is refused in them."""
import contextlib
import functools
import io
import os
import subprocess
import tempfile
import zipfile

import grpc

import agent_peer
import container_image as image
import tap
from agent_job import ALGO_KEY, DATA_KEY, IRIS, USER_KEY, computing, manifest, running
from agent_peer import Client, algorithm, dataset, free_port, refused, zip_of
from container_image import one

# Sums the second column; tells what it finds around it. Static, so that an image can hold it alone.
PROGRAM = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char line[256], folder[256];
	struct stat st;
	double sum = 0;
	FILE *in = fopen("/cocos/datasets/iris.csv", "r"), *out = fopen("/cocos/results/seen", "w");

	if (!in || !out || !getcwd(folder, sizeof(folder)))
		return 3;
	while (fgets(line, sizeof(line), in))
		sum += strchr(line, ',') ? atof(strchr(line, ',') + 1) : 0;
	fprintf(out, "sum=%g\nuid=%d\nfolder=%s\n", sum, (int)getuid(), folder);
	for (int i = 0; i < argc; i++)
		fprintf(out, "arg=%s\n", argv[i]);
	fprintf(out, "COLOUR=%s\nPATH=%s\n", getenv("COLOUR") ? getenv("COLOUR") : "", getenv("PATH"));
	fprintf(out, "task=%d\n", access("/task/datasets/iris.csv", R_OK));
	fprintf(out, "apart=%d\n", access("/cocos/datasets/h1/x.csv", R_OK));
	fprintf(out, "mode=%o\n", stat("/bin/suid", &st) ? 0 : st.st_mode & 07777);
	fprintf(out, "usr=%d\n", access("/usr/bin/env", F_OK));
	fprintf(out, "network=%d\n", access("/sys/class/net", F_OK));
	fprintf(out, "gone=%d\n", access("/etc/gone", F_OK));
	return fclose(out);
}
"""
H1 = zip_of([("x.csv", b"1,2\n")])
RUN = {"Entrypoint": ["/bin/sum"], "Cmd": ["from", "the", "image"], "Env": ["COLOUR=green"], "WorkingDir": "/cocos",
       "User": "1000:1000"}


@functools.lru_cache(maxsize=None)
def program():
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "sum.c"), "w", encoding="utf-8") as file:
            file.write(PROGRAM)
        subprocess.run(["cc", "-static", "-O1", "-o", "sum", "sum.c"], cwd=folder, check=True)
        with open(os.path.join(folder, "sum"), "rb") as file:
            return file.read()


def layers(*more):
    below = image.tar(one("bin/", kind="dir", mode=0o755), one("bin/sum", program(), mode=0o755),
                      one("bin/suid", b"x", mode=0o6755), one("etc/gone", b"x"), one("etc/stays", b"x"),
                      one("sbin", "bin", kind="link"))
    above = image.tar(one("etc/.wh.gone"), *more)
    return [below, above]


@contextlib.contextmanager
def sent(archive, args=(), apart=False, **agent_args):
    """A computation whose algorithm is the archive, and that has all it needs. `apart`: the layout is folders, and
    there is an archive for it."""
    port = free_port()
    m = manifest(port)
    if apart:
        m.datasets.append(dataset(H1, DATA_KEY, "h1.zip", decompress=True))
        m.cocos.layout = "folders"
    m.algorithm.CopyFrom(algorithm(archive, ALGO_KEY, algo_type="docker", algo_args=args))
    with running(**agent_args) as (service, agent):
        service.send(runReq=m)
        answer = service.answer_to_run()
        assert answer.error == "", answer.error
        client = Client(port)
        try:
            client.algo(archive, ALGO_KEY, more=[("algo_type", "docker")])
            client.data(IRIS, DATA_KEY, "iris.csv")
            if apart:
                client.data(H1, DATA_KEY, "h1.zip")
            yield service, agent, client
        finally:
            client.close()


def seen(archive, args=(), **more):
    """What the program wrote, as a dict; its arguments as a list."""
    with sent(archive, args, **more) as (service, _, client):
        service.wait_event("ConsumingResults/Ready", agent_peer.WAIT)
        with zipfile.ZipFile(io.BytesIO(client.result(USER_KEY))) as z:
            lines = z.read("seen").decode().splitlines()
    found = dict(line.split("=", 1) for line in lines)
    found["args"] = [line[4:] for line in lines if line.startswith("arg=")]
    return found


def is_refused(archive, words):
    """Before anybody sends data; nothing of it is left, and it is awaited still."""
    port = free_port()
    m = manifest(port)
    m.algorithm.CopyFrom(algorithm(archive, ALGO_KEY, algo_type="docker"))
    with computing(m, port=port) as (_, agent, client):
        refused(grpc.StatusCode.INVALID_ARGUMENT, words, client.algo, archive, ALGO_KEY, more=[("algo_type", "docker")])
        status = client.status()
        assert status.state == "ReceivingAlgorithm" and not status.algorithm.received, status
        assert agent.work() == ["lock"], agent.work()


def fails(archive, words):
    with sent(archive) as (service, agent, client):
        service.wait_event("Failed/Failed")
        assert words in client.status().failure, client.status()
        assert not any("image" in name for name in agent.work()), agent.work()


def check(found):
    assert found["sum"] == "1.4" and found["usr"] == "-1" and found["network"] == "-1", found
    assert found["task"] == "-1" and found["gone"] == "-1" and found["mode"] == "755", found
    assert found["uid"] == "65534" and found["folder"] == "/cocos" and found["COLOUR"] == "green", found


def an_image_of_docker_runs():
    found = seen(image.docker(layers(), RUN), apart=True)
    check(found)
    assert found["args"] == ["/bin/sum", "from", "the", "image"] and found["apart"] == "0", found


def an_image_of_oci_runs_however_its_layers_are_packed():
    for how in ["tar", "gzip"] + (["zstd"] if image.can_zstd() else []):
        check(seen(image.oci(layers(), RUN, how)))


def an_image_may_have_folders_that_are_named_as_the_runs_own():
    for name in ("layers", "scratch", "root"):
        image_of = layers(one(f"{name}/", kind="dir", mode=0o755), one(f"{name}/run", program(), mode=0o755))
        found = seen(image.docker(image_of, {**RUN, "Entrypoint": [f"/{name}/run"]}))
        check(found)
        assert found["args"][0] == f"/{name}/run", found


def arguments_take_the_commands_place():
    found = seen(image.docker(layers(), RUN), ["--mean", "two words"])
    assert found["args"] == ["/bin/sum", "--mean", "two words"], found


def a_command_without_a_folder_is_looked_for_in_the_path():
    run = {**RUN, "Entrypoint": None, "Cmd": ["sum"], "Env": ["PATH=/nowhere:/sbin", "COLOUR=green"]}
    found = seen(image.oci(layers(), run))
    assert found["args"] == ["sum"] and found["PATH"] == "/nowhere:/sbin", found


def what_cannot_be_run_fails_by_name():
    good = layers()
    is_refused(image.docker(good, RUN, architecture="s390x"), "Algo: image: configuration: platform: architecture is 's390x'")
    is_refused(image.docker(good, {"Env": ["A=b"]}), "Algo: image: it has neither Entrypoint nor Cmd")
    is_refused(b"no archive at all", "Algo: image: ")
    fails(image.docker(good, {"Cmd": ["/bin/none"]}), "cannot execute /bin/none")
    fails(image.docker(layers(one("dev/sda", kind="block")), RUN), "image: layer 2: 'dev/sda' is a device")


def other_peoples_tools_write_images_that_run():
    with tempfile.TemporaryDirectory() as folder:
        def tool(*args):
            subprocess.run(args, cwd=folder, check=True, stdout=subprocess.DEVNULL)

        ours = os.path.join(folder, "ours.tar")
        with open(ours, "wb") as file:
            file.write(image.docker(layers(), RUN))
        tool("skopeo", "--insecure-policy", "copy", "docker-archive:ours.tar", "oci-archive:oci.tar:an:image")
        tool("skopeo", "--insecure-policy", "copy", "oci-archive:oci.tar:an:image",
             "docker-archive:docker.tar:an/image:latest")
        tool("skopeo", "--insecure-policy", "copy", "docker-archive:ours.tar", "oci:layout:one")
        tool("umoci", "insert", "--rootless", "--image", "layout:one", "--tag", "two", "/etc/hostname", "/etc/new")
        tool("skopeo", "--insecure-policy", "copy", "oci:layout:two", "oci-archive:umoci.tar:an:image")
        for name in ("oci.tar", "docker.tar", "umoci.tar"):
            with open(os.path.join(folder, name), "rb") as file:
                check(seen(file.read()))


if __name__ == "__main__":
    tap.run([an_image_of_docker_runs, an_image_of_oci_runs_however_its_layers_are_packed,
             an_image_may_have_folders_that_are_named_as_the_runs_own,
             arguments_take_the_commands_place, a_command_without_a_folder_is_looked_for_in_the_path,
             what_cannot_be_run_fails_by_name, other_peoples_tools_write_images_that_run])
