/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/settings/config.h"

#include "attestation/snp/snp_report.h"
#include "common/access/access_table.h"
#include "common/base/cleanup.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/hostname.h"
#include "common/base/log.h"
#include "common/base/settings_idle.h"
#include "common/crypto/digest.h"
#include "common/db/db_postgres.h"
#include "common/metrics/metrics_server.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)
#define ROW(name_, type_, member_, fallback_, help_) \
	SETTING("MANAGER_" name_, type_, config, member_, fallback_, help_)
#define ROW_RANGE(name_, type_, member_, fallback_, min_, max_, help_) \
	{ .name = "MANAGER_" name_,                                    \
	  .type = type_,                                               \
	  .offset = offsetof(struct config, member_),                  \
	  .fallback = fallback_,                                       \
	  .min = min_,                                                 \
	  .max = max_,                                                 \
	  .help = help_ }

const struct setting config_settings[] = {
	ROW("SOCKET", SETTING_TEXT, socket, NULL,
	    "unix socket to listen on, for root, this user and the members of group cocos; default: " CONFIG_SOCKET
	    ", unless a MANAGER_GRPC_ setting is given"),
	ROW("GRPC_HOST", SETTING_TEXT, grpc_host, NULL,
	    "address to listen on over TCP; another than this host's own needs mTLS; default: " CONFIG_HOST
	    " if another MANAGER_GRPC_ setting is given, else no TCP"),
	{ .name = "MANAGER_GRPC_PORT",
	  .type = SETTING_PORT,
	  .offset = offsetof(struct config, grpc_port),
	  .given = offsetof(struct config, grpc_port_given),
	  .fallback = CONFIG_PORT,
	  .help = "port to listen on over TCP, if a MANAGER_GRPC_ setting is given; 0 for any free one" },
	ROW("GRPC_SERVER_CERT", SETTING_TEXT, server_cert, NULL, "PEM file: our certificate"),
	ROW("GRPC_SERVER_KEY", SETTING_TEXT, server_key, NULL, "PEM file: its private key"),
	ROW("GRPC_SERVER_CA_CERTS", SETTING_TEXT, server_ca_certs, NULL,
	    "PEM file: the authorities between our certificate and its root"),
	ROW("GRPC_CLIENT_CA_CERTS", SETTING_TEXT, client_ca_certs, NULL,
	    "PEM file: authorities of client certificates, which are then required"),
	ROW("GRPC_CLIENT_CRL", SETTING_TEXT, client_crl, NULL,
	    "file of revocation lists, PEM or DER: one of each of those authorities, and read again when it is replaced; default: who was revoked comes in"),
	ROW("LOG_LEVEL", SETTING_TEXT, log_level, "info", "error, warn, info or debug"),
	ROW("AUDIT_LOG", SETTING_TEXT, audit_log, NULL,
	    "file for who changed what, or was refused; default: the normal log, with 'audit:' before it"),
	ROW("METRICS", SETTING_TEXT, metrics, NULL,
	    "address to tell metrics on, such as 127.0.0.1:9464 or unix:/run/cocos/metrics.sock; one that others "
	    "than this machine reach takes the certificates of MANAGER_GRPC_; default: none"),
	ROW("ACCESS", SETTING_TEXT, access, NULL,
	    "table of who may call, as operator or tenant; default: whoever may connect is operator"),
	ROW_RANGE("MAX_VMS", SETTING_NUMBER, max_vms, "10", 1, CONFIG_VMS_MAX,
		  "CVMs that may exist at once"),
	ROW("LIBVIRT_URI", SETTING_TEXT, libvirt_uri, "qemu:///system", "the libvirt to use"),
	ROW("HOSTS", SETTING_TEXT, hosts, NULL,
	    "table of the hosts to launch CVMs on, each with its libvirt; default: the one of MANAGER_LIBVIRT_URI"),
	ROW("IMAGE_DIR", SETTING_TEXT, image_dir, "/var/lib/cocos/images",
	    "folder with a folder for each guest image and the link 'default', or with one image (image.json)"),
	ROW("STATE_DIR", SETTING_TEXT, state_dir, "/var/lib/cocos",
	    "folder for the registry and the consoles"),
	ROW("DATABASE", SETTING_TEXT, database, NULL,
	    "where the registry is: postgresql://...; default: the file registry.db in MANAGER_STATE_DIR"),
	ROW("LEASE_NAME", SETTING_TEXT, name, NULL,
	    "what managers that share MANAGER_DATABASE call this one: a-z 0-9 - . (63 at most); default: this machine's name"),
	ROW_RANGE(
		"LEASE", SETTING_DURATION, lease_ms, "30s", CONFIG_LEASE_MIN_MS,
		CONFIG_LEASE_MAX_MS,
		"how long a manager holds a host without renewing that in MANAGER_DATABASE: when another one may take "
		"it; the same for all that share it"),
	ROW("SECRETS_DIR", SETTING_TEXT, secrets_dir, "/run/cocos",
	    "folder for what CVMs are given at boot; must be on tmpfs"),
	ROW_RANGE("MEMORY", SETTING_SIZE, memory, "2G", CONFIG_MEMORY_MIN_MIB *MIB,
		  CONFIG_MEMORY_MAX, "memory of a CVM"),
	ROW_RANGE("CPUS", SETTING_NUMBER, cpus, "1", 1, CONFIG_CPUS_MAX, "CPUs of a CVM"),
	ROW_RANGE("MAX_MEMORY", SETTING_SIZE, max_memory, "0", 0, CONFIG_MEMORY_MAX,
		  "memory that a request may ask for; 0: no more than MANAGER_MEMORY"),
	ROW_RANGE("MAX_CPUS", SETTING_NUMBER, max_cpus, "0", 0, CONFIG_CPUS_MAX,
		  "CPUs that a request may ask for; 0: no more than MANAGER_CPUS"),
	ROW_RANGE("TOTAL_MEMORY", SETTING_SIZE, total_memory, "0", 0, CONFIG_TOTAL_MEMORY_MAX,
		  "memory of all CVMs together; 0: no limit"),
	ROW_RANGE("TOTAL_CPUS", SETTING_NUMBER, total_cpus, "0", 0, CONFIG_TOTAL_CPUS_MAX,
		  "CPUs of all CVMs together; 0: no limit"),
	ROW_RANGE("STATE_FREE", SETTING_SIZE, state_free, "64M", 0, CONFIG_TOTAL_MEMORY_MAX,
		  "room that must be free in MANAGER_STATE_DIR when a CVM is created"),
	ROW("CPU_TYPE", SETTING_TEXT, cpu_type, NULL,
	    "libvirt's name of the CPU model; default: EPYC-v4 for SNP, the host's under KVM, else "
	    "QEMU's maximum"),
	ROW("FIRMWARE", SETTING_TEXT, firmware, NULL,
	    "UEFI firmware file; default: the TEE's usual one, without a TEE Debian's OVMF; SeaBIOS, "
	    "for plain CVMs alone, starts faster and measures nothing"),
	ROW("EMULATOR", SETTING_TEXT, emulator, NULL, "QEMU to use; default: libvirt's choice"),
	ROW("TEE", SETTING_TEXT, tee, "auto",
	    "what protects CVMs: snp, tdx, none, or auto; for tests, with an emulator that pretends: "
	    "simulated-snp, simulated-tdx"),
	ROW("ALLOW_PLAIN", SETTING_FLAG, allow_plain, "false",
	    "with auto: launch unprotected CVMs where the host has no TEE"),
	ROW("SNP_POLICY", SETTING_TEXT, snp_policy, "0x20000",
	    "guest policy of SNP; hosts with SMT need 0x30000, and owners to accept it"),
	ROW("SNP_ID_BLOCK", SETTING_TEXT, snp_id_block, NULL, "file: ID block of 96 bytes"),
	ROW("SNP_ID_AUTH", SETTING_TEXT, snp_id_auth, NULL,
	    "file: authentication of the ID block, 4096 bytes"),
	ROW("TDX_MR_OWNER", SETTING_TEXT, tdx_mr_owner, NULL, "MROWNER, 96 hexadecimal digits"),
	ROW("TDX_QUOTE_SOCKET", SETTING_TEXT, tdx_quote_socket, NULL,
	    "socket of the quote generation service; default: libvirt's"),
	ROW("IGVM", SETTING_TEXT, igvm, NULL,
	    "IGVM file that a TEE boots in place of firmware and kernel"),
	ROW("PORTS", SETTING_TEXT, ports, "7100-7199", "ports that are forwarded to agents"),
	ROW("FORWARD_HOST", SETTING_TEXT, forward_host, "127.0.0.1",
	    "IPv4 address on which forwarded ports listen"),
	ROW("ALLOW_ROLE_SIGNATURE", SETTING_FLAG, allow_role_signature, "false",
	    "launch agents that accept the older, replayable signature; changes the measurement"),
};
const size_t config_settings_count = ARRAY_LEN(config_settings);

