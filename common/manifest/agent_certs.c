/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest/agent_certs.h"

#include "common/base/log.h"
#include "common/crypto/key.h"

#include <time.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

void agent_certs_done(struct agent_certs *certs)
{
	for (size_t i = 0; i < certs->count; i++)
		X509_free(certs->certs[i]);
	certs->count = 0;
}

int agent_certs_read(const char *what, const char *pem, struct agent_certs *certs, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new_mem_buf(pem, -1);
	struct agent_certs read CLEANUP_AGENT_CERTS = { .count = 0 };

	if (!bio)
		return err_nomem(e);
	for (;;) {
		X509 *cert = PEM_read_bio_X509(bio, NULL, key_no_passphrase, NULL);

		if (!cert)
			break;
		if (read.count == AGENT_CERTS_MAX) {
			X509_free(cert);
			return err_set(e, ERR_INVALID, "%s: more than %d certificates", what,
				       AGENT_CERTS_MAX);
		}
		read.certs[read.count++] = cert;
	}
	/* The loop's last try ended with 'no start line' if there are only certificates. */
	if (read.count == 0 || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		ERR_clear_error();
		return err_set(e, ERR_INVALID, "%s: holds no certificate, or a damaged one", what);
	}
	ERR_clear_error();
	*certs = read;
	read.count = 0;
	return 0;
}

int agent_certs_der(const struct agent_certs *certs, struct writer *der, struct err *e)
{
	for (size_t i = 0; i < certs->count; i++) {
		CLEANUP(free) uint8_t *copy = NULL;
		uint8_t *end;
		int len = i2d_X509(certs->certs[i], NULL);

		if (len <= 0)
			return err_openssl(e, ERR_INVALID, "a certificate that cannot be written");
		copy = end = malloc((size_t)len);
		if (!copy)
			return err_nomem(e);
		i2d_X509(certs->certs[i], &end);
		writer_bytes(der, copy, (size_t)len);
	}
	return writer_check(der, "certificates", e);
}

/* Said here, by whoever gives or takes it, and not by every client later. */
static int date_check(const char *what, const X509 *cert, struct err *e)
{
	bool late = X509_cmp_current_time(X509_get0_notAfter(cert)) <= 0;
	const ASN1_TIME *date = late ? X509_get0_notAfter(cert) : X509_get0_notBefore(cert);
	char day[32] = "an unreadable date";
	struct tm tm;

	if (!late && X509_cmp_current_time(date) < 0)
		return 0;
	if (ASN1_TIME_to_tm(date, &tm) == 1)
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%SZ", &tm);
	ERR_clear_error();
	return err_set(e, ERR_INVALID, "%s: a certificate %s %s: give one that is valid", what,
		       late ? "expired at" : "is not valid before", day);
}

int agent_certs_dates(const char *what, const struct agent_certs *certs, struct err *e)
{
	for (size_t i = 0; i < certs->count; i++)
		if (date_check(what, certs->certs[i], e) < 0)
			return err_code(e);
	return 0;
}

/* How many are not valid now, and of the first of them why. */
static size_t count_outdated(const char *what, const struct agent_certs *certs, struct err *e)
{
	size_t count = 0;

	for (size_t i = 0; i < certs->count; i++) {
		struct err why;

		if (date_check(what, certs->certs[i], &why) < 0 && count++ == 0)
			*e = why;
	}
	return count;
}

int agent_certs_some_date(const char *what, const struct agent_certs *certs, struct err *e)
{
	return count_outdated(what, certs, e) == certs->count ? err_code(e) : 0;
}

bool agent_certs_outdated(const char *what, const char *pem, struct err *e)
{
	struct agent_certs certs CLEANUP_AGENT_CERTS = { .count = 0 };
	struct err why;
	size_t count;

	if (agent_certs_read(what, pem, &certs, &why) < 0)
		return false;
	count = count_outdated(what, &certs, &why);
	if (count)
		err_set(e, ERR_INVALID, "%s (%zu of %zu)", why.text, count, certs.count);
	return count != 0;
}

static bool has_signed(X509 *above, X509 *cert)
{
	EVP_PKEY *key = X509_get0_pubkey(above);
	bool yes =
		key && X509_check_issued(above, cert) == X509_V_OK && X509_verify(cert, key) == 1;

	ERR_clear_error();
	return yes;
}

int agent_certs_order(const char *what, const struct agent_certs *certs, struct err *e)
{
	for (size_t i = 1; i < certs->count; i++)
		if (!has_signed(certs->certs[i], certs->certs[i - 1]))
			return err_set(e, ERR_INVALID,
				       "%s: certificate %zu has not signed certificate %zu: the "
				       "agent's own comes first, and behind each one who signed it",
				       what, i + 1, i);
	return 0;
}

bool agent_certs_follow(const struct agent_certs *certs, const struct agent_certs *above)
{
	X509 *last = certs->certs[certs->count - 1];

	return has_signed(last, last) || has_signed(above->certs[0], last);
}

static bool bears_name(const X509 *cert)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	bool found = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		found |= name->type == GEN_DNS || name->type == GEN_IPADD;
	}
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	return found;
}

/* As our own clients compare it (rpc/tls.c). */
static bool is_for(X509 *cert, const char *host)
{
	int found = X509_check_ip_asc(cert, host, 0);

	if (found == -2) /* no address */
		found = X509_check_host(cert, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL);
	ERR_clear_error();
	return found == 1;
}

int agent_certs_names(const char *what, const struct agent_certs *certs, const char *host,
		      struct err *e)
{
	X509 *leaf = certs->certs[0];

	if (!bears_name(leaf))
		return err_set(e, ERR_INVALID,
			       "%s: bears no name that clients compare: give one with the agent's "
			       "host in subjectAltName (DNS: or IP:)",
			       what);
	if (host && !is_for(leaf, host))
		return err_set(e, ERR_INVALID,
			       "%s: is not for %s, so that clients refuse it there: give one with "
			       "that name in subjectAltName",
			       what, log_quote(host).text);
	return 0;
}
