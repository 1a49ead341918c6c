# SPDX-License-Identifier: Apache-2.0
"""Against the computation service: somebody wants a key that is not his to stand for him, or his own for somebody else, by
what was signed for another purpose, place, person or time."""
import base64
import contextlib
import sqlite3

import grpc
from cryptography.hazmat.primitives.asymmetric import rsa

from agent_job import DATA_KEY, IRIS
from agent_peer import Key
from computations_service import agent_of, connected
from harness import until
from people import Caller, create, service
from rows import Outcome, row
from theme_parties import at_data, told
from user_keys import Holder, of, statement

FORGED = "not this key's over this challenge"
FOREIGN = "was not given out for this user and key"


@contextlib.contextmanager
def holders(*names):
    with service() as running:
        yield [Holder(running, name) for name in names or ("anna",)]


def registered(call):
    """What came of it; gained is what the service keeps."""
    try:
        return Outcome(True, "", len(call().key))
    except grpc.RpcError as error:
        return Outcome(False, error.details(), 0)


@row("key-of-somebody-else", FORGED)
def of_somebody_else(evil):
    """A user registers a public key that stands in a manifest, and signs with one of his own."""
    with holders("anna", "bert") as (anna, bert):
        signer = bert if evil else anna
        asked = signer.challenge(spki=anna.spki)
        fields = {"service_key": asked.service, "name": signer.name, "spki": anna.spki, "challenge": asked.challenge}
        return registered(lambda: signer.answer(asked, base64.b64decode(signer.key.sign(statement(**fields))),
                                                spki=anna.spki))


@row("key-registration-replayed", "was used")
def replayed(evil):
    """What was signed for a registration is sent once more, after the key is not there any more."""
    with holders() as (anna,):
        asked = anna.challenge()
        signature = anna.signed(asked)
        if evil:
            anna.answer(asked, signature)
            with stopped(anna) as database:
                database.execute("DELETE FROM user_keys")
        return registered(lambda: anna.answer(asked, signature))


@contextlib.contextmanager
def stopped(holder):
    """The service's database while it does not run."""
    running = holder.running
    running.channel.close()
    running.process.finish()
    with contextlib.closing(sqlite3.connect(running.folder("state/computations.db"))) as database:
        yield database
        database.commit()
    running.start()
    holder.caller = Caller(running.channel, holder.caller.metadata[0][1][7:])


@row("key-by-anothers-challenge", FOREIGN)
def by_anothers_challenge(evil):
    """The challenge was given to another user, who is asked to sign and does not know for whom."""
    with holders("anna", "bert") as (anna, bert):
        asked = anna.challenge()
        who = bert if evil else anna
        return registered(lambda: who.answer(asked, who.signed(asked)))


@row("key-signed-for-another-user", FORGED)
def for_another_user(evil):
    """The holder signed that the key is hers; a service's user of another name sends it."""
    with holders("anna", "bert") as (anna, bert):
        bert.key, bert.spki = anna.key, anna.spki
        asked = bert.challenge()
        return registered(lambda: bert.answer(asked, bert.signed(asked, name="anna" if evil else "bert")))


@row("key-signed-for-another-service", FORGED)
def for_another_service(evil):
    """A service passes on another's challenge, and gets a signature that names itself."""
    with holders() as (anna,), holders() as (there,):
        asked = anna.challenge()
        other = {"service_key": there.challenge().service} if evil else {}
        return registered(lambda: anna.answer(asked, anna.signed(asked, **other)))


@row("key-signed-for-another-computation", FORGED)
def for_another_computation(evil):
    """A signature for one computation is taken for one of all of them."""
    with holders() as (anna,):
        create(anna.caller, "c")
        asked = anna.challenge()
        return registered(lambda: anna.answer(asked, anna.signed(asked, "c" if evil else "")))


