/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bundle/bundle_header.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

enum {
	LOCAL = 0x04034b50,      /* 4.3.7 */
	DESCRIPTOR = 0x08074b50, /* 4.3.9 */
	CENTRAL = 0x02014b50,    /* 4.3.12 */
	END64 = 0x06064b50,      /* 4.3.14 */
	LOCATOR64 = 0x07064b50,  /* 4.3.15 */
	END = 0x06054b50,        /* 4.3.16 */

	END64_REST = 44, /* bytes of that record after its length */

	FLAG_DESCRIPTOR = 1 << 3, /* 4.4.4: sums and sizes follow the content */
	FLAG_UTF8 = 1 << 11,
	VERSION_PLAIN = 20, /* 4.4.3 */
	VERSION_ZIP64 = 45,
	MADE_ON_UNIX = 3 << 8, /* 4.4.2 */
	DOS_READ_ONLY = 1,     /* in the external attributes */

	/* 1970-01-01 where zip's calendar begins in 1980: its 7 bits of years wrap. */
	DOS_1970 = (((1970 - 1980) & 0x7f) << 9) | 1 << 5 | 1,

	EXTRA_ZIP64 = 0x0001, /* 4.5.3 */
	EXTRA_TIME = 0x5455,  /* extended timestamp: kind, then seconds since 1970 */
	EXTRA_TIME_LEN = 9,
	EXTRA_TIME_MODIFIED = 1, /* the one kind that is there */
	EXTRA_ZIP64_LEN = 28,
};
#define IN_ZIP64       0xFFFFFFFFu /* 4.4.1.4: the number is in the 64-bit fields */
#define COUNT_IN_ZIP64 0xFFFFu

static bool is_long(uint64_t v)
{
	return v >= IN_ZIP64;
}

/* Whether the name says of itself that it is UTF-8. Readers without that flag take one of many
 * encodings for granted; what they all agree on is ASCII but for backslash and tilde. */
static bool needs_utf8(const char *path)
{
	for (const char *c = path; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7d || *c == '\\')
			return true;
	return false;
}

/* 4.3.7 from "version needed" to "last mod file date", as 4.3.12 has it too. */
static void put_common(struct writer *w, const struct bundle_entry *entry, uint16_t version)
{
	writer_le16(w, version);
	writer_le16(w, (uint16_t)(FLAG_DESCRIPTOR | (needs_utf8(entry->path) ? FLAG_UTF8 : 0)));
	writer_le16(w, 0); /* stored */
	writer_le16(w, 0); /* midnight */
	writer_le16(w, DOS_1970);
}

static void put_time(struct writer *w)
{
	writer_le16(w, EXTRA_TIME);
	writer_le16(w, EXTRA_TIME_LEN - 4);
	writer_u8(w, EXTRA_TIME_MODIFIED);
	writer_le32(w, 0);
}

void bundle_header_local(struct writer *w, const struct bundle_entry *entry)
{
	writer_le32(w, LOCAL);
	put_common(w, entry, VERSION_PLAIN);
	writer_le32(w, 0); /* the sum and both sizes: in the descriptor */
	writer_le32(w, 0);
	writer_le32(w, 0);
	writer_le16(w, (uint16_t)strlen(entry->path));
	writer_le16(w, EXTRA_TIME_LEN);
	writer_text(w, entry->path);
	put_time(w);
}

void bundle_header_descriptor(struct writer *w, const struct bundle_entry *entry)
{
	writer_le32(w, DESCRIPTOR);
	writer_le32(w, entry->crc);
	if (is_long(entry->size)) {
		writer_le64(w, entry->size);
		writer_le64(w, entry->size);
	} else {
		writer_le32(w, (uint32_t)entry->size);
		writer_le32(w, (uint32_t)entry->size);
	}
}

/* st_mode of Unix in the upper half, what DOS knows of it in the lower. */
static uint32_t attributes(uint32_t mode)
{
	return (uint32_t)(S_IFREG | (mode & 07777)) << 16 | (mode & S_IWUSR ? 0 : DOS_READ_ONLY);
}

/* Where size or offset is long, the 64-bit field has all three, and both sizes are marked. */
void bundle_header_central(struct writer *w, const struct bundle_entry *entry)
{
	const bool zip64 = is_long(entry->size) || is_long(entry->offset);
	const uint32_t size = zip64 ? IN_ZIP64 : (uint32_t)entry->size;

	writer_le32(w, CENTRAL);
	writer_le16(w, MADE_ON_UNIX | VERSION_PLAIN);
	put_common(w, entry, is_long(entry->size) ? VERSION_ZIP64 : VERSION_PLAIN);
	writer_le32(w, entry->crc);
	writer_le32(w, size);
	writer_le32(w, size);
	writer_le16(w, (uint16_t)strlen(entry->path));
	writer_le16(w, EXTRA_TIME_LEN + (zip64 ? EXTRA_ZIP64_LEN : 0));
	writer_le16(w, 0); /* comment */
	writer_le16(w, 0); /* disk */
	writer_le16(w, 0); /* internal attributes */
	writer_le32(w, attributes(entry->mode));
	writer_le32(w, is_long(entry->offset) ? IN_ZIP64 : (uint32_t)entry->offset);
	writer_text(w, entry->path);
	put_time(w);
	if (!zip64)
		return;
	writer_le16(w, EXTRA_ZIP64);
	writer_le16(w, EXTRA_ZIP64_LEN - 4);
	writer_le64(w, entry->size);
	writer_le64(w, entry->size);
	writer_le64(w, entry->offset);
}

static void put_end64(struct writer *w, uint64_t count, uint64_t start, uint64_t end)
{
	writer_le32(w, END64);
	writer_le64(w, END64_REST);
	writer_le16(w, VERSION_ZIP64);
	writer_le16(w, VERSION_ZIP64);
	writer_le32(w, 0); /* disks */
	writer_le32(w, 0);
	writer_le64(w, count);
	writer_le64(w, count);
	writer_le64(w, end - start);
	writer_le64(w, start);
	writer_le32(w, LOCATOR64);
	writer_le32(w, 0);
	writer_le64(w, end);
	writer_le32(w, 1);
}

void bundle_header_end(struct writer *w, uint64_t count, uint64_t start, uint64_t end)
{
	const bool zip64 = count >= COUNT_IN_ZIP64 || is_long(end - start) || is_long(start);

	if (zip64)
		put_end64(w, count, start, end);
	writer_le32(w, END);
	writer_le16(w, 0); /* disks */
	writer_le16(w, 0);
	writer_le16(w, zip64 ? COUNT_IN_ZIP64 : (uint16_t)count);
	writer_le16(w, zip64 ? COUNT_IN_ZIP64 : (uint16_t)count);
	writer_le32(w, zip64 ? IN_ZIP64 : (uint32_t)(end - start));
	writer_le32(w, zip64 ? IN_ZIP64 : (uint32_t)start);
	writer_le16(w, 0); /* comment */
}
