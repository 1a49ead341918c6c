/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/measure/tdvf.h"

#include <string.h>

enum {
	SIGNATURE = 0x46564454, /* "TDVF" */
	VERSION = 1,
	HEADER_LEN = 16,
	SECTION_LEN = 32,
	POINTER_AT = 0x20, /* from the end of a bare image */
};

/* TDX metadata offset, e47a6535-984a-4798-865e-4685a7bf8ec2 (OvmfPkg/ResetVector). */
static const uint8_t offset_guid[OVMF_GUID_LEN] = {
	0x35, 0x65, 0x7a, 0xe4, 0x4a, 0x98, 0x98, 0x47,
	0x86, 0x5e, 0x46, 0x85, 0xa7, 0xbf, 0x8e, 0xc2
};

/* By type: its name, whether it has to have contents (1), must have none (0), or may (-1). */
static const struct {
	const char *name;
	int contents;
} types[TDVF_TYPE_COUNT] = {
	[TDVF_BFV] = { "BFV", 1 },
	[TDVF_CFV] = { "CFV", 1 },
	[TDVF_TD_HOB] = { "TD_HOB", 0 },
	[TDVF_TEMP_MEM] = { "TempMem", 0 },
	[TDVF_PERM_MEM] = { "PermMem", 0 },
	[TDVF_PAYLOAD] = { "Payload", -1 },
	[TDVF_PAYLOAD_PARAM] = { "PayloadParam", 0 },
};

const char *tdvf_type_name(enum tdvf_type type)
{
	return (unsigned)type < TDVF_TYPE_COUNT ? types[type].name : "unknown";
}

static uint32_t le32_at(struct span image, size_t at)
{
	struct reader r = reader_over(image.bytes + at, 4);

	return reader_le32(&r);
}

static bool has_signature(struct span image, size_t at)
{
	return at <= image.len && image.len - at >= HEADER_LEN && le32_at(image, at) == SIGNATURE;
}

/* Where the descriptor begins. */
static int descriptor_find(struct span image, size_t *at, struct err *e)
{
	struct span entry;

	if (ovmf_entry(image, offset_guid, &entry, e) < 0)
		return err_code(e);
	if (entry.bytes) {
		if (entry.len != 4 || le32_at(entry, 0) > image.len)
			return err_set(e, ERR_INVALID, "firmware: the offset of its TDX metadata");
		*at = image.len - le32_at(entry, 0);
	} else if (image.len >= POINTER_AT) {
		*at = le32_at(image, image.len - POINTER_AT);
	} else {
		*at = image.len;
	}
	if (!has_signature(image, *at))
		return entry.bytes ? err_set(e, ERR_INVALID,
					     "firmware: no TDVF signature at its TDX metadata")
				   : err_set(e, ERR_NOT_FOUND,
					     "firmware: no TDX metadata; is it built for TDX?");
	return 0;
}

static int contents_check(struct span image, uint32_t offset, uint32_t size, struct tdvf_section *s,
			  struct err *e)
{
	int contents = types[s->type].contents;

	if (offset > image.len || size > image.len - offset)
		return err_set(e, ERR_INVALID, "its contents leave the image");
	if ((contents == 1 && size == 0) || (contents == 0 && size != 0))
		return err_set(e, ERR_INVALID, "a %s of %u bytes in the image", types[s->type].name,
			       size);
	if (size > s->len)
		return err_set(e, ERR_INVALID, "%u bytes of contents for %llu of memory", size,
			       (unsigned long long)s->len);
	s->data = (struct span){ image.bytes + offset, size };
	return 0;
}

static int section_check(const struct tdvf_section *s, struct err *e)
{
	if (s->len == 0 || s->gpa % TDVF_PAGE_LEN || s->len % TDVF_PAGE_LEN ||
	    s->len > UINT64_MAX - s->gpa || s->len > OVMF_IMAGE_MAX * UINT64_C(16))
		return err_set(e, ERR_INVALID, "memory that is not whole pages, or too much");
	if (s->attributes & ~(uint32_t)(TDVF_MR_EXTEND | TDVF_PAGE_AUG))
		return err_set(e, ERR_INVALID, "unknown attributes 0x%x", s->attributes);
	if (s->attributes == (TDVF_MR_EXTEND | TDVF_PAGE_AUG))
		return err_set(e, ERR_INVALID, "pages that are added later can't be measured");
	/* Its contents are the monitor's: the measurement could not be computed. */
	if (s->type == TDVF_TD_HOB && (s->attributes & TDVF_MR_EXTEND))
		return err_set(e, ERR_INVALID, "a TD HOB that is measured");
	return 0;
}

static int section_parse(struct span image, struct reader *r, struct tdvf_section *s, struct err *e)
{
	uint32_t offset = reader_le32(r), size = reader_le32(r);

	s->gpa = reader_le64(r);
	s->len = reader_le64(r);

	uint32_t type = reader_le32(r);

	s->attributes = reader_le32(r);
	if (type >= TDVF_TYPE_COUNT)
		return err_set(e, ERR_INVALID, "unknown type %u", type);
	s->type = (enum tdvf_type)type;
	if (section_check(s, e) < 0)
		return err_code(e);
	return contents_check(image, offset, size, s, e);
}

static int overlap_check(const struct tdvf *t, struct err *e)
{
	const struct tdvf_section *last = &t->sections[t->count - 1];

	for (size_t i = 0; i + 1 < t->count; i++) {
		const struct tdvf_section *s = &t->sections[i];

		if (s->gpa < last->gpa + last->len && last->gpa < s->gpa + s->len)
			return err_set(e, ERR_INVALID, "its memory overlaps that of section %zu",
				       i + 1);
	}
	return 0;
}

static int sections_parse(struct span image, struct reader *r, uint32_t count, struct tdvf *t,
			  struct err *e)
{
	bool has_bfv = false;

	for (uint32_t i = 0; i < count; i++) {
		if (section_parse(image, r, &t->sections[t->count++], e) < 0 ||
		    overlap_check(t, e) < 0)
			return err_wrap(e, "firmware: TDX section %u", i + 1);
		has_bfv |= t->sections[i].type == TDVF_BFV;
	}
	return has_bfv ? 0
		       : err_set(e, ERR_INVALID,
				 "firmware: TDX metadata without a boot firmware "
				 "volume");
}

int tdvf_parse(struct span image, struct tdvf *tdvf, struct err *e)
{
	struct tdvf t = { 0 };
	size_t at;

	if (descriptor_find(image, &at, e) < 0)
		return err_code(e);

	struct reader r = reader_over(image.bytes + at, image.len - at);

	reader_skip(&r, 4);

	uint32_t len = reader_le32(&r), version = reader_le32(&r), count = reader_le32(&r);

	if (version != VERSION || count < 1 || count > TDVF_SECTIONS_MAX ||
	    len != HEADER_LEN + count * SECTION_LEN || len > image.len - at)
		return err_set(e, ERR_INVALID,
			       "firmware: TDX metadata of version %u with %u sections in %u bytes",
			       version, count, len);
	if (sections_parse(image, &r, count, &t, e) < 0)
		return err_code(e);
	*tdvf = t;
	return 0;
}
