/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_guard.h"

#include "computations/web/web_access.h"
#include "computations/web/web_door.h"
#include "computations/web/web_sign_in.h"

#include <openssl/crypto.h>

int web_guard_read(struct http_request *r, void *data, struct err *e)
{
	struct admin_caller ignored;

	return web_access_take(data, r, &ignored, e);
}

int web_guard_try(struct http_request *r, void *data, struct err *e)
{
	return web_door_check_change(r, e);
}

int web_guard_change(struct http_request *r, void *data, struct err *e)
{
	struct admin_caller ignored;

	if (web_door_check_change(r, e) < 0)
		return err_code(e);
	return web_access_take(data, r, &ignored, e);
}

int web_guard_act(struct http_request *r, void *data, struct err *e)
{
	char cookie[LOGIN_TEXT_LEN + 1];
	bool is_browser = http_request_header(r, "origin", 0) ||
			  http_request_header(r, "sec-fetch-site", 0) ||
			  http_request_cookie(r, web_access_cookie(r), cookie, sizeof(cookie));
	struct admin_caller ignored;

	OPENSSL_cleanse(cookie, sizeof(cookie));
	if (is_browser && web_door_check_change(r, e) < 0)
		return err_code(e);
	return web_access_take(data, r, &ignored, e);
}

int web_guard_link(struct http_request *r, void *data, struct err *e)
{
	const struct web *web = data;

	if (web_door_check_origin(r, e) < 0)
		return err_code(e);
	if (!http_request_identity(r).has_uid)
		return err_set(e, ERR_DENIED,
			       "links are given to whoever may open the "
			       "administrators' socket");
	if (!web->door.port)
		return err_set(e, ERR_PRECONDITION,
			       "COMPUTATIONS_WEB is no loopback address, and needs no link");
	return 0;
}
