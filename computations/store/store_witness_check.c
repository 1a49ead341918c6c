/* SPDX-License-Identifier: Apache-2.0 */
/* The log of heads, built anew from its leaves and compared with what is kept of it. */
#include "computations/store/store_witness.h"

#include <string.h>

enum { LEVELS = MERKLE_PATH_MAX };

/* Of each level the last node that is a left half: who adds asks for no other. */
struct replay {
	struct store *store;
	uint8_t last[LEVELS][SHA256_LEN];
	uint64_t numbers[LEVELS];
	int64_t nodes;
};

static int last_node(void *data, unsigned level, uint64_t number, uint8_t hash[SHA256_LEN],
		     struct err *e)
{
	const struct replay *r = data;

	if (level >= LEVELS || r->numbers[level] != number)
		return err_set(e, ERR_INTERNAL, "node %u/%llu is not the last half", level,
			       (unsigned long long)number);
	memcpy(hash, r->last[level], SHA256_LEN);
	return 0;
}

static int compare_node(void *data, unsigned level, uint64_t number, const uint8_t hash[SHA256_LEN],
			struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct replay *r = data;
	const void *kept = NULL;
	size_t len = 0;
	int row;

	if (level >= LEVELS)
		return err_set(e, ERR_INTERNAL, "a log of %u levels", level);
	if (db_query(&r->store->db, &rows, e,
		     "SELECT hash FROM witness_nodes WHERE level = ? AND number = ?", "ii",
		     (int64_t)level, (int64_t)number) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0 || (row > 0 && db_blob(rows, 0, SHA256_LEN, &kept, &len, e) < 0))
		return err_code(e);
	if (len != SHA256_LEN || memcmp(kept, hash, SHA256_LEN) != 0)
		return err_set(e, ERR_DATA_LOSS,
			       "the log of heads: node %u/%llu is not over its leaves", level,
			       (unsigned long long)number);
	if (number % 2 == 0) {
		memcpy(r->last[level], hash, SHA256_LEN);
		r->numbers[level] = number;
	}
	r->nodes++;
	return 0;
}

static int replay_page(struct replay *r, uint64_t first, uint64_t count, struct err *e)
{
	const struct merkle_nodes nodes = { last_node, compare_node, r };
	struct witness_leaves page;
	uint8_t hash[SHA256_LEN];
	int failed = store_witness_leaves(r->store, first, count, &page, e);

	if (failed)
		return failed;
	for (size_t i = 0, from = 0; !failed && i < page.count; from = page.ends[i++]) {
		failed = merkle_leaf(page.bytes + from, page.ends[i] - from, hash, e);
		if (!failed)
			failed = merkle_add(&nodes, first + i, hash, e);
	}
	witness_leaves_done(&page);
	return failed;
}

int store_witness_check(struct store *store, int64_t *size, struct err *e)
{
	struct replay r = { .store = store };
	int64_t leaves, nodes;

	if (db_number(&store->db, &leaves, e,
		      "SELECT coalesce(max(number) + 1, 0) FROM witness_leaves", "") < 0 ||
	    db_number(&store->db, &nodes, e, "SELECT count(*) FROM witness_nodes", "") < 0)
		return err_code(e);
	for (int64_t first = 0; first < leaves; first += WITNESS_PAGE_MAX) {
		int64_t left = leaves - first;

		if (replay_page(&r, (uint64_t)first,
				(uint64_t)(left < WITNESS_PAGE_MAX ? left : WITNESS_PAGE_MAX),
				e) < 0)
			return err_code(e);
	}
	if (r.nodes != nodes)
		return err_set(e, ERR_DATA_LOSS, "the log of heads: %lld nodes over %lld leaves",
			       (long long)nodes, (long long)leaves);
	*size = leaves;
	return 0;
}
