/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/formats/pe.h"

#include "common/base/reader.h"

enum {
	MZ = 0x5a4d,
	PE_OFFSET_AT = 0x3c, /* of the PE header's place */
	SIGNATURE = 0x50450000,
	FILE_HEADER_LEN = 24, /* with the signature */
	MACHINE_X64 = 0x8664,
	MAGIC_PE32_PLUS = 0x20b,
	HEADERS_LEN_AT = 60, /* counted from the start of the optional header */
	CHECKSUM_AT = 64,
	DIRECTORIES_AT = 112,
	CERTIFICATES = 4, /* which of the directories */
	DIRECTORY_LEN = 8,
	SECTION_LEN = 40,
	SECTION_LEN_AT = 16,
};

static int bad(struct err *e, const char *what)
{
	return err_set(e, ERR_INVALID, "PE image: %s", what);
}

static int parse_optional(struct reader r, size_t at, struct pe *pe, size_t *headers_len,
			  struct err *e)
{
	uint32_t offset = 0, len = 0;

	if (reader_le16(&r) != MAGIC_PE32_PLUS)
		return bad(e, "no PE32+");
	reader_skip(&r, HEADERS_LEN_AT - 2);
	*headers_len = reader_le32(&r);
	pe->checksum_at = at + CHECKSUM_AT;
	reader_skip(&r, DIRECTORIES_AT - CHECKSUM_AT - 4);
	if (reader_le32(&r) > CERTIFICATES) {
		reader_skip(&r, CERTIFICATES * DIRECTORY_LEN);
		pe->certificates_at = at + DIRECTORIES_AT + CERTIFICATES * DIRECTORY_LEN;
		offset = reader_le32(&r);
		len = reader_le32(&r);
	}
	if (!reader_ok(&r))
		return bad(e, "its headers are cut off");
	if (len && (uint64_t)offset + len != pe->image.len)
		return bad(e, "its certificates are not its end");
	pe->end = pe->image.len - len;
	return 0;
}

/* Sections follow each other, as linkers write them. Firmware hashes them by their place, and
 * the rest by the sum of their sizes; in any other file that would not be all of its bytes. */
static int check_sections(struct reader r, size_t count, size_t at, const struct pe *pe,
			  struct err *e)
{
	if (at > pe->end)
		return bad(e, "its headers are larger than itself");
	for (size_t i = 0; i < count; i++) {
		uint32_t len, offset;

		reader_skip(&r, SECTION_LEN_AT);
		len = reader_le32(&r);
		offset = reader_le32(&r);
		reader_skip(&r, SECTION_LEN - SECTION_LEN_AT - 8);
		if (!reader_ok(&r))
			return bad(e, "its table of sections is cut off");
		if (len && (offset != at || len > pe->end - at))
			return bad(e, "a section is not where the one before ends, or not in the "
				      "file");
		at += len;
	}
	return 0;
}

int pe_parse(struct span image, struct pe *pe, struct err *e)
{
	struct reader r = reader_over(image.bytes, image.len), optional;
	struct pe found = { .image = image };
	size_t at, sections, headers_len, optional_len;

	if (image.len > PE_IMAGE_MAX || reader_le16(&r) != MZ)
		return bad(e, "no header");
	reader_skip(&r, PE_OFFSET_AT - 2);
	at = reader_le32(&r);
	r = reader_over(image.bytes, image.len);
	reader_skip(&r, at);
	if (reader_be32(&r) != SIGNATURE || reader_le16(&r) != MACHINE_X64)
		return bad(e, "no program for x86-64");
	sections = reader_le16(&r);
	if (sections > PE_SECTIONS_MAX)
		return err_set(e, ERR_EXHAUSTED, "PE image: %zu sections; at most %d are read",
			       sections, PE_SECTIONS_MAX);
	reader_skip(&r, 12);
	optional_len = reader_le16(&r);
	reader_skip(&r, 2);
	optional = reader_sub(&r, optional_len);
	if (!reader_ok(&r))
		return bad(e, "its headers are cut off");
	if (parse_optional(optional, at + FILE_HEADER_LEN, &found, &headers_len, e) < 0)
		return err_code(e);
	if (headers_len < (size_t)(r.pos - image.bytes) + sections * SECTION_LEN)
		return bad(e, "its headers are larger than they say");
	if (check_sections(r, sections, headers_len, &found, e) < 0)
		return err_code(e);
	*pe = found;
	return 0;
}

int pe_digest(const struct pe *pe, enum digest_kind kind, uint8_t *out, struct err *e)
{
	CLEANUP(digest_free) struct digest_stream *d = digest_new(kind, e);
	const uint8_t *bytes = pe->image.bytes;
	size_t at = pe->checksum_at + 4;

	if (!d)
		return err_code(e);
	digest_add(d, bytes, pe->checksum_at);
	if (pe->certificates_at) {
		digest_add(d, bytes + at, pe->certificates_at - at);
		at = pe->certificates_at + DIRECTORY_LEN;
	}
	digest_add(d, bytes + at, pe->end - at);
	return digest_finish(d, out, e);
}
