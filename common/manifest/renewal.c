/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest/renewal.h"

#include "common/base/writer.h"

#include <string.h>

static void put(struct writer *w, const void *bytes, size_t len)
{
	writer_be32(w, (uint32_t)len);
	writer_bytes(w, bytes, len);
}

int renewal_message(const struct renewal *r, uint8_t **bytes, size_t *len, struct err *e)
{
	static const char label[] = RENEWAL_LABEL; /* its final zero belongs to it */
	CLEANUP_WRITER struct writer w = writer_up_to(512);
	const size_t serial = strlen(r->serial);
	const uint8_t same = r->same_key;
	uint8_t request[SHA256_LEN];

	if (!serial || serial > RENEWAL_SERIAL_MAX)
		return err_set(e, ERR_INVALID, "a serial number of %zu digits; wanted 1 to %d",
			       serial, RENEWAL_SERIAL_MAX);
	if (digest(DIGEST_SHA256, r->request.bytes, r->request.len, request, e) < 0)
		return err_code(e);
	writer_bytes(&w, label, sizeof(label));
	put(&w, r->serial, serial);
	put(&w, r->nonce, RENEWAL_NONCE_LEN);
	put(&w, &same, sizeof(same));
	put(&w, request, sizeof(request));
	if (writer_check(&w, "renewal of a certificate", e) < 0)
		return err_code(e);
	*bytes = writer_take(&w, len);
	return *bytes ? 0 : err_nomem(e);
}
