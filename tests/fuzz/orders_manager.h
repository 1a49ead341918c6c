/* SPDX-License-Identifier: Apache-2.0 */
/* orders_manager.h — numbers in the input of fuzz_manager_calls, for the target and for make_calls. */
#pragma once

/* The first byte, as bits: what an earlier manager left is one that runs, one whose time is over, one
 * that is half made. With a table of hosts, others are added and removed. */
enum {
	FLAG_CROWDED = 1,
	FLAG_RUNS = 2,
	FLAG_LATE = 4,
	FLAG_HALF = 8,
	FLAG_STOPS = 16,
	FLAG_TABLE = 32,
};

/* A command's highest three bits; the lowest is the connection, those between say what. */
enum order {
	ORDER_CREATE = 0,
	ORDER_ASK = 2 << 5, /* and the two after it */
	ORDER_CANCEL = 5 << 5,
	ORDER_HAPPEN = 6 << 5,
	ORDER_HANG_UP = 7 << 5,
	ORDERS = 7 << 5, /* the bits */
};

enum request {
	ASK_REMOVE,
	ASK_REMOVE_TOO, /* the same */
	ASK_INFO,
	ASK_POLICY,
	ASK_LIST,
	ASK_ADOPT,
	ASK_ADOPT_TOO,
	ASK_LIST_VMS, /* the operand's bits: see VM_… */
	ASK_GET_VM,
	ASK_WATCH_VMS,
	ASK_CONSOLE, /* CONSOLE_… */
	ASK_IMAGE,   /* a list, a default, a removal; of which name */
	ASK_HOST,    /* HOST_… */
	ASKS
};

enum happening {
	HAPPEN_CREATION,
	HAPPEN_REMOVAL,
	HAPPEN_HOST,
	HAPPEN_STRAY,
	HAPPEN_NO_DOMAINS,
	HAPPEN_LOOK,
	HAPPEN_NOTICE,
	HAPPEN_NOTICE_TOO,
	HAPPEN_CONSOLE,
	HAPPENINGS
};

/* The operand of a creation, beside its time to live: a name, and labels. */
enum { CREATE_NAMED = 0x20, CREATE_NAMES = 0x18 };

/* The operand of a list, of strays without the filter, and a watch: two bits of a filter, two of its words, one of the limit or the
 * filter's labels, and two of the cursor or the revision: none, the last that was given, an old one, one
 * that is none. */
enum { VM_FILTER = 3, VM_WORDS = 3 << 2, VM_FEW = 1 << 4, VM_FROM = 3 << 5 };

/* The operand of a reading of a console, whose id is another operand's: it follows; and where it begins. And of what
 * happens to one: how much is said there, once more in a file of its own, or in one that was emptied. */
enum { CONSOLE_FOLLOW = 1 << 3, CONSOLE_FROM = 7 << 4 };
enum { CONSOLE_MUCH = 1, CONSOLE_RENAMED = 2, CONSOLE_EMPTIED = 1 << 5, CONSOLE_PIPE = 1 << 6 };

/* The operand about a host: what is asked, plus so many times which of four names, plus so many times which words. A
 * notice comes from the second place of the hosts. */
enum host_request { HOST_LIST, HOST_ADD, HOST_DRAIN, HOST_UNDRAIN, HOST_REMOVE, HOST_REQUESTS };
enum { HOST_NAMES = 4, HOST_NAME = HOST_REQUESTS, HOST_WORDS = HOST_NAME * HOST_NAMES };
enum { NOTICE_SECOND = 1 << 5 };

/* Of what happens: beside a CVM without a record there is a folder that is no CVM's. */
enum { STRAY_AND_OTHER = 1 << 5 };

/* Whom it is about: one of those that were created, or these. */
enum { ID_FIRST = 0, ID_SECOND, ID_STRAY = 4, ID_NONE, IDS };
