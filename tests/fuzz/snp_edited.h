/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_edited.h — SNP evidence of a kind that an input names, right in everything, and the policy that
 * it meets; what fuzz_snp_appraise.c edits.
 */
#pragma once

#include "common/base/encode.h"
#include "tests/forge/must.h"
#include "tests/unit/attestation/snp/forge.h"

enum { SNP_EDITED_POLICY_LEN = 64 };

struct snp_edited {
	struct forge forge;
	EVP_PKEY *stranger, *id_key, *author_key; /* live as long as the program */
	struct span leaf, ca, ark;
	struct idblock block;
	uint8_t id_key_digest[SNP_DIGEST_LEN], author_key_digest[SNP_DIGEST_LEN];
	uint8_t policy_bytes[SNP_EDITED_POLICY_LEN];
	struct reader edits; /* the input behind its head */
};

/* What the bytes of a policy are, to be edited one by one. */
enum snp_edited_policy {
	SNP_EDITED_FLAGS, /* the bits below */
	SNP_EDITED_SETS,  /* of each set of values: it holds the report's own */
	SNP_EDITED_OTHER, /* and it holds another */
	SNP_EDITED_VMPL,
	SNP_EDITED_STEPPING, /* one less than that; 0: not asked */
	SNP_EDITED_VERSION,
	SNP_EDITED_SVN,
	SNP_EDITED_BUILD,
	SNP_EDITED_API,           /* two */
	SNP_EDITED_FIRMWARE = 10, /* three */
	SNP_EDITED_PRODUCT = 13,  /* 0: any */
	SNP_EDITED_TCB = 16,      /* three floors: bootloader, SNP, microcode */
	SNP_EDITED_LAUNCH_TCB = 20,
	SNP_EDITED_GUEST = 24,
	SNP_EDITED_PLATFORM = 32,
	SNP_EDITED_REFUSED = 40,
	SNP_EDITED_MITIGATIONS = 48, /* at launch; now */
};
enum snp_edited_flag {
	SNP_EDITED_NO_VLEK = 1,
	SNP_EDITED_CSP = 2,
	SNP_EDITED_AUTHOR = 4,
	SNP_EDITED_CHIP_LIST = 8,
	SNP_EDITED_OF_RUN = 16,
	SNP_EDITED_LAUNCH_FLOOR = 32,
	SNP_EDITED_PROVISIONAL = 64,
	SNP_EDITED_OTHER_CSP = 128,
};

static inline void snp_edited_keys(struct snp_edited *ev)
{
	struct err e;

	if (ev->stranger)
		return;
	ev->stranger = EVP_EC_gen("P-384");
	ev->id_key = EVP_EC_gen("P-384");
	ev->author_key = EVP_EC_gen("P-384");
	MUST(idblock_key_digest(ev->id_key, ev->id_key_digest, &e) == 0);
	MUST(idblock_key_digest(ev->author_key, ev->author_key_digest, &e) == 0);
}

static inline void snp_edited_make(struct snp_edited *ev, enum snp_product product,
				   enum snp_signing_key key, unsigned version, bool block,
				   bool author)
{
	static const uint32_t versions[] = { 3, 2, 5 };
	static struct forge made[SNP_PRODUCTS][2][3]; /* a signature takes long */
	struct forge *good = &made[product][key][version % 3];
	struct snp_report *r = &ev->forge.report;

	snp_edited_keys(ev);
	if (!good->input.report.len) {
		forge_init(good, product, versions[version % 3], key);
		/* AMD's intermediates sign no lists; Turin's here do, so that there are some. */
		good->ca.usage =
			product == SNP_TURIN ? "critical,keyCertSign,cRLSign" : good->ca.usage;
		if (product == SNP_TURIN)
			forge_certificates(good);
	}
	ev->forge = *good;
	ev->leaf = ev->forge.input.vek;
	ev->ca = ev->forge.input.intermediate;
	ev->ark = ev->forge.input.ark;
	memset(ev->policy_bytes, 0, sizeof(ev->policy_bytes));
	bytes_put_le(ev->policy_bytes + SNP_EDITED_GUEST, SNP_POLICY_RESERVED_ONE, 8);
	bytes_put_le(ev->policy_bytes + SNP_EDITED_PLATFORM, SNP_PLATFORM_ALIAS_CHECK_COMPLETE, 8);
	if (block) {
		memcpy(r->id_key_digest, ev->id_key_digest, SNP_DIGEST_LEN);
		ev->policy_bytes[SNP_EDITED_SETS] = 1;
	}
	if (block && author) {
		memcpy(r->author_key_digest, ev->author_key_digest, SNP_DIGEST_LEN);
		r->flags |= SNP_FLAG_AUTHOR_KEY_EN;
		ev->policy_bytes[SNP_EDITED_SETS] |= 2;
	}
	ev->block = (struct idblock){ .guest_svn = r->guest_svn, .policy = r->policy };
	memcpy(ev->block.measurement, r->measurement, SNP_DIGEST_LEN);
}

