/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest.h — what a computation is: which algorithm, which datasets, who owns them, who may
 * fetch the results. wire.md, 'package cvms' and 'Manifest digest and PCR16'.
 *
 * A manifest in memory is the unpacked protobuf message itself; this module makes one from the wire
 * or from JSON, checks it, and gives its canonical form and digests. It says nothing about the
 * agent's own listener: agent_config.h does.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/crypto/digest.h"
#include "cvms.pb-c.h"

enum {
	MANIFEST_MAX = 4 << 20, /* bytes of a serialized one, and of its JSON */
	MANIFEST_DATASETS_MAX = 256,
	MANIFEST_CONSUMERS_MAX = 256,
	MANIFEST_ARGS_MAX = 256,
	MANIFEST_ARG_BYTES_MAX = 65536, /* all arguments together */
	MANIFEST_ID_MAX = 255,
	MANIFEST_NAME_MAX = 1024,
	MANIFEST_DESCRIPTION_MAX = 65536,
	MANIFEST_FILENAME_MAX = 255,
	MANIFEST_HASH_LEN = SHA3_256_LEN,
};

/* Wipes the agent's private key. */
void manifest_free(Cvms__ComputationRunReq *manifest);
DEFINE_CLEANUP(Cvms__ComputationRunReq *, manifest_free)

/* From the wire: strict (protobuf.h), unknown fields refused, since nobody would measure them.
 * Decoding only; call manifest_check(), too. The caller frees. */
int manifest_decode(const void *bytes, size_t len, Cvms__ComputationRunReq **manifest,
		    struct err *e) MUST_CHECK;

/* The wire form, malloc'ed. */
int manifest_encode(const Cvms__ComputationRunReq *manifest, uint8_t **bytes, size_t *len,
		    struct err *e) MUST_CHECK;

/* From JSON as people write it, and from the canonical form: the keys of the canonical form and
 * "agent_config" {"port", "cert_file", "key_file", "client_ca_file", "server_ca_file",
 * "log_level", "attested_tls"}; all may be left out. A "hash" is a list of numbers or hexadecimal,
 * "user_key" a PEM public key or base64 of the key's DER. Unknown keys are refused by name.
 * Decoding only. */
int manifest_from_json(const void *text, size_t len, Cvms__ComputationRunReq **manifest,
		       struct err *e) MUST_CHECK;

/* Everything that an agent requires of a manifest before it measures it; ERR_INVALID, or
 * ERR_UNIMPLEMENTED for what is valid but not offered by this build (remote sources, key
 * brokers, wasm, docker), with the place: "datasets[2].filename: …". Assets must have hash and
 * usable key, names must be plain file names, (hash, name) pairs differ, an algorithm must be
 * there, words of our extension must be known (manifest_extension.h). */
int manifest_check(const Cvms__ComputationRunReq *manifest, struct err *e) MUST_CHECK;

/* Who says whether a key's numbers are sound, where others than manifest_check() are to find that out: it looks at
 * each key itself, which takes a tenth of a second and more for an RSA key if whoever chose it wants that, and a
 * manifest has up to MANIFEST_DATASETS_MAX + MANIFEST_CONSUMERS_MAX + 1 of them. */
struct manifest_keys {
	int (*judge)(void *data, const ProtobufCBinaryData *spki, struct err *e);
	void *data;
};
int manifest_check_by(const Cvms__ComputationRunReq *manifest, const struct manifest_keys *keys,
		      struct err *e) MUST_CHECK;
/* A `judge` that takes each that can be read: for a manifest whose keys are to be judged. */
int manifest_key_parse(void *data, const ProtobufCBinaryData *spki, struct err *e) MUST_CHECK;
/* One that takes each: for a manifest that was kept, whose keys were judged before. To read them takes a quarter of a second. */
int manifest_key_kept(void *data, const ProtobufCBinaryData *spki, struct err *e) MUST_CHECK;
/* The keys of a manifest, one after the other; NULL: no more. */
const ProtobufCBinaryData *manifest_key_at(const Cvms__ComputationRunReq *manifest, size_t i);

/* A plain file name: 1 to 255 bytes of UTF-8, no '/', not "." nor "..", no control character. */
int manifest_filename_check(const char *name, struct err *e) MUST_CHECK;

/* Compact JSON, in wire.md's order and escapes; malloc'ed; a zero byte follows the `len` bytes. */
int manifest_canonical(const Cvms__ComputationRunReq *manifest, char **text, size_t *len,
		       struct err *e) MUST_CHECK;

struct manifest_digests {
	uint8_t sha3_256[SHA3_256_LEN]; /* of the canonical form: *the* manifest digest */
	uint8_t sha3_384[SHA3_384_LEN];
	uint8_t pcr16_sha256[SHA256_LEN]; /* PCR16 extended once with these, from zero */
	uint8_t pcr16_sha384[SHA384_LEN];
};
int manifest_digest(const Cvms__ComputationRunReq *manifest, struct manifest_digests *digests,
		    struct err *e) MUST_CHECK;
