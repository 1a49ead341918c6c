/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/measure/cfv.h"

#include "common/base/bytes.h"

#include <string.h>

enum {
	ZERO_VECTOR_LEN = 16,
	GUID_LEN = 16,
	VOLUME_SIGNATURE = 0x4856465f, /* "_FVH" */
	VOLUME_REVISION = 2,
	VOLUME_FIXED_LEN = 56, /* up to the map of blocks, which ends with a pair of zeros */
	STORE_HEADER_LEN = 28,
	STORE_FORMATTED = 0x5a,
	STORE_HEALTHY = 0xfe,
	ERASED = 0xff,
};

/* System NV data, fff12b8d-7696-4c8b-a985-2747075b4f50. */
static const uint8_t volume_guid[GUID_LEN] = { 0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c,
					       0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50 };
/* Authenticated variables, aaf32c78-947b-439a-a180-2e144ec37792; others, ddcf3616-3275-4164-98b6-fe85707ffe7d. */
static const uint8_t store_guids[2][GUID_LEN] = {
	{ 0x78, 0x2c, 0xf3, 0xaa, 0x7b, 0x94, 0x9a, 0x43, 0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77,
	  0x92 },
	{ 0x16, 0x36, 0xcf, 0xdd, 0x75, 0x32, 0x64, 0x41, 0x98, 0xb6, 0xfe, 0x85, 0x70, 0x7f, 0xfe,
	  0x7d },
};

static bool is(struct span found, const uint8_t guid[GUID_LEN])
{
	return found.len == GUID_LEN && memcmp(found.bytes, guid, GUID_LEN) == 0;
}

/* The sum of a volume's header, as 16-bit numbers, is zero. */
static bool sum_is_zero(const uint8_t *header, size_t len)
{
	uint16_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum = (uint16_t)(sum + bytes_le(header + i, 2));
	return len % 2 == 0 && sum == 0;
}

/* The map of blocks has to come to the volume's length. */
static bool blocks_are(struct reader *r, uint64_t volume_len)
{
	uint64_t sum = 0;

	for (size_t i = 0; i <= CFV_BLOCKS_MAX; i++) {
		uint64_t count = reader_le32(r), len = reader_le32(r);

		if (!reader_ok(r))
			return false;
		if (count == 0 && len == 0)
			return sum == volume_len;
		sum += count * len; /* below 2^64 - 2^32, and the sum below CFV_MAX before */
		if (sum > CFV_MAX)
			return false;
	}
	return false;
}

/* What follows the volume's header. */
static int volume_open(struct span volume, struct reader *body, struct err *e)
{
	struct reader r = span_reader(volume);

	reader_skip(&r, ZERO_VECTOR_LEN);

	struct span guid = span_take(&r, GUID_LEN);
	uint64_t len = reader_le64(&r);
	uint32_t signature = reader_le32(&r);

	reader_skip(&r, 4); /* attributes */

	uint16_t header_len = reader_le16(&r);

	reader_skip(&r, 2 + 2 + 1); /* checksum, extended header, reserved */

	uint8_t revision = reader_u8(&r);

	if (!reader_ok(&r) || signature != VOLUME_SIGNATURE || revision != VOLUME_REVISION ||
	    !is(guid, volume_guid))
		return err_set(e, ERR_INVALID, "no firmware volume for variables");
	if (len != volume.len)
		return err_set(e, ERR_INVALID, "a volume of %llu bytes in %zu",
			       (unsigned long long)len, volume.len);
	if (header_len < VOLUME_FIXED_LEN || header_len > volume.len ||
	    !sum_is_zero(volume.bytes, header_len))
		return err_set(e, ERR_INVALID, "a volume's header of %u bytes, or its checksum",
			       header_len);

	struct reader map = reader_sub(&r, header_len - VOLUME_FIXED_LEN);

	if (!blocks_are(&map, len) || !reader_done(&map))
		return err_set(e, ERR_INVALID, "a volume whose blocks are not its length");
	*body = r;
	return 0;
}

/* A store of variables whose room was never written to. */
static int store_check_empty(struct reader *r, struct err *e)
{
	struct span guid = span_take(r, GUID_LEN);
	uint32_t len = reader_le32(r);
	uint8_t format = reader_u8(r), state = reader_u8(r);

	reader_zeros(r, 2 + 4);
	if (!reader_ok(r) || (!is(guid, store_guids[0]) && !is(guid, store_guids[1])) ||
	    format != STORE_FORMATTED || state != STORE_HEALTHY)
		return err_set(e, ERR_INVALID, "no store of variables");
	if (len < STORE_HEADER_LEN || len - STORE_HEADER_LEN > reader_left(r))
		return err_set(e, ERR_INVALID, "a store of %u bytes", len);

	struct span room = span_take(r, len - STORE_HEADER_LEN);

	if (!bytes_are(room.bytes, room.len, ERASED))
		return err_set(e, ERR_PRECONDITION,
			       "it holds variables, such as keys of Secure Boot");
	return 0;
}

int cfv_check_empty(const struct tdvf *tdvf, struct span *cfv, struct err *e)
{
	const struct tdvf_section *found = NULL;
	struct reader body;

	for (size_t i = 0; i < tdvf->count; i++) {
		if (tdvf->sections[i].type != TDVF_CFV)
			continue;
		if (found)
			return err_set(e, ERR_INVALID, "firmware: two configuration volumes");
		found = &tdvf->sections[i];
	}
	if (!found)
		return err_set(e, ERR_NOT_FOUND, "firmware: no configuration volume");
	if (found->data.len > CFV_MAX)
		return err_set(e, ERR_INVALID,
			       "firmware: a configuration volume of %zu bytes; at most %d",
			       found->data.len, CFV_MAX);
	if (volume_open(found->data, &body, e) < 0 || store_check_empty(&body, e) < 0)
		return err_wrap(e, "firmware: its configuration volume");
	*cfv = found->data;
	return 0;
}
