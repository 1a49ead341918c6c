# SPDX-License-Identifier: Apache-2.0
"""A run has failed, and the agent keeps a dataset whose owner allowed just that. Whoever writes the next
manifest, or stands in the owner's way, wants more of it: what counts as gained is datasets that are there."""
from agent_job import ALGO_KEY, DATA_KEY, IRIS, OTHER_KEY
from agent_keep import BETTER, failed, of_two, plain
from agent_peer import Key, algorithm, dataset, sha3
from rows import Outcome, row
from theme_parties import told


def outcome(t, there):
    t.service.catch_up()
    return Outcome(bool(there), t.service.log_text(), len(there) + len(t.kept()))


def next_manifest(name, keep="retry", first=plain, honest=None):
    """A row whose attack changes one thing of the manifest that follows a failure; with `honest`, what its
    twin changes instead of nothing."""
    def put(change):
        def attempt(evil):
            with failed(first(), ({"keep": keep},)) as t:
                m = first()
                if honest:
                    honest(m)
                if evil:
                    change(m)
                return outcome(t, t.again(m))
        attempt.__doc__, attempt.__module__ = change.__doc__, __name__
        row(name, "did not allow")(attempt)
        return change
    return put


def another_algorithm(m):
    m.id = "c-2"
    m.algorithm.CopyFrom(algorithm(BETTER, ALGO_KEY))


def private():
    m = plain()
    m.cocos.logs, m.cocos.layout = "consumers", "folders"
    return m


@next_manifest("kept-for-another-consumer")
def another_consumer(m):
    """The same computation with one more who may fetch its results."""
    m.result_consumers.add(userKey=OTHER_KEY.spki)


@next_manifest("kept-for-another-consumer-by-leave-for-algorithms", "algorithm", honest=another_algorithm)
def another_consumer_too(m):
    """Another algorithm, as the owner allowed, and one more who may fetch its results."""
    m.result_consumers.add(userKey=OTHER_KEY.spki)


@next_manifest("kept-for-another-algorithm")
def not_that_algorithm(m):
    """Another algorithm of the same provider, where the owner allowed the same one alone."""
    m.algorithm.hash = sha3(BETTER)


@next_manifest("kept-for-another-provider", "algorithm", honest=another_algorithm)
def another_provider(m):
    """Another algorithm, as the owner allowed, by somebody else."""
    m.algorithm.userKey = OTHER_KEY.spki


@next_manifest("kept-for-another-owner", "algorithm")
def another_owner(m):
    """A manifest in which the dataset is somebody else's, who would be asked in the owner's place."""
    m.datasets[0].userKey = OTHER_KEY.spki


@next_manifest("kept-for-another-computation")
def another_computation(m):
    """A computation of another id, as like the first as can be."""
    m.id = "c-2"


@next_manifest("kept-for-another-purpose", "algorithm", honest=another_algorithm)
def another_purpose(m):
    """Another algorithm, as the owner allowed, for a computation that says to be another."""
    m.description = "what else can be learnt"


@next_manifest("kept-beside-another-dataset", "algorithm", honest=another_algorithm)
def beside_another(m):
    """Another algorithm, as the owner allowed, which gets a dataset more to compare with."""
    m.datasets.add().CopyFrom(dataset(b"names\n", OTHER_KEY, "names.csv"))


@next_manifest("kept-under-another-name", "algorithm")
def another_name(m):
    """The same content where an algorithm looks for something else."""
    m.datasets[0].filename = "public.csv"


@next_manifest("kept-with-wider-logs", "algorithm", private)
def wider_logs(m):
    """What the algorithm writes is shown to all, and not to consumers alone."""
    m.cocos.logs = "all"


@next_manifest("kept-in-another-layout", "algorithm", private)
def another_layout(m):
    """Another place for what archives hold."""
    m.cocos.layout = "stock"


@next_manifest("kept-behind-another-listener", "algorithm")
def another_listener(m):
    """Another configuration of the agent, which says how it is reached and what the service hears."""
    m.agent_config.log_level = "debug"


@row("kept-after-results", "state")
def after_results(evil):
    """The same manifest again after the algorithm has ended well: its provider would get one more look."""
    with failed() as t:
        if evil:
            t.again(plain())
            t.results()
        there = t.again(plain())
        return Outcome(bool(there), "state " + t.client.status().state, len(there) + len(t.kept()))


@row("kept-across-another-manifest", "did not allow")
def across_another(evil):
    """A manifest that the owner did not allow, and then the one that he did."""
    with failed() as t:
        if evil:
            t.again(plain(description="in between"))
        return outcome(t, t.again(plain()))


def leave(name, signed, said):
    """A row in which the owner's call is altered on its way, as its leave goes."""
    def attempt(evil):
        with failed(sent=()) as t:
            def send():
                parameters = [("filename", "iris.csv"), ("decompress", "false")]
                word = signed if evil else said
                parameters += [("keep", word)] if word else []
                proof = t.client.proof_metadata("data-provider", "Data", DATA_KEY, sha3(IRIS), parameters,
                                                [("keep", said)])
                t.client.data(IRIS, None, "iris.csv", metadata=proof)
            return told(send, lambda _: len(t.kept()))
    attempt.__doc__ = f"An owner signs {'leave for a ' + signed if signed else 'no leave'}; his call says {said}."
    attempt.__module__ = __name__
    row(name, "not signed")(attempt)


leave("keep-said-by-another", None, "retry")
leave("keep-widened", "retry", "algorithm")


def forgotten(name, check, change=None, key=None):
    """A row in which somebody wants the agent to forget a dataset, so that its owner has to send it again: what counts
    as gained is datasets that are gone. The twin is the owner of one, who gets rid of his own."""
    def put(about):
        def attempt(evil):
            both = ({"keep": "retry"}, {"content": b"b\n", "key": OTHER_KEY, "name": "b.csv", "keep": "retry"})
            with failed(of_two(), both) as t:
                def call():
                    if not evil:
                        return t.forget(DATA_KEY)
                    return t.forget(key or DATA_KEY, metadata=change(t) if change else None)
                return told(call, lambda _: 2 - len(t.kept()))
        attempt.__doc__, attempt.__module__ = about.__doc__, __name__
        row(name, check)(attempt)
        return about
    return put


@forgotten("forget-by-a-stranger", "does not name your key", key=Key())
def by_a_stranger():
    """Somebody who reaches the agent's port wipes what owners let it keep."""


@forgotten("forget-by-the-algorithms-provider", "by the manifest your key is for the algorithm", key=ALGO_KEY)
def by_the_provider():
    """The provider, whose algorithm failed, has others send again."""


@forgotten("forget-under-a-borrowed-key", "does not hold under the key",
           lambda t: t.forgets(OTHER_KEY, named=DATA_KEY))
def under_a_borrowed_key():
    """Another owner of the same computation names the public key of the one whose dataset it is."""


@forgotten("forget-with-the-proof-of-a-log", "does not hold under the key", lambda t: t.forgets(DATA_KEY, method="Log"))
def with_another_proof():
    """The owner's proof for another call, which somebody has seen, is shown for this one."""


@row("forget-anothers", "keeps no dataset of yours")
def forget_anothers(evil):
    """An owner whose own dataset is not kept asks, in his own name, while another's is: that one stays."""
    with failed(of_two(), ({"keep": "retry"}, {"content": b"b\n", "key": OTHER_KEY, "name": "b.csv"})) as t:
        return told(lambda: t.forget(OTHER_KEY if evil else DATA_KEY), lambda _: 1 - len(t.kept()))
