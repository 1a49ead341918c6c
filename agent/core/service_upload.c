/* SPDX-License-Identifier: Apache-2.0 */
/* Algo and Data: which of them the agent wants in which state, and what follows from an asset that is
 * in. The way of the bytes is uploads.h. */
#include "agent/core/agent_journal.h"
#include "agent/core/agent_run.h"
#include "agent/core/agent_stop.h"
#include "agent/core/service.h"
#include "common/base/log.h"

static int on_expects(void *data, enum upload_asset asset, struct err *e)
{
	static const enum state_event events[] = {
		[UPLOAD_ALGORITHM] = EVENT_ALGORITHM,
		[UPLOAD_DATASET] = EVENT_DATASET,
	};
	const struct agent *agent = data;

	if (state_takes(agent->state, events[asset]))
		return 0;
	return err_set(e, ERR_PRECONDITION, "not expected in state %s", state_name(agent->state));
}

static void on_arrived(void *data, enum upload_asset asset, const char *name, uint64_t size)
{
	struct agent *agent = data;

	agent_journal_uploads(agent, size);
	if (asset == UPLOAD_ALGORITHM) {
		agent_say(agent, "INFO", "algorithm is in, %llu bytes", (unsigned long long)size);
		agent_run_algorithm_in(agent);
	} else {
		agent_say(agent, "INFO", "dataset %s is in, %llu bytes", log_quote(name).text,
			  (unsigned long long)size);
		agent_run_dataset_in(agent);
	}
}

static void on_released(void *data)
{
	agent_stop_go_on(data);
}

const struct uploads_callbacks service_upload_callbacks = {
	.expects = on_expects,
	.arrived = on_arrived,
	.released = on_released,
};

void service_upload_algorithm(struct rpc_call *call)
{
	struct agent *agent = rpc_call_service(call);

	uploads_start(&agent->uploads, UPLOAD_ALGORITHM, agent->computation, call);
}

void service_upload_dataset(struct rpc_call *call)
{
	struct agent *agent = rpc_call_service(call);

	uploads_start(&agent->uploads, UPLOAD_DATASET, agent->computation, call);
}
