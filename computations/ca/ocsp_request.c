/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/ca/ocsp_request.h"

#include "common/base/der.h"

#define OID_SHA1   "1.3.14.3.2.26"
#define OID_SHA256 "2.16.840.1.101.3.4.2.1"
#define OID_NONCE  "1.3.6.1.5.5.7.48.1.2"

static bool bad(struct reader *r)
{
	r->bad = true;
	return false;
}

/* The contents of an OCTET STRING of 1 to `max` bytes. */
static struct span octets(struct reader *r, size_t max)
{
	struct span s = der_body(r, DER_OCTET_STRING);

	if (!s.len || s.len > max)
		r->bad = true;
	return s;
}

/* Nothing may be left of a part: it makes the whole bad. */
static bool close_part(const struct reader *part, struct reader *whole)
{
	return part->bad || reader_left(part) ? bad(whole) : true;
}

/* AlgorithmIdentifier, whose parameters are absent or NULL. */
static enum ocsp_hash read_hash(struct reader *r)
{
	struct reader algorithm = der_enter(r, DER_SEQUENCE);
	struct span oid = der_body(&algorithm, DER_OID);

	if (der_peek(&algorithm, DER_NULL) && der_body(&algorithm, DER_NULL).len)
		r->bad = true;
	close_part(&algorithm, r);
	if (r->bad)
		return OCSP_OTHER_HASH;
	if (der_oid_is(oid, OID_SHA1))
		return OCSP_SHA1;
	return der_oid_is(oid, OID_SHA256) ? OCSP_SHA256 : OCSP_OTHER_HASH;
}

/* `nonce` NULL: no extension says anything here. */
static bool read_extension(struct reader *all, struct span *nonce)
{
	struct reader one = der_enter(all, DER_SEQUENCE), inner;
	struct span oid = der_body(&one, DER_OID), value;
	bool critical = der_peek(&one, DER_BOOLEAN) && der_bool(&one);

	value = der_body(&one, DER_OCTET_STRING);
	if (!close_part(&one, all))
		return false;
	if (!nonce || !der_oid_is(oid, OID_NONCE))
		return critical ? bad(all) : true;
	if (nonce->len) /* the second one */
		return bad(all);
	inner = span_reader(value);
	*nonce = octets(&inner, OCSP_NONCE_MAX);
	return close_part(&inner, all);
}

/* [tag] EXPLICIT Extensions, if they are there. */
static bool read_extensions(struct reader *r, unsigned tag, struct span *nonce)
{
	struct reader outer, all;

	if (!der_peek(r, (uint8_t)(DER_CONTEXT_CONSTRUCTED | tag)))
		return !r->bad;
	outer = der_enter(r, (uint8_t)(DER_CONTEXT_CONSTRUCTED | tag));
	all = der_enter(&outer, DER_SEQUENCE);
	if (!close_part(&outer, r) || !reader_left(&all))
		return bad(r);
	while (reader_left(&all))
		if (!read_extension(&all, nonce))
			return bad(r);
	return true;
}

static bool read_cert(struct reader *list, struct ocsp_cert *c)
{
	struct reader one = der_enter(list, DER_SEQUENCE), at, id;

	at = one;
	c->id = der_whole(&at, DER_SEQUENCE);
	id = der_enter(&one, DER_SEQUENCE);
	c->hash = read_hash(&id);
	c->issuer_name = octets(&id, OCSP_HASH_MAX);
	c->issuer_key = octets(&id, OCSP_HASH_MAX);
	c->serial = der_body(&id, DER_INTEGER);
	if (!close_part(&id, list) || c->serial.len > OCSP_SERIAL_MAX ||
	    !read_extensions(&one, 0, NULL))
		return bad(list);
	return close_part(&one, list);
}

/* Version 1 is the default, which nobody needs to write. */
static void read_version(struct reader *tbs)
{
	struct reader outer;

	if (!der_peek(tbs, DER_CONTEXT_CONSTRUCTED | 0))
		return;
	outer = der_enter(tbs, DER_CONTEXT_CONSTRUCTED | 0);
	if (der_u64(&outer) != 0)
		tbs->bad = true;
	close_part(&outer, tbs);
}

static int too_many(struct err *e)
{
	return err_set(e, ERR_INVALID, "a status request about more than %d certificates",
		       OCSP_CERTS_MAX);
}

static int read_tbs(struct reader *tbs, struct ocsp_request *request, struct err *e)
{
	struct reader list;

	read_version(tbs);
	if (der_peek(tbs, DER_CONTEXT_CONSTRUCTED | 1))
		(void)der_body(tbs, DER_CONTEXT_CONSTRUCTED | 1);
	list = der_enter(tbs, DER_SEQUENCE);
	while (!list.bad && reader_left(&list)) {
		if (request->count == OCSP_CERTS_MAX)
			return too_many(e);
		if (!read_cert(&list, &request->certs[request->count++]))
			break;
	}
	if (list.bad || !request->count || !read_extensions(tbs, 2, &request->nonce))
		tbs->bad = true;
	return 0;
}

int ocsp_request_read(const uint8_t *der, size_t len, struct ocsp_request *request, struct err *e)
{
	struct reader r = reader_over(der, len), outer, tbs;
	struct ocsp_request read = { .count = 0 };

	if (len < 1 || len > OCSP_REQUEST_MAX)
		return err_set(e, ERR_INVALID, "a status request of %zu bytes; wanted 1 to %d", len,
			       OCSP_REQUEST_MAX);
	if (der_check(der, len, e) < 0)
		return err_wrap(e, "status request");
	outer = der_enter(&r, DER_SEQUENCE);
	tbs = der_enter(&outer, DER_SEQUENCE);
	if (read_tbs(&tbs, &read, e) < 0)
		return err_code(e);
	if (der_peek(&outer, DER_CONTEXT_CONSTRUCTED | 0))
		(void)der_body(&outer, DER_CONTEXT_CONSTRUCTED | 0); /* a signature */
	if (!close_part(&tbs, &outer) || !close_part(&outer, &r) || r.bad || reader_left(&r))
		return err_set(
			e, ERR_INVALID,
			"status request: not one of RFC 6960, or with a nonce that is not of 1 "
			"to %d bytes, or a critical extension",
			OCSP_NONCE_MAX);
	*request = read;
	return 0;
}
