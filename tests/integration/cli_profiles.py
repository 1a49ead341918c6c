# SPDX-License-Identifier: Apache-2.0
"""Profiles of the command line: what they keep, who wins over them, and that none weakens anything by silence."""
import os
import stat

import tap
from harness import Folder, cli
from ports import free_port

NOBODY = "127.0.0.1:1"  # where no agent listens


class Home(Folder):
    def __enter__(self):
        super().__enter__()
        self.policy = self.write("policy.json", '{"cocos": 1}')
        return self

    def cli(self, *words, cwd=None, **environment):
        return cli(*words, cwd=cwd, **{"XDG_CONFIG_HOME": self("config"), **environment})

    def file(self, name):
        return self("config", "cocos", "profiles", name)


def a_profile_is_kept_used_and_forgotten():
    with Home() as home:
        assert home.cli("profile", "list").ok().startswith("none: ")
        run = home.cli("profile", "add", "hospital", "--agent", "192.0.2.7:6100", "--attested-tls", "--policy",
                       "policy.json", "--set", "AGENT_GRPC_TIMEOUT=5s", cwd=home.path)
        assert "profile use hospital" in run.ok()
        assert stat.S_IMODE(os.stat(home.file("hospital")).st_mode) == 0o600
        assert stat.S_IMODE(os.stat(os.path.dirname(home.file("x"))).st_mode) == 0o700
        want = {"AGENT_GRPC_URL": "192.0.2.7:6100", "AGENT_GRPC_ATTESTED_TLS": "true",
                "AGENT_GRPC_ATTESTATION_POLICY": os.path.realpath(home.policy), "AGENT_GRPC_TIMEOUT": "5s"}
        assert home.cli("profile", "show", "--json", "hospital").json() == want
        assert home.cli("profile", "show", "hospital").ok() == "".join(f"{k}={v}\n" for k, v in want.items())
        home.cli("profile", "add", "hospital", "--agent", "x:1").refused(1, "already", "--force")
        home.cli("profile", "add", "bank", "--agent", "x:1").ok()
        home.cli("profile", "add", "bank", "--agent", "x:2", "--force").ok()
        assert home.cli("profile", "list").ok() == "USED  NAME\n-     bank\n-     hospital\n"
        home.cli("profile", "show").refused(2, "no profile is in use")
        home.cli("profile", "use", "bank").ok()
        assert home.cli("profile", "list").ok() == "USED  NAME\n*     bank\n-     hospital\n"
        assert home.cli("profile", "list", "--json").json() == [{"name": "bank", "used": True},
                                                                {"name": "hospital", "used": False}]
        assert home.cli("profile", "list", "-o", "yaml").ok() == (
            '- "name": "bank"\n  "used": true\n- "name": "hospital"\n  "used": false\n')
        home.cli("profile", "list", "-o", "yaml", "--json").refused(2, "exclude each other")
        assert home.cli("profile", "show").ok() == "AGENT_GRPC_URL=x:2\n"
        gone = home.cli("profile", "remove", "bank")
        assert gone.ok() == "" and "it was in use: commands go by the environment and defaults now" in gone.err, gone
        assert home.cli("profile", "list").ok() == "USED  NAME\n-     hospital\n"
        home.cli("profile", "use", "hospital").ok()
        home.cli("profile", "use", "--none").ok()
        assert home.cli("profile", "list").ok() == "USED  NAME\n-     hospital\n"
        assert sorted(os.listdir(home("config/cocos"))) == ["profiles"]
        for words in (("use", "bank"), ("remove", "bank"), ("show", "bank")):
            home.cli("profile", *words).refused(1, "there is no profile 'bank'", "profile list")
        home.cli("profile", "use").refused(2, "--none")


