# SPDX-License-Identifier: Apache-2.0
"""An agent whose host has it say what it likes of how far it is, to a service that shows it to its users. The honest twin is
the same agent with figures that an agent can mean, which are shown."""
from harness import cvms, until
from rows import Outcome, row
from web_progress import USED, Ward, going, shown


def told(evil, wrong, first=None, of="c", **more):
    """What is shown of computation `of` when the agent of c has told `first`, and then something good, or `wrong`."""
    with Ward() as ward:
        runs = {name: ward.run(name) for name in ("c", "d")}
        report = {"uploads": [(1, 5, 10, False)], "usage": dict(USED)}
        if first:
            runs["c"].agent.say(progress=cvms.Progress(**going(runs["c"], **first)))
            until(lambda: shown(ward).HasField("run"), "the first report")
        said = wrong if evil else report
        runs["c"].agent.say(progress=cvms.Progress(**(
            going(runs["c"], *said.get("uploads", []), **said.get("usage", {})) | (more if evil else {}))))
        if evil:
            line = ward.service.process.wait_line(r"CVM 'cvm-c': (how far it is: .*|it tells how far .*)")
            left = shown(ward, of)
            return Outcome(False, line[1], sum(u.received for u in left.uploads))
        until(lambda: shown(ward).uploads, "the report")
        return Outcome(True, "", shown(ward).uploads[0].received)


@row("figures-of-anothers-computation", "which it was never given")
def of_anothers(evil):
    """A computation that another CVM has is said to be far ahead."""
    return told(evil, {"uploads": [(1, 9, 10, False)]}, of="d", computation_id="d")


@row("figures-of-a-dataset-that-no-manifest-has", "of asset 257")
def of_no_dataset(evil):
    """One behind the last that a manifest can have."""
    return told(evil, {"uploads": [(257, 9, 10, False)]})


@row("figures-of-one-dataset-twice", "of asset 1: they rise")
def twice(evil):
    """The same dataset, with other bytes."""
    return told(evil, {"uploads": [(1, 9, 10, False), (1, 8, 10, False)]})


@row("figures-of-more-than-all", "11 bytes of 10")
def more_than_all(evil):
    """More has come than there will be."""
    return told(evil, {"uploads": [(1, 11, 10, False)]})


@row("figures-beyond-any-machine", "upload of asset 1: 1125899906842625 bytes")
def beyond(evil):
    """A byte more than a pebibyte."""
    return told(evil, {"uploads": [(1, (1 << 50) + 1, 0, False)]})


@row("figures-that-fall", "processor of the run fell from 3 to 2")
def fall(evil):
    """Processor time is given back within a run."""
    return told(evil, {"usage": USED | {"processor_seconds": 2}}, first=USED)
