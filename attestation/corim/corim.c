/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/corim/corim.h"

#include "attestation/corim/corim_comid.h"
#include "attestation/corim/corim_form.h"
#include "attestation/formats/cose.h"
#include "common/base/reader.h"

#include <string.h>

enum { /* corim-map and its relatives */
       CORIM_TAG = 501,
       CORIM_ID = 0,
       CORIM_TAGS = 1,
       CORIM_DEPENDENT_RIMS = 2,
       CORIM_PROFILE = 3,
       CORIM_VALIDITY = 4,
       CORIM_ENTITIES = 5,

       TAG_COSWID = 505,
       TAG_COMID = 506,
       TAG_COTL = 508,

       TAG_TIME = 1,
       TAG_URI = 32,

       COSE_CORIM_META = 8,
       META_SIGNER = 0,
       META_VALIDITY = 1,
};

#define CONTENT_TYPE "application/rim+cbor"

/* 1(seconds); fractions are not used by anyone. */
static int read_time(const struct datum *value, int64_t *out, struct err *e)
{
	const struct datum *seconds = datum_tagged(value, TAG_TIME);

	if (!datum_int(seconds ? seconds : value, out))
		return corim_wrong(e, "a time that is no whole number of seconds");
	return 0;
}

/* validity-map: {? 0: not-before, 1: not-after}. */
int corim_read_validity(const struct datum *map, int64_t *from, int64_t *to, struct err *e)
{
	const struct datum *before = datum_get(map, 0), *after = datum_get(map, 1);

	*from = INT64_MIN;
	if (map->type != DATUM_MAP || !after)
		return corim_wrong(e, "a validity without its end");
	if (before && read_time(before, from, e) < 0)
		return err_code(e);
	return read_time(after, to, e);
}

int corim_check_validity(const char *what, int64_t from, int64_t to, int64_t at, struct err *e)
{
	if (at < from || at > to)
		return err_set(e, ERR_DENIED, "corim: %s holds from %lld to %lld, not at %lld",
			       what, (long long)from, (long long)to, (long long)at);
	return 0;
}

static int read_profile(const struct datum *value, struct corim *c, struct err *e)
{
	const struct datum *uri = datum_tagged(value, TAG_URI);

	if (uri && uri->type == DATUM_TEXT && uri->len) {
		c->profile = (struct corim_id){ .kind = CORIM_ID_TEXT,
						.value = { uri->bytes, uri->len } };
		return 0;
	}
	if (corim_read_id(value, &c->profile, e) < 0 || c->profile.kind != CORIM_ID_OID)
		return corim_wrong(e, "a profile that is neither a URI nor an OID");
	return 0;
}

/* 506(bytes), or bytes that begin with that tag's head (D9 01 FA) as older writers have it. */
static int read_tag(const struct datum *value, int64_t at, struct corim_tag *tag, struct err *e)
{
	const struct datum *content = value;
	const uint8_t *bytes;
	size_t len;

	if (value->type == DATUM_TAG) {
		tag->tagged = true;
		tag->number = value->value;
		content = &value->items[0];
	}
	if (content->type != DATUM_BYTES || content->len < 3)
		return corim_wrong(e, "a tag that is not made of bytes");
	bytes = content->bytes;
	len = content->len;
	if (!tag->tagged) {
		struct reader r = reader_over(bytes, len);

		if (reader_u8(&r) != 0xD9)
			return corim_wrong(e, "a tag without its number");
		tag->number = reader_be16(&r);
		bytes = r.pos;
		len = reader_left(&r);
	}
	if (tag->number != TAG_COSWID && tag->number != TAG_COMID && tag->number != TAG_COTL)
		return err_set(e, ERR_INVALID, "corim: a tag of kind %llu",
			       (unsigned long long)tag->number);
	if (datum_parse(bytes, len, &tag->tree, e) < 0)
		return err_wrap(e, "corim: tag %llu", (unsigned long long)tag->number);
	tag->is_comid = tag->number == TAG_COMID;
	if (tag->is_comid)
		return corim_read_comid(tag->tree, tag, e);
	return tag->number == TAG_COTL ? corim_form_cotl(tag->tree, at, e)
				       : corim_form_coswid(tag->tree, e);
}

static int read_tags(const struct datum *array, int64_t at, struct corim *c, struct err *e)
{
	if (!array || array->type != DATUM_ARRAY || !array->count)
		return corim_wrong(e, "without tags");
	if (array->count > CORIM_TAGS_MAX)
		return err_set(e, ERR_EXHAUSTED, "corim: %zu tags; at most %d", array->count,
			       CORIM_TAGS_MAX);
	for (size_t i = 0; i < array->count; i++) {
		c->count = i + 1; /* so that a half-read one is freed */
		if (read_tag(&array->items[i], at, &c->tags[i], e) < 0)
			return err_code(e);
	}
	return 0;
}

