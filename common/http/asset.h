/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asset.h — what is served as it is: texts and pictures of the program's own binary, told apart by digest.
 */
#pragma once

#include "common/http/request.h"

enum { HTTP_ETAG_MAX = 2 + 64 + 1 };

struct http_asset {
	const char *type;
	const void *bytes;
	size_t len;
	const char *csp; /* NULL: nothing is allowed */
};

/* The asset, with its ETag; a client asks each time whether that is still the one. */
void http_asset_serve(struct http_request *r, const struct http_asset *asset);
