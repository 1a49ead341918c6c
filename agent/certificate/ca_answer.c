/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/certificate/ca_answer.h"

#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/base/timestamp.h"

#include <stdio.h>
#include <string.h>
#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define ROLE  "agent"

DEFINE_CLEANUP(BIGNUM *, BN_free)
DEFINE_CLEANUP(GENERAL_NAMES *, GENERAL_NAMES_free)
DEFINE_CLEANUP(EXTENDED_KEY_USAGE *, EXTENDED_KEY_USAGE_free)

void ca_issued_done(struct ca_issued *issued)
{
	X509_free(issued->cert);
	EVP_PKEY_free(issued->key);
	free(issued->chain_pem);
	*issued = (struct ca_issued){ 0 };
}

/* ---- from PEM ---- */

/* As OpenSSL would write it again: nothing behind it, no other form of the same. */
static X509 *parse(const unsigned char *der, long len)
{
	const unsigned char *at = der;
	X509 *cert = d2i_X509(NULL, &at, len);

	if (cert && at == der + len && i2d_X509(cert, NULL) == len)
		return cert;
	X509_free(cert);
	return NULL;
}

/* One certificate, from the first byte to the last. */
static int read_pem(const char *pem, const char *what, X509 **out, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = NULL;
	CLEANUP(X509_free) X509 *cert = NULL;
	const size_t len = strnlen(pem, CA_ANSWER_PEM_MAX + 1);
	char *name = NULL, *header = NULL, *rest;
	unsigned char *der = NULL;
	long der_len = 0;

	if (len > CA_ANSWER_PEM_MAX)
		return err_set(e, ERR_INVALID, "%s: more than %d bytes of PEM", what,
			       CA_ANSWER_PEM_MAX);
	bio = BIO_new_mem_buf(pem, (int)len);
	if (!bio)
		return err_nomem(e);
	if (strncmp(pem, BEGIN, strlen(BEGIN)) == 0 &&
	    PEM_read_bio(bio, &name, &header, &der, &der_len) == 1 && !*header)
		cert = parse(der, der_len);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	if (!cert)
		return err_openssl(e, ERR_INVALID, "%s: there is no certificate in PEM", what);
	if (BIO_get_mem_data(bio, &rest) > 0)
		return err_set(e, ERR_INVALID, "%s: something is behind the certificate", what);
	*out = TAKE_PTR(cert);
	return 0;
}

/* ---- whose it is ---- */

/* As the service writes it. */
static int read_serial(X509 *cert, const char *said, char out[RENEWAL_SERIAL_MAX + 1],
		       struct err *e)
{
	CLEANUP(BN_free)
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	uint8_t bytes[RENEWAL_SERIAL_MAX / 2];
	const int len = number ? BN_num_bytes(number) : 0;

	if (len < 1 || (size_t)len > sizeof(bytes) || BN_is_negative(number))
		return err_set(e, ERR_INVALID, "its serial number is not of 1 to %zu bytes",
			       sizeof(bytes));
	BN_bn2bin(number, bytes);
	hex_encode(bytes, (size_t)len, out);
	if (strcmp(out, said) != 0)
		return err_set(e, ERR_INVALID, "its serial number is %s, and the answer says %s",
			       out, log_quote(said).text);
	return 0;
}

static bool is_text(const ASN1_STRING *string, const char *text)
{
	const size_t len = strlen(text);

	return string && (size_t)ASN1_STRING_length(string) == len &&
	       memcmp(ASN1_STRING_get0_data(string), text, len) == 0;
}

static bool has_common_name(X509 *cert, const char *name)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	return at >= 0 && X509_NAME_get_index_by_NID(subject, NID_commonName, at) < 0 &&
	       is_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), name);
}

