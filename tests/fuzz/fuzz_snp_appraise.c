/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole SNP appraisal over evidence that was right, with edits in what is signed; signed again with
 * the same keys, or with a stranger's (edits.h, resign.h). A yes is about what the forge says is honest.
 *
 * Head: which evidence, its form, its revocation lists, who signed and when; the bits below.
 */
#define EDITS_HEAD 4
#include "tests/fuzz/resign.h"
#include "tests/fuzz/snp_edited.h"

enum form {
	FORM_TABLE = 1,    /* certificates come in the host's table */
	FORM_RAW = 2,      /* report and table in one piece */
	FORM_NO_ROOT = 4,  /* nobody named the root */
	FORM_ID_BLOCK = 8, /* and its authentication */
	FORM_AUTHOR = 16,
	FORM_GENUINE = 32, /* is it real hardware's, and nothing more */
	FORM_NEED_VCEK = 64,
	FORM_NEED_VLEK = 128,
};
enum lists {
	LIST_OF_ARK = 1,
	LIST_OF_CA = 2,
	LIST_IN_TABLE = 4, /* the ARK's */
	LIST_REVOKES = 8,  /* the certificate below its issuer */
	LIST_DEMANDED = 16,
	LIST_YOUNG = 32, /* as the policy's max_age wants it */
	LIST_HALF = 64,  /* ID block without its authentication; here for want of room */
	LIST_SKEW = 128, /* more than a day */
};
enum stranger {
	STRANGER_REPORT = 1,
	STRANGER_LEAF = 2,
	STRANGER_CA = 4,
	STRANGER_ARK = 8,
	STRANGER_LIST = 16,
	MOMENT_LATER = 32, /* when all of it is over */
	NO_POLICY = 64,
	NO_REPORT_DATA = 128,
};
enum part {
	PART_REPORT,
	PART_LEAF,
	PART_CA,
	PART_ARK,
	PART_LIST,
	PART_POLICY,
	PART_ID_BLOCK,
	PART_ID_AUTH, /* from here on: after all is signed */
	PART_SIGNED,
	PART_TABLE,
	PARTS,
};

static struct edited parts[PARTS];
static struct snp_edited ev;

struct made {
	struct writer leaf, ca, ark, lists[2], table;
	struct snp_parsed parsed;
};

static void close_signed(enum part part, struct span good, bool strange, EVP_PKEY *key,
			 EVP_PKEY *stranger, struct writer *w)
{
	static struct edited unused;
	struct span algorithm = resign_open(good, &unused);

	*w = writer_up_to(RESIGN_DER_MAX);
	if (parts[part].changed || strange)
		resign_close(&parts[part], algorithm, strange ? stranger : key, w);
	else
		writer_bytes(w, good.bytes, good.len);
}

static void sign_certs(uint8_t strangers, struct made *m)
{
	EVP_PKEY *root = ev.forge.root_key, *ca = ev.forge.ca_key;

	close_signed(PART_LEAF, ev.leaf, strangers & STRANGER_LEAF, ca, root, &m->leaf);
	close_signed(PART_CA, ev.ca, strangers & STRANGER_CA, root, ca, &m->ca);
	close_signed(PART_ARK, ev.ark, strangers & STRANGER_ARK, root, ca, &m->ark);
}

/* The first is the ARK's, the second the intermediate's. Edits are in both. */
static void make_lists(uint8_t wanted, uint8_t strangers, struct made *m)
{
	for (size_t i = 0; i < 2; i++) {
		EVP_PKEY *const keys[] = { ev.forge.root_key, ev.forge.ca_key };
		struct span good;

		m->lists[i] = writer_up_to(RESIGN_DER_MAX);
		if (!(wanted & (i ? LIST_OF_CA : LIST_OF_ARK | LIST_IN_TABLE)))
			continue;
		good = snp_edited_list(&ev, i, wanted & LIST_REVOKES);
		resign_open(good, &parts[PART_LIST]);
		edit_all(ev.edits, parts, PARTS, PART_LIST, PART_LIST + 1);
		close_signed(PART_LIST, good, strangers & STRANGER_LIST, keys[i], keys[!i],
			     &m->lists[i]);
	}
}