/* The command line tool's, and those of Cocos's own manager, whose environment this one may be given. */
static const char *const others[] = { "MANAGER_GRPC_URL",
				      "MANAGER_GRPC_TIMEOUT",
				      "MANAGER_GRPC_CLIENT_CERT",
				      "MANAGER_GRPC_CLIENT_KEY",
				      "MANAGER_GRPC_SERVER_CRL",
				      "MANAGER_GRPC_TLS_GROUPS",
				      "MANAGER_ATTESTATION_POLICY_BINARY",
				      "MANAGER_EOS_VERSION",
				      "MANAGER_IGVMMEASURE_BINARY",
				      "MANAGER_INSTANCE_ID",
				      "MANAGER_PCR_VALUES",
				      "MANAGER_QEMU_",
				      NULL };

int config_parse_ports(const char *text, uint16_t *first, uint16_t *last, struct err *e)
{
	unsigned long from = 0, to = 0;
	char *end = NULL;

	if (*text >= '0' && *text <= '9') {
		from = to = strtoul(text, &end, 10);
		if (*end == '-' && end[1] >= '0' && end[1] <= '9')
			to = strtoul(end + 1, &end, 10);
	}
	if (!end || *end || from < 1 || to > UINT16_MAX || from > to)
		return err_set(e, ERR_INVALID, "MANAGER_PORTS: %s is not a range like 7100-7199",
			       log_quote(text).text);
	*first = (uint16_t)from;
	*last = (uint16_t)to;
	return 0;
}

