/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_audit_file.c — the audit log as a file: saved, and verified without anybody's help. */
#include "cli/base/output.h"
#include "cli/client/audit_client.h"
#include "cli/cmd/commands.h"
#include "common/audit/audit_file.h"
#include "common/base/file.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void print_head(struct cli *cli, const struct audit_head *after,
		       const struct audit_head *head, const char *words)
{
	char text[AUDIT_HEAD_TEXT_MAX + 1];

	audit_head_text(head, text);
	if (head->number == after->number)
		fprintf(cli->out, "%s: no row, head %s\n", words, text);
	else
		fprintf(cli->out, "%s: rows %" PRIu64 " to %" PRIu64 ", head %s\n", words,
			after->number + 1, head->number, text);
}

/* ---- export ---- */

/* A file beside the one that it becomes. */
struct saving {
	const char *path;
	bool replace;
	char *temporary;
	FILE *file;
	struct audit_head after;
};

static void saving_done(struct saving *s)
{
	if (s->file)
		fclose(s->file);
	if (s->temporary)
		unlink(s->temporary);
	free(s->temporary);
}
#define CLEANUP_SAVING __attribute__((cleanup(saving_done)))

static int saving_begin(struct saving *s, const char *path, struct err *e)
{
	int fd;

	s->path = path;
	if (text_format(&s->temporary, e, "%s.XXXXXX", path) < 0)
		return err_code(e);
	fd = mkostemp(s->temporary, O_CLOEXEC);
	if (fd < 0) {
		free(TAKE_PTR(s->temporary));
		return err_errno(e, "'%s'", path);
	}
	s->file = fdopen(fd, "w");
	if (s->file)
		return 0;
	close(fd);
	return err_nomem(e);
}

static int saving_end(struct saving *s, struct err *e)
{
	FILE *file = TAKE_PTR(s->file);
	int failed = fflush(file) || fsync(fileno(file)) ? err_errno(e, "'%s'", s->path) : 0;

	if (fclose(file) && !failed)
		failed = err_errno(e, "'%s'", s->path);
	if (!failed)
		failed = file_publish(s->temporary, s->path, s->replace, e);
	if (!failed)
		free(TAKE_PTR(s->temporary));
	return failed;
}

static int save_line(struct saving *s, const void *line, size_t len, struct err *e)
{
	if (fwrite(line, 1, len, s->file) == len && fputc('\n', s->file) != EOF)
		return 0;
	return err_errno(e, "'%s'", s->path);
}

static int save_edge(struct saving *s,
		     void (*write)(const struct audit_head *head, struct writer *w),
		     const struct audit_head *head, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(AUDIT_FILE_EDGE_MAX);

	write(head, &w);
	return writer_check(&w, "the file", e) < 0 ? err_code(e) : save_line(s, w.bytes, w.len, e);
}

static int save_begin(void *data, const struct audit_head *after, struct err *e)
{
	struct saving *s = data;

	s->after = *after;
	return save_edge(s, audit_file_begin_write, after, e);
}

static int save_row(void *data, const struct audit_row *row, const char *line, struct err *e)
{
	return save_line(data, line, strlen(line), e);
}

static int save(struct client *client, struct saving *s, struct audit_head *head, struct err *e)
{
	struct audit_client a = {
		.client = client, .begin = save_begin, .take = save_row, .data = s
	};

	if (audit_client_read(&a, 0, e) < 0 || save_edge(s, audit_file_end_write, &a.at, e) < 0)
		return err_code(e);
	*head = a.at;
	return saving_end(s, e);
}

static enum cli_exit run_export(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	struct saving s CLEANUP_SAVING = { .replace = cli_flag(cli, "force") };
	const char *path = cli->operands[0];
	struct audit_head head;

	if (output_check(cli, path, e) < 0)
		return CLI_FAILED;
	if (client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	if (saving_begin(&s, path, e) < 0)
		return CLI_FAILED;
	if (save(&client, &s, &head, e) < 0)
		return audit_client_failed(&client, e);
	print_head(cli, &s.after, &head, "saved");
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option export_options[] = {
	OUTPUT_FORCE_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_audit_export = {
	.name = "audit export",
	.args = "FILE",
	.help = "save the audit log",
	.operands_min = 1,
	.operands_max = 1,
	.options = export_options,
	.run = run_export,
	.more = "A file of mode 0600, written as a whole or not at all, whose rows were checked as they came. Keep the\n"
		"head that is printed: with it, 'audit verify' finds a log that was written anew.",
};

/* ---- verify ---- */

static enum cli_exit run_verify(struct cli *cli, struct err *e)
{
	const char *path = cli->operands[0], *head = cli_value(cli, "head");
	struct audit_file f = { .begun = false };
	struct audit_head wanted;
	FILE *in;

	if (head && audit_head_parse(head, &wanted, e) < 0) {
		err_wrap(e, "--head");
		return CLI_USAGE;
	}
	f.wanted = head ? &wanted : NULL;
	in = fopen(path, "re");
	if (!in) {
		err_errno(e, "'%s'", path);
		return CLI_USAGE;
	}
	int failed = audit_file_read(&f, in, path, e);

	fclose(in);
	if (failed)
		return e->code == ERR_DATA_LOSS ? CLI_NOT_GENUINE : CLI_USAGE;
	print_head(cli, &f.after, &f.head, "whole");
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option verify_options[] = {
	{ .name = "head", .value = "NUMBER:DIGEST", .help = "and it has to have this row, with that digest" },
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_audit_verify = {
	.name = "audit verify",
	.args = "FILE",
	.help = "verify a saved audit log, without a network",
	.operands_min = 1,
	.operands_max = 1,
	.options = verify_options,
	.run = run_verify,
	.more = "Each row carries the digest of the one before it: the first that does not fit is named. Whoever can write\n"
		"the file can write all of it anew; --head finds that, with a head that was seen before.\n"
		"Exit 3: it is not whole, or lacks that head; 2: a wrong call, or the file can't be read.",
};
