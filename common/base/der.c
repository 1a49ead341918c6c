/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/der.h"

#include "common/base/timestamp.h"

#include <string.h>

/* Length octets, X.690, 8.1.3 and 10.1: definite and as short as can be. */
static size_t der_length(struct reader *r)
{
	uint8_t first = reader_u8(r);
	size_t len = 0;

	if (first < 0x80)
		return first;
	if (first == 0x80 || first > 0x84) {
		r->bad = true;
		return 0;
	}
	for (unsigned i = 0; i < (first & 0x7fu); i++)
		len = len << 8 | reader_u8(r);
	if (len < 0x80 || len >> (8 * ((first & 0x7fu) - 1)) == 0)
		r->bad = true;
	return len;
}

bool der_next(struct reader *r, struct der *v)
{
	const uint8_t *start = r->pos;
	uint8_t tag = reader_u8(r);
	size_t len = der_length(r);
	const uint8_t *body = reader_take(r, len);

	*v = (struct der){ 0 };
	if ((tag & 0x1f) == 0x1f) /* tags of several bytes do not occur in what we read */
		r->bad = true;
	if (r->bad)
		return false;
	v->tag = tag;
	v->body = (struct span){ .bytes = body, .len = len };
	v->whole = (struct span){ .bytes = start, .len = (size_t)(r->pos - start) };
	return true;
}

bool der_peek(const struct reader *r, uint8_t tag)
{
	return !r->bad && reader_left(r) > 0 && *r->pos == tag;
}

static bool der_expect(struct reader *r, uint8_t tag, struct der *v)
{
	if (der_next(r, v) && v->tag == tag)
		return true;
	r->bad = true;
	*v = (struct der){ 0 };
	return false;
}

struct reader der_enter(struct reader *r, uint8_t tag)
{
	struct der v;

	if (der_expect(r, tag, &v))
		return span_reader(v.body);
	return (struct reader){ .bad = true };
}

struct span der_body(struct reader *r, uint8_t tag)
{
	struct der v;

	der_expect(r, tag, &v);
	return v.body;
}

struct span der_whole(struct reader *r, uint8_t tag)
{
	struct der v;

	der_expect(r, tag, &v);
	return v.whole;
}

/* X.690, 8.3.2: at least one byte, and the first nine bits neither all zero nor all one. */
static bool integer_is_shortest(struct span body)
{
	if (body.len == 0)
		return false;
	if (body.len == 1)
		return true;
	return !(body.bytes[0] == 0 && body.bytes[1] < 0x80) &&
	       !(body.bytes[0] == 0xff && body.bytes[1] >= 0x80);
}

uint64_t der_u64(struct reader *r)
{
	struct span body = der_body(r, DER_INTEGER);
	uint64_t value = 0;

	/* At most nine bytes; the first of nine is the zero that keeps the number positive. */
	if (r->bad || !integer_is_shortest(body) || body.bytes[0] >= 0x80 || body.len > 9 ||
	    (body.len == 9 && body.bytes[0] != 0)) {
		r->bad = true;
		return 0;
	}
	for (size_t i = 0; i < body.len; i++)
		value = value << 8 | body.bytes[i];
	return value;
}

bool der_bool(struct reader *r)
{
	struct span body = der_body(r, DER_BOOLEAN);

	if (r->bad || body.len != 1 || (body.bytes[0] != 0 && body.bytes[0] != 0xff)) {
		r->bad = true;
		return false;
	}
	return body.bytes[0] == 0xff;
}

struct span der_bits(struct reader *r)
{
	struct span body = der_body(r, DER_BIT_STRING);

	if (r->bad || body.len < 1 || body.bytes[0] != 0) {
		r->bad = true;
		return (struct span){ 0 };
	}
	return (struct span){ .bytes = body.bytes + 1, .len = body.len - 1 };
}

static unsigned two_digits(struct reader *r)
{
	uint8_t tens = reader_u8(r), ones = reader_u8(r);

	if (tens < '0' || tens > '9' || ones < '0' || ones > '9')
		r->bad = true;
	return r->bad ? 0 : (unsigned)(tens - '0') * 10 + (unsigned)(ones - '0');
}

/* What follows the year: MMDDHHMMSSZ. */
static int64_t time_in_year(struct reader *t, unsigned year)
{
	struct timestamp_parts parts = { .year = year };
	int64_t at = 0;

	parts.month = two_digits(t);
	parts.day = two_digits(t);
	parts.hour = two_digits(t);
	parts.minute = two_digits(t);
	parts.second = two_digits(t);

	bool zulu = reader_u8(t) == 'Z';

	if (!reader_done(t) || !zulu || !timestamp_of(&parts, &at))
		t->bad = true;
	return at;
}

