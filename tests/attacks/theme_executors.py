# SPDX-License-Identifier: Apache-2.0
"""The computation service, or who has broken into it, wants executors to run something else than was ordered, or people to
believe a result that nobody computed."""
import os

from agent_peer import Key as UserKey
from rows import Outcome, row
from workflow_parties import id_of
from workflow_played import EMPTY, Key, seal_output
from workflow_room import LIES, OUTPUTS, node, ready, world


def taken(evil, change):
    """One node that the service gives out, as it is or changed."""
    with world() as w:
        w.script(f"open('{w.folder('ran')}', 'w').close()\n")
        ready(w)

        def give(request, context, honest):
            said = honest()
            if evil and said.is_there:
                change(w, said)
            return said

        w.service.says = {"TakeNode": give, "FinishNode": lambda *_: EMPTY()}
        ran = w.once()
        return Outcome(os.path.exists(w.folder("ran")), ran.err)


def given(evil, change):
    """An input that the service hands on, as it is or changed."""
    with world() as w:
        w.script(f"open('{w.folder('ran')}', 'w').close()\n")
        order, _ = ready(w)

        def give(request, context, honest):
            said = honest()
            if evil:
                change(w, said, order)
            return said

        w.service.says = {"GetNodeInput": give}
        ran = w.once()
        return Outcome(os.path.exists(w.folder("ran")), ran.err)


def shown(evil, method, change):
    """A result that its submitter fetches, as it is or changed by change(w, answer, id, id of another workflow)."""
    with world() as w:
        w.script("print('true')\n")
        name, other = (w.submit([node("last")]).ok().strip() for _ in range(2))
        assert w.once().status == 0 and w.once().status == 0

        def give(request, context, honest):
            said = honest()
            if evil:
                change(w, said, name, other)
            return said

        w.service.says = {method: give}
        ran = w("workflow", "decrypt", name, "--key", w.key, "-o", w.folder("out"))
        return Outcome(os.path.exists(w.folder("out")), ran.err)


@row("executor-kwargs-changed", "not the submitter's over this order")
def kwargs_changed(evil):
    """The arguments of a function are others than those that the submitter signed."""
    return taken(evil, LIES["kwargs are others"][0])


@row("executor-order-replaced", "of another workflow")
def order_replaced(evil):
    """Another order of the same submitter is shown under a workflow's id."""
    return taken(evil, LIES["another order under this id"][0])


@row("executor-order-of-a-stranger", "whom this executor does not run for")
def stranger(evil):
    """An order that is signed, by a key that the executor's owner does not know: the service's own, say."""
    return taken(evil, LIES["a stranger's order"][0])


@row("executor-executor-put-in", "not the submitter's over this order")
def executor_put_in(evil):
    """Outputs would be sealed for one more key."""
    return taken(evil, LIES["other executors"][0])


@row("executor-results-for-another", "not the submitter's over this order")
def results_for_another(evil):
    """The result would be sealed for another than the submitter."""
    return taken(evil, LIES["other results"][0])


@row("executor-node-of-another-executor", "it is for executors of type peer")
def node_of_another(evil):
    """An executor is given a node that the order has for another one."""
    return taken(evil, LIES["another node"][0])


@row("executor-without-its-inputs", "it depends on 1 nodes")
def without_inputs(evil):
    """A node is to run before those that it depends on."""
    return taken(evil, LIES["no inputs"][0])


@row("executor-attempts-without-end", "its order allows 4")
def attempts(evil):
    """A node is run once more than its order allows."""
    return taken(evil, LIES["too many attempts"][0])


@row("executor-order-kept-for-later", "its order has expired")
def kept_for_later(evil):
    """An order is kept back until it is good no more, and given out then."""
    with world() as w:
        w.script(f"open('{w.folder('ran')}', 'w').close()\n")
        w.service.add(w.order([node("a")], expires_ms=1 if evil else None))
        ran = w.once()
        return Outcome(os.path.exists(w.folder("ran")), ran.err)


@row("executor-node-run-twice", "was begun here before")
def run_twice(evil):
    """The same attempt of a node, after the executor was started again: an order to pay, say."""
    with world() as w:
        w.script(f"open('{w.folder('ran')}', 'a').write('x')\n")
        name = w.service.add(w.order([node("a")]))
        assert w.once().status == 0
        own = w.service.nodes[name][0]
        own.state = "Ready"
        if evil:
            own.attempt = 0
        ran = w.once()
        with open(w.folder("ran"), encoding="ascii") as file:
            return Outcome(len(file.read()) == 2, ran.err)


