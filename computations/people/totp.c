/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/totp.h"

#include "common/crypto/digest.h"

#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>

enum { SHA1_BYTES = 20, TOTP_MODULUS = 1000000 };

int totp_code(const uint8_t secret[TOTP_SECRET_LEN], int64_t step, char code[TOTP_DIGITS + 1],
	      struct err *e)
{
	uint8_t counter[8], mac[DIGEST_MAX];
	uint32_t number;
	const uint8_t *at;

	for (int i = 0; i < 8; i++)
		counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
	if (hmac(DIGEST_SHA1, secret, TOTP_SECRET_LEN, counter, sizeof(counter), mac, e) < 0)
		return err_code(e);
	/* RFC 4226, section 5.3. */
	at = mac + (mac[SHA1_BYTES - 1] & 15);
	number = (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
		 at[3];
	snprintf(code, TOTP_DIGITS + 1, "%06u", number % TOTP_MODULUS);
	OPENSSL_cleanse(mac, sizeof(mac));
	return 0;
}

int totp_matches(const uint8_t secret[TOTP_SECRET_LEN], const char *code, int64_t now, int64_t last,
		 bool *matches, int64_t *step, struct err *e)
{
	char made[TOTP_DIGITS + 1];
	bool found = false;

	if (strlen(code) != TOTP_DIGITS) {
		*matches = false;
		return 0;
	}
	for (int64_t s = now / TOTP_STEP_MS - TOTP_WINDOW; s <= now / TOTP_STEP_MS + TOTP_WINDOW;
	     s++) {
		if (totp_code(secret, s, made, e) < 0)
			return err_code(e);
		/* The first, so that the one after it still counts. */
		if (CRYPTO_memcmp(made, code, TOTP_DIGITS) == 0 && s > last && !found) {
			found = true;
			*step = s;
		}
	}
	OPENSSL_cleanse(made, sizeof(made));
	*matches = found;
	return 0;
}

void totp_base32(const uint8_t secret[TOTP_SECRET_LEN], char text[TOTP_BASE32_LEN + 1])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

	for (int i = 0; i < TOTP_BASE32_LEN; i++) {
		unsigned value = 0;

		for (int bit = 5 * i; bit < 5 * i + 5; bit++)
			value = value << 1 | (secret[bit / 8] >> (7 - bit % 8) & 1);
		text[i] = letters[value];
	}
	text[TOTP_BASE32_LEN] = 0;
}

void totp_uri(const char text[TOTP_BASE32_LEN + 1], const char *user, char uri[TOTP_URI_MAX])
{
	size_t len = (size_t)snprintf(uri, TOTP_URI_MAX, "otpauth://totp/cocos:");

	/* Of a user's name these two mean something in addresses (people_name_check()). */
	for (; *user; user++)
		len += (size_t)snprintf(uri + len, TOTP_URI_MAX - len,
					*user == '@' || *user == '+' ? "%%%02X" : "%c", *user);
	snprintf(uri + len, TOTP_URI_MAX - len,
		 "?secret=%s&issuer=cocos&algorithm=SHA1&digits=%d&period=%d", text, TOTP_DIGITS,
		 TOTP_STEP_MS / 1000);
}
