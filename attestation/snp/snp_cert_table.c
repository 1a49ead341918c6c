/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/snp/snp_cert_table.h"

#include "common/base/cleanup.h"
#include "common/base/reader.h"

#include <string.h>

enum { GUID_LEN = 16, ENTRY_LEN = SNP_CERT_TABLE_END_LEN };

struct entry {
	const uint8_t *guid;
	uint32_t offset, len;
};

static const struct {
	uint8_t guid[GUID_LEN];
	size_t at; /* in struct snp_cert_table */
} known[] = {
	{ { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8,
	    0xac, 0xcd },
	  offsetof(struct snp_cert_table, vcek) },
	{ { 0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0,
	    0xb8, 0xa1 },
	  offsetof(struct snp_cert_table, vlek) },
	{ { 0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27,
	    0xc7, 0x82 },
	  offsetof(struct snp_cert_table, ask) },
	{ { 0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c,
	    0xd0, 0xae },
	  offsetof(struct snp_cert_table, ark) },
	{ { 0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc,
	    0x67, 0xea },
	  offsetof(struct snp_cert_table, crl) },
};

/* The entries up to the one that is all zero. */
static int read_entries(struct reader *r, struct entry entries[], size_t *count, struct err *e)
{
	static const uint8_t end[GUID_LEN];

	for (*count = 0;; (*count)++) {
		struct entry entry = { 0 };

		entry.guid = reader_take(r, GUID_LEN);
		entry.offset = reader_le32(r);
		entry.len = reader_le32(r);
		if (!reader_ok(r))
			return err_set(e, ERR_INVALID, "certificate table: no entry ends it");
		if (memcmp(entry.guid, end, GUID_LEN) == 0) {
			if (entry.offset || entry.len)
				return err_set(e, ERR_INVALID,
					       "certificate table: an entry without a GUID");
			return 0;
		}
		if (*count == SNP_CERT_TABLE_ENTRIES_MAX)
			return err_set(e, ERR_INVALID, "certificate table: more than %d entries",
				       SNP_CERT_TABLE_ENTRIES_MAX);
		entries[*count] = entry;
	}
}

static int check_entry(const struct entry *entries, size_t i, size_t first, size_t len,
		       struct err *e)
{
	const struct entry *a = &entries[i];
	uint64_t end = (uint64_t)a->offset + a->len;

	if (a->len == 0 || a->offset < first || end > len)
		return err_set(e, ERR_INVALID,
			       "certificate table: entry %zu (offset %u, length %u) is empty or "
			       "not within %zu to %zu",
			       i, a->offset, a->len, first, len);
	for (size_t n = 0; n < i; n++) {
		const struct entry *b = &entries[n];

		if (memcmp(a->guid, b->guid, GUID_LEN) == 0)
			return err_set(e, ERR_INVALID,
				       "certificate table: entries %zu and %zu have one GUID", n,
				       i);
		if (a->offset < (uint64_t)b->offset + b->len && b->offset < end)
			return err_set(e, ERR_INVALID,
				       "certificate table: entries %zu and %zu overlap", n, i);
	}
	return 0;
}

static void take_entry(struct snp_cert_table *out, const struct entry *entry, const uint8_t *table)
{
	for (size_t k = 0; k < ARRAY_LEN(known); k++) {
		if (memcmp(entry->guid, known[k].guid, GUID_LEN) != 0)
			continue;
		*(struct span *)(void *)((uint8_t *)out + known[k].at) =
			(struct span){ .bytes = table + entry->offset, .len = entry->len };
		return;
	}
	out->unknown++;
}

int snp_cert_table_parse(struct span table, struct snp_cert_table *out, struct err *e)
{
	struct entry entries[SNP_CERT_TABLE_ENTRIES_MAX];
	struct snp_cert_table made = { 0 };
	struct reader r = span_reader(table);
	size_t count = 0;

	if (table.len > SNP_CERT_TABLE_MAX)
		return err_set(e, ERR_INVALID, "certificate table of %zu bytes; at most %d",
			       table.len, SNP_CERT_TABLE_MAX);
	if (read_entries(&r, entries, &count, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < count; i++) {
		if (check_entry(entries, i, (count + 1) * ENTRY_LEN, table.len, e) < 0)
			return err_code(e);
		take_entry(&made, &entries[i], table.bytes);
	}
	*out = made;
	return 0;
}

bool snp_cert_table_is_empty(const struct snp_cert_table *table)
{
	for (size_t k = 0; k < ARRAY_LEN(known); k++) {
		const struct span *cert = (const void *)((const uint8_t *)table + known[k].at);

		if (cert->len)
			return false;
	}
	return table->unknown == 0;
}
