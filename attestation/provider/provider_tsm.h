/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider_tsm.h — the kernel's common interface to TEE reports: configfs-tsm
 * (Documentation/ABI/testing/configfs-tsm-report), whatever the TEE behind it.
 *
 * Each collection has an entry of its own below …/tsm/report, so that nobody else writes between
 * our question and the answer; `generation` is still counted, since it must be. Where root made
 * entries for us (a user can make none that he may write to) these serve, one after the other.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A service stays in an entry for good, so that it has one for itself. */
#define TSM_READY         "cocos"
#define TSM_READY_SERVICE "cocos-service"

enum { TSM_BLOB_MAX = 32768, TSM_NAME_MAX = 32, TSM_INBLOB_LEN = 64 };

/* The word in `provider`, "sev_guest". ERR_NOT_FOUND: there is no such interface, or no TEE behind
 * it (mkdir says ENXIO). */
int tsm_provider(const char *root, char name[TSM_NAME_MAX], struct err *e) MUST_CHECK;

struct tsm_request {
	const char *root;
	const char *provider;  /* whose report it has to be */
	const uint8_t *inblob; /* TSM_INBLOB_LEN bytes */
	bool has_privlevel;    /* the TEE has levels: `privlevel` is written, 0 as the floor */
	unsigned int privlevel;
	const char *service_guid; /* of the SVSM's services; NULL: the TEE's own report */
};

/* Malloc'ed; tsm_answer_done(). auxblob and manifestblob are NULL where empty or absent. */
struct tsm_answer {
	uint8_t *outblob, *auxblob, *manifestblob;
	size_t outblob_len, auxblob_len, manifestblob_len;
};

/* Busy devices, interrupted calls and answers of another generation are tried again with a new
 * entry, at most PROVIDER_ATTEMPTS_MAX times and within PROVIDER_DEADLINE_MS. */
int tsm_collect(const struct tsm_request *request, struct tsm_answer *answer,
		struct err *e) MUST_CHECK;
void tsm_answer_done(struct tsm_answer *answer);
#define CLEANUP_TSM_ANSWER __attribute__((cleanup(tsm_answer_done)))
