/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/measure/igvm_directive.h"

#include "common/base/bytes.h"
#include "common/base/cleanup.h"

enum { PAGE_2M = 2 << 20, FLAG_2MB = 1, FLAG_UNMEASURED = 2, FLAG_SHARED = 4 };

enum header_type {
	TYPE_GUEST_POLICY = 0x101,
	TYPE_RELOCATABLE = 0x102,
	TYPE_PAGE_TABLE = 0x103,
	TYPE_AREA = 0x301,
	TYPE_PAGE = 0x302,
	TYPE_INSERT = 0x303,
	TYPE_VP_CONTEXT = 0x304,
	TYPE_REQUIRED_MEMORY = 0x305,
	TYPE_VP_COUNT = 0x307,
	TYPE_SRAT = 0x308,
	TYPE_MADT = 0x309,
	TYPE_MMIO = 0x30a,
	TYPE_ID_BLOCK = 0x30b,
	TYPE_MEMORY_MAP = 0x30c,
	TYPE_ERROR_RANGE = 0x30d,
	TYPE_COMMAND_LINE = 0x30e,
	TYPE_SLIT = 0x30f,
	TYPE_PPTT = 0x310,
	TYPE_VBS_MEASUREMENT = 0x311,
	TYPE_DEVICE_TREE = 0x312,
	TYPE_ENVIRONMENT = 0x313,
};

static bool whole_pages(uint64_t value)
{
	return value % IGVM_PAGE_LEN == 0;
}

/* Bytes of the file data, by their place in the file; 0 means none. */
static bool file_data(const struct igvm *igvm, uint32_t offset, uint64_t len, struct span *out)
{
	*out = (struct span){ 0 };
	if (offset == 0)
		return true;
	if (offset < igvm->data_at || offset > igvm->file.len || len > igvm->file.len - offset)
		return false;
	*out = (struct span){ .bytes = igvm->file.bytes + offset, .len = (size_t)len };
	return true;
}

static struct igvm_area *open_area(struct igvm_areas *areas, uint32_t index)
{
	for (size_t i = 0; i < areas->count; i++)
		if (areas->list[i].index == index && !areas->list[i].inserted)
			return &areas->list[i];
	return NULL;
}

/* IGVM_VHS_PARAMETER_AREA. An index may be used once in a file. */
static int read_area(struct igvm_state *s, struct reader *r, struct err *e)
{
	uint64_t len = reader_le64(r);
	uint32_t index = reader_le32(r), offset = reader_le32(r);
	struct span initial;

	for (size_t i = 0; i < s->areas.count; i++)
		if (s->areas.list[i].index == index)
			return err_set(e, ERR_INVALID, "parameter area %u appears twice", index);
	if (s->areas.count == IGVM_AREAS_MAX)
		return err_set(e, ERR_INVALID, "more than %d parameter areas", IGVM_AREAS_MAX);
	if (!whole_pages(len) || len > IGVM_FILE_MAX || !file_data(s->igvm, offset, len, &initial))
		return err_set(e, ERR_INVALID, "parameter area %u: size or file data", index);
	s->areas.list[s->areas.count++] = (struct igvm_area){ .index = index, .len = len };
	return 0;
}

/* IGVM_VHS_PARAMETER: a use of an area that is still open. */
static int read_use(struct igvm_state *s, struct reader *r, struct err *e)
{
	uint32_t index = reader_le32(r), offset = reader_le32(r);
	struct igvm_area *area = open_area(&s->areas, index);

	if (!area)
		return err_set(e, ERR_INVALID, "parameter area %u is not open", index);
	if (offset >= area->len)
		return err_set(e, ERR_INVALID, "a parameter outside of area %u", index);
	return 0;
}

/* IGVM_VHS_PARAMETER_INSERT */
static int read_insert(struct igvm_state *s, struct reader *r, struct err *e)
{
	struct igvm_directive *d = &s->directive;
	struct igvm_area *area;
	uint32_t index;

	d->kind = IGVM_PARAMETERS;
	d->gpa = reader_le64(r);
	d->mask = reader_le32(r);
	index = reader_le32(r);
	area = open_area(&s->areas, index);
	if (!area)
		return err_set(e, ERR_INVALID, "parameter area %u is not open", index);
	if (!whole_pages(d->gpa))
		return err_set(e, ERR_INVALID, "address of parameters is not aligned");
	area->inserted = true;
	d->area_len = area->len;
	return 0;
}

