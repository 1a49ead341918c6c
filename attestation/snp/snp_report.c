/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/snp/snp_report.h"

#include "common/base/bytes.h"
#include "common/base/cleanup.h"
#include "common/base/reader.h"

#include <string.h>

#define FIELD_ROW(type_, member_, spec_, offset_, len_, since_) \
	{ .member = #member_,                                   \
	  .spec = spec_,                                        \
	  .type = SNP_##type_,                                  \
	  .offset = offset_,                                    \
	  .len = len_,                                          \
	  .at = offsetof(struct snp_report, member_),           \
	  .since = since_ },

const struct snp_field snp_report_fields[] = { SNP_REPORT_FIELDS(FIELD_ROW) };
const size_t snp_report_field_count = ARRAY_LEN(snp_report_fields);

/* The order of P-384's group (FIPS 186-4, D.1.2.4), little-endian as the report has it. */
static const uint8_t p384_order[SNP_SIGNATURE_PART_LEN] = {
	0x73, 0x29, 0xc5, 0xcc, 0x6a, 0x19, 0xec, 0xec, 0x7a, 0xa7, 0xb0, 0x48,
	0xb2, 0x0d, 0x1a, 0x58, 0xdf, 0x2d, 0x37, 0xf4, 0x81, 0x4d, 0x63, 0xc7,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
};

enum { VERSION_TCB_ONLY = 2, VERSION_CPUID = 3, VERSION_MITIGATION = 5, VMPL_MAX = 3 };

enum snp_signing_key snp_report_signing_key(const struct snp_report *report)
{
	return (report->flags & SNP_FLAG_SIGNING_KEY_MASK) >> SNP_FLAG_SIGNING_KEY_SHIFT;
}

bool snp_report_author_key_en(const struct snp_report *report)
{
	return report->flags & SNP_FLAG_AUTHOR_KEY_EN;
}

bool snp_report_mask_chip_key(const struct snp_report *report)
{
	return report->flags & SNP_FLAG_MASK_CHIP_KEY;
}

/* 1 <= part < n, both little-endian. */
static bool in_group(const uint8_t part[SNP_SIGNATURE_PART_LEN])
{
	size_t i = SNP_SIGNATURE_PART_LEN;

	while (i > 0 && part[i - 1] == p384_order[i - 1])
		i--;
	return i > 0 && part[i - 1] < p384_order[i - 1] &&
	       !bytes_are(part, SNP_SIGNATURE_PART_LEN, 0);
}

bool snp_report_signature_in_range(const struct snp_report *report)
{
	return in_group(report->signature_r) && in_group(report->signature_s);
}

static void read_field(const struct snp_field *field, struct reader *r, struct snp_report *out)
{
	void *to = (uint8_t *)out + field->at;

	if (field->type == SNP_U64)
		*(uint64_t *)to = reader_le64(r);
	else if (field->type == SNP_U32)
		*(uint32_t *)to = reader_le32(r);
	else
		reader_copy(r, to, field->len);
}

/* Everything by the table. What it leaves out, and what the version has not, has to be zero. */
static int read_fields(const uint8_t *bytes, uint32_t version, struct snp_report *out,
		       struct err *e)
{
	struct reader r = reader_over(bytes, SNP_REPORT_LEN);
	const struct snp_field *field;
	size_t at = 0;

	for (size_t i = 0; i < snp_report_field_count; i++, at = field->offset + field->len) {
		field = &snp_report_fields[i];
		reader_zeros(&r, field->offset - at);
		if (field->since > version)
			reader_zeros(&r, field->len);
		else
			read_field(field, &r, out);
		if (!reader_ok(&r))
			return err_set(e, ERR_INVALID,
				       "SNP report: reserved bytes before or in %s (0x%03zx) are "
				       "not zero",
				       field->spec, field->offset);
	}
	reader_zeros(&r, SNP_REPORT_LEN - at);
	if (!reader_done(&r))
		return err_set(e, ERR_INVALID,
			       "SNP report: reserved bytes behind the signature are not zero");
	return 0;
}

static int check_values(const struct snp_report *r, struct err *e)
{
	uint32_t flags_known =
		SNP_FLAG_AUTHOR_KEY_EN | SNP_FLAG_MASK_CHIP_KEY | SNP_FLAG_SIGNING_KEY_MASK;
	enum snp_signing_key key = snp_report_signing_key(r);

	if (!(r->policy & SNP_POLICY_RESERVED_ONE) || (r->policy & SNP_POLICY_RESERVED_ZERO))
		return err_set(e, ERR_INVALID,
			       "SNP report: POLICY 0x%016llx: bit 17 has to be one, 26 to 63 zero",
			       (unsigned long long)r->policy);
	if (r->vmpl > VMPL_MAX)
		return err_set(e, ERR_INVALID, "SNP report: VMPL %u; wanted 0 to 3", r->vmpl);
	if (r->signature_algo != 1)
		return err_set(e, ERR_INVALID,
			       "SNP report: SIGNATURE_ALGO %u; wanted 1 (ECDSA P-384, SHA-384)",
			       r->signature_algo);
	if (r->flags & ~flags_known)
		return err_set(e, ERR_INVALID, "SNP report: reserved flags 0x%08x", r->flags);
	if (key != SNP_KEY_VCEK && key != SNP_KEY_VLEK && key != SNP_KEY_NONE)
		return err_set(e, ERR_INVALID, "SNP report: SIGNING_KEY %d is reserved", key);
	return 0;
}

int snp_report_parse(const void *bytes, size_t len, struct snp_report *report, struct err *e)
{
	struct reader r = reader_over(bytes, len);
	uint32_t version = reader_le32(&r);
	struct snp_report out = { 0 };

	if (len != SNP_REPORT_LEN)
		return err_set(e, ERR_INVALID, "SNP report: %zu bytes; wanted %d", len,
			       SNP_REPORT_LEN);
	if (version != VERSION_TCB_ONLY && version != VERSION_CPUID &&
	    version != VERSION_MITIGATION)
		return err_set(e, ERR_INVALID, "SNP report: version %u; known are 2, 3 and 5",
			       version);
	if (read_fields(bytes, version, &out, e) < 0 || check_values(&out, e) < 0)
		return err_code(e);
	*report = out;
	return 0;
}

void snp_report_write(const struct snp_report *report, uint8_t bytes[SNP_REPORT_LEN])
{
	memset(bytes, 0, SNP_REPORT_LEN);
	for (size_t i = 0; i < snp_report_field_count; i++) {
		const struct snp_field *field = &snp_report_fields[i];
		const uint8_t *from = (const uint8_t *)report + field->at;
		uint64_t number = 0;

		if (field->type == SNP_U64)
			memcpy(&number, from, sizeof(number));
		else if (field->type == SNP_U32)
			number = *(const uint32_t *)(const void *)from;
		for (size_t n = 0; n < field->len; n++)
			bytes[field->offset + n] =
				(uint8_t)(field->type == SNP_U64 || field->type == SNP_U32
						  ? number >> (8 * n)
						  : from[n]);
	}
}
