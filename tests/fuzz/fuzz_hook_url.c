/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A webhook's URL; behind a zero byte, the operator's networks. Of what is taken libcurl, which connects, reads the same
 * host and port as this service has judged.
 */
#include "computations/hook/hook_url.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <curl/curl.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_host(const struct hook_url *url, const char *host)
{
	struct in6_addr ours, theirs;
	size_t len = strlen(host);
	char bare[HOOK_HOST_MAX + 3];

	assert(len && len < sizeof(bare));
	snprintf(bare, sizeof(bare), "%s", host);
	if (bare[0] != '[') {
		assert(strcasecmp(bare, url->host) == 0);
		return;
	}
	bare[len - 1] = 0;
	assert(url->is_address && inet_pton(AF_INET6, url->host, &ours) == 1 &&
	       inet_pton(AF_INET6, bare + 1, &theirs) == 1 &&
	       memcmp(&ours, &theirs, sizeof(ours)) == 0);
}

static void check_same(const char *text, const struct hook_url *url)
{
	char *host = NULL, *port = NULL, *scheme = NULL, *user = NULL;
	CURLU *theirs = curl_url();

	assert(theirs && curl_url_set(theirs, CURLUPART_URL, text, 0) == CURLUE_OK);
	assert(curl_url_get(theirs, CURLUPART_HOST, &host, 0) == CURLUE_OK);
	assert(curl_url_get(theirs, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK);
	assert(curl_url_get(theirs, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK);
	assert(curl_url_get(theirs, CURLUPART_USER, &user, 0) == CURLUE_NO_USER);
	assert(strtoul(port, NULL, 10) == url->port);
	assert(strcmp(scheme, url->plain ? "http" : "https") == 0);
	check_host(url, host);
	curl_free(host);
	curl_free(port);
	curl_free(scheme);
	curl_url_cleanup(theirs);
}

/* What is not public is refused but for what is listed, and http:// where nothing is. */
static void check_nets(const struct hook_nets *nets)
{
	static const char *const addresses[] = { "127.0.0.1",     "10.1.2.3", "169.254.169.254",
						 "8.8.8.8",       "::1",      "::ffff:127.0.0.1",
						 "fd00::1",       "fe80::1",  "2606:4700::1",
						 "64:ff9b::a00:1" };
	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
		struct sockaddr_in v4 = { .sin_family = AF_INET };
		const struct sockaddr *any = (const struct sockaddr *)(const void *)&v4;
		bool is_public = i == 3 || i == 8, secure, plain;
		struct err e;

		if (inet_pton(AF_INET, addresses[i], &v4.sin_addr) != 1) {
			assert(inet_pton(AF_INET6, addresses[i], &v6.sin6_addr) == 1);
			any = (const struct sockaddr *)(const void *)&v6;
		}
		secure = hook_nets_check(nets, any, false, "x", false, &e) == 0;
		plain = hook_nets_check(nets, any, true, "x", true, &e) == 0;
		assert(!plain || (secure && nets->plain));
		assert(nets->count || (secure == is_public && !plain));
	}
	assert(hook_nets_check(nets, &(const struct sockaddr){ .sa_family = AF_UNIX }, false, "x",
			       false, &(struct err){ .code = ERR_OK }) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = strndup((const char *)bytes, len);
	size_t first = strlen(text);
	char *list = first < len ? strndup((const char *)bytes + first + 1, len - first - 1)
				 : strdup("");
	struct hook_nets nets = { .plain = len % 2 };
	struct hook_url url;
	struct err e;

	if (hook_nets_parse(list, &nets, &e) == 0) {
		assert(nets.count <= HOOK_NETS_MAX);
		check_nets(&nets);
	} else {
		assert(e.code == ERR_INVALID);
	}
	if (hook_url_parse(text, &url, &e) == 0) {
		assert(*url.host && url.port && strlen(text) <= HOOK_URL_MAX);
		check_same(text, &url);
	} else {
		assert(e.code == ERR_INVALID && hook_url_check(text, &nets, &e) < 0);
	}
	if (hook_url_check(text, &nets, &e) == 0)
		assert(hook_url_parse(text, &url, &e) == 0 && (nets.plain || !url.plain));
	free(text);
	free(list);
	return 0;
}
