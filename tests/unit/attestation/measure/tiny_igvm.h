/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tiny_igvm.h — an IGVM file (format version 1) for SEV-SNP, of single pages, put together page by page.
 */
#pragma once

#include "attestation/measure/igvm.h"
#include "attestation/snp/snp_report.h"
#include "common/base/bytes.h"

#include <string.h>

enum {
	TINY_IGVM_PAGES_MAX = 8,
	TINY_IGVM_PAGE = 4096,
	TINY_IGVM_FIXED = 24,
	TINY_IGVM_HEADERS_MAX = 1024,
	TINY_IGVM_MAX =
		TINY_IGVM_FIXED + TINY_IGVM_HEADERS_MAX + TINY_IGVM_PAGES_MAX * TINY_IGVM_PAGE,
	TINY_IGVM_UNMEASURED = 2, /* flag of a page */
};

struct tiny_page {
	uint64_t gpa;
	const uint8_t *bytes; /* NULL: none in the file */
	bool is_vmsa;
	uint32_t flags;
	uint16_t type; /* enum igvm_data_type */
	uint32_t mask; /* 0: that of SEV-SNP */
};

static inline uint32_t tiny_crc32(const uint8_t *bytes, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < 8 * len; i++) {
		uint32_t bit = (crc ^ (uint32_t)(bytes[i / 8] >> i % 8)) & 1;

		crc = crc >> 1 ^ (bit ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

static inline uint8_t *tiny_header(uint8_t *h, uint32_t type, uint32_t len)
{
	bytes_put_le(h, type, 4);
	bytes_put_le(h + 4, len, 4);
	return h + 8;
}

static inline size_t tiny_headers_len(size_t count, bool id_block)
{
	return 24 + 32 * count + (id_block ? 704 : 0);
}

/* Returns the file's length. `id_block`: the launch digest that it is to name, or NULL. */
static inline size_t tiny_igvm(const struct tiny_page *pages, size_t count, const uint8_t *id_block,
			       uint8_t file[TINY_IGVM_MAX])
{
	size_t headers = tiny_headers_len(count, id_block != NULL);
	size_t len = TINY_IGVM_FIXED + headers;
	uint8_t *h = file + TINY_IGVM_FIXED;

	memset(file, 0, TINY_IGVM_MAX);
	memcpy(file, "IGVM", 4);
	bytes_put_le(file + 4, 1, 4);
	bytes_put_le(file + 8, TINY_IGVM_FIXED, 4);
	bytes_put_le(file + 12, headers, 4);
	h = tiny_header(h, 0x1, 16);
	bytes_put_le(h, 1, 4);
	h[5] = IGVM_SEV_SNP;
	bytes_put_le(h + 6, 1, 2);
	h += 16;
	if (id_block) {
		h = tiny_header(h, 0x30b, 696);
		bytes_put_le(h, 1, 4);
		memcpy(h + 8, id_block, SNP_DIGEST_LEN);
		h += 696;
	}
	for (size_t i = 0; i < count; i++) {
		const struct tiny_page *p = &pages[i];
		uint8_t *body = tiny_header(h, p->is_vmsa ? 0x304 : 0x302, p->is_vmsa ? 20 : 24);

		h += 32;
		bytes_put_le(body, p->gpa, 8);
		bytes_put_le(body + 8, p->mask ? p->mask : 1, 4);
		bytes_put_le(body + 12, p->bytes ? len : 0, 4);
		if (!p->is_vmsa) {
			bytes_put_le(body + 16, p->flags, 4);
			bytes_put_le(body + 20, p->type, 2);
		}
		if (p->bytes) {
			memcpy(file + len, p->bytes, TINY_IGVM_PAGE);
			len += TINY_IGVM_PAGE;
		}
	}
	bytes_put_le(file + 16, len, 4);
	bytes_put_le(file + 20, tiny_crc32(file, TINY_IGVM_FIXED + headers), 4);
	return len;
}