@row("executor-function-not-offered", "is none that this executor runs")
def not_offered(evil):
    """A trusted submitter orders a function that the executor's owner has not allowed: a shell, say."""
    with world() as w:
        w.script(f"open('{w.folder('ran')}', 'w').close()\n")
        w.service.add(w.order([node("a", function="sh" if evil else "work")]))
        ran = w.once()
        return Outcome(os.path.exists(w.folder("ran")), ran.err)


@row("executor-kwargs-to-a-shell", "nothing of it is run")
def to_a_shell(evil):
    """Arguments that a shell would run."""
    with world() as w:
        w.script(f"import json, os\njson.load(open('kwargs.json'))\nopen('{w.folder('ran')}', 'w').close()\n")
        mark = w.folder("mark")
        w.service.add(w.order([node("a", kwargs={"x": f"$(touch {mark})", f"`touch {mark}`": f"'; touch {mark} #"})]))
        assert w.once().status == 0 and os.path.exists(w.folder("ran"))
        return Outcome(os.path.exists(mark) if evil else True, "nothing of it is run")


@row("executor-input-of-a-stranger", "the order names another executor")
def input_of_a_stranger(evil):
    """The service seals an input itself, with a key of its own."""
    return given(evil, OUTPUTS["another executor's"][0])


@row("executor-input-in-anothers-name", "input of first")
def input_in_anothers_name(evil):
    """The same, and says that the executor of the order has sealed it."""
    return given(evil, OUTPUTS["another's output"][0])


@row("executor-input-of-another-workflow", "input of first")
def input_of_another_workflow(evil):
    """What the right executor has sealed for this one in another workflow."""
    return given(evil, OUTPUTS["of another workflow"][0])


@row("executor-input-of-another-node", "shows that of another")
def input_of_another_node(evil):
    """The output of one node in place of another's."""
    return given(evil, OUTPUTS["of another node"][0])


@row("executor-input-of-another-attempt", "input of first")
def input_of_another_attempt(evil):
    """An output is said to be of another attempt than it is of."""
    return given(evil, OUTPUTS["of another attempt"][0])


@row("executor-input-changed", "input of first")
def input_changed(evil):
    """A byte of a sealed input is another."""
    return given(evil, OUTPUTS["changed"][0])


@row("executor-result-forged", "nothing was written")
def result_forged(evil):
    """The service seals a result for the submitter with a key of its own, in the executor's name."""
    return shown(evil, "GetOutput", lambda w, said, name, _: setattr(
        said, "sealed", seal_output(w.service.orders[name], 0, 1, Key(), b"false")))


@row("executor-result-of-another", "nothing was written")
def result_of_another(evil):
    """What the same executor has sealed for the same submitter, in another workflow."""
    return shown(evil, "GetOutput", lambda w, said, _, other: setattr(said, "sealed", w.service.nodes[other][0].sealed))


@row("executor-shown-for-another", "another order in place of")
def shown_for_another(evil):
    """Another workflow's order under the id that the submitter asks for."""
    return shown(evil, "Get", lambda w, said, _, other: said.order.CopyFrom(w.service.orders[other]))


@row("executor-submitted-in-anothers-name", "whom this executor does not run for")
def in_anothers_name(evil):
    """Another member of the workspace submits to an executor whose owner has not named him."""
    with world() as w:
        w.script(f"open('{w.folder('ran')}', 'w').close()\n")
        order = w.order([node("a")], user=UserKey("ed25519") if evil else None)
        assert id_of(order) == w.service.add(order)
        ran = w.once()
        return Outcome(os.path.exists(w.folder("ran")), ran.err)


@row("executor-submitter-in-the-middle", "to which this executor hands nothing")
def in_the_middle(evil):
    """A submitter who is trusted with a sum names a key of his own as the adding executor's, and would read each number."""
    with world() as w:
        w.script(f"open('{w.folder('ran')}', 'w').close()\n")
        cloud = w.key_of("cloud").public.hex()
        if evil:
            w.keys["cloud"] = Key()
        w.service.add(w.order([node("a"), node("sum", "cloud", after=["a"])]))
        ran = w(*w.executor_words("--once", "--recipient", cloud))
        return Outcome(os.path.exists(w.folder("ran")), ran.err)
