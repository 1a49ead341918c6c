/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A manifest's agent configuration with keys and certificates. Input: flags(1), then port, log level,
 * cert_file, key_file, client_ca_file, server_ca_file: how(1), and for raw text length(2) bytes, for a
 * changed one place(2) xor(1), for two of them which(1) besides.
 *
 * What loads has both halves of a pair, which belong together, in a form that TLS and attested TLS take, and
 * a canonical form that is JSON.
 */
#include "agent/core/identity.h"
#include "common/base/json.h"
#include "common/base/reader.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"
#include "common/manifest/agent_certs.h"
#include "common/manifest/agent_config.h"
#include "common/rpc/tls.h"
#include "tests/self_signed.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

DEFINE_CLEANUP(struct json *, json_free)

enum how { HOW_EMPTY, HOW_RAW, HOW_KNOWN, HOW_CHANGED, HOW_TWO, HOWS };

enum text {
	CERT,
	KEY,
	OTHER_CERT,
	OTHER_KEY,
	EXPIRED,
	EARLY,
	PUBLIC,
	PATH_CERT,
	PATH_KEY,
	PATH_OTHER,
	TEXTS
};
static char *texts[TEXTS];

/* The agent's own, and the same out of its time. */
static void make_pair(void)
{
	struct identity own;
	CLEANUP(BIO_free_all) BIO *bio = NULL;
	CLEANUP(X509_free) X509 *cert = NULL;
	struct err e;

	assert(identity_make(&own, &e) == 0);
	assert(key_to_private_pem(own.key, &texts[KEY], &e) == 0);
	assert(key_to_public_pem(own.key, &texts[PUBLIC], &e) == 0);
	texts[CERT] = strdup(own.chain_pem);
	bio = BIO_new_mem_buf(own.chain_pem, -1);
	cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	assert(cert && X509_gmtime_adj(X509_getm_notAfter(cert), -60));
	texts[EXPIRED] = self_signed_pem(cert);
	assert(X509_gmtime_adj(X509_getm_notAfter(cert), 7200) &&
	       X509_gmtime_adj(X509_getm_notBefore(cert), 3600));
	texts[EARLY] = self_signed_pem(cert);
	identity_done(&own);
}

static void make_other_pair(void)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *made = EVP_EC_gen("P-384");
	CLEANUP(X509_free) X509 *x509 = made ? self_signed(made, "other", NULL, 0) : NULL;
	struct err e;

	assert(x509 && key_to_private_pem(made, &texts[OTHER_KEY], &e) == 0);
	texts[OTHER_CERT] = self_signed_pem(x509);
}

static void prepare(void)
{
	make_pair();
	make_other_pair();
	texts[PATH_CERT] = strdup("/certs/cert.pem");
	texts[PATH_KEY] = strdup("/certs/key.pem");
	texts[PATH_OTHER] = strdup("/etc/shadow");
	for (size_t i = 0; i < TEXTS; i++)
		assert(texts[i]);
}

static const char *file_text(const void *data, const char *path)
{
	if (strcmp(path, texts[PATH_CERT]) == 0)
		return texts[CERT];
	return strcmp(path, texts[PATH_KEY]) == 0 ? texts[KEY] : NULL;
}

static const struct agent_config_files files = { file_text, NULL };

/* Malloc'ed. */
static char *field(struct reader *r)
{
	enum how how = reader_u8(r) % HOWS;
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 17);
	size_t len;

	if (how == HOW_RAW) {
		len = reader_be16(r);
		if (len > reader_left(r))
			len = reader_left(r);
		writer_bytes(&w, reader_take(r, len), len);
	} else if (how != HOW_EMPTY) {
		writer_text(&w, texts[reader_u8(r) % TEXTS]);
	}
	if (how == HOW_CHANGED) {
		len = reader_be16(r) % w.len;
		w.bytes[len] ^= reader_u8(r);
	} else if (how == HOW_TWO) {
		writer_text(&w, texts[reader_u8(r) % TEXTS]);
	}
	writer_u8(&w, 0);
	return (char *)writer_take(&w, &len);
}

static void check_tls(const struct agent_config *c)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	const struct rpc_tls_config t = { .cert = c->cert, .key = c->key, .ca = c->client_ca };
	struct identity identity;
	struct err e;

	if (!c->cert)
		return;
	/* What only TLS refuses (a chain that is too long) it says. */
	if (rpc_tls_new_server(&t, &tls, &e) < 0)
		assert(!tls && e.text[0]);
	if (!c->attested_tls)
		return;
	assert(identity_take(c, &identity, &e) == 0);
	assert(identity.external && agent_config_curve(identity.key, &e) == 0);
	assert(identity.leaf_len > 0 && identity.spki_len > 0);
	identity_done(&identity);
}

static void check_canonical(const struct agent_config *c)
{
	CLEANUP(json_free) struct json *root = NULL;
	CLEANUP(free) char *text = NULL;
	size_t len;
	struct err e;

	assert(agent_config_canonical(c, &text, &len, &e) == 0);
	assert(json_parse(text, len, &root, &e) == 0);
	assert(!json_get(root, "cert") == !c->cert && !json_get(root, "key") == !c->key);
	assert(!json_get(root, "attested_tls") == !c->attested_tls);
	assert(!json_get(root, "client_ca") == !c->client_ca);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	uint8_t flags = reader_u8(&r);
	Cvms__AgentConfig m = CVMS__AGENT_CONFIG__INIT;
	char *fields[6];
	struct agent_config c;
	struct err e;

	if (!texts[0])
		prepare();
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		fields[i] = field(&r);
		assert(fields[i]);
	}
	m.port = fields[0];
	m.log_level = fields[1];
	m.cert_file = fields[2];
	m.key_file = fields[3];
	m.client_ca_file = fields[4];
	m.server_ca_file = fields[5];
	m.attested_tls = flags & 1;
	(void)!agent_config_check(&m, &e);
	(void)agent_certs_outdated("client_ca_file", m.client_ca_file, &e);
	(void)!agent_config_check_shown(&m, flags & 2 ? NULL : "localhost", &e);
	if (agent_config_load(&m, flags & 2 ? NULL : &files, &c, &e) == 0) {
		assert(c.port > 0 && !c.cert == !c.key);
		check_tls(&c);
		check_canonical(&c);
		assert(agent_config_check(&m, &e) == 0);
		agent_config_done(&c);
	} else {
		assert(e.text[0]);
	}
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		free(fields[i]);
	return 0;
}
