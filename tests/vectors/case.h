/* SPDX-License-Identifier: Apache-2.0 */
/*
 * case.h — one SNP case of the shared vectors as an input of snp_appraise(): files, time, and the
 * policy that its INDEX.md describes (what is not named is the report's own value).
 */
#pragma once

#include "attestation/snp/snp_appraise.h"
#include "common/base/json.h"

enum { CASE_FILES_MAX = 12 };

struct snp_case {
	char folder[512];
	struct json *json;
	struct {
		const char *role;
		struct span bytes;
	} files[CASE_FILES_MAX];
	size_t file_count;
	struct snp_input input;
	struct snp_policy policy;
	struct snp_report own; /* the report's own values, zero if it can't be parsed */
	uint8_t named[16][64]; /* values that the policy names */
	size_t named_count;
	uint8_t report_data[SNP_REPORT_DATA_LEN];
};

/* Fails the running test if the case can't be read. */
void case_load(struct snp_case *c, const char *folder);
void case_done(struct snp_case *c);

/* The folder of the vectors, from COCOS_VECTORS, or NULL (and says so). */
const char *case_vectors(void);

/* Calls `run` for each folder below `group` that holds an expected.json; returns how many. */
size_t case_each(const char *group, void (*run)(const char *folder));

/* Appraises with a fresh verdict, which is returned in `v`. */
bool case_appraise(const struct snp_case *c, struct verdict *v, struct err *e);

/* The bytes of a file of the case, or an empty span. */
struct span *case_file(struct snp_case *c, const char *role);

/* "2026-01-28T12:00:00Z" */
int64_t case_time(const char *text);
