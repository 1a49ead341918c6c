/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/measure/ovmf.h"

#include "common/base/reader.h"

#include <inttypes.h>
#include <string.h>

enum {
	FOOTER_AT = 32, /* bytes between the table and the end of the image */
	TAIL_LEN = OVMF_GUID_LEN + 2,
	METADATA_HEADER_LEN = 16,
	METADATA_VERSION = 1,
	SECTION_LEN = 12,
	PAGE = 4096,
};

static const uint8_t guid_footer[OVMF_GUID_LEN] = {
	/* 96b582de-1fb2-45f7-baea-a366c55a082d */
	0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
	0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d,
};
static const uint8_t guid_reset[OVMF_GUID_LEN] = {
	/* 00f771de-1a7e-4fcb-890e-68c77e2fb44e */
	0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f,
	0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e,
};
static const uint8_t guid_hashes[OVMF_GUID_LEN] = {
	/* 7255371f-3a3b-4b04-927b-1da6efa8d454 */
	0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b,
	0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54,
};
static const uint8_t guid_metadata[OVMF_GUID_LEN] = {
	/* dc886566-984a-4798-a75e-5585a7bf67cc */
	0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47,
	0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc,
};
static const uint8_t guid_svsm[OVMF_GUID_LEN] = {
	/* a789a612-0597-4c4b-a49f-cbb1fe9d1ddd */
	0x12, 0xa6, 0x89, 0xa7, 0x97, 0x05, 0x4b, 0x4c,
	0xa4, 0x9f, 0xcb, 0xb1, 0xfe, 0x9d, 0x1d, 0xdd,
};

struct entry {
	struct span data;
	const uint8_t *guid;
	size_t len; /* with length and GUID */
};

/* The entry whose last byte is the one before `end`. */
static bool entry_before(struct span image, size_t end, struct entry *out)
{
	struct reader r;

	if (end < TAIL_LEN || end > image.len)
		return false;
	r = reader_over(image.bytes + end - TAIL_LEN, TAIL_LEN);
	out->len = reader_le16(&r);
	out->guid = reader_take(&r, OVMF_GUID_LEN);
	if (out->len < TAIL_LEN || out->len > end)
		return false;
	out->data =
		(struct span){ .bytes = image.bytes + end - out->len, .len = out->len - TAIL_LEN };
	return true;
}

/* The bytes of the table; none without a footer, or with one too short to be of a table. */
static int find_table(struct span image, struct span *table, struct err *e)
{
	struct entry footer = { 0 };
	size_t end;
	bool fits;

	*table = (struct span){ 0 };
	if (image.len < FOOTER_AT + TAIL_LEN)
		return 0;
	end = image.len - FOOTER_AT;
	fits = entry_before(image, end, &footer);
	if (memcmp(footer.guid, guid_footer, OVMF_GUID_LEN) != 0)
		return 0;
	if (!fits && footer.len > end)
		return err_set(e, ERR_INVALID, "firmware: a table of %zu bytes before byte %zu",
			       footer.len, end);
	if (fits)
		*table = footer.data;
	return 0;
}

int ovmf_entry(struct span image, const uint8_t guid[OVMF_GUID_LEN], struct span *data,
	       struct err *e)
{
	struct entry entry;
	struct span found = { 0 }, table;
	size_t left, count = 0;

	if (image.len > OVMF_IMAGE_MAX)
		return err_set(e, ERR_INVALID, "firmware of %zu bytes; at most %d", image.len,
			       OVMF_IMAGE_MAX);
	if (find_table(image, &table, e) < 0)
		return err_code(e);
	for (left = table.len; left > 0; left -= entry.len, count++) {
		if (!entry_before(table, left, &entry) || count == OVMF_ENTRIES_MAX)
			return err_set(e, ERR_INVALID, "firmware: malformed table of entries");
		if (memcmp(entry.guid, guid, OVMF_GUID_LEN) != 0)
			continue;
		if (found.bytes)
			return err_set(e, ERR_INVALID, "firmware: an entry appears twice");
		found = entry.data;
	}
	*data = found;
	return 0;
}

/* The first four bytes of an entry; `*there` says whether it exists. */
static int entry_le32(struct span image, const uint8_t *guid, bool *there, uint32_t *value,
		      struct err *e)
{
	struct span data;
	struct reader r;

