/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_manager.c — corpora of the manager. */
#include "tests/fuzz/make_calls.h"

#include <stdio.h>
#include <string.h>

enum { CVM, GONE, META };
enum { VALUE_NULL, VALUE_BYTE, VALUE_INT, VALUE_TEXT, VALUE_BLOB, VALUE_ID, VALUE_DIGEST };

static void value(struct writer *w, char type, uint8_t number, const char *text)
{
	switch (type) {
	case 'n':
		writer_u8(w, VALUE_NULL);
		break;
	case 'i':
		writer_u8(w, VALUE_BYTE);
		writer_u8(w, number);
		break;
	case 'I':
		writer_u8(w, VALUE_INT);
		writer_be64(w, UINT64_C(1) << 62);
		break;
	case 't':
	case 'b':
		writer_u8(w, type == 't' ? VALUE_TEXT : VALUE_BLOB);
		writer_u8(w, (uint8_t)strlen(text));
		writer_text(w, text);
		break;
	case 'd':
		writer_u8(w, VALUE_ID);
		writer_u8(w, number);
		break;
	case '2':
	case '3':
		writer_u8(w, VALUE_DIGEST);
		writer_u8(w, type == '2' ? 32 : 48);
	}
}

static void row(struct writer *w, uint8_t table, const char *types, uint8_t number,
		const char *text)
{
	writer_u8(w, table);
	for (; *types; types++)
		value(w, *types, number, text);
}

static void save(const char *name, uint8_t version, const char *types, uint8_t number,
		 const char *text)
{
	struct writer w = writer_up_to(CALLS_INPUT_MAX);
	char path[64];

	writer_u8(&w, version);
	row(&w, GONE, "id", 1, "");
	row(&w, GONE, "it", 2, "no id");
	row(&w, CVM, types, number, text);
	snprintf(path, sizeof(path), "registry_rows/%s", name);
	calls_save(path, &w);
}

/* id slot port step created expires tee kvm cpus, cpu firmware image cmdline, digests, expected */
void calls_registry_rows(void)
{
	static const char good[] = "diiiiiiiitttt23t";
	struct writer w;
	char types[sizeof(good)], name[32];

	save("good", 1, good, 1, "text");
	save("newer", 2, good, 1, "text");
	save("older", 255, good, 1, "text");
	save("out-of-range", 1, good, 7, "text");
	save("control", 1, good, 1, "a\x1b[2J");
	save("bytes", 1, good, 1, "\xff\xfe");
	for (size_t i = 0; i < sizeof(good) - 1; i++) {
		memcpy(types, good, sizeof(good));
		types[i] = good[i] == 'i' ? 'I' : good[i] == 't' ? 'b' : 't';
		snprintf(name, sizeof(name), "column-%zu", i);
		save(name, 1, types, 1, "text");
	}
	w = writer_up_to(CALLS_INPUT_MAX);
	writer_u8(&w, 1);
	row(&w, CVM, good, 1, "text");
	row(&w, CVM, good, 1, "again");
	calls_save("registry_rows/one-slot", &w);
	w = writer_up_to(CALLS_INPUT_MAX);
	writer_u8(&w, 1);
	row(&w, META, "tt", 1, "tag");
	calls_save("registry_rows/tag", &w);
	w = writer_up_to(CALLS_INPUT_MAX);
	writer_u8(&w, 1);
	for (uint8_t i = 0; i < 6; i++)
		row(&w, CVM, good, (uint8_t)(1 + i % 3), "text");
	calls_save("registry_rows/three", &w);
}
