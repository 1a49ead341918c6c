/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/launch/host_check.h"

#include "common/base/file.h"
#include "common/preflight/preflight_crl.h"
#include "common/preflight/preflight_database.h"
#include "common/preflight/preflight_listen.h"
#include "common/preflight/preflight_place.h"
#include "common/preflight/preflight_running.h"
#include "common/preflight/preflight_tls.h"
#include "manager/launch/guest_rules.h"
#include "manager/launch/hosts_check.h"
#include "manager/launch/lifecycle.h"
#include "manager/launch/share_check.h"
#include "manager/launch/tee.h"
#include "manager/registry/registry_form.h"
#include "manager/settings/calls.h"

#include <string.h>
#include <sys/stat.h>

enum {
	SECRETS_FREE_MIN = 8 << 20, /* bytes: boot configurations of many CVMs */
};

struct host {
	const struct config *config;
	bool is_known; /* what follows, from libvirt */
	struct virt_host found;
	struct share_check share; /* of MANAGER_DATABASE */
	struct hosts_check hosts; /* of the table; their rows are the last */
};

int host_check_named(const char *check, struct err *e)
{
	return err_wrap(e, "host check '%s'", check);
}

static int look_tls(void *subject, char *found, struct err *e)
{
	const struct config *c = ((struct host *)subject)->config;

	return preflight_tls(&(struct preflight_tls){ c->server_cert, c->server_key,
						      c->server_ca_certs, c->client_ca_certs },
			     found, e);
}

static int look_lists(void *subject, char *found, struct err *e)
{
	const struct config *c = ((struct host *)subject)->config;

	return preflight_crl(
		&(struct preflight_crl){ .path = c->client_crl, .authorities = c->client_ca_certs },
		found, e);
}

/* Of these settings. daemon.c sets that name. */
static struct preflight_running running(const struct config *c)
{
	return (struct preflight_running){
		.who = "manager",
		.health = "manager",
		.serves = "CVMs can be launched",
		.serves_not = "by its word none can be launched now",
		.cert = c->server_cert,
		.cert_setting = "MANAGER_GRPC_SERVER_CERT",
	};
}

static int look_port(void *subject, char *found, struct err *e)
{
	const struct config *c = ((struct host *)subject)->config;
	const struct preflight_running own = running(c);

	if (!c->grpc_host)
		return preflight_not_asked(found, "no MANAGER_GRPC_ setting asks for TCP");
	return preflight_own_port(c->grpc_host, c->grpc_port, &own, found, e);
}

static int look_socket(void *subject, char *found, struct err *e)
{
	const struct config *c = ((struct host *)subject)->config;
	const struct preflight_running own = running(c);

	if (!c->socket)
		return preflight_not_asked(found, "TCP is set, and no MANAGER_SOCKET");
	return preflight_own_socket(c->socket, &own, found, e);
}

static int look_state(void *subject, char *found, struct err *e)
{
	const struct config *c = ((struct host *)subject)->config;

	return preflight_folder(c->state_dir,
				&(struct preflight_folder){ .must_not = S_IWGRP | S_IWOTH,
							    .must = S_IXOTH,
							    .is_ours = true,
							    .free_bytes = c->state_free },
				found, e);
}

static int look_secrets(void *subject, char *found, struct err *e)
{
	const struct config *c = ((struct host *)subject)->config;

	return preflight_folder(c->secrets_dir,
				&(struct preflight_folder){ .must_not = S_IWGRP | S_IWOTH,
							    .must = S_IXOTH,
							    .is_ours = true,
							    .in_memory = true,
							    .free_bytes = SECRETS_FREE_MIN },
				found, e);
}

static int look_database(void *subject, char *found, struct err *e)
{
	const struct config *c = ((struct host *)subject)->config;
	CLEANUP(free) char *path = NULL;

	if (c->database)
		return preflight_server(c->database, REGISTRY_SCHEMA, REGISTRY_VERSION, found, e);
	if (text_format(&path, e, "%s/registry.db", c->state_dir) < 0)
		return err_code(e);
	return preflight_database(path, REGISTRY_VERSION, found, e);
}

static int look_tag(void *subject, char *found, struct err *e)
{
	return share_check_tag(&((struct host *)subject)->share, found, e);
}

