/* SPDX-License-Identifier: Apache-2.0 */
/* fleet_watch.c — watches libvirt: which machines ended, which have no record, whether libvirt
 * is there. */
#include "common/base/log.h"
#include "manager/fleet/fleet_state.h"
#include "manager/launch/boot_files.h"

#include <string.h>

static void domain_ended(struct slot *slot)
{
	slot->died = true;
	if (slot->state != SLOT_RUNNING)
		return;
	log_warn("CVM %s: its machine ended", slot->cvm.id);
	slot->doomed = true;
	fleet_slot_remove(slot, CVM_ENDED);
}

static void orphan_work(void *data)
{
	struct job *job = data;
	const struct vm_host *host = job->host->host;

	job->result =
		registry_lease_check(job->fleet->lifecycle->registry, host->row.name, &job->err);
	if (job->result == 0)
		job->result = virt_stop(host->virt, job->cvm.id, &job->err);
	/* Whoever removed it could not ask that host, which may still have its keys. */
	if (job->result == 0 && !host->is_local)
		job->result = boot_files_take_back(host, job->cvm.id, &job->err);
}

static void orphan_done(void *data)
{
	struct job *job = data;

	if (job->result < 0)
		log_warn("domain %s: %s", job->cvm.id, job->err.text);
	fleet_job_end(job);
}

/* A domain of a CVM that we have removed: libvirt was still starting it when an earlier manager was
 * killed and its successor undid the rest. */
static void stop_orphan(struct fleet_host *host, const char *uuid)
{
	struct fleet *f = host->fleet;
	struct job *job;
	struct err e;

	if (f->closing || !(job = calloc(1, sizeof(*job))))
		return;
	job->host = host;
	log_warn("domain %s is that of a CVM that was removed: it is stopped", uuid);
	memcpy(job->cvm.id, uuid, sizeof(job->cvm.id));
	if (fleet_job_start(f, job, orphan_work, orphan_done, &e) < 0) {
		log_warn("domain %s: %s", uuid, e.text);
		free(job);
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct virt_domain *)a)->uuid, ((const struct virt_domain *)b)->uuid);
}

static void look_work(void *data)
{
	struct job *job = data;
	struct lifecycle *l = job->fleet->lifecycle;
	const struct vm_host *host = job->host->host;

	job->result = virt_list(host->virt, LIFECYCLE_ANY_PREFIX, &job->domains, &job->domain_count,
				&job->err);
	if (job->result < 0)
		return;
	for (size_t i = 0; i < job->domain_count; i++)
		memcpy(job->domains[i].host, host->row.name, sizeof(job->domains[i].host));
	job->result = virt_host(host->virt, &job->info, &job->err);
	if (job->result == 0)
		job->result =
			stray_find(l, job->domains, job->domain_count, &job->strays, &job->err);
}

static bool is_listed(const struct job *job, const char *id)
{
	struct virt_domain wanted;

	snprintf(wanted.uuid, sizeof(wanted.uuid), "%s", id);
	return bsearch(&wanted, job->domains, job->domain_count, sizeof(wanted), compare) != NULL;
}

