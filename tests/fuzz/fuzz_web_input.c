/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a form of the page, or a body of its API, says, as the message that a method takes.
 *
 * Input: which action(1), the path's parameter: length(1) bytes, the query: length(1) bytes, and the body. Each request
 * that is taken has what is needed, and is a message that can be sent.
 */
#include "common/base/reader.h"
#include "common/http/target.h"
#include "computations/web/web_import.h"
#include "computations/web/web_input.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* New ones at the end: the corpus counts them. */
static const struct {
	const struct web_action *action;
	bool is_form;
} actions[] = {
	{ &web_page_run, true },
	{ &web_page_stop, true },
	{ &web_page_remove, true },
	{ &web_page_give, true },
	{ &web_page_take, true },
	{ &web_page_end, true },
	{ &web_page_end_others, true },
	{ &web_page_revoke, true },
	{ &web_page_token, true },
	{ &web_page_release, true },
	{ &web_api_run, false },
	{ &web_api_stop, false },
	{ &web_api_remove, false },
	{ &web_api_give, false },
	{ &web_api_take, false },
	{ &web_api_define, false },
	{ &web_api_undefine, false },
	{ &web_api_release, false },
	{ &web_api_end, false },
	{ &web_api_revoke, false },
	{ &web_api_token, false },
	{ &web_page_member_role, true },
	{ &web_page_member_suspend, true },
	{ &web_page_invite, true },
	{ &web_page_withdraw, true },
	{ &web_api_member_role, false },
	{ &web_api_member_suspend, false },
	{ &web_api_invite, false },
	{ &web_api_withdraw, false },
	{ &web_page_asset, true },
	{ &web_api_asset, false },
	{ &web_page_join, true },
	{ &web_api_join, false },
	{ &web_page_member_remove, true },
	{ &web_api_member_remove, false },
	{ &web_page_asset_remove, true },
	{ &web_api_asset_remove, false },
	{ &web_page_workspace, true },
	{ &web_api_workspace, false },
	{ &web_page_workspace_rename, true },
	{ &web_api_workspace_rename, false },
	{ &web_api_import, false },
	{ &web_page_key_retire, true },
	{ &web_api_key_retire, false },
	{ &web_page_rename, true },
	{ &web_api_rename, false },
	{ &web_page_identity_remove, true },
	{ &web_api_identity_remove, false },
};
enum { PART_MAX = 255 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* The request: none of http_server.h's, which has a connection. */
static struct {
	char param[PART_MAX + 1];
	struct http_target target;
	const uint8_t *body;
	size_t len;
} asked;

const char *__wrap_http_request_param(const struct http_request *r, const char *name);
const char *__wrap_http_request_query(const struct http_request *r, const char *name);
const uint8_t *__wrap_http_request_body(const struct http_request *r, size_t *len);

const char *__wrap_http_request_param(const struct http_request *r, const char *name)
{
	return asked.param;
}

const char *__wrap_http_request_query(const struct http_request *r, const char *name)
{
	return http_target_query(&asked.target, name);
}

const uint8_t *__wrap_http_request_body(const struct http_request *r, size_t *len)
{
	*len = asked.len;
	return asked.body;
}

/* A text of the input up to its first zero byte, if any. */
static void read_part(struct reader *r, char part[PART_MAX + 1])
{
	size_t len = reader_u8(r);

	if (len > reader_left(r))
		len = reader_left(r);
	reader_copy(r, part, len);
	part[len] = '\0';
}

static void check_input(const struct web_input *i, const struct web_message *m)
{
	const char *at = (const char *)m->message + i->at;
	uint64_t number;

	switch (i->kind) {
	case INPUT_TEXT:
		assert(!i->is_needed || **(const char *const *)(const void *)at);
		break;
	case INPUT_U32:
	case INPUT_U64:
		number = i->kind == INPUT_U32 ? *(const uint32_t *)(const void *)at
					      : *(const uint64_t *)(const void *)at;
		assert(number <= i->most && (number || !i->is_needed));
		break;
	case INPUT_DOCUMENT:
		number = ((const ProtobufCBinaryData *)(const void *)at)->len;
		assert(number || !i->is_needed);
		break;
	case INPUT_DIGEST:
		number = ((const ProtobufCBinaryData *)(const void *)at)->len;
		assert(number == sizeof(m->digest) || (!number && !i->is_needed));
		break;
	case INPUT_ACTIONS:
		number = *(const size_t *)(const void *)((const char *)m->message + i->count);
		assert(number <= ACTIONS && (number || !i->is_needed));
		break;
	case INPUT_PEOPLE:
		number = *(const size_t *)(const void *)((const char *)m->message + i->count);
		assert(number <= i->most);
		break;
	case INPUT_FLAG:
	default:
		break;
	}
}

static void check_message(const struct web_action *action, const struct web_message *m)
{
	ProtobufCMessage *again;
	uint8_t *packed;
	size_t len;

	for (const struct web_input *i = action->inputs; i->name; i++)
		check_input(i, m);
	assert(protobuf_c_message_check(m->message));
	packed = malloc(protobuf_c_message_get_packed_size(m->message) + 1);
	assert(packed);
	len = protobuf_c_message_pack(m->message, packed);
	again = protobuf_c_message_unpack(action->request, NULL, len, packed);
	assert(again);
	protobuf_c_message_free_unpacked(again, NULL);
	free(packed);
}

static void run(const struct web_action *action, bool is_form)
{
	CLEANUP(web_form_free) struct web_form *form = NULL;
	struct web_message m CLEANUP_WEB_MESSAGE = { .form = NULL };
	struct err e;

	if (is_form && web_input_form(NULL, action, &form, &e) < 0) {
		assert(e.code == ERR_INVALID && *e.text);
		return;
	}
	if (web_input_take(NULL, action, form, &m, &e) == 0) {
		assert(!*m.field);
		check_message(action, &m);
	} else {
		assert((e.code == ERR_INVALID || e.code == ERR_NOT_FOUND) && *e.text && *m.field);
		assert(!strchr(e.text, '\n'));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	size_t which = reader_u8(&r) % ARRAY_LEN(actions);
	char query[PART_MAX + 3] = "/?";
	bool is_form = actions[which].is_form;
	struct err e;

	read_part(&r, asked.param);
	read_part(&r, query + 2);
	if (http_target_parse(query[2] ? query : "/", &asked.target, &e) < 0)
		return 0;
	asked.len = reader_left(&r);
	asked.body = bytes + len - asked.len;
	if (asked.len <= (is_form ? WEB_FORM_MAX + 1 : WEB_BODY_MAX))
		run(actions[which].action, is_form);
	return 0;
}
