/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole appraisal of a TPM's quote, and whose key signed it: named, certified, its EK's, or bound by
 * a report. The evidence was right, with edits in what is signed; signed again with the same keys, or
 * with a stranger's (edits.h, resign.h). A yes is about what the forge says is honest.
 *
 * Head: the bindings, the form, who signed, the EK; the bits below.
 */
#define EDITS_HEAD 4
#include "common/crypto/key.h"
#include "tests/fuzz/resign.h"
#include "tests/fuzz/tpm_edited.h"

enum binding {
	BY_AREA = 1, /* the AK, named by its public area, its key, or that in PEM */
	BY_KEY = 2,
	BY_PEM = 4,
	BY_CERT = 8,
	BY_EK = 16,
	BY_REPORT = 32,
	BARE = 64, /* no message, one quote */
	GENUINE = 128,
};
enum form {
	NO_LOG = 1,
	LEGACY_LOG = 2,
	DEMAND_LISTS = 4,
	NO_POLICY = 8,
	SHORT_NONCE = 16,
	MOMENT_LATER = 32,
	TWO_QUOTES = 64, /* of one boot, with the same registers */
	PEM_CERTS = 128,
};
enum stranger {
	STRANGER_QUOTE = 1,
	STRANGER_CERT = 2,
	STRANGER_CA = 4,
	CREDENTIAL_OF_ANOTHER = 8,
	CREDENTIAL_UNANSWERED = 16,
	CREDENTIAL_GUESSED = 32,
	STRANGER_REPORT = 64,
	CERT_OF_ANOTHER = 128, /* the EK's in place of the AK's */
};
enum other { EK_KIND = 3, NO_EK_ROOT = 4, NO_CA = 8, NO_CREDENTIAL = 16, CERT_IN_MESSAGE = 32 };
enum part {
	PART_QUOTE,
	PART_AREA,
	PART_PCRS,
	PART_LOG,
	PART_AK_CERT,
	PART_EK_CERT,
	PART_CA,
	PART_POLICY,
	PART_SIGNATURE, /* from here on: after all is signed */
	PART_MESSAGE,
	PARTS,
};

static struct edited parts[PARTS];
static struct tpm_edited tpm;

struct made {
	struct writer certs[TPM_EDITED_CERTS], message, quote, pem;
	struct span offered[1];
	struct credential credential;
	uint8_t report_data[TPM_REPORT_DATA_LEN], bound[TPM_REPORT_DATA_LEN];
	uint8_t *spki;
	char *key_pem;
};

static void take_parts(const uint8_t *head)
{
	const struct writer *const plain[] = { &tpm.parts.quote, &tpm.parts.ak_public };
	struct writer w;

	tpm_edited_make(&tpm, head[3] & EK_KIND);
	for (size_t i = 0; i < 2; i++)
		edited_take(&parts[i], plain[i]->bytes, plain[i]->len);
	tpm_forge_pcrs(&tpm.forge, &w);
	edited_take(&parts[PART_PCRS], w.bytes, w.len);
	writer_done(&w);
	tpm_forge_log(&w, head[1] & LEGACY_LOG);
	edited_take(&parts[PART_LOG], w.bytes, head[1] & NO_LOG ? 0 : w.len);
	writer_done(&w);
	for (size_t i = 0; i < TPM_EDITED_CERTS; i++)
		resign_open((struct span){ tpm.der[i], tpm.der_len[i] }, &parts[PART_AK_CERT + i]);
	edited_take(&parts[PART_POLICY], tpm.policy_bytes, sizeof(tpm.policy_bytes));
}

static void sign_quote(const uint8_t *head)
{
	EVP_PKEY *key = head[2] & STRANGER_QUOTE ? tpm.stranger : tpm.forge.key;
	uint8_t raw[64], out[4 + 2 + 32 + 2 + 32] = { 0, TPM_ALG_ECDSA, 0, TPM_ALG_SHA256 };

	resign_raw(key, EVP_sha256(), edited_span(&parts[PART_QUOTE]), 32, raw);
	out[5] = out[39] = 32;
	memcpy(out + 6, raw, 32);
	memcpy(out + 40, raw + 32, 32);
	edited_take(&parts[PART_SIGNATURE], out, sizeof(out));
}

static void sign_certs(const uint8_t *head, struct made *m)
{
	for (size_t i = 0; i < TPM_EDITED_CERTS; i++) {
		const struct span good = { tpm.der[i], tpm.der_len[i] };
		bool strange = head[2] & (i == TPM_EDITED_CA ? STRANGER_CA : STRANGER_CERT);
		EVP_PKEY *key = i == TPM_EDITED_CA ? tpm.root : tpm.ca;
		static struct edited unused;

		resign_close(&parts[PART_AK_CERT + i], resign_open(good, &unused),
			     strange ? tpm.stranger : key, &m->certs[i]);
	}
	m->offered[0] = tpm_forge_span(&m->certs[TPM_EDITED_CA]);
	if (head[1] & PEM_CERTS) {
		resign_pem(m->offered[0], &m->pem);
		m->offered[0] = tpm_forge_span(&m->pem);
	}
}