/* IGVM_VHS_PAGE_DATA */
static int read_page(struct igvm_state *s, struct reader *r, struct err *e)
{
	struct igvm_directive *d = &s->directive;
	uint32_t offset, flags, type, reserved;

	d->kind = IGVM_PAGE;
	d->gpa = reader_le64(r);
	d->mask = reader_le32(r);
	offset = reader_le32(r);
	flags = reader_le32(r);
	type = reader_le16(r);
	reserved = reader_le16(r);
	d->two_mib = flags & FLAG_2MB;
	d->unmeasured = flags & FLAG_UNMEASURED;
	d->data_type = (enum igvm_data_type)type;
	if (reserved || (flags & ~(uint32_t)(FLAG_2MB | FLAG_UNMEASURED | FLAG_SHARED)))
		return err_set(e, ERR_INVALID, "page: reserved bits are not zero");
	if (type > IGVM_CPUID_XF)
		return err_set(e, ERR_INVALID, "page: data type %u", type);
	if (!file_data(s->igvm, offset, IGVM_PAGE_LEN, &d->data))
		return err_set(e, ERR_INVALID, "page: its data lie outside of the file");
	if (d->gpa % (d->two_mib ? PAGE_2M : IGVM_PAGE_LEN))
		return err_set(e, ERR_INVALID, "page: its address is not aligned");
	if (d->two_mib && d->data.len)
		return err_set(e, ERR_INVALID, "page: 2 MiB, but 4 KiB of data");
	return 0;
}

/* The platform of exactly that mask, if it is one that has VP contexts. */
static bool context_platform(const struct igvm *igvm, uint32_t mask, enum igvm_platform *platform)
{
	for (size_t i = 0; i < igvm->platform_count; i++)
		if (igvm->platforms[i].mask == mask) {
			*platform = igvm->platforms[i].type;
			return *platform != IGVM_TDX;
		}
	return false;
}

static bool has_vmsa(enum igvm_platform platform)
{
	return platform == IGVM_SEV_SNP || platform == IGVM_SEV_ES || platform == IGVM_SEV;
}

/* IGVM_VHS_VP_CONTEXT: for exactly one platform of the file. Contexts that are no VMSAs are of
 * another length, and not measured here; they have to lie in the file all the same. */
static int read_vp_context(struct igvm_state *s, struct reader *r, struct err *e)
{
	struct igvm_directive *d = &s->directive;
	enum igvm_platform platform;
	uint32_t offset;
	uint16_t reserved;
	bool vmsa;

	d->gpa = reader_le64(r);
	d->mask = reader_le32(r);
	offset = reader_le32(r);
	reader_le16(r); /* VP index */
	reserved = reader_le16(r);
	if (!context_platform(s->igvm, d->mask, &platform) || reserved)
		return err_set(e, ERR_INVALID, "VP context: for no platform that has one");
	vmsa = has_vmsa(platform);
	if (!file_data(s->igvm, offset, vmsa ? IGVM_PAGE_LEN : 1, &d->data) || !d->data.len)
		return err_set(e, ERR_INVALID, "VP context: its data lie outside");
	if (!vmsa)
		return 0;
	if (!whole_pages(d->gpa))
		return err_set(e, ERR_INVALID, "VMSA: its address is not aligned");
	if (!bytes_are(d->data.bytes + IGVM_VMSA_LEN, d->data.len - IGVM_VMSA_LEN, 0))
		return err_set(e, ERR_INVALID, "VMSA: not zero after its end");
	d->kind = IGVM_VMSA;
	return 0;
}

/* IGVM_VHS_REQUIRED_MEMORY */
static int read_required(struct igvm_state *s, struct reader *r, struct err *e)
{
	uint64_t gpa = reader_le64(r);
	uint32_t len, flags, reserved;

	reader_le32(r); /* mask */
	len = reader_le32(r);
	flags = reader_le32(r);
	reserved = reader_le32(r);
	if (!whole_pages(gpa) || !whole_pages(len) || (flags & ~1u) || reserved)
		return err_set(e, ERR_INVALID, "required memory: not aligned, or reserved bits");
	return 0;
}

