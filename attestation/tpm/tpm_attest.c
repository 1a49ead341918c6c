/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tpm/tpm_attest.h"

enum {
	GENERATED_VALUE = 0xff544347, /* TPM_GENERATED_VALUE: made by a TPM, not from outside */
	ST_ATTEST_QUOTE = 0x8018,
	SELECT_MAX = 4,
	NAME_MAX_LEN = 66, /* TPMT_HA with SHA-512 */
	DATA_MAX_LEN = 66,
};

/* TPMS_PCR_SELECTION: a bitmap of sizeofSelect bytes, PCR 0 in the lowest bit of the first. */
static int selection_parse(struct reader *r, struct tpm_selection *s, struct err *e)
{
	s->alg = reader_be16(r);
	s->pcrs = 0;

	size_t len = reader_u8(r);

	if (!reader_ok(r))
		return err_set(e, ERR_INVALID, "TPMS_ATTEST: cut within the PCR selection");
	if (len < 1 || len > SELECT_MAX)
		return err_set(e, ERR_INVALID, "TPMS_ATTEST: sizeofSelect %zu, wanted 1 to 4", len);
	for (size_t i = 0; i < len; i++)
		s->pcrs |= (uint32_t)reader_u8(r) << (8 * i);
	if (s->pcrs >> TPM_PCR_COUNT)
		return err_set(e, ERR_INVALID, "TPMS_ATTEST: a PCR over 23 is selected");
	return 0;
}

static int selections_parse(struct reader *r, struct tpm_attest *a, struct err *e)
{
	uint32_t count = reader_be32(r), any = 0;

	if (!reader_ok(r) || count < 1 || count > TPM_BANKS_MAX)
		return err_set(e, ERR_INVALID, "TPMS_ATTEST: %u PCR selections, wanted 1 to %d",
			       count, TPM_BANKS_MAX);
	for (uint32_t i = 0; i < count; i++) {
		struct tpm_selection *s = &a->selections[i];

		if (selection_parse(r, s, e) < 0)
			return err_code(e);
		for (uint32_t k = 0; k < i; k++)
			if (a->selections[k].alg == s->alg)
				return err_set(e, ERR_INVALID,
					       "TPMS_ATTEST: bank 0x%04x is selected twice",
					       s->alg);
		any |= s->pcrs;
	}
	if (!any)
		return err_set(e, ERR_INVALID, "TPMS_ATTEST: no PCR is selected");
	a->selection_count = count;
	return 0;
}

static int head_parse(struct reader *r, struct tpm_attest *a, struct err *e)
{
	uint32_t magic = reader_be32(r);
	unsigned type = reader_be16(r);

	if (!reader_ok(r) || magic != GENERATED_VALUE)
		return err_set(e, ERR_INVALID, "TPMS_ATTEST: magic 0x%08x, wanted 0xff544347",
			       magic);
	if (type != ST_ATTEST_QUOTE)
		return err_set(e, ERR_INVALID, "TPMS_ATTEST: type 0x%04x, wanted 0x8018 (quote)",
			       type);
	a->qualified_signer = tpm_sized(r);
	a->extra_data = tpm_sized(r);
	a->clock = reader_be64(r);
	a->reset_count = reader_be32(r);
	a->restart_count = reader_be32(r);

	unsigned safe = reader_u8(r);

	a->safe = safe == 1;
	a->firmware_version = reader_be64(r);
	if (!reader_ok(r) || safe > 1 || a->qualified_signer.len > NAME_MAX_LEN ||
	    a->extra_data.len > DATA_MAX_LEN)
		return err_set(e, ERR_INVALID,
			       "TPMS_ATTEST: cut, or a value out of range, before the selection");
	return 0;
}

int tpm_attest_parse(struct span bytes, struct tpm_attest *attest, struct err *e)
{
	struct tpm_attest a = { .bytes = bytes };
	struct reader r = span_reader(bytes);

	if (bytes.len > TPM_ATTEST_MAX)
		return err_set(e, ERR_INVALID, "TPMS_ATTEST: %zu bytes are more than %d", bytes.len,
			       TPM_ATTEST_MAX);
	if (head_parse(&r, &a, e) < 0 || selections_parse(&r, &a, e) < 0)
		return err_code(e);
	a.pcr_digest = tpm_sized(&r);
	if (!reader_done(&r))
		return err_set(e, ERR_INVALID, "TPMS_ATTEST: %zu bytes do not hold one", bytes.len);
	*attest = a;
	return 0;
}

int tpm_signature_parse(struct span bytes, struct tpm_signature *signature, struct err *e)
{
	struct tpm_signature s = { 0 };
	struct reader r = span_reader(bytes);

	if (bytes.len > TPM_SIGNATURE_MAX)
		return err_set(e, ERR_INVALID, "TPMT_SIGNATURE: %zu bytes are more than %d",
			       bytes.len, TPM_SIGNATURE_MAX);
	s.scheme = reader_be16(&r);
	s.hash = reader_be16(&r);
	if (s.scheme == TPM_ALG_RSASSA || s.scheme == TPM_ALG_RSAPSS) {
		s.rsa = tpm_sized(&r);
	} else if (s.scheme == TPM_ALG_ECDSA) {
		s.r = tpm_sized(&r);
		s.s = tpm_sized(&r);
	} else if (reader_ok(&r)) {
		return err_set(e, ERR_INVALID,
			       "TPMT_SIGNATURE: scheme 0x%04x, wanted RSASSA, RSAPSS or ECDSA",
			       s.scheme);
	}
	if (!reader_done(&r))
		return err_set(e, ERR_INVALID, "TPMT_SIGNATURE: %zu bytes do not hold one",
			       bytes.len);
	*signature = s;
	return 0;
}
