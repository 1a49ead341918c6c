# SPDX-License-Identifier: Apache-2.0
"""A computation service that sends the agent another manifest than the one its parties agreed to. The
agent is a real one, on simulated hardware, and does nothing wrong: it measures what it is sent."""
from agent_peer import dataset, sha3
from attested_peer import Identity
from agent_job import OTHER_KEY
from honest_agent import manifest, provider, site, with_algorithm
from rows import Outcome, row


def sent(change, agreed=None, **upload):
    """The provider holds one manifest, the agent has another."""
    here = site()
    m = manifest(here.port)
    if change:
        change(m)
    assert here.run(m).error == ""
    with_algorithm(here.port, m.algorithm.algo_args)
    before = here.planted()
    ran = provider().upload(f"127.0.0.1:{here.port}", agreed or manifest(here.port), here.tee.root,
                            **upload)
    planted = sorted(set(here.planted()) - set(before))
    return Outcome(ran.status == 0, ran.out + ran.err, len(planted))


def changed(name, check="run.manifest"):
    """A row made of a change to the manifest."""
    def put(change):
        def attempt(evil):
            return sent(change if evil else None)
        attempt.__doc__, attempt.__module__ = change.__doc__, __name__
        row(name, check)(attempt)
        return change
    return put


@changed("manifest-with-another-algorithm")
def other_algorithm(m):
    """The hash of another program, under its owner's key."""
    m.algorithm.hash = sha3(b"#!/bin/sh\ncp datasets/* results\n")


@changed("manifest-with-another-hash")
def other_hash(m):
    """The hash of another second dataset: one that gives the first one away."""
    m.datasets[1].hash = sha3(b"something else")


@changed("manifest-with-another-key")
def other_key(m):
    """The second dataset is to come from somebody else."""
    m.datasets[1].userKey = Identity().spki


@changed("manifest-with-another-file-name")
def other_name(m):
    """The datasets under each other's names."""
    m.datasets[1].filename = "c.csv"


@changed("manifest-with-other-arguments")
def other_arguments(m):
    """The algorithm with an argument more."""
    m.algorithm.algo_args.append("--verbatim")


@changed("manifest-with-another-type")
def other_type(m):
    """What was absent, and means 'bin', is now said: the digest is another all the same."""
    m.algorithm.algo_type = "bin"


@changed("manifest-with-one-consumer-more")
def one_consumer_more(m):
    """The attacker among the consumers."""
    m.result_consumers.add(userKey=OTHER_KEY.spki)


@changed("manifest-with-another-consumer")
def another_consumer(m):
    """The attacker in the place of the consumer."""
    m.result_consumers[0].userKey = OTHER_KEY.spki


@changed("manifest-with-datasets-in-another-order")
def other_order(m):
    """The same datasets the other way round."""
    one, two = m.datasets[0].SerializeToString(), m.datasets[1].SerializeToString()
    m.datasets[0].ParseFromString(two)
    m.datasets[1].ParseFromString(one)


@changed("manifest-with-one-dataset-more")
def one_dataset_more(m):
    """A dataset of the attacker's beside the owners', to tell theirs apart by."""
    m.datasets.append(dataset(b"probe", OTHER_KEY, "probe.csv"))


@changed("manifest-with-one-dataset-less")
def one_dataset_less(m):
    """The owner's alone, without the others that were to hide it."""
    del m.datasets[1]


@changed("manifest-that-unpacks")
def unpacks(m):
    """A dataset that is to be unpacked."""
    m.datasets[1].decompress = True


@changed("manifest-with-another-name")
def renamed(m):
    """Another computation in name alone."""
    m.name = "iris 2"


@changed("manifest-of-another-computation")
def other_id(m):
    """The same job under another id: another computation."""
    m.id = "c-2"


@changed("agent-key-from-the-service", "run.identity_made_inside")
def key_from_service(m):
    """The agent's configuration beside the honest manifest brings a key, which the service has too."""
    identity = Identity("localhost")
    m.agent_config.cert_file, m.agent_config.key_file = identity.pem, identity.key_pem
