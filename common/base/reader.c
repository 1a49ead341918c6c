/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/reader.h"

#include "common/base/bytes.h"

#include <string.h>

void reader_copy(struct reader *r, void *out, size_t len)
{
	const uint8_t *from = reader_take(r, len);

	if (!len)
		return;
	if (from)
		memcpy(out, from, len);
	else
		memset(out, 0, len);
}

void reader_skip(struct reader *r, size_t len)
{
	(void)reader_take(r, len);
}

void reader_zeros(struct reader *r, size_t len)
{
	const uint8_t *from = reader_take(r, len);

	if (from && !bytes_are(from, len, 0))
		r->bad = true;
}

static uint64_t little(struct reader *r, size_t len)
{
	uint8_t b[8];

	reader_copy(r, b, len);
	return bytes_le(b, len);
}

static uint64_t big(struct reader *r, size_t len)
{
	uint8_t b[8];

	reader_copy(r, b, len);
	return bytes_be(b, len);
}

uint16_t reader_le16(struct reader *r)
{
	return (uint16_t)little(r, 2);
}

uint32_t reader_le32(struct reader *r)
{
	return (uint32_t)little(r, 4);
}

uint64_t reader_le64(struct reader *r)
{
	return little(r, 8);
}

uint16_t reader_be16(struct reader *r)
{
	return (uint16_t)big(r, 2);
}

uint32_t reader_be24(struct reader *r)
{
	return (uint32_t)big(r, 3);
}

uint32_t reader_be32(struct reader *r)
{
	return (uint32_t)big(r, 4);
}

uint64_t reader_be64(struct reader *r)
{
	return big(r, 8);
}

struct reader reader_sub(struct reader *r, size_t len)
{
	const uint8_t *from = reader_take(r, len);

	if (!from && r->bad)
		return (struct reader){ .bad = true };
	return reader_over(from, len);
}

bool reader_done(const struct reader *r)
{
	return !r->bad && r->pos == r->end;
}
