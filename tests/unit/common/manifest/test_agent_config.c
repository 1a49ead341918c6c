/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/crypto/digest.h"
#include "common/crypto/key.h"
#include "common/manifest/agent_config.h"
#include "tests/unit/common/manifest/cert_pairs.h"

#include <stdio.h>

static void nothing_said_is_the_default(void **state)
{
	Cvms__AgentConfig empty = CVMS__AGENT_CONFIG__INIT;
	const Cvms__AgentConfig *const forms[] = { NULL, &empty };

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct agent_config c;
		CLEANUP(free) char *text = NULL;
		size_t len;
		struct err e;

		assert_ok(agent_config_load(forms[i], NULL, &c, &e), e);
		assert_int_equal(c.port, 7002);
		assert_null(c.cert);
		assert_ok(agent_config_canonical(&c, &text, &len, &e), e);
		assert_string_equal(text, "{}");
		agent_config_done(&c);
	}
}

static void hex_of(const void *bytes, size_t len, char *text)
{
	uint8_t d[SHA3_256_LEN];
	struct err e;

	assert_ok(digest(DIGEST_SHA3_256, bytes, len, d, &e), e);
	hex_encode(d, sizeof(d), text);
}

static void what_is_measured_are_digests_of_der(void **state)
{
	Cvms__AgentConfig m = CVMS__AGENT_CONFIG__INIT;
	CLEANUP(free) char *text = NULL, *expected = NULL;
	CLEANUP(free) uint8_t *spki = NULL;
	uint8_t *der = NULL;
	char cert_hex[65], key_hex[65];
	struct agent_config c;
	size_t len;
	int der_len;
	struct err e;

	m.port = (char *)"7777";
	m.cert_file = ours.cert_pem;
	m.key_file = ours.key_pem;
	m.client_ca_file = ours.cert_pem;
	m.log_level = (char *)"debug";
	assert_ok(agent_config_load(&m, NULL, &c, &e), e);
	assert_int_equal(c.port, 7777);
	der_len = i2d_X509(ours.cert, &der);
	hex_of(der, (size_t)der_len, cert_hex);
	OPENSSL_free(der);
	assert_ok(key_to_spki(ours.key, &spki, &len, &e), e);
	hex_of(spki, len, key_hex);
	assert_ok(text_format(&expected, &e,
			      "{\"port\":\"7777\",\"cert\":\"%s\",\"client_ca\":\"%s\","
			      "\"log_level\":\"debug\",\"key\":\"%s\"}",
			      cert_hex, cert_hex, key_hex),
		  e);
	assert_ok(agent_config_canonical(&c, &text, &len, &e), e);
	assert_string_equal(text, expected);
	agent_config_done(&c);
}

static const char *known_file(const void *data, const char *path)
{
	assert_ptr_equal(data, &ours);
	if (strcmp(path, "/etc/certs/cert.pem") == 0)
		return ours.cert_pem;
	return strcmp(path, "/etc/certs/key.pem") == 0 ? ours.key_pem : NULL;
}

/* Nobody opens what a manifest names: only what is known already has a path. */
static void a_path_is_one_of_those_that_are_known(void **state)
{
	static const char *const others[] = { "/etc/certs/ca.pem", "/proc/kmsg", "/dev/tty",
					      "/etc/certs/../certs/cert.pem", "cert.pem" };
	const struct agent_config_files files = { known_file, &ours };
	Cvms__AgentConfig m = CVMS__AGENT_CONFIG__INIT;
	struct agent_config c;
	struct err e;

	m.cert_file = (char[]){ "/etc/certs/cert.pem" };
	m.key_file = (char[]){ "/etc/certs/key.pem" };
	assert_ok(agent_config_load(&m, &files, &c, &e), e);
	assert_string_equal(c.cert, ours.cert_pem);
	assert_string_equal(c.key, ours.key_pem);
	agent_config_done(&c);
	assert_refused(agent_config_load(&m, NULL, &c, &e), e, ERR_INVALID, "cert_file");
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		m.cert_file = (char *)(uintptr_t)others[i];
		assert_refused(agent_config_load(&m, &files, &c, &e), e, ERR_INVALID,
			       "cert_file: '");
	}
}

