/* SPDX-License-Identifier: Apache-2.0 */
#include "common/audit/audit_hangup.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/timestamp.h"
#include "common/base/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct audit_trail {
	const char *program;
	char *path;   /* NULL: the normal log */
	int fd;       /* -1: it could not be opened */
	bool is_torn; /* the last line has no end */
};

static const char *const events[] = { "asked", "done", "refused", "left_out" };

static int open_file(struct audit_trail *a, struct err *e)
{
	struct stat st;
	char last;
	CLEANUP(close)
	int fd = open(a->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		      0600);

	if (fd < 0 && errno == ELOOP)
		return err_set(e, ERR_PRECONDITION,
			       "audit log '%s' is a link: name the file itself", a->path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "audit log '%s'", a->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_PRECONDITION, "audit log '%s' is no regular file", a->path);
	/* A disk that was full may have cut the last line of the program before. */
	a->is_torn = st.st_size > 0 && (pread(fd, &last, 1, st.st_size - 1) != 1 || last != '\n');
	a->fd = TAKE_FD(fd);
	return 0;
}

int audit_trail_open(const char *program, const char *path, struct audit_trail **audit,
		     struct err *e)
{
	CLEANUP(audit_trail_close) struct audit_trail *a = calloc(1, sizeof(*a));

	if (!a)
		return err_nomem(e);
	a->program = program;
	a->fd = -1;
	if (path && !(a->path = strdup(path)))
		return err_nomem(e);
	if (path && open_file(a, e) < 0)
		return err_code(e);
	*audit = TAKE_PTR(a);
	return 0;
}

void audit_trail_close(struct audit_trail *a)
{
	if (!a)
		return;
	if (a->fd >= 0)
		close(a->fd);
	free(a->path);
	free(a);
}

int audit_trail_reopen(struct audit_trail *a, struct err *e)
{
	if (!a->path)
		return 0;
	if (a->fd >= 0)
		close(TAKE_FD(a->fd));
	return open_file(a, e);
}

void audit_trail_hung_up(struct audit_trail *a, const char *setting)
{
	struct err e;

	if (!a || !a->path)
		log_info("SIGHUP: no %s is %s: there is no file to open again", setting,
			 a ? "set" : "open yet");
	else if (audit_trail_reopen(a, &e) < 0)
		log_error("SIGHUP: %s: no call changes anything until it can be written", e.text);
	else
		log_info("SIGHUP: %s: opened again", setting);
}

static void put_text(struct writer *w, const char *key, const char *text, size_t max)
{
	if (!text)
		return;
	json_put_key(w, key);
	json_quote_shown(w, text, strnlen(text, max));
}

/* A moment with its milliseconds. */
static void put_time(struct writer *w)
{
	char text[TIMESTAMP_TEXT_MAX];
	int64_t now = clock_ms(CLOCK_REALTIME);

	timestamp_format(now / 1000, text);
	text[strcspn(text, "Z")] = '\0';
	writer_printf(w, "\"time\":\"%s.%03dZ\"", text, (int)(now % 1000));
}

static void put_who(struct writer *w, const struct audit_entry *entry)
{
	if (entry->who.has_uid)
		writer_printf(w, ",\"uid\":%u,\"gid\":%u", (unsigned)entry->who.uid,
			      (unsigned)entry->who.gid);
	put_text(w, "subject", entry->who.subject, RPC_SUBJECT_MAX);
	put_text(w, "issuer", entry->who.issuer, RPC_SUBJECT_MAX);
	put_text(w, "spiffe", entry->who.spiffe, RPC_SPIFFE_MAX);
	put_text(w, "key", entry->who.key, AUDIT_TEXT_MAX);
	put_text(w, "peer", entry->peer, AUDIT_TEXT_MAX);
}

static void put_facts(struct writer *w, const struct audit_entry *entry)
{
	for (size_t i = 0; i < entry->fact_count; i++) {
		const struct rpc_fact *fact = &entry->facts[i];

		if (fact->value) {
			put_text(w, fact->key, fact->value, AUDIT_TEXT_MAX);
		} else {
			json_put_key(w, fact->key);
			writer_text(w, "true");
		}
	}
}

static void put_call(struct writer *w, const struct audit_entry *entry)
{
	writer_printf(w, ",\"call\":%llu", (unsigned long long)entry->call);
	put_text(w, "method", entry->method, AUDIT_TEXT_MAX);
	put_who(w, entry);
	put_facts(w, entry);
	if (entry->event != AUDIT_ASKED)
		put_text(w, "outcome", entry->error ? err_code_name(entry->error->code) : "OK",
			 AUDIT_TEXT_MAX);
	put_text(w, "error", entry->error ? entry->error->text : NULL, AUDIT_TEXT_MAX);
	put_text(w, "caller", entry->has_left ? "left" : NULL, AUDIT_TEXT_MAX);
}

static void put_entry(struct writer *w, const struct audit_trail *a,
		      const struct audit_entry *entry)
{
	writer_text(w, "{");
	put_time(w);
	put_text(w, "program", a->program, AUDIT_TEXT_MAX);
	put_text(w, "event", events[entry->event], AUDIT_TEXT_MAX);
	if (entry->event == AUDIT_LEFT_OUT)
		writer_printf(w, ",\"count\":%llu", (unsigned long long)entry->count);
	else
		put_call(w, entry);
	writer_text(w, "}\n");
}

/* The end of a line that was cut by a full disk comes first, so that this one stands alone. */
static int append(struct audit_trail *a, const uint8_t *bytes, size_t len, struct err *e)
{
	ssize_t done;

	if (a->is_torn && write(a->fd, "\n", 1) != 1)
		return err_errno(e, "'%s'", a->path);
	a->is_torn = false;
	done = write(a->fd, bytes, len);
	if (done == (ssize_t)len)
		return 0;
	a->is_torn = done > 0;
	if (done >= 0)
		errno = ENOSPC;
	return err_errno(e, "'%s'", a->path);
}

static int write_entry(struct audit_trail *a, const struct audit_entry *entry, struct err *e)
{
	struct writer w CLEANUP_WRITER = writer_up_to(AUDIT_LINE_MAX);

	put_entry(&w, a, entry);
	if (writer_check(&w, "an entry", e) < 0)
		return err_code(e);
	if (!a->path)
		return log_record(AUDIT_MARK, w.bytes, w.len - 1, e);
	if (a->fd < 0 && open_file(a, e) < 0)
		return err_code(e);
	return append(a, w.bytes, w.len, e);
}

int audit_trail_write(struct audit_trail *a, const struct audit_entry *entry, struct err *e)
{
	struct err why;

	if (write_entry(a, entry, &why) == 0)
		return 0;
	return err_set(e, ERR_UNAVAILABLE,
		       "the audit log can't be written, and nothing is changed without it: %s",
		       why.text);
}
