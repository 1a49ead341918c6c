/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/asset.h"

#include "common/base/encode.h"
#include "common/crypto/digest.h"

#include <string.h>

/* `"…"` with the SHA-256 of the bytes. */
static int etag_of(const void *bytes, size_t len, char etag[HTTP_ETAG_MAX], struct err *e)
{
	uint8_t sha[SHA256_LEN];

	if (digest(DIGEST_SHA256, bytes, len, sha, e) < 0)
		return err_code(e);
	etag[0] = '"';
	hex_encode(sha, sizeof(sha), etag + 1);
	memcpy(etag + 1 + 2 * sizeof(sha), "\"", 2);
	return 0;
}

void http_asset_serve(struct http_request *r, const struct http_asset *asset)
{
	struct http_answer answer = { .status = 200,
				      .type = asset->type,
				      .cache = "no-cache",
				      .csp = asset->csp,
				      .len = asset->len };
	char etag[HTTP_ETAG_MAX];
	struct err e;

	if (etag_of(asset->bytes, asset->len, etag, &e) < 0) {
		http_request_fail(r, &e);
		return;
	}
	answer.etag = etag;
	answer.body = malloc(asset->len + 1);
	if (!answer.body) {
		http_request_fail(r, (err_nomem(&e), &e));
		return;
	}
	memcpy(answer.body, asset->bytes, asset->len);
	http_request_answer(r, &answer);
}