static int read_map(const struct datum *map, int64_t at, struct corim *c, struct err *e)
{
	const struct datum *profile = datum_get(map, CORIM_PROFILE);
	const struct datum *validity = datum_get(map, CORIM_VALIDITY);
	const struct datum *rims = datum_get(map, CORIM_DEPENDENT_RIMS);
	const struct datum *entities = datum_get(map, CORIM_ENTITIES);

	if (map->type != DATUM_MAP)
		return corim_wrong(e, "not a map");
	if (!datum_get(map, CORIM_ID) || corim_read_name(datum_get(map, CORIM_ID), &c->id, e) < 0)
		return corim_wrong(e, "without an id of text or 16 bytes");
	if (profile && read_profile(profile, c, e) < 0)
		return err_code(e);
	if (validity) {
		c->has_validity = true;
		if (corim_read_validity(validity, &c->not_before, &c->not_after, e) < 0 ||
		    corim_check_validity("it", c->not_before, c->not_after, at, e) < 0)
			return err_code(e);
	}
	if (entities && corim_form_entities(entities, e) < 0)
		return err_code(e);
	if (rims && corim_form_locators(rims, e) < 0)
		return err_code(e);
	c->dependent_rims = rims ? rims->count : 0;
	return read_tags(datum_get(map, CORIM_TAGS), at, c, e);
}

static int parse_plain(const uint8_t *bytes, size_t len, int64_t at, struct corim *c, struct err *e)
{
	if (datum_parse(bytes, len, &c->tree, e) < 0)
		return err_wrap(e, "corim");
	if (c->tree->type == DATUM_TAG) {
		const struct datum *map = datum_tagged(c->tree, CORIM_TAG);

		c->tagged = true;
		if (!map && c->tree->value == COSE_TAG_SIGN1)
			return err_set(e, ERR_INVALID,
				       "corim: it is signed: name the signer's key");
		if (!map)
			return err_set(e, ERR_INVALID, "corim: under tag %llu, not 501",
				       (unsigned long long)c->tree->value);
		return read_map(map, at, c, e);
	}
	return read_map(c->tree, at, c, e);
}

/* corim-meta: {0: signer-map{0: name}, ? 1: validity}, as bytes in the protected header. */
static int read_meta(const struct datum *meta, int64_t at, struct corim *c, struct err *e)
{
	const struct datum *signer = datum_get(meta, META_SIGNER), *name = datum_get(signer, 0);
	const struct datum *validity = datum_get(meta, META_VALIDITY);

	if (!name || name->type != DATUM_TEXT)
		return corim_wrong(e, "corim-meta names no signer");
	if (!validity)
		return 0;
	c->has_signature_validity = true;
	if (corim_read_validity(validity, &c->signature_not_before, &c->signature_not_after, e) < 0)
		return err_code(e);
	return corim_check_validity("its signature", c->signature_not_before,
				    c->signature_not_after, at, e);
}

/* Where in the input the signer's name and key id stand: the meta's own tree goes away. */
static void keep_signer(const struct cose *m, const struct datum *meta, const struct datum *bytes,
			struct corim *c)
{
	const struct datum *name = datum_get(datum_get(meta, META_SIGNER), 0);
	const struct datum *kid = datum_get(m->headers, COSE_HEADER_KID);

	c->is_signed = true;
	c->signer = (struct corim_bytes){ bytes->bytes + (name->bytes - bytes->bytes), name->len };
	kid = kid ? kid : datum_get(m->unprotected, COSE_HEADER_KID);
	if (kid && kid->type == DATUM_BYTES)
		c->kid = (struct corim_bytes){ kid->bytes, kid->len };
}

static int check_signed(const struct cose *m, EVP_PKEY *key, int64_t at, struct corim *c,
			struct err *e)
{
	const struct datum *meta_bytes = datum_get(m->headers, COSE_CORIM_META);
	struct datum *meta;

	if (!datum_is_text(datum_get(m->headers, COSE_HEADER_CONTENT_TYPE), CONTENT_TYPE))
		return corim_wrong(e, "its content type is not " CONTENT_TYPE);
	if (!meta_bytes || meta_bytes->type != DATUM_BYTES)
		return corim_wrong(e, "without corim-meta");
	if (cose_verify(m, key, NULL, 0, e) < 0)
		return err_wrap(e, "corim");
	if (datum_parse(meta_bytes->bytes, meta_bytes->len, &meta, e) < 0)
		return err_wrap(e, "corim-meta");
	int failed = read_meta(meta, at, c, e);
	if (!failed)
		keep_signer(m, meta, meta_bytes, c);
	datum_free(meta);
	return failed;
}

static int parse_signed(const void *bytes, size_t len, EVP_PKEY *key, int64_t at, struct corim *c,
			struct err *e)
{
	static const int64_t known[] = { COSE_CORIM_META };
	struct cose m;

	if (cose_parse(bytes, len, known, 1, &m, e) < 0)
		return err_wrap(e, "corim: a signed one is wanted");
	int failed = check_signed(&m, key, at, c, e);
	if (!failed)
		failed = parse_plain(m.payload, m.payload_len, at, c, e);
	cose_done(&m);
	return failed;
}

int corim_parse(const void *bytes, size_t len, EVP_PKEY *key, int64_t at, struct corim *corim,
		struct err *e)
{
	memset(corim, 0, sizeof(*corim));
	if (len > CORIM_MAX)
		return err_set(e, ERR_EXHAUSTED, "corim: %zu bytes; at most %d", len, CORIM_MAX);
	int failed = key ? parse_signed(bytes, len, key, at, corim, e)
			 : parse_plain(bytes, len, at, corim, e);
	if (failed)
		corim_done(corim);
	return failed;
}

void corim_done(struct corim *corim)
{
	for (size_t i = 0; i < corim->count; i++) {
		struct corim_tag *tag = &corim->tags[i];

		for (size_t k = 0; k < tag->count; k++)
			free(tag->references[k].measurements);
		free(tag->references);
		datum_free(tag->tree);
	}
	datum_free(corim->tree);
	memset(corim, 0, sizeof(*corim));
}
