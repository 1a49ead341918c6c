# SPDX-License-Identifier: Apache-2.0
"""What the stock command line sends to an agent, byte for byte as it was recorded, sent again to ours.

stock_cli.json was recorded from Cocos's own CLI (commit 747aaaa5, Go 1.26.8, grpc-go 1.80) while it did
this very job with an agent of this project: a health check and one call on each connection, keys made by
`keys -k rsa`, `ecdsa` and `ed25519`, signatures over the role alone, a folder as its zip. No Go is needed
to send it again. stock_peers.py builds the CLI and lets it speak for itself.
"""
import base64
import io
import json
import os
import socket
import zipfile

import tap
from agent_job import computing
from agent_peer import WAIT, cvms_pb2, free_port, sha3

ALGORITHM = b"#!/bin/sh\ncat datasets/run datasets/sub/x.csv >results/all.txt\n"
PREFACE_LEN, FRAME_HEADER, CALL = 24, 9, 3
DATA, HEADERS, PING, GOAWAY = 0, 1, 6, 7
END_STREAM = ACK = 1

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "stock_cli.json"), encoding="utf-8") as file:
    RECORDED = json.load(file)


def manifest(port):
    keys = {name: base64.b64decode(key) for name, key in RECORDED["keys"].items()}
    m = cvms_pb2.ComputationRunReq(
        id="c-1", name="recorded",
        algorithm=cvms_pb2.Algorithm(hash=sha3(ALGORITHM), userKey=keys["algo"], algo_type="bin"),
        datasets=[cvms_pb2.Dataset(hash=bytes.fromhex(RECORDED["set"]), userKey=keys["data"], filename="set")])
    m.result_consumers.add(userKey=keys["user"])
    m.agent_config.port = str(port)
    return m


def frames(stream):
    """(kind, flags, stream, payload, the whole frame) of what a peer sends, until it closes."""
    while len(header := stream.read(FRAME_HEADER)) == FRAME_HEADER:
        payload = stream.read(int.from_bytes(header[:3], "big"))
        yield header[3], header[4], int.from_bytes(header[5:], "big"), payload, header + payload


def in_two(sent):
    """What it sent by itself, and what came when it had its answer: acknowledgement and goodbye."""
    stream, first, then = io.BytesIO(sent), sent[:PREFACE_LEN], b""
    stream.seek(PREFACE_LEN)
    for kind, flags, _, _, whole in frames(stream):
        if then or kind == GOAWAY or (kind == PING and flags & ACK):
            then += whole
        else:
            first += whole
    assert first + then == sent and then.endswith(b"client transport shutdown")
    return first, then


def send_again(port, name):
    """The recorded connection's bytes; the content of the answer's DATA frames on the call's stream (3)."""
    [sent] = RECORDED["sent"][name]
    first, then = in_two(base64.b64decode(sent))
    content, answered, asked = b"", False, then[3] != PING
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT) as connection, \
            connection.makefile("rb") as stream:
        connection.sendall(first)
        for kind, flags, number, payload, _ in frames(stream):
            if number == CALL and kind == DATA:
                content += payload
            answered = answered or (number == CALL and kind in (DATA, HEADERS) and flags & END_STREAM)
            # An agent that has sent results asks whether they came.
            asked = asked or (answered and kind == PING and not flags & ACK)
            if answered and asked:
                connection.sendall(then)
                return content
    raise AssertionError(f"{name}: the connection ended before the call")


def a_recorded_stock_client_does_the_whole_job():
    port = free_port()
    with computing(manifest(port), port=port) as (service, agent, _):
        send_again(port, "algo")
        send_again(port, "data")
        service.wait_event("ConsumingResults/Ready")
        answer = send_again(port, "result")
        results = answer[answer.index(b"PK\3\4"):]
        with zipfile.ZipFile(io.BytesIO(results)) as archive:
            assert archive.read("all.txt") == b"#!/bin/sh\n1,2\n"
        service.wait_event("Complete/Completed")
        assert "signatures over the role alone are taken" in agent.output()


if __name__ == "__main__":
    tap.run([a_recorded_stock_client_does_the_whole_job])
