/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/service_kept.h"

#include "common/base/datum.h"
#include "common/base/file.h"
#include "common/base/writer.h"
#include "tests/fuzz/service_log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct service_kept service_kept;

static char folder[] = "/dev/shm/fuzz-service-XXXXXX";

static char *path_of(const char *name)
{
	struct err e;
	char *path;

	assert(text_format(&path, &e, "%s/%s", folder, name) == 0);
	return path;
}

static void remove_folder(void)
{
	struct err e;

	if (dir_remove(folder, &e) < 0)
		fprintf(stderr, "%s\n", e.text);
}

static const char *write_pem(const char *name, EVP_PKEY *key)
{
	char *path = path_of(name), *pem;
	struct err e;

	assert(key_to_public_pem(key, &pem, &e) == 0);
	assert(file_write(path, pem, strlen(pem), 0600, &e) == 0);
	free(pem);
	return path;
}

void service_kept_open(void)
{
	assert(mkdtemp(folder));
	atexit(remove_folder);
	service_kept.pem[SVA_WANTS_LOGS] = write_pem("log.pem", service_log.keys[0]);
	service_kept.pem[SVA_WANTS_ANOTHERS] = write_pem("another.pem", service_log.keys[1]);
	service_kept.pem[SVA_WANTS_UNREADABLE] = path_of("none.pem");
}

/* ---- the file ---- */

/* Which does not change what is believed. */
static void read_again(void)
{
	struct err e;

	witness_kept_done(&service_kept.now);
	service_kept.is_broken = witness_kept_read(SERVICE_ADDRESS, &service_kept.now, &e) < 0;
	assert(service_kept.is_broken || !service_kept.now.bytes ||
	       service_log_key(service_kept.now.key) >= 0);
}

void service_kept_begin(enum sva_place place)
{
	CLEANUP(free) char *state = path_of("state"), *home = path_of("home");

	assert(place == SVA_PLACE_STATE ? setenv("XDG_STATE_HOME", state, 1) == 0
					: unsetenv("XDG_STATE_HOME") == 0);
	assert(place == SVA_PLACE_NONE ? unsetenv("HOME") == 0 : setenv("HOME", home, 1) == 0);
	service_kept.has_place = place != SVA_PLACE_NONE;
	service_kept.is_broken = false;
	witness_kept_done(&service_kept.now);
	assert(witness_kept_has_place() == service_kept.has_place);
	if (!service_kept.has_place)
		return;
	read_again();
	service_kept_damage(SVA_FILE_GONE, NULL);
}

/* So many leaves, each of a run of its own. */
static void fill(size_t leaves)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WITNESS_KEPT_MAX);
	const struct witness_kept *kept = &service_kept.now;
	struct witness_leaf leaf = { .computation = { (const uint8_t *)"full", 4 },
				     .head.count = 1 };
	struct err e;

	datum_put_array(&w, 5);
	datum_put_uint(&w, 1);
	datum_put_text(&w, SERVICE_ADDRESS);
	datum_put_bytes(&w, kept->key.bytes, kept->key.len);
	datum_put_bytes(&w, kept->signed_head.bytes, kept->signed_head.len);
	datum_put_array(&w, leaves);
	for (leaf.run = 1; leaf.run <= leaves; leaf.run++)
		witness_leaf_put(&leaf, &w);
	assert(!w.bad && file_write(kept->path, w.bytes, w.len, 0600, &e) == 0);
	read_again();
	assert(service_kept.is_broken == (leaves > WITNESS_KEPT_LEAVES));
}

/* No call writes these. */
static bool has_two_alike(const struct witness_kept *kept)
{
	for (size_t i = 0; i < kept->count; i++)
		for (size_t k = 0; k < i; k++)
			if (witness_kept_is_of(&kept->leaves[i], kept->leaves[k].computation,
					       kept->leaves[k].run) &&
			    kept->leaves[i].head.count == kept->leaves[k].head.count)
				return true;
	return false;
}

