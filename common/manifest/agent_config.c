/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest/agent_config.h"

#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"
#include "common/crypto/key.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

static void wipe(char *secret)
{
	if (!secret)
		return;
	OPENSSL_cleanse(secret, strlen(secret));
	free(secret);
}

void agent_config_done(struct agent_config *config)
{
	free(config->cert);
	wipe(config->key);
	free(config->client_ca);
	free(config->server_ca);
	free(config->port_text);
	free(config->log_level);
	*config = (struct agent_config){ 0 };
}

static int copy_text(const char *text, char **copy, struct err *e)
{
	if (!text[0])
		return 0;
	*copy = strdup(text);
	return *copy ? 0 : err_nomem(e);
}

/* A field's PEM text: itself, or that of the file it names. */
static int load_pem(const char *what, const char *field, const struct agent_config_files *files,
		    char **pem, struct err *e)
{
	const char *text;

	if (!field[0])
		return 0;
	if (strchr(field, '\n') || strlen(field) > AGENT_CONFIG_PATH_MAX) {
		if (strlen(field) > PEM_MAX)
			return err_set(e, ERR_INVALID, "%s: %zu bytes, the limit is %d", what,
				       strlen(field), PEM_MAX);
		return copy_text(field, pem, e);
	}
	text = files ? files->text(files->data, field) : NULL;
	if (!text)
		return err_set(e, ERR_INVALID,
			       "%s: %s is neither PEM text nor one of cert.pem, key.pem, ca.pem of "
			       "the agent's folder of certificates",
			       what, log_quote(field).text);
	if (strlen(text) > PEM_MAX)
		return err_set(e, ERR_INVALID, "%s: %zu bytes, the limit is %d", what, strlen(text),
			       PEM_MAX);
	return copy_text(text, pem, e);
}

/* The certificates' DER, one after the other; and the first of them. */
static int read_certs(const char *what, const char *pem, struct writer *der, X509 **first,
		      struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new_mem_buf(pem, -1);
	int count = 0;

	if (!bio)
		return err_nomem(e);
	for (;; count++) {
		CLEANUP(X509_free)
		X509 *cert = PEM_read_bio_X509(bio, NULL, key_no_passphrase, NULL);
		CLEANUP(free) uint8_t *copy = NULL;
		uint8_t *end;
		int len;

		if (!cert)
			break;
		len = i2d_X509(cert, NULL);
		if (len <= 0 || count == AGENT_CONFIG_CERTS_MAX)
			return err_set(e, ERR_INVALID,
				       "%s: more than %d certificates, or one "
				       "that cannot be written",
				       what, AGENT_CONFIG_CERTS_MAX);
		copy = end = malloc((size_t)len);
		if (!copy)
			return err_nomem(e);
		i2d_X509(cert, &end);
		writer_bytes(der, copy, (size_t)len);
		if (count == 0 && first)
			*first = TAKE_PTR(cert);
	}
	/* The loop's last try ended with 'no start line' if there are only certificates. */
	if (count == 0 || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		ERR_clear_error();
		return err_set(e, ERR_INVALID, "%s: holds no certificate, or a damaged one", what);
	}
	ERR_clear_error();
	return writer_check(der, what, e);
}

/* Said here, by whoever gives or takes it, and not by every client later. */
static int dates_check(const char *what, const X509 *cert, struct err *e)
{
	bool late = X509_cmp_current_time(X509_get0_notAfter(cert)) <= 0;
	const ASN1_TIME *date = late ? X509_get0_notAfter(cert) : X509_get0_notBefore(cert);
	char day[32] = "an unreadable date";
	struct tm tm;

	if (!late && X509_cmp_current_time(date) < 0)
		return 0;
	if (ASN1_TIME_to_tm(date, &tm) == 1)
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return err_set(e, ERR_INVALID, "%s: a certificate %s %s: give one that is valid", what,
		       late ? "expired at" : "is not valid before", day);
}

