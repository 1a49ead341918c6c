/* SPDX-License-Identifier: Apache-2.0 */
/* sevsnp.Attestation: a report taken apart, put together again, byte for byte. */
#include "attestation/envelope/tpm_attestation.h"
#include "attestation/formats/pb.h"
#include "attestation/snp/snp_cert_table.h"
#include "common/base/bytes.h"
#include "common/base/cleanup.h"
#include "common/base/writer.h"

#include <string.h>

/* Numbers of sevsnp.proto. */
enum {
	ATTESTATION_REPORT = 1,
	ATTESTATION_CHAIN = 2,
	CHAIN_VCEK = 1,
	CHAIN_ASK = 2,
	CHAIN_ARK = 3,
	CHAIN_VLEK = 6,
	REPORT_CPUID1_EAX = 29,
	CPUID_AT = 0x188, /* family, model, stepping: a byte each */
	CPUID_MASK = 0x0fff0fff,
};

/* Where each field lies in the report (AMD 56860, table 23); numbers are little-endian there. */
static const struct field {
	uint32_t number;
	enum pb_type type;
	uint16_t offset, len;
} fields[] = {
	{ 1, PB_VARINT, 0x000, 4 },   /* version */
	{ 2, PB_VARINT, 0x004, 4 },   /* guest_svn */
	{ 3, PB_VARINT, 0x008, 8 },   /* policy */
	{ 4, PB_BYTES, 0x010, 16 },   /* family_id */
	{ 5, PB_BYTES, 0x020, 16 },   /* image_id */
	{ 6, PB_VARINT, 0x030, 4 },   /* vmpl */
	{ 7, PB_VARINT, 0x034, 4 },   /* signature_algo */
	{ 8, PB_VARINT, 0x038, 8 },   /* current_tcb */
	{ 9, PB_VARINT, 0x040, 8 },   /* platform_info */
	{ 10, PB_VARINT, 0x048, 4 },  /* signer_info */
	{ 11, PB_BYTES, 0x050, 64 },  /* report_data */
	{ 12, PB_BYTES, 0x090, 48 },  /* measurement */
	{ 13, PB_BYTES, 0x0c0, 32 },  /* host_data */
	{ 14, PB_BYTES, 0x0e0, 48 },  /* id_key_digest */
	{ 15, PB_BYTES, 0x110, 48 },  /* author_key_digest */
	{ 16, PB_BYTES, 0x140, 32 },  /* report_id */
	{ 17, PB_BYTES, 0x160, 32 },  /* report_id_ma */
	{ 18, PB_VARINT, 0x180, 8 },  /* reported_tcb */
	{ 19, PB_BYTES, 0x1a0, 64 },  /* chip_id */
	{ 20, PB_VARINT, 0x1e0, 8 },  /* committed_tcb */
	{ 21, PB_VARINT, 0x1e8, 1 },  /* current_build */
	{ 22, PB_VARINT, 0x1e9, 1 },  /* current_minor */
	{ 23, PB_VARINT, 0x1ea, 1 },  /* current_major */
	{ 24, PB_VARINT, 0x1ec, 1 },  /* committed_build */
	{ 25, PB_VARINT, 0x1ed, 1 },  /* committed_minor */
	{ 26, PB_VARINT, 0x1ee, 1 },  /* committed_major */
	{ 27, PB_VARINT, 0x1f0, 8 },  /* launch_tcb */
	{ 28, PB_BYTES, 0x2a0, 512 }, /* signature */
	{ 30, PB_VARINT, 0x1f8, 8 },  /* launch_mit_vector */
	{ 31, PB_VARINT, 0x200, 8 },  /* current_mit_vector */
};

static const struct field *field_of(uint32_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].number == number)
			return &fields[i];
	return NULL;
}

static int number_put(const struct field *field, uint64_t value, uint8_t *report, struct err *e)
{
	if (field->len < 8 && value >> (8 * field->len))
		return err_set(e, ERR_INVALID, "field %u is over its %u bytes", field->number,
			       field->len);
	bytes_put_le(report + field->offset, value, field->len);
	return 0;
}

/* CPUID(1).EAX to the three bytes of the report: family and model with their extensions. */
static int cpuid_put(uint64_t eax, uint8_t *report, struct err *e)
{
	unsigned family = (eax >> 8) & 0xf, extended = (eax >> 20) & 0xff;

	if ((eax & ~(uint64_t)CPUID_MASK) || (extended && family != 0xf) ||
	    family + extended > UINT8_MAX)
		return err_set(e, ERR_INVALID, "cpuid1eax_fms 0x%llx", (unsigned long long)eax);
	report[CPUID_AT] = (uint8_t)(family + extended);
	report[CPUID_AT + 1] = (uint8_t)(((eax >> 12) & 0xf0) | ((eax >> 4) & 0xf));
	report[CPUID_AT + 2] = (uint8_t)(eax & 0xf);
	return 0;
}

static int report_field(const struct pb_field *f, uint32_t *seen, uint8_t *report, struct err *e)
{
	const struct field *field = field_of(f->number);

	if (f->number == REPORT_CPUID1_EAX)
		return pb_once(f, PB_VARINT, seen, e) < 0 ? err_code(e)
							  : cpuid_put(f->value, report, e);
	if (!field)
		return 0;
	if (pb_once(f, field->type, seen, e) < 0)
		return err_code(e);
	if (field->type == PB_VARINT)
		return number_put(field, f->value, report, e);
	if (f->bytes.len != field->len)
		return err_set(e, ERR_INVALID, "field %u has %zu bytes, wanted %u", f->number,
			       f->bytes.len, field->len);
	memcpy(report + field->offset, f->bytes.bytes, field->len);
	return 0;
}

