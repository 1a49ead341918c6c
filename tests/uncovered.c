/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/uncovered.h"

#include "common/base/encode.h"

#include <stdio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>

#define UNCOVERED(section_, id, file_, where_, what_, why_) \
	[UNCOVERED_##id] = { section_, file_, where_, what_, why_ },
const struct uncovered_row uncovered_rows[UNCOVERED_COUNT] = {
#include "tests/uncovered.def"
};

static size_t found[UNCOVERED_COUNT];

void uncovered_found(enum uncovered place)
{
	found[place]++;
}

void uncovered_judge(const struct uncovered_subject *s, size_t at, bool accepted, bool flipped,
		     const char *how)
{
	int open = s->open ? s->open(s->original, at) : UNCOVERED_NONE;
	int place = open & ~UNCOVERED_EVERY;

	if (accepted && place == UNCOVERED_NONE)
		fail_msg("%s: accepted with a byte %s at %zu, which uncovered.def does not list",
			 s->name, how, at);
	if (!accepted && flipped && (open & UNCOVERED_EVERY))
		fail_msg("%s: byte %zu is judged, though uncovered.def lists it: %s", s->name, at,
			 uncovered_rows[place].where);
	found[place] += accepted;
}

void uncovered_mutate(const struct uncovered_subject *s, size_t step)
{
	static const uint8_t values[] = { 0, '\n', 0xa5 };
	const size_t len = s->original.len;
	uint8_t *bytes = malloc(len + 1);

	assert_non_null(bytes);
	memcpy(bytes, s->original.bytes, len);
	assert_true(s->accepts((struct span){ bytes, len }));
	for (size_t bit = 0; bit < 8 * len; bit += step) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		uncovered_judge(s, bit / 8, s->accepts((struct span){ bytes, len }), true,
				"changed");
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t at = len % step; at <= len; at += step) {
		memcpy(bytes, s->original.bytes, at);
		for (size_t i = 0; i < ARRAY_LEN(values); i++) {
			bytes[at] = values[i];
			memcpy(bytes + at + 1, s->original.bytes + at, len - at);
			uncovered_judge(s, at, s->accepts((struct span){ bytes, len + 1 }), false,
					"put in");
		}
		if (at == len)
			break;
		memcpy(bytes + at, s->original.bytes + at + 1, len - at - 1);
		uncovered_judge(s, at, s->accepts((struct span){ bytes, len - 1 }), false,
				"taken out");
	}
	free(bytes);
}

void uncovered_accepts(const struct uncovered_subject *s, enum uncovered place, struct span changed)
{
	assert_false(changed.len == s->original.len &&
		     memcmp(changed.bytes, s->original.bytes, changed.len) == 0);
	if (!s->accepts(changed))
		fail_msg("%s: judged, though uncovered.def lists it: %s", s->name,
			 uncovered_rows[place].where);
	found[place]++;
}

/* The text with CR before each LF, or with its base64 in lines of `width`. */
static size_t respell(struct span pem, bool cr, size_t width, char *out)
{
	size_t n = 0, column = 0;

	for (size_t at = 0, len; at < pem.len; at += len + 1) {
		const char *line = (const char *)pem.bytes + at;
		const char *end = memchr(line, '\n', pem.len - at);
		const bool armour = *line == '-';

		len = end ? (size_t)(end - line) : pem.len - at;
		if (armour && column)
			out[n++] = '\n';
		column = armour ? 0 : column;
		for (size_t i = 0; i < len; i++) {
			out[n++] = line[i];
			if (!armour && width && ++column == width) {
				out[n++] = '\n';
				column = 0;
			}
		}
		if (cr && (armour || !width))
			out[n++] = '\r';
		if (armour || !width)
			out[n++] = '\n';
	}
	return n;
}

