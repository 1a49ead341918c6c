/* SPDX-License-Identifier: Apache-2.0 */
/* Header texts from peers: metadata (plain and -bin), grpc-message, grpc-status, grpc-timeout; and
 * addresses, which come from configurations. The input is "key\nvalue". */
#include "common/base/reader.h"
#include "common/base/utf8.h"
#include "common/rpc/address.h"
#include "common/rpc/metadata_wire.h"
#include "common/rpc/status.h"
#include "common/rpc/trace.h"

#include <stdlib.h>
#include <string.h>

/* What was decoded is valid, and encodes to the same again. */
static void check_message(const char *value, size_t len)
{
	char text[ERR_TEXT_MAX], again[ERR_TEXT_MAX], encoded[STATUS_TEXT_MAX];

	status_decode(value, len, text);
	if (!utf8_valid(text, strlen(text)))
		__builtin_trap();
	status_encode(text, encoded);
	status_decode(encoded, strlen(encoded), again);
	if (strcmp(text, again) != 0)
		__builtin_trap();
}

static void check_metadata(const char *key, size_t key_len, const char *value, size_t len)
{
	struct rpc_metadata m = { 0 }, copy = { 0 };
	struct err e;

	for (int i = 0; i < 3; i++)
		if (rpc_metadata_receive(&m, key, key_len, value, len, &e) < 0)
			break;
	/* Everything that was received may be sent. */
	if (rpc_metadata_copy(&copy, &m, &e) < 0 || copy.count != m.count)
		__builtin_trap();
	for (size_t i = 0; i < m.count; i++) {
		const char *name = m.entries[i].key;
		size_t values = rpc_metadata_count(&m, name);

		if (!rpc_metadata_text(&m, name, values - 1) || rpc_metadata_get(&m, name, values))
			__builtin_trap();
	}
	rpc_metadata_done(&copy);
	rpc_metadata_done(&m);
}

/* A timeout that we send says as much as was read, but for what is rounded. */
static void check_timeout(const char *value, size_t len)
{
	char text[TIMEOUT_TEXT_MAX];
	uint64_t ms, again;
	struct err e;

	if (timeout_parse(value, len, &ms, &e) < 0)
		return;
	timeout_format(ms, text);
	if (len > 9 || timeout_parse(text, strlen(text), &again, &e) < 0 || again > ms)
		__builtin_trap();
}

/* Whatever HTTP says instead of gRPC is a failure. */
static void check_http(const char *value, size_t len)
{
	struct reader r = reader_over(value, len);
	unsigned number = 0;

	for (int i = 0; i < 3; i++)
		number = number * 10 + (reader_u8(&r) - '0') % 10u;
	if (!status_from_http(number) || !status_from_h2(number % 16))
		__builtin_trap();
}

/* Of a call that is part of a trace, both ids are digits alone; of any other there are none. */
static void check_trace(const char *text)
{
	static const char digits[] = "0123456789abcdef";
	struct trace trace;
	bool is_one = trace_parse(text, &trace);

	if (strspn(trace.id, digits) != (is_one ? TRACE_ID_LEN : 0) ||
	    strspn(trace.span, digits) != (is_one ? TRACE_SPAN_LEN : 0))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes, *end = text + len;
	const char *line = len ? memchr(text, '\n', len) : NULL;
	size_t key_len = line ? (size_t)(line - text) : 0;
	const char *value = line ? line + 1 : text;
	size_t value_len = (size_t)(end - value);
	struct address address;
	char *copy;
	struct err e;

	check_metadata(text, key_len, value, value_len);
	check_message(value, value_len);
	(void)status_code(value, value_len);
	check_timeout(value, value_len);
	check_http(value, value_len);
	copy = len ? strndup(value, value_len) : NULL;
	if (copy && address_parse(copy, &address, &e) == 0 && !address.is_unix && !address.port[0])
		__builtin_trap();
	if (copy)
		check_trace(copy);
	free(copy);
	return 0;
}