static void every_rule_refuses_by_name(void **state)
{
	const struct {
		const char *port, *cert, *key, *ca, *level, *words;
	} cases[] = {
		{ "0", "", "", "", "", "port: '0' is not a port" },
		{ "65536", "", "", "", "", "port" },
		{ "7002x", "", "", "", "", "port" },
		{ "999999999999999999999", "", "", "", "", "port" },
		{ "", ours.cert_pem, "", "", "", "cert_file without key_file" },
		{ "", "", ours.key_pem, "", "", "key_file without cert_file" },
		{ "", "", "", ours.cert_pem, "", "client_ca_file without cert_file" },
		{ "", ours.cert_pem, other.key_pem, "", "", "not the key of cert_file" },
		{ "", "junk\n", ours.key_pem, "", "", "holds no certificate" },
		{ "", ours.key_pem, ours.key_pem, "", "", "cert_file: a private key" },
		{ "", ours.cert_pem, ours.cert_pem, "", "", "key_file" },
		{ "", ours.cert_pem, ours.key_pem, "junk\n", "", "client_ca_file: holds no" },
		{ "", "relative/path", ours.key_pem, "", "", "neither PEM text nor" },
		{ "", "", "", "", "loud", "log_level: 'loud'" },
	};
	struct agent_config c;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		Cvms__AgentConfig m = CVMS__AGENT_CONFIG__INIT;

		m.port = (char *)cases[i].port;
		m.cert_file = (char *)cases[i].cert;
		m.key_file = (char *)cases[i].key;
		m.client_ca_file = (char *)cases[i].ca;
		m.log_level = (char *)cases[i].level;
		assert_refused(agent_config_load(&m, NULL, &c, &e), e, ERR_INVALID, cases[i].words);
	}
}

/* One file of both is common elsewhere, and OpenSSL takes it as a certificate: everybody who sees the manifest would have
 * the key. */
static void a_private_key_among_certificates_is_refused(void **state)
{
	static const char *const fields[] = { "cert_file", "client_ca_file", "server_ca_file" };
	CLEANUP(free) char *both = NULL, *before = NULL;
	struct err e;

	assert_ok(text_format(&both, &e, "%s%s", ours.cert_pem, ours.key_pem), e);
	assert_ok(text_format(&before, &e, "%s%s", other.key_pem, ours.cert_pem), e);
	for (size_t i = 0; i < 2 * ARRAY_LEN(fields); i++) {
		Cvms__AgentConfig m = CVMS__AGENT_CONFIG__INIT;
		char **const at[] = { &m.cert_file, &m.client_ca_file, &m.server_ca_file };
		struct agent_config c;

		m.cert_file = ours.cert_pem;
		m.key_file = ours.key_pem;
		assert_ok(agent_config_check(&m, &e), e);
		*at[i / 2] = i % 2 ? both : before;
		assert_refused(agent_config_check(&m, &e), e, ERR_INVALID, fields[i / 2]);
		assert_refused(agent_config_check(&m, &e), e, ERR_INVALID, ": a private key");
		assert_refused(agent_config_check_public(&m, &e), e, ERR_INVALID, fields[i / 2]);
		assert_refused(agent_config_load(&m, NULL, &c, &e), e, ERR_INVALID,
			       ": a private key");
	}
}

/* It goes on where cert_file ends; attested TLS' own certificate has nobody above it. */
static void authorities_above_no_certificate_are_refused(void **state)
{
	static char path[] = "/etc/certs/ca.pem";
	char *const forms[] = { ours.cert_pem, path };
	struct err e;

	for (size_t i = 0; i < 2 * ARRAY_LEN(forms); i++) {
		Cvms__AgentConfig m = CVMS__AGENT_CONFIG__INIT;

		m.server_ca_file = forms[i / 2];
		m.attested_tls = i % 2;
		assert_refused(agent_config_check(&m, &e), e, ERR_INVALID,
			       "server_ca_file without cert_file");
	}
}

