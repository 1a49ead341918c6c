/* SPDX-License-Identifier: Apache-2.0 */
/* fleet_health.c — whether a CVM could be launched now: libvirt is there, and the image is whole. */
#include "common/base/log.h"
#include "manager/fleet/fleet_state.h"

bool fleet_is_serving(const struct fleet *f)
{
	bool is_there = false;

	for (size_t i = 0; i < f->host_count; i++)
		is_there = is_there || (f->hosts[i]->is_there && f->hosts[i]->held);
	return is_there && !f->lacks_image;
}

static void tell(struct fleet *f, bool was_serving)
{
	bool serving = fleet_is_serving(f);

	if (serving == was_serving)
		return;
	log_info("health: %s", serving ? "serving" : "not serving, no CVM can be launched");
	if (f->health)
		f->health(f->health_data, serving);
}

void fleet_health_libvirt(struct fleet_host *host, bool is_there)
{
	struct fleet *f = host->fleet;
	bool was_serving = fleet_is_serving(f);

	host->is_there = is_there;
	tell(f, was_serving);
}

void fleet_health_held(struct fleet_host *host, bool held)
{
	struct fleet *f = host->fleet;
	bool was_serving = fleet_is_serving(f);

	host->held = held;
	tell(f, was_serving);
}

static void image_work(void *data)
{
	struct job *job = data;

	job->result = lifecycle_check_image(job->fleet->lifecycle, &job->err);
}

static void image_done(void *data)
{
	struct job *job = data;
	struct fleet *f = job->fleet;
	bool was_serving = fleet_is_serving(f), lacks_image = job->result < 0;

	if (lacks_image && !f->lacks_image)
		log_warn("image: %s", job->err.text);
	f->checks_image = false;
	f->lacks_image = lacks_image;
	tell(f, was_serving);
	fleet_job_end(job);
}

void fleet_health_look(struct fleet *f)
{
	struct job *job;
	struct err e;

	if (f->checks_image || f->closing || !(job = calloc(1, sizeof(*job))))
		return;
	if (fleet_job_start(f, job, image_work, image_done, &e) < 0) {
		log_warn("%s", e.text);
		free(job);
		return;
	}
	f->checks_image = true;
}

static void on_time(uv_timer_t *timer)
{
	fleet_health_look(timer->data);
}

void fleet_health_start(struct fleet *f)
{
	uv_timer_start(&f->look_at_image, on_time, FLEET_IMAGE_MS, FLEET_IMAGE_MS);
}

bool fleet_health(struct fleet *f, void (*changed)(void *data, bool serving), void *data)
{
	f->health = changed;
	f->health_data = data;
	return fleet_is_serving(f);
}
