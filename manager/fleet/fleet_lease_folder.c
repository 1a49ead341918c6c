/* SPDX-License-Identifier: Apache-2.0 */
/* fleet_lease_folder.c — the folder with a CVM's record goes with its host: this manager's, or away. */
#include "common/base/log.h"
#include "manager/fleet/fleet_state.h"

static void keep_work(void *data)
{
	struct job *job = data;

	job->result = lifecycle_keep_record(job->fleet->lifecycle, &job->cvm, &job->err);
}

static void leave_work(void *data)
{
	struct job *job = data;

	job->result = lifecycle_remove_folders(job->fleet->lifecycle, job->cvm.id, &job->err);
}

static void done(void *data)
{
	struct job *job = data;

	if (job->result < 0)
		log_warn("CVM %s: %s", job->cvm.id, job->err.text);
	fleet_job_end(job);
}

static void start(struct fleet *f, const struct cvm *cvm, void (*work)(void *))
{
	struct job *job = calloc(1, sizeof(*job));
	struct err e;

	if (!job)
		return;
	job->cvm = *cvm;
	if (fleet_job_start(f, job, work, done, &e) < 0) {
		log_warn("CVM %s: %s", cvm->id, e.text);
		free(job);
	}
}

void fleet_lease_keep_folder(struct fleet *f, const struct cvm *cvm)
{
	start(f, cvm, keep_work);
}

void fleet_lease_leave_folder(struct fleet *f, const struct cvm *cvm)
{
	start(f, cvm, leave_work);
}
