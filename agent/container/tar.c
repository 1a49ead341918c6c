/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/container/tar.h"

#include "common/base/bytes.h"
#include "common/base/log.h"

#include <string.h>

enum { BLOCK = 512, SKIP_LEN = 65536, HEADERS_MAX = 8 /* extended ones before an entry */ };

/* pax(1), ustar Interchange Format. */
struct field {
	size_t at, len;
};
static const struct field name_field = { 0, 100 }, mode_field = { 100, 8 },
			  size_field = { 124, 12 }, mtime_field = { 136, 12 },
			  sum_field = { 148, 8 }, link_field = { 157, 100 },
			  magic_field = { 257, 6 }, prefix_field = { 345, 155 };
enum { TYPE_AT = 156 };

/* What an extended header said of the next entry. */
struct said {
	bool name, link, size, mtime;
};

/* As many as there still are of `len` bytes. */
static int take_some(struct tar *tar, uint8_t *out, size_t len, size_t *taken, struct err *e)
{
	size_t at = 0, n = 1;

	for (; at < len && n > 0; at += n)
		if (blob_read(tar->blob, out + at, len - at, &n, e) < 0)
			return err_code(e);
	*taken = at;
	return 0;
}

/* Exactly `len` bytes. */
static int take(struct tar *tar, uint8_t *out, size_t len, struct err *e)
{
	size_t n = 0;

	if (take_some(tar, out, len, &n, e) < 0)
		return err_code(e);
	return n < len ? err_set(e, ERR_INVALID, "tar: ends in the middle") : 0;
}

static int step_over(struct tar *tar, uint64_t count, struct err *e)
{
	uint8_t bytes[SKIP_LEN];

	if (tar->seek)
		return blob_skip(tar->blob, count, e);
	while (count > 0) {
		size_t n = count < sizeof(bytes) ? (size_t)count : sizeof(bytes);

		if (take(tar, bytes, n, e) < 0)
			return err_code(e);
		count -= n;
	}
	return 0;
}

/* Octal digits between blanks, or, with the first bit set, base 256 (GNU). */
static int number(const uint8_t *block, struct field f, uint64_t *value, struct err *e)
{
	const uint8_t *at = block + f.at, *end = at + f.len;
	uint64_t sum = 0;

	if (*at == 0x80) {
		if (!bytes_are(at + 1, f.len > 9 ? f.len - 9 : 0, 0) || f.len < 9)
			return err_set(e, ERR_INVALID, "tar: a number is too large");
		*value = bytes_be(end - 8, 8);
		return 0;
	}
	while (at < end && *at == ' ')
		at++;
	for (; at < end && *at >= '0' && *at <= '7'; at++)
		sum = sum << 3 | (uint64_t)(*at - '0'); /* twelve digits have 36 bits */
	for (; at < end; at++)
		if (*at != ' ' && *at != '\0')
			return err_set(e, ERR_INVALID, "tar: a field is no number");
	*value = sum;
	return 0;
}

static int check_sum(const uint8_t *block, struct err *e)
{
	uint64_t said, sum = ' ' * sum_field.len;

	for (size_t i = 0; i < BLOCK; i++)
		if (i < sum_field.at || i >= sum_field.at + sum_field.len)
			sum += block[i];
	if (number(block, sum_field, &said, e) < 0)
		return err_code(e);
	if (said != sum)
		return err_set(e, ERR_INVALID,
			       "tar: a header's sum is wrong: this is no tar, or damaged");
	return 0;
}

static size_t text_len(const uint8_t *block, struct field f)
{
	return strnlen((const char *)block + f.at, f.len);
}

static void header_texts(const uint8_t *block, const struct said *said, struct tar_entry *entry)
{
	size_t name = text_len(block, name_field), link = text_len(block, link_field), before = 0;

	if (!said->name) {
		if (memcmp(block + magic_field.at, "ustar", magic_field.len) == 0)
			before = text_len(block, prefix_field);
		memcpy(entry->name, block + prefix_field.at, before);
		if (before > 0)
			entry->name[before++] = '/';
		memcpy(entry->name + before, block + name_field.at, name);
		entry->name[before + name] = '\0';
	}
	if (!said->link) {
		memcpy(entry->link, block + link_field.at, link);
		entry->link[link] = '\0';
	}
}

/* Into one of the entry's texts. */
static int set_text(char text[TAR_PATH_MAX + 1], const char *from, size_t len, struct err *e)
{
	if (len > TAR_PATH_MAX)
		return err_set(e, ERR_EXHAUSTED, "tar: a name of more than %d bytes", TAR_PATH_MAX);
	if (len == 0 || memchr(from, '\0', len))
		return err_set(e, ERR_INVALID, "tar: a name is empty, or has a zero in it");
	memcpy(text, from, len);
	text[len] = '\0';
	return 0;
}

