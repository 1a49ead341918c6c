# SPDX-License-Identifier: Apache-2.0
"""Who starts the CVM of a workflow's node, the service or the submitter wants to read an input of that node, or to have its
submitter or the next node's executor believe a result: the agent is genuine, on simulated hardware, and what it was told is not what was ordered, or not
what an input's owner allows."""
import json
import os

from rows import Outcome, Skip, row
from teesim import unavailable
from workflow_after import after
from workflow_cvm import ALGORITHM, POLICY, REQUIREMENTS, SECRET, held, kwargs, manifest_of, room, sha3, signer, spki
from workflow_parties import id_of, raw
from workflow_played import Key, seal_output
from workflow_room import node, world

ALLOWED = ["--algorithm", sha3(ALGORITHM).hex(), "--requirements", sha3(REQUIREMENTS).hex(), "--policy",
           sha3(POLICY.encode()).hex()]
OTHER = b"import shutil\nshutil.copytree('datasets', 'results/all')\n"


def handed(evil, change, algorithm=ALGORITHM):
    """An executor has an output for the CVM, whose manifest change(room, manifest) has made another."""
    if why := unavailable():
        raise Skip(why)
    with world() as w, room(w) as r:
        at, m = r.executor(), r.manifest()
        if evil:
            change(r, m)
        with r.agent(m) as machine:
            # The agent is what it says: the algorithm that its manifest names is taken.
            requirements = REQUIREMENTS if m.algorithm.algo_type == "python" else None
            r.send(algorithm if evil else ALGORITHM, requirements, kind=m.algorithm.algo_type).ok()
            status = at.end()
            return Outcome(status == 0, at.text(), held(machine))


def owner_of(key):
    return spki(raw(signer(key)))


@row("cvm-node-algorithm-altered", "the agent's manifest has another algorithm than the order")
def algorithm_altered(evil):
    """The CVM would run another algorithm, which puts all inputs into its results."""
    return handed(evil, lambda r, m: setattr(m.algorithm, "hash", sha3(OTHER)), OTHER)


@row("cvm-node-consumer-added", "2 consumers")
def consumer_added(evil):
    """Results would be for who starts the CVM as well."""
    return handed(evil, lambda r, m: m.result_consumers.add(userKey=owner_of(r.launcher)))


@row("cvm-node-consumer-replaced", "not the one that the order allows")
def consumer_replaced(evil):
    """Results would be for who starts the CVM, and not for the submitter."""
    return handed(evil, lambda r, m: setattr(m.result_consumers[0], "userKey", owner_of(r.launcher)))


@row("cvm-node-dataset-added", "3 datasets, and 2 by the order")
def dataset_added(evil):
    """A further input, of who starts the CVM: a table of what to look for, say."""
    return handed(evil, lambda r, m: m.datasets.add(hash=sha3(b"x"), userKey=owner_of(r.launcher), filename="x"))


@row("cvm-node-dataset-left-out", "1 datasets, and 2 by the order")
def dataset_left_out(evil):
    """The sum would be of one number alone."""
    def change(_, m):
        del m.datasets[1]
    return handed(evil, change)


@row("cvm-node-dataset-of-another", "not the one that the order allows")
def dataset_of_another(evil):
    """The other input would come from who starts the CVM, who then takes it off the sum."""
    return handed(evil, lambda r, m: setattr(m.datasets[1], "userKey", owner_of(r.launcher)))


@row("cvm-node-dataset-renamed", "by the order it is b")
def dataset_renamed(evil):
    """The other input has another name, by which the algorithm takes it for something else."""
    return handed(evil, lambda r, m: setattr(m.datasets[1], "filename", "c"))


@row("cvm-node-input-replaced", "another input in the place of this executor's")
def input_replaced(evil):
    """In the place of this executor's output there would be another: of an earlier workflow, say."""
    return handed(evil, lambda r, m: setattr(m.datasets[0], "hash", sha3(b"y")))


@row("cvm-node-wheels-left-open", "not the one that the order allows")
def wheels_left_open(evil):
    """No requirements are named, so that who brings the algorithm could add a package that reads all inputs."""
    return handed(evil, lambda r, m: setattr(m.cocos, "requirements_hash", b""))


