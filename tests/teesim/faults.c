/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/teesim/faults.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <string.h>

enum { FILE_MAX = 4096 };

static const char *const names[FAULT_COUNT] = {
	[FAULT_BUSY] = "busy",
	[FAULT_TIMEOUT] = "timeout",
	[FAULT_IO] = "io",
	[FAULT_STALE_GENERATION] = "stale-generation",
	[FAULT_STALE_REPORT] = "stale-report",
	[FAULT_WRONG_SIGNATURE] = "wrong-signature",
	[FAULT_WRONG_KEY] = "wrong-key",
	[FAULT_WRONG_REPORT_DATA] = "wrong-report-data",
	[FAULT_OTHER_CHIP] = "other-chip",
	[FAULT_OTHER_MEASUREMENT] = "other-measurement",
	[FAULT_OTHER_REPORT_ID] = "other-report-id",
	[FAULT_OTHER_HOST_DATA] = "other-host-data",
	[FAULT_TCB_CHANGE] = "tcb-change",
	[FAULT_TCB_CLAIM] = "tcb-claim",
	[FAULT_DEBUG] = "debug",
	[FAULT_OTHER_VMPL] = "other-vmpl",
	[FAULT_NO_CERTIFICATES] = "no-certificates",
	[FAULT_TRUNCATED] = "truncated",
	[FAULT_TRAILING] = "trailing",
};

const char *fault_name(enum fault fault)
{
	return names[fault];
}

static int switch_on(struct faults *faults, const char *word, struct err *e)
{
	for (size_t i = 0; i < FAULT_COUNT; i++)
		if (strcmp(names[i], word) == 0) {
			faults->on[i] = true;
			return 0;
		}
	return err_set(e, ERR_INVALID, "%s is not a fault", log_quote(word).text);
}

int faults_read(const char *path, struct faults *faults, struct err *e)
{
	CLEANUP(free) char *text = NULL;
	char *rest;

	memset(faults, 0, sizeof(*faults));
	if (!path)
		return 0;
	if (file_read_text(path, FILE_MAX, &text, e) < 0)
		return e->code == ERR_NOT_FOUND ? 0 : err_code(e);
	rest = text;
	for (char *word; (word = strsep(&rest, " \n"));)
		if (*word && switch_on(faults, word, e) < 0)
			return err_code(e);
	return 0;
}
