/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/crl.h"

#include "common/base/der.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/crypto/crl_parts.h"

#include <string.h>
#include <openssl/err.h>

#define OID_NUMBER       "2.5.29.20"
#define OID_DELTA        "2.5.29.27"
#define OID_DISTRIBUTION "2.5.29.28"

/* ---- extensions ---- */

static int read_number(struct crl *crl, struct span value, struct err *e)
{
	struct reader r = span_reader(value);
	struct err ignored;

	/* What an OCTET STRING holds was not looked at with the list: only shortest numbers are compared by their lengths. */
	if (der_check(value.bytes, value.len, &ignored) < 0)
		return err_set(e, ERR_INVALID, "malformed crlNumber");
	crl->number = der_body(&r, DER_INTEGER);
	if (!reader_done(&r) || crl->number.len > CRL_NUMBER_MAX || crl->number.bytes[0] >= 0x80)
		return err_set(e, ERR_INVALID, "malformed crlNumber");
	return 0;
}

/* RFC 5280, sections 5.2.4 and 5.2.5: both have to be critical; who forgot that gave out a part all the same. */
static int check_extension(struct span oid, bool critical, struct err *e)
{
	if (der_oid_is(oid, OID_DELTA))
		return err_set(e, ERR_INVALID,
			       "a delta list, which says only what changed: give the whole one");
	if (der_oid_is(oid, OID_DISTRIBUTION))
		return err_set(e, ERR_INVALID,
			       "a list of one distribution point, or of other issuers' "
			       "certificates: give the whole one");
	if (critical)
		return err_set(e, ERR_INVALID, "a critical extension that is not known here");
	return 0;
}

/* `crl` NULL: those of an entry. */
static int read_extensions(struct reader *list, struct crl *crl, struct err *e)
{
	struct span seen[CRL_EXTENSIONS_MAX];
	size_t count = 0;

	if (!reader_left(list))
		return err_set(e, ERR_INVALID, "malformed extensions");
	while (reader_left(list) > 0) {
		struct reader one = der_enter(list, DER_SEQUENCE);
		struct span oid = der_body(&one, DER_OID), value;
		/* DER leaves a false one out (X.690, section 11.5). */
		bool critical = der_peek(&one, DER_BOOLEAN), is_said = critical;

		if (is_said && !der_bool(&one))
			return err_set(e, ERR_INVALID, "malformed extension");
		value = der_body(&one, DER_OCTET_STRING);
		if (!reader_done(&one) || count == CRL_EXTENSIONS_MAX)
			return err_set(e, ERR_INVALID, "malformed or too many extensions");
		for (size_t i = 0; i < count; i++)
			if (span_equal(seen[i], oid))
				return err_set(e, ERR_INVALID, "an extension is there twice");
		seen[count++] = oid;
		if (check_extension(oid, critical, e) < 0 ||
		    (crl && der_oid_is(oid, OID_NUMBER) && read_number(crl, value, e) < 0))
			return err_code(e);
	}
	return 0;
}

/* ---- entries ---- */

static int read_entry(struct crl *crl, struct reader *list, struct err *e)
{
	struct reader one = der_enter(list, DER_SEQUENCE);
	struct span serial = der_body(&one, DER_INTEGER);
	struct reader extensions;

	der_time(&one);
	if (reader_ok(&one) && reader_left(&one)) {
		extensions = der_enter(&one, DER_SEQUENCE);
		if (crl->version == 0 || !reader_ok(&extensions))
			return err_set(e, ERR_INVALID, "malformed entry");
		if (read_extensions(&extensions, NULL, e) < 0)
			return err_wrap(e, "an entry");
	}
	if (!reader_done(&one))
		return err_set(e, ERR_INVALID, "malformed entry");
	if (serial.len > CRL_SERIAL_MAX)
		return err_set(e, ERR_INVALID, "a serial number of %zu bytes; %d are allowed",
			       serial.len, CRL_SERIAL_MAX);
	crl->entries[crl->count++] =
		(struct crl_entry){ (uint32_t)(serial.bytes - crl->der), (uint32_t)serial.len };
	return 0;
}