/* Its only other name is spiffe://DOMAIN/agent/NAME. */
static bool has_spiffe_id(X509 *cert, const char *name)
{
	CLEANUP(GENERAL_NAMES_free)
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	const GENERAL_NAME *only;
	const char scheme[] = "spiffe://";
	const size_t before = strlen(scheme), behind = strlen("/" ROLE "/") + strlen(name);
	char end[128];
	const char *id;
	size_t len;

	if (!names || sk_GENERAL_NAME_num(names) != 1)
		return false;
	only = sk_GENERAL_NAME_value(names, 0);
	if (only->type != GEN_URI)
		return false;
	id = (const char *)ASN1_STRING_get0_data(only->d.uniformResourceIdentifier);
	len = (size_t)ASN1_STRING_length(only->d.uniformResourceIdentifier);
	snprintf(end, sizeof(end), "/" ROLE "/%s", name);
	return len > before + behind && memcmp(id, scheme, before) == 0 &&
	       !memchr(id + before, '/', len - before - behind) &&
	       memcmp(id + len - behind, end, behind) == 0;
}

static int check_name(const Certificates__IssueResponse *m, X509 *cert, const char *name,
		      struct err *e)
{
	if (strcmp(m->role, ROLE) != 0)
		return err_set(e, ERR_INVALID, "it is of role %s, and not an agent's",
			       log_quote(m->role).text);
	if (strcmp(m->name, name) != 0)
		return err_set(e, ERR_INVALID, "it is for %s, and not for '%s'",
			       log_quote(m->name).text, name);
	if (!has_common_name(cert, name) || !has_spiffe_id(cert, name))
		return err_set(e, ERR_INVALID,
			       "it is not for '%s': that is not its one common name and the end of "
			       "its one other name, spiffe://…/" ROLE "/NAME",
			       name);
	return 0;
}

/* ---- what it is for ---- */

/* One purpose: OpenSSL's flags for it pass over those that it does not know. */
static bool is_for_clients(X509 *cert)
{
	CLEANUP(EXTENDED_KEY_USAGE_free)
	EXTENDED_KEY_USAGE *purposes = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);

	return purposes && sk_ASN1_OBJECT_num(purposes) == 1 &&
	       OBJ_obj2nid(sk_ASN1_OBJECT_value(purposes, 0)) == NID_client_auth;
}

static int check_use(X509 *cert, struct err *e)
{
	const uint32_t flags = X509_get_extension_flags(cert);
	const uint32_t usage = X509_get_key_usage(cert);

	if (flags & EXFLAG_INVALID || X509_get_version(cert) != X509_VERSION_3)
		return err_openssl(e, ERR_INVALID,
				   "its version is not 3, or an extension is broken");
	if (flags & EXFLAG_CRITICAL)
		return err_set(e, ERR_INVALID, "it has a critical extension that nobody knows");
	if (flags & EXFLAG_CA ||
	    (flags & EXFLAG_KUSAGE && usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)))
		return err_set(e, ERR_INVALID, "it is an authority's");
	if (!(flags & EXFLAG_KUSAGE) || !(usage & KU_DIGITAL_SIGNATURE))
		return err_set(e, ERR_INVALID, "its key may not sign");
	if (!is_for_clients(cert))
		return err_set(e, ERR_INVALID, "it is not for TLS clients and for nothing else");
	return 0;
}

/* False: no moment that there is. */
static bool moment(const ASN1_TIME *time, int64_t *seconds)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return false;
	return timestamp_of(&(struct timestamp_parts){ (unsigned)tm.tm_year + 1900,
						       (unsigned)tm.tm_mon + 1,
						       (unsigned)tm.tm_mday, (unsigned)tm.tm_hour,
						       (unsigned)tm.tm_min, (unsigned)tm.tm_sec },
			    seconds);
}

static int check_times(X509 *cert, int64_t now, struct ca_issued *issued, struct err *e)
{
	char text[TIMESTAMP_TEXT_MAX];

	if (!moment(X509_get0_notBefore(cert), &issued->from) ||
	    !moment(X509_get0_notAfter(cert), &issued->until))
		return err_set(e, ERR_INVALID, "it has no time");
	if (issued->from > now + CA_ANSWER_SKEW_S) {
		timestamp_format(issued->from, text);
		return err_set(e, ERR_INVALID, "it is not valid before %s", text);
	}
	if (issued->until <= now) {
		timestamp_format(issued->until, text);
		return err_set(e, ERR_INVALID, "it has ended, at %s", text);
	}
	if (issued->until - issued->from > CA_ANSWER_LIFE_S_MAX)
		return err_set(e, ERR_INVALID, "it is for more than %d days",
			       CA_ANSWER_LIFE_S_MAX / 86400);
	return 0;
}

