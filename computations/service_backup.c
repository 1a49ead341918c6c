/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/service_backup.h"

#include "computations/store/backup.h"

#include <inttypes.h>

static int print(FILE *out, const char *path, const struct backup_report *r, struct err *e)
{
	char head[AUDIT_HEAD_TEXT_MAX + 1];

	audit_head_text(&r->audit, head);
	fprintf(out,
		"%s: form %" PRId64 ", %" PRId64 " tables, %" PRId64 " rows, log of heads %" PRId64
		", audit log %s\n",
		path, r->form, r->tables, r->rows, r->leaves, head);
	return fflush(out) == 0 ? 0 : err_errno(e, "standard output");
}

int service_backup(const struct config *config, const char *path, FILE *out, struct err *e)
{
	const struct backup_place place = { config->state_dir, config->database };
	struct backup_report report;

	if (backup_write(&place, path, &report, e) < 0)
		return err_code(e);
	return print(out, path, &report, e);
}

int service_restore(const struct config *config, const char *path, FILE *out, struct err *e)
{
	const struct backup_place place = { config->state_dir, config->database };
	struct backup_report report;

	if (backup_restore(&place, path, &report, e) < 0)
		return err_code(e);
	return print(out, path, &report, e);
}
