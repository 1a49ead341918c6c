/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/trace.h"

#include "common/base/encode.h"
#include "common/crypto/digest.h"
#include "common/rpc/call_state.h"

#include <stdio.h>
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

/* `out` gets `digits` of them, and a zero; "" without random numbers. */
static void make_id(char *out, size_t digits)
{
	uint8_t bytes[TRACE_ID_LEN / 2];
	struct err ignored;

	*out = '\0';
	if (random_bytes(bytes, digits / 2, &ignored) < 0)
		return;
	bytes[0] |= 1; /* all zeros is none */
	hex_encode(bytes, digits / 2, out);
}

void trace_begin(struct log_about *about, const char *text)
{
	struct trace trace;
	char id[TRACE_ID_LEN + 1];

	if (text && trace_parse(text, &trace)) {
		(void)log_about_put(about, LOG_TRACE, trace.id);
		return;
	}
	if (*about->text[LOG_TRACE])
		return;
	make_id(id, TRACE_ID_LEN);
	(void)log_about_put(about, LOG_TRACE, id);
}

void trace_begin_call(struct rpc_call *call)
{
	const struct rpc_metadata *metadata = rpc_call_metadata(call);
	bool is_one = rpc_metadata_count(metadata, TRACE_PARENT_KEY) == 1;

	trace_begin(&call->about, is_one ? rpc_metadata_text(metadata, TRACE_PARENT_KEY, 0) : NULL);
}

static char program_trace[TRACE_ID_LEN + 1];

const char *trace_of_program(void)
{
	if (!*program_trace)
		make_id(program_trace, TRACE_ID_LEN);
	return program_trace;
}

struct trace_parent trace_parent_now(void)
{
	const struct log_about about = log_about_now();
	const char *id = *about.text[LOG_TRACE] ? about.text[LOG_TRACE] : program_trace;
	struct trace_parent parent = { .text = "" };
	char span[TRACE_SPAN_LEN + 1];

	make_id(span, TRACE_SPAN_LEN);
	if (*id && *span) /* not sampled: we record none */
		snprintf(parent.text, sizeof(parent.text), "00-%.32s-%s-00", id, span);
	return parent;
}
