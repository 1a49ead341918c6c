/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_webhook.h — the webhooks of a workspace. For this folder only.
 */
#pragma once

#include "computations/web/web_action.h"

/* The rows' handlers. */
void web_webhooks(struct http_request *r, void *data);
void web_webhooks_json(struct http_request *r, void *data);
void web_webhook(struct http_request *r, void *data);
void web_webhook_json(struct http_request *r, void *data);
void web_deliveries_json(struct http_request *r, void *data);

extern const struct web_action web_page_webhook, web_page_webhook_enable, web_page_webhook_disable,
	web_page_webhook_rotate, web_page_webhook_delete, web_page_redeliver;
extern const struct web_action web_api_webhook, web_api_webhook_enable, web_api_webhook_disable,
	web_api_webhook_rotate, web_api_webhook_delete, web_api_redeliver;
