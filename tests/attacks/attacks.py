#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks with their honest twins.

  attacks.py                 all rows
  attacks.py THEME|ROW...    those
  attacks.py --list          theme, name and reason of the refusal of every row
  attacks.py --markdown      the same with what each does, as docs/attacks.md has it
"""
import importlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "integration")]

import rows  # noqa: E402  pylint: disable=wrong-import-position

THEMES = ["authenticator", "evidence", "later", "retry", "transfer", "policy", "downgrade", "manifest", "hardware", "tpm", "oracle", "host",
          "tables", "images", "machine", "kernel", "parties", "words", "crowd", "fleet", "receipt", "audit", "log", "keep", "tenants",
          "documents", "keys", "confirm", "assets", "workspaces", "managers",
          "factor", "invitations", "passkeys", "certificates", "revoked", "webhooks", "billing", "workflows", "executors", "cvm_nodes", "places", "sign_in_with", "instances", "leases", "secrets", "figures", "shares"]


def load(themes):
    return {theme: importlib.import_module("theme_" + theme) for theme in themes}


def theme_of(row):
    return row.theme.removeprefix("theme_")


def chosen(words):
    load([w for w in words if w in THEMES] if set(words) <= set(THEMES) and words else THEMES)
    unknown = [w for w in words if w not in THEMES and all(w != r.name for r in rows.ROWS)]
    if unknown:
        sys.exit(f"no such row or theme: {', '.join(unknown)}; see --list")
    return [r for r in rows.ROWS if not words or r.name in words or theme_of(r) in words]


def show():
    for row in chosen([]):
        print(f"{theme_of(row):14} {row.name:46} {row.check!r}")


def markdown():
    print(f"""# Attacks that are tried

Made by `tests/attacks/attacks.py --markdown`. Each row is a running adversary against real programs,
with an honest twin that has to get through; it passes only if the attack is refused for the reason
that is named, and the attacker's side holds no byte. `tests/attacks/attacks.py ROW` tries one.
What others try at the computation service's page, and with its users' tokens, is in `tests/integration/web_page.py`, `web_act.py`, `web_machines.py`, `web_new.py`, `web_once.py`, `web_members.py`, `web_assets.py`, `web_workspaces.py`, `web_import.py`, `web_keys.py`, `web_evidence.py`,
`sign_in.py`, `second_factor.py`, `passkeys.py`, `login.py`, `invitations.py`, `certificates.py`, `cvm_console.py` and `people.py` ([security.md](security.md#the-page-and-those-who-may-call-the-service)).
{len(chosen([]))} rows:""")
    for theme, module in load(THEMES).items():
        print(f"\n## {theme.capitalize()}\n\n{' '.join(module.__doc__.split())}\n")
        print("| row | what is tried | refused for |\n|---|---|---|")
        for row in rows.ROWS:
            if theme_of(row) == theme:
                about = " ".join(row.about.split())
                print(f"| `{row.name}` | {about} | `{row.check}` |")


def main(words):
    actions = {"--list": show, "--markdown": markdown}
    if len(words) == 1 and words[0] in actions:
        actions[words[0]]()
        return 0
    if any(w.startswith("-") for w in words):
        print(__doc__.strip())
        return 2
    return 1 if rows.run(chosen(words)) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
