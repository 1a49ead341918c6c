/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/identity.h"

#include "common/crypto/digest.h"
#include "common/manifest/agent_config.h"

#include <string.h>
#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

DEFINE_CLEANUP(BIGNUM *, BN_free)

void identity_done(struct identity *identity)
{
	EVP_PKEY_free(identity->key);
	free(identity->spki);
	free(identity->leaf);
	free(identity->chain_pem);
	*identity = (struct identity){ 0 };
}

/* Fills what follows from key and certificate. */
static int complete(struct identity *identity, X509 *cert, struct err *e)
{
	uint8_t *end;
	int len = i2d_X509(cert, NULL);

	if (len <= 0)
		return err_openssl(e, ERR_INTERNAL, "the identity's certificate");
	identity->leaf = end = malloc((size_t)len);
	if (!identity->leaf)
		return err_nomem(e);
	identity->leaf_len = (size_t)i2d_X509(cert, &end);
	return key_to_spki(identity->key, &identity->spki, &identity->spki_len, e);
}

static int set_serial(X509 *cert, struct err *e)
{
	CLEANUP(BN_free) BIGNUM *number = NULL;
	uint8_t random[16];

	if (random_bytes(random, sizeof(random), e) < 0)
		return err_code(e);
	random[0] = (uint8_t)((random[0] & 0x7f) | 0x40); /* positive, always of 16 bytes */
	number = BN_bin2bn(random, sizeof(random), NULL);
	if (!number || !BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)))
		return err_openssl(e, ERR_INTERNAL, "the identity's certificate");
	return 0;
}

static bool add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool added = extension && X509_add_ext(cert, extension, -1) == 1;

	X509_EXTENSION_free(extension);
	return added;
}

/* RFC 5280: 99991231235959Z says that there is no good end; the clock is the host's anyway. */
static bool fill(X509 *cert, EVP_PKEY *key)
{
	X509_NAME *name = X509_get_subject_name(cert);

	return X509_set_version(cert, X509_VERSION_3) == 1 &&
	       ASN1_TIME_set_string(X509_getm_notBefore(cert), "20200101000000Z") == 1 &&
	       ASN1_TIME_set_string(X509_getm_notAfter(cert), "99991231235959Z") == 1 &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					  (const unsigned char *)"cocos-agent", -1, -1, 0) == 1 &&
	       X509_set_issuer_name(cert, name) == 1 && X509_set_pubkey(cert, key) == 1 &&
	       add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(cert, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(cert, NID_ext_key_usage, "serverAuth") &&
	       add_extension(cert, NID_subject_alt_name, "DNS:cocos-agent") &&
	       X509_sign(cert, key, EVP_sha256()) > 0;
}

static int write_pem(X509 *cert, char **pem, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len;

	if (!bio || PEM_write_bio_X509(bio, cert) != 1)
		return err_openssl(e, ERR_INTERNAL, "the identity's certificate");
	len = BIO_get_mem_data(bio, &text);
	*pem = strndup(text, (size_t)len);
	return *pem ? 0 : err_nomem(e);
}

int identity_make(struct identity *out, struct err *e)
{
	CLEANUP(X509_free) X509 *cert = X509_new();
	struct identity made = { 0 };
	int failed = cert ? key_generate(KEY_ECDSA, &made.key, e) : err_nomem(e);

	if (!failed)
		failed = set_serial(cert, e);
	if (!failed && !fill(cert, made.key))
		failed = err_openssl(e, ERR_INTERNAL, "the identity's certificate");
	if (!failed)
		failed = write_pem(cert, &made.chain_pem, e);
	if (!failed)
		failed = complete(&made, cert, e);
	if (failed)
		identity_done(&made);
	else
		*out = made;
	return failed;
}

int identity_take(const struct agent_config *config, struct identity *out, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new_mem_buf(config->cert, -1);
	CLEANUP(X509_free) X509 *cert = NULL;
	struct identity made = { .external = true };
	int failed = 0;

	cert = bio ? PEM_read_bio_X509(bio, NULL, key_no_passphrase, NULL) : NULL;
	if (!cert)
		return err_openssl(e, ERR_INVALID, "cert_file");
	failed = key_from_private_pem(config->key, strlen(config->key), NULL, NULL, &made.key, e);
	if (!failed)
		failed = agent_config_curve(made.key, e);
	if (!failed)
		failed = complete(&made, cert, e);
	if (!failed && !(made.chain_pem = strdup(config->cert)))
		failed = err_nomem(e);
	if (failed)
		identity_done(&made);
	else
		*out = made;
	return failed;
}
