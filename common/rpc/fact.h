/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fact.h — one thing that is known of a call: see rpc_call_note() in observer.h.
 */
#pragma once

enum {
	RPC_FACT_MAX = 256, /* bytes of a value */
	RPC_FACTS_MAX = 8,  /* of a call */
};

struct rpc_fact {
	const char *key;
	char *value; /* NULL: it is simply so */
};
