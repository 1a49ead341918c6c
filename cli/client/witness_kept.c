/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/witness_kept.h"

#include "common/base/datum.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

enum { FORM = 1 };

void witness_kept_done(struct witness_kept *kept)
{
	free(kept->path);
	free(kept->bytes);
	*kept = (struct witness_kept){ .count = 0 };
}

static int folder(char **path, struct err *e)
{
	const char *state = secure_getenv("XDG_STATE_HOME"), *home = secure_getenv("HOME");

	if (state && *state == '/')
		return text_format(path, e, "%s/cocos/witness", state);
	if (home && *home == '/')
		return text_format(path, e, "%s/.local/state/cocos/witness", home);
	return err_set(e, ERR_INVALID,
		       "no place to keep what was seen of the service's log: set XDG_STATE_HOME or "
		       "HOME to a folder");
}

bool witness_kept_has_place(void)
{
	CLEANUP(free) char *path = NULL;
	struct err ignored;

	return folder(&path, &ignored) == 0 || ignored.code != ERR_INVALID;
}

static int path_of(const char *address, char **path, struct err *e)
{
	CLEANUP(free) char *dir = NULL;
	uint8_t hash[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	if (folder(&dir, e) < 0 || digest(DIGEST_SHA256, address, strlen(address), hash, e) < 0)
		return err_code(e);
	hex_encode(hash, sizeof(hash), hex);
	return text_format(path, e, "%s/%s.cbor", dir, hex);
}

/* ---- the file: [form, address, key, signed head, [leaf, …]], the oldest leaf first ---- */

static int take_leaves(const struct datum *list, struct witness_kept *kept, struct err *e)
{
	if (list->type != DATUM_ARRAY || list->count > WITNESS_KEPT_LEAVES)
		return err_set(e, ERR_INVALID, "no list of leaves");
	kept->count = list->count;
	for (size_t i = 0; i < list->count; i++)
		if (witness_leaf_take(&list->items[i], &kept->leaves[i], e) < 0)
			return err_code(e);
	return 0;
}

static int take(const struct datum *root, const char *address, struct witness_kept *kept,
		struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	const struct datum *of = root->items;

	if (root->type != DATUM_ARRAY || root->count != 5 || of[0].type != DATUM_UINT ||
	    of[0].value != FORM || !datum_is_text(&of[1], address) || of[2].type != DATUM_BYTES ||
	    of[3].type != DATUM_BYTES)
		return err_set(e, ERR_INVALID, "another form, or of another service");
	kept->key = (struct span){ of[2].bytes, of[2].len };
	kept->signed_head = (struct span){ of[3].bytes, of[3].len };
	if (key_from_spki(kept->key.bytes, kept->key.len, &key, e) < 0 ||
	    witness_head_verify(kept->signed_head, key, &kept->head, e) < 0)
		return err_code(e);
	return take_leaves(&of[4], kept, e);
}

int witness_kept_read(const char *address, struct witness_kept *kept, struct err *e)
{
	struct datum *root = NULL;
	size_t len;

	*kept = (struct witness_kept){ .count = 0 };
	if (path_of(address, &kept->path, e) < 0)
		return err_code(e);
	int failed = file_read(kept->path, WITNESS_KEPT_MAX, &kept->bytes, &len, e);
	if (err_is(failed, ERR_NOT_FOUND))
		return 0;
	if (!failed)
		failed = datum_parse(kept->bytes, len, &root, e);
	if (!failed)
		failed = take(root, address, kept, e);
	datum_free(root);
	if (failed)
		return err_wrap(e, "what was seen of the service's log, '%s'", kept->path);
	return 0;
}

bool witness_kept_is_of(const struct witness_leaf *leaf, struct span computation, uint64_t run)
{
	return leaf->run == run && span_equal(leaf->computation, computation);
}

const struct witness_leaf *witness_kept_leaf(const struct witness_kept *kept,
					     struct span computation, uint64_t run)
{
	const struct witness_leaf *longest = NULL;

	for (size_t i = 0; i < kept->count; i++) {
		const struct witness_leaf *leaf = &kept->leaves[i];

		if (witness_kept_is_of(leaf, computation, run) &&
		    (!longest || leaf->head.count > longest->head.count))
			longest = leaf;
	}
	return longest;
}

static int lock(const char *path, struct err *e)
{
	CLEANUP(free) char *dir = strdup(path), *name = NULL;
	CLEANUP(close) int fd = -1;

	if (!dir)
		return err_nomem(e);
	*strrchr(dir, '/') = '\0';
	if (dir_make(dir, 0700, e) < 0 || text_format(&name, e, "%s/lock", dir) < 0)
		return err_code(e);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(e, "'%s'", name);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_errno(e, "lock '%s'", name);
	return TAKE_FD(fd);
}

static bool same_head(const struct witness_head *a, const struct witness_head *b)
{
	return a->size == b->size && memcmp(a->root, b->root, SHA256_LEN) == 0;
}

/* Another call may have kept what it saw since this one read: they were shown one log, or a fork. */
static int check_meanwhile(const struct witness_kept *now, const struct witness_kept *before,
			   const struct witness_shown *shown, struct err *e)
{
	const struct witness_leaf *leaf = shown->leaf, *kept = NULL;

	if (!now->bytes)
		return 0;
	if (leaf)
		kept = witness_kept_leaf(now, leaf->computation, leaf->run);
	if (!span_equal(shown->key, now->key) ||
	    (shown->head->size == now->head.size && !same_head(shown->head, &now->head)) ||
	    (kept && kept->head.count == leaf->head.count &&
	     memcmp(kept->head.digest, leaf->head.digest, SHA256_LEN) != 0))
		return err_set(
			e, ERR_DATA_LOSS,
			"refused: another call was shown another log of heads meanwhile ('%s')",
			now->path);
	if (same_head(shown->head, &now->head) ||
	    (before->bytes && same_head(&before->head, &now->head)))
		return 0;
	return WITNESS_KEPT_CHANGED;
}

/* Of two leaves of one run the longer one tells more. */
static bool replaces(const struct witness_leaf *leaf, const struct witness_kept *kept)
{
	const struct witness_leaf *old =
		leaf ? witness_kept_leaf(kept, leaf->computation, leaf->run) : NULL;

	return leaf && (!old || old->head.count <= leaf->head.count);
}

/* A leaf that no journal was compared with may be of another history: those before it stay, for when one is. */
static bool goes(const struct witness_leaf *old, const struct witness_shown *shown)
{
	return witness_kept_is_of(old, shown->leaf->computation, shown->leaf->run) &&
	       (shown->compared || old->head.count == shown->leaf->head.count);
}

static void put(const char *address, const struct witness_kept *kept,
		const struct witness_shown *shown, struct writer *w)
{
	const struct witness_leaf *leaf = replaces(shown->leaf, kept) ? shown->leaf : NULL;
	bool newer = !kept->bytes || shown->head->size > kept->head.size;
	struct span head = newer ? shown->signed_head : kept->signed_head;
	size_t from, count = kept->count;

	for (size_t i = 0; leaf && i < kept->count; i++)
		count -= goes(&kept->leaves[i], shown);
	from = leaf && count == WITNESS_KEPT_LEAVES; /* the oldest makes room */
	datum_put_array(w, 5);
	datum_put_uint(w, FORM);
	datum_put_text(w, address);
	datum_put_bytes(w, shown->key.bytes, shown->key.len);
	datum_put_bytes(w, head.bytes, head.len);
	datum_put_array(w, count - from + !!leaf);
	for (size_t i = from; i < kept->count; i++)
		if (!leaf || !goes(&kept->leaves[i], shown))
			witness_leaf_put(&kept->leaves[i], w);
	if (leaf)
		witness_leaf_put(leaf, w);
}

int witness_kept_write(const char *address, const struct witness_kept *before,
		       const struct witness_shown *shown, struct err *e)
{
	CLEANUP(free) struct witness_kept *now = malloc(sizeof(*now));
	CLEANUP_WRITER struct writer w = writer_up_to(WITNESS_KEPT_MAX);
	CLEANUP(free) char *path = NULL;
	CLEANUP(close) int held = -1;

	if (!now)
		return err_nomem(e);
	if (path_of(address, &path, e) < 0 || (held = lock(path, e)) < 0)
		return err_code(e);
	int outcome = witness_kept_read(address, now, e);
	if (!outcome)
		outcome = check_meanwhile(now, before, shown, e);
	if (!outcome)
		put(address, now, shown, &w);
	witness_kept_done(now);
	if (outcome)
		return outcome;
	if (writer_check(&w, "what was seen of the service's log", e) < 0)
		return err_code(e);
	return file_write(path, w.bytes, w.len, 0600, e);
}
