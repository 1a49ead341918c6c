/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tdx/tdx_document.h"

#include "attestation/tdx/tdx_signed.h"
#include "common/base/timestamp.h"

#include <string.h>

int tdx_member_is(const struct json *object, const char *key, const char *wanted, struct err *e)
{
	const char *text;

	if (json_get_string(object, key, &text, e) < 0)
		return err_code(e);
	if (strcmp(text, wanted) != 0)
		return err_set(e, ERR_INVALID, "%s is '%.40s', wanted '%s'", key, text, wanted);
	return 0;
}

int tdx_member_u64(const struct json *object, const char *key, uint64_t max, uint64_t *value,
		   struct err *e)
{
	uint64_t number;

	if (json_get_u64(object, key, &number, e) < 0)
		return err_code(e);
	if (number > max)
		return err_set(e, ERR_INVALID, "%s is %llu, which is more than %llu", key,
			       (unsigned long long)number, (unsigned long long)max);
	*value = number;
	return 0;
}

int tdx_member_version(const struct json *object, uint64_t wanted, struct err *e)
{
	uint64_t version;

	if (tdx_member_u64(object, "version", UINT32_MAX, &version, e) < 0)
		return err_code(e);
	if (version != wanted)
		return err_set(e, ERR_INVALID, "version is %llu, wanted %llu",
			       (unsigned long long)version, (unsigned long long)wanted);
	return 0;
}