static void sign_report(uint8_t strangers)
{
	EVP_PKEY *key = strangers & STRANGER_REPORT ? ev.stranger : ev.forge.leaf_key;
	uint8_t raw[2 * SNP_SIGNATURE_PART_LEN], *at = parts[PART_SIGNED].bytes;

	memset(at, 0, SNP_REPORT_LEN);
	memcpy(at, parts[PART_REPORT].bytes,
	       parts[PART_REPORT].len < SNP_REPORT_SIGNED_LEN ? parts[PART_REPORT].len
							      : SNP_REPORT_SIGNED_LEN);
	resign_raw(key, EVP_sha384(), (struct span){ at, SNP_REPORT_SIGNED_LEN },
		   SNP_SIGNATURE_PART_LEN, raw);
	for (size_t i = 0; i < SNP_SIGNATURE_PART_LEN; i++) {
		at[0x2a0 + i] = raw[SNP_SIGNATURE_PART_LEN - 1 - i];
		at[0x2e8 + i] = raw[sizeof(raw) - 1 - i];
	}
	parts[PART_SIGNED].len = SNP_REPORT_LEN;
	parts[PART_SIGNED].changed = false;
}

static void sign_id_block(uint8_t form)
{
	struct err e;

	if (!(form & FORM_ID_BLOCK))
		return;
	parts[PART_ID_BLOCK].len = IDBLOCK_LEN; /* the signer takes no other */
	MUST(idblock_sign(parts[PART_ID_BLOCK].bytes, ev.id_key,
			  form & FORM_AUTHOR ? ev.author_key : NULL, parts[PART_ID_AUTH].bytes,
			  &e) == 0);
	parts[PART_ID_AUTH].len = IDAUTH_LEN;
}

static void take_parts(const uint8_t *head)
{
	uint8_t report[SNP_REPORT_LEN], block[IDBLOCK_LEN];

	for (size_t i = 0; i < PARTS; i++)
		parts[i].len = 0, parts[i].changed = false;
	snp_edited_make(&ev, (enum snp_product)(1 + head[0] % 3),
			head[0] & 4 ? SNP_KEY_VLEK : SNP_KEY_VCEK, head[0] >> 3,
			head[1] & FORM_ID_BLOCK, head[1] & FORM_AUTHOR);
	snp_report_write(&ev.forge.report, report);
	edited_take(&parts[PART_REPORT], report, SNP_REPORT_SIGNED_LEN);
	resign_open(ev.leaf, &parts[PART_LEAF]);
	resign_open(ev.ca, &parts[PART_CA]);
	resign_open(ev.ark, &parts[PART_ARK]);
	edited_take(&parts[PART_POLICY], ev.policy_bytes, sizeof(ev.policy_bytes));
	idblock_write(&ev.block, block);
	edited_take(&parts[PART_ID_BLOCK], block, sizeof(block));
}

