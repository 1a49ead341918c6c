/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/attestation/snp/forge.h"

#include "common/base/file.h"
#include "common/crypto/key.h"
#include "tests/unit.h"

#include <stdio.h>

static EVP_PKEY *load_key(const char *name)
{
	char path[512];
	EVP_PKEY *key = NULL;
	char *pem = NULL;
	struct err e;

	snprintf(path, sizeof(path), "%s/snp/%s", TEST_DATA, name);
	assert_ok(file_read_text(path, PEM_MAX, &pem, &e), e);
	assert_ok(key_from_private_pem(pem, strlen(pem), NULL, NULL, &key, &e), e);
	free(pem);
	return key;
}

/* Made once; they live as long as the program. */
static EVP_PKEY *keys[3];

static void load_keys(struct forge *f)
{
	if (!keys[0]) {
		keys[0] = load_key("root-key.pem");
		keys[1] = load_key("ca-key.pem");
		keys[2] = EVP_EC_gen("P-384");
		assert_non_null(keys[2]);
	}
	f->root_key = keys[0];
	f->ca_key = keys[1];
	f->leaf_key = keys[2];
}

static void init_case(struct forge *f, uint32_t version, enum snp_signing_key key)
{
	struct forge_chip chip;
	struct forge_chain chain;

	forge_chip(&chip, f->product, key);
	f->tcb = chip.tcb;
	forge_chip_report(&chip, version, &f->report);
	forge_chip_chain(&chip, &(struct forge_keys){ f->root_key, f->ca_key, f->leaf_key },
			 FORGE_AT, &chain);
	f->root = chain.root;
	f->ca = chain.ca;
	f->leaf = chain.leaf;
}

void forge_certificates(struct forge *f)
{
	f->root_len = forge_make(&f->root, f->root_der);
	f->ca_len = forge_make(&f->ca, f->ca_der);
	f->leaf_len = forge_make(&f->leaf, f->leaf_der);
	f->input.trusted_root = (struct span){ f->root_der, f->root_len };
	f->input.ark = f->input.trusted_root;
	f->input.intermediate = (struct span){ f->ca_der, f->ca_len };
	f->input.vek = (struct span){ f->leaf_der, f->leaf_len };
}

void forge_report(struct forge *f)
{
	forge_sign(&f->report, f->leaf_key, f->bytes);
	f->input.report = (struct span){ f->bytes, SNP_REPORT_LEN };
}

/* The unchanged chains, since an RSA signature takes long. */
static struct made {
	uint8_t root[FORGE_CERT_MAX], ca[FORGE_CERT_MAX], leaf[FORGE_CERT_MAX];
	size_t root_len, ca_len, leaf_len;
} chains[SNP_PRODUCTS][2];

static void use_chain(struct forge *f, struct made *made)
{
	if (!made->root_len) {
		forge_certificates(f);
		memcpy(made->root, f->root_der, f->root_len);
		memcpy(made->ca, f->ca_der, f->ca_len);
		memcpy(made->leaf, f->leaf_der, f->leaf_len);
		made->root_len = f->root_len;
		made->ca_len = f->ca_len;
		made->leaf_len = f->leaf_len;
	}
	f->input.trusted_root = f->input.ark = (struct span){ made->root, made->root_len };
	f->input.intermediate = (struct span){ made->ca, made->ca_len };
	f->input.vek = (struct span){ made->leaf, made->leaf_len };
}

void forge_init(struct forge *f, enum snp_product product, uint32_t version,
		enum snp_signing_key key)
{
	memset(f, 0, sizeof(*f));
	f->product = product;
	load_keys(f);
	init_case(f, version, key);
	use_chain(f, &chains[product][key]);
	forge_report(f);
	memcpy(f->report_data, f->report.report_data, sizeof(f->report_data));
	snp_policy_init(&f->policy);
	f->policy.measurements = (struct value_set){ f->report.measurement, 1 };
	f->policy.allow_vlek = key == SNP_KEY_VLEK;
	f->input.report_data = f->report_data;
	f->input.at = FORGE_AT;
	f->input.policy = &f->policy;
}

bool forge_appraise(struct forge *f, struct verdict *v)
{
	verdict_init(v, VERDICT_SCOPE_FULL);
	snp_appraise(&f->input, NULL, v);
	return verdict_ok(v);
}
