/* SPDX-License-Identifier: Apache-2.0 */
/* virt_ask.c — what a host can do: asked of its libvirt, and of the kernel where that is this one's. */
#include "common/base/file.h"
#include "manager/virt/virt_host.h"
#include "manager/virt/virt_state.h"

#include <string.h>

enum { PARAMETER_MAX = 64 };

/* A file that may be missing. */
static int read_parameter(const char *path, char **text, struct err *e)
{
	if (file_read_text(path, PARAMETER_MAX, text, e) < 0 && e->code != ERR_NOT_FOUND)
		return err_code(e);
	e->code = ERR_OK;
	return 0;
}

/* libvirt reads the other host's CPU there, and spells out here what its model stands for. */
static bool remote_cpu(virConnectPtr conn, const char *capabilities)
{
	CLEANUP(free) char *cpu = NULL, *all = NULL;
	struct err e;

	if (virt_host_cpu(capabilities, &cpu, &e) < 0)
		return false;
	all = virConnectBaselineCPU(conn, (const char *[]){ cpu }, 1,
				    VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES);
	return all && (strstr(all, "name='svm'") || strstr(all, "name='vmx'"));
}

static void ask_size(virConnectPtr conn, struct virt_host *host)
{
	virNodeInfo info;

	if (virNodeGetInfo(conn, &info) < 0)
		return;
	host->cpus = info.cpus;
	host->memory = (uint64_t)info.memory << 10;
}

int virt_ask(virConnectPtr conn, bool remote, struct virt_host *host, struct err *e)
{
	CLEANUP(free) char *capabilities = virConnectGetCapabilities(conn);
	CLEANUP(free) char *domain = NULL, *snp = NULL, *tdx = NULL;
	struct virt_host_sources sources = { .capabilities = capabilities };

	if (!capabilities)
		return virt_error(conn, e, "capabilities");
	/* Without KVM, libvirt says nothing about it. */
	domain = virConnectGetDomainCapabilities(conn, NULL, "x86_64", "q35", "kvm", 0);
	sources.domain_capabilities = domain;
	if (remote) {
		/* Its kernel can't be asked: the operator says in MANAGER_HOSTS which TEE it has. */
		sources.virtualizes = remote_cpu(conn, capabilities);
		sources.kvm_amd_snp = sources.kvm_intel_tdx = "Y";
	} else {
		if (read_parameter("/sys/module/kvm_amd/parameters/sev_snp", &snp, e) < 0 ||
		    read_parameter("/sys/module/kvm_intel/parameters/tdx", &tdx, e) < 0)
			return err_code(e);
		sources.virtualizes = virt_cpu();
		sources.kvm_amd_snp = snp;
		sources.kvm_intel_tdx = tdx;
	}
	if (virt_host_read(&sources, host, e) < 0)
		return err_code(e);
	ask_size(conn, host);
	host->here = !remote;
	return 0;
}