static void give_certs(const uint8_t *head, struct made *m, struct snp_input *in)
{
	struct span certs[] = { { m->leaf.bytes, m->leaf.len },
				{ m->ca.bytes, m->ca.len },
				{ m->ark.bytes, m->ark.len } };
	struct span list = { m->lists[0].bytes, head[2] & LIST_IN_TABLE ? m->lists[0].len : 0 };

	m->table = writer_up_to(EDITED_ROOM);
	if (head[1] & FORM_TABLE || list.len)
		snp_edited_table(&ev, head[1] & FORM_TABLE ? certs : NULL, list, &m->table);
	edited_take(&parts[PART_TABLE], m->table.bytes, m->table.len);
	edit_all(ev.edits, parts, PARTS, PART_TABLE, PARTS);
	in->cert_table = edited_span(&parts[PART_TABLE]);
	if (!(head[1] & FORM_TABLE)) {
		in->vek = certs[0];
		in->intermediate = certs[1];
		in->ark = certs[2];
	}
	/* PEM is as good as DER. */
	if (head[0] & 0x80 && in->vek.len) {
		m->table.len = 0;
		resign_pem(in->vek, &m->table);
		in->vek = (struct span){ m->table.bytes, m->table.len };
	}
	if (!(head[1] & FORM_NO_ROOT))
		in->trusted_root = ev.ark;
	in->need_vcek = head[1] & FORM_NEED_VCEK;
	in->need_vlek = head[1] & FORM_NEED_VLEK;
	for (size_t i = 0; i < 2; i++)
		if (m->lists[i].len && (i || head[2] & LIST_OF_ARK))
			in->crls[in->crl_count++] =
				(struct span){ m->lists[i].bytes, m->lists[i].len };
	in->require_crl = head[2] & LIST_DEMANDED;
	in->crl_max_age = head[2] & LIST_YOUNG ? 8 : 0;
}

static void give_report(const uint8_t *head, struct made *m, struct snp_input *in)
{
	static struct edited raw;

	in->report = edited_span(&parts[PART_SIGNED]);
	if (!(head[1] & FORM_RAW))
		return;
	edited_take(&raw, in->report.bytes, in->report.len);
	if (raw.len + in->cert_table.len <= sizeof(raw.bytes)) {
		if (in->cert_table.len)
			memcpy(raw.bytes + raw.len, in->cert_table.bytes, in->cert_table.len);
		raw.len += in->cert_table.len;
	}
	snp_parsed_of_raw(edited_span(&raw), &m->parsed);
	in->parsed = &m->parsed;
}

static bool is_good(const void *found, const void *good, size_t len)
{
	return memcmp(found, good, len) == 0;
}

/* Nobody's yes: a stranger signed, it is over, or nothing says what is right. */
static bool never(const uint8_t *head)
{
	bool changed = parts[PART_LEAF].changed || parts[PART_CA].changed ||
		       parts[PART_ARK].changed || parts[PART_LIST].changed;
	bool revoked = head[2] & LIST_REVOKES && head[2] & (LIST_OF_ARK | LIST_OF_CA);
	uint8_t full = head[1] & FORM_GENUINE ? 0 : NO_POLICY;

	return (head[3] & (STRANGER_REPORT | STRANGER_LEAF | STRANGER_CA | STRANGER_ARK |
			   NO_REPORT_DATA | full)) ||
	       (!changed && (revoked || head[3] & MOMENT_LATER)) || head[1] & FORM_NO_ROOT ||
	       head[2] & LIST_SKEW || (head[2] & LIST_DEMANDED && !(head[2] & LIST_OF_ARK)) ||
	       (head[3] & STRANGER_LIST && head[2] & (LIST_OF_ARK | LIST_OF_CA));
}

