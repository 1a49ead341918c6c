/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/judged_keys.h"

#include "common/crypto/key.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* Of a key. */
struct verdict {
	struct err why; /* ERR_OK: sound */
	size_t len;
	uint8_t spki[];
};

static int compare(const void *one, const void *other)
{
	const struct verdict *a = one, *b = other;

	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->spki, b->spki, a->len);
}

static struct verdict *verdict_new(const ProtobufCBinaryData *spki, struct err *e)
{
	struct verdict *v = calloc(1, sizeof(*v) + spki->len);

	if (!v) {
		err_nomem(e);
		return NULL;
	}
	v->len = spki->len;
	if (spki->len)
		memcpy(v->spki, spki->data, spki->len);
	return v;
}

/* 1: it was not known yet. */
static int judge_key(struct judged_keys *keys, const ProtobufCBinaryData *spki, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) struct verdict *made = verdict_new(spki, e);
	struct verdict **kept = made ? tsearch(made, &keys->verdicts, compare) : NULL;

	if (!kept)
		return err_nomem(e);
	if (*kept != made)
		return 0;
	if (key_from_spki(spki->data, spki->len, &key, &made->why) == 0)
		made->why.code = ERR_OK;
	made = NULL;
	return 1;
}

static int look_up(void *data, const ProtobufCBinaryData *spki, struct err *e)
{
	const struct judged_keys *keys = data;
	CLEANUP(free) struct verdict *asked = verdict_new(spki, e);
	struct verdict *const *found = asked ? tfind(asked, &keys->verdicts, compare) : NULL;

	if (!asked)
		return err_code(e);
	if (!found)
		return err_set(e, ERR_INTERNAL, "nobody has judged it");
	if ((*found)->why.code == ERR_OK)
		return 0;
	*e = (*found)->why;
	return err_code(e);
}

int judged_keys_step(struct judged_keys *keys, const Cvms__ComputationRunReq *manifest,
		     struct err *e)
{
	static const struct manifest_keys later = { manifest_key_parse, NULL };
	const struct manifest_keys judged = { look_up, keys };
	const ProtobufCBinaryData *spki;
	int found = 0;

	/* What is wrong with it otherwise is found out at once. */
	if (!keys->at && manifest_check_by(manifest, &later, e) < 0)
		return err_code(e);
	while (!found && (spki = manifest_key_at(manifest, keys->at))) {
		keys->at++;
		found = judge_key(keys, spki, e);
	}
	if (found > 0)
		return 1;
	keys->at = 0; /* of the next manifest */
	return found < 0 ? err_code(e) : manifest_check_by(manifest, &judged, e);
}

void judged_keys_done(struct judged_keys *keys)
{
	tdestroy(keys->verdicts, free);
	keys->verdicts = NULL;
}
