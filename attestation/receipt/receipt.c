/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/receipt/receipt.h"

#include "common/base/cleanup.h"
#include "common/base/writer.h"

#include <stdlib.h>
#include <string.h>

static int wrong(struct err *e, const char *what)
{
	return err_set(e, ERR_INVALID, "receipt: %s", what);
}

/* ---- one value ---- */

/* A receipt under way: texts are copied one after the other, each with a final zero. */
struct taking {
	struct receipt *r;
	char *at, *end;
	uint64_t version;
};

static const char *keep_text(struct taking *t, const struct datum *item)
{
	char *start = t->at;

	if (item->type != DATUM_TEXT || memchr(item->bytes, 0, item->len) ||
	    (size_t)(t->end - t->at) <= item->len)
		return NULL;
	memcpy(start, item->bytes, item->len);
	start[item->len] = '\0';
	t->at += item->len + 1;
	return start;
}

static bool take_bytes(const struct datum *item, uint8_t *out, size_t len)
{
	if (item->type != DATUM_BYTES || item->len != len)
		return false;
	memcpy(out, item->bytes, len);
	return true;
}

static bool take_uint(const struct datum *item, uint64_t *out)
{
	*out = item->value;
	return item->type == DATUM_UINT;
}

static bool is_array(const struct datum *item, size_t count)
{
	return item->type == DATUM_ARRAY && item->count == count;
}

/* ---- the payload's members ---- */

static bool take_version(struct taking *t, const struct datum *item)
{
	t->version = item->value;
	return item->type == DATUM_UINT &&
	       (item->value == RECEIPT_VERSION || item->value == RECEIPT_VERSION_KEPT);
}

static bool take_computation(struct taking *t, const struct datum *item)
{
	t->r->computation = keep_text(t, item);
	return t->r->computation != NULL;
}

static bool take_manifest(struct taking *t, const struct datum *item)
{
	return take_bytes(item, t->r->manifest, SHA3_256_LEN);
}

static bool take_results(struct taking *t, const struct datum *item)
{
	return take_bytes(item, t->r->results, SHA3_256_LEN);
}

static bool take_algorithm(struct taking *t, const struct datum *item)
{
	struct receipt *r = t->r;

	if (!is_array(item, 3) || !take_bytes(&item->items[0], r->algorithm, SHA3_256_LEN) ||
	    !take_bytes(&item->items[2], r->algorithm_owner, SHA3_256_LEN))
		return false;
	r->algorithm_type = keep_text(t, &item->items[1]);
	return r->algorithm_type != NULL;
}

static bool take_requirements(struct taking *t, const struct datum *item)
{
	t->r->has_requirements = item->type != DATUM_NULL;
	return !t->r->has_requirements || take_bytes(item, t->r->requirements, SHA3_256_LEN);
}

/* The arrays have room for as many as there may be. */
static bool is_list(const struct datum *item, size_t max)
{
	return item->type == DATUM_ARRAY && item->count <= max;
}

static bool take_wheels(struct taking *t, const struct datum *item)
{
	struct receipt *r = t->r;

	if (!is_list(item, RECEIPT_WHEELS_MAX))
		return false;
	for (size_t i = 0; i < item->count; i++) {
		const struct datum *wheel = &item->items[i];

		if (!is_array(wheel, 2) || !(r->wheels[i].name = keep_text(t, &wheel->items[0])) ||
		    !take_bytes(&wheel->items[1], r->wheels[i].sha256, SHA256_LEN))
			return false;
		r->wheel_count++;
	}
	return true;
}

/* [leave, manifest] */
static bool take_kept(const struct datum *item, struct receipt_dataset *to)
{
	static const char *const leaves[] = { "retry", "algorithm" };

	for (size_t i = 0; i < ARRAY_LEN(leaves); i++)
		if (is_array(item, 2) && datum_is_text(&item->items[0], leaves[i])) {
			to->leave = leaves[i];
			return take_bytes(&item->items[1], to->kept_of, SHA3_256_LEN);
		}
	return false;
}

static bool take_datasets(struct taking *t, const struct datum *item)
{
	struct receipt *r = t->r;

	if (!is_list(item, RECEIPT_DATASETS_MAX))
		return false;
	for (size_t i = 0; i < item->count; i++) {
		const struct datum *dataset = &item->items[i];
		struct receipt_dataset *to = &r->datasets[i];

		if ((!is_array(dataset, 3) && !is_array(dataset, 4)) ||
		    !(to->name = keep_text(t, &dataset->items[0])) ||
		    !take_bytes(&dataset->items[1], to->digest, SHA3_256_LEN) ||
		    !take_bytes(&dataset->items[2], to->owner, SHA3_256_LEN) ||
		    (dataset->count == 4 && !take_kept(&dataset->items[3], to)))
			return false;
		r->dataset_count++;
	}
	return true;
}

static bool take_arguments(struct taking *t, const struct datum *item)
{
	struct receipt *r = t->r;

	if (!is_list(item, RECEIPT_ARGS_MAX))
		return false;
	for (size_t i = 0; i < item->count; i++) {
		if (!(r->args[i] = keep_text(t, &item->items[i])))
			return false;
		r->arg_count++;
	}
	return true;
}

