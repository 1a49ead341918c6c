# SPDX-License-Identifier: Apache-2.0
"""One call of the CLI and what it has to answer."""


class Case:
    """One call and what it has to answer.

    command: words of the subcommand; options: of its batch line, or a list of arguments where it has
    no batch; accept: True, False, or None for either; stages: where a refusal is sound (None: at any
    check that is not about a missing input); check: a function of the answer that says what differs.
    """

    def __init__(self, name, command, options, accept, stages=None, check=None):
        self.name, self.command, self.options = name, command, options
        self.accept, self.stages, self.check = accept, stages, check


YES = ("verified", "parsed", "accept")
NO = ("refused", "refuse", "signatures_only")


def acceptance(word):
    """What a verdict's word wants: True, False, or None where both answers are defensible."""
    if word == "either":
        return None
    if word in YES or word in NO:
        return word in YES
    raise ValueError(f"a verdict {word!r}")


# What a case of a form that is not known here throws while it is read.
NOT_UNDERSTOOD = (KeyError, TypeError, ValueError, AttributeError, OSError, StopIteration)


def each(found, build):
    """The calls that build(name, path, expected) makes of each case found; a failing one in place of
    what is not understood, so that it costs no other case."""
    for name, path, expected in found:
        try:
            made = list(build(name, path, expected))
        except NOT_UNDERSTOOD as why:
            made = [Case(name, ["attestation", "check"], {"file": f"not understood: {why!r}"}, True)]
        yield from made
