# SPDX-License-Identifier: Apache-2.0
"""What the command line does on a terminal: how far a transfer is, what it asks for, and what Ctrl-C leaves behind."""
import os
import secrets
import signal
import threading
import time

import tap
from cli_agent import Owner, agent
from harness import PATIENCE, read
from terminal import CONTROL_C, CONTROL_Z, Terminal

LARGE = secrets.token_bytes(1 << 20) * 64


class Slow:
    """Lets the other side wait at every piece until the test has seen what it waits for."""

    def __init__(self):
        self.seen = threading.Event()

    def pace(self, pieces):
        for piece in pieces:
            if not self.seen.is_set():
                time.sleep(0.1)
            yield piece


def owner_of(data):
    owner = Owner()
    owner.__enter__()
    owner.agent.datasets, owner.agent.algorithm = {"big.bin": data}, data
    owner.path_of_data = owner.write("big.bin", data)
    return owner


def slow_uploads(owner):
    slow, receive = Slow(), owner.agent.receive
    owner.agent.receive = lambda context, pieces, offset: receive(context, slow.pace(pieces), offset)
    return slow


def run(owner, *words):
    return Terminal(*words, cwd=owner.path, AGENT_GRPC_URL=owner.agent.url)


def an_upload_shows_total_rate_and_time_left():
    owner = owner_of(LARGE)
    try:
        slow = slow_uploads(owner)
        with run(owner, "data", owner.path_of_data, owner.key) as terminal:
            terminal.wait_text(r"sending \[#*\.*\] +\d+% [\d.]+ (MiB|bytes) of 64\.0 MiB [\d.]+ \S+/s (\d+m)?\d+s left")
            slow.seen.set()
            terminal.wait_text("'big.bin' accepted")
            assert terminal.end() == 0
        assert owner.agent.received == ("big.bin", LARGE)
    finally:
        owner.__exit__()


def control_c_in_an_upload_says_how_it_goes_on():
    owner = owner_of(LARGE)
    try:
        requirements = owner.write("requirements.txt", "numpy\n")
        for words, what in ((("data", owner.path_of_data, owner.key), "goes on there"),
                            (("algo", owner.path_of_data, owner.key), "the agent keeps what has come"),
                            (("algo", owner.path_of_data, owner.key, "-a", "python", "-r", requirements),
                             "with requirements the same command sends all again")):
            slow = slow_uploads(owner)
            with run(owner, *words) as terminal:
                terminal.wait_text(r"sending \[.*of 64\.0 MiB")
                terminal.press(CONTROL_C)
                terminal.wait_text("\r\x1b\\[Kstopped sending 'big.bin': .*" + what)
                assert terminal.end() == 130
                assert terminal.text.endswith("\n"), "the shell's prompt would follow it"
            slow.seen.set()
    finally:
        owner.__exit__()


def control_c_between_two_attempts_says_it_too():
    owner = owner_of(LARGE)
    try:
        owner.agent.break_after = [1] * 100  # whatever comes after it, the next attempt breaks, too
        with run(owner, "data", owner.path_of_data, owner.key) as terminal:
            terminal.wait_text("the connection broke .*trying to go on")
            terminal.press(CONTROL_C)
            terminal.wait_text("stopped sending 'big.bin': the agent keeps what has come")
            assert terminal.end() == 130
    finally:
        owner.__exit__()


def slow_results(owner):
    slow = Slow()

    def result(request, context):
        context.send_initial_metadata((("file-size", str(len(owner.agent.results))),))
        results = owner.agent.results
        pieces = (results[at:at + (1 << 20)] for at in range(0, len(results), 1 << 20))
        for piece in slow.pace(pieces):
            yield agent.ResultResponse(file=piece)
    owner.agent.server.stop(None).wait()
    owner.agent.Result = result
    owner.agent.start()
    return slow


