/* SPDX-License-Identifier: Apache-2.0 */
/* orders_answers.h — numbers in the input of fuzz_agent_answers, for the target and for make_calls. */
#pragma once

/* The first byte: how the client is opened, as bits; with ANSWERS_WRONG a second one: what is wrong with it. Then commands,
 * each a byte and an operand, and behind it what the agent answers meanwhile: words, and what they need. */
enum {
	ANSWERS_ATTESTED = 1,
	ANSWERS_TLS = 2,
	ANSWERS_STOCK = 4, /* its policy takes a stock agent */
	ANSWERS_GIVEN_KEY = 8,
	ANSWERS_ROLE = 16, /* --role-signature */
	ANSWERS_VERBOSE = 32,
	ANSWERS_WAIT = 64,
	ANSWERS_WRONG = 128
};
enum { ANSWERS_WRONGS = 6 };

enum answers_order {
	ANSWERS_ORDER_UPLOAD, /* an asset, ANSWERS_ASSETS; with ANSWERS_MORE: requirements before it */
	ANSWERS_ORDER_WAIT,     /* for what, enum agent_wanted; with ANSWERS_MORE: for an upload */
	ANSWERS_ORDER_ASK,      /* as a participant, or (odd) as an owner */
	ANSWERS_ORDER_EVIDENCE, /* which */
	ANSWERS_ORDER_IMA,
	ANSWERS_ORDER_CONTACT,
	ANSWERS_ORDER_AGAIN, /* the agent has to prove itself again */
	ANSWERS_ORDER_STATE, /* from now on it is in that state */
	ANSWERS_ORDER_KEPT,  /* ... it has so much of each asset, in pieces of 64 KiB */
	ANSWERS_ORDER_TIME,  /* so many minutes pass */
	ANSWERS_ORDER_DROP,  /* the connection ends: contact */
	ANSWERS_ORDER_PYTHON,
	ANSWERS_ORDERS
};
enum { ANSWERS_MORE = 128 };
enum { ANSWERS_ASSET_EMPTY, ANSWERS_ASSET_SMALL, ANSWERS_ASSET_LARGE, ANSWERS_ASSETS };

/* Of a call. */
enum answers_word {
	ANSWERS_HONEST,
	ANSWERS_FAILS,   /* code(1), text(1) */
	ANSWERS_BREAKS,  /* contact(1), text(1) */
	ANSWERS_LIES,    /* a message as answers.h has it */
	ANSWERS_CHANGED, /* of a status, which field(1); else the honest one */
	ANSWERS_ENDS,    /* of a stream */
	ANSWERS_WORDS
};
enum answers_change {
	ANSWERS_MANIFEST_OTHER,
	ANSWERS_MANIFEST_SHORT,
	ANSWERS_MANIFEST_NONE,
	ANSWERS_STATE_UNKNOWN,
	ANSWERS_HASH_OTHER,
	ANSWERS_RECEIVED,
	ANSWERS_KEPT_MUCH,
	ANSWERS_CONSUMER_OTHER,
	ANSWERS_CONSUMER_FETCHED,
	ANSWERS_CHALLENGE_SHORT,
	ANSWERS_ALGORITHM_NONE,
	ANSWERS_STATE_FAILED,
	ANSWERS_YOURS,         /* the asset is who asks', and there */
	ANSWERS_YOURS_MISSING, /* ... has not come */
	ANSWERS_YOURS_NAMED,   /* ... under a name */
	ANSWERS_CHANGES
};

/* Of evidence, on a new connection or the same. */
enum answers_proof {
	ANSWERS_PROVEN,
	ANSWERS_WANTS_LOG,
	ANSWERS_WANTS_CREDENTIAL,
	ANSWERS_WANTS_BOTH,
	ANSWERS_REFUSED,     /* code(1) */
	ANSWERS_UNCONNECTED, /* contact(1), text(1) */
	ANSWERS_PROOFS
};

/* Of the size that is announced. */
enum {
	ANSWERS_SIZE_NONE,
	ANSWERS_SIZE_TRUE,
	ANSWERS_SIZE_OTHER,
	ANSWERS_SIZE_NO_NUMBER,
	ANSWERS_SIZES
};

enum { ANSWERS_TEXTS = 24 };
