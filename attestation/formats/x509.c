/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/formats/x509.h"

#include "attestation/formats/x509_key.h"
#include "common/base/der.h"
#include "common/crypto/key.h"

#include <inttypes.h>
#include <string.h>

#define OID_COMMON_NAME       "2.5.4.3"
#define OID_KEY_USAGE         "2.5.29.15"
#define OID_SUBJECT_ALT_NAME  "2.5.29.17"
#define OID_BASIC_CONSTRAINTS "2.5.29.19"
#define OID_EXT_KEY_USAGE     "2.5.29.37"

enum { SERIAL_MAX = 21 }; /* RFC 5280, 4.1.2.2: 20 octets, and a zero before a high bit */

static const char *const critical_known[] = {
	OID_BASIC_CONSTRAINTS,
	OID_KEY_USAGE,
	OID_EXT_KEY_USAGE,
	OID_SUBJECT_ALT_NAME,
};

static int read_constraints(struct x509 *c, struct span value, struct err *e)
{
	struct reader outer = span_reader(value);
	struct reader r = der_enter(&outer, DER_SEQUENCE);
	uint64_t path_len = 0;

	c->has_constraints = true;
	c->is_ca = der_peek(&r, DER_BOOLEAN) && der_bool(&r);
	if (der_peek(&r, DER_INTEGER)) {
		path_len = der_u64(&r);
		c->path_len = path_len < X509_CHAIN_MAX ? (int)path_len : X509_CHAIN_MAX;
	}
	if (!reader_done(&outer) || !reader_done(&r) || (!c->is_ca && c->path_len >= 0))
		return err_set(e, ERR_INVALID, "malformed basicConstraints");
	return 0;
}

static int read_usage(struct x509 *c, struct span value, struct err *e)
{
	struct reader r = span_reader(value);
	struct span bits = der_body(&r, DER_BIT_STRING);

	if (!reader_done(&r) || bits.len < 2 || bits.len > 3 ||
	    der_check(value.bytes, value.len, e) < 0)
		return err_set(e, ERR_INVALID, "malformed keyUsage");
	c->has_usage = true;
	for (unsigned i = 0; i < 8 * (bits.len - 1); i++)
		if (bits.bytes[1 + i / 8] & (0x80 >> i % 8))
			c->usage |= 1u << i;
	return 0;
}

static int take_extension(struct x509 *c, const struct x509_extension *x, struct err *e)
{
	bool known = !x->critical;

	for (size_t i = 0; i < c->extension_count; i++)
		if (span_equal(c->extensions[i].oid, x->oid))
			return err_set(e, ERR_INVALID, "an extension is there twice");
	if (c->extension_count == X509_EXTENSIONS_MAX)
		return err_set(e, ERR_INVALID, "more than %d extensions", X509_EXTENSIONS_MAX);
	for (size_t i = 0; i < ARRAY_LEN(critical_known) && !known; i++)
		known = der_oid_is(x->oid, critical_known[i]);
	if (!known)
		return err_set(e, ERR_INVALID, "a critical extension that we do not know");
	c->extensions[c->extension_count++] = *x;
	if (der_oid_is(x->oid, OID_BASIC_CONSTRAINTS))
		return read_constraints(c, x->value, e);
	if (der_oid_is(x->oid, OID_KEY_USAGE))
		return read_usage(c, x->value, e);
	return 0;
}

/* RFC 5280, 4.1, field `extensions`. */
static int read_extensions(struct x509 *c, struct reader *tbs, struct err *e)
{
	struct reader explicit_tag = der_enter(tbs, DER_CONTEXT_CONSTRUCTED | 3);
	struct reader list = der_enter(&explicit_tag, DER_SEQUENCE);

	if (!reader_done(&explicit_tag) || !reader_left(&list))
		return err_set(e, ERR_INVALID, "malformed extensions");
	while (reader_left(&list) > 0) {
		struct reader one = der_enter(&list, DER_SEQUENCE);
		struct x509_extension x = { 0 };

		x.oid = der_body(&one, DER_OID);
		/* FALSE is the default and must not be written, X.690, 11.5. */
		if (der_peek(&one, DER_BOOLEAN)) {
			x.critical = der_bool(&one);
			one.bad = one.bad || !x.critical;
		}
		x.value = der_body(&one, DER_OCTET_STRING);
		if (!reader_done(&one))
			return err_set(e, ERR_INVALID, "malformed extension");
		if (take_extension(c, &x, e) < 0)
			return err_code(e);
	}
	return 0;
}

