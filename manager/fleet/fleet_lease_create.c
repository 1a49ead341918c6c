/* SPDX-License-Identifier: Apache-2.0 */
/* fleet_lease_create.c — what other managers have to do with a CVM that is made: places, limits, and the host itself. */
#include "common/base/log.h"
#include "manager/fleet/fleet_state.h"
#include "manager/launch/admission.h"

#include <string.h>

bool fleet_lease_tries_again(struct job *job, void (*work)(void *data), void (*done)(void *data))
{
	struct fleet *f = job->fleet;
	struct slot *slot = job->slot, *other;
	unsigned turn = job->turn, number;

	if (job->result == 0 || job->err.code != ERR_ABORTED || job->cvm.step || slot->forsaken ||
	    f->closing || !registry_is_shared(f->lifecycle->registry) ||
	    ++job->tries > FLEET_PLACES_MAX)
		return false;
	f->others_have[slot->number] = true; /* until the next look */
	number = fleet_slot_unused(f, slot->host);
	if (number == FLEET_NO_SLOT || fleet_slot_make(f, number, &other, &job->err) < 0)
		return false;
	other->host = slot->host;
	fleet_view_forget(slot);
	fleet_slot_leave(slot);
	job->cvm.slot = number;
	job->slot = other;
	if (fleet_slot_take(f, other, &job->cvm, SLOT_CREATING, &job->err) < 0 ||
	    fleet_job_start(f, job, work, done, &job->err) < 0) {
		if (other->state != SLOT_FREE)
			fleet_slot_leave(other);
		other->cvm.why = CVM_FAILED; /* it was seen while it was made */
		fleet_view_leave(other);
		job->created(job->data, NULL, &job->err);
		fleet_job_end(job);
		return true;
	}
	fleet_view_changed(other);
	fleet_end(f, turn); /* the try before */
	return true;
}

void fleet_lease_not_made(struct job *job)
{
	if (job->result == 0)
		err_set(&job->err, ERR_UNAVAILABLE,
			"host %s went to another manager while CVM %s was made: ask that one for it",
			job->cvm.host, job->cvm.id);
	log_warn("CVM %s: %s", job->cvm.id, job->err.text);
}

unsigned fleet_lease_others(const struct fleet *f, const char *owner, struct admission_use *use)
{
	unsigned count = 0;

	for (size_t i = 0; i < f->other_count; i++) {
		const struct registry_other *other = &f->others[i];

		if (owner && strcmp(other->owner, owner) != 0)
			continue;
		use->cpus += other->cpus;
		use->memory += other->memory;
		count++;
	}
	return count;
}