/* A leaf may be another then, but no head. */
static void flip(size_t at)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	const struct witness_head before = service_kept.now.head;
	size_t len;
	struct err e;

	assert(file_read(service_kept.now.path, WITNESS_KEPT_MAX, &bytes, &len, &e) == 0);
	const uint8_t *address = memmem(bytes, len, SERVICE_ADDRESS, strlen(SERVICE_ADDRESS));
	const uint8_t *flipped = bytes + at % len;
	const bool is_address =
		address && flipped >= address && flipped < address + strlen(SERVICE_ADDRESS);
	bytes[at % len] ^= 1;
	assert(file_write(service_kept.now.path, bytes, len, 0600, &e) == 0);
	read_again();
	assert(service_kept.is_broken || !is_address);
	assert(service_kept.is_broken ||
	       memcmp(&before, &service_kept.now.head, sizeof(before)) == 0);
	if (!service_kept.is_broken && has_two_alike(&service_kept.now))
		service_kept_damage(SVA_FILE_GONE, NULL);
}

static void cut(size_t part)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;

	assert(file_read(service_kept.now.path, WITNESS_KEPT_MAX, &bytes, &len, &e) == 0);
	assert(file_write(service_kept.now.path, bytes, len * part / 256, 0600, &e) == 0);
	read_again();
	assert(service_kept.is_broken);
}

void service_kept_damage(enum sva_file how, struct reader *in)
{
	const bool is_there = service_kept.now.bytes && !service_kept.is_broken;

	if (!service_kept.has_place)
		return;
	if (how == SVA_FILE_GONE) {
		unlink(service_kept.now.path);
		read_again();
		assert(!service_kept.is_broken && !service_kept.now.bytes);
	} else if (how == SVA_FILE_CUT) {
		const uint8_t part = reader_u8(in);

		if (is_there)
			cut(part);
	} else if (how == SVA_FILE_FLIPPED) {
		const uint16_t at = reader_be16(in);

		if (is_there)
			flip(at);
	} else if (is_there) {
		fill(WITNESS_KEPT_LEAVES + (how == SVA_FILE_OVERFULL));
	}
}

/* ---- what may be believed ---- */

bool service_kept_goes_on(int key, const struct witness_head *head)
{
	const struct witness_kept *kept = &service_kept.now;

	return !kept->bytes ||
	       (service_log_key(kept->key) == key && service_log_goes_on(&kept->head, head));
}

static bool same_digest(const struct witness_leaf *a, const struct witness_leaf *b)
{
	return memcmp(a->head.digest, b->head.digest, SHA256_LEN) == 0;
}

static void check_leaf(const struct witness_seen *seen, const char *id, uint64_t run)
{
	const Computations__WitnessResponse *r = seen->response;
	const struct witness_leaf *leaf = &seen->proof.leaf;

	assert(seen->proof_size == seen->head.size && service_log_has(&seen->head, leaf));
	assert(span_equal(seen->proof.signed_head,
			  (struct span){ r->signed_head.data, r->signed_head.len }));
	assert(span_equal(leaf->computation, (struct span){ (const uint8_t *)id, strlen(id) }));
	assert(!run || leaf->run == run);
	for (size_t i = 0; i < seen->kept.count; i++) {
		const struct witness_leaf *old = &seen->kept.leaves[i];

		if (!span_equal(old->computation, leaf->computation))
			continue;
		assert(run || old->run <= leaf->run);
		assert(old->run != leaf->run || old->head.count < leaf->head.count ||
		       (old->head.count == leaf->head.count && same_digest(old, leaf)));
	}
}

void service_kept_check(const struct witness_seen *seen, const char *id, uint64_t run)
{
	const Computations__WitnessResponse *r = seen->response;
	const int key = service_log_key((struct span){ r->key.data, r->key.len });
	const struct witness_head *head;

	assert(service_kept.has_place && !service_kept.is_broken && key >= 0);
	head = service_log_signed(key, (struct span){ r->signed_head.data, r->signed_head.len });
	assert(head && head->size == seen->head.size &&
	       memcmp(head->root, seen->head.root, SHA256_LEN) == 0);
	assert(!seen->kept.bytes || (service_log_key(seen->kept.key) == key &&
				     service_log_goes_on(&seen->kept.head, head)));
	assert(seen->has_proof == (id != NULL));
	if (id)
		check_leaf(seen, id, run);
}

/* ---- what is kept ---- */

