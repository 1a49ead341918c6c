#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Signing in with a real browser: that it follows where it is sent, keeps what it is given, and sends it back."""
import tap
import web_browser
from harness import cli
from second_factor import Phone
from sign_in import OTHER, PASSWORD, Page
from web_browser import look, walk


class Room(web_browser.Room):
    """Its users have passwords."""

    kind = Page

    def __enter__(self):
        super().__enter__()
        self.page.size(1440)
        return self

    def fill(self, name, text):
        self.page.run(f"document.getElementById('f-{name}').focus()")
        self.page.type(text)

    def arrived(self, path):
        self.page.until(f"location.pathname === {path!r} && document.readyState === 'complete'", path)
        self.page.settle()
        self.base = self.page.run("location.origin")


def a_user_signs_in_looks_around_and_leaves():
    with Room() as room:
        room.web.user("anna")
        room.go("/")
        room.page.run("[...document.links].find((a) => a.pathname === '/sign-in').click()")
        room.arrived("/sign-in")
        walk(room.page)
        room.fill("name", "anna")
        room.fill("password", OTHER)
        room.page.key("Enter")
        room.page.until("document.querySelector('[role=alert]') !== null", "that it is wrong")
        assert room.page.run("document.getElementById('f-name').value") == "anna"
        room.fill("password", PASSWORD)
        room.page.key("Enter")
        room.arrived("/")
        assert room.base.endswith(f".localhost:{room.web.port}"), room.base
        assert room.page.run("document.cookie") == ""
        room.go("/me")
        walk(room.page)
        assert room.page.run("document.querySelector('h1').textContent") == "anna"
        room.page.run("document.querySelector('form[action=\"/sign-out\"] button').click()")
        room.arrived("/sign-in")
        room.go("/me")
        assert room.page.run("document.querySelector('h1').textContent") == "Unauthorized"


def a_link_leads_to_a_password_and_in():
    with Room() as room:
        room.web.user("anna", password=None)
        room.page.go(cli("user", "link", "anna", **room.web.cli).ok().strip())
        room.fill("password", PASSWORD)
        room.fill("again", PASSWORD)
        room.page.key("Enter")
        room.arrived("/")
        room.go("/me/password")
        for name, text in (("now", PASSWORD), ("password", OTHER), ("again", OTHER)):
            room.fill(name, text)
        room.page.key("Enter")
        room.arrived("/me")
        assert room.web.browser().sign_in(password=OTHER).is_in()


def a_code_lets_a_command_line_in():
    with Room() as room:
        room.web.user("anna")
        asked = room.web.root("AskLogin", actions=["view", "run"], about="laptop")
        room.go("/sign-in")
        room.fill("name", "anna")
        room.fill("password", PASSWORD)
        room.page.key("Enter")
        room.arrived("/")
        room.go("/me")
        room.page.run("[...document.links].find((a) => a.pathname === '/me/device').click()")
        room.arrived("/me/device")
        walk(room.page)
        room.fill("code", asked.code.lower())
        room.page.key("Enter")
        room.page.until("document.readyState === 'complete' && document.getElementById('f-password') !== null",
                        "who asks")
        walk(room.page)
        shown = room.page.run("document.querySelector('main').textContent")
        assert "laptop" in shown and "view, run" in shown, shown
        assert not room.web.root("PollLogin", secret=asked.secret).let_in
        room.fill("password", OTHER)
        room.page.key("Enter")
        room.page.until("document.querySelector('[role=alert]') !== null", "that it is wrong")
        room.fill("password", PASSWORD)
        room.page.key("Enter")
        room.page.until("document.querySelector('main')?.textContent.includes('It is let in')", "that it is done")
        assert room.web.root("TakeLogin", secret=asked.secret).user == "anna"


def a_second_factor_is_set_up_and_asked_for():
    """By keyboard, each screen walked and looked at."""
    with Room() as room:
        room.web.user("anna")

        def first_step():
            room.go("/sign-in")
            room.fill("name", "anna")
            room.fill("password", PASSWORD)
            room.page.key("Enter")
        first_step()
        room.arrived("/")
        wrong = look(room, "factor-begin", "/me/factor")
        room.fill("password", PASSWORD)
        room.page.key("Enter")
        room.page.until("document.readyState === 'complete' && document.getElementById('key') !== null", "the key")
        walk(room.page)
        phone = Phone(room.page.run("document.getElementById('key').textContent"))
        room.fill("code", phone.now())
        room.page.key("Enter")
        room.page.until("document.readyState === 'complete' && document.getElementById('codes') !== null", "codes")
        walk(room.page)
        codes = room.page.run("document.getElementById('codes').textContent").split("\n")
        assert len(codes) == 10, codes
        for name, path in (("factor-you", "/me"), ("factor-codes", "/me/factor/codes"), ("factor-remove", "/me/factor/remove")):
            wrong += look(room, name, path)
        assert not wrong, "\n".join(wrong[:40])
        room.go("/me")
        room.page.run("document.querySelector('form[action=\"/sign-out\"] button').click()")
        room.arrived("/sign-in")
        room.base = f"http://localhost:{room.web.port}"
        first_step()
        room.page.until("document.readyState === 'complete' && document.getElementById('f-factor') !== null", "the code")
        walk(room.page)
        room.fill("factor", phone.wrong())
        room.page.key("Enter")
        room.page.until("document.querySelector('[role=alert]') !== null", "that it is wrong")
        room.fill("factor", codes[0])
        room.page.key("Enter")
        room.arrived("/")
        room.go("/me")
        assert "9 of 10" in room.page.run("document.querySelector('main').textContent")


def its_screens_are_as_they_should_be():
    with Room() as room:
        room.web.user("anna")
        room.web.root("AddToken", user="anna", name="laptop")
        wrong = look(room, "sign-in", "/sign-in")
        room.fill("name", "anna")
        room.fill("password", PASSWORD)
        room.page.key("Enter")
        room.arrived("/")
        for name, path in (("you", "/me"), ("token", "/me/token"), ("password", "/me/password"), ("device", "/me/device")):
            wrong += look(room, name, path)
        assert not wrong, "\n".join(wrong[:40])


if __name__ == "__main__":
    tap.run([a_user_signs_in_looks_around_and_leaves,
             a_link_leads_to_a_password_and_in,
             a_code_lets_a_command_line_in,
             a_second_factor_is_set_up_and_asked_for,
             its_screens_are_as_they_should_be])
