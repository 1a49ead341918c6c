/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/corim/corim_comid.h"

#include "attestation/corim/corim_form.h"

#include <stdlib.h>
#include <string.h>

enum { /* draft-ietf-rats-corim, section 5 */
       COMID_IDENTITY = 1,
       COMID_TRIPLES = 4,
       TRIPLE_REFERENCE = 0,

       ENVIRONMENT_CLASS = 0,
       ENVIRONMENT_INSTANCE = 1,
       ENVIRONMENT_GROUP = 2,

       MEASUREMENT_KEY = 0,
       MEASUREMENT_VALUE = 1,

       VALUE_VERSION = 0,
       VALUE_SVN = 1,
       VALUE_DIGESTS = 2,
       VALUE_RAW = 4,

       TAG_UUID = 37,
       TAG_OID = 111,
       TAG_UEID = 550,
       TAG_SVN = 552,
       TAG_MIN_SVN = 553,
       TAG_BYTES = 560,
       TAG_MASKED = 563,

       UUID_LEN = 16,
};

/* IANA Named Information Hash Algorithm registry. */
static const struct {
	uint64_t number;
	size_t len;
} algorithms[] = {
	{ 1, 32 }, { 2, 16 }, { 3, 15 }, { 4, 12 },  { 5, 8 },   { 6, 4 },
	{ 7, 48 }, { 8, 64 }, { 9, 28 }, { 10, 32 }, { 11, 48 }, { 12, 64 },
};

int corim_wrong(struct err *e, const char *what)
{
	return err_set(e, ERR_INVALID, "corim: %s", what);
}

int corim_read_name(const struct datum *value, struct corim_id *id, struct err *e)
{
	if (value->type == DATUM_TEXT && value->len)
		id->kind = CORIM_ID_TEXT;
	else if (value->type == DATUM_BYTES && value->len == UUID_LEN)
		id->kind = CORIM_ID_UUID;
	else
		return corim_wrong(e, "a name that is neither text nor 16 bytes");
	id->value = (struct corim_bytes){ value->bytes, value->len };
	return 0;
}

static bool tag_is_of_bytes(uint64_t tag)
{
	return tag == TAG_OID || tag == TAG_UEID || tag == TAG_BYTES;
}

/* Keys and certificates (554 to 562) and what profiles define (600 and on) are texts, arrays or maps:
 * kept as something that nothing of ours matches. */
int corim_read_id(const struct datum *value, struct corim_id *id, struct err *e)
{
	const struct datum *content = value->type == DATUM_TAG ? &value->items[0] : value;

	if (value->type == DATUM_UINT) {
		*id = (struct corim_id){ .kind = CORIM_ID_UINT, .number = value->value };
		return 0;
	}
	if (value->type == DATUM_TEXT && value->len) {
		*id = (struct corim_id){ .kind = CORIM_ID_TEXT,
					 .value = { value->bytes, value->len } };
		return 0;
	}
	if (value->type != DATUM_TAG)
		return corim_wrong(e, "an identifier of unknown form");
	if (value->value == TAG_UUID && (content->type != DATUM_BYTES || content->len != UUID_LEN))
		return corim_wrong(e, "a UUID that has not 16 bytes");
	if (tag_is_of_bytes(value->value) && (content->type != DATUM_BYTES || !content->len))
		return corim_wrong(e, "an identifier without its bytes");
	if (content->type != DATUM_BYTES) {
		*id = (struct corim_id){ .kind = CORIM_ID_OTHER, .tag = value->value };
		return 0;
	}
	id->kind = value->value == TAG_UUID  ? CORIM_ID_UUID
		   : value->value == TAG_OID ? CORIM_ID_OID
					     : CORIM_ID_BYTES;
	id->tag = value->value;
	id->value = (struct corim_bytes){ content->bytes, content->len };
	return 0;
}

static int read_text(const struct datum *value, struct corim_bytes *out, struct err *e)
{
	if (!value)
		return 0;
	if (value->type != DATUM_TEXT)
		return corim_wrong(e, "a name that is no text");
	*out = (struct corim_bytes){ value->bytes, value->len };
	return 0;
}

static size_t count_of(const struct datum *member)
{
	return member ? 1 : 0;
}