/* Peers that know TCP alone say so with the settings that they have always had, and then get just
 * that; else who may call is a matter of the socket's file. */
static int choose_listener(struct config *c, struct err *e)
{
	bool tcp = c->grpc_host || c->grpc_port_given || c->server_cert || c->server_key ||
		   c->server_ca_certs || c->client_ca_certs || c->client_crl;

	if (tcp && !c->grpc_host)
		c->grpc_host = strdup(CONFIG_HOST);
	else if (!tcp && !c->socket)
		c->socket = strdup(CONFIG_SOCKET);
	if (tcp ? !c->grpc_host : !c->socket)
		return err_nomem(e);
	return 0;
}

static int check_listener(const struct config *c, struct err *e)
{
	if (!c->grpc_host)
		return 0;
	if (!c->server_cert != !c->server_key)
		return err_set(e, ERR_INVALID,
			       "MANAGER_GRPC_SERVER_CERT and MANAGER_GRPC_SERVER_KEY"
			       " go together: set both or neither");
	if (!c->server_cert && (c->client_ca_certs || c->server_ca_certs))
		return err_set(e, ERR_INVALID,
			       "certificate authorities are set, but "
			       "MANAGER_GRPC_SERVER_CERT is not");
	if (c->client_crl && !c->client_ca_certs)
		return err_set(e, ERR_INVALID,
			       "MANAGER_GRPC_CLIENT_CRL needs MANAGER_GRPC_CLIENT_CA_CERTS, whose "
			       "lists it has");
	return hostname_listener_check("MANAGER_GRPC", c->grpc_host, c->client_ca_certs != NULL, e);
}

static bool is_seabios(const struct config *c)
{
	return c->firmware && strcmp(c->firmware, CONFIG_SEABIOS) == 0;
}

static int check_paths(const struct config *c, struct err *e)
{
	const struct {
		const char *name, *path;
	} paths[] = {
		{ "MANAGER_SOCKET", c->socket },
		{ "MANAGER_AUDIT_LOG", c->audit_log },
		{ "MANAGER_ACCESS", c->access },
		{ "MANAGER_HOSTS", c->hosts },
		{ "MANAGER_IMAGE_DIR", c->image_dir },
		{ "MANAGER_STATE_DIR", c->state_dir },
		{ "MANAGER_SECRETS_DIR", c->secrets_dir },
		{ "MANAGER_FIRMWARE", is_seabios(c) ? NULL : c->firmware },
		{ "MANAGER_EMULATOR", c->emulator },
		{ "MANAGER_SNP_ID_BLOCK", c->snp_id_block },
		{ "MANAGER_SNP_ID_AUTH", c->snp_id_auth },
		{ "MANAGER_TDX_QUOTE_SOCKET", c->tdx_quote_socket },
		{ "MANAGER_IGVM", c->igvm },
	};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		if (paths[i].path && paths[i].path[0] != '/')
			return err_set(e, ERR_INVALID, "%s: %s is not an absolute path",
				       paths[i].name, log_quote(paths[i].path).text);
	return 0;
}

