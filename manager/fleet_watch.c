/* SPDX-License-Identifier: Apache-2.0 */
/* fleet_watch.c — watches libvirt: which machines ended, which have no record, whether libvirt
 * is there. */
#include "common/base/log.h"
#include "manager/fleet_state.h"

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

	job->result = virt_stop(job->fleet->lifecycle->virt, job->cvm.id, &job->err);
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
static void stop_orphan(struct fleet *f, const char *uuid)
{
	struct job *job;
	struct err e;

	if (f->closing || !(job = calloc(1, sizeof(*job))))
		return;
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

	job->result = virt_list(l->virt, LIFECYCLE_ANY_PREFIX, &job->domains, &job->domain_count,
				&job->err);
	if (job->result < 0)
		return;
	qsort(job->domains, job->domain_count, sizeof(job->domains[0]), compare);
	job->result = stray_find(l, job->domains, job->domain_count, &job->strays,
				 &job->stray_count, &job->err);
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

void fleet_watch_block(struct fleet *f, struct slot *slot, const char *uuid)
{
	slot->blocked = true;
	fleet_stray_use_add(f, uuid);
}

/* No new CVM can have the name of a domain that runs. NULL: it has no slot's. */
static struct slot *slot_of(struct fleet *f, const char *domain)
{
	unsigned slot;

	return is_ours(f, domain) && stray_slot(domain, &slot) && slot < f->count ? &f->slots[slot]
										  : NULL;
}

static void block(struct fleet *f, const struct stray *stray)
{
	struct slot *slot = slot_of(f, stray->domain);

	if (slot)
		fleet_watch_block(f, slot, stray->id);
	else
		fleet_stray_use_add(f, stray->id);
}

static void unblock(struct fleet *f, const struct virt_notice *notice)
{
	struct slot *slot = slot_of(f, notice->name);

	fleet_stray_use_drop(f, notice->uuid);
	if (slot)
		slot->blocked = false;
}

static void look_at_strays(struct fleet *f, struct job *job)
{
	unsigned stopped = 0;

	for (size_t i = 0; i < job->stray_count && stopped < FLEET_ORPHANS_MAX; i++) {
		const struct stray *stray = &job->strays[i];

		if (*stray->domain && fleet_stray_is_gone(f, stray->id) &&
		    !fleet_slot_find(f, stray->id)) {
			stop_orphan(f, stray->id);
			stopped++;
		}
	}
	for (unsigned i = 0; i < f->count; i++)
		if (f->slots[i].blocked)
			f->slots[i].blocked = false;
	fleet_stray_use_begin(f);
	job->stray_count = fleet_stray_keep(f, job->strays, job->stray_count);
	for (size_t i = 0; i < job->stray_count; i++)
		if (*job->strays[i].domain) {
			fleet_stray_tell(&job->strays[i]);
			block(f, &job->strays[i]);
		}
	fleet_stray_use_end(f);
}

static void look_done(void *data)
{
	struct job *job = data;
	struct fleet *f = job->fleet;

	f->looking = false;
	if (job->result < 0)
		log_warn("%s", job->err.text);
	for (unsigned i = 0; job->result == 0 && i < f->count; i++) {
		struct slot *slot = &f->slots[i];

		if (!slot->looked || slot->state != SLOT_RUNNING)
			continue;
		if (is_listed(job, slot->cvm.id))
			fleet_view_see(slot, !f->lost);
		else
			domain_ended(slot);
	}
	if (job->result == 0)
		look_at_strays(f, job);
	if (f->look_again && !f->closing)
		fleet_watch_look(f);
	fleet_job_end(job);
}

void fleet_watch_look(struct fleet *f)
{
	struct job *job;
	struct err e;

	f->look_again = f->looking;
	if (f->looking || f->closing || !(job = calloc(1, sizeof(*job))))
		return;
	for (unsigned i = 0; i < f->count; i++)
		if (f->slots[i].state != SLOT_FREE) /* what was never used stays untouched */
			f->slots[i].looked = f->slots[i].state == SLOT_RUNNING;
	if (fleet_job_start(f, job, look_work, look_done, &e) < 0) {
		log_warn("%s", e.text);
		free(job);
		return;
	}
	f->looking = true;
}

static void connect_work(void *data)
{
	struct job *job = data;

	job->result = virt_connect(job->fleet->lifecycle->virt, &job->err);
}

static void on_reconnect(uv_timer_t *timer);

static void connect_done(void *data)
{
	struct job *job = data;
	struct fleet *f = job->fleet;

	f->connecting = false;
	if (job->result == 0) {
		f->reconnect_ms = 0;
	} else if (!f->closing) {
		if (!f->reconnect_ms)
			log_warn("%s; trying again until it is there", job->err.text);
		f->reconnect_ms = f->reconnect_ms ? f->reconnect_ms * 2 : FLEET_RETRY_FIRST_MS;
		if (f->reconnect_ms > FLEET_RETRY_LAST_MS)
			f->reconnect_ms = FLEET_RETRY_LAST_MS;
		uv_timer_start(&f->reconnect, on_reconnect, f->reconnect_ms, 0);
	}
	fleet_job_end(job);
}

void fleet_watch_connect(struct fleet *f)
{
	struct job *job;
	struct err e;

	if (f->connecting || f->closing || !(job = calloc(1, sizeof(*job))))
		return;
	if (fleet_job_start(f, job, connect_work, connect_done, &e) < 0) {
		free(job);
		uv_timer_start(&f->reconnect, on_reconnect, FLEET_RETRY_LAST_MS, 0);
		return;
	}
	f->connecting = true;
}

static void on_reconnect(uv_timer_t *timer)
{
	fleet_watch_connect(timer->data);
}

void fleet_notice(struct fleet *f, const struct virt_notice *notice)
{
	struct slot *slot = fleet_slot_find(f, notice->uuid);
	struct stray stray = { .is_id = true };

	snprintf(stray.id, sizeof(stray.id), "%s", notice->uuid);
	snprintf(stray.domain, sizeof(stray.domain), "%s", notice->name);
	if (f->closing)
		return;
	switch (notice->event) {
	case VIRT_CONNECTED:
		log_info("connected to libvirt");
		fleet_health_libvirt(f, true);
		f->lost = false;
		fleet_watch_look(f);
		break;
	case VIRT_LOST:
		log_warn("libvirt is gone; CVMs run on");
		fleet_health_libvirt(f, false);
		f->lost = true;
		for (unsigned i = 0; i < f->count; i++)
			if (f->slots[i].state != SLOT_FREE)
				fleet_view_see(&f->slots[i], false);
		fleet_watch_connect(f);
		break;
	case VIRT_STARTED:
		if (slot || !is_ours(f, notice->name))
			break;
		if (fleet_stray_is_gone(f, notice->uuid)) {
			stop_orphan(f, notice->uuid);
		} else {
			fleet_stray_tell(&stray);
			block(f, &stray);
		}
		break;
	case VIRT_STOPPED:
		if (slot)
			domain_ended(slot);
		else
			unblock(f, notice);
		break;
	}
}
