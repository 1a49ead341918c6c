/* SPDX-License-Identifier: Apache-2.0 */
#include "common/preflight/preflight_tls.h"

#include "common/base/file.h"
#include "common/base/timestamp.h"
#include "common/base/wipe.h"
#include "common/crypto/key.h"
#include "common/rpc/tls.h"

#include <string.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { NAME_TEXT_MAX = 200 };

static void name_of(X509 *cert, char text[NAME_TEXT_MAX])
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
	int len = 0;

	if (bio && X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, XN_FLAG_ONELINE) >= 0)
		len = BIO_read(bio, text, NAME_TEXT_MAX - 1);
	text[len > 0 ? len : 0] = '\0';
}

static void date_of(const ASN1_TIME *time, char text[TIMESTAMP_TEXT_MAX])
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) == 1)
		timestamp_format(timegm(&tm), text);
	else
		snprintf(text, TIMESTAMP_TEXT_MAX, "a date that can't be read");
}

/* `what` it is for: "certificate", "client authority". */
static int check_dates(X509 *cert, const char *what, struct err *e)
{
	const ASN1_TIME *from = X509_get0_notBefore(cert), *to = X509_get0_notAfter(cert);
	char name[NAME_TEXT_MAX], date[TIMESTAMP_TEXT_MAX];
	int begun = X509_cmp_current_time(from), ended = X509_cmp_current_time(to);

	if (begun < 0 && ended > 0)
		return 0;
	name_of(cert, name);
	date_of(begun > 0 ? from : to, date);
	if (!begun || !ended)
		return err_set(e, ERR_INVALID, "%s '%s' has dates that can't be read", what, name);
	return err_set(e, ERR_PRECONDITION, "%s '%s' %s %s", what, name,
		       begun > 0 ? "is not valid before" : "expired at", date);
}

static int check_link(X509 *subject, X509 *issuer, struct err *e)
{
	char name[NAME_TEXT_MAX], other[NAME_TEXT_MAX];

	if (X509_check_issued(issuer, subject) == X509_V_OK &&
	    X509_verify(subject, X509_get0_pubkey(issuer)) == 1)
		return 0;
	name_of(subject, name);
	name_of(issuer, other);
	return err_set(e, ERR_PRECONDITION,
		       "'%s' is followed by '%s', which is not its issuer: a chain goes from the "
		       "certificate up",
		       name, other);
}

static int check_chain(SSL_CTX *context, struct err *e)
{
	X509 *cert = SSL_CTX_get0_certificate(context);
	STACK_OF(X509) *chain = NULL;

	SSL_CTX_get0_chain_certs(context, &chain);
	if (check_dates(cert, "certificate", e) < 0)
		return err_code(e);
	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509 *above = sk_X509_value(chain, i);

		if (check_dates(above, "certificate", e) < 0 || check_link(cert, above, e) < 0)
			return err_code(e);
		cert = above;
	}
	return 0;
}

static int check_authorities(SSL_CTX *context, const char *what, struct err *e)
{
	STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));

	for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
		X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));

		if (cert && check_dates(cert, what, e) < 0)
			return err_code(e);
	}
	return 0;
}

static int read_text(const char *path, char **text, struct err *e)
{
	return path ? file_read_text(path, RPC_TLS_PEM_MAX, text, e) : 0;
}

int preflight_tls(const struct preflight_tls *files, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	CLEANUP(free) char *cert = NULL, *between = NULL, *clients = NULL, *all = NULL;
	CLEANUP(wipe) char *key = NULL;
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	char date[TIMESTAMP_TEXT_MAX];

	if (!files->cert)
		return preflight_not_asked(found, "no certificate is set");
	if (read_text(files->cert, &cert, e) < 0 || read_text(files->key, &key, e) < 0 ||
	    read_text(files->between, &between, e) < 0 ||
	    read_text(files->clients, &clients, e) < 0 ||
	    text_format(&all, e, "%s\n%s", cert, between ? between : "") < 0)
		return err_code(e);
	if (rpc_tls_new_server(&(struct rpc_tls_config){ .cert = all, .key = key, .ca = clients },
			       &tls, e) < 0)
		return err_wrap(e, "'%s'", files->cert);
	if (check_chain(rpc_tls_context(tls), e) < 0 ||
	    (clients && check_authorities(rpc_tls_context(tls), "client authority", e) < 0))
		return err_code(e);
	date_of(X509_get0_notAfter(SSL_CTX_get0_certificate(rpc_tls_context(tls))), date);
	return preflight_found(found, "'%s' is valid until %s, %s", files->cert, date,
			       clients ? "clients need one, too" : "clients need none");
}

int preflight_tls_client(const struct preflight_tls_client *files, char found[PREFLIGHT_TEXT_MAX],
			 struct err *e)
{
	CLEANUP(free) char *authorities = NULL, *cert = NULL;
	CLEANUP(wipe) char *key = NULL;
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	char date[TIMESTAMP_TEXT_MAX];

	if (!files->authorities && !files->cert)
		return preflight_not_asked(found, "no certificate is set");
	if (read_text(files->authorities, &authorities, e) < 0 ||
	    read_text(files->cert, &cert, e) < 0 || read_text(files->key, &key, e) < 0)
		return err_code(e);
	if (rpc_tls_new_client(
		    &(struct rpc_tls_config){ .cert = cert, .key = key, .ca = authorities }, &tls,
		    e) < 0)
		return err_wrap(e, "'%s'", files->cert ? files->cert : files->authorities);
	if ((cert && check_chain(rpc_tls_context(tls), e) < 0) ||
	    (authorities && check_authorities(rpc_tls_context(tls), "authority", e) < 0))
		return err_code(e);
	if (!cert)
		return preflight_found(found, "authorities in '%s'", files->authorities);
	date_of(X509_get0_notAfter(SSL_CTX_get0_certificate(rpc_tls_context(tls))), date);
	return preflight_found(found, "'%s' is valid until %s", files->cert, date);
}

static X509 *next_of(BIO *bio, bool pem)
{
	return pem ? PEM_read_bio_X509(bio, NULL, key_no_passphrase, NULL)
		   : d2i_X509_bio(bio, NULL);
}

int preflight_certificates(const char *path, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	CLEANUP(BIO_free_all) BIO *bio = NULL;
	size_t len, count = 0;
	bool pem;

	if (file_read(path, RPC_TLS_PEM_MAX, &bytes, &len, e) < 0)
		return err_code(e);
	pem = memmem(bytes, len, "-----BEGIN", 10) != NULL;
	bio = BIO_new_mem_buf(bytes, (int)len);
	if (!bio)
		return err_nomem(e);
	for (;; count++) {
		CLEANUP(X509_free) X509 *cert = next_of(bio, pem);

		if (!cert)
			break;
		if (check_dates(cert, "certificate", e) < 0)
			return err_wrap(e, "'%s'", path);
	}
	ERR_clear_error();
	if (!count)
		return err_set(e, ERR_INVALID, "'%s' holds no certificate", path);
	return preflight_found(found, "'%s', valid today", path);
}
