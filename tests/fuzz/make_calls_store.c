/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_store.c — corpora of the computation service. */
#include "tests/fuzz/make_calls.h"

#include <stdio.h>
#include <string.h>

enum table { COMPUTATIONS, CVMS, JOURNALS, RECORDS, ENTRIES, SIGNED, LEAVES, NODES };
enum function {
	LIST = 8,
	SHOW,
	READ,
	LOG,
	EVENT,
	ARRIVE,
	STATE,
	CREATE,
	TAKEN,
	REFUSED,
	STOP,
	REMOVE,
	ASSIGN,
	STOPPED,
	VERDICT,
	RELEASE,
	JOURNAL,
	PAGE,
	WITNESS
};
enum id { A, B, V, EMPTY };
enum { NEXT_FAILS = 0xfb };

static struct writer begin(void)
{
	return writer_up_to(CALLS_INPUT_MAX);
}

/* Letters: i a small number, I a large one, t a text, b a blob of 32, d an id, n NULL, r a real. */
static void row(struct writer *w, enum table table, const char *types, const char *text, int number)
{
	writer_u8(w, 0);
	writer_u8(w, (uint8_t)table);
	for (const char *t = types; *t; t++) {
		static const char letters[] = "niItbdr";

		writer_u8(w, (uint8_t)(strchr(letters, *t) - letters));
		if (*t == 'i') {
			writer_u8(w, (uint8_t)number);
		} else if (*t == 'I') {
			writer_zeros(w, 4);
			writer_be32(w, UINT32_MAX);
		} else if (*t == 't') {
			writer_u8(w, (uint8_t)strlen(text));
			writer_text(w, text);
		} else if (*t == 'b') {
			writer_u8(w, 32);
			writer_zeros(w, 32);
		} else if (*t == 'd') {
			writer_u8(w, A);
		} else if (*t == 'r') {
			writer_be32(w, 7);
		}
	}
}

static void function(struct writer *w, enum function f, enum id id, enum id cvm)
{
	writer_u8(w, (uint8_t)f);
	writer_u8(w, (uint8_t)id);
	writer_u8(w, (uint8_t)cvm);
}

static void with(struct writer *w, enum function f, enum id id, enum id cvm, uint8_t value)
{
	function(w, f, id, cvm);
	writer_u8(w, value);
}

static void record(struct writer *w, enum function f, enum id id, enum id cvm, uint8_t word)
{
	with(w, f, id, cvm, word);
	writer_u8(w, 1); /* seconds */
}

static void save_life(void)
{
	struct writer w = begin();

	function(&w, CREATE, A, V);
	function(&w, ARRIVE, EMPTY, V);
	function(&w, ASSIGN, A, V);
	function(&w, TAKEN, A, V);
	record(&w, LOG, A, V, 0);
	record(&w, EVENT, A, V, 0);
	with(&w, STATE, A, V, 1);
	function(&w, VERDICT, A, V);
	for (uint8_t i = 0; i < 6; i++)
		record(&w, LOG, EMPTY, V, 3);
	with(&w, READ, A, V, 0);
	with(&w, READ, EMPTY, V, 1);
	record(&w, EVENT, A, V, 2);
	function(&w, STOP, A, V);
	function(&w, STOPPED, A, V);
	with(&w, REMOVE, A, V, 0);
	function(&w, RELEASE, A, V);
	calls_save("store_rows/life", &w);

	w = begin();
	function(&w, CREATE, A, V);
	function(&w, CREATE, B, V);
	function(&w, CREATE, V, V);
	function(&w, ARRIVE, EMPTY, V);
	function(&w, ARRIVE, A, A);
	function(&w, ARRIVE, B, A);
	function(&w, ARRIVE, EMPTY, EMPTY);
	function(&w, ASSIGN, A, V);
	function(&w, ASSIGN, A, V);
	function(&w, ASSIGN, B, V);
	function(&w, REFUSED, A, V);
	function(&w, ASSIGN, B, V);
	with(&w, STATE, A, V, 1);
	with(&w, STATE, A, V, 0);
	function(&w, STOP, B, V);
	with(&w, STATE, A, V, 3);
	with(&w, REMOVE, B, V, 0);
	with(&w, REMOVE, B, V, 1);
	function(&w, CREATE, B, V);
	with(&w, STATE, B, V, 0);
	function(&w, CREATE, B, V);
	function(&w, LIST, A, V);
	function(&w, LIST, B, V);
	calls_save("store_rows/two", &w);
}