static struct span serial_of(const struct crl *crl, const struct crl_entry *entry)
{
	return (struct span){ crl->der + entry->at, entry->len };
}

static int compare(struct span a, struct span b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return memcmp(a.bytes, b.bytes, a.len);
}

static int compare_entries(const void *a, const void *b, void *crl)
{
	return compare(serial_of(crl, a), serial_of(crl, b));
}

/* Counted first, so that there is room for as many as there are, and no more. */
static int read_entries(struct crl *crl, struct span body, struct err *e)
{
	struct reader count = span_reader(body), list = span_reader(body);
	size_t entries = 0;
	struct der skipped;

	/* RFC 5280, section 5.1.2.6: where none is revoked it must be absent; some write an empty one. */
	while (reader_left(&count) && der_next(&count, &skipped))
		if (++entries > CRL_ENTRIES_MAX)
			return err_set(e, ERR_INVALID, "more than %d entries", CRL_ENTRIES_MAX);
	if (!entries)
		return 0;
	crl->entries = calloc(entries, sizeof(*crl->entries));
	if (!crl->entries)
		return err_nomem(e);
	while (reader_left(&list))
		if (read_entry(crl, &list, e) < 0)
			return err_code(e);
	qsort_r(crl->entries, crl->count, sizeof(*crl->entries), compare_entries, crl);
	return 0;
}

/* ---- the list ---- */

/* RFC 5280, section 5.1: what may follow nextUpdate. */
static int read_rest(struct crl *crl, struct reader *tbs, struct err *e)
{
	struct reader explicit_tag, list;

	if (der_peek(tbs, DER_SEQUENCE) && read_entries(crl, der_body(tbs, DER_SEQUENCE), e) < 0)
		return err_code(e);
	if (crl->version == 1 && der_peek(tbs, DER_CONTEXT_CONSTRUCTED | 0)) {
		explicit_tag = der_enter(tbs, DER_CONTEXT_CONSTRUCTED | 0);
		list = der_enter(&explicit_tag, DER_SEQUENCE);
		if (!reader_done(&explicit_tag))
			return err_set(e, ERR_INVALID, "malformed extensions");
		if (read_extensions(&list, crl, e) < 0)
			return err_code(e);
	}
	return reader_done(tbs) ? 0 : err_set(e, ERR_INVALID, "malformed list");
}

/* RFC 2253 escapes control characters, and bytes beyond ASCII. */
static void name_text(const X509_NAME *name, char text[CRL_NAME_TEXT_MAX])
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
	int len = 0;

	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
		len = BIO_read(bio, text, CRL_NAME_TEXT_MAX - 1);
	text[len > 0 ? len : 0] = '\0';
}

static int take_issuer(struct crl *crl, struct span name, struct err *e)
{
	const unsigned char *at = name.bytes;

	crl->issuer = d2i_X509_NAME(NULL, &at, (long)name.len);
	if (!crl->issuer || !X509_NAME_entry_count(crl->issuer)) {
		ERR_clear_error();
		return err_set(e, ERR_INVALID, "malformed issuer");
	}
	name_text(crl->issuer, crl->text);
	return 0;
}

