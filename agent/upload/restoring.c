/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/upload/restoring.h"

#include "agent/upload/unpack_into.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/rpc/job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

struct restoring {
	struct retained *retained;
	struct computation *computation; /* the pool reads what never changes of it */
	void (*ended)(void *data, const struct restoring_end *end);
	void *data;
	struct retained_item *items[MANIFEST_DATASETS_MAX];
	struct asset *assets[MANIFEST_DATASETS_MAX]; /* NULL: the item is to go */
	size_t count;
	struct unpack_into into; /* of one after the other */
	atomic_bool cancel;
};

/* ---- which ---- */

static bool is_its(const struct asset *a, const struct retained_item *item)
{
	uint8_t key[KEY_FINGERPRINT_LEN];
	struct err ignored;

	return strcmp(a->name, item->is_named ? item->filename : "") == 0 &&
	       memcmp(a->hash->data, item->digest, SHA3_256_LEN) == 0 &&
	       key_fingerprint(a->key->data, a->key->len, key, &ignored) == 0 &&
	       memcmp(key, item->key, KEY_FINGERPRINT_LEN) == 0;
}

static bool is_taken(const struct restoring *r, const struct asset *a)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->assets[i] == a)
			return true;
	return false;
}

/* The dataset that the item may be in this computation; NULL: none. */
static struct asset *find_asset(const struct restoring *r, const struct retained_item *item)
{
	struct computation *c = r->computation;
	uint8_t form[SHA3_256_LEN];
	struct err e;

	if (manifest_keep_digest(c->manifest, &c->listener, item->keep, form, &e) < 0 ||
	    memcmp(form, item->form, sizeof(form)) != 0)
		return NULL;
	for (size_t i = 0; i < c->dataset_count; i++)
		if (is_its(&c->datasets[i], item) && !is_taken(r, &c->datasets[i]))
			return &c->datasets[i];
	return NULL;
}

/* ---- in the pool ---- */

static int hash(int fd, const atomic_bool *cancel, uint8_t out[SHA3_256_LEN], struct err *e)
{
	CLEANUP(digest_free) struct digest_stream *digest = digest_new(DIGEST_SHA3_256, e);
	CLEANUP(free) uint8_t *piece = malloc(PIECE);

	if (!digest)
		return err_code(e);
	if (!piece)
		return err_nomem(e);
	for (;;) {
		ssize_t got = read(fd, piece, PIECE);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(e, "read");
		if (got == 0)
			return digest_finish(digest, out, e);
		if (atomic_load(cancel))
			return err_set(e, ERR_CANCELLED, "stopped");
		digest_add(digest, piece, (size_t)got);
	}
}

static int check_content(const struct restoring *r, const struct retained_item *item, struct err *e)
{
	CLEANUP(close) int fd = open(item->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	uint8_t found[SHA3_256_LEN];

	if (fd < 0)
		return err_errno(e, "open '%s'", item->path);
	if (hash(fd, &r->cancel, found, e) < 0)
		return err_code(e);
	if (memcmp(found, item->digest, SHA3_256_LEN) != 0)
		return err_set(e, ERR_DATA_LOSS, "other bytes than its owner sent");
	return 0;
}

static int put(struct restoring *r, const struct retained_item *item, const struct asset *asset,
	       struct err *e)
{
	const struct computation *c = r->computation;
	const struct manifest_place place =
		computation_place(c, asset, item->filename, item->decompress);
	CLEANUP(free) char *name = NULL, *path = NULL;
	int failed;

	if (computation_at_place(c, &place, asset))
		return err_set(e, ERR_INVALID, "its place is another dataset's");
	if (place.kind != MANIFEST_PLACE_FILE) {
		failed = unpack_into_init(&r->into, c, asset, &place, e);
		if (!failed)
			failed = unpack_into_run(&r->into, item->path, &r->cancel, e);
		unpack_into_done(&r->into);
		return failed;
	}
	if (text_format(&name, e, "datasets/%s", place.name) < 0 ||
	    computation_path(c, name, &path, e) < 0)
		return err_code(e);
	return link(item->path, path) < 0 ? err_errno(e, "link '%s'", path) : 0;
}

static void work(void *data)
{
	struct restoring *r = data;
	struct err e;

	for (size_t i = 0; i < r->count; i++) {
		struct retained_item *item = r->items[i];

		if (r->assets[i] &&
		    (check_content(r, item, &e) < 0 || put(r, item, r->assets[i], &e) < 0)) {
			/* The host reads this, and names in there are owners'. */
			log_warn("a kept dataset can't be used again (%s)", err_code_name(e.code));
			r->assets[i] = NULL;
		}
		if (!r->assets[i] && unlink(item->path) < 0 && errno != ENOENT)
			log_error("a kept dataset is not removed (errno %d)", errno);
	}
}

/* ---- on the loop ---- */

static void mark(struct asset *a, const struct retained_item *item)
{
	a->received = true;
	a->kept_from = (struct asset_kept){ .is = true, .size = item->size, .keep = item->keep };
	memcpy(a->kept_from.manifest, item->manifest, SHA3_256_LEN);
}

static void done(void *data)
{
	struct restoring *r = data;
	struct retained *retained = r->retained;
	struct restoring_end end = { 0, 0 };

	for (size_t i = 0; i < r->count; i++) {
		if (!r->assets[i]) {
			retained_item_free(r->items[i]);
			end.wiped++;
			continue;
		}
		mark(r->assets[i], r->items[i]);
		retained->items[retained->count++] = r->items[i];
		end.restored++;
	}
	retained->restoring = NULL;
	r->computation->placing--;
	r->ended(r->data, &end);
	computation_unref(r->computation);
	free(r);
}

int restoring_start(uv_loop_t *loop, struct retained *retained, struct computation *c,
		    void (*ended)(void *data, const struct restoring_end *end), void *data,
		    struct err *e)
{
	struct restoring *r = calloc(1, sizeof(*r));

	if (!r)
		return err_nomem(e);
	r->retained = retained;
	r->computation = c;
	r->ended = ended;
	r->data = data;
	for (size_t i = 0; i < retained->count; i++) {
		struct asset *asset = find_asset(r, retained->items[i]);

		r->items[r->count] = retained->items[i];
		r->assets[r->count++] = asset;
	}
	if (rpc_job_start(loop, work, done, r, e) < 0) {
		free(r);
		return err_code(e);
	}
	retained->count = 0; /* they are the job's now */
	computation_ref(c)->placing++;
	retained->restoring = r;
	return 0;
}

void restoring_stop(struct retained *retained)
{
	if (retained->restoring)
		atomic_store(&retained->restoring->cancel, true);
}
