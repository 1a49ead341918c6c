/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/service.h"

void service_init(struct service *service, uv_loop_t *loop, struct store_queue *queue,
		  uint64_t max_sessions)
{
	*service = (struct service){ .loop = loop, .queue = queue, .max_sessions = max_sessions };
	TAILQ_INIT(&service->sessions);
	TAILQ_INIT(&service->followers);
}
