/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docs/uncovered.md has, in each section, one table: the rows of uncovered.def, no others. With
 * --write it gets them. Each row's file is a test that looks for it.
 */
#include "tests/uncovered.h"

#include <stdio.h>
#include <unistd.h>

enum { PAGE_MAX = 1 << 16 };

static char page[PAGE_MAX], wanted[PAGE_MAX], path[512];

static void load(void)
{
	snprintf(path, sizeof(path), "%s/docs/uncovered.md", getenv("COCOS_SOURCE"));
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	page[fread(page, 1, sizeof(page) - 1, file)] = 0;
	fclose(file);
}

static size_t put_table(FILE *out, const char *section)
{
	size_t rows = 0;

	fputs("| where | what may change | why it says nothing |\n|---|---|---|\n", out);
	for (int i = UNCOVERED_NONE + 1; i < UNCOVERED_COUNT; i++) {
		const struct uncovered_row *row = &uncovered_rows[i];

		if (strcmp(row->section, section) != 0)
			continue;
		fprintf(out, "| %s | %s | %s |\n", row->where, row->what, row->why);
		rows++;
	}
	return rows;
}

/* The page with the tables of the rows in the places of those that it has. */
static void render(void)
{
	FILE *out = fmemopen(wanted, sizeof(wanted), "w");
	char section[128] = "";
	size_t rows = 0, listed = UNCOVERED_COUNT - 1;
	bool in_table = false;

	for (const char *line = page, *next; *line; line = next) {
		const char *end = strchr(line, '\n');

		next = end ? end + 1 : line + strlen(line);
		if (strncmp(line, "## ", 3) == 0)
			snprintf(section, sizeof(section), "%.*s", (int)(end - line - 3), line + 3);
		if (*line == '|') {
			if (!in_table)
				rows += put_table(out, section);
			in_table = true;
			continue;
		}
		in_table = false;
		fwrite(line, 1, (size_t)(next - line), out);
	}
	fclose(out);
	assert_int_equal(rows, listed); /* each section of a row has its table */
}

static void the_page_has_the_rows_that_tests_find(void **state)
{
	load();
	render();
	if (strcmp(page, wanted) != 0)
		fail_msg(
			"docs/uncovered.md is not as uncovered.def has it: %s",
			"build/tests/unit/attestation/test_attestation_verify_uncovered_page --write");
}

/* Somewhere under tests/ there is that file, and it ends by asking for its rows. */
static void each_row_has_a_test(void **state)
{
	static const char *const folders[] = { "vectors", "unit/attestation/tdx",
					       "unit/attestation/verify" };

	for (int i = UNCOVERED_NONE + 1; i < UNCOVERED_COUNT; i++) {
		bool asks = false;

		for (size_t k = 0; k < ARRAY_LEN(folders); k++) {
			snprintf(path, sizeof(path), "%s/tests/%s/%s", getenv("COCOS_SOURCE"),
				 folders[k], uncovered_rows[i].file);
			FILE *file = fopen(path, "r");

			if (!file)
				continue;
			page[fread(page, 1, sizeof(page) - 1, file)] = 0;
			fclose(file);
			asks |= strstr(page, "uncovered_all_found(__FILE__)") != NULL;
		}
		if (!asks)
			fail_msg("nothing looks for: %s", uncovered_rows[i].where);
	}
}

static int write_page(void)
{
	load();
	render();

	FILE *file = fopen(path, "w");

	return file && fputs(wanted, file) >= 0 && fclose(file) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_has_the_rows_that_tests_find),
		cmocka_unit_test(each_row_has_a_test),
	};

	if (argc > 1 && strcmp(argv[1], "--write") == 0)
		return write_page();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
