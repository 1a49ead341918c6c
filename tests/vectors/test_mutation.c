/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutation: of each genuine report, certificate, CRL and certificate table, every single bit is
 * flipped, and a byte deleted and inserted at each position (of both, CI takes a sample:
 * tests/sample.h). None may be accepted, but for what is left open, which is listed here by name and
 * in docs/uncovered.md:
 *
 *  - report: nothing. (s and n−s are both right by ECDSA; that is no change of a single bit.)
 *  - certificate, CRL (DER): nothing.
 *  - PEM: white space before and behind the block, one zero byte at the very end.
 *  - certificate table: bytes that no entry points to; entries with an unknown GUID and their data;
 *    so also the GUID of an entry that can be done without: the CRL's, and the ARK's where the
 *    relying party has named a root himself.
 *  - ID authentication without an author key: AUTHOR_KEY_ALGO may be 0 or 1.
 */
#include "common/base/bytes.h"
#include "tests/sample.h"
#include "tests/unit.h"
#include "tests/vectors/case.h"

#include <stdio.h>

enum { STEP = 29 };

struct counts {
	size_t bits, bytes, open;
};

static struct counts total;

/* The case says yes with those bytes in the place of `role`. */
static bool accepts(struct snp_case *c, struct span *place, const uint8_t *bytes, size_t len)
{
	static struct verdict v;
	struct span kept = *place;
	struct err e;
	bool yes;

	*place = (struct span){ .bytes = bytes, .len = len };
	yes = case_appraise(c, &v, &e);
	*place = kept;
	return yes;
}

static bool nothing_open(struct span original, size_t at)
{
	return false;
}

/* `open` says whether a change at that byte may count for nothing. */
static void mutate(struct snp_case *c, struct span *place, const char *what,
		   bool (*open)(struct span original, size_t at))
{
	struct span original = *place;
	uint8_t *bytes = malloc(original.len + 1);
	struct counts n = { 0 };
	const size_t step = sample_step(STEP);

	assert_true(accepts(c, place, original.bytes, original.len));
	memcpy(bytes, original.bytes, original.len);
	for (size_t bit = 0; bit < 8 * original.len; bit += step, n.bits++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (accepts(c, place, bytes, original.len)) {
			if (!open(original, bit / 8))
				fail_msg("%s %s: bit %zu of byte 0x%zx", c->folder, what, bit % 8,
					 bit / 8);
			n.open++;
		}
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	/* The last position, behind all bytes, is always one of them. */
	for (size_t at = original.len % step; at <= original.len; at += step, n.bytes += 2) {
		memcpy(bytes, original.bytes, at);
		if (at < original.len) {
			memcpy(bytes + at, original.bytes + at + 1, original.len - at - 1);
			if (accepts(c, place, bytes, original.len - 1)) {
				if (!open(original, at))
					fail_msg("%s %s: byte 0x%zx deleted", c->folder, what, at);
				n.open++;
			}
		}
		bytes[at] = at < original.len ? original.bytes[at] ^ 0x55 : 0;
		memcpy(bytes + at + 1, original.bytes + at, original.len - at);
		if (accepts(c, place, bytes, original.len + 1)) {
			if (!open(original, at))
				fail_msg("%s %s: a byte inserted at 0x%zx", c->folder, what, at);
			n.open++;
		}
	}
	free(bytes);
	total.bits += n.bits;
	total.bytes += n.bytes;
	total.open += n.open;
	print_message("# %s, %s: %zu bits, %zu bytes, %zu open\n", strrchr(c->folder, '/') + 1,
		      what, n.bits, n.bytes, n.open);
}

static char group[600];

static bool find_group(const char *name)
{
	const char *vectors = case_vectors();

	if (vectors)
		snprintf(group, sizeof(group), "%s/%s", vectors, name);
	return vectors != NULL;
}

/* A policy without debug, which one of the genuine guests allows, can't be met: its own bit goes. */
static bool usable(const struct snp_case *c)
{
	return !(c->own.policy & SNP_POLICY_DEBUG);
}

static void mutate_report(const char *folder)
{
	struct snp_case c;

	case_load(&c, folder);
	if (usable(&c))
		mutate(&c, &c.input.report, "report", nothing_open);
	case_done(&c);
}

static void mutate_leaf(const char *folder)
{
	struct snp_case c;

	case_load(&c, folder);
	if (usable(&c))
		mutate(&c, &c.input.vek, "leaf", nothing_open);
	case_done(&c);
}

static void no_changed_report_is_accepted(void **state)
{
	if (!find_group("snp"))
		skip();
	assert_int_equal(case_each(group, mutate_report), 16);
}

static void no_changed_leaf_is_accepted(void **state)
{
	if (!find_group("snp"))
		skip();
	assert_int_equal(case_each(group, mutate_leaf), 16);
}

/* White space around the block. */
static bool pem_open(struct span original, size_t at)
{
	return at == 0 || at + 1 >= original.len;
}

/* The chains are shared: one case of each. */
static void no_changed_chain_is_accepted(void **state)
{
	static const char *const names[] = { "milan-v3-azure-ms", "milan-v3-vlek-vmpl1",
					     "genoa-v5-oak", "turin-v5-azure" };

	if (!find_group("snp"))
		skip();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[700];
		struct snp_case c;
		struct span *places[2];

		snprintf(path, sizeof(path), "%s/%s", group, names[i]);
		case_load(&c, path);
		places[0] = &c.input.intermediate;
		places[1] = &c.input.ark;
		for (size_t n = 0; n < 2; n++) {
			uint8_t *der;
			size_t len;
			struct err e;

			if (i == 0)
				mutate(&c, places[n], n ? "ARK as PEM" : "ASK as PEM", pem_open);
			assert_ok(x509_pem_decode((const char *)places[n]->bytes, places[n]->len,
						  "CERTIFICATE", &der, &len, NULL, &e),
				  e);
			*places[n] = (struct span){ .bytes = der, .len = len };
			mutate(&c, places[n], n ? "ARK" : "intermediate", nothing_open);
		}
		free((void *)(uintptr_t)places[0]->bytes);
		free((void *)(uintptr_t)places[1]->bytes);
		case_done(&c);
	}
}

