/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/snp/snp_product.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct product {
	const char *name;
	uint8_t root[SHA256_LEN];
} products[SNP_PRODUCTS] = {
	[SNP_PRODUCT_ANY] = { "any", { 0 } },
	[SNP_MILAN] = { "Milan", { 0x9f, 0x05, 0x6b, 0xee, 0x44, 0x37, 0x7e, 0x29, 0x30, 0x8c, 0xb5,
				   0xff, 0xa8, 0x95, 0xbd, 0xfb, 0x62, 0xd1, 0x88, 0x81, 0xfa, 0x6b,
				   0xed, 0x8d, 0x6f, 0x07, 0x5b, 0x02, 0x04, 0x08, 0x9c, 0xb9 } },
	[SNP_GENOA] = { "Genoa", { 0x42, 0x9a, 0x69, 0xc9, 0x42, 0x2a, 0xa2, 0x58, 0xee, 0x4d, 0x8d,
				   0xb5, 0xfc, 0xda, 0x9c, 0x64, 0x70, 0xef, 0x15, 0xf8, 0xcd, 0x5a,
				   0x9c, 0xeb, 0xd6, 0xcb, 0xc7, 0xd9, 0x0b, 0x86, 0x38, 0x31 } },
	[SNP_TURIN] = { "Turin", { 0x4f, 0x12, 0x54, 0x10, 0x56, 0x3a, 0x2a, 0xb9, 0xa5, 0x03, 0x56,
				   0xf9, 0x24, 0x3f, 0x6f, 0xe0, 0xb6, 0xf7, 0x3d, 0xe9, 0x86, 0x03,
				   0xf5, 0x3f, 0x90, 0x33, 0x9c, 0x70, 0xe9, 0xd7, 0xad, 0x08 } },
};

/* Names that share another product's root. */
static const struct {
	const char *name;
	enum snp_product product;
} aliases[] = { { "Bergamo", SNP_GENOA }, { "Siena", SNP_GENOA } };

/* Extended family and model, as AMD's revision guides list them (56683, 57095, 58251). */
static const struct {
	uint8_t family, model_first, model_last;
	enum snp_product product;
} cpuids[] = {
	{ 0x19, 0x00, 0x0f, SNP_MILAN },
	{ 0x19, 0x10, 0x1f, SNP_GENOA },
	{ 0x19, 0xa0, 0xaf, SNP_GENOA }, /* Bergamo, Siena */
	{ 0x1a, 0x00, 0x1f, SNP_TURIN }, /* Turin, Turin Dense */
};

const char *snp_product_name(enum snp_product product)
{
	return products[product < SNP_PRODUCTS ? product : SNP_PRODUCT_ANY].name;
}

enum snp_product snp_product_of(const char *name)
{
	for (enum snp_product p = SNP_MILAN; p < SNP_PRODUCTS; p++)
		if (strcasecmp(name, products[p].name) == 0)
			return p;
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (strcasecmp(name, aliases[i].name) == 0)
			return aliases[i].product;
	return SNP_PRODUCT_ANY;
}

enum snp_product snp_product_of_name(const char *common_name, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncmp(common_name, prefix, len) != 0)
		return SNP_PRODUCT_ANY;
	for (enum snp_product p = SNP_MILAN; p < SNP_PRODUCTS; p++)
		if (strcmp(common_name + len, products[p].name) == 0)
			return p;
	return SNP_PRODUCT_ANY;
}

enum snp_product snp_product_of_extension(const char *text)
{
	const char *dash = strchr(text, '-');
	char name[16];

	if (dash &&
	    !(isupper((unsigned char)dash[1]) && isdigit((unsigned char)dash[2]) && dash[3] == 0))
		return SNP_PRODUCT_ANY;
	snprintf(name, sizeof(name), "%.*s", dash ? (int)(dash - text) : (int)sizeof(name), text);
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (strcmp(name, aliases[i].name) == 0)
			return aliases[i].product;
	return snp_product_of_name(name, "");
}

