# SPDX-License-Identifier: Apache-2.0
"""A mail server of our own, over sockets alone: what it is told it keeps, and answers as it is told to."""
import base64
import contextlib
import email
import email.policy
import re
import socketserver
import ssl
import threading

import grpc

from harness import PATIENCE, Computations, Folder, authority, until
from people import Caller

FROM = "cocos@mail.example.org"
PAGE = "127.0.0.1:0"


class Came:
    """One mail, as it came."""

    def __init__(self, session, data):
        self.sender, self.to, self.raw = session.sender, session.to, data
        self.is_tls, self.user, self.helo = session.is_tls, session.user, session.helo
        self.message = email.message_from_bytes(data, policy=email.policy.strict)
        self.text = self.message.get_content()

    def path(self):
        """Where its link leads."""
        return re.search(r"^http://localhost:\d+(/invite/[0-9a-f]{64})\r?$", self.text, re.M)[1]


class Session(socketserver.StreamRequestHandler):
    timeout = PATIENCE

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")
        self.wfile.flush()

    def line(self):
        line = self.rfile.readline(2000)
        assert line.endswith(b"\r\n"), line
        return line[:-2].decode("ascii")

    def tls(self):
        self.request = self.server.room.context.wrap_socket(self.request, server_side=True)
        self.setup()
        self.is_tls = True

    def handle(self):
        room = self.server.room
        self.is_tls, self.user, self.helo, self.sender, self.to = False, None, None, None, []
        with contextlib.suppress(OSError, AssertionError):
            if room.smtps:
                self.tls()
            if not self.answer("CONNECT", "220 here"):
                return
            while self.serve():
                pass

    def answer(self, verb, good):
        """Whether it was answered well, and the connection goes on."""
        room = self.server.room
        with room.lock:
            queue = room.answers.get(verb, [])
            said = (queue.pop(0) if len(queue) > 1 else queue[0]) if queue else None
        if said == "hang":
            room.release.wait(PATIENCE)
            raise OSError("over")
        if said == "flood":
            while True:
                self.say("220-" + "x" * 400)
        for line in (said or good).split("\n"):
            self.say(line)
        return said is None

    def serve(self):
        room, line = self.server.room, self.line()
        verb = line.split(" ")[0].upper()
        room.verbs.append(verb)
        if verb == "EHLO":
            self.helo = line.split(" ", 1)[1]
            more = ["250-here", "250-SIZE 100000"]
            if room.starttls and not self.is_tls:
                more.append("250-STARTTLS")
            if room.password:
                more.append("250-AUTH PLAIN")
            self.answer(verb, "\n".join([*more, "250 HELP"]))
        elif verb == "STARTTLS":
            if self.answer(verb, "220 go on"):
                self.tls()
        elif verb == "AUTH":
            given = line.split(" ")[2:]
            if not given:
                self.say("334 ")
                given = [self.line()]
            _, user, password = base64.b64decode(given[0]).decode().split("\0")
            room.passwords.append((user, password, self.is_tls))
            self.user = user if password == room.password else None
            self.say("235 come in" if self.user else "535 not you")
        elif verb == "MAIL":
            if room.password and not self.user:
                self.say("530 who are you")
            elif self.answer(verb, "250 yes"):
                self.sender = re.fullmatch(r"MAIL FROM:<([^>]*)>( SIZE=\d+)?", line)[1]
        elif verb == "RCPT":
            if self.answer(verb, "250 yes"):
                self.to.append(re.fullmatch(r"RCPT TO:<([^>]*)>", line)[1])
        elif verb == "DATA":
            if self.answer(verb, "354 say it"):
                self.take()
        elif verb == "QUIT":
            self.say("221 bye")
            return False
        else:
            self.say("500 what")
        return True

    def take(self):
        data = b""
        while True:
            line = self.rfile.readline(2000)
            assert line.endswith(b"\r\n") and b"\r" not in line[:-2], line
            if line == b".\r\n":
                break
            data += line[1:] if line.startswith(b"..") else line
        # Kept before the answer: what dies in between has sent it.
        self.server.room.came.append(Came(self, data))
        self.answer("END", "250 taken")


class Mailbox:
    """On localhost, for a `with`. `answers`: of a verb (also CONNECT, and END behind a mail's text) a list, whose last one
    stays: None is good, "hang", "flood", or a line."""

    def __init__(self, tls=None, smtps=False, starttls=True, password=None, **answers):
        self.smtps, self.starttls, self.password = smtps, starttls and tls and not smtps, password
        self.answers, self.came, self.verbs, self.passwords = dict(answers), [], [], []
        self.lock, self.release = threading.Lock(), threading.Event()
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(tls("server.pem"), tls("server-key.pem"))

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Session)
        self.server.room = self
        self.port = self.server.server_address[1]
        self.url = f"{'smtps' if smtps else 'smtp'}://localhost:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def until(self, count=1):
        until(lambda: len(self.came) >= count, f"{count} mails (it is {len(self.came)})")
        return self.came[-1]


@contextlib.contextmanager
def mailing(make=Mailbox, **settings):
    """A service that mails by the server that make(tls) is, and whose page is on this machine."""
    with Folder() as folder, Folder() as tls:
        authority(tls)
        with make(tls) as box:
            settings = {"WEB": PAGE, "SMTP_URL": box.url, "SMTP_FROM": FROM, "SMTP_CA": tls("ca.pem"), **settings}
            with Computations(folder, **{k: v for k, v in settings.items() if v is not None}) as running:
                running.folder, running.tls, running.box = folder, tls, box
                running.root = Caller(running.channel)
                yield running


def stopped(running):
    running.channel.close()
    running.process.kill()


def again(running, **settings):
    """Killed and started again, with other settings perhaps."""
    stopped(running)
    for key, value in settings.items():
        if value is None:
            running.settings.pop("COMPUTATIONS_" + key, None)
        else:
            running.settings["COMPUTATIONS_" + key] = value
    running.start()
    running.root = Caller(running.channel)


def invite(running, mail="anna@example.com", caller=None, workspace="default", **fields):
    return (caller or running.root)("Invite", workspace=workspace, mail=mail, **fields)


def refusal(running, mail="anna@example.com", **fields):
    """What the service said, or "" and the invitation is there."""
    try:
        invite(running, mail, **fields)
    except grpc.RpcError as error:
        return error.details()
    return ""


def listed(running, workspace="default"):
    """Its invitations, by number."""
    return {i.number: i for i in running.root("ListInvitations", workspace=workspace).invitations}


def until_mail(running, number, state, workspace="default"):
    def now():
        return listed(running, workspace)[number]
    until(lambda: now().mail_state == state, f"{state} (it is {now().mail_state}: {now().mail_problem})")
    return now()