static int each_dates_check(const char *what, const char *pem, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new_mem_buf(pem, -1);

	if (!bio)
		return err_nomem(e);
	for (;;) {
		CLEANUP(X509_free)
		X509 *cert = PEM_read_bio_X509(bio, NULL, key_no_passphrase, NULL);

		if (!cert)
			break;
		if (dates_check(what, cert, e) < 0)
			return err_code(e);
	}
	ERR_clear_error(); /* read_certs() has seen that nothing is damaged */
	return 0;
}

int agent_config_curve(const EVP_PKEY *key, struct err *e)
{
	char group[32] = "";
	size_t len = 0;

	if (EVP_PKEY_is_a(key, "EC") == 1 &&
	    EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1 &&
	    strcmp(group, SN_X9_62_prime256v1) == 0)
		return 0;
	ERR_clear_error();
	return err_set(e, ERR_INVALID,
		       "key_file: attested TLS needs a P-256 key, since clients offer no other "
		       "signature: give a certificate with one, or neither cert_file nor key_file, "
		       "and the agent makes its own; client_ca_file may have any keys");
}

static int pair_check(const struct agent_config *c, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(X509_free) X509 *cert = NULL;
	CLEANUP_WRITER struct writer der = writer_up_to(PEM_MAX);
	int failed;

	if (!c->cert != !c->key)
		return err_set(e, ERR_INVALID, "%s without %s: TLS needs both",
			       c->cert ? "cert_file" : "key_file",
			       c->cert ? "key_file" : "cert_file");
	if (!c->cert)
		/* Attested TLS has the agent's own certificate. */
		return c->client_ca && !c->attested_tls
			       ? err_set(e, ERR_INVALID,
					 "client_ca_file without cert_file: client certificates "
					 "need TLS")
			       : 0;
	failed = read_certs("cert_file", c->cert, &der, &cert, e);
	if (failed)
		return failed;
	if (key_from_private_pem(c->key, strlen(c->key), NULL, NULL, &key, e) < 0) {
		e->code = ERR_INVALID;
		return err_wrap(e, "key_file");
	}
	if (X509_check_private_key(cert, key) != 1) {
		ERR_clear_error();
		return err_set(e, ERR_INVALID, "key_file is not the key of cert_file");
	}
	if (c->attested_tls && agent_config_curve(key, e) < 0)
		return err_code(e);
	return each_dates_check("cert_file", c->cert, e);
}

static int ca_check(const char *what, const char *pem, struct err *e)
{
	CLEANUP_WRITER struct writer der = writer_up_to(PEM_MAX);

	return pem ? read_certs(what, pem, &der, NULL, e) : 0;
}

static int port_parse(const char *text, uint16_t *port, struct err *e)
{
	unsigned long value = 0;
	size_t digits = strspn(text, "0123456789");

	if (!text[0]) {
		*port = AGENT_CONFIG_PORT_DEFAULT;
		return 0;
	}
	if (digits <= 5 && !text[digits])
		value = strtoul(text, NULL, 10);
	if (value == 0 || value > UINT16_MAX)
		return err_set(e, ERR_INVALID, "port: '%.16s' is not a port", text);
	*port = (uint16_t)value;
	return 0;
}

static int log_level_check(const char *word, struct err *e)
{
	static const char *const words[] = { "", "debug", "info", "warn", "warning", "error" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcasecmp(word, words[i]) == 0)
			return 0;
	}
	return err_set(e, ERR_INVALID, "log_level: '%.16s' is not one of debug, info, warn, error",
		       word);
}

static int load(const Cvms__AgentConfig *m, const struct agent_config_files *files,
		struct agent_config *c, struct err *e)
{
	int failed = port_parse(m->port, &c->port, e);