def control_c_while_results_are_fetched_leaves_nothing():
    with Owner() as owner:
        owner.agent.results = LARGE
        slow = slow_results(owner)
        with run(owner, "result", owner.key) as terminal:
            terminal.wait_text(r"fetching \[.*of 64\.0 MiB [\d.]+ \S+/s (\d+m)?\d+s left")
            terminal.press(CONTROL_C)
            terminal.wait_text("stopped fetching: nothing was handed out")
            assert terminal.end() == 130
        slow.seen.set()
        assert sorted(os.listdir(owner.path)) == ["private.pem", "public.pem"]


def what_may_not_come_again_is_not_given_up_by_one_key():
    """The last pieces may be handed out before they are written."""
    for presses in (1, 2):
        with Owner() as owner:
            owner.agent.results = b"x" * (3 << 20)
            go = threading.Event()

            def result(request, context, owner=owner, go=go):
                context.send_initial_metadata((("file-size", str(len(owner.agent.results))),))
                yield agent.ResultResponse(file=owner.agent.results[:1 << 20])
                go.wait(PATIENCE)
                yield agent.ResultResponse(file=owner.agent.results[1 << 20:])
            owner.agent.server.stop(None).wait()
            owner.agent.Result = result
            owner.agent.start()
            with run(owner, "result", owner.key) as terminal:
                terminal.wait_text(r"fetching \[.*1\.0 MiB of 3\.0 MiB")
                terminal.press(CONTROL_C)
                terminal.wait_text("press Ctrl-C again to give it up")
                if presses == 2:
                    terminal.press(CONTROL_C)
                    name = terminal.wait_text(r"what has come is in (results\.zip\.part-\w+)")[1]
                    assert terminal.end() == 130
                    assert read(owner(name))[:1 << 20] == b"x" * (1 << 20)
                go.set()
                if presses == 1:
                    terminal.wait_text("results saved as results.zip")
                    assert terminal.end() == 0
                    assert read(owner("results.zip")) == owner.agent.results


def nothing_is_drawn_where_there_is_no_terminal_for_it():
    owner = owner_of(LARGE)
    try:
        with Terminal("data", owner.path_of_data, owner.key, cwd=owner.path, term="dumb",
                      AGENT_GRPC_URL=owner.agent.url) as terminal:
            assert terminal.end() == 0
            assert terminal.text == "dataset 'big.bin' accepted\r\n", terminal.text
    finally:
        owner.__exit__()


def a_question_that_is_given_up_leaves_a_terminal_that_shows_what_is_typed():
    with Terminal("user", "password", "anna") as terminal:
        terminal.wait_text("Password: ")
        assert not terminal.shows_what_is_typed()
        terminal.press(b"half of it")
        terminal.press(CONTROL_Z)  # as if it had gone on at once: nobody is there who would stop it
        terminal.wait_text("(?s)Password: .*Password: ")
        assert not terminal.shows_what_is_typed()
        terminal.press(CONTROL_C)
        assert terminal.end() == -signal.SIGINT
        assert terminal.shows_what_is_typed() and "half" not in terminal.text, terminal.text


def a_line_that_is_too_long_is_not_cut():
    for length, asked in ((1024, "Once more: "), (1025, "it has to be one line of at most 1024 bytes")):
        with Terminal("user", "password", "anna") as terminal:
            terminal.wait_text("Password: ")
            terminal.press(b"x" * length + b"\n")
            terminal.wait_text(asked)
            assert "x" * 8 not in terminal.text, terminal.text


if __name__ == "__main__":
    tap.run([an_upload_shows_total_rate_and_time_left, control_c_in_an_upload_says_how_it_goes_on,
             control_c_between_two_attempts_says_it_too,
             control_c_while_results_are_fetched_leaves_nothing,
             what_may_not_come_again_is_not_given_up_by_one_key,
             nothing_is_drawn_where_there_is_no_terminal_for_it,
             a_question_that_is_given_up_leaves_a_terminal_that_shows_what_is_typed,
             a_line_that_is_too_long_is_not_cut])
