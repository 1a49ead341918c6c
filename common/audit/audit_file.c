/* SPDX-License-Identifier: Apache-2.0 */
#include "common/audit/audit_file.h"

#include "common/base/writer.h"

#include <inttypes.h>
#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

static void put_head(struct writer *w, const struct audit_head *head)
{
	char text[AUDIT_HEAD_TEXT_MAX + 1];

	audit_head_text(head, text);
	writer_printf(w, "\"%s\"}", text);
}

void audit_file_begin_write(const struct audit_head *after, struct writer *w)
{
	writer_text(w, "{\"audit\":\"cocos-audit-v1\",\"after\":");
	put_head(w, after);
}

void audit_file_end_write(const struct audit_head *head, struct writer *w)
{
	writer_text(w, "{\"head\":");
	put_head(w, head);
}

/* The line is the one that is written of the head in it, which `key` names. */
static bool read_edge(const char *line, size_t len, const char *key,
		      void (*write)(const struct audit_head *head, struct writer *w),
		      struct audit_head *head)
{
	CLEANUP(json_free) struct json *json = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(AUDIT_FILE_EDGE_MAX);
	struct audit_head got;
	const char *text;
	struct err ignored;

	if (len > AUDIT_FILE_EDGE_MAX || json_parse(line, len, &json, &ignored) < 0 ||
	    json_get_string(json, key, &text, &ignored) < 0 ||
	    audit_head_parse(text, &got, &ignored) < 0)
		return false;
	write(&got, &w);
	if (w.bad || w.len != len || memcmp(w.bytes, line, len) != 0)
		return false;
	*head = got;
	return true;
}

static bool is_wanted(const struct audit_file *f)
{
	return f->wanted && f->wanted->number == f->head.number;
}

static int compare_wanted(struct audit_file *f, struct err *e)
{
	if (!is_wanted(f))
		return 0;
	if (memcmp(f->wanted->digest, f->head.digest, SHA3_256_LEN) != 0)
		return err_set(e, ERR_DATA_LOSS,
			       "row %" PRIu64 " has another digest than the head that was given: "
			       "another log, or one that was written anew",
			       f->head.number);
	f->found = true;
	return 0;
}

static int take_begin(struct audit_file *f, const char *line, size_t len, struct err *e)
{
	if (!read_edge(line, len, "after", audit_file_begin_write, &f->after))
		return err_set(e, ERR_DATA_LOSS,
			       "the first line is not that of an audit log ('cocos-audit-v1')");
	f->begun = true;
	f->head = f->after;
	return compare_wanted(f, e);
}

static int take_end(struct audit_file *f, const struct audit_head *end, struct err *e)
{
	if (end->number != f->head.number || memcmp(end->digest, f->head.digest, SHA3_256_LEN) != 0)
		return err_set(e, ERR_DATA_LOSS,
			       "the last line names row %" PRIu64 ", and the rows end with %" PRIu64
			       "%s: some were cut off, or its line was changed",
			       end->number, f->head.number,
			       end->number == f->head.number ? " of another digest" : "");
	f->ended = true;
	return 0;
}

static int take_row(struct audit_file *f, const char *line, size_t len, struct err *e)
{
	CLEANUP(json_free) struct json *json = NULL;
	struct audit_row row;

	if (audit_row_follow(&f->head, line, len, &json, &row, e) < 0 || compare_wanted(f, e) < 0)
		return err_code(e);
	return f->take ? f->take(f->data, &row, e) : 0;
}

int audit_file_line(struct audit_file *f, const char *line, size_t len, struct err *e)
{
	struct audit_head end;

	if (f->ended)
		return err_set(e, ERR_DATA_LOSS, "there is more behind its last line");
	if (!f->begun)
		return take_begin(f, line, len, e);
	if (read_edge(line, len, "head", audit_file_end_write, &end))
		return take_end(f, &end, e);
	return take_row(f, line, len, e);
}

int audit_file_end(const struct audit_file *f, struct err *e)
{
	if (!f->begun)
		return err_set(e, ERR_DATA_LOSS, "it is empty");
	if (!f->ended)
		return err_set(e, ERR_DATA_LOSS,
			       "it ends behind row %" PRIu64 " without its last line: it was cut",
			       f->head.number);
	if (!f->wanted || f->found)
		return 0;
	return err_set(e, ERR_DATA_LOSS,
		       "it has the rows from %" PRIu64 " to %" PRIu64
		       ", and the head that was given "
		       "is row %" PRIu64,
		       f->after.number + 1, f->head.number, f->wanted->number);
}

/* The next line into `line`; its length, or -1 where there is none. One that is too long, or has no end, is as long
 * as there is room and one byte more. */
static long next_line(FILE *in, char line[AUDIT_ROW_LINE_MAX + 1])
{
	long len = 0;
	int c;

	while ((c = getc_unlocked(in)) != EOF && c != '\n' && len <= AUDIT_ROW_LINE_MAX)
		line[len++] = (char)c;
	if (c == '\n')
		return len;
	return len ? AUDIT_ROW_LINE_MAX + 1 : -1;
}

int audit_file_read(struct audit_file *f, FILE *in, const char *name, struct err *e)
{
	CLEANUP(free) char *line = malloc(AUDIT_ROW_LINE_MAX + 1);
	long len;

	if (!line)
		return err_nomem(e);
	while ((len = next_line(in, line)) >= 0) {
		if (len > AUDIT_ROW_LINE_MAX)
			return err_set(e, ERR_DATA_LOSS,
				       "'%s': the line behind row %" PRIu64
				       " has no end, or is none of an audit log",
				       name, f->head.number);
		if (audit_file_line(f, line, (size_t)len, e) < 0)
			return err_wrap(e, "'%s'", name);
	}
	if (ferror(in))
		return err_errno(e, "read '%s'", name);
	return audit_file_end(f, e) < 0 ? err_wrap(e, "'%s'", name) : 0;
}