/* A list of the ARK (0) or of the intermediate (1), which may name the certificate below. */
static inline struct span snp_edited_list(const struct snp_edited *ev, size_t which, bool revokes)
{
	static struct {
		uint8_t der[FORGE_CRL_MAX];
		size_t len;
	} made[SNP_PRODUCTS][2][2][2], *list;
	const struct forge_cert *issuer = which ? &ev->forge.ca : &ev->forge.root;
	const long serial = which ? ev->forge.leaf.serial : ev->forge.ca.serial;

	list = &made[ev->forge.product][snp_report_signing_key(&ev->forge.report)][which][revokes];
	if (!list->len)
		list->len =
			forge_crl(which ? ev->forge.ca_key : ev->forge.root_key, issuer->subject,
				  &serial, revokes, FORGE_AT - 9, FORGE_AT + 9, list->der);
	return (struct span){ list->der, list->len };
}

/* Leaf, intermediate and ARK, or none; and a list, which may be empty. */
static inline void snp_edited_table(const struct snp_edited *ev, const struct span certs[3],
				    struct span list, struct writer *w)
{
	static const uint8_t guids[][16] = {
		{ 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b,
		  0xe8, 0xac, 0xcd },
		{ 0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45,
		  0xa0, 0xb8, 0xa1 },
		{ 0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3,
		  0x27, 0xc7, 0x82 },
		{ 0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01,
		  0x4c, 0xd0, 0xae },
		{ 0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f, 0x88,
		  0xdc, 0x67, 0xea },
	};
	bool vlek = snp_report_signing_key(&ev->forge.report) == SNP_KEY_VLEK;
	struct span entries[4] = { { NULL, 0 } };
	const size_t which[] = { vlek ? 1 : 0, 2, 3, 4 };
	size_t at = 24;

	for (size_t i = 0; certs && i < 3; i++)
		entries[i] = certs[i];
	entries[3] = list;
	for (size_t i = 0; i < 4; i++)
		at += entries[i].len ? 24 : 0;
	for (size_t i = 0; i < 4; i++) {
		if (!entries[i].len)
			continue;
		writer_bytes(w, guids[which[i]], 16);
		writer_le32(w, (uint32_t)at);
		writer_le32(w, (uint32_t)entries[i].len);
		at += entries[i].len;
	}
	writer_zeros(w, 24);
	for (size_t i = 0; i < 4; i++)
		writer_bytes(w, entries[i].bytes, entries[i].len);
}

