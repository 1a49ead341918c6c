/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h — the manager's settings: MANAGER_… in the environment or in a file of the same keys.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/settings.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	CONFIG_VMS_MAX = 10000,
	CONFIG_CPUS_MAX = 288, /* of QEMU's q35 */
	CONFIG_MEMORY_MIN_MIB = 128,
	CONFIG_TOTAL_CPUS_MAX = 1 << 20,
	CONFIG_LEASE_MIN_MS = 5 * 1000,
	CONFIG_LEASE_MAX_MS = 300 * 1000,
};
#define CONFIG_MEMORY_MAX       ((uint64_t)1 << 44) /* bytes */
#define CONFIG_TOTAL_MEMORY_MAX ((uint64_t)1 << 50)
#define CONFIG_SOCKET           "/run/cocos/manager.sock"
#define CONFIG_HOST             "127.0.0.1"
#define CONFIG_PORT             "7002"
#define CONFIG_FILE             "/etc/cocos/manager.conf"

/* In place of a firmware file: for plain CVMs only, and nothing measures what they boot. */
#define CONFIG_SEABIOS "SeaBIOS"

/* What protects the CVMs. `auto`: whatever TEE the host has. */
enum config_tee {
	CONFIG_TEE_AUTO,
	CONFIG_TEE_NONE,
	CONFIG_TEE_SNP,
	CONFIG_TEE_TDX,
	CONFIG_TEE_SIMULATED_SNP, /* by the emulator, which must be named; for tests */
	CONFIG_TEE_SIMULATED_TDX,
};

struct config {
	char *socket;    /* unix; NULL: none */
	char *grpc_host; /* TCP; NULL: none */
	char *server_cert, *server_key, *server_ca_certs, *client_ca_certs, *client_crl;
	uint16_t grpc_port;
	bool grpc_port_given;
	char *log_level, *audit_log, *metrics, *access;
	uint64_t max_vms;
	char *libvirt_uri, *hosts;
	char *image_dir, *state_dir, *secrets_dir; /* absolute */
	char *name;        /* what other managers call this one, of those that share the registry */
	uint64_t lease_ms; /* for which a host is held */
	char *database;    /* a place of PostgreSQL's; NULL: a file in state_dir */
	uint64_t memory;   /* bytes, whole MiB */
	uint64_t cpus;
	uint64_t max_memory, max_cpus;     /* of one CVM; never less than memory, cpus */
	uint64_t total_memory, total_cpus; /* of all together; 0: no limit */
	uint64_t state_free;               /* bytes that state_dir must have for another CVM */
	char *cpu_type;                    /* NULL: by acceleration */
	char *firmware;                    /* NULL: SeaBIOS, or the TEE's usual one */
	char *emulator;                    /* NULL: libvirt's choice */
	char *tee;
	bool allow_plain;
	char *snp_policy, *snp_id_block, *snp_id_auth;
	char *tdx_mr_owner, *tdx_quote_socket;
	char *igvm;
	char *ports, *forward_host;
	bool allow_role_signature;

	/* Derived from the texts. */
	uint16_t port_first, port_last;
	enum config_tee wanted;
	uint64_t snp_policy_bits;
};

extern const struct setting config_settings[];
extern const size_t config_settings_count;

/* Reads the file (NULL: CONFIG_FILE, which may be missing) and the environment, and checks what
 * belongs together: a listener that other hosts can reach must require client certificates, and
 * nothing turns that off. `config` must be zeroed; config_done() it. */
int config_load(const char *file, struct config *config, struct err *e) MUST_CHECK;
void config_done(struct config *config);

/* An emulator only simulates the TEE, which protects nothing. */
bool config_simulates(const struct config *config);

/* "7100-7199" or "7100": ports from 1 to 65535, first ≤ last. */
int config_parse_ports(const char *text, uint16_t *first, uint16_t *last, struct err *e) MUST_CHECK;