static bool is_ours(const struct fleet *f, const char *name)
{
	char prefix[LIFECYCLE_NAME_MAX];

	lifecycle_prefix(f->lifecycle, prefix);
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

void fleet_watch_block(unsigned slot, struct fleet_host *host, const char *uuid)
{
	host->fleet->blocked[slot] |= fleet_host_bit(host);
	fleet_stray_use_add(host, uuid);
}

/* Most are not, and cost no memory as long as nobody writes to them. */
void fleet_watch_unblock(struct fleet_host *host)
{
	struct fleet *f = host->fleet;

	for (unsigned i = 0; i < f->count; i++)
		if (f->blocked[i] & fleet_host_bit(host))
			f->blocked[i] &= ~fleet_host_bit(host);
}

/* No new CVM there can have the name of a domain that runs. False: it has no slot's. */
static bool slot_of(const struct fleet *f, const char *domain, unsigned *slot)
{
	return is_ours(f, domain) && stray_slot(domain, slot) && *slot < f->count;
}

static void block(struct fleet_host *host, const struct stray *stray)
{
	unsigned slot;

	if (slot_of(host->fleet, stray->domain, &slot))
		fleet_watch_block(slot, host, stray->id);
	else
		fleet_stray_use_add(host, stray->id);
}

static void unblock(struct fleet_host *host, const struct virt_notice *notice)
{
	unsigned slot;

	fleet_stray_use_drop(host->fleet, host, notice->uuid);
	if (slot_of(host->fleet, notice->name, &slot))
		host->fleet->blocked[slot] &= ~fleet_host_bit(host);
	if (host->strays_over) /* perhaps not any more, which a look alone finds */
		fleet_watch_look(host);
}

static void look_at_strays(struct job *job)
{
	struct fleet *f = job->fleet;
	struct strays *strays = &job->strays;
	unsigned stopped = 0;

	for (size_t i = 0; i < strays->count && stopped < FLEET_ORPHANS_MAX; i++) {
		const struct stray *stray = &strays->all[i];

		if (*stray->domain && fleet_stray_is_gone(f, stray->id) &&
		    !fleet_slot_find(f, stray->id)) {
			stop_orphan(job->host, stray->id);
			stopped++;
		}
	}
	fleet_watch_unblock(job->host);
	fleet_stray_use_begin(job->host);
	fleet_stray_keep(f, strays);
	for (size_t i = 0; i < strays->count; i++)
		if (*strays->all[i].domain) {
			fleet_stray_tell(&strays->all[i]);
			block(job->host, &strays->all[i]);
		}
	fleet_stray_use_end(job->host);
	if (strays->over_count)
		fleet_stray_use_over(job->host);
}

static void tell_twin(struct fleet_host *host)
{
	const struct fleet_host *twin = fleet_host_twin(host->fleet, host);

	if (twin && !host->told_twin)
		log_error("host %s is the machine of host %s, by its libvirt's UUID %s: nothing is "
			  "launched there; take one of them out, or give its libvirtd a host_uuid",
			  fleet_host_name(host), fleet_host_name(twin), host->info.uuid);
	host->told_twin = twin != NULL;
}

static void look_done(void *data)
{
	struct job *job = data;
	struct fleet *f = job->fleet;
	struct fleet_host *host = job->host;
	struct slot *slot;

	host->looking = false;
	if (host->removed || !host->held) {
		fleet_job_end(job);
		return;
	}
	if (job->result < 0)
		log_warn("%s", job->err.text);
	for (unsigned i = 0; job->result == 0 && (slot = fleet_slot_next(f, &i));) {
		if (slot->host != host || !slot->looked || slot->state != SLOT_RUNNING)
			continue;
		if (is_listed(job, slot->cvm.id))
			fleet_view_see(slot, !host->lost);
		else
			domain_ended(slot);
	}
	if (job->result == 0) {
		host->info = job->info;
		host->is_known = !host->lost;
		tell_twin(host);
		look_at_strays(job);
	}
	if (host->look_again && !f->closing)
		fleet_watch_look(host);
	fleet_job_end(job);
}

void fleet_watch_look(struct fleet_host *host)
{
	struct fleet *f = host->fleet;
	struct slot *slot;
	struct job *job;
	struct err e;

	host->look_again = host->looking;
	if (host->looking || f->closing || !host->held || !(job = calloc(1, sizeof(*job))))
		return;
	job->host = host;
	for (unsigned i = 0; (slot = fleet_slot_next(f, &i));)
		if (slot->host == host)
			slot->looked = slot->state == SLOT_RUNNING;
	if (fleet_job_start(f, job, look_work, look_done, &e) < 0) {
		log_warn("%s", e.text);
		free(job);
		return;
	}
	host->looking = true;
}

static void connect_work(void *data)
{
	struct job *job = data;

	const struct vm_host *host = job->host->host;

	job->result = virt_dial(host->virt, &job->err);
	if (job->result < 0 && *host->row.name)
		err_wrap(&job->err, "host %s", host->row.name);
}

static void on_reconnect(uv_timer_t *timer);

static void connect_done(void *data)
{
	struct job *job = data;
	struct fleet_host *host = job->host;

	host->connecting = false;
	if (job->result == 0) {
		host->reconnect_ms = 0;
		if (host->connect_again && !host->removed)
			fleet_watch_connect(host);
	} else if (!job->fleet->closing && !host->removed) {
		if (!host->reconnect_ms && !host->leaving)
			log_warn("%s; trying again until it is there", job->err.text);
		host->reconnect_ms =
			host->reconnect_ms ? host->reconnect_ms * 2 : FLEET_RETRY_FIRST_MS;
		if (host->reconnect_ms > FLEET_RETRY_LAST_MS)
			host->reconnect_ms = FLEET_RETRY_LAST_MS;
		uv_timer_start(&host->reconnect, on_reconnect, host->reconnect_ms, 0);
	}
	fleet_job_end(job);
}

void fleet_watch_connect(struct fleet_host *host)
{
	struct fleet *f = host->fleet;
	struct job *job;
	struct err e;

	/* It may be lost before the news that it was reached is here. */
	host->connect_again = host->connecting;
	if (host->connecting || f->closing || !(job = calloc(1, sizeof(*job))))
		return;
	job->host = host;
	job->dials = true;
	if (fleet_job_start(f, job, connect_work, connect_done, &e) < 0) {
		free(job);
		uv_timer_start(&host->reconnect, on_reconnect, FLEET_RETRY_LAST_MS, 0);
		return;
	}
	host->connecting = true;
}

static void on_reconnect(uv_timer_t *timer)
{
	fleet_watch_connect(timer->data);
}

static void host_lost(struct fleet_host *host)
{
	struct fleet *f = host->fleet;
	struct slot *slot;

	log_warn("%s is gone; CVMs run on", fleet_host_name(host));
	fleet_health_libvirt(host, false);
	host->lost = true;
	host->is_known = false;
	for (unsigned i = 0; (slot = fleet_slot_next(f, &i));)
		if (slot->host == host)
			fleet_view_see(slot, false);
	fleet_watch_connect(host);
}

/* A domain of ours has begun that is no CVM's. */
static void stray_started(struct fleet_host *host, const struct virt_notice *notice)
{
	struct stray stray = { .is_id = true };

	if (!is_ours(host->fleet, notice->name))
		return;
	if (fleet_stray_is_gone(host->fleet, notice->uuid)) {
		stop_orphan(host, notice->uuid);
		return;
	}
	snprintf(stray.id, sizeof(stray.id), "%s", notice->uuid);
	snprintf(stray.domain, sizeof(stray.domain), "%s", notice->name);
	fleet_stray_tell(&stray);
	block(host, &stray);
}

static struct fleet_host *host_of(const struct fleet *f, const struct vm_host *from)
{
	for (size_t i = 0; i < f->host_count; i++)
		if (f->hosts[i]->host == from)
			return f->hosts[i];
	return NULL;
}

void fleet_notice(struct fleet *f, const struct vm_host *from, const struct virt_notice *notice)
{
	struct slot *slot = fleet_slot_find(f, notice->uuid);
	struct fleet_host *host = host_of(f, from);

	if (f->closing || !host) /* one that was removed has nothing to say any more */
		return;
	switch (notice->event) {
	case VIRT_CONNECTED:
		log_info("connected to %s", fleet_host_name(host));
		fleet_health_libvirt(host, true);
		host->lost = false;
		fleet_watch_look(host);
		break;
	case VIRT_LOST:
		host_lost(host);
		break;
	case VIRT_STARTED:
		if (!slot && host->held)
			stray_started(host, notice);
		break;
	case VIRT_STOPPED:
		if (!slot && host->held)
			unblock(host, notice);
		else if (slot && slot->host == host) /* else it is not the CVM that ended */
			domain_ended(slot);
		break;
	}
}
