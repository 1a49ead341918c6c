/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waiting.h — --wait: a command that comes too early asks again until its time has come, or can't come
 * any more.
 *
 * Nothing is sent meanwhile but the questions. A connection that breaks is made again, and the agent
 * behind it proves itself as the first one did.
 *
 * One that takes connections and hangs up may be about to start (a port that is forwarded into a CVM does so
 * until the CVM listens), or is spoken to in the wrong way for ever. What to do about the latter is said at
 * once; after WAITING_SAME_MAX times in a row, five minutes, it is the end.
 *
 * Who is not there yet may come at any time. One that has answered, and answers no more for --grace, is gone.
 */
#pragma once

#include "cli/client/client.h"

enum {
	WAITING_DEFAULT_MS = 24 * 60 * 60 * 1000, /* of --wait without a duration */
	WAITING_MIN_MS = 1000,
	WAITING_MAX_MS = 30 * 24 * 60 * 60 * 1000U,
	/* Between two questions: longer each time, until something changes. */
	WAITING_POLL_FIRST_MS = 250,
	WAITING_POLL_MAX_MS = 5000,
	/* Less is left: it is over. What is asked last has that long for its answer, at least. */
	WAITING_LAST_MS = 250,
	WAITING_GRACE_MS = 2 * 60 * 1000, /* of --grace */
	WAITING_WHY_MAX = 256,
	WAITING_SAME_MAX = 64, /* refusals in a row that have the same remedy */
};

/* clang-format off */
#define WAIT_OPTION \
	{ .name = "wait", .value = "DURATION", .optional = true, \
	  .help = "wait until it can be done, if it is too early (24h; 1s to 720h)" }
#define GRACE_OPTION \
	{ .name = "grace", .value = "DURATION", .rare = true, \
	  .help = "give up on an agent that has answered and is away for this long (2m; 1s to 720h)" }
/* clang-format on */

struct waiting {
	struct client *client;
	const char *until; /* "the agent wants the algorithm" */
	const char *kept;  /* for who presses Ctrl-C: "nothing was sent" */
	const char *again; /* and what to do then; NULL: the same command waits again */

	/* One question. 1: the time has come. 0: not yet, and `why` says what is missing; where that is
	 * empty, nothing is told. Negative: it never comes, or the peer does not answer; which of both,
	 * waiting_run() knows. */
	int (*look)(void *data, char why[WAITING_WHY_MAX], struct err *e);
	/* Asked as well where it may come still, and for no longer than until then, by uv_hrtime(); NULL: nobody else knows.
	 * Negative, and the reason: it never comes. */
	int (*still)(void *data, uint64_t until_ms, struct err *e);
	void *data;
	bool always; /* also without --wait */
	/* Once it has answered and the client is bound to a manifest (agent_client.h): what ends it if --grace
	 * passes without another answer. NULL: nothing does, it may come back as long as --wait lasts. */
	const char *gone;

	uint64_t limit_ms; /* the rest is waiting_run()'s own */
	uint64_t grace_ms;
	/* By the monotonic clock: of the last question; of the last answer, and of the first question after it that
	 * had none. 0: there was none. */
	uint64_t end, answered, away;
	int64_t since;
	char why[WAITING_WHY_MAX];
	char remedy[CLI_HINT_MAX]; /* of what the last refusals in a row have in common */
	unsigned same;             /* how many they are */
};

/* The option's value; 0: it was not given. */
int waiting_limit(const struct cli *cli, uint64_t *limit_ms, struct err *e) MUST_CHECK;
/* That of --grace, or WAITING_GRACE_MS. */
int waiting_grace(const struct cli *cli, uint64_t *grace_ms, struct err *e) MUST_CHECK;

/* 0 at once without --wait. Otherwise looks until the time has come (0), it can't come any more (the
 * failure that look() gave; also when nobody but the caller can mend it), who answered is gone
 * (ERR_UNAVAILABLE), or --wait's duration is over (ERR_DEADLINE): no question goes on beyond it. */
int waiting_run(struct waiting *w, struct err *e) MUST_CHECK;
