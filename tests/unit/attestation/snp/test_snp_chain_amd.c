/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of AMD's own leaves alone: here the tests' root is taken for AMD's (--wrap). */
#include "attestation/snp/snp_product.h"
#include "tests/unit/attestation/snp/appraising.h"

enum { DAY = 86400 };

static uint8_t root_key[SHA256_LEN];

const uint8_t *__wrap_snp_product_root(enum snp_product product);

const uint8_t *__wrap_snp_product_root(enum snp_product product)
{
	return root_key;
}

static void begin(enum snp_signing_key key)
{
	struct x509 *root;
	struct err e;

	forge_init(&f, SNP_GENOA, 3, key);
	assert_ok(x509_load(f.input.ark.bytes, f.input.ark.len, &root, &e), e);
	memcpy(root_key, root->key_digest, sizeof(root_key));
	x509_free(root);
	f.leaf.not_before = FORGE_AT - DAY;
	f.leaf.not_after = FORGE_AT + DAY;
}

/* The certificates again, with nobody naming a root. */
static void make(void)
{
	forge_certificates(&f);
	f.input.trusted_root = (struct span){ 0 };
}

static void a_leaf_of_amd_s_has_the_serial_number_zero(void **state)
{
	for (int key = SNP_KEY_VCEK; key <= SNP_KEY_VLEK; key++) {
		begin((enum snp_signing_key)key);
		make();
		assert_passes();
		/* Naming that very root changes nothing. */
		f.input.trusted_root = f.input.ark;
		f.leaf.serial = 1;
		forge_certificates(&f);
		assert_fails_at("chain.serial");
		make();
		assert_fails_at("chain.serial");
		f.leaf.serial = 256; /* one of its two bytes is zero */
		make();
		assert_fails_at("chain.serial");
	}
}

static void a_vlek_is_for_a_year_at_most(void **state)
{
	begin(SNP_KEY_VLEK);
	f.leaf.not_after = f.leaf.not_before + 366 * DAY;
	make();
	assert_passes();
	f.leaf.not_after++;
	make();
	assert_fails_at("chain.vlek_validity");
	begin(SNP_KEY_VCEK);
	f.leaf.not_after = f.leaf.not_before + 367 * DAY;
	make();
	assert_passes();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaf_of_amd_s_has_the_serial_number_zero),
		cmocka_unit_test(a_vlek_is_for_a_year_at_most),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
