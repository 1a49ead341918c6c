/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/computation/refusal.h"

#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/crypto/key.h"

#include <stdio.h>
#include <string.h>

struct places {
	const struct asset *dataset; /* the first */
	size_t datasets;
	bool algorithm, consumer;
};

static bool is_key(const ProtobufCBinaryData *a, const struct access *access)
{
	return a->len == access->signer.len && memcmp(a->data, access->signer.data, a->len) == 0;
}

static struct places places_of(const struct access *access, const struct computation *c)
{
	struct places p = { .algorithm = is_key(c->algorithm.key, access) };

	for (size_t i = 0; i < c->dataset_count; i++) {
		if (!is_key(c->datasets[i].key, access))
			continue;
		if (!p.datasets++)
			p.dataset = &c->datasets[i];
	}
	for (size_t i = 0; i < c->consumer_count; i++)
		p.consumer |= is_key(c->consumers[i].key, access);
	return p;
}

static int not_by(const char *whose, const struct places *p, struct err *e)
{
	char datasets[ERR_TEXT_MAX / 2] = "", more[32] = "";

	if (p->datasets > 1)
		snprintf(more, sizeof(more), " and %zu more", p->datasets - 1);
	if (p->datasets)
		snprintf(datasets, sizeof(datasets), "dataset %.80s%s",
			 p->dataset->name[0] ? log_quote(p->dataset->name).text : "without a name",
			 more);
	return err_set(e, ERR_DENIED, "not signed by %s: " PROOF_REFUSED_OTHER " %s%s%s%s%s", whose,
		       datasets, p->datasets && p->algorithm ? ", " : "",
		       p->algorithm ? "the algorithm" : "",
		       (p->datasets || p->algorithm) && p->consumer ? ", " : "",
		       p->consumer ? "results" : "");
}

static int unknown(const struct access *access, const char *whose, struct err *e)
{
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	char hex[2 * KEY_FINGERPRINT_LEN + 1];

	if (key_fingerprint(access->signer.data, access->signer.len, fingerprint, e) < 0)
		return err_code(e);
	hex_encode(fingerprint, sizeof(fingerprint), hex);
	return err_set(e, ERR_DENIED, "not signed by %s: " PROOF_REFUSED_UNKNOWN ", %s", whose,
		       hex);
}

int refusal_not_signed(const struct access *access, const struct computation *c, const char *whose,
		       const uint8_t *asset, const struct writer *parameters, struct err *e)
{
	struct places p;

	if (challenge_was_refused(access->challenge, e))
		return err_code(e);
	if (!access->is_proof || !access->signer.len)
		return err_set(e, ERR_DENIED,
			       "not signed for this call by %s (another key, or another content, "
			       "computation or connection)",
			       whose);
	if (access_is_signed(access, &access->signer, c->digests.sha3_256, asset, parameters, e) <
	    0)
		return err_set(e, ERR_DENIED,
			       "not signed for this call: " PROOF_REFUSED_SIGNATURE
			       " (another content, computation or connection)");
	p = places_of(access, c);
	if (!p.datasets && !p.algorithm && !p.consumer)
		return unknown(access, whose, e);
	if (access_verify(access, &access->signer, c->digests.sha3_256, asset, parameters, e) < 0)
		return err_code(e); /* shown or not, its challenge is used up */
	return not_by(whose, &p, e);
}
