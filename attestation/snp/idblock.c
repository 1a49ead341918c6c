/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/snp/idblock.h"

#include "attestation/snp/snp_key.h"
#include "common/base/bytes.h"
#include "common/base/reader.h"
#include "common/crypto/digest.h"
#include "common/crypto/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	BLOCK_VERSION = 1,
	ALGORITHM_P384_SHA384 = 1,
	AUTH_RESERVED_HEAD = 0x40 - 8,
	AUTH_RESERVED_MIDDLE = 0x680 - 0x644,
	AUTH_RESERVED_TAIL = IDAUTH_LEN - 0xc84,
	AUTH_BLOCK_SIG = 0x40,
	AUTH_ID_KEY = 0x240,
	AUTH_ID_KEY_SIG = 0x680,
	AUTH_AUTHOR_KEY = 0x880,
};

struct idauth {
	const uint8_t *block_sig, *id_key, *id_key_sig, *author_key;
	bool author;
};

static int block_parse(struct span bytes, struct idblock *out, struct err *e)
{
	struct reader r = span_reader(bytes);
	struct idblock made = { 0 };
	uint32_t version;

	reader_copy(&r, made.measurement, sizeof(made.measurement));
	reader_copy(&r, made.family_id, sizeof(made.family_id));
	reader_copy(&r, made.image_id, sizeof(made.image_id));
	version = reader_le32(&r);
	made.guest_svn = reader_le32(&r);
	made.policy = reader_le64(&r);
	if (!reader_done(&r))
		return err_set(e, ERR_INVALID, "ID block: %zu bytes; wanted %d", bytes.len,
			       IDBLOCK_LEN);
	if (version != BLOCK_VERSION)
		return err_set(e, ERR_INVALID, "ID block: version %u; wanted %d", version,
			       BLOCK_VERSION);
	*out = made;
	return 0;
}

void idblock_write(const struct idblock *block, uint8_t bytes[IDBLOCK_LEN])
{
	memcpy(bytes, block->measurement, SNP_DIGEST_LEN);
	memcpy(bytes + 48, block->family_id, SNP_ID_LEN);
	memcpy(bytes + 64, block->image_id, SNP_ID_LEN);
	bytes_put_le(bytes + 80, BLOCK_VERSION, 4);
	bytes_put_le(bytes + 84, block->guest_svn, 4);
	bytes_put_le(bytes + 88, block->policy, 8);
}

int idblock_sign(const uint8_t block[IDBLOCK_LEN], EVP_PKEY *id_key, EVP_PKEY *author_key,
		 uint8_t auth[IDAUTH_LEN], struct err *e)
{
	struct span block_span = { .bytes = block, .len = IDBLOCK_LEN };
	struct span id_key_span = { .bytes = auth + AUTH_ID_KEY, .len = SNP_PUBLIC_KEY_LEN };

	memset(auth, 0, IDAUTH_LEN);
	bytes_put_le(auth, ALGORITHM_P384_SHA384, 4);
	bytes_put_le(auth + 4, ALGORITHM_P384_SHA384, 4);
	if (snp_key_sign_block(id_key, block_span, auth + AUTH_BLOCK_SIG, e) < 0 ||
	    snp_key_write(id_key, auth + AUTH_ID_KEY, e) < 0)
		return err_wrap(e, "ID key");
	if (author_key &&
	    (snp_key_sign_block(author_key, id_key_span, auth + AUTH_ID_KEY_SIG, e) < 0 ||
	     snp_key_write(author_key, auth + AUTH_AUTHOR_KEY, e) < 0))
		return err_wrap(e, "author key");
	return 0;
}

int idblock_key_digest(const EVP_PKEY *key, uint8_t out[SNP_DIGEST_LEN], struct err *e)
{
	uint8_t block[SNP_PUBLIC_KEY_LEN];

	if (snp_key_write(key, block, e) < 0)
		return err_code(e);
	return digest(DIGEST_SHA384, block, sizeof(block), out, e);
}

static int auth_parse(struct span bytes, struct idauth *out, struct err *e)
{
	struct reader r = span_reader(bytes);
	uint32_t id_algorithm = reader_le32(&r);
	uint32_t author_algorithm = reader_le32(&r);

	reader_zeros(&r, AUTH_RESERVED_HEAD);
	out->block_sig = reader_take(&r, SNP_SIGNATURE_LEN);
	out->id_key = reader_take(&r, SNP_PUBLIC_KEY_LEN);
	reader_zeros(&r, AUTH_RESERVED_MIDDLE);
	out->id_key_sig = reader_take(&r, SNP_SIGNATURE_LEN);
	out->author_key = reader_take(&r, SNP_PUBLIC_KEY_LEN);
	reader_zeros(&r, AUTH_RESERVED_TAIL);
	if (!reader_done(&r))
		return err_set(e, ERR_INVALID,
			       "ID authentication: %zu bytes; wanted %d, reserved ones zero",
			       bytes.len, IDAUTH_LEN);
	out->author = !bytes_are(out->author_key, SNP_PUBLIC_KEY_LEN, 0);
	if (!out->author && !bytes_are(out->id_key_sig, SNP_SIGNATURE_LEN, 0))
		return err_set(e, ERR_INVALID,
			       "ID authentication: an author's signature without his key");
	/* Without an author key the field means nothing; tools write 0 or 1. */
	if (id_algorithm != ALGORITHM_P384_SHA384 || author_algorithm > ALGORITHM_P384_SHA384 ||
	    (out->author && author_algorithm != ALGORITHM_P384_SHA384))
		return err_set(e, ERR_INVALID,
			       "ID authentication: algorithms %u and %u; wanted 1 (P-384, SHA-384)",
			       id_algorithm, author_algorithm);
	return 0;
}