/* Refused, and run again; failed while its CVM still holds it; what an older program kept of a journal. */
static void save_again(void)
{
	struct writer w = begin();

	function(&w, CREATE, A, V);
	function(&w, ARRIVE, EMPTY, V);
	function(&w, ASSIGN, A, V);
	function(&w, REFUSED, A, V);
	function(&w, STOPPED, A, V);
	function(&w, ASSIGN, A, V);
	function(&w, TAKEN, A, V);
	record(&w, EVENT, A, V, 1);
	function(&w, STOPPED, A, V);
	calls_save("store_rows/again", &w);
	w = begin();
	function(&w, CREATE, A, V);
	function(&w, ARRIVE, EMPTY, V);
	function(&w, ASSIGN, A, V);
	row(&w, SIGNED, "diiibn", "", 1);
	with(&w, JOURNAL, A, V, 2); /* there is no first entry */
	writer_bytes(&w, (const uint8_t[]){ 1, 1, 1 }, 3);
	row(&w, ENTRIES, "diib", "", 1);
	with(&w, JOURNAL, A, V, 2);
	writer_bytes(&w, (const uint8_t[]){ 1, 1, 1 }, 3);
	calls_save("store_rows/older", &w);
}

static void save_foreign(const char *name, const char *text, int number, const char *computation,
			 const char *cvm, const char *journal, const char *rec, const char *entry,
			 const char *head)
{
	struct writer w = begin();
	char path[64] = "store_rows/";

	row(&w, COMPUTATIONS, computation, text, number);
	row(&w, CVMS, cvm, text, number);
	row(&w, JOURNALS, journal, text, number);
	row(&w, RECORDS, rec, text, number);
	row(&w, ENTRIES, entry, text, number);
	row(&w, SIGNED, head, text, number);
	for (int f = LIST; f <= WITNESS; f++) {
		function(&w, (enum function)f, A, A);
		if (f == READ || f == STATE || f == REMOVE)
			writer_u8(&w, 1);
		else if (f == LOG || f == EVENT || f == PAGE || f == WITNESS)
			writer_zeros(&w, 2);
		else if (f == JOURNAL)
			writer_bytes(&w, (const uint8_t[]){ 1, 2, 7, 3, 5 }, 5);
	}
	calls_save(strcat(path, name), &w);
}

static void save_rest(void)
{
	struct writer w = begin();

	/* Names and keys. */
	function(&w, ARRIVE, A, V);
	function(&w, ARRIVE, A, V);
	function(&w, ARRIVE, B, V);
	function(&w, ARRIVE, EMPTY, V);
	function(&w, RELEASE, A, V);
	function(&w, ARRIVE, B, V);
	function(&w, RELEASE, A, A);
	calls_save("store_rows/names", &w);
	w = begin();
	function(&w, ARRIVE, EMPTY, B);
	function(&w, ARRIVE, EMPTY, V);
	function(&w, CREATE, A, V);
	function(&w, ASSIGN, A, V);
	function(&w, ARRIVE, EMPTY, A);
	function(&w, CREATE, B, V);
	with(&w, STATE, A, B, 1);
	function(&w, ASSIGN, B, B);
	function(&w, ASSIGN, B, V);
	with(&w, REMOVE, A, V, 0);
	function(&w, STOP, A, V);
	with(&w, REMOVE, A, V, 0);
	with(&w, REMOVE, A, V, 1);
	function(&w, CREATE, A, V);
	with(&w, STATE, A, V, 0);
	function(&w, CREATE, A, V);
	calls_save("store_rows/busy", &w);
	w = begin();
	function(&w, ARRIVE, EMPTY, V);
	function(&w, CREATE, A, V);
	function(&w, ASSIGN, A, V);
	function(&w, TAKEN, A, V);
	with(&w, STATE, A, V, 0);
	function(&w, ARRIVE, EMPTY, V);
	function(&w, STOP, A, V);
	function(&w, ARRIVE, EMPTY, V);
	with(&w, STATE, A, V, 0);
	calls_save("store_rows/restart", &w);
	w = begin();
	function(&w, ARRIVE, EMPTY, V);
	for (uint8_t i = 0; i < 8; i++)
		record(&w, LOG, EMPTY, V, 3);
	record(&w, LOG, A, V, 3);
	record(&w, EVENT, EMPTY, V, 3);
	calls_save("store_rows/trim", &w);
}

