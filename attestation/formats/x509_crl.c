/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/formats/x509_crl.h"

#include "common/base/der.h"

#include <inttypes.h>
#include <string.h>

#define OID_CRL_NUMBER         "2.5.29.20"
#define OID_DELTA              "2.5.29.27"
#define OID_DISTRIBUTION_POINT "2.5.29.28"

/* RFC 5280, 5.1: Extensions, each once and none critical; and none that makes the list a partial
 * one, which the RFC wants critical. */
static int read_extensions(struct reader *list, struct span *number, struct err *e)
{
	struct span seen[X509_EXTENSIONS_MAX];
	size_t count = 0;

	if (!reader_left(list))
		return err_set(e, ERR_INVALID, "malformed extensions");
	while (reader_left(list) > 0) {
		struct reader one = der_enter(list, DER_SEQUENCE);
		struct span oid = der_body(&one, DER_OID);
		struct reader value;

		if (der_peek(&one, DER_BOOLEAN))
			return err_set(e, ERR_INVALID, "a critical extension: not a plain list");
		value = span_reader(der_body(&one, DER_OCTET_STRING));
		if (!reader_done(&one) || count == X509_EXTENSIONS_MAX)
			return err_set(e, ERR_INVALID, "malformed extension");
		for (size_t i = 0; i < count; i++)
			if (span_equal(seen[i], oid))
				return err_set(e, ERR_INVALID, "an extension is there twice");
		seen[count++] = oid;
		if (number &&
		    (der_oid_is(oid, OID_DELTA) || der_oid_is(oid, OID_DISTRIBUTION_POINT)))
			return err_set(e, ERR_INVALID, "a part of a list: not a plain one");
		if (number && der_oid_is(oid, OID_CRL_NUMBER)) {
			*number = der_body(&value, DER_INTEGER);
			if (!reader_done(&value))
				return err_set(e, ERR_INVALID, "malformed cRLNumber");
		}
	}
	return 0;
}

/* The next of revokedCertificates; its serial number goes to `serial`. */
static int read_entry(struct reader *list, struct span *serial, struct err *e)
{
	struct reader one = der_enter(list, DER_SEQUENCE);
	struct reader extensions;

	*serial = der_body(&one, DER_INTEGER);
	der_time(&one);
	if (reader_ok(&one) && reader_left(&one)) {
		extensions = der_enter(&one, DER_SEQUENCE);
		if (!reader_ok(&extensions) || read_extensions(&extensions, NULL, e) < 0)
			return err_set(e, ERR_INVALID,
				       "an entry with extensions that we can't judge");
	}
	if (!reader_done(&one))
		return err_set(e, ERR_INVALID, "malformed entry");
	return 0;
}

static int read_revoked(struct x509_crl *crl, struct err *e)
{
	struct reader list = span_reader(crl->revoked);
	struct span serial;

	while (reader_left(&list) > 0) {
		if (++crl->revoked_count > X509_CRL_ENTRIES_MAX)
			return err_set(e, ERR_INVALID, "more than %d entries",
				       X509_CRL_ENTRIES_MAX);
		if (read_entry(&list, &serial, e) < 0)
			return err_code(e);
	}
	return 0;
}

/* RFC 5280, 5.1: what may follow nextUpdate. */
static int read_rest(struct x509_crl *crl, struct reader *tbs, struct err *e)
{
	struct reader explicit_tag, list;

	if (der_peek(tbs, DER_SEQUENCE)) {
		crl->revoked = der_body(tbs, DER_SEQUENCE);
		if (!crl->revoked.len || read_revoked(crl, e) < 0)
			return err_set(e, ERR_INVALID, "malformed revokedCertificates");
	}
	if (der_peek(tbs, DER_CONTEXT_CONSTRUCTED | 0)) {
		explicit_tag = der_enter(tbs, DER_CONTEXT_CONSTRUCTED | 0);
		list = der_enter(&explicit_tag, DER_SEQUENCE);
		if (!reader_done(&explicit_tag))
			return err_set(e, ERR_INVALID, "malformed extensions");
		if (read_extensions(&list, &crl->number, e) < 0)
			return err_code(e);
	}
	return 0;
}

