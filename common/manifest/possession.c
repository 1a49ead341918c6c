/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest/possession.h"

#include "common/base/writer.h"

#include <string.h>

static void put(struct writer *w, const void *bytes, size_t len)
{
	writer_be32(w, (uint32_t)len);
	writer_bytes(w, bytes, len);
}

int possession_message(const struct possession *p, uint8_t **bytes, size_t *len, struct err *e)
{
	static const char label[] = POSSESSION_LABEL; /* its final zero belongs to it */
	CLEANUP_WRITER struct writer w = writer_up_to(1024);
	size_t user = strlen(p->user), computation = strlen(p->computation);

	if (!user || user > POSSESSION_TEXT_MAX || computation > POSSESSION_TEXT_MAX)
		return err_set(e, ERR_INVALID,
			       "key: a user's name has 1 to %d bytes, a computation's id at most "
			       "as many",
			       POSSESSION_TEXT_MAX);
	writer_bytes(&w, label, sizeof(label));
	put(&w, p->service, sizeof(p->service));
	put(&w, p->user, user);
	put(&w, p->computation, computation);
	put(&w, p->key, sizeof(p->key));
	put(&w, p->challenge, sizeof(p->challenge));
	if (writer_check(&w, "possession of a key", e) < 0)
		return err_code(e);
	*bytes = writer_take(&w, len);
	return *bytes ? 0 : err_nomem(e);
}
