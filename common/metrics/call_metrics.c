/* SPDX-License-Identifier: Apache-2.0 */
#include "common/metrics/call_metrics.h"

#include <string.h>

enum { CODES = ERR_CODE_MAX + 1 };

static const struct {
	const char *text;
	uint64_t ms;
} bounds[] = {
	{ "0.005", 5 },    { "0.025", 25 },   { "0.1", 100 },      { "0.5", 500 },
	{ "1.0", 1000 },   { "2.5", 2500 },   { "5.0", 5000 },     { "10.0", 10000 },
	{ "30.0", 30000 }, { "60.0", 60000 }, { "300.0", 300000 }, { "+Inf", UINT64_MAX },
};

struct method {
	const char *path;
	uint64_t codes[CODES];
	uint64_t buckets[ARRAY_LEN(bounds)];
	uint64_t count, ms;
};

struct call_metrics {
	size_t count;
	struct method methods[];
};

int call_metrics_new(const struct rpc_service *const services[], size_t count,
		     struct call_metrics **metrics, struct err *e)
{
	struct call_metrics *m;
	size_t methods = 0;

	for (size_t i = 0; i < count; i++)
		methods += services[i]->count;
	m = calloc(1, sizeof(*m) + methods * sizeof(m->methods[0]));
	if (!m)
		return err_nomem(e);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < services[i]->count; k++)
			m->methods[m->count++].path = services[i]->handlers[k].method.path;
	*metrics = m;
	return 0;
}

void call_metrics_free(struct call_metrics *metrics)
{
	free(metrics);
}

void call_metrics_ended(struct call_metrics *metrics, const struct rpc_call *call,
			const struct err *e)
{
	const char *path = rpc_call_method(call)->path;
	unsigned code = e ? (unsigned)e->code : ERR_OK;
	uint64_t ms = rpc_call_age(call);
	struct method *m = NULL;
	size_t bucket = 0;

	for (size_t i = 0; i < metrics->count && !m; i++)
		if (strcmp(metrics->methods[i].path, path) == 0)
			m = &metrics->methods[i];
	if (!m)
		return;
	while (ms > bounds[bucket].ms)
		bucket++;
	m->codes[code < CODES ? code : ERR_UNKNOWN]++;
	m->buckets[bucket]++;
	m->count++;
	m->ms += ms;
}

static void ended(void *data, const struct rpc_call *call, bool admitted, const struct err *e)
{
	call_metrics_ended(data, call, e);
}

const struct rpc_observer call_metrics_observer = { .ended = ended };

static void write_codes(const struct method *m, struct metrics_text *t)
{
	for (size_t code = 0; code < CODES; code++) {
		const struct metrics_label labels[] = {
			{ "method", m->path + 1 },
			{ "code", err_code_name((enum err_code)code) },
			{ 0 },
		};

		/* All that well ended, from the start: who adds up wants a zero there. */
		if (m->codes[code] || code == ERR_OK)
			metrics_sample(t, labels, (double)m->codes[code]);
	}
}

static void write_times(const struct method *m, struct metrics_text *t)
{
	const struct metrics_label labels[] = { { "method", m->path + 1 }, { 0 } };
	uint64_t below = 0;

	for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
		below += m->buckets[i];
		metrics_bucket(t, labels, bounds[i].text, below);
	}
	metrics_sum(t, labels, (double)m->ms / 1000, m->count);
}

void call_metrics_write(const struct call_metrics *metrics, struct metrics_text *t)
{
	metrics_family(t, "cocos_rpc_calls", METRICS_COUNTER, "gRPC calls that ended, by code.");
	for (size_t i = 0; i < metrics->count; i++)
		write_codes(&metrics->methods[i], t);
	metrics_family(
		t, "cocos_rpc_call_duration_seconds", METRICS_HISTOGRAM,
		"From a gRPC call's headers to its end; streams last as long as they are open.");
	for (size_t i = 0; i < metrics->count; i++)
		write_times(&metrics->methods[i], t);
}
