/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest/agent_config.h"

#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"
#include "common/crypto/key.h"
#include "common/manifest/agent_certs.h"
#include "common/manifest/manifest_faults.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

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

static int presence_check(const Cvms__AgentConfig *m, struct err *e)
{
	bool cert = m->cert_file[0], key = m->key_file[0];

	if (cert != key)
		return err_set(e, ERR_INVALID, "%s without %s: TLS needs both",
			       cert ? "cert_file" : "key_file", cert ? "key_file" : "cert_file");
	/* Attested TLS has the agent's own certificate. */
	if (!cert && m->client_ca_file[0] && !m->attested_tls)
		return err_set(e, ERR_INVALID,
			       "client_ca_file without cert_file: client certificates need TLS");
	if (!cert && m->server_ca_file[0])
		return err_set(e, ERR_INVALID,
			       "server_ca_file without cert_file: it goes on where that ends");
	return 0;
}

/* OpenSSL passes over what is no certificate, so that a file of both would be taken. */
int agent_config_check_public(const Cvms__AgentConfig *m, struct err *e)
{
	const struct {
		const char *what, *text;
	} fields[] = {
		{ "cert_file", m->cert_file },
		{ "client_ca_file", m->client_ca_file },
		{ "server_ca_file", m->server_ca_file },
	};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (strstr(fields[i].text, "PRIVATE KEY-----"))
			return err_set(e, ERR_INVALID,
				       "%s: a private key, where all who see the manifest would "
				       "have it: that belongs in key_file alone",
				       fields[i].what);
	return 0;
}

static int key_check(const struct agent_config *c, const X509 *cert, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	if (key_from_private_pem(c->key, strlen(c->key), NULL, NULL, &key, e) < 0) {
		e->code = ERR_INVALID;
		return err_wrap(e, "key_file");
	}
	if (cert && X509_check_private_key(cert, key) != 1) {
		ERR_clear_error();
		return err_set(e, ERR_INVALID, "key_file is not the key of cert_file");
	}
	return c->attested_tls ? agent_config_curve(key, e) : 0;
}

/* Roots, any of which may be a client's. */
static int client_ca_check(const char *pem, struct err *e)
{
	struct agent_certs certs CLEANUP_AGENT_CERTS = { .count = 0 };

	if (!pem)
		return 0;
	if (agent_certs_read("client_ca_file", pem, &certs, e) < 0)
		return err_code(e);
	return agent_certs_some_date("client_ca_file", &certs, e);
}

/* A part of the chain that clients are shown, who need all of it. */
static int server_ca_check(const char *pem, size_t *count, struct err *e)
{
	struct agent_certs certs CLEANUP_AGENT_CERTS = { .count = 0 };

	if (!pem)
		return 0;
	if (agent_certs_read("server_ca_file", pem, &certs, e) < 0 ||
	    agent_certs_dates("server_ca_file", &certs, e) < 0)
		return err_code(e);
	*count += certs.count;
	return 0;
}

static int shown_count_check(size_t certs, size_t above, struct err *e)
{
	if (!certs || certs + above <= AGENT_CERTS_CHAIN_MAX)
		return 0;
	return err_set(e, ERR_INVALID,
		       "cert_file and server_ca_file: %zu certificates, of which clients "
		       "are shown %d at most",
		       certs + above, AGENT_CERTS_CHAIN_MAX);
}

#define FAULT(f, failed) MANIFEST_FAULT(f, failed, "agent_config")