static void check_yes(const uint8_t *head, const struct snp_result *result)
{
	const struct snp_report *r = &result->report, *good = &ev.forge.report;
	bool chip = parts[PART_LEAF].changed; /* its extensions name chip and TCB */

	MUST(!never(head));
	MUST(is_good(parts[PART_SIGNED].bytes, parts[PART_REPORT].bytes, parts[PART_REPORT].len));
	MUST(is_good(r->report_data, good->report_data, SNP_REPORT_DATA_LEN));
	MUST(chip || is_good(r->reported_tcb, good->reported_tcb, SNP_TCB_LEN));
	MUST(chip || snp_report_signing_key(good) == SNP_KEY_VLEK ||
	     is_good(r->chip_id, good->chip_id, SNP_CHIP_ID_LEN));
	MUST(!(r->flags & SNP_FLAG_MASK_CHIP_KEY));
	if (head[1] & FORM_GENUINE)
		return;
	MUST(!(r->policy & SNP_POLICY_DEBUG));
	MUST(is_good(r->measurement, good->measurement, SNP_DIGEST_LEN));
	if (parts[PART_POLICY].changed)
		return;
	MUST(is_good(r->host_data, good->host_data, SNP_HOST_DATA_LEN));
	MUST(is_good(r->id_key_digest, good->id_key_digest, SNP_DIGEST_LEN));
	MUST(is_good(r->author_key_digest, good->author_key_digest, SNP_DIGEST_LEN));
	MUST(is_good(r->family_id, good->family_id, SNP_ID_LEN));
	MUST(is_good(r->image_id, good->image_id, SNP_ID_LEN));
	MUST(is_good(r->report_id_ma, good->report_id_ma, SNP_REPORT_ID_LEN));
	MUST(r->vmpl == good->vmpl && r->platform_info & SNP_PLATFORM_ALIAS_CHECK_COMPLETE);
	MUST(!(r->policy & (SNP_POLICY_SMT | SNP_POLICY_MIGRATE_MA | SNP_POLICY_CXL_ALLOW)));
	MUST(is_good(r->current_tcb, r->committed_tcb, SNP_TCB_LEN)); /* nothing provisional */
}

/* What nobody touched, in a form that is fine, is a yes. */
static void check_no(const uint8_t *head, size_t len, const struct verdict *v)
{
	if (len > EDITS_HEAD || (head[1] & ~(FORM_TABLE | FORM_RAW)) || head[2] || head[3])
		return;
	fprintf(stderr, "%s\n", verdict_reason(v).text);
	abort();
}

static void made_done(struct made *m)
{
	writer_done(&m->leaf);
	writer_done(&m->ca);
	writer_done(&m->ark);
	writer_done(&m->lists[0]);
	writer_done(&m->lists[1]);
	writer_done(&m->table);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct verdict v;
	static struct made m;
	struct snp_input in = { .at = FORGE_AT };
	struct snp_policy policy;
	struct snp_result result;

	if (len < EDITS_HEAD)
		return 0;
	take_parts(bytes);
	ev.edits = reader_over(bytes + EDITS_HEAD, len - EDITS_HEAD);
	edit_all(ev.edits, parts, PARTS, 0, PART_LIST);
	edit_all(ev.edits, parts, PARTS, PART_POLICY, PART_ID_AUTH);
	snp_edited_policy(&ev, edited_span(&parts[PART_POLICY]), &policy);
	sign_report(bytes[3]);
	sign_id_block(bytes[1]);
	sign_certs(bytes[3], &m);
	make_lists(bytes[2], bytes[3], &m);
	edit_all(ev.edits, parts, PARTS, PART_ID_AUTH, PART_TABLE);
	give_certs(bytes, &m, &in);
	give_report(bytes, &m, &in);
	if (bytes[1] & FORM_ID_BLOCK) {
		in.id_block = edited_span(&parts[PART_ID_BLOCK]);
		if (!(bytes[2] & LIST_HALF))
			in.id_auth = edited_span(&parts[PART_ID_AUTH]);
	}
	in.at += bytes[3] & MOMENT_LATER ? INT64_C(2) * 365 * 86400 : 0;
	in.skew = bytes[2] & LIST_SKEW ? SNP_SKEW_MAX + 1 : 0;
	in.report_data = bytes[3] & NO_REPORT_DATA ? NULL : ev.forge.report_data;
	in.policy = bytes[3] & NO_POLICY ? NULL : &policy;
	verdict_init(&v, bytes[1] & FORM_GENUINE ? VERDICT_SCOPE_GENUINE_ONLY : VERDICT_SCOPE_FULL);
	snp_appraise(&in, &result, &v);
	if (verdict_ok(&v))
		check_yes(bytes, &result);
	else
		check_no(bytes, len, &v);
	made_done(&m);
	return 0;
}
