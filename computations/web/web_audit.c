/* SPDX-License-Identifier: Apache-2.0 */
/* web_audit.c — the end of the audit log, to be read and to be saved, for the service's administrators. */
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	AUDIT_SHOWN_BYTES = 256 << 10, /* of the log's end: what is shown is there */
	AUDIT_SAVED_BYTES = WEB_PAGE_MAX,
};

/* Whole lines of the log's end. */
struct audit {
	char *text;
	size_t len;
	bool is_whole; /* the log has no more */
	struct json
		*rows[2 * WEB_ROWS]; /* newest first; NULL: that line is none of ours, or was cut */
	size_t count;
};

static void free_audit(void *data)
{
	struct audit *a = data;

	for (size_t i = 0; i < a->count; i++)
		json_free(a->rows[i]);
	free(a->text);
	free(a);
}

/* From the first whole line of the last `max` bytes on. */
static int read_end(const char *path, size_t max, struct audit *a, struct err *e)
{
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	const char *first;
	size_t len = 0;
	ssize_t got;
	off_t from;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "audit log '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_PRECONDITION, "audit log '%s' is no regular file", path);
	from = st.st_size > (off_t)max ? st.st_size - (off_t)max : 0;
	a->text = malloc(max + 1);
	if (!a->text)
		return err_nomem(e);
	while (len < max && (got = pread(fd, a->text + len, max - len, from + (off_t)len)) > 0)
		len += (size_t)got;
	a->is_whole = from == 0;
	first = a->is_whole ? a->text : memchr(a->text, '\n', len);
	if (!a->is_whole)
		first = first ? first + 1 : a->text + len;
	a->len = len - (size_t)(first - a->text);
	memmove(a->text, first, a->len);
	a->text[a->len] = 0;
	return 0;
}

/* The newest lines, each by itself. */
static void parse(struct audit *a)
{
	const char *end = a->text ? a->text + a->len : NULL;
	struct err ignored;

	while (a->count < ARRAY_LEN(a->rows) && end > a->text) {
		const char *start = end[-1] == '\n' ? --end : end;

		while (start > a->text && start[-1] != '\n')
			start--;
		if (json_parse(start, (size_t)(end - start), &a->rows[a->count], &ignored) < 0)
			a->rows[a->count] = NULL;
		a->count++;
		end = start;
	}
}

static int run(struct web_work *work, size_t max, struct err *e)
{
	struct audit *a = calloc(1, sizeof(*a));

	if (!a)
		return err_nomem(e);
	work->more = a;
	work->free_more = free_audit;
	return work->web->audit_log ? read_end(work->web->audit_log, max, a, e) : 0;
}

static int run_page(struct store *store, struct web_work *work, struct err *e)
{
	if (run(work, AUDIT_SHOWN_BYTES, e) < 0)
		return err_code(e);
	parse(work->more);
	return 0;
}

/* The first of these that the entry has. */
static const char *first_of(const struct json *row, const char *const *keys)
{
	for (; *keys; keys++) {
		const struct json *found = json_get(row, *keys);

		if (found && found->text)
			return found->text;
	}
	return "";
}

static void put_who(const struct json *row, struct writer *w)
{
	static const char *const names[] = { "by", "spiffe", "subject", "key", NULL };
	static const char *const peers[] = { "peer", NULL };
	const char *name = first_of(row, names);

	page_put(w, "<span><bdi>%t</bdi><span class=\"sub\"><bdi>%t</bdi></span></span>",
		 *name ? name : "An operator", first_of(row, peers));
}

/* What it is about: all that is not told elsewhere. */
static void put_about(const struct json *row, struct writer *w)
{
	static const char *const told[] = { "time", "program", "event",  "call",   "method", "uid",
					    "gid",  "subject", "issuer", "spiffe", "key",    "peer",
					    "by",   "outcome", "error",  "trace" };
	const char *between = "";

	page_put(w, "<span>");
	for (size_t i = 0; i < row->count; i++) {
		const struct json *member = &row->items[i];
		bool is_told = false;

		for (size_t k = 0; k < ARRAY_LEN(told); k++)
			is_told |= strcmp(told[k], member->key) == 0;
		if (is_told || (!member->text && member->type != JSON_BOOL))
			continue;
		page_put(w, "%s<bdi>%t</bdi>%s<bdi>%t</bdi>", between, member->key,
			 member->text ? ": " : "", member->text ? member->text : "");
		between = ", ";
	}
	page_put(w, "%s</span>", *between ? "" : "–");
}

