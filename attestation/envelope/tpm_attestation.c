/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/envelope/tpm_attestation.h"

#include "attestation/formats/pb.h"

#include <string.h>

/* Numbers of attest.proto. */
enum {
	ATTEST_AK_PUB = 1,
	ATTEST_QUOTES = 2,
	ATTEST_EVENT_LOG = 3,
	ATTEST_AK_CERT = 6,
	ATTEST_INTERMEDIATES = 7,
	ATTEST_SEV_SNP = 8,
	ATTEST_TDX = 9,
	QUOTE_QUOTE = 1,
	QUOTE_SIGNATURE = 2,
	QUOTE_PCRS = 3,
	PCRS_HASH = 1,
	PCRS_VALUES = 2,
	ENTRY_KEY = 1,
	ENTRY_VALUE = 2,
};

static int ended(const struct reader *r, const char *what, struct err *e)
{
	return reader_ok(r) ? 0 : err_set(e, ERR_INVALID, "%s: cut, or no protobuf", what);
}

/* One entry of map<uint32, bytes>; a key that is left out is 0. */
static int pcr_parse(struct span bytes, enum digest_kind kind, struct tpm_pcrs *pcrs, struct err *e)
{
	struct reader r = span_reader(bytes);
	struct pb_field f;
	struct span value = { 0 };
	uint64_t index = 0;
	uint32_t seen = 0;

	while (pb_next(&r, &f)) {
		if (f.number > ENTRY_VALUE)
			continue;
		if (f.number == ENTRY_KEY && pb_once(&f, PB_VARINT, &seen, e) == 0)
			index = f.value;
		else if (f.number == ENTRY_VALUE && pb_once(&f, PB_BYTES, &seen, e) == 0)
			value = f.bytes;
		else
			return err_set(e, ERR_INVALID, "pcrs: a malformed entry");
	}
	if (ended(&r, "pcrs", e) < 0)
		return err_code(e);
	if (index >= TPM_PCR_COUNT)
		return err_set(e, ERR_INVALID, "pcrs: PCR %llu", (unsigned long long)index);
	return tpm_pcrs_add(pcrs, kind, (uint32_t)index, value, e);
}

/* The hash may come before or after the values: two passes. */
static int pcrs_parse(struct span bytes, struct tpm_pcrs *pcrs, struct err *e)
{
	struct reader r = span_reader(bytes);
	struct pb_field f;
	enum digest_kind kind = DIGEST_SHA1;
	uint64_t hash = 0;
	uint32_t seen = 0;

	while (pb_next(&r, &f))
		if (f.number == PCRS_HASH) {
			if (pb_once(&f, PB_VARINT, &seen, e) < 0)
				return err_wrap(e, "pcrs");
			hash = f.value;
		}
	if (ended(&r, "pcrs", e) < 0)
		return err_code(e);
	if (hash > UINT16_MAX || !tpm_alg_digest((uint16_t)hash, &kind))
		return err_set(e, ERR_INVALID, "pcrs: unknown hash %llu", (unsigned long long)hash);
	r = span_reader(bytes);
	while (pb_next(&r, &f))
		if (f.number == PCRS_VALUES) {
			if (f.type != PB_BYTES)
				return err_set(e, ERR_INVALID, "pcrs: a malformed entry");
			if (pcr_parse(f.bytes, kind, pcrs, e) < 0)
				return err_code(e);
		}
	return 0;
}

static int quote_parse(struct span bytes, struct tpm_evidence_quote *q, struct err *e)
{
	struct reader r = span_reader(bytes);
	struct pb_field f;
	uint32_t seen = 0;

	while (pb_next(&r, &f)) {
		if (f.number > QUOTE_PCRS)
			continue;
		if (pb_once(&f, PB_BYTES, &seen, e) < 0)
			return err_code(e);
		if (f.number == QUOTE_QUOTE)
			q->quote = f.bytes;
		else if (f.number == QUOTE_SIGNATURE)
			q->signature = f.bytes;
		else if (pcrs_parse(f.bytes, &q->pcrs, e) < 0)
			return err_code(e);
	}
	return ended(&r, "quote", e);
}

static int quotes_add(struct tpm_evidence *a, const struct pb_field *f, struct err *e)
{
	if (f->type != PB_BYTES || a->quote_count == TPM_QUOTES_MAX)
		return err_set(e, ERR_INVALID, "quotes: more than %d, or not a message",
			       TPM_QUOTES_MAX);
	if (quote_parse(f->bytes, &a->quotes[a->quote_count], e) < 0)
		return err_wrap(e, "quotes[%zu]", a->quote_count);
	a->quote_count++;
	return 0;
}

static int intermediates_add(struct tpm_evidence *a, const struct pb_field *f, struct err *e)
{
	if (f->type != PB_BYTES || a->intermediate_count == TPM_INTERMEDIATES_MAX)
		return err_set(e, ERR_INVALID, "intermediate_certs: more than %d, or not bytes",
			       TPM_INTERMEDIATES_MAX);
	a->intermediates[a->intermediate_count++] = f->bytes;
	return 0;
}

/* Where a field that comes once goes, or NULL. */
static struct span *field_of(struct tpm_evidence *a, uint32_t number)
{
	switch (number) {
	case ATTEST_AK_PUB:
		return &a->ak_public;
	case ATTEST_EVENT_LOG:
		return &a->event_log;
	case ATTEST_AK_CERT:
		return &a->ak_cert;
	case ATTEST_SEV_SNP:
		return &a->sev_snp;
	case ATTEST_TDX:
		return &a->tdx;
	default:
		return NULL;
	}
}

static int attestation_read(struct span bytes, struct tpm_evidence *a, struct err *e)
{
	struct reader r = span_reader(bytes);
	struct pb_field f;
	uint32_t seen = 0;

	while (pb_next(&r, &f)) {
		struct span *once = field_of(a, f.number);
		int failed = 0;

		if (once) {
			failed = pb_once(&f, PB_BYTES, &seen, e);
			*once = f.bytes;
		} else if (f.number == ATTEST_QUOTES) {
			failed = quotes_add(a, &f, e);
		} else if (f.number == ATTEST_INTERMEDIATES) {
			failed = intermediates_add(a, &f, e);
		}
		if (failed < 0)
			return failed;
	}
	if (ended(&r, "message", e) < 0)
		return err_code(e);
	if (a->quote_count == 0)
		return err_set(e, ERR_INVALID, "no quote");
	if ((seen & UINT32_C(1) << ATTEST_SEV_SNP) && (seen & UINT32_C(1) << ATTEST_TDX))
		return err_set(e, ERR_INVALID, "reports of two TEEs; there can be only one");
	return 0;
}

int tpm_attestation_parse(struct span bytes, struct tpm_evidence *a, struct err *e)
{
	if (bytes.len > TPM_ATTESTATION_MAX)
		return err_set(e, ERR_INVALID, "attest.Attestation: %zu bytes are more than %d",
			       bytes.len, TPM_ATTESTATION_MAX);
	memset(a, 0, sizeof(*a));
	if (attestation_read(bytes, a, e) < 0)
		return err_wrap(e, "attest.Attestation");
	return 0;
}
