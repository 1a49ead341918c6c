/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a form of the page, or a body of its API, says, as the message that a method takes.
 *
 * Input: which action(1), the path's parameter: length(1) bytes, the query: length(1) bytes, and the body. Each request
 * that is taken has what is needed, and is a message that can be sent.
 */
#include "common/base/reader.h"
#include "common/http/target.h"
#include "computations/web/web_input.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct web_action *const actions[] = {
	&web_page_run,   &web_page_stop,       &web_page_remove, &web_page_give,  &web_page_take,
	&web_page_end,   &web_page_end_others, &web_page_revoke, &web_page_token, &web_page_release,
	&web_api_run,    &web_api_stop,        &web_api_remove,  &web_api_give,   &web_api_take,
	&web_api_define, &web_api_undefine,    &web_api_release, &web_api_end,    &web_api_revoke,
	&web_api_token,
};
enum { FORMS = 10, PART_MAX = 255 };

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
	case INPUT_ACTIONS:
		number = *(const size_t *)(const void *)((const char *)m->message + i->count);
		assert(number <= ACTIONS && (number || !i->is_needed));
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
	bool is_form = which < FORMS;
	struct err e;

	read_part(&r, asked.param);
	read_part(&r, query + 2);
	if (http_target_parse(query[2] ? query : "/", &asked.target, &e) < 0)
		return 0;
	asked.len = reader_left(&r);
	asked.body = bytes + len - asked.len;
	if (asked.len <= (is_form ? WEB_FORM_MAX + 1 : WEB_BODY_MAX))
		run(actions[which], is_form);
	return 0;
}