static int report_parse(struct span bytes, uint8_t *report, struct err *e)
{
	struct reader r = span_reader(bytes);
	struct pb_field f;
	uint32_t seen = 0;

	while (pb_next(&r, &f))
		if (report_field(&f, &seen, report, e) < 0)
			return err_wrap(e, "report");
	if (!reader_ok(&r))
		return err_set(e, ERR_INVALID, "report: cut, or no protobuf");
	/* A number that is zero is left out, bytes never are. */
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].type == PB_BYTES && !(seen & (UINT32_C(1) << fields[i].number)))
			return err_set(e, ERR_INVALID, "report: field %u is missing",
				       fields[i].number);
	return 0;
}

static int chain_parse(struct span bytes, struct sevsnp_attestation *a, struct err *e)
{
	struct reader r = span_reader(bytes);
	struct pb_field f;
	uint32_t seen = 0;

	while (pb_next(&r, &f)) {
		struct span *cert = f.number == CHAIN_VCEK   ? &a->vcek
				    : f.number == CHAIN_ASK  ? &a->ask
				    : f.number == CHAIN_ARK  ? &a->ark
				    : f.number == CHAIN_VLEK ? &a->vlek
							     : NULL;

		if (!cert)
			continue;
		if (pb_once(&f, PB_BYTES, &seen, e) < 0)
			return err_wrap(e, "certificate_chain");
		*cert = f.bytes;
	}
	return reader_ok(&r) ? 0
			     : err_set(e, ERR_INVALID, "certificate_chain: cut, or no protobuf");
}

static int attestation_read(struct span bytes, struct sevsnp_attestation *a, struct err *e)
{
	struct reader r = span_reader(bytes);
	struct pb_field f;
	uint32_t seen = 0;

	while (pb_next(&r, &f)) {
		if (f.number != ATTESTATION_REPORT && f.number != ATTESTATION_CHAIN)
			continue;
		if (pb_once(&f, PB_BYTES, &seen, e) < 0)
			return err_code(e);
		if ((f.number == ATTESTATION_REPORT ? report_parse(f.bytes, a->report, e)
						    : chain_parse(f.bytes, a, e)) < 0)
			return err_code(e);
	}
	if (!reader_ok(&r))
		return err_set(e, ERR_INVALID, "cut, or no protobuf");
	if (!(seen & (1 << ATTESTATION_REPORT)))
		return err_set(e, ERR_INVALID, "no report");
	return 0;
}

int sevsnp_attestation_parse(struct span bytes, struct sevsnp_attestation *a, struct err *e)
{
	memset(a, 0, sizeof(*a));
	if (attestation_read(bytes, a, e) < 0)
		return err_wrap(e, "sevsnp.Attestation");
	return 0;
}

/* ---- making one ---- */

static uint64_t number_at(const struct field *field, const uint8_t *report)
{
	return bytes_le(report + field->offset, field->len);
}

/* The report's three bytes as CPUID(1).EAX has them; all zero in reports that lack them. */
static uint64_t cpuid_at(const uint8_t *report)
{
	unsigned family = report[CPUID_AT], model = report[CPUID_AT + 1];
	unsigned base = family < 0xf ? family : 0xf;

	return (uint64_t)(family - base) << 20 | (uint64_t)(model >> 4) << 16 | base << 8 |
	       (model & 0xf) << 4 | (report[CPUID_AT + 2] & 0xf);
}

/* A number that is zero is left out. */
static void report_write(const uint8_t *report, struct writer *w)
{
	uint64_t cpuid = cpuid_at(report);

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const struct field *field = &fields[i];

		if (field->type == PB_BYTES)
			pb_put_bytes(w, field->number, report + field->offset, field->len);
		else if (number_at(field, report))
			pb_put_number(w, field->number, number_at(field, report));
	}
	if (cpuid)
		pb_put_number(w, REPORT_CPUID1_EAX, cpuid);
}

static void chain_write(const struct snp_cert_table *table, struct writer *w)
{
	const struct {
		uint32_t number;
		struct span cert;
	} certs[] = { { CHAIN_VCEK, table->vcek },
		      { CHAIN_ASK, table->ask },
		      { CHAIN_ARK, table->ark },
		      { CHAIN_VLEK, table->vlek } };

	for (size_t i = 0; i < ARRAY_LEN(certs); i++)
		if (certs[i].cert.len)
			pb_put_bytes(w, certs[i].number, certs[i].cert.bytes, certs[i].cert.len);
}

int sevsnp_attestation_write(struct span report, struct span table, struct writer *out,
			     struct err *e)
{
	CLEANUP_WRITER struct writer taken = writer_up_to(2 * SNP_REPORT_LEN);
	CLEANUP_WRITER struct writer chain = writer_up_to(SNP_CERT_TABLE_MAX);
	struct sevsnp_attestation again;
	struct snp_cert_table certs = { 0 };

	if (report.len != SNP_REPORT_LEN)
		return err_set(e, ERR_INVALID, "a report of %zu bytes", report.len);
	if (table.len && snp_cert_table_parse(table, &certs, e) < 0)
		return err_code(e);
	report_write(report.bytes, &taken);
	chain_write(&certs, &chain);
	pb_put_bytes(out, ATTESTATION_REPORT, taken.bytes, taken.len);
	if (chain.len)
		pb_put_bytes(out, ATTESTATION_CHAIN, chain.bytes, chain.len);
	out->bad |= taken.bad | chain.bad;
	if (writer_check(out, "sevsnp.Attestation", e) < 0 ||
	    sevsnp_attestation_parse((struct span){ out->bytes, out->len }, &again, e) < 0)
		return err_code(e);
	if (memcmp(again.report, report.bytes, SNP_REPORT_LEN) != 0)
		return err_set(e, ERR_INTERNAL, "a report that can't be put together again");
	return 0;
}
