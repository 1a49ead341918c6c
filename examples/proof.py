#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A provider or consumer of a computation in Python: sends an asset, or fetches the results, with the proof that
docs/agent.md describes ('Uploads and results: who may').

    proof.py HOST:PORT KEY.pem MANIFEST-DIGEST algo FILE
    proof.py HOST:PORT KEY.pem MANIFEST-DIGEST data FILE [NAME]
    proof.py HOST:PORT KEY.pem MANIFEST-DIGEST result RESULTS.zip

MANIFEST-DIGEST is the one that all parties have compared (`cocos-cli manifest show` prints it, 64 hexadecimal
digits). Needs python3-grpcio, python3-protobuf, python3-cryptography, and the protocol's descriptors, agent.binpb: in
/usr/share/cocos/proto, or in the folder that PROTO_DIR names (proto/ of a build folder).

It shows the agent who you are, not you who the agent is: nothing here verifies evidence, and gRPC's Python gives
no access to the TLS exporter that a proof on a TLS connection covers. So it is for an agent without TLS, for
development, and for reading; what `cocos-cli` does with real data is more. Exit status: 0 done, 1 refused, 2 called
wrongly."""
import base64
import hashlib
import os
import pathlib
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

CHUNK = 1 << 20
NO_ASSET = bytes(32)
PROTO = os.environ.get("PROTO_DIR", "/usr/share/cocos/proto")


class Service:
    """The agent's methods, as its published descriptors have them."""

    def __init__(self, address):
        pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(PROTO, "agent.binpb").read_bytes()).file:
            pool.Add(file)
        self.methods = pool.FindServiceByName("agent.AgentService").methods_by_name
        self.channel = grpc.insecure_channel(address)

    @staticmethod
    def message(descriptor):
        if hasattr(message_factory, "GetMessageClass"):  # protobuf 4.22 and later
            return message_factory.GetMessageClass(descriptor)
        return message_factory.MessageFactory().GetPrototype(descriptor)

    def call(self, name, requests, metadata=()):
        """`requests`: each a dictionary of fields. Yields the answers."""
        request, answer = self.message(self.methods[name].input_type), self.message(self.methods[name].output_type)
        method = self.channel.stream_stream(f"/agent.AgentService/{name}", request.SerializeToString, answer.FromString)
        yield from method((request(**fields) for fields in requests), metadata=metadata)


def file_digest(path):
    digest = hashlib.sha3_256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.digest()


def chunks(path):
    """Of the file; an empty one has one, or there would be no message to carry its name."""
    with open(path, "rb") as file:
        yield file.read(CHUNK)
        while chunk := file.read(CHUNK):
            yield chunk


def parameters_digest(parameters):
    """SHA3-256 over each parameter's key and value, each behind its length (4 bytes, big endian)."""
    packed = b"".join(len(word).to_bytes(4, "big") + word
                      for pair in parameters for word in (pair[0].encode(), pair[1].encode()))
    return hashlib.sha3_256(packed).digest()


def sign(key, message):
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(hashes.SHA256()))
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    raise ValueError("the key is neither RSA nor ECDSA nor Ed25519")


class Agent:
    def __init__(self, address, key, manifest_digest):
        self.service, self.key, self.manifest_digest = Service(address), key, manifest_digest

    def proof(self, role, method, asset=NO_ASSET, parameters=()):
        """A call's metadata. The challenge serves this one call, within ten minutes."""
        status, = self.service.call("Status", [{}])
        if status.manifest_digest != self.manifest_digest:
            raise ValueError(f"the agent has another manifest: {status.manifest_digest.hex() or 'none yet'}")
        message = b"\0".join([b"cocos-proof-v1", role.encode(), f"/agent.AgentService/{method}".encode(),
                              self.manifest_digest + status.challenge + asset + parameters_digest(parameters)])
        metadata = [("user-id", role), ("proof", base64.b64encode(sign(self.key, message)).decode()),
                    ("proof-challenge", status.challenge.hex())]
        metadata += [pair for pair in parameters if pair[0] != "filename"]  # which each message says itself
        return metadata + ([("asset-digest", asset.hex())] if asset != NO_ASSET else [])

    def algo(self, path):
        metadata = self.proof("algorithm-provider", "Algo", file_digest(path), [("algo_type", "bin")])
        list(self.service.call("Algo", ({"algorithm": chunk} for chunk in chunks(path)), metadata))

    def data(self, path, name=None):
        name = name or os.path.basename(path)
        metadata = self.proof("data-provider", "Data", file_digest(path),
                              [("filename", name), ("decompress", "false")])
        list(self.service.call("Data", ({"dataset": chunk, "filename": name} for chunk in chunks(path)), metadata))

    def result(self, path):
        """Once for each consumer: written beside its place first, so that a half never has its name. No file is
        replaced, and what was refused leaves none, so that it can be asked for again."""
        if os.path.lexists(path):
            raise ValueError(f"{path} is there already: results come once, so name another file")
        partial = f"{path}.part"
        with open(partial, "xb") as file:
            try:
                for answer in self.service.call("Result", [{}], self.proof("consumer", "Result")):
                    file.write(answer.file)
            except BaseException:
                os.unlink(partial)
                raise
        os.rename(partial, path)


def main(words):
    deeds = {"algo": (Agent.algo, 1), "data": (Agent.data, 2), "result": (Agent.result, 1)}
    if len(words) < 5 or words[3] not in deeds or len(words) - 4 > deeds[words[3]][1]:
        print(__doc__, file=sys.stderr)
        return 2
    address, key, digest, deed, *rest = words
    try:
        digest = bytes.fromhex(digest)
        key = serialization.load_pem_private_key(pathlib.Path(key).read_bytes(), None)
        if len(digest) != 32:
            raise ValueError("the manifest's digest has 64 hexadecimal digits")
    except (OSError, ValueError, TypeError) as fault:
        print(f"proof.py: {fault}", file=sys.stderr)
        return 2
    try:
        deeds[deed][0](Agent(address, key, digest), *rest)
    except grpc.RpcError as refusal:
        print(f"proof.py: {refusal.code().name}: {refusal.details()}", file=sys.stderr)
        return 1
    except (OSError, ValueError) as fault:
        print(f"proof.py: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