static int look_name(void *subject, char *found, struct err *e)
{
	return share_check_name(&((struct host *)subject)->share, found, e);
}

static int look_leases(void *subject, char *found, struct err *e)
{
	return share_check_leases(&((struct host *)subject)->share, found, e);
}

static int look_clock(void *subject, char *found, struct err *e)
{
	return share_check_clock(&((struct host *)subject)->share, found, e);
}

static int look_audit(void *subject, char *found, struct err *e)
{
	return preflight_log(((struct host *)subject)->config->audit_log, found, e);
}

/* Who may call, and whether he can: the socket tells users and groups, TLS with clients' certificates the others. */
static int look_access(void *subject, char *found, struct err *e)
{
	const struct config *c = ((struct host *)subject)->config;
	CLEANUP(access_close) struct access *table = NULL;
	struct access_reach reach;
	char others[64] = "";

	if (!c->access)
		return preflight_not_asked(found,
					   "no MANAGER_ACCESS: whoever may connect is an operator");
	if (calls_access(c, &table, e) < 0)
		return err_code(e);
	reach = access_reach(table, c->socket != NULL, c->client_ca_certs != NULL);
	if (!reach.operators)
		return err_set(e, ERR_PRECONDITION,
			       "'%s': no operator can show who he is (line %u, for one): %s",
			       c->access, reach.line,
			       c->socket ? "a certificate wants MANAGER_GRPC_CLIENT_CA_CERTS"
					 : "uid and gid want MANAGER_SOCKET");
	if (reach.others)
		snprintf(others, sizeof(others), "; nobody can show %zu others (line %u first)",
			 reach.others, reach.line);
	return preflight_found(found, "'%s': %zu identities of operators, %zu of tenants%s",
			       c->access, reach.operators, reach.tenants, others);
}

static int look_table(const struct hosts_check *hosts, char found[PREFLIGHT_TEXT_MAX],
		      struct err *e)
{
	if (hosts->failed) {
		*e = hosts->e;
		return err_code(e);
	}
	return preflight_found(found, "%zu hosts of MANAGER_HOSTS, which are looked at below",
			       hosts->table.count);
}

static int look_libvirt(void *subject, char *found, struct err *e)
{
	struct host *h = subject;

	if (h->config->hosts)
		return look_table(&h->hosts, found, e);
	if (host_ask(h->config->libvirt_uri, NULL, &h->found, e) < 0)
		return err_code(e);
	h->is_known = true;
	return preflight_found(found, "%s answers", h->config->libvirt_uri);
}

static int unknown(const struct host *h, char *found)
{
	if (h->config->hosts)
		return preflight_not_asked(found, "each of the hosts below says it");
	return preflight_not_asked(found, "libvirt, which would know, could not be asked");
}

static int look_kvm(void *subject, char *found, struct err *e)
{
	const struct host *h = subject;
	enum config_tee wanted = h->config->wanted;

	if (!h->is_known)
		return unknown(h, found);
	if (h->found.kvm)
		return preflight_found(found, "the CPU and libvirt offer it");
	if (wanted == CONFIG_TEE_SNP || wanted == CONFIG_TEE_TDX)
		return err_set(
			e, ERR_PRECONDITION,
			"the CPU and libvirt do not both offer it, and MANAGER_TEE=%s needs it",
			h->config->tee);
	return preflight_found(found, "there is none: CVMs are emulated, which is slow");
}

/* What a CVM would be launched as, malloc'ed. */
static int choose(const struct host *h, struct cvm **cvm, struct err *e)
{
	CLEANUP(free) struct cvm *chosen = calloc(1, sizeof(*chosen));

	if (!chosen)
		return err_nomem(e);
	if (tee_choose(h->config, CONFIG_TEE_AUTO, &h->found, chosen, e) < 0)
		return err_code(e);
	*cvm = TAKE_PTR(chosen);
	return 0;
}

static int look_tee(void *subject, char *found, struct err *e)
{
	const struct host *h = subject;
	CLEANUP(free) struct cvm *cvm = NULL;

	if (!h->is_known)
		return unknown(h, found);
	if (choose(h, &cvm, e) < 0)
		return err_code(e);
	return preflight_found(found, "%s%s",
			       config_simulates(h->config) ? "SIMULATED, which protects nothing: "
							   : "",
			       domain_tee_name(cvm->tee));
}