static int read_tbs(struct crl *crl, struct err *e)
{
	struct reader outer = span_reader(crl->tbs);
	struct reader r = der_enter(&outer, DER_SEQUENCE);
	struct span algorithm, issuer;

	/* v1 has no number, v2 is 1. */
	if (der_peek(&r, DER_INTEGER)) {
		crl->version = der_u64(&r);
		if (!reader_ok(&r) || crl->version != 1)
			return err_set(e, ERR_INVALID, "a version that is not known here");
	}
	algorithm = der_whole(&r, DER_SEQUENCE);
	issuer = der_whole(&r, DER_SEQUENCE);
	crl->from = der_time(&r);
	if (!reader_ok(&r))
		return err_set(e, ERR_INVALID, "malformed list");
	if (!span_equal(algorithm, crl->algorithm))
		return err_set(e, ERR_INVALID,
			       "the signature algorithms inside and outside differ");
	if (!der_peek(&r, DER_UTC_TIME) && !der_peek(&r, DER_GENERALIZED_TIME))
		return err_set(e, ERR_INVALID, "no nextUpdate: nobody knows how long it is good");
	crl->until = der_time(&r);
	if (!reader_ok(&r) || crl->until < crl->from)
		return err_set(e, ERR_INVALID, "malformed times");
	return take_issuer(crl, issuer, e) < 0 ? err_code(e) : read_rest(crl, &r, e);
}

int crl_read(const void *der, size_t len, struct crl **crl, struct err *e)
{
	CLEANUP(crl_free) struct crl *c = NULL;
	struct reader outer, r;

	if (len == 0 || len > CRL_MAX)
		return err_set(e, ERR_INVALID, "list of %zu bytes; 1 to %d are allowed", len,
			       CRL_MAX);
	if (der_check(der, len, e) < 0)
		return err_wrap(e, "list");
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
		return err_set(e, ERR_INVALID, "list: no CertificateList");
	if (read_tbs(c, e) < 0)
		return *c->text ? err_wrap(e, "list of %s", c->text) : err_wrap(e, "list");
	*crl = TAKE_PTR(c);
	return 0;
}

void crl_free(struct crl *crl)
{
	if (!crl)
		return;
	X509_NAME_free(crl->issuer);
	X509_free(crl->signer);
	free(crl->entries);
	free(crl->der);
	free(crl);
}

/* ---- what it says ---- */

/* As in DER, which der.h reads in one form only. 0: it has more bytes than a list can name. */
static size_t serial_bytes(const X509 *cert, uint8_t bytes[CRL_SERIAL_MAX])
{
	uint8_t whole[CRL_SERIAL_MAX + 2], *at = whole;
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	int len = i2d_ASN1_INTEGER(serial, NULL);

	if (len < 3 || (size_t)len > sizeof(whole) || i2d_ASN1_INTEGER(serial, &at) != len)
		return 0;
	memcpy(bytes, whole + 2, (size_t)len - 2);
	return (size_t)len - 2;
}

bool crl_names(const struct crl *crl, const X509 *cert)
{
	uint8_t bytes[CRL_SERIAL_MAX];
	struct span serial = { bytes, serial_bytes(cert, bytes) };
	size_t from = 0, to = crl->count;

	/* No list can name it, so none says that it is still good. */
	if (!serial.len)
		return true;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int side = compare(serial_of(crl, &crl->entries[middle]), serial);

		if (side == 0)
			return true;
		if (side < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return false;
}

bool crl_is_older(const struct crl *crl, const struct crl *other)
{
	int by_number =
		crl->number.len && other->number.len ? compare(crl->number, other->number) : 0;

	return by_number ? by_number < 0 : crl->from < other->from;
}

bool crl_is_same(const struct crl *crl, const struct crl *other)
{
	return span_equal((struct span){ crl->der, crl->len },
			  (struct span){ other->der, other->len });
}

int64_t crl_this_update(const struct crl *crl)
{
	return crl->from;
}

int64_t crl_next_update(const struct crl *crl)
{
	return crl->until;
}

size_t crl_count(const struct crl *crl)
{
	return crl->count;
}

const char *crl_issuer(const struct crl *crl)
{
	return crl->text;
}

void crl_subject_text(X509 *cert, char text[CRL_NAME_TEXT_MAX])
{
	name_text(X509_get_subject_name(cert), text);
}

void crl_serial_text(const X509 *cert, char text[CRL_SERIAL_TEXT_MAX])
{
	uint8_t bytes[CRL_SERIAL_MAX];
	size_t len = serial_bytes(cert, bytes);

	memcpy(text, "-", 2);
	if (len)
		hex_encode(bytes, len, text);
}
