/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/audit_client.h"

#include <inttypes.h>
#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

static int take_heads(struct audit_client *a, const Computations__AuditResponse *page,
		      struct err *e)
{
	struct audit_head after, head;

	if (audit_head_parse(page->after, &after, e) < 0 ||
	    audit_head_parse(page->head, &head, e) < 0) {
		e->code = ERR_DATA_LOSS;
		return err_wrap(e, "the service's answer");
	}
	if (a->begun && memcmp(&after, &a->at, sizeof(after)) != 0)
		return err_set(e, ERR_DATA_LOSS,
			       "the service's audit log has another row %" PRIu64
			       " than the one that came before, or lacks it by now",
			       a->at.number);
	if (!a->begun && a->begin && a->begin(a->data, &after, e) < 0)
		return err_code(e);
	if (!a->begun)
		a->at = after;
	a->begun = true;
	a->head = head;
	return 0;
}

static int take_rows(struct audit_client *a, const Computations__AuditResponse *page, struct err *e)
{
	for (size_t i = 0; i < page->n_rows; i++) {
		CLEANUP(json_free) struct json *json = NULL;
		const char *line = page->rows[i];
		struct audit_row row;

		if (audit_row_follow(&a->at, line, strlen(line), &json, &row, e) < 0)
			return err_wrap(e, "the service's audit log");
		if (a->take(a->data, &row, line, e) < 0)
			return err_code(e);
	}
	return 0;
}

static int ask(struct client *client, uint64_t after, ProtobufCMessage **response, struct err *e)
{
	Computations__AuditRequest request = COMPUTATIONS__AUDIT_REQUEST__INIT;

	request.after = after;
	return client_call(client, &computation_audit, &request.base, response, e);
}

/* `*more`: there are rows behind these. */
static int read_page(struct audit_client *a, uint64_t after, bool *more, struct err *e)
{
	const Computations__AuditResponse *page;
	ProtobufCMessage *response;

	if (ask(a->client, after, &response, e) < 0)
		return err_code(e);
	page = (const Computations__AuditResponse *)response;
	int failed = take_heads(a, page, e);

	if (!failed)
		failed = take_rows(a, page, e);
	if (!failed && !page->n_rows && a->at.number < a->head.number)
		failed =
			err_set(e, ERR_DATA_LOSS, "the service has %" PRIu64 " of %" PRIu64 " rows",
				a->at.number, a->head.number);
	protobuf_c_message_free_unpacked(response, NULL);
	*more = a->at.number < a->head.number;
	return failed;
}

int audit_client_read(struct audit_client *a, uint64_t after, struct err *e)
{
	uint64_t until = 0;
	bool more;

	do {
		if (read_page(a, a->begun ? a->at.number : after, &more, e) < 0)
			return err_code(e);
		/* One that grows faster than it is read has an end all the same. */
		until = until ? until : a->head.number;
	} while (more && a->at.number < until);
	return 0;
}

int audit_client_head(struct client *client, struct audit_head *head, struct err *e)
{
	ProtobufCMessage *response;

	if (ask(client, UINT64_MAX, &response, e) < 0)
		return err_code(e);
	int failed =
		audit_head_parse(((const Computations__AuditResponse *)response)->head, head, e);

	protobuf_c_message_free_unpacked(response, NULL);
	return failed;
}

enum cli_exit audit_client_failed(struct client *client, struct err *e)
{
	if (e->code == ERR_DATA_LOSS)
		return CLI_NOT_GENUINE;
	computation_hint(client, e);
	return CLI_FAILED;
}
