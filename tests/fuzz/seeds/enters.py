# SPDX-License-Identifier: Apache-2.0
"""What is typed to come in, as fuzz_web_enter.c has it."""
from seeds.browsers import BROWSER, FORM, LOOPBACK, LOOPBACK_ORIGIN, NO_ORIGIN, SESSION, SIGN_IN, SITE, UNIX, CERTIFICATE, asked

PASSWORD, OTHER = "a+horse+of+seven+stables", "nine+ducks+upon+the+pond"
FIRST = 32
KEPT = "cookie: __Host-cocos-session=\1k"
WRONG_CODE = "000000"


def posted(target, body, *headers, **how):
    return asked("POST", target, FORM, SITE, *headers, body=body, **how)


def web_enter():
    def run(*requests, flags=SIGN_IN):
        return bytes([flags]) + b"".join(requests)

    def mine(target, body="", **how):
        return posted(target, "csrf=\1c" + "&" * bool(body) + body, SESSION, **how)

    def get(target, *headers, **how):
        return asked("GET", target, *headers, **how)

    def sign_in(password=PASSWORD, name="anna", *headers, **how):
        return posted("/sign-in", f"name={name}&password={password}", *headers, **how)

    def second(code, half="\1f", **how):
        return posted("/sign-in/code", f"half={half}&factor={code}", **how)

    def choose(password=OTHER, again=None, name="anna", secret="\1u", **how):
        return posted(f"/password/{secret}", f"name={name}&password={password}&again={again or password}", **how)

    def register(name="berta", password=OTHER, again=None, secret="\1v", **how):
        return posted(f"/invite/{secret}", f"name={name}&password={password}&again={again or password}", **how)

    def invited(password=PASSWORD, name="anna", **how):
        return posted("/invite/\1v/sign-in", f"name={name}&password={password}", **how)

    def change(now=PASSWORD, password=OTHER, again=None, more="", **how):
        return mine("/me/change", f"now={now}&password={password}&again={again or password}{more}", **how)

    def token(more="", password=PASSWORD, name="laptop", days="7", **how):
        return mine("/me/token", f"name={name}&days={days}&password={password}{more}", **how)

    def let_in(code="\1d", password=PASSWORD, more="", **how):
        return mine("/me/device/let-in", f"code={code}&password={password}{more}", **how)

    page = get("/me", SESSION)
    begun = [get("/me/factor", SESSION), mine("/me/factor", "password=" + PASSWORD)]
    has_factor = [*begun, mine("/me/factor/confirm", "code=\1T")]
    key = [get("/me/passkey", SESSION), mine("/me/passkey", f"name=key&password={PASSWORD}"), get("/passkey/\1p"),
           posted("/passkey/\1p", "ticket=\1t&client=\1C&object=\1O")]
    used = "ticket=\1t&id=\1I&client=\1G&data=\1D&signature=\1S&handle=\1h"
    local = {"way": LOOPBACK, "host": "localhost:8080"}
    inside = {"way": LOOPBACK, "host": "\1n"}
    kept_here = "cookie: cocos-session=\1k"
    device = get("/me/device", SESSION)

    def failing(name, numbers, *before, request, after=()):
        return {f"{name}-fails-{number}": run(*before, request(fails=number), *after) for number in numbers}

    return {
        # a name and a password
        "sign-in": run(get("/sign-in"), sign_in(), get("/me", KEPT)),
        "sign-in-wrong": run(sign_in("a+horse+of+six+stables"), sign_in(name="berta"), sign_in(name="n" * 64),
                             sign_in(name="n" * 65), sign_in(name=""), sign_in(password="")),
        "sign-in-often": run(*[sign_in("a+horse+of+six+stables")] * 12, sign_in(later=3)),
        "sign-in-form": run(posted("/sign-in", "name=anna"), posted("/sign-in", "name=anna&password=x&password=y"),
                            posted("/sign-in", "name=anna&password=x&more=y"), posted("/sign-in", ""),
                            posted("/sign-in", "name=%zz&password=%00")),
        "sign-in-odd": run(sign_in(name="%3Cb%3E%22"), sign_in(password="%ff"), sign_in(password="%01")),
        "sign-in-site": run(asked("POST", "/sign-in", FORM, "sec-fetch-site: cross-site", body=f"name=anna&password={PASSWORD}")),
        "sign-in-over": run(sign_in(PASSWORD, "anna", SESSION, "user-agent: " + "x" * 300), page),
        "sign-in-local": run(sign_in(**local), get("/in/\1l", **inside), get("/me", kept_here, **inside),
                             posted("/sign-out", "csrf=\1c", kept_here, **inside), flags=SIGN_IN | LOOPBACK_ORIGIN),
        "sign-in-link-twice": run(asked("POST", "/link", way=UNIX, host="localhost"), get("/in/\1l", **inside), get("/in/\1l", **inside),
                                  get("/in/" + "0" * 64, **inside), flags=LOOPBACK_ORIGIN),
        "sign-in-off": run(sign_in(), flags=NO_ORIGIN),
        "sign-in-leaves": run(sign_in(leaves=True), sign_in()),
        "sign-out": run(page, mine("/sign-out"), page),
        **failing("sign-in", range(1, 14, 2), request=sign_in, after=(sign_in(),)),
        # a second factor
        "factor": run(*has_factor, page, sign_in(), second("\1T", later=1), get("/me", KEPT)),
        "factor-token": run(*[page, token()], *has_factor),
        "factor-again": run(*has_factor, *begun),
        "factor-password": run(begun[0], mine("/me/factor", "password=" + OTHER), mine("/me/factor/confirm", "code=\1T")),
        "factor-wrong": run(*begun, mine("/me/factor/confirm", "code=" + WRONG_CODE), mine("/me/factor/confirm", "code="),
                            mine("/me/factor/confirm", "code=\1T")),
        "factor-late": run(*begun, mine("/me/factor/confirm", "code=\1T", later=15),
                           mine("/me/factor/confirm", "code=\1T", later=15)),
        "factor-used": run(*has_factor, sign_in(), second("\1T"), second("\1T", later=1), second("\1T")),
        "factor-tries": run(*has_factor, sign_in(), *[second(WRONG_CODE)] * 11, second("\1T", later=1), second("\1r")),
        "factor-none": run(second("\1T"), second("\1T", half="0" * 64), second("")),
        "factor-half-late": run(*has_factor, sign_in(), second("\1T", later=15)),
        "factor-recovery": run(*has_factor, sign_in(), second("\1r"), sign_in(), second("\1r"),
                               get("/me/factor/codes", SESSION), mine("/me/factor/codes", f"password={PASSWORD}&factor=\1T", later=2),
                               sign_in(), second("\1r")),
        "factor-codes-wrong": run(*has_factor, mine("/me/factor/codes", f"password={PASSWORD}&factor={WRONG_CODE}"),
                                  mine("/me/factor/codes", f"password={PASSWORD}"), mine("/me/factor/codes", f"password={OTHER}&factor=\1T")),
        "factor-remove": run(*has_factor, get("/me/factor/remove", SESSION),
                             mine("/me/factor/remove", f"password={OTHER}&factor=\1T", later=1),
                             mine("/me/factor/remove", f"password={PASSWORD}&factor=\1T"), sign_in()),
        "factor-not-hers": run(get("/me/factor", way=CERTIFICATE), get("/me/factor/codes", way=CERTIFICATE),
                               get("/me/factor/remove", way=UNIX), posted("/me/factor", "csrf=\1c&password=x", way=CERTIFICATE)),
        "factor-no-form": run(mine("/me/factor"), posted("/me/factor", f"csrf=0&password={PASSWORD}", SESSION)),
        "factor-passkey": run(*key, *has_factor, sign_in(), posted("/sign-in/code/passkey", f"half=\1f&{used}")),
        "factor-passkey-wrong": run(*key, *has_factor, sign_in(), posted("/sign-in/code/passkey", f"half={'0' * 64}&{used}")),
        **failing("factor", range(1, 20, 3), begun[0], request=lambda **how: mine("/me/factor", "password=" + PASSWORD, **how)),
        **failing("factor-confirm", range(1, 30, 4), *begun, request=lambda **how: mine("/me/factor/confirm", "code=\1T", **how)),
        **failing("factor-second", range(1, 16, 3), *has_factor, sign_in(), request=lambda **how: second("\1r", **how)),
        # links where a password is chosen
        "choose": run(get("/password/\1u"), choose(), get("/me", KEPT), choose(), sign_in(OTHER), sign_in()),
        "choose-factor": run(*has_factor, choose(), second("\1T", later=1)),
        "choose-words": run(choose("short"), choose("anna"), choose("password1234"), choose(again=PASSWORD), choose("x" * 256),
                            choose("x" * 257), choose("aaaaaaaaaaaa"), choose("345678901234")),
        "choose-late": run(get("/password/\1u", later=15), choose(later=15), choose(later=15), choose(later=15), get("/password/\1u")),
        "choose-none": run(get("/password/" + "0" * 64), choose(secret="0" * 64), choose(secret="x")),
        "choose-twice": run(choose(), choose(), get("/password/\1u")),
        "choose-local": run(choose(**local), get("/in/\1l", **inside), flags=SIGN_IN | LOOPBACK_ORIGIN),
        "first": run(get("/password/\1u"), choose(name="root"), get("/me", KEPT), choose(name="other"), flags=SIGN_IN | FIRST),
        "first-name": run(choose(name="a b"), choose(name=""), choose(name="n" * 64), flags=SIGN_IN | FIRST),
        "first-name-more": run(choose(name="n" * 65), choose(name="anna"), flags=SIGN_IN | FIRST),
        "first-leaves": run(asked("GET", "/password/\1u", leaves=True), choose(name="root", leaves=True), flags=SIGN_IN | FIRST),
        **failing("choose", range(1, 24, 4), request=choose),
        **{f"look-fails-{number}": run(get("/password/\1u", fails=number), get("/invite/\1v", fails=number)) for number in (1, 2, 3)},
        # her password
        "change": run(page, get("/me/password", SESSION), change(), sign_in(OTHER)),
        "change-wrong": run(page, change(now=OTHER), change(again=PASSWORD), change("x"), posted("/me/change", "csrf=0", SESSION)),
        "change-factor": run(*has_factor, change(), change(more="&factor=" + WRONG_CODE), change(more="&factor=\1T", later=1)),
        "change-words": run(page, change(password="anna+anna+anna"), change(password="aaaaaaaaaaaa")),
        **failing("change", range(1, 22, 4), page, request=change),
        # invitations
        "invite": run(get("/invite/\1v"), register(), get("/me", KEPT), register(name="carl")),
        "invite-known": run(get("/invite/\1v/sign-in"), invited(), invited()),
        "invite-known-wrong": run(invited(OTHER), invited(name="nobody"), invited(name="n" * 65)),
        "invite-session": run(get("/invite/\1v", SESSION), posted("/invite/\1v/join", "csrf=\1c", SESSION), get("/invite/\1v", SESSION)),
        "invite-session-over": run(page, mine("/sign-out"), get("/invite/\1v", SESSION), get("/invite/\1v/sign-in", SESSION)),
        "invite-factor": run(*has_factor, invited(), sign_in(), second("\1T", later=1)),
        "invite-taken": run(register(name="anna"), *[register(name="anna")] * 10, register()),
        "invite-words": run(register("a b"), register(again=PASSWORD), register(password="short"), register("n" * 64), register("n" * 65)),
        "invite-late": run(*[get("/invite/\1v", later=15)] * 3, register()),
        "invite-none": run(get("/invite/" + "0" * 64), register(secret="0" * 64), register(secret="x"), get("/invite/x/sign-in")),
        "invite-form": run(posted("/invite/\1v", "name=berta"), posted("/invite/\1v/sign-in", "name=anna")),
        "invite-often": run(*[get("/invite/" + "0" * 64)] * 11, register(), invited()),
        "invite-local": run(register(**local), get("/in/\1l", **inside), flags=SIGN_IN | LOOPBACK_ORIGIN),
        "invite-leaves": run(asked("GET", "/invite/\1v", leaves=True), register(leaves=True)),
        **failing("invite", range(1, 30, 5), request=register),
        **failing("invite-known", range(1, 20, 5), request=invited),
        "invite-missed-fails": run(register(name="anna", fails=8), register(name="anna", fails=9), register(name="anna", fails=10)),
        # command lines
        "device": run(device, mine("/me/device", "code=\1d"), let_in(), let_in()),
        "device-words": run(device, mine("/me/device", "code=bcdfghjk"), mine("/me/device", "code="), mine("/me/device", "code=" + "x" * 300),
                            let_in("BCDF-GHJK"), let_in("")),
        "device-password": run(device, let_in(password=OTHER), let_in()),
        "device-factor": run(*has_factor, mine("/me/device", "code=\1d"), let_in(), let_in(more="&factor=" + WRONG_CODE),
                             let_in(more="&factor=\1T", later=1)),
        "device-passkey": run(*key, device, mine("/me/device", "code=\1d"), mine("/me/device/passkey", "code=\1d"), get("/passkey/\1p"),
                              posted("/passkey/\1p/use", used)),
        "device-passkey-none": run(device, mine("/me/device/passkey", "code=\1d"), mine("/me/device/passkey", "code=x")),
        "device-refuse": run(device, mine("/me/device/refuse/\1d"), mine("/me/device/refuse/\1d"), mine("/me/device/refuse/x"), let_in()),
        "device-often": run(device, *[mine("/me/device", "code=bcdfghjk")] * 12, mine("/me/device/refuse/x"), mine("/me/device/refuse/\1d")),
        "device-late": run(device, mine("/me/device", "code=\1d", later=10), let_in()),
        "device-not-hers": run(get("/me/device", way=CERTIFICATE), get("/me/device", way=UNIX), get("/me/device"),
                               posted("/me/device", "csrf=\1c&code=\1d", way=CERTIFICATE), posted("/me/device/refuse/\1d", "csrf=\1c", way=CERTIFICATE)),
        "device-other-form": run(device, posted("/me/device/let-in", f"csrf=0&code=\1d&password={PASSWORD}", SESSION),
                                 posted("/me/device/let-in", f"csrf=\1c&code=\1d", SESSION)),
        **failing("device", range(1, 22, 4), device, request=let_in, after=(let_in(),)),
        # tokens
        "token": run(get("/me/token", SESSION), token(), token(), token(name="other")),
        "token-wrong": run(page, token(password=OTHER), token(name="a b"), token(days="0"), token(days="x"), token(days="99999999999999999999")),
        "token-factor": run(*has_factor, token(), token(more="&factor=\1T", later=1)),
        "token-not-hers": run(get("/me/token", way=CERTIFICATE), get("/me/password", way=UNIX)),
        "browsers": run(get("/sign-in", BROWSER), get("/sign-in", host="other.example")),
    }


TARGETS = [web_enter]
