/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/run_progress.h"

#include "common/base/log.h"
#include "computations/core/session.h"
#include "computations/store/store.h"

#include <string.h>

/* A copy without what this program does not know. */
struct run_progress {
	uint64_t number;
	Cvms__Progress message;
	Cvms__RunProgress run;
	char id[STORE_ID_MAX + 1];
	Cvms__UploadProgress uploads[]; /* and behind them a pointer to each */
};

/* ---- what agents may say ---- */

static int check_uploads(const Cvms__Progress *said, struct err *e)
{
	uint64_t least = 0;

	if (said->n_uploads > MANIFEST_DATASETS_MAX + 1)
		return err_set(e, ERR_INVALID, "%zu uploads: at most %d", said->n_uploads,
			       MANIFEST_DATASETS_MAX + 1);
	for (size_t i = 0; i < said->n_uploads; i++) {
		const Cvms__UploadProgress *u = said->uploads[i];

		if (u->asset < least || u->asset > MANIFEST_DATASETS_MAX)
			return err_set(e, ERR_INVALID,
				       "upload %zu is of asset %u: they rise, up to %d", i + 1,
				       u->asset, MANIFEST_DATASETS_MAX);
		if (u->received > RUN_PROGRESS_MAX || u->expected > RUN_PROGRESS_MAX ||
		    (u->expected && u->received > u->expected))
			return err_set(e, ERR_INVALID, "upload of asset %u: %llu bytes of %llu",
				       u->asset, (unsigned long long)u->received,
				       (unsigned long long)u->expected);
		least = (uint64_t)u->asset + 1;
	}
	return 0;
}

static int check_run(const Cvms__RunProgress *run, const Cvms__RunProgress *before, struct err *e)
{
	const struct {
		const char *what;
		uint64_t is, was;
		bool rises;
	} parts[] = {
		{ "memory", run->memory_mib, 0, false },
		{ "its peak", run->memory_peak_mib, before ? before->memory_peak_mib : 0, true },
		{ "its limit", run->memory_limit_mib, 0, false },
		{ "processor", run->processor_seconds, before ? before->processor_seconds : 0,
		  true },
	};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (parts[i].is > RUN_PROGRESS_MAX)
			return err_set(e, ERR_INVALID, "%s of the run: %llu", parts[i].what,
				       (unsigned long long)parts[i].is);
		if (parts[i].rises && parts[i].is < parts[i].was)
			return err_set(e, ERR_INVALID, "%s of the run fell from %llu to %llu",
				       parts[i].what, (unsigned long long)parts[i].was,
				       (unsigned long long)parts[i].is);
	}
	if (run->memory_mib > run->memory_peak_mib)
		return err_set(e, ERR_INVALID, "the run has more memory than it ever had");
	return 0;
}

int run_progress_check(const Cvms__Progress *said, const Cvms__Progress *before, struct err *e)
{
	size_t len = strlen(said->computation_id);
	bool goes_on = before && before->attempt == said->attempt &&
		       strcmp(before->computation_id, said->computation_id) == 0;

	if (len == 0 || len > STORE_ID_MAX)
		return err_set(e, ERR_INVALID, "a computation's id of %zu bytes", len);
	if (check_uploads(said, e) < 0)
		return err_code(e);
	return said->run ? check_run(said->run, goes_on ? before->run : NULL, e) : 0;
}

/* ---- the newest ---- */

static struct run_progress *copy(const Cvms__Progress *said)
{
	const size_t n = said->n_uploads;
	struct run_progress *p = calloc(
		1, sizeof(*p) + n * (sizeof(p->uploads[0]) + sizeof(Cvms__UploadProgress *)));
	Cvms__UploadProgress **pointers;

	if (!p)
		return NULL;
	pointers = (Cvms__UploadProgress **)&p->uploads[n];
	cvms__progress__init(&p->message);
	memcpy(p->id, said->computation_id, strlen(said->computation_id));
	p->message.computation_id = p->id;
	p->message.attempt = said->attempt;
	p->message.n_uploads = n;
	p->message.uploads = pointers;
	for (size_t i = 0; i < n; i++) {
		cvms__upload_progress__init(&p->uploads[i]);
		p->uploads[i].asset = said->uploads[i]->asset;
		p->uploads[i].received = said->uploads[i]->received;
		p->uploads[i].expected = said->uploads[i]->expected;
		p->uploads[i].waits = said->uploads[i]->waits;
		pointers[i] = &p->uploads[i];
	}
	if (!said->run)
		return p;
	cvms__run_progress__init(&p->run);
	p->run.memory_mib = said->run->memory_mib;
	p->run.memory_peak_mib = said->run->memory_peak_mib;
	p->run.memory_limit_mib = said->run->memory_limit_mib;
	p->run.processor_seconds = said->run->processor_seconds;
	p->message.run = &p->run;
	return p;
}

/* On this stream, or before it came. */
static bool was_given(const struct session *s, const char *id)
{
	return (s->sent && strcmp(s->sent, id) == 0) ||
	       (s->todo.computation_id && strcmp(s->todo.computation_id, id) == 0);
}

int run_progress_take(struct session *s, const Cvms__Progress *said, struct err *e)
{
	struct run_progress *newest;

	if (!was_given(s, said->computation_id))
		return err_set(e, ERR_INVALID,
			       "it tells how far computation %s is, which it was never given",
			       log_quote(said->computation_id).text);
	if (run_progress_check(said, s->progress ? &s->progress->message : NULL, e) < 0)
		return err_wrap(e, "how far it is");
	newest = copy(said);
	if (!newest)
		return err_nomem(e);
	free(s->progress);
	s->progress = newest;
	newest->number = ++s->service->progresses;
	logs_wake(s->service, newest->id, "");
	return 0;
}

void run_progress_end(struct session *s)
{
	struct run_progress *last = TAKE_PTR(s->progress);

	if (last && !s->service->stopping)
		logs_wake(s->service, last->id, "");
	free(last);
}

bool run_progress_is_told(const struct service *service, const char *computation_id)
{
	const struct session *s;

	TAILQ_FOREACH(s, &service->sessions, next)
		if (s->progress && strcmp(s->progress->id, computation_id) == 0)
			return true;
	return false;
}

/* Of assets that the manifest has. */
static bool is_about(const Cvms__Progress *p, const struct computation *c)
{
	const size_t n = p->n_uploads;

	return strcmp(p->computation_id, c->id) == 0 && p->attempt == (uint64_t)c->attempt &&
	       (!n || p->uploads[n - 1]->asset <= (uint64_t)c->datasets);
}

const Cvms__Progress *run_progress_of(struct service *service, const struct computation *c,
				      uint64_t *number)
{
	const struct session *s = *c->cvm_id && !c->finished && !c->stopping
					  ? session_find(service, c->cvm_id)
					  : NULL;

	if (number)
		*number = 0;
	if (!s || !s->progress || !is_about(&s->progress->message, c))
		return NULL;
	if (number)
		*number = s->progress->number;
	return &s->progress->message;
}
