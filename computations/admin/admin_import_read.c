/* SPDX-License-Identifier: Apache-2.0 */
/* admin_import_read.c — what an import brings: read, made to manifests, and judged, before the database is asked. */
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/crypto/key.h"
#include "common/manifest/agent_config.h"
#include "common/protobuf/protobuf.h"
#include "common/transfer/csv.h"
#include "computations/admin/admin_judge.h"
#include "computations/admin/admin_transfer.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* ---- people ---- */

static int compare(const void *one, const void *other)
{
	const struct transfer_person *a = one, *b = other;

	return strcmp(a->id, b->id);
}

struct transfer_person *transfer_person(const struct transfer_request *t, const char *id)
{
	const struct transfer_person asked = { .id = (char *)(uintptr_t)id };
	struct transfer_person *const *found = tfind(&asked, &t->by_id, compare);

	return found ? *found : NULL;
}

int transfer_person_add(struct transfer_request *t, struct transfer_person *p, struct err *e)
{
	return tsearch(p, &t->by_id, compare) ? 0 : err_nomem(e);
}

/* What the tree points to is in the array. */
static void keep(void *person)
{
	(void)person;
}

void transfer_people_free(struct transfer_request *t)
{
	tdestroy(t->by_id, keep);
	for (size_t i = 0; i < t->person_count; i++) {
		free(t->people[i].id);
		free(t->people[i].user);
		free(t->people[i].key);
		free(t->people[i].spki.data);
	}
}

/* ---- the document ---- */

bool transfer_is_refusal(enum err_code code)
{
	return code == ERR_INVALID || code == ERR_NOT_FOUND || code == ERR_EXISTS ||
	       code == ERR_PRECONDITION || code == ERR_UNIMPLEMENTED || code == ERR_EXHAUSTED;
}

static const char *key_of(void *data, const char *id, struct err *e)
{
	const struct transfer_person *p = transfer_person(data, id);

	(void)e;
	return p ? p->key : NULL;
}

static int take_id(const struct transfer_request *t, Cvms__ComputationRunReq *m, struct err *e)
{
	if (t->new_ids && m->id != protobuf_c_empty_string) {
		free(m->id);
		m->id = (char *)(uintptr_t)protobuf_c_empty_string;
	}
	return admin_take_id(m, e);
}

static int read_document(struct transfer_request *t, struct err *e)
{
	CLEANUP(free) uint8_t *json = NULL;
	size_t len;

	if (!t->csv)
		return document_read(t->bytes, t->len, &t->document, e);
	if (csv_to_json(t->bytes, t->len, DOCUMENT_MAX, &json, &len, e) < 0)
		return err_code(e);
	return document_read(json, len, &t->document, e);
}

static void note_name(const struct transfer_request *t, const char *id)
{
	struct transfer_person *p = transfer_person(t, id);

	if (p)
		p->is_named = true;
}

static void note_names(const struct transfer_request *t, const struct document_item *item)
{
	for (size_t i = 0; i < item->asset_count; i++)
		note_name(t, item->assets[i].owner);
	for (size_t i = 0; i < item->member_count; i++)
		note_name(t, item->members[i].user);
}

/* Who misspells an id would else find out by a role that somebody lacks. */
static int check_people(const struct transfer_request *t, struct err *e)
{
	for (size_t k = 0; t->person_count && k < t->document->count; k++)
		note_names(t, &t->document->items[k]);
	for (size_t i = 0; i < t->person_count; i++)
		if (!t->people[i].is_named)
			return err_set(e, ERR_INVALID,
				       "people: nobody in the document is %s: --map and --key "
				       "name people as it does",
				       log_quote(t->people[i].id).text);
	return 0;
}

static int begin(struct transfer_request *t, struct err *e)
{
	uint8_t hash[SHA3_256_LEN];

	if (digest(DIGEST_SHA3_256, t->bytes, t->len, hash, e) < 0 || read_document(t, e) < 0 ||
	    check_people(t, e) < 0)
		return err_code(e);
	hex_encode(hash, sizeof(hash), t->digest);
	t->items = calloc(t->document->count + 1, sizeof(*t->items));
	return t->items ? 1 : err_nomem(e);
}

/* Whether the next one is a key. Whether its numbers are sound takes up to half a second, and is found out with the manifest
 * that has it. */
static int judge_person(struct transfer_request *t, struct err *e)
{
	const struct transfer_person *p = &t->people[t->people_judged++];
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	if (p->spki.len && key_parse_spki(p->spki.data, p->spki.len, &key, e) < 0)
		return err_wrap(e, "key of %s", log_quote(p->id).text);
	return 1;
}

/* As of judge_manifest(). */
static int judge_item(struct request *r, const struct document_item *item,
		      struct transfer_item *out, struct err *e)
{
	struct transfer_request *t = r->transfer;
	const struct document_keys keys = { key_of, t };
	int more;

	if (!out->manifest &&
	    (document_manifest(item, &keys, &out->manifest, &out->left_out, e) < 0 ||
	     take_id(t, out->manifest, e) < 0))
		return err_code(e);
	more = judge_manifest(r, out->manifest, e);
	if (more)
		return more;
	if (agent_config_check(out->manifest->agent_config, e) < 0)
		return err_wrap(e, "agent_config (no document has its private key)");
	return 0;
}

int transfer_judge(struct request *r, struct err *e)
{
	struct transfer_request *t = r->transfer;
	struct transfer_item *item;
	int more;

	if (!t->items)
		return begin(t, e);
	if (t->people_judged < t->person_count)
		return judge_person(t, e);
	if (t->judged == t->document->count)
		return 0;
	item = &t->items[t->judged];
	more = judge_item(r, &t->document->items[t->judged], item, &item->why);
	if (more < 0 && !transfer_is_refusal(item->why.code)) {
		*e = item->why;
		return err_code(e);
	}
	if (more > 0)
		return 1;
	if (more == 0)
		item->why.code = ERR_OK;
	t->judged++;
	return 1;
}

void transfer_items_free(struct transfer_request *t)
{
	for (size_t i = 0; t->items && i < t->document->count; i++) {
		manifest_free(t->items[i].manifest);
		free(t->items[i].called);
	}
	free(t->items);
	document_free(t->document);
}