static inline void snp_edited_sets(const struct snp_edited *ev, uint8_t own, uint8_t other,
				   struct snp_policy *p)
{
	static uint8_t values[7][2][SNP_CHIP_ID_LEN];
	const struct snp_report *r = &ev->forge.report;
	const struct {
		struct value_set *set;
		const uint8_t *value;
		size_t len;
	} rows[] = {
		{ &p->id_key_digests, r->id_key_digest, SNP_DIGEST_LEN },
		{ &p->author_key_digests, r->author_key_digest, SNP_DIGEST_LEN },
		{ &p->family_ids, r->family_id, SNP_ID_LEN },
		{ &p->image_ids, r->image_id, SNP_ID_LEN },
		{ &p->report_ids, r->report_id, SNP_REPORT_ID_LEN },
		{ &p->report_id_mas, r->report_id_ma, SNP_REPORT_ID_LEN },
		{ &p->chip_ids, r->chip_id, SNP_CHIP_ID_LEN },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t count = 0;

		if (own & 1u << i)
			memcpy(values[i][0], rows[i].value, rows[i].len), count = 1;
		if (other & 1u << i)
			memset((uint8_t *)values[i] + count++ * rows[i].len, 0x99, rows[i].len);
		*rows[i].set = (struct value_set){ (uint8_t *)values[i], count };
	}
}

static inline void snp_edited_floors(const uint8_t *b, struct snp_policy *p)
{
	p->vmpl = b[SNP_EDITED_VMPL];
	p->stepping = b[SNP_EDITED_STEPPING] - 1;
	p->min_version = b[SNP_EDITED_VERSION];
	p->min_guest_svn = b[SNP_EDITED_SVN];
	p->min_build = b[SNP_EDITED_BUILD];
	p->min_api_major = b[SNP_EDITED_API];
	p->min_api_minor = b[SNP_EDITED_API + 1];
	memcpy(p->min_firmware, b + SNP_EDITED_FIRMWARE, sizeof(p->min_firmware));
	p->product = (enum snp_product)(b[SNP_EDITED_PRODUCT] % SNP_PRODUCTS);
	p->min_tcb = (struct snp_tcb){ .bootloader = b[SNP_EDITED_TCB],
				       .snp = b[SNP_EDITED_TCB + 1],
				       .microcode = b[SNP_EDITED_TCB + 2] };
	p->min_launch_tcb = (struct snp_tcb){ .bootloader = b[SNP_EDITED_LAUNCH_TCB],
					      .snp = b[SNP_EDITED_LAUNCH_TCB + 1],
					      .microcode = b[SNP_EDITED_LAUNCH_TCB + 2] };
	p->guest_policy = bytes_le(b + SNP_EDITED_GUEST, 8);
	p->platform_info = bytes_le(b + SNP_EDITED_PLATFORM, 8);
	p->platform_refused = bytes_le(b + SNP_EDITED_REFUSED, 8);
	p->launch_mit_vector = b[SNP_EDITED_MITIGATIONS];
	p->current_mit_vector = b[SNP_EDITED_MITIGATIONS + 1];
}

/* The policy of those bytes; missing ones are zero. The measurement is always the forge's. */
static inline void snp_edited_policy(const struct snp_edited *ev, struct span bytes,
				     struct snp_policy *p)
{
	uint8_t b[SNP_EDITED_POLICY_LEN] = { 0 }, flags;

	memcpy(b, bytes.bytes, bytes.len < sizeof(b) ? bytes.len : sizeof(b));
	flags = b[SNP_EDITED_FLAGS];
	snp_policy_init(p);
	snp_edited_floors(b, p);
	snp_edited_sets(ev, b[SNP_EDITED_SETS], b[SNP_EDITED_OTHER], p);
	p->measurements = (struct value_set){ ev->forge.report.measurement, 1 };
	p->allow_vlek = !(flags & SNP_EDITED_NO_VLEK);
	p->csp_id = flags & SNP_EDITED_OTHER_CSP ? "CN=other.example"
		    : flags & SNP_EDITED_CSP     ? "CN=cloud.example"
						 : NULL;
	p->require_author_key = flags & SNP_EDITED_AUTHOR;
	p->require_chip_allow_list = flags & SNP_EDITED_CHIP_LIST;
	p->host_data_of_run = flags & SNP_EDITED_OF_RUN;
	p->launch_floors = flags & SNP_EDITED_LAUNCH_FLOOR ? snp_tcb_named(&p->min_launch_tcb) : 0;
	p->allow_provisional = flags & SNP_EDITED_PROVISIONAL;
}
