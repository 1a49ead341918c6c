/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/job.h"

#include "common/base/log_about.h"

#include <stdlib.h>

struct job {
	uv_work_t request;
	void (*work)(void *data);
	void (*done)(void *data);
	void *data;
	struct log_about about;
};

static void job_work(uv_work_t *request)
{
	struct job *job = request->data;

	LOG_ABOUT(&job->about);
	job->work(job->data);
}

static void job_done(uv_work_t *request, int status)
{
	struct job *job = request->data;

	LOG_ABOUT(&job->about);
	job->done(job->data);
	free(job);
}

int rpc_job_start(uv_loop_t *loop, void (*work)(void *data), void (*done)(void *data), void *data,
		  struct err *e)
{
	struct job *job = malloc(sizeof(*job));
	int r;

	if (!job)
		return err_nomem(e);
	*job = (struct job){ .work = work, .done = done, .data = data, .about = log_about_now() };
	job->request.data = job;
	r = uv_queue_work(loop, &job->request, job_work, job_done);
	if (r < 0) {
		free(job);
		return err_set(e, ERR_INTERNAL, "start a job: %s", uv_strerror(r));
	}
	return 0;
}
