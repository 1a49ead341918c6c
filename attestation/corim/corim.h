/* SPDX-License-Identifier: Apache-2.0 */
/*
 * corim.h — Concise Reference Integrity Manifests (draft-ietf-rats-corim): reference values as CBOR,
 * bare or signed with COSE.
 *
 * Two forms live and both are read: tag 501 around the map with tags as 506(bytes), and the bare map
 * with tags as byte strings that begin with the encoded tag. What a measurement says beyond what we
 * know is remembered as not understood (`others`), so that nobody takes it for matched.
 */
#pragma once

#include "attestation/corim/corim_tag.h"
#include "common/crypto/key.h"

enum { CORIM_MAX = 4 << 20 };

struct corim {
	struct datum *tree;
	bool tagged;             /* under tag 501 */
	struct corim_id id;      /* text, or 16 bytes as a UUID */
	struct corim_id profile; /* OID, or text of a URI */
	bool has_validity;
	int64_t not_before, not_after; /* not_before INT64_MIN where absent */
	struct corim_tag tags[CORIM_TAGS_MAX];
	size_t count;
	size_t dependent_rims; /* named, and not looked at */

	/* Of a signed one. */
	bool is_signed;
	struct corim_bytes signer, kid;
	bool has_signature_validity;
	int64_t signature_not_before, signature_not_after;
};

/* With a key, the bytes must be a COSE_Sign1 by it (content type application/rim+cbor, corim-meta);
 * without, an unsigned CoRIM, or a signed one whose signature nobody asked about is refused too:
 * name its key. Validity, of the signature and of the CoRIM, covers `at`. corim_done() it; spans
 * lead into `bytes`. */
int corim_parse(const void *bytes, size_t len, EVP_PKEY *key, int64_t at, struct corim *corim,
		struct err *e) MUST_CHECK;
void corim_done(struct corim *corim);

/* {"form":…,"id":…,"tags":[…]…}, every field by its specification's name. */
struct writer;
void corim_show(const struct corim *corim, struct writer *w);
/* ["dependent-rims","endorsed-triples",…]: what is in it, has its form, and judges nothing. */
void corim_show_stepped_over(const struct corim *corim, struct writer *w);
