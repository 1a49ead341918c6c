/* SPDX-License-Identifier: Apache-2.0 */
/* service_image.c — the methods about images. Files are looked at in the pool. */
#include "google/protobuf/empty.pb-c.h"
#include "manager.pb-c.h"
#include "manager/service/service.h"

#include <string.h>

struct image_job {
	struct lifecycle *lifecycle;
	int (*act)(struct lifecycle *l, const char *folder, struct err *e); /* NULL: lists */
	char folder[IMAGES_FOLDER_MAX + 1];
	struct lifecycle_image rows[LIFECYCLE_IMAGES_MAX];
	size_t count;
	int failed;
	struct err err;
};

static void work(void *data)
{
	struct image_job *job = data;

	job->failed = job->act
			      ? job->act(job->lifecycle, job->folder, &job->err)
			      : lifecycle_images(job->lifecycle, job->rows, &job->count, &job->err);
}

static void reply_list(struct rpc_call *call, struct image_job *job)
{
	Manager__ListImagesRes response = MANAGER__LIST_IMAGES_RES__INIT;
	Manager__Image rows[LIFECYCLE_IMAGES_MAX], *list[LIFECYCLE_IMAGES_MAX];

	for (size_t i = 0; i < job->count; i++) {
		list[i] = &rows[i];
		manager__image__init(&rows[i]);
		rows[i].name = job->rows[i].folder;
		rows[i].image = job->rows[i].name;
		rows[i].is_default = job->rows[i].is_default;
		rows[i].cvms = job->rows[i].cvms;
		rows[i].problem = job->rows[i].problem;
	}
	response.images = list;
	response.n_images = job->count;
	rpc_call_reply(call, &response.base);
}

/* Also if the caller has left: how it ended is for the audit log. */
static void done(struct rpc_call *call, void *data)
{
	Google__Protobuf__Empty response = GOOGLE__PROTOBUF__EMPTY__INIT;
	struct image_job *job = data;

	if (job->failed)
		service_fail(call, &job->err);
	else if (job->act)
		rpc_call_reply(call, &response.base);
	else
		reply_list(call, job);
	free(job);
}

static void start(struct rpc_call *call, const char *folder,
		  int (*act)(struct lifecycle *l, const char *folder, struct err *e))
{
	struct image_job *job;
	struct err e;

	if (act && images_name_check(folder, &e) < 0) {
		service_fail(call, &e);
		return;
	}
	job = calloc(1, sizeof(*job));
	if (!job) {
		err_nomem(&e);
		service_fail(call, &e);
		return;
	}
	job->lifecycle = fleet_lifecycle(service_fleet(call));
	job->act = act;
	memcpy(job->folder, folder, strlen(folder) + 1);
	if (rpc_call_job(call, work, done, job, &e) < 0) {
		free(job);
		service_fail(call, &e);
	}
}

void service_list_images(struct rpc_call *call, const ProtobufCMessage *message)
{
	start(call, "", NULL);
}

void service_set_default_image(struct rpc_call *call, const ProtobufCMessage *message)
{
	start(call, ((const Manager__SetDefaultImageReq *)message)->name,
	      lifecycle_set_default_image);
}

void service_remove_image(struct rpc_call *call, const ProtobufCMessage *message)
{
	start(call, ((const Manager__RemoveImageReq *)message)->name, lifecycle_remove_image);
}
