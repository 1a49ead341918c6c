/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/table.h"

#include "cli/base/json_out.h"
#include "cli/base/text.h"
#include "common/base/timestamp.h"

#include <stdlib.h>
#include <string.h>

/* For people, and for programs: JSON, of which YAML takes scalars and one-line objects as they are. */
struct table_cell {
	char *shown, *json;
};

enum format { FORMAT_TABLE, FORMAT_WIDE, FORMAT_JSON, FORMAT_YAML };

const char *const table_formats[] = { "table", "wide", "json", "yaml", NULL };

static enum format format_of(const struct cli *cli)
{
	const char *wanted = cli_value(cli, "output");
	enum format f = FORMAT_TABLE;

	if (cli_flag(cli, "json"))
		return FORMAT_JSON;
	while (wanted && strcmp(table_formats[f], wanted) != 0)
		f++;
	return f;
}

int table_check(const struct cli *cli, struct err *e)
{
	if (cli_flag(cli, "json") && cli_value(cli, "output") && format_of(cli) == FORMAT_JSON &&
	    strcmp(cli_value(cli, "output"), "json") != 0)
		return err_set(e, ERR_INVALID, "--json and --output %s exclude each other",
			       cli_value(cli, "output"));
	return 0;
}

void table_init(struct table *t, const struct table_column *columns)
{
	*t = (struct table){ .columns = columns };
	while (columns[t->width].head)
		t->width++;
}

void table_clear(struct table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->cells[i].shown);
		free(t->cells[i].json);
	}
	for (size_t i = 0; i < t->object_count; i++)
		free(t->objects[i]);
	t->count = t->object_count = 0;
}

void table_done(struct table *t)
{
	table_clear(t);
	free(t->cells);
	free(t->objects);
	t->cells = NULL;
	t->objects = NULL;
	t->room = 0;
}

static void add(struct table *t, const char *shown, const struct json_out *json)
{
	struct table_cell cell = { .shown = strdup(*shown ? shown : "-"),
				   .json = strndup((const char *)json->w.bytes, json->w.len) };

	if (t->count == t->room) {
		size_t room = t->room ? 2 * t->room : 64;
		struct table_cell *more = reallocarray(t->cells, room, sizeof(*more));

		if (more) {
			t->cells = more;
			t->room = room;
		}
	}
	if (!cell.shown || !cell.json || json->w.bad || t->count == t->room) {
		free(cell.shown);
		free(cell.json);
		t->failed = true;
		return;
	}
	text_make_plain(cell.shown);
	t->cells[t->count++] = cell;
}

void table_text(struct table *t, const char *text)
{
	struct json_out json CLEANUP_JSON_OUT;

	json_out_init(&json);
	json_out_text(&json, NULL, text);
	add(t, text, &json);
}

void table_number(struct table *t, uint64_t number, const char *shown)
{
	struct json_out json CLEANUP_JSON_OUT;
	char digits[24];

	json_out_init(&json);
	json_out_number(&json, NULL, number);
	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	add(t, !number ? "" : shown ? shown : digits, &json);
}

void table_moment(struct table *t, int64_t ms)
{
	struct json_out json CLEANUP_JSON_OUT;
	char text[TIMESTAMP_TEXT_MAX] = "";

	json_out_init(&json);
	if (ms) {
		timestamp_format(ms / 1000, text);
		json_out_text(&json, NULL, text);
	} else {
		writer_text(&json.w, "null");
	}
	add(t, text, &json);
}

void table_pairs(struct table *t, const char *pairs)
{
	struct json_out json CLEANUP_JSON_OUT;
	char *copy = strdup(pairs), *rest = copy, *pair;

	json_out_init(&json);
	json_out_object(&json, NULL);
	t->failed |= !copy;
	while ((pair = strsep(&rest, ",")) && *pair) {
		char *value = strchr(pair, '=');

		if (!value)
			continue;
		*value++ = '\0';
		json_out_text(&json, pair, value);
	}
	json_out_end(&json);
	free(copy);
	add(t, pairs, &json);
}

void table_words(struct table *t, char *const *words, size_t count)
{
	CLEANUP_WRITER struct writer shown = writer_up_to(JSON_OUT_MAX);
	struct json_out json CLEANUP_JSON_OUT;

	json_out_init(&json);
	json_out_list(&json, NULL);
	for (size_t i = 0; i < count; i++) {
		json_out_text(&json, NULL, words[i]);
		writer_text(&shown, i ? "," : "");
		writer_text(&shown, words[i]);
	}
	json_out_end(&json);
	writer_u8(&shown, '\0');
	t->failed |= shown.bad;
	add(t, shown.bad ? "" : (const char *)shown.bytes, &json);
}

void table_object(struct table *t, const struct json_out *object)
{
	size_t room = t->object_count;
	char *copy = strndup((const char *)object->w.bytes, object->w.len);

	/* Twice as many whenever that is a power of two. */
	if (!(room & (room - 1))) {
		char **more = reallocarray(t->objects, room ? 2 * room : 1, sizeof(*more));

		t->objects = more ? more : t->objects;
		t->failed |= !more;
	}
	if (!copy || object->w.bad || t->failed) {
		free(copy);
		t->failed = true;
		return;
	}
	t->objects[t->object_count++] = copy;
}

static const struct table_cell *cell(const struct table *t, size_t row, size_t column)
{
	return &t->cells[row * t->width + column];
}

