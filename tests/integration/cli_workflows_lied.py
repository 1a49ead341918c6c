# SPDX-License-Identifier: Apache-2.0
"""cocos-cli and a service that lies: nothing else is run, and no other result believed, than what was ordered."""
import os
import re
import time

import grpc

import tap
from harness import until, workflows
from terminal import Terminal
from workflow_played import EMPTY, Key, seal_output
from workflow_room import LIES, OUTPUTS, node, ready, world


def a_service_that_gives_nothing_time_and_again_keeps_nobody_busy():
    def none(request, context, honest):
        return workflows.TakenNode()

    def not_yours(request, context, honest):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "it is not this executor's any more")

    for says in ({"TakeNode": none}, {"GetNodeInput": not_yours}):
        with world() as w:
            w.script("print()\n")
            ready(w)
            w.service.says = says
            began = time.monotonic()
            running = w.executor()
            until(lambda: len(w.service.requests("TakeNode")) >= 4, "four questions")  # pylint: disable=cell-var-from-loop
            # A second between each of them and the next; a machine that has much to do makes it longer.
            assert time.monotonic() - began > 2.5, says
            assert running.stop() == 143, running.text()


def a_service_that_lies_of_a_node_has_nothing_run():
    with world() as w:
        w.script(f"open('{w.folder('ran')}', 'w').close()\n")
        for what, (change, words) in LIES.items():
            w.service.nodes.clear()
            ready(w)

            def lie(request, context, honest):
                said = honest()
                if said.is_there:
                    change(w, said)  # pylint: disable=cell-var-from-loop
                return said

            # Whatever node or workflow that answer is of.
            w.service.says = {"TakeNode": lie, "FinishNode": lambda *_: EMPTY()}
            w.service.taken.clear()
            w.once().refused(1, words)
            told = w.service.requests("FinishNode")[-1]
            assert told.failure.startswith("refused: ") and told.is_final and not told.sealed, (what, told)
            assert not os.path.exists(w.folder("ran")), what


def a_service_that_lies_of_inputs_has_nothing_run():
    with world() as w:
        w.script(f"open('{w.folder('ran')}', 'w').close()\n")
        for what, (change, words) in OUTPUTS.items():
            w.service.nodes.clear()
            order, name = ready(w)

            def lie(request, context, honest):
                said = honest()
                change(w, said, order)  # pylint: disable=cell-var-from-loop
                return said

            w.service.says = {"GetNodeInput": lie}
            w.once().refused(1, words)
            own = w.service.nodes[name][1]
            assert own.state == "Failed" and own.failure.startswith("refused: "), (what, own.failure)
            assert not os.path.exists(w.folder("ran")) and not w.left(), what
        # The honest twin.
        w.service.nodes.clear()
        w.service.says = {}
        ready(w)
        assert w.once().status == 0 and os.path.exists(w.folder("ran"))


def an_order_that_has_expired_or_asks_for_more_is_not_run():
    with world() as w:
        w.script(f"open('{w.folder('ran')}', 'w').close()\n")
        for order, words in ((w.order([node("a")], expires_ms=int(time.time() * 1000) - 1000), "has expired"),
                             (w.order([node("a", function="other")]), "function other is none")):
            w.service.nodes.clear()
            w.service.add(order)
            w.once().refused(1, words)
        assert not os.path.exists(w.folder("ran"))


def an_output_for_a_key_that_is_not_named_is_not_made():
    """A submitter who names a key of his own as the next executor's would read what each one gives."""
    with world() as w:
        w.script(f"open('{w.folder('ran')}', 'w').close()\n")
        w.service.add(w.order([node("a"), node("sum", "cloud", after=["a"])]))
        words = w.executor_words("--once")
        w(*words, "--recipient", Key().public.hex()).refused(1, w.key_of("cloud").public.hex() + ", to which")
        assert not os.path.exists(w.folder("ran"))
        w(*words, "--recipient", "12").refused(2, "64 hexadecimal digits")
        w.service.nodes.clear()
        w.service.add(w.order([node("a"), node("sum", "cloud", after=["a"])]))
        w(*words, "--recipient", w.key_of("cloud").public.hex()).ok()
        assert os.path.exists(w.folder("ran"))


