/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that a manifest brings for the agent's listener: chains, dates, names, and what is in the
 * guest. */
#include "common/base/file.h"
#include "common/manifest/agent_certs.h"
#include "common/manifest/agent_config.h"
#include "tests/unit/common/manifest/cert_pairs.h"

static X509 *issued(EVP_PKEY *key, const char *name, const char *alt, X509 *above,
		    EVP_PKEY *above_key)
{
	const struct self_signed_extension named = { NID_subject_alt_name, alt };
	X509 *cert = self_signed(key, name, &named, alt ? 1 : 0);

	assert_non_null(cert);
	assert_int_equal(X509_set_issuer_name(cert, X509_get_subject_name(above)), 1);
	assert_true(X509_sign(cert, above_key, EVP_sha256()) > 0);
	return cert;
}

/* A root, an authority between, and a leaf of our key, with those names. */
static struct chain {
	X509 *certs[3];
	char *leaf, *between, *root;
} made;

static void make_chain(const char *alt)
{
	made.certs[2] = self_signed(other.key, "root", NULL, 0);
	made.certs[1] = issued(other.key, "between", NULL, made.certs[2], other.key);
	made.certs[0] = issued(ours.key, "leaf", alt, made.certs[1], other.key);
	made.leaf = self_signed_pem(made.certs[0]);
	made.between = self_signed_pem(made.certs[1]);
	made.root = self_signed_pem(made.certs[2]);
}

static void free_chain(void)
{
	for (size_t i = 0; i < ARRAY_LEN(made.certs); i++)
		X509_free(made.certs[i]);
	free(made.leaf);
	free(made.between);
	free(made.root);
}

static char *joined(const char *a, const char *b, const char *c)
{
	char *text;
	struct err e;

	assert_ok(text_format(&text, &e, "%s%s%s", a, b, c), e);
	return text;
}