static bool take_limits(struct taking *t, const struct datum *item)
{
	struct receipt_limits *l = &t->r->limits;

	return is_array(item, 6) && take_uint(&item->items[0], &l->memory) &&
	       take_uint(&item->items[1], &l->processes) &&
	       take_uint(&item->items[2], &l->results) && take_uint(&item->items[3], &l->scratch) &&
	       take_uint(&item->items[4], &l->time_ms) && take_uint(&item->items[5], &l->processor);
}

static bool take_exit(struct taking *t, const struct datum *item)
{
	return datum_int(item, &t->r->exit);
}

static bool take_image(struct taking *t, const struct datum *item)
{
	struct receipt *r = t->r;

	if (!is_array(item, 2) || item->items[1].type != DATUM_BYTES ||
	    item->items[1].len > RECEIPT_IMAGE_MAX)
		return false;
	r->image_len = item->items[1].len;
	if (r->image_len)
		memcpy(r->image, item->items[1].bytes, r->image_len);
	for (unsigned i = 0; i < EVIDENCE_HARDWARE_COUNT; i++) {
		r->platform = (enum evidence_kind)i;
		if (datum_is_text(&item->items[0], evidence_kind_name(r->platform)))
			return true;
	}
	return false;
}

static bool take_journal(struct taking *t, const struct datum *item)
{
	struct receipt *r = t->r;

	r->has_journal = item->type != DATUM_NULL;
	return !r->has_journal ||
	       (is_array(item, 2) && take_uint(&item->items[0], &r->journal.count) &&
		take_bytes(&item->items[1], r->journal.digest, SHA256_LEN));
}

static bool take_started(struct taking *t, const struct datum *item)
{
	return take_uint(item, &t->r->started) && item->value <= RECEIPT_TIME_MAX;
}

static bool take_ended(struct taking *t, const struct datum *item)
{
	return take_uint(item, &t->r->ended) && item->value <= RECEIPT_TIME_MAX;
}

static bool take_proof(struct taking *t, const struct datum *item)
{
	return take_bytes(item, t->r->proof_digest, SHA256_LEN);
}

static const struct {
	const char *what;
	bool (*take)(struct taking *t, const struct datum *item);
} members[] = {
	[RECEIPT_KEY_VERSION] = { "of an unknown version", take_version },
	[RECEIPT_KEY_COMPUTATION] = { "its computation", take_computation },
	[RECEIPT_KEY_MANIFEST] = { "its manifest", take_manifest },
	[RECEIPT_KEY_RESULTS] = { "its results", take_results },
	[RECEIPT_KEY_ALGORITHM] = { "its algorithm", take_algorithm },
	[RECEIPT_KEY_REQUIREMENTS] = { "its requirements", take_requirements },
	[RECEIPT_KEY_WHEELS] = { "its wheels", take_wheels },
	[RECEIPT_KEY_DATASETS] = { "its datasets", take_datasets },
	[RECEIPT_KEY_ARGUMENTS] = { "its arguments", take_arguments },
	[RECEIPT_KEY_LIMITS] = { "its limits", take_limits },
	[RECEIPT_KEY_EXIT] = { "its exit status", take_exit },
	[RECEIPT_KEY_IMAGE] = { "its image", take_image },
	[RECEIPT_KEY_JOURNAL] = { "its journal's head", take_journal },
	[RECEIPT_KEY_STARTED] = { "its start", take_started },
	[RECEIPT_KEY_ENDED] = { "its end", take_ended },
	[RECEIPT_KEY_PROOF] = { "its evidence's digest", take_proof },
};
_Static_assert(ARRAY_LEN(members) == RECEIPT_KEYS, "one for each key");

/* ---- the parts ---- */

static int check_headers(const struct cose *message, struct err *e)
{
	const struct datum *type = datum_get(message->headers, COSE_HEADER_CONTENT_TYPE);

	if (message->algorithm != COSE_ES256 || message->headers->count != 2 ||
	    !datum_is_text(type, JOURNAL_RECEIPT_TYPE))
		return wrong(e, "not ES256 with the content type " JOURNAL_RECEIPT_TYPE);
	return 0;
}

static int take_payload(struct receipt *r, struct err *e)
{
	struct taking t = { .r = r };
	size_t len = r->cose.payload_len;

	if (len > RECEIPT_PAYLOAD_MAX)
		return wrong(e, "longer than any");
	if (datum_parse(r->cose.payload, len, &r->payload_tree, e) < 0)
		return err_wrap(e, "receipt");
	if (r->payload_tree->type != DATUM_MAP || r->payload_tree->count != RECEIPT_KEYS)
		return wrong(e, "not the map of its version");
	/* A text's head in the input is where its final zero goes. */
	t.at = r->texts = malloc(len + 1);
	r->wheels = calloc(RECEIPT_WHEELS_MAX, sizeof(*r->wheels));
	r->datasets = calloc(RECEIPT_DATASETS_MAX, sizeof(*r->datasets));
	r->args = calloc(RECEIPT_ARGS_MAX, sizeof(*r->args));
	if (!r->texts || !r->wheels || !r->datasets || !r->args)
		return err_nomem(e);
	t.end = t.at + len + 1;
	for (size_t i = 0; i < RECEIPT_KEYS; i++) {
		const struct datum *item = datum_get(r->payload_tree, (int64_t)i);

		if (!item || !members[i].take(&t, item))
			return wrong(e, members[i].what);
	}
	if (t.version != receipt_version(r))
		return wrong(e, "of another version than datasets that were kept, or none, are");
	return 0;
}