def what_wins_over_what():
    """And -v says where each setting is from."""
    with Home() as home:
        home.cli("profile", "add", "p", "--agent", f"127.0.0.1:{free_port()}", "--set", "AGENT_GRPC_TIMEOUT=7s").ok()
        url = home.cli("profile", "show", "p", "--json").json()["AGENT_GRPC_URL"]
        environment = {"AGENT_GRPC_URL": NOBODY}
        for words, variables, where, says in (
                ((), {}, "localhost:7002", "AGENT_GRPC_URL has its default"),
                (("--profile", "p"), {}, url, f"AGENT_GRPC_URL is '{url}', from the profile"),
                (("--profile", "p"), {"AGENT_GRPC_URL": ""}, url, "from the profile that --profile names\n"),
                # What is named for this call wins over what holds for all.
                (("--profile", "p"), environment, url, f"AGENT_GRPC_URL is '{url}', from the profile that --profile names; "
                 "the environment has another"),
                (("--profile", "p", "--grpc-url", "127.0.0.1:2"), environment, "127.0.0.1:2",
                 "AGENT_GRPC_URL is '127.0.0.1:2', from the option")):
            run = home.cli("status", "-v", *words, **variables)
            assert run.status == 1 and where.rpartition(":")[2] in run.err and says in run.err, (words, run.err)
            assert run.err.count("AGENT_GRPC_URL is ") + run.err.count("AGENT_GRPC_URL has ") == 1, run.err
            assert "from" not in home.cli("status", *words, **variables).err
            if words:
                assert "profile p" in run.err and "AGENT_GRPC_TIMEOUT is '7s', from the profile" in run.err, run.err
        home.cli("profile", "use", "p").ok()
        run = home.cli("status", "-v")
        assert "profile p, which is in use" in run.err and f"AGENT_GRPC_URL is '{url}', from the profile\n" in run.err, run.err
        run = home.cli("status", "-v", **environment)
        assert f"AGENT_GRPC_URL is '{NOBODY}', from the environment" in run.err, run.err


def a_profile_weakens_nothing():
    with Home() as home:
        home.cli("profile", "add", "p", "--agent", NOBODY, "--attested-tls", "--policy", home.policy).ok()
        run = home.cli("status", "--profile", "p", "-v")
        assert "AGENT_GRPC_ATTESTED_TLS is 'true', from the profile" in run.err, run.err
        assert "AGENT_GRPC_ATTESTATION_POLICY is " in run.err, run.err
        # Switched off beside the profile's policy it is an error, not a connection without a proof.
        home.cli("profile", "use", "p").ok()
        home.cli("status", AGENT_GRPC_ATTESTED_TLS="false").refused(2, "nobody asks the agent for a proof")
        home.cli("status", "-v", "--profile", "p", AGENT_GRPC_ATTESTED_TLS="false").refused(1, "ATTESTED_TLS is 'true', from the profile")
        home.cli("profile", "use", "--none").ok()
        os.unlink(home.policy)
        home.cli("status", "--profile", "p").refused(2, "AGENT_GRPC_ATTESTATION_POLICY", "policy.json", "not there")
        home.cli("profile", "use", "p").refused(1, "policy.json")
        # A root for TPMs is given to the commands that ask agents for a proof, and to no other.
        root = home.write("ek.pem", "x")
        home.write("config/cocos/profiles/tpm", f"AGENT_GRPC_URL={NOBODY}\nEK_ROOT={root}\n", 0o600)
        home.cli("status", "--profile", "tpm").refused(2, "--ek_root is given, but nobody asks")
        # What others may write says nothing.
        home.cli("profile", "add", "q", "--agent", NOBODY).ok()
        home.cli("profile", "use", "q").ok()
        os.chmod(home.file("q"), 0o620)
        home.cli("status").refused(2, "others may write", "chmod 600")
        home.cli("profile", "show", "q").refused(1, "others may write")
        os.chmod(home.file("q"), 0o600)
        # Nor does what lies where others may put something in its place.
        for folder in (home("config/cocos"), home("config/cocos/profiles")):
            os.chmod(folder, 0o770)
            for words in (("status",), ("status", "--profile", "q"), ("profile", "add", "r", "--agent", NOBODY),
                          ("profile", "show", "q")):
                run = home.cli(*words)
                assert run.status in (1, 2) and f"others may write '{folder}': chmod 700 it" in run.err, (words, run.err)
            os.chmod(folder, 0o700)
        assert home.cli("status").status == 1
        os.unlink(home.file("q"))
        home.cli("status").refused(2, "profile 'q'", "profile use --none")