static int look_firmware(void *subject, char *found, struct err *e)
{
	const struct host *h = subject;
	CLEANUP(free) struct cvm *cvm = NULL;
	struct err no_tee;

	if (!h->is_known)
		return unknown(h, found);
	if (choose(h, &cvm, &no_tee) < 0)
		return preflight_not_asked(found, "it depends on the TEE");
	if (strcmp(cvm->firmware, CONFIG_SEABIOS) == 0)
		return preflight_not_asked(found, "SeaBIOS comes with QEMU");
	return preflight_file(cvm->firmware, found, e);
}

static int look_emulator(void *subject, char *found, struct err *e)
{
	const char *path = ((struct host *)subject)->config->emulator;

	if (!path)
		return preflight_not_asked(found, "libvirt chooses it");
	if (access(path, X_OK) < 0)
		return err_errno(e, "'%s'", path);
	return preflight_found(found, "'%s'", path);
}

static int look_launch_files(void *subject, char *found, struct err *e)
{
	const struct config *c = ((struct host *)subject)->config;
	const char *const paths[] = { c->igvm, c->snp_id_block, c->snp_id_auth };
	unsigned asked = 0;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		if (paths[i] && preflight_file(paths[i], found, e) < 0)
			return err_code(e);
		asked += paths[i] != NULL;
	}
	return asked ? preflight_found(found, "%u can be read", asked)
		     : preflight_not_asked(found, "no IGVM file or ID block is set");
}

static int look_image(void *subject, char *found, struct err *e)
{
	CLEANUP(image_free) struct image *image = NULL;
	char name[IMAGE_NAME_MAX];

	if (lifecycle_open_image(((struct host *)subject)->config, &image, e) < 0)
		return err_code(e);
	image_name(image, name);
	return preflight_found(found, "%s, every file as image.json says", name);
}

static int look_ports(void *subject, char *found, struct err *e)
{
	const struct config *c = ((struct host *)subject)->config;
	CLEANUP(ports_free) struct ports *ports = NULL;
	unsigned count = (unsigned)(c->port_last - c->port_first) + 1, left;

	if (ports_new(c->forward_host, c->port_first, c->port_last, &ports, e) < 0)
		return err_code(e);
	left = ports_left(ports);
	if (!left)
		return err_set(e, ERR_EXHAUSTED, "no port of %s on %s is free", c->ports,
			       c->forward_host);
	return preflight_found(found, "%u of %u are free on %s", left, count, c->forward_host);
}

static int look_guests(void *subject, char *found, struct err *e)
{
	const struct config *c = ((struct host *)subject)->config;

	if (strncmp(c->libvirt_uri, "qemu:", 5) != 0)
		return preflight_not_asked(found, "%s is not this host's QEMU", c->libvirt_uri);
	if (geteuid() != 0)
		return preflight_not_asked(found, "only root may ask for this host's rules");
	return guest_rules_check(GUEST_RULES_NFT, found, e);
}

