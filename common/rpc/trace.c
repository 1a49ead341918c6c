/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/trace.h"

#include <string.h>

enum { ID_AT = 3, SPAN_AT = ID_AT + TRACE_ID_LEN + 1, FLAGS_AT = SPAN_AT + TRACE_SPAN_LEN + 1 };

static bool is_hex(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
			return false;
	return true;
}

static bool is_zero(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != '0')
			return false;
	return true;
}

static bool has_form(const char *text)
{
	size_t len = strlen(text);

	if (len < TRACE_PARENT_LEN || !is_hex(text, 2) || memcmp(text, "ff", 2) == 0)
		return false;
	if (len > TRACE_PARENT_LEN && (memcmp(text, "00", 2) == 0 || text[TRACE_PARENT_LEN] != '-'))
		return false;
	return text[ID_AT - 1] == '-' && text[SPAN_AT - 1] == '-' && text[FLAGS_AT - 1] == '-' &&
	       is_hex(text + ID_AT, TRACE_ID_LEN) && is_hex(text + SPAN_AT, TRACE_SPAN_LEN) &&
	       is_hex(text + FLAGS_AT, 2) && !is_zero(text + ID_AT, TRACE_ID_LEN) &&
	       !is_zero(text + SPAN_AT, TRACE_SPAN_LEN);
}

bool trace_parse(const char *text, struct trace *trace)
{
	*trace = (struct trace){ .id = "" };
	if (!has_form(text))
		return false;
	memcpy(trace->id, text + ID_AT, TRACE_ID_LEN);
	memcpy(trace->span, text + SPAN_AT, TRACE_SPAN_LEN);
	return true;
}

bool trace_of_call(const struct rpc_call *call, struct trace *trace)
{
	const struct rpc_metadata *metadata = rpc_call_metadata(call);

	*trace = (struct trace){ .id = "" };
	return rpc_metadata_count(metadata, TRACE_PARENT_KEY) == 1 &&
	       trace_parse(rpc_metadata_text(metadata, TRACE_PARENT_KEY, 0), trace);
}
