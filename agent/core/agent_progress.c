/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/agent_progress.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/manifest/manifest_extension.h"

#include <stdlib.h>
#include <string.h>

struct agent_progress_told {
	struct agent_progress now;
	uint8_t *bytes; /* as it was told last; NULL: nothing was */
	size_t len;
};

static void add_upload(const struct agent *agent, const struct asset *asset, size_t number,
		       struct agent_progress *p)
{
	Cvms__UploadProgress *one = &p->uploads[p->progress.n_uploads];
	struct upload_progress is;

	if (!uploads_progress(&agent->uploads, asset, &is))
		return;
	cvms__upload_progress__init(one);
	one->asset = (uint32_t)number;
	one->received = is.received;
	one->expected = is.expected;
	one->waits = is.waits;
	p->pointers[p->progress.n_uploads++] = one;
}

static uint64_t grains(uint64_t bytes)
{
	return bytes / AGENT_PROGRESS_GRAIN + (bytes % AGENT_PROGRESS_GRAIN ? 1 : 0);
}

static void fill_run(const struct computation *c, Cvms__RunProgress *run)
{
	cvms__run_progress__init(run);
	run->memory_mib = grains(c->used.memory);
	run->memory_peak_mib = grains(c->used.peak);
	run->memory_limit_mib = grains(c->limits.memory);
	run->processor_seconds = c->used.processor / 1000;
}

void agent_progress_fill(const struct agent *agent, bool with_run, struct agent_progress *p)
{
	const struct computation *c = agent->computation;

	cvms__progress__init(&p->progress);
	p->progress.computation_id = c->manifest->id;
	p->progress.attempt = c->attempt;
	p->progress.uploads = p->pointers;
	add_upload(agent, &c->algorithm, 0, p);
	for (size_t i = 0; i < c->dataset_count; i++)
		add_upload(agent, &c->datasets[i], i + 1, p);
	if (!with_run || !agent->runner)
		return;
	fill_run(c, &p->run);
	p->progress.run = &p->run;
}

const Cvms__ClientStreamMessage *agent_progress_next(struct agent *agent, bool anew)
{
	const struct computation *c = agent->computation;
	CLEANUP(free) uint8_t *bytes = NULL;
	struct agent_progress_told *told;
	size_t len;

	if (!c || c->over)
		return NULL;
	if (!agent->progress)
		agent->progress = calloc(1, sizeof(*agent->progress));
	told = agent->progress;
	if (!told)
		return NULL; /* it is told when there is memory */
	agent_progress_fill(agent, manifest_logs(c->manifest) == MANIFEST_LOGS_ALL, &told->now);
	len = cvms__progress__get_packed_size(&told->now.progress);
	bytes = malloc(len ? len : 1);
	if (!bytes)
		return NULL;
	cvms__progress__pack(&told->now.progress, bytes);
	if (!anew && told->bytes && len == told->len && memcmp(bytes, told->bytes, len) == 0)
		return NULL;
	free(told->bytes);
	told->bytes = TAKE_PTR(bytes);
	told->len = len;
	cvms__client_stream_message__init(&told->now.message);
	told->now.message.message_case = CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_PROGRESS;
	told->now.message.progress = &told->now.progress;
	return &told->now.message;
}

void agent_progress_free(struct agent *agent)
{
	if (agent->progress)
		free(agent->progress->bytes);
	free(TAKE_PTR(agent->progress));
}
