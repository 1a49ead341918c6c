/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/logs/ima_log.h"

#include "common/base/bytes.h"
#include "common/base/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHA1_LEN = 20, ROOM = 256 };

static const struct template
{
	const char *name;
	bool more; /* a third field */
}
templates[] = { { "ima-ng", false }, { "ima-sig", true }, { "ima-buf", true } };

static const struct template *template_of(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(templates); i++)
		if (strlen(templates[i].name) == name.len &&
		    memcmp(templates[i].name, name.bytes, name.len) == 0)
			return &templates[i];
	return NULL;
}

static struct span field(struct reader *r)
{
	uint32_t len = reader_le32(r);

	return span_take(r, len);
}

/* "sha256:" ‖ 0 ‖ digest; all zero bytes in a violation's place stay a digest of that name. */
static bool take_digest(struct span d_ng, struct ima_entry *entry)
{
	const uint8_t *colon = d_ng.len ? memchr(d_ng.bytes, ':', d_ng.len) : NULL;
	size_t name = colon ? (size_t)(colon - d_ng.bytes) : 0;

	if (!name || name > IMA_ALGORITHM_MAX || name + 2 > d_ng.len || colon[1] != 0)
		return false;
	for (size_t i = 0; i < name; i++)
		if (d_ng.bytes[i] <= ' ' || d_ng.bytes[i] > '~')
			return false;
	memcpy(entry->algorithm, d_ng.bytes, name);
	entry->algorithm[name] = 0;
	entry->digest = (struct span){ d_ng.bytes + name + 2, d_ng.len - name - 2 };
	return entry->digest.len > 0 && entry->digest.len <= DIGEST_MAX;
}

/* A name that ends with its only zero. */
static bool take_path(struct span n_ng, struct ima_entry *entry)
{
	if (n_ng.len < 1 || n_ng.len > IMA_PATH_MAX + 1 ||
	    memchr(n_ng.bytes, 0, n_ng.len) != n_ng.bytes + n_ng.len - 1)
		return false;
	entry->path = (struct span){ n_ng.bytes, n_ng.len - 1 };
	return true;
}

static int read_fields(const struct template *t, struct ima_entry *entry, size_t number,
		       struct err *e)
{
	struct reader r = reader_over(entry->data.bytes, entry->data.len);
	struct span d_ng = field(&r), n_ng = field(&r);

	if (t->more)
		entry->more = field(&r);
	if (!reader_done(&r) || !take_digest(d_ng, entry) || !take_path(n_ng, entry))
		return err_set(e, ERR_INVALID, "IMA log: entry %zu: its fields are not %s's",
			       number, t->name);
	snprintf(entry->template_name, sizeof(entry->template_name), "%s", t->name);
	return 0;
}

static int check_digest(const uint8_t logged[SHA1_LEN], struct ima_entry *entry, size_t number,
			struct err *e)
{
	uint8_t digest_is[SHA1_LEN];

	entry->violation = bytes_are(logged, SHA1_LEN, 0);
	if (entry->violation)
		return 0;
	if (digest(DIGEST_SHA1, entry->data.bytes, entry->data.len, digest_is, e) < 0)
		return err_code(e);
	if (memcmp(digest_is, logged, SHA1_LEN) != 0)
		return err_set(e, ERR_INVALID, "IMA log: entry %zu: its digest is not of its data",
			       number);
	return 0;
}

/* struct ima_template_entry as security/integrity/ima/ima_fs.c writes it: PCR, SHA-1 of the data,
 * name and data, each with its length before it, little-endian. */
static int read_entry(struct reader *r, struct ima_entry *entry, size_t number, struct err *e)
{
	const struct template *t;
	const uint8_t *logged;
	struct span name;
	uint32_t len;

	memset(entry, 0, sizeof(*entry));
	entry->pcr = reader_le32(r);
	logged = reader_take(r, SHA1_LEN);
	name = field(r);
	len = reader_le32(r);
	if (!r->bad && len > IMA_DATA_MAX)
		return err_set(e, ERR_INVALID, "IMA log: entry %zu: %u bytes; at most %d", number,
			       len, IMA_DATA_MAX);
	entry->data = span_take(r, len);
	if (r->bad)
		return err_set(e, ERR_INVALID, "IMA log: entry %zu is cut", number);
	if (entry->pcr > 23)
		return err_set(e, ERR_INVALID, "IMA log: entry %zu: PCR %u", number, entry->pcr);
	t = template_of(name);
	if (!t)
		return err_set(e, ERR_INVALID,
			       "IMA log: entry %zu: a template that we don't know; ima-ng, ima-sig "
			       "and ima-buf we do",
			       number);
	if (read_fields(t, entry, number, e) < 0)
		return err_code(e);
	return check_digest(logged, entry, number, e);
}

static int grow(struct ima_log *log, size_t *room, struct err *e)
{
	struct ima_entry *entries;

	if (log->count < *room)
		return 0;
	if (log->count == IMA_ENTRIES_MAX)
		return err_set(e, ERR_EXHAUSTED, "IMA log: more than %d entries", IMA_ENTRIES_MAX);
	*room = *room ? *room * 2 : ROOM;
	if (*room > IMA_ENTRIES_MAX)
		*room = IMA_ENTRIES_MAX;
	entries = realloc(log->entries, *room * sizeof(*entries));
	if (!entries)
		return err_nomem(e);
	log->entries = entries;
	return 0;
}

int ima_log_parse(const void *bytes, size_t len, struct ima_log *log, struct err *e)
{
	struct ima_log read CLEANUP_IMA_LOG = { .count = 0 };
	struct reader r = reader_over(bytes, len);
	size_t room = 0;

	if (len > IMA_LOG_MAX)
		return err_set(e, ERR_EXHAUSTED, "IMA log: %zu bytes; at most %d", len,
			       IMA_LOG_MAX);
	while (reader_left(&r) > 0) {
		if (grow(&read, &room, e) < 0 ||
		    read_entry(&r, &read.entries[read.count], read.count + 1, e) < 0)
			return err_code(e);
		read.count++;
	}
	*log = read;
	read = (struct ima_log){ .count = 0 };
	return 0;
}

void ima_log_done(struct ima_log *log)
{
	free(log->entries);
	*log = (struct ima_log){ .count = 0 };
}

/* A violation extends with ones: no honest value covers it (ima_add_violation()). */
static int extend(const struct ima_entry *entry, enum digest_kind bank, uint8_t *value,
		  struct err *e)
{
	uint8_t measured[DIGEST_MAX];
	const struct digest_part parts[] = { { value, digest_len(bank) },
					     { measured, digest_len(bank) } };

	memset(measured, 0xff, sizeof(measured));
	if (!entry->violation && digest(bank, entry->data.bytes, entry->data.len, measured, e) < 0)
		return err_code(e);
	return digest_parts(bank, parts, ARRAY_LEN(parts), value, e);
}

int ima_log_replay(const struct ima_log *log, enum digest_kind bank, uint32_t pcr,
		   const uint8_t *value, size_t *count, struct err *e)
{
	uint8_t now[DIGEST_MAX] = { 0 };

	for (size_t i = 0; i < log->count; i++) {
		if (log->entries[i].pcr != pcr)
			continue;
		if (extend(&log->entries[i], bank, now, e) < 0)
			return err_code(e);
		if (memcmp(now, value, digest_len(bank)) == 0) {
			*count = i + 1;
			return 0;
		}
	}
	return err_set(e, ERR_DENIED, "IMA log: %zu entries do not come to the value of PCR %u",
		       log->count, pcr);
}
