# SPDX-License-Identifier: Apache-2.0
"""After the first evidence was good: the agent is asked again on the same connection before results
are fetched and before an upload's last word, and has to be the one that it was."""
import functools

import grpc

from attested_peer import AUTHENTICATOR, Identity, frame
from hardware import Guest
from rows import Outcome, row
from world import DATASET, IMAGE, OTHER_IMAGE, Gate, Machine, chip, desk, fetched, owner, sha3


def later(name, check):
    """A row made of another(first): the machine that answers the second time, over the connection of
    the first, with the first one's TLS key."""
    def put(another):
        def attempt(evil):
            first = Machine()
            if not evil:
                return fetched(first)
            second = another(first)
            return fetched(first, lambda connection, asked: second.answer(connection, asked))
        attempt.__doc__, attempt.__module__ = another.__doc__, __name__
        row(name, check)(attempt)
        return another
    return put


@later("later-another-chip", "same.chip")
def other_chip(first):
    """The guest was moved to a chip that the attacker has opened."""
    return Machine(Guest(chip("opened"), IMAGE), first.identity)


@later("later-a-lower-tcb", "same.tcb")
def lower_tcb(first):
    """The platform was put back to firmware with a known hole."""
    guest = Guest(chip(snp=8), IMAGE)
    guest.report_id = first.guest.report_id
    return Machine(guest, first.identity)


@later("later-another-launch", "same.report_id")
def other_launch(first):
    """The same image on the same chip, launched again: the results are not of the data that went in."""
    return Machine(Guest(chip(), IMAGE), first.identity)


@later("later-another-image", "policy.measurement")
def other_image(first):
    """Another image behind the same key."""
    return Machine(Guest(chip(), OTHER_IMAGE), first.identity)


@later("later-another-manifest", "run.manifest")
def other_manifest(first):
    """The same agent, now with another computation."""
    return Machine(first.guest, first.identity, sha3(b"another manifest"))


@later("later-another-key", "key is not that of the TLS certificate")
def other_key(first):
    """Genuine evidence of the same machine for another identity key."""
    return Machine(first.guest, Identity())


@row("later-the-first-answer-again", "its context is not the request's")
def first_answer(evil):
    """The answer to the first request, once more."""
    first, kept = Machine(), []

    def answer(connection, asked):
        kept.append(first.answer(connection, asked))
        return kept[0]
    if not evil:
        return fetched(first)
    fetched(first, answer)  # kept[0] is of a session that is over
    return fetched(first, answer)


@row("later-no-answer", "cut short, or missing")
def no_answer(evil):
    """The machine does not attest again."""
    first = Machine()
    return fetched(first, (lambda _, __: b"") if evil else None)


@row("upload-ends-elsewhere", "same.chip")
def upload_ends_elsewhere(evil):
    """Between first byte and last word of an upload, the machine behind the connection is another: the
    upload has not been accepted, and its owner is told."""
    first = Machine()
    second = Machine(Guest(chip("opened"), IMAGE), first.identity) if evil else first
    desk().reset()

    def script(gate, connection):
        connection.send(frame(AUTHENTICATOR, first.answer(connection, gate.asked(connection))))
        gate.serve(connection, second)
    with Gate(script, first.identity) as gate:
        ran = owner().upload(gate.target)
    return Outcome(ran.status == 0, ran.out + ran.err, 0 if evil else len(desk().kept))


@row("upload-to-who-does-not-attest-again", "not now")
def not_again(evil):
    """The machine has better things to do than to attest again ('unavailable'), in the hope that the
    owner's command tries once more, with the proof of before."""
    machine = Machine()
    desk().reset()

    def answer(connection, asked):
        return grpc.StatusCode.UNAVAILABLE if evil else machine.answer(connection, asked)

    def script(gate, connection):
        connection.send(frame(AUTHENTICATOR, machine.answer(connection, gate.asked(connection))))
        gate.serve(connection, machine, functools.partial(answer, connection))
    with Gate(script, machine.identity) as gate:
        ran = owner().upload(gate.target)
    assert not gate.failures, gate.failures
    # The first copy went to a machine that had proven itself; there is no other.
    return Outcome(ran.status == 0, ran.out + ran.err, len(desk().kept) - len(DATASET) * evil)
