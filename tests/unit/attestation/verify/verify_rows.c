/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/attestation/verify/verify_rows.h"

#include "tests/answers.h"

struct verdict verify_rows_verdict;
struct verify_result verify_rows_result;

int verify_rows_run(const struct verify_kind *kind, verify_change_fn *statement,
		    verify_change_fn *call, struct err *e)
{
	struct verify_build b;

	verify_build_begin(&b, kind);
	statement(&b);
	verify_build_seal(&b);
	call(&b);
	memset(&verify_rows_result, 0xee, sizeof(verify_rows_result));
	*e = (struct err){ 0 };
	int rc = verify(&b.in, &verify_rows_verdict, &verify_rows_result, e);
	if (rc != 0 && verdict_ok(&verify_rows_verdict))
		fail_msg("%s: a yes that nobody gave", evidence_kind_platform(kind->mode));
	if (err_is(rc, ERR_DENIED))
		fail_msg("%s: a verdict as an error", evidence_kind_platform(kind->mode));
	if (rc == 0)
		rc = answer(&verify_rows_verdict, e);
	if (rc == 0 && verify_rows_result.has_identity) {
		uint8_t wanted[SHA256_LEN];
		struct err ignored;

		assert_ok(digest(DIGEST_SHA256, b.spki, b.spki_len, wanted, &ignored), ignored);
		assert_memory_equal(verify_rows_result.identity, wanted, SHA256_LEN);
	}
	if (rc == 0 && verify_rows_result.has_manifest)
		assert_memory_equal(verify_rows_result.manifest, b.run.manifest, SHA3_256_LEN);
	verify_build_end(&b);
	return rc;
}

static void judge_row(const struct verify_kind *kind, const struct verify_row *row)
{
	const char *check =
		row->check && strcmp(row->check, VERIFY_BOUND) == 0 ? kind->bound : row->check;
	struct err e;

	int rc = verify_rows_run(kind, row->statement, row->call, &e);
	if (!check) {
		if (rc != 0)
			fail_msg("%s, %s: %s", evidence_kind_platform(kind->mode), row->name,
				 e.text);
		return;
	}
	if (rc != -ERR_DENIED || strncmp(e.text, check, strlen(check)) != 0 ||
	    e.text[strlen(check)] != ':')
		fail_msg("%s, %s: %d, '%s', wanted %s", evidence_kind_platform(kind->mode),
			 row->name, rc, e.text, check);
	if (verify_rows_result.has_identity)
		fail_msg("%s, %s: an identity beside a no", evidence_kind_platform(kind->mode),
			 row->name);
}

size_t verify_rows_judge(const struct verify_kind *kind, const struct verify_row *rows,
			 size_t count)
{
	size_t judged = 0;

	for (size_t i = 0; i < count; i++) {
		if (rows[i].not_for & 1u << kind->mode)
			continue;
		judge_row(kind, &rows[i]);
		judged++;
	}
	return judged;
}
