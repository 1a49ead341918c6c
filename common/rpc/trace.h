/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.h — of which distributed trace a call is a part: the caller's `traceparent` (W3C Trace Context, level 1,
 * section 3.2).
 *
 * For logs alone: anybody can write anything there, so nothing is decided by it.
 */
#pragma once

#include "common/rpc/call.h"

#define TRACE_PARENT_KEY "traceparent"

enum { TRACE_ID_LEN = 32, TRACE_SPAN_LEN = 16, TRACE_PARENT_LEN = 55 };

/* Lower-case hexadecimal digits, not all of them 0. */
struct trace {
	char id[TRACE_ID_LEN + 1];
	char span[TRACE_SPAN_LEN + 1]; /* the caller's */
};

/* False for what is none; `trace` is empty then. Version ff is none; one that is not known may be longer, and its
 * first part is read as that of version 00 (3.2.4). */
bool trace_parse(const char *text, struct trace *trace);

/* False for a call without one, or with several. */
bool trace_of_call(const struct rpc_call *call, struct trace *trace);
