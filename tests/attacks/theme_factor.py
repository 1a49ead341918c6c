# SPDX-License-Identifier: Apache-2.0
"""Somebody who has a user's password wants to sign in at the computation service's page, where that user has a second
factor."""
import re

from rows import Outcome, row
from second_factor import Room, give, half_of
from sign_in import OTHER, PASSWORD
from harness import cli

WRONG, OVER = "this code is wrong, or was used", "sign in again"


def came_of(browser, answer):
    """Gained: the bytes of that user's own page."""
    if answer.status != 303:
        return Outcome(False, answer.page().words(), 0)
    browser.follow(answer)
    page = browser.get("/me")
    return Outcome(page.status == 200, page.page().words(), len(page.body))


@row("factor-code-replayed", WRONG)
def replayed(evil):
    """A code that the user typed a moment ago, seen over a shoulder, is given once more within its half minute."""
    with Room() as room:
        phone, _ = room.set_up()
        code = phone.now()
        if evil:
            owner = room.browser()
            owner.follow(give(owner, half_of(owner), code))
        thief = room.browser("127.0.0.2")
        return came_of(thief, give(thief, half_of(thief), code))


@row("factor-guessed", "too many wrong codes")
def guessed(evil):
    """Codes are tried, each from another address, until the right one is among them."""
    with Room() as room:
        phone, _ = room.set_up()
        for n in range(10 if evil else 9):
            thief = room.browser(f"127.0.1.{n + 1}")
            give(thief, half_of(thief), phone.wrong())
        thief = room.browser("127.0.2.1")
        return came_of(thief, give(thief, half_of(thief), phone.now()))


@row("factor-recovery-code-again", WRONG)
def recovery_again(evil):
    """A recovery code that the user crossed out on a list which was thrown away."""
    with Room() as room:
        _, codes = room.set_up()
        if evil:
            owner = room.browser()
            owner.follow(give(owner, half_of(owner), codes[0]))
        thief = room.browser("127.0.0.2")
        return came_of(thief, give(thief, half_of(thief), codes[0]))


@row("factor-second-step-alone", OVER)
def second_step_alone(evil):
    """The code is given without the password: with what another sign-in, which is over, was to go on with."""
    with Room() as room:
        phone, _ = room.set_up()
        thief = room.browser("127.0.0.2")
        half = half_of(thief)
        if evil:
            room.root("SetPassword", user="anna", password=OTHER)
        return came_of(thief, give(thief, half, phone.now()))


@row("factor-first-step-as-a-session", "sign in")
def first_step_as_a_session(evil):
    """What a page gives for the right password, before the code, is shown as a session's cookie."""
    with Room() as room:
        phone, _ = room.set_up()
        thief = room.browser("127.0.0.2")
        half = half_of(thief)
        if not evil:
            return came_of(thief, give(thief, half, phone.now()))
        thief.host, thief.cookie = room.anna.host, "cocos-session=" + half
        page = thief.get("/me")
        return Outcome(page.status == 200, page.page().words().lower(), 0 if page.status == 401 else len(page.body))


@row("factor-around-it-by-a-link", "Your second factor")
def around_it_by_a_link(evil):
    """A link to choose another password, out of the user's mail."""
    with Room() as room:
        if evil:
            room.set_up()
        path = re.search(r"/password/[0-9a-f]{64}", cli("user", "link", "anna", **room.cli).ok())[0]
        thief = room.browser("127.0.0.2")
        return came_of(thief, thief.post(path, name="anna", password=OTHER, again=OTHER))


@row("factor-removed-by-a-session", "give its code as well")
def removed_by_a_session(evil):
    """A browser that was left open, and the password that was written beside it: the factor is to go."""
    with Room() as room:
        phone, _ = room.set_up()
        code = {} if evil else {"factor": phone.now()}
        answer = room.anna.post("/me/factor/remove", csrf=room.anna.csrf(), password=PASSWORD, **code)
        return Outcome(answer.status == 303, "" if answer.status == 303 else answer.page().words())