static int check_signatures(struct span block, const struct idauth *auth, struct err *e)
{
	struct span id_key_span = { .bytes = auth->id_key, .len = SNP_PUBLIC_KEY_LEN };
	EVP_PKEY *made = NULL;

	if (snp_key_read(auth->id_key, &made, e) < 0)
		return err_wrap(e, "ID key");
	CLEANUP(EVP_PKEY_free) EVP_PKEY *id_key = made;
	if (snp_key_verify_block(id_key, block, auth->block_sig, e) < 0)
		return err_wrap(e, "ID block by the ID key");
	if (!auth->author)
		return 0;
	if (snp_key_read(auth->author_key, &made, e) < 0)
		return err_wrap(e, "author key");
	CLEANUP(EVP_PKEY_free) EVP_PKEY *author_key = made;
	if (snp_key_verify_block(author_key, id_key_span, auth->id_key_sig, e) < 0)
		return err_wrap(e, "ID key by the author key");
	return 0;
}

int idblock_verify(struct span block, struct span auth, bool *author, struct err *e)
{
	struct idblock fields;
	struct idauth parts;

	if (block_parse(block, &fields, e) < 0 || auth_parse(auth, &parts, e) < 0 ||
	    check_signatures(block, &parts, e) < 0)
		return err_code(e);
	*author = parts.author;
	return 0;
}

void idblock_require(struct verdict *v)
{
	static const enum check_id always[] = {
		CHECK_IDBLOCK_SIGNATURE,     CHECK_IDBLOCK_MEASUREMENT,
		CHECK_IDBLOCK_FAMILY_ID,     CHECK_IDBLOCK_IMAGE_ID,
		CHECK_IDBLOCK_GUEST_SVN,     CHECK_IDBLOCK_POLICY,
		CHECK_IDBLOCK_ID_KEY_DIGEST, CHECK_IDBLOCK_AUTHOR_KEY_DIGEST,
		CHECK_IDBLOCK_AUTHOR_KEY_EN,
	};

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		verdict_require(v, always[i]);
}

static void judge_fields(const struct idblock *block, const struct snp_report *report,
			 struct verdict *v)
{
	char wanted[48];

	verdict_bytes(v, CHECK_IDBLOCK_MEASUREMENT, report->measurement, block->measurement,
		      SNP_DIGEST_LEN);
	verdict_bytes(v, CHECK_IDBLOCK_FAMILY_ID, report->family_id, block->family_id, SNP_ID_LEN);
	verdict_bytes(v, CHECK_IDBLOCK_IMAGE_ID, report->image_id, block->image_id, SNP_ID_LEN);
	snprintf(wanted, sizeof(wanted), "%u", block->guest_svn);
	verdict_checkf(v, CHECK_IDBLOCK_GUEST_SVN, report->guest_svn == block->guest_svn, wanted,
		       "%u", report->guest_svn);
	snprintf(wanted, sizeof(wanted), "0x%016" PRIx64, block->policy);
	verdict_checkf(v, CHECK_IDBLOCK_POLICY, report->policy == block->policy, wanted,
		       "0x%016" PRIx64, report->policy);
}

/* The digest of `key` as the report has it; `none` if there is no such key. */
static void judge_key(struct verdict *v, enum check_id id, const uint8_t *key, bool none,
		      const uint8_t *found)
{
	uint8_t wanted[SNP_DIGEST_LEN] = { 0 };
	struct err e;

	if (!none && digest(DIGEST_SHA384, key, SNP_PUBLIC_KEY_LEN, wanted, &e) < 0)
		verdict_err(v, id, &e);
	else
		verdict_bytes(v, id, found, wanted, SNP_DIGEST_LEN);
}

void idblock_judge(struct span block, struct span auth, const struct snp_report *report,
		   struct verdict *v)
{
	struct idblock fields;
	struct idauth parts;
	struct err e;

	if (block_parse(block, &fields, &e) < 0 || auth_parse(auth, &parts, &e) < 0) {
		verdict_err(v, CHECK_IDBLOCK_FORMAT, &e);
		return;
	}
	if (check_signatures(block, &parts, &e) < 0)
		verdict_err(v, CHECK_IDBLOCK_SIGNATURE, &e);
	else
		verdict_check(v, CHECK_IDBLOCK_SIGNATURE, true, NULL, NULL);
	judge_fields(&fields, report, v);
	judge_key(v, CHECK_IDBLOCK_ID_KEY_DIGEST, parts.id_key, false, report->id_key_digest);
	judge_key(v, CHECK_IDBLOCK_AUTHOR_KEY_DIGEST, parts.author_key, !parts.author,
		  report->author_key_digest);
	verdict_check(
		v, CHECK_IDBLOCK_AUTHOR_KEY_EN, snp_report_author_key_en(report) == parts.author,
		snp_report_author_key_en(report) ? "set" : "clear", parts.author ? "set" : "clear");
}