def options_of_a_profile_are_for_who_asks_for_a_proof():
    """An option has no variable: the profile gives it where the line does not, and to no other command."""
    with Home() as home:
        root, other = home.write("ek.pem", "x"), home.write("other.pem", "x")
        for kept in ("true", "false"):
            home.write("config/cocos/profiles/tpm", f"AGENT_GRPC_URL={NOBODY}\nMANAGER_GRPC_URL={NOBODY}\nEK_ROOT={root}\n"
                       f"AGENT_GRPC_ATTESTED_TLS=true\nAGENT_GRPC_ATTESTATION_POLICY={home.policy}\nCHECK_CRL={kept}\n", 0o600)
            run = home.cli("status", "-v", "--profile", "tpm")
            assert run.status and f"--ek_root is '{root}', from the profile\n" in run.err, run.err
            assert ("--check_crl is 'true', from the profile\n" in run.err) == ("check_crl" in run.err) == (kept == "true"), run.err
        run = home.cli("status", "-v", "--profile", "tpm", "--ek_root", other)
        assert run.status and "--ek_root is " not in run.err and root not in run.err, run.err
        run = home.cli("vm", "list", "-v", "--profile", "tpm")
        assert run.status == 1 and "ek_root" not in run.err, run.err


def what_is_no_setting_is_refused_by_name():
    with Home() as home:
        for words, says in ((("--set", "AGENT_GRPC_URI=x"), "AGENT_GRPC_URI"), (("--set", "x"), "KEY=VALUE"), ((), "nothing to keep"),
                            (("--policy", home("none.json")), "none.json"),
                            (("--set", "AGENT_GRPC_ATTESTED_TLS=perhaps"), "true or false"),
                            (("--agent", "x\ny"), "control character")):
            home.cli("profile", "add", "p", *words).refused(2, says)
            assert not os.path.exists(home.file("p")), words
        # What no command could be run with.
        key = home.write("key.pem", "x")
        for words, says in ((("--policy", home.policy), "AGENT_GRPC_ATTESTED_TLS=true"),
                            (("--policy", home.policy, "--set", "AGENT_GRPC_ATTESTED_TLS=false"), "of no use without"),
                            (("--ek-root", key), "EK_ROOT is of no use without"), (("--check-crl",), "CHECK_CRL"),
                            (("--set", "MANAGER_GRPC_CLIENT_KEY=" + key), "without MANAGER_GRPC_CLIENT_CERT"),
                            (("--set", "AGENT_GRPC_CLIENT_CERT=" + key), "without AGENT_GRPC_CLIENT_KEY"),
                            (("--attested-tls", "--agent", "http://x:1"), "http://")):
            home.cli("profile", "add", "p", *words).refused(2, says)
            assert not os.path.exists(home.file("p")), words
        # What the commands' own readers refuse; the environment has no part in it.
        bad = home.write("policy2.json", "{")
        for words, says in ((("--agent", ""), "--agent is empty"), (("--agent", "nonsense"), "nonsense"),
                            (("--agent", "x:1", "--set", "AGENT_GRPC_TIMEOUT=soon"), "--grpc-timeout: 'soon' is not a duration"),
                            (("--set", "AGENT_GRPC_TIMEOUT=0s"), "give one between"),
                            (("--manager", "x"), "x"), (("--set", "MANAGER_GRPC_TIMEOUT=x"), "--grpc-timeout"),
                            (("--computations", "unix:"), "unix:"),
                            (("--set", "AGENT_GRPC_SERVER_CA_CERTS=" + key), f"--grpc-server-ca-certs '{key}': CA: no PEM certificate"),
                            (("--set", "AGENT_GRPC_CLIENT_CERT=" + key, "--set", "AGENT_GRPC_CLIENT_KEY=" + key), "--grpc-client-cert"),
                            (("--attested-tls", "--policy", bad), "policy2.json"), (("--product", "Naples"), "Naples"),
                            (("--kds", "ftp://x"), "ftp://x"),
                            *((("--attested-tls", "--policy", home.policy, f"--{name}-root", key), "holds no certificate")
                              for name in ("ek", "trusted")),
                            (("--attested-tls", "--policy", home.policy, "--ak", key), "neither a TPMT_PUBLIC nor a public key")):
            home.cli("profile", "add", "p", *words, AGENT_GRPC_TIMEOUT="1s").refused(2, says)
            assert not os.path.exists(home.file("p")), words
        home.cli("profile", "add", "q", "--agent", NOBODY, AGENT_GRPC_TIMEOUT="soon").ok()
        home.cli("profile", "add", "half", "--attested-tls", "--set", "AGENT_GRPC_TLS_GROUPS=X25519MLKEM768").ok()
        home.cli("profile", "add", "p", "--set", "FOO").refused(2, "KEY=VALUE", "hint: --set AGENT_GRPC_TIMEOUT=10s")
        for name in ("", ".x", "a/b", "../x", "a b", "a" * 65, "ä"):
            home.cli("profile", "add", name, "--agent", "x:1").refused(2, "no name for a profile")
            home.cli("status", "--profile", name).refused(2, "no name for a profile")
        home.cli("profile", "add", "a" * 64, "--agent", NOBODY).ok()
        for text, says in (("AGENT_GRPC_URI=x\n", "AGENT_GRPC_URI is no setting"), ("x\n", "line 1"),
                           ("AGENT_GRPC_ATTESTATION_POLICY=policy.json\n", "write it from / on"),
                           ("COCOS_CACHE=cache\n", "write it from / on"),
                           ("AGENT_GRPC_URL=x\nAGENT_GRPC_URL=y\n", "twice"), ("\x00", "zero byte")):
            home.write("config/cocos/profiles/p", text, 0o600)
            # Were it read, a file of this name would count wherever the caller stands.
            home.cli("status", "--profile", "p", cwd=home.path).refused(2, "profile 'p'", says)
        cli("status", "--profile", "p").refused(2, "XDG_CONFIG_HOME")
        cli("profile", "add", "p", "--agent", NOBODY).refused(1, "no place for profiles: set XDG_CONFIG_HOME")
        assert cli("status", AGENT_GRPC_URL=NOBODY).status == 1
        home.write("config/cocos/profile", "../x\n", 0o600)
        home.cli("status").refused(2, "no name for a profile")


