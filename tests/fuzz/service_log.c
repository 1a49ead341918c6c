/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/service_log.h"

#include "common/base/writer.h"

#include <assert.h>
#include <string.h>

enum { LEVELS = 5 };

struct service_log service_log;

static uint8_t nodes[SVA_HISTORIES][LEVELS][SVA_LEAVES][SHA256_LEN];

/* Whose run, and so many entries. Twice it says what no honest log does: the sixth has as many as the fourth and another
 * digest, the tenth fewer than the eighth. */
static const struct {
	const char *computation;
	uint64_t run, entries;
} rows[SVA_LEAVES] = {
	{ "c", 1, 1 }, { "d", 1, 1 }, { "c", 1, 3 }, { "c", 1, 5 }, { "d", 1, 4 }, { "c", 1, 5 },
	{ "c", 2, 1 }, { "d", 1, 9 }, { "d", 2, 1 }, { "d", 1, 2 }, { "c", 2, 4 }, { "c", 3, 1 },
	{ "c", 2, 6 }, { "d", 2, 7 }, { "c", 3, 2 }, { "c", 4, 1 },
};
/* From which leaf on a history is its own. */
static const unsigned parts[SVA_HISTORIES] = { 0, 3, 6 };

static int get(void *data, unsigned level, uint64_t number, uint8_t hash[SHA256_LEN], struct err *e)
{
	memcpy(hash, nodes[*(const unsigned *)data][level][number], SHA256_LEN);
	return 0;
}

static int put(void *data, unsigned level, uint64_t number, const uint8_t hash[SHA256_LEN],
	       struct err *e)
{
	memcpy(nodes[*(const unsigned *)data][level][number], hash, SHA256_LEN);
	return 0;
}

static struct merkle_nodes nodes_of(unsigned *history)
{
	return (struct merkle_nodes){ get, put, history };
}

static void sign_heads(unsigned history, uint64_t size)
{
	struct service_log_head *h = &service_log.heads[history][size];
	const struct merkle_nodes of = nodes_of(&history);
	struct err e;

	h->head = (struct witness_head){ .size = size, .time_ms = 1 + size };
	assert(merkle_root(&of, size, h->head.root, &e) == 0);
	for (size_t k = 0; k < SVA_LOG_KEYS; k++) {
		CLEANUP_WRITER struct writer w = writer_up_to(WITNESS_SIGNED_MAX);

		assert(witness_head_sign(&h->head, service_log.keys[k], &w, &e) == 0);
		memcpy(h->bytes[k], w.bytes, w.len);
		h->len[k] = w.len;
	}
}

static void make_history(unsigned history)
{
	const struct merkle_nodes of = nodes_of(&history);
	uint8_t hash[SHA256_LEN];
	struct err e;

	for (unsigned i = 0; i < SVA_LEAVES; i++) {
		struct witness_leaf *leaf = &service_log.leaves[history][i];

		leaf->computation = (struct span){ (const uint8_t *)rows[i].computation, 1 };
		leaf->run = rows[i].run;
		leaf->head.count = rows[i].entries;
		leaf->head.digest[0] = (uint8_t)i;
		leaf->head.digest[1] = (uint8_t)(i < parts[history] ? 0 : history);
		sign_heads(history, i);
		assert(witness_leaf_hash(leaf, hash, &e) == 0);
		assert(merkle_add(&of, i, hash, &e) == 0);
	}
	sign_heads(history, SVA_LEAVES);
}

void service_log_open(void)
{
	struct err e;

	for (size_t k = 0; k < SVA_LOG_KEYS; k++) {
		assert(key_generate(KEY_ECDSA, &service_log.keys[k], &e) == 0);
		assert(key_to_spki(service_log.keys[k], &service_log.spki[k],
				   &service_log.spki_len[k], &e) == 0);
	}
	for (unsigned history = 0; history < SVA_HISTORIES; history++)
		make_history(history);
}

/* ---- what is true of them ---- */

int service_log_key(struct span spki)
{
	for (int k = 0; k < SVA_LOG_KEYS; k++)
		if (span_equal(spki, (struct span){ service_log.spki[k], service_log.spki_len[k] }))
			return k;
	return -1;
}

const struct witness_head *service_log_signed(int key, struct span bytes)
{
	assert(key >= 0);
	for (size_t h = 0; h < SVA_HISTORIES; h++)
		for (size_t size = 0; size <= SVA_LEAVES; size++) {
			const struct service_log_head *of = &service_log.heads[h][size];

			if (span_equal(bytes, (struct span){ of->bytes[key], of->len[key] }))
				return &of->head;
		}
	return NULL;
}

static bool is_of(unsigned history, const struct witness_head *head)
{
	return head->size <= SVA_LEAVES && memcmp(service_log.heads[history][head->size].head.root,
						  head->root, SHA256_LEN) == 0;
}

bool service_log_goes_on(const struct witness_head *before, const struct witness_head *now)
{
	for (unsigned h = 0; h < SVA_HISTORIES; h++)
		if (before->size <= now->size && is_of(h, before) && is_of(h, now))
			return true;
	return false;
}

bool service_log_has(const struct witness_head *head, const struct witness_leaf *leaf)
{
	for (unsigned h = 0; h < SVA_HISTORIES; h++)
		for (uint64_t i = 0; is_of(h, head) && i < head->size; i++) {
			const struct witness_leaf *of = &service_log.leaves[h][i];

			if (of->run == leaf->run && of->head.count == leaf->head.count &&
			    span_equal(of->computation, leaf->computation) &&
			    memcmp(of->head.digest, leaf->head.digest, SHA256_LEN) == 0)
				return true;
		}
	return false;
}

/* ---- what a service gives ---- */

void service_log_path(unsigned history, uint64_t old, uint64_t size, struct merkle_path *path)
{
	const struct merkle_nodes of = nodes_of(&history);
	struct err e;

	path->count = 0;
	if (old && old <= size)
		assert(merkle_prove_consistency(&of, old, size, path, &e) == 0);
}

void service_log_inclusion(unsigned history, uint64_t index, uint64_t size,
			   struct merkle_path *path)
{
	const struct merkle_nodes of = nodes_of(&history);
	struct err e;

	assert(merkle_prove_inclusion(&of, index, size, path, &e) == 0);
}

int service_log_find(unsigned history, uint64_t size, const char *computation, uint64_t run)
{
	int found = -1;

	for (int i = 0; i < (int)size; i++)
		if (strcmp(rows[i].computation, computation) == 0 && (!run || rows[i].run == run) &&
		    (found < 0 || rows[i].run >= rows[found].run))
			found = i;
	return found;
}