/* Of what is here: of a field that names a file in the guest only the agent has the text. */
static void judge(const struct agent_config *c, struct manifest_faults *f)
{
	struct agent_certs certs CLEANUP_AGENT_CERTS = { .count = 0 };
	size_t above = 0;

	if (c->cert)
		FAULT(f, agent_certs_read("cert_file", c->cert, &certs, manifest_faults_next(f)));
	if (c->key)
		FAULT(f,
		      key_check(c, certs.count ? certs.certs[0] : NULL, manifest_faults_next(f)));
	FAULT(f, agent_certs_dates("cert_file", &certs, manifest_faults_next(f)));
	FAULT(f, agent_certs_order("cert_file", &certs, manifest_faults_next(f)));
	FAULT(f, client_ca_check(c->client_ca, manifest_faults_next(f)));
	FAULT(f, server_ca_check(c->server_ca, &above, manifest_faults_next(f)));
	FAULT(f, shown_count_check(certs.count, above, manifest_faults_next(f)));
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

/* `m` has what can be read here of all that is `said`. */
static void load(const Cvms__AgentConfig *m, const Cvms__AgentConfig *said,
		 const struct agent_config_files *files, struct agent_config *c,
		 struct manifest_faults *f)
{
	const struct {
		const char *what, *field;
		char **pem;
	} pems[] = {
		{ "cert_file", m->cert_file, &c->cert },
		{ "key_file", m->key_file, &c->key },
		{ "client_ca_file", m->client_ca_file, &c->client_ca },
		{ "server_ca_file", m->server_ca_file, &c->server_ca },
	};

	FAULT(f, port_parse(m->port, &c->port, manifest_faults_next(f)));
	c->attested_tls = m->attested_tls;
	FAULT(f, log_level_check(m->log_level, manifest_faults_next(f)));
	FAULT(f, copy_text(m->port, &c->port_text, manifest_faults_next(f)));
	FAULT(f, copy_text(m->log_level, &c->log_level, manifest_faults_next(f)));
	for (size_t i = 0; i < ARRAY_LEN(pems); i++)
		FAULT(f, load_pem(pems[i].what, pems[i].field, files, pems[i].pem,
				  manifest_faults_next(f)));
	FAULT(f, agent_config_check_public(said, manifest_faults_next(f)));
	FAULT(f, presence_check(said, manifest_faults_next(f)));
	judge(c, f);
}

static int load_checked(const Cvms__AgentConfig *m, const Cvms__AgentConfig *said,
			const struct agent_config_files *files, struct agent_config *config,
			struct err *e)
{
	struct agent_config c = { .port = AGENT_CONFIG_PORT_DEFAULT };
	struct manifest_faults one = { .list = e, .room = 1 };

	load(m, said, files, &c, &one);
	if (one.count) {
		agent_config_done(&c);
		return err_code(e);
	}
	*config = c;
	return 0;
}

int agent_config_load(const Cvms__AgentConfig *message, const struct agent_config_files *files,
		      struct agent_config *config, struct err *e)
{
	if (!message) {
		*config = (struct agent_config){ .port = AGENT_CONFIG_PORT_DEFAULT };
		return 0;
	}
	return load_checked(message, message, files, config, e);
}

bool agent_config_is_path(const char *field)
{
	return *field && !strchr(field, '\n') && strlen(field) <= AGENT_CONFIG_PATH_MAX;
}

/* What the maker of a manifest has of it: without the files in the guest. */
static Cvms__AgentConfig here_of(const Cvms__AgentConfig *m)
{
	Cvms__AgentConfig here = *m;
	char **const fields[] = { &here.cert_file, &here.key_file, &here.client_ca_file,
				  &here.server_ca_file };

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (agent_config_is_path(*fields[i]))
			*fields[i] = (char *)(uintptr_t)protobuf_c_empty_string;
	return here;
}

static int load_here(const Cvms__AgentConfig *m, struct agent_config *config, struct err *e)
{
	const Cvms__AgentConfig here = here_of(m);

	return load_checked(&here, m, NULL, config, e);
}

bool agent_config_check_all(const Cvms__AgentConfig *m, struct manifest_faults *faults)
{
	struct agent_config c = { .port = AGENT_CONFIG_PORT_DEFAULT };

	if (m) {
		const Cvms__AgentConfig here = here_of(m);

		load(&here, m, NULL, &c, faults);
		agent_config_done(&c);
	}
	return !faults->count || faults->list[faults->count - 1].code != ERR_EXHAUSTED;
}

int agent_config_check(const Cvms__AgentConfig *m, struct err *e)
{
	struct manifest_faults one = { .list = e, .room = 1 };

	(void)agent_config_check_all(m, &one);
	return one.count ? err_code(e) : 0;
}

static int shown_check(const struct agent_config *c, const char *host, struct err *e)
{
	struct agent_certs certs CLEANUP_AGENT_CERTS = { .count = 0 };
	struct agent_certs above CLEANUP_AGENT_CERTS = { .count = 0 };

	if (!c->cert)
		return host ? err_set(e, ERR_INVALID,
				      "there is no certificate here that could be for %s: give "
				      "--agent-cert, or a manifest's cert_file as PEM",
				      log_quote(host).text)
			    : 0;
	if (agent_certs_read("cert_file", c->cert, &certs, e) < 0)
		return err_code(e);
	/* With attested TLS it is evidence that speaks for it, unless somebody asks for more. */
	if ((host || !c->attested_tls) && agent_certs_names("cert_file", &certs, host, e) < 0)
		return err_code(e);
	if (!c->server_ca)
		return 0;
	if (agent_certs_read("server_ca_file", c->server_ca, &above, e) < 0 ||
	    agent_certs_order("server_ca_file", &above, e) < 0)
		return err_code(e);
	return agent_certs_follow(&certs, &above)
		       ? 0
		       : err_set(e, ERR_INVALID,
				 "server_ca_file: its first certificate has not signed the last of "
				 "cert_file: give the authorities between that and the root");
}

int agent_config_check_shown(const Cvms__AgentConfig *m, const char *host, struct err *e)
{
	static const Cvms__AgentConfig nothing = CVMS__AGENT_CONFIG__INIT;
	struct agent_config c;
	int failed;

	if (load_here(m ? m : &nothing, &c, e) < 0)
		return err_code(e);
	failed = shown_check(&c, host, e);
	agent_config_done(&c);
	return failed ? err_wrap(e, "agent_config") : 0;
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
	struct agent_certs certs CLEANUP_AGENT_CERTS = { .count = 0 };

	if (!pem)
		return 0;
	if (agent_certs_read(key, pem, &certs, e) < 0 || agent_certs_der(&certs, &der, e) < 0)
		return err_code(e);
	return member_digest(w, key, der.bytes, der.len, e);
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