enum snp_product snp_product_of_cpuid(uint8_t family, uint8_t model)
{
	for (size_t i = 0; i < ARRAY_LEN(cpuids); i++)
		if (family == cpuids[i].family && model >= cpuids[i].model_first &&
		    model <= cpuids[i].model_last)
			return cpuids[i].product;
	return SNP_PRODUCT_ANY;
}

const uint8_t *snp_product_root(enum snp_product product)
{
	return product > SNP_PRODUCT_ANY && product < SNP_PRODUCTS ? products[product].root : NULL;
}

#define COMPONENT(name_, member_) { .name = name_, .at = offsetof(struct snp_tcb, member_) }

const struct snp_tcb_component snp_tcb_components[SNP_TCB_COMPONENTS] = {
	COMPONENT("fmc", fmc),      COMPONENT("bootloader", bootloader), COMPONENT("tee", tee),
	COMPONENT("snp", snp),      COMPONENT("microcode", microcode),   COMPONENT("spl_4", spl[0]),
	COMPONENT("spl_5", spl[1]), COMPONENT("spl_6", spl[2]),          COMPONENT("spl_7", spl[3]),
};

/* Which component each of the eight bytes is; the order of struct snp_tcb_component. */
static const uint8_t order_milan[SNP_TCB_LEN] = { 1, 2, 5, 6, 7, 8, 3, 4 };
static const uint8_t order_turin[SNP_TCB_LEN] = { 0, 1, 2, 3, 6, 7, 8, 4 };

static uint8_t *component(struct snp_tcb *tcb, size_t i)
{
	return (uint8_t *)tcb + snp_tcb_components[i].at;
}

static uint8_t component_value(const struct snp_tcb *tcb, size_t i)
{
	return *((const uint8_t *)tcb + snp_tcb_components[i].at);
}

struct snp_tcb snp_tcb_of(const uint8_t bytes[SNP_TCB_LEN], enum snp_product product)
{
	const uint8_t *order = product == SNP_TURIN ? order_turin : order_milan;
	struct snp_tcb tcb = { 0 };

	for (size_t i = 0; i < SNP_TCB_LEN; i++)
		*component(&tcb, order[i]) = bytes[i];
	return tcb;
}

void snp_tcb_bytes(const struct snp_tcb *tcb, enum snp_product product, uint8_t bytes[SNP_TCB_LEN])
{
	const uint8_t *order = product == SNP_TURIN ? order_turin : order_milan;

	for (size_t i = 0; i < SNP_TCB_LEN; i++)
		bytes[i] = component_value(tcb, order[i]);
}

bool snp_tcb_at_least(const struct snp_tcb *a, const struct snp_tcb *b)
{
	for (size_t i = 0; i < SNP_TCB_COMPONENTS; i++)
		if (component_value(a, i) < component_value(b, i))
			return false;
	return true;
}

void snp_tcb_replace(struct snp_tcb *tcb, const struct snp_tcb *from, uint16_t which)
{
	for (size_t i = 0; i < SNP_TCB_COMPONENTS; i++)
		if (which & 1u << i)
			*component(tcb, i) = component_value(from, i);
}

uint16_t snp_tcb_named(const struct snp_tcb *tcb)
{
	unsigned named = 0;

	for (size_t i = 0; i < SNP_TCB_COMPONENTS; i++)
		named |= component_value(tcb, i) ? 1u << i : 0;
	return (uint16_t)named;
}

void snp_tcb_text(const struct snp_tcb *tcb, char text[SNP_TCB_TEXT_MAX])
{
	size_t len = 0;

	text[0] = 0;
	for (size_t i = 0; i < SNP_TCB_COMPONENTS; i++)
		if (i < 5 || component_value(tcb, i))
			len += (size_t)snprintf(text + len, SNP_TCB_TEXT_MAX - len, "%s%s %u",
						len ? ", " : "", snp_tcb_components[i].name,
						component_value(tcb, i));
}
