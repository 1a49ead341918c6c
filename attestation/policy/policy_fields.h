/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_fields.h — tables that say which JSON key goes where. Private to attestation/policy*.c.
 */
#pragma once

#include "attestation/policy/policy.h"
#include "common/base/json.h"

enum policy_encoding { POLICY_BASE64, POLICY_HEX };

enum policy_kind {
	POLICY_BOOL, /* bool */
	POLICY_U8,   /* number or its text */
	POLICY_U16,
	POLICY_U32,
	POLICY_U64,
	POLICY_BYTES,  /* exactly `len` bytes, copied to the member */
	POLICY_ONE,    /* one value of `len` bytes, as a set of one */
	POLICY_SET,    /* an array of values of `len` bytes each, as a set; not empty */
	POLICY_OBJECT, /* an object of `rows` over the same struct */
	POLICY_TEXT,   /* a string: `char *` of the policy's memory */
	POLICY_CUSTOM, /* `read` decides */
};

struct policy_reading {
	struct policy *policy;
	enum policy_encoding encoding;
	/* TCB numbers of the older form: what their bytes mean depends on the product, which may
	 * stand later. */
	uint64_t min_tcb[2], min_launch_tcb[2]; /* [1]: minimum_tcb_turin */
	bool has_tcb[2], has_launch_tcb[2], require_id_block;
	const uint8_t *mr_td; /* beside any_mr_td, of which it has to be one; or NULL */
	struct err *e;
};

struct policy_row {
	const char *key; /* snake_case */
	enum policy_kind kind;
	size_t offset; /* in struct policy */
	size_t len;    /* of bytes */
	int (*read)(struct policy_reading *r, const struct json *value);
	const struct policy_row *rows; /* ends with an empty key */
};

extern const struct policy_row policy_older_rows[], policy_older_snp_rows[],
	policy_older_tdx_rows[], policy_older_root_rows[], policy_older_eat_rows[];
extern const struct policy_row policy_own_rows[], policy_own_snp_rows[], policy_own_tdx_rows[],
	policy_own_tpm_rows[];

/* Whether a member says something: 1, 0 for what counts as absent, or refused. A null counts as
 * absent in the older form, as in protobuf's JSON. In ours it is refused: a template with a hole in
 * it must not ask for less than its author meant. */
int policy_is_said(struct policy_reading *r, const struct json *value);

/* That it is an object, and in our form not an empty one, which would narrow nothing. */
int policy_object(struct policy_reading *r, const struct json *value);

/* Reads each member of `object` by the row of its key. Refuses unknown keys, and a key in two
 * spellings (camelCase is taken where `camel`). */
int policy_read_object(struct policy_reading *r, const struct json *object,
		       const struct policy_row *rows, bool camel);
/* The same for one that may be empty, since what it does not say is refused when it is judged. */
int policy_read_members(struct policy_reading *r, const struct json *object,
			const struct policy_row *rows, bool camel);

/* Helpers for custom rows. Numbers may be written as text, as protobuf's JSON does. */
int policy_read_u64(struct policy_reading *r, const struct json *value, uint64_t max,
		    uint64_t *out);
int policy_read_bytes(struct policy_reading *r, const struct json *value, size_t len, uint8_t *out);
int policy_wrong(struct policy_reading *r, const struct json *value, const char *wanted);

/* Marks a kind of evidence as described; refuses a second time. */
int policy_begin(struct policy_reading *r, bool *described);

/* Memory that lives as long as the policy; zeroed. NULL when memory is out, with `e` set. */
void *policy_alloc(struct policy_reading *r, size_t len);
/* A copy of one value as a set of one, or added to the set. */
int policy_add_value(struct policy_reading *r, struct value_set *set, const uint8_t *value,
		     size_t len);

/* After the last file: what had to wait. */
int policy_finish_older(struct policy_reading *r);
int policy_finish_run(struct policy_reading *r);
int policy_finish_older_mrtd(struct policy_reading *r);

/* "0" to "23"; "sha256" and the like. */
int policy_pcr_index(struct policy_reading *r, const char *key, unsigned *index);
int policy_bank(struct policy_reading *r, const char *key, enum digest_kind *kind);

/* `events` of a TPM and of a TD; after the last file, registers that only events speak of. */
int policy_read_pcr_events(struct policy_reading *r, const struct json *value);
int policy_read_rtmr_events(struct policy_reading *r, const struct json *value);
/* `tables` of a TD. */
int policy_read_tables(struct policy_reading *r, const struct json *value);
void policy_finish_events(struct policy *policy);

/* Rows that both forms share (policy_both.c, policy_pcrs.c). */
int policy_read_vmpl(struct policy_reading *r, const struct json *value);
int policy_read_attributes(struct policy_reading *r, const struct json *value);
int policy_read_xfam(struct policy_reading *r, const struct json *value);
int policy_read_product(struct policy_reading *r, const struct json *value);
int policy_read_version(struct policy_reading *r, const struct json *value);
int policy_read_pcrs(struct policy_reading *r, const struct json *value);
int policy_read_check_crl(struct policy_reading *r, const struct json *value);
int policy_read_max_age(struct policy_reading *r, const struct json *value);

/* Names the product; refuses another one than was named before. */
int policy_set_product(struct policy_reading *r, enum snp_product product);