static int decimal(const char *text, size_t len, uint64_t *value, struct err *e)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || sum > (INT64_MAX - 9) / 10)
			return err_set(e, ERR_INVALID, "tar: pax: a number is none, or too large");
		sum = sum * 10 + (uint64_t)(text[i] - '0');
	}
	if (len == 0)
		return err_set(e, ERR_INVALID, "tar: pax: a number is missing");
	*value = sum;
	return 0;
}

static int pax_mtime(const char *text, size_t len, struct tar_entry *entry, struct err *e)
{
	const char *dot = memchr(text, '.', len);
	bool before = len > 0 && text[0] == '-'; /* the epoch: nobody needs it exactly */
	uint64_t value = 0;

	if (!before && decimal(text, dot ? (size_t)(dot - text) : len, &value, e) < 0)
		return err_code(e);
	entry->mtime = (int64_t)value;
	return 0;
}

static int pax_record(const char *key, size_t key_len, const char *text, size_t len,
		      struct said *said, struct tar_entry *entry, struct err *e)
{
#define IS(word) (key_len == strlen(word) && memcmp(key, word, key_len) == 0)
	if (IS("path")) {
		said->name = true;
		return set_text(entry->name, text, len, e);
	}
	if (IS("linkpath")) {
		said->link = true;
		return set_text(entry->link, text, len, e);
	}
	if (IS("size")) {
		said->size = true;
		return decimal(text, len, &entry->size, e);
	}
	if (IS("mtime")) {
		said->mtime = true;
		return pax_mtime(text, len, entry, e);
	}
#undef IS
	if (key_len > 11 && memcmp(key, "GNU.sparse.", 11) == 0)
		return err_set(e, ERR_INVALID, "tar: a sparse file");
	return 0; /* owners, times, extended attributes: nobody keeps them here */
}

/* "LEN KEY=VALUE\n", LEN counting all of it. */
static int pax_records(const char *bytes, size_t len, struct said *said, struct tar_entry *entry,
		       struct err *e)
{
	while (len > 0) {
		const char *blank = memchr(bytes, ' ', len < 20 ? len : 20);
		uint64_t whole = 0;

		if (!blank || decimal(bytes, (size_t)(blank - bytes), &whole, e) < 0 ||
		    whole > len || whole < (uint64_t)(blank - bytes) + 3 ||
		    bytes[whole - 1] != '\n')
			return err_set(e, ERR_INVALID, "tar: pax: a record is malformed");
		const char *key = blank + 1, *end = bytes + whole - 1;
		const char *equals = memchr(key, '=', (size_t)(end - key));
		if (!equals)
			return err_set(e, ERR_INVALID, "tar: pax: a record has no '='");
		if (pax_record(key, (size_t)(equals - key), equals + 1, (size_t)(end - equals - 1),
			       said, entry, e) < 0)
			return err_code(e);
		bytes += whole;
		len -= (size_t)whole;
	}
	return 0;
}

/* An extended header's content, whatever its form. */
static int read_extended(struct tar *tar, char type, uint64_t size, struct said *said,
			 struct tar_entry *entry, struct err *e)
{
	uint64_t whole = (size + BLOCK - 1) / BLOCK * BLOCK;

	if (size > TAR_PAX_MAX)
		return err_set(e, ERR_EXHAUSTED, "tar: an extended header of more than %d bytes",
			       TAR_PAX_MAX);
	CLEANUP(free) char *bytes = malloc(whole + 1);
	if (!bytes)
		return err_nomem(e);
	if (take(tar, (uint8_t *)bytes, (size_t)whole, e) < 0)
		return err_code(e);
	bytes[size] = '\0';
	if (type == 'x')
		return pax_records(bytes, (size_t)size, said, entry, e);
	if (type == 'L') {
		said->name = true;
		return set_text(entry->name, bytes, strlen(bytes), e);
	}
	if (type == 'K') {
		said->link = true;
		return set_text(entry->link, bytes, strlen(bytes), e);
	}
	/* 'g': for all that follow. A name for all of them would be none. */
	struct said of_all = { 0 };
	struct tar_entry nobody = { 0 };
	if (pax_records(bytes, (size_t)size, &of_all, &nobody, e) < 0)
		return err_code(e);
	if (of_all.name || of_all.link || of_all.size)
		return err_set(e, ERR_INVALID, "tar: a global header with a name or size");
	return 0;
}

static int kind_of(char type, struct tar_entry *entry, struct err *e)
{
	static const struct {
		char type;
		enum tar_kind kind;
	} rows[] = {
		{ '0', TAR_FILE },   { '\0', TAR_FILE },   { '7', TAR_FILE },
		{ '1', TAR_LINK },   { '2', TAR_SYMLINK }, { '3', TAR_DEVICE },
		{ '4', TAR_DEVICE }, { '5', TAR_FOLDER },  { '6', TAR_DEVICE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].type == type) {
			entry->kind = rows[i].kind;
			return 0;
		}
	return err_set(e, ERR_INVALID, "tar: %s is of the unknown type %d",
		       log_quote(entry->name).text, type);
}