static void mutate_files(const char *folder)
{
	struct snp_case c;

	case_load(&c, folder);
	if (c.input.crl_count)
		mutate(&c, &c.input.crls[0], "CRL", nothing_open);
	case_done(&c);
}

static void no_changed_crl_is_accepted(void **state)
{
	if (!find_group("snp/own-root"))
		skip();
	assert_true(case_each(group, mutate_files) > 0);
}

static bool root_is_named;

/* The GUID of an entry that may as well be missing. */
static bool optional_guid(const uint8_t *entry)
{
	return entry[0] == 0x92 || (entry[0] == 0xc0 && root_is_named);
}

/* Bytes that no entry of a known GUID points to. */
static bool table_open_at(struct span table, size_t at)
{
	static const uint8_t known[] = { 0x63, 0xa8, 0x4a, 0xc0, 0x92 }; /* how their GUIDs begin */
	size_t entry = 0;

	for (;; entry += 24) {
		uint64_t offset = bytes_le(table.bytes + entry + 16, 4);
		uint64_t len = bytes_le(table.bytes + entry + 20, 4);
		bool is_known = memchr(known, table.bytes[entry], sizeof(known));

		if (offset == 0 && len == 0)
			break;
		if (at >= entry && at < entry + 16)
			return !is_known || optional_guid(table.bytes + entry);
		if (is_known && ((at >= entry && at < entry + 24) ||
				 (at >= offset && at < (size_t)offset + len)))
			return false;
	}
	return true;
}

static void mutate_table(const char *folder)
{
	struct snp_case c;

	case_load(&c, folder);
	root_is_named = c.input.trusted_root.len > 0;
	mutate(&c, &c.input.cert_table, "certificate table", table_open_at);
	case_done(&c);
}

static void no_changed_table_is_accepted(void **state)
{
	if (!find_group("snp/cert-table"))
		skip();
	assert_int_equal(case_each(group, mutate_table), 6);
}

/* AUTHOR_KEY_ALGO's lowest byte, where there is no author key. */
static bool auth_open(struct span original, size_t at)
{
	return at == 4 && original.bytes[0x880] == 0;
}

static void mutate_idblock(const char *folder)
{
	struct snp_case c;

	case_load(&c, folder);
	if (c.input.id_block.len) {
		mutate(&c, &c.input.id_block, "ID block", nothing_open);
		mutate(&c, &c.input.id_auth, "ID authentication", auth_open);
	}
	case_done(&c);
}

static void no_changed_id_block_is_accepted(void **state)
{
	if (!find_group("snp/own-root"))
		skip();
	assert_true(case_each(group, mutate_idblock) > 0);
	print_message("# in all %zu bits flipped, %zu bytes deleted or inserted, %zu open\n",
		      total.bits, total.bytes, total.open);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_changed_leaf_is_accepted),
		cmocka_unit_test(no_changed_chain_is_accepted),
		cmocka_unit_test(no_changed_crl_is_accepted),
		cmocka_unit_test(no_changed_table_is_accepted),
		cmocka_unit_test(no_changed_report_is_accepted),
		cmocka_unit_test(no_changed_id_block_is_accepted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
