/* SPDX-License-Identifier: Apache-2.0 */
/* libvirt's capabilities of a host; behind a zero byte, those of its domains. The kernel offers all. */
#include "manager/virt/virt_host.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { BITS = 64 };

static void check(const struct virt_host *host, const char *domains)
{
	size_t id = strlen(host->uuid);

	assert(id == 0 || (id == VIRT_UUID_LEN && strspn(host->uuid, "0123456789abcdef-") == id));
	assert(!host->has_owner || (host->uid != (uid_t)-1 && host->gid != (gid_t)-1));
	assert(host->kvm || !(host->snp || host->tdx));
	assert(domains || !(host->snp || host->tdx));
	assert(!host->snp || (host->cbitpos < BITS && host->reduced_phys_bits < BITS));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct virt_host_sources sources = { .kvm_amd_snp = "Y\n",
					     .kvm_intel_tdx = "1\n",
					     .virtualizes = true };
	char *text = malloc(len + 1), *cpu = NULL;
	struct virt_host host;
	struct err e;
	size_t first;

	assert(text);
	if (len)
		memcpy(text, bytes, len);
	text[len] = '\0';
	first = strlen(text);
	sources.capabilities = text;
	sources.domain_capabilities = first < len ? text + first + 1 : NULL;
	if (virt_host_read(&sources, &host, &e) == 0)
		check(&host, sources.domain_capabilities);
	else
		assert(e.text[0]);
	if (virt_host_cpu(text, &cpu, &e) == 0)
		assert(strncmp(cpu, "<cpu", 4) == 0);
	free(cpu);
	free(text);
	return 0;
}
