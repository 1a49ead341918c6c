/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_metrics.h — how many calls a server had, by method and code, and how long they took.
 *
 * The methods are those of its services: what a peer asks for beyond them is not counted by name, so the
 * memory is the same whoever calls.
 */
#pragma once

#include "common/metrics/metrics_text.h"
#include "common/rpc/observer.h"

struct call_metrics;

/* Of these services, which are kept. */
int call_metrics_new(const struct rpc_service *const services[], size_t count,
		     struct call_metrics **metrics, struct err *e) MUST_CHECK;
void call_metrics_free(struct call_metrics *metrics);

/* For an observer's ended(). */
void call_metrics_ended(struct call_metrics *metrics, const struct rpc_call *call,
			const struct err *e);
/* An observer that does nothing else; its data is the struct call_metrics. */
extern const struct rpc_observer call_metrics_observer;

/* The families cocos_rpc_calls and cocos_rpc_call_duration_seconds. */
void call_metrics_write(const struct call_metrics *metrics, struct metrics_text *t);