/* Whether how that call ended is told as well: further up, for that is newer. */
static bool is_told_of(const struct audit *a, size_t at)
{
	static const char *const keys[] = { "call", NULL }, *const event[] = { "event", NULL };
	const char *call = first_of(a->rows[at], keys);

	if (strcmp(first_of(a->rows[at], event), "asked") != 0)
		return false;
	for (size_t i = 0; i < at; i++)
		if (strcmp(first_of(a->rows[i], keys), call) == 0)
			return true;
	return false;
}

static void put_row(const struct json *row, struct writer *w)
{
	static const char *const when[] = { "time", NULL }, *const method[] = { "method", NULL },
				 *const event[] = { "event", NULL },
				 *const outcome[] = { "outcome", NULL },
				 *const error[] = { "error", NULL };
	const char *name = first_of(row, method), *slash = strrchr(name, '/');

	page_row_begin(w);
	page_put(w, "<bdi>%t</bdi> <span class=\"dim\">%t</span></th>", slash ? slash + 1 : name,
		 first_of(row, event));
	page_cell(w, "When");
	page_put(w, "<time datetime=\"%a\" title=\"%a\">%t</time></td>", first_of(row, when),
		 first_of(row, when), first_of(row, when));
	page_cell(w, "Who");
	put_who(row, w);
	page_put(w, "</td>");
	page_cell(w, "About");
	put_about(row, w);
	page_put(w, "</td>");
	page_cell(w, "How it ended");
	page_put(w,
		 "<span><bdi>%t</bdi><span class=\"sub\"><bdi>%t</bdi></span></span></td></tr>\n",
		 first_of(row, outcome), first_of(row, error));
}

static void put_table(const struct audit *a, struct writer *w)
{
	static const struct page_column columns[] = { { "What", false },
						      { "When", false },
						      { "Who", false },
						      { "About", false },
						      { "How it ended", false } };
	size_t cut = 0;

	page_table_begin(w, "Audit log, newest first", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < a->count; i++)
		if (!a->rows[i] || a->rows[i]->type != JSON_OBJECT)
			cut++;
		else if (!is_told_of(a, i))
			put_row(a->rows[i], w);
	page_table_end(w);
	if (cut)
		page_put(w,
			 "<p class=\"note warn\">%d of these lines were cut, or are none of this "
			 "service’s.</p>\n",
			 (int64_t)cut);
	page_put(w, "<p class=\"pages\"><a class=\"btn\" href=\"/audit.jsonl\" "
		    "download=\"audit.jsonl\"><svg class=\"i\" aria-hidden=\"true\"><use "
		    "href=\"/icons.svg#down\"/></svg>Download the newest 4 MB</a></p>\n");
}

static void reply(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct audit *a = work->more;

	page_begin(&w, &work->caller, "Audit log", "/audit");
	page_put(&w, "<div class=\"head\"><h1>Audit log</h1><p>%t</p></div>\n", WEB_AUDIT);
	if (!work->web->audit_log)
		page_empty(&w, "Not in a file", WEB_NO_AUDIT,
			   "journalctl -u cocos-computations -g audit:");
	else if (!a->count)
		page_empty(&w, "No entry yet", WEB_AUDIT_EMPTY,
			   "cocos-cli computation create manifest.json");
	else
		put_table(a, &w);
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_audit(struct http_request *r, void *data)
{
	web_work_start(data, r, run_page, reply);
}

static int run_file(struct store *store, struct web_work *work, struct err *e)
{
	if (!work->web->audit_log)
		return err_set(e, ERR_NOT_FOUND,
			       "the audit log is in no file: COMPUTATIONS_AUDIT_LOG names one");
	return run(work, AUDIT_SAVED_BYTES, e);
}

static void reply_file(struct web_work *work)
{
	struct http_answer answer = { .status = 200, .type = "application/jsonl" };
	struct audit *a = work->more;

	answer.body = (uint8_t *)TAKE_PTR(a->text);
	answer.len = a->len;
	answer.more[0] = (struct rpc_web_field){ "content-disposition",
						 "attachment; filename=\"audit.jsonl\"" };
	http_request_answer(work->r, &answer);
}

void web_audit_file(struct http_request *r, void *data)
{
	web_work_start(data, r, run_file, reply_file);
}
