/* SPDX-License-Identifier: Apache-2.0 */
/* corim_show.c — a parsed CoRIM as JSON for people; decides nothing. */
#include "attestation/corim/corim.h"
#include "attestation/corim/corim_form.h"
#include "common/base/json.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <string.h>

static void text(struct writer *w, struct corim_bytes b)
{
	json_quote_shown(w, (const char *)b.bytes, b.len);
}

static void uuid(struct writer *w, const uint8_t *b)
{
	for (size_t i = 0; i < 16; i++)
		writer_printf(w, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
}

/* X.690, 8.19: the first two arcs in one number, seven bits in a byte. */
static void oid(struct writer *w, struct corim_bytes b)
{
	uint64_t v = 0;
	bool first = true;

	for (size_t i = 0; i < b.len; i++) {
		v = v << 7 | (b.bytes[i] & 0x7f);
		if (b.bytes[i] & 0x80)
			continue;
		if (first) {
			uint64_t arc = v < 40 ? 0 : v < 80 ? 1 : 2;

			writer_printf(w, "%" PRIu64 ".%" PRIu64, arc, v - 40 * arc);
		} else {
			writer_printf(w, ".%" PRIu64, v);
		}
		first = false;
		v = 0;
	}
}

/* `prefixed`: as an identifier whose kind shows, "uuid:…". */
static void id(struct writer *w, const struct corim_id *i, bool prefixed)
{
	switch (i->kind) {
	case CORIM_ID_TEXT:
		text(w, i->value);
		return;
	case CORIM_ID_UINT:
		writer_printf(w, "%" PRIu64, i->number);
		return;
	case CORIM_ID_UUID:
		writer_text(w, prefixed ? "\"uuid:" : "\"");
		uuid(w, i->value.bytes);
		break;
	case CORIM_ID_OID:
		writer_text(w, prefixed ? "\"oid:" : "\"");
		oid(w, i->value);
		break;
	case CORIM_ID_BYTES:
		writer_printf(w, "\"%" PRIu64 ":", i->tag);
		writer_hex(w, i->value.bytes, i->value.len);
		break;
	case CORIM_ID_OTHER:
		writer_printf(w, "\"%" PRIu64 ":", i->tag);
		break;
	case CORIM_ID_NONE:
		writer_text(w, "null");
		return;
	}
	writer_text(w, "\"");
}

static void measurement(struct writer *w, const struct corim_measurement *m)
{
	writer_text(w, "{");
	if (m->key.kind != CORIM_ID_NONE) {
		json_put_key(w, "key");
		id(w, &m->key, true);
	}
	if (m->version.bytes) {
		json_put_key(w, "version");
		text(w, m->version);
	}
	if (m->svn_kind != CORIM_SVN_NONE) {
		json_put_key(w, m->svn_kind == CORIM_SVN_MIN ? "min_svn" : "svn");
		writer_printf(w, "%" PRIu64, m->svn);
	}
	if (m->digest_count) {
		json_put_key(w, "digests");
		for (size_t i = 0; i < m->digest_count; i++) {
			writer_printf(w, "%s[%" PRIu64 ",", i ? "," : "[", m->digests[i].algorithm);
			json_quote_hex(w, m->digests[i].value.bytes, m->digests[i].value.len);
			writer_text(w, "]");
		}
		writer_text(w, "]");
	}
	if (m->raw_value.bytes)
		json_put_hex(w, "raw_value", m->raw_value.bytes, m->raw_value.len);
	if (m->other_count) {
		json_put_key(w, "other_keys");
		for (size_t i = 0; i < m->other_count; i++)
			writer_printf(w, "%s%" PRId64, i ? "," : "[", m->others[i]);
		writer_text(w, "]");
	}
	writer_text(w, "}");
}

static void environment(struct writer *w, const struct corim_reference *r)
{
	writer_text(w, "{");
	if (r->class_id.kind != CORIM_ID_NONE) {
		json_put_key(w, "class_id");
		id(w, &r->class_id, true);
	}
	if (r->vendor.bytes) {
		json_put_key(w, "vendor");
		text(w, r->vendor);
	}
	if (r->model.bytes) {
		json_put_key(w, "model");
		text(w, r->model);
	}
	if (r->has_layer) {
		json_put_key(w, "layer");
		writer_printf(w, "%" PRIu64, r->layer);
	}
	if (r->has_index) {
		json_put_key(w, "index");
		writer_printf(w, "%" PRIu64, r->index);
	}
	if (r->instance.kind != CORIM_ID_NONE) {
		json_put_key(w, "instance");
		id(w, &r->instance, true);
	}
	if (r->group.kind != CORIM_ID_NONE) {
		json_put_key(w, "group");
		id(w, &r->group, true);
	}
	writer_text(w, "}");
}

static const char *kind_name(const struct corim_tag *t)
{
	static const struct {
		uint64_t number;
		const char *tagged, *bytes;
	} kinds[] = { { 505, "CoSWID 505(bytes)", "CoSWID bytes(505)" },
		      { 506, "CoMID 506(bytes)", "CoMID bytes(506)" },
		      { 508, "CoTL 508(bytes)", "CoTL bytes(508)" } };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].number == t->number)
			return t->tagged ? kinds[i].tagged : kinds[i].bytes;
	return "unknown";
}