static void read_validity(struct x509 *c, struct reader *tbs)
{
	struct reader validity = der_enter(tbs, DER_SEQUENCE);

	c->not_before = der_time(&validity);
	c->not_after = der_time(&validity);
	if (!reader_done(&validity))
		tbs->bad = true;
}

/* RFC 5280, 4.1: TBSCertificate. */
static int read_tbs(struct x509 *c, struct err *e)
{
	struct reader outer = span_reader(c->tbs);
	struct reader r = der_enter(&outer, DER_SEQUENCE);
	struct reader version = der_enter(&r, DER_CONTEXT_CONSTRUCTED | 0);
	uint64_t number = der_u64(&version);
	struct span inner;

	if (!reader_done(&version) || number != 2)
		return err_set(e, ERR_INVALID, "wanted X.509 version 3");
	c->serial = der_body(&r, DER_INTEGER);
	inner = der_whole(&r, DER_SEQUENCE);
	c->issuer = der_whole(&r, DER_SEQUENCE);
	read_validity(c, &r);
	c->subject = der_whole(&r, DER_SEQUENCE);
	c->spki = der_whole(&r, DER_SEQUENCE);
	if (!reader_ok(&r) || c->serial.len > SERIAL_MAX)
		return err_set(e, ERR_INVALID, "malformed certificate");
	if (!span_equal(inner, c->algorithm))
		return err_set(e, ERR_INVALID,
			       "the signature algorithms inside and outside differ");
	/* No vendor's certificate has issuerUniqueID or subjectUniqueID ([1], [2]). */
	if (reader_left(&r) && read_extensions(c, &r, e) < 0)
		return err_code(e);
	if (!reader_done(&r))
		return err_set(e, ERR_INVALID, "malformed certificate");
	return 0;
}

static int read_certificate(struct x509 *c, struct err *e)
{
	struct reader outer = reader_over(c->der, c->len);
	struct reader r = der_enter(&outer, DER_SEQUENCE);

	c->tbs = der_whole(&r, DER_SEQUENCE);
	c->algorithm = der_whole(&r, DER_SEQUENCE);
	c->signature = der_bits(&r);
	if (!reader_done(&outer) || !reader_done(&r))
		return err_set(e, ERR_INVALID, "malformed certificate");
	if (read_tbs(c, e) < 0 || x509_key_check(c->spki, e) < 0)
		return err_code(e);
	return digest(DIGEST_SHA256, c->spki.bytes, c->spki.len, c->key_digest, e);
}

int x509_from_der(const void *der, size_t len, struct x509 **cert, struct err *e)
{
	CLEANUP(x509_free) struct x509 *c = NULL;

	if (len == 0 || len > X509_DER_MAX)
		return err_set(e, ERR_INVALID, "certificate of %zu bytes; wanted 1 to %d", len,
			       X509_DER_MAX);
	if (der_check(der, len, e) < 0)
		return err_wrap(e, "certificate");
	c = calloc(1, sizeof(*c));
	if (!c || !(c->der = malloc(len)))
		return err_nomem(e);
	memcpy(c->der, der, len);
	c->len = len;
	c->path_len = -1;
	if (read_certificate(c, e) < 0)
		return err_wrap(e, "certificate");
	*cert = TAKE_PTR(c);
	return 0;
}

void x509_free(struct x509 *cert)
{
	if (!cert)
		return;
	if (cert->shares) {
		cert->shares--;
		return;
	}
	EVP_PKEY_free(cert->key);
	free(cert->der);
	free(cert);
}

const struct x509_extension *x509_extension_of(const struct x509 *cert, const char *oid)
{
	uint8_t bytes[DER_OID_MAX];
	struct span wanted = { bytes, der_oid(oid, bytes) };

	for (size_t i = 0; wanted.len && i < cert->extension_count; i++)
		if (span_equal(cert->extensions[i].oid, wanted))
			return &cert->extensions[i];
	return NULL;
}

int x509_nothing_unjudged(const struct x509 *cert, struct err *e)
{
	static const char *const left[] = { OID_EXT_KEY_USAGE, OID_SUBJECT_ALT_NAME };

	for (size_t i = 0; i < ARRAY_LEN(left); i++) {
		const struct x509_extension *x = x509_extension_of(cert, left[i]);

		if (x && x->critical)
			return err_set(e, ERR_DENIED, "the critical extension %s", left[i]);
	}
	return 0;
}