@row("cvm-node-arguments-added", "not the one that the order allows")
def arguments_added(evil):
    """The algorithm that was ordered, with one more argument."""
    return handed(evil, lambda r, m: m.algorithm.algo_args.append("--verbose"))


@row("cvm-node-arguments-left-open", "not the one that the order allows")
def arguments_left_open(evil):
    """No arguments are named, so that who brings the algorithm could say any."""
    return handed(evil, lambda r, m: m.algorithm.ClearField("algo_args"))


@row("cvm-node-type-altered", "not the one that the order allows")
def type_altered(evil):
    """The algorithm that was ordered is run as something else."""
    def change(_, m):
        m.algorithm.algo_type = "bin"
        m.cocos.requirements_hash = b""
    return handed(evil, change)


@row("cvm-node-logs-for-all", "not the one that the order allows")
def logs_for_all(evil):
    """What the algorithm writes would be shown to the service."""
    return handed(evil, lambda r, m: setattr(m.cocos, "logs", "all"))


@row("cvm-node-order-replayed", "it has the manifest of another computation")
def order_replayed(evil):
    """The CVM of an earlier order of the same submitter, for the same nodes, is shown once more."""
    if why := unavailable():
        raise Skip(why)
    with world() as w, room(w) as r:
        earlier = r.make_order()
        at = r.executor()
        m = r.manifest()
        if evil:
            m = manifest_of(earlier, 2, [r.digest(), sha3(b"what b gives")])
        with r.agent(m) as machine:
            r.send().ok()
            if evil:
                at.wait_line("another computation")
                status = at.stop()
            else:
                status = at.end()
            return Outcome(status == 0, at.text(), held(machine))


@row("cvm-node-another-machine", "measurement")
def another_machine(evil):
    """The CVM runs another image than the order's policy takes."""
    if why := unavailable():
        raise Skip(why)
    with world() as w, room(w, policy=POLICY.replace("a5", "a6") if evil else POLICY) as r:
        at = r.executor()
        with r.agent(r.manifest()) as machine:
            r.send().ok()
            return Outcome(at.end() == 0, at.text(), held(machine))


def allowed(evil, *words, said):
    """An executor whose owner has named what CVMs may do with its outputs."""
    if why := unavailable():
        raise Skip(why)
    with world() as w, room(w, **(said if evil else {})) as r:
        at = r.executor(*ALLOWED, *words)
        if evil:
            return Outcome(at.end() == 0, at.text(), 0)
        with r.agent(r.manifest()) as machine:
            r.send().ok()
            return Outcome(at.end() == 0, at.text(), held(machine))


@row("cvm-node-policy-of-the-submitter", "which is none that this executor's owner named (--policy)")
def policy_of_submitter(evil):
    """The submitter orders a policy that takes a machine with an image of his own."""
    return allowed(evil, said={"policy": POLICY.replace("a5", "a6")})


@row("cvm-node-algorithm-of-the-submitter", "which is none that this executor's owner named (--algorithm)")
def algorithm_of_submitter(evil):
    """The submitter orders an algorithm that gives him all inputs."""
    return allowed(evil, said={"algorithm": sha3(OTHER).hex()})


@row("cvm-node-wheels-of-the-submitter", "which is none that this executor's owner named (--requirements)")
def wheels_of_submitter(evil):
    """The submitter orders the algorithm that the owner allows, with a package that runs before it and reads all inputs."""
    return allowed(evil, said={"requirements": sha3(b"spy @ file:spy.whl\n").hex()})


def policy_taking(evil, run):
    """An order whose policy says this of the agent."""
    if why := unavailable():
        raise Skip(why)
    policy = json.dumps({**json.loads(POLICY), "run": run})
    with world() as w, room(w, **({"policy": policy} if evil else {})) as r:
        at = r.executor()
        if evil:
            return Outcome(at.end() == 0, at.text(), 0)
        with r.agent(r.manifest()) as machine:
            r.send().ok()
            return Outcome(at.end() == 0, at.text(), held(machine))


@row("cvm-node-of-a-stock-agent", "takes a stock agent")
def stock_agent(evil):
    """The order's policy takes stock agents, which have evidence made over whatever the machine's host tells them."""
    return policy_taking(evil, {"agent": "stock"})


@row("cvm-node-of-a-key-from-outside", "takes a key from outside")
def key_from_outside(evil):
    """The order's policy takes an agent whose key others have given to it, and could answer with in its place."""
    return policy_taking(evil, {"allow_external_identity": True})


