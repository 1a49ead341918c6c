/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/usage_message.h"

void usage_message_fill(Computations__Usage *out, const struct usage_row *row)
{
	computations__usage__init(out);
	out->workspace = row->workspace;
	out->removed = row->is_removed;
	out->computation = row->computation;
	out->others = row->kind == USAGE_OF_OTHERS;
	out->cvms = (uint64_t)row->cvms;
	out->cvm_ms = (uint64_t)row->cvm_ms;
	out->cpu_ms = (uint64_t)row->cpu_ms;
	out->memory_mib_seconds = (uint64_t)row->memory_mib_s;
	out->bytes_in = (uint64_t)row->bytes_in;
	out->bytes_out = (uint64_t)row->bytes_out;
	out->storage_mib_seconds = (uint64_t)row->storage_mib_s;
}

static uint64_t or_none(uint64_t hours)
{
	return hours == UINT64_MAX ? 0 : hours;
}

bool usage_message_limit(Computations__UsageLimit *out, const struct machine_quota *quota)
{
	computations__usage_limit__init(out);
	out->cvm_hours = or_none(quota->cvm_hours);
	out->cpu_hours = or_none(quota->cpu_hours);
	out->memory_gib_hours = or_none(quota->memory_hours);
	return out->cvm_hours || out->cpu_hours || out->memory_gib_hours;
}
