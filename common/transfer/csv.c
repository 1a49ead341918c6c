/* SPDX-License-Identifier: Apache-2.0 */
#include "common/transfer/csv.h"

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/utf8.h"

#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

/* Members of the flat form. */
static const struct column {
	const char *name;
	bool is_json;
} columns[] = {
	{ "id", false },
	{ "name", false },
	{ "description", false },
	{ "owner", false },
	{ "start_time", false },
	{ "end_time", false },
	{ "created_at", false },
	{ "backend_id", false },
	{ "datasets", true },
	{ "algorithm", true },
	{ "result_consumers", true },
	{ "agent_config", true },
	{ "roles", true },
	{ "assets", true },
	{ "manifest", false },
};
enum { COLUMNS = ARRAY_LEN(columns), COLUMN_BYTES = 32 /* of a name, with quotes and commas */ };

/* ---- cells ---- */

/* What makes a spreadsheet take a cell for a formula, behind blanks; full-width signs do, too. */
static bool begins_formula(const char *text)
{
	static const char *const signs[] = { "=",  "+",      "-",      "@",      "\t",    "\r",
					     "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20" };

	text += strspn(text, " ");
	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		if (strncmp(text, signs[i], strlen(signs[i])) == 0)
			return true;
	return false;
}

/* Apostrophes that lead a formula, or such a one, were put there, or could be taken for one that was. */
static bool is_led(const char *text)
{
	text += strspn(text, "'");
	return begins_formula(text);
}

void csv_put(struct writer *w, const char *text)
{
	writer_text(w, is_led(text) ? "\"'" : "\"");
	for (; *text; text++) {
		if (*text == '"')
			writer_u8(w, '"');
		writer_u8(w, (uint8_t)*text);
	}
	writer_u8(w, '"');
}

static const char *without_lead(const char *cell)
{
	return *cell == '\'' && is_led(cell) ? cell + 1 : cell;
}

/* ---- reading ---- */

struct csv {
	const char *at;
	char *cell; /* room for the longest that there can be */
	size_t row; /* from 1, the header's */
};

enum cell_end { CELL_NEXT, CELL_LINE, CELL_LAST };

static int quoted(struct csv *csv, char **to, struct err *e)
{
	for (csv->at++;; csv->at++) {
		if (!*csv->at)
			return err_set(e, ERR_INVALID, "row %zu: a quote is not closed", csv->row);
		if (*csv->at == '"' && *++csv->at != '"')
			return 0;
		*(*to)++ = *csv->at;
	}
}

/* The next cell is in csv->cell. */
static int next_cell(struct csv *csv, enum cell_end *end, struct err *e)
{
	char *to = csv->cell;

	if (*csv->at == '"') {
		if (quoted(csv, &to, e) < 0)
			return err_code(e);
	} else {
		size_t len = strcspn(csv->at, ",\"\r\n");

		memcpy(to, csv->at, len);
		to += len;
		csv->at += len;
	}
	*to = 0;
	if (csv->at[0] == '\r' && csv->at[1] == '\n')
		csv->at++;
	switch (*csv->at) {
	case ',':
		*end = CELL_NEXT;
		break;
	case '\n':
		*end = csv->at[1] ? CELL_LINE : CELL_LAST;
		break;
	case 0:
		*end = CELL_LAST;
		return 0;
	default:
		return err_set(e, ERR_INVALID,
			       "row %zu: a quote or carriage return amid a cell: put the cell in "
			       "quotes, and quotes in it twice",
			       csv->row);
	}
	csv->at++;
	return 0;
}

static int read_header(struct csv *csv, const struct column *order[COLUMNS], size_t *count,
		       enum cell_end *end, struct err *e)
{
	do {
		const struct column *found = NULL;

		if (next_cell(csv, end, e) < 0)
			return err_code(e);
		for (size_t i = 0; i < COLUMNS; i++)
			if (strcmp(columns[i].name, csv->cell) == 0)
				found = &columns[i];
		for (size_t i = 0; i < *count; i++)
			if (order[i] == found)
				found = NULL;
		if (!found)
			return err_set(e, ERR_INVALID,
				       "column %s is none, or comes twice: there are id, name, "
				       "description, owner, start_time, end_time, created_at, "
				       "backend_id, datasets, algorithm, result_consumers, "
				       "agent_config, roles, assets, manifest",
				       log_quote(csv->cell).text);
		order[(*count)++] = found;
	} while (*end == CELL_NEXT);
	return 0;
}