static void journal(struct writer *w, enum id id, uint8_t first, uint8_t len, uint8_t head)
{
	with(w, JOURNAL, id, V, first);
	writer_u8(w, 2);
	writer_u8(w, len);
	writer_u8(w, 1);
	writer_u8(w, head);
}

static void page(struct writer *w, enum id id, uint8_t run, uint8_t after)
{
	with(w, PAGE, id, V, run);
	writer_u8(w, after);
}

static void save_journals(void)
{
	struct writer w = begin();

	function(&w, ARRIVE, EMPTY, V);
	function(&w, CREATE, A, V);
	function(&w, ASSIGN, A, V);
	page(&w, A, 0, 0);
	page(&w, A, 1, 0);
	journal(&w, A, 2, 1, 1); /* a gap, no entry, no head, not its own */
	journal(&w, A, 1, 0, 1);
	journal(&w, A, 1, 1, 0);
	journal(&w, B, 1, 1, 1);
	for (uint8_t i = 0; i < 6; i++)
		journal(&w, A, (uint8_t)(1 + i), 2, 3); /* overlapping */
	journal(&w, A, 1, 2, 3);
	page(&w, A, 0, 0);
	page(&w, A, 1, 2);
	journal(&w, A, 1, 3, 3); /* another run: too much */
	with(&w, REMOVE, A, V, 1);
	page(&w, A, 1, 0);
	calls_save("store_rows/journals", &w);
	/* Two runs, each part of which names its own; then one that is not here, one that is none. */
	w = begin();
	function(&w, ARRIVE, EMPTY, V);
	function(&w, CREATE, A, V);
	function(&w, ASSIGN, A, V);
	for (uint8_t first = 1; first < 6; first++)
		for (uint8_t len = 2; len < 4; len++)
			journal(&w, A, first, len, (uint8_t)(0x40 | len << 3 | 1));
	journal(&w, A, 2, 2, 0x40 | 5 << 3 | 1);
	journal(&w, A, 1, 2, 0x40 | 5 << 3 | 1);
	journal(&w, A, 1, 2, 0xc0 | 2 << 3 | 1);
	page(&w, A, 1, 0);
	page(&w, A, 2, 0);
	calls_save("store_rows/runs", &w);
}

static void proves(struct writer *w, enum id id, uint8_t run, uint8_t size)
{
	with(w, WITNESS, id, V, run);
	writer_u8(w, size);
}