static int read_class(const struct datum *map, struct corim_reference *ref, struct err *e)
{
	const struct datum *id = datum_get(map, 0), *layer = datum_get(map, 3);
	const struct datum *vendor = datum_get(map, 1), *model = datum_get(map, 2);
	const struct datum *index = datum_get(map, 4);

	if (map->type != DATUM_MAP || !map->count)
		return corim_wrong(e, "an empty class");
	if (id && corim_read_id(id, &ref->class_id, e) < 0)
		return err_code(e);
	if (layer) {
		if (layer->type != DATUM_UINT)
			return corim_wrong(e, "a layer that is no number");
		ref->has_layer = true;
		ref->layer = layer->value;
	}
	if (index) {
		if (index->type != DATUM_UINT)
			return corim_wrong(e, "an index that is no number");
		ref->has_index = true;
		ref->index = index->value;
	}
	/* Nothing here tells one instance of a class from another: an index is not understood. */
	ref->has_more |= index || map->count > count_of(id) + count_of(layer) + count_of(vendor) +
						       count_of(model);
	if (read_text(vendor, &ref->vendor, e) < 0)
		return err_code(e);
	return read_text(model, &ref->model, e);
}

int corim_read_environment(const struct datum *map, struct corim_reference *ref, struct err *e)
{
	const struct datum *class = datum_get(map, ENVIRONMENT_CLASS);
	const struct datum *instance = datum_get(map, ENVIRONMENT_INSTANCE);
	const struct datum *group = datum_get(map, ENVIRONMENT_GROUP);

	if (map->type != DATUM_MAP || (!class && !instance && !group))
		return corim_wrong(e, "an empty environment");
	ref->has_more |= map->count > count_of(class) + count_of(instance) + count_of(group);
	if (class && read_class(class, ref, e) < 0)
		return err_code(e);
	if (instance && corim_read_id(instance, &ref->instance, e) < 0)
		return err_code(e);
	return group ? corim_read_id(group, &ref->group, e) : 0;
}

static int read_svn(const struct datum *value, struct corim_measurement *m, struct err *e)
{
	const struct datum *min = datum_tagged(value, TAG_MIN_SVN);
	const struct datum *exact = datum_tagged(value, TAG_SVN);
	const struct datum *number = min ? min : exact ? exact : value;

	if (number->type != DATUM_UINT)
		return corim_wrong(e, "an SVN that is no number from 0");
	m->svn_kind = min ? CORIM_SVN_MIN : CORIM_SVN_EXACT;
	m->svn = number->value;
	return 0;
}

static int read_digest(const struct datum *pair, struct corim_digest *out, struct err *e)
{
	size_t i = 0;

	if (pair->type != DATUM_ARRAY || pair->count != 2 || pair->items[0].type != DATUM_UINT ||
	    pair->items[1].type != DATUM_BYTES)
		return corim_wrong(e, "a digest that is not [algorithm, bytes]");
	while (i < sizeof(algorithms) / sizeof(algorithms[0]) &&
	       algorithms[i].number != pair->items[0].value)
		i++;
	if (i == sizeof(algorithms) / sizeof(algorithms[0]))
		return err_set(e, ERR_INVALID, "corim: digest algorithm %llu is unknown",
			       (unsigned long long)pair->items[0].value);
	if (pair->items[1].len != algorithms[i].len)
		return err_set(e, ERR_INVALID,
			       "corim: a digest of %zu bytes; its algorithm has %zu",
			       pair->items[1].len, algorithms[i].len);
	*out = (struct corim_digest){ pair->items[0].value,
				      { pair->items[1].bytes, pair->items[1].len } };
	return 0;
}

static int read_digests(const struct datum *array, struct corim_measurement *m, struct err *e)
{
	if (array->type != DATUM_ARRAY || !array->count || array->count > CORIM_DIGESTS_MAX)
		return corim_wrong(e, "digests that are none, or too many");
	for (size_t i = 0; i < array->count; i++)
		if (read_digest(&array->items[i], &m->digests[i], e) < 0)
			return err_code(e);
	m->digest_count = array->count;
	return 0;
}

static int add_other(int64_t key, struct corim_measurement *m, struct err *e)
{
	if (m->other_count == CORIM_OTHERS_MAX)
		return corim_wrong(e, "too many values in one measurement");
	m->others[m->other_count++] = key;
	return 0;
}

/* 563([value, mask]): of one length, and not understood here. */
static int read_masked(const struct datum *pair, struct corim_measurement *m, struct err *e)
{
	if (pair->type != DATUM_ARRAY || pair->count != 2 || pair->items[0].type != DATUM_BYTES ||
	    pair->items[1].type != DATUM_BYTES || pair->items[0].len != pair->items[1].len)
		return corim_wrong(e, "a masked raw value that is not 563([bytes, as many bytes])");
	return add_other(VALUE_RAW, m, e);
}

