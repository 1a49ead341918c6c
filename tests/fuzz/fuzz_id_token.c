/* SPDX-License-Identifier: Apache-2.0 */
/* ID tokens: as they come; and, where the input is a header, a zero byte and claims, signed by a key of the header's
 * algorithm, so that the claims are reached. */
#include "computations/oidc/id_token.h"
#include "tests/jws_sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct id_token_want want = { "https://idp.example", "cocos", "n", 1700000000 };
static struct jwks keys;

static void get_keys(void)
{
	struct writer w = writer_up_to(8192);
	struct err e;

	if (keys.count)
		return;
	jws_put_set(&w);
	assert(jwks_parse(w.bytes, w.len, &keys, &e) == 0);
	writer_done(&w);
}

/* What was taken says what it has to; and nothing but all of it is taken. */
static void check_taken(const char *text, struct id_token *token)
{
	struct id_token_want other = want;
	struct id_token again;
	struct err e;

	assert(*token->subject && strlen(token->subject) <= ID_TOKEN_SUBJECT_MAX);
	assert(strcmp(id_token_text(token, "iss"), want.issuer) == 0);
	assert(id_token_has(token, "aud", want.client) && id_token_has(token, "nonce", "n"));
	assert(!id_token_has(token, "aud", "somebody else's") || id_token_text(token, "azp"));
	(void)id_token_has(token, "groups", "staff");
	(void)id_token_has(token, "email", "a@x.example");
	assert(!id_token_text(token, "no such claim"));
	other.nonce = "m";
	assert(id_token_read(text, &keys, &other, &again, &e) == -ERR_DENIED);
	other = want;
	other.now += 1 << 30;
	assert(id_token_read(text, &keys, &other, &again, &e) == -ERR_DENIED);
}

static void try(const char *text, bool is_signed)
{
	struct id_token token;
	struct err e;

	if (id_token_read(text, &keys, &want, &token, &e) < 0)
		return;
	assert(is_signed); /* by a key that did not exist when the input was made */
	check_taken(text, &token);
	id_token_done(&token);
}

static enum jws_algorithm algorithm_of(const char *header)
{
	for (int a = 0; a < JWS_ALGORITHMS; a++)
		if (strstr(header, jws_algorithm_name((enum jws_algorithm)a)))
			return (enum jws_algorithm)a;
	return JWS_EDDSA;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct writer text = writer_up_to(len + 1), w = writer_up_to(4 * len + 4096);
	size_t header;

	get_keys();
	writer_bytes(&text, bytes, len);
	writer_u8(&text, 0);
	header = strlen((char *)text.bytes);
	try((char *)text.bytes, false);
	if (header < len) {
		jws_put_token(&w, algorithm_of((char *)text.bytes), (char *)text.bytes,
			      text.bytes + header + 1, len - header - 1);
		try((char *)w.bytes, true);
		w.bytes[w.len / 2] ^= 1;
		try((char *)w.bytes, false);
	}
	writer_done(&text);
	writer_done(&w);
	return 0;
}
