/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tee.h — which TEE a CVM is launched in, and what the domain needs for it.
 *
 * The boot configuration's digest goes into HOST_DATA or MRCONFIGID, so that the guest can tell
 * whether it got the configuration that its launch was made with.
 */
#pragma once

#include "manager/config.h"
#include "manager/registry.h"
#include "manager/virt.h"

/* Fills tee, kvm, CPU type and firmware from MANAGER_TEE and what the host has. ERR_PRECONDITION
 * if the host lacks what is asked for; never falls back to a plain CVM unless that is allowed. */
int tee_choose(const struct config *config, const struct virt_host *host, struct cvm *cvm,
	       struct err *e) MUST_CHECK;

/* What tee_fill() points into. */
struct tee_texts {
	char *digest, *id_block, *id_auth, *mr_owner;
};
void tee_texts_done(struct tee_texts *texts);
#define CLEANUP_TEE_TEXTS __attribute__((cleanup(tee_texts_done)))

/* Fills the domain's parts that depend on the TEE. */
int tee_fill(const struct config *config, const struct virt_host *host, const struct cvm *cvm,
	     struct domain_spec *spec, struct tee_texts *texts, struct err *e) MUST_CHECK;
