/* SPDX-License-Identifier: Apache-2.0 */
/*
 * going.h — how far uploads are and what a run uses, as an agent tells it: for Status, and for the service, which hands on
 * the agent's word.
 */
#pragma once

#include "cli/base/json_out.h"
#include "cvms.pb-c.h"

#include <stdio.h>

enum { GOING_TEXT_MAX = 128 };

/* Of the algorithm (0) or a dataset (from 1); NULL: nothing of it. `p` may be NULL. */
const Cvms__UploadProgress *going_upload(const Cvms__Progress *p, size_t asset);

/* "12.3 MiB of 40.0 MiB are here"; "" if `u` is NULL. */
void going_text(const Cvms__UploadProgress *u, char text[GOING_TEXT_MAX]);
/* The same in tenths, for who is told each change; "" where nothing can be said of them. */
void going_tenths(const Cvms__UploadProgress *u, char text[GOING_TEXT_MAX]);
/* A line behind a label of that width; nothing where `p` has no run. `brief`: not each second anew. */
void going_print_run(FILE *out, int width, const Cvms__Progress *p, bool brief);
/* Members of an object. */
void going_json_upload(struct json_out *out, const Cvms__UploadProgress *u);
/* "uploads", a list, and "run". */
void going_to_json(struct json_out *out, const Cvms__Progress *p);
/* "run", an object; nothing where `p` has none. */
void going_json_run(struct json_out *out, const Cvms__Progress *p);
