/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/vectors/case.h"

#include "common/base/encode.h"
#include "common/base/file.h"
#include "tests/answers.h"
#include "tests/unit.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

const char *case_vectors(void)
{
	const char *folder = getenv("COCOS_VECTORS");
	struct stat st;

	if (!folder || stat(folder, &st) < 0) {
		print_message("# skipped: COCOS_VECTORS names no folder of vectors\n");
		return NULL;
	}
	return folder;
}

int64_t case_time(const char *text)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

	assert_non_null(end);
	assert_int_equal(*end, 0);
	return timegm(&tm);
}

static int is_folder(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

size_t case_each(const char *group, void (*run)(const char *folder))
{
	struct dirent **names;
	char path[512];
	struct stat st;
	size_t ran = 0;
	int count = scandir(group, &names, is_folder, alphasort);

	assert_true(count >= 0);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%.200s/expected.json", group, names[i]->d_name);
		if (stat(path, &st) == 0) {
			*strrchr(path, '/') = 0;
			run(path);
			ran++;
		}
		free(names[i]);
	}
	free(names);
	return ran;
}

struct span *case_file(struct snp_case *c, const char *role)
{
	static struct span none;

	for (size_t i = 0; i < c->file_count; i++)
		if (strcmp(c->files[i].role, role) == 0)
			return &c->files[i].bytes;
	none = (struct span){ 0 };
	return &none;
}

static struct span read_file(struct snp_case *c, const char *role, const char *name)
{
	char path[1024];
	struct err e;
	uint8_t *bytes;
	size_t len;

	assert_true(c->file_count < CASE_FILES_MAX);
	snprintf(path, sizeof(path), "%s/%s", c->folder, name);
	assert_ok(file_read(path, 1 << 22, &bytes, &len, &e), e);
	c->files[c->file_count].role = role;
	c->files[c->file_count].bytes = (struct span){ .bytes = bytes, .len = len };
	return c->files[c->file_count++].bytes;
}

static void load_files(struct snp_case *c)
{
	const struct json *files = json_get(c->json, "files");
	const char *root = json_get(c->json, "trusted_root")->text;

	for (size_t i = 0; i < files->count; i++)
		read_file(c, files->items[i].key, files->items[i].text);
	if (strcmp(root, "amd") != 0)
		c->input.trusted_root = read_file(c, "trusted_root", root);
	c->input.report = *case_file(c, "report");
	c->input.cert_table = *case_file(c, "cert_table");
	c->input.vek = *case_file(c, "vek");
	c->input.intermediate = *case_file(c, "ask");
	c->input.ark = *case_file(c, "ark");
	c->input.id_block = *case_file(c, "id_block");
	c->input.id_auth = *case_file(c, "id_auth");
	if (case_file(c, "crl")->bytes)
		c->input.crls[c->input.crl_count++] = *case_file(c, "crl");
	if (case_file(c, "ask_crl")->bytes)
		c->input.crls[c->input.crl_count++] = *case_file(c, "ask_crl");
}

/* A named value, or else the report's own. */
static struct value_set set_of(struct snp_case *c, const struct json *policy, const char *key,
			       const uint8_t *own, size_t len)
{
	const struct json *named = json_get(policy, key);
	uint8_t *value = c->named[c->named_count++];
	struct err e;

	assert_true(c->named_count <= ARRAY_LEN(c->named));
	if (!named)
		return (struct value_set){ .values = own, .count = 1 };
	assert_ok(hex_decode(named->text, value, len, &e), e);
	return (struct value_set){ .values = value, .count = 1 };
}

static bool flag(const struct json *policy, const char *key, bool fallback)
{
	const struct json *named = json_get(policy, key);

	return named ? named->boolean : fallback;
}

static uint64_t number(const struct json *policy, const char *key, uint64_t fallback)
{
	const struct json *named = json_get(policy, key);
	struct err e;
	uint64_t value = fallback;

	if (named)
		assert_ok(json_u64(named, &value, &e), e);
	return value;
}

