/* SPDX-License-Identifier: Apache-2.0 */
/* corim_comid.h — the CoMID inside a CoRIM. Private to attestation/corim*.c. */
#pragma once

#include "attestation/corim/corim_tag.h"
#include "common/base/err.h"

/* Records ERR_INVALID, "corim: …", and returns it. */
int corim_wrong(struct err *e, const char *what);

/* A tagged or bare identifier: 37(16 bytes), 111(OID), 550/560(bytes), an integer, text. */
int corim_read_id(const struct datum *value, struct corim_id *id, struct err *e) MUST_CHECK;

/* A CoRIM's or tag's name: text that is not empty, or 16 bytes that are a UUID. */
int corim_read_name(const struct datum *value, struct corim_id *id, struct err *e) MUST_CHECK;

/* concise-mid-tag; fills the rest of `tag`. */
int corim_read_comid(const struct datum *map, struct corim_tag *tag, struct err *e) MUST_CHECK;

/* Parts of it, for corim_form.c: an environment-map, a measurement-map. */
int corim_read_environment(const struct datum *map, struct corim_reference *ref,
			   struct err *e) MUST_CHECK;
int corim_read_measurement(const struct datum *map, struct corim_measurement *m,
			   struct err *e) MUST_CHECK;

/* corim.c: validity-map, and whether it covers `at` (else ERR_DENIED); `what` is for people. */
int corim_read_validity(const struct datum *map, int64_t *from, int64_t *to,
			struct err *e) MUST_CHECK;
int corim_check_validity(const char *what, int64_t from, int64_t to, int64_t at,
			 struct err *e) MUST_CHECK;
