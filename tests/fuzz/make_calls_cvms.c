/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_cvms.c — the corpus of what an agent hears from its computation service. */
#include "tests/fuzz/make_calls.h"
#include "tests/fuzz/orders_cvms.h"

#include <stdio.h>
#include <string.h>

/* Commands as numbers, up to -1. */
static void put(struct writer *w, const int *words)
{
	for (; *words >= 0; words++)
		writer_u8(w, (uint8_t)*words);
}

#define PUT(w, ...)            put(w, (const int[]){ __VA_ARGS__, -1 })
#define SAVE(name, flags, ...) save(name, flags, (const int[]){ __VA_ARGS__, -1 })

static void save(const char *name, uint8_t flags, const int *words)
{
	struct writer w = calls_begin(flags);

	put(&w, words);
	calls_save_to("cvms", name, &w);
}

/* What a service may say while all goes well. */
static void save_talk(const char *name, uint8_t flags)
{
	struct writer w = calls_begin(flags);

	PUT(&w, ORDER_HEADERS, HEADERS_JOURNAL | HEADERS_PROGRESS, ORDER_TIME, 4);
	PUT(&w, ORDER_CHUNK, 0, 0, 3, 'a', 'b', 'c', ORDER_CHUNK, 0, CHUNK_LAST, 1, 'e');
	PUT(&w, ORDER_CHUNK, 1, CHUNK_LAST | CHUNK_ATTEMPT, 1, 'f', ORDER_TIME, 3);
	for (int i = 0; i < ASKS; i++)
		if (i != ASK_DISCONNECT)
			PUT(&w, ORDER_ASK, i, 16);
	PUT(&w, ORDER_ASK, ASK_EVIDENCE, 17, ORDER_MANIFEST, 0, 2, ORDER_MANIFEST, 0, 255);
	PUT(&w, ORDER_POST, POST_BEGIN, 1, ORDER_POST, POST_ENTRIES, 3, ORDER_TIME, 5);
	PUT(&w, ORDER_POST, POST_PROGRESS, 1, ORDER_TIME, 5, ORDER_ACK, 0, 2, ORDER_ACK, 0, 4);
	PUT(&w, ORDER_POST, POST_END, 0, ORDER_TIME, 5, ORDER_ACK, ACK_NO_RUN, 255);
	PUT(&w, ORDER_POST, POST_ANSWERS, 9, ORDER_TIME, 5);
	PUT(&w, ORDER_ASK, ASK_DISCONNECT, 0, ORDER_POST, POST_ANSWERS, 2, ORDER_TIME, 30);
	calls_save_to("cvms", name, &w);
}

/* Chunks that do not fit, from the first to the limits. */
static void save_chunks(void)
{
	struct writer w = calls_begin(0);

	PUT(&w, ORDER_HEADERS, 0);
	PUT(&w, ORDER_CHUNK, 0, CHUNK_LAST, 0);
	PUT(&w, ORDER_CHUNK, 0, 0, 1, 'a', ORDER_CHUNK, 1, 0, 1, 'b', ORDER_CHUNK, 0, CHUNK_LAST,
	    0);
	PUT(&w, ORDER_CHUNK, 1, CHUNK_LAST, 0, ORDER_CHUNK, 2, CHUNK_LAST, 1, 'a');
	PUT(&w, ORDER_CHUNK, 2, CHUNK_LAST, 1, 'a', ORDER_CHUNK, 2, CHUNK_LONG_ID, 1, 'a');
	PUT(&w, ORDER_CHUNK, 3, CHUNK_LARGE, 0, ORDER_CHUNK, 3, CHUNK_LAST, 0);
	for (int i = 0; i < 20; i++)
		PUT(&w, ORDER_CHUNK, 4 + i, CHUNK_LARGE, 0);
	PUT(&w, ORDER_POST, POST_FORGET, 0);
	for (int i = 0; i < 20; i++)
		PUT(&w, ORDER_CHUNK, 24, CHUNK_LARGE | CHUNK_ATTEMPT, 0);
	PUT(&w, ORDER_CHUNK, 24, CHUNK_LAST, 0, ORDER_CHUNK, 25, CHUNK_LAST, 1, 'e', ORDER_TIME, 3);
	calls_save_to("cvms", "chunks", &w);
}

