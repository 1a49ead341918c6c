/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ending_call.h — what users may do where nothing else of theirs has room any more: come in, leave, and take away what others could
 * come in with, or do, or what goes on without them. What only who administers the service may do is not among it.
 */
#pragma once

#include <stdbool.h>

/* By its method's path, "/people.PeopleService/RevokeToken". */
bool ending_call_is(const char *path);
/* The same without the slash, as the audit log has it. */
bool ending_call_is_called(const char *name);
