/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tee.h — which TEE a CVM is launched in, and what the domain needs for it.
 *
 * The boot configuration's digest goes into HOST_DATA or MRCONFIGID, so that the guest can tell
 * whether it got the configuration that its launch was made with.
 */
#pragma once

#include "manager/registry/registry.h"
#include "manager/settings/config.h"
#include "manager/virt/virt.h"

/* Whether the settings let a request have `wish`: CONFIG_TEE_AUTO (no wish), _NONE, _SNP or _TDX.
 * ERR_INVALID names the setting that does not. */
int tee_check_wish(const struct config *config, enum config_tee wish, struct err *e) MUST_CHECK;

/* Fills tee, kvm, CPU type and firmware from MANAGER_TEE, a wish that was checked, and what the host has.
 * ERR_PRECONDITION if the host lacks what is asked for; never falls back to a plain CVM unless that is
 * allowed. */
int tee_choose(const struct config *config, enum config_tee wish, const struct virt_host *host,
	       struct cvm *cvm, struct err *e) MUST_CHECK;

/* What tee_fill() points into. */
struct tee_texts {
	char *digest, *id_block, *id_auth, *mr_owner;
};
void tee_texts_done(struct tee_texts *texts);
#define CLEANUP_TEE_TEXTS __attribute__((cleanup(tee_texts_done)))

/* Fills the domain's parts that depend on the TEE. */
int tee_fill(const struct config *config, const struct virt_host *host, const struct cvm *cvm,
	     struct domain_spec *spec, struct tee_texts *texts, struct err *e) MUST_CHECK;
