/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest/confirmation.h"

#include "common/base/writer.h"

#include <string.h>

static void put(struct writer *w, const void *bytes, size_t len)
{
	writer_be32(w, (uint32_t)len);
	writer_bytes(w, bytes, len);
}

static bool is_text(const char *text)
{
	return *text && strlen(text) <= POSSESSION_TEXT_MAX;
}

int confirmation_message(const struct confirmation *c, uint8_t **bytes, size_t *len, struct err *e)
{
	static const char label[] = CONFIRMATION_LABEL; /* its final zero belongs to it */
	CLEANUP_WRITER struct writer w = writer_up_to(1024);

	if (!is_text(c->user) || !is_text(c->computation))
		return err_set(e, ERR_INVALID,
			       "confirmation: a user's name and a computation's id have 1 to %d "
			       "bytes each",
			       POSSESSION_TEXT_MAX);
	writer_bytes(&w, label, sizeof(label));
	put(&w, c->service, sizeof(c->service));
	put(&w, c->user, strlen(c->user));
	put(&w, c->computation, strlen(c->computation));
	put(&w, c->key, sizeof(c->key));
	put(&w, c->digest, sizeof(c->digest));
	writer_be32(&w, sizeof(c->revision));
	writer_be64(&w, c->revision);
	if (writer_check(&w, "confirmation of a manifest", e) < 0)
		return err_code(e);
	*bytes = writer_take(&w, len);
	return *bytes ? 0 : err_nomem(e);
}

int confirmation_verify(const struct confirmation *c, EVP_PKEY *key, const uint8_t *signature,
			size_t len, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t size;

	if (confirmation_message(c, &bytes, &size, e) < 0)
		return err_code(e);
	if (key_verify(key, bytes, size, signature, len, e) == 0)
		return 0;
	return err_set(e, ERR_DENIED,
		       "the signature is not this key's over this manifest, for this service and "
		       "user");
}
