/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutation: of each genuine report, certificate, CRL and certificate table, every single bit is
 * flipped, and bytes are taken out and put in at each position (CI takes a sample: tests/sample.h).
 * None may be accepted, but at the places that tests/uncovered.def names.
 */
#include "common/base/bytes.h"
#include "tests/sample.h"
#include "tests/uncovered.h"
#include "tests/vectors/case.h"

#include <stdio.h>
#include <openssl/obj_mac.h>

enum { STEP = 29 };

/* What is changed: that file of that case. */
static struct snp_case *now;
static struct span *place;

/* The case says yes with those bytes in the place of the file's. */
static bool accepts(struct span changed)
{
	static struct verdict v;
	const struct span kept = *place;
	struct err e;
	bool yes;

	*place = changed;
	yes = case_appraise(now, &v, &e);
	*place = kept;
	return yes;
}

static struct uncovered_subject subject_of(struct snp_case *c, struct span *file, const char *what,
					   int (*open)(struct span original, size_t at))
{
	static char name[700];

	now = c;
	place = file;
	snprintf(name, sizeof(name), "%s, %s", strrchr(c->folder, '/') + 1, what);
	return (struct uncovered_subject){ name, *file, accepts, open };
}

/* `open` says what a change at that byte may be; NULL: nothing. */
static void mutate(struct snp_case *c, struct span *file, const char *what,
		   int (*open)(struct span original, size_t at))
{
	const struct uncovered_subject s = subject_of(c, file, what, open);

	uncovered_mutate(&s, sample_step(STEP));
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

enum { SIGNATURE_S = SNP_REPORT_SIGNED_LEN + 72, SIGNATURE_NUMBER = 72 };

static void mutate_report(const char *folder)
{
	uint8_t twin[SNP_REPORT_LEN];
	struct snp_case c;

	case_load(&c, folder);
	if (usable(&c)) {
		mutate(&c, &c.input.report, "report", NULL);
		const struct uncovered_subject s = subject_of(&c, &c.input.report, "report", NULL);

		memcpy(twin, s.original.bytes, sizeof(twin));
		uncovered_twin(NID_secp384r1, twin + SIGNATURE_S, SIGNATURE_NUMBER, true);
		uncovered_accepts(&s, UNCOVERED_SNP_TWIN, (struct span){ twin, sizeof(twin) });
	}
	case_done(&c);
}

/* What a host delivers: the report, and a table of no certificate behind it. */
static void only_an_empty_table_s_zeros_may_follow(void **state)
{
	static const size_t yes[] = { 24, 25, 4096, SNP_CERT_TABLE_MAX };
	static const size_t no[] = { 1, 23, SNP_CERT_TABLE_MAX + 1 };
	struct span report, table;
	uint8_t *raw = calloc(1, SNP_REPORT_LEN + SNP_CERT_TABLE_MAX + 1);

	assert_non_null(raw);
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		snp_evidence_split((struct span){ raw, SNP_REPORT_LEN + yes[i] }, &report, &table);
		assert_int_equal(report.len, SNP_REPORT_LEN);
		uncovered_found(UNCOVERED_SNP_TABLE_EMPTY);
		raw[SNP_REPORT_LEN + yes[i] - 1] = 1;
		snp_evidence_split((struct span){ raw, SNP_REPORT_LEN + yes[i] }, &report, &table);
		assert_int_not_equal(report.len, SNP_REPORT_LEN);
		raw[SNP_REPORT_LEN + yes[i] - 1] = 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		snp_evidence_split((struct span){ raw, SNP_REPORT_LEN + no[i] }, &report, &table);
		assert_int_not_equal(report.len, SNP_REPORT_LEN);
	}
	free(raw);
}

