/* SPDX-License-Identifier: Apache-2.0 */
/* TCB info v3 for TDX: Intel PCS API v4, "Get TDX TCB Info". */
#include "attestation/tdx/tdx_document.h"
#include "common/base/encode.h"

#include <stdlib.h>
#include <string.h>

/* "svn" of exactly TDX_COMPONENTS objects. */
static int components_read(const struct json *tcb, const char *key, uint8_t *out, struct err *e)
{
	const struct json *array;

	if (json_get_array(tcb, key, &array, e) < 0)
		return err_code(e);
	if (array->count != TDX_COMPONENTS)
		return err_set(e, ERR_INVALID, "%s: %zu components, wanted %d", key, array->count,
			       TDX_COMPONENTS);
	for (size_t i = 0; i < array->count; i++) {
		uint64_t svn;

		if (array->items[i].type != JSON_OBJECT)
			return err_set(e, ERR_INVALID, "%s[%zu] is no object", key, i);
		if (tdx_member_u64(&array->items[i], "svn", UINT8_MAX, &svn, e) < 0)
			return err_wrap(e, "%s[%zu]", key, i);
		out[i] = (uint8_t)svn;
	}
	return 0;
}

static int level_read(const struct json *node, struct tdx_tcb_level *level, struct err *e)
{
	const struct json *tcb;
	uint64_t pcesvn;

	if (node->type != JSON_OBJECT)
		return err_set(e, ERR_INVALID, "not an object");
	if (json_get_object(node, "tcb", &tcb, e) < 0 ||
	    components_read(tcb, "sgxtcbcomponents", level->sgx, e) < 0 ||
	    components_read(tcb, "tdxtcbcomponents", level->tdx, e) < 0 ||
	    tdx_member_u64(tcb, "pcesvn", UINT16_MAX, &pcesvn, e) < 0 ||
	    tdx_level_common(node, &level->status, &level->date, &level->advisories, e) < 0)
		return err_code(e);
	level->pcesvn = (uint16_t)pcesvn;
	return 0;
}

static int levels_read(const struct json *body, struct tdx_tcb_info *info, struct err *e)
{
	const struct json *array;

	if (json_get_array(body, "tcbLevels", &array, e) < 0)
		return err_code(e);
	if (array->count < 1 || array->count > TDX_LEVELS_MAX)
		return err_set(e, ERR_INVALID, "tcbLevels: %zu of them, wanted 1 to %d",
			       array->count, TDX_LEVELS_MAX);
	for (size_t i = 0; i < array->count; i++)
		if (level_read(&array->items[i], &info->levels[i], e) < 0)
			return err_wrap(e, "tcbLevels[%zu]", i);
	info->level_count = array->count;
	return 0;
}

static int module_read(const struct json *node, struct tdx_module *m, struct err *e)
{
	if (json_get_hex(node, "mrsigner", m->mrsigner, sizeof(m->mrsigner), e) < 0 ||
	    json_get_hex(node, "attributes", m->attributes, sizeof(m->attributes), e) < 0 ||
	    json_get_hex(node, "attributesMask", m->attributes_mask, sizeof(m->attributes_mask),
			 e) < 0)
		return err_code(e);
	return 0;
}

/* "TDX_" and the module's version as two hexadecimal digits of either case. */
static int module_version(const struct json *node, uint8_t *version, struct err *e)
{
	const char *id;

	if (json_get_string(node, "id", &id, e) < 0)
		return err_code(e);
	if (strncmp(id, "TDX_", 4) != 0 || hex_decode(id + 4, version, 1, e) < 0)
		return err_set(e, ERR_INVALID, "id is '%.40s', wanted the form TDX_01", id);
	return 0;
}

static int identity_read(const struct json *node, struct tdx_tcb_info *info, struct tdx_module *m,
			 struct err *e)
{
	if (node->type != JSON_OBJECT)
		return err_set(e, ERR_INVALID, "not an object");
	if (module_version(node, &m->version, e) < 0 || module_read(node, m, e) < 0 ||
	    tdx_isv_levels(node, UINT8_MAX, m->levels, &m->level_count, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < info->module_count; i++)
		if (info->modules[i].version == m->version)
			return err_set(e, ERR_INVALID, "a second one of version %u", m->version);
	return 0;
}

/* Optional: documents for the first modules have none. */
static int identities_read(const struct json *body, struct tdx_tcb_info *info, struct err *e)
{
	const struct json *array;

	if (!json_get(body, "tdxModuleIdentities"))
		return 0;
	if (json_get_array(body, "tdxModuleIdentities", &array, e) < 0)
		return err_code(e);
	if (array->count > TDX_MODULES_MAX)
		return err_set(e, ERR_INVALID, "tdxModuleIdentities: %zu are more than %d",
			       array->count, TDX_MODULES_MAX);
	for (size_t i = 0; i < array->count; i++) {
		if (identity_read(&array->items[i], info, &info->modules[i], e) < 0)
			return err_wrap(e, "tdxModuleIdentities[%zu]", i);
		info->module_count++;
	}
	return 0;
}

static int body_read(const struct json *body, struct tdx_tcb_info *info, struct err *e)
{
	const struct json *module;
	uint64_t type;

	if (tdx_member_is(body, "id", "TDX", e) < 0 || tdx_member_version(body, 3, e) < 0 ||
	    json_get_hex(body, "fmspc", info->fmspc, sizeof(info->fmspc), e) < 0 ||
	    json_get_hex(body, "pceId", info->pceid, sizeof(info->pceid), e) < 0 ||
	    tdx_member_u64(body, "tcbType", 0, &type, e) < 0 ||
	    json_get_object(body, "tdxModule", &module, e) < 0)
		return err_code(e);
	if (module_read(module, &info->module, e) < 0)
		return err_wrap(e, "tdxModule");
	if (identities_read(body, info, e) < 0)
		return err_code(e);
	return levels_read(body, info, e);
}

int tdx_tcb_info_parse(struct span bytes, struct tdx_tcb_info **info, struct err *e)
{
	CLEANUP(tdx_tcb_info_free) struct tdx_tcb_info *made = calloc(1, sizeof(*made));
	const struct json *body;

	if (!made)
		return err_nomem(e);
	if (tdx_document_open(bytes, "tcbInfo", &made->document, &body, e) < 0)
		return err_code(e);
	if (body_read(body, made, e) < 0)
		return tdx_document_error("tcbInfo", e);
	*info = TAKE_PTR(made);
	return 0;
}

void tdx_tcb_info_free(struct tdx_tcb_info *info)
{
	if (!info)
		return;
	tdx_document_done(&info->document);
	free(info);
}
