/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.h — of which distributed trace a call is a part: the caller's `traceparent` (W3C Trace Context, level 1,
 * section 3.2).
 *
 * For logs alone: anybody can write anything there, so nothing is decided by it.
 */
#pragma once

#include "common/base/log_about.h"
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

/* `about` gets the trace of `text` (NULL: it has none), else keeps the one that it has, else gets a new one; without
 * random numbers it has none. */
void trace_begin(struct log_about *about, const char *text);

/* The same of a call whose headers are in; several are as good as none. */
void trace_begin_call(struct rpc_call *call);

/* What this program asks of others, where no line that it would write now has a trace: of this one from now on.
 * It is empty when random numbers fail. */
const char *trace_of_program(void);

/* A `traceparent` for what is asked of another now; "" where there is no trace. */
struct trace_parent {
	char text[TRACE_PARENT_LEN + 1];
};
struct trace_parent trace_parent_now(void);
