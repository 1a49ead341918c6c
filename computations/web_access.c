/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web_access.h"

int web_access_take(struct web *web, const struct http_request *r, struct admin_caller *caller,
		    struct err *e)
{
	const char *word = http_request_header(r, "authorization", 0);
	struct admin_caller got = { .deed = web_deed_of(web, r) };

	if (web_door_check_origin(r, e) < 0)
		return err_code(e);
	if (word) {
		if (admin_access_token(http_request_header(r, "authorization", 1) ? "" : word, &got,
				       e) < 0)
			return err_code(e);
	} else if (http_request_is_tls(r) && web->service->sign_in) {
		return err_set(e, ERR_UNAUTHENTICATED,
			       "sign in: show a token, as 'authorization: Bearer TOKEN'");
	} else if (web_door_check(&web->door, r, e) < 0) {
		return err_code(e);
	}
	*caller = got;
	return 0;
}
