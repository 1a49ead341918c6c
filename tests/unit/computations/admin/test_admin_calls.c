/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/admin/admin.h"
#include "computations/admin/admin_billing.h"
#include "computations/admin/admin_calls.h"
#include "computations/admin/admin_certificate.h"
#include "computations/admin/admin_webhook.h"
#include "computations/admin/admin_workflow.h"
#include "tests/unit.h"

static bool is_listed(const char *path)
{
	for (size_t i = 0; i < admin_calls_methods_count; i++)
		if (strcmp(admin_calls_methods[i].path, path) == 0)
			return true;
	return false;
}

static bool has_deed(const char *path)
{
	for (size_t i = 0; i < admin_deeds_count; i++)
		if (strcmp(admin_deeds[i].path, path) == 0)
			return true;
	return false;
}

static const struct rpc_service *const services[] = { &admin_rpc,        &people_rpc,
						      &certificates_rpc, &webhooks_rpc,
						      &workflows_rpc,    &billing_rpc };

/* Otherwise it counts as one that changes something, about nobody knows what. */
static void every_method_says_whether_it_changes_something(void **state)
{
	size_t count = 0;

	for (size_t s = 0; s < ARRAY_LEN(services); s++)
		for (size_t i = 0; i < services[s]->count; i++, count++)
			if (!is_listed(services[s]->handlers[i].method.path))
				fail_msg("admin_calls_methods[] lacks %s",
					 services[s]->handlers[i].method.path);
	assert_int_equal(admin_calls_methods_count, count);
}

/* Otherwise it is for administrators of the service alone, and nobody has said so. */
static void every_method_says_what_calling_it_is(void **state)
{
	size_t count = 0;

	for (size_t s = 0; s < ARRAY_LEN(services); s++)
		for (size_t i = 0; i < services[s]->count; i++, count++)
			if (!has_deed(services[s]->handlers[i].method.path))
				fail_msg("admin_deeds[] lacks %s",
					 services[s]->handlers[i].method.path);
	assert_int_equal(admin_deeds_count, count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_method_says_whether_it_changes_something),
		cmocka_unit_test(every_method_says_what_calling_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