/* Heads that are some, one of them final; a computation that is made anew; what others wrote. */
static void save_log(void)
{
	struct writer w = begin();

	function(&w, ARRIVE, EMPTY, V);
	for (int i = 0; i < 3; i++) {
		function(&w, CREATE, A, V);
		function(&w, ASSIGN, A, V);
		journal(&w, A, 1, 2, 7);
		journal(&w, A, 3, 2, 7);
		journal(&w, A, 5, 2, 15);
		with(&w, REMOVE, A, V, 1);
		with(&w, STATE, A, V, 0);
	}
	for (uint8_t size = 0; size < 7; size++) {
		proves(&w, A, 0, size);
		proves(&w, A, size, size);
		proves(&w, EMPTY, 0, size);
	}
	proves(&w, B, 0, 0xff);
	calls_save("store_rows/log", &w);
	w = begin();
	function(&w, ARRIVE, EMPTY, V);
	function(&w, CREATE, A, V);
	function(&w, ASSIGN, A, V);
	row(&w, LEAVES, "idiib", "", 1);
	proves(&w, A, 0, 0); /* no nodes */
	row(&w, NODES, "iii", "", 1);
	proves(&w, A, 0, 0); /* a hash that is a number */
	row(&w, NODES, "iib", "", 1);
	proves(&w, A, 0, 1);
	row(&w, NODES, "iit", "x", 0);
	proves(&w, A, 0, 1);
	row(&w, LEAVES, "idiit", "y", 1);
	proves(&w, A, 0, 0);
	row(&w, LEAVES, "idnib", "", 2);
	row(&w, LEAVES, "Idiib", "", 1);
	proves(&w, A, 0, 0); /* a size that no log has */
	journal(&w, A, 1, 2, 15);
	calls_save("store_rows/log-foreign", &w);
	w = begin();
	function(&w, ARRIVE, EMPTY, V);
	function(&w, CREATE, A, V);
	function(&w, ASSIGN, A, V);
	row(&w, LEAVES, "idIib", "", 1);
	journal(&w, A, 1, 2, 15); /* after runs that nobody had */
	proves(&w, A, 0, 0);
	calls_save("store_rows/log-runs", &w);
}

/* A life whose function `f` fails at each of its statements, and then does what it is for. */
static void save_failing(enum function f)
{
	for (int first = 1; first < 33; first += 8) {
		struct writer w = begin();
		char path[64];

		function(&w, ARRIVE, EMPTY, V);
		function(&w, CREATE, A, V);
		if (f > ASSIGN || f == TAKEN || f == REFUSED || f == STATE || f == LOG ||
		    f == EVENT)
			function(&w, ASSIGN, A, V);
		if (f == RELEASE)
			function(&w, STOP, A, V);
		if (f >= JOURNAL)
			journal(&w, A, 1, 2, 7);
		for (int at = first; at < first + 8; at++) {
			writer_u8(&w, NEXT_FAILS);
			writer_u8(&w, (uint8_t)at);
			function(&w, f, f == ARRIVE ? B : A, V);
			if (f == READ || f == STATE || f == REMOVE)
				writer_u8(&w, 1);
			else if (f == LOG || f == EVENT || f == PAGE || f == WITNESS)
				writer_bytes(&w, (const uint8_t[]){ 1, 1 }, 2);
			else if (f == JOURNAL)
				writer_bytes(&w, (const uint8_t[]){ 3, 2, 2, 1, 7 }, 5);
		}
		snprintf(path, sizeof(path), "store_rows/failing-%d-%d", f, first);
		calls_save(path, &w);
	}
}

void calls_store_rows(void)
{
	for (int f = LIST; f <= WITNESS; f++)
		save_failing((enum function)f);
	save_journals();
	save_log();
	save_life();
	save_again();
	/* As the service writes them, then with other types, texts and numbers. */
	save_foreign("own", "c:a", 1, "idttbbiiitdiiittiiii", "iddttiiitit", "itiii",
		     "iiiiiittttti", "diib", "diiibb");
	save_foreign("texts", "c:a\xff\x01", 1, "idttbbiiitdiiittiiii", "iddttiiitit", "itiii",
		     "iiiiiittttti", "ditb", "ditibn");
	save_foreign("blobs", "c:a", 1, "idbbbbiiibdiiibbiiii", "iddbbiiibib", "itiii",
		     "iiiiiibbbbbi", "dibb", "diibbt");
	save_foreign("numbers", "c:a", -100, "idttbbIIItdIIIttIIII", "iddttIIItIt", "itIII",
		     "iiIIIittttti", "dIIb", "dIIIbI");
	save_foreign("counts", "c:a", 100, "idttbbiiitdiiittiiii", "iddttiiitit", "itiii",
		     "iiiiiittttti", "diit", "diiiti");
	save_foreign("zeros", "c:a", 0, "idttbbiiitdiiittiiii", "iddttiiitit", "itiii",
		     "Iiiiiittttti", "diib", "diiibb");
	save_foreign("digest", "c:a", 1, "idttbtiiitdiiittiiii", "idtttiiitit", "itiii",
		     "iiiiiittttti", "diii", "diiiib");
	save_rest();
}