/* Zeros to the very end: what else stands there no other reader would see. */
static int read_end(struct tar *tar, struct err *e)
{
	uint8_t bytes[SKIP_LEN];
	size_t n;

	do {
		if (blob_read(tar->blob, bytes, sizeof(bytes), &n, e) < 0)
			return err_code(e);
		if (!bytes_are(bytes, n, 0))
			return err_set(e, ERR_INVALID, "tar: something follows its end");
	} while (n > 0);
	tar->ended = true;
	return 0;
}

static int finish_entry(struct tar *tar, const uint8_t *block, const struct said *said,
			struct tar_entry *entry, struct err *e)
{
	uint64_t mode, mtime;

	if (++tar->count > TAR_ENTRIES_MAX)
		return err_set(e, ERR_EXHAUSTED, "tar: more than %d entries", TAR_ENTRIES_MAX);
	header_texts(block, said, entry);
	if (number(block, mode_field, &mode, e) < 0 || kind_of((char)block[TYPE_AT], entry, e) < 0)
		return err_code(e);
	if (!said->mtime) {
		/* a time before the epoch is none that anybody needs */
		mtime = 0;
		if (block[mtime_field.at] != 0xff && number(block, mtime_field, &mtime, e) < 0)
			return err_code(e);
		entry->mtime = mtime > INT64_MAX ? 0 : (int64_t)mtime;
	}
	/* old tars: a file whose name ends so is a folder */
	if (entry->kind == TAR_FILE && entry->name[0] &&
	    entry->name[strlen(entry->name) - 1] == '/')
		entry->kind = TAR_FOLDER;
	/* some readers would take that many bytes for content, some would not */
	if (entry->kind != TAR_FILE && entry->size > 0)
		return err_set(e, ERR_INVALID, "tar: %s has a size and is no file",
			       log_quote(entry->name).text);
	entry->mode = (uint32_t)mode & 07777;
	tar->left = entry->size;
	tar->pad = (BLOCK - entry->size % BLOCK) % BLOCK;
	entry->offset = blob_position(tar->blob);
	return 0;
}

static int next(struct tar *tar, struct tar_entry *entry, struct err *e)
{
	uint8_t block[BLOCK];
	struct said said = { 0 };
	uint64_t size;
	size_t len = 0;

	memset(entry, 0, sizeof(*entry));
	for (int headers = 0; headers <= HEADERS_MAX; headers++) {
		if (take_some(tar, block, BLOCK, &len, e) < 0)
			return err_code(e);
		if (len == 0 && headers == 0 && tar->may_stop) {
			tar->ended = true;
			return 0;
		}
		if (len < BLOCK)
			return err_set(e, ERR_INVALID, "tar: ends in the middle");
		if (bytes_are(block, BLOCK, 0)) {
			if (headers > 0)
				return err_set(e, ERR_INVALID, "tar: a header without its entry");
			return read_end(tar, e);
		}
		if (check_sum(block, e) < 0 || number(block, size_field, &size, e) < 0)
			return err_code(e);
		char type = (char)block[TYPE_AT];
		if (type == 'x' || type == 'g' || type == 'L' || type == 'K') {
			if (read_extended(tar, type, size, &said, entry, e) < 0)
				return err_code(e);
			continue;
		}
		if (!said.size)
			entry->size = size;
		if (entry->size > INT64_MAX - BLOCK)
			return err_set(e, ERR_INVALID, "tar: a number is too large");
		return finish_entry(tar, block, &said, entry, e) < 0 ? err_code(e) : 1;
	}
	return err_set(e, ERR_EXHAUSTED, "tar: more than %d headers for one entry", HEADERS_MAX);
}

/* What fills the last block of a content; some tools leave it out at the very end. */
static int step_over_pad(struct tar *tar, struct err *e)
{
	uint8_t pad[BLOCK];
	size_t len = 0;

	if (take_some(tar, pad, (size_t)tar->pad, &len, e) < 0)
		return err_code(e);
	tar->ended = tar->pad > 0 && len == 0 && tar->may_stop;
	if (len < tar->pad && !tar->ended)
		return err_set(e, ERR_INVALID, "tar: ends in the middle");
	return 0;
}

int tar_next(struct tar *tar, struct tar_entry *entry, struct err *e)
{
	if (tar->ended)
		return 0;
	if (step_over(tar, tar->left, e) < 0 || step_over_pad(tar, e) < 0)
		return err_code(e);
	tar->left = tar->pad = 0;
	return tar->ended ? 0 : next(tar, entry, e);
}

int tar_read(struct tar *tar, void *out, size_t room, size_t *len, struct err *e)
{
	size_t want = tar->left < room ? (size_t)tar->left : room;

	*len = 0;
	if (want == 0)
		return 0;
	if (blob_read(tar->blob, out, want, len, e) < 0)
		return err_code(e);
	if (*len == 0)
		return err_set(e, ERR_INVALID, "tar: ends in the middle");
	tar->left -= *len;
	return 0;
}
