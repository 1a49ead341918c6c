/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/formats/signatures.h"

#include "common/base/bytes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

struct entry {
	uint8_t digest[SHA256_LEN];
	uint64_t used; /* when, in uses; 0: an empty place */
};

struct signatures {
	pthread_mutex_t lock;
	uint64_t uses;
	struct entry authorities[SIGNATURES_AUTHORITIES_MAX], leaves[SIGNATURES_LEAVES_MAX];
};

int signatures_new(struct signatures **made, struct err *e)
{
	struct signatures *s = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem(e);
	if (pthread_mutex_init(&s->lock, NULL) != 0) {
		free(s);
		return err_nomem(e);
	}
	*made = s;
	return 0;
}

void signatures_free(struct signatures *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

static struct entry *shelf_of(struct signatures *s, enum signatures_shelf shelf, size_t *count)
{
	*count = shelf == SIGNATURES_LEAVES ? ARRAY_LEN(s->leaves) : ARRAY_LEN(s->authorities);
	return shelf == SIGNATURES_LEAVES ? s->leaves : s->authorities;
}

static struct entry *find(struct signatures *s, enum signatures_shelf shelf,
			  const uint8_t digest[SHA256_LEN])
{
	size_t count;
	struct entry *entries = shelf_of(s, shelf, &count);

	for (size_t i = 0; i < count; i++)
		if (entries[i].used && memcmp(entries[i].digest, digest, SHA256_LEN) == 0)
			return &entries[i];
	return NULL;
}

/* Each part with its length before it: no two facts are one text. */
int signatures_digest(const struct signatures_fact *fact, uint8_t out[SHA256_LEN], struct err *e)
{
	uint8_t lengths[3][8];
	const struct span parts[] = { fact->algorithm, fact->bytes, fact->signature };
	struct digest_part pieces[1 + 2 * ARRAY_LEN(parts)] = { { fact->key_digest, SHA256_LEN } };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		for (size_t k = 0; k < 8; k++)
			lengths[i][k] = (uint8_t)((uint64_t)parts[i].len >> 8 * k);
		pieces[1 + 2 * i] = (struct digest_part){ lengths[i], 8 };
		pieces[2 + 2 * i] = (struct digest_part){ parts[i].bytes, parts[i].len };
	}
	return digest_parts(DIGEST_SHA256, pieces, ARRAY_LEN(pieces), out, e);
}

bool signatures_know(struct signatures *s, const struct signatures_fact *fact,
		     uint8_t digest[SHA256_LEN])
{
	struct entry *entry = NULL;
	struct err ignored;

	memset(digest, 0, SHA256_LEN);
	if (!s || signatures_digest(fact, digest, &ignored) < 0)
		return false;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; !entry && i < SIGNATURES_SHELVES; i++)
		entry = find(s, (enum signatures_shelf)i, digest);
	if (entry)
		entry->used = ++s->uses;
	pthread_mutex_unlock(&s->lock);
	return entry != NULL;
}

void signatures_add(struct signatures *s, enum signatures_shelf shelf,
		    const uint8_t digest[SHA256_LEN])
{
	static const uint8_t none[SHA256_LEN]; /* the fact could not be digested */
	struct entry *entries, *oldest;
	size_t count;

	if (!s || memcmp(digest, none, SHA256_LEN) == 0)
		return;
	pthread_mutex_lock(&s->lock);
	entries = shelf_of(s, shelf, &count);
	oldest = find(s, shelf, digest); /* another thread may have been faster */
	for (size_t i = 0; !oldest && i < count; i++)
		if (!entries[i].used)
			oldest = &entries[i];
	if (!oldest) {
		oldest = entries;
		for (size_t i = 1; i < count; i++)
			if (entries[i].used < oldest->used)
				oldest = &entries[i];
	}
	memcpy(oldest->digest, digest, SHA256_LEN);
	oldest->used = ++s->uses;
	pthread_mutex_unlock(&s->lock);
}