/* Whether one AttributeTypeAndValue is a commonName; its text goes to `value`. */
static bool is_common_name(struct reader *pair, struct span *value)
{
	struct span oid = der_body(pair, DER_OID);
	struct der text;

	if (!der_next(pair, &text) || !der_oid_is(oid, OID_COMMON_NAME))
		return false;
	if (text.tag != DER_UTF8_STRING && text.tag != DER_PRINTABLE_STRING)
		pair->bad = true;
	*value = text.body;
	return true;
}

int x509_common_name(struct span name, char *text, size_t size, struct err *e)
{
	struct reader outer = span_reader(name);
	struct reader rdns = der_enter(&outer, DER_SEQUENCE);
	struct span value = { 0 };
	unsigned found = 0;
	bool bad = !reader_done(&outer);

	while (!bad && reader_left(&rdns) > 0) {
		struct reader set = der_enter(&rdns, DER_SET);

		while (!set.bad && reader_left(&set) > 0) {
			struct reader pair = der_enter(&set, DER_SEQUENCE);

			found += is_common_name(&pair, &value);
			bad = bad || !reader_done(&pair);
		}
		bad = bad || !reader_done(&set);
	}
	for (size_t i = 0; i < value.len; i++)
		bad = bad || value.bytes[i] < 0x20 || value.bytes[i] > 0x7e;
	if (bad || !reader_ok(&rdns) || found != 1 || value.len == 0 || value.len >= size)
		return err_set(e, ERR_INVALID, "wanted one common name of at most %zu characters",
			       size - 1);
	memcpy(text, value.bytes, value.len);
	text[value.len] = 0;
	return 0;
}

bool x509_name_has(struct span name, const char *word)
{
	struct reader outer = span_reader(name);
	struct reader rdns = der_enter(&outer, DER_SEQUENCE);
	size_t len = strlen(word);
	bool found = false;

	while (!rdns.bad && reader_left(&rdns) > 0) {
		struct reader set = der_enter(&rdns, DER_SET);

		while (!set.bad && reader_left(&set) > 0) {
			struct reader pair = der_enter(&set, DER_SEQUENCE);
			struct der text;

			der_body(&pair, DER_OID);
			found = found || (der_next(&pair, &text) && text.body.len >= len &&
					  memcmp(text.body.bytes, word, len) == 0);
		}
	}
	return found;
}

int x509_verify_known(const struct x509 *cert, const struct x509 *issuer, unsigned algorithms,
		      unsigned cas_below, const struct x509_known *known, struct err *e)
{
	const struct x509_signed what = { cert->tbs, cert->algorithm, cert->signature };

	if (!span_equal(cert->issuer, issuer->subject))
		return err_set(e, ERR_DENIED, "the certificate names another issuer");
	if (!issuer->has_constraints || !issuer->is_ca)
		return err_set(e, ERR_DENIED, "the issuer is not a CA (basicConstraints)");
	if (issuer->path_len >= 0 && (unsigned)issuer->path_len < cas_below)
		return err_set(e, ERR_DENIED, "%u CAs below an issuer whose path length allows %d",
			       cas_below, issuer->path_len);
	if (issuer->has_usage && !(issuer->usage & X509_USE_CERT_SIGN))
		return err_set(e, ERR_DENIED, "the issuer may not sign certificates (keyUsage)");
	return x509_verify_signature(&what, issuer, algorithms, known, e);
}

int x509_verify(const struct x509 *cert, const struct x509 *issuer, unsigned algorithms,
		unsigned cas_below, struct err *e)
{
	return x509_verify_known(cert, issuer, algorithms, cas_below, NULL, e);
}

int64_t x509_moment(int64_t at, int64_t skew, int64_t first, int64_t last)
{
	if (at < first && at >= first - skew)
		return first;
	if (at > last && at <= last + skew)
		return last;
	return at;
}

int x509_valid_at(const struct x509 *cert, int64_t at, struct err *e)
{
	if (at < cert->not_before)
		return err_set(e, ERR_DENIED, "valid only %" PRId64 " seconds later",
			       cert->not_before - at);
	if (at > cert->not_after)
		return err_set(e, ERR_DENIED, "ran out %" PRId64 " seconds before",
			       at - cert->not_after);
	return 0;
}
