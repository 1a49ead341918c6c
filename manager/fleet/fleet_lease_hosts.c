/* SPDX-License-Identifier: Apache-2.0 */
/* fleet_lease_hosts.c — hosts that another manager added, drained or removed, as the shared registry says. */
#include "common/base/log.h"
#include "manager/fleet/fleet_state.h"

#include <string.h>

struct fleet_host *fleet_host_named(struct fleet *f, const char *name)
{
	for (size_t i = 0; i < f->host_count; i++)
		if (strcmp(f->hosts[i]->host->row.name, name) == 0)
			return f->hosts[i];
	return NULL;
}

static const struct registry_host *find(const struct registry_host *known, size_t count,
					const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(known[i].name, name) == 0)
			return &known[i];
	return NULL;
}

static void end_work(void *data)
{
	struct job *job = data;

	virt_end(job->host->host->virt);
}

static void end_done(void *data)
{
	struct job *job = data;

	job->host->leaving = false;
	fleet_host_hide(job->host);
	fleet_job_end(job);
}

static bool has_cvms(const struct fleet_host *host)
{
	const struct slot *slot;

	for (unsigned i = 0; (slot = fleet_slot_next(host->fleet, &i));)
		if (slot->host == host && slot->state != SLOT_FREE)
			return true;
	return false;
}

/* Who removed it held it; one that is being dialled goes when that has ended. */
static void leave(struct fleet_host *host)
{
	struct job *job;
	struct err e;

	if (host->held || host->pending || host->leaving || host->connecting || has_cvms(host))
		return;
	job = calloc(1, sizeof(*job));
	if (!job)
		return;
	job->host = host;
	if (fleet_job_start(host->fleet, job, end_work, end_done, &e) < 0) {
		free(job);
		return;
	}
	host->leaving = true;
	log_info("host %s was removed at another manager", fleet_host_name(host));
}

/* A host that can't be one of ours is said once for as long as it is there, and left alone: another manager has it. */
struct refusals {
	uint32_t sums[REGISTRY_HOSTS_MAX];
	size_t count;
};

static uint32_t sum_of(const struct registry_host *as)
{
	uint32_t sum = 1;

	for (const char *c = as->name; *c; c++)
		sum = sum * 31 + (unsigned char)*c;
	sum *= 31; /* where one ends and the other begins */
	for (const char *c = as->words; *c; c++)
		sum = sum * 31 + (unsigned char)*c;
	for (const char *c = as->uri; *c; c++)
		sum = sum * 31 + (unsigned char)*c;
	return sum;
}

static bool was_said(const struct fleet *f, uint32_t sum)
{
	for (size_t i = 0; i < f->refused_count; i++)
		if (f->refused[i] == sum)
			return true;
	return false;
}

static void refuse(const struct fleet *f, struct refusals *now, const struct registry_host *as,
		   const struct err *why)
{
	const uint32_t sum = sum_of(as);

	if (now->count < ARRAY_LEN(now->sums))
		now->sums[now->count++] = sum;
	if (!was_said(f, sum))
		log_warn("host %s, which was added at another manager, is not taken here: %s",
			 as->name, why->text);
}

static void add(struct fleet *f, const struct registry_host *as, struct refusals *refused)
{
	struct fleet_host *host;
	struct vm_host *made;
	struct err e;

	if (f->host_count + f->removed_count >= HOSTS_MAX) {
		err_set(&e, ERR_EXHAUSTED, "more than %d hosts", HOSTS_MAX);
		refuse(f, refused, as, &e);
		return;
	}
	if (strcmp(as->uri, HOST_LOCAL_URI) == 0) {
		err_set(&e, ERR_PRECONDITION, "it is the machine of whoever added it");
		refuse(f, refused, as, &e);
		return;
	}
	if (vm_host_new(f->lifecycle->hosts, as, &made, &e) < 0) {
		refuse(f, refused, as, &e);
		return;
	}
	if (fleet_host_new(f, made, &host, &e) < 0) {
		vm_host_free(made);
		refuse(f, refused, as, &e);
		return;
	}
	vm_hosts_publish(f->lifecycle->hosts, made);
	f->hosts[f->host_count++] = host;
	log_info("host %s was added at another manager: %s", as->name, made->row.uri);
	fleet_watch_connect(host);
}

void fleet_lease_hosts(struct fleet *f, const struct registry_host *known, size_t count)
{
	struct refusals refused = { .count = 0 };

	for (size_t i = 0; i < f->host_count; i++) {
		struct fleet_host *host = f->hosts[i];
		const struct registry_host *row = find(known, count, host->host->row.name);

		host->host->drained = row && row->draining;
		if (host->host->added && (!row || !*row->uri))
			leave(host);
	}
	for (size_t i = 0; i < count; i++)
		if (*known[i].uri && !fleet_host_named(f, known[i].name))
			add(f, &known[i], &refused);
	memcpy(f->refused, refused.sums, sizeof(f->refused));
	f->refused_count = refused.count;
}