static int read_raw(const struct datum *value, struct corim_measurement *m, struct err *e)
{
	const struct datum *bytes = datum_tagged(value, TAG_BYTES);
	const struct datum *masked = datum_tagged(value, TAG_MASKED);

	if (masked)
		return read_masked(masked, m, e);
	if (!bytes || bytes->type != DATUM_BYTES)
		return corim_wrong(e, "a raw value that is not 560(bytes)");
	m->raw_value = (struct corim_bytes){ bytes->bytes, bytes->len };
	return 0;
}

static int read_version(const struct datum *map, struct corim_measurement *m, struct err *e)
{
	const struct datum *text = datum_get(map, 0);

	if (!text)
		return corim_wrong(e, "a version without its text");
	return read_text(text, &m->version, e);
}

static int read_value(int64_t key, const struct datum *value, struct corim_measurement *m,
		      struct err *e)
{
	switch (key) {
	case VALUE_VERSION:
		return read_version(value, m, e);
	case VALUE_SVN:
		return read_svn(value, m, e);
	case VALUE_DIGESTS:
		return read_digests(value, m, e);
	case VALUE_RAW:
		return read_raw(value, m, e);
	default:
		return add_other(key, m, e);
	}
}

int corim_read_measurement(const struct datum *map, struct corim_measurement *m, struct err *e)
{
	const struct datum *key = datum_get(map, MEASUREMENT_KEY);
	const struct datum *values = datum_get(map, MEASUREMENT_VALUE);
	int64_t number;

	if (!values || values->type != DATUM_MAP || !values->count)
		return corim_wrong(e, "a measurement without a value");
	m->has_more = map->count > 1 + count_of(key);
	if (key && corim_read_id(key, &m->key, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < values->count; i++) {
		if (!datum_int(&values->items[2 * i], &number))
			return corim_wrong(e,
					   "a measurement's value under a key that is no integer");
		if (read_value(number, &values->items[2 * i + 1], m, e) < 0)
			return err_code(e);
	}
	return 0;
}

/* [environment, [measurement, …]]; newer drafts may bring more, which nobody has used yet. */
static int read_reference(const struct datum *triple, struct corim_reference *ref, struct err *e)
{
	if (triple->type != DATUM_ARRAY || triple->count != 2 ||
	    triple->items[1].type != DATUM_ARRAY)
		return corim_wrong(e, "a reference triple of another form");
	const struct datum *list = &triple->items[1];
	if (!list->count || list->count > CORIM_MEASUREMENTS_MAX)
		return corim_wrong(e, "a triple with no measurement, or too many");
	if (corim_read_environment(&triple->items[0], ref, e) < 0)
		return err_code(e);
	ref->measurements = calloc(list->count, sizeof(*ref->measurements));
	if (!ref->measurements)
		return err_nomem(e);
	ref->count = list->count;
	for (size_t i = 0; i < list->count; i++)
		if (corim_read_measurement(&list->items[i], &ref->measurements[i], e) < 0)
			return err_code(e);
	return 0;
}

static int read_references(const struct datum *array, struct corim_tag *tag, struct err *e)
{
	if (array->type != DATUM_ARRAY || !array->count || array->count > CORIM_TRIPLES_MAX)
		return corim_wrong(e, "reference triples that are none, or too many");
	tag->references = calloc(array->count, sizeof(*tag->references));
	if (!tag->references)
		return err_nomem(e);
	tag->count = array->count;
	for (size_t i = 0; i < array->count; i++)
		if (read_reference(&array->items[i], &tag->references[i], e) < 0)
			return err_code(e);
	return 0;
}

static int read_triples(const struct datum *map, struct corim_tag *tag, struct err *e)
{
	const struct datum *references = datum_get(map, TRIPLE_REFERENCE);

	if (!map || map->type != DATUM_MAP || !map->count || map->count > 16)
		return corim_wrong(e, "a CoMID without triples");
	for (size_t i = 0; i < map->count; i++) {
		if (!datum_int(&map->items[2 * i], &tag->triples[tag->triple_count]))
			return corim_wrong(e, "triples under a key that is no number");
		tag->triple_count++;
	}
	return references ? read_references(references, tag, e) : 0;
}

int corim_read_comid(const struct datum *map, struct corim_tag *tag, struct err *e)
{
	const struct datum *identity = datum_get(map, COMID_IDENTITY), *id = datum_get(identity, 0);
	const struct datum *version = datum_get(identity, 1);

	if (map->type != DATUM_MAP || !id || corim_read_name(id, &tag->id, e) < 0)
		return corim_wrong(e, "a CoMID without its identity");
	if (version && version->type != DATUM_UINT)
		return corim_wrong(e, "a tag version that is no number");
	tag->version = version ? version->value : 0;
	if (read_triples(datum_get(map, COMID_TRIPLES), tag, e) < 0)
		return err_code(e);
	return corim_form_comid(map, e);
}
