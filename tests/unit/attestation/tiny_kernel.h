/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tiny_kernel.h — the smallest file that firmware takes for a Linux kernel, with a signature's place
 * and all; it would not run. The tests' values for it were computed by another program.
 */
#pragma once

#include <stdint.h>
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

static inline void tiny_put(uint8_t *at, size_t len, uint32_t value)
{
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static inline void tiny_section(uint8_t *k, size_t index, uint32_t at, uint32_t len)
{
	uint8_t *row = k + TINY_SECTIONS + 40 * index;
	const uint8_t name[3] = { '.', 's', (uint8_t)('0' + index) };

	memcpy(row, name, sizeof(name));
	tiny_put(row + 8, 4, len);
	tiny_put(row + 16, 4, len);
	tiny_put(row + 20, 4, at);
}

static inline void tiny_kernel(uint8_t k[TINY_LEN])
{
	memset(k, 0, TINY_LEN);
	memcpy(k, "MZ", 2);
	tiny_put(k + 0x3c, 4, 0x80);
	memcpy(k + 0x80, "PE", 2);
	tiny_put(k + 0x84, 2, 0x8664);
	tiny_put(k + 0x86, 2, 3);
	tiny_put(k + 0x94, 2, 160);
	tiny_put(k + 0x96, 2, 0x206);
	tiny_put(k + TINY_OPTIONAL, 2, 0x20b);
	tiny_put(k + TINY_OPTIONAL + 60, 4, TINY_HEADERS);
	tiny_put(k + TINY_OPTIONAL + 64, 4, 0x12345678);
	tiny_put(k + TINY_OPTIONAL + 108, 4, 6);
	tiny_put(k + TINY_CERTIFICATES, 4, TINY_END);
	tiny_put(k + TINY_CERTIFICATES + 4, 4, TINY_CERT_LEN);
	tiny_section(k, 0, TINY_HEADERS, 512);
	tiny_section(k, 1, 0, 0);
	tiny_section(k, 2, TINY_HEADERS + 512, 300);
	memcpy(k + 0x202, "HdrS", 4);
	tiny_put(k + 0x206, 2, 0x20f);
	tiny_put(k + 0x236, 2, 3);
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
