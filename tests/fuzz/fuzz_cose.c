/* SPDX-License-Identifier: Apache-2.0 */
/* COSE_Sign1 messages: as they come, and signed again by a key of their algorithm. */
#include "tests/fuzz/cose_resign.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char aad[] = "external data";

/* Right by its own key over its own data, and by nothing else. */
static void check_signature(struct cose *m)
{
	uint8_t sig[SIGNATURE_MAX];
	const struct cose_test_key *k = cose_resign(m, aad, sizeof(aad), sig);
	struct err e;

	assert(cose_algorithm_name(m->algorithm));
	assert(cose_verify(m, k->key, aad, sizeof(aad), &e) == 0);
	assert(cose_verify(m, k->key, aad, sizeof(aad) - 1, &e) == -ERR_DENIED);
	for (size_t i = 0; i < ARRAY_LEN(cose_test_keys); i++)
		if (&cose_test_keys[i] != k && cose_test_keys[i].key)
			assert(cose_verify(m, cose_test_keys[i].key, aad, sizeof(aad), &e) ==
			       -ERR_DENIED);
	m->signature_len--;
	assert(cose_verify(m, k->key, aad, sizeof(aad), &e) == -ERR_DENIED);
	m->signature_len++;
	sig[m->signature_len / 2] ^= 1;
	assert(cose_verify(m, k->key, aad, sizeof(aad), &e) == -ERR_DENIED);
}

/* What we write of the same payload reads as that, and verifies. */
static void check_writing(const struct cose *m)
{
	CLEANUP_WRITER struct writer w = writer_up_to(2 * COSE_MAX);
	const struct cose_test_key *k = cose_test_key(m->algorithm);
	struct cose_content c = { .payload = m->payload, .payload_len = m->payload_len };
	struct cose again;
	struct err e;

	if (m->payload_len % 2) {
		c.content_type = "application/x";
		c.kid = "kid";
		c.kid_len = 3;
		c.extra_label = 8;
		c.extra = aad;
		c.extra_len = sizeof(aad);
	}
	if (m->payload_len > COSE_MAX - 4096)
		return;
	assert(cose_sign(&c, k->key, &w, &e) == 0);
	assert(cose_parse(w.bytes, w.len, NULL, 0, &again, &e) == 0);
	assert(again.algorithm == m->algorithm && again.payload_len == m->payload_len);
	assert(cose_verify(&again, k->key, NULL, 0, &e) == 0);
	cose_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const int64_t known[] = { 8 }; /* corim-meta */
	struct cose m;
	struct err e;

	if (cose_parse(bytes, len, known, ARRAY_LEN(known), &m, &e) < 0)
		return 0;
	/* What was accepted lies within the input. */
	if (m.payload < bytes || m.payload_len > len || m.signature_len > len)
		__builtin_trap();
	/* Nobody has signed it with a key that did not exist. */
	assert(cose_verify(&m, cose_test_key(m.algorithm)->key, NULL, 0, &e) == -ERR_DENIED);
	check_signature(&m);
	check_writing(&m);
	cose_done(&m);
	return 0;
}
