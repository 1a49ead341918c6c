/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.h — which CVMs there are, on disk, in SQLite: what a restart relies on.
 *
 * Each step of creating or removing a CVM is recorded before it is taken, and the record is removed
 * last. So whatever a killed manager left over belongs to a record, and everything before
 * CVM_RUNNING is undone, everything after it finished, by the same idempotent removal.
 *
 * Functions block and may be called from any thread.
 */
#pragma once

#include "attestation/measure/reference.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/crypto/digest.h"
#include "manager/domain_xml.h"

#include <stdint.h>

enum {
	CVM_ID_LEN = 36, /* a UUID in text */
	CVM_TEXT_MAX = 256,
	REGISTRY_TAG_LEN = 8,
	REGISTRY_VERSION = 1,     /* of the file's form */
	REGISTRY_GONE_MAX = 1024, /* ids of CVMs that were removed: the last ones */
};

/* The step that is being taken, or was when the manager ended. The numbers are on disk. */
enum cvm_step {
	CVM_FILES = 1,    /* folders and secrets are written */
	CVM_DOMAIN = 2,   /* libvirt is asked for the domain */
	CVM_FORWARD = 3,  /* its port is forwarded */
	CVM_RUNNING = 4,  /* nothing more to do */
	CVM_STOPPING = 5, /* libvirt is asked to end the domain */
	CVM_CLEANING = 6, /* folders and secrets are removed */
};

/* One CVM. Nothing secret is in it. */
struct cvm {
	char id[CVM_ID_LEN + 1];
	enum cvm_step step;
	unsigned slot;                  /* 0 to max_vms - 1: gives the domain its name */
	uint16_t port;                  /* on the host, forwarded to the agent's */
	int64_t created_ms, expires_ms; /* since 1970; expires_ms 0: never */

	/* What it was launched with. */
	enum domain_tee tee;
	bool kvm;
	unsigned cpus;
	char cpu_type[CVM_TEXT_MAX];
	char firmware[CVM_TEXT_MAX];
	char image[IMAGE_NAME_MAX];
	char cmdline[IMAGE_CMDLINE_MAX + 64];
	uint8_t boot_sha3_256[SHA3_256_LEN], boot_sha3_384[SHA3_384_LEN];
	char expected[REFERENCE_POLICY_MAX]; /* the policy, JSON; or why there is none */
};

/* No TEE works without KVM, so the TEE of a CVM without KVM is simulated. */
static inline bool cvm_simulated(const struct cvm *cvm)
{
	return cvm->tee != DOMAIN_PLAIN && !cvm->kvm;
}

/* Whether it has the form of a CVM's id: a UUID in lower case, so that it names a folder and nothing
 * outside of it. */
bool cvm_id_is_valid(const char *id);

struct registry;

/* registry.db in that folder, and beside it the file `tag`; creates what is missing. A file of
 * another form is ERR_PRECONDITION, a damaged one ERR_DATA_LOSS or what SQLite says of it; nothing
 * is repaired by guessing. */
int registry_open(const char *dir, struct registry **registry, struct err *e) MUST_CHECK;
void registry_close(struct registry *registry);
DEFINE_CLEANUP(struct registry *, registry_close)

/* Eight hexadecimal digits, made with the file: they distinguish this manager's domains from
 * another's. */
const char *registry_tag(const struct registry *registry);

/* ERR_EXISTS if id, slot or port is taken. */
int registry_add(struct registry *registry, const struct cvm *cvm, struct err *e) MUST_CHECK;
int registry_set_step(struct registry *registry, const char *id, enum cvm_step step,
		      struct err *e) MUST_CHECK;
int registry_set_port(struct registry *registry, const char *id, uint16_t port,
		      struct err *e) MUST_CHECK;

/* The id is remembered among those that are gone. */
int registry_delete(struct registry *registry, const char *id, struct err *e) MUST_CHECK;

/* The last REGISTRY_GONE_MAX ids that were deleted, the oldest of them first. A domain that appears
 * under one of them is one whose start libvirt had not given up. */
int registry_gone(struct registry *registry, char ids[REGISTRY_GONE_MAX][CVM_ID_LEN + 1],
		  size_t *count, struct err *e) MUST_CHECK;

/* A copy of one record as a registry of its own at `path`, where nothing may be yet; and back, which
 * checks it as registry_list() does. */
int registry_save(const struct registry *registry, const char *path, const struct cvm *cvm,
		  struct err *e) MUST_CHECK;
int registry_saved(const char *path, const char *id, struct cvm *cvm, struct err *e) MUST_CHECK;

/* All CVMs by slot, malloc'ed. ERR_DATA_LOSS if a row has not the form of those that we write: ids
 * become folders that are removed. */
int registry_list(struct registry *registry, struct cvm **cvms, size_t *count,
		  struct err *e) MUST_CHECK;
