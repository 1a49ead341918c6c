/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/measure/igvm.h"

#include "attestation/measure/igvm_directive.h"
#include "common/base/cleanup.h"
#include "common/base/reader.h"

#include <stdlib.h>
#include <string.h>

enum {
	HEADER_V1 = 24,
	HEADER_V2 = 32,
	CHECKSUM_AT = 20,
	PLATFORM_VERSION = 1,
};

#define MAGIC UINT32_C(0x4d564749) /* "IGVM" */

/* The next variable header: type, a reader over its contents, and zeros up to the next multiple of
 * eight stepped over. */
static bool next_header(struct reader *headers, uint32_t *type, uint32_t *len, struct reader *body)
{
	*type = reader_le32(headers);
	*len = reader_le32(headers);
	*body = reader_sub(headers, *len);
	reader_zeros(headers, (8 - *len % 8) % 8);
	return reader_ok(headers);
}

/* IGVM_VHS_SUPPORTED_PLATFORM */
static int read_platform(struct igvm *igvm, struct reader *r, struct err *e)
{
	uint32_t mask = reader_le32(r);
	uint8_t vtl = reader_u8(r), type = reader_u8(r);
	uint16_t version = reader_le16(r);
	uint64_t boundary = reader_le64(r);

	if (!reader_done(r) || type > IGVM_SEV_ES)
		return err_set(e, ERR_INVALID, "platform: type %u", type);
	if (mask == 0 || (mask & (mask - 1)))
		return err_set(e, ERR_INVALID, "platform: mask 0x%x is not one bit", mask);
	if ((vtl != 0 && vtl != 2) || version != PLATFORM_VERSION || (type == IGVM_VSM && boundary))
		return err_set(e, ERR_INVALID, "platform: VTL %u, version %u, or its boundary", vtl,
			       version);
	for (size_t i = 0; i < igvm->platform_count; i++)
		if (igvm->platforms[i].type == type || igvm->platforms[i].mask == mask)
			return err_set(e, ERR_INVALID, "platform: appears twice");
	igvm->platforms[igvm->platform_count].type = (enum igvm_platform)type;
	igvm->platforms[igvm->platform_count++].mask = mask;
	return 0;
}

/* Platforms first, then initialization (0x101 to 0x200), then directives (0x301 to 0x400). */
static int read_platforms(struct igvm *igvm, struct err *e)
{
	struct reader headers = span_reader(igvm->headers), body;
	uint32_t type, len, section = 0;

	while (reader_left(&headers) > 0) {
		if (!next_header(&headers, &type, &len, &body))
			return err_set(e, ERR_INVALID,
				       "a header that ends outside, or its padding");
		if (type >> 8 < section)
			return err_set(e, ERR_INVALID, "header 0x%x after its section", type);
		section = type >> 8;
		if (type == IGVM_TYPE_PLATFORM && len == IGVM_PLATFORM_LEN) {
			if (read_platform(igvm, &body, e) < 0)
				return err_code(e);
		}
	}
	if (igvm->platform_count == 0)
		return err_set(e, ERR_INVALID, "no platform");
	return 0;
}

int igvm_each(const struct igvm *igvm, igvm_visit_fn *visit, void *data, struct err *e)
{
	CLEANUP(free) struct igvm_state *s = calloc(1, sizeof(*s));
	struct reader headers = span_reader(igvm->headers), body;
	uint32_t type, len;

	if (!s)
		return err_nomem(e);
	s->igvm = igvm;
	while (reader_left(&headers) > 0) {
		if (!next_header(&headers, &type, &len, &body))
			return err_set(e, ERR_INVALID, "IGVM: malformed header");
		if (igvm_directive_read(s, type, len, &body, e) < 0)
			return err_wrap(e, "IGVM");
		if (s->directive.kind != IGVM_OTHER && visit(data, &s->directive, e) < 0)
			return err_code(e);
	}
	return 0;
}

/* CRC-32 (ISO 3309), over the fixed header with a zero checksum and the variable headers. */
static uint32_t crc32_add(uint32_t crc, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return crc;
}

static uint32_t checksum(struct span file, size_t fixed_len, struct span headers)
{
	uint8_t fixed[HEADER_V2];

	memcpy(fixed, file.bytes, fixed_len);
	memset(fixed + CHECKSUM_AT, 0, 4);
	return ~crc32_add(crc32_add(UINT32_C(0xffffffff), fixed, fixed_len), headers.bytes,
			  headers.len);
}

/* IGVM_FIXED_HEADER, and IGVM_FIXED_HEADER_V2, which has two fields more. */
static int read_fixed(struct igvm *igvm, struct err *e)
{
	struct reader r = span_reader(igvm->file);
	uint32_t magic = reader_le32(&r), version = reader_le32(&r);
	uint32_t offset = reader_le32(&r), size = reader_le32(&r);
	uint32_t total = reader_le32(&r), sum = reader_le32(&r);
	size_t fixed_len = version == 2 ? HEADER_V2 : HEADER_V1;
	uint32_t architecture = 0, page_size = IGVM_PAGE_LEN;
	uint64_t end = (uint64_t)offset + size;

	if (version == 2) {
		architecture = reader_le32(&r);
		page_size = reader_le32(&r);
	}
	if (!reader_ok(&r) || magic != MAGIC || version < 1 || version > 2)
		return err_set(e, ERR_INVALID, "IGVM: not a file of format version 1 or 2");
	if (architecture != 0 || page_size != IGVM_PAGE_LEN)
		return err_set(e, ERR_INVALID, "IGVM: wanted x64 and pages of 4 KiB");
	if (total != igvm->file.len)
		return err_set(e, ERR_INVALID, "IGVM: total size %u of a file of %zu bytes", total,
			       igvm->file.len);
	if (offset < fixed_len || offset % 8 || size % 8 || end >= igvm->file.len)
		return err_set(e, ERR_INVALID,
			       "IGVM: variable headers outside of the file, or no file data");
	igvm->headers = (struct span){ .bytes = igvm->file.bytes + offset, .len = size };
	igvm->data_at = (size_t)end;
	if (checksum(igvm->file, fixed_len, igvm->headers) != sum)
		return err_set(e, ERR_INVALID, "IGVM: wrong checksum");
	return 0;
}

static int ignore(void *data, const struct igvm_directive *directive, struct err *e)
{
	return 0;
}

int igvm_open(struct span file, struct igvm *out, struct err *e)
{
	struct igvm igvm = { .file = file };

	if (file.len > IGVM_FILE_MAX)
		return err_set(e, ERR_INVALID, "IGVM: %zu bytes; at most %d", file.len,
			       IGVM_FILE_MAX);
	if (read_fixed(&igvm, e) < 0)
		return err_code(e);
	if (read_platforms(&igvm, e) < 0)
		return err_wrap(e, "IGVM");
	if (igvm_each(&igvm, ignore, NULL, e) < 0)
		return err_code(e);
	*out = igvm;
	return 0;
}

uint32_t igvm_mask(const struct igvm *igvm, enum igvm_platform platform)
{
	for (size_t i = 0; i < igvm->platform_count; i++)
		if (igvm->platforms[i].type == platform)
			return igvm->platforms[i].mask;
	return 0;
}

bool igvm_platform_of(const char *name, enum igvm_platform *platform)
{
	static const struct {
		const char *name;
		enum igvm_platform platform;
	} names[] = { { "sev-snp", IGVM_SEV_SNP }, { "sev-es", IGVM_SEV_ES }, { "sev", IGVM_SEV } };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i].name) == 0) {
			*platform = names[i].platform;
			return true;
		}
	return false;
}
