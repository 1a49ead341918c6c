/* SPDX-License-Identifier: Apache-2.0 */
/* The form by which a computation is made: what it becomes, each truncation, each limit and one more. */
#include "common/http/form.h"
#include "computations/web/web_new.h"
#include "computations/web/web_security.h"
#include "tests/unit.h"

#include <stdio.h>

#define ID "11111111-2222-4333-8444-555555555555"

static struct {
	char text[HTTP_FORM_MAX + 64];
	size_t len;
} body;

const uint8_t *__wrap_http_request_body(const struct http_request *r, size_t *len);
const uint8_t *__wrap_http_request_body(const struct http_request *r, size_t *len)
{
	(void)r;
	*len = body.len;
	return (const uint8_t *)body.text;
}

/* The whole form, in which one field has another value. */
static void write_form(const char *other, const char *value)
{
	static const char *const values[][2] = {
		{ "id", ID },
		{ "workspace", "default" },
		{ "name", "sum" },
		{ "type", "python" },
		{ "algorithm", "train" },
		{ "provider", "anna" },
		{ "consumers", "carl" },
		{ "security", "none" },
		{ "d1_file", "scans" },
		{ "d1_user", "bert" },
	};
	FILE *out = fmemopen(body.text, sizeof(body.text), "w");

	assert_non_null(out);
	for (const char *const *name = web_new_needed; *name; name++) {
		const char *text = other && strcmp(other, *name) == 0 ? value : "";

		for (size_t i = 0; !*text && i < ARRAY_LEN(values); i++)
			if (strcmp(values[i][0], *name) == 0)
				text = values[i][1];
		fprintf(out, "%s%s=%s", name == web_new_needed ? "" : "&", *name, text);
	}
	fprintf(out, "&roles=true");
	assert_int_equal(fclose(out), 0);
	body.len = strlen(body.text);
}

static int read_form(struct web_new *n, struct err *e)
{
	static const struct web_form_names names = { web_new_needed, web_new_others, web_files };

	memset(n, 0, sizeof(*n));
	return web_form_read_names(NULL, &names, &n->form, e) < 0 ? err_code(e)
								  : web_new_read(n, e);
}

static void done(struct web_new *n)
{
	web_form_free(n->form);
	free(n->made);
}

static void take(const char *other, const char *value)
{
	static struct web_new n;
	struct err e;

	write_form(other, value);
	assert_ok(read_form(&n, &e), e);
	assert_non_null(n.made);
	done(&n);
}

static void refuse(const char *other, const char *value, const char *words)
{
	static struct web_new n;
	struct err e = { .text = "" };

	write_form(other, value);
	assert_refused(read_form(&n, &e), e, ERR_INVALID, words);
	assert_null(n.made);
	done(&n);
}

/* So many words, or characters where there is nothing between. */
static const char *many(const char *one, const char *between, size_t count)
{
	static char text[WEB_FORM_MAX + 1];
	size_t len = 0;

	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? between : "",
					one);
	return text;
}

static void a_form_becomes_a_manifest(void **state)
{
	static const char wanted[] =
		"{\"id\":\"" ID "\",\"name\":\"sum\",\"description\":\"\",\"algorithm\":{\"hash\":"
		"\"asset:train\",\"user_key\":\"user:anna\",\"algo_type\":\"python\"},\"datasets\":"
		"[{\"hash\":\"asset:scans\",\"user_key\":\"user:bert\",\"filename\":\"\"}],"
		"\"result_consumers\":[{\"user_key\":\"user:carl\"}],\"agent_config\":{},\"cocos\":"
		"{\"layout\":\"folders\",\"logs\":\"consumers\"}}";
	static struct web_new n;
	struct err e;

	(void)state;
	write_form(NULL, NULL);
	assert_ok(read_form(&n, &e), e);
	assert_int_equal(n.len, sizeof(wanted) - 1);
	assert_memory_equal(n.text, wanted, n.len);
	assert_int_equal(n.grant_count, 3);
	assert_string_equal(n.grants[1].role, "dataset_provider");
	assert_string_equal(n.grants[1].user, "bert");
	done(&n);
}

static void every_truncation_is_refused(void **state)
{
	static struct web_new n;
	size_t whole, last;
	struct err e;

	(void)state;
	write_form(NULL, NULL);
	whole = body.len - strlen("&roles=true");
	last = whole - strlen("d5_user=");
	for (size_t len = 0; len < whole; len++) {
		body.len = len;
		/* Without its sign of equality a name has an empty value, as that one has. */
		if (len == last + strlen("d5_user"))
			continue;
		assert_int_equal(read_form(&n, &e), -ERR_INVALID);
		done(&n);
	}
}

static void names_of_users_have_a_limit(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const char *field = (const char *const[]){ "provider", "d5_user", "consumers" }[i];

		take(field, many("a", "", PEOPLE_NAME_MAX));
		refuse(field, many("a", "", PEOPLE_NAME_MAX + 1), "user's name");
	}
}

static void lists_have_limits(void **state)
{
	(void)state;
	take("arguments", many("a", "+", 64));
	refuse("arguments", many("a", "+", 65), "64 at most");
	refuse("arguments", "a+%22b", "a quote is not closed");
	take("consumers", many("a", ",", WEB_NEW_CONSUMERS));
	refuse("consumers", many("a", ",", WEB_NEW_CONSUMERS + 1), "1 to 8");
	refuse("consumers", ",+,", "1 to 8");
}

static void an_id_is_one(void **state)
{
	(void)state;
	refuse("id", many("1", "", WEB_NEW_ID_LEN), "id");
	refuse("id", many("1", "", WEB_NEW_ID_LEN - 1), "id");
	refuse("id", ID "1", "id");
	refuse("id", "11111111-2222-4333-8444-55555555555g", "id");
}

/* Whatever is escaped, the rest of a form that may be so long has room; a name of an asset may be as long, for who looks
 * it up refuses it in words that help. */
static void what_fits_into_a_form_fits(void **state)
{
	static const char escaped[] = "%3C";
	static char text[HTTP_FORM_MAX];

	(void)state;
	for (size_t i = 0; i < (HTTP_FORM_MAX - 1024) / 3; i++)
		memcpy(text + 3 * i, escaped, 3);
	take("description", text);
	take("algorithm", text);
	take("d1_file", text);
	take("algorithm", many("a", "", WEB_FORM_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_form_becomes_a_manifest),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(names_of_users_have_a_limit),
		cmocka_unit_test(lists_have_limits),
		cmocka_unit_test(an_id_is_one),
		cmocka_unit_test(what_fits_into_a_form_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
