/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/service.h"

void service_init(struct service *service, uv_loop_t *loop, struct work *work,
		  uint64_t max_sessions)
{
	*service = (struct service){ .loop = loop, .work = work, .max_sessions = max_sessions };
	TAILQ_INIT(&service->sessions);
	TAILQ_INIT(&service->followers);
}