	c->attested_tls = m->attested_tls;
	if (!failed)
		failed = log_level_check(m->log_level, e);
	if (!failed)
		failed = copy_text(m->port, &c->port_text, e);
	if (!failed)
		failed = copy_text(m->log_level, &c->log_level, e);
	if (!failed)
		failed = load_pem("cert_file", m->cert_file, files, &c->cert, e);
	if (!failed)
		failed = load_pem("key_file", m->key_file, files, &c->key, e);
	if (!failed)
		failed = load_pem("client_ca_file", m->client_ca_file, files, &c->client_ca, e);
	if (!failed)
		failed = load_pem("server_ca_file", m->server_ca_file, files, &c->server_ca, e);
	if (!failed)
		failed = pair_check(c, e);
	if (!failed)
		failed = ca_check("client_ca_file", c->client_ca, e);
	if (!failed)
		failed = ca_check("server_ca_file", c->server_ca, e);
	return failed;
}

int agent_config_load(const Cvms__AgentConfig *message, const struct agent_config_files *files,
		      struct agent_config *config, struct err *e)
{
	struct agent_config c = { .port = AGENT_CONFIG_PORT_DEFAULT };

	if (message && load(message, files, &c, e) < 0) {
		agent_config_done(&c);
		return err_wrap(e, "agent_config");
	}
	*config = c;
	return 0;
}

static bool is_path(const char *field)
{
	return *field && !strchr(field, '\n') && strlen(field) <= AGENT_CONFIG_PATH_MAX;
}

int agent_config_check(const Cvms__AgentConfig *m, struct err *e)
{
	struct agent_config c;

	/* What is in the guest only the agent can read. */
	if (!m || is_path(m->cert_file) || is_path(m->key_file) || is_path(m->client_ca_file) ||
	    is_path(m->server_ca_file))
		return 0;
	if (agent_config_load(m, NULL, &c, e) < 0)
		return err_code(e);
	agent_config_done(&c);
	return 0;
}

static void member(struct writer *w, const char *key, const char *text)
{
	if (!text)
		return;
	writer_printf(w, "%s\"%s\":", w->len > 1 ? "," : "", key);
	json_quote(w, text, strlen(text));
}

static int member_digest(struct writer *w, const char *key, const void *bytes, size_t len,
			 struct err *e)
{
	uint8_t d[SHA3_256_LEN];
	char text[2 * SHA3_256_LEN + 1];
	int failed = digest(DIGEST_SHA3_256, bytes, len, d, e);

	if (failed)
		return failed;
	hex_encode(d, sizeof(d), text);
	member(w, key, text);
	return 0;
}

static int member_certs(struct writer *w, const char *key, const char *pem, struct err *e)
{
	CLEANUP_WRITER struct writer der = writer_up_to(PEM_MAX);
	int failed = pem ? read_certs(key, pem, &der, NULL, e) : 0;

	return failed || !pem ? failed : member_digest(w, key, der.bytes, der.len, e);
}

static int member_key(struct writer *w, const char *pem, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;
	int failed;

	if (!pem)
		return 0;
	failed = key_from_private_pem(pem, strlen(pem), NULL, NULL, &key, e);
	if (!failed)
		failed = key_to_spki(key, &spki, &len, e);
	return failed ? failed : member_digest(w, "key", spki, len, e);
}

int agent_config_canonical(const struct agent_config *config, char **text, size_t *len,
			   struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4096);
	int failed;

	writer_text(&w, "{");
	member(&w, "port", config->port_text);
	failed = member_certs(&w, "cert", config->cert, e);
	if (!failed)
		failed = member_certs(&w, "client_ca", config->client_ca, e);
	if (!failed)
		failed = member_certs(&w, "server_ca", config->server_ca, e);
	if (failed)
		return failed;
	member(&w, "log_level", config->log_level);
	if (config->attested_tls)
		writer_printf(&w, "%s\"attested_tls\":true", w.len > 1 ? "," : "");
	failed = member_key(&w, config->key, e);
	writer_text(&w, "}");
	if (!failed)
		failed = writer_check(&w, "agent configuration", e);
	if (failed)
		return failed;
	*text = (char *)writer_take(&w, len);
	return 0;
}
