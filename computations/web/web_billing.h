/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_billing.h — accounts that pay for workspaces, for who administers the service. For this folder only.
 */
#pragma once

#include "computations/web/web_action.h"

/* Forms, */
extern const struct web_action web_page_billing, web_page_billing_plan, web_page_billing_give,
	web_page_billing_take, web_page_billing_remove;
/* and the API. */
extern const struct web_action web_api_billing, web_api_billing_plan, web_api_billing_give,
	web_api_billing_take, web_api_billing_remove;

void web_billing(struct http_request *r, void *data);
void web_billing_json(struct http_request *r, void *data);
void web_billing_one(struct http_request *r, void *data);
void web_billing_one_json(struct http_request *r, void *data);
