/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleet_stray_use.c — what machines without a record have: it is not there for others, whether or not their names are
 * those of slots that this manager has.
 */
#include "common/base/log.h"
#include "manager/fleet/fleet_state.h"

#include <string.h>

/* A host may say anything: sums stay sums. */
#define MEMORY_MOST (UINT64_C(1) << 62)

struct stray_use {
	char id[CVM_ID_LEN + 1];
	struct fleet_host *host;
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

static void forget(struct fleet *f, struct stray_use *u)
{
	u->host->stray_count--;
	HASH_DEL(f->stray_uses, u);
	free(u);
}

void fleet_stray_use_over(struct fleet_host *host)
{
	if (!host->strays_over)
		log_warn(
			"%s has more machines without a record than are counted (%d): nothing is launched "
			"there",
			fleet_host_name(host), STRAYS_OF_HOST_MAX);
	host->strays_over = true;
}

static void size_work(void *data)
{
	struct job *job = data;

	job->result = virt_size(job->host->host->virt, job->cvm.id, &job->size, &job->err);
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
	job->host = u->host;
	memcpy(job->cvm.id, u->id, sizeof(job->cvm.id));
	if (fleet_job_start(f, job, size_work, size_done, &e) < 0) {
		log_warn("domain %s: %s", u->id, e.text);
		free(job);
		return;
	}
	u->asking = true;
}

void fleet_stray_use_add(struct fleet_host *host, const char *id)
{
	struct fleet *f = host->fleet;
	const struct config *config = f->lifecycle->config;
	struct stray_use *u = find(f, id);

	if (!u) {
		u = host->stray_count < STRAYS_OF_HOST_MAX ? calloc(1, sizeof(*u)) : NULL;
		if (!u) {
			fleet_stray_use_over(host);
			return;
		}
		snprintf(u->id, sizeof(u->id), "%s", id);
		u->host = host;
		u->use = (struct admission_use){ config->max_cpus, config->max_memory };
		HASH_ADD_STR(f->stray_uses, id, u);
		if (!find(f, id)) {
			free(u);
			fleet_stray_use_over(host);
			return;
		}
		host->stray_count++;
	}
	if (u->host != host) /* another one has it already, whoever of them is right */
		return;
	u->listed = true;
	if (!u->known && !u->asking)
		ask(f, u);
}

void fleet_stray_use_drop(struct fleet *f, const struct fleet_host *host, const char *id)
{
	struct stray_use *u = find(f, id);

	if (u && (!host || u->host == host))
		forget(f, u);
}

void fleet_stray_use_begin(struct fleet_host *host)
{
	struct stray_use *u;

	host->strays_over = false;
	for (u = host->fleet->stray_uses; u; u = u->hh.next)
		if (u->host == host)
			u->listed = false;
}

void fleet_stray_use_end(struct fleet_host *host)
{
	struct stray_use *u, *next;

	HASH_ITER(hh, host->fleet->stray_uses, u, next)
	if (u->host == host && !u->listed)
		forget(host->fleet, u);
}

unsigned fleet_stray_use_count(const struct fleet *f, const struct fleet_host *host,
			       struct admission_use *use)
{
	const struct stray_use *u;
	unsigned count = 0;

	for (u = f->stray_uses; u; u = u->hh.next) {
		if (host && u->host != host)
			continue;
		use->cpus += u->use.cpus;
		use->memory += u->use.memory < MEMORY_MOST ? u->use.memory : MEMORY_MOST;
		if (use->memory > MEMORY_MOST)
			use->memory = MEMORY_MOST;
		count++;
	}
	return count;
}

void fleet_stray_use_done(struct fleet *f)
{
	for (size_t i = 0; i < f->host_count; i++) {
		fleet_stray_use_begin(f->hosts[i]);
		fleet_stray_use_end(f->hosts[i]);
	}
}
