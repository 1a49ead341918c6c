/* SPDX-License-Identifier: Apache-2.0 */
/*
 * corim_write.h — a CoRIM of one entry, in the layout that Cocos's tools read: the bare map, its
 * tag as bytes that begin with the tag, digests under the number of SHA-384.
 *
 * What Cocos's generator takes and forgets stands in measurements of its own, under the keys of the
 * SEV-SNP profile (draft-deeglaze-amd-sev-snp-corim-profile): POLICY, HOST_DATA, LAUNCH_TCB. Of a
 * TD that is not wholly described, each measurement has its register's name for a key.
 */
#pragma once

#include "attestation/corim/corim_entry.h"
#include "common/crypto/key.h"

/* Appended to `out`; with a key as COSE_Sign1. corim_values_read() of it gives the entry again. */
struct writer;
int corim_write(const struct corim_entry *entry, EVP_PKEY *key, struct writer *out,
		struct err *e) MUST_CHECK;