/* More than a connection takes, while nobody listens; then what is left goes on. */
static void save_flood(void)
{
	struct writer w = calls_begin(0);

	PUT(&w, ORDER_HEADERS, HEADERS_JOURNAL, ORDER_DEAF, 1, ORDER_POST, POST_ANSWERS, 255);
	PUT(&w, ORDER_POST, POST_LINES, 60, ORDER_POST, POST_ANSWERS, 255, ORDER_TIME, 10);
	PUT(&w, ORDER_POST, POST_BEGIN, 1, ORDER_POST, POST_ENTRIES, 255, ORDER_TIME, 5);
	PUT(&w, ORDER_POST, POST_ENTRIES, 255, ORDER_POST, POST_ENTRIES, 255, ORDER_TIME, 5);
	PUT(&w, ORDER_POST, POST_ENTRIES, 255, ORDER_DEAF, 0, ORDER_TIME, 20);
	PUT(&w, ORDER_ACK, 0, 255, ORDER_POST, POST_ENTRIES, 1, ORDER_POST, POST_END, 0);
	PUT(&w, ORDER_TIME, 10, ORDER_POST, POST_BEGIN, 2, ORDER_POST, POST_END, 0, ORDER_TIME, 9);
	PUT(&w, ORDER_ACK, ACK_OTHER_ID | ACK_NO_RUN, 1, ORDER_HANG_UP, ORDER_TIME, 9);
	calls_save_to("cvms", "flood", &w);
}

/* So many journals that nobody takes that the oldest is dropped. */
static void save_journals(void)
{
	struct writer w = calls_begin(0);

	PUT(&w, ORDER_HEADERS, 0);
	for (int i = 0; i < 16; i++) {
		PUT(&w, ORDER_POST, POST_BEGIN, i & 1);
		for (int k = 0; k < 3; k++)
			PUT(&w, ORDER_POST, POST_EVENTS, 255, ORDER_TIME, 3);
		PUT(&w, ORDER_POST, POST_END, 0);
	}
	PUT(&w, ORDER_HANG_UP, ORDER_TIME, 6, ORDER_HEADERS, HEADERS_JOURNAL, ORDER_TIME, 20);
	calls_save_to("cvms", "journals", &w);
}

/* A keeper that does not sign, in a run and at its end. */
static void save_keeper(void)
{
	struct writer w = calls_begin(0);

	PUT(&w, ORDER_HEADERS, HEADERS_JOURNAL, ORDER_POST, POST_BEGIN, 1, ORDER_TIME, 4);
	PUT(&w, ORDER_KEEPER, KEEPER_MUTE, ORDER_POST, POST_ENTRIES, 255, ORDER_TIME, 2);
	PUT(&w, ORDER_POST, POST_ENTRIES, 255, ORDER_TIME, 2, ORDER_POST, POST_ENTRIES, 255);
	PUT(&w, ORDER_TIME, 2, ORDER_KEEPER, KEEPER_REFUSES, ORDER_TIME, 3);
	PUT(&w, ORDER_KEEPER, KEEPER_SIGNS, ORDER_POST, POST_BEGIN, 2, ORDER_TIME, 4);
	PUT(&w, ORDER_KEEPER, KEEPER_MUTE, ORDER_POST, POST_ENTRIES, 9, ORDER_TIME, 2);
	for (int i = 0; i < 24; i++)
		PUT(&w, ORDER_POST, POST_BEGIN, i & 1, ORDER_POST, POST_END, 0);
	PUT(&w, ORDER_KEEPER, KEEPER_REFUSES, ORDER_TIME, 9);
	calls_save_to("cvms", "keeper", &w);
}