static void tag(struct writer *w, const struct corim_tag *t)
{
	writer_text(w, "{");
	if (t->is_comid) {
		writer_text(w, "\"tag_id\":");
		id(w, &t->id, false);
		writer_printf(w, ",\"tag_version\":%" PRIu64 ",\"triples\":[", t->version);
		for (size_t i = 0; i < t->triple_count; i++)
			writer_printf(w, "%s%" PRId64, i ? "," : "", t->triples[i]);
		writer_text(w, "],\"reference_values\":[");
		for (size_t i = 0; i < t->count; i++) {
			writer_text(w, i ? ",{\"environment\":" : "{\"environment\":");
			environment(w, &t->references[i]);
			writer_text(w, ",\"measurements\":[");
			for (size_t k = 0; k < t->references[i].count; k++) {
				writer_text(w, k ? "," : "");
				measurement(w, &t->references[i].measurements[k]);
			}
			writer_text(w, "]}");
		}
		writer_text(w, "],");
	}
	writer_printf(w, "\"kind\":\"%s\"}", kind_name(t));
}

static void validity(struct writer *w, int64_t from, int64_t to)
{
	if (from == INT64_MIN)
		writer_printf(w, "[null,%" PRId64 "]", to);
	else
		writer_printf(w, "[%" PRId64 ",%" PRId64 "]", from, to);
}

static void signature(struct writer *w, const struct corim *c)
{
	json_put_key(w, "signer");
	text(w, c->signer);
	json_put_key(w, "signature_validity");
	if (c->has_signature_validity)
		validity(w, c->signature_not_before, c->signature_not_after);
	else
		writer_text(w, "null");
	json_put_key(w, "kid");
	if (c->kid.bytes)
		json_quote_hex(w, c->kid.bytes, c->kid.len);
	else
		writer_text(w, "null");
}

void corim_show_stepped_over(const struct corim *c, struct writer *w)
{
	bool some = false;

	writer_text(w, "[");
	if (c->dependent_rims) {
		writer_text(w, "\"dependent-rims\"");
		some = true;
	}
	for (size_t i = 0; i < c->count; i++) {
		const struct corim_tag *t = &c->tags[i];

		if (!t->is_comid)
			writer_printf(w, "%s\"tag %" PRIu64 "\"", some ? "," : "", t->number);
		some = some || !t->is_comid;
		for (size_t k = 0; k < t->triple_count; k++) {
			const char *name = corim_form_triples(t->triples[k]);

			if (t->triples[k] == 0)
				continue;
			if (name)
				writer_printf(w, "%s\"%s\"", some ? "," : "", name);
			else
				writer_printf(w, "%s\"triples %" PRId64 "\"", some ? "," : "",
					      t->triples[k]);
			some = true;
		}
	}
	writer_text(w, "]");
}

void corim_show(const struct corim *c, struct writer *w)
{
	writer_printf(w, "{\"form\":\"%s\",\"id\":", c->tagged ? "tag 501" : "untagged map");
	id(w, &c->id, false);
	writer_text(w, ",\"tags\":[");
	for (size_t i = 0; i < c->count; i++) {
		writer_text(w, i ? "," : "");
		tag(w, &c->tags[i]);
	}
	writer_text(w, "]");
	if (c->profile.kind != CORIM_ID_NONE) {
		json_put_key(w, "profile");
		id(w, &c->profile, false);
	}
	if (c->has_validity) {
		json_put_key(w, "validity");
		validity(w, c->not_before, c->not_after);
	}
	if (c->is_signed)
		signature(w, c);
	writer_text(w, "}");
}