def a_result_that_is_not_the_executors_is_not_written():
    with world() as w:
        w.script("print('true')\n")
        name = w.submit([node("last")]).ok().strip()
        other = w.submit([node("last")]).ok().strip()
        assert w.once().status == 0 and w.once().status == 0
        order = w.service.orders[name]

        def decrypt(word, **says):
            w.service.says = {method: (lambda change: lambda request, context, honest: change(honest()))(change)
                              for method, change in says.items()}
            w("workflow", "decrypt", name, "--key", w.key, "-o", w.folder("out")).refused(3, word)
            assert not os.path.exists(w.folder("out"))

        def said(**fields):
            def change(answer):
                for field, value in fields.items():
                    setattr(answer, field, value)
                return answer
            return change

        def shown(answer):
            answer.order.CopyFrom(w.service.orders[other])
            return answer

        stranger = Key()
        decrypt("nothing was written", GetOutput=said(sealed=seal_output(order, 0, 1, stranger, b"false")))
        decrypt("another executor", GetOutput=said(sealed=seal_output(order, 0, 1, stranger, b"false"),
                                                   executor=stranger.public))
        decrypt("nothing was written", GetOutput=said(attempt=2))
        decrypt("the order allows 4", GetOutput=said(attempt=5))
        decrypt("another node", GetOutput=said(number=3))
        decrypt("nothing was written", GetOutput=said(sealed=w.service.nodes[other][0].sealed))
        decrypt("nothing was written", GetOutput=said(sealed=b"x"))
        decrypt("another order", Get=shown)
        w.service.says = {"Get": lambda request, context, honest: shown(honest())}
        w("workflow", "get", name).refused(3, "another order")
        w.service.says = {}
        assert w("workflow", "decrypt", name, "--key", w.key).ok() == "true\n"


def a_terminal_obeys_no_result():
    """An executor gives what it likes; a file or a pipe gets all of it."""
    with world() as w:
        w.script("print('\\x1b[2Jtrue')\n")
        name = w.submit([node("last")]).ok().strip()
        assert w.once().status == 0
        words = ("workflow", "decrypt", name, "--key", w.key)
        for more in ((), ("-o", "-")):
            with Terminal(*words, *more, **w.env) as terminal:
                assert terminal.end() == 1, terminal.text
                assert "no text that a terminal only shows" in terminal.text and "hint: send it to a file" in terminal.text
                assert "\x1b[2J" not in terminal.text and "true" not in terminal.text, terminal.text
        assert w(*words).ok() == "\x1b[2Jtrue\n"
        w.script("print('a line\\tof text')\n")
        name = w.submit([node("last")]).ok().strip()
        assert w.once().status == 0
        with Terminal("workflow", "decrypt", name, "--key", w.key, **w.env) as terminal:
            assert terminal.end() == 0 and re.search(r"a line\s+of text", terminal.text), terminal.text


def what_is_verified_is_shown_from_the_order():
    """Neither another key nor another id is shown in its name, nor anything that a terminal would do."""
    with world() as w:
        name = w.submit([node("a")], "--name", "one").ok().strip()

        def lie(request, context, honest):
            said = honest()
            said.id, said.key = "\x1b[2J" + "0" * 64, bytes(32)
            said.expires.FromSeconds(4102444800)
            return said

        w.service.says = {"Get": lie}
        text = w("workflow", "get", name).ok()
        assert name in text and w.fingerprint in text and "\x1b" not in text, repr(text)
        shown = w("workflow", "get", name, "-o", "json").json()
        assert (shown["id"], shown["key"]) == (name, w.fingerprint), shown
        assert not shown["expires"].startswith("2100"), shown


TESTS = [
    a_service_that_gives_nothing_time_and_again_keeps_nobody_busy,
    a_service_that_lies_of_a_node_has_nothing_run,
    a_service_that_lies_of_inputs_has_nothing_run,
    an_order_that_has_expired_or_asks_for_more_is_not_run,
    an_output_for_a_key_that_is_not_named_is_not_made,
    a_result_that_is_not_the_executors_is_not_written,
    a_terminal_obeys_no_result,
    what_is_verified_is_shown_from_the_order,
]

if __name__ == "__main__":
    tap.run(TESTS)