/* The next certificate: at once, refused for a while, of a service that says nothing, replaced by another. */
static void save_go_over(void)
{
	SAVE("go-over", 0, ORDER_HEADERS, 0, ORDER_POST, POST_ANSWERS, 3, ORDER_GO_OVER,
	     ORDER_HEADERS, HEADERS_JOURNAL, ORDER_HEADERS | OLDER, 0, ORDER_POST, POST_ANSWERS, 3,
	     ORDER_TIME, 9);
	SAVE("go-over-refused", 0, ORDER_HEADERS, 0, ORDER_DIAL, 1, ORDER_GO_OVER, ORDER_TIME, 200,
	     ORDER_DIAL, 0, ORDER_TIME, 200, ORDER_POST, POST_ANSWERS, 3, ORDER_TIME, 20);
	SAVE("go-over-silence", 0, ORDER_POST, POST_ANSWERS, 3, ORDER_GO_OVER, ORDER_TIME, 20,
	     ORDER_POST, POST_ANSWERS, 3, ORDER_TIME, 5);
	SAVE("go-over-twice", 0, ORDER_HEADERS, 0, ORDER_GO_OVER, ORDER_GO_OVER,
	     ORDER_HEADERS | OLDER, 0, ORDER_ASK | OLDER, ASK_STOP, 0, ORDER_HEADERS, 0, ORDER_TIME,
	     9);
	SAVE("go-over-ends", 0, ORDER_HEADERS, 0, ORDER_DEAF, 1, ORDER_GO_OVER, ORDER_DEAF, 0,
	     ORDER_END, 0, ORDER_TIME, 60, ORDER_ASK | OLDER, ASK_STATE, 1, ORDER_HANG_UP,
	     ORDER_TIME, 60);
	SAVE("go-over-no-ca", FLAG_BAD_CA, ORDER_HEADERS, 0, ORDER_GO_OVER, ORDER_TIME, 2);
}

void calls_cvms(void)
{
	save_talk("talk", 0);
	save_talk("talk-at-once", FLAG_EARLY | FLAG_NO_CVM_ID);
	save_chunks();
	save_flood();
	save_journals();
	save_keeper();
	save_go_over();
	SAVE("refused", FLAG_REFUSED, ORDER_TIME, 60, ORDER_DIAL, 0, ORDER_TIME, 20, ORDER_HEADERS,
	     0, ORDER_POST, POST_ANSWERS, 1, ORDER_TIME, 9);
	SAVE("ends", 0, ORDER_POST, POST_ANSWERS, 3, ORDER_END, 7, ORDER_TIME, 9, ORDER_HEADERS, 0,
	     ORDER_TIME, 60, ORDER_END, 0, ORDER_TIME, 9, ORDER_RESET, 8, ORDER_TIME, 9,
	     ORDER_GOODBYE, ORDER_RESET, 2, ORDER_TIME, 9, ORDER_HEADERS, HEADERS_NO_GRPC,
	     ORDER_TIME, 9);
	/* Sent, but never read: it comes again. */
	SAVE("lost", 0, ORDER_HEADERS, 0, ORDER_POST, POST_ANSWERS, 2, ORDER_DEAF, 1, ORDER_POST,
	     POST_ANSWERS, 9, ORDER_HANG_UP, ORDER_DEAF, 0, ORDER_TIME, 9, ORDER_HEADERS, 0,
	     ORDER_POST, POST_ANSWERS, 2, ORDER_TIME, 9);
	SAVE("asked-wrongly", 0, ORDER_HEADERS, HEADERS_JOURNAL | HEADERS_PROGRESS | HEADERS_WRONG,
	     ORDER_POST, POST_BEGIN, 1, ORDER_TIME, 9, ORDER_ACK, ACK_SHORT_RUN, 9, ORDER_ACK,
	     ACK_OTHER_RUN, 9);
	SAVE("raw", 0, ORDER_HEADERS, 0, ORDER_RAW, 0, 4, 8, 1, 2, 3, ORDER_TIME, 9, ORDER_HEADERS,
	     0, ORDER_RAW, RAW_UNFRAMED, 6, 1, 0, 0, 0, 1, 0, ORDER_TIME, 9, ORDER_RAW, RAW_NO_HTTP,
	     9, 0, 0, 0, 99, 0, 0, 0, 0, 0, ORDER_TIME, 9);
}
