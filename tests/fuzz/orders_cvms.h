/* SPDX-License-Identifier: Apache-2.0 */
/* orders_cvms.h — numbers in the input of fuzz_cvms, for the target and for make_calls. */
#pragma once

/* The first byte, as bits. */
enum { FLAG_REFUSED = 1, FLAG_NO_CVM_ID = 2, FLAG_BAD_CA = 4, FLAG_EARLY = 8 };

/* A command's lowest four bits; of the connection before the latest, with OLDER. */
enum order {
	ORDER_HEADERS,  /* HEADERS_… */
	ORDER_CHUNK,    /* id, CHUNK_…, length; bytes */
	ORDER_MANIFEST, /* whole: id, datasets */
	ORDER_ASK,      /* one of ASK_…, operand */
	ORDER_ACK,      /* ACK_…, count */
	ORDER_RAW,      /* RAW_…, length; bytes */
	ORDER_END,      /* status */
	ORDER_RESET,    /* code */
	ORDER_GOODBYE,
	ORDER_HANG_UP,
	ORDER_TIME, /* so many timers */
	ORDER_POST, /* one of POST_…, operand */
	ORDER_GO_OVER,
	ORDER_DIAL,   /* the next ones: are refused, are taken */
	ORDER_DEAF,   /* the services: hear nothing, hear */
	ORDER_KEEPER, /* the keeper: is mute, refuses, signs */
	OLDER = 1 << 4
};

enum { HEADERS_JOURNAL = 1, HEADERS_PROGRESS = 2, HEADERS_WRONG = 4, HEADERS_NO_GRPC = 8 };
enum { CHUNK_LAST = 1, CHUNK_LARGE = 2, CHUNK_ATTEMPT = 4, CHUNK_LONG_ID = 8 };
enum { ASK_STOP, ASK_STATE, ASK_DISCONNECT, ASK_EVIDENCE, ASK_NOTHING, ASK_UNKNOWN, ASKS };
enum { ACK_NO_RUN = 1, ACK_SHORT_RUN = 2, ACK_OTHER_RUN = 4, ACK_OTHER_ID = 8 };
enum { RAW_UNFRAMED = 1, RAW_NO_HTTP = 2 };
enum {
	POST_ANSWERS,
	POST_LINES,
	POST_BEGIN,
	POST_ENTRIES,
	POST_EVENTS,
	POST_END,
	POST_FORGET,
	POST_PROGRESS,
	POSTS
};
enum { KEEPER_MUTE, KEEPER_REFUSES, KEEPER_SIGNS, KEEPER_DOES };