static const struct preflight_check checks[] = {
	{ "tls", look_tls,
	  "give MANAGER_GRPC_SERVER_CERT, _KEY and _CA_CERTS files that belong together "
	  "and are valid today, and current authorities in MANAGER_GRPC_CLIENT_CA_CERTS" },
	{ "revocation lists", look_lists,
	  "fetch the current list of each authority of MANAGER_GRPC_CLIENT_CA_CERTS (a computation service that "
	  "is it has /ca.crl) and rename it to the file of MANAGER_GRPC_CLIENT_CRL, before the last one ends" },
	{ "tcp port", look_port,
	  "end the program that has it, or set "
	  "another MANAGER_GRPC_HOST or MANAGER_GRPC_PORT" },
	{ "socket", look_socket,
	  "end the program that has it, make its "
	  "folder writable for this user, or set another MANAGER_SOCKET" },
	{ HOST_CHECK_STATE, look_state,
	  "give it to the manager's user with mode 0711, and make room (MANAGER_STATE_FREE); or name "
	  "another folder in MANAGER_STATE_DIR" },
	{ "database", look_database,
	  "let this user write it; install the version that wrote it, or move registry.db away with its -wal and "
	  "-shm: what runs is found by 'cocos-cli vm strays'; start the server of MANAGER_DATABASE, "
	  "and give its role a database (docs/operators.md)" },
	{ "registry's tag", look_tag,
	  "see that MANAGER_DATABASE is this manager's, and its MANAGER_STATE_DIR its own; where it takes another "
	  "one's place or is one of several, do what the line says (docs/operators.md, Two managers)" },
	{ "manager's name", look_name,
	  "end the other one, give this one another MANAGER_LEASE_NAME, or wait until the moment that the line names" },
	{ "leases", look_leases,
	  "give all managers of MANAGER_DATABASE the same MANAGER_LEASE; before one is alone with it, end the others and "
	  "wait until their leases have ended" },
	{ "database clock", look_clock,
	  "let a time service set the clocks of this machine and of the database's server" },
	{ "audit log", look_audit,
	  "make its folder, writable for this user and with room, or name another file in MANAGER_AUDIT_LOG" },
	{ "access", look_access,
	  "put MANAGER_ACCESS right: a file of root's with an operator in it who can come by "
	  "MANAGER_SOCKET, or with a certificate of MANAGER_GRPC_CLIENT_CA_CERTS" },
	{ "secrets folder", look_secrets,
	  "mount a tmpfs there, give it to the manager's user with mode 0711; or name "
	  "another folder in MANAGER_SECRETS_DIR" },
	{ HOST_CHECK_LIBVIRT, look_libvirt,
	  "start libvirtd (or virtqemud), let this user use it, and see "
	  "MANAGER_LIBVIRT_URI, or set the table of MANAGER_HOSTS right" },
	{ "kvm", look_kvm,
	  "switch virtualization on in the firmware (SVM, VT-x), load kvm_amd or kvm_intel, and see "
	  "that libvirt can open /dev/kvm" },
	{ HOST_CHECK_TEE, look_tee,
	  "switch SEV-SNP or TDX on in the firmware and the kernel (kvm_amd.sev_snp, "
	  "kvm_intel.tdx) with a libvirt that knows it, or set another MANAGER_TEE" },
	{ "firmware", look_firmware, "install the TEE's OVMF and name it in MANAGER_FIRMWARE" },
	{ "emulator", look_emulator,
	  "name a QEMU that can be run in MANAGER_EMULATOR, or nothing" },
	{ "launch files", look_launch_files,
	  "give MANAGER_IGVM, MANAGER_SNP_ID_BLOCK and _AUTH files that this user can "
	  "read" },
	{ HOST_CHECK_IMAGE, look_image,
	  "install an image (package cocos-image-base, or scripts/build-image), name its folder in "
	  "MANAGER_IMAGE_DIR, and give CVMs the MANAGER_MEMORY that it needs" },
	{ HOST_CHECK_PORTS, look_ports,
	  "name ports in MANAGER_PORTS that no program has, on an address of this host in "
	  "MANAGER_FORWARD_HOST" },
	{ "guests", look_guests,
	  "load the rules that keep guests off this host: nft -f /etc/cocos/guests.nft" },
};

static int look_host(void *subject, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	return hosts_check_look(&((struct host *)subject)->hosts, found, e);
}

/* NULL until the first host's row. */
static const char *remedy_of_host(const void *subject)
{
	return ((const struct host *)subject)->hosts.remedy;
}

int host_check_run(const struct config *config, enum preflight_form form, FILE *out)
{
	CLEANUP(free) struct host *host = calloc(1, sizeof(*host));
	struct preflight_check rows[ARRAY_LEN(checks) + HOSTS_MAX];
	size_t count = ARRAY_LEN(checks);
	int status;

	_Static_assert(ARRAY_LEN(rows) <= PREFLIGHT_CHECKS_MAX, "there is room for all");
	if (!host) {
		fputs("out of memory\n", stderr);
		return 1;
	}
	host->config = config;
	hosts_check_ask(&host->hosts, config, HOSTS_CHECK_MS);
	share_check_ask(&host->share, config, config->hosts ? &host->hosts.table : NULL);
	host->hosts.share = &host->share;
	memcpy(rows, checks, sizeof(checks));
	count += hosts_check_rows(&host->hosts, look_host, rows + count);
	status =
		preflight_run_better("cocos-manager", rows, count, host, remedy_of_host, form, out);
	share_check_done(&host->share);
	return status;
}