@row("key-by-a-proof-for-an-agent", FORGED)
def by_a_proof(evil):
    """The signature under which a dataset was sent to an agent, over a challenge that was chosen for that."""
    with holders() as (anna,):
        asked = anna.challenge()
        proof = (b"cocos-proof-v1\0data-provider\0/agent.AgentService/Data\0" + bytes(32) + asked.challenge +
                 bytes(32) + anna.fingerprint)
        signature = base64.b64decode(anna.key.sign(proof)) if evil else anna.signed(asked)
        return registered(lambda: anna.answer(asked, signature))


@row("key-by-a-role-s-name", FORGED)
def by_a_role(evil):
    """The signature of stock clients, over nothing but the role's name, which whoever saw it has for ever."""
    with holders() as (anna,):
        asked = anna.challenge()
        signature = base64.b64decode(anna.key.sign(b"data-provider")) if evil else anna.signed(asked)
        return registered(lambda: anna.answer(asked, signature))


@row("proof-by-a-key-registration", "not signed")
def proof_by_a_registration(evil):
    """The other way round: a service sends an agent a dataset in its owner's name, with what he signed for his key."""
    class Registered:
        """The owner's key, which signs that alone."""
        spki = DATA_KEY.spki

        @staticmethod
        def sign(data):
            return DATA_KEY.sign(statement(bytes(32), "anna", DATA_KEY.spki, data[-32:]) if evil else data)

    with at_data() as (_, _, client):
        return told(lambda: client.data(IRIS, Registered, "iris.csv"))


@row("key-after-the-challenge-ended", "older than 5 minutes")
def after_the_end(evil):
    """A challenge was answered, and the answer kept for later."""
    with holders() as (anna,):
        asked = anna.challenge()
        with stopped(anna) as database:
            if evil:
                database.execute("UPDATE key_challenges SET ends = 1")
        return registered(lambda: anna.answer(asked, anna.signed(asked)))


@row("key-that-is-too-short", "RSA")
def too_short(evil):
    """An RSA key of 1024 bits, which others can compute the private half of."""
    with holders() as (anna,):
        anna.key = Key("rsa")
        if evil:
            anna.key.key = rsa.generate_private_key(65537, 1024)
        anna.spki = anna.key.spki
        return registered(anna.register)


@row("key-that-two-would-have", "another user's")
def two_would_have(evil):
    """Two users share a private key, so that nobody can say who of them did something."""
    with holders("anna", "bert") as (anna, bert):
        anna.register()
        if evil:
            bert.key, bert.spki = anna.key, anna.spki
        return registered(bert.register)


@row("key-of-whom-is-asked", FORGED)
def of_whom_is_asked(evil):
    """Who has a public key alone tries to register it, to hear from the refusal whether it is another user's."""
    with holders("anna", "bert") as (anna, bert):
        anna.register()
        if evil:
            bert.spki = anna.spki
        return registered(bert.register)


@row("key-by-a-token-for-less", "not for all actions")
def by_a_token_for_less(evil):
    """A token for viewing was stolen: it would make its thief a consumer of what is created from then on."""
    with holders() as (anna,):
        if evil:
            token = anna.caller("AddToken", name="v", actions=["view"]).token
            anna.caller = Caller(anna.running.channel, token)
        return registered(anna.register)


@row("key-into-a-computation-that-was-run", "its manifest is frozen")
def after_the_run(evil):
    """A consumer changes the key to which results go when the agent has the manifest, and all have compared it."""
    with holders() as (anna,):
        anna.register()
        anna.caller("Create", of(anna.spki, anna.spki))
        if evil:
            with agent_of(anna.running, "cvm-1"):
                until(connected(anna.running, "cvm-1"), "the connection")
                anna.running.root("Run", id="c", cvm_id="cvm-1")
        return registered(lambda: anna.again().register("c"))


@row("key-into-anothers-computation", "no computation")
def into_anothers(evil):
    """A user puts his key into a computation in which nobody gave him a role."""
    with holders("anna", "bert") as (anna, bert):
        anna.register()
        anna.caller("Create", of(anna.spki, anna.spki))
        return registered(lambda: (bert if evil else anna).again().register("c"))
