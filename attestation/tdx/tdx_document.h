/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_document.h — what TCB info and QE identity have in common: the signed envelope, dates,
 * numbers and lists of levels by ISVSVN. Used by those two parsers only.
 */
#pragma once

#include "attestation/tdx/tdx_collateral.h"

/* The envelope {"`name`":{…},"signature":"…"} and the members that every body has. The tree and the
 * body go to `d`; on failure `d` owns nothing. `*body` is the body's node. */
int tdx_document_open(struct span bytes, const char *name, struct tdx_document *d,
		      const struct json **body, struct err *e) MUST_CHECK;
/* Puts the document's name before the text; a member that is missing makes it invalid. */
int tdx_document_error(const char *name, struct err *e);
void tdx_document_done(struct tdx_document *d);

/* Members of fixed value or form. */
int tdx_member_is(const struct json *object, const char *key, const char *wanted,
		  struct err *e) MUST_CHECK;
int tdx_member_version(const struct json *object, uint64_t wanted, struct err *e) MUST_CHECK;
int tdx_member_u64(const struct json *object, const char *key, uint64_t max, uint64_t *value,
		   struct err *e) MUST_CHECK;

/* "tcbDate", "tcbStatus" and the optional "advisoryIDs" of a level. */
int tdx_level_common(const struct json *level, enum tdx_status *status, int64_t *date,
		     struct tdx_advisories *advisories, struct err *e) MUST_CHECK;

/* "tcbLevels" by ISVSVN, at least one, at most TDX_MODULE_LEVELS_MAX. */
int tdx_isv_levels(const struct json *object, uint64_t isvsvn_max, struct tdx_isv_level *levels,
		   size_t *count, struct err *e) MUST_CHECK;