static void print_padded(FILE *out, const char *text, size_t width, bool last)
{
	fputs(text, out);
	for (size_t n = text_columns(text); !last && n < width + 2; n++)
		fputc(' ', out);
}

static void print_people(const struct table *t, FILE *out, bool wide)
{
	size_t rows = t->count / t->width, last = 0, widths[TABLE_COLUMNS_MAX] = { 0 };

	for (size_t c = 0; c < t->width; c++) {
		if (t->columns[c].wide && !wide)
			continue;
		last = c;
		widths[c] = text_columns(t->columns[c].head);
		for (size_t r = 0; r < rows; r++)
			if (text_columns(cell(t, r, c)->shown) > widths[c])
				widths[c] = text_columns(cell(t, r, c)->shown);
	}
	for (size_t r = 0; r <= rows; r++) {
		for (size_t c = 0; c <= last; c++)
			if (!t->columns[c].wide || wide)
				print_padded(out, r ? cell(t, r - 1, c)->shown : t->columns[c].head,
					     widths[c], c == last);
		fputc('\n', out);
	}
}

static void print_object(const struct table *t, size_t row, FILE *out)
{
	if (t->objects) {
		fputs(t->objects[row], out);
		return;
	}
	for (size_t c = 0; c < t->width; c++)
		fprintf(out, "%s\"%s\":%s", c ? "," : "{", t->columns[c].key,
			cell(t, row, c)->json);
	fputc('}', out);
}

static void print_list(const struct table *t, FILE *out)
{
	size_t rows = t->count / t->width;

	fputc('[', out);
	for (size_t r = 0; r < rows; r++) {
		if (r)
			fputc(',', out);
		print_object(t, r, out);
	}
	fputs("]\n", out);
}

/* An object of json_out's with each member in a line: a comma or colon that is the object's own is outside of
 * texts, and of what is inside it. Nested objects and lists stay in their line, which YAML takes as they are. */
static void print_members(const char *object, FILE *out, const char *first, const char *others)
{
	unsigned depth = 0;
	bool quoted = false, key = true;

	fputs(first, out);
	for (const char *at = object; *at; at++) {
		if (quoted) {
			fputc(*at, out);
			if (*at == '\\' && at[1])
				fputc(*++at, out);
			else if (*at == '"')
				quoted = false;
			continue;
		}
		depth += *at == '{' || *at == '[';
		if (depth == 1 && *at == ',') {
			fprintf(out, "\n%s", others);
			key = true;
		} else if (depth == 1 && key && *at == ':') {
			fputs(": ", out);
			key = false;
		} else if (!(depth == 1 && (*at == '{' || *at == '}'))) {
			fputc(*at, out);
		}
		quoted = *at == '"';
		depth -= *at == '}' || *at == ']';
	}
	fputc('\n', out);
}

static void print_yaml(const struct table *t, FILE *out, const char *first, const char *others)
{
	for (size_t r = 0; t->objects && r < t->object_count; r++)
		print_members(t->objects[r], out, first, others);
	for (size_t r = 0; !t->objects && r < t->count / t->width; r++)
		for (size_t c = 0; c < t->width; c++)
			fprintf(out, "%s%s: %s\n", c ? others : first, t->columns[c].key,
				cell(t, r, c)->json);
}

static int check_whole(const struct table *t, struct err *e)
{
	return t->failed ? err_nomem(e) : 0;
}

static int flush(FILE *out, struct err *e)
{
	return fflush(out) == 0 ? 0 : err_errno(e, "standard output");
}

int table_print(const struct table *t, const struct cli *cli, const char *none, struct err *e)
{
	enum format format = format_of(cli);

	if (check_whole(t, e) < 0)
		return err_code(e);
	if (format == FORMAT_JSON)
		print_list(t, cli->out);
	else if (format == FORMAT_YAML && t->count)
		print_yaml(t, cli->out, "- ", "  ");
	else if (format == FORMAT_YAML)
		fputs("[]\n", cli->out);
	else if (t->count)
		print_people(t, cli->out, format == FORMAT_WIDE);
	else
		fprintf(cli->out, "%s\n", none);
	return flush(cli->out, e);
}

static const char *label(const struct table *t, size_t column)
{
	return t->labels ? t->labels[column] : t->columns[column].key;
}

int table_print_one(const struct table *t, const struct cli *cli, struct err *e)
{
	enum format format = format_of(cli);
	size_t width = 0;

	if (check_whole(t, e) < 0)
		return err_code(e);
	if (format == FORMAT_JSON)
		return table_print_line(t, cli->out, e);
	if (format == FORMAT_YAML) {
		print_yaml(t, cli->out, "", "");
		return flush(cli->out, e);
	}
	for (size_t c = 0; c < t->width; c++)
		if (strlen(label(t, c)) > width)
			width = strlen(label(t, c));
	for (size_t c = 0; c < t->width; c++) {
		print_padded(cli->out, label(t, c), width, false);
		fprintf(cli->out, "%s\n", cell(t, 0, c)->shown);
	}
	return flush(cli->out, e);
}

int table_print_line(const struct table *t, FILE *out, struct err *e)
{
	if (check_whole(t, e) < 0)
		return err_code(e);
	print_object(t, 0, out);
	fputc('\n', out);
	return flush(out, e);
}