static int take_proof_header(struct receipt *r, struct err *e)
{
	const struct datum *map = r->cose.unprotected;
	const struct datum *header = datum_get(map, RECEIPT_LABEL_PROOF);
	struct span *const parts[] = { &r->proof.statement, &r->proof.evidence, &r->proof.log };

	/* A map's items are keys and values: the evidence is the first, what may follow take_opening()'s. */
	if (!map->count || header != &map->items[1] || header->type != DATUM_BYTES)
		return wrong(e, "without its evidence, or with another header before it");
	r->proof_bytes = (struct span){ header->bytes, header->len };
	if (header->len > RECEIPT_PROOF_MAX)
		return wrong(e, "its evidence is longer than any");
	if (datum_parse(header->bytes, header->len, &r->proof_tree, e) < 0)
		return err_wrap(e, "a receipt's evidence");
	if (!is_array(r->proof_tree, ARRAY_LEN(parts)))
		return wrong(e, "its evidence is not [statement, evidence, log]");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const struct datum *item = &r->proof_tree->items[i];

		if (item->type != DATUM_BYTES)
			return wrong(e, "its evidence is not [statement, evidence, log]");
		*parts[i] = (struct span){ item->bytes, item->len };
	}
	return 0;
}

static bool read_opening(const struct datum *root, struct receipt_opening *o)
{
	return is_array(root, 4) && take_bytes(&root->items[0], o->salt, RECEIPT_SALT_LEN) &&
	       take_uint(&root->items[1], &o->results.size) &&
	       take_bytes(&root->items[2], o->results.sha256, SHA256_LEN) &&
	       take_bytes(&root->items[3], o->results.sha3_256, SHA3_256_LEN);
}

/* What opens the commitment, where the receipt is a consumer's. The encoding is the commitment's to tell. */
static int take_opening(struct receipt *r, struct err *e)
{
	const struct datum *map = r->cose.unprotected;
	const struct datum *header = datum_get(map, RECEIPT_LABEL_OPENING);
	uint8_t commitment[SHA3_256_LEN];
	struct datum *root = NULL;

	r->is_open = map->count == 2;
	if (!r->is_open && map->count == 1)
		return 0;
	if (map->count != 2 || !header || header->type != DATUM_BYTES ||
	    header->len > RECEIPT_OPENING_MAX)
		return wrong(e, "with another header than its evidence and its opening beside it");
	if (receipt_commit((struct span){ header->bytes, header->len }, commitment, e) < 0)
		return err_code(e);
	if (!bytes_equal(commitment, r->results, SHA3_256_LEN))
		return wrong(e, "opened with the salt and digests of other results");
	if (datum_parse(header->bytes, header->len, &root, e) < 0)
		return err_wrap(e, "a receipt's opening");
	bool good = read_opening(root, &r->opening);
	datum_free(root);
	return good ? 0 : wrong(e, "its opening is not [salt, size, SHA-256, SHA3-256]");
}

/* What was read, written again, has to be what came: one receipt, one encoding. */
static int check_encoding(const struct receipt *r, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(RECEIPT_PAYLOAD_MAX);

	if (receipt_payload_write(r, &w, e) < 0)
		return err_code(e);
	if (w.len != r->cose.payload_len || memcmp(w.bytes, r->cose.payload, w.len) != 0)
		return wrong(e, "not in its deterministic encoding");
	return 0;
}

int receipt_parse(const void *bytes, size_t len, struct receipt *out, struct err *e)
{
	struct receipt r = { .computation = NULL };
	int failed;

	if (!len || len > RECEIPT_MAX)
		return err_set(e, ERR_INVALID, "receipt: %zu bytes; 1 to %d", len, RECEIPT_MAX);
	if (cose_parse(bytes, len, NULL, 0, &r.cose, e) < 0)
		return err_wrap(e, "receipt");
	failed = check_headers(&r.cose, e);
	if (!failed)
		failed = take_proof_header(&r, e);
	if (!failed)
		failed = take_payload(&r, e);
	if (!failed)
		failed = check_encoding(&r, e);
	if (!failed)
		failed = take_opening(&r, e);
	if (failed) {
		receipt_done(&r);
		return failed;
	}
	*out = r;
	return 0;
}

void receipt_done(struct receipt *r)
{
	free(r->wheels);
	free(r->datasets);
	free(r->args);
	free(r->texts);
	datum_free(r->payload_tree);
	datum_free(r->proof_tree);
	cose_done(&r->cose);
	memset(r, 0, sizeof(*r));
}