/* An empty cell is a member that is not there. */
static int put_member(struct writer *w, const struct column *column, const char *cell, bool first,
		      struct err *e)
{
	CLEANUP(json_free) struct json *value = NULL;

	writer_text(w, first ? "\"" : ",\"");
	writer_text(w, column->name);
	writer_text(w, "\":");
	if (!column->is_json) {
		cell = without_lead(cell);
		json_quote(w, cell, strlen(cell));
		return 0;
	}
	if (json_parse(cell, strlen(cell), &value, e) < 0) /* one value, and nothing behind it */
		return err_wrap(e, "%s", column->name);
	writer_text(w, cell);
	return 0;
}

static int read_row(struct csv *csv, const struct column *const order[], size_t count,
		    struct writer *w, enum cell_end *end, struct err *e)
{
	bool first = true;
	size_t i = 0;

	writer_text(w, "{");
	do {
		if (next_cell(csv, end, e) < 0)
			return err_code(e);
		if (i == count)
			return err_set(e, ERR_INVALID, "row %zu: more cells than columns",
				       csv->row);
		if (*csv->cell) {
			if (put_member(w, order[i], csv->cell, first, e) < 0)
				return err_wrap(e, "row %zu", csv->row);
			first = false;
		}
		i++;
	} while (*end == CELL_NEXT);
	if (i != count)
		return err_set(e, ERR_INVALID, "row %zu: %zu cells for %zu columns", csv->row, i,
			       count);
	writer_text(w, "}");
	return 0;
}

static int read_rows(struct csv *csv, struct writer *w, struct err *e)
{
	const struct column *order[COLUMNS];
	enum cell_end end;
	size_t count = 0;

	if (read_header(csv, order, &count, &end, e) < 0)
		return err_code(e);
	writer_text(w, "[");
	while (end != CELL_LAST) {
		if (csv->row > CSV_ROWS_MAX)
			return err_set(e, ERR_INVALID, "more than %d computations", CSV_ROWS_MAX);
		if (csv->row++ > 1)
			writer_text(w, ",");
		if (read_row(csv, order, count, w, &end, e) < 0)
			return err_code(e);
	}
	writer_text(w, "]");
	return 0;
}

int csv_to_json(const void *bytes, size_t len, size_t max, uint8_t **json, size_t *json_len,
		struct err *e)
{
	static const char mark[] = "\xef\xbb\xbf";
	CLEANUP(free) char *text = NULL, *cell = NULL;
	struct csv csv = { .row = 1 };

	if (len > max)
		return err_set(e, ERR_INVALID, "CSV: %zu bytes, more than %zu", len, max);
	if (!utf8_valid(bytes, len) || (len && memchr(bytes, 0, len)))
		return err_set(e, ERR_INVALID, "CSV: not UTF-8, or a zero character");
	/* A byte becomes at most six, \u001f; and each cell a name. */
	CLEANUP_WRITER struct writer w =
		writer_up_to(6 * len + CSV_ROWS_MAX * COLUMNS * COLUMN_BYTES);
	text = malloc(len + 1);
	csv.cell = cell = malloc(len + 1);
	if (!text || !cell)
		return err_nomem(e);
	if (len)
		memcpy(text, bytes, len);
	text[len] = 0;
	csv.at = strncmp(text, mark, 3) == 0 ? text + 3 : text;
	if (read_rows(&csv, &w, e) < 0)
		return err_wrap(e, "CSV");
	if (writer_check(&w, "CSV", e) < 0)
		return err_code(e);
	*json = writer_take(&w, json_len);
	return *json ? 0 : err_nomem(e);
}