static const struct witness_leaf *find(const struct witness_kept *kept,
				       const struct witness_leaf *leaf)
{
	for (size_t i = 0; i < kept->count; i++)
		if (witness_kept_is_of(&kept->leaves[i], leaf->computation, leaf->run) &&
		    kept->leaves[i].head.count == leaf->head.count &&
		    same_digest(&kept->leaves[i], leaf))
			return &kept->leaves[i];
	return NULL;
}

/* A leaf is gone: it is of the run that was compared, or the oldest had to make room. */
static void check_gone(const struct witness_kept *before, const struct witness_seen *seen, size_t i)
{
	const struct witness_leaf *old = &before->leaves[i], *leaf = &seen->proof.leaf;

	if (i == 0 && before->count == WITNESS_KEPT_LEAVES)
		return;
	assert(witness_kept_is_of(old, leaf->computation, leaf->run) &&
	       (seen->compared ? old->head.count <= leaf->head.count
			       : old->head.count == leaf->head.count));
}

static void check_leaves(const struct witness_kept *before, const struct witness_seen *seen)
{
	const struct witness_kept *kept = &service_kept.now;
	const struct witness_leaf *leaf = seen && seen->has_proof ? &seen->proof.leaf : NULL,
				  *longest;

	for (size_t i = 0; i < before->count; i++)
		if (!find(kept, &before->leaves[i])) {
			assert(leaf);
			check_gone(before, seen, i);
		}
	for (size_t i = 0; i < kept->count; i++)
		if (!find(before, &kept->leaves[i]))
			assert(leaf && find(kept, leaf) == &kept->leaves[i]);
	longest = leaf ? witness_kept_leaf(kept, leaf->computation, leaf->run) : NULL;
	assert(!leaf || (longest && longest->head.count >= leaf->head.count));
}

void service_kept_check_written(const struct witness_seen *seen)
{
	CLEANUP(free) struct witness_kept *before = malloc(sizeof(*before));
	const struct witness_kept *kept = &service_kept.now;
	const struct witness_head *head;

	assert(before && service_kept.has_place && !service_kept.is_broken);
	*before = service_kept.now;
	service_kept.now = (struct witness_kept){ .count = 0 };
	read_again();
	assert(!service_kept.is_broken && kept->bytes);
	head = service_log_signed(service_log_key(kept->key), kept->signed_head);
	assert(head && memcmp(head, &kept->head, sizeof(*head)) == 0);
	assert(!before->bytes ||
	       (span_equal(before->key, kept->key) && service_log_goes_on(&before->head, head)));
	assert(!seen || service_log_goes_on(&seen->head, head));
	check_leaves(before, seen);
	witness_kept_done(before);
}

void service_kept_check_same(void)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	const struct witness_kept *kept = &service_kept.now;
	size_t len = 0;
	struct err e;

	if (!service_kept.has_place)
		return;
	int failed = file_read(kept->path, WITNESS_KEPT_MAX, &bytes, &len, &e);

	assert(failed ? !kept->bytes && e.code == ERR_NOT_FOUND
		      : service_kept.is_broken || memcmp(bytes, kept->bytes, len) == 0);
}

void service_kept_meanwhile(struct reader *in)
{
	const unsigned history = reader_u8(in) % SVA_HISTORIES,
		       size = reader_u8(in) % (SVA_LEAVES + 1),
		       number = reader_u8(in) % (SVA_LEAVES + 1);
	const struct service_log_head *of = &service_log.heads[history][size];
	const struct witness_kept *kept = &service_kept.now;
	const struct witness_leaf *leaf =
		number && number <= size ? &service_log.leaves[history][number - 1] : NULL;
	int key = kept->bytes ? service_log_key(kept->key) : 0;
	struct err e;

	if (!service_kept.has_place || service_kept.is_broken ||
	    !service_kept_goes_on(key, &of->head))
		return;
	const struct witness_leaf *longest =
		leaf ? witness_kept_leaf(kept, leaf->computation, leaf->run) : NULL;
	const struct witness_shown shown = {
		.key = { service_log.spki[key], service_log.spki_len[key] },
		.signed_head = { of->bytes[key], of->len[key] },
		.head = &of->head,
		.leaf = longest && longest->head.count >= leaf->head.count ? NULL : leaf
	};
	assert(witness_kept_write(SERVICE_ADDRESS, kept, &shown, &e) == 0);
	read_again();
	assert(!service_kept.is_broken && kept->head.size == size);
}