static int read_tbs(struct x509_crl *crl, struct err *e)
{
	struct reader outer = span_reader(crl->tbs);
	struct reader r = der_enter(&outer, DER_SEQUENCE);
	uint64_t version = der_u64(&r);
	struct span inner = der_whole(&r, DER_SEQUENCE);

	if (!reader_ok(&r) || version != 1)
		return err_set(e, ERR_INVALID, "wanted a CRL of version 2");
	if (!span_equal(inner, crl->algorithm))
		return err_set(e, ERR_INVALID,
			       "the signature algorithms inside and outside differ");
	crl->issuer = der_whole(&r, DER_SEQUENCE);
	crl->this_update = der_time(&r);
	if (!der_peek(&r, DER_UTC_TIME) && !der_peek(&r, DER_GENERALIZED_TIME))
		return err_set(e, ERR_INVALID, "no nextUpdate");
	crl->next_update = der_time(&r);
	if (read_rest(crl, &r, e) < 0)
		return err_code(e);
	if (!reader_done(&r))
		return err_set(e, ERR_INVALID, "malformed list");
	return 0;
}

static int crl_from_der(const void *der, size_t len, struct x509_crl **crl, struct err *e)
{
	CLEANUP(x509_crl_free) struct x509_crl *c = NULL;
	struct reader outer, r;

	if (len == 0 || len > X509_CRL_MAX)
		return err_set(e, ERR_INVALID, "CRL of %zu bytes; wanted 1 to %d", len,
			       X509_CRL_MAX);
	if (der_check(der, len, e) < 0)
		return err_wrap(e, "CRL");
	c = calloc(1, sizeof(*c));
	if (!c || !(c->der = malloc(len)))
		return err_nomem(e);
	memcpy(c->der, der, len);
	c->len = len;
	outer = reader_over(c->der, len);
	r = der_enter(&outer, DER_SEQUENCE);
	c->tbs = der_whole(&r, DER_SEQUENCE);
	c->algorithm = der_whole(&r, DER_SEQUENCE);
	c->signature = der_bits(&r);
	if (!reader_done(&outer) || !reader_done(&r))
		return err_set(e, ERR_INVALID, "CRL: malformed list");
	if (read_tbs(c, e) < 0)
		return err_wrap(e, "CRL");
	*crl = TAKE_PTR(c);
	return 0;
}

int x509_crl_load(const void *bytes, size_t len, struct x509_crl **crl, struct err *e)
{
	CLEANUP(free) uint8_t *der = NULL;
	size_t der_len;

	if (len < 5 || memcmp(bytes, "-----", 5) != 0)
		return crl_from_der(bytes, len, crl, e);
	if (x509_pem_decode(bytes, len, "X509 CRL", &der, &der_len, NULL, e) < 0)
		return err_wrap(e, "CRL");
	return crl_from_der(der, der_len, crl, e);
}

void x509_crl_free(struct x509_crl *crl)
{
	if (!crl)
		return;
	free(crl->der);
	free(crl);
}

int x509_crl_verify_known(const struct x509_crl *crl, const struct x509 *issuer,
			  unsigned algorithms, int64_t at, struct signatures *signatures,
			  struct err *e)
{
	const struct x509_signed what = { crl->tbs, crl->algorithm, crl->signature };
	const struct x509_known known = { signatures, SIGNATURES_AUTHORITIES };

	if (!span_equal(crl->issuer, issuer->subject))
		return err_set(e, ERR_DENIED, "the CRL is of another issuer");
	if (issuer->has_usage && !(issuer->usage & X509_USE_CRL_SIGN))
		return err_set(e, ERR_DENIED, "the issuer may not sign CRLs (keyUsage)");
	if (x509_verify_signature(&what, issuer, algorithms, &known, e) < 0)
		return err_wrap(e, "CRL");
	if (at < crl->this_update)
		return err_set(e, ERR_DENIED, "the CRL is from %" PRId64 " seconds in the future",
			       crl->this_update - at);
	if (at > crl->next_update)
		return err_set(e, ERR_DENIED, "the CRL ran out %" PRId64 " seconds before",
			       at - crl->next_update);
	return 0;
}

int x509_crl_check(const struct x509_crl *crl, const struct x509 *cert, struct err *e)
{
	struct reader list = span_reader(crl->revoked);
	struct span serial;

	if (!span_equal(crl->issuer, cert->issuer))
		return err_set(e, ERR_INVALID, "the CRL is of another issuer");
	while (reader_left(&list) > 0) { /* the rest was checked at loading */
		struct reader one = der_enter(&list, DER_SEQUENCE);

		serial = der_body(&one, DER_INTEGER);
		if (!reader_ok(&one))
			return err_set(e, ERR_INVALID, "malformed entry");
		if (span_equal(serial, cert->serial))
			return err_set(e, ERR_DENIED, "revoked by its issuer's CRL");
	}
	return 0;
}