@row("cvm-node-past-the-cvm", "its owner named CVMs alone")
def past_the_cvm(evil):
    """An owner has named what CVMs may do with outputs, and the submitter orders that an executor of his own gets one."""
    if why := unavailable():
        raise Skip(why)
    with world() as w, room(w) as r:
        if evil:
            r.order = w.order([node("a"), node("take", "peer", after=["a"])])
        at = r.executor(*ALLOWED)
        if evil:
            return Outcome(at.end() == 0, at.text(), len(w.service.nodes[id_of(r.order)][0].sealed))
        with r.agent(r.manifest()) as machine:
            r.send().ok()
            return Outcome(at.end() == 0, at.text(), held(machine))


@row("cvm-node-as-a-way-round", "which is none that this executor's owner named (--algorithm)")
def way_round(evil):
    """An owner has named whom outputs may be for, and the submitter orders a CVM in that one's place."""
    if why := unavailable():
        raise Skip(why)
    with world() as w, room(w) as r:
        at = r.executor(*(["--recipient", r.peer.public.hex()] if evil else []))
        if evil:
            return Outcome(at.end() == 0, at.text(), 0)
        with r.agent(r.manifest()) as machine:
            r.send().ok()
            return Outcome(at.end() == 0, at.text(), held(machine))


@row("cvm-node-key-of-another", "another key for this executor to sign with")
def key_of_another(evil):
    """The order has another's key as that of the owner of this executor's output."""
    if why := unavailable():
        raise Skip(why)
    with world() as w, room(w) as r:
        if evil:
            r.order = r.make_order(owner=Key())
        at = r.executor()
        if evil:
            return Outcome(at.end() == 0, at.text(), 0)
        with r.agent(r.manifest()) as machine:
            r.send().ok()
            return Outcome(at.end() == 0, at.text(), held(machine))


@row("cvm-node-output-guessed", "no guess has that digest")
def output_guessed(evil):
    """Who starts the CVM tries the digests of all that an output could be: of a number of patients there are not many."""
    if why := unavailable():
        raise Skip(why)
    with world() as w, room(w) as r:
        at = r.executor()
        digest = r.digest()
        at.stop()
        # The right guess; the honest twin has what it needs for the manifest.
        return Outcome(digest == sha3(SECRET.encode()) if evil else len(digest) == 32, "no guess has that digest")


def sent(evil, *words):
    """Who starts the CVM sends the algorithm, honestly or with more than was ordered."""
    if why := unavailable():
        raise Skip(why)
    with world() as w, room(w) as r, r.agent(manifest_of(r.order, 2, [sha3(b"a"), sha3(b"b")])) as machine:
        ran = r.send(*words) if evil else r.send()
        return Outcome(ran.status == 0, ran.err,
                       sum("algorithm" in name for name in machine.agent.work()) if not evil else 0)


@row("cvm-node-wheels-sent", "the manifest names the requirements")
def wheels_sent(evil):
    """Who brings the algorithm brings other requirements along."""
    return sent(evil, ALGORITHM, b"# none\n# but these\n")


@row("cvm-node-arguments-sent", "arguments, the manifest says 2")
def arguments_sent(evil):
    """Who brings the algorithm says one more argument."""
    return sent(evil, ALGORITHM, REQUIREMENTS, "--args", "work", "--args", "exactly", "--args", "--verbose")


@row("cvm-node-digest-by-the-service", "the order names another executor")
def digest_by_service(evil):
    """The service seals a digest itself, so that a CVM is started for an input of its own."""
    with world() as w:
        launcher, peer = w.key_of("cvm:cloud"), w.key_of("peer")
        order = w.order([node("a", "peer"), node("sum", "cvm:cloud", after=["a"], retries=0,
                                                  kwargs=kwargs("127.0.0.1:1", launcher, {"a": peer}))])
        w.script("import os, shutil\nshutil.copy('manifest.json', " + repr(w.folder("ran")) + ")\n")
        name = w.service.add(order)
        one, last = w.service.nodes[name]
        one.state, one.attempt, one.given, one.executor = "Done", 1, 1, peer.public
        one.sealed, last.state = seal_output(order, 0, 1, peer, sha3(b"a")), "Ready"
        if evil:
            stranger = Key()
            one.executor, one.sealed = stranger.public, seal_output(order, 0, 1, stranger, sha3(b"b"))
        ran = w.once(kind="cvm:cloud")
        return Outcome(os.path.exists(w.folder("ran")), ran.err)