static void make_message(const uint8_t *head, struct made *m)
{
	tpm_forge_field(&m->quote, 1, edited_span(&parts[PART_QUOTE]));
	tpm_forge_field(&m->quote, 2, edited_span(&parts[PART_SIGNATURE]));
	tpm_forge_field(&m->quote, 3, edited_span(&parts[PART_PCRS]));
	tpm_forge_field(&m->message, 1, edited_span(&parts[PART_AREA]));
	for (int i = 0; i < (head[1] & TWO_QUOTES ? 2 : 1); i++)
		tpm_forge_field(&m->message, 2, tpm_forge_span(&m->quote));
	if (parts[PART_LOG].len)
		tpm_forge_field(&m->message, 3, edited_span(&parts[PART_LOG]));
	if (head[3] & CERT_IN_MESSAGE) {
		tpm_forge_field(&m->message, 6, tpm_forge_span(&m->certs[TPM_EDITED_AK]));
		tpm_forge_field(&m->message, 7, tpm_forge_span(&m->certs[TPM_EDITED_CA]));
	}
	edited_take(&parts[PART_MESSAGE], m->message.bytes, m->message.len);
}

static void bind_named(const uint8_t *head, struct made *m, struct tpm_binding *b)
{
	struct err e;
	size_t len;

	MUST(key_to_spki(tpm.forge.key, &m->spki, &len, &e) == 0);
	MUST(key_to_public_pem(tpm.forge.key, &m->key_pem, &e) == 0);
	if (head[0] & BY_PEM)
		b->named = (struct span){ (const uint8_t *)m->key_pem, strlen(m->key_pem) };
	if (head[0] & BY_KEY)
		b->named = (struct span){ m->spki, len };
	if (head[0] & BY_AREA)
		b->named = tpm_forge_span(&tpm.parts.ak_public);
}

static void bind_ek(const uint8_t *head, struct made *m, struct tpm_binding *b)
{
	struct err e;
	uint8_t answer[CREDENTIAL_SECRET_LEN];

	m->credential = tpm.credentials[(head[3] & EK_KIND) % TPM_EDITED_EKS]
				       [!!(head[2] & CREDENTIAL_OF_ANOTHER)];
	memcpy(answer, m->credential.secret, sizeof(answer));
	answer[0] ^= !!(head[2] & CREDENTIAL_GUESSED);
	if (!(head[2] & CREDENTIAL_UNANSWERED))
		MUST(credential_answer(&m->credential, answer, sizeof(answer), &e) == 0);
	b->ek_cert = tpm_forge_span(&m->certs[TPM_EDITED_EK]);
	if (!(head[3] & NO_EK_ROOT))
		b->ek_root = (struct span){ tpm.root_der, tpm.root_len };
	if (!(head[3] & NO_CREDENTIAL))
		b->activated = &m->credential;
}

static void bind_all(const uint8_t *head, struct made *m, struct tpm_binding *b)
{
	struct err e;

	bind_named(head, m, b);
	if (!(head[3] & (NO_CA | CERT_IN_MESSAGE))) {
		b->intermediates = m->offered;
		b->intermediate_count = 1;
	}
	if (head[0] & BY_CERT) {
		b->root = (struct span){ tpm.root_der, tpm.root_len };
		if (!(head[3] & CERT_IN_MESSAGE))
			b->cert = tpm_forge_span(
				&m->certs[head[2] & CERT_OF_ANOTHER ? TPM_EDITED_EK
								    : TPM_EDITED_AK]);
	}
	if (head[0] & BY_EK)
		bind_ek(head, m, b);
	if (!(head[0] & BY_REPORT))
		return;
	memset(m->report_data, 0x5e, sizeof(m->report_data));
	MUST(tpm_report_data(m->report_data, tpm_forge_span(&tpm.parts.ak_public), m->bound, &e) ==
	     0);
	m->bound[0] ^= !!(head[2] & STRANGER_REPORT);
	b->report_data = m->report_data;
	b->tee_report_data = m->bound;
}

/* Nobody's yes. */
static bool never(const uint8_t *head)
{
	const struct edited *ca = &parts[PART_CA], *ek = &parts[PART_EK_CERT];
	bool later = head[1] & MOMENT_LATER;
	uint8_t bindings = BY_AREA | BY_KEY | BY_PEM | BY_CERT | BY_EK | BY_REPORT;

	if (!(head[0] & bindings) || (head[2] & STRANGER_QUOTE) || head[1] & SHORT_NONCE ||
	    (head[1] & NO_POLICY && !(head[0] & GENUINE)) ||
	    (head[1] & TWO_QUOTES && !(head[0] & BARE) && !parts[PART_MESSAGE].changed))
		return true;
	if (head[0] & (BY_CERT | BY_EK) &&
	    (head[1] & DEMAND_LISTS ||
	     (later && !ca->changed && !ek->changed && !parts[PART_AK_CERT].changed) ||
	     head[2] & (STRANGER_CERT | STRANGER_CA)))
		return true;
	if (head[0] & BY_CERT && head[2] & CERT_OF_ANOTHER && !(head[3] & CERT_IN_MESSAGE))
		return true;
	if (head[0] & BY_EK &&
	    (head[2] & (CREDENTIAL_OF_ANOTHER | CREDENTIAL_UNANSWERED | CREDENTIAL_GUESSED) ||
	     head[3] & (NO_EK_ROOT | NO_CREDENTIAL)))
		return true;
	return head[0] & BY_REPORT && head[2] & STRANGER_REPORT;
}

