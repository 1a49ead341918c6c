/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/launch/tee.h"

#include "common/base/encode.h"
#include "common/base/file.h"

#include <string.h>
#include <unistd.h>

enum { ID_BLOCK_LEN = 96, ID_AUTH_LEN = 4096 }; /* AMD publication 56860, 8.6 and 8.7 */

/* TD attributes: SEPT_VE_DISABLE, which a guest needs to trust its memory; no debugging. */
#define TDX_ATTRIBUTES ((uint64_t)1 << 28)

static int fill_snp(const struct config *config, const struct virt_host *host,
		    const struct cvm *cvm, struct domain_spec *spec, struct tee_texts *texts,
		    struct err *e);
static int fill_tdx(const struct config *config, const struct virt_host *host,
		    const struct cvm *cvm, struct domain_spec *spec, struct tee_texts *texts,
		    struct err *e);

static const struct tee {
	enum config_tee wanted;
	size_t host;                     /* offset of the bool in struct virt_host */
	const char *firmware, *cpu_type; /* usual ones; the CPU type is part of SNP's measurement */
	int (*fill)(const struct config *config, const struct virt_host *host,
		    const struct cvm *cvm, struct domain_spec *spec, struct tee_texts *texts,
		    struct err *e);
} tees[] = {
	[DOMAIN_PLAIN] = { .wanted = CONFIG_TEE_NONE, .firmware = REFERENCE_TPM_FIRMWARE },
	[DOMAIN_SNP] = { CONFIG_TEE_SNP, offsetof(struct virt_host, snp), REFERENCE_SNP_FIRMWARE,
			 REFERENCE_SNP_CPU_TYPE, fill_snp },
	[DOMAIN_TDX] = { CONFIG_TEE_TDX, offsetof(struct virt_host, tdx), REFERENCE_TDX_FIRMWARE,
			 NULL, fill_tdx },
};

/* What the firmware of SNP hosts reports; a simulation has nothing to ask. */
enum { SIMULATED_CBITPOS = 51, SIMULATED_REDUCED_BITS = 1 };

static bool host_has(const struct virt_host *host, enum domain_tee tee)
{
	return *(const bool *)((const char *)host + tees[tee].host);
}

static const char *wish_name(enum config_tee wish)
{
	enum domain_tee t = DOMAIN_PLAIN;

	while (tees[t].wanted != wish)
		t++;
	return domain_tee_name(t);
}

int tee_check_wish(const struct config *config, enum config_tee wish, struct err *e)
{
	enum config_tee has = config->wanted;

	if (wish == CONFIG_TEE_AUTO || wish == has)
		return 0;
	if (has == CONFIG_TEE_AUTO && wish == CONFIG_TEE_NONE && !config->allow_plain)
		return err_set(e, ERR_INVALID,
			       "tee: none is asked for, and this manager launches no unprotected "
			       "CVMs (MANAGER_ALLOW_PLAIN)");
	if (has == CONFIG_TEE_AUTO || (has == CONFIG_TEE_SIMULATED_SNP && wish == CONFIG_TEE_SNP) ||
	    (has == CONFIG_TEE_SIMULATED_TDX && wish == CONFIG_TEE_TDX))
		return 0;
	return err_set(
		e, ERR_INVALID,
		"tee: %s is asked for, and this manager launches nothing but %s (MANAGER_TEE)",
		wish_name(wish), config->tee);
}

static int find_tee(const struct config *config, enum config_tee wish, const struct virt_host *host,
		    enum domain_tee *tee, struct err *e)
{
	enum config_tee wanted = config->wanted == CONFIG_TEE_AUTO ? wish : config->wanted;

	if (config_simulates(config)) {
		*tee = config->wanted == CONFIG_TEE_SIMULATED_SNP ? DOMAIN_SNP : DOMAIN_TDX;
		return 0;
	}
	for (enum domain_tee t = DOMAIN_SNP; t < ARRAY_LEN(tees); t++) {
		bool asked = wanted == tees[t].wanted;

		if (asked && !host_has(host, t))
			return err_set(
				e, ERR_PRECONDITION,
				"%s%s, but this host's kernel and libvirt do not both offer it",
				wanted == config->wanted ? "MANAGER_TEE=" : "tee: ",
				domain_tee_name(t));
		if (asked || (wanted == CONFIG_TEE_AUTO && host_has(host, t))) {
			*tee = t;
			return 0;
		}
	}
	if (wanted == CONFIG_TEE_AUTO && !config->allow_plain)
		return err_set(
			e, ERR_PRECONDITION,
			"this host has neither SEV-SNP nor TDX: for CVMs that nothing protects "
			"from it, set MANAGER_TEE=none or MANAGER_ALLOW_PLAIN=true");
	*tee = DOMAIN_PLAIN;
	return 0;
}

/* At each launch: an upgrade of the host may take one file away. */
static const char *usual_firmware(const struct config *config, enum domain_tee tee,
				  const struct virt_host *host)
{
	if (config->igvm)
		return config->igvm;
	if (tee == DOMAIN_PLAIN && host->here && access(REFERENCE_TPM_FIRMWARE_64, R_OK) == 0)
		return REFERENCE_TPM_FIRMWARE_64;
	return tees[tee].firmware;
}

