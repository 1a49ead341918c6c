/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/hook/hook_sign.h"

#include "common/base/encode.h"
#include "common/base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int hook_secret_text(const uint8_t secret[HOOK_SECRET_LEN], char text[HOOK_SECRET_TEXT_MAX],
		     struct err *e)
{
	char *base64 = base64_encode(secret, HOOK_SECRET_LEN);

	if (!base64)
		return err_nomem(e);
	snprintf(text, HOOK_SECRET_TEXT_MAX, "whsec_%s", base64);
	explicit_bzero(base64, strlen(base64));
	free(base64);
	return 0;
}

static int add(const uint8_t *secret, const char *content, char text[HOOK_SIGNATURE_MAX],
	       struct err *e)
{
	CLEANUP(free) char *base64 = NULL;
	uint8_t mac[SHA256_LEN];
	size_t len = strlen(text);

	if (hmac(DIGEST_SHA256, secret, HOOK_SECRET_LEN, content, strlen(content), mac, e) < 0)
		return err_code(e);
	base64 = base64_encode(mac, sizeof(mac));
	if (!base64)
		return err_nomem(e);
	snprintf(text + len, HOOK_SIGNATURE_MAX - len, "%sv1,%s", len ? " " : "", base64);
	return 0;
}

int hook_sign(const uint8_t *secret, const uint8_t *before, const char *id, int64_t timestamp,
	      const char *body, char text[HOOK_SIGNATURE_MAX], struct err *e)
{
	CLEANUP(free) char *content = NULL;
	char made[HOOK_SIGNATURE_MAX] = "";

	if (text_format(&content, e, "%s.%lld.%s", id, (long long)timestamp, body) < 0 ||
	    add(secret, content, made, e) < 0 || (before && add(before, content, made, e) < 0))
		return err_code(e);
	memcpy(text, made, sizeof(made));
	return 0;
}