def a_broken_profile_shows_what_is_broken():
    with Home() as home:
        home.cli("profile", "add", "p", "--agent", NOBODY, "--attested-tls", "--policy", home.policy,
                 "--set", "COCOS_CACHE=cache/x", cwd=home.path).ok()
        assert home.cli("profile", "show", "p", "--json").json()["COCOS_CACHE"] == os.path.realpath(home.path) + "/cache/x"
        os.unlink(home.policy)
        run = home.cli("profile", "show", "p").refused(1, "profile 'p' is refused: 1 of its settings is broken", "--force")
        policy = os.path.realpath(home.path) + "/policy.json"
        assert run.out.splitlines() == [
            f"AGENT_GRPC_URL={NOBODY}", "AGENT_GRPC_ATTESTED_TLS=true", f"AGENT_GRPC_ATTESTATION_POLICY={policy}",
            f"# AGENT_GRPC_ATTESTATION_POLICY: '{policy}' is not there, or not to be read",
            f"COCOS_CACHE={os.path.realpath(home.path)}/cache/x"], run.out
        home.write("config/cocos/profiles/p", "FOO=1\nAK=x\n", 0o600)
        run = home.cli("profile", "show", "p").refused(1, "2 of its settings are broken")
        assert "# FOO is no setting of profiles\n" in run.out and "# AK: 'x' is another file" in run.out, run.out
        home.write("config/cocos/profiles/p", "nothing\n", 0o600)
        home.cli("profile", "show", "p").refused(1, home.file("p"), "line 1")


def using_one_says_where_that_is_written():
    with Home() as home:
        home.cli("profile", "add", "p", "--agent", NOBODY).ok()
        mark = home("config/cocos/profile")
        assert home.cli("profile", "use", "p").ok() == f"profile p is used from now on ('{mark}' says so)\n"
        assert home.cli("profile", "use", "--none").ok() == f"no profile is used any more ('{mark}' is gone)\n"


if __name__ == "__main__":
    tap.run([a_profile_is_kept_used_and_forgotten, what_wins_over_what, a_profile_weakens_nothing, options_of_a_profile_are_for_who_asks_for_a_proof,
             what_is_no_setting_is_refused_by_name, a_broken_profile_shows_what_is_broken,
             using_one_says_where_that_is_written])
