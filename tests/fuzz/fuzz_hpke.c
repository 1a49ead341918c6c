/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed messages: as they come, none opens but what was sealed; and what the input has sealed opens, until it is changed. */
#include "common/crypto/hpke.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { OVERHEAD = HPKE_KEY_LEN + HPKE_TAG_LEN };

static struct hpke_key own, sender;

static void take(uint8_t byte, struct hpke_key *key)
{
	uint8_t secret[32];
	struct err e;

	memset(secret, byte, sizeof(secret));
	assert(hpke_key_of(secret, key, &e) == 0);
}

/* Nobody seals for a key by chance: what opens is of the corpus, whose text says so. */
static void open_any(const struct hpke_about *about, const uint8_t *from, const uint8_t *sealed,
		     size_t len)
{
	size_t room = len > OVERHEAD ? len - OVERHEAD : 1;
	uint8_t *plain = malloc(room);
	struct err e;
	int failed;

	assert(plain);
	failed = hpke_open(&own, from, about, sealed, sealed + HPKE_KEY_LEN, len - HPKE_KEY_LEN,
			   plain, &e);
	assert(!failed || err_is(failed, ERR_DENIED) || err_is(failed, ERR_INVALID));
	assert(failed || (len == OVERHEAD + 4 && memcmp(plain, "seed", 4) == 0));
	free(plain);
}

static void seal_and_open(const struct hpke_about *about, const struct hpke_key *from,
			  const uint8_t *text, size_t len)
{
	uint8_t *sealed = malloc(len + OVERHEAD), *plain = malloc(len + 1);
	const uint8_t *by = from ? from->public : NULL;
	struct err e;

	assert(sealed && plain);
	assert(hpke_seal(own.public, from, about, text, len, sealed, sealed + HPKE_KEY_LEN, &e) ==
	       0);
	assert(hpke_open(&own, by, about, sealed, sealed + HPKE_KEY_LEN, len + HPKE_TAG_LEN, plain,
			 &e) == 0);
	assert(len == 0 || memcmp(plain, text, len) == 0);
	sealed[len ? text[0] % (len + OVERHEAD) : 0] ^= 1;
	assert(hpke_open(&own, by, about, sealed, sealed + HPKE_KEY_LEN, len + HPKE_TAG_LEN, plain,
			 &e) < 0);
	free(sealed);
	free(plain);
}

/* byte: how many of info, and whether by the sender; info; sealed, or the text. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct hpke_about about = { .aad = "aad", .aad_len = 3 };
	bool by_sender;

	if (!len)
		return 0;
	if (!sender.secret[0]) {
		take(1, &own);
		take(2, &sender);
	}
	by_sender = bytes[0] & 1;
	about.info_len = bytes[0] >> 1;
	if (about.info_len > len - 1)
		return 0;
	about.info = bytes + 1;
	bytes += 1 + about.info_len;
	len -= 1 + about.info_len;
	if (len < HPKE_KEY_LEN)
		return 0;
	open_any(&about, by_sender ? sender.public : NULL, bytes, len);
	/* A sender's key as it came, too. */
	if (len >= 2 * HPKE_KEY_LEN)
		open_any(&about, bytes, bytes + HPKE_KEY_LEN, len - HPKE_KEY_LEN);
	seal_and_open(&about, by_sender ? &sender : NULL, bytes, len);
	return 0;
}