	if (ovmf_entry(image, guid, &data, e) < 0)
		return err_code(e);
	*there = data.bytes != NULL;
	if (!*there)
		return 0;
	r = span_reader(data);
	*value = reader_le32(&r);
	if (!reader_ok(&r))
		return err_set(e, ERR_INVALID, "firmware: an entry of %zu bytes; wanted 4",
			       data.len);
	return 0;
}

static bool is_type(uint32_t type)
{
	return type == OVMF_SEC_MEM || type == OVMF_SECRETS || type == OVMF_CPUID ||
	       type == OVMF_SVSM_CAA || type == OVMF_KERNEL_HASHES;
}

static int check_section(const struct ovmf_section *s, struct err *e)
{
	if (!is_type(s->type))
		return err_set(e, ERR_INVALID, "firmware: SEV metadata section of type %u",
			       s->type);
	if (s->gpa % PAGE || s->len % PAGE || s->len == 0 || s->gpa + s->len > UINT32_MAX)
		return err_set(e, ERR_INVALID,
			       "firmware: SEV metadata section at 0x%" PRIx64 " of 0x%" PRIx64
			       " bytes",
			       s->gpa, s->len);
	return 0;
}

int ovmf_check_sections(const struct ovmf *ovmf, struct err *e)
{
	uint64_t total = 0;

	for (size_t i = 0; i < ovmf->section_count; i++) {
		if (check_section(&ovmf->sections[i], e) < 0)
			return err_code(e);
		total += ovmf->sections[i].len;
	}
	if (total > OVMF_SECTIONS_BYTES_MAX)
		return err_set(e, ERR_INVALID,
			       "firmware: SEV metadata sections of %" PRIu64 " bytes", total);
	return 0;
}

static int read_metadata(struct ovmf *o, uint32_t offset, struct err *e)
{
	struct reader r;
	uint32_t len, version, count;
	const uint8_t *signature;

	if (offset > o->image.len)
		return err_set(e, ERR_INVALID, "firmware: SEV metadata outside of the image");
	r = reader_over(o->image.bytes + o->image.len - offset, offset);
	signature = reader_take(&r, 4);
	len = reader_le32(&r);
	version = reader_le32(&r);
	count = reader_le32(&r);
	if (!reader_ok(&r) || memcmp(signature, "ASEV", 4) != 0)
		return err_set(e, ERR_INVALID, "firmware: SEV metadata without their signature");
	if (version != METADATA_VERSION)
		return err_set(e, ERR_INVALID, "firmware: SEV metadata of version %u; wanted %d",
			       version, METADATA_VERSION);
	if (count > OVMF_SECTIONS_MAX || len != METADATA_HEADER_LEN + count * SECTION_LEN)
		return err_set(e, ERR_INVALID, "firmware: SEV metadata of %u sections in %u bytes",
			       count, len);
	for (; o->section_count < count; o->section_count++) {
		struct ovmf_section *s = &o->sections[o->section_count];

		s->gpa = reader_le32(&r);
		s->len = reader_le32(&r);
		s->type = reader_le32(&r);
	}
	return reader_ok(&r) ? 0 : err_set(e, ERR_INVALID, "firmware: SEV metadata end too early");
}

int ovmf_parse(struct span image, struct ovmf *out, struct err *e)
{
	struct ovmf o = { .image = image };
	bool has_hashes, has_metadata;
	uint32_t metadata = 0;

	if (image.len < OVMF_IMAGE_MIN || image.len > OVMF_IMAGE_MAX)
		return err_set(e, ERR_INVALID, "firmware of %zu bytes; wanted %d to %d", image.len,
			       OVMF_IMAGE_MIN, OVMF_IMAGE_MAX);
	if (entry_le32(image, guid_reset, &o.has_reset, &o.reset_eip, e) < 0 ||
	    entry_le32(image, guid_hashes, &has_hashes, &o.hashes_gpa, e) < 0 ||
	    entry_le32(image, guid_svsm, &o.has_svsm, &o.svsm_launch_offset, e) < 0 ||
	    entry_le32(image, guid_metadata, &has_metadata, &metadata, e) < 0)
		return err_code(e);
	if (has_metadata && read_metadata(&o, metadata, e) < 0)
		return err_code(e);
	*out = o;
	return 0;
}

bool ovmf_has_section(const struct ovmf *ovmf, enum ovmf_section_type type)
{
	for (size_t i = 0; i < ovmf->section_count; i++)
		if (ovmf->sections[i].type == type)
			return true;
	return false;
}
