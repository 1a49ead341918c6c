/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/journal/witness_audit.h"

#include "common/base/datum.h"

#include <inttypes.h>
#include <string.h>

void witness_audit_begin(struct witness_audit *audit, const struct witness_head *before,
			 const struct witness_head *now)
{
	*audit = (struct witness_audit){ .before = *before, .now = *now };
}

size_t witness_audit_wants(const struct witness_audit *audit)
{
	uint64_t left = audit->now.size - audit->tree.size;

	return left < WITNESS_PAGE_MAX ? (size_t)left : WITNESS_PAGE_MAX;
}

/* 1: the leaves so far have this root; 0: another. */
static int has_root(const struct witness_audit *audit, const uint8_t wanted[SHA256_LEN],
		    struct err *e)
{
	uint8_t root[SHA256_LEN];

	if (merkle_frontier_root(&audit->tree, root, e) < 0)
		return err_code(e);
	return memcmp(root, wanted, SHA256_LEN) == 0;
}

static int check_before(const struct witness_audit *audit, struct err *e)
{
	int same =
		audit->tree.size == audit->before.size ? has_root(audit, audit->before.root, e) : 1;

	if (same < 0)
		return same;
	return same ? 0
		    : err_set(e, ERR_DATA_LOSS,
			      "the first %" PRIu64
			      " leaves that the log shows are not those that it had",
			      audit->before.size);
}

/* The tree is of bytes: only what would be written like that is a leaf. */
static int parse(struct span bytes, struct witness_leaf *leaf, struct err *e)
{
	struct datum *root = NULL;

	if (bytes.len > WITNESS_LEAF_MAX)
		return err_set(e, ERR_INVALID, "a leaf of %zu bytes; at most %d", bytes.len,
			       WITNESS_LEAF_MAX);
	if (datum_parse(bytes.bytes, bytes.len, &root, e) < 0)
		return err_code(e);
	int failed = witness_leaf_take(root, leaf, e);
	datum_free(root);
	return failed;
}

int witness_audit_take(struct witness_audit *audit, struct span bytes, struct witness_leaf *leaf,
		       struct err *e)
{
	struct witness_leaf found;
	uint8_t hash[SHA256_LEN];

	if (audit->tree.size >= audit->now.size)
		return err_set(e, ERR_DATA_LOSS,
			       "the log shows more leaves than the %" PRIu64 " of its head",
			       audit->now.size);
	if (parse(bytes, &found, e) < 0)
		return err_wrap(e, "leaf %" PRIu64, audit->tree.size);
	if (merkle_leaf(bytes.bytes, bytes.len, hash, e) < 0 ||
	    merkle_frontier_add(&audit->tree, hash, e) < 0 || check_before(audit, e) < 0)
		return err_code(e);
	*leaf = found;
	return 0;
}

int witness_audit_end(const struct witness_audit *audit, struct err *e)
{
	if (audit->tree.size < audit->now.size)
		return err_set(e, ERR_DATA_LOSS,
			       "the log shows %" PRIu64 " leaves of the %" PRIu64 " of its head",
			       audit->tree.size, audit->now.size);
	int same = has_root(audit, audit->now.root, e);
	if (same < 0)
		return same;
	return same ? 0
		    : err_set(e, ERR_DATA_LOSS,
			      "the %" PRIu64
			      " leaves that the log shows are not those that its head is over",
			      audit->now.size);
}