int64_t der_time(struct reader *r)
{
	struct der v;
	struct reader t;
	unsigned year;
	int64_t at;

	if (!der_next(r, &v))
		return 0;
	t = span_reader(v.body);
	year = two_digits(&t);
	if (v.tag == DER_UTC_TIME)
		year += year >= 50 ? 1900 : 2000;
	else if (v.tag == DER_GENERALIZED_TIME)
		year = year * 100 + two_digits(&t);
	else
		t.bad = true;
	at = time_in_year(&t, year);
	if (t.bad)
		r->bad = true;
	return t.bad ? 0 : at;
}

/* One arc in base 128, X.690, 8.19.2. */
static bool oid_arc(uint64_t arc, uint8_t out[DER_OID_MAX], size_t *len)
{
	unsigned groups = 1;

	while (groups < 10 && arc >> (7 * groups))
		groups++;
	if (*len + groups > DER_OID_MAX)
		return false;
	while (groups-- > 0)
		out[(*len)++] = (uint8_t)((arc >> (7 * groups) & 0x7f) | (groups ? 0x80 : 0));
	return true;
}

/* Digits up to a dot or the end; false if there are none or too many. */
static bool oid_number(const char **text, uint64_t *number)
{
	const char *digit = *text;

	*number = 0;
	while (*digit >= '0' && *digit <= '9' && *number < UINT32_MAX)
		*number = *number * 10 + (uint64_t)(*digit++ - '0');
	if (digit == *text || (*digit != '.' && *digit != 0))
		return false;
	*text = *digit == '.' ? digit + 1 : digit;
	return *digit == 0 || digit[1] != 0;
}

size_t der_oid(const char *text, uint8_t out[DER_OID_MAX])
{
	uint64_t first, arc;
	size_t len = 0;

	if (!oid_number(&text, &first) || first > 2 || *text == 0 || !oid_number(&text, &arc) ||
	    (first < 2 && arc > 39) || !oid_arc(first * 40 + arc, out, &len))
		return 0;
	while (*text)
		if (!oid_number(&text, &arc) || !oid_arc(arc, out, &len))
			return 0;
	return len;
}

bool der_oid_is(struct span body, const char *text)
{
	uint8_t oid[DER_OID_MAX];
	size_t len = der_oid(text, oid);

	return len > 0 && span_equal(body, (struct span){ .bytes = oid, .len = len });
}

static bool oid_is_well_formed(struct span body)
{
	bool first = true; /* of its arc */

	for (size_t i = 0; i < body.len; i++) {
		if (first && body.bytes[i] == 0x80)
			return false;
		first = !(body.bytes[i] & 0x80);
	}
	return body.len > 0 && first;
}

static bool bit_string_is_well_formed(struct span body)
{
	uint8_t unused;

	if (body.len == 0 || body.bytes[0] > 7)
		return false;
	unused = body.bytes[0];
	if (body.len == 1)
		return unused == 0;
	return (body.bytes[body.len - 1] & ((1u << unused) - 1)) == 0;
}

static bool primitive_is_canonical(uint8_t tag, struct span body)
{
	switch (tag) {
	case DER_BOOLEAN:
		return body.len == 1 && (body.bytes[0] == 0 || body.bytes[0] == 0xff);
	case DER_INTEGER:
	case DER_ENUMERATED:
		return integer_is_shortest(body);
	case DER_NULL:
		return body.len == 0;
	case DER_OID:
		return oid_is_well_formed(body);
	case DER_BIT_STRING:
		return bit_string_is_well_formed(body);
	default:
		return true;
	}
}

static bool tree_is_canonical(struct reader *r, int depth)
{
	struct der v;
	struct reader inner;
	bool constructed;

	while (reader_left(r) > 0) {
		if (!der_next(r, &v))
			return false;
		constructed = v.tag & 0x20;
		if (v.tag < 0x40 && constructed != (v.tag == DER_SEQUENCE || v.tag == DER_SET))
			return false; /* universal: only these two are made of other values */
		if (v.tag == 0 || v.tag == 0x10 || v.tag == 0x11)
			return false;
		inner = span_reader(v.body);
		if (constructed ? depth == 0 || !tree_is_canonical(&inner, depth - 1)
				: !primitive_is_canonical(v.tag, v.body))
			return false;
	}
	return true;
}

int der_check(const void *bytes, size_t len, struct err *e)
{
	struct reader r = reader_over(bytes, len);
	struct reader tree = r;
	struct der v;

	if (!der_next(&r, &v))
		return err_set(e, ERR_INVALID, "not DER: %zu bytes do not begin with a value", len);
	if (!reader_done(&r))
		return err_set(e, ERR_INVALID, "%zu bytes after the end of the DER value",
			       reader_left(&r));
	if (!tree_is_canonical(&tree, DER_DEPTH_MAX))
		return err_set(e, ERR_INVALID, "not DER: a value inside is not in its only form");
	return 0;
}