static int member_time(const struct json *object, const char *key, int64_t *seconds, struct err *e)
{
	const char *text;

	if (json_get_string(object, key, &text, e) < 0)
		return err_code(e);
	if (timestamp_parse(text, seconds, e) < 0)
		return err_wrap(e, "%s", key);
	return 0;
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool takes(struct span *rest, const char *text)
{
	size_t len = strlen(text);

	if (rest->len < len || memcmp(rest->bytes, text, len) != 0)
		return false;
	*rest = (struct span){ rest->bytes + len, rest->len - len };
	return true;
}

static bool takes_digits(struct span *rest, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (i >= rest->len || !memchr("0123456789abcdefABCDEF", rest->bytes[i], 22))
			return false;
	*rest = (struct span){ rest->bytes + count, rest->len - count };
	return true;
}

/* Nothing signs what stands around the body. Intel writes it in one way; JSON has many (an escape in
 * a name, another order, white space), and each would be a document with other bytes that says the
 * same. White space before and after the whole is what copying adds, and both cases of digits are about. */
static int check_spelling(struct span bytes, const char *name, const struct tdx_document *d,
			  struct err *e)
{
	struct span rest = bytes;

	while (rest.len && is_space(rest.bytes[0]))
		rest = (struct span){ rest.bytes + 1, rest.len - 1 };
	while (rest.len && is_space(rest.bytes[rest.len - 1]))
		rest.len--;
	if (takes(&rest, "{\"") && takes(&rest, name) && takes(&rest, "\":") &&
	    rest.bytes == d->body.bytes) {
		rest = (struct span){ rest.bytes + d->body.len, rest.len - d->body.len };
		if (takes(&rest, ",\"signature\":\"") &&
		    takes_digits(&rest, 2 * sizeof(d->signature)) && takes(&rest, "\"}") &&
		    !rest.len)
			return 0;
	}
	return err_set(e, ERR_INVALID,
		       "not written as Intel writes it: {\"%s\":…,\"signature\":\"…\"}, without "
		       "space or escapes around the signed body",
		       name);
}

static int document_read(const struct json *root, struct span bytes, const char *name,
			 struct tdx_document *d, struct err *e)
{
	const char *const known[] = { name, "signature", NULL };
	const struct json *body;

	if (root->type != JSON_OBJECT)
		return err_set(e, ERR_INVALID, "not an object");
	if (json_only_keys(root, known, e) < 0 || json_get_object(root, name, &body, e) < 0 ||
	    json_get_hex(root, "signature", d->signature, sizeof(d->signature), e) < 0 ||
	    member_time(body, "issueDate", &d->issue_date, e) < 0 ||
	    member_time(body, "nextUpdate", &d->next_update, e) < 0 ||
	    tdx_member_u64(body, "tcbEvaluationDataNumber", UINT32_MAX, &d->evaluation, e) < 0)
		return err_code(e);
	d->body = (struct span){ bytes.bytes + body->start, body->end - body->start };
	return check_spelling(bytes, name, d, e);
}

int tdx_document_error(const char *name, struct err *e)
{
	if (e->code == ERR_NOT_FOUND)
		e->code = ERR_INVALID;
	return err_wrap(e, "%s", name);
}

int tdx_document_open(struct span bytes, const char *name, struct tdx_document *d,
		      const struct json **body, struct err *e)
{
	struct json *root;

	if (json_parse(bytes.bytes, bytes.len, &root, e) < 0)
		return tdx_document_error(name, e);
	if (document_read(root, bytes, name, d, e) < 0) {
		json_free(root);
		return tdx_document_error(name, e);
	}
	d->json = root;
	*body = json_get(root, name);
	return 0;
}

void tdx_document_done(struct tdx_document *d)
{
	json_free(d->json);
	d->json = NULL;
}

int tdx_document_verify(const struct tdx_document *d, const struct x509 *signer,
			struct signatures *signatures, struct err *e)
{
	const struct x509_known known = { signatures, SIGNATURES_AUTHORITIES };

	return tdx_signed_verify(signer, d->body,
				 (struct span){ d->signature, sizeof(d->signature) }, &known, e);
}

static int advisories_read(const struct json *level, struct tdx_advisories *advisories,
			   struct err *e)
{
	const struct json *array;

	advisories->array = NULL;
	if (!json_get(level, "advisoryIDs"))
		return 0;
	if (json_get_array(level, "advisoryIDs", &array, e) < 0)
		return err_code(e);
	if (array->count > TDX_ADVISORIES_MAX)
		return err_set(e, ERR_INVALID, "advisoryIDs: %zu are more than %d", array->count,
			       TDX_ADVISORIES_MAX);
	for (size_t i = 0; i < array->count; i++) {
		const struct json *id = &array->items[i];

		if (id->type != JSON_STRING || !*id->text ||
		    strlen(id->text) >= TDX_ADVISORY_LEN_MAX)
			return err_set(e, ERR_INVALID,
				       "advisoryIDs[%zu] is no text of 1 to %d characters", i,
				       TDX_ADVISORY_LEN_MAX - 1);
	}
	advisories->array = array;
	return 0;
}

int tdx_level_common(const struct json *level, enum tdx_status *status, int64_t *date,
		     struct tdx_advisories *advisories, struct err *e)
{
	const char *text;

	if (json_get_string(level, "tcbStatus", &text, e) < 0 ||
	    tdx_status_parse(text, status, e) < 0)
		return err_code(e);
	if (*status >= TDX_RELAUNCH_ADVISED)
		return err_set(e, ERR_INVALID, "tcbStatus: no level has '%s'", text);
	if (member_time(level, "tcbDate", date, e) < 0)
		return err_code(e);
	return advisories_read(level, advisories, e);
}

static int isv_level_read(const struct json *node, uint64_t isvsvn_max, struct tdx_isv_level *level,
			  struct err *e)
{
	const struct json *tcb;
	uint64_t isvsvn;

	if (node->type != JSON_OBJECT)
		return err_set(e, ERR_INVALID, "not an object");
	if (json_get_object(node, "tcb", &tcb, e) < 0 ||
	    tdx_member_u64(tcb, "isvsvn", isvsvn_max, &isvsvn, e) < 0 ||
	    tdx_level_common(node, &level->status, &level->date, &level->advisories, e) < 0)
		return err_code(e);
	if (level->status != TDX_UP_TO_DATE && level->status != TDX_OUT_OF_DATE &&
	    level->status != TDX_REVOKED)
		return err_set(e, ERR_INVALID, "tcbStatus: '%s' is none of a level by ISVSVN",
			       tdx_status_name(level->status));
	level->isvsvn = (uint16_t)isvsvn;
	return 0;
}

int tdx_isv_levels(const struct json *object, uint64_t isvsvn_max, struct tdx_isv_level *levels,
		   size_t *count, struct err *e)
{
	const struct json *array;

	if (json_get_array(object, "tcbLevels", &array, e) < 0)
		return err_code(e);
	if (array->count < 1 || array->count > TDX_MODULE_LEVELS_MAX)
		return err_set(e, ERR_INVALID, "tcbLevels: %zu of them, wanted 1 to %d",
			       array->count, TDX_MODULE_LEVELS_MAX);
	for (size_t i = 0; i < array->count; i++)
		if (isv_level_read(&array->items[i], isvsvn_max, &levels[i], e) < 0)
			return err_wrap(e, "tcbLevels[%zu]", i);
	*count = array->count;
	return 0;
}