static int check_snp(struct config *c, struct err *e)
{
	const char *text = c->snp_policy;
	char *end = NULL;

	errno = 0;
	if (strncmp(text, "0x", 2) == 0 && text[2] &&
	    strspn(text + 2, "0123456789abcdefABCDEF") == strlen(text + 2))
		c->snp_policy_bits = strtoull(text + 2, &end, 16);
	if (!end || *end || errno)
		return err_set(e, ERR_INVALID,
			       "MANAGER_SNP_POLICY: %s is not a number like 0x20000",
			       log_quote(text).text);
	if (!(c->snp_policy_bits & SNP_POLICY_RESERVED_ONE) ||
	    c->snp_policy_bits & SNP_POLICY_DEBUG)
		return err_set(e, ERR_INVALID,
			       "MANAGER_SNP_POLICY: bit 17 must be one, and bit 19, "
			       "which lets the host read the guest, zero");
	if (!c->snp_id_block != !c->snp_id_auth)
		return err_set(e, ERR_INVALID,
			       "MANAGER_SNP_ID_BLOCK and MANAGER_SNP_ID_AUTH go together");
	return 0;
}

bool config_simulates(const struct config *c)
{
	return c->wanted == CONFIG_TEE_SIMULATED_SNP || c->wanted == CONFIG_TEE_SIMULATED_TDX;
}

static int check_tee(struct config *c, struct err *e)
{
	static const char *const names[] = {
		[CONFIG_TEE_AUTO] = "auto",
		[CONFIG_TEE_NONE] = "none",
		[CONFIG_TEE_SNP] = "snp",
		[CONFIG_TEE_TDX] = "tdx",
		[CONFIG_TEE_SIMULATED_SNP] = "simulated-snp",
		[CONFIG_TEE_SIMULATED_TDX] = "simulated-tdx",
	};
	uint8_t owner[SHA384_LEN];
	size_t i = 0;

	while (i < ARRAY_LEN(names) && strcmp(c->tee, names[i]) != 0)
		i++;
	if (i == ARRAY_LEN(names))
		return err_set(e, ERR_INVALID, "MANAGER_TEE: %s is not one of auto, snp, tdx, none",
			       log_quote(c->tee).text);
	c->wanted = (enum config_tee)i;
	if (config_simulates(c) &&
	    (!c->emulator || c->igvm || c->snp_id_block || c->tdx_quote_socket))
		return err_set(
			e, ERR_INVALID,
			"MANAGER_TEE=%s needs a MANAGER_EMULATOR that simulates it, and takes "
			"no IGVM file, ID block or quote socket",
			c->tee);
	if (c->tdx_mr_owner && hex_decode(c->tdx_mr_owner, owner, sizeof(owner), e) < 0)
		return err_wrap(e, "MANAGER_TDX_MR_OWNER");
	if (c->igvm && c->firmware)
		return err_set(e, ERR_INVALID,
			       "MANAGER_IGVM takes the place of MANAGER_FIRMWARE: set one");
	return check_snp(c, e);
}

/* What a CVM gets whose request asks for nothing must be allowed. */
static int check_limits(struct config *c, struct err *e)
{
	if (!c->max_cpus)
		c->max_cpus = c->cpus;
	if (!c->max_memory)
		c->max_memory = c->memory;
	if (c->memory % MIB)
		return err_set(e, ERR_INVALID, "MANAGER_MEMORY is not a whole number of MiB");
	if (c->max_cpus < c->cpus)
		return err_set(e, ERR_INVALID, "MANAGER_MAX_CPUS is less than MANAGER_CPUS");
	if (c->max_memory < c->memory)
		return err_set(e, ERR_INVALID, "MANAGER_MAX_MEMORY is less than MANAGER_MEMORY");
	if (c->total_cpus && c->total_cpus < c->cpus)
		return err_set(e, ERR_INVALID, "MANAGER_TOTAL_CPUS is less than MANAGER_CPUS");
	if (c->total_memory && c->total_memory < c->memory)
		return err_set(e, ERR_INVALID, "MANAGER_TOTAL_MEMORY is less than MANAGER_MEMORY");
	return 0;
}

/* As hosts and tenants have them: letters in lower case, what a name can't have becomes '-'. */
static void name_after_machine(char *name)
{
	size_t n = 0;

	for (size_t i = 0; name[i] && n < ACCESS_NAME_MAX; i++) {
		char c = (char)tolower((unsigned char)name[i]);
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (plain || n > 0)
			name[n++] = plain || c == '.' ? c : '-';
	}
	while (n > 0 && (name[n - 1] == '-' || name[n - 1] == '.'))
		n--;
	name[n] = '\0';
}

