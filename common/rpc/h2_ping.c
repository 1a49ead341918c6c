/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/h2_ping.h"

#include "common/base/reader.h"

int h2_ping_send(nghttp2_session *session, struct h2_pings *pings, uint64_t opaque, uint64_t now)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(opaque >> (56 - 8 * i));
	if (nghttp2_submit_ping(session, NGHTTP2_FLAG_NONE, bytes) != 0)
		return -1;
	if (pings->waiting++ == 0)
		pings->since = now;
	return 0;
}

uint64_t h2_ping_answer(struct h2_pings *pings, const nghttp2_ping *frame, uint64_t now)
{
	struct reader r = reader_over(frame->opaque_data, sizeof(frame->opaque_data));

	if (pings->waiting)
		pings->waiting--;
	pings->since = now;
	return reader_be64(&r);
}

int h2_ping_ask(nghttp2_session *session, struct h2_pings *pings, uint64_t now)
{
	if (nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0) != 0)
		return -1;
	pings->asked++;
	if (pings->waiting++ == 0)
		pings->since = now;
	return 0;
}

uint64_t h2_ping_ask_answer(struct h2_pings *pings, uint64_t now)
{
	if (pings->answered++ > 0 && pings->waiting) {
		pings->waiting--;
		pings->since = now;
	}
	return pings->answered;
}
