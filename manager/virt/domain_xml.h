/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domain_xml.h — what libvirt is told about one CVM (libvirt.org/formatdomain.html).
 *
 * Writing only: virt_host.h finds out what a host can do.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { DOMAIN_XML_MAX = 65536 };

/* The TEE a domain is launched in; each is a row in domain_xml.c. */
enum domain_tee { DOMAIN_PLAIN, DOMAIN_SNP, DOMAIN_TDX };

/* "none", "snp", "tdx". */
const char *domain_tee_name(enum domain_tee tee);

struct domain_snp {
	uint64_t policy;
	const char *host_data;          /* base64 of 32 bytes */
	const char *id_block, *id_auth; /* base64; NULL: none */
	unsigned cbitpos, reduced_phys_bits;
};

struct domain_tdx {
	bool has_policy; /* else libvirt's default */
	uint64_t policy;
	const char *mr_config_id; /* base64 of 48 bytes */
	const char *mr_owner;     /* base64 of 48 bytes; NULL: zeros */
	const char *quote_socket; /* NULL: libvirt's default */
};

/* All texts are borrowed; paths are absolute. */
struct domain_spec {
	const char *name, *uuid;
	enum domain_tee tee;
	bool kvm;       /* else TCG */
	bool simulated; /* the emulator simulates the TEE; without KVM */
	uint64_t memory_kib;
	unsigned cpus;
	const char *cpu_type; /* a model libvirt knows; NULL: host's (KVM) or maximum (TCG) */
	const char *emulator; /* NULL: libvirt's choice */
	const char *firmware; /* UEFI file; NULL: SeaBIOS (refused for a TEE) */
	const char *igvm; /* IGVM file in place of firmware and kernel; SNP and TDX; NULL: none */
	const char *kernel, *initrd, *cmdline;
	const char *root;      /* read-only disk; NULL: none */
	const char *boot_disk; /* read-only disk with the boot configuration; NULL: two shares … */
	const char *env_dir, *certs_dir; /* … namely these */
	const char *console;             /* file; NULL: a terminal, which libvirt shows */
	struct domain_snp snp;           /* with DOMAIN_SNP */
	struct domain_tdx tdx;           /* with DOMAIN_TDX */
};

/* The domain as XML, malloc'ed. Refuses a combination that no libvirt starts. */
int domain_xml_write(const struct domain_spec *spec, char **xml, struct err *e) MUST_CHECK;
