/* SPDX-License-Identifier: Apache-2.0 */
/* lifecycle_keep.c — how the domains of CVMs are called, and what this machine keeps of one that was another manager's. */
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "manager/launch/lifecycle.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

void lifecycle_prefix(const struct lifecycle *l, char name[LIFECYCLE_NAME_MAX])
{
	snprintf(name, LIFECYCLE_NAME_MAX, LIFECYCLE_ANY_PREFIX "%s-", registry_tag(l->registry));
}

void lifecycle_name(const struct lifecycle *l, unsigned slot, char name[LIFECYCLE_NAME_MAX])
{
	snprintf(name, LIFECYCLE_NAME_MAX, LIFECYCLE_ANY_PREFIX "%s-%u", registry_tag(l->registry),
		 slot);
}

int lifecycle_keep_record(const struct lifecycle *l, const struct cvm *cvm, struct err *e)
{
	CLEANUP(free) char *folder = NULL, *record = NULL;

	if (text_format(&folder, e, "%s/cvms/%s", l->config->state_dir, cvm->id) < 0 ||
	    text_format(&record, e, "%s/" LIFECYCLE_RECORD, folder) < 0)
		return err_code(e);
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return err_errno(e, "make '%s'", folder);
	if (unlink(record) < 0 && errno != ENOENT) /* of an earlier time */
		return err_errno(e, "'%s'", record);
	return registry_save(l->registry, record, cvm, e);
}