static int choose_name(struct config *c, struct err *e)
{
	char machine[HOST_NAME_MAX + 1] = "";

	if (c->name)
		return access_name_is_valid(c->name)
			       ? 0
			       : err_set(e, ERR_INVALID,
					 "MANAGER_LEASE_NAME: %s is no name: %d of a-z 0-9 - . at most, with a "
					 "letter or digit at both ends",
					 log_quote(c->name).text, (int)ACCESS_NAME_MAX);
	(void)!gethostname(machine, HOST_NAME_MAX);
	name_after_machine(machine);
	c->name = strdup(access_name_is_valid(machine) ? machine : "manager");
	return c->name ? 0 : err_nomem(e);
}

static int check_database(const struct config *c, struct err *e)
{
	if (!c->database)
		return 0;
	if (!db_postgres_is_place(c->database))
		return err_set(
			e, ERR_INVALID,
			"MANAGER_DATABASE is no place of PostgreSQL (postgresql://...): without it, "
			"the registry is a file in MANAGER_STATE_DIR"); /* not quoted: a password may be in it */
	return db_postgres_check(c->database, e) < 0 ? err_wrap(e, "MANAGER_DATABASE") : 0;
}

static int check(struct config *c, struct err *e)
{
	struct in_addr v4;

	if (c->metrics && metrics_address_check("MANAGER_METRICS", c->metrics, "MANAGER_GRPC",
						c->client_ca_certs != NULL, e) < 0)
		return err_code(e);
	if (choose_listener(c, e) < 0 || check_listener(c, e) < 0 || check_paths(c, e) < 0 ||
	    choose_name(c, e) < 0 || check_database(c, e) < 0 || check_tee(c, e) < 0 ||
	    config_parse_ports(c->ports, &c->port_first, &c->port_last, e) < 0)
		return err_code(e);
	if (check_limits(c, e) < 0)
		return err_code(e);
	if (inet_pton(AF_INET, c->forward_host, &v4) != 1)
		return err_set(e, ERR_INVALID, "MANAGER_FORWARD_HOST: %s is not an IPv4 address",
			       log_quote(c->forward_host).text);
	if ((uint64_t)(c->port_last - c->port_first) + 1 < c->max_vms)
		return err_set(e, ERR_INVALID, "MANAGER_PORTS %s are fewer than MANAGER_MAX_VMS",
			       c->ports);
	return 0;
}

static void warn_idle(const struct config *c, const struct keyfile *file,
		      const struct settings_environment *environment)
{
	const bool snp = c->wanted == CONFIG_TEE_SNP || c->wanted == CONFIG_TEE_SIMULATED_SNP,
		   tdx = c->wanted == CONFIG_TEE_TDX || c->wanted == CONFIG_TEE_SIMULATED_TDX,
		   none = c->wanted == CONFIG_TEE_NONE;
	const struct setting_idle rows[] = {
		{ "MANAGER_LEASE_NAME", !c->database, "without MANAGER_DATABASE" },
		{ "MANAGER_LEASE", !c->database, "without MANAGER_DATABASE" },
		{ "MANAGER_LIBVIRT_URI", c->hosts != NULL, "with MANAGER_HOSTS" },
		{ "MANAGER_ALLOW_PLAIN", c->wanted != CONFIG_TEE_AUTO, "without MANAGER_TEE=auto" },
		{ "MANAGER_SNP_", tdx || none, "without SNP in MANAGER_TEE" },
		{ "MANAGER_TDX_", snp || none, "without TDX in MANAGER_TEE" },
	};

	settings_warn_idle(config_settings, config_settings_count, rows, ARRAY_LEN(rows), file,
			   environment);
}

static int read_file(const char *path, bool wanted, struct keyfile *file, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (file_read(path, KEYFILE_MAX, &bytes, &len, e) < 0) {
		if (e->code == ERR_NOT_FOUND && !wanted)
			return 0;
		return err_wrap(e, "configuration");
	}
	if (keyfile_parse(bytes, len, file, e) < 0)
		return err_wrap(e, "'%s'", path);
	file->path = path;
	return 0;
}

int config_load(const char *path, struct config *config, struct err *e)
{
	static const struct settings_environment environment = { "MANAGER_", others };
	struct keyfile file = { 0 };
	int failed = read_file(path ? path : CONFIG_FILE, path != NULL, &file, e);

	if (!failed)
		failed = settings_load(config_settings, config_settings_count, &file, &environment,
				       config, e);
	if (!failed)
		failed = check(config, e);
	if (!failed)
		warn_idle(config, &file, &environment);
	keyfile_done(&file);
	return failed;
}

void config_done(struct config *config)
{
	settings_done(config_settings, config_settings_count, config);
}
