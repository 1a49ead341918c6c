/* SPDX-License-Identifier: Apache-2.0 */
/* Data: one of the manifest's datasets. Which one, name, digest and signature tell together; several
 * may be left, of which the content is one. */
#include "agent.pb-c.h"
#include "agent/computation/refusal.h"
#include "agent/upload/unpacking.h"
#include "agent/upload/upload_call.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/manifest/manifest.h"

#include <stdlib.h>
#include <string.h>

static const Agent__DataResponse response = AGENT__DATA_RESPONSE__INIT;

/* ---- what the call says ---- */

/* Leave to keep it is worth something only where nobody else can have given it. */
static int read_keep(struct upload_call *u, struct err *e)
{
	const char *text = NULL;

	if (upload_call_metadata(u, PROOF_KEEP_KEY, &text, e) < 0)
		return err_code(e);
	if (!text)
		return 0;
	if (!manifest_keep_find(text, &u->keep))
		return err_set(e, ERR_INVALID,
			       "Data: metadata %s: %s is neither retry nor algorithm",
			       PROOF_KEEP_KEY, log_quote(text).text);
	if (!u->access.is_proof)
		return err_set(e, ERR_DENIED,
			       "Data: metadata %s needs %s: a signature over the role does not "
			       "cover it",
			       PROOF_KEEP_KEY, PROOF_KEY);
	return 0;
}

