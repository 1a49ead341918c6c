/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/launch/launch_policy.h"

#include "attestation/snp/snp_policy.h"
#include "common/base/writer.h"
#include "manager/launch/tee.h"

#include <string.h>

static const enum reference_tee tees[] = {
	[DOMAIN_PLAIN] = REFERENCE_TPM,
	[DOMAIN_SNP] = REFERENCE_SNP,
	[DOMAIN_TDX] = REFERENCE_TDX,
};

static int measure(const struct image *image, const char *cmdline, struct efi_boot **boot,
		   struct err *e)
{
	CLEANUP(free) struct efi_boot *made = NULL;

	if (*boot)
		return 0;
	made = calloc(1, sizeof(*made));
	if (!made)
		return err_nomem(e);
	if (reference_boot(image, cmdline, made, e) < 0)
		return err_code(e);
	*boot = TAKE_PTR(made);
	return 0;
}

int launch_policy_compute(const struct image *image, const struct config *config,
			  struct efi_boot **boot, struct cvm *cvm, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(sizeof(cvm->expected) - 1);
	struct reference reference = {
		.image = image,
		.cmdline = cvm->cmdline,
		.firmware = cvm->firmware,
		.igvm = config->igvm != NULL,
		.cpus = cvm->cpus,
		.cpu_type = cvm->cpu_type,
		.smt = config->snp_policy_bits & SNP_POLICY_SMT,
	};

	if (cvm->tee == DOMAIN_PLAIN && strcmp(cvm->firmware, CONFIG_SEABIOS) == 0)
		return err_set(e, ERR_PRECONDITION,
			       "SeaBIOS measures nothing of the image: launch "
			       "CVMs through OVMF (MANAGER_FIRMWARE)");
	if (cvm->tee != DOMAIN_SNP && measure(image, cvm->cmdline, boot, e) < 0)
		return err_code(e);
	reference.boot = *boot;
	if (reference_policy(tees[cvm->tee], &reference, &w, e) < 0)
		return err_code(e);
	memcpy(cvm->expected, w.bytes, w.len);
	cvm->expected[w.len] = '\0';
	return 0;
}
