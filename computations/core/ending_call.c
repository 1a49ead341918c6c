/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/ending_call.h"

#include "common/base/cleanup.h"
#include "computations_paths.h"
#include "people_paths.h"
#include "webhooks_paths.h"
#include "workflows_paths.h"

#include <string.h>

static const char *const endings[] = {
	PROTO_PEOPLE_TAKE_LOGIN,     PROTO_PEOPLE_REVOKE_TOKEN,       PROTO_PEOPLE_END_TOKEN,
	PROTO_PEOPLE_END_SESSION,    PROTO_PEOPLE_RETIRE_KEY,         PROTO_PEOPLE_TAKE_ROLE,
	PROTO_PEOPLE_SUSPEND_MEMBER, PROTO_PEOPLE_REMOVE_MEMBER,      PROTO_PEOPLE_LEAVE_WORKSPACE,
	PROTO_COMPUTATIONS_STOP,     PROTO_PEOPLE_REVOKE_INVITATION,  PROTO_COMPUTATIONS_REMOVE_CVM,
	PROTO_WORKFLOWS_CANCEL,      PROTO_WORKFLOWS_REMOVE_EXECUTOR, PROTO_WEBHOOKS_DISABLE,
	PROTO_WEBHOOKS_DELETE,
};

bool ending_call_is_called(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(endings); i++)
		if (strcmp(name, endings[i] + 1) == 0)
			return true;
	return false;
}

bool ending_call_is(const char *path)
{
	return *path == '/' && ending_call_is_called(path + 1);
}
