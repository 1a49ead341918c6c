/* SPDX-License-Identifier: Apache-2.0 */
/* web_openapi_nouns.c — schemas of what is answered, of the table of nouns; and of a manifest, of its own. */
#include "common/base/json.h"
#include "common/manifest/manifest_shape.h"
#include "computations/web/web_action.h"
#include "computations/web/web_noun.h"
#include "computations/web/web_once.h"
#include "computations/web/web_openapi.h"

#include <string.h>

static void put_shape(struct writer *w, const struct manifest_shape *shape, int depth);

/* One table with the reader (manifest_json.c). */
static void put_member(struct writer *w, const struct manifest_member *m, int depth)
{
	bool is_list = m->kind == MANIFEST_OBJECTS || m->kind == MANIFEST_TEXTS;

	json_put_key(w, m->key);
	if (is_list)
		writer_printf(w, "{\"type\":\"array\",\"maxItems\":%zu,\"items\":", m->max);
	if (m->shape)
		put_shape(w, m->shape, depth);
	else if (m->kind == MANIFEST_HASH)
		writer_text(w, "{\"type\":[\"string\",\"array\"]}");
	else
		writer_text(w, m->kind == MANIFEST_FLAG ? "{\"type\":\"boolean\"}"
							: "{\"type\":\"string\"}");
	writer_text(w, is_list ? "}" : "");
}

/* A shape has no circle. */
static void put_shape(struct writer *w, const struct manifest_shape *shape, int depth)
{
	enum { DEPTH_MAX = 4 };

	writer_text(w, "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
	for (size_t i = 0; depth < DEPTH_MAX && i < shape->count; i++)
		put_member(w, &shape->members[i], depth + 1);
	/* What else one has to have hangs on its other members, and on who may be named (web_new.h). */
	writer_text(w, depth ? "}}" : "},\"required\":[\"algorithm\"]}");
	w->bad = w->bad || depth == DEPTH_MAX;
}

void web_openapi_put_manifest(struct writer *w)
{
	put_shape(w, &manifest_shape, 0);
}

/* ---- one noun ---- */

static const struct {
	const char *type, *more;
} kinds[MEMBER_KINDS] = {
	[MEMBER_TEXT] = { "string", "" },
	[MEMBER_WORD] = { "string", "" },
	[MEMBER_FLAG] = { "boolean", "" },
	[MEMBER_COUNT] = { "integer", ",\"minimum\":0" },
	[MEMBER_TIME] = { "string", ",\"format\":\"date-time\"" },
	[MEMBER_DIGEST] = { "string", ",\"pattern\":\"^[0-9a-f]{64}$\"" },
	[MEMBER_DIGEST_OR_NONE] = { "string", ",\"pattern\":\"^([0-9a-f]{64})?$\"" },
	[MEMBER_BYTES] = { "string", ",\"pattern\":\"^([0-9a-f]{2})*$\"" },
};

static void put_reference(struct writer *w, enum web_noun_name noun)
{
	writer_printf(w, "{\"$ref\":\"" WEB_OPENAPI_SCHEMAS "%s\"}", web_nouns[noun].name);
}

static void put_words(struct writer *w, const char *(*word)(unsigned k))
{
	json_put_key(w, "enum");
	writer_text(w, "[");
	for (unsigned k = 0; word(k); k++) {
		writer_text(w, k ? "," : "");
		json_quote(w, word(k), strlen(word(k)));
	}
	writer_text(w, "]");
}

static void put_kind(struct writer *w, const struct web_noun_member *m, bool may_be_null)
{
	if (m->kind == MEMBER_NOUN || m->kind == MEMBER_JSON) {
		writer_text(w, may_be_null ? "{\"anyOf\":[" : "");
		if (m->kind == MEMBER_JSON)
			writer_text(w, "{}");
		else
			put_reference(w, m->noun);
		writer_text(w, may_be_null ? ",{\"type\":\"null\"}]}" : "");
		return;
	}
	writer_printf(w, may_be_null ? "{\"type\":[\"%s\",\"null\"]%s" : "{\"type\":\"%s\"%s",
		      kinds[m->kind].type, kinds[m->kind].more);
	if (m->word)
		put_words(w, m->word);
	writer_text(w, "}");
}

static void put_noun_member(struct writer *w, const struct web_noun_member *m)
{
	json_put_key(w, m->name);
	if (!m->is_list) {
		put_kind(w, m, m->may_be_null);
		return;
	}
	writer_printf(w, "{\"type\":%s,\"items\":",
		      m->may_be_null ? "[\"array\",\"null\"]" : "\"array\"");
	put_kind(w, m, false);
	writer_text(w, "}");
}

static void put_noun(struct writer *w, const struct web_noun *noun)
{
	const char *between = "";

	json_put_key(w, noun->name);
	writer_text(w, "{\"type\":\"object\",\"additionalProperties\":false");
	json_put_key(w, "properties");
	writer_text(w, "{");
	for (const struct web_noun_member *m = noun->members; m->name; m++)
		put_noun_member(w, m);
	writer_text(w, "}");
	json_put_key(w, "required");
	writer_text(w, "[");
	for (const struct web_noun_member *m = noun->members; m->name; m++) {
		if (m->may_lack)
			continue;
		writer_printf(w, "%s\"%s\"", between, m->name);
		between = ",";
	}
	writer_text(w, "]}");
}

void web_openapi_put_nouns(struct writer *w)
{
	for (int i = NOUN_NONE + 1; i < NOUNS; i++) {
		const struct web_noun *noun = &web_nouns[i];

		if (noun->members) {
			put_noun(w, noun);
			continue;
		}
		json_put_key(w, noun->name);
		if (noun->items == NOUN_NONE) {
			web_openapi_put_manifest(w);
			continue;
		}
		writer_text(w, "{\"type\":\"array\",\"items\":");
		put_reference(w, noun->items);
		writer_text(w, "}");
	}
}

/* ---- of an operation ---- */

/* JSON that no noun is for, and why. */
static const struct {
	void (*serve)(struct http_request *r, void *data);
	const char *reason;
} others[] = {
	{ web_openapi, "OpenAPI itself says what its documents are." },
};

void web_openapi_put_told(struct writer *w, const struct web_route *about)
{
	const enum web_noun_name noun = about->action ? about->action->tells : about->tells;

	json_put_key(w, "schema");
	if (noun != NOUN_NONE) {
		writer_text(w, web_once_is(about) ? "{\"anyOf\":[" : "");
		put_reference(w, noun);
		if (web_once_is(about)) {
			writer_text(w, ",");
			put_reference(w, NOUN_WITHHELD);
			writer_text(w, "]}");
		}
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (others[i].serve == about->http.serve) {
			writer_text(w, "{\"type\":\"object\"");
			web_openapi_text(w, "description", others[i].reason);
			writer_text(w, "}");
			return;
		}
	w->bad = true; /* there is no document that leaves one out */
}
