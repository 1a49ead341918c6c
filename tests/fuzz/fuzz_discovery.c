/* SPDX-License-Identifier: Apache-2.0 */
/* What a provider says of itself; and, where the first byte is 't', what it answers for a code. */
#include "common/base/cleanup.h"
#include "computations/oidc/discovery.h"
#include "computations/oidc/jws.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_url(const char *url)
{
	assert(strncmp(url, "https://", 8) == 0 && url[8]);
	for (; *url; url++)
		assert(*url > ' ' && *url < 0x7f && !strchr("\"<>\\#", *url));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char issuer[] = "https://idp.example";
	CLEANUP(free) char *token = NULL;
	struct discovery d;
	struct err e;

	if (len && *bytes == 't') {
		if (token_answer_parse(bytes + 1, len - 1, &token, &e) == 0)
			assert(strlen(token) <= JWS_MAX);
		else
			assert(strncmp(e.text, "token answer", 12) == 0);
		return 0;
	}
	if (len && *bytes == 'i') { /* an issuer, as it stands in the settings */
		char text[DISCOVERY_ISSUER_MAX + 8] = "";

		memcpy(text, bytes + 1, len - 1 < sizeof(text) - 1 ? len - 1 : sizeof(text) - 1);
		if (discovery_issuer_check(text, &e) == 0)
			assert(strlen(text) <= DISCOVERY_ISSUER_MAX);
		return 0;
	}
	if (discovery_parse(bytes, len, issuer, &d, &e) < 0)
		return 0;
	check_url(d.authorization);
	check_url(d.token);
	check_url(d.keys);
	return 0;
}
