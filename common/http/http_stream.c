/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/http_stream.h"

#include "common/base/cleanup.h"
#include "common/http/request_state.h"

#include <string.h>

bool http_stream_shows_end(const struct http_request *r)
{
	return !r->hides_end;
}

int http_stream_send(struct http_request *r, const void *bytes, size_t len, struct err *e)
{
	uint8_t *copy;

	if (!r->stream)
		return err_set(e, ERR_CANCELLED, "nobody reads any more");
	copy = malloc(len + 1);
	if (!copy)
		return err_nomem(e);
	memcpy(copy, bytes, len);
	return r->carrier->send(r, copy, len, e);
}

size_t http_stream_queued(const struct http_request *r)
{
	return r->stream ? r->carrier->queued(r) : 0;
}

void http_stream_writable(struct http_request *r)
{
	LOG_ABOUT(&r->about);
	if (r->stream && r->stream->writable)
		r->stream->writable(r, r->stream_data);
}

void http_stream_over(struct http_request *r)
{
	const struct http_stream_user *user = TAKE_PTR(r->stream);

	if (!user)
		return;
	LOG_ABOUT(&r->about);
	user->closed(r, r->stream_data);
	http_request_unref(r);
}

void http_stream_end(struct http_request *r, bool is_cut)
{
	if (!r->stream)
		return;
	r->carrier->end(r, is_cut);
	http_stream_over(r);
}