static int read_metadata(struct upload_call *u, struct err *e)
{
	const char *text = NULL;
	int failed = upload_call_metadata(u, "decompress", &text, e);

	if (!failed)
		failed = read_keep(u, e);

	if (failed)
		return failed;
	if (text && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return err_set(e, ERR_INVALID,
			       "Data: metadata decompress: %s is neither true nor "
			       "false",
			       log_quote(text).text);
	u->decompress = text && strcmp(text, "true") == 0;
	return 0;
}

static int take_filename(struct upload_call *u, struct span name, bool with_asset, struct err *e)
{
	if (u->filename) {
		if (name.len != strlen(u->filename) ||
		    memcmp(name.bytes, u->filename, name.len) != 0)
			return err_set(e, ERR_INVALID,
				       "Data: the file name changes during an upload");
		return 0;
	}
	if (name.len == 0)
		return err_set(e, ERR_INVALID, "Data: every message must name the file");
	if (memchr(name.bytes, 0, name.len))
		return err_set(e, ERR_INVALID, "Data: a zero byte in the file name");
	u->filename = strndup((const char *)name.bytes, name.len);
	return u->filename ? 0 : err_nomem(e);
}

/* ---- whose it is ---- */

static struct manifest_place place_of(const struct upload_call *u, const struct asset *a)
{
	return computation_place(u->computation, a, u->filename, u->decompress);
}

/* Is this the name or the place of another dataset, or of a cache, where libraries trust what they find?
 * One without a name must take none of them. */
static bool is_reserved(const struct upload_call *u, const struct asset *a)
{
	const struct computation *c = u->computation;
	const struct manifest_place place = place_of(u, a);

	if (!a->cache && strcmp(u->filename, MANIFEST_CACHE_NAME) == 0)
		return true;
	for (size_t i = 0; i < c->dataset_count; i++) {
		if (&c->datasets[i] != a && strcmp(c->datasets[i].name, u->filename) == 0)
			return true;
	}
	return computation_at_place(c, &place, a) != NULL;
}

/* Which datasets are of this name, and of the digest that the call claims? `*hinted` is the first. */
static size_t find_named(struct upload_call *u, const struct asset **hinted)
{
	const struct computation *c = u->computation;
	size_t named = 0;

	*hinted = NULL;
	for (size_t i = 0; i < c->dataset_count; i++) {
		const struct asset *a = &c->datasets[i];

		if (a->name[0] ? strcmp(a->name, u->filename) != 0 : is_reserved(u, a))
			continue;
		named++;
		u->may_be[i] = upload_call_is_hinted(u, a);
		if (u->may_be[i] && !*hinted)
			*hinted = a;
	}
	return named;
}

static size_t keep_signed(struct upload_call *u, const struct writer *parameters, size_t *missing)
{
	struct computation *c = u->computation;
	size_t count = 0;
	struct err ignored;

	*missing = 0;
	for (size_t i = 0; i < c->dataset_count; i++) {
		struct asset *a = &c->datasets[i];

		if (!u->may_be[i])
			continue;
		u->may_be[i] = access_verify(&u->access, a->key, c->digests.sha3_256, a->hash->data,
					     parameters, &ignored) == 0;
		if (!u->may_be[i])
			continue;
		count++;
		*missing += !a->received && !a->placing;
		u->asset = a;
	}
	if (count != 1)
		u->asset = NULL;
	return count;
}

static int check_owner(struct upload_call *u, struct err *e)
{
	CLEANUP_WRITER struct writer parameters = writer_up_to(PROOF_PARAMETERS_MAX);
	const struct asset *hinted;
	size_t missing;

	if (manifest_filename_check(u->filename, e) < 0)
		return err_wrap(e, "Data");
	if (find_named(u, &hinted) == 0)
		return err_set(e, ERR_INVALID, "Data: no dataset of the manifest is called %s",
			       log_quote(u->filename).text);
	if (!hinted)
		return err_set(e, ERR_INVALID,
			       "Data: the manifest has no dataset %s with this "
			       "digest: other content than was agreed on",
			       log_quote(u->filename).text);
	proof_parameter_text(&parameters, "filename", u->filename);
	proof_parameter_text(&parameters, "decompress", u->decompress ? "true" : "false");
	if (u->keep != MANIFEST_KEEP_NOTHING)
		proof_parameter_text(&parameters, PROOF_KEEP_KEY, manifest_keep_word(u->keep));
	if (keep_signed(u, &parameters, &missing) == 0) {
		refusal_not_signed(&u->access, u->computation, "its owner", hinted->hash->data,
				   &parameters, e);
		return err_wrap(e, "Data: %.80s", log_quote(u->filename).text);
	}
	if (missing == 0)
		return err_set(e, ERR_EXISTS, "Data: %s is here already",
			       log_quote(u->filename).text);
	return 0;
}

/* Is it a dataset, and none of those who signed? */
static bool is_anothers(const struct upload_call *u, const uint8_t *digest)
{
	const struct computation *c = u->computation;
	bool known = false;

	for (size_t i = 0; i < c->dataset_count; i++) {
		const ProtobufCBinaryData *key = c->datasets[i].key;

		if (memcmp(c->datasets[i].hash->data, digest, SHA3_256_LEN) != 0)
			continue;
		known = true;
		for (size_t j = 0; j < c->dataset_count; j++) {
			const ProtobufCBinaryData *signer = c->datasets[j].key;

			if (u->may_be[j] && signer->len == key->len &&
			    memcmp(signer->data, key->data, key->len) == 0)
				return false;
		}
	}
	return known;
}

/* A call that several datasets could have been is now one of them. */
static int settle(struct upload_call *u, const uint8_t digest[SHA3_256_LEN], struct err *e)
{
	struct computation *c = u->computation;
	struct asset *settled = NULL;
	char hex[2 * SHA3_256_LEN + 1];

	for (size_t i = 0; i < c->dataset_count && !u->asset; i++) {
		struct asset *a = &c->datasets[i];

		if (!u->may_be[i] || memcmp(a->hash->data, digest, SHA3_256_LEN) != 0)
			continue;
		/* A named and a nameless one of the same content: whichever is missing. */
		if (!settled || settled->received || settled->placing)
			settled = a;
	}
	if (!u->asset)
		u->asset = settled;
	if (u->asset && memcmp(u->asset->hash->data, digest, SHA3_256_LEN) == 0)
		return 0;
	if (is_anothers(u, digest))
		return err_set(e, ERR_DENIED, "Data: this content is another owner's dataset");
	hex_encode(digest, SHA3_256_LEN, hex);
	return err_set(e, ERR_INVALID,
		       "Data: the manifest knows no dataset with SHA3-256 %s under this name", hex);
}

/* ---- its place ---- */

static int place(struct upload_call *u, struct err *e)
{
	const struct manifest_place where = place_of(u, u->asset);
	/* The manifest's places differ, but a call may ask to unpack what the manifest does not. */
	const struct asset *other = computation_at_place(u->computation, &where, u->asset);
	CLEANUP(free) char *name = NULL;

	if (other)
		return err_set(e, ERR_INVALID, "Data: datasets/%s is the place of %s", where.name,
			       log_quote(other->name).text);
	if (where.kind != MANIFEST_PLACE_FILE)
		return unpacking_start(u, &where, e);
	if (text_format(&name, e, "datasets/%s", where.name) < 0)
		return err_code(e);
	return upload_call_move(u, u->upload, name, 0644, e);
}

/* Where the bytes lie that came: in their place, or where they were unpacked from. */
static int content(const struct upload_call *u, char **path, struct err *e)
{
	const struct manifest_place where = place_of(u, u->asset);

	if (where.kind != MANIFEST_PLACE_FILE)
		return text_format(path, e, "%s", upload_path(u->upload));
	return text_format(path, e, "%s/datasets/%s", u->computation->dir, where.name);
}

static void placed(struct upload_call *u)
{
	const struct retained_call call = { u->filename, u->decompress, u->keep };
	CLEANUP(free) char *path = NULL;
	struct err e;

	if (u->keep == MANIFEST_KEEP_NOTHING)
		return;
	/* He allowed it and did not ask for it: the run goes on without. */
	if (content(u, &path, &e) < 0 ||
	    retained_add(&u->uploads->retained, u->computation, u->asset, &call, path,
			 upload_size(u->upload), &e) < 0)
		log_warn("a dataset is not kept for a retry (%s)", err_code_name(e.code));
}

const struct upload_kind upload_dataset = {
	.method = "Data",
	.role = PROOF_ROLE_DATA,
	.response = &response.base,
	.asset = UPLOAD_DATASET,
	.first_message_tells = true,
	.read_metadata = read_metadata,
	.take_field = take_filename,
	.check_owner = check_owner,
	.settle = settle,
	.place = place,
	.placed = placed,
	.stop_placing = unpacking_stop,
};
