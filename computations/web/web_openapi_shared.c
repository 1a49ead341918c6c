/* SPDX-License-Identifier: Apache-2.0 */
/* web_openapi_shared.c — how callers are known, and told why not: parts that all operations of the API's document share. */
#include "common/base/json.h"
#include "computations/web/web_access.h"
#include "computations/web/web_openapi.h"

#include <string.h>

void web_openapi_text(struct writer *w, const char *key, const char *text)
{
	json_put_key(w, key);
	json_quote(w, text, strlen(text));
}

static void begin(struct writer *w, const char *key)
{
	json_put_key(w, key);
	writer_text(w, "{");
}

/* Without COMPUTATIONS_ADMIN_SIGN_IN a client certificate is who calls (web_access_take()). */
static bool is_certificate_enough(const struct web_work *work)
{
	return http_request_is_tls(work->r) && !work->web->service->sign_in;
}

static void put_schemes(const struct web_work *work, struct writer *w)
{
	begin(w, "securitySchemes");
	begin(w, "token");
	web_openapi_text(w, "type", "http");
	web_openapi_text(w, "scheme", "bearer");
	web_openapi_text(w, "description", "a user's token, which goes before a session");
	writer_text(w, "}");
	begin(w, "session");
	web_openapi_text(w, "type", "apiKey");
	web_openapi_text(w, "in", "cookie");
	web_openapi_text(w, "name", web_access_cookie(work->r));
	web_openapi_text(w, "description", "a browser's, from this service's own page alone");
	writer_text(w, "}");
	if (is_certificate_enough(work)) {
		begin(w, "certificate");
		web_openapi_text(w, "type", "mutualTLS");
		writer_text(w, "}");
	}
	writer_text(w, "}");
}

/* As http_problem has it (RFC 9457). */
static void put_problem(struct writer *w)
{
	static const char *const texts[] = { "type", "title", "detail", "field", "remedy" };

	begin(w, "Problem");
	web_openapi_text(w, "type", "object");
	begin(w, "properties");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		begin(w, texts[i]);
		web_openapi_text(w, "type", "string");
		writer_text(w, "}");
	}
	begin(w, "status");
	web_openapi_text(w, "type", "integer");
	writer_text(w, ",\"minimum\":400,\"maximum\":599}}");
	json_put_key(w, "required");
	writer_text(w, "[\"type\",\"title\",\"status\",\"detail\"]}");
}

void web_openapi_put_shared(const struct web_work *work, struct writer *w)
{
	begin(w, "components");
	put_schemes(work, w);
	begin(w, "schemas");
	put_problem(w);
	web_openapi_put_nouns(w);
	writer_text(w, "}");
	web_openapi_put_refusals(w);
	writer_text(w, "}");
	json_put_key(w, "security");
	writer_text(w, "[{\"token\":[]},{\"session\":[]}");
	writer_text(w, is_certificate_enough(work) ? ",{\"certificate\":[]}]" : "]");
}