/* IGVM_VHS_SNP_ID_BLOCK: only what is compared; see idblock.h for the firmware's own form. */
static int read_id_block(struct igvm_state *s, struct reader *r, struct err *e)
{
	s->directive.kind = IGVM_ID_BLOCK;
	s->directive.mask = reader_le32(r);
	reader_skip(r, 4); /* AUTHOR_KEY_EN, reserved */
	s->directive.launch_digest = reader_take(r, SNP_DIGEST_LEN);
	reader_skip(r, reader_left(r));
	return 0;
}

/* IGVM_VHS_ERROR_RANGE */
static int read_error_range(struct igvm_state *s, struct reader *r, struct err *e)
{
	uint64_t gpa = reader_le64(r);
	uint32_t len;

	reader_le32(r); /* mask */
	len = reader_le32(r);
	if (!whole_pages(gpa) || !whole_pages(len))
		return err_set(e, ERR_INVALID, "error range: not aligned");
	return 0;
}

static int read_nothing(struct igvm_state *s, struct reader *r, struct err *e)
{
	reader_skip(r, reader_left(r));
	return 0;
}

/* IGVM_VHS_GUEST_POLICY */
static int read_guest_policy(struct igvm_state *s, struct reader *r, struct err *e)
{
	reader_skip(r, 12); /* policy, mask */
	if (reader_le32(r))
		return err_set(e, ERR_INVALID, "guest policy: reserved bits");
	return 0;
}

/* A region that a loader may move makes the addresses in a measurement unknown. */
static int read_relocation(struct igvm_state *s, struct reader *r, struct err *e)
{
	uint32_t mask = reader_le32(r);

	for (size_t i = 0; i < s->igvm->platform_count; i++)
		if ((s->igvm->platforms[i].mask & mask) && s->igvm->platforms[i].type != IGVM_VSM &&
		    s->igvm->platforms[i].type != IGVM_NATIVE)
			return err_set(e, ERR_INVALID,
				       "relocation for a platform that measures addresses");
	reader_skip(r, reader_left(r));
	return 0;
}

static const struct kind {
	enum header_type type;
	uint32_t len;
	int (*read)(struct igvm_state *s, struct reader *r, struct err *e);
} kinds[] = {
	{ TYPE_GUEST_POLICY, 16, read_guest_policy },
	{ TYPE_RELOCATABLE, 48, read_relocation },
	{ TYPE_PAGE_TABLE, 32, read_relocation },
	{ TYPE_AREA, 16, read_area },
	{ TYPE_PAGE, 24, read_page },
	{ TYPE_INSERT, 16, read_insert },
	{ TYPE_VP_CONTEXT, 20, read_vp_context },
	{ TYPE_REQUIRED_MEMORY, 24, read_required },
	{ TYPE_VP_COUNT, 8, read_use },
	{ TYPE_SRAT, 8, read_use },
	{ TYPE_MADT, 8, read_use },
	{ TYPE_MMIO, 8, read_use },
	{ TYPE_ID_BLOCK, 696, read_id_block },
	{ TYPE_MEMORY_MAP, 8, read_use },
	{ TYPE_ERROR_RANGE, 16, read_error_range },
	{ TYPE_COMMAND_LINE, 8, read_use },
	{ TYPE_SLIT, 8, read_use },
	{ TYPE_PPTT, 8, read_use },
	{ TYPE_VBS_MEASUREMENT, 864, read_nothing },
	{ TYPE_DEVICE_TREE, 8, read_use },
	{ TYPE_ENVIRONMENT, 8, read_use },
};

int igvm_directive_read(struct igvm_state *s, uint32_t type, uint32_t len, struct reader *body,
			struct err *e)
{
	s->directive = (struct igvm_directive){ 0 };
	if (type == IGVM_TYPE_PLATFORM && len == IGVM_PLATFORM_LEN)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (kinds[i].type != type)
			continue;
		if (kinds[i].len != len)
			return err_set(e, ERR_INVALID, "header 0x%x of %u bytes; wanted %u", type,
				       len, kinds[i].len);
		if (kinds[i].read(s, body, e) < 0)
			return err_code(e);
		return reader_done(body) ? 0 : err_set(e, ERR_INVALID, "header 0x%x", type);
	}
	return err_set(e, ERR_INVALID, "unknown header 0x%x of %u bytes", type, len);
}
