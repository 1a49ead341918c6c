/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleet_stray_use.c — what machines without a record have: it is not there for others, whether or not their names are
 * those of slots that this manager has.
 */
#include "common/base/log.h"
#include "manager/fleet_state.h"

#include <string.h>

struct stray_use {
	char id[CVM_ID_LEN + 1];
	struct admission_use use;
	bool asking, known; /* of libvirt, how much it is */
	bool listed;        /* by the look that is under way */
	UT_hash_handle hh;
};

static struct stray_use *find(const struct fleet *f, const char *id)
{
	struct stray_use *found;

	HASH_FIND_STR(f->stray_uses, id, found);
	return found;
}

static void size_work(void *data)
{
	struct job *job = data;

	job->result = virt_size(job->fleet->lifecycle->virt, job->cvm.id, &job->size, &job->err);
}

static void size_done(void *data)
{
	struct job *job = data;
	struct stray_use *u = find(job->fleet, job->cvm.id);

	if (job->result < 0)
		log_warn("domain %s: %s", job->cvm.id, job->err.text);
	if (u) {
		u->asking = false;
		u->known = job->result == 0;
		if (u->known)
			u->use = (struct admission_use){ job->size.cpus, job->size.memory };
	}
	fleet_job_end(job);
}

static void ask(struct fleet *f, struct stray_use *u)
{
	struct job *job = f->closing ? NULL : calloc(1, sizeof(*job));
	struct err e;

	if (!job)
		return;
	memcpy(job->cvm.id, u->id, sizeof(job->cvm.id));
	if (fleet_job_start(f, job, size_work, size_done, &e) < 0) {
		log_warn("domain %s: %s", u->id, e.text);
		free(job);
		return;
	}
	u->asking = true;
}

void fleet_stray_use_add(struct fleet *f, const char *id)
{
	const struct config *config = f->lifecycle->config;
	struct stray_use *u = find(f, id);

	if (!u) {
		u = calloc(1, sizeof(*u));
		if (!u) {
			f->stray_uses_lack = true;
			return;
		}
		snprintf(u->id, sizeof(u->id), "%s", id);
		u->use = (struct admission_use){ config->max_cpus, config->max_memory };
		HASH_ADD_STR(f->stray_uses, id, u);
		if (!find(f, id)) {
			free(u);
			f->stray_uses_lack = true;
			return;
		}
	}
	u->listed = true;
	if (!u->known && !u->asking)
		ask(f, u);
}

void fleet_stray_use_drop(struct fleet *f, const char *id)
{
	struct stray_use *u = find(f, id);

	if (u)
		HASH_DEL(f->stray_uses, u);
	free(u);
}

void fleet_stray_use_begin(struct fleet *f)
{
	struct stray_use *u, *next;

	f->stray_uses_lack = false;
	HASH_ITER(hh, f->stray_uses, u, next)
	u->listed = false;
}

void fleet_stray_use_end(struct fleet *f)
{
	struct stray_use *u, *next;

	HASH_ITER(hh, f->stray_uses, u, next)
	if (!u->listed) {
		HASH_DEL(f->stray_uses, u);
		free(u);
	}
}

unsigned fleet_stray_use_count(const struct fleet *f, struct admission_use *use)
{
	const struct stray_use *u;

	for (u = f->stray_uses; u; u = u->hh.next) {
		use->cpus += u->use.cpus;
		use->memory += u->use.memory;
	}
	return HASH_COUNT(f->stray_uses);
}

void fleet_stray_use_done(struct fleet *f)
{
	fleet_stray_use_begin(f);
	fleet_stray_use_end(f);
}