static void check_yes(const uint8_t *head, const struct tpm_result *result)
{
	struct tpm_attest attest;
	struct err e;

	MUST(!never(head));
	MUST(result->has_ak);
	if (parts[PART_MESSAGE].changed)
		return;
	MUST(tpm_attest_parse(edited_span(&parts[PART_QUOTE]), &attest, &e) == 0);
	MUST(span_equal(attest.extra_data, (struct span){ tpm.forge.nonce, FORGE_TPM_NONCE_LEN }));
	/* Whoever names the area has said what its attributes are. */
	MUST(!(head[0] & (BY_AREA | BY_EK | BY_REPORT)) ||
	     span_equal(edited_span(&parts[PART_AREA]), tpm_forge_span(&tpm.parts.ak_public)));
}

static void check_no(const uint8_t *head, size_t len, const struct verdict *v)
{
	uint8_t fine = BY_AREA | BY_KEY | BY_PEM | BY_CERT | BY_EK | BY_REPORT | GENUINE;

	if (len > EDITS_HEAD || !head[0] || (head[0] & ~fine) || head[0] == GENUINE ||
	    (head[1] & ~(NO_LOG | PEM_CERTS)) || head[2] || head[3] & ~(EK_KIND | CERT_IN_MESSAGE))
		return;
	fprintf(stderr, "%s\n", verdict_reason(v).text);
	abort();
}

static void give(const uint8_t *head, struct made *m, struct tpm_input *in)
{
	static struct tpm_evidence evidence;
	static struct err why;

	in->nonce =
		(struct span){ tpm.forge.nonce, head[1] & SHORT_NONCE ? 8 : FORGE_TPM_NONCE_LEN };
	in->at = FORGE_AT + (head[1] & MOMENT_LATER ? INT64_C(3) * 86400 : 0);
	in->require_crl = head[1] & DEMAND_LISTS;
	if (head[0] & BARE) {
		in->quote = edited_span(&parts[PART_QUOTE]);
		in->signature = edited_span(&parts[PART_SIGNATURE]);
		in->ak_public = edited_span(&parts[PART_AREA]);
		in->pcrs = &tpm.forge.pcrs;
		in->event_log = edited_span(&parts[PART_LOG]);
	} else if (tpm_attestation_parse(edited_span(&parts[PART_MESSAGE]), &evidence, &why) < 0) {
		in->unreadable = &why;
	} else {
		in->evidence = &evidence;
	}
	bind_all(head, m, &in->binding);
}

static void edit_parts(const uint8_t *bytes, size_t len, uint8_t from, uint8_t to)
{
	edit_all(reader_over(bytes + EDITS_HEAD, len - EDITS_HEAD), parts, PARTS, from, to);
}

static void made_done(struct made *m)
{
	for (size_t i = 0; i < TPM_EDITED_CERTS; i++)
		writer_done(&m->certs[i]);
	writer_done(&m->message);
	writer_done(&m->quote);
	writer_done(&m->pem);
	free(m->spki);
	free(m->key_pem);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct verdict v;
	struct tpm_result result = { 0 };
	struct tpm_policy policy;
	struct tpm_input in = { 0 };
	struct made m = { .message = writer_up_to(EDITED_ROOM) };

	if (len < EDITS_HEAD)
		return 0;
	m.quote = m.pem = writer_up_to(EDITED_ROOM);
	for (size_t i = 0; i < TPM_EDITED_CERTS; i++)
		m.certs[i] = writer_up_to(RESIGN_DER_MAX);
	take_parts(bytes);
	edit_parts(bytes, len, 0, PART_SIGNATURE);
	tpm_edited_policy(&tpm, edited_span(&parts[PART_POLICY]), &policy);
	sign_quote(bytes);
	edit_parts(bytes, len, PART_SIGNATURE, PART_MESSAGE);
	sign_certs(bytes, &m);
	make_message(bytes, &m);
	edit_parts(bytes, len, PART_MESSAGE, PARTS);
	give(bytes, &m, &in);
	in.policy = bytes[1] & NO_POLICY ? NULL : &policy;
	verdict_init(&v, bytes[0] & GENUINE ? VERDICT_SCOPE_GENUINE_ONLY : VERDICT_SCOPE_FULL);
	tpm_appraise(&in, &result, &v);
	if (verdict_ok(&v))
		check_yes(bytes, &result);
	else
		check_no(bytes, len, &v);
	made_done(&m);
	return 0;
}
