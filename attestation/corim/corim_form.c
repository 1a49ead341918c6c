/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/corim/corim_form.h"

#include "attestation/corim/corim_comid.h"
#include "common/base/cleanup.h"

enum {
	TAG_URI = 32,
	TAG_KEY_FIRST = 554, /* pkix-base64-key … */
	TAG_KEY_LAST = 562,  /* … pkix-asn1der-cert */
};

typedef int form_fn(const struct datum *value, struct err *e);

/* [+ each] */
static int some_of(const struct datum *array, form_fn *each, const char *what, struct err *e)
{
	if (array->type != DATUM_ARRAY || !array->count)
		return err_set(e, ERR_INVALID, "corim: %s: a list of at least one is wanted", what);
	for (size_t i = 0; i < array->count; i++)
		if (each(&array->items[i], e) < 0)
			return err_wrap(e, "%s", what);
	return 0;
}

static bool is_text(const struct datum *value)
{
	return value && value->type == DATUM_TEXT && value->len;
}

static int uri(const struct datum *value, struct err *e)
{
	const struct datum *text = datum_tagged(value, TAG_URI);

	return is_text(text) ? 0 : corim_wrong(e, "a URI that is not 32(text)");
}

static int number(const struct datum *value, struct err *e)
{
	int64_t ignored;

	return datum_int(value, &ignored) ? 0 : corim_wrong(e, "a role that is no number");
}

static int entity(const struct datum *map, struct err *e)
{
	const struct datum *id = datum_get(map, 1), *roles = datum_get(map, 2);

	if (map->type != DATUM_MAP || !is_text(datum_get(map, 0)))
		return corim_wrong(e, "an entity without a name");
	if (id && uri(id, e) < 0)
		return err_wrap(e, "reg-id");
	return roles ? some_of(roles, number, "roles", e)
		     : corim_wrong(e, "an entity without roles");
}

int corim_form_entities(const struct datum *array, struct err *e)
{
	return some_of(array, entity, "entities", e);
}

static int locator(const struct datum *map, struct err *e)
{
	const struct datum *href = datum_get(map, 0);

	if (map->type != DATUM_MAP || !href)
		return corim_wrong(e, "a locator without its href");
	return href->type == DATUM_ARRAY ? some_of(href, uri, "href", e) : uri(href, e);
}

int corim_form_locators(const struct datum *array, struct err *e)
{
	return some_of(array, locator, "dependent-rims", e);
}

/* ---- CoMID ---- */

static int environment(const struct datum *value, struct err *e)
{
	struct corim_reference ignored = { .count = 0 };

	return corim_read_environment(value, &ignored, e);
}

static int measurement(const struct datum *value, struct err *e)
{
	struct corim_measurement ignored = { .svn = 0 };

	return corim_read_measurement(value, &ignored, e);
}

static int crypto_key(const struct datum *value, struct err *e)
{
	if (value->type != DATUM_TAG || value->value < TAG_KEY_FIRST || value->value > TAG_KEY_LAST)
		return corim_wrong(e, "a key of unknown form");
	return 0;
}

/* What a dependency or membership speaks of: an identifier or an environment. */
static int domain(const struct datum *value, struct err *e)
{
	struct corim_id ignored;

	return value->type == DATUM_MAP ? environment(value, e) : corim_read_id(value, &ignored, e);
}

static int tag_id(const struct datum *value, struct err *e)
{
	struct corim_id ignored;

	return corim_read_name(value, &ignored, e);
}

/* [first, [+ second]], and what newer drafts bring behind it. */
static int pair(const struct datum *triple, form_fn *first, form_fn *second, struct err *e)
{
	if (triple->type != DATUM_ARRAY || triple->count < 2 || triple->count > 3)
		return corim_wrong(e, "a triple of another form");
	if (first(&triple->items[0], e) < 0)
		return err_code(e);
	return some_of(&triple->items[1], second, "triple", e);
}

static int endorsed(const struct datum *triple, struct err *e)
{
	return pair(triple, environment, measurement, e);
}

static int keys(const struct datum *triple, struct err *e)
{
	return pair(triple, environment, crypto_key, e);
}

/* A dependency's, or a membership's. */
static int domains(const struct datum *triple, struct err *e)
{
	return pair(triple, domain, domain, e);
}

static int coswid_ids(const struct datum *triple, struct err *e)
{
	return pair(triple, environment, tag_id, e);
}

