/* SPDX-License-Identifier: Apache-2.0 */
/*
 * managers_played.h — the managers of the computation service in a fuzz target: what they have, and what they answer, as if
 * it came from a connection (rpc_stream_*, which it stands for). One is alone, two others share what they have (a fleet).
 *
 * Each call takes the next word of the input, and is answered truthfully where none is left: word(1), and as enum
 * managers_word has it.
 */
#pragma once

#include "computations/machines/manager_table.h"

#include <uv.h>

enum { MANAGERS_VMS_MAX = 32, MANAGERS_TEXT_MAX = 64 };

enum managers_word {
	MANAGERS_HONEST,
	MANAGERS_DOWN,    /* unavailable, and nothing is done */
	MANAGERS_LOSES,   /* it is done, and the answer does not come */
	MANAGERS_REFUSES, /* code(1), and nothing is done */
	MANAGERS_DOUBTS,  /* it is done, and code(1) */
	MANAGERS_ENDS,    /* the CVM has ended before, reason(1); then the truth */
	MANAGERS_GOES,    /* its host has gone to the other one of the fleet; then the truth */
	MANAGERS_SILENT,  /* fine, without a message, and nothing is done */
	MANAGERS_CUT,     /* the call can't be begun */
	MANAGERS_TWICE,   /* the truth, twice */
	MANAGERS_SLOW,    /* state(1), of which nobody knows more */
	MANAGERS_LIES,    /* a message as answers.h has it */
	MANAGERS_WORDS
};

struct managers_vm {
	char tag[MANAGERS_TEXT_MAX], id[MANAGERS_TEXT_MAX]; /* tag "": none */
	unsigned fleet, holder;                             /* whose, and which one of these */
	const char *reason;                                 /* why it is no more; NULL: it runs */
	uint32_t cpus;
	uint64_t memory;
	int64_t created, exited;
};

/* The table of the service, in place of manager_table_read(). */
extern const char managers_table[];

/* Forgets all; the words are kept until the next call. */
void managers_begin(uv_loop_t *loop, const uint8_t *words, size_t len);
/* One said what was not so: what the service believes then is not the truth. */
bool managers_have_lied(void);
/* What there is or was, MANAGERS_VMS_MAX of them. */
const struct managers_vm *managers_vms(void);
