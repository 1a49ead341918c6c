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
	fleet_slot_remove(slot);
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

/* A domain with our name that has no record: one that libvirt was still starting when an earlier
 * manager was killed and its successor undid the rest. */
static void stop_orphan(struct fleet *f, const char *uuid)
{
	struct job *job;
	struct err e;

	if (f->closing || !(job = calloc(1, sizeof(*job))))
		return;
	log_warn("domain %s has our name, but no CVM is recorded for it: it is stopped", uuid);
	memcpy(job->cvm.id, uuid, sizeof(job->cvm.id));
	if (fleet_job_start(f, job, orphan_work, orphan_done, &e) < 0) {
		log_warn("domain %s: %s", uuid, e.text);
		free(job);
	}
}

static void look(struct fleet *f);

static void look_work(void *data)
{
	struct job *job = data;
	char prefix[LIFECYCLE_NAME_MAX];

	lifecycle_prefix(job->fleet->lifecycle, prefix);
	job->result = virt_list(job->fleet->lifecycle->virt, prefix, &job->domains,
				&job->domain_count, &job->err);
}

static bool is_listed(const struct job *job, const char *id)
{
	for (size_t i = 0; i < job->domain_count; i++)
		if (strcmp(job->domains[i].uuid, id) == 0)
			return true;
	return false;
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

		if (slot->looked && slot->state == SLOT_RUNNING && !is_listed(job, slot->cvm.id))
			domain_ended(slot);
	}
	for (size_t i = 0; job->result == 0 && i < job->domain_count && i < FLEET_ORPHANS_MAX; i++)
		if (!fleet_slot_find(f, job->domains[i].uuid))
			stop_orphan(f, job->domains[i].uuid);
	if (f->look_again && !f->closing)
		look(f);
	fleet_job_end(job);
}

/* Compares libvirt's domains with ours. */
static void look(struct fleet *f)
{
	struct job *job;
	struct err e;

	f->look_again = f->looking;
	if (f->looking || f->closing || !(job = calloc(1, sizeof(*job))))
		return;
	for (unsigned i = 0; i < f->count; i++)
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

static bool is_ours(const struct fleet *f, const char *name)
{
	char prefix[LIFECYCLE_NAME_MAX];

	lifecycle_prefix(f->lifecycle, prefix);
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

void fleet_notice(struct fleet *f, const struct virt_notice *notice)
{
	struct slot *slot = fleet_slot_find(f, notice->uuid);

	if (f->closing)
		return;
	switch (notice->event) {
	case VIRT_CONNECTED:
		log_info("connected to libvirt");
		look(f);
		break;
	case VIRT_LOST:
		log_warn("libvirt is gone; CVMs run on");
		fleet_watch_connect(f);
		break;
	case VIRT_STARTED:
		if (!slot && is_ours(f, notice->name))
			stop_orphan(f, notice->uuid);
		break;
	case VIRT_STOPPED:
		if (slot)
			domain_ended(slot);
		break;
	}
}
