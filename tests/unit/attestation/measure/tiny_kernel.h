/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tiny_kernel.h — the smallest file that firmware takes for a Linux kernel, with a signature's place
 * and all; it would not run. The tests' values for it were computed by another program.
 */
#pragma once

#include "common/base/bytes.h"

#include <string.h>

enum {
	TINY_HEADERS = 1024,
	TINY_OPTIONAL = 0x98,
	TINY_SECTIONS = TINY_OPTIONAL + 160,
	TINY_CERTIFICATES = TINY_OPTIONAL + 112 + 32,
	TINY_CERT_LEN = 64,
	TINY_END = TINY_HEADERS + 512 + 300 + 8,
	TINY_LEN = TINY_END + TINY_CERT_LEN,
	TINY_INITRD_LEN = 700,
};

static inline void tiny_section(uint8_t *k, size_t index, uint32_t at, uint32_t len)
{
	uint8_t *row = k + TINY_SECTIONS + 40 * index;
	const uint8_t name[3] = { '.', 's', (uint8_t)('0' + index) };

	memcpy(row, name, sizeof(name));
	bytes_put_le(row + 8, len, 4);
	bytes_put_le(row + 16, len, 4);
	bytes_put_le(row + 20, at, 4);
}

static inline void tiny_kernel(uint8_t k[TINY_LEN])
{
	memset(k, 0, TINY_LEN);
	memcpy(k, "MZ", 2);
	bytes_put_le(k + 0x3c, 0x80, 4);
	memcpy(k + 0x80, "PE", 2);
	bytes_put_le(k + 0x84, 0x8664, 2);
	bytes_put_le(k + 0x86, 3, 2);
	bytes_put_le(k + 0x94, 160, 2);
	bytes_put_le(k + 0x96, 0x206, 2);
	bytes_put_le(k + TINY_OPTIONAL, 0x20b, 2);
	bytes_put_le(k + TINY_OPTIONAL + 60, TINY_HEADERS, 4);
	bytes_put_le(k + TINY_OPTIONAL + 64, 0x12345678, 4);
	bytes_put_le(k + TINY_OPTIONAL + 108, 6, 4);
	bytes_put_le(k + TINY_CERTIFICATES, TINY_END, 4);
	bytes_put_le(k + TINY_CERTIFICATES + 4, TINY_CERT_LEN, 4);
	tiny_section(k, 0, TINY_HEADERS, 512);
	tiny_section(k, 1, 0, 0);
	tiny_section(k, 2, TINY_HEADERS + 512, 300);
	memcpy(k + 0x202, "HdrS", 4);
	bytes_put_le(k + 0x206, 0x20f, 2);
	bytes_put_le(k + 0x236, 3, 2);
	k[0x211] = 1;
	for (size_t i = 0; i < 512; i++)
		k[TINY_HEADERS + i] = (uint8_t)(7 * i + 3);
	for (size_t i = 0; i < 300; i++)
		k[TINY_HEADERS + 512 + i] = (uint8_t)(11 * i + 5);
	memcpy(k + TINY_END - 8, "trailer!", 8);
	memset(k + TINY_END, 'C', TINY_CERT_LEN);
}

static inline void tiny_initrd(uint8_t initrd[TINY_INITRD_LEN])
{
	for (size_t i = 0; i < TINY_INITRD_LEN; i++)
		initrd[i] = (uint8_t)"initrd\n"[i % 7];
}