/* ---- who signed it ---- */

static int check_strength(X509 *cert, X509 *authority, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len = 0;
	int bits = 0;

	if (X509_get_signature_info(cert, NULL, NULL, &bits, NULL) != 1 ||
	    bits < CA_ANSWER_STRENGTH)
		return err_openssl(e, ERR_INVALID, "its signature is weak: %d bits of security",
				   bits);
	if (!X509_get0_pubkey(authority) ||
	    key_to_spki(X509_get0_pubkey(authority), &spki, &len, e) < 0 ||
	    key_parse_spki(spki, len, &key, e) < 0)
		return err_set(e, ERR_INVALID, "its authority's key is of no kind that is taken");
	return 0;
}

static int check_signer(X509 *cert, X509 *authority, const struct ca_wish *wish, struct err *e)
{
	if (check_strength(cert, authority, e) < 0)
		return err_code(e);
	if (X509_check_ca(authority) != 1 || X509_check_issued(authority, cert) != X509_V_OK ||
	    X509_verify(cert, X509_get0_pubkey(authority)) != 1)
		return err_openssl(e, ERR_INVALID,
				   "it is not signed by the authority that came with it");
	if (wish->before && X509_verify(wish->before->cert, X509_get0_pubkey(authority)) != 1)
		return err_openssl(
			e, ERR_INVALID,
			"it is of another authority than the certificate that it renews");
	return 0;
}

/* ---- all of it ---- */

static int write_chain(X509 *cert, X509 *authority, char **pem, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len;

	if (!bio || PEM_write_bio_X509(bio, cert) != 1 ||
	    (X509_NAME_cmp(X509_get_subject_name(authority), X509_get_issuer_name(authority)) &&
	     PEM_write_bio_X509(bio, authority) != 1))
		return err_openssl(e, ERR_INTERNAL, "the certificate");
	len = BIO_get_mem_data(bio, &text);
	*pem = strndup(text, (size_t)len);
	return *pem ? 0 : err_nomem(e);
}

static int read_all(const Certificates__IssueResponse *m, const struct ca_wish *wish,
		    struct ca_issued *made, struct err *e)
{
	CLEANUP(X509_free) X509 *authority = NULL;

	if (m->base.n_unknown_fields || (m->expires && m->expires->base.n_unknown_fields))
		return err_set(e, ERR_INVALID, "it has a field that nobody knows");
	if (read_pem(m->certificate, "certificate", &made->cert, e) < 0 ||
	    read_pem(m->authority, "authority", &authority, e) < 0)
		return err_code(e);
	if (EVP_PKEY_eq(X509_get0_pubkey(made->cert), wish->key) != 1)
		return err_openssl(e, ERR_INVALID, "it is for another key");
	if (check_name(m, made->cert, wish->name, e) < 0 || check_use(made->cert, e) < 0 ||
	    read_serial(made->cert, m->serial, made->serial, e) < 0 ||
	    check_times(made->cert, wish->now, made, e) < 0 ||
	    check_signer(made->cert, authority, wish, e) < 0)
		return err_code(e);
	return write_chain(made->cert, authority, &made->chain_pem, e);
}

int ca_answer_read(const Certificates__IssueResponse *answer, const struct ca_wish *wish,
		   struct ca_issued *issued, struct err *e)
{
	struct ca_issued made = { 0 };

	if (read_all(answer, wish, &made, e) < 0) {
		ca_issued_done(&made);
		return err_wrap(e, "the authority's certificate is refused");
	}
	EVP_PKEY_up_ref(wish->key);
	made.key = wish->key;
	*issued = made;
	return 0;
}
