/* SPDX-License-Identifier: Apache-2.0 */
/* cvm_equal.h — two records member by member: the bytes between members mean nothing. */
#pragma once

#include "manager/registry/registry.h"
#include "tests/unit.h"

static inline void assert_cvm_equal(const struct cvm *a, const struct cvm *b)
{
	assert_string_equal(a->id, b->id);
	assert_int_equal(a->step, b->step);
	assert_int_equal(a->slot, b->slot);
	assert_int_equal(a->port, b->port);
	assert_int_equal(a->created_ms, b->created_ms);
	assert_int_equal(a->expires_ms, b->expires_ms);
	assert_int_equal(a->tee, b->tee);
	assert_int_equal(a->kvm, b->kvm);
	assert_int_equal(a->cpus, b->cpus);
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->labels, b->labels);
	assert_int_equal(a->memory, b->memory);
	assert_string_equal(a->host, b->host);
	assert_string_equal(a->cpu_type, b->cpu_type);
	assert_string_equal(a->firmware, b->firmware);
	assert_string_equal(a->image, b->image);
	assert_string_equal(a->cmdline, b->cmdline);
	assert_string_equal(a->expected, b->expected);
	assert_memory_equal(a->boot_sha3_256, b->boot_sha3_256, SHA3_256_LEN);
	assert_memory_equal(a->boot_sha3_384, b->boot_sha3_384, SHA3_384_LEN);
}