static void a_chain_has_the_order_of_tls(void **state)
{
	make_chain("DNS:agent.example");
	const struct {
		const char *certs[3], *above, *words; /* NULL: it is good */
		bool shown;                           /* only whoever makes it is told */
	} rows[] = {
		{ { made.leaf, "", "" }, "", NULL, false },
		{ { made.leaf, made.between, "" }, "", NULL, false },
		{ { made.leaf, made.between, made.root }, "", NULL, false },
		{ { made.leaf, made.root, made.between },
		  "",
		  "certificate 2 has not signed",
		  false },
		{ { made.leaf, made.between, ours.cert_pem },
		  "",
		  "certificate 3 has not signed",
		  false },
		{ { made.between, made.leaf, "" }, "", "not the key of cert_file", false },
		{ { made.leaf, "", "" }, made.between, NULL, false },
		{ { made.leaf, made.between, "" }, made.root, NULL, false },
		{ { made.leaf, "", "" }, made.root, "server_ca_file: its first", true },
		{ { made.leaf, "", "" }, ours.cert_pem, "server_ca_file: its first", true },
		{ { made.leaf, made.between, made.root }, ours.cert_pem, NULL, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(free)
		char *certs = joined(rows[i].certs[0], rows[i].certs[1], rows[i].certs[2]);
		Cvms__AgentConfig m = CVMS__AGENT_CONFIG__INIT;
		struct err e;
		int failed;

		m.cert_file = certs;
		m.key_file = ours.key_pem;
		m.server_ca_file = (char *)(uintptr_t)rows[i].above;
		failed = agent_config_check(&m, &e);
		assert_int_equal(failed != 0, rows[i].words && !rows[i].shown);
		if (!failed)
			failed = agent_config_check_shown(&m, NULL, &e);
		if (rows[i].words)
			assert_refused(failed, e, ERR_INVALID, rows[i].words);
		else
			assert_ok(failed, e);
	}
	free_chain();
}

static void a_chain_has_a_limit(void **state)
{
	CLEANUP(free) char *text = strdup("");
	struct err e;

	for (int i = 1; i <= AGENT_CERTS_CHAIN_MAX + 1; i++) {
		Cvms__AgentConfig m = CVMS__AGENT_CONFIG__INIT;
		char *more = joined(text, ours.cert_pem, "");

		free(text);
		text = more;
		m.cert_file = text;
		m.key_file = ours.key_pem;
		if (i <= AGENT_CERTS_CHAIN_MAX)
			assert_ok(agent_config_check(&m, &e), e);
		else
			assert_refused(agent_config_check(&m, &e), e, ERR_INVALID,
				       "17 certificates, of which clients are shown 16 at most");
		m.cert_file = ours.cert_pem;
		m.server_ca_file = text;
		if (i < AGENT_CERTS_CHAIN_MAX)
			assert_ok(agent_config_check(&m, &e), e);
		else
			assert_refused(agent_config_check(&m, &e), e, ERR_INVALID, "at most");
	}
}

static void a_field_has_a_limit_of_its_own(void **state)
{
	CLEANUP(free) char *text = strdup("");
	struct err e;

	for (int i = 1; i <= AGENT_CERTS_MAX + 1; i++) {
		Cvms__AgentConfig m = CVMS__AGENT_CONFIG__INIT;
		char *more = joined(text, ours.cert_pem, "");

		free(text);
		text = more;
		m.client_ca_file = text;
		m.attested_tls = true;
		if (i <= AGENT_CERTS_MAX)
			assert_ok(agent_config_check(&m, &e), e);
		else
			assert_refused(agent_config_check(&m, &e), e, ERR_INVALID,
				       "client_ca_file: more than 64");
	}
}

static void what_clients_are_shown_has_dates_too(void **state)
{
	CLEANUP(free) char *late = dated(ours.key, -7200, -3600);
	CLEANUP(free) char *early = dated(ours.key, 3600, 7200);
	struct err e;

	for (int i = 0; i < 2; i++) {
		Cvms__AgentConfig m = CVMS__AGENT_CONFIG__INIT;
		CLEANUP(free) char *second = joined(ours.cert_pem, i ? early : late, "");

		m.cert_file = ours.cert_pem;
		m.key_file = ours.key_pem;
		m.server_ca_file = second;
		assert_refused(agent_config_check(&m, &e), e, ERR_INVALID,
			       "server_ca_file: a certificate");
		assert_non_null(strstr(e.text, i ? "is not valid before" : "expired at"));
	}
}

/* Beside its successor an old root stays in a bundle for a while: its clients are refused, and no others. */
static void one_of_the_clients_authorities_has_to_be_valid(void **state)
{
	CLEANUP(free) char *late = dated(ours.key, -7200, -3600);
	CLEANUP(free) char *early = dated(ours.key, 3600, 7200);
	const struct {
		const char *certs[3], *words; /* NULL: all are valid */
		bool refused;
	} rows[] = {
		{ { ours.cert_pem, other.cert_pem, "" }, NULL, false },
		{ { ours.cert_pem, late, "" }, "expired at", false },
		{ { late, ours.cert_pem, "" }, "expired at", false },
		{ { early, late, ours.cert_pem }, "is not valid before", false },
		{ { late, "", "" }, "expired at", true },
		{ { early, "", "" }, "is not valid before", true },
		{ { late, early, "" }, "expired at", true },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(free)
		char *bundle = joined(rows[i].certs[0], rows[i].certs[1], rows[i].certs[2]);
		Cvms__AgentConfig m = CVMS__AGENT_CONFIG__INIT;

		m.cert_file = ours.cert_pem;
		m.key_file = ours.key_pem;
		m.client_ca_file = bundle;
		if (rows[i].refused)
			assert_refused(agent_config_check(&m, &e), e, ERR_INVALID,
				       "client_ca_file: a certificate");
		else
			assert_ok(agent_config_check(&m, &e), e);
		assert_int_equal(agent_certs_outdated("client_ca_file", bundle, &e),
				 rows[i].words != NULL);
		if (rows[i].words)
			assert_non_null(strstr(e.text, rows[i].words));
		if (i == 3)
			assert_non_null(strstr(e.text, "(2 of 3)"));
	}
	assert_false(agent_certs_outdated("client_ca_file", "", &e));
	assert_false(agent_certs_outdated("client_ca_file", "/etc/certs/ca.pem", &e));
}

static void a_certificate_has_the_name_that_clients_compare(void **state)
{
	static const struct {
		const char *alt, *host, *words;
	} rows[] = {
		{ NULL, NULL, "bears no name" },
		{ "email:a@agent.example", NULL, "bears no name" },
		{ "DNS:agent.example", NULL, NULL },
		{ "DNS:agent.example", "agent.example", NULL },
		{ "DNS:agent.example", "AGENT.example", NULL },
		{ "DNS:agent.example", "other.example", "is not for 'other.example'" },
		{ "DNS:*.b.example", "agent.b.example", NULL },
		{ "DNS:a*.b.example", "agent.b.example", "is not for" },
		{ "DNS:agent.example", "192.0.2.7", "is not for '192.0.2.7'" },
		{ "IP:192.0.2.7", "192.0.2.7", NULL },
		{ "DNS:x,IP:2001:db8::7", "2001:db8::7", NULL },
		{ "IP:192.0.2.7", "192.0.2.8", "is not for" },
		{ "DNS:192.0.2.7", "192.0.2.7", "is not for" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		Cvms__AgentConfig m = CVMS__AGENT_CONFIG__INIT;

		make_chain(rows[i].alt);
		m.cert_file = made.leaf;
		m.key_file = ours.key_pem;
		assert_ok(agent_config_check(&m, &e), e);
		for (int attested = 0; attested < 2; attested++) {
			int failed;

			m.attested_tls = attested;
			failed = agent_config_check_shown(&m, rows[i].host, &e);
			/* Evidence speaks for it where nobody said a host. */
			if (rows[i].words && (rows[i].host || !attested))
				assert_refused(failed, e, ERR_INVALID, rows[i].words);
			else
				assert_ok(failed, e);
		}
		free_chain();
	}
	assert_ok(agent_config_check_shown(NULL, NULL, &e), e);
	assert_refused(agent_config_check_shown(NULL, "x", &e), e, ERR_INVALID,
		       "no certificate here");
}

/* One field that names a file in the guest hides nothing of the others. */
static void what_stands_here_is_checked_beside_paths(void **state)
{
	static char path[] = "/etc/certs/ca.pem";
	CLEANUP(free) char *late = dated(ours.key, -7200, -3600);
	const struct {
		const char *port, *cert, *key, *client, *server, *level, *words;
	} rows[] = {
		{ "x", path, path, "", "", "", "port" },
		{ "", path, path, "", "", "loud", "log_level" },
		{ "", path, "", "", "", "", "cert_file without key_file" },
		{ "", "", "", path, "", "", "client_ca_file without cert_file" },
		{ "", late, path, "", "", "", "cert_file: a certificate expired" },
		{ "", path, "junk\n", "", "", "", "key_file" },
		{ "", path, path, late, "", "", "client_ca_file: a certificate expired" },
		{ "", path, path, "", "junk\n", "", "server_ca_file: holds no" },
		{ "", ours.cert_pem, other.key_pem, path, "", "", "not the key of cert_file" },
		{ "", ours.cert_pem, path, path, path, "info", NULL },
		{ "", path, ours.key_pem, path, "", "", NULL },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		Cvms__AgentConfig m = CVMS__AGENT_CONFIG__INIT;
		int failed;

		m.port = (char *)rows[i].port;
		m.cert_file = (char *)rows[i].cert;
		m.key_file = (char *)rows[i].key;
		m.client_ca_file = (char *)rows[i].client;
		m.server_ca_file = (char *)rows[i].server;
		m.log_level = (char *)rows[i].level;
		failed = agent_config_check(&m, &e);
		if (rows[i].words)
			assert_refused(failed, e, ERR_INVALID, rows[i].words);
		else
			assert_ok(failed, e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_has_the_order_of_tls),
		cmocka_unit_test(a_chain_has_a_limit),
		cmocka_unit_test(a_field_has_a_limit_of_its_own),
		cmocka_unit_test(what_clients_are_shown_has_dates_too),
		cmocka_unit_test(one_of_the_clients_authorities_has_to_be_valid),
		cmocka_unit_test(a_certificate_has_the_name_that_clients_compare),
		cmocka_unit_test(what_stands_here_is_checked_beside_paths),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
