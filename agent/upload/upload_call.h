/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upload_call.h — one call of Algo or Data, from its metadata to the asset in its place.
 *
 * service_upload.c moves the bytes, upload_check.c says whose they may be, upload_place.c judges
 * what came and puts it where the algorithm finds it.
 */
#pragma once

#include "agent/core/access.h"
#include "agent/core/agent.h"
#include "agent/core/computation.h"
#include "agent/python/python_env.h"
#include "agent/upload/upload.h"
#include "common/base/writer.h"
#include "common/rpc/call.h"

#include <stdbool.h>
#include <stdint.h>

struct upload_call {
	struct agent *agent;
	struct computation *computation; /* a reference */
	struct rpc_call *call;           /* a reference */
	struct upload_call *next, **link;
	bool is_algo;
	struct access access;

	bool may_be[MANIFEST_DATASETS_MAX]; /* datasets whose owner signed this call */
	struct asset *asset;                /* the one it is, as soon as that is certain */

	char *filename; /* Data; NULL before the first message */
	bool decompress;

	enum runner_kind kind; /* Algo */
	const char *algo_type; /* lent by the call's metadata */
	const char *runtime;
	struct writer requirements;

	struct upload *upload; /* NULL before the caller is known to be an owner */
	bool paused, half_closed, closed, placing, finishing;
};

/* Reads what the metadata says beside who calls: types, arguments, decompress. */
int upload_check_metadata(struct upload_call *u, struct err *e) MUST_CHECK;

/* Data, with u->filename set, and Algo, with u->requirements complete: which asset may this be,
 * and did its owner sign? */
int upload_check_owner(struct upload_call *u, struct err *e) MUST_CHECK;

/* All bytes are here: judged, put in its place, answered. Ends with upload_call_finish() or, when
 * unpacking goes on in the pool, later. */
void upload_place(struct upload_call *u);

/* Answers the call, with OK if `e` is NULL, and forgets the upload; what is on disk of it goes. */
void upload_call_finish(struct upload_call *u, const struct err *e);