@row("cvm-node-result-in-words", "'workflow result' fetches it")
def result_in_words(evil):
    """Who starts the CVM says in the executor's place what came out of it."""
    with world() as w:
        launcher, peer = w.key_of("cvm:cloud"), w.key_of("peer")
        w.script("print('true')\n")
        nodes = [node("a"), node("sum", "cvm:cloud", after=["a"], retries=0,
                                 kwargs=kwargs("127.0.0.1:1", launcher, {"a": peer}))] if evil else [node("a")]
        name = w.submit(nodes).ok().strip()
        if evil:
            order = w.service.orders[name]
            own = w.service.nodes[name][1]
            own.state, own.attempt, own.given, own.executor = "Done", 1, 1, launcher.public
            own.sealed = seal_output(order, 1, 1, launcher, b"true")
        else:
            assert w.once().status == 0
        ran = w("workflow", "decrypt", name, "--key", w.key)
        return Outcome(ran.status == 0, ran.err)


@row("cvm-node-result-of-another", "another algorithm than the order")
def result_of_another(evil):
    """The submitter is to fetch results that another algorithm has made, in a genuine CVM."""
    if why := unavailable():
        raise Skip(why)
    with world() as w, room(w) as r:
        at, m = r.executor(), r.manifest()
        if evil:
            m.algorithm.hash = sha3(OTHER)
        with r.agent(m):
            r.send(OTHER if evil else ALGORITHM).ok()
            if not evil:
                r.give(b"what b gives").ok()
            ran = r.result(*([] if evil else ["--wait"]))
            at.end()
            return Outcome(ran.status == 0, ran.err, os.path.exists(w.folder("results.zip")))


# ---- on to the next node ----

def went_on(evil, change=None, algorithm=OTHER, forged=False, **order):
    """The node behind a CVM, whose executor is to go on with something else than what was ordered has computed."""
    if why := unavailable():
        raise Skip(why)
    with world() as w, after(w, **(order if evil else {})) as r:
        m, ran = r.manifest(), w.folder("ran")
        w.script(f"open({ran!r}, 'w').close()\nprint(1)\n")
        if evil and change:
            change(r, m)
        with r.agent(m):
            r.compute(algorithm if evil else ALGORITHM)
            name = r.add(launcher=Key() if evil and forged else None)
            at = r.executor("--once")
            return Outcome(at.end() == 0, at.text() + r.until_ended(name).failure + "\n", os.path.exists(ran))


@row("cvm-next-key-of-another", "another key for this executor to fetch the results of sum with")
def next_key_of_another(evil):
    """The order has another's key as that of who goes on with what the CVM computes."""
    return went_on(evil, algorithm=ALGORITHM, consumer=Key())


@row("cvm-next-algorithm-altered", "another algorithm than the order")
def next_algorithm_altered(evil):
    """What goes on was computed by another algorithm, in a genuine CVM."""
    return went_on(evil, lambda r, m: setattr(m.algorithm, "hash", sha3(OTHER)))


@row("cvm-next-consumer-added", "2 consumers")
def next_consumer_added(evil):
    """Who starts the CVM would have the results as well."""
    return went_on(evil, lambda r, m: m.result_consumers.add(userKey=owner_of(r.launcher)), algorithm=ALGORITHM)


@row("cvm-next-input-of-another", "not the one that the order allows")
def next_input_of_another(evil):
    """Who starts the CVM has given the input himself."""
    def change(r, m):
        m.datasets[0].userKey = owner_of(r.launcher)
        r.peer = r.launcher
    return went_on(evil, change, algorithm=ALGORITHM)


@row("cvm-next-another-machine", "measurement")
def next_another_machine(evil):
    """The CVM ran another image than the order's policy takes."""
    return went_on(evil, algorithm=ALGORITHM, policy=POLICY.replace("a5", "a6"))


@row("cvm-next-said-by-the-service", "the order names another executor")
def next_said_by_service(evil):
    """The service says in the place of who starts the CVM that it is done."""
    return went_on(evil, algorithm=ALGORITHM, forged=True)
