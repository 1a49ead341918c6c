/* SPDX-License-Identifier: Apache-2.0 */
/* orders_service.h — numbers in the input of fuzz_service_calls, for the target and for make_calls. */
#pragma once

/* The first byte, as bits. */
enum { FLAG_CROWDED = 1, FLAG_STOPS = 2, FLAG_JUDGES = 4 };

/* A command: who in its lowest two bits, then SAYS, then the call's number in three bits. */
enum user_number { AGENT, OTHER_AGENT, THIRD_AGENT, ADMIN, USERS };
enum { SAYS = 4, CALL_SHIFT = 3, ENDS = 0x80, LOST = 0xc0, KINDS = 0xc0 };

/* Names of computations and CVMs. */
enum id {
	ID_ONE,
	ID_TWO,
	ID_CVM_A,
	ID_CVM_B,
	ID_EMPTY,
	ID_UMLAUT,
	ID_BLANK,
	ID_SLASH,
	ID_DOTS,
	IDS
};

/* What an agent says. */
enum said {
	SAID_LOG,
	SAID_EVENT,
	SAID_RUN_ANSWER,
	SAID_STOPPED,
	SAID_STATE,
	SAID_EVIDENCE,
	SAID_NOTHING,
	SAID_JOURNAL, /* the operand: JOURNAL_ and how many entries */
	SAID_HEADED,  /* the same, with a head that is one */
	SAIDS
};
enum word {
	WORD_RECEIVING,
	WORD_RUNNING,
	WORD_COMPLETE,
	WORD_FAILED,
	WORD_STOPPED,
	WORD_IDLE,
	WORD_RECEIVING_MANIFEST,
	WORD_OTHER,
	WORDS
};

/* In SAID_JOURNAL's operand: 0 to 3 entries from that one on; where it is odd, they name their run. */
enum {
	JOURNAL_COUNT = 3,
	JOURNAL_FIRST_SHIFT = 2,
	JOURNAL_FIRST = 7,
	JOURNAL_OTHER = 0x20,
	JOURNAL_HEADLESS = 0x40,
	JOURNAL_FAR = 0x80
};

/* What an administrator asks; from ASK_SHOW to ASK_RELEASE_CVM by an id alone. */
enum request {
	ASK_CREATE,
	ASK_RUN,
	ASK_REMOVE,
	ASK_LIST,
	ASK_LOGS,
	ASK_SHOW,
	ASK_MANIFEST,
	ASK_STOP,
	ASK_SHOW_CVM,
	ASK_RELEASE_CVM,
	ASK_JOURNAL,
	ASK_WITNESS,
	ASK_WITNESS_LEAVES,
	ASK_FAILING, /* the database, at the operand's statement from now on */
	ASKS
};

/* In ASK_CREATE's flags: another manifest for one that is there. */
enum { UPDATES = 32 };
