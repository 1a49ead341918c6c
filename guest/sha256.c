/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/sha256.h"

#include "common/base/bytes.h"

#include <string.h>

enum { BLOCK = 64, WORDS = 8, ROUNDS = 64 };

struct state {
	uint32_t h[WORDS];
	uint8_t block[BLOCK];
	uint64_t len;
};

/* FIPS 180-4, 5.3.3 and 4.2.2. */
static const uint32_t start[WORDS] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
				       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

static const uint32_t constants[ROUNDS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t turn(uint32_t x, unsigned by)
{
	return x >> by | x << (32 - by);
}

static void take_block(struct state *s)
{
	uint32_t w[ROUNDS], v[WORDS];

	for (size_t i = 0; i < 16; i++)
		w[i] = (uint32_t)bytes_be(s->block + 4 * i, 4);
	for (size_t i = 16; i < ROUNDS; i++)
		w[i] = (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10) + w[i - 7] +
		       (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 16];
	memcpy(v, s->h, sizeof(v));
	for (size_t i = 0; i < ROUNDS; i++) {
		uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
		uint32_t most = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
		uint32_t one = v[7] + (turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)) + choice +
			       constants[i] + w[i];
		uint32_t two = (turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)) + most;

		memmove(v + 1, v, sizeof(v) - sizeof(v[0]));
		v[4] += one;
		v[0] = one + two;
	}
	for (size_t i = 0; i < WORDS; i++)
		s->h[i] += v[i];
}

static void add(struct state *s, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		s->block[s->len++ % BLOCK] = bytes[i];
		if (s->len % BLOCK == 0)
			take_block(s);
	}
}

void sha256_two(const void *first, size_t first_len, const void *second, size_t second_len,
		uint8_t sum[SHA256_SUM])
{
	static const uint8_t one = 0x80, zero = 0;
	struct state s = { .len = 0 };
	uint8_t bits[8];

	memcpy(s.h, start, sizeof(start));
	add(&s, first, first_len);
	add(&s, second, second_len);
	bytes_put_be(bits, s.len * 8, sizeof(bits));
	add(&s, &one, 1);
	while (s.len % BLOCK != BLOCK - sizeof(bits))
		add(&s, &zero, 1);
	add(&s, bits, sizeof(bits));
	for (size_t i = 0; i < WORDS; i++)
		bytes_put_be(sum + 4 * i, s.h[i], 4);
	/* What was read may be a key's last bytes. */
	explicit_bzero(&s, sizeof(s));
}
