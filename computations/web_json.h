/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_json.h — the service's records as members of a JSON object. For this folder only.
 */
#pragma once

#include "common/base/writer.h"
#include "computations/store.h"

void web_json_computation(struct writer *w, const struct computation *c, bool is_connected);
/* What is too long for lists. */
void web_json_more(struct writer *w, const struct computation *c);
/* Who takes part with which key, in what; no private key, no certificate. */
void web_json_manifest(struct writer *w, const Cvms__ComputationRunReq *manifest);
/* The whole object. */
void web_json_record(struct writer *w, const struct record *record);
