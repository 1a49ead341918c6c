/* SPDX-License-Identifier: Apache-2.0 */
/*
 * computation_waiting.h — gives a computation to a CVM, with --wait as soon as there is one for it.
 */
#pragma once

#include "cli/client/computation_client.h"

/* The caller frees the response. */
int computation_run_waiting(struct client *client, const Computations__RunRequest *request,
			    ProtobufCMessage **response, struct err *e) MUST_CHECK;
