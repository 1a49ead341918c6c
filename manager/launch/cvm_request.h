/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cvm_request.h — a client's CreateReq, checked, and turned into what the guest will read at boot.
 */
#pragma once

#include "common/base/err.h"
#include "common/manifest/bootconfig.h"
#include "common/manifest/image.h"
#include "manager.pb-c.h"
#include "manager/registry/cvm_labels.h"
#include "manager/settings/config.h"

#include <stdint.h>

enum {
	CVM_REQUEST_VALUE_MAX = 4096, /* of one entry of the environment */
	CVM_REQUEST_PEM_MAX = BOOTCONFIG_FILE_MAX,
};
#define CVM_REQUEST_TTL_MIN_MS ((uint64_t)1000)
#define CVM_REQUEST_TTL_MAX_MS ((uint64_t)3650 * 24 * 3600 * 1000)

struct cvm_request {
	struct bootconfig boot;
	uint64_t ttl_ms;            /* 0: no limit */
	unsigned cpus;              /* 0: as configured */
	uint64_t memory;            /* bytes, whole MiB; 0: as configured */
	enum config_tee tee;        /* CONFIG_TEE_AUTO: as configured; never a simulated one */
	char image[IMAGE_NAME_MAX]; /* empty: the manager's */
	char name[CVM_NAME_MAX + 1], labels[CVM_LABELS_MAX + 1];
};

/* Refused, by the field's name: a value with a control character, a quote, white space at an end,
 * anything but ASCII, or too long; a certificate without its key, or with another key; a bad PEM
 * text, duration, log level, host:port, name or label; fields of a feature that we do not have.
 * cvm_request_done() it. */
int cvm_request_make(const Manager__CreateReq *message, const char *cvm_id,
		     struct cvm_request *request, struct err *e) MUST_CHECK;
void cvm_request_done(struct cvm_request *request); /* wipes */
