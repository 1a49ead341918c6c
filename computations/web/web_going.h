/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_going.h — what is still coming and what runs now, as the agent tells it (run_progress.h): on the computation's page,
 * as an event of it, and for programs. For this folder only.
 */
#pragma once

#include "common/base/writer.h"
#include "cvms.pb-c.h"

/* Decimal, with one digit behind the point: "4.1 MB". */
void web_going_size(struct writer *w, uint64_t size);

/* Of the algorithm (0) or a dataset (from 1); NULL: nothing of it. `p` may be NULL. */
const Cvms__UploadProgress *web_going_upload(const Cvms__Progress *p, size_t asset);
/* What the state's place says of it. */
const char *web_going_word(const Cvms__UploadProgress *u);
/* How far it is, of what `name` says. */
void web_going_put(struct writer *w, const char *name, const Cvms__UploadProgress *u);
/* What the run uses; nothing where that is not told. */
void web_going_put_run(struct writer *w, const Cvms__Progress *p);

/* The same as an event, with its words; `p` NULL: nothing is told any more. */
void web_going_event(struct writer *w, const Cvms__Progress *p);
/* Members of an object. */
void web_going_json_upload(struct writer *w, const Cvms__UploadProgress *u);
void web_going_json_run(struct writer *w, const Cvms__RunProgress *run);