/* stateful-environment-record: [environment, [* measurement]] */
static int stateful(const struct datum *record, struct err *e)
{
	if (record->type != DATUM_ARRAY || record->count < 2 || record->count > 3 ||
	    record->items[1].type != DATUM_ARRAY)
		return corim_wrong(e, "a condition of another form");
	if (environment(&record->items[0], e) < 0)
		return err_code(e);
	return record->items[1].count ? some_of(&record->items[1], measurement, "condition", e) : 0;
}

/* conditional-series-record: [selection, addition] */
static int series(const struct datum *record, struct err *e)
{
	if (record->type != DATUM_ARRAY || record->count != 2)
		return corim_wrong(e, "a series of another form");
	if (some_of(&record->items[0], measurement, "selection", e) < 0)
		return err_code(e);
	return some_of(&record->items[1], measurement, "addition", e);
}

static int conditional_series(const struct datum *triple, struct err *e)
{
	return pair(triple, stateful, series, e);
}

static int conditional(const struct datum *triple, struct err *e)
{
	if (triple->type != DATUM_ARRAY || triple->count != 2)
		return corim_wrong(e, "a triple of another form");
	if (some_of(&triple->items[0], stateful, "conditions", e) < 0)
		return err_code(e);
	return some_of(&triple->items[1], endorsed, "endorsements", e);
}

static const struct kind {
	int64_t number;
	const char *name;
	form_fn *triple; /* NULL: read elsewhere */
} kinds[] = {
	{ 0, "reference-triples", NULL },
	{ 1, "endorsed-triples", endorsed },
	{ 2, "identity-triples", keys },
	{ 3, "attest-key-triples", keys },
	{ 4, "dependency-triples", domains },
	{ 5, "membership-triples", domains },
	{ 6, "coswid-triples", coswid_ids },
	{ 8, "conditional-endorsement-series-triples", conditional_series },
	{ 10, "conditional-endorsement-triples", conditional },
};

const char *corim_form_triples(int64_t kind)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].number == kind)
			return kinds[i].name;
	return NULL;
}

static int linked_tag(const struct datum *map, struct err *e)
{
	const struct datum *id = datum_get(map, 0), *relation = datum_get(map, 1);
	int64_t ignored;

	if (map->type != DATUM_MAP || !id || !relation || !datum_int(relation, &ignored))
		return corim_wrong(e, "a linked tag without id or relation");
	return tag_id(id, e);
}

int corim_form_comid(const struct datum *map, struct err *e)
{
	const struct datum *language = datum_get(map, 0), *entities = datum_get(map, 2);
	const struct datum *linked = datum_get(map, 3), *triples = datum_get(map, 4);

	if (language && !is_text(language))
		return corim_wrong(e, "a language that is no text");
	if (entities && corim_form_entities(entities, e) < 0)
		return err_code(e);
	if (linked && some_of(linked, linked_tag, "linked-tags", e) < 0)
		return err_code(e);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct datum *list = datum_get(triples, kinds[i].number);

		if (list && kinds[i].triple && some_of(list, kinds[i].triple, kinds[i].name, e) < 0)
			return err_code(e);
	}
	return 0;
}

/* ---- the other tags ---- */

static int identity(const struct datum *map, struct err *e)
{
	const struct datum *id = datum_get(map, 0), *version = datum_get(map, 1);

	if (map->type != DATUM_MAP || !id || (version && version->type != DATUM_UINT))
		return corim_wrong(e, "a tag identity of another form");
	return tag_id(id, e);
}

int corim_form_cotl(const struct datum *map, int64_t at, struct err *e)
{
	const struct datum *id = datum_get(map, 0), *list = datum_get(map, 1);
	const struct datum *validity = datum_get(map, 2);
	int64_t from, to;

	if (map->type != DATUM_MAP || !id || !list || !validity)
		return corim_wrong(e, "a CoTL without identity, list or validity");
	if (identity(id, e) < 0 || some_of(list, identity, "tags-list", e) < 0 ||
	    corim_read_validity(validity, &from, &to, e) < 0)
		return err_code(e);
	return corim_check_validity("a CoTL", from, to, at, e);
}

int corim_form_coswid(const struct datum *map, struct err *e)
{
	const struct datum *id = datum_get(map, 0), *version = datum_get(map, 12);
	const struct datum *entities = datum_get(map, 2);
	int64_t ignored;

	if (map->type != DATUM_MAP || !id || !version || !datum_int(version, &ignored) ||
	    !is_text(datum_get(map, 1)) || !entities)
		return corim_wrong(e, "a CoSWID without tag id, version, name or entity");
	return tag_id(id, e);
}