static void mutate_leaf(const char *folder)
{
	struct snp_case c;

	case_load(&c, folder);
	if (usable(&c))
		mutate(&c, &c.input.vek, "leaf", NULL);
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

/* White space after the block. */
static int pem_open(struct span original, size_t at)
{
	return at + 1 >= original.len ? UNCOVERED_SNP_PEM : UNCOVERED_NONE;
}

static void mutate_pem(struct snp_case *c, struct span *file, const char *what)
{
	const struct uncovered_subject s = subject_of(c, file, what, pem_open);

	uncovered_mutate(&s, sample_step(STEP));
	uncovered_pem(&s, UNCOVERED_SNP_PEM, false);
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
				mutate_pem(&c, places[n], n ? "ARK as PEM" : "ASK as PEM");
			assert_ok(x509_pem_decode((const char *)places[n]->bytes, places[n]->len,
						  "CERTIFICATE", &der, &len, NULL, &e),
				  e);
			*places[n] = (struct span){ .bytes = der, .len = len };
			mutate(&c, places[n], n ? "ARK" : "intermediate", NULL);
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
		mutate(&c, &c.input.crls[0], "CRL", NULL);
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
static int table_open(struct span table, size_t at)
{
	static const uint8_t known[] = { 0x63, 0xa8, 0x4a, 0xc0, 0x92 }; /* how their GUIDs begin */
	bool theirs = false;

	for (size_t entry = 0;; entry += 24) {
		uint64_t offset = bytes_le(table.bytes + entry + 16, 4);
		uint64_t len = bytes_le(table.bytes + entry + 20, 4);
		bool is_known = memchr(known, table.bytes[entry], sizeof(known));

		if (offset == 0 && len == 0)
			break;
		if (at >= entry && at < entry + 16 && is_known)
			return optional_guid(table.bytes + entry) ? UNCOVERED_SNP_TABLE_OPTIONAL
								  : UNCOVERED_NONE;
		theirs |= !is_known && ((at >= entry && at < entry + 24) ||
					(at >= offset && at < (size_t)offset + len));
		if (is_known && ((at >= entry && at < entry + 24) ||
				 (at >= offset && at < (size_t)offset + len)))
			return UNCOVERED_NONE;
	}
	return theirs ? UNCOVERED_SNP_TABLE_UNKNOWN : UNCOVERED_SNP_TABLE_PADDING;
}

static void mutate_table(const char *folder)
{
	struct snp_case c;

	case_load(&c, folder);
	root_is_named = c.input.trusted_root.len > 0;
	mutate(&c, &c.input.cert_table, "certificate table", table_open);
	case_done(&c);
}

static void no_changed_table_is_accepted(void **state)
{
	if (!find_group("snp/cert-table"))
		skip();
	assert_int_equal(case_each(group, mutate_table), 6);
}

/* AUTHOR_KEY_ALGO's lowest byte, where there is no author key. */
static int auth_open(struct span original, size_t at)
{
	return at == 4 && original.bytes[0x880] == 0 ? UNCOVERED_SNP_ID_AUTH : UNCOVERED_NONE;
}

static void mutate_auth(struct snp_case *c)
{
	const struct span file = c->input.id_auth;
	const struct uncovered_subject s =
		subject_of(c, &c->input.id_auth, "ID authentication", auth_open);
	uint8_t *other = malloc(file.len);

	uncovered_mutate(&s, sample_step(STEP));
	assert_non_null(other);
	memcpy(other, file.bytes, file.len);
	other[4] ^= 1;
	if (auth_open(file, 4) != UNCOVERED_NONE)
		uncovered_accepts(&s, UNCOVERED_SNP_ID_AUTH, (struct span){ other, file.len });
	free(other);
}

static void mutate_idblock(const char *folder)
{
	struct snp_case c;

	case_load(&c, folder);
	if (c.input.id_block.len) {
		mutate(&c, &c.input.id_block, "ID block", NULL);
		mutate_auth(&c);
	}
	case_done(&c);
}

static void no_changed_id_block_is_accepted(void **state)
{
	if (!find_group("snp/own-root"))
		skip();
	assert_true(case_each(group, mutate_idblock) > 0);
}

/* Comes last. */
static void each_place_of_the_list_is_open(void **state)
{
	if (!find_group("snp"))
		skip();
	uncovered_all_found(__FILE__);
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
		cmocka_unit_test(only_an_empty_table_s_zeros_may_follow),
		cmocka_unit_test(each_place_of_the_list_is_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