void uncovered_pem(const struct uncovered_subject *s, enum uncovered place, bool indented)
{
	const struct span pem = s->original;
	char *text = malloc(2 * pem.len + 8);

	assert_non_null(text);
	text[0] = '\n';
	text[1] = ' ';
	memcpy(text + 2, pem.bytes, pem.len);
	if (indented)
		uncovered_accepts(s, place, (struct span){ (uint8_t *)text, pem.len + 2 });
	else
		assert_false(s->accepts((struct span){ (uint8_t *)text, pem.len + 2 }));
	memcpy(text, pem.bytes, pem.len);
	text[pem.len] = '\t';
	uncovered_accepts(s, place, (struct span){ (uint8_t *)text, pem.len + 1 });
	text[pem.len] = 0;
	uncovered_accepts(s, place, (struct span){ (uint8_t *)text, pem.len + 1 });
	text[pem.len + 1] = 0;
	assert_false(s->accepts((struct span){ (uint8_t *)text, pem.len + 2 }));
	uncovered_accepts(s, place, (struct span){ (uint8_t *)text, respell(pem, true, 0, text) });
	uncovered_accepts(s, place,
			  (struct span){ (uint8_t *)text, respell(pem, false, 60, text) });
	free(text);
}

static BIGNUM *order_less(int nid, const BIGNUM *s)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(nid);
	BIGNUM *twin = BN_new();

	assert_non_null(group);
	assert_int_equal(BN_sub(twin, EC_GROUP_get0_order(group), s), 1);
	EC_GROUP_free(group);
	return twin;
}

void uncovered_twin(int group, uint8_t *s, size_t len, bool little_endian)
{
	BIGNUM *n = little_endian ? BN_lebin2bn(s, (int)len, NULL) : BN_bin2bn(s, (int)len, NULL);
	BIGNUM *twin = order_less(group, n);

	assert_int_equal(little_endian ? BN_bn2lebinpad(twin, s, (int)len)
				       : BN_bn2binpad(twin, s, (int)len),
			 (int)len);
	BN_free(n);
	BN_free(twin);
}

static uint8_t *der_head(uint8_t *out, uint8_t tag, size_t len)
{
	*out++ = tag;
	if (len >= 0x100) {
		*out++ = 0x82;
		*out++ = (uint8_t)(len >> 8);
	} else if (len >= 0x80) {
		*out++ = 0x81;
	}
	*out++ = (uint8_t)len;
	return out;
}

/* SEQUENCE { signed, algorithm, BIT STRING }: the BIT STRING holds the SEQUENCE { r, s } at the
 * end. */
size_t uncovered_twin_of_der(int group, struct span der, uint8_t *out)
{
	uint8_t sig_der[160], *to = sig_der;
	size_t at = der.len, head = der.bytes[1] == 0x82 ? 4 : der.bytes[1] == 0x81 ? 3 : 2;
	ECDSA_SIG *sig = NULL, *twin = ECDSA_SIG_new();

	/* 03 LEN 00 30 …: the last place from which a signature reaches the end exactly. */
	while (!sig && --at > 3) {
		const uint8_t *from = der.bytes + at;

		if (from[0] == 0x30 && from[-1] == 0 && from[-3] == 0x03 &&
		    from[-2] == der.len - at + 1 && from[1] == der.len - at - 2)
			sig = d2i_ECDSA_SIG(NULL, &from, (long)(der.len - at));
	}
	assert_non_null(sig);
	assert_int_equal(ECDSA_SIG_set0(twin, BN_dup(ECDSA_SIG_get0_r(sig)),
					order_less(group, ECDSA_SIG_get0_s(sig))),
			 1);
	size_t sig_len = (size_t)i2d_ECDSA_SIG(twin, &to), body = at - 3 - head;
	ECDSA_SIG_free(sig);
	ECDSA_SIG_free(twin);
	assert_in_range(sig_len, 8, 110);
	to = der_head(out, 0x30, body + 3 + sig_len);
	memcpy(to, der.bytes + head, body);
	to = der_head(to + body, 0x03, sig_len + 1);
	*to++ = 0;
	memcpy(to, sig_der, sig_len);
	return (size_t)(to - out) + sig_len;
}

void uncovered_all_found(const char *file)
{
	const char *slash = strrchr(file, '/');
	size_t own = 0;

	file = slash ? slash + 1 : file;
	for (int i = UNCOVERED_NONE + 1; i < UNCOVERED_COUNT; i++) {
		if (strcmp(uncovered_rows[i].file, file) != 0)
			continue;
		print_message("# %s, %s: %zu changes\n", uncovered_rows[i].section,
			      uncovered_rows[i].where, found[i]);
		if (!found[i])
			fail_msg("uncovered.def: nothing is open at: %s", uncovered_rows[i].where);
		own++;
	}
	assert_true(own > 0);
}