int tee_choose(const struct config *config, enum config_tee wish, const struct virt_host *host,
	       struct cvm *cvm, struct err *e)
{
	enum domain_tee tee;
	const char *cpu_type = config->cpu_type, *firmware = config->firmware;

	if (find_tee(config, wish, host, &tee, e) < 0)
		return err_code(e);
	if (tee == DOMAIN_PLAIN && config->igvm)
		return err_set(e, ERR_PRECONDITION, "MANAGER_IGVM serves SNP and TDX alone");
	cvm->tee = tee;
	cvm->kvm = host->kvm && !config_simulates(config);
	if (!firmware)
		firmware = usual_firmware(config, tee, host);
	if (!cpu_type)
		cpu_type = tees[tee].cpu_type;
	if (!cpu_type)
		cpu_type = cvm->kvm ? "host-passthrough" : "maximum";
	if (strlen(firmware) >= sizeof(cvm->firmware) || strlen(cpu_type) >= sizeof(cvm->cpu_type))
		return err_set(e, ERR_INVALID, "firmware or CPU type: longer than %d bytes",
			       CVM_TEXT_MAX - 1);
	memcpy(cvm->firmware, firmware, strlen(firmware) + 1);
	memcpy(cvm->cpu_type, cpu_type, strlen(cpu_type) + 1);
	return 0;
}

void tee_texts_done(struct tee_texts *texts)
{
	free(texts->digest);
	free(texts->id_block);
	free(texts->id_auth);
	free(texts->mr_owner);
}

static int encode(const void *bytes, size_t len, char **text, struct err *e)
{
	*text = base64_encode(bytes, len);
	return *text ? 0 : err_nomem(e);
}

static int encode_file(const char *path, size_t wanted, char **text, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (file_read(path, wanted, &bytes, &len, e) < 0)
		return err_code(e);
	if (len != wanted)
		return err_set(e, ERR_INVALID, "'%s' has %zu bytes, not %zu", path, len, wanted);
	return encode(bytes, len, text, e);
}

static int fill_snp(const struct config *config, const struct virt_host *host,
		    const struct cvm *cvm, struct domain_spec *spec, struct tee_texts *texts,
		    struct err *e)
{
	if (encode(cvm->boot_sha3_256, SHA3_256_LEN, &texts->digest, e) < 0)
		return err_code(e);
	if (config->snp_id_block &&
	    (encode_file(config->snp_id_block, ID_BLOCK_LEN, &texts->id_block, e) < 0 ||
	     encode_file(config->snp_id_auth, ID_AUTH_LEN, &texts->id_auth, e) < 0))
		return err_code(e);
	spec->snp = (struct domain_snp){
		.policy = config->snp_policy_bits,
		.host_data = texts->digest,
		.id_block = texts->id_block,
		.id_auth = texts->id_auth,
		.cbitpos = spec->simulated ? SIMULATED_CBITPOS : host->cbitpos,
		.reduced_phys_bits =
			spec->simulated ? SIMULATED_REDUCED_BITS : host->reduced_phys_bits,
	};
	return 0;
}

static int fill_tdx(const struct config *config, const struct virt_host *host,
		    const struct cvm *cvm, struct domain_spec *spec, struct tee_texts *texts,
		    struct err *e)
{
	uint8_t owner[SHA384_LEN];

	if (encode(cvm->boot_sha3_384, SHA3_384_LEN, &texts->digest, e) < 0)
		return err_code(e);
	if (config->tdx_mr_owner &&
	    (hex_decode(config->tdx_mr_owner, owner, sizeof(owner), e) < 0 ||
	     encode(owner, sizeof(owner), &texts->mr_owner, e) < 0))
		return err_code(e);
	spec->tdx = (struct domain_tdx){
		.has_policy = true,
		.policy = TDX_ATTRIBUTES,
		.mr_config_id = texts->digest,
		.mr_owner = texts->mr_owner,
		.quote_socket = config->tdx_quote_socket,
	};
	return 0;
}

/* "host-passthrough" and "maximum" are modes of libvirt's, not models. */
static const char *model_of(const struct cvm *cvm)
{
	bool mode = strcmp(cvm->cpu_type, "host-passthrough") == 0 ||
		    strcmp(cvm->cpu_type, "maximum") == 0;

	return mode ? NULL : cvm->cpu_type;
}

int tee_fill(const struct config *config, const struct virt_host *host, const struct cvm *cvm,
	     struct domain_spec *spec, struct tee_texts *texts, struct err *e)
{
	spec->tee = cvm->tee;
	spec->kvm = cvm->kvm;
	spec->simulated = cvm_simulated(cvm);
	spec->cpu_type = model_of(cvm);
	spec->igvm = config->igvm;
	spec->firmware =
		config->igvm || strcmp(cvm->firmware, CONFIG_SEABIOS) == 0 ? NULL : cvm->firmware;
	if (cvm->tee == DOMAIN_PLAIN)
		return 0;
	return tees[cvm->tee].fill(config, host, cvm, spec, texts, e);
}