static void load_sets(struct snp_case *c, const struct json *policy)
{
	struct snp_policy *p = &c->policy;
	struct value_set data = set_of(c, policy, "report_data", c->own.report_data, 64);

	memcpy(c->report_data, data.values, 64);
	c->input.report_data = c->report_data;
	p->measurements = set_of(c, policy, "measurement", c->own.measurement, 48);
	p->host_data = set_of(c, policy, "host_data", c->own.host_data, 32);
	p->family_ids = set_of(c, policy, "family_id", c->own.family_id, 16);
	p->image_ids = set_of(c, policy, "image_id", c->own.image_id, 16);
	p->id_key_digests = set_of(c, policy, "id_key_digest", c->own.id_key_digest, 48);
	p->report_id_mas = set_of(c, policy, "report_id_ma", c->own.report_id_ma, 32);
	if (json_get(policy, "author_key_digest") || snp_report_author_key_en(&c->own))
		p->author_key_digests =
			set_of(c, policy, "author_key_digest", c->own.author_key_digest, 48);
	if (json_get(policy, "chip_id"))
		p->chip_ids = set_of(c, policy, "chip_id", NULL, 64);
}

static void load_floors(struct snp_case *c, const struct json *policy)
{
	const struct json *tcb = json_get(policy, "min_tcb"), *f = json_get(policy, "min_firmware");
	struct snp_policy *p = &c->policy;

	for (size_t i = 0; tcb && i < SNP_TCB_COMPONENTS; i++)
		*((uint8_t *)&p->min_tcb + snp_tcb_components[i].at) =
			(uint8_t)number(tcb, snp_tcb_components[i].name, 0);
	for (size_t i = 0; f && i < 3; i++)
		p->min_firmware[i] = (uint8_t)atol(f->items[i].text);
	p->min_guest_svn = (uint32_t)number(policy, "min_guest_svn", 0);
	p->vmpl = (uint32_t)number(policy, "vmpl", 0);
	p->launch_mit_vector = number(policy, "require_launch_mit_vector", 0);
}

static void load_policy(struct snp_case *c)
{
	const struct json *policy = json_get(c->json, "policy");
	struct snp_policy *p = &c->policy;

	snp_policy_init(p);
	load_sets(c, policy);
	load_floors(c, policy);
	p->guest_policy = c->own.policy & ~SNP_POLICY_MIGRATE_MA;
	if (flag(policy, "allow_migrate_ma", false))
		p->guest_policy |= SNP_POLICY_MIGRATE_MA;
	if (!flag(policy, "allow_smt", true))
		p->guest_policy &= ~SNP_POLICY_SMT;
	if (flag(policy, "require_single_socket", false))
		p->guest_policy |= SNP_POLICY_SINGLE_SOCKET;
	p->platform_info = SNP_PLATFORM_TIO_EN;
	if (flag(policy, "require_alias_check", false))
		p->platform_info |= SNP_PLATFORM_ALIAS_CHECK_COMPLETE;
	if (flag(policy, "require_ecc", false))
		p->platform_info |= SNP_PLATFORM_ECC_EN;
	if (flag(policy, "require_tsme", false))
		p->platform_info |= SNP_PLATFORM_TSME_EN;
	p->require_author_key = flag(policy, "require_author_key", false);
	p->allow_provisional = flag(policy, "allow_provisional", false);
	p->allow_vlek = flag(policy, "allow_vlek", true);
	if (json_get(policy, "product"))
		p->product = snp_product_of(json_get(policy, "product")->text);
	if (json_get(policy, "csp_id"))
		p->csp_id = json_get(policy, "csp_id")->text;
	c->input.policy = p;
}

void case_load(struct snp_case *c, const char *folder)
{
	char path[600];
	struct err e;
	uint8_t *text;
	size_t len;

	memset(c, 0, sizeof(*c));
	snprintf(c->folder, sizeof(c->folder), "%s", folder);
	snprintf(path, sizeof(path), "%s/expected.json", folder);
	assert_ok(file_read(path, 1 << 20, &text, &len, &e), e);
	assert_ok(json_parse(text, len, &c->json, &e), e);
	free(text);
	load_files(c);
	if (snp_report_parse(c->input.report.bytes, c->input.report.len, &c->own, &e) < 0)
		memset(&c->own, 0, sizeof(c->own));
	c->input.at = case_time(json_get(c->json, "at")->text);
	load_policy(c);
}

void case_done(struct snp_case *c)
{
	for (size_t i = 0; i < c->file_count; i++)
		free((void *)(uintptr_t)c->files[i].bytes.bytes);
	json_free(c->json);
}

bool case_appraise(const struct snp_case *c, struct verdict *v, struct err *e)
{
	verdict_init(v, VERDICT_SCOPE_FULL);
	return snp_answer(&c->input, NULL, v, e) == 0;
}
