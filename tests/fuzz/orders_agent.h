/* SPDX-License-Identifier: Apache-2.0 */
/* orders_agent.h — numbers in the input of fuzz_agent_calls, for the target and for make_calls. */
#pragma once

/* A command's lowest three bits; the next four are the call's number, or the event. */
enum order {
	ORDER_CALL,
	ORDER_SAY,
	ORDER_SAY_TOO, /* the same */
	ORDER_SAY_RAW,
	ORDER_HALF_CLOSE,
	ORDER_CANCEL,
	ORDER_HANG_UP,
	ORDER_EVENT,
};

/* What happens besides calls: the first number of each; the next ones up to the following mean the same. */
enum happening {
	HAPPEN_MANIFEST = 0,
	HAPPEN_RAW_MANIFEST = 4,
	HAPPEN_STOP = 5,
	HAPPEN_RUN_ENDS = 7,
	HAPPEN_RUN_SAYS = 10,
	HAPPEN_KEEPER = 11,
	HAPPEN_POSTBOX = 14,
};

enum method {
	ALGO,
	DATA,
	RESULT,
	ATTESTATION,
	IMA,
	AZURE,
	STATUS,
	ACTIVATE,
	REATTEST,
	LOG,
	RECEIPT,
	METHODS
};

/* How a call is made. */
enum auth { AUTH_GOOD, AUTH_NONE, AUTH_OTHER_KEY, AUTH_ROLE_SIGNATURE };
enum {
	HOW_AUTH = 3,
	HOW_DIGEST = 4,
	HOW_OFFSET = 8, /* the right one */
	HOW_WRONG_OFFSET = 16,
	HOW_OTHER_ROLE = 32,
	HOW_PYTHON = 64,
	HOW_OTHER_METHOD = 128, /* is what was signed */
};

/* What a call's metadata has besides; of Algo it is signed, too. */
enum extra {
	EXTRA_NONE,
	EXTRA_ARGS,
	EXTRA_OTHER_ARGS,
	EXTRA_TYPE,
	EXTRA_RUNTIME,
	EXTRA_TWICE,
	EXTRA_OTHER_DIGEST,
	EXTRA_TWO_ARGS,
	EXTRA_OTHER_RUNTIME,  /* one that is none */
	EXTRA_REQUIRED,       /* the digest of the requirements */
	EXTRA_OTHER_REQUIRED, /* of something else */
	EXTRA_BUNDLE,         /* is what the requirements are, and its digest */
	EXTRA_OTHER_BUNDLE,   /* with another digest */
	EXTRA_SILENT_BUNDLE,  /* with none */
	EXTRA_ZERO_NAME,      /* of the file: a zero byte in it */
	EXTRA_BAD_NAME,       /* a path */
	EXTRA_UNPACK,         /* what is no archive */
	EXTRAS
};

/* What is said in an upload, as bits. */
enum {
	SAY_ALL = 1, /* that is left, else as much as the next byte says */
	SAY_SHIFTED = 2,
	SAY_REQUIREMENTS = 4, /* and no asset */
	SAY_BOTH = 8,
	SAY_OTHER_NAME = 16,
	SAY_OTHER_ASSET = 32,
	SAY_MUCH = 64,
	SAY_NO_NAME = 128,
};

enum world_keeper { WORLD_KEEPER_ANSWERS, WORLD_KEEPER_FAILS, WORLD_KEEPER_WAITS };

/* What a manifest has, as bits. */
enum {
	WORLD_DATASETS = 3,      /* how many */
	WORLD_TWO_CONSUMERS = 4, /* else one */
	WORLD_TYPED = 8,         /* it says algo_type and arguments */
	WORLD_QUIET = 16,        /* log_level error */
	WORLD_OTHER_ID = 32,
	WORLD_ATTESTED = 64,
	WORLD_CLOSED = 128, /* the log is the consumers' */
	WORLD_MORE = 768,   /* one of these; it is the event's number in HAPPEN_MANIFEST */
	WORLD_FOLDERS = 256,
	WORLD_REQUIREMENTS = 512, /* it names them */
	WORLD_NAMELESS = 768,     /* no dataset has a name */
};
