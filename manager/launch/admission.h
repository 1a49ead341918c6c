/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admission.h — how much a CVM gets, within the operator's limits, and whether there is room for it
 * beside the others.
 */
#pragma once

#include "manager/launch/cvm_request.h"
#include "manager/registry/registry.h"
#include "manager/settings/config.h"

/* CPUs and memory of the CVM: what the request asks for, or what is configured. ERR_INVALID names the limit
 * and its setting, also if the TEE may not be had. */
int admission_give(const struct config *config, const struct cvm_request *request, struct cvm *cvm,
		   struct err *e) MUST_CHECK;

/* What CVMs have together. */
struct admission_use {
	uint64_t cpus, memory; /* bytes */
};
void admission_count(const struct config *config, const struct cvm *cvm, struct admission_use *use);

/* ERR_EXHAUSTED says what there is too little of, how much is used, and of how much. */
int admission_check(const struct config *config, const struct admission_use *use,
		    const struct cvm *cvm, struct err *e) MUST_CHECK;

/* The same of the disk with MANAGER_STATE_DIR, where so many others are being created, to which the same room was
 * promised. Blocks. */
int admission_check_disk(const struct config *config, unsigned others, struct err *e) MUST_CHECK;
