# SPDX-License-Identifier: Apache-2.0
"""What workspaces and those who pay for them have on the page, as fuzz_web_places.c has it."""
import json

from seeds.browsers import CERTIFICATE, FORM, JSON, SESSION, SIGN_IN, SITE, UNIX, asked
from seeds.documents import flat, item, table, with_manifest
from seeds.texts import manifest_text

PLACE = "default"


def web_places():
    def run(*requests, flags=SIGN_IN):
        return bytes([flags]) + b"".join(requests)

    def get(target, *headers, **how):
        return asked("GET", target, *(headers or (SESSION,)), **how)

    def sent(target, body="", **how):
        return asked("POST", target, FORM, SITE, SESSION, body="csrf=\1c" + "&" * bool(body) + body, **how)

    def api(method, target, body=None, **how):
        text = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        return asked(method, target, JSON, body=text or b"", **{"way": UNIX, **how})

    hooks, api_hooks = f"/w/{PLACE}/webhooks", f"/api/workspaces/{PLACE}/webhooks"
    shown = get(hooks)
    url = "url=https%3A%2F%2Fhooks.example%2Fin"
    one = sent(hooks, url + "&description=%3Cours%3E")
    imports = f"/api/workspaces/{PLACE}/imports"
    usage = f"/w/{PLACE}/usage"
    bill = get("/billing")
    acme = sent("/billing", "account=acme&plan=small")
    made = api("POST", "/api/computations", manifest_text())
    people = {"x": "anna", "y": "nobody"}

    def brought(document, **more):
        return api("POST", imports, {"document": document if isinstance(document, str) else json.dumps(document), **more})

    def failing(name, numbers, *before, request, after=()):
        return {f"{name}-fails-{number}": run(*before, request(fails=number), *after) for number in numbers}

    return {
        # webhooks
        "hooks": run(shown, one, shown, get(hooks + "/1"), sent(hooks + "/1/disable"), get(hooks + "/1"), shown,
                     sent(hooks + "/1/enable"), sent(hooks + "/1/rotate"), sent(hooks + "/1/delete"), get(hooks + "/1")),
        "hooks-events": run(shown, sent(hooks, url + "&run=true&done=true"), sent(hooks, url + "&no-such=true")),
        "hooks-urls": run(shown, *[sent(hooks, "url=" + text) for text in
                                   ("", "http%3A%2F%2Fa", "https%3A%2F%2F", "https%3A%2F%2F127.0.0.1%2F", "https%3A%2F%2Fa%0A", "x" * 600)]),
        "hooks-description": run(shown, sent(hooks, url + "&description=" + "d" * 200), sent(hooks, url + "&description=" + "d" * 201),
                                 sent(hooks, url + "&description=%00")),
        "hooks-most": run(shown, *[one] * 21, shown),
        "hooks-numbers": run(shown, one, *[sent(hooks + f"/{number}/disable") for number in ("0", "x", "-1", "2", "9" * 19, "1")],
                             get(hooks + "/x"), get(hooks + "/1?before=x"), get(hooks + "/1?before=3")),
        "hooks-told": run(shown, one, made, api("PUT", "/api/computations/1", {"name": "n"}), get(hooks + "/1"), shown,
                          sent(hooks + "/1/deliveries/1"), sent(hooks + "/1/deliveries/x"), api("GET", api_hooks + "/1/deliveries"),
                          api("POST", api_hooks + "/1/deliveries/1"), api("GET", api_hooks + "/1/deliveries?before=1")),
        "hooks-api": run(api("POST", api_hooks, {"url": "https://hooks.example/", "description": "d", "events": []}),
                         api("GET", api_hooks), api("GET", api_hooks + "/1"), api("POST", api_hooks + "/1/disable"),
                         api("POST", api_hooks + "/1/enable"), api("POST", api_hooks + "/1/rotate"), api("DELETE", api_hooks + "/1"),
                         api("GET", api_hooks + "/1/deliveries"), api("GET", api_hooks)),
        "hooks-api-wrong": run(api("POST", api_hooks, {"url": 1}), api("POST", api_hooks, {"url": "https://a/", "events": ["x"]}),
                               api("POST", api_hooks, b"{"), api("POST", api_hooks, {"url": "https://a/", "more": 1})),
        "hooks-elsewhere": run(get("/w/nowhere/webhooks"), api("GET", "/api/workspaces/nowhere/webhooks/1"), get(hooks, way=CERTIFICATE)),
        "hooks-other-form": run(shown, asked("POST", hooks, FORM, SITE, SESSION, body="csrf=0&" + url)),
        **failing("hooks", range(1, 16, 3), shown, request=lambda **how: sent(hooks, url, **how), after=(shown,)),
        **failing("hooks-shown", (1, 4, 7), shown, one, request=lambda **how: get(hooks + "/1", **how)),
        # imports and exports
        "import": run(brought(item(), people=people), brought(item(), people=people, new_ids=True), made, get("/c/1/export.json"),
                      api("GET", "/api/computations/1/export")),
        "import-preview": run(brought(item(), preview=True), brought(flat(), preview=True, people=people)),
        "import-array": run(brought([item(), flat()], preview=True, people=people), brought({"computations": [item()]})),
        "import-csv": run(brought(table(["name", "owner"], ["c", "x"])[1:].decode(), csv=True, people=people),
                          brought('a,"b', csv=True), brought("", csv=True)),
        "import-wrong": run(brought("{"), brought(""), brought("[]"), api("POST", imports, b"{"), api("POST", imports, {}),
                            api("POST", imports, {"document": 1}), brought(item(), more=1)),
        "import-people": run(brought(item(), people={}), brought(item(), people={"x": 1}), brought(item(), people=[1]),
                             brought(item(), people={"z": "anna"}), brought(item(), people={"x": "a b"}), brought(item(), people={"": "anna"})),
        "import-people-most": run(brought(item(), preview=True, people={f"p{n}": "anna" for n in range(1024)})),
        "import-people-more": run(brought(item(), preview=True, people={f"p{n}": "anna" for n in range(1025)})),
        "import-manifests": run(*[brought(with_manifest(manifest_text(id="i").decode()), **more) for more in
                                  ({"preview": True}, {}, {}, {"new_ids": True}, {"new_ids": True, "preview": True})],
                                brought([with_manifest(manifest_text(id="i").decode()), item()])),
        "import-elsewhere": run(api("POST", "/api/workspaces/nowhere/imports", {"document": json.dumps(item())})),
        "import-session": run(asked("POST", imports, JSON, SITE, SESSION, body=json.dumps({"document": json.dumps(item())}))),
        "export-none": run(get("/c/none/export.json"), api("GET", "/api/computations/none/export")),
        **failing("import", range(1, 40, 6), request=lambda **how: api("POST", imports, {
            "document": json.dumps(item()), "people": people}, **how)),
        # usage
        "usage": run(get(usage), api("GET", f"/api{usage}".replace("/w/", "/workspaces/")),
                     *[api("GET", f"/api/workspaces/{PLACE}/usage.{kind}") for kind in ("csv", "html")]),
        "usage-months": run(*[get(usage + "?month=" + month) for month in
                              ("2025-11", "2026-05", "2026-13", "2026-00", "x", "", "9999-12", "1970-01", "2026-1")]),
        "usage-after": run(*[get(usage + "?after=" + text) for text in ("x", "", "m0", "0000", "bTA", "6d30")]),
        "usage-elsewhere": run(get("/w/nowhere/usage"), api("GET", "/api/workspaces/nowhere/usage.csv"), get(usage, "x: y")),
        **failing("usage", (1, 3, 5, 7, 9), request=lambda **how: get(usage, **how)),
        # accounts
        "billing": run(bill, acme, bill, get("/billing/acme"), sent("/billing/acme/workspaces", f"workspace={PLACE}"), get("/billing/acme"),
                       get(usage), sent("/billing/acme/plan", "plan=large"), get("/billing/acme"),
                       sent(f"/billing/acme/workspaces/{PLACE}/take"), sent("/billing/acme/remove"), get("/billing/acme")),
        "billing-new": run(bill, acme, sent("/billing/acme/remove"), bill),
        "billing-many": run(bill, *[sent("/billing", f"account=a{n}&plan=small") for n in range(20)], bill, get("/billing?after=a3")),
        "billing-wrong": run(bill, acme, acme, sent("/billing", "account=a+b&plan=small"), sent("/billing", "account=&plan=small"),
                             sent("/billing", "account=zeta&plan=none"), sent("/billing", "account=" + "n" * 65 + "&plan=small"),
                             sent("/billing/acme/workspaces", "workspace=nowhere"), sent("/billing/zeta/plan", "plan=large"),
                             sent("/billing/acme/workspaces/nowhere/take"), sent("/billing/acme/plan", "plan=x")),
        "billing-api": run(api("PUT", "/api/billing/acme", {"plan": "small"}), api("GET", "/api/billing"),
                           api("PUT", f"/api/billing/acme/workspaces/{PLACE}"), api("GET", "/api/billing/acme"),
                           api("POST", "/api/billing/acme/plan", {"plan": "large"}), api("GET", "/api/billing/acme/usage"),
                           *[api("GET", f"/api/billing/acme/usage.{kind}") for kind in ("csv", "html")],
                           api("DELETE", f"/api/billing/acme/workspaces/{PLACE}"), api("DELETE", "/api/billing/acme"),
                           api("GET", "/api/billing?after=acme")),
        "billing-api-limit": run(api("PUT", "/api/billing/acme", {"plan": "small"}), api("PUT", f"/api/billing/acme/workspaces/{PLACE}"),
                                 api("GET", "/api/billing/acme/usage?month=2026-01"), api("GET", "/api/billing/acme/usage?after=x"),
                                 api("GET", "/api/billing/acme/usage"), get(usage), get("/billing/acme")),
        "billing-api-wrong": run(api("PUT", "/api/billing/acme", {}), api("PUT", "/api/billing/acme", {"plan": 1}),
                                 api("GET", "/api/billing/none"), api("GET", "/api/billing/none/usage.csv")),
        "billing-strangers": run(get("/billing", "x: y"), get("/billing", way=CERTIFICATE), get("/billing/acme", "x: y")),
        **failing("billing", range(1, 14, 3), bill, request=lambda **how: sent("/billing", "account=acme&plan=small", **how)),
        **failing("billing-shown", (1, 4, 7), bill, acme, request=lambda **how: get("/billing/acme", **how)),
    }


TARGETS = [web_places]
