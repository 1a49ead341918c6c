# SPDX-License-Identifier: Apache-2.0
"""One call of the CLI and what it has to answer."""


class Case:
    """One call and what it has to answer.

    command: words of the subcommand; options: of its batch line, or a list of arguments where it has
    no batch; accept: True, False, or None for either; stages: where a refusal is sound (None: at any
    check that is not about a missing input); check: a function of the answer that says what differs.
    origin: which of the cases in the vectors' files it belongs to (each() sets it where it is not set); fault: why there
    is nothing to call, which makes it a failure.
    """

    def __init__(self, name, command, options, accept, stages=None, check=None):
        self.name, self.command, self.options = name, command, options
        self.accept, self.stages, self.check = accept, stages, check
        self.origin = self.fault = None


YES = ("verified", "parsed", "accept")
NO = ("refused", "refuse", "signatures_only")


def acceptance(word):
    """What a verdict's word wants: True, False, or None where both answers are defensible."""
    if word == "either":
        return None
    if word in YES or word in NO:
        return word in YES
    raise ValueError(f"a verdict {word!r}")


def faulty(name, why):
    """A case that can't be judged, and why."""
    case = Case(name, [], {}, True)
    case.fault = f"not understood: {why if isinstance(why, str) else repr(why)}"
    return case


def guarded(name, build):
    """The calls that build() makes. Whatever it stumbles over is a failure of that name and costs
    nothing that it made before."""
    try:
        yield from build()
    except Exception as why:  # pylint: disable=broad-except
        yield faulty(name, why)


def each(found, build):
    """The calls that build(name, path, expected) makes of each (origin, name, path, expected) found.
    `expected` may be the exception that was met where it should have been read. What is not understood
    fails alone."""
    for origin, name, path, expected in found:
        if isinstance(expected, Exception):
            made = [faulty(name, expected)]
        else:
            made = guarded(name, lambda: build(name, path, expected))  # pylint: disable=cell-var-from-loop
        for case in made:
            case.origin = case.origin or origin
            yield case