/* Also of a certificate behind the first. */
static void certificates_of_another_time_are_refused(void **state)
{
	static const struct {
		long from, to;
		const char *words;
	} rows[] = { { -7200, -3600, "expired at" }, { 3600, 7200, "is not valid before" } };

	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		CLEANUP(free) char *bad = dated(ours.key, rows[i / 2].from, rows[i / 2].to);
		CLEANUP(free) char *chain = NULL;
		Cvms__AgentConfig m = CVMS__AGENT_CONFIG__INIT;
		struct agent_config c;
		struct err e;

		assert_ok(text_format(&chain, &e, "%s%s", ours.cert_pem, bad), e);
		m.cert_file = i % 2 ? chain : bad;
		m.key_file = ours.key_pem;
		assert_refused(agent_config_load(&m, NULL, &c, &e), e, ERR_INVALID,
			       rows[i / 2].words);
		assert_refused(agent_config_check(&m, &e), e, ERR_INVALID, rows[i / 2].words);
		m.cert_file = ours.cert_pem;
		assert_ok(agent_config_check(&m, &e), e);
	}
}

static void check_attested(EVP_PKEY *pair)
{
	CLEANUP(X509_free) X509 *cert = self_signed(pair, "x", NULL, 0);
	CLEANUP(free) char *pem = self_signed_pem(cert), *key = NULL;
	Cvms__AgentConfig m = CVMS__AGENT_CONFIG__INIT;
	struct err e;

	assert_ok(key_to_private_pem(pair, &key, &e), e);
	m.cert_file = pem;
	m.key_file = key;
	assert_ok(agent_config_check(&m, &e), e); /* plain TLS */
	m.attested_tls = true;
	assert_refused(agent_config_check(&m, &e), e, ERR_INVALID, "P-256");
	assert_non_null(strstr(e.text, "the agent makes its own"));
	m.cert_file = m.key_file = (char *)"";
	m.client_ca_file = pem;
	assert_ok(agent_config_check(&m, &e), e);
}

static void attested_tls_takes_no_key_but_p256(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *p384 = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");

	check_attested(rsa);
	check_attested(p384);
}

static void what_is_in_the_guest_is_left_to_the_agent(void **state)
{
	Cvms__AgentConfig m = CVMS__AGENT_CONFIG__INIT;
	struct err e;

	m.cert_file = (char *)"/etc/certs/cert.pem";
	m.key_file = (char *)"/etc/certs/key.pem";
	assert_ok(agent_config_check(&m, &e), e);
	assert_ok(agent_config_check(NULL, &e), e);
	m.key_file = (char *)"";
	m.cert_file = ours.cert_pem;
	assert_refused(agent_config_check(&m, &e), e, ERR_INVALID, "cert_file without key_file");
}

static void attested_tls_asks_clients_without_a_certificate_of_its_own(void **state)
{
	Cvms__AgentConfig m = CVMS__AGENT_CONFIG__INIT;
	struct agent_config c;
	struct err e;

	m.client_ca_file = ours.cert_pem;
	m.attested_tls = true;
	assert_ok(agent_config_load(&m, NULL, &c, &e), e);
	assert_true(c.attested_tls);
	assert_string_equal(c.client_ca, ours.cert_pem);
	agent_config_done(&c);
}

static void a_damaged_certificate_among_good_ones_is_refused(void **state)
{
	CLEANUP(free) char *pem = NULL;
	Cvms__AgentConfig m = CVMS__AGENT_CONFIG__INIT;
	struct agent_config c;
	struct err e;

	assert_ok(text_format(&pem, &e, "%s%s", ours.cert_pem, ours.cert_pem), e);
	m.cert_file = pem;
	m.key_file = ours.key_pem;
	assert_ok(agent_config_load(&m, NULL, &c, &e), e);
	agent_config_done(&c);
	pem[strlen(ours.cert_pem) + 40] = '!';
	assert_refused(agent_config_load(&m, NULL, &c, &e), e, ERR_INVALID, "cert_file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_said_is_the_default),
		cmocka_unit_test(what_is_measured_are_digests_of_der),
		cmocka_unit_test(a_path_is_one_of_those_that_are_known),
		cmocka_unit_test(every_rule_refuses_by_name),
		cmocka_unit_test(a_private_key_among_certificates_is_refused),
		cmocka_unit_test(authorities_above_no_certificate_are_refused),
		cmocka_unit_test(certificates_of_another_time_are_refused),
		cmocka_unit_test(attested_tls_takes_no_key_but_p256),
		cmocka_unit_test(what_is_in_the_guest_is_left_to_the_agent),
		cmocka_unit_test(attested_tls_asks_clients_without_a_certificate_of_its_own),
		cmocka_unit_test(a_damaged_certificate_among_good_ones_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
